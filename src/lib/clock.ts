// Time as a dependency. Everything that waits or stamps takes a Clock, so that the whole speaker runs on a
// simulated one. The only places that may touch Date, performance and setTimeout are this file and scheduler.ts.

// By import: the global one is an accessor, to be looked up and called at every look at the clock.
import { performance } from 'node:perf_hooks';

export interface Timer {
  /** Stops the timer; harmless when it has fired or was cancelled. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start. Use it for every interval. */
  now(): number;
  /** Wall-clock milliseconds since the Unix epoch. Use it only for what a person reads. */
  wallTime(): number;
  /** Calls `fn` once, `delayMs` from now (0 = in a later turn), and never before now() says that they have passed. */
  setTimer(delayMs: number, fn: () => void): Timer;
}

/** What Node can wait at a time; with more it calls at once. Long-Lived Stale Times are up to half a year (RFC 9494). */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delayMs, fn) {
    // Node counts whole milliseconds from a truncated start, so that it may be up to one early by now(). Who looks there
    // whether a limit has passed, finds that it has not, and would never be called again.
    const due = performance.now() + delayMs;
    const fire = (): void => {
      const left = due - performance.now();
      if (left > 0) handle = setTimeout(fire, Math.min(LONGEST_MS, Math.ceil(left)));
      else fn();
    };
    let handle = setTimeout(fire, Math.min(LONGEST_MS, delayMs));
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Waits so many milliseconds of the clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(ms, resolve));
}

/** Waits for `work`, but no longer than so many milliseconds; false where it was not done by then. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<false>((resolve) => {
    timer = clock.setTimer(ms, () => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer?.cancel();
  }
}

/** Randomness as a dependency: a number in [0, 1), as Math.random gives. */
export type Random = () => number;

/** RFC 4271 §10: a timer's value times a factor drawn anew from 0.75..1.0. */
export function jitter(ms: number, random: Random): number {
  return ms * (0.75 + 0.25 * random());
}
