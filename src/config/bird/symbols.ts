// The names of a configuration: one space for constants, functions, filters, tables, protocols, templates and
// attributes, each known from its definition on. And what constants are worth where an option needs a value now.

import { nearest } from '../../lib/suggest.ts';
import type { Diagnostics } from '../../policy/diagnostics.ts';
import type { Token } from '../../policy/lexer.ts';
import { lineOf, type Span } from '../../policy/source.ts';
import type { Constant } from './constants.ts';

export type SymbolKind = 'constant' | 'function' | 'filter' | 'table' | 'protocol' | 'template' | 'attribute';

export interface BirdSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  /** undefined: predefined */
  readonly span: Span | undefined;
  /** Of a constant whose value could be computed. */
  readonly constant?: Constant;
}

export class Symbols {
  readonly #byName = new Map<string, BirdSymbol>();
  readonly #diagnostics: Diagnostics;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  get(name: string): BirdSymbol | undefined {
    return this.#byName.get(name);
  }

  /** Takes a name into use; a second definition is reported and ignored. */
  define(token: Token, symbol: Omit<BirdSymbol, 'name' | 'span'>): boolean {
    if (!this.isFree(token)) return false;
    this.#byName.set(token.text, { ...symbol, name: token.text, span: token });
    return true;
  }

  /** Whether nothing has the name; what has it is reported. */
  isFree(token: Token): boolean {
    const before = this.#byName.get(token.text);
    if (before === undefined) return true;
    this.#diagnostics.error(token, `${token.text} is already defined`, whereOf(before));
    return false;
  }

  /** A name that is there from the beginning, or given by the reader itself. */
  predefine(name: string, kind: SymbolKind, span?: Span): void {
    this.#byName.set(name, { name, kind, span });
  }

  /** A number that has a name from the beginning. */
  predefineNumber(name: string, value: number): void {
    this.#byName.set(name, { name, kind: 'constant', span: undefined, constant: { kind: 'int', value } });
  }

  /** What to say of a name that is not of the kind wanted. */
  hint(name: string, kinds: readonly SymbolKind[]): string | undefined {
    const symbol = this.#byName.get(name);
    const known = [...this.#byName.values()].filter((each) => kinds.includes(each.kind));
    if (symbol !== undefined) return `${name} is a ${symbol.kind}`;
    const near = nearest(
      name,
      known.map((each) => each.name),
    );
    return near === undefined ? 'names must be defined before they are used' : `did you mean ${near}?`;
  }
}

function whereOf({ kind, span }: BirdSymbol): string {
  if (span !== undefined) return `it is the ${kind} of ${span.source.name} line ${lineOf(span)}`;
  return kind === 'constant' ? 'it is a name of /etc/iproute2' : `it is a predefined ${kind}`;
}
