// RFC 9494 as seen from outside: routes of a peer that stays away live on as the last resort, family by family, and
// only those who know what LLGR_STALE means are told of them.

import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rig } from './rig.ts';

/** The peer that goes away. */
const A = '10.0.0.2';
/** Knows LLGR. */
const B = '10.0.0.3';
/** Does not. */
const C = '10.0.0.4';
/** Has A's first prefix, too, by a longer path; knows LLGR. */
const D = '10.0.0.5';
/** iBGP, knows nothing of LLGR. */
const E = '10.0.0.6';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';
const V6 = '2001:db8:1::/48';
const STALE = 'LLGR_STALE';
const NO_LLGR = 'NO_LLGR';
const IPV4 = { afi: 1, safi: 1 } as const;
const IPV6 = { afi: 2, safi: 1 } as const;

const restart = (restartTime = 90, forwarding = true): Capability => ({
  kind: 'graceful-restart',
  restarting: false,
  notification: false,
  restartTime,
  families: [{ ...IPV4, forwarding }],
});
const long = (staleTime = 1000, forwarding = true): Capability => ({
  kind: 'long-lived-graceful-restart',
  families: [{ ...IPV4, forwarding, staleTime }],
});
const AWARE: Capability[] = [
  { ...restart(), families: [] } as Capability,
  { kind: 'long-lived-graceful-restart', families: [] },
];

interface Wish {
  readonly capabilities?: readonly Capability[];
  readonly config?: RigPeer['config'];
  readonly toE?: RigPeer['config'];
  readonly holdTime?: number;
}

async function afterLoss({ capabilities = [restart(), long()], config, toE, holdTime = 0 }: Wish = {}) {
  const set = await rig(
    {
      [A]: { as: 65002, ...(config && { config }), raw: { capabilities, holdTime } },
      [B]: { as: 65003, raw: { capabilities: AWARE } },
      [C]: { as: 65004 },
      [D]: { as: 65005, raw: { capabilities: AWARE } },
      [E]: { as: OWN_AS, ...(toE && { config: toE }) },
    },
    { kernel: { install: true } },
    simKernel(`eth0 ${OWN_ADDRESS}/24`),
  );
  const { lab, peer } = set;
  peer(A).announce([P1, P2]);
  peer(A).announce([P3], { communities: [NO_LLGR] });
  peer(A).endOfRib();
  peer(D).announce([P1], { asPath: '65005 65006 65007' });
  await lab.settle();
  for (const raw of set.peers) raw.clear();
  if (holdTime === 0) peer(A).drop();
  await lab.settle();
  return set;
}

type Set = Awaited<ReturnType<typeof afterLoss>>;

async function comeBack(set: Set, capabilities: readonly Capability[]) {
  const again = set.lab.raw(A, { as: 65002, holdTime: 0, capabilities });
  await set.lab.connect(set.speaker, again);
  return again;
}

/** `prefix communities` of A's routes. */
function kept({ speaker }: Set): string[] {
  return speaker
    .routes({ receivedFrom: A })
    .map(({ prefix, attributes }) => [prefix, ...attributes.communities].join(' '))
    .sort();
}

function communitiesAt(set: Set, address: string, prefix: string): readonly string[] | undefined {
  return set.peer(address).table.get(prefix)?.attributes.communities;
}

describe('a peer that stays away', () => {
  it('9494-4-1 after the Restart Time: LLGR_STALE, least preferred, NO_LLGR dropped, withdrawn from who knows no LLGR', async () => {
    const set = await afterLoss();
    const { lab, speaker, peer } = set;
    await lab.run(80_000);
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`, `${P3} from ${A}`]);
    expect(peer(B).heard).toEqual([]);
    await lab.run(20_000);
    expect(kept(set)).toEqual([`${P1} ${STALE}`, `${P2} ${STALE}`]);
    // The longer path of D is fresh.
    expect(speaker.best()).toEqual([`${P1} from ${D}`, `${P2} from ${A}`]);
    expect(speaker.routes({ prefix: P1 }).map(({ reason }) => reason)).toEqual([
      'best path: decided by long-lived stale',
      'LLGR_STALE: the last resort (RFC 9494)',
    ]);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${D}`, `${P2} via ${A}`]);
    expect(communitiesAt(set, B, P2)).toEqual([STALE]);
    expect(peer(B).prefixes()).toEqual([P1, P2]);
    expect(peer(C).prefixes()).toEqual([P1]);
    expect(peer(E).prefixes()).toEqual([P1]);
    expect(speaker.api.explain(P2, {}).exports.find((each) => each.peer === C)).toMatchObject({
      advertised: false,
      reason: 'long-lived stale, and the peer does not know LLGR_STALE (RFC 9494)',
    });
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 2, stale: 2 });
  });

  it('when the Long-Lived Stale Time has passed as well they go', async () => {
    const set = await afterLoss();
    await set.lab.run(1_080_000);
    expect(kept(set)).toHaveLength(2);
    await set.lab.run(20_000);
    expect(set.speaker.best()).toEqual([`${P1} from ${D}`]);
    expect(kept(set)).toEqual([]);
    expect(set.peer(B).prefixes()).toEqual([P1]);
  });

  it('a Restart Time of 0, or a family that graceful restart does not list: the last resort at once', async () => {
    for (const capabilities of [
      [restart(0), long()],
      [{ ...restart(), families: [] } as Capability, long()],
    ]) {
      const set = await afterLoss({ capabilities });
      await set.lab.run(1000);
      expect(kept(set)).toEqual([`${P1} ${STALE}`, `${P2} ${STALE}`]);
    }
  });

  it('a Stale Time of 0, or none: graceful restart alone', async () => {
    for (const capabilities of [[restart(), long(0)], [restart()]]) {
      const set = await afterLoss({ capabilities });
      await set.lab.run(100_000);
      expect(kept(set)).toEqual([]);
    }
  });

  it('without the graceful restart capability there is no long life', async () => {
    expect(kept(await afterLoss({ capabilities: [long()] }))).toEqual([]);
  });

  it('times are kept within the configured bounds, and off means off', async () => {
    const bounded = (longLived: object) => ({ gracefulRestart: { longLived } });
    const short = await afterLoss({ config: bounded({ maxStaleTime: 50 }) });
    await short.lab.run(150_000);
    expect(kept(short)).toEqual([]);
    const stretched = await afterLoss({ config: bounded({ minStaleTime: 5000 }) });
    await stretched.lab.run(3_000_000);
    expect(kept(stretched)).toHaveLength(2);
    const off = await afterLoss({ config: { gracefulRestart: { longLived: 'off' } } });
    await off.lab.run(100_000);
    expect(kept(off)).toEqual([]);
  });

  it('a peer that has become silent is away, too', async () => {
    const set = await afterLoss({ holdTime: 9, config: { holdTime: 9 } });
    await set.lab.run(20_000);
    expect(set.speaker.peer(A).lastError).toContain('hold timer expired');
    expect(kept(set)).toEqual([P1, P2, `${P3} ${NO_LLGR}`]);
    await set.lab.run(90_000);
    expect(kept(set)).toEqual([`${P1} ${STALE}`, `${P2} ${STALE}`]);
  });

  it.each([
    // Of IPv6 it does not say that it restarts.
    [90, 190_000],
    [0, 100_000],
  ])('each family has its own time, after %d s of Restart Time', async (seconds, ipv4Ms) => {
    const families = ['ipv4-unicast', 'ipv6-unicast'] as const;
    const both: Capability = {
      kind: 'long-lived-graceful-restart',
      families: [
        { ...IPV4, forwarding: true, staleTime: 100 },
        { ...IPV6, forwarding: true, staleTime: 1000 },
      ],
    };
    const set = await rig({
      [A]: {
        as: 65002,
        config: { families: [...families] },
        raw: { capabilities: [restart(seconds), both] },
      },
    });
    set.peer(A).announce([P1]);
    set.peer(A).announce([V6], {}, '2001:db8::2');
    await set.lab.settle();
    set.peer(A).drop();
    await set.lab.settle();
    expect(set.speaker.peer(A).families.map(({ keptFor }) => keptFor)).toEqual([ipv4Ms, 1_000_000]);
    await set.lab.run(ipv4Ms - 50_000);
    expect(kept(set)).toEqual([`${P1} ${STALE}`, `${V6} ${STALE}`]);
    await set.lab.run(60_000);
    expect(kept(set)).toEqual([`${V6} ${STALE}`]);
    await set.lab.run(900_000);
    expect(kept(set)).toEqual([]);
  });

  it('an administrative stop ends it', async () => {
    const set = await afterLoss();
    await set.lab.run(100_000);
    set.speaker.api.peerDown(A, undefined);
    await set.lab.run(1_200_000);
    expect(kept(set)).toEqual([]);
  });
});

describe('a peer that comes back', () => {
  it('confirms its routes, which then are as before, and loses the others at End-of-RIB', async () => {
    const set = await afterLoss();
    await set.lab.run(100_000);
    const again = await comeBack(set, [restart(), long()]);
    again.announce([P2]);
    await set.lab.settle();
    expect(kept(set)).toEqual([`${P1} ${STALE}`, P2]);
    expect(communitiesAt(set, B, P2)).toEqual([]);
    expect(set.peer(C).prefixes()).toEqual([P1, P2]);
    again.endOfRib();
    await set.lab.settle();
    expect(kept(set)).toEqual([P2]);
    expect(set.speaker.peer(A).families[0]).toMatchObject({ received: 1, stale: 0 });
    await set.lab.run(2_000_000);
    expect(kept(set)).toEqual([P2]);
  });

  it('without forwarding state, or without the family: stale routes go at once', async () => {
    for (const capabilities of [[], [restart(90, false), long(1000, false)]]) {
      const set = await afterLoss();
      await set.lab.run(100_000);
      await comeBack(set, capabilities);
      expect(kept(set)).toEqual([]);
    }
  });

  it('its Stale Time runs on until End-of-RIB, and is not set again by another restart', async () => {
    const set = await afterLoss();
    await set.lab.run(100_000);
    const again = await comeBack(set, [restart(), long(5000)]);
    again.announce([P1]);
    await set.lab.run(500_000);
    again.drop();
    await set.lab.settle();
    // RFC 9494 §4.2: consecutive restarts.
    expect(kept(set)).toEqual([P1, `${P2} ${STALE}`]);
    await set.lab.run(300_000);
    expect(kept(set)).toEqual([`${P1} ${STALE}`, `${P2} ${STALE}`]);
    await set.lab.run(250_000);
    expect(kept(set)).toEqual([]);
  });

  it('whose time ends before End-of-RIB loses what it has not sent; the next restart keeps nothing', async () => {
    const set = await afterLoss({ capabilities: [restart(), long(200)] });
    await set.lab.run(100_000);
    const again = await comeBack(set, [restart(), long(200)]);
    again.announce([P1]);
    await set.lab.run(250_000);
    expect(kept(set)).toEqual([P1]);
    const lost = [...set.speaker.api.events({})].filter(({ code }) => code === 'stale-routes-gone');
    expect(lost.map(({ sentence }) => sentence)).toEqual([
      'the peer has not sent its ipv4-unicast routes again in time: stale ones go',
    ]);
    again.drop();
    await set.lab.settle();
    expect(kept(set)).toEqual([]);
  });

  it('as another router takes nothing over, not even the time that ran', async () => {
    const set = await afterLoss();
    const { lab, speaker } = set;
    await lab.run(100_000);
    const capabilities = [restart(), long()];
    const again = lab.raw(A, { as: 65002, id: '10.99.0.1', holdTime: 0, capabilities });
    await lab.connect(speaker, again);
    expect(kept(set)).toEqual([]);
    again.announce([P2]);
    // Longer than the Stale Time of the other one, and without an End-of-RIB.
    await lab.run(1_100_000);
    expect(kept(set)).toEqual([P2]);
    again.drop();
    await lab.run(1000);
    expect(kept(set)).toEqual([P2]);
  });

  it('a policy that changed meanwhile keeps the mark on what the peer has not sent', async () => {
    const set = await afterLoss();
    await set.lab.run(100_000);
    set.speaker.api.drain(A, true);
    const again = await comeBack(set, [restart(), long()]);
    again.announce([P1]);
    await set.lab.settle();
    const routes = set.speaker.routes({ receivedFrom: A });
    expect(
      routes.map(({ prefix, attributes }) => [prefix, attributes.localPref, attributes.communities]),
    ).toEqual([
      [P1, 0, []],
      [P2, 0, [STALE]],
    ]);
  });
});

describe('routes that come with LLGR_STALE', () => {
  it('are the last resort, and go on only to who knows what that is', async () => {
    const set = await afterLoss();
    const { lab, peer, speaker } = set;
    peer(B).announce([P1], { communities: [STALE], asPath: '65003' });
    peer(B).announce([V4_OTHER], { communities: [STALE] });
    await lab.run(100_000);
    expect(speaker.best()).toEqual([`${V4_OTHER} from ${B}`, `${P1} from ${D}`, `${P2} from ${A}`]);
    expect(peer(D).prefixes()).toEqual([V4_OTHER, P2]);
    expect(peer(C).prefixes()).toEqual([P1]);
  });

  it('of two of them the usual steps choose', async () => {
    const set = await afterLoss();
    set.peer(B).announce([P2], { communities: [STALE], asPath: '65003 65009' });
    await set.lab.run(100_000);
    expect(set.speaker.best()).toContain(`${P2} from ${A}`);
  });

  it('partial deployment: an iBGP peer without LLGR gets them with NO_EXPORT and LOCAL_PREF 0', async () => {
    const set = await afterLoss({ toE: { gracefulRestart: { longLived: { partialDeployment: true } } } });
    expect(set.peer(E).table.get(P2)?.attributes).toMatchObject({ localPref: 100, communities: [] });
    await set.lab.run(100_000);
    expect(set.peer(E).table.get(P2)?.attributes).toMatchObject({ localPref: 0 });
    expect([...(communitiesAt(set, E, P2) ?? [])].sort()).toEqual([STALE, 'NO_EXPORT'].sort());
    expect(set.peer(E).table.get(P1)?.attributes).toMatchObject({ localPref: 100, communities: [] });
    expect(set.peer(C).prefixes()).toEqual([P1]);
  });
});

const V4_OTHER = '100.64.0.0/24';

describe('what this side announces', () => {
  const long = async (config: RigPeer['config']) => {
    const { peer } = await rig({ [A]: { as: 65002, ...(config && { config }) } });
    return peer(A).remoteOpen?.capabilities.find(({ kind }) => kind === 'long-lived-graceful-restart');
  };

  it('that it helps, or how long its routes are worth keeping; nothing without graceful restart', async () => {
    expect(await long(undefined)).toMatchObject({ families: [] });
    expect(await long({ gracefulRestart: { mode: 'full', longLived: 'full' } })).toMatchObject({
      families: [{ ...IPV4, forwarding: false, staleTime: 3600 }],
    });
    expect(
      await long({
        families: ['ipv4-unicast', 'ipv6-unicast'],
        gracefulRestart: { longLived: { mode: 'full', staleTime: { 'ipv4-unicast': 0, 'ipv6-unicast': 7 } } },
      }),
    ).toMatchObject({ families: [{ ...IPV6, staleTime: 7 }] });
    expect(await long({ gracefulRestart: 'off' })).toBeUndefined();
    expect(await long({ gracefulRestart: { longLived: false } })).toBeUndefined();
  });
});
