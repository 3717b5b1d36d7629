// NOTIFICATION error codes and subcodes with the RFCs' words, as one table.
// https://www.iana.org/assignments/bgp-parameters/bgp-parameters.xhtml#bgp-parameters-3

/** RFC 4271 §4.5; 7: RFC 7313 §5; 8: RFC 9687 §4. */
export const ERROR = {
  messageHeader: 1,
  open: 2,
  update: 3,
  holdTimer: 4,
  fsm: 5,
  cease: 6,
  routeRefresh: 7,
  sendHoldTimer: 8,
} as const;

/** RFC 4271 §6.1 */
export const HEADER_ERROR = { unsynchronized: 1, badLength: 2, badType: 3 } as const;

/** RFC 4271 §6.2; 7: RFC 5492 §5; 11: RFC 9234 §4.2. */
export const OPEN_ERROR = {
  unspecific: 0,
  unsupportedVersion: 1,
  badPeerAs: 2,
  badIdentifier: 3,
  unsupportedParameter: 4,
  unacceptableHoldTime: 6,
  unsupportedCapability: 7,
  roleMismatch: 11,
} as const;

/** RFC 4271 §6.3 */
export const UPDATE_ERROR = {
  malformedAttributeList: 1,
  unrecognizedWellKnown: 2,
  missingWellKnown: 3,
  attributeFlags: 4,
  attributeLength: 5,
  invalidOrigin: 6,
  invalidNextHop: 8,
  optionalAttribute: 9,
  invalidNetwork: 10,
  malformedAsPath: 11,
} as const;

/** RFC 6608 §3 */
export const FSM_ERROR = { unspecific: 0, inOpenSent: 1, inOpenConfirm: 2, inEstablished: 3 } as const;

/** RFC 4486 §3; 9: RFC 8538 §3; 10: RFC 9384 §3. */
export const CEASE = {
  maximumPrefixes: 1,
  administrativeShutdown: 2,
  peerDeconfigured: 3,
  administrativeReset: 4,
  connectionRejected: 5,
  otherConfigurationChange: 6,
  collisionResolution: 7,
  outOfResources: 8,
  hardReset: 9,
  bfdDown: 10,
} as const;

/** RFC 7313 §5 */
export const ROUTE_REFRESH_ERROR = { invalidLength: 1 } as const;

interface ErrorCodeRow {
  readonly name: string;
  readonly subcodes: Readonly<Record<number, string>>;
}

const ERROR_CODES: Readonly<Record<number, ErrorCodeRow>> = {
  [ERROR.messageHeader]: {
    name: 'Message Header Error',
    subcodes: { 1: 'Connection Not Synchronized', 2: 'Bad Message Length', 3: 'Bad Message Type' },
  },
  [ERROR.open]: {
    name: 'OPEN Message Error',
    subcodes: {
      1: 'Unsupported Version Number',
      2: 'Bad Peer AS',
      3: 'Bad BGP Identifier',
      4: 'Unsupported Optional Parameter',
      5: 'Authentication Failure (deprecated)',
      6: 'Unacceptable Hold Time',
      7: 'Unsupported Capability',
      11: 'Role Mismatch',
    },
  },
  [ERROR.update]: {
    name: 'UPDATE Message Error',
    subcodes: {
      1: 'Malformed Attribute List',
      2: 'Unrecognized Well-known Attribute',
      3: 'Missing Well-known Attribute',
      4: 'Attribute Flags Error',
      5: 'Attribute Length Error',
      6: 'Invalid ORIGIN Attribute',
      7: 'AS Routing Loop (deprecated)',
      8: 'Invalid NEXT_HOP Attribute',
      9: 'Optional Attribute Error',
      10: 'Invalid Network Field',
      11: 'Malformed AS_PATH',
    },
  },
  [ERROR.holdTimer]: { name: 'Hold Timer Expired', subcodes: {} },
  [ERROR.fsm]: {
    name: 'Finite State Machine Error',
    subcodes: {
      1: 'Receive Unexpected Message in OpenSent State',
      2: 'Receive Unexpected Message in OpenConfirm State',
      3: 'Receive Unexpected Message in Established State',
    },
  },
  [ERROR.cease]: {
    name: 'Cease',
    subcodes: {
      1: 'Maximum Number of Prefixes Reached',
      2: 'Administrative Shutdown',
      3: 'Peer De-configured',
      4: 'Administrative Reset',
      5: 'Connection Rejected',
      6: 'Other Configuration Change',
      7: 'Connection Collision Resolution',
      8: 'Out of Resources',
      9: 'Hard Reset',
      10: 'BFD Down',
    },
  },
  [ERROR.routeRefresh]: { name: 'ROUTE-REFRESH Message Error', subcodes: { 1: 'Invalid Message Length' } },
  [ERROR.sendHoldTimer]: { name: 'Send Hold Timer Expired', subcodes: {} },
};

/** `Cease/Administrative Shutdown`, `Hold Timer Expired`; numbers where the registry has no name. */
export function describeNotification(code: number, subcode: number): string {
  const row = ERROR_CODES[code];
  if (row === undefined) return `Unknown Error ${code}/${subcode}`;
  if (subcode === 0) return row.name;
  return `${row.name}/${row.subcodes[subcode] ?? `subcode ${subcode}`}`;
}
