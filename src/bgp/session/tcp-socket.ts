// One TCP connection of the machine's as a TransportSocket: its handlers, its options, what it writes. tcp-transport.ts
// makes the sockets, by dialling and by listening.

import type net from 'node:net';
import { formatAddress, type IpBytes } from '../../lib/ip.ts';
import { descriptorOf } from '../../lib/socket-handle.ts';
import type { NativeSockets } from './native-socket.ts';
import { sameAoKeys } from './tcp-ao.ts';
import { cannotSwitch, endsOf, refuseNativeOptions, toTransportError, unsentOf } from './tcp-handles.ts';
import {
  type Authentication,
  type ConnectOptions,
  type Endpoint,
  type SocketHandlers,
  type SocketOptions,
  TransportError,
  type TransportSocket,
} from './transport.ts';

/** Node takes these two in every version it supports; the type declarations know them elsewhere or not at all. */
export interface SocketConstructorOptions extends net.SocketConstructorOpts {
  readonly onread: net.OnReadOpts;
  readonly handle?: object;
  readonly pauseOnCreate?: boolean;
}

export class TcpSocket implements TransportSocket {
  readonly #native: NativeSockets | undefined;
  #socket: net.Socket | undefined;
  #handlers: SocketHandlers | undefined;
  #local: Endpoint;
  #remote: Endpoint;
  /** What the kernel has; of an accepted socket it is the listener's until configure(), and not known here. */
  #keys: Authentication | undefined;
  #error: TransportError | undefined;

  constructor(
    native: NativeSockets | undefined,
    known: { remote: Endpoint; local: { address: IpBytes | undefined; port: number } },
  ) {
    this.#native = native;
    this.#remote = known.remote;
    this.#local = {
      address: known.local.address ?? new Uint8Array(known.remote.address.length),
      port: known.local.port,
      zone: known.remote.zone,
    };
  }

  get local(): Endpoint {
    return this.#local;
  }

  get remote(): Endpoint {
    return this.#remote;
  }

  onread(buffer: Uint8Array): net.OnReadOpts {
    return {
      buffer,
      callback: (length, octets) => {
        this.#handlers?.onData(octets, length);
        return true;
      },
    };
  }

  dial(socket: net.Socket, options: ConnectOptions, handlers: SocketHandlers): void {
    this.#handlers = handlers;
    this.#keys = options;
    this.#adopt(socket);
    socket.once('connect', () => {
      try {
        this.#local = { ...endsOf(socket).local, zone: options.remote.zone };
      } catch (error) {
        socket.destroy(toTransportError(error));
        return;
      }
      handlers.onConnect();
    });
    const target: net.TcpNetConnectOpts = {
      host: formatAddress(options.remote.address, options.remote.zone),
      port: options.remote.port,
    };
    // A native socket is bound already.
    if (this.#native === undefined) {
      if (options.local.address !== undefined) target.localAddress = formatAddress(options.local.address);
      if (options.local.port !== 0) target.localPort = options.local.port;
    }
    socket.connect(target);
  }

  /** An accepted connection; it reads nothing before attach(). */
  accepted(socket: net.Socket): void {
    this.#adopt(socket);
  }

  /** Another process's connection, with these keys. */
  goOn(socket: net.Socket, keys: Authentication): void {
    this.#keys = keys;
    this.#adopt(socket);
  }

  #adopt(socket: net.Socket): void {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#error = toTransportError(error);
    });
    socket.on('end', () => this.#handlers?.onEnd());
    socket.on('close', () => {
      const handlers = this.#handlers;
      this.#handlers = undefined;
      handlers?.onClose(this.#error);
    });
  }

  /** It came to nothing: says so one turn later, and only once. */
  failLater(error: TransportError, handlers: SocketHandlers): void {
    this.#handlers = undefined;
    this.#socket?.destroy();
    setImmediate(() => handlers.onClose(error));
  }

  attach(handlers: SocketHandlers): void {
    if (this.#socket?.destroyed === true) {
      this.failLater(this.#error ?? new TransportError('ECONNRESET', 'connection closed'), handlers);
      return;
    }
    this.#handlers = handlers;
    this.#socket?.resume();
  }

  configure(options: SocketOptions): void {
    if (this.#native === undefined) {
      refuseNativeOptions(options);
      return;
    }
    const fd = this.#socket === undefined ? undefined : descriptorOf(this.#socket);
    if (fd === undefined) return;
    const remote = this.#remote.address;
    const before = this.#keys;
    // The kernel copies the listener's key to an accepted connection. It is said again all the same: the connection
    // may be older than the key of the listener, and would go on without one.
    const keyChanged =
      before === undefined
        ? options.password !== undefined
        : before.password?.reveal() !== options.password?.reveal();
    this.#native.configure(fd, remote, options, keyChanged);
    const aoBefore = before?.tcpAo;
    if (before === undefined) {
      if (options.tcpAo !== undefined) this.#native.ao.require(fd, options.tcpAo);
    } else if (!sameAoKeys(aoBefore, options.tcpAo)) {
      if (aoBefore === undefined || options.tcpAo === undefined) throw cannotSwitch();
      this.#native.ao.change(fd, remote, aoBefore, options.tcpAo);
    }
    this.#keys = options;
  }

  write(chunks: readonly Uint8Array[], done: () => void): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    const whenTaken = (error?: Error | null) => {
      if (error === undefined || error === null) done();
    };
    const last = chunks.length - 1;
    // Corked chunks leave with one writev.
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    if (last >= 0) socket.write(chunks[last]!, whenTaken);
    if (last > 0) socket.uncork();
  }

  handOver(): { descriptor: number; unsent: number } | undefined {
    const socket = this.#socket;
    const descriptor = socket === undefined ? undefined : descriptorOf(socket);
    if (socket === undefined || descriptor === undefined) return undefined;
    return { descriptor, unsent: unsentOf(socket) };
  }

  get bufferedBytes(): number | undefined {
    const fd = this.#socket === undefined ? undefined : descriptorOf(this.#socket);
    return fd === undefined ? undefined : this.#native?.bufferedBytes(fd);
  }

  keepAlive(idleMs: number): void {
    this.#socket?.setKeepAlive(true, idleMs);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  end(): void {
    this.#socket?.end();
  }

  destroy(): void {
    this.#socket?.destroy();
  }
}
