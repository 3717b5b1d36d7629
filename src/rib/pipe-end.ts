// One direction of a pipe: all routes of a table, through a policy, into another table of the same family. A route stays
// what it is there: its row carries the peer that it came from, so decision, distribution and views treat it as they do
// at home, and the attribute sets are the same ones. The row also names the feed that has brought it, and that is how
// loops end: a route never goes to a table that it has come through.
//
// It works where the source decides a prefix, in the same turn; what it makes dirty in the other table is decided next.

import { addRow, removeRow, replaceRow } from './adj-rib-in.ts';
import type { FamilyRib } from './family-rib.ts';
import type { Feed } from './feeds.ts';
import { type ImportResult, REJECT } from './import-checks.ts';
import type { RibPeer } from './rib-peer.ts';
import type { PeerPolicy } from './route-policy.ts';
import { PrefixWalk, type ResumableWork, RowWalk } from './row-walk.ts';

/** Numbers of routes since the pipe came up. */
export interface PipeCounters {
  /** Offered, and of these: refused because they would go back, refused by the policy, nothing new, taken over. */
  received: number;
  looped: number;
  filtered: number;
  unchanged: number;
  accepted: number;
  /** Taken back. */
  withdrawn: number;
}

/** Prefixes passed over that one counts for: a policy runs. */
const SYNC_COST = 1 << 10;

/** BIRD 1.6's other kind of pipe: only best routes, and as routes of the pipe itself. */
export interface Veil {
  /** Who its routes are from. */
  readonly peer: RibPeer;
  readonly protocol: string;
  readonly preference: number;
}

export interface PipeDriver {
  /** Takes a long walk over. */
  readonly addWork: (work: ResumableWork) => void;
}

export class PipeEnd implements Feed {
  readonly source: FamilyRib;
  readonly target: FamilyRib;
  readonly counters: PipeCounters = {
    received: 0,
    looped: 0,
    filtered: 0,
    unchanged: 0,
    accepted: 0,
    withdrawn: 0,
  };
  /** Routes that it has in the target now. */
  routes = 0;
  policy: PeerPolicy;
  readonly veil: Veil | undefined;
  readonly #driver: PipeDriver;
  readonly #id: number;
  readonly #unlisten: () => void;
  #closed = false;

  /** Begins at once, with what the source has. Throws RangeError where the target takes no more pipes. */
  constructor(source: FamilyRib, target: FamilyRib, policy: PeerPolicy, driver: PipeDriver, veil?: Veil) {
    this.veil = veil;
    this.source = source;
    this.target = target;
    this.policy = policy;
    this.#driver = driver;
    this.#id = target.feeds.add(this);
    this.#unlisten = source.locRib.addListener((prefixId) => this.#sync(prefixId, false));
    driver.addWork(this.#walk(false));
  }

  /** The number that its rows carry. */
  get feed(): number {
    return this.#id;
  }

  /** Another policy: every route is judged again, in slices. */
  usePolicy(policy: PeerPolicy): void {
    this.policy = policy;
    this.judgeAgain();
  }

  judgeAgain(): void {
    this.#driver.addWork(this.#walk(true));
  }

  /** Takes its routes back, in slices. */
  close(): void {
    this.#unlisten();
    this.#closed = true;
    const { target } = this;
    const { paths } = target;
    const visit = (row: number): void => {
      if (paths.feed(row) === this.#id) this.#remove(row);
    };
    this.#driver.addWork(new RowWalk(target, undefined, visit, () => target.feeds.remove(this.#id)));
  }

  review(prefixId: number): void {
    const here = this.source.prefixes.idOf(this.target.prefixes, prefixId);
    if (here !== 0 && !this.#closed) this.#sync(here, false);
  }

  adopt(row: number): void {
    this.target.paths.setFeed(row, this.#id);
    this.routes++;
  }

  /** What the policy makes of a route of the source, held once for the caller; 0 = nothing. */
  judge(row: number): number {
    const { source, policy } = this;
    const { attrs, peers } = source.shared;
    const attr = source.paths.attrPost(row);
    if (policy === 'accept') {
      attrs.hold(attr);
      return attr;
    }
    if (typeof policy === 'string') return 0;
    const from = peers.get(source.paths.peerId(row));
    return policy.apply(source, source.paths.prefixId(row), attr, from, attr);
  }

  /** The row in the target that stands for one of the source; 0 = there is none of this pipe's. */
  rowFor(row: number): number {
    const found = this.#placeOf(row);
    return found !== 0 && this.target.paths.feed(found) === this.#id ? found : 0;
  }

  /** Whether a route of the source may go to the target: it has not come through there. */
  admits(row: number): boolean {
    let table = this.source;
    let at = row;
    for (;;) {
      const feed = table.paths.feed(at);
      if (feed === 0) return true;
      const before = table.feeds.get(feed);
      if (before === undefined || before.source === this.target) return false;
      // What brought it may have lost it meanwhile, and takes it back next.
      at = before.originOf(at);
      if (at === 0) return false;
      table = before.source;
    }
  }

  originOf(row: number): number {
    if (this.veil === undefined) return this.#counterpart(this.target, row, this.source);
    const { source, target } = this;
    const there = source.prefixes.idOf(target.prefixes, target.paths.prefixId(row));
    return there === 0 ? 0 : source.locRib.bestRow(there);
  }

  /** Where a row of the source is, or would be, in the target. */
  #placeOf(row: number): number {
    if (this.veil === undefined) return this.#counterpart(this.source, row, this.target);
    const { source, target } = this;
    const there = target.prefixes.idOf(source.prefixes, source.paths.prefixId(row));
    return there === 0 ? 0 : target.paths.find(there, this.veil.peer.id, 0);
  }

  /** The row of the same route in another table, or 0. */
  #counterpart(from: FamilyRib, row: number, to: FamilyRib): number {
    const { paths, prefixes } = from;
    const there = to.prefixes.idOf(prefixes, paths.prefixId(row));
    return there === 0 ? 0 : to.paths.find(there, paths.peerId(row), paths.pathId(row));
  }

  /** Brings one prefix of the target up to date; `again`: the policy may say something else of the same routes. */
  #sync(prefixId: number, again: boolean): void {
    const { source } = this;
    this.#dropGone(prefixId);
    if (this.veil !== undefined) {
      const best = source.locRib.bestRow(prefixId);
      if (best !== 0) this.#offer(best, again);
      return;
    }
    for (let row = source.paths.first(prefixId); row !== 0; row = source.paths.next(row)) {
      if (source.paths.attrPost(row) !== 0) this.#offer(row, again);
    }
  }

  /** Takes back what the source does not have any more. */
  #dropGone(prefixId: number): void {
    const { source, target } = this;
    const there = target.prefixes.idOf(source.prefixes, prefixId);
    if (there === 0) return;
    const { paths } = target;
    const gone: number[] = [];
    for (let row = paths.first(there); row !== 0; row = paths.next(row)) {
      if (paths.feed(row) !== this.#id) continue;
      const origin =
        this.veil === undefined
          ? source.paths.find(prefixId, paths.peerId(row), paths.pathId(row))
          : source.locRib.bestRow(prefixId);
      if (origin === 0 || source.paths.attrPost(origin) === 0) gone.push(row);
    }
    this.counters.withdrawn += gone.length;
    this.#takeBack(there, gone);
  }

  #offer(row: number, again: boolean): void {
    const { source, target, counters } = this;
    const { attrs, peers } = source.shared;
    const attrIn = source.paths.attrPost(row);
    const there = this.#placeOf(row);
    const mine = there !== 0 && target.paths.feed(there) === this.#id;
    if (!this.admits(row) || (there !== 0 && !mine)) {
      counters.received++;
      counters.looped++;
      if (mine) this.#remove(there);
      return;
    }
    if (mine && !again && target.paths.attrIn(there) === attrIn) return;
    counters.received++;
    const attr = this.#veiled(this.judge(row));
    if (attr === 0) {
      counters.filtered++;
      if (mine) this.#remove(there);
      return;
    }
    if (mine && target.paths.attrIn(there) === attrIn && target.paths.attrPost(there) === attr) {
      counters.unchanged++;
    } else {
      counters.accepted++;
      const peer = this.veil?.peer ?? peers.get(source.paths.peerId(row));
      const result: ImportResult = { attrPost: attr, cause: REJECT.none };
      const since = source.paths.since(row);
      if (mine) replaceRow(target, peer, there, attrIn, result, since);
      else this.#add(row, attrIn, result);
    }
    attrs.release(attr);
  }

  /** The set as one of the pipe's own route; takes over the hold of `attr`. */
  #veiled(attr: number): number {
    const { veil } = this;
    if (veil === undefined || attr === 0) return attr;
    const { attrs } = this.source.shared;
    const { protocol, preference } = veil;
    const before = attrs.extrasTable.get(attrs.extras[attr]!);
    const extras = attrs.extrasTable.intern({
      ...before,
      origin: 'pipe',
      protocol,
      preference,
      from: undefined,
    });
    const bytes = attrs.copy(attr);
    const result = attrs.intern(bytes, 0, bytes.length, attrs.nextHop[attr]!, extras);
    attrs.extrasTable.release(extras);
    attrs.release(attr);
    return result;
  }

  #add(row: number, attrIn: number, result: ImportResult): void {
    const { source, target } = this;
    const { paths, prefixes } = source;
    const prefixId = paths.prefixId(row);
    const there = target.prefixes.intern(
      prefixes.records,
      prefixes.wordsAt(prefixId),
      prefixes.bits(prefixId),
    );
    const peer = this.veil?.peer ?? source.shared.peers.get(paths.peerId(row));
    const pathId = this.veil === undefined ? paths.pathId(row) : 0;
    const added = addRow(target, peer, there, pathId, attrIn, result, paths.since(row));
    target.paths.setFeed(added, this.#id);
    this.routes++;
  }

  #remove(row: number): void {
    this.#takeBack(this.target.paths.prefixId(row), [row]);
  }

  /** Rows of one prefix: all of them first, for others who look again make this pipe look again, too. */
  #takeBack(prefixId: number, rows: readonly number[]): void {
    if (rows.length === 0) return;
    const { target } = this;
    const { paths, prefixes } = target;
    prefixes.hold(prefixId);
    for (const row of rows) removeRow(target, target.shared.peers.get(paths.peerId(row)), row);
    this.routes -= rows.length;
    // The same routes may come on another way.
    for (const other of target.feeds.others(this.#id)) other.review(prefixId);
    prefixes.release(prefixId);
  }

  #walk(again: boolean): ResumableWork {
    const visit = (prefixId: number): void => {
      if (!this.#closed) this.#sync(prefixId, again);
    };
    return new PrefixWalk(this.source, visit, SYNC_COST);
  }
}
