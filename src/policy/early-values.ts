// What terms come to while a text is read: constants, options of the configuration, members of sets. There is no route
// then, and no variable has been set. A variable is nothing to BIRD 1.6; 2.x does not clear the stack that variables and
// results share, so that the first variable of a function is what was computed last, and sets are made of that.

import type { Expression } from './ast.ts';
import type { Dialect } from './lexer.ts';
import type { RouteAccess } from './route-access.ts';
import { type Evaluate, Run, VerdictInTerm } from './run.ts';
import { PolicyRuntimeError, type Value } from './values.ts';

export class EarlyValues {
  readonly #clears: boolean;
  readonly #run: Run;
  /** Of terms that may come to something else another time: functions are compiled again where they are traced. */
  readonly #known = new WeakMap<Expression, Value>();

  /** `print` takes what functions print. */
  constructor(dialect: Dialect, print: (line: string) => void) {
    this.#clears = dialect === '1.6';
    this.#run = new Run(print);
  }

  /** The value of a term in whose place `slots` variables are known; a test has a route. Throws PolicyRuntimeError. */
  evaluate(evaluate: Evaluate, slots = 0, route?: RouteAccess): Value {
    const run = this.#run;
    run.start(route, this.#clears ? slots : 0);
    try {
      const value = evaluate(run);
      run.stack[0] = value;
      return value;
    } catch (error) {
      if (error instanceof VerdictInTerm)
        throw new PolicyRuntimeError('accept and reject belong into filters');
      throw error;
    } finally {
      run.finish();
    }
  }

  /** The same once and for all. */
  evaluateOnce(expression: Expression, evaluate: Evaluate, slots: number): Value {
    if (this.#known.has(expression)) return this.#known.get(expression);
    const value = this.evaluate(evaluate, slots);
    this.#known.set(expression, value);
    return value;
  }
}
