// A whole configuration of BIRD -> BirdConfig, or everything that is wrong with it. One recursive-descent parser for
// both generations; what differs between them are rows of tables and a few branches.

import type { Definition } from '../../policy/ast.ts';
import { Diagnostics } from '../../policy/diagnostics.ts';
import type { Dialect, Token } from '../../policy/lexer.ts';
import { parseAttribute, parseDefine, parseFilter, parseFunction } from '../../policy/parser.ts';
import { FilterPool, type PolicyHost, PolicyProgram } from '../../policy/program.ts';
import { NO_TABLES } from '../../policy/route-access.ts';
import { Source, type Span } from '../../policy/source.ts';
import { compileTest, type PolicyTest, parseTest } from '../../policy/tests.ts';
import { SyntaxStop, TokenReader } from '../../policy/token-reader.ts';
import { keywordsOf } from '../../policy/words.ts';
import { isSecretKey } from '../source-text.ts';
import {
  type BirdConfig,
  type GlobalOptions,
  type IpFamily,
  NET_TYPES,
  type ProtocolConfig,
  type TableConfig,
  withProtocols,
} from './config.ts';
import { constantOf } from './constants.ts';
import { DEFAULT_SCAN_TIME } from './defaults.ts';
import { detectDialect, detectFamily, familyMismatch } from './dialect.ts';
import { GLOBAL_OPTIONS, readTable, tableTypeNext } from './globals.ts';
import { type BirdFiles, readTokens } from './include.ts';
import { iprouteConstants } from './iproute.ts';
import { expectEnd, unknownOption } from './options.ts';
import { ProtocolReader } from './protocols.ts';
import { ConfigReader } from './reader.ts';
import { Symbols } from './symbols.ts';

export interface ParseOptions {
  /** Detected from the text unless given. */
  readonly dialect?: Dialect;
  /** The family of a 1.6 daemon; detected unless given. */
  readonly family?: IpFamily;
  /** What filters will run with; without it they are checked only. */
  readonly policy?: { readonly host: PolicyHost; readonly pool: FilterPool };
}

export interface ParseResult {
  /** What could be understood, also where there are errors. */
  readonly config: BirdConfig;
  readonly diagnostics: Diagnostics;
  /** The definitions, compiled. */
  readonly program: PolicyProgram;
  /** Places whose text no message may show. */
  readonly masks: readonly Span[];
  readonly tests: readonly PolicyTest[];
}

/** Parses `text` as the file `name`; relative includes count from its directory. Never throws for what it says. */
export function parseBird(
  text: string,
  name: string,
  files: BirdFiles,
  options: ParseOptions = {},
): ParseResult {
  const source = new Source(name, text);
  const dialect = options.dialect ?? detectDialect(source);
  const diagnostics = new Diagnostics();
  const { tokens, sources } = readTokens(source, dialect, files, diagnostics);
  const family = dialect === '1.6' ? (options.family ?? detectFamily(tokens, name)) : undefined;
  const { host, pool } = options.policy ?? { host: IDLE_HOST, pool: new FilterPool() };
  const program = new PolicyProgram(dialect, diagnostics, host, pool);
  const parser = new ConfigParser(tokens, family, program);
  parser.predefine(iprouteConstants(files, dialect));
  const read = parser.read();
  const config = withProtocols({ ...read, files: sources.map((each) => each.name) }, read.protocols);
  return { config, diagnostics, program, masks: parser.masks, tests: parser.tests };
}

/** For checking alone: no route is ever seen. */
const IDLE_HOST: PolicyHost = { tables: NO_TABLES, log: { print: () => undefined, error: () => undefined } };

class ConfigParser {
  readonly masks: Span[];
  readonly tests: PolicyTest[] = [];
  readonly #all: readonly Token[];
  readonly #tokens: TokenReader;
  readonly #reader: ConfigReader;
  readonly #protocols: ProtocolReader;
  readonly #symbols: Symbols;
  readonly #tables = new Map<string, TableConfig>();
  readonly #definitions: Definition[] = [];
  #globals: GlobalOptions = {};
  readonly #globalSpans = new Map<string, Span>();

  constructor(tokens: readonly Token[], family: IpFamily | undefined, program: PolicyProgram) {
    const { dialect, diagnostics } = program;
    this.#all = tokens;
    this.masks = secretsIn(tokens);
    this.#tokens = new TokenReader(tokens, dialect, diagnostics, keywordsOf(dialect));
    this.#symbols = new Symbols(diagnostics);
    this.#reader = new ConfigReader({
      tokens: this.#tokens,
      symbols: this.#symbols,
      program,
      tables: this.#tables,
      family,
      mask: (span) => this.masks.push(span),
    });
    this.#protocols = new ProtocolReader(this.#reader);
    if (dialect === '1.6') this.#predefineTable('master', family ?? 'ipv4');
    else {
      this.#predefineTable('master4', 'ipv4');
      this.#predefineTable('master6', 'ipv6');
    }
  }

  /** Constants that are there before the text. */
  predefine(constants: ReadonlyMap<string, number>): void {
    const end = this.#tokens.peek();
    for (const [name, value] of constants) {
      this.#symbols.predefineNumber(name, value);
      this.#reader.declare(
        { ...end, kind: 'word', text: name },
        { kind: 'constant', value, type: 'int', key: `${value}` },
      );
    }
  }

  read(): Omit<BirdConfig, 'files' | 'protocolsByName'> {
    while (!this.#tokens.atEnd) {
      const before = this.#tokens.position;
      try {
        this.#statement();
      } catch (error) {
        if (!(error instanceof SyntaxStop)) throw error;
        if (this.#tokens.position === before) this.#tokens.next();
        this.#tokens.recover();
        this.#tokens.takeOp('}');
      }
    }
    const { protocols, templates, skipped } = this.#protocols;
    const { diagnostics } = this.#reader;
    if (protocols.length + skipped.length === 0 && !diagnostics.hasErrors) {
      diagnostics.error(
        this.#tokens.peek(),
        'the configuration has no protocol',
        'protocol device { } is one',
      );
    }
    this.#checkBetween(templates, protocols);
    const { routerId } = this.#globals;
    const isGiven = typeof routerId === 'number' && routerId !== 0;
    if (this.#reader.family === 'ipv6' && !isGiven && !diagnostics.hasErrors) {
      diagnostics.error(
        this.#tokens.peek(),
        'an IPv6 daemon of BIRD 1.6 has no router id of its own accord',
        'router id 192.0.2.1; is one',
      );
    }
    this.#checkAddresses();
    this.#warnOfSkipped();
    return {
      dialect: this.#reader.dialect,
      family: this.#reader.family,
      globals: this.#globals,
      globalSpans: this.#globalSpans,
      tables: this.#tables,
      definitions: this.#definitions,
      protocols,
      templates,
      skipped,
    };
  }

  #statement(): void {
    const tokens = this.#tokens;
    if (tokens.takeOp(';')) return;
    const token = tokens.peek();
    const word = token.kind === 'word' ? token.text : '';
    if (word === 'protocol' || word === 'template') {
      tokens.next();
      this.#protocols.read(word === 'template');
      return;
    }
    if (word === 'test' && tokens.peek(1).kind === 'string') {
      this.tests.push(compileTest(this.#reader.program, parseTest(tokens)));
      return;
    }
    if (word === 'filter') {
      const filter = parseFilter(tokens);
      this.#define(filter);
      return;
    }
    if (word === 'function') {
      this.#define(parseFunction(tokens));
      return;
    }
    if (word === 'define') {
      this.#define(parseDefine(tokens));
      return;
    }
    if (word === 'attribute' && this.#reader.dialect === '2.x') {
      this.#define(parseAttribute(tokens));
      return;
    }
    const table = tableTypeNext(this.#reader);
    if (table !== undefined) {
      readTable(this.#reader, table.type, table.words);
      return;
    }
    const row = GLOBAL_OPTIONS.take(tokens);
    if (row === undefined) throw this.#unknown(token);
    const patch = row.read(this.#reader, this.#globals);
    this.#globals = { ...this.#globals, ...patch };
    for (const key of Object.keys(patch)) this.#globalSpans.set(key, tokens.spanFrom(token));
    // BIRD takes these without their `;`, and tables.
    if (!OPEN_ENDED.test(row.words)) expectEnd(tokens, `after ${row.words}`);
  }

  #define(definition: Definition): void {
    const { name } = definition;
    if (name === undefined) return;
    this.#definitions.push(definition);
    const token: Token = { ...name.span, kind: 'word', text: name.name, number: 0, bytes: undefined };
    // Before the filter language complains of it, which does not know where names come from.
    this.#symbols.isFree(token);
    this.#reader.program.add(definition);
    if (definition.kind !== 'define') {
      this.#symbols.define(token, { kind: definition.kind });
      return;
    }
    const symbol = this.#reader.program.symbols.get(name.name);
    const value = symbol?.kind === 'constant' ? symbol.value : undefined;
    this.#symbols.define(token, { kind: 'constant', constant: constantOf(value, definition.value.span) });
  }

  #predefineTable(name: string, type: 'ipv4' | 'ipv6'): void {
    this.#tables.set(name, { name, type, span: undefined });
    this.#symbols.predefine(name, 'table');
    const end = this.#tokens.peek();
    this.#reader.declare({ ...end, kind: 'word', text: name }, { kind: 'table', of: type });
  }

  #unknown(token: Token): SyntaxStop {
    if (token.kind === 'word' && token.text === 'include') {
      return this.#tokens.fail(
        token,
        'include stands at the beginning of a line',
        'put it on a line of its own',
      );
    }
    const tableTypes = this.#reader.dialect === '2.x' ? NET_TYPES : ['roa'];
    const words = new Set([...TOP_LEVEL_PHRASES, ...tableTypes.map((type) => `${type} table`)]);
    return unknownOption(this.#tokens, {
      where: 'at the top level',
      tables: [
        GLOBAL_OPTIONS,
        { phrases: () => [...words], isOfOtherDialect: () => this.#isOfOtherDialect(token) },
      ],
    });
  }

  #isOfOtherDialect(token: Token): boolean {
    const words = this.#reader.dialect === '1.6' ? ONLY_IN_2 : ONLY_IN_16;
    return token.kind === 'word' && words.includes(token.text);
  }

  /** Several kernel protocols need a table each; there is one device protocol, for which a template counts as well. */
  #checkBetween(templates: readonly ProtocolConfig[], protocols: readonly ProtocolConfig[]): void {
    const { diagnostics, dialect, family } = this.#reader;
    const kernels = new Map<string, string>();
    let scanTime: number | undefined;
    let device: string | undefined;
    for (const protocol of [...templates.filter(({ kind }) => kind === 'device'), ...protocols]) {
      if (protocol.kind === 'device') {
        if (device !== undefined) {
          diagnostics.error(protocol.span, 'there is one device protocol', `the first is ${device}`);
        }
        device = protocol.name;
      }
      if (protocol.kind !== 'kernel') continue;
      const scan = protocol.options.scanTime ?? DEFAULT_SCAN_TIME;
      if (dialect === '1.6' && scan !== (scanTime ?? scan)) {
        const hint = `the first scans every ${scanTime} seconds`;
        diagnostics.error(protocol.span, 'kernel protocols of BIRD 1.6 have one scan time', hint);
      }
      scanTime ??= scan;
      const channels = [...protocol.channels];
      if (dialect === '1.6' && channels.length === 0)
        channels.push([family ?? 'ipv4', { span: protocol.span }]);
      for (const [name, channel] of channels) {
        if (name === 'mpls') continue;
        const table =
          channel.table ?? (dialect === '1.6' ? 'master' : name === 'ipv6' ? 'master6' : 'master4');
        const first = kernels.get(table);
        if (first !== undefined) {
          diagnostics.error(protocol.span, `${first} is the kernel protocol of table ${table} already`);
        }
        kernels.set(table, protocol.name);
      }
    }
  }

  /** Addresses of the other family are no words of a 1.6 daemon; quads are of both. */
  #checkAddresses(): void {
    const { diagnostics, family } = this.#reader;
    if (family === undefined) return;
    const errors = diagnostics.list.filter(({ severity }) => severity === 'error');
    const reported = new Set(errors.map(({ span }) => span.start));
    for (const [at, token] of this.#all.entries()) {
      const isQuad = token.kind === 'ip4' && this.#all[at + 1]?.text !== '/';
      if (token.bytes === undefined || (token.kind !== 'ip4' && token.kind !== 'ip6') || isQuad) continue;
      const stranger = familyMismatch(token.bytes, family);
      if (stranger !== undefined && !reported.has(token.start))
        diagnostics.error(token, stranger.message, stranger.hint);
    }
  }

  #warnOfSkipped(): void {
    const { skipped } = this.#protocols;
    const first = skipped[0];
    if (first === undefined) return;
    const names = skipped.map((each) => (each.name === undefined ? each.kind : `${each.kind} ${each.name}`));
    this.#reader.diagnostics.warning(
      first.span,
      `passed over what godwit does not serve: ${names.join(', ')}`,
      'these protocols do not run',
    );
  }
}

const OPEN_ENDED = /^(debug|watchdog|eval)\b/;
const TOP_LEVEL_PHRASES = ['protocol', 'template', 'filter', 'function', 'define', 'include'] as const;
const ONLY_IN_2: readonly string[] = [
  'attribute',
  'ipv4',
  'ipv6',
  'roa4',
  'roa6',
  'aspa',
  'flow4',
  'flow6',
  'vpn4',
  'vpn6',
];
const ONLY_IN_16: readonly string[] = ['table', 'roa'];

/**
 * What may be a secret: strings after a word that speaks of one, however it is spelt, and what follows it at once, with
 * quotes or without.
 */
function secretsIn(tokens: readonly Token[]): Span[] {
  const masks: Span[] = [];
  const known = new Map<string, boolean>();
  const isSecretWord = (word: string): boolean => {
    let is = known.get(word);
    if (is === undefined) {
      is = !NO_SECRETS.has(word) && isSecretKey(word);
      known.set(word, is);
    }
    return is;
  };
  // Constants that are used as one; wherever they are defined.
  const constants = new Set<string>();
  for (const [i, { kind, text }] of tokens.entries()) {
    const next = tokens[i + 1];
    if (kind === 'word' && next?.kind === 'word' && isSecretWord(text)) constants.add(next.text);
  }
  let starts = true;
  let secret: 'no' | 'strings' | 'all' = 'no';
  /** Depth of blocks, and where keys { } began: every text in there is one. */
  let depth = 0;
  let keysAt: number | undefined;
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'op') {
      if (token.text === '{') {
        if (keysAt === undefined && KEY_BLOCKS.has(tokens[i - 1]?.text ?? '')) keysAt = depth;
        depth++;
      } else if (token.text === '}') {
        depth--;
        if (depth === keysAt) keysAt = undefined;
      }
      starts = token.text === ';' || token.text === '{' || token.text === '}';
      if (starts) secret = 'no';
      continue;
    }
    const isText = token.kind === 'string' || token.kind === 'bytes';
    const before = tokens[i - 1];
    const follows = before?.kind === 'word' && isSecretWord(before.text);
    if (secret === 'all' || (keysAt !== undefined && isText) || (secret === 'strings' && (isText || follows)))
      masks.push(token);
    else if (before?.text === 'define' && constants.has(token.text)) secret = 'all';
    else if (token.kind === 'word' && isSecretWord(token.text)) {
      secret = starts || before?.text === 'define' ? 'all' : 'strings';
    }
    starts = false;
  }
  return masks;
}

const KEY_BLOCKS = new Set(['keys', 'key']);
/** Words of the language that look like it. */
const NO_SECRETS = new Set(['authentication', 'keys', 'key', 'passive']);
