// The FIB as desired state: the speaker says where each prefix goes, and the kernel's routes of our protocol number in
// our table follow. Scan before the first write, then only differences, in batches, newest wish first served; what
// fails is tried again and stays visible. Nothing is deleted at start: what an earlier run left is adopted, or goes
// when the speaker says that its peers have had their chance.

import type { Family } from '../bgp/wire/families.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { IP_VERSIONS, type IpVersion } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import type { Scheduler, Stage } from '../lib/scheduler.ts';
import { FailureLog } from './failure-log.ts';
import { FamilyFib, FLAG, type SentBatch } from './family-fib.ts';
import type { AddressBytes, KernelConsumer, KernelMonitor, LinkTurn } from './kernel-monitor.ts';
import { describePrefix, type PrefixReader } from './prefix-reader.ts';
import { Reconciler } from './reconcile.ts';
import { RetryLists } from './retry.ts';
import type { RouteTargets } from './route-targets.ts';
import { TamperGuard } from './tamper-guard.ts';
import type { FibRouteState, FibStats, Kernel, KernelLink, RouteRows } from './types.ts';

export interface FibOptions {
  readonly kernel: Kernel;
  readonly monitor: KernelMonitor;
  readonly targets: RouteTargets;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly families: readonly { readonly family: Family; readonly reader: PrefixReader }[];
  /** Milliseconds after which `startupComplete` happens by itself. */
  readonly settleTime?: number;
}

/** Operations a batch, and batches on their way: enough to keep the netlink thread busy through a reading turn, few enough
 *  that a newer wish has its turn within some 50 ms. */
const BATCH_OPERATIONS = 2000;
const MAX_BATCHES_IN_FLIGHT = 16;
const DEFAULT_SETTLE_TIME_MS = 120_000;
/** So long a closing tries, every second, to delete what the kernel refuses to. */
const CLOSING_PATIENCE_MS = 10_000;
const REFUSED = 'the kernel refused a route; trying again';

interface Room {
  readonly fib: FamilyFib;
  readonly reconciler: Reconciler;
  readonly retries: RetryLists;
  readonly guard: TamperGuard;
  /** Nothing more is written. */
  frozen: boolean;
}

export class Fib implements KernelConsumer {
  readonly targets: RouteTargets;
  /** Called, from the FIB's stage, when a cleared prefix is really gone: its id may be reused. */
  onIdle: (familyId: number, prefixId: number) => void = () => {};
  /** Called, from there, too, when ids of `targets` that no route names may mean others from now on. */
  onTargetsSwept: () => void = () => {};
  readonly #options: FibOptions;
  readonly #rooms: (Room | undefined)[] = [];
  readonly #stage: Stage = { name: 'fib', run: (deadline) => this.#run(deadline) };
  readonly #wake: () => void;
  readonly #failures: FailureLog;
  #batchesInFlight = 0;
  #nextRoom = 0;
  #written = 0;
  #repaired = 0;
  #settleTimer: Timer | undefined;
  #failure: Error | undefined;
  #closing: (() => void) | undefined;
  /** Until it is over, a closing tries again what the kernel refused. */
  #patience: Timer | undefined;

  constructor(options: FibOptions) {
    this.#options = options;
    this.targets = options.targets;
    this.#failures = new FailureLog(options.clock, options.log);
    for (const { family, reader } of options.families) this.#rooms[family.id] = this.#newRoom(family, reader);
    this.#wake = options.scheduler.add(this.#stage);
    options.monitor.add(this);
    this.#startSettleTimer(0);
  }

  /** Wants the prefix's route to be `targetId` (of `targets`). Nothing is written before the first scan. */
  setRoute(familyId: number, prefixId: number, targetId: number): void {
    if (this.#closing !== undefined) return;
    if (this.#room(familyId).fib.want(prefixId, targetId)) this.#wake();
  }

  /** Wants no route. Returns true where there is nothing to wait for: the id may be reused at once; else `onIdle` is
   *  called for it when the kernel has deleted the route, unless it is set again before. */
  clearRoute(familyId: number, prefixId: number): boolean {
    const { fib } = this.#room(familyId);
    if (fib.want(prefixId, 0)) this.#wake();
    return this.isIdle(familyId, prefixId);
  }

  /** The FIB has nothing to do with this id. */
  isIdle(familyId: number, prefixId: number): boolean {
    const room = this.#rooms[familyId];
    return room === undefined || (room.fib.flags(prefixId) & FLAG.tracked) === 0;
  }

  /** Routes of this family are this FIB's. Those of another family it neither writes nor removes. */
  serves(familyId: number): boolean {
    return this.#rooms[familyId] !== undefined;
  }

  /** Peers come so many milliseconds later than usual: if `startupComplete` has not happened yet, it has its time anew. */
  postponeStartup(ms: number): void {
    if (this.#settleTimer === undefined) return;
    this.#settleTimer.cancel();
    this.#startSettleTimer(ms);
  }

  /** Peers have had their chance: routes of an earlier run that nobody wanted go now. */
  startupComplete(): void {
    this.#settleTimer?.cancel();
    this.#settleTimer = undefined;
    for (const room of this.#rooms) if (room !== undefined) room.fib.purging = true;
    // What others made of our routes meanwhile was not judged yet.
    if (this.#scanned()) this.#options.monitor.requestScan('startup is complete');
    this.#wake();
  }

  stats(): FibStats {
    const sum = (count: (fib: FamilyFib) => number) =>
      this.#rooms.reduce((total, room) => total + (room === undefined ? 0 : count(room.fib)), 0);
    return {
      desired: sum((fib) => fib.desiredCount),
      installed: sum((fib) => fib.installedCount),
      pending: sum((fib) => fib.queued + fib.inFlightCount),
      failed: sum((fib) => fib.failedCount),
      orphans: sum((fib) => fib.orphans.size),
      written: this.#written,
      repaired: this.#repaired,
    };
  }

  /** Routes of a family that the kernel shall have. */
  desired(familyId: number): number {
    return this.#rooms[familyId]?.fib.desiredCount ?? 0;
  }

  /** Undefined where the FIB has nothing to do with the prefix. */
  route(familyId: number, prefixId: number): FibRouteState | undefined {
    if (this.isIdle(familyId, prefixId)) return undefined;
    const { fib } = this.#room(familyId);
    const desired = fib.desired(prefixId);
    const installed = fib.installed(prefixId);
    const failed = (fib.flags(prefixId) & FLAG.failed) !== 0;
    const asWanted =
      desired !== 0 && installed !== 0 && this.targets.satisfies(desired, installed, fib.addressBytes);
    return {
      desired: desired === 0 ? undefined : this.targets.get(desired),
      installed: installed === 0 ? undefined : this.targets.get(installed),
      state: failed ? 'failed' : asWanted && !(fib.flags(prefixId) & FLAG.unsure) ? 'installed' : 'pending',
      problem: failed ? this.#failures.describe(fib.errno(prefixId), fib.attempts(prefixId)) : undefined,
    };
  }

  /** Ids of all prefixes that have or should have a route. */
  *prefixes(familyId: number): Generator<number> {
    const fib = this.#rooms[familyId]?.fib;
    if (fib === undefined) return;
    for (let id = 0; id < fib.limit; id++) if (fib.flags(id) & FLAG.tracked) yield id;
  }

  /** Writes and repairs nothing more of these families: another FIB takes over their tables, or they stay as they are.
   *  `close` still removes own routes. */
  freeze(versions: readonly IpVersion[] = IP_VERSIONS): void {
    for (const room of this.#rooms) {
      if (room !== undefined && versions.includes(room.fib.family.version)) room.frozen = true;
    }
    this.#settleTimer?.cancel();
  }

  /**
   * Stops. Own routes of the families in `keep` stay where they are (another start adopts them); others are removed,
   * and the promise resolves when that is done, or was refused for ten seconds. Nothing is called back afterwards but
   * `onIdle`.
   */
  close({ keep }: { keep: readonly IpVersion[] }): Promise<void> {
    this.#settleTimer?.cancel();
    return new Promise((resolve) => {
      for (const room of this.#rooms) {
        if (room === undefined) continue;
        room.frozen = keep.includes(room.fib.family.version);
        if (!room.frozen) {
          for (let id = 0; id < room.fib.limit; id++) room.fib.want(id, 0);
          room.fib.purging = true;
          room.retries.releaseAll();
        }
      }
      this.#closing = resolve;
      this.#patience = this.#options.clock.setTimer(CLOSING_PATIENCE_MS, () => {
        this.#patience = undefined;
        this.#finishClosing();
      });
      this.#wake();
    });
  }

  scanStarted(addressBytes: AddressBytes): void {
    this.#byBytes(addressBytes)?.reconciler.startScan();
  }

  scanRows(rows: RouteRows): void {
    this.#byBytes(rows.addressBytes)?.reconciler.scanRows(rows);
    this.#wake();
  }

  scanEnded(addressBytes: AddressBytes, complete: boolean, pastDeadline: () => boolean): boolean {
    const room = this.#byBytes(addressBytes);
    if (room === undefined) return true;
    const first = !room.fib.scanned;
    if (!room.reconciler.endScan(complete, pastDeadline)) return false;
    const { repaired } = room.reconciler;
    const found = room.fib.orphans.size;
    if (first && found > 0) {
      this.#options.log.info({ family: room.fib.family.name, routes: found }, 'adopting own kernel routes');
    }
    if (!first && repaired > 0) {
      this.#repaired += repaired;
      this.#options.log.warn(
        { family: room.fib.family.name, routes: repaired },
        'own kernel routes were missing or different; writing them again',
      );
    }
    this.#wake();
    return true;
  }

  changes(rows: RouteRows): void {
    this.#byBytes(rows.addressBytes)?.reconciler.changes(rows);
    this.#wake();
  }

  link(_change: 'add' | 'delete', { ifindex }: KernelLink, turned: LinkTurn): void {
    if (turned !== 'up') return;
    this.#failures.linkCameUp(ifindex);
    this.#retryAll();
  }

  address(change: 'add' | 'delete'): void {
    if (change === 'add') this.#retryAll();
  }

  inventory(links: readonly KernelLink[]): void {
    for (const { ifindex, up } of links) if (up) this.#failures.linkCameUp(ifindex);
    this.#retryAll();
  }

  usesLink(ifindex: number): boolean {
    return this.targets.usesLink(ifindex);
  }

  failed(error: Error): void {
    this.#failure = error;
    this.#finishClosing();
  }

  #newRoom(family: Family, reader: PrefixReader): Room {
    const { clock, targets, monitor } = this.#options;
    const failures = this.#failures;
    const guard = new TamperGuard(clock);
    const fib = new FamilyFib(family, reader, targets, {
      onIdle: (prefixId) => {
        guard.forget(prefixId);
        this.onIdle(family.id, prefixId);
      },
      onFailed: (prefixId, attempts, failure) => {
        // A closing does not wait for what has failed for long.
        retries.add(prefixId, this.#closing === undefined ? attempts : 1);
        const fields = { prefix: describePrefix(reader, family, prefixId), failed: fib.failedCount };
        failures.note(failure, fields, REFUSED, targets.linksOf(fib.desired(prefixId)));
      },
      onLeftoverFailed: (failure) =>
        failures.note(failure, { family: family.name }, 'could not delete an old kernel route', []),
      onUnexplained: () => monitor.requestScan('a place is taken unexpectedly', fib.addressBytes),
    });
    const retries = new RetryLists(clock, (ids) => {
      for (const id of ids) fib.retry(id);
      this.#wake();
    });
    const reconciler = new Reconciler(fib, { onTamper: (prefixId) => this.#repair(room, prefixId) });
    const room: Room = { fib, reconciler, retries, guard, frozen: false };
    return room;
  }

  #startSettleTimer(later: number): void {
    const { clock, settleTime = DEFAULT_SETTLE_TIME_MS } = this.#options;
    this.#settleTimer = clock.setTimer(later + settleTime, () => this.startupComplete());
  }

  #room(familyId: number): Room {
    const room = this.#rooms[familyId];
    if (room === undefined) throw new Error(`the FIB has no family ${familyId}`);
    return room;
  }

  #byBytes(addressBytes: AddressBytes): Room | undefined {
    return this.#rooms.find((room) => room?.fib.addressBytes === addressBytes);
  }

  #run(deadline: number): boolean {
    const { clock } = this.#options;
    const ready = this.#scanned();
    if (this.targets.wantsSweep) this.#sweepTargets();
    while (ready && this.#failure === undefined && this.#batchesInFlight < MAX_BATCHES_IN_FLIGHT) {
      if (!this.#sendOne() && !this.#hasWork()) break;
      if (clock.now() >= deadline) return this.#hasWork();
    }
    this.#finishClosing();
    return false;
  }

  /** Sends one batch of whichever family is next; false where nobody has anything to send. */
  #sendOne(): boolean {
    for (let tries = 0; tries < this.#rooms.length; tries++) {
      const room = this.#rooms[this.#nextRoom];
      this.#nextRoom = (this.#nextRoom + 1) % this.#rooms.length;
      if (room === undefined || room.frozen) continue;
      const sent = room.fib.fill(BATCH_OPERATIONS);
      if (sent === undefined) continue;
      this.#send(room, sent);
      return true;
    }
    return false;
  }

  #send(room: Room, sent: SentBatch): void {
    const { kernel } = this.#options;
    this.targets.takeNew((id, target) => kernel.defineTarget(id, target));
    this.#batchesInFlight++;
    kernel.apply(sent.batch).then(
      (failures) => {
        this.#batchesInFlight--;
        this.#written += sent.count - failures.length;
        room.fib.done(sent, failures, room.reconciler.scanRuns);
        this.#wake();
      },
      (error: unknown) => {
        // The monitor hears of the same failure; here only the waiting ends.
        this.#batchesInFlight--;
        this.failed(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  #sweepTargets(): void {
    const rooms = this.#rooms.filter((room) => room !== undefined);
    if (this.#batchesInFlight > 0 || rooms.some(({ reconciler }) => reconciler.scanRuns)) return;
    const named = new Uint8Array(this.targets.limit);
    for (const { fib } of rooms) fib.nameTargets(named);
    this.targets.sweep(named);
    this.onTargetsSwept();
  }

  #scanned(): boolean {
    return this.#rooms.every((room) => room === undefined || room.fib.scanned);
  }

  #hasWork(): boolean {
    return this.#rooms.some((room) => room?.frozen === false && room.fib.hasWork);
  }

  #repair(room: Room, prefixId: number): void {
    const { log } = this.#options;
    const tooOften = room.guard.tampered(prefixId);
    this.#repaired++;
    if (tooOften === 0) {
      room.fib.revisit(prefixId);
      return;
    }
    if (tooOften === 1) {
      const prefix = describePrefix(room.fib.reader, room.fib.family, prefixId);
      log.warn({ prefix }, 'somebody else keeps changing this kernel route; repairing it more slowly');
    }
    room.fib.postpone(prefixId, tooOften);
    room.retries.add(prefixId, tooOften);
  }

  #retryAll(): void {
    for (const room of this.#rooms) room?.retries.releaseAll();
  }

  #finishClosing(): void {
    if (this.#closing === undefined || this.#batchesInFlight > 0) return;
    const pointless = this.#failure !== undefined || !this.#scanned();
    if (!pointless && this.#hasWork()) return;
    let refused = 0;
    for (const room of this.#rooms) if (room?.frozen === false) refused += room.fib.failedCount;
    if (!pointless && refused > 0 && this.#patience !== undefined) return;
    if (refused > 0) this.#options.log.warn({ routes: refused }, 'own kernel routes cannot be deleted');
    for (const room of this.#rooms) room?.retries.close();
    this.#failures.close();
    this.#patience?.cancel();
    this.#options.scheduler.remove(this.#stage);
    this.#closing();
  }
}
