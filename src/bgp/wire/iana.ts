// The numbers of BGP, as its registries assign them: message types, path attributes, capabilities, optional
// parameters, segment types, well-known communities. Error codes live in error-codes.ts. Names and numbers only:
// what a number means to a codec is a row in that codec's table.
// https://www.iana.org/assignments/bgp-parameters/bgp-parameters.xhtml
// https://www.iana.org/assignments/capability-codes/capability-codes.xhtml
// https://www.iana.org/assignments/bgp-well-known-communities/bgp-well-known-communities.xhtml

/** Service Name and Transport Protocol Port Number Registry. */
export const BGP_PORT = 179;

/** BGP Message Types (RFC 4271 §4.1; ROUTE-REFRESH: RFC 2918 §3). */
export const MESSAGE_TYPE = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;

/** BGP OPEN Optional Parameter Types (RFC 5492 §4, RFC 9072 §3); 1 is deprecated by RFC 4271. */
export const OPTIONAL_PARAMETER = { capabilities: 2, extendedLength: 255 } as const;

/** BGP Path Attributes, those this speaker recognises. */
export const ATTRIBUTE = {
  /** RFC 4271 §5.1.1 */
  origin: 1,
  /** RFC 4271 §5.1.2 */
  asPath: 2,
  /** RFC 4271 §5.1.3 */
  nextHop: 3,
  /** RFC 4271 §5.1.4 */
  multiExitDisc: 4,
  /** RFC 4271 §5.1.5 */
  localPref: 5,
  /** RFC 4271 §5.1.6 */
  atomicAggregate: 6,
  /** RFC 4271 §5.1.7 */
  aggregator: 7,
  /** RFC 1997 */
  communities: 8,
  /** RFC 4456 §8 */
  originatorId: 9,
  /** RFC 4456 §8 */
  clusterList: 10,
  /** RFC 4760 §3 */
  mpReachNlri: 14,
  /** RFC 4760 §4 */
  mpUnreachNlri: 15,
  /** RFC 4360 §2 */
  extendedCommunities: 16,
  /** RFC 6793 §3 */
  as4Path: 17,
  /** RFC 6793 §3 */
  as4Aggregator: 18,
  /** RFC 6514 §5 */
  pmsiTunnel: 22,
  /** RFC 9012 §2 */
  tunnelEncapsulation: 23,
  /** RFC 5701 §2 */
  ipv6ExtendedCommunities: 25,
  /** RFC 7311 §3 */
  aigp: 26,
  /** RFC 8092 §3 */
  largeCommunities: 32,
  /** RFC 9234 §5 */
  onlyToCustomer: 35,
  /** RFC 8669 §3 */
  prefixSid: 40,
} as const;

/** Assigned attributes that pass through unrecognised; for display only. */
export const OTHER_ATTRIBUTE_NAMES: Readonly<Record<number, string>> = {
  11: 'DPA',
  12: 'ADVERTISER',
  13: 'RCID_PATH',
  19: 'SAFI_SPECIFIC',
  20: 'CONNECTOR',
  21: 'AS_PATHLIMIT',
  24: 'TRAFFIC_ENGINEERING',
  27: 'PE_DISTINGUISHER_LABELS',
  28: 'ENTROPY_LABEL_CAPABILITY',
  29: 'BGP_LS',
  33: 'BGPSEC_PATH',
  36: 'DOMAIN_PATH',
  37: 'SFP',
  38: 'BFD_DISCRIMINATOR',
  39: 'ROUTER_CAPABILITIES',
  128: 'ATTR_SET',
};

/** Attribute Flags (RFC 4271 §4.3). */
export const FLAG = { optional: 0x80, transitive: 0x40, partial: 0x20, extendedLength: 0x10 } as const;
/** Octets of an attribute before its value: flags, type, and a length of one octet or, with the flag, of two. */
export const SHORT_HEADER = 3;
export const LONG_HEADER = 4;

/** ORIGIN values (RFC 4271 §4.3). */
export const ORIGIN_NAMES = ['IGP', 'EGP', 'INCOMPLETE'] as const;
export type OriginName = (typeof ORIGIN_NAMES)[number];

/** AS_PATH segment types (RFC 4271 §4.3, RFC 5065 §3). */
export const SEGMENT = { asSet: 1, asSequence: 2, confedSequence: 3, confedSet: 4 } as const;

/** RFC 6793 §9: stands for a 4-octet AS where two octets are all there is. */
export const AS_TRANS = 23456;

/** Capability Codes (RFC 5492). */
export const CAPABILITY = {
  /** RFC 4760 §8 */
  multiprotocol: 1,
  /** RFC 2918 §2 */
  routeRefresh: 2,
  /** RFC 8950 §4 */
  extendedNextHop: 5,
  /** RFC 8654 §3 */
  extendedMessage: 6,
  /** RFC 9234 §4.1 */
  role: 9,
  /** RFC 4724 §3 */
  gracefulRestart: 64,
  /** RFC 6793 §3 */
  fourOctetAs: 65,
  /** RFC 7911 §4 */
  addPath: 69,
  /** RFC 7313 §3.1 */
  enhancedRouteRefresh: 70,
  /** RFC 9494 §3 */
  longLivedGracefulRestart: 71,
  /** draft-walton-bgp-hostname-capability */
  fqdn: 73,
  /** draft-abraitis-bgp-version-capability */
  softwareVersion: 75,
} as const;

/** Assigned capabilities that are kept and shown without being used. */
export const OTHER_CAPABILITY_NAMES: Readonly<Record<number, string>> = {
  3: 'outbound route filtering',
  7: 'BGPsec',
  8: 'multiple labels',
  67: 'dynamic capability',
  68: 'multisession',
  72: 'routing policy distribution',
  128: 'route refresh (pre-standard)',
  130: 'outbound route filtering (pre-standard)',
  131: 'multisession (pre-standard)',
};

/** Well-known communities with the names that people type. */
export const WELL_KNOWN_COMMUNITIES = {
  /** RFC 8326 §4 */
  GRACEFUL_SHUTDOWN: 0xffff0000,
  /** RFC 7611 §3 */
  ACCEPT_OWN: 0xffff0001,
  /** RFC 9494 §3 */
  LLGR_STALE: 0xffff0006,
  /** RFC 9494 §3 */
  NO_LLGR: 0xffff0007,
  /** RFC 7999 §3 */
  BLACKHOLE: 0xffff029a,
  /** RFC 1997 */
  NO_EXPORT: 0xffffff01,
  /** RFC 1997 */
  NO_ADVERTISE: 0xffffff02,
  /** RFC 1997 */
  NO_EXPORT_SUBCONFED: 0xffffff03,
  /** RFC 3765 §2 */
  NOPEER: 0xffffff04,
} as const;
export type WellKnownCommunity = keyof typeof WELL_KNOWN_COMMUNITIES;
