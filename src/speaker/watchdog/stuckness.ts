// Whether a loop is stuck, from looks at its beats. Pure: whoever looks brings the time. A look that is itself late
// says that the whole machine (or process) stood still, and starts the count anew.

export class Stuckness {
  readonly #limitMs: number;
  readonly #periodMs: number;
  #beats = -1;
  #since = 0;
  #lookedAt: number | undefined;

  /** `periodMs`: between two looks. */
  constructor(limitMs: number, periodMs: number) {
    this.#limitMs = limitMs;
    this.#periodMs = periodMs;
  }

  /** Milliseconds for which the loop has been stuck, once they are too many. */
  look(beats: number, now: number): number | undefined {
    const late = this.#lookedAt !== undefined && now - this.#lookedAt > 2 * this.#periodMs;
    this.#lookedAt = now;
    if (beats !== this.#beats || late) {
      this.#beats = beats;
      this.#since = now;
      return undefined;
    }
    const stuck = now - this.#since;
    return stuck >= this.#limitMs ? stuck : undefined;
  }
}
