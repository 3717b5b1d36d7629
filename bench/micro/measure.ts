// Times runs and says what came out: nanoseconds an item, best and median of several rounds. Pure but for the clock.

import type { Clock } from '../../src/lib/clock.ts';
import { median } from '../statistics.ts';
import { type HistoryEntry, ratioTo } from './history.ts';
import type { Micro, MicroInput } from './types.ts';

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
  const times: number[] = [];
  let items = 0;
  for (let round = 0; round < rounds; round++) {
    const timed = timeRound(micro, input, clock, collect);
    items = timed.items;
    times.push(timed.ms);
  }
  return resultOf(micro, items, times);
}

/**
 * Fresh state, timed work only. `collect` frees what earlier rounds left behind, which would otherwise be collected in
 * somebody's time. Throws where the run did not handle all its items.
 */
export function timeRound(
  micro: Micro,
  input: MicroInput,
  clock: Clock,
  collect: () => void = () => {},
): { readonly ms: number; readonly items: number } {
  const work = micro.prepare(input);
  const { items } = work;
  collect();
  const start = clock.now();
  const seen = work.run();
  const ms = clock.now() - start;
  if (seen !== items) throw new Error(`${micro.name}: ${seen} of ${items} items were handled`);
  return { ms, items };
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
