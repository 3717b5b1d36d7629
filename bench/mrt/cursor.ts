// A reading position in one MRT record's body. Running over the end throws MrtError, which makes the reader skip
// that record and count it.

import { MrtError } from './records.ts';

export class Cursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.bytes.subarray(start, start + count);
  }

  /** A prefix in `length, octets` form; host bits are cleared, as dumps in the wild have some set. */
  prefixInto(out: Uint8Array, maxBits: number): number {
    const bits = this.u8();
    if (bits > maxBits) throw new MrtError(`prefix length ${bits}`);
    const octets = (bits + 7) >> 3;
    const start = this.#advance(octets);
    out.fill(0);
    for (let i = 0; i < octets; i++) out[i] = this.bytes[start + i]!;
    if ((bits & 7) !== 0) out[octets - 1] = out[octets - 1]! & (0xff << (8 - (bits & 7)));
    return bits;
  }

  #advance(count: number): number {
    const start = this.at;
    if (start + count > this.bytes.length) throw new MrtError('record is cut off');
    this.at = start + count;
    return start;
  }
}
