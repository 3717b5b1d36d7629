// A path-compressed binary trie over prefixes of 4 or 16 octets, in typed arrays: prefix -> non-negative integer
// (an id, or an index into the owner's array). For longest match and walks inside a prefix; where only exact
// lookups are needed a hash table is smaller and faster. Keys are big-endian 32-bit words with host bits zero, as
// NlriBatch has them.

import { readUint32, writeUint32 } from './bytes.ts';
import { growInt32, growUint8 } from './columns.ts';
import { prefixMask } from './ip-words.ts';

const INITIAL_NODES = 256;
const NONE = -1;

export class PrefixTrie {
  /** 32-bit words a key: 1 (IPv4) or 4 (IPv6). */
  readonly stride: number;
  #words: Int32Array<ArrayBuffer>;
  #bits = new Uint8Array(INITIAL_NODES);
  /** Two children a node; 0 = none (the root is nobody's child). */
  #children = new Int32Array(INITIAL_NODES * 2);
  /** NONE where the node only joins two branches. */
  #values = new Int32Array(INITIAL_NODES);
  /** Node 0 is the root, length 0. */
  #limit = 1;
  /** Free nodes, linked through their first child. */
  #free = 0;
  #size = 0;

  constructor(stride: 1 | 4) {
    this.stride = stride;
    this.#words = new Int32Array(INITIAL_NODES * stride);
    this.#values[0] = NONE;
  }

  /** Prefixes in the trie. */
  get size(): number {
    return this.#size;
  }

  /** Sets the value (>= 0) of a prefix; returns the value it had, or -1. */
  set(words: ArrayLike<number>, bits: number, value: number): number {
    let parent = 0;
    for (let node = 0; ; ) {
      const nodeBits = this.#bits[node]!;
      const common = this.#commonBits(node, words, Math.min(nodeBits, bits));
      if (common < nodeBits) {
        this.#split(parent, node, words, bits, common, value);
        return NONE;
      }
      if (nodeBits === bits) {
        const before = this.#values[node]!;
        this.#values[node] = value;
        if (before === NONE) this.#size++;
        return before;
      }
      const side = bitAt(words, nodeBits);
      const child = this.#children[node * 2 + side]!;
      if (child === 0) {
        const leaf = this.#allocate(words, bits, value);
        this.#children[node * 2 + side] = leaf;
        this.#size++;
        return NONE;
      }
      parent = node;
      node = child;
    }
  }

  /** Takes a prefix out; returns its value, or -1 where it was not there. */
  delete(words: ArrayLike<number>, bits: number): number {
    let grandparent = 0;
    let parent = 0;
    let node = 0;
    for (;;) {
      const nodeBits = this.#bits[node]!;
      if (nodeBits > bits || this.#commonBits(node, words, nodeBits) < nodeBits) return NONE;
      if (nodeBits === bits) break;
      const child = this.#children[node * 2 + bitAt(words, nodeBits)]!;
      if (child === 0) return NONE;
      grandparent = parent;
      parent = node;
      node = child;
    }
    const value = this.#values[node]!;
    if (value === NONE) return NONE;
    this.#values[node] = NONE;
    this.#size--;
    if (node !== 0) {
      this.#contract(parent, node);
      // The parent may have been a joint that has one branch left.
      if (parent !== 0) this.#contract(grandparent, parent);
    }
    return value;
  }

  /** The value of exactly this prefix, or -1. */
  get(words: ArrayLike<number>, bits: number): number {
    const node = this.#firstInside(words, bits);
    return node !== NONE && this.#bits[node] === bits ? this.#values[node]! : NONE;
  }

  /** The value of the longest prefix that covers the key's first `bits` bits, or -1. */
  longest(words: ArrayLike<number>, bits: number): number {
    let best = NONE;
    for (let node = 0; ; ) {
      const nodeBits = this.#bits[node]!;
      if (nodeBits > bits || this.#commonBits(node, words, nodeBits) < nodeBits) return best;
      const value = this.#values[node]!;
      if (value !== NONE) best = value;
      const child = nodeBits === bits ? 0 : this.#children[node * 2 + bitAt(words, nodeBits)]!;
      if (child === 0) return best;
      node = child;
    }
  }

  /** Calls back for every prefix that covers the key's first `bits` bits, shortest first, itself included. */
  covering(words: ArrayLike<number>, bits: number, visit: (value: number, bits: number) => void): void {
    for (let node = 0; ; ) {
      const nodeBits = this.#bits[node]!;
      if (nodeBits > bits || this.#commonBits(node, words, nodeBits) < nodeBits) return;
      const value = this.#values[node]!;
      if (value !== NONE) visit(value, nodeBits);
      if (nodeBits === bits) return;
      const child = this.#children[node * 2 + bitAt(words, nodeBits)]!;
      if (child === 0) return;
      node = child;
    }
  }

  /** Calls back for every prefix inside words/bits in ascending order (a prefix before what is inside it). */
  walk(words: ArrayLike<number>, bits: number, visit: (value: number) => void): void {
    const top = this.#firstInside(words, bits);
    if (top === NONE) return;
    const stack = [top];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const value = this.#values[node]!;
      if (value !== NONE) visit(value);
      const left = this.#children[node * 2]!;
      const right = this.#children[node * 2 + 1]!;
      if (right !== 0) stack.push(right);
      if (left !== 0) stack.push(left);
    }
  }

  clear(): void {
    this.#limit = 1;
    this.#free = 0;
    this.#size = 0;
    this.#values[0] = NONE;
    this.#children[0] = 0;
    this.#children[1] = 0;
  }

  /** The topmost node whose key lies inside words/bits, or NONE. */
  #firstInside(words: ArrayLike<number>, bits: number): number {
    for (let node = 0; ; ) {
      const nodeBits = this.#bits[node]!;
      const shorter = Math.min(nodeBits, bits);
      if (this.#commonBits(node, words, shorter) < shorter) return NONE;
      if (nodeBits >= bits) return node;
      const child = this.#children[node * 2 + bitAt(words, nodeBits)]!;
      if (child === 0) return NONE;
      node = child;
    }
  }

  /** Leading bits that `node`'s key and `words` share, at most `most`. */
  #commonBits(node: number, words: ArrayLike<number>, most: number): number {
    const base = node * this.stride;
    for (let word = 0, at = 0; at < most; word++, at += 32) {
      const difference = this.#words[base + word]! ^ words[word]!;
      if (difference !== 0) return Math.min(most, at + Math.clz32(difference));
    }
    return most;
  }

  /** Puts words/bits beside or above `node`, whose key shares only `common` bits with it. */
  #split(
    parent: number,
    node: number,
    words: ArrayLike<number>,
    bits: number,
    common: number,
    value: number,
  ): void {
    const joint = this.#allocate(words, common, common === bits ? value : NONE);
    const slot = this.#children[parent * 2] === node ? parent * 2 : parent * 2 + 1;
    this.#children[slot] = joint;
    const nodeSide = this.#nodeBit(node, common);
    this.#children[joint * 2 + nodeSide] = node;
    if (common !== bits) {
      const leaf = this.#allocate(words, bits, value);
      this.#children[joint * 2 + (1 - nodeSide)] = leaf;
    }
    this.#size++;
  }

  /** Takes a valueless node with fewer than two children out of the trie. */
  #contract(parent: number, node: number): void {
    const left = this.#children[node * 2]!;
    const right = this.#children[node * 2 + 1]!;
    if (this.#values[node] !== NONE || (left !== 0 && right !== 0)) return;
    const slot = this.#children[parent * 2] === node ? parent * 2 : parent * 2 + 1;
    this.#children[slot] = left !== 0 ? left : right;
    this.#children[node * 2] = this.#free;
    this.#free = node;
  }

  #nodeBit(node: number, position: number): 0 | 1 {
    const word = this.#words[node * this.stride + (position >>> 5)]!;
    return (word >>> (31 - (position & 31))) & 1 ? 1 : 0;
  }

  #allocate(words: ArrayLike<number>, bits: number, value: number): number {
    let node = this.#free;
    if (node !== 0) {
      this.#free = this.#children[node * 2]!;
    } else {
      node = this.#limit++;
      this.#words = growInt32(this.#words, this.#limit * this.stride);
      this.#children = growInt32(this.#children, this.#limit * 2);
      this.#bits = growUint8(this.#bits, this.#limit);
      this.#values = growInt32(this.#values, this.#limit);
    }
    const base = node * this.stride;
    for (let word = 0; word < this.stride; word++) {
      this.#words[base + word] = words[word]! & prefixMask(bits, word);
    }
    this.#bits[node] = bits;
    this.#values[node] = value;
    this.#children[node * 2] = 0;
    this.#children[node * 2 + 1] = 0;
    return node;
  }
}

function bitAt(words: ArrayLike<number>, position: number): 0 | 1 {
  return (words[position >>> 5]! >>> (31 - (position & 31))) & 1 ? 1 : 0;
}

/** Address octets (4 or 16) as the big-endian words that tries and tables use. */
export function toWords(bytes: Uint8Array): Int32Array<ArrayBuffer> {
  const words = new Int32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = readUint32(bytes, i * 4);
  return words;
}

/** The octets of `count` words from `words[at]` on. */
export function toBytes(words: ArrayLike<number>, at: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) writeUint32(bytes, i * 4, words[at + i]!);
  return bytes;
}
