import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROA } from '../../src/policy/route-access.ts';
import { VRP_CHANGE, VrpSet } from '../../src/policy/vrp-set.ts';

interface Entry {
  readonly words: readonly number[];
  readonly bits: number;
  readonly maxLength: number;
  readonly asn: number;
  readonly source: number;
}

const STRIDES = [1, 4] as const;

/** Few addresses, lengths and ASes, so that records meet. */
function entryOf(stride: 1 | 4): fc.Arbitrary<Entry> {
  const width = stride * 32;
  return fc
    .record({
      seed: fc.integer({ min: 0, max: 15 }),
      bits: fc.constantFrom(0, 1, 2, 3, 4, 16, 17, 31, 32, width - 1, width),
      more: fc.integer({ min: 0, max: 3 }),
      asn: fc.constantFrom(0, 1, 2, 0xffff_ffff),
      source: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ seed, bits, more, asn, source }) => ({
      words: cut(
        [...Array(stride).keys()].map((i) => (seed * 0x1234_5671 + i * seed) | 0),
        bits,
      ),
      bits,
      maxLength: Math.min(width, bits + more),
      asn,
      source,
    }));
}

function cut(words: readonly number[], bits: number): number[] {
  return words.map((value, i) => {
    const kept = bits - i * 32;
    return kept >= 32 ? value : kept <= 0 ? 0 : value & (-1 << (32 - kept));
  });
}

function keyOf({ words, bits, maxLength, asn }: Entry): string {
  return [...words, bits, maxLength, asn].join(' ');
}

describe('a set of VRPs', () => {
  it.each(STRIDES)('with %i words says what a list of them says', (stride) => {
    const entry = entryOf(stride);
    const step = fc.record({ add: fc.boolean(), entry });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(entry, { minLength: 1 }), (steps, asked) => {
        const set = new VrpSet(stride);
        const model = new Map<string, { entry: Entry; sources: Set<number> }>();
        for (const { add, entry: each } of steps) {
          const { words, bits, maxLength, asn, source } = each;
          const known = model.get(keyOf(each));
          const had = known?.sources.has(source) === true;
          const change = set[add ? 'add' : 'remove'](words, 0, bits, maxLength, asn, source);
          if (add && known === undefined) model.set(keyOf(each), { entry: each, sources: new Set([source]) });
          else if (add) known?.sources.add(source);
          else if (had && known.sources.size === 1) model.delete(keyOf(each));
          else known?.sources.delete(source);
          const changes = had !== add;
          const visible = changes && (add ? known === undefined : !model.has(keyOf(each)));
          expect(change).toBe(visible ? VRP_CHANGE.visible : changes ? VRP_CHANGE.hidden : VRP_CHANGE.none);
        }
        const entries = [...model.values()].map((each) => each.entry);
        expect(set.size).toBe(entries.length);
        for (const source of [0, 1, 2]) {
          expect(set.countOf(source)).toBe(
            [...model.values()].filter((each) => each.sources.has(source)).length,
          );
        }
        for (const { words, bits, asn } of asked) {
          const covering = entries.filter(
            (each) => each.bits <= bits && cut(words, each.bits).join() === each.words.join(),
          );
          const valid = covering.some((each) => each.asn === asn && asn !== 0 && bits <= each.maxLength);
          expect(set.check(words, 0, bits, asn)).toBe(
            covering.length === 0 ? ROA.unknown : valid ? ROA.valid : ROA.invalid,
          );
          expect(set.covers(words, 0, bits)).toBe(covering.length > 0);
        }
      }),
    );
  });

  it.each(STRIDES)(
    'with %i words finds everything again when it is large, and nothing when it is empty',
    (stride) => {
      const set = new VrpSet(stride);
      const count = 9000;
      const words = (i: number) =>
        cut([Math.imul(i, 0x9e37_79b1), ...Array(stride - 1).fill(i)], stride * 32 - 8);
      const bits = stride * 32 - 8;
      for (let i = 0; i < count; i++) set.add(words(i), 0, bits, bits, i + 1, 1);
      let valid = 0;
      for (let i = 0; i < count; i++) if (set.check(words(i), 0, bits + 1, i + 1) === ROA.invalid) valid++;
      for (let i = 0; i < count; i++) if (set.check(words(i), 0, bits, i + 1) === ROA.valid) valid++;
      expect(valid).toBe(2 * count);
      for (let i = 0; i < count; i++) set.remove(words(i), 0, bits, bits, i + 1, 1);
      expect([set.size, set.countOf(1)]).toEqual([0, 0]);
      expect(set.check(words(1), 0, bits, 2)).toBe(ROA.unknown);
    },
  );

  it('finds prefixes that have more records than there are places for prefixes', () => {
    const set = new VrpSet(1);
    const count = 500;
    const prefixes = [0x0a000000, 0x0b000000];
    for (let i = 1; i <= count; i++) for (const word of prefixes) set.add([word], 0, 8, 8, i, 1);
    for (const word of prefixes) {
      expect(set.check([word], 0, 8, 1)).toBe(ROA.valid);
      expect(set.check([word], 0, 8, count)).toBe(ROA.valid);
      expect(set.check([word], 0, 8, count + 1)).toBe(ROA.invalid);
    }
    for (let i = count; i >= 1; i--) set.remove([prefixes[0]!], 0, 8, 8, i, 1);
    expect(set.check([prefixes[0]!], 0, 8, 1)).toBe(ROA.unknown);
    expect(set.check([prefixes[1]!], 0, 8, 1)).toBe(ROA.valid);
  });

  it('takes no notice of longest lengths where a source does not want it', () => {
    const set = new VrpSet(1);
    set.lenient = 1 << 2;
    set.add([0x0a000000], 0, 8, 8, 1, 1);
    expect(set.check([0x0a010000], 0, 16, 1)).toBe(ROA.invalid);
    expect(set.add([0x0a000000], 0, 8, 8, 1, 2)).toBe(VRP_CHANGE.visible);
    expect(set.check([0x0a010000], 0, 16, 1)).toBe(ROA.valid);
  });
});
