// Next-hop objects in the real kernel, in a namespace of the test's own: who gets one, and what happens when the kernel or
// somebody else takes one away.

import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HOST_IS_LITTLE_ENDIAN, RTM } from '../../../src/fib/netlink/constants.ts';
import { NetlinkKernelCore } from '../../../src/fib/netlink/kernel-core.ts';
import { loadLibc } from '../../../src/fib/netlink/libc.ts';
import type { NextHopObject } from '../../../src/fib/netlink/next-hop-codec.ts';
import { NextHopObjects } from '../../../src/fib/netlink/next-hop-objects.ts';
import { ROUTES_WORTH_AN_OBJECT } from '../../../src/fib/netlink/target-encodings.ts';
import {
  type KernelEvents,
  type KernelRoute,
  type KernelTarget,
  ROUTE_OPERATION,
} from '../../../src/fib/types.ts';
import { viewOf } from '../../../src/lib/bytes.ts';
import { toWords } from '../../../src/lib/prefix-trie.ts';
import { address, MAIN, METRIC, OWN_PROTOCOL, prefix } from '../../support/mem-kernel.ts';
import { enterLinkedNamespace, scanAll, until } from '../../support/netlink-lab.ts';
import { type Namespace, whyNoNamespace } from '../../support/netns.ts';

describe('what is known of next-hop objects', () => {
  const hop = (last: number) => ({ gateway: Uint8Array.of(10, 0, 0, last), ifindex: 2 });

  it('is asked for again where notifications were lost', () => {
    let there: NextHopObject[] = [];
    let next = 0;
    const objects = new NextHopObjects((encode) => {
      const isDump = viewOf(encode(1)).getUint16(4, HOST_IS_LITTLE_ENDIAN) === RTM.getNextHop;
      if (isDump) return { errno: 0, objects: there };
      const made = { id: ++next, protocol: OWN_PROTOCOL, hop: hop(next) };
      there.push(made);
      return { errno: 0, objects: [made] };
    });
    const [same, gone, other] = [1, 2, 3].map((last) => objects.get(hop(last), OWN_PROTOCOL)!);
    there = [there[0]!, { ...there[2]!, hop: hop(9) }];
    expect(objects.review()).toBe(true);
    expect(objects.review()).toBe(false);
    expect([same?.gone, gone?.gone, other?.gone]).toEqual([false, true, true]);
  });
});

const reason = whyNoNamespace();
const MANY = ROUTES_WORTH_AN_OBJECT + 100;
const TARGET = 1;

function watch(kernel: NetlinkKernelCore, wanted: Partial<KernelEvents>): Promise<void> {
  const none = () => {};
  const all = { onRoutes: none, onLink: none, onAddress: none, onOverrun: none, onRoutesLost: none };
  return kernel.watch({ ...all, onFailure: none, ...wanted });
}

describe.skipIf(reason !== undefined)(
  `next-hop objects${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let namespace: Namespace;
    let eth0 = 0;
    let open: NetlinkKernelCore[] = [];

    beforeAll(() => {
      ({ namespace, eth0 } = enterLinkedNamespace());
    });

    afterEach(async () => {
      for (const kernel of open) await kernel.close();
      open = [];
      namespace.run(
        `ip route flush proto ${OWN_PROTOCOL}; ip -6 route flush proto ${OWN_PROTOCOL}; ip nexthop flush 2>/dev/null`,
      );
    });

    afterAll(() => namespace.leave());

    async function start(via = '10.0.0.2', more: Partial<KernelTarget> = {}): Promise<NetlinkKernelCore> {
      const kernel = new NetlinkKernelCore(await loadLibc());
      open.push(kernel);
      kernel.defineTarget(TARGET, {
        type: 'unicast',
        nextHops: [{ gateway: address(via), ifindex: eth0 }],
        table: MAIN,
        protocol: OWN_PROTOCOL,
        metric: METRIC,
        ...more,
      });
      return kernel;
    }

    /** Prefixes number `from` to `to` of 20.0.0.0/8 or 2001:db8::/32; resolves with what failed. */
    function apply(
      kernel: NetlinkKernelCore,
      kind: number,
      from: number,
      to: number,
      addressBytes: 4 | 16 = 4,
    ) {
      const count = to - from;
      const stride = addressBytes / 4;
      const words = new Int32Array(count * stride);
      for (let i = 0; i < count; i++) {
        const text = addressBytes === 4 ? '20.0.0.0/24' : '2001:db8::/48';
        words.set(toWords(prefix(text).bytes), i * stride);
        if (addressBytes === 4) words[i]! |= (from + i) << 8;
        else words[i * stride + 1]! |= (from + i + 1) << 16;
      }
      return kernel.apply({
        addressBytes,
        count,
        kinds: new Uint8Array(count).fill(kind),
        words,
        bits: new Uint8Array(count).fill(addressBytes === 4 ? 24 : 48),
        targets: new Uint32Array(count).fill(TARGET),
      });
    }

    async function scan(kernel: NetlinkKernelCore, addressBytes: 4 | 16 = 4): Promise<KernelRoute[]> {
      return (await scanAll(kernel, addressBytes)).filter(({ protocol }) => protocol === OWN_PROTOCOL);
    }

    function objects(): string[] {
      return namespace
        .run('ip nexthop')
        .split('\n')
        .map((line) => line.replace(/ +$/, ''))
        .filter((line) => line !== '');
    }

    function routes(): { all: number; byObject: number } {
      const lines = namespace.run(
        `ip -o route show proto ${OWN_PROTOCOL}; ip -o -6 route show proto ${OWN_PROTOCOL}`,
      );
      const all = lines.split('\n').filter((line) => line !== '');
      return { all: all.length, byObject: all.filter((line) => line.includes(' nhid ')).length };
    }

    it('are for next hops of many routes, and go with the last of them', async () => {
      const kernel = await start();
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, ROUTES_WORTH_AN_OBJECT)).toEqual([]);
      expect(objects()).toEqual([]);
      expect(await apply(kernel, ROUTE_OPERATION.create, ROUTES_WORTH_AN_OBJECT, MANY)).toEqual([]);
      expect(objects()).toEqual([
        expect.stringMatching(/^id \d+ via 10.0.0.2 dev eth0 scope link proto bird$/),
      ]);
      expect(routes()).toEqual({ all: MANY, byObject: 100 });
      const hops = (await scan(kernel)).map(({ nextHops }) => JSON.stringify(nextHops));
      expect(hops).toHaveLength(MANY);
      expect(new Set(hops).size).toBe(1);
      // Whoever is replaced or deleted need not know how a route was written.
      expect(await apply(kernel, ROUTE_OPERATION.replace, 0, MANY)).toEqual([]);
      expect(routes()).toEqual({ all: MANY, byObject: MANY });
      expect(await apply(kernel, ROUTE_OPERATION.delete, 0, MANY)).toEqual([]);
      expect(objects()).toHaveLength(1);
      await scan(kernel, 16);
      await scan(kernel);
      expect(objects()).toEqual([]);
      // And may be needed again.
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY)).toEqual([]);
      expect(routes().all).toBe(MANY);
      expect(objects()).toHaveLength(1);
    });

    it('are not for few routes that come and go', async () => {
      const kernel = await start();
      for (let turn = 0; turn < 3; turn++) {
        expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY / 2)).toEqual([]);
        expect(await apply(kernel, ROUTE_OPERATION.delete, 0, MANY / 2)).toEqual([]);
      }
      expect(objects()).toEqual([]);
    });

    it('stay with routes that stay at the end, and serve the next start', async () => {
      const first = await start();
      await apply(first, ROUTE_OPERATION.create, 0, MANY);
      await first.close();
      open = [];
      const left = objects();
      expect(left).toHaveLength(1);
      expect(routes().all).toBe(MANY);
      const second = await start();
      await apply(second, ROUTE_OPERATION.create, MANY, 3 * MANY);
      expect(objects()).toEqual(left);
      expect(routes().byObject).toBeGreaterThan(MANY);
      await apply(second, ROUTE_OPERATION.delete, 0, 3 * MANY);
      await second.close();
      open = [];
      expect(objects()).toEqual([]);
    });

    it('leave those of others alone', async () => {
      namespace.run('ip nexthop add id 77 via 10.0.0.2 dev eth0 proto 80');
      const kernel = await start();
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      expect(objects()).toHaveLength(2);
      await apply(kernel, ROUTE_OPERATION.delete, 0, MANY);
      await kernel.close();
      open = [];
      expect(objects()).toEqual([expect.stringContaining('id 77 ')]);
    });

    it('stay with their routes at the end, whichever objects of others are met before', async () => {
      namespace.run(`ip nexthop add id 77 via 10.0.0.3 dev eth0 proto 80
      ip route add 19.0.0.0/24 nhid 77 proto 80`);
      const kernel = await start();
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      await kernel.close();
      open = [];
      expect(routes()).toEqual({ all: MANY, byObject: 100 });
      namespace.run('ip nexthop del id 77');
    });

    it('of an earlier run may be deleted by others: it is told', async () => {
      const first = await start();
      await apply(first, ROUTE_OPERATION.create, 0, MANY);
      await first.close();
      open = [];
      namespace.run('ip nexthop add id 78 via 10.0.0.3 dev eth0 proto 80');
      const second = await start();
      const told: string[] = [];
      await second.watch({
        onRoutes: () => {},
        onLink: () => {},
        onAddress: (_change, one) => one.prefixLength === 27 && told.push('address'),
        onOverrun: () => {},
        onRoutesLost: () => told.push('lost'),
        onFailure: () => {},
      });
      await scan(second);
      // Those of others are not.
      namespace.run(
        'ip nexthop del id 78; ip addr add 10.0.9.1/27 dev eth0; ip addr del 10.0.9.1/27 dev eth0',
      );
      await until(() => told.length === 2);
      expect(told).toEqual(['address', 'address']);
      namespace.run('ip nexthop flush');
      await until(() => told.length === 3);
      expect(told.at(-1)).toBe('lost');
    });

    it('may be deleted by others: it is told, and the routes are written without', async () => {
      const kernel = await start();
      let lost = 0;
      await watch(kernel, { onRoutesLost: () => lost++ });
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      namespace.run('ip nexthop flush');
      expect(routes().all).toBe(ROUTES_WORTH_AN_OBJECT);
      // Before the notification is read:
      expect(await apply(kernel, ROUTE_OPERATION.create, ROUTES_WORTH_AN_OBJECT, MANY)).toEqual([]);
      expect(routes()).toEqual({ all: MANY, byObject: 0 });
      await apply(kernel, ROUTE_OPERATION.replace, 0, 2 * MANY);
      expect(routes().byObject).toBeGreaterThan(0);
      namespace.run('ip nexthop flush');
      await until(() => lost > 0);
      expect(await apply(kernel, ROUTE_OPERATION.replace, 0, 2 * MANY)).toEqual([]);
      expect(routes().all).toBe(2 * MANY);
    });

    it('may be given another next hop by others: it is told', async () => {
      const kernel = await start();
      let lost = 0;
      await watch(kernel, { onRoutesLost: () => lost++ });
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      const id = /^id (\d+)/.exec(objects()[0]!)?.[1];
      namespace.run(`ip nexthop replace id ${id} via 10.0.0.3 dev eth0 proto ${OWN_PROTOCOL}`);
      await until(() => lost > 0);
      const via3 = (await scan(kernel)).filter(({ nextHops }) => nextHops[0]?.gateway?.[3] === 3);
      expect(via3).toHaveLength(MANY - ROUTES_WORTH_AN_OBJECT);
      expect(await apply(kernel, ROUTE_OPERATION.replace, 0, MANY)).toEqual([]);
      expect((await scan(kernel)).every(({ nextHops }) => nextHops[0]?.gateway?.[3] === 2)).toBe(true);
    });

    it('go with the carrier of their link; routes come back with it', async () => {
      const kernel = await start();
      const links: boolean[] = [];
      await watch(kernel, { onLink: (_change, { ifindex, up }) => ifindex === eth0 && links.push(up) });
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      namespace.run('ip link set peer0 down');
      await until(() => links.includes(false));
      expect(objects()).toEqual([]);
      namespace.run('ip link set peer0 up');
      await until(() => links.at(-1) === true);
      expect(await apply(kernel, ROUTE_OPERATION.replace, 0, 2 * MANY)).toEqual([]);
      expect(routes().all).toBe(2 * MANY);
      expect(objects()).toHaveLength(1);
    });

    it('are missed when their link changes, where nobody told that they are gone', async () => {
      const kernel = await start();
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      namespace.run('ip nexthop flush');
      let lost = 0;
      await watch(kernel, { onRoutesLost: () => lost++ });
      namespace.run('ip link set peer0 mtu 1400; ip link set eth0 mtu 1400');
      await until(() => lost > 0);
      namespace.run('ip link set peer0 mtu 1500; ip link set eth0 mtu 1500');
    });

    it('tell what is wrong with a route by its own next hop', async () => {
      const kernel = await start();
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      namespace.run('ip link set eth0 down');
      const failures = await apply(kernel, ROUTE_OPERATION.create, MANY, MANY + 3);
      expect(failures.map(({ index, name }) => [index, name])).toEqual([
        [0, 'ENETUNREACH'],
        [1, 'ENETUNREACH'],
        [2, 'ENETUNREACH'],
      ]);
      namespace.run('ip link set eth0 up; ip -6 addr add 2001:db8::1/64 dev eth0 nodad');
    });

    it('keep the order of operations where one is gone', async () => {
      const kernel = await start();
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      namespace.run('ip nexthop flush');
      // Created and deleted in one batch: a second try of the first would bring it back.
      const words = toWords(prefix('30.0.0.0/24').bytes);
      const failures = await kernel.apply({
        addressBytes: 4,
        count: 2,
        kinds: Uint8Array.of(ROUTE_OPERATION.create, ROUTE_OPERATION.delete),
        words: Int32Array.of(...words, ...words),
        bits: Uint8Array.of(24, 24),
        targets: Uint32Array.of(TARGET, TARGET),
      });
      expect(failures.map(({ index }) => index)).toEqual([0, 1]);
      expect(namespace.run('ip route show 30.0.0.0/24')).toBe('');
    });

    it('serve IPv6, and IPv4 through IPv6 gateways', async () => {
      const kernel = await start('2001:db8::2');
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY, 16)).toEqual([]);
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY)).toEqual([]);
      expect(objects()).toHaveLength(1);
      expect(routes()).toEqual({ all: 2 * MANY, byObject: 200 });
      for (const addressBytes of [4, 16] as const) {
        const found = await scan(kernel, addressBytes);
        expect(found).toHaveLength(MANY);
        expect(new Set(found.map(({ nextHops }) => JSON.stringify(nextHops))).size).toBe(1);
      }
      expect(objects()).toHaveLength(1);
      await apply(kernel, ROUTE_OPERATION.delete, 0, MANY);
      await scan(kernel);
      await scan(kernel, 16);
      expect(objects()).toHaveLength(1);
      await apply(kernel, ROUTE_OPERATION.delete, 0, MANY, 16);
      await scan(kernel, 16);
      expect(objects()).toEqual([]);
    });

    it('of an IPv6 gateway stay at the end with IPv4 routes alone', async () => {
      const kernel = await start('2001:db8::2');
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY);
      await apply(kernel, ROUTE_OPERATION.create, 0, MANY, 16);
      await apply(kernel, ROUTE_OPERATION.delete, 0, MANY, 16);
      await kernel.close();
      open = [];
      expect(objects()).toHaveLength(1);
      expect(routes()).toEqual({ all: MANY, byObject: 100 });
    });

    it('serve routes with a preferred source, and next hops that are on-link', async () => {
      const hop = { gateway: address('172.16.0.9'), ifindex: eth0, onlink: true };
      const kernel = await start('10.0.0.2', { nextHops: [hop], prefSource: address('10.0.0.1') });
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY)).toEqual([]);
      expect(routes()).toEqual({ all: MANY, byObject: 100 });
      const found = await scan(kernel);
      expect(found).toHaveLength(MANY);
      expect(
        found.every(({ nextHops, prefSource }) => nextHops[0]?.onlink === true && prefSource?.[3] === 1),
      ).toBe(true);
    });

    it('serve IPv6 routes with next hops that are on-link', async () => {
      const kernel = await start('2001:db8:9::9', {
        nextHops: [{ gateway: address('2001:db8:9::9'), ifindex: eth0, onlink: true }],
      });
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY, 16)).toEqual([]);
      expect(routes()).toEqual({ all: MANY, byObject: 100 });
      const found = await scan(kernel, 16);
      expect(found).toHaveLength(MANY);
      expect(new Set(found.map(({ nextHops }) => JSON.stringify(nextHops))).size).toBe(1);
    });

    it.each([
      ['several next hops', { nextHops: [2, 3].map((n) => ({ gateway: Uint8Array.of(10, 0, 0, n) })) }],
      ['a next hop without an interface', { nextHops: [{ gateway: Uint8Array.of(10, 0, 0, 2) }] }],
      ['metrics', { metrics: new Map([[2, 1400]]) }],
      ['a realm', { realm: 5 }],
      ['no next hop', { type: 'blackhole', nextHops: [] }],
    ] as [string, Partial<KernelTarget>][])('are not for %s', async (_what, more) => {
      const kernel = await start('10.0.0.2', more);
      expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY)).toEqual([]);
      expect(routes()).toEqual({ all: MANY, byObject: 0 });
      expect(objects()).toEqual([]);
    });

    it('are not used where the kernel would show a route by its number alone', async () => {
      const setting = '/proc/sys/net/ipv4/nexthop_compat_mode';
      writeFileSync(setting, '0');
      try {
        const kernel = await start();
        expect(await apply(kernel, ROUTE_OPERATION.create, 0, MANY)).toEqual([]);
        expect(objects()).toEqual([]);
        writeFileSync(setting, '1');
        expect(await apply(kernel, ROUTE_OPERATION.replace, 0, MANY)).toEqual([]);
        expect(routes().byObject).toBeGreaterThan(0);
        writeFileSync(setting, '0');
        await scan(kernel);
        expect(await apply(kernel, ROUTE_OPERATION.replace, 0, MANY)).toEqual([]);
        expect(routes()).toEqual({ all: MANY, byObject: 0 });
      } finally {
        writeFileSync(setting, '1');
      }
    });
  },
);
