// States of a session as numbers, where protocols want them so.

import type { PeerView } from '../api.ts';

/** bgpPeerState of RFC 4273; the same in MRT files (RFC 6396 §4.4.1). */
export const PEER_STATE_NUMBERS = {
  Idle: 1,
  Connect: 2,
  Active: 3,
  OpenSent: 4,
  OpenConfirm: 5,
  Established: 6,
} as const satisfies Record<PeerView['state'], number>;
