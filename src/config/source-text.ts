// The text of one configuration file with what may not be shown of it blacked out. Every excerpt that an error
// prints comes from here, so that a password can stand on the very line that is wrong and still not leak.

import { editDistance } from '../lib/suggest.ts';

export interface Position {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** A source line as it may be shown, with the place of the mistake in it. */
export interface Excerpt {
  readonly text: string;
  /** Index into `text` of the first character to point at, and how many to underline. */
  readonly caret: number;
  readonly length: number;
}

/** Half-open range of offsets into the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const MASK = '<redacted>';
const SECRET_WORD = /pass(?!ive)|pwd|psk|secret|token|md5|auth|key$/i;
/** A line that begins with a key, as far as that can be said of what is no YAML. */
const ENTRY = /^\s*(-\s+)?[{[]?\s*["']?\w+["']?\s*:(\s|$)/;
const SECRET_KEY = 'password';
/** Keys of secrets, as far as a word of the language is none. */
const IS_SECRET = /pass|secret|pwd|psk|^value$/i;
/** Every word for a secret has these, with typing mistakes, too; numbers and IPv4 addresses have not. */
const TWO_LETTERS = /[a-z]{2}/i;
/** So many typing mistakes still leave `password` recognisable. */
const SECRET_TYPOS = 3;

/** Whether the value under `key` may be a secret: `password` itself and whatever looks like an attempt at it. */
export function isSecretKey(key: string): boolean {
  if (SECRET_WORD.test(key)) return true;
  const near = Math.abs(key.length - SECRET_KEY.length) <= SECRET_TYPOS;
  return near && editDistance(key.toLowerCase(), SECRET_KEY) <= SECRET_TYPOS;
}

/** What must not be shown of an entry of a mapping. */
export interface Hidden {
  readonly key: boolean;
  readonly value: boolean;
  /** Nor of the same text anywhere else, where it may stand by mistake. */
  readonly elsewhere: boolean;
}

/** Which entries of a file are secrets, by their keys, of which many have the same. */
export class SecretKeys {
  readonly #below = new Map<string, Hidden>();
  readonly #other = new Map<string, Hidden>();

  /** `below`: the entry stands somewhere under a password. Names of files and of variables may be shown there. */
  of(name: string, below: boolean): Hidden {
    const known = below ? this.#below : this.#other;
    let hidden = known.get(name);
    if (hidden === undefined) {
      const reference = below && (name === 'file' || name === 'env');
      const value = (below || isSecretKey(name)) && !reference;
      const key = below && !reference && name !== 'value';
      hidden = { key, value, elsewhere: value && IS_SECRET.test(name) };
      known.set(name, hidden);
    }
    return hidden;
  }
}

/** Whether a text of several words speaks of a secret: `password s3cret`, where a colon was forgotten. */
export function mentionsSecret(text: string): boolean {
  if (!TWO_LETTERS.test(text)) return false;
  const words = text.split(/[^\w-]+/).filter((word) => word !== '');
  return words.length > 1 && words.some(isSecretKey);
}

/** Control characters would let a file write to the terminal of whoever reads the error. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => (char === '\t' ? ' ' : '\u00b7'));
}

/** Shorter texts are part of any word. */
const SHORTEST_PART = 4;

/** Where `secret` stands in a text: anywhere, but a short one only as a word of its own. */
function occurrences(text: string, secret: string): Span[] {
  const found: Span[] = [];
  if (secret === '') return found;
  const isWord = (char: string | undefined): boolean => char !== undefined && /\w/.test(char);
  for (let start = text.indexOf(secret); start >= 0; start = text.indexOf(secret, start + 1)) {
    const end = start + secret.length;
    const isPart = isWord(text[start - 1]) || isWord(text[end]);
    if (secret.length >= SHORTEST_PART || !isPart) found.push({ start, end });
  }
  return found;
}

/** A text in which these secrets are blacked out. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  const spans = merged([...secrets].flatMap((secret) => occurrences(text, secret)));
  let shown = '';
  let at = 0;
  for (const { start, end } of spans) {
    shown += text.slice(at, start) + MASK;
    at = end;
  }
  return shown + text.slice(at);
}

export class SourceText {
  readonly file: string;
  readonly text: string;
  /** Offset of each line's first character. */
  readonly #lineStarts: readonly number[];
  readonly #masks: Span[] = [];
  readonly #hidden = new Set<string>();
  /** Made anew after another mask. */
  #ordered: readonly Span[] | undefined;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
  }

  /** Blacks out a range in every excerpt. */
  mask(span: Span): void {
    if (span.end <= span.start) return;
    this.#masks.push(span);
    this.#ordered = undefined;
  }

  /** Blacks out a text in every excerpt, wherever it stands. */
  hide(secret: string): void {
    for (const line of secret.split('\n')) this.#hidden.add(line.trim());
  }

  /** A sentence about the file, in which such texts are blacked out, too. */
  withoutHidden(sentence: string): string {
    return this.#hidden.size === 0 ? sentence : withoutSecrets(sentence, this.#hidden);
  }

  /**
   * For a text that is no YAML, where no value has a range that can be trusted: blacks out the rest of every line
   * after something like a password key, and the lines below it up to the next key that is not deeper.
   */
  maskByShape(): void {
    let offset = 0;
    let hiddenBelow = Number.POSITIVE_INFINITY;
    for (const line of this.text.split('\n')) {
      const indent = line.search(/\S/);
      const below = indent > hiddenBelow || (hiddenBelow < Number.POSITIVE_INFINITY && !ENTRY.test(line));
      if (indent >= 0 && below) this.mask({ start: offset, end: offset + line.length });
      else if (indent >= 0) hiddenBelow = Number.POSITIVE_INFINITY;
      for (const match of line.matchAll(/([\w-]+)["']?(\s*[:=])?\s*/g)) {
        if (!isSecretKey(match[1]!)) continue;
        this.mask({ start: offset + match.index + match[0].length, end: offset + line.length });
        hiddenBelow = Math.min(hiddenBelow, Math.max(indent, 0));
        break;
      }
      offset += line.length + 1;
    }
  }

  position(offset: number): Position {
    const at = Math.min(Math.max(offset, 0), this.text.length);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#lineStarts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - this.#lineStarts[low]! + 1 };
  }

  /** The line that holds `span`, masked. */
  excerpt(span: Span): Excerpt {
    const from = this.text.lastIndexOf('\n', span.start - 1) + 1;
    const newline = this.text.indexOf('\n', span.start);
    const to = newline < 0 ? this.text.length : newline;
    const segments = this.#segments(from, to);
    const columnOf = (offset: number): number => {
      let column = 0;
      for (const segment of segments) {
        if (offset < segment.end) return column + (segment.masked ? 0 : Math.max(offset - segment.start, 0));
        column += segment.shown.length;
      }
      return column;
    };
    const caret = columnOf(span.start);
    const length = columnOf(Math.min(span.end, to)) - caret;
    const text = segments.map((segment) => segment.shown).join('');
    return { text: printable(text.replace(/\r$/, '')), caret, length: Math.max(length, 1) };
  }

  /** The line's parts, in order, each shown as it is or as a mask. */
  #segments(from: number, to: number): (Span & { shown: string; masked: boolean })[] {
    const segments: (Span & { shown: string; masked: boolean })[] = [];
    let at = from;
    const plainUntil = (end: number): void => {
      if (end > at) segments.push({ start: at, end, shown: this.text.slice(at, end), masked: false });
    };
    for (const mask of this.#masksOf(from, to)) {
      plainUntil(mask.start);
      segments.push({ ...mask, shown: MASK, masked: true });
      at = mask.end;
    }
    plainUntil(to);
    return segments;
  }

  /** What is blacked out of a line, in order. */
  #masksOf(from: number, to: number): readonly Span[] {
    this.#ordered ??= merged(this.#masks);
    const line = this.text.slice(from, to);
    const spans = [...this.#hidden].flatMap((secret) =>
      occurrences(line, secret).map(({ start, end }) => ({ start: from + start, end: from + end })),
    );
    for (let i = firstEndingAfter(this.#ordered, from); i < this.#ordered.length; i++) {
      const { start, end } = this.#ordered[i]!;
      if (start >= to) break;
      spans.push({ start: Math.max(start, from), end: Math.min(end, to) });
    }
    return merged(spans);
  }
}

/** In order, overlapping ones joined. */
function merged(spans: readonly Span[]): readonly Span[] {
  const joined: { start: number; end: number }[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else joined.push({ ...span });
  }
  return joined;
}

/** Index of the first of these ordered spans that ends after `offset`. */
function firstEndingAfter(spans: readonly Span[], offset: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
