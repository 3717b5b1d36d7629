// Tools over canonical attribute sets: finding an attribute without an object, and editing a set in place for
// import and export. What the octets of a value mean is elsewhere; as readable values they are in
// attribute-values.ts.

import {
  copyBytes,
  moveBytes,
  type Octets,
  readUint16,
  readUint32,
  viewOf,
  writeUint32,
} from '../../lib/bytes.ts';
import { growUint8 } from '../../lib/columns.ts';
import { CANONICAL_FLAGS } from './attributes.ts';
import { appendAttribute, MAX_VALUE } from './canonical.ts';
import { FLAG, LONG_HEADER, SHORT_HEADER } from './iana.ts';

const INITIAL_CAPACITY = 512;

/** Where the attribute `type` begins (its flags octet) in the set `bytes[offset, offset + length)`, or -1. */
export function findAttribute(bytes: Uint8Array, offset: number, length: number, type: number): number {
  const end = offset + length;
  for (let at = offset; at < end; at = attributeEnd(bytes, at)) {
    const found = bytes[at + 1]!;
    if (found === type) return at;
    // Canonical sets ascend.
    if (found > type) return -1;
  }
  return -1;
}

/** The first octet of the value of the attribute that begins at `at`. */
export function valueStart(bytes: Uint8Array, at: number): number {
  return at + ((bytes[at]! & FLAG.extendedLength) === 0 ? SHORT_HEADER : LONG_HEADER);
}

export function valueLength(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & FLAG.extendedLength) === 0 ? bytes[at + 2]! : readUint16(bytes, at + 2);
}

/** Where the attribute after the one at `at` begins. */
export function attributeEnd(bytes: Uint8Array, at: number): number {
  return valueStart(bytes, at) + valueLength(bytes, at);
}

/**
 * A canonical set that can be changed: load it, set and remove attributes, take the octets. One editor serves any
 * number of sets one after the other; nothing is allocated once its buffer has grown.
 */
export class AttributeEditor implements Octets {
  /** The set is `bytes[0, length)`; another array once it has grown, and another view. */
  bytes = new Uint8Array(INITIAL_CAPACITY);
  view = viewOf(this.bytes);
  length = 0;

  /** Starts from the canonical set `source[offset, offset + length)`; load(source, 0, 0) from none. */
  load(source: Uint8Array, offset: number, length: number): this {
    this.#reserve(length);
    this.length = copyBytes(this.bytes, 0, source, offset, offset + length);
    return this;
  }

  /** Where the attribute begins in `bytes`, or -1. */
  find(type: number): number {
    return findAttribute(this.bytes, 0, this.length, type);
  }

  has(type: number): boolean {
    return this.find(type) >= 0;
  }

  /** A view of the value, good until the next change; undefined where the attribute is absent. */
  get(type: number): Uint8Array | undefined {
    const at = this.find(type);
    if (at < 0) return undefined;
    const start = valueStart(this.bytes, at);
    return this.bytes.subarray(start, start + valueLength(this.bytes, at));
  }

  /** The first four octets of the value as an unsigned integer; undefined where the attribute is absent. */
  getUint32(type: number): number | undefined {
    const at = this.find(type);
    return at < 0 ? undefined : readUint32(this.bytes, valueStart(this.bytes, at));
  }

  /**
   * Adds or replaces, with `value[start, end)`. A replaced attribute keeps its flags, Partial included. The value
   * may be a view that `get` gave. One that is longer than an attribute can be is not taken: what was there stays.
   */
  set(type: number, value: Uint8Array, start = 0, end = value.length): this {
    return this.#put(type, undefined, value, start, end);
  }

  /** set, with flags of the caller's choice. */
  setWithFlags(type: number, flags: number, value: Uint8Array): this {
    return this.#put(type, flags, value, 0, value.length);
  }

  setUint32(type: number, value: number): this {
    const room = this.#makeRoom(type, 4, undefined);
    this.bytes[room.at] = room.flags;
    this.bytes[room.at + 1] = type;
    this.bytes[room.at + 2] = 4;
    writeUint32(this.bytes, room.at + SHORT_HEADER, value);
    return this;
  }

  /** True where there was something to remove. */
  remove(type: number): boolean {
    const at = this.find(type);
    if (at < 0) return false;
    const end = attributeEnd(this.bytes, at);
    moveBytes(this.bytes, at, end, this.length);
    this.length -= end - at;
    return true;
  }

  /** A copy of the set. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  #put(type: number, flags: number | undefined, value: Uint8Array, start: number, end: number): this {
    if (end - start > MAX_VALUE) return this;
    // Making room moves what a view of this buffer shows.
    const own = value.buffer === this.bytes.buffer;
    const source = own ? value.slice(start, end) : value;
    const from = own ? 0 : start;
    const size = end - start;
    const room = this.#makeRoom(type, size, flags);
    appendAttribute(this.bytes, room.at, room.flags, type, source, from, from + size);
    return this;
  }

  /** Opens a gap for an attribute of this type where order wants it, over an old one of the type. */
  #makeRoom(type: number, size: number, flags: number | undefined): { at: number; flags: number } {
    let at = 0;
    while (at < this.length && this.bytes[at + 1]! < type) at = attributeEnd(this.bytes, at);
    const replaces = at < this.length && this.bytes[at + 1] === type;
    const kept = replaces ? this.bytes[at]! & ~FLAG.extendedLength : CANONICAL_FLAGS[type]!;
    const old = replaces ? attributeEnd(this.bytes, at) - at : 0;
    const fresh = size + (size > 255 ? LONG_HEADER : SHORT_HEADER);
    this.#reserve(this.length - old + fresh);
    if (old !== fresh) moveBytes(this.bytes, at + fresh, at + old, this.length);
    this.length += fresh - old;
    return { at, flags: (flags ?? kept) & ~FLAG.extendedLength };
  }

  #reserve(capacity: number): void {
    if (capacity <= this.bytes.length) return;
    this.bytes = growUint8(this.bytes, capacity);
    this.view = viewOf(this.bytes);
  }
}
