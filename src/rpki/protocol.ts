// The RPKI to Router protocol as tables: its PDUs with the versions that have them and the lengths they may have, its
// error codes, and its intervals. Version 0 is RFC 6810, 1 is RFC 8210, 2 is draft-ietf-sidrops-8210bis.

export const VERSIONS = { lowest: 0, routerKeys: 1, aspa: 2, highest: 2 } as const;

/** RFC 8210 §5 */
export const PDU = {
  serialNotify: 0,
  serialQuery: 1,
  resetQuery: 2,
  cacheResponse: 3,
  ipv4Prefix: 4,
  ipv6Prefix: 6,
  endOfData: 7,
  cacheReset: 8,
  routerKey: 9,
  errorReport: 10,
  aspa: 11,
} as const;

export const HEADER_OCTETS = 8;
/** An Error Report around the longest ASPA. Whoever announces more is not understood, and must not fill the memory. */
export const LONGEST_PDU = 1 << 17;

interface PduRow {
  readonly name: string;
  /** The version that brought it. */
  readonly since: number;
  /** Octets, header included. */
  readonly length: (version: number) => { readonly least: number; readonly most: number };
}

const exactly = (octets: number) => () => ({ least: octets, most: octets });
const atLeast = (octets: number) => () => ({ least: octets, most: LONGEST_PDU });
const END_OF_DATA_0 = 12;
const END_OF_DATA = 24;

export const PDU_ROWS: ReadonlyMap<number, PduRow> = new Map<number, PduRow>([
  [PDU.serialNotify, { name: 'Serial Notify', since: 0, length: exactly(12) }],
  [PDU.serialQuery, { name: 'Serial Query', since: 0, length: exactly(12) }],
  [PDU.resetQuery, { name: 'Reset Query', since: 0, length: exactly(8) }],
  [PDU.cacheResponse, { name: 'Cache Response', since: 0, length: exactly(8) }],
  [PDU.ipv4Prefix, { name: 'IPv4 Prefix', since: 0, length: exactly(20) }],
  [PDU.ipv6Prefix, { name: 'IPv6 Prefix', since: 0, length: exactly(32) }],
  [
    PDU.endOfData,
    {
      name: 'End of Data',
      since: 0,
      length: (version) => exactly(version === 0 ? END_OF_DATA_0 : END_OF_DATA)(),
    },
  ],
  [PDU.cacheReset, { name: 'Cache Reset', since: 0, length: exactly(8) }],
  [PDU.routerKey, { name: 'Router Key', since: VERSIONS.routerKeys, length: atLeast(32) }],
  [PDU.errorReport, { name: 'Error Report', since: 0, length: atLeast(16) }],
  [PDU.aspa, { name: 'ASPA', since: VERSIONS.aspa, length: atLeast(12) }],
]);

/** RFC 8210 §12 and 8210bis §12; all but noData end the session. */
export const RTR_ERROR = {
  corruptData: 0,
  internalError: 1,
  noData: 2,
  invalidRequest: 3,
  unsupportedVersion: 4,
  unsupportedPdu: 5,
  unknownRecord: 6,
  duplicate: 7,
  unexpectedVersion: 8,
  aspaProviders: 9,
} as const;

const ERROR_NAMES: Readonly<Record<number, string>> = {
  [RTR_ERROR.corruptData]: 'Corrupt Data',
  [RTR_ERROR.internalError]: 'Internal Error',
  [RTR_ERROR.noData]: 'No Data Available',
  [RTR_ERROR.invalidRequest]: 'Invalid Request',
  [RTR_ERROR.unsupportedVersion]: 'Unsupported Protocol Version',
  [RTR_ERROR.unsupportedPdu]: 'Unsupported PDU Type',
  [RTR_ERROR.unknownRecord]: 'Withdrawal of Unknown Record',
  [RTR_ERROR.duplicate]: 'Duplicate Announcement Received',
  [RTR_ERROR.unexpectedVersion]: 'Unexpected Protocol Version',
  [RTR_ERROR.aspaProviders]: 'ASPA Provider List Error',
};

export function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `error ${code}`;
}

export function pduName(type: number): string {
  return PDU_ROWS.get(type)?.name ?? `PDU of type ${type}`;
}

/** Seconds that may be asked for; RFC 8210 §6. */
export const INTERVALS = {
  refresh: { least: 1, most: 86_400 },
  retry: { least: 1, most: 7200 },
  expire: { least: 600, most: 172_800 },
} as const;
export type IntervalName = keyof typeof INTERVALS;

/** What is wrong with a PDU, and what the cache is told. */
export interface PduProblem {
  readonly code: number;
  readonly text: string;
}
