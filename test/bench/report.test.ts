// Medians, ratios and verdicts of the bench's report.

import { describe, expect, test } from 'vitest';
import type { PhaseResult } from '../../bench/load/plan.ts';
import type { Outcome } from '../../bench/outcome.ts';
import { heading, headlineRatio, markdown, summarize } from '../../bench/report.ts';

function outcome(
  daemon: string,
  seconds: number,
  more: Partial<PhaseResult> = {},
  latency?: Outcome['latency'],
  measure: Outcome['measure'] = latency === undefined ? 'time' : 'delay',
): Outcome {
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
    longestSilence: 0,
    expired: 0,
    missing: [],
    ...more,
  };
  return {
    work: 'T1',
    daemon,
    measure,
    load,
    seconds,
    user: seconds,
    system: 0,
    rssBefore: 0,
    rss: 0,
    window: { from: 0, to: 0 },
    notes: [],
    peakRss: 1 << 20,
    routes: 10,
    attributeSets: 1,
    ...(latency === undefined ? {} : { latency }),
  };
}

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

  test('takes its ratios to the first of several releases of BIRD', () => {
    const rows = summarize([outcome('godwit', 1), outcome('bird 2.20.0', 4), outcome('bird 3.4.0', 8)]);
    expect(rows.map(({ ratio }) => ratio?.seconds)).toEqual([0.25, 1, 2]);
  });

  test('has no ratio where BIRD did not take part', () => {
    expect(summarize([outcome('frr', 1)])[0]!.ratio).toBeUndefined();
  });

  test.each<[string, Partial<PhaseResult>, number]>([
    ['routes are missing', { present: 8, complete: false }, 2],
    ['attributes are altered', { wrong: 1 }, 0],
    ['strangers came', { unexpected: 1 }, 0],
    ['a session was silent for too long', { expired: 1 }, 0],
    ['the kernel lacks some', { kernel: { seconds: 1, missing: 3, wrong: 0, unexpected: 0 } }, 3],
    ['the kernel has other gateways', { kernel: { seconds: 1, missing: 0, wrong: 2, unexpected: 0 } }, 0],
    ['the kernel has strangers', { kernel: { seconds: 1, missing: 0, wrong: 0, unexpected: 1 } }, 0],
    ['a probe got lost', { probes: { sent: 5, arrived: 4, latency: undefined } }, 1],
    [
      'a changed route has its old state',
      { churn: { sent: 9, arrived: 8, overtaken: 0, wrong: 0, lost: 1, latency: undefined } },
      1,
    ],
    [
      'something else than a change arrived',
      { churn: { sent: 9, arrived: 9, overtaken: 0, wrong: 1, lost: 0, latency: undefined } },
      0,
    ],
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
    const rows = summarize([outcome('bird', 2), outcome('frr', 1, { wrong: 4, expired: 2 })]);
    const text = markdown(rows, new Map([['T1', 'a table']]));
    expect(text).toContain('### T1: a table');
    expect(text).toMatch(/\| bird \| 2\.000 .* \| yes \|/);
    expect(text).toMatch(/\| frr \| 1\.000 .*0\.50 \/ 0\.50 \/ 1\.00.*0 missing, 4 altered, 2 hold timers/);
  });

  test('shows medians and the span of the rounds', () => {
    const text = markdown(summarize([outcome('bird', 2), outcome('bird', 5), outcome('bird', 3)]), new Map());
    expect(text).toMatch(/\| 3\.000 \(2\.000-5\.000\) \| 3\.00 \(2\.00-5\.00\) \| 1 \|/);
  });

  test('of a work about delays compares the 99th percentile', () => {
    const delays = (p99: number) => ({ count: 300, p50: 1, p99, max: 100 });
    const rows = summarize([
      outcome('bird', 9, {}, delays(8)),
      outcome('godwit', 9, {}, delays(2)),
      outcome('godwit', 9, {}, delays(4)),
      outcome('godwit', 9, {}, delays(3)),
    ]);
    expect(rows[1]).toMatchObject({ seconds: 0.003, ratio: { seconds: 0.375 } });
    const text = markdown(rows, new Map());
    expect(text).toContain('p50 / p99 / max ms');
    expect(text).toContain('1.00 / 3.00 / 100.00 (300)');
    expect(markdown(summarize([outcome('bird', 1)]), new Map())).not.toContain('p50');
  });

  test('of a work about memory compares the peak, and a time stays a time where delays are shown beside it', () => {
    const delays = { count: 3, p50: 1, p99: 2, max: 3 };
    const rows = summarize([
      { ...outcome('bird', 4, {}, undefined, 'memory'), peakRss: 100 },
      { ...outcome('godwit', 1, {}, undefined, 'memory'), peakRss: 300 },
    ]);
    expect(rows.map(headlineRatio)).toEqual([1, 3]);
    const [timed] = summarize([outcome('bird', 4, {}, delays, 'time')]);
    expect(timed).toMatchObject({ seconds: 4, latency: delays });
  });

  test("shows the last round's notes", () => {
    const rows = summarize([
      { ...outcome('bird', 1), notes: ['old'] },
      { ...outcome('bird', 1), notes: ['new', 'and more'] },
    ]);
    expect(markdown(rows, new Map())).toMatch(/seen besides[\s\S]*\| new; and more \|/);
    expect(markdown(summarize([outcome('bird', 1)]), new Map())).not.toContain('seen besides');
  });
});

test('the heading names machine, versions and who else was at work', () => {
  const environment = {
    started: '2026-01-02T03:04:05.000Z',
    commit: 'abc1234',
    rounds: 5,
    routes: 1000,
    cores: 2,
    cpuModel: 'a CPU',
    memoryBytes: 8 * 2 ** 30,
    kernel: '6.1.0',
    node: 'v20.1.0',
    busyCores: 1.5,
    versions: { bird: 'BIRD 9.9' },
  };
  const text = heading(environment);
  for (const part of [
    '2 x a CPU',
    '8 GiB',
    'Linux 6.1.0',
    'v20.1.0',
    'abc1234',
    'bird: BIRD 9.9',
    '1.50 of 2 cores',
  ]) {
    expect(text).toContain(part);
  }
  expect(text).toContain('not a quiet machine');
  expect(text).toContain('Medians of 5 rounds');
  expect(heading({ ...environment, rounds: 1 })).toContain('One round, contestants in turn');
  expect(heading({ ...environment, busyCores: 0.1 })).not.toContain('not a quiet machine');
});
