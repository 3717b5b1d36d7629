// Who is due next, of thousands: a binary heap over small integers with a time each, in typed arrays, so that nothing
// is allocated while it runs. An entry's time may be moved either way.

const ABSENT = -1;
const INITIAL = 64;

export class DueHeap {
  #heap = new Int32Array(INITIAL);
  /** By entry. */
  #place = new Int32Array(INITIAL).fill(ABSENT);
  #due = new Float64Array(INITIAL);
  #size = 0;

  /** Time of the first entry; Infinity where there is none. */
  get earliest(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#due[this.#heap[0]!]!;
  }

  /** The entry that is due first; only where `earliest` is finite. */
  get first(): number {
    return this.#heap[0]!;
  }

  /** Puts an entry in, or gives it another time. */
  set(entry: number, due: number): void {
    if (entry >= this.#place.length) this.#grow(entry + 1);
    this.#due[entry] = due;
    let place = this.#place[entry]!;
    if (place === ABSENT) {
      place = this.#size++;
      this.#put(place, entry);
    }
    this.#sink(this.#rise(place));
  }

  delete(entry: number): void {
    const place = this.#place[entry] ?? ABSENT;
    if (place === ABSENT) return;
    this.#place[entry] = ABSENT;
    const last = this.#heap[--this.#size]!;
    if (last === entry) return;
    this.#put(place, last);
    this.#sink(this.#rise(place));
  }

  #put(place: number, entry: number): void {
    this.#heap[place] = entry;
    this.#place[entry] = place;
  }

  #dueAt(place: number): number {
    return this.#due[this.#heap[place]!]!;
  }

  #rise(start: number): number {
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#dueAt(parent) <= this.#dueAt(place)) break;
      this.#swap(place, parent);
      place = parent;
    }
    return place;
  }

  #sink(start: number): void {
    let place = start;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) return;
      if (child + 1 < this.#size && this.#dueAt(child + 1) < this.#dueAt(child)) child++;
      if (this.#dueAt(place) <= this.#dueAt(child)) return;
      this.#swap(place, child);
      place = child;
    }
  }

  #swap(a: number, b: number): void {
    const entry = this.#heap[a]!;
    this.#put(a, this.#heap[b]!);
    this.#put(b, entry);
  }

  #grow(needed: number): void {
    const size = Math.max(needed, this.#place.length * 2);
    const place = new Int32Array(size).fill(ABSENT);
    place.set(this.#place);
    const heap = new Int32Array(size);
    heap.set(this.#heap);
    const due = new Float64Array(size);
    due.set(this.#due);
    this.#place = place;
    this.#heap = heap;
    this.#due = due;
  }
}
