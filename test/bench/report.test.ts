// Medians, ratios and verdicts of the bench's report.

import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../bench/contest.ts';
import type { PhaseResult } from '../../bench/load/plan.ts';
import { markdown, median, summarize } from '../../bench/report.ts';

function outcome(daemon: string, seconds: number, more: Partial<PhaseResult> = {}): Outcome {
  const load: PhaseResult = {
    phase: 'announce',
    complete: true,
    seconds,
    sentSeconds: 0,
    expected: 10,
    present: 10,
    wrong: 0,
    announced: 10,
    withdrawn: 0,
    duplicates: 0,
    echoed: 0,
    unexpected: 0,
    updates: 3,
    receivedOctets: 0,
    sentOctets: 0,
    loaderCpu: 0.1,
    missing: [],
    ...more,
  };
  return {
    work: 'T1',
    daemon,
    load,
    user: seconds,
    system: 0,
    rss: 0,
    peakRss: 1 << 20,
    routes: 10,
    attributeSets: 1,
  };
}

test('the median is the middle, or between the two middles', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([7])).toBe(7);
});

describe('a summary', () => {
  test('takes medians over rounds and ratios to BIRD', () => {
    const rows = summarize([
      outcome('godwit', 1),
      outcome('bird', 4),
      outcome('godwit', 9),
      outcome('bird', 2),
      outcome('godwit', 2),
      outcome('bird', 6),
    ]);
    expect(rows.map(({ daemon, seconds, rounds }) => [daemon, seconds, rounds])).toEqual([
      ['godwit', 2, 3],
      ['bird', 4, 3],
    ]);
    expect(rows[0]!.ratio).toEqual({ seconds: 0.5, cpu: 0.5, peakRss: 1 });
    expect(rows[0]).toMatchObject({ secondsMin: 1, secondsMax: 9, correct: true });
  });

  test('has no ratio where BIRD did not take part', () => {
    expect(summarize([outcome('frr', 1)])[0]!.ratio).toBeUndefined();
  });

  test.each<[string, Partial<PhaseResult>, number]>([
    ['routes are missing', { present: 8, complete: false }, 2],
    ['attributes are altered', { wrong: 1 }, 0],
    ['strangers came', { unexpected: 1 }, 0],
    ['withdrawn routes stay', { phase: 'withdraw', present: 3, complete: false }, 3],
  ])('is not correct when in one round %s', (_, deviation, missing) => {
    const [row] = summarize([outcome('frr', 1), outcome('frr', 1, deviation)]);
    expect(row).toMatchObject({ correct: false, missing });
  });

  test('counts a complete withdrawal as correct', () => {
    const [row] = summarize([outcome('frr', 1, { phase: 'withdraw', present: 0 })]);
    expect(row!.correct).toBe(true);
  });

  test('becomes a table with a verdict', () => {
    const rows = summarize([outcome('bird', 2), outcome('frr', 1, { wrong: 4 })]);
    const text = markdown(rows, new Map([['T1', 'a table']]));
    expect(text).toContain('### T1: a table');
    expect(text).toMatch(/\| bird \| 2\.000 .* \| yes \|/);
    expect(text).toMatch(/\| frr \| 1\.000 .*0\.50 \/ 0\.50 \/ 1\.00.*0 missing, 4 altered/);
  });
});
