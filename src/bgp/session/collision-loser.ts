// Two state machines of one peer as the two connections of a collision (RFC 4271 §6.8).

import { CEASE, ERROR } from '../wire/error-codes.ts';
import { NotificationError } from '../wire/notification.ts';
import type { SessionContext } from '../wire/session-context.ts';
import { resolveCollision } from './collision.ts';
import type { ConnectionFsm } from './connection-fsm.ts';
import { canRestart, saysRestarted } from './local-open.ts';

/**
 * A process that is busy sees a call late. So soon after Established over a connection of its own it is the other of two
 * crossing dials, unless the OPEN says that the peer has restarted, and the one before did not: where both say it, they
 * tell of the same restart. Where the peer has only lost its connection, the probe finds that out.
 */
const LATE_CALL_MS = 3000;

/**
 * Ends one of two connections, where that has to be. False where it is that of `fresh`, whose OPEN has just agreed on
 * `context`.
 */
export function survivesCollision(
  fresh: ConnectionFsm,
  other: ConnectionFsm | undefined,
  context: SessionContext,
): boolean {
  const loser = loserOf(fresh, other, context);
  if (other === undefined || loser === 'none') return true;
  if (loser === 'fresh') {
    // A peer that lost its machine answers with a reset: without a hold time nothing else would ever tell.
    other.probe();
    dump(fresh);
    return false;
  }
  if (other.state !== 'Established') dump(other);
  // RFC 4724 §4.2: the old session is taken for dead, and no NOTIFICATION is sent over it.
  else other.dispatch({ name: 'TcpConnectionFails' }, { cause: 'peer-restarted' });
  return true;
}

export function dump(fsm: ConnectionFsm | undefined): void {
  const notification = new NotificationError(ERROR.cease, CEASE.collisionResolution);
  fsm?.dispatch({ name: 'OpenCollisionDump', notification });
}

/** Which connection ends: that of `fresh`, the other one, or none. */
function loserOf(
  fresh: ConnectionFsm,
  existing: ConnectionFsm | undefined,
  context: SessionContext,
): ReturnType<typeof resolveCollision> {
  const { connection } = fresh;
  const otherInitiator = existing?.connection?.initiator;
  if (existing === undefined || connection === undefined || otherInitiator === undefined) return 'none';
  const hasRestarted = saysRestarted(fresh.remoteOpen) && !saysRestarted(existing.remoteOpen);
  const mayCross = connection.initiator !== otherInitiator && !hasRestarted;
  return resolveCollision({
    localId: context.localId,
    remoteId: context.peerId,
    localAs: context.localAs,
    remoteAs: context.peerAs,
    existing: { state: existing.state, initiator: otherInitiator },
    fresh: connection,
    // What was under way before, both sides dialled at once: an ordinary collision.
    peerMayRestart:
      canRestart(existing.localOpen) &&
      canRestart(existing.remoteOpen) &&
      existing.precedes(connection, mayCross ? LATE_CALL_MS : 0),
  });
}
