// Which protocols there are, under which names. In BIRD's language the configuration says so; in the native one the
// parts of the configuration stand for protocols, with the names that BIRD would give them.

import type { BirdConfig, ChannelOptions, ProtocolConfig } from '../../config/bird/config.ts';
import { type Config, kernelLearns, type TableConfig, type TableNames } from '../../config/model.ts';
import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import type { ProtocolKind } from '../api/protocols.ts';
import { traitsOf } from './traits.ts';

export interface DeclaredProtocol {
  readonly name: string;
  readonly kind: ProtocolKind;
  readonly description: string | undefined;
  /** The configuration has it switched off. */
  readonly disabled: boolean;
  /** As it was written; undefined in the native language. */
  readonly written: ProtocolConfig | undefined;
  /** For a range: its name in the model. */
  readonly range: string | undefined;
  /** In the native language: the further table that it stands for. */
  readonly table?: string;
}

/** In the order of the configuration. */
export function declaredProtocols(config: Config): DeclaredProtocol[] {
  return config.bird === undefined ? nativeProtocols(config) : config.bird.protocols.map(asDeclared);
}

function asDeclared(written: ProtocolConfig): DeclaredProtocol {
  return {
    name: written.name,
    kind: written.kind,
    description: written.common.description,
    disabled: written.common.disabled === true,
    written,
    range: written.kind === 'bgp' && written.options.peerRange !== undefined ? written.name : undefined,
  };
}

function nativeProtocols(config: Config): DeclaredProtocol[] {
  const { peers, dynamicPeers, rpki = [], bmp = [], tables = [], pipes = [] } = config;
  const plain = (name: string, kind: ProtocolKind): DeclaredProtocol => {
    return { name, kind, description: undefined, disabled: false, written: undefined, range: undefined };
  };
  return [
    plain('device1', 'device'),
    ...originKinds(config).map((kind) => plain(`${kind}1`, kind)),
    ...rpki.map(({ name, enabled }) => ({ ...plain(name, 'rpki'), disabled: !enabled })),
    ...bmp.map(({ name, enabled }) => ({ ...plain(name, 'bmp'), disabled: !enabled })),
    ...peers.map((peer) => ({
      ...plain(peer.name, 'bgp'),
      description: peer.description,
      disabled: !peer.enabled,
    })),
    ...dynamicPeers.map((range) => ({
      ...plain(range.name, 'bgp'),
      description: range.description,
      range: range.name,
    })),
    ...tables.flatMap((table) =>
      originKinds(table).map((kind) => ({ ...plain(`${kind}_${table.name}`, kind), table: table.name })),
    ),
    ...pipes.map(({ name }) => plain(name, 'pipe')),
  ];
}

const ORIGIN_KINDS = ['direct', 'kernel', 'static'] as const;
type OriginKind = (typeof ORIGIN_KINDS)[number];

/** What brings routes into a table, beside peers and pipes. */
function originKinds({
  kernel,
  redistribute,
  networks,
}: Pick<TableConfig, 'kernel' | 'redistribute' | 'networks'>): readonly OriginKind[] {
  const learns = kernelLearns(kernel) || redistribute.some((each) => each !== 'connected');
  const used: Readonly<Record<OriginKind, boolean>> = {
    direct: redistribute.includes('connected'),
    kernel: kernel.install || learns,
    static: networks.length > 0,
  };
  return ORIGIN_KINDS.filter((kind) => used[kind]);
}

/** The names of the unicast tables: what routes without another word are in. */
export function mainTable(config: Config, version: IpVersion): string {
  const { bird } = config;
  if (!traitsOf(config).hasChannels) return 'master';
  return bird === undefined
    ? `master${version.slice(3)}`
    : (firstTable(bird, version) ?? `master${version.slice(3)}`);
}

function firstTable(bird: BirdConfig, type: string): string | undefined {
  for (const table of bird.tables.values()) if (table.type === type) return table.name;
  return undefined;
}

/** The table of a channel: its own, or the first of its type. */
export function channelTable(
  config: Config,
  channel: string,
  options: ChannelOptions | undefined,
  named?: TableNames,
): string {
  if (options?.table !== undefined) return options.table;
  const own = channel === 'ipv4' || channel === 'ipv6' ? named?.[channel] : undefined;
  if (own) return own;
  if (channel === 'ipv4' || channel === 'ipv6') return mainTable(config, channel);
  return (config.bird === undefined ? undefined : firstTable(config.bird, channel)) ?? channel;
}

/** IP versions that a configuration speaks. */
export function versionsOf({ bird }: Config): readonly IpVersion[] {
  return bird?.family === undefined ? IP_VERSIONS : [bird.family];
}

/** The unicast channels of a protocol that is written in BIRD's language; 1.6 has its daemon's in any case. */
export function unicastChannels(
  written: ProtocolConfig,
  { bird }: Config,
): Map<IpVersion, ChannelOptions | undefined> {
  const found = new Map<IpVersion, ChannelOptions | undefined>();
  for (const version of IP_VERSIONS) {
    const options = written.channels.get(version);
    if (options !== undefined || bird?.family === version) found.set(version, options);
  }
  return found;
}

/** Which protocol a table's route of a kind is of: the first of the kind with a channel of its version there. */
export function ownerOf(
  protocols: readonly DeclaredProtocol[],
  kind: OriginKind,
  version: IpVersion,
  config: Config,
  table: string,
): string {
  const candidates = protocols.filter((protocol) => protocol.kind === kind);
  const fitting = candidates.find((each) => tablesOfProtocol(each, config).get(version) === table);
  return (fitting ?? candidates[0])?.name ?? `${kind}1`;
}

/** The unicast tables of a protocol that is neither a peer nor a pipe, by name. */
export function tablesOfProtocol(
  { written, table }: DeclaredProtocol,
  config: Config,
): ReadonlyMap<IpVersion, string> {
  const versions: Iterable<readonly [IpVersion, ChannelOptions | undefined]> =
    written === undefined
      ? versionsOf(config).map((version) => [version, undefined] as const)
      : unicastChannels(written, config);
  const found = new Map<IpVersion, string>();
  for (const [version, options] of versions) {
    found.set(version, table ?? channelTable(config, version, options));
  }
  return found;
}

/** What users call a table of the model. */
export function shownTable(config: Config, name: string, version: IpVersion): string {
  return name === '' ? mainTable(config, version) : name;
}
