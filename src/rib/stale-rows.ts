// Which rows of a peer are stale: kept from before a restart or a refresh until the peer confirms them (RFC 4724 §4.2,
// RFC 7313 §4). A row carries the generation that it was announced in, as far as two bits tell; the peer counts its
// generations table by table. So a new generation makes all rows of before stale without a look at any of them, however
// many there are and however many peers go at once. Who takes out what is stale is adj-rib-in.ts.

import type { FamilyRib } from './family-rib.ts';
import { GENERATION_MASK } from './path-store.ts';
import type { FamilyCounters, RibPeer } from './rib-peer.ts';
import { RowWalk } from './row-walk.ts';

/** What the flags of a row have that the peer announces now. */
export function freshFlags({ index }: FamilyRib, peer: RibPeer): number {
  return peer.generations[index]!.current & GENERATION_MASK;
}

/** How many generations a row is behind; 0 = it is not stale. */
function ageOf({ paths, index }: FamilyRib, peer: RibPeer, row: number): number {
  return (peer.generations[index]!.current - paths.flags(row)) & GENERATION_MASK;
}

export function isStale(rib: FamilyRib, peer: RibPeer, row: number): boolean {
  return ageOf(rib, peer, row) !== 0;
}

/** Tells for a walk which rows are stale now, whatever becomes stale on its way. */
export function staleBy(rib: FamilyRib, peer: RibPeer): (row: number) => boolean {
  const generations = peer.generations[rib.index]!;
  const now = generations.current;
  return (row) => ageOf(rib, peer, row) > generations.current - now;
}

/** One stale row more or less. */
export function countStale(counters: FamilyCounters, cause: number, delta: 1 | -1): void {
  counters.stale += delta;
  if (cause !== 0) counters.staleRejected += delta;
}

/** False where rows are of so many generations that one more cannot be told from them. */
export function hasGenerationLeft({ index }: FamilyRib, peer: RibPeer): boolean {
  const { current, oldest } = peer.generations[index]!;
  const { stale, received } = peer.counters[index]!;
  return stale === 0 || stale === received || current - oldest < GENERATION_MASK;
}

/** From now on a row counts as stale until the peer sends it again. Only where a generation is left. */
export function markStale({ index }: FamilyRib, peer: RibPeer): void {
  const counters = peer.counters[index]!;
  if (counters.stale === counters.received) return;
  const generations = peer.generations[index]!;
  if (counters.stale === 0) generations.oldest = generations.current;
  generations.current++;
  counters.stale = counters.received;
  counters.staleRejected = counters.rejected;
}

/** Whatever is stale is one generation behind from now on: a walk in one go, while no other looks for what is stale. */
export function mergeStale(rib: FamilyRib, peer: RibPeer): void {
  const { paths, index } = rib;
  const generations = peer.generations[index]!;
  generations.oldest = generations.current - 1;
  const before = generations.oldest & GENERATION_MASK;
  const visit = (row: number): void => {
    if (isStale(rib, peer, row)) paths.setFlags(row, (paths.flags(row) & ~GENERATION_MASK) | before);
  };
  new RowWalk(rib, peer, visit).run(() => false);
}

/** For rows of another process: flags of those that are stale, and of the others. Before the peer has any. */
export function twoGenerations({ index }: FamilyRib, peer: RibPeer): { stale: number; fresh: number } {
  peer.generations[index] = { current: 1, oldest: 0 };
  return { stale: 0, fresh: 1 };
}
