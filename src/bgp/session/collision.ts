// Connection collision detection, RFC 4271 §6.8 and RFC 6286 §2.3: two TCP connections of one peer, one survives.
// Pure; peer.ts asks when a valid OPEN arrived on one connection while the other is there, and closes the loser
// with Cease/Connection Collision Resolution (6/7, RFC 4486 §4).

import type { FsmState } from './fsm-events.ts';

/** Whose SYN made the connection. */
export type Initiator = 'local' | 'remote';

export interface CollisionInput {
  /** BGP Identifiers, unsigned; the remote one as in the OPEN just received. */
  readonly localId: number;
  readonly remoteId: number;
  readonly localAs: number;
  readonly remoteAs: number;
  readonly existing: { readonly state: FsmState; readonly initiator: Initiator };
  /** The connection over which the OPEN came. */
  readonly fresh: { readonly initiator: Initiator };
  /**
   * RFC 4724 §4.2: graceful restart was agreed on in the Established session, so a new connection means that the peer
   * restarted and the old one is dead.
   */
  readonly peerMayRestart: boolean;
}

export type CollisionLoser = 'none' | 'existing' | 'fresh';

/** Names the connection to close; `none` where the two do not collide (yet). */
export function resolveCollision(input: CollisionInput): CollisionLoser {
  const { existing, fresh } = input;
  switch (existing.state) {
    // "A connection collision cannot be detected with connections in Idle, Connect, or Active"; OpenSent could be
    // examined only if the peer's identifier were known beforehand (a MAY).
    case 'Idle':
    case 'Connect':
    case 'Active':
    case 'OpenSent':
      return 'none';
    case 'Established':
      return input.peerMayRestart ? 'existing' : 'fresh';
    case 'OpenConfirm':
      // Two connections opened by the same side: it has given up the older one, whatever the identifiers.
      if (existing.initiator === fresh.initiator) return 'existing';
      return existing.initiator === preferredInitiator(input) ? 'fresh' : 'existing';
  }
}

function preferredInitiator(input: CollisionInput): Initiator {
  if (input.localId !== input.remoteId) return input.localId > input.remoteId ? 'local' : 'remote';
  // RFC 6286 §2.3: equal identifiers occur between different ASes only.
  return input.localAs > input.remoteAs ? 'local' : 'remote';
}
