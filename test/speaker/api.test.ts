// The speaker as its operators see and steer it: views, explain, watchers and commands, on known topologies.

import { describe, expect, it } from 'vitest';
import { CommandError, type PeerEvent, type RouteEvent } from '../../src/speaker/api.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const IBGP = '10.0.0.9';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const AROUND: Record<string, RigPeer> = {
  [A]: { as: 65002, config: { name: 'tor-a' } },
  [B]: { as: 65003, config: { name: 'tor-b' } },
  [IBGP]: { as: OWN_AS },
};

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CommandError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('routes', () => {
  it('by prefix, inside a prefix, by longest match, by peer, best or rejected only', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(A).announce(['10.1.0.0/16', '10.1.2.0/24', P1]);
    peer(B).announce([P1], { asPath: '65003 65000' });
    await lab.settle();
    const prefixes = (query: Parameters<typeof speaker.routes>[0]) =>
      speaker.routes(query).map((r) => `${r.prefix} ${r.peer}`);
    expect(prefixes({ prefix: '10.1.0.0/16' })).toEqual(['10.1.0.0/16 tor-a']);
    expect(prefixes({ prefix: '10.0.0.0/8', longer: true })).toEqual([
      '10.1.0.0/16 tor-a',
      '10.1.2.0/24 tor-a',
    ]);
    expect(prefixes({ prefix: '10.1.2.3' })).toEqual(['10.1.2.0/24 tor-a']);
    expect(prefixes({ prefix: '10.1.3.3' })).toEqual(['10.1.0.0/16 tor-a']);
    expect(prefixes({ prefix: '10.9.3.3' })).toEqual([]);
    expect(prefixes({ receivedFrom: 'tor-b' })).toEqual([`${P1} tor-b`]);
    expect(prefixes({ rejectedOnly: true })).toEqual([`${P1} tor-b`]);
    expect(prefixes({ bestOnly: true })).toHaveLength(3);
    expect(prefixes({ family: 'ipv6-unicast' })).toEqual([]);
    // A peer may be named by its address, too.
    expect(prefixes({ receivedFrom: B })).toEqual([`${P1} tor-b`]);
    expect(refused(() => speaker.routes({ receivedFrom: 'nobody' }))).toMatch(/^not-found: /);
    expect(refused(() => speaker.routes({ prefix: 'nonsense' }))).toMatch(/^invalid: /);
  });

  it('advertised to a peer is what the peer has', async () => {
    const { lab, speaker, peer } = await rig(AROUND, { networks: [P2] });
    peer(A).announce([P1], { med: 5 });
    await lab.settle();
    const advertised = (name: string) => speaker.routes({ advertisedTo: name });
    expect(advertised('tor-a').map((route) => route.prefix)).toEqual([P2]);
    expect(advertised('tor-b')).toMatchObject([
      { prefix: P1, nextHop: OWN_ADDRESS, attributes: { asPath: '65000 65002', med: undefined } },
      { prefix: P2, nextHop: OWN_ADDRESS, attributes: { asPath: '65000' } },
    ]);
    for (const raw of [peer(A), peer(B), peer(IBGP)]) {
      const name = speaker.api.peers().find((view) => view.address === raw.address)!.name;
      expect(advertised(name).map((route) => `${route.prefix} via ${route.nextHop}`)).toEqual(raw.routes());
      expect(speaker.peer(name).families[0]?.advertised).toBe(raw.table.size);
    }
  });

  it('before and after what import does to attributes', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(A).announce([P1], { communities: ['65535:0'] });
    await lab.settle();
    const pref = (beforePolicy: boolean) => speaker.routes({ beforePolicy })[0]?.attributes.localPref;
    expect(pref(false)).toBe(0);
    expect(pref(true)).toBeUndefined();
  });
});

describe('explain', () => {
  it('ranks the paths with the step at which each lost, and says what every peer got and why', async () => {
    const { lab, speaker, peer } = await rig(
      { ...AROUND, '10.0.0.4': { as: 65004, config: { import: undefined, export: undefined } } },
      { kernel: { install: true } },
      simKernel(`eth0 ${OWN_ADDRESS}/24`),
    );
    peer(A).announce([P1], { asPath: '65002 65010' });
    peer(B).announce([P1]);
    peer(IBGP).announce([P1], { localPref: 50 });
    peer('10.0.0.4').announce([P1]);
    await lab.settle();
    const view = speaker.api.explain('192.0.2.77', {});
    expect(view.prefix).toBe(P1);
    expect(view.paths.map((path) => [path.rank, path.peer, path.eligible, path.best])).toEqual([
      [1, 'tor-b', true, true],
      [2, 'tor-a', true, false],
      [3, IBGP, true, false],
      [4, '10.0.0.4', false, false],
    ]);
    const steps = view.paths.map((path) => path.step);
    expect(steps[0]).toBe('best');
    expect(steps[1]).toMatch(/AS.?path/i);
    expect(steps[2]).toMatch(/local preference/i);
    expect(steps[3]).toBe('not a candidate');
    expect(Object.fromEntries(view.exports.map((each) => [each.peer, each.advertised]))).toEqual({
      'tor-a': true,
      'tor-b': false,
      [IBGP]: true,
      '10.0.0.4': false,
    });
    expect(view.exports.find((each) => each.peer === 'tor-b')?.reason).toBe(
      'the peer sent this route itself',
    );
    expect(view.kernel).toMatchObject({ problem: undefined });
    expect(view.kernel?.desired).toBe(view.kernel?.installed);
    expect(view.kernel?.desired).toContain(B);
    expect(speaker.api.explain(P1, { from: 'tor-a' }).paths).toHaveLength(1);
    expect(refused(() => speaker.api.explain('10.0.0.0/8', {}))).toMatch(/^not-found: /);
    expect(refused(() => speaker.api.explain(P1, { to: 'nobody' }))).toMatch(/^not-found: /);
  });

  it('what it says of a peer is what the peer has', async () => {
    const { lab, speaker, peer } = await rig({ ...AROUND, '10.0.0.8': { as: OWN_AS } });
    peer(IBGP).announce([P1]);
    peer(A).announce([P2], { communities: ['no-export'] });
    await lab.settle();
    for (const prefix of [P1, P2]) {
      for (const { peer: name, advertised } of speaker.api.explain(prefix, {}).exports) {
        const address = speaker.peer(name).address;
        expect(peer(address).table.has(prefix), `${prefix} to ${name}`).toBe(advertised);
      }
    }
    const reasons = speaker.api.explain(P1, {}).exports.map((each) => each.reason);
    expect(reasons).toContain('learned by iBGP, and neither side is a route-reflector client');
  });
});

describe('commands', () => {
  it('a network comes and goes', async () => {
    const { lab, speaker, peer } = await rig(AROUND, { networks: [P2] });
    speaker.api.addNetwork({ prefix: P1, med: 5, communities: ['65000:7'] });
    await lab.settle();
    expect(peer(A).attributes(P1)).toMatchObject({ med: 5, communities: ['65000:7'], asPath: '65000' });
    speaker.api.addNetwork({ prefix: P1, med: 6 });
    await lab.settle();
    expect(peer(A).attributes(P1)?.med).toBe(6);
    speaker.api.deleteNetwork(P1);
    await lab.settle();
    expect(peer(A).prefixes()).toEqual([P2]);
    expect(refused(() => speaker.api.deleteNetwork(P1))).toMatch(/^not-found: /);
    expect(refused(() => speaker.api.deleteNetwork(P2))).toMatch(/configuration/);
    expect(refused(() => speaker.api.addNetwork({ prefix: '192.0.2.1/24' }))).toMatch(/192\.0\.2\.0\/24/);
    expect(refused(() => speaker.api.addNetwork({ prefix: P1, type: 'via' }))).toMatch(/^invalid: /);
    expect(refused(() => speaker.api.addNetwork({ prefix: P1, med: -1 }))).toMatch(/^invalid: /);
    expect(refused(() => speaker.api.addNetwork({ prefix: P1, communities: ['nonsense'] }))).toMatch(
      /^invalid: /,
    );
    expect(speaker.best()).toEqual([`${P2} from local`]);
  });

  it.each([
    [{ prefix: P1, via: ['10.0.0.300'] }, '"10.0.0.300" is not a next hop for'],
    [{ prefix: '2001:db8::/32', via: ['10.0.0.1'] }, '"10.0.0.1" is not a next hop for 2001:db8::/32'],
    [{ prefix: '2001:db8::/32', via: ['2001:db8::1', 'fe80::1'] }, 'write fe80::1%eth0'],
    [{ prefix: P1, via: ['fe80::1'] }, 'write fe80::1%eth0'],
  ])('a network has next hops that can be reached: %j', async (spec, message) => {
    const { speaker } = await rig(AROUND);
    expect(refused(() => speaker.api.addNetwork(spec))).toContain(message);
    expect(speaker.best()).toEqual([]);
  });

  it('a network of the command line may have the next hops that one of a file may have', async () => {
    const { lab, speaker } = await rig(AROUND);
    speaker.api.addNetwork({ prefix: P1, via: ['fe80::1%eth0', '2001:db8::1'] });
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from local`]);
  });

  it('a network may have communities of both kinds', async () => {
    const communities = ['65000:7', '65000:8:9', 'no-export'];
    const { speaker, peer } = await rig(AROUND, { networks: [{ prefix: P2, communities }] });
    expect(peer(IBGP).attributes(P2)).toMatchObject({
      communities: ['65000:7', 'NO_EXPORT'],
      largeCommunities: ['65000:8:9'],
    });
    expect(speaker.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('a network of the API hides a configured one until it is taken out', async () => {
    const { lab, speaker, peer } = await rig(AROUND, { networks: [{ prefix: P2, med: 1 }] });
    speaker.api.addNetwork({ prefix: P2, med: 2 });
    await lab.settle();
    expect(peer(A).attributes(P2)?.med).toBe(2);
    speaker.api.deleteNetwork(P2);
    await lab.settle();
    expect(peer(A).attributes(P2)?.med).toBe(1);
  });

  it('a peer goes down with a text and up again', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    speaker.api.peerDown('tor-a', 'moving the rack');
    await lab.settle();
    const text = Buffer.from('moving the rack');
    expect(peer(A).heard.slice(-2)).toEqual([
      `NOTIFICATION 6/2 ${Buffer.from([text.length, ...text]).toString('hex')}`,
      'FIN',
    ]);
    expect(speaker.peer('tor-a')).toMatchObject({ state: 'Idle', adminUp: false, downCount: 1 });
    expect(speaker.peer('tor-a').lastError).toMatch(/moving the rack/);
    await lab.connect(speaker, peer(A));
    expect(speaker.peer('tor-a').state).toBe('Idle');
    speaker.api.peerUp('tor-a');
    await lab.run(10_000);
    await lab.connect(speaker, peer(A));
    expect(speaker.peer('tor-a')).toMatchObject({ state: 'Established', adminUp: true, establishedCount: 2 });
    expect(refused(() => speaker.api.peerDown('nobody', undefined))).toMatch(/^not-found: /);
  });

  it('9003-4-1 the text of the other side is shown and logged', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const text = Buffer.from('power works in hall 3');
    const length = 21 + 1 + text.length;
    peer(A).send(
      Uint8Array.from([...new Uint8Array(16).fill(0xff), 0, length, 3, 6, 2, text.length, ...text]),
    );
    await lab.settle();
    expect(speaker.peer('tor-a').lastError).toMatch(/power works in hall 3/);
    expect(speaker.log.join('\n')).toMatch(/power works in hall 3/);
  });

  it('refresh of a peer without a session is refused', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(A).drop();
    await lab.settle();
    expect(refused(() => speaker.api.peerRefresh('tor-a', 'both'))).toMatch(/^failed: /);
  });
});

describe('watchers', () => {
  it('hear of every new best path, and only of those they asked for', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const events: RouteEvent[] = [];
    const few: RouteEvent[] = [];
    const stop = speaker.api.watchRoutes({}, (event) => events.push(event));
    speaker.api.watchRoutes({ prefix: '192.0.2.0/23', longer: true }, (event) => few.push(event));
    peer(A).announce([P1, P2]);
    await lab.settle();
    peer(B).announce([P1], { asPath: '65003 65010' });
    await lab.settle();
    peer(A).withdraw(P1);
    await lab.settle();
    expect(events.map(({ prefix, best }) => `${prefix} ${best?.peer}`)).toEqual([
      `${P1} tor-a`,
      `${P2} tor-a`,
      `${P1} tor-b`,
    ]);
    stop();
    peer(B).withdraw(P1);
    await lab.settle();
    expect(events).toHaveLength(3);
    expect(few.map(({ prefix, best }) => `${prefix} ${best?.peer}`)).toEqual([
      `${P1} tor-a`,
      `${P1} tor-b`,
      `${P1} undefined`,
    ]);
  });

  it('leave nothing behind when the last one goes, and others may come', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const first: RouteEvent[] = [];
    const second: RouteEvent[] = [];
    const stop = speaker.api.watchRoutes({}, (event) => {
      first.push(event);
      stop();
    });
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(first).toHaveLength(1);
    speaker.api.watchRoutes({}, (event) => second.push(event));
    stop();
    peer(A).withdraw(P1);
    await lab.settle();
    expect(first).toHaveLength(1);
    expect(second.map(({ prefix, best }) => `${prefix} ${best?.peer}`)).toEqual([`${P1} undefined`]);
  });

  it('hear of every change of a peer', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const events: PeerEvent[] = [];
    speaker.api.watchPeers((event) => events.push(event));
    peer(A).drop();
    await lab.settle();
    expect(events.map((event) => event.peer.state)).toContain('Idle');
    expect(events.at(-1)).toMatchObject({ kind: 'peer', peer: { name: 'tor-a', state: 'Active' } });
    await lab.run(300_000);
    await lab.connect(speaker, peer(A));
    expect(events.at(-1)).toMatchObject({ kind: 'peer', peer: { name: 'tor-a', state: 'Established' } });
    expect(new Set(events.map((event) => event.peer.name))).toEqual(new Set(['tor-a']));
  });
});

describe('status', () => {
  it('counts what there is', async () => {
    const { lab, speaker, peer } = await rig(AROUND, { networks: [P2] });
    peer(A).announce([P1]);
    peer(B).announce([P1]);
    await lab.settle();
    expect(speaker.api.status()).toMatchObject({
      routerId: OWN_ADDRESS,
      asn: OWN_AS,
      state: 'running',
      problems: [],
      families: [
        { family: 'ipv4-unicast', prefixes: 2, paths: 3 },
        { family: 'ipv6-unicast', prefixes: 0, paths: 0 },
      ],
      peers: { total: 3, established: 3 },
      kernel: undefined,
    });
    expect([...speaker.api.attributeSets()].length).toBe(speaker.api.status().attributeSets);
  });

  it('nothing is left in the tables when all peers have gone', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(A).announce([P1, P2], { communities: ['65002:1'] });
    peer(B).announce([P1]);
    peer(IBGP).announce([P2]);
    await lab.settle();
    for (const raw of [peer(A), peer(B), peer(IBGP)]) raw.drop();
    await lab.settle();
    const { rib } = speaker.speaker;
    expect(speaker.api.status().attributeSets).toBe(0);
    expect(rib.families.map((family) => family.prefixes.size)).toEqual([0, 0]);
    expect([...rib.nextHops.values()]).toEqual([]);
    expect(speaker.api.updateGroups()).toEqual([]);
  });

  it('peers with equal settings share an update group', async () => {
    const { speaker } = await rig(AROUND);
    const groups = speaker.api.updateGroups();
    expect(groups.map((group) => [...group.members].sort())).toEqual([['tor-a', 'tor-b'], [IBGP]]);
    expect(groups[0]?.key['type']).toBe('external');
    expect(speaker.peer('tor-a').families[0]?.updateGroup).toBe(
      speaker.peer('tor-b').families[0]?.updateGroup,
    );
  });
});
