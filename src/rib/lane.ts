// Members of a group that are not at its pace: those that have just joined and walk through what is there, and
// those that could not take bytes as fast as they came. A lane remembers what its members miss as a set of
// prefixes, so it is bounded by the table and not by time, and sends the newest state when they can take it.
// Members of a lane share its bytes as members of the group do.

import { IdQueue } from '../lib/columns.ts';
import type { LaneTransfer } from './lane-transfer.ts';
import type { PrefixTable } from './prefix-table.ts';
import type { RibPeer } from './rib-peer.ts';
import type { ResumableWork } from './row-walk.ts';

/** Where a member's bytes go; a session satisfies it. */
export interface ExportSink {
  /** Returns false when the sink wants no more until it says so. */
  send(chunks: readonly Uint8Array[]): boolean;
  readonly congested: boolean;
}

export interface Member {
  readonly peer: RibPeer;
  readonly sink: ExportSink;
  endOfRibSent: boolean;
}

export interface JoinRequest {
  readonly peer: RibPeer;
  readonly sink: ExportSink;
}

/** A member between two groups. */
export interface Parted {
  /** What it misses there: every route that it may have been sent here. Undefined: it has what the group has. */
  readonly lane: Lane | undefined;
  readonly endOfRibSent: boolean;
}

/** Prefixes that are let go between two looks at the clock. */
const RELEASES_PER_CLOCK = 4096;

export interface LaneStart {
  readonly cursor: number;
  readonly fresh: boolean;
}

export class Lane {
  readonly members: Member[] = [];
  /** Sent to every member when the lane has caught up, after End-of-RIB. */
  readonly epilogue: Uint8Array[] = [];
  /** Next prefix id of the walk through the whole Adj-RIB-Out; at or above the table's limit it is over. */
  cursor: number;
  /** True where the members had nothing before: what the walk has not reached need not be remembered. */
  #fresh: boolean;
  /** What its members have in common, for others to go with them; undefined once they have been sent anything. */
  kin: string | undefined;
  /** Tells it what its members may have been sent by another group; undefined once it knows. */
  transfer: LaneTransfer | undefined;
  /** Clock.now() since when a member has been congested; undefined = none is. */
  stalledSince: number | undefined;
  readonly #prefixes: PrefixTable;
  #pending = new IdQueue();
  /** Path ids that were withdrawn while the lane lagged, by prefix; ADD-PATH only. */
  readonly #goneIds = new Map<number, Set<number>>();

  constructor(prefixes: PrefixTable, start: LaneStart, members: readonly Member[]) {
    this.#prefixes = prefixes;
    this.cursor = start.cursor;
    this.#fresh = start.fresh;
    this.members.push(...members);
  }

  /** Its members have nothing yet: others who have nothing may go with them. */
  get untouched(): boolean {
    return this.#fresh && this.cursor === 1;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Remembers that an entry changed; `attr` 0 = it was withdrawn. */
  note(prefixId: number, pathId: number, attr: number): void {
    if (this.#fresh && prefixId >= this.cursor) return;
    this.#remember(prefixId);
    if (pathId === 0) return;
    const gone = this.#goneIds.get(prefixId);
    if (attr !== 0) gone?.delete(pathId);
    else if (gone === undefined) this.#goneIds.set(prefixId, new Set([pathId]));
    else gone.add(pathId);
  }

  isPending(prefixId: number): boolean {
    return this.#pending.has(prefixId);
  }

  /** Its members may have something of the prefixes below this id, and of none above. */
  get reach(): number {
    return this.#fresh ? Math.min(this.cursor, this.#prefixes.limit) : this.#prefixes.limit;
  }

  /** What is remembered, with the path ids that were withdrawn meanwhile. At once. */
  missing(): { prefixId: number; gone: readonly number[] }[] {
    this.transfer?.run(() => false);
    const missing: { prefixId: number; gone: readonly number[] }[] = [];
    this.#pending.forEach((prefixId) => {
      missing.push({ prefixId, gone: [...(this.#goneIds.get(prefixId) ?? [])] });
    });
    return missing;
  }

  /** The next remembered prefix, or -1. The caller releases it in the prefix table. */
  shift(): number {
    return this.#pending.shift();
  }

  /** Path ids withdrawn meanwhile, which it forgets. */
  takeGone(prefixId: number): Set<number> {
    const gone = this.#goneIds.get(prefixId);
    this.#goneIds.delete(prefixId);
    return gone ?? new Set();
  }

  /** Everything is sent again, whatever the members have; what they miss stays remembered. */
  restart(): void {
    this.cursor = 1;
    this.#fresh = false;
  }

  /** A lane that misses the same things, for members that part from this one. */
  split(members: readonly Member[]): Lane {
    const lane = new Lane(this.#prefixes, { cursor: this.cursor, fresh: this.#fresh }, members);
    lane.epilogue.push(...this.epilogue);
    this.transfer?.share(lane);
    for (const member of members) this.members.splice(this.members.indexOf(member), 1);
    // A full table may wait here: columns are copied as they are.
    lane.#pending = this.#pending.copy();
    this.#pending.forEach((prefixId) => {
      this.#prefixes.hold(prefixId);
    });
    for (const [prefixId, ids] of this.#goneIds) lane.#goneIds.set(prefixId, new Set(ids));
    return lane;
  }

  #remember(prefixId: number): void {
    if (this.#pending.push(prefixId)) this.#prefixes.hold(prefixId);
  }

  /** Nobody is in it any more: lets go, in slices, of what it remembers. */
  close(): ResumableWork {
    this.transfer = undefined;
    this.#goneIds.clear();
    return {
      run: (expired) => {
        for (let released = 1; this.#pending.size > 0; released++) {
          this.#prefixes.release(this.#pending.shift());
          if (released % RELEASES_PER_CLOCK === 0 && expired()) return true;
        }
        return false;
      },
    };
  }
}
