// One family of the FIB: for every prefixId the target that is wanted and the one that the kernel has, and the small
// state between them. Pure bookkeeping on typed arrays: it takes no time, sends nothing and logs nothing. What is to
// be done comes out of `fill` as operations, what came of them goes back in through `done`.

import type { Family } from '../bgp/wire/families.ts';
import { growUint8, growUint32, IdQueue } from '../lib/columns.ts';
import { ERRNO } from './errno.ts';
import { Orphans } from './orphans.ts';
import type { PrefixReader } from './prefix-reader.ts';
import type { RoutePlace, RouteTargets } from './route-targets.ts';
import { ROUTE_OPERATION, type RouteBatch, type RouteFailure } from './types.ts';

/** Bits of a prefix's state. */
export const FLAG = {
  /** Wanted, present, or being worked on; without it the id is the speaker's alone. */
  tracked: 1,
  inFlight: 2,
  /** A scan that runs now has met it. */
  seen: 4,
  /** It changed since the scan began: what the scan says of it is old. */
  touched: 8,
  /** A route of somebody else has its place (same prefix, table and metric). */
  foreign: 16,
  /** The kernel's state is not known for sure: write with replace, which is right wherever there was a route of ours. */
  unsure: 32,
  /** The last operation failed; it waits for its retry. */
  failed: 64,
  /** Somebody changed it while an operation of ours was under way. */
  recheck: 128,
} as const;

const INITIAL_IDS = 1 << 10;
const MAX_ATTEMPTS_COUNTED = 255;
/** Most queued prefixes turn into an operation; where they do not, a turn ends after so many. */
const LOOKS_PER_OPERATION = 4;

/** A route to delete that is no prefix's current one: an orphan, or one under an old metric. */
interface Leftover {
  readonly words: Int32Array;
  readonly bits: number;
  readonly target: number;
}

/** What was sent, kept until the kernel answers. An id of 0 stands for a leftover. */
export interface SentBatch {
  readonly batch: RouteBatch;
  readonly count: number;
  readonly ids: Uint32Array;
  readonly targets: Uint32Array;
  readonly kinds: Uint8Array;
}

export interface FamilyFibEvents {
  /** A cleared prefix is gone from the kernel; its id may mean something else now. */
  onIdle(prefixId: number): void;
  /** Operation failed for the `attempts`th time in a row; it must be given back with `retry`. */
  onFailed(prefixId: number, attempts: number, failure: RouteFailure): void;
  /** A leftover could not be deleted; the next scan finds it again. */
  onLeftoverFailed(failure: RouteFailure): void;
  /** The place is, or may be, taken by a route that no scan has shown. */
  onUnexplained(): void;
}

export class FamilyFib {
  readonly family: Family;
  readonly addressBytes: 4 | 16;
  readonly reader: PrefixReader;
  readonly targets: RouteTargets;
  /** Table and usual metric of its routes. */
  readonly place: RoutePlace;
  readonly #events: FamilyFibEvents;
  readonly #queue = new IdQueue();
  readonly #scratch: Int32Array<ArrayBuffer>;
  #desired = new Uint32Array(INITIAL_IDS);
  #installed = new Uint32Array(INITIAL_IDS);
  #flags = new Uint8Array(INITIAL_IDS);
  #errno = new Uint8Array(INITIAL_IDS);
  #attempts = new Uint8Array(INITIAL_IDS);
  #leftovers: Leftover[] = [];
  #limit = 0;
  orphans: Orphans;
  /** Orphans of the scan that runs now, to become `orphans` at its end. */
  scanning: Orphans | undefined;
  /** The first scan is done; nothing is written before. */
  scanned = false;
  /** Orphans may be deleted. */
  purging = false;
  desiredCount = 0;
  installedCount = 0;
  failedCount = 0;
  inFlightCount = 0;

  constructor(family: Family, reader: PrefixReader, targets: RouteTargets, events: FamilyFibEvents) {
    this.family = family;
    this.addressBytes = family.maxBits === 32 ? 4 : 16;
    this.reader = reader;
    this.targets = targets;
    this.place = targets.placeOf(this.addressBytes);
    this.#events = events;
    this.#scratch = new Int32Array(family.words);
    this.orphans = new Orphans(family.words);
  }

  /** Every tracked id is below this. */
  get limit(): number {
    return this.#limit;
  }

  /** Prefixes that wait for their turn. */
  get queued(): number {
    return this.#queue.size;
  }

  get hasWork(): boolean {
    return this.#queue.size > 0 || this.#leftovers.length > 0 || (this.purging && this.orphans.size > 0);
  }

  desired(id: number): number {
    return this.#desired[id] ?? 0;
  }

  installed(id: number): number {
    return this.#installed[id] ?? 0;
  }

  flags(id: number): number {
    return this.#flags[id] ?? 0;
  }

  errno(id: number): number {
    return this.#errno[id] ?? 0;
  }

  attempts(id: number): number {
    return this.#attempts[id] ?? 0;
  }

  setFlags(id: number, flags: number): void {
    this.#flags[id] = this.#flags[id]! | flags;
  }

  clearFlags(id: number, flags: number): void {
    this.#flags[id] = this.#flags[id]! & ~flags;
  }

  /** Sets what is wanted; 0 = nothing. Returns false where that is already so. */
  want(id: number, target: number): boolean {
    if (target !== 0 && !(this.flags(id) & FLAG.tracked)) this.#track(id);
    const before = this.desired(id);
    if (before === target) return false;
    this.#desired[id] = target;
    if (before === 0) this.desiredCount++;
    else if (target === 0) this.desiredCount--;
    // A new wish deserves a new try at once.
    this.#unfail(id);
    this.#queue.push(id);
    return true;
  }

  /** Queues a prefix whose kernel state may differ from what is wanted. */
  revisit(id: number): void {
    this.#queue.push(id);
  }

  /** A failed operation's wait is over. */
  retry(id: number): void {
    if (!(this.flags(id) & FLAG.failed)) return;
    this.#unfail(id);
    this.#queue.push(id);
  }

  /** Keeps a prefix from being written until `retry`. */
  postpone(id: number, attempts: number): void {
    this.#fail(id, attempts);
  }

  /** What the kernel was seen to have; 0 = nothing. */
  observe(id: number, target: number): void {
    const before = this.#installed[id]!;
    this.#installed[id] = target;
    if (before === 0 && target !== 0) this.installedCount++;
    else if (before !== 0 && target === 0) this.installedCount--;
  }

  /** A route of ours that must go and that no prefix stands for. */
  discard(words: Int32Array, at: number, bits: number, target: number): void {
    this.#leftovers.push({ words: words.slice(at, at + this.family.words), bits, target });
  }

  /** Sets `named[id]` for every target that something here names; nothing may be under way, and no scan run. */
  nameTargets(named: Uint8Array): void {
    for (let id = 0; id < this.#limit; id++) {
      named[this.#desired[id]!] = 1;
      named[this.#installed[id]!] = 1;
    }
    for (const { target } of this.#leftovers) named[target] = 1;
    this.orphans.nameTargets(named);
  }

  /** Takes up to `most` operations out of the queue; undefined where there are none among the prefixes looked at,
   *  though `hasWork` may still say that there is more. */
  fill(most: number): SentBatch | undefined {
    const stride = this.family.words;
    const words = new Int32Array(most * stride);
    const bits = new Uint8Array(most);
    const kinds = new Uint8Array(most);
    const targets = new Uint32Array(most);
    const ids = new Uint32Array(most);
    let count = 0;
    for (let looked = 0; count < most && looked < most * LOOKS_PER_OPERATION; looked++) {
      const id = this.#queue.shift();
      if (id < 0) break;
      const kind = this.#nextOperation(id);
      if (kind === 0) continue;
      this.reader.words(id, this.#scratch);
      words.set(this.#scratch, count * stride);
      bits[count] = this.reader.bits(id);
      kinds[count] = kind;
      targets[count] = kind === ROUTE_OPERATION.delete ? this.#installed[id]! : this.#desired[id]!;
      ids[count] = id;
      this.setFlags(id, FLAG.inFlight);
      count++;
    }
    for (; count < most; count++) {
      const leftover = this.#nextLeftover();
      if (leftover === undefined) break;
      words.set(leftover.words, count * stride);
      bits[count] = leftover.bits;
      kinds[count] = ROUTE_OPERATION.delete;
      targets[count] = leftover.target;
    }
    if (count === 0) return undefined;
    this.inFlightCount += count;
    const batch: RouteBatch = { addressBytes: this.addressBytes, count, kinds, words, bits, targets };
    // The batch's arrays go away with it; these stay.
    return { batch, count, ids, targets: targets.slice(0, count), kinds: kinds.slice(0, count) };
  }

  /** Takes in what came of a batch; `scanRuns` while a scan of this family is under way. */
  done(sent: SentBatch, failures: readonly RouteFailure[], scanRuns: boolean): void {
    this.inFlightCount -= sent.count;
    const failed = new Map(failures.map((failure) => [failure.index, failure]));
    for (let i = 0; i < sent.count; i++) {
      const id = sent.ids[i]!;
      const failure = failed.size === 0 ? undefined : failed.get(i);
      if (id === 0) {
        if (failure !== undefined && !isGone(failure.errno)) this.#events.onLeftoverFailed(failure);
        continue;
      }
      this.clearFlags(id, FLAG.inFlight);
      if (scanRuns) this.setFlags(id, FLAG.touched);
      if (failure === undefined || (sent.kinds[i] === ROUTE_OPERATION.delete && isGone(failure.errno))) {
        this.#succeeded(id, sent.kinds[i]!, sent.targets[i]!);
      } else {
        this.#refused(id, sent.kinds[i]!, sent.targets[i]!, failure);
      }
    }
  }

  #track(id: number): void {
    this.#desired = growUint32(this.#desired, id + 1);
    this.#installed = growUint32(this.#installed, id + 1);
    this.#flags = growUint8(this.#flags, id + 1);
    this.#errno = growUint8(this.#errno, id + 1);
    this.#attempts = growUint8(this.#attempts, id + 1);
    if (id >= this.#limit) this.#limit = id + 1;
    this.#flags[id] = FLAG.tracked;
    // What failed was another prefix of this id.
    this.#attempts[id] = 0;
    if (this.orphans.size === 0 && this.scanning === undefined) return;
    this.reader.words(id, this.#scratch);
    const bits = this.reader.bits(id);
    const adopted = this.scanning?.take(this.#scratch, 0, bits) ?? 0;
    const older = this.orphans.take(this.#scratch, 0, bits);
    const target = adopted === 0 ? older : adopted;
    if (target !== 0) this.observe(id, target);
    if (this.scanning === undefined) return;
    if (!this.scanned) this.setFlags(id, adopted === 0 ? 0 : FLAG.seen);
    // Beside writes of ours a scan's word may be older than they are. What was never ours is not to be replaced.
    else this.setFlags(id, target === 0 ? FLAG.touched : FLAG.touched | FLAG.unsure);
  }

  /** What is to be done for a prefix now; 0 = nothing. */
  #nextOperation(id: number): number {
    const flags = this.#flags[id]!;
    // What is under way is looked at again when it ends; what failed, when its wait is over.
    if (flags & (FLAG.inFlight | FLAG.failed)) return 0;
    const desired = this.#desired[id]!;
    const installed = this.#installed[id]!;
    if (desired === 0) {
      if (installed !== 0) return ROUTE_OPERATION.delete;
      if (flags & FLAG.tracked) this.#release(id);
      return 0;
    }
    if (flags & FLAG.unsure) return ROUTE_OPERATION.replace;
    if (installed === 0) return ROUTE_OPERATION.create;
    if (this.targets.satisfies(desired, installed, this.addressBytes)) return 0;
    // Under another metric it is another route to the kernel: first the new one, then the old one goes.
    return this.#sameKey(desired, installed) ? ROUTE_OPERATION.replace : ROUTE_OPERATION.create;
  }

  #sameKey(a: number, b: number): boolean {
    return this.targets.metricOf(a, this.addressBytes) === this.targets.metricOf(b, this.addressBytes);
  }

  #release(id: number): void {
    this.#unfail(id);
    this.#flags[id] = 0;
    this.#events.onIdle(id);
  }

  #nextLeftover(): Leftover | undefined {
    for (;;) {
      const leftover = this.#leftovers.pop() ?? (this.purging ? this.#nextOrphan() : undefined);
      if (leftover === undefined || !this.#isCurrent(leftover)) return leftover;
    }
  }

  #nextOrphan(): Leftover | undefined {
    const any = this.orphans.takeAny(this.#scratch, 0);
    return any === undefined ? undefined : { words: this.#scratch, ...any };
  }

  /** A prefix has come to want, or to have, the very route that was to go. */
  #isCurrent({ words, bits, target }: Leftover): boolean {
    const id = this.reader.find(words, bits);
    if (id <= 0 || !(this.flags(id) & FLAG.tracked)) return false;
    const desired = this.#desired[id]!;
    const installed = this.#installed[id]!;
    return (
      (desired !== 0 && this.#sameKey(desired, target)) ||
      (installed !== 0 && this.#sameKey(installed, target))
    );
  }

  #succeeded(id: number, kind: number, target: number): void {
    const before = this.#installed[id]!;
    const recheck = (this.#flags[id]! & FLAG.recheck) !== 0;
    this.clearFlags(id, FLAG.recheck | FLAG.unsure | FLAG.foreign);
    this.#errno[id] = 0;
    this.#attempts[id] = 0;
    this.observe(id, kind === ROUTE_OPERATION.delete ? 0 : target);
    // What was there under another metric is beside it now.
    if (kind !== ROUTE_OPERATION.delete && before !== 0 && !this.#sameKey(before, target)) {
      this.reader.words(id, this.#scratch);
      this.discard(this.#scratch, 0, this.reader.bits(id), before);
    }
    if (recheck) this.setFlags(id, FLAG.unsure);
    if (recheck || this.#desired[id] !== this.#installed[id] || this.#desired[id] === 0) this.#queue.push(id);
  }

  #refused(id: number, kind: number, target: number, failure: RouteFailure): void {
    this.clearFlags(id, FLAG.recheck);
    if (failure.errno === ERRNO.ENOBUFS) this.#unanswered(id, kind, target);
    if (failure.errno === ERRNO.EEXIST && !(this.#flags[id]! & FLAG.foreign)) this.#events.onUnexplained();
    this.#errno[id] = failure.errno;
    const desired = this.#desired[id]!;
    if (kind === ROUTE_OPERATION.delete ? desired !== 0 : desired !== target) {
      // It was for a wish that has changed since.
      this.#queue.push(id);
      return;
    }
    this.#fail(id, Math.min(this.#attempts[id]! + 1, MAX_ATTEMPTS_COUNTED));
    this.#events.onFailed(id, this.#attempts[id]!, failure);
  }

  /** Done or not, nobody knows. A route that is there is ours to replace; whose the place of a new one is, a scan tells. */
  #unanswered(id: number, kind: number, target: number): void {
    if (kind === ROUTE_OPERATION.create) this.#events.onUnexplained();
    else this.setFlags(id, FLAG.unsure);
    // Not wanted any more: a deletion takes it back, if it is there.
    if (this.#desired[id] === 0 && this.#installed[id] === 0) this.observe(id, target);
  }

  #fail(id: number, attempts: number): void {
    this.#attempts[id] = attempts;
    if (this.#flags[id]! & FLAG.failed) return;
    this.setFlags(id, FLAG.failed);
    this.failedCount++;
  }

  #unfail(id: number): void {
    if (!(this.flags(id) & FLAG.failed)) return;
    this.clearFlags(id, FLAG.failed);
    this.failedCount--;
  }
}

/** Answers to a deletion that mean that there is nothing left to delete. */
function isGone(errno: number): boolean {
  return errno === ERRNO.ESRCH || errno === ERRNO.ENOENT || errno === ERRNO.ENODEV;
}
