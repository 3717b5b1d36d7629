// Commands out of a byte stream: lines of bounded length, several in one read or one in several.

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** BIRD's receive buffer. */
export const MAX_COMMAND = 4096;

export class LineReader {
  readonly #limit: number;
  #partial: Uint8Array = new Uint8Array(0);

  constructor(limit = MAX_COMMAND) {
    this.#limit = limit;
  }

  /** Whole lines without their ends, in order; `tooLong` where what came cannot become a command any more. */
  push(chunk: Uint8Array): { lines: string[]; tooLong: boolean } {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      if (this.#partial.length + end - start > this.#limit) return { lines, tooLong: true };
      lines.push(this.#text(chunk.subarray(start, end)));
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    if (this.#partial.length + rest.length > this.#limit) return { lines, tooLong: true };
    this.#partial = Buffer.concat([this.#partial, rest]);
    return { lines, tooLong: false };
  }

  /** A last line without an end. */
  end(): string | undefined {
    return this.#partial.length === 0 ? undefined : this.#text(new Uint8Array(0));
  }

  #text(tail: Uint8Array): string {
    const whole = Buffer.concat([this.#partial, tail]);
    this.#partial = new Uint8Array(0);
    return whole.toString('utf8', 0, whole.at(-1) === CARRIAGE_RETURN ? whole.length - 1 : whole.length);
  }
}
