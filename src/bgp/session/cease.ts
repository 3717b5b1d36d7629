// The Cease with which this side ends a session (RFC 4486), the text for people in it (RFC 9003), and which of them say
// that routes are not to be kept (RFC 8538).

import { CEASE, ERROR } from '../wire/error-codes.ts';
import { lastCapability } from '../wire/negotiate.ts';
import {
  encodeHardReset,
  encodeShutdownText,
  NotificationError,
  type NotificationMessage,
} from '../wire/notification.ts';
import type { OpenMessage } from '../wire/open.ts';

/** RFC 9003 §2: what peers that know only its predecessor can take; nothing announces more. */
const SAFE_SHUTDOWN_TEXT = 128;

/** What a Cease says (RFC 4486 §3). */
export interface CeaseOptions {
  /** 2, 3, 4, 6... of CEASE. */
  readonly subcode: number;
  /** RFC 9003 §2; travels with subcodes 2 and 4 only, and stands in the log in any case. */
  readonly text?: string | undefined;
  /** For subcodes that have data of their own (RFC 4486 §4: the prefix limit). */
  readonly data?: Uint8Array | undefined;
}

export function ceaseNotification({ subcode, text, data }: CeaseOptions): NotificationError {
  const carriesText = subcode === CEASE.administrativeShutdown || subcode === CEASE.administrativeReset;
  const said = text !== undefined && carriesText ? encodeShutdownText(text, SAFE_SHUTDOWN_TEXT) : data;
  return new NotificationError(ERROR.cease, subcode, said);
}

/** RFC 8538 §5.1: ends that are meant. A path that BFD has found dead must not be forwarded over either (RFC 9384). */
const HARD_CEASES: readonly number[] = [
  CEASE.maximumPrefixes,
  CEASE.administrativeShutdown,
  CEASE.peerDeconfigured,
  CEASE.bfdDown,
];

/** RFC 8538 §2: both sides have set the N bit, so a NOTIFICATION by itself is no reason to drop routes. */
export function keepsRoutesOverNotifications(
  local: OpenMessage | undefined,
  remote: OpenMessage | undefined,
): boolean {
  return [local, remote].every((open) => {
    return open !== undefined && lastCapability(open, 'graceful-restart')?.notification === true;
  });
}

/** RFC 8538 §3.1: what must end the peer's patience goes inside a Hard Reset. */
export function hardenedCease(notification: NotificationMessage): NotificationMessage {
  const { code, subcode } = notification;
  if (code !== ERROR.cease || !HARD_CEASES.includes(subcode)) return notification;
  return { code, subcode: CEASE.hardReset, data: encodeHardReset(notification) };
}
