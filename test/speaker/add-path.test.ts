// RFC 7911 over whole sessions: several paths in, several out, and both with reflection.

import { describe, expect, it } from 'vitest';
import { OWN_ADDRESS, OWN_AS, peerInput, type RigPeer, rig } from './rig.ts';

const P1 = '192.0.2.0/24';
const A = '10.0.0.2';
const B = '10.0.0.3';
const C = '10.0.0.4';
const ALL = '10.0.0.5';
const TWO = '10.0.0.6';
const PLAIN = '10.0.0.7';

const AROUND: Record<string, RigPeer> = {
  [A]: { as: 65002 },
  [B]: { as: 65003 },
  [C]: { as: 65004 },
  [ALL]: { as: 65005, config: { addPath: { send: 'all' } }, raw: { addPath: 1 } },
  [TWO]: { as: 65006, config: { addPath: { send: 2 } }, raw: { addPath: 1 } },
  [PLAIN]: { as: 65007 },
};

/** The paths that a peer has for P1, by AS_PATH. */
function paths(peer: { table: ReadonlyMap<string, { attributes: { asPath: string } }> }): string[] {
  return [...peer.table]
    .filter(([key]) => key.startsWith(P1))
    .map(([, { attributes }]) => attributes.asPath)
    .sort();
}

describe('sending', () => {
  it('7911-5-3 all, or the best N with the best among them', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(A).announce([P1], { asPath: '65002 65010 65011' });
    peer(B).announce([P1], { asPath: '65003 65010' });
    peer(C).announce([P1], { asPath: '65004' });
    await lab.settle();
    expect(paths(peer(ALL))).toEqual(['65000 65002 65010 65011', '65000 65003 65010', '65000 65004']);
    expect(paths(peer(TWO))).toEqual(['65000 65003 65010', '65000 65004']);
    expect(paths(peer(PLAIN))).toEqual(['65000 65004']);
    peer(C).withdraw(P1);
    await lab.settle();
    expect(paths(peer(ALL))).toEqual(['65000 65002 65010 65011', '65000 65003 65010']);
    expect(paths(peer(TWO))).toEqual(['65000 65002 65010 65011', '65000 65003 65010']);
    expect(paths(peer(PLAIN))).toEqual(['65000 65003 65010']);
    peer(A).drop();
    peer(B).drop();
    await lab.settle();
    expect([paths(peer(ALL)), paths(peer(TWO)), paths(peer(PLAIN))]).toEqual([[], [], []]);
  });

  it('a path that does not become best reaches those who get several', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(A).announce([P1]);
    await lab.settle();
    peer(PLAIN).clear();
    peer(B).announce([P1], { asPath: '65003 65010' });
    await lab.settle();
    expect(paths(peer(ALL))).toEqual(['65000 65002', '65000 65003 65010']);
    expect(peer(PLAIN).heard).toEqual([]);
  });

  it('no echo: a peer gets the paths of the others only', async () => {
    const { lab, speaker, peer } = await rig({
      ...AROUND,
      [ALL]: { as: 65005, config: { addPath: true }, raw: { addPath: 3 } },
    });
    peer(ALL).announce([`${P1} #1`], { asPath: '65005' });
    peer(ALL).announce([`${P1} #2`], { asPath: '65005 65010' });
    peer(A).announce([P1], { asPath: '65002 65010 65011' });
    await lab.settle();
    expect(paths(peer(ALL))).toEqual(['65000 65002 65010 65011']);
    // The best path is the peer's own, and it is told of another one.
    expect(speaker.api.explain(P1, { to: ALL }).exports[0]).toMatchObject({
      advertised: true,
      attributes: { asPath: '65000 65002 65010 65011' },
    });
    const [both] = speaker.api.explain(P1, { to: TWO }).exports;
    expect(both?.reason).toBe('advertised: 2 paths');
    expect(both?.paths?.map(({ attributes }) => attributes.asPath)).toEqual([
      '65000 65005',
      '65000 65005 65010',
    ]);
    expect(new Set(both?.paths?.map(({ pathId }) => pathId)).size).toBe(2);
    expect(both).toMatchObject({ attributes: { asPath: '65000 65005' } });
    expect(paths(peer(TWO))).toEqual(['65000 65005', '65000 65005 65010']);
  });
});

describe('receiving', () => {
  const SENDER: Record<string, RigPeer> = {
    ...AROUND,
    [A]: { as: 65002, config: { addPath: { receive: true } }, raw: { addPath: 2 } },
  };

  it('7911-2-1 (prefix, id) is unique a peer; received ids are not passed on', async () => {
    const { lab, speaker, peer } = await rig(SENDER);
    peer(A).announce([`${P1} #71`], { asPath: '65002' });
    peer(A).announce([`${P1} #72`], { asPath: '65002 65010' });
    await lab.settle();
    expect(speaker.routes().map((route) => route.pathId)).toEqual([71, 72]);
    const ids = peer(ALL)
      .prefixes()
      .map((key) => Number(key.split('#')[1]));
    expect(new Set(ids).size).toBe(2);
    expect(ids).not.toContain(71);
    expect(ids).not.toContain(72);
    peer(A).withdraw(`${P1} #71`);
    await lab.settle();
    expect(paths(peer(ALL))).toEqual(['65000 65002 65010']);
    expect(paths(peer(PLAIN))).toEqual(['65000 65002 65010']);
  });

  it('7911-5-2 the same prefix and id replaces; a withdrawal of an unknown id is ignored', async () => {
    const { lab, speaker, peer } = await rig(SENDER);
    peer(A).announce([`${P1} #1`], { asPath: '65002' });
    peer(A).announce([`${P1} #1`], { asPath: '65002 65010' });
    peer(A).withdraw(`${P1} #9`);
    await lab.settle();
    expect(speaker.routes().map((route) => [route.pathId, route.attributes.asPath])).toEqual([
      [1, '65002 65010'],
    ]);
    expect(speaker.peer(A).state).toBe('Established');
    expect(paths(peer(ALL))).toEqual(['65000 65002 65010']);
  });
});

describe('with reflection', () => {
  it('a client gets all paths of the other clients, with what reflection adds', async () => {
    const client = (more: RigPeer['config'], raw: RigPeer['raw'] = {}): RigPeer => {
      return { as: OWN_AS, config: { routeReflectorClient: true, ...more }, raw };
    };
    const { lab, speaker, peer } = await rig({
      [A]: client({}),
      [B]: client({}),
      [ALL]: client({ addPath: true }, { addPath: 3 }),
      [PLAIN]: client({}),
    });
    for (const address of [A, B]) peer(address).announce([P1], {}, address);
    peer(ALL).announce([`${P1} #5`], {}, ALL);
    await lab.settle();
    expect([...peer(ALL).table.values()].map((route) => route.nextHop).sort()).toEqual([A, B]);
    expect([...peer(ALL).table.values()].map((route) => route.attributes.originatorId).sort()).toEqual([
      A,
      B,
    ]);
    expect(peer(PLAIN).routes()).toEqual([`${P1} via ${A}`]);
    expect(peer(A).routes()).toEqual([]);
    expect(peer(B).routes()).toEqual([`${P1} via ${A}`]);
    peer(A).withdraw(P1);
    await lab.settle();
    expect([...peer(ALL).table.values()].map((route) => route.nextHop)).toEqual([B]);
    expect(peer(A).routes()).toEqual([`${P1} via ${B}`]);
    expect(speaker.routes({ advertisedTo: ALL })).toHaveLength(1);
  });
});

describe('under load and change', () => {
  const SENDER: RigPeer = { as: 65002, config: { addPath: { receive: true } }, raw: { addPath: 2 } };
  const RECEIVER: RigPeer = { as: 65005, config: { addPath: { send: 'all' } }, raw: { addPath: 1 } };

  /** What a peer has, without identifiers. */
  const routes = (peer: {
    table: ReadonlyMap<string, { attributes: { med: number | undefined; asPath: string } }>;
  }) => [...peer.table].map(([key, { attributes }]) => `${key.split(' ')[0]} ${attributes.asPath}`).sort();

  it('a peer that stops reading misses nothing: neither paths that came nor those that went', async () => {
    const slow = '10.0.0.6';
    const { lab, speaker, peer } = await rig(
      { [A]: SENDER, [ALL]: RECEIVER, [slow]: { ...RECEIVER, as: 65006 } },
      {},
      undefined,
      { windowBytes: 4096 },
    );
    peer(slow).pause();
    const prefix = (i: number) => `10.${100 + (i >> 8)}.${i & 255}.0/24`;
    const count = 1200;
    for (let i = 0; i < count; i++) {
      for (const id of [1, 2, 3])
        peer(A).announce([`${prefix(i)} #${id}`], { asPath: `65002 ${1000 + i} ${id}` });
    }
    await lab.run(2000);
    expect(peer(ALL).table.size).toBe(3 * count);
    expect(peer(slow).table.size).toBeLessThan(3 * count);
    peer(slow).resume();
    await lab.run(20);
    peer(slow).pause();
    for (let i = 0; i < count; i++) {
      if (i % 3 === 0) peer(A).withdraw(`${prefix(i)} #1`, `${prefix(i)} #3`);
      else if (i % 3 === 1) peer(A).withdraw(...[1, 2, 3].map((id) => `${prefix(i)} #${id}`));
      else peer(A).announce([`${prefix(i)} #2`], { asPath: `65002 ${1000 + i} 2 2` });
    }
    await lab.run(2000);
    peer(slow).resume();
    await lab.run(5000);
    expect(routes(peer(ALL))).toHaveLength((1 + 0 + 3) * (count / 3));
    expect(routes(peer(slow))).toEqual(routes(peer(ALL)));
    expect(speaker.api.updateGroups().flatMap((group) => group.lagging)).toEqual([]);
  });

  it('a policy that changes takes all paths away and brings them back', async () => {
    const peers: Record<string, RigPeer> = { [A]: SENDER, [B]: { as: 65003 }, [ALL]: RECEIVER };
    const { lab, speaker, peer } = await rig(peers);
    peer(A).announce([`${P1} #1`], { asPath: '65002' });
    peer(A).announce([`${P1} #2`], { asPath: '65002 65010' });
    peer(B).announce([P1], { asPath: '65003 65011' });
    await lab.settle();
    expect(paths(peer(ALL))).toHaveLength(3);
    const input = (config: RigPeer['config']) => ({
      router: { asn: OWN_AS, id: OWN_ADDRESS },
      peers: [
        peerInput(A, SENDER),
        peerInput(B, { as: 65003 }),
        peerInput(ALL, { ...RECEIVER, config: { ...RECEIVER.config, ...config } }),
      ],
    });
    await speaker.reload(input({ export: 'reject' }));
    expect(paths(peer(ALL))).toEqual([]);
    peer(A).withdraw(`${P1} #1`);
    await lab.settle();
    await speaker.reload(input({ nextHop: '10.0.0.200' }));
    expect(paths(peer(ALL))).toEqual(['65000 65002 65010', '65000 65003 65011']);
    expect(new Set([...peer(ALL).table.values()].map((route) => route.nextHop))).toEqual(
      new Set(['10.0.0.200']),
    );
    expect(speaker.peer(ALL)).toMatchObject({ state: 'Established', establishedCount: 1 });
  });
});
