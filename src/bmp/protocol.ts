// The BGP Monitoring Protocol's numbers (RFC 7854 §4 and §10, RFC 8671 §4, RFC 9069 §4): types of messages, peers, reasons,
// information and statistics.

export const BMP_VERSION = 3;

/** Version, length, type. */
export const COMMON_HEADER_OCTETS = 6;
export const PEER_HEADER_OCTETS = 42;
/** More is no message of this protocol: a BGP message and what goes around it are far below. */
export const LONGEST_MESSAGE = 1 << 20;

export const BMP_MESSAGE = {
  routeMonitoring: 0,
  statisticsReport: 1,
  peerDown: 2,
  peerUp: 3,
  initiation: 4,
  termination: 5,
  routeMirroring: 6,
} as const;

export const PEER_TYPE = {
  global: 0,
  rd: 1,
  local: 2,
  /** RFC 9069 §4.1 */
  locRib: 3,
} as const;

/** Of peers that are no Loc-RIB. */
export const PEER_FLAG = {
  /** V: the address is of IPv6. */
  ipv6: 0x80,
  /** L: what the routes are after policy. */
  postPolicy: 0x40,
  /** A: 2-octet ASes in AS_PATH. */
  as2: 0x20,
  /** O: Adj-RIB-Out (RFC 8671 §4). */
  out: 0x10,
} as const;

/** F: not all of the Loc-RIB is sent (RFC 9069 §4.2). */
export const LOC_RIB_FILTERED = 0x80;

/** Of Initiation and Peer Up. */
export const INFORMATION = {
  text: 0,
  sysDescr: 1,
  sysName: 2,
  /** RFC 9069 §4.4: of Peer Up and of Peer Down for reason 6. */
  tableName: 3,
} as const;

export const TERMINATION_INFORMATION = { text: 0, reason: 1 } as const;

export const TERMINATION_REASON = {
  administrative: 0,
  unspecified: 1,
  outOfResources: 2,
  redundant: 3,
  permanent: 4,
} as const;

export const PEER_DOWN_REASON = {
  /** With the NOTIFICATION that was sent. */
  localNotification: 1,
  /** With the number of the event of the state machine, 0 for none. */
  localEvent: 2,
  /** With the NOTIFICATION that was received. */
  remoteNotification: 3,
  remoteClosed: 4,
  /** The station is told no more of the peer. */
  deconfigured: 5,
  /** RFC 9069 §4.4: of a Loc-RIB, with information. */
  locRib: 6,
} as const;

/** What the value of a statistic looks like. */
export type StatisticForm = 'counter' | 'gauge' | 'family-gauge';

export interface StatisticType {
  readonly type: number;
  readonly form: StatisticForm;
}

/** RFC 7854 §4.8, as far as they are reported here. */
export const STATISTIC = {
  rejectedByPolicy: { type: 0, form: 'counter' },
  duplicateAnnouncements: { type: 1, form: 'counter' },
  duplicateWithdrawals: { type: 2, form: 'counter' },
  adjRibIn: { type: 7, form: 'gauge' },
  locRib: { type: 8, form: 'gauge' },
  familyAdjRibIn: { type: 9, form: 'family-gauge' },
  familyLocRib: { type: 10, form: 'family-gauge' },
} as const satisfies Readonly<Record<string, StatisticType>>;
