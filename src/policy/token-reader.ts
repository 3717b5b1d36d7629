// A parser's view of a token stream: looking ahead, taking what is expected, saying what was expected, and finding
// the way back after a mistake. Shared by the filter language and the configuration around it.

import { routeAttribute } from './attributes.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Dialect, Token } from './lexer.ts';
import { joinSpans, type Span } from './source.ts';
import { RESERVED_WORDS } from './words.ts';

/** Thrown where a construct cannot be read on; the mistake is already reported. Caught where recovery is possible. */
export class SyntaxStop extends Error {
  override readonly name = 'SyntaxStop';
}

export class TokenReader {
  readonly dialect: Dialect;
  readonly diagnostics: Diagnostics;
  /** What no name can be in 1.6. */
  readonly keywords: ReadonlySet<string>;
  /** Constructs open around the one being read; see `nested`. */
  #depth = 0;
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Words of the language that are names from here to the end of their scope, and where they were defined. */
  #renamed: ReadonlyMap<string, Span> = new Map();

  /** `tokens` ends with an `end` token. */
  constructor(
    tokens: readonly Token[],
    dialect: Dialect,
    diagnostics: Diagnostics,
    keywords: ReadonlySet<string> = RESERVED_WORDS,
  ) {
    this.keywords = keywords;
    this.#tokens = tokens;
    this.dialect = dialect;
    this.diagnostics = diagnostics;
  }

  /** The token `ahead` tokens after the next one; the end token beyond the end. */
  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
    const isRenamed = this.#renamed.size > 0 && token.kind === 'word' && this.#renamed.has(token.text);
    return isRenamed ? { ...token, kind: 'quoted' } : token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  /** The token before the next one; the first where none was taken. */
  get last(): Token {
    return this.#tokens[Math.max(this.#at - 1, 0)]!;
  }

  get atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  /** A place to come back to with `rewind`. */
  get position(): number {
    return this.#at;
  }

  rewind(position: number): void {
    this.#at = position;
  }

  isOp(operator: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'op' && token.text === operator;
  }

  /** The next token is this unquoted word. */
  isWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'word' && token.text === word;
  }

  /** Takes the operator where it is next. */
  takeOp(operator: string): boolean {
    if (!this.isOp(operator)) return false;
    this.#at++;
    return true;
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.#at++;
    return true;
  }

  /** Takes the words where all of them follow: `takeWords('scan', 'time')`. */
  takeWords(...words: readonly string[]): boolean {
    if (!words.every((word, ahead) => this.isWord(word, ahead))) return false;
    this.#at += words.length;
    return true;
  }

  expectOp(operator: string, where?: string, hint?: string): Token {
    if (this.isOp(operator)) return this.next();
    // What is missing at the end of a line is shown there, not at the next line's begin.
    if (operator === ';') throw this.missing("';'", where, hint);
    throw this.unexpected(`'${operator}'`, where, hint);
  }

  expectWord(word: string, where?: string): Token {
    if (this.isWord(word)) return this.next();
    throw this.unexpected(`'${word}'`, where);
  }

  expectNumber(what = 'a number'): Token {
    if (this.peek().kind === 'number') return this.next();
    throw this.unexpected(what);
  }

  /** A text in double quotes, where no constant may stand. */
  expectString(what: string): string {
    if (this.peek().kind === 'string') return this.next().text;
    throw this.unexpected(`${what} in double quotes`);
  }

  /** A word or a quoted symbol. */
  expectSymbol(what = 'a name'): Token {
    const { kind } = this.peek();
    if (kind === 'word' || kind === 'quoted') return this.next();
    throw this.unexpected(what);
  }

  /**
   * A name to be defined. A word of the language can be one in 2.x, as later versions of it have it: to the end of the
   * scope it is the name only, here and wherever it stands without apostrophes. In 1.6 it cannot, not even in them.
   */
  expectNewName(what: string): Token {
    const token = this.expectSymbol(what);
    const isKeyword = this.keywords.has(token.text);
    if (this.dialect === '1.6') {
      if (!isKeyword) return token;
      const message = `expected ${what}, but ${token.text} is a word of the language`;
      throw this.fail(token, message, 'choose another name');
    }
    if (!isKeyword && routeAttribute(token.text, this.dialect) === undefined) return token;
    this.#renamed = new Map([...this.#renamed, [token.text, token]]);
    return { ...token, kind: 'quoted' };
  }

  /** Runs `read`; words of the language that it makes names are none after it. */
  scoped<T>(read: () => T): T {
    const before = this.#renamed;
    try {
      return read();
    } finally {
      this.#renamed = before;
    }
  }

  /** Reports the next token as not what was expected; to be thrown. */
  unexpected(expected: string, where?: string, hint?: string): SyntaxStop {
    const token = this.peek();
    const place = where === undefined ? '' : ` ${where}`;
    return this.fail(token, `expected ${expected}${place}, found ${describe(token)}`, hint);
  }

  /** Reports something missing right after the token before; to be thrown. */
  missing(expected: string, where?: string, hint?: string): SyntaxStop {
    const { last } = this;
    const token = this.peek();
    if (this.#at === 0 || last.source !== token.source) return this.unexpected(expected, where, hint);
    const place = where === undefined ? '' : ` ${where}`;
    const span = { source: last.source, start: last.end, end: last.end + 1 };
    return this.fail(span, `expected ${expected}${place}, found ${describe(token)}`, hint);
  }

  /** Reports a mistake that cannot be read over; to be thrown. */
  fail(span: Span, message: string, hint?: string): SyntaxStop {
    this.diagnostics.error(span, message, this.renamedHint(span) ?? hint);
    return new SyntaxStop(message);
  }

  /** Why this word of the language is none; undefined for any other token. */
  renamedHint(token: Span & Partial<Token>): string | undefined {
    const { kind, text = '' } = token;
    const name = kind === 'quoted' ? this.#renamed.get(text) : undefined;
    if (name === undefined) return undefined;
    const { line } = name.source.position(name.start);
    return `${text} is a name since ${name.source.name} line ${line}: choose another one there`;
  }

  /** From a token to the last one taken. */
  spanFrom(start: Span): Span {
    return joinSpans(start, this.last);
  }

  /** Runs `read` one level deeper; what nests deeper than any real text does is refused before the stack runs out. */
  nested<T>(read: () => T): T {
    this.#depth++;
    try {
      if (this.#depth > MAX_DEPTH) throw this.fail(this.peek(), 'nested too deeply');
      return read();
    } finally {
      this.#depth--;
    }
  }

  /** Passes over tokens up to the `;` that ends the statement or the `}` of the block around it, which is left. */
  skipStatement(): void {
    let depth = 0;
    while (!this.atEnd) {
      if (depth === 0 && (this.isOp(';') || this.isOp('}'))) return;
      if (this.isOp('{')) depth++;
      if (this.isOp('}')) depth--;
      this.next();
    }
  }

  /**
   * After a mistake: passes over tokens up to and including the `;` that ends the statement, or a block that the
   * statement has, or up to the `}` that closes what is around it, which is left.
   */
  recover(): void {
    let depth = 0;
    while (!this.atEnd) {
      if (this.isOp('{')) depth++;
      else if (this.isOp('}')) {
        if (depth === 0) return;
        depth--;
        if (depth === 0) {
          this.next();
          this.takeOp(';');
          return;
        }
      } else if (this.isOp(';') && depth === 0) {
        this.next();
        return;
      }
      this.next();
    }
  }
}

const MAX_DEPTH = 300;
const SHOWN_LENGTH = 40;

/** A token as error texts name it. */
export function describe(token: Token): string {
  const text = token.text.length > SHOWN_LENGTH ? `${token.text.slice(0, SHOWN_LENGTH)}…` : token.text;
  switch (token.kind) {
    case 'end':
      return 'the end of the file';
    case 'string':
      // Its contents may be a secret.
      return 'a string';
    case 'number':
      return `the number ${text}`;
    case 'ip4':
    case 'ip6':
      return `the address ${text}`;
    case 'quoted':
      return `the symbol '${text}'`;
    case 'bytes':
      return 'a byte string';
    default:
      return `'${text}'`;
  }
}
