// Two ends on a simulated network: real peers, and a raw speaker that sends what a test tells it to.

import type { DownReason } from '../../../src/bgp/session/down-reason.ts';
import type { PeerEvents, Session } from '../../../src/bgp/session/events.ts';
import { ListenerSet } from '../../../src/bgp/session/listener.ts';
import type { CapabilityOptions, PeerOptions, SessionTimers } from '../../../src/bgp/session/options.ts';
import { Peer } from '../../../src/bgp/session/peer.ts';
import type { Endpoint, SocketOptions, TransportSocket } from '../../../src/bgp/session/transport.ts';
import { FAMILIES, type Family } from '../../../src/bgp/wire/families.ts';
import { Framer } from '../../../src/bgp/wire/framing.ts';
import { encodeKeepalive, writeHeader } from '../../../src/bgp/wire/header.ts';
import { BGP_PORT, MESSAGE_TYPE } from '../../../src/bgp/wire/iana.ts';
import { decodeNotification, formatNotification } from '../../../src/bgp/wire/notification.ts';
import { encodeOpen, type OpenMessage } from '../../../src/bgp/wire/open.ts';
import { parseAddress, parseQuad } from '../../../src/lib/ip.ts';
import { SimClock } from '../../../src/sim/clock.ts';
import { type MemHost, MemNetwork, type MemNetworkOptions } from '../../../src/sim/network.ts';
import { seededRandom } from '../../../src/sim/random.ts';
import { LineLog } from '../../support/line-log.ts';

export function ip(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address.bytes;
}

export const DEFAULT_CAPABILITIES: CapabilityOptions = {
  withheld: [],
  extendedMessages: true,
  extendedNextHop: [],
  addPathReceive: [],
  addPathSend: [],
  gracefulRestart: undefined,
  longLived: undefined,
  fqdn: undefined,
  softwareVersion: undefined,
};

export const DEFAULT_TIMERS: SessionTimers = {
  hold: 90,
  keepalive: undefined,
  minHold: 0,
  minKeepalive: 0,
  openHold: 240,
  connectRetry: 120,
  connectDelay: 0,
  delayOpen: 0,
  errorWait: { min: 60, max: 300, forget: 300 },
  sendHold: 480,
};

export type OptionChanges = Partial<Omit<PeerOptions, 'timers' | 'capabilities'>> & {
  timers?: Partial<SessionTimers>;
  capabilities?: Partial<CapabilityOptions>;
};

export function peerOptions(remote: string, changes: OptionChanges = {}): PeerOptions {
  const remoteAddress = parseAddress(remote);
  if (remoteAddress === undefined) throw new Error(`not an address: ${remote}`);
  return {
    name: remote,
    remoteAddress,
    remotePort: BGP_PORT,
    localAddress: undefined,
    localPort: 0,
    interface: undefined,
    freebind: false,
    localAs: 64512,
    remoteAs: 64512,
    routerId: 1,
    families: FAMILIES,
    required: undefined,
    disableAfter: undefined,
    role: undefined,
    roleStrict: false,
    passive: false,
    ttl: undefined,
    ttlSecurity: undefined,
    password: undefined,
    ...changes,
    timers: { ...DEFAULT_TIMERS, ...changes.timers },
    capabilities: { ...DEFAULT_CAPABILITIES, ...changes.capabilities },
  };
}

/** Writes down what a peer tells the layer above. */
export class Recorder implements PeerEvents {
  readonly news: string[] = [];
  readonly states: string[] = [];
  readonly downs: DownReason[] = [];
  readonly updates: number[] = [];
  session: Session | undefined;
  onUpdateHook: ((session: Session) => void) | undefined;
  onUpHook: ((session: Session) => void) | undefined;

  onEstablished(session: Session): void {
    this.session = session;
    this.news.push('up');
    this.onUpHook?.(session);
  }
  onUpdate(session: Session, _buffer: Uint8Array, start: number, end: number): void {
    this.updates.push(end - start);
    this.onUpdateHook?.(session);
  }
  onRouteRefresh(_session: Session, family: Family, subtype: 0 | 1 | 2): void {
    this.news.push(`refresh ${family.name} ${subtype}`);
  }
  onDrain(): void {
    this.news.push('drain');
  }
  onDown(_session: Session, reason: DownReason): void {
    this.session = undefined;
    this.downs.push(reason);
    this.news.push(`down ${reason.cause}`);
  }
  onStateChange(peer: Peer): void {
    this.states.push(peer.state);
  }
}

export class World {
  readonly clock = new SimClock();
  readonly network: MemNetwork;
  readonly log = new LineLog();
  readonly random: () => number;

  constructor(options: MemNetworkOptions = {}, seed = 1) {
    this.network = new MemNetwork(this.clock, options);
    this.random = seededRandom(seed);
  }

  /** A machine with one address that listens on the BGP port. */
  speaker(address: string): Speaker {
    return new Speaker(this, address);
  }

  /** A hand-driven machine. */
  raw(address: string): RawHost {
    return new RawHost(this, address);
  }
}

export class Speaker {
  readonly world: World;
  readonly host: MemHost;
  readonly listeners: ListenerSet;
  readonly #address: string;

  constructor(world: World, address: string) {
    this.world = world;
    this.#address = address;
    this.host = world.network.host(ip(address));
    this.listeners = new ListenerSet({ clock: world.clock, transport: this.host, log: world.log });
    this.listeners.open({ address: ip(address), port: BGP_PORT, interface: undefined });
  }

  peer(remote: string, changes: OptionChanges = {}): { peer: Peer; events: Recorder } {
    const events = new Recorder();
    const options = peerOptions(remote, { routerId: parseQuad(this.#address) ?? 1, ...changes });
    const peer = this.make(options, events);
    this.listeners.add(peer);
    return { peer, events };
  }

  make(options: PeerOptions, events: PeerEvents, onRetired?: (peer: Peer) => void): Peer {
    const { clock, random, log } = this.world;
    const transport = this.host;
    return new Peer(options, {
      clock,
      random,
      transport,
      log,
      events,
      ...(onRetired === undefined ? {} : { onRetired }),
    });
  }
}

export class RawHost {
  readonly host: MemHost;
  readonly accepted: RawConnection[] = [];
  readonly #world: World;

  constructor(world: World, address: string) {
    this.#world = world;
    this.host = world.network.host(ip(address));
  }

  listen(port = BGP_PORT): void {
    const address = this.host.addresses[0]!;
    this.host.listen(
      { address, port, interface: undefined },
      {
        onListening() {},
        onAccept: (socket) => this.accepted.push(RawConnection.around(socket)),
        onError(error) {
          throw error;
        },
      },
    );
  }

  dial(
    remote: string,
    options: Partial<SocketOptions> & { port?: number; sourcePort?: number } = {},
  ): RawConnection {
    const endpoint: Endpoint = { address: ip(remote), port: options.port ?? BGP_PORT };
    const connection = new RawConnection();
    connection.socket = this.host.connect(
      {
        remote: endpoint,
        local: { address: undefined, port: options.sourcePort ?? 0 },
        interface: undefined,
        ttl: options.ttl,
        minTtl: undefined,
        password: options.password,
      },
      connection.handlers(),
    );
    this.#world.clock.settle();
    return connection;
  }
}

/** One connection of a raw speaker; `heard` has a word for every message, NOTIFICATIONs in full. */
export class RawConnection {
  readonly heard: string[] = [];
  up = false;
  closed = false;
  socket: TransportSocket | undefined;
  readonly #framer = new Framer();

  static around(socket: TransportSocket): RawConnection {
    const connection = new RawConnection();
    connection.socket = socket;
    connection.up = true;
    socket.attach(connection.handlers());
    return connection;
  }

  handlers() {
    return {
      onConnect: () => {
        this.up = true;
      },
      onData: (buffer: Uint8Array, length: number) => {
        this.#framer.push(buffer, length, (bytes, start, end, type) => {
          this.heard.push(word(bytes, start, end, type));
          return true;
        });
      },
      onEnd: () => {
        this.heard.push('FIN');
        this.socket?.destroy();
      },
      onClose: () => {
        this.closed = true;
      },
    };
  }

  send(...messages: Uint8Array[]): void {
    this.socket?.write(messages, () => {});
  }

  open(changes: Partial<OpenMessage> = {}): void {
    this.send(rawOpen(changes));
  }

  keepalive(): void {
    this.send(encodeKeepalive());
  }
}

export function rawOpen(changes: Partial<OpenMessage> = {}): Uint8Array {
  return encodeOpen({ myAs: 64512, holdTime: 90, id: 0x0a0a0a0a, capabilities: [], ...changes });
}

/** A message of this type with this body. */
export function message(type: keyof typeof MESSAGE_TYPE, body: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(19 + body.length);
  writeHeader(bytes, 0, bytes.length, MESSAGE_TYPE[type]);
  bytes.set(body, 19);
  return bytes;
}

/** No withdrawn routes, no attributes, no NLRI: End-of-RIB. */
export const EMPTY_UPDATE = message('update', [0, 0, 0, 0]);

function word(bytes: Uint8Array, start: number, end: number, type: number): string {
  if (type === MESSAGE_TYPE.notification) {
    const received = decodeNotification(bytes, start, end);
    return `NOTIFICATION ${received.code}/${received.subcode} ${formatNotification(received)}`;
  }
  const name = Object.entries(MESSAGE_TYPE).find(([, value]) => value === type)?.[0] ?? `type ${type}`;
  return name;
}

/** The two ends of `against` and `established`. */
export const A = '10.0.0.1';
export const B = '10.0.0.2';

/** A passive peer and a scripted one that has dialled. */
export function against(changes: OptionChanges = {}) {
  const world = new World();
  const { peer, events } = world.speaker(A).peer(B, { passive: true, ...changes });
  const raw = world.raw(B);
  peer.start();
  world.clock.advance(10);
  const connection = raw.dial(A);
  world.clock.advance(10);
  return { world, peer, events, raw, connection };
}

/** The same, with a session. */
export function established(changes: OptionChanges = {}, open: Parameters<typeof rawOpen>[0] = {}) {
  const all = against(changes);
  all.connection.open(open);
  all.connection.keepalive();
  all.world.clock.advance(10);
  if (all.peer.state !== 'Established') throw new Error(`${all.peer.lastDown?.sentence}`);
  return all;
}
