// The other side of the RPKI to Router protocol, for tests: PDUs of a cache as octets, and a connection of a client that
// a test plays the cache on.

import type { Transport, TransportListener, TransportSocket } from '../../src/bgp/session/transport.ts';
import type { IpBytes } from '../../src/lib/ip.ts';
import type { CacheSocket, CacheSocketEvents } from '../../src/rpki/cache-types.ts';
import { PDU } from '../../src/rpki/protocol.ts';

export interface WireVrp {
  readonly prefix: readonly number[];
  readonly bits: number;
  readonly maxLength: number;
  readonly asn: number;
}

function pdu(version: number, type: number, session: number, body: readonly number[] = []): Uint8Array {
  const octets = 8 + body.length;
  return Uint8Array.of(version, type, session >> 8, session & 255, ...word(octets), ...body);
}

function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export function cacheResponse(version: number, session: number): Uint8Array {
  return pdu(version, PDU.cacheResponse, session);
}

export function cacheReset(version: number): Uint8Array {
  return pdu(version, PDU.cacheReset, 0);
}

export function serialNotify(version: number, session: number, serial: number): Uint8Array {
  return pdu(version, PDU.serialNotify, session, word(serial));
}

/** `intervals`: refresh, retry, expire in seconds; left out in version 0. */
export function endOfData(
  version: number,
  session: number,
  serial: number,
  intervals: readonly [number, number, number] = [3600, 600, 7200],
): Uint8Array {
  const more = version === 0 ? [] : intervals.flatMap(word);
  return pdu(version, PDU.endOfData, session, [...word(serial), ...more]);
}

export function prefixPdu(version: number, vrp: WireVrp, announce = true): Uint8Array {
  const { prefix, bits, maxLength, asn } = vrp;
  const type = prefix.length === 4 ? PDU.ipv4Prefix : PDU.ipv6Prefix;
  return pdu(version, type, 0, [announce ? 1 : 0, bits, maxLength, 0, ...prefix, ...word(asn)]);
}

export function aspaOf(customer: number, providers: readonly number[], announce = true): Uint8Array {
  return pdu(2, PDU.aspa, announce ? 0x100 : 0, [...word(customer), ...providers.flatMap(word)]);
}

/** As drafts until 8210bis-10 have it. */
export function oldAspaOf(customer: number, providers: readonly number[], announce = true): Uint8Array {
  const head = [announce ? 1 : 0, 0, providers.length >> 8, providers.length & 255];
  return pdu(2, PDU.aspa, 0, [...head, ...word(customer), ...providers.flatMap(word)]);
}

export function reportPdu(version: number, code: number, text = ''): Uint8Array {
  const words = [...new TextEncoder().encode(text)];
  return pdu(version, PDU.errorReport, code, [...word(0), ...word(words.length), ...words]);
}

/** One connection as the cache has it. */
export class CacheEnd implements CacheSocket {
  readonly events: CacheSocketEvents;
  readonly received: Uint8Array[] = [];
  closed = false;

  constructor(events: CacheSocketEvents) {
    this.events = events;
  }

  write(bytes: Uint8Array): void {
    this.received.push(bytes);
  }

  close(): void {
    this.closed = true;
  }

  say(...pdus: readonly Uint8Array[]): void {
    for (const each of pdus) this.events.onData(each, each.length);
  }

  /** The newest query or report: its type, its session or code, and a serial number where there is one. */
  get last(): {
    readonly version: number;
    readonly type: number;
    readonly session: number;
    readonly serial: number;
  } {
    const bytes = this.received.at(-1);
    if (bytes === undefined) throw new Error('the client has said nothing');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return {
      version: bytes[0]!,
      type: bytes[1]!,
      session: view.getUint16(2),
      serial: bytes.length >= 12 ? view.getUint32(8) : 0,
    };
  }
}

/** A cache on a transport, in version 1: answers queries about what it was given, and says when that is another. */
export class ServingCache {
  readonly #session: number;
  readonly #sockets = new Set<TransportSocket>();
  readonly #listener: TransportListener;
  #vrps: readonly WireVrp[] = [];
  /** By serial number. */
  readonly #history: (readonly WireVrp[])[] = [];
  queries: number[] = [];

  constructor(transport: Transport, address: IpBytes, session = 7) {
    this.#session = session;
    this.#history.push(this.#vrps);
    this.#listener = transport.listen(
      { address, port: 323, interface: undefined },
      { onListening: () => undefined, onAccept: (socket) => this.#accept(socket), onError: () => undefined },
    );
  }

  get serial(): number {
    return this.#history.length - 1;
  }

  /** From now on it has these, and routers are told. */
  set(vrps: readonly WireVrp[]): void {
    this.#vrps = vrps;
    this.#history.push(vrps);
    for (const socket of this.#sockets) send(socket, serialNotify(1, this.#session, this.serial));
  }

  /** It is gone, with all its connections. */
  close(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #accept(socket: TransportSocket): void {
    this.#sockets.add(socket);
    socket.attach({
      onConnect: () => undefined,
      onData: (buffer, length) => this.#answer(socket, buffer.slice(0, length)),
      onEnd: () => socket.destroy(),
      onClose: () => this.#sockets.delete(socket),
    });
  }

  #answer(socket: TransportSocket, query: Uint8Array): void {
    const type = query[1]!;
    this.queries.push(type);
    const known = type === PDU.serialQuery ? this.#history[query[11]!] : [];
    if (known === undefined) {
      send(socket, cacheReset(1));
      return;
    }
    const without = (a: readonly WireVrp[], b: readonly WireVrp[]) =>
      a.filter((vrp) => !b.some((other) => JSON.stringify(other) === JSON.stringify(vrp)));
    send(
      socket,
      cacheResponse(1, this.#session),
      ...without(known, this.#vrps).map((vrp) => prefixPdu(1, vrp, false)),
      ...without(this.#vrps, known).map((vrp) => prefixPdu(1, vrp)),
      endOfData(1, this.#session, this.serial),
    );
  }
}

function send(socket: TransportSocket, ...pdus: readonly Uint8Array[]): void {
  socket.write([Uint8Array.from(pdus.flatMap((each) => [...each]))], () => undefined);
}
