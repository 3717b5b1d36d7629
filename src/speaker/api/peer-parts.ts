// Parts of what is shown of peers and of who calls.

import type { FamilyName } from '../../bgp/wire/families.ts';

/** A limit on the routes of a family. */
export interface PeerLimitView {
  /** Adj-RIB-In rows, those of them that import accepts, or routes that are sent. */
  kind: 'received' | 'accepted' | 'exported';
  routes: number;
  action: 'warn' | 'block' | 'restart' | 'disable';
  /** Since the session came up, or the limit was changed. */
  hit: boolean;
}

export interface PeerFamilyView {
  family: FamilyName;
  negotiated: boolean;
  /** Adj-RIB-In rows, those policy or a loop check made ineligible, those that are best, and Adj-RIB-Out routes. */
  received: number;
  rejected: number;
  best: number;
  advertised: number;
  endOfRibReceived: boolean;
  endOfRibSent: boolean;
  stale: number;
  /** Milliseconds that routes wait for a session to come (RFC 4724, RFC 9494); undefined where none do. */
  keptFor: number | undefined;
  updateGroup: number | undefined;
  limits: PeerLimitView[];
}

/** What a peer holds of the memory, in octets: an estimate, made when asked for. */
export interface PeerMemoryView {
  /** Adj-RIB-In rows, and a share of the prefixes by their number. */
  paths: number;
  /** Attribute sets, which peers share: a part by the number of rows. */
  attributes: number;
  /** Messages that wait to be written, each counted in full though peers of a group share them. */
  queued: number;
  /** Buffers of the socket in the kernel; 0 where they cannot be asked for. */
  socket: number;
}

/** Route flap damping of a peer (RFC 2439). */
export interface PeerDampingView {
  /** Routes that are remembered for their flaps, and those of them that are not used. */
  remembered: number;
  suppressed: number;
  /** Flaps that were not counted, because there was no room. */
  overflows: number;
}

/** Connections to the listeners since the start. */
export interface ConnectionsView {
  accepted: number;
  /** unknown: no peer is configured; rate: too often; halfOpen: too many without an OPEN; noOpen: none came in time. */
  refused: { unknown: number; rate: number; halfOpen: number; noOpen: number };
  /** Callers from ranges that have not sent their OPEN, now. */
  halfOpen: number;
}
