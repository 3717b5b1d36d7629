// The registries of BFD: states, diagnostics, authentication types, and why a received packet is discarded. One row
// each; names are those of RFC 5880 §4.1, and the sentences are for people.

/** Two bits of the second octet. */
export const STATE = { AdminDown: 0, Down: 1, Init: 2, Up: 3 } as const;
export type SessionState = keyof typeof STATE;
/** By number. */
export const STATE_NAMES: readonly SessionState[] = ['AdminDown', 'Down', 'Init', 'Up'];

export const DIAGNOSTIC = {
  none: 0,
  detectionTimeExpired: 1,
  echoFailed: 2,
  neighborSignaledDown: 3,
  forwardingPlaneReset: 4,
  pathDown: 5,
  concatenatedPathDown: 6,
  administrativelyDown: 7,
  reverseConcatenatedPathDown: 8,
} as const;

const DIAGNOSTIC_TEXTS: readonly string[] = [
  'No Diagnostic',
  'Control Detection Time Expired',
  'Echo Function Failed',
  'Neighbor Signaled Session Down',
  'Forwarding Plane Reset',
  'Path Down',
  'Concatenated Path Down',
  'Administratively Down',
  'Reverse Concatenated Path Down',
];

export function diagnosticText(code: number): string {
  return DIAGNOSTIC_TEXTS[code] ?? `Diagnostic ${code}`;
}

export interface AuthenticationType {
  /** Auth Type of the packet. */
  readonly code: number;
  /** Undefined: the password itself is sent. */
  readonly digest: { readonly algorithm: 'md5' | 'sha1'; readonly octets: number } | undefined;
  /** Every packet has a sequence number of its own. */
  readonly meticulous: boolean;
  /** Octets. */
  readonly longestKey: number;
}

const MD5 = { algorithm: 'md5', octets: 16 } as const;
const SHA1 = { algorithm: 'sha1', octets: 20 } as const;

/** RFC 5880 §4.2 to §4.4. */
export const AUTHENTICATION = {
  simple: { code: 1, digest: undefined, meticulous: false, longestKey: 16 },
  md5: { code: 2, digest: MD5, meticulous: false, longestKey: 16 },
  'meticulous-md5': { code: 3, digest: MD5, meticulous: true, longestKey: 16 },
  sha1: { code: 4, digest: SHA1, meticulous: false, longestKey: 20 },
  'meticulous-sha1': { code: 5, digest: SHA1, meticulous: true, longestKey: 20 },
} as const satisfies Readonly<Record<string, AuthenticationType>>;
export type AuthenticationName = keyof typeof AUTHENTICATION;

/** Why a packet is not processed, in the order of RFC 5880 §6.8.6. */
export const DISCARDS = {
  version: 'packets of another BFD version',
  length: 'packets with a wrong length',
  'detect-multiplier': 'packets with a Detect Mult of zero',
  multipoint: 'packets with the Multipoint bit',
  'my-discriminator': 'packets without a discriminator',
  'unknown-session': 'packets for a session that is not here',
  state: 'packets that name no session and are not Down',
  path: 'packets for this session from another kind of path',
  'unexpected-authentication': 'authenticated packets, and no authentication is configured here',
  'missing-authentication': 'packets without authentication',
  'authentication-type': 'packets with another type of authentication',
  'authentication-key': 'packets with a key id that is not configured here',
  'authentication-length': 'packets with an authentication section of a wrong length',
  'authentication-sequence': 'packets with a sequence number out of order',
  'authentication-digest': 'packets that were made with another key',
} as const;
export type Discard = keyof typeof DISCARDS;

/** UDP destination ports: RFC 5881 §4, RFC 5883 §5. */
export const PORT = { singleHop: 3784, multihop: 4784 } as const;
/** RFC 5881 §4. */
export const SOURCE_PORTS = { first: 49_152, last: 65_535 } as const;
