// Turns a dumped attribute block into the form that a bench peer sends: 4-octet ASes throughout (AS4_PATH merged,
// RFC 6793 §4.2.3), without NEXT_HOP, LOCAL_PREF, MP_REACH_NLRI and MP_UNREACH_NLRI, which belong to a session and are
// handed out beside it. Types ascend as RFC 4271 §5 asks. This is the bench's own reading of attributes, independent
// of the product's, so that the two check each other.

import { MrtError } from './records.ts';

export const ATTR = {
  origin: 1,
  asPath: 2,
  nextHop: 3,
  med: 4,
  localPref: 5,
  atomicAggregate: 6,
  aggregator: 7,
  communities: 8,
  originatorId: 9,
  clusterList: 10,
  mpReach: 14,
  mpUnreach: 15,
  extendedCommunities: 16,
  as4Path: 17,
  as4Aggregator: 18,
  largeCommunities: 32,
} as const;

/** RFC 4271 §4.3, Path Attributes. */
export const FLAG = { optional: 0x80, transitive: 0x40, partial: 0x20, extendedLength: 0x10 } as const;

/** RFC 4271 §4.3 and RFC 5065 §3. */
const SEGMENT = { set: 1, sequence: 2, confedSequence: 3, confedSet: 4 } as const;
const AS_TRANS = 23456;

const SESSION_ATTRIBUTES: ReadonlySet<number> = new Set([
  ATTR.nextHop,
  ATTR.localPref,
  ATTR.mpReach,
  ATTR.mpUnreach,
  ATTR.as4Path,
  ATTR.as4Aggregator,
]);

export interface MpBlock {
  readonly afi: number;
  readonly safi: number;
  readonly nlri: Uint8Array;
}

export interface AttributeBlock {
  /** Canonical attributes; a fresh copy. */
  readonly bytes: Uint8Array;
  /** NEXT_HOP, or the next hop of MP_REACH_NLRI; empty where the block has neither. */
  readonly nextHop: Uint8Array;
  readonly mpReach: MpBlock | undefined;
  readonly mpUnreach: MpBlock | undefined;
}

export interface BlockForm {
  readonly as4: boolean;
  /** TABLE_DUMP_V2 abbreviates MP_REACH_NLRI to its next hop (RFC 6396 §4.3.4). */
  readonly shortMpReach: boolean;
}

/** Throws MrtError where the block cannot be walked. */
export function readAttributes(block: Uint8Array, form: BlockForm): AttributeBlock {
  const found = new Map<number, { flags: number; value: Uint8Array }>();
  for (let at = 0; at < block.length; ) {
    const flags = need(block, at);
    const type = need(block, at + 1);
    const extended = (flags & FLAG.extendedLength) !== 0;
    const length = extended ? (need(block, at + 2) << 8) | need(block, at + 3) : need(block, at + 2);
    const start = at + (extended ? 4 : 3);
    if (start + length > block.length) throw new MrtError(`attribute ${type} is cut off`);
    if (!found.has(type)) found.set(type, { flags, value: block.subarray(start, start + length) });
    at = start + length;
  }
  const value = (type: number): Uint8Array | undefined => found.get(type)?.value;
  const mpReach = value(ATTR.mpReach);
  const reach = mpReach === undefined ? undefined : readMpReach(mpReach, form.shortMpReach);
  const unreach = value(ATTR.mpUnreach);
  return {
    bytes: canonical(found, form.as4),
    nextHop: reach?.nextHop ?? value(ATTR.nextHop) ?? new Uint8Array(0),
    mpReach: reach?.block,
    mpUnreach: unreach === undefined ? undefined : readMpUnreach(unreach),
  };
}

function canonical(found: Map<number, { flags: number; value: Uint8Array }>, as4: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const type of [...found.keys()].sort((a, b) => a - b)) {
    if (SESSION_ATTRIBUTES.has(type)) continue;
    const { flags, value } = found.get(type)!;
    parts.push(encodeAttribute(flags, type, widen(type, value, as4, found)));
  }
  return Buffer.concat(parts);
}

function widen(
  type: number,
  value: Uint8Array,
  as4: boolean,
  found: Map<number, { flags: number; value: Uint8Array }>,
): Uint8Array {
  if (as4) return value;
  if (type === ATTR.asPath) return mergeAs4Path(segments(value, 2), found.get(ATTR.as4Path)?.value);
  if (type === ATTR.aggregator && value.length === 6) {
    const asn = u16(value, 0);
    const wide = found.get(ATTR.as4Aggregator)?.value;
    if (asn === AS_TRANS && wide?.length === 8) return wide;
    return Uint8Array.from([0, 0, ...value]);
  }
  return value;
}

/** One attribute with the shortest length field. */
export function encodeAttribute(flags: number, type: number, value: Uint8Array): Uint8Array {
  const extended = value.length > 255;
  const head = extended
    ? [flags | FLAG.extendedLength, type, value.length >> 8, value.length & 255]
    : [flags & ~FLAG.extendedLength, type, value.length];
  const out = new Uint8Array(head.length + value.length);
  out.set(head);
  out.set(value, head.length);
  return out;
}

interface Segment {
  readonly type: number;
  readonly asns: number[];
}

/** Parses AS_PATH with 2- or 4-octet ASes. */
function segments(value: Uint8Array, asOctets: 2 | 4): Segment[] {
  const out: Segment[] = [];
  for (let at = 0; at < value.length; ) {
    const type = need(value, at);
    const count = need(value, at + 1);
    at += 2;
    if (at + count * asOctets > value.length) throw new MrtError('AS_PATH is cut off');
    const asns: number[] = [];
    for (let i = 0; i < count; i++, at += asOctets)
      asns.push(asOctets === 2 ? u16(value, at) : u32(value, at));
    out.push({ type, asns });
  }
  return out;
}

function mergeAs4Path(path: Segment[], as4Path: Uint8Array | undefined): Uint8Array {
  const wide = as4Path === undefined ? [] : segments(as4Path, 4);
  // RFC 6793 §4.2.3: where AS_PATH is shorter, AS4_PATH is ignored.
  const surplus = pathLength(path) - pathLength(wide);
  if (wide.length === 0 || surplus < 0) return encodeSegments(path);
  return encodeSegments([...leading(path, surplus), ...wide]);
}

/** RFC 4271 §9.1.2.2 a: a set counts as one; RFC 5065 §5.3: confederation segments as nothing. */
function pathLength(path: readonly Segment[]): number {
  let total = 0;
  for (const { type, asns } of path) {
    if (type === SEGMENT.sequence) total += asns.length;
    else if (type === SEGMENT.set) total += 1;
  }
  return total;
}

function leading(path: readonly Segment[], count: number): Segment[] {
  const out: Segment[] = [];
  let left = count;
  for (const segment of path) {
    const confed = segment.type === SEGMENT.confedSequence || segment.type === SEGMENT.confedSet;
    if (left <= 0 && !confed) break;
    if (confed) out.push(segment);
    else if (segment.type === SEGMENT.set) {
      out.push(segment);
      left -= 1;
    } else {
      out.push({ type: segment.type, asns: segment.asns.slice(0, left) });
      left -= segment.asns.length;
    }
  }
  return out;
}

function encodeSegments(path: readonly Segment[]): Uint8Array {
  const out: number[] = [];
  for (const { type, asns } of path) {
    out.push(type, asns.length);
    for (const asn of asns) out.push((asn >>> 24) & 255, (asn >>> 16) & 255, (asn >>> 8) & 255, asn & 255);
  }
  return Uint8Array.from(out);
}

function readMpReach(value: Uint8Array, short: boolean): { nextHop: Uint8Array; block: MpBlock | undefined } {
  // A full attribute starts with an AFI below 256, so with a zero octet; the short form with the next hop's length.
  if (short && value[0] !== 0) return { nextHop: value.subarray(1, 1 + need(value, 0)), block: undefined };
  const nextHopLength = need(value, 3);
  const nlriStart = 4 + nextHopLength + 1; // one reserved octet, RFC 4760 §3
  if (nlriStart > value.length) throw new MrtError('MP_REACH_NLRI is cut off');
  return {
    nextHop: value.subarray(4, 4 + nextHopLength),
    block: { afi: u16(value, 0), safi: need(value, 2), nlri: value.subarray(nlriStart) },
  };
}

function readMpUnreach(value: Uint8Array): MpBlock {
  return { afi: u16(value, 0), safi: need(value, 2), nlri: value.subarray(3) };
}

function need(bytes: Uint8Array, at: number): number {
  const octet = bytes[at];
  if (octet === undefined) throw new MrtError('attribute block is cut off');
  return octet;
}

function u16(bytes: Uint8Array, at: number): number {
  return (need(bytes, at) << 8) | need(bytes, at + 1);
}

function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}
