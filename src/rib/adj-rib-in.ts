// What a peer announced, written into the path rows: announce, withdraw, flush, what is stale taken out, and import run
// again over what is there. What is best is the Loc-RIB's affair, which is told of every change.

import type { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import type { FamilyRib } from './family-rib.ts';
import { type ImportChecks, type ImportResult, REJECT, type RejectCause } from './import-checks.ts';
import { GENERATION_MASK, PATH_FLAG } from './path-store.ts';
import { countAccepted, NO_LIMIT, type RibPeer } from './rib-peer.ts';
import type { RoutePolicy } from './route-policy.ts';
import { RowWalk } from './row-walk.ts';
import { refusesLongLife, StaleMarker } from './stale-marker.ts';
import { countStale, freshFlags, isStale, staleBy } from './stale-rows.ts';

/** Prefixes that are looked up together: enough for cache misses to overlap, few enough to stay in the cache. */
const BLOCK = 512;

/**
 * Writes announced prefixes. `attrIn` stays the caller's; `result` is what import made of it for this peer.
 * `now` is wall-clock seconds. Announcing again what is there changes nothing (but the stale mark).
 */
export function announce(
  rib: FamilyRib,
  peer: RibPeer,
  batch: NlriBatch,
  attrIn: number,
  result: ImportResult,
  now: number,
): void {
  const { policy } = result;
  const { damper, tracer } = peer;
  const tell = tracer === undefined ? undefined : tracer.batch(rib, batch);
  if (damper !== undefined) damper.beforeAnnounce(rib, peer, batch, attrIn);
  const filtered = judgeSet(rib, peer, result);
  if (filtered === result) announceAll(rib, peer, batch, attrIn, result, policy, now);
  else {
    announceAll(rib, peer, batch, attrIn, filtered, undefined, now);
    letGo(rib, filtered);
  }
  if (damper !== undefined) damper.afterAnnounce(rib, peer, batch);
  if (tell !== undefined) tell();
}

/** The result after a policy that looks at the set alone: the caller lets go of it where it is another one. */
export function judgeSet(rib: FamilyRib, peer: RibPeer, result: ImportResult): ImportResult {
  const { policy } = result;
  if (policy === undefined || policy.dependsOnPrefix(rib.family.id)) return result;
  return judge(rib, peer, 0, result, policy);
}

/** What a policy leaves of an accepted set, held once. */
function judge(
  rib: FamilyRib,
  peer: RibPeer,
  prefixId: number,
  { attrPost }: ImportResult,
  policy: RoutePolicy,
): ImportResult {
  return judged(policy.apply(rib, prefixId, attrPost, peer, attrPost));
}

function judged(attrPost: number): ImportResult {
  // Of the shape that import-checks.ts gives.
  return { attrPost, cause: attrPost === 0 ? REJECT.policy : REJECT.none, policy: undefined };
}

export function letGo(rib: FamilyRib, { attrPost }: ImportResult): void {
  if (attrPost !== 0) rib.shared.attrs.release(attrPost);
}

/** `each` is the policy where it looks at the prefix: `result` is then what it starts from. */
function announceAll(
  rib: FamilyRib,
  peer: RibPeer,
  batch: NlriBatch,
  attrIn: number,
  result: ImportResult,
  each: RoutePolicy | undefined,
  now: number,
): void {
  const { prefixes, paths } = rib;
  const { pathIds, count } = batch;
  // What a limit has kept back is as it was, and has another chance.
  const limited = peer.blocks !== undefined;
  const fresh = freshFlags(rib, peer);
  let unchanged = 0;
  let refused = 0;
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const ids = prefixes.internAll(batch, from, to);
    paths.warm(ids, to - from);
    for (let i = from; i < to; i++) {
      const prefixId = ids[i - from]!;
      const pathId = pathIds[i]!;
      const row = paths.find(prefixId, peer.id, pathId);
      const known = row !== 0 && paths.attrIn(row) === attrIn && !(limited && isOverLimit(rib, row));
      if (known && confirm(rib, peer, row, fresh)) {
        unchanged++;
      } else {
        const own =
          each === undefined
            ? result
            : judged(each.applyInTurn(rib, prefixId, result.attrPost, peer, result.attrPost));
        if (own.cause !== REJECT.none) refused++;
        if (row !== 0) replaceRow(rib, peer, row, attrIn, own, now);
        else addRow(rib, peer, prefixId, pathId, attrIn, own, now);
        if (each !== undefined) letGo(rib, own);
      }
    }
  }
  each?.settle();
  const changes = peer.changes[rib.index]!;
  changes.announced += count;
  changes.unchanged += unchanged;
  // What the checks refuse, no policy sees.
  const byPolicy = each !== undefined || result.cause === REJECT.policy || result.cause === REJECT.noPolicy;
  if (byPolicy) changes.filtered += refused;
  else changes.invalid += refused;
}

/** Removes withdrawn prefixes; a withdrawal of what is not there is harmless (RFC 4271 §9). */
export function withdraw(rib: FamilyRib, peer: RibPeer, batch: NlriBatch): void {
  const { prefixes, paths } = rib;
  const { pathIds, count } = batch;
  const counters = peer.counters[rib.index]!;
  const before = counters.received;
  const tell = peer.tracer?.batch(rib, batch);
  peer.damper?.beforeWithdraw(rib, peer, batch);
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK);
    const ids = prefixes.findAll(batch, from, to);
    paths.warm(ids, to - from);
    for (let i = from; i < to; i++) {
      const prefixId = ids[i - from]!;
      const row = prefixId === 0 ? 0 : paths.find(prefixId, peer.id, pathIds[i]!);
      if (row !== 0) removeRow(rib, peer, row);
    }
  }
  const changes = peer.changes[rib.index]!;
  changes.withdrawn += count;
  changes.unknown += count - (before - counters.received);
  tell?.();
}

/** A new row; `attrIn` and the result's set stay the caller's. */
export function addRow(
  rib: FamilyRib,
  peer: RibPeer,
  prefixId: number,
  pathId: number,
  attrIn: number,
  result: ImportResult,
  now: number,
): number {
  const { prefixes, paths, shared } = rib;
  const { attrPost, cause } = result;
  const counters = peer.counters[rib.index]!;
  prefixes.hold(prefixId);
  const row = paths.add(prefixId, peer.id, pathId, freshFlags(rib, peer), attrIn, attrPost, cause, now);
  shared.attrs.hold(attrIn);
  counters.received++;
  if (cause !== REJECT.none) counters.rejected++;
  if (attrPost !== 0) {
    shared.attrs.hold(attrPost);
    rib.locRib.pathsChanged(prefixId);
  } else rib.onUnchosen?.(prefixId);
  return row;
}

/** Another set for a row that is there. */
export function replaceRow(
  rib: FamilyRib,
  peer: RibPeer,
  row: number,
  attrIn: number,
  result: ImportResult,
  now: number,
): void {
  const { paths, shared } = rib;
  clearStale(rib, peer, row);
  const oldIn = paths.attrIn(row);
  const oldPost = paths.attrPost(row);
  shared.attrs.hold(attrIn);
  paths.setAttrIn(row, attrIn);
  paths.setSince(row, now);
  setPost(rib, peer, row, oldPost, result);
  shared.attrs.release(oldIn);
  if (oldPost !== result.attrPost) rib.locRib.pathsChanged(paths.prefixId(row));
  else rib.onUnchosen?.(paths.prefixId(row));
}

/** The peer has it still. False where what was made of it meanwhile does not stand (RFC 9494 §4.2). */
function confirm(rib: FamilyRib, peer: RibPeer, row: number, fresh: number): boolean {
  const flags = rib.paths.flags(row);
  if ((flags & GENERATION_MASK) === fresh) return true;
  if ((flags & PATH_FLAG.longLived) !== 0) return false;
  clearStale(rib, peer, row);
  return true;
}

function clearStale(rib: FamilyRib, peer: RibPeer, row: number): void {
  if (!isStale(rib, peer, row)) return;
  const { paths, index } = rib;
  const lasting = paths.flags(row) & ~(GENERATION_MASK | PATH_FLAG.longLived);
  paths.setFlags(row, lasting | freshFlags(rib, peer));
  countStale(peer.counters[index]!, paths.reject(row), -1);
}

/** Stores the outcome of import for a row that is not stale; keeps the rejected counter and the references right. */
function setPost(rib: FamilyRib, peer: RibPeer, row: number, oldPost: number, result: ImportResult): void {
  const { paths, shared } = rib;
  const counters = peer.counters[rib.index]!;
  if (paths.reject(row) !== 0) counters.rejected--;
  if (paths.reject(row) !== result.cause) paths.setReject(row, result.cause);
  if (result.cause !== 0) counters.rejected++;
  paths.setAttrPost(row, result.attrPost);
  if (result.attrPost !== 0) shared.attrs.hold(result.attrPost);
  if (oldPost !== 0) shared.attrs.release(oldPost);
}

/** As `setPost`, of a row that may be stale. */
function changePost(rib: FamilyRib, peer: RibPeer, row: number, oldPost: number, result: ImportResult): void {
  const stale = isStale(rib, peer, row);
  const counters = peer.counters[rib.index]!;
  if (stale) countStale(counters, rib.paths.reject(row), -1);
  setPost(rib, peer, row, oldPost, result);
  if (stale) countStale(counters, result.cause, 1);
}

/** The route is there and not used, for a reason that no check of attributes has. */
export function refuse(rib: FamilyRib, peer: RibPeer, row: number, cause: RejectCause): void {
  storeRow(rib, peer, row, { attrPost: 0, cause });
}

/** Takes a row out, with all that it holds. */
export function removeRow(rib: FamilyRib, peer: RibPeer, row: number): void {
  const { prefixes, paths, shared } = rib;
  const counters = peer.counters[rib.index]!;
  const prefixId = paths.prefixId(row);
  const attrIn = paths.attrIn(row);
  const attrPost = paths.attrPost(row);
  counters.received--;
  if (paths.reject(row) !== 0) counters.rejected--;
  if (counters.stale > 0 && isStale(rib, peer, row)) countStale(counters, paths.reject(row), -1);
  paths.remove(row);
  if (attrPost !== 0) {
    rib.locRib.pathsChanged(prefixId);
    shared.attrs.release(attrPost);
  } else rib.onUnchosen?.(prefixId);
  shared.attrs.release(attrIn);
  prefixes.release(prefixId);
}

/** Removes every row of a peer that sends no more. */
export function flushPeer(rib: FamilyRib, peer: RibPeer): RowWalk {
  return new RowWalk(
    rib,
    peer,
    traced(rib, peer, (row) => removeRow(rib, peer, row)),
  );
}

/** What a walk does with a row, with the tracer that the peer has when it begins. */
function traced(rib: FamilyRib, { tracer }: RibPeer, visit: (row: number) => void): (row: number) => void {
  if (tracer === undefined) return visit;
  return (row) => {
    const tell = tracer.row(rib, row);
    visit(row);
    tell();
  };
}

/** Removes what is stale now, and still so when the walk gets there. */
export function removeStale(rib: FamilyRib, peer: RibPeer): RowWalk {
  const isConcerned = staleBy(rib, peer);
  const remove = traced(rib, peer, (row) => removeRow(rib, peer, row));
  return new RowWalk(rib, peer, (row) => {
    if (isConcerned(row)) remove(row);
  });
}

/** Whether a prefix's routes may be judged otherwise than before. */
export type Concerns = (rib: FamilyRib, prefixId: number) => boolean;

/**
 * Soft reconfiguration: import runs again over the rows as they were received, once an attribute set as far as the
 * prefix does not matter; over those rows alone that are concerned, where that is said.
 */
export function reimport(rib: FamilyRib, peer: RibPeer, checks: ImportChecks, concerns?: Concerns): RowWalk {
  const { paths, shared } = rib;
  const memo = new Map<number, ImportResult>();
  const marker = new StaleMarker(shared.attrs);
  const evaluate = (attrIn: number): ImportResult => {
    const result = { ...checks.evaluate(peer, attrIn) };
    const filtered = judgeSet(rib, peer, result);
    if (filtered !== result) letGo(rib, result);
    return filtered;
  };
  const visit = (row: number): void => {
    if (concerns !== undefined && !concerns(rib, paths.prefixId(row))) return;
    if (isDamped(rib, peer, row)) return;
    const attrIn = paths.attrIn(row);
    let result = memo.get(attrIn);
    if (result === undefined) {
      result = evaluate(attrIn);
      memo.set(attrIn, result);
      shared.attrs.hold(attrIn);
    }
    if (result.policy === undefined) storeJudged(rib, peer, row, result, marker);
    else {
      const filtered = judge(rib, peer, paths.prefixId(row), result, result.policy);
      storeJudged(rib, peer, row, filtered, marker);
      letGo(rib, filtered);
    }
  };
  return new RowWalk(rib, peer, traced(rib, peer, visit), () => {
    marker.settle();
    for (const [attrIn, { attrPost }] of memo) {
      shared.attrs.release(attrIn);
      if (attrPost !== 0) shared.attrs.release(attrPost);
    }
  });
}

/** What one more accepted route is, where there may be no more. */
function withinLimit(rib: FamilyRib, peer: RibPeer, before: number, judged: ImportResult): ImportResult {
  const { blocks } = peer;
  const most = blocks?.accepted[rib.family.id] ?? NO_LIMIT;
  const count = countAccepted(peer.counters[rib.index]!, most);
  if (before !== 0 || judged.attrPost === 0 || count < most) return judged;
  blocks?.blocked(rib.family.id, 'accepted');
  return OVER_LIMIT;
}

/** A limit on accepted routes has kept it back. */
export function isOverLimit({ paths }: FamilyRib, row: number): boolean {
  return paths.reject(row) === REJECT.overLimit;
}

function isDamped(rib: FamilyRib, { damper }: RibPeer, row: number): boolean {
  const { paths } = rib;
  if (damper === undefined || paths.reject(row) !== REJECT.damped) return false;
  return damper.isSuppressed(rib, paths.prefixId(row), paths.pathId(row));
}

/** A route that was suppressed is judged as if it came now. */
export function reuseRow(rib: FamilyRib, peer: RibPeer, row: number, checks: ImportChecks): void {
  const { paths } = rib;
  const result = { ...checks.evaluate(peer, paths.attrIn(row)) };
  const { policy } = result;
  const own = policy === undefined ? result : judge(rib, peer, paths.prefixId(row), result, policy);
  if (policy !== undefined) letGo(rib, result);
  const marker = new StaleMarker(rib.shared.attrs);
  storeJudged(rib, peer, row, own, marker);
  marker.settle();
  letGo(rib, own);
}

/** Stores what import makes of a row now, as far as limits allow, and as what it is: a long-lived one, it may go. */
function storeJudged(
  rib: FamilyRib,
  peer: RibPeer,
  row: number,
  judged: ImportResult,
  marker: StaleMarker,
): void {
  const { paths } = rib;
  const imported = withinLimit(rib, peer, paths.attrPost(row), judged);
  const lives = (paths.flags(row) & PATH_FLAG.longLived) !== 0 && imported.attrPost !== 0;
  storeRow(rib, peer, row, lives ? { ...imported, attrPost: marker.mark(imported.attrPost) } : imported);
  if (lives && refusesLongLife(rib, row)) removeRow(rib, peer, row);
}

function storeRow(rib: FamilyRib, peer: RibPeer, row: number, result: ImportResult): void {
  const { paths } = rib;
  const before = paths.attrPost(row);
  if (before === result.attrPost && paths.reject(row) === result.cause) return;
  changePost(rib, peer, row, before, result);
  if (before !== result.attrPost) rib.locRib.pathsChanged(paths.prefixId(row));
}

/** Marks dirty every prefix with a path through one of these next hops. */
export function markNextHopsDirty(rib: FamilyRib, changed: ReadonlySet<number>): RowWalk {
  const { paths, shared } = rib;
  return new RowWalk(rib, undefined, (row) => {
    const attrPost = paths.attrPost(row);
    if (attrPost !== 0 && changed.has(shared.attrs.nextHop[attrPost]!)) {
      rib.locRib.markDirty(paths.prefixId(row));
    }
  });
}

const OVER_LIMIT: ImportResult = { attrPost: 0, cause: REJECT.overLimit };
