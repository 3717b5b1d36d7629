// What one connection to a station is told: Peer Up for everybody who is Established, their routes table by table, and what
// becomes of them until the connection ends (RFC 7854 §3.3). Another connection begins anew, with another feed.

import type { DownReason } from '../../bgp/session/down-reason.ts';
import { MAX_MESSAGE_LENGTH } from '../../bgp/wire/header.ts';
import { routeHeader } from '../../bmp/message.ts';
import { PEER_FLAG } from '../../bmp/protocol.ts';
import type { BmpView } from '../../config/bmp.ts';
import type { Clock } from '../../lib/clock.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import type { Rib } from '../../rib/rib.ts';
import type { ResumableWork } from '../../rib/row-walk.ts';
import type { EstablishedPeer } from '../established-peer.ts';
import type { PeerHandle } from '../peer-registry.ts';
import {
  locRibHeader,
  locRibStatistics,
  locRibUp,
  type OwnIdentity,
  peerDown,
  peerHeader,
  peerStatistics,
  peerUp,
} from './peer-messages.ts';
import type { RouteSource } from './route-messages.ts';
import { TableFeed, type TableSource } from './table-feed.ts';
import type { TableTaps } from './table-taps.ts';

export interface FeedTools {
  readonly clock: Clock;
  readonly rib: Rib;
  readonly taps: TableTaps;
  readonly own: OwnIdentity;
  readonly send: (messages: Uint8Array) => void;
  /** The station takes more. */
  readonly hasRoom: () => boolean;
  /** There is something to do. */
  readonly wake: () => void;
}

interface MonitoredPeer {
  readonly established: EstablishedPeer;
  readonly tables: readonly { readonly feed: TableFeed; readonly source: TableSource }[];
}

interface OpenTable {
  readonly feed: TableFeed;
  readonly close: () => void;
}

const FLAGS: Readonly<Record<Exclude<BmpView, 'loc-rib'>, number>> = {
  'pre-policy': 0,
  'post-policy': PEER_FLAG.postPolicy,
};
const MS_PER_SECOND = 1000;

export class StationFeed {
  readonly #tools: FeedTools;
  readonly #views: readonly BmpView[];
  readonly #tables = new Map<FamilyRib, OpenTable>();
  readonly #peers = new Map<PeerHandle, MonitoredPeer>();
  /** Peers that are up, and that the station has yet to hear of; those that statistics are due of. */
  #newcomers: PeerHandle[] = [];
  #due: PeerHandle[] = [];
  #lastId = 0;

  constructor(views: readonly BmpView[], tools: FeedTools) {
    this.#views = views;
    this.#tools = tools;
  }

  /** Peers that the station knows of. */
  get peers(): number {
    return this.#peers.size;
  }

  /** Prefixes whose changes it has yet to be told. */
  get waiting(): number {
    let waiting = 0;
    for (const { feed } of this.#tables.values()) waiting += feed.waiting;
    return waiting;
  }

  /** The connection is up. */
  begin(peers: Iterable<PeerHandle>): void {
    const { send, own, clock, wake } = this.#tools;
    this.#newcomers = [...peers].filter(({ established }) => established !== undefined);
    wake();
    if (!this.#views.includes('loc-rib')) return;
    send(locRibUp(own, clock.wallTime()));
    const route = { id: ++this.#lastId, header: routeHeader(locRibHeader(own)) };
    for (const rib of this.#tools.rib.families) {
      this.#table(rib).feed.add({
        id: route.id,
        peerId: undefined,
        form: { addPath: false, messageLimit: MAX_MESSAGE_LENGTH },
        sources: new Map([['loc-rib', route]]),
        needsWalk: true,
        waits: false,
        followsPeer: false,
      });
    }
  }

  peerUp(handle: PeerHandle): void {
    if (handle.established !== undefined) this.#add(handle, handle.established, true);
  }

  peerDown(handle: PeerHandle, reason: DownReason): void {
    const monitored = this.#peers.get(handle);
    if (monitored === undefined) return;
    this.#peers.delete(handle);
    for (const { feed, source } of monitored.tables) feed.remove(source);
    const { send, clock } = this.#tools;
    send(peerDown(peerHeader(monitored.established.session), reason, clock.wallTime()));
  }

  /** The peer has sent all it has of some family. */
  progress(handle: PeerHandle): void {
    const monitored = this.#peers.get(handle);
    if (monitored === undefined) return;
    const { endOfRib } = monitored.established;
    for (const { feed, source } of monitored.tables) {
      if (source.waits && endOfRib.has(feed.family.id)) feed.endOfRib(source);
    }
  }

  /** Sends until `expired` or until the station takes no more; true where something is left that could be sent. */
  run(expired: () => boolean): boolean {
    const { hasRoom, send } = this.#tools;
    for (let next = this.#nextPeer(); next !== undefined; next = this.#nextPeer()) {
      next();
      if (expired()) return true;
    }
    for (const { feed } of this.#tables.values()) {
      while (hasRoom() && feed.step(send)) if (expired()) return true;
    }
    return false;
  }

  /** RFC 7854 §4.8; not for a station that has yet to hear the last ones. */
  sendStatistics(): void {
    const { clock, rib, own, send, wake } = this.#tools;
    if (this.#newcomers.length > 0 || this.#due.length > 0) return;
    this.#due = [...this.#peers.keys()];
    if (this.#views.includes('loc-rib')) send(locRibStatistics(own, rib, clock.wallTime()));
    wake();
  }

  /** What is to be said of one peer, if anything, and if the station takes it. */
  #nextPeer(): (() => void) | undefined {
    if (!this.#tools.hasRoom()) return undefined;
    const newcomer = this.#newcomers.pop();
    if (newcomer !== undefined) return () => this.#introduce(newcomer);
    const due = this.#due.pop();
    return due && (() => this.#report(due));
  }

  /** It may have gone meanwhile, and be back. */
  #introduce(handle: PeerHandle): void {
    if (handle.established !== undefined && !this.#peers.has(handle)) {
      this.#add(handle, handle.established, false);
    }
  }

  #report(handle: PeerHandle): void {
    const monitored = this.#peers.get(handle);
    if (monitored === undefined) return;
    const { session, ribPeer } = monitored.established;
    const now = this.#tools.clock.wallTime();
    this.#tools.send(peerStatistics(peerHeader(session), ribPeer, session.context.families, now));
  }

  /** The connection is gone: nothing is followed any more, and what is held is given back in slices. */
  end(): ResumableWork {
    const works = [...this.#tables.values()].map(({ feed, close }) => {
      close();
      return feed.emptyInSlices();
    });
    this.#tables.clear();
    this.#peers.clear();
    return { run: (expired) => works.some((work) => work.run(expired)) };
  }

  /** `fresh`: its session has just come up. */
  #add(handle: PeerHandle, established: EstablishedPeer, fresh: boolean): void {
    const { session, ribPeer } = established;
    this.#tools.send(peerUp(session, handle.peer.since));
    const id = ++this.#lastId;
    const sources = this.#sourcesOf(established, id);
    const { addPathReceive, receiveLimit, families } = session.context;
    // RFC 4724 §3: who knows the capability ends its first routes with an End-of-RIB.
    const speaksOfEnd = handle.restartOffer !== undefined;
    const tables = families.map((family) => {
      const rib = this.#tools.rib.homeOf(ribPeer, family.id);
      const { feed } = this.#table(rib);
      const source: TableSource = {
        id,
        peerId: ribPeer.id,
        form: { addPath: (addPathReceive & (1 << family.id)) !== 0, messageLimit: receiveLimit },
        sources,
        needsWalk: ribPeer.countersOf(family.id).received > 0,
        waits: fresh && speaksOfEnd && !established.endOfRib.has(family.id),
        followsPeer: false,
      };
      feed.add(source);
      return { feed, source };
    });
    this.#peers.set(handle, { established, tables });
  }

  #sourcesOf({ session }: EstablishedPeer, id: number): ReadonlyMap<BmpView, RouteSource> {
    const sources = new Map<BmpView, RouteSource>();
    for (const view of this.#views) {
      if (view === 'loc-rib') continue;
      sources.set(view, { id, header: routeHeader(peerHeader(session, FLAGS[view])) });
    }
    return sources;
  }

  #table(rib: FamilyRib): OpenTable {
    const known = this.#tables.get(rib);
    if (known !== undefined) return known;
    const { clock, taps, wake } = this.#tools;
    const nowSeconds = (): number => Math.floor(clock.wallTime() / MS_PER_SECOND);
    const feed = new TableFeed(rib, this.#views, { nowSeconds, wake });
    const table = { feed, close: taps.listen(rib, feed.mark) };
    this.#tables.set(rib, table);
    return table;
  }
}
