// Simulated time: nothing moves until advance() says so, and then everything happens in one fixed order (by due
// time, then by the order in which it was asked for). Also a Defer for the scheduler, whose turns take no time.

import type { Clock, Timer } from '../../src/lib/clock.ts';

/** Callbacks that may run without time passing; more is a loop that never ends. */
const MAX_CALLBACKS_AT_ONE_INSTANT = 1_000_000;

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

export class SimClock implements Clock {
  #now = 0;
  #order = 0;
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

  /** Something is due at this instant. */
  get busy(): boolean {
    return this.#heap.some((entry) => !entry.cancelled && entry.due <= this.#now);
  }

  /** Timers that wait and were not cancelled. */
  get pending(): number {
    return this.#heap.filter((entry) => !entry.cancelled).length;
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

/** A seeded generator in [0, 1) (mulberry32), for runs that can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
