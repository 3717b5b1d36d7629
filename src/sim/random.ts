// Chance that can be repeated: a seeded generator and what simulations draw from it.

import type { Random } from '../lib/clock.ts';

/** A seeded generator in [0, 1) (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer in [least, most]. */
export function drawInteger(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of them; throws RangeError where there is none. */
export function drawOne<T>(random: Random, of: readonly T[]): T {
  const index = Math.floor(random() * of.length);
  if (of.length === 0) throw new RangeError('nothing to choose from');
  return of[index]!;
}

/** True with the given probability. */
export function drawTrue(random: Random, probability = 0.5): boolean {
  return random() < probability;
}
