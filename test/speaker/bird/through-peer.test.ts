// The gateway of what a direct peer announces, as BIRD 1.6.8 finds it: its next hop where that is on a link, and otherwise
// the peer itself, whatever covers the next hop. With `gateway recursive` the next hop is looked up.

import { expect, it } from 'vitest';
import { IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { ip } from '../../support/raw-peer.ts';
import { kernelRoute, SimLab, simKernel } from '../../support/sim-lab.ts';
import { FROM, OWN } from '../bird-lab.ts';

const [NEAR, COVERED, NOWHERE] = ['203.0.113.1/32', '203.0.113.2/32', '203.0.113.3/32'] as const;

/** Kernel routes of BIRD's, and BGP routes as they are shown. */
async function scene(words: string, filter = 'all') {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`);
  kernelRoute(kernel, '198.51.100.0/24', '10.0.0.98', { protocol: 99 });
  const file = `router id ${OWN}; listen bgp port 179; protocol device { } protocol direct { }
protocol kernel { learn; import all; export all; }
protocol bgp tor { local ${OWN} as 65001; neighbor ${FROM} as 65001; import ${filter}; ${words} }
`;
  const own = lab.speaker('own', [OWN], file, { kernel });
  const from = lab.raw(FROM, { as: 65001, holdTime: 0 });
  await lab.start(1000);
  await lab.connect(own, from);
  from.announce([NEAR], {}, '10.0.0.77');
  from.announce([COVERED], {}, '198.51.100.9');
  from.announce([NOWHERE], {}, '192.0.2.9');
  await lab.settle();
  return { lab, own, from, kernel };
}

function shown({ own }: Awaited<ReturnType<typeof scene>>): string[] {
  const [answer] = own.api.bird.routes({ tables: undefined });
  return [...answer!.routes()]
    .flatMap((route) =>
      route?.bgp === undefined
        ? []
        : `${route.net} ${route.hops.map(({ gateway }) => gateway).join()} ${route.igpMetric}`,
    )
    .sort();
}

it.each(['direct;', 'direct; gateway direct;'])('%s', async (words) => {
  const set = await scene(words);
  expect(shown(set)).toEqual([
    `${NEAR} 10.0.0.77 undefined`,
    `${COVERED} ${FROM} undefined`,
    `${NOWHERE} ${FROM} undefined`,
  ]);
  expect(set.own.kernelRoutes()).toEqual([
    `${NEAR} via 10.0.0.77`,
    `${COVERED} via ${FROM}`,
    `${NOWHERE} via ${FROM}`,
  ]);
  expect(set.own.api.bird.protocols({ details: true }).find(({ name }) => name === 'tor')).toMatchObject({
    bgp: { internal: true, multihop: false },
    channels: [{ igpTable: undefined }],
  });
});

it('direct; gateway recursive;', async () => {
  const set = await scene('direct; gateway recursive;');
  expect(set.own.kernelRoutes()).toEqual([`${NEAR} via 10.0.0.77`, `${COVERED} via 10.0.0.98`]);
});

it('is another one as soon as the next hop is on a link, and the peer again when that is gone', async () => {
  const { lab, own, kernel } = await scene('direct;');
  const link = { ifindex: 9, name: 'eth9', loopback: false, mtu: 1500 };
  kernel.setLink({ ...link, up: true });
  kernel.addAddress({ ifindex: 9, address: ip('192.0.2.1'), prefixLength: 24 });
  await lab.settle();
  expect(own.kernelRoutes()).toContain(`${NOWHERE} via 192.0.2.9`);
  kernel.setLink({ ...link, up: false });
  await lab.settle();
  expect(own.kernelRoutes()).toContain(`${NOWHERE} via ${FROM}`);
});

it('is the gateway that filters and the log see', async () => {
  const { own } = await scene(
    'direct; debug { routes };',
    `filter { if gw = ${FROM} then bgp_local_pref = 7; accept; }`,
  );
  const preferred = [NEAR, COVERED, NOWHERE].filter((net) => own.route(net)?.attributes.localPref === 7);
  expect(preferred).toEqual([COVERED, NOWHERE]);
  expect(own.log.filter((line) => line.includes('> added'))).toEqual([
    expect.stringContaining(`${NEAR} via 10.0.0.77 on eth0`),
    expect.stringContaining(`${COVERED} via ${FROM} on eth0`),
    expect.stringContaining(`${NOWHERE} via ${FROM} on eth0`),
  ]);
});

it('stays it where an import filter sets another next hop', async () => {
  const set = await scene('direct;', 'filter { bgp_next_hop = 192.0.2.77; accept; }');
  expect(set.own.kernelRoutes()).toEqual([NEAR, COVERED, NOWHERE].map((net) => `${net} via ${FROM}`));
});

it('is a link-local address, too, behind which a lone global next hop is', async () => {
  const lab = new SimLab();
  const kernel = simKernel('eth0 fe80::1/64 2001:db8:9::1/64');
  const file = `router id ${OWN}; protocol device { } protocol direct { }
protocol kernel { import all; export all; }
protocol bgp tor { local fe80::1 as 65001; neighbor fe80::2%eth0 as 65002; import all; }
`;
  const own = lab.speaker('own', ['fe80::1'], file, { kernel });
  const from = lab.raw('fe80::2', { as: 65002, holdTime: 0, families: [IPV6_UNICAST] });
  await lab.start(1000);
  await lab.connect(own, from);
  from.announce(['2001:db8:1::/48'], {}, '2001:db8:ffff::9');
  from.announce(['2001:db8:2::/48'], {}, '2001:db8:9::9');
  await lab.settle();
  expect(own.kernelRoutes()).toEqual(['2001:db8:1::/48 via fe80::2', '2001:db8:2::/48 via 2001:db8:9::9']);
});

it('goes along in an upgrade, and is asked for where the version before did not know of it', async () => {
  const { lab, own, from } = await scene('direct;');
  const routes = own.kernelRoutes();
  await own.upgrade();
  await lab.run(1000);
  expect(from.heard.filter((line) => line.startsWith('REFRESH'))).toEqual([]);
  await own.upgrade((state) => {
    const nextHops = state.rib.nextHops.map(({ fallback: _unknown, ...nextHop }) => nextHop);
    return { ...state, rib: { ...state.rib, nextHops } };
  });
  await lab.run(1000);
  expect(from.heard.filter((line) => line.startsWith('REFRESH'))).toHaveLength(1);
  from.announce([COVERED], {}, '198.51.100.9');
  from.announce([NOWHERE], {}, '192.0.2.9');
  await lab.settle();
  expect(own.kernelRoutes()).toEqual(routes);
});
