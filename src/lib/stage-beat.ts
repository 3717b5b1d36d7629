// What the main thread is doing, for a thread that watches it: a beat that stops when the loop is stuck, and the stage
// that runs. A stage's beginning and end are a store of an integer each; memory is shared, nothing is sent.

const BEATS = 0;
const STAGE = 1;
const NAMES = 2;
const CELLS = 4;
const MAX_STAGES = 64;
const NAME_OCTETS = 32;
const CELL_OCTETS = 4;

export class StageBeat {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #names: Uint8Array;

  /** `buffer`: of another thread's beat. */
  constructor(buffer = new SharedArrayBuffer(CELLS * CELL_OCTETS + MAX_STAGES * NAME_OCTETS)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer, 0, CELLS);
    this.#names = new Uint8Array(buffer, CELLS * CELL_OCTETS);
  }

  /** The number of a stage from now on, from 1; 0 where there are too many. */
  register(name: string): number {
    const id = this.#cells[NAMES]! + 1;
    if (id > MAX_STAGES) return 0;
    const text = new TextEncoder().encode(name).subarray(0, NAME_OCTETS - 1);
    this.#names.fill(0, (id - 1) * NAME_OCTETS, id * NAME_OCTETS);
    this.#names.set(text, (id - 1) * NAME_OCTETS);
    this.#cells[NAMES] = id;
    return id;
  }

  /** A stage begins; 0 = it is over. */
  mark(stage: number): void {
    Atomics.store(this.#cells, STAGE, stage);
  }

  /** The loop turns. */
  beat(): void {
    Atomics.add(this.#cells, BEATS, 1);
  }

  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  /** Name of the stage that runs; undefined outside of stages. */
  get stage(): string | undefined {
    const id = Atomics.load(this.#cells, STAGE);
    if (id === 0) return undefined;
    const name = this.#names.slice((id - 1) * NAME_OCTETS, id * NAME_OCTETS);
    const end = name.indexOf(0);
    return new TextDecoder().decode(name.subarray(0, end < 0 ? name.length : end));
  }
}
