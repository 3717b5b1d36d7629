// A connection to a cache over the speaker's transport: names are looked up, writes follow each other, and a connection
// that is let go is gone in a moment whatever the other side does.

import { type Transport, TransportError, type TransportSocket } from '../bgp/session/transport.ts';
import type { RpkiCacheConfig } from '../config/rpki.ts';
import type { Clock } from '../lib/clock.ts';
import { errorText } from '../lib/error-text.ts';
import { parseAddress } from '../lib/ip.ts';
import type { CacheSocket, CacheSocketEvents } from '../rpki/cache-types.ts';

/** Addresses of a host name; rejects where there are none. */
export type LookUp = (host: string) => Promise<readonly string[]>;

export interface DialTools {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Absent where caches are named by addresses. */
  readonly lookUp: LookUp | undefined;
}

export type CacheEndpoint = Pick<RpkiCacheConfig, 'host' | 'port' | 'localAddress' | 'password'>;

/** How long the last words to a cache may take. */
const LAST_WORDS_MS = 1000;

export function dialCache(endpoint: CacheEndpoint, tools: DialTools, events: CacheSocketEvents): CacheSocket {
  return new CacheConnection(endpoint, tools, events);
}

class CacheConnection implements CacheSocket {
  readonly #tools: DialTools;
  readonly #events: CacheSocketEvents;
  #socket: TransportSocket | undefined;
  #unwritten: Uint8Array[] = [];
  #writing = false;
  #closed = false;

  constructor(endpoint: CacheEndpoint, tools: DialTools, events: CacheSocketEvents) {
    this.#tools = tools;
    this.#events = events;
    if (parseAddress(endpoint.host) !== undefined) this.#connect(endpoint, endpoint.host);
    else this.#find(endpoint);
  }

  #find(endpoint: CacheEndpoint): void {
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

  #connect({ port, localAddress, password }: CacheEndpoint, host: string): void {
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
      onConnect: () => this.#ifOpen(() => this.#events.onOpen()),
      onData: (buffer, length) => this.#ifOpen(() => this.#events.onData(buffer, length)),
      onEnd: () => this.#fail('the cache has closed the connection'),
      onClose: (error) => this.#fail(error?.message ?? 'the connection is closed'),
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#unwritten.push(bytes);
    this.#writeNext();
  }

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
      if (this.#unwritten.length > 0) this.#writeNext();
      else if (this.#closed) socket.end();
    });
  }

  #ifOpen(fn: () => void): void {
    if (!this.#closed) fn();
  }
}
