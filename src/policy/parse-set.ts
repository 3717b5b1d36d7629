// Set literals `[ ... ]` and path masks `[= ... =]`, and their members alone, which are the labels of `case`. A
// prefix set has literal prefixes only; the members of other sets are constants: a number, an address, a name, or
// anything in parentheses, single or as `from..to`.

import type {
  Bounds,
  EcItem,
  Expression,
  LcExpression,
  LcItem,
  MaskExpression,
  MaskItem,
  PairExpression,
  PairItem,
  PrefixesItem,
  PrefixForm,
  PrefixItem,
  SetExpression,
  SetItem,
} from './ast.ts';
import { routeAttribute } from './attributes.ts';
import { enumConstant } from './enums.ts';
import { ecKind, nameOf, parseConstant, parseEcType, parsePrefix, parseTerm } from './parse-expression.ts';
import { joinSpans } from './source.ts';
import type { TokenReader } from './token-reader.ts';
import { RESERVED_WORDS } from './words.ts';

/** `[ ... ]`; the bracket is next. */
export function parseSet(reader: TokenReader): SetExpression {
  const start = reader.expectOp('[');
  if (reader.isOp(']')) {
    if (reader.dialect === '1.6') throw reader.unexpected('a member of the set');
    reader.next();
    return { kind: 'set', items: [], span: reader.spanFrom(start) };
  }
  const items = parseSetItems(reader);
  if (reader.isOp('+') || reader.isOp('-') || reader.isOp('*')) {
    throw reader.unexpected("',' or ']'", 'in a set', 'put a computed member in parentheses: [(a + 1)]');
  }
  if (!reader.takeOp(']')) throw reader.unexpected("',' or ']'", 'after a member of the set');
  const span = reader.spanFrom(start);
  checkOneFamily(reader, items);
  return { kind: 'set', items, span };
}

/** Members separated by commas; at least one. */
export function parseSetItems(reader: TokenReader): SetItem[] {
  const items: SetItem[] = [];
  do {
    if (reader.isOp(']'))
      throw reader.unexpected('a member of the set', undefined, 'take out the last comma');
    items.push(parseSetItem(reader));
  } while (reader.takeOp(','));
  return items;
}

function checkOneFamily(reader: TokenReader, items: readonly SetItem[]): void {
  const prefixes = items.filter(isOfPrefixes);
  if (prefixes.length === 0) return;
  const other = items.find((item) => !isOfPrefixes(item));
  if (other !== undefined)
    reader.diagnostics.error(other.span, 'only prefixes can be in a set with prefixes');
  const stride = strideOf(prefixes[0]!);
  const mixed = prefixes.find((item) => strideOf(item) !== stride);
  if (mixed !== undefined) {
    reader.diagnostics.error(mixed.span, 'IPv4 and IPv6 prefixes cannot be in one set', 'write two sets');
  }
}

export function isOfPrefixes(item: SetItem): item is PrefixItem | PrefixesItem {
  return item.kind === 'prefix' || item.kind === 'prefixes';
}

/** Words of its prefixes. */
export function strideOf(item: PrefixItem | PrefixesItem): 1 | 4 {
  if (item.kind === 'prefixes') return item.patterns.stride;
  return item.bytes.length === 4 ? 1 : 4;
}

function parseSetItem(reader: TokenReader): SetItem {
  const { kind, prefixes } = reader.peek();
  if (prefixes !== undefined) return { kind: 'prefixes', patterns: prefixes, span: reader.next() };
  if ((kind === 'ip4' || kind === 'ip6') && reader.isOp('/', 1)) return parsePrefixItem(reader);
  if (reader.isOp('(')) return parseTupleItem(reader);
  const value = parseAtom(reader);
  return parseRangeFrom(reader, value);
}

/** A constant or a term in parentheses, or the range that begins with it. */
function parseRangeFrom(reader: TokenReader, from: Expression): SetItem {
  if (!reader.takeOp('..')) return { kind: 'value', value: from, span: from.span };
  const to = reader.isOp('(') ? parseInParentheses(reader) : parseAtom(reader);
  return { kind: 'range', from, to, span: joinSpans(from.span, to.span) };
}

/** `(term)`, the parentheses being part of what is shown of it. */
function parseInParentheses(reader: TokenReader): Expression {
  const start = reader.expectOp('(');
  const term = parseTerm(reader);
  reader.expectOp(')', 'after a member of a set');
  return { ...term, span: reader.spanFrom(start) };
}

/** Whether a member or label was written as `(term)`, which only its place shows. */
export function isInParentheses({ span }: Expression): boolean {
  return span.source.text.startsWith('(', span.start);
}

/** A constant without operators. */
function parseAtom(reader: TokenReader): Expression {
  const token = reader.peek();
  if (token.kind === 'string' || token.kind === 'bytes')
    throw reader.unexpected('a member of a set', undefined, 'there are no sets of strings');
  const constant = parseConstant(reader);
  if (constant !== undefined) return constant;
  if (token.kind === 'quoted' || (token.kind === 'word' && !RESERVED_WORDS.has(token.text))) {
    return nameOf(reader.next());
  }
  if (token.kind === 'op' && token.text === '[')
    throw reader.unexpected('a member of a set', undefined, 'sets do not nest');
  throw reader.unexpected('a member of a set');
}

/** `(term)`, or a pair, extended or large community whose parts may be ranges or `*`. */
function parseTupleItem(reader: TokenReader): SetItem {
  const start = reader.expectOp('(');
  if (ecKind(reader) !== undefined) return parseEcItem(reader, start);
  const first = parseBounds(reader);
  if (first.kind === 'value' && reader.takeOp(')'))
    return parseRangeFrom(reader, { ...first.value, span: reader.spanFrom(start) });
  reader.expectOp(',', 'in a set member');
  const second = parseBounds(reader);
  if (reader.takeOp(')')) {
    const item: PairItem = { kind: 'pair', high: first, low: second, span: reader.spanFrom(start) };
    return reader.isOp('..') ? parseTupleRange(reader, item) : item;
  }
  reader.expectOp(',', 'in a set member');
  const third = parseBounds(reader);
  reader.expectOp(')', 'after a set member');
  const item: LcItem = { kind: 'lc', parts: [first, second, third], span: reader.spanFrom(start) };
  return reader.isOp('..') ? parseTupleRange(reader, item) : checkLcItem(reader, item);
}

/** `(1, 2)..(3, 4)`: both ends are of one kind and written out. The dots are next. */
function parseTupleRange(reader: TokenReader, item: PairItem | LcItem): SetItem {
  const from = tupleOf(item);
  if (from === undefined) throw reader.unexpected("',' or ']'", 'after a member with ranges in it');
  reader.expectOp('..');
  const end = reader.peek();
  if (!reader.isOp('(')) throw reader.unexpected("'('", 'at the end of a range of pairs or communities');
  const to = tupleOf(parseTupleItem(reader));
  if (to === undefined || to.kind !== from.kind) {
    const what = from.kind === 'pair' ? 'a pair' : 'a large community';
    throw reader.fail(end, `a range that begins with ${what} ends with one`);
  }
  return { kind: 'tuples', from, to, span: joinSpans(from.span, to.span) };
}

/** What a member without ranges in it is when it stands alone. */
function tupleOf(item: SetItem): PairExpression | LcExpression | undefined {
  const { span } = item;
  if (item.kind === 'pair') {
    const { high, low } = item;
    if (high.kind !== 'value' || low.kind !== 'value') return undefined;
    return { kind: 'pair', high: high.value, low: low.value, span };
  }
  if (item.kind !== 'lc') return undefined;
  const [asn, data1, data2] = item.parts;
  if (asn.kind !== 'value' || data1.kind !== 'value' || data2.kind !== 'value') return undefined;
  return { kind: 'lc', parts: [asn.value, data1.value, data2.value], span };
}

/** Members are ordered as wholes, so after a part that is not a single value only `*` makes one range of them. */
function checkLcItem(reader: TokenReader, item: LcItem): LcItem {
  const open = item.parts.findIndex((part) => part.kind !== 'value');
  if (open >= 0 && item.parts.slice(open + 1).some((part) => part.kind !== 'any')) {
    reader.diagnostics.error(item.span, "after a range or '*' in a large community only '*' can follow");
  }
  return item;
}

function parseEcItem(reader: TokenReader, start: SetItem['span']): SetItem {
  const which = ecKind(reader)!;
  reader.next();
  const subtype = which === 'unknown' ? parseEcType(reader) : undefined;
  const rest = subtype === undefined ? {} : { subtype };
  reader.expectOp(',', 'in an extended community');
  if (reader.isOp('*'))
    throw reader.unexpected('a value', undefined, "only the last part may be '*' or a range");
  const key = parseTerm(reader);
  if (reader.isOp('..'))
    throw reader.unexpected("','", undefined, "only the last part may be '*' or a range");
  reader.expectOp(',', 'in an extended community');
  const value = parseBounds(reader);
  reader.expectOp(')', 'after an extended community');
  const span = reader.spanFrom(start);
  const item: EcItem = { kind: 'ec', which, ...rest, key: { kind: 'value', value: key }, value, span };
  return item;
}

function parseBounds(reader: TokenReader): Bounds {
  if (reader.takeOp('*')) return { kind: 'any' };
  const value = parseTerm(reader);
  if (!reader.takeOp('..')) return { kind: 'value', value };
  return { kind: 'range', from: value, to: parseTerm(reader) };
}

function parsePrefixItem(reader: TokenReader): PrefixItem {
  const start = reader.peek();
  const { bytes, length } = parsePrefix(reader);
  const form = parsePrefixForm(reader, bytes.length * 8);
  return { kind: 'prefix', bytes, length, form, span: reader.spanFrom(start) };
}

function parsePrefixForm(reader: TokenReader, bits: number): PrefixForm {
  if (reader.takeOp('+')) return LONGER;
  if (reader.takeOp('-')) return SHORTER;
  if (!reader.isOp('{')) return EXACT;
  const start = reader.next();
  const low = reader.expectNumber('the shortest length').number;
  reader.expectOp(',', 'between the lengths');
  const high = reader.expectNumber('the longest length').number;
  reader.expectOp('}', 'after the lengths');
  if (low > high || high > bits) {
    const hint =
      low > high && low <= bits ? `did you mean {${high},${low}}?` : `lengths go from 0 to ${bits}`;
    reader.diagnostics.error(reader.spanFrom(start), `{${low},${high}} is no range of lengths`, hint);
  }
  // What was complained of is read on all the same: it must not become a set of a billion lengths.
  return { kind: 'range', low: Math.min(low, bits), high: Math.min(high, bits) };
}

const EXACT: PrefixForm = { kind: 'exact' };
const LONGER: PrefixForm = { kind: 'longer' };
const SHORTER: PrefixForm = { kind: 'shorter' };

/** `[= ... =]`; its bracket is next. */
export function parseMask(reader: TokenReader): MaskExpression {
  const start = reader.expectOp('[=');
  const items: MaskItem[] = [];
  while (!reader.isOp('=]')) {
    const item = parseMaskItem(reader);
    if (item.kind === 'some' && items.length === 0) {
      reader.diagnostics.error(
        item.span,
        "'+' repeats what is before it and cannot be first",
        "write '? *' for at least one",
      );
    }
    items.push(item);
  }
  reader.expectOp('=]');
  return { kind: 'mask', items, span: reader.spanFrom(start) };
}

function parseMaskItem(reader: TokenReader): MaskItem {
  const token = reader.peek();
  if (reader.takeOp('?')) return { kind: 'one', span: token };
  if (reader.takeOp('*')) return { kind: 'any', span: token };
  const two = reader.dialect === '2.x';
  if (two && reader.takeOp('+')) return { kind: 'some', span: token };
  if (two && reader.isOp('[')) {
    const set = parseSet(reader);
    return { kind: 'set', items: set.items, span: set.span };
  }
  if (token.kind === 'number') return parseMaskRange(reader);
  if (reader.takeOp('(')) {
    const value = parseTerm(reader);
    reader.expectOp(')', 'in a path mask');
    return { kind: 'value', value, span: reader.spanFrom(token) };
  }
  if (token.kind === 'quoted' || (token.kind === 'word' && !RESERVED_WORDS.has(token.text))) {
    if (routeAttribute(token.text, reader.dialect) !== undefined)
      throw reader.unexpected('a part of the path mask', undefined, 'put attributes in parentheses');
    if (enumConstant(token.text, reader.dialect) !== undefined)
      throw reader.unexpected('a part of the path mask');
    return { kind: 'value', value: nameOf(reader.next()), span: token };
  }
  throw reader.unexpected("an AS number, '?', '*' or '=]'", 'in a path mask');
}

function parseMaskRange(reader: TokenReader): MaskItem {
  const token = reader.next();
  const value: Expression = { kind: 'number', value: token.number, span: token };
  if (!reader.takeOp('..')) return { kind: 'value', value, span: token };
  const end = reader.expectNumber('the last AS of the range');
  const to: Expression = { kind: 'number', value: end.number, span: end };
  return { kind: 'range', value, to, span: joinSpans(token, end) };
}

/** `/ 1 2 ? /` of old: `?` stands for any number of ASes. */
export function parseOldMask(reader: TokenReader): MaskExpression {
  const start = reader.expectOp('/');
  const items: MaskItem[] = [];
  while (!reader.isOp('/')) {
    const token = reader.peek();
    if (reader.takeOp('?')) items.push({ kind: 'any', span: token });
    else if (token.kind === 'number')
      items.push({
        kind: 'value',
        value: { kind: 'number', value: reader.next().number, span: token },
        span: token,
      });
    else throw reader.unexpected("an AS number, '?' or '/'", 'in a path mask');
  }
  reader.expectOp('/');
  return { kind: 'mask', items, span: reader.spanFrom(start) };
}
