// NOTIFICATION (RFC 4271 §4.5): the error that closes a session, thrown inside and sent outside; with the
// shutdown communication of RFC 9003 in both directions and the Hard Reset of RFC 8538. A received one is only
// ever reported, never answered (RFC 4271 §6.4), so decoding cannot fail.

import { readUint16 } from '../../lib/bytes.ts';
import { CEASE, describeNotification, ERROR } from './error-codes.ts';
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH, writeHeader } from './header.ts';
import { MESSAGE_TYPE } from './iana.ts';

export { describeNotification } from './error-codes.ts';

const NO_DATA = new Uint8Array(0);

/** RFC 9003 §2: the length octet's reach. */
const MAX_SHUTDOWN_TEXT = 255;

/** The peer's fault, with its answer: whoever catches it sends this NOTIFICATION and closes the session. */
export class NotificationError extends Error {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;

  constructor(code: number, subcode: number, data: Uint8Array = NO_DATA, detail?: string) {
    const name = describeNotification(code, subcode);
    super(detail === undefined ? name : `${name}: ${detail}`);
    this.name = 'NotificationError';
    this.code = code;
    this.subcode = subcode;
    this.data = data;
  }
}

export interface NotificationMessage {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

/** A whole NOTIFICATION. Data that 4096 octets cannot hold is cut (RFC 8654 §5). */
export function encodeNotification(code: number, subcode: number, data: Uint8Array = NO_DATA): Uint8Array {
  const room = MAX_MESSAGE_LENGTH - HEADER_LENGTH - 2;
  const kept = data.length > room ? data.subarray(0, room) : data;
  const message = new Uint8Array(HEADER_LENGTH + 2 + kept.length);
  writeHeader(message, 0, message.length, MESSAGE_TYPE.notification);
  message[HEADER_LENGTH] = code;
  message[HEADER_LENGTH + 1] = subcode;
  message.set(kept, HEADER_LENGTH + 2);
  return message;
}

/** Reads a NOTIFICATION that the framer has cut (so at least 21 octets long). */
export function decodeNotification(buffer: Uint8Array, start: number, end: number): NotificationMessage {
  return {
    code: buffer[start + HEADER_LENGTH] ?? 0,
    subcode: buffer[start + HEADER_LENGTH + 1] ?? 0,
    data: buffer.slice(Math.min(start + HEADER_LENGTH + 2, end), end),
  };
}

/** RFC 9003 §2: Cease/2 and Cease/4 data from a text; cut at a character's boundary to `limit` octets. */
export function encodeShutdownText(text: string, limit = MAX_SHUTDOWN_TEXT): Uint8Array {
  const encoder = new TextEncoder();
  const data = new Uint8Array(1 + Math.min(limit, MAX_SHUTDOWN_TEXT));
  const { written } = encoder.encodeInto(text, data.subarray(1));
  data[0] = written;
  return data.subarray(0, 1 + written);
}

export interface ShutdownText {
  /** The text, when it can be read. */
  readonly text: string | undefined;
  /** What is wrong with it (RFC 9003 §4: logged, never answered). */
  readonly problem: string | undefined;
}

/** RFC 9003 §2: reads the data of Cease/2 or Cease/4. No data is no text and no problem. */
export function decodeShutdownText(data: Uint8Array): ShutdownText {
  if (data.length === 0) return { text: undefined, problem: undefined };
  const length = data[0]!;
  if (length > data.length - 1) {
    return { text: undefined, problem: `length ${length} with ${data.length - 1} octets of text` };
  }
  if (length === 0) return { text: undefined, problem: undefined };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data.subarray(1, 1 + length));
    const trailing = data.length - 1 - length;
    return { text, problem: trailing === 0 ? undefined : `${trailing} octets after the text` };
  } catch {
    // RFC 9003 §4: logged, not interpreted.
    return { text: undefined, problem: 'not UTF-8' };
  }
}

/** RFC 8538 §3.1: the NOTIFICATION inside a Cease/Hard Reset; undefined where there is none. */
export function hardResetInner(message: NotificationMessage): NotificationMessage | undefined {
  if (message.code !== ERROR.cease || message.subcode !== CEASE.hardReset || message.data.length < 2)
    return undefined;
  const inner = readUint16(message.data, 0);
  return { code: inner >>> 8, subcode: inner & 0xff, data: message.data.subarray(2) };
}

/** RFC 8538 §3.1: the data of a Cease/Hard Reset. */
export function encodeHardReset(inner: NotificationMessage): Uint8Array {
  const data = new Uint8Array(2 + inner.data.length);
  data[0] = inner.code;
  data[1] = inner.subcode;
  data.set(inner.data, 2);
  return data;
}

/** One line for a person: the name, the inner error of a hard reset, and the shutdown text or what is wrong with it. */
export function formatNotification(message: NotificationMessage): string {
  const name = describeNotification(message.code, message.subcode);
  const inner = hardResetInner(message);
  if (inner !== undefined) return `${name} (${formatNotification(inner)})`;
  if (message.code !== ERROR.cease) return name;
  if (message.subcode !== CEASE.administrativeShutdown && message.subcode !== CEASE.administrativeReset)
    return name;
  const { text, problem } = decodeShutdownText(message.data);
  const said = text === undefined ? '' : `: "${sanitize(text)}"`;
  return problem === undefined ? `${name}${said}` : `${name}${said} (shutdown text: ${problem})`;
}

// Control characters of the peer's text could rewrite a terminal or forge a log line.
function sanitize(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}
