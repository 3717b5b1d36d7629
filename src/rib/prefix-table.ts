// The prefixes of one family as small integers. An open-addressing hash table in typed arrays maps (words, length)
// to a prefixId; every other table of the RIB has a column indexed by it. An id lives as long as somebody holds it:
// paths, the dirty queue, unsent changes, an Adj-RIB-Out entry, a kernel route. Longest-match and subtree walks are
// not done here (views build what they need).

import type { Family } from '../bgp/wire/families.ts';
import { growInt32, growUint8, growUint32 } from '../lib/columns.ts';
import { formatAddress } from '../lib/ip.ts';

const INITIAL_IDS = 1 << 20;
const INITIAL_SLOTS = 1 << 12;
/** Below so many slots the hash table grows fourfold: a full table is on its way. */
const QUICK_GROWTH_LIMIT = 1 << 18;

export class PrefixTable {
  readonly family: Family;
  /** `family.words` words a prefix at `id * family.words`; host bits zero. */
  words: Int32Array<ArrayBuffer>;
  lengths: Uint8Array<ArrayBuffer>;
  /** Means nothing; see `warm`. */
  touched = 0;
  /** Holders of each id; at zero the id is free. */
  #uses: Uint32Array<ArrayBuffer>;
  /**
   * Pairs (hash, prefixId), id 0 = empty; linear probing, at most 2/3 full. The hash beside the id saves a look into
   * the columns, and so a cache miss, for nearly every entry that is not the one sought.
   */
  #slots = new Int32Array(INITIAL_SLOTS * 2);
  #mask = INITIAL_SLOTS - 1;
  #size = 0;
  #limit = 1;
  /** Free ids, linked through `words`. */
  #free = 0;

  /** `rows`: room for prefixes at the start. */
  constructor(family: Family, rows = INITIAL_IDS) {
    this.family = family;
    this.words = new Int32Array(rows * family.words);
    this.lengths = new Uint8Array(rows);
    this.#uses = new Uint32Array(rows);
  }

  /** Prefixes in the table. */
  get size(): number {
    return this.#size;
  }

  /** Every id in use is in 1..limit-1; ids are dense, so columns are sized by this. */
  get limit(): number {
    return this.#limit;
  }

  inUse(id: number): boolean {
    return this.#uses[id] !== 0;
  }

  /** The id of the prefix at `words[at ..]`, or 0. */
  find(words: Int32Array, at: number, bits: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const hash = this.#hash(words, at, bits);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot * 2 + 1]!;
      if (id === 0 || (slots[slot * 2] === hash && this.#equals(id, words, at, bits))) return id;
    }
  }

  /**
   * Touches the hash slots of many prefixes at once. Their cache misses overlap here, while one by one, in `find` and
   * `intern`, each would wait for the one before.
   */
  warm(words: Int32Array, lengths: Uint8Array, count: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    const stride = this.family.words;
    let touched = 0;
    for (let i = 0; i < count; i++)
      touched ^= slots[(this.#hash(words, i * stride, lengths[i]!) & mask) * 2]!;
    // Loads whose result nobody gets may be left out.
    this.touched = touched;
  }

  /** The id of the prefix, made when new. Nobody holds a new id yet: the caller must `hold` it. */
  intern(words: Int32Array, at: number, bits: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const hash = this.#hash(words, at, bits);
    let slot = hash & mask;
    for (; ; slot = (slot + 1) & mask) {
      const id = slots[slot * 2 + 1]!;
      if (id === 0) break;
      if (slots[slot * 2] === hash && this.#equals(id, words, at, bits)) return id;
    }
    const id = this.#allocate();
    const stride = this.family.words;
    const base = id * stride;
    for (let i = 0; i < stride; i++) this.words[base + i] = words[at + i]!;
    this.lengths[id] = bits;
    slots[slot * 2] = hash;
    slots[slot * 2 + 1] = id;
    this.#size++;
    if (this.#size * 3 > (mask + 1) * 2) this.#rehash((mask + 1) * (mask < QUICK_GROWTH_LIMIT ? 4 : 2));
    return id;
  }

  hold(id: number): void {
    this.#uses[id] = this.#uses[id]! + 1;
  }

  release(id: number): void {
    const uses = this.#uses[id]! - 1;
    this.#uses[id] = uses;
    if (uses === 0) this.#remove(id);
  }

  /** Address octets of a prefix, in network order. */
  address(id: number): Uint8Array {
    const stride = this.family.words;
    const bytes = new Uint8Array(stride * 4);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < stride; i++) view.setInt32(i * 4, this.words[id * stride + i]!);
    return bytes;
  }

  format(id: number): string {
    return `${formatAddress(this.address(id))}/${this.lengths[id]}`;
  }

  #allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.words[free * this.family.words]!;
      return free;
    }
    const id = this.#limit++;
    if (id >= this.lengths.length) {
      const capacity = this.lengths.length * 2;
      this.words = growInt32(this.words, capacity * this.family.words);
      this.lengths = growUint8(this.lengths, capacity);
      this.#uses = growUint32(this.#uses, capacity);
    }
    return id;
  }

  /** Backward-shift deletion: the probe chains stay whole without tombstones. */
  #remove(id: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = this.#hash(this.words, id * this.family.words, this.lengths[id]!) & mask;
    while (slots[hole * 2 + 1] !== id) hole = (hole + 1) & mask;
    for (let next = (hole + 1) & mask; slots[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = slots[next * 2]! & mask;
      // An entry may move into the hole unless its home lies cyclically between the hole and itself.
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole * 2] = slots[next * 2]!;
        slots[hole * 2 + 1] = slots[next * 2 + 1]!;
        hole = next;
      }
    }
    slots[hole * 2 + 1] = 0;
    this.#size--;
    this.words[id * this.family.words] = this.#free;
    this.#free = id;
    if (mask >= INITIAL_SLOTS && this.#size * 8 < mask) this.#rehash((mask + 1) >> 1);
  }

  #rehash(capacity: number): void {
    const old = this.#slots;
    const slots = new Int32Array(capacity * 2);
    const mask = capacity - 1;
    for (let i = 0; i < old.length; i += 2) {
      const id = old[i + 1]!;
      if (id === 0) continue;
      const hash = old[i]!;
      let slot = hash & mask;
      while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
      slots[slot * 2] = hash;
      slots[slot * 2 + 1] = id;
    }
    this.#slots = slots;
    this.#mask = mask;
  }

  #hash(words: Int32Array, at: number, bits: number): number {
    let hash = Math.imul(bits + 1, 0x9e3779b1) ^ words[at]!;
    const end = at + this.family.words;
    for (let i = at + 1; i < end; i++) {
      hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ words[i]!;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }

  #equals(id: number, words: Int32Array, at: number, bits: number): boolean {
    if (this.lengths[id] !== bits) return false;
    const stride = this.family.words;
    const base = id * stride;
    const own = this.words;
    for (let i = 0; i < stride; i++) if (own[base + i] !== words[at + i]) return false;
    return true;
  }
}
