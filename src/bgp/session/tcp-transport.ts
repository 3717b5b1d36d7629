// Transport over the machine's TCP. Node does the reading and writing; on Linux every socket is made by
// native-socket.ts first, so that it has its options before the first packet leaves. Without that door plain
// node:net serves the peers that need none of them, and the others get an error that names the option.
//
// All sockets read into one shared buffer (`onread`): nobody may keep what onData shows.

import net from 'node:net';
import { formatAddress, type IpBytes, isLinkLocal } from '../../lib/ip.ts';
import { descriptorOf, handleOf } from '../../lib/socket-handle.ts';
import { loadNativeSockets, type NativeSockets } from './native-socket.ts';
import type { AoKey } from './tcp-ao.ts';
import { endsOf, missing, refuseNativeOptions, toTransportError } from './tcp-handles.ts';
import { type SocketConstructorOptions, TcpSocket } from './tcp-socket.ts';
import type {
  ConnectOptions,
  HandedSocket,
  ListenHandlers,
  ListenOptions,
  Password,
  SocketHandlers,
  SocketOptions,
  Transport,
  TransportListener,
  TransportSocket,
} from './transport.ts';

const RECEIVE_BUFFER_BYTES = 64 * 1024;
/** Callers that wait to be accepted: above it the kernel drops what everybody sends, so a flood should not fill it. */
const LISTEN_BACKLOG = 4096;

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
      // Of a descriptor Node takes the number here, and not among the options.
      if (!this.#closed) this.#server.listen({ fd }, LISTEN_BACKLOG);
      else this.#native?.close(fd);
    });
  }

  get port(): number {
    return this.#port;
  }

  get descriptor(): number | undefined {
    return this.#server.listening ? this.#fd : undefined;
  }

  #accept(accepted: net.Socket): void {
    const handle = handleOf(accepted);
    let ends: ReturnType<typeof endsOf> | undefined;
    try {
      ends = endsOf(accepted);
    } catch {
      // The caller has gone already, or the link that it called over.
    }
    if (handle === undefined || ends === undefined) {
      accepted.destroy();
      return;
    }
    const { remote } = ends;
    const fd = descriptorOf(accepted);
    const zone = isLinkLocal(remote.address)
      ? (remote.zone ?? (fd === undefined ? undefined : this.#native?.remoteZone(fd)))
      : undefined;
    const local = { ...ends.local, zone };
    if (this.#handlers.admits?.({ ...remote, zone }) === false) {
      // With a reset: a thousand sockets that wait for a FIN are what the caller wants.
      accepted.resetAndDestroy();
      return;
    }
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
      this.#native.ao.changeFor(this.#fd, prefix, before, after);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#server.listening) this.#server.close();
  }
}
