// A network in memory behind the Transport interface: hosts with addresses, links with latency and faults, TCP-like
// connections with windows. Everything happens on the given clock, in one order, so a run can be repeated.
//
// Modelled: refused and unanswered dials, FIN, RST, half-open connections (a cut link swallows everything), back
// pressure (a reader that pauses stops the writer), several listeners by address and port, wildcard listeners,
// TCP-MD5 keys, TTL and GTSM by hops. Not modelled: loss with retransmission; TCP hides it.

import {
  type ConnectOptions,
  type Endpoint,
  type ListenHandlers,
  type ListenOptions,
  type Password,
  type SocketHandlers,
  type SocketOptions,
  type Transport,
  TransportError,
  type TransportListener,
  type TransportSocket,
} from '../../src/bgp/session/transport.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { formatAddress, type IpBytes, maskBytes } from '../../src/lib/ip.ts';

const FIRST_EPHEMERAL_PORT = 32768;
const DEFAULT_TTL = 64;
const MAX_TTL = 255;

export interface MemNetworkOptions {
  /** One way, milliseconds. */
  readonly latencyMs?: number;
  /** Octets in flight or unread, per direction. */
  readonly windowBytes?: number;
  /** Longest piece handed to onData at a time. */
  readonly segmentBytes?: number;
  /** Until a dial without an answer fails with ETIMEDOUT. */
  readonly connectTimeoutMs?: number;
}

export class MemNetwork {
  readonly clock: Clock;
  readonly latencyMs: number;
  readonly windowBytes: number;
  readonly segmentBytes: number;
  readonly connectTimeoutMs: number;
  /** Shared by all sockets, as the product's receive buffer is. */
  readonly receiveBuffer: Uint8Array;
  readonly #hosts: MemHost[] = [];
  readonly #cuts = new Set<string>();
  readonly #hops = new Map<string, number>();
  readonly #links = new Set<Link>();

  constructor(clock: Clock, options: MemNetworkOptions = {}) {
    this.clock = clock;
    this.latencyMs = options.latencyMs ?? 1;
    this.windowBytes = options.windowBytes ?? 65536;
    this.segmentBytes = options.segmentBytes ?? 16384;
    this.connectTimeoutMs = options.connectTimeoutMs ?? 127_000;
    this.receiveBuffer = new Uint8Array(this.segmentBytes);
  }

  /** A machine with these addresses; its transport dials from the first one of the right family. */
  host(...addresses: IpBytes[]): MemHost {
    const host = new MemHost(this, addresses);
    this.#hosts.push(host);
    return host;
  }

  /** The machine is gone: every packet to and from it is lost from now on. */
  remove(host: MemHost): void {
    this.#hosts.splice(this.#hosts.indexOf(host), 1);
  }

  hostOf(address: IpBytes): MemHost | undefined {
    return this.#hosts.find((host) => host.has(address));
  }

  /** Swallows everything between two addresses, connections that stand included, until heal(). */
  cut(a: IpBytes, b: IpBytes): void {
    this.#cuts.add(pairKey(a, b));
  }

  heal(a: IpBytes, b: IpBytes): void {
    this.#cuts.delete(pairKey(a, b));
    for (const link of this.#links) link.wake();
  }

  isCut(a: IpBytes, b: IpBytes): boolean {
    return this.#cuts.has(pairKey(a, b));
  }

  /** Hops between two addresses, 1 = the same link (the default). */
  setHops(a: IpBytes, b: IpBytes, hops: number): void {
    this.#hops.set(pairKey(a, b), hops);
  }

  /** TTL with which a packet arrives; negative when it was dropped on the way. */
  arrivingTtl(a: IpBytes, b: IpBytes, ttl: number | undefined): number {
    return (ttl ?? DEFAULT_TTL) - ((this.#hops.get(pairKey(a, b)) ?? 1) - 1);
  }

  /** RST to both ends of every connection between two addresses. */
  reset(a: IpBytes, b: IpBytes): void {
    for (const link of [...this.#links]) if (link.joins(a, b)) link.reset();
  }

  connections(a: IpBytes, b: IpBytes): number {
    return [...this.#links].filter((link) => link.joins(a, b)).length;
  }

  track(link: Link): void {
    this.#links.add(link);
  }

  forget(link: Link): void {
    this.#links.delete(link);
  }
}

export class MemHost implements Transport {
  readonly network: MemNetwork;
  readonly addresses: readonly IpBytes[];
  readonly #listeners: MemListener[] = [];
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(network: MemNetwork, addresses: readonly IpBytes[]) {
    this.network = network;
    this.addresses = addresses;
  }

  has(address: IpBytes): boolean {
    return this.addresses.some((own) => same(own, address));
  }

  listenerFor(endpoint: Endpoint): MemListener | undefined {
    const onPort = this.#listeners.filter((listener) => listener.port === endpoint.port && listener.open);
    return (
      onPort.find((listener) => same(listener.address, endpoint.address)) ??
      onPort.find(
        (listener) => listener.address.length === endpoint.address.length && isAny(listener.address),
      )
    );
  }

  dropListener(listener: MemListener): void {
    this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  connect(options: ConnectOptions, handlers: SocketHandlers): TransportSocket {
    const source =
      options.local.address ?? this.addresses.find((own) => own.length === options.remote.address.length);
    const port = options.local.port === 0 ? this.#nextPort++ : options.local.port;
    const local: Endpoint = { address: source ?? options.remote.address, port, zone: options.remote.zone };
    const socket = new MemSocket(this.network, local, options.remote, options);
    socket.handlers = handlers;
    if (source === undefined || !this.has(source)) {
      socket.failLater('EADDRNOTAVAIL', 0);
    } else {
      this.#dial(socket);
    }
    return socket;
  }

  #dial(socket: MemSocket): void {
    const { network } = this;
    const { local, remote } = socket;
    const timeout = () => socket.failLater('ETIMEDOUT', network.connectTimeoutMs);
    network.clock.setTimer(network.latencyMs, () => {
      if (socket.closed) return;
      if (network.isCut(local.address, remote.address)) return timeout();
      const target = network.hostOf(remote.address);
      if (target === undefined) return socket.failLater('EHOSTUNREACH', network.latencyMs);
      if (network.arrivingTtl(local.address, remote.address, socket.options.ttl) <= 0) return timeout();
      const listener = target.listenerFor(remote);
      if (listener === undefined) return socket.failLater('ECONNREFUSED', network.latencyMs);
      // RFC 2385 §2: a segment whose digest is wrong or missing is dropped without an answer.
      if (listener.passwordFor(local.address) !== socket.options.password?.reveal()) return timeout();
      const accepted = new MemSocket(
        network,
        { ...remote },
        { ...local, zone: remote.zone },
        { ttl: undefined, minTtl: undefined, password: socket.options.password },
      );
      const link = new Link(network, socket, accepted);
      network.track(link);
      network.clock.setTimer(network.latencyMs, () => {
        if (!socket.closed) {
          socket.up = true;
          socket.handlers?.onConnect();
        }
      });
      listener.handlers.onAccept(accepted);
    });
  }

  listen(options: ListenOptions, handlers: ListenHandlers): TransportListener {
    const listener = new MemListener(this, options, handlers);
    const taken = this.#listeners.some(
      (other) => other.port === options.port && same(other.address, options.address),
    );
    const missing = !isAny(options.address) && !this.has(options.address);
    this.network.clock.setTimer(0, () => {
      if (listener.closed) return;
      if (taken || missing) {
        this.dropListener(listener);
        const code = taken ? 'EADDRINUSE' : 'EADDRNOTAVAIL';
        handlers.onError(new TransportError(code, taken ? 'address in use' : 'address not available'));
        return;
      }
      listener.open = true;
      handlers.onListening();
    });
    this.#listeners.push(listener);
    return listener;
  }
}

class MemListener implements TransportListener {
  readonly address: IpBytes;
  readonly port: number;
  readonly handlers: ListenHandlers;
  open = false;
  closed = false;
  readonly #host: MemHost;
  readonly #passwords: { bytes: IpBytes; length: number; key: string }[] = [];

  constructor(host: MemHost, options: ListenOptions, handlers: ListenHandlers) {
    this.#host = host;
    this.address = options.address;
    this.port = options.port;
    this.handlers = handlers;
  }

  setPassword(prefix: { bytes: IpBytes; length: number }, password: Password | undefined): void {
    const at = this.#passwords.findIndex(
      (entry) => entry.length === prefix.length && same(entry.bytes, prefix.bytes),
    );
    if (at >= 0) this.#passwords.splice(at, 1);
    if (password !== undefined) this.#passwords.push({ ...prefix, key: password.reveal() });
  }

  passwordFor(address: IpBytes): string | undefined {
    return this.#passwords
      .filter((entry) => same(maskBytes(address, entry.length), entry.bytes))
      .sort((a, b) => b.length - a.length)[0]?.key;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.open = false;
    this.#host.dropListener(this);
  }
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
  finAfter: boolean;
  finArrived: boolean;
  finDelivered: boolean;
}

export class Link {
  readonly #network: MemNetwork;
  readonly #a: MemSocket;
  readonly #b: MemSocket;

  constructor(network: MemNetwork, a: MemSocket, b: MemSocket) {
    this.#network = network;
    this.#a = a;
    this.#b = b;
    a.direction = direction(a, b);
    b.direction = direction(b, a);
    a.link = this;
    b.link = this;
  }

  joins(x: IpBytes, y: IpBytes): boolean {
    return pairKey(x, y) === pairKey(this.#a.local.address, this.#a.remote.address);
  }

  /** What this end reads from. */
  directionTo(reader: MemSocket): Direction {
    return reader === this.#a ? this.#b.direction! : this.#a.direction!;
  }

  reset(): void {
    for (const end of [this.#a, this.#b]) end.failLater('ECONNRESET', 0);
  }

  wake(): void {
    for (const end of [this.#a, this.#b]) {
      this.pump(end.direction!);
      this.#network.clock.setTimer(this.#network.latencyMs, () => this.read(end.direction!));
    }
  }

  #lost(way: Direction): boolean {
    const { local, remote, options } = way.from;
    if (this.#network.isCut(local.address, remote.address)) return true;
    const ttl = this.#network.arrivingTtl(local.address, remote.address, options.ttl);
    const ttlSent = options.ttl ?? DEFAULT_TTL;
    return ttl <= 0 || (way.to.options.minTtl ?? 0) > Math.min(ttl, ttlSent, MAX_TTL);
  }

  /** Moves what fits from the writer into the window. A cut link keeps it at the writer, as retransmission does. */
  pump(way: Direction): void {
    if (this.#lost(way)) return;
    const { clock, latencyMs, windowBytes, segmentBytes } = this.#network;
    while (way.waiting.length > 0 && way.inWindow < windowBytes) {
      const head = way.waiting[0]!;
      const length = Math.min(head.chunk.length - head.offset, windowBytes - way.inWindow, segmentBytes);
      const segment = head.chunk.slice(head.offset, head.offset + length);
      head.offset += length;
      way.inWindow += length;
      clock.setTimer(latencyMs, () => this.#arrive(way, segment));
      if (head.offset < head.chunk.length) continue;
      way.waiting.shift();
      if (head.done !== undefined) clock.setTimer(0, head.done);
    }
    if (way.waiting.length === 0 && way.finAfter) {
      way.finAfter = false;
      clock.setTimer(latencyMs, () => {
        way.finArrived = true;
        this.read(way);
      });
    }
  }

  #arrive(way: Direction, segment: Uint8Array): void {
    way.unread.push(segment);
    this.read(way);
  }

  read(way: Direction): void {
    const reader = way.to;
    while (reader.reading && way.unread.length > 0 && !this.#lost(way)) {
      const segment = way.unread.shift()!;
      way.inWindow -= segment.length;
      this.#network.receiveBuffer.set(segment);
      reader.handlers?.onData(this.#network.receiveBuffer, segment.length);
    }
    if (
      reader.reading &&
      way.finArrived &&
      way.unread.length === 0 &&
      !way.finDelivered &&
      !this.#lost(way)
    ) {
      way.finDelivered = true;
      reader.handlers?.onEnd();
      reader.settleEnd();
    }
    if (!way.from.closed) this.pump(way);
  }

  /** One end was closed hard: the other learns it with the next packet it would get. */
  abandon(by: MemSocket): void {
    const other = by === this.#a ? this.#b : this.#a;
    this.#network.forget(this);
    if (other.closed || this.#network.isCut(by.local.address, by.remote.address)) return;
    other.failLater('ECONNRESET', this.#network.latencyMs);
  }

  finished(by: MemSocket): void {
    const other = by === this.#a ? this.#b : this.#a;
    if (other.closed) this.#network.forget(this);
  }
}

class MemSocket implements TransportSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  options: SocketOptions;
  handlers: SocketHandlers | undefined;
  link: Link | undefined;
  direction: Direction | undefined;
  closed = false;
  up = false;
  #paused = false;
  #ending = false;
  readonly #network: MemNetwork;

  constructor(network: MemNetwork, local: Endpoint, remote: Endpoint, options: SocketOptions) {
    this.#network = network;
    this.local = local;
    this.remote = remote;
    this.options = options;
  }

  get reading(): boolean {
    return !this.closed && !this.#paused && this.handlers !== undefined;
  }

  attach(handlers: SocketHandlers): void {
    this.handlers = handlers;
    this.up = true;
    this.#network.clock.setTimer(0, () => this.#read());
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

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#network.clock.setTimer(0, () => this.#read());
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
    this.#close(undefined, this.#network.latencyMs);
  }

  destroy(): void {
    if (this.closed) return;
    this.#close(undefined, 0);
    this.link?.abandon(this);
  }

  failLater(code: string, delayMs: number): void {
    this.#network.clock.setTimer(delayMs, () => {
      this.#close(new TransportError(code, `${code} ${formatAddress(this.remote.address)}`), 0);
    });
  }

  #close(error: TransportError | undefined, delayMs: number): void {
    if (this.closed) return;
    this.closed = true;
    this.link?.finished(this);
    const handlers = this.handlers;
    this.#network.clock.setTimer(delayMs, () => handlers?.onClose(error));
  }
}

function direction(from: MemSocket, to: MemSocket): Direction {
  return {
    from,
    to,
    waiting: [],
    unread: [],
    inWindow: 0,
    finAfter: false,
    finArrived: false,
    finDelivered: false,
  };
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

function isAny(address: Uint8Array): boolean {
  return address.every((octet) => octet === 0);
}

function pairKey(a: IpBytes, b: IpBytes): string {
  return [formatAddress(a), formatAddress(b)].sort().join(' ');
}
