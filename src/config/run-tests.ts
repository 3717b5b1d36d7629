// The tests that a configuration has for its filters, run, as plain values for whoever shows them.

import { placeOf } from '../policy/filter.ts';
import { lineOf, type Span } from '../policy/source.ts';
import type { Config } from './model.ts';

export interface TestReport {
  readonly name: string;
  /** `file:line` */
  readonly place: string;
  readonly failure: TestFailureReport | undefined;
}

export interface TestFailureReport {
  readonly place: string;
  readonly message: string;
  /** What the filter did, in order. */
  readonly steps: readonly { readonly place: string; readonly text: string }[];
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
        steps: failure.events.map((event) => ({ place: placeOf(event), text: event.text })),
      },
    };
  });
}

function at(span: Span): string {
  return `${span.source.name}:${lineOf(span)}`;
}
