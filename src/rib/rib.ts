// The routing tables as one thing: shared tables, a FamilyRib and its update groups for each family, the pseudo
// peer of local routes, and the stages that work on them (walk, decide, export) in the speaker's scheduler.

import { isDeepStrictEqual } from 'node:util';
import { FAMILIES } from '../bgp/wire/families.ts';
import type { Clock } from '../lib/clock.ts';
import { formatAddress } from '../lib/ip.ts';
import type { Scheduler } from '../lib/scheduler.ts';
import { flushPeer, markNextHopsDirty, markStale, reimport, removeStale } from './adj-rib-in.ts';
import { AttrStore } from './attr-store.ts';
import type { DecisionOptions } from './decision.ts';
import { FamilyRib } from './family-rib.ts';
import { ImportChecks, type OwnIdentifiers } from './import-checks.ts';
import { NextHopTable } from './next-hops.ts';
import { type ImportOptions, PeerTable, type RibPeer, type RibPeerIdentity } from './rib-peer.ts';
import type { ResumableWork } from './row-walk.ts';
import { UpdateGroups } from './update-groups.ts';

/** Fills many messages and takes less than a slice. */
const EXPORT_CHUNK = 8192;

export interface RibOptions {
  readonly own: OwnIdentifiers;
  readonly decision: DecisionOptions;
  readonly defaultLocalPref: number;
  /** Prefixes that an update group computes and encodes at once. */
  readonly exportChunk?: number;
  /** Room of each table at the start; undefined = for a full table, which costs nothing until it is written. */
  readonly rows?: number | undefined;
}

export class Rib {
  readonly nextHops = new NextHopTable();
  readonly attrs: AttrStore;
  readonly peers = new PeerTable();
  readonly checks: ImportChecks;
  /** By family id. */
  readonly families: readonly FamilyRib[];
  readonly groups: readonly UpdateGroups[];
  /** Origin of own networks and redistributed routes. */
  readonly local: RibPeer;

  readonly #clock: Clock;
  readonly #walks: ResumableWork[] = [];
  /** The family whose groups the next export run begins with, so that none starves. */
  #exportTurn = 0;
  readonly #wakeWalk: () => void;
  readonly #wakeExport: () => void;
  readonly #wakeDecide: () => void;
  /** Ids of families that wait for `release`. */
  readonly #deferred = new Set<number>();
  /** Peers that are gone but still named by some entry. */
  readonly #leaving = new Set<RibPeer>();

  constructor(options: RibOptions, driver: { clock: Clock; scheduler: Scheduler }) {
    const { clock, scheduler } = driver;
    this.#clock = clock;
    this.attrs = new AttrStore(this.nextHops, options.defaultLocalPref, options.rows);
    this.checks = new ImportChecks(this.attrs, options.own);
    this.#wakeWalk = scheduler.add({ name: 'walk', run: (deadline) => this.#runWalks(deadline) });
    this.#wakeDecide = scheduler.add({
      name: 'decide',
      run: (deadline) => this.#runDecisions(deadline),
    });
    this.#wakeExport = scheduler.add({ name: 'export', run: (deadline) => this.#runExport(deadline) });
    const shared = { attrs: this.attrs, nextHops: this.nextHops, peers: this.peers };
    this.families = FAMILIES.map(
      (family) => new FamilyRib(family, shared, options.decision, () => this.#wakeDecide(), options.rows),
    );
    const exportDriver = {
      clock,
      wake: this.#wakeExport,
      chunkPrefixes: options.exportChunk ?? EXPORT_CHUNK,
    };
    this.groups = this.families.map((rib) => new UpdateGroups(rib, exportDriver));
    this.local = this.peers.add(
      {
        name: 'local',
        source: 'local',
        routerId: options.own.routerId,
        address: new Uint8Array(4),
        client: false,
        zone: undefined,
      },
      LOCAL_IMPORT,
    );
  }

  addPeer(identity: RibPeerIdentity, importOptions: ImportOptions): RibPeer {
    return this.peers.add(identity, importOptions);
  }

  /**
   * A suspended peer is back: the peer to go on with. It is the same one, with its routes, unless what the decision
   * and export read of it has changed; then the routes of old were another's.
   */
  resumePeer(peer: RibPeer, identity: RibPeerIdentity, importOptions: ImportOptions): RibPeer {
    const same =
      peer.source === identity.source &&
      peer.routerId === identity.routerId &&
      peer.client === identity.client &&
      formatAddress(peer.address) === formatAddress(identity.address);
    if (same) {
      const judgedAlike = isDeepStrictEqual(peer.importOptions, importOptions);
      this.peers.renew(peer, identity, importOptions);
      // What is announced again as it was is not judged again.
      if (!judgedAlike) for (const rib of this.families) this.addWork(reimport(rib, peer, this.checks));
      return peer;
    }
    this.removePeer(peer);
    return this.addPeer(identity, importOptions);
  }

  /** Removes a peer's routes, in slices, and the peer when nothing names it any more. */
  removePeer(peer: RibPeer): void {
    for (const groups of this.groups) groups.leave(peer.id);
    for (const rib of this.families) this.addWork(flushPeer(rib, peer));
    this.#leaving.add(peer);
    this.#wakeExport();
  }

  /**
   * The session is gone, but the routes of some families stay, marked stale, until the peer confirms or loses them
   * (RFC 4724 §4.2). Those of the other families go.
   */
  suspendPeer(peer: RibPeer, keeps: (familyId: number) => boolean): void {
    for (const groups of this.groups) groups.leave(peer.id);
    for (const rib of this.families) {
      markStale(rib, peer);
      // Only what is stale: the peer may be back, and announce, before the walk is over.
      if (!keeps(rib.family.id)) this.addWork(removeStale(rib, peer));
    }
  }

  /** No route of the family is chosen, and none advertised, until `release`; peers may send theirs meanwhile. */
  defer(familyId: number): void {
    this.#deferred.add(familyId);
  }

  release(familyId: number): void {
    this.#deferred.delete(familyId);
    this.#wakeDecide();
    this.#wakeExport();
  }

  /** Queues a long walk behind those under way. */
  addWork(work: ResumableWork): void {
    this.#walks.push(work);
    this.#wakeWalk();
  }

  /** Next hops whose state changed: every route through them is decided again, in slices. */
  nextHopsChanged(changed: ReadonlySet<number>): void {
    // Before peers that leave and policies that run again: traffic may be lost meanwhile.
    this.#walks.unshift(...this.families.map((rib) => markNextHopsDirty(rib, changed)));
    this.#wakeWalk();
  }

  /** Own identifiers for loop checks from now on (RFC 4456 §8). */
  useOwnIdentifiers(own: OwnIdentifiers): void {
    this.checks.useOwnIdentifiers(own);
  }

  /** Other rules for the decision: every prefix is decided again. */
  useDecision(options: DecisionOptions, defaultLocalPref: number): void {
    this.attrs.useDefaultLocalPref(defaultLocalPref);
    for (const rib of this.families) rib.useDecision(options);
  }

  /** A session can take bytes again. */
  wakeExport(): void {
    this.#wakeExport();
  }

  /** Prefixes that wait to be decided or to be advertised by the slowest group. */
  get backlog(): number {
    let backlog = 0;
    for (const { family, locRib, changes } of this.families) {
      // What is held back must not hold back what it waits for.
      if (!this.#deferred.has(family.id)) backlog += locRib.dirtyCount + changes.length;
    }
    return backlog;
  }

  /** Nothing waits to be walked, decided or exported (members that lag do not count). */
  get idle(): boolean {
    return (
      this.#walks.length === 0 &&
      this.families.every((rib) => rib.locRib.dirtyCount === 0 && rib.changes.length === 0)
    );
  }

  #runWalks(deadline: number): boolean {
    const expired = this.#until(deadline);
    while (this.#walks.length > 0) {
      if (this.#walks[0]!.run(expired)) return true;
      this.#walks.shift();
      if (expired()) break;
    }
    if (this.#leaving.size > 0) this.#wakeExport();
    return this.#walks.length > 0;
  }

  #runDecisions(deadline: number): boolean {
    const expired = this.#until(deadline);
    const ready = this.families.filter((rib) => !this.#deferred.has(rib.family.id));
    return ready.filter((rib) => rib.locRib.decideUntil(expired)).length > 0;
  }

  #runExport(deadline: number): boolean {
    const expired = this.#until(deadline);
    const { length } = this.groups;
    const start = this.#exportTurn;
    for (let i = 0; i < length; i++) {
      const family = (start + i) % length;
      if (this.#deferred.has(family) || !this.groups[family]!.run(expired)) continue;
      // Next time it is first; one that had the whole slice lets the others go before.
      this.#exportTurn = (start + Math.max(i, 1)) % length;
      return true;
    }
    this.#reap();
    return false;
  }

  /** Gives back the ids of departed peers that no table names any more. */
  #reap(): void {
    for (const peer of this.#leaving) {
      const named = peer.counters.some(({ received, best }) => received > 0 || best > 0);
      if (named || !this.groups.every((groups) => groups.isForgotten(peer.id))) continue;
      this.#leaving.delete(peer);
      this.peers.remove(peer);
    }
  }

  #until(deadline: number): () => boolean {
    return () => this.#clock.now() >= deadline;
  }
}

const LOCAL_IMPORT: ImportOptions = {
  ownAses: [],
  allowOwnAs: 0,
  enforceFirstAs: false,
  peerAs: 0,
  role: undefined,
  gracefulShutdown: false,
  draining: false,
  ownAddresses: [],
  policy: 'accept',
};
