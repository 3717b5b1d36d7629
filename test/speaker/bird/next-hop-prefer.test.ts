// `next hop prefer` of BIRD's channels, as BIRD 2.20 does it: of a next hop with two addresses (RFC 2545 §3) the global one
// leads there, or the link-local one, and what others are told of it is the same.

import { describe, expect, it } from 'vitest';
import { IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { FROM, OWN, TO } from '../bird-lab.ts';

const [P1, P2] = ['2001:db8:1::/48', '2001:db8:2::/48'] as const;
const GLOBAL = '2001:db8:9::9';
const LOCAL = 'fe80::9';

function fileOf(statement: string, asn: number): string {
  return `router id ${OWN}; protocol device {}
protocol kernel { ipv6 { import none; export all; }; }
protocol bgp b1 { local ${OWN} as 65001; neighbor ${FROM} as ${asn}; ipv6 { import all; export none; ${statement} }; }
protocol bgp b2 { local ${OWN} as 65001; neighbor ${TO} as 65003; ipv6 { import all; export none; }; }
`;
}

describe('next hop prefer', () => {
  it.each([
    ['', 65002, GLOBAL],
    ['next hop prefer global;', 65002, GLOBAL],
    ['next hop prefer local;', 65002, LOCAL],
    ['next hop prefer global;', 65001, GLOBAL],
    ['next hop prefer local;', 65001, LOCAL],
    ['next hop prefer local;', 65002, GLOBAL, '::'],
  ])('"%s" of a peer of AS %d leads to %s', async (statement, asn, gateway, second = LOCAL) => {
    const lab = new SimLab();
    const kernel = simKernel(`eth0 ${OWN}/24 2001:db8:9::1/64`);
    const own = lab.speaker('own', [OWN], fileOf(statement, asn), { kernel });
    const families = [IPV6_UNICAST];
    const [one, other] = [
      lab.raw(FROM, { as: asn, holdTime: 0, families }),
      lab.raw(TO, { as: 65003, holdTime: 0, families }),
    ];
    await lab.start(1000);
    await lab.connect(own, one, other);
    one.announce([P1], {}, `${GLOBAL} ${second}`);
    other.announce([P2], {}, `${GLOBAL} ${LOCAL}`);
    await lab.settle();
    const routes = [`${P1} via ${gateway}`, `${P2} via ${GLOBAL}`];
    expect(own.kernelRoutes()).toEqual(routes);
    expect(own.route(P1)?.nextHop).toBe(GLOBAL);
    await own.upgrade();
    await lab.run(1000);
    one.announce(['2001:db8:3::/48'], {}, `${GLOBAL} ${second}`);
    await lab.settle();
    expect(own.kernelRoutes()).toEqual([...routes, `2001:db8:3::/48 via ${gateway}`]);
  });
});
