// What each channel of a BGP protocol has offered to its peer, as `show protocols all` has it.

import { expect, it } from 'vitest';
import { Talk } from '../../control/bird/talk.ts';
import { SimLab } from '../../support/sim-lab.ts';
import { birdLab, FROM, OWN } from '../bird-lab.ts';

it('several paths and IPv6 next hops are offered for the channels that say so', async () => {
  const lab = new SimLab();
  const file = `router id ${OWN}; protocol device {}
protocol bgp p { local ${OWN} as 65001; neighbor ${FROM} as 65002;
  ipv4 { import all; export none; add paths rx; }; ipv6 { import all; export none; add paths tx; extended next hop; }; }`;
  const { api } = await birdLab(lab, file, []);
  const talk = new Talk({ api, style: 'bird2', clock: lab.clock, pass: () => lab.settle() });
  const lines = await talk.ask('show protocols all p');
  const own = lines.slice(
    lines.findIndex((line) => line.endsWith('Local capabilities')),
    lines.findIndex((line) => line.endsWith('Neighbor capabilities')),
  );
  expect(own.map((line) => line.trim())).toEqual([
    'Local capabilities',
    'Multiprotocol',
    'AF announced: ipv4 ipv6',
    'Route refresh',
    'Graceful restart',
    '4-octet AS numbers',
    'ADD-PATH',
    'RX: ipv4',
    'TX: ipv6',
    'Enhanced refresh',
    'Long-lived graceful restart',
  ]);
});
