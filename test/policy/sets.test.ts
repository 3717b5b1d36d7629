// Sets and masks against models that could not be simpler.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSegments } from '../../src/bgp/wire/as-path.ts';
import { maskBytes } from '../../src/lib/ip.ts';
import { toWords } from '../../src/lib/prefix-trie.ts';
import type { PrefixForm } from '../../src/policy/ast.ts';
import { globMatches } from '../../src/policy/operators.ts';
import { type MaskStep, PathMask } from '../../src/policy/path-mask.ts';
import { PrefixPatterns } from '../../src/policy/prefix-patterns.ts';
import { PrefixSet, RangeSet } from '../../src/policy/sets.ts';

const SIZE = 32;

interface PrefixPattern {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly form: PrefixForm;
}

/** Few different bits, so that prefixes lie in each other. */
const address = fc
  .tuple(fc.constantFrom(10, 11, 128), fc.constantFrom(0, 1, 128), fc.constantFrom(0, 64), fc.constant(0))
  .map((octets) => Uint8Array.from(octets));
const length = fc.integer({ min: 0, max: SIZE });
const form: fc.Arbitrary<PrefixForm> = fc.oneof(
  fc.constantFrom<PrefixForm>({ kind: 'exact' }, { kind: 'longer' }, { kind: 'shorter' }),
  fc
    .tuple(length, length)
    .map(([a, b]): PrefixForm => ({ kind: 'range', low: Math.min(a, b), high: Math.max(a, b) })),
);
const pattern: fc.Arbitrary<PrefixPattern> = fc
  .tuple(address, length, form)
  .map(([bytes, bits, shape]) => ({ bytes: maskBytes(bytes, bits), length: bits, form: shape }));

function lengths({ form: shape, length: bits }: PrefixPattern): [number, number] {
  if (shape.kind === 'range') return [shape.low, shape.high];
  return [shape.kind === 'shorter' ? 0 : bits, shape.kind === 'longer' ? SIZE : bits];
}

function setOf(given: readonly PrefixPattern[]): PrefixSet {
  const patterns = new PrefixPatterns(1);
  for (const each of given) patterns.add(toWords(each.bytes), each.length, ...lengths(each));
  return new PrefixSet(patterns);
}

/** A prefix fits a pattern when its length does and they agree in the bits both have. */
function fits(given: PrefixPattern, bytes: Uint8Array, bits: number): boolean {
  const [low, high] = lengths(given);
  if (bits < low || bits > high) return false;
  const common = Math.min(bits, given.length);
  return maskBytes(bytes, common).every((octet, i) => octet === maskBytes(given.bytes, common)[i]);
}

describe('prefix sets', () => {
  it('hold what any of their patterns holds', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(address, length), { minLength: 20, maxLength: 20 }),
        (patterns, tries) => {
          const set = setOf(patterns);
          for (const [bytes, bits] of [
            ...tries,
            ...patterns.map((given) => [given.bytes, given.length] as const),
          ]) {
            const masked = maskBytes(bytes, bits);
            expect(set.has(toWords(masked), bits, 1)).toBe(
              patterns.some((given) => fits(given, masked, bits)),
            );
          }
        },
      ),
    );
  });

  it('equal sets of the same patterns in another order', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 6 }), (patterns) => {
        expect(setOf(patterns).equals(setOf([...patterns].reverse()))).toBe(true);
      }),
    );
  });
});

describe('range sets', () => {
  it('hold what lies in any of ranges that do not overlap', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(cuts, (numbers) => {
        const sorted = [...numbers].sort((a, b) => a - b);
        const ranges = sorted.flatMap((low, i) =>
          i % 2 === 0 && i + 1 < sorted.length ? [{ low: [low], high: [sorted[i + 1]!] }] : [],
        );
        const set = new RangeSet('int', [...ranges].reverse());
        for (let value = 0; value <= 61; value++) {
          expect(set.has(value)).toBe(ranges.some(({ low, high }) => low[0]! <= value && value <= high[0]!));
        }
      }),
    );
  });

  it('compare members of several words as wholes', () => {
    const set = new RangeSet('lc', [
      { low: [1, 2, 0], high: [1, 2, 0xffffffff] },
      { low: [7, 0, 0], high: [9, 5, 5] },
    ]);
    expect([set.has(1, 2, 3), set.has(1, 3, 0), set.has(8, 9, 9), set.has(9, 5, 6)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

const as = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<MaskStep> = fc.oneof(
  fc.constantFrom<MaskStep>({ kind: 'one' }, { kind: 'any' }),
  as.map((number): MaskStep => ({ kind: 'range', low: number, high: number })),
  fc.tuple(as, as).map(([low, high]): MaskStep => ({ kind: 'range', low, high })),
  as.map(
    (number): MaskStep => ({ kind: 'set', set: new RangeSet('int', [{ low: [number], high: [number] }]) }),
  ),
);

/** Row by row: whether the first `at` elements, each the ASes it may be, are what the first steps match. */
function naive(
  steps: readonly MaskStep[],
  repeats: readonly boolean[],
  path: readonly (readonly number[])[],
): boolean {
  const hits = (step: MaskStep, element: readonly number[]): boolean => {
    if (step.kind === 'range') return element.some((number) => step.low <= number && number <= step.high);
    return step.kind !== 'set' || element.some((number) => step.set?.has(number));
  };
  // reach[at]: the steps so far can have used up `at` elements.
  let reach = path.map(() => false);
  reach.unshift(true);
  for (const [i, step] of steps.entries()) {
    const next = reach.map(() => false);
    for (let at = 0; at <= path.length; at++) {
      if (step.kind === 'any') next[at] = reach[at] === true || next[at - 1] === true;
      else if (at > 0 && hits(step, path[at - 1]!)) {
        next[at] = reach[at - 1] === true || (repeats[i] === true && next[at - 1] === true);
      }
    }
    reach = next;
  }
  return reach[path.length] === true;
}

describe('path masks', () => {
  const segment = fc
    .tuple(fc.constantFrom(1, 2), fc.array(as, { minLength: 1, maxLength: 4 }))
    .map(([type, ases]) => ({ type, ases }));

  it.each([
    { name: 'short', min: 0, max: 6 },
    { name: 'longer than a word', min: 31, max: 34 },
  ])('match as filling a table does: $name', ({ min, max }) => {
    const steps = fc.array(fc.tuple(step, fc.boolean()), { minLength: min, maxLength: max });
    fc.assert(
      fc.property(steps, fc.array(segment, { maxLength: min === 0 ? 3 : 14 }), (given, path) => {
        const only = given.map(([one]) => one);
        // A repeated `*` is a `*`.
        const repeats = given.map(([one, again]) => again && one.kind !== 'any');
        const bytes = encodeSegments(path);
        const elements = path.flatMap(({ type, ases }) =>
          type === 1 ? [ases] : ases.map((number) => [number]),
        );
        const mask = new PathMask(only, repeats, '');
        expect(mask.matches(bytes, 0, bytes.length)).toBe(naive(only, repeats, elements));
      }),
      { numRuns: 300 },
    );
  });
});

describe('patterns of strings', () => {
  it('match as the regular expression of the same meaning does', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 })
      .map((chars) => chars.join(''));
    fc.assert(
      fc.property(text, text, (glob, given) => {
        const meaning = glob.replaceAll('*', '.*').replaceAll('?', '.');
        expect(globMatches(glob, given)).toBe(new RegExp(`^${meaning}$`).test(given));
      }),
    );
  });
});
