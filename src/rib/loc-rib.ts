// The Loc-RIB of one family: which path of each prefix is best. Whoever changes a path says so. With several paths the
// prefix becomes dirty; the decide stage runs the decision once for each dirty prefix, however often it changed meanwhile,
// and tells the listeners. With one path or none there is nothing to compare, and the prefix is decided at once. What was
// best is remembered with its attributes held, so that a change is seen even when ids were freed and used again between
// two decisions.

import { IntQueue } from '../lib/columns.ts';
import type { Decision } from './decision.ts';
import type { FamilyRib } from './family-rib.ts';
import { PREFIX_FIELD } from './prefix-table.ts';

/**
 * Called once for each decided prefix, synchronously; `bestChanged` is false where only other candidates or the
 * ECMP set may have changed. In the stage the decision's `multipath` set is valid during the call.
 */
export type DecidedListener = (prefixId: number, bestChanged: boolean) => void;

/** When a listener may be told: in the decide stage, or while paths change, as one that takes a note and touches no table. */
export type Told = 'in-stage' | 'anytime';

/** Beside the peer in `bestPeer`: the prefix waits for its decision. */
const DIRTY = 1 << 16;
const PEER_MASK = DIRTY - 1;
/** Prefixes that are decided in a row; the clock is looked at between. */
const BLOCK = 64;

export class LocRib {
  decision: Decision;
  readonly #rib: FamilyRib;
  readonly #wake: () => void;
  readonly #dirty = new IntQueue();
  /** Another array after each change: one who is told may end it for itself or others, who are told no more then. */
  #listeners: readonly DecidedListener[] = [];
  /** Of those the ones that want to be told in the stage. */
  readonly #inStage = new Set<DecidedListener>();
  /** Its family waits for `release`: what changes becomes dirty, and nothing is decided. */
  deferred = false;
  /** Means nothing; loads whose result nobody gets may be left out. */
  touched = 0;
  /** Prefixes with a best path. */
  size = 0;

  constructor(rib: FamilyRib, decision: Decision, wake: () => void) {
    this.#rib = rib;
    this.decision = decision;
    this.#wake = wake;
  }

  get dirtyCount(): number {
    return this.#dirty.size;
  }

  /** Those who are told of decisions; the update groups are one. */
  get listenerCount(): number {
    return this.#listeners.length;
  }

  /** Tells of decisions from now on; returns the function that ends it. */
  addListener(listener: DecidedListener, told: Told = 'in-stage'): () => void {
    this.#listeners = [...this.#listeners, listener];
    if (told === 'in-stage') this.#inStage.add(listener);
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      this.#inStage.delete(listener);
    };
  }

  /** Row of the best path, or 0. */
  bestRow(prefixId: number): number {
    const { records, stride } = this.#rib.prefixes;
    return records[prefixId * stride + PREFIX_FIELD.bestRow]!;
  }

  /** Its attributes after import, or 0. */
  bestAttr(prefixId: number): number {
    const { records, stride } = this.#rib.prefixes;
    return records[prefixId * stride + PREFIX_FIELD.bestAttr]!;
  }

  /** The peer that it came from, or 0. */
  bestPeer(prefixId: number): number {
    const { records, stride } = this.#rib.prefixes;
    return records[prefixId * stride + PREFIX_FIELD.bestPeer]! & PEER_MASK;
  }

  /** Makes a row the best one of a prefix that has none, without a decision and without telling anybody. */
  restore(prefixId: number, row: number): void {
    this.#replace(prefixId, row);
  }

  /** For whoever has changed, added or removed a path of the prefix, which somebody holds. */
  pathsChanged(prefixId: number): void {
    const { paths, prefixes } = this.#rib;
    const first = paths.first(prefixId);
    const isDirty = (prefixes.records[prefixId * prefixes.stride + PREFIX_FIELD.bestPeer]! & DIRTY) !== 0;
    const hasChoice = first !== 0 && paths.next(first) !== 0;
    if (isDirty || hasChoice || this.deferred || this.#inStage.size > 0) this.markDirty(prefixId);
    else this.#choose(prefixId, first !== 0 && this.decision.eligible(first) ? first : 0);
  }

  /** It is decided in the stage, whatever its paths are. */
  markDirty(prefixId: number): void {
    const { prefixes } = this.#rib;
    const { records } = prefixes;
    const at = prefixId * prefixes.stride + PREFIX_FIELD.bestPeer;
    const peer = records[at]!;
    if ((peer & DIRTY) !== 0) return;
    records[at] = peer | DIRTY;
    this.#dirty.push(prefixId);
    prefixes.hold(prefixId);
    if (this.#dirty.size === 1) this.#wake();
  }

  /** Decides dirty prefixes until `expired` says stop; returns true while some are left. */
  decideUntil(expired: () => boolean): boolean {
    const { prefixes } = this.#rib;
    while (this.#dirty.size > 0) {
      const count = Math.min(BLOCK, this.#dirty.size);
      this.#warm(count);
      for (let i = 0; i < count; i++) {
        const prefixId = this.#dirty.shift();
        this.#decide(prefixId);
        prefixes.release(prefixId);
      }
      if (expired()) break;
    }
    return this.#dirty.size > 0;
  }

  /** Touches what the next decisions read, so that their cache misses overlap. */
  #warm(count: number): void {
    const { paths, prefixes } = this.#rib;
    const { records, stride } = prefixes;
    const dirty = this.#dirty;
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= records[dirty.at(i) * stride]!;
    for (let i = 0; i < count; i++) touched ^= paths.attrPost(paths.first(dirty.at(i)));
    this.touched = touched;
  }

  #decide(prefixId: number): void {
    const { paths, prefixes } = this.#rib;
    const { records } = prefixes;
    const at = prefixId * prefixes.stride;
    const oldRow = records[at + PREFIX_FIELD.bestRow]!;
    const oldPeer = records[at + PREFIX_FIELD.bestPeer]! & PEER_MASK;
    records[at + PREFIX_FIELD.bestPeer] = oldPeer;
    // A row that was freed since then may have been used again for another path of the prefix.
    const lives = paths.prefixId(oldRow) === prefixId && paths.peerId(oldRow) === oldPeer;
    this.#choose(prefixId, this.decision.select(paths.first(prefixId), lives ? oldRow : 0));
  }

  /** The row, or none, is the best of a prefix that is not dirty; tells the listeners, whether it was before or not. */
  #choose(prefixId: number, row: number): void {
    const changed = this.#replace(prefixId, row);
    const listeners = this.#listeners;
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i]!;
      if (this.#listeners === listeners || this.#listeners.includes(listener)) listener(prefixId, changed);
    }
  }

  /** Puts a row, or none, in the place of the best one; returns whether it is another route. */
  #replace(prefixId: number, row: number): boolean {
    const { paths, prefixes, shared, index } = this.#rib;
    const { records } = prefixes;
    const at = prefixId * prefixes.stride;
    const oldRow = records[at + PREFIX_FIELD.bestRow]!;
    const oldAttr = records[at + PREFIX_FIELD.bestAttr]!;
    const oldPeer = records[at + PREFIX_FIELD.bestPeer]!;
    const attr = row === 0 ? 0 : paths.attrPost(row);
    const peer = row === 0 ? 0 : paths.peerId(row);
    if (row === oldRow && attr === oldAttr && peer === oldPeer) return false;
    records[at + PREFIX_FIELD.bestRow] = row;
    records[at + PREFIX_FIELD.bestAttr] = attr;
    records[at + PREFIX_FIELD.bestPeer] = peer;
    if (row !== 0) {
      shared.attrs.hold(attr);
      shared.peers.get(peer).counters[index]!.best++;
    }
    if (oldRow !== 0) {
      shared.attrs.release(oldAttr);
      shared.peers.get(oldPeer).counters[index]!.best--;
    }
    if (oldRow === 0) this.size++;
    else if (row === 0) this.size--;
    return true;
  }
}
