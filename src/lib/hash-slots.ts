// Where the ids of a hash table lie: open addressing with linear probing. A slot is one word, an id and above it as many
// bits of the hash as there is room for, so that what an id names is looked at only where those fit. Which slots are taken
// stands apart, a bit for each: that something is not there is mostly seen in them alone, and they are few enough to stay
// near, while the words of a large table come from the last cache, a hundred times as slowly. What is hashed and compared
// is the owner's affair.

import { outgrow } from './columns.ts';

/** At most so full: two of three slots. */
const FULL = 2 / 3;
const BITS = 32;

export class HashSlots {
  /** A bit for each slot, set where it is taken; see `isTaken`. */
  taken = new Int32Array(0);
  /** Of a taken slot: the id in the bits of `idMask`, and some of the hash in the others. */
  words = new Int32Array(0);
  /** Slots less one; their number is a power of two. */
  mask = 0;
  idMask = 0;

  /** `capacity`: slots, a power of two. */
  constructor(capacity: number) {
    this.clear(capacity, 0);
  }

  get capacity(): number {
    return this.mask + 1;
  }

  /** Whether so many entries want more room. */
  isFull(entries: number): boolean {
    return entries > this.capacity * FULL;
  }

  /**
   * Empties the table, which has this many slots afterwards. Ids below `limit` can be added, and as many above it as there
   * are slots: an owner that counts them up needs to know no more.
   */
  clear(capacity: number, limit: number): void {
    const { taken, words } = this.exchange(capacity, limit);
    outgrow(taken);
    outgrow(words);
  }

  /** The same; returns what was there, for an owner who knows of no other place that has all ids. */
  exchange(capacity: number, limit: number): Pick<HashSlots, 'taken' | 'words' | 'idMask'> {
    const { taken, words, idMask } = this;
    this.taken = new Int32Array(Math.ceil(capacity / BITS));
    this.words = new Int32Array(capacity);
    this.mask = capacity - 1;
    this.idMask = (-1 >>> Math.clz32(limit + capacity)) | 0;
    return { taken, words, idMask };
  }

  /** Empties the table, which has room for so many entries afterwards, and at least `least` slots. */
  clearFor(entries: number, least: number, limit: number): void {
    let capacity = least;
    while (entries > capacity * FULL) capacity *= 2;
    this.clear(capacity, limit);
  }

  /** Adds an id that is not there; there must be room. */
  insert(hash: number, id: number): void {
    const { taken, mask } = this;
    let slot = hash & mask;
    while (isTaken(taken, slot)) slot = (slot + 1) & mask;
    this.fill(slot, hash, id);
  }

  /** The same as `insert`, for who knows the empty slot at which the look for the hash has ended. */
  fill(slot: number, hash: number, id: number): void {
    this.taken[slot >>> 5] = this.taken[slot >>> 5]! | (1 << slot);
    this.words[slot] = (hash & ~this.idMask) | id;
  }

  /** Whether an id can be added to the table as it is. */
  hasRoomFor(id: number): boolean {
    return (id & ~this.idMask) === 0;
  }

  /** The id in a taken slot. */
  id(slot: number): number {
    return this.words[slot]! & this.idMask;
  }

  /** Another id for what is in a taken slot. */
  replace(slot: number, id: number): void {
    this.words[slot] = (this.words[slot]! & ~this.idMask) | id;
  }

  /** What is in one slot is in another, which is empty or free to be written over. The one stays as it is. */
  copy(from: number, to: number): void {
    this.words[to] = this.words[from]!;
  }

  /** Makes a taken slot an empty one; nobody's look may have to pass it. */
  empty(slot: number): void {
    this.taken[slot >>> 5] = this.taken[slot >>> 5]! & ~(1 << slot);
  }
}

/** Whether what of a hash stands in a taken slot's word is of this one: only then the id is worth a look. */
export function fits(word: number, hash: number, idMask: number): boolean {
  return ((word ^ hash) & ~idMask) === 0;
}

/** Of `HashSlots.taken`. */
export function isTaken(taken: Int32Array, slot: number): boolean {
  return ((taken[slot >>> 5]! >>> slot) & 1) !== 0;
}
