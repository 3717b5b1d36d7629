// The listening sockets: one per configured (address, port), each for many peers. An accepted connection goes to
// the peer it belongs to, or away with Cease/Connection Rejected (RFC 4486 §4); the keys of the peers are kept
// on every socket (RFC 2385, RFC 5925); who should have one and cannot is not let in.

import type { Clock, Timer } from '../../lib/clock.ts';
import { formatAddress, formatPrefix, type Prefix } from '../../lib/ip.ts';
import type { Logger } from '../../lib/log.ts';
import { CEASE } from '../wire/error-codes.ts';
import { type ConnectionCounters, ConnectionGate, type GateLimits } from './connection-gate.ts';
import type { Peer } from './peer.ts';
import { type DynamicRange, PeerDirectory } from './peer-directory.ts';
import { refuseConnection } from './refuse-connection.ts';
import {
  type Authentication,
  type Endpoint,
  type ListenOptions,
  sameAuthentication,
  type Transport,
  TransportError,
  type TransportListener,
  type TransportSocket,
} from './transport.ts';

/** Until a socket that could not be opened is tried again; its address may come with an interface. */
const REOPEN_MS = 5000;

export interface ListenerDependencies {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly log: Logger;
  /** Others than the usual ones. */
  readonly gateLimits?: GateLimits | undefined;
}

interface ListenerTools extends ListenerDependencies {
  readonly directory: PeerDirectory;
  readonly gate: ConnectionGate;
}

export class ListenerSet {
  readonly #tools: ListenerTools;
  readonly #directory = new PeerDirectory();
  readonly #gate: ConnectionGate;
  readonly #listeners = new Map<string, Listener>();
  readonly #handed = new Map<string, number>();

  constructor(dependencies: ListenerDependencies) {
    this.#gate = new ConnectionGate(dependencies.clock, dependencies.log, dependencies.gateLimits);
    this.#tools = { ...dependencies, directory: this.#directory, gate: this.#gate };
  }

  /** Since the start. */
  get connections(): ConnectionCounters & { readonly halfOpen: number } {
    return { ...this.#gate.counters, halfOpen: this.#gate.halfOpen };
  }

  /** Opens a socket; does nothing where it is open. One that fails is tried again. */
  open(options: ListenOptions): void {
    const key = keyOf(options);
    if (this.#listeners.has(key)) return;
    const descriptor = this.#handed.get(key);
    this.#handed.delete(key);
    const listener = new Listener(options, this.#tools, descriptor);
    this.#listeners.set(key, listener);
    listener.open();
  }

  close(options: ListenOptions): void {
    const key = keyOf(options);
    this.#listeners.get(key)?.close();
    this.#listeners.delete(key);
  }

  closeAll(): void {
    for (const listener of this.#listeners.values()) listener.close();
    this.#listeners.clear();
    this.#gate.close();
  }

  /** Lets this peer call. */
  add(peer: Peer): void {
    this.#directory.add(peer);
    this.#updateKey(this.#directory.prefixOf(peer));
  }

  /** To be called for a retired dynamic peer too: it makes room in its range. */
  remove(peer: Peer): void {
    this.#gate.gone(peer);
    const prefix = this.#directory.prefixOf(peer);
    this.#directory.remove(peer);
    this.#updateKey(prefix);
  }

  /** After a change of a peer's address or keys. */
  refresh(peer: Peer): void {
    const before = this.#directory.prefixOf(peer);
    this.#directory.refresh(peer);
    this.#updateKey(before);
    this.#updateKey(this.#directory.prefixOf(peer));
  }

  addRange(range: DynamicRange): void {
    this.#directory.addRange(range);
    this.#updateKey(range.prefix);
  }

  removeRange(range: DynamicRange): void {
    this.#directory.removeRange(range);
    this.#updateKey(range.prefix);
  }

  /** As PeerDirectory has it. Of one prefix the latest range's key counts. */
  orderRanges(names: readonly string[]): void {
    this.#directory.orderRanges(names);
    for (const prefix of this.#directory.rangePrefixes) this.#updateKey(prefix);
  }

  population(range: DynamicRange): number {
    return this.#directory.population(range);
  }

  /** One sentence for each socket that is not open, or whose keys could not be set. */
  get problems(): string[] {
    return [...this.#listeners.values()].flatMap((listener) => listener.problems);
  }

  /** Ports in use, by the order of opening. */
  get ports(): number[] {
    return [...this.#listeners.values()].map((listener) => listener.port);
  }

  /** Whose a connection with these ends is; one that a range admits is made. */
  find({ local, remote }: { local: Endpoint; remote: Endpoint }): Peer | undefined {
    const found = this.#directory.find(local, remote);
    return 'peer' in found ? found.peer : undefined;
  }

  /** For another process to listen on: descriptors by what tells the sockets apart. */
  handOver(): ReadonlyMap<string, number> {
    const open = [...this.#listeners].map(([key, { descriptor }]) => [key, descriptor] as const);
    return new Map(open.flatMap(([key, fd]) => (fd === undefined ? [] : [[key, fd]])));
  }

  /** Sockets of another process, to be used when they are opened here. */
  takeOver(descriptors: ReadonlyMap<string, number>): void {
    for (const [key, descriptor] of descriptors) this.#handed.set(key, descriptor);
  }

  /** Of one prefix: what concerns a peer must not cost more the more peers there are. */
  #updateKey(prefix: Prefix | undefined): void {
    if (prefix === undefined) return;
    for (const listener of this.#listeners.values()) listener.updateKey(prefix);
  }
}

class Listener {
  readonly #options: ListenOptions;
  readonly #tools: ListenerTools;
  #listener: TransportListener | undefined;
  /** By prefix. */
  readonly #keys = new Map<string, Authentication>();
  #closed = false;
  /** Another process's socket, until it is used. */
  #handed: number | undefined;
  #reopenTimer: Timer | undefined;
  /** Why it is not open. */
  #closedBecause: string | undefined;
  /** Why keys could not be set, by prefix. */
  readonly #keyProblems = new Map<string, string>();

  constructor(options: ListenOptions, tools: ListenerTools, handed: number | undefined) {
    this.#handed = handed;
    this.#options = options;
    this.#tools = tools;
  }

  get port(): number {
    return this.#listener?.port ?? this.#options.port;
  }

  get descriptor(): number | undefined {
    return this.#listener?.descriptor;
  }

  open(): void {
    const { clock, log, transport, gate, directory } = this.#tools;
    this.#keys.clear();
    this.#keyProblems.clear();
    // It is open once: what takes its place is another socket.
    const descriptor = this.#handed;
    this.#handed = undefined;
    this.#listener = transport.listen(
      { ...this.#options, descriptor },
      {
        onListening: () => {
          this.#closedBecause = undefined;
          log.info({}, `listening on ${this.#name()}`);
        },
        admits: (remote) => gate.admits(remote, directory.peersAt(remote.address)),
        onAccept: (socket) => this.#accept(socket),
        onError: (error) => {
          this.#listener = undefined;
          if (this.#closed) return;
          const problem = `cannot listen on ${this.#name()}: ${error.code} ${error.message}${openHintFor(error)}`;
          if (problem !== this.#closedBecause) log.error({}, problem);
          this.#closedBecause = problem;
          this.#reopenTimer = clock.setTimer(REOPEN_MS, () => this.open());
        },
      },
    );
    for (const prefix of directory.prefixes) this.updateKey(prefix);
  }

  close(): void {
    this.#closed = true;
    this.#reopenTimer?.cancel();
    this.#listener?.close();
  }

  get problems(): string[] {
    return [
      ...(this.#closedBecause === undefined ? [] : [this.#closedBecause]),
      ...this.#keyProblems.values(),
    ];
  }

  updateKey(prefix: Prefix): void {
    if (prefix.bytes.length !== this.#options.address.length) return;
    const name = formatPrefix(prefix);
    const before = this.#keys.get(name) ?? NO_KEYS;
    const { interface: link, zone } = this.#options;
    const after = this.#tools.directory.key(prefix, link ?? zone);
    if (!sameAuthentication(before, after ?? NO_KEYS)) this.#setKey(name, prefix, before, after ?? NO_KEYS);
    if (after === undefined) this.#keys.delete(name);
    else this.#keys.set(name, after);
  }

  /** The kernel holds one kind for a prefix: what goes, goes first. */
  #setKey(name: string, prefix: Prefix, before: Authentication, after: Authentication): void {
    const ao = { before: before.tcpAo ?? [], after: after.tcpAo ?? [] };
    // What failed before is not there to be taken away.
    if (this.#keyProblems.delete(name)) ao.before = [];
    try {
      if (before.password !== undefined && after.password === undefined) {
        this.#listener?.setPassword(prefix, undefined);
      }
      this.#listener?.setAoKeys(prefix, ao.before, ao.after);
      if (after.password !== undefined) this.#listener?.setPassword(prefix, after.password);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const problem = `no key for ${name} on ${this.#name()}: ${error.message}${hintFor(error)}`;
      this.#keyProblems.set(name, problem);
      this.#tools.log.error({}, problem);
    }
  }

  /** A defect costs this connection, not the process. */
  #accept(socket: TransportSocket): void {
    try {
      this.#handOver(socket);
    } catch (error) {
      this.#tools.log.error({ err: error }, 'defect while taking a connection: it is closed');
      socket.destroy();
    }
  }

  #handOver(socket: TransportSocket): void {
    const { clock, gate, directory } = this.#tools;
    const { remote } = socket;
    if (directory.peersAt(remote.address) === 0 && gate.halfOpenFull) {
      gate.refuse('half-open', remote, 'too many callers have not said who they are');
      socket.destroy();
      return;
    }
    const found = directory.find(socket.local, remote);
    if ('peer' in found) {
      gate.counters.accepted++;
      if (found.admitted === true) this.#awaitOpen(found.peer, remote);
      found.peer.acceptConnection(socket);
      return;
    }
    gate.refuse('unknown', remote, found.refused);
    const gone = gate.answers();
    if (gone === undefined) socket.destroy();
    else refuseConnection(clock, socket, CEASE.connectionRejected, undefined, gone);
  }

  /** Anybody in a range can hold a place in it: not for longer than it takes to say who one is. */
  #awaitOpen(peer: Peer, remote: Endpoint): void {
    const { gate } = this.#tools;
    gate.awaitOpen(peer, (seconds) => {
      if (!peer.adminUp) return;
      gate.refuse('no-open', remote, `no OPEN came within ${seconds} s`);
      peer.cease({ subcode: CEASE.connectionRejected, text: `no OPEN within ${seconds} s` });
    });
  }

  #name(): string {
    const { address, zone, port } = this.#options;
    const text = formatAddress(address, zone);
    return address.length === 16 ? `[${text}]:${port}` : `${text}:${port}`;
  }
}

const NO_KEYS: Authentication = { password: undefined };

/** Each key takes some of what a socket may hold of options. */
function hintFor({ code }: TransportError): string {
  return code === 'ENOMEM' ? '; raise the sysctl net.core.optmem_max for so many peers with keys' : '';
}

const OPEN_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'ports below 1024 need root or the capability CAP_NET_BIND_SERVICE',
  EADDRINUSE: 'another program listens there (ss -ltnp shows which)',
  EADDRNOTAVAIL: 'no interface has this address yet',
};

/** It is tried again until it works. */
function openHintFor({ code }: TransportError): string {
  const hint = OPEN_HINTS[code];
  return hint === undefined ? '' : `; ${hint}`;
}

function keyOf(options: ListenOptions): string {
  return `${formatAddress(options.address, options.zone)} ${options.port} ${options.interface ?? ''}`;
}
