// The enums of the .proto file beside the texts that views use for them, in the order of their numbers: the first
// text is number 1, because 0 is UNSPECIFIED everywhere and means that the field is absent. The types hold each row
// to the view it belongs to.

import { EVENT_KINDS, EVENT_SEVERITIES } from '../../speaker/api/journal.ts';
import type { PeerLimitView } from '../../speaker/api/peer-parts.ts';
import type {
  AttributesView,
  BfdSessionView,
  ImpactRoute,
  KernelRouteView,
  NetworkSpec,
  PeerView,
  StatusView,
} from '../../speaker/api.ts';
import { NETWORK_TYPES, PEER_ACTIONS, REFRESH_DIRECTIONS } from '../protocol.ts';

const texts = <T extends string>(...values: T[]): readonly T[] => values;

/** Name of the enum in package godwit.v1 -> texts of the numbers 1, 2, 3, ... */
export const ENUM_TEXTS: Readonly<Record<string, readonly string[]>> = {
  DaemonState: texts<StatusView['state']>('starting', 'running', 'stopping'),
  PeerKind: texts<PeerView['kind']>('static', 'dynamic'),
  PeerType: texts<NonNullable<PeerView['type']>>('internal', 'external', 'confederation'),
  PeerState: texts<PeerView['state']>('Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'),
  LimitKind: texts<PeerLimitView['kind']>('received', 'accepted', 'exported'),
  LimitAction: texts<PeerLimitView['action']>('warn', 'block', 'restart', 'disable'),
  BfdState: texts<BfdSessionView['state']>('AdminDown', 'Down', 'Init', 'Up'),
  Origin: texts<NonNullable<AttributesView['origin']>>('IGP', 'EGP', 'INCOMPLETE'),
  KernelRouteOrigin: texts<KernelRouteView['origin']>('own', 'learned', 'connected'),
  KernelRouteState: texts<KernelRouteView['state']>('installed', 'pending', 'failed'),
  NetworkType: texts<NonNullable<NetworkSpec['type']>>(...NETWORK_TYPES),
  ImpactDirection: texts<ImpactRoute['direction']>('import', 'export'),
  ImpactChange: texts<ImpactRoute['change']>('added', 'removed', 'modified'),
  EventKind: EVENT_KINDS,
  EventSeverity: EVENT_SEVERITIES,
  PeerAction: PEER_ACTIONS,
  RefreshDirection: REFRESH_DIRECTIONS,
};
