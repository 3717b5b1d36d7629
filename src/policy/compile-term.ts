// Expressions -> closures. Constants are computed here and now; everything else reads its Run.

import type { BinaryExpression, BinaryOperator, Expression, Name, PolicyType } from './ast.ts';
import { ROUTE_ATTRIBUTES, type RouteAttribute } from './attributes.ts';
import { compileCall } from './compile-call.ts';
import { compileMatch } from './compile-match.ts';
import { compileMethod } from './compile-method.ts';
import { compileMask, compileSet } from './compile-set.ts';
import { type Compiler, prefixReadsOf, type Term } from './compiler.ts';
import { makeEc } from './extended-community.ts';
import { arithmetic, compare, equal } from './operators.ts';
import type { RouteAccess } from './route-access.ts';
import type { Evaluate } from './run.ts';
import type { Span } from './source.ts';
import {
  EMPTY,
  Ip,
  isAssignable,
  Lc,
  Octets,
  Pair,
  PolicyRuntimeError,
  PrefixValue,
  typeOf,
  type Value,
} from './values.ts';

const MAX_UINT16 = 0xffff;

export function compileTerm(compiler: Compiler, expression: Expression): Term {
  const { span } = expression;
  switch (expression.kind) {
    case 'number':
      return compiler.constant(expression.value, 'int', span);
    case 'bool':
      return compiler.constant(expression.value, 'bool', span);
    case 'string':
      return compiler.constant(expression.value, 'string', span);
    case 'ip':
      return compiler.constant(new Ip(expression.bytes), 'ip', span);
    case 'rd':
    case 'mac':
      return compiler.constant(new Octets(expression.kind, expression.bytes), expression.kind, span);
    case 'bytes':
      return compiler.constant(new Octets('bytestring', expression.bytes), 'bytestring', span);
    case 'prefix':
      return compiler.constant(new PrefixValue(expression.bytes, expression.length), 'prefix', span);
    case 'empty':
      return compiler.constant(EMPTY[expression.of], expression.of, span);
    case 'name':
      return compileName(compiler, expression);
    case 'pair':
      return compilePair(compiler, expression.high, expression.low, span);
    case 'lc':
      return compileLc(compiler, expression.parts, span);
    case 'ec':
      return compileEc(compiler, expression);
    case 'set':
      return compileSet(compiler, expression);
    case 'mask':
      return compileMask(compiler, expression);
    case 'unary': {
      const operand = compileTerm(compiler, expression.operand);
      compiler.want(operand, 'bool', "what follows '!'");
      const { evaluate } = operand;
      return compiler.combine('bool', span, [operand], (run) => !truth(evaluate(run), "'!'"));
    }
    case 'binary':
      return compileBinary(compiler, expression);
    case 'call':
      return compileCall(compiler, expression);
    case 'method':
      return compileMethod(compiler, expression);
  }
}

/** The boolean that `where` needs. */
export function truth(value: Value, where: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new PolicyRuntimeError(`${where} needs a bool, got ${typeOf(value)}`);
}

function compileName(compiler: Compiler, name: Name): Term {
  const { span } = name;
  const symbol = compiler.resolve(name);
  if (symbol === undefined) return compiler.nonsense(span);
  switch (symbol.kind) {
    case 'constant':
      if (symbol.key !== undefined) compiler.facts.uses.add(symbol.key);
      return compiler.constant(symbol.value, symbol.type, span);
    case 'variable': {
      const { slot, type } = symbol;
      return { type, span, evaluate: (run) => run.stack[run.base + slot] };
    }
    case 'attribute':
      return readAttribute(compiler, symbol.attribute, span);
    case 'function':
      compiler.diagnostics.error(span, `'${name.name}' is a function`, `call it: ${name.name}()`);
      return compiler.nonsense(span);
    default:
      compiler.diagnostics.error(
        span,
        `'${name.name}' is a ${symbol.kind === 'other' ? symbol.what : 'table'} and has no value`,
      );
      return compiler.nonsense(span);
  }
}

/** An absent list reads as an empty one; an absent path does in 2.x only. */
export function absentValue(compiler: Compiler, attribute: RouteAttribute): Value {
  switch (attribute.type) {
    case 'clist':
    case 'eclist':
    case 'lclist':
      return EMPTY[attribute.type];
    case 'bgppath':
      return compiler.dialect === '2.x' ? EMPTY.bgppath : undefined;
    default:
      return undefined;
  }
}

export function readAttribute(compiler: Compiler, attribute: RouteAttribute, span: Span): Term {
  compiler.facts.reads.add(attribute);
  noteCustom(compiler, attribute);
  const { type } = attribute;
  if (compiler.dialect === '1.6' && type === 'enum origin') return readOriginNumber(attribute, span);
  if (attribute.home === 'net') {
    compiler.facts.dependsOnPrefix = true;
    compiler.facts.prefixUses++;
    return { type, span, evaluate: (run) => prefixOf(run.route), prefixReads: 1 };
  }
  const absent = absentValue(compiler, attribute);
  const evaluate: Evaluate =
    absent === undefined ? (run) => run.route.get(attribute) : (run) => run.route.get(attribute) ?? absent;
  return { type, span, evaluate };
}

/** BIRD 1.6 takes ORIGIN_* for this attribute and gives a number back, which equals none of them. */
function readOriginNumber(attribute: RouteAttribute, span: Span): Term {
  const evaluate: Evaluate = (run) => {
    const value = run.route.get(attribute);
    return typeof value === 'object' && value.kind === 'enum' ? value.value : value;
  };
  return { type: 'int', span, evaluate };
}

/** A custom attribute is not known by its name alone: another configuration may mean another by it. */
export function noteCustom(compiler: Compiler, attribute: RouteAttribute): void {
  if (attribute.id < ROUTE_ATTRIBUTES.length) return;
  compiler.facts.uses.add(`${attribute.name} ${attribute.type} ${attribute.code}`);
}

/** The prefix of a route as a value. */
export function prefixOf(route: RouteAccess): PrefixValue {
  const bytes = new Uint8Array(route.netStride * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < route.netStride; i++) view.setUint32(i * 4, route.netWords[i]!);
  return new PrefixValue(bytes, route.netBits);
}

function compilePair(compiler: Compiler, high: Expression, low: Expression, span: Span): Term {
  const parts = [compileTerm(compiler, high), compileTerm(compiler, low)] as const;
  for (const part of parts) {
    if (!isAssignable(part.type, 'int')) {
      const message = `the parts of a pair must be int, this is ${part.type}`;
      // 1.6 finds out when it runs, unless it is constant.
      if (part.constant === undefined) compiler.mistyped(part.span, message);
      else compiler.diagnostics.error(part.span, message);
      if (part.constant !== undefined || compiler.dialect === '2.x') return compiler.nonsense(span);
    }
    const value = part.constant?.value;
    if (typeof value === 'number' && value > MAX_UINT16) {
      compiler.diagnostics.error(
        part.span,
        `${value} is out of range in a pair`,
        `each part is 0 to ${MAX_UINT16}`,
      );
      return compiler.nonsense(span);
    }
  }
  const [a, b] = [parts[0].evaluate, parts[1].evaluate];
  return compiler.combine('pair', span, parts, (run) => makePair(a(run), b(run)));
}

function makePair(high: Value, low: Value): Pair {
  if (typeof high !== 'number' || typeof low !== 'number')
    throw new PolicyRuntimeError('the parts of a pair must be int');
  if (high > MAX_UINT16 || low > MAX_UINT16) {
    throw new PolicyRuntimeError(`${Math.max(high, low)} is out of range in a pair`);
  }
  return new Pair(((high << 16) | low) >>> 0);
}

function compileLc(compiler: Compiler, expressions: readonly Expression[], span: Span): Term {
  const parts = expressions.map((part) => compileTerm(compiler, part));
  for (const part of parts) compiler.want(part, 'int', 'the parts of a large community');
  return compiler.combine('lc', span, parts, (run) => {
    const [a, b, c] = parts.map((part) => part.evaluate(run));
    if (typeof a !== 'number' || typeof b !== 'number' || typeof c !== 'number') {
      throw new PolicyRuntimeError('the parts of a large community must be int');
    }
    return new Lc(a, b, c);
  });
}

function compileEc(compiler: Compiler, expression: Expression & { kind: 'ec' }): Term {
  const { which, span } = expression;
  const subtype =
    expression.subtype === undefined
      ? compiler.constant(0, 'int', span)
      : compileTerm(compiler, expression.subtype);
  const key = compileTerm(compiler, expression.key);
  const value = compileTerm(compiler, expression.value);
  compiler.want(subtype, 'int', 'the type of an extended community');
  compiler.want(value, 'int', 'the value of an extended community');
  return compiler.combine('ec', span, [subtype, key, value], (run) => {
    const type = subtype.evaluate(run);
    return makeEc(which, typeof type === 'number' ? type : 0, key.evaluate(run), value.evaluate(run));
  });
}

function compileBinary(compiler: Compiler, expression: BinaryExpression): Term {
  const { operator, span } = expression;
  const left = compileTerm(compiler, expression.left);
  const right = compileTerm(compiler, expression.right);
  switch (operator) {
    case '~':
    case '!~':
      return compileMatch(compiler, operator, left, right, expression);
    case '&&':
    case '||':
      return compileLogical(compiler, operator, left, right, span);
    case '++':
      return compileAppend(compiler, left, right, span);
    case '=':
    case '!=':
      return compileEqual(compiler, operator, left, right, span);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return compileOrder(compiler, operator, left, right, span);
    default: {
      compiler.want(left, 'int', `what '${operator}' is applied to`);
      compiler.want(right, 'int', `what '${operator}' is applied to`);
      const [a, b] = [left.evaluate, right.evaluate];
      return compiler.combine('int', span, [left, right], (run) => arithmetic(operator, a(run), b(run)));
    }
  }
}

function compileLogical(
  compiler: Compiler,
  operator: '&&' | '||',
  left: Term,
  right: Term,
  span: Span,
): Term {
  const where = `'${operator}'`;
  compiler.want(left, 'bool', `what ${where} joins`);
  compiler.want(right, 'bool', `what ${where} joins`);
  // Where all of it is a question about the prefix, it is one question.
  const isOne = prefixReadsOf([left, right]) !== undefined;
  const [a, b] = isOne
    ? [left.evaluate, right.evaluate]
    : [compiler.condition(left), compiler.condition(right)];
  const evaluate: Evaluate =
    operator === '&&'
      ? (run) => truth(a(run), where) && truth(b(run), where)
      : (run) => truth(a(run), where) || truth(b(run), where);
  return compiler.combine('bool', span, [left, right], evaluate);
}

/** Strings, paths and lists one after the other (2.x). */
function compileAppend(compiler: Compiler, left: Term, right: Term, span: Span): Term {
  compiler.want(left, 'string', "what '++' joins");
  compiler.want(right, 'string', "what '++' joins");
  return compiler.combine('string', span, [left, right], (run) => {
    const a = left.evaluate(run);
    const b = right.evaluate(run);
    if (typeof a === 'string' && typeof b === 'string') return a + b;
    throw new PolicyRuntimeError(`'++' needs strings, got ${typeOf(a)} and ${typeOf(b)}`);
  });
}

function compileEqual(compiler: Compiler, operator: '=' | '!=', left: Term, right: Term, span: Span): Term {
  const [a, b] = [left.evaluate, right.evaluate];
  const wanted = operator === '=';
  return compiler.combine('bool', span, [left, right], (run) => equal(a(run), b(run)) === wanted);
}

const ORDER: Readonly<Record<'<' | '>' | '<=' | '>=', (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '>': (order) => order > 0,
  '<=': (order) => order <= 0,
  '>=': (order) => order >= 0,
};

function compileOrder(
  compiler: Compiler,
  operator: keyof typeof ORDER,
  left: Term,
  right: Term,
  span: Span,
): Term {
  if (!isComparable(left.type, right.type)) {
    compiler.mistyped(
      span,
      `'${operator}' compares values of one type, these are ${left.type} and ${right.type}`,
    );
  }
  const [a, b] = [left.evaluate, right.evaluate];
  const test = ORDER[operator as BinaryOperator & keyof typeof ORDER];
  return compiler.combine('bool', span, [left, right], (run) => test(compare(a(run), b(run))));
}

function isComparable(a: PolicyType, b: PolicyType): boolean {
  return isAssignable(a, b) || isAssignable(b, a);
}
