// Medians, percentiles and the correction for questions that were not asked.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latencyOf, median, percentile, withOmitted } from '../../bench/statistics.ts';

test('the median is the middle, or between the two middles', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
});

describe('a percentile', () => {
  test('is a sample, and that share of all samples does not exceed it', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(samples, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const sorted = values.sort((a, b) => a - b);
        const found = percentile(sorted, share);
        const below = sorted.filter((value) => value < found).length;
        const upTo = sorted.filter((value) => value <= found).length;
        expect(upTo).toBeGreaterThanOrEqual(sorted.length * share - 1e-9);
        expect(below).toBeLessThan(sorted.length * share + 1e-9);
      }),
    );
  });

  test('of a hundred samples is what one expects', () => {
    const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(latencyOf(samples)).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
    expect(latencyOf([])).toBeUndefined();
  });
});

describe('omitted questions', () => {
  test('stay out where every answer came within the interval', () => {
    expect(withOmitted([1, 5, 3], 5)).toEqual([1, 5, 3]);
  });

  test('are put in for an answer that took several intervals', () => {
    expect(withOmitted([2, 17], 5)).toEqual([2, 17, 12, 7, 2]);
  });
});
