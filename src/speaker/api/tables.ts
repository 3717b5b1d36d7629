// Routing tables and their routes as BIRD's users know them: routes of all protocols in one table, with the protocol
// that each came from. Made on demand by speaker/views; shown by control/bird.

import type { AttributeValues } from '../../bgp/wire/attribute-values.ts';

export interface TableView {
  name: string;
  /** `ipv4`, `roa6`, ...; what its entries are. */
  type: string;
}

export interface TableQuery {
  /** Names; the first table of each type where there are none. `all`: every table. */
  tables: readonly string[] | 'all' | undefined;
  /** A protocol was named after the tables: those that do not fit it are passed over. */
  isIndirect?: boolean;
  /** exact: this prefix; covering: its longest match; inside: everything in it. */
  net?: { text: string; match: 'exact' | 'covering' | 'inside' };
  /** Only routes that came from this protocol. */
  protocol?: string;
  /** As the protocol has them on their way out. */
  export?: { protocol: string; channel?: string; stage: 'export' | 'preexport' | 'noexport' | 'exported' };
  /** What a protocol's channel has received, before its import filter. */
  importTable?: { protocol: string; channel: string };
  exportTable?: { protocol: string; channel: string };
  /** A condition, or a filter by its name or in braces, in the filter language. */
  filter?: { kind: 'where' | 'filter'; text: string };
  primaryOnly?: boolean;
  /** Only what import filters refused. */
  filtered?: boolean;
}

/** Where a route came from, in BIRD's words. */
export type RouteOrigin = 'static' | 'static-device' | 'device' | 'inherit' | 'BGP' | 'pipe' | 'RPKI';

export type EmptiedList = 'communities' | 'extendedCommunities' | 'largeCommunities' | 'clusterList';

export interface TableRoute {
  table: string;
  /** Prefix, or what else identifies the entry: `10.0.0.0/24-24 AS64512`. */
  net: string;
  protocol: string;
  origin: RouteOrigin;
  /** none: the entry leads nowhere by its nature, such as a ROA. */
  destination: 'unicast' | 'blackhole' | 'unreachable' | 'prohibited' | 'none';
  hops: RouteHop[];
  /** Who told it, where that is not the gateway. */
  from: string | undefined;
  /** Wall-clock milliseconds. */
  since: number;
  preference: number;
  primary: boolean;
  /** The kernel would not take it. */
  kernelProblem: boolean;
  /** Of a BGP route whose next hop was looked up in a table; unreachable: it leads nowhere, unknown: no route tells one. */
  igpMetric: number | 'unreachable' | 'unknown' | undefined;
  /** Long-lived stale (RFC 9494). */
  stale: boolean;
  suppressed: boolean;
  bgp: { attributes: AttributeValues; nextHops: string[] } | undefined;
  /** Path attributes that a filter gave a route that is not BGP's. */
  given?: { attributes: AttributeValues; nextHops: string[] };
  /** Lists of communities that filters have left without a member. */
  emptied?: readonly EmptiedList[];
  /** Attributes of the kernel: `source` 80, ... */
  kernel: { name: string; value: string }[];
  /** Attributes that the configuration has declared, in the order in which filters have set them. */
  custom?: { name: string; value: string }[];
}

export interface RouteHop {
  gateway: string | undefined;
  interface: string | undefined;
  /** Undefined for the only hop. */
  weight: number | undefined;
  onlink: boolean;
}

/** Numbers of one table. */
export interface TableCount {
  table: string;
  shown: number;
  routes: number;
  networks: number;
}

/** One table's answer. It can be walked once; undefined = a moment to do something else. */
export interface TableAnswer {
  table: string;
  /** It was asked for by name. */
  named: boolean;
  /** The best of each prefix first. */
  routes(): Iterable<TableRoute | undefined>;
  /** As routes, only to count them. */
  skim(): Iterable<undefined>;
  /** Of what was walked so far; whole when the walk has ended. */
  count(): TableCount;
}

export interface InterfaceView {
  name: string;
  index: number;
  up: boolean;
  adminUp: boolean;
  linkUp: boolean;
  loopback: boolean;
  broadcast: boolean;
  multicast: boolean;
  pointToPoint: boolean;
  mtu: number;
  /** The bridge, bond or VRF that it belongs to. */
  master: string | undefined;
  addresses: {
    address: string;
    length: number;
    scope: 'host' | 'link' | 'site' | 'univ';
    /** secondary: within the prefix of an earlier one. */
    rank: 'primary' | 'secondary' | 'other';
    /** The other end of a link between two. */
    opposite: string | undefined;
  }[];
}

export interface StaticRouteView {
  protocol: string;
  net: string;
  target: 'via' | 'recursive' | 'blackhole' | 'unreachable' | 'prohibited' | 'roa';
  via: StaticHopView[];
  /** Its protocol is off. */
  dormant?: boolean;
}

export interface StaticHopView {
  address: string | undefined;
  interface: string | undefined;
  weight: number | undefined;
  onlink: boolean;
  bfd: boolean;
  /** It is not in use: it is out of reach. */
  dormant: boolean;
}

export type SymbolKind =
  | 'protocol'
  | 'protocol template'
  | 'routing table'
  | 'ROA table'
  | 'function'
  | 'filter'
  | 'constant'
  | 'custom attribute';

export interface SymbolView {
  name: string;
  kind: SymbolKind;
}

export interface RoaView {
  table: string;
  prefix: string;
  maxLength: number;
  asn: number;
}

/** What was read in, beside the routes. */
export interface ConfigurationView {
  file: string | undefined;
  /** native: godwit's own language. */
  dialect: '1.6' | '2.x' | 'native';
  /** The one family of a 1.6 daemon. */
  family: 'ipv4' | 'ipv6' | undefined;
  hostname: string;
  timeFormats: Partial<Record<'route' | 'protocol' | 'base' | 'log', TimeFormatView>>;
  /** Seconds until an unconfirmed configuration is undone. */
  undoIn: number | undefined;
  /** How much of control connections is shown in the log; nothing unless it is there. */
  debugCommands?: number;
}

/** strftime's letters; times further back than `limit` seconds are shown as `older`. */
export interface TimeFormatView {
  format: string;
  limit?: number;
  older?: string;
}

export interface DumpOptions {
  /** A name, or a pattern with `*` and `?`. */
  table: string;
  /** `%N` is the table's name, the rest strftime's. */
  file: string;
  filter?: NonNullable<TableQuery['filter']>;
}

export interface ConfigureOptions {
  /** Another file than the one of the start; it is the one from then on. */
  file?: string;
  /** Changed filters count for routes that come later. */
  soft?: boolean;
  /** Undone after so many seconds unless confirmed. */
  timeout?: number;
}
