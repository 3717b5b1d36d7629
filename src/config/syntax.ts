// YAML text -> a tree of plain nodes that know where they stand. Done here: YAML errors, duplicate keys, aliases,
// and blacking out what stands under a password key. What keys mean is schema.ts's. Long lists are mostly so plain that
// plain-yaml.ts reads their sections, and the library gets the rest of the text.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import type { IssueList } from './issues.ts';
import type { ConfigNode, Environment, MapEntry, Path, ScalarNode } from './nodes.ts';
import { type PlainSection, readPlainSections } from './plain-yaml.ts';
import { isQuiet, readScalar } from './scalars.ts';
import { mentionsSecret, SecretKeys, type SourceText, type Span } from './source-text.ts';
import { reportYamlErrors } from './yaml-errors.ts';

/** Nodes that aliases may multiply a file to. */
const MOST_ALIAS_NODES = 100_000;
const DEEPEST_NESTING = 32;

/** The tree of the file's one document; undefined where YAML itself is broken, with the issues reported. */
export function readSyntax(source: SourceText, env: Environment, issues: IssueList): ConfigNode | undefined {
  const plain = readPlainSections(source, env, issues);
  const tree = plain.length === 0 ? undefined : readBeside(plain, source, env, issues);
  return tree ?? readWhole(source, env, issues);
}

/** A tree of these sections and of what the library reads without them; undefined where that is no mapping of its own. */
function readBeside(
  plain: readonly PlainSection[],
  source: SourceText,
  env: Environment,
  issues: IssueList,
): ConfigNode | undefined {
  const rest = new Rest(source.text, plain);
  const entries = plain.map(({ name, entry }) => [name, entry] as const);
  if (!rest.isEmpty) {
    const documents = parse(rest.text);
    const [document] = documents ?? [];
    const { contents } = document ?? {};
    const sound = documents?.length === 1 && faultsOf(documents).length === 0 && isMap(contents);
    if (document === undefined || contents === undefined || contents === null || !sound) return undefined;
    maskSecrets(document, source, rest);
    const tree = new TreeBuilder(document, rest, env, issues).build(contents);
    if (tree.kind === 'map') entries.push(...tree.entries);
  }
  entries.sort(([, a], [, b]) => a.key.start - b.key.start);
  const start = entries[0]?.[1].key.start ?? 0;
  return { kind: 'map', span: { start, end: source.text.length }, entries: new Map(entries) };
}

function readWhole(source: SourceText, env: Environment, issues: IssueList): ConfigNode | undefined {
  const documents = parse(source.text);
  if (documents === undefined) {
    source.maskByShape();
    issues.errorAt({ start: 0, end: 0 }, [], 'the file is nested too deeply to be read');
    return undefined;
  }
  const whole = new Rest(source.text, []);
  const [document, second] = documents;
  if (faultsOf(documents).length > 0) {
    source.maskByShape();
    if (document !== undefined) maskSecrets(document, source, whole);
    reportYamlErrors(documents, source, issues);
    return undefined;
  }
  if (second !== undefined) {
    const start = second.range?.[0] ?? 0;
    source.maskByShape();
    issues.errorAt(
      { start, end: start + 1 },
      [],
      'a second YAML document',
      'one file holds one configuration',
    );
    return undefined;
  }
  const contents = document?.contents ?? undefined;
  if (document === undefined || contents === undefined || (isScalar(contents) && contents.value === null)) {
    issues.errorAt(
      { start: 0, end: 0 },
      [],
      'the configuration is empty',
      'at least `router: { asn: 64512 }` is needed',
    );
    return undefined;
  }
  maskSecrets(document, source, whole);
  return new TreeBuilder(document, whole, env, issues).build(contents);
}

/** The documents of a text; undefined where the parser, which recurses, has come to the end of its stack. */
function parse(text: string): Document.Parsed[] | undefined {
  try {
    // Pretty messages quote the source, and with it a password.
    return [...parseAllDocuments(text, { prettyErrors: false, uniqueKeys: false })];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

function faultsOf(documents: readonly Document.Parsed[]): YAMLError[] {
  return documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
}

/** A text without some ranges of it, and where its nodes stand in the whole. */
class Rest {
  readonly text: string;
  /** In order: where a part begins here, and how much further on it does so in the whole. */
  readonly #parts: readonly { readonly start: number; readonly shift: number }[];

  constructor(whole: string, without: readonly Span[]) {
    let text = '';
    let at = 0;
    this.#parts = [...without, { start: whole.length, end: whole.length }].map(({ start, end }) => {
      const part = { start: text.length, shift: at - text.length };
      text += whole.slice(at, start);
      at = end;
      return part;
    });
    this.text = text;
  }

  /** Without anything but comments. */
  get isEmpty(): boolean {
    return !/^ *[^ #\n]/m.test(this.text);
  }

  spanOf(node: unknown): Span | undefined {
    if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
    if (!node.range) return undefined;
    const [start, end] = node.range;
    // What ends with a part does not reach to the next.
    return { start: this.#place(start), end: end > start ? this.#place(end - 1) + 1 : this.#place(start) };
  }

  #place(offset: number): number {
    const part = this.#parts.findLast(({ start }) => start <= offset);
    return offset + (part?.shift ?? 0);
  }
}

/** Blacks out everything under keys that look like a password, but the names of files and of variables. */
function maskSecrets(document: Document.Parsed, source: SourceText, place: Rest): void {
  const keys = new SecretKeys();
  const mask = (node: unknown): void => {
    const span = place.spanOf(node);
    if (span !== undefined) source.mask(span);
  };
  const visit = (node: unknown, secret: boolean, depth: number): void => {
    if (depth > DEEPEST_NESTING * 2) return;
    if (isAlias(node)) {
      const target = secret ? node.resolve(document) : undefined;
      if (target !== undefined) visit(target, true, depth + 1);
      // A password that begins with an asterisk is no alias.
      else if (secret) mask(node);
    } else if (isScalar(node)) {
      if (secret || (typeof node.value === 'string' && mentionsSecret(node.value))) mask(node);
    } else if (isSeq(node)) {
      for (const item of node.items) visit(item, secret, depth + 1);
    } else if (isMap(node)) {
      for (const { key, value } of node.items) {
        const hidden = keys.of(isScalar(key) ? String(key.value) : '', secret);
        visit(key, hidden.key, depth + 1);
        visit(value, hidden.value, depth + 1);
        if (hidden.elsewhere && isScalar(value) && typeof value.value === 'string') source.hide(value.value);
      }
    }
  };
  visit(document.contents, false, 0);
}

class TreeBuilder {
  readonly #document: Document.Parsed;
  readonly #place: Rest;
  readonly #env: Environment;
  readonly #issues: IssueList;
  #aliasDepth = 0;
  #aliasNodes = 0;

  constructor(document: Document.Parsed, place: Rest, env: Environment, issues: IssueList) {
    this.#document = document;
    this.#place = place;
    this.#env = env;
    this.#issues = issues;
  }

  build(contents: Node): ConfigNode {
    return this.#node(contents, [], { start: 0, end: 0 });
  }

  /** `around` is where a node without a range of its own is shown. */
  #node(node: unknown, path: Path, around: Span): ConfigNode {
    const span = this.#place.spanOf(node) ?? around;
    if (path.length > DEEPEST_NESTING) return this.#refuse(span, path, 'nested too deeply');
    if (this.#aliasDepth > 0 && ++this.#aliasNodes > MOST_ALIAS_NODES) {
      return this.#refuse(span, [], 'the aliases of this file multiply it beyond reason');
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) {
        return this.#refuse(
          span,
          path,
          isQuiet(path)
            ? 'this names an anchor that is not there'
            : `there is no anchor &${node.source} before this`,
          isQuiet(path) ? 'a password that begins with * is put in quotes' : 'aliases name an anchor above',
        );
      }
      this.#aliasDepth++;
      const built = this.#node(target, path, span);
      this.#aliasDepth--;
      // Shown where it is used: that is where it is wrong.
      return { ...built, span };
    }
    if (isSeq(node)) {
      return { kind: 'list', span, items: node.items.map((item, i) => this.#node(item, [...path, i], span)) };
    }
    if (isMap(node)) return { kind: 'map', span, entries: this.#entries(node.items, path, span) };
    if (isScalar(node)) return this.#scalar(node.value, node.source, node.type === 'PLAIN', span, path);
    return this.#scalar(null, '', true, span, path);
  }

  #entries(
    pairs: readonly { key: unknown; value: unknown }[],
    path: Path,
    around: Span,
  ): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    for (const pair of pairs) {
      const key = this.#place.spanOf(pair.key) ?? around;
      if (!isScalar(pair.key)) {
        this.#issues.errorAt(key, path, 'a key must be a single word');
        continue;
      }
      const name = pair.key.source ?? String(pair.key.value);
      const value = this.#node(pair.value, [...path, name], key);
      const earlier = entries.get(name);
      if (earlier === undefined) entries.set(name, { key, value });
      else {
        const line = this.#issues.lineOf(earlier.key);
        this.#issues.errorAt(
          key,
          [...path, name],
          `the key is given twice, first in line ${line}`,
          'keep one of them',
        );
      }
    }
    return entries;
  }

  #scalar(value: unknown, source: string | undefined, plain: boolean, span: Span, path: Path): ScalarNode {
    const known =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
    const text = source ?? '';
    return readScalar(
      { value: known ? value : text, source: text, plain, span },
      () => path,
      this.#env,
      this.#issues,
    );
  }

  #refuse(span: Span, path: Path, message: string, hint?: string): ScalarNode {
    this.#issues.errorAt(span, path, message, hint);
    return { kind: 'scalar', span, value: undefined, text: '', plain: false, expanded: false };
  }
}
