// The FIB's small parts: interned targets, orphans, retry lists, the tamper guard, words for errors.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO, errnoName, explainErrno } from '../../src/fib/errno.ts';
import { FailureLog } from '../../src/fib/failure-log.ts';
import { RTAX } from '../../src/fib/netlink/constants.ts';
import { Orphans } from '../../src/fib/orphans.ts';
import { RetryLists } from '../../src/fib/retry.ts';
import { describeHop, RouteTargets } from '../../src/fib/route-targets.ts';
import { TamperGuard } from '../../src/fib/tamper-guard.ts';
import type { KernelNextHop } from '../../src/fib/types.ts';
import { type LogFields, silentLogger } from '../../src/lib/log.ts';
import { SimClock } from '../../src/sim/clock.ts';
import { address, MAIN, METRIC, OWN_PROTOCOL } from '../support/mem-kernel.ts';

const HOP_A: KernelNextHop = { gateway: address('10.0.0.2'), ifindex: 2 };
const HOP_B: KernelNextHop = { gateway: address('10.0.1.2'), ifindex: 3 };

function newTargets(): RouteTargets {
  return new RouteTargets({ table: MAIN, protocol: OWN_PROTOCOL, metric: METRIC });
}

describe('RouteTargets', () => {
  it('gives equal targets one id, in whatever order their next hops stand', () => {
    const targets = newTargets();
    const id = targets.intern(4, { type: 'unicast', nextHops: [HOP_A, HOP_B] });
    expect(targets.intern(4, { type: 'unicast', nextHops: [HOP_B, HOP_A], metric: METRIC })).toBe(id);
    const others = [
      targets.intern(4, { type: 'unicast', nextHops: [HOP_A] }),
      targets.intern(4, { type: 'unicast', nextHops: [HOP_A], metric: 9 }),
      targets.intern(4, { type: 'unicast', nextHops: [{ ...HOP_A, onlink: true }] }),
      targets.intern(4, { type: 'unicast', nextHops: [{ ...HOP_A, weight: 2 }, HOP_B] }),
      targets.intern(4, { type: 'unicast', nextHops: [HOP_A], prefSource: address('10.0.0.1') }),
      targets.intern(4, { type: 'blackhole', nextHops: [] }),
    ];
    expect(new Set([id, ...others]).size).toBe(7);
    expect(targets.size).toBe(7);
    expect(targets.get(id)).toMatchObject({ table: MAIN, protocol: OWN_PROTOCOL, metric: METRIC });
    expect(() => targets.get(99)).toThrow('99');
  });

  it('are forgotten where nobody names them, and their ids mean others', () => {
    const targets = newTargets();
    const via = (i: number) =>
      targets.intern(4, { type: 'unicast', nextHops: [{ gateway: address(`10.1.${i >> 8}.${i & 255}`) }] });
    const ids = Array.from({ length: 1023 }, (_, i) => via(i));
    expect(targets.wantsSweep).toBe(false);
    ids.push(via(1023));
    expect(targets.wantsSweep).toBe(true);
    const defined = new Map<number, unknown>();
    const define = () => targets.takeNew((id, target) => defined.set(id, target));
    define();
    expect(defined.size).toBe(1024);
    const unseen = via(2000);
    const named = new Uint8Array(targets.limit);
    for (const id of ids.slice(0, 700)) named[id] = 1;
    targets.sweep(named);
    expect([targets.size, targets.wantsSweep]).toEqual([700, false]);
    expect([via(5), via(699)]).toEqual([ids[5], ids[699]]);
    for (const id of [ids[700]!, unseen]) expect(() => targets.get(id)).toThrow('does not exist');
    defined.clear();
    define();
    expect(defined.size).toBe(0);
    const again = Array.from({ length: 699 }, (_, i) => via(3000 + i));
    expect(new Set([...ids.slice(0, 700), ...again]).size).toBe(1399);
    expect([targets.limit <= 1401, targets.wantsSweep]).toEqual([true, false]);
    via(4000);
    expect(targets.wantsSweep).toBe(true);
    define();
    expect(new Set(again.map((id) => defined.get(id)))).toEqual(new Set(again.map((id) => targets.get(id))));
  });

  it('takes the kernel’s answer for what was asked where only the interface was left open', () => {
    const targets = newTargets();
    const intern = (nextHops: KernelNextHop[], more = {}) =>
      targets.intern(4, { type: 'unicast', nextHops, ...more });
    const asked = intern([{ gateway: address('10.0.0.2') }]);
    expect(targets.satisfies(asked, intern([HOP_A]), 4)).toBe(true);
    expect(targets.satisfies(intern([HOP_A]), asked, 4)).toBe(false);
    expect(targets.satisfies(asked, intern([HOP_B]), 4)).toBe(false);
    expect(targets.satisfies(asked, intern([HOP_A, HOP_B]), 4)).toBe(false);
    expect(targets.satisfies(asked, intern([HOP_A], { prefSource: address('10.0.0.1') }), 4)).toBe(false);
    expect(targets.satisfies(asked, intern([HOP_A], { metric: 7 }), 4)).toBe(false);
    expect(targets.satisfies(intern([{ ...HOP_A, weight: 9 }]), intern([HOP_A]), 4)).toBe(true);
    expect(targets.satisfies(intern([{ ...HOP_A, weight: 9 }, HOP_B]), intern([HOP_A, HOP_B]), 4)).toBe(
      false,
    );
  });

  it('brings what few routes have into the form in which the kernel keeps it', () => {
    const targets = newTargets();
    const metrics = (...pairs: [number, number][]) => ({ metrics: new Map(pairs) });
    const intern = (more: object, addressBytes: 4 | 16 = 4, nextHops: KernelNextHop[] = [HOP_A]) =>
      targets.intern(addressBytes, { type: 'unicast', nextHops, ...more });
    const plain = intern({});
    const same: [number, number][] = [
      [plain, intern({ scope: 0, realm: 0, ...metrics([RTAX.mtu, 0]) })],
      [intern({ ...metrics([RTAX.mtu, 70_000]) }), intern({ ...metrics([RTAX.mtu, 65_520]) })],
      [intern({ ...metrics([RTAX.hopLimit, 300]) }), intern({ ...metrics([RTAX.hopLimit, 255]) })],
      [intern({ ...metrics([2, 5], [3, 6]) }), intern({ ...metrics([3, 6], [2, 5]) })],
      // On a link, link is the usual scope.
      [intern({}, 4, [{ ifindex: 2 }]), intern({ scope: 253 }, 4, [{ ifindex: 2 }])],
      [intern({}, 16), intern({ scope: 253, realm: 7 }, 16)],
    ];
    for (const [a, b] of same) expect(a).toBe(b);
    const different = [
      plain,
      intern({ scope: 200 }),
      intern({ realm: 7 }),
      intern({ ...metrics([RTAX.mtu, 1400]) }),
      intern({ ...metrics([RTAX.mtu, 1400], [RTAX.lock, 4]) }),
      intern({ ...metrics([RTAX.advmss, 1400]) }),
      intern({ scope: 0 }, 4, [{ ifindex: 2 }]),
      intern({}, 4, [{ ifindex: 2 }]),
    ];
    expect(new Set(different).size).toBe(different.length);
    for (const a of different) {
      for (const b of different) expect(targets.satisfies(a, b, 4)).toBe(a === b);
    }
  });

  it('knows that IPv6 stores no metric as 1024', () => {
    const targets = newTargets();
    const none = targets.intern(4, { type: 'blackhole', nextHops: [], metric: 0 });
    const stored = targets.intern(4, { type: 'blackhole', nextHops: [], metric: 1024 });
    expect(targets.satisfies(none, stored, 16)).toBe(true);
    expect(targets.satisfies(none, stored, 4)).toBe(false);
  });

  it('knows which interfaces it needs', () => {
    const targets = newTargets();
    targets.intern(4, { type: 'unicast', nextHops: [HOP_A] });
    expect([targets.usesLink(2), targets.usesLink(3)]).toEqual([true, false]);
    targets.intern(4, { type: 'unicast', nextHops: [{ gateway: address('10.0.1.2') }] });
    expect(targets.usesLink(3)).toBe(true);
  });

  it('describes a next hop as `ip route` does', () => {
    const name = (ifindex: number) => `eth${ifindex - 2}`;
    expect(describeHop({ ...HOP_A, weight: 3, onlink: true }, name)).toBe(
      'via 10.0.0.2 dev eth0 weight 3 onlink',
    );
    expect(describeHop({ ifindex: 3 }, name)).toBe('dev eth1');
  });
});

describe('Orphans', () => {
  it.each([1, 4])('do what a map does, %i words a prefix', (stride) => {
    const word = fc.oneof(fc.constantFrom(0, 1, -1), fc.integer());
    const key = fc.record({
      words: fc.array(word, { minLength: stride, maxLength: stride }),
      bits: fc.integer({ min: 0, max: 3 }),
    });
    const step = fc.record({ key, take: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const orphans = new Orphans(stride);
        const naive = new Map<string, number>();
        steps.forEach(({ key: { words, bits }, take }, i) => {
          const name = `${words}/${bits}`;
          const columns = Int32Array.from([9, ...words]);
          expect(orphans.get(columns, 1, bits)).toBe(naive.get(name) ?? 0);
          if (take) {
            expect(orphans.take(columns, 1, bits)).toBe(naive.get(name) ?? 0);
            naive.delete(name);
          } else {
            expect(orphans.add(columns, 1, bits, i + 1)).toBe(!naive.has(name));
            if (!naive.has(name)) naive.set(name, i + 1);
          }
          expect(orphans.size).toBe(naive.size);
        });
        const out = new Int32Array(stride);
        for (let any = orphans.takeAny(out, 0); any !== undefined; any = orphans.takeAny(out, 0)) {
          const name = `${[...out]}/${any.bits}`;
          expect(naive.get(name)).toBe(any.target);
          naive.delete(name);
        }
        expect(naive.size).toBe(0);
      }),
    );
  });

  it('has room for very many', () => {
    const orphans = new Orphans(1);
    for (let i = 0; i < 50_000; i++) orphans.add(Int32Array.of(i << 8), 0, 24, i + 1);
    for (let i = 0; i < 50_000; i += 7) expect(orphans.get(Int32Array.of(i << 8), 0, 24)).toBe(i + 1);
  });

  it('gives out what is added while it is being emptied', () => {
    const orphans = new Orphans(1);
    const out = new Int32Array(1);
    orphans.add(Int32Array.of(1), 0, 32, 1);
    expect(orphans.takeAny(out, 0)?.target).toBe(1);
    orphans.add(Int32Array.of(1), 0, 32, 2);
    expect(orphans.takeAny(out, 0)).toEqual({ bits: 32, target: 2 });
    expect(orphans.takeAny(out, 0)).toBeUndefined();
  });
});

describe('RetryLists', () => {
  it('waits longer after each failure, up to about a minute, with one timer a level', () => {
    const clock = new SimClock();
    const due: string[] = [];
    const lists = new RetryLists(clock, (ids) => due.push(`${clock.now()}: ${ids.join(' ')}`));
    lists.add(1, 1);
    lists.add(2, 1);
    lists.add(3, 2);
    lists.add(4, 200);
    expect(clock.pending).toBe(3);
    clock.advance(100_000);
    expect(due).toEqual(['1000: 1 2', '2000: 3', '64000: 4']);
  });

  it('lets all out at once when asked, and is silent when closed', () => {
    const clock = new SimClock();
    const due: number[] = [];
    const lists = new RetryLists(clock, (ids) => due.push(...ids));
    lists.add(1, 1);
    lists.add(2, 5);
    lists.releaseAll();
    expect(due).toEqual([1, 2]);
    lists.add(3, 1);
    lists.close();
    clock.advance(100_000);
    expect(due).toEqual([1, 2]);
  });
});

describe('TamperGuard', () => {
  it('lets a few repairs pass at once, then slows down, and forgives after a while', () => {
    const clock = new SimClock();
    const guard = new TamperGuard(clock);
    expect([1, 2, 3, 4, 5].map(() => guard.tampered(7))).toEqual([0, 0, 0, 1, 2]);
    expect(guard.tampered(8)).toBe(0);
    clock.advance(10 * 60_000);
    expect(guard.tampered(7)).toBe(0);
  });

  it('knows nothing of a prefix that was forgotten', () => {
    const guard = new TamperGuard(new SimClock());
    for (let i = 0; i < 10; i++) guard.tampered(7);
    guard.forget(7);
    expect(guard.tampered(7)).toBe(0);
  });
});

describe('explainErrno', () => {
  it('prefers the kernel’s words to its own, and has a name for any number', () => {
    expect(explainErrno(101, 'Nexthop has invalid gateway')).toBe('ENETUNREACH: Nexthop has invalid gateway');
    expect(explainErrno(17)).toBe(
      'EEXIST: another route with the same prefix, table and metric is in its place',
    );
    expect(explainErrno(99)).toBe('EADDRNOTAVAIL');
    expect(explainErrno(77)).toBe('errno 77');
  });
});

describe('FailureLog', () => {
  function lab() {
    const clock = new SimClock();
    const lines: LogFields[] = [];
    const log = new FailureLog(clock, { ...silentLogger, info: (fields) => lines.push(fields) });
    const down = (prefix: string, ...links: (number | undefined)[]) => {
      const failure = { index: 0, errno: ERRNO.ENETDOWN, name: errnoName(ERRNO.ENETDOWN) };
      log.note(failure, { prefix, failed: 1 }, 'refused', links);
    };
    return { clock, lines, log, down };
  }

  it('says once an outage how many routes wait for the interface, whatever the others do', () => {
    const { clock, lines, log, down } = lab();
    for (let i = 0; i < 3000; i++) down(`10.0.${i >> 8}.${i & 255}/32`, 2);
    expect(lines).toEqual([]);
    clock.advance(1000);
    expect(lines).toEqual([{ prefix: '10.0.0.0/32', failed: 3000 }]);
    for (const other of [3, 4, 3]) {
      log.linkCameUp(other);
      down('10.0.0.0/32', 2);
      clock.advance(1000);
    }
    expect(lines).toHaveLength(1);
    down('10.1.0.0/16', 3);
    clock.advance(1000);
    expect(lines.slice(1)).toEqual([{ prefix: '10.1.0.0/16', failed: 1 }]);
    log.linkCameUp(2);
    down('10.0.0.0/32', 2);
    clock.advance(1000);
    expect(lines.slice(2)).toEqual([{ prefix: '10.0.0.0/32', failed: 1 }]);
  });

  it('says it of routes, too, whose interface the kernel finds, and nothing once it is closed', () => {
    const { clock, lines, log, down } = lab();
    down('10.0.0.0/8', undefined);
    clock.advance(1000);
    log.linkCameUp(7);
    down('10.0.0.0/8');
    clock.advance(1000);
    expect(lines).toHaveLength(2);
    log.linkCameUp(7);
    down('10.0.0.0/8', undefined);
    log.close();
    clock.advance(1000);
    expect(lines).toHaveLength(2);
  });
});
