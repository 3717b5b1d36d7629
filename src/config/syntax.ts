// YAML text -> a tree of plain nodes that know where they stand. Done here: YAML errors, duplicate keys, aliases,
// `${ENV}` references, and blacking out what stands under a password key. What keys mean is schema.ts's.

import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml';
import { expandReferences } from './environment.ts';
import type { IssueList } from './issues.ts';
import type { ConfigNode, Environment, MapEntry, Path, ScalarNode } from './nodes.ts';
import { isSecretKey, mentionsSecret, type SourceText, type Span } from './source-text.ts';
import { reportYamlErrors } from './yaml-errors.ts';

/** Keys of secrets, as far as a word of the language is none. */
const IS_SECRET = /pass|secret|pwd|psk|^value$/i;
/** Nodes that aliases may multiply a file to. */
const MOST_ALIAS_NODES = 100_000;
const DEEPEST_NESTING = 32;

/** The tree of the file's one document; undefined where YAML itself is broken, with the issues reported. */
export function readSyntax(source: SourceText, env: Environment, issues: IssueList): ConfigNode | undefined {
  const documents = parse(source, issues);
  if (documents === undefined) return undefined;
  const [document, second] = documents;
  const errors = documents.flatMap((each) => [...each.errors, ...each.warnings]);
  if (errors.length > 0) {
    source.maskByShape();
    if (document !== undefined) maskSecrets(document, source);
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
  maskSecrets(document, source);
  return new TreeBuilder(document, env, issues).build(contents);
}

function parse(source: SourceText, issues: IssueList): Document.Parsed[] | undefined {
  try {
    const documents = parseAllDocuments(source.text, {
      // Pretty messages quote the source, and with it a password.
      prettyErrors: false,
      uniqueKeys: false,
    });
    return [...documents];
  } catch (error) {
    // The parser recurses; a file of ten thousand brackets ends its stack.
    if (!(error instanceof RangeError)) throw error;
    source.maskByShape();
    issues.errorAt({ start: 0, end: 0 }, [], 'the file is nested too deeply to be read');
    return undefined;
  }
}

/** Blacks out everything under keys that look like a password, but the names of files and of variables. */
function maskSecrets(document: Document.Parsed, source: SourceText): void {
  const visit = (node: unknown, secret: boolean, depth: number): void => {
    if (depth > DEEPEST_NESTING * 2) return;
    if (isAlias(node)) {
      const target = secret ? node.resolve(document) : undefined;
      if (target !== undefined) visit(target, true, depth + 1);
      // A password that begins with an asterisk is no alias.
      else if (secret && node.range) source.mask({ start: node.range[0], end: node.range[1] });
    } else if (isScalar(node)) {
      const telling = secret || (typeof node.value === 'string' && mentionsSecret(node.value));
      if (telling && node.range) source.mask({ start: node.range[0], end: node.range[1] });
    } else if (isSeq(node)) {
      for (const item of node.items) visit(item, secret, depth + 1);
    } else if (isMap(node)) {
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value) : '';
        const reference = secret && (name === 'file' || name === 'env');
        visit(key, secret && !reference && name !== 'value', depth + 1);
        const hidden = (secret || isSecretKey(name)) && !reference;
        visit(value, hidden, depth + 1);
        // By mistake it may stand elsewhere, too.
        if (hidden && IS_SECRET.test(name) && isScalar(value) && typeof value.value === 'string') {
          source.hide(value.value);
        }
      }
    }
  };
  visit(document.contents, false, 0);
}

class TreeBuilder {
  readonly #document: Document.Parsed;
  readonly #env: Environment;
  readonly #issues: IssueList;
  #aliasDepth = 0;
  #aliasNodes = 0;

  constructor(document: Document.Parsed, env: Environment, issues: IssueList) {
    this.#document = document;
    this.#env = env;
    this.#issues = issues;
  }

  build(contents: Node): ConfigNode {
    return this.#node(contents, [], { start: 0, end: 0 });
  }

  /** `around` is where a node without a range of its own is shown. */
  #node(node: unknown, path: Path, around: Span): ConfigNode {
    const span = spanOf(node) ?? around;
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
      const key = spanOf(pair.key) ?? around;
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
    const written = typeof value === 'string' ? value : (source ?? '');
    const base = { kind: 'scalar', span, plain } as const;
    if (typeof value === 'string' && value.includes('${')) {
      const expanded = expandReferences(value, this.#env);
      if (expanded.ok) return { ...base, value: expanded.text, text: expanded.text, expanded: true };
      const quiet = isQuiet(path);
      // A password that only happens to hold a ${ must not be quoted.
      const named = !quiet || /^\$\{\w+\}$/.test(value);
      const message = named ? expanded.message : 'a reference in this value cannot be resolved';
      const hint = named ? expanded.hint : `a literal \${ is written $\${`;
      this.#issues.errorAt(span, path, message, hint);
      return { ...base, value: undefined, text: '', expanded: true };
    }
    const known =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null;
    return { ...base, value: known ? value : written, text: written, expanded: false };
  }

  #refuse(span: Span, path: Path, message: string, hint?: string): ScalarNode {
    this.#issues.errorAt(span, path, message, hint);
    return { kind: 'scalar', span, value: undefined, text: '', plain: false, expanded: false };
  }
}

/** Whether nothing of a value may be said. */
function isQuiet(path: Path): boolean {
  return path.some((step) => typeof step === 'string' && isSecretKey(step));
}

function spanOf(node: unknown): Span | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range ? { start: node.range[0], end: node.range[1] } : undefined;
}
