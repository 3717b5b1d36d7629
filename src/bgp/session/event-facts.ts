// From what was received or thrown to an event of the state machine, and to the words for it.

import { errorText } from '../../lib/error-text.ts';
import { CEASE, ERROR, OPEN_ERROR } from '../wire/error-codes.ts';
import { NotificationError, type NotificationMessage } from '../wire/notification.ts';
import type { DownFacts } from './down-reason.ts';
import type { FsmEvent } from './fsm-events.ts';

/** What an event means for people, where its name alone does not say it. */
export type EventFacts = Pick<DownFacts, 'cause'> & Partial<DownFacts>;

export interface ExplainedEvent {
  readonly event: FsmEvent;
  readonly facts: EventFacts;
}

/** A received NOTIFICATION; "version error" of RFC 4271 §8.1.5 is 2/1. */
export function eventForNotification(received: NotificationMessage): ExplainedEvent {
  const version = received.code === ERROR.open && received.subcode === OPEN_ERROR.unsupportedVersion;
  return {
    event: { name: version ? 'NotifMsgVerErr' : 'NotifMsg' },
    facts: { cause: 'notification-received', received },
  };
}

/** Thrown while a message was handled: the peer's fault with its answer, or a defect on this side (Cease/8). */
export function eventForError(error: unknown): ExplainedEvent {
  if (!(error instanceof NotificationError)) {
    return {
      event: {
        name: 'AutomaticStop',
        notification: new NotificationError(ERROR.cease, CEASE.outOfResources),
      },
      facts: { cause: 'internal-error', detail: errorText(error) },
    };
  }
  const facts: EventFacts = { cause: 'notification-sent', detail: particulars(error) };
  switch (error.code) {
    case ERROR.messageHeader:
      return { event: { name: 'BGPHeaderErr', notification: error }, facts };
    case ERROR.open:
      return { event: { name: 'BGPOpenMsgErr', notification: error }, facts };
    case ERROR.cease:
      return {
        event: { name: 'AutomaticStop', notification: error },
        facts: { ...facts, cause: 'automatic-stop' },
      };
    default:
      return { event: { name: 'UpdateMsgErr', notification: error }, facts };
  }
}

/** What a NotificationError adds to the name of its code. */
function particulars(error: NotificationError): string | undefined {
  const at = error.message.indexOf(': ');
  return at < 0 ? undefined : error.message.slice(at + 2);
}

/** The facts of events that need no particulars. */
export function factsOf(event: FsmEvent): EventFacts {
  switch (event.name) {
    case 'ManualStop':
      return { cause: 'admin-stop' };
    case 'AutomaticStop':
      return { cause: 'automatic-stop' };
    case 'OpenCollisionDump':
      return { cause: 'collision' };
    case 'SendHoldTimer_Expires':
      return { cause: 'send-hold-timer' };
    case 'TcpConnectionFails':
      return { cause: 'connection-lost' };
    default:
      return { cause: 'fsm', detail: event.name };
  }
}
