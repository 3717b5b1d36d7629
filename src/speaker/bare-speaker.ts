// A speaker without sessions and kernel: the routing tables, the pipeline, and peers whose octets come from a stream and
// go nowhere. Its turns are run by whoever feeds it: warm-up.ts, and the micro-benchmarks.

import { IPV4_UNICAST } from '../bgp/wire/families.ts';
import { Framer, type OnMessage } from '../bgp/wire/framing.ts';
import { MAX_MESSAGE_LENGTH } from '../bgp/wire/header.ts';
import type { PeerType, SessionContext } from '../bgp/wire/session-context.ts';
import { UpdateDecoder } from '../bgp/wire/update-decoder.ts';
import { NO_LIMITS } from '../config/peer-limits.ts';
import type { Clock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { type Defer, Scheduler } from '../lib/scheduler.ts';
import { StageBeat } from '../lib/stage-beat.ts';
import type { ExportOptions } from '../rib/export-options.ts';
import { Rib } from '../rib/rib.ts';
import type { ImportOptions, RibPeer } from '../rib/rib-peer.ts';
import { PeerLimits } from './peer-limits.ts';
import { Pipeline } from './pipeline.ts';
import { NO_LINKS, UpdateSource, type UpdateSourceParts } from './update-source.ts';

export const LOCAL_AS = 65000;
const FIRST_PEER_AS = 65101;
/** Does not fit into V8's small integers; many a real one does not. */
const FIRST_PEER_ID = 0xc0000202;
const OWN_ADDRESS = Uint8Array.of(10, 90, 0, 1);
/** As much as a session reads at once. */
const READ_SIZE = 1 << 18;

export function peerAs(number: number): number {
  return FIRST_PEER_AS + number;
}

export function peerAddress(number: number): Uint8Array {
  return Uint8Array.of(10, 90, 1, 1 + number);
}

export interface BareOptions {
  /** External peers. */
  readonly peers: number;
  /** Route-reflector clients; their numbers follow. */
  readonly clients?: number;
  /** Room in the tables at the start. */
  readonly rows?: number;
  /** How what is deferred joins `turns`. */
  readonly defer?: (turns: (() => void)[]) => Defer;
  /** What framing calls for a message, if it is not what takes the message itself. */
  readonly handler?: (receive: OnMessage) => OnMessage;
}

interface BarePeer {
  readonly ribPeer: RibPeer;
  readonly source: UpdateSource;
  readonly framer: Framer;
  readonly onMessage: OnMessage;
}

export class BareSpeaker {
  readonly rib: Rib;
  readonly #turns: (() => void)[] = [];
  readonly #pipeline: Pipeline;
  readonly #peers: BarePeer[] = [];
  readonly #handler: (receive: OnMessage) => OnMessage;
  readonly #clock: Clock;
  /** Octets that peers were sent. */
  sent = 0;

  constructor(
    clock: Clock,
    { peers, clients = 0, rows, defer: deferTo = pushedTo, handler = (receive) => receive }: BareOptions,
  ) {
    this.#handler = handler;
    this.#clock = clock;
    const defer = deferTo(this.#turns);
    const scheduler = new Scheduler(clock, { defer, beat: new StageBeat() });
    this.rib = new Rib({ ...RIB_OPTIONS, rows }, { clock, scheduler });
    this.#pipeline = new Pipeline(this.rib, clock, defer);
    for (let i = 0; i < peers; i++) this.#peers.push(this.#addPeer(i, 'external'));
    for (let i = 0; i < clients; i++) this.#peers.push(this.#addPeer(peers + i, 'internal'));
  }

  get routes(): number {
    return this.rib.families[IPV4_UNICAST.id]!.locRib.size;
  }

  /** The peer wants routes from now on. */
  exportTo(number: number): void {
    const sink = {
      send: (chunks: readonly Uint8Array[]): boolean => {
        for (const chunk of chunks) this.sent += chunk.length;
        return true;
      },
      congested: false,
    };
    const { ribPeer } = this.#peers[number]!;
    const options = ribPeer.source === 'external' ? EXPORT : EXPORT_TO_CLIENT;
    this.rib.groups[IPV4_UNICAST.id]!.join(options, { peer: ribPeer, sink });
  }

  /** A peer's octets, read by read, with the other stages' turns between. */
  feed(number: number, stream: Uint8Array, readSize = READ_SIZE): void {
    const { framer, onMessage } = this.#peers[number]!;
    for (let at = 0; at < stream.length; at += readSize) {
      const chunk = stream.subarray(at, at + readSize);
      framer.push(chunk, chunk.length, onMessage);
      this.turn();
    }
    this.settle();
  }

  /** What waits for its turn; what it leaves for the next one stays. */
  turn(): void {
    for (const turn of this.#turns.splice(0)) turn();
  }

  settle(): void {
    while (this.#turns.length > 0) this.turn();
  }

  #addPeer(number: number, peerType: PeerType): BarePeer {
    const context = sessionContext(number, peerType);
    const ribPeer = this.rib.addPeer(
      {
        name: `peer ${number}`,
        source: peerType,
        routerId: context.peerId,
        address: peerAddress(number),
        client: peerType === 'internal',
        zone: undefined,
      },
      { ...IMPORT, peerAs: context.peerAs },
    );
    // As a session does at its begin: code that was compiled for a field that never changes is thrown away when it does.
    ribPeer.blocks = undefined;
    ribPeer.damper = undefined;
    ribPeer.tracer = undefined;
    const decoder = new UpdateDecoder(context, { acceptAsSets: true });
    const source = madeUpSource({ ribPeer, decoder, clock: this.#clock });
    const onMessage = this.#handler((buffer, start, end) => {
      this.#pipeline.receive(source, buffer, start, end);
      return true;
    });
    return { ribPeer, source, framer: new Framer(MAX_MESSAGE_LENGTH), onMessage };
  }
}

/** A source of UPDATEs without a session; it has no limits and is on no link. */
export function madeUpSource(
  parts: Pick<UpdateSourceParts, 'ribPeer' | 'decoder' | 'clock'> & Partial<UpdateSourceParts>,
): UpdateSource {
  return new UpdateSource({
    session: { pauseReading() {}, resumeReading() {} },
    limits: noLimits(parts.ribPeer.name),
    links: NO_LINKS,
    onIssues() {},
    onEndOfRib() {},
    ...parts,
  });
}

function noLimits(name: string): PeerLimits {
  return new PeerLimits(NO_LIMITS, {
    name,
    log: silentLogger,
    defer() {},
    exported: () => 0,
    ask: () => false,
    keptBack: () => false,
    end() {},
  });
}

function pushedTo(turns: (() => void)[]): Defer {
  return (fn) => void turns.push(fn);
}

/** What was agreed with a peer. */
export function sessionContext(number: number, peerType: PeerType = 'external'): SessionContext {
  return {
    peerType,
    localAs: LOCAL_AS,
    peerAs: peerType === 'external' ? peerAs(number) : LOCAL_AS,
    localId: 1,
    peerId: FIRST_PEER_ID + number,
    holdTime: 90,
    families: [IPV4_UNICAST],
    as4: true,
    addPathReceive: 0,
    addPathSend: 0,
    extendedNextHop: 0,
    sendLimit: MAX_MESSAGE_LENGTH,
    receiveLimit: MAX_MESSAGE_LENGTH,
    routeRefresh: true,
    enhancedRouteRefresh: true,
    knowsLongLived: false,
    localRole: undefined,
  };
}

const RIB_OPTIONS = {
  own: { routerId: 1, clusterIds: [1] },
  decision: {
    alwaysCompareMed: false,
    preferOldest: false,
    multipathRelax: true,
    ignoreAsPathLength: false,
    ignoreIgpMetric: false,
    ignoreRouterId: false,
    aigp: false,
    multipathLimit: 1,
  },
  defaultLocalPref: 100,
};

const IMPORT: ImportOptions = {
  ownAses: Uint32Array.of(LOCAL_AS),
  allowOwnAs: 0,
  enforceFirstAs: true,
  peerAs: 0,
  role: undefined,
  gracefulShutdown: true,
  draining: false,
  ownAddresses: [OWN_ADDRESS],
  clusterId: 1,
  policy: 'accept',
};

/** Towards an external peer. */
export const EXPORT: ExportOptions = {
  family: IPV4_UNICAST,
  peerType: 'external',
  policy: 'accept',
  localAs: LOCAL_AS,
  overrideAs: 0,
  removePrivateAs: false,
  client: false,
  clusterId: 1,
  shunnedCluster: 0,
  clientToClient: true,
  routeServerClient: false,
  nextHop: 'auto',
  ownNextHop: OWN_ADDRESS,
  defaultLocalPref: 100,
  renewsOwn: false,
  sendsOwnMed: true,
  role: undefined,
  aigp: false,
  sendCommunities: true,
  draining: false,
  staleRoutes: 'withhold',
  as4: true,
  addPath: 'none',
  messageLimit: MAX_MESSAGE_LENGTH,
  extendedNextHop: false,
};

const EXPORT_TO_CLIENT: ExportOptions = { ...EXPORT, peerType: 'internal', client: true };
