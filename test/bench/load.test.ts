// The load generator without a network: tables have the shape and size asked for, streams say what the tables say, and
// sinks see every kind of deviation.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AttributeHasher } from '../../bench/load/attribute-hash.ts';
import { withoutLoops } from '../../bench/load/loops.ts';
import { AttributePool, PrefixIndex, RouteTable } from '../../bench/load/route-table.ts';
import { Sink } from '../../bench/load/sink.ts';
import {
  announceStream,
  byAttributeSet,
  endOfRib,
  type SenderIdentity,
  SingleWriter,
  withdrawStream,
} from '../../bench/load/stream.ts';
import { appendTable, blockTable, fullTable } from '../../bench/load/synthetic.ts';
import { Expectation, UpdateReader } from '../../bench/load/update-reader.ts';
import { readAttributes } from '../../bench/mrt/attributes.ts';
import { forEachMessage, readUpdate } from '../../bench/mrt/update-message.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { viewOf } from '../../src/lib/bytes.ts';
import { formatPrefix, maskBytes, parseAddress } from '../../src/lib/ip.ts';

const DAEMON_AS = 65000;
const SENDER_AS = 65101;
const SENDER: SenderIdentity = {
  asn: SENDER_AS,
  peerAs: DAEMON_AS,
  nextHop4: parseAddress('10.0.0.2')!.bytes,
  nextHop6: parseAddress('fd00::2')!.bytes,
};
const SHAPE = { routes: 5000, seed: 7, setsPerRoute: 0.167, prefixList: undefined };
const WHOLE = (table: RouteTable) => ({ from: 0, to: table.count });

/** What a stream announces and withdraws, as `prefix` -> canonical attributes in hex, or undefined. */
function replayed(...streams: readonly Uint8Array[]): Map<string, string> {
  const routes = new Map<string, string>();
  for (const stream of streams) {
    const left = forEachMessage(stream, (message) => {
      expect(message.length).toBeLessThanOrEqual(4096);
      readUpdate(
        message,
        { as4: true, addPath: false },
        {
          announce: (family, prefix, length, _id, block) => {
            const bytes = prefix.slice(0, family.nextHopBytes);
            routes.set(formatPrefix({ bytes, length }), Buffer.from(block.bytes).toString('hex'));
          },
          withdraw: (family, prefix, length) => {
            routes.delete(formatPrefix({ bytes: prefix.slice(0, family.nextHopBytes), length }));
          },
        },
      );
    });
    expect(left).toBe(0);
  }
  return routes;
}

function prefixesOf(table: RouteTable): string[] {
  const octets = table.family.nextHopBytes;
  return Array.from({ length: table.count }, (_, i) => {
    const view = new DataView(new ArrayBuffer(octets));
    for (let word = 0; word * 4 < octets; word++) {
      view.setInt32(word * 4, table.words[i * table.family.words + word]!);
    }
    return formatPrefix({ bytes: new Uint8Array(view.buffer), length: table.lengths[i]! });
  });
}

describe('a generated full table', () => {
  const table = fullTable(SHAPE);

  test('has exactly the routes asked for, each once', () => {
    expect(table.count).toBe(SHAPE.routes);
    expect(new Set(prefixesOf(table)).size).toBe(SHAPE.routes);
  });

  test('is the same for the same seed and another for another', () => {
    const again = fullTable(SHAPE);
    expect(again.words).toEqual(table.words);
    expect(again.attributes).toEqual(table.attributes);
    expect(again.pool.get(100)).toEqual(table.pool.get(100));
    expect(fullTable({ ...SHAPE, seed: 8 }).words).not.toEqual(table.words);
  });

  test('shares attribute sets as real tables do', () => {
    expect(table.pool.count).toBe(Math.round(SHAPE.routes * SHAPE.setsPerRoute));
    const sizes = new Map<number, number>();
    for (const set of table.attributes) sizes.set(set, (sizes.get(set) ?? 0) + 1);
    expect(sizes.size).toBe(table.pool.count);
    const alone = [...sizes.values()].filter((size) => size === 1).length / sizes.size;
    expect(alone).toBeGreaterThan(0.2);
    expect(Math.max(...sizes.values())).toBeGreaterThan(40);
  });

  test('carries each attribute about as often as real tables do', () => {
    const share = (type: number): number => {
      let found = 0;
      for (let set = 0; set < table.pool.count; set++) {
        const bytes = table.pool.get(set);
        for (let at = 0; at < bytes.length; ) {
          const extended = (bytes[at]! & 0x10) !== 0;
          if (bytes[at + 1] === type) found++;
          at += extended ? 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!) : 3 + bytes[at + 2]!;
        }
      }
      return found / table.pool.count;
    };
    expect([share(1), share(2)]).toEqual([1, 1]);
    expect(share(8)).toBeCloseTo(0.67, 1);
    expect(share(4)).toBeCloseTo(0.28, 1);
    expect(share(32)).toBeCloseTo(0.16, 1);
  });

  test.each([1, 2, 7, 100])('works with %i routes', (routes) => {
    expect(fullTable({ ...SHAPE, routes }).count).toBe(routes);
  });
});

describe('a table behind another', () => {
  test('keeps both: prefixes and attribute sets', () => {
    const table = fullTable({ ...SHAPE, routes: 50 });
    const blocks = blockTable(7);
    const before = prefixesOf(table);
    appendTable(table, blocks);
    expect(prefixesOf(table)).toEqual([...before, ...prefixesOf(blocks)]);
    expect(table.pool.get(table.attributes[56]!)).toEqual(blocks.pool.get(blocks.attributes[6]!));
  });
});

describe('a sender stream', () => {
  test('announces the whole table with the own AS in front, and withdraws it', () => {
    const table = fullTable(SHAPE);
    const announce = announceStream(table, WHOLE(table), SENDER);
    const routes = replayed(announce);
    expect([...routes.keys()].sort()).toEqual(prefixesOf(table).sort());
    const asHex = SENDER_AS.toString(16).padStart(8, '0');
    // AS_PATH follows ORIGIN: flags, type, length, segment type, count, first AS.
    expect([...routes.values()].every((hex) => hex.slice(18, 26) === asHex)).toBe(true);
    expect(replayed(announce, withdrawStream(table, WHOLE(table))).size).toBe(0);
  });

  test('leaves the path alone inside an AS and adds LOCAL_PREF', () => {
    const table = blockTable(10);
    const stream = announceStream(table, WHOLE(table), { ...SENDER, asn: DAEMON_AS });
    const attributesLength = (stream[21]! << 8) | stream[22]!;
    const block = stream.subarray(23, 23 + attributesLength);
    expect(Buffer.from(block).toString('hex')).toBe(
      '40010100' + '400200' + '4003040a000002' + '40050400000064',
    );
  });

  test('says what its table says, for any table of either family', () => {
    const row = fc.record({ address: fc.uint8Array({ minLength: 16, maxLength: 16 }), bits: fc.nat(128) });
    fc.assert(
      fc.property(fc.boolean(), fc.array(row, { minLength: 1, maxLength: 300 }), (ipv6, rows) => {
        const family = ipv6 ? IPV6_UNICAST : IPV4_UNICAST;
        const pool = new AttributePool();
        const table = new RouteTable(family, pool, 1);
        for (const [i, { address, bits }] of rows.entries()) {
          const length = Math.min(bits, family.maxBits);
          const bytes = maskBytes(address.subarray(0, family.nextHopBytes), length);
          const set = pool.intern(Uint8Array.from([0x40, 1, 1, i % 3, 0x40, 2, 0]));
          table.add(bytes, length, set);
        }
        const routes = replayed(announceStream(table, WHOLE(table), SENDER));
        expect(new Set(routes.keys())).toEqual(new Set(prefixesOf(table)));
        const half = { from: 0, to: table.count >> 1 };
        const gone = new Set(prefixesOf(table).slice(0, half.to));
        const rest = prefixesOf(table).filter((prefix) => !gone.has(prefix));
        const after = replayed(announceStream(table, WHOLE(table), SENDER), withdrawStream(table, half));
        expect(new Set(after.keys())).toEqual(new Set(rest));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a prefix index', () => {
  test('finds every route of its table and nothing else', () => {
    const table = fullTable(SHAPE);
    const index = new PrefixIndex(table);
    for (let i = 0; i < table.count; i++) expect(index.find(table.words, i, table.lengths[i]!)).toBe(i);
    expect(index.find(Int32Array.of(0x0a000000), 0, 8)).toBe(-1);
    expect(index.find(table.words, 0, 32)).toBe(-1);
  });
});

describe('a sink', () => {
  const table = fullTable({ ...SHAPE, routes: 200 });
  const hasher = new AttributeHasher([DAEMON_AS, SENDER_AS]);
  const expectation = new Expectation(table, hasher, undefined);

  function feed(sink: Sink, stream: Uint8Array, told = expectation): void {
    const reader = new UpdateReader(told, { repeats: false });
    forEachMessage(stream, (message) => sink.update(reader.read(viewOf(message), 0, message.length)));
  }

  test('is complete when everything came, whatever the bench ASes in front', () => {
    const sink = new Sink(table.count, { from: 0, to: 200, own: undefined });
    feed(sink, announceStream(table, WHOLE(table), { ...SENDER, asn: DAEMON_AS, peerAs: 1 }));
    expect([sink.present, sink.wrong, sink.expectedCount]).toEqual([200, 0, 200]);
    expect(sink.counters).toMatchObject({ duplicates: 0, unexpected: 0, echoed: 0 });
    feed(sink, withdrawStream(table, WHOLE(table)));
    expect(sink.present).toBe(0);
  });

  test('tells missing routes, duplicates, echoes and strangers', () => {
    const sink = new Sink(table.count, { from: 0, to: 150, own: { from: 100, to: 120 } });
    expect(sink.expectedCount).toBe(130);
    feed(sink, announceStream(table, { from: 0, to: 50 }, SENDER));
    feed(sink, announceStream(table, { from: 0, to: 10 }, SENDER));
    feed(sink, announceStream(table, { from: 105, to: 110 }, SENDER));
    feed(sink, announceStream(table, { from: 190, to: 200 }, SENDER));
    expect(sink.present).toBe(50);
    expect(sink.counters).toMatchObject({ duplicates: 10, echoed: 5, unexpected: 10 });
    expect(sink.missing(3)).toEqual([50, 51, 52]);
  });

  test('notices altered attributes, and the correction', () => {
    const sink = new Sink(table.count, { from: 0, to: 200, own: undefined });
    const altered = new RouteTable(IPV4_UNICAST, new AttributePool(), 200);
    altered.count = 200;
    altered.words = table.words;
    altered.lengths = table.lengths;
    altered.attributes = new Int32Array(200).fill(
      altered.pool.intern(Uint8Array.of(0x40, 1, 1, 2, 0x40, 2, 0)),
    );
    feed(sink, announceStream(altered, WHOLE(altered), SENDER));
    expect([sink.present, sink.wrong]).toEqual([200, 200]);
    feed(sink, announceStream(table, WHOLE(table), SENDER));
    expect([sink.present, sink.wrong]).toEqual([200, 0]);
  });

  test('tells single routes apart from the table', () => {
    const seen: [number, boolean][] = [];
    const gone: number[] = [];
    const singles = {
      from: 198,
      observer: {
        announced: (number: number, _hash: number, right: boolean) => void seen.push([number, right]),
        withdrawn: (number: number) => void gone.push(number),
        reset: () => void gone.push(-1),
      },
    };
    const sink = new Sink(table.count, { from: 0, to: 198, own: undefined, singles });
    feed(sink, announceStream(table, { from: 190, to: 200 }, SENDER));
    expect(seen.sort()).toEqual([
      [0, true],
      [1, true],
    ]);
    expect([sink.present, sink.counters.unexpected, sink.counters.echoed]).toEqual([8, 0, 0]);
    feed(sink, withdrawStream(table, { from: 197, to: 200 }));
    expect(gone).toEqual([0, 1]);
    expect([sink.present, sink.counters.withdrawn, sink.counters.unexpected]).toEqual([7, 3, 0]);
    sink.reset();
    expect(gone).toEqual([0, 1, -1]);
    expect(sink.present).toBe(0);
  });

  test('notices a changed next hop where it must not change', () => {
    const kept = new Uint32Array(200).fill(0x0a000002);
    const strict = new Expectation(table, hasher, kept);
    const sink = new Sink(table.count, { from: 0, to: 200, own: undefined });
    const moved = { ...SENDER, nextHop4: parseAddress('10.0.0.3')!.bytes };
    feed(sink, announceStream(table, WHOLE(table), moved), strict);
    expect([sink.present, sink.wrong]).toEqual([200, 200]);
    feed(sink, announceStream(table, WHOLE(table), SENDER), strict);
    expect(sink.wrong).toBe(0);
  });
});

describe('octets that come to several receivers', () => {
  const own = (table: RouteTable) => ({ from: 0, to: table.count, own: undefined });

  test.each([IPV4_UNICAST, IPV6_UNICAST])('mean what they mean to one ($name)', (family) => {
    const pool = new AttributePool();
    const sets = [0, 1, 2].map((origin) => pool.intern(Uint8Array.of(0x40, 1, 1, origin, 0x40, 2, 0)));
    const chunk = fc.record({
      from: fc.nat(99),
      count: fc.integer({ min: 1, max: 40 }),
      kind: fc.constantFrom('announce', 'withdraw', 'alter', 'move'),
      receiver: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), (chunks) => {
        const [table, other] = [0, 1].map((shift) => {
          const made = new RouteTable(family, pool, 100);
          for (let i = 0; i < 100; i++) {
            const words = new Int32Array(family.words).fill(0x20010000 + i);
            made.append(words, 32 * family.words, sets[(i + shift) % 3]!);
          }
          return made;
        }) as [RouteTable, RouteTable];
        const hops = new Uint32Array(table.count).fill(0x0a000002);
        const expectation = new Expectation(table, new AttributeHasher([SENDER_AS]), hops);
        const shared = new UpdateReader(expectation, { repeats: true });
        const results = [0, 1, 2].map(() => ({
          shared: new Sink(table.count, own(table)),
          alone: new Sink(table.count, own(table)),
        }));
        for (const { from, count, kind, receiver } of chunks) {
          const range = { from, to: Math.min(100, from + count) };
          const sender = kind === 'move' ? { ...SENDER, nextHop4: parseAddress('10.0.0.3')!.bytes } : SENDER;
          const stream =
            kind === 'withdraw'
              ? withdrawStream(table, range)
              : announceStream(kind === 'alter' ? other : table, range, sender);
          // What one hears all hear, in the end; what came to one again means the same.
          for (const { shared: together, alone } of [results[receiver]!, ...results]) {
            forEachMessage(stream, (message) => {
              const view = viewOf(message);
              together.update(shared.read(view, 0, message.length));
              alone.update(new UpdateReader(expectation, { repeats: false }).read(view, 0, message.length));
            });
          }
        }
        for (const { shared: together, alone } of results) {
          expect(together.counters).toEqual(alone.counters);
          expect([together.present, together.wrong]).toEqual([alone.present, alone.wrong]);
        }
      }),
    );
  });
});

test('a table in the order of its stream gives the same stream, and is read through once', () => {
  const table = fullTable(SHAPE);
  const order = byAttributeSet(table, WHOLE(table));
  const sorted = table.reordered(order);
  const stream = announceStream(table, WHOLE(table), SENDER);
  expect(announceStream(sorted, WHOLE(sorted), SENDER)).toEqual(stream);
  expect([...byAttributeSet(sorted, WHOLE(sorted))]).toEqual([...sorted.lengths.keys()]);
  expect([...sorted.attributes]).toEqual([...order].map((index) => table.attributes[index]));
});

describe('single changes', () => {
  const table = fullTable({ ...SHAPE, routes: 50 });
  const writer = new SingleWriter(table, SENDER);

  test('say the same as a stream of those routes', () => {
    const all = Array.from({ length: table.count }, (_, index) => ({ index, set: table.attributes[index]! }));
    expect(replayed(writer.write(all))).toEqual(replayed(announceStream(table, WHOLE(table), SENDER)));
    let messages = 0;
    forEachMessage(writer.write(all), () => void messages++);
    expect(messages).toBe(table.count);
  });

  test('give a route another set, and withdraw it', () => {
    const set = (table.attributes[3]! + 1) % table.pool.count;
    const [prefix] = prefixesOf(table).slice(3, 4);
    const routes = replayed(
      writer.write([
        { index: 3, set },
        { index: 4, set },
        { index: 4, set: -1 },
      ]),
    );
    expect([...routes.keys()]).toEqual([prefix]);
    expect(replayed(writer.write([{ index: 3, set }]), withdrawStream(table, { from: 3, to: 4 })).size).toBe(
      0,
    );
  });
});

test.each([
  ['IPv4', IPV4_UNICAST, '0017 02 0000 0000'],
  ['IPv6', IPV6_UNICAST, '001e 02 0000 0007 90 0f 0003 0002 01'],
])('End-of-RIB of %s is an UPDATE that says nothing', (_, family, hex) => {
  const message = endOfRib(new RouteTable(family, new AttributePool()));
  expect(Buffer.from(message).subarray(16).toString('hex')).toBe(hex.replaceAll(' ', ''));
});

describe('routes that a daemon must refuse as loops', () => {
  const set = (...path: number[]): Uint8Array =>
    Uint8Array.from([0x40, 1, 1, 0, 0x40, 2, path.length, ...path]);
  const table = new RouteTable(IPV4_UNICAST, new AttributePool());
  const paths = [
    set(2, 1, 0, 0, 0, 9), // a sequence without the AS
    set(2, 2, 0, 0, 0, 9, 0, 0, 0, 7), // with it
    set(2, 1, 0, 0, 0, 9, 1, 2, 0, 0, 0, 8, 0, 0, 0, 7), // in a set
    set(2, 2, 0, 0, 7, 0, 0, 7, 0, 0), // the same octets across ASes
    set(),
  ];
  paths.forEach((path, i) => {
    table.add(Uint8Array.of(20, i, 0, 0), 16, table.pool.intern(path));
  });

  test('are left out, others stay as they are', () => {
    expect(prefixesOf(withoutLoops(table, 7))).toEqual(['20.0.0.0/16', '20.3.0.0/16', '20.4.0.0/16']);
    expect([...withoutLoops(table, 7).attributes.subarray(0, 3)]).toEqual([0, 3, 4]);
  });

  test('where there are none, the table is what it was', () => {
    expect(withoutLoops(table, 70)).toBe(table);
  });
});

describe('an attribute hash', () => {
  const hasher = new AttributeHasher([DAEMON_AS]);
  const hash = (hex: string): number => {
    const bytes = Buffer.from(hex, 'hex');
    return hasher.hash(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  };

  test('ignores the order of communities and what a daemon may rewrite', () => {
    const first = '40010100400206020100000001c0080800010002 00030004';
    const other = '40010100c008080003000400010002400206020100000001400304 0a000001 800404 00000005';
    expect(hash(first.replaceAll(' ', ''))).toBe(hash(other.replaceAll(' ', '')));
  });

  test('depends on path, origin and every community', () => {
    const variants = [
      '40010100400206020100000001',
      '40010102400206020100000001',
      '40010100400206020100000002',
      '40010100400206010100000001',
      '40010100400206020100000001c0080400010002',
      '40010100400206020100000001c0080400010003',
    ];
    expect(new Set(variants.map(hash)).size).toBe(variants.length);
  });
});

describe('reading dumped attributes', () => {
  test('merges AS4_PATH into a path with AS_TRANS (RFC 6793 §4.2.3)', () => {
    const block = Buffer.from(
      '40010100' +
        '40020802030001 5ba05ba0'.replace(' ', '') +
        'c0110a0202 0001000100010002'.replace(' ', ''),
      'hex',
    );
    const { bytes } = readAttributes(block, { as4: false, shortMpReach: false });
    expect(Buffer.from(bytes).toString('hex')).toBe('4001010040021002010000000102020001000100010002');
  });
});
