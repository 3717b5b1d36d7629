// Transport over the machine's TCP. Node does the reading and writing; on Linux every socket is made by
// native-socket.ts first, so that it has its options before the first packet leaves. Without that door plain
// node:net serves the peers that need none of them, and the others get an error that names the option.
//
// All sockets read into one shared buffer (`onread`): nobody may keep what onData shows.

import net from 'node:net';
import { formatAddress, type IpBytes, isLinkLocal } from '../../lib/ip.ts';
import { loadNativeSockets, type NativeSockets } from './native-socket.ts';
import { type AoKey, sameAoKeys } from './tcp-ao.ts';
import {
  cannotSwitch,
  descriptorOf,
  endpointOf,
  missing,
  refuseNativeOptions,
  toTransportError,
  unsentOf,
} from './tcp-handles.ts';
import {
  type Authentication,
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
} from './transport.ts';

const RECEIVE_BUFFER_BYTES = 64 * 1024;
const LISTEN_BACKLOG = 1024;

/** Node takes these two in every version it supports; the type declarations know them elsewhere or not at all. */
interface SocketConstructorOptions extends net.SocketConstructorOpts {
  readonly onread: net.OnReadOpts;
  readonly handle?: object;
  readonly pauseOnCreate?: boolean;
}

export class TcpTransport implements Transport {
  readonly #native: NativeSockets | undefined;
  // No Buffer: what is compiled for the arrays that everything else lies in serves received octets, too.
  readonly #receiveBuffer = new Uint8Array(RECEIVE_BUFFER_BYTES);

  /** `native`: where to get sockets with options; null = nowhere, loaded by itself when left out. */
  constructor(native?: NativeSockets | null) {
    this.#native = native === null ? undefined : (native ?? loadNativeSockets());
  }

  /** What this machine cannot do; empty when all is there. For the status command. */
  get problems(): readonly string[] {
    if (this.#native !== undefined) return [];
    return ['no native sockets: TCP-MD5, TCP-AO, TTL, GTSM and interface binding cannot be had'];
  }

  connect(options: ConnectOptions, handlers: SocketHandlers): TransportSocket {
    const socket = new TcpSocket(this.#native, options);
    try {
      socket.dial(this.#dialer(options, socket.onread(this.#receiveBuffer)), options, handlers);
    } catch (error) {
      socket.failLater(toTransportError(error), handlers);
    }
    return socket;
  }

  #dialer(options: ConnectOptions, onread: net.OnReadOpts): net.Socket {
    const common: SocketConstructorOptions = { allowHalfOpen: true, onread };
    if (this.#native === undefined) {
      refuseNativeOptions(options);
      return new net.Socket(common);
    }
    const fd = this.#native.dialer(options);
    try {
      return new net.Socket({ ...common, fd });
    } catch (error) {
      this.#native.close(fd);
      throw error;
    }
  }

  takeOver(handed: HandedSocket, options: SocketOptions): TransportSocket {
    const socket = new TcpSocket(this.#native, handed);
    const common: SocketConstructorOptions = {
      fd: handed.descriptor,
      allowHalfOpen: true,
      onread: socket.onread(this.#receiveBuffer),
      readable: true,
      writable: true,
      pauseOnCreate: true,
    };
    try {
      socket.goOn(new net.Socket(common), options);
    } catch (error) {
      throw toTransportError(error);
    }
    return socket;
  }

  listen(options: ListenOptions, handlers: ListenHandlers): TransportListener {
    return new TcpListener(this.#native, this.#receiveBuffer, options, handlers);
  }
}

class TcpSocket implements TransportSocket {
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
      this.#local = { ...endpointOf(socket.localAddress, socket.localPort), zone: options.remote.zone };
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
      if (options.tcpAo !== undefined) this.#native.requireAo(fd, options.tcpAo);
    } else if (!sameAoKeys(aoBefore, options.tcpAo)) {
      if (aoBefore === undefined || options.tcpAo === undefined) throw cannotSwitch();
      this.#native.changeAoKeys(fd, remote, aoBefore, options.tcpAo);
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

class TcpListener implements TransportListener {
  readonly #native: NativeSockets | undefined;
  readonly #server: net.Server;
  readonly #receiveBuffer: Uint8Array;
  readonly #handlers: ListenHandlers;
  #port: number;
  #fd: number | undefined;
  #closed = false;

  constructor(
    native: NativeSockets | undefined,
    receiveBuffer: Uint8Array,
    options: ListenOptions,
    handlers: ListenHandlers,
  ) {
    this.#native = native;
    this.#receiveBuffer = receiveBuffer;
    this.#handlers = handlers;
    this.#port = options.port;
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('error', (error) => {
      // One that goes on listening would be in the way of the next.
      if (this.#server.listening) this.#server.close();
      handlers.onError(toTransportError(error));
    });
    this.#server.on('listening', () => {
      // Closed while its address was being looked up.
      if (this.#closed) {
        this.#server.close();
        return;
      }
      const bound = this.#server.address();
      if (bound !== null && typeof bound === 'object') this.#port = bound.port;
      handlers.onListening();
    });
    try {
      this.#listen(options);
    } catch (error) {
      setImmediate(() => handlers.onError(toTransportError(error)));
    }
  }

  #listen(options: ListenOptions): void {
    if (this.#native === undefined) {
      if (options.interface !== undefined) throw missing('listening on one interface');
      const host = formatAddress(options.address, options.zone);
      this.#server.listen({ host, port: options.port, ipv6Only: options.address.length === 16 });
      return;
    }
    const fd = options.descriptor ?? this.#native.listener(options);
    this.#fd = fd;
    // One turn later, so that the caller can set its keys first.
    setImmediate(() => {
      if (this.#closed) this.#native?.close(fd);
      else this.#server.listen({ fd, backlog: LISTEN_BACKLOG });
    });
  }

  get port(): number {
    return this.#port;
  }

  get descriptor(): number | undefined {
    return this.#server.listening ? this.#fd : undefined;
  }

  #accept(accepted: net.Socket): void {
    const handle: unknown = Reflect.get(accepted, '_handle');
    if (typeof handle !== 'object' || handle === null || accepted.remoteAddress === undefined) {
      accepted.destroy();
      return;
    }
    const fd = descriptorOf(accepted);
    const remote = endpointOf(accepted.remoteAddress, accepted.remotePort);
    const zone = isLinkLocal(remote.address)
      ? (remote.zone ?? (fd === undefined ? undefined : this.#native?.remoteZone(fd)))
      : undefined;
    const local = { ...endpointOf(accepted.localAddress, accepted.localPort), zone };
    const socket = new TcpSocket(this.#native, { remote: { ...remote, zone }, local });
    // A server has no `onread`; a second Socket around the same handle has (the first one is let go).
    const options: SocketConstructorOptions = {
      handle,
      allowHalfOpen: true,
      onread: socket.onread(this.#receiveBuffer),
      readable: true,
      writable: true,
      pauseOnCreate: true,
    };
    socket.accepted(new net.Socket(options));
    this.#handlers.onAccept(socket);
  }

  setPassword(prefix: { bytes: IpBytes; length: number }, password: Password | undefined): void {
    if (this.#native === undefined) {
      if (password === undefined) return;
      throw missing('password');
    }
    if (this.#fd !== undefined && !this.#closed) {
      this.#native.setPassword(this.#fd, prefix, password);
    }
  }

  setAoKeys(
    prefix: { bytes: IpBytes; length: number },
    before: readonly AoKey[],
    after: readonly AoKey[],
  ): void {
    if (this.#native === undefined) {
      if (after.length === 0) return;
      throw missing('authentication (TCP-AO)');
    }
    if (this.#fd !== undefined && !this.#closed) {
      this.#native.setAoKeys(this.#fd, prefix, before, after);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#server.listening) this.#server.close();
  }
}
