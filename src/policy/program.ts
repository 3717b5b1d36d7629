// The policy of one configuration: definitions in their order, filters compiled where they are used, terms evaluated
// where a configuration wants a value. A pool outlives configurations, so that after a reload an unchanged filter is
// the same object.

import { createHash } from 'node:crypto';
import type {
  AttributeDefinition,
  ConstantDefinition,
  Definition,
  Expression,
  FilterDefinition,
  FilterUse,
  FunctionDefinition,
  Name,
  Statement,
} from './ast.ts';
import { ROUTE_ATTRIBUTES, type RouteAttribute } from './attributes.ts';
import { compileBody, declareAll } from './compile-statement.ts';
import { compileTerm } from './compile-term.ts';
import { Compiler, type Term } from './compiler.ts';
import type { Diagnostics } from './diagnostics.ts';
import { EarlyValues } from './early-values.ts';
import { Facts } from './facts.ts';
import { Filter, type PolicyLog } from './filter.ts';
import type { Dialect } from './lexer.ts';
import { printDefinition, printFilterBody } from './print.ts';
import type { PolicyTables, RouteAccess } from './route-access.ts';
import { type Execute, Run, SIGNAL } from './run.ts';
import { type FunctionSymbol, type ProgramSymbol, Symbols } from './symbols.ts';
import { PolicyRuntimeError, typeOf, type Value } from './values.ts';

/** What filters need of the house around them; the same object for all configurations. */
export interface PolicyHost {
  readonly tables: PolicyTables;
  readonly log: PolicyLog;
}

/** Compiled filters by key. */
export class FilterPool {
  readonly #filters = new Map<string, Filter>();

  get size(): number {
    return this.#filters.size;
  }

  /** The filter of this key, made where there is none. */
  get(key: string, make: () => Filter): Filter {
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const filter = make();
    this.#filters.set(key, filter);
    return filter;
  }

  /** Forgets filters that nobody of these uses. */
  retain(used: ReadonlySet<Filter>): void {
    for (const [key, filter] of this.#filters) if (!used.has(filter)) this.#filters.delete(key);
  }
}

/** Evaluation came to no value. */
export type Evaluated = { readonly value: Value } | { readonly error: string };

export class PolicyProgram {
  readonly dialect: Dialect;
  readonly diagnostics: Diagnostics;
  readonly symbols: Symbols;
  readonly #host: PolicyHost;
  readonly #pool: FilterPool;
  readonly #run: Run;
  readonly #early: EarlyValues;
  readonly #filters = new Map<string, Filter>();
  readonly #used = new WeakMap<FilterUse, Filter | undefined>();
  #attributes = ROUTE_ATTRIBUTES.length;

  constructor(
    dialect: Dialect,
    diagnostics: Diagnostics,
    host: PolicyHost,
    pool: FilterPool = new FilterPool(),
  ) {
    this.dialect = dialect;
    this.diagnostics = diagnostics;
    this.symbols = new Symbols(dialect, diagnostics);
    this.#host = host;
    this.#pool = pool;
    const print = (line: string): void => host.log.print(line);
    this.#run = new Run(print);
    this.#early = new EarlyValues(dialect, print);
  }

  /** Adds a definition; those it uses are there already. Mistakes go to the diagnostics. */
  add(definition: Definition): void {
    switch (definition.kind) {
      case 'function':
        this.#addFunction(definition);
        break;
      case 'filter':
        this.#addFilter(definition);
        break;
      case 'define':
        this.#addConstant(definition);
        break;
      case 'attribute':
        this.#addAttribute(definition);
        break;
    }
  }

  /** Makes a name known that the language does not define: a table, a protocol, a template. */
  declare(name: Name, symbol: ProgramSymbol): void {
    this.symbols.define(name, symbol);
  }

  /** A filter by name. */
  filter(name: string): Filter | undefined {
    return this.#filters.get(name);
  }

  /** Names of filters in the order of their definition. */
  get filterNames(): Iterable<string> {
    return this.#filters.keys();
  }

  /** The filter that is used, compiled at the first use; undefined where there is a mistake, which is reported. */
  use(use: FilterUse): Filter | undefined {
    if (this.#used.has(use)) return this.#used.get(use);
    const filter = this.#use(use);
    this.#used.set(use, filter);
    return filter;
  }

  #use(use: FilterUse): Filter | undefined {
    switch (use.kind) {
      case 'all':
        return this.trivial('accept');
      case 'none':
        return this.trivial('reject');
      case 'named': {
        const filter = this.#filters.get(use.name.name);
        if (filter === undefined)
          this.diagnostics.error(use.name.span, `there is no filter '${use.name.name}'`);
        return filter;
      }
      case 'anonymous':
        return this.#compileFilter(use.filter);
      case 'where':
        return this.#compileWhere(use.condition);
    }
  }

  /** The filter that accepts or rejects everything. */
  trivial(verdict: 'accept' | 'reject'): Filter {
    const signal = verdict === 'accept' ? SIGNAL.accept : SIGNAL.reject;
    return this.#make(
      verdict,
      `{ ${verdict}; }`,
      new Facts(),
      0,
      () => signal,
      () => () => signal,
      verdict,
    );
  }

  /** The type and, where it is constant, the value of a term of the configuration. */
  term(expression: Expression): Term {
    return compileTerm(this.#compiler(false), expression);
  }

  /** What a term comes to, with a route or without. Mistakes in it go to the diagnostics. */
  evaluate(expression: Expression, route?: RouteAccess): Evaluated {
    const errors = this.diagnostics.errorCount;
    const { evaluate } = this.term(expression);
    if (this.diagnostics.errorCount > errors) return { error: 'the expression has errors' };
    try {
      return { value: this.#early.evaluate(evaluate, 0, route) };
    } catch (error) {
      if (error instanceof PolicyRuntimeError) return { error: error.message };
      throw error;
    }
  }

  #compiler(traces: boolean): Compiler {
    return new Compiler(this.symbols, this.diagnostics, this.#host.tables, this.#early, traces);
  }

  #addConstant(definition: ConstantDefinition): void {
    const compiler = this.#compiler(false);
    const { diagnostics } = this;
    const errors = diagnostics.errorCount;
    const { evaluate, type: known } = compileTerm(compiler, definition.value);
    let value: Value;
    try {
      if (compiler.facts.tables.size > 0) throw new PolicyRuntimeError('tables are not there yet');
      if (diagnostics.errorCount === errors) value = this.#early.evaluate(evaluate);
    } catch (error) {
      if (!(error instanceof PolicyRuntimeError)) throw error;
      diagnostics.error(definition.value.span, `this is no constant: ${error.message}`);
    }
    const type = value === undefined ? known : typeOf(value);
    const key = keyOf(printDefinition(definition), compiler.facts);
    this.symbols.define(definition.name, { kind: 'constant', value, type, key });
  }

  #addAttribute(definition: AttributeDefinition): void {
    const { name, type, bgp } = definition;
    if (bgp !== undefined && type !== 'bytestring') {
      this.diagnostics.error(definition.span, `a BGP attribute is a bytestring, not ${type}`);
    } else if (!CUSTOM_TYPES.has(type)) {
      this.diagnostics.error(definition.span, `attributes cannot be of type ${type}`);
    }
    const attribute: RouteAttribute = {
      id: this.#attributes++,
      name: name.name,
      type,
      home: bgp === undefined ? 'extended' : 'path',
      writable: true,
      code: bgp ?? 0,
      dialect: undefined,
    };
    this.symbols.define(name, { kind: 'attribute', attribute });
  }

  #addFunction(definition: FunctionDefinition): void {
    const compiler = this.#compiler(false);
    const symbol: FunctionSymbol = {
      kind: 'function',
      name: definition.name.name,
      parameters: definition.parameters.map(({ name, type }) => ({ name: name.name, type })),
      returns: definition.returns ?? 'unknown',
      slots: 0,
      execute: () => SIGNAL.next,
      traced: () => SIGNAL.next,
      facts: compiler.facts,
      key: '',
    };
    this.symbols.define(definition.name, symbol);
    symbol.execute = compileFunction(compiler, definition, symbol);
    symbol.slots = compiler.locals.count;
    symbol.key = keyOf(printDefinition(definition), compiler.facts);
    // Compiled when somebody first wants to know.
    let traced: Execute | undefined;
    symbol.traced = (run) => {
      traced ??= compileFunction(this.#compiler(true), definition, symbol);
      return traced(run);
    };
  }

  #addFilter(definition: FilterDefinition): void {
    if (definition.name === undefined) return;
    this.symbols.define(definition.name, { kind: 'other', what: 'filter' });
    this.#filters.set(definition.name.name, this.#compileFilter(definition));
  }

  #compileFilter(definition: FilterDefinition): Filter {
    const compile = (compiler: Compiler): Execute => {
      declareAll(compiler, definition.locals);
      return compileBody(compiler, definition.body);
    };
    const compiler = this.#compiler(false);
    const execute = compile(compiler);
    const trivial = trivialVerdict(definition.body);
    const name = definition.name?.name;
    const text = printFilterBody(definition);
    return this.#make(
      name,
      text,
      compiler.facts,
      compiler.locals.count,
      execute,
      () => compile(this.#compiler(true)),
      trivial,
    );
  }

  #compileWhere(condition: Expression): Filter {
    if (condition.kind === 'bool') return this.trivial(condition.value ? 'accept' : 'reject');
    const { span } = condition;
    return this.#compileFilter({
      kind: 'filter',
      locals: [],
      span,
      body: [
        {
          kind: 'if',
          condition,
          consequent: { kind: 'verdict', verdict: 'accept', message: [], span },
          otherwise: { kind: 'verdict', verdict: 'reject', message: [], span },
          span,
        },
      ],
    });
  }

  #make(
    name: string | undefined,
    text: string,
    facts: Facts,
    slots: number,
    execute: Execute,
    traced: () => Execute,
    trivial: 'accept' | 'reject' | undefined,
  ): Filter {
    const key = `${this.dialect} ${name ?? ''} ${keyOf(text, facts)}`;
    const { log } = this.#host;
    const { dialect } = this;
    return this.#pool.get(
      key,
      () => new Filter({ name, key, facts, dialect, trivial, slots, execute, traced, run: this.#run, log }),
    );
  }
}

/** What a body comes to that does nothing else; one that ends without a verdict rejects. */
function trivialVerdict([first]: readonly Statement[]): 'accept' | 'reject' | undefined {
  if (first === undefined) return 'reject';
  if (first.kind !== 'verdict' || first.message.length > 0 || first.verdict === 'error') return undefined;
  return first.verdict;
}

/** Types that custom attributes can have. */
const CUSTOM_TYPES: ReadonlySet<string> = new Set([
  'int',
  'ip',
  'quad',
  'bgppath',
  'clist',
  'eclist',
  'lclist',
  'bytestring',
  'string',
  'bool',
]);

function compileFunction(
  compiler: Compiler,
  definition: FunctionDefinition,
  symbol: FunctionSymbol,
): Execute {
  compiler.within = symbol;
  declareAll(compiler, definition.parameters);
  declareAll(compiler, definition.locals);
  return compileBody(compiler, definition.body);
}

/** A text and all that it uses as one short key. */
function keyOf(text: string, facts: Facts): string {
  const hash = createHash('sha256').update(text);
  for (const use of [...facts.uses].sort()) hash.update('\n').update(use);
  return hash.digest('base64url');
}
