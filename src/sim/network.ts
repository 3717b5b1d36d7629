// A network in memory behind the Transport interface: hosts with addresses, ways between them with delay and faults,
// TCP-like connections with windows (connection.ts). Everything happens on the given clock, in one order, so a run can
// be repeated.
//
// Modelled: refused and unanswered dials, FIN, RST, half-open connections (a cut way swallows everything), killed
// processes and machines that vanish, back pressure (a reader that pauses stops the writer), several listeners by
// address and port, wildcard listeners, TCP-MD5 keys, TTL and GTSM by hops, octets that change on the way. Not
// modelled: loss with retransmission; TCP hides it.

import type { AoKey } from '../bgp/session/tcp-ao.ts';
import {
  type ConnectOptions,
  type Endpoint,
  type HandedSocket,
  type ListenHandlers,
  type ListenOptions,
  type Password,
  type SocketHandlers,
  type SocketOptions,
  type Transport,
  TransportError,
  type TransportListener,
  type TransportSocket,
} from '../bgp/session/transport.ts';
import { bytesEqual } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { formatAddress, type IpBytes, isUnspecified, maskBytes } from '../lib/ip.ts';
import { DEFAULT_TTL, Link, MemSocket, type Path, type Place } from './connection.ts';

const FIRST_EPHEMERAL_PORT = 32768;

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

/** What happens to a packet beyond the usual latency, and to its octets. */
export interface Weather {
  /** Milliseconds more, drawn for each packet: packets of different connections overtake each other. */
  extraDelay?(from: IpBytes, to: IpBytes): number;
  /** Octets as they arrive. */
  corrupt?(segment: Uint8Array, from: IpBytes, to: IpBytes): Uint8Array;
}

export class MemNetwork implements Path {
  readonly clock: Clock;
  readonly latencyMs: number;
  readonly windowBytes: number;
  readonly segmentBytes: number;
  readonly connectTimeoutMs: number;
  readonly receiveBuffer: Uint8Array;
  weather: Weather = {};
  readonly #hosts = new Map<string, MemHost>();
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
    for (const address of addresses) this.#hosts.set(formatAddress(address), host);
    return host;
  }

  /** The machine is gone: every packet to and from it is lost from now on. */
  remove(host: MemHost): void {
    for (const address of host.addresses) this.#hosts.delete(formatAddress(address));
  }

  hostOf(address: IpBytes): MemHost | undefined {
    return this.#hosts.get(formatAddress(address));
  }

  /** Swallows everything between two addresses, connections that stand included, until heal(). */
  cut(a: IpBytes, b: IpBytes): void {
    this.#cuts.add(pairKey(a, b));
  }

  heal(a: IpBytes, b: IpBytes): void {
    if (!this.#cuts.delete(pairKey(a, b))) return;
    for (const link of this.#links) if (link.joins(a, b)) link.wake();
  }

  isCut(a: IpBytes, b: IpBytes): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(pairKey(a, b));
  }

  /** Hops between two addresses, 1 = the same link (the default). */
  setHops(a: IpBytes, b: IpBytes, hops: number): void {
    this.#hops.set(pairKey(a, b), hops);
  }

  arrivingTtl(a: IpBytes, b: IpBytes, ttl: number | undefined): number {
    const hops = this.#hops.size === 0 ? 1 : (this.#hops.get(pairKey(a, b)) ?? 1);
    return (ttl ?? DEFAULT_TTL) - (hops - 1);
  }

  delay(from: IpBytes, to: IpBytes): number {
    return this.latencyMs + (this.weather.extraDelay?.(from, to) ?? 0);
  }

  corrupt(segment: Uint8Array, from: IpBytes, to: IpBytes): Uint8Array {
    return this.weather.corrupt?.(segment, from, to) ?? segment;
  }

  /** RST to both ends of every connection between two addresses. */
  reset(a: IpBytes, b: IpBytes): void {
    for (const link of [...this.#links]) if (link.joins(a, b)) link.reset();
  }

  connections(a: IpBytes, b: IpBytes): number {
    return [...this.#links].filter((link) => link.joins(a, b)).length;
  }

  /** Octets on their way, everywhere. */
  get inFlight(): number {
    let octets = 0;
    for (const link of this.#links) octets += link.inFlight;
    return octets;
  }

  get links(): Iterable<Link> {
    return this.#links;
  }

  track(link: Link): void {
    this.#links.add(link);
  }

  forget(link: Link): void {
    this.#links.delete(link);
  }
}

export class MemHost implements Transport, Place {
  readonly network: MemNetwork;
  readonly addresses: readonly IpBytes[];
  /** Who runs the callbacks of the process on it, when it is one that can stop or end. */
  runner: { readonly stopped: boolean; run(fn: () => void): void } | undefined;
  present = true;
  readonly #listeners: MemListener[] = [];
  /** Dials without an answer yet. */
  readonly #dialling = new Set<MemSocket>();
  #nextPort = FIRST_EPHEMERAL_PORT;
  /** By descriptor, those that were asked for one. */
  readonly #descriptors: MemSocket[] = [];

  constructor(network: MemNetwork, addresses: readonly IpBytes[]) {
    this.network = network;
    this.addresses = addresses;
  }

  get stopped(): boolean {
    return this.runner?.stopped ?? false;
  }

  execute(fn: () => void): void {
    if (this.runner === undefined) fn();
    else this.runner.run(fn);
  }

  /** The process goes on after it was stopped: what has come meanwhile is read. */
  wake(): void {
    for (const link of this.#ownLinks()) link.wake();
  }

  /** The process is gone with its sockets and listeners; peers see a reset. */
  kill(): void {
    for (const socket of this.#ownSockets()) socket.kill();
    this.#closeListeners();
  }

  /** The process becomes another one, to which only these sockets are passed on. */
  become(descriptors: ReadonlySet<number>): void {
    for (const socket of this.#ownSockets()) {
      const descriptor = this.#descriptors.indexOf(socket);
      if (descriptors.has(descriptor)) socket.passOn();
      else socket.kill();
    }
    this.#closeListeners();
  }

  descriptorOf(socket: MemSocket): number {
    const known = this.#descriptors.indexOf(socket);
    return known >= 0 ? known : this.#descriptors.push(socket) - 1;
  }

  takeOver({ descriptor }: HandedSocket, options: SocketOptions): TransportSocket {
    const socket = this.#descriptors[descriptor];
    if (socket === undefined || socket.closed) throw new TransportError('ENOTCONN', 'connection closed');
    socket.options = options;
    return socket;
  }

  /** Power off: nobody is told. The next packet that reaches the machine after `present` is true again is refused. */
  vanish(): void {
    for (const socket of this.#ownSockets()) socket.vanish();
    this.#closeListeners();
    this.present = false;
  }

  has(address: IpBytes): boolean {
    return this.addresses.some((own) => bytesEqual(own, address));
  }

  listenerFor(endpoint: Endpoint): MemListener | undefined {
    const onPort = this.#listeners.filter((listener) => listener.port === endpoint.port && listener.open);
    return (
      onPort.find((listener) => bytesEqual(listener.address, endpoint.address)) ??
      onPort.find(
        (listener) => listener.address.length === endpoint.address.length && isUnspecified(listener.address),
      )
    );
  }

  dropListener(listener: MemListener): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  connect(options: ConnectOptions, handlers: SocketHandlers): TransportSocket {
    const source =
      options.local.address ?? this.addresses.find((own) => own.length === options.remote.address.length);
    const port = options.local.port === 0 ? this.#nextPort++ : options.local.port;
    const local: Endpoint = { address: source ?? options.remote.address, port, zone: options.remote.zone };
    const socket = new MemSocket(this.network, this, { local, remote: options.remote }, options);
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
    const back = () => network.delay(remote.address, local.address);
    this.#dialling.add(socket);
    network.clock.setTimer(network.delay(local.address, remote.address), () => {
      this.#dialling.delete(socket);
      if (socket.closed) return;
      if (network.isCut(local.address, remote.address)) return timeout();
      const target = network.hostOf(remote.address);
      if (target === undefined) return socket.failLater('EHOSTUNREACH', back());
      if (!target.present || !this.present) return timeout();
      if (network.arrivingTtl(local.address, remote.address, socket.options.ttl) <= 0) return timeout();
      const listener = target.listenerFor(remote);
      if (listener === undefined) return socket.failLater('ECONNREFUSED', back());
      // RFC 2385 §2: a segment whose digest is wrong or missing is dropped without an answer.
      if (listener.passwordFor(local.address) !== socket.options.password?.reveal()) return timeout();
      const accepted = new MemSocket(
        network,
        target,
        { local: { ...remote }, remote: { ...local, zone: remote.zone } },
        { ttl: undefined, minTtl: undefined, password: socket.options.password },
      );
      const link = new Link(network, socket, accepted);
      network.track(link);
      link.confirm(socket);
      target.execute(() => {
        // The process may have been stopped, and the dialler may have given up meanwhile.
        const wanted = listener.open && listener.handlers.admits?.(accepted.remote) !== false;
        if (wanted && !accepted.closed) listener.handlers.onAccept(accepted);
        else accepted.destroy();
      });
    });
  }

  listen(options: ListenOptions, handlers: ListenHandlers): TransportListener {
    const listener = new MemListener(this, options, handlers);
    const taken = this.#listeners.some(
      (other) => other.port === options.port && bytesEqual(other.address, options.address),
    );
    const missing = !isUnspecified(options.address) && !this.has(options.address);
    this.network.clock.setTimer(0, () =>
      this.execute(() => {
        if (listener.closed) return;
        if (taken || missing) {
          this.dropListener(listener);
          const code = taken ? 'EADDRINUSE' : 'EADDRNOTAVAIL';
          handlers.onError(new TransportError(code, taken ? 'address in use' : 'address not available'));
          return;
        }
        listener.open = true;
        handlers.onListening();
      }),
    );
    this.#listeners.push(listener);
    return listener;
  }

  #closeListeners(): void {
    for (const listener of [...this.#listeners]) listener.close();
  }

  #ownLinks(): Link[] {
    return [...this.network.links].filter((link) => link.ends.some((end) => end.place === this));
  }

  #ownSockets(): MemSocket[] {
    const connected = this.#ownLinks().flatMap((link) => link.ends);
    return [...this.#dialling, ...connected].filter((end) => end.place === this && !end.closed);
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
      (entry) => entry.length === prefix.length && bytesEqual(entry.bytes, prefix.bytes),
    );
    if (at >= 0) this.#passwords.splice(at, 1);
    if (password !== undefined) this.#passwords.push({ ...prefix, key: password.reveal() });
  }

  setAoKeys(_prefix: unknown, _before: readonly AoKey[], after: readonly AoKey[]): void {
    if (after.length > 0) throw new TransportError('ENOPROTOOPT', 'the simulated network has no TCP-AO');
  }

  passwordFor(address: IpBytes): string | undefined {
    return this.#passwords
      .filter((entry) => bytesEqual(maskBytes(address, entry.length), entry.bytes))
      .sort((a, b) => b.length - a.length)[0]?.key;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.open = false;
    this.#host.dropListener(this);
  }
}

function pairKey(a: IpBytes, b: IpBytes): string {
  return [formatAddress(a), formatAddress(b)].sort().join(' ');
}
