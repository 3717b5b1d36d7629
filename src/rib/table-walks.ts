// Long walks over the tables, one after the other in slices of the walk stage. Some of them must not meet: what is stale is
// said by a bit in each row, so a peer's routes are marked again only when nobody looks for the old marks any more.

import { markNextHopsDirty, markStale, removeStale } from './adj-rib-in.ts';
import type { FamilyRib } from './family-rib.ts';
import { keepLongLived } from './long-lived.ts';
import type { RibPeer } from './rib-peer.ts';
import { PrefixWalk, type ResumableWork, type RowWalk } from './row-walk.ts';

export class TableWalks {
  readonly #wake: () => void;
  readonly #queue: ResumableWork[] = [];
  /** Those of the queue that mark every prefix of a table dirty. */
  readonly #deciding = new Map<FamilyRib, PrefixWalk>();
  /** Those of the queue that look for stale rows. */
  readonly #stale = new Set<RowWalk>();

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Queues a walk behind those under way. */
  add(work: ResumableWork): void {
    this.#queue.push(work);
    this.#wake();
  }

  /** Before peers that leave and policies that run again: traffic may be lost meanwhile. */
  #addFirst(work: ResumableWork): void {
    this.#queue.unshift(work);
    this.#wake();
  }

  /** Works until `expired`; returns true while some is left. */
  run(expired: () => boolean): boolean {
    for (let walk = this.#queue[0]; walk !== undefined; walk = this.#queue[0]) {
      if (walk.run(expired)) return true;
      this.#forget(walk);
      if (expired()) break;
    }
    return this.#queue.length > 0;
  }

  /** Every prefix of a table is decided again. */
  decideAll(table: FamilyRib): void {
    const known = this.#deciding.get(table);
    known?.restart();
    if (known !== undefined) return;
    const walk = new PrefixWalk(table, (prefixId) => table.locRib.markDirty(prefixId));
    this.#deciding.set(table, walk);
    this.#addFirst(walk);
  }

  /** Every route of a table through one of these next hops is decided again. */
  decideThrough(table: FamilyRib, nextHops: ReadonlySet<number>): void {
    this.#addFirst(markNextHopsDirty(table, nextHops));
  }

  /** RFC 4724 §4.2, RFC 7313 §4: from now on a peer's routes count as stale until it sends them again. At once. */
  markStale(table: FamilyRib, peer: RibPeer): void {
    for (const walk of this.#stale) {
      if (!walk.isOver(table, peer)) continue;
      walk.run(() => false);
      this.#forget(walk);
    }
    markStale(table, peer);
  }

  /** Takes out what the peer has not confirmed when the walk gets there. */
  sweepStale(table: FamilyRib, peer: RibPeer): void {
    if (peer.counters[table.index]!.stale > 0) this.#addStale(removeStale(table, peer));
  }

  /** RFC 9494 §4.2: what is stale becomes the last resort, or goes. */
  keepLongLived(table: FamilyRib, peer: RibPeer): void {
    this.#addStale(keepLongLived(table, peer));
  }

  #addStale(walk: RowWalk): void {
    this.#stale.add(walk);
    this.add(walk);
  }

  /** It is done; others may have come before it meanwhile. */
  #forget(walk: ResumableWork): void {
    this.#queue.splice(this.#queue.indexOf(walk), 1);
    for (const each of this.#stale) if (each === walk) this.#stale.delete(each);
    for (const [table, each] of this.#deciding) if (each === walk) this.#deciding.delete(table);
  }
}
