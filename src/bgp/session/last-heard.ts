// What is noted about a connection for the day it ends. UPDATEs leave no note of their own, so that they cost nothing:
// whether one came after the last other message shows in the counters.

import type { Clock } from '../../lib/clock.ts';
import { MESSAGE_TYPE } from '../wire/iana.ts';
import type { PathEvidence } from './causes.ts';
import type { Connection } from './connection.ts';
import type { MessageCounters } from './counters.ts';
import { type DownCause, type DownFacts, type DownReason, downReason } from './down-reason.ts';
import type { PeerOptions } from './options.ts';
import type { QueueFacts } from './queue-facts.ts';
import { isAuthenticated } from './transport.ts';

/** Ends that nobody announced: what was in the queues tells whose fault they are. */
export const SILENT: readonly DownCause[] = ['hold-timer', 'send-hold-timer'];
/** Ends that are explained by more than the session knows. */
const EVIDENCED: readonly DownCause[] = [...SILENT, 'connect-failed'];

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(MESSAGE_TYPE).map(([name, type]) => [
    type,
    name === 'routeRefresh' ? 'route-refresh' : name,
  ]),
);

export class LastHeard {
  readonly #clock: Clock;
  readonly #counters: MessageCounters;
  /** Type of the last message that was no UPDATE, and how many UPDATEs there were then. */
  #type = 0;
  #updates = 0;

  constructor(clock: Clock, counters: MessageCounters) {
    this.#clock = clock;
    this.#counters = counters;
  }

  /** Another connection: it has said nothing yet. */
  reset(): void {
    this.other(0);
  }

  /** A message that is no UPDATE of a session. */
  other(type: number): void {
    this.#type = type;
    this.#updates = this.#counters.received[MESSAGE_TYPE.update]!;
  }

  queues(connection: Connection | undefined): QueueFacts | undefined {
    if (connection === undefined) return undefined;
    const now = this.#clock.now();
    const updated = this.#counters.received[MESSAGE_TYPE.update]! > this.#updates;
    return {
      queuedBytes: connection.queuedBytes,
      paused: connection.paused,
      lastReceived: NAMES.get(updated ? MESSAGE_TYPE.update : this.#type),
      receivedAgoMs: now - connection.lastReceivedAt,
      sentAgoMs: now - connection.lastSentAt,
    };
  }
}

/** The reason with what others know of the way to the peer, where that explains it. */
export function explain(
  facts: DownFacts,
  options: PeerOptions,
  evidence: (() => PathEvidence) | undefined,
): DownReason {
  if (!EVIDENCED.includes(facts.cause)) return downReason(facts);
  const path = { signed: isAuthenticated(options), ttlSecurity: options.ttlSecurity !== undefined };
  return downReason({ ...facts, path, evidence: evidence?.() });
}
