// What a lane is sent next: of the walk through the whole Adj-RIB-Out first, then of what it remembers.

import type { Advertiser } from './advertiser.ts';
import type { ChangeBatch } from './change-batch.ts';
import type { Lane } from './lane.ts';

/**
 * Fills a batch up to `most` changes. The walk ends at `walkEnd`. Returns the remembered prefixes that are in the batch:
 * the caller releases them when it is sent.
 */
export function fillForLane(
  lane: Lane,
  advertiser: Advertiser,
  walkEnd: number,
  most: number,
  batch: ChangeBatch,
): number[] {
  const { adjRibOut } = advertiser;
  while (batch.count < most && lane.cursor < walkEnd) {
    const prefixId = lane.cursor++;
    if (lane.isPending(prefixId)) continue;
    adjRibOut.forEach(prefixId, (pathId, attr, from) => {
      batch.add(prefixId, pathId, attr, from);
    });
  }
  const remembered: number[] = [];
  while (batch.count < most && lane.cursor >= walkEnd) {
    const prefixId = lane.shift();
    if (prefixId < 0) break;
    remembered.push(prefixId);
    catchUp(lane, advertiser, prefixId, batch);
  }
  return remembered;
}

/** Brings a lane's members to the present state of one prefix, whatever they have of it. */
function catchUp(
  lane: Lane,
  { adjRibOut, isSinglePath }: Advertiser,
  prefixId: number,
  batch: ChangeBatch,
): void {
  let advertised = false;
  const gone = lane.takeGone(prefixId);
  adjRibOut.forEach(prefixId, (pathId, attr, from) => {
    // Of a peer that did not come along into this process: it goes, and what takes its place is computed next.
    if (from === 0) return;
    advertised = true;
    gone.delete(pathId);
    batch.add(prefixId, pathId, attr, from);
    // The member it came from may still have the route of another peer.
    if (lane.members.some((member) => member.peer.id === from)) {
      batch.addFor(from, prefixId, pathId, 0, from);
    }
  });
  for (const pathId of gone) batch.add(prefixId, pathId, 0, 0);
  if (!advertised && isSinglePath) batch.add(prefixId, 0, 0, 0);
}
