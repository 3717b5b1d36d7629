// Reproducible randomness for generated tables: the same seed gives the same table on every machine.

import type { Random } from '../../src/lib/clock.ts';

/** A small generator with 32 bits of state (mulberry32); good enough for shapes, not for secrets. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer in [0, limit). */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** Poisson distributed with the given mean, by multiplication; meant for small means. */
export function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** Pareto distributed, at least 1: most are 1, a few are very large. */
export function pareto(random: Random, alpha: number): number {
  return (1 - random()) ** (-1 / alpha);
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle(random: Random, items: Int32Array): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    const kept = items[i]!;
    items[i] = items[j]!;
    items[j] = kept;
  }
}
