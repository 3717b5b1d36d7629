// What a session needs of TCP, and nothing more: dial, listen, read, write, close. The product has tcp-transport.ts
// behind it, the simulator a network in memory. Handlers are never called from inside a call of this interface,
// and after onClose none is called again.

import type { IpBytes } from '../../lib/ip.ts';
import { type AoKey, sameAoKeys } from './tcp-ao.ts';

/** A value that is shown to the kernel only; config's Secret is one. */
export interface Password {
  reveal(): string;
}

/** One that need not be a text. */
export interface SecretKey extends Password {
  /** The caller's own. */
  octets(): Uint8Array;
}

export interface Endpoint {
  /** 4 or 16 octets. */
  readonly address: IpBytes;
  readonly port: number;
  /** Interface of a link-local address. */
  readonly zone?: string | undefined;
}

/** How the segments of a connection are signed: by one of the two, or not at all. */
export interface Authentication {
  /** TCP-MD5 key (RFC 2385). */
  readonly password: Password | undefined;
  /** TCP-AO keys (RFC 5925). */
  readonly tcpAo?: readonly AoKey[] | undefined;
}

/** Whether both hide the same; values are not shown to anybody else, deep equality included. */
export function sameAuthentication(a: Authentication, b: Authentication): boolean {
  return a.password?.reveal() === b.password?.reveal() && sameAoKeys(a.tcpAo, b.tcpAo);
}

export function isAuthenticated({ password, tcpAo }: Authentication): boolean {
  return password !== undefined || tcpAo !== undefined;
}

/** What the packets of one connection look like. */
export interface SocketOptions extends Authentication {
  /** IP TTL or hop limit to send with; undefined = the system's. */
  readonly ttl: number | undefined;
  /** Smallest TTL accepted (RFC 5082). */
  readonly minTtl: number | undefined;
}

export interface ConnectOptions extends SocketOptions {
  readonly remote: Endpoint;
  /** Source address, and port unless 0. */
  readonly local: { readonly address: IpBytes | undefined; readonly port: number };
  /** Bind to this interface. */
  readonly interface: string | undefined;
  /** From a source address that the machine need not have yet. */
  readonly freebind?: boolean;
}

export interface SocketHandlers {
  /** A dialled connection is up; not called for an accepted one. */
  onConnect(): void;
  /** `buffer[0, length)` is valid only during the call; the transport reads the next octets into it. */
  onData(buffer: Uint8Array, length: number): void;
  /** The peer has closed its direction. */
  onEnd(): void;
  /** The socket is gone, or never came up; `undefined` after an orderly close. */
  onClose(error: TransportError | undefined): void;
}

export interface TransportSocket {
  /** Both ends; of a dialled connection known since onConnect. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Gives an accepted socket its handlers and starts reading. */
  attach(handlers: SocketHandlers): void;
  /** Options of an accepted socket, once it is known whose it is; a changed password of a living one. */
  configure(options: SocketOptions): void;
  /**
   * Writes all chunks as one; `done` is called when the kernel has taken them. The chunks must not change before,
   * and the next write must wait for it.
   */
  write(chunks: readonly Uint8Array[], done: () => void): void;
  /**
   * What another process needs to go on with the connection: its descriptor, and how many octets of the write under way
   * the kernel has not taken. Undefined where it is not open.
   */
  handOver?(): { readonly descriptor: number; readonly unsent: number } | undefined;
  /** Octets in the kernel's buffers; undefined where nobody knows. */
  readonly bufferedBytes?: number | undefined;
  /** Asks the other machine after so many milliseconds of silence whether it is there; a socket without it does not. */
  keepAlive?(idleMs: number): void;
  pause(): void;
  resume(): void;
  /** Closes after what was written has been sent. */
  end(): void;
  /** Closes at once; onClose follows unless the socket was closed already. */
  destroy(): void;
}

export interface ListenOptions {
  readonly address: IpBytes;
  readonly port: number;
  readonly interface: string | undefined;
  /** Interface of a link-local address. */
  readonly zone?: string | undefined;
  /** Listen on an address that the machine does not have yet. */
  readonly freebind?: boolean;
  /** A socket that another process has made so, and listens already. */
  readonly descriptor?: number | undefined;
}

/** A connection of another process, with the keys and the options that it has. */
export interface HandedSocket {
  readonly descriptor: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface ListenHandlers {
  onListening(): void;
  /** Asked before anything is made of a connection: false closes it without a word. */
  admits?(remote: Endpoint): boolean;
  onAccept(socket: TransportSocket): void;
  /** The listener could not be opened, or died. */
  onError(error: TransportError): void;
}

export interface TransportListener {
  /** The port in use, where 0 was asked for; known since onListening. */
  readonly port: number;
  /** For another process to listen on; undefined where there is none. */
  readonly descriptor?: number | undefined;
  /** Sets, replaces or (undefined) removes the TCP-MD5 key for a remote prefix; throws TransportError. */
  setPassword(prefix: { bytes: IpBytes; length: number }, password: Password | undefined): void;
  /** Exchanges the TCP-AO keys for a remote prefix; throws TransportError. */
  setAoKeys(
    prefix: { bytes: IpBytes; length: number },
    before: readonly AoKey[],
    after: readonly AoKey[],
  ): void;
  close(): void;
}

export interface Transport {
  /** Errors, those of the options included, arrive through onClose. */
  connect(options: ConnectOptions, handlers: SocketHandlers): TransportSocket;
  listen(options: ListenOptions, handlers: ListenHandlers): TransportListener;
  /** Goes on with a connection of another process, which reads nothing before attach(). Throws TransportError. */
  takeOver?(handed: HandedSocket, options: SocketOptions): TransportSocket;
}

/** A failure of the network or of an option, with the system's name for it (ECONNREFUSED, EACCES...). */
export class TransportError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'TransportError';
    this.code = code;
  }
}
