// One growing buffer for many small byte strings. Blocks come in size classes of 8 octets up to 1 KiB and powers
// of two above; a freed block waits in its class's list, linked through its own first four octets. Offsets stay
// valid when the buffer grows; the buffer itself does not.

import { copyViewed, type Octets } from '../lib/bytes.ts';
import { growUint8 } from '../lib/columns.ts';

const GRAIN_SHIFT = 3;
const SMALL_LIMIT = 1024;
const SMALL_CLASSES = SMALL_LIMIT >> GRAIN_SHIFT;
const CLASSES = SMALL_CLASSES + 32;
/** Untouched pages cost nothing, so begin with room for a full table's attribute sets. */
const INITIAL_BYTES = 1 << 24;

export class BlockArena implements Octets {
  /** Both are others after growth. */
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  /** First octet never handed out; 0 is kept free so that it can end a list. */
  #end = 1 << GRAIN_SHIFT;
  readonly #free = new Uint32Array(CLASSES);

  /** `room`: octets at the start. */
  constructor(room = INITIAL_BYTES) {
    this.bytes = new Uint8Array(room);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Octets handed out so far, those given back included. */
  get used(): number {
    return this.#end;
  }

  /** Whether so many octets can be stored without growth. */
  hasRoom(length: number): boolean {
    const sizeClass = classOf(length);
    return this.#free[sizeClass] !== 0 || this.#end + sizeOf(sizeClass) <= this.bytes.length;
  }

  /** Copies the octets `[at, at + length)` in; returns their offset. */
  store(source: DataView, at: number, length: number): number {
    const offset = this.#allocate(length);
    copyViewed(this.view, offset, source, at, at + length);
    return offset;
  }

  free(offset: number, length: number): void {
    const sizeClass = classOf(length);
    this.view.setUint32(offset, this.#free[sizeClass]!);
    this.#free[sizeClass] = offset;
  }

  equals(offset: number, source: DataView, at: number, length: number): boolean {
    const { view } = this;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (view.getInt32(offset + i) !== source.getInt32(at + i)) return false;
    for (; i < length; i++) if (view.getUint8(offset + i) !== source.getUint8(at + i)) return false;
    return true;
  }

  #allocate(length: number): number {
    const sizeClass = classOf(length);
    const free = this.#free[sizeClass]!;
    if (free !== 0) {
      this.#free[sizeClass] = this.view.getUint32(free);
      return free;
    }
    const offset = this.#end;
    this.#end += sizeOf(sizeClass);
    if (this.#end > this.bytes.length) {
      this.bytes = growUint8(this.bytes, this.#end);
      this.view = new DataView(this.bytes.buffer);
    }
    return offset;
  }
}

function classOf(length: number): number {
  if (length <= SMALL_LIMIT) return length === 0 ? 0 : (length - 1) >> GRAIN_SHIFT;
  return SMALL_CLASSES + (32 - Math.clz32(length - 1));
}

function sizeOf(sizeClass: number): number {
  return sizeClass < SMALL_CLASSES ? (sizeClass + 1) << GRAIN_SHIFT : 1 << (sizeClass - SMALL_CLASSES);
}
