// Expressions -> closures. Constants are computed here and now; everything else reads its Run.

import type { BinaryExpression, BinaryOperator, EcExpression, Expression, Name } from './ast.ts';
import { ROUTE_ATTRIBUTES, type RouteAttribute } from './attributes.ts';
import { compileCall } from './compile-call.ts';
import { compileMatch } from './compile-match.ts';
import { compileMethod } from './compile-method.ts';
import { compileFlow, compileNet } from './compile-net.ts';
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
    case 'net':
      return compileNet(compiler, expression);
    case 'flow':
      return compileFlow(compiler, expression);
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
  // 1.6 finds out when it runs, unless both are literals.
  if (compiler.dialect === '1.6' && ![high, low].every((part) => isLiteral(compiler, part))) {
    for (const part of parts) compiler.want(part, 'int', 'the parts of a pair');
  } else {
    for (const part of parts) if (!isSmall(compiler, part)) return compiler.nonsense(span);
  }
  const [a, b] = [parts[0].evaluate, parts[1].evaluate];
  return compiler.combine('pair', span, parts, (run) => makePair(a(run), b(run)));
}

/** Complains unless a part of a pair is an int of 16 bits, as far as that is known. */
function isSmall({ diagnostics }: Compiler, { type, span, constant }: Term): boolean {
  if (!isAssignable(type, 'int')) {
    diagnostics.error(span, `the parts of a pair must be int, this is ${type}`);
    return false;
  }
  const value = constant?.value;
  if (typeof value !== 'number' || value <= MAX_UINT16) return true;
  const hint = `each part is 0 to ${MAX_UINT16}`;
  diagnostics.error(span, `${value} is out of range in a pair`, hint);
  return false;
}

/** What BIRD 1.6 knows when it reads a term: literals, but addresses, prefixes, communities and masks. */
function isLiteral(compiler: Compiler, expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
    case 'bool':
    case 'string':
    case 'set':
      return true;
    case 'pair':
      return isLiteral(compiler, expression.high) && isLiteral(compiler, expression.low);
    case 'name':
      return !expression.quoted && compiler.symbols.builtin(expression.name)?.kind === 'constant';
    default:
      return false;
  }
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
  const isKnown = expressions.every((part) => isLiteral(compiler, part));
  for (const part of parts) wantInt(compiler, part, 'the parts of a large community', isKnown);
  return compiler.combine('lc', span, parts, (run) => {
    const [a, b, c] = parts.map((part) => part.evaluate(run));
    if (typeof a !== 'number' || typeof b !== 'number' || typeof c !== 'number') {
      throw new PolicyRuntimeError('the parts of a large community must be int');
    }
    return new Lc(a, b, c);
  });
}

/** `isKnown`: 1.6 has seen it, too. */
function wantInt(compiler: Compiler, term: Term, where: string, isKnown: boolean): void {
  if (!isKnown) compiler.want(term, 'int', where);
  else if (!isAssignable(term.type, 'int'))
    compiler.diagnostics.error(term.span, `${where} must be int, this is ${term.type}`);
}

/** Of the key 1.6 looks at every constant, of the value at literals. */
function checkOldEc(
  { diagnostics }: Compiler,
  { which, key: { kind } }: EcExpression,
  { constant, type, span }: Term,
  value: Term | undefined,
): void {
  if (constant === undefined || COMPUTED.has(kind)) return;
  if (!isAssignable(type, 'int') && !isAssignable(type, 'quad')) {
    diagnostics.error(span, `the key of an extended community is an int or an address, this is ${type}`);
    return;
  }
  const isWide = typeof constant.value !== 'number' || constant.value > MAX_UINT16;
  const beside = value?.constant?.value;
  if (
    value !== undefined &&
    which !== 'generic' &&
    isWide &&
    typeof beside === 'number' &&
    beside > MAX_UINT16
  )
    diagnostics.error(value.span, `${beside} does not fit the two octets beside this key`);
}

const COMPUTED: ReadonlySet<Expression['kind']> = new Set(['binary', 'unary', 'call', 'method', 'empty']);

function compileEc(compiler: Compiler, expression: EcExpression): Term {
  const { which, span } = expression;
  const subtype =
    expression.subtype === undefined
      ? compiler.constant(0, 'int', span)
      : compileTerm(compiler, expression.subtype);
  const key = compileTerm(compiler, expression.key);
  const value = compileTerm(compiler, expression.value);
  compiler.want(subtype, 'int', 'the type of an extended community');
  const isKnown = isLiteral(compiler, expression.value);
  wantInt(compiler, value, 'the value of an extended community', isKnown);
  if (compiler.dialect === '1.6') checkOldEc(compiler, expression, key, isKnown ? value : undefined);
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

/** Strings one after the other, as `++` and `append` have it. */
export function compileAppend(compiler: Compiler, left: Term, right: Term, span: Span): Term {
  compiler.want(left, 'string', 'what is appended');
  compiler.want(right, 'string', 'what is appended');
  return compiler.combine('string', span, [left, right], (run) => {
    const a = left.evaluate(run);
    const b = right.evaluate(run);
    if (typeof a === 'string' && typeof b === 'string') return a + b;
    throw new PolicyRuntimeError(`only strings are appended, got ${typeOf(a)} and ${typeOf(b)}`);
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
  if (!compiler.fits(left, right.type) && !compiler.fits(right, left.type)) {
    compiler.mistyped(
      span,
      `'${operator}' compares values of one type, these are ${left.type} and ${right.type}`,
    );
  }
  const [a, b] = [left.evaluate, right.evaluate];
  const test = ORDER[operator as BinaryOperator & keyof typeof ORDER];
  return compiler.combine('bool', span, [left, right], (run) => test(compare(a(run), b(run))));
}
