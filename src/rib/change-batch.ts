// The changes of one turn for one group or lane, and the bytes made of them. Entries are collected in any order,
// sorted into buckets of equal (addressee, origin, attributes), and encoded once: withdrawals before announcements,
// a full message before the next begins. The result is one buffer cut into segments; a segment knows which member
// must not have it because the routes came from it, or which single member it is for.

import type { UpdateWriter } from '../bgp/wire/update-writer.ts';
import { growInt32, growUint16, growUint32 } from '../lib/columns.ts';
import type { FamilyRib } from './family-rib.ts';

export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** The bytes for everybody, less each origin's own, and those for single members. */
export interface EncodedBatch {
  readonly bytes: Uint8Array;
  /** Length of the part that is for everybody; single members' segments lie behind it. */
  readonly commonEnd: number;
  /** By peer id: the part of the common bytes that came from this peer. */
  readonly own: ReadonlyMap<number, Segment>;
  /** By peer id: what is for this peer alone. */
  readonly solo: ReadonlyMap<number, Segment>;
  /** Routes whose attributes do not fit a message: they are withdrawn instead (RFC 8654 §4). */
  readonly unsent: readonly { readonly prefixId: number; readonly pathId: number }[];
}

interface Bucket {
  readonly only: number;
  readonly from: number;
  /** 0 = withdrawals. */
  readonly attr: number;
  count: number;
  /** Where the bucket's entries begin after sorting. */
  offset: number;
}

const INITIAL_ENTRIES = 1 << 12;

export class ChangeBatch {
  readonly #rib: FamilyRib;
  count = 0;
  #prefix = new Int32Array(INITIAL_ENTRIES);
  #pathId = new Uint32Array(INITIAL_ENTRIES);
  #bucketOf = new Int32Array(INITIAL_ENTRIES);
  #sorted = new Int32Array(INITIAL_ENTRIES);
  #attr = new Int32Array(INITIAL_ENTRIES);
  #from = new Uint16Array(INITIAL_ENTRIES);
  #only = new Uint16Array(INITIAL_ENTRIES);

  constructor(rib: FamilyRib) {
    this.#rib = rib;
  }

  clear(): void {
    this.count = 0;
  }

  /** For all members but the one it came from; `attr` 0 withdraws. */
  add(prefixId: number, pathId: number, attr: number, from: number): void {
    this.#push(prefixId, pathId, attr, from, 0);
  }

  /** For one member. */
  addFor(member: number, prefixId: number, pathId: number, attr: number): void {
    this.#push(prefixId, pathId, attr, 0, member);
  }

  /** Visits what was added. */
  forEach(visit: (prefixId: number, pathId: number, attr: number) => void): void {
    for (let i = 0; i < this.count; i++) visit(this.#prefix[i]!, this.#pathId[i]!, this.#attr[i]!);
  }

  /** Encodes the entries; the batch may be cleared afterwards. */
  encode(writer: UpdateWriter): EncodedBatch {
    const buckets = this.#sort();
    const own = new Map<number, Segment>();
    const solo = new Map<number, Segment>();
    const unsent: { prefixId: number; pathId: number }[] = [];
    let commonEnd = 0;
    for (const bucket of buckets) {
      const start = writer.length;
      this.#encodeBucket(writer, bucket, unsent);
      if (bucket.only === 0) {
        commonEnd = writer.length;
        extend(own, bucket.from, start, writer.length);
      } else {
        extend(solo, bucket.only, start, writer.length);
      }
    }
    return { bytes: writer.detach(), commonEnd, own, solo, unsent };
  }

  #encodeBucket(writer: UpdateWriter, bucket: Bucket, unsent: { prefixId: number; pathId: number }[]): void {
    const { attrs, nextHops } = this.#rib.shared;
    const { words, lengths } = this.#rib.prefixes;
    const { attr } = bucket;
    if (attr === 0) {
      writer.startWithdraw();
    } else {
      const { wire } = nextHops.get(attrs.nextHop[attr]!);
      writer.startAnnounce(attrs.bytes, attrs.offset(attr), attrs.length(attr), wire, wire.length);
    }
    const refused: number[] = [];
    for (let i = bucket.offset; i < bucket.offset + bucket.count; i++) {
      const entry = this.#sorted[i]!;
      const prefixId = this.#prefix[entry]!;
      if (!writer.addPrefix(words, prefixId, lengths[prefixId]!, this.#pathId[entry]!)) refused.push(entry);
    }
    writer.finish();
    if (refused.length === 0) return;
    // RFC 4271 §9.2, RFC 8654 §4: not sent, and an earlier route is withdrawn.
    writer.startWithdraw();
    for (const entry of refused) {
      const prefixId = this.#prefix[entry]!;
      const pathId = this.#pathId[entry]!;
      writer.addPrefix(words, prefixId, lengths[prefixId]!, pathId);
      unsent.push({ prefixId, pathId });
    }
    writer.finish();
  }

  #push(prefixId: number, pathId: number, attr: number, from: number, only: number): void {
    const i = this.count++;
    if (i === this.#prefix.length) this.#grow(i + 1);
    this.#prefix[i] = prefixId;
    this.#pathId[i] = pathId;
    this.#attr[i] = attr;
    this.#from[i] = from;
    this.#only[i] = only;
  }

  /** Buckets in sending order, with `#sorted` holding the entries of each in a row. */
  #sort(): Bucket[] {
    const buckets: Bucket[] = [];
    // Buckets by attribute set; several only where the same set came from several peers.
    const byAttr = new Map<number, number[]>();
    let last = -1;
    for (let i = 0; i < this.count; i++) {
      const attr = this.#attr[i]!;
      const from = this.#from[i]!;
      const only = this.#only[i]!;
      if (last < 0 || !matches(buckets[last]!, attr, from, only)) {
        let candidates = byAttr.get(attr);
        if (candidates === undefined) {
          candidates = [];
          byAttr.set(attr, candidates);
        }
        last = candidates.find((b) => matches(buckets[b]!, attr, from, only)) ?? -1;
        if (last < 0) {
          last = buckets.push({ only, from, attr, count: 0, offset: 0 }) - 1;
          candidates.push(last);
        }
      }
      buckets[last]!.count++;
      this.#bucketOf[i] = last;
    }
    // Array.sort is stable: buckets of one origin keep the order in which their routes changed.
    const ordered = buckets.slice().sort(inSendingOrder);
    let offset = 0;
    for (const bucket of ordered) {
      bucket.offset = offset;
      offset += bucket.count;
      bucket.count = 0;
    }
    for (let i = 0; i < this.count; i++) {
      const bucket = buckets[this.#bucketOf[i]!]!;
      this.#sorted[bucket.offset + bucket.count++] = i;
    }
    return ordered;
  }

  #grow(size: number): void {
    this.#prefix = growInt32(this.#prefix, size);
    this.#pathId = growUint32(this.#pathId, size);
    this.#bucketOf = growInt32(this.#bucketOf, size);
    this.#sorted = growInt32(this.#sorted, size);
    this.#attr = growInt32(this.#attr, size);
    this.#from = growUint16(this.#from, size);
    this.#only = growUint16(this.#only, size);
  }
}

function matches(bucket: Bucket, attr: number, from: number, only: number): boolean {
  return bucket.attr === attr && bucket.from === from && bucket.only === only;
}

/** Everybody's before single members'; by origin; withdrawals first. */
function inSendingOrder(a: Bucket, b: Bucket): number {
  return a.only - b.only || a.from - b.from || Number(a.attr !== 0) - Number(b.attr !== 0);
}

function extend(segments: Map<number, Segment>, key: number, start: number, end: number): void {
  const known = segments.get(key);
  segments.set(key, { start: known?.start ?? start, end });
}
