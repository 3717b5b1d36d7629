// A BMP station for tests: takes connections, decodes what it is told with the OPENs of each Peer Up, and keeps the tables that
// follow from it. It refuses what no router may say: routes of a peer that is not up, anything before the Initiation.

import type { Transport, TransportListener, TransportSocket } from '../../src/bgp/session/transport.ts';
import { negotiate } from '../../src/bgp/wire/negotiate.ts';
import { decodeOpen } from '../../src/bgp/wire/open.ts';
import { UpdateDecoder } from '../../src/bgp/wire/update-decoder.ts';
import { type BmpMessage, decodeMessages, type PeerHeader } from '../../src/bmp/message.ts';
import { PEER_FLAG, PEER_TYPE } from '../../src/bmp/protocol.ts';
import { formatAddress, type IpBytes } from '../../src/lib/ip.ts';
import { type Decoded, describeUpdate } from './decoded.ts';

export const STATION_PORT = 11019;

interface KnownPeer {
  /** As they came, and as import left them: that may be what only internal peers say. */
  readonly before: UpdateDecoder;
  readonly after: UpdateDecoder;
  /** `pre 192.0.2.0/24` -> AS_PATH. */
  readonly routes: Map<string, string>;
}

/** What one connection has said. */
export class BmpReader {
  /** As they came. */
  readonly octets: Uint8Array[] = [];
  readonly messages: BmpMessage[] = [];
  /** A line a message: `up 10.0.0.2`, `pre 10.0.0.2 +192.0.2.0/24`, `pre 10.0.0.2 end ipv4-unicast`, ... */
  readonly heard: string[] = [];
  readonly updates: Decoded[] = [];
  readonly #peers = new Map<string, KnownPeer>();
  #rest = new Uint8Array(0);

  push(octets: Uint8Array): void {
    this.octets.push(octets);
    const all = new Uint8Array([...this.#rest, ...octets]);
    const { messages, octets: taken } = decodeMessages(all);
    this.#rest = all.slice(taken);
    for (const message of messages) this.#take(message);
  }

  /** `pre 10.0.0.2 192.0.2.0/24 by 65002`, sorted. */
  get routes(): string[] {
    return [...this.#peers]
      .flatMap(([peer, { routes }]) =>
        [...routes].map(([key, path]) => {
          const [view, prefix] = [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)];
          return `${view} ${peer} ${prefix} by ${path}`;
        }),
      )
      .sort();
  }

  /** Those that are up. */
  get peers(): string[] {
    return [...this.#peers.keys()].sort();
  }

  #take(message: BmpMessage): void {
    if (this.messages.length === 0 && message.kind !== 'initiation') throw new Error('no Initiation');
    if (this.messages.at(-1)?.kind === 'termination') throw new Error('a message after a Termination');
    this.messages.push(message);
    switch (message.kind) {
      case 'peer-up':
        this.#peerUp(message);
        break;
      case 'peer-down': {
        const name = nameOf(message.peer);
        if (!this.#peers.delete(name)) throw new Error(`${name} is not up`);
        this.heard.push(`down ${name} ${message.reason}`);
        break;
      }
      case 'route-monitoring':
        this.#update(message.peer, message.update);
        break;
      case 'statistics-report':
        this.heard.push(`statistics ${nameOf(message.peer)}`);
        break;
      default:
        this.heard.push(message.kind);
    }
  }

  #peerUp({ peer, sentOpen, receivedOpen }: Extract<BmpMessage, { kind: 'peer-up' }>): void {
    const name = nameOf(peer);
    if (this.#peers.has(name)) throw new Error(`${name} is up already`);
    const sent = decodeOpen(sentOpen, 0, sentOpen.length);
    const received = decodeOpen(receivedOpen, 0, receivedOpen.length);
    // Both OPENs of a Loc-RIB are one and the same, which no speaker would take from a peer.
    const stranger = peer.type === PEER_TYPE.locRib ? { ...received, id: ~received.id >>> 0 } : received;
    const context = { ...negotiate(sent, stranger, { peerAs: undefined }), as4: true };
    this.#peers.set(name, {
      before: new UpdateDecoder(context, { aigp: true }),
      after: new UpdateDecoder({ ...context, peerType: 'internal' }, { aigp: true }),
      routes: new Map(),
    });
    this.heard.push(`up ${name}`);
  }

  #update(header: PeerHeader, octets: Uint8Array): void {
    const name = nameOf(header);
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new Error(`routes of ${name}, which is not up`);
    const view =
      header.type === PEER_TYPE.locRib ? 'loc' : (header.flags & PEER_FLAG.postPolicy) === 0 ? 'pre' : 'post';
    const decoder = view === 'pre' ? peer.before : peer.after;
    const update = describeUpdate(decoder.decode(octets, 0, octets.length));
    if (update.messages.length > 0) throw new Error(update.messages.join('; '));
    this.updates.push(update);
    for (const prefix of update.withdrawn) {
      if (!peer.routes.delete(`${view} ${prefix}`)) throw new Error(`${prefix} was not announced`);
      this.heard.push(`${view} ${name} -${prefix}`);
    }
    for (const prefix of update.announced) {
      peer.routes.set(`${view} ${prefix}`, update.attributes.asPath ?? '');
      this.heard.push(`${view} ${name} +${prefix}`);
    }
    if (update.endOfRib !== undefined) this.heard.push(`${view} ${name} end ${update.endOfRib}`);
  }
}

function nameOf({ type, address }: PeerHeader): string {
  return type === PEER_TYPE.locRib ? 'loc-rib' : formatAddress(address);
}

export class BmpStation {
  readonly readers: BmpReader[] = [];
  readonly #transport: Transport;
  readonly #address: IpBytes;
  #listener: TransportListener | undefined;
  readonly #sockets = new Set<TransportSocket>();

  constructor(transport: Transport, address: IpBytes) {
    this.#transport = transport;
    this.#address = address;
  }

  /** Of the newest connection. */
  get last(): BmpReader {
    const reader = this.readers.at(-1);
    if (reader === undefined) throw new Error('nobody has connected');
    return reader;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  listen(): void {
    this.#listener = this.#transport.listen(
      { address: this.#address, port: STATION_PORT, interface: undefined },
      { onListening: () => undefined, onAccept: (socket) => this.#accept(socket), onError: () => undefined },
    );
  }

  /** Reads nothing more, or goes on. */
  pause(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  /** It is gone, with its connections. */
  close(): void {
    this.#listener?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #accept(socket: TransportSocket): void {
    const reader = new BmpReader();
    this.readers.push(reader);
    this.#sockets.add(socket);
    socket.attach({
      onConnect: () => undefined,
      onData: (buffer, length) => reader.push(buffer.slice(0, length)),
      onEnd: () => socket.destroy(),
      onClose: () => void this.#sockets.delete(socket),
    });
  }
}
