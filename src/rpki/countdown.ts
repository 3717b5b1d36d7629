// A timer that can say how much of it is left.

import type { Clock, Timer } from '../lib/clock.ts';
import type { CountdownView } from './cache-types.ts';

export class Countdown {
  readonly #clock: Clock;
  readonly #fire: () => void;
  #timer: Timer | undefined;
  #end = 0;
  #of = 0;

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  get view(): CountdownView | undefined {
    if (this.#timer === undefined) return undefined;
    return { left: Math.max(0, this.#end - this.#clock.now()), of: this.#of };
  }

  /** Begins anew; so much of it has passed already. Milliseconds. */
  start(ms: number, passed = 0): void {
    const left = Math.max(0, ms - passed);
    this.#timer?.cancel();
    this.#of = ms;
    this.#end = this.#clock.now() + left;
    this.#timer = this.#clock.setTimer(left, () => {
      this.#timer = undefined;
      this.#fire();
    });
  }

  /** Another length from where it began, milliseconds; nothing where it does not run. */
  change(ms: number): void {
    const { view } = this;
    if (view !== undefined) this.start(ms, view.of - view.left);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
