// Communities of four kinds (RFC 1997, 4360, 5701, 8092): text <-> octets, and what the protocol itself leaves out of
// attribute values. Order is kept as received; what a community asks for is policy's and the RIB's.

import { fromHex, readUint16, readUint32, toHex, writeUint16, writeUint32 } from '../../lib/bytes.ts';
import { formatAddress, formatQuad, parseAddress } from '../../lib/ip.ts';
import { parseAs } from './as-path.ts';
import { ATTRIBUTE, WELL_KNOWN_COMMUNITIES, type WellKnownCommunity } from './iana.ts';

export const COMMUNITY_BYTES = 4;
export const EXTENDED_COMMUNITY_BYTES = 8;
export const IPV6_EXTENDED_COMMUNITY_BYTES = 20;
export const LARGE_COMMUNITY_BYTES = 12;

const MAX_OCTET = 0xff;
const MAX_UINT16 = 0xffff;
const MAX_UINT32 = 0xffffffff;

/** `list` without the elements of `size` octets for which `drop` says so; `list` itself where none is. */
function removeElements(
  list: Uint8Array,
  size: number,
  drop: (bytes: Uint8Array, at: number) => boolean,
): Uint8Array {
  const out = new Uint8Array(list.length);
  let length = 0;
  for (let at = 0; at + size <= list.length; at += size) {
    if (drop(list, at)) continue;
    out.set(list.subarray(at, at + size), length);
    length += size;
  }
  return length === list.length ? list : out.subarray(0, length);
}

/**
 * RFC 8092 §3: the values of `bytes[start, end)` without duplicates, the first of each kept; undefined where there
 * is none, which is nearly always.
 */
export function withoutDuplicates(
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
): Uint8Array | undefined {
  if (!hasDuplicate(bytes, start, end, size)) return undefined;
  const seen = new Set<string>();
  const out = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; at += size) {
    const key = toHex(bytes, at, at + size);
    if (seen.has(key)) continue;
    seen.add(key);
    out.set(bytes.subarray(at, at + size), length);
    length += size;
  }
  return out.subarray(0, length);
}

/** Comparing all pairs is quickest for the usual handful; more than these go through a Set. */
const PAIRWISE_LIMIT = 32;

function hasDuplicate(bytes: Uint8Array, start: number, end: number, size: number): boolean {
  if ((end - start) / size > PAIRWISE_LIMIT) {
    const seen = new Set<string>();
    for (let at = start; at < end; at += size) seen.add(toHex(bytes, at, at + size));
    return seen.size < (end - start) / size;
  }
  for (let a = start + size; a < end; a += size) {
    for (let b = start; b < a; b += size) if (equalAt(bytes, a, bytes, b, size)) return true;
  }
  return false;
}

function equalAt(a: Uint8Array, at: number, b: Uint8Array, bt: number, size: number): boolean {
  for (let i = 0; i < size; i++) if (a[at + i] !== b[bt + i]) return false;
  return true;
}

/** `64512:100`, or the name of a well-known one. */
export function formatCommunity(community: number): string {
  for (const [name, value] of Object.entries(WELL_KNOWN_COMMUNITIES)) if (value === community) return name;
  return `${community >>> 16}:${community & MAX_UINT16}`;
}

/** Parses `64512:100` and well-known names in any case, with `-` as good as `_`; undefined where it is neither. */
export function parseCommunity(text: string): number | undefined {
  const name = text.toUpperCase().replaceAll('-', '_');
  if (Object.hasOwn(WELL_KNOWN_COMMUNITIES, name)) return WELL_KNOWN_COMMUNITIES[name as WellKnownCommunity];
  const parts = parseParts(text, 2, MAX_UINT16);
  return parts === undefined ? undefined : ((parts[0]! << 16) | parts[1]!) >>> 0;
}

/** `64512:1:2` (RFC 8092 §5). */
export function formatLargeCommunity(bytes: Uint8Array, at: number): string {
  return `${readUint32(bytes, at)}:${readUint32(bytes, at + 4)}:${readUint32(bytes, at + 8)}`;
}

export function parseLargeCommunity(text: string): Uint8Array | undefined {
  const parts = parseParts(text, 3, MAX_UINT32);
  if (parts === undefined) return undefined;
  const bytes = new Uint8Array(LARGE_COMMUNITY_BYTES);
  for (const [i, part] of parts.entries()) writeUint32(bytes, i * 4, part);
  return bytes;
}

function parseParts(text: string, count: number, max: number): number[] | undefined {
  const parts = text.split(':');
  if (parts.length !== count || !parts.every((part) => /^\d+$/.test(part))) return undefined;
  const values = parts.map(Number);
  return values.every((value) => value <= max) ? values : undefined;
}

/** RFC 4360 §2: bit 0x40 of the type: not to leave the AS. */
const NON_TRANSITIVE = 0x40;

/** RFC 4360 §3, RFC 5668 §2: how the six octets after type and subtype divide. */
const EXTENDED_LAYOUT: Readonly<Record<number, 'as2' | 'ipv4' | 'as4'>> = { 0: 'as2', 1: 'ipv4', 2: 'as4' };

/** IANA, transitive extended community sub-types that have a customary short name. */
const EXTENDED_SUBTYPES: Readonly<Record<number, string>> = { 2: 'rt', 3: 'soo' };
/** draft-ietf-idr-link-bandwidth §2: this subtype has an AS of two octets and octets a second, by type. */
const LINK_BANDWIDTH = 4;
const LINK_BANDWIDTH_NAMES: Readonly<Record<number, string>> = {
  0: 'transitive-link-bandwidth',
  [NON_TRANSITIVE]: 'link-bandwidth',
};
/** BIRD's names of the same. */
const TUPLE_NAMES: Readonly<Record<number, string>> = { 2: 'rt', 3: 'ro' };

function isTransitiveExtended(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & NON_TRANSITIVE) === 0;
}

/**
 * RFC 4360 §6, RFC 5701 §2: the value of EXTENDED COMMUNITIES or its IPv6 kind without the communities that must not
 * leave the AS; the value itself where there is none.
 */
export function keepTransitiveCommunities(
  value: Uint8Array,
  type: typeof ATTRIBUTE.extendedCommunities | typeof ATTRIBUTE.ipv6ExtendedCommunities,
): Uint8Array {
  const size =
    type === ATTRIBUTE.extendedCommunities ? EXTENDED_COMMUNITY_BYTES : IPV6_EXTENDED_COMMUNITY_BYTES;
  return removeElements(value, size, (bytes, at) => !isTransitiveExtended(bytes, at));
}

/**
 * `rt:64512:100`, `soo:10.0.0.1:5`, `link-bandwidth:64512:125000000`; others `generic:0x43000064:0x1`: type, subtype and
 * the first two octets of the value, then the other four.
 */
export function formatExtendedCommunity(bytes: Uint8Array, at: number): string {
  const bandwidth = bytes[at + 1] === LINK_BANDWIDTH ? formatLinkBandwidth(bytes, at) : undefined;
  if (bandwidth !== undefined) return bandwidth;
  const layout = EXTENDED_LAYOUT[bytes[at]!];
  const name = EXTENDED_SUBTYPES[bytes[at + 1]!];
  if (layout === undefined || name === undefined) {
    return `generic:0x${toHex(bytes, at, at + 4)}:0x${readUint32(bytes, at + 4).toString(16)}`;
  }
  if (layout === 'as2') return `${name}:${readUint16(bytes, at + 2)}:${readUint32(bytes, at + 4)}`;
  const low = readUint16(bytes, at + 6);
  const high =
    layout === 'ipv4' ? formatAddress(bytes.subarray(at + 2, at + 6)) : `${readUint32(bytes, at + 2)}L`;
  return `${name}:${high}:${low}`;
}

/** Undefined of another type, and where the value is no bandwidth. */
function formatLinkBandwidth(bytes: Uint8Array, at: number): string | undefined {
  const name = LINK_BANDWIDTH_NAMES[bytes[at]!];
  const value = new DataView(bytes.buffer, bytes.byteOffset + at, EXTENDED_COMMUNITY_BYTES).getFloat32(4);
  const isBandwidth = Number.isFinite(value) && value >= 0 && !Object.is(value, -0);
  return name === undefined || !isBandwidth ? undefined : `${name}:${readUint16(bytes, at + 2)}:${value}`;
}

function parseLinkBandwidth(kind: string, high: string, low: string): Uint8Array | undefined {
  const type = Object.entries(LINK_BANDWIDTH_NAMES).find(([, name]) => name === kind)?.[0];
  const as = parseAs(high);
  const value = /^\d+(\.\d+)?(e[-+]?\d+)?$/i.test(low) ? Math.fround(Number(low)) : Number.NaN;
  if (type === undefined || as === undefined || as > MAX_UINT16 || !Number.isFinite(value)) return undefined;
  const bytes = Uint8Array.of(Number(type), LINK_BANDWIDTH, as >> 8, as & MAX_OCTET, 0, 0, 0, 0);
  new DataView(bytes.buffer).setFloat32(4, value);
  return bytes;
}

/**
 * An extended community, given as two words, as BIRD writes it: `(rt, 64512, 100)`, `(unknown 0x4004, 64512, 100)`, or
 * `(generic, 0x43000000, 0x1)` where the type does not say how its value divides.
 */
export function formatExtendedTuple(high: number, low: number): string {
  const type = high >>> 16;
  const kind = type >>> 8;
  const layout = EXTENDED_LAYOUT[kind & ~NON_TRANSITIVE];
  if (layout === undefined) return `(generic, 0x${high.toString(16)}, 0x${low.toString(16)})`;
  const named = (kind & NON_TRANSITIVE) === 0 ? TUPLE_NAMES[type & MAX_OCTET] : undefined;
  const name = named ?? `unknown 0x${type.toString(16)}`;
  if (layout === 'as2') return `(${name}, ${high & MAX_UINT16}, ${low})`;
  const wide = ((high << 16) | (low >>> 16)) >>> 0;
  return `(${name}, ${layout === 'ipv4' ? formatQuad(wide) : wide}, ${low & MAX_UINT16})`;
}

/**
 * Parses what formatExtendedCommunity writes. An AS without `L` takes the 2-octet form where it fits one, else the
 * 4-octet form.
 */
export function parseExtendedCommunity(text: string): Uint8Array | undefined {
  const parts = text.split(':');
  if (parts.length !== 3) return undefined;
  const [kind, high, low] = [parts[0]!.toLowerCase(), parts[1]!, parts[2]!];
  if (kind === 'generic') return parseGeneric(high, low);
  if (kind.endsWith('link-bandwidth')) return parseLinkBandwidth(kind, high, low);
  const subtype = Object.entries(EXTENDED_SUBTYPES).find(([, name]) => name === kind)?.[0];
  if (subtype === undefined || !/^\d+$/.test(low)) return undefined;
  return parseLayout(Number(subtype), high, Number(low));
}

function parseGeneric(high: string, low: string): Uint8Array | undefined {
  if (!/^0x[0-9a-f]{1,8}$/i.test(high) || !/^0x[0-9a-f]{1,8}$/i.test(low)) return undefined;
  return fromHex(high.slice(2).padStart(8, '0') + low.slice(2).padStart(8, '0'));
}

function parseLayout(subtype: number, high: string, low: number): Uint8Array | undefined {
  const bytes = new Uint8Array(EXTENDED_COMMUNITY_BYTES);
  bytes[1] = subtype;
  const address = parseAddress(high)?.bytes;
  if (address !== undefined) {
    if (address.length !== 4 || low > MAX_UINT16) return undefined;
    bytes[0] = 1;
    bytes.set(address, 2);
    writeUint16(bytes, 6, low);
    return bytes;
  }
  const as = parseAs(high.replace(/L$/, ''));
  if (as === undefined) return undefined;
  if (as <= MAX_UINT16 && !high.endsWith('L')) {
    if (low > MAX_UINT32) return undefined;
    writeUint16(bytes, 2, as);
    writeUint32(bytes, 4, low);
    return bytes;
  }
  if (low > MAX_UINT16) return undefined;
  bytes[0] = 2;
  writeUint32(bytes, 2, as);
  writeUint16(bytes, 6, low);
  return bytes;
}

/** RFC 5701 §2: `[2001:db8::1]:5` after the name or `0x<type><subtype>`. */
export function formatIpv6ExtendedCommunity(bytes: Uint8Array, at: number): string {
  const name = bytes[at] === 0 ? EXTENDED_SUBTYPES[bytes[at + 1]!] : undefined;
  const address = formatAddress(bytes.subarray(at + 2, at + 18));
  return `${name ?? `0x${toHex(bytes, at, at + 2)}`}:[${address}]:${readUint16(bytes, at + 18)}`;
}

/** Parses what formatIpv6ExtendedCommunity writes. */
export function parseIpv6ExtendedCommunity(text: string): Uint8Array | undefined {
  const match = /^(\w+):\[([^\]]+)\]:(\d+)$/.exec(text);
  if (match === null) return undefined;
  const address = parseAddress(match[2]!)?.bytes;
  const low = Number(match[3]);
  if (address?.length !== 16 || low > MAX_UINT16) return undefined;
  const head = parseHead(match[1]!);
  if (head === undefined) return undefined;
  const bytes = new Uint8Array(IPV6_EXTENDED_COMMUNITY_BYTES);
  bytes.set(head);
  bytes.set(address, 2);
  writeUint16(bytes, 18, low);
  return bytes;
}

function parseHead(text: string): Uint8Array | undefined {
  if (/^0x[0-9a-f]{4}$/i.test(text)) return fromHex(text.slice(2));
  const subtype = Object.entries(EXTENDED_SUBTYPES).find(([, name]) => name === text.toLowerCase())?.[0];
  return subtype === undefined ? undefined : Uint8Array.of(0, Number(subtype));
}
