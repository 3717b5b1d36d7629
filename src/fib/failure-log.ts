// What the kernel refused, in words: one line in the log for each kind of failure and time, however many routes share
// it, and the sentence that a route's state shows.

import type { Clock, Timer } from '../lib/clock.ts';
import type { LogFields, Logger } from '../lib/log.ts';
import { ERRNO, explainErrno } from './errno.ts';
import type { RouteFailure } from './types.ts';

const LOG_INTERVAL_MS = 10_000;
/** Most routes of an interface fail within this time, and none is tried again before. */
const COUNT_MS = 500;
/** Stands for an interface that the kernel finds by itself. */
const ANY_LINK = 0;

export class FailureLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The kernel's own words, by errno. */
  readonly #words = new Map<number, string>();
  readonly #lastLog = new Map<number, number>();
  /** Interfaces (ifindex) that routes wait for, and of which that is known. */
  readonly #awaited = new Set<number>();
  /** Routes that have come to wait since the one of the next line. */
  #waiting = 0;
  #waitTimer: Timer | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `links`: interfaces (ifindex) that the route leads through; undefined for one that it does not name. */
  note(
    failure: RouteFailure,
    fields: LogFields,
    message: string,
    links: readonly (number | undefined)[],
  ): void {
    if (failure.text !== undefined) this.#words.set(failure.errno, failure.text);
    if (failure.errno === ERRNO.ENETDOWN) {
      this.#noteDown(fields, links);
      return;
    }
    const now = this.#clock.now();
    const last = this.#lastLog.get(failure.errno);
    if (last !== undefined && now - last < LOG_INTERVAL_MS) return;
    this.#lastLog.set(failure.errno, now);
    this.#log.warn({ ...fields, reason: explainErrno(failure.errno, failure.text) }, message);
  }

  /** From now on it is news again that this interface is down. */
  linkCameUp(ifindex: number): void {
    this.#awaited.delete(ifindex);
    this.#awaited.delete(ANY_LINK);
  }

  close(): void {
    this.#waitTimer?.cancel();
  }

  /**
   * Nothing is wrong with the route, and to try again before the interface is up is of no use: one line an outage, with
   * how many routes it concerns. Of several interfaces the kernel does not say which is down.
   */
  #noteDown(fields: LogFields, links: readonly (number | undefined)[]): void {
    this.#waiting++;
    const through = links.length === 0 ? [ANY_LINK] : links.map((link) => link ?? ANY_LINK);
    const isKnown = through.some((link) => this.#awaited.has(link));
    for (const link of through) this.#awaited.add(link);
    if (isKnown || this.#waitTimer !== undefined) return;
    this.#waiting = 1;
    this.#waitTimer = this.#clock.setTimer(COUNT_MS, () => {
      this.#waitTimer = undefined;
      const waiting = { ...fields, failed: this.#waiting };
      this.#log.info(waiting, 'kernel routes wait for an interface that is down');
    });
  }

  /** Why a route is not installed as wanted; errno 0 means that it was, and that others keep changing it. */
  describe(errno: number, attempts: number): string {
    if (errno === 0) return 'somebody else keeps changing this route';
    const tries = `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
    return `${explainErrno(errno, this.#words.get(errno))} (${tries})`;
  }
}
