// Runs policy texts for tests: definitions, one filter, one route.

import { AttributeEditor } from '../../src/bgp/wire/attribute-set.ts';
import { AttributeAccess, bgpRouteFacts, type RouteFacts } from '../../src/policy/attribute-access.ts';
import { Diagnostics, formatDiagnostic } from '../../src/policy/diagnostics.ts';
import type { Filter, Outcome } from '../../src/policy/filter.ts';
import { formatValue } from '../../src/policy/format.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { parseExpression, parsePolicy } from '../../src/policy/parser.ts';
import { FilterPool, PolicyProgram } from '../../src/policy/program.ts';
import { NO_TABLES, type PolicyTables } from '../../src/policy/route-access.ts';
import { Source } from '../../src/policy/source.ts';

export interface Lab {
  readonly program: PolicyProgram;
  readonly diagnostics: Diagnostics;
  /** What filters printed and complained of. */
  readonly lines: string[];
  readonly errors: string[];
}

export function lab(
  text: string,
  dialect: Dialect = '2.x',
  tables: PolicyTables = NO_TABLES,
  pool?: FilterPool,
): Lab {
  const diagnostics = new Diagnostics();
  const lines: string[] = [];
  const errors: string[] = [];
  const log = {
    print: (line: string) => lines.push(line),
    error: (_: string, message: string) => errors.push(message),
  };
  const program = new PolicyProgram(dialect, diagnostics, { tables, log }, pool ?? new FilterPool());
  for (const definition of parsePolicy(new Source('test.conf', text), dialect, diagnostics))
    program.add(definition);
  return { program, diagnostics, lines, errors };
}

/** A static blackhole route for 10.1.0.0/24 without any path attribute. */
export function staticRoute(words: readonly number[] = [0x0a010000], bits = 24): AttributeAccess {
  const facts: RouteFacts = {
    ...bgpRouteFacts('s1', undefined, undefined),
    source: 1,
    preference: 200,
    dest: 2,
  };
  const access = new AttributeAccess().load(new Uint8Array(0), 0, 0, facts);
  return access.setNet(Int32Array.from(words), bits, words.length === 4 ? 4 : 1);
}

/** A BGP route for 10.1.0.0/24 with these attributes. */
export function bgpRoute(set: (editor: AttributeEditor) => void = () => undefined): AttributeAccess {
  const editor = new AttributeEditor();
  set(editor);
  const bytes = editor.finish();
  const peer = Uint8Array.of(192, 0, 2, 1);
  const access = new AttributeAccess().load(bytes, 0, bytes.length, bgpRouteFacts('p1', peer, peer));
  return access.setNet(Int32Array.of(0x0a010000), 24, 1);
}

export interface Ran {
  readonly outcome: Outcome;
  readonly lines: string[];
  readonly errors: string[];
  readonly route: AttributeAccess;
  readonly filter: Filter;
}

/** Runs statements as the body of a filter over a route. Throws what is wrong with the text. */
export function run(
  body: string,
  options: { dialect?: Dialect; before?: string; route?: AttributeAccess } = {},
): Ran {
  const { program, diagnostics, lines, errors } = lab(
    `${options.before ?? ''}\nfilter t { ${body} }`,
    options.dialect ?? '2.x',
  );
  const filter = program.filter('t');
  if (diagnostics.hasErrors || filter === undefined) {
    throw new Error(diagnostics.list.map(formatDiagnostic).join('\n'));
  }
  const route = options.route ?? staticRoute();
  return { outcome: filter.evaluate(route), lines, errors, route, filter };
}

/** `birdc eval`: the value as BIRD shows it, or `syntax` or `runtime` for what went wrong. */
export function evaluate(text: string, dialect: Dialect): string {
  const diagnostics = new Diagnostics();
  const expression = parseExpression(new Source('eval', text), dialect, diagnostics);
  if (expression === undefined) return 'syntax';
  const log = { print: () => undefined, error: () => undefined };
  const program = new PolicyProgram(dialect, diagnostics, { tables: NO_TABLES, log });
  const result = program.evaluate(expression);
  if (diagnostics.hasErrors) return 'syntax';
  return 'error' in result ? 'runtime' : formatValue(result.value);
}
