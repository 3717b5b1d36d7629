// A scalar of a YAML text as a node: references to the environment replaced, those that cannot be reported.

import { expandReferences } from './environment.ts';
import type { IssueList } from './issues.ts';
import type { Environment, Path, ScalarNode } from './nodes.ts';
import { isSecretKey, type Span } from './source-text.ts';

export interface WrittenScalar {
  /** As YAML reads it. */
  readonly value: string | number | boolean | null;
  /** What a number or another word of YAML is written as. */
  readonly source: string;
  /** Without quotes. */
  readonly plain: boolean;
  readonly span: Span;
}

/** `path` is asked for only where something is wrong. */
export function readScalar(
  { value, source, plain, span }: WrittenScalar,
  path: () => Path,
  env: Environment,
  issues: Pick<IssueList, 'errorAt'>,
): ScalarNode {
  const kind = 'scalar';
  if (typeof value !== 'string') return { kind, span, plain, value, text: source, expanded: false };
  if (!value.includes('${')) return { kind, span, plain, value, text: value, expanded: false };
  const expanded = expandReferences(value, env);
  if (expanded.ok) return { kind, span, plain, value: expanded.text, text: expanded.text, expanded: true };
  // A password that only happens to hold a ${ must not be quoted.
  const named = !isQuiet(path()) || /^\$\{\w+\}$/.test(value);
  const message = named ? expanded.message : 'a reference in this value cannot be resolved';
  const hint = named ? expanded.hint : `a literal \${ is written $\${`;
  issues.errorAt(span, path(), message, hint);
  return { kind, span, plain, value: undefined, text: '', expanded: true };
}

/** Whether nothing of a value may be said. */
export function isQuiet(path: Path): boolean {
  return path.some((step) => typeof step === 'string' && isSecretKey(step));
}
