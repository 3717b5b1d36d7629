// The fixed header that every message starts with (RFC 4271 §4.1), its limits, and the message that is nothing
// else. Checking received headers is framing.ts's.

import { writeUint16 } from '../../lib/bytes.ts';
import { MESSAGE_TYPE } from './iana.ts';

export const MARKER_LENGTH = 16;
/** Marker, Length, Type. */
export const HEADER_LENGTH = 19;
/** RFC 4271 §4.1 */
export const MAX_MESSAGE_LENGTH = 4096;
/** RFC 8654 §4 */
export const MAX_EXTENDED_LENGTH = 65535;

/** Writes the header of the message that lies at `bytes[start, start + length)`. */
export function writeHeader(bytes: Uint8Array, start: number, length: number, type: number): void {
  // For every UPDATE that is sent: calling `fill` takes longer than this.
  for (let i = start; i < start + MARKER_LENGTH; i++) bytes[i] = 0xff;
  writeUint16(bytes, start + MARKER_LENGTH, length);
  bytes[start + HEADER_LENGTH - 1] = type;
}

/** RFC 4271 §4.4. A fresh copy each time, because senders keep what they are given. */
export function encodeKeepalive(): Uint8Array {
  const message = new Uint8Array(HEADER_LENGTH);
  writeHeader(message, 0, HEADER_LENGTH, MESSAGE_TYPE.keepalive);
  return message;
}
