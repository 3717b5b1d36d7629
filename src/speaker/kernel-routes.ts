// From the Loc-RIB to the kernel: for each decided prefix the route that shall stand there. BGP paths become next
// hops (several for an ECMP set), own networks what their type says, learned routes nothing, because they are in the
// kernel already. Who resolves next hops is NextHopTracker; how routes get into the kernel is src/fib's affair.

import type { NetworkConfig } from '../config/model.ts';
import type { Fib } from '../fib/fib.ts';
import type { RouteTargetSpec } from '../fib/route-targets.ts';
import type { KernelNextHop } from '../fib/types.ts';
import { parseAddress } from '../lib/ip.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { Rib } from '../rib/rib.ts';
import { LOCAL_ORIGIN } from './local-routes.ts';
import type { NextHopTracker } from './next-hop-tracker.ts';

export interface KernelRouteSources {
  readonly rib: Rib;
  readonly fib: Fib;
  readonly tracker: () => NextHopTracker;
  /** The own network of a prefix, as text. */
  readonly network: (prefix: string) => NetworkConfig | undefined;
  readonly prefSource: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
}

/** No route; ids of targets begin at 1. */
const NO_TARGET = 0;

export class KernelRoutes {
  readonly #sources: KernelRouteSources;
  /** By family: targets of single next hops, and of ECMP sets by their ids. Void when a resolution changes or goes. */
  readonly #single: Map<number, number>[];
  readonly #several: Map<string, number>[];
  #prefSources: readonly (Uint8Array | undefined)[];
  readonly #unlisten: readonly (() => void)[];

  constructor(sources: KernelRouteSources) {
    this.#sources = sources;
    const { families } = sources.rib;
    this.#single = families.map(() => new Map());
    this.#several = families.map(() => new Map());
    this.#prefSources = this.#parseSources(sources.prefSource);
    this.#unlisten = families.map((rib) => {
      return rib.locRib.addListener((prefixId) => this.#decided(rib, prefixId));
    });
    sources.fib.onIdle = (familyId, prefixId) => families[familyId]!.prefixes.release(prefixId);
  }

  /** The kernel stays as it is from now on. */
  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
  }

  /** The FIB is closed: lets go of the prefixes whose routes it has left where they are. */
  release(): void {
    const { rib, fib } = this.#sources;
    for (const { family, prefixes } of rib.families) {
      for (const prefixId of fib.prefixes(family.id)) prefixes.release(prefixId);
    }
  }

  /** Next hops resolve differently now, or their ids may mean others. */
  forgetTargets(): void {
    for (const targets of [...this.#single, ...this.#several]) targets.clear();
  }

  /** Another preferred source: every route is computed again. */
  usePrefSource(prefSource: KernelRouteSources['prefSource']): void {
    this.#prefSources = this.#parseSources(prefSource);
    this.forgetTargets();
    for (const rib of this.#sources.rib.families) rib.decideAll();
  }

  #parseSources({ ipv4, ipv6 }: KernelRouteSources['prefSource']): (Uint8Array | undefined)[] {
    const bytes = (text: string | undefined) => (text === undefined ? undefined : parseAddress(text)?.bytes);
    return this.#sources.rib.families.map(({ family }) => bytes(family.nextHopBytes === 4 ? ipv4 : ipv6));
  }

  #decided(rib: FamilyRib, prefixId: number): void {
    const { fib } = this.#sources;
    const familyId = rib.family.id;
    const target = this.#target(rib, prefixId);
    // The id must not be given to another prefix while the kernel has, or may have, a route of this one.
    if (target !== NO_TARGET) {
      if (fib.isIdle(familyId, prefixId)) rib.prefixes.hold(prefixId);
      fib.setRoute(familyId, prefixId, target);
    } else if (!fib.isIdle(familyId, prefixId)) {
      fib.clearRoute(familyId, prefixId);
    }
  }

  #target(rib: FamilyRib, prefixId: number): number {
    const { locRib, paths, shared } = rib;
    const row = locRib.bestRow[prefixId]!;
    if (row === 0) return NO_TARGET;
    if (paths.peerId[row] === this.#sources.rib.local.id) return this.#localTarget(rib, prefixId, row);
    const { multipath, multipathCount } = locRib.decision;
    if (multipathCount <= 1) return this.#singleTarget(rib, shared.attrs.nextHop[paths.attrPost[row]!]!);
    const nextHops = new Set<number>();
    for (let i = 0; i < multipathCount; i++) {
      const member = multipath[i]!;
      if (paths.peerId[member] === this.#sources.rib.local.id) continue;
      nextHops.add(shared.attrs.nextHop[paths.attrPost[member]!]!);
    }
    const sorted = [...nextHops].sort((a, b) => a - b);
    return sorted.length === 1 ? this.#singleTarget(rib, sorted[0]!) : this.#severalTarget(rib, sorted);
  }

  #singleTarget(rib: FamilyRib, nextHopId: number): number {
    const known = this.#single[rib.family.id]!.get(nextHopId);
    if (known !== undefined) return known;
    const target = this.#internHops(rib, this.#sources.tracker().resolution(nextHopId).hops);
    this.#single[rib.family.id]!.set(nextHopId, target);
    return target;
  }

  #severalTarget(rib: FamilyRib, nextHopIds: readonly number[]): number {
    const key = nextHopIds.join(' ');
    const known = this.#several[rib.family.id]!.get(key);
    if (known !== undefined) return known;
    const tracker = this.#sources.tracker();
    const hops = nextHopIds.flatMap((id) => tracker.resolution(id).hops);
    const target = this.#internHops(rib, distinct(hops));
    this.#several[rib.family.id]!.set(key, target);
    return target;
  }

  #internHops(rib: FamilyRib, nextHops: readonly KernelNextHop[]): number {
    if (nextHops.length === 0) return NO_TARGET;
    return this.#intern(rib, { type: 'unicast', nextHops });
  }

  #localTarget(rib: FamilyRib, prefixId: number, row: number): number {
    // What was learned from the kernel is there already.
    if (rib.paths.pathId[row] !== LOCAL_ORIGIN.network) return NO_TARGET;
    const network = this.#sources.network(rib.prefixes.format(prefixId));
    if (network === undefined || network.type === 'none') return NO_TARGET;
    if (network.type !== 'via') return this.#intern(rib, { type: network.type, nextHops: [] });
    const nextHops = network.via.flatMap((text) => {
      const gateway = parseAddress(text)?.bytes;
      return gateway === undefined ? [] : [{ gateway }];
    });
    return this.#intern(rib, { type: 'unicast', nextHops });
  }

  #intern(rib: FamilyRib, spec: RouteTargetSpec): number {
    const prefSource = this.#prefSources[rib.family.id];
    const wanted = prefSource === undefined || spec.type !== 'unicast' ? spec : { ...spec, prefSource };
    return this.#sources.fib.targets.intern(wanted);
  }
}

/** Without repetition: two BGP next hops may lead through the same gateway. */
function distinct(hops: readonly KernelNextHop[]): KernelNextHop[] {
  const seen = new Map(hops.map((hop) => [`${hop.gateway?.join('.') ?? ''} ${hop.ifindex ?? ''}`, hop]));
  return [...seen.values()];
}
