// Conditions and filters that an operator types: read with the names of the running configuration, compiled, and run
// over routes like any other filter. Nothing of it stays.

import { declareRpkiTables } from '../../config/filters.ts';
import { knownSecrets } from '../../config/known-secrets.ts';
import type { Config } from '../../config/model.ts';
import { Diagnostics } from '../../policy/diagnostics.ts';
import { FilterPolicy } from '../../policy/filter-policy.ts';
import { formatValue } from '../../policy/format.ts';
import { tokenize } from '../../policy/lexer.ts';
import { parseFilterUse, parseTerm } from '../../policy/parser.ts';
import { FilterPool, PolicyProgram } from '../../policy/program.ts';
import { NO_TABLES, type PolicyTables } from '../../policy/route-access.ts';
import type { FilterLinks } from '../../policy/route-facts.ts';
import { Source } from '../../policy/source.ts';
import { SyntaxStop, TokenReader } from '../../policy/token-reader.ts';
import type { Evaluation } from '../api/bird.ts';
import { CommandError } from '../api.ts';
import { dialectOf } from './traits.ts';

/** Operators' texts are shown no lines of: what is wrong is one sentence. */
const SOURCE_NAME = 'command';
/** Where tables stand that nobody has written. */
const NO_SOURCE = new Source(SOURCE_NAME, '');

export class AdHocFilters {
  readonly #tables: PolicyTables;
  readonly #diagnostics = new Diagnostics();
  readonly #pool = new FilterPool();
  #config: Config | undefined;
  #program: PolicyProgram | undefined;

  constructor(tables: PolicyTables = NO_TABLES) {
    this.#tables = tables;
  }

  /** A filter as a policy. Throws CommandError for a text that is none. */
  compile(
    config: Config,
    { kind, text }: { readonly kind: 'where' | 'filter'; readonly text: string },
    links: FilterLinks,
  ): FilterPolicy {
    const program = this.#programOf(config);
    const source = kind === 'where' ? `where ${text}` : `filter ${text}`;
    const filter = this.#read(program, source, (reader) => program.use(parseFilterUse(reader)));
    // The next command has a filter of its own.
    this.#pool.retain(new Set());
    if (filter === undefined) throw this.#complaint();
    return new FilterPolicy(filter, 'import', links);
  }

  evaluate(config: Config, text: string): Evaluation {
    const program = this.#programOf(config);
    let expression: ReturnType<typeof parseTerm> | undefined;
    try {
      expression = this.#read(program, text, parseTerm);
    } catch (error) {
      if (error instanceof CommandError) return { error: error.message, runtime: false };
      throw error;
    }
    if (expression === undefined) return { error: this.#complaint().message, runtime: false };
    const result = program.evaluate(expression);
    if ('value' in result) return { value: withoutSecrets(config, formatValue(result.value)) };
    if (this.#diagnostics.hasErrors) return { error: this.#complaint().message, runtime: false };
    return { error: result.error, runtime: true };
  }

  #read<T>(program: PolicyProgram, text: string, parse: (reader: TokenReader) => T): T | undefined {
    const diagnostics = this.#diagnostics;
    diagnostics.clear();
    const source = new Source(SOURCE_NAME, text);
    const reader = new TokenReader(
      tokenize(source, program.dialect, diagnostics),
      program.dialect,
      diagnostics,
    );
    try {
      const result = parse(reader);
      const rest = reader.peek();
      if (rest.kind !== 'end') throw new CommandError('invalid', `'${rest.text}' cannot stand here`);
      if (diagnostics.hasErrors) throw this.#complaint();
      return result;
    } catch (error) {
      if (error instanceof SyntaxStop) throw this.#complaint();
      throw error;
    }
  }

  /** The first mistake in a sentence. */
  #complaint(): CommandError {
    const first = this.#diagnostics.list.find(({ severity }) => severity === 'error');
    const hint = first?.hint === undefined ? '' : ` (${first.hint})`;
    return new CommandError('invalid', first === undefined ? 'syntax error' : `${first.message}${hint}`);
  }

  /** The names of a configuration; made when somebody asks first. */
  #programOf(config: Config): PolicyProgram {
    if (this.#program !== undefined && this.#config === config) return this.#program;
    const dialect = dialectOf(config);
    const quiet = { print: () => {}, error: () => {} };
    this.#diagnostics.clear();
    const program = new PolicyProgram(
      dialect,
      this.#diagnostics,
      { tables: this.#tables, log: quiet },
      this.#pool,
    );
    for (const {
      name,
      type,
      span = { source: NO_SOURCE, start: 0, end: 0 },
    } of config.bird?.tables.values() ?? []) {
      program.declare({ kind: 'name', name, quoted: false, span }, { kind: 'table', of: type });
    }
    if (config.bird === undefined && config.rpki !== undefined) declareRpkiTables(program);
    for (const definition of config.bird?.definitions ?? []) program.add(definition);
    this.#config = config;
    this.#program = program;
    return program;
  }
}

/** A constant may be a password: who may only look is not told. */
function withoutSecrets(config: Config, value: string): string {
  return knownSecrets(config).some((secret) => secret.reveal() === value) ? '<redacted>' : value;
}
