// One build beside another: the same micro-benchmark of both, round by round in turn in one process, on the same input.
// A machine that is twice as slow for a while is so for both, so that ratios of neighbouring rounds tell differences of a few
// hundredths where two runs one after the other do not tell a tenth.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../../src/lib/clock.ts';
import { median } from '../statistics.ts';
import { formatTable, type MicroResult, resultOf, runOnce, timeRound } from './measure.ts';
import type { Micro, MicroInput } from './types.ts';

const MICROS_FILE = 'dist/bench/micro/micros.js';
/** Rounds before those that count: compilers have come to rest by then. */
const WARM_ROUNDS = 5;

export interface Comparison {
  readonly here: MicroResult;
  readonly there: MicroResult;
  /** Median of the rounds' ratios; below 1 = quicker here. */
  readonly ratio: number;
}

/** The micro-benchmarks of another checkout, by name. Throws where it is not built. */
export async function microsOf(directory: string): Promise<ReadonlyMap<string, Micro>> {
  const file = join(resolve(directory), MICROS_FILE);
  if (!existsSync(file))
    throw new Error(`--against: there is no ${file}; run npm ci and npm run build in that checkout`);
  const { MICROS }: { MICROS: readonly Micro[] } = await import(pathToFileURL(file).href);
  return new Map(MICROS.map((micro) => [micro.name, micro]));
}

/** Throws where a run of either did not handle all its items. */
export function compareInTurn(
  here: Micro,
  there: Micro,
  input: MicroInput,
  rounds: number,
  clock: Clock,
  collect?: () => void,
): Comparison {
  const side = (micro: Micro) => ({ micro, kept: runOnce(micro, input), times: [] as number[] });
  const ours = side(here);
  const theirs = side(there);
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    // Each goes first as often as the other.
    for (const { micro, times } of round % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      const ms = timeRound(micro, input, clock, collect);
      if (round >= 0) times.push(ms);
    }
  }
  return {
    here: resultOf(here, ours.kept.items, ours.times),
    there: resultOf(there, theirs.kept.items, theirs.times),
    ratio: median(ours.times.map((ms, round) => ms / theirs.times[round]!)),
  };
}

/** A table for people. */
export function formatComparisons(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ here, there, ratio }) => [
    here.name,
    here.best.toFixed(1),
    there.best.toFixed(1),
    ratio.toFixed(3),
    `${here.items} x ${here.item}`,
    here.title,
  ]);
  return formatTable(['', 'best ns', 'there', 'x there'], ['items', ''], rows);
}
