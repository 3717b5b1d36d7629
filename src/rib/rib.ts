// The routing tables as one thing: what they share, a FamilyRib and its update groups for each table and family, the
// pseudo peers of local routes, and the stages that work on them (walk, decide, export) in the speaker's scheduler. The
// main table has the first places of the list, so that a family's id is its place there.

import { isDeepStrictEqual } from 'node:util';
import { FAMILIES, type Family } from '../bgp/wire/families.ts';
import type { Clock } from '../lib/clock.ts';
import type { Scheduler } from '../lib/scheduler.ts';
import { flushPeer, reimport } from './adj-rib-in.ts';
import { AttrStore } from './attr-store.ts';
import type { DecisionOptions } from './decision.ts';
import { FamilyRib } from './family-rib.ts';
import { ImportChecks, type OwnIdentifiers } from './import-checks.ts';
import { NextHopTable } from './next-hops.ts';
import {
  type ImportOptions,
  isSamePeer,
  MAIN_HOME,
  PeerTable,
  type RibPeer,
  type RibPeerIdentity,
  uniformImport,
} from './rib-peer.ts';
import type { ResumableWork } from './row-walk.ts';
import { TableWalks } from './table-walks.ts';
import type { ExportDriver } from './update-group.ts';
import { UpdateGroups } from './update-groups.ts';

/** Room of a further table at the start. */
const FURTHER_ROWS = 1 << 12;
/** Fills many messages and takes less than a slice. */
const EXPORT_CHUNK = 8192;

export interface RibOptions {
  readonly own: OwnIdentifiers;
  readonly decision: DecisionOptions;
  readonly defaultLocalPref: number;
  /** Of routes without MULTI_EXIT_DISC; 0 unless given. */
  readonly defaultMed?: number;
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
  readonly walks: TableWalks;
  /** The main table, by family id. */
  readonly families: readonly FamilyRib[];
  /** Of all tables; places of tables that are gone are used again. */
  readonly all: FamilyRib[];
  /** By the index of their table. */
  readonly groups: UpdateGroups[];
  /** Origin of own networks and redistributed routes of the main table. */
  readonly local: RibPeer;

  readonly #clock: Clock;
  readonly #options: RibOptions;
  readonly #exportDriver: ExportDriver;
  #decision: DecisionOptions;
  /** Tables that are gone: empty, or soon so. */
  readonly #vacant = new Set<FamilyRib>();
  /** The table whose groups the next export run begins with, so that none starves. */
  #exportTurn = 0;
  readonly #wakeExport: () => void;
  readonly #wakeDecide: () => void;
  /** Ids of families that were released, and whose routes are being chosen for the first time. */
  readonly #releasing = new Set<number>();
  /** Peers that are gone but still named by some entry. */
  readonly #leaving = new Set<RibPeer>();

  constructor(options: RibOptions, driver: { clock: Clock; scheduler: Scheduler }) {
    const { clock, scheduler } = driver;
    this.#clock = clock;
    this.#options = options;
    this.#decision = options.decision;
    this.attrs = new AttrStore(this.nextHops, options.defaultLocalPref, options.rows);
    this.attrs.useDefaultMed(options.defaultMed ?? 0);
    this.checks = new ImportChecks(this.attrs, options.own);
    this.walks = new TableWalks(scheduler.add({ name: 'walk', run: (deadline) => this.#runWalks(deadline) }));
    this.#wakeDecide = scheduler.add({
      name: 'decide',
      run: (deadline) => this.#runDecisions(deadline),
    });
    this.#wakeExport = scheduler.add({ name: 'export', run: (deadline) => this.#runExport(deadline) });
    this.#exportDriver = {
      clock,
      wake: this.#wakeExport,
      chunkPrefixes: options.exportChunk ?? EXPORT_CHUNK,
    };
    this.families = FAMILIES.map((family) => this.#newFamily(family, family.id, options.rows));
    this.all = [...this.families];
    this.groups = this.families.map((rib) => new UpdateGroups(rib, this.#exportDriver));
    this.local = this.addLocalPeer(MAIN_HOME);
  }

  #newFamily(family: Family, index: number, rows: number | undefined): FamilyRib {
    const shared = { attrs: this.attrs, nextHops: this.nextHops, peers: this.peers };
    return new FamilyRib(family, shared, this.#decision, () => this.#wakeDecide(), rows, index);
  }

  /** A further table of one family, empty. */
  addTable(family: Family): FamilyRib {
    for (const vacant of this.#vacant) {
      if (vacant.family !== family || vacant.paths.size > 0 || vacant.locRib.size > 0) continue;
      this.#vacant.delete(vacant);
      return vacant;
    }
    const table = this.#newFamily(family, this.all.length, this.#options.rows ?? FURTHER_ROWS);
    table.locRib.deferred = this.#isDeferred(family.id);
    this.all.push(table);
    this.peers.useTables(this.all.length);
    this.groups.push(new UpdateGroups(table, this.#exportDriver));
    return table;
  }

  /** Nobody uses the table any more, or soon so: its place is free when its last route has gone. */
  removeTable(table: FamilyRib): void {
    this.#vacant.add(table);
  }

  /** A pseudo peer for local routes; `home` has the index of its table by family id. */
  addLocalPeer(home: readonly number[]): RibPeer {
    const identity = {
      name: 'local',
      source: 'local',
      routerId: this.#options.own.routerId,
      address: new Uint8Array(4),
      client: false,
      zone: undefined,
      home,
    } as const;
    return this.peers.add(identity, LOCAL_IMPORT);
  }

  /** A pseudo peer for the routes of a pipe that hides where they come from. */
  addPipePeer(name: string, { family, index }: FamilyRib): RibPeer {
    const peer = this.addLocalPeer(FAMILIES.map(({ id }) => (id === family.id ? index : -1)));
    peer.name = name;
    return peer;
  }

  /** Where a peer's routes of a family go. */
  homeOf(peer: RibPeer, familyId: number): FamilyRib {
    return this.all[peer.home[familyId]!]!;
  }

  /** The update groups that a peer is served by. */
  groupsOf(peer: RibPeer, familyId: number): UpdateGroups {
    return this.groups[peer.home[familyId]!]!;
  }

  #homesOf(peer: RibPeer): FamilyRib[] {
    return peer.home.flatMap((index) => this.all[index] ?? []);
  }

  addPeer(identity: RibPeerIdentity, importOptions: ImportOptions): RibPeer {
    return this.peers.add(identity, importOptions);
  }

  /**
   * A suspended peer is back: the peer to go on with. It is the same one, with its routes, unless what the decision
   * and export read of it has changed; then the routes of old were another's.
   */
  resumePeer(peer: RibPeer, identity: RibPeerIdentity, importOptions: ImportOptions): RibPeer {
    if (isSamePeer(peer, identity, importOptions.clusterId)) {
      const judgedAlike = isDeepStrictEqual(peer.importOptions, uniformImport(importOptions));
      this.peers.renew(peer, identity, importOptions);
      // What is announced again as it was is not judged again.
      if (!judgedAlike) this.judgeAgain(peer);
      return peer;
    }
    this.removePeer(peer);
    return this.addPeer(identity, importOptions);
  }

  /** Departed peers that still have routes, or that a table names. */
  get leaving(): Iterable<RibPeer> {
    return this.#leaving;
  }

  /** Import runs again over a peer's routes, in slices. */
  judgeAgain(peer: RibPeer): void {
    for (const rib of this.#homesOf(peer)) this.addWork(reimport(rib, peer, this.checks));
  }

  /** Removes a peer's routes, in slices, and the peer when nothing names it any more. */
  removePeer(peer: RibPeer): void {
    for (const groups of this.groups) groups.leave(peer.id);
    // What pipes have brought elsewhere they take back themselves.
    for (const rib of this.#homesOf(peer)) this.addWork(flushPeer(rib, peer));
    this.#leaving.add(peer);
    this.#wakeExport();
  }

  /**
   * The session is gone, but the routes of some families stay, marked stale, until the peer confirms or loses them
   * (RFC 4724 §4.2). Those of the other families go.
   */
  suspendPeer(peer: RibPeer, keeps: (familyId: number) => boolean): void {
    for (const groups of this.groups) groups.leave(peer.id);
    for (const rib of this.#homesOf(peer)) {
      this.walks.markStale(rib, peer);
      // Only what is stale: the peer may be back, and announce, before the walk is over.
      if (!keeps(rib.family.id)) this.walks.sweepStale(rib, peer);
    }
  }

  /** No route of the family is chosen, and none advertised, until `release`; peers may send theirs meanwhile. */
  defer(familyId: number): void {
    this.#setDeferred(familyId, true);
  }

  release(familyId: number): void {
    if (this.#isDeferred(familyId)) this.#releasing.add(familyId);
    this.#setDeferred(familyId, false);
    this.#wakeDecide();
  }

  /** All tables of a family are, or none. */
  #isDeferred(familyId: number): boolean {
    return this.families[familyId]!.locRib.deferred;
  }

  #setDeferred(familyId: number, deferred: boolean): void {
    for (const { family, locRib } of this.all) if (family.id === familyId) locRib.deferred = deferred;
  }

  /** Queues a long walk behind those under way. */
  addWork(work: ResumableWork): void {
    this.walks.add(work);
  }

  /** Next hops whose state changed: every route through them is decided again, in slices. */
  nextHopsChanged(changed: ReadonlySet<number>): void {
    for (const table of this.all) this.walks.decideThrough(table, changed);
  }

  /** Own identifiers for loop checks from now on (RFC 4456 §8). */
  useOwnIdentifiers(own: OwnIdentifiers): void {
    this.checks.useOwnIdentifiers(own);
  }

  /** Other rules for the decision: every prefix is decided again. */
  useDecision(options: DecisionOptions, defaultLocalPref: number, defaultMed = 0): void {
    this.attrs.useDefaultLocalPref(defaultLocalPref);
    this.attrs.useDefaultMed(defaultMed);
    this.#decision = options;
    for (const table of this.all) this.useDecisionIn(table, options);
  }

  /** The same for one table alone. */
  useDecisionIn(table: FamilyRib, options: DecisionOptions): void {
    table.useDecision(options);
    this.walks.decideAll(table);
  }

  /** A session can take bytes again. */
  wakeExport(): void {
    this.#wakeExport();
  }

  /** Prefixes that wait to be decided or to be advertised by the slowest group. */
  get backlog(): number {
    let backlog = 0;
    for (const { locRib, changes } of this.all) {
      // What is held back must not hold back what it waits for.
      if (!locRib.deferred) backlog += locRib.dirtyCount + changes.length;
    }
    return backlog;
  }

  /** Nothing waits to be walked, decided or exported (members that lag do not count). */
  get idle(): boolean {
    return (
      this.walks.isEmpty && this.all.every((rib) => rib.locRib.dirtyCount === 0 && rib.changes.length === 0)
    );
  }

  /** Rows of the path tables that routes are in, and that routes have left. */
  get rows(): { readonly used: number; readonly spare: number } {
    let used = 0;
    let spare = 0;
    for (const { paths } of this.all) {
      used += paths.size;
      spare += paths.limit - 1 - paths.size;
    }
    return { used, spare };
  }

  /** Gives back the room that routes have left behind. All at once: for when nothing is under way. */
  compact(): void {
    for (const { prefixes, paths } of this.all) {
      prefixes.compact();
      paths.compact();
    }
    for (const groups of this.groups) for (const { adjRibOut } of groups.values()) adjRibOut.compact();
    this.attrs.compact();
  }

  #runWalks(deadline: number): boolean {
    const expired = this.#until(deadline);
    const more = this.walks.run(expired);
    if (this.#leaving.size > 0) this.#wakeExport();
    return more;
  }

  #runDecisions(deadline: number): boolean {
    const expired = this.#until(deadline);
    const ready = this.all.filter((rib) => !rib.locRib.deferred);
    for (const rib of ready) rib.locRib.decideUntil(expired);
    for (const id of this.#releasing) this.#endRelease(id);
    // Afterwards: what is decided in one table may go into another.
    return ready.some((rib) => rib.locRib.dirtyCount > 0);
  }

  /**
   * RFC 4724 §4.1: nothing is advertised before all is chosen. End-of-RIB follows what is there, and whoever helped would
   * drop what comes after it.
   */
  #endRelease(familyId: number): void {
    if (this.all.some(({ family, locRib }) => family.id === familyId && locRib.dirtyCount > 0)) return;
    this.#releasing.delete(familyId);
    this.#wakeExport();
  }

  #isHeldBack(familyId: number): boolean {
    return this.#isDeferred(familyId) || this.#releasing.has(familyId);
  }

  #runExport(deadline: number): boolean {
    const expired = this.#pastOnePiece(deadline);
    const { length } = this.groups;
    const start = this.#exportTurn;
    for (let i = 0; i < length; i++) {
      const index = (start + i) % length;
      if (this.#isHeldBack(this.all[index]!.family.id) || !this.groups[index]!.run(expired)) continue;
      // Next time it is first; one that had the whole slice lets the others go before.
      this.#exportTurn = (start + Math.max(i, 1)) % length;
      return true;
    }
    this.#reap();
    return false;
  }

  /** Gives back the ids of departed peers that no table names any more, and no walk either. */
  #reap(): void {
    if (!this.walks.isEmpty) return;
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

  /** For work that asks before each piece: the first one is done however late it is, or it would never be. */
  #pastOnePiece(deadline: number): () => boolean {
    let asked = false;
    return () => {
      const expired = asked && this.#clock.now() >= deadline;
      asked = true;
      return expired;
    };
  }
}

const LOCAL_IMPORT: ImportOptions = {
  ownAses: new Uint32Array(0),
  allowOwnAs: 0,
  enforceFirstAs: false,
  peerAs: 0,
  role: undefined,
  gracefulShutdown: false,
  draining: false,
  ownAddresses: [],
  clusterId: 0,
  policy: 'accept',
};
