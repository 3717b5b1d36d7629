// Times runs and says what came out: nanoseconds an item, best and median of several rounds. Pure but for the clock.

import type { Clock } from '../../src/lib/clock.ts';
import { median } from '../statistics.ts';
import { type HistoryEntry, ratioTo } from './history.ts';
import type { Micro, MicroInput, MicroRun } from './types.ts';

const NANOS_PER_MS = 1e6;

export interface MicroResult {
  readonly name: string;
  readonly title: string;
  readonly item: string;
  readonly items: number;
  /** Nanoseconds an item. */
  readonly best: number;
  readonly median: number;
}

/** As many rounds in a row; see `timeRound`. */
export function measure(
  micro: Micro,
  input: MicroInput,
  rounds: number,
  clock: Clock,
  collect?: () => void,
): MicroResult {
  const kept = runOnce(micro, input);
  const times = Array.from({ length: rounds }, () => timeRound(micro, input, clock, collect));
  return resultOf(micro, kept.items, times);
}

/**
 * A run that is over, with all that it has made: to be kept as long as others are timed. What V8 has compiled for a class it
 * throws away with the last object of it, and each round collects what those before have left.
 */
export function runOnce(micro: Micro, input: MicroInput): MicroRun {
  const work = micro.prepare(input);
  work.run();
  return work;
}

/**
 * Milliseconds of a round: fresh state, timed work only. `collect` frees what earlier rounds left behind, which would
 * otherwise be collected in somebody's time. Throws where the run did not handle all its items.
 */
export function timeRound(
  micro: Micro,
  input: MicroInput,
  clock: Clock,
  collect: () => void = () => {},
): number {
  const work = micro.prepare(input);
  const { items } = work;
  collect();
  const start = clock.now();
  const seen = work.run();
  const ms = clock.now() - start;
  if (seen !== items) throw new Error(`${micro.name}: ${seen} of ${items} items were handled`);
  return ms;
}

/** `times`: milliseconds of each round. */
export function resultOf(
  { name, title, item }: Omit<Micro, 'prepare'>,
  items: number,
  times: readonly number[],
): MicroResult {
  const nanos = times.map((ms) => (ms * NANOS_PER_MS) / items);
  return { name, title, item, items, best: Math.min(...nanos), median: median(nanos) };
}

/** A table for people, with a column for how the best times compare with those recorded `before`. */
export function formatResults(results: readonly MicroResult[], before?: HistoryEntry): string {
  const head = ['', 'best ns', 'median ns', 'M/s', ...(before === undefined ? [] : [`x ${before.commit}`])];
  const rows = results.map((row) => [
    row.name,
    row.best.toFixed(1),
    row.median.toFixed(1),
    (1000 / row.best).toFixed(2),
    ...(before === undefined ? [] : [ratioTo(before, row)?.toFixed(2) ?? '-']),
    `${row.items} x ${row.item}`,
    row.title,
  ]);
  return formatTable(head, ['items', ''], rows);
}

/** Columns of figures after the first, and words behind them. */
export function formatTable(
  head: readonly string[],
  words: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [[...head, ...words], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const numeric = (column: number): boolean => column > 0 && column < head.length;
  return all
    .map((row) => row.map((cell, i) => (numeric(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))))
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
}
