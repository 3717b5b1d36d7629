// Path rows of one family: one for each (prefix, peer, received path id), a record of words in one typed array, so
// that a row is one cache line. `attrIn` is the Adj-RIB-In's view of a row and `attrPost` the Loc-RIB candidate's:
// soft reconfiguration needs no second copy. Rows of a prefix hang in a list whose head is in the prefix's record;
// who wants the rows of a peer walks them all, which a flat array does at a nanosecond a row.

import { growInt32, growUint32, moved } from '../lib/columns.ts';
import { PREFIX_FIELD, type PrefixTable } from './prefix-table.ts';

/** The lowest bits of a row's flags: the generation of its peer that it was announced in (stale-rows.ts). */
export const GENERATION_MASK = 0b11;
/** Others. */
export const PATH_FLAG = {
  /** It is stale, and its peer has been gone for longer than a restart takes: `attrPost` has LLGR_STALE from here (RFC 9494). */
  longLived: 1 << 2,
} as const;
/** Above them: which of the table's feeds has brought the row; 0 = it came into this table first. */
const FEED_SHIFT = 3;
const BELOW_FEED = (1 << FEED_SHIFT) - 1;
/** Feeds that a table can have. */
export const MAX_FEED = (1 << 9) - 1;

/** Words of a record. */
const WORDS = 6;
/** 0 marks a free row. */
const PREFIX = 0;
const NEXT = 1;
const ATTR_IN = 2;
const ATTR_POST = 3;
const SINCE = 4;
/** Peer id, reject cause, flags and feed. */
const META = 5;

const PEER_MASK = 0xffff;
const REJECT_SHIFT = 16;
const REJECT_MASK = 0xf << REJECT_SHIFT;
const FLAGS_SHIFT = 20;
const FLAGS_MASK = 0xfff << FLAGS_SHIFT;

/** One for each prefix that prefix-table.ts has room for. */
const INITIAL_ROWS = 1_398_000;
/** Free rows are put in order again when they are one in so many: one pass then serves many. */
const FREE_SHARE = 16;

export class PathStore {
  readonly #prefixes: PrefixTable;
  readonly #rows: number;
  #records: Int32Array<ArrayBuffer>;
  /** Received path identifiers; empty as long as all are 0, which they are without ADD-PATH. */
  #pathIds = new Uint32Array(0);
  /** Means nothing; loads whose result nobody gets may be left out. */
  touched = 0;
  #limit = 1;
  /** Free rows in ascending order, linked through NEXT; those freed since are found by the next pass. */
  #free = 0;
  #size = 0;

  /** `rows`: room at the start. */
  constructor(prefixes: PrefixTable, rows = INITIAL_ROWS) {
    this.#records = new Int32Array(rows * WORDS);
    this.#prefixes = prefixes;
    this.#rows = rows;
  }

  /** Rows in use. */
  get size(): number {
    return this.#size;
  }

  /** Every row in use is in 1..limit-1. */
  get limit(): number {
    return this.#limit;
  }

  /** Of one row, with its received path identifier where there are any. */
  get octetsPerRow(): number {
    return (WORDS + (this.#pathIds.length > 0 ? 1 : 0)) * Int32Array.BYTES_PER_ELEMENT;
  }

  /** First row of a prefix, or 0. */
  first(prefixId: number): number {
    return this.#prefixes.records[prefixId * this.#prefixes.stride + PREFIX_FIELD.firstRow]!;
  }

  /** Next row of the same prefix, or 0. */
  next(row: number): number {
    return this.#records[row * WORDS + NEXT]!;
  }

  /** The prefix of a row; 0 = the row is free. */
  prefixId(row: number): number {
    return this.#records[row * WORDS + PREFIX]!;
  }

  peerId(row: number): number {
    return this.#records[row * WORDS + META]! & PEER_MASK;
  }

  /** Received path identifier; 0 without ADD-PATH. */
  pathId(row: number): number {
    return row < this.#pathIds.length ? this.#pathIds[row]! : 0;
  }

  attrIn(row: number): number {
    return this.#records[row * WORDS + ATTR_IN]!;
  }

  setAttrIn(row: number, attr: number): void {
    this.#records[row * WORDS + ATTR_IN] = attr;
  }

  /** After import checks and policy; 0 = rejected, with the cause in `reject`. */
  attrPost(row: number): number {
    return this.#records[row * WORDS + ATTR_POST]!;
  }

  setAttrPost(row: number, attr: number): void {
    this.#records[row * WORDS + ATTR_POST] = attr;
  }

  /** Wall-clock seconds of the last change. */
  since(row: number): number {
    return this.#records[row * WORDS + SINCE]! >>> 0;
  }

  setSince(row: number, seconds: number): void {
    this.#records[row * WORDS + SINCE] = seconds;
  }

  /** Why import refused the row; 0 = it did not. */
  reject(row: number): number {
    return (this.#records[row * WORDS + META]! & REJECT_MASK) >>> REJECT_SHIFT;
  }

  setReject(row: number, cause: number): void {
    const at = row * WORDS + META;
    this.#records[at] = (this.#records[at]! & ~REJECT_MASK) | (cause << REJECT_SHIFT);
  }

  /** Generation, PATH_FLAG bits and feed. */
  flags(row: number): number {
    return this.#records[row * WORDS + META]! >>> FLAGS_SHIFT;
  }

  setFlags(row: number, flags: number): void {
    const at = row * WORDS + META;
    this.#records[at] = (this.#records[at]! & ~FLAGS_MASK) | (flags << FLAGS_SHIFT);
  }

  /** The feed that has brought the row from another table; 0 = none. */
  feed(row: number): number {
    return this.flags(row) >>> FEED_SHIFT;
  }

  setFeed(row: number, feed: number): void {
    this.setFlags(row, (this.flags(row) & BELOW_FEED) | (feed << FEED_SHIFT));
  }

  /** Touches the first rows of many prefixes, so that their cache misses overlap. */
  warm(prefixIds: Int32Array, count: number): void {
    const records = this.#records;
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= records[this.first(prefixIds[i]!) * WORDS]!;
    this.touched = touched;
  }

  /** The row of (prefix, peer, path id), or 0. */
  find(prefixId: number, peerId: number, pathId: number): number {
    let row = this.first(prefixId);
    while (row !== 0 && (this.peerId(row) !== peerId || this.pathId(row) !== pathId)) row = this.next(row);
    return row;
  }

  /** A new row at the head of its prefix's list; all of it in one go, because every route passes here. */
  add(
    prefixId: number,
    peerId: number,
    pathId: number,
    flags: number,
    attrIn = 0,
    attrPost = 0,
    cause = 0,
    since = 0,
  ): number {
    const row = this.#allocate();
    if (pathId !== 0 && row >= this.#pathIds.length) {
      this.#pathIds = growUint32(this.#pathIds, this.#records.length / WORDS);
    }
    if (row < this.#pathIds.length) this.#pathIds[row] = pathId;
    const records = this.#records;
    const at = row * WORDS;
    const { records: prefixes, stride } = this.#prefixes;
    const head = prefixId * stride + PREFIX_FIELD.firstRow;
    records[at + PREFIX] = prefixId;
    records[at + NEXT] = prefixes[head]!;
    records[at + ATTR_IN] = attrIn;
    records[at + ATTR_POST] = attrPost;
    records[at + SINCE] = since;
    records[at + META] = peerId | (cause << REJECT_SHIFT) | (flags << FLAGS_SHIFT);
    prefixes[head] = row;
    this.#size++;
    return row;
  }

  /**
   * Passes over numbers, so that the next row of a store that has lost none gets this one. Returns how many stay free;
   * they do so until they are given back.
   */
  skipTo(row: number): number {
    const skipped = row - this.#limit;
    this.#limit = row;
    this.#size += skipped;
    return skipped;
  }

  giveBack(skipped: number): void {
    this.#size -= skipped;
  }

  /** Unlinks and frees a row; its attributes are the caller's to release first. Throws RangeError for a free row. */
  remove(row: number): void {
    const records = this.#records;
    const { records: prefixes, stride } = this.#prefixes;
    const at = row * WORDS;
    const prefixId = records[at + PREFIX]!;
    // No list has it: looking for it in one would never end.
    if (prefixId === 0) throw new RangeError(`path row ${row} is free already`);
    const head = prefixId * stride + PREFIX_FIELD.firstRow;
    const next = records[at + NEXT]!;
    if (prefixes[head] === row) {
      prefixes[head] = next;
    } else {
      let before = prefixes[head]!;
      while (records[before * WORDS + NEXT] !== row) before = records[before * WORDS + NEXT]!;
      records[before * WORDS + NEXT] = next;
    }
    records[at + PREFIX] = 0;
    this.#size--;
  }

  /** Gives back the room behind the last row in use. Rows stay. */
  compact(): void {
    this.#linkFree();
    const room = Math.max(this.#rows, this.#limit);
    this.#records = moved(new Int32Array(room * WORDS), this.#records, this.#limit * WORDS);
    if (this.#pathIds.length > room) {
      this.#pathIds = moved(new Uint32Array(room), this.#pathIds, this.#limit);
    }
  }

  #allocate(): number {
    if (this.#free === 0 && (this.#limit - 1 - this.#size) * FREE_SHARE > this.#limit) this.#linkFree();
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.#records[free * WORDS + NEXT]!;
      return free;
    }
    const row = this.#limit++;
    this.#records = growInt32(this.#records, this.#limit * WORDS);
    return row;
  }

  /** Rows used again in ascending order: routes that come together lie together, whatever order others left in. */
  #linkFree(): void {
    const records = this.#records;
    this.#free = 0;
    while (this.#limit > 1 && records[(this.#limit - 1) * WORDS + PREFIX] === 0) this.#limit--;
    for (let row = this.#limit - 1; row > 0; row--) {
      if (records[row * WORDS + PREFIX] !== 0) continue;
      records[row * WORDS + NEXT] = this.#free;
      this.#free = row;
    }
  }
}
