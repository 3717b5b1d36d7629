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

/** What a route has that few have. */
export interface RouteParticulars {
  /** rtm_scope: of routes that are read, where it is not universe; of those that are written, where it is not the usual. */
  readonly scope?: number;
  /** RTA_FLOW */
  readonly realm?: number;
  readonly metrics?: RouteMetrics;
}

/** RTA_METRICS by RTAX number: lock, mtu, window and so on. */
export type RouteMetrics = ReadonlyMap<number, number>;

export interface KernelRoute extends KernelPath {
  readonly prefix: Prefix;
  readonly table: number;
  /** RTA_PRIORITY; 0 where there is none. */
  readonly metric: number;
  /** rtm_protocol: who installed it. */
  readonly protocol: number;
}

export interface KernelLink {
  readonly ifindex: number;
  readonly name: string;
  /** Administratively up and with carrier. */
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
  /** What only people ask for. */
  readonly details?: LinkDetails;
}

export interface LinkDetails {
  readonly adminUp: boolean;
  /** It has a carrier. */
  readonly linkUp: boolean;
  readonly broadcast: boolean;
  readonly multicast: boolean;
  readonly pointToPoint: boolean;
  /** Index of the bridge, bond or VRF that it belongs to. */
  readonly master: number | undefined;
}

export interface KernelAddress {
  readonly ifindex: number;
  /** The address with its on-link prefix length. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
  /** The other end of a point-to-point address; the on-link prefix is the peer's, then. */
  readonly peer?: Uint8Array;
  readonly scope: number;
}

/** What a route points at: everything of it but prefix, table and protocol. */
export interface KernelPath extends RouteParticulars {
  readonly type: KernelRouteType;
  /** Empty for blackhole, unreachable and prohibit. */
  readonly nextHops: readonly KernelNextHop[];
  readonly prefSource?: Uint8Array;
}

/** What a kernel export filter asks for beside where the route leads: BIRD's krt_metric, krt_prefsrc, krt_tunnel and so on.
 *  Equal wishes are best one object: what is computed from them is kept by it. */
export interface KernelRouteWishes extends RouteParticulars {
  /** RTA_PRIORITY; the configured one unless given. */
  readonly metric?: number;
  /** RTA_PREFSRC; the configured one unless given. */
  readonly prefSource?: Uint8Array;
  /** Name of a device through which the BGP next hop itself is reached, on-link. No such device, no tunnel. */
  readonly tunnel?: string;
  /** An answer instead of a way; whatever the next hop is. */
  readonly type?: KernelRouteType;
  /** The way itself: the next hop is not followed. Without an interface the kernel finds it; or straight to that. */
  readonly gateway?: {
    readonly address: Uint8Array | undefined;
    readonly interface: string | undefined;
    readonly onlink: boolean;
  };
}

/** A path as it is written: with the table, owner and metric that make its key. */
export interface KernelTarget extends KernelPath {
  readonly table: number;
  readonly protocol: number;
  readonly metric: number;
}

/** What a row of RouteRows says: part of a scan, or one notification. */
export const ROW_CHANGE = {
  present: 0,
  added: 1,
  /** Added in the place of a route with the same prefix, table and metric, whoever owned it. */
  replaced: 2,
  deleted: 3,
} as const;

/** Routes as the kernel tells them, in columns: a full table passes through without an object a route. */
export interface RouteRows {
  readonly addressBytes: 4 | 16;
  readonly count: number;
  /** `addressBytes / 4` big-endian words a row, host bits zero. */
  readonly words: Int32Array;
  readonly bits: Uint8Array;
  readonly tables: Uint32Array;
  readonly metrics: Uint32Array;
  readonly protocols: Uint8Array;
  /** Values of ROW_CHANGE. */
  readonly changes: Uint8Array;
  /** Index into `paths`, which belong to these rows alone. */
  readonly pathIndex: Uint32Array;
  readonly paths: readonly KernelPath[];
}

/** Kinds of operation. `create` fails with EEXIST where prefix, table and metric are taken; `replace` takes the place
 *  of whatever is there without a gap, or creates. */
export const ROUTE_OPERATION = { create: 1, replace: 2, delete: 3 } as const;

/** Operations in columns, applied in order. */
export interface RouteBatch {
  readonly addressBytes: 4 | 16;
  readonly count: number;
  /** Values of ROUTE_OPERATION. */
  readonly kinds: Uint8Array<ArrayBuffer>;
  /** `addressBytes / 4` words an operation. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly bits: Uint8Array<ArrayBuffer>;
  /** Ids given to Kernel.defineTarget before. */
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** One failed operation of a batch: its index and the errno with its name (`EEXIST`, `ENETUNREACH`, ...). */
export interface RouteFailure {
  readonly index: number;
  readonly errno: number;
  readonly name: string;
  /** The kernel's own words (extended ACK), where it had any. */
  readonly text?: string;
}

export interface KernelEvents {
  /** Changes made by others than this Kernel object, in order. */
  onRoutes(rows: RouteRows): void;
  onLink(change: 'add' | 'delete', link: KernelLink): void;
  onAddress(change: 'add' | 'delete', address: KernelAddress): void;
  /** Notifications were lost (ENOBUFS) or the socket was reopened: everything must be scanned again. */
  onOverrun(): void;
  /** Somebody deleted or changed what own routes lead through: they are gone or lead elsewhere, mostly untold. */
  onRoutesLost(): void;
  /** The kernel can no longer be reached (its thread died); nothing will work after this. */
  onFailure(error: Error): void;
}

export interface Kernel {
  /** Makes `target` known under an id of the caller's; the same id again takes the place of the first. */
  defineTarget(id: number, target: KernelTarget): void;
  /** Applies operations in order; resolves with what failed. The batch's arrays are the kernel's afterwards. */
  apply(batch: RouteBatch): Promise<RouteFailure[]>;
  /**
   * Reads all routes of all tables but `local`, in parts, before the promise resolves. `complete` is false where the
   * tables changed so much meanwhile that routes may be missing.
   */
  scanRoutes(addressBytes: 4 | 16, onRows: (rows: RouteRows) => void): Promise<{ complete: boolean }>;
  dumpLinks(): Promise<KernelLink[]>;
  dumpAddresses(): Promise<KernelAddress[]>;
  /** Starts notifications; those of the past are not told. Resolves when every later change will be told. */
  watch(events: KernelEvents): Promise<void>;
  close(): Promise<void>;
}

export interface FibStats {
  /** Prefixes that have or should have a route, routes believed in the kernel, operations waiting or under way,
   *  prefixes whose last operation failed, routes of an earlier run not wanted so far. */
  desired: number;
  installed: number;
  pending: number;
  failed: number;
  orphans: number;
  /** Operations so far. */
  written: number;
  /** Own routes written again because a scan or a notification showed that somebody had changed them. */
  repaired: number;
}

export interface FibRouteState {
  readonly desired: KernelTarget | undefined;
  readonly installed: KernelTarget | undefined;
  readonly state: 'installed' | 'pending' | 'failed';
  /** Why it is not installed as wanted. */
  readonly problem: string | undefined;
}
