// From the configuration's policies to what the RIB and the kernel's writer run: the one door through which compiled
// filters reach them. Equal filters give one object here, which is how an unchanged policy is recognised after a reload.

import type { Family } from '../bgp/wire/families.ts';
import type { FamilyPolicy, LocalPolicies, Policy } from '../config/model.ts';
import { describePolicy, policyFor } from '../config/policies.ts';
import { STATIC_PROTOCOLS } from '../fib/netlink/constants.ts';
import { particularsKey } from '../fib/route-particulars.ts';
import type { KernelRouteWishes } from '../fib/types.ts';
import type { Filter } from '../policy/filter.ts';
import { FilterPolicy, type FilterUseKind } from '../policy/filter-policy.ts';
import type { FilterLinks } from '../policy/route-facts.ts';
import { Ip } from '../policy/values.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import { NO_EXTRAS, type RouteExtras, type RouteOrigin } from '../rib/route-extras.ts';
import { type PeerPolicy, policyKey, type RoutePolicy } from '../rib/route-policy.ts';
import { particularsOf } from './kernel-attributes.ts';
import { type KernelFilter, NO_WISHES } from './kernel-routes.ts';

const LOCAL_KINDS = ['networks', 'kernel', 'connected', 'static'] as const;

/** A route of which policy of the configuration, where its protocol has none of its own. */
const LOCAL_POLICY_OF: Readonly<Record<RouteOrigin, (typeof LOCAL_KINDS)[number] | undefined>> = {
  bgp: undefined,
  static: 'networks',
  kernel: 'kernel',
  device: 'connected',
  pipe: undefined,
};

/** What was read from a file is no literal, and V8 compares literals in one instruction, each route again. */
const TRIVIAL = { accept: 'accept', reject: 'reject', none: 'none' } as const;

export class Policies {
  readonly #links: FilterLinks;
  readonly #made: Readonly<Record<FilterUseKind, Map<string, FilterPolicy>>> = {
    import: new Map(),
    export: new Map(),
    kernel: new Map(),
  };
  /** Of the tables that filters ask. */
  #edition = 0;

  /** `links`: for filters that ask where a route leads. */
  constructor(links: FilterLinks) {
    this.#links = links;
  }

  /** For all families of a peer. */
  importPolicy(policy: Policy): PeerPolicy {
    const ipv4 = this.#policy(policyFor(policy, 'ipv4'), 'import');
    const ipv6 = this.#policy(policyFor(policy, 'ipv6'), 'import');
    return ipv4 === ipv6 ? ipv4 : new DispatchingPolicy(describePolicy(policy), [ipv4, ipv6], byFamily);
  }

  exportPolicy(policy: Policy, family: Family): PeerPolicy {
    return this.#policy(policyFor(policy, family.version), 'export');
  }

  /** Of what a pipe carries: a route passes as it stands in its table. */
  pipePolicy(policy: FamilyPolicy): PeerPolicy {
    return this.#policy(policy, 'import');
  }

  /** Import of own networks and of what is learned from the kernel. */
  localImport(policies: LocalPolicies): PeerPolicy {
    const kinds = LOCAL_KINDS.map((kind) => this.importPolicy(policies[kind]));
    const own = Object.entries(policies.protocols ?? {});
    const parts = [...kinds, ...own.map(([, policy]) => this.importPolicy(policy))];
    if (parts.every((part) => part === 'accept')) return 'accept';
    const places = new Map(own.map(([protocol], i) => [protocol, kinds.length + i]));
    return new DispatchingPolicy('local', parts, (rib, attr) => {
      const { attrs } = rib.shared;
      const { origin, protocol = '', values } = attrs.extrasTable.get(attrs.extras[attr]!);
      const place = places.get(protocol);
      if (place !== undefined) return place;
      const kind = LOCAL_POLICY_OF[origin];
      if (kind === undefined) return 0;
      const isStatic = STATIC_PROTOCOLS.has(Number(values.get('krt_source')));
      return LOCAL_KINDS.indexOf(kind === 'kernel' && isStatic ? 'static' : kind);
    });
  }

  /** What the export filter of the kernel protocol says, and what import filters have said already. */
  kernelFilter(policy: Policy): KernelFilter {
    const wishes = new Map<string, KernelRouteWishes>();
    const policies = [policyFor(policy, 'ipv4'), policyFor(policy, 'ipv6')].map((each) =>
      this.#policy(each, 'kernel'),
    );
    return (rib, row) => {
      const { attrs, peers } = rib.shared;
      const inTable = rib.paths.attrPost(row);
      const wanted = policies[byFamily(rib)]!;
      if (wanted === 'accept') return wishesOf(rib, inTable, wishes);
      if (typeof wanted === 'string') return undefined;
      const from = peers.get(rib.paths.peerId(row));
      const attr = wanted.apply(rib, rib.paths.prefixId(row), inTable, from, inTable);
      if (attr === 0) return undefined;
      const result = wishesOf(rib, attr, wishes);
      attrs.release(attr);
      return result;
    };
  }

  /** Forgets filters that no configuration has any more. */
  retain(used: ReadonlySet<Filter>): void {
    const keys = new Set([...used].map((filter) => filter.key));
    for (const made of Object.values(this.#made)) {
      for (const key of made.keys()) if (!keys.has(key)) made.delete(key);
    }
  }

  /** What these tables say has changed: filters that ask them make other policies from now on. */
  tablesChanged(names: ReadonlySet<string>): void {
    this.#edition++;
    for (const made of Object.values(this.#made)) {
      for (const [key, { filter }] of made) {
        if ([...filter.facts.tables].some((name) => names.has(name))) made.delete(key);
      }
    }
  }

  #policy(policy: FamilyPolicy, kind: FilterUseKind): PeerPolicy {
    if (typeof policy === 'string') return TRIVIAL[policy];
    if (policy.trivial !== undefined) return policy.trivial;
    const made = this.#made[kind];
    const known = made.get(policy.key);
    if (known !== undefined) return known;
    const edition = policy.facts.tables.size === 0 ? 0 : this.#edition;
    const fresh = new FilterPolicy(policy, kind, this.#links, edition);
    made.set(policy.key, fresh);
    return fresh;
  }
}

function byFamily(rib: FamilyRib): number {
  return rib.family.version === 'ipv4' ? 0 : 1;
}

/** Several policies, of which each route has its own. */
class DispatchingPolicy implements RoutePolicy {
  readonly name: string;
  readonly key: string;
  readonly afterRewrite = false;
  readonly #parts: readonly PeerPolicy[];
  readonly #choose: (rib: FamilyRib, attr: number) => number;

  constructor(name: string, parts: readonly PeerPolicy[], choose: (rib: FamilyRib, attr: number) => number) {
    this.name = name;
    this.key = parts.map(policyKey).join(' / ');
    this.#parts = parts;
    this.#choose = choose;
  }

  dependsOnPrefix(familyId: number): boolean {
    return this.#parts.some((part) => typeof part !== 'string' && part.dependsOnPrefix(familyId));
  }

  apply(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number {
    const part = this.partFor(rib, attr);
    if (typeof part !== 'string') return part.apply(rib, prefixId, attr, from, inTable);
    if (part !== 'accept') return 0;
    rib.shared.attrs.hold(attr);
    return attr;
  }

  applyInTurn(rib: FamilyRib, prefixId: number, attr: number, from: RibPeer, inTable: number): number {
    const part = this.partFor(rib, attr);
    if (typeof part === 'string') return this.apply(rib, prefixId, attr, from, inTable);
    return part.applyInTurn(rib, prefixId, attr, from, inTable);
  }

  settle(): void {
    for (const part of this.#parts) if (typeof part !== 'string') part.settle();
  }

  partFor(rib: FamilyRib, attr: number): PeerPolicy {
    return this.#parts[this.#choose(rib, attr)] ?? 'reject';
  }
}

/** The filter that judges this very route; undefined where that is none. */
export function filterPolicyFor(policy: PeerPolicy, rib: FamilyRib, attr: number): FilterPolicy | undefined {
  if (policy instanceof FilterPolicy) return policy;
  if (policy instanceof DispatchingPolicy) return filterPolicyFor(policy.partFor(rib, attr), rib, attr);
  return undefined;
}

/** What a route's extras ask of the kernel; equal wishes are one object of `known`. */
function wishesOf(rib: FamilyRib, attr: number, known: Map<string, KernelRouteWishes>): KernelRouteWishes {
  const { attrs } = rib.shared;
  const id = attrs.extras[attr]!;
  if (id === NO_EXTRAS) return NO_WISHES;
  const extras = attrs.extrasTable.get(id);
  const metric = extras.values.get('krt_metric');
  const source = extras.values.get('krt_prefsrc');
  const tunnel = extras.values.get('krt_tunnel');
  const redirect = redirectOf(extras);
  const wished: KernelRouteWishes = {
    ...(typeof metric === 'number' && { metric }),
    ...(source instanceof Ip && { prefSource: source.bytes }),
    ...(typeof tunnel === 'string' && tunnel !== '' && { tunnel }),
    ...redirect,
    ...(extras.values.size > 0 && particularsOf(extras.values)),
  };
  if (Object.keys(wished).length === 0) return NO_WISHES;
  const key = `${JSON.stringify(wished)} ${particularsKey(wished)}`;
  const same = known.get(key);
  if (same === undefined) known.set(key, wished);
  return same ?? wished;
}

/** Where a route shall lead instead of to its next hop, or where it leads in any case. */
function redirectOf(extras: RouteExtras): Pick<KernelRouteWishes, 'type' | 'gateway'> {
  const { origin, destination, gateway, onlink } = extras;
  if (destination !== 'unicast') return { type: destination };
  if (gateway === undefined && extras.interface === undefined) return {};
  // That of a local route's gateway is of the way it had, which a filter may have led elsewhere.
  const link = origin === 'bgp' || onlink || gateway === undefined ? extras.interface : undefined;
  return { gateway: { address: gateway, interface: link, onlink } };
}
