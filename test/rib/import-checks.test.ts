import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../src/bgp/wire/as-path.ts';
import {
  type AttributeValues,
  decodeAttributes,
  encodeAttributes,
} from '../../src/bgp/wire/attribute-values.ts';
import { AttrStore } from '../../src/rib/attr-store.ts';
import { ImportChecks, REJECT, REJECT_SENTENCES, type RejectCause } from '../../src/rib/import-checks.ts';
import { NextHopTable } from '../../src/rib/next-hops.ts';
import { type ImportOptions, PeerTable, type RouteSource } from '../../src/rib/rib-peer.ts';
import { identity, importOptions, octets, quad } from './lab.ts';

interface Setup {
  readonly source?: RouteSource;
  readonly options?: Partial<ImportOptions>;
  readonly attributes?: Partial<AttributeValues>;
  readonly nextHop?: string;
  /** What merging AS4_PATH replaced. */
  readonly superseded?: string;
}

/** Runs import over one attribute set; also sees that the set and the result are held exactly as promised. */
function imported(setup: Setup): {
  cause: RejectCause;
  values: AttributeValues | undefined;
  same: boolean;
  preference: number;
} {
  const nextHops = new NextHopTable();
  const attrs = new AttrStore(nextHops);
  const checks = new ImportChecks(attrs, {
    routerId: quad('10.0.0.254'),
    clusterIds: [quad('10.0.0.254'), quad('10.7.7.7')],
  });
  const peer = new PeerTable().add(
    identity({ source: setup.source ?? 'external' }),
    importOptions({ ownAses: Uint32Array.of(65000, 64999), ...setup.options }),
  );
  const wire = octets(setup.nextHop ?? '192.0.2.1');
  const hop = nextHops.intern(wire, wire.length, undefined);
  const bytes = encodeAttributes({ asPath: '65001 65002', ...setup.attributes });
  const attrIn = attrs.intern(bytes, 0, bytes.length, hop);
  const superseded = setup.superseded === undefined ? undefined : parseAsPath(setup.superseded);
  const { attrPost, cause } = checks.evaluate(peer, attrIn, superseded);
  const values = attrPost === 0 ? undefined : decodeAttributes(attrs.copy(attrPost));
  const preference = attrs.extrasTable.get(attrs.extras[attrPost]!).preference;
  if (attrPost !== 0) {
    expect(attrs.nextHop[attrPost]).toBe(hop);
    attrs.release(attrPost);
  }
  attrs.release(attrIn);
  nextHops.release(hop);
  expect([attrs.size, [...nextHops.values()].length]).toEqual([0, 0]);
  return { cause, values, same: attrPost === attrIn, preference };
}

interface Row {
  readonly title: string;
  readonly setup: Setup;
  readonly cause: RejectCause;
}

const INTERNAL = { source: 'internal' } as const;
const OTC = (onlyToCustomer: number) => ({ onlyToCustomer });

const ROWS: readonly Row[] = [
  { title: 'an ordinary route is accepted', setup: {}, cause: REJECT.none },
  {
    title: '4271-9.1.2-2 own AS in AS_PATH',
    setup: { attributes: { asPath: '65001 65000' } },
    cause: REJECT.asLoop,
  },
  {
    title: '4271-9.1.2-2 the AS shown to this peer counts as own',
    setup: { attributes: { asPath: '65001 64999 1' } },
    cause: REJECT.asLoop,
  },
  {
    title: '4271-9.1.2-2 own AS in an AS_SET',
    setup: { attributes: { asPath: '65001 {65000 65002}' } },
    cause: REJECT.asLoop,
  },
  {
    title: '4271-9.1.2-2 own AS in confederation segments alone',
    setup: { ...INTERNAL, attributes: { asPath: '(65000)' } },
    cause: REJECT.asLoop,
  },
  {
    title: '4271-9.1.2-2 also over iBGP',
    setup: { ...INTERNAL, attributes: { asPath: '65001 65000' } },
    cause: REJECT.asLoop,
  },
  {
    title: '6793-4.2.3 own AS in the path that AS4_PATH replaced',
    setup: { superseded: '65001 65000' },
    cause: REJECT.asLoop,
  },
  { title: '6793-4.2.3 another AS there', setup: { superseded: '65001 23456' }, cause: REJECT.none },
  {
    title: 'allowOwnAs lets own AS pass so often',
    setup: { options: { allowOwnAs: 2 }, attributes: { asPath: '65001 65000 64999' } },
    cause: REJECT.none,
  },
  {
    title: 'allowOwnAs and not once more',
    setup: { options: { allowOwnAs: 2 }, attributes: { asPath: '65001 65000 64999 65000' } },
    cause: REJECT.asLoop,
  },
  {
    title: '4456-8-3 own identifier as ORIGINATOR_ID',
    setup: { ...INTERNAL, attributes: { originatorId: '10.0.0.254' } },
    cause: REJECT.originatorLoop,
  },
  {
    title: '4456-8-3 another ORIGINATOR_ID',
    setup: { ...INTERNAL, attributes: { originatorId: '10.0.0.253' } },
    cause: REJECT.none,
  },
  {
    title: '4456-8-4 own CLUSTER_ID in CLUSTER_LIST',
    setup: { ...INTERNAL, attributes: { clusterList: ['10.1.1.1', '10.7.7.7', '10.2.2.2'] } },
    cause: REJECT.clusterLoop,
  },
  {
    title: '4456-8-4 other clusters',
    setup: { ...INTERNAL, attributes: { clusterList: ['10.1.1.1', '10.2.2.2'] } },
    cause: REJECT.none,
  },
  {
    title: 'only named clusters of our own',
    setup: { ...INTERNAL, options: { shunnedClusters: [] }, attributes: { clusterList: ['10.7.7.7'] } },
    cause: REJECT.none,
  },
  {
    title: 'a named cluster of our own',
    setup: {
      ...INTERNAL,
      options: { shunnedClusters: [0x0a070707] },
      attributes: { clusterList: ['10.1.1.1', '10.7.7.7'] },
    },
    cause: REJECT.clusterLoop,
  },
  {
    title: '7606-7.2 first AS is the peer',
    setup: { options: { enforceFirstAs: true } },
    cause: REJECT.none,
  },
  {
    title: '7606-7.2 first AS is another',
    setup: { options: { enforceFirstAs: true }, attributes: { asPath: '65009 65001' } },
    cause: REJECT.firstAs,
  },
  {
    title: '7606-7.2 an empty path over eBGP',
    setup: { options: { enforceFirstAs: true }, attributes: { asPath: '' } },
    cause: REJECT.firstAs,
  },
  {
    title: '7947-2.2.2.2-1 first AS not checked where that is off',
    setup: { attributes: { asPath: '65009' } },
    cause: REJECT.none,
  },
  {
    title: 'first AS is not checked over iBGP',
    setup: { ...INTERNAL, options: { enforceFirstAs: true }, attributes: { asPath: '65009' } },
    cause: REJECT.none,
  },
  {
    title: '9234-5-1 OTC from a customer',
    setup: { options: { role: 'provider' }, attributes: OTC(65001) },
    cause: REJECT.routeLeak,
  },
  {
    title: '9234-5-1 OTC from a route server client',
    setup: { options: { role: 'rs-server' }, attributes: OTC(65001) },
    cause: REJECT.routeLeak,
  },
  {
    title: '9234-5-1 OTC from a peer with another AS than the peer',
    setup: { options: { role: 'peer' }, attributes: OTC(65002) },
    cause: REJECT.routeLeak,
  },
  {
    title: '9234-5-1 OTC from a peer with its own AS',
    setup: { options: { role: 'peer' }, attributes: OTC(65001) },
    cause: REJECT.none,
  },
  {
    title: '9234-5-1 OTC from a provider',
    setup: { options: { role: 'customer' }, attributes: OTC(65002) },
    cause: REJECT.none,
  },
  { title: '9234-5-1 OTC where there is no role', setup: { attributes: OTC(65002) }, cause: REJECT.none },
  {
    title: '4271-5.1.3-4 own address as NEXT_HOP',
    setup: { options: { ownAddresses: [octets('10.0.0.1'), octets('192.0.2.1')] } },
    cause: REJECT.ownNextHop,
  },
  {
    title: '4271-5.1.3-4 own IPv6 address as NEXT_HOP',
    setup: { options: { ownAddresses: [octets('2001:db8::1')] }, nextHop: '2001:db8::1' },
    cause: REJECT.ownNextHop,
  },
  {
    title: '4271-5.1.3-4 an address that only begins like an own one',
    setup: { options: { ownAddresses: [octets('192.0.2.1')] }, nextHop: 'c000:201::' },
    cause: REJECT.none,
  },
  {
    title: '8212-3-1 eBGP without import policy',
    setup: { options: { policy: 'none' } },
    cause: REJECT.noPolicy,
  },
  { title: 'import policy rejects', setup: { options: { policy: 'reject' } }, cause: REJECT.policy },
  {
    title: 'the protocol speaks before the policy',
    setup: { options: { policy: 'reject' }, attributes: { asPath: '65000' } },
    cause: REJECT.asLoop,
  },
  {
    title: 'a longer AS_PATH than the limit',
    setup: { options: { sizes: { asPathLength: 2, communities: 9 } }, attributes: { asPath: '65001 1 2' } },
    cause: REJECT.asPathLength,
  },
  {
    title: 'an AS_SET counts one towards the limit of AS_PATH',
    setup: { options: { sizes: { asPathLength: 2, communities: 9 } }, attributes: { asPath: '65001 {1 2}' } },
    cause: REJECT.none,
  },
  {
    title: 'more communities of all kinds than the limit',
    setup: {
      options: { sizes: { asPathLength: 9, communities: 2 } },
      attributes: { communities: ['1:1', '1:2'], largeCommunities: ['1:1:1'] },
    },
    cause: REJECT.communities,
  },
];

/** What no check of attributes finds: limits of routes and flaps (speaker/limits.test.ts, speaker/damping.test.ts). */
const ELSEWHERE: readonly RejectCause[] = [REJECT.overLimit, REJECT.damped];

describe('import', () => {
  it.each(ROWS)('$title', ({ setup, cause }) => {
    const result = imported(setup);
    expect(result.cause).toBe(cause);
    expect(result.values === undefined).toBe(cause !== REJECT.none);
    if (cause === REJECT.none && setup.options?.role === undefined) expect(result.same).toBe(true);
  });

  it('has a sentence for every cause, and a row here', () => {
    const causes = Object.values(REJECT);
    expect(Object.keys(REJECT_SENTENCES).map(Number)).toEqual(causes);
    expect([...new Set([...ROWS.map((row) => row.cause), ...ELSEWHERE])].sort()).toEqual([...causes].sort());
  });

  it('takes local routes as they are', () => {
    const own = { asPath: '65000', originatorId: '10.0.0.254' };
    expect(imported({ source: 'local', options: { policy: 'reject' }, attributes: own }).cause).toBe(
      REJECT.none,
    );
  });
});

describe('what import adds', () => {
  it.each(['customer', 'peer', 'rs-client'] as const)('9234-5-2 OTC where the own role is %s', (role) => {
    const { values } = imported({ options: { role } });
    expect(values?.onlyToCustomer).toBe(65001);
  });

  it.each(['provider', 'rs-server', undefined] as const)('9234-5-2 none where the own role is %s', (role) => {
    expect(imported({ options: { role } }).same).toBe(true);
  });

  it('9234-5-6 leaves an OTC that is there', () => {
    const { values, same } = imported({ options: { role: 'customer' }, attributes: OTC(7) });
    expect([values?.onlyToCustomer, same]).toEqual([7, true]);
  });

  const shutdown = { communities: ['65000:1', 'GRACEFUL_SHUTDOWN'], localPref: 300 };

  it('8326-4-1 local preference 0 for GRACEFUL_SHUTDOWN over eBGP', () => {
    expect(imported({ attributes: shutdown }).values).toMatchObject({ ...shutdown, localPref: 0 });
  });

  it('8326-4-1 not over iBGP, where the sender has done it, and not where it is off', () => {
    expect(imported({ ...INTERNAL, attributes: shutdown }).values?.localPref).toBe(300);
    expect(imported({ options: { gracefulShutdown: false }, attributes: shutdown }).values?.localPref).toBe(
      300,
    );
  });

  it('both at once', () => {
    const { values } = imported({ options: { role: 'customer' }, attributes: shutdown });
    expect(values).toMatchObject({ localPref: 0, onlyToCustomer: 65001, asPath: '65001 65002' });
  });
});

describe('the preference of a peer', () => {
  it('is of all its routes, and BGP has one where none is configured', () => {
    expect(imported({})).toMatchObject({ preference: 100, same: true });
    const configured = imported({ options: { preference: 150 } });
    expect(configured).toMatchObject({ preference: 150, same: false });
    expect(configured.values).toEqual(imported({}).values);
  });
});
