// The canonical form of an attribute set: one octet string per set, however it was spelt on the wire. Ascending
// types, no NEXT_HOP and no MP_*, 4-octet ASes, low flag bits zero, extended length only where needed, Partial set
// on what this speaker does not recognise (RFC 4271 §5). Equal sets are equal octets, so interning compares octets.

import { copyBytes, copyViewed, type Octets } from '../../lib/bytes.ts';
import { mergeAs4, type ValueRange } from './as4.ts';
import type { AttributeScan } from './attribute-scan.ts';
import { ATTRIBUTE_BY_TYPE, CANONICAL_FLAGS } from './attributes.ts';
import { ATTRIBUTE, FLAG, LONG_HEADER, SHORT_HEADER } from './iana.ts';

const MAX_SHORT_VALUE = 255;
/** What the two octets of an extended length can say. */
export const MAX_VALUE = 0xffff;

/** The most octets that the canonical form of `length` attribute octets can take: widened ASes, longer headers. */
export function canonicalCapacity(length: number): number {
  return length * 2 + LONG_HEADER * 2;
}

/** The flags that a received attribute keeps: those of its class; Partial only where optional transitive. */
function canonicalFlags(type: number, received: number): number {
  const flags = CANONICAL_FLAGS[type]!;
  return flags === (FLAG.optional | FLAG.transitive) ? flags | (received & FLAG.partial) : flags;
}

/**
 * Writes the canonical form of what `scan` kept of `source` to `out`, which has room (canonicalCapacity). Returns
 * its length.
 */
export function writeCanonical(scan: AttributeScan, source: Octets, out: Octets): number {
  if (!scan.ascending) sortTypes(scan.kept, scan.count);
  const { bytes } = source;
  let length = 0;
  // What stands in the message as it does in the canonical form is mostly next to its like, and copied with it.
  let from = 0;
  let to = 0;
  for (let i = 0; i < scan.count; i++) {
    const type = scan.kept[i]!;
    const start = scan.starts[type]!;
    const end = scan.ends[type]!;
    const received = scan.flags[type]!;
    const flags = canonicalFlags(type, received);
    const instead = ATTRIBUTE_BY_TYPE[type]?.canonicalize?.(bytes, start, end);
    if (instead === undefined && flags === received) {
      const header = start - SHORT_HEADER;
      if (header !== to) {
        length = copyViewed(out.view, length, source.view, from, to);
        from = header;
      }
      to = end;
      continue;
    }
    length = copyViewed(out.view, length, source.view, from, to);
    from = to;
    length =
      instead === undefined
        ? appendAttribute(out.bytes, length, flags, type, bytes, start, end)
        : appendAttribute(out.bytes, length, flags, type, instead, 0, instead.length);
  }
  return copyViewed(out.view, length, source.view, from, to);
}

/**
 * writeCanonical for a session with 2-octet ASes (RFC 6793 §4.2.3). Undefined where the path with 4-octet ones is longer than
 * an attribute can be: an extended message (RFC 8654) has room for such.
 */
export function writeMerged(
  scan: AttributeScan,
  buffer: Uint8Array,
  out: Uint8Array,
): { length: number; superseded: Uint8Array | undefined } | undefined {
  if (!scan.ascending) sortTypes(scan.kept, scan.count);
  const path = range(scan, ATTRIBUTE.asPath);
  const merged =
    path === undefined
      ? undefined
      : mergeAs4(
          buffer,
          path,
          range(scan, ATTRIBUTE.aggregator),
          range(scan, ATTRIBUTE.as4Path),
          range(scan, ATTRIBUTE.as4Aggregator),
        );
  if (merged !== undefined && merged.asPath.length > MAX_VALUE) return undefined;
  let length = 0;
  for (let i = 0; i < scan.count; i++) {
    const type = scan.kept[i]!;
    const start = scan.starts[type]!;
    const end = scan.ends[type]!;
    const flags = canonicalFlags(type, scan.flags[type]!);
    const instead =
      type === ATTRIBUTE.asPath
        ? merged?.asPath
        : type === ATTRIBUTE.aggregator
          ? merged?.aggregator
          : ATTRIBUTE_BY_TYPE[type]?.canonicalize?.(buffer, start, end);
    length =
      instead === undefined
        ? appendAttribute(out, length, flags, type, buffer, start, end)
        : appendAttribute(out, length, flags, type, instead, 0, instead.length);
  }
  return { length, superseded: merged?.superseded };
}

function range(scan: AttributeScan, type: number): ValueRange | undefined {
  return scan.has(type) ? { start: scan.starts[type]!, end: scan.ends[type]! } : undefined;
}

/** Appends one attribute at `out[at]`; returns where the next one goes. `flags` without the extended-length bit. */
export function appendAttribute(
  out: Uint8Array,
  at: number,
  flags: number,
  type: number,
  value: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  let to = at;
  if (length > MAX_SHORT_VALUE) {
    out[to++] = flags | FLAG.extendedLength;
    out[to++] = type;
    out[to++] = length >>> 8;
    out[to++] = length;
  } else {
    out[to++] = flags;
    out[to++] = type;
    out[to++] = length;
  }
  return copyBytes(out, to, value, start, end);
}

/** Insertion sort: a dozen types, nearly in order. */
function sortTypes(types: Uint8Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const type = types[i]!;
    let j = i - 1;
    for (; j >= 0 && types[j]! > type; j--) types[j + 1] = types[j]!;
    types[j + 1] = type;
  }
}
