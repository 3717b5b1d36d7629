// The tests that a configuration has for its filters, run, as plain values for whoever shows them.

import { describeStep } from '../policy/filter.ts';
import { lineOf, type Span } from '../policy/source.ts';
import type { Config } from './model.ts';

export interface TestReport {
  readonly name: string;
  /** `file:line` */
  readonly place: string;
  readonly failure: TestFailureReport | undefined;
}

/** Where, the filter's text there, and what came of it. */
export interface TraceStep {
  readonly place: string;
  readonly code: string;
  readonly text: string;
}

export interface TestFailureReport {
  readonly place: string;
  readonly message: string;
  /** What the filter did, in order. */
  readonly steps: readonly TraceStep[];
}

/** Runs every test, in the order of the file. */
export function runTests(config: Config): TestReport[] {
  return (config.tests ?? []).map((test) => {
    const failure = test.run();
    return {
      name: test.name,
      place: at(test.span),
      failure: failure && {
        place: at(failure.span),
        message: failure.message,
        steps: failure.events.map(describeStep),
      },
    };
  });
}

function at(span: Span): string {
  return `${span.source.name}:${lineOf(span)}`;
}
