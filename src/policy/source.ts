// A policy or configuration text and places in it. A span names its file, so that tokens of included files can stand
// in one stream. Line and column are computed only for what is shown.

/**
 * One file's text; immutable but for the line table, which is made at first use. The text may hold passwords: it is
 * no property that a dump of whatever has a span would show.
 */
export class Source {
  /** As errors print it. */
  readonly name: string;
  readonly #text: string;
  #lineStarts: number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** Line and column of an offset, both from 1. */
  position(offset: number): { line: number; column: number } {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  }

  /** The text of a line (from 1) without its line end. */
  line(line: number): string {
    const starts = this.#starts();
    const from = starts[line - 1];
    if (from === undefined) return '';
    const next = starts[line];
    return this.#text.slice(from, next === undefined ? undefined : next - 1).replace(/\r$/, '');
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n', at + 1))
        starts.push(at + 1);
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
}

/** A half-open range of offsets into one source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** From the start of one span to the end of another; where an include lies between them, the first alone. */
export function joinSpans(from: Span, to: Span): Span {
  return from.source === to.source && to.end > from.start
    ? { source: from.source, start: from.start, end: to.end }
    : { source: from.source, start: from.start, end: from.end };
}

export function lineOf(span: Span): number {
  return span.source.position(span.start).line;
}
