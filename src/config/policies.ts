// Policies of the model as values: which one counts for a family, whether two are the same, how one is called. Filters
// are equal where their keys are, so that a reload with unchanged filters changes nothing.

import type { IpVersion } from '../lib/ip.ts';
import { Filter } from '../policy/filter.ts';
import type { FamilyPolicy, LocalPolicies, Policy, PolicyByFamily } from './model.ts';

/** Everything passes. */
export const ACCEPT_ALL: LocalPolicies = {
  networks: 'accept',
  kernel: 'accept',
  connected: 'accept',
  static: 'accept',
  install: 'accept',
};

/** Every import policy of what is no peer's. */
export function localImports({
  networks,
  kernel,
  connected,
  static: fixed,
  protocols,
}: LocalPolicies): Policy[] {
  return [networks, kernel, connected, fixed, ...Object.values(protocols ?? {})];
}

export function policyFor(policy: Policy, version: IpVersion): FamilyPolicy {
  return isByFamily(policy) ? policy[version] : policy;
}

export function samePolicy(a: Policy, b: Policy): boolean {
  return (
    sameFamilyPolicy(policyFor(a, 'ipv4'), policyFor(b, 'ipv4')) &&
    sameFamilyPolicy(policyFor(a, 'ipv6'), policyFor(b, 'ipv6'))
  );
}

/** One policy where both families have the same. */
export function policyOf(ipv4: FamilyPolicy, ipv6: FamilyPolicy): Policy {
  return sameFamilyPolicy(ipv4, ipv6) ? ipv4 : { ipv4, ipv6 };
}

/** `accept`, `filter customers`, `ipv4 accept, ipv6 reject` */
export function describePolicy(policy: Policy): string {
  if (isByFamily(policy)) return `ipv4 ${nameOf(policy.ipv4)}, ipv6 ${nameOf(policy.ipv6)}`;
  return nameOf(policy);
}

/** Every filter that the policy may run. */
export function filtersOf(policy: Policy): Filter[] {
  return [policyFor(policy, 'ipv4'), policyFor(policy, 'ipv6')].filter((each) => each instanceof Filter);
}

function nameOf(policy: FamilyPolicy): string {
  if (typeof policy === 'string') return policy;
  return policy.name === undefined ? 'an unnamed filter' : `filter ${policy.name}`;
}

function sameFamilyPolicy(a: FamilyPolicy, b: FamilyPolicy): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.key === b.key;
}

function isByFamily(policy: Policy): policy is PolicyByFamily {
  return typeof policy !== 'string' && !(policy instanceof Filter);
}
