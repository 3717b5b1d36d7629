// Which ends of a session a peer does not come back from until somebody starts it.

import { CEASE, ERROR } from '../wire/error-codes.ts';
import { hardResetInner } from '../wire/notification.ts';
import { type DownReason, refusesParameters } from './down-reason.ts';

export interface DisableAfter {
  /** Any NOTIFICATION but Cease, sent or received. */
  readonly error: boolean;
  /** Subcodes of received Ceases; `any`: all but that of a collision. */
  readonly cease: readonly number[] | 'any';
}

export function disables(wanted: DisableAfter | undefined, reason: DownReason): boolean {
  if (wanted === undefined) return false;
  switch (reason.cause) {
    case 'notification-received':
      return disablesReceived(wanted, reason);
    case 'notification-sent':
    case 'hold-timer':
    case 'send-hold-timer':
    case 'fsm':
      return wanted.error && reason.sent !== undefined;
    default:
      return false;
  }
}

function disablesReceived({ error, cease }: DisableAfter, reason: DownReason): boolean {
  const { received } = reason;
  const meant = received === undefined ? undefined : (hardResetInner(received) ?? received);
  // RFC 5492 §3: who refuses capabilities is tried without.
  if (meant?.code !== ERROR.cease) return error && !refusesParameters(reason);
  return cease === 'any' ? meant.subcode !== CEASE.collisionResolution : cease.includes(meant.subcode);
}
