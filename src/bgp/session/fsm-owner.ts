// What a peer provides to its state machines and hears from them. peer.ts implements it; connection-fsm.ts uses it.

import type { Clock, Random } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { OpenMessage } from '../wire/open.ts';
import type { SessionContext } from '../wire/session-context.ts';
import type { WaterMarks } from './connection.ts';
import type { ConnectionFsm } from './connection-fsm.ts';
import type { MessageCounters } from './counters.ts';
import type { DownFacts, DownReason } from './down-reason.ts';
import type { Session } from './events.ts';
import type { MessageTape } from './message-tape.ts';
import type { PeerOptions } from './options.ts';
import type { Transport } from './transport.ts';

/** What the peer provides to, and hears from, its state machines. */
export interface FsmOwner {
  readonly options: PeerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly log: Logger;
  readonly counters: MessageCounters;
  readonly waterMarks?: WaterMarks | undefined;
  readonly tape: MessageTape;
  /** What happened in words, with what is known of the way to the peer. */
  explain(facts: DownFacts): DownReason;
  /** Milliseconds until the next dial. */
  connectRetryMs(): number;
  localOpen(): OpenMessage;
  /** RFC 4271 §6.8, before an acceptable OPEN counts; false when this connection lost and was closed. */
  survivesCollision(fsm: ConnectionFsm, context: SessionContext): boolean;
  startIdleHoldTimer(): void;
  stateChanged(): void;
  /** A dial went unanswered; the next one is under way. */
  unanswered(reason: DownReason): void;
  makeSession(fsm: ConnectionFsm): Session;
  established(fsm: ConnectionFsm, session: Session): void;
  update(session: Session, buffer: Uint8Array, start: number, end: number): void;
  routeRefresh(session: Session, buffer: Uint8Array, start: number, end: number): void;
  drained(session: Session): void;
  /** The connection is over; `session` is set when it had been Established. */
  ended(fsm: ConnectionFsm, reason: DownReason, session: Session | undefined): void;
}
