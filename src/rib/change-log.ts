// The prefixes whose advertisement may have changed, in the order in which they were decided. Every update group
// reads the log at its own position, and what all have read is dropped. The log holds prefix ids, not routes: a
// reader looks at the Loc-RIB when it gets there, so the newest change always replaces an older one.

import { growInt32 } from '../lib/columns.ts';
import type { PrefixTable } from './prefix-table.ts';

export interface LogReader {
  /** Absolute position of the next entry to read. */
  position: number;
}

export class ChangeLog {
  readonly #prefixes: PrefixTable;
  readonly #readers = new Set<LogReader>();
  #ids = new Int32Array(1 << 8);
  /** Absolute position of the first entry kept. */
  #base = 0;
  #start = 0;
  #count = 0;

  constructor(prefixes: PrefixTable) {
    this.#prefixes = prefixes;
  }

  /** Absolute position behind the newest entry. */
  get end(): number {
    return this.#base + this.#count;
  }

  get length(): number {
    return this.#count;
  }

  /** A reader that sees everything appended from now on. */
  addReader(): LogReader {
    const reader = { position: this.end };
    this.#readers.add(reader);
    return reader;
  }

  removeReader(reader: LogReader): void {
    this.#readers.delete(reader);
    this.trim();
  }

  append(prefixId: number): void {
    if (this.#readers.size === 0) return;
    if (this.#start + this.#count === this.#ids.length) this.#makeRoom();
    this.#ids[this.#start + this.#count++] = prefixId;
    this.#prefixes.hold(prefixId);
  }

  /** Entry at an absolute position between a reader's and the end. */
  at(position: number): number {
    return this.#ids[this.#start + position - this.#base]!;
  }

  /** Lets go of what every reader has read. */
  trim(): void {
    let oldest = this.end;
    for (const reader of this.#readers) if (reader.position < oldest) oldest = reader.position;
    const drop = oldest - this.#base;
    for (let i = 0; i < drop; i++) this.#prefixes.release(this.#ids[this.#start + i]!);
    this.#base = oldest;
    this.#count -= drop;
    this.#start = this.#count === 0 ? 0 : this.#start + drop;
  }

  #makeRoom(): void {
    if (this.#start > this.#ids.length >> 1) {
      this.#ids.copyWithin(0, this.#start, this.#start + this.#count);
      this.#start = 0;
    } else {
      this.#ids = growInt32(this.#ids, this.#ids.length + 1);
    }
  }
}
