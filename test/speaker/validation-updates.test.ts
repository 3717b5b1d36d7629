import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../src/lib/scheduler.ts';
import { ROA } from '../../src/policy/route-access.ts';
import { PrefixValue } from '../../src/policy/values.ts';
import { RecordBatch } from '../../src/rpki/record-batch.ts';
import { SimClock } from '../../src/sim/clock.ts';
import type { TableChanges } from '../../src/speaker/validation-job.ts';
import { type CacheSource, ValidationTables } from '../../src/speaker/validation-tables.ts';
import { aspaOf, prefixPdu, type WireVrp } from '../support/rtr-cache.ts';

const TABLES = { roa4: 'r4', roa6: 'r6', aspa: 'at', ignoreMaxLength: false };

function batchOf(steps: readonly { readonly vrp: WireVrp; readonly announce: boolean }[]): RecordBatch {
  const batch = new RecordBatch();
  for (const { vrp, announce } of steps) batch.take(prefixPdu(1, vrp, announce), 0);
  return batch;
}

function rig(sliceMs = 5) {
  const clock = new SimClock();
  const changes: TableChanges[] = [];
  const tables = new ValidationTables(
    clock,
    new Scheduler(clock, { sliceMs, defer: clock.defer }),
    (change) => changes.push(change),
  );
  const cache = (name: string, ignoreMaxLength = false): CacheSource => {
    const source = { name, tables: { ...TABLES, ignoreMaxLength } };
    tables.attach(source);
    return source;
  };
  const apply = (source: CacheSource, whole: boolean, records: RecordBatch): string => {
    let outcome = 'nothing';
    tables.apply(source, { whole, records }, (problem) => {
      outcome = problem === undefined ? 'applied' : `${problem.kind} ${problem.family} ${problem.index}`;
    });
    clock.advance(1);
    return outcome;
  };
  const check = (vrp: WireVrp): number =>
    tables.roaCheck(
      vrp.prefix.length === 4 ? 'r4' : 'r6',
      new PrefixValue(Uint8Array.from(vrp.prefix), vrp.bits),
      vrp.asn,
    );
  return { tables, clock, changes, cache, apply, check };
}

const A: WireVrp = { prefix: [10, 0, 0, 0], bits: 8, maxLength: 16, asn: 1 };
const B: WireVrp = { prefix: [10, 1, 0, 0], bits: 16, maxLength: 16, asn: 2 };
const C: WireVrp = { prefix: [0x20, 1, 0xd, 0xb8, ...Array(12).fill(0)], bits: 32, maxLength: 48, asn: 3 };

describe('updates of caches', () => {
  it('count as a whole or not at all', () => {
    const { cache, apply, check, changes } = rig();
    const one = cache('one');
    expect(apply(one, true, batchOf([A, C].map((vrp) => ({ vrp, announce: true }))))).toBe('applied');
    expect([check(A), check(C)]).toEqual([ROA.valid, ROA.valid]);
    const contradictory = [
      { vrp: A, announce: false },
      { vrp: B, announce: true },
      { vrp: C, announce: true },
    ];
    expect(apply(one, false, batchOf(contradictory))).toBe('duplicate ipv6 0');
    expect([check(A), check(B), check(C)]).toEqual([ROA.valid, ROA.invalid, ROA.valid]);
    expect(apply(one, false, batchOf([{ vrp: B, announce: false }]))).toBe('unknown ipv4 0');
    expect(changes).toHaveLength(1);
  });

  it('of a whole kind replace all that the cache has said, and nothing of the others (8210-10-1)', () => {
    const { cache, apply, check, tables } = rig();
    const [one, two] = [cache('one'), cache('two')];
    apply(one, true, batchOf([A, B].map((vrp) => ({ vrp, announce: true }))));
    apply(two, true, batchOf([{ vrp: A, announce: true }]));
    expect(apply(one, true, batchOf([{ vrp: C, announce: true }]))).toBe('applied');
    expect([check(A), check(B), check(C)]).toEqual([ROA.valid, ROA.invalid, ROA.valid]);
    expect([tables.countsOf(one), tables.countsOf(two)]).toEqual([
      { roa4: 0, roa6: 1, aspa: 0 },
      { roa4: 1, roa6: 0, aspa: 0 },
    ]);
  });

  it('tell which prefixes may be judged otherwise', () => {
    const { cache, apply, changes } = rig();
    const [one, two] = [cache('one'), cache('two')];
    apply(one, true, batchOf([A, B].map((vrp) => ({ vrp, announce: true }))));
    // The same again is no change, nor is what another one says already.
    apply(one, true, batchOf([A, B].map((vrp) => ({ vrp, announce: true }))));
    apply(two, true, batchOf([{ vrp: A, announce: true }]));
    expect(changes).toHaveLength(1);
    apply(one, true, batchOf([{ vrp: A, announce: true }]));
    const changed = changes[1]?.get('r4')?.ipv4;
    if (changed === undefined || changed === 'all') throw new Error('the prefixes are not told');
    expect(changed.covers([0x0a010000], 0, 16)).toBe(true);
    expect(changed.covers([0x0a000000], 0, 8)).toBe(false);
  });

  it('bring ASPAs along', () => {
    const { cache, apply, tables, changes } = rig();
    const one = cache('one');
    const batch = new RecordBatch();
    batch.take(aspaOf(1, [2, 3]), 0);
    expect(apply(one, true, batch)).toBe('applied');
    expect(tables.countsOf(one).aspa).toBe(1);
    expect(changes[0]?.get('at')?.aspa).toBe(true);
    const gone = new RecordBatch();
    gone.take(aspaOf(1, [], false), 0);
    expect(apply(one, false, gone)).toBe('applied');
    const unknown = new RecordBatch();
    unknown.take(aspaOf(1, [], false), 0);
    expect(apply(one, false, unknown)).toBe('unknown aspa 0');
  });

  it('work in slices, and count all at once at their end', () => {
    // Every look at the clock finds the slice over.
    const { cache, tables, clock, check } = rig(0);
    const one = cache('one');
    const many = [...Array(3000).keys()].map((i) => ({
      vrp: { ...B, prefix: [11, i >> 8, i & 255, 0], bits: 24, maxLength: 24 },
      announce: true,
    }));
    let done = false;
    tables.apply(one, { whole: true, records: batchOf([{ vrp: A, announce: true }, ...many]) }, () => {
      done = true;
    });
    const seen = new Set<string>();
    for (let turn = 0; !done && turn < 1000; turn++) {
      seen.add(`${check(A)} ${check(many[0]!.vrp)} ${check(many[2999]!.vrp)}`);
      clock.advance(0);
    }
    seen.add(`${check(A)} ${check(many[0]!.vrp)} ${check(many[2999]!.vrp)}`);
    expect([...seen]).toEqual(['0 0 0', '1 1 1']);
  });

  it('do not forget whose longest lengths do not count, whoever comes meanwhile', async () => {
    const { cache, apply, tables, clock, check } = rig(0);
    const one = cache('one');
    const many = [...Array(3000).keys()].map((i) => ({
      vrp: { ...B, prefix: [11, i >> 8, i & 255, 0], bits: 24, maxLength: 24 },
      announce: true,
    }));
    let done = false;
    tables.apply(one, { whole: true, records: batchOf(many) }, () => {
      done = true;
    });
    const two = new Promise<CacheSource>((resolve) => {
      clock.defer(() => {
        expect(done).toBe(false);
        resolve(cache('two', true));
      });
    });
    clock.advance(1);
    expect(done).toBe(true);
    expect(check(many[2999]!.vrp)).toBe(ROA.valid);
    expect(apply(await two, true, batchOf([{ vrp: { ...A, maxLength: 8 }, announce: true }]))).toBe(
      'applied',
    );
    expect(check({ ...A, prefix: [10, 9, 0, 0], bits: 16 })).toBe(ROA.valid);
  });

  it('end where applying one after the other ends', () => {
    const vrp = fc.constantFrom(A, B, C, { ...A, maxLength: 8 }, { ...B, asn: 1 });
    const step = fc.record({ vrp, announce: fc.boolean() });
    const update = fc.record({
      cache: fc.constantFrom(0, 1),
      whole: fc.boolean(),
      steps: fc.array(step, { maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(update, { maxLength: 10 }), (updates) => {
        const { cache, apply, tables } = rig();
        const sources = [cache('one'), cache('two')];
        const model = [new Set<WireVrp>(), new Set<WireVrp>()];
        for (const { cache: number, whole, steps } of updates) {
          const next = new Set(whole ? [] : model[number]);
          const ordered = [...steps].sort((a, b) => a.vrp.prefix.length - b.vrp.prefix.length);
          const fits = ordered.every(({ vrp: each, announce }) => {
            const had = next.has(each);
            if (announce) next.add(each);
            else next.delete(each);
            return had !== announce;
          });
          const outcome = apply(sources[number]!, whole, batchOf(steps));
          expect(outcome === 'applied').toBe(fits);
          if (fits) model[number] = next;
        }
        for (const [number, source] of sources.entries()) {
          const { roa4, roa6 } = tables.countsOf(source);
          expect(roa4 + roa6).toBe(model[number]!.size);
        }
      }),
    );
  });
});
