// Simulated time: nothing moves until advance() says so, and then everything happens in one fixed order (by due
// time, then by the order in which it was asked for). Each process of a simulation has a clock of its own on top of
// it, which ends with the process, can be stopped with it and whose wall time can jump.

import type { Clock, Timer } from '../lib/clock.ts';

/** Callbacks that may run without time passing; more is a loop that never ends. */
const MAX_CALLBACKS_AT_ONE_INSTANT = 1_000_000;

/** How far a process that looks at its clock all the time gets ahead of the others. */
const MOST_AHEAD_MS = 20;

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

export class SimClock implements Clock {
  #now = 0;
  #order = 0;
  #ran = 0;
  readonly #wallStart: number;
  /** Binary heap by (due, order). */
  readonly #heap: Entry[] = [];

  constructor(wallStart = Date.UTC(2030, 0, 1)) {
    this.#wallStart = wallStart;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallStart + this.#now;
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const entry: Entry = {
      due: this.#now + Math.max(0, delayMs),
      order: this.#order++,
      fn,
      cancelled: false,
    };
    push(this.#heap, entry);
    return {
      cancel() {
        entry.cancelled = true;
      },
    };
  }

  /** A turn of the event loop at the same instant, after what is already waiting for it. */
  readonly defer = (fn: () => void): void => {
    this.setTimer(0, fn);
  };

  /** Lets `ms` pass; runs everything that falls due, what that starts included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    let atInstant = 0;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.due > end) break;
      pop(this.#heap);
      if (next.cancelled) continue;
      atInstant = next.due > this.#now ? 0 : atInstant + 1;
      if (atInstant > MAX_CALLBACKS_AT_ONE_INSTANT) throw new Error(`time stands still at ${this.#now} ms`);
      this.#now = next.due;
      this.#ran++;
      next.fn();
    }
    this.#now = end;
  }

  /** Runs what is due now, without letting time pass. */
  settle(): void {
    this.advance(0);
  }

  /** Advances step by step until `condition` holds; false when it does not within `limitMs`. */
  advanceUntil(condition: () => boolean, limitMs: number, stepMs = 10): boolean {
    for (let passed = 0; ; passed += stepMs) {
      this.settle();
      if (condition()) return true;
      if (passed >= limitMs) return false;
      this.advance(stepMs);
    }
  }

  /** The simulation's own time, whatever is made of `now`. */
  get instant(): number {
    return this.#now;
  }

  /** When the next callback is due; undefined = never. */
  get nextDue(): number | undefined {
    while (this.#heap[0]?.cancelled === true) pop(this.#heap);
    return this.#heap[0]?.due;
  }

  /** Something is due at this instant. */
  get busy(): boolean {
    const { nextDue } = this;
    return nextDue !== undefined && nextDue <= this.#now;
  }

  /** Timers that wait and were not cancelled. */
  get pending(): number {
    return this.#heap.filter((entry) => !entry.cancelled).length;
  }

  /** Callbacks run so far. */
  get callbacks(): number {
    return this.#ran;
  }
}

/** The time of one process: what it waits for ends with it, and is late while it is stopped. */
export class ProcessClock implements Clock {
  readonly #base: SimClock;
  #alive = true;
  #stopped = false;
  readonly #late: (() => void)[] = [];
  /** What the machine's wall clock is wrong by, in milliseconds. */
  wallOffset = 0;
  /** Milliseconds that pass between two looks at the clock: over half a slice, every walk is cut into pieces. */
  lookMs = 0;
  #seen = 0;

  constructor(base: SimClock) {
    this.#base = base;
  }

  get alive(): boolean {
    return this.#alive;
  }

  now(): number {
    const now = this.#base.now();
    this.#seen = Math.max(now, Math.min(this.#seen + this.lookMs, now + MOST_AHEAD_MS));
    return this.#seen;
  }

  wallTime(): number {
    return this.#base.wallTime() + this.wallOffset;
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    // Also what fell due while the process was stopped can be cancelled by what runs before it.
    let cancelled = false;
    const timer = this.#base.setTimer(delayMs, () => {
      this.run(() => {
        if (!cancelled) fn();
      });
    });
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  readonly defer = (fn: () => void): void => {
    this.setTimer(0, fn);
  };

  /** Calls `fn` now, or when the process goes on, or never where it has ended. */
  run(fn: () => void): void {
    if (!this.#alive) return;
    if (this.#stopped) this.#late.push(fn);
    else fn();
  }

  /** The process has ended: none of its callbacks runs any more. */
  end(): void {
    this.#alive = false;
    this.#late.length = 0;
  }

  /** SIGSTOP: time goes on, the process does not. */
  stop(): void {
    this.#stopped = true;
  }

  /** SIGCONT: everything that was due happens late, in order. */
  goOn(): void {
    this.#stopped = false;
    for (const fn of this.#late.splice(0)) this.setTimer(0, fn);
  }

  get stopped(): boolean {
    return this.#stopped;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let i = heap.length;
  heap.push(entry);
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(entry, heap[parent]!)) break;
    heap[i] = heap[parent]!;
    i = parent;
  }
  heap[i] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[i] = heap[child]!;
    i = child;
  }
  heap[i] = last;
}
