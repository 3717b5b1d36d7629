// The tree that a YAML text becomes: plain nodes that know where they stand, and ways through it. Who reads it from
// YAML is syntax.ts; nothing here needs the YAML library.

import type { Span } from './source-text.ts';

export type Path = readonly (string | number)[];

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly span: Span;
  /** Undefined where a reference in it could not be resolved, which is already reported. */
  readonly value: string | number | boolean | null | undefined;
  /** The text as written, references replaced. */
  readonly text: string;
  /** Without quotes, so that the reader of the schema may choose between number and text. */
  readonly plain: boolean;
  /** A `${...}` stood in it. */
  readonly expanded: boolean;
}

export interface ListNode {
  readonly kind: 'list';
  readonly span: Span;
  readonly items: readonly ConfigNode[];
}

export interface MapNode {
  readonly kind: 'map';
  readonly span: Span;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly key: Span;
  readonly value: ConfigNode;
}

export type ConfigNode = ScalarNode | ListNode | MapNode;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The node at `path`; undefined where there is none. */
export function nodeAt(root: ConfigNode, path: Path): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const step of path) {
    if (node === undefined) return undefined;
    if (node.kind === 'list') node = typeof step === 'number' ? node.items[step] : undefined;
    else if (node.kind === 'map') node = node.entries.get(String(step))?.value;
    else return undefined;
  }
  return node;
}

/** The entry of a mapping at `path`, with its key's place; undefined where the path ends in a list or nowhere. */
export function entryAt(root: ConfigNode, path: Path): MapEntry | undefined {
  const parent = nodeAt(root, path.slice(0, -1));
  const last = path.at(-1);
  return parent?.kind === 'map' && last !== undefined ? parent.entries.get(String(last)) : undefined;
}

/** `peers[0].asn` */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
