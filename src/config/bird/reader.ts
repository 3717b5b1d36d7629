// What options are made of: numbers, switches, times, addresses, prefixes, strings, names, patterns, flags. Each
// method reads one from the tokens, takes constants where BIRD takes them, and says what it expected otherwise.

import { formatAddress, isLinkLocal, maskBytes, netmaskLength, quadToUint } from '../../lib/ip.ts';
import { nearest } from '../../lib/suggest.ts';
import type { Diagnostics } from '../../policy/diagnostics.ts';
import { type Dialect, MAX_NUMBER, type Token } from '../../policy/lexer.ts';
import { nameOf } from '../../policy/parse-expression.ts';
import { parseTerm } from '../../policy/parser.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { Span } from '../../policy/source.ts';
import type { ProgramSymbol } from '../../policy/symbols.ts';
import { describe, SyntaxStop, type TokenReader } from '../../policy/token-reader.ts';
import { Secret } from '../model.ts';
import type { Flags, IpFamily, NetType, TableConfig } from './config.ts';
import { type Constant, constantOf, describeConstant } from './constants.ts';
import { familyMismatch } from './dialect.ts';
import type { SymbolKind, Symbols } from './symbols.ts';

const MICROSECONDS = { s: 1_000_000, ms: 1000, us: 1 } as const;
const MAX_PORT = 65535;

export interface NetPrefix {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Canonical. */
  readonly text: string;
}

export interface ReaderContext {
  readonly tokens: TokenReader;
  readonly symbols: Symbols;
  /** Knows and checks what filters and terms say. */
  readonly program: PolicyProgram;
  readonly tables: Map<string, TableConfig>;
  /** The one family of a 1.6 daemon. */
  readonly family: IpFamily | undefined;
  /** Takes the places of secrets, which no excerpt may show. */
  readonly mask: (span: Span) => void;
}

export class ConfigReader {
  readonly tokens: TokenReader;
  readonly symbols: Symbols;
  readonly program: PolicyProgram;
  readonly tables: Map<string, TableConfig>;
  readonly family: IpFamily | undefined;
  readonly dialect: Dialect;
  readonly diagnostics: Diagnostics;
  readonly #mask: (span: Span) => void;

  constructor(context: ReaderContext) {
    this.tokens = context.tokens;
    this.symbols = context.symbols;
    this.program = context.program;
    this.tables = context.tables;
    this.family = context.family;
    this.dialect = context.tokens.dialect;
    this.diagnostics = context.tokens.diagnostics;
    this.#mask = context.mask;
  }

  // --- numbers

  /** A number, a constant or an expression in parentheses. */
  number(what: string, min = 0, max: number = MAX_NUMBER): number {
    const start = this.tokens.peek();
    const value = this.#constantOf('int', what, () => {
      const token = this.tokens.peek();
      return token.kind === 'number' ? { kind: 'int', value: this.tokens.next().number } : undefined;
    });
    if (value.value < min || value.value > max) {
      const range = max === MAX_NUMBER ? `at least ${min}` : `${min} to ${max}`;
      this.diagnostics.error(this.tokens.spanFrom(start), `${what} is ${range}, not ${value.value}`);
    }
    return value.value;
  }

  port(): number {
    return this.number('the port', 1, MAX_PORT);
  }

  /** `on`, `yes`, `off`, `no`, a number, or nothing, which is on. */
  toggle(): boolean {
    const { tokens } = this;
    if (tokens.takeWord('on') || tokens.takeWord('yes')) return true;
    if (tokens.takeWord('off') || tokens.takeWord('no')) return false;
    return this.#numberFollows() ? this.number('the switch') !== 0 : true;
  }

  #numberFollows(): boolean {
    const token = this.tokens.peek();
    if (token.kind === 'number' || this.tokens.isOp('(')) return true;
    return this.#constantAt(token) !== undefined;
  }

  /** A number of s, ms or us; in microseconds. */
  time(what: string): number {
    const start = this.tokens.peek();
    const value = this.number(what);
    for (const unit of ['s', 'ms', 'us'] as const) {
      if (this.tokens.takeWord(unit)) return value * MICROSECONDS[unit];
    }
    const shown = start.kind === 'number' ? start.text : 'the number with';
    const hint = `write ${shown} s, ms or us`;
    throw this.tokens.missing("'s', 'ms' or 'us'", `after ${what}`, hint);
  }

  // --- texts and names

  text(what: string): string {
    return this.#string(what).value;
  }

  /** A password: its text is blacked out wherever its line is shown. `orOctets`: a byte string is one, too. */
  secret(what = 'the password', orOctets = false): Secret {
    const token = this.tokens.peek();
    this.#mask(token);
    if (token.kind === 'bytes' && orOctets) return new Secret(this.tokens.next().text, token.bytes);
    const isConstant = this.#constantAt(token) !== undefined;
    if (token.kind !== 'string' && !isConstant) {
      // Whatever stands here may be the password without its quotes.
      throw this.tokens.fail(token, `expected ${what} in double quotes`);
    }
    const { value, span } = this.#string(what);
    this.#mask(span);
    return new Secret(value);
  }

  #string(what: string): { value: string; span: Span } {
    return this.#constantOf('string', what, () => {
      if (this.tokens.peek().kind !== 'string') return undefined;
      const token = this.tokens.next();
      return { kind: 'string', value: token.text, span: token };
    });
  }

  /** Tells the filter language of a name that it does not define itself. */
  declare(token: Token, symbol: ProgramSymbol): void {
    if (this.program.symbols.get(token.text) !== undefined) return;
    this.program.declare(nameOf(token), symbol);
  }

  /** A defined name of one of these kinds. */
  name(what: string, ...kinds: readonly SymbolKind[]): Token {
    const token = this.tokens.peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.tokens.unexpected(what);
    const symbol = this.symbols.get(token.text);
    if (symbol === undefined) {
      throw this.tokens.fail(
        token,
        `there is no ${kinds[0]} ${token.text}`,
        this.symbols.hint(token.text, kinds),
      );
    }
    if (!kinds.includes(symbol.kind)) {
      throw this.tokens.fail(token, `expected ${what}`, this.symbols.hint(token.text, kinds));
    }
    return this.tokens.next();
  }

  table(type?: NetType | readonly NetType[]): TableConfig {
    const token = this.name('the name of a table', 'table');
    const table = this.tables.get(token.text)!;
    const types = type === undefined || typeof type === 'string' ? [type] : type;
    if (type !== undefined && !types.includes(table.type)) {
      this.diagnostics.error(token, `table ${table.name} holds ${table.type}, not ${types.join(' or ')}`);
    }
    return table;
  }

  /** One of these words. */
  choice<const T extends string>(what: string, words: readonly T[]): T {
    const token = this.tokens.peek();
    const found = token.kind === 'word' ? words.find((word) => word === token.text) : undefined;
    if (found !== undefined) {
      this.tokens.next();
      return found;
    }
    const near = token.kind === 'word' ? nearest(token.text, words) : undefined;
    const list = words.length > 6 ? what : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
    const hint =
      near === undefined
        ? words.length > 6
          ? `accepted: ${words.join(', ')}`
          : undefined
        : `did you mean ${near}?`;
    throw this.tokens.fail(token, `expected ${list}, found ${describe(token)}`, hint);
  }

  /** `all`, `off`, or names in braces; a name may have several words. */
  flags(names: readonly string[], off: boolean): Flags {
    const { tokens } = this;
    if (tokens.takeWord('all')) return 'all';
    if (off && tokens.takeWord('off')) return [];
    if (!tokens.isOp('{')) throw tokens.unexpected(off ? "all, off or '{'" : "all or '{'");
    return this.flagList(names);
  }

  /** `{ name, name }` */
  flagList<const T extends string>(names: readonly T[]): readonly T[] {
    const { tokens } = this;
    tokens.expectOp('{');
    const found: T[] = [];
    do {
      found.push(this.phrase('a flag', names));
    } while (tokens.takeOp(','));
    tokens.expectOp('}', undefined, 'names are separated by commas');
    return found;
  }

  /** One of these phrases. */
  phrase<const T extends string>(what: string, names: readonly T[]): T {
    const longestFirst = [...names].sort((a, b) => b.length - a.length);
    const phrase = longestFirst.find((name) => this.tokens.takeWords(...name.split(' ')));
    return phrase ?? this.choice(what, names);
  }

  // --- addresses

  /** An address as RFC 5952 writes it; `zone`: `%eth0` may follow. */
  address(what: string): string {
    return formatAddress(this.addressBytes(what));
  }

  addressBytes(what: string): Uint8Array {
    const start = this.tokens.peek();
    const { bytes } = this.#constantOf('ip', what, () => {
      const octets = this.tokens.peek().bytes;
      return this.literalAddressFollows && octets !== undefined
        ? { kind: 'ip', bytes: this.#takeOctets(octets) }
        : undefined;
    });
    this.checkFamily(bytes, this.tokens.spanFrom(start));
    return bytes;
  }

  /** An address and the interface after its `%`. */
  zonedAddress(what: string): { address: string; zone: string | undefined; linkLocal: boolean } {
    const bytes = this.addressBytes(what);
    const zone = this.tokens.takeOp('%') ? this.#interfaceName() : undefined;
    return { address: formatAddress(bytes), zone, linkLocal: isLinkLocal(bytes) };
  }

  /** Read like a name to be defined, but nothing is. */
  #interfaceName(): string {
    const { tokens, program } = this;
    const token = tokens.scoped(() => tokens.expectNewName('the name of an interface'));
    program.symbols.isTaken(nameOf(token));
    return token.text;
  }

  /** Whether an address or a constant that is one comes next. */
  get addressFollows(): boolean {
    return this.literalAddressFollows || this.#constantAt(this.tokens.peek())?.kind === 'ip';
  }

  get literalAddressFollows(): boolean {
    const { kind } = this.tokens.peek();
    return kind === 'ip4' || kind === 'ip6';
  }

  #takeOctets(octets: Uint8Array): Uint8Array {
    this.tokens.next();
    return octets;
  }

  /** A 1.6 daemon has one family. */
  checkFamily(bytes: Uint8Array, span: Span): void {
    const stranger = this.family === undefined ? undefined : familyMismatch(bytes, this.family);
    if (stranger !== undefined) this.diagnostics.error(span, stranger.message, stranger.hint);
  }

  /** A dotted quad or a number. */
  routerId(): number {
    const token = this.tokens.peek();
    if (token.kind === 'ip4') return quadToUint(this.#takeOctets(token.bytes!));
    const constant = this.#constantAt(token);
    if (constant?.kind === 'ip' && constant.bytes.length === 4) {
      this.tokens.next();
      return quadToUint(constant.bytes);
    }
    return this.number('the router id');
  }

  /** `address/length` whose host bits are zero, or in 2.x a constant that is one. */
  prefix(what = 'a prefix'): NetPrefix {
    const start = this.tokens.peek();
    if (this.dialect === '1.6') return this.#canonical(start, this.addressBytes(what), this.#oldLength());
    const constant = this.literalAddressFollows ? undefined : this.#constantAt(start);
    if (constant !== undefined && constant.kind !== 'prefix') throw this.#mismatch(start, what, constant);
    if (constant !== undefined) {
      this.tokens.next();
      this.checkFamily(constant.bytes, start);
      return { bytes: constant.bytes, length: constant.length, text: prefixText(constant) };
    }
    if (!this.literalAddressFollows) throw this.tokens.unexpected(what);
    const bytes = this.#takeOctets(start.bytes!);
    this.tokens.expectOp('/', 'and the length of the prefix');
    return this.#canonical(start, bytes, this.tokens.expectNumber('the length of the prefix').number);
  }

  /** `/length`, where the length may be a constant or a term, or `:netmask`. */
  #oldLength(): number {
    if (!this.tokens.takeOp(':')) {
      this.tokens.expectOp('/', 'and the length of the prefix');
      return this.number('the length of the prefix');
    }
    const start = this.tokens.peek();
    const length = netmaskLength(this.addressBytes('the netmask'));
    if (length === undefined) throw this.tokens.fail(start, 'a netmask is ones and then zeros');
    return length;
  }

  #canonical(start: Token, bytes: Uint8Array, length: number): NetPrefix {
    const span = this.tokens.spanFrom(start);
    this.checkFamily(bytes, span);
    const bits = bytes.length * 8;
    if (length > bits) {
      throw this.tokens.fail(
        this.tokens.last,
        `an ${bits === 32 ? 'IPv4' : 'IPv6'} prefix has ${bits} bits at most`,
      );
    }
    const masked = maskBytes(bytes, length);
    const text = prefixText({ bytes: masked, length });
    if (masked.some((octet, i) => octet !== bytes[i])) {
      this.diagnostics.error(
        span,
        `${prefixText({ bytes, length })} has bits after its length`,
        `did you mean ${text}?`,
      );
    }
    return { bytes: masked, length, text };
  }

  // --- constants

  /** The value of the expression that follows. */
  #computed(): Constant {
    const term = parseTerm(this.tokens);
    const errors = this.diagnostics.errorCount;
    const result = this.program.evaluate(term);
    if ('value' in result) return constantOf(result.value, term.span);
    if (this.diagnostics.errorCount > errors) throw new SyntaxStop(result.error);
    throw this.tokens.fail(term.span, `this has no value: ${result.error}`);
  }

  /** The value of the constant that is named next; undefined where none is. */
  get constantNext(): Constant | undefined {
    return this.#constantAt(this.tokens.peek());
  }

  #constantAt(token: Token): Constant | undefined {
    if (token.kind !== 'word' && token.kind !== 'quoted') return undefined;
    return this.symbols.get(token.text)?.constant;
  }

  /** A literal, a constant's name, or an expression in parentheses. */
  #constantOf<K extends Constant['kind']>(
    kind: K,
    what: string,
    literal: () => Extract<Constant, { kind: K }> | undefined,
  ): Extract<Constant, { kind: K }> {
    const start = this.tokens.peek();
    const written = literal();
    if (written !== undefined) return written;
    let found: Constant | undefined;
    if (kind !== 'ip' && this.tokens.takeOp('(')) {
      found = this.#computed();
      this.tokens.expectOp(')');
    } else {
      found = this.#constantAt(start);
      if (found !== undefined) this.tokens.next();
    }
    if (found !== undefined && isKind(found, kind)) return found;
    if (found !== undefined) throw this.#mismatch(this.tokens.spanFrom(start), what, found);
    const hint =
      start.kind === 'word' || start.kind === 'quoted'
        ? this.symbols.hint(start.text, ['constant'])
        : undefined;
    throw this.tokens.unexpected(what, undefined, hint);
  }

  #mismatch(span: Span, what: string, found: Constant): SyntaxStop {
    return this.tokens.fail(span, `expected ${what}, found ${describeConstant(found)}`);
  }
}

function isKind<K extends Constant['kind']>(
  constant: Constant,
  kind: K,
): constant is Extract<Constant, { kind: K }> {
  return constant.kind === kind;
}

function prefixText(prefix: { bytes: Uint8Array; length: number }): string {
  return `${formatAddress(prefix.bytes)}/${prefix.length}`;
}
