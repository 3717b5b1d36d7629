// What a peer is told of a route, over whole sessions: RFC 4271 §5, well-known communities (RFC 1997), RFC 8326,
// RFC 4360 §6, RFC 7311, RFC 6793, and the rules that the configuration adds.

import { describe, expect, it } from 'vitest';
import { attributeBytes } from '../support/raw-peer.ts';
import { attributeTypes, withAttribute } from '../support/update-octets.ts';
import { hex } from '../support/wire.ts';
import { OWN_AS, type RigPeer, rig } from './rig.ts';

const FROM = '10.0.0.2';
const IBGP = '10.0.0.3';
const EBGP = '10.0.0.4';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const AROUND: Record<string, RigPeer> = {
  [FROM]: { as: 65002 },
  [IBGP]: { as: OWN_AS },
  [EBGP]: { as: 65004 },
};

/** A rig where the peer under test has these settings. */
function withEbgp(config: RigPeer['config'], raw: RigPeer['raw'] = {}): Record<string, RigPeer> {
  return { ...AROUND, [EBGP]: { as: 65004, config: { ...config }, raw } };
}

describe('RFC 4271 §5', () => {
  it('4271-5-1 an unknown optional transitive attribute travels on with Partial set', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const [bytes] = peer(FROM).encode({ announce: [P1], attributes: { origin: 'IGP', asPath: '65002' } });
    peer(FROM).send(withAttribute(bytes!, attributeBytes(0xc0, 99, hex('0a0b0c'))));
    await lab.settle();
    for (const address of [IBGP, EBGP]) {
      expect(peer(address).attributes(P1)?.unknown).toEqual(['99 (partial, transitive): 0a0b0c']);
    }
    expect(speaker.route(P1)?.attributes.unknown).toHaveLength(1);
  });

  it('4271-5-2 an unknown optional non-transitive attribute is ignored and not passed on', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const [bytes] = peer(FROM).encode({ announce: [P1], attributes: { origin: 'IGP', asPath: '65002' } });
    peer(FROM).send(withAttribute(bytes!, attributeBytes(0x80, 99, hex('0a0b0c'))));
    await lab.settle();
    expect(peer(IBGP).attributes(P1)?.unknown).toEqual([]);
    expect(peer(EBGP).attributes(P1)?.unknown).toEqual([]);
    expect(speaker.peer(FROM).state).toBe('Established');
  });

  it('4271-5-4 ORIGIN, AS_PATH and NEXT_HOP stand in every UPDATE with routes, to eBGP and iBGP', async () => {
    const { lab, peer } = await rig(AROUND, { networks: [P2] });
    peer(FROM).announce([P1]);
    await lab.settle();
    for (const address of [IBGP, EBGP]) {
      const types = peer(address)
        .messages.filter((bytes) => bytes[18] === 2 && bytes.length > 23)
        .map((bytes) => [1, 2, 3].every((type) => attributeTypes(bytes).includes(type)));
      expect(types).toEqual(types.map(() => true));
      expect(peer(address).prefixes()).toEqual([P1, P2]);
    }
  });

  it('4271-5.1.1-1 ORIGIN is as it was received', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(FROM).announce([P1], { origin: 'EGP' });
    peer(FROM).announce([P2], { origin: 'INCOMPLETE' });
    await lab.settle();
    for (const address of [IBGP, EBGP]) {
      expect(peer(address).attributes(P1)?.origin).toBe('EGP');
      expect(peer(address).attributes(P2)?.origin).toBe('INCOMPLETE');
    }
  });

  it('4271-5.1.2-1 to iBGP the path is unchanged, and empty for own routes', async () => {
    const { lab, peer } = await rig(AROUND, { networks: [P2] });
    peer(FROM).announce([P1], { asPath: '65002 65010' });
    await lab.settle();
    expect(peer(IBGP).attributes(P1)?.asPath).toBe('65002 65010');
    expect(peer(IBGP).attributes(P2)?.asPath).toBe('');
  });

  it('4271-5.1.2-3 own routes to eBGP carry the own AS alone', async () => {
    const { peer } = await rig(AROUND, { networks: [P2] });
    expect(peer(EBGP).attributes(P2)?.asPath).toBe('65000');
  });

  it('4271-5.1.3-1 to iBGP the NEXT_HOP is unchanged unless next-hop-self is configured', async () => {
    const second = '10.0.0.5';
    const { lab, peer } = await rig({ ...AROUND, [second]: { as: OWN_AS, config: { nextHop: 'self' } } });
    peer(FROM).announce([P1], {}, '10.0.0.77');
    await lab.settle();
    expect(peer(IBGP).routes()).toEqual([`${P1} via 10.0.0.77`]);
    expect(peer(second).routes()).toEqual([`${P1} via 10.0.0.1`]);
  });

  it('4271-5.1.3-2 to eBGP the NEXT_HOP is the address of the session', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(EBGP).routes()).toEqual([`${P1} via 10.0.0.1`]);
  });

  it('4271-5.1.3-3 an own route never goes out with the address of the peer as NEXT_HOP', async () => {
    const { lab, peer } = await rig(withEbgp({ nextHop: 'unchanged' }), { networks: [P2] });
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(EBGP).routes()).toEqual([`${P1} via ${FROM}`, `${P2} via 10.0.0.1`]);
  });

  it('next hop by address', async () => {
    const { lab, peer } = await rig(withEbgp({ nextHop: '10.0.0.200' }));
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(EBGP).routes()).toEqual([`${P1} via 10.0.0.200`]);
  });

  it('4271-5.1.4-1 MED from one AS is not sent to another, but over iBGP; an own one is', async () => {
    const { lab, peer } = await rig(AROUND, { networks: [{ prefix: P2, med: 40 }] });
    peer(FROM).announce([P1], { med: 30 });
    await lab.settle();
    expect(peer(IBGP).attributes(P1)?.med).toBe(30);
    expect(peer(EBGP).attributes(P1)?.med).toBeUndefined();
    expect(peer(EBGP).attributes(P2)?.med).toBe(40);
  });

  it('4271-5.1.5-1 LOCAL_PREF goes with every route to iBGP, and the higher one wins', async () => {
    const second = '10.0.0.5';
    const { lab, speaker, peer } = await rig(
      { ...AROUND, [second]: { as: OWN_AS } },
      { networks: [{ prefix: P2, localPref: 77 }] },
    );
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(IBGP).attributes(P1)?.localPref).toBe(100);
    expect(peer(IBGP).attributes(P2)?.localPref).toBe(77);
    peer(second).announce([P1], { localPref: 101, asPath: '65010 65011 65012' });
    await lab.settle();
    expect(speaker.best({ prefix: P1 })).toEqual([`${P1} from ${second}`]);
  });

  it('4271-5.1.5-2 LOCAL_PREF is neither sent to eBGP nor believed from it', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(FROM).announce([P1], { localPref: 500 });
    peer(IBGP).announce([P2], { localPref: 500 });
    await lab.settle();
    expect(speaker.route(P1)?.attributes.localPref).toBeUndefined();
    expect(peer(IBGP).attributes(P1)?.localPref).toBe(100);
    expect(peer(EBGP).attributes(P1)?.localPref).toBeUndefined();
    expect(peer(EBGP).attributes(P2)?.localPref).toBeUndefined();
  });

  it('4271-5.1.6-1 ATOMIC_AGGREGATE is kept when a route is passed on', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(FROM).announce([P1], { atomicAggregate: true, aggregator: '65010 10.9.9.9' });
    await lab.settle();
    for (const address of [IBGP, EBGP]) {
      expect(peer(address).attributes(P1)).toMatchObject({
        atomicAggregate: true,
        aggregator: '65010 10.9.9.9',
      });
    }
  });

  it('4271-9.1.1-1 the degree of preference of an eBGP route goes to iBGP as LOCAL_PREF', async () => {
    const { lab, peer } = await rig(AROUND, { decision: { defaultLocalPref: 123 } });
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(IBGP).attributes(P1)?.localPref).toBe(123);
  });

  it('LOCAL_PREF and MED cross the border where they may', async () => {
    const more = {
      '10.0.0.5': { as: 65005, config: { allowLocalPref: true } },
      '10.0.0.6': { as: 65006, config: { allowMed: true } },
    };
    const { lab, peer } = await rig({ ...AROUND, ...more });
    peer('10.0.0.5').announce([P1], { localPref: 333, med: 7 });
    peer('10.0.0.6').announce([P2], { localPref: 333, med: 7 });
    await lab.settle();
    expect(peer(IBGP).attributes(P1)).toMatchObject({ localPref: 333, med: 7 });
    expect(peer(IBGP).attributes(P2)).toMatchObject({ localPref: 100, med: 7 });
    expect(peer('10.0.0.6').attributes(P1)).toMatchObject({ localPref: undefined, med: 7 });
    expect(peer('10.0.0.5').attributes(P2)).toMatchObject({ localPref: 100, med: undefined });
  });
});

describe('what the configuration does to paths', () => {
  it('remove private ASes, AS override, local AS, allow own AS', async () => {
    const more = {
      '10.0.0.5': { as: 65005, config: { asOverride: true } },
      '10.0.0.6': { as: 65006, config: { localAs: 64999 } },
      '10.0.0.7': { as: 65007, config: { allowOwnAs: 1 } },
      '10.0.0.8': { as: 3333, config: { removePrivateAs: true } },
    };
    const { lab, speaker, peer } = await rig({ ...AROUND, ...more });
    peer(FROM).announce([P1], { asPath: '65002 65005 4444' });
    peer('10.0.0.7').announce([P2], { asPath: '65007 65000 65010' });
    await lab.settle();
    expect(peer('10.0.0.5').attributes(P1)?.asPath).toBe('65000 65002 65000 4444');
    expect(peer('10.0.0.6').attributes(P1)?.asPath).toBe('64999 65002 65005 4444');
    expect(peer('10.0.0.8').attributes(P1)?.asPath).toBe('65000 4444');
    expect(speaker.best({ prefix: P2 })).toEqual([`${P2} from 10.0.0.7`]);
  });

  it('communities stay at home where sendCommunities is off', async () => {
    const { lab, peer } = await rig(withEbgp({ sendCommunities: false }));
    peer(FROM).announce([P1], { communities: ['65002:1'], largeCommunities: ['65002:1:1'] });
    await lab.settle();
    expect(peer(EBGP).attributes(P1)).toMatchObject({ communities: [], largeCommunities: [] });
    expect(peer(IBGP).attributes(P1)).toMatchObject({
      communities: ['65002:1'],
      largeCommunities: ['65002:1:1'],
    });
  });
});

describe('communities', () => {
  it('1997-wk-1 NO_EXPORT stays inside the AS', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(FROM).announce([P1], { communities: ['no-export'] });
    await lab.settle();
    expect(peer(EBGP).prefixes()).toEqual([]);
    expect(peer(IBGP).attributes(P1)?.communities).toEqual(['NO_EXPORT']);
  });

  it('keeps nothing from a peer towards which they are not interpreted', async () => {
    const { lab, peer } = await rig(withEbgp({ interpretCommunities: false }));
    peer(FROM).announce([P1], { communities: ['NO_EXPORT'] });
    peer(FROM).announce([P2], { communities: ['NO_ADVERTISE'] });
    await lab.settle();
    expect(peer(EBGP).prefixes()).toEqual([P1, P2]);
    expect(peer(EBGP).attributes(P1)?.communities).toEqual(['NO_EXPORT']);
    expect(peer(IBGP).prefixes()).toEqual([P1]);
  });

  it('1997-wk-2 NO_ADVERTISE is sent to nobody', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(FROM).announce([P1], { communities: ['no-advertise'] });
    await lab.settle();
    expect(peer(EBGP).prefixes()).toEqual([]);
    expect(peer(IBGP).prefixes()).toEqual([]);
    expect(speaker.best()).toEqual([`${P1} from ${FROM}`]);
  });

  it('1997-wk-3 NO_EXPORT_SUBCONFED is sent to no external peer', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(FROM).announce([P1], { communities: ['65535:65283'] });
    await lab.settle();
    expect(peer(EBGP).prefixes()).toEqual([]);
    expect(peer(IBGP).prefixes()).toEqual([P1]);
  });

  it('4360-6-1 non-transitive extended communities end at the AS boundary', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const [bytes] = peer(FROM).encode({ announce: [P1], attributes: { origin: 'IGP', asPath: '65002' } });
    const communities = hex('0002 fdea 00000001  4002 fdea 00000002');
    peer(FROM).send(withAttribute(bytes!, attributeBytes(0xc0, 16, communities)));
    await lab.settle();
    expect(peer(EBGP).attributes(P1)?.extendedCommunities).toHaveLength(1);
    expect(peer(IBGP).attributes(P1)?.extendedCommunities).toHaveLength(2);
    expect(speaker.route(P1)?.attributes.extendedCommunities).toHaveLength(2);
  });

  it('5701-2-1 IPv6 extended communities of type 0x40 end at the AS boundary', async () => {
    const { lab, peer } = await rig(AROUND);
    const [bytes] = peer(FROM).encode({ announce: [P1], attributes: { origin: 'IGP', asPath: '65002' } });
    const one = (type: string) => `${type}02 20010db8000000000000000000000001 0001`;
    peer(FROM).send(withAttribute(bytes!, attributeBytes(0xc0, 25, hex(one('00') + one('40')))));
    await lab.settle();
    expect(peer(EBGP).attributes(P1)?.extendedCommunities).toHaveLength(1);
    expect(peer(IBGP).attributes(P1)?.extendedCommunities).toHaveLength(2);
  });

  it('8326-4-1 GRACEFUL_SHUTDOWN from eBGP lowers LOCAL_PREF to 0, unless switched off', async () => {
    const second = '10.0.0.5';
    const { lab, speaker, peer } = await rig({
      ...AROUND,
      [second]: { as: 65005, config: { gracefulShutdown: false } },
    });
    peer(FROM).announce([P1], { communities: ['65535:0'] });
    peer(second).announce([P2], { communities: ['65535:0'] });
    await lab.settle();
    expect(speaker.route(P1)?.attributes.localPref).toBe(0);
    expect(peer(IBGP).attributes(P1)?.localPref).toBe(0);
    expect(peer(IBGP).attributes(P2)?.localPref).toBe(100);
    peer(EBGP).announce([P1], { asPath: '65004 65010 65011 65012' });
    await lab.settle();
    expect(speaker.best({ prefix: P1 })).toEqual([`${P1} from ${EBGP}`]);
  });

  it('7999-3.3-1 BLACKHOLE is not honoured, since nothing agrees on it', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(FROM).announce(['192.0.2.1/32'], { communities: ['65535:666'] });
    await lab.settle();
    expect(speaker.route('192.0.2.1/32')).toMatchObject({ nextHop: FROM, best: true });
  });
});

describe('AIGP (RFC 7311)', () => {
  it('7311-3.4.3-1 with the next hop unchanged AIGP is unchanged', async () => {
    const { lab, peer } = await rig({
      [IBGP]: { as: OWN_AS, config: { routeReflectorClient: true } },
      '10.0.0.5': { as: OWN_AS },
      [EBGP]: { as: 65004 },
    });
    peer(IBGP).announce([P1], { aigp: '1000' });
    await lab.settle();
    expect(peer('10.0.0.5').attributes(P1)?.aigp).toBe('1000');
    expect(peer(EBGP).attributes(P1)?.aigp).toBeUndefined();
  });

  it('7311-4-1 a route with AIGP beats one without; the lower one wins', async () => {
    const { lab, speaker, peer } = await rig({
      [IBGP]: { as: OWN_AS },
      '10.0.0.5': { as: OWN_AS },
      '10.0.0.6': { as: OWN_AS },
    });
    peer(IBGP).announce([P1], { asPath: '65010' });
    peer('10.0.0.5').announce([P1], { asPath: '65010 65011', aigp: '1000' });
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from 10.0.0.5`]);
    peer('10.0.0.6').announce([P1], { asPath: '65010 65011 65012', aigp: '900' });
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from 10.0.0.6`]);
  });
});

describe('old speakers (RFC 6793)', () => {
  it('6793-4.2.2-1 the path to an old peer has AS_TRANS, and AS4_PATH beside it', async () => {
    const { lab, speaker, peer } = await rig(withEbgp({}, { as4: false }));
    peer(FROM).announce([P1], { asPath: '65002 70000 65010' });
    peer(FROM).announce([P2], { asPath: '65002 65010' });
    await lab.settle();
    const updates = peer(EBGP).messages.filter((bytes) => bytes[18] === 2);
    const types = updates.map((bytes) => attributeTypes(bytes).includes(17));
    expect(types.sort()).toEqual([false, true]);
    expect(peer(EBGP).attributes(P1)?.asPath).toBe('65000 65002 70000 65010');
    expect(speaker.peer(EBGP).state).toBe('Established');
  });
});
