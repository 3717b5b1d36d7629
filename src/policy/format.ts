// Values as `print` and `eval` show them, in BIRD's very form.

import { segments } from '../bgp/wire/as-path.ts';
import { formatExtendedTuple } from '../bgp/wire/communities.ts';
import { SEGMENT } from '../bgp/wire/iana.ts';
import { readUint16, readUint32, toHex } from '../lib/bytes.ts';
import { formatAddress, formatQuad } from '../lib/ip.ts';
import { toBytes } from '../lib/prefix-trie.ts';
import { ENUM_CODES } from './enums.ts';
import type { PrefixSet, RangeSet } from './sets.ts';
import {
  type Compound,
  Ec,
  EnumValue,
  Lc,
  type List,
  MEMBER_BYTES,
  type Octets,
  Pair,
  Quad,
  type Value,
} from './values.ts';

export function formatValue(value: Value): string {
  switch (typeof value) {
    case 'undefined':
      return '(void)';
    case 'boolean':
      return value ? 'TRUE' : 'FALSE';
    case 'number':
      return String(value);
    case 'string':
      return value;
    default:
      return formatCompound(value);
  }
}

/** As the attribute of a route: of a path and of lists what is in them. */
export function formatAttribute(value: Value): string {
  if (typeof value !== 'object') return formatValue(value);
  switch (value.kind) {
    case 'bgppath':
      return formatPath(value.bytes);
    case 'clist':
    case 'eclist':
    case 'lclist':
      return listMembers(value).map(formatValue).join(' ');
    default:
      return formatCompound(value);
  }
}

function formatCompound(value: Compound): string {
  switch (value.kind) {
    case 'pair':
      return `(${value.value >>> 16},${value.value & 0xffff})`;
    case 'quad':
      return formatQuad(value.value);
    case 'ip':
      return formatIp(value.bytes);
    case 'prefix':
      return `${formatIp(value.bytes)}/${value.length}`;
    case 'ec':
      return formatExtendedTuple(value.high, value.low);
    case 'lc':
      return `(${value.asn}, ${value.data1}, ${value.data2})`;
    case 'enum':
      return `(enum ${ENUM_CODES[value.of].toString(16)})${value.value}`;
    case 'rd':
    case 'mac':
    case 'bytestring':
      return formatOctets(value);
    case 'bgpmask':
    case 'net':
      return value.text;
    case 'bgppath':
      return `(path ${formatAttribute(value)})`;
    case 'clist':
    case 'eclist':
    case 'lclist':
      return `(${value.kind} ${formatAttribute(value)})`;
    case 'set':
      return value.type === 'empty set'
        ? '[]'
        : 'element' in value
          ? formatRanges(value)
          : formatPrefixes(value);
  }
}

function formatIp(bytes: Uint8Array): string {
  return formatAddress(bytes);
}

function formatOctets(value: Octets): string {
  if (value.kind === 'rd') return formatRd(value.bytes);
  const hex = toHex(value.bytes);
  return value.kind === 'mac' ? (hex.match(/../g) ?? []).join(':') : hex;
}

/** RFC 4364 §4.2. A 4-octet AS that two octets could hold is told apart by its type in front. */
function formatRd(bytes: Uint8Array): string {
  const type = readUint16(bytes, 0);
  if (type === 0) return `${readUint16(bytes, 2)}:${readUint32(bytes, 4)}`;
  if (type === 1) return `${formatQuad(readUint32(bytes, 2))}:${readUint16(bytes, 6)}`;
  const as = readUint32(bytes, 2);
  return `${as < 0x10000 ? '2:' : ''}${as}:${readUint16(bytes, 6)}`;
}

function formatPath(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (const { type, ases } of segments(bytes)) {
    const text = ases.join(' ');
    if (type === SEGMENT.asSequence) parts.push(text);
    else if (type === SEGMENT.asSet) parts.push(`{${text}}`);
    else parts.push(type === SEGMENT.confedSequence ? `(${text})` : `({${text}})`);
  }
  return parts.join(' ');
}

/** The members of a list of communities. */
export function listMembers(list: List): (Pair | Ec | Lc)[] {
  const out: (Pair | Ec | Lc)[] = [];
  const size = MEMBER_BYTES[list.kind];
  for (let at = 0; at + size <= list.bytes.length; at += size) out.push(memberAt(list, at));
  return out;
}

function memberAt(list: List, at: number): Pair | Ec | Lc {
  const first = readUint32(list.bytes, at);
  if (list.kind === 'eclist') return new Ec(first, readUint32(list.bytes, at + 4));
  if (list.kind !== 'lclist') return new Pair(first);
  return new Lc(first, readUint32(list.bytes, at + 4), readUint32(list.bytes, at + 8));
}

function formatRanges(set: RangeSet): string {
  const parts: string[] = [];
  // Sets may mix types; those of pairs come first, as BIRD orders types.
  for (const part of [...set.others, set]) {
    for (let i = 0; i < part.count; i++) {
      const low = formatWords(part, part.lows, i);
      const high = formatWords(part, part.highs, i);
      parts.push(low === high ? low : `${low}..${high}`);
    }
  }
  return `[${parts.join(', ')}]`;
}

const MAPPED = 0xffff;

function formatWords(set: RangeSet, words: Uint32Array, index: number): string {
  const at = index * set.stride;
  const w0 = words[at]!;
  switch (set.element) {
    case 'int':
      return String(w0);
    case 'pair':
      return formatValue(new Pair(w0));
    case 'quad':
      return formatValue(new Quad(w0));
    case 'ec':
      return formatValue(new Ec(w0, words[at + 1]!));
    case 'lc':
      return formatValue(new Lc(w0, words[at + 1]!, words[at + 2]!));
    case 'rd':
      return formatRd(toBytes(words, at, 2));
    case 'ip': {
      const isV4 = w0 === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
      return formatAddress(isV4 ? toBytes(words, at + 3, 1) : toBytes(words, at, 4));
    }
    case 'prefix':
      return '';
    default:
      return formatValue(new EnumValue(set.element.slice('enum '.length) as EnumValue['of'], w0));
  }
}

function formatPrefixes(set: PrefixSet): string {
  const parts: string[] = [];
  const entries = set.entries();
  // Lengths stand as bits of an address, except for length 0, which has none and is shown as what it stands for.
  if (entries.some(({ lengths }) => lengths.has(0)))
    parts.push(`${formatAddress(new Uint8Array(set.stride * 4))}/0`);
  for (const { words, bits, lengths } of entries) {
    const mask = new Uint8Array(set.stride * 4);
    for (const length of lengths) if (length > 0) mask[(length - 1) >>> 3]! |= 0x80 >>> ((length - 1) & 7);
    if (mask.every((octet) => octet === 0)) continue;
    parts.push(`${formatAddress(toBytes(words, 0, set.stride))}/${bits}{${formatAddress(mask)}}`);
  }
  return `[${parts.join(', ')}]`;
}
