// Route attributes of the filter language: one row each. What a row reads from and writes to is a RouteAccess's
// business; custom attributes get rows of their own when they are declared.

import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import type { PolicyType } from './ast.ts';
import type { Dialect } from './lexer.ts';

/**
 * Where it lives: `net`: the prefix, `route`: what every route has, `path`: a BGP path attribute, `extended`:
 * anything else that may be there or not.
 */
export type AttributeHome = 'net' | 'route' | 'path' | 'extended';

export interface RouteAttribute {
  /** Distinct in one program: RouteAccess may keep arrays by it. */
  readonly id: number;
  readonly name: string;
  readonly type: PolicyType;
  readonly home: AttributeHome;
  readonly writable: boolean;
  /** path: the type of the path attribute */
  readonly code: number;
  /** undefined: in both */
  readonly dialect: Dialect | undefined;
}

type Row = readonly [
  name: string,
  type: PolicyType,
  home: AttributeHome,
  access: 'rw' | 'ro',
  code?: number,
  dialect?: Dialect,
];

const ROWS: readonly Row[] = [
  ['net', 'prefix', 'net', 'ro'],
  ['proto', 'string', 'route', 'ro'],
  ['source', 'enum source', 'route', 'ro'],
  ['scope', 'enum scope', 'route', 'rw'],
  ['preference', 'int', 'route', 'rw'],
  ['from', 'ip', 'route', 'rw'],
  ['gw', 'ip', 'route', 'rw'],
  ['dest', 'enum dest', 'route', 'rw'],
  ['ifname', 'string', 'route', 'rw'],
  ['ifindex', 'int', 'route', 'ro'],
  ['cast', 'enum cast', 'route', 'ro', 0, '1.6'],
  ['weight', 'int', 'route', 'rw', 0, '2.x'],
  ['onlink', 'bool', 'route', 'rw', 0, '2.x'],
  ['gw_mpls', 'int', 'route', 'rw', 0, '2.x'],
  ['igp_metric', 'int', 'extended', 'rw'],
  ['bgp_origin', 'enum origin', 'path', 'rw', ATTRIBUTE.origin],
  ['bgp_path', 'bgppath', 'path', 'rw', ATTRIBUTE.asPath],
  ['bgp_next_hop', 'ip', 'path', 'rw', ATTRIBUTE.nextHop],
  ['bgp_med', 'int', 'path', 'rw', ATTRIBUTE.multiExitDisc],
  ['bgp_local_pref', 'int', 'path', 'rw', ATTRIBUTE.localPref],
  ['bgp_atomic_aggr', 'bytestring', 'path', 'rw', ATTRIBUTE.atomicAggregate],
  ['bgp_aggregator', 'bytestring', 'path', 'rw', ATTRIBUTE.aggregator],
  ['bgp_community', 'clist', 'path', 'rw', ATTRIBUTE.communities],
  ['bgp_originator_id', 'quad', 'path', 'rw', ATTRIBUTE.originatorId],
  ['bgp_cluster_list', 'clist', 'path', 'rw', ATTRIBUTE.clusterList],
  ['bgp_ext_community', 'eclist', 'path', 'rw', ATTRIBUTE.extendedCommunities],
  ['bgp_large_community', 'lclist', 'path', 'rw', ATTRIBUTE.largeCommunities],
  ['bgp_aigp', 'bytestring', 'path', 'rw', ATTRIBUTE.aigp, '2.x'],
  ['bgp_otc', 'int', 'path', 'rw', ATTRIBUTE.onlyToCustomer, '2.x'],
  ['krt_source', 'int', 'extended', 'rw'],
  ['krt_metric', 'int', 'extended', 'rw'],
  ['krt_prefsrc', 'ip', 'extended', 'rw'],
  ['krt_realm', 'int', 'extended', 'rw'],
  ['krt_scope', 'int', 'extended', 'rw'],
  // Calico's variant of 1.6 has it; it is here for files that go on to 2.x as well.
  ['krt_tunnel', 'string', 'extended', 'rw'],
  ['krt_mtu', 'int', 'extended', 'rw'],
  ['krt_window', 'int', 'extended', 'rw'],
  ['krt_rtt', 'int', 'extended', 'rw'],
  ['krt_rttvar', 'int', 'extended', 'rw'],
  // BIRD spells it so.
  ['krt_sstresh', 'int', 'extended', 'rw'],
  ['krt_cwnd', 'int', 'extended', 'rw'],
  ['krt_advmss', 'int', 'extended', 'rw'],
  ['krt_reordering', 'int', 'extended', 'rw'],
  ['krt_hoplimit', 'int', 'extended', 'rw'],
  ['krt_initcwnd', 'int', 'extended', 'rw'],
  ['krt_rto_min', 'int', 'extended', 'rw'],
  ['krt_initrwnd', 'int', 'extended', 'rw'],
  ['krt_quickack', 'int', 'extended', 'rw'],
  ['krt_lock_mtu', 'bool', 'extended', 'rw'],
  ['krt_lock_window', 'bool', 'extended', 'rw'],
  ['krt_lock_rtt', 'bool', 'extended', 'rw'],
  ['krt_lock_rttvar', 'bool', 'extended', 'rw'],
  ['krt_lock_sstresh', 'bool', 'extended', 'rw'],
  ['krt_lock_cwnd', 'bool', 'extended', 'rw'],
  ['krt_lock_advmss', 'bool', 'extended', 'rw'],
  ['krt_lock_reordering', 'bool', 'extended', 'rw'],
  ['krt_lock_hoplimit', 'bool', 'extended', 'rw'],
  ['krt_lock_rto_min', 'bool', 'extended', 'rw'],
  ['krt_feature_ecn', 'bool', 'extended', 'rw'],
  ['krt_feature_allfrag', 'bool', 'extended', 'rw'],
  ['krt_congctl', 'string', 'extended', 'rw', 0, '2.x'],
  // Of protocols that are not here: filters that speak of them are accepted, the attributes are never there.
  ['ospf_metric1', 'int', 'extended', 'rw'],
  ['ospf_metric2', 'int', 'extended', 'rw'],
  ['ospf_tag', 'int', 'extended', 'rw'],
  ['ospf_router_id', 'quad', 'extended', 'rw'],
  ['rip_metric', 'int', 'extended', 'rw'],
  ['rip_tag', 'int', 'extended', 'rw'],
  ['ra_preference', 'enum ra_preference', 'extended', 'rw'],
  ['ra_lifetime', 'int', 'extended', 'rw'],
  ['babel_metric', 'int', 'extended', 'rw', 0, '2.x'],
  ['babel_router_id', 'quad', 'extended', 'ro', 0, '2.x'],
  ['mpls_label', 'int', 'extended', 'ro', 0, '2.x'],
  ['mpls_policy', 'enum mpls_policy', 'extended', 'rw', 0, '2.x'],
  ['mpls_class', 'int', 'extended', 'rw', 0, '2.x'],
];

export const ROUTE_ATTRIBUTES: readonly RouteAttribute[] = ROWS.map(
  ([name, type, home, access, code = 0, dialect], id) => ({
    id,
    name,
    type,
    home,
    writable: access === 'rw',
    code,
    dialect,
  }),
);

const BY_NAME: ReadonlyMap<string, RouteAttribute> = new Map(ROUTE_ATTRIBUTES.map((row) => [row.name, row]));

/** The attribute of this name in this dialect. */
export function routeAttribute(name: string, dialect: Dialect): RouteAttribute | undefined {
  const row = BY_NAME.get(name);
  return row === undefined || (row.dialect ?? dialect) === dialect ? row : undefined;
}
