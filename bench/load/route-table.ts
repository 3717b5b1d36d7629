// The routes that a load plays and expects, as columns: prefix words, length, attribute set. What is common to every
// session that plays them is here; next hop, first AS and local preference are put in by stream.ts.

import type { Family } from '../../src/bgp/wire/families.ts';

const FIRST_CAPACITY = 1024;

/** Attribute sets, each kept once; ids count up from 0. The bytes are canonical as mrt/attributes.ts describes. */
export class AttributePool {
  readonly #ids = new Map<string, number>();
  readonly #sets: Uint8Array[] = [];

  get count(): number {
    return this.#sets.length;
  }

  /** Keeps `bytes` themselves where they are new: they must not change afterwards. */
  intern(bytes: Uint8Array): number {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#sets.length;
    this.#sets.push(bytes);
    this.#ids.set(key, id);
    return id;
  }

  get(id: number): Uint8Array {
    return this.#sets[id]!;
  }
}

/** Routes of one family. */
export class RouteTable {
  readonly family: Family;
  readonly pool: AttributePool;
  count = 0;
  /** `family.words` big-endian words a route, signed. */
  words: Int32Array;
  lengths: Uint8Array;
  attributes: Int32Array;

  constructor(family: Family, pool: AttributePool, capacity = FIRST_CAPACITY) {
    this.family = family;
    this.pool = pool;
    this.words = new Int32Array(capacity * family.words);
    this.lengths = new Uint8Array(capacity);
    this.attributes = new Int32Array(capacity);
  }

  /** Adds a route from octets; the caller has cleared the host bits. Returns its index. */
  add(prefix: Uint8Array, length: number, attributeSet: number): number {
    const index = this.#grow();
    const { words } = this.family;
    for (let word = 0; word < words; word++) {
      const at = word * 4;
      this.words[index * words + word] =
        (prefix[at]! << 24) | (prefix[at + 1]! << 16) | (prefix[at + 2]! << 8) | prefix[at + 3]!;
    }
    this.lengths[index] = length;
    this.attributes[index] = attributeSet;
    return index;
  }

  /** Adds a route from its words. Returns its index. */
  append(words: Int32Array, length: number, attributeSet: number): number {
    const index = this.#grow();
    this.words.set(words, index * this.family.words);
    this.lengths[index] = length;
    this.attributes[index] = attributeSet;
    return index;
  }

  /** The same routes in another order; `order` has each index once. */
  reordered(order: Int32Array): RouteTable {
    const out = new RouteTable(this.family, this.pool, Math.max(1, this.count));
    const { words } = this.family;
    for (const index of order) {
      const from = this.words.subarray(index * words, (index + 1) * words);
      out.append(from, this.lengths[index]!, this.attributes[index]!);
    }
    return out;
  }

  #grow(): number {
    const index = this.count++;
    if (index < this.lengths.length) return index;
    const capacity = this.lengths.length * 2;
    this.words = enlarge(this.words, new Int32Array(capacity * this.family.words));
    this.attributes = enlarge(this.attributes, new Int32Array(capacity));
    const lengths = new Uint8Array(capacity);
    lengths.set(this.lengths);
    this.lengths = lengths;
    return index;
  }
}

function enlarge(from: Int32Array, to: Int32Array<ArrayBuffer>): Int32Array {
  to.set(from);
  return to;
}

const HASH_1 = 0x9e3779b1;
const HASH_2 = 0x85ebca6b;

/** Finds the index of a prefix in a RouteTable: open addressing, one lookup a received prefix. */
export class PrefixIndex {
  readonly #table: RouteTable;
  /** index + 1; 0 = free. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** Enters every route of the table; it must not grow afterwards. A repeated prefix keeps its first index. */
  constructor(table: RouteTable) {
    this.#table = table;
    let size = 16;
    while (size < table.count * 2) size *= 2;
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    for (let index = 0; index < table.count; index++) this.#enter(index);
  }

  #enter(index: number): void {
    const { words } = this.#table.family;
    const column = this.#table.words;
    if (this.find(column, index * words, this.#table.lengths[index]!) >= 0) return;
    let slot = this.#hash(column, index * words, this.#table.lengths[index]!) & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = index + 1;
  }

  /** The index of the prefix whose words stand at `at`; -1 where the table has none. */
  find(key: Int32Array, at: number, length: number): number {
    let slot = this.#hash(key, at, length) & this.#mask;
    for (;;) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return -1;
      if (this.matches(entry - 1, key, at, length)) return entry - 1;
      slot = (slot + 1) & this.#mask;
    }
  }

  matches(index: number, key: Int32Array, at: number, length: number): boolean {
    const table = this.#table;
    if (table.lengths[index] !== length) return false;
    const { words } = table.family;
    if (words === 1) return table.words[index] === key[at];
    for (let word = 0; word < words; word++) {
      if (table.words[index * words + word] !== key[at + word]) return false;
    }
    return true;
  }

  #hash(key: Int32Array, at: number, length: number): number {
    let hash = Math.imul(length, HASH_2);
    const { words } = this.#table.family;
    for (let word = 0; word < words; word++) {
      hash = Math.imul(hash ^ key[at + word]!, HASH_1);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, HASH_2) >>> 8;
  }
}
