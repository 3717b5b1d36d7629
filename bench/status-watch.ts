// Asks a daemon for its status all the time and keeps how long each answer took.

import type { Clock } from '../src/lib/clock.ts';
import type { StatusConnection } from './daemons/types.ts';
import { type Latency, latencyOf, withOmitted } from './statistics.ts';

/** Often enough to meet every longer stage, seldom enough to cost nothing. */
const INTERVAL_MS = 5;

export class StatusWatch {
  readonly #connection: StatusConnection;
  readonly #clock: Clock;
  readonly #delays: number[] = [];
  #running = true;
  readonly #end: Promise<void>;

  constructor(connection: StatusConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
    this.#end = this.#ask();
    // `stop` tells; until then nobody listens.
    this.#end.catch(() => undefined);
  }

  /** The delays so far, with those of the questions that a late answer kept from being asked. Rejects where one failed. */
  async stop(): Promise<Latency | undefined> {
    this.#running = false;
    await this.#end;
    return latencyOf(withOmitted(this.#delays, INTERVAL_MS));
  }

  async #ask(): Promise<void> {
    while (this.#running) {
      const start = this.#clock.now();
      await this.#connection.ask();
      const delay = this.#clock.now() - start;
      this.#delays.push(delay);
      const rest = Math.max(0, INTERVAL_MS - delay);
      await new Promise<void>((resolve) => this.#clock.setTimer(rest, resolve));
    }
  }
}
