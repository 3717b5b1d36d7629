// One evaluation in progress: the route, the variables of the functions entered, what was printed. Compiled terms and
// statements are closures over nothing but constants; whatever changes is here, so that one Run serves all filters
// one after the other.

import type { OutcomeMemo } from './outcome-memo.ts';
import type { RouteAccess } from './route-access.ts';
import type { Span } from './source.ts';
import { PolicyRuntimeError, type Value } from './values.ts';

/** How a statement ended. */
export const SIGNAL = { next: 0, return: 1, accept: 2, reject: 3, error: 4 } as const;
export type Signal = (typeof SIGNAL)[keyof typeof SIGNAL];

export type Evaluate = (run: Run) => Value;
export type Execute = (run: Run) => Signal;

/** Something a filter did, for `explain`. */
export interface TraceEvent {
  readonly kind:
    | 'condition'
    | 'case'
    | 'assign'
    | 'unset'
    | 'call'
    | 'return'
    | 'verdict'
    | 'print'
    | 'error';
  readonly span: Span;
  /** `bgp_local_pref = 200`, `accept`, `true`, ... */
  readonly text: string;
}

/** Thrown through a term whose function call accepted or rejected the route. */
export class VerdictInTerm extends Error {
  override readonly name = 'VerdictInTerm';
  signal: Signal = SIGNAL.reject;
}

/** A runtime error whose place is known. */
export class LocatedError extends PolicyRuntimeError {
  readonly span: Span;
  constructor(message: string, span: Span) {
    super(message);
    this.span = span;
  }
}

const MAX_CALLS = 256;

export class Run {
  #route: RouteAccess | undefined;
  readonly stack: Value[] = [];
  /** Where the variables of the running function begin, and the first slot that is free. */
  base = 0;
  top = 0;
  /** What `return` gave. */
  result: Value;
  /** Set where somebody wants to know. */
  trace: ((event: TraceEvent) => void) | undefined;
  /** Set where somebody wants to know what is asked of the prefix. */
  memo: OutcomeMemo | undefined;
  /** Nobody hears what is printed: the filter runs for show. */
  quiet = false;
  readonly #print: (line: string) => void;
  readonly #stop = new VerdictInTerm();
  #calls = 0;
  #line = '';

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Begins anew, with `slots` variables. */
  start(route: RouteAccess | undefined, slots: number): void {
    this.#route = route;
    this.base = 0;
    this.top = slots;
    this.#calls = 0;
    this.#line = '';
    this.result = undefined;
    for (let slot = 0; slot < slots; slot++) this.stack[slot] = undefined;
  }

  /** For a question about the route that needs no variable and prints nothing. */
  lend(route: RouteAccess | undefined): void {
    this.#route = route;
  }

  get route(): RouteAccess {
    if (this.#route === undefined) throw new PolicyRuntimeError('there is no route here');
    return this.#route;
  }

  /** Room for the variables of a function about to be called; returns where it begins. */
  enter(slots: number): number {
    if (++this.#calls > MAX_CALLS) throw new PolicyRuntimeError('functions call each other too deeply');
    const base = this.top;
    this.top += slots;
    for (let slot = base; slot < this.top; slot++) this.stack[slot] = undefined;
    return base;
  }

  leave(base: number): void {
    this.#calls--;
    this.top = base;
  }

  /** Ends the whole evaluation from inside a term. */
  stop(signal: Signal): never {
    this.#stop.signal = signal;
    throw this.#stop;
  }

  print(text: string, endsLine: boolean): void {
    this.#line += text;
    if (endsLine) this.#flush();
  }

  /** Ends a line that `printn` left open. */
  finish(): void {
    if (this.#line !== '') this.#flush();
    this.#route = undefined;
  }

  #flush(): void {
    const line = this.#line;
    this.#line = '';
    if (!this.quiet) this.#print(line);
  }
}
