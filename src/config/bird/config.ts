// What a BIRD configuration says, as it says it: nothing is left out, no default is filled in, names are resolved.
// to-model.ts makes godwit's own model of it; what stands here beyond that serves the control socket and the reports.
// An option that the file does not set is undefined. Numbers of seconds are seconds, spans are places in the files.

import type { Definition, Expression, FilterUse } from '../../policy/ast.ts';
import type { Dialect } from '../../policy/lexer.ts';
import type { Span } from '../../policy/source.ts';
import type { BgpOptions } from './bgp-options.ts';
import type {
  BfdOptions,
  BmpOptions,
  DeviceOptions,
  DirectOptions,
  InterfacePattern,
  KernelOptions,
  MrtOptions,
  PipeOptions,
  RpkiOptions,
  StaticOptions,
} from './protocol-options.ts';

export interface BirdConfig {
  readonly dialect: Dialect;
  /** The one family of a 1.6 daemon (`bird` or `bird6`); undefined in 2.x. */
  readonly family: IpFamily | undefined;
  /** Every file that was read, the main one first. */
  readonly files: readonly string[];
  readonly globals: GlobalOptions;
  /** Where each of them is set last. */
  readonly globalSpans: ReadonlyMap<string, Span>;
  /** By name; the default tables stand among them. */
  readonly tables: ReadonlyMap<string, TableConfig>;
  /** Functions, filters, constants and attributes in their order, which matters: none is known before it. */
  readonly definitions: readonly Definition[];
  readonly protocols: readonly ProtocolConfig[];
  readonly protocolsByName: ReadonlyMap<string, ProtocolConfig>;
  readonly templates: readonly ProtocolConfig[];
  /** Protocols of kinds that are not served. */
  readonly skipped: readonly SkippedProtocol[];
}

/** A configuration with these protocols, found by name as well. */
export function withProtocols(
  config: Omit<BirdConfig, 'protocols' | 'protocolsByName'>,
  protocols: readonly ProtocolConfig[],
): BirdConfig {
  return { ...config, protocols, protocolsByName: new Map(protocols.map((each) => [each.name, each])) };
}

export type IpFamily = 'ipv4' | 'ipv6';

// --- top level

export interface GlobalOptions {
  readonly routerId?: number | readonly InterfacePattern[];
  readonly hostname?: string;
  readonly gracefulRestartWait?: number;
  readonly logs?: readonly LogTarget[];
  readonly debugProtocols?: Flags;
  readonly debugChannels?: Flags;
  readonly debugTables?: Flags;
  readonly debugCommands?: number;
  readonly debugLatency?: boolean;
  readonly debugLatencyLimit?: number;
  readonly watchdogWarning?: number;
  readonly watchdogTimeout?: number;
  readonly mrtdumpFile?: string;
  readonly mrtdumpProtocols?: Flags;
  readonly timeFormats?: Readonly<Partial<Record<TimeFormatUse, TimeFormat>>>;
  /** 1.6: where the daemon listens. */
  readonly listenBgp?: ListenBgp;
  readonly evaluations?: readonly Expression[];
  /** Further control sockets. */
  readonly sockets?: readonly { readonly path: string; readonly restricted: boolean }[];
  readonly threads?: number;
  readonly threadGroup?: string;
  readonly mplsDomain?: string;
}

/** `all`, nothing, or the named ones. */
export type Flags = 'all' | readonly string[];

export interface LogTarget {
  readonly to: 'file' | 'syslog' | 'stderr' | 'udp';
  /** Path, syslog name or host. */
  readonly name?: string;
  readonly port?: number;
  /** Octets after which a file is renamed to `backup`, or begun anew where there is none. */
  readonly limit?: number;
  readonly backup?: string;
  readonly classes: Flags;
}

export const TIME_FORMAT_USES = ['route', 'protocol', 'base', 'log'] as const;
export type TimeFormatUse = (typeof TIME_FORMAT_USES)[number];

export interface TimeFormat {
  readonly format: string;
  /** Times further back than `limit` seconds are shown as `older`. */
  readonly limit?: number;
  readonly older?: string;
}

export interface ListenBgp {
  readonly address?: string;
  readonly port?: number;
  readonly v6only?: boolean;
}

export interface TableConfig {
  readonly name: string;
  readonly type: NetType;
  readonly span: Span | undefined;
  readonly sorted?: boolean;
  readonly trie?: boolean;
  readonly minSettleTime?: number;
  readonly maxSettleTime?: number;
  readonly gcThreshold?: number;
  readonly gcPeriod?: number;
  /** 1.6: entries written into the table's own block. */
  readonly roas?: readonly RoaEntry[];
}

export const NET_TYPES = [
  'ipv4',
  'ipv6',
  'ipv6 sadr',
  'vpn4',
  'vpn6',
  'roa4',
  'roa6',
  'flow4',
  'flow6',
  'mpls',
  'eth',
  'aspa',
  'evpn',
  'neighbor',
] as const;
/** What a table holds; a 1.6 table has its daemon's family. */
export type NetType = (typeof NET_TYPES)[number];

export interface RoaEntry {
  readonly prefix: string;
  readonly maxLength: number;
  readonly asn: number;
}

// --- protocols

export interface CommonOptions {
  readonly disabled?: boolean;
  readonly debug?: Flags;
  readonly mrtdump?: Flags;
  readonly routerId?: number;
  readonly hostname?: string;
  readonly description?: string;
  /** Microseconds. */
  readonly restartTime?: number;
  readonly threadGroup?: string;
  readonly vrf?: { readonly name: string } | 'default';
}

export interface Protocol<Kind extends string, Options> {
  readonly kind: Kind;
  readonly name: string;
  /** Of the name, or of the keyword where none is given. */
  readonly span: Span;
  /** The template or protocol whose settings were copied. */
  readonly from: string | undefined;
  readonly common: CommonOptions;
  readonly options: Options;
  /** Where each of them is set last. */
  readonly spans: ReadonlyMap<string, Span>;
  /** In their order. 1.6 has no channels: what its protocols say of import and export is their family's channel. */
  readonly channels: ReadonlyMap<ChannelName, ChannelOptions>;
}

export type ProtocolConfig =
  | Protocol<'bgp', BgpOptions>
  | Protocol<'kernel', KernelOptions>
  | Protocol<'device', DeviceOptions>
  | Protocol<'direct', DirectOptions>
  | Protocol<'static', StaticOptions>
  | Protocol<'pipe', PipeOptions>
  | Protocol<'bfd', BfdOptions>
  | Protocol<'mrt', MrtOptions>
  | Protocol<'bmp', BmpOptions>
  | Protocol<'rpki', RpkiOptions>;
export type ProtocolKind = ProtocolConfig['kind'];

export interface SkippedProtocol {
  readonly kind: string;
  readonly name: string | undefined;
  readonly span: Span;
}

export const CHANNEL_NAMES = [
  'ipv4',
  'ipv6',
  'ipv4 multicast',
  'ipv6 multicast',
  'ipv4 mpls',
  'ipv6 mpls',
  'ipv6 sadr',
  'vpn4',
  'vpn6',
  'vpn4 mpls',
  'vpn6 mpls',
  'vpn4 multicast',
  'vpn6 multicast',
  'flow4',
  'flow6',
  'roa4',
  'roa6',
  'aspa',
  'mpls',
  'eth',
  'evpn',
] as const;
export type ChannelName = (typeof CHANNEL_NAMES)[number];

export interface Limit {
  readonly routes: number;
  readonly action: 'warn' | 'block' | 'restart' | 'disable' | undefined;
}
/** Of which routes the next hop is replaced or kept. */
export type NextHopScope = 'none' | 'all' | 'ibgp' | 'ebgp';

export interface ChannelOptions {
  readonly span: Span;
  readonly table?: string;
  readonly preference?: number;
  readonly import?: FilterUse;
  readonly export?: FilterUse;
  readonly receiveLimit?: Limit | 'off';
  readonly importLimit?: Limit | 'off';
  readonly exportLimit?: Limit | 'off';
  readonly importKeepFiltered?: boolean;
  readonly rpkiReload?: boolean;
  readonly debug?: Flags;
  // BGP
  readonly nextHopSelf?: NextHopScope;
  readonly nextHopKeep?: NextHopScope;
  readonly nextHopAddress?: string;
  readonly nextHopPrefer?: 'global' | 'local';
  readonly missingLinkLocal?: 'self' | 'drop' | 'ignore';
  readonly linkLocalFormat?: 'native' | 'single' | 'double';
  readonly gateway?: 'direct' | 'recursive';
  readonly igpTables?: readonly string[];
  readonly baseTable?: string;
  readonly importTable?: boolean;
  readonly exportTable?: boolean;
  readonly secondary?: boolean;
  /** Microseconds. */
  readonly exportSettleTime?: readonly [least: number, most: number];
  readonly mandatory?: boolean;
  readonly validate?: boolean;
  readonly addPaths?: 'off' | 'rx' | 'tx' | 'both';
  readonly requireAddPaths?: boolean;
  readonly extendedNextHop?: boolean;
  readonly requireExtendedNextHop?: boolean;
  readonly gracefulRestart?: boolean;
  readonly longLivedGracefulRestart?: boolean;
  readonly longLivedStaleTime?: number;
  readonly minLongLivedStaleTime?: number;
  readonly maxLongLivedStaleTime?: number;
  readonly aigp?: 'off' | 'on' | 'originate';
  readonly cost?: number;
}
