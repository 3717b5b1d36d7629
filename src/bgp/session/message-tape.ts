// The last messages of a peer, in both directions, for the day one of them matters. What is kept without being asked
// for costs the way of an UPDATE nothing: OPENs, NOTIFICATIONs, ROUTE-REFRESHes, the first KEEPALIVE each way of a
// connection, and the message that a session died of. Everything is kept while somebody records: connection.ts looks
// once a read and once a write whether that is so. Messages are copied; the oldest go when 64 KiB are full.

import { readUint16 } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { HEADER_LENGTH } from '../wire/header.ts';
import { MESSAGE_TYPE } from '../wire/iana.ts';
import type { Initiator } from './collision.ts';
import type { Endpoint } from './transport.ts';

export interface TapedConnection {
  /** Counts from 1 for each peer. */
  readonly id: number;
  readonly initiator: Initiator;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface TapedMessage {
  /** Counts from 1. */
  readonly seq: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly sent: boolean;
  readonly connection: TapedConnection;
  /** One message, header included. */
  readonly octets: Uint8Array;
}

/** Plain data, for another process. */
export interface TapeImage {
  readonly messages: readonly TapedMessage[];
  readonly recording: boolean;
  /** How many messages and connections there have been. */
  readonly count: number;
  readonly connections: number;
}

const CAPACITY = 65_536;
/** What a kept message costs beside its octets. */
const OVERHEAD = 64;
const LENGTH_AT = 16;

export class MessageTape {
  readonly #clock: Clock;
  readonly #listeners = new Set<(message: TapedMessage) => void>();
  #messages: TapedMessage[] = [];
  #head = 0;
  #octets = 0;
  #connections = 0;
  #count = 0;
  #recording = false;
  /** Whether every message is wanted. */
  full = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is kept, oldest first. */
  get messages(): readonly TapedMessage[] {
    return this.#messages.slice(this.#head);
  }

  get recording(): boolean {
    return this.#recording;
  }

  get image(): TapeImage {
    const { messages, recording } = this;
    return { messages, recording, count: this.#count, connections: this.#connections };
  }

  /** Before the first connection: what another process has kept comes before what is to come. */
  restore({ messages, recording, count, connections }: TapeImage): void {
    this.#messages = [...messages];
    this.#octets = messages.reduce((sum, { octets }) => sum + octets.length + OVERHEAD, 0);
    this.#count = count;
    this.#connections = connections;
    this.record(recording);
  }

  /** Keeps every message, or no longer. */
  record(on: boolean): void {
    this.#recording = on;
    this.#decide();
  }

  /** Every message from now on, until the returned function is called. */
  follow(listener: (message: TapedMessage) => void): () => void {
    this.#listeners.add(listener);
    this.#decide();
    return () => {
      this.#listeners.delete(listener);
      this.#decide();
    };
  }

  /** A new connection of the peer. */
  connection(ends: () => Omit<TapedConnection, 'id'> | undefined): ConnectionTape {
    return new ConnectionTape(this, ++this.#connections, ends);
  }

  /** `octets` is kept as it is. */
  add(connection: TapedConnection, sent: boolean, octets: Uint8Array): void {
    const message: TapedMessage = {
      seq: ++this.#count,
      at: this.#clock.wallTime(),
      sent,
      connection,
      octets,
    };
    this.#messages.push(message);
    this.#octets += octets.length + OVERHEAD;
    while (this.#octets > CAPACITY && this.#messages.length - this.#head > 1) {
      this.#octets -= this.#messages[this.#head++]!.octets.length + OVERHEAD;
    }
    // The forgotten front is cut off when it is the larger half.
    if (this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    for (const listener of this.#listeners) listener(message);
  }

  #decide(): void {
    this.full = this.#recording || this.#listeners.size > 0;
  }
}

/** One connection's side of the tape. */
export class ConnectionTape {
  /** Counts from 1 for each peer; another process's number where its connection goes on here. */
  id: number;
  readonly #tape: MessageTape;
  readonly #ends: () => Omit<TapedConnection, 'id'> | undefined;
  #known: TapedConnection | undefined;
  /** KEEPALIVEs that were kept, received and sent. */
  readonly #alive = [false, false];

  constructor(tape: MessageTape, id: number, ends: () => Omit<TapedConnection, 'id'> | undefined) {
    this.#tape = tape;
    this.id = id;
    this.#ends = ends;
  }

  get full(): boolean {
    return this.#tape.full;
  }

  /** One message as it was received; `buffer` may change afterwards. */
  received(buffer: Uint8Array, start: number, end: number): void {
    this.#keep(false, buffer, start, end);
  }

  /** Whole messages as they are sent. */
  sent(chunk: Uint8Array): void {
    for (let at = 0; at + HEADER_LENGTH <= chunk.length; ) {
      const length = readUint16(chunk, at + LENGTH_AT);
      if (length < HEADER_LENGTH || at + length > chunk.length) return;
      this.#keep(true, chunk, at, at + length);
      at += length;
    }
  }

  #keep(sent: boolean, buffer: Uint8Array, start: number, end: number): void {
    if (!this.#tape.full && buffer[start + HEADER_LENGTH - 1] === MESSAGE_TYPE.keepalive) {
      if (this.#alive[Number(sent)] === true) return;
      this.#alive[Number(sent)] = true;
    }
    this.#known ??= this.#identify();
    if (this.#known !== undefined) this.#tape.add(this.#known, sent, buffer.slice(start, end));
  }

  #identify(): TapedConnection | undefined {
    const ends = this.#ends();
    return ends && { id: this.id, ...ends };
  }
}

/** Whether a chunk begins with something else than an UPDATE; chunks are of one kind. */
export function isNotable(chunk: Uint8Array | undefined): boolean {
  return chunk !== undefined && chunk[HEADER_LENGTH - 1] !== MESSAGE_TYPE.update;
}
