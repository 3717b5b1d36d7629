// Netlink framing, pure: message headers, attributes, requests for dumps, errors with their extended ACK. What is
// inside a route, link or address message is its own codec's.

import { viewOf } from '../../lib/bytes.ts';
import {
  AF,
  ATTRIBUTE_HEADER_BYTES,
  ATTRIBUTE_TYPE_MASK,
  HOST_IS_LITTLE_ENDIAN,
  IFADDRMSG_BYTES,
  IFINFOMSG_BYTES,
  NHMSG_BYTES,
  NLM_F,
  NLMSG_HEADER_BYTES,
  NLMSGERR_ATTR,
  NLMSGERR_ERROR_BYTES,
  RTM,
  RTMSG_BYTES,
} from './constants.ts';

const LE = HOST_IS_LITTLE_ENDIAN;
const ALIGNMENT = 4;

/** Netlink pads messages and attributes to four octets. */
export function align(length: number): number {
  return (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/** One message inside a received buffer. `start` is its header's offset, `end` the end of its payload. */
export interface NetlinkMessage {
  type: number;
  flags: number;
  seq: number;
  pid: number;
  start: number;
  end: number;
}

/** Calls back for every whole message of `view[0, length)`; the message object is reused. */
export function forEachMessage(
  view: DataView,
  length: number,
  visit: (message: NetlinkMessage) => void,
): void {
  const message: NetlinkMessage = { type: 0, flags: 0, seq: 0, pid: 0, start: 0, end: 0 };
  for (let at = 0; at + NLMSG_HEADER_BYTES <= length; ) {
    const size = view.getUint32(at, LE);
    if (size < NLMSG_HEADER_BYTES || at + size > length) return;
    message.type = view.getUint16(at + 4, LE);
    message.flags = view.getUint16(at + 6, LE);
    message.seq = view.getUint32(at + 8, LE);
    message.pid = view.getUint32(at + 12, LE);
    message.start = at;
    message.end = at + size;
    visit(message);
    at += align(size);
  }
}

/** Calls back for every attribute of `view[start, end)` with its value's offset and length. */
export function forEachAttribute(
  view: DataView,
  start: number,
  end: number,
  visit: (type: number, at: number, length: number) => void,
): void {
  for (let at = start; at + ATTRIBUTE_HEADER_BYTES <= end; ) {
    const size = view.getUint16(at, LE);
    if (size < ATTRIBUTE_HEADER_BYTES || at + size > end) return;
    const type = view.getUint16(at + 2, LE) & ATTRIBUTE_TYPE_MASK;
    visit(type, at + ATTRIBUTE_HEADER_BYTES, size - ATTRIBUTE_HEADER_BYTES);
    at += align(size);
  }
}

export function writeHeader(
  view: DataView,
  at: number,
  size: number,
  type: number,
  flags: number,
  seq: number,
): void {
  view.setUint32(at, size, LE);
  view.setUint16(at + 4, type, LE);
  view.setUint16(at + 6, flags, LE);
  view.setUint32(at + 8, seq, LE);
  view.setUint32(at + 12, 0, LE);
}

/** Appends attributes to a growing buffer; for everything that is not built once per route. */
export class AttributeWriter {
  #bytes = new Uint8Array(256);
  #view = viewOf(this.#bytes);
  #length = 0;

  uint32(type: number, value: number): void {
    const at = this.#open(type, 4);
    this.#view.setUint32(at, value, LE);
  }

  octets(type: number, ...parts: readonly Uint8Array[]): void {
    let at = this.#open(
      type,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    for (const part of parts) {
      this.#bytes.set(part, at);
      at += part.length;
    }
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #open(type: number, length: number): number {
    const start = this.#length;
    this.#length = start + align(ATTRIBUTE_HEADER_BYTES + length);
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = viewOf(grown);
    }
    this.#view.setUint16(start, ATTRIBUTE_HEADER_BYTES + length, LE);
    this.#view.setUint16(start + 2, type, LE);
    return start + ATTRIBUTE_HEADER_BYTES;
  }
}

const DUMP_REQUESTS = {
  routes: { type: RTM.getRoute, bodyBytes: RTMSG_BYTES },
  links: { type: RTM.getLink, bodyBytes: IFINFOMSG_BYTES },
  addresses: { type: RTM.getAddress, bodyBytes: IFADDRMSG_BYTES },
  nextHops: { type: RTM.getNextHop, bodyBytes: NHMSG_BYTES },
} as const;

/** A request for everything of one kind; `addressBytes` 0 means all families. */
export function encodeDumpRequest(
  kind: keyof typeof DUMP_REQUESTS,
  addressBytes: 0 | 4 | 16,
  seq: number,
): Uint8Array {
  const { type, bodyBytes } = DUMP_REQUESTS[kind];
  const bytes = new Uint8Array(NLMSG_HEADER_BYTES + bodyBytes);
  writeHeader(viewOf(bytes), 0, bytes.length, type, NLM_F.request | NLM_F.dump, seq);
  // The family is the first octet of rtmsg, ifinfomsg, ifaddrmsg and nhmsg alike.
  bytes[NLMSG_HEADER_BYTES] = addressBytes === 0 ? 0 : addressFamily(addressBytes);
  return bytes;
}

export function addressFamily(addressBytes: 4 | 16): number {
  return addressBytes === 4 ? AF.inet : AF.inet6;
}

export interface NetlinkAnswer {
  /** 0 = acknowledged, else a positive errno. */
  readonly errno: number;
  /** The kernel's explanation, where extended ACKs are on and it gave one. */
  readonly text: string | undefined;
}

/** NLMSG_ERROR, which is also the positive acknowledgement, and NLMSG_DONE of a dump that failed. */
export function decodeAnswer(bytes: Uint8Array, view: DataView, message: NetlinkMessage): NetlinkAnswer {
  const at = message.start + NLMSG_HEADER_BYTES;
  if (at + NLMSGERR_ERROR_BYTES > message.end) return { errno: 0, text: undefined };
  const errno = Math.abs(view.getInt32(at, LE));
  let text: string | undefined;
  if (message.flags & NLM_F.ackAttributes) {
    forEachAttribute(view, attributesOfAnswer(view, message), message.end, (type, offset, length) => {
      if (type === NLMSGERR_ATTR.message) {
        text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, Math.max(0, length - 1)).toString('utf8');
      }
    });
  }
  return { errno, text };
}

/** Attributes follow the error number (NLMSG_DONE), and in NLMSG_ERROR the header of the request, with or without
 *  the rest of it. */
function attributesOfAnswer(view: DataView, message: NetlinkMessage): number {
  const at = message.start + NLMSG_HEADER_BYTES + NLMSGERR_ERROR_BYTES;
  const isError = message.type === 2;
  if (!isError) return at;
  if (message.flags & NLM_F.capped) return at + NLMSG_HEADER_BYTES;
  // Nothing there can be told apart where the request claims more than there is.
  const request = at + NLMSG_HEADER_BYTES > message.end ? message.end : view.getUint32(at, LE);
  return request > message.end - at ? message.end : at + align(request);
}
