// Routes of a peer that stays away for longer than a restart takes (RFC 9494 §4.2): what is stale gets LLGR_STALE after
// import, and so loses to everything else (decision.ts) and is kept from peers that do not know it (distribution.ts);
// what carries NO_LLGR goes. When, is the speaker's affair.

import { removeRow } from './adj-rib-in.ts';
import type { FamilyRib } from './family-rib.ts';
import { PATH_FLAG } from './path-store.ts';
import type { RibPeer } from './rib-peer.ts';
import { RowWalk } from './row-walk.ts';
import { refusesLongLife, StaleMarker } from './stale-marker.ts';
import { staleBy } from './stale-rows.ts';

/** The peer's routes that are stale now become the last resort, or go. */
export function keepLongLived(rib: FamilyRib, peer: RibPeer): RowWalk {
  const { paths, shared } = rib;
  const marker = new StaleMarker(shared.attrs);
  const isConcerned = staleBy(rib, peer);
  const visit = (row: number): void => {
    const flags = paths.flags(row);
    if (!isConcerned(row) || (flags & PATH_FLAG.longLived) !== 0) return;
    if (refusesLongLife(rib, row)) {
      removeRow(rib, peer, row);
      return;
    }
    paths.setFlags(row, flags | PATH_FLAG.longLived);
    const post = paths.attrPost(row);
    if (post === 0) return;
    const marked = marker.mark(post);
    if (marked === post) return;
    shared.attrs.hold(marked);
    paths.setAttrPost(row, marked);
    shared.attrs.release(post);
    rib.locRib.pathsChanged(paths.prefixId(row));
  };
  return new RowWalk(rib, peer, visit, () => marker.settle());
}
