// Validated ROA payloads of one IP version: what origin validation (RFC 6811) asks for every route. A look-up tries the
// prefix lengths that there are, each of them one glance at a hash table where nothing is there. Each record knows by
// a bit who says so, so that several caches and the configuration share a table, and what one of them takes back stands
// while another says it.

import { ROA, type RoaState } from './route-access.ts';
import { VRP_FIELD, VrpRecords, vrpMeta } from './vrp-records.ts';
import { VrpSlots } from './vrp-slots.ts';

/** Bits of a record's sources. */
export const MOST_SOURCES = 31;
const ANY_LENGTH = 255;
const NOTHING = -1;

/** What an addition or removal came to. */
export const VRP_CHANGE = {
  /** It is there already, or not there. */
  none: 0,
  /** Somebody else says the same. */
  hidden: 1,
  /** Routes may be judged otherwise now. */
  visible: 2,
} as const;
export type VrpChange = (typeof VRP_CHANGE)[keyof typeof VRP_CHANGE];

export class VrpSet {
  /** Records that somebody stands for. */
  size = 0;
  /** Sources whose longest lengths do not count, one bit each. */
  lenient = 0;
  readonly records: VrpRecords;
  readonly #slots: VrpSlots;
  readonly #perSource = new Int32Array(MOST_SOURCES);

  /** `stride`: words of an address; `expected`: about so many records will come. */
  constructor(stride: 1 | 4, expected = 0) {
    this.records = new VrpRecords(stride, expected);
    this.#slots = new VrpSlots(this.records, expected);
  }

  /** Records that a source stands for. */
  countOf(source: number): number {
    return this.#perSource[source]!;
  }

  /** `words[at ..]` are the address's, host bits zero; `source` is a small number. */
  add(
    words: ArrayLike<number>,
    at: number,
    bits: number,
    maxLength: number,
    asn: number,
    source: number,
  ): VrpChange {
    const { records } = this;
    const slot = this.#slots.find(words, at, bits);
    const head = this.#slots.head(slot);
    const meta = vrpMeta(bits, maxLength);
    let id = records.inList(head, meta, asn);
    const before = id === 0 ? 0 : records.sources(id);
    const after = before | (1 << source);
    if (after === before) return VRP_CHANGE.none;
    if (id === 0) {
      id = records.add(words, at, meta, asn);
      records.setNext(id, head);
      this.size++;
      if (slot < 0) this.#slots.insert(id);
      else this.#slots.setHead(slot, id);
    }
    records.setSources(id, after);
    this.#perSource[source]!++;
    return this.#change(before, after, maxLength);
  }

  remove(
    words: ArrayLike<number>,
    at: number,
    bits: number,
    maxLength: number,
    asn: number,
    source: number,
  ): VrpChange {
    const { records } = this;
    const slot = this.#slots.find(words, at, bits);
    const id = records.inList(this.#slots.head(slot), vrpMeta(bits, maxLength), asn);
    if (id === 0) return VRP_CHANGE.none;
    const before = records.sources(id);
    const after = before & ~(1 << source);
    if (after === before) return VRP_CHANGE.none;
    records.setSources(id, after);
    this.#perSource[source]!--;
    if (after === 0) this.#unlink(slot, id, bits);
    return this.#change(before, after, maxLength);
  }

  /** RFC 6811 §2. `originAs`: 0 where the path has none, which nothing authorizes, no more than AS 0 (RFC 6483 §4). */
  check(words: ArrayLike<number>, at: number, bits: number, originAs: number): RoaState {
    let state: RoaState = ROA.unknown;
    const { lengths } = this.#slots;
    const reach = this.#slots.reachOf(words, at);
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      if (length > bits || !this.#slots.isThere(reach, length)) continue;
      const head = this.#slots.headOfCut(words, at, length);
      if (head === 0) continue;
      if (originAs !== 0 && this.#authorizes(head, bits, originAs)) return ROA.valid;
      state = ROA.invalid;
    }
    return state;
  }

  /** Whether a record's prefix covers this one, or is it. */
  covers(words: ArrayLike<number>, at: number, bits: number): boolean {
    const { lengths } = this.#slots;
    for (let i = 0; i < lengths.length; i++) {
      if (lengths[i]! <= bits && this.#slots.headOfCut(words, at, lengths[i]!) !== 0) return true;
    }
    return false;
  }

  /** Adds a record of another set as it is said there by some of its sources. */
  copy(other: VrpSet, id: number, sources: number): void {
    const { records } = other;
    for (let source = 0; source < MOST_SOURCES; source++) {
      if ((sources & (1 << source)) === 0) continue;
      const { data } = records;
      this.add(data, records.wordsAt(id), records.bits(id), records.maxLength(id), records.asn(id), source);
    }
  }

  /** Adds a prefix alone, from words of its family: for a set that is only asked `covers`. */
  addPrefix(words: ArrayLike<number>, at: number, bits: number): void {
    this.add(words, at, bits, bits, 0, 0);
  }

  /** Whether a record of another set says here what it says there. */
  agrees(other: VrpSet, id: number): boolean {
    const { data } = other.records;
    const bits = other.records.bits(id);
    const maxLength = other.records.maxLength(id);
    const head = this.#slots.head(this.#slots.find(data, other.records.wordsAt(id), bits));
    const own = this.records.inList(head, vrpMeta(bits, maxLength), other.records.asn(id));
    const sources = own === 0 ? 0 : this.records.sources(own);
    return this.#says(sources, maxLength) === other.#says(other.records.sources(id), maxLength);
  }

  #change(before: number, after: number, maxLength: number): VrpChange {
    const same = this.#says(before, maxLength) === this.#says(after, maxLength);
    return same ? VRP_CHANGE.hidden : VRP_CHANGE.visible;
  }

  /** What these sources say by a record: nothing, its longest length, or any length. */
  #says(sources: number, maxLength: number): number {
    if (sources === 0) return NOTHING;
    return (sources & this.lenient) !== 0 ? ANY_LENGTH : maxLength;
  }

  /** A record of the list that allows this; `bits` are those of the route. */
  #authorizes(head: number, bits: number, originAs: number): boolean {
    const { data, size } = this.records;
    for (let id = head; id !== 0; ) {
      const base = id * size;
      if (data[base + VRP_FIELD.asn]! >>> 0 === originAs) {
        if (bits <= this.records.maxLength(id)) return true;
        if ((this.records.sources(id) & this.lenient) !== 0) return true;
      }
      id = data[base + VRP_FIELD.next]!;
    }
    return false;
  }

  #unlink(slot: number, id: number, bits: number): void {
    const { records } = this;
    const next = records.next(id);
    const head = this.#slots.head(slot);
    if (head !== id) {
      let previous = head;
      while (records.next(previous) !== id) previous = records.next(previous);
      records.setNext(previous, next);
    } else if (next !== 0) this.#slots.setHead(slot, next);
    else this.#slots.clear(slot, bits);
    records.release(id);
    this.size--;
  }
}
