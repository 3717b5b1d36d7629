// Peers that would get the same bytes. A group follows the Loc-RIB's change log, computes each advertisement once,
// encodes it once and hands the same buffer to every member. Members at the group's pace are in `main`; those that
// joined late or could not keep up are in lanes (lane.ts) and come back when they have caught up. RFC 4271 §9.2.

import type { UpdateWriter } from '../bgp/wire/update-writer.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { type AdjRibOut, emptyInSlices } from './adj-rib-out.ts';
import { Advertiser } from './advertiser.ts';
import { ChangeBatch } from './change-batch.ts';
import type { LogReader } from './change-log.ts';
import { deliver } from './deliver.ts';
import { type ExportOptions, groupKey } from './export-options.ts';
import type { FamilyRib } from './family-rib.ts';
import { type JoinRequest, Lane, type LaneStart, type Member, type Parted } from './lane.ts';
import { fillForLane } from './lane-batch.ts';
import { LaneTransfer } from './lane-transfer.ts';
import type { ExportRewriter } from './rewrite.ts';
import type { RibPeer } from './rib-peer.ts';
import type { ResumableWork } from './row-walk.ts';

/** How long the others wait for a congested member before it gets a lane of its own, in milliseconds. */
const PATIENCE_MS = 100;
/** Changes that are computed in a row. */
const BLOCK = 64;
/** A cursor behind every prefix id. */
const WALKED = Number.MAX_SAFE_INTEGER;

export interface ExportDriver {
  readonly clock: Clock;
  readonly wake: () => void;
  /** Prefixes in one encoding; enough to fill messages, few enough for a slice. */
  readonly chunkPrefixes: number;
}

export class UpdateGroup {
  readonly id: number;
  readonly key: string;
  readonly options: ExportOptions;
  /** Octets encoded so far, and what they would have been peer by peer. */
  bytesBuilt = 0;
  bytesSent = 0;

  readonly #rib: FamilyRib;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #chunk: number;
  readonly #writer: UpdateWriter;
  readonly #members = new Map<number, Member>();
  #main: Member[] = [];
  readonly #lanes = new Set<Lane>();
  /** To the lanes of members that have left for another group. */
  #transfers: LaneTransfer[] = [];
  readonly #reader: LogReader;
  readonly #batch: ChangeBatch;
  readonly advertiser: Advertiser;
  /** The first computation of the group's Adj-RIB-Out has come this far. */
  #built = 1;
  #mainStalledSince: number | undefined;
  #patience: Timer | undefined;

  constructor(
    id: number,
    rib: FamilyRib,
    options: ExportOptions,
    driver: ExportDriver & { writer: UpdateWriter },
  ) {
    this.id = id;
    this.key = groupKey(options);
    this.options = options;
    this.#rib = rib;
    this.#clock = driver.clock;
    this.#wake = driver.wake;
    this.#chunk = driver.chunkPrefixes;
    this.#writer = driver.writer;
    this.advertiser = new Advertiser(rib, options);
    this.#reader = rib.changes.addReader();
    this.#batch = new ChangeBatch(rib);
  }

  get adjRibOut(): AdjRibOut {
    return this.advertiser.adjRibOut;
  }

  get rewriter(): ExportRewriter {
    return this.advertiser.rewriter;
  }

  get size(): number {
    return this.#members.size;
  }

  members(): readonly RibPeer[] {
    return [...this.#members.values()].map((member) => member.peer);
  }

  /** Of the members that are not at its pace. */
  get lanes(): readonly Lane[] {
    return [...this.#lanes];
  }

  lagging(): readonly RibPeer[] {
    return this.lanes.flatMap((lane) => lane.members.map((member) => member.peer));
  }

  /** Changes not yet looked at, and prefixes that lagging members miss. */
  get pending(): number {
    const unread = this.#rib.changes.end - this.#reader.position;
    return this.lanes.reduce((sum, lane) => sum + lane.pendingCount, unread);
  }

  endOfRibSent(peerId: number): boolean {
    return this.#members.get(peerId)?.endOfRibSent ?? false;
  }

  /** `from` is what `part` of another group or process gave: the member has routes, and they may be wrong ones. */
  join({ peer, sink }: JoinRequest, from?: Parted): void {
    const member: Member = { peer, sink, endOfRibSent: from?.endOfRibSent ?? false };
    this.#members.set(peer.id, member);
    if (from?.lane !== undefined) {
      from.lane.members.push(member);
      this.#lanes.add(from.lane);
    } else if (this.#built === 1 && (from !== undefined || this.adjRibOut.size === 0)) {
      this.#main.push(member);
    } else this.#joinFresh(member);
    this.#wake();
  }

  /** Sends everything again (RFC 2918), between the given messages (RFC 7313: BoRR and EoRR). */
  refresh(peerId: number, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    const member = this.#members.get(peerId);
    if (member === undefined) return;
    const lane = this.#laneFor(member);
    lane.restart();
    lane.epilogue.length = 0;
    if (before !== undefined) member.sink.send([before]);
    if (after !== undefined) lane.epilogue.push(after);
    this.#wake();
  }

  /** The member is gone. Returns what is left to do of it. */
  leave(peerId: number): ResumableWork | undefined {
    const member = this.#members.get(peerId);
    this.#members.delete(peerId);
    return member === undefined ? undefined : this.#detach(member);
  }

  /**
   * The member goes to the group `into` with its session alive. The lane returned remembers every route that it may
   * have been sent, or will when its transfer is over; the caller passes it to `join` there.
   */
  part(peerId: number, into: UpdateGroup): Parted | undefined {
    const member = this.#members.get(peerId);
    if (member === undefined) return undefined;
    // Those at the group's pace have been sent the same, so whoever of them goes the same way shares a lane.
    const kin = this.#main.includes(member)
      ? `${this.id} ${this.#reader.position} ${this.#built}`
      : undefined;
    const known = kin === undefined ? undefined : into.lanes.find((each) => each.kin === kin);
    const { endOfRibSent } = member;
    this.#members.delete(peerId);
    if (known !== undefined) {
      this.#main = this.#main.filter((other) => other !== member);
      return { lane: known, endOfRibSent };
    }
    const lane = this.#laneFor(member);
    this.#lanes.delete(lane);
    lane.members.length = 0;
    // One that waits for another group's has been sent nothing here.
    if (lane.transfer === undefined) {
      this.#transfers.push(new LaneTransfer(this.adjRibOut, lane, lane.reach, this.#chunk));
    }
    lane.restart();
    lane.kin = kin;
    return { lane, endOfRibSent };
  }

  /** Works until `expired`; returns true while there is work that nobody's congestion holds up. */
  run(expired: () => boolean): boolean {
    while (this.#hasHeadWork() && this.#mainReady()) {
      if (expired()) return true;
      this.#advance();
    }
    const blocked = this.#hasHeadWork();
    for (const lane of this.lanes) {
      while (this.#laneReady(lane)) {
        if (expired()) return true;
        if (!this.#advanceLane(lane)) break;
      }
    }
    if (blocked) this.#wakeLater();
    return false;
  }

  /** Ends the group, which has no members: gives back, in slices, what its Adj-RIB-Out holds. */
  close(): ResumableWork {
    this.#patience?.cancel();
    this.#rib.changes.removeReader(this.#reader);
    return emptyInSlices(this.adjRibOut, this.#rib.prefixes);
  }

  // ----- the group's own pace

  #hasHeadWork(): boolean {
    return this.#reader.position < this.#rib.changes.end || this.#built !== WALKED;
  }

  /** One chunk of changes or of the first walk. */
  #advance(): void {
    const { changes, prefixes } = this.#rib;
    this.#batch.clear();
    const readEnd = Math.min(changes.end, this.#reader.position + this.#chunk);
    if (this.#reader.position < readEnd) {
      for (let block = this.#reader.position; block < readEnd; block += BLOCK) {
        const blockEnd = Math.min(readEnd, block + BLOCK);
        this.advertiser.warm(block, blockEnd);
        for (let at = block; at < blockEnd; at++) {
          const prefixId = changes.at(at);
          if (prefixId < this.#built) this.#compute(prefixId);
        }
      }
      this.#sendBatch();
      // Read entries are let go only now: until here they keep their prefixes.
      this.#reader.position = readEnd;
      changes.trim();
    } else if (this.#built !== WALKED) {
      const walkEnd = Math.min(prefixes.limit, this.#built + this.#chunk);
      for (let prefixId = this.#built; prefixId < walkEnd; prefixId++) this.#compute(prefixId);
      this.#sendBatch();
      this.#built = walkEnd === prefixes.limit ? WALKED : walkEnd;
      if (this.#built === WALKED) this.#sendEndOfRib(this.#main);
    }
  }

  #compute(prefixId: number): void {
    this.advertiser.compute(prefixId, this.#members, this.#batch);
  }

  #sendBatch(): void {
    this.advertiser.settle();
    if (this.#batch.count === 0) return;
    for (const lane of this.#lanes) {
      this.#batch.forEach((prefixId, pathId, attr) => {
        lane.note(prefixId, pathId, attr);
      });
    }
    if (this.#transfers.length > 0) this.#noteForTransfers();
    if (this.#main.length > 0 && this.#encodeFor(this.#main)) this.#mainStalledSince ??= this.#clock.now();
  }

  #noteForTransfers(): void {
    this.#transfers = this.#transfers.filter(({ isOver }) => !isOver);
    for (const transfer of this.#transfers) {
      this.#batch.forEach((prefixId, pathId) => {
        transfer.note(prefixId, pathId);
      });
    }
  }

  /** False while members of `main` are congested and still have the others' patience. */
  #mainReady(): boolean {
    if (this.#mainStalledSince === undefined) return true;
    const congested = this.#main.filter((member) => member.sink.congested);
    if (congested.length > 0) {
      if (this.#clock.now() - this.#mainStalledSince < PATIENCE_MS) return false;
      this.#main = this.#main.filter((member) => !member.sink.congested);
      this.#addLane({ cursor: WALKED, fresh: false }, congested);
    }
    this.#mainStalledSince = undefined;
    return true;
  }

  // ----- lanes

  #joinFresh(member: Member): void {
    const waiting = this.lanes.find((lane) => lane.untouched);
    (waiting ?? this.#addLane({ cursor: 1, fresh: true }, [])).members.push(member);
  }

  #addLane(start: LaneStart, members: readonly Member[]): Lane {
    const lane = new Lane(this.#rib.prefixes, start, members);
    this.#lanes.add(lane);
    return lane;
  }

  /** The lane of one member alone, which knows what the member misses. */
  #laneFor(member: Member): Lane {
    const lane = this.lanes.find((each) => each.members.includes(member));
    if (lane === undefined) {
      this.#main = this.#main.filter((other) => other !== member);
      return this.#addLane({ cursor: WALKED, fresh: false }, [member]);
    }
    if (lane.members.length === 1) return lane;
    const alone = lane.split([member]);
    this.#lanes.add(alone);
    return alone;
  }

  /** Returns the end of its lane where nobody else is in it. */
  #detach(member: Member): ResumableWork | undefined {
    this.#main = this.#main.filter((other) => other !== member);
    const lane = this.lanes.find((each) => each.members.includes(member));
    lane?.members.splice(lane.members.indexOf(member), 1);
    if (lane === undefined || lane.members.length > 0) return undefined;
    this.#lanes.delete(lane);
    return lane.close();
  }

  #laneReady(lane: Lane): boolean {
    if (lane.members.length === 0 || lane.transfer !== undefined) return false;
    const congested = lane.members.filter((member) => member.sink.congested);
    if (congested.length === 0) {
      lane.stalledSince = undefined;
      return true;
    }
    const now = this.#clock.now();
    lane.stalledSince ??= now;
    if (congested.length === lane.members.length) return false;
    if (now - lane.stalledSince < PATIENCE_MS) {
      this.#wakeLater();
      return false;
    }
    lane.stalledSince = undefined;
    this.#lanes.add(lane.split(congested));
    return true;
  }

  /** One chunk of what a lane misses; returns whether more is left. */
  #advanceLane(lane: Lane): boolean {
    const { prefixes } = this.#rib;
    const batch = this.#batch;
    batch.clear();
    lane.kin = undefined;
    const walkEnd = Math.min(this.#built, prefixes.limit);
    const remembered = fillForLane(lane, this.advertiser, walkEnd, this.#chunk, batch);
    if (batch.count > 0) this.#encodeFor(lane.members);
    for (const prefixId of remembered) prefixes.release(prefixId);
    if (lane.cursor < walkEnd || lane.pendingCount > 0) return true;
    if (this.#built === WALKED) this.#mergeLane(lane);
    return false;
  }

  #mergeLane(lane: Lane): void {
    this.#sendEndOfRib(lane.members);
    if (lane.epilogue.length > 0) for (const { sink } of lane.members) sink.send(lane.epilogue);
    this.#main.push(...lane.members);
    if (lane.members.some((member) => member.sink.congested)) this.#mainStalledSince ??= this.#clock.now();
    this.#lanes.delete(lane);
  }

  /** Builds and hands out the batch; returns whether a member is congested now. */
  #encodeFor(members: readonly Member[]): boolean {
    const encoded = this.#batch.encode(this.#writer, this.rewriter);
    // A route that fits no message was withdrawn instead: nobody has it, and lanes must withdraw it too.
    for (const { prefixId, pathId } of encoded.unsent) {
      this.adjRibOut.remove(prefixId, pathId);
      for (const lane of this.#lanes) lane.note(prefixId, pathId, 0);
      for (const transfer of this.#transfers) transfer.note(prefixId, pathId);
    }
    const { bytes, congested } = deliver(members, encoded);
    this.bytesBuilt += encoded.bytes.length;
    this.bytesSent += bytes;
    return congested;
  }

  #sendEndOfRib(members: readonly Member[]): void {
    const waiting = members.filter((member) => !member.endOfRibSent);
    if (waiting.length === 0) return;
    this.#writer.endOfRib();
    const chunk = [this.#writer.detach()];
    for (const member of waiting) {
      member.endOfRibSent = true;
      member.sink.send(chunk);
    }
  }

  #wakeLater(): void {
    this.#patience ??= this.#clock.setTimer(PATIENCE_MS, () => {
      this.#patience = undefined;
      this.#wake();
    });
  }
}
