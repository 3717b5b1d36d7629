import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AspaTable } from '../../src/policy/aspa-table.ts';
import { ROA } from '../../src/policy/route-access.ts';

/** AS_PATH, the nearest AS first, as it is written. */
function path(...asns: number[]): Uint8Array {
  if (asns.length === 0) return new Uint8Array(0);
  return Uint8Array.of(
    2,
    asns.length,
    ...asns.flatMap((asn) => [asn >>> 24, (asn >> 16) & 255, (asn >> 8) & 255, asn & 255]),
  );
}

function tableOf(authorizations: Readonly<Record<number, readonly number[]>>): AspaTable {
  const table = new AspaTable();
  table.replace(
    1,
    new Map(
      Object.entries(authorizations).map(([customer, providers]) => [
        Number(customer),
        Uint32Array.from(providers),
      ]),
    ),
  );
  return table;
}

describe('paths from customers and peers', () => {
  const table = tableOf({ 1: [2], 2: [3, 4] });

  it('go up all the way', () => {
    expect(table.check(path(3, 2, 1), true)).toBe(ROA.valid);
    expect(table.check(path(3, 3, 2, 1, 1), true)).toBe(ROA.valid);
    expect(table.check(path(5, 2, 1), true)).toBe(ROA.invalid);
    expect(table.check(path(9, 3, 2, 1), true)).toBe(ROA.unknown);
    expect(table.check(path(9), true)).toBe(ROA.valid);
  });

  it('are invalid where there is no path, or a set', () => {
    expect(table.check(path(), true)).toBe(ROA.invalid);
    expect(table.check(Uint8Array.of(1, 1, 0, 0, 0, 2, ...path(1)), true)).toBe(ROA.invalid);
  });

  it('have their confederation passed over', () => {
    expect(table.check(Uint8Array.of(3, 1, 0, 0, 253, 0, ...path(3, 2, 1)), true)).toBe(ROA.valid);
  });
});

describe('paths from providers', () => {
  // 1 and 7 at the edges, 3 and 5 at the top.
  const table = tableOf({ 1: [2], 2: [3], 7: [6], 6: [5], 3: [], 5: [] });

  it('go up, aside once, and down', () => {
    expect(table.check(path(7, 6, 5, 3, 2, 1), false)).toBe(ROA.valid);
    expect(table.check(path(6, 5, 3, 2, 1), false)).toBe(ROA.valid);
    expect(table.check(path(8, 9), false)).toBe(ROA.valid);
  });

  it('are leaks where they go up again', () => {
    // 2 is no provider of 3: from 3 down to 2 and up to 5 again.
    expect(table.check(path(6, 5, 2, 3, 1), false)).toBe(ROA.invalid);
    expect(tableOf({ 4: [8], 3: [9] }).check(path(1, 2, 3, 4, 5, 6), false)).toBe(ROA.unknown);
  });

  it('are unknown where somebody is silent', () => {
    expect(tableOf({ 1: [2] }).check(path(7, 6, 5, 3, 2, 1), false)).toBe(ROA.unknown);
    expect(tableOf({}).check(path(3, 2, 1), false)).toBe(ROA.unknown);
  });
});

describe('several sources', () => {
  it('add up', () => {
    const table = tableOf({ 1: [2] });
    table.replace(2, new Map([[1, Uint32Array.of(3)]]));
    expect(table.check(path(3, 1), true)).toBe(ROA.valid);
    table.replace(2, new Map());
    expect(table.check(path(3, 1), true)).toBe(ROA.invalid);
  });
});

/** The draft's own words: ramps by indices. */
function byTheBook(table: AspaTable, origin: readonly number[], upstream: boolean): number {
  const hop = (from: number, to: number): number => table.check(path(to, from), true);
  const n = origin.length;
  const hops = origin.slice(1).map((asn, i) => hop(origin[i]!, asn));
  if (upstream)
    return hops.includes(ROA.invalid) ? ROA.invalid : hops.includes(ROA.unknown) ? ROA.unknown : ROA.valid;
  if (n <= 2) return ROA.valid;
  const downs = origin.slice(1).map((asn, i) => hop(asn, origin[i]!));
  const first = (states: readonly number[], ...stops: number[]): number => {
    const at = states.findIndex((state) => stops.includes(state));
    return at < 0 ? n : at + 1;
  };
  const ups = (...stops: number[]) => first(hops, ...stops);
  const ramps = (...stops: number[]) => first([...downs].reverse(), ...stops);
  if (ups(ROA.invalid) + ramps(ROA.invalid) < n) return ROA.invalid;
  return ups(ROA.invalid, ROA.unknown) + ramps(ROA.invalid, ROA.unknown) < n ? ROA.unknown : ROA.valid;
}

describe('any path', () => {
  it('is judged as the draft says', () => {
    const asn = fc.integer({ min: 1, max: 6 });
    const authorizations = fc.dictionary(
      fc.constantFrom('1', '2', '3', '4'),
      fc.uniqueArray(asn, { maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        authorizations,
        fc.array(asn, { minLength: 1, maxLength: 7 }),
        fc.boolean(),
        (said, asns, up) => {
          const table = tableOf(
            Object.fromEntries(Object.entries(said).map(([key, list]) => [key, list.sort()])),
          );
          const origin = asns.filter((each, i) => each !== asns[i - 1]);
          expect(table.check(path(...[...asns].reverse()), up)).toBe(byTheBook(table, origin, up));
        },
      ),
    );
  });
});
