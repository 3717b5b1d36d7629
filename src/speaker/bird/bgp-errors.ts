// Why a session is not there, in the words that BIRD's users know: the cause as a class, and a text that tools and
// people look for.

import { type DownReason, isBfdDown } from '../../bgp/session/down-reason.ts';
import { CEASE, describeNotification, ERROR } from '../../bgp/wire/error-codes.ts';
import { hardResetInner, type NotificationMessage } from '../../bgp/wire/notification.ts';
import type { BgpError } from '../api/protocols.ts';

/** strerror(3) */
const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EPROTO: 'Protocol error',
  ETIMEDOUT: 'Connection timed out',
};

/** Undefined where nothing went wrong: the operator wanted it so. */
export function bgpError(reason: DownReason | undefined): BgpError | undefined {
  if (reason === undefined) return undefined;
  switch (reason.cause) {
    case 'admin-stop':
    case 'admin-reset':
    case 'collision':
      return undefined;
    case 'connect-failed':
      // Nobody has answered while an attempt lasts, which is no error for BIRD.
      return reason.transport === undefined
        ? undefined
        : { origin: 'socket', text: systemText(reason.transport) };
    case 'connection-lost':
      return { origin: 'socket', text: systemText(reason.transport) };
    case 'notification-received':
      return { origin: 'received', text: notificationText(reason.received) };
    case 'automatic-stop':
      return automatic(reason.sent);
    case 'peer-restarted':
      return { origin: 'here', text: 'Graceful restart' };
    case 'link-down':
      return { origin: 'here', text: 'Link down' };
    case 'internal-error':
      return { origin: 'here', text: 'Internal error' };
    case 'hold-timer':
    case 'send-hold-timer':
    case 'notification-sent':
    case 'fsm':
      return { origin: 'sent', text: notificationText(reason.sent) };
  }
}

function systemText(code: string | undefined): string {
  return code === undefined ? 'Connection closed' : (SYSTEM_TEXTS[code] ?? code);
}

/** What a limit of routes ends a session with: one of the peer's routes, and one of what it is sent. */
const LIMIT_CEASES: readonly number[] = [
  CEASE.maximumPrefixes,
  CEASE.administrativeReset,
  CEASE.administrativeShutdown,
];

function automatic(message: NotificationMessage | undefined): BgpError {
  const sent = message === undefined ? undefined : (hardResetInner(message) ?? message);
  if (sent?.code === ERROR.cease && LIMIT_CEASES.includes(sent.subcode)) {
    return { origin: 'automatic', text: 'Route limit exceeded' };
  }
  if (isBfdDown(sent)) {
    return { origin: 'here', text: 'BFD session down' };
  }
  return { origin: 'automatic', text: notificationText(sent) };
}

/** The registry's name as a sentence: `Maximum number of prefixes reached`. */
export function notificationText(message: NotificationMessage | undefined): string {
  if (message === undefined) return 'Unknown error';
  const { code, subcode } = message;
  if (code === ERROR.cease && subcode === CEASE.outOfResources) return 'Out of Resources';
  const name = describeNotification(code, subcode);
  if (/^Unknown Error|\/subcode /.test(name)) return `Unknown error ${code}.${subcode}`;
  const words = name.slice(name.indexOf('/') + 1).split(' ');
  return words
    .map((word, at) => (at === 0 || !/^[A-Z][a-z-]+/.test(word) ? word : word.toLowerCase()))
    .join(' ');
}
