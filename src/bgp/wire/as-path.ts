// AS_PATH values as octets with 4-octet ASes, the form that attribute sets have inside: what the decision reads
// (length, first, origin, loops) without an object, what export rewrites (prepend, remove, replace), and text. The
// 2-octet forms are as4.ts's. (RFC 4271 §4.3, §5.1.2, §9.1.2.2; RFC 5065 §3, §5.3.)

import { readUint32, writeUint32 } from '../../lib/bytes.ts';
import { SEGMENT } from './iana.ts';

/** Segment type and count. */
export const SEGMENT_HEADER = 2;
export const MAX_SEGMENT_ASES = 255;
const AS_BYTES = 4;

/** RFC 6996 §5 */
const PRIVATE_AS_RANGES = [
  { first: 64512, last: 65534 },
  { first: 4200000000, last: 4294967294 },
] as const;

export function isPrivateAs(as: number): boolean {
  return PRIVATE_AS_RANGES.some((range) => as >= range.first && as <= range.last);
}

export function isConfederationSegment(type: number): boolean {
  return type === SEGMENT.confedSequence || type === SEGMENT.confedSet;
}

/**
 * RFC 4271 §9.1.2.2 (a): ASes of the path in `bytes[start, end)`, an AS_SET counting 1 and confederation segments 0
 * (RFC 5065 §5.3).
 */
export function asPathLength(bytes: Uint8Array, start: number, end: number, asBytes = AS_BYTES): number {
  let length = 0;
  for (let at = start; at + SEGMENT_HEADER <= end; at += SEGMENT_HEADER + bytes[at + 1]! * asBytes) {
    if (bytes[at] === SEGMENT.asSequence) length += bytes[at + 1]!;
    else if (bytes[at] === SEGMENT.asSet) length++;
  }
  return length;
}

/**
 * The neighbouring AS: the first of a leading AS_SEQUENCE, with confederation segments before it passed over (RFC
 * 4271 §9.1.2.2 (c), RFC 5065 §5.3). 0 for a path of this AS's own or one that starts with an AS_SET.
 */
export function firstAs(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at + SEGMENT_HEADER <= end; at += SEGMENT_HEADER + bytes[at + 1]! * AS_BYTES) {
    const type = bytes[at]!;
    if (isConfederationSegment(type)) continue;
    return type === SEGMENT.asSequence ? readUint32(bytes, at + SEGMENT_HEADER) : 0;
  }
  return 0;
}

/** The originating AS: the last of a final AS_SEQUENCE (RFC 6811 §2); 0 where there is none. */
export function originAs(bytes: Uint8Array, start: number, end: number): number {
  let origin = 0;
  for (let at = start; at + SEGMENT_HEADER <= end; ) {
    const type = bytes[at]!;
    const next = at + SEGMENT_HEADER + bytes[at + 1]! * AS_BYTES;
    if (type === SEGMENT.asSequence) origin = readUint32(bytes, next - AS_BYTES);
    else if (type === SEGMENT.asSet) origin = 0;
    at = next;
  }
  return origin;
}

/** How often `as` stands in the path, in segments of any type. */
export function countAs(bytes: Uint8Array, start: number, end: number, as: number): number {
  let count = 0;
  const signed = as | 0;
  for (let at = start; at + SEGMENT_HEADER <= end; ) {
    const next = at + SEGMENT_HEADER + bytes[at + 1]! * AS_BYTES;
    for (let i = at + SEGMENT_HEADER; i < next; i += AS_BYTES) {
      const found = (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
      if (found === signed) count++;
    }
    at = next;
  }
  return count;
}

export function containsAs(bytes: Uint8Array, start: number, end: number, as: number): boolean {
  return countAs(bytes, start, end, as) > 0;
}

/** One segment, as text, policy and tests see it. */
export interface AsPathSegment {
  /** A SEGMENT number. */
  readonly type: number;
  readonly ases: readonly number[];
}

/** The segments of a well-formed path, with ASes of 4 octets or `asBytes`. */
export function* segments(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  asBytes: 2 | 4 = AS_BYTES,
): Generator<AsPathSegment> {
  for (let at = start; at + SEGMENT_HEADER <= end; ) {
    const ases: number[] = [];
    const next = at + SEGMENT_HEADER + bytes[at + 1]! * asBytes;
    for (let i = at + SEGMENT_HEADER; i < next; i += asBytes) {
      ases.push(asBytes === AS_BYTES ? readUint32(bytes, i) : (bytes[i]! << 8) | bytes[i + 1]!);
    }
    yield { type: bytes[at]!, ases };
    at = next;
  }
}

/**
 * Segments to octets. Empty segments vanish, sequences over 255 ASes are split (RFC 4271 §5.1.2), and neighbouring
 * sequences that fit one segment become one. A set over 255 cannot be said: its rest becomes another set.
 */
export function encodeSegments(path: Iterable<AsPathSegment>): Uint8Array {
  const merged: { type: number; ases: number[] }[] = [];
  for (const segment of path) {
    const last = merged.at(-1);
    const joins =
      last !== undefined && last.type === segment.type && !isSet(segment.type) && segment.ases.length > 0;
    if (joins && last.ases.length + segment.ases.length <= MAX_SEGMENT_ASES) last.ases.push(...segment.ases);
    else {
      for (let i = 0; i < segment.ases.length; i += MAX_SEGMENT_ASES) {
        merged.push({ type: segment.type, ases: segment.ases.slice(i, i + MAX_SEGMENT_ASES) });
      }
    }
  }
  const size = merged.reduce((sum, segment) => sum + SEGMENT_HEADER + segment.ases.length * AS_BYTES, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const { type, ases } of merged) {
    bytes[at] = type;
    bytes[at + 1] = ases.length;
    at += SEGMENT_HEADER;
    for (const as of ases) {
      writeUint32(bytes, at, as);
      at += AS_BYTES;
    }
  }
  return bytes;
}

function isSet(type: number): boolean {
  return type === SEGMENT.asSet || type === SEGMENT.confedSet;
}

/**
 * RFC 4271 §5.1.2 (b): `as` put `times` in front: into a leading AS_SEQUENCE as far as its 255 reach, else into a
 * new one. `segmentType` is confedSequence inside a confederation (RFC 5065 §4.1).
 */
export function prepend(
  path: Uint8Array,
  as: number,
  times = 1,
  segmentType: number = SEGMENT.asSequence,
): Uint8Array {
  if (times <= 0) return path;
  const leading = path.length > 0 && path[0] === segmentType ? path[1]! : -1;
  const joined = leading < 0 ? 0 : Math.min(times, MAX_SEGMENT_ASES - leading);
  const fresh = times - joined;
  const headers = Math.ceil(fresh / MAX_SEGMENT_ASES);
  const out = new Uint8Array(path.length + times * AS_BYTES + headers * SEGMENT_HEADER);
  let at = 0;
  let left = fresh;
  while (left > 0) {
    // The short segment comes first, so that the next prepend finds room in it.
    const count = left % MAX_SEGMENT_ASES === 0 ? MAX_SEGMENT_ASES : left % MAX_SEGMENT_ASES;
    out[at] = segmentType;
    out[at + 1] = count;
    at = fillAs(out, at + SEGMENT_HEADER, as, count);
    left -= count;
  }
  if (joined > 0) {
    out[at] = segmentType;
    out[at + 1] = leading + joined;
    at = fillAs(out, at + SEGMENT_HEADER, as, joined);
    out.set(path.subarray(SEGMENT_HEADER), at);
  } else out.set(path, at);
  return out;
}

function fillAs(out: Uint8Array, from: number, as: number, count: number): number {
  let at = from;
  for (let i = 0; i < count; i++) {
    writeUint32(out, at, as);
    at += AS_BYTES;
  }
  return at;
}

/** Drops ASes for which `drop` says so; a segment that loses all of them goes too. */
function without(path: Uint8Array, drop: (as: number) => boolean): Uint8Array {
  const kept: AsPathSegment[] = [];
  for (const { type, ases } of segments(path)) kept.push({ type, ases: ases.filter((as) => !drop(as)) });
  return encodeSegments(kept);
}

/** Out of a confederation: without its segments (RFC 5065 §4.1 c). */
export function removeConfederation(path: Uint8Array): Uint8Array {
  const kept = [...segments(path)].filter(({ type }) => !isConfederationSegment(type));
  return encodeSegments(kept);
}

/** Export to eBGP without private ASes (RFC 6996 §4): every one of them goes, wherever it stands. */
export function removePrivateAses(path: Uint8Array): Uint8Array {
  return anyAs(path, isPrivateAs) ? without(path, isPrivateAs) : path;
}

/** Export with AS override: each occurrence of `from` becomes `to`, so that the length stays. */
export function replaceAs(path: Uint8Array, from: number, to: number): Uint8Array {
  if (!containsAs(path, 0, path.length, from)) return path;
  const replaced: AsPathSegment[] = [];
  for (const { type, ases } of segments(path)) {
    replaced.push({ type, ases: ases.map((as) => (as === from ? to : as)) });
  }
  return encodeSegments(replaced);
}

function anyAs(path: Uint8Array, holds: (as: number) => boolean): boolean {
  for (const { ases } of segments(path)) if (ases.some(holds)) return true;
  return false;
}

/** `64512 {64513 64514} (65001) [65002 65003]`: sequence, set, confederation sequence, confederation set. */
export function formatAsPath(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const parts: string[] = [];
  for (const { type, ases } of segments(bytes, start, end)) {
    const brackets = SEGMENT_BRACKETS[type];
    const list = ases.join(' ');
    parts.push(brackets === undefined ? list : `${brackets.open}${list}${brackets.close}`);
  }
  return parts.join(' ');
}

const SEGMENT_BRACKETS: Readonly<Record<number, { readonly open: string; readonly close: string }>> = {
  [SEGMENT.asSet]: { open: '{', close: '}' },
  [SEGMENT.confedSequence]: { open: '(', close: ')' },
  [SEGMENT.confedSet]: { open: '[', close: ']' },
};

const MAX_AS = 0xffffffff;

/** Parses what formatAsPath writes (commas are as good as spaces); undefined where the text is no path. */
export function parseAsPath(text: string): Uint8Array | undefined {
  const path: AsPathSegment[] = [];
  const pattern = /\s*(?:([{([])([^{}()[\]]*)([})\]])|(\d+(?:\.\d+)?))\s*/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return text.trim() === '' ? encodeSegments(path) : undefined;
    if (match[4] !== undefined) {
      const as = parseAs(match[4]);
      if (as === undefined) return undefined;
      path.push({ type: SEGMENT.asSequence, ases: [as] });
      continue;
    }
    const type = bracketType(match[1]!, match[3]!);
    const ases = match[2]!
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(parseAs);
    if (type === undefined || ases.length === 0) return undefined;
    const known = ases.filter((as) => as !== undefined);
    if (known.length !== ases.length) return undefined;
    path.push({ type, ases: known });
  }
  return encodeSegments(path);
}

function bracketType(open: string, close: string): number | undefined {
  for (const [type, brackets] of Object.entries(SEGMENT_BRACKETS)) {
    if (brackets.open === open && brackets.close === close) return Number(type);
  }
  return undefined;
}

/** An AS number as people write it: plain or asdot (RFC 5396 §2). */
export function parseAs(text: string): number | undefined {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const high = Number(match[1]);
  if (match[2] === undefined) return high <= MAX_AS ? high : undefined;
  const low = Number(match[2]);
  return high <= 0xffff && low <= 0xffff ? high * 0x10000 + low : undefined;
}
