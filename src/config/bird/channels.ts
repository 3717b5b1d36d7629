// What a channel can say: between a protocol and a table of one kind of routes. 1.6 has the same statements directly
// in its protocols, one table each; there they make the channel of the daemon's family.

import { parseFilterUse } from '../../policy/parser.ts';
import type { Span } from '../../policy/source.ts';
import { LIMIT_ACTIONS } from '../model/limits.ts';
import { LONGEST_STALE_TIME } from '../model/stability.ts';
import {
  CHANNEL_NAMES,
  type ChannelName,
  type ChannelOptions,
  type Limit,
  NET_TYPES,
  type NetType,
  type NextHopScope,
} from './config.ts';
import { number, type OptionRow, OptionTable, option, readBlock, toggle, unknownOption } from './options.ts';
import type { ConfigReader } from './reader.ts';
import { DEBUG_FLAGS } from './trace-flags.ts';

const MAX_PREFERENCE = 65535;

type Channel = ChannelOptions;

/** Of every channel. */
export const CHANNEL_OPTIONS = new OptionTable<Channel>([
  option('table', (reader) => ({ table: reader.table().name })),
  number('preference', (preference) => ({ preference }), { max: MAX_PREFERENCE }),
  option('import', (reader) => ({ import: filterUse(reader) })),
  option('export', (reader) => ({ export: filterUse(reader) })),
  option('receive limit', (reader) => ({ receiveLimit: limit(reader) })),
  option('import limit', (reader) => ({ importLimit: limit(reader) })),
  option('export limit', (reader) => ({ exportLimit: limit(reader) })),
  toggle('import keep filtered', (importKeepFiltered) => ({ importKeepFiltered })),
  toggle('rpki reload', (rpkiReload) => ({ rpkiReload }), '2.x'),
]);

/** In 1.6 a protocol has its debug flags itself. */
export const CHANNEL_DEBUG = new OptionTable<Channel>([
  option('debug', (reader) => ({ debug: reader.flags(DEBUG_FLAGS, true) }), '2.x'),
]);

/** Of BGP's channels, and in 1.6 of BGP itself. */
export const BGP_CHANNEL_OPTIONS = new OptionTable<Channel>([
  option('next hop self', (reader) => ({ nextHopSelf: scope(reader) })),
  option('next hop keep', (reader) => ({ nextHopKeep: scope(reader) })),
  option('next hop address', (reader) => ({ nextHopAddress: reader.address('the next hop') }), '2.x'),
  option('next hop prefer', (reader) => ({ nextHopPrefer: reader.choice('', ['global', 'local']) }), '2.x'),
  option('missing lladdr', (reader) => ({
    missingLinkLocal: reader.choice('', ['self', 'drop', 'ignore']),
  })),
  option(
    'link local next hop format',
    (reader) => ({ linkLocalFormat: reader.choice('', ['native', 'single', 'double']) }),
    '2.x',
  ),
  option('gateway', (reader) => ({ gateway: reader.choice('', ['direct', 'recursive']) })),
  option(
    'export settle time',
    (reader) => ({ exportSettleTime: [reader.time('the time'), reader.time('the time')] }),
    '2.x',
  ),
  option('igp table', (reader, before) => ({
    igpTables: [...(before.igpTables ?? []), reader.table(IGP_TYPES).name],
  })),
  option('base table', (reader) => ({ baseTable: reader.table(IGP_TYPES).name }), '2.x'),
  toggle('import table', (importTable) => ({ importTable }), '2.x'),
  toggle('export table', (exportTable) => ({ exportTable }), '2.x'),
  toggle('secondary', (secondary) => ({ secondary })),
  toggle('mandatory', (mandatory) => ({ mandatory }), '2.x'),
  toggle('validate', (validate) => ({ validate }), '2.x'),
  option('add paths', (reader) => ({ addPaths: addPaths(reader) })),
  toggle('require add paths', (requireAddPaths) => ({ requireAddPaths }), '2.x'),
  toggle('extended next hop', (extendedNextHop) => ({ extendedNextHop }), '2.x'),
  toggle('require extended next hop', (requireExtendedNextHop) => ({ requireExtendedNextHop }), '2.x'),
  toggle('graceful restart', (gracefulRestart) => ({ gracefulRestart }), '2.x'),
  toggle('long lived graceful restart', (longLivedGracefulRestart) => ({ longLivedGracefulRestart }), '2.x'),
  number('long lived stale time', (longLivedStaleTime) => ({ longLivedStaleTime }), { only: '2.x' }),
  number('min long lived stale time', (minLongLivedStaleTime) => ({ minLongLivedStaleTime }), {
    max: LONGEST_STALE_TIME,
    only: '2.x',
  }),
  number('max long lived stale time', (maxLongLivedStaleTime) => ({ maxLongLivedStaleTime }), {
    max: LONGEST_STALE_TIME,
    only: '2.x',
  }),
  option(
    'aigp',
    (reader) => ({
      aigp: reader.tokens.takeWord('originate') ? 'originate' : reader.toggle() ? 'on' : 'off',
    }),
    '2.x',
  ),
  number('cost', (cost) => ({ cost }), { min: 1, only: '2.x' }),
]);

/** Of mpls channels, which say how labels are given out: read, since labels are not served. */
const MPLS_CHANNEL_OPTIONS = new OptionTable<Channel>([
  option('domain', (reader) => passName(reader, 'the name of the domain'), '2.x'),
  option('label range', (reader) => passName(reader, 'the name of the range'), '2.x'),
  option(
    'label policy',
    (reader) => {
      reader.choice('', ['static', 'prefix', 'aggregate', 'vrf']);
      return {};
    },
    '2.x',
  ),
]);

function passName(reader: ConfigReader, what: string): Partial<Channel> {
  reader.tokens.expectSymbol(what);
  return {};
}

const IGP_TYPES: readonly NetType[] = ['ipv4', 'ipv6'];

/** In both dialects without words of its own in 1.6: `next hop self` alone. */
function scope(reader: ConfigReader): NextHopScope {
  if (reader.dialect === '1.6') return 'all';
  if (reader.tokens.takeWord('ibgp')) return 'ibgp';
  if (reader.tokens.takeWord('ebgp')) return 'ebgp';
  return reader.toggle() ? 'all' : 'none';
}

function addPaths(reader: ConfigReader): 'off' | 'rx' | 'tx' | 'both' {
  if (reader.tokens.takeWord('rx')) return 'rx';
  if (reader.tokens.takeWord('tx')) return 'tx';
  return reader.toggle() ? 'both' : 'off';
}

/** `N [action warn|block|restart|disable]` or `off`. */
function limit(reader: ConfigReader): Limit | 'off' {
  if (reader.tokens.takeWord('off')) return 'off';
  const routes = reader.number('the limit');
  const action = reader.tokens.takeWord('action') ? reader.choice('an action', LIMIT_ACTIONS) : undefined;
  return { routes, action };
}

/** What follows `import` and `export`; a filter that is named must be defined. */
export function filterUse(reader: ConfigReader): import('../../policy/ast.ts').FilterUse {
  const use = parseFilterUse(reader.tokens);
  if (use.kind === 'named') {
    const { name, span } = use.name;
    if (reader.symbols.get(name)?.kind !== 'filter') {
      reader.diagnostics.error(span, `there is no filter ${name}`, reader.symbols.hint(name, ['filter']));
    }
  } else reader.program.use(use);
  return use;
}

/** What a channel carries is what its table holds. */
export function netTypeOf(name: ChannelName): NetType {
  if (name === 'ipv6 sadr') return name;
  const first = name.split(' ')[0];
  return NET_TYPES.find((type) => type === first) ?? 'ipv4';
}

/** The rows that a channel of this kind of protocol has. */
export function channelTables(bgp: boolean): readonly OptionTable<Channel>[] {
  return bgp ? [CHANNEL_OPTIONS, CHANNEL_DEBUG, BGP_CHANNEL_OPTIONS] : [CHANNEL_OPTIONS, CHANNEL_DEBUG];
}

/** The name of the channel that begins here, its words taken; undefined where none does. */
export function takeChannelName(reader: ConfigReader): { name: ChannelName; span: Span } | undefined {
  const { tokens } = reader;
  if (reader.dialect === '1.6') return undefined;
  const start = tokens.peek();
  if (start.kind !== 'word' || !FIRST_WORDS.has(start.text)) return undefined;
  for (const name of LONGEST_FIRST) {
    if (tokens.takeWords(...name.split(' '))) return { name, span: tokens.spanFrom(start) };
  }
  return undefined;
}

const LONGEST_FIRST = [...CHANNEL_NAMES].sort((a, b) => b.length - a.length);
const FIRST_WORDS: ReadonlySet<string | undefined> = new Set(CHANNEL_NAMES.map((name) => name.split(' ')[0]));

/** What follows a channel's name: `;` or a block. Gives what the channel says in the end. */
export function readChannel(reader: ConfigReader, name: ChannelName, bgp: boolean, before: Channel): Channel {
  if (!reader.tokens.isOp('{')) return before;
  const tables =
    name === 'mpls' ? [CHANNEL_OPTIONS, CHANNEL_DEBUG, MPLS_CHANNEL_OPTIONS] : channelTables(bgp);
  let channel = before;
  readBlock(reader, `in channel ${name}`, () => {
    channel = readChannelOption(reader, tables, name, channel);
  });
  return channel;
}

function readChannelOption(
  reader: ConfigReader,
  tables: readonly OptionTable<Channel>[],
  name: ChannelName,
  channel: Channel,
): Channel {
  const position = reader.tokens.position;
  const row = takeRow(reader, tables);
  if (row === undefined || beginsAnother(reader, row, tables)) {
    reader.tokens.rewind(position);
    throw unknownOption(reader.tokens, {
      where: `in channel ${name}`,
      tables,
      elsewhere: (tokens) =>
        name !== 'mpls' &&
        !tables.includes(BGP_CHANNEL_OPTIONS) &&
        BGP_CHANNEL_OPTIONS.phrases(reader.dialect).some((phrase) => tokens.isWord(phrase.split(' ')[0]!))
          ? 'only channels of BGP have it'
          : undefined,
    });
  }
  const start = reader.tokens.peek();
  const patch = row.read(reader, channel);
  if (patch.table !== undefined) {
    const table = reader.tables.get(patch.table);
    if (table !== undefined && table.type !== netTypeOf(name)) {
      reader.diagnostics.error(
        start,
        `table ${table.name} holds ${table.type}, channel ${name} needs ${netTypeOf(name)}`,
      );
    }
  }
  return { ...channel, ...patch };
}

/** Whether more words follow that only another option has, though not all of its words: `import keep ...`. */
function beginsAnother(
  { tokens, dialect }: ConfigReader,
  row: OptionRow<Channel>,
  tables: readonly OptionTable<Channel>[],
): boolean {
  const next = tokens.peek();
  if (next.kind !== 'word') return false;
  const begin = `${row.words} ${next.text} `;
  return tables.some((table) => table.phrases(dialect).some((phrase) => phrase.startsWith(begin)));
}

/** `import limit` before `import`: the row with most words, over all tables. */
export function takeRow<Options>(
  reader: ConfigReader,
  tables: readonly OptionTable<Options>[],
): OptionRow<Options> | undefined {
  let best: OptionTable<Options> | undefined;
  let most = 0;
  for (const table of tables) {
    const row = table.find(reader.tokens);
    const words = row?.words.split(' ').length ?? 0;
    if (words > most) {
      most = words;
      best = table;
    }
  }
  return best?.take(reader.tokens);
}
