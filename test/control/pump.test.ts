import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  PUMP_DEFAULTS,
  type PumpOptions,
  pumpList,
  pumpWatch,
  type Sink,
  WatchOverflowError,
} from '../../src/control/grpc/pump.ts';

/** A sink that is full after `room` messages, and a clock that only moves when the test or an item says so. */
class Bench implements Sink {
  readonly messages: Record<string, object[]>[] = [];
  readonly turns: (() => void)[] = [];
  ended = false;
  failure: unknown;
  room = Number.POSITIVE_INFINITY;
  time = 0;
  #resume: (() => void) | undefined;
  readonly options: PumpOptions = {
    ...PUMP_DEFAULTS,
    now: () => this.time,
    defer: (fn) => void this.turns.push(fn),
    batchSize: 10,
    sliceMs: 4,
  };

  write(message: Record<string, object[]>): boolean {
    this.messages.push(message);
    this.room--;
    return this.room > 0;
  }
  onceDrained(resume: () => void): void {
    this.#resume = resume;
  }
  end(): void {
    this.ended = true;
  }
  fail(error: unknown): void {
    this.failure = error;
  }
  drain(room: number): void {
    this.room = room;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
  get waiting(): boolean {
    return this.#resume !== undefined;
  }
  /** Runs one turn of the event loop; false when there is nothing to do. */
  turn(): boolean {
    const fn = this.turns.shift();
    fn?.();
    return fn !== undefined;
  }
  run(): void {
    while (this.turn());
  }
  get sent(): object[] {
    return this.messages.flatMap((message) => Object.values(message).flat());
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

describe('lists', () => {
  test('arrive whole and in order, whatever their length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 12 }), (count, batchSize) => {
        const bench = new Bench();
        pumpList(numbers(count), 'items', bench, { ...bench.options, batchSize });
        bench.run();
        expect(bench.sent).toEqual(numbers(count));
        expect(bench.ended).toBe(true);
        expect(bench.messages).toHaveLength(Math.ceil(count / batchSize));
        expect(bench.messages.every((message) => message['items']!.length <= batchSize)).toBe(true);
      }),
    );
  });

  test('give the loop back after a slice, even in the middle of a batch', () => {
    const bench = new Bench();
    function* slow() {
      for (const item of numbers(20)) {
        bench.time += 1;
        yield item;
      }
    }
    pumpList(slow(), 'items', bench, bench.options);
    bench.turn();
    expect(bench.sent).toHaveLength(4);
    bench.turn();
    expect(bench.sent).toHaveLength(8);
    bench.run();
    expect(bench.sent).toHaveLength(20);
  });

  test('give the loop back while nothing is found, and send nothing for it', () => {
    const bench = new Bench();
    function* sparse() {
      for (let n = 0; n < 100; n++) {
        bench.time += 1;
        yield n === 50 ? { n } : undefined;
      }
    }
    pumpList(sparse(), 'items', bench, bench.options);
    let turns = 0;
    while (bench.turn()) turns++;
    expect(bench.messages).toEqual([{ items: [{ n: 50 }] }]);
    expect([turns, bench.ended]).toEqual([26, true]);
  });

  test('wait for the reader', () => {
    const bench = new Bench();
    let taken = 0;
    function* counted() {
      for (const item of numbers(100)) {
        taken++;
        yield item;
      }
    }
    bench.room = 2;
    pumpList(counted(), 'items', bench, bench.options);
    bench.run();
    expect([taken, bench.waiting, bench.ended]).toEqual([20, true, false]);
    bench.drain(1);
    bench.run();
    expect([taken, bench.waiting]).toEqual([30, true]);
    bench.drain(Number.POSITIVE_INFINITY);
    bench.run();
    expect([bench.sent.length, bench.ended]).toEqual([100, true]);
  });

  test('stop for a client that is gone, and close the iterator', () => {
    const bench = new Bench();
    let closed = false;
    function* endless() {
      try {
        for (;;) {
          bench.time += 1;
          yield {};
        }
      } finally {
        closed = true;
      }
    }
    const stop = pumpList(endless(), 'items', bench, bench.options);
    bench.turn();
    stop();
    stop();
    bench.run();
    expect([closed, bench.sent.length, bench.ended]).toEqual([true, 4, false]);
  });

  test('tell the client what went wrong in the middle', () => {
    const bench = new Bench();
    const fault = new Error('gone');
    function* broken() {
      yield {};
      throw fault;
    }
    pumpList(broken(), 'items', bench, bench.options);
    bench.run();
    expect(bench.failure).toBe(fault);
    expect(bench.ended).toBe(false);
  });
});

describe('watches', () => {
  const keyOf = (event: object): string => ('key' in event ? String(event.key) : '');
  const start = (bench: Bench) => pumpWatch(keyOf, bench, { ...bench.options, maxPending: 5, batchSize: 3 });

  test('send the newest event of each key', () => {
    const bench = new Bench();
    const watch = start(bench);
    watch.push({ key: 'a', n: 1 });
    watch.push({ key: 'b', n: 2 });
    watch.push({ key: 'a', n: 3 });
    bench.run();
    expect(bench.sent).toEqual([
      { key: 'b', n: 2 },
      { key: 'a', n: 3 },
    ]);
    watch.push({ key: 'a', n: 4 });
    bench.run();
    expect(bench.sent.at(-1)).toEqual({ key: 'a', n: 4 });
  });

  test('merge while the reader is slow, and go on when it reads', () => {
    const bench = new Bench();
    const watch = start(bench);
    bench.room = 1;
    watch.push({ key: 'a', n: 1 });
    bench.run();
    for (let n = 2; n < 1000; n++) watch.push({ key: 'a', n });
    bench.run();
    expect(bench.sent).toEqual([{ key: 'a', n: 1 }]);
    bench.drain(10);
    bench.run();
    expect(bench.sent).toEqual([
      { key: 'a', n: 1 },
      { key: 'a', n: 999 },
    ]);
  });

  test('are ended when they fall too far behind', () => {
    const bench = new Bench();
    const watch = start(bench);
    for (let n = 0; n < 20; n++) watch.push({ key: n });
    bench.run();
    expect(bench.failure).toBeInstanceOf(WatchOverflowError);
    expect(bench.sent).toEqual([]);
  });

  test('are ended when what waits is too large, which what was sent or replaced is no part of', () => {
    const bench = new Bench();
    const options = { ...bench.options, maxPendingOctets: 10 };
    const sizeOf = (event: object): number => ('size' in event ? Number(event.size) : 0);
    const watch = pumpWatch(keyOf, bench, options, sizeOf);
    for (let n = 0; n < 10; n++) {
      watch.push({ key: n, size: 6 });
      watch.push({ key: n, size: 10 });
      bench.run();
    }
    expect(bench.sent).toHaveLength(10);
    watch.push({ key: 'a', size: 6 });
    watch.push({ key: 'b', size: 5 });
    expect(bench.failure).toMatchObject({ message: expect.stringContaining('more than 10 octets behind') });
  });

  test('send nothing once stopped', () => {
    const bench = new Bench();
    const watch = start(bench);
    watch.push({ key: 'a' });
    watch.stop();
    watch.push({ key: 'b' });
    bench.run();
    expect(bench.sent).toEqual([]);
  });
});
