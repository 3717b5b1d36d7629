// The metric of next hops as both generations of BIRD have it: what is on a link is nearest, and behind static and learned
// routes it is unknown, which comes after every known one.

import { expect, it } from 'vitest';
import { kernelRoute, SimLab, simKernel } from '../../support/sim-lab.ts';
import { FROM, OWN, TO } from '../bird-lab.ts';

const NETS = ['203.0.113.1/32', '203.0.113.2/32', '203.0.113.3/32'] as const;

const file = `router id ${OWN}; protocol device {}
protocol static { ipv4; route 192.0.2.0/24 via 10.0.0.99; }
protocol kernel { learn; ipv4 { import all; export none; }; }
protocol bgp { local ${OWN} as 65001; neighbor ${FROM} as 65001; ipv4 { import all; export none; }; }
protocol bgp { local ${OWN} as 65001; neighbor ${TO} as 65001; ipv4 { import all; export none; }; }
`;

it('is unknown behind static and learned routes, and that is far', async () => {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`);
  kernelRoute(kernel, '198.51.100.0/24', '10.0.0.98', { metric: 7, protocol: 99 });
  const own = lab.speaker('own', [OWN], file, { kernel });
  const options = { as: 65001, holdTime: 0 };
  const [from, to] = [lab.raw(FROM, options), lab.raw(TO, options)];
  await lab.start(1000);
  await lab.connect(own, from, to);
  const hops = ['192.0.2.9', '198.51.100.9', '10.0.0.77'];
  for (const [at, net] of NETS.entries()) from.announce([net], {}, hops[at]);
  to.announce([...NETS], {}, '10.0.0.78');
  await lab.settle();
  const [answer] = own.api.bird.routes({ tables: undefined });
  const shown = [...answer!.routes()].flatMap((route) =>
    route?.bgp === undefined ? [] : [`${route.net} ${route.from} ${route.igpMetric} ${route.primary}`],
  );
  expect(shown.sort()).toEqual([
    `${NETS[0]} ${FROM} unknown false`,
    `${NETS[0]} ${TO} 0 true`,
    `${NETS[1]} ${FROM} unknown false`,
    `${NETS[1]} ${TO} 0 true`,
    `${NETS[2]} ${FROM} 0 true`,
    `${NETS[2]} ${TO} 0 false`,
  ]);
});
