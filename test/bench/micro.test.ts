// Every micro-benchmark runs once on a tiny table and handles all of it, and the history says what has become slower;
// timing itself is not tested.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareInTurn, formatComparisons, microsOf } from '../../bench/micro/against.ts';
import {
  appendHistory,
  type Conditions,
  type HistoryEntry,
  lastLike,
  makeEntry,
  readHistory,
  verdict,
} from '../../bench/micro/history.ts';
import { coldInput, makeInput } from '../../bench/micro/input.ts';
import { formatResults, measure, resultOf } from '../../bench/micro/measure.ts';
import { MICROS, passThrough } from '../../bench/micro/micros.ts';
import type { Micro } from '../../bench/micro/types.ts';
import { systemClock } from '../../src/lib/clock.ts';

const OPTIONS = { routes: 300, seed: 3, prefixList: undefined };
const input = makeInput({ ...OPTIONS, peers: 4, setMembers: 200 });

describe('two builds in turn', () => {
  /** Takes as long as it is told, by a clock that nothing else moves. */
  function timed(name: string, takes: readonly number[], left = 0) {
    let now = 0;
    let run = 0;
    const micro: Micro = {
      name,
      title: 'title',
      item: 'route',
      prepare: () => ({
        items: 10,
        run: () => {
          now += takes[run++ % takes.length]!;
          return 10 - left;
        },
      }),
    };
    return { micro, now: () => now };
  }

  test('are compared round by round: what slows both is in neither', () => {
    // The sixth rounds and those behind them count.
    const slowness = [1, 1, 1, 1, 1, 1, 1, 4, 1, 9];
    const ours = timed(
      'a',
      slowness.map((each) => each * 3),
    );
    const theirs = timed(
      'a',
      slowness.map((each) => each * 4),
    );
    const clock = { ...systemClock, now: () => ours.now() + theirs.now() };
    const { here, there, ratio } = compareInTurn(ours.micro, theirs.micro, input, 4, clock);
    expect([here.best, there.best, ratio]).toEqual([3e5, 4e5, 0.75]);
    const [head, row] = formatComparisons([{ here, there, ratio }]).split('\n');
    expect(head).toMatch(/^ +best ns +there +x there +items$/);
    expect(row).toMatch(/^a +300000\.0 +400000\.0 +0\.750 +10 x route +title$/);
  });

  test('must both handle all items', () => {
    const [good, lazy] = [timed('a', [1]), timed('a', [1], 1)];
    expect(() => compareInTurn(good.micro, lazy.micro, input, 1, systemClock)).toThrow('a: 9 of 10 items');
  });

  test('of which one is not built: what is missing and what to do', async () => {
    await expect(microsOf(tmpdir())).rejects.toThrow(/--against: there is no .*micros\.js; run npm ci/);
  });
});

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

describe('the history', () => {
  const conditions: Conditions = { cpu: '2 x CPU', node: 'v20.1.0', routes: 10, prefixes: 'real' };
  const results = [['a', 100] as const, ['b', 130] as const].map(([name, best]) =>
    resultOf({ name, title: '', item: 'route' }, 1e6, [best, best]),
  );
  const entry = (commit: string, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
    ...makeEntry('2026-01-02T03:04:05Z', commit, conditions, 9, results),
    ...more,
  });

  test('keeps what it was given, a line a run', () => {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-history-'));
    const path = join(directory, 'micro.jsonl');
    expect(readHistory(path)).toEqual([]);
    for (const commit of ['one', 'two']) appendHistory(entry(commit), path);
    expect(readHistory(path)).toEqual([entry('one'), entry('two')]);
    expect(entry('one').nanos).toEqual({ a: [100, 100], b: [130, 130] });
    rmSync(directory, { recursive: true });
  });

  test('compares with the last run under the same conditions', () => {
    const others = [
      { cpu: '4 x CPU' },
      { node: 'v22.1.0' },
      { routes: 11 },
      { prefixes: 'generated' as const },
    ];
    const entries = [
      entry('old'),
      entry('own', { node: 'v20.9.9' }),
      ...others.map((more) => entry('no', more)),
    ];
    expect(lastLike(entries, conditions)?.commit).toBe('own');
    expect(lastLike(entries.slice(2), conditions)).toBeUndefined();
  });

  test('says what has become slower', () => {
    const before = entry('abc', { nanos: { a: [100, 100], b: [100, 100] } });
    expect(verdict(results, before)).toBe('slower than 1.2 x abc (2026-01-02, Node.js v20.1.0): b 1.30');
    expect(verdict(results, entry('abc'))).toMatch(/: nothing$/);
    expect(verdict(results, undefined)).toContain('nothing is recorded');
    const [head, a, b] = formatResults(results, { ...before, nanos: { b: [100, 100] } }).split('\n');
    expect(head).toMatch(/M\/s +x abc +items/);
    expect(a).toMatch(/^a +100\.0 +100\.0 +10\.00 +- +1000000 x route$/);
    expect(b).toMatch(/ 1\.30 /);
  });

  test('that is committed can be read', () => {
    for (const { commit, nanos } of readHistory()) {
      expect(commit).toMatch(/^[0-9a-f]{7,}\+?$/);
      expect(Object.keys(nanos).length).toBeGreaterThan(0);
    }
  });
});
