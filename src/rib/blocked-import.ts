// Announcements of a peer that has as many routes as it may have, or nearly so: prefix by prefix, where the usual way
// (adj-rib-in.ts) takes a message at once. What is there may change and go; what would be one too many is not taken, or
// taken and not accepted. Routes that wait for a peer that restarts, or that it is asked for again, take no room.

import { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import { announce, isOverLimit, judgeSet, letGo, refuse, removeRow } from './adj-rib-in.ts';
import type { FamilyRib } from './family-rib.ts';
import { type ImportResult, REJECT } from './import-checks.ts';
import { countAccepted, countReceived, type RibPeer, type RouteBlocks } from './rib-peer.ts';
import { isStale } from './stale-rows.ts';

/** Whether so many more are surely within the limits, whatever they are. */
export function hasRoom(
  { family, index }: FamilyRib,
  peer: RibPeer,
  blocks: RouteBlocks,
  more: number,
): boolean {
  const counters = peer.counters[index]!;
  const mostReceived = blocks.received[family.id]!;
  const mostAccepted = blocks.accepted[family.id]!;
  return (
    countReceived(counters, mostReceived) + more <= mostReceived &&
    countAccepted(counters, mostAccepted) + more <= mostAccepted
  );
}

/** As `announce`, within the limits. */
export function announceWithin(
  rib: FamilyRib,
  peer: RibPeer,
  blocks: RouteBlocks,
  batch: NlriBatch,
  attrIn: number,
  result: ImportResult,
  now: number,
): void {
  const { family, index, prefixes, paths } = rib;
  const counters = peer.counters[index]!;
  const changes = peer.changes[index]!;
  const mostReceived = blocks.received[family.id]!;
  const mostAccepted = blocks.accepted[family.id]!;
  const filtered = judgeSet(rib, peer, result);
  const one = new NlriBatch(family, 1);
  one.count = 1;
  for (let i = 0; i < batch.count; i++) {
    const known = prefixes.findAll(batch, i, i + 1)[0]!;
    const pathId = batch.pathIds[i]!;
    const row = known === 0 ? 0 : paths.find(known, peer.id, pathId);
    const counted = row !== 0 && !isStale(rib, peer, row);
    if (!counted && countReceived(counters, mostReceived) >= mostReceived) {
      // What it was before it is no more.
      if (row !== 0) removeRow(rib, peer, row);
      changes.announced++;
      changes.invalid++;
      blocks.blocked(family.id, 'received');
      continue;
    }
    copyPrefix(batch, i, one);
    const wasAccepted = counted && paths.attrPost(row) !== 0;
    announce(rib, peer, one, attrIn, filtered, now);
    if (wasAccepted || countAccepted(counters, mostAccepted) <= mostAccepted) continue;
    const prefixId = prefixes.findAll(one, 0, 1)[0]!;
    const taken = paths.find(prefixId, peer.id, pathId);
    if (taken === 0 || paths.attrPost(taken) === 0) continue;
    refuse(rib, peer, taken, REJECT.overLimit);
    changes.invalid++;
    blocks.blocked(family.id, 'accepted');
  }
  if (filtered !== result) letGo(rib, filtered);
}

/** Whether a limit keeps routes of the peer back that import would have to judge again. May look at all rows. */
export function keepsBack(rib: FamilyRib, peer: RibPeer): boolean {
  const { paths } = rib;
  if (peer.counters[rib.index]!.rejected === 0) return false;
  for (let row = 1; row < paths.limit; row++) {
    if (paths.peerId(row) === peer.id && paths.prefixId(row) !== 0 && isOverLimit(rib, row)) return true;
  }
  return false;
}

function copyPrefix(from: NlriBatch, at: number, to: NlriBatch): void {
  const { words } = from.family;
  for (let word = 0; word < words; word++) to.words[word] = from.words[at * words + word]!;
  to.lengths[0] = from.lengths[at]!;
  to.pathIds[0] = from.pathIds[at]!;
}
