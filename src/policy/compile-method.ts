// Properties and methods of values -> closures: one row each, with the types it is there for.

import { asPathLength, firstAs, originAs, segments } from '../bgp/wire/as-path.ts';
import { SEGMENT } from '../bgp/wire/iana.ts';
import { nearest } from '../lib/suggest.ts';
import type { MethodExpression, PolicyType } from './ast.ts';
import { compileTerm } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { enumConstant } from './enums.ts';
import { listMembers } from './format.ts';
import { addTo, deleteFrom, filterBy, prependTo } from './list-operators.ts';
import { compare, maskAddress } from './operators.ts';
import type { Evaluate } from './run.ts';
import type { Span } from './source.ts';
import type { PolicySymbol } from './symbols.ts';
import {
  EMPTY,
  Ip,
  List,
  type ListKind,
  MEMBER_BYTES,
  type NetValue,
  PolicyRuntimeError,
  type PrefixValue,
  typeOf,
  type Value,
} from './values.ts';

interface Method {
  /** Types it is there for. */
  readonly on: readonly PolicyType[];
  readonly returns: PolicyType | 'same';
  readonly args: readonly PolicyType[];
  /** Only in 2.x. */
  readonly later: boolean;
  /** BIRD asks for the type of what it stands behind only when it runs, unless that is constant. */
  readonly loose?: true;
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

function changer(
  on: readonly PolicyType[],
  argument: PolicyType,
  change: (list: Value, value: Value) => Value,
): Method {
  return {
    on,
    returns: 'same',
    args: [argument],
    later: true,
    apply: () => (object, args) => change(object, args[0]),
  };
}

/** The least or greatest member, which is all zeros where there is none. */
function extreme(sign: 1 | -1): Method {
  return loose(
    property(['clist', 'eclist', 'lclist'], 'unknown', true, (object) => {
      if (!(object instanceof List) || object.kind === 'bgppath')
        throw new PolicyRuntimeError(`expected a list of communities, got ${typeOf(object)}`);
      const [first, ...others] = listMembers(object.bytes.length > 0 ? object : zeros(object.kind));
      return others.reduce<Value>((best, each) => (sign * compare(each, best) < 0 ? each : best), first);
    }),
  );
}

function zeros(kind: ListKind): List {
  return new List(kind, new Uint8Array(MEMBER_BYTES[kind]));
}

function loose(method: Method): Method {
  return { ...method, loose: true };
}

/** Of networks that are not those of IP routes, which only the text of a filter can have. */
function otherNet(name: string, returns: PolicyType, read: (net: NetValue) => Value): Method {
  return property(['prefix'], returns, true, (object) => {
    const found = typeof object === 'object' && object.kind === 'net' ? read(object) : undefined;
    if (found === undefined) throw new PolicyRuntimeError(`this prefix has no '${name}'`);
    return found;
  });
}

/** The prefix of any network. */
function prefixIn(object: Value): PrefixValue {
  return typeof object === 'object' && object.kind === 'net' ? object.prefix : kindOf(object, 'prefix');
}

function netType(object: Value): Value {
  if (typeof object === 'object' && object.kind === 'net')
    return enumConstant(NET_CONSTANTS[object.of], '2.x');
  return enumConstant(kindOf(object, 'prefix').bytes.length === 4 ? 'NET_IP4' : 'NET_IP6', '2.x');
}

const NET_CONSTANTS: Readonly<Record<NetValue['of'], string>> = {
  vpn4: 'NET_VPN4',
  vpn6: 'NET_VPN6',
  roa4: 'NET_ROA4',
  roa6: 'NET_ROA6',
  flow4: 'NET_FLOW4',
  flow6: 'NET_FLOW6',
  'ipv6 sadr': 'NET_IP6_SADR',
  mpls: 'NET_MPLS',
};

const METHODS: Readonly<Record<string, Method>> = {
  len: loose(property(['prefix', ...LISTS], 'int', false, lengthOf)),
  min: extreme(1),
  max: extreme(-1),
  maxlen: otherNet('maxlen', 'int', (net) => net.parts.maxLength),
  src: otherNet('src', 'prefix', (net) => net.parts.source),
  dst: otherNet('dst', 'prefix', (net) => (net.parts.source === undefined ? undefined : net.prefix)),
  rd: otherNet('rd', 'rd', (net) => net.parts.rd),
  ip: property(['prefix'], 'ip', false, (object) => new Ip(prefixIn(object).bytes)),
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
  asn: loose(
    property(['pair', 'lc', 'prefix'], 'int', true, (object) => {
      if (typeof object === 'object' && object.kind === 'lc') return object.asn;
      if (typeof object === 'object' && object.kind === 'net' && object.parts.asn !== undefined)
        return object.parts.asn;
      return kindOf(object, 'pair').value >>> 16;
    }),
  ),
  data: property(['pair'], 'int', true, (object) => kindOf(object, 'pair').value & 0xffff),
  data1: property(['lc'], 'int', true, (object) => kindOf(object, 'lc').data1),
  data2: property(['lc'], 'int', true, (object) => kindOf(object, 'lc').data2),
  is_v4: property(['ip'], 'bool', true, (object) => kindOf(object, 'ip').bytes.length === 4),
  type: loose(property(['prefix'], 'enum net', true, netType)),
  empty: {
    on: LISTS,
    returns: 'same',
    args: [],
    later: true,
    apply: () => (object) => (object instanceof List ? EMPTY[object.kind] : undefined),
  },
  add: loose(changer(['clist', 'eclist', 'lclist'], 'unknown', addTo)),
  delete: loose(changer(LISTS, 'unknown', deleteFrom)),
  filter: loose(changer(LISTS, 'unknown', filterBy)),
  prepend: changer(['bgppath'], 'int', prependTo),
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
  if (typeof object === 'object' && (object.kind === 'prefix' || object.kind === 'net'))
    return prefixIn(object).length;
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
  const term = compileMethodOn(compiler, object, expression, false);
  const direct = directRead(compiler, expression, term.evaluate);
  return direct === undefined || term.constant !== undefined ? term : { ...term, evaluate: direct };
}

/** What is asked of a path most, read from the octets without a value between. */
const OF_OCTETS: Readonly<Record<string, (bytes: Uint8Array, start: number, end: number) => number>> = {
  len: asPathLength,
  first: firstAs,
  last: originAs,
};

/** The same answer for an attribute of the route; `otherwise` answers where it is not there. */
function directRead(
  compiler: Compiler,
  { object, method }: MethodExpression,
  otherwise: Evaluate,
): Evaluate | undefined {
  const symbol = object.kind === 'name' ? compiler.resolve(object) : undefined;
  if (symbol?.kind !== 'attribute') return undefined;
  const { home, type, code } = symbol.attribute;
  if (home === 'net') return method.name === 'len' ? (run) => run.route.netBits : undefined;
  if (home !== 'path') return undefined;
  if (type === 'bgppath') {
    const read = Object.hasOwn(OF_OCTETS, method.name) ? OF_OCTETS[method.name] : undefined;
    if (read === undefined) return undefined;
    return (run) => {
      const { route } = run;
      return route.find(code) ? read(route.bytes, route.start, route.end) : otherwise(run);
    };
  }
  if (method.name !== 'len' || (type !== 'clist' && type !== 'eclist' && type !== 'lclist')) return undefined;
  const size = MEMBER_BYTES[type];
  return (run) => {
    const { route } = run;
    return route.find(code) ? (route.end - route.start) / size : otherwise(run);
  };
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
    const message = `${object.type} has no '${name.name}'`;
    const hint = `it is there for ${method.on.join(', ')}`;
    // Parentheses, and changes of variables in place, are of later versions, which know the type.
    const of = expression.object;
    const late = statement
      ? of.kind === 'name' && isChangeable(compiler.resolve(of))
      : expression.args === undefined;
    if (method.loose && late && object.constant === undefined)
      compiler.diagnostics.warning(name.span, message, hint);
    else compiler.mistyped(name.span, message, hint);
  }
  if (method.args.length === 0 && expression.args !== undefined) {
    compiler.diagnostics.error(span, `'${name.name}' takes no arguments`, 'leave out the parentheses');
    return compiler.nonsense(span);
  }
  if (args.length !== method.args.length) {
    compiler.diagnostics.error(span, `'${name.name}' takes 1 argument, got ${args.length}`);
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

/** What is there for every route is changed by assignment only. */
function isChangeable(symbol: PolicySymbol | undefined): boolean {
  return (
    symbol?.kind === 'attribute' && (symbol.attribute.home === 'path' || symbol.attribute.home === 'extended')
  );
}

function reportUnknownMethod(compiler: Compiler, name: string, span: Span, type: PolicyType): void {
  const fitting = Object.keys(METHODS).filter(
    (each) => METHODS[each]?.on.includes(type) && (compiler.dialect === '2.x' || !METHODS[each].later),
  );
  const meant = nearest(name, fitting);
  const there = fitting.length === 0 ? undefined : `there are ${fitting.join(', ')}`;
  const hint = meant === undefined ? there : `did you mean '${meant}'?`;
  compiler.diagnostics.error(span, `${type} has no '${name}'`, hint);
}
