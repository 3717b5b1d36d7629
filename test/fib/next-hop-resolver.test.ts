import { describe, expect, it } from 'vitest';
import { RTPROT_KERNEL } from '../../src/fib/netlink/constants.ts';
import { NextHopResolver, type Resolution } from '../../src/fib/next-hop-resolver.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { address, Bench, ETH0, ETH1, MAIN, machine, route } from '../support/mem-kernel.ts';

async function setup(
  prepare: (kernel: ReturnType<typeof machine>) => void = () => {},
  metricBeyondLinks?: number,
) {
  const kernel = machine();
  prepare(kernel);
  const bench = new Bench(kernel);
  const resolver = new NextHopResolver({
    view: bench.view,
    scheduler: bench.scheduler,
    clock: bench.clock,
    tables: { ipv4: MAIN, ipv6: MAIN },
    metricBeyondLinks,
  });
  await bench.start();
  return { bench, kernel, resolver };
}

function text(resolution: Resolution): string {
  if (!resolution.reachable) return 'unreachable';
  const hops = resolution.hops.map((hop) => `${formatAddress(hop.gateway!)}@${hop.ifindex}`);
  return `${hops.join(' ')} metric ${resolution.metric}${resolution.directlyConnected ? ' direct' : ''}`;
}

const foreign = (prefix: string, via: string, fields = {}) =>
  route(prefix, { protocol: 80, metric: 20, via, dev: ETH0, ...fields });

describe('NextHopResolver', () => {
  it('reaches what is on a link directly', async () => {
    const { resolver } = await setup();
    expect(text(resolver.resolve(address('10.0.0.9')))).toBe('10.0.0.9@2 metric 0 direct');
    expect(text(resolver.resolve(address('2001:db8:1::9')))).toBe('2001:db8:1::9@3 metric 0 direct');
    expect(text(resolver.resolve(address('192.0.2.1')))).toBe('unreachable');
  });

  // The kernel gives those of IPv6 256, network managers each interface its own: paths over two links are equal.
  it('finds all links equally near, whatever metric the kernel has for their prefixes', async () => {
    const { resolver } = await setup((kernel) =>
      kernel.addRoute(route('10.8.0.0/24', { dev: ETH0, metric: 100, protocol: RTPROT_KERNEL })),
    );
    expect(text(resolver.resolve(address('10.8.0.7')))).toBe('10.8.0.7@2 metric 0 direct');
  });

  it('reaches others through the longest foreign route, by its gateway', async () => {
    const { resolver } = await setup((kernel) => {
      kernel.addRoute(foreign('0.0.0.0/0', '10.0.0.254'));
      kernel.addRoute(foreign('192.0.2.0/24', '10.0.1.7', { dev: ETH1, metric: 30 }));
      kernel.addRoute(foreign('192.0.2.0/24', '10.0.0.7', { metric: 40 }));
    });
    expect(text(resolver.resolve(address('192.0.2.1')))).toBe('10.0.1.7@3 metric 30');
    expect(text(resolver.resolve(address('203.0.113.1')))).toBe('10.0.0.254@2 metric 20');
  });

  it('gives whatever is on no link the metric that is wanted of it', async () => {
    const { resolver } = await setup((kernel) => kernel.addRoute(foreign('192.0.2.0/24', '10.0.0.7')), 99);
    expect(text(resolver.resolve(address('192.0.2.1')))).toBe('10.0.0.7@2 metric 99');
    expect(text(resolver.resolve(address('10.0.0.9')))).toBe('10.0.0.9@2 metric 0 direct');
    const hops = [{ gateway: address('10.0.0.7'), ifindex: ETH0 }];
    resolver.useOwnRoutes({ covering: () => [{ length: 24, type: 'unicast', hops }] });
    expect(text(resolver.resolve(address('198.51.100.1')))).toBe('10.0.0.7@2 metric 99');
  });

  it('keeps all next hops of a multipath route', async () => {
    const nextHops = [
      { gateway: address('10.0.0.7'), ifindex: ETH0, weight: 2 },
      { gateway: address('10.0.1.7'), ifindex: ETH1 },
    ];
    const { resolver } = await setup((kernel) =>
      kernel.addRoute(route('192.0.2.0/24', { protocol: 80, nextHops })),
    );
    expect(resolver.resolve(address('192.0.2.1')).hops).toEqual(nextHops);
  });

  // RFC 4271 §9.1.2.1: a route does not resolve through itself or another of BGP's.
  it('never goes through own routes', async () => {
    const { bench, resolver } = await setup();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    expect(bench.own()).toHaveLength(1);
    expect(text(resolver.resolve(address('192.0.2.1')))).toBe('unreachable');
  });

  it('ends at a blackhole, and at an own address', async () => {
    const { resolver } = await setup((kernel) => {
      kernel.addRoute(foreign('0.0.0.0/0', '10.0.0.254'));
      kernel.addRoute(route('192.0.2.0/24', { protocol: 4, type: 'blackhole', nextHops: [] }));
    });
    expect(text(resolver.resolve(address('192.0.2.1')))).toBe('unreachable');
    expect(text(resolver.resolve(address('10.0.0.1')))).toBe('unreachable');
  });

  it('takes a link-local next hop with its interface only, and while that is up', async () => {
    const { bench, kernel, resolver } = await setup();
    expect(text(resolver.resolve(address('fe80::7'), 'eth1'))).toBe('fe80::7@3 metric 0 direct');
    expect(text(resolver.resolve(address('fe80::7')))).toBe('unreachable');
    kernel.setLink({ ifindex: ETH1, name: 'eth1', up: false, loopback: false, mtu: 1500 });
    await bench.run();
    expect(text(resolver.resolve(address('fe80::7'), 'eth1'))).toBe('unreachable');
  });

  // RFC 2545 §3
  it('takes the link-local address of a next hop where nothing covers the global one', async () => {
    const { bench, kernel, resolver } = await setup((machine) => {
      machine.addRoute(foreign('2001:db8:7::/48', '2001:db8:1::254', { dev: ETH1 }));
      machine.addRoute(route('2001:db8:8::/48', { protocol: 4, type: 'blackhole', nextHops: [] }));
    });
    const how = (text: string) => ({ linkLocal: { address: address(text), link: 'eth0' } });
    const resolve = (global: string, other = 'fe80::7') =>
      text(resolver.resolve(address(global), undefined, how(other)));
    expect(resolve('2001:db8:1::9')).toBe('2001:db8:1::9@3 metric 0 direct');
    expect(resolve('2001:db8:7::1')).toBe('2001:db8:1::254@3 metric 20');
    expect(resolve('2001:db8:9::1')).toBe('fe80::7@2 metric 0 direct');
    // Who says that there is no way means it.
    expect(resolve('2001:db8:8::1')).toBe('unreachable');
    expect(resolve('2001:db8:9::1', '2001:db8:9::1')).toBe('unreachable');

    const told: string[] = [];
    const tell = (resolution: Resolution) => told.push(text(resolution));
    resolver.watch(address('2001:db8:9::1'), undefined, tell, how('fe80::7'));
    kernel.addRoute(route('2001:db8:9::/64', { dev: ETH0, protocol: RTPROT_KERNEL }));
    await bench.run();
    kernel.deleteRoute(route('2001:db8:9::/64', { dev: ETH0, protocol: RTPROT_KERNEL }));
    await bench.run();
    kernel.setLink({ ifindex: ETH0, name: 'eth0', up: false, loopback: false, mtu: 1500 });
    await bench.run();
    expect(told).toEqual(['2001:db8:9::1@2 metric 0 direct', 'fe80::7@2 metric 0 direct', 'unreachable']);
  });

  it('believes that a next hop is on the link, whatever the kernel has', async () => {
    const { bench, kernel, resolver } = await setup((machine) => {
      machine.addRoute(foreign('172.16.0.0/16', '192.0.2.254', { dev: ETH1 }));
    });
    const onlink = (next: string, link: string) => resolver.resolve(address(next), link, { onlink: true });
    const hops = [{ gateway: address('172.16.0.9'), ifindex: ETH0, onlink: true }];
    expect(onlink('172.16.0.9', 'eth0')).toEqual({
      reachable: true,
      metric: 0,
      hops,
      directlyConnected: true,
    });
    expect(text(onlink('172.16.0.9', 'eth7'))).toBe('unreachable');
    kernel.setLink({ ifindex: ETH0, name: 'eth0', up: false, loopback: false, mtu: 1500 });
    await bench.run();
    expect(text(onlink('172.16.0.9', 'eth0'))).toBe('unreachable');
  });

  it('finds an interface again that was made again, and one that was not there yet', async () => {
    const { bench, kernel, resolver } = await setup();
    const told: string[] = [];
    for (const link of ['eth1', 'eth9']) {
      resolver.watch(address('fe80::7'), link, (resolution) => told.push(`${link} ${text(resolution)}`));
    }
    const link = { up: true, loopback: false, mtu: 1500 };
    kernel.removeLink(ETH1);
    await bench.run();
    kernel.setLink({ ...link, ifindex: 8, name: 'eth1' });
    kernel.setLink({ ...link, ifindex: 9, name: 'eth9' });
    await bench.run();
    expect(told).toEqual([
      'eth1 unreachable',
      'eth1 fe80::7@8 metric 0 direct',
      'eth9 fe80::7@9 metric 0 direct',
    ]);
  });

  it('tells watchers what changed, once for each change, and nothing else', async () => {
    const { bench, kernel, resolver } = await setup();
    const told: string[] = [];
    const watch = resolver.watch(address('192.0.2.1'), undefined, (resolution) =>
      told.push(text(resolution)),
    );
    resolver.watch(address('10.0.0.9'), undefined, (resolution) => told.push(`other ${text(resolution)}`));
    expect(text(watch.current)).toBe('unreachable');
    const one = foreign('192.0.2.0/24', '10.0.0.7');
    kernel.addRoute(one);
    await bench.run();
    kernel.addRoute(foreign('198.51.100.0/24', '10.0.0.8'));
    await bench.run();
    kernel.addRoute({ ...one, nextHops: [{ gateway: address('10.0.0.8'), ifindex: ETH0 }] });
    await bench.run();
    kernel.deleteRoute(one);
    await bench.run();
    expect(told).toEqual(['10.0.0.7@2 metric 20', '10.0.0.8@2 metric 20', 'unreachable']);
    watch.cancel();
    kernel.addRoute(one);
    await bench.run();
    expect(told).toHaveLength(3);
  });

  it('notices a link that goes down with the routes that Linux drops silently', async () => {
    const { bench, kernel, resolver } = await setup((k) => k.addRoute(foreign('192.0.2.0/24', '10.0.0.7')));
    const told: string[] = [];
    resolver.watch(address('192.0.2.1'), undefined, (resolution) => told.push(text(resolution)));
    kernel.setLink({ ifindex: ETH0, name: 'eth0', up: false, loopback: false, mtu: 1500 });
    await bench.run(2000);
    expect(told).toEqual(['unreachable']);
    expect([...bench.view.routes()].filter((one) => one.protocol === 80)).toEqual([]);
  });
});
