// What every route has beside its path attributes, and how the filter language reads and writes each of it: one row an
// attribute whose home is `route` (attributes.ts).

import { formatAddress } from '../lib/ip.ts';
import { EnumValue, Ip, type Value } from './values.ts';

export interface FilterLink {
  readonly name: string;
  readonly index: number;
}

/** What filters may know of the interfaces around. Everything is undefined where nobody asks the kernel. */
export interface FilterLinks {
  /** The interface that a next hop leads through, where somebody follows next hops. */
  linkOf(nextHopId: number): FilterLink | undefined;
  /** The gateway that a next hop leads over now, where somebody follows next hops. */
  gatewayOf(nextHopId: number): Uint8Array | undefined;
  /** The interface on whose link a gateway is: `over` where it is link-local. */
  linkOfGateway(gateway: Uint8Array, over: string): FilterLink | 'none' | undefined;
  linkNamed(name: string): FilterLink | 'none' | undefined;
}

/** What a route has beside its path attributes. The filter changes these in place. */
export interface RouteFacts {
  proto: string;
  source: number;
  scope: number;
  preference: number;
  from: Uint8Array | undefined;
  gw: Uint8Array | undefined;
  /** BGP NEXT_HOP, which canonical sets do not hold. */
  bgpNextHop: Uint8Array | undefined;
  dest: number;
  ifname: string;
  ifindex: number;
  weight: number;
  onlink: boolean;
  /** LOCAL_PREF where the set has none; BGP routes always have one. */
  defaultLocalPref?: number | undefined;
  /** For a gateway or an interface that a filter sets. */
  links?: FilterLinks | undefined;
}

/** RTS_*, RTD_* and SCOPE_* as BGP routes have them. */
const BGP_ROUTE = { source: 11, scope: 4, dest: 1, preference: 100 } as const;

export function bgpRouteFacts(
  proto: string,
  from: Uint8Array | undefined,
  nextHop: Uint8Array | undefined,
): RouteFacts {
  return {
    proto,
    source: BGP_ROUTE.source,
    scope: BGP_ROUTE.scope,
    preference: BGP_ROUTE.preference,
    from,
    gw: nextHop,
    bgpNextHop: nextHop,
    dest: BGP_ROUTE.dest,
    ifname: '',
    ifindex: 0,
    weight: 1,
    onlink: false,
  };
}

type Read = (facts: RouteFacts, access: { readonly unspecified: Uint8Array }) => Value;
type Write = (facts: RouteFacts, value: Value) => string | undefined;

/** What every route has: how it is read and, where it can be, written. */
export const STANDING: Readonly<Record<string, { readonly read: Read; readonly write?: Write }>> = {
  proto: { read: (facts) => facts.proto },
  source: { read: (facts) => new EnumValue('source', facts.source) },
  scope: {
    read: (facts) => new EnumValue('scope', facts.scope),
    write: (facts, value) =>
      writeEnum(value, (number) => {
        facts.scope = number;
      }),
  },
  preference: {
    read: (facts) => facts.preference,
    write: (facts, value) => {
      if (typeof value === 'number') facts.preference = value;
      return undefined;
    },
  },
  from: {
    read: (facts, access) => new Ip(facts.from ?? access.unspecified),
    write: (facts, value) =>
      writeIp(value, (bytes) => {
        facts.from = bytes;
      }),
  },
  gw: {
    read: (facts, access) => new Ip(facts.gw ?? access.unspecified),
    write: (facts, value) => {
      if (!(value instanceof Ip)) return undefined;
      const link = facts.links?.linkOfGateway(value.bytes, facts.ifname);
      if (link === 'none') return `gw cannot be ${formatAddress(value.bytes)}, which is on no link`;
      facts.gw = value.bytes;
      facts.ifname = link?.name ?? '';
      facts.ifindex = link?.index ?? 0;
      return undefined;
    },
  },
  dest: {
    read: (facts) => new EnumValue('dest', facts.dest),
    write: (facts, value) => {
      if (!(value instanceof EnumValue) || value.value < BLACKHOLE || value.value > PROHIBIT) {
        return 'dest can be set to blackhole, unreachable or prohibit only';
      }
      facts.dest = value.value;
      facts.gw = undefined;
      facts.ifname = '';
      facts.ifindex = 0;
      return undefined;
    },
  },
  ifname: {
    read: (facts) => facts.ifname,
    write: (facts, value) => {
      if (typeof value !== 'string') return undefined;
      const link = value === '' ? 'none' : facts.links?.linkNamed(value);
      if (link === 'none') return `ifname cannot be "${value}", which is no interface`;
      // Straight to the interface.
      facts.ifname = value;
      facts.ifindex = link?.index ?? 0;
      facts.gw = undefined;
      facts.dest = UNICAST;
      return undefined;
    },
  },
  ifindex: { read: (facts) => facts.ifindex },
  cast: { read: () => new EnumValue('cast', 0) },
  weight: {
    read: (facts) => facts.weight,
    write: (facts, value) => {
      if (typeof value !== 'number' || value < 1 || value > MAX_WEIGHT)
        return `weight goes from 1 to ${MAX_WEIGHT}`;
      facts.weight = value;
      return undefined;
    },
  },
  onlink: {
    read: (facts) => facts.onlink,
    write: (facts, value) => {
      facts.onlink = value === true;
      return undefined;
    },
  },
  gw_mpls: { read: () => undefined, write: () => 'labels are not supported' },
};

/** RTD_* that routes can be turned into; the first is RTD_DEVICE in 1.6. */
const UNICAST = 1;
const BLACKHOLE = 2;
const PROHIBIT = 4;
const MAX_WEIGHT = 256;

function writeEnum(value: Value, store: (value: number) => void): string | undefined {
  if (value instanceof EnumValue) store(value.value);
  return undefined;
}

function writeIp(value: Value, store: (bytes: Uint8Array) => void): string | undefined {
  if (value instanceof Ip) store(value.bytes);
  return undefined;
}
