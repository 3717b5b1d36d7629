// A timer that can be started again and again: what RFC 4271 calls a timer, beside the Time it starts from.

import type { Clock, Timer } from '../../lib/clock.ts';

export class TimerSlot {
  readonly #clock: Clock;
  readonly #onExpiry: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, onExpiry: () => void) {
    this.#clock = clock;
    this.#onExpiry = onExpiry;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts, or starts anew. */
  start(ms: number): void {
    this.#timer?.cancel();
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
