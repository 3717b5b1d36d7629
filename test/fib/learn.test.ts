import { describe, expect, it } from 'vitest';
import {
  type LearnedRoute,
  Learner,
  type LearnRule,
  type LearnRules,
  learnedTables,
} from '../../src/fib/learn.ts';
import type { KernelRoute } from '../../src/fib/types.ts';
import { interfaceMatcher } from '../../src/lib/interface-patterns.ts';
import { formatPrefix } from '../../src/lib/ip.ts';
import { address, Bench, ETH0, ETH1, MAIN, machine, OWN_PROTOCOL, route } from '../support/mem-kernel.ts';

async function setup(options: {
  rules?: LearnRule[];
  ipv6?: Partial<LearnRules>;
  gatewaysOnLinks?: boolean;
  interfaces?: string[][];
  kernel?: ReturnType<typeof machine>;
}) {
  const same = { table: MAIN, rules: options.rules ?? [] };
  const rules = { ipv4: same, ipv6: { ...same, ...options.ipv6 } };
  const tables = [rules.ipv4, rules.ipv6].flatMap((each) => [...learnedTables(each)]);
  const bench = new Bench(options.kernel ?? machine(), { tables });
  const told: string[] = [];
  const learner = new Learner({
    view: bench.view,
    ownProtocol: OWN_PROTOCOL,
    gatewaysOnLinks: options.gatewaysOnLinks ?? false,
    rules,
    connected: (options.interfaces ?? []).map((interfaces) => ({ interfaces, families: ['ipv4', 'ipv6'] })),
    onLearned: (change, learned) => told.push(`${change} ${text(learned)}`),
  });
  await bench.start();
  return { bench, kernel: bench.kernel, learner, told, take: () => told.splice(0).sort() };
}

function text(learned: LearnedRoute): string {
  return `${learned.source} ${formatPrefix(learned.prefix)} ${learned.ifname ?? '-'} ${learned.metric}`;
}

const RULE_80: LearnRule = { protocol: 80, table: undefined };

describe('gateways', () => {
  it.each([true, false])('that are on no link any more, where that counts: %s', async (counts) => {
    const kernel = machine();
    const here = { gateway: address('10.0.0.9'), ifindex: ETH0 };
    const there = { gateway: address('10.0.1.9'), ifindex: ETH1 };
    const add = (text: string, ...nextHops: KernelRoute['nextHops']) =>
      kernel.addRoute(route(text, { protocol: 80, nextHops }));
    add('192.0.1.0/24', here);
    add('192.0.2.0/24', there);
    add('192.0.3.0/24', here, there);
    add('192.0.4.0/24', { ...there, onlink: true });
    add('192.0.5.0/24', { ifindex: ETH1 });
    add('2001:db8:1::/48', { gateway: address('fe80::9'), ifindex: ETH1 });
    add('2001:db8:2::/48', { gateway: address('2001:db8:1::9'), ifindex: ETH1 });
    const { bench, learner, take } = await setup({ kernel, rules: [RULE_80], gatewaysOnLinks: counts });
    const learned = () => [...learner.routes()].map(({ prefix }) => formatPrefix(prefix)).sort();
    const all = learned();
    expect(all.length).toBe(7);
    take();
    const addresses = [
      { ifindex: ETH1, address: address('10.0.1.1'), prefixLength: 24, scope: 0 },
      { ifindex: ETH1, address: address('2001:db8:1::1'), prefixLength: 64, scope: 0 },
    ];
    // The routes stay in the kernel.
    for (const each of addresses) bench.view.address('delete', each);
    const gone = ['192.0.2.0/24', '192.0.3.0/24', '2001:db8:2::/48'];
    expect(learned()).toEqual(counts ? all.filter((each) => !gone.includes(each)) : all);
    expect(take().length).toBe(counts ? 3 : 0);
    for (const each of addresses) bench.view.address('add', each);
    expect(learned()).toEqual(all);
    expect(take().length).toBe(counts ? 3 : 0);
  });
});

describe('the families', () => {
  it('are learned from tables and by rules of their own', async () => {
    const kernel = machine();
    const via = (version: 4 | 6) => (version === 4 ? '10.0.0.2' : 'fd00::2');
    for (const table of [MAIN, 100]) {
      kernel.addRoute(route(`192.0.${table - 99}.0/24`, { table, protocol: 80, via: via(4) }));
      kernel.addRoute(route(`2001:db8:${table}::/48`, { table, protocol: 80, via: via(6) }));
      kernel.addRoute(route(`2001:db9:${table}::/48`, { table, protocol: 81, via: via(6) }));
    }
    const any = { protocol: undefined, table: undefined };
    const { take } = await setup({ kernel, rules: [any], ipv6: { table: 100, rules: [RULE_80] } });
    expect(take()).toEqual([
      expect.stringContaining('192.0.155.0/24'),
      expect.stringContaining('2001:db8:100::/48'),
    ]);
  });
});

describe('interfaceMatcher', () => {
  it('lets the first pattern that matches decide', () => {
    const matches = interfaceMatcher(['-cali*', '-kube-ipvs*', 'eth?', '-eth.1', '*']);
    expect(['cali123', 'kube-ipvs0', 'eth0', 'lo'].map((name) => matches(name))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('means no where nothing matches, everything where nothing is said, and takes dots as dots', () => {
    expect(interfaceMatcher(['eth0.1'])('eth0x1')).toBe(false);
    expect(interfaceMatcher(['eth0.1'])('eth0.1')).toBe(true);
    expect(interfaceMatcher(['eth0'])('lo')).toBe(false);
    expect(interfaceMatcher([])('anything')).toBe(true);
  });

  it('looks at addresses where a pattern has a prefix', () => {
    const matches = interfaceMatcher(['-eth* 10.9.0.0/16', 'eth* 10.0.0.0/8', '2001:db8::/32']);
    expect(matches('eth0', address('10.1.2.3'))).toBe(true);
    expect(matches('eth0', address('10.9.2.3'))).toBe(false);
    expect(matches('wlan0', address('10.1.2.3'))).toBe(false);
    expect(matches('wlan0', address('2001:db8:7::1'))).toBe(true);
    expect(matches('eth0')).toBe(false);
  });
});

describe('Learner', () => {
  it('learns connected prefixes of the interfaces that count', async () => {
    const { take } = await setup({ interfaces: [['-eth1', '*']] });
    expect(take()).toEqual(['add connected 10.0.0.0/24 eth0 0', 'add connected 2001:db8::/64 eth0 0']);
  });

  it('learns for each rule, and a network on two links twice', async () => {
    const kernel = machine();
    kernel.addAddress({ ifindex: ETH1, address: address('10.0.0.9'), prefixLength: 24 });
    const { bench, learner } = await setup({ kernel, interfaces: [['eth0'], ['*']] });
    const places = () =>
      [...learner.routes()]
        .filter((each) => formatPrefix(each.prefix) === '10.0.0.0/24')
        .map(({ rule, ifname, ordinal }) => `${rule} ${ifname} ${ordinal}`);
    expect(places()).toEqual(['0 eth0 0', '1 eth0 1', '1 eth1 2']);
    kernel.setLink({ ifindex: ETH0, name: 'eth0', up: false, loopback: false, mtu: 1500 });
    await bench.run();
    expect(places()).toEqual(['1 eth1 2']);
    kernel.setLink({ ifindex: ETH0, name: 'eth0', up: true, loopback: false, mtu: 1500 });
    await bench.run();
    expect(places()).toEqual(['1 eth1 2', '0 eth0 0', '1 eth0 1']);
  });

  it('learns no connected prefix where none is asked for', async () => {
    const { take } = await setup({ rules: [RULE_80] });
    expect(take()).toEqual([]);
  });

  it('follows addresses and links', async () => {
    const { bench, kernel, take } = await setup({ interfaces: [['eth0']] });
    take();
    kernel.addAddress({ ifindex: ETH0, address: address('172.16.5.1'), prefixLength: 16 });
    kernel.addAddress({ ifindex: ETH0, address: address('169.254.0.1'), prefixLength: 16, scope: 253 });
    await bench.run();
    expect(take()).toEqual(['add connected 172.16.0.0/16 eth0 0']);
    kernel.setLink({ ifindex: ETH0, name: 'eth0', up: false, loopback: false, mtu: 1500 });
    await bench.run();
    expect(take()).toEqual([
      'remove connected 10.0.0.0/24 eth0 0',
      'remove connected 172.16.0.0/16 eth0 0',
      'remove connected 2001:db8::/64 eth0 0',
    ]);
  });

  it('takes the other end of a point-to-point address', async () => {
    const { bench, kernel, take } = await setup({ interfaces: [['eth0']] });
    take();
    kernel.addAddress({
      ifindex: ETH0,
      address: address('172.16.5.1'),
      prefixLength: 32,
      peer: address('172.16.5.2'),
    });
    await bench.run();
    expect(take()).toEqual(['add connected 172.16.5.2/32 eth0 0']);
  });

  it('learns foreign routes that a rule names, and never its own or the kernel’s', async () => {
    const kernel = machine();
    kernel.addRoute(route('192.0.2.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 }));
    kernel.addRoute(route('198.51.100.0/24', { protocol: 81, via: '10.0.0.2', dev: ETH0 }));
    kernel.addRoute(route('203.0.113.0/24', { via: '10.0.0.2', dev: ETH0 }));
    const any = await setup({ kernel, rules: [{ protocol: undefined, table: undefined }] });
    expect(any.take()).toEqual(['add kernel 192.0.2.0/24 eth0 50', 'add kernel 198.51.100.0/24 eth0 50']);
    const one = await setup({ kernel, rules: [RULE_80] });
    expect(one.take()).toEqual(['add kernel 192.0.2.0/24 eth0 50']);
    expect([...one.learner.routes()].map(text)).toEqual(['kernel 192.0.2.0/24 eth0 50']);
  });

  it('looks into other tables where a rule says so', async () => {
    const kernel = machine();
    kernel.addRoute(route('192.0.2.0/24', { protocol: 80, table: 100, via: '10.0.0.2', dev: ETH0 }));
    kernel.addRoute(route('198.51.100.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 }));
    const { take } = await setup({ kernel, rules: [{ protocol: 80, table: 100 }] });
    expect(take()).toEqual(['add kernel 192.0.2.0/24 eth0 50']);
  });

  it('tells the best of several, its changes, and its end', async () => {
    const { bench, kernel, take } = await setup({ rules: [{ protocol: undefined, table: undefined }] });
    const worse = route('192.0.2.0/24', { protocol: 80, metric: 90, via: '10.0.0.2', dev: ETH0 });
    const better = route('192.0.2.0/24', { protocol: 4, metric: 10, via: '10.0.1.2', dev: ETH1 });
    kernel.addRoute(worse);
    await bench.run();
    expect(take()).toEqual(['add kernel 192.0.2.0/24 eth0 90']);
    kernel.addRoute(better);
    await bench.run();
    expect(take()).toEqual(['add static 192.0.2.0/24 eth1 10', 'remove kernel 192.0.2.0/24 eth0 90']);
    kernel.deleteRoute(better);
    kernel.deleteRoute(worse);
    await bench.run();
    expect(take()).toEqual([
      'add kernel 192.0.2.0/24 eth0 90',
      'remove kernel 192.0.2.0/24 eth0 90',
      'remove static 192.0.2.0/24 eth1 10',
    ]);
  });

  it('tells of a route that leads nowhere, and of another scope, realm or metric', async () => {
    const { bench, kernel, learner, take } = await setup({ rules: [RULE_80] });
    const base = { protocol: 80, via: '10.0.0.2', dev: ETH0 } as const;
    kernel.addRoute(route('198.51.100.0/24', { protocol: 80, type: 'blackhole', nextHops: [] }));
    kernel.addRoute(route('192.0.2.0/24', { ...base, scope: 200, realm: 7, metrics: new Map([[2, 1400]]) }));
    await bench.run();
    expect(take()).toEqual(['add kernel 192.0.2.0/24 eth0 50', 'add kernel 198.51.100.0/24 - 50']);
    expect([...learner.routes()].map(({ path }) => path)).toMatchObject([
      { type: 'blackhole', nextHops: [] },
      { type: 'unicast', scope: 200, realm: 7, metrics: new Map([[2, 1400]]) },
    ]);
    for (const other of [{ scope: 0 }, { realm: 8 }, { metrics: new Map([[2, 1300]]) }, {}]) {
      kernel.deleteRoute(route('192.0.2.0/24', base));
      kernel.addRoute(route('192.0.2.0/24', { ...base, ...other }));
      await bench.run();
      expect(take()).toContain('add kernel 192.0.2.0/24 eth0 50');
    }
  });

  it('corrects itself by scanning after lost notifications', async () => {
    const { bench, kernel, take } = await setup({ rules: [RULE_80] });
    const one = route('192.0.2.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 });
    const two = route('198.51.100.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 });
    kernel.addRoute(one);
    await bench.run();
    kernel.deaf = true;
    kernel.deleteRoute(one);
    kernel.addRoute(two);
    await bench.run(2000);
    take();
    kernel.overrun();
    await bench.run(2000);
    expect(take()).toEqual(['add kernel 198.51.100.0/24 eth0 50', 'remove kernel 192.0.2.0/24 eth0 50']);
  });

  it('does not bring back by an old scan what a notification took away', async () => {
    const { bench, kernel, take } = await setup({ rules: [RULE_80] });
    const one = route('192.0.2.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 });
    kernel.addRoute(one);
    await bench.run();
    kernel.held = true;
    bench.monitor.requestScan('test');
    await bench.run(1500);
    kernel.deleteRoute(one);
    kernel.held = false;
    // The notification overtakes the rows that the scan has taken before.
    kernel.addRoute(route('203.0.113.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 }));
    kernel.release();
    await bench.run(5000);
    expect(take().at(-1)).toBe('remove kernel 192.0.2.0/24 eth0 50');
    expect([...bench.view.routes()].some((known) => formatPrefix(known.prefix) === '192.0.2.0/24')).toBe(
      false,
    );
  });
});
