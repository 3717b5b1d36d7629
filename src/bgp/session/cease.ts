// The Cease with which this side ends a session (RFC 4486), and the text for people in it (RFC 9003).

import { CEASE, ERROR } from '../wire/error-codes.ts';
import { encodeShutdownText, NotificationError } from '../wire/notification.ts';

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
