// Why a session ended or an attempt failed: a code for programs and one sentence for people that carries both
// sides' view, what was sent and what was received, by the registry's names and with the shutdown text of RFC 9003.

import { CEASE, ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import { formatNotification, hardResetInner, type NotificationMessage } from '../wire/notification.ts';
import { type CauseCode, causeOf, evidenceText, type PathEvidence, type PathOptions } from './causes.ts';
import type { FsmState } from './fsm-events.ts';
import { type QueueFacts, queueText } from './queue-facts.ts';
import type { TransportError } from './transport.ts';

export type DownCause =
  /** The operator stopped the peer here, or took it out of the configuration. */
  | 'admin-stop'
  /** The operator, a changed configuration or another part of this speaker restarts the session. */
  | 'admin-reset'
  /** This speaker ended it: prefix limit, out of resources, BFD. */
  | 'automatic-stop'
  | 'hold-timer'
  | 'send-hold-timer'
  /** The peer broke the protocol and was told so. */
  | 'notification-sent'
  | 'notification-received'
  /** The other of two connections was kept. */
  | 'collision'
  /** The peer opened a new connection while graceful restart was agreed on (RFC 4724 §4.2). */
  | 'peer-restarted'
  /** TCP could not be established. */
  | 'connect-failed'
  /** TCP broke or was closed without a NOTIFICATION. */
  | 'connection-lost'
  /** The interface of a directly connected peer went down. */
  | 'link-down'
  /** Nobody answered, or an event came that the state machine does not expect. */
  | 'fsm'
  /** A defect or a lack of resources on this side. */
  | 'internal-error';

export interface DownReason {
  readonly cause: DownCause;
  /** Which of the causes of cause-table.ts. */
  readonly code: CauseCode;
  /** What a person can do about it. */
  readonly advice: string;
  /** One line, no full stop: `hold timer expired after 90 s without a message; sent Hold Timer Expired`. */
  readonly sentence: string;
  /** State in which it happened. */
  readonly state: FsmState;
  readonly sent: NotificationMessage | undefined;
  readonly received: NotificationMessage | undefined;
  /** The system's code of what broke: ECONNREFUSED. */
  readonly transport: string | undefined;
}

/** What happened, before it is put into words. */
export interface DownFacts {
  readonly cause: DownCause;
  readonly state: FsmState;
  readonly sent?: NotificationMessage | undefined;
  readonly received?: NotificationMessage | undefined;
  readonly transport?: TransportError | undefined;
  /** Particulars: the words of a decoder, of the operator, or a time. */
  readonly detail?: string | undefined;
  /** What the connection had in its queues. */
  readonly queues?: QueueFacts | undefined;
  readonly path?: PathOptions | undefined;
  readonly evidence?: PathEvidence | undefined;
}

const LEAD: Readonly<Record<DownCause, string>> = {
  'admin-stop': 'stopped here',
  'admin-reset': 'reset here',
  'automatic-stop': 'ended here',
  'hold-timer': 'hold timer expired',
  'send-hold-timer': 'send hold timer expired, the peer takes no data',
  'notification-sent': 'protocol error of the peer',
  'notification-received': 'ended by the peer',
  collision: 'connection collision, the other connection is kept',
  'peer-restarted': 'the peer restarted and opened a new connection',
  'connect-failed': 'cannot connect',
  'connection-lost': 'connection lost',
  'link-down': 'the link to the peer is down',
  fsm: 'unexpected event',
  'internal-error': 'error on this side',
};

export function downReason(facts: DownFacts): DownReason {
  const parts = [LEAD[facts.cause]];
  if (facts.detail !== undefined) parts[0] += ` (${facts.detail})`;
  if (facts.transport !== undefined) parts.push(describeTransport(facts.transport));
  if (facts.received !== undefined) parts.push(`received ${withNumbers(facts.received)}`);
  if (facts.sent !== undefined) parts.push(`sent ${withNumbers(facts.sent)}`);
  if (facts.cause === 'connection-lost' && facts.transport === undefined) {
    parts.push('the peer closed it without a NOTIFICATION');
  }
  parts.push(...particulars(facts), `in ${facts.state}`);
  const { code, advice } = causeOf(facts);
  return {
    cause: facts.cause,
    code,
    advice,
    sentence: parts.join('; '),
    state: facts.state,
    sent: facts.sent,
    received: facts.received,
    transport: facts.transport?.code,
  };
}

/** What the queues held matters where somebody was silent; the way to the peer there, and where nobody answered. */
function particulars({ cause, queues, transport, evidence = {} }: DownFacts): string[] {
  if (cause === 'hold-timer' || cause === 'send-hold-timer') {
    const heard = queues === undefined ? undefined : queueText(queues, evidence.loopLagMs);
    return [heard, evidenceText(evidence)].filter((text) => text !== undefined);
  }
  const silent = transport === undefined || transport.code === 'ETIMEDOUT';
  const text = cause === 'connect-failed' && silent ? evidenceText(evidence) : undefined;
  return text === undefined ? [] : [text];
}

function withNumbers(message: NotificationMessage): string {
  return `${formatNotification(message)} (${message.code}/${message.subcode})`;
}

/** What a person can do about the usual failures. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there, or a firewall rejects it',
  ETIMEDOUT: 'no answer: wrong address, a firewall, or a different TCP-MD5 password',
  EHOSTUNREACH: 'no such host on the link, or no route',
  ENETUNREACH: 'no route to the peer',
  EADDRNOTAVAIL: 'this machine does not have the configured local address',
  ECONNRESET: 'the peer reset the connection',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
};

function describeTransport(error: TransportError): string {
  const hint = HINTS[error.code];
  return hint === undefined ? error.message : `${error.code}, ${hint}`;
}

/** How a peer goes on after its connection has ended. */
export type Restart =
  /** Listen at once, dial after the connect delay. */
  | 'soon'
  /** The same, unless one short session follows the other. */
  | 'lost'
  /** Listen at once, dial after the ConnectRetryTime. */
  | 'retry'
  /** Listen at once, dial after the back-off: the peer asked for peace, or the network is broken. */
  | 'damped'
  /** Neither listen nor dial until the back-off is over: one of the two does not keep the protocol. */
  | 'idle';

const DAMPED_CEASES: readonly number[] = [
  CEASE.maximumPrefixes,
  CEASE.administrativeShutdown,
  CEASE.peerDeconfigured,
  CEASE.connectionRejected,
  CEASE.outOfResources,
];

/** RFC 4486 §4 for received Ceases, RFC 4271 §8.1.1 (DampPeerOscillations) for the rest. */
export function restartAfter(reason: DownReason): Restart {
  switch (reason.cause) {
    case 'admin-stop':
    case 'admin-reset':
    case 'peer-restarted':
    case 'collision':
      return 'soon';
    case 'connection-lost':
      return reason.state === 'Established' ? 'lost' : 'retry';
    case 'connect-failed':
    case 'link-down':
      return 'retry';
    case 'hold-timer':
    case 'send-hold-timer':
      return 'damped';
    case 'notification-received':
      return afterReceived(reason.received);
    case 'automatic-stop':
      return isBfdDown(reason.sent) ? 'damped' : 'idle';
    case 'notification-sent':
    case 'fsm':
    case 'internal-error':
      return 'idle';
  }
}

/** RFC 9384, also inside a Hard Reset. */
export function isBfdDown(message: NotificationMessage | undefined): boolean {
  const meant = message === undefined ? undefined : (hardResetInner(message) ?? message);
  return meant?.code === ERROR.cease && meant.subcode === CEASE.bfdDown;
}

function afterReceived(received: NotificationMessage | undefined): Restart {
  if (received === undefined) return 'idle';
  if (received.code === ERROR.holdTimer || received.code === ERROR.sendHoldTimer) return 'damped';
  if (received.code !== ERROR.cease) return 'idle';
  const inner = hardResetInner(received);
  if (inner !== undefined) return afterReceived(inner);
  return DAMPED_CEASES.includes(received.subcode) ? 'damped' : 'soon';
}

/** 2/4 received: the peer cannot bear the Capabilities parameter (RFC 5492 §3). */
export function refusesParameters({ received }: DownReason): boolean {
  return received?.code === ERROR.open && received.subcode === OPEN_ERROR.unsupportedParameter;
}
