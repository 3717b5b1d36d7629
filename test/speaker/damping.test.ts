// Route flap damping as seen from outside (RFC 2439, 7196): who flaps too often is not used until it is quiet, and an
// operator sees why, and can forgive.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const V6 = '2001:db8:1::/48';
const MINUTE = 60_000;
const DAMPED = 'damped: it flaps too often (RFC 2439); "show damped" tells for how long';

type Damping = NonNullable<RigPeer['config']>['damping'];

async function set(damping: Damping = true, raw: RigPeer['raw'] = {}, more: RigPeer['config'] = {}) {
  const found = await rig(
    { [A]: { as: 65002, config: { damping, ...more }, raw }, [B]: { as: 65003 } },
    { kernel: { install: true } },
    simKernel(`eth0 ${OWN_ADDRESS}/24`),
  );
  const flap = (prefix = P1, times = 1): void => {
    for (let i = 0; i < times; i++) {
      found.peer(A).announce([prefix]);
      found.peer(A).withdraw(prefix);
    }
  };
  return { ...found, flap };
}

const views = (speaker: Awaited<ReturnType<typeof set>>['speaker']) =>
  [...speaker.api.dampedRoutes()].filter((view) => view !== undefined);

describe('a route that flaps', () => {
  it('is not used from the threshold on, and is again after it has been quiet', async () => {
    const { lab, peer, speaker, flap } = await set();
    flap(P1, 5);
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`]);
    expect(views(speaker)).toMatchObject([
      { peer: A, prefix: P1, suppressed: false, penalty: 5000, flaps: 5 },
    ]);
    peer(A).withdraw(P1);
    peer(A).announce([P1]);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P2} from ${A}`]);
    expect(peer(B).prefixes()).toEqual([P2]);
    expect(speaker.kernelRoutes()).toEqual([`${P2} via ${A}`]);
    expect(speaker.routes({ prefix: P1 })).toMatchObject([{ eligible: false, reason: DAMPED }]);
    expect(speaker.api.explain(P1, {}).paths[0]).toMatchObject({ step: 'not a candidate', reason: DAMPED });
    const [route] = views(speaker);
    expect(route).toMatchObject({ suppressed: true, family: 'ipv4-unicast', pathId: 0, flaps: 6 });
    expect(route!.reuseIn).toBeGreaterThan(44 * 60);
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 2, rejected: 1 });

    await lab.run(40 * MINUTE);
    expect(speaker.best()).toEqual([`${P2} from ${A}`]);
    await lab.run(10 * MINUTE);
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`]);
    expect(peer(B).prefixes()).toEqual([P1, P2]);
    await lab.run(30 * MINUTE);
    expect(views(speaker)).toEqual([]);
  });

  it('pays for other attributes, too, but not for saying the same again, and not for coming back', async () => {
    const { lab, peer, speaker } = await set();
    peer(A).announce([P1], { med: 1 });
    peer(A).announce([P1], { med: 2 });
    peer(A).announce([P1], { med: 2 });
    peer(A).withdraw(P1, P2);
    peer(A).withdraw(P1);
    peer(A).announce([P1], { med: 3 });
    await lab.settle();
    expect(views(speaker)).toMatchObject([{ prefix: P1, penalty: 1500, flaps: 2 }]);
  });

  it('stays suppressed while it goes on, and with another policy', async () => {
    const { lab, peer, speaker, flap } = await set();
    flap(P1, 9);
    peer(A).announce([P1], { med: 1 });
    await lab.run(30 * MINUTE);
    peer(A).announce([P1], { med: 2 });
    speaker.api.drain(A, true);
    await lab.run(20 * MINUTE);
    expect(speaker.best()).toEqual([]);
    await lab.run(20 * MINUTE);
    expect(speaker.routes({ prefix: P1 })).toMatchObject([{ eligible: true, attributes: { localPref: 0 } }]);
  });

  it('is remembered over a session, whose loss is no flap', async () => {
    const { lab, peer, speaker, flap } = await set();
    flap(P1, 6);
    peer(A).announce([P1, P2]);
    await lab.settle();
    peer(A).drop();
    await lab.run(2 * MINUTE);
    expect(speaker.routes()).toEqual([]);
    const again = lab.raw(A, { as: 65002, holdTime: 0 });
    await lab.connect(speaker, again);
    again.announce([P1, P2]);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P2} from ${A}`]);
    expect(views(speaker)).toMatchObject([{ prefix: P1, suppressed: true, flaps: 6 }]);
  });

  it('lets an accepted policy decide when it is used again', async () => {
    const { lab, peer, speaker, flap } = await set(true, {}, { import: 'reject' });
    flap(P1, 6);
    peer(A).announce([P1]);
    await lab.run(50 * MINUTE);
    expect(speaker.routes({ prefix: P1 })).toMatchObject([{ reason: 'rejected by import policy' }]);
  });

  it('each path of a prefix for itself, and other families not at all', async () => {
    const { lab, peer, speaker } = await set(
      { families: ['ipv4-unicast'] },
      { addPath: 2 },
      { addPath: { receive: true }, families: ['ipv4-unicast', 'ipv6-unicast'] },
    );
    for (let i = 0; i < 6; i++) {
      peer(A).announce([`${P1} #1`]);
      peer(A).withdraw(`${P1} #1`);
      peer(A).announce([`${V6} #1`], {}, '2001:db8::2');
      peer(A).withdraw(`${V6} #1`);
    }
    peer(A).announce([`${P1} #1`, `${P1} #2`]);
    await lab.settle();
    expect(speaker.routes({ prefix: P1 }).map(({ pathId, eligible }) => [pathId, eligible])).toEqual([
      [2, true],
      [1, false],
    ]);
    expect(views(speaker)).toMatchObject([{ prefix: P1, pathId: 1 }]);
  });

  it('to be looked at only: it is used all the same', async () => {
    const { lab, peer, speaker, flap } = await set({ testOnly: true });
    flap(P1, 9);
    peer(A).announce([P1]);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(views(speaker)).toMatchObject([{ suppressed: false, penalty: 9000 }]);
  });
});

describe('an operator', () => {
  it('forgives all routes, those of a peer, or one prefix', async () => {
    const { lab, peer, speaker, flap } = await set();
    flap(P1, 6);
    flap(P2, 6);
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(speaker.best()).toEqual([]);
    expect(speaker.api.clearDamping(B)).toBe(0);
    expect(speaker.api.clearDamping(A, P2)).toBe(1);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P2} from ${A}`]);
    expect(speaker.api.clearDamping()).toBe(1);
    await lab.settle();
    expect(speaker.best()).toHaveLength(2);
    expect(views(speaker)).toEqual([]);
    expect(() => speaker.api.clearDamping('nobody')).toThrow('there is no peer');
    expect(() => [...speaker.api.dampedRoutes('nobody')]).toThrow('there is no peer');
  });

  it('changes the values, or switches it off, without a reset', async () => {
    const { lab, peer, speaker, flap } = await set();
    const reload = (damping: Damping) =>
      speaker.reload({
        router: { asn: OWN_AS, id: OWN_ADDRESS },
        kernel: { install: true },
        peers: [peerInput(A, { as: 65002, config: { damping } }), peerInput(B, { as: 65003 })],
      });
    flap(P1, 6);
    peer(A).announce([P1]);
    await lab.settle();
    await reload({ suppress: 1500 });
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    flap(P1, 2);
    peer(A).announce([P1]);
    await lab.settle();
    expect(speaker.best()).toEqual([]);
    await reload(false);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(speaker.peer(A).downCount).toBe(0);
  });
});

it('a suppressed route of a peer that restarts is used again in time, as the last resort if that is what it is', async () => {
  const capabilities: Capability[] = [
    { kind: 'graceful-restart', restarting: false, notification: false, restartTime: 60, families: [] },
    {
      kind: 'long-lived-graceful-restart',
      families: [{ afi: 1, safi: 1, forwarding: true, staleTime: 100_000 }],
    },
  ];
  const { lab, peer, speaker, flap } = await set(true, { capabilities });
  flap(P1, 6);
  peer(A).announce([P1]);
  await lab.settle();
  peer(A).drop();
  await lab.run(50 * MINUTE);
  expect(speaker.routes()).toMatchObject([
    { prefix: P1, eligible: true, stale: true, attributes: { communities: ['LLGR_STALE'] } },
  ]);
});

describe('a live upgrade', () => {
  const families = [{ afi: 1, safi: 1, forwarding: true }];
  const capabilities: Capability[] = [
    { kind: 'graceful-restart', restarting: false, notification: false, restartTime: 3600, families },
  ];

  it('takes along what is remembered of flaps, for no longer than without', async () => {
    const { lab, peer, speaker, flap } = await set();
    flap(P1, 6);
    flap(P2, 2);
    peer(A).announce([P1]);
    await lab.run(10 * MINUTE);
    const before = views(speaker);
    peer(B).clear();
    await speaker.upgrade();
    await lab.settle();
    const after = views(speaker);
    expect(after.map(({ prefix, suppressed, flaps }) => [prefix, suppressed, flaps])).toEqual([
      [P1, true, 6],
      [P2, false, 2],
    ]);
    expect(speaker.peer(A).damping).toEqual({ remembered: 2, suppressed: 1, overflows: 0 });
    for (const [i, { penalty, reuseIn, since }] of after.entries()) {
      expect(Math.abs(penalty - before[i]!.penalty)).toBeLessThan(10);
      expect(Math.abs(reuseIn - before[i]!.reuseIn)).toBeLessThan(10);
      expect(Math.abs(since - before[i]!.since)).toBeLessThan(10);
    }
    expect([speaker.best(), peer(B).prefixes()]).toEqual([[], []]);
    // Five alone would not be too many.
    flap(P2, 5);
    peer(A).announce([P2]);
    await lab.settle();
    expect(speaker.best()).toEqual([]);
    await lab.run(50 * MINUTE);
    expect(speaker.best()).toContain(`${P1} from ${A}`);
    await lab.run(90 * MINUTE);
    expect([views(speaker), speaker.best()]).toEqual([[], [`${P1} from ${A}`, `${P2} from ${A}`]]);
  });

  it('does so while the peer restarts, too', async () => {
    const { lab, peer, speaker, flap } = await set(true, { capabilities });
    flap(P1, 6);
    peer(A).announce([P1, P2]);
    await lab.settle();
    peer(A).drop();
    await lab.run(MINUTE);
    const routes = [
      { prefix: P1, eligible: false, reason: DAMPED },
      { prefix: P2, eligible: true, stale: true },
    ];
    expect(speaker.routes()).toMatchObject(routes);
    await speaker.upgrade();
    await lab.settle();
    expect(speaker.routes()).toMatchObject(routes);
    const again = lab.raw(A, { as: 65002, holdTime: 0, capabilities });
    await lab.connect(speaker, again);
    again.announce([P1, P2]);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P2} from ${A}`]);
    expect(views(speaker)).toMatchObject([{ prefix: P1, suppressed: true, flaps: 6 }]);
    await lab.run(50 * MINUTE);
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`]);
  });

  it('uses again what was damped where the other program remembers nothing', async () => {
    const { lab, peer, speaker, flap } = await set();
    flap(P1, 6);
    peer(A).announce([P1]);
    await lab.settle();
    await speaker.upgrade((state) => ({
      ...state,
      peers: state.peers.map(({ damping: _, ...handed }) => handed),
    }));
    await lab.settle();
    expect([views(speaker), speaker.best()]).toEqual([[], [`${P1} from ${A}`]]);
  });
});

it('whatever a peer does: what is suppressed is not used, the rest is, and in the end all is as if nobody had damped', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ prefix: fc.nat(2), med: fc.option(fc.nat(2), { freq: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 30 * MINUTE }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
      const { lab, peer, speaker } = await set({ suppress: 1500, reuse: 700, halfLife: 300 });
      const mine = new Map<string, number>();
      for (const each of steps) {
        if ('wait' in each) {
          await lab.run(each.wait);
          const suppressed = views(speaker).filter((route) => route.suppressed);
          const hidden = new Set(suppressed.map(({ prefix }) => prefix));
          expect(speaker.peer(A).damping).toEqual({
            remembered: views(speaker).length,
            suppressed: hidden.size,
            overflows: 0,
          });
          expect(speaker.best()).toEqual(
            [...mine.keys()]
              .filter((prefix) => !hidden.has(prefix))
              .sort()
              .map((prefix) => `${prefix} from ${A}`),
          );
          continue;
        }
        const prefix = `172.16.${each.prefix}.0/24`;
        if (each.med === null) {
          mine.delete(prefix);
          peer(A).withdraw(prefix);
        } else {
          mine.set(prefix, each.med);
          peer(A).announce([prefix], { med: each.med });
        }
      }
      await lab.run(180 * MINUTE);
      expect(views(speaker)).toEqual([]);
      expect(
        speaker
          .routes()
          .map(({ prefix, attributes }) => `${prefix} ${attributes.med}`)
          .sort(),
      ).toEqual([...mine].map(([prefix, med]) => `${prefix} ${med}`).sort());
      expect(speaker.best()).toHaveLength(mine.size);
      // Nothing holds a prefix that is not there any more.
      peer(A).withdraw(...mine.keys());
      await lab.run(180 * MINUTE);
      expect(speaker.speaker.rib.families[0]!.prefixes.size).toBe(0);
    }),
    { numRuns: 25 },
  );
});
