// What a peer's session tells the layer above, and what that layer may do with it. The speaker implements
// PeerEvents; Session is what it gets to hold while the peer is Established.

import type { Family } from '../wire/families.ts';
import type { SessionContext } from '../wire/session-context.ts';
import type { DownReason } from './down-reason.ts';
import type { Peer } from './peer.ts';

export interface Session {
  readonly peer: Peer;
  readonly context: SessionContext;
  /** Addresses of the TCP connection, 4 or 16 octets. */
  readonly localAddress: Uint8Array;
  readonly remoteAddress: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
  /** Interface of a link-local or directly connected session, where known. */
  readonly zone: string | undefined;
  /**
   * Sends whole messages. The chunks are kept until written and must not change; pass the same chunk to as many
   * sessions as need it. Returns false once more than the high-water mark is queued: stop, and go on after
   * PeerEvents.onDrain.
   */
  send(chunks: readonly Uint8Array[]): boolean;
  /** Octets handed to send and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** Octets in the kernel's buffers of the connection, where that can be asked for. */
  readonly socketBytes?: number | undefined;
  /** True between a send that returned false and the onDrain after it. */
  readonly congested: boolean;
  /** Stops and resumes reading from the peer, when the tables cannot keep up. */
  pauseReading(): void;
  resumeReading(): void;
  /** Keeps a message that was received on the peer's tape, where it would not be otherwise; it is copied. */
  keep?(buffer: Uint8Array, start: number, end: number): void;
  /** RFC 2918: asks the peer for its routes again; false where the peer cannot. */
  requestRefresh(family: Family): boolean;
}

export interface PeerEvents {
  /** OpenConfirm -> Established. */
  onEstablished(session: Session): void;
  /**
   * A whole UPDATE in Established: `buffer[start, end)`, header included, valid only during the call. A thrown
   * NotificationError is answered and closes this session; any other error closes it with Cease/Out of Resources.
   */
  onUpdate(session: Session, buffer: Uint8Array, start: number, end: number): void;
  /** RFC 2918, 7313: subtype 0 = request, 1 = BoRR, 2 = EoRR. Only for negotiated families. */
  onRouteRefresh(session: Session, family: Family, subtype: 0 | 1 | 2): void;
  /** The send queue fell below the low-water mark after send had returned false. */
  onDrain(session: Session): void;
  /** An Established session ended, whatever the cause; the session must not be used after this. */
  onDown(session: Session, reason: DownReason): void;
  /** Any change of the FSM's state, for logs and watchers. */
  onStateChange(peer: Peer): void;
}
