// Random filters and routes between one speaker and three scripted peers, for properties of changing filters.

import fc from 'fast-check';
import type { ConfigInput } from '../../src/config/schema.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type Rig, type RigPeer } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
export const IBGP = '10.0.0.4';
export const PEERS = [A, B, IBGP] as const;
const PREFIXES = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.128/25', '100.64.0.0/10'];

const condition = fc.constantFrom(
  'net.len > 24',
  'net ~ [ 192.0.0.0/8+, 100.0.0.0/8{8,12} ]',
  'bgp_med > 5',
  'defined(bgp_med)',
  'bgp_path.len > 1',
  '(7,7) ~ bgp_community',
  'source = RTS_BGP',
  'preference > 100',
);
const change = fc.constantFrom(
  'bgp_local_pref = 200;',
  'bgp_med = 9;',
  'bgp_community.add((7,7));',
  'bgp_community.delete([(7,*)]);',
  'bgp_path.prepend(65099);',
  'preference = 150;',
  'bgp_next_hop = 10.0.0.99;',
  'reject;',
  'accept;',
);
const statement = fc.oneof(
  change,
  fc.tuple(condition, change).map(([test, then]) => `if ${test} then ${then}`),
);
const filter = fc.oneof(
  fc.constantFrom('accept', 'reject'),
  fc.array(statement, { maxLength: 4 }).map((body) => `${body.join(' ')} accept;`),
);
const route = fc.record({
  prefix: fc.constantFrom(...PREFIXES),
  med: fc.constantFrom(undefined, 1, 9),
  path: fc.constantFrom('', ' 65010', ' 65010 65011'),
  communities: fc.constantFrom<string[]>([], ['7:7'], ['7:8', '9:9']),
});
export const step = fc.oneof(
  fc.record({ do: fc.constant('announce' as const), peer: fc.constantFrom(...PEERS), route }),
  fc.record({
    do: fc.constant('withdraw' as const),
    peer: fc.constantFrom(...PEERS),
    prefix: fc.constantFrom(...PREFIXES),
  }),
  fc.record({
    do: fc.constant('filter' as const),
    peer: fc.constantFrom(...PEERS),
    direction: fc.constantFrom('import' as const, 'export' as const),
    filter,
  }),
);
export type Route = typeof route extends fc.Arbitrary<infer T> ? T : never;
export type Policies = Record<string, { import: string; export: string }>;

const asOf = (address: string): number => ({ [A]: 65002, [B]: 65003 })[address] ?? OWN_AS;

/** The peer of the own AS may get all paths instead of the best. */
export function around(policies: Policies, addPath: boolean): Record<string, RigPeer> {
  return Object.fromEntries(
    PEERS.map((address) => {
      const several = addPath && address === IBGP;
      const config = { ...policies[address], ...(several && { addPath: { send: 'all' as const } }) };
      return [address, { as: asOf(address), config, raw: several ? { addPath: 1 as const } : {} }];
    }),
  );
}

export function inputOf(policies: Policies, addPath: boolean): ConfigInput {
  return {
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peers: Object.entries(around(policies, addPath)).map(([address, peer]) => peerInput(address, peer)),
  };
}

export function announce(where: Rig, from: string, { prefix, med, path, communities }: Route): void {
  const own = from === IBGP ? '' : String(asOf(from));
  where.peer(from).announce([prefix], {
    asPath: `${own}${path}`.trim(),
    communities,
    ...(med !== undefined && { med }),
  });
}

/** Everybody takes and gives everything. */
export function openPolicies(): Policies {
  return Object.fromEntries(PEERS.map((address) => [address, { import: 'accept', export: 'accept' }]));
}
