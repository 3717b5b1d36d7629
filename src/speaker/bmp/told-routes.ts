// What a station was told of the routes of one table in one view: (prefix, source, path id) -> attribute set, in typed
// arrays, so that a change is seen by comparing, and withdrawn is what the station has. Lists of a prefix are as short as the
// list of its paths.

import { growInt32, growUint32 } from '../../lib/columns.ts';
import type { AttrStore } from '../../rib/attr-store.ts';
import type { PrefixTable } from '../../rib/prefix-table.ts';
import type { ResumableWork } from '../../rib/row-walk.ts';

/** Words of a record. */
const WORDS = 3;
const NEXT = 0;
const SOURCE = 1;
const ATTR = 2;

const PREFIXES_PER_CLOCK = 1024;

export class ToldRoutes {
  readonly #attrs: AttrStore;
  readonly #prefixes: PrefixTable;
  /** First record by prefix id; 0 = none. */
  #heads = new Int32Array(1 << 8);
  #records = new Int32Array(WORDS << 8);
  /** Empty as long as all are 0. */
  #pathIds = new Uint32Array(0);
  #limit = 1;
  #free = 0;
  size = 0;

  constructor(attrs: AttrStore, prefixes: PrefixTable) {
    this.#attrs = attrs;
    this.#prefixes = prefixes;
  }

  /** The first record of a prefix, or 0. */
  first(prefixId: number): number {
    return this.#heads[prefixId] ?? 0;
  }

  next(record: number): number {
    return this.#records[record * WORDS + NEXT]!;
  }

  source(record: number): number {
    return this.#records[record * WORDS + SOURCE]!;
  }

  attr(record: number): number {
    return this.#records[record * WORDS + ATTR]!;
  }

  pathId(record: number): number {
    return this.#pathIds[record] ?? 0;
  }

  /** The record of a route, or 0. */
  find(prefixId: number, source: number, pathId: number): number {
    let record = this.first(prefixId);
    while (record !== 0 && (this.source(record) !== source || this.pathId(record) !== pathId)) {
      record = this.next(record);
    }
    return record;
  }

  add(prefixId: number, source: number, pathId: number, attr: number): void {
    const record = this.#allocate();
    this.#heads = growInt32(this.#heads, prefixId + 1);
    if (pathId !== 0) this.#pathIds = growUint32(this.#pathIds, record + 1);
    if (record < this.#pathIds.length) this.#pathIds[record] = pathId;
    const at = record * WORDS;
    const head = this.#heads[prefixId]!;
    this.#records[at + NEXT] = head;
    this.#records[at + SOURCE] = source;
    this.#records[at + ATTR] = attr;
    this.#heads[prefixId] = record;
    this.#attrs.hold(attr);
    if (head === 0) this.#prefixes.hold(prefixId);
    this.size++;
  }

  /** Another set for a record. */
  replace(record: number, attr: number): void {
    const at = record * WORDS + ATTR;
    this.#attrs.hold(attr);
    this.#attrs.release(this.#records[at]!);
    this.#records[at] = attr;
  }

  /** Takes a record of a prefix out. */
  remove(prefixId: number, record: number): void {
    const records = this.#records;
    const next = records[record * WORDS + NEXT]!;
    if (this.#heads[prefixId] === record) {
      this.#heads[prefixId] = next;
      if (next === 0) this.#prefixes.release(prefixId);
    } else {
      let before = this.#heads[prefixId]!;
      while (records[before * WORDS + NEXT] !== record) before = records[before * WORDS + NEXT]!;
      records[before * WORDS + NEXT] = next;
    }
    this.#attrs.release(records[record * WORDS + ATTR]!);
    records[record * WORDS + NEXT] = this.#free;
    this.#free = record;
    this.size--;
  }

  /** Gives back all that it holds. */
  emptyInSlices(): ResumableWork {
    let prefixId = 1;
    return {
      run: (expired) => {
        while (this.size > 0 && prefixId < this.#heads.length) {
          for (let record = this.first(prefixId); record !== 0; record = this.first(prefixId)) {
            this.remove(prefixId, record);
          }
          if (++prefixId % PREFIXES_PER_CLOCK === 0 && expired()) return true;
        }
        return false;
      },
    };
  }

  #allocate(): number {
    const free = this.#free;
    if (free !== 0) {
      this.#free = this.next(free);
      return free;
    }
    const record = this.#limit++;
    this.#records = growInt32(this.#records, this.#limit * WORDS);
    return record;
  }
}
