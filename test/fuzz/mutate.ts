// Changes to valid input: octets, and words of a language. What comes out is nearly right, which is where parsers err.

import type { Random } from '../../src/lib/clock.ts';
import { drawInteger, drawOne, drawTrue } from '../../src/sim/random.ts';

/** Values at which lengths and numbers turn over. */
const EDGES = [0, 1, 2, 3, 4, 5, 16, 17, 18, 19, 0x7f, 0x80, 0xfe, 0xff] as const;
const MOST_CHANGES = 4;
const LONGEST_INSERT = 40;
const LONGEST_TEXT = 20_000;

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function drawBytes(random: Random, most: number): Uint8Array {
  return Uint8Array.from({ length: drawInteger(random, 0, most) }, () => drawInteger(random, 0, 255));
}

/** One to a few changes of octets: flipped, set, put in, cut out, doubled, taken from `other`. */
export function mutateBytes(random: Random, input: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes = input;
  for (let count = drawInteger(random, 1, MOST_CHANGES); count > 0; count--) {
    bytes = drawOne(random, BYTE_CHANGES)(random, bytes, other);
  }
  return bytes;
}

type ByteChange = (random: Random, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

const BYTE_CHANGES: readonly ByteChange[] = [
  (random, bytes) =>
    set(bytes, drawInteger(random, 0, bytes.length), (old) => old ^ (1 << drawInteger(random, 0, 7))),
  (random, bytes) => set(bytes, drawInteger(random, 0, bytes.length), () => drawOne(random, EDGES)),
  (random, bytes) =>
    set(bytes, drawInteger(random, 0, bytes.length), (old) => old + drawOne(random, [-1, 1])),
  (random, bytes) => {
    const at = drawInteger(random, 0, bytes.length);
    return join(bytes.subarray(0, at), drawBytes(random, LONGEST_INSERT), bytes.subarray(at));
  },
  (random, bytes) => {
    const [from, to] = drawRange(random, bytes.length);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  (random, bytes) => {
    const [from, to] = drawRange(random, bytes.length);
    return join(bytes.subarray(0, to), bytes.subarray(from));
  },
  (random, bytes, other) => {
    const [from, to] = drawRange(random, other.length);
    const at = drawInteger(random, 0, bytes.length);
    return join(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at));
  },
];

function set(bytes: Uint8Array, at: number, change: (old: number) => number): Uint8Array {
  if (at >= bytes.length) return bytes;
  const changed = bytes.slice();
  changed[at] = change(changed[at]!);
  return changed;
}

function drawRange(random: Random, length: number): [number, number] {
  const from = drawInteger(random, 0, length);
  return [from, drawInteger(random, from, Math.min(length, from + LONGEST_INSERT))];
}

/** Words, numbers, marks and the space between them. */
const TOKEN = /[\p{L}_][\p{L}\p{N}_-]*|\p{N}+|\s+|[^\p{L}\p{N}\s]/gu;
const ODD_WORDS = [
  '0',
  '-1',
  '4294967295',
  '4294967296',
  '99999999999999999999',
  '""',
  '"',
  "'",
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ';',
  ':',
  ',',
  '#',
  '/*',
  '*/',
  '\n',
  '\t',
  '\u0000',
  '\u202e',
  'é',
  '10.0.0.0/8',
  '10.0.0.1',
  '::/0',
  'fe80::1%eth0',
  '1.2.3.4.5',
  '10.0.0.0/33',
  'null',
  'true',
  '&a',
  '*a',
  '!!js',
  '|',
  '>',
  '- ',
  '? ',
] as const;

/** One to a few changes of words: left out, doubled, swapped, taken from `other`, or something odd in their place. */
export function mutateText(random: Random, input: string, other: string): string {
  const tokens = input.match(TOKEN) ?? [];
  const others = other.match(TOKEN) ?? [''];
  for (let count = drawInteger(random, 1, MOST_CHANGES); count > 0; count--) {
    const at = drawInteger(random, 0, tokens.length);
    const span = drawTrue(random, 0.8) ? 1 : drawInteger(random, 1, LONGEST_INSERT);
    drawOne(random, [
      () => tokens.splice(at, span),
      () => tokens.splice(at, 0, ...tokens.slice(at, at + span)),
      () => tokens.splice(at, 1, drawOne(random, ODD_WORDS)),
      () => tokens.splice(at, 0, drawOne(random, ODD_WORDS)),
      () => {
        const from = drawInteger(random, 0, others.length - 1);
        tokens.splice(at, drawTrue(random) ? 1 : 0, ...others.slice(from, from + span));
      },
      () => {
        const to = drawInteger(random, 0, tokens.length);
        const [moved] = tokens.splice(at, 1);
        if (moved !== undefined) tokens.splice(to, 0, moved);
      },
    ])();
  }
  return tokens.join('').slice(0, LONGEST_TEXT);
}
