// The plain part of YAML, which long lists of peers and networks are written in, straight into the tree: of what the
// YAML library keeps of a text, each character costs a hundred octets. Plain is a section of the top level with nothing
// but mappings and lists, in lines or in brackets on one line, of words, whole numbers, true, false, and quoted texts
// without escapes. Anything else, mistakes included, is left to the library, which reads what is plain in the same way.

import type { IssueList } from './issues.ts';
import type { ConfigNode, Environment, ListNode, MapEntry, MapNode, ScalarNode } from './nodes.ts';
import { readScalar, type WrittenScalar } from './scalars.ts';
import { mentionsSecret, SecretKeys, type SourceText, type Span } from './source-text.ts';

/** A key of the top level and the lines below it, up to the next. */
interface Section extends Span {
  readonly name: string;
}

export interface PlainSection extends Section {
  readonly entry: MapEntry;
}

const DEEPEST_NESTING = 16;
/** Of a whole number that is exact. */
const MOST_DIGITS = 15;

const TOP_LINE = /([A-Za-z]\w*):(?= |$)| *(?:#|$)|- /my;
const KEY = /([A-Za-z_][\w-]*):(?= |$)/my;
const FLOW_KEY = /([A-Za-z_][\w-]*):(?= )/y;
const DASH = /- +/y;
const SPACES = / */y;
const COMMENT = /(?:#.*)?$/my;
const LINE_END = /(?: +#.*| *)$/my;
const BLANK_LINES = /(?:\n(?: *(?:#.*)?\n)*(?: *(?:#.*)?$)?)?/y;
const DOUBLE_QUOTED = /"([^"\\\n]*)"/y;
const SINGLE_QUOTED = /'([^'\n]*)'(?!')/y;
/** Texts without quotes. A colon, and what comes behind spaces, is part of one only where nothing else is possible. */
const WORDS = /(?:[\w./$]|:(?=[\w:/]))(?:[\w./+@%()=;,${}-]|:(?=[\w./:$-])| +(?=[\w./+@%()=;,${}-]))*/y;
const FLOW_WORDS = /(?:[\w./]|:(?=[\w:/]))(?:[\w./+@%()=;-]|:(?=[\w./:])| +(?=[\w./+@%()=;-]))*/y;
const WHOLE_NUMBER = /^\d+$/;
/** What else YAML does not read as a text. */
const OTHER_VALUE = /^(?:null|true|false|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|0[ox][\da-f]+|\.inf|\.nan)$/i;

/** Every section that is plain, in order; none where lines do not even tell for sure what the sections are. */
export function readPlainSections(source: SourceText, env: Environment, issues: IssueList): PlainSection[] {
  const reader = new PlainReader(source, env, issues);
  return sectionsOf(source.text).flatMap((section) => {
    const entry = reader.read(section);
    return entry === undefined ? [] : [{ ...section, entry }];
  });
}

/** In the first column are the keys of the top level, unless a line begins with what is no key, comment or entry. */
function sectionsOf(text: string): Section[] {
  const names = new Set<string>();
  const starts: { readonly name: string; readonly start: number }[] = [];
  for (let start = 0; start < text.length; start = nextLine(text, start)) {
    // In front of all keys it would be another one of the top level, out of its column.
    if (text[start] === ' ' && starts.length > 0) continue;
    TOP_LINE.lastIndex = start;
    const line = TOP_LINE.exec(text);
    if (line === null) return [];
    const [, name] = line;
    if (name === undefined) continue;
    if (names.has(name)) return [];
    names.add(name);
    starts.push({ name, start });
  }
  return starts.map((section, i) => ({ ...section, end: starts[i + 1]?.start ?? text.length }));
}

function nextLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.length : newline + 1;
}

/** Ends the reading of a section. */
class NotPlain extends Error {}

class PlainReader {
  readonly #source: SourceText;
  readonly #text: string;
  readonly #env: Environment;
  readonly #later: Pick<IssueList, 'errorAt'>;
  readonly #secretKeys = new SecretKeys();
  /** To be said of the section once it is known to be plain: the library may read otherwise what is not. */
  #complaints: (() => void)[] = [];
  /** Of what is being read. */
  readonly #path: (string | number)[] = [];
  #at = 0;
  /** Of the section. */
  #end = 0;
  /** Of the line that `#at` is in; -1 behind the section. */
  #indent = 0;

  constructor(source: SourceText, env: Environment, issues: IssueList) {
    this.#source = source;
    this.#text = source.text;
    this.#env = env;
    this.#later = {
      errorAt: (...issue) => void this.#complaints.push(() => issues.errorAt(...issue)),
    };
  }

  /** The one entry of a section; undefined where it is not plain. */
  read({ name, start, end }: Section): MapEntry | undefined {
    this.#at = start;
    this.#end = end;
    this.#indent = 0;
    this.#path.length = 0;
    this.#complaints = [];
    try {
      const { entries } = this.#map(0, false);
      for (const complain of this.#complaints) complain();
      return entries.get(name);
    } catch (error) {
      if (error instanceof NotPlain) return undefined;
      throw error;
    }
  }

  /** A mapping in lines; its first key is here, the others begin in column `indent`, too. */
  #map(indent: number, secret: boolean): MapNode {
    const start = this.#at;
    const entries = new Map<string, MapEntry>();
    do {
      this.#entry(KEY, entries, secret, (hidden) => this.#below(indent, hidden) ?? this.#line(hidden));
    } while (this.#indent === indent);
    if (this.#indent > indent) throw new NotPlain();
    return { kind: 'map', span: { start, end: this.#at }, entries };
  }

  /** A list in lines whose dashes stand in column `indent`. */
  #list(indent: number, secret: boolean): ListNode {
    const start = this.#at;
    const items: ConfigNode[] = [];
    do {
      const inner = indent + this.#take(DASH)[0].length;
      this.#path.push(items.length);
      items.push(this.#sees(KEY) ? this.#map(inner, secret) : this.#line(secret));
      this.#path.pop();
    } while (this.#indent === indent && this.#text[this.#at] === '-');
    if (this.#indent > indent) throw new NotPlain();
    return { kind: 'list', span: { start, end: this.#at }, items };
  }

  /** What stands in the lines below a key of column `indent`; undefined where something follows the key itself. */
  #below(indent: number, secret: boolean): ConfigNode | undefined {
    if (!this.#sees(COMMENT)) return undefined;
    this.#endLine();
    const isList = this.#text[this.#at] === '-';
    if (this.#path.length > DEEPEST_NESTING || this.#indent < (isList ? indent : indent + 1)) {
      throw new NotPlain();
    }
    return isList ? this.#list(this.#indent, secret) : this.#map(this.#indent, secret);
  }

  /** What ends with its line. */
  #line(secret: boolean): ConfigNode {
    const node = this.#value(secret, WORDS);
    this.#endLine();
    return node;
  }

  #value(secret: boolean, words: RegExp): ConfigNode {
    if (this.#path.length > DEEPEST_NESTING) throw new NotPlain();
    const start = this.#at;
    const char = this.#text[start];
    if (char === '{') {
      const entries = new Map<string, MapEntry>();
      this.#inBrackets('}', () => {
        this.#entry(FLOW_KEY, entries, secret, (hidden) => this.#value(hidden, FLOW_WORDS));
      });
      return { kind: 'map', span: { start, end: this.#at }, entries };
    }
    if (char === '[') {
      const items: ConfigNode[] = [];
      this.#inBrackets(']', () => {
        this.#path.push(items.length);
        items.push(this.#value(secret, FLOW_WORDS));
        this.#path.pop();
      });
      return { kind: 'list', span: { start, end: this.#at }, items };
    }
    if (char === '"') return this.#scalar(start, this.#take(DOUBLE_QUOTED)[1]!, false, secret);
    if (char === "'") return this.#scalar(start, this.#take(SINGLE_QUOTED)[1]!, false, secret);
    return this.#scalar(start, this.#take(words)[0], true, secret);
  }

  #inBrackets(close: string, readOne: () => void): void {
    this.#at++;
    this.#take(SPACES);
    while (this.#text[this.#at] !== close) {
      readOne();
      this.#take(SPACES);
      if (this.#text[this.#at] === close) break;
      if (this.#text[this.#at] !== ',') throw new NotPlain();
      this.#at++;
      this.#take(SPACES);
    }
    this.#at++;
  }

  #entry(
    pattern: RegExp,
    entries: Map<string, MapEntry>,
    secret: boolean,
    readValue: (secret: boolean) => ConfigNode,
  ): void {
    const start = this.#at;
    const name = this.#take(pattern)[1]!;
    if (entries.has(name)) throw new NotPlain();
    const key = { start, end: start + name.length };
    const hidden = this.#secretKeys.of(name, secret);
    if (hidden.key) this.#source.mask(key);
    this.#take(SPACES);
    this.#path.push(name);
    const value = readValue(hidden.value);
    this.#path.pop();
    if (hidden.elsewhere && value.kind === 'scalar' && (typeof value.value === 'string' || value.expanded)) {
      this.#source.hide(this.#written(value));
    }
    entries.set(name, { key, value });
  }

  #written({ span: { start, end }, plain }: ScalarNode): string {
    return plain ? this.#text.slice(start, end) : this.#text.slice(start + 1, end - 1);
  }

  #scalar(start: number, source: string, plain: boolean, secret: boolean): ScalarNode {
    const span = { start, end: this.#at };
    const value = plain ? readWord(source) : source;
    if (secret || (typeof value === 'string' && mentionsSecret(value))) this.#source.mask(span);
    const written: WrittenScalar = { value, source, plain, span };
    return readScalar(written, () => [...this.#path], this.#env, this.#later);
  }

  /** To the next line that has something. */
  #endLine(): void {
    this.#take(LINE_END);
    this.#take(BLANK_LINES);
    const start = this.#at;
    this.#take(SPACES);
    this.#indent = start < this.#end ? this.#at - start : -1;
  }

  #sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  #take(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw new NotPlain();
    this.#at = pattern.lastIndex;
    return found;
  }
}

function readWord(word: string): string | number | boolean {
  if (WHOLE_NUMBER.test(word) && word.length <= MOST_DIGITS) return Number(word);
  if (word === 'true' || word === 'false') return word === 'true';
  if (WHOLE_NUMBER.test(word) || OTHER_VALUE.test(word)) throw new NotPlain();
  return word;
}
