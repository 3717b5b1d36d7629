// What the kernel says against what the FIB believes. Two sources: a scan, which shows everything there is, and
// notifications of what others did. Both only correct the belief and queue prefixes; writing is the FIB's.
//
// A scan runs beside our own writes: whatever was written or reported since it began is marked `touched`, and the
// scan's word on it is ignored, because it may be older.

import { type FamilyFib, FLAG } from './family-fib.ts';
import { RT_SCOPE, storedMetric } from './netlink/constants.ts';
import { Orphans } from './orphans.ts';
import { type KernelPath, ROW_CHANGE, type RouteRows } from './types.ts';

/** Prefixes looked at between two looks at the clock. */
const SWEEP_STEP = 8192;

export interface ReconcileEvents {
  /** An own route was deleted or changed by somebody else; it comes back unless the guard says otherwise. */
  onTamper(prefixId: number): void;
}

export class Reconciler {
  readonly #fib: FamilyFib;
  readonly #events: ReconcileEvents;
  readonly #words: Int32Array<ArrayBuffer>;
  /** Target ids of the rows in hand, by path and metric. */
  readonly #rowTargets = new Map<number, number>();
  #sweepAt = 0;
  /** Own routes of the last scan that had to be written again. */
  repaired = 0;

  constructor(fib: FamilyFib, events: ReconcileEvents) {
    this.#fib = fib;
    this.#events = events;
    this.#words = new Int32Array(fib.family.words);
  }

  get scanRuns(): boolean {
    return this.#fib.scanning !== undefined;
  }

  startScan(): void {
    const fib = this.#fib;
    for (let id = 0; id < fib.limit; id++) fib.clearFlags(id, FLAG.seen | FLAG.touched);
    fib.scanning = new Orphans(fib.family.words);
    this.#sweepAt = 0;
    this.repaired = 0;
  }

  scanRows(rows: RouteRows): void {
    const fib = this.#fib;
    const stride = fib.family.words;
    this.#rowTargets.clear();
    for (let row = 0; row < rows.count; row++) {
      if (rows.tables[row] !== fib.place.table) continue;
      const at = row * stride;
      const bits = rows.bits[row]!;
      const own = rows.protocols[row] === fib.targets.protocol;
      const id = this.#trackedId(rows.words, at, bits);
      if (id === 0) {
        if (own) this.#scanOrphan(rows, row, at, bits);
      } else if (fib.flags(id) & (FLAG.touched | FLAG.inFlight)) {
        fib.setFlags(id, FLAG.seen);
      } else if (own) {
        this.#scanOwn(id, rows, row, at, bits);
      } else {
        this.#scanForeign(id, rows.metrics[row]!);
      }
    }
  }

  /** Looks for what the scan did not show, until `pastDeadline`; returns true when finished. */
  endScan(complete: boolean, pastDeadline: () => boolean): boolean {
    const fib = this.#fib;
    const settled = FLAG.seen | FLAG.touched | FLAG.inFlight;
    while (this.#sweepAt < fib.limit) {
      const end = Math.min(fib.limit, this.#sweepAt + SWEEP_STEP);
      for (let id = this.#sweepAt; id < end; id++) {
        if (!complete || fib.flags(id) & settled || fib.installed(id) === 0) continue;
        fib.observe(id, 0);
        fib.revisit(id);
        if (fib.desired(id) !== 0) this.repaired++;
      }
      this.#sweepAt = end;
      if (pastDeadline()) return false;
    }
    if (fib.scanning !== undefined && complete) fib.orphans = fib.scanning;
    fib.scanning = undefined;
    fib.scanned = true;
    return true;
  }

  changes(rows: RouteRows): void {
    const fib = this.#fib;
    const stride = fib.family.words;
    this.#rowTargets.clear();
    for (let row = 0; row < rows.count; row++) {
      if (rows.tables[row] !== fib.place.table) continue;
      const at = row * stride;
      const id = this.#trackedId(rows.words, at, rows.bits[row]!);
      const own = rows.protocols[row] === fib.targets.protocol;
      if (id !== 0) this.#changeOfTracked(id, own, rows, row);
      else if (own) this.#changeOfOrphan(rows, row, at);
    }
  }

  #scanOrphan(rows: RouteRows, row: number, at: number, bits: number): void {
    const fib = this.#fib;
    const target = this.#targetOf(rows, row);
    if (fib.scanning?.add(rows.words, at, bits, target) === false) {
      // A second own route for the prefix, under another metric: the one with the configured metric is the one to
      // adopt, and it is added last or first as the kernel sorts by metric. Both go unless wanted.
      this.#keepBetterOrphan(rows, at, bits, target);
    }
  }

  #keepBetterOrphan(rows: RouteRows, at: number, bits: number, target: number): void {
    const fib = this.#fib;
    const scanning = fib.scanning;
    if (scanning === undefined) return;
    const before = scanning.get(rows.words, at, bits);
    const configured = storedMetric(fib.addressBytes, fib.place.metric);
    const better = fib.targets.metricOf(target, fib.addressBytes) === configured;
    if (better) {
      scanning.take(rows.words, at, bits);
      scanning.add(rows.words, at, bits, target);
    }
    fib.discard(rows.words, at, bits, better ? before : target);
  }

  #scanOwn(id: number, rows: RouteRows, row: number, at: number, bits: number): void {
    const fib = this.#fib;
    const target = this.#targetOf(rows, row);
    const desired = fib.desired(id);
    const alreadySeen = (fib.flags(id) & FLAG.seen) !== 0;
    const believed = fib.installed(id);
    const isCurrent =
      desired === 0 ||
      fib.targets.metricOf(desired, fib.addressBytes) === storedMetric(fib.addressBytes, rows.metrics[row]!);
    if (!alreadySeen) {
      fib.setFlags(id, FLAG.seen);
      fib.observe(id, target);
    } else if (isCurrent) {
      // Two own routes under different metrics: the one that is wanted stays.
      fib.discard(rows.words, at, bits, fib.installed(id));
      fib.observe(id, target);
    } else {
      fib.discard(rows.words, at, bits, target);
      return;
    }
    fib.clearFlags(id, FLAG.foreign);
    if (desired === 0 || !fib.targets.satisfies(desired, target, fib.addressBytes)) {
      // One that is wanted otherwise by now waits to be written, and nobody has touched it.
      const known = desired !== 0 && believed !== 0;
      if (known && fib.targets.satisfies(desired, believed, fib.addressBytes)) this.repaired++;
      fib.revisit(id);
    }
  }

  #scanForeign(id: number, metric: number): void {
    const fib = this.#fib;
    const desired = fib.desired(id);
    if (desired === 0 || fib.targets.metricOf(desired, fib.addressBytes) !== metric) return;
    if (!(fib.flags(id) & FLAG.seen)) fib.setFlags(id, FLAG.foreign);
  }

  #changeOfTracked(id: number, own: boolean, rows: RouteRows, row: number): void {
    const fib = this.#fib;
    const change = rows.changes[row]!;
    const desired = fib.desired(id);
    const reference = desired === 0 ? fib.installed(id) : desired;
    const sameKey =
      reference !== 0 && fib.targets.metricOf(reference, fib.addressBytes) === rows.metrics[row]!;
    if (!own) {
      if (sameKey) this.#changeOfForeign(id, change);
      return;
    }
    if (!sameKey) {
      // Under another metric it is a second route, which nobody wants.
      const stray = reference !== 0 && change !== ROW_CHANGE.deleted && fib.purging;
      if (stray) {
        const at = row * fib.family.words;
        fib.discard(rows.words, at, rows.bits[row]!, this.#targetOf(rows, row));
      }
      return;
    }
    fib.setFlags(id, FLAG.touched);
    if (fib.flags(id) & FLAG.inFlight) {
      fib.setFlags(id, FLAG.recheck);
      return;
    }
    if (change === ROW_CHANGE.deleted) {
      const before = fib.installed(id);
      // It may be one next hop of several that went (IPv6 tells so): writing over it is right in both cases. An only one
      // leaves its place to whoever takes it.
      if (before !== 0 && fib.targets.get(before).nextHops.length > 1) fib.setFlags(id, FLAG.unsure);
      else {
        fib.observe(id, 0);
        fib.clearFlags(id, FLAG.unsure);
      }
    } else {
      const target = this.#targetOf(rows, row);
      fib.observe(id, target);
      if (desired !== 0 && fib.targets.satisfies(desired, target, fib.addressBytes)) return;
      fib.setFlags(id, FLAG.unsure);
    }
    if (desired === 0) fib.revisit(id);
    else this.#events.onTamper(id);
  }

  /** Somebody else's route in our place, put there instead of ours (NLM_F_REPLACE), or taken away again. */
  #changeOfForeign(id: number, change: number): void {
    const fib = this.#fib;
    if (change === ROW_CHANGE.deleted) {
      if (!(fib.flags(id) & FLAG.foreign)) return;
      fib.clearFlags(id, FLAG.foreign);
      fib.retry(id);
      fib.revisit(id);
    } else if (change === ROW_CHANGE.replaced || fib.installed(id) === 0) {
      fib.setFlags(id, FLAG.foreign | FLAG.touched);
      fib.clearFlags(id, FLAG.unsure);
      fib.observe(id, 0);
      if (fib.desired(id) === 0) fib.revisit(id);
      else this.#events.onTamper(id);
    }
  }

  #changeOfOrphan(rows: RouteRows, row: number, at: number): void {
    const fib = this.#fib;
    const bits = rows.bits[row]!;
    for (const orphans of [fib.orphans, fib.scanning]) {
      orphans?.take(rows.words, at, bits);
      if (rows.changes[row] !== ROW_CHANGE.deleted) {
        orphans?.add(rows.words, at, bits, this.#targetOf(rows, row));
      }
    }
  }

  #trackedId(words: Int32Array, at: number, bits: number): number {
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = words[at + i]!;
    const id = this.#fib.reader.find(this.#words, bits);
    return id > 0 && this.#fib.flags(id) & FLAG.tracked ? id : 0;
  }

  #targetOf(rows: RouteRows, row: number): number {
    const metric = rows.metrics[row]!;
    const index = rows.pathIndex[row]!;
    // A path index is small; together they make one number that no other pair of these rows has.
    const key = metric * MAX_PATHS + index;
    let target = this.#rowTargets.get(key);
    if (target === undefined) {
      target = this.#internRow(rows.paths[index], metric);
      this.#rowTargets.set(key, target);
    }
    return target;
  }

  #internRow(path: KernelPath | undefined, metric: number): number {
    if (path === undefined) throw new Error('a route row points to a path that its rows do not have');
    const { scope = RT_SCOPE.universe } = path;
    return this.#fib.targets.intern(this.#fib.addressBytes, { ...path, scope, metric });
  }
}

/** Above the number of rows that one RouteRows may hold. */
const MAX_PATHS = 2 ** 20;
