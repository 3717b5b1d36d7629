// BFD with BIRD's and FRR's: sessions of both versions of IP beside BGP, a path that dies in the middle while both ends'
// links stay up, authentication, administrative ends, and a path over a router.

import { describe, expect, test } from 'vitest';
import type { GodwitDaemon } from '../../bench/daemons/godwit.ts';
import type { BfdAuth, BfdSpec, Daemon, DaemonName, DaemonSpec } from '../../bench/daemons/types.ts';
import { run, waitFor } from '../../bench/lab/command.ts';
import type { BfdSessionView, PeerView } from '../../src/speaker/api.ts';
import { established, LAB_DEVICE, labOfEachTest, type Node, peerTo } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const OWN_AS = 65000;
const PEER_AS = 65001;
const FAST: BfdSpec = { interval: 50, multiplier: 3 };
const DETECTION_MS = FAST.interval * FAST.multiplier;
/** What this machine and its other work may add to a detection time. */
const SLACK_MS = 1000;
/** FRR's daemons agree among themselves. */
const SETTLE_MS = 3000;

const createLab = labOfEachTest();

interface Pair {
  readonly own: Node;
  readonly peer: Node;
  readonly ours: GodwitDaemon;
  readonly theirs: Daemon;
  /** Takes the peer's port off the bridge: no end sees its link go down. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** `bfd`: of both sides, or of each. */
async function pair(
  name: string,
  kind: DaemonName,
  bfd: BfdSpec | readonly [BfdSpec, BfdSpec],
): Promise<Pair> {
  const [mine, other] = 'interval' in bfd ? [bfd, bfd] : bfd;
  const lab = await createLab(name, ['own', 'peer']);
  const [own, peer] = [lab.node(0), lab.node(1)];
  const spec = (self: Node, remote: Node, asn: number, remoteAs: number): DaemonSpec => ({
    asn,
    routerId: self.ipv4,
    peers: (['ipv4', 'ipv6'] as const).map((family) =>
      peerTo(self, remote, remoteAs, family, { bfd: self === own ? mine : other }),
    ),
    networks: [],
    kernel: false,
  });
  const ours = await lab.start('godwit', own, spec(own, peer, OWN_AS, PEER_AS));
  const theirs = await lab.start(kind, peer, spec(peer, own, PEER_AS, OWN_AS));
  const port = (...words: string[]) => lab.network.ip('link', 'set', 'port1', ...words);
  return {
    own,
    peer,
    ours: ours as GodwitDaemon,
    theirs,
    cut: async () => void (await port('nomaster')),
    mend: async () => void (await port('master', 'br0')),
  };
}

async function sessions(daemon: GodwitDaemon): Promise<BfdSessionView[]> {
  return daemon.list<BfdSessionView>('show', 'bfd');
}

async function peers(daemon: GodwitDaemon): Promise<PeerView[]> {
  return daemon.list<PeerView>('show', 'peers');
}

async function allIn(
  daemon: GodwitDaemon,
  state: BfdSessionView['state'],
  count = 2,
): Promise<BfdSessionView[]> {
  return waitFor(`${count} BFD sessions are ${state}`, async () => {
    const all = await sessions(daemon);
    if (all.length === count && all.every((session) => session.state === state)) return all;
    throw new Error(JSON.stringify(all));
  });
}

describe.each(['bird', 'frr'] as const)('with %s', async (kind) => {
  const { skip } = await labRequirement(['godwit', kind]);

  test.skipIf(skip)(
    'comes up at 50 ms x 3, sees a dead path within a detection time, and recovers',
    async () => {
      const { ours, theirs, cut, mend } = await pair(`bf${kind}`, kind, FAST);
      await established(ours, theirs);
      const up = await allIn(ours, 'Up');
      for (const session of up) {
        expect(session).toMatchObject({ multihop: false, interface: LAB_DEVICE });
      }
      await waitFor('the intervals are agreed on', async () =>
        (await sessions(ours)).every(
          ({ interval, timeout }) => interval === FAST.interval && timeout === DETECTION_MS,
        ),
      );
      // Where this machine stood still for a detection time meanwhile, the sessions are on their way back.
      await established(ours, theirs);
      await allIn(ours, 'Up');

      await cut();
      const cutAt = Date.now();
      const down = await allIn(ours, 'Down');
      for (const session of down) {
        expect(session.localDiagnostic).toBe('Control Detection Time Expired');
        expect(session.since - cutAt).toBeLessThan(DETECTION_MS + SLACK_MS);
      }
      for (const peer of await peers(ours)) {
        expect(peer.state).not.toBe('Established');
        expect(peer.lastError).toContain('BFD: Control Detection Time Expired');
      }

      await mend();
      await established(ours, theirs);
      for (const session of await allIn(ours, 'Up')) expect(session.upCount).toBeGreaterThan(1);
    },
  );
});

describe('with frr', async () => {
  const { skip } = await labRequirement(['godwit', 'frr']);

  test.skipIf(skip)('5882-4.2-1: keeps the BGP session when the other side ends BFD by hand', async () => {
    const { ours, theirs, peer } = await pair('bfhand', 'frr', { interval: 100, multiplier: 3 });
    await established(ours, theirs);
    await allIn(ours, 'Up');
    // bgpd registers anew when BGP comes up, and bfdd's first session goes down with a Cease.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await established(ours, theirs);
    await allIn(ours, 'Up');
    const before = (await peers(ours)).map(({ downCount }) => downCount);
    const vtysh = ['vtysh', '--vty_socket', `${peer.directory}/vty`, '-d', 'bfdd'];
    await run([...vtysh, '-c', 'configure', '-c', 'bfd', '-c', 'profile lab', '-c', 'shutdown']);
    const down = await allIn(ours, 'Down');
    for (const session of down) expect(session.localDiagnostic).toBe('Neighbor Signaled Session Down');
    expect((await peers(ours)).map(({ state }) => state)).toEqual(['Established', 'Established']);
    expect((await peers(ours)).map(({ downCount }) => downCount)).toEqual(before);
  });
});

describe('authentication with BIRD', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);
  const TYPES: readonly BfdAuth[] = ['simple', 'md5', 'meticulous-md5', 'sha1', 'meticulous-sha1'];

  test.skipIf(skip).each(TYPES)('%s', async (type) => {
    const auth = { type, keyId: 7, password: 'lab-secret' };
    const { ours } = await pair('bfauth', 'bird', { interval: 100, multiplier: 5, auth });
    const up = await allIn(ours, 'Up');
    for (const session of up) expect(session.authentication).toBe(type);
    // For long enough that numbers which do not follow each other would have ended it.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect((await sessions(ours)).map(({ state, downCount }) => [state, downCount])).toEqual([
      ['Up', 0],
      ['Up', 0],
    ]);
  });

  test.skipIf(skip)('with another key it stays down, and godwit says why', async () => {
    const auth = (password: string) => ({ type: 'sha1', keyId: 1, password }) as const;
    const { ours } = await pair('bfauth', 'bird', [
      { ...FAST, auth: auth('ours') },
      { ...FAST, auth: auth('theirs') },
    ]);
    await waitFor('the key is complained about', async () =>
      (await sessions(ours)).every(({ problem }) => problem === 'packets that were made with another key'),
    );
  });
});

describe.each(['bird', 'frr'] as const)('over a router, with %s', async (kind) => {
  const { skip } = await labRequirement(['godwit', kind]);

  test.skipIf(skip)('5883-5-1: a multihop session comes up, and dies with the path', async () => {
    const lab = await createLab(`bm${kind}`, ['own', 'router', 'peer']);
    const [own, router, peer] = [lab.node(0), lab.node(1), lab.node(2)];
    const loopback = { own: '10.98.0.1', peer: '10.98.0.3' };
    await router.namespace.run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
    await router.namespace.run(['sysctl', '-qw', 'net.ipv4.conf.all.send_redirects=0']);
    await router.namespace.run(['sysctl', '-qw', `net.ipv4.conf.${LAB_DEVICE}.send_redirects=0`]);
    for (const [node, address] of [
      [own, loopback.own],
      [peer, loopback.peer],
    ] as const) {
      await node.namespace.ip('address', 'add', `${address}/32`, 'dev', 'lo');
      await router.namespace.ip('route', 'add', `${address}/32`, 'via', node.ipv4);
    }
    const way = (address: string) => [`${address}/32`, 'via', router.ipv4];
    await own.namespace.ip('route', 'add', ...way(loopback.peer), 'src', loopback.own);
    await peer.namespace.ip('route', 'add', ...way(loopback.own), 'src', loopback.peer);
    const of = (asn: number, otherAs: number, self: string, other: string): DaemonSpec => ({
      asn,
      routerId: self,
      peers: [
        {
          name: 'far',
          address: other,
          localAddress: self,
          asn: otherAs,
          families: ['ipv4'],
          multihop: 5,
          bfd: { interval: 100, multiplier: 3 },
        },
      ],
      networks: [],
      kernel: false,
    });
    const ours = (await lab.start(
      'godwit',
      own,
      of(OWN_AS, PEER_AS, loopback.own, loopback.peer),
    )) as GodwitDaemon;
    const theirs = await lab.start(kind, peer, of(PEER_AS, OWN_AS, loopback.peer, loopback.own));
    await established(ours, theirs);
    const [up] = await allIn(ours, 'Up', 1);
    expect(up).toMatchObject({ multihop: true, address: loopback.peer, localAddress: loopback.own });
    await router.namespace.ip('route', 'del', `${loopback.own}/32`);
    await allIn(ours, 'Down', 1);
    expect((await peers(ours))[0]?.lastError).toContain('BFD Down');
  });
});
