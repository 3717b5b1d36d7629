// Set literals and path masks -> values. Sets are made of constants; a mask may have variables in it and is then made
// anew when one of them changed.

import { readUint32 } from '../lib/bytes.ts';
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
} from './ast.ts';
import { compileTerm } from './compile-term.ts';
import type { Compiler, Term } from './compiler.ts';
import { makeEc } from './extended-community.ts';
import { formatValue } from './format.ts';
import type { Dialect } from './lexer.ts';
import { ipWords } from './membership.ts';
import { type MaskStep, PathMask } from './path-mask.ts';
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
  if (first.kind === 'prefix') {
    const set = new PrefixSet(items.filter((item) => item.kind === 'prefix'));
    return compiler.constant(set, 'prefix set', span);
  }
  const set = makeRangeSet(items.flatMap((item) => memberRanges(compiler, item)));
  return set === undefined ? compiler.nonsense(span) : compiler.constant(set, set.type, span);
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

const COMPOUND: ReadonlySet<string> = new Set(['pair', 'ec', 'lc']);

/** What a member of a set, or a label of a case, stands for. Mistakes are reported and stand for nothing. */
export function memberRanges(compiler: Compiler, item: SetItem): TypedRange[] {
  switch (item.kind) {
    case 'prefix':
      compiler.diagnostics.error(item.span, 'a prefix cannot stand here');
      return [];
    case 'value': {
      const value = constantMember(compiler, item.value);
      return value === undefined ? [] : [{ element: value.element, low: value.words, high: value.words }];
    }
    case 'range': {
      const from = constantMember(compiler, item.from);
      const to = constantMember(compiler, item.to);
      if (from === undefined || to === undefined) return [];
      if (from.element !== to.element) {
        // BIRD takes what is one number each, whatever it may mean.
        const message = `a range from ${from.element} to ${to.element} makes no sense`;
        if (COMPOUND.has(from.element) || COMPOUND.has(to.element))
          compiler.diagnostics.error(item.span, message);
        else compiler.diagnostics.warning(item.span, message, 'nothing is in it');
        return [];
      }
      if (from.element === 'pair' && !isBelow(from.words[0]!, to.words[0]!)) {
        compiler.diagnostics.error(item.span, 'this range ends before it begins');
        return [];
      }
      return [{ element: from.element, low: from.words, high: to.words }];
    }
    case 'pair':
      return pairRanges(compiler, item);
    case 'ec':
      return ecRange(compiler, item);
    case 'lc':
      return lcRange(compiler, item);
  }
}

/** BIRD wants both halves of the first pair not above those of the second. */
function isBelow(from: number, to: number): boolean {
  return from >>> 16 <= to >>> 16 && (from & MAX_UINT16) <= (to & MAX_UINT16);
}

interface Member {
  readonly element: SetElementType;
  readonly words: readonly number[];
}

function constantMember(compiler: Compiler, expression: Expression): Member | undefined {
  const term = compileTerm(compiler, expression);
  if (term.constant === undefined) {
    if (term.type !== 'unknown' || !compiler.diagnostics.hasErrors) {
      compiler.diagnostics.error(
        expression.span,
        'members of sets must be constants',
        'use define to name one',
      );
    }
    return undefined;
  }
  const member = memberWords(term.constant.value);
  if (member === undefined) {
    compiler.diagnostics.error(expression.span, `${typeOf(term.constant.value)} cannot be in a set`);
  }
  return member;
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
  const low = constantInt(compiler, given.kind === 'range' ? given.from : given.value, most);
  const high = given.kind === 'range' ? constantInt(compiler, given.to, most) : low;
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

function constantInt(compiler: Compiler, expression: Expression, most: number): number | undefined {
  const term = compileTerm(compiler, expression);
  const value = term.constant?.value;
  if (typeof value !== 'number') {
    const found = term.constant === undefined ? 'this is none' : `this is ${term.type}`;
    compiler.diagnostics.error(expression.span, `expected a constant int, ${found}`);
    return undefined;
  }
  if (value > most) {
    compiler.diagnostics.error(expression.span, `${value} is out of range`, `0 to ${most} fit here`);
    return undefined;
  }
  return value;
}

function pairRanges(compiler: Compiler, item: PairItem): TypedRange[] {
  const high = bounds(compiler, item.high, MAX_UINT16);
  const low = bounds(compiler, item.low, MAX_UINT16);
  if (high === undefined || low === undefined) return [];
  const pair = (a: number, b: number) => [((a << 16) | b) >>> 0];
  if (low[0] === 0 && low[1] === MAX_UINT16) {
    return [{ element: 'pair', low: pair(high[0], 0), high: pair(high[1], MAX_UINT16) }];
  }
  const ranges: TypedRange[] = [];
  for (let a = high[0]; a <= high[1]; a++)
    ranges.push({ element: 'pair', low: pair(a, low[0]), high: pair(a, low[1]) });
  return ranges;
}

function ecRange(compiler: Compiler, item: EcItem): TypedRange[] {
  if (item.key.kind !== 'value') return [];
  const key = constantInt(compiler, item.key.value, MAX_UINT32);
  const subtype = item.subtype === undefined ? 0 : constantInt(compiler, item.subtype, MAX_UINT16);
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
      const low = constantInt(compiler, item.value!, MAX_UINT32) ?? 0;
      const high = constantInt(compiler, item.to!, MAX_UINT32) ?? 0;
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
