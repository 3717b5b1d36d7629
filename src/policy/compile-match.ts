// `a ~ b`. The shapes that decide about most routes run on the route's own words and octets without making a value:
// `net` against prefixes and prefix sets, paths against masks and AS sets, communities against lists and sets.

import { readUint32 } from '../lib/bytes.ts';
import { prefixMask } from '../lib/ip-words.ts';
import { toWords } from '../lib/prefix-trie.ts';
import type { BinaryExpression, Expression } from './ast.ts';
import type { RouteAttribute } from './attributes.ts';
import { type Compiler, prefixReadsOf, type Term } from './compiler.ts';
import { listHas, memberBytes, pathHas } from './membership.ts';
import { matches } from './operators.ts';
import type { RouteAccess } from './route-access.ts';
import type { Run } from './run.ts';
import { PolicyRuntimeError, type PrefixValue, type Value } from './values.ts';

type Test = (run: Run) => boolean;

export function compileMatch(
  compiler: Compiler,
  operator: '~' | '!~',
  left: Term,
  right: Term,
  expression: BinaryExpression,
): Term {
  const { span } = expression;
  const fast = fastTest(compiler, left, right, expression);
  if (fast !== undefined) {
    const evaluate: Test = operator === '~' ? fast : (run) => !fast(run);
    const prefixReads = prefixReadsOf([left, right]);
    return prefixReads === undefined
      ? { type: 'bool', span, evaluate }
      : { type: 'bool', span, evaluate, prefixReads };
  }
  const [a, b] = [left.evaluate, right.evaluate];
  const wanted = operator === '~';
  return compiler.combine('bool', span, [left, right], (run) => matches(a(run), b(run)) === wanted);
}

function fastTest(
  compiler: Compiler,
  left: Term,
  right: Term,
  expression: BinaryExpression,
): Test | undefined {
  const attribute = attributeOf(compiler, expression.left);
  if (attribute !== undefined && right.constant !== undefined) {
    return attributeTest(compiler, attribute, right.constant.value);
  }
  const list = attributeOf(compiler, expression.right);
  if (list !== undefined && left.constant !== undefined) return containsTest(list, left.constant.value);
  return undefined;
}

/** The attribute that the expression is, if it is one and no more. */
function attributeOf(compiler: Compiler, expression: Expression): RouteAttribute | undefined {
  if (expression.kind !== 'name') return undefined;
  const symbol = compiler.resolve(expression);
  return symbol?.kind === 'attribute' ? symbol.attribute : undefined;
}

/** `attribute ~ constant` */
function attributeTest(compiler: Compiler, attribute: RouteAttribute, value: Value): Test | undefined {
  if (typeof value !== 'object') return undefined;
  if (attribute.home === 'net') {
    if (value.kind === 'prefix') return insideTest(value);
    if (value.kind !== 'set' || value.type !== 'prefix set' || 'element' in value) return undefined;
    return (run) => {
      const { route } = run;
      return value.has(route.netWords, route.netBits, route.netStride);
    };
  }
  if (attribute.home !== 'path') return undefined;
  const { code, type } = attribute;
  if (type === 'bgppath') {
    const inside = pathTest(value);
    if (inside === undefined) return undefined;
    // An absent path is no path in 1.6 and an empty one in 2.x.
    const absent =
      compiler.dialect === '2.x'
        ? () => inside(NO_BYTES, 0, 0)
        : () => fail(`cannot match void against ${value.kind}`);
    return (run) => {
      const { route } = run;
      return route.find(code) ? inside(route.bytes, route.start, route.end) : absent();
    };
  }
  if (
    (type === 'clist' || type === 'eclist' || type === 'lclist') &&
    value.kind === 'set' &&
    'element' in value
  ) {
    if (listHas(type, NO_BYTES, 0, 0, value) === undefined) return undefined;
    return (run) => {
      const { route } = run;
      return route.find(code) && listHas(type, route.bytes, route.start, route.end, value) === true;
    };
  }
  return undefined;
}

const NO_BYTES = new Uint8Array(0);

function fail(message: string): never {
  throw new PolicyRuntimeError(message);
}

function pathTest(value: Value): ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined {
  if (typeof value !== 'object') return undefined;
  if (value.kind === 'bgpmask') return (bytes, start, end) => value.matches(bytes, start, end);
  if (value.kind !== 'set' || !('element' in value)) return undefined;
  const ases = value.part('int');
  return ases === undefined ? undefined : (bytes, start, end) => pathHas(bytes, start, end, ases);
}

/** `net ~ prefix` */
function insideTest(prefix: PrefixValue): Test {
  const words = toWords(prefix.bytes);
  const stride = words.length;
  const { length } = prefix;
  const masks = Array.from(words, (_, i) => prefixMask(length, i));
  return (run) => {
    const { route } = run;
    return route.netStride === stride && route.netBits >= length && isInside(route, words, masks);
  };
}

function isInside(route: RouteAccess, words: Int32Array, masks: readonly number[]): boolean {
  for (let i = 0; i < words.length; i++) {
    if (((route.netWords[i]! ^ words[i]!) & masks[i]!) !== 0) return false;
  }
  return true;
}

/** `constant ~ attribute` */
function containsTest(attribute: RouteAttribute, value: Value): Test | undefined {
  const { type, code, home } = attribute;
  if (home !== 'path' || (type !== 'clist' && type !== 'eclist' && type !== 'lclist')) return undefined;
  const member = memberBytes(value, type);
  if (member === undefined) return undefined;
  const words = Array.from({ length: member.length / 4 }, (_, i) => readUint32(member, i * 4));
  const size = member.length;
  return (run) => {
    const { route } = run;
    if (!route.find(code)) return false;
    const { bytes, end } = route;
    for (let at = route.start; at + size <= end; at += size) {
      let same = true;
      for (let i = 0; same && i < words.length; i++) same = readUint32(bytes, at + i * 4) === words[i];
      if (same) return true;
    }
    return false;
  };
}
