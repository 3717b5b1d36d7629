// What the log says of refused connections: a line for the first of each caller, and after so many lines a summary a
// minute, so that nobody can fill a disk by calling.

import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';

const SUMMARY_MS = 60_000;
const MS_PER_SECOND = 1000;
/** Callers with a line of their own between two summaries. */
const LINES = 8;

export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Callers that were named since the last summary, with the cause. */
  readonly #named = new Set<string>();
  readonly #byCause = new Map<string, number>();
  /** Bounded by the lines: who has none is counted together. */
  readonly #byAddress = new Map<string, number>();
  #unsaid = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  note(cause: string, address: string, port: number, why: string): void {
    this.#timer ??= this.#clock.setTimer(SUMMARY_MS, () => this.#summarize());
    const key = `${cause} ${address}`;
    if (!this.#named.has(key) && this.#named.size < LINES) {
      this.#named.add(key);
      this.#log.info({ address, port, cause }, `connection refused: ${why}`);
      return;
    }
    this.#unsaid++;
    this.#byCause.set(cause, (this.#byCause.get(cause) ?? 0) + 1);
    const place = this.#named.has(key) ? address : 'others';
    this.#byAddress.set(place, (this.#byAddress.get(place) ?? 0) + 1);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #summarize(): void {
    this.#timer = undefined;
    this.#named.clear();
    if (this.#unsaid === 0) return;
    const refused = Object.fromEntries(this.#byCause);
    const from = Object.fromEntries(this.#byAddress);
    const [busiest] = [...this.#byAddress].sort((a, b) => b[1] - a[1]);
    this.#log.warn(
      { refused, from },
      `${this.#unsaid} more connections refused within ${SUMMARY_MS / MS_PER_SECOND} s, most of them from ${busiest?.[0]}`,
    );
    this.#unsaid = 0;
    this.#byCause.clear();
    this.#byAddress.clear();
    this.#timer = this.#clock.setTimer(SUMMARY_MS, () => this.#summarize());
  }
}
