// Several static and direct protocols of one table: each has an import filter, a preference and routes of its own, and is
// switched off and on alone.

import { describe, expect, it } from 'vitest';
import { formatPrefix } from '../../../src/lib/ip.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { birdLab, OWN } from '../bird-lab.ts';

const PEERS = `protocol bgp a { local ${OWN} as 65001; neighbor 10.0.0.2 as 65002; ipv4 { import all; export none; }; }
protocol bgp b { local ${OWN} as 65001; neighbor 10.0.0.3 as 65003; ipv4 { import none; export where source = RTS_STATIC; }; }`;

const FILE = `router id ${OWN}; protocol device {}
protocol kernel k { merge paths on; ipv4 { import none; export where source = RTS_STATIC; }; }
protocol static s1 {
  ipv4 { import filter { if net = 172.23.0.0/16 then dest = RTD_PROHIBIT; if net = 172.24.0.0/16 then gw = 10.0.0.9; accept; }; };
  route 172.20.0.0/16 blackhole; route 172.21.0.0/16 via 10.0.0.7; route 172.21.0.0/16 via 10.0.0.8;
  route 172.23.0.0/16 via 10.0.0.7; route 172.24.0.0/16 via 10.0.0.7;
}
protocol static s2 {
  ipv4 { preference 210; import where net != 172.22.0.0/16; };
  route 172.20.0.0/16 unreachable; route 172.22.0.0/16 blackhole; route 172.25.0.0/16 recursive 192.0.2.1;
}
protocol direct d1 { ipv4 { import filter { preference = 5; accept; }; }; interface "eth0"; }
protocol direct d2 { ipv4; }
${PEERS}`;

async function start() {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`, 'eth1 192.168.1.1/24');
  const made = await birdLab(lab, FILE, [], async () => kernel);
  const { bird } = made.api;
  /** `net protocol preference destination gateways`, the best of a net with `*` */
  const routes = (protocol?: string): string[] =>
    bird
      .routes({ tables: undefined, ...(protocol !== undefined && { protocol }) })
      .flatMap((answer) => [...answer.routes()])
      .flatMap((route) => {
        if (route === undefined) return [];
        const { net, protocol: name, preference, primary, destination, hops } = route;
        const to = hops.map(({ gateway, interface: link }) => gateway ?? link);
        return [`${net} ${name} ${preference}${primary ? '*' : ''} ${[destination, ...to].join(' ')}`];
      });
  const installed = (): string[] =>
    [...kernel.routes()]
      .filter(({ protocol }) => protocol === 12)
      .map(({ prefix, type, nextHops }) => `${formatPrefix(prefix)} ${type} ${nextHops.length}`)
      .sort();
  return { lab, bird, routes, installed };
}

describe('several protocols of one table', () => {
  it('judge their own routes, and have them all', async () => {
    const { routes, installed, bird } = await start();
    expect(routes('s1')).toEqual([
      '172.20.0.0/16 s1 200 blackhole',
      '172.21.0.0/16 s1 200* unicast 10.0.0.7',
      '172.21.0.0/16 s1 200 unicast 10.0.0.8',
      '172.23.0.0/16 s1 200* prohibited',
      '172.24.0.0/16 s1 200* unicast 10.0.0.9',
    ]);
    expect(routes('s2')).toEqual(['172.20.0.0/16 s2 210* unreachable', '172.25.0.0/16 s2 210* unreachable']);
    expect(routes('d1')).toEqual(['10.0.0.0/24 d1 5 unicast eth0']);
    expect(routes('d2')).toEqual(['10.0.0.0/24 d2 240* unicast eth0', '192.168.1.0/24 d2 240* unicast eth1']);
    const counts = bird.protocols({ details: true }).map(({ name, channels }) => {
      const { routes: own, stats } = channels[0] ?? {};
      return `${name} ${own?.imported} ${own?.preferred} ${stats?.importUpdates.filtered}`;
    });
    expect(counts).toEqual(expect.arrayContaining(['s1 5 3 0', 's2 2 2 1', 'd1 1 0 0', 'd2 2 2 0']));
    expect(installed()).toEqual([
      '172.20.0.0/16 unreachable 0',
      '172.21.0.0/16 unicast 2',
      '172.23.0.0/16 prohibit 0',
      '172.24.0.0/16 unicast 1',
      '172.25.0.0/16 unreachable 0',
    ]);
  });

  it('are switched off and on alone', async () => {
    const { lab, bird, routes, installed } = await start();
    const before = routes();
    for (const name of ['s2', 'd2']) await bird.act(name, { action: 'disable' });
    await lab.run(1000);
    expect(routes('s2')).toEqual([]);
    expect(routes('d1')).toEqual(['10.0.0.0/24 d1 5* unicast eth0']);
    expect(routes('d2')).toEqual([]);
    expect(installed()[0]).toBe('172.20.0.0/16 blackhole 0');
    for (const name of ['s2', 'd2']) await bird.act(name, { action: 'enable' });
    await lab.run(1000);
    expect(routes()).toEqual(before);
  });
});
