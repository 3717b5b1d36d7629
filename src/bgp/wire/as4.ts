// Speakers with 2-octet ASes (RFC 6793): AS_PATH and AGGREGATOR between their two forms, and the merging of
// AS4_PATH and AS4_AGGREGATOR into what the attribute set keeps. Only sessions without capability 65 come here.

import { readUint16, readUint32, writeUint16, writeUint32 } from '../../lib/bytes.ts';
import {
  type AsPathSegment,
  asPathLength,
  encodeSegments,
  isConfederationSegment,
  SEGMENT_HEADER,
  segments,
} from './as-path.ts';
import { AS_TRANS, SEGMENT } from './iana.ts';

const TWO = 2;
const FOUR = 4;
const MAX_TWO_OCTET_AS = 0xffff;
const IPV4_BYTES = 4;
export const OLD_AGGREGATOR_LENGTH = TWO + IPV4_BYTES;
export const AGGREGATOR_LENGTH = FOUR + IPV4_BYTES;

/** A 2-octet AS_PATH value with its ASes in four octets. */
export function widenAsPath(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return encodeSegments(segments(bytes, start, end, TWO));
}

/** RFC 6793 §4.2.2: the 2-octet form of a path; what two octets cannot say becomes AS_TRANS. */
export function narrowAsPath(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at + SEGMENT_HEADER <= end; ) {
    const count = bytes[at + 1]!;
    out[length] = bytes[at]!;
    out[length + 1] = count;
    length += SEGMENT_HEADER;
    at += SEGMENT_HEADER;
    for (let i = 0; i < count; i++) {
      const as = readUint32(bytes, at);
      writeUint16(out, length, as > MAX_TWO_OCTET_AS ? AS_TRANS : as);
      at += FOUR;
      length += TWO;
    }
  }
  return out.subarray(0, length);
}

/**
 * RFC 6793 §4.2.2: the AS4_PATH that goes beside a narrowed path: without confederation segments, and undefined
 * where two octets say it all.
 */
export function as4PathFor(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (!needsFourOctets(bytes, start, end)) return undefined;
  const kept = [...segments(bytes, start, end)].filter(({ type }) => !isConfederationSegment(type));
  return kept.length === 0 ? undefined : encodeSegments(kept);
}

function needsFourOctets(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at + SEGMENT_HEADER <= end; ) {
    const next = at + SEGMENT_HEADER + bytes[at + 1]! * FOUR;
    for (let i = at + SEGMENT_HEADER; i < next; i += FOUR) {
      if ((bytes[i]! | bytes[i + 1]!) !== 0) return true;
    }
    at = next;
  }
  return false;
}

/** RFC 6793 §4.2.2: AGGREGATOR for an old speaker, from the 8-octet value at `bytes[start]`. */
export function narrowAggregator(bytes: Uint8Array, start: number): Uint8Array {
  const as = readUint32(bytes, start);
  const out = new Uint8Array(OLD_AGGREGATOR_LENGTH);
  writeUint16(out, 0, as > MAX_TWO_OCTET_AS ? AS_TRANS : as);
  out.set(bytes.subarray(start + FOUR, start + AGGREGATOR_LENGTH), TWO);
  return out;
}

/** RFC 6793 §4.2.2: AS4_AGGREGATOR is sent only for an AS that two octets cannot say. */
export function needsAs4Aggregator(bytes: Uint8Array, start: number): boolean {
  return readUint32(bytes, start) > MAX_TWO_OCTET_AS;
}

/** One attribute value inside a message. */
export interface ValueRange {
  readonly start: number;
  readonly end: number;
}

export interface MergedAs4 {
  readonly asPath: Uint8Array;
  readonly aggregator: Uint8Array | undefined;
  /** The 4-octet form of a path that the merge replaced in part; loop detection reads it too (RFC 6793 §4.2.3). */
  readonly superseded: Uint8Array | undefined;
}

/**
 * RFC 6793 §4.2.3 over the (checked) values of a message from an old speaker; the ranges of absent or discarded
 * attributes are undefined.
 */
export function mergeAs4(
  buffer: Uint8Array,
  asPath: ValueRange,
  aggregator: ValueRange | undefined,
  as4Path: ValueRange | undefined,
  as4Aggregator: ValueRange | undefined,
): MergedAs4 {
  const wide = widenAsPath(buffer, asPath.start, asPath.end);
  const plain: MergedAs4 = {
    asPath: wide,
    aggregator: aggregator === undefined ? undefined : widenAggregator(buffer, aggregator),
    superseded: undefined,
  };
  if (aggregator !== undefined && as4Aggregator !== undefined) {
    // The AGGREGATOR's AS needs no four octets: an old speaker aggregated since, and both AS4 attributes are stale.
    if (readUint16(buffer, aggregator.start) !== AS_TRANS) return plain;
    const newer = buffer.slice(as4Aggregator.start, as4Aggregator.end);
    return { ...mergePaths(plain, buffer, as4Path), aggregator: newer };
  }
  return mergePaths(plain, buffer, as4Path);
}

function widenAggregator(buffer: Uint8Array, range: ValueRange): Uint8Array {
  const out = new Uint8Array(AGGREGATOR_LENGTH);
  writeUint32(out, 0, readUint16(buffer, range.start));
  out.set(buffer.subarray(range.start + TWO, range.end), FOUR);
  return out;
}

function mergePaths(plain: MergedAs4, buffer: Uint8Array, as4Path: ValueRange | undefined): MergedAs4 {
  if (as4Path === undefined) return plain;
  const path = plain.asPath;
  // RFC 6793 §6: confederation segments in AS4_PATH are dropped, the rest is used.
  const tail = [...segments(buffer, as4Path.start, as4Path.end)].filter(
    ({ type }) => !isConfederationSegment(type),
  );
  const missing =
    asPathLength(path, 0, path.length) - tail.reduce((sum, segment) => sum + countOf(segment), 0);
  // AS_PATH is the shorter one: AS4_PATH cannot belong to it.
  if (missing < 0) return { ...plain, superseded: encodeSegments(tail) };
  return {
    ...plain,
    asPath: encodeSegments([...leadingPart(path, missing), ...tail]),
    superseded: path,
  };
}

function countOf({ type, ases }: AsPathSegment): number {
  if (isConfederationSegment(type)) return 0;
  return type === SEGMENT.asSet ? 1 : ases.length;
}

/** The first `count` ASes of a path, with the confederation segments that lead or follow what is taken. */
function* leadingPart(path: Uint8Array, count: number): Generator<AsPathSegment> {
  let left = count;
  for (const segment of segments(path)) {
    if (isConfederationSegment(segment.type)) {
      yield segment;
      continue;
    }
    if (left === 0) return;
    const whole = countOf(segment);
    const ases = whole > left ? segment.ases.slice(0, left) : segment.ases;
    yield { type: segment.type, ases };
    if (whole > left) return;
    left -= whole;
  }
}
