// Medians over rounds, ratios to the reference daemon, and the tables that people read. Pure: outcomes in, text out.

import { busyText, type Machine } from './machine.ts';
import type { Measure, Outcome } from './outcome.ts';
import { type Latency, median } from './statistics.ts';

/** Ratios are to this daemon; of several releases to that which played first. */
const REFERENCE = /^bird\b/;

/** Over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Summary {
  readonly work: string;
  readonly daemon: string;
  readonly measure: Measure;
  readonly rounds: number;
  /** Every round brought every route with the right attributes, and kept its sessions alive. */
  readonly correct: boolean;
  /** What the work is about: seconds to converge, or the 99th percentile of its delays. */
  readonly seconds: number;
  readonly secondsMin: number;
  readonly secondsMax: number;
  /** Seconds of CPU, user and system. */
  readonly cpu: Spread;
  /** Octets. */
  readonly peakRss: Spread;
  readonly updates: number;
  readonly duplicates: number;
  readonly wrong: number;
  readonly missing: number;
  /** Sessions that a hold timer would have ended. */
  readonly expired: number;
  readonly loaderCpu: number;
  /** Medians over the rounds, in works about delays. */
  readonly latency: Latency | undefined;
  /** Of the last round. */
  readonly notes: readonly string[];
  /** To the reference in the same run; undefined without one. */
  readonly ratio: { readonly seconds: number; readonly cpu: number; readonly peakRss: number } | undefined;
}

/** One row a (work, daemon), in order of first appearance. */
export function summarize(outcomes: readonly Outcome[]): Summary[] {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.work} ${outcome.daemon}`;
    groups.set(key, [...(groups.get(key) ?? []), outcome]);
  }
  const rows = [...groups.values()].map(summarizeGroup);
  const name = rows.find(({ daemon }) => REFERENCE.test(daemon))?.daemon;
  return rows.map((row) => {
    const reference = rows.find((other) => other.work === row.work && other.daemon === name);
    if (reference === undefined) return row;
    const ratio = {
      seconds: row.seconds / reference.seconds,
      cpu: row.cpu.median / reference.cpu.median,
      peakRss: row.peakRss.median / reference.peakRss.median,
    };
    return { ...row, ratio };
  });
}

function summarizeGroup(rounds: readonly Outcome[]): Summary {
  const of = (pick: (outcome: Outcome) => number): number[] => rounds.map(pick);
  const missing = Math.max(...of(missingOf));
  const wrong = Math.max(
    ...of(({ load }) => load.wrong + (load.kernel?.wrong ?? 0) + (load.churn?.wrong ?? 0)),
  );
  const expired = Math.max(...of(({ load }) => load.expired));
  const seconds = spread(of(headlineOf));
  return {
    work: rounds[0]!.work,
    daemon: rounds[0]!.daemon,
    measure: rounds[0]!.measure,
    rounds: rounds.length,
    correct:
      missing === 0 &&
      wrong === 0 &&
      expired === 0 &&
      rounds.every(
        ({ load }) => load.complete && load.unexpected === 0 && (load.kernel?.unexpected ?? 0) === 0,
      ),
    seconds: seconds.median,
    secondsMin: seconds.min,
    secondsMax: seconds.max,
    cpu: spread(of(({ user, system }) => user + system)),
    peakRss: spread(of(({ peakRss }) => peakRss)),
    updates: median(of(({ load }) => load.updates)),
    duplicates: Math.max(...of(({ load }) => load.duplicates)),
    wrong,
    missing,
    expired,
    loaderCpu: median(of(({ load }) => load.loaderCpu)),
    latency: latencyOver(rounds),
    notes: rounds.at(-1)!.notes,
    ratio: undefined,
  };
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** The figure that a work is compared by, in seconds. */
function headlineOf({ measure, seconds, latency }: Outcome): number {
  return measure === 'delay' && latency !== undefined ? latency.p99 / 1000 : seconds;
}

/** What the chart shows: below 1 is better than the reference. */
export function headlineRatio({ measure, ratio }: Summary): number | undefined {
  return measure === 'memory' ? ratio?.peakRss : ratio?.seconds;
}

function latencyOver(rounds: readonly Outcome[]): Latency | undefined {
  const latencies = rounds.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  if (latencies.length === 0) return undefined;
  const of = (pick: (latency: Latency) => number): number => median(latencies.map(pick));
  return {
    count: of(({ count }) => count),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    max: of(({ max }) => max),
  };
}

/** Routes that should be there and are not, or should be gone and are there. */
function missingOf({ load }: Outcome): number {
  const { kernel, probes, churn } = load;
  const routes = load.phase === 'withdraw' ? load.present : load.expected - load.present;
  const lost = (probes === undefined ? 0 : probes.sent - probes.arrived) + (churn?.lost ?? 0);
  return routes + (kernel?.missing ?? 0) + lost;
}

const MIB = 1 << 20;

export interface Environment extends Machine {
  /** ISO 8601 */
  readonly started: string;
  readonly rounds: number;
  readonly routes: number;
  /** Version line of each daemon. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What somebody needs to judge the figures, or to repeat them. */
export function heading(environment: Environment): string {
  const { started, commit, rounds, routes, versions } = environment;
  const { cores, cpuModel, memoryBytes, kernel, node } = environment;
  return [
    '# godwit beside other BGP daemons',
    '',
    `${capitalized(roundsText(rounds))}, contestants in turn; a full table has ${routes} routes.`,
    '',
    `- started: ${started}, commit ${commit}`,
    `- machine: ${cores} x ${cpuModel}, ${(memoryBytes / (1 << 30)).toFixed(0)} GiB, Linux ${kernel}, Node.js ${node}`,
    `- ${busyText(environment)}`,
    ...Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`),
    '',
  ].join('\n');
}

export function roundsText(rounds: number): string {
  return rounds === 1 ? 'one round' : `medians of ${rounds} rounds (lowest-highest in parentheses)`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A Markdown table a work. */
export function markdown(rows: readonly Summary[], titles: ReadonlyMap<string, string>): string {
  const lines: string[] = [];
  for (const work of new Set(rows.map((row) => row.work))) {
    lines.push(`### ${work}: ${titles.get(work) ?? ''}`, '');
    const members = rows.filter((each) => each.work === work);
    const delays = members.some((row) => row.latency !== undefined);
    const noted = members.some((row) => row.notes.length > 0);
    const columns = [
      ...COLUMNS.slice(0, 1),
      ...(delays ? [DELAY_COLUMN] : []),
      ...COLUMNS.slice(1),
      ...(noted ? [NOTES_COLUMN] : []),
    ];
    lines.push(tableLine(columns.map(({ title }) => title)), tableLine(columns.map(() => '---')));
    for (const row of members) lines.push(tableLine(columns.map(({ text }) => text(row))));
    lines.push('');
  }
  return lines.join('\n');
}

interface Column {
  readonly title: string;
  text(row: Summary): string;
}

const COLUMNS: readonly Column[] = [
  { title: 'daemon', text: (row) => row.daemon },
  {
    title: 'seconds',
    text: (row) => `${row.seconds.toFixed(3)} (${row.secondsMin.toFixed(3)}-${row.secondsMax.toFixed(3)})`,
  },
  { title: 'CPU s', text: ({ cpu }) => spreadText(cpu, 1, 2) },
  { title: 'peak MiB', text: ({ peakRss }) => spreadText(peakRss, MIB, 0) },
  { title: 'x BIRD time / CPU / memory', text: ratioText },
  { title: 'UPDATEs', text: (row) => String(row.updates) },
  { title: 'all right', text: verdict },
  { title: 'load CPU s', text: (row) => row.loaderCpu.toFixed(2) },
  { title: 'rounds', text: (row) => String(row.rounds) },
];

const DELAY_COLUMN: Column = {
  title: 'p50 / p99 / max ms (samples)',
  text: ({ latency }) => {
    if (latency === undefined) return '';
    const { p50, p99, max, count } = latency;
    return `${[p50, p99, max].map((ms) => ms.toFixed(2)).join(' / ')} (${count})`;
  },
};

const NOTES_COLUMN: Column = { title: 'seen besides', text: ({ notes }) => notes.join('; ') };

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function spreadText({ median: middle, min, max }: Spread, unit: number, digits: number): string {
  const [text, low, high] = [middle, min, max].map((value) => (value / unit).toFixed(digits));
  return low === high ? `${text}` : `${text} (${low}-${high})`;
}

function ratioText({ ratio }: Summary): string {
  if (ratio === undefined) return '';
  return [ratio.seconds, ratio.cpu, ratio.peakRss]
    .map((value) => (Number.isFinite(value) ? value.toFixed(2) : '-'))
    .join(' / ');
}

function verdict(row: Summary): string {
  if (!row.correct) {
    const expired = row.expired === 0 ? '' : `, ${row.expired} hold timers would have expired`;
    return `no: ${row.missing} missing, ${row.wrong} altered${expired}`;
  }
  return row.duplicates > 0 ? `yes (${row.duplicates} sent twice)` : 'yes';
}
