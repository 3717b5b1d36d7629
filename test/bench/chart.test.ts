// The chart's structure: a group a work, a bar a daemon, lengths that follow the ratios.

import { describe, expect, test } from 'vitest';
import { chart } from '../../bench/chart.ts';
import type { Summary } from '../../bench/report.ts';

function row(
  work: string,
  daemon: string,
  seconds: number,
  bird: number | undefined,
  correct = true,
): Summary {
  const spread = { median: seconds, min: seconds, max: seconds };
  return {
    work,
    daemon,
    measure: 'time',
    rounds: 3,
    correct,
    seconds,
    secondsMin: seconds,
    secondsMax: seconds,
    cpu: spread,
    peakRss: spread,
    updates: 1,
    duplicates: 0,
    wrong: 0,
    missing: 0,
    expired: 0,
    loaderCpu: 0,
    latency: undefined,
    notes: [],
    ratio: bird === undefined ? undefined : { seconds: seconds / bird, cpu: 1, peakRss: 1 },
  };
}

interface Bar {
  readonly work: string;
  readonly daemon: string;
  readonly ratio: number;
  readonly x: number;
  readonly width: number;
}

function bars(svg: string): Bar[] {
  return [...svg.matchAll(/<g data-work="([^"]*)">(.*?)<\/g>/gs)].flatMap(([, work, body]) =>
    [
      ...body!.matchAll(
        /<rect data-daemon="([^"]*)" data-ratio="([^"]*)" x="([^"]*)" y="[^"]*" width="([^"]*)"/g,
      ),
    ].map(([, daemon, ratio, x, width]) => ({
      work: work!,
      daemon: daemon!,
      ratio: Number(ratio),
      x: Number(x),
      width: Number(width),
    })),
  );
}

const TEXT = { title: 'a title', subtitle: 'a machine', works: new Map([['T1', 'one <table> & "more"']]) };

describe('a chart', () => {
  const close = [
    row('T1', 'godwit', 1, 2),
    row('T1', 'bird', 2, 2),
    row('R1', 'bird', 1, 1),
    row('R1', 'frr', 3, 1),
  ];
  const far = [...close, row('R1', 'gobgp', 60, 1), row('R1', 'godwit', 0.1, 1)];

  test('has a group for each work and a bar for each daemon in it', () => {
    expect(bars(chart(far, TEXT)!).map(({ work, daemon, ratio }) => [work, daemon, ratio])).toEqual([
      ['T1', 'godwit', 0.5],
      ['T1', 'bird', 1],
      ['R1', 'bird', 1],
      ['R1', 'frr', 3],
      ['R1', 'gobgp', 60],
      ['R1', 'godwit', 0.1],
    ]);
  });

  test('is linear where ratios are close: lengths are proportional from a common start', () => {
    const svg = chart(close, TEXT)!;
    const [half, one, , three] = bars(svg);
    expect(svg).not.toContain('logarithmic');
    expect(new Set(bars(svg).map(({ x }) => x)).size).toBe(1);
    expect(half!.width * 2).toBeCloseTo(one!.width, 0);
    expect(one!.width * 3).toBeCloseTo(three!.width, 0);
  });

  test('is logarithmic where they are far apart: faster to the left of BIRD, slower to the right', () => {
    const svg = chart(far, TEXT)!;
    expect(svg).toContain('logarithmic');
    const found = bars(svg);
    const reference = found.find(({ daemon }) => daemon === 'bird')!;
    const of = (daemon: string): Bar => found.find((bar) => bar.work === 'R1' && bar.daemon === daemon)!;
    expect(of('godwit').x + of('godwit').width).toBeCloseTo(reference.x, 0);
    expect(of('gobgp').x).toBeCloseTo(reference.x, 0);
    const octave = of('godwit').width;
    expect(of('gobgp').width).toBeCloseTo(octave * Math.log10(60), 0);
    expect(of('frr').width).toBeCloseTo(octave * Math.log10(3), 0);
  });

  test('of memory compares memory', () => {
    const mib = (value: number) => ({ median: value * 2 ** 20, min: 0, max: 0 });
    const memory = (daemon: string, value: number): Summary => ({
      ...row('T1', daemon, 1, 1),
      measure: 'memory',
      peakRss: mib(value),
      ratio: { seconds: 1, cpu: 1, peakRss: value / 50 },
    });
    const svg = chart([memory('bird', 50), memory('godwit', 150)], TEXT)!;
    expect(bars(svg).map(({ ratio }) => ratio)).toEqual([1, 3]);
    expect(svg).toContain('3.00× (150 MiB)');
  });

  test('has round numbers on its axis that enclose what is shown', () => {
    const ticks = (rows: Summary[]): number[] =>
      [...chart(rows, TEXT)!.matchAll(/text-anchor="middle" fill="#555555">([\d.]+)×</g)].map(([, text]) =>
        Number(text),
      );
    expect(ticks(close)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3]);
    expect(ticks([...close, row('R1', 'gobgp', 0.07, 1)])).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
    const wide = ticks([...close, row('R1', 'gobgp', 4000, 1), row('R1', 'godwit', 0.003, 1)]);
    expect(wide).toEqual([0.01, 0.1, 1, 10, 100, 1000]);
  });

  test('has a colour for each daemon, whatever its release', () => {
    const svg = chart([...close, row('R1', 'godwit v99', 1, 1), row('R1', 'someone', 1, 1)], TEXT)!;
    const colors = [...svg.matchAll(/height="14" fill="(#\w+)"/g)].map(([, color]) => color);
    expect(colors).toHaveLength(6);
    expect(new Set(colors).size).toBe(4);
  });

  test('keeps every bar within the picture', () => {
    const svg = chart([...far, row('T3', 'bird', 1, 1), row('T3', 'frr', 9999, 1)], TEXT)!;
    const width = Number(/viewBox="0 0 (\d+)/.exec(svg)![1]);
    for (const bar of bars(svg)) {
      expect(bar.x).toBeGreaterThanOrEqual(0);
      expect(bar.x + bar.width).toBeLessThan(width);
    }
  });

  test('escapes what stands in titles and tells incomplete runs', () => {
    const svg = chart([row('T1', 'bird', 1, 1), row('T1', 'frr', 2, 1, false)], TEXT)!;
    expect(svg).not.toContain('<table>');
    expect(svg).toContain('&#60;table&#62; &#38; &#34;more&#34;');
    expect(svg.match(/incomplete/g)).toHaveLength(1);
  });

  test('leaves out works without the reference, and is none where all are', () => {
    expect(chart([row('T1', 'godwit', 1, undefined)], TEXT)).toBeUndefined();
    const works = bars(chart([...close, row('T9', 'godwit', 1, undefined)], TEXT)!).map(({ work }) => work);
    expect(works).not.toContain('T9');
  });
});
