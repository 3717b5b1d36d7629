// What the RIB wants of a policy. The filter language satisfies it (policy/filter-policy.ts); the RIB knows no more of
// it than that a route goes in and an attribute set, or nothing, comes out.

import type { FamilyRib } from './family-rib.ts';
import type { RibPeer } from './rib-peer.ts';

export interface RoutePolicy {
  /** For people. */
  readonly name: string;
  /** Equal for policies that do the same. */
  readonly key: string;
  /**
   * On export: the policy sees the route as the protocol has rewritten it for the peer, own AS in front (BIRD 1.6);
   * otherwise as it stands in the table.
   */
  readonly afterRewrite: boolean;
  /** Whether two prefixes with the same attributes may fare differently, or somebody would see that it did not run. */
  dependsOnPrefix(familyId: number): boolean;
  /**
   * The attribute set that the route has afterwards, held once for the caller; 0 = the policy refuses the route.
   * `inTable` is the set as it stands in the table, where `attr` is a rewritten one. Where the result does not depend
   * on the prefix, `prefixId` may be 0.
   */
  apply(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number;
  /** apply for many routes in turn: how the last set fared is remembered, and held, until `settle`. */
  applyInTurn(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number;
  settle(): void;
}

/** none = nothing configured on eBGP: RFC 8212 applies. */
export type PeerPolicy = 'accept' | 'reject' | 'none' | RoutePolicy;

/** The policy as group keys and views have it. */
export function policyKey(policy: PeerPolicy): string {
  return typeof policy === 'string' ? policy : `filter ${policy.name} ${policy.key}`;
}
