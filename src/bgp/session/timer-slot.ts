// A timer that can be started again and again: what RFC 4271 calls a timer, beside the Time it starts from.

import type { Clock, Timer } from '../../lib/clock.ts';

export class TimerSlot {
  readonly #clock: Clock;
  readonly #onExpiry: () => void;
  #timer: Timer | undefined;
  #dueAt = 0;

  constructor(clock: Clock, onExpiry: () => void) {
    this.#clock = clock;
    this.#onExpiry = onExpiry;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Milliseconds until it fires; undefined where it does not run. */
  get leftMs(): number | undefined {
    return this.#timer === undefined ? undefined : Math.max(0, this.#dueAt - this.#clock.now());
  }

  /** Starts, or starts anew. */
  start(ms: number): void {
    this.#timer?.cancel();
    this.#dueAt = this.#clock.now() + ms;
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#onExpiry();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
