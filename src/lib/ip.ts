// Addresses and prefixes at the edges: text <-> bytes. The hot path has integers of its own; whoever is here has
// time, so parsing and RFC 5952 formatting of IPv6 are ipaddr.js's. Configurations have IPv4 by the hundred thousand.

import ipaddr from 'ipaddr.js';
import { bytesEqual } from './bytes.ts';

export const IP_VERSIONS = ['ipv4', 'ipv6'] as const;
export type IpVersion = (typeof IP_VERSIONS)[number];

/** Of an address of 4 or 16 octets. */
export function versionOf(address: Uint8Array): IpVersion {
  return address.length === 4 ? 'ipv4' : 'ipv6';
}

/** An address of 4 or 16 octets in network order. */
export type IpBytes = Uint8Array;

/** An address with its zone, as people write it: `10.0.0.1`, `2001:db8::1`, `fe80::1%eth0`. */
export interface IpAddress {
  readonly bytes: IpBytes;
  /** The interface of a link-local address. */
  readonly zone?: string;
}

/** A prefix whose host bits are zero. */
export interface Prefix {
  readonly bytes: IpBytes;
  /** 0..32 or 0..128 */
  readonly length: number;
}

/** Parses an address; undefined where the text is none. IPv4 needs all four parts in decimal. */
export function parseAddress(text: string): IpAddress | undefined {
  const percent = text.indexOf('%');
  const bare = percent < 0 ? text : text.slice(0, percent);
  const zone = percent < 0 ? undefined : text.slice(percent + 1);
  if (zone === '') return undefined;
  if (!bare.includes(':')) {
    const quad = zone === undefined ? parseQuad(bare) : undefined;
    return quad === undefined ? undefined : { bytes: quadToBytes(quad) };
  }
  if (!ipaddr.IPv6.isValid(bare)) return undefined;
  const bytes = Uint8Array.from(ipaddr.IPv6.parse(bare).toByteArray());
  return zone === undefined ? { bytes } : { bytes, zone };
}

/** The same octets in the same zone. */
export function equalAddresses(a: IpAddress, b: IpAddress): boolean {
  return a.zone === b.zone && bytesEqual(a.bytes, b.bytes);
}

/** Formats 4 or 16 octets; IPv6 as RFC 5952 says, IPv4-mapped addresses in mixed notation. */
export function formatAddress(bytes: Uint8Array, zone?: string): string {
  const text =
    bytes.length === 4
      ? `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
      : formatIpv6(new ipaddr.IPv6([...bytes]));
  return zone === undefined ? text : `${text}%${zone}`;
}

function formatIpv6(address: ipaddr.IPv6): string {
  return address.isIPv4MappedAddress() ? `::ffff:${address.toIPv4Address()}` : address.toRFC5952String();
}

/** Parses `address/length`. Host bits must be zero unless `loose` clears them. */
export function parsePrefix(text: string, loose = false): Prefix | undefined {
  const match = /^([^/%]+)\/(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const address = parseAddress(match[1]!);
  const length = Number(match[2]);
  if (address === undefined || length > address.bytes.length * 8) return undefined;
  const masked = maskBytes(address.bytes, length);
  if (!loose && masked.some((octet, i) => octet !== address.bytes[i])) return undefined;
  return { bytes: masked, length };
}

/** `192.0.2.1:179`, `[2001:db8::1]:179`, `name:179` */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.bytes)}/${prefix.length}`;
}

/** The number of ones in front of zeros, as 255.255.0.0 has; undefined of any other octets. */
export function netmaskLength(mask: Uint8Array): number | undefined {
  const bits = Array.from(mask, (octet) => octet.toString(2).padStart(8, '0')).join('');
  const length = bits.lastIndexOf('1') + 1;
  return bits.lastIndexOf('0', length - 1) < 0 || length === 0 ? length : undefined;
}

/** A copy of `bytes` with every bit from `length` on cleared. */
export function maskBytes(bytes: Uint8Array, length: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let i = 0; i < out.length; i++) {
    const bits = length - i * 8;
    if (bits <= 0) out[i] = 0;
    else if (bits < 8) out[i] = out[i]! & (0xff << (8 - bits));
  }
  return out;
}

export function prefixContains(outer: Prefix, address: Uint8Array): boolean {
  if (outer.bytes.length !== address.length) return false;
  const masked = maskBytes(address, outer.length);
  return masked.every((octet, i) => octet === outer.bytes[i]);
}

/** The prefix of this length that an address is in. */
export function subnetOf(address: Uint8Array, length: number): Prefix {
  return { bytes: maskBytes(address, length), length };
}

/** 0.0.0.0 and ::, RFC 4291 §2.5.2 */
export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((octet) => octet === 0);
}

/** fe80::/10, RFC 4291 §2.5.6 */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

/** The same of an address or prefix as text that is known to be one. */
export function isLinkLocalText(text: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(text);
}

/** RFC 1122 §3.2.1.3, RFC 4291 §2.5.3. */
export function isLoopback(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === LOOPBACK_NET;
  return bytes.length === 16 && bytes[15] === 1 && bytes.subarray(0, 15).every((octet) => octet === 0);
}

const LOOPBACK_NET = 127;

/** The four octets of a dotted quad as an unsigned integer, as BGP Identifiers and cluster ids are compared. */
export function quadToUint(bytes: Uint8Array): number {
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
}

export function formatQuad(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** Parses a dotted quad, four decimal numbers without leading zeros, to an unsigned integer; undefined where it is none. */
export function parseQuad(text: string): number | undefined {
  let quad = 0;
  let at = 0;
  for (let part = 0; part < QUAD_PARTS; part++) {
    const start = at;
    let octet = 0;
    for (let digit = digitAt(text, at); digit >= 0 && octet <= LARGEST_OCTET; digit = digitAt(text, at)) {
      octet = octet * 10 + digit;
      at++;
    }
    const isNumber = at > start && octet <= LARGEST_OCTET && (at === start + 1 || text[start] !== '0');
    if (!isNumber || text[at] !== (part < QUAD_PARTS - 1 ? '.' : undefined)) return undefined;
    quad = quad * 256 + octet;
    at++;
  }
  return quad;
}

/** Negative where no digit stands. */
function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - ZERO;
  return digit <= 9 ? digit : -1;
}

function quadToBytes(quad: number): Uint8Array {
  return Uint8Array.of(quad >>> 24, (quad >>> 16) & 0xff, (quad >>> 8) & 0xff, quad & 0xff);
}

const QUAD_PARTS = 4;
const LARGEST_OCTET = 255;
const ZERO = 0x30;
