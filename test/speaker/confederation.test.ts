// RFC 5065 over whole sessions: one speaker of member AS 65000 in confederation 64500, with peers of the same member,
// of another one and outside.

import { describe, expect, it } from 'vitest';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rig } from './rig.ts';

const CONFEDERATION = 64500;
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';
const OWN_NETWORK = '10.44.0.0/16';
const INSIDE = '10.0.0.2';
const IBGP = '10.0.0.3';
const OUTSIDE = '10.0.0.4';
const OTHER_MEMBER = '10.0.0.5';
const AROUND: Record<string, RigPeer> = {
  [INSIDE]: { as: 65001 },
  [IBGP]: { as: OWN_AS },
  [OUTSIDE]: { as: 65004 },
  [OTHER_MEMBER]: { as: 65002 },
};

function confederation(peers: Record<string, RigPeer> = AROUND) {
  const router = {
    asn: OWN_AS,
    id: OWN_ADDRESS,
    confederation: { id: CONFEDERATION, members: [65001, 65002] },
  };
  return rig(peers, { router, networks: [OWN_NETWORK] });
}

describe('a member of a confederation', () => {
  it('5065-4-1 shows its member AS inside, and the confederation outside', async () => {
    const { peer, speaker } = await confederation();
    const shown = (address: string) => peer(address).context?.peerAs;
    expect([INSIDE, IBGP, OUTSIDE].map(shown)).toEqual([OWN_AS, OWN_AS, CONFEDERATION]);
    const types = new Map(speaker.api.peers().map(({ address, type }) => [address, type]));
    expect([INSIDE, IBGP, OUTSIDE].map((address) => types.get(address))).toEqual([
      'confederation',
      'internal',
      'external',
    ]);
  });

  it('5065-4.1-1 passes routes on with the path that each peer is to see', async () => {
    const { lab, peer } = await confederation();
    const given = { localPref: 70, med: 5, communities: ['NO_EXPORT'] };
    peer(INSIDE).announce([P1], { ...given, asPath: '(65001) 1 2' });
    peer(OUTSIDE).announce([P2], { med: 5 });
    peer(IBGP).announce([P3], { asPath: '(65009) 3' });
    await lab.settle();
    const path = (address: string, prefix: string) => peer(address).attributes(prefix)?.asPath;
    expect(peer(OTHER_MEMBER).attributes(P1)).toMatchObject({ ...given, asPath: '(65000 65001) 1 2' });
    expect(peer(IBGP).attributes(P1)).toMatchObject({ ...given, asPath: '(65001) 1 2' });
    expect(peer(OUTSIDE).prefixes()).toEqual([OWN_NETWORK, P3]);
    expect(path(OUTSIDE, P3)).toBe('64500 3');
    expect(peer(INSIDE).attributes(P2)).toMatchObject({ asPath: '(65000) 65004', localPref: 100, med: 5 });
    expect(peer(INSIDE).table.get(P2)?.nextHop).toBe(OUTSIDE);
    expect(path(IBGP, P2)).toBe('65004');
    expect([INSIDE, IBGP, OUTSIDE].map((address) => path(address, OWN_NETWORK))).toEqual([
      '(65000)',
      '',
      '64500',
    ]);
  });

  it('5065-4-1 takes neither the confederation nor its own member AS in a path', async () => {
    const { lab, peer, speaker } = await confederation();
    peer(OUTSIDE).announce([P1], { asPath: `65004 ${CONFEDERATION}` });
    peer(INSIDE).announce([P2], { asPath: `(65001) ${CONFEDERATION}` });
    peer(INSIDE).announce([P3], { asPath: `(65001 ${OWN_AS}) 1` });
    await lab.settle();
    expect(peer(OTHER_MEMBER).prefixes()).toEqual([OWN_NETWORK]);
    for (const prefix of [P1, P2, P3]) expect(speaker.route(prefix)).toBeUndefined();
  });

  it('5065-5-1, 5065-5-2 withdraws what has segments from outside, or lacks them from inside', async () => {
    const { lab, peer } = await confederation();
    peer(OUTSIDE).announce([P1, P2]);
    peer(INSIDE).announce([P3], { asPath: '(65001) 1' });
    await lab.settle();
    expect(peer(OTHER_MEMBER).prefixes()).toEqual([OWN_NETWORK, P1, P2, P3]);
    peer(OUTSIDE).announce([P1], { asPath: '(65001) 65004' });
    peer(INSIDE).announce([P3], { asPath: '65001 1' });
    await lab.settle();
    expect(peer(OTHER_MEMBER).prefixes()).toEqual([OWN_NETWORK, P2]);
    expect(peer(OUTSIDE).heard.concat(peer(INSIDE).heard).join()).not.toContain('NOTIFICATION');
  });
});
