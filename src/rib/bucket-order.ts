// Puts the changes of a batch into sending order: buckets of equal (addressee, origin, attributes) in which every
// message is filled, everybody's before single members', withdrawals before announcements, origins in a row. Two
// counting sorts over typed arrays; a full table passes here, so nothing is made per bucket.

import { growInt32 } from '../lib/columns.ts';

/** Columns of a batch, by entry. */
export interface BatchColumns {
  readonly attr: Int32Array;
  readonly from: Uint16Array;
  readonly only: Uint16Array;
}

/** One addressee and origin, withdrawals or announcements: what is sorted before attributes are. */
interface Group {
  readonly only: number;
  readonly from: number;
  readonly announces: boolean;
  buckets: number;
  rank: number;
}

const INITIAL = 1 << 8;
const FROM_SHIFT = 1;
const ONLY_SHIFT = 17;

export class BucketOrder {
  /** Entries, bucket after bucket. */
  sorted = new Int32Array(INITIAL);
  bucketCount = 0;
  /** By place in the order: an entry of the bucket, and where its entries begin in `sorted`; one more ends the last. */
  first = new Int32Array(INITIAL);
  start = new Int32Array(INITIAL + 1);

  #bucketOf = new Int32Array(INITIAL);
  /** By bucket in order of appearance: an entry, its size, its group, its place. */
  #entry = new Int32Array(INITIAL);
  #size = new Int32Array(INITIAL);
  #groupOf = new Int32Array(INITIAL);
  #place = new Int32Array(INITIAL);
  /** Buckets by attribute set: open addressing, bucket + 1. */
  #slots = new Int32Array(INITIAL * 2);

  /** Orders entries `0 .. count`. */
  run(columns: BatchColumns, count: number): void {
    this.#reserve(count);
    const groups = this.#collect(columns, count);
    this.#placeBuckets(groups);
    // Fields by name here and below: each entry passes, and looking fields up takes longer than what is done with them.
    const { start, sorted } = this;
    const place = this.#place;
    const bucketOf = this.#bucketOf;
    for (let i = 0; i < count; i++) {
      const at = place[bucketOf[i]!]!;
      const next = start[at]!;
      sorted[next] = i;
      start[at] = next + 1;
    }
    // Filling moved every start to its end, which is where the next one begins.
    start.copyWithin(1, 0, this.bucketCount);
    start[0] = 0;
  }

  /** Finds the bucket of every entry; returns the groups of buckets that there are. */
  #collect(columns: BatchColumns, count: number): Group[] {
    const { attr, from, only } = columns;
    const slots = this.#slots;
    const bucketOf = this.#bucketOf;
    const entry = this.#entry;
    const size = this.#size;
    const mask = slots.length - 1;
    slots.fill(0);
    this.bucketCount = 0;
    const groups: Group[] = [];
    const groupByKey = new Map<number, number>();
    let last = -1;
    // Of the bucket at hand: what comes in a row mostly belongs together.
    let lastAttr = -1;
    let lastFrom = -1;
    let lastOnly = -1;
    for (let i = 0; i < count; i++) {
      const ofAttr = attr[i]!;
      const ofFrom = from[i]!;
      const ofOnly = only[i]!;
      if (ofAttr !== lastAttr || ofFrom !== lastFrom || ofOnly !== lastOnly) {
        lastAttr = ofAttr;
        lastFrom = ofFrom;
        lastOnly = ofOnly;
        let slot = (Math.imul(ofAttr, 0x9e3779b1) ^ (ofFrom + ofOnly * 31)) & mask;
        for (; ; slot = (slot + 1) & mask) {
          last = slots[slot]! - 1;
          if (last < 0) break;
          const one = entry[last]!;
          if (attr[one] === ofAttr && from[one] === ofFrom && only[one] === ofOnly) break;
        }
        if (last < 0) {
          last = this.bucketCount++;
          slots[slot] = last + 1;
          entry[last] = i;
          size[last] = 0;
          this.#groupOf[last] = groupOf(columns, i, groups, groupByKey);
        }
      }
      size[last] = size[last]! + 1;
      bucketOf[i] = last;
    }
    return groups;
  }

  /** Gives buckets their places: by group, and within one in order of appearance. */
  #placeBuckets(groups: Group[]): void {
    const ordered = [...groups].sort(inSendingOrder);
    let place = 0;
    for (const group of ordered) {
      group.rank = place;
      place += group.buckets;
    }
    for (let bucket = 0; bucket < this.bucketCount; bucket++) {
      const at = groups[this.#groupOf[bucket]!]!.rank++;
      this.#place[bucket] = at;
      this.first[at] = this.#entry[bucket]!;
      this.start[at] = this.#size[bucket]!;
    }
    let offset = 0;
    for (let at = 0; at < this.bucketCount; at++) {
      const size = this.start[at]!;
      this.start[at] = offset;
      offset += size;
    }
    this.start[this.bucketCount] = offset;
  }

  #reserve(count: number): void {
    if (count <= this.sorted.length) return;
    // A power of two, for the hash table's mask.
    const size = 1 << (32 - Math.clz32(count - 1));
    this.sorted = growInt32(this.sorted, size);
    this.first = growInt32(this.first, size);
    this.start = growInt32(this.start, size + 1);
    this.#bucketOf = growInt32(this.#bucketOf, size);
    this.#entry = growInt32(this.#entry, size);
    this.#size = growInt32(this.#size, size);
    this.#groupOf = growInt32(this.#groupOf, size);
    this.#place = growInt32(this.#place, size);
    this.#slots = new Int32Array(size * 2);
  }
}

function groupOf(columns: BatchColumns, entry: number, groups: Group[], byKey: Map<number, number>): number {
  const from = columns.from[entry]!;
  const only = columns.only[entry]!;
  const announces = columns.attr[entry] !== 0;
  const key = only * 2 ** ONLY_SHIFT + (from << FROM_SHIFT) + Number(announces);
  let index = byKey.get(key);
  if (index === undefined) {
    index = groups.push({ only, from, announces, buckets: 0, rank: 0 }) - 1;
    byKey.set(key, index);
  }
  groups[index]!.buckets++;
  return index;
}

/** Everybody's before single members'; by origin; withdrawals first. */
function inSendingOrder(a: Group, b: Group): number {
  return a.only - b.only || a.from - b.from || Number(a.announces) - Number(b.announces);
}
