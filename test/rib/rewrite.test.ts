import { describe, expect, it } from 'vitest';
import {
  type AttributeValues,
  decodeAttributes,
  encodeAttributes,
} from '../../src/bgp/wire/attribute-values.ts';
import { IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { formatAddress, parsePrefix } from '../../src/lib/ip.ts';
import { AttrStore } from '../../src/rib/attr-store.ts';
import { WITHHELD, WITHHELD_SENTENCES, type WithheldCause } from '../../src/rib/distribution.ts';
import type { ExportOptions } from '../../src/rib/export-options.ts';
import { NextHopTable } from '../../src/rib/next-hops.ts';
import { ExportRewriter } from '../../src/rib/rewrite.ts';
import { PeerTable, type RibPeer, type RibPeerIdentity } from '../../src/rib/rib-peer.ts';
import { exportOptions, identity, importOptions, octets } from './lab.ts';

class Lab {
  readonly nextHops = new NextHopTable();
  readonly attrs = new AttrStore(this.nextHops, 100);
  readonly peers = new PeerTable();

  rewriter(options: ExportOptions): ExportRewriter {
    return new ExportRewriter(options, this.attrs, this.peers);
  }

  peer(overrides: Partial<RibPeerIdentity>): RibPeer {
    return this.peers.add(identity(overrides), importOptions());
  }

  /** An attribute set held once. */
  intern(values: Partial<AttributeValues>, nextHop = '192.0.2.7'): number {
    const wire = nextHop.split('+').flatMap((text) => [...octets(text)]);
    const hop = this.nextHops.intern(Uint8Array.from(wire), wire.length, undefined);
    const bytes = encodeAttributes(values);
    const attr = this.attrs.intern(bytes, 0, bytes.length, hop);
    this.nextHops.release(hop);
    return attr;
  }
}

interface Exported {
  readonly cause: WithheldCause;
  readonly values: AttributeValues;
  /** `undefined` where nothing is sent. */
  readonly nextHop: string | undefined;
}

const EXTERNAL = { source: 'external' } as const;
const MEMBER = { source: 'confederation' } as const;
const CLIENT = { source: 'internal', client: true, routerId: 0x0a000005 } as const;
const NON_CLIENT = { source: 'internal', client: false, routerId: 0x0a000006 } as const;
const LOCAL = { source: 'local' } as const;

const TO_EBGP = { peerType: 'external' } as const;
const TO_MEMBER = { peerType: 'confederation' } as const;
const OUT_OF_CONFEDERATION = { ...TO_EBGP, localAs: 64500, leavesConfederation: true } as const;
const TO_CLIENT = { peerType: 'internal', client: true } as const;
const TO_NON_CLIENT = { peerType: 'internal', client: false } as const;

function exported(
  from: Partial<RibPeerIdentity>,
  options: Partial<ExportOptions>,
  attributes: Partial<AttributeValues> = {},
  nextHop?: string,
): Exported {
  const lab = new Lab();
  const rewriter = lab.rewriter(exportOptions(options));
  const attr = lab.intern({ asPath: '65001 65002', ...attributes }, nextHop);
  const peer = lab.peer(from).id;
  const cause = rewriter.judge(attr, peer);
  const sent = cause === WITHHELD.none ? rewriter.render(attr, peer) : undefined;
  const result = {
    cause,
    values: decodeAttributes(sent === undefined ? new Uint8Array(0) : sent.bytes.slice(0, sent.length)),
    nextHop: sent === undefined ? undefined : wireText(sent.nextHop),
  };
  lab.attrs.release(attr);
  expect([lab.attrs.size, [...lab.nextHops.values()].length]).toEqual([0, 0]);
  return result;
}

function wireText(wire: Uint8Array): string {
  return wire.length === 32
    ? `${formatAddress(wire.subarray(0, 16))}+${formatAddress(wire.subarray(16))}`
    : formatAddress(wire);
}

describe('who may have a route', () => {
  interface Row {
    readonly title: string;
    readonly from: Partial<RibPeerIdentity>;
    readonly to: Partial<ExportOptions>;
    readonly attributes?: Partial<AttributeValues>;
    readonly cause: WithheldCause;
  }
  const otc = { onlyToCustomer: 65001 };
  const noExport = { communities: ['65000:1', 'NO_EXPORT'] };
  const rows: readonly Row[] = [
    { title: 'eBGP -> eBGP', from: EXTERNAL, to: TO_EBGP, cause: WITHHELD.none },
    { title: 'eBGP -> iBGP', from: EXTERNAL, to: TO_NON_CLIENT, cause: WITHHELD.none },
    { title: 'local -> iBGP', from: LOCAL, to: TO_NON_CLIENT, cause: WITHHELD.none },
    { title: 'local -> eBGP', from: LOCAL, to: TO_EBGP, cause: WITHHELD.none },
    { title: 'iBGP -> eBGP', from: NON_CLIENT, to: TO_EBGP, cause: WITHHELD.none },
    { title: '4271-9.2-1 iBGP -> iBGP', from: NON_CLIENT, to: TO_NON_CLIENT, cause: WITHHELD.notReflected },
    { title: '4456-6-1 client -> non-client', from: CLIENT, to: TO_NON_CLIENT, cause: WITHHELD.none },
    { title: '4456-6-1 client -> client', from: CLIENT, to: TO_CLIENT, cause: WITHHELD.none },
    { title: '4456-6-1 non-client -> client', from: NON_CLIENT, to: TO_CLIENT, cause: WITHHELD.none },
    {
      title: 'client -> client where the clients are fully meshed',
      from: CLIENT,
      to: { ...TO_CLIENT, clientToClient: false },
      cause: WITHHELD.clientToClient,
    },
    {
      title: 'client -> non-client where the clients are fully meshed',
      from: CLIENT,
      to: { ...TO_NON_CLIENT, clientToClient: false },
      cause: WITHHELD.none,
    },
    {
      title: '1997-wk-1 NO_EXPORT -> eBGP',
      from: EXTERNAL,
      to: TO_EBGP,
      attributes: noExport,
      cause: WITHHELD.noExport,
    },
    {
      title: '1997-wk-1 NO_EXPORT -> iBGP',
      from: EXTERNAL,
      to: TO_NON_CLIENT,
      attributes: noExport,
      cause: WITHHELD.none,
    },
    {
      title: '1997-wk-2 NO_ADVERTISE -> eBGP',
      from: EXTERNAL,
      to: TO_EBGP,
      attributes: { communities: ['NO_ADVERTISE'] },
      cause: WITHHELD.noAdvertise,
    },
    {
      title: '1997-wk-2 NO_ADVERTISE -> iBGP',
      from: LOCAL,
      to: TO_CLIENT,
      attributes: { communities: ['NO_ADVERTISE'] },
      cause: WITHHELD.noAdvertise,
    },
    {
      title: '1997-wk-3 NO_EXPORT_SUBCONFED -> eBGP',
      from: EXTERNAL,
      to: TO_EBGP,
      attributes: { communities: ['NO_EXPORT_SUBCONFED'] },
      cause: WITHHELD.noExport,
    },
    {
      title: '1997-wk-3 NO_EXPORT_SUBCONFED -> iBGP',
      from: EXTERNAL,
      to: TO_NON_CLIENT,
      attributes: { communities: ['NO_EXPORT_SUBCONFED'] },
      cause: WITHHELD.none,
    },
    {
      title: '1997-wk-3 NO_EXPORT_SUBCONFED -> another member AS',
      from: EXTERNAL,
      to: TO_MEMBER,
      attributes: { communities: ['NO_EXPORT_SUBCONFED'] },
      cause: WITHHELD.noExport,
    },
    {
      title: '1997-wk-1 NO_EXPORT -> another member AS',
      from: EXTERNAL,
      to: TO_MEMBER,
      attributes: noExport,
      cause: WITHHELD.none,
    },
    ...['NO_EXPORT', 'NO_ADVERTISE', 'NO_EXPORT_SUBCONFED'].map((community) => ({
      title: `${community} -> eBGP where communities are not interpreted`,
      from: EXTERNAL,
      to: { ...TO_EBGP, interpretCommunities: false },
      attributes: { communities: [community] },
      cause: WITHHELD.none,
    })),
    ...[
      { title: 'iBGP -> another member AS', from: NON_CLIENT, to: TO_MEMBER },
      { title: 'another member AS -> iBGP', from: MEMBER, to: TO_NON_CLIENT },
      { title: 'one member AS -> another', from: MEMBER, to: TO_MEMBER },
    ].map((row) => ({ ...row, cause: WITHHELD.none })),
    ...(['customer', 'peer', 'rs-client'] as const).map((role) => ({
      title: `9234-5-4 OTC where the own role is ${role}`,
      from: EXTERNAL,
      to: { ...TO_EBGP, role },
      attributes: otc,
      cause: WITHHELD.onlyToCustomer,
    })),
    ...(['provider', 'rs-server', undefined] as const).map((role) => ({
      title: `9234-5-4 OTC where the own role is ${role}`,
      from: EXTERNAL,
      to: { ...TO_EBGP, role },
      attributes: otc,
      cause: WITHHELD.none,
    })),
    {
      title: '8212-3-2 eBGP without export policy',
      from: LOCAL,
      to: { ...TO_EBGP, policy: 'none' },
      cause: WITHHELD.noPolicy,
    },
    {
      title: 'export policy rejects',
      from: LOCAL,
      to: { ...TO_CLIENT, policy: 'reject' },
      cause: WITHHELD.policy,
    },
  ];
  it.each(rows)('$title', ({ from, to, attributes, cause }) => {
    expect(exported(from, to, attributes).cause).toBe(cause);
  });

  it('has a sentence for every cause', () => {
    expect(Object.keys(WITHHELD_SENTENCES).map(Number)).toEqual(Object.values(WITHHELD));
  });
});

const FULL: Partial<AttributeValues> = {
  origin: 'EGP',
  asPath: '65001 65002',
  med: 50,
  localPref: 300,
  atomicAggregate: true,
  aggregator: '65002 192.0.2.99',
  communities: ['65001:1'],
  extendedCommunities: ['rt:65001:1', 'generic:0x43000064:0x1'],
  largeCommunities: ['65001:1:1'],
  originatorId: '10.0.0.77',
  clusterList: ['10.0.0.88'],
  aigp: '7',
  unknown: ['200 (partial, transitive): 0102'],
};

describe('to eBGP', () => {
  it.each([
    ['4271-5.1.2-2 into a leading AS_SEQUENCE', '65001 65002', '65000 65001 65002'],
    ['4271-5.1.2-2 before an AS_SET', '{65001 65002}', '65000 {65001 65002}'],
    ['4271-5.1.2-3 as the only AS of an own route', '', '65000'],
  ])('the own AS goes in front: %s', (_title, before, after) => {
    expect(exported(EXTERNAL, TO_EBGP, { asPath: before }).values.asPath).toBe(after);
  });

  it('4271-5.1.2-2 the own AS opens a segment where the first has 255', () => {
    const full = Array.from({ length: 255 }, (_, i) => i + 1).join(' ');
    const { values } = exported(EXTERNAL, { ...TO_EBGP, messageLimit: 65535 }, { asPath: full });
    expect(values.asPath).toBe(`65000 ${full}`);
  });

  it('drops what stays inside, keeps the rest (5.1.1-1, 5.1.4-1, 5.1.5-2, 5.1.6-1, 4456-8-5, 4360-6-1, 7311-3.3-1)', () => {
    expect(exported(EXTERNAL, TO_EBGP, FULL)).toEqual({
      cause: WITHHELD.none,
      nextHop: '10.0.0.254',
      values: {
        ...FULL,
        asPath: '65000 65001 65002',
        med: undefined,
        localPref: undefined,
        extendedCommunities: ['rt:65001:1'],
        originatorId: undefined,
        clusterList: [],
        aigp: undefined,
        onlyToCustomer: undefined,
      },
    });
  });

  it('4360-6-1 an attribute with non-transitive communities alone goes altogether', () => {
    const { values } = exported(EXTERNAL, TO_EBGP, { extendedCommunities: ['generic:0x43000064:0x1'] });
    expect(values.extendedCommunities).toEqual([]);
  });

  it('4271-5.1.4-1 the MED of an own route goes out', () => {
    const own = { asPath: '', med: 5 };
    expect(exported(LOCAL, TO_EBGP, own).values.med).toBe(5);
    expect(exported(LOCAL, { ...TO_EBGP, sendsOwnMed: false }, own).values.med).toBeUndefined();
  });

  it('renews own routes where it is asked to, and no others', () => {
    const given = {
      origin: 'INCOMPLETE' as const,
      asPath: '65009',
      localPref: 77,
      med: 5,
      communities: ['1:2'],
    };
    const renews = { renewsOwn: true, defaultLocalPref: 123 };
    const kept = { med: 5, communities: ['1:2'] };
    expect(exported(LOCAL, { ...TO_NON_CLIENT, ...renews }, given).values).toMatchObject({
      ...kept,
      origin: 'IGP',
      asPath: '',
      localPref: 123,
    });
    const { values } = exported(LOCAL, { ...TO_EBGP, ...renews }, given);
    expect(values).toMatchObject({ ...kept, origin: 'IGP', asPath: '65000', localPref: undefined });
    const nextHop = (to: string) => exported(LOCAL, { ...TO_NON_CLIENT, ...renews }, given, to).nextHop;
    expect(nextHop('192.0.2.9')).toBe('10.0.0.254');
    expect(exported(EXTERNAL, { ...TO_NON_CLIENT, ...renews }, given).values).toMatchObject(given);
    expect(exported(LOCAL, TO_NON_CLIENT, given).values).toMatchObject(given);
  });

  it('4271-5.1.4 the MED of another AS goes as 0 where own routes are renewed', () => {
    const renews = { ...TO_EBGP, renewsOwn: true };
    expect(exported(EXTERNAL, renews, { med: 5 }).values.med).toBe(0);
    expect(exported(EXTERNAL, renews).values.med).toBeUndefined();
    expect(exported(EXTERNAL, TO_EBGP, { med: 5 }).values.med).toBeUndefined();
  });

  it('7311-3.3-1 AIGP goes out where it is on', () => {
    expect(exported(EXTERNAL, { ...TO_EBGP, aigp: true }, FULL).values.aigp).toBe('7');
  });

  it.each(['provider', 'peer', 'rs-server'] as const)(
    '9234-5-3 adds OTC where the own role is %s',
    (role) => {
      expect(exported(EXTERNAL, { ...TO_EBGP, role }).values.onlyToCustomer).toBe(65000);
    },
  );

  it.each(['customer', 'rs-client', undefined] as const)('9234-5-3 adds none where it is %s', (role) => {
    expect(exported(EXTERNAL, { ...TO_EBGP, role }).values.onlyToCustomer).toBeUndefined();
  });

  it('9234-5-6 leaves an OTC that is there', () => {
    const { values } = exported(EXTERNAL, { ...TO_EBGP, role: 'provider' }, { onlyToCustomer: 7 });
    expect(values.onlyToCustomer).toBe(7);
  });

  it('private ASes go, before the own AS comes in front', () => {
    const options = { ...TO_EBGP, removePrivateAs: true, localAs: 65010 };
    const path = { asPath: '64512 7 65001 {4200000001 8}' };
    expect(exported(EXTERNAL, options, path).values.asPath).toBe('65010 7 {8}');
  });

  it('the peer AS is overridden', () => {
    const options = { ...TO_EBGP, overrideAs: 65001 };
    expect(exported(EXTERNAL, options, { asPath: '65001 7 65001' }).values.asPath).toBe(
      '65000 65000 7 65000',
    );
  });
});

describe('to a route server client', () => {
  it('7947-2.2.1-1, 2.2.2.1-1, 2.2.3-1: next hop, path, MED and communities stay', () => {
    const { values, nextHop } = exported(EXTERNAL, { ...TO_EBGP, routeServerClient: true }, FULL);
    expect(nextHop).toBe('192.0.2.7');
    expect(values).toMatchObject({
      asPath: FULL.asPath,
      med: FULL.med,
      communities: FULL.communities,
      extendedCommunities: FULL.extendedCommunities,
      localPref: undefined,
    });
  });

  it('9234-5-3 OTC is added all the same', () => {
    const { values } = exported(EXTERNAL, { ...TO_EBGP, routeServerClient: true, role: 'rs-server' });
    expect([values.onlyToCustomer, values.asPath]).toEqual([65000, '65001 65002']);
  });
});

describe('to iBGP', () => {
  it('4271-5.1.2-1, 5.1.3-1, 5.1.4-1: path, next hop and MED stay', () => {
    const { values, nextHop } = exported(EXTERNAL, TO_NON_CLIENT, { med: 5 });
    expect(nextHop).toBe('192.0.2.7');
    expect(values).toMatchObject({ asPath: '65001 65002', med: 5, originatorId: undefined, clusterList: [] });
  });

  it('4271-5.1.2-1 an own route has an empty path and this speaker as next hop', () => {
    const { values, nextHop } = exported(LOCAL, TO_NON_CLIENT, { asPath: '' }, '0.0.0.0');
    expect([values.asPath, nextHop]).toEqual(['', '10.0.0.254']);
  });

  it('4271-5.1.5-1 LOCAL_PREF is always there', () => {
    expect(exported(EXTERNAL, TO_NON_CLIENT).values.localPref).toBe(100);
    expect(exported(EXTERNAL, TO_NON_CLIENT, { localPref: 0 }).values.localPref).toBe(0);
  });

  it.each([
    ['', '(65000)'],
    ['1 2', '(65000) 1 2'],
    ['(65001 65002) 1', '(65000 65001 65002) 1'],
    ['{1 2} 3', '(65000) {1 2} 3'],
  ])('5065-4-1 to another member AS the own one goes in front: %s', (asPath, sent) => {
    for (const from of [EXTERNAL, MEMBER, NON_CLIENT, LOCAL]) {
      expect(exported(from, TO_MEMBER, { asPath }).values.asPath).toBe(sent);
    }
    expect(exported(MEMBER, TO_NON_CLIENT, { asPath }).values.asPath).toBe(asPath);
  });

  it('5065-4-1 opens another segment of the confederation where the first has 255', () => {
    const full = Array.from({ length: 255 }, (_, i) => i + 1).join(' ');
    const { values } = exported(MEMBER, { ...TO_MEMBER, messageLimit: 65535 }, { asPath: `(${full}) 7` });
    expect(values.asPath).toBe(`(65000) (${full}) 7`);
  });

  it.each([
    ['', '64500'],
    ['1 2', '64500 1 2'],
    ['(65001)', '64500'],
    ['(65001 65002) 1', '64500 1'],
    ['(65001) [65002 65003] {1 2}', '64500 {1 2}'],
    ['(65001) 1 (65002) 2', '64500 1 2'],
  ])(
    '5065-4.1-1 out of the confederation its segments go, then its AS comes in front: %s',
    (asPath, sent) => {
      expect(exported(MEMBER, OUT_OF_CONFEDERATION, { asPath }).values.asPath).toBe(sent);
      const client = { ...OUT_OF_CONFEDERATION, routeServerClient: true };
      expect(exported(MEMBER, client, { asPath }).values.asPath).toBe(sent.replace(/^64500 ?/, ''));
    },
  );

  it('within the confederation next hop, MED, LOCAL_PREF and communities stay, and what reflectors say goes', () => {
    const given = { ...FULL, asPath: '(65001) 1', originatorId: '10.9.9.9', clusterList: ['10.8.8.8'] };
    const { values, nextHop } = exported(NON_CLIENT, TO_MEMBER, given);
    expect(nextHop).toBe('192.0.2.7');
    expect(values).toEqual({
      ...given,
      aigp: undefined,
      asPath: '(65000 65001) 1',
      originatorId: undefined,
      clusterList: [],
    });
    expect(exported(EXTERNAL, TO_MEMBER).values.localPref).toBe(100);
    const pair = '2001:db8::7+fe80::7';
    expect(exported(EXTERNAL, { ...TO_MEMBER, family: IPV6_UNICAST }, {}, pair).nextHop).toBe('2001:db8::7');
  });

  it('LOCAL_PREF and the MED of other ASes go to an external peer that is to have them', () => {
    const given = { localPref: 70, med: 5 };
    expect(exported(EXTERNAL, TO_EBGP, given).values).toMatchObject({ localPref: undefined, med: undefined });
    const localPref = { ...TO_EBGP, allowLocalPref: true };
    expect(exported(EXTERNAL, localPref, given).values).toMatchObject({ localPref: 70, med: undefined });
    expect(exported(EXTERNAL, localPref).values.localPref).toBe(100);
    expect(exported(EXTERNAL, { ...localPref, draining: true }, given).values.localPref).toBe(0);
    expect(exported(LOCAL, localPref, given).values.localPref).toBe(70);
    expect(exported(LOCAL, localPref).values.localPref).toBeUndefined();
    expect(exported(LOCAL, { ...localPref, draining: true }).values.localPref).toBe(0);
    expect(exported(LOCAL, { ...localPref, renewsOwn: true }, given).values.localPref).toBe(100);
    const med = { ...TO_EBGP, allowMed: true };
    expect(exported(EXTERNAL, med, given).values).toMatchObject({ localPref: undefined, med: 5 });
    expect(exported(EXTERNAL, med).values.med).toBeUndefined();
  });

  it('4456-8-1, 8-2, 10-1: a reflected route gets ORIGINATOR_ID and CLUSTER_LIST and stays as it is', () => {
    const { values, nextHop } = exported(CLIENT, TO_NON_CLIENT, { med: 5, localPref: 70 });
    expect(nextHop).toBe('192.0.2.7');
    expect(values).toMatchObject({
      asPath: '65001 65002',
      med: 5,
      localPref: 70,
      originatorId: '10.0.0.5',
      clusterList: ['10.0.0.254'],
    });
  });

  it('4456-8-1 an ORIGINATOR_ID is kept; 4456-8-2 the own cluster goes in front', () => {
    const before = { originatorId: '10.0.0.77', clusterList: ['10.0.0.88', '10.0.0.99'] };
    expect(exported(NON_CLIENT, TO_CLIENT, before).values).toMatchObject({
      originatorId: '10.0.0.77',
      clusterList: ['10.0.0.254', '10.0.0.88', '10.0.0.99'],
    });
  });

  it('keeps what would not cross a boundary', () => {
    const { values } = exported(EXTERNAL, TO_CLIENT, FULL);
    expect(values.extendedCommunities).toEqual(FULL.extendedCommunities);
  });
});

describe('communities', () => {
  it('all kinds are left out where they are not wanted', () => {
    const { values } = exported(EXTERNAL, { ...TO_EBGP, sendCommunities: false }, FULL);
    expect(values).toMatchObject({ communities: [], extendedCommunities: [], largeCommunities: [] });
    expect(values.unknown).toEqual(FULL.unknown);
  });
});

describe('next hops', () => {
  const v6 = { family: IPV6_UNICAST, ownNextHop: octets('2001:db8::fe') };
  const pair = 'fe80::1';

  it('4271-5.1.3-2 self towards eBGP', () => {
    expect(exported(EXTERNAL, TO_EBGP).nextHop).toBe('10.0.0.254');
  });

  it.each([
    ['self towards iBGP', { ...TO_CLIENT, nextHop: 'self' }, '10.0.0.254'],
    ['an address towards iBGP', { ...TO_CLIENT, nextHop: 'address' }, '10.0.0.254'],
    ['unchanged towards eBGP', { ...TO_EBGP, nextHop: 'unchanged' }, '192.0.2.7'],
  ] as const)('%s', (_title, options, wanted) => {
    expect(exported(EXTERNAL, options).nextHop).toBe(wanted);
  });

  it('4271-5.1.3-2 on the link of an eBGP peer stays, where nothing else is said', () => {
    const linkSubnets = ['192.0.2.0/25', '2001:db8::/64'].map((text) => parsePrefix(text)!);
    const of = (
      nextHop: string,
      to: Partial<ExportOptions> = {},
      from: Partial<RibPeerIdentity> = EXTERNAL,
    ) => exported(from, { ...TO_EBGP, linkSubnets, ...to }, {}, nextHop).nextHop;
    expect([EXTERNAL, CLIENT, LOCAL].map((from) => of('192.0.2.7', {}, from))).toEqual(
      new Array(3).fill('192.0.2.7'),
    );
    expect(of('192.0.2.129')).toBe('10.0.0.254');
    expect(of('0.0.0.0', {}, LOCAL)).toBe('10.0.0.254');
    expect(of('192.0.2.7', { nextHop: 'self' })).toBe('10.0.0.254');
    expect(of('192.0.2.129', { routeServerClient: true })).toBe('192.0.2.129');
    const both = `2001:db8::7+${pair}`;
    expect(of(both, v6)).toBe(both);
    expect(of('2001:db8:1::7', v6)).toBe('2001:db8::fe');
  });

  it('may follow another rule by where a route comes from', () => {
    const nextHop = { own: 'unchanged', ibgp: 'self', ebgp: 'auto' } as const;
    const of = (from: Partial<RibPeerIdentity>, to: Partial<ExportOptions>) =>
      exported(from, { ...to, nextHop }).nextHop;
    const sources = [LOCAL, CLIENT, EXTERNAL, MEMBER];
    expect(sources.map((from) => of(from, TO_EBGP))).toEqual([
      '192.0.2.7',
      ...['10.0.0.254', '10.0.0.254', '10.0.0.254'],
    ]);
    expect(sources.map((from) => of(from, TO_CLIENT))).toEqual([
      '192.0.2.7',
      '10.0.0.254',
      ...['192.0.2.7', '192.0.2.7'],
    ]);
  });

  it('4271-5.1.3-3 an own route has this speaker as next hop, even where it is to stay unchanged', () => {
    expect(exported(LOCAL, { ...TO_EBGP, nextHop: 'unchanged' }, {}, '0.0.0.0').nextHop).toBe('10.0.0.254');
  });

  it('an own route that was given a next hop shows it to internal peers', () => {
    const given = '198.51.100.9';
    expect(exported(LOCAL, TO_NON_CLIENT, {}, given).nextHop).toBe(given);
    expect(exported(LOCAL, { ...TO_NON_CLIENT, nextHop: 'self' }, {}, given).nextHop).toBe('10.0.0.254');
    expect(exported(LOCAL, TO_EBGP, {}, given).nextHop).toBe('10.0.0.254');
  });

  it('is withheld where there is no own address', () => {
    expect(exported(EXTERNAL, { ...TO_EBGP, ownNextHop: undefined }).cause).toBe(WITHHELD.noNextHop);
    expect(exported(EXTERNAL, { ...TO_CLIENT, ownNextHop: undefined }).cause).toBe(WITHHELD.none);
  });

  it('2545-3-2 a link-local address that came with a global one stays on its link', () => {
    const both = `2001:db8::7+${pair}`;
    expect(exported(EXTERNAL, { ...TO_CLIENT, ...v6 }, {}, both).nextHop).toBe('2001:db8::7');
    // Clients of a route server share its link.
    const toServerClient = { ...TO_EBGP, ...v6, routeServerClient: true };
    expect(exported(EXTERNAL, toServerClient, {}, both).nextHop).toBe(both);
  });

  it('8950-4-1, 8950-5-1: an IPv6 next hop of an IPv4 route only to a peer that can take it', () => {
    expect(exported(EXTERNAL, TO_CLIENT, {}, '2001:db8::7').cause).toBe(WITHHELD.nextHopEncoding);
    const able = { ...TO_CLIENT, extendedNextHop: true };
    expect(exported(EXTERNAL, able, {}, '2001:db8::7').nextHop).toBe('2001:db8::7');
    const self = { ...TO_EBGP, ownNextHop: octets('2001:db8::fe') };
    expect(exported(EXTERNAL, self).cause).toBe(WITHHELD.nextHopEncoding);
    expect(exported(EXTERNAL, { ...self, extendedNextHop: true }).nextHop).toBe('2001:db8::fe');
  });

  it('an IPv4 next hop never goes with an IPv6 route', () => {
    const options = { ...TO_EBGP, family: IPV6_UNICAST, ownNextHop: octets('10.0.0.254') };
    expect(exported(EXTERNAL, options).cause).toBe(WITHHELD.noNextHop);
    expect(exported(EXTERNAL, { ...options, extendedNextHop: true }).cause).toBe(WITHHELD.noNextHop);
  });
});

describe('two routes that are sent as the same octets', () => {
  it('are seen to be the same, whatever they came as', () => {
    const lab = new Lab();
    const toEbgp = lab.rewriter(exportOptions(TO_EBGP));
    const [a, b] = [lab.peer(EXTERNAL).id, lab.peer({ ...EXTERNAL, name: 'b' }).id];
    const plain = lab.intern({ asPath: '1 2' });
    const withMed = lab.intern({ asPath: '1 2', med: 7 });
    const elsewhere = lab.intern({ asPath: '1 2' }, '192.0.2.8');
    const longer = lab.intern({ asPath: '1 2 3' });
    expect(toEbgp.sameRendering(plain, a, plain, a)).toBe(true);
    // MED and next hop do not cross the boundary.
    expect(toEbgp.sameRendering(plain, a, withMed, b)).toBe(true);
    expect(toEbgp.sameRendering(plain, a, elsewhere, b)).toBe(true);
    expect(toEbgp.sameRendering(plain, a, longer, a)).toBe(false);

    const toClient = lab.rewriter(exportOptions(TO_CLIENT));
    expect(toClient.sameRendering(plain, a, plain, b)).toBe(true);
    expect(toClient.sameRendering(plain, a, withMed, a)).toBe(false);
    expect(toClient.sameRendering(plain, a, elsewhere, a)).toBe(false);
    // A reflected route names its originator.
    const client = lab.peer(CLIENT).id;
    expect(toClient.sameRendering(plain, a, plain, client)).toBe(false);
    const other = lab.peer({ ...CLIENT, routerId: 0x0a000009 }).id;
    expect(toClient.sameRendering(plain, client, plain, other)).toBe(false);
  });

  it('renders what it is asked for after any comparison', () => {
    const lab = new Lab();
    const rewriter = lab.rewriter(exportOptions(TO_CLIENT));
    const peers = [EXTERNAL, CLIENT, NON_CLIENT].map((each) => lab.peer(each));
    for (let i = 0; i < 300; i++) {
      const attr = lab.intern({ asPath: String(1 + (i % 70)), med: i % 3 });
      const peer = peers[i % 3]!;
      if (i % 2 === 0) rewriter.sameRendering(attr, peer.id, attr, peers[(i + 1) % 3]!.id);
      const { bytes, length } = rewriter.render(attr, peer.id);
      const { asPath, med, originatorId } = decodeAttributes(bytes, 0, length);
      const wanted = peer.source === 'external' ? undefined : formatAddress(idBytes(peer.routerId));
      expect({ asPath, med, originatorId }).toEqual({
        asPath: String(1 + (i % 70)),
        med: i % 3,
        originatorId: wanted,
      });
      lab.attrs.release(attr);
    }
    expect(lab.attrs.size).toBe(0);
  });
});

function idBytes(id: number): Uint8Array {
  return Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id);
}
