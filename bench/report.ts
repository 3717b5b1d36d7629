// Medians over rounds, ratios to the reference daemon, and the tables that people read. Pure: outcomes in, text out.

import type { Outcome } from './contest.ts';

/** Ratios are to this daemon. */
export const REFERENCE = 'bird';

export interface Summary {
  readonly work: string;
  readonly daemon: string;
  readonly rounds: number;
  /** Every round brought every route with the right attributes. */
  readonly correct: boolean;
  readonly seconds: number;
  readonly secondsMin: number;
  readonly secondsMax: number;
  readonly cpu: number;
  readonly peakRss: number;
  readonly updates: number;
  readonly duplicates: number;
  readonly wrong: number;
  readonly missing: number;
  readonly loaderCpu: number;
  /** To the reference in the same run; undefined without one. */
  readonly ratio: { readonly seconds: number; readonly cpu: number; readonly peakRss: number } | undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One row a (work, daemon), in order of first appearance. */
export function summarize(outcomes: readonly Outcome[]): Summary[] {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.work} ${outcome.daemon}`;
    groups.set(key, [...(groups.get(key) ?? []), outcome]);
  }
  const rows = [...groups.values()].map(summarizeGroup);
  return rows.map((row) => {
    const reference = rows.find((other) => other.work === row.work && other.daemon === REFERENCE);
    if (reference === undefined) return row;
    const ratio = {
      seconds: row.seconds / reference.seconds,
      cpu: row.cpu / reference.cpu,
      peakRss: row.peakRss / reference.peakRss,
    };
    return { ...row, ratio };
  });
}

function summarizeGroup(rounds: readonly Outcome[]): Summary {
  const of = (pick: (outcome: Outcome) => number): number[] => rounds.map(pick);
  const missing = Math.max(...of(missingOf));
  const wrong = Math.max(...of(({ load }) => load.wrong));
  return {
    work: rounds[0]!.work,
    daemon: rounds[0]!.daemon,
    rounds: rounds.length,
    correct:
      missing === 0 && wrong === 0 && rounds.every(({ load }) => load.complete && load.unexpected === 0),
    seconds: median(of(({ load }) => load.seconds)),
    secondsMin: Math.min(...of(({ load }) => load.seconds)),
    secondsMax: Math.max(...of(({ load }) => load.seconds)),
    cpu: median(of(({ user, system }) => user + system)),
    peakRss: median(of(({ peakRss }) => peakRss)),
    updates: median(of(({ load }) => load.updates)),
    duplicates: Math.max(...of(({ load }) => load.duplicates)),
    wrong,
    missing,
    loaderCpu: median(of(({ load }) => load.loaderCpu)),
    ratio: undefined,
  };
}

/** Routes that should be there and are not, or should be gone and are there. */
function missingOf({ load }: Outcome): number {
  return load.phase === 'announce' ? load.expected - load.present : load.present;
}

const MIB = 1 << 20;

/** A Markdown table a work. */
export function markdown(rows: readonly Summary[], titles: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  for (const work of new Set(rows.map((row) => row.work))) {
    lines.push(`### ${work}: ${titles.get(work) ?? ''}`, '');
    lines.push(
      '| daemon | seconds (min-max) | CPU s | peak MiB | x BIRD time / CPU / memory | UPDATEs | all right | load CPU s |',
    );
    lines.push('|---|---|---|---|---|---|---|---|');
    for (const row of rows.filter((each) => each.work === work)) lines.push(line(row));
    lines.push('');
  }
  return lines.join('\n');
}

function line(row: Summary): string {
  const { ratio } = row;
  const ratios =
    ratio === undefined
      ? ''
      : [ratio.seconds, ratio.cpu, ratio.peakRss].map((value) => value.toFixed(2)).join(' / ');
  const verdict = row.correct
    ? row.duplicates > 0
      ? `yes (${row.duplicates} sent twice)`
      : 'yes'
    : `no: ${row.missing} missing, ${row.wrong} altered`;
  return `| ${[
    row.daemon,
    `${row.seconds.toFixed(3)} (${row.secondsMin.toFixed(2)}-${row.secondsMax.toFixed(2)})`,
    row.cpu.toFixed(2),
    (row.peakRss / MIB).toFixed(0),
    ratios,
    row.updates,
    verdict,
    row.loaderCpu.toFixed(2),
  ].join(' | ')} |`;
}
