import { describe, expect, it } from 'vitest';
import { SimClock } from '../../src/sim/clock.ts';
import { FairReading, type Readable } from '../../src/speaker/fair-reading.ts';

const READ_MS = 3;
const UPDATES_PER_READ = 30;
/** Enough for a look at the clock after each. */
const PREFIXES_PER_UPDATE = 64;

/** A peer that has so many reads' worth to say, one at a time, each some milliseconds of work. */
class Talker implements Readable {
  reading = true;
  reads = 0;
  left: number;
  readonly cost: number;

  constructor(left: number, cost = READ_MS) {
    this.left = left;
    this.cost = cost;
  }

  pauseReading(): void {
    this.reading = false;
  }

  resumeReading(): void {
    this.reading = true;
  }
}

function setup() {
  const clock = new SimClock();
  const deferred: (() => void)[] = [];
  const state = { backlog: 0 };
  const fair = new FairReading(
    clock,
    (fn) => void deferred.push(fn),
    () => state.backlog,
  );
  /** One turn of the loop: whoever may be read is read once, and then what was deferred runs. */
  const turn = (talkers: readonly Talker[]): void => {
    for (const talker of talkers) {
      if (!talker.reading || talker.left === 0) continue;
      talker.left--;
      talker.reads++;
      for (let i = 0; i < UPDATES_PER_READ; i++) {
        clock.advance(talker.cost / UPDATES_PER_READ);
        fair.note(talker, PREFIXES_PER_UPDATE, 0);
      }
    }
    // Stages have a part of each turn as well.
    clock.advance(1);
    for (const fn of deferred.splice(0)) fn();
  };
  return { clock, state, fair, turn };
}

const ENDLESS = Number.POSITIVE_INFINITY;

describe('fair reading', () => {
  it('lets one that is alone go on, turn by turn', () => {
    const { turn } = setup();
    const alone = new Talker(ENDLESS, 20);
    for (let i = 0; i < 1000; i++) turn([alone]);
    expect(alone.reads).toBe(1000);
  });

  it('shares alike among those that have had alike', () => {
    const { turn } = setup();
    const all = [new Talker(ENDLESS), new Talker(ENDLESS), new Talker(ENDLESS)];
    for (let i = 0; i < 3000; i++) turn(all);
    const reads = all.map((talker) => talker.reads);
    expect(Math.max(...reads) - Math.min(...reads)).toBeLessThan(0.1 * Math.max(...reads));
  });

  it('lets one that has flooded for long wait for a table that comes', () => {
    const { turn } = setup();
    const flood = new Talker(ENDLESS);
    for (let i = 0; i < 2000; i++) turn([flood]);
    const before = flood.reads;
    const table = new Talker(300);
    let turns = 0;
    for (; table.left > 0; turns++) turn([flood, table]);
    // Never nothing, and never much.
    const meanwhile = flood.reads - before;
    expect(meanwhile).toBeGreaterThan(5);
    expect(meanwhile).toBeLessThan(45);
    expect(turns).toBeLessThan(330);
    // And afterwards as before.
    const after = flood.reads;
    for (let i = 0; i < 100; i++) turn([flood, table]);
    expect(flood.reads - after).toBeGreaterThan(95);
  });

  it('waits for nobody who says a little all the time', () => {
    const { turn } = setup();
    const table = new Talker(ENDLESS);
    const trickle = new Talker(ENDLESS, 0.1);
    for (let i = 0; i < 1000; i++) turn([table, trickle]);
    expect(table.reads).toBeGreaterThan(990);
    expect(trickle.reads).toBeGreaterThan(990);
  });

  it('forgives what was long ago', () => {
    const { clock, turn } = setup();
    const [one, other] = [new Talker(300), new Talker(ENDLESS)];
    while (one.left > 0) turn([one]);
    clock.advance(120_000);
    one.left = ENDLESS;
    const before = one.reads;
    for (let i = 0; i < 300; i++) turn([one, other]);
    expect(one.reads - before).toBeGreaterThan(0.8 * other.reads);
  });

  it('reads nothing while much waits for the stages, and goes on at half of it', () => {
    const { state, turn } = setup();
    const talker = new Talker(ENDLESS);
    state.backlog = 20_000;
    turn([talker]);
    for (let i = 0; i < 10; i++) turn([talker]);
    expect(talker.reads).toBe(1);
    state.backlog = 9000;
    turn([talker]);
    expect(talker.reading).toBe(false);
    state.backlog = 8000;
    turn([talker]);
    expect(talker.reading).toBe(true);
  });

  it('holds whoever is paused until it is released', () => {
    const { fair, turn } = setup();
    const talker = new Talker(ENDLESS, 20);
    fair.hold();
    for (let i = 0; i < 10; i++) turn([talker]);
    expect([talker.reads, talker.reading]).toEqual([1, false]);
    fair.release();
    expect(talker.reading).toBe(true);
  });
});
