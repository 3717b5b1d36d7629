// A connection to a server of this speaker, a cache of RPKI data or a BMP station, over the speaker's transport: names are
// looked up, writes follow each other, and a connection that is let go is gone in a moment whatever the other side does.

import {
  type Password,
  type Transport,
  TransportError,
  type TransportSocket,
} from '../bgp/session/transport.ts';
import type { Clock } from '../lib/clock.ts';
import { errorText } from '../lib/error-text.ts';
import { parseAddress } from '../lib/ip.ts';

/** Addresses of a host name; rejects where there are none. */
export type LookUp = (host: string) => Promise<readonly string[]>;

export interface DialTools {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Absent where servers are named by addresses. */
  readonly lookUp: LookUp | undefined;
}

export interface ServerEndpoint {
  /** What the server is, in sentences: `cache`. */
  readonly what: string;
  /** An address or a host name. */
  readonly host: string;
  readonly port: number;
  /** Source address. */
  readonly localAddress: string | undefined;
  /** TCP-MD5 key. */
  readonly password: Password | undefined;
}

export interface ServerEvents {
  onOpen(): void;
  /** `buffer[0, length)` is valid only during the call. */
  onData(buffer: Uint8Array, length: number): void;
  /** All that was written is with the system. */
  onDrain?(): void;
  /** It is gone, or never came up; not called after close(). */
  onClose(reason: string): void;
}

/** A server that says nothing, and is sent nothing, is asked whether it is there. */
const KEEPALIVE_MS = 60_000;
/** How long the last words may take. */
const LAST_WORDS_MS = 1000;

export class ServerConnection {
  readonly #tools: DialTools;
  readonly #events: ServerEvents;
  readonly #what: string;
  #socket: TransportSocket | undefined;
  #unwritten: Uint8Array[] = [];
  /** Octets that the system has yet to take. */
  queuedBytes = 0;
  #writing = false;
  #closed = false;

  /** Dials at once. */
  constructor(endpoint: ServerEndpoint, tools: DialTools, events: ServerEvents) {
    this.#tools = tools;
    this.#events = events;
    this.#what = endpoint.what;
    if (parseAddress(endpoint.host) !== undefined) this.#connect(endpoint, endpoint.host);
    else this.#find(endpoint);
  }

  #find(endpoint: ServerEndpoint): void {
    const { lookUp } = this.#tools;
    const { host } = endpoint;
    const missing = async (): Promise<readonly string[]> => {
      throw new TransportError('ENOTFOUND', 'names cannot be looked up here');
    };
    (lookUp ?? missing)(host).then(
      (addresses) => {
        const wanted = parseAddress(endpoint.localAddress ?? '')?.bytes.length;
        const fitting = addresses.find((each) => {
          const length = parseAddress(each)?.bytes.length;
          return length !== undefined && (wanted === undefined || length === wanted);
        });
        if (fitting === undefined) this.#fail(`${host} has no address that can be reached from here`);
        else this.#connect(endpoint, fitting);
      },
      (error: unknown) => this.#fail(`${host}: ${errorText(error)}`),
    );
  }

  #connect({ port, localAddress, password }: ServerEndpoint, host: string): void {
    const remote = parseAddress(host);
    if (this.#closed || remote === undefined) return;
    const local = parseAddress(localAddress ?? '');
    const options = {
      remote: { address: remote.bytes, port, zone: remote.zone },
      local: { address: local?.bytes, port: 0 },
      interface: undefined,
      ttl: undefined,
      minTtl: undefined,
      password,
    };
    this.#socket = this.#tools.transport.connect(options, {
      onConnect: () => {
        this.#socket?.keepAlive?.(KEEPALIVE_MS);
        this.#ifOpen(() => this.#events.onOpen());
      },
      onData: (buffer, length) => this.#ifOpen(() => this.#events.onData(buffer, length)),
      onEnd: () => this.#fail(`the ${this.#what} has closed the connection`),
      onClose: (error) => this.#fail(error?.message ?? 'the connection is closed'),
    });
  }

  /** In the order of the calls. */
  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.queuedBytes += bytes.length;
    this.#unwritten.push(bytes);
    this.#writeNext();
  }

  /** Closes once what was written has left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo();
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#letGo();
    this.#events.onClose(reason);
  }

  #letGo(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    if (!this.#writing) socket.end();
    this.#tools.clock.setTimer(LAST_WORDS_MS, () => socket.destroy());
  }

  #writeNext(): void {
    const socket = this.#socket;
    if (this.#writing || socket === undefined || this.#unwritten.length === 0) return;
    const chunks = this.#unwritten;
    this.#unwritten = [];
    this.#writing = true;
    socket.write(chunks, () => {
      this.#writing = false;
      for (const { length } of chunks) this.queuedBytes -= length;
      if (this.#unwritten.length > 0) this.#writeNext();
      else if (this.#closed) socket.end();
      else this.#events.onDrain?.();
    });
  }

  #ifOpen(fn: () => void): void {
    if (!this.#closed) fn();
  }
}
