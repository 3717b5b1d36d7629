// The Loc-RIB of one family: which path of each prefix is best. Whoever changes a path marks its prefix dirty; the
// decide stage runs the decision once for each dirty prefix, however often it changed meanwhile, and tells the
// listeners. What was best is remembered with its attributes held, so that a change is seen even when ids were
// freed and used again between two decisions.

import { growInt32, growUint16, IdQueue } from '../lib/columns.ts';
import type { Decision } from './decision.ts';
import type { FamilyRib } from './family-rib.ts';

/**
 * Called once for each decided prefix, synchronously; `bestChanged` is false where only other candidates or the
 * ECMP set may have changed. The decision's `multipath` set is valid during the call.
 */
export type DecidedListener = (prefixId: number, bestChanged: boolean) => void;

const INITIAL_IDS = 1 << 20;
/** The clock is looked at once in so many decisions. */
const DECISIONS_PER_CLOCK = 64;

export class LocRib {
  decision: Decision;
  readonly #rib: FamilyRib;
  readonly #wake: () => void;
  readonly #dirty = new IdQueue();
  readonly #listeners: DecidedListener[] = [];
  /** By prefixId; 0 = no path. */
  bestRow: Int32Array<ArrayBuffer>;
  bestAttr: Int32Array<ArrayBuffer>;
  bestPeer: Uint16Array<ArrayBuffer>;
  /** Prefixes with a best path. */
  size = 0;

  /** `rows`: room for prefixes at the start. */
  constructor(rib: FamilyRib, decision: Decision, wake: () => void, rows = INITIAL_IDS) {
    this.bestRow = new Int32Array(rows);
    this.bestAttr = new Int32Array(rows);
    this.bestPeer = new Uint16Array(rows);
    this.#rib = rib;
    this.decision = decision;
    this.#wake = wake;
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** Tells of decisions from now on; returns the function that ends it. */
  addListener(listener: DecidedListener): () => void {
    this.#listeners.push(listener);
    return () => {
      this.#listeners.splice(this.#listeners.indexOf(listener), 1);
    };
  }

  markDirty(prefixId: number): void {
    if (!this.#dirty.push(prefixId)) return;
    this.#rib.prefixes.hold(prefixId);
    if (this.#dirty.size === 1) this.#wake();
  }

  /** Decides dirty prefixes until `expired` says stop; returns true while some are left. */
  decideUntil(expired: () => boolean): boolean {
    for (let i = 0; ; i++) {
      if (i % DECISIONS_PER_CLOCK === 0 && i > 0 && expired()) return this.#dirty.size > 0;
      const prefixId = this.#dirty.shift();
      if (prefixId < 0) return false;
      this.#decide(prefixId);
      this.#rib.prefixes.release(prefixId);
    }
  }

  #decide(prefixId: number): void {
    const { paths, prefixes, shared } = this.#rib;
    if (prefixId >= this.bestRow.length) this.#grow(prefixes.limit);
    const oldRow = this.bestRow[prefixId]!;
    const oldAttr = this.bestAttr[prefixId]!;
    const oldPeer = this.bestPeer[prefixId]!;
    // A row that was freed since then may have been used again for another path of the prefix.
    const lives = paths.prefixId[oldRow] === prefixId && paths.peerId[oldRow] === oldPeer;
    const row = this.decision.select(paths.first(prefixId), lives ? oldRow : 0);
    const attr = row === 0 ? 0 : paths.attrPost[row]!;
    const peer = row === 0 ? 0 : paths.peerId[row]!;
    const changed = row !== oldRow || attr !== oldAttr || peer !== oldPeer;
    if (changed) {
      const familyId = this.#rib.family.id;
      this.bestRow[prefixId] = row;
      this.bestAttr[prefixId] = attr;
      this.bestPeer[prefixId] = peer;
      if (row !== 0) {
        shared.attrs.hold(attr);
        shared.peers.get(peer).counters[familyId]!.best++;
      }
      if (oldRow !== 0) {
        shared.attrs.release(oldAttr);
        shared.peers.get(oldPeer).counters[familyId]!.best--;
      }
      if (oldRow === 0) this.size++;
      else if (row === 0) this.size--;
    }
    for (const listener of this.#listeners) listener(prefixId, changed);
  }

  #grow(size: number): void {
    this.bestRow = growInt32(this.bestRow, size);
    this.bestAttr = growInt32(this.bestAttr, size);
    this.bestPeer = growUint16(this.bestPeer, size);
  }
}
