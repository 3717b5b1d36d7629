// The committed history of micro-benchmarks: one JSON line a recorded run, and what a new run is compared with. Pure
// but for reading and appending the file.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../machine.ts';
import { projectRoot } from '../project.ts';
import type { MicroResult } from './measure.ts';

/** What two runs must have in common to be compared, as far as one can know. */
export interface Conditions {
  /** Cores and model. */
  readonly cpu: string;
  /** Version of Node.js; the major one counts. */
  readonly node: string;
  readonly routes: number;
  readonly prefixes: 'real' | 'generated';
}

export interface HistoryEntry extends Conditions {
  /** ISO 8601 */
  readonly time: string;
  readonly commit: string;
  readonly rounds: number;
  /** [best, median] nanoseconds an item, by name. */
  readonly nanos: Readonly<Record<string, readonly [best: number, median: number]>>;
}

export const HISTORY = join(projectRoot(), 'bench/history/micro.jsonl');

export function conditionsOf(
  { cores, cpuModel, node }: Machine,
  routes: number,
  list: string | undefined,
): Conditions {
  return {
    cpu: `${cores} x ${cpuModel}`,
    node,
    routes,
    prefixes: list === undefined ? 'generated' : 'real',
  };
}

export function readHistory(path = HISTORY): HistoryEntry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line): HistoryEntry => JSON.parse(line));
}

export function appendHistory(entry: HistoryEntry, path = HISTORY): void {
  appendFileSync(path, `${JSON.stringify(entry)}\n`);
}

export function makeEntry(
  time: string,
  commit: string,
  conditions: Conditions,
  rounds: number,
  results: readonly MicroResult[],
): HistoryEntry {
  const round = (nanos: number): number => Number(nanos.toFixed(1));
  const nanos = Object.fromEntries(
    results.map((row): [string, [number, number]] => [row.name, [round(row.best), round(row.median)]]),
  );
  return { time, commit, ...conditions, rounds, nanos };
}

/** The last one that ran under the same conditions. */
export function lastLike(entries: readonly HistoryEntry[], conditions: Conditions): HistoryEntry | undefined {
  return entries.findLast(
    (entry) =>
      entry.cpu === conditions.cpu &&
      major(entry.node) === major(conditions.node) &&
      entry.routes === conditions.routes &&
      entry.prefixes === conditions.prefixes,
  );
}

/** The best time as a part of the recorded one; undefined where that run did not have it. */
export function ratioTo({ nanos }: HistoryEntry, { name, best }: MicroResult): number | undefined {
  const [earlier] = nanos[name] ?? [];
  return earlier === undefined ? undefined : best / earlier;
}

/** On one machine, quiet both times, best times are repeated within a tenth. */
const SLOWER = 1.2;

/** In a sentence: what the run was compared with, and what has become slower. */
export function verdict(results: readonly MicroResult[], before: HistoryEntry | undefined): string {
  if (before === undefined) {
    return 'nothing is recorded for this processor, Node.js release and table: --record does that';
  }
  const slower = results
    .map((row): [string, number] => [row.name, ratioTo(before, row) ?? 0])
    .filter(([, ratio]) => ratio > SLOWER)
    .map(([name, ratio]) => `${name} ${ratio.toFixed(2)}`);
  const found = slower.length === 0 ? 'nothing' : slower.join(', ');
  const { commit, node, time } = before;
  return `slower than ${SLOWER} x ${commit} (${time.slice(0, 10)}, Node.js ${node}): ${found}`;
}

function major(version: string): string {
  return version.split('.')[0]!;
}
