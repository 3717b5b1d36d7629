// Text -> tokens of BIRD's configuration language, for the filter language here and for the whole configuration in
// config/bird. Keywords are no tokens: words are delivered as they stand and parsers decide by context. Prefixes are
// an address token, `/` and a number; which numbers fit is the parser's business, includes are the reader's.
// The dialects differ in what only 2.x has: route distinguishers, MAC addresses and `hex:` byte strings.

import { fromHex } from '../lib/bytes.ts';
import { parseAddress } from '../lib/ip.ts';
import type { Diagnostics } from './diagnostics.ts';
import { type PrefixPatterns, type PrefixRun, scanPrefixes } from './prefix-patterns.ts';
import type { Source, Span } from './source.ts';

/** The two generations of the language. */
export type Dialect = '1.6' | '2.x';

/**
 * word: identifier or keyword; quoted: 'symbol' (text without the quotes); number: decimal or 0x hexadecimal; string:
 * text without the quotes; bytes: byte string; ip4, ip6: address; rd: `asn:n` and its longer forms (8 octets of RFC
 * 4364); mac: 6 octets; prefixes: members of a set, very many of them, up to a comma or the bracket (2.x: what 1.6 must
 * say of addresses of the other family, it says of each token); op: operator or punctuation; end: after the last token.
 */
export type TokenKind =
  | 'word'
  | 'quoted'
  | 'number'
  | 'string'
  | 'bytes'
  | 'ip4'
  | 'ip6'
  | 'rd'
  | 'mac'
  | 'prefixes'
  | 'op'
  | 'end';

export interface Token extends Span {
  readonly kind: TokenKind;
  /** The token as it stands, without quotes. */
  readonly text: string;
  /** number: the value, 0..2^32-1 */
  readonly number: number;
  /** ip4, ip6, rd, mac, bytes: the octets in network order */
  readonly bytes: Uint8Array | undefined;
  readonly prefixes?: PrefixPatterns;
}

export const MAX_NUMBER = 0xffffffff;
/** Characters of a symbol's name. */
const MAX_SYMBOL = 64;
const MIN_COLON_BYTES = 10;

/** Longest first. */
const OPERATORS = [
  '[=',
  '=]',
  '..',
  '->',
  '++',
  '!=',
  '!~',
  '<=',
  '>=',
  '&&',
  '||',
  '=',
  '<',
  '>',
  '~',
  '!',
  '+',
  '-',
  '*',
  '/',
  '%',
  '.',
  ',',
  ';',
  ':',
  '?',
  '|',
  '&',
  '$',
  '@',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
] as const;

/** The same by their first characters. */
const OPERATORS_AT: ReadonlyMap<string, readonly string[]> = new Map(
  OPERATORS.map(([first]) => [first!, OPERATORS.filter((operator) => operator.startsWith(first!))]),
);

const SPACE = /[ \t\n]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /'([^'\n]*)('?)/y;
const QUOTED_CHARACTERS = /^[A-Za-z0-9_.:-]*$/;
const STRING = /"([^"\n]*)("?)/y;
const HEX_NUMBER = /0x[0-9A-Fa-f]+/y;
const NUMBER = /[0-9]+/y;
const IP4 = /[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/y;
/** Whatever has two colons; parseAddress says which of them are addresses. */
const IP6 =
  /(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*/y;
const RD = /(?:(?:[02]:)?[0-9]+|(?:1:)?[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+):[0-9]+/y;
const MAC = /[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![0-9A-Fa-f:])/y;
const HEX_BYTES = /hex:((?:[0-9A-Fa-f]{2}(?:[:. -]?(?=[0-9A-Fa-f]{2}))?)*)/y;
const COLON_BYTES = /[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+(?![0-9A-Fa-f:])/y;
/** Byte strings without colons; one that begins with a letter is taken for a name up to 15 octets, as 2.0.12 does. */
const BARE_BYTES = /(?:[0-9A-Fa-f]{2}){10,}/y;
const LONG_BYTES = /^(?:[0-9A-Fa-f]{2}){16,}$/;
const LONG_DIGITS = 32;
const MAX_DIGITS = 10;
const MAC_BYTES = 6;
/** What addresses and numbers consist of up to a colon. */
const COLONLESS = /[0-9A-Fa-f.]*/y;

/** Reads `source` to its end. Whatever is no token is reported and passed over; the last token is `end`. */
export function tokenize(source: Source, dialect: Dialect, diagnostics: Diagnostics): Token[] {
  const lexer = new Lexer(source, dialect, diagnostics);
  const tokens: Token[] = [];
  for (;;) {
    const token = lexer.next();
    if (token === undefined) continue;
    tokens.push(token);
    if (token.kind === 'end') return tokens;
  }
}

/** The same one by one, for who needs not read to the end. */
export function* tokensOf(source: Source, dialect: Dialect, diagnostics: Diagnostics): Generator<Token> {
  const lexer = new Lexer(source, dialect, diagnostics);
  for (;;) {
    const token = lexer.next();
    if (token === undefined) continue;
    yield token;
    if (token.kind === 'end') return;
  }
}

class Lexer {
  readonly #source: Source;
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #diagnostics: Diagnostics;
  #at = 0;
  /** A bracket was the last token. */
  #inBracket = false;

  constructor(source: Source, dialect: Dialect, diagnostics: Diagnostics) {
    this.#source = source;
    this.#text = source.text;
    this.#dialect = dialect;
    this.#diagnostics = diagnostics;
  }

  /** The next token; undefined where something that is no token was passed over. */
  next(): Token | undefined {
    this.#skipBlank();
    const start = this.#at;
    const char = this.#text[start];
    if (char === undefined) return this.#token('end', start, '');
    if (this.#inBracket) {
      this.#inBracket = false;
      const run = scanPrefixes(this.#text, start);
      if (run !== undefined) return this.#prefixes(start, run);
    }
    const digit = char >= '0' && char <= '9';
    // h begins `hex:`.
    if (char === 'h' || this.#hasColon()) {
      const token = this.#colonForm(start);
      if (token !== undefined) return token;
    }
    if (digit) return this.#address4(start) ?? this.#number(start);
    const word = this.#match(WORD);
    if (word !== undefined) {
      if (word[0].length >= LONG_DIGITS && this.#dialect === '2.x' && LONG_BYTES.test(word[0]))
        return this.#octets('bytes', start, word[0], fromHex(word[0])!);
      this.#at += word[0].length;
      if (word[0].length > MAX_SYMBOL) this.#tooLong(start);
      return this.#token('word', start, word[0]);
    }
    if (char === '"') return this.#string(start);
    if (char === "'") return this.#quoted(start);
    for (const operator of OPERATORS_AT.get(char) ?? []) {
      if (!this.#text.startsWith(operator, start)) continue;
      this.#at += operator.length;
      this.#inBracket = operator === '[' && this.#dialect === '2.x';
      return this.#token('op', start, operator);
    }
    this.#at += this.#text.codePointAt(start)! > 0xffff ? 2 : 1;
    const shown = /[\p{Cc}\p{Cf}\p{Cs}]/u.test(char)
      ? `U+${this.#text.codePointAt(start)!.toString(16).toUpperCase().padStart(4, '0')}`
      : this.#text.slice(start, this.#at);
    const hint = char === '\r' ? 'lines end with a line feed alone' : undefined;
    this.#diagnostics.error(this.#span(start), `unexpected character ${shown}`, hint);
    return undefined;
  }

  #skipBlank(): void {
    for (;;) {
      this.#at = this.#endOf(SPACE);
      if (this.#text[this.#at] === '#') {
        const newline = this.#text.indexOf('\n', this.#at);
        this.#at = newline < 0 ? this.#text.length : newline;
      } else if (this.#text.startsWith('/*', this.#at)) {
        const close = this.#text.indexOf('*/', this.#at + 2);
        const inner = this.#text.slice(0, close < 0 ? undefined : close + 1).indexOf('/*', this.#at + 2);
        if (close < 0 || inner >= 0) {
          const start = inner >= 0 ? inner : this.#at;
          const message = inner >= 0 ? 'a comment within a comment' : 'this comment is never closed';
          const span = { source: this.#source, start, end: start + 2 };
          this.#diagnostics.error(span, message, 'comments end with */ and do not nest');
        }
        this.#at = close < 0 ? this.#text.length : close + 2;
      } else return;
    }
  }

  /** Whether what begins here may have a colon in it, as few things have. */
  #hasColon(): boolean {
    return this.#text[this.#endOf(COLONLESS)] === ':';
  }

  /** Addresses and what else has colons in it. */
  #colonForm(start: number): Token | undefined {
    const two = this.#dialect === '2.x';
    const hex = two ? this.#match(HEX_BYTES) : undefined;
    if (hex !== undefined) {
      const bytes = fromHex(hex[1]!.replaceAll(/[:. -]/g, ''));
      return this.#octets('bytes', start, hex[0], bytes!);
    }
    const ip6 = this.#match(IP6);
    const six = ip6 === undefined ? undefined : this.#address(ip6[0]);
    if (six !== undefined) return this.#octets('ip6', start, six.text, six.bytes);
    if (two) {
      const pairs = this.#match(COLON_BYTES);
      const bytes = pairs === undefined ? undefined : fromHex(pairs[0].replaceAll(':', ''));
      if (bytes !== undefined && bytes.length >= MIN_COLON_BYTES) {
        return this.#octets('bytes', start, pairs![0], bytes);
      }
      const mac = this.#match(MAC);
      if (mac !== undefined && bytes?.length === MAC_BYTES) return this.#octets('mac', start, mac[0], bytes);
      const rd = this.#match(RD);
      if (rd !== undefined) {
        const value = encodeRd(rd[0]);
        if (value !== undefined) return this.#octets('rd', start, rd[0], value);
      }
    }
    return undefined;
  }

  #address4(start: number): Token | undefined {
    const ip4 = this.#match(IP4);
    if (ip4 === undefined) return undefined;
    // Zeros in front mean nothing.
    const four = parseAddress(ip4[0].replaceAll(/\b0+(?=\d)/g, ''))?.bytes;
    if (four !== undefined) return this.#octets('ip4', start, ip4[0], four);
    this.#at += ip4[0].length;
    this.#diagnostics.error(this.#span(start), `${ip4[0]} is no IPv4 address`, 'each part is 0 to 255');
    return this.#token('ip4', start, ip4[0], 0, new Uint8Array(4));
  }

  /** The longest address that `text` begins with; a colon at its end may be a case label's. */
  #address(text: string): { text: string; bytes: Uint8Array } | undefined {
    let candidate = text;
    while (candidate.length >= 2) {
      const address = parseAddress(candidate);
      if (address !== undefined) return { text: candidate, bytes: address.bytes };
      if (!candidate.endsWith(':')) return undefined;
      candidate = candidate.slice(0, -1);
    }
    return undefined;
  }

  #number(start: number): Token {
    const hex = this.#match(HEX_NUMBER);
    const digits = hex ?? this.#match(NUMBER)!;
    const next = this.#text[start + digits[0].length] ?? '';
    // Few numbers are so long or have a letter behind them.
    const mayGoOn = digits[0].length > MAX_DIGITS || (next >= 'A' && next <= 'f');
    const bytes =
      mayGoOn && hex === undefined && this.#dialect === '2.x' ? this.#match(BARE_BYTES) : undefined;
    if (bytes !== undefined) return this.#octets('bytes', start, bytes[0], fromHex(bytes[0])!);
    this.#at += digits[0].length;
    const value = Number(digits[0]);
    if (value > MAX_NUMBER) {
      this.#diagnostics.error(this.#span(start), 'number out of range', `numbers go up to ${MAX_NUMBER}`);
      return this.#token('number', start, digits[0], MAX_NUMBER);
    }
    return this.#token('number', start, digits[0], value);
  }

  #string(start: number): Token {
    const match = this.#match(STRING)!;
    this.#at += match[0].length;
    if (match[2] === '')
      this.#diagnostics.error(this.#span(start), 'this string has no closing quote on its line');
    return this.#token('string', start, match[1]!);
  }

  #quoted(start: number): Token {
    const match = this.#match(QUOTED)!;
    const name = match[1]!;
    this.#at += match[0].length;
    if (match[2] === '') {
      this.#diagnostics.error(this.#span(start), 'this quoted symbol has no closing apostrophe on its line');
    } else if (name === '') this.#diagnostics.error(this.#span(start), 'a quoted symbol needs a name');
    else if (!QUOTED_CHARACTERS.test(name)) {
      this.#diagnostics.error(
        this.#span(start),
        'a quoted symbol may hold letters, digits and any of _ . : - only',
      );
    } else if (name.length > MAX_SYMBOL) this.#tooLong(start);
    return this.#token('quoted', start, name);
  }

  #tooLong(start: number): void {
    this.#diagnostics.error(this.#span(start), `a symbol may have ${MAX_SYMBOL} characters at most`);
  }

  #prefixes(start: number, { patterns, end }: PrefixRun): Token {
    this.#at = end;
    return { ...this.#token('prefixes', start, this.#text.slice(start, end)), prefixes: patterns };
  }

  #octets(kind: TokenKind, start: number, text: string, bytes: Uint8Array): Token {
    this.#at += text.length;
    return this.#token(kind, start, text, 0, bytes);
  }

  #token(kind: TokenKind, start: number, text: string, number = 0, bytes?: Uint8Array): Token {
    return { kind, text, number, bytes, source: this.#source, start, end: this.#at };
  }

  #span(start: number): Span {
    return { source: this.#source, start, end: this.#at };
  }

  /** Where the pattern, which may match nothing, ends. */
  #endOf(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    pattern.test(this.#text);
    return pattern.lastIndex;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text) ?? undefined;
  }
}

const RD_BYTES = 8;
const MAX_UINT16 = 0xffff;

/** RFC 4364 §4.2: type 0 (2-octet AS), 1 (IPv4), 2 (4-octet AS). Undefined where a number is too large. */
export function encodeRd(text: string): Uint8Array | undefined {
  const parts = text.split(':');
  const low = Number(parts.at(-1));
  const high = parts.at(-2)!;
  const bytes = new Uint8Array(RD_BYTES);
  const view = new DataView(bytes.buffer);
  const address = parseAddress(high)?.bytes;
  const wanted = parts.length === 3 ? Number(parts[0]) : undefined;
  if (address !== undefined) {
    if (low > MAX_UINT16 || (wanted !== undefined && wanted !== 1)) return undefined;
    view.setUint16(0, 1);
    bytes.set(address, 2);
    view.setUint16(6, low);
    return bytes;
  }
  const as = Number(high);
  const type = wanted ?? (as > MAX_UINT16 ? 2 : 0);
  if (type === 0) {
    if (as > MAX_UINT16 || low > MAX_NUMBER) return undefined;
    view.setUint16(2, as);
    view.setUint32(4, low);
    return bytes;
  }
  if (as > MAX_NUMBER || low > MAX_UINT16) return undefined;
  view.setUint16(0, type);
  view.setUint32(2, as);
  view.setUint16(6, low);
  return bytes;
}
