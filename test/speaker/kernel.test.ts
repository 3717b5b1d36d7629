// The whole speaker and the kernel's tables: what is programmed, how next hops are followed, what is learned and
// announced, and that a restart leaves no gap. RFC 4271 §9.1.2, §9.1.2.1, §9.1.2.2.

import { describe, expect, it } from 'vitest';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { formatPrefix, parseAddress, parsePrefix } from '../../src/lib/ip.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { kernelRoute, simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const C = '10.0.0.4';
const IBGP = '10.0.0.9';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';
const AROUND: Record<string, RigPeer> = {
  [A]: { as: 65002 },
  [B]: { as: 65003 },
  [C]: { as: 65004 },
  [IBGP]: { as: OWN_AS },
};
const INSTALL = { kernel: { install: true, metric: 50 } } as const;

const machine = (): MemKernel => simKernel(`eth0 ${OWN_ADDRESS}/24 2001:db8::1/64`, 'eth1 10.1.0.1/24');

function dropKernelRoute(kernel: MemKernel, text: string, metric = 0): boolean {
  return kernel.deleteRoute({ prefix: parsePrefix(text)!, table: 254, metric });
}

describe('programming', () => {
  it('the kernel has what the Loc-RIB has, and follows it', async () => {
    const { lab, speaker, peer } = await rig(AROUND, INSTALL, machine());
    peer(A).announce([P1, P2]);
    peer(B).announce([P1], { asPath: '65003 65010' });
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`, `${P2} via ${A}`]);
    peer(A).withdraw(P1);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${B}`, `${P2} via ${A}`]);
    peer(A).drop();
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${B}`]);
    expect(speaker.api.status().kernel).toMatchObject({ desired: 1, installed: 1, pending: 0, failed: 0 });
  });

  it('a route that somebody deletes or changes comes back', async () => {
    const { lab, speaker, peer } = await rig(AROUND, INSTALL, machine());
    peer(A).announce([P1]);
    await lab.settle();
    expect(dropKernelRoute(speaker.kernel!, P1, 50)).toBe(true);
    await lab.run(5000);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`]);
  });

  it('equal paths become one route with several next hops, up to the limit', async () => {
    const { lab, speaker, peer } = await rig(
      AROUND,
      { kernel: { install: true, metric: 50, ecmp: 2 }, decision: { multipathRelax: true } },
      machine(),
    );
    for (const address of [A, B, C]) peer(address).announce([P1]);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}, ${B}`]);
    expect(speaker.routes().map((route) => [route.peer, route.multipath])).toEqual([
      [A, true],
      [B, true],
      [C, false],
    ]);
    peer(A).withdraw(P1);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${B}, ${C}`]);
    peer(B).announce([P1], { asPath: '65003 65010' });
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${C}`]);
  });

  it('an ECMP set that shrinks without a new best path reaches the kernel', async () => {
    const { lab, speaker, peer } = await rig(
      AROUND,
      { kernel: { install: true, metric: 50, ecmp: 4 }, decision: { multipathRelax: true } },
      machine(),
    );
    for (const address of [A, B, C]) peer(address).announce([P1]);
    await lab.settle();
    peer(IBGP).clear();
    peer(C).withdraw(P1);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}, ${B}`]);
    expect(peer(IBGP).heard).toEqual([]);
  });

  it('IPv4 routes with an IPv6 next hop are programmed so (RFC 8950)', async () => {
    const { lab, speaker, peer } = await rig(
      {
        '2001:db8::2': {
          as: 65002,
          config: { families: ['ipv4-unicast', 'ipv6-unicast'] },
          raw: {
            id: '10.200.0.2',
            capabilities: [{ kind: 'extended-next-hop', entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] }],
          },
        },
      },
      INSTALL,
      machine(),
    );
    peer('2001:db8::2').announce([P1, '2001:db8:5::/48'], {}, '2001:db8::2');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 2001:db8::2`, '2001:db8:5::/48 via 2001:db8::2']);
  });

  it('own networks are programmed as their type says', async () => {
    const { speaker } = await rig(
      {},
      {
        ...INSTALL,
        networks: [{ prefix: P1, type: 'blackhole' }, { prefix: P2, type: 'via', via: ['10.1.0.7'] }, P3],
      },
      machine(),
    );
    expect(speaker.kernelRoutes()).toEqual([`${P1} blackhole`, `${P2} via 10.1.0.7`]);
  });
});

describe('next hops', () => {
  it('4271-9.1.2-1 a route whose NEXT_HOP does not resolve is excluded, and back when it resolves', async () => {
    const { lab, speaker, peer } = await rig(AROUND, INSTALL, machine());
    peer(IBGP).announce([P1], {}, '172.16.0.1');
    await lab.settle();
    expect(speaker.routes()).toMatchObject([
      { eligible: false, reason: 'next hop is not reachable', nextHopReachable: false },
    ]);
    expect(peer(A).prefixes()).toEqual([]);
    kernelRoute(speaker.kernel!, '172.16.0.0/16', '10.1.0.254');
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${IBGP}`]);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.1.0.254`]);
    expect(peer(A).prefixes()).toEqual([P1]);
    dropKernelRoute(speaker.kernel!, '172.16.0.0/16');
    await lab.settle();
    expect(speaker.best()).toEqual([]);
    expect(speaker.kernelRoutes()).toEqual([]);
    expect(peer(A).prefixes()).toEqual([]);
  });

  it('4271-9.1.2-3 when the cost of a next hop changes the selection runs again', async () => {
    const second = '10.0.0.8';
    const { lab, speaker, peer } = await rig({ ...AROUND, [second]: { as: OWN_AS } }, INSTALL, machine());
    kernelRoute(speaker.kernel!, '172.16.1.0/24', '10.1.0.11', { metric: 10 });
    kernelRoute(speaker.kernel!, '172.16.2.0/24', '10.1.0.12', { metric: 20 });
    peer(IBGP).announce([P1], {}, '172.16.1.1');
    peer(second).announce([P1], {}, '172.16.2.1');
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${IBGP}`]);
    expect(speaker.routes().map((route) => route.igpMetric)).toEqual([10, 20]);
    expect(speaker.api.explain(P1, {}).paths[1]?.step).toMatch(/IGP|interior|metric/i);
    dropKernelRoute(speaker.kernel!, '172.16.1.0/24', 10);
    kernelRoute(speaker.kernel!, '172.16.1.0/24', '10.1.0.11', { metric: 30 });
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${second}`]);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.1.0.12`]);
  });

  it('4271-9.1.2.1-1 a NEXT_HOP resolves by longest match, and never through BGP routes themselves', async () => {
    const { lab, speaker, peer } = await rig(AROUND, INSTALL, machine());
    kernelRoute(speaker.kernel!, '172.16.0.0/12', '10.1.0.11');
    kernelRoute(speaker.kernel!, '172.16.1.0/24', '10.1.0.12');
    peer(IBGP).announce([P1], {}, '172.16.1.1');
    // Covers its own next hop, and that of another route.
    peer(IBGP).announce([P2], {}, '198.51.100.1');
    peer(IBGP).announce([P3], {}, '198.51.100.1');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.1.0.12`]);
    expect(speaker.best()).toEqual([`${P1} from ${IBGP}`]);
    dropKernelRoute(speaker.kernel!, '172.16.1.0/24');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.1.0.11`]);
  });

  it('4271-9.1.2.2-7 lowest interior cost decides, and is passed over where none is known', async () => {
    const second = '10.0.0.8';
    const { lab, speaker, peer } = await rig({ ...AROUND, [second]: { as: OWN_AS } });
    peer(IBGP).announce([P1], {}, '172.16.1.1');
    peer(second).announce([P1], {}, '172.16.2.1');
    await lab.settle();
    // Without a kernel all next hops count the same: the lower identifier wins.
    expect(speaker.best()).toEqual([`${P1} from ${second}`]);
    expect(speaker.api.explain(P1, {}).paths[1]?.step).toMatch(/router id/i);
  });

  // RFC 2545 §3
  it('the link-local next hop of a peer on the link leads where the global one does not', async () => {
    const both: RigPeer['config'] = { families: ['ipv4-unicast', 'ipv6-unicast'] };
    const { lab, speaker, peer } = await rig(
      {
        [A]: { as: 65002, config: both },
        [C]: { as: 65004, config: { ...both, multihop: 2 } },
      },
      INSTALL,
      simKernel(`eth0 ${OWN_ADDRESS}/24`, 'eth1 2001:db8:b::1/64'),
    );
    peer(A).announce(['2001:db8:5::/48'], {}, '2001:db8:9::2 fe80::2');
    // Whose link its link-local address is of, nobody knows.
    peer(C).announce(['2001:db8:6::/48'], {}, '2001:db8:9::4 fe80::4');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual(['2001:db8:5::/48 via fe80::2']);
    expect(speaker.route('2001:db8:5::/48')?.nextHop).toBe('2001:db8:9::2');
    kernelRoute(speaker.kernel!, '2001:db8:9::/48', '2001:db8:b::254');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([
      '2001:db8:5::/48 via 2001:db8:b::254',
      '2001:db8:6::/48 via 2001:db8:b::254',
    ]);
  });

  it('of a peer on the link, all next hops are there', async () => {
    const { lab, speaker, peer } = await rig(
      { [A]: { as: 65002, config: { onlink: true, interface: 'eth0' } }, [C]: { as: 65004 } },
      INSTALL,
      simKernel(`eth0 ${OWN_ADDRESS}/24`),
    );
    peer(A).announce([P1], {}, '172.16.0.9');
    peer(C).announce([P2], {}, '172.16.0.9');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 172.16.0.9`]);
    expect(speaker.kernel!.routes().find(({ protocol }) => protocol === 12)?.nextHops).toMatchObject([
      { onlink: true },
    ]);
  });

  it('of an internal peer on the link, those with a link-local address are there, too', async () => {
    const families = ['ipv4-unicast', 'ipv6-unicast'] as const;
    const { lab, speaker, peer } = await rig(
      { [IBGP]: { as: OWN_AS, config: { families: [...families], onlink: true } } },
      INSTALL,
      simKernel(`eth0 ${OWN_ADDRESS}/24`),
    );
    peer(IBGP).announce(['2001:db8:5::/48'], {}, '2001:db8:9::2 fe80::2');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual(['2001:db8:5::/48 via 2001:db8:9::2']);
  });

  it('next hops that take the places of departed ones lead their own way', async () => {
    const { lab, speaker, peer } = await rig({ [A]: { as: 65002 } }, INSTALL, machine());
    const announce = (from: RawPeer, prefix: string, gateway: string) => {
      for (const i of [1, 2, 3, 4]) from.announce([`${prefix}.${i}.0/24`], {}, `${gateway}${i}`);
    };
    announce(peer(A), '10.64', '10.0.0.1');
    await lab.settle();
    peer(A).drop();
    await lab.run(61_000);
    expect([...speaker.speaker.rib.nextHops.values()]).toEqual([]);
    const again = lab.raw(A, { as: 65002, holdTime: 0 });
    await lab.connect(speaker, again);
    announce(again, '10.65', '10.0.0.2');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([1, 2, 3, 4].map((i) => `10.65.${i}.0/24 via 10.0.0.2${i}`));
  });

  it('with a table of its own, next hops are looked up there first, then in the main table', async () => {
    const own = { kernel: { install: true, metric: 50, table: 100 } } as const;
    const { lab, speaker, peer } = await rig(AROUND, own, machine());
    const kernel = speaker.kernel!;
    peer(A).announce([P1]);
    peer(IBGP).announce([P2], {}, '172.16.0.1');
    await lab.settle();
    const routes = () =>
      kernel
        .routes()
        .filter(({ protocol }) => protocol === 12)
        .map(
          ({ table, prefix, nextHops }) =>
            `${table} ${formatPrefix(prefix)} ${nextHops[0]?.gateway?.join('.')}`,
        );
    expect(routes()).toEqual([`100 ${P1} ${A}`]);
    kernelRoute(kernel, '172.16.0.0/16', '10.1.0.254');
    await lab.settle();
    expect(routes()).toEqual([`100 ${P1} ${A}`, `100 ${P2} 10.1.0.254`]);
    const through = parsePrefix('172.16.0.0/16')!;
    const nextHops = [{ gateway: parseAddress('10.1.0.9')!.bytes, ifindex: 3 }];
    kernel.addRoute({ prefix: through, table: 100, metric: 0, protocol: 4, type: 'unicast', nextHops });
    await lab.settle();
    expect(routes()).toEqual([`100 ${P1} ${A}`, `100 ${P2} 10.1.0.9`]);
    // Looking is not learning.
    expect([...speaker.api.kernelRoutes()].filter(({ origin }) => origin === 'learned')).toEqual([]);
  });

  it('a link that goes down takes the routes over it, and brings them back', async () => {
    const { lab, speaker, peer } = await rig(AROUND, INSTALL, machine());
    peer(IBGP).announce([P1], {}, '10.1.0.50');
    peer(A).announce([P1], { asPath: '65002 65010 65011' });
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.1.0.50`]);
    const eth1 = { ifindex: 3, name: 'eth1', loopback: false, mtu: 1500 };
    speaker.kernel!.setLink({ ...eth1, up: false });
    await lab.run(5000);
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`]);
    speaker.kernel!.setLink({ ...eth1, up: true });
    await lab.run(5000);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.1.0.50`]);
  });
});

describe('learning', () => {
  it('redistributes foreign and connected routes, and takes them back', async () => {
    const kernel = machine();
    const { lab, speaker, peer } = await rig(
      AROUND,
      {
        kernel: { install: true, metric: 50, learn: [{ protocol: 80 }], interfaces: ['-eth1', '*'] },
        redistribute: ['kernel', 'connected'],
      },
      kernel,
    );
    expect(peer(A).prefixes()).toEqual(['10.0.0.0/24']);
    kernelRoute(kernel, P1, '10.0.0.77', { protocol: 80 });
    kernelRoute(kernel, P2, '10.0.0.77', { protocol: 4 });
    await lab.settle();
    expect(peer(A).prefixes()).toEqual(['10.0.0.0/24', P1]);
    expect(peer(A).attributes(P1)).toMatchObject({ origin: 'INCOMPLETE', asPath: '65000' });
    expect(speaker.route(P1)).toMatchObject({ peer: 'kernel' });
    // What is in the kernel already is not put there again.
    expect(speaker.kernelRoutes()).toEqual([]);
    dropKernelRoute(kernel, P1);
    await lab.settle();
    expect(peer(A).prefixes()).toEqual(['10.0.0.0/24']);
  });

  it('own kernel routes are never learned', async () => {
    const { lab, speaker, peer } = await rig(
      AROUND,
      { kernel: { install: true, metric: 50 }, redistribute: ['kernel'] },
      machine(),
    );
    peer(A).announce([P1]);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`]);
    expect(speaker.routes()).toHaveLength(1);
  });
});

describe('stop and start', () => {
  const config = (keepOnStop: boolean) => ({ kernel: { install: true, metric: 50, keepOnStop } });

  it('a clean stop says 6/2 and takes own routes out', async () => {
    const { speaker, peer, lab } = await rig(AROUND, config(false), machine());
    peer(A).announce([P1]);
    await lab.settle();
    await speaker.stop();
    expect(speaker.kernelRoutes()).toEqual([]);
    expect(peer(A).heard.filter((line) => line.startsWith('NOTIFICATION'))).toHaveLength(1);
    expect(peer(A).heard.find((line) => line.startsWith('NOTIFICATION'))).toMatch(/^NOTIFICATION 6\/2 /);
  });

  it('kept routes are adopted by the next start without a gap, and go if nobody wants them', async () => {
    const kernel = machine();
    const { speaker, peer, lab } = await rig(AROUND, config(true), kernel);
    peer(A).announce([P1, P2, P3]);
    await lab.settle();
    await speaker.stop();
    const before = [`${P1} via ${A}`, `${P2} via ${A}`, `${P3} via ${A}`];
    expect(speaker.kernelRoutes()).toEqual(before);
    kernel.log.length = 0;
    speaker.renew();
    speaker.start();
    await lab.run(12_000);
    expect(speaker.kernelRoutes()).toEqual(before);
    await lab.connect(speaker, peer(A), peer(B));
    peer(A).announce([P1]);
    peer(B).announce([P2]);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`, `${P2} via ${B}`, `${P3} via ${A}`]);
    // Nothing was ever deleted: the same route stayed, the other was replaced in place.
    expect(kernel.log.map(({ kind }) => kind)).toEqual(['replace']);
    await lab.run(200_000);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`, `${P2} via ${B}`]);
  });

  it('after a crash the routes are adopted as well', async () => {
    const kernel = machine();
    const first = await rig(AROUND, config(false), kernel);
    first.peer(A).announce([P1]);
    await first.lab.settle();
    kernel.log.length = 0;
    // Another process on the same kernel; the first one was killed and says nothing more.
    const second = await rig(AROUND, config(false), kernel);
    second.peer(A).announce([P1]);
    await second.lab.settle();
    expect(second.speaker.kernelRoutes()).toEqual([`${P1} via ${A}`]);
    expect(kernel.log).toEqual([]);
  });
});

it('the peers of a rig are as configured', () => {
  expect(peerInput(A, { as: 65002 })).toMatchObject({ import: 'accept', export: 'accept' });
  expect(peerInput(A, { as: OWN_AS })).not.toHaveProperty('import');
});
