// From the Loc-RIB to the kernel: for each decided prefix the route that shall stand there. BGP paths become next
// hops (several for an ECMP set), own networks what their type says, learned routes nothing, because they are in the
// kernel already. Who resolves next hops is NextHopTracker; how routes get into the kernel is src/fib's affair.

import { FAMILIES } from '../bgp/wire/families.ts';
import type { Fib } from '../fib/fib.ts';
import type { Resolution } from '../fib/next-hop-resolver.ts';
import { particularsKey } from '../fib/route-particulars.ts';
import type { RouteTargetSpec } from '../fib/route-targets.ts';
import type { StaticWay } from '../fib/static-routes.ts';
import type { KernelNextHop, KernelRouteWishes } from '../fib/types.ts';
import { optionalBytesEqual } from '../lib/bytes.ts';
import { formatAddress, type IpVersion, parseAddress } from '../lib/ip.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import { unveiled } from '../rib/feeds.ts';
import { type RibPeer, SOURCE } from '../rib/rib-peer.ts';
import { LOCAL_ORIGIN, originOf } from './local-routes.ts';
import type { TablePlace } from './table-room.ts';

export interface KernelRouteSources {
  readonly place: TablePlace;
  readonly fib: Fib;
  /** How a next hop of the RIB is reached, whichever table it is looked up in. */
  readonly resolution: (nextHopId: number) => Resolution;
  readonly origins: LocalOrigins;
  /** Prefixes of interfaces are written, too. */
  readonly writesConnected: (version: IpVersion) => boolean;
  readonly prefSource: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
  /** Index of an interface that is up; for tunnels. */
  readonly interfaceIndex: (name: string) => number | undefined;
}

/** What the export filter makes of a path: its wishes, or undefined where it refuses the path. */
export type KernelFilter = (rib: FamilyRib, row: number) => KernelRouteWishes | undefined;

export const NO_WISHES: KernelRouteWishes = {};

/** No route; ids of targets begin at 1. */
const NO_TARGET = 0;

/** Where a table's routes that are no peer's lead. */
export interface LocalWays {
  /** Of the network or learned route of a prefix, as text, by the path identifier of its row. */
  way(prefix: string, pathId: number): StaticWay | undefined;
}

export interface LocalOrigins extends LocalWays {
  /** Of another table, by its pseudo peer; undefined where it is gone. */
  elsewhere(local: RibPeer): LocalWays | undefined;
}

/** From a kernel table. */
const LEARNED_ORIGINS: ReadonlySet<number> = new Set([LOCAL_ORIGIN.kernel, LOCAL_ORIGIN.static]);

export class KernelRoutes {
  readonly #sources: KernelRouteSources;
  /** By family: targets by what they are made of. Void when a resolution changes or goes, or a tunnel comes. */
  readonly #plain: Map<number, number>[];
  readonly #composed: Map<string, number>[];
  /** Interfaces that were asked for by name, with the index that each had. */
  readonly #links = new Map<string, number | undefined>();
  #prefSources: readonly (Uint8Array | undefined)[];
  /** The kernel export filter; every route passes where there is none. */
  #filter: KernelFilter | undefined;
  readonly #unlisten: readonly (() => void)[];

  constructor(sources: KernelRouteSources) {
    this.#sources = sources;
    const { families } = sources.place;
    this.#plain = FAMILIES.map(() => new Map());
    this.#composed = FAMILIES.map(() => new Map());
    this.#prefSources = this.#parseSources(sources.prefSource);
    const served = families.filter(({ family }) => sources.fib.serves(family.id));
    this.#unlisten = served.map((rib) => {
      return rib.locRib.addListener((prefixId) => this.#decided(rib, prefixId));
    });
    const home = families.reduce<FamilyRib[]>((found, each) => {
      found[each.family.id] = each;
      return found;
    }, []);
    sources.fib.onTargetsSwept = () => this.forgetTargets();
    sources.fib.onIdle = (familyId, prefixId) => home[familyId]!.prefixes.release(prefixId);
  }

  /** The kernel stays as it is from now on. */
  close(): void {
    for (const unlisten of this.#unlisten) unlisten();
  }

  /** The FIB is closed: lets go of the prefixes whose routes it has left where they are. */
  release(): void {
    const { place, fib } = this.#sources;
    for (const { family, prefixes } of place.families) {
      for (const prefixId of fib.prefixes(family.id)) prefixes.release(prefixId);
    }
  }

  /** Next hops resolve differently now, or their ids may mean others. */
  forgetTargets(): void {
    for (const targets of [...this.#plain, ...this.#composed]) targets.clear();
  }

  /** Another preferred source: every route is computed again. */
  usePrefSource(prefSource: KernelRouteSources['prefSource']): void {
    this.#prefSources = this.#parseSources(prefSource);
    this.#recompute();
  }

  /** Another export filter: every route is computed again. */
  useFilter(filter: KernelFilter | undefined): void {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#recompute();
  }

  /** Interfaces came or went: routes through one by name that is another now are computed again. */
  interfacesChanged(): void {
    const { interfaceIndex } = this.#sources;
    const changed = [...this.#links].filter(([name, before]) => interfaceIndex(name) !== before);
    if (changed.length === 0) return;
    for (const [name] of changed) this.#links.set(name, interfaceIndex(name));
    this.#recompute();
  }

  #recompute(): void {
    this.forgetTargets();
    const { rib, families } = this.#sources.place;
    for (const family of families) rib.walks.decideAll(family);
  }

  #parseSources({ ipv4, ipv6 }: KernelRouteSources['prefSource']): (Uint8Array | undefined)[] {
    const bytes = (text: string | undefined) => (text === undefined ? undefined : parseAddress(text)?.bytes);
    return FAMILIES.map((family) => bytes(family.version === 'ipv4' ? ipv4 : ipv6));
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
    const row = locRib.bestRow(prefixId);
    if (row === 0) return NO_TARGET;
    if (paths.feed(row) !== 0) {
      const origin = unveiled(rib, row);
      if (origin.row !== row || origin.rib !== rib) return this.#unveiledTarget(rib, row, origin);
    }
    const local = shared.peers.source[paths.peerId(row)] === SOURCE.local;
    const own = paths.peerId(row) === this.#sources.place.local.id;
    if (local && !this.#isWritten(rib, paths.pathId(row), own)) return NO_TARGET;
    const wishes = this.#filter === undefined ? NO_WISHES : this.#filter(rib, row);
    if (wishes === undefined) return NO_TARGET;
    if (local) return this.#localTarget(rib, row, wishes);
    if (wishes.type !== undefined) return this.#intern(rib, { type: wishes.type, nextHops: [] }, wishes);
    if (wishes.gateway !== undefined) return this.#gatewayTarget(rib, wishes.gateway, wishes);
    const nextHopOf = (member: number): number => shared.attrs.nextHop[paths.attrPost(member)]!;
    const { multipath, multipathCount } = locRib.decision;
    if (multipathCount <= 1) {
      return wishes === NO_WISHES
        ? this.#plainTarget(rib, nextHopOf(row))
        : this.#composedTarget(rib, [{ nextHop: nextHopOf(row), tunnel: wishes.tunnel }], wishes);
    }
    const members = new Map<string, Member>();
    for (let i = 0; i < multipathCount; i++) {
      const other = multipath[i]!;
      if (shared.peers.source[paths.peerId(other)] === SOURCE.local) continue;
      const made = other === row || this.#filter === undefined ? wishes : this.#filter(rib, other);
      if (made === undefined) continue;
      const member = { nextHop: nextHopOf(other), tunnel: made.tunnel };
      members.set(memberKey(member), member);
    }
    const sorted = [...members.values()].sort((a, b) => a.nextHop - b.nextHop);
    return sorted.length === 1 && wishes === NO_WISHES
      ? this.#plainTarget(rib, sorted[0]!.nextHop)
      : this.#composedTarget(rib, sorted, wishes);
  }

  /** Not what is there already: interfaces' prefixes are in the main table, what was learned in the table it is from. */
  #isWritten({ family }: FamilyRib, pathId: number, own: boolean): boolean {
    const origin = originOf(pathId);
    if (origin === LOCAL_ORIGIN.network) return true;
    return origin === LOCAL_ORIGIN.connected ? this.#sources.writesConnected(family.version) : !own;
  }

  /** A filter has said where to. */
  #gatewayTarget(
    rib: FamilyRib,
    { address, interface: name, onlink }: NonNullable<KernelRouteWishes['gateway']>,
    wishes: KernelRouteWishes,
  ): number {
    const ifindex = name === undefined ? undefined : this.#linkIndex(name);
    if (address === undefined && ifindex === undefined) return NO_TARGET;
    const hop = {
      ...(address !== undefined && { gateway: address }),
      ...(ifindex !== undefined && { ifindex }),
      ...(onlink && { onlink }),
    };
    return this.#internHops(rib, [hop], wishes);
  }

  #plainTarget(rib: FamilyRib, nextHopId: number): number {
    const known = this.#plain[rib.family.id]!.get(nextHopId);
    if (known !== undefined) return known;
    const target = this.#internHops(rib, this.#sources.resolution(nextHopId).hops, NO_WISHES);
    this.#plain[rib.family.id]!.set(nextHopId, target);
    return target;
  }

  #composedTarget(rib: FamilyRib, members: readonly Member[], wishes: KernelRouteWishes): number {
    const source = wishes.prefSource === undefined ? '' : formatAddress(wishes.prefSource);
    const key = `${members.map(memberKey).join(' ')} ${wishes.metric ?? ''} ${source} ${particularsKey(wishes)}`;
    const known = this.#composed[rib.family.id]!.get(key);
    if (known !== undefined) return known;
    const hops = members.flatMap((member) => this.#hopsOf(member));
    const target = this.#internHops(rib, distinct(hops), wishes);
    this.#composed[rib.family.id]!.set(key, target);
    return target;
  }

  #hopsOf({ nextHop, tunnel }: Member): readonly KernelNextHop[] {
    const { resolution, place } = this.#sources;
    const ifindex = tunnel ? this.#linkIndex(tunnel) : undefined;
    if (ifindex === undefined) return resolution(nextHop).hops;
    return [{ gateway: place.rib.nextHops.get(nextHop).address, ifindex, onlink: true }];
  }

  #linkIndex(name: string): number | undefined {
    if (!this.#links.has(name)) this.#links.set(name, this.#sources.interfaceIndex(name));
    return this.#links.get(name);
  }

  #internHops(rib: FamilyRib, nextHops: readonly KernelNextHop[], wishes: KernelRouteWishes): number {
    if (nextHops.length === 0) return NO_TARGET;
    return this.#intern(rib, { type: 'unicast', nextHops }, wishes);
  }

  /** Of the best route, and of others that share its traffic where there are several. */
  #localTarget(rib: FamilyRib, row: number, wishes: KernelRouteWishes): number {
    const way = this.#localWay(rib, row);
    const { multipath, multipathCount } = rib.locRib.decision;
    if (way?.type !== 'unicast' || multipathCount <= 1 || this.#isRedirected(way, wishes)) {
      return this.#wayTarget(rib, way, wishes);
    }
    const hops = [...way.hops];
    for (let i = 0; i < multipathCount; i++) {
      const other = multipath[i]!;
      if (other === row || (this.#filter !== undefined && this.#filter(rib, other) === undefined)) continue;
      hops.push(...(this.#localWay(rib, other)?.hops ?? []));
    }
    return this.#wayTarget(rib, { ...way, hops }, wishes);
  }

  #wayTarget(rib: FamilyRib, way: StaticWay | undefined, wishes: KernelRouteWishes): number {
    if (way === undefined) return NO_TARGET;
    if (wishes.gateway !== undefined && this.#isRedirected(way, wishes)) {
      return this.#gatewayTarget(rib, wishes.gateway, wishes);
    }
    const type = wishes.type ?? way.type;
    if (type !== 'unicast') return this.#intern(rib, { type, nextHops: [] }, wishes);
    return this.#internHops(rib, distinct(way.hops), wishes);
  }

  /** Whether a filter has led a local route elsewhere than it leads by itself. */
  #isRedirected(way: StaticWay, { type = 'unicast', gateway }: KernelRouteWishes): boolean {
    if (type !== 'unicast' || gateway === undefined) return type !== way.type;
    const { address, interface: name = '' } = gateway;
    const ifindex = address === undefined ? this.#linkIndex(name) : undefined;
    return !way.hops.some(
      (hop) => optionalBytesEqual(hop.gateway, address) && (address !== undefined || hop.ifindex === ifindex),
    );
  }

  /** Where a network or a learned route leads, of this table or one that a pipe has brought from another. */
  #localWay({ paths, shared, prefixes }: FamilyRib, row: number): StaticWay | undefined {
    const { origins, place } = this.#sources;
    const author = shared.peers.get(paths.peerId(row));
    const home = author === place.local ? origins : origins.elsewhere(author);
    return home === undefined ? undefined : home.way(prefixes.format(paths.prefixId(row)), paths.pathId(row));
  }

  /** As the route that an opaque pipe has brought leads where it is at home. */
  #unveiledTarget(rib: FamilyRib, row: number, origin: { rib: FamilyRib; row: number }): number {
    const { paths, shared } = origin.rib;
    const wishes = this.#filter === undefined ? NO_WISHES : this.#filter(rib, row);
    if (wishes === undefined) return NO_TARGET;
    if (shared.peers.source[paths.peerId(origin.row)] === SOURCE.local) {
      // As by 1.6, which alone has such pipes: a destination on a link is none of the protocol's own, and not written.
      const way = this.#localWay(origin.rib, origin.row);
      const learned = LEARNED_ORIGINS.has(originOf(paths.pathId(origin.row)));
      const onLink = way?.hops.some(({ gateway }) => gateway === undefined) === true;
      return onLink && !learned ? NO_TARGET : this.#wayTarget(rib, way, wishes);
    }
    const nextHop = shared.attrs.nextHop[rib.paths.attrPost(row)]!;
    return this.#composedTarget(rib, [{ nextHop, tunnel: wishes.tunnel }], wishes);
  }

  #intern(rib: FamilyRib, spec: RouteTargetSpec, wishes: KernelRouteWishes): number {
    const { metric, prefSource: wanted, scope, realm, metrics } = wishes;
    const { targets } = this.#sources.fib;
    const prefSource = spec.type === 'unicast' ? (wanted ?? this.#prefSources[rib.family.id]) : undefined;
    const addressBytes = rib.family.maxBits === 32 ? 4 : 16;
    return targets.intern(addressBytes, {
      ...spec,
      ...(prefSource !== undefined && { prefSource }),
      ...(scope !== undefined && { scope }),
      ...(realm !== undefined && { realm }),
      ...(metrics !== undefined && { metrics }),
      // A configured metric is for all routes.
      ...(metric !== undefined && targets.placeOf(addressBytes).metric === 0 && { metric }),
    });
  }
}

/** A BGP next hop, and the device that the filter wants for it. */
interface Member {
  readonly nextHop: number;
  readonly tunnel: string | undefined;
}

function memberKey({ nextHop, tunnel }: Member): string {
  return tunnel ? `${nextHop}%${tunnel}` : `${nextHop}`;
}

/** Without repetition: two BGP next hops may lead through the same gateway. */
function distinct(hops: readonly KernelNextHop[]): KernelNextHop[] {
  const seen = new Map(hops.map((hop) => [`${hop.gateway?.join('.') ?? ''} ${hop.ifindex ?? ''}`, hop]));
  return [...seen.values()];
}
