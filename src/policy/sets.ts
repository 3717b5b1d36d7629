// Sets. Members other than prefixes are words compared as wholes: ranges in order of their first value, searched by
// halving; where ranges overlap the answer is that of BIRD's balanced tree of the same ranges, which may miss one.
// Prefix sets are a trie whose nodes carry the accepted lengths of everything above them, so that a lookup is one
// longest match and one bit, however many patterns there are.

import { prefixMask } from '../lib/ip-words.ts';
import { PrefixTrie } from '../lib/prefix-trie.ts';
import type { SetElementType, SetType } from './ast.ts';
import type { PrefixPatterns } from './prefix-patterns.ts';

/** Words a member has. */
const ELEMENT_WORDS: Readonly<Record<string, number>> = { rd: 2, ec: 2, lc: 3, ip: 4 };

/** A range of members, both ends inclusive, each in the words of its type. */
export interface WordRange {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** `[ ]` */
export class EmptySet {
  readonly kind = 'set';
  readonly type = 'empty set';
}

export class RangeSet {
  readonly kind = 'set';
  readonly type: SetType;
  readonly element: SetElementType;
  /** Words a member. */
  readonly stride: number;
  readonly count: number;
  /** `count * stride` words each, in order of the lows. */
  readonly lows: Uint32Array;
  readonly highs: Uint32Array;
  /** Which of the given ranges each sorted one was. */
  readonly order: readonly number[];
  /** Members of other types than the first, which nothing matches. */
  readonly others: readonly RangeSet[];
  readonly #lead: number;

  /** `lead`: entries below all others that count where the middle is sought: the `else` of a 1.6 case. */
  constructor(
    element: SetElementType,
    ranges: readonly WordRange[],
    others: readonly RangeSet[] = [],
    lead = 0,
  ) {
    const stride = ELEMENT_WORDS[element] ?? 1;
    const sorted = ranges
      .map((range, order) => ({ ...range, order }))
      .sort((a, b) => compareWords(a.low, b.low) || a.order - b.order);
    this.type = `${element} set`;
    this.element = element;
    this.stride = stride;
    this.count = sorted.length;
    this.lows = Uint32Array.from(sorted.flatMap((range) => range.low));
    this.highs = Uint32Array.from(sorted.flatMap((range) => range.high));
    this.order = sorted.map((range) => range.order);
    this.others = others;
    this.#lead = lead;
  }

  /** Whether the member of this set's own type is in it; words beyond the stride are not looked at. */
  has(w0: number, w1 = 0, w2 = 0, w3 = 0): boolean {
    return this.find(w0, w1, w2, w3) >= 0;
  }

  /** Index of the range that holds the member, or -1. */
  find(w0: number, w1 = 0, w2 = 0, w3 = 0): number {
    let from = -this.#lead;
    let to = this.count;
    while (from < to) {
      const middle = from + ((to - from) >>> 1);
      if (middle < 0) {
        from = middle + 1;
        continue;
      }
      const low = this.#compare(this.lows, middle, w0, w1, w2, w3);
      if (low <= 0 && this.#compare(this.highs, middle, w0, w1, w2, w3) >= 0) return middle;
      if (low >= 0) to = middle;
      else from = middle + 1;
    }
    return -1;
  }

  /** The set where its members have this type: what the first of them is says what the set is of. */
  part(element: SetElementType): RangeSet | undefined {
    return this.element === element ? this : undefined;
  }

  equals(other: RangeSet): boolean {
    return (
      this.type === other.type &&
      this.count === other.count &&
      this.lows.every((word, i) => word === other.lows[i]) &&
      this.highs.every((word, i) => word === other.highs[i]) &&
      this.others.length === other.others.length &&
      this.others.every((part, i) => part.equals(other.others[i]!))
    );
  }

  #compare(words: Uint32Array, index: number, w0: number, w1: number, w2: number, w3: number): number {
    const { stride } = this;
    const at = index * stride;
    const first = words[at]!;
    if (first !== w0) return first < w0 ? -1 : 1;
    if (stride === 1) return 0;
    if (words[at + 1] !== w1) return words[at + 1]! < w1 ? -1 : 1;
    if (stride === 2) return 0;
    if (words[at + 2] !== w2) return words[at + 2]! < w2 ? -1 : 1;
    if (stride === 3 || words[at + 3] === w3) return 0;
    return words[at + 3]! < w3 ? -1 : 1;
  }
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return 0;
}

/** A prefix with all lengths that patterns gave it. */
export interface PrefixEntry {
  readonly words: Int32Array;
  readonly bits: number;
  readonly lengths: Set<number>;
}

function unsigned(words: Int32Array): number[] {
  return Array.from(words, (word) => word >>> 0);
}

/** Lengths 0..128 as bits of 5 words. */
const MASK_WORDS = 5;

export class PrefixSet {
  readonly kind = 'set';
  readonly type = 'prefix set';
  /** Words a prefix: 1 (IPv4) or 4 (IPv6). */
  readonly stride: 1 | 4;
  readonly #trie: PrefixTrie;
  /** MASK_WORDS for each node: lengths it accepts, its own and those of all above it. */
  readonly #inherited: Uint32Array;
  readonly #patterns: PrefixPatterns;

  constructor(patterns: PrefixPatterns) {
    this.stride = patterns.stride;
    this.#trie = new PrefixTrie(this.stride);
    this.#patterns = patterns;
    const nodes = new NodeList();
    for (let i = 0; i < patterns.count; i++) {
      this.#add(patterns.words(i), patterns.length(i), patterns.low(i), patterns.high(i), nodes);
    }
    this.#inherited = Uint32Array.from(nodes.own);
    this.#inherit(nodes);
  }

  /** Whether the prefix is in the set. */
  has(words: ArrayLike<number>, bits: number, stride: number): boolean {
    if (stride !== this.stride) return false;
    const node = this.#trie.longest(words, bits);
    if (node < 0) return false;
    return ((this.#inherited[node * MASK_WORDS + (bits >>> 5)]! >>> (bits & 31)) & 1) !== 0;
  }

  /** Each prefix with the lengths it was given, in ascending order. */
  entries(): readonly PrefixEntry[] {
    const entries = new Map<string, PrefixEntry>();
    const patterns = this.#patterns;
    for (let i = 0; i < patterns.count; i++) {
      const words = patterns.words(i);
      const bits = patterns.length(i);
      const key = `${words.join()}/${bits}`;
      const entry = entries.get(key) ?? { words, bits, lengths: new Set<number>() };
      entries.set(key, entry);
      for (let length = patterns.low(i); length <= patterns.high(i); length++) entry.lengths.add(length);
    }
    return [...entries.values()].sort(
      (a, b) => compareWords(unsigned(a.words), unsigned(b.words)) || a.bits - b.bits,
    );
  }

  equals(other: PrefixSet): boolean {
    const a = this.entries();
    const b = other.entries();
    return (
      other.stride === this.stride &&
      a.length === b.length &&
      a.every((entry, i) => {
        const twin = b[i]!;
        const sameWords = entry.words.every((word, at) => word === twin.words[at]);
        return (
          entry.bits === twin.bits &&
          sameWords &&
          entry.lengths.size === twin.lengths.size &&
          [...entry.lengths].every((length) => twin.lengths.has(length))
        );
      })
    );
  }

  #add(words: Int32Array, length: number, low: number, high: number, nodes: NodeList): void {
    // Longer ones lie below the prefix itself, each shorter one is a prefix of its own.
    if (high >= length) this.#accept(words, length, Math.max(low, length), high, nodes);
    for (let bits = low; bits < Math.min(length, high + 1); bits++) {
      this.#accept(cut(words, bits), bits, bits, bits, nodes);
    }
  }

  #accept(words: Int32Array, bits: number, low: number, high: number, nodes: NodeList): void {
    let node = this.#trie.get(words, bits);
    if (node < 0) {
      node = nodes.add(words, bits);
      this.#trie.set(words, bits, node);
    }
    nodes.accept(node, low, high);
  }

  #inherit(nodes: NodeList): void {
    const words = new Int32Array(this.stride);
    for (const [node, bits] of nodes.bits.entries()) {
      for (let i = 0; i < this.stride; i++) words[i] = nodes.words[node * this.stride + i]!;
      this.#trie.covering(words, bits, (above) => {
        for (let i = 0; i < MASK_WORDS; i++) {
          this.#inherited[node * MASK_WORDS + i]! |= nodes.own[above * MASK_WORDS + i]!;
        }
      });
    }
  }
}

/** The trie's nodes while a set is made. */
class NodeList {
  readonly words: number[] = [];
  readonly bits: number[] = [];
  /** MASK_WORDS for each node. */
  readonly own: number[] = [];

  add(words: Int32Array, bits: number): number {
    for (const word of words) this.words.push(word);
    for (let i = 0; i < MASK_WORDS; i++) this.own.push(0);
    return this.bits.push(bits) - 1;
  }

  accept(node: number, low: number, high: number): void {
    for (let length = low; length <= high; length++) {
      const at = node * MASK_WORDS + (length >>> 5);
      this.own[at] = (this.own[at]! | (1 << (length & 31))) >>> 0;
    }
  }
}

/** The first `bits` bits. */
function cut(words: ArrayLike<number>, bits: number): Int32Array {
  const out = new Int32Array(words.length);
  for (let i = 0; i < out.length; i++) out[i] = words[i]! & prefixMask(bits, i);
  return out;
}
