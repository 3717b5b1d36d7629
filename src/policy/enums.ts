// Enum constants with the numbers BIRD prints for them.

import type { EnumName } from './ast.ts';
import type { Dialect } from './lexer.ts';
import { EnumValue } from './values.ts';

/** As `print` shows them: `(enum 30)11`. */
export const ENUM_CODES: Readonly<Record<EnumName, number>> = {
  source: 0x30,
  origin: 0x31,
  scope: 0x32,
  cast: 0x33,
  dest: 0x34,
  roa: 0x35,
  net: 0x36,
  aspa: 0x37,
  af: 0x38,
  mpls_policy: 0x39,
  ra_preference: 0x3a,
};

type Row = readonly [name: string, of: EnumName, value: number, dialect?: Dialect];

const ROWS: readonly Row[] = [
  ['RTS_DUMMY', 'source', 0, '1.6'],
  ['RTS_STATIC', 'source', 1],
  ['RTS_INHERIT', 'source', 2],
  ['RTS_DEVICE', 'source', 3],
  ['RTS_STATIC_DEVICE', 'source', 4],
  ['RTS_REDIRECT', 'source', 5],
  ['RTS_RIP', 'source', 6],
  ['RTS_OSPF', 'source', 7],
  ['RTS_OSPF_IA', 'source', 8],
  ['RTS_OSPF_EXT1', 'source', 9],
  ['RTS_OSPF_EXT2', 'source', 10],
  ['RTS_BGP', 'source', 11],
  ['RTS_PIPE', 'source', 12],
  ['RTS_BABEL', 'source', 13],
  ['RTS_RPKI', 'source', 14, '2.x'],
  ['RTS_PERF', 'source', 15, '2.x'],
  ['RTS_AGGREGATED', 'source', 16, '2.x'],
  ['SCOPE_HOST', 'scope', 0],
  ['SCOPE_LINK', 'scope', 1],
  ['SCOPE_SITE', 'scope', 2],
  ['SCOPE_ORGANIZATION', 'scope', 3],
  ['SCOPE_UNIVERSE', 'scope', 4],
  ['SCOPE_UNDEFINED', 'scope', 5],
  ['RTC_UNICAST', 'cast', 0, '1.6'],
  ['RTC_BROADCAST', 'cast', 1, '1.6'],
  ['RTC_MULTICAST', 'cast', 2, '1.6'],
  ['RTC_ANYCAST', 'cast', 3, '1.6'],
  ['RTD_ROUTER', 'dest', 0, '1.6'],
  ['RTD_DEVICE', 'dest', 1, '1.6'],
  ['RTD_UNICAST', 'dest', 1, '2.x'],
  ['RTD_BLACKHOLE', 'dest', 2],
  ['RTD_UNREACHABLE', 'dest', 3],
  ['RTD_PROHIBIT', 'dest', 4],
  ['RTD_MULTIPATH', 'dest', 5, '1.6'],
  ['ROA_UNKNOWN', 'roa', 0],
  ['ROA_VALID', 'roa', 1],
  ['ROA_INVALID', 'roa', 2],
  ['ASPA_UNKNOWN', 'aspa', 0, '2.x'],
  ['ASPA_VALID', 'aspa', 1, '2.x'],
  ['ASPA_INVALID', 'aspa', 2, '2.x'],
  ['ORIGIN_IGP', 'origin', 0],
  ['ORIGIN_EGP', 'origin', 1],
  ['ORIGIN_INCOMPLETE', 'origin', 2],
  ['NET_IP4', 'net', 1, '2.x'],
  ['NET_IP6', 'net', 2, '2.x'],
  ['NET_VPN4', 'net', 3, '2.x'],
  ['NET_VPN6', 'net', 4, '2.x'],
  ['NET_ROA4', 'net', 5, '2.x'],
  ['NET_ROA6', 'net', 6, '2.x'],
  ['NET_FLOW4', 'net', 7, '2.x'],
  ['NET_FLOW6', 'net', 8, '2.x'],
  ['NET_IP6_SADR', 'net', 9, '2.x'],
  ['NET_MPLS', 'net', 10, '2.x'],
  ['NET_ASPA', 'net', 11, '2.x'],
  ['AF_IPV4', 'af', 1, '2.x'],
  ['AF_IPV6', 'af', 2, '2.x'],
  ['MPLS_POLICY_NONE', 'mpls_policy', 0, '2.x'],
  ['MPLS_POLICY_STATIC', 'mpls_policy', 1, '2.x'],
  ['MPLS_POLICY_PREFIX', 'mpls_policy', 2, '2.x'],
  ['MPLS_POLICY_AGGREGATE', 'mpls_policy', 3, '2.x'],
  ['MPLS_POLICY_VRF', 'mpls_policy', 4, '2.x'],
  ['RA_PREF_MEDIUM', 'ra_preference', 0],
  ['RA_PREF_HIGH', 'ra_preference', 8],
  ['RA_PREF_LOW', 'ra_preference', 24],
];

const BY_NAME: ReadonlyMap<string, { value: EnumValue; dialect: Dialect | undefined }> = new Map(
  ROWS.map(([name, of, value, dialect]) => [name, { value: new EnumValue(of, value), dialect }]),
);

/** Names of all constants. */
export const ENUM_CONSTANTS: readonly string[] = ROWS.map(([name]) => name);

export function enumConstant(name: string, dialect: Dialect): EnumValue | undefined {
  const row = BY_NAME.get(name);
  return row === undefined || (row.dialect ?? dialect) === dialect ? row?.value : undefined;
}
