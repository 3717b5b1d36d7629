// Prefixes with the lengths that they stand for, packed, because there may be very many: what prefix sets are made of.
// Long lists of plain ones, as are made from routing registries, are read here at once, without a token for each number
// and bracket.

import { growInt32, growUint8 } from '../lib/columns.ts';
import { parseAddress } from '../lib/ip.ts';
import { prefixMask } from '../lib/ip-words.ts';
import { toWords } from '../lib/prefix-trie.ts';
import type { PrefixForm } from './ast.ts';

/** length, low, high */
const LENGTHS = 3;
const WORD_BITS = 32;

export class PrefixPatterns {
  /** Words a prefix: 1 (IPv4) or 4 (IPv6). */
  readonly stride: 1 | 4;
  count = 0;
  #words = new Int32Array(0);
  #lengths = new Uint8Array(0);

  constructor(stride: 1 | 4) {
    this.stride = stride;
  }

  /** `words`: big-endian, host bits zero; `low` to `high`: the lengths that it stands for. */
  add(words: ArrayLike<number>, length: number, low: number, high: number): void {
    const at = this.count++;
    this.#words = growInt32(this.#words, this.count * this.stride);
    this.#lengths = growUint8(this.#lengths, this.count * LENGTHS);
    for (let i = 0; i < this.stride; i++) this.#words[at * this.stride + i] = words[i]!;
    this.#lengths[at * LENGTHS] = length;
    this.#lengths[at * LENGTHS + 1] = low;
    this.#lengths[at * LENGTHS + 2] = high;
  }

  addAll(other: PrefixPatterns): void {
    for (let i = 0; i < other.count; i++)
      this.add(other.words(i), other.length(i), other.low(i), other.high(i));
  }

  /** A view of the words of one. */
  words(index: number): Int32Array {
    return this.#words.subarray(index * this.stride, (index + 1) * this.stride);
  }

  length(index: number): number {
    return this.#lengths[index * LENGTHS]!;
  }

  low(index: number): number {
    return this.#lengths[index * LENGTHS + 1]!;
  }

  high(index: number): number {
    return this.#lengths[index * LENGTHS + 2]!;
  }
}

/** The lengths that a prefix of `length` bits stands for, of `size` at most. */
export function lengthsOf(
  form: PrefixForm,
  length: number,
  size: number,
): readonly [low: number, high: number] {
  switch (form.kind) {
    case 'exact':
      return [length, length];
    case 'longer':
      return [length, size];
    case 'shorter':
      return [0, length];
    case 'range':
      return [form.low, form.high];
  }
}

/** Where prefixes end, and what they were. */
export interface PrefixRun {
  readonly patterns: PrefixPatterns;
  readonly end: number;
}

/** Fewer are not worth the trouble. */
const SHORTEST_RUN = 32;
const ITEM =
  /([0-9A-Fa-f.:]+)\/([0-9]{1,3})(?:([+-])|\{[ \t]*([0-9]{1,3})[ \t]*,[ \t]*([0-9]{1,3})[ \t]*\})?(?=[ \t\n]*[,\]])/y;
const SEPARATOR = /[ \t\n]*,[ \t\n]*/y;

/**
 * The members of a set from `at` on, up to the first that is no prefix of the same family as it should be written, of
 * which others find out what it is; undefined where they are few.
 */
export function scanPrefixes(text: string, at: number): PrefixRun | undefined {
  let patterns: PrefixPatterns | undefined;
  let end = at;
  for (let next = at; ; ) {
    ITEM.lastIndex = next;
    const match = ITEM.exec(text);
    const bytes = match === null ? undefined : parseAddress(match[1]!)?.bytes;
    if (match === null || bytes === undefined) break;
    patterns ??= new PrefixPatterns(bytes.length === 4 ? 1 : 4);
    if (!addItem(patterns, toWords(bytes), match)) break;
    end = ITEM.lastIndex;
    SEPARATOR.lastIndex = end;
    if (!SEPARATOR.test(text)) break;
    next = SEPARATOR.lastIndex;
  }
  return patterns === undefined || patterns.count < SHORTEST_RUN ? undefined : { patterns, end };
}

function addItem(patterns: PrefixPatterns, words: Int32Array, match: RegExpExecArray): boolean {
  const [, , bits, sign, lowest, highest] = match;
  const size = patterns.stride * WORD_BITS;
  const length = Number(bits);
  const low = lowest !== undefined ? Number(lowest) : sign === '-' ? 0 : length;
  const high = highest !== undefined ? Number(highest) : sign === '+' ? size : length;
  const fits = words.length === patterns.stride && length <= size && low <= high && high <= size;
  if (!fits || words.some((word, i) => (word & ~prefixMask(length, i)) !== 0)) return false;
  patterns.add(words, length, low, high);
  return true;
}
