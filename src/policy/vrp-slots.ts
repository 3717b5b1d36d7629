// Which prefix leads to which list of records: a hash table (lib/hash-slots.ts) over (length, prefix), which mostly tells
// at one glance that a prefix is not there. What is taken out leaves no gap behind. And which lengths there are, so that no
// others are looked for.

import { fits, HashSlots, isTaken } from '../lib/hash-slots.ts';
import { prefixMask } from '../lib/ip-words.ts';
import type { VrpRecords } from './vrp-records.ts';

const LENGTHS = 129;
const INITIAL_SLOTS = 1 << 6;
/** From so many slots on it is worth knowing where which lengths are. */
const LARGE = 1 << 13;
const REACH_BITS = 16;
/** Lengths from here on are known by beginnings of addresses; longer ones by 31 lengths share a bit. */
const REACH_FROM = { 1: 16, 4: 32 } as const;
const LAST_BIT = 31;
const EVERYWHERE = -1;

export class VrpSlots {
  readonly #records: VrpRecords;
  /** The first record of each prefix. */
  readonly #heads = new HashSlots(INITIAL_SLOTS);
  #prefixes = 0;
  /** Prefixes of each length. */
  readonly #perLength = new Int32Array(LENGTHS);
  /** The lengths that there are, longest first. */
  lengths = new Uint8Array(0);
  /** A prefix cut to a length. */
  readonly #cut: Int32Array<ArrayBuffer>;
  /** By beginnings of addresses: a bit for each length that was ever there; undefined while the table is small. */
  #reach: Int32Array<ArrayBuffer> | undefined;
  readonly #reachFrom: number;

  constructor(records: VrpRecords, expected: number) {
    this.#records = records;
    this.#heads.clearFor(expected, INITIAL_SLOTS, 0);
    this.#cut = new Int32Array(records.stride);
    this.#reachFrom = REACH_FROM[records.stride];
    if (this.#heads.capacity >= LARGE) this.#reach = new Int32Array(1 << REACH_BITS);
  }

  /** The slot of exactly this prefix; -1 where it is not there. */
  find(words: ArrayLike<number>, at: number, bits: number): number {
    const { taken, words: slots, mask, idMask } = this.#heads;
    const hash = this.#hash(words, at, bits);
    for (let slot = hash & mask; isTaken(taken, slot); slot = (slot + 1) & mask) {
      const word = slots[slot]!;
      if (!fits(word, hash, idMask)) continue;
      if (this.#records.isPrefix(word & idMask, words, at, bits)) return slot;
    }
    return -1;
  }

  /** The first record of the prefix that is left when this one is cut to `length`; 0 where there is none. */
  headOfCut(words: ArrayLike<number>, at: number, length: number): number {
    const cut = this.#cut;
    for (let i = 0; i < cut.length; i++) cut[i] = words[at + i]! & prefixMask(length, i);
    return this.head(this.find(cut, 0, length));
  }

  /** What `isThere` wants to know of an address. */
  reachOf(words: ArrayLike<number>, at: number): number {
    return this.#reach === undefined ? EVERYWHERE : this.#reach[this.#reachKey(words[at]!)]!;
  }

  /** False where no prefix of this length can cover the address. */
  isThere(reach: number, length: number): boolean {
    const bit = length - this.#reachFrom;
    return bit < 0 || (reach & (1 << Math.min(bit, LAST_BIT))) !== 0;
  }

  head(slot: number): number {
    return slot < 0 ? 0 : this.#heads.id(slot);
  }

  /** Another first record for the prefix in a slot; it may be in another one afterwards. */
  setHead(slot: number, record: number): void {
    if (this.#heads.hasRoomFor(record)) this.#heads.replace(slot, record);
    else {
      this.#rebuild(this.#heads.capacity);
      const { data } = this.#records;
      const moved = this.find(data, this.#records.wordsAt(record), this.#records.bits(record));
      this.#heads.replace(moved, record);
    }
  }

  /** Adds the prefix of a record; it is not there. */
  insert(record: number): void {
    this.#prefixes++;
    const bits = this.#records.bits(record);
    if (this.#perLength[bits]!++ === 0) this.#listLengths();
    const { capacity } = this.#heads;
    if (this.#heads.isFull(this.#prefixes)) this.#rebuild(capacity * 2);
    else if (!this.#heads.hasRoomFor(record)) this.#rebuild(capacity);
    this.#heads.insert(this.#hashOf(record), record);
    this.#reachOut(record);
  }

  /** Takes a prefix out; those behind it that would not be found any more move up. */
  clear(slot: number, bits: number): void {
    this.#prefixes--;
    if (--this.#perLength[bits]! === 0) this.#listLengths();
    const heads = this.#heads;
    const { taken, mask } = heads;
    let hole = slot;
    for (let next = (slot + 1) & mask; isTaken(taken, next); next = (next + 1) & mask) {
      const wanted = this.#hashOf(heads.id(next)) & mask;
      if (((next - wanted) & mask) < ((next - hole) & mask)) continue;
      heads.copy(next, hole);
      hole = next;
    }
    heads.empty(hole);
  }

  #rebuild(capacity: number): void {
    const { taken, words, idMask } = this.#heads.exchange(capacity, this.#records.limit);
    const first = this.#reach === undefined && capacity >= LARGE;
    if (first) this.#reach = new Int32Array(1 << REACH_BITS);
    words.forEach((word, slot) => {
      if (!isTaken(taken, slot)) return;
      const head = word & idMask;
      this.#heads.insert(this.#hashOf(head), head);
      if (first) this.#reachOut(head);
    });
  }

  #reachOut(record: number): void {
    if (this.#reach === undefined) return;
    const bit = this.#records.bits(record) - this.#reachFrom;
    const key = this.#reachKey(this.#records.data[this.#records.wordsAt(record)]!);
    if (bit >= 0) this.#reach[key] = this.#reach[key]! | (1 << Math.min(bit, LAST_BIT));
  }

  /** IPv6: of 32 bits, which are all there is to know of many, the 16 that a product mixes best. */
  #reachKey(word: number): number {
    return this.#reachFrom === REACH_BITS ? word >>> REACH_BITS : Math.imul(word, 0x9e3779b1) >>> REACH_BITS;
  }

  #listLengths(): void {
    const found: number[] = [];
    for (let length = LENGTHS - 1; length >= 0; length--)
      if (this.#perLength[length]! > 0) found.push(length);
    this.lengths = Uint8Array.from(found);
  }

  #hashOf(record: number): number {
    return this.#hash(this.#records.data, this.#records.wordsAt(record), this.#records.bits(record));
  }

  #hash(words: ArrayLike<number>, at: number, bits: number): number {
    let hash = Math.imul(bits + 1, 0x9e3779b1) ^ words[at]!;
    for (let i = 1; i < this.#cut.length; i++) {
      hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ words[at + i]!;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}
