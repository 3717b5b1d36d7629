// Lines that debugging writes, as many as a log can bear: what is above that is counted, and told once a second. Nothing
// waits here, and nothing is kept.

import type { Clock, Timer } from '../../lib/clock.ts';

/** A full table is told of within some minutes, and sessions, decisions and probes have most of the time for themselves. */
const MOST_A_SECOND = 5000;
const SECOND_MS = 1000;

export class TraceLines {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;
  #lost = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  write(line: string): void {
    const now = this.#clock.now();
    if (now - this.#since >= SECOND_MS) {
      this.#since = now;
      this.#count = 0;
    }
    if (this.#count < MOST_A_SECOND) {
      this.#count++;
      this.#write(line);
      return;
    }
    this.#lost++;
    this.#timer ??= this.#clock.setTimer(SECOND_MS, () => this.flush());
  }

  /** Tells of what was left out. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#lost > 0) this.#write(`... ${this.#lost} lines of debugging were left out: too many at a time`);
    this.#lost = 0;
  }
}
