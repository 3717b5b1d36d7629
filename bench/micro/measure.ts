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

/**
 * Fresh state each round, timed work only. `collect` frees what earlier rounds left behind, which would otherwise be
 * collected in somebody's time. Throws where a run did not handle all its items.
 */
export function measure(
  micro: Micro,
  input: MicroInput,
  rounds: number,
  clock: Clock,
  collect: () => void = () => {},
): MicroResult {
  const times: number[] = [];
  let items = 0;
  for (let round = 0; round < rounds; round++) {
    const work = micro.prepare(input);
    items = work.items;
    collect();
    const start = clock.now();
    const seen = work.run();
    times.push(clock.now() - start);
    if (seen !== items) throw new Error(`${micro.name}: ${seen} of ${items} items were handled`);
  }
  return resultOf(micro, items, times);
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
  const all = [[...head, 'items', ''], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const numeric = (column: number): boolean => column > 0 && column < head.length;
  return all
    .map((row) => row.map((cell, i) => (numeric(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))))
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
}
