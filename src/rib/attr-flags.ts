// What of an attribute set changes the fate of its routes, as bits: which attributes are there, and which communities
// that everybody must heed.

import { WELL_KNOWN_COMMUNITIES } from '../bgp/wire/iana.ts';
import { readUint32 } from '../lib/bytes.ts';

/** Bits of the attribute store's `flags` column. */
export const ATTR_FLAG = {
  localPref: 1 << 0,
  med: 1 << 1,
  originatorId: 1 << 2,
  noExport: 1 << 3,
  noAdvertise: 1 << 4,
  noExportSubconfed: 1 << 5,
  gracefulShutdown: 1 << 6,
  llgrStale: 1 << 7,
  noLlgr: 1 << 8,
  aigp: 1 << 9,
  onlyToCustomer: 1 << 10,
  /** Extended communities that must not cross an AS boundary (RFC 4360 §6). */
  nonTransitiveExtended: 1 << 11,
  clusterList: 1 << 12,
  /** The way is known without the next hop: a gateway or a blackhole that a filter set. */
  settled: 1 << 13,
} as const;

/** RFC 1997, 8326, 9494: communities that change what happens to a route, as flag bits. */
export function communityFlags(bytes: Uint8Array, start: number, end: number): number {
  let flags = 0;
  for (let at = start; at < end; at += 4) {
    if (bytes[at] !== 0xff || bytes[at + 1] !== 0xff) continue;
    switch (readUint32(bytes, at)) {
      case WELL_KNOWN_COMMUNITIES.NO_EXPORT:
        flags |= ATTR_FLAG.noExport;
        break;
      case WELL_KNOWN_COMMUNITIES.NO_ADVERTISE:
        flags |= ATTR_FLAG.noAdvertise;
        break;
      case WELL_KNOWN_COMMUNITIES.NO_EXPORT_SUBCONFED:
        flags |= ATTR_FLAG.noExportSubconfed;
        break;
      case WELL_KNOWN_COMMUNITIES.GRACEFUL_SHUTDOWN:
        flags |= ATTR_FLAG.gracefulShutdown;
        break;
      case WELL_KNOWN_COMMUNITIES.LLGR_STALE:
        flags |= ATTR_FLAG.llgrStale;
        break;
      case WELL_KNOWN_COMMUNITIES.NO_LLGR:
        flags |= ATTR_FLAG.noLlgr;
        break;
    }
  }
  return flags;
}
