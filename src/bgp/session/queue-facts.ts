// What a connection held when it ended: enough to tell a silent peer from a peer that does not read, and both from a
// process that was too busy to listen.

/** Times in milliseconds before the end. */
export interface QueueFacts {
  /** Octets that waited for the peer to take them. */
  readonly queuedBytes: number;
  /** This side had stopped reading. */
  readonly paused: boolean;
  /** Name of the last message that came, as in MESSAGE_TYPE; undefined where none did. */
  readonly lastReceived: string | undefined;
  readonly receivedAgoMs: number;
  readonly sentAgoMs: number;
}

const MS_PER_SECOND = 1000;
/** Below this a busy loop explains nothing. */
const NOTABLE_LAG_MS = 100;

/** `last heard keepalive 90.1 s ago, last sent 12.0 s ago, 0 octets queued`. */
export function queueText(facts: QueueFacts, loopLagMs = 0): string {
  const { queuedBytes, paused, lastReceived, receivedAgoMs, sentAgoMs } = facts;
  const heard =
    lastReceived === undefined ? 'heard nothing' : `last heard ${lastReceived} ${ago(receivedAgoMs)}`;
  const parts = [heard, `last sent ${ago(sentAgoMs)}`, `${queuedBytes} octets queued`];
  if (paused) parts.push('reading was paused here');
  if (loopLagMs >= NOTABLE_LAG_MS)
    parts.push(`this process was busy for up to ${ago(loopLagMs, 'at a time')}`);
  return parts.join(', ');
}

function ago(ms: number, suffix = 'ago'): string {
  return `${(ms / MS_PER_SECOND).toFixed(1)} s ${suffix}`;
}
