// Tests of filters inside a configuration, which BIRD does not have: a route, a filter, and what must come of it.
//
//   test "customers get a preference" {
//     route 192.0.2.0/24 { bgp_path.prepend(65001); bgp_community.add((65001,1)); };
//     filter customers;
//     expect accept where bgp_local_pref = 200;
//   }
//
// The last route and the last filter named count; `expect` runs the one through the other. A route is BGP's and has
// nothing that its statements do not set.

import type { Expression, Name, Statement } from './ast.ts';
import { AttributeAccess, bgpRouteFacts } from './attribute-access.ts';
import { type Filter, OUTCOME } from './filter.ts';
import { nameOf, parseTerm } from './parse-expression.ts';
import { parseBody } from './parse-statement.ts';
import type { PolicyProgram } from './program.ts';
import type { TraceEvent } from './run.ts';
import type { Span } from './source.ts';
import type { TokenReader } from './token-reader.ts';
import type { PrefixValue } from './values.ts';

export interface TestDefinition {
  readonly name: string;
  readonly span: Span;
  readonly steps: readonly TestStep[];
}

type TestStep =
  | {
      readonly kind: 'route';
      readonly prefix: Expression;
      readonly body: readonly Statement[];
      readonly span: Span;
    }
  | { readonly kind: 'filter'; readonly name: Name }
  | {
      readonly kind: 'expect';
      readonly verdict: 'accept' | 'reject';
      readonly where: Expression | undefined;
      readonly span: Span;
    };

/** A compiled test. */
export interface PolicyTest {
  readonly name: string;
  readonly span: Span;
  /** The first thing that is not as expected. */
  run(): TestFailure | undefined;
}

export interface TestFailure {
  readonly span: Span;
  readonly message: string;
  /** What the filter did with the route. */
  readonly events: readonly TraceEvent[];
}

/** `test "NAME" { ... }`; the keyword is next. */
export function parseTest(reader: TokenReader): TestDefinition {
  const start = reader.expectWord('test');
  const token = reader.next();
  if (token.kind !== 'string') throw reader.fail(token, 'expected the name of the test in double quotes');
  reader.expectOp('{', 'before what the test does');
  const steps = parseTestSteps(reader);
  reader.expectOp('}', `at the end of test ${token.text}`);
  return { name: token.text, span: reader.spanFrom(start), steps };
}

/** What stands between the braces. */
export function parseTestSteps(reader: TokenReader): TestStep[] {
  const steps: TestStep[] = [];
  while (!reader.atEnd && !reader.isOp('}')) {
    if (!reader.takeOp(';')) steps.push(parseStep(reader));
  }
  return steps;
}

function parseStep(reader: TokenReader): TestStep {
  const start = reader.peek();
  if (reader.takeWord('route')) {
    const prefix = parseTerm(reader);
    const body = reader.isOp('{') ? parseBody(reader, 'the route') : [];
    return { kind: 'route', prefix, body, span: reader.spanFrom(start) };
  }
  if (reader.takeWord('filter')) {
    return { kind: 'filter', name: nameOf(reader.expectSymbol('the name of a filter')) };
  }
  if (!reader.takeWord('expect')) throw reader.unexpected("'route', 'filter' or 'expect'", 'in the test');
  const rejects = reader.takeWord('reject');
  if (!rejects && !reader.takeWord('accept'))
    throw reader.unexpected(
      "'accept' or 'reject'",
      "after expect ('expect accept where bgp_local_pref = 90;')",
    );
  const where = reader.takeWord('where') ? parseTerm(reader) : undefined;
  return { kind: 'expect', verdict: rejects ? 'reject' : 'accept', where, span: reader.spanFrom(start) };
}

interface Expectation {
  readonly prefix: PrefixValue;
  readonly route: Filter;
  readonly filter: Filter;
  readonly verdict: 'accept' | 'reject';
  readonly where: Expression | undefined;
  readonly span: Span;
}

/** Mistakes go to the program's diagnostics; a test that has some does nothing. `find`: filters by name. */
export function compileTest(
  program: PolicyProgram,
  definition: TestDefinition,
  find: (name: string) => Filter | undefined = (name) => program.filter(name),
): PolicyTest {
  const expectations = expectationsOf(program, definition, find);
  return {
    name: definition.name,
    span: definition.span,
    run: () => {
      for (const expectation of expectations) {
        const failure = check(program, expectation);
        if (failure !== undefined) return failure;
      }
      return undefined;
    },
  };
}

function expectationsOf(
  program: PolicyProgram,
  { steps, span }: TestDefinition,
  find: (name: string) => Filter | undefined,
): Expectation[] {
  const { diagnostics } = program;
  const found: Expectation[] = [];
  let route: { prefix: PrefixValue; made: Filter } | undefined;
  let filter: Filter | undefined;
  for (const step of steps) {
    if (step.kind === 'route') route = routeOf(program, step);
    else if (step.kind === 'filter') {
      filter = find(step.name.name);
      if (filter === undefined) diagnostics.error(step.name.span, `there is no filter '${step.name.name}'`);
    } else {
      if (step.where !== undefined) program.term(step.where);
      if (route !== undefined && filter !== undefined) {
        const { prefix, made } = route;
        found.push({
          prefix,
          route: made,
          filter,
          verdict: step.verdict,
          where: step.where,
          span: step.span,
        });
      } else if (!diagnostics.hasErrors) {
        diagnostics.error(step.span, 'a route and a filter come before what is expected');
      }
    }
  }
  if (found.length === 0 && !diagnostics.hasErrors) diagnostics.error(span, 'the test expects nothing');
  return found;
}

function routeOf(
  program: PolicyProgram,
  { prefix, body, span }: Extract<TestStep, { kind: 'route' }>,
): { prefix: PrefixValue; made: Filter } | undefined {
  const value = program.term(prefix).constant?.value;
  if (typeof value !== 'object' || value.kind !== 'prefix') {
    program.diagnostics.error(prefix.span, 'a route has a prefix', 'write route 192.0.2.0/24;');
    return undefined;
  }
  const accept: Statement = { kind: 'verdict', verdict: 'accept', message: [], span };
  const filter = { kind: 'filter', locals: [], body: [...body, accept], span } as const;
  const made = program.use({ kind: 'anonymous', filter, span });
  return made === undefined ? undefined : { prefix: value, made };
}

const DEFAULT_LOCAL_PREF = 100;
const NOTHING = new Uint8Array(0);

function check(program: PolicyProgram, expectation: Expectation): TestFailure | undefined {
  const { prefix, route, filter, verdict, where, span } = expectation;
  const facts = { ...bgpRouteFacts('test', undefined, undefined), defaultLocalPref: DEFAULT_LOCAL_PREF };
  const view = new DataView(prefix.bytes.buffer, prefix.bytes.byteOffset, prefix.bytes.length);
  const words = Int32Array.from({ length: prefix.bytes.length / 4 }, (_, i) => view.getInt32(i * 4));
  const access = new AttributeAccess()
    .load(NOTHING, 0, 0, facts)
    .setNet(words, prefix.length, words.length === 1 ? 1 : 4);
  if (route.evaluate(access) !== OUTCOME.accept) {
    return { span, message: 'the statements of the route failed', events: [] };
  }
  const { outcome, events } = filter.explain(access);
  const found = outcome === OUTCOME.accept ? 'accept' : 'reject';
  if (found !== verdict) {
    const why = outcome === OUTCOME.failed ? 'the filter failed' : `the filter says ${found}`;
    return { span, message: `expected ${verdict}, ${why}`, events };
  }
  if (where === undefined) return undefined;
  const result = program.evaluate(where, access);
  if ('error' in result) return { span: where.span, message: result.error, events };
  return result.value === true ? undefined : { span: where.span, message: 'this does not hold', events };
}
