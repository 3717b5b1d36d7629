import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/lib/suggest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['a', '', 1],
    ['holdTime', 'holdTme', 1],
    ['holdTime', 'hodlTime', 1],
    ['import', 'export', 2],
    ['kitten', 'sitting', 3],
  ])('%s to %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is symmetric, zero for equals only, and bounded by the longer word', () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearest', () => {
  it('finds what was meant, whatever the spelling of compounds', () => {
    expect(nearest('hold_time', ['holdTime', 'role'])).toBe('holdTime');
    expect(nearest('Hold-Tme', ['holdTime', 'role'])).toBe('holdTime');
    expect(nearest('acept', ['accept', 'reject'])).toBe('accept');
  });

  it('says nothing where nothing is near', () => {
    expect(nearest('colour', ['accept', 'reject'])).toBeUndefined();
    expect(nearest('x'.repeat(1000), ['x'.repeat(999)])).toBeUndefined();
    expect(nearest('a', [])).toBeUndefined();
  });
});
