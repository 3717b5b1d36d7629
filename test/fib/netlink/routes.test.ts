import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOST_IS_LITTLE_ENDIAN, NLM_F, RT_SCOPE, RTAX } from '../../../src/fib/netlink/constants.ts';
import {
  decodePath,
  decodeRoute,
  newRouteRecord,
  pathKey,
  type RouteRecord,
} from '../../../src/fib/netlink/route-decode.ts';
import { encodeOperation, encodeTarget, operationBytes } from '../../../src/fib/netlink/route-encode.ts';
import {
  type KernelNextHop,
  type KernelPath,
  type KernelTarget,
  ROUTE_OPERATION,
} from '../../../src/fib/types.ts';
import { viewOf } from '../../../src/lib/bytes.ts';
import { toBytes, toWords } from '../../../src/lib/prefix-trie.ts';
import { address, prefix } from '../../support/mem-kernel.ts';

const SEQ = 0x6b0181ec;
const VA = 3;

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.trim().split(/\s+/), (octet) => Number.parseInt(octet, 16));
}

function target(fields: Partial<KernelTarget>): KernelTarget {
  return { type: 'unicast', nextHops: [], table: 254, protocol: 12, metric: 50, ...fields };
}

function encode(kind: number, text: string, to: KernelTarget, moreFlags: number = NLM_F.ack): Uint8Array {
  const { bytes, length } = prefix(text);
  const addressBytes = bytes.length === 4 ? 4 : 16;
  const encoded = encodeTarget(to, addressBytes);
  const out = new Uint8Array(operationBytes(encoded, kind, addressBytes));
  const words = toWords(bytes);
  const end = encodeOperation(
    out,
    viewOf(out),
    0,
    encoded,
    kind,
    addressBytes,
    words,
    0,
    length,
    SEQ,
    moreFlags,
  );
  expect(end).toBe(out.length);
  return out;
}

function decode(message: Uint8Array): {
  record: RouteRecord;
  path: ReturnType<typeof decodePath>;
  key: string;
} {
  const record = newRouteRecord();
  const view = viewOf(message);
  expect(decodeRoute(view, 0, message.length, record)).toBe(true);
  return { record, path: decodePath(message, view, record), key: pathKey(message, record) };
}

// What `ip` (iproute2 6.1) sends for the command, attribute order by the order of its arguments.
const GOLDEN: readonly { command: string; kind: number; prefix: string; to: KernelTarget; bytes: string }[] =
  [
    {
      command: 'ip route add 192.0.2.0/24 metric 50 via 10.0.0.2 dev va proto 12',
      kind: ROUTE_OPERATION.create,
      prefix: '192.0.2.0/24',
      to: target({ nextHops: [{ gateway: address('10.0.0.2'), ifindex: VA }] }),
      bytes: `3c 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            02 18 00 00 fe 0c 00 01  00 00 00 00 08 00 01 00
            c0 00 02 00 08 00 06 00  32 00 00 00 08 00 05 00
            0a 00 00 02 08 00 04 00  03 00 00 00`,
    },
    {
      command: 'ip route replace 192.0.2.0/24 metric 50 src 10.0.0.1 via 10.0.0.3 dev va proto 12 onlink',
      kind: ROUTE_OPERATION.replace,
      prefix: '192.0.2.0/24',
      to: target({
        nextHops: [{ gateway: address('10.0.0.3'), ifindex: VA, onlink: true }],
        prefSource: address('10.0.0.1'),
      }),
      bytes: `44 00 00 00 18 00 05 05  ec 81 01 6b 00 00 00 00
            02 18 00 00 fe 0c 00 01  04 00 00 00 08 00 01 00
            c0 00 02 00 08 00 06 00  32 00 00 00 08 00 07 00
            0a 00 00 01 08 00 05 00  0a 00 00 03 08 00 04 00
            03 00 00 00`,
    },
    {
      command:
        'ip route add 198.51.100.0/24 table 1000 metric 50 proto 12 nexthop via 10.0.0.2 dev va weight 3 nexthop via inet6 fe80::1 dev va onlink',
      kind: ROUTE_OPERATION.create,
      prefix: '198.51.100.0/24',
      to: target({
        table: 1000,
        nextHops: [
          { gateway: address('10.0.0.2'), ifindex: VA, weight: 3 },
          { gateway: address('fe80::1'), ifindex: VA, onlink: true },
        ],
      }),
      // The two octets of padding at the end are arbitrary in iproute2's message.
      bytes: `68 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            02 18 00 00 00 0c 00 01  00 00 00 00 08 00 01 00
            c6 33 64 00 08 00 0f 00  e8 03 00 00 08 00 06 00
            32 00 00 00 34 00 09 00  10 00 00 02 03 00 00 00
            08 00 05 00 0a 00 00 02  20 00 04 00 03 00 00 00
            16 00 12 00 0a 00 fe 80  00 00 00 00 00 00 00 00
            00 00 00 00 00 01 00 00`,
    },
    {
      command: 'ip route add 203.0.113.0/24 via inet6 fe80::1 dev va proto 12',
      kind: ROUTE_OPERATION.create,
      prefix: '203.0.113.0/24',
      to: target({ metric: 0, nextHops: [{ gateway: address('fe80::1'), ifindex: VA }] }),
      bytes: `44 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            02 18 00 00 fe 0c 00 01  00 00 00 00 08 00 01 00
            cb 00 71 00 16 00 12 00  0a 00 fe 80 00 00 00 00
            00 00 00 00 00 00 00 00  00 01 00 00 08 00 04 00
            03 00 00 00`,
    },
    {
      command: 'ip route add blackhole 203.0.113.0/25 metric 7 proto 12',
      kind: ROUTE_OPERATION.create,
      prefix: '203.0.113.0/25',
      to: target({ type: 'blackhole', metric: 7 }),
      bytes: `2c 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            02 19 00 00 fe 0c 00 06  00 00 00 00 08 00 01 00
            cb 00 71 00 08 00 06 00  07 00 00 00`,
    },
    {
      command: 'ip route add 203.0.113.128/25 dev va proto 12',
      kind: ROUTE_OPERATION.create,
      prefix: '203.0.113.128/25',
      to: target({ metric: 0, nextHops: [{ ifindex: VA }] }),
      bytes: `2c 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            02 19 00 00 fe 0c fd 01  00 00 00 00 08 00 01 00
            cb 00 71 80 08 00 04 00  03 00 00 00`,
    },
    {
      command:
        'ip route add 203.0.113.64/26 metric 50 via 10.0.0.2 dev va realm 7 scope 200 mtu lock 1400 proto 12',
      kind: ROUTE_OPERATION.create,
      prefix: '203.0.113.64/26',
      to: target({
        nextHops: [{ gateway: address('10.0.0.2'), ifindex: VA }],
        scope: 200,
        realm: 7,
        metrics: new Map([
          [RTAX.mtu, 1400],
          [RTAX.lock, 1 << RTAX.mtu],
        ]),
      }),
      bytes: `58 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            02 1a 00 00 fe 0c c8 01  00 00 00 00 08 00 01 00
            cb 00 71 40 08 00 06 00  32 00 00 00 08 00 05 00
            0a 00 00 02 08 00 0b 00  07 00 00 00 08 00 04 00
            03 00 00 00 14 00 08 00  08 00 02 00 78 05 00 00
            08 00 01 00 04 00 00 00`,
    },
    {
      command: 'ip -6 route add 2001:db8::/32 metric 50 via fe80::2 dev va proto 12',
      kind: ROUTE_OPERATION.create,
      prefix: '2001:db8::/32',
      to: target({ nextHops: [{ gateway: address('fe80::2'), ifindex: VA }] }),
      bytes: `54 00 00 00 18 00 05 06  ec 81 01 6b 00 00 00 00
            0a 20 00 00 fe 0c 00 01  00 00 00 00 14 00 01 00
            20 01 0d b8 00 00 00 00  00 00 00 00 00 00 00 00
            08 00 06 00 32 00 00 00  14 00 05 00 fe 80 00 00
            00 00 00 00 00 00 00 00  00 00 00 02 08 00 04 00
            03 00 00 00`,
    },
  ];

describe.skipIf(!HOST_IS_LITTLE_ENDIAN)('route messages as iproute2 writes them', () => {
  it.each(GOLDEN)('$command', ({ kind, prefix: text, to, bytes }) => {
    expect(Buffer.from(encode(kind, text, to)).toString('hex')).toBe(Buffer.from(hex(bytes)).toString('hex'));

    const { record, path } = decode(hex(bytes));
    const { bytes: octets, length } = prefix(text);
    expect(toBytes(record.words, 0, octets.length / 4)).toEqual(octets);
    expect(record.bits).toBe(length);
    const { table, protocol, metric, ...wanted } = to;
    expect({ table: record.table, protocol: record.protocol, metric: record.metric }).toEqual({
      table,
      protocol,
      metric,
    });
    expect(path).toEqual({ ...scopeOf(wanted, octets.length), ...wanted });
  });

  it('deletes by key and owner alone', () => {
    const to = target({ nextHops: [{ gateway: address('10.0.0.2'), ifindex: VA }] });
    // ip route del 192.0.2.0/24 metric 50 proto 12
    const wanted = hex(`2c 00 00 00 19 00 05 00  ec 81 01 6b 00 00 00 00
                        02 18 00 00 fe 0c ff 00  00 00 00 00 08 00 01 00
                        c0 00 02 00 08 00 06 00  32 00 00 00`);
    expect(encode(ROUTE_OPERATION.delete, '192.0.2.0/24', to)).toEqual(wanted);
  });

  it('asks for an acknowledgement only where told to', () => {
    const to = target({ type: 'prohibit' });
    expect(encode(ROUTE_OPERATION.create, '192.0.2.0/24', to, 0)[6]).toBe(0x01);
  });
});

/** What an IPv4 route without a gateway is written with. */
function scopeOf({ type, nextHops }: KernelPath, addressBytes: number): { scope?: number } {
  const onLink = addressBytes === 4 && type === 'unicast' && nextHops.every((hop) => !hop.gateway);
  return onLink ? { scope: RT_SCOPE.link } : {};
}

describe.skipIf(!HOST_IS_LITTLE_ENDIAN)('route messages as the kernel writes them', () => {
  // ip route add 10.57.0.0/24 via 10.77.0.9 src 10.77.0.1 mtu lock 1400 window 9 rtt 30ms rttvar 7ms ssthresh lock 8
  // cwnd lock 11 advmss 1300 ... features ecn rto_min 400ms initrwnd 13 quickack 1 congctl reno proto static realm 7
  const message = hex(`
    d4 00 00 00 18 00 02 00 01 00 00 00 67 07 00 00 02 18 00 00 fe 04 00 01 00 00 00 00 08 00 0f 00
    fe 00 00 00 08 00 01 00 0a 39 00 00 88 00 08 00 08 00 01 00 c4 20 00 00 08 00 02 00 78 05 00 00
    08 00 03 00 09 00 00 00 08 00 04 00 1e 00 00 00 08 00 05 00 07 00 00 00 08 00 06 00 08 00 00 00
    08 00 07 00 0b 00 00 00 08 00 08 00 14 05 00 00 08 00 09 00 04 00 00 00 08 00 0a 00 21 00 00 00
    08 00 0b 00 0c 00 00 00 08 00 0c 00 01 00 00 00 08 00 0d 00 90 01 00 00 08 00 0e 00 0d 00 00 00
    08 00 0f 00 01 00 00 00 09 00 10 00 72 65 6e 6f 00 00 00 00 08 00 07 00 0a 4d 00 01 08 00 05 00
    0a 4d 00 09 08 00 04 00 02 00 00 00 08 00 0b 00 07 00 00 00`);
  const METRICS = [
    [1, 0x20c4],
    [2, 1400],
    [3, 9],
    [4, 30],
    [5, 7],
    [6, 8],
    [7, 11],
    [8, 1300],
    [9, 4],
    [10, 33],
    [11, 12],
    [12, 1],
    [13, 400],
    [14, 13],
    [15, 1],
  ] as const;

  it('are read with source, realm and metrics', () => {
    expect(decode(message).path).toEqual({
      type: 'unicast',
      nextHops: [{ gateway: address('10.77.0.9'), ifindex: 2 }],
      prefSource: address('10.77.0.1'),
      realm: 7,
      metrics: new Map(METRICS),
    });
  });

  it('are told apart by them', () => {
    const keys = [message];
    const changed = (at: number): void => {
      const other = message.slice();
      other[at] = other[at]! ^ 1;
      keys.push(other);
    };
    const scopeAt = 16 + 6;
    changed(scopeAt);
    changed(message.length - 4);
    changed(message.indexOf(0x78));
    expect(new Set(keys.map((each) => decode(each).key)).size).toBe(4);
  });
});

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

function hopArbitrary(several: boolean): fc.Arbitrary<KernelNextHop> {
  return fc
    .record({
      gateway: fc.option(fc.oneof(octets(4), octets(16)), { nil: undefined }),
      ifindex: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      onlink: fc.boolean(),
      weight: several ? fc.integer({ min: 1, max: 256 }) : fc.constant(1),
    })
    .map(({ gateway, ifindex, onlink, weight }) => ({
      ...(gateway === undefined ? {} : { gateway }),
      ifindex,
      ...(onlink ? { onlink } : {}),
      ...(weight === 1 ? {} : { weight }),
    }));
}

function targetArbitrary(addressBytes: 4 | 16): fc.Arbitrary<KernelTarget> {
  const hops = fc.oneof(
    fc.tuple(hopArbitrary(false)),
    fc.array(hopArbitrary(true), { minLength: 2, maxLength: 40 }),
  );
  return fc
    .record({
      type: fc.constantFrom('unicast' as const, 'blackhole' as const, 'unreachable' as const),
      hops,
      table: fc.integer({ min: 1, max: 0xffffffff }),
      protocol: fc.integer({ min: 0, max: 255 }),
      metric: fc.integer({ min: 0, max: 0xffffffff }),
      source: fc.option(octets(addressBytes), { nil: undefined }),
      particulars: fc.record(
        {
          scope: fc.integer({ min: 1, max: 254 }),
          realm: fc.integer({ min: 1, max: 0xffffffff }),
          metrics: fc
            .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 0xffffffff })), {
              selector: ([metric]) => metric,
              minLength: 1,
            })
            .map((pairs) => new Map(pairs)),
        },
        { requiredKeys: [] },
      ),
    })
    .map(({ type, hops: nextHops, table, protocol, metric, source, particulars }) => ({
      type,
      nextHops: type === 'unicast' ? nextHops : [],
      table,
      protocol,
      metric,
      ...(source === undefined ? {} : { prefSource: source }),
      ...particulars,
    }));
}

describe('route messages', () => {
  it.each([4, 16] as const)('come back from the wire as they were, %i octets', (addressBytes) => {
    fc.assert(
      fc.property(
        targetArbitrary(addressBytes),
        octets(addressBytes),
        fc.integer({ min: 0, max: addressBytes * 8 }),
        (to, bytes, bits) => {
          const encoded = encodeTarget(to, addressBytes);
          const kind = ROUTE_OPERATION.replace;
          // At an offset, as in the middle of a batch.
          const out = new Uint8Array(operationBytes(encoded, kind, addressBytes) + 64);
          const words = toWords(bytes);
          const end = encodeOperation(
            out,
            viewOf(out),
            64,
            encoded,
            kind,
            addressBytes,
            words,
            0,
            bits,
            1,
            0,
          );
          expect(end).toBe(out.length);
          const record = newRouteRecord();
          expect(decodeRoute(viewOf(out), 64, out.length, record)).toBe(true);
          const { table, protocol, metric, ...path } = to;
          expect(record).toMatchObject({ addressBytes, bits, table, protocol, metric });
          expect(toBytes(record.words, 0, addressBytes / 4)).toEqual(bytes);
          expect(decodePath(out, viewOf(out), record)).toEqual({ ...scopeOf(path, addressBytes), ...path });
        },
      ),
    );
  });

  it('have the same path key exactly when they have the same path', () => {
    const paths = [
      target({ nextHops: [{ gateway: address('10.0.0.2'), ifindex: 3 }] }),
      target({ nextHops: [{ gateway: address('10.0.0.2'), ifindex: 4 }] }),
      target({ nextHops: [{ gateway: address('10.0.0.3'), ifindex: 3 }] }),
      target({ nextHops: [{ gateway: address('10.0.0.2'), ifindex: 3, onlink: true }] }),
      target({ nextHops: [{ ifindex: 3 }] }),
      target({ nextHops: [{ gateway: address('fe80::1'), ifindex: 3 }] }),
      target({ nextHops: [{ gateway: address('10.0.0.2'), ifindex: 3 }], prefSource: address('10.0.0.1') }),
      target({ type: 'blackhole' }),
    ];
    const keys = paths.map((to) => decode(encode(ROUTE_OPERATION.create, '192.0.2.0/24', to)).key);
    expect(new Set(keys).size).toBe(paths.length);
    const other = paths.map((to) => decode(encode(ROUTE_OPERATION.create, '198.51.100.0/22', to)).key);
    expect(other).toEqual(keys);
  });

  it('survive any octets without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 120 }), fc.boolean(), (bytes, ipv6) => {
        const message = Uint8Array.from(bytes);
        message[16] = ipv6 ? 10 : 2;
        const record = newRouteRecord();
        if (decodeRoute(viewOf(message), 0, message.length, record)) {
          pathKey(message, record);
          decodePath(message, viewOf(message), record);
        }
      }),
    );
  });
});
