// A speaker without sessions and kernel: the routing tables, the pipeline, and external peers whose octets come from a
// stream and go nowhere. Its turns are run by whoever feeds it: warm-up.ts, and the micro-benchmarks.

import { IPV4_UNICAST } from '../bgp/wire/families.ts';
import { Framer } from '../bgp/wire/framing.ts';
import { MAX_MESSAGE_LENGTH } from '../bgp/wire/header.ts';
import type { SessionContext } from '../bgp/wire/session-context.ts';
import { UpdateDecoder } from '../bgp/wire/update-decoder.ts';
import type { Clock } from '../lib/clock.ts';
import { Scheduler } from '../lib/scheduler.ts';
import type { ExportOptions } from '../rib/export-options.ts';
import { Rib } from '../rib/rib.ts';
import type { ImportOptions, RibPeer } from '../rib/rib-peer.ts';
import { Pipeline, type UpdateSource } from './pipeline.ts';

export const LOCAL_AS = 65000;
const FIRST_PEER_AS = 65101;
const OWN_ADDRESS = Uint8Array.of(10, 90, 0, 1);
/** As much as a session reads at once. */
const READ_SIZE = 1 << 18;

export function peerAs(number: number): number {
  return FIRST_PEER_AS + number;
}

export function peerAddress(number: number): Uint8Array {
  return Uint8Array.of(10, 90, 1, 1 + number);
}

interface BarePeer {
  readonly ribPeer: RibPeer;
  readonly source: UpdateSource;
  readonly framer: Framer;
}

export class BareSpeaker {
  readonly rib: Rib;
  readonly #turns: (() => void)[] = [];
  readonly #pipeline: Pipeline;
  readonly #peers: BarePeer[] = [];
  /** Octets that peers were sent. */
  sent = 0;

  /** `rows`: room in the tables at the start. */
  constructor(peers: number, clock: Clock, rows?: number) {
    const defer = (fn: () => void): void => {
      this.#turns.push(fn);
    };
    this.rib = new Rib({ ...RIB_OPTIONS, rows }, { clock, scheduler: new Scheduler(clock, { defer }) });
    this.#pipeline = new Pipeline(this.rib, clock, defer);
    for (let i = 0; i < peers; i++) this.#peers.push(this.#addPeer(i));
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
    this.rib.groups[IPV4_UNICAST.id]!.join(EXPORT, { peer: this.#peers[number]!.ribPeer, sink });
  }

  /** A peer's octets, read by read, with the other stages' turns between. */
  feed(number: number, stream: Uint8Array, readSize = READ_SIZE): void {
    const { framer, source } = this.#peers[number]!;
    for (let at = 0; at < stream.length; at += readSize) {
      const chunk = stream.subarray(at, at + readSize);
      framer.push(chunk, chunk.length, (buffer, start, end) => {
        this.#pipeline.receive(source, buffer, start, end);
        return true;
      });
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

  #addPeer(number: number): BarePeer {
    const address = peerAddress(number);
    const ribPeer = this.rib.addPeer(
      {
        name: `peer ${number}`,
        source: 'external',
        routerId: 2 + number,
        address,
        client: false,
        zone: undefined,
      },
      { ...IMPORT, peerAs: peerAs(number) },
    );
    const source: UpdateSource = {
      ribPeer,
      decoder: new UpdateDecoder(sessionContext(number)),
      session: { pauseReading() {}, resumeReading() {} },
      limits: undefined,
      endOfRib: new Set(),
      nextHopZone: () => undefined,
      nowSeconds: () => 0,
      reportIssues() {},
      onEndOfRib() {},
    };
    return { ribPeer, source, framer: new Framer(MAX_MESSAGE_LENGTH) };
  }
}

/** What was agreed with a peer. */
export function sessionContext(number: number): SessionContext {
  return {
    peerType: 'external',
    localAs: LOCAL_AS,
    peerAs: peerAs(number),
    localId: 1,
    peerId: 2 + number,
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
    ignoreRouterId: false,
    aigp: false,
    multipathLimit: 1,
  },
  defaultLocalPref: 100,
};

const IMPORT: ImportOptions = {
  ownAses: [LOCAL_AS],
  allowOwnAs: 0,
  enforceFirstAs: true,
  peerAs: 0,
  role: undefined,
  gracefulShutdown: true,
  draining: false,
  ownAddresses: [OWN_ADDRESS],
  policy: 'accept',
};

export const EXPORT: ExportOptions = {
  family: IPV4_UNICAST,
  peerType: 'external',
  policy: 'accept',
  localAs: LOCAL_AS,
  overrideAs: 0,
  removePrivateAs: false,
  client: false,
  clusterId: 1,
  clientToClient: true,
  routeServerClient: false,
  nextHop: 'auto',
  ownNextHop: OWN_ADDRESS,
  defaultLocalPref: 100,
  renewsOwn: false,
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
