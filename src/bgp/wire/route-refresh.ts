// ROUTE-REFRESH (RFC 2918 §3) and its subtypes (RFC 7313 §3.2). What a refresh does to the tables is the
// speaker's business; outbound route filters (RFC 5291) are not offered, so none may be there.

import { readUint16, writeUint16 } from '../../lib/bytes.ts';
import { ERROR, HEADER_ERROR, ROUTE_REFRESH_ERROR } from './error-codes.ts';
import { type Family, familyByAfiSafi } from './families.ts';
import { HEADER_LENGTH, MARKER_LENGTH, writeHeader } from './header.ts';
import { MESSAGE_TYPE } from './iana.ts';
import { NotificationError } from './notification.ts';
import type { SessionContext } from './session-context.ts';

/** RFC 7313 §3.2 */
export const REFRESH_SUBTYPE = { request: 0, begin: 1, end: 2 } as const;
export type RefreshSubtype = (typeof REFRESH_SUBTYPE)[keyof typeof REFRESH_SUBTYPE];

const BODY_LENGTH = 4;
const SUBTYPE_OFFSET = HEADER_LENGTH + 2;
const SAFI_OFFSET = HEADER_LENGTH + 3;

export type RouteRefresh =
  | { readonly family: Family; readonly subtype: RefreshSubtype }
  /** Not for this session: the reason, for the log. */
  | { readonly ignored: string };

/**
 * Reads a ROUTE-REFRESH that the framer has cut. Families that were not negotiated (RFC 2918 §4) and unknown
 * subtypes (RFC 7313 §5) come back as `ignored`. Throws NotificationError 7/1 or 1/2.
 */
export function decodeRouteRefresh(
  buffer: Uint8Array,
  start: number,
  end: number,
  context: SessionContext,
): RouteRefresh {
  const body = end - start - HEADER_LENGTH;
  // RFC 7313 §3.2: without the capability the octet is RFC 2918's reserved one, and ignored.
  const subtype = context.enhancedRouteRefresh && body > 2 ? buffer[start + SUBTYPE_OFFSET]! : 0;
  const marked = subtype === REFRESH_SUBTYPE.begin || subtype === REFRESH_SUBTYPE.end;
  // RFC 7313 §5: 7/1 with the whole message as data.
  if (marked && body !== BODY_LENGTH) {
    throw new NotificationError(
      ERROR.routeRefresh,
      ROUTE_REFRESH_ERROR.invalidLength,
      buffer.slice(start, end),
    );
  }
  // RFC 4271 §6.1: too short to name a family. A longer request may carry filters nobody asked for: ignored.
  if (body < BODY_LENGTH) {
    const length = buffer.slice(start + MARKER_LENGTH, start + MARKER_LENGTH + 2);
    throw new NotificationError(ERROR.messageHeader, HEADER_ERROR.badLength, length);
  }
  const afi = readUint16(buffer, start + HEADER_LENGTH);
  const safi = buffer[start + SAFI_OFFSET]!;
  if (subtype !== REFRESH_SUBTYPE.request && !marked) return { ignored: `subtype ${subtype}` };
  const family = familyByAfiSafi(afi, safi);
  if (family === undefined || !context.families.includes(family)) {
    return { ignored: `afi ${afi} safi ${safi} was not negotiated` };
  }
  return { family, subtype };
}

/** A whole ROUTE-REFRESH. */
export function encodeRouteRefresh(family: Family, subtype: RefreshSubtype = 0): Uint8Array {
  const message = new Uint8Array(HEADER_LENGTH + BODY_LENGTH);
  writeHeader(message, 0, message.length, MESSAGE_TYPE.routeRefresh);
  writeUint16(message, HEADER_LENGTH, family.afi);
  message[SUBTYPE_OFFSET] = subtype;
  message[SAFI_OFFSET] = family.safi;
  return message;
}
