// The one typed model that every front-end (native YAML, BIRD's language, Calico's resources) produces and that the
// speaker maps to the layers' own options (session-options.ts, peer-options.ts). Defaults are already filled in: whoever
// reads the model never asks what a missing key means.

import type { FamilyName } from '../bgp/wire/families.ts';
import type { WithheldCapabilities } from '../bgp/wire/negotiate.ts';
import type { Role } from '../bgp/wire/session-context.ts';
import { bytesEqual } from '../lib/bytes.ts';
import type { IpVersion } from '../lib/ip.ts';
import type { Filter } from '../policy/filter.ts';
import type { PolicyTest } from '../policy/tests.ts';
import type { BirdConfig } from './bird/config.ts';
import type { BmpStationConfig } from './bmp.ts';
import type { DiagnosisConfig } from './diagnosis-defaults.ts';
import type { FilterEnvironment } from './filter-environment.ts';
import type { BfdConfig, BfdSessionConfig } from './model/bfd.ts';
import type { ControlConfig } from './model/control.ts';
import type { KernelConfig } from './model/kernel.ts';
import type { LimitsConfig } from './model/limits.ts';
import type { NetworkConfig } from './model/networks.ts';
import type { ConfederationConfig, LinkLocalFormat } from './model/peering.ts';
import type { ProcessConfig } from './model/process.ts';
import type { RequiredConfig } from './model/required.ts';
import type { DampingConfig, DisableAfterConfig, GracefulRestartConfig } from './model/stability.ts';
import type { Switched } from './model/switched.ts';
import type { TcpAoKeyConfig } from './model/tcp-ao.ts';
import type { RpkiCacheConfig } from './rpki.ts';

export * from './model/bfd.ts';
export * from './model/control.ts';
export * from './model/kernel.ts';
export * from './model/limits.ts';
export * from './model/networks.ts';
export * from './model/peering.ts';
export * from './model/process.ts';
export * from './model/required.ts';
export * from './model/stability.ts';
export * from './model/switched.ts';
export * from './model/tcp-ao.ts';

export interface Config {
  readonly router: RouterConfig;
  readonly listen: readonly ListenConfig[];
  readonly kernel: KernelConfig;
  readonly peers: readonly PeerConfig[];
  readonly dynamicPeers: readonly DynamicPeersConfig[];
  readonly networks: readonly NetworkConfig[];
  readonly redistribute: readonly RedistributeSource[];
  readonly localPolicies: LocalPolicies;
  /** Routing tables beside the main one. */
  readonly tables?: readonly TableConfig[];
  readonly pipes?: readonly PipeConfig[];
  /** Tables that are written to files again and again. */
  readonly mrt?: readonly MrtConfig[];
  /** Caches of RPKI data. */
  readonly rpki?: readonly RpkiCacheConfig[];
  /** Stations that are told what peers send. */
  readonly bmp?: readonly BmpStationConfig[];
  /** Paths that BFD watches without a peer. */
  readonly bfdSessions?: readonly BfdSessionConfig[];
  /** Tests of its filters, for `godwit test`. */
  readonly tests?: readonly PolicyTest[];
  /** What its filters run with; absent where no route is ever seen. */
  readonly filters?: FilterEnvironment;
  readonly decision: DecisionConfig;
  readonly control: ControlConfig;
  /** What the daemon is to the system. */
  readonly process?: ProcessConfig;
  /** Files that secrets were read from. */
  readonly secretFiles?: readonly string[];
  readonly http: HttpConfig | undefined;
  readonly log: LogConfig;
  readonly diagnosis: DiagnosisConfig;
  /** What was written, where that was in BIRD's language: names and order of protocols, tables and definitions. */
  readonly bird?: BirdConfig;
  /** Set with `bird`. */
  readonly switched?: Switched;
}

export interface RouterConfig {
  readonly asn: number;
  /** BGP Identifier, a dotted quad (RFC 6286: any non-zero value). */
  readonly id: string;
  /** RFC 4456 §7; the router id unless configured. */
  readonly clusterId: string;
  /** Shown by status and in the FQDN capability. */
  readonly hostname: string;
  readonly restart: RestartConfig;
}

/** RFC 4724 §4.1, for peers whose graceful restart is `full`. */
export interface RestartConfig {
  /** Whether a start counts as a restart. auto: where the kernel has own routes of a run before. */
  readonly recover: 'auto' | 'always' | 'never';
  /** Seconds until routes are chosen, whoever is missing: Selection_Deferral_Timer. */
  readonly wait: number;
  /**
   * cease: sessions end with a NOTIFICATION; drain: the same, after peers had time to send traffic elsewhere (RFC 8326);
   * silent: without a word, and kernel routes stay, for a restart.
   */
  readonly onStop: 'cease' | 'drain' | 'silent';
  /** Seconds that a stop waits; with drain alone. */
  readonly drainTime?: number;
}

export interface ListenConfig {
  readonly address: string;
  readonly port: number;
  readonly interface: string | undefined;
  /** This machine need not have the address yet. */
  readonly freeBind?: boolean;
}

/** A further routing table: what the sections of the same names are to the main one. */
export interface TableConfig {
  /** Not empty: that is the main one's. */
  readonly name: string;
  readonly families: readonly IpVersion[];
  readonly kernel: KernelConfig;
  readonly networks: readonly NetworkConfig[];
  readonly redistribute: readonly RedistributeSource[];
  readonly localPolicies: LocalPolicies;
}

/** Joins two tables, family by family. */
export interface PipeConfig {
  readonly name: string;
  readonly families: readonly IpVersion[];
  /** Names; empty = the main one. */
  readonly table: string;
  readonly peerTable: string;
  /** From the peer table into the table. */
  readonly import: Policy;
  /** From the table into the peer table. */
  readonly export: Policy;
  /** Only best routes pass, and as the pipe's own, with this preference (BIRD 1.6, mode opaque). */
  readonly opaque?: { readonly preference: number };
}

/** A table in the MRT format (RFC 6396), every so many seconds. */
export interface MrtConfig {
  readonly name: string;
  /** A name, or a pattern with `*` and `?`. */
  readonly table: string;
  /** `%N` is the table's name, the rest strftime's. */
  readonly filename: string;
  readonly period: number;
  /** Which routes, and as what. */
  readonly policy: Policy;
  /** All routes with path identifiers. */
  readonly addPath: boolean;
}

/** none: nothing configured on an eBGP peer, which then exchanges nothing (RFC 8212). */
export type FamilyPolicy = 'accept' | 'reject' | 'none' | Filter;
/** BIRD's channels have a filter each. */
export interface PolicyByFamily {
  readonly ipv4: FamilyPolicy;
  readonly ipv6: FamilyPolicy;
}
export type Policy = FamilyPolicy | PolicyByFamily;

/** Policies of what is no BGP peer. */
export interface LocalPolicies {
  /** Import, by where routes come from: own networks, and what is learned from the kernel. */
  readonly networks: Policy;
  readonly kernel: Policy;
  readonly connected: Policy;
  readonly static: Policy;
  /** Import of protocols, by name, that have another policy than the first of their kind. */
  readonly protocols?: Readonly<Record<string, Policy>>;
  /** Which routes are installed; it sets krt_* attributes, too. */
  readonly install: Policy;
}

/** What a peer has and a peer group may preset. */
export interface PeerSettings {
  readonly asn: number | 'internal' | 'external';
  /** RFC 7705-style: another own AS shown to this peer. */
  readonly localAs: number | undefined;
  /** Undefined where this speaker is in no confederation. */
  readonly confederation?: ConfederationConfig;
  /** Another BGP Identifier than the router's, shown to this peer. */
  readonly routerId?: string | undefined;
  /** Shown to this peer in the FQDN capability; the router's name unless given, false: none. */
  readonly hostname?: string | false | undefined;
  readonly localAddress: string | undefined;
  /** This machine need not have the local address yet. */
  readonly freeBind?: boolean;
  readonly interface: string | undefined;
  readonly port: number;
  readonly localPort: number | undefined;
  readonly enabled: boolean;
  readonly description: string | undefined;
  readonly passive: boolean;
  readonly families: readonly FamilyName[];
  readonly password: Secret | undefined;
  /** Keys of TCP-AO (RFC 5925), in the place of a password. */
  readonly tcpAo?: readonly TcpAoKeyConfig[] | undefined;
  /** IP TTL for multihop eBGP; undefined = directly connected (TTL 1), always 255-capable for iBGP. */
  readonly multihop: number | undefined;
  /** GTSM: the peer is at most this many hops away (RFC 5082). */
  readonly ttlSecurity: number | undefined;
  readonly timers: TimerConfig;
  readonly import: Policy;
  readonly export: Policy;
  readonly routeReflectorClient: boolean;
  readonly clusterId: string | undefined;
  /** False: routes from a client are not reflected to other clients (RFC 4456 §6, fully meshed clients). */
  readonly clientToClient: boolean;
  readonly routeServerClient: boolean;
  /** Where the best route may not go to the peer, the next one that may goes. */
  readonly evaluateAll?: boolean;
  /** By family where that matters. */
  readonly nextHop: NextHopMode | Readonly<Partial<Record<IpVersion, NextHopModes>>>;
  /** The address for `nextHop: address`, and the one shown by `self` where the session's is of the other family. */
  readonly nextHopAddress: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
  /** Of a next hop with two addresses the link-local one leads there, instead of the global one. */
  readonly localFirst?: boolean;
  /** What it announces leads to addresses on its link, whatever prefixes this machine has there. */
  readonly onlink?: boolean;
  /** What it announces leads to the peer itself where the next hop is on no link. */
  readonly throughPeer?: boolean;
  /** Own next hop on a session between link-local addresses; unless given, with the link's global address. */
  readonly linkLocalNextHop?: LinkLocalFormat;
  readonly removePrivateAs: boolean;
  readonly asOverride: boolean;
  /** How often the own AS may stand in a received path. */
  readonly allowOwnAs: number;
  /** AS_SET and AS_CONFED_SET pass, against RFC 9774 §3. */
  readonly allowAsSets: boolean;
  readonly enforceFirstAs: boolean;
  /** LOCAL_PREF is taken from this eBGP peer and sent to it, as within an AS. */
  readonly allowLocalPref?: boolean;
  /** This eBGP peer is sent the MED of other ASes, too. */
  readonly allowMed?: boolean;
  readonly addPath: {
    readonly receive: boolean;
    readonly send: 'none' | 'all' | number;
    /** Each for all families unless given. */
    readonly families?: { readonly receive: readonly FamilyName[]; readonly send: readonly FamilyName[] };
  };
  readonly extendedNextHop: boolean;
  readonly extendedMessages: boolean;
  readonly gracefulRestart: GracefulRestartConfig;
  readonly role: Role | undefined;
  readonly roleStrict: boolean;
  /** Which ends of a session the peer does not come back from by itself. */
  readonly disableAfter?: DisableAfterConfig;
  /** What the peer's OPEN must offer, or the session is refused (RFC 5492 §5). */
  readonly required?: RequiredConfig;
  /** Capabilities that the peer is not offered. */
  readonly withheld?: WithheldCapabilities;
  readonly aigp: boolean;
  readonly sendCommunities: boolean;
  /** False: NO_EXPORT and its like (RFC 1997) keep no route from this peer. */
  readonly interpretCommunities?: boolean;
  readonly limits: LimitsConfig;
  /** RFC 8326: treat 65535:0 from this eBGP peer as local preference 0. */
  readonly gracefulShutdown: boolean;
  /** RFC 2439; undefined = off. */
  readonly damping: DampingConfig | undefined;
  /** Ends the session of a directly connected eBGP peer when its link goes down. */
  readonly fastFallover: boolean;
  /** Watches the path to the peer (RFC 5880); undefined = not. */
  readonly bfd: BfdConfig | undefined;
  /** Between protocols, of its routes; the higher wins. 100 unless given. */
  readonly preference?: number;
  /** The routing tables of its families by name; the main one unless given. */
  readonly tables?: TableNames;
  /** The tables whose kernel tables its next hops are looked up in; those of `tables` unless given. */
  readonly igpTables?: TableNames;
}

export interface TableNames {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** self: own address; unchanged: as received; auto: RFC 4271 §5.1.3; address: `nextHopAddress`. */
export type NextHopMode = 'auto' | 'self' | 'unchanged' | 'address';

/** By where a route comes from: this speaker, and peers of both kinds. */
export interface NextHopModes {
  readonly own: NextHopMode;
  readonly ibgp: NextHopMode;
  readonly ebgp: NextHopMode;
}

/** Seconds. */
export interface TimerConfig {
  readonly hold: number;
  readonly keepalive: number;
  /** A peer that wants less, or KEEPALIVEs more often than so, is refused; 0 = any. */
  readonly minHold: number;
  readonly minKeepalive: number;
  /** How long the peer's OPEN may take; 0 = for ever. */
  readonly openHold: number;
  readonly connectRetry: number;
  /** Before the first connection attempt. */
  readonly connectDelay: number;
  /** DelayOpenTime; 0 = off. */
  readonly delayOpen: number;
  readonly errorWaitMin: number;
  readonly errorWaitMax: number;
  readonly errorForget: number;
  /** RFC 9687; 0 = off. */
  readonly sendHold: number;
}

export interface PeerConfig extends PeerSettings {
  /** Unique; the address where none was given. */
  readonly name: string;
  /** With `%interface` for a link-local peer. */
  readonly address: string;
}

export interface DynamicPeersConfig extends PeerSettings {
  readonly name: string;
  readonly prefix: string;
  /** Patterns of the links that link-local members may be on; any unless given. */
  readonly interfaces?: readonly string[];
  /** Most sessions at a time. */
  readonly limit: number;
  /** An operator has switched it off: nobody else is admitted, and members stay. */
  readonly closed?: boolean;
  /** Members are called so, with a number; by their address unless given. */
  readonly memberNames?: MemberNamesConfig;
}

export interface MemberNamesConfig {
  readonly prefix: string;
  /** Zeros are put before a number that has fewer. */
  readonly digits: number;
}

export type RedistributeSource = 'kernel' | 'connected' | 'static';

export interface DecisionConfig {
  /** Compare MED between different neighbouring ASes too. */
  readonly alwaysCompareMed: boolean;
  /** RFC 5004: keep the current best of two equal eBGP routes. */
  readonly preferOldest: boolean;
  /** ECMP across paths whose AS_PATHs differ but are as long. */
  readonly multipathRelax: boolean;
  readonly ignoreAsPathLength: boolean;
  readonly ignoreIgpMetric: boolean;
  readonly ignoreRouterId: boolean;
  readonly aigp: boolean;
  readonly defaultLocalPref: number;
  /** MED of routes that have none, in the decision only. */
  readonly defaultMed: number;
}

export interface HttpConfig {
  readonly address: string;
  readonly port: number;
  /** Per-peer series are left out of /metrics above this many peers. */
  readonly maxPeerSeries: number;
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'pretty' | 'json';
}

/** A value that no log, output or error may show. */
export class Secret {
  readonly #value: string;
  readonly #octets: Uint8Array;
  /** `octets`: where they are not those of the text. */
  constructor(value: string, octets: Uint8Array = new TextEncoder().encode(value)) {
    this.#value = value;
    this.#octets = octets;
  }
  /** The value as it is written; beside `octets` the only way to it. */
  reveal(): string {
    return this.#value;
  }
  /** What others are shown of it: to be overwritten after use. */
  octets(): Uint8Array {
    return this.#octets.slice();
  }
  equals(other: Secret | undefined): boolean {
    return other !== undefined && bytesEqual(other.#octets, this.#octets);
  }
  toString(): string {
    return '<redacted>';
  }
  toJSON(): string {
    return '<redacted>';
  }
}
