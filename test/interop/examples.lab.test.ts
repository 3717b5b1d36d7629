// The example configurations, as they are: a route reflector for a range of clients, a node between two ToR routers, a
// member of a full mesh, and a server on links without addresses. BIRD and FRR stand on the other side.

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type GodwitDaemon, startGodwit } from '../../bench/daemons/godwit.ts';
import type { Daemon, DaemonSpec, PeerSpec } from '../../bench/daemons/types.ts';
import { waitFor } from '../../bench/lab/command.ts';
import { projectRoot } from '../../bench/project.ts';
import type { BfdSessionView, PeerView } from '../../src/speaker/api.ts';
import {
  established,
  LAB_DEVICE,
  type Lab,
  labOfEachTest,
  type Node,
  waitForKernel,
} from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

/** Where godwit has its control socket unless told otherwise. */
const SOCKET = '/run/godwit/godwit.sock';

const EXAMPLES = join(projectRoot(), 'examples');

const createLab = labOfEachTest();

async function startExample(lab: Lab, node: Node, name: string): Promise<GodwitDaemon> {
  await mkdir(dirname(SOCKET), { recursive: true });
  return lab.adopt(await startGodwit(node, join(EXAMPLES, name), SOCKET));
}

function peerSpec(
  localAddress: string,
  address: string,
  asn: number,
  more: Partial<PeerSpec> = {},
): PeerSpec {
  return { name: 'godwit', address, localAddress, asn, families: ['ipv4'], ...more };
}

/** With kernel routes: FRR's bgpd knows the interface of a link-local next hop from zebra only. */
function single(asn: number, routerId: string, peer: PeerSpec, networks: readonly string[]): DaemonSpec {
  return { asn, routerId, peers: [peer], networks, kernel: true };
}

/** Waits until a daemon's best routes hold all of `present` and none of `absent`. */
async function settles(
  daemon: Daemon,
  family: 'ipv4' | 'ipv6',
  present: readonly string[],
  absent: readonly string[] = [],
): Promise<void> {
  await waitFor(`${daemon.name} has ${present.join(' ')}`, async () => {
    const there = (await daemon.routes(family)).filter((route) => route.best).map(({ prefix }) => prefix);
    const missing = present.filter((prefix) => !there.includes(prefix));
    if (missing.length > 0) throw new Error(`missing ${missing.join(' ')}; it has ${there.join(' ')}`);
    expect(absent.filter((prefix) => there.includes(prefix))).toEqual([]);
    return true;
  });
}

describe('the example configurations', async () => {
  const { skip } = await labRequirement(['godwit', 'bird', 'frr']);

  test.skipIf(skip)('route-reflector.yaml reflects between clients of its range', async () => {
    const lab = await createLab('exrr', ['own', 'bird', 'frr']);
    const [own, left, right] = [lab.node(0), lab.node(1), lab.node(2)];
    await own.namespace.ip('route', 'add', '10.99.16.0/20', 'dev', LAB_DEVICE);
    await left.namespace.addAddresses(LAB_DEVICE, ['10.99.16.2/16']);
    await right.namespace.addAddresses(LAB_DEVICE, ['10.99.17.3/16']);
    const reflector = await startExample(lab, own, 'route-reflector.yaml');
    const both = ['ipv4', 'ipv6'] as const;
    const one = await lab.start(
      'bird',
      left,
      single(64512, '10.99.16.2', peerSpec('10.99.16.2', '10.99.0.1', 64512, { families: both }), [
        '198.51.100.0/24',
      ]),
    );
    const two = await lab.start(
      'frr',
      right,
      single(64512, '10.99.17.3', peerSpec('10.99.17.3', '10.99.0.1', 64512, { families: both }), [
        '203.0.113.0/24',
      ]),
    );
    await established(one, two, reflector);
    const all = ['198.51.100.0/24', '203.0.113.0/24'];
    for (const daemon of [one, two, reflector]) await settles(daemon, 'ipv4', all);
    const reflected = (await two.routes('ipv4')).find(({ prefix }) => prefix === all[0]);
    expect(reflected).toMatchObject({
      nextHop: '10.99.16.2',
      originatorId: '10.99.16.2',
      clusterList: ['10.99.0.1'],
      asPath: '',
    });
    const peers = await reflector.list<PeerView>('show', 'peers');
    expect(peers.map(({ kind, routeReflectorClient }) => [kind, routeReflectorClient])).toEqual([
      ['dynamic', true],
      ['dynamic', true],
    ]);
  });

  test.skipIf(skip)('tor.yaml peers with two routers and programs the kernel', async () => {
    const lab = await createLab('extor', [
      'own',
      { name: 'tora', ipv6: 'fd99::102' },
      { name: 'torb', ipv4: '10.99.0.102', ipv6: 'fd99::2' },
    ]);
    const [own, torA, torB] = [lab.node(0), lab.node(1), lab.node(2)];
    const ours = await startExample(lab, own, 'tor.yaml');
    const a = await lab.start(
      'bird',
      torA,
      single(65001, torA.ipv4, peerSpec('10.99.0.2', '10.99.0.1', 65000, { password: 's3cret' }), [
        '198.51.100.0/24',
      ]),
    );
    const b = await lab.start(
      'frr',
      torB,
      single(
        65002,
        torB.ipv4,
        peerSpec('fd99::2', 'fd99::1', 65000, { families: ['ipv6'], ttlSecurity: true }),
        ['2001:db8:beef::/48'],
      ),
    );
    await established(a, b, ours);
    await settles(a, 'ipv4', ['192.0.2.0/24', '198.51.100.0/24']);
    await settles(b, 'ipv6', ['2001:db8::/32', '2001:db8:beef::/48']);
    expect(await waitForKernel(own, 'ipv4', '198.51.100.0/24')).toMatchObject({
      gateway: '10.99.0.2',
      protocol: 'bird',
      metric: 50,
    });
    expect(await waitForKernel(own, 'ipv6', '2001:db8:beef::/48')).toMatchObject({
      protocol: 'bird',
      metric: 50,
    });
    expect(await waitForKernel(own, 'ipv4', '192.0.2.0/24')).toMatchObject({
      type: 'blackhole',
      protocol: 'bird',
    });
    expect(await waitForKernel(own, 'ipv6', '2001:db8::/32')).toMatchObject({
      type: 'blackhole',
      protocol: 'bird',
    });
    const torBView = (await ours.list<PeerView>('show', 'peers')).find(({ name }) => name === 'tor-b');
    expect(torBView?.holdTime).toBe(9);
    const metrics = await own.namespace.run(['curl', '-sf', 'http://127.0.0.1:8179/metrics']);
    expect(metrics).toMatch(/^bgp_peer_up\{.*tor-a.*\} 1$/m);
  });

  test.skipIf(skip)(
    'node.yaml advertises what the node agent installs, and learns from the mesh',
    async () => {
      const lab = await createLab('exnode', ['own', 'bird', 'frr']);
      const [own, left, right] = [lab.node(0), lab.node(1), lab.node(2)];
      await own.namespace.ip('route', 'add', 'blackhole', '192.168.82.0/26', 'proto', '80');
      await own.namespace.ip('route', 'add', 'blackhole', '192.168.99.0/24', 'proto', '99');
      for (const [device, address] of [
        ['eth9', '172.20.1.1/24'],
        ['cali1', '172.20.2.1/24'],
      ] as const) {
        await own.namespace.ip('link', 'add', device, 'type', 'veth', 'peer', 'name', `${device}p`);
        await own.namespace.ip('link', 'set', `${device}p`, 'up');
        await own.namespace.ip('link', 'set', device, 'up');
        await own.namespace.addAddresses(device, [address]);
      }
      const ours = await startExample(lab, own, 'node.yaml');
      const one = await lab.start(
        'bird',
        left,
        single(64512, left.ipv4, peerSpec(left.ipv4, own.ipv4, 64512, { families: ['ipv4', 'ipv6'] }), [
          '198.51.100.0/24',
        ]),
      );
      const two = await lab.start(
        'frr',
        right,
        single(64512, right.ipv4, peerSpec(right.ipv4, own.ipv4, 64512), ['203.0.113.0/24']),
      );
      await established(one, two, ours);
      const foreign = ['192.168.99.0/24', '172.20.2.0/24'];
      await settles(
        one,
        'ipv4',
        ['192.168.82.0/26', '172.20.1.0/24', '198.51.100.0/24'],
        [...foreign, '203.0.113.0/24'],
      );
      await settles(
        two,
        'ipv4',
        ['192.168.82.0/26', '172.20.1.0/24', '203.0.113.0/24'],
        [...foreign, '198.51.100.0/24'],
      );
      expect(await waitForKernel(own, 'ipv4', '198.51.100.0/24')).toMatchObject({
        gateway: left.ipv4,
        protocol: 'bird',
      });
      expect(await waitForKernel(own, 'ipv4', '203.0.113.0/24')).toMatchObject({
        gateway: right.ipv4,
        protocol: 'bird',
      });

      // The node agent adds a block, and takes one away.
      await own.namespace.ip('route', 'add', 'blackhole', '192.168.83.0/26', 'proto', '80');
      await own.namespace.ip('route', 'del', 'blackhole', '192.168.82.0/26', 'proto', '80');
      await settles(one, 'ipv4', ['192.168.83.0/26']);
      await waitFor('the removed block is withdrawn', async () =>
        (await two.routes('ipv4')).every(({ prefix }) => prefix !== '192.168.82.0/26'),
      );
    },
  );

  test.skipIf(skip)('unnumbered.yaml takes both of two links that have no addresses', async () => {
    const lab = await createLab('exunnum', ['own', 'one', 'two']);
    const [own, ...routers] = lab.nodes;
    const server = own!.namespace;
    await server.addAddresses('lo', ['192.0.2.1/32', '2001:db8::1/128']);
    const birds = [];
    for (const [i, router] of routers.entries()) {
      const device = `eth${i + 1}`;
      await server.ip('link', 'add', device, 'type', 'veth', 'peer', 'up0', 'netns', router.namespace.name);
      for (const [namespace, name, address] of [
        [server, device, `fe80::${i + 1}:1/64`],
        [router.namespace, 'up0', `fe80::${i + 1}:2/64`],
      ] as const) {
        await namespace.ip('link', 'set', name, 'addrgenmode', 'none');
        await namespace.ip('link', 'set', name, 'up');
        await namespace.addAddresses(name, [address]);
      }
      birds.push(await lab.bird('bird2', router, unnumberedRouter(i + 1)));
    }
    const ours = await startExample(lab, own!, 'unnumbered.yaml');
    for (const bird of birds) await bird.established('uplink');
    for (const bird of birds) {
      await waitFor('both own networks, and nothing of the other router', async () => {
        const rows = (await bird.ask('show route protocol uplink')).match(/^[\d.:a-f]+\/\d+/gm);
        return rows?.sort().join() === '192.0.2.1/32,2001:db8::1/128';
      });
    }
    for (const family of ['ipv4', 'ipv6'] as const) {
      await waitFor(`two ways out for ${family}`, async () => {
        const [route] = await server.ipJson(family === 'ipv4' ? '-4' : '-6', 'route', 'show', 'default');
        const devices = ((route?.['nexthops'] ?? []) as { dev: string }[]).map(({ dev }) => dev);
        return devices.sort().join() === 'eth1,eth2';
      });
    }
    const bfd = await ours.list<BfdSessionView>('show', 'bfd');
    expect(bfd.map((each) => [each.interface, each.state]).sort()).toEqual([
      ['eth1', 'Up'],
      ['eth2', 'Up'],
    ]);
  });
});

/** A top-of-rack router at the other end of the server's link `number`. */
function unnumberedRouter(number: number): string {
  return `router id 198.51.100.${number};
protocol device { }
protocol bfd { interface "up0" { interval 300 ms; }; }
protocol static { ipv4; route 0.0.0.0/0 blackhole; }
protocol static { ipv6; route ::/0 blackhole; }
protocol bgp uplink {
  local fe80::${number}:2 as 6510${number};
  neighbor fe80::${number}:1 % 'up0' as 65000;
  ttl security on;
  bfd on;
  ipv4 { import all; export all; extended next hop on; };
  ipv6 { import all; export all; };
}
`;
}
