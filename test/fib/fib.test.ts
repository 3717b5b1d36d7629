import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { ERRNO } from '../../src/fib/errno.ts';
import { ROUTE_OPERATION, type RouteRows } from '../../src/fib/types.ts';
import { IP_VERSIONS } from '../../src/lib/ip.ts';
import { Bench, ETH0, MAIN, METRIC, machine, OWN_PROTOCOL, route } from '../support/mem-kernel.ts';

describe('Fib', () => {
  it('writes nothing before the first scan, then what is wanted', async () => {
    const bench = new Bench();
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('2001:db8:9::/48', '2001:db8::2');
    await bench.run(5000);
    expect(bench.own()).toEqual([]);
    await bench.start();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50', '2001:db8:9::/48 2001:db8::2 50']);
    expect(bench.state('192.0.2.0/24')).toBe('installed');
    expect(bench.fib.stats()).toMatchObject({ desired: 2, installed: 2, pending: 0, failed: 0 });
  });

  it('replaces a route in one operation when its next hop changes', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.takeLog();
    bench.set('192.0.2.0/24', '10.0.0.3');
    await bench.run();
    expect(bench.takeLog()).toEqual(['replace 192.0.2.0/24']);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.3 50']);
  });

  it('adds the route under the new metric before it deletes the one under the old', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2', { metric: 10 });
    await bench.run();
    bench.takeLog();
    bench.set('192.0.2.0/24', '10.0.0.2', { metric: 20 });
    await bench.run();
    expect(bench.takeLog()).toEqual(['create 192.0.2.0/24', 'delete 192.0.2.0/24']);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 20']);
  });

  it('lets the newest wish win while older ones are queued', async () => {
    const bench = await Bench.started();
    for (const via of ['10.0.0.2', '10.0.0.3', '10.0.0.4']) bench.set('192.0.2.0/24', via);
    await bench.run();
    expect(bench.takeLog()).toEqual(['create 192.0.2.0/24']);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.4 50']);
  });

  it('knows no more targets than routes lead to, however many there have been', async () => {
    const bench = await Bench.started();
    let swept = 0;
    bench.fib.onTargetsSwept = () => swept++;
    bench.set('198.51.100.0/24', '10.0.0.2');
    bench.set('2001:db8:9::/48', '2001:db8::2');
    const ends: string[] = [];
    for (let metric = 1; metric <= 3000; metric++) {
      bench.set('192.0.2.0/24', '10.0.0.3', { metric });
      if (metric % 500 !== 0) continue;
      await bench.run();
      ends.push(...bench.own().filter((text) => text.startsWith('192')));
    }
    expect(ends).toEqual(
      [500, 1000, 1500, 2000, 2500, 3000].map((metric) => `192.0.2.0/24 10.0.0.3 ${metric}`),
    );
    expect(bench.own()).toHaveLength(3);
    expect(swept).toBeGreaterThan(1);
    expect(bench.targets.size).toBeLessThan(1100);
    expect(bench.fib.stats()).toMatchObject({ desired: 3, installed: 3, pending: 0, failed: 0 });
  });

  it('tells when a cleared prefix is gone, once, and not before', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.kernel.fault = () => ERRNO.ENOMEM;
    expect(bench.clear('192.0.2.0/24')).toBe(false);
    await bench.run();
    expect(bench.idle).toEqual([]);
    expect(bench.state('192.0.2.0/24')).toBe('failed');
    bench.kernel.fault = () => 0;
    await bench.run(2000);
    expect(bench.idle).toEqual(['0/1']);
    expect(bench.own()).toEqual([]);
    expect(bench.clear('192.0.2.0/24')).toBe(true);
  });

  it('does not call a prefix idle that was set again meanwhile', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.clear('192.0.2.0/24');
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    expect(bench.idle).toEqual([]);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
  });

  it('says why a route is not there, tries again, and says when it is', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.9.9.9');
    await bench.run();
    const state = bench.fib.route(0, bench.id('192.0.2.0/24'));
    expect(state?.state).toBe('failed');
    expect(state?.installed).toBeUndefined();
    expect(state?.problem).toContain('ENETUNREACH');
    expect(bench.fib.stats()).toMatchObject({ desired: 1, installed: 0, failed: 1 });
    bench.kernel.addAddress({ ifindex: ETH0, address: Uint8Array.of(10, 9, 9, 1), prefixLength: 24 });
    await bench.run(3000);
    expect(bench.state('192.0.2.0/24')).toBe('installed');
    expect(bench.fib.stats()).toMatchObject({ installed: 1, failed: 0 });
  });

  it('counts tries anew where the id means another prefix', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.9.9.9');
    await bench.run(5000);
    expect(bench.fib.route(0, 1)?.problem).toContain('(3 tries)');
    bench.clear('192.0.2.0/24');
    await bench.run();
    expect(bench.idle).toEqual(['0/1']);
    bench.set('192.0.2.0/24', '10.9.9.9');
    await bench.run();
    expect(bench.fib.route(0, 1)?.problem).toContain('(1 try)');
  });

  it('keeps what is installed when replacing it fails', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.set('192.0.2.0/24', '10.9.9.9');
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
    expect(bench.fib.route(0, 1)).toMatchObject({ state: 'failed', installed: { metric: 50 } });
  });

  it('takes an operation whose answer was lost for undone and repeats it safely', async () => {
    const bench = await Bench.started();
    let lost = true;
    const kernel = bench.kernel;
    const apply = kernel.apply.bind(kernel);
    kernel.apply = async (batch) => {
      const { count } = batch;
      const failures = await apply(batch);
      if (!lost) return failures;
      lost = false;
      return Array.from({ length: count }, (_, index) => ({ index, errno: ERRNO.ENOBUFS, name: 'ENOBUFS' }));
    };
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run(3000);
    expect(bench.own()).toHaveLength(2);
    expect(bench.takeLog().slice(2)).toEqual([]);
    expect(bench.fib.stats()).toMatchObject({ installed: 2, failed: 0 });
    lost = true;
    bench.set('192.0.2.0/24', '10.0.0.3');
    bench.clear('198.51.100.0/24');
    await bench.run(3000);
    expect(bench.takeLog()).toEqual([
      'replace 192.0.2.0/24',
      'delete 198.51.100.0/24',
      'replace 192.0.2.0/24',
    ]);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.3 50']);
    expect(bench.fib.stats()).toMatchObject({ installed: 1, failed: 0, pending: 0 });
  });

  it('never takes the place of somebody else’s route', async () => {
    const kernel = machine();
    const foreign = route('192.0.2.0/24', { protocol: 4, via: '10.0.1.9', dev: 3 });
    kernel.addRoute(foreign);
    const bench = await Bench.started(kernel);
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run(10_000);
    expect(kernel.find(foreign.prefix)).toEqual([foreign]);
    expect(bench.state('192.0.2.0/24')).toBe('failed');
    expect(bench.fib.route(0, 1)?.problem).toContain('EEXIST');
    kernel.deleteRoute(foreign);
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
  });

  it('never takes it while a scan runs either', async () => {
    const kernel = machine();
    const foreign = route('192.0.2.0/24', { protocol: 4, via: '10.0.1.9', dev: 3 });
    kernel.addRoute(foreign);
    const bench = await Bench.started(kernel);
    await bench.run(2000);
    kernel.held = true;
    bench.monitor.requestScan('test');
    await bench.run();
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run();
    expect(bench.takeLog()).toEqual(['create 198.51.100.0/24']);
    kernel.release();
    await bench.run(10_000);
    expect(kernel.find(foreign.prefix)).toEqual([foreign]);
    expect(bench.own()).toEqual(['198.51.100.0/24 10.0.0.2 50']);
  });

  it('never takes it where the answer was lost that it is there', async () => {
    const kernel = machine();
    const foreign = route('192.0.2.0/24', { protocol: 4, via: '10.0.1.9', dev: 3 });
    kernel.addRoute(foreign);
    const bench = await Bench.started(kernel);
    kernel.fault = () => ERRNO.ENOBUFS;
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    kernel.fault = () => 0;
    await bench.run(10_000);
    expect(kernel.find(foreign.prefix)).toEqual([foreign]);
    expect(bench.state('192.0.2.0/24')).toBe('failed');
  });

  it.each([
    ['192.0.2.0/24', '10.0.0.2', '10.0.1.9'],
    ['2001:db8:9::/48', '2001:db8::2', '2001:db8:1::9'],
  ])('leaves the place of %s to who deletes its route and takes it', async (text, own, via) => {
    const bench = await Bench.started();
    bench.set(text, own);
    await bench.run();
    const { kernel } = bench;
    const foreign = route(text, { protocol: 4, via, dev: 3 });
    // `ip route del`, and `ip route add` before the deletion was made good.
    kernel.deleteRoute(foreign);
    kernel.held = true;
    kernel.addRoute(foreign);
    await bench.run(10);
    kernel.release();
    await bench.run(10_000);
    expect(kernel.find(foreign.prefix)).toEqual([foreign]);
    expect(bench.state(text)).toBe('failed');
  });

  it('leaves it also where a replacement was never answered before the deletion', async () => {
    const bench = await Bench.started();
    const { kernel } = bench;
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    kernel.fault = () => ERRNO.ENOBUFS;
    bench.set('192.0.2.0/24', '10.0.0.3');
    await bench.run();
    kernel.fault = () => 0;
    const foreign = route('192.0.2.0/24', { protocol: 4, via: '10.0.1.9', dev: 3 });
    kernel.deleteRoute(foreign);
    await bench.run();
    kernel.deaf = true;
    kernel.addRoute(foreign);
    await bench.run(10_000);
    expect(kernel.find(foreign.prefix)).toEqual([foreign]);
  });

  it('removes own routes at the end, or keeps them', async () => {
    const bench = await Bench.started();
    for (let i = 0; i < 20; i++) bench.set(`192.0.${i}.0/24`, '10.0.0.2');
    await bench.run();
    const kept = bench.fib.close({ keep: IP_VERSIONS });
    await bench.run();
    await kept;
    expect(bench.own()).toHaveLength(20);

    const again = await Bench.started(bench.kernel);
    again.set('192.0.3.0/24', '10.0.0.2');
    await again.run();
    const removed = again.fib.close({ keep: [] });
    await again.run();
    await removed;
    expect(again.own()).toEqual([]);
  });

  it('puts each family where it belongs, and keeps one of them at the end', async () => {
    const kernel = machine();
    const strays = [
      route('2001:db8:9::/48', { table: MAIN, metric: METRIC, protocol: OWN_PROTOCOL, via: '2001:db8::9' }),
      route('2001:db8:2::/48', { table: 100, metric: METRIC, protocol: OWN_PROTOCOL, via: '2001:db8::9' }),
    ];
    for (const stray of strays) kernel.addRoute(stray);
    const bench = await Bench.started(kernel, { ipv6: { table: 100, metric: 7 } });
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('2001:db8:2::/48', '2001:db8::2');
    await bench.run();
    bench.fib.startupComplete();
    await bench.run(5000);
    const places = (text: string) =>
      kernel.find(route(text).prefix).map(({ table, metric }) => `${table} ${metric}`);
    expect(places('192.0.2.0/24')).toEqual([`${MAIN} ${METRIC}`]);
    // What is in another table is another's.
    expect(places('2001:db8:9::/48')).toEqual([`${MAIN} ${METRIC}`]);
    expect(places('2001:db8:2::/48')).toEqual(['100 7']);
    const closed = bench.fib.close({ keep: ['ipv6'] });
    await bench.run();
    await closed;
    expect(places('192.0.2.0/24')).toEqual([]);
    expect(places('2001:db8:2::/48')).toEqual(['100 7']);
  });

  it('does nothing more when frozen, and still removes its own at the end', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run();
    bench.fib.freeze();
    bench.kernel.deleteRoute(route('192.0.2.0/24'));
    bench.set('203.0.113.0/24', '10.0.0.2');
    await bench.run(5000);
    expect(bench.own()).toEqual(['198.51.100.0/24 10.0.0.2 50']);
    const closed = bench.fib.close({ keep: [] });
    await bench.run();
    await closed;
    expect(bench.own()).toEqual([]);
  });

  it('tries on to remove its own at the end, for a while', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run();
    bench.kernel.fault = () => ERRNO.ENOMEM;
    // One whose deletion has failed for long, and waits, is tried again with the rest.
    bench.clear('198.51.100.0/24');
    await bench.run(20_000);
    let ended = false;
    const closed = bench.fib.close({ keep: [] }).then(() => {
      ended = true;
    });
    await bench.run(2900);
    expect([ended, bench.own().length]).toEqual([false, 2]);
    bench.kernel.fault = () => 0;
    await bench.run(5000);
    await closed;
    expect(bench.own()).toEqual([]);
  });

  it('leaves at the end what the kernel does not let go, and says so', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run();
    bench.kernel.fault = () => ERRNO.ENOMEM;
    const closed = bench.fib.close({ keep: [] });
    await bench.run(11_000);
    await closed;
    expect(bench.own()).toHaveLength(2);
    expect(bench.warnings).toContain('own kernel routes cannot be deleted');
  });

  it('writes large amounts in batches and all of it', async () => {
    const bench = await Bench.started();
    for (let i = 0; i < 9000; i++) bench.set(`20.${i >> 8}.${i & 255}.0/24`, '10.0.0.2');
    await bench.run();
    expect(bench.own()).toHaveLength(9000);
    for (let i = 0; i < 9000; i++) bench.clear(`20.${i >> 8}.${i & 255}.0/24`);
    await bench.run();
    expect(bench.own()).toEqual([]);
    expect(bench.idle).toHaveLength(9000);
  });
});

describe('MemKernel', () => {
  it('tells each user what the others write, and not its own', async () => {
    const kernel = machine();
    const bench = await Bench.started(kernel);
    const told: string[] = [];
    const other = kernel.session();
    await other.watch({
      onRoutes: (rows) => told.push(`${rows.changes[0]}/${rows.bits[0]}`),
      onLink() {},
      onAddress() {},
      onOverrun() {},
      onRoutesLost() {},
      onFailure() {},
    });
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    expect(told).toEqual(['1/24']);
    other.defineTarget(1, { type: 'blackhole', nextHops: [], table: 254, protocol: 12, metric: 50 });
    const words = Int32Array.of(0xc0000200 | 0);
    const one = {
      addressBytes: 4,
      count: 1,
      bits: Uint8Array.of(24),
      targets: Uint32Array.of(1),
      words,
    } as const;
    await other.apply({ ...one, kinds: Uint8Array.of(ROUTE_OPERATION.replace) });
    await bench.run();
    // The FIB was told and put its route back, of which the other one was told in turn.
    expect(told).toEqual(['1/24', '2/24']);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
  });
});

describe('Fib and what is in the kernel', () => {
  it('adopts an equal route untouched, replaces a different one, and removes the rest when peers had their chance', async () => {
    const kernel = machine();
    kernel.addRoute(route('192.0.2.0/24', { via: '10.0.0.2', dev: ETH0 }));
    kernel.addRoute(route('198.51.100.0/24', { via: '10.0.0.2', dev: ETH0 }));
    kernel.addRoute(route('203.0.113.0/24', { via: '10.0.0.2', dev: ETH0 }));
    const bench = await Bench.started(kernel);
    expect(bench.fib.stats().orphans).toBe(3);
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.3');
    await bench.run(10_000);
    expect(bench.takeLog()).toEqual(['replace 198.51.100.0/24']);
    expect(bench.own()).toHaveLength(3);
    bench.fib.startupComplete();
    await bench.run();
    expect(bench.takeLog()).toEqual(['delete 203.0.113.0/24']);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50', '198.51.100.0/24 10.0.0.3 50']);
  });

  it('removes unwanted routes by itself after the settle time', async () => {
    const kernel = machine();
    kernel.addRoute(route('192.0.2.0/24', { via: '10.0.0.2', dev: ETH0 }));
    const bench = await Bench.started(kernel, { settleTime: 60_000 });
    await bench.run(50_000);
    expect(bench.own()).toHaveLength(1);
    await bench.run(20_000);
    expect(bench.own()).toEqual([]);
  });

  it('adopts across a change of the configured metric without a gap', async () => {
    const kernel = machine();
    kernel.addRoute(route('192.0.2.0/24', { via: '10.0.0.2', dev: ETH0, metric: 32 }));
    const bench = await Bench.started(kernel);
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    expect(bench.takeLog()).toEqual(['create 192.0.2.0/24', 'delete 192.0.2.0/24']);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
  });

  it('leaves routes of another protocol or table alone', async () => {
    const kernel = machine();
    kernel.addRoute(route('192.0.2.0/24', { protocol: 80, via: '10.0.0.2', dev: ETH0 }));
    kernel.addRoute(route('192.0.2.0/24', { table: 100, via: '10.0.0.2', dev: ETH0 }));
    const bench = await Bench.started(kernel);
    bench.fib.startupComplete();
    await bench.run(5000);
    expect(bench.takeLog()).toEqual([]);
  });

  it('puts a deleted route back at once', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.kernel.deleteRoute(route('192.0.2.0/24'));
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
    expect(bench.fib.stats().repaired).toBe(1);
  });

  it('puts a changed route right, and gives way to a foreign one in its place until that is gone', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.kernel.addRoute(route('192.0.2.0/24', { via: '10.0.0.7', dev: ETH0 }));
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
    const foreign = route('192.0.2.0/24', { protocol: 3, via: '10.0.0.7', dev: ETH0 });
    bench.kernel.addRoute(foreign);
    await bench.run(5000);
    expect(bench.own()).toEqual([]);
    expect(bench.state('192.0.2.0/24')).toBe('failed');
    bench.kernel.deleteRoute(foreign);
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
  });

  it('does not fight for ever: repairs come more slowly and are spoken of once', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    bench.takeLog();
    for (let i = 0; i < 100; i++) {
      bench.kernel.deleteRoute(route('192.0.2.0/24'));
      await bench.run(100);
    }
    const repairs = bench.takeLog().length;
    expect(repairs).toBeGreaterThanOrEqual(4);
    expect(repairs).toBeLessThan(12);
    expect(bench.warnings.filter((line) => line.includes('keeps changing'))).toHaveLength(1);
    await bench.run(70_000);
    expect(bench.own()).toHaveLength(1);
  });

  it('finds out by scanning what no notification told', async () => {
    const bench = await Bench.started(undefined, { scanTime: 60 });
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    bench.fib.startupComplete();
    await bench.run(2000);
    bench.takeLog();
    bench.kernel.deaf = true;
    bench.kernel.deleteRoute(route('192.0.2.0/24'));
    bench.kernel.addRoute(route('198.51.100.0/24', { via: '10.0.0.9', dev: ETH0 }));
    bench.kernel.addRoute(route('203.0.113.0/24', { via: '10.0.0.9', dev: ETH0 }));
    await bench.run(1000);
    expect(bench.takeLog()).toEqual([]);
    bench.kernel.overrun();
    await bench.run(2000);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50', '198.51.100.0/24 10.0.0.2 50']);
    expect(bench.fib.stats().repaired).toBe(2);

    bench.kernel.deaf = true;
    bench.kernel.deleteRoute(route('192.0.2.0/24'));
    bench.kernel.deaf = false;
    await bench.run(65_000);
    expect(bench.own()).toHaveLength(2);
  });

  it('reads again what could not be read, and goes on meanwhile', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    const { kernel } = bench;
    const { scanRoutes, dumpLinks } = kernel;
    const noDescriptor = () => Promise.reject(new Error('EMFILE'));
    kernel.scanRoutes = noDescriptor;
    kernel.dumpLinks = noDescriptor;
    kernel.deleteRoute(route('192.0.2.0/24'), true);
    kernel.setLink({ ifindex: 9, name: 'eth9', up: true, loopback: false, mtu: 1500 });
    bench.monitor.requestScan('test');
    kernel.overrun();
    await bench.run(1500);
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run();
    expect(bench.own()).toEqual(['198.51.100.0/24 10.0.0.2 50']);
    expect(bench.monitor.failure).toBeUndefined();
    kernel.scanRoutes = scanRoutes;
    kernel.dumpLinks = dumpLinks;
    await bench.run(3000);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50', '198.51.100.0/24 10.0.0.2 50']);
    expect(bench.warnings).toContain('cannot read the kernel routes; trying again');
    expect(bench.warnings).toContain('cannot read the links and addresses; trying again');
  });

  it('puts routes back that Linux dropped silently when a link went down and came up', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2', { dev: ETH0 });
    await bench.run();
    const eth0 = { ifindex: ETH0, name: 'eth0', up: false, loopback: false, mtu: 1500 };
    bench.kernel.setLink(eth0);
    await bench.run(1500);
    expect(bench.own()).toEqual([]);
    expect(bench.state('192.0.2.0/24')).toBe('failed');
    await bench.run(60_000);
    bench.kernel.setLink({ ...eth0, up: true });
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.2 50']);
    expect(bench.warnings).toEqual(['own kernel routes were missing or different; writing them again']);
    const waits = 'kernel routes wait for an interface that is down';
    expect(bench.lines).toEqual([waits]);
    bench.kernel.setLink(eth0);
    await bench.run(60_000);
    expect(bench.lines).toEqual([waits, waits]);
    // What another interface does is no news of this one.
    for (let i = 0; i < 3; i++) {
      for (const up of [true, false]) {
        bench.kernel.setLink({ ...eth0, ifindex: 9, name: 'eth9', up });
        await bench.run(5000);
      }
    }
    expect(bench.lines).toEqual([waits, waits]);
  });

  it('does not believe a scan about what changed while it ran', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    bench.set('198.51.100.0/24', '10.0.0.2');
    await bench.run();
    bench.kernel.held = true;
    bench.monitor.requestScan('test');
    await bench.run(1500);
    // The scan's rows show the old state of both; one is replaced, the other deleted, before they arrive.
    bench.set('192.0.2.0/24', '10.0.0.3');
    bench.clear('198.51.100.0/24');
    await bench.run();
    bench.kernel.release();
    bench.takeLog();
    await bench.run(2000);
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.3 50']);
    expect(bench.state('192.0.2.0/24')).toBe('installed');
    expect(bench.takeLog()).toEqual([]);
  });

  it('calls nothing repaired that waits to be written when a scan shows it', async () => {
    const bench = await Bench.started();
    bench.set('192.0.2.0/24', '10.0.0.2');
    await bench.run();
    const rows: RouteRows[] = [];
    await bench.kernel.scanRoutes(4, (found) => void rows.push(found));
    bench.fib.scanStarted(4);
    bench.set('192.0.2.0/24', '10.0.0.3');
    for (const found of rows) bench.fib.scanRows(found);
    bench.fib.scanEnded(4, true, () => false);
    await bench.run();
    expect(bench.own()).toEqual(['192.0.2.0/24 10.0.0.3 50']);
    expect([bench.fib.stats().repaired, ...bench.warnings]).toEqual([0]);
  });

  it('keeps IPv6 routes without a metric under the one that the kernel gives them', async () => {
    const kernel = machine();
    kernel.addRoute(route('2001:db8:9::/48', { via: '2001:db8::2', dev: ETH0, metric: 1024 }));
    const bench = await Bench.started(kernel);
    bench.set('2001:db8:9::/48', '2001:db8::2', { metric: 0 });
    await bench.run();
    expect(bench.takeLog()).toEqual([]);
    expect(bench.state('2001:db8:9::/48')).toBe('installed');
  });

  it('leaves routes of a family that is not its own alone, also those of its protocol', async () => {
    const kernel = machine();
    kernel.addRoute(route('2001:db8:9::/48', { via: '2001:db8::2', dev: ETH0 }));
    kernel.addRoute(route('192.0.2.0/24', { via: '10.0.0.2', dev: ETH0 }));
    const bench = await Bench.started(kernel, { families: [IPV4_UNICAST] });
    bench.fib.startupComplete();
    await bench.run(1000);
    expect(bench.own()).toEqual(['2001:db8:9::/48 2001:db8::2 50']);
    expect([bench.fib.serves(IPV4_UNICAST.id), bench.fib.serves(IPV6_UNICAST.id)]).toEqual([true, false]);
    expect([...bench.fib.prefixes(IPV6_UNICAST.id), bench.fib.route(IPV6_UNICAST.id, 1)]).toEqual([
      undefined,
    ]);
    const closed = bench.fib.close({ keep: [] });
    await bench.run();
    await closed;
    expect(bench.own()).toEqual(['2001:db8:9::/48 2001:db8::2 50']);
  });
});
