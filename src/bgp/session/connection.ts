// One TCP connection of a peer: octets in, cut to messages; chunks of messages out, in a queue with water marks.
// It knows when the peer takes no data any more (RFC 9687) and how to say goodbye. What a message means is not
// its business: connection-fsm.ts decides.

import type { Clock, Timer } from '../../lib/clock.ts';
import { Framer, type OnMessage } from '../wire/framing.ts';
import { MESSAGE_TYPE } from '../wire/iana.ts';
import type { Initiator } from './collision.ts';
import type { MessageCounters } from './counters.ts';
import { type ConnectionImage, joinUnsent } from './handover.ts';
import { type ConnectionTape, isNotable, type MessageTape, type TapedConnection } from './message-tape.ts';
import type { ConnectOptions, Transport, TransportError, TransportSocket } from './transport.ts';

/** send() says stop above `high` octets in the queue, onDrain says go on at `low`. */
export interface WaterMarks {
  readonly high: number;
  readonly low: number;
}

const WATER_MARKS: WaterMarks = { high: 1024 * 1024, low: 256 * 1024 };
/** One writev at most: large enough for the kernel's pace, small enough to see progress (RFC 9687). */
const WRITE_BYTES = 256 * 1024;
/** Below the kernel's IOV_MAX of 1024. */
const WRITE_CHUNKS = 512;
/** How long a closed connection may take to get rid of its NOTIFICATION and to see the peer's FIN. */
const LINGER_MS = 5000;

export interface ConnectionHandlers {
  onConnect(): void;
  /** As the framer's: false = take no more messages. */
  readonly onMessage: OnMessage;
  /** Thrown by the framer, onConnect, onMessage or onDrain: a NotificationError, or a defect. */
  onError(error: unknown): void;
  onDrain(): void;
  /** TCP is gone, by the peer's FIN (no error) or by a failure; not called after close(). */
  onLost(error: TransportError | undefined): void;
  /** Nothing could be written for the send hold time. */
  onSendStalled(): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly counters: MessageCounters;
  readonly handlers: ConnectionHandlers;
  readonly initiator: Initiator;
  /** Where messages are kept. */
  readonly tape: MessageTape;
  /** 0 = off. */
  readonly sendHoldMs: number;
  /** Others than the usual ones. */
  readonly waterMarks?: WaterMarks | undefined;
}

type Phase = 'opening' | 'open' | 'closing' | 'closed';

export class Connection {
  readonly initiator: Initiator;
  /** Clock.now() when it was dialled or accepted. */
  readonly begunAt: number;
  /** Clock.now() when the last whole message arrived, or the last message was queued. */
  lastReceivedAt: number;
  lastSentAt: number;
  readonly #clock: Clock;
  readonly #counters: MessageCounters;
  readonly #handlers: ConnectionHandlers;
  readonly #tape: ConnectionTape;
  readonly #framer = new Framer();
  readonly #sendHoldMs: number;
  readonly #marks: WaterMarks;
  #socket: TransportSocket | undefined;
  #phase: Phase = 'opening';
  #queue: Uint8Array[] = [];
  #head = 0;
  #queuedBytes = 0;
  /** Octets of the write under way; 0 = none. */
  #writing = 0;
  #batch: readonly Uint8Array[] = [];
  #progressAt = 0;
  #stallTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #congested = false;
  #paused = false;

  constructor(options: ConnectionOptions) {
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#handlers = options.handlers;
    this.#tape = options.tape.connection(() => this.#ends());
    this.initiator = options.initiator;
    this.#sendHoldMs = options.sendHoldMs;
    this.#marks = options.waterMarks ?? WATER_MARKS;
    this.begunAt = options.clock.now();
    this.lastReceivedAt = this.begunAt;
    this.lastSentAt = this.begunAt;
  }

  /** Opens it from this side; onConnect or onLost follows. */
  dial(transport: Transport, options: ConnectOptions): void {
    this.#socket = transport.connect(options, this.#socketHandlers());
  }

  /** Takes over an accepted socket and starts reading. */
  adopt(socket: TransportSocket): void {
    this.#socket = socket;
    this.#phase = 'open';
    socket.attach(this.#socketHandlers());
  }

  /** Goes on with another process's connection; reads nothing before resumeReading. */
  takeOver(socket: TransportSocket, { received, unsent, sentAt, tapeId }: ConnectionImage): void {
    this.#socket = socket;
    this.#tape.id = tapeId ?? this.#tape.id;
    this.lastSentAt -= Math.max(0, this.#clock.wallTime() - sentAt);
    this.#phase = 'open';
    socket.attach(this.#socketHandlers());
    this.pauseReading();
    // No more than the beginning of a message.
    this.#framer.push(received, received.length, () => true);
    if (unsent.length === 0) return;
    this.#queue.push(unsent);
    this.#queuedBytes = unsent.length;
    this.#congested = unsent.length > this.#marks.high;
    this.#write();
  }

  /** For another process to go on with; undefined where it is not open, or its transport cannot. */
  handOver(): ConnectionImage | undefined {
    const socket = this.#phase === 'open' ? this.#socket : undefined;
    const handed = socket?.handOver?.();
    if (socket === undefined || handed === undefined) return undefined;
    const { local, remote } = socket;
    const writing = this.#writing === 0 ? [] : this.#batch;
    const unsent = joinUnsent(writing, Math.min(handed.unsent, this.#writing), this.#queue.slice(this.#head));
    return {
      descriptor: handed.descriptor,
      local,
      remote,
      initiator: this.initiator,
      sentAt: this.#clock.wallTime() - (this.#clock.now() - this.lastSentAt),
      received: this.#framer.carried,
      unsent,
      tapeId: this.#tape.id,
    };
  }

  get socket(): TransportSocket | undefined {
    return this.#socket;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get congested(): boolean {
    return this.#congested;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** RFC 8654: both OPENs had the capability. */
  setReceiveLimit(limit: number): void {
    this.#framer.setLimit(limit);
  }

  /** Queues whole messages, as they are; false above the high-water mark. */
  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#phase !== 'open') return false;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
      this.#counters.countSent(chunk);
    }
    if (this.#tape.full || isNotable(chunks[0])) for (const chunk of chunks) this.#tape.sent(chunk);
    this.lastSentAt = this.#clock.now();
    if (this.#writing === 0) this.#write();
    if (this.#queuedBytes > this.#marks.high) this.#congested = true;
    return !this.#congested;
  }

  pauseReading(): void {
    if (this.#paused || this.#phase !== 'open') return;
    this.#paused = true;
    this.#socket?.pause();
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // What came meanwhile waits in the kernel: silence counts from now on.
    this.lastReceivedAt = this.#clock.now();
    this.#socket?.resume();
  }

  /**
   * Says `last` (a NOTIFICATION) if it is given, sends FIN and closes. Messages that wait are not sent; the write
   * under way is finished, because the peer counts on whole messages. Bounded in time; no handler is called again.
   */
  close(last?: Uint8Array): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    const wasOpen = this.#phase === 'open';
    this.#phase = 'closing';
    this.#stallTimer?.cancel();
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = this.#writing;
    if (!wasOpen) {
      this.#destroy();
      return;
    }
    if (last !== undefined) {
      this.#queue.push(last);
      this.#queuedBytes += last.length;
      this.#counters.countSent(last);
      this.#tape.sent(last);
    }
    this.#lingerTimer = this.#clock.setTimer(LINGER_MS, () => this.#destroy());
    // Unread octets at close would turn our FIN into a RST that eats the NOTIFICATION on its way.
    if (this.#paused) this.#socket?.resume();
    if (this.#writing === 0) this.#write();
  }

  #socketHandlers() {
    return {
      onConnect: () => {
        if (this.#phase !== 'opening') return;
        this.#phase = 'open';
        this.#guarded(() => this.#handlers.onConnect());
      },
      onData: (buffer: Uint8Array, length: number) => this.#read(buffer, length),
      onEnd: () => {
        if (this.#phase === 'open') this.#lose(undefined);
        // The peer has seen our FIN or closes on its own: nothing is left to wait for.
        else if (this.#writing === 0) this.#destroy();
      },
      onClose: (error: TransportError | undefined) => this.#lose(error),
    };
  }

  #lose(error: TransportError | undefined): void {
    const report = this.#phase === 'open' || this.#phase === 'opening';
    this.#destroy();
    if (report) this.#handlers.onLost(error);
  }

  #destroy(): void {
    this.#phase = 'closed';
    this.#stallTimer?.cancel();
    this.#lingerTimer?.cancel();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#socket?.destroy();
  }

  #read(buffer: Uint8Array, length: number): void {
    // After close() the peer's octets are read and dropped.
    if (this.#phase !== 'open') return;
    this.#counters.receivedBytes += length;
    const received = this.#counters.received;
    const now = this.#clock.now();
    const deliver: OnMessage = (bytes, start, end, type) => {
      this.lastReceivedAt = now;
      received[type]!++;
      try {
        return this.#handlers.onMessage(bytes, start, end, type) && this.#phase === 'open';
      } catch (error) {
        // What a session dies of is worth a look.
        if (type === MESSAGE_TYPE.update) this.keep(bytes, start, end);
        throw error;
      }
    };
    try {
      // Looked at once a read, so that a message pays nothing for a tape that does not run.
      this.#framer.push(buffer, length, this.#tape.full ? this.#taped(deliver) : deliver);
    } catch (error) {
      this.#handlers.onError(error);
    }
  }

  /** Keeps a message that was received, unless everything is kept anyway. */
  keep(buffer: Uint8Array, start: number, end: number): void {
    if (!this.#tape.full) this.#tape.received(buffer, start, end);
  }

  #ends(): Omit<TapedConnection, 'id'> | undefined {
    const socket = this.#socket;
    return socket && { initiator: this.initiator, local: socket.local, remote: socket.remote };
  }

  #taped(deliver: OnMessage): OnMessage {
    return (bytes, start, end, type) => {
      this.#tape.received(bytes, start, end);
      return deliver(bytes, start, end, type);
    };
  }

  #write(): void {
    const socket = this.#socket;
    if (socket === undefined || this.#phase === 'closed') return;
    const batch = this.#nextBatch();
    if (batch.length === 0) {
      if (this.#phase === 'closing') socket.end();
      return;
    }
    this.#progressAt = this.#clock.now();
    if (this.#stallTimer === undefined && this.#sendHoldMs > 0) this.#watch(this.#sendHoldMs);
    socket.write(batch, () => this.#written());
  }

  #nextBatch(): Uint8Array[] {
    const queue = this.#queue;
    let bytes = 0;
    let end = this.#head;
    while (end < queue.length && end - this.#head < WRITE_CHUNKS) {
      const size = queue[end]!.length;
      if (bytes > 0 && bytes + size > WRITE_BYTES) break;
      bytes += size;
      end++;
    }
    const batch = queue.slice(this.#head, end);
    this.#head = end;
    // What was taken is cut off when it is the larger half: where something waits all the time it would stay for ever.
    if (end * 2 >= queue.length) {
      this.#queue = queue.slice(end);
      this.#head = 0;
    }
    this.#writing = bytes;
    this.#batch = batch;
    return batch;
  }

  #written(): void {
    if (this.#phase === 'closed') return;
    this.#queuedBytes -= this.#writing;
    this.#writing = 0;
    this.#batch = [];
    this.#write();
    if (this.#congested && this.#queuedBytes <= this.#marks.low && this.#phase === 'open') {
      this.#congested = false;
      this.#guarded(() => this.#handlers.onDrain());
    }
  }

  /** A defect of whoever is told costs this connection, not the process. */
  #guarded(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#handlers.onError(error);
    }
  }

  /** RFC 9687 §3.2: the timer is looked at when it fires, not moved with every write. */
  #watch(delayMs: number): void {
    this.#stallTimer = this.#clock.setTimer(delayMs, () => {
      this.#stallTimer = undefined;
      if (this.#writing === 0 || this.#phase !== 'open') return;
      const left = this.#progressAt + this.#sendHoldMs - this.#clock.now();
      if (left > 0) this.#watch(left);
      else this.#handlers.onSendStalled();
    });
  }
}
