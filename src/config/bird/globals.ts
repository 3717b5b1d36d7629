// Top-level options as rows, and tables. Definitions and protocols are parse.ts's.

import { parseTerm } from '../../policy/parser.ts';
import {
  type Flags,
  type GlobalOptions,
  type ListenBgp,
  type LogTarget,
  NET_TYPES,
  type NetType,
  type RoaEntry,
  type TableConfig,
  TIME_FORMAT_USES,
  type TimeFormat,
} from './config.ts';
import { number, OptionTable, option, readBlock, toggle, unknownOption } from './options.ts';
import { readPatterns } from './patterns.ts';
import type { ConfigReader } from './reader.ts';
import { DEBUG_FLAGS, MRTDUMP_FLAGS } from './trace-flags.ts';

const LOG_CLASSES = ['debug', 'trace', 'info', 'remote', 'warning', 'error', 'auth', 'fatal', 'bug'] as const;

export const GLOBAL_OPTIONS = new OptionTable<GlobalOptions>([
  option('router id', (reader) => ({ routerId: reader.routerId() })),
  option('router id from', (reader) => ({ routerId: readPatterns(reader, true) })),
  option('hostname', (reader) => ({ hostname: reader.text('the name of the host') }), '2.x'),
  number('graceful restart wait', (gracefulRestartWait) => ({ gracefulRestartWait })),
  option('log', (reader, before) => ({ logs: [...(before.logs ?? []), readLog(reader)] })),
  option('debug protocols', (reader) => ({ debugProtocols: reader.flags(DEBUG_FLAGS, true) })),
  option('debug channels', (reader) => ({ debugChannels: reader.flags(DEBUG_FLAGS, true) }), '2.x'),
  option('debug tables', (reader) => ({ debugTables: reader.flags(DEBUG_FLAGS, true) }), '2.x'),
  number('debug commands', (debugCommands) => ({ debugCommands })),
  toggle('debug latency', (debugLatency) => ({ debugLatency })),
  option('debug latency limit', (reader) => ({ debugLatencyLimit: reader.time('the limit') })),
  option('watchdog warning', (reader) => ({ watchdogWarning: reader.time('the time') })),
  option('watchdog timeout', (reader) => ({ watchdogTimeout: reader.time('the time') })),
  option('mrtdump', (reader) => ({ mrtdumpFile: reader.text('the name of the file') })),
  option('mrtdump protocols', (reader) => ({ mrtdumpProtocols: reader.flags(MRTDUMP_FLAGS, true) })),
  option('timeformat', (reader, before) => {
    const use = reader.choice('a use', TIME_FORMAT_USES);
    return { timeFormats: { ...before.timeFormats, [use]: readTimeFormat(reader) } };
  }),
  option('listen bgp', (reader) => ({ listenBgp: readListen(reader) }), '1.6'),
  option('eval', (reader, before) => {
    const term = parseTerm(reader.tokens);
    const result = reader.program.evaluate(term);
    // After a mistake, here or above, nothing runs, and the mistake is reported already.
    const { diagnostics } = reader.program;
    const isNumber = 'value' in result && typeof result.value === 'number';
    if (!isNumber && !diagnostics.hasErrors) {
      diagnostics.error(term.span, 'error' in result ? result.error : 'what is evaluated here is an int');
    }
    return { evaluations: [...(before.evaluations ?? []), term] };
  }),
  option(
    'cli',
    (reader, before) => {
      const path = reader.text('the path of the socket');
      return { sockets: [...(before.sockets ?? []), { path, restricted: readRestricted(reader) }] };
    },
    '2.x',
  ),
  number('threads', (threads) => ({ threads }), { min: 1, only: '2.x' }),
  option('thread group', (reader) => ({ threadGroup: passOver(reader, 'the name of the group') }), '2.x'),
  option('mpls domain', (reader) => ({ mplsDomain: passOver(reader, 'the name of the domain') }), '2.x'),
]);

/** A name, and the block of something that is not there, unread. */
function passOver({ tokens }: ConfigReader, what: string): string {
  const { text } = tokens.expectSymbol(what);
  if (tokens.isOp('{')) tokens.skipStatement();
  return text;
}

/** `"file" [limit "backup"] | fixed "file" size | syslog [name "n"] | stderr | udp HOST [port N]`, then the classes. */
function readLog(reader: ConfigReader): LogTarget {
  return { ...readLogDestination(reader), classes: readClasses(reader) };
}

function readLogDestination(reader: ConfigReader): Omit<LogTarget, 'classes'> {
  const { tokens } = reader;
  if (tokens.takeWord('stderr')) return { to: 'stderr' };
  if (tokens.takeWord('syslog')) {
    return tokens.takeWord('name') ? { to: 'syslog', name: reader.text('the name') } : { to: 'syslog' };
  }
  if (reader.dialect === '2.x' && tokens.takeWord('udp')) {
    const name = reader.addressFollows ? reader.address('the host') : reader.text('the host');
    return tokens.takeWord('port') ? { to: 'udp', name, port: reader.port() } : { to: 'udp', name };
  }
  if (reader.dialect === '2.x' && tokens.peek(1).kind === 'string' && tokens.takeWord('fixed')) {
    return { to: 'file', name: reader.text('the name of a file'), limit: reader.number('the size') };
  }
  const isUnknown = tokens.peek().kind === 'word' && reader.symbols.get(tokens.peek().text) === undefined;
  if (isUnknown || tokens.isOp('(')) {
    throw tokens.unexpected('the name of a file, syslog or stderr', 'after log');
  }
  const name = reader.text('the name of a file');
  if (reader.dialect === '1.6' || tokens.peek().kind !== 'number') return { to: 'file', name };
  return {
    to: 'file',
    name,
    limit: reader.number('the limit'),
    backup: reader.text('the name of the backup'),
  };
}

function readClasses(reader: ConfigReader): Flags {
  return reader.flags(LOG_CLASSES, false);
}

const ISO_LONG = '%F %T';
/** Times of the last 20 hours show the time, older ones the date. */
const ISO_SHORT_LIMIT = 72_000;

/** `"fmt" [limit "older"]` or `iso short|long [ms|us]`. */
function readTimeFormat(reader: ConfigReader): TimeFormat {
  const { tokens } = reader;
  if (tokens.takeWord('iso')) {
    const length = reader.choice('', ['short', 'long']);
    const digits =
      reader.dialect === '1.6' ? '' : tokens.takeWord('ms') ? '.%3f' : tokens.takeWord('us') ? '.%6f' : '';
    if (length === 'long') return { format: `${ISO_LONG}${digits}` };
    return { format: `%T${digits}`, limit: ISO_SHORT_LIMIT, older: '%F' };
  }
  const format = tokens.expectString('a format');
  if (tokens.isOp(';')) return { format };
  return { format, limit: reader.number('the limit'), older: tokens.expectString('a format') };
}

/** 1.6 takes any number and keeps 16 bits of it. */
const MAX_PORT = 0xffff;

/** `[address A] [port P] [v6only|dual]` in any order. */
function readListen(reader: ConfigReader): ListenBgp {
  const { tokens } = reader;
  let listen: ListenBgp = {};
  for (;;) {
    if (tokens.takeWord('address')) listen = { ...listen, address: reader.address('the address') };
    else if (tokens.takeWord('port')) listen = { ...listen, port: reader.number('the port') & MAX_PORT };
    else if (tokens.takeWord('v6only')) listen = { ...listen, v6only: true };
    else if (tokens.takeWord('dual')) listen = { ...listen, v6only: false };
    else return listen;
  }
}

function readRestricted(reader: ConfigReader): boolean {
  let restricted = false;
  if (!reader.tokens.isOp('{')) return restricted;
  readBlock(reader, 'in cli', () => {
    reader.tokens.expectWord('restrict');
    restricted = reader.toggle();
  });
  return restricted;
}

const TABLE_OPTIONS = new OptionTable<TableConfig>([
  toggle('sorted', (sorted) => ({ sorted })),
  toggle('trie', (trie) => ({ trie })),
  option('min settle time', (reader) => ({ minSettleTime: reader.time('the time') })),
  option('max settle time', (reader) => ({ maxSettleTime: reader.time('the time') })),
  number('gc threshold', (gcThreshold) => ({ gcThreshold })),
  option('gc period', (reader) => ({ gcPeriod: reader.time('the time') })),
  option('debug', (reader) => {
    reader.flags(DEBUG_FLAGS, true);
    return {};
  }),
  // How 3.x paces its threads, of which there is one here.
  option('export settle time', passTimes),
  option('route refresh export settle time', passTimes),
  option('cork threshold', (reader) => {
    reader.number('the lower threshold');
    reader.number('the upper threshold');
    return {};
  }),
]);

function passTimes(reader: ConfigReader): Partial<TableConfig> {
  reader.time('the least time');
  reader.time('the most time');
  return {};
}

/** The kind of table whose definition begins here; undefined where none does. Nothing is taken. */
export function tableTypeNext(reader: ConfigReader): { type: NetType; words: readonly string[] } | undefined {
  const { tokens, dialect, family } = reader;
  if (dialect === '1.6') {
    const type = family ?? 'ipv4';
    if (tokens.isWord('table')) return { type, words: ['table'] };
    if (!tokens.isWord('roa') || !tokens.isWord('table', 1)) return undefined;
    return { type: type === 'ipv4' ? 'roa4' : 'roa6', words: ['roa', 'table'] };
  }
  for (const type of [...NET_TYPES].sort((a, b) => b.length - a.length)) {
    const words = [...type.split(' '), 'table'];
    if (words.every((word, ahead) => tokens.isWord(word, ahead))) return { type, words };
  }
  return undefined;
}

/** `TYPE table NAME [sorted] [{ options }]` */
export function readTable(reader: ConfigReader, type: NetType, words: readonly string[]): void {
  const { tokens, symbols, tables } = reader;
  tokens.takeWords(...words);
  const token = tokens.expectNewName('the name of the table');
  const before = tables.get(token.text);
  // The default tables may be defined anew, to give them options.
  const isDefault = symbols.get(token.text)?.span === undefined && before?.type === type;
  if (!isDefault) symbols.define(token, { kind: 'table' });
  reader.declare(token, { kind: 'table', of: type });
  let table: TableConfig = { name: token.text, type, span: token };
  if (tokens.takeWord('sorted')) table = { ...table, sorted: true };
  const roas: RoaEntry[] = [];
  // 1.6: entries of a roa table; its other tables have no block.
  if (tokens.isOp('{') && (reader.dialect === '2.x' || type.startsWith('roa'))) {
    const where = `in table ${token.text}`;
    readBlock(reader, where, () => {
      if (reader.dialect === '1.6') {
        roas.push(readRoa(reader));
        return;
      }
      const row = TABLE_OPTIONS.take(tokens);
      if (row === undefined) throw unknownOption(tokens, { where, tables: [TABLE_OPTIONS] });
      table = { ...table, ...row.read(reader, table) };
    });
  }
  tables.set(token.text, roas.length > 0 ? { ...table, roas } : table);
}

const OCTET = 0xff;

/** `roa PREFIX max N as N` */
function readRoa(reader: ConfigReader): RoaEntry {
  reader.tokens.expectWord('roa');
  const prefix = reader.prefix();
  reader.tokens.expectWord('max', 'and the longest prefix');
  // 1.6 takes any number and keeps 8 bits of it; below the prefix's own length nothing is valid.
  const most = reader.tokens.expectNumber('the longest prefix').number;
  const maxLength = Math.min(most & OCTET, prefix.bytes.length * 8);
  reader.tokens.expectWord('as', 'and the AS number');
  return { prefix: prefix.text, maxLength, asn: reader.tokens.expectNumber('the AS number').number };
}
