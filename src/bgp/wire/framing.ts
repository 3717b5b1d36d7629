// From received octets to whole messages: header checks and cutting (RFC 4271 §4.1, §6.1; RFC 8654 §4-5). A
// message that lies whole in the chunk is passed on where it is; only one that a chunk's end cuts is copied.
// What the body holds is the codecs' business.

import { readUint16 } from '../../lib/bytes.ts';
import { ERROR, HEADER_ERROR } from './error-codes.ts';
import { HEADER_LENGTH, MARKER_LENGTH, MAX_EXTENDED_LENGTH, MAX_MESSAGE_LENGTH } from './header.ts';
import { NotificationError } from './notification.ts';

interface MessageLengths {
  readonly min: number;
  readonly max: number;
}

/**
 * RFC 4271 §6.1: the lengths a type may have. OPEN and KEEPALIVE stay within 4096 in any case (RFC 8654 §4).
 * The length of a ROUTE-REFRESH is route-refresh.ts's to judge, because RFC 7313 §5 has an error of its own for it.
 */
const MESSAGE_LENGTHS: readonly (MessageLengths | undefined)[] = [
  undefined,
  { min: 29, max: MAX_MESSAGE_LENGTH },
  { min: 23, max: MAX_EXTENDED_LENGTH },
  { min: 21, max: MAX_EXTENDED_LENGTH },
  { min: HEADER_LENGTH, max: HEADER_LENGTH },
  { min: HEADER_LENGTH, max: MAX_EXTENDED_LENGTH },
];

/** Gets `buffer[start, end)`, header included, valid only during the call; false = take no more messages. */
export type OnMessage = (buffer: Uint8Array, start: number, end: number, type: number) => boolean;

/** Cuts one connection's byte stream. The result is the same however the stream is split into chunks. */
export class Framer {
  #limit: number;
  /** Octets of a message whose end has not come yet; grows to that message's length. */
  #carry = new Uint8Array(0);
  #carried = 0;
  #stopped = false;

  /** `receiveLimit`: 4096, or 65535 once extended messages are agreed (RFC 8654). */
  constructor(receiveLimit: number = MAX_MESSAGE_LENGTH) {
    this.#limit = receiveLimit;
  }

  /** May be called from within onMessage; holds from the next message on. */
  setLimit(receiveLimit: number): void {
    this.#limit = receiveLimit;
  }

  /** Octets that wait for the rest of their message. */
  get pending(): number {
    return this.#carried;
  }

  /** A copy of them, to be pushed into another framer. */
  get carried(): Uint8Array {
    return this.#carry.slice(0, this.#carried);
  }

  /**
   * Takes `chunk[0, length)` and calls back once per whole message in it. Once onMessage has returned false, or a
   * NotificationError was thrown (RFC 4271 §6.1: 1/1, 1/2, 1/3), the stream is at its end: later octets are ignored.
   */
  push(chunk: Uint8Array, length: number, onMessage: OnMessage): void {
    let position = 0;
    if (this.#stopped) return;
    if (this.#carried > 0) {
      position = this.#complete(chunk, length, onMessage);
      if (this.#stopped || this.#carried > 0) return;
    }
    while (length - position >= HEADER_LENGTH) {
      const size = this.#check(chunk, position, length - position);
      if (length - position < size) break;
      const type = chunk[position + HEADER_LENGTH - 1]!;
      if (!onMessage(chunk, position, position + size, type)) {
        this.#stopped = true;
        return;
      }
      position += size;
    }
    if (position < length) {
      // A bad header is answered as soon as it is whole, and a bad marker as soon as it shows.
      if (length - position < HEADER_LENGTH) this.#check(chunk, position, length - position);
      this.#keep(chunk, position, length);
    }
  }

  /** Feeds the carried message; returns how many octets of the chunk it took. */
  #complete(chunk: Uint8Array, length: number, onMessage: OnMessage): number {
    let position = 0;
    if (this.#carried < HEADER_LENGTH) {
      position = Math.min(HEADER_LENGTH - this.#carried, length);
      this.#keep(chunk, 0, position);
    }
    const size = this.#check(this.#carry, 0, this.#carried);
    if (this.#carried < HEADER_LENGTH) return position;
    const take = Math.min(size - this.#carried, length - position);
    this.#keep(chunk, position, position + take, size);
    position += take;
    if (this.#carried < size) return position;
    this.#carried = 0;
    const type = this.#carry[HEADER_LENGTH - 1]!;
    const carry = this.#carry;
    if (!onMessage(carry, 0, size, type)) this.#stopped = true;
    // Most messages are small: one that was not leaves no 64 KB behind for a session's whole life.
    if (carry.length > MAX_MESSAGE_LENGTH && this.#carry === carry) this.#carry = new Uint8Array(0);
    return position;
  }

  #keep(chunk: Uint8Array, from: number, to: number, capacity = 0): void {
    const needed = Math.max(this.#carried + to - from, capacity, HEADER_LENGTH);
    if (needed > this.#carry.length) {
      const larger = new Uint8Array(needed);
      larger.set(this.#carry.subarray(0, this.#carried));
      this.#carry = larger;
    }
    this.#carry.set(chunk.subarray(from, to), this.#carried);
    this.#carried += to - from;
  }

  /** Checks as much of the header as is there; returns the message's length once the header is whole, else 0. */
  #check(buffer: Uint8Array, start: number, available: number): number {
    // RFC 4271 §6.1: the marker is all ones, else 1/1.
    const marker = Math.min(available, MARKER_LENGTH);
    for (let i = 0; i < marker; i++) {
      if (buffer[start + i] !== 0xff) this.#fail(HEADER_ERROR.unsynchronized, new Uint8Array(0));
    }
    if (available < HEADER_LENGTH) return 0;
    const size = readUint16(buffer, start + MARKER_LENGTH);
    const type = buffer[start + HEADER_LENGTH - 1]!;
    // RFC 4271 §6.1: under 19 or over the limit is 1/2 whatever the type; RFC 8654 §5: so is over 4096 where the
    // capability was not advertised.
    if (size < HEADER_LENGTH || size > this.#limit) this.#badLength(buffer, start);
    const lengths = MESSAGE_LENGTHS[type];
    if (lengths === undefined) this.#fail(HEADER_ERROR.badType, Uint8Array.of(type));
    if (size < lengths.min || size > lengths.max) this.#badLength(buffer, start);
    return size;
  }

  #badLength(buffer: Uint8Array, start: number): never {
    this.#fail(HEADER_ERROR.badLength, buffer.slice(start + MARKER_LENGTH, start + MARKER_LENGTH + 2));
  }

  #fail(subcode: number, data: Uint8Array): never {
    this.#stopped = true;
    throw new NotificationError(ERROR.messageHeader, subcode, data);
  }
}
