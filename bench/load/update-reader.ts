// What an UPDATE says, in terms of the table in play: which routes it announces and withdraws, and whether their attributes
// (and next hop, where that must not change) are right. It is the same for whoever receives those octets, so what a
// reflector sends to a thousand clients is read once and recognized from then on. RFC 4271 §4.3, RFC 4760.

import { FAMILIES } from '../../src/bgp/wire/families.ts';
import { MAX_MESSAGE_LENGTH } from '../../src/bgp/wire/header.ts';
import { viewOf } from '../../src/lib/bytes.ts';
import { ATTR, FLAG } from '../mrt/attributes.ts';
import { HEADER_LENGTH } from '../mrt/update-message.ts';
import type { AttributeHasher } from './attribute-hash.ts';
import { KnownUpdates } from './known-updates.ts';
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

/** What an UPDATE says of a route, beside its index in the table; `right` is as it should be. */
export const SAID = { withdrawn: 0, wrongNextHop: 1, wrongAttributes: 2, right: 3 } as const;
export const SAID_BITS = 2;
export const SAID_MASK = (1 << SAID_BITS) - 1;
/** In the place of an index: no prefix of the table. */
export const STRANGE = -1;

/** Valid until the next UPDATE is read. */
export interface UpdateContent {
  /** From `from` to `to`: `index << SAID_BITS | SAID`, in the order of the message. */
  readonly routes: Int32Array;
  readonly from: number;
  readonly to: number;
  /** Of the attributes, as AttributeHasher makes it. */
  readonly hash: number;
}

/** A route takes two octets at least, but for a default route. */
const MAX_ROUTES = MAX_MESSAGE_LENGTH;

export class UpdateReader {
  readonly #expectation: Expectation;
  readonly #known: KnownUpdates | undefined;
  readonly #routes: Int32Array;
  readonly #key: Int32Array;
  /** The next route goes here. */
  #end = 0;
  /** The index after the one found last: daemons mostly keep an order, which saves the lookup. */
  #guess = 0;

  /** `repeats`: the same octets are likely to come again, to another receiver. */
  constructor(expectation: Expectation, { repeats }: { readonly repeats: boolean }) {
    this.#expectation = expectation;
    this.#key = new Int32Array(expectation.table.family.words);
    this.#known = repeats ? new KnownUpdates(MAX_ROUTES) : undefined;
    this.#routes = this.#known?.routes ?? new Int32Array(MAX_ROUTES);
  }

  /** Reads one whole UPDATE in `view[start, end)`, header included. */
  read(view: DataView, start: number, end: number): UpdateContent {
    const known = this.#known;
    const number = known?.find(view, start, end) ?? 0;
    if (known !== undefined && number > 0) return known.content(number);
    const from = known?.end ?? 0;
    this.#end = from;
    const hash = this.#fields(view, start + HEADER_LENGTH, end);
    known?.add(view, start, end, this.#end, hash);
    return { routes: this.#routes, from, to: this.#end, hash };
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
    for (let at = start; at < end; ) {
      const length = view.getUint8(at);
      const index = this.#find(view, at + 1, length);
      at += 1 + ((length + 7) >> 3);
      let said: number = SAID.right;
      if (nextHops !== undefined && nextHops[index] !== nextHop) said = SAID.wrongNextHop;
      else if (hashes[table.attributes[index]!] !== hash) said = SAID.wrongAttributes;
      this.#routes[this.#end++] = (index << SAID_BITS) | said;
    }
  }

  #withdraw(view: DataView, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const length = view.getUint8(at);
      this.#routes[this.#end++] = (this.#find(view, at + 1, length) << SAID_BITS) | SAID.withdrawn;
      at += 1 + ((length + 7) >> 3);
    }
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
