// Whatever the speaker wants, whatever others do to the kernel, whatever fails and whatever notification is lost: when
// it is quiet again, the kernel has exactly what is wanted, foreign routes are as their owners left them, and every
// cleared prefix was told idle.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '../../src/fib/errno.ts';
import { formatPrefix } from '../../src/lib/ip.ts';
import { Bench, ETH0, METRIC, machine, OWN_PROTOCOL, route } from '../support/mem-kernel.ts';

const PREFIXES = ['192.0.2.0/24', '192.0.2.0/25', '198.51.100.0/24', '2001:db8:5::/48'];
const HOURS_2 = 2 * 3600 * 1000;

type Step =
  | { do: 'set'; prefix: number; hop: number; metric: number }
  | { do: 'clear'; prefix: number }
  | { do: 'tamper'; prefix: number; hop: number }
  | { do: 'delete'; prefix: number }
  | { do: 'fail'; errno: number }
  | { do: 'deafen' }
  | { do: 'scan' }
  | { do: 'hold' }
  | { do: 'wait'; ms: number };

const index = fc.integer({ min: 0, max: PREFIXES.length - 1 });
const hop = fc.integer({ min: 2, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      prefix: index,
      hop,
      metric: fc.constantFrom(METRIC, METRIC, 60),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('clear' as const), prefix: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tamper' as const), prefix: index, hop }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), prefix: index }) },
  fc.record({ do: fc.constant('fail' as const), errno: fc.constantFrom(ERRNO.ENOMEM, ERRNO.ENOBUFS) }),
  fc.record({ do: fc.constant('deafen' as const) }),
  fc.record({ do: fc.constant('scan' as const) }),
  fc.record({ do: fc.constant('hold' as const) }),
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 0, 1500) }) },
);

function via(prefix: string, last: number): string {
  return prefix.includes(':') ? `2001:db8::${last}` : `10.0.0.${last}`;
}

async function perform(bench: Bench, wanted: Map<string, string>, one: Step): Promise<void> {
  const { kernel } = bench;
  switch (one.do) {
    case 'set': {
      const prefix = PREFIXES[one.prefix]!;
      bench.set(prefix, via(prefix, one.hop), { metric: one.metric });
      wanted.set(prefix, `${prefix} ${via(prefix, one.hop)} ${one.metric}`);
      return;
    }
    case 'clear':
      bench.clear(PREFIXES[one.prefix]!);
      wanted.delete(PREFIXES[one.prefix]!);
      return;
    case 'tamper': {
      const prefix = PREFIXES[one.prefix]!;
      kernel.addRoute(route(prefix, { via: via(prefix, one.hop), dev: ETH0 }));
      return;
    }
    case 'delete':
      kernel.deleteRoute(route(PREFIXES[one.prefix]!));
      return;
    case 'fail':
      kernel.fault = () => one.errno;
      await bench.run();
      kernel.fault = () => 0;
      return;
    case 'deafen':
      kernel.deaf = true;
      return;
    case 'scan':
      bench.monitor.requestScan('test');
      return;
    case 'hold':
      kernel.held = !kernel.held;
      if (!kernel.held) kernel.release();
      return;
    case 'wait':
      await bench.run(one.ms);
  }
}

describe('Fib under faults', () => {
  it.each([
    { losing: true, name: 'after lost notifications, by scanning' },
    { losing: false, name: 'by notifications alone where none is lost' },
  ])('ends with exactly what is wanted, $name', async ({ losing }) => {
    const steps$ = fc.array(losing ? step : step.filter((one) => one.do !== 'deafen' && one.do !== 'scan'), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(steps$, async (steps) => {
        const kernel = machine();
        const foreign = route('192.0.2.0/24', { protocol: 80, metric: 5, via: '10.0.0.9', dev: ETH0 });
        kernel.addRoute(foreign);
        kernel.addRoute(route('192.0.2.0/25', { via: '10.0.0.3', dev: ETH0 }));
        const bench = await Bench.started(kernel);
        const wanted = new Map<string, string>();
        for (const one of steps) await perform(bench, wanted, one);
        kernel.release();
        await bench.run();
        bench.fib.startupComplete();
        if (losing) kernel.overrun();
        await bench.run(HOURS_2);
        expect(bench.own()).toEqual([...wanted.values()].sort());
        expect(kernel.find(foreign.prefix).filter(({ protocol }) => protocol !== OWN_PROTOCOL)).toEqual([
          foreign,
        ]);
        expect(bench.fib.stats()).toMatchObject({
          desired: wanted.size,
          installed: wanted.size,
          pending: 0,
          failed: 0,
          orphans: 0,
        });
        for (const prefix of PREFIXES) {
          expect(bench.fib.isIdle(bench.family(prefix).id, bench.id(prefix))).toBe(!wanted.has(prefix));
          if (wanted.has(prefix)) expect(bench.state(prefix)).toBe('installed');
        }
        expect(kernel.routes().map((one) => formatPrefix(one.prefix)).length).toBe(wanted.size + 5);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves a place to who has taken it before, whatever scans and answers are late or lost', async () => {
    const place = '192.0.2.0/24';
    const foreign = route(place, { protocol: 80, via: '10.0.0.9', dev: ETH0 });
    const step$ = fc.oneof(
      fc.record({
        do: fc.constant('set' as const),
        prefix: fc.constant(0),
        hop,
        metric: fc.constant(METRIC),
      }),
      fc.constantFrom<Step | 'take' | 'leave'>(
        ...(['take', 'leave', { do: 'clear', prefix: 0 }, { do: 'fail', errno: ERRNO.ENOBUFS }] as const),
        { do: 'delete', prefix: 0 },
        ...([{ do: 'scan' }, { do: 'hold' }, { do: 'wait', ms: 0 }, { do: 'wait', ms: 1500 }] as const),
      ),
    );
    const steps$ = fc.array(step$, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps$, async (steps) => {
        const kernel = machine();
        const bench = await Bench.started(kernel);
        const wanted = new Map<string, string>();
        let taken = false;
        const inPlace = () => kernel.find(foreign.prefix).filter(({ metric }) => metric === METRIC);
        for (const one of steps) {
          if (one === 'leave') {
            if (taken) kernel.deleteRoute(foreign);
            taken = false;
          } else if (one === 'take') {
            // Not where the FIB has, or believes to have, a route.
            const { installed } = bench.fib.route(0, bench.id(place)) ?? {};
            if (inPlace().length > 0 || installed !== undefined) continue;
            kernel.addRoute(foreign);
            taken = true;
          } else if (one.do !== 'delete' || !taken) await perform(bench, wanted, one);
          if (taken) expect(inPlace()).toEqual([foreign]);
        }
        kernel.release();
        await bench.run(HOURS_2);
        expect(bench.own()).toEqual(taken ? [] : [...wanted.values()]);
      }),
      { numRuns: 60 },
    );
  });
});
