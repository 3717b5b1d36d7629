// Calls -> closures: functions of the configuration and functions of the language.

import { originAs } from '../bgp/wire/as-path.ts';
import { fromHex } from '../lib/bytes.ts';
import { nearest } from '../lib/suggest.ts';
import type { CallExpression, Expression, PolicyType } from './ast.ts';
import { routeAttribute } from './attributes.ts';
import { compileAppend, compileTerm, readAttribute } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { formatValue } from './format.ts';
import { addTo, deleteFrom, filterBy, prependTo } from './list-operators.ts';
import { isDefined } from './operators.ts';
import { ROA } from './route-access.ts';
import { type Evaluate, type Run, SIGNAL, type Signal } from './run.ts';
import type { Span } from './source.ts';
import type { FunctionSymbol } from './symbols.ts';
import { EnumValue, isAssignable, List, Octets, PolicyRuntimeError, typeOf, type Value } from './values.ts';

/** Made once, as every route asks. By state. */
const verdicts = (of: 'roa' | 'aspa'): readonly EnumValue[] =>
  [ROA.unknown, ROA.valid, ROA.invalid].map((state) => new EnumValue(of, state));
const ROA_VERDICTS = verdicts('roa');
const ASPA_VERDICTS = verdicts('aspa');

type Builtin = (compiler: Compiler, call: CallExpression) => Term;

/** Functions that the language has. */
const BUILTINS: Readonly<Record<string, Builtin>> = {
  defined: compileDefined,
  prepend: (compiler, call) => compileListCall(compiler, call, prependTo, 'bgppath'),
  add: (compiler, call) => compileListCall(compiler, call, addTo),
  delete: (compiler, call) => compileListCall(compiler, call, deleteFrom),
  filter: (compiler, call) => compileListCall(compiler, call, filterBy),
  roa_check: compileRoaCheck,
};

/** And those of 2.x alone. */
const LATER_BUILTINS: Readonly<Record<string, Builtin>> = {
  format: (compiler, call) => {
    const [value] = argumentsOf(compiler, call, 1);
    if (value === undefined) return compiler.nonsense(call.span);
    return compiler.combine('string', call.span, [value], (run) => formatValue(value.evaluate(run)));
  },
  from_hex: (compiler, call) => {
    const [value] = argumentsOf(compiler, call, 1);
    if (value === undefined) return compiler.nonsense(call.span);
    compiler.want(value, 'string', 'the argument of from_hex');
    return compiler.combine('bytestring', call.span, [value], (run) => hexBytes(value.evaluate(run)));
  },
  append: (compiler, call) => {
    const [left, right] = argumentsOf(compiler, call, 2);
    if (left === undefined || right === undefined) return compiler.nonsense(call.span);
    return compileAppend(compiler, left, right, call.span);
  },
  aspa_check: (compiler, call) => compileAspaCheck(compiler, call),
  aspa_check_downstream: (compiler, call) => compileAspaCheck(compiler, call, false),
  aspa_check_upstream: (compiler, call) => compileAspaCheck(compiler, call, true),
};

function builtin(compiler: Compiler, name: string): Builtin | undefined {
  if (Object.hasOwn(BUILTINS, name)) return BUILTINS[name];
  return compiler.dialect === '2.x' && Object.hasOwn(LATER_BUILTINS, name) ? LATER_BUILTINS[name] : undefined;
}

export function compileCall(compiler: Compiler, call: CallExpression): Term {
  const symbol = functionOf(compiler, call);
  if (symbol === undefined) {
    const own = call.callee.quoted ? undefined : builtin(compiler, call.callee.name);
    return own === undefined ? compiler.nonsense(call.span) : own(compiler, call);
  }
  const enter = compileEntry(compiler, call, symbol);
  const { span } = call;
  const evaluate: Evaluate = (run) => {
    const signal = enter(run);
    if (signal > SIGNAL.return) return run.stop(signal);
    return run.result;
  };
  return { type: symbol.returns, span, evaluate };
}

/** A call as a statement: accepting and rejecting need no detour. */
export function compileCallStatement(
  compiler: Compiler,
  call: CallExpression,
): ((run: Run) => Signal) | undefined {
  const symbol = functionOf(compiler, call);
  if (symbol === undefined) {
    const own = call.callee.quoted ? undefined : builtin(compiler, call.callee.name);
    own?.(compiler, call);
    return undefined;
  }
  const enter = compileEntry(compiler, call, symbol);
  return (run) => {
    const signal = enter(run);
    return signal > SIGNAL.return ? signal : SIGNAL.next;
  };
}

/** The called function of the configuration; undefined for the language's own and for mistakes, which are reported. */
function functionOf(compiler: Compiler, call: CallExpression): FunctionSymbol | undefined {
  const { name, quoted, span } = call.callee;
  const symbol = compiler.symbols.get(name);
  if (symbol?.kind === 'function') return symbol;
  if (symbol === undefined && !quoted && builtin(compiler, name) !== undefined) return undefined;
  if (symbol !== undefined || compiler.locals.get(name) !== undefined) {
    compiler.diagnostics.error(span, `'${name}' is no function and cannot be called`);
    return undefined;
  }
  const meant = nearest(name, [...compiler.symbols.names(), ...Object.keys(BUILTINS)]);
  const hint =
    meant === undefined ? 'functions are defined before they are called' : `did you mean '${meant}'?`;
  compiler.diagnostics.error(span, `there is no function '${name}'`, hint);
  return undefined;
}

function compileEntry(
  compiler: Compiler,
  call: CallExpression,
  symbol: FunctionSymbol,
): (run: Run) => Signal {
  const args = call.args.map((arg) => compileTerm(compiler, arg));
  if (compiler.dialect === '1.6' && compiler.within === symbol) return compileOldRecursion(compiler, call);
  const { parameters } = symbol;
  if (args.length !== parameters.length) {
    const wanted = parameters.map((parameter) => `${parameter.type} ${parameter.name}`).join('; ');
    compiler.diagnostics.error(
      call.span,
      `'${symbol.name}' takes ${parameters.length} argument${parameters.length === 1 ? '' : 's'}, got ${args.length}`,
      `it is ${symbol.name}(${wanted})`,
    );
  }
  for (const [i, parameter] of parameters.entries()) {
    const arg = args[i];
    if (arg !== undefined) compiler.want(arg, parameter.type, `argument ${i + 1} of '${symbol.name}'`);
  }
  compiler.facts.include(symbol.facts);
  compiler.facts.uses.add(symbol.key);
  const checks = parameters.map(({ type }, i) => args[i]?.type !== type);
  const { traces } = compiler;
  return (run) => {
    const base = run.enter(symbol.slots);
    for (let i = 0; i < args.length; i++) {
      const value = args[i]!.evaluate(run);
      run.stack[base + i] = checks[i] ? converted(value, parameters[i]!.type) : value;
    }
    const caller = run.base;
    run.base = base;
    run.result = undefined;
    const signal = (traces ? symbol.traced : symbol.execute)(run);
    if (signal === SIGNAL.next) run.result = undefined;
    run.base = caller;
    run.leave(base);
    return signal;
  };
}

/** 1.6 knows nothing but the name of a function before its end: no arguments, and nothing to do. */
function compileOldRecursion(
  { diagnostics }: Compiler,
  { callee, args, span }: CallExpression,
): (run: Run) => Signal {
  if (args.length > 0) {
    diagnostics.error(span, `'${callee.name}' calls itself, which takes no arguments in BIRD 1.6`);
  } else diagnostics.warning(span, `'${callee.name}' calls itself, which does nothing in BIRD 1.6`);
  return (run) => {
    run.result = undefined;
    return SIGNAL.next;
  };
}

/** A value for a variable of this type. */
export function converted(value: Value, type: PolicyType): Value {
  if (value === undefined || isAssignable(typeOf(value), type)) return value;
  throw new PolicyRuntimeError(`a variable of type ${type} cannot hold ${typeOf(value)}`);
}

/** The arguments where there are as many as wanted; none where there are not, which is reported. */
function argumentsOf(compiler: Compiler, call: CallExpression, count: number): Term[] {
  if (call.args.length === count) return call.args.map((arg) => compileTerm(compiler, arg));
  compiler.diagnostics.error(
    call.span,
    `'${call.callee.name}' takes ${count} argument${count === 1 ? '' : 's'}, got ${call.args.length}`,
  );
  return [];
}

function compileDefined(compiler: Compiler, call: CallExpression): Term {
  const [value] = argumentsOf(compiler, call, 1);
  if (value === undefined) return compiler.nonsense(call.span);
  const lenient = compiler.dialect === '1.6';
  const { evaluate } = value;
  return compiler.combine('bool', call.span, [value], (run) => isDefined(evaluate(run), lenient));
}

function compileListCall(
  compiler: Compiler,
  call: CallExpression,
  change: (list: Value, value: Value) => Value,
  wanted?: PolicyType,
): Term {
  const [list, value] = argumentsOf(compiler, call, 2);
  if (list === undefined || value === undefined) return compiler.nonsense(call.span);
  const { name } = call.callee;
  if (wanted !== undefined) {
    compiler.want(list, wanted, `the first argument of '${name}'`);
    if (name === 'prepend') compiler.want(value, 'int', `the second argument of '${name}'`);
  }
  return compiler.combine(wanted ?? list.type, call.span, [list, value], (run) =>
    change(list.evaluate(run), value.evaluate(run)),
  );
}

function hexBytes(value: Value): Value {
  const text = typeof value === 'string' ? value.replaceAll(/[:. -]/g, '') : undefined;
  const bytes = text === undefined ? undefined : fromHex(text);
  if (bytes === undefined)
    throw new PolicyRuntimeError('from_hex needs an even number of hexadecimal digits');
  return new Octets('bytestring', bytes);
}

/** The table that is named by an argument; undefined where none is, which is reported. */
function tableOf(compiler: Compiler, argument: Expression | undefined): NamedTable | undefined {
  if (argument === undefined) return undefined;
  const { span } = argument;
  const symbol = argument.kind === 'name' ? compiler.symbols.get(argument.name) : undefined;
  if (argument.kind === 'name' && symbol?.kind === 'table')
    return { name: argument.name, of: symbol.of, span };
  compiler.diagnostics.error(span, `${argument.kind === 'name' ? `'${argument.name}'` : 'this'} is no table`);
  return undefined;
}

interface NamedTable {
  readonly name: string;
  /** What its routes are. */
  readonly of: string;
  readonly span: Span;
}

const ROA_TABLES: ReadonlySet<string> = new Set(['roa', 'roa4', 'roa6']);

/** Whether the table has ROAs. 2.x finds out when it looks into it. */
function hasRoas({ diagnostics, dialect }: Compiler, { name, of, span }: NamedTable): boolean {
  if (ROA_TABLES.has(of)) return true;
  if (dialect === '1.6') diagnostics.error(span, `'${name}' is no ROA table`);
  else diagnostics.warning(span, `'${name}' is no ROA table`, 'filters fail here');
  return false;
}

/** `roa_check(table)`, `roa_check(table, net, as)` */
function compileRoaCheck(compiler: Compiler, call: CallExpression): Term {
  const { span, args } = call;
  if (args.length !== 1 && args.length !== 3) {
    compiler.diagnostics.error(span, "'roa_check' takes a table, or a table, a prefix and an AS");
    return compiler.nonsense(span);
  }
  const table = tableOf(compiler, args[0]);
  if (table === undefined) return compiler.nonsense(span);
  const { name } = table;
  const isRoaTable = hasRoas(compiler, table);
  compiler.facts.tables.add(name);
  const path = routeAttribute('bgp_path', compiler.dialect)!;
  const net = routeAttribute('net', compiler.dialect)!;
  const prefix = args.length === 1 ? readAttribute(compiler, net, span) : compileTerm(compiler, args[1]!);
  const as =
    args.length === 1 ? originOf(readAttribute(compiler, path, span)) : compileTerm(compiler, args[2]!);
  compiler.want(prefix, 'prefix', "the second argument of 'roa_check'");
  compiler.want(as, 'int', "the third argument of 'roa_check'");
  const { tables } = compiler;
  const type = 'enum roa';
  const evaluate: Evaluate = (run) => {
    const network = prefix.evaluate(run);
    const origin = as.evaluate(run);
    if (typeof network !== 'object' || network.kind !== 'prefix' || typeof origin !== 'number') {
      throw new PolicyRuntimeError(
        `'roa_check' needs a prefix and an int, got ${typeOf(network)} and ${typeOf(origin)}`,
      );
    }
    if (!isRoaTable) throw new PolicyRuntimeError(`'${name}' is no ROA table`);
    return ROA_VERDICTS[tables.roaCheck(name, network, origin)]!;
  };
  return { type, span, evaluate };
}

function originOf(path: Term): Term {
  return {
    type: 'int',
    span: path.span,
    evaluate: (run) => {
      const value = path.evaluate(run);
      return value instanceof List ? originAs(value.bytes, 0, value.bytes.length) : 0;
    },
  };
}

function compileAspaCheck(compiler: Compiler, call: CallExpression, fixed?: boolean): Term {
  const { span, args } = call;
  const count = fixed === undefined ? 3 : 1;
  if (args.length !== count) {
    compiler.diagnostics.error(
      span,
      `'${call.callee.name}' takes ${count} argument${count === 1 ? '' : 's'}, got ${args.length}`,
    );
    return compiler.nonsense(span);
  }
  const table = tableOf(compiler, args[0]);
  if (table === undefined) return compiler.nonsense(span);
  if (table.of !== 'aspa') compiler.diagnostics.error(table.span, `'${table.name}' is no ASPA table`);
  compiler.facts.tables.add(table.name);
  const attribute = routeAttribute('bgp_path', compiler.dialect)!;
  const path =
    fixed === undefined ? compileTerm(compiler, args[1]!) : readAttribute(compiler, attribute, span);
  const upstream =
    fixed === undefined ? compileTerm(compiler, args[2]!) : compiler.constant(fixed, 'bool', span);
  compiler.want(path, 'bgppath', "the second argument of 'aspa_check'");
  compiler.want(upstream, 'bool', "the third argument of 'aspa_check'");
  const { tables } = compiler;
  return {
    type: 'enum aspa',
    span,
    evaluate: (run) => {
      const list = path.evaluate(run);
      if (!(list instanceof List))
        throw new PolicyRuntimeError(`'aspa_check' needs a path, got ${typeOf(list)}`);
      return ASPA_VERDICTS[tables.aspaCheck(table.name, list, upstream.evaluate(run) === true)]!;
    },
  };
}
