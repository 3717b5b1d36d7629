// One number for what must survive a daemon: ORIGIN, AS_PATH without the bench's own ASes in front, and the three kinds
// of communities regardless of their order (RFC 1997 gives it no meaning and daemons sort). What a daemon rightly
// rewrites between two sessions (NEXT_HOP, MED, LOCAL_PREF, reflection attributes) is left out.

import { ATTR, FLAG } from '../mrt/attributes.ts';

const SEED = 0x811c9dc5;
const PRIME = 0x01000193;
const MIX = 0x9e3779b1;
const SEQUENCE = 2;

export class AttributeHasher {
  readonly #ownAses: readonly number[];

  /** `ownAses`: of the daemon and of every session of the bench. */
  constructor(ownAses: readonly number[]) {
    this.#ownAses = ownAses;
  }

  /** Hash of the attributes in `view[start, end)`, unsigned; NaN where they cannot be walked. */
  hash(view: DataView, start: number, end: number): number {
    // A sum over attributes: neither their order nor a daemon's choice of length encoding matters.
    let sum = 0;
    for (let at = start; at + 3 <= end; ) {
      const type = view.getUint8(at + 1);
      const extended = (view.getUint8(at) & FLAG.extendedLength) !== 0;
      const length = extended ? view.getUint16(at + 2) : view.getUint8(at + 2);
      const value = at + (extended ? 4 : 3);
      at = value + length;
      if (at > end) return Number.NaN;
      switch (type) {
        case ATTR.origin:
          sum = (sum + mix(1, view.getUint8(value))) | 0;
          break;
        case ATTR.asPath:
          sum = (sum + this.#pathHash(view, value, at)) | 0;
          break;
        case ATTR.communities:
          sum = (sum + setHash(view, value, at, 4, type)) | 0;
          break;
        case ATTR.extendedCommunities:
          sum = (sum + setHash(view, value, at, 8, type)) | 0;
          break;
        case ATTR.largeCommunities:
          sum = (sum + setHash(view, value, at, 12, type)) | 0;
          break;
        default:
          break;
      }
    }
    return sum >>> 0;
  }

  #pathHash(view: DataView, start: number, end: number): number {
    let hash = SEED;
    let leading = true;
    for (let at = start; at + 2 <= end; ) {
      const type = view.getUint8(at);
      const stop = Math.min(end, at + 2 + view.getUint8(at + 1) * 4);
      if (type !== SEQUENCE) hash = mix(hash, type);
      for (at += 2; at + 4 <= stop; at += 4) {
        const asn = view.getUint32(at);
        if (leading && type === SEQUENCE && this.#ownAses.includes(asn)) continue;
        leading = false;
        hash = mix(hash, asn);
      }
    }
    return hash;
  }
}

function setHash(view: DataView, start: number, end: number, size: number, type: number): number {
  let sum = type;
  for (let at = start; at + size <= end; at += size) {
    let hash = SEED;
    for (let word = 0; word < size; word += 4) hash = mix(hash, view.getInt32(at + word));
    sum = (sum + hash) | 0;
  }
  return mix(sum, type);
}

function mix(hash: number, value: number): number {
  const product = Math.imul(hash ^ value, PRIME);
  return Math.imul(product ^ (product >>> 13), MIX);
}
