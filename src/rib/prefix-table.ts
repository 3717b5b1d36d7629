// The prefixes of one family as small integers. A hash table in typed arrays (hash-slots.ts) maps (words, length) to
// a prefixId, and one record a prefix holds what the tables of the RIB keep of it: whoever touches a prefix touches
// most of that, and in one record it is one cache line instead of seven. An id lives as long as somebody holds it:
// paths, the dirty queue, unsent changes, an Adj-RIB-Out entry, a kernel route. Ids that nobody holds are taken out
// all at once, when there are many and others come: a route that flaps costs no more than its record. Longest-match
// and subtree walks are not done here (views build what they need).

import type { Family } from '../bgp/wire/families.ts';
import { growInt32, moved } from '../lib/columns.ts';
import { fits, HashSlots, isTaken } from '../lib/hash-slots.ts';
import { formatAddress } from '../lib/ip.ts';

/** Words of a record; the address words follow. */
export const PREFIX_FIELD = {
  /** Prefix length, and above it the holders. */
  meta: 0,
  /** path-store.ts: head of the list of its paths. */
  firstRow: 1,
  /** loc-rib.ts: what was decided last. */
  bestRow: 2,
  bestAttr: 3,
  bestPeer: 4,
} as const;
const ADDRESS = 5;

const LENGTH_BITS = 8;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
const ONE_HOLDER = 1 << LENGTH_BITS;
/** `meta` of an id that is not in use. */
const FREE = -1;

/** More than the full table of today, as many as fit into a hash table of 2^21 slots. Untouched pages cost nothing. */
const INITIAL_IDS = 1_398_000;
const INITIAL_SLOTS = 1 << 13;
/** Up to so many slots the hash table grows fourfold: a full table is on its way, and ends in 2^21. */
const QUICK_GROWTH_LIMIT = 1 << 19;
const BATCH = 1 << 10;
/** Ids that nobody holds are swept when they are more than these and so many times those in use. */
const SWEEP_MIN = 1 << 12;
const SWEEP_RATIO = 2;
/** The same when the records would have to grow for others. */
const SWEEP_RATIO_FULL = 1 / 4;

/** Prefixes in columns, `family.words` words each. */
export interface PrefixBatch {
  readonly words: Int32Array;
  readonly lengths: Uint8Array;
}

/** A place in the hash table, which is half full. */
const OCTETS_PER_SLOT = 8;

export class PrefixTable {
  readonly family: Family;
  /** Words of a record. */
  readonly stride: number;
  /** Records by id; see PREFIX_FIELD. Another array after growth. */
  records: Int32Array<ArrayBuffer>;
  readonly #rows: number;
  readonly #slots = new HashSlots(INITIAL_SLOTS);
  /** Entries of the hash table, and how many of them nobody holds. */
  #entries = 0;
  #idle = 0;
  #limit = 1;
  /** Of the batch at hand. */
  #ids = new Int32Array(BATCH);
  /** The id of the last prefix that was found in a batch. */
  #last = 0;
  /**
   * Free ids, linked through the first address word, the lowest first after a sweep. Who walks all ids finds no row and
   * nothing decided at a free one.
   */
  #free = 0;

  /** `rows`: room for prefixes at the start. */
  constructor(family: Family, rows = INITIAL_IDS) {
    this.family = family;
    this.stride = ADDRESS + family.words;
    this.#rows = rows;
    this.records = new Int32Array(rows * this.stride);
  }

  /** Prefixes that somebody holds. */
  get size(): number {
    return this.#entries - this.#idle;
  }

  /** What the prefixes that are there take. */
  get octets(): number {
    return this.size * (this.stride * Int32Array.BYTES_PER_ELEMENT + OCTETS_PER_SLOT);
  }

  /** Every id in use is in 1..limit-1; ids are dense, so columns are sized by this. */
  get limit(): number {
    return this.#limit;
  }

  /** Ids that the records have room for. */
  get room(): number {
    return this.records.length / this.stride;
  }

  inUse(id: number): boolean {
    return this.records[id * this.stride]! >= ONE_HOLDER;
  }

  /** Prefix length in bits. */
  bits(id: number): number {
    return this.records[id * this.stride]! & LENGTH_MASK;
  }

  /** Where the address words of a prefix stand in `records`: `family.words` of them, host bits zero. */
  wordsAt(id: number): number {
    return id * this.stride + ADDRESS;
  }

  /** The id of the prefix at `words[at ..]`, or 0 where nobody holds it. */
  find(words: Int32Array, at: number, bits: number): number {
    const id = this.#lookUp(words, at, bits, this.#hash(words, at, bits));
    return id > 0 && this.inUse(id) ? id : 0;
  }

  /** The id here of a prefix of another table of the family, or 0 where nobody holds it. */
  idOf(other: PrefixTable, id: number): number {
    return this.find(other.records, other.wordsAt(id), other.bits(id));
  }

  /** The ids of prefixes `from <= i < to` of a batch; 0 for those that nobody holds. The next call reuses the result. */
  findAll({ words, lengths }: PrefixBatch, from: number, to: number): Int32Array {
    const ids = this.#roomForIds(to - from);
    const wordCount = this.family.words;
    for (let i = from; i < to; i++) {
      const at = i * wordCount;
      const bits = lengths[i]!;
      const next = this.#last + 1;
      const id = this.#isAt(next, words, at, bits)
        ? next
        : this.#lookUp(words, at, bits, this.#hash(words, at, bits));
      if (id > 0) this.#last = id;
      ids[i - from] = id > 0 && this.inUse(id) ? id : 0;
    }
    return ids;
  }

  /** As findAll, but prefixes that are not there are made. The caller must `hold` them before others are. */
  internAll({ words, lengths }: PrefixBatch, from: number, to: number): Int32Array {
    this.#makeRoom();
    const ids = this.#roomForIds(to - from);
    const wordCount = this.family.words;
    for (let i = from; i < to; i++) {
      const at = i * wordCount;
      const bits = lengths[i]!;
      const next = this.#last + 1;
      const id = this.#isAt(next, words, at, bits) ? next : this.#findOrMake(words, at, bits);
      this.#last = id;
      ids[i - from] = id;
    }
    return ids;
  }

  /** The id of the prefix, made when new. Perhaps nobody holds it yet: the caller must `hold` it before others are. */
  intern(words: Int32Array, at: number, bits: number): number {
    this.#makeRoom();
    return this.#findOrMake(words, at, bits);
  }

  #roomForIds(count: number): Int32Array {
    this.#ids = growInt32(this.#ids, count);
    return this.#ids;
  }

  /**
   * Whether an id is that of the prefix. Asked of the one behind the last that was found: prefixes mostly go, and come again,
   * in the order in which they came, and its record is next in memory, while a slot of the hash table is anywhere.
   */
  #isAt(id: number, words: Int32Array, at: number, bits: number): boolean {
    return id < this.#limit && this.#equals(id, words, at, bits);
  }

  #findOrMake(words: Int32Array, at: number, bits: number): number {
    const hash = this.#hash(words, at, bits);
    const known = this.#lookUp(words, at, bits, hash);
    return known > 0 ? known : this.#make(words, at, bits, hash, ~known);
  }

  /** A new id for a prefix that is not there; `slot` is where the look for it ended. */
  #make(words: Int32Array, at: number, bits: number, hash: number, slot: number): number {
    const id = this.#allocate();
    const { records } = this;
    const base = id * this.stride;
    records[base] = bits;
    records[base + PREFIX_FIELD.firstRow] = 0;
    const wordCount = this.family.words;
    for (let i = 0; i < wordCount; i++) records[base + ADDRESS + i] = words[at + i]!;
    this.#slots.fill(slot, hash, id);
    this.#entries++;
    this.#idle++;
    const { capacity } = this.#slots;
    if (this.#slots.isFull(this.#entries)) this.#rehash(capacity * (capacity <= QUICK_GROWTH_LIMIT ? 4 : 2));
    return id;
  }

  hold(id: number): void {
    const at = id * this.stride;
    const meta = this.records[at]!;
    if (meta < ONE_HOLDER) this.#idle--;
    this.records[at] = meta + ONE_HOLDER;
  }

  release(id: number): void {
    const at = id * this.stride;
    const meta = this.records[at]! - ONE_HOLDER;
    this.records[at] = meta;
    if (meta < ONE_HOLDER) this.#idle++;
  }

  /** Gives back the room behind the last prefix that somebody holds. Ids stay. */
  compact(): void {
    this.#sweep();
    const used = this.#limit * this.stride;
    const room = Math.max(this.#rows * this.stride, used);
    this.records = moved(new Int32Array(room), this.records, used);
  }

  /** Address octets of a prefix, in network order. */
  address(id: number): Uint8Array {
    const wordCount = this.family.words;
    const bytes = new Uint8Array(wordCount * 4);
    const view = new DataView(bytes.buffer);
    const first = this.wordsAt(id);
    for (let i = 0; i < wordCount; i++) view.setInt32(i * 4, this.records[first + i]!);
    return bytes;
  }

  format(id: number): string {
    return `${formatAddress(this.address(id))}/${this.bits(id)}`;
  }

  /** The id of a prefix, whether somebody holds it or not; ~slot where the look ended at that empty slot. */
  #lookUp(words: Int32Array, at: number, bits: number, hash: number): number {
    const { taken, words: slots, mask, idMask } = this.#slots;
    let slot = hash & mask;
    for (; isTaken(taken, slot); slot = (slot + 1) & mask) {
      const word = slots[slot]!;
      if (!fits(word, hash, idMask)) continue;
      const id = word & idMask;
      if (this.#equals(id, words, at, bits)) return id;
    }
    return ~slot;
  }

  #allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.records[free * this.stride + ADDRESS]!;
      return free;
    }
    const id = this.#limit++;
    this.records = growInt32(this.records, this.#limit * this.stride);
    return id;
  }

  /** Before prefixes come rather than while they go: those that come back then are there still, and going is quick. */
  #makeRoom(): void {
    if (this.#idle > SWEEP_MIN && this.#idle > this.size * this.#sweepRatio) this.#sweep();
  }

  get #sweepRatio(): number {
    const isFull = this.#free === 0 && this.#limit + BATCH > this.room;
    return isFull ? SWEEP_RATIO_FULL : SWEEP_RATIO;
  }

  /** Takes out every prefix that nobody holds. */
  #sweep(): void {
    const { records, stride } = this;
    while (this.#limit > 1 && records[(this.#limit - 1) * stride]! < ONE_HOLDER) this.#limit--;
    this.#entries -= this.#idle;
    this.#idle = 0;
    this.#slots.clearFor(this.#entries, INITIAL_SLOTS, this.#limit);
    this.#free = 0;
    // From above, so that the list of free ids begins with the lowest: what comes together then lies together.
    for (let id = this.#limit - 1; id > 0; id--) {
      const at = id * stride;
      const meta = records[at]!;
      if (meta >= ONE_HOLDER) {
        this.#slots.insert(this.#hash(records, at + ADDRESS, meta & LENGTH_MASK), id);
        continue;
      }
      records[at] = FREE;
      records[at + ADDRESS] = this.#free;
      this.#free = id;
    }
  }

  /** By id, because records lie in a row, and what hangs in the old table does not. */
  #rehash(capacity: number): void {
    const { records, stride } = this;
    this.#slots.clear(capacity, this.#limit);
    for (let id = 1; id < this.#limit; id++) {
      const at = id * stride;
      const meta = records[at]!;
      if (meta !== FREE) this.#slots.insert(this.#hash(records, at + ADDRESS, meta & LENGTH_MASK), id);
    }
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
    const { records } = this;
    const base = id * this.stride;
    if ((records[base]! & LENGTH_MASK) !== bits) return false;
    const wordCount = this.family.words;
    const own = base + ADDRESS;
    for (let i = 0; i < wordCount; i++) if (records[own + i] !== words[at + i]) return false;
    return true;
  }
}
