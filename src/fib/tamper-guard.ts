// Own routes that others delete or change come back at once, but two daemons that want the same prefix must not fight
// for ever: a prefix that is changed again and again waits longer each time, and is spoken of once.

import type { Clock } from '../lib/clock.ts';

/** Changes by others within the window that are repaired at once. */
const FREE_REPAIRS = 3;
const WINDOW_MS = 60_000;
/** Prefixes remembered; beyond that the oldest is forgotten. */
const MAX_REMEMBERED = 4096;

interface Record {
  count: number;
  last: number;
}

export class TamperGuard {
  readonly #clock: Clock;
  readonly #records = new Map<number, Record>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Somebody changed the route of `id`. Returns 0 where it is to be repaired at once, else how many times in a row it
   * was too much: 1 = the first time (tell a person), and the wait grows with it.
   */
  tampered(id: number): number {
    const now = this.#clock.now();
    const record = this.#records.get(id) ?? { count: 0, last: now };
    if (now - record.last > WINDOW_MS * Math.max(1, record.count - FREE_REPAIRS)) record.count = 0;
    record.count++;
    record.last = now;
    this.#records.delete(id);
    this.#records.set(id, record);
    if (this.#records.size > MAX_REMEMBERED) {
      const oldest = this.#records.keys().next();
      if (!oldest.done) this.#records.delete(oldest.value);
    }
    return Math.max(0, record.count - FREE_REPAIRS);
  }

  forget(id: number): void {
    this.#records.delete(id);
  }
}
