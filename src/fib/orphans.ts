// Own routes that the kernel has and nobody has asked for: what an earlier run left. They have no prefixId, so their
// prefixes stand here, in columns with a hash index: after a crash there may be a million. A scan builds a new set.

import { growInt32, growUint8, growUint32 } from '../lib/columns.ts';

const INITIAL_ROWS = 64;
/** The index is at most half full, with removed rows counted. */
const SLOTS_PER_ROW = 2;

export class Orphans {
  readonly #stride: number;
  #words: Int32Array<ArrayBuffer>;
  #bits = new Uint8Array(INITIAL_ROWS);
  /** Target ids; 0 = taken out. */
  #targets = new Uint32Array(INITIAL_ROWS);
  /** Row + 1, or 0; rows taken out stay as tombstones. */
  #slots = new Int32Array(INITIAL_ROWS * SLOTS_PER_ROW);
  #rows = 0;
  #size = 0;
  #firstLive = 0;

  constructor(stride: number) {
    this.#stride = stride;
    this.#words = new Int32Array(INITIAL_ROWS * stride);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a route; returns false, and changes nothing, where the prefix is there already. */
  add(words: Int32Array, at: number, bits: number, target: number): boolean {
    if (this.#find(words, at, bits) >= 0) return false;
    const row = this.#rows++;
    this.#reserve(row + 1);
    for (let i = 0; i < this.#stride; i++) this.#words[row * this.#stride + i] = words[at + i]!;
    this.#bits[row] = bits;
    this.#targets[row] = target;
    this.#size++;
    this.#index(row);
    return true;
  }

  /** The target of a prefix, or 0. */
  get(words: Int32Array, at: number, bits: number): number {
    const row = this.#find(words, at, bits);
    return row < 0 ? 0 : this.#targets[row]!;
  }

  /** Takes a route out and returns its target, or 0. */
  take(words: Int32Array, at: number, bits: number): number {
    const row = this.#find(words, at, bits);
    if (row < 0) return 0;
    const target = this.#targets[row]!;
    this.#targets[row] = 0;
    this.#size--;
    return target;
  }

  /** Takes any route out into words[at ..]; returns its length in bits and target, or undefined when none is left. */
  takeAny(words: Int32Array, at: number): { bits: number; target: number } | undefined {
    for (; this.#firstLive < this.#rows; this.#firstLive++) {
      const row = this.#firstLive;
      const target = this.#targets[row]!;
      if (target === 0) continue;
      for (let i = 0; i < this.#stride; i++) words[at + i] = this.#words[row * this.#stride + i]!;
      this.#targets[row] = 0;
      this.#size--;
      return { bits: this.#bits[row]!, target };
    }
    return undefined;
  }

  /** Sets `named[id]` for every target of a route. */
  nameTargets(named: Uint8Array): void {
    for (let row = 0; row < this.#rows; row++) named[this.#targets[row]!] = 1;
  }

  #find(words: Int32Array, at: number, bits: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(words, at, bits) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0) return -1;
      if (this.#targets[row] !== 0 && this.#equals(row, words, at, bits)) return row;
    }
  }

  #equals(row: number, words: Int32Array, at: number, bits: number): boolean {
    if (this.#bits[row] !== bits) return false;
    for (let i = 0; i < this.#stride; i++) {
      if (this.#words[row * this.#stride + i] !== words[at + i]) return false;
    }
    return true;
  }

  #index(row: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(this.#words, row * this.#stride, this.#bits[row]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = row + 1;
  }

  #reserve(rows: number): void {
    this.#words = growInt32(this.#words, rows * this.#stride);
    this.#bits = growUint8(this.#bits, rows);
    this.#targets = growUint32(this.#targets, rows);
    if (rows * SLOTS_PER_ROW <= this.#slots.length) return;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let row = 0; row < rows - 1; row++) if (this.#targets[row] !== 0) this.#index(row);
  }

  #hash(words: Int32Array, at: number, bits: number): number {
    let hash = Math.imul(bits + 1, 0x9e3779b1);
    for (let i = 0; i < this.#stride; i++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ words[at + i]!, 0x85ebca6b);
    }
    return hash ^ (hash >>> 16);
  }
}
