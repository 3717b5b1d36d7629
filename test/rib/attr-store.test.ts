import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttributeValues, encodeAttributes } from '../../src/bgp/wire/attribute-values.ts';
import { ATTR_FLAG, AttrStore } from '../../src/rib/attr-store.ts';
import { onlyToCustomerOf, sameAsPath } from '../../src/rib/attr-values.ts';
import { NextHopTable } from '../../src/rib/next-hops.ts';
import {
  ExtrasTable,
  type ExtraValue,
  NO_EXTRAS,
  plainExtras,
  type RouteExtras,
} from '../../src/rib/route-extras.ts';
import { quad } from './lab.ts';

function stores(): { attrs: AttrStore; hops: number[]; nextHops: NextHopTable } {
  const nextHops = new NextHopTable();
  const hops = [1, 2, 3].map((last) => nextHops.intern(Uint8Array.of(192, 0, 2, last), 4, undefined));
  return { attrs: new AttrStore(nextHops, 100, 16), hops, nextHops };
}

/** Makes so many sets that nobody refers to that all of these are let go. */
function sweep(attrs: AttrStore, hop: number): void {
  for (let i = 0; i < 1 << 10; i++) {
    attrs.release(attrs.intern(Uint8Array.of(0x80, 4, 4, 0xff, 0, i >>> 8, i), 0, 7, hop));
  }
}

describe('AttrStore', () => {
  it('finds a set again that nobody refers to, with its columns, until there are many', () => {
    const { attrs, hops, nextHops } = stores();
    const bytes = encodeAttributes({ asPath: '1 2 3', med: 4 });
    const id = attrs.intern(bytes, 0, bytes.length, hops[0]!);
    attrs.release(id);
    nextHops.release(hops[0]!);
    expect([attrs.size, attrs.references(id), [...nextHops.values()].length]).toEqual([0, 0, 2]);
    const again = nextHops.intern(Uint8Array.of(192, 0, 2, 1), 4, undefined);
    expect(attrs.intern(bytes, 0, bytes.length, again)).toBe(id);
    expect([attrs.size, attrs.references(id), attrs.med[id], attrs.asLength[id]]).toEqual([1, 1, 4, 3]);
    nextHops.release(again);
    expect([...nextHops.values()].length).toBe(3);
    attrs.release(id);
    sweep(attrs, hops[1]!);
    expect(attrs.size).toBe(0);
    expect([...nextHops.values()].length).toBe(2);
  });

  it('keeps few octets of sets that nobody refers to, however long they are', () => {
    const { attrs, hops } = stores();
    // Two octets of flags and type, two of the length.
    const bytes = new Uint8Array(4 + 60_000).fill(7);
    bytes.set([0xd0, 99, 60_000 >> 8, 60_000 & 0xff]);
    // Many that somebody has: what nobody has may be as many.
    for (let i = 0; i < 3000; i++) {
      const path = encodeAttributes({ asPath: String(i + 1) });
      attrs.intern(path, 0, path.length, hops[0]!);
    }
    const before = attrs.octets;
    for (let i = 0; i < 1000; i++) {
      bytes[10] = i >>> 8;
      bytes[11] = i & 0xff;
      attrs.release(attrs.intern(bytes, 0, bytes.length, hops[0]!));
    }
    expect(attrs.size).toBe(3000);
    expect(attrs.octets - before).toBeLessThan(40 * (1 << 20));
  });

  it('lets go of sets that nobody refers to rather than take more room', () => {
    const nextHops = new NextHopTable();
    const hop = nextHops.intern(Uint8Array.of(192, 0, 2, 1), 4, undefined);
    const rows = 1 << 13;
    const attrs = new AttrStore(nextHops, 100, rows);
    const pathOf = (i: number): Uint8Array =>
      encodeAttributes({ asPath: `64512 64513 64514 64515 64516 64517 ${i}`, med: i });
    const held = 7000;
    const room = attrs.bytes.length;
    for (let i = 0; i < 10 * rows; i++) {
      const path = pathOf(i);
      const id = attrs.intern(path, 0, path.length, hop);
      if (i >= held) attrs.release(id);
    }
    expect([attrs.size, attrs.bytes.length]).toEqual([held, room]);
  });

  it('does what a Map with counted references does', () => {
    const set = fc.record({
      bytes: fc.nat({ max: 30 }).map((i) => encodeAttributes({ asPath: String(i), med: i % 4 })),
      hop: fc.nat({ max: 2 }),
    });
    const step = fc.record({ set, release: fc.boolean(), extra: fc.boolean(), compact: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const { attrs, hops, nextHops } = stores();
        const model = new Map<string, { id: number; refs: number }>();
        for (const { set: each, release, extra, compact } of steps) {
          if (compact) attrs.compact();
          const text = `${each.hop} ${each.bytes.join()}`;
          const known = model.get(text);
          if (release) {
            if (known === undefined) continue;
            attrs.release(known.id);
            if (--known.refs === 0) model.delete(text);
            continue;
          }
          const source = new Uint8Array(each.bytes.length + 3);
          source.set(each.bytes, 2);
          const id = attrs.intern(source, 2, each.bytes.length, hops[each.hop]!);
          if (known !== undefined) expect(id).toBe(known.id);
          else expect([...model.values()].some((entry) => entry.id === id)).toBe(false);
          const entry = known ?? { id, refs: 0 };
          model.set(text, entry);
          entry.refs++;
          if (extra) {
            attrs.hold(id);
            entry.refs++;
          }
        }
        expect(attrs.size).toBe(model.size);
        for (const [text, { id, refs }] of model) {
          const hop = hops.indexOf(attrs.nextHop[id]!);
          expect(`${hop} ${attrs.copy(id).join()}`).toBe(text);
          expect(attrs.references(id)).toBe(refs);
          expect(id).toBeLessThan(attrs.limit);
        }
        for (const { id, refs } of model.values()) for (let i = 0; i < refs; i++) attrs.release(id);
        for (const hop of hops) nextHops.release(hop);
        expect([attrs.size, [...nextHops.values()].length]).toEqual([0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('finds every set while it grows and shrinks, and uses ids again', () => {
    const { attrs, hops } = stores();
    const count = 20_000;
    const bytesOf = (i: number) => Uint8Array.of(0x40, 1, 1, 0, 0x80, 4, 4, 0, i >>> 16, i >>> 8, i);
    const ids = Array.from({ length: count }, (_, i) => attrs.intern(bytesOf(i), 0, 11, hops[0]!));
    expect(new Set(ids).size).toBe(count);
    for (let i = 0; i < count; i++) if (i % 50 !== 0) attrs.release(ids[i]!);
    expect(attrs.size).toBe(count / 50);
    for (let i = 0; i < count; i += 50) {
      if (attrs.intern(bytesOf(i), 0, 11, hops[0]!) !== ids[i]) expect(i).toBeUndefined();
    }
    const { limit } = attrs;
    for (let i = 0; i < count; i++) if (i % 50 !== 0) attrs.intern(bytesOf(i), 0, 11, hops[1]!);
    expect(attrs.limit).toBeLessThan(limit * 1.25);
    for (let i = 1; i < count; i++) {
      if (i % 50 === 0) continue;
      const id = attrs.intern(bytesOf(i), 0, 11, hops[1]!);
      if (attrs.med[id] !== i) expect(i).toBeUndefined();
    }
  });

  it('fills all columns anew when an id is used again', () => {
    const { attrs, hops } = stores();
    const full = encodeAttributes({
      origin: 'INCOMPLETE',
      asPath: '1 2 3',
      med: 4,
      localPref: 5,
      originatorId: '10.0.0.1',
      clusterList: ['10.0.0.2', '10.0.0.3'],
      communities: ['NO_EXPORT'],
    });
    const first = attrs.intern(full, 0, full.length, hops[0]!);
    attrs.release(first);
    sweep(attrs, hops[2]!);
    const bare = encodeAttributes({});
    const second = attrs.intern(bare, 0, bare.length, hops[1]!);
    expect(second).toBe(first);
    expect(columns(attrs, second)).toEqual({
      origin: 0,
      asLength: 0,
      neighborAs: 0,
      med: 0,
      localPref: 100,
      originatorId: 0,
      clusterLength: 0,
      flags: [],
    });
  });
});

describe('what stands for an attribute that is not there', () => {
  it('is the default, of sets at hand too, and leaves those with the attribute alone', () => {
    const { attrs, hops } = stores();
    const intern = (values: Partial<AttributeValues>) => {
      const bytes = encodeAttributes(values);
      return attrs.intern(bytes, 0, bytes.length, hops[0]!);
    };
    const [bare, full] = [intern({}), intern({ med: 0, localPref: 5 })];
    attrs.useDefaultLocalPref(200);
    attrs.useDefaultMed(55);
    const later = intern({ asPath: '1' });
    expect(columns(attrs, bare)).toMatchObject({ localPref: 200, med: 55, flags: [] });
    expect(columns(attrs, full)).toMatchObject({ localPref: 5, med: 0 });
    expect(columns(attrs, later)).toMatchObject({ localPref: 200, med: 55, flags: [] });
  });
});

function columns(attrs: AttrStore, id: number) {
  return {
    origin: attrs.origin[id],
    asLength: attrs.asLength[id],
    neighborAs: attrs.neighborAs[id],
    med: attrs.med[id],
    localPref: attrs.localPref[id],
    originatorId: attrs.originatorId[id],
    clusterLength: attrs.clusterLength[id],
    flags: Object.entries(ATTR_FLAG)
      .filter(([, bit]) => (attrs.flags[id]! & bit) !== 0)
      .map(([name]) => name),
  };
}

describe('what the columns say', () => {
  const rows: readonly [string, Partial<AttributeValues>, Partial<ReturnType<typeof columns>>][] = [
    ['ORIGIN', { origin: 'EGP' }, { origin: 1 }],
    ['MED, unsigned', { med: 0xfffffffe }, { med: 0xfffffffe, flags: ['med'] }],
    ['a MED of 0', { med: 0 }, { med: 0, flags: ['med'] }],
    ['LOCAL_PREF', { localPref: 0 }, { localPref: 0, flags: ['localPref'] }],
    ['AS_PATH', { asPath: '4200000000 2 3' }, { asLength: 3, neighborAs: 4200000000 }],
    ['an AS_SET in front', { asPath: '{1 2} 3' }, { asLength: 2, neighborAs: 0 }],
    ['confederation segments in front', { asPath: '(7 8) 9' }, { asLength: 1, neighborAs: 9 }],
    [
      'ORIGINATOR_ID',
      { originatorId: '200.0.0.1' },
      { originatorId: quad('200.0.0.1'), flags: ['originatorId'] },
    ],
    ['CLUSTER_LIST', { clusterList: ['1.1.1.1', '2.2.2.2'] }, { clusterLength: 2, flags: ['clusterList'] }],
    ['AIGP', { aigp: '1' }, { flags: ['aigp'] }],
    ['OTC', { onlyToCustomer: 5 }, { flags: ['onlyToCustomer'] }],
    ['a community like NO_EXPORT of another AS', { communities: ['65534:65281'] }, { flags: [] }],
    ['a transitive extended community', { extendedCommunities: ['rt:1:1'] }, { flags: [] }],
    [
      'a non-transitive extended community behind a transitive one',
      { extendedCommunities: ['rt:1:1', 'generic:0x43000064:0x1'] },
      { flags: ['nonTransitiveExtended'] },
    ],
    ...(
      [
        ['NO_EXPORT', 'noExport'],
        ['NO_ADVERTISE', 'noAdvertise'],
        ['NO_EXPORT_SUBCONFED', 'noExportSubconfed'],
        ['GRACEFUL_SHUTDOWN', 'gracefulShutdown'],
        ['LLGR_STALE', 'llgrStale'],
        ['NO_LLGR', 'noLlgr'],
      ] as const
    ).map(([community, flag]): [string, Partial<AttributeValues>, Partial<ReturnType<typeof columns>>] => [
      community,
      { communities: ['65000:1', community] },
      { flags: [flag] },
    ]),
  ];

  it.each(rows)('%s', (_title, values, wanted) => {
    const { attrs, hops } = stores();
    const bytes = encodeAttributes(values);
    const id = attrs.intern(bytes, 0, bytes.length, hops[0]!);
    expect(columns(attrs, id)).toMatchObject(wanted);
  });

  it('has a row for every flag', () => {
    // Not from octets: see the extras below.
    const named = new Set(['settled', ...rows.flatMap(([, , wanted]) => wanted.flags ?? [])]);
    expect([...named].sort()).toEqual(Object.keys(ATTR_FLAG).sort());
  });

  it('reads attributes with two length octets', () => {
    const { attrs, hops } = stores();
    const communities = Array.from({ length: 100 }, (_, i) => `65000:${i}`);
    const bytes = encodeAttributes({
      asPath: '7',
      communities: [...communities, 'NO_EXPORT'],
      onlyToCustomer: 9,
    });
    const id = attrs.intern(bytes, 0, bytes.length, hops[0]!);
    expect(columns(attrs, id).flags).toEqual(['noExport', 'onlyToCustomer']);
    expect(onlyToCustomerOf(attrs, id)).toBe(9);
  });

  it('compares AS_PATHs octet for octet, wherever they lie', () => {
    const { attrs, hops } = stores();
    const idOf = (values: Partial<AttributeValues>) => {
      const bytes = encodeAttributes(values);
      return attrs.intern(bytes, 0, bytes.length, hops[0]!);
    };
    const one = idOf({ asPath: '1 2 3' });
    expect(sameAsPath(attrs, one, idOf({ asPath: '1 2 3', med: 7, origin: 'EGP' }))).toBe(true);
    expect(sameAsPath(attrs, one, idOf({ asPath: '1 2 4' }))).toBe(false);
    expect(sameAsPath(attrs, one, idOf({ asPath: '1 2' }))).toBe(false);
    expect(sameAsPath(attrs, one, idOf({ asPath: '1 {2} 3' }))).toBe(false);
    expect(sameAsPath(attrs, idOf({ asPath: '' }), idOf({ asPath: '', med: 1 }))).toBe(true);
  });
});

describe('what a set has beside its octets', () => {
  const BLACKHOLE: RouteExtras = { ...plainExtras('bgp'), preference: 150, destination: 'blackhole' };

  it('is part of its identity, and kept as long as the set', () => {
    const { attrs, hops } = stores();
    const table = attrs.extrasTable;
    const bytes = encodeAttributes({ asPath: '7' });
    const plain = attrs.intern(bytes, 0, bytes.length, hops[0]!);
    const extras = table.intern(BLACKHOLE);
    const other = attrs.intern(bytes, 0, bytes.length, hops[0]!, extras);
    expect(other).not.toBe(plain);
    expect(attrs.intern(bytes, 0, bytes.length, hops[0]!, table.intern({ ...BLACKHOLE }))).toBe(other);
    expect(columns(attrs, other).flags).toEqual(['settled']);
    expect(columns(attrs, plain).flags).toEqual([]);
    expect(table.get(attrs.extras[plain]!)).toEqual(plainExtras('bgp'));
    table.release(extras);
    table.release(extras);
    attrs.release(other);
    expect(table.get(extras)).toEqual(BLACKHOLE);
    attrs.release(other);
    expect(table.size).toBe(0);
    // The same set with other extras under the old id, then an id that another set had.
    const blackhole = table.intern(BLACKHOLE);
    expect(blackhole).toBe(extras);
    expect(attrs.intern(bytes, 0, bytes.length, hops[0]!, blackhole)).toBe(other);
    table.release(blackhole);
    expect(table.size).toBe(1);
    attrs.release(other);
    sweep(attrs, hops[1]!);
    const next = encodeAttributes({ asPath: '8' });
    const reused = attrs.intern(next, 0, next.length, hops[0]!);
    expect(reused).toBe(other);
    expect(attrs.extras[reused]).toBe(NO_EXTRAS);
  });

  it('tells values of different kinds and names apart', () => {
    const table = new ExtrasTable();
    const of = (name: string, value: ExtraValue) =>
      table.intern({ ...plainExtras('kernel'), values: new Map([[name, value]]) });
    const ids = [of('krt_metric', 1), of('krt_metric', '1'), of('krt_metric', true), of('krt_realm', 1)];
    expect(new Set(ids).size).toBe(ids.length);
    expect(table.preference[ids[0]!]).toBe(10);
    for (const id of ids) table.release(id);
    expect(table.size).toBe(0);
  });

  it('is nothing for a BGP route as it came', () => {
    expect(new ExtrasTable().intern(plainExtras('bgp'))).toBe(NO_EXTRAS);
  });
});
