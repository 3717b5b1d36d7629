// The kernel as this project sees it: routes, links, addresses, and one interface that netlink and the simulated
// kernel both satisfy. Nothing here knows how BGP came to want a route.

import type { Prefix } from '../lib/ip.ts';

/** rtnetlink(7) route types that godwit installs or reads. */
export type KernelRouteType = 'unicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'local';

export interface KernelNextHop {
  /** Absent for a directly connected destination. An IPv6 gateway under an IPv4 prefix is RTA_VIA (RFC 8950). */
  readonly gateway?: Uint8Array;
  /** Interface index; absent where the kernel shall find it. */
  readonly ifindex?: number;
  readonly onlink?: boolean;
  /** 1..256 */
  readonly weight?: number;
}

export interface KernelRoute {
  readonly prefix: Prefix;
  readonly table: number;
  /** RTA_PRIORITY; 0 where there is none. */
  readonly metric: number;
  /** rtm_protocol: who installed it. */
  readonly protocol: number;
  readonly scope?: number;
  readonly type: KernelRouteType;
  /** Empty for blackhole, unreachable and prohibit. */
  readonly nextHops: readonly KernelNextHop[];
  readonly prefSource?: Uint8Array;
}

export interface KernelLink {
  readonly ifindex: number;
  readonly name: string;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
}

export interface KernelAddress {
  readonly ifindex: number;
  /** The address with its on-link prefix length. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
  readonly scope: number;
}

export interface KernelEvents {
  onRoute(change: 'add' | 'delete', route: KernelRoute): void;
  onLink(change: 'add' | 'delete', link: KernelLink): void;
  onAddress(change: 'add' | 'delete', address: KernelAddress): void;
  /** Notifications were lost (ENOBUFS) or the socket was reopened: everything must be scanned again. */
  onOverrun(): void;
}

export type RouteOperation =
  | { readonly kind: 'replace'; readonly route: KernelRoute }
  | { readonly kind: 'delete'; readonly route: KernelRoute };

/** One failed operation of a batch: its index and the errno with its name (`EEXIST`, `ENETUNREACH`, ...). */
export interface RouteFailure {
  readonly index: number;
  readonly errno: number;
  readonly name: string;
}

export interface Kernel {
  /** All routes of all tables of one address length (4 or 16 octets). */
  dumpRoutes(addressBytes: 4 | 16): Promise<KernelRoute[]>;
  dumpLinks(): Promise<KernelLink[]>;
  dumpAddresses(): Promise<KernelAddress[]>;
  /** Applies operations in order; resolves with what failed. Batches may be thousands of operations long. */
  apply(operations: readonly RouteOperation[]): Promise<RouteFailure[]>;
  /** Starts notifications. */
  watch(events: KernelEvents): void;
  close(): Promise<void>;
}
