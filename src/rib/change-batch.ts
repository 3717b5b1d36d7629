// The changes of one turn for one group or lane, and the bytes made of them. Entries are collected in any order,
// sorted into buckets of equal (addressee, origin, attributes), and encoded once: withdrawals before announcements,
// a full message before the next begins. The result is one buffer cut into segments; a segment knows which member
// must not have it because the routes came from it, or which single member it is for.

import type { UpdateWriter } from '../bgp/wire/update-writer.ts';
import { growInt32, growUint16, growUint32 } from '../lib/columns.ts';
import { BucketOrder } from './bucket-order.ts';
import type { FamilyRib } from './family-rib.ts';
import type { ExportRewriter, RenderedRoute } from './rewrite.ts';

export interface Segment {
  readonly start: number;
  readonly end: number;
  /** Routes in it. */
  readonly announced: number;
  readonly withdrawn: number;
}

/** The bytes for everybody, less each origin's own, and those for single members. */
export interface EncodedBatch {
  /** Of the table in the RIB. */
  readonly index: number;
  readonly bytes: Uint8Array;
  /** The part that is for everybody, from 0 on; single members' segments lie behind it. */
  readonly common: Segment;
  /** By peer id: the part of the common bytes that came from this peer. */
  readonly own: ReadonlyMap<number, Segment>;
  /** By peer id: what is for this peer alone. */
  readonly solo: ReadonlyMap<number, Segment>;
  /** Routes whose attributes do not fit a message: they are withdrawn instead (RFC 8654 §4). */
  readonly unsent: readonly UnsentRoute[];
}

export interface UnsentRoute {
  readonly prefixId: number;
  readonly pathId: number;
}

const INITIAL_ENTRIES = 1 << 8;

export class ChangeBatch {
  readonly #rib: FamilyRib;
  readonly #order = new BucketOrder();
  count = 0;
  #prefix = new Int32Array(INITIAL_ENTRIES);
  #pathId = new Uint32Array(INITIAL_ENTRIES);
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

  /** For one member; the route, if any, came from `from`. */
  addFor(member: number, prefixId: number, pathId: number, attr: number, from: number): void {
    this.#push(prefixId, pathId, attr, from, member);
  }

  /** Visits what was added. */
  forEach(visit: (prefixId: number, pathId: number, attr: number) => void): void {
    for (let i = 0; i < this.count; i++) visit(this.#prefix[i]!, this.#pathId[i]!, this.#attr[i]!);
  }

  /** Renders and encodes the entries; the batch may be cleared afterwards. */
  encode(writer: UpdateWriter, rewriter: ExportRewriter): EncodedBatch {
    const order = this.#order;
    order.run({ attr: this.#attr, from: this.#from, only: this.#only }, this.count);
    const own = new Map<number, Segment>();
    const solo = new Map<number, Segment>();
    const unsent: UnsentRoute[] = [];
    let common: Segment = { start: 0, end: 0, announced: 0, withdrawn: 0 };
    for (let bucket = 0; bucket < order.bucketCount; ) {
      const only = this.#only[order.first[bucket]!]!;
      const from = this.#from[order.first[bucket]!]!;
      const start = writer.length;
      let announced = 0;
      let withdrawn = 0;
      // Buckets of one addressee and origin lie in a row and make one segment.
      for (; bucket < order.bucketCount; bucket++) {
        const first = order.first[bucket]!;
        if (this.#only[first] !== only || this.#from[first] !== from) break;
        const attr = this.#attr[first]!;
        const routes = order.start[bucket + 1]! - order.start[bucket]!;
        if (attr === 0) {
          writer.startWithdraw();
          withdrawn += routes;
        } else {
          startAnnounce(writer, rewriter.render(attr, from));
          announced += routes;
        }
        this.#fillBucket(writer, order.start[bucket]!, order.start[bucket + 1]!, unsent);
      }
      const segment: Segment = { start, end: writer.length, announced, withdrawn };
      if (only === 0) {
        common = join(common, segment);
        own.set(from, segment);
      } else {
        // One member's routes from several origins lie in a row.
        const before = solo.get(only);
        solo.set(only, before === undefined ? segment : join(before, segment));
      }
    }
    return { index: this.#rib.index, bytes: writer.detach(), common, own, solo, unsent };
  }

  #fillBucket(writer: UpdateWriter, start: number, end: number, unsent: UnsentRoute[]): void {
    const { prefixes } = this.#rib;
    const { records } = prefixes;
    const { sorted } = this.#order;
    const before = unsent.length;
    for (let i = start; i < end; i++) {
      const prefixId = this.#prefix[sorted[i]!]!;
      const pathId = this.#pathId[sorted[i]!]!;
      const added = writer.addPrefix(records, prefixes.wordsAt(prefixId), prefixes.bits(prefixId), pathId);
      if (!added) unsent.push({ prefixId, pathId });
    }
    writer.finish();
    if (unsent.length === before) return;
    // RFC 4271 §9.2, RFC 8654 §4: not sent, and an earlier route is withdrawn.
    writer.startWithdraw();
    for (const { prefixId, pathId } of unsent.slice(before)) {
      writer.addPrefix(records, prefixes.wordsAt(prefixId), prefixes.bits(prefixId), pathId);
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

  #grow(size: number): void {
    this.#prefix = growInt32(this.#prefix, size);
    this.#pathId = growUint32(this.#pathId, size);
    this.#attr = growInt32(this.#attr, size);
    this.#from = growUint16(this.#from, size);
    this.#only = growUint16(this.#only, size);
  }
}

/** Two that lie in a row. */
function join(first: Segment, second: Segment): Segment {
  return {
    start: first.start,
    end: second.end,
    announced: first.announced + second.announced,
    withdrawn: first.withdrawn + second.withdrawn,
  };
}

function startAnnounce(writer: UpdateWriter, route: RenderedRoute): void {
  writer.startAnnounce(route, 0, route.length, route.nextHop, route.nextHop.length);
}
