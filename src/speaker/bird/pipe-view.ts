// A pipe as BIRD's users see it: two tables, a filter each way, and how many routes went through. Of its channel `import`
// is what comes from the peer table into the table.

import type { ChannelOptions, ProtocolConfig } from '../../config/bird/config.ts';
import { DEFAULT_PIPE_PREFERENCE } from '../../config/bird/defaults.ts';
import { policyFor } from '../../config/policies.ts';
import type { IpVersion } from '../../lib/ip.ts';
import type { PipeCounters, PipeEnd } from '../../rib/pipe-end.ts';
import type { ChannelStats, ChannelView, UpdateStats } from '../api/protocols.ts';
import type { PipeLink } from '../pipes.ts';
import type { Speaker } from '../speaker.ts';
import { type DeclaredProtocol, mainTable, shownTable, versionsOf } from './declared.ts';
import { filterText } from './filter-text.ts';

type PipeProtocol = Extract<ProtocolConfig, { kind: 'pipe' }>;

/** The tables of a pipe as users call them. */
export interface PipeTables {
  readonly table: string;
  readonly peerTable: string;
  readonly versions: readonly IpVersion[];
  readonly opaque: boolean;
}

export function pipeTables({ written: config }: Speaker, declared: DeclaredProtocol): PipeTables | undefined {
  const { written, name, kind } = declared;
  if (written?.kind === 'pipe') {
    const table = channelOf(written)?.table ?? mainTable(config, versionsOf(config)[0] ?? 'ipv4');
    const peerTable = written.options.peerTable ?? '';
    const type = config.bird?.tables.get(peerTable)?.type;
    const versions = versionsOf(config).filter((version) => version === type);
    return { table, peerTable, versions, opaque: written.options.mode === 'opaque' };
  }
  const pipe = kind === 'pipe' ? config.pipes?.find((each) => each.name === name) : undefined;
  if (pipe === undefined) return undefined;
  const version = pipe.families[0] ?? 'ipv4';
  return {
    table: shownTable(config, pipe.table, version),
    peerTable: shownTable(config, pipe.peerTable, version),
    versions: pipe.families,
    opaque: pipe.opaque !== undefined,
  };
}

export function pipeChannelView(
  speaker: Speaker,
  declared: DeclaredProtocol,
  { table }: PipeTables,
  up: boolean,
): ChannelView {
  const { written, name } = declared;
  const options = written?.kind === 'pipe' ? channelOf(written) : undefined;
  const isWritten = written !== undefined;
  const config = speaker.written.pipes?.find((pipe) => pipe.name === name);
  const version = config?.families[0] ?? 'ipv4';
  const links = speaker.pipes.get(name)?.links ?? [];
  return {
    name: 'main',
    table,
    state: up ? 'up' : 'down',
    preference: options?.preference ?? DEFAULT_PIPE_PREFERENCE,
    importFilter: filterText(
      options?.import,
      textOf(config?.import, version, isWritten, 'accept'),
      isWritten,
    ),
    exportFilter: filterText(
      options?.export,
      textOf(config?.export, version, isWritten, 'reject'),
      isWritten,
    ),
    limits: [],
    routes: up ? routesOf(links) : undefined,
    stats: up ? statsOf(links) : undefined,
    nextHops: [],
    igpTable: undefined,
    neighborRestart: undefined,
    staleFor: undefined,
  };
}

/** What a pipe says of import and export, whichever channel the reader has put it into. */
function channelOf(written: PipeProtocol): ChannelOptions | undefined {
  for (const options of written.channels.values()) return options;
  return undefined;
}

function textOf(
  policy: Parameters<typeof policyFor>[0] | undefined,
  version: IpVersion,
  isWritten: boolean,
  fallback: 'accept' | 'reject',
): ReturnType<typeof policyFor> {
  return isWritten || policy === undefined ? fallback : policyFor(policy, version);
}

function routesOf(links: readonly PipeLink[]): ChannelView['routes'] {
  const sum = (count: (link: PipeLink) => number): number =>
    links.reduce((total, link) => total + count(link), 0);
  return {
    imported: sum((link) => link.in.routes),
    filtered: undefined,
    exported: sum(({ out }) => out.routes),
    preferred: undefined,
  };
}

function statsOf(links: readonly PipeLink[]): ChannelStats {
  const ins = links.map((link) => link.in);
  const outs = links.map(({ out }) => out);
  return {
    importUpdates: updatesOf(ins),
    importWithdraws: withdrawsOf(ins),
    exportUpdates: updatesOf(outs),
    exportWithdraws: withdrawsOf(outs),
  };
}

function total(ends: readonly PipeEnd[], key: keyof PipeCounters): number {
  return ends.reduce((sum, { counters }) => sum + counters[key], 0);
}

function updatesOf(ends: readonly PipeEnd[]): UpdateStats {
  return {
    received: total(ends, 'received'),
    rejected: total(ends, 'looped'),
    filtered: total(ends, 'filtered'),
    ignored: total(ends, 'unchanged'),
    accepted: total(ends, 'accepted'),
  };
}

function withdrawsOf(ends: readonly PipeEnd[]): UpdateStats {
  const withdrawn = total(ends, 'withdrawn');
  return { received: withdrawn, rejected: 0, filtered: 0, ignored: 0, accepted: withdrawn };
}
