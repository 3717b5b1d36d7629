// The prefixes of one part of an UPDATE, as columns. A decoder owns its batches and fills them anew for each
// message, so a million prefixes pass through without an object apiece.

import type { Family } from './families.ts';

export class NlriBatch {
  readonly family: Family;
  count = 0;
  /** `family.words` big-endian words a prefix, host bits zero; signed, as Int32Array holds them. */
  words: Int32Array;
  /** Prefix lengths in bits. */
  lengths: Uint8Array;
  /** ADD-PATH identifiers (RFC 7911 §3); 0 where the session has none. */
  pathIds: Uint32Array;
  /** NEXT_HOP or MP_REACH next hop: 4, 16 or 32 octets (global, link-local); only the first `nextHopLength`
   *  octets count, and none for withdrawn prefixes. */
  readonly nextHop = new Uint8Array(32);
  nextHopLength = 0;

  constructor(family: Family, capacity = 1024) {
    this.family = family;
    this.words = new Int32Array(capacity * family.words);
    this.lengths = new Uint8Array(capacity);
    this.pathIds = new Uint32Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.nextHopLength = 0;
  }

  /** Makes room for `capacity` prefixes, keeping what is there. */
  reserve(capacity: number): void {
    if (capacity <= this.lengths.length) return;
    const size = Math.max(capacity, this.lengths.length * 2);
    const words = new Int32Array(size * this.family.words);
    words.set(this.words);
    this.words = words;
    const lengths = new Uint8Array(size);
    lengths.set(this.lengths);
    this.lengths = lengths;
    const pathIds = new Uint32Array(size);
    pathIds.set(this.pathIds);
    this.pathIds = pathIds;
  }
}
