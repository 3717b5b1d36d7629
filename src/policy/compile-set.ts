// Set literals and path masks -> values. Sets are made of constants; a mask may have variables in it and is then made
// anew when one of them changed.

import { readUint32 } from '../lib/bytes.ts';
import { toWords } from '../lib/prefix-trie.ts';
import type {
  Bounds,
  EcItem,
  Expression,
  LcItem,
  MaskExpression,
  MaskItem,
  PairItem,
  SetElementType,
  SetExpression,
  SetItem,
  TupleRangeItem,
} from './ast.ts';
import { compileTerm } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { makeEc } from './extended-community.ts';
import { formatValue } from './format.ts';
import type { Dialect } from './lexer.ts';
import { ipWords } from './membership.ts';
import { isInParentheses, isOfPrefixes, strideOf } from './parse-set.ts';
import { type MaskStep, PathMask } from './path-mask.ts';
import { lengthsOf, PrefixPatterns } from './prefix-patterns.ts';
import { EmptySet, PrefixSet, RangeSet, type WordRange } from './sets.ts';
import type { Span } from './source.ts';
import { type Ec, isAssignable, PolicyRuntimeError, typeOf, type Value } from './values.ts';

const MAX_UINT16 = 0xffff;
const MAX_UINT32 = 0xffffffff;

/** A member, or range of members, with the type it is of. */
export interface TypedRange extends WordRange {
  readonly element: SetElementType;
}

export function compileSet(compiler: Compiler, expression: SetExpression): Term {
  const { items, span } = expression;
  const first = items[0];
  if (first === undefined) return compiler.constant(new EmptySet(), 'empty set', span);
  if (isOfPrefixes(first)) {
    return compiler.constant(new PrefixSet(patternsOf(items, strideOf(first))), 'prefix set', span);
  }
  const set = makeRangeSet(items.flatMap((item) => memberRanges(compiler, item)));
  return set === undefined ? compiler.nonsense(span) : compiler.constant(set, set.type, span);
}

/** Of the prefixes of one family; of others there is a complaint already. */
function patternsOf(items: readonly SetItem[], stride: 1 | 4): PrefixPatterns {
  const patterns = new PrefixPatterns(stride);
  for (const item of items.filter(isOfPrefixes)) {
    if (strideOf(item) !== stride) continue;
    if (item.kind === 'prefixes') patterns.addAll(item.patterns);
    else
      patterns.add(
        toWords(item.bytes),
        item.length,
        ...lengthsOf(item.form, item.length, item.bytes.length * 8),
      );
  }
  return patterns;
}

/** One set of ranges of any types; undefined of none. */
export function makeRangeSet(ranges: readonly TypedRange[]): RangeSet | undefined {
  const byElement = new Map<SetElementType, TypedRange[]>();
  for (const range of ranges) {
    const group = byElement.get(range.element);
    if (group === undefined) byElement.set(range.element, [range]);
    else group.push(range);
  }
  const [main, ...others] = [...byElement].map(([element, group]) => [element, group] as const);
  if (main === undefined) return undefined;
  return new RangeSet(
    main[0],
    main[1],
    others.map(([element, group]) => new RangeSet(element, group)),
  );
}

/**
 * What a member of a set, or a label of a case, stands for. Mistakes are reported and stand for nothing. What labels
 * have in parentheses is an int.
 */
export function memberRanges(compiler: Compiler, item: SetItem, isLabel = false): TypedRange[] {
  switch (item.kind) {
    case 'prefix':
    case 'prefixes':
      compiler.diagnostics.error(item.span, 'a prefix cannot stand here');
      return [];
    case 'value': {
      const value = memberNow(compiler, item.value, isLabel);
      return value === undefined ? [] : [{ element: value.element, low: value.words, high: value.words }];
    }
    case 'range': {
      const from = memberNow(compiler, item.from, isLabel);
      const to = memberNow(compiler, item.to, isLabel);
      if (from === undefined || to === undefined) return [];
      if (from.element === to.element) return [{ element: from.element, low: from.words, high: to.words }];
      const message = `a range from ${from.element} to ${to.element} makes no sense`;
      compiler.diagnostics.warning(item.span, message, 'nothing is in it');
      return [];
    }
    case 'tuples':
      return tupleRange(compiler, item);
    case 'pair':
      return pairRanges(compiler, item);
    case 'ec':
      return ecRange(compiler, item);
    case 'lc':
      return lcRange(compiler, item);
  }
}

interface Member {
  readonly element: SetElementType;
  readonly words: readonly number[];
}

function memberNow(compiler: Compiler, expression: Expression, isLabel: boolean): Member | undefined {
  const { diagnostics } = compiler;
  const isComputed = isInParentheses(expression);
  const value = isComputed ? valueNow(compiler, expression) : constantNow(compiler, expression);
  if (value === undefined) return undefined;
  const member = memberWords(value);
  if (member === undefined) {
    diagnostics.error(expression.span, `${typeOf(value)} cannot be in a set`);
  } else if (isLabel && isComputed && member.element !== 'int') {
    diagnostics.error(expression.span, `a label in parentheses is an int, this is ${member.element}`);
    return undefined;
  }
  return member;
}

/** The value of a literal or of a name that is a constant's; undefined of what is none, which is reported. */
function constantNow(compiler: Compiler, expression: Expression): Value {
  const { constant, type } = compileTerm(compiler, expression);
  if (constant === undefined && (type !== 'unknown' || !compiler.diagnostics.hasErrors)) {
    compiler.diagnostics.error(
      expression.span,
      'members of sets must be constants',
      'use define to name one',
    );
  }
  return constant?.value;
}

/** What a term comes to while the text is read; undefined where it comes to nothing, which is reported. */
function valueNow(compiler: Compiler, expression: Expression): Value {
  const { diagnostics, facts, early, locals } = compiler;
  const { span } = expression;
  const errors = diagnostics.errorCount;
  const { constant, evaluate } = compileTerm(compiler, expression);
  if (diagnostics.errorCount > errors) return undefined;
  if (constant !== undefined) return early.evaluate(evaluate);
  try {
    const value = early.evaluateOnce(expression, evaluate, locals.count);
    facts.uses.add(`early ${formatValue(value)}`);
    const hint = 'use define to name a constant';
    if (value === undefined) diagnostics.error(span, 'sets are made before this has a value', hint);
    // A string may be a secret, and no set has strings.
    else if (typeof value !== 'string')
      diagnostics.warning(span, `sets are made once: this is ${formatValue(value)} for all routes`, hint);
    return value;
  } catch (error) {
    if (!(error instanceof PolicyRuntimeError)) throw error;
    diagnostics.error(span, `sets are made before filters run: ${error.message}`);
    return undefined;
  }
}

/** A value as a member of a set of its type. */
export function memberWords(value: Value): Member | undefined {
  if (typeof value === 'number') return { element: 'int', words: [value] };
  if (typeof value !== 'object') return undefined;
  switch (value.kind) {
    case 'pair':
    case 'quad':
      return { element: value.kind, words: [value.value] };
    case 'enum':
      return { element: `enum ${value.of}`, words: [value.value] };
    case 'ip':
      return { element: 'ip', words: ipWords(value.bytes) };
    case 'ec':
      return { element: 'ec', words: [value.high, value.low] };
    case 'lc':
      return { element: 'lc', words: [value.asn, value.data1, value.data2] };
    case 'rd':
      return { element: 'rd', words: [readUint32(value.bytes, 0), readUint32(value.bytes, 4)] };
    default:
      return undefined;
  }
}

/** The numbers of one dimension; undefined where there is a mistake. */
function bounds(
  compiler: Compiler,
  given: Bounds,
  most: number,
): readonly [low: number, high: number] | undefined {
  if (given.kind === 'any') return [0, most];
  const low = intNow(compiler, given.kind === 'range' ? given.from : given.value, most);
  const high = given.kind === 'range' ? intNow(compiler, given.to, most) : low;
  if (low === undefined || high === undefined) return undefined;
  if (given.kind === 'range' && low > high) {
    const hint = `did you mean ${high}..${low}?`;
    if (most === MAX_UINT16) {
      compiler.diagnostics.error(given.from.span, 'this range ends before it begins', hint);
      return undefined;
    }
    // Elsewhere BIRD takes it for a range with nothing in it.
    compiler.diagnostics.warning(given.from.span, 'this range ends before it begins', hint);
  }
  return [low, high];
}

function intNow(compiler: Compiler, expression: Expression, most: number): number | undefined {
  const value = valueNow(compiler, expression);
  if (value === undefined) return undefined;
  if (typeof value !== 'number') {
    compiler.diagnostics.error(expression.span, `expected an int, this is ${typeOf(value)}`);
    return undefined;
  }
  if (value > most) {
    compiler.diagnostics.error(expression.span, `${value} is out of range`, `0 to ${most} fit here`);
    return undefined;
  }
  return value;
}

/** Each part; undefined where there is a mistake in one. */
function intsNow(compiler: Compiler, parts: readonly Expression[], most: number): number[] | undefined {
  const values = parts.map((part) => intNow(compiler, part, most));
  return values.every((value) => value !== undefined) ? values : undefined;
}

function tupleRange(compiler: Compiler, { from, to, span }: TupleRangeItem): TypedRange[] {
  const { kind: element } = from;
  const [low, high] = [from, to].map((tuple) =>
    tuple.kind === 'pair'
      ? intsNow(compiler, [tuple.high, tuple.low], MAX_UINT16)
      : intsNow(compiler, tuple.parts, MAX_UINT32),
  );
  if (low === undefined || high === undefined) return [];
  if (element === 'lc') return [{ element, low, high }];
  if (low.some((part, i) => part > high[i]!)) {
    compiler.diagnostics.error(span, 'no part of the first pair may be above that of the second');
    return [];
  }
  return [{ element, low: pairWords(low[0]!, low[1]!), high: pairWords(high[0]!, high[1]!) }];
}

function pairWords(high: number, low: number): number[] {
  return [((high << 16) | low) >>> 0];
}

function pairRanges(compiler: Compiler, item: PairItem): TypedRange[] {
  const high = bounds(compiler, item.high, MAX_UINT16);
  const low = bounds(compiler, item.low, MAX_UINT16);
  if (high === undefined || low === undefined) return [];
  if (low[0] === 0 && low[1] === MAX_UINT16) {
    return [{ element: 'pair', low: pairWords(high[0], 0), high: pairWords(high[1], MAX_UINT16) }];
  }
  const ranges: TypedRange[] = [];
  for (let a = high[0]; a <= high[1]; a++)
    ranges.push({ element: 'pair', low: pairWords(a, low[0]), high: pairWords(a, low[1]) });
  return ranges;
}

function ecRange(compiler: Compiler, item: EcItem): TypedRange[] {
  if (item.key.kind !== 'value') return [];
  const key = intNow(compiler, item.key.value, MAX_UINT32);
  const subtype = item.subtype === undefined ? 0 : intNow(compiler, item.subtype, MAX_UINT32);
  if (key === undefined || subtype === undefined) return [];
  const wide = item.which !== 'generic' && key > MAX_UINT16;
  const value = bounds(compiler, item.value, MAX_UINT32);
  if (value === undefined) return [];
  if (wide && item.value.kind !== 'any' && value[1] > MAX_UINT16) {
    compiler.diagnostics.error(item.span, `${value[1]} is out of range beside a key of four octets`);
    return [];
  }
  const words = (number: number): number[] => {
    const ec: Ec = makeEc(item.which, subtype, key, number);
    return [ec.high, ec.low];
  };
  return [
    { element: 'ec', low: words(value[0]), high: words(wide ? Math.min(value[1], MAX_UINT16) : value[1]) },
  ];
}

function lcRange(compiler: Compiler, item: LcItem): TypedRange[] {
  const parts = item.parts.map((part) => bounds(compiler, part, MAX_UINT32));
  const low: number[] = [];
  const high: number[] = [];
  for (const part of parts) {
    if (part === undefined) return [];
    low.push(part[0]);
    high.push(part[1]);
  }
  return [{ element: 'lc', low, high }];
}

// --- path masks

/** A part of a mask: a step that is known, or a term that gives one. */
interface MaskPart {
  readonly step?: MaskStep;
  readonly term?: Term;
  readonly text: string;
  readonly repeats: boolean;
}

export function compileMask(compiler: Compiler, expression: MaskExpression): Term {
  const { span } = expression;
  const parts: MaskPart[] = [];
  for (const item of expression.items) {
    if (item.kind !== 'some') parts.push(maskPart(compiler, item));
    else if (parts.length > 0) parts[parts.length - 1] = { ...parts.at(-1)!, repeats: true };
  }
  const terms = parts.flatMap((part) => (part.term === undefined ? [] : [part.term]));
  let last: { values: readonly Value[]; mask: PathMask } | undefined;
  return compiler.combine('bgpmask', span, terms, (run) => {
    const values = terms.map((term) => term.evaluate(run));
    if (last === undefined || values.some((value, i) => value !== last?.values[i])) {
      last = { values, mask: makeMask(compiler.dialect, parts, values) };
    }
    return last.mask;
  });
}

function maskPart(compiler: Compiler, item: MaskItem): MaskPart {
  switch (item.kind) {
    case 'one':
      return { step: { kind: 'one' }, text: '?', repeats: false };
    case 'any':
    case 'some':
      return { step: { kind: 'any' }, text: '*', repeats: false };
    case 'set': {
      const set = makeRangeSet((item.items ?? []).flatMap((member) => memberRanges(compiler, member)));
      return {
        step: { kind: 'set', set: intsOf(compiler, set, item.span) },
        text: set === undefined ? '[]' : formatValue(set),
        repeats: false,
      };
    }
    case 'range': {
      const low = intNow(compiler, item.value!, MAX_UINT32) ?? 0;
      const high = intNow(compiler, item.to!, MAX_UINT32) ?? 0;
      return { step: { kind: 'range', low, high }, text: `${low}..${high}`, repeats: false };
    }
    case 'value': {
      const term = compileTerm(compiler, item.value!);
      const { diagnostics, dialect } = compiler;
      const isSet = dialect === '2.x' && term.type === 'int set';
      if (!isSet && !isAssignable(term.type, 'int')) {
        // It is found out when the mask is made: of constants while the file is read, in 1.6 when it is used.
        diagnostics.warning(item.span, `a path mask is made of ints, this is ${term.type}`);
      }
      return { term, text: '', repeats: false };
    }
  }
}

function intsOf(compiler: Compiler, set: RangeSet | undefined, span: Span): RangeSet | undefined {
  if (set !== undefined && set.element !== 'int') {
    compiler.diagnostics.error(span, `a path mask is made of ints, this is ${set.type}`);
  }
  return set?.part('int');
}

function makeMask(dialect: Dialect, parts: readonly MaskPart[], values: readonly Value[]): PathMask {
  const steps: MaskStep[] = [];
  const texts: string[] = [];
  let next = 0;
  for (const part of parts) {
    const value = part.term === undefined ? undefined : values[next++];
    steps.push(part.step ?? stepOf(dialect, value));
    texts.push((part.term === undefined ? part.text : formatValue(value)) + (part.repeats ? ' +' : ''));
  }
  const text = texts.length === 0 ? '[= =]' : `[= ${texts.join(' ')} =]`;
  return new PathMask(
    steps,
    parts.map((part) => part.repeats),
    text,
  );
}

/** An AS, or in 2.x a set of them. */
function stepOf(dialect: Dialect, value: Value): MaskStep {
  if (typeof value === 'number') return { kind: 'range', low: value, high: value };
  if (dialect === '2.x' && typeof value === 'object' && value.kind === 'set') {
    if (value.type === 'empty set') return { kind: 'set', set: undefined };
    if ('element' in value && value.element === 'int') return { kind: 'set', set: value };
  }
  throw new PolicyRuntimeError(`a path mask is made of ints, got ${typeOf(value)}`);
}
