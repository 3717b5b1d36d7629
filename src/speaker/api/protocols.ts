// Protocols as BIRD's users know them: everything that brings routes into a table or takes them out has a name, a
// state and channels. Made on demand by speaker/views; shown by control/bird.

import type { Capability } from '../../bgp/wire/capabilities.ts';

export type ProtocolKind =
  | 'bgp'
  | 'kernel'
  | 'device'
  | 'direct'
  | 'static'
  | 'pipe'
  | 'bfd'
  | 'mrt'
  | 'bmp'
  | 'rpki';

/** BIRD's words; wait: until a restart's routes are complete, feed: while the first routes are on their way. */
export type ProtocolState = 'down' | 'start' | 'up' | 'stop' | 'wait' | 'feed' | 'flush';

export interface ProtocolView {
  name: string;
  kind: ProtocolKind;
  state: ProtocolState;
  /** What the operator wants: not disabled. */
  enabled: boolean;
  /** Wall-clock milliseconds of the last change of state. */
  since: number;
  description: string | undefined;
  /** What the operator said when switching it off (RFC 9003), here or there. */
  message: string | undefined;
  channels: ChannelView[];
  bgp: BgpView | undefined;
  /** opaque: its routes do not say where they come from (1.6). */
  pipe: { table: string; peerTable: string; opaque?: boolean } | undefined;
  rpki: RpkiView | undefined;
  /** Of a BMP protocol. */
  bmp?: BmpProtocolView | undefined;
}

export interface ChannelView {
  /** `ipv4`, `roa6`, ... */
  name: string;
  table: string;
  state: 'up' | 'down' | 'start' | 'flush';
  preference: number;
  /** BIRD's words: ACCEPT, REJECT, (unnamed), or the name of a filter. */
  importFilter: string;
  exportFilter: string;
  limits: {
    kind: 'receive' | 'import' | 'export';
    routes: number;
    action: 'warn' | 'block' | 'restart' | 'disable';
    reached: boolean;
  }[];
  /** undefined while the channel is down. */
  routes: ChannelRoutes | undefined;
  stats: ChannelStats | undefined;
  /** Own next hops as announced: global, then link-local. */
  nextHops: string[];
  /** The table in which next hops are looked up; undefined where they must be on the link. */
  igpTable: string | undefined;
  /** How the routes of a peer that is away are being kept (RFC 4724 §4.2, RFC 9494 §4.2). */
  neighborRestart: 'regular' | 'long-lived' | undefined;
  /** Seconds for which they are still kept as long-lived ones. */
  staleFor: number | undefined;
}

export interface ChannelRoutes {
  imported: number;
  /** Refused by the import filter and kept; undefined where those are not kept. */
  filtered: number | undefined;
  exported: number;
  /** undefined for a pipe. */
  preferred: number | undefined;
}

/** Numbers of routes since the protocol came up. */
export interface UpdateStats {
  received: number;
  rejected: number;
  filtered: number;
  ignored: number;
  accepted: number;
}

export interface ChannelStats {
  importUpdates: UpdateStats;
  importWithdraws: UpdateStats;
  exportUpdates: UpdateStats;
  exportWithdraws: UpdateStats;
}

export type BgpSessionState =
  | 'Idle'
  | 'Connect'
  | 'Active'
  | 'OpenSent'
  | 'OpenConfirm'
  | 'Established'
  | 'Close'
  | 'Down'
  | 'Passive';

/** Whose fault, and what: `socket` `Connection refused`. */
export interface BgpError {
  origin: 'here' | 'socket' | 'received' | 'sent' | 'automatic';
  text: string;
}

/** Seconds. */
export interface TimerView {
  left: number;
  of: number;
}

export interface BgpView {
  state: BgpSessionState;
  error: BgpError | undefined;
  /** Address, with `%interface` where it is link-local; undefined for a range. */
  peerAddress: string | undefined;
  peerRange: string | undefined;
  peerAs: number;
  localAs: number;
  peerId: string | undefined;
  localCapabilities: readonly Capability[];
  peerCapabilities: readonly Capability[];
  internal: boolean;
  multihop: boolean;
  role: 'client' | 'route-server' | undefined;
  as4: boolean;
  addPathReceive: boolean;
  addPathSend: boolean;
  sourceAddress: string | undefined;
  /** 1.6: routes and the limit. */
  routeLimit: { routes: number; limit: number } | undefined;
  holdTimer: TimerView | undefined;
  keepaliveTimer: TimerView | undefined;
  sendHoldTimer: TimerView | undefined;
  connectTimer: TimerView | undefined;
  errorTimer: TimerView | undefined;
  /** The peer is away and its routes are kept (RFC 4724 §4.2). */
  gracefulRestart: 'active' | 'long-lived' | undefined;
  /** Timer of the above. */
  restartTimer: TimerView | undefined;
}

/** What BIRD shows of a BMP station; octets. */
export interface BmpProtocolView {
  address: string;
  port: number;
  /** Down, Connect, Established or Idle. */
  status: string;
  lastError: string | undefined;
  pending: number;
  limit: number;
  sessionSent: number;
  totalSent: number;
}

export interface RpkiView {
  server: string;
  port: number;
  transport: string;
  status: string;
  version: number;
  sessionId: number | undefined;
  serial: number | undefined;
  /** Seconds ago. */
  lastUpdate: number | undefined;
  refreshTimer: TimerView | undefined;
  retryTimer: TimerView | undefined;
  expireTimer: TimerView | undefined;
}

/** What `enable` and the like came to. */
export type ProtocolActionResult = 'done' | 'already' | 'disabled' | 'not-up' | 'failed';

export interface ProtocolAction {
  action: 'enable' | 'disable' | 'restart' | 'reload';
  /** reload: which way; both unless given. */
  direction?: 'in' | 'out';
  /** disable, restart: said to the peer (RFC 9003). */
  message?: string;
}
