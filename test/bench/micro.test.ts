// Every micro-benchmark runs once on a tiny table and handles all of it; timing itself is not tested.

import { describe, expect, test } from 'vitest';
import { coldInput, makeInput } from '../../bench/micro/input.ts';
import { formatResults, measure, resultOf } from '../../bench/micro/measure.ts';
import { MICROS, passThrough } from '../../bench/micro/micros.ts';
import type { Micro } from '../../bench/micro/types.ts';
import { systemClock } from '../../src/lib/clock.ts';

const OPTIONS = { routes: 300, seed: 3, prefixList: undefined };
const input = makeInput({ ...OPTIONS, peers: 4, setMembers: 200 });

describe('a micro-benchmark', () => {
  test.each(MICROS.map((micro): [string, Micro] => [micro.name, micro]))(
    '%s handles every item',
    (_, micro) => {
      // Twice: the second round must find fresh state.
      const result = measure(micro, input, 2, systemClock);
      expect(result.items).toBeGreaterThan(0);
      expect(result.best).toBeGreaterThan(0);
    },
  );

  test('whose run leaves items out is no result', () => {
    const lazy: Micro = {
      name: 'lazy',
      title: '',
      item: 'route',
      prepare: () => ({ items: 2, run: () => 1 }),
    };
    expect(() => measure(lazy, input, 1, systemClock)).toThrow('lazy: 1 of 2 items');
  });
});

test('names are unique: the history is kept by them', () => {
  expect(new Set(MICROS.map(({ name }) => name)).size).toBe(MICROS.length);
});

test('the cold run takes the same table the same way', () => {
  expect(coldInput(OPTIONS)).toEqual(input.streams[0]);
  expect(passThrough(coldInput(OPTIONS))()).toBe(300);
});

test('results are nanoseconds an item', () => {
  const result = resultOf({ name: 'a', title: 'b', item: 'route' }, 1000, [3, 1, 2]);
  expect(result).toMatchObject({ best: 1000, median: 2000, items: 1000 });
  expect(formatResults([result]).split('\n')[1]).toMatch(/^a +1000\.0 +2000\.0 +1\.00 +1000 x route +b$/);
});
