// Bounds-checked reading and writing of network-order fields for the codecs that are not hot: OPEN, capabilities,
// NOTIFICATION, ROUTE-REFRESH, originated attributes; and the copying that the UPDATE path, which has its own loops, shares.

/** A read past the end; a codec turns it into the answer its RFC asks for. */
export class ByteRangeError extends Error {
  constructor(wanted: number, available: number) {
    super(`${wanted} octets wanted, ${available} left`);
    this.name = 'ByteRangeError';
  }
}

/** Reads `bytes[start, end)` front to back; every read beyond `end` throws ByteRangeError. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (start < 0 || end > bytes.length || start > end) throw new ByteRangeError(end, bytes.length);
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** Absolute position in the underlying array. */
  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  uint8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    const at = this.#take(2);
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  uint24(): number {
    const at = this.#take(3);
    return (this.#bytes[at]! << 16) | (this.#bytes[at + 1]! << 8) | this.#bytes[at + 2]!;
  }

  uint32(): number {
    return readUint32(this.#bytes, this.#take(4));
  }

  /** A copy of the next `length` octets. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** A reader over the next `length` octets, which this one skips. */
  sub(length: number): ByteReader {
    const at = this.#take(length);
    return new ByteReader(this.#bytes, at, at + length);
  }

  /** A copy of everything left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  #take(length: number): number {
    if (length < 0 || length > this.remaining) throw new ByteRangeError(length, this.remaining);
    const at = this.#position;
    this.#position += length;
    return at;
  }
}

/** Appends network-order fields to a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  uint16(value: number): this {
    const at = this.#grow(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  uint24(value: number): this {
    return this.uint8(value >>> 16).uint16(value & 0xffff);
  }

  uint32(value: number): this {
    const at = this.#grow(4);
    writeUint32(this.#bytes, at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Overwrites a field written before, as lengths are once what they count is written. */
  setUint8(at: number, value: number): void {
    this.#check(at, 1);
    this.#bytes[at] = value;
  }

  setUint16(at: number, value: number): void {
    this.#check(at, 2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #check(at: number, length: number): void {
    if (at < 0 || at + length > this.#length) throw new ByteRangeError(at + length, this.#length);
  }

  #grow(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}

/** Four octets as an unsigned integer; the caller has checked the bounds. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Below so many octets a loop is quicker than a view of the source. */
const SMALL_COPY = 128;

/** Copies `source[start, end)` to `target[at ..]`; returns where it ends there. The two must not overlap. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length > SMALL_COPY) target.set(source.subarray(start, end), at);
  else for (let i = 0; i < length; i++) target[at + i] = source[start + i]!;
  return at + length;
}

/**
 * The same with views, four octets at a time, a third of the time: for what every attribute set goes through. Making a
 * view takes longer than copying a set, so both ends must have one anyway.
 */
export function copyViewed(
  target: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
): number {
  let to = at;
  let from = start;
  for (; from + 4 <= end; from += 4, to += 4) target.setInt32(to, source.getInt32(from));
  for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from));
  return to;
}

/** Moves `bytes[from, end)` within the array, to begin at `to`; the two may overlap. */
export function moveBytes(bytes: Uint8Array, to: number, from: number, end: number): void {
  if (end - from > SMALL_COPY) bytes.copyWithin(to, from, end);
  else if (to < from) for (let i = from; i < end; i++) bytes[to - from + i] = bytes[i]!;
  else for (let i = end - 1; i >= from; i--) bytes[to - from + i] = bytes[i]!;
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether both are absent, or the same octets. */
export function optionalBytesEqual(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : bytesEqual(a, b);
}

/** Octets, and a view of the same memory. */
export interface Octets {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function octetsOf(bytes: Uint8Array): Octets {
  return { bytes, view: viewOf(bytes) };
}

/** The same octets. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i++) text += bytes[i]!.toString(16).padStart(2, '0');
  return text;
}

/** Parses pairs of hexadecimal digits; undefined where the text is anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}
