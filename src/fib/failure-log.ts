// What the kernel refused, in words: one line in the log for each kind of failure and time, however many routes share
// it, and the sentence that a route's state shows.

import type { Clock } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/log.ts';
import { ERRNO, explainErrno } from './errno.ts';
import type { RouteFailure } from './types.ts';

const LOG_INTERVAL_MS = 10_000;

export class FailureLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The kernel's own words, by errno. */
  readonly #words = new Map<number, string>();
  readonly #lastLog = new Map<number, number>();
  #waitsForLink = false;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  note(failure: RouteFailure, fields: LogFields, message: string): void {
    if (failure.text !== undefined) this.#words.set(failure.errno, failure.text);
    if (failure.errno === ERRNO.ENETDOWN) {
      this.#noteDown(fields);
      return;
    }
    const now = this.#clock.now();
    const last = this.#lastLog.get(failure.errno);
    if (last !== undefined && now - last < LOG_INTERVAL_MS) return;
    this.#lastLog.set(failure.errno, now);
    this.#log.warn({ ...fields, reason: explainErrno(failure.errno, failure.text) }, message);
  }

  /** What was down may be up: from now on it is news again that something is not. */
  linkCameUp(): void {
    this.#waitsForLink = false;
  }

  /** Nothing is wrong with the route, and to try again before the interface is up is of no use: it is said once. */
  #noteDown(fields: LogFields): void {
    if (this.#waitsForLink) return;
    this.#waitsForLink = true;
    this.#log.info(fields, 'kernel routes wait for an interface that is down');
  }

  /** Why a route is not installed as wanted; errno 0 means that it was, and that others keep changing it. */
  describe(errno: number, attempts: number): string {
    if (errno === 0) return 'somebody else keeps changing this route';
    const tries = `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
    return `${explainErrno(errno, this.#words.get(errno))} (${tries})`;
  }
}
