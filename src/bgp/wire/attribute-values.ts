// Canonical attribute sets as values that people read and configuration writes: for show commands, the API,
// originated routes and tests. Not for the hot path.

import { fromHex, readUint32, toHex, writeUint32 } from '../../lib/bytes.ts';
import { formatAddress, formatQuad, parseAddress, parseQuad } from '../../lib/ip.ts';
import { formatAsPath, parseAs, parseAsPath } from './as-path.ts';
import { AGGREGATOR_LENGTH } from './as4.ts';
import { AttributeEditor, attributeEnd, valueStart } from './attribute-editor.ts';
import { ATTRIBUTE_BY_TYPE } from './attributes.ts';
import {
  COMMUNITY_BYTES,
  EXTENDED_COMMUNITY_BYTES,
  formatCommunity,
  formatExtendedCommunity,
  formatIpv6ExtendedCommunity,
  formatLargeCommunity,
  IPV6_EXTENDED_COMMUNITY_BYTES,
  LARGE_COMMUNITY_BYTES,
  parseCommunity,
  parseExtendedCommunity,
  parseIpv6ExtendedCommunity,
  parseLargeCommunity,
} from './communities.ts';
import { ATTRIBUTE, FLAG, ORIGIN_NAMES, type OriginName } from './iana.ts';

/** What a set says, in the words and numbers that people use; views show it as it is. */
export interface AttributeValues {
  origin: OriginName | undefined;
  /** `64512 {64513 64514}`; empty for own routes. */
  asPath: string;
  med: number | undefined;
  localPref: number | undefined;
  atomicAggregate: boolean;
  /** `64512 192.0.2.1` */
  aggregator: string | undefined;
  communities: string[];
  /** IPv6 address specific ones (RFC 5701) after the others. */
  extendedCommunities: string[];
  largeCommunities: string[];
  originatorId: string | undefined;
  clusterList: string[];
  /** The accumulated metric, a 64-bit integer in decimal. */
  aigp: string | undefined;
  onlyToCustomer: number | undefined;
  /** Attributes carried without being understood: `128 (partial, transitive): 0a0b`. */
  unknown: string[];
}

type Show = (values: AttributeValues, bytes: Uint8Array, start: number, end: number) => void;

/** How each known attribute gets into the values. */
const SHOW: Readonly<Record<number, Show>> = {
  [ATTRIBUTE.origin]: (values, bytes, start) => {
    values.origin = ORIGIN_NAMES[bytes[start]!];
  },
  [ATTRIBUTE.asPath]: (values, bytes, start, end) => {
    values.asPath = formatAsPath(bytes, start, end);
  },
  [ATTRIBUTE.multiExitDisc]: (values, bytes, start) => {
    values.med = readUint32(bytes, start);
  },
  [ATTRIBUTE.localPref]: (values, bytes, start) => {
    values.localPref = readUint32(bytes, start);
  },
  [ATTRIBUTE.atomicAggregate]: (values) => {
    values.atomicAggregate = true;
  },
  [ATTRIBUTE.aggregator]: (values, bytes, start, end) => {
    values.aggregator = `${readUint32(bytes, start)} ${formatAddress(bytes.subarray(start + 4, end))}`;
  },
  [ATTRIBUTE.communities]: (values, bytes, start, end) => {
    each(start, end, COMMUNITY_BYTES, (at) =>
      values.communities.push(formatCommunity(readUint32(bytes, at))),
    );
  },
  [ATTRIBUTE.originatorId]: (values, bytes, start) => {
    values.originatorId = formatQuad(readUint32(bytes, start));
  },
  [ATTRIBUTE.clusterList]: (values, bytes, start, end) => {
    each(start, end, 4, (at) => values.clusterList.push(formatQuad(readUint32(bytes, at))));
  },
  [ATTRIBUTE.extendedCommunities]: (values, bytes, start, end) => {
    each(start, end, EXTENDED_COMMUNITY_BYTES, (at) =>
      values.extendedCommunities.push(formatExtendedCommunity(bytes, at)),
    );
  },
  [ATTRIBUTE.ipv6ExtendedCommunities]: (values, bytes, start, end) => {
    each(start, end, IPV6_EXTENDED_COMMUNITY_BYTES, (at) =>
      values.extendedCommunities.push(formatIpv6ExtendedCommunity(bytes, at)),
    );
  },
  [ATTRIBUTE.largeCommunities]: (values, bytes, start, end) => {
    each(start, end, LARGE_COMMUNITY_BYTES, (at) =>
      values.largeCommunities.push(formatLargeCommunity(bytes, at)),
    );
  },
  [ATTRIBUTE.aigp]: (values, bytes, start, end) => {
    values.aigp = aigpMetric(bytes, start, end)?.toString();
  },
  [ATTRIBUTE.onlyToCustomer]: (values, bytes, start) => {
    values.onlyToCustomer = readUint32(bytes, start);
  },
};

function each(start: number, end: number, size: number, visit: (at: number) => void): void {
  for (let at = start; at + size <= end; at += size) visit(at);
}

const AIGP_TLV = 1;
const AIGP_TLV_LENGTH = 11;

/** RFC 7311 §3: the metric of the first AIGP TLV of a well-formed value. */
export function aigpMetric(bytes: Uint8Array, start: number, end: number): bigint | undefined {
  for (let at = start; at + 3 <= end; ) {
    const length = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (bytes[at] === AIGP_TLV && length === AIGP_TLV_LENGTH && at + length <= end) {
      return (BigInt(readUint32(bytes, at + 3)) << 32n) | BigInt(readUint32(bytes, at + 7));
    }
    if (length < 3) return undefined;
    at += length;
  }
  return undefined;
}

/** RFC 7311 §3: an AIGP value with one TLV. */
export function encodeAigp(metric: bigint): Uint8Array {
  const bytes = new Uint8Array(AIGP_TLV_LENGTH);
  bytes[0] = AIGP_TLV;
  bytes[2] = AIGP_TLV_LENGTH;
  writeUint32(bytes, 3, Number((metric >> 32n) & 0xffffffffn));
  writeUint32(bytes, 7, Number(metric & 0xffffffffn));
  return bytes;
}

export function emptyAttributeValues(): AttributeValues {
  return {
    origin: undefined,
    asPath: '',
    med: undefined,
    localPref: undefined,
    atomicAggregate: false,
    aggregator: undefined,
    communities: [],
    extendedCommunities: [],
    largeCommunities: [],
    originatorId: undefined,
    clusterList: [],
    aigp: undefined,
    onlyToCustomer: undefined,
    unknown: [],
  };
}

/** Reads the canonical set `bytes[offset, offset + length)`. */
export function decodeAttributes(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): AttributeValues {
  const values = emptyAttributeValues();
  const end = offset + length;
  for (let at = offset; at < end; at = attributeEnd(bytes, at)) {
    const type = bytes[at + 1]!;
    const show = SHOW[type];
    if (show !== undefined) show(values, bytes, valueStart(bytes, at), attributeEnd(bytes, at));
    else values.unknown.push(formatUnknown(bytes, at));
  }
  return values;
}

function formatUnknown(bytes: Uint8Array, at: number): string {
  const type = bytes[at + 1]!;
  const flags = bytes[at]!;
  const words: string[] = [];
  if ((flags & FLAG.partial) !== 0) words.push('partial');
  if ((flags & FLAG.transitive) !== 0) words.push('transitive');
  const name = ATTRIBUTE_BY_TYPE[type]?.name;
  if (name !== undefined) words.unshift(name);
  const list = words.length === 0 ? '' : ` (${words.join(', ')})`;
  return `${type}${list}: ${toHex(bytes, valueStart(bytes, at), attributeEnd(bytes, at))}`;
}

/** A canonical set from values; what is absent is left out, but AS_PATH and ORIGIN are always there. */
export function encodeAttributes(values: Partial<AttributeValues>): Uint8Array {
  const editor = new AttributeEditor();
  const quad = (text: string) => wanted(parseQuad(text), 'dotted quad', text);
  const list = (
    type: number,
    size: number,
    texts: string[] | undefined,
    parse: (t: string) => Uint8Array,
  ) => {
    if (texts === undefined || texts.length === 0) return;
    const bytes = new Uint8Array(texts.length * size);
    for (const [i, text] of texts.entries()) bytes.set(parse(text), i * size);
    editor.set(type, bytes);
  };
  const number = (type: number, value: number | undefined) => {
    if (value !== undefined) editor.setUint32(type, value);
  };
  editor.set(ATTRIBUTE.origin, Uint8Array.of(ORIGIN_NAMES.indexOf(values.origin ?? 'IGP')));
  const path = values.asPath ?? '';
  editor.set(ATTRIBUTE.asPath, wanted(parseAsPath(path), 'AS path', path));
  number(ATTRIBUTE.multiExitDisc, values.med);
  number(ATTRIBUTE.localPref, values.localPref);
  if (values.atomicAggregate === true) editor.set(ATTRIBUTE.atomicAggregate, new Uint8Array(0));
  if (values.aggregator !== undefined) editor.set(ATTRIBUTE.aggregator, encodeAggregator(values.aggregator));
  list(ATTRIBUTE.communities, COMMUNITY_BYTES, values.communities, (text) =>
    uint32Bytes(wanted(parseCommunity(text), 'community', text)),
  );
  if (values.originatorId !== undefined) number(ATTRIBUTE.originatorId, quad(values.originatorId));
  list(ATTRIBUTE.clusterList, 4, values.clusterList, (text) => uint32Bytes(quad(text)));
  const extended = values.extendedCommunities ?? [];
  list(
    ATTRIBUTE.extendedCommunities,
    EXTENDED_COMMUNITY_BYTES,
    extended.filter((text) => !text.includes('[')),
    (text) => wanted(parseExtendedCommunity(text), 'extended community', text),
  );
  list(
    ATTRIBUTE.ipv6ExtendedCommunities,
    IPV6_EXTENDED_COMMUNITY_BYTES,
    extended.filter((text) => text.includes('[')),
    (text) => wanted(parseIpv6ExtendedCommunity(text), 'extended community', text),
  );
  if (values.aigp !== undefined) editor.set(ATTRIBUTE.aigp, encodeAigp(BigInt(values.aigp)));
  list(ATTRIBUTE.largeCommunities, LARGE_COMMUNITY_BYTES, values.largeCommunities, (text) =>
    wanted(parseLargeCommunity(text), 'large community', text),
  );
  number(ATTRIBUTE.onlyToCustomer, values.onlyToCustomer);
  for (const text of values.unknown ?? []) setUnknown(editor, text);
  return editor.finish();
}

function encodeAggregator(text: string): Uint8Array {
  const [asText = '', addressText = ''] = text.split(' ');
  const bytes = new Uint8Array(AGGREGATOR_LENGTH);
  const address = parseAddress(addressText)?.bytes;
  if (address?.length !== 4) throw new RangeError(`no aggregator: ${text}`);
  writeUint32(bytes, 0, wanted(parseAs(asText), 'aggregator', text));
  bytes.set(address, 4);
  return bytes;
}

function setUnknown(editor: AttributeEditor, text: string): void {
  const match = /^(\d+)(?: \(([^)]*)\))?: ([0-9a-f]*)$/.exec(text);
  const value = match === null ? undefined : fromHex(match[3]!);
  if (match === null || value === undefined) throw new RangeError(`no attribute: ${text}`);
  const words = (match[2] ?? '').split(', ');
  let flags: number = FLAG.optional;
  if (words.includes('transitive')) flags |= FLAG.transitive;
  if (words.includes('partial')) flags |= FLAG.partial;
  editor.setWithFlags(Number(match[1]), flags, value);
}

function uint32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return bytes;
}

function wanted<T>(value: T | undefined, what: string, text: string): T {
  if (value === undefined) throw new RangeError(`no ${what}: ${text}`);
  return value;
}
