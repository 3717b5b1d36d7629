// One path row as a route of a BIRD table: the protocol it came from, where it leads, and its attributes.

import { decodeAttributes } from '../../bgp/wire/attribute-values.ts';
import { ATTRIBUTE } from '../../bgp/wire/iana.ts';
import { gatewayMode } from '../../config/bird/gateway.ts';
import type { KernelNextHop } from '../../fib/types.ts';
import { optionalBytesEqual } from '../../lib/bytes.ts';
import { formatAddress, type IpVersion, isLinkLocal, isUnspecified, parseAddress } from '../../lib/ip.ts';
import { asValue, hollowCodes } from '../../policy/attribute-access.ts';
import { ROUTE_ATTRIBUTES } from '../../policy/attributes.ts';
import { formatAttribute } from '../../policy/format.ts';
import { ATTR_FLAG } from '../../rib/attr-store.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { unveiled } from '../../rib/feeds.ts';
import { UNKNOWN_METRIC } from '../../rib/next-hops.ts';
import type { RibPeer } from '../../rib/rib-peer.ts';
import type { RouteExtras } from '../../rib/route-extras.ts';
import type { EmptiedList, RouteHop, RouteOrigin, TableRoute } from '../api/tables.ts';
import { compareHops } from '../hop-order.ts';
import { shownKernelAttributes } from '../kernel-attributes.ts';
import type { KernelSync } from '../kernel-sync.ts';
import { LOCAL_ORIGIN, ordinalOf, originOf } from '../local-routes.ts';
import type { Speaker } from '../speaker.ts';
import type { TableRoom } from '../table-room.ts';
import { type DeclaredProtocol, declaredProtocols, ownerOf, shownTable } from './declared.ts';
import { traitsOf } from './traits.ts';

const MS_PER_SECOND = 1000;
/** Octets of a global and a link-local address. */
const IPV6_OCTETS = 16;

const ORIGINS: Readonly<Record<RouteExtras['origin'], RouteOrigin>> = {
  bgp: 'BGP',
  static: 'static',
  device: 'device',
  kernel: 'inherit',
  pipe: 'pipe',
};

/** What a row is shown with. */
export interface RowStanding {
  readonly row: number;
  readonly primary: boolean;
  /** The attribute set in the table: after import, after a filter, or as received. */
  readonly attr: number;
  /** The set whose path attributes are shown, where that is another one. */
  readonly as?: number;
  /** As sent, where that is another set than the one in the table. */
  /** Where it leads together with others. */
  readonly hops?: readonly KernelNextHop[];
  readonly rendered?: Rendered;
}

interface Rendered {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly nextHop: Uint8Array;
}

/** Kinds of protocols by LOCAL_ORIGIN, where routes are no protocol's in particular; all else is the kernel's. */
const OWNER_KINDS: Readonly<Record<number, 'static' | 'direct'>> = {
  [LOCAL_ORIGIN.network]: 'static',
  [LOCAL_ORIGIN.connected]: 'direct',
};

const BUILT_IN: ReadonlySet<string> = new Set(ROUTE_ATTRIBUTES.map(({ name }) => name));

function customAttributes({ values }: RouteExtras): NonNullable<TableRoute['custom']> {
  return [...values].flatMap(([name, value]) => {
    return BUILT_IN.has(name) || name.startsWith('krt_')
      ? []
      : { name, value: formatAttribute(asValue(value)) };
  });
}

const LISTS: ReadonlyMap<number, EmptiedList> = new Map([
  [ATTRIBUTE.communities, 'communities'],
  [ATTRIBUTE.extendedCommunities, 'extendedCommunities'],
  [ATTRIBUTE.largeCommunities, 'largeCommunities'],
  [ATTRIBUTE.clusterList, 'clusterList'],
]);

/** Makes the views of one command: looks up once what all of them need. */
export class RouteViews {
  readonly #speaker: Speaker;
  readonly #protocols: readonly DeclaredProtocol[];
  readonly #owners = new Map<string, string>();
  readonly #onLink = { ipv4: new Map<RibPeer, boolean>(), ipv6: new Map<RibPeer, boolean>() };

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
    this.#protocols = declaredProtocols(speaker.written);
  }

  /** The protocol that a row came from. */
  protocolOf(family: FamilyRib, row: number): string {
    const { rib, rooms } = this.#speaker;
    const peer = rib.peers.get(family.paths.peerId(row));
    const room = peer.source === 'local' ? rooms.ofLocal(peer) : undefined;
    // Peers, and pipes whose routes are their own.
    if (room === undefined) return peer.name;
    const attr = family.paths.attrIn(row);
    const named = rib.attrs.extrasTable.get(rib.attrs.extras[attr]!).protocol;
    if (named !== undefined) return named;
    const kind = OWNER_KINDS[originOf(family.paths.pathId(row))] ?? 'kernel';
    return this.#owner(kind, family.family.version, room.name);
  }

  view(family: FamilyRib, table: string, standing: RowStanding): TableRoute {
    const { rib, rooms } = this.#speaker;
    const { row, attr, primary } = standing;
    const { paths } = family;
    const prefixId = paths.prefixId(row);
    const net = family.prefixes.format(prefixId);
    const extras = rib.attrs.extrasTable.get(rib.attrs.extras[attr]!);
    const peer = rib.peers.get(paths.peerId(row));
    const isBgp = peer.source !== 'local';
    const origin = unveiled(family, row);
    const author = rib.peers.get(origin.rib.paths.peerId(origin.row));
    const pathId = origin.rib.paths.pathId(origin.row);
    const home = author.source !== 'local' ? undefined : (rooms.ofLocal(author) ?? rooms.main);
    const { kernel } = rooms.ofFamily(family);
    const way =
      home === undefined
        ? this.#bgpWay(rib.attrs.nextHop[attr]!, extras)
        : this.#localWay(home, net, extras, pathId);
    if (standing.hops !== undefined && kernel !== undefined) way.hops = hopViews(standing.hops, kernel);
    const failed = primary && kernel?.fib?.route(family.family.id, prefixId)?.state === 'failed';
    return {
      table,
      net,
      protocol: this.protocolOf(family, row),
      origin: isBgp ? 'BGP' : this.#origin(extras, way),
      ...way,
      from: isBgp ? fromOf(formatAddress(peer.address, peer.zone), way.hops) : undefined,
      since: paths.since(row) * MS_PER_SECOND,
      preference: extras.preference,
      primary,
      kernelProblem: failed,
      igpMetric: isBgp ? this.#metric(family, row, peer, attr) : undefined,
      stale: (rib.attrs.flags[attr]! & ATTR_FLAG.llgrStale) !== 0,
      suppressed: false,
      bgp: isBgp ? this.#bgp(standing) : undefined,
      ...(!isBgp && { given: this.#given(family, standing) }),
      ...this.#emptied(standing),
      kernel: shownKernelAttributes(extras),
      custom: customAttributes(extras),
    };
  }

  /** 1.6 has a word of its own for static routes through a device. */
  #origin({ origin }: RouteExtras, { hops }: Pick<TableRoute, 'hops'>): RouteOrigin {
    const onDevice = origin === 'static' && hops.length === 1 && hops[0]?.gateway === undefined;
    const { tellsDeviceRoutes } = traitsOf(this.#speaker.written);
    return onDevice && tellsDeviceRoutes ? 'static-device' : ORIGINS[origin];
  }

  #owner(kind: 'kernel' | 'direct' | 'static', version: IpVersion, room: string): string {
    const key = `${kind} ${version} ${room}`;
    let owner = this.#owners.get(key);
    if (owner === undefined) {
      const { written } = this.#speaker;
      const table = shownTable(written, room, version);
      owner = ownerOf(this.#protocols, kind, version, written, table);
      this.#owners.set(key, owner);
    }
    return owner;
  }

  #metric(family: FamilyRib, row: number, peer: RibPeer, attr: number): TableRoute['igpMetric'] {
    const { rib, written } = this.#speaker;
    const { attrs, nextHops } = rib;
    if (traitsOf(written).metricAtHomeOnly && family.paths.feed(row) !== 0) return undefined;
    const { gateway, interface: link } = attrs.extrasTable.get(attrs.extras[attr]!);
    if (gateway !== undefined || link !== undefined) return undefined;
    const nextHopId = attrs.nextHop[attr]!;
    if (nextHops.reachable[nextHopId] !== 1) return 'unreachable';
    // What is on a common link is not looked up.
    if (this.#isOnLink(peer, family.family.version)) return undefined;
    const metric = nextHops.metric[nextHopId]!;
    return metric === UNKNOWN_METRIC ? 'unknown' : metric;
  }

  /** Whether the next hops of a peer are not looked up, but on the link or the peer. */
  #isOnLink(peer: RibPeer, version: IpVersion): boolean {
    const known = this.#onLink[version].get(peer);
    if (known !== undefined) return known;
    const written = this.#protocols.find(({ name }) => name === peer.name)?.written;
    const { multihop } = this.#speaker.registry.find(peer.name)?.settings ?? {};
    const found =
      written?.kind === 'bgp'
        ? gatewayMode(written.options, written.channels.get(version)) === 'direct'
        : peer.source === 'external' && multihop === undefined;
    this.#onLink[version].set(peer, found);
    return found;
  }

  #bgpWay(nextHopId: number, extras: RouteExtras): Pick<TableRoute, 'destination' | 'hops'> {
    const { rib, rooms, kernel } = this.#speaker;
    if (extras.destination !== 'unicast') return { destination: destinationOf(extras), hops: [] };
    if (extras.gateway !== undefined || extras.interface !== undefined) {
      const gateway = extras.gateway && formatAddress(extras.gateway);
      return { destination: 'unicast', hops: [oneHop(gateway, extras.interface, extras.onlink)] };
    }
    if (rib.nextHops.reachable[nextHopId] !== 1) return { destination: 'unreachable', hops: [] };
    const resolved = rooms.resolution(nextHopId).hops;
    if (kernel !== undefined && resolved.length > 0) {
      return { destination: 'unicast', hops: hopViews(resolved, kernel) };
    }
    const { address, zone } = rib.nextHops.get(nextHopId);
    const name = isLinkLocal(address) ? zone : undefined;
    return { destination: 'unicast', hops: [oneHop(formatAddress(address), name, false)] };
  }

  #localWay(
    home: TableRoom,
    net: string,
    extras: RouteExtras,
    pathId: number,
  ): Pick<TableRoute, 'destination' | 'hops'> {
    const { place, networks, kernel = this.#speaker.kernel } = home;
    if (extras.destination !== 'unicast') return { destination: destinationOf(extras), hops: [] };
    const way = this.#speaker.rooms.ways(place.local)?.way(net, pathId);
    const gateway = extras.gateway && formatAddress(extras.gateway);
    if (kernel !== undefined && way !== undefined) {
      const hops = hopViews(way.hops, kernel);
      // A filter may have led it elsewhere.
      const { interface: link } = extras;
      if (gateway !== undefined && !hops.some((hop) => hop.gateway === gateway)) {
        return { destination: 'unicast', hops: this.#follow(gateway) };
      }
      const straight = gateway === undefined && link !== undefined;
      const leads = !straight || hops.some((hop) => hop.gateway === undefined && hop.interface === link);
      return { destination: 'unicast', hops: leads ? hops : [oneHop(undefined, link, false)] };
    }
    if (originOf(pathId) !== LOCAL_ORIGIN.network) {
      return { destination: 'unicast', hops: [oneHop(undefined, extras.interface, false)] };
    }
    const network = networks.get(net, ordinalOf(pathId));
    // A network that is only announced leads nowhere from here.
    if (network?.type !== 'via') return { destination: 'unreachable', hops: [] };
    return { destination: 'unicast', hops: weighted(network.via.flatMap((text) => this.#follow(text))) };
  }

  /** A gateway with the interface that it is on. */
  #follow(text: string): RouteHop[] {
    const { kernel } = this.#speaker;
    const parsed = parseAddress(text);
    if (parsed === undefined) return [];
    const resolved = kernel?.resolve(parsed.bytes, parsed.zone).hops ?? [];
    if (kernel === undefined || resolved.length === 0) return [oneHop(text, parsed.zone, false)];
    return hopViews(resolved, kernel);
  }

  /** Without what every local route is announced with. */
  #given({ paths }: FamilyRib, standing: RowStanding): NonNullable<TableRoute['given']> {
    const { rib, written } = this.#speaker;
    const { attrs, nextHops } = rib;
    if (standing.rendered !== undefined) {
      const view = renderedView(standing.rendered);
      view.attributes.localPref ??= attrs.localPref[standing.attr]!;
      return view;
    }
    const attributes = decodeAttributes(attrs.copy(standing.as ?? standing.attr));
    if (attributes.origin === 'IGP' || written.bird === undefined) attributes.origin = undefined;
    // A next hop that is the gateway is for internal peers, and nothing that the route was given.
    const { gateway } = attrs.extrasTable.get(attrs.extras[paths.attrIn(standing.row)]!);
    const { address, wire } = nextHops.get(attrs.nextHop[standing.as ?? standing.attr]!);
    return { attributes, nextHops: optionalBytesEqual(address, gateway) ? [] : nextHopTexts(wire) };
  }

  #emptied({ attr, as = attr }: RowStanding): Pick<TableRoute, 'emptied'> {
    const { attrs } = this.#speaker.rib;
    const { hollow } = attrs.extrasTable.get(attrs.extras[as]!);
    return hollow === 0 ? {} : { emptied: hollowCodes(hollow).flatMap((code) => LISTS.get(code) ?? []) };
  }

  #bgp({ attr, as = attr, rendered }: RowStanding): NonNullable<TableRoute['bgp']> {
    const { attrs, nextHops } = this.#speaker.rib;
    if (rendered !== undefined) {
      const view = renderedView(rendered);
      view.attributes.localPref ??= attrs.localPref[as]!;
      return view;
    }
    const { wire } = nextHops.get(attrs.nextHop[as]!);
    const attributes = decodeAttributes(attrs.copy(as));
    // Every route has a preference within the AS, said or not.
    attributes.localPref ??= attrs.localPref[as]!;
    return { attributes, nextHops: nextHopTexts(wire) };
  }
}

function renderedView({ bytes, length, nextHop }: Rendered): NonNullable<TableRoute['bgp']> {
  return { attributes: decodeAttributes(bytes, 0, length), nextHops: nextHopTexts(nextHop) };
}

function destinationOf({ destination }: RouteExtras): TableRoute['destination'] {
  return destination === 'prohibit' ? 'prohibited' : destination;
}

/** Shown only where it says more than the gateway does. */
function fromOf(address: string, hops: readonly RouteHop[]): string | undefined {
  return hops[0]?.gateway === address.replace(/%.*$/, '') ? undefined : address;
}

function oneHop(gateway: string | undefined, link: string | undefined, onlink: boolean): RouteHop {
  return { gateway, interface: link, weight: undefined, onlink };
}

function weighted(hops: readonly RouteHop[]): RouteHop[] {
  return hops.length > 1 ? hops.map((hop) => ({ ...hop, weight: hop.weight ?? 1 })) : [...hops];
}

function hopViews(hops: readonly KernelNextHop[], kernel: KernelSync): RouteHop[] {
  return weighted(
    hops.toSorted(compareHops).map(({ gateway, ifindex, weight, onlink }) => ({
      gateway: gateway === undefined ? undefined : formatAddress(gateway),
      interface: ifindex === undefined ? undefined : kernel.interfaceName(ifindex),
      weight,
      onlink: onlink === true,
    })),
  );
}

function nextHopTexts(wire: Uint8Array): string[] {
  if (isUnspecified(wire)) return [];
  if (wire.length <= IPV6_OCTETS) return [formatAddress(wire)];
  return [formatAddress(wire.subarray(0, IPV6_OCTETS)), formatAddress(wire.subarray(IPV6_OCTETS))];
}
