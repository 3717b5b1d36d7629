// Who may have a route: the protocol's own rules, before any policy. RFC 4271 §9.2 (iBGP is not passed to iBGP),
// RFC 4456 §6 (but a reflector does), RFC 1997 (well-known communities), RFC 9234 §5 (roles), RFC 8212, RFC 9494 §4.3. The echo to
// the peer that a route came from is not judged here: a group's bytes carry their origin and skip that member.

import { ATTR_FLAG } from './attr-store.ts';
import type { ExportOptions } from './export-options.ts';
import type { RibPeer } from './rib-peer.ts';

export const WITHHELD = {
  none: 0,
  policy: 1,
  noPolicy: 2,
  noAdvertise: 3,
  noExport: 4,
  notReflected: 5,
  clientToClient: 6,
  onlyToCustomer: 7,
  noNextHop: 8,
  nextHopEncoding: 9,
  ownRoute: 10,
  tooLong: 11,
  longLivedStale: 12,
  clusterLoop: 13,
} as const;
export type WithheldCause = (typeof WITHHELD)[keyof typeof WITHHELD];

export const WITHHELD_SENTENCES: Readonly<Record<WithheldCause, string>> = {
  0: 'advertised',
  1: 'rejected by export policy',
  2: 'no export policy on an eBGP peer (RFC 8212)',
  3: 'community NO_ADVERTISE',
  4: 'community NO_EXPORT or NO_EXPORT_SUBCONFED',
  5: 'learned by iBGP, and neither side is a route-reflector client',
  6: 'from a client to a client, and reflection between clients is off',
  7: 'ONLY_TO_CUSTOMER forbids it towards this role (RFC 9234)',
  8: 'no own address of this family to announce as next hop; set nextHopAddress',
  9: 'the peer cannot take an IPv6 next hop for this family (RFC 8950 not negotiated)',
  10: 'the peer sent this route itself',
  11: 'the attributes do not fit into one message',
  12: 'long-lived stale, and the peer does not know LLGR_STALE (RFC 9494)',
  13: 'it comes from the cluster that this client is in (RFC 4456)',
};

/** `flags` is the attribute set's column. */
export function withheld(options: ExportOptions, from: RibPeer, flags: number): WithheldCause {
  // The bit first: few routes have it.
  if ((flags & ATTR_FLAG.noAdvertise) !== 0 && options.interpretCommunities !== false)
    return WITHHELD.noAdvertise;
  if (options.peerType !== 'internal') {
    // RFC 1997: NO_EXPORT ends at the confederation's border, NO_EXPORT_SUBCONFED at the member AS's.
    const border = flags & (ATTR_FLAG.noExport | ATTR_FLAG.noExportSubconfed);
    if (
      border !== 0 &&
      options.interpretCommunities !== false &&
      (options.peerType === 'external' || (border & ATTR_FLAG.noExportSubconfed) !== 0)
    )
      return WITHHELD.noExport;
  } else if (from.source === 'internal') {
    if (!from.client && !options.client) return WITHHELD.notReflected;
    if (from.client && options.client && !options.clientToClient) return WITHHELD.clientToClient;
  }
  if (isLeak(options, flags)) return WITHHELD.onlyToCustomer;
  // RFC 9494 §4.3
  if ((flags & ATTR_FLAG.llgrStale) !== 0 && options.staleRoutes === 'withhold')
    return WITHHELD.longLivedStale;
  const { policy } = options;
  if (typeof policy !== 'string' || policy === 'accept') return WITHHELD.none;
  return policy === 'none' ? WITHHELD.noPolicy : WITHHELD.policy;
}

/** RFC 9234 §5, egress 2: with OTC never to a provider, a peer or a route server. */
function isLeak(options: ExportOptions, flags: number): boolean {
  if ((flags & ATTR_FLAG.onlyToCustomer) === 0) return false;
  return options.role === 'customer' || options.role === 'peer' || options.role === 'rs-client';
}
