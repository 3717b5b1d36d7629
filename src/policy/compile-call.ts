// Calls and methods -> closures: functions of the configuration, functions of the language, properties of values.

import { asPathLength, encodeSegments, firstAs, originAs, segments } from '../bgp/wire/as-path.ts';
import { SEGMENT } from '../bgp/wire/iana.ts';
import { fromHex } from '../lib/bytes.ts';
import { nearest } from '../lib/suggest.ts';
import type { CallExpression, Expression, MethodExpression, PolicyType } from './ast.ts';
import { routeAttribute } from './attributes.ts';
import { compileTerm, readAttribute } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { enumConstant } from './enums.ts';
import { formatValue } from './format.ts';
import { addTo, deleteFrom, filterBy, isDefined, maskAddress, prependTo } from './operators.ts';
import { type Evaluate, type Run, SIGNAL, type Signal } from './run.ts';
import type { Span } from './source.ts';
import type { FunctionSymbol } from './symbols.ts';
import {
  EMPTY,
  EnumValue,
  Ip,
  isAssignable,
  List,
  MEMBER_BYTES,
  Octets,
  PolicyRuntimeError,
  typeOf,
  type Value,
} from './values.ts';

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
  append: (compiler, call) => compileListCall(compiler, call, appendTo, 'bgppath'),
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

function appendTo(list: Value, value: Value): Value {
  if (
    !(typeof list === 'object' && list instanceof List) ||
    list.kind !== 'bgppath' ||
    typeof value !== 'number'
  ) {
    throw new PolicyRuntimeError(`cannot append ${typeOf(value)} to ${typeOf(list)}`);
  }
  const path = [...segments(list.bytes), { type: SEGMENT.asSequence, ases: [value] }];
  return new List('bgppath', encodeSegments(path));
}

function hexBytes(value: Value): Value {
  const text = typeof value === 'string' ? value.replaceAll(/[:. -]/g, '') : undefined;
  const bytes = text === undefined ? undefined : fromHex(text);
  if (bytes === undefined)
    throw new PolicyRuntimeError('from_hex needs an even number of hexadecimal digits');
  return new Octets('bytestring', bytes);
}

/** The table that is named by an argument; undefined where it is none of these, which is reported. */
function tableOf(
  compiler: Compiler,
  argument: Expression | undefined,
  kinds: readonly string[],
  what: string,
): string | undefined {
  if (argument === undefined) return undefined;
  const symbol = argument.kind === 'name' ? compiler.symbols.get(argument.name) : undefined;
  if (argument.kind === 'name' && symbol?.kind === 'table' && kinds.includes(symbol.of)) return argument.name;
  const name = argument.kind === 'name' ? `'${argument.name}'` : 'this';
  compiler.diagnostics.error(argument.span, `${name} is no ${what} table`);
  return undefined;
}

/** `roa_check(table)`, `roa_check(table, net, as)` */
function compileRoaCheck(compiler: Compiler, call: CallExpression): Term {
  const { span, args } = call;
  if (args.length !== 1 && args.length !== 3) {
    compiler.diagnostics.error(span, "'roa_check' takes a table, or a table, a prefix and an AS");
    return compiler.nonsense(span);
  }
  const table = tableOf(compiler, args[0], ['roa', 'roa4', 'roa6'], 'ROA');
  if (table === undefined) return compiler.nonsense(span);
  compiler.facts.tables.add(table);
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
    return new EnumValue('roa', tables.roaCheck(table, network, origin));
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
  const table = tableOf(compiler, args[0], ['aspa'], 'ASPA');
  if (table === undefined) return compiler.nonsense(span);
  compiler.facts.tables.add(table);
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
      return new EnumValue('aspa', tables.aspaCheck(table, list, upstream.evaluate(run) === true));
    },
  };
}

// --- methods

interface Method {
  /** Types it is there for. */
  readonly on: readonly PolicyType[];
  readonly returns: PolicyType | 'same';
  readonly args: readonly PolicyType[];
  /** Only in 2.x. */
  readonly later: boolean;
  readonly apply: (
    compiler: Compiler,
  ) => (object: Exclude<Value, undefined>, args: readonly Value[]) => Value;
}

const LISTS: readonly PolicyType[] = ['bgppath', 'clist', 'eclist', 'lclist'];

function property(
  on: readonly PolicyType[],
  returns: PolicyType,
  later: boolean,
  apply: (object: Exclude<Value, undefined>) => Value,
): Method {
  return { on, returns, args: [], later, apply: () => apply };
}

function changer(on: readonly PolicyType[], change: (list: Value, value: Value) => Value): Method {
  return {
    on,
    returns: 'same',
    args: ['unknown'],
    later: true,
    apply: () => (object, args) => change(object, args[0]),
  };
}

const METHODS: Readonly<Record<string, Method>> = {
  len: property(['prefix', ...LISTS], 'int', false, lengthOf),
  ip: property(['prefix'], 'ip', false, (object) => new Ip(kindOf(object, 'prefix').bytes)),
  mask: {
    on: ['ip'],
    returns: 'ip',
    args: ['int'],
    later: false,
    apply:
      () =>
      (object, [length]) => {
        if (typeof length !== 'number')
          throw new PolicyRuntimeError(`'mask' needs an int, got ${typeOf(length)}`);
        return maskAddress(kindOf(object, 'ip'), length);
      },
  },
  first: property(['bgppath'], 'int', false, (object) => ofPath(object, firstAs)),
  last: property(['bgppath'], 'int', false, (object) => ofPath(object, originAs)),
  last_nonaggregated: property(['bgppath'], 'int', false, (object) => ofPath(object, lastNonaggregated)),
  asn: property(['pair', 'lc'], 'int', true, (object) => {
    if (typeof object === 'object' && object.kind === 'lc') return object.asn;
    return kindOf(object, 'pair').value >>> 16;
  }),
  data: property(['pair'], 'int', true, (object) => kindOf(object, 'pair').value & 0xffff),
  data1: property(['lc'], 'int', true, (object) => kindOf(object, 'lc').data1),
  data2: property(['lc'], 'int', true, (object) => kindOf(object, 'lc').data2),
  is_v4: property(['ip'], 'bool', true, (object) => kindOf(object, 'ip').bytes.length === 4),
  type: property(['prefix'], 'enum net', true, (object) =>
    enumConstant(kindOf(object, 'prefix').bytes.length === 4 ? 'NET_IP4' : 'NET_IP6', '2.x'),
  ),
  empty: {
    on: LISTS,
    returns: 'same',
    args: [],
    later: true,
    apply: () => (object) => (object instanceof List ? EMPTY[object.kind] : undefined),
  },
  add: changer(['clist', 'eclist', 'lclist'], addTo),
  delete: changer(LISTS, deleteFrom),
  filter: changer(LISTS, filterBy),
  prepend: changer(['bgppath'], prependTo),
  append: changer(['bgppath'], appendTo),
};

type Kind = Extract<Value, { kind: string }>['kind'];

function kindOf<K extends Kind>(value: Value, kind: K): Extract<Value, { kind: K }> {
  if (typeof value === 'object' && value.kind === kind) return value as Extract<Value, { kind: K }>;
  throw new PolicyRuntimeError(`expected ${kind}, got ${typeOf(value)}`);
}

function lengthOf(object: Value): number {
  if (object instanceof List) {
    const { kind, bytes } = object;
    return kind === 'bgppath' ? asPathLength(bytes, 0, bytes.length) : bytes.length / MEMBER_BYTES[kind];
  }
  if (typeof object === 'object' && object.kind === 'prefix') return object.length;
  throw new PolicyRuntimeError(`'len' is there for prefixes, paths and lists, not for ${typeOf(object)}`);
}

function ofPath(value: Value, read: (bytes: Uint8Array, start: number, end: number) => number): number {
  if (value instanceof List && value.kind === 'bgppath') return read(value.bytes, 0, value.bytes.length);
  throw new PolicyRuntimeError(`expected bgppath, got ${typeOf(value)}`);
}

/** The last AS before the first AS_SET. */
function lastNonaggregated(bytes: Uint8Array): number {
  let last = 0;
  for (const { type, ases } of segments(bytes)) {
    if (type === SEGMENT.asSet || type === SEGMENT.confedSet) break;
    last = ases.at(-1) ?? last;
  }
  return last;
}

export function compileMethod(compiler: Compiler, expression: MethodExpression): Term {
  const object = compileTerm(compiler, expression.object);
  return compileMethodOn(compiler, object, expression, false);
}

/** `statement`: the result replaces the object, which 1.6 has as well. */
export function compileMethodOn(
  compiler: Compiler,
  object: Term,
  expression: MethodExpression,
  statement: boolean,
): Term {
  const { method: name, span } = expression;
  const args = (expression.args ?? []).map((arg) => compileTerm(compiler, arg));
  const method = Object.hasOwn(METHODS, name.name) ? METHODS[name.name] : undefined;
  if (method === undefined || (method.later && compiler.dialect === '1.6' && !statement)) {
    reportUnknownMethod(compiler, name.name, name.span, object.type);
    return compiler.nonsense(span);
  }
  if (object.type !== 'unknown' && !method.on.includes(object.type)) {
    compiler.mistyped(
      name.span,
      `${object.type} has no '${name.name}'`,
      `it is there for ${method.on.join(', ')}`,
    );
  }
  const hasParentheses = expression.args !== undefined;
  if (
    args.length !== method.args.length ||
    (method.args.length === 0 && hasParentheses && compiler.dialect === '1.6')
  ) {
    compiler.diagnostics.error(
      span,
      `'${name.name}' takes ${method.args.length} argument${method.args.length === 1 ? '' : 's'}, got ${args.length}`,
    );
    return compiler.nonsense(span);
  }
  for (const [i, type] of method.args.entries())
    compiler.want(args[i]!, type, `the argument of '${name.name}'`);
  const apply = method.apply(compiler);
  const [first] = args;
  const evaluate: Evaluate = (run) => {
    const value = object.evaluate(run);
    if (value === undefined) throw new PolicyRuntimeError(`'${name.name}' of something that is not there`);
    return apply(value, first === undefined ? [] : [first.evaluate(run)]);
  };
  return compiler.combine(
    method.returns === 'same' ? object.type : method.returns,
    span,
    [object, ...args],
    evaluate,
  );
}

function reportUnknownMethod(compiler: Compiler, name: string, span: Span, type: PolicyType): void {
  const meant = nearest(name, Object.keys(METHODS));
  compiler.diagnostics.error(
    span,
    `${type} has no '${name}'`,
    meant === undefined ? undefined : `did you mean '${meant}'?`,
  );
}
