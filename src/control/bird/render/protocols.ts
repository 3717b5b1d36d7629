// `show protocols`: the table, and with `all` what each protocol has to say: its channels, and for BGP the session.
// bird1 has one table a protocol and no channels, so that a channel's lines stand in the protocol's own place.

import type { ChannelView, ProtocolView } from '../../../speaker/api/protocols.ts';
import { CODE, type Line, line } from '../reply.ts';
import type { Style } from '../style.ts';
import { bgpInfo, bgpLines } from './bgp.ts';
import { channelLines, channelLines1, pipeLines } from './channels.ts';
import { COLUMN, field, timer } from './fields.ts';
import { size } from './memory.ts';
import type { TimeWriter } from './times.ts';

const KIND_NAMES: Readonly<Record<ProtocolView['kind'], string>> = {
  bgp: 'BGP',
  kernel: 'Kernel',
  device: 'Device',
  direct: 'Direct',
  static: 'Static',
  pipe: 'Pipe',
  bfd: 'BFD',
  mrt: 'MRT',
  bmp: 'BMP',
  rpki: 'RPKI',
};

/** Kinds whose table stands in the list in 2.x: those with a channel of which there is one. */
const SHOWS_TABLE: ReadonlySet<ProtocolView['kind']> = new Set(['kernel', 'static']);

const NO_TABLE = '---';
/** The one table that every protocol of 1.6 belongs to. */
const MASTER = 'master';

export function* protocolReply(
  protocols: readonly ProtocolView[],
  options: { readonly style: Style; readonly details: boolean; readonly times: TimeWriter },
): Iterable<Line> {
  const { style, details, times } = options;
  if (style !== 'json') yield line(CODE.protocolHeading, heading(style));
  for (const protocol of protocols) {
    if (style === 'json') {
      yield line(CODE.protocol, JSON.stringify(protocol));
      continue;
    }
    yield line(CODE.protocol, row(protocol, style, times));
    if (!details) continue;
    for (const text of style === 'bird1' ? details1(protocol) : details2(protocol)) {
      yield line(CODE.protocolDetails, text);
    }
    yield line(CODE.protocolDetails, '');
  }
  yield line(CODE.ok, '');
}

function heading(style: Style): string {
  if (style === 'bird1') return 'name     proto    table    state  since       info';
  return 'Name       Proto      Table      State  Since         Info';
}

function row(protocol: ProtocolView, style: Style, times: TimeWriter): string {
  const { name, kind, state, since } = protocol;
  const info = infoOf(protocol, style);
  const time = times.write('protocol', since);
  if (style === 'bird1') {
    const table = protocol.channels[0]?.table ?? protocol.pipe?.table ?? MASTER;
    return `${name.padEnd(8)} ${KIND_NAMES[kind].padEnd(8)} ${table.padEnd(8)} ${state.padEnd(5)}  ${time.padEnd(10)}  ${info}`;
  }
  const table = SHOWS_TABLE.has(kind) ? (protocol.channels[0]?.table ?? NO_TABLE) : NO_TABLE;
  return `${name.padEnd(10)} ${KIND_NAMES[kind].padEnd(10)} ${table.padEnd(10)} ${state.padEnd(6)} ${time.padEnd(12)}  ${info}`;
}

function infoOf(protocol: ProtocolView, style: Style): string {
  const { bgp, pipe, rpki, bmp } = protocol;
  if (bgp !== undefined) return bgpInfo(bgp, protocol.state);
  if (rpki !== undefined) return rpki.status;
  if (bmp !== undefined) return bmpInfo(bmp);
  if (pipe === undefined) return '';
  return style === 'bird1'
    ? `${pipe.opaque === true ? '->' : '=>'} ${pipe.peerTable}`
    : `${pipe.table} <=> ${pipe.peerTable}`;
}

function* details2(protocol: ProtocolView): Iterable<string> {
  const { description, message, bgp, pipe, rpki, bmp, channels } = protocol;
  if (description !== undefined) yield field(2, 'Description', description, COLUMN.protocol);
  if (message !== undefined) yield field(2, 'Message', message, COLUMN.protocol);
  if (bgp !== undefined) yield* bgpLines(protocol, bgp, '2.x');
  if (rpki !== undefined) yield* rpkiLines(rpki);
  if (bmp !== undefined && protocol.state !== 'down') yield* bmpLines(bmp);
  const [channel] = channels;
  if (pipe !== undefined && channel !== undefined) yield* pipeLines(protocol.state, pipe, channel);
  else for (const each of channels) yield* channelLines(each);
}

function* details1(protocol: ProtocolView): Iterable<string> {
  const { kind, description, message, bgp, channels, pipe } = protocol;
  if (description !== undefined) yield field(2, 'Description', description, COLUMN.protocol);
  if (message !== undefined) yield field(2, 'Message', message, COLUMN.protocol);
  const preference = kind === 'device' ? EMPTY_CHANNEL.preference : 0;
  const channel = channels[0] ?? { ...EMPTY_CHANNEL, preference };
  yield* channelLines1(channel, protocol.state, pipe !== undefined);
  if (bgp !== undefined) yield* bgpLines(protocol, bgp, '1.6');
}

/** A protocol without routes has all the lines of one that has some. */
const EMPTY_CHANNEL: ChannelView = {
  name: '',
  table: MASTER,
  state: 'up',
  preference: 240,
  importFilter: 'ACCEPT',
  exportFilter: 'REJECT',
  limits: [],
  routes: { imported: 0, filtered: undefined, exported: 0, preferred: 0 },
  stats: undefined,
  nextHops: [],
  igpTable: undefined,
  neighborRestart: undefined,
  staleFor: undefined,
};

/** Octets of a BMP session, right-aligned; below so many without a fraction. */
const BMP_OCTETS = 10;
const WHOLE_OCTETS = 10_000;
/** Its state where an error follows. */
const BMP_STATUS = 14;

/** The state, and behind it what went wrong. */
function bmpInfo({ status, lastError }: NonNullable<ProtocolView['bmp']>): string {
  return lastError === undefined ? status : `${status.padEnd(BMP_STATUS)}Error: ${lastError}`;
}

function* bmpLines(bmp: NonNullable<ProtocolView['bmp']>): Iterable<string> {
  const octets = (count: number): string => size(count, count < WHOLE_OCTETS ? 0 : 1).padStart(BMP_OCTETS);
  yield field(2, 'Station address', bmp.address, COLUMN.bgp);
  yield field(2, 'Station port', `${bmp.port}`, COLUMN.bgp);
  if (bmp.lastError !== undefined) yield field(2, 'Last error', bmp.lastError, COLUMN.bgp);
  yield field(2, 'Pending TX', `${octets(bmp.pending)} (limit ${size(bmp.limit, 1)})`, COLUMN.bgp);
  yield field(2, 'Session TX', octets(bmp.sessionSent), COLUMN.bgp);
  yield field(2, 'Total TX', octets(bmp.totalSent), COLUMN.bgp);
}

function* rpkiLines(rpki: NonNullable<ProtocolView['rpki']>): Iterable<string> {
  const orNone = (value: number | string | undefined): string => (value === undefined ? '---' : `${value}`);
  yield field(2, 'Cache server', rpki.server, COLUMN.rpki);
  yield field(2, 'Cache port', `${rpki.port}`, COLUMN.rpki);
  yield field(2, 'Status', rpki.status, COLUMN.rpki);
  yield field(2, 'Transport', rpki.transport, COLUMN.rpki);
  yield field(2, 'Protocol version', `${rpki.version}`, COLUMN.rpki);
  yield field(2, 'Session ID', orNone(rpki.sessionId), COLUMN.rpki);
  yield field(2, 'Serial number', orNone(rpki.serial), COLUMN.rpki);
  const { lastUpdate } = rpki;
  const updated = lastUpdate === undefined ? undefined : `before ${lastUpdate.toFixed(3)} s`;
  yield field(2, 'Last update', orNone(updated), COLUMN.rpki);
  for (const [name, value] of [
    ['Refresh', rpki.refreshTimer],
    ['Retry', rpki.retryTimer],
    ['Expire', rpki.expireTimer],
  ] as const) {
    yield `  ${`${name} timer`.padEnd(16)}: ${value === undefined ? '---' : timer(value, '2.x')}`;
  }
}
