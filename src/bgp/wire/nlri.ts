// Prefixes on the wire (RFC 4271 §4.3, RFC 4760 §5, RFC 7911 §3) to columns. The hot loop of the speaker: one
// function a word count, no objects, no calls. Which NOTIFICATION an error becomes depends on the field the
// prefixes stand in, so that is the caller's.

import type { NlriBatch } from './nlri-batch.ts';

/** Returned instead of a count for a field that RFC 7606 §5.3 calls syntactically incorrect. */
export const BAD_NLRI = -1;

const PATH_ID_BYTES = 4;
const IPV4_WORDS = 1;

/**
 * Fills `batch` with the prefixes of `buffer[start, end)`; host bits are cleared (RFC 4271 §4.3: their value is
 * irrelevant). `addPath`: a path identifier precedes each prefix. `unicastOnly`: multicast and class E prefixes are
 * left out (RFC 4271 §6.3: semantically incorrect, ignored). Returns how many were left out, or BAD_NLRI.
 */
export function parseNlri(
  batch: NlriBatch,
  buffer: Uint8Array,
  start: number,
  end: number,
  addPath: boolean,
  unicastOnly: boolean,
): number {
  batch.count = 0;
  if (start === end) return 0;
  // No prefix is shorter than its length octet.
  batch.reserve(addPath ? Math.ceil((end - start) / (PATH_ID_BYTES + 1)) : end - start);
  return batch.family.words === IPV4_WORDS
    ? parseShort(batch, buffer, start, end, addPath, unicastOnly)
    : parseLong(batch, buffer, start, end, addPath, unicastOnly);
}

/** Families whose prefixes fit one word. */
function parseShort(
  batch: NlriBatch,
  buffer: Uint8Array,
  start: number,
  end: number,
  addPath: boolean,
  unicastOnly: boolean,
): number {
  const { words, lengths, pathIds } = batch;
  const maxBits = batch.family.maxBits;
  let position = start;
  let count = 0;
  let ignored = 0;
  while (position < end) {
    let pathId = 0;
    if (addPath) {
      if (end - position <= PATH_ID_BYTES) return BAD_NLRI;
      pathId =
        (buffer[position]! << 24) |
        (buffer[position + 1]! << 16) |
        (buffer[position + 2]! << 8) |
        buffer[position + 3]!;
      position += PATH_ID_BYTES;
    }
    const bits = buffer[position++]!;
    const octets = (bits + 7) >> 3;
    if (bits > maxBits || position + octets > end) return BAD_NLRI;
    let word = 0;
    if (octets > 0) word = buffer[position]! << 24;
    if (octets > 1) word |= buffer[position + 1]! << 16;
    if (octets > 2) word |= buffer[position + 2]! << 8;
    if (octets > 3) word |= buffer[position + 3]!;
    position += octets;
    if (bits === 0) word = 0;
    else word &= -1 << (32 - bits);
    // 224.0.0.0/3: multicast and class E.
    if (unicastOnly && word >>> 29 === 7) {
      ignored++;
      continue;
    }
    words[count] = word;
    lengths[count] = bits;
    pathIds[count] = pathId;
    count++;
  }
  batch.count = count;
  return ignored;
}

/** Families whose prefixes need several words. */
function parseLong(
  batch: NlriBatch,
  buffer: Uint8Array,
  start: number,
  end: number,
  addPath: boolean,
  unicastOnly: boolean,
): number {
  const { words, lengths, pathIds } = batch;
  const { maxBits, words: width } = batch.family;
  let position = start;
  let count = 0;
  let ignored = 0;
  while (position < end) {
    let pathId = 0;
    if (addPath) {
      if (end - position <= PATH_ID_BYTES) return BAD_NLRI;
      pathId =
        (buffer[position]! << 24) |
        (buffer[position + 1]! << 16) |
        (buffer[position + 2]! << 8) |
        buffer[position + 3]!;
      position += PATH_ID_BYTES;
    }
    const bits = buffer[position++]!;
    const octets = (bits + 7) >> 3;
    if (bits > maxBits || position + octets > end) return BAD_NLRI;
    const offset = count * width;
    for (let i = 0; i < width; i++) words[offset + i] = 0;
    for (let i = 0; i < octets; i++) {
      const at = offset + (i >> 2);
      words[at] = words[at]! | (buffer[position + i]! << (24 - ((i & 3) << 3)));
    }
    position += octets;
    const tail = bits & 31;
    if (tail !== 0) {
      const at = offset + (bits >> 5);
      words[at] = words[at]! & (-1 << (32 - tail));
    }
    // ff00::/8: multicast.
    if (unicastOnly && bits >= 8 && words[offset]! >>> 24 === 0xff) {
      ignored++;
      continue;
    }
    lengths[count] = bits;
    pathIds[count] = pathId;
    count++;
  }
  batch.count = count;
  return ignored;
}

/** The prefix `index` of `words` as the octets that the wire and lib/ip.ts have; for logs and views. */
export function prefixBytes(words: Int32Array, index: number, width: number): Uint8Array {
  const bytes = new Uint8Array(width * 4);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = words[index * width + (i >> 2)]! >>> (24 - ((i & 3) << 3));
  }
  return bytes;
}
