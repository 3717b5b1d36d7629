// Provider authorizations (ASPA): which ASes may carry a customer's routes upwards, and what that says about an AS_PATH
// (draft-ietf-sidrops-aspa-verification). Sources are told apart by small numbers; a customer's providers are all that
// any of them names.

import { SEGMENT } from '../bgp/wire/iana.ts';
import { readUint32 } from '../lib/bytes.ts';
import { ROA, type RoaState } from './route-access.ts';

const ASN_OCTETS = 4;
const SEGMENT_HEAD = 2;

/** What a pair of ASes is to each other, as far as the customer has said. */
const HOP = { unattested: 0, provider: 1, notProvider: 2 } as const;
type Hop = (typeof HOP)[keyof typeof HOP];

/** Customer -> providers, ascending; none for an AS that has no provider. */
export type Authorizations = Map<number, Uint32Array>;

export class AspaTable {
  /** By source. */
  readonly #bySource = new Map<number, Authorizations>();

  /** What a source says of all customers. */
  of(source: number): ReadonlyMap<number, Uint32Array> {
    return this.#bySource.get(source) ?? NOTHING;
  }

  get sources(): ReadonlyMap<number, ReadonlyMap<number, Uint32Array>> {
    return this.#bySource;
  }

  /** Puts all that a source says in the place of what it said. */
  replace(source: number, authorizations: Authorizations): void {
    if (authorizations.size === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, authorizations);
  }

  /**
   * `path`: an AS_PATH of 4-octet ASes. `upstream`: it came from a customer or a peer, so that every AS must have
   * been passed on by a provider; else from a provider, where it may go down again.
   */
  check(path: Uint8Array, upstream: boolean): RoaState {
    const hops = distinctHops(path);
    if (hops === undefined) return ROA.invalid;
    if (hops.length <= (upstream ? 1 : 2)) return ROA.valid;
    return upstream ? this.#checkUp(hops) : this.#checkDown(hops);
  }

  /** Origin first. */
  #checkUp(hops: readonly number[]): RoaState {
    let state: RoaState = ROA.valid;
    for (let i = 1; i < hops.length; i++) {
      const hop = this.#hop(hops[i - 1]!, hops[i]!);
      if (hop === HOP.notProvider) return ROA.invalid;
      if (hop === HOP.unattested) state = ROA.unknown;
    }
    return state;
  }

  /** Up from the origin, at most one step aside, and down to here: the two ramps must meet. */
  #checkDown(hops: readonly number[]): RoaState {
    const up = this.#ramp(hops);
    const down = this.#ramp([...hops].reverse());
    if (up.most + down.most < hops.length) return ROA.invalid;
    return up.least + down.least < hops.length ? ROA.unknown : ROA.valid;
  }

  /** How many ASes from the beginning on may have gone up, at most, and have certainly, at least. */
  #ramp(hops: readonly number[]): { readonly most: number; readonly least: number } {
    let least = hops.length;
    for (let i = 1; i < hops.length; i++) {
      const hop = this.#hop(hops[i - 1]!, hops[i]!);
      if (hop === HOP.notProvider) return { most: i, least: Math.min(least, i) };
      if (hop === HOP.unattested) least = Math.min(least, i);
    }
    return { most: hops.length, least };
  }

  #hop(customer: number, provider: number): Hop {
    let hop: Hop = HOP.unattested;
    for (const authorizations of this.#bySource.values()) {
      const providers = authorizations.get(customer);
      if (providers === undefined) continue;
      if (has(providers, provider)) return HOP.provider;
      hop = HOP.notProvider;
    }
    return hop;
  }
}

const NOTHING: ReadonlyMap<number, Uint32Array> = new Map();

/** Binary search. */
function has(sorted: Uint32Array, value: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}

/** The ASes of a path from its origin on, repetitions once; undefined for an empty path and for one with a set. */
function distinctHops(path: Uint8Array): number[] | undefined {
  const hops: number[] = [];
  for (let at = 0; at + SEGMENT_HEAD <= path.length; ) {
    const type = path[at]!;
    const count = path[at + 1]!;
    at += SEGMENT_HEAD;
    if (type === SEGMENT.asSet || type === SEGMENT.confedSet) return undefined;
    for (let i = 0; i < count; i++, at += ASN_OCTETS) {
      // Members of a confederation are one AS to all others.
      const asn = readUint32(path, at);
      if (type === SEGMENT.asSequence && asn !== hops.at(-1)) hops.push(asn);
    }
  }
  return hops.length === 0 ? undefined : hops.reverse();
}
