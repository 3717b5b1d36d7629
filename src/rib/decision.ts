// The decision process (RFC 4271 §9.1.2.2, RFC 4456 §9, RFC 5004, RFC 9494 §4.4) as numbered eliminations. Every step looks at
// all candidates that are left and drops the worse ones; so MED, which is no total order, gives the same answer in
// whatever order routes arrived. The number of the step at which a path was dropped is the reason that `explain`
// prints, and the tests carry the same numbers. Best path, ECMP set and ranking all come from here.

import { growInt32, growUint8 } from '../lib/columns.ts';
import type { AttrStore } from './attr-store.ts';
import { ATTR_FLAG } from './attr-store.ts';
import { aigpOf, sameAsPath } from './attr-values.ts';
import type { NextHopTable } from './next-hops.ts';
import type { PathStore } from './path-store.ts';
import { type PeerTable, SOURCE } from './rib-peer.ts';

export interface DecisionOptions {
  /** Compare MED between different neighbouring ASes too. */
  readonly alwaysCompareMed: boolean;
  /** RFC 5004: among eBGP paths equal so far, the current best stays. */
  readonly preferOldest: boolean;
  /** ECMP also across paths that differ in their AS_PATH. */
  readonly multipathRelax: boolean;
  readonly ignoreAsPathLength: boolean;
  /** Of the next hop; what is unreachable stays so. AIGP has it in its sum all the same. */
  readonly ignoreIgpMetric: boolean;
  readonly ignoreRouterId: boolean;
  /** RFC 7311 §4. */
  readonly aigp: boolean;
  /** Most members of an ECMP set; 1 = none. */
  readonly multipathLimit: number;
}

/** What a path lost at, by step number; 0 = it is the best. Sentences for people. */
export const DECISION_STEPS: readonly { number: number; name: string; lost: string }[] = [
  { number: 0, name: 'best', lost: 'best path' },
  { number: 1, name: 'long-lived stale', lost: 'LLGR_STALE: the last resort (RFC 9494)' },
  { number: 2, name: 'preference', lost: 'lower preference of its protocol' },
  { number: 3, name: 'local preference', lost: 'lower local preference' },
  { number: 4, name: 'locally originated', lost: 'not locally originated' },
  { number: 5, name: 'AIGP', lost: 'no AIGP or a higher one' },
  { number: 6, name: 'AS_PATH length', lost: 'longer AS_PATH' },
  { number: 7, name: 'ORIGIN', lost: 'worse ORIGIN' },
  { number: 8, name: 'MED', lost: 'higher MED' },
  { number: 9, name: 'eBGP over iBGP', lost: 'learned by iBGP, or within the confederation' },
  { number: 10, name: 'IGP metric', lost: 'higher IGP metric to the next hop' },
  { number: 11, name: 'oldest eBGP', lost: 'newer than the current best' },
  { number: 12, name: 'router id', lost: 'higher router id or ORIGINATOR_ID' },
  { number: 13, name: 'CLUSTER_LIST length', lost: 'longer CLUSTER_LIST' },
  { number: 14, name: 'peer address', lost: 'higher peer address' },
  { number: 15, name: 'path identifier', lost: 'higher path identifier' },
];

const LAST_STEP = 15;
/** Paths still equal after this step share the traffic. */
const MULTIPATH_STEP = 10;

/** A path in order of preference, with the step at which it lost to the best one (0 = it is the best). */
export interface RankedPath {
  readonly row: number;
  readonly step: number;
}

export class Decision {
  readonly #attrs: AttrStore;
  readonly #nextHops: NextHopTable;
  readonly #peers: PeerTable;
  readonly #paths: PathStore;
  readonly options: DecisionOptions;
  /** ECMP set of the last `select`, the best included. */
  multipath = new Int32Array(64);
  multipathCount = 0;

  /** Candidates: those left in front, the dropped ones behind them with the step that dropped each. */
  #rows = new Int32Array(64);
  #droppedAt = new Uint8Array(64);
  /** Scratch of #keepWhere. */
  #verdicts = new Uint8Array(64);
  /** Row of the current best, for step 11. */
  #currentBest = 0;
  /** The steps that the options leave, in order; each returns how many candidates stay. */
  readonly #steps: readonly { number: number; run: (count: number) => number }[];

  constructor(
    inputs: { attrs: AttrStore; nextHops: NextHopTable; peers: PeerTable; paths: PathStore },
    options: DecisionOptions,
  ) {
    this.#attrs = inputs.attrs;
    this.#nextHops = inputs.nextHops;
    this.#peers = inputs.peers;
    this.#paths = inputs.paths;
    this.options = options;
    this.#steps = this.#stepTable(options);
  }

  /** Whether a row takes part: accepted by import, next hop resolvable (RFC 4271 §9.1.2). */
  eligible(row: number): boolean {
    const attr = this.#paths.attrPost(row);
    if (attr === 0) return false;
    if (this.#nextHops.reachable[this.#attrs.nextHop[attr]!] === 1) return true;
    return (this.#attrs.flags[attr]! & ATTR_FLAG.settled) !== 0;
  }

  /** The best row of the list that begins at `first`, or 0; fills the ECMP set. */
  select(first: number, currentBest: number): number {
    const count = this.#gather(first);
    this.multipathCount = 0;
    if (count === 0) return 0;
    this.#currentBest = currentBest;
    if (count > 1) this.#eliminate(count);
    const best = this.#rows[0]!;
    if (this.multipathCount > 1) this.#trimMultipath(best);
    else {
      this.multipath[0] = best;
      this.multipathCount = 1;
    }
    return best;
  }

  /** Up to `limit` eligible paths of the list, best first. */
  rank(first: number, currentBest: number, limit: number): RankedPath[] {
    let count = this.#gather(first);
    this.#currentBest = currentBest;
    const lostAt = new Map<number, number>();
    const ranked: RankedPath[] = [];
    while (count > 0 && ranked.length < limit) {
      if (count > 1) this.#eliminate(count);
      const best = this.#rows[0]!;
      if (ranked.length === 0) {
        for (let i = 1; i < count; i++) lostAt.set(this.#rows[i]!, this.#droppedAt[i]!);
      }
      ranked.push({ row: best, step: lostAt.get(best) ?? 0 });
      count--;
      this.#rows[0] = this.#rows[count]!;
    }
    return ranked;
  }

  #gather(first: number): number {
    const paths = this.#paths;
    let count = 0;
    for (let row = first; row !== 0; row = paths.next(row)) {
      if (!this.eligible(row)) continue;
      if (count === this.#rows.length) {
        this.#rows = growInt32(this.#rows, count + 1);
        this.#droppedAt = growUint8(this.#droppedAt, count + 1);
        this.#verdicts = growUint8(this.#verdicts, count + 1);
        this.multipath = growInt32(this.multipath, count + 1);
      }
      this.#rows[count++] = row;
    }
    return count;
  }

  /** Runs the steps over `#rows[0, count)`; the survivor ends up in front. */
  #eliminate(count: number): void {
    let left = count;
    for (const step of this.#steps) {
      const kept = step.run(left);
      for (let i = kept; i < left; i++) this.#droppedAt[i] = step.number;
      left = kept;
      if (step.number === MULTIPATH_STEP && left > 1 && this.options.multipathLimit > 1) {
        for (let i = 0; i < left; i++) this.multipath[i] = this.#rows[i]!;
        this.multipathCount = left;
      }
      if (left === 1) return;
    }
    if (left > 1) this.#preferHome(left);
    for (let i = 1; i < left; i++) this.#droppedAt[i] = LAST_STEP;
  }

  /** Of local routes of several tables, which nothing else tells apart, this table's own comes to the front. */
  #preferHome(count: number): void {
    const rows = this.#rows;
    const rank = (row: number): number => (this.#paths.feed(row) === 0 ? 0 : this.#paths.peerId(row));
    for (let i = 1; i < count; i++) {
      const row = rows[i]!;
      if (rank(row) >= rank(rows[0]!)) continue;
      rows[i] = rows[0]!;
      rows[0] = row;
    }
  }

  /** Keeps what may share traffic with the best, which comes first; at most `multipathLimit`. */
  #trimMultipath(best: number): void {
    const paths = this.#paths;
    const equals = this.multipath.slice(0, this.multipathCount);
    // Which of too many share the traffic must not depend on the order in which they came.
    if (equals.length > this.options.multipathLimit) equals.sort((a, b) => this.#comparePeers(a, b));
    this.multipath[0] = best;
    this.multipathCount = 1;
    for (const row of equals) {
      if (row === best || this.multipathCount >= this.options.multipathLimit) continue;
      if (!this.options.multipathRelax && !sameAsPath(this.#attrs, paths.attrPost(row), paths.attrPost(best)))
        continue;
      this.multipath[this.multipathCount++] = row;
    }
  }

  #stepTable(options: DecisionOptions): { number: number; run: (count: number) => number }[] {
    const attr = (row: number): number => this.#paths.attrPost(row);
    const peer = (row: number): number => this.#paths.peerId(row);
    const lowest = (number: number, key: (row: number) => number) => ({
      number,
      run: (count: number) => this.#keepLowest(count, key),
    });
    const steps = [
      { number: 1, run: (count: number) => this.#keepFresh(count) },
      { number: 2, run: (count: number) => this.#keepHighestPreference(count) },
      lowest(3, (row) => -this.#attrs.localPref[attr(row)]!),
      lowest(4, (row) => (this.#peers.source[peer(row)] === SOURCE.local ? 0 : 1)),
      options.aigp && { number: 5, run: (count: number) => this.#keepLowestAigp(count) },
      !options.ignoreAsPathLength && lowest(6, (row) => this.#attrs.asLength[attr(row)]!),
      lowest(7, (row) => this.#attrs.origin[attr(row)]!),
      options.alwaysCompareMed
        ? lowest(8, (row) => this.#attrs.med[attr(row)]!)
        : { number: 8, run: (count: number) => this.#keepLowestMed(count) },
      // RFC 5065 §5.3: what comes from within the confederation is internal.
      lowest(9, (row) => (this.#peers.source[peer(row)]! >= SOURCE.internal ? 1 : 0)),
      options.ignoreIgpMetric
        ? { number: MULTIPATH_STEP, run: (count: number) => count }
        : lowest(MULTIPATH_STEP, (row) => this.#nextHops.metric[this.#attrs.nextHop[attr(row)]!]!),
      options.preferOldest && { number: 11, run: (count: number) => this.#keepOldest(count) },
      !options.ignoreRouterId && lowest(12, (row) => this.#routerId(row)),
      lowest(13, (row) => this.#attrs.clusterLength[attr(row)]!),
      { number: 14, run: (count: number) => this.#keepLowestAddress(count) },
      lowest(LAST_STEP, (row) => this.#paths.pathId(row)),
    ];
    return steps.filter((step) => step !== false);
  }

  /** RFC 9494 §4.4: what is long-lived stale loses to everything that is not. */
  #keepFresh(count: number): number {
    const { flags, staleSets } = this.#attrs;
    if (staleSets === 0) return count;
    return this.#keepLowest(count, (row) => flags[this.#paths.attrPost(row)]! & ATTR_FLAG.llgrStale);
  }

  /** BIRD's preference between protocols, which import filters may set. */
  #keepHighestPreference(count: number): number {
    const { extras, extrasTable } = this.#attrs;
    // Mostly all routes are BGP's as they came.
    if (extrasTable.preferences === 0) return count;
    const { preference } = extrasTable;
    return this.#keepLowest(count, (row) => -preference[extras[this.#paths.attrPost(row)]!]!);
  }

  /** Moves the rows with the lowest key to the front. */
  #keepLowest(count: number, key: (row: number) => number): number {
    const rows = this.#rows;
    let lowest = key(rows[0]!);
    let kept = 1;
    for (let i = 1; i < count; i++) {
      const row = rows[i]!;
      const value = key(row);
      if (value > lowest) continue;
      if (value < lowest) {
        lowest = value;
        kept = 0;
      }
      rows[i] = rows[kept]!;
      rows[kept++] = row;
    }
    return kept;
  }

  /** RFC 4271 §9.1.2.2 c): of each neighbouring AS only the paths with its lowest MED stay. */
  #keepLowestMed(count: number): number {
    const { neighborAs, med } = this.#attrs;
    const paths = this.#paths;
    const first = med[paths.attrPost(this.#rows[0]!)];
    let equal = 1;
    while (equal < count && med[paths.attrPost(this.#rows[equal]!)] === first) equal++;
    // Mostly no path has a MED.
    if (equal === count) return count;
    return this.#keepWhere(count, (row) => {
      const own = paths.attrPost(row);
      for (let i = 0; i < count; i++) {
        const other = paths.attrPost(this.#rows[i]!);
        if (neighborAs[other] === neighborAs[own] && med[other]! < med[own]!) return false;
      }
      return true;
    });
  }

  /** RFC 7311 §4.1: with AIGP on any path, those without fall out; then the lowest AIGP + interior cost. */
  #keepLowestAigp(count: number): number {
    const withAigp = this.#keepWhere(count, (row) => {
      return (this.#attrs.flags[this.#paths.attrPost(row)]! & ATTR_FLAG.aigp) !== 0;
    });
    if (withAigp === 0) return count;
    // 64-bit integers: a sum of doubles would call unequal costs above 2^53 equal.
    const cost = (row: number): bigint => {
      const attr = this.#paths.attrPost(row);
      return aigpOf(this.#attrs, attr) + BigInt(this.#nextHops.metric[this.#attrs.nextHop[attr]!]!);
    };
    let lowest = cost(this.#rows[0]!);
    for (let i = 1; i < withAigp; i++) {
      const other = cost(this.#rows[i]!);
      if (other < lowest) lowest = other;
    }
    return this.#keepWhere(withAigp, (row) => cost(row) === lowest);
  }

  /** RFC 5004 §3: only among eBGP paths, and not where two of them carry the same identifier. */
  #keepOldest(count: number): number {
    const current = this.#currentBest;
    let present = false;
    for (let i = 0; i < count; i++) {
      const row = this.#rows[i]!;
      if (this.#peers.source[this.#paths.peerId(row)] !== SOURCE.external) return count;
      if (row === current) present = true;
      else if (current !== 0 && this.#routerId(row) === this.#routerId(current)) return count;
    }
    return present ? this.#keepWhere(count, (row) => row === current) : count;
  }

  /** RFC 4271 §9.1.2.2 g) */
  #keepLowestAddress(count: number): number {
    let lowest = this.#peers.get(this.#paths.peerId(this.#rows[0]!)).address;
    for (let i = 1; i < count; i++) {
      const address = this.#peers.get(this.#paths.peerId(this.#rows[i]!)).address;
      if (compareOctets(address, lowest) < 0) lowest = address;
    }
    return this.#keepWhere(count, (row) => {
      return compareOctets(this.#peers.get(this.#paths.peerId(row)).address, lowest) === 0;
    });
  }

  #keepWhere(count: number, keep: (row: number) => boolean): number {
    const rows = this.#rows;
    const verdicts = this.#verdicts;
    // Judge all before any row moves: `keep` may look at the whole set.
    for (let i = 0; i < count; i++) verdicts[i] = keep(rows[i]!) ? 1 : 0;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      if (verdicts[i] === 0) continue;
      const row = rows[i]!;
      rows[i] = rows[kept]!;
      rows[kept++] = row;
    }
    return kept;
  }

  /** An order of its own for any two paths: by identifier, peer address, path identifier. */
  #comparePeers(a: number, b: number): number {
    const paths = this.#paths;
    const address = (row: number): Uint8Array => this.#peers.get(paths.peerId(row)).address;
    return (
      this.#routerId(a) - this.#routerId(b) ||
      compareOctets(address(a), address(b)) ||
      paths.pathId(a) - paths.pathId(b)
    );
  }

  /** RFC 4456 §9: ORIGINATOR_ID stands for the BGP Identifier. */
  #routerId(row: number): number {
    const attr = this.#paths.attrPost(row);
    const reflected = (this.#attrs.flags[attr]! & ATTR_FLAG.originatorId) !== 0;
    return reflected ? this.#attrs.originatorId[attr]! : this.#peers.routerId[this.#paths.peerId(row)]!;
  }
}

/** Shorter addresses (IPv4) come first, then octet by octet. */
function compareOctets(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
