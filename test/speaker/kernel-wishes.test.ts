// What a kernel export filter can do to routes: refuse them, and ask for a metric, a preferred source or a tunnel
// device, as BIRD's krt_metric, krt_prefsrc and krt_tunnel do.

import { describe, expect, it } from 'vitest';
import type { KernelRoute } from '../../src/fib/types.ts';
import { formatAddress, formatPrefix } from '../../src/lib/ip.ts';
import type { KernelFilter } from '../../src/speaker/kernel-routes.ts';
import { address } from '../support/mem-kernel.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const TUNNEL = { ifindex: 77, name: 'tunl0', up: true, loopback: false, mtu: 1480 } as const;

/** `prefix via gateway%ifindex[ onlink] metric N src A`, of routes of protocol 12. */
function described(route: KernelRoute): string {
  const hops = route.nextHops.map(
    ({ gateway, ifindex, onlink }) =>
      `${gateway && formatAddress(gateway)}%${ifindex}${onlink ? ' onlink' : ''}`,
  );
  const source = route.prefSource === undefined ? '' : ` src ${formatAddress(route.prefSource)}`;
  return `${formatPrefix(route.prefix)} via ${hops.join(', ')} metric ${route.metric}${source}`;
}

async function machineWith(metric: number, filter: KernelFilter, ecmp = 1) {
  const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
  const { lab, speaker, peer } = await rig(
    { [A]: { as: 65002 }, [B]: { as: 65003 } },
    { kernel: { install: true, metric, ecmp } },
    kernel,
  );
  speaker.speaker.kernel!.useFilter(filter);
  const own = () =>
    [...kernel.routes()]
      .filter(({ protocol }) => protocol === 12)
      .map(described)
      .sort();
  return { lab, speaker, peer, kernel, own };
}

describe('a kernel export filter', () => {
  it('refuses routes, and another one takes them back in', async () => {
    const refuse: KernelFilter = (rib, row) =>
      rib.prefixes.format(rib.paths.prefixId(row)) === P1 ? undefined : {};
    const { lab, speaker, peer, own } = await machineWith(50, refuse);
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(own()).toEqual([`${P2} via ${A}%2 metric 50`]);
    speaker.speaker.kernel!.useFilter(undefined);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${A}%2 metric 50`, `${P2} via ${A}%2 metric 50`]);
  });

  it('sets metric and source where no metric is configured', async () => {
    const wishes = { metric: 1024, prefSource: address(OWN_ADDRESS) };
    const { lab, peer, own } = await machineWith(0, () => wishes);
    peer(A).announce([P1]);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${A}%2 metric 1024 src ${OWN_ADDRESS}`]);
  });

  it('changes, in place, what few routes have, and repairs it', async () => {
    const mtu = (value: number) => ({ metrics: new Map([[2, value]]) });
    const { lab, peer, kernel, speaker } = await machineWith(50, () => ({
      ...mtu(1400),
      realm: 7,
      scope: 200,
    }));
    const routes = () => kernel.routes().filter(({ protocol }) => protocol === 12);
    peer(A).announce([P1]);
    await lab.settle();
    expect(routes()).toMatchObject([{ ...mtu(1400), realm: 7, scope: 200 }]);
    speaker.speaker.kernel!.useFilter(() => mtu(1300));
    await lab.settle();
    expect(routes()).toMatchObject([mtu(1300)]);
    expect([routes()[0]?.scope, routes()[0]?.realm]).toEqual([undefined, undefined]);
    expect(kernel.log.map(({ kind }) => kind)).toEqual(['create', 'replace']);
    // Somebody's `ip route change`: another mtu is another route.
    kernel.addRoute({ ...routes()[0]!, ...mtu(1200) });
    await lab.run(5000);
    expect(routes()).toMatchObject([mtu(1300)]);
    speaker.speaker.kernel!.useFilter(undefined);
    await lab.settle();
    expect(routes()[0]?.metrics).toBeUndefined();
  });

  it('tells apart ECMP sets that differ in that alone', async () => {
    const byPrefix: KernelFilter = (rib, row) =>
      rib.prefixes.format(rib.paths.prefixId(row)) === P1 ? { realm: 7 } : { metrics: new Map([[2, 1400]]) };
    const { lab, peer, kernel } = await machineWith(50, byPrefix, 4);
    for (const from of [A, B]) peer(from).announce([P1, P2]);
    await lab.settle();
    const shown = kernel
      .routes()
      .filter(({ protocol }) => protocol === 12)
      .map(({ prefix, nextHops, realm, metrics }) => [
        formatPrefix(prefix),
        nextHops.length,
        realm,
        metrics?.get(2),
      ]);
    expect(shown).toEqual([
      [P1, 2, 7, undefined],
      [P2, 2, undefined, 1400],
    ]);
  });

  it('does not change a configured metric', async () => {
    const { lab, peer, own } = await machineWith(50, () => ({ metric: 1024 }));
    peer(A).announce([P1]);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${A}%2 metric 50`]);
  });

  it('moves routes onto a tunnel when its device comes, and off it when it goes', async () => {
    const { lab, peer, kernel, own } = await machineWith(50, () => ({ tunnel: 'tunl0' }));
    peer(A).announce([P1], {}, B);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${B}%2 metric 50`]);
    kernel.setLink(TUNNEL);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${B}%77 onlink metric 50`]);
    kernel.removeLink(TUNNEL.ifindex);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${B}%2 metric 50`]);
  });

  it('sends each path of an ECMP set its own way', async () => {
    const far: KernelFilter = (rib, row) => {
      const { attrs, nextHops } = rib.shared;
      const nextHop = nextHops.get(attrs.nextHop[rib.paths.attrPost(row)]!);
      return { tunnel: formatAddress(nextHop.address) === B ? 'tunl0' : '' };
    };
    const { lab, peer, kernel, own } = await machineWith(50, far, 4);
    kernel.setLink(TUNNEL);
    peer(A).announce([P1]);
    peer(B).announce([P1]);
    await lab.settle();
    expect(own()).toEqual([`${P1} via ${A}%2, ${B}%77 onlink metric 50`]);
  });
});
