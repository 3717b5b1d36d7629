// Options as rows of a table: the words that begin a statement, the dialect that has it, and what it sets. One
// matcher serves them all and knows, therefore, what could have stood where something else does.

import { nearest } from '../../lib/suggest.ts';
import type { Dialect } from '../../policy/lexer.ts';
import { describe, SyntaxStop, type TokenReader } from '../../policy/token-reader.ts';
import type { ConfigReader } from './reader.ts';

export interface OptionRow<Options> {
  /** `hold time` */
  readonly words: string;
  /** undefined: both dialects */
  readonly only: Dialect | undefined;
  /** Reads what follows the words, without the `;`; gives what changes in the options so far. */
  readonly read: (reader: ConfigReader, before: Options) => Partial<Options>;
}

export function option<Options>(
  words: string,
  read: (reader: ConfigReader, before: NoInfer<Options>) => NoInfer<Partial<Options>>,
  only?: Dialect,
): OptionRow<Options> {
  return { words, only, read };
}

/** A switch: `words [on|off]`. */
export function toggle<Options>(
  words: string,
  set: (on: boolean) => NoInfer<Partial<Options>>,
  only?: Dialect,
): OptionRow<Options> {
  return { words, only, read: (reader) => set(reader.toggle()) };
}

/** A number within bounds. */
export function number<Options>(
  words: string,
  set: (value: number) => NoInfer<Partial<Options>>,
  bounds: { readonly min?: number; readonly max?: number; readonly only?: Dialect } = {},
): OptionRow<Options> {
  const { min, max, only } = bounds;
  return { words, only, read: (reader) => set(reader.number(words, min, max)) };
}

/** The rows of a table by their first word, the ones with most words first. */
export class OptionTable<Options> {
  readonly rows: readonly OptionRow<Options>[];
  readonly #byFirstWord = new Map<string, OptionRow<Options>[]>();

  constructor(rows: readonly OptionRow<Options>[]) {
    this.rows = rows;
    for (const row of rows) {
      const first = row.words.split(' ')[0]!;
      this.#byFirstWord.set(first, [...(this.#byFirstWord.get(first) ?? []), row]);
    }
    for (const list of this.#byFirstWord.values()) {
      list.sort((a, b) => b.words.split(' ').length - a.words.split(' ').length);
    }
  }

  /** The row whose words come next; undefined where none fits. */
  find(tokens: TokenReader): OptionRow<Options> | undefined {
    const first = tokens.peek();
    if (first.kind !== 'word') return undefined;
    return this.#byFirstWord
      .get(first.text)
      ?.find((row) => inDialect(row, tokens.dialect) && follows(tokens, row.words));
  }

  /** As find; the words are taken. */
  take(tokens: TokenReader): OptionRow<Options> | undefined {
    const row = this.find(tokens);
    if (row !== undefined) tokens.takeWords(...row.words.split(' '));
    return row;
  }

  /** Phrases of the dialect. */
  phrases(dialect: Dialect): readonly string[] {
    return this.rows.filter((row) => inDialect(row, dialect)).map((row) => row.words);
  }

  /** Whether the other dialect has what comes next. */
  isOfOtherDialect(tokens: TokenReader): boolean {
    return this.rows.some((row) => !inDialect(row, tokens.dialect) && follows(tokens, row.words));
  }
}

function inDialect(row: { readonly only: Dialect | undefined }, dialect: Dialect): boolean {
  return row.only === undefined || row.only === dialect;
}

function follows(tokens: TokenReader, words: string): boolean {
  return words.split(' ').every((word, ahead) => tokens.isWord(word, ahead));
}

/** A place where options stand: what it is called, and what could begin a statement there. */
export interface OptionPlace {
  readonly where: string;
  readonly tables: readonly PhraseSource[];
  /** Said of a word that belongs elsewhere. */
  readonly elsewhere?: (tokens: TokenReader) => string | undefined;
}

/** What of an option table is needed to say what was expected. */
export interface PhraseSource {
  phrases(dialect: Dialect): readonly string[];
  isOfOtherDialect(tokens: TokenReader): boolean;
}

/** Reports that no option begins like this; to be thrown. */
export function unknownOption(tokens: TokenReader, place: OptionPlace): SyntaxStop {
  const token = tokens.peek();
  if (token.kind !== 'word') return tokens.unexpected('an option', place.where);
  const sources = place.tables;
  const phrases = sources.flatMap((source) => [...source.phrases(tokens.dialect)]);
  if (sources.some((source) => source.isOfOtherDialect(tokens))) {
    const other = tokens.dialect === '1.6' ? '2.x' : '1.6';
    const hint = place.elsewhere?.(tokens) ?? `this file is read as BIRD ${tokens.dialect}`;
    return tokens.fail(token, `${token.text} is an option of BIRD ${other}`, hint);
  }
  const elsewhere = place.elsewhere?.(tokens);
  if (elsewhere !== undefined)
    return tokens.fail(token, `${token.text} does not belong ${place.where}`, elsewhere);
  // As many words as some option begins with, then the one that is wrong.
  let matched = 0;
  let candidates = phrases.map((phrase) => phrase.split(' '));
  for (;;) {
    const next = candidates.filter((words) => {
      const word = words[matched];
      return word !== undefined && tokens.isWord(word, matched);
    });
    if (next.length === 0) break;
    candidates = next;
    matched++;
  }
  const wrong = tokens.peek(matched);
  const expected = [...new Set(candidates.flatMap((words) => words[matched] ?? []))];
  if (matched > 0 && expected.length > 0) {
    const near = wrong.kind === 'word' ? nearest(wrong.text, expected) : undefined;
    const after = candidates[0]!.slice(0, matched).join(' ');
    const hint = near === undefined ? undefined : `did you mean ${after} ${near}?`;
    return tokens.fail(wrong, `expected ${listOf(expected)} after ${after}, found ${describe(wrong)}`, hint);
  }
  const near = nearest(token.text, expected);
  const phrase = near === undefined ? undefined : phrases.find((each) => each.split(' ')[0] === near);
  const hint = phrase === undefined ? undefined : `did you mean ${near}?`;
  return tokens.fail(token, `there is no option ${token.text} ${place.where}`, hint);
}

function listOf(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Takes the `;` of a statement. Where it is forgotten at the end of a line, what follows is still read. */
export function expectEnd(tokens: TokenReader, where: string): void {
  if (tokens.takeOp(';')) return;
  const { last } = tokens;
  const next = tokens.peek();
  const between = last.source === next.source ? last.source.text.slice(last.end, next.start) : '';
  const stop = tokens.missing("';'", where);
  if (next.kind !== 'word' || !between.includes('\n')) throw stop;
}

/**
 * Reads `{ statement; ... }` and goes on after mistakes. `statement` reads one up to its `;`.
 * `empty`: a lone `;` is a statement.
 */
export function readBlock(reader: ConfigReader, where: string, statement: () => void, empty = false): void {
  const { tokens } = reader;
  const open = tokens.expectOp('{', where);
  tokens.nested(() => {
    while (!tokens.takeOp('}')) {
      if (tokens.atEnd) throw tokens.fail(open, "this '{' is never closed", `a '}' is missing ${where}`);
      if (empty && tokens.takeOp(';')) continue;
      const before = tokens.position;
      try {
        statement();
        expectEnd(tokens, `after this statement ${where}`);
      } catch (error) {
        if (!(error instanceof SyntaxStop)) throw error;
        tokens.recover();
        // Nothing that could be passed over: the end of the file, or a block's own end.
        if (tokens.position === before && !tokens.isOp('}') && !tokens.atEnd) tokens.next();
      }
    }
  });
}
