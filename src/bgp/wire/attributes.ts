// THE table of path attributes: each property that differs between them is a column here, and whoever walks
// attributes (scanner, canonical form, writer, show) is generic. To add one, add its number to iana.ts and its row
// here. The checks themselves are attribute-checks.ts's.
// https://www.iana.org/assignments/bgp-parameters/bgp-parameters.xhtml#bgp-parameters-2

import {
  type AttributeCheck,
  type AttributeContext,
  atLeast,
  checkAggregator,
  checkAigp,
  checkAs4Aggregator,
  checkAs4Path,
  checkAsPath,
  checkNextHop,
  checkOrigin,
  checkPrefixSid,
  checkTunnelEncapsulation,
  type ErrorAction,
  exactLength,
  listOf,
} from './attribute-checks.ts';
import {
  COMMUNITY_BYTES,
  EXTENDED_COMMUNITY_BYTES,
  IPV6_EXTENDED_COMMUNITY_BYTES,
  LARGE_COMMUNITY_BYTES,
  withoutDuplicates,
} from './communities.ts';
import { ATTRIBUTE, FLAG, OTHER_ATTRIBUTE_NAMES } from './iana.ts';

/** RFC 4271 §5: the four categories, as their Optional and Transitive bits. */
const ATTRIBUTE_CLASS = {
  'well-known mandatory': FLAG.transitive,
  'well-known discretionary': FLAG.transitive,
  'optional transitive': FLAG.optional | FLAG.transitive,
  'optional non-transitive': FLAG.optional,
} as const;
export type AttributeClass = keyof typeof ATTRIBUTE_CLASS;

/** From whom an attribute is taken; from others it is discarded, well-formed or not. */
export type AttributeScope = 'any' | 'internal' | 'local-pref-session' | 'two-octet-as' | 'aigp-session';

export const SCOPE_HOLDS: Readonly<Record<AttributeScope, (context: AttributeContext) => boolean>> = {
  any: () => true,
  internal: (context) => !context.external,
  'local-pref-session': (context) => context.localPref,
  'two-octet-as': (context) => !context.as4,
  'aigp-session': (context) => context.aigp,
};

/** Where an attribute is kept: in the canonical set, or only in the message that carried it. */
export type AttributeHome = 'set' | 'message';

export interface AttributeRow {
  readonly type: number;
  readonly name: string;
  readonly class: AttributeClass;
  readonly home: AttributeHome;
  readonly scope: AttributeScope;
  /** RFC 7606 §7, or the attribute's own RFC. */
  readonly onMalformed: ErrorAction;
  /** RFC 7606 §3 (c), unless the attribute's own RFC says otherwise. */
  readonly onWrongFlags: ErrorAction;
  readonly check: AttributeCheck;
  /** What the canonical set holds instead of the value received; undefined = the value itself. */
  readonly canonicalize?: (bytes: Uint8Array, start: number, end: number) => Uint8Array | undefined;
}

type RowInput = Pick<AttributeRow, 'type' | 'name' | 'class' | 'check'> & Partial<AttributeRow>;

/** Fills in what most rows have. */
function row(input: RowInput): AttributeRow {
  return {
    home: 'set',
    scope: 'any',
    onMalformed: 'treat-as-withdraw',
    onWrongFlags: 'treat-as-withdraw',
    ...input,
  };
}

/** Ascending by type. */
export const ATTRIBUTES: readonly AttributeRow[] = [
  // RFC 7606 §7.1
  row({ type: ATTRIBUTE.origin, name: 'ORIGIN', class: 'well-known mandatory', check: checkOrigin }),
  // RFC 7606 §7.2
  row({ type: ATTRIBUTE.asPath, name: 'AS_PATH', class: 'well-known mandatory', check: checkAsPath }),
  // RFC 7606 §7.3; mandatory only with classic NLRI (RFC 4760 §3)
  row({
    type: ATTRIBUTE.nextHop,
    name: 'NEXT_HOP',
    class: 'well-known discretionary',
    home: 'message',
    check: checkNextHop,
  }),
  // RFC 7606 §7.4
  row({
    type: ATTRIBUTE.multiExitDisc,
    name: 'MULTI_EXIT_DISC',
    class: 'optional non-transitive',
    check: exactLength(4),
  }),
  // RFC 7606 §7.5; RFC 4271 §5.1.5: ignored from external peers, except in a confederation, or where wanted
  row({
    type: ATTRIBUTE.localPref,
    name: 'LOCAL_PREF',
    class: 'well-known discretionary',
    scope: 'local-pref-session',
    check: exactLength(4),
  }),
  // RFC 7606 §3 (f), §7.6
  row({
    type: ATTRIBUTE.atomicAggregate,
    name: 'ATOMIC_AGGREGATE',
    class: 'well-known discretionary',
    onMalformed: 'attribute-discard',
    check: exactLength(0),
  }),
  // RFC 7606 §3 (f), §7.7
  row({
    type: ATTRIBUTE.aggregator,
    name: 'AGGREGATOR',
    class: 'optional transitive',
    onMalformed: 'attribute-discard',
    check: checkAggregator,
  }),
  // RFC 7606 §7.8
  row({
    type: ATTRIBUTE.communities,
    name: 'COMMUNITIES',
    class: 'optional transitive',
    check: listOf(COMMUNITY_BYTES),
  }),
  // RFC 7606 §7.9
  row({
    type: ATTRIBUTE.originatorId,
    name: 'ORIGINATOR_ID',
    class: 'optional non-transitive',
    scope: 'internal',
    check: exactLength(4),
  }),
  // RFC 7606 §7.10
  row({
    type: ATTRIBUTE.clusterList,
    name: 'CLUSTER_LIST',
    class: 'optional non-transitive',
    scope: 'internal',
    check: listOf(4),
  }),
  // RFC 7606 §5.3: shorter than 5 octets or wrong flags; RFC 4760 §7
  row({
    type: ATTRIBUTE.mpReachNlri,
    name: 'MP_REACH_NLRI',
    class: 'optional non-transitive',
    home: 'message',
    onMalformed: 'session-reset',
    onWrongFlags: 'session-reset',
    check: atLeast(5),
  }),
  // RFC 7606 §5.3: shorter than 3 octets or wrong flags; RFC 4760 §7
  row({
    type: ATTRIBUTE.mpUnreachNlri,
    name: 'MP_UNREACH_NLRI',
    class: 'optional non-transitive',
    home: 'message',
    onMalformed: 'session-reset',
    onWrongFlags: 'session-reset',
    check: atLeast(3),
  }),
  // RFC 7606 §7.14
  row({
    type: ATTRIBUTE.extendedCommunities,
    name: 'EXTENDED COMMUNITIES',
    class: 'optional transitive',
    check: listOf(EXTENDED_COMMUNITY_BYTES),
  }),
  // RFC 6793 §6
  row({
    type: ATTRIBUTE.as4Path,
    name: 'AS4_PATH',
    class: 'optional transitive',
    home: 'message',
    scope: 'two-octet-as',
    onMalformed: 'attribute-discard',
    check: checkAs4Path,
  }),
  // RFC 6793 §6
  row({
    type: ATTRIBUTE.as4Aggregator,
    name: 'AS4_AGGREGATOR',
    class: 'optional transitive',
    home: 'message',
    scope: 'two-octet-as',
    onMalformed: 'attribute-discard',
    check: checkAs4Aggregator,
  }),
  // RFC 6514 §5: flags, tunnel type, label
  row({
    type: ATTRIBUTE.pmsiTunnel,
    name: 'PMSI_TUNNEL',
    class: 'optional transitive',
    check: atLeast(5),
  }),
  // RFC 9012 §13
  row({
    type: ATTRIBUTE.tunnelEncapsulation,
    name: 'TUNNEL_ENCAPSULATION',
    class: 'optional transitive',
    check: checkTunnelEncapsulation,
  }),
  // RFC 7606 §7.15
  row({
    type: ATTRIBUTE.ipv6ExtendedCommunities,
    name: 'IPV6 EXTENDED COMMUNITIES',
    class: 'optional transitive',
    check: listOf(IPV6_EXTENDED_COMMUNITY_BYTES),
  }),
  // RFC 7311 §3.2: malformed, or transitive, as if unrecognised
  row({
    type: ATTRIBUTE.aigp,
    name: 'AIGP',
    class: 'optional non-transitive',
    scope: 'aigp-session',
    onMalformed: 'attribute-discard',
    onWrongFlags: 'attribute-discard',
    check: checkAigp,
  }),
  // RFC 8092 §6; §3: duplicates go
  row({
    type: ATTRIBUTE.largeCommunities,
    name: 'LARGE_COMMUNITIES',
    class: 'optional transitive',
    check: listOf(LARGE_COMMUNITY_BYTES),
    canonicalize: (bytes, start, end) => withoutDuplicates(bytes, start, end, LARGE_COMMUNITY_BYTES),
  }),
  // RFC 9234 §5
  row({
    type: ATTRIBUTE.onlyToCustomer,
    name: 'ONLY_TO_CUSTOMER',
    class: 'optional transitive',
    check: exactLength(4),
  }),
  // RFC 8669 §6, RFC 9252 §7
  row({
    type: ATTRIBUTE.prefixSid,
    name: 'PREFIX_SID',
    class: 'optional transitive',
    onMalformed: 'attribute-discard',
    onWrongFlags: 'attribute-discard',
    check: checkPrefixSid,
  }),
];

const TYPE_COUNT = 256;

/** The rows by type; undefined = not recognised. */
export const ATTRIBUTE_BY_TYPE: readonly (AttributeRow | undefined)[] = Array.from(
  { length: TYPE_COUNT },
  (_, type) => ATTRIBUTES.find((candidate) => candidate.type === type),
);

/**
 * By type, the flags in a canonical set, extended length aside: an attribute's class. Unrecognised ones are passed on with
 * Partial set (RFC 4271 §5). A table of numbers, because every attribute of every UPDATE is compared with it.
 */
export const CANONICAL_FLAGS: Uint8Array = Uint8Array.from(ATTRIBUTE_BY_TYPE, (known) =>
  known === undefined ? FLAG.optional | FLAG.transitive | FLAG.partial : ATTRIBUTE_CLASS[known.class],
);

export function attributeName(type: number): string {
  return ATTRIBUTE_BY_TYPE[type]?.name ?? OTHER_ATTRIBUTE_NAMES[type] ?? `attribute ${type}`;
}
