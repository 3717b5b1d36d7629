// Terms of the filter language. Precedence, lowest first, as BIRD has it: `&&` and `||` equal and left-associative;
// comparisons and `~`, which do not chain; `+ - ++`; `* /`; `!`, which binds tighter than comparisons; `.`.

import { formatPrefix, maskBytes } from '../lib/ip.ts';
import type {
  BinaryOperator,
  CallExpression,
  EcKind,
  EmptyExpression,
  Expression,
  MethodExpression,
  Name,
  PrefixLiteral,
} from './ast.ts';
import { EC_KINDS } from './ast.ts';
import type { Token } from './lexer.ts';
import { parseAfterPrefix, parseFlow, parseLabel, parseVpn } from './parse-net.ts';
import { parseMask, parseOldMask, parseSet } from './parse-set.ts';
import { joinSpans } from './source.ts';
import type { TokenReader } from './token-reader.ts';
import { RESERVED_WORDS } from './words.ts';

const LOGICAL = ['&&', '||'] as const;
const COMPARISON = ['=', '!=', '<', '>', '<=', '>=', '~', '!~'] as const;
const ADDITIVE = ['+', '-', '++'] as const;
const MULTIPLICATIVE = ['*', '/'] as const;

/** Reads one term. Throws SyntaxStop, the mistake being reported. */
export function parseTerm(reader: TokenReader): Expression {
  return reader.nested(() => {
    let left = parseComparison(reader);
    for (let operator = takeOperator(reader, LOGICAL); operator !== undefined; ) {
      left = binary(operator, left, parseComparison(reader));
      operator = takeOperator(reader, LOGICAL);
    }
    return left;
  });
}

function parseComparison(reader: TokenReader): Expression {
  const left = parseSum(reader);
  const operator = takeOperator(reader, COMPARISON);
  if (operator === undefined) {
    if (reader.isOp('!') && reader.isOp('=', 1))
      throw reader.unexpected('an operator', undefined, "'!=' is one word");
    return left;
  }
  if (operator === '=' && reader.isOp('=')) {
    throw reader.unexpected('a value', "after '='", "comparison is a single '='");
  }
  const result = binary(operator, left, parseSum(reader));
  const next = reader.peek();
  if (next.kind === 'op' && COMPARISON.some((other) => other === next.text)) {
    throw reader.fail(next, 'comparisons do not chain', 'put one of them in parentheses');
  }
  return result;
}

function parseSum(reader: TokenReader): Expression {
  let left = parseProduct(reader);
  for (;;) {
    // `++` is there in 2.x only; `x + +empty+` is two words anywhere.
    const operator = takeOperator(reader, ADDITIVE);
    if (operator === undefined) return left;
    left = binary(operator, left, parseProduct(reader));
  }
}

function parseProduct(reader: TokenReader): Expression {
  let left = parseUnary(reader);
  for (;;) {
    const operator = takeOperator(reader, MULTIPLICATIVE);
    if (operator === undefined) return left;
    left = binary(operator, left, parseUnary(reader));
  }
}

function parseUnary(reader: TokenReader): Expression {
  const start = reader.peek();
  if (!reader.takeOp('!')) return parsePostfix(reader);
  const operand = reader.nested(() => parseUnary(reader));
  return { kind: 'unary', operator: '!', operand, span: joinSpans(start, operand.span) };
}

/** A primary with what is reached through dots. */
function parsePostfix(reader: TokenReader): Expression {
  let object = parsePrimary(reader);
  while (reader.isOp('.')) object = parseMember(reader, object);
  return object;
}

/** `.name` or `.name(arguments)`; the dot is next. */
export function parseMember(reader: TokenReader, object: Expression): MethodExpression {
  reader.expectOp('.');
  const method = nameOf(reader.expectSymbol('the name of a property or method'));
  if (!reader.isOp('(')) {
    return { kind: 'method', object, method, span: joinSpans(object.span, method.span) };
  }
  const args = parseArguments(reader);
  return { kind: 'method', object, method, args, span: joinSpans(object.span, reader.last) };
}

/** `(a, b)`; the parenthesis is next. */
export function parseArguments(reader: TokenReader): Expression[] {
  reader.expectOp('(');
  const args: Expression[] = [];
  if (!reader.isOp(')')) {
    do args.push(parseTerm(reader));
    while (reader.takeOp(','));
  }
  reader.expectOp(')', 'after the arguments');
  return args;
}

/** A term without operators and dots. */
export function parsePrimary(reader: TokenReader): Expression {
  const token = reader.peek();
  switch (token.kind) {
    case 'ip4':
    case 'ip6':
      return reader.isOp('/', 1) ? parseNet(reader) : octets(reader.next(), 'ip');
    case 'rd':
      return reader.peek(1).kind === 'ip4' || reader.peek(1).kind === 'ip6'
        ? parseVpn(reader)
        : octets(reader.next(), 'rd');
    case 'op':
      return parseOperatorPrimary(reader, token);
    case 'word':
    case 'quoted':
      return parseWord(reader, token);
    default:
      return parseConstant(reader) ?? stop(reader);
  }
}

function parseNet(reader: TokenReader): Expression {
  const prefix = parsePrefix(reader);
  return reader.dialect === '1.6' ? prefix : parseAfterPrefix(reader, prefix);
}

function stop(reader: TokenReader): never {
  throw reader.unexpected('a value');
}

/** A number, string, octets: what is one token and no name. */
export function parseConstant(reader: TokenReader): Expression | undefined {
  const token = reader.peek();
  switch (token.kind) {
    case 'number':
      return { kind: 'number', value: reader.next().number, span: token };
    case 'string':
      return { kind: 'string', value: reader.next().text, span: token };
    case 'ip4':
    case 'ip6':
      return octets(reader.next(), 'ip');
    case 'rd':
    case 'mac':
    case 'bytes':
      return octets(reader.next(), token.kind);
    default:
      return undefined;
  }
}

function octets(token: Token, kind: 'ip' | 'rd' | 'mac' | 'bytes'): Expression {
  return { kind, bytes: token.bytes ?? new Uint8Array(0), span: token };
}

function parseOperatorPrimary(reader: TokenReader, token: Token): Expression {
  switch (token.text) {
    case '(':
      return parseParenthesis(reader);
    case '[':
      return parseSet(reader);
    case '[=':
      return parseMask(reader);
    case '+':
    case '-':
    case '++':
      return parseEmpty(reader) ?? noSign(reader);
    case '/':
      return reader.dialect === '1.6' ? parseOldMask(reader) : stop(reader);
    default:
      return stop(reader);
  }
}

function noSign(reader: TokenReader): never {
  throw reader.unexpected('a value', undefined, 'numbers have no sign: write 0 - x');
}

/** `+empty+`, `-empty-`, `--empty--`, `---empty---` */
function parseEmpty(reader: TokenReader): EmptyExpression | undefined {
  const start = reader.peek();
  const sign = start.text;
  if (sign === '++') return undefined;
  let count = 0;
  while (reader.isOp(sign, count)) count++;
  const of = sign === '+' ? (count === 1 ? 'bgppath' : undefined) : EMPTY_LISTS[count];
  if (of === undefined || !reader.isWord('empty', count)) return undefined;
  for (let i = 0; i <= count; i++) reader.next();
  for (let i = 0; i < count; i++) reader.expectOp(sign, `after ${sign.repeat(count)}empty`);
  return { kind: 'empty', of, span: reader.spanFrom(start) };
}

/** By the number of minus signs. */
const EMPTY_LISTS = [undefined, 'clist', 'eclist', 'lclist'] as const;

function parseWord(reader: TokenReader, token: Token): Expression {
  if (token.kind === 'word') {
    if (token.text === 'true' || token.text === 'false') {
      return { kind: 'bool', value: reader.next().text === 'true', span: token };
    }
    if (reader.dialect === '2.x') {
      if (token.text === 'mpls' && reader.peek(1).kind === 'number') return parseLabel(reader);
      if ((token.text === 'flow4' || token.text === 'flow6') && reader.isOp('{', 1)) return parseFlow(reader);
    }
    // `filter(list, set)` is a function.
    const isCall = token.text === 'filter' && reader.isOp('(', 1);
    if (RESERVED_WORDS.has(token.text) && !isCall) return stop(reader);
  }
  const name = nameOf(reader.next());
  if (!reader.isOp('(')) return name;
  return parseCallOf(reader, name);
}

/** The call of `callee`; its parenthesis is next. */
export function parseCallOf(reader: TokenReader, callee: Name): CallExpression {
  const args = parseArguments(reader);
  return { kind: 'call', callee, args, span: joinSpans(callee.span, reader.last) };
}

export function nameOf(token: Token): Name {
  return { kind: 'name', name: token.text, quoted: token.kind === 'quoted', span: token };
}

/** `(term)`, a pair, an extended or a large community. */
function parseParenthesis(reader: TokenReader): Expression {
  const start = reader.expectOp('(');
  const which = ecKind(reader);
  if (which !== undefined) {
    reader.next();
    const subtype = which === 'unknown' ? parseEcType(reader) : undefined;
    reader.expectOp(',', 'in an extended community');
    const key = parseTerm(reader);
    reader.expectOp(',', 'in an extended community');
    const value = parseTerm(reader);
    reader.expectOp(')', 'after an extended community');
    const span = reader.spanFrom(start);
    return { kind: 'ec', which, ...(subtype === undefined ? {} : { subtype }), key, value, span };
  }
  const first = parseTerm(reader);
  // The parentheses are part of what is shown of it.
  if (reader.takeOp(')')) return { ...first, span: reader.spanFrom(start) };
  if (!reader.takeOp(',')) throw reader.unexpected("')'");
  const second = parseTerm(reader);
  if (reader.takeOp(')')) return { kind: 'pair', high: first, low: second, span: reader.spanFrom(start) };
  if (!reader.takeOp(',')) throw reader.unexpected("')' or ','", 'in a pair or community');
  const third = parseTerm(reader);
  reader.expectOp(')', 'after a large community');
  return { kind: 'lc', parts: [first, second, third], span: reader.spanFrom(start) };
}

/** The kind of extended community that follows an opening parenthesis. */
export function ecKind(reader: TokenReader): EcKind | undefined {
  const token = reader.peek();
  const which = token.kind === 'word' ? EC_KINDS.find((kind) => kind === token.text) : undefined;
  if (which === undefined) return undefined;
  return which === 'unknown' || reader.isOp(',', 1) ? which : undefined;
}

/** The type that follows `unknown`: never a constant or a computed one. */
export function parseEcType(reader: TokenReader): Expression {
  const token = reader.expectNumber('the type of the extended community');
  return { kind: 'number', value: token.number, span: token };
}

/** `address/length`; host bits must be zero. */
export function parsePrefix(reader: TokenReader): PrefixLiteral {
  const start = reader.next();
  const bytes = start.bytes!;
  reader.expectOp('/', 'and a prefix length');
  const bits = bytes.length * 8;
  const token = reader.expectNumber('a prefix length');
  const span = reader.spanFrom(start);
  if (token.number > bits) {
    reader.diagnostics.error(token, `prefix length ${token.number} is out of range`, `0 to ${bits} fit here`);
    return { kind: 'prefix', bytes, length: bits, span };
  }
  const masked = maskBytes(bytes, token.number);
  if (masked.some((octet, i) => octet !== bytes[i])) {
    const meant = formatPrefix({ bytes: masked, length: token.number });
    reader.diagnostics.error(
      span,
      `${start.text}/${token.number} has bits beyond its length`,
      `did you mean ${meant}?`,
    );
  }
  return { kind: 'prefix', bytes: masked, length: token.number, span };
}

function takeOperator<T extends BinaryOperator>(reader: TokenReader, operators: readonly T[]): T | undefined {
  const token = reader.peek();
  if (token.kind !== 'op') return undefined;
  const operator = operators.find((candidate) => candidate === token.text);
  if (operator === undefined || (operator === '++' && reader.dialect === '1.6')) return undefined;
  reader.next();
  return operator;
}

function binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator, left, right, span: joinSpans(left.span, right.span) };
}
