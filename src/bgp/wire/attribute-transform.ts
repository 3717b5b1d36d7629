// From one canonical attribute set to another in a single pass: kept attributes are copied, dropped ones passed over,
// and for the rest a callback writes what shall stand there. This is what export does to every set of a full table;
// attribute-editor.ts is for those who change a set step by step.

import { copyBytes, copyViewed, type Octets, readUint16, viewOf, writeUint32 } from '../../lib/bytes.ts';
import { growUint8 } from '../../lib/columns.ts';
import { CANONICAL_FLAGS } from './attributes.ts';
import { FLAG, LONG_HEADER, SHORT_HEADER } from './iana.ts';

/** What happens to a type; `write` calls back once, whether the attribute is there or not. */
export const TRANSFORM = { keep: 0, drop: 1, write: 2 } as const;
export type TransformAction = (typeof TRANSFORM)[keyof typeof TRANSFORM];

const TYPES = 256;
const SHORT_VALUE = 255;

/** What to do with each attribute type. */
export class TransformPlan {
  readonly actions = new Uint8Array(TYPES);
  /** Types with `write`, ascending. */
  readonly written: readonly number[];

  /** Types that are not named are kept. */
  constructor(actions: Iterable<readonly [type: number, action: TransformAction]>) {
    for (const [type, action] of actions) this.actions[type] = action;
    this.written = [...this.actions.keys()].filter((type) => this.actions[type] === TRANSFORM.write);
  }
}

/**
 * Writes the attribute of one type through the transform's `put` methods, or nothing. `source[start, end)` is the
 * value in the source; start = -1 where the source has none.
 */
export type WriteAttribute = (type: number, source: Uint8Array, start: number, end: number) => void;

export class AttributeTransform implements Octets {
  /** The result is `bytes[0, length)`; another array once it has grown. */
  bytes = new Uint8Array(8192);
  view = viewOf(this.bytes);
  length = 0;
  /** Flags of the attribute that is being written anew, where the source has it. */
  #flags: number | undefined;
  /** What is being transformed: most of what is put is a part of it. */
  #source: Octets = this;

  /** Transforms the canonical set `source[offset, offset + length)`. */
  run(source: Octets, offset: number, length: number, plan: TransformPlan, write: WriteAttribute): void {
    const { actions, written } = plan;
    const { bytes, view } = source;
    const end = offset + length;
    this.#source = source;
    this.length = 0;
    let next = 0;
    /** What is kept lies in a row more often than not, and is copied at once: from here. */
    let from = offset;
    for (let at = offset; at < end; ) {
      const type = bytes[at + 1]!;
      const long = (bytes[at]! & FLAG.extendedLength) !== 0;
      const start = at + (long ? LONG_HEADER : SHORT_HEADER);
      const stop = start + (long ? readUint16(bytes, at + 2) : bytes[at + 2]!);
      while (next < written.length && written[next]! < type) {
        this.#keep(view, from, at);
        from = at;
        write(written[next++]!, bytes, -1, -1);
      }
      const action = actions[type];
      if (action !== TRANSFORM.keep) {
        this.#keep(view, from, at);
        from = stop;
        if (action === TRANSFORM.write) {
          // RFC 4271 §5: a Partial bit, once set, stays.
          this.#flags = bytes[at]! & ~FLAG.extendedLength;
          write(type, bytes, start, stop);
          this.#flags = undefined;
          next++;
        }
      }
      at = stop;
    }
    this.#keep(view, from, end);
    while (next < written.length) write(written[next++]!, bytes, -1, -1);
  }

  /** An attribute with this value. */
  put(type: number, value: Uint8Array, start = 0, end = value.length): void {
    this.#header(type, end - start);
    this.#copy(value, start, end);
  }

  putUint32(type: number, value: number): void {
    this.#header(type, 4);
    writeUint32(this.bytes, this.length, value);
    this.length += 4;
  }

  /** An attribute whose value is four octets followed by a part of another: a list with a new first element. */
  putUint32Before(type: number, value: number, rest: Uint8Array, start: number, end: number): void {
    this.#header(type, 4 + end - start);
    writeUint32(this.bytes, this.length, value);
    this.length += 4;
    this.#copy(rest, start, end);
  }

  /** AS_PATH of one AS_SEQUENCE header and one AS in front of the ASes at `rest[start, end)`. */
  putSequence(type: number, header: number, as: number, rest: Uint8Array, start: number, end: number): void {
    this.#header(type, 6 + end - start);
    this.bytes[this.length++] = header >> 8;
    this.bytes[this.length++] = header & 0xff;
    writeUint32(this.bytes, this.length, as);
    this.length += 4;
    this.#copy(rest, start, end);
  }

  #header(type: number, size: number): void {
    this.#reserve(this.length + LONG_HEADER + size);
    const { bytes } = this;
    const flags = this.#flags ?? CANONICAL_FLAGS[type]!;
    bytes[this.length++] = size > SHORT_VALUE ? flags | FLAG.extendedLength : flags;
    bytes[this.length++] = type;
    if (size > SHORT_VALUE) bytes[this.length++] = size >> 8;
    bytes[this.length++] = size & 0xff;
  }

  #keep(source: DataView, start: number, end: number): void {
    if (start === end) return;
    this.#reserve(this.length + end - start);
    this.length = copyViewed(this.view, this.length, source, start, end);
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    const { bytes, view } = this.#source;
    this.length =
      from === bytes
        ? copyViewed(this.view, this.length, view, start, end)
        : copyBytes(this.bytes, this.length, from, start, end);
  }

  #reserve(capacity: number): void {
    if (capacity <= this.bytes.length) return;
    this.bytes = growUint8(this.bytes, capacity);
    this.view = viewOf(this.bytes);
  }
}
