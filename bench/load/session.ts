// Just enough BGP for a load: one active session that opens, stays alive, sends a prepared stream in big chunks and
// hands received UPDATEs to a sink. No policy, no tables, no error recovery: a session that goes down is the result of
// the measurement. RFC 4271 §4, RFC 5492, RFC 6793.

import { connect, type Socket } from 'node:net';
import { FAMILIES, type Family } from '../../src/bgp/wire/families.ts';
import type { Clock, Timer } from '../../src/lib/clock.ts';
import { HEADER_LENGTH, MESSAGE } from '../mrt/update-message.ts';

const WRITE_SIZE = 1 << 18;
const DEFAULT_CONNECT_RETRY_MS = 200;
const AS_TRANS = 23456;
const CAPABILITY = { multiprotocol: 1, routeRefresh: 2, as4: 65 } as const;
const OPTION_CAPABILITIES = 2;

export interface LoadSessionOptions {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly asn: number;
  /** BGP Identifier, unsigned. */
  readonly id: number;
  /** Seconds. */
  readonly holdTime: number;
  readonly families: readonly Family[];
  /** Between two attempts to connect. */
  readonly connectRetryMs?: number;
  /** Stops reading once it is Established, and goes on sending keepalives. */
  readonly stall?: boolean;
}

export interface LoadSessionEvents {
  onEstablished(): void;
  /** A whole UPDATE in `view[start, end)`, valid only during the call. */
  onUpdate(view: DataView, start: number, end: number): void;
  /** After the messages of one read. */
  onReadDone(octets: number): void;
  onDown(reason: string): void;
}

/** Reads of all sessions share one buffer: a read is consumed before the next one starts. */
export function sharedReadBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(1 << 18);
}

export class LoadSession {
  readonly #options: LoadSessionOptions;
  readonly #events: LoadSessionEvents;
  readonly #clock: Clock;
  readonly #readBuffer: Buffer;
  readonly #readView: DataView;
  #socket: Socket | undefined;
  #carry: Buffer = Buffer.alloc(0);
  #established = false;
  #closed = false;
  #keepalive: Timer | undefined;
  #outgoing: Uint8Array[] = [];
  #onSent: (() => void) | undefined;
  #heardAt = 0;
  #longestSilence = 0;
  /** OPEN of the peer, header included, once it came. */
  peerOpen: Uint8Array | undefined;

  constructor(options: LoadSessionOptions, events: LoadSessionEvents, clock: Clock, readBuffer: Buffer) {
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#readBuffer = readBuffer;
    this.#readView = new DataView(readBuffer.buffer, readBuffer.byteOffset, readBuffer.byteLength);
  }

  get established(): boolean {
    return this.#established;
  }

  /** Milliseconds: the longest that nothing came, from Established until now. */
  get longestSilence(): number {
    if (!this.#established || this.#closed) return this.#longestSilence;
    return Math.max(this.#longestSilence, this.#clock.now() - this.#heardAt);
  }

  /** Heard nothing for longer than the hold time: whoever keeps a hold timer would have ended the session. */
  get expired(): boolean {
    return this.#options.stall !== true && this.longestSilence > this.#options.holdTime * 1000;
  }

  /** Connects, and tries again while nobody listens. */
  start(): void {
    const { address, port, localAddress } = this.#options;
    const onread = {
      buffer: this.#readBuffer,
      callback: (octets: number): boolean => {
        this.#read(octets);
        // False stops reading for good: nobody starts it again.
        return !(this.#established && this.#options.stall === true);
      },
    };
    const socket = connect({ host: address, port, localAddress, noDelay: true, onread });
    this.#socket = socket;
    let problem = 'closed by the peer';
    socket.on('connect', () => socket.write(openMessage(this.#options)));
    socket.on('error', (error) => {
      problem = error.message;
    });
    socket.on('drain', () => this.#pump());
    socket.on('close', () => {
      if (this.#closed) return;
      // Before the OPEN a daemon may be starting, or closing a connection that it does not expect yet.
      if (!this.#established && this.peerOpen === undefined) {
        this.#carry = Buffer.alloc(0);
        this.#clock.setTimer(this.#options.connectRetryMs ?? DEFAULT_CONNECT_RETRY_MS, () => {
          if (!this.#closed) this.start();
        });
      } else this.#down(problem);
    });
  }

  /** Sends the messages in `stream`; calls back when the kernel has taken all of them. */
  send(stream: Uint8Array, onSent: () => void): void {
    for (let at = 0; at < stream.length; at += WRITE_SIZE) {
      this.#outgoing.push(stream.subarray(at, Math.min(stream.length, at + WRITE_SIZE)));
    }
    this.#onSent = onSent;
    this.#pump();
  }

  /** Sends Cease and closes; no event follows. */
  close(): void {
    this.#closed = true;
    this.#keepalive?.cancel();
    if (this.#established) this.#socket?.write(message(MESSAGE.notification, [6, 2]));
    this.#socket?.destroySoon();
  }

  /** Ends the connection without a word, as a process that dies; no event follows. */
  abort(): void {
    this.#closed = true;
    this.#keepalive?.cancel();
    this.#socket?.destroy();
  }

  #pump(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    while (this.#outgoing.length > 0) {
      if (!socket.write(this.#outgoing.shift()!)) return;
    }
    const onSent = this.#onSent;
    this.#onSent = undefined;
    onSent?.();
  }

  #down(reason: string): void {
    this.#closed = true;
    this.#keepalive?.cancel();
    this.#socket?.destroy();
    this.#events.onDown(reason);
  }

  #read(octets: number): void {
    const now = this.#clock.now();
    if (this.#established) this.#longestSilence = Math.max(this.#longestSilence, now - this.#heardAt);
    this.#heardAt = now;
    let start = 0;
    if (this.#carry.length > 0) start = this.#finishCarry(octets);
    if (start >= 0) {
      const rest = this.#cut(this.#readView, start, octets);
      this.#carry = rest === octets ? EMPTY : Buffer.from(this.#readBuffer.subarray(rest, octets));
    }
    this.#events.onReadDone(octets);
  }

  /** Completes the message that the last read left unfinished; -1 while it is still unfinished. */
  #finishCarry(octets: number): number {
    let carry = this.#carry;
    let start = 0;
    if (carry.length < HEADER_LENGTH) {
      start = Math.min(octets, HEADER_LENGTH - carry.length);
      carry = Buffer.concat([carry, this.#readBuffer.subarray(0, start)]);
    }
    const missing =
      carry.length < HEADER_LENGTH ? Number.POSITIVE_INFINITY : carry.readUInt16BE(16) - carry.length;
    const taken = Math.min(octets - start, missing);
    carry = Buffer.concat([carry, this.#readBuffer.subarray(start, start + taken)]);
    this.#carry = carry;
    if (taken < missing) return -1;
    this.#cut(new DataView(carry.buffer, carry.byteOffset, carry.length), 0, carry.length);
    return start + taken;
  }

  /** Handles every whole message; returns where the unfinished one starts. */
  #cut(view: DataView, from: number, to: number): number {
    let at = from;
    while (at + HEADER_LENGTH <= to) {
      const end = at + view.getUint16(at + 16);
      if (end > to) break;
      this.#message(view, at, end);
      at = end;
    }
    return at;
  }

  #message(view: DataView, start: number, end: number): void {
    switch (view.getUint8(start + 18)) {
      case MESSAGE.update:
        this.#events.onUpdate(view, start, end);
        break;
      case MESSAGE.open:
        this.peerOpen = new Uint8Array(view.buffer, view.byteOffset + start, end - start).slice();
        this.#socket?.write(message(MESSAGE.keepalive, []));
        break;
      case MESSAGE.keepalive:
        if (!this.#established) this.#becomeEstablished();
        break;
      case MESSAGE.notification:
        this.#down(`NOTIFICATION ${view.getUint8(start + 19)}/${view.getUint8(start + 20)} from the peer`);
        break;
      default:
        break;
    }
  }

  #becomeEstablished(): void {
    this.#established = true;
    const beat = (): void => {
      // Between two pieces of a stream it would stand in the middle of a message; UPDATEs do the same service.
      if (this.#outgoing.length === 0) this.#socket?.write(message(MESSAGE.keepalive, []));
      this.#keepalive = this.#clock.setTimer((this.#options.holdTime * 1000) / 3, beat);
    };
    this.#keepalive = this.#clock.setTimer((this.#options.holdTime * 1000) / 3, beat);
    this.#events.onEstablished();
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

export function message(type: number, body: readonly number[]): Buffer {
  const out = Buffer.alloc(HEADER_LENGTH + body.length, 0xff);
  out.writeUInt16BE(out.length, 16);
  out[18] = type;
  out.set(body, HEADER_LENGTH);
  return out;
}

function openMessage(options: LoadSessionOptions): Buffer {
  const { asn, holdTime, id } = options;
  const capabilities = [
    ...FAMILIES.filter((family) => options.families.includes(family)).flatMap((family) => [
      CAPABILITY.multiprotocol,
      4,
      family.afi >> 8,
      family.afi & 255,
      0,
      family.safi,
    ]),
    ...[CAPABILITY.routeRefresh, 0],
    ...[CAPABILITY.as4, 4, ...u32(asn)],
  ];
  const as2 = asn > 0xffff ? AS_TRANS : asn;
  return message(MESSAGE.open, [
    4, // version
    ...[as2 >> 8, as2 & 255],
    ...[holdTime >> 8, holdTime & 255],
    ...u32(id),
    capabilities.length + 2,
    OPTION_CAPABILITIES,
    capabilities.length,
    ...capabilities,
  ]);
}

export function u32(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
