// How much of the tables is a peer's: an estimate from counters, so that it costs the same however many routes there
// are. What peers share (prefixes, attribute sets) is divided by the number of rows.

import type { Rib } from './rib.ts';
import type { RibPeer } from './rib-peer.ts';

export interface PeerShare {
  /** Octets. */
  readonly paths: number;
  readonly attributes: number;
}

export function peerShare(rib: Rib, peer: RibPeer): PeerShare {
  let paths = 0;
  let rows = 0;
  let allRows = 0;
  for (const { index, paths: store, prefixes } of rib.all) {
    const own = peer.counters[index]?.received ?? 0;
    allRows += store.size;
    rows += own;
    if (own === 0) continue;
    paths += own * store.octetsPerRow + (prefixes.octets * own) / Math.max(own, store.size);
  }
  return {
    paths: Math.round(paths),
    attributes: rows === 0 ? 0 : Math.round((rib.attrs.octets * rows) / Math.max(rows, allRows)),
  };
}
