// Next hops on the link of an eBGP peer one hop away (RFC 4271 §5.1.3), as BIRD 1.6.8 and 2.0.12 tell them: they stay, of
// own routes and of others' alike. Whatever is elsewhere, and everything towards peers several hops away, becomes the own
// address. IPv6 addresses of the own link come with the link-local one, whatever the session runs over (RFC 2545 §3).

import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { formatAddress } from '../../../src/lib/ip.ts';
import { ip } from '../../support/raw-peer.ts';
import { kernelRoute, SimLab, simKernel } from '../../support/sim-lab.ts';

const OWN = '10.0.0.1';
const [FROM, TO, INTERNAL, FAR, ELSEWHERE] = ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.1.0.6'];
const LINK_LOCAL = 'fe80::1';
/** Another one of the same link. */
const SECOND = '10.0.7.1';

const CHANNELS = 'ipv4 { import all; export all; }; ipv6 { import all; export all; };';
const bgp = (peer: string, asn: number, words = '') =>
  `protocol bgp { local ${peer === ELSEWHERE ? '10.1.0.1' : OWN} as 65001; neighbor ${peer} as ${asn}; ${words} ${CHANNELS} }`;

const FILE = `router id ${OWN}; protocol device {}
protocol kernel { ipv4 { import none; export none; }; }
protocol static {
  ipv4;
  route 203.0.113.1/32 via 10.0.0.99; route 203.0.113.2/32 via 10.1.0.99; route 203.0.113.3/32 blackhole;
}
${bgp(FROM!, 65002)} ${bgp(TO!, 65003)} ${bgp(INTERNAL!, 65001)} ${bgp(FAR!, 65005, 'multihop;')} ${bgp(ELSEWHERE!, 65006)}
`;

/** What each of the peers is told, from a peer that announces next hops on the link and elsewhere. */
async function scene(file = FILE) {
  const lab = new SimLab();
  const kernel = simKernel(
    `eth0 ${OWN}/24 ${SECOND}/24 2001:db8:9::1/64 ${LINK_LOCAL}/64`,
    'eth1 10.1.0.1/24',
  );
  const own = lab.speaker('own', [OWN, '10.1.0.1@eth1'], file, { kernel });
  own.own = [
    ...[OWN, SECOND, '2001:db8:9::1', LINK_LOCAL].map((address) => ({
      interface: 'eth0',
      bytes: ip(address),
    })),
    { interface: 'eth1', bytes: ip('10.1.0.1') },
  ].map((each) => ({ ...each, prefixLength: each.bytes.length === 4 ? 24 : 64 }));
  const families = [IPV4_UNICAST, IPV6_UNICAST];
  const raw = (address: string | undefined, as: number) =>
    lab.raw(address ?? '', { as, holdTime: 0, families });
  const peers = {
    from: raw(FROM, 65002),
    to: raw(TO, 65003),
    internal: raw(INTERNAL, 65001),
    far: raw(FAR, 65005),
    elsewhere: raw(ELSEWHERE, 65006),
  };
  await lab.start(1000);
  const { elsewhere, from, ...others } = peers;
  await lab.connect(own, from, ...Object.values(others));
  elsewhere.connect('10.1.0.1');
  await lab.run(1000);
  from.announce(['198.51.100.1/32']);
  from.announce(['198.51.100.2/32'], {}, '10.0.0.77');
  from.announce(['198.51.100.3/32'], {}, '10.1.0.77');
  from.announce(['2001:db8:1::/48'], {}, '2001:db8:9::2 fe80::2');
  from.announce(['2001:db8:2::/48'], {}, '2001:db8:a::2');
  await lab.run(1000);
  const nextHops = (prefix: string) =>
    Object.fromEntries(
      Object.entries({ ...others, elsewhere }).map(([name, { table }]) => [name, table.get(prefix)?.nextHop]),
    );
  return { lab, kernel, own, from, nextHops };
}

describe('next hops on the link of a peer', () => {
  it('4271-5.1.3-2 stay towards that peer', async () => {
    const { nextHops } = await scene();
    const self = { to: OWN, far: OWN, elsewhere: '10.1.0.1' };
    expect(nextHops('198.51.100.1/32')).toEqual({ ...self, to: FROM, internal: FROM });
    expect(nextHops('198.51.100.2/32')).toEqual({ ...self, to: '10.0.0.77', internal: '10.0.0.77' });
    expect(nextHops('198.51.100.3/32')).toEqual({ ...self, internal: '10.1.0.77', elsewhere: '10.1.0.77' });
    expect(nextHops('203.0.113.1/32')).toEqual({ ...self, to: '10.0.0.99', internal: '10.0.0.99' });
    expect(nextHops('203.0.113.2/32')).toEqual({ ...self, internal: '10.1.0.99', elsewhere: '10.1.0.99' });
    expect(nextHops('203.0.113.3/32')).toEqual({ ...self, internal: OWN });
  });

  it('become the own address when their subnet is none of the link any more', async () => {
    const { lab, kernel, own, from, nextHops } = await scene(FILE.replace('export none', 'export all'));
    kernelRoute(kernel, '10.0.7.0/24', '10.1.0.254', { metric: 100 });
    from.announce(['198.51.100.7/32'], {}, '10.0.7.7');
    await lab.run(1000);
    expect(nextHops('198.51.100.7/32')).toMatchObject({ to: '10.0.7.7' });
    own.own = own.own.filter(({ bytes }) => formatAddress(bytes) !== SECOND);
    kernel.removeAddress({ ifindex: 2, address: ip(SECOND), prefixLength: 24, scope: 0 });
    await lab.run(5000);
    expect(nextHops('198.51.100.7/32')).toMatchObject({ to: OWN });
    // On another link it is still none of this one.
    own.own = [...own.own, { interface: 'eth1', bytes: ip(SECOND), prefixLength: 24 }];
    kernel.addAddress({ ifindex: 3, address: ip(SECOND), prefixLength: 24 });
    await lab.run(5000);
    expect(nextHops('198.51.100.7/32')).toMatchObject({ to: OWN });
  });

  it('stay once their subnet has come to the link', async () => {
    const { lab, kernel, own, from, nextHops } = await scene(FILE.replace('export none', 'export all'));
    kernelRoute(kernel, '10.0.8.0/24', '10.1.0.254', { metric: 100 });
    from.announce(['198.51.100.8/32'], {}, '10.0.8.7');
    await lab.run(1000);
    expect(nextHops('198.51.100.8/32')).toMatchObject({ to: OWN });
    own.own = [...own.own, { interface: 'eth0', bytes: ip('10.0.8.1'), prefixLength: 24 }];
    kernel.addAddress({ ifindex: 2, address: ip('10.0.8.1'), prefixLength: 24 });
    await lab.run(5000);
    expect(nextHops('198.51.100.8/32')).toMatchObject({ to: '10.0.8.7', elsewhere: '10.1.0.1' });
  });

  it('move with their subnet from link to link', async () => {
    const { lab, kernel, own, from, nextHops } = await scene(FILE.replace('export none', 'export all'));
    kernelRoute(kernel, '10.0.7.0/24', '10.1.0.254', { metric: 100 });
    from.announce(['198.51.100.7/32'], {}, '10.0.7.7');
    await lab.run(1000);
    own.own = own.own.map((each) =>
      formatAddress(each.bytes) === SECOND ? { ...each, interface: 'eth1' } : each,
    );
    const moved = { address: ip(SECOND), prefixLength: 24, scope: 0 };
    kernel.removeAddress({ ...moved, ifindex: 2 });
    kernel.addAddress({ ...moved, ifindex: 3 });
    await lab.run(5000);
    expect(nextHops('198.51.100.7/32')).toMatchObject({ to: OWN, elsewhere: '10.0.7.7' });
  });

  it('stay also where they come from another table: links are of the machine', async () => {
    const away = bgp(FROM!, 65002);
    const { nextHops } = await scene(`ipv4 table blue;
      ${FILE.replace(away, away.replace('ipv4 {', 'ipv4 { table blue;'))}
      protocol kernel { kernel table 100; ipv4 { table blue; import none; export all; }; }
      protocol pipe { table master4; peer table blue; import all; export none; }`);
    expect(nextHops('198.51.100.2/32')).toMatchObject({ to: '10.0.0.77', elsewhere: '10.1.0.1' });
    expect(nextHops('198.51.100.3/32')).toMatchObject({ to: OWN, elsewhere: '10.1.0.77' });
  });

  it('2545-3-2 come with a link-local address there, also over IPv4', async () => {
    const { nextHops } = await scene();
    expect(nextHops('2001:db8:1::/48')).toMatchObject({
      to: '2001:db8:9::2 fe80::2',
      internal: '2001:db8:9::2',
      far: '2001:db8:9::1',
    });
    expect(nextHops('2001:db8:2::/48')).toMatchObject({
      to: `2001:db8:9::1 ${LINK_LOCAL}`,
      internal: '2001:db8:a::2',
      far: '2001:db8:9::1',
    });
  });
});
