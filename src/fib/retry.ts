// Operations that failed wait here: lists by level, each level waits twice as long as the one before, one timer a
// level however many wait in it. An id that was taken care of otherwise may still come out; who gets it looks.

import type { Clock, Timer } from '../lib/clock.ts';

const FIRST_DELAY_MS = 1000;
/** 1, 2, 4, ... 64 seconds. */
const LEVELS = 7;

export class RetryLists {
  readonly #clock: Clock;
  readonly #onDue: (ids: readonly number[]) => void;
  readonly #lists: number[][] = Array.from({ length: LEVELS }, () => []);
  readonly #timers: (Timer | undefined)[] = new Array(LEVELS).fill(undefined);

  constructor(clock: Clock, onDue: (ids: readonly number[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Lets `id` come out again after the wait that `attempts` (1 or more) failures deserve. */
  add(id: number, attempts: number): void {
    const level = Math.min(Math.max(attempts, 1), LEVELS) - 1;
    this.#lists[level]!.push(id);
    this.#timers[level] ??= this.#clock.setTimer(FIRST_DELAY_MS << level, () => this.#release(level));
  }

  /** Everything comes out now: something changed that may have been the reason. */
  releaseAll(): void {
    for (let level = 0; level < LEVELS; level++) this.#release(level);
  }

  close(): void {
    for (const timer of this.#timers) timer?.cancel();
    this.#timers.fill(undefined);
  }

  #release(level: number): void {
    this.#timers[level]?.cancel();
    this.#timers[level] = undefined;
    const ids = this.#lists[level]!;
    if (ids.length === 0) return;
    this.#lists[level] = [];
    this.#onDue(ids);
  }
}
