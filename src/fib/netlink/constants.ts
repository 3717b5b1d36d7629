// Numbers of netlink and rtnetlink that godwit speaks: linux/netlink.h, linux/rtnetlink.h, linux/if_link.h,
// linux/if_addr.h, linux/nexthop.h. Only what is used stands here; netlink integers are in the host's byte order.

import { endianness } from 'node:os';
import type { KernelRouteType } from '../types.ts';

export const HOST_IS_LITTLE_ENDIAN = endianness() === 'LE';

export const NLMSG_HEADER_BYTES = 16;
export const RTMSG_BYTES = 12;
export const IFINFOMSG_BYTES = 16;
export const IFADDRMSG_BYTES = 8;
export const RTNEXTHOP_BYTES = 8;
export const NHMSG_BYTES = 8;
/** The family before the address in RTA_VIA. */
export const VIA_FAMILY_BYTES = 2;
export const ATTRIBUTE_HEADER_BYTES = 4;
/** The error number before the header of the refused request. */
export const NLMSGERR_ERROR_BYTES = 4;

export const NLMSG = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

export const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
  newNextHop: 104,
  delNextHop: 105,
  getNextHop: 106,
} as const;

export const NLM_F = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  /** Whoever asks is told of the change, too. */
  echo: 0x8,
  /** The tables changed between two parts of a dump. */
  dumpInterrupted: 0x10,
  /** In an error or done message: the request's payload was left out. */
  capped: 0x100,
  /** In an error or done message: extended-ACK attributes follow. */
  ackAttributes: 0x200,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

/** rtattr types of routes. */
export const RTA = {
  destination: 1,
  outInterface: 4,
  gateway: 5,
  priority: 6,
  preferredSource: 7,
  metrics: 8,
  multipath: 9,
  flow: 11,
  table: 15,
  via: 18,
  nextHopId: 30,
} as const;

/** Attributes of a next-hop object. */
export const NHA = { id: 1, outInterface: 5, gateway: 6 } as const;

/** Attributes within RTA_METRICS that are spoken of one by one. The last one is no number: a congestion control algorithm. */
export const RTAX = {
  lock: 1,
  mtu: 2,
  advmss: 8,
  hopLimit: 10,
  features: 12,
  congestionControl: 16,
} as const;

export const IFLA = { name: 3, mtu: 4, master: 10 } as const;
export const IFA = { address: 1, local: 2, flags: 8 } as const;
/** Attributes of an extended ACK. */
export const NLMSGERR_ATTR = { message: 1 } as const;

/** Low bits of an attribute's type; the upper two are flags. */
export const ATTRIBUTE_TYPE_MASK = 0x3fff;

export const RTNH_F_ONLINK = 0x4;
export const RTM_F_CLONED = 0x200;

export const RT_SCOPE = { universe: 0, link: 253, host: 254, nowhere: 255 } as const;
export const RT_TABLE_MAIN = 254;
export const RT_TABLE_LOCAL = 255;
/** rtm_table is one octet; larger numbers travel in RTA_TABLE. */
export const RT_TABLE_OCTET_MAX = 255;

export const IFF = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  pointToPoint: 0x10,
  multicast: 0x1000,
  lowerUp: 0x10000,
} as const;

export const AF = { inet: 2, netlink: 16, inet6: 10 } as const;

/** Multicast groups of NETLINK_ROUTE, as bits of sockaddr_nl.nl_groups. */
export const RTMGRP = {
  link: 0x1,
  ipv4Address: 0x10,
  ipv4Route: 0x40,
  ipv6Address: 0x100,
  ipv6Route: 0x400,
  nextHop: 0x80000000,
} as const;

/** rtm_type numbers of the route types that godwit knows; all others are not its business. */
export const ROUTE_TYPE_NUMBER: Readonly<Record<KernelRouteType, number>> = {
  unicast: 1,
  local: 2,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
};

export const ROUTE_TYPE_BY_NUMBER: ReadonlyMap<number, KernelRouteType> = new Map([
  [ROUTE_TYPE_NUMBER.unicast, 'unicast'],
  [ROUTE_TYPE_NUMBER.local, 'local'],
  [ROUTE_TYPE_NUMBER.blackhole, 'blackhole'],
  [ROUTE_TYPE_NUMBER.unreachable, 'unreachable'],
  [ROUTE_TYPE_NUMBER.prohibit, 'prohibit'],
]);

/** rtm_protocol numbers whose routes count as `static`: boot (iproute2's default) and static. */
export const STATIC_PROTOCOLS: ReadonlySet<number> = new Set([3, 4]);
/** rtm_protocol of routes that the kernel made itself. */
export const RTPROT_KERNEL = 2;

/** What IPv6 stores where a route has no metric (IP6_RT_PRIO_USER); IPv4 stores 0. */
export const IPV6_DEFAULT_METRIC = 1024;

/** The metric under which the kernel stores a route of this address length. */
export function storedMetric(addressBytes: number, metric: number): number {
  return metric === 0 && addressBytes === 16 ? IPV6_DEFAULT_METRIC : metric;
}
