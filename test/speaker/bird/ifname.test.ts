// `ifname` set by filters, as BIRD 1.6.8 and 2.0.12 do it: the route goes straight to that interface, whatever it was before,
// and a name that is no interface's is an error of the filter. Peers are told this speaker's address for an own route.

import { describe, expect, it } from 'vitest';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { FROM, OWN, TO } from '../bird-lab.ts';

const CHANGES = [
  'ifname = "eth1";',
  'ifname = "nosuch";',
  'ifname = "";',
  'ifname = "eth1"; gw = 10.0.0.77;',
  'gw = 10.0.0.77; ifname = "eth1";',
  'ifname = "eth1"; dest = RTD_BLACKHOLE;',
  'ifname = "eth1"; if ifindex != 3 || gw != 0.0.0.0 || dest != 1 then reject;',
  'ifname = ifname;',
];
const net = (block: number, at: number) => `203.0.${block}.${at}/32`;

const file = (dialect: '2.x' | '1.6'): string => {
  const channel = (words: string) => (dialect === '2.x' ? `ipv4 { ${words} };` : words);
  const all = (block: number) => CHANGES.map((_, at) => `route ${net(block, at)}`);
  const cases = [1, 2, 3].flatMap((block) =>
    CHANGES.map((text, at) => `if net = ${net(block, at)} then { ${text} }`),
  );
  const unicast = dialect === '2.x' ? 'RTD_UNICAST' : 'RTD_DEVICE';
  return `router id ${OWN}; protocol device {}
filter ways { ${cases.join(' ').replaceAll('dest != 1', `dest != ${unicast}`)} accept; }
protocol static { ${channel('import filter ways;')}
  ${all(1).join(' via 10.0.0.99; ')} via 10.0.0.99; ${all(2).join(' blackhole; ')} blackhole; }
protocol kernel { ${channel('import none; export all;')} }
protocol bgp { local ${dialect === '2.x' ? OWN : ''} as 65001; neighbor ${FROM} as 65002; ${channel('import filter ways; export none;')} }
protocol bgp { local ${dialect === '2.x' ? OWN : ''} as 65001; neighbor ${TO} as 65001; ${channel('import none; export where source = RTS_STATIC;')} }
`;
};

describe.each(['2.x', '1.6'] as const)('ifname in a filter of %s', (dialect) => {
  it('leads straight to the interface', async () => {
    const lab = new SimLab();
    const kernel = simKernel(`eth0 ${OWN}/24`, 'eth1 10.1.0.1/24');
    const own = lab.speaker('own', [OWN], file(dialect), { kernel });
    const from = lab.raw(FROM, { as: 65002, holdTime: 0 });
    const to = lab.raw(TO, { as: 65001, holdTime: 0 });
    await lab.start(1000);
    await lab.connect(own, from, to);
    from.announce(CHANGES.map((_, at) => net(3, at)));
    await lab.run(1000);

    const [answer] = own.api.bird.routes({ tables: undefined });
    const shown = new Map(
      [...answer!.routes()].flatMap((route) => (route === undefined ? [] : [[route.net, route]])),
    );
    const ways = (block: number) =>
      CHANGES.map((_, at) => {
        const { destination, hops } = shown.get(net(block, at)) ?? { destination: undefined, hops: [] };
        if (destination !== 'unicast') return destination;
        return hops.map((hop) => `${hop.gateway ?? 'dev'} ${hop.interface}`).join();
      });
    const straight = 'dev eth1';
    const gateway = '10.0.0.77 eth0';
    const expected = [straight, undefined, undefined, gateway, straight, 'blackhole', straight];
    expect(ways(1)).toEqual([...expected, 'dev eth0']);
    expect(ways(2)).toEqual([...expected, undefined]);
    expect(ways(3)).toEqual([...expected, 'dev eth0']);

    const inKernel = new Map(
      kernel
        .routes()
        .filter(({ protocol }) => protocol === 12)
        .map(({ prefix, nextHops, type }) => [
          `${prefix.bytes.join('.')}/${prefix.length}`,
          nextHops.map((hop) => `${hop.gateway?.join('.') ?? 'dev'} eth${hop.ifindex! - 2}`).join() || type,
        ]),
    );
    for (const block of [1, 2, 3]) {
      expect(CHANGES.map((_, at) => inKernel.get(net(block, at)))).toEqual(ways(block));
    }
    expect(to.table.get(net(1, 0))?.nextHop).toBe(OWN);
    expect(to.table.get(net(1, 3))?.nextHop).toBe('10.0.0.77');
    expect(to.table.get(net(2, 0))?.nextHop).toBe(OWN);
  });
});
