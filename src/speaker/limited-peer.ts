// The limits of a peer (peer-limits.ts) where it meets the tables and its session.

import type { CeaseOptions } from '../bgp/session/cease.ts';
import type { Session } from '../bgp/session/events.ts';
import type { Family } from '../bgp/wire/families.ts';
import type { LimitsConfig } from '../config/model/limits.ts';
import { keepsBack } from '../rib/blocked-import.ts';
import type { ExportLimit } from '../rib/export-limit.ts';
import type { ExportSink } from '../rib/lane.ts';
import type { Rib } from '../rib/rib.ts';
import { PeerLimits } from './peer-limits.ts';
import type { PeerHandle, RegistryDependencies } from './peer-registry.ts';

export type { PeerLimits } from './peer-limits.ts';

/** `handle` is asked for when a limit is looked at, not before. */
export function peerLimits(
  limits: LimitsConfig,
  name: string,
  handle: () => PeerHandle,
  { rib, session, defer, logOf }: Pick<RegistryDependencies, 'rib' | 'session' | 'defer' | 'logOf'>,
  end: (cease: CeaseOptions, forGood: boolean) => void,
): PeerLimits {
  const exported = (family: Family) => exportedRoutes(rib, handle(), family);
  const ask = (family: Family) => handle().established?.session.requestRefresh(family) ?? false;
  const keptBack = () => hasKeptBack(rib, handle());
  const log = logOf?.('limits') ?? session.log;
  return new PeerLimits(limits, { name, log, defer, exported, ask, keptBack, end });
}

function hasKeptBack(rib: Rib, { established }: PeerHandle): boolean {
  if (established === undefined) return false;
  const { ribPeer, session } = established;
  return session.context.families.some((family) => keepsBack(rib.homeOf(ribPeer, family.id), ribPeer));
}

/** Routes of a family that a peer is sent now. */
export function exportedRoutes(rib: Rib, { established }: PeerHandle, family: Family): number {
  if (established === undefined) return 0;
  const { ribPeer } = established;
  const { id } = ribPeer;
  const group = rib.groupsOf(ribPeer, family.id).groupOf(id);
  return group === undefined ? 0 : group.adjRibOut.size - group.adjRibOut.fromPeer(id);
}

/** Where a peer's routes go; what is sent is counted where that is limited. */
export function sinkOf(session: Session, limit: ExportLimit | undefined, limits: PeerLimits): ExportSink {
  return limit === undefined || limit.block !== undefined ? session : watched(session, limits);
}

/** Counts afterwards: a group must not lose a member while it hands out. */
function watched(session: Session, limits: PeerLimits): ExportSink {
  return {
    get congested() {
      return session.congested;
    },
    send(chunks) {
      limits.reviewSoon();
      return session.send(chunks);
    },
  };
}
