// The real kernel, in a namespace of the test's own: what godwit writes is read back by iproute2, what iproute2 writes
// is read by godwit. The thread is tested from built files, as Node 20 runs no TypeScript in a worker.

import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { Fib } from '../../../src/fib/fib.ts';
import { KernelMonitor } from '../../../src/fib/kernel-monitor.ts';
import { KernelView, routeAt } from '../../../src/fib/kernel-view.ts';
import { NetlinkKernelCore } from '../../../src/fib/netlink/kernel-core.ts';
import { loadLibc } from '../../../src/fib/netlink/libc.ts';
import { probeKernel } from '../../../src/fib/netlink/probe.ts';
import { RouteTargets } from '../../../src/fib/route-targets.ts';
import {
  type Kernel,
  type KernelNextHop,
  type KernelRouteType,
  ROUTE_OPERATION,
} from '../../../src/fib/types.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { formatPrefix } from '../../../src/lib/ip.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { toWords } from '../../../src/lib/prefix-trie.ts';
import { Scheduler } from '../../../src/lib/scheduler.ts';
import { address, MAIN, METRIC, OWN_PROTOCOL, PrefixIds, prefix } from '../../support/mem-kernel.ts';
import { enterLinkedNamespace, scanAll, until } from '../../support/netlink-lab.ts';
import { type Namespace, whyNoNamespace } from '../../support/netns.ts';

const reason = whyNoNamespace();
/** Building the sources is part of it. */
const BUILD_AND_RUN_MS = 90_000;
const BUILT = join(process.cwd(), 'node_modules/.cache/godwit-fib-test');

describe.skipIf(reason !== undefined)(`netlink${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let namespace: Namespace;
  let eth0 = 0;
  const open: Kernel[] = [];

  async function core(): Promise<NetlinkKernelCore> {
    const kernel = new NetlinkKernelCore(await loadLibc());
    open.push(kernel);
    return kernel;
  }

  beforeAll(() => {
    ({ namespace, eth0 } = enterLinkedNamespace());
  });

  afterAll(async () => {
    for (const kernel of open) await kernel.close();
    namespace.leave();
  });

  function apply(
    kernel: Kernel,
    kind: number,
    routes: [
      string,
      KernelNextHop[],
      { type?: KernelRouteType; metric?: number; prefSource?: Uint8Array; table?: number }?,
    ][],
  ) {
    const addressBytes = prefix(routes[0]![0]).bytes.length === 4 ? 4 : 16;
    const words = new Int32Array((routes.length * addressBytes) / 4);
    routes.forEach(([text, nextHops, more], i) => {
      kernel.defineTarget(i + 1, {
        type: 'unicast',
        nextHops,
        table: MAIN,
        protocol: OWN_PROTOCOL,
        metric: METRIC,
        ...more,
      });
      words.set(toWords(prefix(text).bytes), (i * addressBytes) / 4);
    });
    return kernel.apply({
      addressBytes,
      count: routes.length,
      kinds: new Uint8Array(routes.length).fill(kind),
      words,
      bits: Uint8Array.from(routes, ([text]) => prefix(text).length),
      targets: Uint32Array.from(routes, (_, i) => i + 1),
    });
  }

  function show(ipv6 = false): string[] {
    const text = namespace.run(`ip ${ipv6 ? '-6' : '-4'} route show table all proto ${OWN_PROTOCOL}`);
    return text
      .replaceAll('\n\t', ' ')
      .split('\n')
      .map((line) => line.replaceAll(/\s+/g, ' ').trim())
      .filter((line) => line !== '')
      .sort();
  }

  it('may be used here', async () => {
    expect(await probeKernel({ write: true })).toEqual({ ok: true });
  });

  it('writes what iproute2 shows', async () => {
    const kernel = await core();
    const hop = { gateway: address('10.0.0.2'), ifindex: eth0 };
    const failures = await apply(kernel, ROUTE_OPERATION.create, [
      ['192.0.2.0/24', [hop]],
      ['192.0.3.0/24', [{ gateway: address('10.0.0.2') }], { prefSource: address('10.0.0.1') }],
      [
        '192.0.4.0/24',
        [
          { ...hop, weight: 3 },
          { gateway: address('10.0.0.3'), ifindex: eth0 },
        ],
      ],
      ['192.0.5.0/24', [{ gateway: address('fe80::7'), ifindex: eth0 }]],
      ['192.0.6.0/24', [hop, { gateway: address('fe80::7'), ifindex: eth0 }], { table: 1000 }],
      ['192.0.7.0/24', [], { type: 'blackhole' }],
      ['192.0.8.0/24', [{ ifindex: eth0 }]],
      ['192.0.9.0/24', [{ gateway: address('172.16.0.1'), ifindex: eth0, onlink: true }]],
      ['192.0.10.0/24', [{ gateway: address('172.16.0.1') }]],
    ]);
    expect(failures).toMatchObject([{ index: 8, name: 'ENETUNREACH' }]);
    expect(show()).toEqual([
      '192.0.2.0/24 via 10.0.0.2 dev eth0 metric 50',
      '192.0.3.0/24 via 10.0.0.2 dev eth0 src 10.0.0.1 metric 50',
      '192.0.4.0/24 metric 50 nexthop via 10.0.0.2 dev eth0 weight 3 nexthop via 10.0.0.3 dev eth0 weight 1',
      '192.0.5.0/24 via inet6 fe80::7 dev eth0 metric 50',
      '192.0.6.0/24 table 1000 metric 50 nexthop via 10.0.0.2 dev eth0 weight 1 nexthop via inet6 fe80::7 dev eth0 weight 1',
      '192.0.8.0/24 dev eth0 scope link metric 50',
      '192.0.9.0/24 via 172.16.0.1 dev eth0 metric 50 onlink',
      'blackhole 192.0.7.0/24 metric 50',
    ]);
    namespace.run(`ip route flush table all proto ${OWN_PROTOCOL}`);
  });

  it('writes IPv6 routes, and replaces several next hops by one and back', async () => {
    const kernel = await core();
    const one = { gateway: address('fe80::2'), ifindex: eth0 };
    const two = { gateway: address('2001:db8::3'), ifindex: eth0 };
    expect(await apply(kernel, ROUTE_OPERATION.create, [['2001:db8:1::/48', [one]]])).toEqual([]);
    expect(await apply(kernel, ROUTE_OPERATION.replace, [['2001:db8:1::/48', [one, two]]])).toEqual([]);
    expect(show(true)).toEqual([
      '2001:db8:1::/48 metric 50 pref medium nexthop via fe80::2 dev eth0 weight 1 nexthop via 2001:db8::3 dev eth0 weight 1',
    ]);
    expect(await apply(kernel, ROUTE_OPERATION.replace, [['2001:db8:1::/48', [two]]])).toEqual([]);
    expect(show(true)).toEqual(['2001:db8:1::/48 via 2001:db8::3 dev eth0 metric 50 pref medium']);
    expect(await apply(kernel, ROUTE_OPERATION.create, [['2001:db8:1::/48', [one]]])).toMatchObject([
      { index: 0, name: 'EEXIST' },
    ]);
    expect(await apply(kernel, ROUTE_OPERATION.delete, [['2001:db8:1::/48', []]])).toEqual([]);
    expect(show(true)).toEqual([]);
  });

  it('tells each failure of a large batch by its index', async () => {
    const kernel = await core();
    const good = { gateway: address('10.0.0.2'), ifindex: eth0 };
    const bad = { gateway: address('172.31.0.1') };
    const routes = Array.from({ length: 2500 }, (_, i): [string, KernelNextHop[]] => [
      `20.${i >> 8}.${i & 255}.0/24`,
      [i % 10 === 3 ? bad : good],
    ]);
    const failures = await apply(kernel, ROUTE_OPERATION.create, routes);
    expect(failures.map(({ index }) => index)).toEqual(Array.from({ length: 250 }, (_, i) => i * 10 + 3));
    expect(failures[0]).toEqual({
      index: 3,
      errno: 101,
      name: 'ENETUNREACH',
      text: 'Nexthop has invalid gateway',
    });
    const found = (await scanAll(kernel, 4)).filter(({ protocol }) => protocol === OWN_PROTOCOL);
    expect(found).toHaveLength(2250);
    const left = routes.filter((_, i) => i % 10 !== 3);
    expect(await apply(kernel, ROUTE_OPERATION.delete, left)).toEqual([]);
    expect(show()).toEqual([]);
  });

  it('reads what iproute2 wrote, and is told of changes but not of its own', async () => {
    const kernel = await core();
    const told: string[] = [];
    await kernel.watch({
      // What the kernel does by itself to a link that has just come up, it does in its own time, to IPv6.
      onRoutes: (rows) => {
        for (let row = 0; rows.addressBytes === 4 && row < rows.count; row++) {
          told.push(`${rows.changes[row]} ${formatPrefix(routeAt(rows, row).prefix)}`);
        }
      },
      onLink: () => {},
      onAddress: (change, { address: { length }, prefixLength }) => {
        if (length === 4) told.push(`address ${change} /${prefixLength}`);
      },
      onOverrun: () => told.push('overrun'),
      onRoutesLost: () => told.push('routes lost'),
      onFailure: (error) => told.push(error.message),
    });
    namespace.run('ip route add 198.51.100.0/24 via 10.0.0.2 proto 80 metric 7');
    await apply(kernel, ROUTE_OPERATION.create, [['192.0.2.0/24', [{ gateway: address('10.0.0.2') }]]]);
    namespace.run('ip route replace 192.0.2.0/24 via 10.0.0.3 metric 50');
    await until(() => told.length === 2);
    expect(await scanAll(kernel, 4)).toContainEqual({
      prefix: prefix('198.51.100.0/24'),
      table: MAIN,
      metric: 7,
      protocol: 80,
      type: 'unicast',
      nextHops: [{ gateway: address('10.0.0.2'), ifindex: eth0 }],
    });
    namespace.run(
      'ip addr add 10.9.0.1/32 dev eth0; ip route del 198.51.100.0/24; ip route del 192.0.2.0/24',
    );
    await until(() => told.length === 5);
    expect(told).toEqual([
      '1 198.51.100.0/24',
      '2 192.0.2.0/24',
      'address add /32',
      '3 198.51.100.0/24',
      '3 192.0.2.0/24',
    ]);
    expect(await kernel.dumpLinks()).toContainEqual(
      expect.objectContaining({ ifindex: eth0, name: 'eth0', up: true, loopback: false }),
    );
    const addresses = await kernel.dumpAddresses();
    expect(addresses).toContainEqual({
      ifindex: eth0,
      address: address('10.0.0.1'),
      prefixLength: 24,
      scope: 0,
    });
  });

  it(
    'through a thread of its own keeps the FIB right against `ip route`',
    async () => {
      rmSync(BUILT, { recursive: true, force: true });
      try {
        execFileSync(process.execPath, [
          join(process.cwd(), 'node_modules/typescript/bin/tsc'),
          '-p',
          'tsconfig.build.json',
          '--outDir',
          BUILT,
          '--tsBuildInfoFile',
          join(BUILT, '.tsbuildinfo'),
        ]);
      } catch (error) {
        // A type error elsewhere is another test's business, as long as the files were written.
        if (!existsSync(join(BUILT, 'src/fib/netlink/netlink-worker.js'))) throw error;
      }
      const built: { NetlinkKernel: { open(): Promise<Kernel> } } = await import(
        pathToFileURL(join(BUILT, 'src/fib/netlink/netlink-kernel.js')).href
      );
      const kernel = await built.NetlinkKernel.open();
      open.push(kernel);
      const scheduler = new Scheduler(systemClock);
      const targets = new RouteTargets({ table: MAIN, protocol: OWN_PROTOCOL, metric: METRIC });
      const monitor = new KernelMonitor({
        kernel,
        clock: systemClock,
        scheduler,
        log: silentLogger,
        scanTime: { 4: 0, 16: 0 },
      });
      const view = new KernelView({ monitor, ownProtocol: OWN_PROTOCOL, tables: new Set([MAIN]) });
      const ids = [new PrefixIds(), new PrefixIds()];
      const fib = new Fib({
        kernel,
        monitor,
        targets,
        scheduler,
        clock: systemClock,
        log: silentLogger,
        families: [
          { family: IPV4_UNICAST, reader: ids[0]! },
          { family: IPV6_UNICAST, reader: ids[1]! },
        ],
      });
      namespace.run(`ip route add 192.0.2.0/24 via 10.0.0.2 proto ${OWN_PROTOCOL} metric ${METRIC}`);
      namespace.run(`ip route add 203.0.113.0/24 via 10.0.0.2 proto ${OWN_PROTOCOL} metric ${METRIC}`);
      await monitor.start();
      expect(fib.stats().orphans).toBe(2);
      const via2 = targets.intern(4, {
        type: 'unicast',
        nextHops: [{ gateway: address('10.0.0.2'), ifindex: eth0 }],
      });
      const via6 = targets.intern(16, {
        type: 'unicast',
        nextHops: [{ gateway: address('fe80::2'), ifindex: eth0 }],
      });
      fib.setRoute(0, ids[0]!.id('192.0.2.0/24'), via2);
      fib.setRoute(0, ids[0]!.id('198.51.100.0/24'), via6);
      fib.setRoute(1, ids[1]!.id('2001:db8:1::/48'), via6);
      await until(() => fib.stats().installed === 3 && fib.stats().pending === 0);
      expect(fib.stats().written).toBe(2);
      const wanted = [
        '192.0.2.0/24 via 10.0.0.2 dev eth0 metric 50',
        '198.51.100.0/24 via inet6 fe80::2 dev eth0 metric 50',
      ];
      expect(show()).toEqual([...wanted, '203.0.113.0/24 via 10.0.0.2 dev eth0 metric 50']);
      fib.startupComplete();
      await until(() => show().length === 2);
      expect(show()).toEqual(wanted);

      namespace.run('ip route del 198.51.100.0/24; ip -6 route del 2001:db8:1::/48');
      await until(() => show().length === 2 && show(true).length === 1);
      // Linux drops IPv4 routes of a link that goes down without telling anybody.
      namespace.run('ip link set eth0 down');
      await until(() => fib.stats().failed >= 2);
      namespace.run('ip link set eth0 up');
      await until(() => show().length === 2);
      expect(show()).toEqual(wanted);
      expect(view.interfaceNamed('eth0')?.ifindex).toBe(eth0);
      const closed = fib.close({ keep: [] });
      await closed;
      expect(show()).toEqual([]);
      monitor.close();
      await kernel.close();
      await expect(kernel.dumpLinks()).rejects.toThrow('closed');
    },
    BUILD_AND_RUN_MS,
  );
});
