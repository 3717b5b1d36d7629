// Single routes whose way through the daemon is timed: sent one by one, each after the last one's arrival or at a fixed
// pace, and recognized when they arrive.

import type { Clock, Timer } from '../../src/lib/clock.ts';
import { latencyOf } from '../statistics.ts';
import type { ProbePlan, ProbeResult } from './plan.ts';

export type Pace = 'after-arrival' | 'fixed';

export class Probes {
  readonly #messages: readonly Uint8Array[];
  readonly #gapMs: number;
  readonly #clock: Clock;
  readonly #send: (message: Uint8Array) => void;
  readonly #sentAt: number[] = [];
  readonly #delays: number[] = [];
  readonly #arrived: boolean[] = [];
  #pace: Pace = 'after-arrival';
  #timer: Timer | undefined;
  #stopped = true;
  /** Arrived with other attributes than announced. */
  wrong = 0;

  /** `messages`: one UPDATE a probe. */
  constructor(
    messages: readonly Uint8Array[],
    plan: ProbePlan,
    clock: Clock,
    send: (message: Uint8Array) => void,
  ) {
    this.#messages = messages;
    this.#gapMs = plan.gapMs;
    this.#clock = clock;
    this.#send = send;
  }

  get sent(): number {
    return this.#sentAt.length;
  }

  /** No more will be sent, and all that were sent have arrived. */
  get done(): boolean {
    return this.#stopped && this.#delays.length === this.sent;
  }

  start(pace: Pace): void {
    this.#pace = pace;
    this.#stopped = this.#messages.length === 0;
    this.#next();
  }

  /** Sends no more; those on their way may still arrive. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** A probe was received. Later copies of it do not count. */
  arrived(number: number, right: boolean): void {
    if (!right) this.wrong++;
    const sentAt = this.#sentAt[number];
    if (sentAt === undefined || this.#arrived[number] === true) return;
    this.#arrived[number] = true;
    this.#delays.push(this.#clock.now() - sentAt);
    if (this.#pace === 'after-arrival' && !this.#stopped) this.#later();
  }

  result(): ProbeResult {
    return { sent: this.sent, arrived: this.#delays.length, latency: latencyOf(this.#delays) };
  }

  #next(): void {
    const message = this.#messages[this.sent];
    if (message === undefined) return;
    this.#sentAt.push(this.#clock.now());
    this.#send(message);
    if (this.sent === this.#messages.length) this.#stopped = true;
    else if (this.#pace === 'fixed') this.#later();
  }

  #later(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#gapMs, () => {
      if (!this.#stopped) this.#next();
    });
  }
}
