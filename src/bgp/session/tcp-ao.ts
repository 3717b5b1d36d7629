// TCP-AO (RFC 5925) as Linux 6.7 and later speaks it: the structures of linux/tcp.h as octets, and which keys change
// when. A Master Key Tuple is a row with an id for each direction; which of them signs is told by the segments
// themselves (RNextKeyID), so that keys can be exchanged while a connection lives. The system calls are
// native-ao.ts's.

import { endianness } from 'node:os';
import { bytesEqual } from '../../lib/bytes.ts';
import type { SecretKey } from './transport.ts';

/** Names of the kernel's crypto layer. RFC 5926 §2.2 asks for the first and the last one. */
const ALGORITHMS = {
  'hmac-sha1': 'hmac(sha1)',
  'hmac-md5': 'hmac(md5)',
  'hmac-sha224': 'hmac(sha224)',
  'hmac-sha256': 'hmac(sha256)',
  'hmac-sha384': 'hmac(sha384)',
  'hmac-sha512': 'hmac(sha512)',
  'cmac-aes128': 'cmac(aes128)',
} as const;
export type AoAlgorithm = keyof typeof ALGORITHMS;

/** One Master Key Tuple (RFC 5925 §3.1). */
export interface AoKey {
  /** KeyID of what is sent, 0..255. */
  readonly sendId: number;
  /** KeyID expected in what is received, 0..255. */
  readonly receiveId: number;
  readonly algorithm: AoAlgorithm;
  readonly secret: SecretKey;
  /** deprecated: still accepted, never asked for. */
  readonly use: 'preferred' | 'normal' | 'deprecated';
}

/** Socket options of level IPPROTO_TCP. */
export const AO_OPTION = { addKey: 38, deleteKey: 39, info: 40 } as const;

const STORAGE = 128;
/** struct tcp_ao_add */
const ADD = {
  size: 288,
  algorithmAt: STORAGE,
  flagsAt: 196,
  prefixAt: 202,
  sendIdAt: 203,
  receiveIdAt: 204,
  macLengthAt: 205,
  keyLengthAt: 207,
  keyAt: 208,
  longestKey: 80,
} as const;
/** struct tcp_ao_del */
const DELETE = {
  size: 144,
  flagsAt: 132,
  prefixAt: 138,
  sendIdAt: 139,
  receiveIdAt: 140,
  currentAt: 141,
  nextAt: 142,
} as const;
/** struct tcp_ao_info_opt */
const INFO = { size: 48, flagsAt: 0, currentAt: 6, nextAt: 7 } as const;
/** Bit fields, by their place. */
const FLAG = { setCurrent: 0, setNext: 1, required: 2 } as const;
const FLAG_BITS = 32;

/** RFC 5926 §3.2: both algorithms are cut to 96 bits. */
const MAC_OCTETS = 12;

const LITTLE_ENDIAN = endianness() === 'LE';

/** Where keys are for: a peer's address, or a prefix of them. */
export interface AoScope {
  /** A struct sockaddr_in or sockaddr_in6. */
  readonly sockaddr: Uint8Array;
  readonly prefixLength: number;
}

/** The key that this side asks for; undefined where all are deprecated. */
export function preferredKey(keys: readonly AoKey[]): AoKey | undefined {
  return keys.find((key) => key.use === 'preferred') ?? keys.find((key) => key.use === 'normal');
}

/** struct tcp_ao_add. `first`: sign with it, and ask the peer to, from the start. Holds the secret: overwrite it after use. */
export function aoAdd(scope: AoScope, key: AoKey, first: boolean): Uint8Array {
  const secret = key.secret.octets();
  if (secret.length > ADD.longestKey) throw new RangeError(`TCP-AO key longer than ${ADD.longestKey} octets`);
  const bytes = new Uint8Array(ADD.size);
  bytes.set(scope.sockaddr);
  bytes.set(new TextEncoder().encode(ALGORITHMS[key.algorithm]), ADD.algorithmAt);
  if (first) setFlags(bytes, ADD.flagsAt, [FLAG.setCurrent, FLAG.setNext]);
  bytes[ADD.prefixAt] = scope.prefixLength;
  bytes[ADD.sendIdAt] = key.sendId;
  bytes[ADD.receiveIdAt] = key.receiveId;
  bytes[ADD.macLengthAt] = MAC_OCTETS;
  bytes[ADD.keyLengthAt] = secret.length;
  bytes.set(secret, ADD.keyAt);
  secret.fill(0);
  return bytes;
}

/** struct tcp_ao_del. `instead`: the key that takes over where the deleted one is in use. */
export function aoDelete(scope: AoScope, key: AoKey, instead: AoKey | undefined): Uint8Array {
  const bytes = new Uint8Array(DELETE.size);
  bytes.set(scope.sockaddr);
  bytes[DELETE.prefixAt] = scope.prefixLength;
  bytes[DELETE.sendIdAt] = key.sendId;
  bytes[DELETE.receiveIdAt] = key.receiveId;
  if (instead !== undefined) {
    setFlags(bytes, DELETE.flagsAt, [FLAG.setCurrent, FLAG.setNext]);
    bytes[DELETE.currentAt] = instead.sendId;
    bytes[DELETE.nextAt] = instead.receiveId;
  }
  return bytes;
}

/** struct tcp_ao_info_opt: unsigned segments are refused, and the peer is asked to sign with `next`. */
export function aoRequire(next: AoKey | undefined): Uint8Array {
  const bytes = new Uint8Array(INFO.size);
  setFlags(bytes, INFO.flagsAt, next === undefined ? [FLAG.required] : [FLAG.setNext, FLAG.required]);
  if (next !== undefined) bytes[INFO.nextAt] = next.receiveId;
  return bytes;
}

/** To ask for the keys in use. */
export function aoInfo(): Uint8Array {
  return new Uint8Array(INFO.size);
}

/** C lays bit fields out from the end where the lowest octet is. */
function setFlags(bytes: Uint8Array, at: number, flags: readonly number[]): void {
  const word = flags.reduce((bits, flag) => bits | (1 << (LITTLE_ENDIAN ? flag : FLAG_BITS - 1 - flag)), 0);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, word >>> 0, LITTLE_ENDIAN);
}

/** What has to be done to get from one set of keys to another: all additions first. */
export function aoChanges(
  before: readonly AoKey[],
  after: readonly AoKey[],
): { readonly added: readonly AoKey[]; readonly removed: readonly AoKey[] } {
  return {
    added: after.filter((key) => !before.some((other) => sameKey(other, key))),
    removed: before.filter((key) => !after.some((other) => sameKey(other, key))),
  };
}

/** Equal to the kernel, whatever they are used for. */
function sameKey(a: AoKey, b: AoKey): boolean {
  return (
    a.sendId === b.sendId &&
    a.receiveId === b.receiveId &&
    a.algorithm === b.algorithm &&
    bytesEqual(a.secret.octets(), b.secret.octets())
  );
}

/** Equal in everything. */
export function sameAoKeys(a: readonly AoKey[] | undefined, b: readonly AoKey[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.length === b.length &&
    a.every((key, i) => {
      const other = b[i];
      return other !== undefined && sameKey(key, other) && key.use === other.use;
    })
  );
}
