// What a client and the daemon agree on: where the socket is, what a request holds and what comes back. The
// messages on the wire are in proto/godwit/v1/godwit.proto; these are the same in TypeScript. Replies are the
// speaker's own views, so this file mostly names them for those who may not look into the speaker.

import type { BmpStationView } from '../speaker/api/bmp.ts';
import type { RpkiCacheView } from '../speaker/api/rpki.ts';
import type {
  BfdSessionView,
  ExplainView,
  FilterTraceView,
  NetworkSpec,
  PeerEvent,
  PeerView,
  RouteEvent,
  RouteView,
  UpdateGroupView,
} from '../speaker/api.ts';

export type { BmpStationView } from '../speaker/api/bmp.ts';
export type { DampedRouteView } from '../speaker/api/damping.ts';
export type { JournalEntry } from '../speaker/api/journal.ts';
export type { MessageView } from '../speaker/api/messages.ts';
export type { RpkiCacheView } from '../speaker/api/rpki.ts';
export {
  type AttributeSetView,
  type AttributesView,
  type BfdSessionView,
  CommandError,
  ConfigurationError,
  type FilterTraceView,
  type ImpactView,
  type KernelRouteView,
  type KernelStatusView,
  type MessageName,
  type NetworkSpec,
  type PeerFamilyView,
  type PeerView,
  type ReloadResult,
  type RouteQuery,
  type RouteView,
  type StatusView,
  type UpdateGroupView,
  type UpgradeView,
} from '../speaker/api.ts';

/** Environment variable that replaces DEFAULT_SOCKET for the command line. */
export const SOCKET_VARIABLE = 'GODWIT_SOCKET';
/** Environment variable that names a daemon behind TCP, `HOST:PORT`, in the place of a socket. */
export const SERVER_VARIABLE = 'GODWIT_SERVER';
/** Full name of the service in the .proto file. */
export const SERVICE_NAME = 'godwit.v1.Godwit';

export type Nothing = Record<never, never>;

export interface PeersRequest {
  name?: string;
}
export interface PeersReply {
  peers: PeerView[];
}
export interface UpdateGroupsReply {
  groups: UpdateGroupView[];
}

export interface BfdSessionsReply {
  sessions: BfdSessionView[];
}

export interface RpkiCachesReply {
  caches: RpkiCacheView[];
}

export interface BmpStationsReply {
  stations: BmpStationView[];
}

export interface DampedRequest {
  peer?: string;
}
export interface ClearDampingRequest extends DampedRequest {
  prefix?: string;
}
export interface Cleared {
  routes: number;
}

export interface ExplainRequest {
  prefix: string;
  from?: string;
  to?: string;
}
/** ExplainView with what is told of each path beside the route instead of inside it. */
export interface Explanation extends Omit<ExplainView, 'paths'> {
  paths: { rank: number; step: string; route: RouteView; importFilter?: FilterTraceView | undefined }[];
}

export interface ImpactRequest {
  file?: string;
  limit?: number;
}

export interface EventsRequest {
  peer?: string;
  /** `10m`, or a moment. */
  since?: string;
}

export interface MessagesRequest {
  name: string;
}

export interface WatchMessagesRequest extends MessagesRequest {
  includeCurrent?: boolean;
}

export interface WatchPeersRequest {
  includeCurrent?: boolean;
}
export type PeerChange = Omit<PeerEvent, 'kind'>;

export interface WatchRoutesRequest {
  family?: string;
  prefix?: string;
  longer?: boolean;
}
export type RouteChange = Omit<RouteEvent, 'kind'>;

/** RouteQuery as it arrives: the family is not checked yet. */
export interface RoutesRequest {
  family?: string;
  prefix?: string;
  longer?: boolean;
  receivedFrom?: string;
  advertisedTo?: string;
  table?: string;
  bestOnly?: boolean;
  rejectedOnly?: boolean;
  beforePolicy?: boolean;
}

export const PEER_ACTIONS = [
  'up',
  'down',
  'reset',
  'refresh',
  'drain',
  'undrain',
  'record',
  'unrecord',
] as const;
export type PeerAction = (typeof PEER_ACTIONS)[number];
export const REFRESH_DIRECTIONS = ['in', 'out', 'both'] as const;
export type RefreshDirection = (typeof REFRESH_DIRECTIONS)[number];
export const NETWORK_TYPES = [
  'none',
  'blackhole',
  'unreachable',
  'prohibit',
  'via',
] as const satisfies readonly [...NonNullable<NetworkSpec['type']>[]];

export interface PeerActionRequest {
  name: string;
  action?: PeerAction;
  reason?: string;
  direction?: RefreshDirection;
}

export interface DrainRequest {
  undo?: boolean;
}

export interface UpgradeRequest {
  program?: string;
}

export interface DeleteNetworkRequest {
  prefix: string;
}
