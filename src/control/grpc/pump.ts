// Long lists and watches on their way to a client that may read slowly, or stop. A list is walked in slices of a
// few milliseconds with the rest of the daemon's work between them, and only as fast as it is read; a watch keeps
// the newest event of each key until the client takes it, up to a bound.

import { systemClock } from '../../lib/clock.ts';

/** Where messages go: the writable half of a streaming call. */
export interface Sink {
  /** Returns false when the next message should wait for `onDrain`. */
  write(message: object): boolean;
  onceDrained(resume: () => void): void;
  end(): void;
  /** Ends the stream with an error for the client. */
  fail(error: unknown): void;
}

export interface PumpOptions {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs a function in a later turn of the event loop. */
  defer(fn: () => void): void;
  /** Milliseconds of work between two turns. */
  sliceMs: number;
  /** Entries of one message. */
  batchSize: number;
  /** Events that may wait for a slow watcher. */
  maxPending: number;
  /** Octets that they may hold, where they are large. */
  maxPendingOctets: number;
}

export const PUMP_DEFAULTS: PumpOptions = {
  now: systemClock.now,
  defer: (fn) => void setImmediate(fn),
  sliceMs: 4,
  batchSize: 128,
  maxPending: 65_536,
  maxPendingOctets: 1 << 25,
};

/** A watcher did not keep up. */
export class WatchOverflowError extends Error {
  constructor(limit: number, what = 'changes') {
    super(`The watcher fell more than ${limit} ${what} behind; list again and watch again.`);
    this.name = 'WatchOverflowError';
  }
}

/**
 * Sends `items` in messages of one field `batch`. An item that is undefined is not sent: it says that the source
 * looked at something in vain, so that a search that finds little still gives the loop back. Returns the function
 * that stops it.
 */
export function pumpList(
  items: Iterable<object | undefined>,
  batch: string,
  sink: Sink,
  options: PumpOptions,
): () => void {
  const iterator = items[Symbol.iterator]();
  let stopped = false;

  const slice = () => {
    if (stopped) return;
    try {
      const deadline = options.now() + options.sliceMs;
      do {
        const entries = take(iterator, options, deadline);
        const finished = entries.length < options.batchSize && entries.done;
        if (entries.length > 0 && !sink.write({ [batch]: entries.items }) && !finished) {
          sink.onceDrained(() => options.defer(slice));
          return;
        }
        if (finished) {
          stopped = true;
          sink.end();
          return;
        }
      } while (options.now() < deadline);
      options.defer(slice);
    } catch (error) {
      stopped = true;
      sink.fail(error);
    }
  };
  options.defer(slice);
  return () => {
    if (stopped) return;
    stopped = true;
    iterator.return?.();
  };
}

function take(
  iterator: Iterator<object | undefined>,
  options: PumpOptions,
  deadline: number,
): { items: object[]; length: number; done: boolean } {
  const items: object[] = [];
  while (items.length < options.batchSize) {
    const next = iterator.next();
    if (next.done === true) return { items, length: items.length, done: true };
    if (next.value !== undefined) items.push(next.value);
    if (options.now() >= deadline) break;
  }
  return { items, length: items.length, done: false };
}

export interface WatchPump {
  push(event: object): void;
  stop(): void;
}

/** Collects events and sends them in messages of the field `events`; at the bound it fails the stream. */
export function pumpWatch(
  keyOf: (event: object) => string,
  sink: Sink,
  options: PumpOptions,
  sizeOf: (event: object) => number = () => 0,
): WatchPump {
  const pending = new Map<string, object>();
  let stopped = false;
  let busy = false;
  let octets = 0;

  const overflow = (limit: number, what?: string) => {
    stopped = true;
    pending.clear();
    sink.fail(new WatchOverflowError(limit, what));
  };
  const flush = () => {
    busy = false;
    if (stopped || pending.size === 0) return;
    busy = true;
    const events: object[] = [];
    for (const [key, event] of pending) {
      pending.delete(key);
      octets -= sizeOf(event);
      events.push(event);
      if (events.length >= options.batchSize) break;
    }
    if (sink.write({ events })) options.defer(flush);
    else sink.onceDrained(() => options.defer(flush));
  };
  return {
    push(event) {
      if (stopped) return;
      const key = keyOf(event);
      // Taken out first, so that the newest change of a key is also sent at its own place in the order.
      const before = pending.get(key);
      if (before !== undefined) octets -= sizeOf(before);
      pending.delete(key);
      pending.set(key, event);
      octets += sizeOf(event);
      if (pending.size > options.maxPending) overflow(options.maxPending);
      else if (octets > options.maxPendingOctets) overflow(options.maxPendingOctets, 'octets');
      else if (!busy) {
        busy = true;
        options.defer(flush);
      }
    },
    stop() {
      stopped = true;
      pending.clear();
    },
  };
}
