// One TCP connection of the simulated network: two sockets, octets on their way in both directions, windows, FIN and
// RST. What the way between two addresses is like (delay, cuts, hops, corruption) it asks its Path.

import {
  type Endpoint,
  type SocketHandlers,
  type SocketOptions,
  TransportError,
  type TransportSocket,
} from '../bgp/session/transport.ts';
import { bytesEqual } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { formatAddress, type IpBytes } from '../lib/ip.ts';

export const DEFAULT_TTL = 64;
const MAX_TTL = 255;

/** The network as a connection sees it. */
export interface Path {
  readonly clock: Clock;
  readonly windowBytes: number;
  readonly segmentBytes: number;
  /** Shared by all sockets, as the product's receive buffer is. */
  readonly receiveBuffer: Uint8Array;
  /** One way, milliseconds, drawn for each packet. */
  delay(from: IpBytes, to: IpBytes): number;
  isCut(a: IpBytes, b: IpBytes): boolean;
  /** TTL with which a packet arrives; not positive when it was dropped on the way. */
  arrivingTtl(from: IpBytes, to: IpBytes, ttl: number | undefined): number;
  /** Octets as they arrive. */
  corrupt(segment: Uint8Array, from: IpBytes, to: IpBytes): Uint8Array;
  forget(link: Link): void;
}

/** The machine that a socket is on. */
export interface Place {
  /** Runs a callback of the process that owns the sockets: now, later or never. */
  execute(fn: () => void): void;
  /** The process takes no data at present. */
  readonly stopped: boolean;
  /** False while the machine is switched off. */
  readonly present: boolean;
  /** The number by which another process can go on with a socket. */
  descriptorOf(socket: MemSocket): number;
}

/** Octets on their way in one direction, and what of them is unread. */
interface Direction {
  readonly from: MemSocket;
  readonly to: MemSocket;
  /** Written, not yet in the window. */
  waiting: { chunk: Uint8Array; offset: number; done: (() => void) | undefined }[];
  /** Arrived, unread because the reader pauses. */
  unread: Uint8Array[];
  inWindow: number;
  /** When the newest packet arrives: TCP keeps their order. */
  lastArrival: number;
  finAfter: boolean;
  finArrived: boolean;
  finDelivered: boolean;
}

export class Link {
  readonly #path: Path;
  readonly #a: MemSocket;
  readonly #b: MemSocket;

  constructor(path: Path, a: MemSocket, b: MemSocket) {
    this.#path = path;
    this.#a = a;
    this.#b = b;
    a.direction = direction(a, b);
    b.direction = direction(b, a);
    a.link = this;
    b.link = this;
  }

  get ends(): readonly MemSocket[] {
    return [this.#a, this.#b];
  }

  joins(x: IpBytes, y: IpBytes): boolean {
    const { local, remote } = this.#a;
    return (
      (bytesEqual(local.address, x) && bytesEqual(remote.address, y)) ||
      (bytesEqual(local.address, y) && bytesEqual(remote.address, x))
    );
  }

  /** What this end reads from. */
  directionTo(reader: MemSocket): Direction {
    return reader === this.#a ? this.#b.direction! : this.#a.direction!;
  }

  /** Octets written and not yet read, both ways. */
  get inFlight(): number {
    return this.ends.reduce((sum, { direction: way }) => {
      const waiting = way?.waiting.reduce((octets, { chunk, offset }) => octets + chunk.length - offset, 0);
      return sum + (way?.inWindow ?? 0) + (waiting ?? 0);
    }, 0);
  }

  reset(): void {
    for (const end of this.ends) end.failLater('ECONNRESET', 0);
  }

  /** The dialler learns that its connection is up, before anything else that comes over it. */
  confirm(dialler: MemSocket): void {
    this.#later(this.directionTo(dialler), () => {
      dialler.place.execute(() => {
        if (dialler.closed) return;
        dialler.up = true;
        dialler.handlers?.onConnect();
      });
    });
  }

  /** The way is free again, or the reader: retransmission brings what was held up. */
  wake(): void {
    for (const end of this.ends) {
      const way = end.direction!;
      this.pump(way);
      this.#later(way, () => this.read(way));
    }
  }

  #lost(way: Direction): boolean {
    const { local, remote, options } = way.from;
    if (!way.from.place.present || !way.to.place.present) return true;
    if (this.#path.isCut(local.address, remote.address)) return true;
    const ttl = this.#path.arrivingTtl(local.address, remote.address, options.ttl);
    const ttlSent = options.ttl ?? DEFAULT_TTL;
    return ttl <= 0 || (way.to.options.minTtl ?? 0) > Math.min(ttl, ttlSent, MAX_TTL);
  }

  /** Calls back when a packet sent now arrives, behind those sent before. */
  #later(way: Direction, fn: () => void): void {
    const { clock } = this.#path;
    const delay = this.#path.delay(way.from.local.address, way.to.local.address);
    way.lastArrival = Math.max(way.lastArrival, clock.now() + delay);
    clock.setTimer(way.lastArrival - clock.now(), fn);
  }

  /** Moves what fits from the writer into the window. A cut link keeps it at the writer, as retransmission does. */
  pump(way: Direction): void {
    if (way.waiting.length === 0 && !way.finAfter) return;
    if (this.#lost(way)) return;
    // The other end is gone without this one knowing: its machine answers with RST.
    if (way.to.vanished) {
      way.from.failLater('ECONNRESET', this.#path.delay(way.from.local.address, way.to.local.address));
      return;
    }
    const { windowBytes, segmentBytes } = this.#path;
    while (way.waiting.length > 0 && way.inWindow < windowBytes) {
      const head = way.waiting[0]!;
      const length = Math.min(head.chunk.length - head.offset, windowBytes - way.inWindow, segmentBytes);
      const sent = head.chunk.slice(head.offset, head.offset + length);
      const segment = this.#path.corrupt(sent, way.from.local.address, way.to.local.address);
      head.offset += length;
      way.inWindow += length;
      this.#later(way, () => this.#arrive(way, segment));
      if (head.offset < head.chunk.length) continue;
      way.waiting.shift();
      if (head.done !== undefined) way.from.tell(0, head.done);
    }
    if (way.waiting.length === 0 && way.finAfter) {
      way.finAfter = false;
      this.#later(way, () => {
        way.finArrived = true;
        this.read(way);
      });
    }
  }

  #arrive(way: Direction, segment: Uint8Array): void {
    way.unread.push(segment);
    if (way.to.vanished) way.from.failLater('ECONNRESET', 0);
    else this.read(way);
  }

  read(way: Direction): void {
    const reader = way.to;
    const { receiveBuffer } = this.#path;
    while (reader.reading && way.unread.length > 0 && !this.#lost(way)) {
      const segment = way.unread.shift()!;
      way.inWindow -= segment.length;
      receiveBuffer.set(segment);
      reader.handlers?.onData(receiveBuffer, segment.length);
    }
    const atEnd = way.finArrived && way.unread.length === 0 && !way.finDelivered;
    if (atEnd && reader.reading && !this.#lost(way)) {
      way.finDelivered = true;
      reader.handlers?.onEnd();
      reader.settleEnd();
    }
    if (!way.from.closed) this.pump(way);
  }

  /** One end was closed hard: the other learns it with the next packet it would get. */
  abandon(by: MemSocket): void {
    const other = this.#otherOf(by);
    if (!other.closed && this.#path.isCut(by.local.address, by.remote.address)) {
      by.vanished = true;
      return;
    }
    this.#path.forget(this);
    // Behind what was sent before.
    if (!other.closed) this.#later(by.direction!, () => other.failLater('ECONNRESET', 0));
  }

  finished(by: MemSocket): void {
    const other = this.#otherOf(by);
    if (other.closed || other.vanished) this.#path.forget(this);
  }

  #otherOf(end: MemSocket): MemSocket {
    return end === this.#a ? this.#b : this.#a;
  }
}

export class MemSocket implements TransportSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly place: Place;
  options: SocketOptions;
  handlers: SocketHandlers | undefined;
  link: Link | undefined;
  direction: Direction | undefined;
  closed = false;
  up = false;
  /** Gone without the other end having been told. */
  vanished = false;
  #paused = false;
  #ending = false;
  readonly #path: Path;

  constructor(path: Path, place: Place, ends: { local: Endpoint; remote: Endpoint }, options: SocketOptions) {
    this.#path = path;
    this.place = place;
    this.local = ends.local;
    this.remote = ends.remote;
    this.options = options;
  }

  get reading(): boolean {
    return this.up && !this.closed && !this.#paused && this.handlers !== undefined && !this.place.stopped;
  }

  attach(handlers: SocketHandlers): void {
    this.handlers = handlers;
    this.up = true;
    this.tell(0, () => this.#read());
  }

  configure(options: SocketOptions): void {
    this.options = options;
  }

  write(chunks: readonly Uint8Array[], done: () => void): void {
    const way = this.direction;
    if (this.closed || this.#ending || way === undefined) return;
    const last = chunks.length - 1;
    chunks.forEach((chunk, i) => {
      way.waiting.push({
        chunk,
        offset: 0,
        done: i === last ? () => (this.closed ? undefined : done()) : undefined,
      });
    });
    this.link?.pump(way);
  }

  handOver(): { descriptor: number; unsent: number } | undefined {
    if (this.closed || !this.up || this.direction === undefined) return undefined;
    const { waiting } = this.direction;
    const unsent = waiting.reduce((sum, { chunk, offset }) => sum + chunk.length - offset, 0);
    return { descriptor: this.place.descriptorOf(this), unsent };
  }

  /** The process has become another one, which has what waited to be written. */
  passOn(): void {
    this.handlers = undefined;
    this.#paused = false;
    if (this.direction !== undefined) this.direction.waiting = [];
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.tell(0, () => this.#read());
  }

  /** Runs a callback of the owner after `delayMs`. */
  tell(delayMs: number, fn: () => void): void {
    this.#path.clock.setTimer(delayMs, () => this.place.execute(fn));
  }

  #read(): void {
    const incoming = this.link?.directionTo(this);
    if (incoming !== undefined) this.link?.read(incoming);
  }

  end(): void {
    if (this.#ending || this.closed) return;
    this.#ending = true;
    if (this.direction === undefined) {
      this.destroy();
      return;
    }
    this.direction.finAfter = true;
    this.link?.pump(this.direction);
    this.settleEnd();
  }

  /** Closed in both directions: the socket goes away by itself. */
  settleEnd(): void {
    const incoming = this.link?.directionTo(this);
    if (!this.#ending || incoming?.finDelivered !== true || this.direction?.finAfter === true) return;
    this.#close(undefined, this.#path.delay(this.local.address, this.remote.address));
  }

  destroy(): void {
    if (this.closed) return;
    this.#close(undefined, 0);
    this.link?.abandon(this);
  }

  /** The process was killed: its kernel closes the socket, with RST. */
  kill(): void {
    this.handlers = undefined;
    this.destroy();
  }

  /** The machine is gone, and nobody was told. */
  vanish(): void {
    this.handlers = undefined;
    this.closed = true;
    this.vanished = true;
    this.link?.finished(this);
  }

  failLater(code: string, delayMs: number): void {
    this.#path.clock.setTimer(delayMs, () => {
      this.#close(new TransportError(code, `${code} ${formatAddress(this.remote.address)}`), 0);
    });
  }

  #close(error: TransportError | undefined, delayMs: number): void {
    if (this.closed) return;
    this.closed = true;
    this.link?.finished(this);
    this.tell(delayMs, () => this.handlers?.onClose(error));
  }
}

function direction(from: MemSocket, to: MemSocket): Direction {
  return {
    from,
    to,
    waiting: [],
    unread: [],
    inWindow: 0,
    lastArrival: 0,
    finAfter: false,
    finArrived: false,
    finDelivered: false,
  };
}
