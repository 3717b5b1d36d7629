// What two OPENs agreed on: everything a decoder, an encoder or a table needs to know of a session.
// capabilities.ts computes it; nobody changes it while the session lives.

import type { Family } from './families.ts';

export type PeerType = 'internal' | 'external';

export interface SessionContext {
  readonly peerType: PeerType;
  /** The AS this side showed in its OPEN. */
  readonly localAs: number;
  readonly peerAs: number;
  /** BGP Identifiers, unsigned. */
  readonly localId: number;
  readonly peerId: number;
  /** Seconds; 0 = neither hold timer nor keepalives (RFC 4271 §4.2). */
  readonly holdTime: number;
  /** Families that both sides announced (RFC 4760 §8); IPv4 unicast alone where no capability was sent. */
  readonly families: readonly Family[];
  /** Both sides sent capability 65: 4-octet ASes in AS_PATH and AGGREGATOR (RFC 6793). */
  readonly as4: boolean;
  /** Bit `family.id` set: a path identifier precedes every prefix in that direction (RFC 7911). */
  readonly addPathReceive: number;
  readonly addPathSend: number;
  /** Bit `family.id` set: IPv6 next hops may be used for that family (RFC 8950), as agreed by both. */
  readonly extendedNextHop: number;
  /** Longest message this side may send and must accept: 4096 or 65535 (RFC 8654). */
  readonly sendLimit: number;
  readonly receiveLimit: number;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  /** The peer knows what LLGR_STALE means (RFC 9494 §4.3). */
  readonly knowsLongLived: boolean;
  /** RFC 9234: the local role where one is configured. */
  readonly localRole: Role | undefined;
}

/** RFC 9234 §4.1 */
export const ROLE = { provider: 0, 'rs-server': 1, 'rs-client': 2, customer: 3, peer: 4 } as const;
export type Role = keyof typeof ROLE;
