// Records of validated ROA payloads in one typed array: list link, lengths, AS, who says so, address words. Ids begin at 1
// and are used again. Which prefix leads to which record is vrp-slots.ts's.

import { growInt32 } from '../lib/columns.ts';

/** Words of a record; the address words follow. */
export const VRP_FIELD = { next: 0, meta: 1, asn: 2, sources: 3, address: 4 } as const;
const MAX_LENGTH_SHIFT = 8;
const OCTET = 0xff;
const INITIAL_RECORDS = 64;

export class VrpRecords {
  /** Words of an address: 1 (IPv4) or 4 (IPv6). */
  readonly stride: 1 | 4;
  /** Words of a record. */
  readonly size: number;
  /** Another array after growth. */
  data: Int32Array<ArrayBuffer>;
  /** Ids are below this. */
  limit = 1;
  /** Free records, linked by `next`. */
  #free = 0;

  constructor(stride: 1 | 4, expected: number) {
    this.stride = stride;
    this.size = VRP_FIELD.address + stride;
    this.data = new Int32Array(Math.max(INITIAL_RECORDS, expected + 1) * this.size);
  }

  /** A record that says this. */
  add(words: ArrayLike<number>, at: number, meta: number, asn: number): number {
    const id = this.#allocate();
    const base = id * this.size;
    this.data[base + VRP_FIELD.meta] = meta;
    this.data[base + VRP_FIELD.asn] = asn;
    this.data[base + VRP_FIELD.sources] = 0;
    for (let i = 0; i < this.stride; i++) this.data[base + VRP_FIELD.address + i] = words[at + i]!;
    return id;
  }

  release(id: number): void {
    this.data[id * this.size + VRP_FIELD.next] = this.#free;
    this.#free = id;
  }

  next(id: number): number {
    return this.data[id * this.size + VRP_FIELD.next]!;
  }

  setNext(id: number, next: number): void {
    this.data[id * this.size + VRP_FIELD.next] = next;
  }

  bits(id: number): number {
    return this.data[id * this.size + VRP_FIELD.meta]! & OCTET;
  }

  maxLength(id: number): number {
    return this.data[id * this.size + VRP_FIELD.meta]! >> MAX_LENGTH_SHIFT;
  }

  asn(id: number): number {
    return this.data[id * this.size + VRP_FIELD.asn]! >>> 0;
  }

  /** One bit a source; 0 for a free record. */
  sources(id: number): number {
    return this.data[id * this.size + VRP_FIELD.sources]!;
  }

  setSources(id: number, sources: number): void {
    this.data[id * this.size + VRP_FIELD.sources] = sources;
  }

  /** Where the address words of a record are. */
  wordsAt(id: number): number {
    return id * this.size + VRP_FIELD.address;
  }

  /** The record of a list that says exactly this, or 0. */
  inList(head: number, meta: number, asn: number): number {
    const { data, size } = this;
    for (let id = head; id !== 0; ) {
      const base = id * size;
      if (data[base + VRP_FIELD.meta] === meta && data[base + VRP_FIELD.asn]! === (asn | 0)) return id;
      id = data[base + VRP_FIELD.next]!;
    }
    return 0;
  }

  /** Whether the prefix of a record is this one. */
  isPrefix(id: number, words: ArrayLike<number>, at: number, bits: number): boolean {
    const { data, stride } = this;
    const base = id * this.size;
    if ((data[base + VRP_FIELD.meta]! & OCTET) !== bits) return false;
    const own = base + VRP_FIELD.address;
    for (let i = 0; i < stride; i++) if (data[own + i] !== words[at + i]!) return false;
    return true;
  }

  #allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.next(free);
      return free;
    }
    const id = this.limit++;
    this.data = growInt32(this.data, this.limit * this.size);
    return id;
  }
}

export function vrpMeta(bits: number, maxLength: number): number {
  return bits | (maxLength << MAX_LENGTH_SHIFT);
}
