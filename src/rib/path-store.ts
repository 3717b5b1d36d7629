// Path rows of one family, as columns: one row for each (prefix, peer, received path id). `attrIn` is the
// Adj-RIB-In's view of a row and `attrPost` the Loc-RIB candidate's, so soft reconfiguration needs no second copy.
// Rows of a prefix hang in a list; who wants the rows of a peer walks them all, which a struct of arrays does at
// a nanosecond a row.

import { growInt32, growUint8, growUint16, growUint32 } from '../lib/columns.ts';

/** Bits of the `flags` column. */
export const PATH_FLAG = {
  /** Kept from before a restart or a refresh; goes when the peer does not confirm it (RFC 4724, 7313). */
  stale: 1 << 0,
  /** One of the equal-cost paths of its prefix. */
  multipath: 1 << 1,
} as const;

const INITIAL_ROWS = 1 << 20;

export class PathStore {
  /** 0 marks a free row. */
  prefixId: Int32Array<ArrayBuffer>;
  peerId: Uint16Array<ArrayBuffer>;
  /** Received path identifier; 0 without ADD-PATH. */
  pathId: Uint32Array<ArrayBuffer>;
  attrIn: Int32Array<ArrayBuffer>;
  /** After import checks and policy; 0 = rejected, with the cause in `reject`. */
  attrPost: Int32Array<ArrayBuffer>;
  reject: Uint8Array<ArrayBuffer>;
  flags: Uint8Array<ArrayBuffer>;
  /** Wall-clock seconds of the last change. */
  since: Uint32Array<ArrayBuffer>;
  /** Next row of the same prefix, or of the free list; 0 ends both. */
  next: Int32Array<ArrayBuffer>;
  #firstOfPrefix: Int32Array<ArrayBuffer>;
  #limit = 1;
  #free = 0;
  #size = 0;

  /** `rows`: room at the start. */
  constructor(rows = INITIAL_ROWS) {
    this.prefixId = new Int32Array(rows);
    this.peerId = new Uint16Array(rows);
    this.pathId = new Uint32Array(rows);
    this.attrIn = new Int32Array(rows);
    this.attrPost = new Int32Array(rows);
    this.reject = new Uint8Array(rows);
    this.flags = new Uint8Array(rows);
    this.since = new Uint32Array(rows);
    this.next = new Int32Array(rows);
    this.#firstOfPrefix = new Int32Array(rows);
  }

  /** Rows in use. */
  get size(): number {
    return this.#size;
  }

  /** Every row in use is in 1..limit-1. */
  get limit(): number {
    return this.#limit;
  }

  /** First row of a prefix, or 0. */
  first(prefixId: number): number {
    return prefixId < this.#firstOfPrefix.length ? this.#firstOfPrefix[prefixId]! : 0;
  }

  /** The row of (prefix, peer, path id), or 0. */
  find(prefixId: number, peerId: number, pathId: number): number {
    let row = this.first(prefixId);
    while (row !== 0 && (this.peerId[row] !== peerId || this.pathId[row] !== pathId)) row = this.next[row]!;
    return row;
  }

  /** A new row at the head of its prefix's list, attributes unset. */
  add(prefixId: number, peerId: number, pathId: number): number {
    const row = this.#allocate();
    this.prefixId[row] = prefixId;
    this.peerId[row] = peerId;
    // Columns that are mostly zero stay unwritten, so that their pages are never touched.
    if (this.pathId[row] !== pathId) this.pathId[row] = pathId;
    if (this.reject[row] !== 0) this.reject[row] = 0;
    if (this.flags[row] !== 0) this.flags[row] = 0;
    if (prefixId >= this.#firstOfPrefix.length) {
      this.#firstOfPrefix = growInt32(this.#firstOfPrefix, prefixId + 1);
    }
    this.next[row] = this.#firstOfPrefix[prefixId]!;
    this.#firstOfPrefix[prefixId] = row;
    this.#size++;
    return row;
  }

  /** Unlinks and frees a row; its attributes are the caller's to release first. */
  remove(row: number): void {
    const prefixId = this.prefixId[row]!;
    const first = this.#firstOfPrefix[prefixId]!;
    if (first === row) {
      this.#firstOfPrefix[prefixId] = this.next[row]!;
    } else {
      let before = first;
      while (this.next[before] !== row) before = this.next[before]!;
      this.next[before] = this.next[row]!;
    }
    this.prefixId[row] = 0;
    this.next[row] = this.#free;
    this.#free = row;
    this.#size--;
  }

  #allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.next[free]!;
      return free;
    }
    const row = this.#limit++;
    if (row >= this.prefixId.length) this.#grow(row + 1);
    return row;
  }

  #grow(size: number): void {
    this.prefixId = growInt32(this.prefixId, size);
    this.peerId = growUint16(this.peerId, size);
    this.pathId = growUint32(this.pathId, size);
    this.attrIn = growInt32(this.attrIn, size);
    this.attrPost = growInt32(this.attrPost, size);
    this.reject = growUint8(this.reject, size);
    this.flags = growUint8(this.flags, size);
    this.since = growUint32(this.since, size);
    this.next = growInt32(this.next, size);
  }
}
