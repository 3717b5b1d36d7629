import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DampingOptions,
  DampingTable,
  FLAP,
  MAXIMUM_PENALTY,
  penaltyCeiling,
  TICK_MS,
} from '../../src/rib/damping-table.ts';

const OPTIONS: DampingOptions = {
  halfLife: 900,
  suppress: 6000,
  reuse: 750,
  maxSuppressTime: 3600,
  testOnly: false,
};
const MINUTE = 60_000;
const NO_EVENTS = { onReuse: () => {}, onForget: () => {} };

describe('the figures', () => {
  it('a penalty halves with every half-life, and one flap adds to what is left', () => {
    const table = new DampingTable(OPTIONS);
    const record = table.flap(1, 0, FLAP.withdrawal, 0)!;
    expect(table.penaltyAt(record, 15 * MINUTE)).toBeCloseTo(500);
    table.flap(1, 0, FLAP.change, 15 * MINUTE);
    expect(table.penaltyAt(record, 15 * MINUTE)).toBeCloseTo(1000);
    expect(table.penaltyAt(record, 45 * MINUTE)).toBeCloseTo(250);
  });

  it('at the threshold the route is suppressed, and below the other one it is not any more', () => {
    const table = new DampingTable(OPTIONS);
    const reused: number[] = [];
    const events = { ...NO_EVENTS, onReuse: () => reused.push(now) };
    let now = 0;
    for (let i = 0; i < 5; i++) table.flap(1, 0, FLAP.withdrawal, now);
    const record = table.find(1, 0)!;
    expect(record).toMatchObject({ suppressed: false, flaps: 5, penalty: 5000 });
    table.flap(1, 0, FLAP.withdrawal, now);
    expect(record).toMatchObject({ suppressed: true, penalty: 6000 });
    // 6000 is 750 after three half-lives.
    expect(table.reuseIn(record, now)).toBe(45 * MINUTE + TICK_MS);
    for (; now <= 50 * MINUTE; now += TICK_MS) table.expire(now, events);
    expect(reused).toHaveLength(1);
    expect(reused[0]).toBeGreaterThan(45 * MINUTE);
    expect(reused[0]).toBeLessThanOrEqual(45 * MINUTE + TICK_MS);
    expect(record.suppressed).toBe(false);
  });

  it('however often it flaps, the route is used again in time after the last flap', () => {
    const table = new DampingTable(OPTIONS);
    for (let i = 0; i < 1000; i++) table.flap(1, 0, FLAP.withdrawal, 0);
    const record = table.find(1, 0)!;
    expect(record.penalty).toBe(12_000);
    expect(table.reuseIn(record, 0)).toBeLessThanOrEqual(60 * MINUTE + TICK_MS);
    expect(table.reuseIn(record, 0)).toBeGreaterThan(59 * MINUTE);
  });

  it('7196-6-1 penalties go up to 50000', () => {
    expect(MAXIMUM_PENALTY).toBeGreaterThanOrEqual(50_000);
    expect(penaltyCeiling({ ...OPTIONS, maxSuppressTime: 86_400 })).toBe(MAXIMUM_PENALTY);
    const table = new DampingTable({ ...OPTIONS, maxSuppressTime: 86_400 });
    for (let i = 0; i < 100; i++) table.flap(1, 0, FLAP.withdrawal, 0);
    expect(table.find(1, 0)!.penalty).toBe(MAXIMUM_PENALTY);
  });

  it('to be looked at only: nothing is suppressed', () => {
    const table = new DampingTable({ ...OPTIONS, testOnly: true });
    for (let i = 0; i < 9; i++) table.flap(1, 0, FLAP.withdrawal, 0);
    expect(table.find(1, 0)).toMatchObject({ suppressed: false, penalty: 9000 });
  });

  it('has room for so many routes, and counts what it cannot take', () => {
    const table = new DampingTable(OPTIONS, 2);
    expect([1, 2, 3, 1].map((id) => table.flap(id, 0, FLAP.change, 0) !== undefined)).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(table).toMatchObject({ size: 2, overflows: 1 });
  });

  it('forgets who has been quiet', () => {
    const table = new DampingTable(OPTIONS);
    const forgotten: number[] = [];
    table.flap(7, 0, FLAP.withdrawal, 0);
    table.flap(7, 9, FLAP.withdrawal, 0);
    for (let now = 0; now < 20 * MINUTE; now += TICK_MS) table.expire(now, NO_EVENTS);
    expect(table.size).toBe(2);
    for (let now = 20 * MINUTE; now < 25 * MINUTE; now += TICK_MS) {
      table.expire(now, { ...NO_EVENTS, onForget: ({ pathId }) => forgotten.push(pathId) });
    }
    expect(forgotten).toEqual([0, 9]);
    expect(table.size).toBe(0);
    expect([...table.values()]).toEqual([]);
  });
});

/** RFC 2439 as it reads: every route's figure is brought up to date at every moment, and compared. */
class Model {
  readonly routes = new Map<string, { penalty: number; suppressed: boolean }>();
  readonly #options: DampingOptions;

  constructor(options: DampingOptions) {
    this.#options = options;
  }

  pass(ms: number): void {
    const { halfLife, reuse } = this.#options;
    for (const [key, route] of this.routes) {
      route.penalty *= 0.5 ** (ms / 1000 / halfLife);
      if (route.penalty < reuse) route.suppressed = false;
      if (route.penalty < reuse / 2) this.routes.delete(key);
    }
  }

  flap(key: string, cost: number): void {
    const { suppress, testOnly } = this.#options;
    const route = this.routes.get(key) ?? { penalty: 0, suppressed: false };
    this.routes.set(key, route);
    route.penalty = Math.min(penaltyCeiling(this.#options), route.penalty + cost);
    if (route.penalty >= suppress && !testOnly) route.suppressed = true;
  }
}

describe('against a direct model', () => {
  const fallsOnTick = (seconds: number): boolean => (seconds * 1000) % TICK_MS === 0;
  const options = fc
    .record({
      halfLife: fc.integer({ min: 10, max: 2000 }),
      suppress: fc.integer({ min: 1500, max: 12_000 }),
      reuse: fc.integer({ min: 100, max: 1400 }),
      maxSuppressTime: fc.integer({ min: 60, max: 8000 }),
      testOnly: fc.boolean(),
    })
    // From the ceiling it takes so long to be used again, and so long to be forgotten: rounding would decide at a tick.
    .filter((o) => !fallsOnTick(o.maxSuppressTime) && !fallsOnTick(o.maxSuppressTime + o.halfLife));
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        prefix: fc.integer({ min: 1, max: 3 }),
        path: fc.nat(1),
        cost: fc.constantFrom(FLAP.withdrawal, FLAP.change),
        times: fc.integer({ min: 1, max: 8 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ ticks: fc.integer({ min: 1, max: 400 }) }) },
  );

  it('says the same of every route at every tick', () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 40 }), (given, steps) => {
        const table = new DampingTable(given);
        const model = new Model(given);
        const used = new Set<string>();
        let now = 0;
        const keyOf = ({ prefixId, pathId }: { prefixId: number; pathId: number }) => `${prefixId} ${pathId}`;
        const compare = (): void => {
          const said = [...table.values()].map((record) => ({
            key: keyOf(record),
            suppressed: record.suppressed,
            penalty: Math.round(table.penaltyAt(record, now)),
          }));
          const wanted = [...model.routes].map(([key, { penalty, suppressed }]) => ({
            key,
            suppressed,
            penalty: Math.round(penalty),
          }));
          const byKey = (a: { key: string }, b: { key: string }) => a.key.localeCompare(b.key);
          expect(said.sort(byKey)).toEqual(wanted.sort(byKey));
          expect(table.size).toBe(wanted.length);
        };
        for (const each of steps) {
          if ('ticks' in each) {
            for (let i = 0; i < each.ticks; i++) {
              now += TICK_MS;
              model.pass(TICK_MS);
              table.expire(now, {
                onReuse: (record) => used.add(keyOf(record)),
                onForget: (record) => expect(record.suppressed).toBe(false),
              });
              // Between two ticks the model is ahead by at most the one that comes.
              for (const record of table.values()) {
                const model1 = model.routes.get(keyOf(record));
                if (model1 !== undefined) expect(record.suppressed).toBe(model1.suppressed);
              }
            }
          } else {
            for (let i = 0; i < each.times; i++) {
              table.flap(each.prefix, each.path, each.cost, now);
              model.flap(`${each.prefix} ${each.path}`, each.cost);
            }
          }
          compare();
        }
      }),
      { numRuns: 60 },
    );
  });
});
