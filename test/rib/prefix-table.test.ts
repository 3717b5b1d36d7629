import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { PREFIX_FIELD, PrefixTable } from '../../src/rib/prefix-table.ts';

interface Key {
  readonly words: Int32Array;
  readonly bits: number;
}

/** Few distinct prefixes that share words and lengths, so that they meet again and again. */
function keys(family: Family): fc.Arbitrary<Key> {
  const word = fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(-1, 0x0a000000, 0x80000000 | 0), fc.integer());
  return fc
    .tuple(
      fc.array(word, { minLength: family.words, maxLength: family.words }),
      fc.oneof(fc.constantFrom(0, 24, 32), fc.nat({ max: family.maxBits })),
    )
    .map(([words, bits]) => ({ words: Int32Array.from(words), bits }));
}

const textOf = ({ words, bits }: Key): string => `${words.join()}/${bits}`;

/** What the table should hold: text -> id and holders. */
class Model {
  readonly byText = new Map<string, { id: number; uses: number; key: Key }>();
}

function find(table: PrefixTable, key: Key): number {
  // Not at offset 0, as inside a batch.
  const words = new Int32Array(key.words.length * 3);
  words.set(key.words, key.words.length);
  return table.find(words, key.words.length, key.bits);
}

function intern(table: PrefixTable, model: Model, key: Key): void {
  const words = new Int32Array(key.words.length * 3);
  words.set(key.words, key.words.length);
  const id = table.intern(words, key.words.length, key.bits);
  const known = model.byText.get(textOf(key));
  if (known === undefined) {
    expect([...model.byText.values()].some((entry) => entry.id === id)).toBe(false);
    expect(table.inUse(id)).toBe(false);
    model.byText.set(textOf(key), { id, uses: 1, key });
  } else {
    expect(id).toBe(known.id);
    known.uses++;
  }
  table.hold(id);
}

function release(table: PrefixTable, model: Model, text: string): void {
  const entry = model.byText.get(text);
  if (entry === undefined) return;
  table.release(entry.id);
  if (--entry.uses === 0) model.byText.delete(text);
}

function agree(table: PrefixTable, model: Model): void {
  expect(table.size).toBe(model.byText.size);
  for (const { id, key } of model.byText.values()) {
    expect(find(table, key)).toBe(id);
    expect(table.inUse(id)).toBe(true);
    expect(id).toBeLessThan(table.limit);
    const at = table.wordsAt(id);
    expect([...table.records.subarray(at, at + table.family.words)]).toEqual([...key.words]);
    expect(table.bits(id)).toBe(key.bits);
  }
}

describe.each([IPV4_UNICAST, IPV6_UNICAST])('PrefixTable of $name', (family) => {
  it('does what a Map with holders does', () => {
    const step = fc.record({
      key: keys(family),
      do: fc.constantFrom('intern', 'intern', 'release', 'find', 'compact'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const table = new PrefixTable(family, 8);
        const model = new Model();
        for (const { key, do: what } of steps) {
          if (what === 'intern') intern(table, model, key);
          else if (what === 'release') release(table, model, textOf(key));
          else if (what === 'compact') table.compact();
          else expect(find(table, key)).toBe(model.byText.get(textOf(key))?.id ?? 0);
        }
        agree(table, model);
      }),
      { numRuns: 50 },
    );
  });

  it('answers batches as it answers one prefix after the other, also where one stands in a batch twice', () => {
    const batches = fc.array(fc.array(keys(family), { minLength: 1, maxLength: 80 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(batches, fc.nat({ max: 3 }), (each, spacer) => {
        const batched = new PrefixTable(family, 8);
        const single = new PrefixTable(family, 8);
        // Then all again, as it came and otherwise: prefixes are looked for beside those before them.
        for (const batch of [...each, each.flat(), each.flat().reverse(), ...each]) {
          // Not at the beginning of its columns, as behind what was withdrawn.
          const words = Int32Array.from([
            ...new Array<number>(spacer * family.words).fill(7),
            ...batch.flatMap((key) => [...key.words]),
          ]);
          const lengths = Uint8Array.from([
            ...new Array<number>(spacer).fill(1),
            ...batch.map((key) => key.bits),
          ]);
          const range = [{ words, lengths }, spacer, spacer + batch.length] as const;
          const known = batch.map((key) => find(single, key));
          expect([...batched.findAll(...range).subarray(0, batch.length)]).toEqual(known);
          const ids = [...batched.internAll(...range).subarray(0, batch.length)];
          expect(ids).toEqual(batch.map((key) => single.intern(key.words, 0, key.bits)));
          // Every other stays idle: it is found when it comes again, and nobody has it until then.
          for (const [i, id] of ids.entries()) {
            if (i % 2 === 1) continue;
            batched.hold(id);
            single.hold(id);
          }
        }
      }),
    );
  });

  it('keeps every chain whole while it grows, is thinned out in any order, and shrinks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fffffff }), (seed) => {
        const table = new PrefixTable(family);
        const ids = new Map<number, number>();
        const words = new Int32Array(family.words);
        const idOf = (i: number, how: 'find' | 'intern') => {
          words[family.words - 1] = Math.imul(i, seed | 1);
          return table[how](words, 0, family.maxBits);
        };
        const count = 20_000;
        for (let i = 0; i < count; i++) {
          const id = idOf(i, 'intern');
          table.hold(id);
          ids.set(i, id);
        }
        expect(new Set(ids.values()).size).toBe(count);
        // Removes in three waves; after each, all that is left must be found and nothing else.
        for (const keep of [2, 7, 1000]) {
          for (const [i, id] of ids) {
            if (i % keep === 0) continue;
            table.release(id);
            ids.delete(i);
          }
          for (let i = 0; i < count; i++) {
            if (idOf(i, 'find') !== (ids.get(i) ?? 0)) expect({ keep, i }).toBeUndefined();
          }
          expect(table.size).toBe(ids.size);
        }
        // Freed ids are used again before new ones.
        for (let i = 0; i < count; i++) if (!ids.has(i)) table.hold(idOf(i, 'intern'));
        expect(table.limit).toBe(count + 1);
        expect(table.size).toBe(count);
      }),
      { numRuns: 3 },
    );
  });
});

/** Distinct prefixes, each held once. */
function fill(table: PrefixTable, count: number): number[] {
  const words = new Int32Array(1);
  return Array.from({ length: count }, (_, i) => {
    words[0] = i << 8;
    const id = table.intern(words, 0, 24);
    table.hold(id);
    return id;
  });
}

describe('PrefixTable', () => {
  it('holds more ids than its first columns', () => {
    const table = new PrefixTable(IPV4_UNICAST);
    const words = new Int32Array(1);
    for (let i = 0; i < 70_000; i++) {
      words[0] = i << 8;
      table.hold(table.intern(words, 0, 24));
    }
    words[0] = 69_999 << 8;
    expect(table.format(table.find(words, 0, 24))).toBe('1.17.111.0/24');
  });

  it('has nothing at an id that is free, for those who walk all of them', () => {
    const table = new PrefixTable(IPV4_UNICAST, 16);
    const ids = fill(table, 20_000);
    for (const id of ids.slice(0, -1)) table.release(id);
    const free = ids.filter((id) => !table.inUse(id));
    expect(free.length).toBe(19_999);
    expect(free.filter((id) => table.records[id * table.stride + PREFIX_FIELD.firstRow] !== 0)).toEqual([]);
  });

  it('lets go of what nobody holds rather than take more room', () => {
    const rows = 16_000;
    const table = new PrefixTable(IPV4_UNICAST, rows);
    const kept = fill(table, rows / 2);
    const words = new Int32Array(1);
    for (let i = 0; i < 5 * rows; i++) {
      words[0] = (rows + i) << 8;
      const id = table.intern(words, 0, 24);
      table.hold(id);
      table.release(id);
    }
    expect([table.size, table.room]).toEqual([kept.length, rows]);
    expect(kept.every((id) => table.inUse(id))).toBe(true);
  });

  it('gives back the room behind the last prefix in use', () => {
    const table = new PrefixTable(IPV4_UNICAST, 16);
    const ids = fill(table, 1000);
    for (const id of ids.slice(100)) table.release(id);
    table.compact();
    expect([table.size, table.limit, table.records.length]).toEqual([100, 101, 101 * table.stride]);
    expect(table.format(ids[99]!)).toBe('0.0.99.0/24');
    for (const id of ids.slice(0, 100)) table.release(id);
    table.compact();
    expect(table.records.length).toBe(16 * table.stride);
  });

  it('lets one prefix be held by more than 65535', () => {
    const table = new PrefixTable(IPV4_UNICAST);
    const id = table.intern(Int32Array.of(0x0a000000), 0, 8);
    const holders = 70_000;
    for (let i = 0; i < holders; i++) table.hold(id);
    for (let i = 1; i < holders; i++) table.release(id);
    expect(table.inUse(id)).toBe(true);
    table.release(id);
    expect([table.inUse(id), table.size]).toEqual([false, 0]);
  });

  it('writes prefixes as people do', () => {
    const four = new PrefixTable(IPV4_UNICAST);
    expect(four.format(four.intern(Int32Array.of(0xc0000200 | 0), 0, 24))).toBe('192.0.2.0/24');
    const six = new PrefixTable(IPV6_UNICAST);
    expect(six.format(six.intern(Int32Array.of(0x20010db8, 0, 0, 0), 0, 32))).toBe('2001:db8::/32');
  });
});
