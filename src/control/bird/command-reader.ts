// The arguments of a command, token by token. What does not fit ends in a SyntaxFailure that knows which token came
// and which ones could have stood there, by the names that BIRD's parser gives them.

import type { SymbolKind } from '../../speaker/api/tables.ts';
import type { Token, TokenKind } from './tokens.ts';

/** A token where another was expected. `expected` is empty where too many could have stood there. */
export class SyntaxFailure extends Error {
  override readonly name = 'SyntaxFailure';
  readonly token: Token;
  readonly expected: readonly string[];

  constructor(token: Token, expected: readonly string[]) {
    super(`unexpected '${token.text}'`);
    this.token = token;
    this.expected = expected;
  }
}

/** Something that reads well and cannot be meant: the reply says why. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The names that the configuration defines. */
export interface Names {
  kindOf(name: string): SymbolKind | undefined;
}

export const TOKEN = {
  end: 'END',
  known: 'CF_SYM_KNOWN',
  text: 'TEXT',
  all: 'ALL',
  number: 'NUM',
} as const;

export class CommandReader {
  readonly command: string;
  readonly names: Names;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(command: string, tokens: readonly Token[], names: Names) {
    this.command = command;
    this.#tokens = tokens;
    this.names = names;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    if (this.#at < this.#tokens.length - 1) this.#at++;
    return token;
  }

  isWord(word: string): boolean {
    const token = this.peek();
    return token.kind === 'word' && token.text === word;
  }

  isOp(op: string): boolean {
    const token = this.peek();
    return token.kind === 'op' && token.text === op;
  }

  /** Takes the word where it stands there. */
  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.next();
    return true;
  }

  takeOp(op: string): boolean {
    if (!this.isOp(op)) return false;
    this.next();
    return true;
  }

  take(kind: TokenKind): string | undefined {
    return this.peek().kind === kind ? this.next().text : undefined;
  }

  /** Takes a name that the configuration defines. */
  takeKnown(): { readonly name: string; readonly kind: SymbolKind } | undefined {
    const token = this.peek();
    const kind = token.kind === 'word' ? this.names.kindOf(token.text) : undefined;
    if (kind === undefined) return undefined;
    this.next();
    return { name: token.text, kind };
  }

  fail(expected: readonly string[] = []): never {
    throw new SyntaxFailure(this.peek(), expected);
  }

  /** Nothing more may stand here. */
  expectEnd(expected: readonly string[] = [TOKEN.end]): void {
    if (this.peek().kind !== 'end') this.fail(expected);
  }

  /** The text from here to the first of `words` outside brackets, or to the end. */
  textUntil(words: ReadonlySet<string>): string {
    const first = this.peek();
    let depth = 0;
    let end = first.start;
    for (let token = this.peek(); token.kind !== 'end'; token = this.peek()) {
      if (depth === 0 && token.kind === 'word' && words.has(token.text)) break;
      if (token.kind === 'op' && '([{'.includes(token.text)) depth++;
      if (token.kind === 'op' && ')]}'.includes(token.text)) depth--;
      end = token.end;
      this.next();
    }
    return this.command.slice(first.start, end);
  }

  /** The text of a block in braces. */
  block(): string {
    const first = this.peek();
    let depth = 0;
    for (;;) {
      const token = this.next();
      if (token.kind === 'end') throw new SyntaxFailure(token, []);
      if (token.kind === 'op' && token.text === '{') depth++;
      if (token.kind === 'op' && token.text === '}' && --depth === 0) {
        return this.command.slice(first.start, token.end);
      }
    }
  }
}
