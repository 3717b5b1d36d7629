// UPDATEs that were read, found again by their octets. Everything lies in columns that are made once: what a reflector
// sends to a hundred clients comes at a rate at which an object a message would be the work.

import { HEADER_LENGTH } from '../mrt/update-message.ts';

/** So many UPDATEs, octets and routes are known; beyond, all are forgotten and it begins anew. Untouched pages cost nothing. */
const UPDATES = 1 << 18;
const OCTETS = 1 << 25;
const ROUTES = 1 << 23;
const SLOT_BITS = 19;
/** Where so many others have the slots, an UPDATE stays unknown. */
const PROBES = 4;
const SEED = 0x811c9dc5;
const PRIME = 0x01000193;
const MIX = 0x9e3779b1;

export class KnownUpdates {
  /** What they say; `room` more than are known. */
  readonly routes: Int32Array;
  readonly #slots = new Int32Array(1 << SLOT_BITS);
  readonly #octets = new DataView(new ArrayBuffer(OCTETS));
  /** By number, from 1 on: where the octets begin, the routes begin, and the hash of the attributes. */
  readonly #octetsAt = new Uint32Array(UPDATES + 1);
  readonly #routesAt = new Uint32Array(UPDATES + 1);
  readonly #hashes = new Float64Array(UPDATES);
  #count = 0;
  /** Of the UPDATE that was asked for last, unless it was found. */
  #freeSlot = -1;

  constructor(room: number) {
    this.routes = new Int32Array(ROUTES + room);
  }

  /** Routes of those that are known; the next ones go behind them. */
  get end(): number {
    return this.#routesAt[this.#count]!;
  }

  /** The number of the UPDATE in `view[start, end)`; 0 where it is not known. */
  find(view: DataView, start: number, end: number): number {
    this.#freeSlot = -1;
    const first = hashOf(view, start, end) >>> (32 - SLOT_BITS);
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (first + probe) & (this.#slots.length - 1);
      const number = this.#slots[slot]!;
      if (number === 0) {
        this.#freeSlot = slot;
        return 0;
      }
      if (this.#isSame(number, view, start, end)) return number;
    }
    return 0;
  }

  /** What one of them says, as UpdateReader tells it. */
  content(number: number): { routes: Int32Array; from: number; to: number; hash: number } {
    return {
      routes: this.routes,
      from: this.#routesAt[number - 1]!,
      to: this.#routesAt[number]!,
      hash: this.#hashes[number - 1]!,
    };
  }

  /** Keeps the UPDATE that `find` has just not found, with the routes from `end` to `to`. */
  add(view: DataView, start: number, end: number, to: number, hash: number): void {
    if (this.#freeSlot < 0) return;
    const at = this.#octetsAt[this.#count]!;
    if (this.#count === UPDATES || at + end - start > OCTETS || to > ROUTES) {
      this.#slots.fill(0);
      this.#count = 0;
      return;
    }
    for (let i = start; i < end; i++) this.#octets.setUint8(at + i - start, view.getUint8(i));
    this.#hashes[this.#count] = hash;
    this.#count++;
    this.#octetsAt[this.#count] = at + end - start;
    this.#routesAt[this.#count] = to;
    this.#slots[this.#freeSlot] = this.#count;
  }

  #isSame(number: number, view: DataView, start: number, end: number): boolean {
    const at = this.#octetsAt[number - 1]!;
    if (this.#octetsAt[number]! - at !== end - start) return false;
    // The same length: so are the headers; and at least four octets follow them.
    for (let i = HEADER_LENGTH; i + 4 <= end - start; i += 4) {
      if (this.#octets.getInt32(at + i) !== view.getInt32(start + i)) return false;
    }
    return this.#octets.getInt32(at + end - start - 4) === view.getInt32(end - 4);
  }
}

function hashOf(view: DataView, start: number, end: number): number {
  let hash = Math.imul(SEED ^ (end - start), PRIME) ^ view.getInt32(end - 4);
  for (let i = start + HEADER_LENGTH; i + 4 <= end; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i), PRIME);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, MIX);
}
