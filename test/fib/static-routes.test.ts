// Which static routes have a way: BIRD's rules for gateways on links, interfaces alone, on-link gateways, several next
// hops with weights, and recursive ones; and that other next hops resolve through them.

import { describe, expect, it } from 'vitest';
import { NextHopResolver } from '../../src/fib/next-hop-resolver.ts';
import { type StaticHop, StaticRoutes, type StaticSpec } from '../../src/fib/static-routes.ts';
import { formatAddress, formatPrefix } from '../../src/lib/ip.ts';
import { address, Bench, ETH0, ETH1, MAIN, machine, prefix, route } from '../support/mem-kernel.ts';

const ETH1_LINK = { ifindex: ETH1, name: 'eth1', loopback: false, mtu: 1500 } as const;
const TUNNEL = { ifindex: 9, name: 'tunl0', up: true, loopback: false, mtu: 1480 } as const;

/** `10.0.0.2`, `%eth1`, `192.0.2.1%eth1!` (on-link), `10.0.0.2*3` (weight) */
function hop(text: string): StaticHop {
  const [, gateway, link, onlink, weight] = /^([^%*!]*)(?:%([^*!]*))?(!)?(?:\*(\d+))?$/.exec(text)!;
  return {
    gateway: gateway ? address(gateway) : undefined,
    interface: link,
    onlink: onlink !== undefined,
    weight: Number(weight ?? 1),
  };
}

function via(text: string, hops: readonly string[], recursive = false): StaticSpec {
  return { ...base(text), type: 'unicast', hops: hops.map(hop), recursive };
}

function base(text: string) {
  return { prefix: prefix(text), ordinal: 0, preference: 200, hops: [], recursive: false };
}

const blackhole = (text: string): StaticSpec => ({ ...base(text), type: 'blackhole' });

async function setup(prepare: (kernel: ReturnType<typeof machine>) => void = () => {}) {
  const kernel = machine();
  prepare(kernel);
  const bench = new Bench(kernel);
  const { view, scheduler, clock } = bench;
  const resolver = new NextHopResolver({ view, scheduler, clock, tables: { ipv4: MAIN, ipv6: MAIN } });
  await bench.start();
  const told: string[] = [];
  /** Gateways that BFD sees. */
  const seen = new Set<string>();
  let asked = 0;
  const statics = new StaticRoutes({
    view,
    resolver,
    sees: (gateway, link) => {
      asked++;
      return seen.has(formatAddress(gateway, link));
    },
    onChange: (each) => told.push(formatPrefix(each)),
  });
  resolver.useOwnRoutes(statics);
  const way = (text: string): string => {
    const { type, hops } = statics.way(prefix(text), 0) ?? { type: 'none', hops: [] };
    if (type !== 'unicast') return type;
    return hops
      .map(({ gateway, ifindex, onlink, weight }) => {
        const to = gateway === undefined ? '' : formatAddress(gateway);
        return `${to}@${ifindex}${onlink ? '!' : ''}${weight === undefined ? '' : `*${weight}`}`;
      })
      .join(' ');
  };
  const resolved = (text: string): string => {
    const { reachable, hops } = resolver.resolve(address(text));
    return reachable
      ? hops.map(({ gateway, ifindex }) => `${formatAddress(gateway!)}@${ifindex}`).join(' ')
      : 'none';
  };
  return { bench, kernel, statics, told, seen, asked: () => asked, way, resolved };
}

describe('the way of a static route', () => {
  it.each([
    ['a gateway on a link', ['10.0.0.2'], '10.0.0.2@2'],
    ['a gateway nowhere', ['192.0.2.1'], 'none'],
    ['an own address', ['10.0.0.1'], 'none'],
    ['a gateway on another link than said', ['10.0.0.2%eth1'], 'none'],
    ['several with weights', ['10.0.0.2*3', '10.0.1.2'], '10.0.0.2@2*3 10.0.1.2@3'],
    ['those of several that are there', ['192.0.2.1', '10.0.1.2'], '10.0.1.2@3'],
    ['an interface alone', ['%eth1'], '@3'],
    ['an interface that is not there', ['%eth9'], 'none'],
    ['a gateway said to be on the link', ['192.0.2.1%eth1!'], '192.0.2.1@3!'],
    ['a link-local gateway', ['fe80::2%eth1'], 'fe80::2@3'],
  ])('%s', async (_name, hops, expected) => {
    const { statics, way } = await setup();
    const text = hops[0]!.startsWith('fe80') ? '2001:db8:9::/48' : '198.51.100.0/24';
    statics.set(via(text, hops));
    expect(way(text)).toBe(expected);
  });

  it('is none where the gateway is behind another route, unless it is recursive', async () => {
    const { statics, way } = await setup((kernel) => {
      kernel.addRoute(route('192.0.2.0/24', { protocol: 80, via: '10.0.0.7', dev: ETH0 }));
    });
    statics.set(via('198.51.100.0/24', ['192.0.2.1']));
    statics.set(via('203.0.113.0/24', ['192.0.2.1'], true));
    expect([way('198.51.100.0/24'), way('203.0.113.0/24')]).toEqual(['none', '10.0.0.7@2']);
  });

  it('that is recursive is unreachable without one, and what its gateway’s route is', async () => {
    const { bench, kernel, statics, told, way } = await setup();
    statics.set(via('203.0.113.0/24', ['192.0.2.1'], true));
    statics.set(via('198.51.100.0/24', ['203.0.113.1'], true));
    const ways = () => [way('203.0.113.0/24'), way('198.51.100.0/24')];
    expect(ways()).toEqual(['unreachable', 'unreachable']);
    statics.set(blackhole('192.0.2.0/24'));
    await bench.run();
    expect(ways()).toEqual(['blackhole', 'unreachable']);
    kernel.addRoute(route('192.0.2.0/28', { protocol: 80, via: '10.0.0.7', dev: ETH0 }));
    await bench.run();
    expect(ways()).toEqual(['10.0.0.7@2', 'unreachable']);
    expect(told).toEqual(Array(2).fill('203.0.113.0/24'));
  });

  it('comes and goes with the link, and tells', async () => {
    const { bench, kernel, statics, told, way } = await setup();
    statics.set(via('198.51.100.0/24', ['10.0.1.2']));
    statics.set(via('203.0.113.0/24', ['%eth1']));
    expect(told).toEqual([]);
    kernel.setLink({ ...ETH1_LINK, up: false });
    await bench.run();
    expect([way('198.51.100.0/24'), way('203.0.113.0/24')]).toEqual(['none', 'none']);
    kernel.setLink({ ...ETH1_LINK, up: true });
    await bench.run();
    expect([way('198.51.100.0/24'), way('203.0.113.0/24')]).toEqual(['10.0.1.2@3', '@3']);
    expect(told.sort()).toEqual([...Array(2).fill('198.51.100.0/24'), ...Array(2).fill('203.0.113.0/24')]);
  });

  it('follows a name to the interface that has it later', async () => {
    const { bench, kernel, statics, way } = await setup();
    statics.set(via('198.51.100.0/24', ['%tunl0']));
    kernel.setLink(TUNNEL);
    await bench.run();
    expect(way('198.51.100.0/24')).toBe('@9');
  });

  it('of blackholes is always there, and of deleted ones never', async () => {
    const { statics, way } = await setup();
    statics.set(blackhole('198.51.100.0/24'));
    expect(way('198.51.100.0/24')).toBe('blackhole');
    statics.delete(prefix('198.51.100.0/24'), 0);
    expect(way('198.51.100.0/24')).toBe('none');
  });
});

describe('next hops', () => {
  it('resolve through static routes, the longest first', async () => {
    const { bench, statics, resolved } = await setup((kernel) => {
      kernel.addRoute(route('0.0.0.0/0', { protocol: 80, via: '10.0.0.254', dev: ETH0 }));
    });
    expect(resolved('172.16.0.1')).toBe('10.0.0.254@2');
    statics.set(via('172.16.0.1/32', ['10.0.1.2']));
    statics.set(blackhole('172.17.0.0/16'));
    await bench.run();
    expect(resolved('172.16.0.1')).toBe('10.0.1.2@3');
    expect(resolved('172.16.0.2')).toBe('10.0.0.254@2');
    expect(resolved('172.17.0.1')).toBe('none');
    statics.delete(prefix('172.16.0.1/32'), 0);
    expect(resolved('172.16.0.1')).toBe('10.0.0.254@2');
  });

  it('resolve through a link before a static route of the same prefix, and through a longer route of others', async () => {
    const { statics, resolved } = await setup((kernel) => {
      kernel.addRoute(route('172.16.1.0/24', { protocol: 80, via: '10.0.0.7', dev: ETH0 }));
    });
    statics.set(via('10.0.0.0/24', ['10.0.1.2']));
    statics.set(via('172.16.0.0/16', ['10.0.1.2']));
    expect(resolved('10.0.0.9')).toBe('10.0.0.9@2');
    expect(resolved('172.16.1.1')).toBe('10.0.0.7@2');
    expect(resolved('172.16.2.1')).toBe('10.0.1.2@3');
  });

  it('resolve through the preferred one with a way of several with one prefix', async () => {
    const { statics, resolved } = await setup();
    const [first, second] = [via('172.16.0.0/16', ['10.0.0.7']), via('172.16.0.0/16', ['10.0.1.2'])];
    statics.set(first);
    statics.set({ ...second, ordinal: 1 });
    expect(resolved('172.16.0.1')).toBe('10.0.0.7@2');
    statics.set({ ...second, ordinal: 1, preference: 201 });
    expect(resolved('172.16.0.1')).toBe('10.0.1.2@3');
    statics.set({ ...via('172.16.0.0/16', ['192.0.2.1']), ordinal: 1, preference: 201 });
    expect(resolved('172.16.0.1')).toBe('10.0.0.7@2');
    statics.delete(first.prefix, 0);
    expect(resolved('172.16.0.1')).toBe('none');
  });

  it('lead over a watched next hop only while BFD sees it', async () => {
    const { statics, told, seen, way } = await setup();
    const plain = via('10.60.0.0/16', ['10.0.0.7', '10.0.0.8']);
    statics.set({ ...plain, hops: plain.hops.map((hop, i) => ({ ...hop, bfd: i === 0 })) });
    const alone = via('10.61.0.0/16', ['10.9.9.9']);
    statics.set({
      ...alone,
      hops: [{ ...alone.hops[0]!, interface: 'eth0', onlink: true, bfd: true }],
    });
    const ways = () => [way('10.60.0.0/16'), way('10.61.0.0/16')];
    expect(ways()).toEqual([`10.0.0.8@${ETH0}`, 'none']);
    seen.add('10.0.0.7').add('10.9.9.9%eth0');
    expect(ways()).toEqual([`10.0.0.8@${ETH0}`, 'none']);
    const review = () => {
      for (const each of ['10.0.0.7', '10.9.9.9']) statics.reviewWatched(address(each));
    };
    review();
    expect(ways()).toEqual([`10.0.0.7@${ETH0} 10.0.0.8@${ETH0}`, `10.9.9.9@${ETH0}!`]);
    seen.clear();
    review();
    expect(ways()).toEqual([`10.0.0.8@${ETH0}`, 'none']);
    expect(told).toHaveLength(4);
  });

  it('are looked at again alone where BFD sees their gateway or no longer does', async () => {
    const { statics, told, seen, asked } = await setup();
    const watched = (text: string, gateways: readonly string[]): StaticSpec => {
      const spec = via(text, gateways);
      return { ...spec, hops: spec.hops.map((each) => ({ ...each, bfd: true })) };
    };
    const one = watched('10.60.0.0/16', ['10.0.0.7', '10.0.0.8']);
    statics.set(one);
    for (let i = 0; i < 100; i++) statics.set(watched(`10.61.${i}.0/24`, ['10.0.0.9']));
    const before = asked();
    seen.add('10.0.0.8');
    statics.reviewWatched(address('10.0.0.8'));
    expect([told, asked() - before]).toEqual([['10.60.0.0/16'], 2]);
    // Another one in its place, and then none.
    statics.set(watched('10.60.0.0/16', ['10.0.0.7']));
    statics.reviewWatched(address('10.0.0.8'));
    statics.delete(one.prefix, 0);
    seen.add('10.0.0.7');
    statics.reviewWatched(address('10.0.0.7'));
    expect([told, asked() - before]).toEqual([['10.60.0.0/16'], 3]);
  });

  it('resolve elsewhere where they are told to, and ask anew whoever answers there', async () => {
    const { bench, statics, way } = await setup();
    const { view, scheduler, clock } = bench;
    const other = () => new NextHopResolver({ view, scheduler, clock, tables: { ipv4: 100, ipv6: 100 } });
    let there: NextHopResolver | undefined;
    const told: string[] = [];
    const here = new StaticRoutes({
      view,
      resolver: other(),
      elsewhere: (table) => (table === 'under' ? there : undefined),
      sees: () => true,
      onChange: (each) => told.push(formatPrefix(each)),
    });
    const far = { ...via('10.60.0.0/16', ['172.16.0.1'], true), igpTable: 'under' };
    const wayThere = () => here.way(far.prefix, 0);
    here.set(far);
    expect(wayThere()?.type).toBe('unreachable');
    there = other();
    there.useOwnRoutes(statics);
    statics.set(via('172.16.0.0/16', ['10.0.0.7']));
    here.askElsewhere();
    expect(wayThere()).toMatchObject({ type: 'unicast', hops: [{ ifindex: ETH0 }] });
    expect([told, way('10.60.0.0/16')]).toEqual([['10.60.0.0/16'], 'none']);
    there.close();
    there = undefined;
    here.askElsewhere();
    expect([wayThere()?.type, told.length]).toEqual(['unreachable', 2]);
  });

  it('never resolve through a recursive one, nor does a route need itself', async () => {
    const { bench, statics, way, resolved } = await setup((kernel) => {
      kernel.addRoute(route('192.0.2.0/24', { protocol: 80, via: '10.0.0.7', dev: ETH0 }));
    });
    statics.set(via('172.16.0.0/16', ['192.0.2.1'], true));
    statics.set(via('10.0.1.2/32', ['10.0.1.2']));
    await bench.run();
    expect(resolved('172.16.0.1')).toBe('none');
    expect(way('10.0.1.2/32')).toBe('10.0.1.2@3');
    expect(resolved('10.0.1.2')).toBe('10.0.1.2@3');
  });
});
