// Peers that would get the same bytes. A group follows the Loc-RIB's change log, computes each advertisement once,
// encodes it once and hands the same buffer to every member. Members at the group's pace are in `main`; those that
// joined late or could not keep up are in lanes (lane.ts) and come back when they have caught up. RFC 4271 §9.2.

import type { UpdateWriter } from '../bgp/wire/update-writer.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { type AdjRibOut, MultiPathOut, SinglePathOut } from './adj-rib-out.ts';
import { ChangeBatch, type EncodedBatch } from './change-batch.ts';
import type { LogReader } from './change-log.ts';
import { type ExportOptions, groupKey } from './export-options.ts';
import { computeMultiPath, computeSinglePath } from './export-prefix.ts';
import type { FamilyRib } from './family-rib.ts';
import { type ExportSink, Lane, type Member } from './lane.ts';
import { ExportRewriter } from './rewrite.ts';
import type { RibPeer } from './rib-peer.ts';
import type { ResumableWork } from './row-walk.ts';

/** Prefixes in one encoding; enough to fill messages, few enough for a slice. */
const CHUNK_PREFIXES = 8192;
/** How long the others wait for a congested member before it gets a lane of its own, in milliseconds. */
const PATIENCE_MS = 100;
/** A cursor behind every prefix id. */
const WALKED = Number.MAX_SAFE_INTEGER;

/** Routes that a member got from another group, by prefix: the path ids it has. */
export type HeldRoutes = ReadonlyMap<number, readonly number[]>;

export interface JoinRequest {
  readonly peer: RibPeer;
  readonly sink: ExportSink;
  /** What the peer has from before, where its options changed; undefined for a new session. */
  readonly held?: HeldRoutes | undefined;
}

export class UpdateGroup {
  readonly id: number;
  readonly key: string;
  readonly options: ExportOptions;
  readonly rewriter: ExportRewriter;
  /** Octets encoded so far, and what they would have been peer by peer. */
  bytesBuilt = 0;
  bytesSent = 0;

  readonly #rib: FamilyRib;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #writer: UpdateWriter;
  readonly #members = new Map<number, Member>();
  #main: Member[] = [];
  #lanes: Lane[] = [];
  readonly #reader: LogReader;
  readonly #batch: ChangeBatch;
  readonly #single: SinglePathOut | undefined;
  readonly #multi: MultiPathOut | undefined;
  /** The first computation of the group's Adj-RIB-Out has come this far. */
  #built = 1;
  #mainStalledSince: number | undefined;
  #patience: Timer | undefined;

  constructor(
    id: number,
    rib: FamilyRib,
    options: ExportOptions,
    driver: { clock: Clock; wake: () => void; writer: UpdateWriter },
  ) {
    this.id = id;
    this.key = groupKey(options);
    this.options = options;
    this.#rib = rib;
    this.#clock = driver.clock;
    this.#wake = driver.wake;
    this.#writer = driver.writer;
    this.rewriter = new ExportRewriter(options, rib.shared.attrs, rib.shared.peers);
    this.#reader = rib.changes.addReader();
    this.#batch = new ChangeBatch(rib);
    const { attrs } = rib.shared;
    if (options.addPath === 'none') this.#single = new SinglePathOut(attrs, rib.prefixes);
    else this.#multi = new MultiPathOut(attrs, rib.prefixes);
  }

  get adjRibOut(): AdjRibOut {
    return (this.#single ?? this.#multi)!;
  }

  get size(): number {
    return this.#members.size;
  }

  members(): readonly RibPeer[] {
    return [...this.#members.values()].map((member) => member.peer);
  }

  lagging(): readonly RibPeer[] {
    return this.#lanes.flatMap((lane) => lane.members.map((member) => member.peer));
  }

  /** Changes not yet looked at, and prefixes that lagging members miss. */
  get pending(): number {
    const unread = this.#rib.changes.end - this.#reader.position;
    return this.#lanes.reduce((sum, lane) => sum + lane.pendingCount, unread);
  }

  endOfRibSent(peerId: number): boolean {
    return this.#members.get(peerId)?.endOfRibSent ?? false;
  }

  join({ peer, sink, held }: JoinRequest): void {
    const member: Member = { peer, sink, endOfRibSent: false };
    this.#members.set(peer.id, member);
    if (held !== undefined) this.#joinWithRoutes(member, held);
    else if (this.#built === 1) this.#main.push(member);
    else this.#joinFresh(member);
    this.#wake();
  }

  /** Sends everything again (RFC 2918), between the given messages (RFC 7313: BoRR and EoRR). */
  refresh(peerId: number, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    const member = this.#members.get(peerId);
    if (member === undefined) return;
    this.#detach(member);
    if (before !== undefined) member.sink.send([before]);
    const epilogue = after === undefined ? [] : [after];
    this.#addLane({ cursor: 1, fresh: false, epilogue }, [member]);
    this.#wake();
  }

  /** The member is gone; returns what it had, for a group that it may join next. */
  leave(peerId: number, wantHeld: boolean): HeldRoutes {
    const held = new Map<number, number[]>();
    const member = this.#members.get(peerId);
    if (member === undefined) return held;
    this.#members.delete(peerId);
    this.#detach(member);
    if (!wantHeld) return held;
    const { prefixes } = this.#rib;
    for (let prefixId = 1; prefixId < prefixes.limit; prefixId++) {
      this.adjRibOut.forEach(prefixId, (pathId, _attr, from) => {
        if (from === peerId) return;
        const ids = held.get(prefixId);
        if (ids === undefined) held.set(prefixId, [pathId]);
        else ids.push(pathId);
      });
    }
    return held;
  }

  /** Works until `expired`; returns true while there is work that nobody's congestion holds up. */
  run(expired: () => boolean): boolean {
    let more = true;
    while (more && this.#mainReady()) {
      if (expired()) return true;
      more = this.#advance();
    }
    const blocked = more && this.#hasHeadWork();
    for (const lane of [...this.#lanes]) {
      while (this.#laneReady(lane)) {
        if (expired()) return true;
        if (!this.#advanceLane(lane)) break;
      }
    }
    if (blocked) this.#wakeLater();
    return false;
  }

  /** Ends the group: gives back, in slices, what its Adj-RIB-Out holds. */
  close(): ResumableWork {
    this.#patience?.cancel();
    this.#rib.changes.removeReader(this.#reader);
    for (const lane of this.#lanes) lane.close();
    this.#lanes = [];
    this.rewriter.close();
    let prefixId = 1;
    return {
      run: (expired) => {
        for (; prefixId < this.#rib.prefixes.limit; prefixId++) {
          if (prefixId % CHUNK_PREFIXES === 0 && expired()) {
            prefixId++;
            this.#drop(prefixId - 1);
            return true;
          }
          this.#drop(prefixId);
        }
        return false;
      },
    };
  }

  #drop(prefixId: number): void {
    if (!this.adjRibOut.has(prefixId)) return;
    this.#single?.set(prefixId, 0, 0);
    this.#multi?.set(prefixId, []);
  }

  // ----- the group's own pace

  #hasHeadWork(): boolean {
    return this.#reader.position < this.#rib.changes.end || this.#built !== WALKED;
  }

  /** One chunk of changes or of the first walk; returns whether more is left. */
  #advance(): boolean {
    const { changes, prefixes } = this.#rib;
    this.#batch.clear();
    const readEnd = Math.min(changes.end, this.#reader.position + CHUNK_PREFIXES);
    if (this.#reader.position < readEnd) {
      for (let at = this.#reader.position; at < readEnd; at++) {
        const prefixId = changes.at(at);
        if (prefixId < this.#built) this.#compute(prefixId);
      }
      this.#sendBatch();
      // Read entries are let go only now: until here they keep their prefixes.
      this.#reader.position = readEnd;
      changes.trim();
    } else if (this.#built !== WALKED) {
      const walkEnd = Math.min(prefixes.limit, this.#built + CHUNK_PREFIXES);
      for (let prefixId = this.#built; prefixId < walkEnd; prefixId++) this.#compute(prefixId);
      this.#sendBatch();
      this.#built = walkEnd === prefixes.limit ? WALKED : walkEnd;
      if (this.#built === WALKED) this.#sendEndOfRib(this.#main);
    }
    return this.#hasHeadWork();
  }

  #compute(prefixId: number): void {
    if (this.#single !== undefined) {
      computeSinglePath(this.#rib, prefixId, this.rewriter, this.#single, this.#members, this.#batch);
    } else {
      const { addPath } = this.options;
      const limit = typeof addPath === 'number' ? addPath : Number.MAX_SAFE_INTEGER;
      computeMultiPath(this.#rib, prefixId, limit, this.rewriter, this.#multi!, this.#members, this.#batch);
    }
  }

  #sendBatch(): void {
    if (this.#batch.count === 0) return;
    for (const lane of this.#lanes) {
      this.#batch.forEach((prefixId, pathId, attr) => {
        lane.note(prefixId, pathId, attr);
      });
    }
    if (this.#main.length === 0) return;
    if (this.#deliver(this.#main, this.#encode())) this.#mainStalledSince ??= this.#clock.now();
  }

  /** False while members of `main` are congested and still have the others' patience. */
  #mainReady(): boolean {
    if (this.#mainStalledSince === undefined) return true;
    const congested = this.#main.filter((member) => member.sink.congested);
    if (congested.length > 0) {
      if (this.#clock.now() - this.#mainStalledSince < PATIENCE_MS) return false;
      this.#main = this.#main.filter((member) => !member.sink.congested);
      this.#addLane({ cursor: WALKED, fresh: false, epilogue: [] }, congested);
    }
    this.#mainStalledSince = undefined;
    return true;
  }

  // ----- lanes

  #joinFresh(member: Member): void {
    const waiting = this.#lanes.find((lane) => lane.fresh && lane.cursor === 1);
    if (waiting !== undefined) waiting.members.push(member);
    else this.#addLane({ cursor: 1, fresh: true, epilogue: [this.#endOfRib()] }, [member]);
  }

  #joinWithRoutes(member: Member, held: HeldRoutes): void {
    const lane = this.#addLane({ cursor: 1, fresh: false, epilogue: [] }, [member]);
    member.endOfRibSent = true;
    for (const [prefixId, pathIds] of held) {
      for (const pathId of pathIds) lane.note(prefixId, pathId, 0);
    }
  }

  #addLane(start: { cursor: number; fresh: boolean; epilogue: Uint8Array[] }, members: Member[]): Lane {
    const lane = new Lane(this.#rib.prefixes, start);
    lane.members.push(...members);
    this.#lanes.push(lane);
    return lane;
  }

  #laneReady(lane: Lane): boolean {
    if (lane.members.length === 0) return false;
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
    this.#lanes.push(lane.split(congested));
    return true;
  }

  /** One chunk of what a lane misses; returns whether more is left. */
  #advanceLane(lane: Lane): boolean {
    const { prefixes } = this.#rib;
    const batch = this.#batch;
    batch.clear();
    const walkLimit = Math.min(this.#built, prefixes.limit);
    while (batch.count < CHUNK_PREFIXES && lane.cursor < walkLimit) {
      const prefixId = lane.cursor++;
      if (lane.isPending(prefixId)) continue;
      this.adjRibOut.forEach(prefixId, (pathId, attr, from) => {
        batch.add(prefixId, pathId, attr, from);
      });
    }
    const released: number[] = [];
    while (batch.count < CHUNK_PREFIXES && lane.cursor >= walkLimit) {
      const prefixId = lane.shift();
      if (prefixId < 0) break;
      released.push(prefixId);
      this.#catchUp(lane, prefixId);
    }
    if (batch.count > 0) this.#deliver(lane.members, this.#encode());
    for (const prefixId of released) prefixes.release(prefixId);
    if (lane.cursor < walkLimit || lane.pendingCount > 0) return true;
    if (this.#built === WALKED) this.#mergeLane(lane);
    return false;
  }

  /** Brings a lane's members to the present state of one prefix, whatever they have of it. */
  #catchUp(lane: Lane, prefixId: number): void {
    let advertised = false;
    for (const pathId of lane.takeGone(prefixId)) this.#batch.add(prefixId, pathId, 0, 0);
    this.adjRibOut.forEach(prefixId, (pathId, attr, from) => {
      advertised = true;
      this.#batch.add(prefixId, pathId, attr, from);
      // The member it came from may still have the route of another peer.
      if (lane.members.some((member) => member.peer.id === from)) {
        this.#batch.addFor(from, prefixId, pathId, 0);
      }
    });
    if (!advertised && this.#single !== undefined) this.#batch.add(prefixId, 0, 0, 0);
  }

  #mergeLane(lane: Lane): void {
    for (const member of lane.members) {
      if (lane.epilogue.length > 0) member.sink.send(lane.epilogue);
      if (lane.fresh) member.endOfRibSent = true;
    }
    this.#main.push(...lane.members);
    if (lane.members.some((member) => member.sink.congested)) this.#mainStalledSince ??= this.#clock.now();
    lane.close();
    this.#lanes = this.#lanes.filter((other) => other !== lane);
  }

  #detach(member: Member): void {
    this.#main = this.#main.filter((other) => other !== member);
    for (const lane of this.#lanes) {
      const index = lane.members.indexOf(member);
      if (index >= 0) lane.members.splice(index, 1);
    }
    for (const lane of this.#lanes.filter((each) => each.members.length === 0)) lane.close();
    this.#lanes = this.#lanes.filter((lane) => lane.members.length > 0);
  }

  // ----- bytes

  #encode(): EncodedBatch {
    const encoded = this.#batch.encode(this.#writer);
    this.bytesBuilt += encoded.bytes.length;
    for (const prefixId of encoded.unsent) this.#drop(prefixId);
    return encoded;
  }

  #endOfRib(): Uint8Array {
    this.#writer.endOfRib();
    return this.#writer.detach();
  }

  #sendEndOfRib(members: readonly Member[]): void {
    const chunk = [this.#endOfRib()];
    for (const member of members) {
      if (member.endOfRibSent) continue;
      member.endOfRibSent = true;
      member.sink.send(chunk);
    }
  }

  /** Gives each member the bytes less its own routes; returns whether any is congested now. */
  #deliver(members: readonly Member[], encoded: EncodedBatch): boolean {
    const { bytes, commonEnd, own, solo } = encoded;
    const everything = commonEnd > 0 ? [bytes.subarray(0, commonEnd)] : [];
    let congested = false;
    for (const { peer, sink } of members) {
      const mine = own.get(peer.id);
      const extra = solo.get(peer.id);
      let chunks = everything;
      if (mine !== undefined) chunks = pieces(bytes, 0, mine.start, mine.end, commonEnd);
      if (extra !== undefined) chunks = [...chunks, bytes.subarray(extra.start, extra.end)];
      if (chunks.length === 0) continue;
      for (const chunk of chunks) this.bytesSent += chunk.length;
      if (!sink.send(chunks)) congested = true;
    }
    return congested;
  }

  #wakeLater(): void {
    if (this.#patience !== undefined) return;
    this.#patience = this.#clock.setTimer(PATIENCE_MS, () => {
      this.#patience = undefined;
      this.#wake();
    });
  }
}

/** `bytes[start, end)` without `[cutStart, cutEnd)`. */
function pieces(
  bytes: Uint8Array,
  start: number,
  cutStart: number,
  cutEnd: number,
  end: number,
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  if (cutStart > start) parts.push(bytes.subarray(start, cutStart));
  if (end > cutEnd) parts.push(bytes.subarray(cutEnd, end));
  return parts;
}
