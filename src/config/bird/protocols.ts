// `protocol` and `template`: name, origin, block. Settings are copied from what `from` names as they were at that
// point; later statements change them, and channels are merged by their names.

import { nearest } from '../../lib/suggest.ts';
import type { Token } from '../../policy/lexer.ts';
import type { Span } from '../../policy/source.ts';
import {
  BGP_CHANNEL_OPTIONS,
  CHANNEL_OPTIONS,
  channelTables,
  netTypeOf,
  readChannel,
  takeChannelName,
  takeRow,
} from './channels.ts';
import { checkProtocol } from './checks.ts';
import type {
  ChannelName,
  ChannelOptions,
  CommonOptions,
  Protocol,
  ProtocolConfig,
  ProtocolKind,
  SkippedProtocol,
} from './config.ts';
import { type OptionTable, readBlock, unknownOption } from './options.ts';
import { COMMON_OPTIONS, KINDS, type OptionsByKind, SKIPPED_KINDS } from './protocol-kinds.ts';
import type { ConfigReader } from './reader.ts';

type Bases = { readonly [K in ProtocolKind]: Map<string, Protocol<K, OptionsByKind[K]>> };

interface Header {
  readonly template: boolean;
  readonly name: string;
  readonly token: Token;
  readonly from: string | undefined;
}

export class ProtocolReader {
  readonly protocols: ProtocolConfig[] = [];
  readonly templates: ProtocolConfig[] = [];
  readonly skipped: SkippedProtocol[] = [];
  readonly #reader: ConfigReader;
  /** What `from` can name. */
  readonly #bases: Bases = {
    bgp: new Map(),
    kernel: new Map(),
    device: new Map(),
    direct: new Map(),
    static: new Map(),
    pipe: new Map(),
    bfd: new Map(),
    mrt: new Map(),
    bmp: new Map(),
    rpki: new Map(),
  };
  readonly #unnamed = new Map<string, number>();

  constructor(reader: ConfigReader) {
    this.#reader = reader;
  }

  /** `protocol|template KIND [NAME] [from NAME] { ... }`; the first word is taken. */
  read(template: boolean): void {
    const { tokens } = this.#reader;
    const token = tokens.peek();
    const kind = this.#kind(token);
    if (kind === undefined) {
      this.#skip(token, template);
      return;
    }
    tokens.next();
    const header = this.#header(template, kind);
    const { diagnostics } = this.#reader;
    const before = diagnostics.errorCount;
    const protocol = this.#readAs(kind, header);
    // What was not understood would only make checks complain of what is missing.
    if (diagnostics.errorCount === before) checkProtocol(this.#reader, protocol, template);
    if (template) this.templates.push(protocol);
    else this.protocols.push(protocol);
  }

  /** undefined: a kind that is skipped. */
  #kind(token: Token): ProtocolKind | undefined {
    const { dialect, tokens } = this.#reader;
    const kinds = Object.entries(KINDS)
      .filter(([, row]) => row.only === undefined || row.only === dialect)
      .map(([kind]) => kind);
    const skipped = SKIPPED_KINDS[dialect];
    if (token.kind === 'word') {
      if (kinds.includes(token.text) && isKind(token.text)) return token.text;
      if (skipped.includes(token.text)) return undefined;
    }
    const near = token.kind === 'word' ? nearest(token.text, [...kinds, ...skipped]) : undefined;
    const hint = near === undefined ? `protocols are ${kinds.join(', ')}` : `did you mean ${near}?`;
    throw tokens.fail(
      token,
      token.kind === 'word' ? `there is no protocol ${token.text}` : 'expected a protocol',
      hint,
    );
  }

  #header(template: boolean, kind: string): Header {
    const { tokens, symbols, diagnostics } = this.#reader;
    const keyword = tokens.last;
    const next = tokens.peek();
    const named = next.kind === 'quoted' || (next.kind === 'word' && next.text !== 'from');
    const token = named ? tokens.expectNewName('a name') : keyword;
    const name = named ? token.text : this.#freshName(kind);
    if (named) {
      symbols.define(token, { kind: template ? 'template' : 'protocol' });
      this.#reader.declare(token, { kind: 'other', what: template ? 'template' : 'protocol' });
    }
    if (!named) symbols.predefine(name, template ? 'template' : 'protocol', keyword);
    let from: string | undefined;
    if (tokens.takeWord('from')) {
      const base = this.#reader.name('the name of a template or protocol', 'template', 'protocol');
      from = base.text === name ? undefined : base.text;
      if (from === undefined && tokens.dialect === '2.x')
        diagnostics.error(base, 'a protocol cannot be made from itself');
    }
    return { template, name, token, from };
  }

  /** `bgp1`, `bgp2`, ... for what has no name. */
  #freshName(kind: string): string {
    for (;;) {
      const count = (this.#unnamed.get(kind) ?? 0) + 1;
      this.#unnamed.set(kind, count);
      if (this.#reader.symbols.get(`${kind}${count}`) === undefined) return `${kind}${count}`;
    }
  }

  #readAs(kind: ProtocolKind, header: Header): ProtocolConfig {
    switch (kind) {
      case 'bgp':
        return this.#readBlock('bgp', header);
      case 'kernel':
        return this.#readBlock('kernel', header);
      case 'device':
        return this.#readBlock('device', header);
      case 'direct':
        return this.#readBlock('direct', header);
      case 'static':
        return this.#readBlock('static', header);
      case 'pipe':
        return this.#readBlock('pipe', header);
      case 'bfd':
        return this.#readBlock('bfd', header);
      case 'mrt':
        return this.#readBlock('mrt', header);
      case 'bmp':
        return this.#readBlock('bmp', header);
      case 'rpki':
        return this.#readBlock('rpki', header);
    }
  }

  #readBlock<K extends ProtocolKind>(kind: K, header: Header): Protocol<K, OptionsByKind[K]> {
    const reader = this.#reader;
    const row = KINDS[kind];
    const base = header.from === undefined ? undefined : this.#baseOf(kind, header.from);
    const block = new BlockReader<OptionsByKind[K]>(
      reader,
      kind,
      base ?? { common: {}, channels: new Map(), spans: new Map() },
      {
        table: row.options,
        options: base === undefined ? row.empty() : row.copy(base.options),
        channels: row.channels,
      },
    );
    const label = header.template ? 'template' : 'protocol';
    readBlock(reader, `in ${label} ${kind} ${header.name}`, () => block.statement(), true);
    const protocol: Protocol<K, OptionsByKind[K]> = {
      kind,
      name: header.name,
      span: header.token,
      from: header.from,
      common: block.common,
      options: block.options,
      spans: block.spans,
      channels: block.channels,
    };
    this.#bases[kind].set(header.name, protocol);
    return protocol;
  }

  #baseOf<K extends ProtocolKind>(kind: K, name: string): Protocol<K, OptionsByKind[K]> | undefined {
    const base = this.#bases[kind].get(name);
    if (base === undefined) {
      const { tokens, diagnostics } = this.#reader;
      diagnostics.error(tokens.last, `${name} is not a ${kind} protocol or template`);
    }
    return base;
  }

  /** A protocol that is not served: what all protocols have is read and checked, the rest passed over. */
  #skip(start: Token, template: boolean): void {
    const { tokens, symbols } = this.#reader;
    const kind = tokens.next().text;
    // `ospf v3`, `rip ng`: in 1.6 these are names.
    if (this.#reader.dialect === '2.x' && VERSIONS.has(tokens.peek().text)) tokens.next();
    const next = tokens.peek();
    const named = next.kind === 'quoted' || (next.kind === 'word' && next.text !== 'from');
    const symbol = template ? 'template' : 'protocol';
    const token = named ? tokens.expectNewName('a name') : undefined;
    if (token !== undefined) symbols.define(token, { kind: symbol });
    if (tokens.takeWord('from'))
      this.#reader.name('the name of a template or protocol', 'template', 'protocol');
    if (token === undefined) symbols.predefine(this.#freshName(kind), symbol, start);
    readBlock(this.#reader, `in protocol ${kind}`, () => this.#skipStatement(), true);
    this.skipped.push({ kind, name: token?.text, span: start });
  }

  #skipStatement(): void {
    const { tokens, dialect } = this.#reader;
    const channel = takeChannelName(this.#reader);
    const row = dialect === '1.6' ? takeRow(this.#reader, channelTables(false)) : undefined;
    const common = COMMON_OPTIONS.find(tokens);
    if (channel !== undefined) readChannel(this.#reader, channel.name, false, { span: channel.span });
    else if (row !== undefined) row.read(this.#reader, { span: tokens.last });
    else if (common !== undefined) COMMON_OPTIONS.take(tokens)?.read(this.#reader, {});
    else tokens.skipStatement();
  }
}

/** Of OSPF and RIP. */
const VERSIONS: ReadonlySet<string> = new Set(['v2', 'v3', 'ng']);

function isKind(word: string): word is ProtocolKind {
  return Object.hasOwn(KINDS, word);
}

interface OwnOptions<Options> {
  readonly table: OptionTable<Options>;
  readonly options: Options;
  readonly channels: readonly ChannelName[] | 'itself';
}

/** The statements of one protocol's block, whatever of its tables they are of. */
class BlockReader<Options> {
  common: CommonOptions;
  options: Options;
  readonly channels: Map<ChannelName, ChannelOptions>;
  readonly spans: Map<string, Span>;
  readonly #reader: ConfigReader;
  readonly #kind: ProtocolKind;
  readonly #own: OwnOptions<Options>;
  readonly #channelTables: readonly OptionTable<ChannelOptions>[];
  /** Channels of this block, which may not come twice. */
  readonly #written = new Set<ChannelName>();

  constructor(
    reader: ConfigReader,
    kind: ProtocolKind,
    base: Pick<Protocol<ProtocolKind, unknown>, 'common' | 'channels' | 'spans'>,
    own: OwnOptions<Options>,
  ) {
    this.#reader = reader;
    this.#kind = kind;
    this.common = base.common;
    this.options = own.options;
    this.channels = new Map(base.channels);
    this.spans = new Map(base.spans);
    this.#own = own;
    this.#channelTables = channelTables(kind === 'bgp');
  }

  statement(): void {
    const { tokens } = this.#reader;
    const channel = this.#takeChannel();
    if (channel !== undefined) return;
    const start = tokens.peek();
    // Where several tables have a row, the one with most words is meant: `graceful restart time`.
    const own = this.#own.table.find(tokens);
    const common = COMMON_OPTIONS.find(tokens);
    const inline = this.#hasInlineChannel ? this.#findInline() : 0;
    const words = own?.words.split(' ').length ?? 0;
    if (own !== undefined && words >= inline) {
      tokens.takeWords(...own.words.split(' '));
      const patch = own.read(this.#reader, this.options);
      this.options = { ...this.options, ...patch };
      this.#note(patch, start);
    } else if (inline > 0) this.#readInline();
    else if (common !== undefined) {
      tokens.takeWords(...common.words.split(' '));
      const patch = common.read(this.#reader, this.common);
      this.common = { ...this.common, ...patch };
      this.#note(patch, start);
    } else throw this.#unknown();
  }

  #note(patch: object, start: Token): void {
    const span = this.#reader.tokens.spanFrom(start);
    for (const key of Object.keys(patch)) this.spans.set(key, span);
  }

  /** 1.6's protocols, and pipes, say of themselves what channels say. */
  get #hasInlineChannel(): boolean {
    return this.#reader.dialect === '1.6' || this.#own.channels === 'itself';
  }

  #findInline(): number {
    const { tokens } = this.#reader;
    const words = this.#channelTables.map((table) => table.find(tokens)?.words.split(' ').length ?? 0);
    return Math.max(0, ...words);
  }

  #readInline(): void {
    const name = this.#reader.family ?? 'ipv4';
    const before = this.channels.get(name) ?? { span: this.#reader.tokens.peek() };
    const row = takeRow(this.#reader, this.#channelTables);
    if (row !== undefined) this.channels.set(name, { ...before, ...row.read(this.#reader, before) });
  }

  #takeChannel(): ChannelName | undefined {
    const { diagnostics } = this.#reader;
    const start = this.#reader.tokens.position;
    const found = takeChannelName(this.#reader);
    if (found === undefined) return undefined;
    const { name, span } = found;
    const allowed = this.#own.channels;
    if (allowed === 'itself' || allowed.length === 0) {
      this.#reader.tokens.rewind(start);
      return undefined;
    }
    if (!allowed.includes(name)) {
      diagnostics.error(
        span,
        `protocol ${this.#kind} has no channel ${name}`,
        `it has ${allowed.join(', ')}`,
      );
    } else if (this.#written.has(name)) {
      diagnostics.error(span, `channel ${name} is defined twice`, 'put its options into one block');
    }
    this.#written.add(name);
    const before = this.channels.get(name) ?? { span };
    const channel = readChannel(this.#reader, name, this.#kind === 'bgp', before);
    this.channels.set(name, channel);
    if (channel.table === undefined && !this.#hasTable(name)) {
      diagnostics.error(span, `channel ${name} has no table`, `define one: ${netTypeOf(name)} table NAME;`);
    }
    return name;
  }

  #hasTable(name: ChannelName): boolean {
    const type = netTypeOf(name);
    return [...this.#reader.tables.values()].some((table) => table.type === type);
  }

  #unknown() {
    const tables = [this.#own.table, COMMON_OPTIONS, ...(this.#hasInlineChannel ? this.#channelTables : [])];
    return unknownOption(this.#reader.tokens, {
      where: `in protocol ${this.#kind}`,
      tables,
      elsewhere: (tokens) => {
        const ofChannels =
          CHANNEL_OPTIONS.find(tokens) ??
          (this.#kind === 'bgp' ? BGP_CHANNEL_OPTIONS.find(tokens) : undefined);
        if (ofChannels === undefined || this.#reader.dialect === '1.6') return undefined;
        if (this.#own.channels === 'itself' || this.#own.channels.length === 0) return undefined;
        return `it belongs into a channel: ipv4 { ${ofChannels.words} ...; };`;
      },
    });
  }
}
