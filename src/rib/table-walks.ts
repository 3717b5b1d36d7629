// Long walks over the tables, one after the other in slices of the walk stage.

import { markNextHopsDirty, removeStale } from './adj-rib-in.ts';
import type { FamilyRib } from './family-rib.ts';
import { keepLongLived } from './long-lived.ts';
import type { RibPeer } from './rib-peer.ts';
import { PrefixWalk, type ResumableWork, type RowWalk } from './row-walk.ts';
import { hasGenerationLeft, markStale, mergeStale } from './stale-rows.ts';

interface StaleWalk {
  readonly table: FamilyRib;
  readonly peer: RibPeer;
  /** It takes stale rows out, whichever are of an older generation than this. */
  readonly removes: number | undefined;
  readonly walk: RowWalk;
}

export class TableWalks {
  readonly #wake: () => void;
  readonly #queue: ResumableWork[] = [];
  /** Those of the queue that mark every prefix of a table dirty. */
  readonly #deciding = new Map<FamilyRib, PrefixWalk>();
  /** Those of the queue that look for stale rows. */
  readonly #stale = new Set<StaleWalk>();

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

  /**
   * RFC 4724 §4.2, RFC 7313 §4: from now on a peer's routes count as stale until it sends them again. At once: walks under way
   * go on, and leave alone what was not stale before.
   */
  markStale(table: FamilyRib, peer: RibPeer): void {
    if (!hasGenerationLeft(table, peer)) this.#endStale(table, peer);
    markStale(table, peer);
  }

  /** A peer has come and gone more often than walks can follow. */
  #endStale(table: FamilyRib, peer: RibPeer): void {
    for (const { walk } of [...this.#stale].filter((each) => each.table === table && each.peer === peer)) {
      walk.run(() => false);
      this.#forget(walk);
    }
    mergeStale(table, peer);
  }

  /** Takes out what is stale, and not confirmed when the walk gets there. */
  sweepStale(table: FamilyRib, peer: RibPeer): void {
    if (peer.counters[table.index]!.stale === 0) return;
    const removes = peer.generations[table.index]!.current;
    // Nothing becomes older than it is: one walk finds all.
    const known = [...this.#stale].some(
      (each) => each.table === table && each.peer === peer && each.removes === removes,
    );
    if (!known) this.#addStale({ table, peer, removes, walk: removeStale(table, peer) });
  }

  /** RFC 9494 §4.2: what is stale now becomes the last resort, or goes. */
  keepLongLived(table: FamilyRib, peer: RibPeer): void {
    this.#addStale({ table, peer, removes: undefined, walk: keepLongLived(table, peer) });
  }

  #addStale(stale: StaleWalk): void {
    this.#stale.add(stale);
    this.add(stale.walk);
  }

  /** It is done; others may have come before it meanwhile. */
  #forget(walk: ResumableWork): void {
    this.#queue.splice(this.#queue.indexOf(walk), 1);
    for (const each of this.#stale) if (each.walk === walk) this.#stale.delete(each);
    for (const [table, each] of this.#deciding) if (each === walk) this.#deciding.delete(table);
  }
}
