// A compiled filter: whether a route passes and, through its RouteAccess, how it changes. Filters of equal text that
// use equal definitions are one object, so that what is remembered of one serves all that use it.

import type { Facts } from './facts.ts';
import type { Dialect } from './lexer.ts';
import type { OutcomeMemo } from './outcome-memo.ts';
import type { RouteAccess } from './route-access.ts';
import {
  type Execute,
  LocatedError,
  type Run,
  SIGNAL,
  type Signal,
  type TraceEvent,
  VerdictInTerm,
} from './run.ts';
import { lineOf, type Span } from './source.ts';
import { PolicyRuntimeError } from './values.ts';

/** What became of a route. `failed`: rejected because the filter could not go on. */
export const OUTCOME = { accept: 0, reject: 1, failed: 2 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** What filters say while they run. */
export interface PolicyLog {
  /** A line of `print`. */
  print(line: string): void;
  /** Why a filter could not go on; the route is rejected. */
  error(filter: string, message: string, span: Span | undefined): void;
}

/** What a filter did with one route. */
export interface Explanation {
  readonly outcome: Outcome;
  readonly events: readonly TraceEvent[];
  /** The statement that decided; undefined where none did. */
  readonly decision: TraceEvent | undefined;
}

export class Filter {
  /** Undefined for one that was written where it is used. */
  readonly name: string | undefined;
  /** The same for equal filters only. */
  readonly key: string;
  readonly facts: Facts;
  readonly dialect: Dialect;
  /** Accepts everything unchanged, or nothing: no need to run it. */
  readonly trivial: 'accept' | 'reject' | undefined;
  readonly #slots: number;
  readonly #execute: Execute;
  readonly #traced: () => Execute;
  readonly #run: Run;
  readonly #log: PolicyLog;
  #explainer: Execute | undefined;

  constructor(parts: {
    name: string | undefined;
    key: string;
    facts: Facts;
    dialect: Dialect;
    trivial: 'accept' | 'reject' | undefined;
    slots: number;
    execute: Execute;
    traced: () => Execute;
    run: Run;
    log: PolicyLog;
  }) {
    this.name = parts.name;
    this.key = parts.key;
    this.facts = parts.facts;
    this.dialect = parts.dialect;
    this.trivial = parts.trivial;
    this.#slots = parts.slots;
    this.#execute = parts.execute;
    this.#traced = parts.traced;
    this.#run = parts.run;
    this.#log = parts.log;
  }

  /** The prefix matters, but in questions that a memo can put again; and nobody would miss a run of the filter. */
  get hasFewOutcomes(): boolean {
    const { dependsOnPrefix, prefixUses, prints, tables } = this.facts;
    return dependsOnPrefix && prefixUses === 0 && !prints && tables.size === 0;
  }

  /** Runs the filter over one route. Never throws because of the route. */
  evaluate(route: RouteAccess, memo?: OutcomeMemo): Outcome {
    memo?.listen();
    this.#run.memo = memo;
    return this.#evaluate(route, this.#execute);
  }

  /**
   * What `memo` knows of the route; undefined where the filter must run, which `evaluate` tells the memo of. A memo is of
   * one attribute set of one peer.
   */
  recall(route: RouteAccess, memo: OutcomeMemo): number | undefined {
    const run = this.#run;
    run.lend(route);
    try {
      return memo.find(run);
    } catch (error) {
      if (error instanceof PolicyRuntimeError) return undefined;
      throw error;
    } finally {
      run.lend(undefined);
    }
  }

  /** evaluate, with a record of what it did; the route changes as it would. What it prints is in the record only. */
  explain(route: RouteAccess): Explanation {
    this.#explainer ??= this.#traced();
    const events: TraceEvent[] = [];
    const run = this.#run;
    const wasQuiet = run.quiet;
    run.trace = (event) => events.push(event);
    run.quiet = true;
    try {
      const outcome = this.#evaluate(route, this.#explainer);
      const last = events.at(-1);
      const decision = last?.kind === 'verdict' || last?.kind === 'error' ? last : undefined;
      return { outcome, events, decision };
    } finally {
      run.trace = undefined;
      run.quiet = wasQuiet;
    }
  }

  /** While it is quiet it prints and complains of nothing, as all filters of its program. */
  set quiet(quiet: boolean) {
    this.#run.quiet = quiet;
  }

  #evaluate(route: RouteAccess, execute: Execute): Outcome {
    const run = this.#run;
    run.start(route, this.#slots);
    try {
      return this.#outcome(execute(run));
    } catch (error) {
      if (error instanceof VerdictInTerm) return this.#outcome(error.signal);
      if (!(error instanceof PolicyRuntimeError)) throw error;
      return this.#fail(error.message, error instanceof LocatedError ? error.span : undefined);
    } finally {
      run.memo = undefined;
      run.finish();
    }
  }

  #outcome(signal: Signal): Outcome {
    switch (signal) {
      case SIGNAL.accept:
        return OUTCOME.accept;
      case SIGNAL.reject:
        return OUTCOME.reject;
      case SIGNAL.error:
        return this.#fail('the filter gave up with an error', undefined);
      default:
        return this.#fail('the filter came to its end without accept or reject', undefined);
    }
  }

  #fail(message: string, span: Span | undefined): Outcome {
    if (span !== undefined) this.#run.trace?.({ kind: 'error', span, text: message });
    if (!this.#run.quiet) this.#log.error(this.name ?? 'unnamed filter', message, span);
    return OUTCOME.failed;
  }
}

/** `file:line` of a step, for people. */
export function placeOf(event: TraceEvent): string {
  return `${event.span.source.name}:${lineOf(event.span)}`;
}

const LONGEST_CODE = 100;

/** A step for people: where it is, the first line of the filter's own text there, and what came of it. */
export function describeStep(event: TraceEvent): { place: string; code: string; text: string } {
  const { source, start, end } = event.span;
  const code = source.text.slice(start, end).split('\n')[0]!.trim();
  return {
    place: placeOf(event),
    code: code.length > LONGEST_CODE ? `${code.slice(0, LONGEST_CODE)}\u2026` : code,
    text: event.text,
  };
}
