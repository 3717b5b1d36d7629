// One stream of tokens from a file and all that it includes. An `include "glob";` stands at the beginning of a line,
// anywhere in the text, and is replaced by the tokens of the files that match, sorted by name; relative names count
// from the directory of the file that includes. Directories that match, and what only might have been there, count not.

import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import type { Diagnostics } from '../../policy/diagnostics.ts';
import { type Dialect, type Token, tokenize } from '../../policy/lexer.ts';
import { Source, type Span } from '../../policy/source.ts';
import { codeOf, reasonOf } from '../file-issue.ts';

/** The file system as far as a configuration needs it; both throw as node:fs does. */
export interface BirdFiles {
  read(path: string): string;
  /** Names in a directory. */
  list(directory: string): readonly string[];
}

const MAX_DEPTH = 8;
/** Codes of errors that say that something does not match, rather than that it is missing. */
const DIRECTORIES: readonly string[] = ['EISDIR'];
const NO_DIRECTORY: readonly string[] = ['ENOTDIR'];
const NOT_THERE: readonly string[] = ['EISDIR', 'ENOENT', 'ENOTDIR'];

export interface TokenStream {
  readonly tokens: readonly Token[];
  /** In the order of reading, each once. */
  readonly sources: readonly Source[];
}

/** Reads `source` and what it includes. Files that cannot be read are errors at their `include`. */
export function readTokens(
  source: Source,
  dialect: Dialect,
  files: BirdFiles,
  diagnostics: Diagnostics,
): TokenStream {
  const reader = new IncludeReader(dialect, files, diagnostics);
  reader.read(source, [source.name]);
  const end = reader.end!;
  return { tokens: [...reader.tokens, end], sources: reader.sources };
}

class IncludeReader {
  readonly tokens: Token[] = [];
  readonly sources: Source[] = [];
  /** The end token of the main file. */
  end: Token | undefined;
  readonly #dialect: Dialect;
  readonly #files: BirdFiles;
  readonly #diagnostics: Diagnostics;

  constructor(dialect: Dialect, files: BirdFiles, diagnostics: Diagnostics) {
    this.#dialect = dialect;
    this.#files = files;
    this.#diagnostics = diagnostics;
  }

  /** `open`: the files around this one and itself. */
  read(source: Source, open: readonly string[]): void {
    this.sources.push(source);
    const tokens = tokenize(source, this.#dialect, this.#diagnostics);
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at]!;
      if (token.kind === 'end') {
        if (open.length === 1) this.end = token;
        return;
      }
      const pattern = isInclude(tokens, at) ? tokens[at + 1] : undefined;
      if (pattern === undefined) {
        this.tokens.push(token);
        continue;
      }
      const closing = tokens[at + 2]!;
      const closed = closing.kind === 'op' && closing.text === ';' && isBlankBetween(pattern, closing);
      if (!closed) {
        const span = { source, start: pattern.end, end: pattern.end + 1 };
        this.#diagnostics.error(span, "expected ';' after include");
      }
      this.#include(pattern, open);
      at += closed ? 2 : 1;
    }
  }

  #include(pattern: Token, open: readonly string[]): void {
    if (open.length >= MAX_DEPTH) {
      this.#diagnostics.error(pattern, `includes nest deeper than ${MAX_DEPTH} files`);
      return;
    }
    const from = dirname(pattern.source.name);
    const wanted = isAbsolute(pattern.text) ? pattern.text : join(from, pattern.text);
    // What matches by its own name is there, or it is a link that leads nowhere.
    const mayMiss = hasWildcards(basename(wanted)) ? DIRECTORIES : hasWildcards(wanted) ? NOT_THERE : [];
    for (const path of this.#matching(wanted, pattern)) {
      if (open.some((file) => normalize(file) === normalize(path))) {
        this.#diagnostics.error(
          pattern,
          `${basename(path)} includes itself`,
          open.map((file) => basename(file)).join(' -> '),
        );
        continue;
      }
      const text = this.#readFile(path, pattern, mayMiss);
      if (text !== undefined) this.read(new Source(path, text), [...open, path]);
    }
  }

  #readFile(path: string, span: Span, mayMiss: readonly string[]): string | undefined {
    try {
      return this.#files.read(path);
    } catch (error) {
      if (!mayMiss.includes(codeOf(error)))
        this.#diagnostics.error(span, `${path} cannot be read: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** The paths that fit; the path itself where it has no wildcards. */
  #matching(wanted: string, span: Span): readonly string[] {
    if (!hasWildcards(wanted)) return [wanted];
    const parts = wanted.split('/');
    let found: string[] = [isAbsolute(wanted) ? '/' : ''];
    let mayMiss: readonly string[] = NO_DIRECTORY;
    for (const part of parts) {
      if (part === '') continue;
      if (!hasWildcards(part)) {
        found = found.map((directory) => join(directory, part));
        continue;
      }
      const allowed = mayMiss;
      found = found.flatMap((directory) => this.#listed(directory, part, span, allowed));
      mayMiss = NOT_THERE;
    }
    return found;
  }

  #listed(directory: string, pattern: string, span: Span, mayMiss: readonly string[]): string[] {
    try {
      const names = this.#files.list(directory === '' ? '.' : directory);
      return [...names]
        .filter((name) => matchesGlob(name, pattern))
        .sort()
        .map((name) => join(directory, name));
    } catch (error) {
      if (!mayMiss.includes(codeOf(error)))
        this.#diagnostics.error(span, `${directory} cannot be read: ${reasonOf(error)}`);
      return [];
    }
  }
}

/** `include` and a string, the word first in its line. */
function isInclude(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at]!;
  const pattern = tokens[at + 1];
  if (token.kind !== 'word' || token.text !== 'include' || pattern?.kind !== 'string') return false;
  const { text } = token.source;
  const isFirst = text.slice(text.lastIndexOf('\n', token.start - 1) + 1, token.start).trim() === '';
  return isFirst && isBlankBetween(token, pattern);
}

/** Nothing but blanks: an `include` is one line, without comments in it. */
function isBlankBetween(one: Token, other: Token): boolean {
  return /^[ \t]*$/.test(one.source.text.slice(one.end, other.start));
}

function hasWildcards(path: string): boolean {
  return /[*?[]/.test(path);
}

/** Of `[[:digit:]]` what is inside. */
const CLASSES: Readonly<Record<string, string>> = {
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  alpha: 'A-Za-z',
  alnum: '0-9A-Za-z',
  xdigit: '0-9A-Fa-f',
};

/** Shell patterns: `*`, `?`, `[a-z]`, `[!a-z]`, `[[:alpha:]]`; a leading dot is matched by a dot only. */
export function matchesGlob(name: string, written: string): boolean {
  if (name.startsWith('.') && !written.startsWith('.')) return false;
  const pattern = written.replaceAll(/\[:([a-z]+):\]/g, (text, word: string) => CLASSES[word] ?? text);
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    const close = char === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (close > 0) {
      const inner = pattern
        .slice(i + 1, close)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\');
      source += `[${inner}]`;
      i = close;
    } else source += char.replace(/[.*+?^${}()|[\]\\]/, '\\$&');
  }
  try {
    return new RegExp(`^${source}$`, 'su').test(name);
  } catch {
    // A range like [z-a] is no class: nothing matches it.
    return false;
  }
}
