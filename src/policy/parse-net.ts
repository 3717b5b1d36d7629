// Networks that are no plain prefixes, as terms and in static routes: VPN, ROA and SADR prefixes, labels, and flow
// specifications (RFC 8955, RFC 8956). 2.x only; nothing that godwit serves carries them, filters may name them.

import type { Expression, PrefixLiteral } from './ast.ts';
import type { FlowComponent, FlowExpression, FlowValue, NetExpression } from './ast-net.ts';
import { nameOf, parsePrefix, parseTerm } from './parse-expression.ts';
import { joinSpans } from './source.ts';
import type { TokenReader } from './token-reader.ts';

/** `ASN:N PREFIX`; the route distinguisher is next, and an address after it. */
export function parseVpn(reader: TokenReader): NetExpression {
  const rd = reader.next();
  const prefix = parsePrefix(reader);
  return {
    kind: 'net',
    of: prefix.bytes.length === 4 ? 'vpn4' : 'vpn6',
    bytes: prefix.bytes,
    length: prefix.length,
    rd: rd.bytes!,
    span: joinSpans(rd, prefix.span),
  };
}

const LABEL_BITS = 20;

/** `mpls N`; the word is next. */
export function parseLabel(reader: TokenReader): NetExpression {
  const start = reader.next();
  const label = reader.expectNumber('the label').number;
  return {
    kind: 'net',
    of: 'mpls',
    bytes: new Uint8Array(16),
    length: LABEL_BITS,
    label,
    span: reader.spanFrom(start),
  };
}

/** What may follow a prefix: `max N as N` makes a ROA of it, `from PREFIX` one that is looked up by source, too. */
export function parseAfterPrefix(reader: TokenReader, prefix: PrefixLiteral): PrefixLiteral | NetExpression {
  const { bytes, length, span } = prefix;
  const isV4 = bytes.length === 4;
  if (reader.takeWord('max')) {
    const most = reader.expectNumber('the longest prefix');
    if (most.number < length || most.number > bytes.length * 8) {
      reader.diagnostics.error(most, `the longest prefix is ${length} to ${bytes.length * 8} bits long`);
    }
    reader.expectWord('as', 'and the AS number');
    const asn = reader.expectNumber('the AS number').number;
    const of = isV4 ? 'roa4' : 'roa6';
    return { kind: 'net', of, bytes, length, maxLength: most.number, asn, span: reader.spanFrom(span) };
  }
  if (isV4 || !reader.isWord('from') || reader.peek(1).kind !== 'ip6') return prefix;
  reader.next();
  const source = parsePrefix(reader);
  return { kind: 'net', of: 'ipv6 sadr', bytes, length, source, span: reader.spanFrom(span) };
}

// --- flow specifications

type Read = (reader: TokenReader) => Pick<FlowComponent, 'prefix' | 'offset' | 'values' | 'flags'>;

interface ComponentRow {
  readonly words: readonly string[];
  readonly read: Read;
  /** Of values. */
  readonly most?: number;
}

const MAX_UINT8 = 0xff;
const MAX_UINT16 = 0xffff;
const MAX_DSCP = 0x3f;

function numbers(words: string, most?: number): ComponentRow {
  return {
    words: words.split(' '),
    read: (reader) => ({ values: readNumbers(reader) }),
    ...(most === undefined ? {} : { most }),
  };
}

const COMPONENTS: readonly ComponentRow[] = [
  { words: ['dst'], read: readPrefix },
  { words: ['src'], read: readPrefix },
  numbers('proto', MAX_UINT8),
  numbers('next header', MAX_UINT8),
  numbers('port', MAX_UINT16),
  numbers('dport', MAX_UINT16),
  numbers('sport', MAX_UINT16),
  numbers('icmp type', MAX_UINT8),
  numbers('icmp code', MAX_UINT8),
  { words: ['tcp', 'flags'], read: (reader) => ({ values: readMasked(reader) }) },
  numbers('length', MAX_UINT16),
  numbers('dscp', MAX_DSCP),
  { words: ['fragment'], read: (reader) => ({ flags: readFragment(reader) }) },
  numbers('label'),
];

/** `flow4 { COMPONENT; ... }`; the word is next. */
export function parseFlow(reader: TokenReader): FlowExpression {
  const start = reader.next();
  const of = start.text === 'flow4' ? 'flow4' : 'flow6';
  reader.expectOp('{');
  const components: FlowComponent[] = [];
  while (!reader.takeOp('}')) {
    const first = reader.peek();
    const row = COMPONENTS.find(({ words }) => reader.takeWords(...words));
    if (row === undefined) {
      const names = COMPONENTS.map(({ words }) => words.join(' ')).join(', ');
      throw reader.unexpected('a component of the flow', undefined, `there are ${names}`);
    }
    const parts = row.read(reader);
    components.push({
      name: row.words.join(' '),
      ...parts,
      ...(row.most === undefined ? {} : { most: row.most }),
      span: reader.spanFrom(first),
    });
    reader.expectOp(';', 'after a component of the flow');
  }
  return { kind: 'flow', of, components, span: reader.spanFrom(start) };
}

/** As it is written, in one line: its operators are in no tree. */
export function flowText({ span: { source, start, end } }: FlowExpression): string {
  return source.text.slice(start, end).replaceAll(/\s+/g, ' ');
}

/** `PREFIX [offset N]` */
function readPrefix(reader: TokenReader): ReturnType<Read> {
  const { kind } = reader.peek();
  const prefix =
    kind === 'ip4' || kind === 'ip6' ? parsePrefix(reader) : nameOf(reader.expectSymbol('a prefix'));
  return reader.takeWord('offset')
    ? { prefix, offset: reader.expectNumber('the offset').number }
    : { prefix };
}

/** A number, the name of one, or a term in parentheses. */
function readNumber(reader: TokenReader): Expression {
  const token = reader.peek();
  if (token.kind === 'number') return { kind: 'number', value: reader.next().number, span: token };
  if (reader.takeOp('(')) {
    const term = parseTerm(reader);
    reader.expectOp(')');
    return term;
  }
  if (token.kind !== 'word' && token.kind !== 'quoted') throw reader.unexpected('a number');
  return nameOf(reader.next());
}

const OPERATORS = ['=', '!=', '<', '>', '<=', '>='] as const;

function takeOperator(reader: TokenReader): boolean {
  return (
    OPERATORS.some((operator) => reader.takeOp(operator)) || TRUTHS.some((word) => reader.takeWord(word))
  );
}

/** RFC 8955 §4.2.1.1: what holds of any value, and of none. */
const TRUTHS = ['true', 'false'] as const;

/** Values, ranges and comparisons: lists of the former; `&&` and `||` join them, `&&` with comparisons only. */
function readNumbers(reader: TokenReader): FlowValue[] {
  const values: FlowValue[] = [];
  let compares = takeOperator(reader);
  for (;;) {
    if (compares) values.push({ value: readNumber(reader) });
    else {
      do {
        values.push({ value: readNumber(reader) });
        if (reader.takeOp('..')) values.push({ value: readNumber(reader) });
      } while (reader.takeOp(','));
    }
    if (reader.takeOp('||')) compares = takeOperator(reader);
    else if (reader.takeOp('&&')) {
      if (!takeOperator(reader)) throw reader.unexpected("a comparison after '&&'");
      compares = true;
    } else return values;
  }
}

function joins(reader: TokenReader): boolean {
  return reader.takeOp('&&') || reader.takeOp('||') || reader.takeOp(',');
}

/** `[!]VALUE/MASK` */
function readMasked(reader: TokenReader): FlowValue[] {
  const values: FlowValue[] = [];
  do {
    const negated = reader.takeOp('!');
    const value = readNumber(reader);
    reader.expectOp('/', 'and the mask of the flags');
    values.push({ value, mask: readNumber(reader), negated });
  } while (joins(reader));
  return values;
}

const FRAGMENT = ['dont_fragment', 'is_fragment', 'first_fragment', 'last_fragment'] as const;

/** `[!]first_fragment` */
function readFragment(reader: TokenReader): readonly string[] {
  const flags: string[] = [];
  do {
    reader.takeOp('!');
    const flag = FRAGMENT.find((word) => reader.takeWord(word));
    if (flag === undefined) throw reader.unexpected(FRAGMENT.join(', '));
    flags.push(flag);
  } while (joins(reader));
  return flags;
}
