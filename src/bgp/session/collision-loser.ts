// Two state machines of one peer as the two connections of a collision (RFC 4271 §6.8).

import type { SessionContext } from '../wire/session-context.ts';
import { resolveCollision } from './collision.ts';
import type { ConnectionFsm } from './connection-fsm.ts';
import { canRestart } from './local-open.ts';

/** Which connection ends: that of `fresh`, whose OPEN has just agreed on `context`, the other one, or none. */
export function loserOf(
  fresh: ConnectionFsm,
  existing: ConnectionFsm | undefined,
  context: SessionContext,
): ReturnType<typeof resolveCollision> {
  const { connection } = fresh;
  const otherInitiator = existing?.connection?.initiator;
  if (existing === undefined || connection === undefined || otherInitiator === undefined) return 'none';
  return resolveCollision({
    localId: context.localId,
    remoteId: context.peerId,
    localAs: context.localAs,
    remoteAs: context.peerAs,
    existing: { state: existing.state, initiator: otherInitiator },
    fresh: connection,
    // What was under way before, both sides dialled at once: an ordinary collision.
    peerMayRestart:
      canRestart(existing.localOpen) && canRestart(existing.remoteOpen) && existing.precedes(connection),
  });
}
