// Routing tables beside the main ones, what is attached to each, and pipes. A table of the model is what its name says
// of a family; the main tables of both families are one there, without a name.

import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import {
  type KernelConfig,
  kernelOfFamily,
  type MrtConfig,
  type PipeConfig,
  type TableConfig,
  type TableNames,
} from '../model.ts';
import { type BirdConfig, type ChannelOptions, type ProtocolConfig, withProtocols } from './config.ts';
import { DEFAULT_PIPE_PREFERENCE } from './defaults.ts';
import { modelTable } from './model-table.ts';
import { kernelOf, redistributed } from './to-model-kernel.ts';
import { filterPolicy, localPolicies } from './to-model-policy.ts';
import { networksOf } from './to-model-static.ts';
import type { Unsaid } from './unsaid.ts';

/** Kinds that are sections of a table in the model. */
const SECTION_KINDS: ReadonlySet<ProtocolConfig['kind']> = new Set(['kernel', 'direct', 'static']);

/** Unicast tables that are not the first of their family. */
export function furtherTables(config: BirdConfig): { readonly name: string; readonly version: IpVersion }[] {
  return [...config.tables.values()].flatMap(({ name, type }) => {
    const version = IP_VERSIONS.find((each) => each === type);
    return version === undefined || modelTable(config, name) === '' ? [] : [{ name, version }];
  });
}

/** The configuration with only those kernel, direct and static protocols, and channels, that a table has. */
export function attachedTo(config: BirdConfig, table: string): BirdConfig {
  const protocols = config.protocols.flatMap((protocol): ProtocolConfig[] => {
    if (!SECTION_KINDS.has(protocol.kind)) return [protocol];
    const channels = new Map(
      [...protocol.channels].filter(([, channel]) => tableOf(config, channel) === table),
    );
    const attached = channels.size > 0 || (protocol.channels.size === 0 && table === '');
    return attached ? [{ ...protocol, channels }] : [];
  });
  return withProtocols(config, protocols);
}

function tableOf(config: BirdConfig, { table }: ChannelOptions): string {
  return table === undefined ? '' : modelTable(config, table);
}

/** The tables of a BGP protocol's channels; undefined where all are the main ones. */
export function tableNames(
  config: BirdConfig,
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
): TableNames | undefined {
  return namesOf([...channels].map(([version, channel]) => [version, tableOf(config, channel)]));
}

/** The tables that its next hops are looked up in, as far as it names them; of several the first of its family. */
export function igpTableNames(
  config: BirdConfig,
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
): TableNames | undefined {
  const entries = [...channels].flatMap(([version, { igpTables = [] }]): [IpVersion, string][] => {
    const own = igpTables.find((name) => config.tables.get(name)?.type === version);
    return own === undefined ? [] : [[version, modelTable(config, own)]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function namesOf(entries: readonly [IpVersion, string][]): TableNames | undefined {
  const further = entries.filter(([, name]) => name !== '');
  return further.length === 0 ? undefined : Object.fromEntries(further);
}

/** Where next hops are followed in the main table (`main`), they are in these, too. */
export function tablesOf(
  config: BirdConfig,
  program: PolicyProgram,
  main: KernelConfig,
  unsaid: Unsaid,
): readonly TableConfig[] {
  const tables = furtherTables(config).map(({ name, version }) => {
    const own = attachedTo(config, name);
    const policies = localPolicies(own, program);
    const kernel = kernelOf(own, policies, unsaid);
    return {
      name,
      families: [version],
      kernel: { ...kernel, nextHopTracking: kernel.nextHopTracking || main.nextHopTracking },
      networks: networksOf(own, program, unsaid),
      redistribute: redistributed(own, kernel),
      localPolicies: policies,
    };
  });
  warnOfShared(config, main, tables, unsaid);
  return tables;
}

/** Of one family: another family's routes are others, whatever table they are in. */
function warnOfShared(
  config: BirdConfig,
  main: KernelConfig,
  tables: readonly TableConfig[],
  unsaid: Unsaid,
): void {
  const placeOf = (kernel: KernelConfig, version: IpVersion) =>
    `${kernelOfFamily(kernel, version).table} ${version}`;
  const taken = new Set(
    (main.install ? (main.families ?? IP_VERSIONS) : []).map((version) => placeOf(main, version)),
  );
  for (const { name, kernel } of tables) {
    if (!kernel.install) continue;
    for (const version of kernel.families ?? IP_VERSIONS) {
      const place = placeOf(kernel, version);
      const span = config.tables.get(name)?.span;
      if (taken.has(place) && span !== undefined) {
        const sentence = `kernel table ${kernelOfFamily(kernel, version).table} is written from several tables, which remove each other's routes`;
        unsaid.say(sentence, span, name, 'give each kernel protocol its own kernel table');
      }
      taken.add(place);
    }
  }
}

export function pipesOf(config: BirdConfig, program: PolicyProgram, unsaid: Unsaid): readonly PipeConfig[] {
  return config.protocols.flatMap((protocol): PipeConfig[] => {
    if (protocol.kind !== 'pipe' || protocol.common.disabled === true) return [];
    const { name, span, options } = protocol;
    const channel = [...protocol.channels.values()][0] ?? { span };
    const { peerTable = '' } = options;
    const table = channel.table ?? [...config.tables.keys()][0] ?? '';
    const type = config.tables.get(peerTable)?.type;
    const version = IP_VERSIONS.find((each) => each === type);
    if (version === undefined) {
      unsaid.add(`a pipe between ${type} tables`, span, name);
      return [];
    }
    if (options.maxGeneration !== undefined) unsaid.add('max generation', span, name);
    const { span: at, table: _named, import: _in, export: _out, preference: _kept, ...others } = channel;
    unsaid.addOptions(others, NOTHING, () => at, name);
    return [
      {
        name,
        families: [version],
        table: modelTable(config, table),
        peerTable: modelTable(config, peerTable),
        import: filterPolicy(channel.import, 'import', program),
        export: filterPolicy(channel.export, 'export', program),
        ...(options.mode === 'opaque' && {
          opaque: { preference: channel.preference ?? DEFAULT_PIPE_PREFERENCE },
        }),
      },
    ];
  });
}

/** Dumps into files. */
export function mrtOf(config: BirdConfig, program: PolicyProgram): readonly MrtConfig[] {
  return config.protocols.flatMap((protocol): MrtConfig[] => {
    if (protocol.kind !== 'mrt' || protocol.common.disabled === true) return [];
    const { table = '', filename, period = 0, filter, alwaysAddPath = false } = protocol.options;
    // Nothing else is written: the dumps of messages.
    if (filename === undefined || period === 0) return [];
    const policy = filterPolicy(filter, 'import', program);
    const main = [...config.tables.keys()][0] ?? '';
    return [{ name: protocol.name, table: table || main, filename, period, policy, addPath: alwaysAddPath }];
  });
}

const NOTHING: ReadonlySet<string> = new Set();
