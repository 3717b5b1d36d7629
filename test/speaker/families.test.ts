// Families and transports that differ: IPv6 over IPv4 and back (RFC 4760, RFC 2545, RFC 8950), and messages longer
// than 4096 octets (RFC 8654).

import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { ip } from '../support/raw-peer.ts';
import { simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_ADDRESS_V6, OWN_AS, OWN_LINK_LOCAL, type RigPeer, rig, rigInput } from './rig.ts';

const P4 = '192.0.2.0/24';
const P6 = '2001:db8:1::/48';
const V4_PEER = '10.0.0.2';
const V6_PEER = '2001:db8::2';
const V6_CLIENT = '2001:db8::3';
const V4_CLIENT = '10.0.0.3';
const BOTH = ['ipv4-unicast', 'ipv6-unicast'] as const;
const RFC8950: Capability = {
  kind: 'extended-next-hop',
  entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }],
};

const both = (as: number, config: RigPeer['config'] = {}, raw: RigPeer['raw'] = {}): RigPeer => ({
  as,
  config: { families: [...BOTH], ...config },
  raw: { id: '10.200.0.2', ...raw },
});

describe('IPv6 routes over an IPv4 session', () => {
  it('2545-3-2 travel in both directions with the IPv6 addresses of the interface as next hop', async () => {
    const { lab, speaker, peer } = await rig({
      [V4_PEER]: both(65002),
      [V4_CLIENT]: both(65003, {}, { id: '10.200.0.3' }),
    });
    peer(V4_PEER).announce([P6], {}, '2001:db8::77');
    await lab.settle();
    expect(speaker.route(P6)).toMatchObject({ nextHop: '2001:db8::77' });
    expect(peer(V4_CLIENT).routes()).toEqual([`${P6} via ${OWN_ADDRESS_V6} ${OWN_LINK_LOCAL}`]);
    peer(V4_PEER).withdraw(P6);
    await lab.settle();
    expect(peer(V4_CLIENT).prefixes()).toEqual([]);
  });

  it('stay where there is no IPv6 address to announce', async () => {
    const { lab, peer } = await rig({
      [V6_PEER]: { as: 65002, raw: { id: '10.200.0.2' } },
      [V4_CLIENT]: both(65003, { nextHopAddress: { ipv6: '2001:db8::99' } }),
    });
    peer(V6_PEER).announce([P6]);
    await lab.settle();
    expect(peer(V4_CLIENT).routes()).toEqual([`${P6} via 2001:db8::99`]);
  });
});

describe('next hops of IPv6 routes', () => {
  it('2545-3-2 the link-local address goes with the global one only where the link is shared', async () => {
    const { lab, peer } = await rig({
      [V6_PEER]: { as: 65002, raw: { id: '10.200.0.2' } },
      [V6_CLIENT]: { as: 65003, raw: { id: '10.200.0.3' } },
      '2001:db8::4': { as: 65004, config: { multihop: 5 }, raw: { id: '10.200.0.4' } },
      '2001:db8::5': { as: OWN_AS, config: { nextHop: 'self' }, raw: { id: '10.200.0.5' } },
    });
    peer(V6_PEER).announce([P6]);
    await lab.settle();
    expect(peer(V6_CLIENT).routes()).toEqual([`${P6} via ${OWN_ADDRESS_V6} ${OWN_LINK_LOCAL}`]);
    expect(peer('2001:db8::4').routes()).toEqual([`${P6} via ${OWN_ADDRESS_V6}`]);
    expect(peer('2001:db8::5').routes()).toEqual([`${P6} via ${OWN_ADDRESS_V6}`]);
  });

  it('2545-3-2 the link-local address of somebody else does not travel into the AS', async () => {
    const { lab, peer } = await rig({
      [V6_PEER]: { as: 65002, raw: { id: '10.200.0.2' } },
      [V6_CLIENT]: { as: OWN_AS, raw: { id: '10.200.0.3' } },
    });
    peer(V6_PEER).announce([P6], {}, '2001:db8::2 fe80::2');
    await lab.settle();
    expect(peer(V6_CLIENT).routes()).toEqual([`${P6} via 2001:db8::2`]);
  });

  it('2545-3-1 a next hop of 16 or 32 octets is taken', async () => {
    const { lab, speaker, peer } = await rig({
      [V6_PEER]: { as: 65002, raw: { id: '10.200.0.2' } },
    });
    peer(V6_PEER).announce([P6], {}, '2001:db8::2 fe80::2');
    peer(V6_PEER).announce(['2001:db8:2::/48'], {}, '2001:db8::2');
    await lab.settle();
    expect(speaker.best()).toHaveLength(2);
    expect(speaker.route(P6)?.nextHop).toBe('2001:db8::2');
  });
});

describe('IPv4 routes over an IPv6 session (RFC 8950)', () => {
  it('8950-4-1 an IPv6 next hop is sent only where both sides advertised it', async () => {
    const { lab, peer } = await rig({
      [V4_PEER]: { as: 65002 },
      [V6_PEER]: both(65003, {}, { capabilities: [RFC8950] }),
      [V6_CLIENT]: both(65004, {}, { id: '10.200.0.3' }),
    });
    peer(V4_PEER).announce([P4]);
    await lab.settle();
    expect(peer(V6_PEER).routes()[0]).toContain(`${P4} via ${OWN_ADDRESS_V6}`);
    // An IPv4 address of the same interface.
    expect(peer(V6_CLIENT).routes()).toEqual([`${P4} via ${OWN_ADDRESS}`]);
  });

  it('8950-3-1 an IPv6 next hop of an IPv4 route is taken', async () => {
    const { lab, speaker, peer } = await rig({
      [V6_PEER]: both(65003, {}, { capabilities: [RFC8950] }),
      [V4_PEER]: { as: 65002 },
    });
    peer(V6_PEER).announce([P4], {}, V6_PEER);
    await lab.settle();
    expect(speaker.route(P4)).toMatchObject({ nextHop: V6_PEER, best: true });
    expect(peer(V4_PEER).routes()).toEqual([`${P4} via ${OWN_ADDRESS}`]);
  });

  it('8950-5-1 a reflected next hop keeps its encoding, and is withheld from who cannot take it', async () => {
    const { lab, speaker, peer } = await rig({
      [V6_PEER]: both(OWN_AS, { routeReflectorClient: true }, { capabilities: [RFC8950] }),
      [V6_CLIENT]: both(OWN_AS, {}, { capabilities: [RFC8950], id: '10.200.0.3' }),
      [V4_PEER]: both(OWN_AS, {}, { id: '10.200.0.4' }),
      [V4_CLIENT]: both(OWN_AS, { nextHop: 'self' }, { id: '10.200.0.5' }),
    });
    peer(V6_PEER).announce([P4], {}, V6_PEER);
    await lab.settle();
    expect(peer(V6_CLIENT).routes()).toEqual([`${P4} via ${V6_PEER}`]);
    expect(peer(V4_PEER).routes()).toEqual([]);
    expect(speaker.api.explain(P4, { to: V4_PEER }).exports[0]?.reason).toMatch(/RFC 8950/);
    expect(peer(V4_CLIENT).routes()).toEqual([`${P4} via ${OWN_ADDRESS}`]);
  });
});

describe('long messages (RFC 8654)', () => {
  const EXTENDED: RigPeer['raw'] = { capabilities: [{ kind: 'extended-message' }] };
  const many = Array.from({ length: 1100 }, (_, i) => `65002:${i}`);
  const AROUND: Record<string, RigPeer> = {
    [V4_PEER]: { as: 65002, raw: EXTENDED },
    '10.0.0.4': { as: 65004, raw: EXTENDED },
    '10.0.0.5': { as: 65005 },
  };

  it('8654-4-3 what does not fit into 4096 octets is not sent to such a peer, an earlier route is withdrawn', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(V4_PEER).announce([P4], { communities: ['65002:1'] });
    await lab.settle();
    expect(peer('10.0.0.5').prefixes()).toEqual([P4]);
    peer(V4_PEER).announce([P4], { communities: many });
    await lab.settle();
    expect(peer('10.0.0.4').attributes(P4)?.communities).toHaveLength(1100);
    expect(peer('10.0.0.5').prefixes()).toEqual([]);
    expect(speaker.states()).toEqual(speaker.states().map((line) => line.replace(/ .*/, ' Established')));
    expect(speaker.peer('10.0.0.5').families[0]?.advertised).toBe(0);
  });

  it('4271-9.2-3 a route that fits no message is not sent, and the session stays', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(V4_PEER).announce([P4], { communities: many });
    peer(V4_PEER).announce(['198.51.100.0/24']);
    await lab.settle();
    expect(peer('10.0.0.5').prefixes()).toEqual(['198.51.100.0/24']);
    expect(speaker.peer('10.0.0.5').state).toBe('Established');
    expect(speaker.api.explain(P4, { to: '10.0.0.5' }).exports[0]).toMatchObject({
      advertised: false,
      reason: 'the attributes do not fit into one message',
    });
  });

  it('8654-4-2 more than 4096 octets are sent only to a peer that takes them', async () => {
    const { lab, peer } = await rig(AROUND);
    const prefixes = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    peer(V4_PEER).announce(prefixes.slice(0, 3000));
    await lab.settle();
    const longest = (address: string) => Math.max(...peer(address).messages.map((bytes) => bytes.length));
    expect(peer('10.0.0.5').prefixes()).toHaveLength(3000);
    expect(longest('10.0.0.5')).toBeLessThanOrEqual(4096);
    expect(longest('10.0.0.4')).toBeGreaterThan(4096);
    expect(peer('10.0.0.4').table.size).toBe(3000);
  });
});

it('each family has its own refresh, table and End-of-RIB', async () => {
  const { lab, speaker, peer } = await rig({
    [V4_PEER]: both(65002),
    [V4_CLIENT]: both(65003, {}, { id: '10.200.0.3' }),
  });
  peer(V4_PEER).announce([P4, P6], {});
  peer(V4_PEER).endOfRib(IPV6_UNICAST);
  await lab.settle();
  expect(speaker.peer(V4_PEER).families.map((family) => family.endOfRibReceived)).toEqual([false, true]);
  peer(V4_CLIENT).clear();
  peer(V4_CLIENT).refresh(IPV6_UNICAST);
  await lab.settle();
  expect(peer(V4_CLIENT).heard).toEqual([`+${P6}`]);
  peer(V4_CLIENT).clear();
  peer(V4_CLIENT).refresh(IPV4_UNICAST);
  await lab.settle();
  expect(peer(V4_CLIENT).heard).toEqual([`+${P4}`]);
});

describe('an own address of the other family', () => {
  it('may come and go while sessions stand, and stays in use while it is there', async () => {
    const kernel = simKernel(
      `eth0 ${OWN_ADDRESS}/24 ${OWN_ADDRESS_V6}/64 ${OWN_LINK_LOCAL}/64`,
      'eth1 2001:db8:b::1/64',
    );
    const peers = { [V4_PEER]: both(65002), [V4_CLIENT]: both(65003, {}, { id: '10.200.0.5' }) };
    const { lab, speaker, peer } = await rig(peers, { kernel: { install: true } }, kernel);
    let on = [OWN_ADDRESS_V6];
    const becomes = (...now: string[]): void => {
      speaker.own = [OWN_ADDRESS, ...now, OWN_LINK_LOCAL].map((address) => ({
        interface: 'eth0',
        bytes: ip(address),
      }));
      const entry = (address: string) => ({ ifindex: 2, address: ip(address), prefixLength: 64, scope: 0 });
      for (const each of on.filter((address) => !now.includes(address))) kernel.removeAddress(entry(each));
      for (const each of now.filter((address) => !on.includes(address))) kernel.addAddress(entry(each));
      on = now;
    };
    peer(V4_PEER).announce([P6], {}, '2001:db8:b::2');
    await lab.settle();
    expect(peer(V4_CLIENT).routes()).toEqual([`${P6} via ${OWN_ADDRESS_V6} ${OWN_LINK_LOCAL}`]);

    const heard = async (): Promise<readonly [told: boolean, ...routes: string[]]> => {
      peer(V4_CLIENT).clear();
      await lab.run(5000);
      return [peer(V4_CLIENT).heard.length > 0, ...peer(V4_CLIENT).routes()];
    };
    // Set up anew.
    becomes();
    await lab.run(100);
    becomes(OWN_ADDRESS_V6);
    expect(await heard()).toEqual([false, `${P6} via ${OWN_ADDRESS_V6} ${OWN_LINK_LOCAL}`]);
    becomes();
    expect(await heard()).toEqual([true]);
    becomes('2001:db8::9');
    expect(await heard()).toEqual([true, `${P6} via 2001:db8::9 ${OWN_LINK_LOCAL}`]);
    becomes('2001:db8::7', '2001:db8::9');
    expect(await heard()).toEqual([false, `${P6} via 2001:db8::9 ${OWN_LINK_LOCAL}`]);
    becomes('2001:db8::7');
    expect(await heard()).toEqual([true, `${P6} via 2001:db8::7 ${OWN_LINK_LOCAL}`]);
    // Another view of the kernel serves when that has settled.
    becomes('2001:db8::7', '2001:db8::9');
    await lab.run(100);
    await speaker.reload(rigInput(peers, { kernel: { install: true, metric: 60 } }));
    becomes('2001:db8::9');
    expect(await heard()).toEqual([true, `${P6} via 2001:db8::9 ${OWN_LINK_LOCAL}`]);
  });
});
