// What one session of the load has received: for every expected route whether it is present and whether its attributes
// (and next hop, where that must not change) are right. Reads UPDATE messages in place and keeps one octet a route.
// RFC 4271 §4.3, RFC 4760.

import { FAMILIES } from '../../src/bgp/wire/families.ts';
import { ATTR, FLAG } from '../mrt/attributes.ts';
import { HEADER_LENGTH } from '../mrt/update-message.ts';
import type { AttributeHasher } from './attribute-hash.ts';
import { PrefixIndex, type RouteTable } from './route-table.ts';

/** What all sinks of a load share: the routes in play and what each should look like. */
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
      this.hashes[set] = hasher.hash(
        new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        0,
        bytes.length,
      );
    }
  }
}

/** Indexes `from <= i < to` are expected, except `own`. */
export interface Expected {
  readonly from: number;
  readonly to: number;
  /** Routes that this session announces itself; to hear them again is an echo, not an error. */
  readonly own: { readonly from: number; readonly to: number } | undefined;
  /** Indexes from `from` on are told one by one and not expected. */
  readonly singles?: { readonly from: number; readonly observer: SingleObserver };
}

/** Who is told about single routes, by their number from 0. */
export interface SingleObserver {
  /** `right`: as the table has it; hash as AttributeHasher makes it. */
  announced(number: number, hash: number, right: boolean): void;
  withdrawn(number: number): void;
  /** The session starts anew: nothing is there any more. */
  reset(): void;
}

export interface SinkCounters {
  updates: number;
  announced: number;
  withdrawn: number;
  /** Announced again while present with the same attributes. */
  duplicates: number;
  /** Own routes heard again. */
  echoed: number;
  /** Not in the table, or not expected by this session. */
  unexpected: number;
}

const STATE = { absent: 0, right: 1, wrong: 2 } as const;

export class Sink {
  readonly #expectation: Expectation;
  readonly #expected: Expected;
  readonly #state: Uint8Array;
  readonly #key: Int32Array;
  readonly counters: SinkCounters = {
    updates: 0,
    announced: 0,
    withdrawn: 0,
    duplicates: 0,
    echoed: 0,
    unexpected: 0,
  };
  /** Expected routes that are there now, and those of them whose attributes differ. */
  present = 0;
  wrong = 0;
  /** The index after the one found last: daemons mostly keep an order, which saves the lookup. */
  #guess = 0;

  constructor(expectation: Expectation, expected: Expected) {
    this.#expectation = expectation;
    this.#expected = expected;
    this.#state = new Uint8Array(expectation.table.count);
    this.#key = new Int32Array(expectation.table.family.words);
  }

  get expectedCount(): number {
    const { from, to, own } = this.#expected;
    if (own === undefined) return to - from;
    return to - from - Math.max(0, Math.min(to, own.to) - Math.max(from, own.from));
  }

  /** Of the expected routes, how many are in a range. */
  expectedIn(range: { readonly from: number; readonly to: number }): number {
    const { from, to, own } = this.#expected;
    const overlap = (a: number, b: number): number => Math.max(0, Math.min(b, to) - Math.max(a, from));
    const all = overlap(range.from, range.to);
    if (own === undefined) return all;
    return all - overlap(Math.max(range.from, own.from), Math.min(range.to, own.to));
  }

  /** The session starts anew: nothing is there. */
  reset(): void {
    this.#state.fill(STATE.absent);
    this.present = 0;
    this.wrong = 0;
    this.#expected.singles?.observer.reset();
  }

  /** Indexes that are expected and absent, at most `limit`. */
  missing(limit: number): number[] {
    const out: number[] = [];
    for (let i = this.#expected.from; i < this.#expected.to && out.length < limit; i++) {
      if (this.#isExpected(i) && this.#state[i] === STATE.absent) out.push(i);
    }
    return out;
  }

  /** Takes one whole UPDATE in `view[start, end)`, header included. */
  update(view: DataView, start: number, end: number): void {
    this.counters.updates++;
    let at = start + HEADER_LENGTH;
    const withdrawnEnd = at + 2 + view.getUint16(at);
    const family = this.#expectation.table.family;
    const ipv4 = family === FAMILIES[0];
    if (ipv4) this.#withdraw(view, at + 2, withdrawnEnd);
    at = withdrawnEnd;
    const attributesStart = at + 2;
    const attributesEnd = attributesStart + view.getUint16(at);
    if (attributesEnd === attributesStart) return;
    const hash = this.#expectation.hasher.hash(view, attributesStart, attributesEnd);
    if (ipv4) {
      if (attributesEnd < end) {
        const nextHop =
          this.#expectation.nextHops === undefined ? 0 : findNextHop(view, attributesStart, attributesEnd);
        this.#announce(view, attributesEnd, end, hash, nextHop);
      }
      return;
    }
    for (let attr = attributesStart; attr < attributesEnd; ) {
      const { type, value, next } = attributeAt(view, attr);
      if (type === ATTR.mpUnreach) this.#withdraw(view, value + 3, next);
      else if (type === ATTR.mpReach) {
        this.#announce(view, value + 5 + view.getUint8(value + 3), next, hash, 0);
      }
      attr = next;
    }
  }

  #isExpected(index: number): boolean {
    const { from, to, own } = this.#expected;
    return index >= from && index < to && (own === undefined || index < own.from || index >= own.to);
  }

  #announce(view: DataView, start: number, end: number, hash: number, nextHop: number): void {
    const { table, hashes, nextHops } = this.#expectation;
    const { singles } = this.#expected;
    for (let at = start; at < end; ) {
      const length = view.getUint8(at);
      const index = this.#find(view, at + 1, length);
      at += 1 + ((length + 7) >> 3);
      this.counters.announced++;
      if (index < 0) {
        this.counters.unexpected++;
        continue;
      }
      const hopRight = nextHops === undefined || nextHops[index] === nextHop;
      const right = hopRight && hashes[table.attributes[index]!] === hash;
      if (singles !== undefined && index >= singles.from) {
        singles.observer.announced(index - singles.from, hopRight ? hash : Number.NaN, right);
        continue;
      }
      if (!this.#isExpected(index)) {
        this.#countStranger(index);
        continue;
      }
      const before = this.#state[index];
      if (before === STATE.absent) this.present++;
      else if (before === STATE.wrong) this.wrong--;
      else if (right) this.counters.duplicates++;
      if (!right) this.wrong++;
      this.#state[index] = right ? STATE.right : STATE.wrong;
    }
  }

  #withdraw(view: DataView, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const length = view.getUint8(at);
      const index = this.#find(view, at + 1, length);
      at += 1 + ((length + 7) >> 3);
      this.counters.withdrawn++;
      const { singles } = this.#expected;
      if (singles !== undefined && index >= singles.from) {
        singles.observer.withdrawn(index - singles.from);
        continue;
      }
      if (index < 0 || !this.#isExpected(index)) {
        if (index < 0) this.counters.unexpected++;
        continue;
      }
      const before = this.#state[index];
      if (before === STATE.absent) continue;
      this.present--;
      if (before === STATE.wrong) this.wrong--;
      this.#state[index] = STATE.absent;
    }
  }

  #countStranger(index: number): void {
    const own = this.#expected.own;
    if (own !== undefined && index >= own.from && index < own.to) this.counters.echoed++;
    else this.counters.unexpected++;
  }

  #find(view: DataView, at: number, length: number): number {
    const { index, table } = this.#expectation;
    const key = this.#key;
    const octets = (length + 7) >> 3;
    for (let word = 0; word < key.length; word++) key[word] = wordAt(view, at + word * 4, octets - word * 4);
    if (this.#guess < table.count && index.matches(this.#guess, key, 0, length)) return this.#guess++;
    const found = index.find(key, 0, length);
    if (found >= 0) this.#guess = found + 1;
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
