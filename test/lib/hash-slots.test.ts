// The hash table's slots beside a Map: what was added is found under its hash, nothing else is, and ids of any size fit.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HashSlots, isTaken } from '../../src/lib/hash-slots.ts';

/** The ids that a look for this hash passes and that may be meant. */
function candidates({ taken, words, mask, idMask }: HashSlots, hash: number): number[] {
  const found: number[] = [];
  for (let slot = hash & mask; isTaken(taken, slot); slot = (slot + 1) & mask) {
    if (((words[slot]! ^ hash) & ~idMask) === 0) found.push(words[slot]! & idMask);
  }
  return found;
}

/** Few low bits, so that hashes meet. */
const hash = fc
  .tuple(fc.integer({ min: 0, max: 0x3f }), fc.constantFrom(0, 0x7fffffc0, -1 << 6, 0x12345 << 6))
  .map(([low, high]) => high | low);
const LIMIT = fc.constantFrom(0, 1000, 1 << 20, 2 ** 30, 2 ** 31 - 200);

describe('HashSlots', () => {
  test('finds what was added, by its hash', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 80 }), LIMIT, (hashes, limit) => {
        const slots = new HashSlots(64);
        slots.clearFor(hashes.length, 64, limit);
        expect(slots.isFull(hashes.length)).toBe(false);
        const idOf = (i: number): number => (i % 2 === 0 ? limit + i : i + 1) | 0;
        hashes.forEach((each, i) => {
          expect(slots.hasRoomFor(idOf(i))).toBe(true);
          slots.insert(each, idOf(i));
        });
        hashes.forEach((each, i) => {
          expect(candidates(slots, each)).toContain(idOf(i));
        });
        const known = new Set(hashes.map((_, i) => idOf(i)));
        for (const id of candidates(slots, 17)) expect(known).toContain(id);
      }),
    );
  });

  test('passes by what has another hash, as far as there is room for it', () => {
    const slots = new HashSlots(64);
    slots.insert(0x7000_0005, 1);
    slots.insert(0x3000_0005, 2);
    expect(candidates(slots, 0x7000_0005)).toEqual([1]);
    expect(candidates(slots, 0x3000_0005)).toEqual([2]);
    slots.clear(64, 2 ** 31 - 64);
    slots.insert(0x7000_0005, 1);
    slots.insert(0x3000_0005, 2);
    expect(candidates(slots, 0x3000_0005)).toEqual([1, 2]);
  });

  test('says whether an id can be added', () => {
    const slots = new HashSlots(64);
    expect(slots.hasRoomFor(127)).toBe(true);
    expect(slots.hasRoomFor(128)).toBe(false);
    slots.clear(64, 1000);
    expect(slots.hasRoomFor(1063)).toBe(true);
  });

  test('replaces, moves and empties', () => {
    const slots = new HashSlots(64);
    slots.insert(0x7000_0005, 1);
    slots.insert(0x3000_0005, 2);
    slots.replace(5, 9);
    expect(slots.id(5)).toBe(9);
    expect(candidates(slots, 0x7000_0005)).toEqual([9]);
    slots.copy(6, 5);
    slots.empty(6);
    expect(candidates(slots, 0x3000_0005)).toEqual([2]);
    expect(candidates(slots, 0x7000_0005)).toEqual([]);
  });
});
