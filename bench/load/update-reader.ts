// What an UPDATE says, in terms of the table in play: which routes it announces and withdraws, and whether their attributes
// (and next hop, where that must not change) are right. It is the same for whoever receives those octets, so what a
// reflector sends to a thousand clients is read once and recognized from then on. RFC 4271 §4.3, RFC 4760.

import { FAMILIES } from '../../src/bgp/wire/families.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/bgp/wire/header.ts';
import { ATTR, FLAG } from '../mrt/attributes.ts';
import { HEADER_LENGTH } from '../mrt/update-message.ts';
import type { AttributeHasher } from './attribute-hash.ts';
import { PrefixIndex, type RouteTable } from './route-table.ts';

/** The routes in play and what each should look like. */
export class Expectation {
  readonly table: RouteTable;
  readonly hasher: AttributeHasher;
  readonly index: PrefixIndex;
  /** Hash of each attribute set, by its id. */
  readonly hashes: Uint32Array;
  /** The next hop that each route must keep, where it must. */
  readonly nextHops: Uint32Array | undefined;

  constructor(table: RouteTable, hasher: AttributeHasher, nextHops: Uint32Array | undefined) {
    this.table = table;
    this.hasher = hasher;
    this.nextHops = nextHops;
    this.index = new PrefixIndex(table);
    this.hashes = new Uint32Array(table.pool.count);
    for (let set = 0; set < table.pool.count; set++) {
      const bytes = table.pool.get(set);
      this.hashes[set] = hasher.hash(viewOf(bytes), 0, bytes.length);
    }
  }
}

/** How a route was announced; the greatest is as it should be. */
export const VERDICT = { wrongNextHop: 0, wrongAttributes: 1, right: 2 } as const;
/** In the place of an index: no prefix of the table. */
export const STRANGE = -1;

/** Valid until the next UPDATE is read. */
export interface UpdateContent {
  /** Indexes of the table, or STRANGE; arrays may be longer than what is in them. */
  readonly withdrawn: Int32Array;
  readonly withdrawnCount: number;
  readonly announced: Int32Array;
  readonly announcedCount: number;
  /** One for each that is announced. */
  readonly verdicts: Uint8Array;
  /** Of the attributes, as AttributeHasher makes it. */
  readonly hash: number;
}

interface Known {
  readonly message: DataView;
  readonly content: UpdateContent;
}

/** A route takes two octets at least, but for a default route. */
const MAX_ROUTES = MAX_MESSAGE_LENGTH;
/** So many UPDATEs are recognized: what some receivers have heard and others have not yet. */
const KNOWN_BITS = 13;
const MIX = 0x9e3779b1;

export class UpdateReader {
  readonly #expectation: Expectation;
  readonly #known: (Known | undefined)[] | undefined;
  readonly #content = {
    withdrawn: new Int32Array(MAX_ROUTES),
    withdrawnCount: 0,
    announced: new Int32Array(MAX_ROUTES),
    announcedCount: 0,
    verdicts: new Uint8Array(MAX_ROUTES),
    hash: 0,
  };
  readonly #key: Int32Array;
  /** The index after the one found last: daemons mostly keep an order, which saves the lookup. */
  #guess = 0;

  /** `repeats`: the same octets are likely to come again, to another receiver. */
  constructor(expectation: Expectation, { repeats }: { readonly repeats: boolean }) {
    this.#expectation = expectation;
    this.#key = new Int32Array(expectation.table.family.words);
    this.#known = repeats ? new Array<Known | undefined>(1 << KNOWN_BITS) : undefined;
  }

  /** Reads one whole UPDATE in `view[start, end)`, header included. */
  read(view: DataView, start: number, end: number): UpdateContent {
    if (this.#known === undefined) return this.#read(view, start, end);
    // What differs between two UPDATEs of one length are mostly the prefixes, which stand at the end of one for IPv4.
    const ends = Math.imul(view.getInt32(end - 4) ^ Math.imul(view.getInt32(end - 8), MIX), MIX);
    const slot = Math.imul(ends ^ (end - start), MIX) >>> (32 - KNOWN_BITS);
    const known = this.#known[slot];
    if (known !== undefined && isSame(known.message, view, start, end)) return known.content;
    const read = this.#read(view, start, end);
    const content = {
      ...read,
      withdrawn: read.withdrawn.slice(0, read.withdrawnCount),
      announced: read.announced.slice(0, read.announcedCount),
      verdicts: read.verdicts.slice(0, read.announcedCount),
    };
    const from = view.byteOffset + start;
    this.#known[slot] = { message: new DataView(view.buffer.slice(from, from + end - start)), content };
    return content;
  }

  #read(view: DataView, start: number, end: number): UpdateContent {
    this.#content.withdrawnCount = 0;
    this.#content.announcedCount = 0;
    this.#content.hash = this.#fields(view, start + HEADER_LENGTH, end);
    return this.#content;
  }

  /** Returns the hash of the attributes. */
  #fields(view: DataView, start: number, end: number): number {
    const { table, hasher, nextHops } = this.#expectation;
    const ipv4 = table.family === FAMILIES[0];
    const withdrawnEnd = start + 2 + view.getUint16(start);
    if (ipv4) this.#withdraw(view, start + 2, withdrawnEnd);
    const attributesStart = withdrawnEnd + 2;
    const attributesEnd = attributesStart + view.getUint16(withdrawnEnd);
    if (attributesEnd === attributesStart) return 0;
    const hash = hasher.hash(view, attributesStart, attributesEnd);
    if (ipv4) {
      if (attributesEnd < end) {
        const nextHop = nextHops === undefined ? 0 : findNextHop(view, attributesStart, attributesEnd);
        this.#announce(view, attributesEnd, end, hash, nextHop);
      }
      return hash;
    }
    for (let attr = attributesStart; attr < attributesEnd; ) {
      const { type, value, next } = attributeAt(view, attr);
      if (type === ATTR.mpUnreach) this.#withdraw(view, value + 3, next);
      else if (type === ATTR.mpReach) {
        this.#announce(view, value + 5 + view.getUint8(value + 3), next, hash, 0);
      }
      attr = next;
    }
    return hash;
  }

  #announce(view: DataView, start: number, end: number, hash: number, nextHop: number): void {
    const { table, hashes, nextHops } = this.#expectation;
    const { announced, verdicts } = this.#content;
    let count = this.#content.announcedCount;
    for (let at = start; at < end; count++) {
      const length = view.getUint8(at);
      const index = this.#find(view, at + 1, length);
      at += 1 + ((length + 7) >> 3);
      announced[count] = index;
      if (index === STRANGE) continue;
      const attributesRight = hashes[table.attributes[index]!] === hash;
      if (nextHops !== undefined && nextHops[index] !== nextHop) verdicts[count] = VERDICT.wrongNextHop;
      else verdicts[count] = attributesRight ? VERDICT.right : VERDICT.wrongAttributes;
    }
    this.#content.announcedCount = count;
  }

  #withdraw(view: DataView, start: number, end: number): void {
    const { withdrawn } = this.#content;
    let count = this.#content.withdrawnCount;
    for (let at = start; at < end; count++) {
      const length = view.getUint8(at);
      withdrawn[count] = this.#find(view, at + 1, length);
      at += 1 + ((length + 7) >> 3);
    }
    this.#content.withdrawnCount = count;
  }

  #find(view: DataView, at: number, length: number): number {
    const { index, table } = this.#expectation;
    const key = this.#key;
    const octets = (length + 7) >> 3;
    for (let word = 0; word < key.length; word++) key[word] = wordAt(view, at + word * 4, octets - word * 4);
    if (this.#guess < table.count && index.matches(this.#guess, key, 0, length)) return this.#guess++;
    const found = index.find(key, 0, length);
    if (found !== STRANGE) this.#guess = found + 1;
    return found;
  }
}

function isSame(known: DataView, view: DataView, start: number, end: number): boolean {
  const { byteLength } = known;
  if (byteLength !== end - start) return false;
  // The header's type and length are the same, and messages have four octets at least behind it.
  let at = HEADER_LENGTH;
  for (; at + 4 <= byteLength; at += 4) {
    if (known.getInt32(at) !== view.getInt32(start + at)) return false;
  }
  return known.getInt32(byteLength - 4) === view.getInt32(end - 4);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Up to four octets as the high end of a word. */
function wordAt(view: DataView, at: number, octets: number): number {
  switch (octets) {
    case 1:
      return view.getUint8(at) << 24;
    case 2:
      return view.getUint16(at) << 16;
    case 3:
      return (view.getUint16(at) << 16) | (view.getUint8(at + 2) << 8);
    default:
      return octets <= 0 ? 0 : view.getInt32(at);
  }
}

function attributeAt(view: DataView, at: number): { type: number; value: number; next: number } {
  const extended = (view.getUint8(at) & FLAG.extendedLength) !== 0;
  const value = at + (extended ? 4 : 3);
  const length = extended ? view.getUint16(at + 2) : view.getUint8(at + 2);
  return { type: view.getUint8(at + 1), value, next: value + length };
}

function findNextHop(view: DataView, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const { type, value, next } = attributeAt(view, at);
    if (type === ATTR.nextHop) return view.getUint32(value);
    at = next;
  }
  return 0;
}
