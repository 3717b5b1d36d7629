// A clock that the test turns.

import type { Clock } from '../../src/lib/clock.ts';

export class ManualClock implements Clock {
  time = 0;
  #timers: { at: number; fn: () => void }[] = [];

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.time;
  }

  setTimer(delayMs: number, fn: () => void): { cancel(): void } {
    const timer = { at: this.time + delayMs, fn };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      },
    };
  }

  /** Timers that run. */
  get waiting(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.time = due.at;
      due.fn();
    }
    this.time = end;
  }
}
