// Routes that change all the time: UPDATEs of one prefix each at a fixed rate, every one different from what was
// announced before, so that each must show at every receiver. The first receiver's arrivals are timed; in the end all of
// them must have the last state of every route.

import type { Clock, Random, Timer } from '../../src/lib/clock.ts';
import { latencyOf } from '../statistics.ts';
import type { ChurnPlan, ChurnResult } from './plan.ts';
import { below } from './random.ts';
import type { SingleObserver } from './sink.ts';

/** In place of an attribute set or its hash: the route is not there. */
export const ABSENT = -1;
const TICK_MS = 1;

export interface ChurnChange {
  /** Number of the route, from 0. */
  readonly route: number;
  /** Index into the attribute sets given, or ABSENT for a withdrawal. */
  readonly set: number;
}

interface Pending {
  readonly hash: number;
  readonly at: number;
}

export interface ChurnInput {
  readonly plan: ChurnPlan;
  /** Of each attribute set that routes may get; at least two. */
  readonly hashes: readonly number[];
  readonly random: Random;
  readonly clock: Clock;
  /** Changes that are due together, in order. */
  send(changes: readonly ChurnChange[]): void;
}

export class Churn {
  readonly #input: ChurnInput;
  /** Last set announced of each route; a withdrawn one keeps it, so that it comes back with another. */
  readonly #sets: Int32Array;
  /** Hash of what each route was last sent with, or ABSENT. */
  readonly #sent: Float64Array;
  readonly #pending: Pending[][];
  readonly #observers: Receiver[] = [];
  readonly #delays: number[] = [];
  #changes = 0;
  #overtaken = 0;
  #wrong = 0;
  /** Routes that the first receiver has not as they were sent last. */
  #behind = 0;
  #stopped = true;
  #timer: Timer | undefined;

  constructor(input: ChurnInput) {
    const { routes } = input.plan;
    if (input.hashes.length < 2) throw new RangeError('churn needs at least two attribute sets');
    this.#input = input;
    this.#sets = new Int32Array(routes).fill(ABSENT);
    this.#sent = new Float64Array(routes).fill(ABSENT);
    this.#pending = Array.from({ length: routes }, () => []);
  }

  /** One more receiver; the first one is timed. */
  observer(): SingleObserver {
    const receiver: Receiver = {
      timed: this.#observers.length === 0,
      seen: new Float64Array(this.#sent.length).fill(ABSENT),
    };
    this.#observers.push(receiver);
    return {
      announced: (route, hash) => this.#arrived(receiver, route, hash),
      withdrawn: (route) => this.#arrived(receiver, route, ABSENT),
      reset: () => {
        receiver.seen.fill(ABSENT);
      },
    };
  }

  /** No more will be sent, and the first receiver has everything. */
  get done(): boolean {
    return this.#stopped && this.#behind === 0;
  }

  /** Goes on until `stop`, or for the seconds of the plan. */
  start(): void {
    const { plan, clock } = this.#input;
    const start = clock.now();
    const before = this.#changes;
    this.#stopped = false;
    const tick = (): void => {
      if (this.#stopped) return;
      const elapsed = Math.min(clock.now() - start, plan.seconds * 1000);
      const due = Math.floor((elapsed * plan.rate) / 1000);
      this.#send(before + due - this.#changes);
      if (elapsed >= plan.seconds * 1000) this.#stopped = true;
      else this.#timer = clock.setTimer(TICK_MS, tick);
    };
    this.#timer = clock.setTimer(TICK_MS, tick);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  result(): ChurnResult {
    const lost = this.#observers.map(({ seen }) =>
      seen.reduce((sum, hash, i) => sum + (hash === this.#sent[i] ? 0 : 1), 0),
    );
    return {
      sent: this.#changes,
      arrived: this.#delays.length,
      overtaken: this.#overtaken,
      wrong: this.#wrong,
      lost: lost.reduce((sum, count) => sum + count, 0),
      latency: latencyOf(this.#delays),
    };
  }

  #send(count: number): void {
    if (count <= 0) return;
    const at = this.#input.clock.now();
    const changes = Array.from({ length: count }, () => this.#next(at));
    this.#input.send(changes);
  }

  #next(at: number): ChurnChange {
    const { plan, hashes, random } = this.#input;
    const route = this.#changes++ % plan.routes;
    const known = this.#sent[route] !== ABSENT;
    const withdraw = known && random() < plan.withdrawShare;
    const last = this.#sets[route]!;
    let set = below(random, last === ABSENT ? hashes.length : hashes.length - 1);
    // Never the set that it had.
    if (last !== ABSENT && set >= last) set++;
    const hash = withdraw ? ABSENT : hashes[set]!;
    if (!withdraw) this.#sets[route] = set;
    this.#mark(route, () => {
      this.#sent[route] = hash;
    });
    this.#pending[route]!.push({ hash, at });
    return { route, set: withdraw ? ABSENT : set };
  }

  #arrived(receiver: Receiver, route: number, hash: number): void {
    if (!receiver.timed) {
      receiver.seen[route] = hash;
      return;
    }
    this.#mark(route, () => {
      receiver.seen[route] = hash;
    });
    const pending = this.#pending[route]!;
    const found = pending.findIndex((change) => change.hash === hash);
    if (found < 0) {
      this.#wrong++;
      return;
    }
    // A speaker may leave out what a newer change has replaced before it could send it.
    this.#overtaken += found;
    this.#delays.push(this.#input.clock.now() - pending[found]!.at);
    pending.splice(0, found + 1);
  }

  /** Keeps count of the routes that the first receiver has otherwise than they were sent. */
  #mark(route: number, change: () => void): void {
    const timed = this.#observers[0];
    const behind = (): number => (timed !== undefined && timed.seen[route] !== this.#sent[route] ? 1 : 0);
    const before = behind();
    change();
    this.#behind += behind() - before;
  }
}

interface Receiver {
  readonly timed: boolean;
  /** Hash of each route as received, or ABSENT. */
  readonly seen: Float64Array;
}
