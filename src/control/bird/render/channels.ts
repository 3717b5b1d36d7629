// A channel's lines: state, filters, limits, routes and how often they changed. The same in 2.x and in 1.6 but for
// what goes without saying there; a pipe's has its own words.

import type {
  ChannelStats,
  ChannelView,
  ProtocolState,
  UpdateStats,
} from '../../../speaker/api/protocols.ts';
import { COLUMN, field } from './fields.ts';

const LIMIT_NAMES = { receive: 'Receive limit', import: 'Import limit', export: 'Export limit' } as const;
/** Columns of the numbers. */
const NUMBER = 11;
const LABEL = 25;
const NOT_COUNTED = '---';

export function* channelLines(channel: ChannelView): Iterable<string> {
  const line = (name: string, value: string): string => field(4, name, value, COLUMN.channel);
  yield `  Channel ${channel.name}`;
  yield line('State', channel.state.toUpperCase());
  yield line('Table', channel.table);
  yield line('Preference', `${channel.preference}`);
  yield line('Input filter', channel.importFilter);
  yield line('Output filter', channel.exportFilter);
  for (const limit of channel.limits) {
    yield line(LIMIT_NAMES[limit.kind], `${limit.routes}${limit.reached ? ' [HIT]' : ''}`);
    yield field(6, 'Action', limit.action, COLUMN.channel);
  }
  if (channel.state !== 'down') yield* routeLines(channel, 4);
  if (channel.neighborRestart !== undefined) {
    yield line('Neighbor GR', channel.neighborRestart === 'regular' ? 'Regular' : 'Long-lived');
  }
  if (channel.staleFor !== undefined) yield line('LL stale timer', `${channel.staleFor.toFixed(3)}/-`);
  if (channel.nextHops.length > 0) yield line('BGP Next hop', channel.nextHops.join(' '));
  if (channel.igpTable !== undefined) {
    const version = channel.name.startsWith('ipv6') ? 'IPv6' : 'IPv4';
    yield line(`IGP ${version} table`, channel.igpTable);
  }
}

/** 1.6 */
export function* channelLines1(channel: ChannelView, state: ProtocolState, pipe: boolean): Iterable<string> {
  const line = (name: string, value: string): string => field(2, name, value, COLUMN.channel1);
  yield line('Preference', `${channel.preference}`);
  yield line('Input filter', channel.importFilter);
  yield line('Output filter', channel.exportFilter);
  for (const limit of channel.limits) {
    yield line(LIMIT_NAMES[limit.kind], `${limit.routes}${limit.reached ? ' [HIT]' : ''}`);
    yield field(4, 'Action', limit.action, COLUMN.channel1);
  }
  if (state === 'down') return;
  if (!pipe) yield* routeLines(channel, 2);
  else yield* pipeRouteLines(channel, 2);
}

export function* pipeLines(
  state: ProtocolState,
  pipe: { readonly table: string; readonly peerTable: string },
  channel: ChannelView,
): Iterable<string> {
  const line = (name: string, value: string): string => field(4, name, value, COLUMN.channel);
  yield '  Channel main';
  yield line('Table', pipe.table);
  yield line('Peer table', pipe.peerTable);
  yield line('Import state', state);
  yield line('Export state', state);
  yield line('Import filter', channel.importFilter);
  yield line('Export filter', channel.exportFilter);
  if (state !== 'down') yield* pipeRouteLines(channel, 2);
}

function* routeLines({ routes, stats }: ChannelView, indent: number): Iterable<string> {
  const { imported, filtered, exported, preferred } = routes ?? NO_ROUTES;
  const parts = [
    `${imported} imported`,
    ...(filtered === undefined ? [] : [`${filtered} filtered`]),
    `${exported} exported`,
    ...(preferred === undefined ? [] : [`${preferred} preferred`]),
  ];
  yield field(indent, 'Routes', parts.join(', '), indent + LABEL_OF_ROUTES);
  yield* statsLines(stats ?? NO_STATS, indent, false);
}

const LABEL_OF_ROUTES = 16;

function* pipeRouteLines({ routes, stats }: ChannelView, indent: number): Iterable<string> {
  const { imported, exported } = routes ?? NO_ROUTES;
  yield field(indent, 'Routes', `${imported} imported, ${exported} exported`, indent + LABEL_OF_ROUTES);
  yield* statsLines(stats ?? NO_STATS, indent, true);
}

const NO_ROUTES = { imported: 0, filtered: undefined, exported: 0, preferred: 0 } as const;
const NO_UPDATES: UpdateStats = { received: 0, rejected: 0, filtered: 0, ignored: 0, accepted: 0 };
const NO_STATS: ChannelStats = {
  importUpdates: NO_UPDATES,
  importWithdraws: NO_UPDATES,
  exportUpdates: NO_UPDATES,
  exportWithdraws: NO_UPDATES,
};

const ALL = ['received', 'rejected', 'filtered', 'ignored', 'accepted'] as const;
type Column = (typeof ALL)[number];

/** Which numbers there are, a row. A pipe counts what it ignores on both sides. */
function statsRows(pipe: boolean) {
  const without = (...left: Column[]): ReadonlySet<Column> => {
    return new Set(ALL.filter((column) => !left.includes(column)));
  };
  return [
    ['Import updates', 'importUpdates', without()],
    ['Import withdraws', 'importWithdraws', without('filtered')],
    ['Export updates', 'exportUpdates', pipe ? without() : without('ignored')],
    [
      'Export withdraws',
      'exportWithdraws',
      pipe ? without('filtered') : without('rejected', 'filtered', 'ignored'),
    ],
  ] as const;
}

function* statsLines(stats: ChannelStats, indent: number, pipe: boolean): Iterable<string> {
  const width = LABEL - 4 + indent;
  const heading = ALL.map((column) => column.padStart(NUMBER)).join('');
  yield `${`${' '.repeat(indent)}Route change stats:`.padEnd(width)}${heading}`;
  for (const [name, key, counted] of statsRows(pipe)) {
    const values = ALL.map((column) => (counted.has(column) ? `${stats[key][column]}` : NOT_COUNTED));
    const label = `${' '.repeat(indent + 2)}${name}:`.padEnd(width);
    yield `${label}${values.map((value) => value.padStart(NUMBER)).join('')}`;
  }
}
