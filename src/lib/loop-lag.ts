// How late this thread is: a timer that should fire every 50 ms measures by how much it does not. That is what
// everybody who waits for the loop feels, a peer's KEEPALIVE among them. Twenty ticks a second cost an idle process
// some hundred microseconds a second. Percentiles are of the last one to two minutes, the maximum of those and of all.

import type { Clock, Timer } from './clock.ts';

/** Milliseconds. */
export interface LagStats {
  readonly p50: number;
  readonly p99: number;
  /** Of the last one to two minutes. */
  readonly max: number;
  /** Since the start. */
  readonly longest: number;
}

const PERIOD_MS = 50;
const WINDOW_MS = 60_000;
/** Buckets grow by a fifth from a tenth of a millisecond: the 80th is beyond ten minutes. */
const BUCKETS = 100;
const SMALLEST_MS = 0.1;
const GROWTH = 1.2;
const LOG_GROWTH = Math.log(GROWTH);

interface Window {
  readonly counts: Uint32Array;
  total: number;
  max: number;
  readonly until: number;
}

export class LoopLag {
  readonly #clock: Clock;
  #before: Window;
  #window: Window;
  #longest = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#before = emptyWindow(clock.now());
    this.#window = emptyWindow(clock.now() + WINDOW_MS);
  }

  /** Begins to measure; `onTick` hears each lag in milliseconds. */
  start(onTick: (lagMs: number) => void = () => {}): void {
    this.#timer?.cancel();
    const due = this.#clock.now() + PERIOD_MS;
    this.#timer = this.#clock.setTimer(PERIOD_MS, () => {
      const lag = Math.max(0, this.#clock.now() - due);
      this.note(lag);
      this.start(onTick);
      onTick(lag);
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One sample. */
  note(lagMs: number): void {
    const now = this.#clock.now();
    if (now >= this.#window.until) {
      // After a long silence what was before is too old to count.
      const stale = now >= this.#window.until + WINDOW_MS;
      this.#before = stale ? emptyWindow(now) : this.#window;
      this.#window = emptyWindow(now + WINDOW_MS);
    }
    this.#window.counts[bucketOf(lagMs)]!++;
    this.#window.total++;
    this.#window.max = Math.max(this.#window.max, lagMs);
    this.#longest = Math.max(this.#longest, lagMs);
  }

  get stats(): LagStats {
    const max = Math.max(this.#before.max, this.#window.max);
    return { p50: this.#quantile(0.5), p99: this.#quantile(0.99), max, longest: this.#longest };
  }

  /** The upper bound of the bucket that the quantile is in, and never more than the maximum. */
  #quantile(share: number): number {
    const total = this.#before.total + this.#window.total;
    const max = Math.max(this.#before.max, this.#window.max);
    let left = Math.ceil(total * share);
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#before.counts[i]! + this.#window.counts[i]!;
      if (left <= 0) return Math.min(max, SMALLEST_MS * GROWTH ** i);
    }
    return max;
  }
}

function emptyWindow(until: number): Window {
  return { counts: new Uint32Array(BUCKETS), total: 0, max: 0, until };
}

function bucketOf(ms: number): number {
  if (ms <= SMALLEST_MS) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH));
}
