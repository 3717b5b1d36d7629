// The speaker as its operators' tools see it: read-only views made on demand, and a few commands. control/ serves
// exactly this over gRPC, HTTP and the CLI; the simulator and the tests call it directly.

import type { AttributeValues } from '../bgp/wire/attribute-values.ts';
import type { FamilyName } from '../bgp/wire/families.ts';
import type { BirdApi } from './api/bird.ts';
import type { BmpStationView } from './api/bmp.ts';
import type { DampingApi } from './api/damping.ts';
import type { DiagnosisApi, LoopView } from './api/diagnosis.ts';
import type { ConnectionsView, PeerDampingView, PeerFamilyView, PeerMemoryView } from './api/peer-parts.ts';
import type { RpkiCacheView } from './api/rpki.ts';
import type { UpgradeView } from './api/upgrade.ts';

export type { PeerFamilyView, UpgradeView };

/** Errors of a command: the operator's fault, with what to do instead. */
export class CommandError extends Error {
  /** not-found: no such peer, prefix or group; invalid: bad argument; failed: it was tried and did not work. */
  readonly code: 'not-found' | 'invalid' | 'failed';
  constructor(code: 'not-found' | 'invalid' | 'failed', message: string) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}

/** A configuration that cannot be used. */
export class ConfigurationError extends CommandError {
  readonly complaints: readonly ConfigurationComplaint[];
  constructor(complaints: readonly ConfigurationComplaint[]) {
    super('invalid', `nothing was changed:\n${complaints.map(complaintText).join('\n')}`);
    this.complaints = complaints;
  }
}

export interface ConfigurationComplaint {
  file: string;
  /** From 1; 0 where it is about the whole file. */
  line: number;
  column: number;
  message: string;
  hint: string | undefined;
}

function complaintText({ file, line, column, message, hint }: ConfigurationComplaint): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return `${place}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

export interface StatusView {
  version: string;
  hostname: string;
  routerId: string;
  asn: number;
  /** Wall-clock milliseconds. */
  startedAt: number;
  reconfiguredAt: number;
  configFile: string | undefined;
  state: 'starting' | 'running' | 'stopping';
  /** Sentences about what does not work as configured; empty when all is well. */
  problems: string[];
  families: { family: FamilyName; prefixes: number; paths: number }[];
  attributeSets: number;
  updateGroups: number;
  /** away: names of dynamic peers that have no session, while their routes wait for them (RFC 4724). */
  peers: { total: number; established: number; away: string[] };
  connections: ConnectionsView;
  kernel: KernelStatusView | undefined;
  memory: { rss: number; heapUsed: number; arrayBuffers: number };
  stages: { name: string; runs: number; micros: number; longestMicros: number }[];
  loop: LoopView;
  /** Sessions' ends and failed attempts since the start, by cause; all causes there are. */
  causes: { code: string; count: number }[];
  /** Events since the start. */
  events: number;
}

export interface KernelStatusView {
  installing: boolean;
  table: number;
  /** Of IPv6 routes, where it is another one. */
  ipv6Table: number | undefined;
  desired: number;
  installed: number;
  pending: number;
  failed: number;
  learned: number;
  lastScanAt: number | undefined;
}

export interface PeerView {
  name: string;
  description: string | undefined;
  /** Configured, or admitted by a dynamic prefix. */
  kind: 'static' | 'dynamic';
  address: string;
  port: number;
  localAddress: string | undefined;
  localAs: number;
  peerAs: number | undefined;
  peerId: string | undefined;
  /** confederation: of another member AS of this speaker's confederation. */
  type: 'internal' | 'external' | 'confederation' | undefined;
  routeReflectorClient: boolean;
  adminUp: boolean;
  /** RFC 4271 §8 names. */
  state: 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established';
  /** Wall-clock milliseconds of the last change of state. */
  since: number;
  /** One line: why the last session ended, with both sides' view. */
  lastError: string | undefined;
  /** The cause's code (cause-table.ts), and what a person can do about it. */
  lastErrorCode: string | undefined;
  lastErrorAdvice: string | undefined;
  lastErrorAt: number | undefined;
  /** Times Established was reached, and left. */
  establishedCount: number;
  downCount: number;
  holdTime: number | undefined;
  keepaliveTime: number | undefined;
  localCapabilities: string[];
  peerCapabilities: string[];
  messages: {
    received: Record<MessageName, number>;
    sent: Record<MessageName, number>;
    receivedBytes: number;
    sentBytes: number;
  };
  families: PeerFamilyView[];
  queuedBytes: number;
  /** Undefined while there is no session and no route is kept. */
  memory: PeerMemoryView | undefined;
  /** Undefined where its routes are not damped. */
  damping: PeerDampingView | undefined;
  congested: boolean;
  /** It is asked to send traffic elsewhere (RFC 8326). */
  draining: boolean;
  /** UPDATEs of this session that RFC 7606 had to repair, and what was wrong with the last of them. */
  malformed: { count: number; last: string } | undefined;
  /** Milliseconds until this side tries again to have a session; undefined where it does not, or is at it. */
  nextAttemptIn: number | undefined;
}

export type MessageName = 'open' | 'update' | 'notification' | 'keepalive' | 'routeRefresh';

export interface RouteQuery {
  family?: FamilyName;
  /** Exactly this prefix, or with `longer` everything inside it; an address asks for its longest match. */
  prefix?: string;
  longer?: boolean;
  /** A routing table by its name; the main one unless given. */
  table?: string;
  /** Only paths received from this peer. */
  receivedFrom?: string;
  /** What is advertised to this peer (Adj-RIB-Out) instead of the tables. */
  advertisedTo?: string;
  /** Only best paths. */
  bestOnly?: boolean;
  /** Only paths that policy or a check rejected. */
  rejectedOnly?: boolean;
  /** Attributes as received instead of after import policy. */
  beforePolicy?: boolean;
}

export interface RouteView {
  family: FamilyName;
  prefix: string;
  pathId: number;
  /** Peer name; `local` for own networks and `kernel` for learned routes. */
  peer: string;
  peerAddress: string | undefined;
  best: boolean;
  /** Member of the ECMP set. */
  multipath: boolean;
  eligible: boolean;
  /** Why it is not eligible, or which decision step it lost at, or why it is best. */
  reason: string;
  stale: boolean;
  /** Wall-clock seconds. */
  since: number;
  nextHop: string;
  nextHopReachable: boolean;
  igpMetric: number | undefined;
  attributes: AttributesView;
}

/** Attributes in the words and numbers that people use. */
export type AttributesView = AttributeValues;

/** What a filter did with a route. */
export interface FilterTraceView {
  name: string;
  accepted: boolean;
  /** In order; the last one decided. */
  steps: FilterStepView[];
}

export interface FilterStepView {
  /** `file:line` */
  place: string;
  /** The filter's own text there, its first line. */
  code: string;
  /** What came of it: `true`, `bgp_local_pref = 200`, `accept`. */
  text: string;
}

export interface SentPathView {
  pathId: number;
  nextHop: string;
  attributes: AttributesView;
}

export interface ExplainView {
  prefix: string;
  /** Ranked, best first; ineligible paths last. */
  paths: (RouteView & { rank: number; step: string; importFilter?: FilterTraceView | undefined })[];
  /** What was decided for each peer and why. */
  exports: {
    peer: string;
    advertised: boolean;
    reason: string;
    attributes: AttributesView | undefined;
    nextHop: string | undefined;
    exportFilter?: FilterTraceView | undefined;
    /** Everything that was advertised, the first one too, where it is more than one path (RFC 7911). */
    paths?: SentPathView[];
  }[];
  kernel:
    | { desired: string | undefined; installed: string | undefined; problem: string | undefined }
    | undefined;
}

export interface AttributeSetView {
  id: number;
  references: number;
  bytes: number;
  nextHop: string;
  attributes: AttributesView;
}

export interface UpdateGroupView {
  id: number;
  family: FamilyName;
  /** The inputs of the group's key, as name -> text. */
  key: Record<string, string>;
  members: string[];
  lagging: string[];
  routes: number;
  pending: number;
  bytesBuilt: number;
}

export interface KernelRouteView {
  prefix: string;
  table: number;
  metric: number;
  protocol: number;
  type: string;
  /** `via 10.0.0.1 dev eth0`, one a next hop. */
  nextHops: string[];
  origin: 'own' | 'learned' | 'connected';
  state: 'installed' | 'pending' | 'failed';
  problem: string | undefined;
}

export interface BfdSessionView {
  /** The peers that lean on it: those on one path share a session (RFC 5882 §4.4). None where it is configured by itself. */
  peers: string[];
  address: string;
  localAddress: string | undefined;
  /** The configured one, else where the last packet came from. */
  interface: string | undefined;
  multihop: boolean;
  /** RFC 5880 §4.1 names. */
  state: 'AdminDown' | 'Down' | 'Init' | 'Up';
  remoteState: 'AdminDown' | 'Down' | 'Init' | 'Up';
  /** Wall-clock milliseconds of the last change of state. */
  since: number;
  /** Times Up was reached, and left. */
  upCount: number;
  downCount: number;
  /** Milliseconds between packets sent, less jitter; 0 where none are sent. */
  interval: number;
  /** Detection time in milliseconds; 0 before the first packet. */
  timeout: number;
  /** Own multiplier. */
  multiplier: number;
  /** RFC 5880 §4.1 texts: why the state changed last, here and there. */
  localDiagnostic: string;
  remoteDiagnostic: string;
  localDiscriminator: number;
  /** 0 while unknown. */
  remoteDiscriminator: number;
  passive: boolean;
  /** `meticulous-sha1` and the like. */
  authentication: string | undefined;
  /** A sentence about what keeps it from working: packets that are refused, a socket that cannot be had. */
  problem: string | undefined;
}

export interface NetworkSpec {
  prefix: string;
  type?: 'none' | 'blackhole' | 'unreachable' | 'prohibit' | 'via';
  via?: string[];
  med?: number;
  localPref?: number;
  communities?: string[];
}

export type PeerEvent = { kind: 'peer'; peer: PeerView };
export type RouteEvent = {
  kind: 'route';
  family: FamilyName;
  prefix: string;
  /** The new best path; undefined = the prefix is gone. */
  best: RouteView | undefined;
};

export type ImpactChange = 'added' | 'removed' | 'modified';

/** How many routes of a peer a configuration would change. */
export interface ImpactCount {
  peer: string;
  /** import: what is taken from the peer; export: what it is sent. */
  direction: 'import' | 'export';
  added: number;
  removed: number;
  modified: number;
}

export interface ImpactRoute {
  peer: string;
  direction: 'import' | 'export';
  family: FamilyName;
  prefix: string;
  change: ImpactChange;
  /** `localPref 100 -> 200`; empty unless modified. */
  detail: string;
}

export interface ImpactView {
  /** One sentence a change of the configuration. */
  changes: string[];
  counts: ImpactCount[];
  /** The first of them. */
  routes: ImpactRoute[];
  /** How many changed routes are not named. */
  more: number;
}

export interface ReloadResult {
  /** One sentence a change, empty when nothing changed. */
  changes: string[];
}

export interface SpeakerApi extends DampingApi, DiagnosisApi {
  /** What BIRD's control protocol asks for beyond the rest. */
  readonly bird: BirdApi;
  status(): StatusView;
  peers(): PeerView[];
  /** The caller may stop at any time. `undefined` is no route, but a moment to do something else: many were passed over. */
  routes(query: RouteQuery): Iterable<RouteView | undefined>;
  attributeSets(): Iterable<AttributeSetView>;
  updateGroups(): UpdateGroupView[];
  kernelRoutes(): Iterable<KernelRouteView>;
  bfdSessions(): BfdSessionView[];
  /** In the order of the configuration. */
  rpkiCaches(): RpkiCacheView[];
  /** In the order of the configuration. */
  bmpStations(): BmpStationView[];
  explain(prefix: string, options: { from?: string; to?: string }): ExplainView;
  /** Calls back on every change until the returned function is called. */
  watchPeers(listener: (event: PeerEvent) => void): () => void;
  watchRoutes(
    query: { family?: FamilyName; prefix?: string; longer?: boolean },
    listener: (event: RouteEvent) => void,
  ): () => void;
  peerUp(name: string): void;
  /** `reason` travels in the NOTIFICATION (RFC 9003). */
  peerDown(name: string, reason: string | undefined): void;
  /** RFC 8326: routes to and from a peer, or all peers where none is named, become the last resort, or normal again. */
  drain(name: string | undefined, on: boolean): void;
  peerReset(name: string, reason: string | undefined): void;
  /** in = ask the peer again (or rerun policy where the peer cannot), out = send everything again. */
  peerRefresh(name: string, direction: 'in' | 'out' | 'both'): void;
  addNetwork(network: NetworkSpec): void;
  deleteNetwork(prefix: string): void;
  /** What a configuration file would change, routes included; the file of the start unless given. */
  impact(file: string | undefined, limit: number): Promise<ImpactView>;
  /** Reads the configuration again and applies the difference. */
  reload(): Promise<ReloadResult>;
  /** Lets a program go on in this process's place, by default its own file; resolves a moment before, when all is ready. */
  upgrade(program: string | undefined): Promise<UpgradeView>;
}
