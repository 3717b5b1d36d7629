// A message of BGP as lines of the log, in BIRD's words: what was sent, and what has come. Of a NOTIFICATION that has
// come, the end of the session tells.

import { HEADER_LENGTH } from '../../bgp/wire/header.ts';
import { ATTRIBUTE, FLAG, MESSAGE_TYPE } from '../../bgp/wire/iana.ts';
import { NotificationError } from '../../bgp/wire/notification.ts';
import { decodeOpen, openAs } from '../../bgp/wire/open.ts';
import { REFRESH_SUBTYPE } from '../../bgp/wire/route-refresh.ts';
import { readUint16 } from '../../lib/bytes.ts';
import { formatQuad } from '../../lib/ip.ts';
import type { Dialect } from '../../policy/lexer.ts';

const REFRESH_NAMES: Readonly<Record<number, string>> = {
  [REFRESH_SUBTYPE.request]: 'ROUTE-REFRESH',
  [REFRESH_SUBTYPE.begin]: 'BEGIN-OF-RR',
  [REFRESH_SUBTYPE.end]: 'END-OF-RR',
};
const REFRESH_SUBTYPE_AT = HEADER_LENGTH + 2;
/** Without withdrawn routes and attributes. */
const EMPTY_UPDATE = HEADER_LENGTH + 4;
/** Of MP_UNREACH_NLRI without prefixes: AFI and SAFI. */
const EMPTY_UNREACH = 3;

/** `message` is a whole one, header included. */
export function packetLines(message: Uint8Array, sent: boolean, dialect: Dialect): string[] {
  const verb = sent ? 'Sending' : 'Got';
  switch (message[HEADER_LENGTH - 1]) {
    case MESSAGE_TYPE.open:
      return [`${verb} OPEN(${openText(message, sent, dialect)})`];
    case MESSAGE_TYPE.update:
      if (!isEndOfRib(message)) return [`${verb} UPDATE`];
      return sent ? ['Sending END-OF-RIB'] : ['Got UPDATE', 'Got END-OF-RIB'];
    case MESSAGE_TYPE.notification:
      return sent
        ? [`Sending NOTIFICATION(code=${message[HEADER_LENGTH]}.${message[HEADER_LENGTH + 1]})`]
        : [];
    case MESSAGE_TYPE.keepalive:
      return [`${verb} KEEPALIVE`];
    case MESSAGE_TYPE.routeRefresh:
      return [`${verb} ${REFRESH_NAMES[message[REFRESH_SUBTYPE_AT] ?? 0] ?? 'ROUTE-REFRESH'}`];
    default:
      return [];
  }
}

function openText(message: Uint8Array, sent: boolean, dialect: Dialect): string {
  try {
    const open = decodeOpen(message, 0, message.length);
    const hex = open.id.toString(16).padStart(8, '0');
    const id = sent || dialect === '1.6' ? hex : formatQuad(open.id);
    return `${sent ? 'ver=4,' : ''}as=${openAs(open)},hold=${open.holdTime},id=${id}`;
  } catch (error) {
    if (!(error instanceof NotificationError)) throw error;
    return error.message;
  }
}

/** RFC 4724 §2 */
export function isEndOfRib(update: Uint8Array): boolean {
  if (update.length === EMPTY_UPDATE) return true;
  const head = (update[EMPTY_UPDATE]! & FLAG.extendedLength) === 0 ? 3 : 4;
  return (
    update.length === EMPTY_UPDATE + head + EMPTY_UNREACH &&
    readUint16(update, HEADER_LENGTH) === 0 &&
    update[EMPTY_UPDATE + 1] === ATTRIBUTE.mpUnreachNlri
  );
}
