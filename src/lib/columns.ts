// Struct-of-arrays helpers: typed arrays that grow, and bit sets over small integers. Fresh typed arrays are zero
// pages that cost no memory until written, so columns start large and grow by doubling. An array that another one has
// taken the place of is nobody's any more; whoever has kept it reads what may be anything.

type Column =
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

let onOutgrown: (column: Column) => void = () => {};

/** Tells `listener` of each array that another one has taken the place of. There is one listener. */
export function whenOutgrown(listener: (column: Column) => void): void {
  onOutgrown = listener;
}

/** Says that another array has taken its place: its content has been copied, or is not wanted. */
export function outgrow(column: Column): void {
  onOutgrown(column);
}

/** A copy of `column`, which it outgrows, with room for `size` elements; the same array when it has room already. */
export function growInt32(column: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  if (size <= column.length) return column;
  const grown = new Int32Array(Math.max(size, column.length * 2));
  grown.set(column);
  outgrow(column);
  return grown;
}

export function growUint32(column: Uint32Array<ArrayBuffer>, size: number): Uint32Array<ArrayBuffer> {
  if (size <= column.length) return column;
  const grown = new Uint32Array(Math.max(size, column.length * 2));
  grown.set(column);
  outgrow(column);
  return grown;
}

export function growUint16(column: Uint16Array<ArrayBuffer>, size: number): Uint16Array<ArrayBuffer> {
  if (size <= column.length) return column;
  const grown = new Uint16Array(Math.max(size, column.length * 2));
  grown.set(column);
  outgrow(column);
  return grown;
}

export function growUint8(column: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (size <= column.length) return column;
  const grown = new Uint8Array(Math.max(size, column.length * 2));
  grown.set(column);
  outgrow(column);
  return grown;
}

/** `fresh` with the first `used` elements of `column`, which it takes the place of. */
export function moved<T extends Column & { set(source: T): void; subarray(from: number, to: number): T }>(
  fresh: T,
  column: T,
  used: number,
): T {
  fresh.set(column.subarray(0, used));
  outgrow(column);
  return fresh;
}

/** Small non-negative integers, first in, first out. */
export class IntQueue {
  #ids = new Int32Array(64);
  #head = 0;
  #tail = 0;

  get size(): number {
    return this.#tail - this.#head;
  }

  push(id: number): void {
    if (this.#tail === this.#ids.length) this.#makeRoom();
    this.#ids[this.#tail++] = id;
  }

  /** What waits at `place`, the oldest being at 0. */
  at(place: number): number {
    return this.#ids[this.#head + place]!;
  }

  /** The oldest, or -1 when the queue is empty. */
  shift(): number {
    if (this.#head === this.#tail) return -1;
    const id = this.#ids[this.#head++]!;
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
    }
    return id;
  }

  /** Another queue in which the same waits. */
  copy(): IntQueue {
    const copy = new IntQueue();
    copy.#ids = this.#ids.slice();
    copy.#head = this.#head;
    copy.#tail = this.#tail;
    return copy;
  }

  /** Visits what waits, oldest first. */
  forEach(visit: (id: number) => void): void {
    for (let i = this.#head; i < this.#tail; i++) visit(this.#ids[i]!);
  }

  #makeRoom(): void {
    if (this.#head > this.#ids.length >> 1) {
      this.#ids.copyWithin(0, this.#head, this.#tail);
    } else {
      const grown = new Int32Array(this.#ids.length * 2);
      grown.set(this.#ids.subarray(this.#head, this.#tail));
      outgrow(this.#ids);
      this.#ids = grown;
    }
    this.#tail -= this.#head;
    this.#head = 0;
  }
}

/** A set of small non-negative integers that remembers insertion order, for work queues without duplicates. */
export class IdQueue {
  #ids = new IntQueue();
  #queued = new Uint8Array(1024);

  get size(): number {
    return this.#ids.size;
  }

  has(id: number): boolean {
    return this.#queued[id] === 1;
  }

  /** Returns false where `id` waits already. */
  push(id: number): boolean {
    if (this.#queued[id] === 1) return false;
    if (id >= this.#queued.length) this.#queued = growUint8(this.#queued, id + 1);
    this.#queued[id] = 1;
    this.#ids.push(id);
    return true;
  }

  /** The oldest id, or -1 when the queue is empty. */
  shift(): number {
    const id = this.#ids.shift();
    if (id >= 0) this.#queued[id] = 0;
    return id;
  }

  /** Another set of the same ids in the same order. */
  copy(): IdQueue {
    const copy = new IdQueue();
    copy.#ids = this.#ids.copy();
    copy.#queued = this.#queued.slice();
    return copy;
  }

  /** Visits what waits, oldest first. */
  forEach(visit: (id: number) => void): void {
    this.#ids.forEach(visit);
  }
}
