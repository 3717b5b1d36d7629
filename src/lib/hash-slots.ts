// Where the ids of a hash table lie: open addressing with linear probing, and beside each id a tag, a byte with some bits
// of the hash. That something is not there is seen in the tags alone, and they are few enough to stay in the cache;
// ids, and what they name, are looked at only where a tag fits. What is hashed and compared is the owner's affair.

/** At most so full: two of three slots. */
const FULL = 2 / 3;

export class HashSlots {
  /** 0 = empty. */
  tags: Uint8Array;
  ids: Int32Array;
  /** Slots less one; their number is a power of two. */
  mask: number;

  constructor(capacity: number) {
    this.tags = new Uint8Array(capacity);
    this.ids = new Int32Array(capacity);
    this.mask = capacity - 1;
  }

  get capacity(): number {
    return this.mask + 1;
  }

  /** Whether so many entries want more room. */
  isFull(entries: number): boolean {
    return entries > this.capacity * FULL;
  }

  /** Empties the table, which has this many slots afterwards. */
  clear(capacity: number): void {
    this.tags = new Uint8Array(capacity);
    this.ids = new Int32Array(capacity);
    this.mask = capacity - 1;
  }

  /** Empties the table, which has room for so many entries afterwards, and at least `least` slots. */
  clearFor(entries: number, least: number): void {
    let capacity = least;
    while (entries > capacity * FULL) capacity *= 2;
    this.clear(capacity);
  }

  /** Adds an id that is not there; there must be room. */
  insert(hash: number, id: number): void {
    this.fill(this.emptyFor(hash), hash, id);
  }

  /** The empty slot at which the look for such a hash ends. */
  emptyFor(hash: number): number {
    const { tags, mask } = this;
    let slot = hash & mask;
    while (tags[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  /** The same as `insert`, for who knows the slot. */
  fill(slot: number, hash: number, id: number): void {
    this.tags[slot] = tagOf(hash);
    this.ids[slot] = id;
  }
}

/** Never 0, and made of bits that do not choose the slot. */
export function tagOf(hash: number): number {
  return (hash >>> 25) | 0x80;
}
