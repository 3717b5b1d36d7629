import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { PathStore } from '../../src/rib/path-store.ts';
import { PrefixTable } from '../../src/rib/prefix-table.ts';

const key = fc.record({
  prefixId: fc.integer({ min: 1, max: 5 }),
  peerId: fc.integer({ min: 1, max: 4 }),
  pathId: fc.constantFrom(0, 1, 0xffffffff),
});

describe('PathStore', () => {
  it('does what a map of maps does', () => {
    const step = fc.record({ key, remove: fc.boolean(), flag: fc.boolean(), compact: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const paths = new PathStore(new PrefixTable(IPV4_UNICAST), 2);
        const model = new Map<
          string,
          { row: number; key: { prefixId: number; peerId: number; pathId: number } }
        >();
        for (const { key: each, remove, flag, compact } of steps) {
          if (compact) paths.compact();
          const text = JSON.stringify(each);
          const known = model.get(text);
          expect(paths.find(each.prefixId, each.peerId, each.pathId)).toBe(known?.row ?? 0);
          if (remove && known !== undefined) {
            paths.remove(known.row);
            model.delete(text);
          } else if (!remove && known === undefined) {
            const row = paths.add(each.prefixId, each.peerId, each.pathId, 0);
            expect([paths.flags(row), paths.reject(row)]).toEqual([0, 0]);
            if (flag) {
              paths.setFlags(row, 1);
              paths.setReject(row, 3);
            }
            model.set(text, { row, key: each });
          }
        }
        expect(paths.size).toBe(model.size);
        expect(new Set([...model.values()].map(({ row }) => row)).size).toBe(model.size);
        for (const { row, key: each } of model.values()) {
          expect(row).toBeLessThan(paths.limit);
          expect([paths.prefixId(row), paths.peerId(row), paths.pathId(row)]).toEqual(Object.values(each));
        }
        for (let prefixId = 1; prefixId <= 6; prefixId++) {
          const listed: number[] = [];
          for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) listed.push(row);
          const wanted = [...model.values()].filter((entry) => entry.key.prefixId === prefixId);
          expect(listed.sort()).toEqual(wanted.map(({ row }) => row).sort());
        }
        // Rows out of use say so.
        const used = new Set([...model.values()].map(({ row }) => row));
        for (let row = 1; row < paths.limit; row++) expect(paths.prefixId(row) !== 0).toBe(used.has(row));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses to free a row twice', () => {
    const paths = new PathStore(new PrefixTable(IPV4_UNICAST), 2);
    const row = paths.add(1, 1, 0, 0);
    paths.add(1, 2, 0, 0);
    paths.remove(row);
    expect(() => paths.remove(row)).toThrow(RangeError);
    expect(paths.size).toBe(1);
  });

  it('uses freed rows again and grows beyond its first columns', () => {
    const paths = new PathStore(new PrefixTable(IPV4_UNICAST));
    const count = 70_000;
    for (let i = 1; i <= count; i++) paths.add(i, 1 + (i % 3), 0, 0);
    expect([paths.size, paths.limit]).toEqual([count, count + 1]);
    for (let i = 1; i <= count; i += 2) paths.remove(paths.find(i, 1 + (i % 3), 0));
    expect(paths.first(1)).toBe(0);
    for (let i = 1; i <= count; i += 2) paths.add(i, 9, 5, 0);
    expect(paths.limit).toBe(count + 1);
    expect(paths.find(69_999, 9, 5)).not.toBe(0);
    expect(paths.find(70_000, 1 + (70_000 % 3), 0)).not.toBe(0);
  });

  it('takes little more room than its rows need, whatever comes and goes', () => {
    const paths = new PathStore(new PrefixTable(IPV4_UNICAST), 16);
    const count = 1000;
    for (let i = 1; i <= count; i++) paths.add(i, 1, 0, 0);
    for (let i = 1; i <= 20 * count; i++) {
      const prefixId = 1 + ((i * 7) % count);
      paths.remove(paths.first(prefixId));
      paths.add(prefixId, 1, 0, 0);
    }
    expect(paths.size).toBe(count);
    expect(paths.limit).toBeLessThan(1.1 * count);
  });
});
