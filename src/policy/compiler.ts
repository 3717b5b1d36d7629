// The state of compiling one function, filter or term: where names are looked up, where mistakes go, what was found
// out. 2.x knows types beforehand, so a wrong one is an error; 1.6 finds out when the filter runs, so it is a warning.

import { nearest } from '../lib/suggest.ts';
import type { Name, PolicyType } from './ast.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { EarlyValues } from './early-values.ts';
import { Facts } from './facts.ts';
import type { Dialect } from './lexer.ts';
import { asQuad } from './quads.ts';
import type { PolicyTables } from './route-access.ts';
import { type Evaluate, Run } from './run.ts';
import type { Span } from './source.ts';
import { type FunctionSymbol, Locals, type PolicySymbol, type Symbols } from './symbols.ts';
import { isAssignable, PolicyRuntimeError, type Value } from './values.ts';

/** A compiled expression. */
export interface Term {
  readonly type: PolicyType;
  readonly span: Span;
  readonly evaluate: Evaluate;
  /** There where the value is known beforehand. */
  readonly constant?: { readonly value: Value };
  /** There where it is made of nothing but the prefix and constants: how often it reads the prefix. */
  readonly prefixReads?: number;
}

export class Compiler {
  readonly symbols: Symbols;
  readonly diagnostics: Diagnostics;
  readonly dialect: Dialect;
  readonly tables: PolicyTables;
  /** Whether statements tell what they do. */
  readonly traces: boolean;
  readonly early: EarlyValues;
  readonly locals = new Locals();
  readonly facts = new Facts();
  /** The function whose body this is. */
  within: FunctionSymbol | undefined;
  readonly #scratch = new Run(() => undefined);

  constructor(
    symbols: Symbols,
    diagnostics: Diagnostics,
    tables: PolicyTables,
    early: EarlyValues,
    traces: boolean,
  ) {
    this.symbols = symbols;
    this.diagnostics = diagnostics;
    this.dialect = symbols.dialect;
    this.tables = tables;
    this.early = early;
    this.traces = traces;
  }

  /** What the name stands for; reports one that stands for nothing. */
  resolve(name: Name): PolicySymbol | undefined {
    const symbol =
      this.locals.get(name.name) ??
      this.symbols.get(name.name) ??
      (name.quoted ? undefined : this.symbols.builtin(name.name));
    if (symbol !== undefined) return symbol;
    const meant = nearest(name.name, [...this.locals.names(), ...this.symbols.names()]);
    this.diagnostics.error(
      name.span,
      `'${name.name}' is not defined`,
      meant === undefined ? undefined : `did you mean '${meant}'?`,
    );
    return undefined;
  }

  /** Complains about a type that cannot do; 1.6 would find out when it runs. */
  mistyped(span: Span, message: string, hint?: string): void {
    if (this.dialect === '2.x') this.diagnostics.error(span, message, hint);
    else this.diagnostics.warning(span, message, hint);
  }

  /** Whether the term can be of the type. In 2.x only an address that is known, and of IPv4, stands for a router id. */
  fits({ type: given, constant }: Term, type: PolicyType): boolean {
    if (this.dialect === '1.6' || type !== 'quad' || given !== 'ip') return isAssignable(given, type);
    return asQuad(constant?.value) !== undefined;
  }

  /** Complains unless the term can be of the type. */
  want(term: Term, type: PolicyType, where: string): void {
    if (this.fits(term, type)) return;
    this.mistyped(term.span, `${where} must be ${type}, this is ${term.type}`);
  }

  constant(value: Value, type: PolicyType, span: Span): Term {
    return { type, span, evaluate: () => value, constant: { value } };
  }

  /**
   * A term made of others. With constants only it is computed now; what goes wrong then is a mistake in the text for
   * 2.x, and a route's bad luck in 1.6.
   */
  combine(type: PolicyType, span: Span, parts: readonly Term[], evaluate: Evaluate): Term {
    if (parts.some((part) => part.constant === undefined)) {
      const prefixReads = prefixReadsOf(parts);
      return prefixReads === undefined ? { type, span, evaluate } : { type, span, evaluate, prefixReads };
    }
    try {
      this.#scratch.start(undefined, 0);
      return this.constant(evaluate(this.#scratch), type, span);
    } catch (error) {
      if (!(error instanceof PolicyRuntimeError)) throw error;
      this.mistyped(span, error.message);
      return { type, span, evaluate };
    }
  }

  /**
   * The term where the filter goes one way or the other. A question about the prefix alone is told to whoever remembers
   * outcomes.
   */
  condition({ evaluate, prefixReads }: Term): Evaluate {
    if (prefixReads === undefined) return evaluate;
    this.facts.prefixUses -= prefixReads;
    return (run) => {
      const answer = evaluate(run);
      if (run.memo !== undefined && typeof answer === 'boolean') run.memo.note(evaluate, answer);
      return answer;
    };
  }

  /** What stands in for a term that makes no sense, the mistake being reported. */
  nonsense(span: Span): Term {
    return { type: 'unknown', span, evaluate: () => undefined };
  }
}

/** How often terms read the prefix that are made of it and constants alone; undefined where one is of something else. */
export function prefixReadsOf(parts: readonly Term[]): number | undefined {
  let reads = 0;
  for (const { constant, prefixReads } of parts) {
    if (constant !== undefined) continue;
    if (prefixReads === undefined) return undefined;
    reads += prefixReads;
  }
  return reads === 0 ? undefined : reads;
}
