// A configuration with the protocols that an operator has switched on and off. One in BIRD's language is read as if it
// said so itself; from a native one is taken out what is off. Peers stay as they are: their own machines know that they
// are off.

import type {
  Config,
  DynamicPeersConfig,
  KernelConfig,
  SwitchedSections,
  TableConfig,
} from '../../config/model.ts';
import { IP_VERSIONS } from '../../lib/ip.ts';
import { type DeclaredProtocol, declaredProtocols, shownTable, tablesOfProtocol } from './declared.ts';

type Sections = Pick<TableConfig, 'name' | 'kernel' | 'networks' | 'redistribute'>;

/** `switched`: by name, true for on. */
export function effectiveConfig(config: Config, switched: ReadonlyMap<string, boolean>): Config {
  if (switched.size === 0) return config;
  const dynamicPeers = asSwitchedRanges(config, switched);
  if (config.switched !== undefined) {
    return { ...config, ...tracking(config.switched(switched), config), dynamicPeers };
  }
  const off = new Set([...switched.keys()].filter((name) => switched.get(name) === false));
  const protocols = declaredProtocols(config);
  const remaining = <T extends Sections>(table: T): T => {
    const attached = protocols.filter((protocol) => isAttached(protocol, table.name, config));
    return { ...table, ...remainingSections(table, attached, off) };
  };
  const asSwitched = <T extends { name: string; enabled: boolean }>(each: T): T => {
    return { ...each, enabled: switched.get(each.name) ?? each.enabled };
  };
  const { name: _none, ...main } = remaining({ ...config, name: '' });
  return {
    ...main,
    ...(config.tables !== undefined && { tables: config.tables.map(remaining) }),
    ...(config.pipes !== undefined && { pipes: config.pipes.filter(({ name }) => !off.has(name)) }),
    ...(config.rpki !== undefined && { rpki: config.rpki.map(asSwitched) }),
    ...(config.bmp !== undefined && { bmp: config.bmp.map(asSwitched) }),
    ...(config.mrt !== undefined && { mrt: config.mrt.filter(({ name }) => !off.has(name)) }),
    dynamicPeers,
  };
}

/** As BIRD does it: whoever is there of a range that is switched off stays. */
function asSwitchedRanges(
  { dynamicPeers }: Config,
  switched: ReadonlyMap<string, boolean>,
): readonly DynamicPeersConfig[] {
  return dynamicPeers.map((range) => {
    const on = switched.get(range.name);
    if (on === undefined) return range;
    return on ? { ...range, enabled: true } : { ...range, closed: true };
  });
}

/** Next hops are followed on: a kernel protocol that restarts makes no unreachable route usable. */
function tracking(sections: SwitchedSections, written: Config): SwitchedSections {
  const followed = (kernel: KernelConfig, before: KernelConfig | undefined): KernelConfig => {
    return { ...kernel, nextHopTracking: kernel.nextHopTracking || before?.nextHopTracking === true };
  };
  const tables = sections.tables.map((table) => {
    const before = written.tables?.find(({ name }) => name === table.name);
    return { ...table, kernel: followed(table.kernel, before?.kernel) };
  });
  return { ...sections, kernel: followed(sections.kernel, written.kernel), tables };
}

function isAttached(protocol: DeclaredProtocol, table: string, config: Config): boolean {
  for (const [version, name] of tablesOfProtocol(protocol, config)) {
    if (name === shownTable(config, table, version)) return true;
  }
  return false;
}

function remainingSections(
  { kernel, networks, redistribute, name: table }: Sections,
  protocols: readonly DeclaredProtocol[],
  off: ReadonlySet<string>,
): Omit<Sections, 'name'> {
  const gone = (kind: DeclaredProtocol['kind']): boolean => {
    const all = protocols.filter((protocol) => protocol.kind === kind);
    return all.length > 0 && all.every(({ name }) => off.has(name));
  };
  const noKernel = gone('kernel');
  const noDirect = gone('direct');
  const unnamed = table === '' ? 'static1' : `static_${table}`;
  return {
    kernel: noKernel ? withoutKernel(kernel) : kernel,
    redistribute: redistribute.filter((source) => !(source === 'connected' ? noDirect : noKernel)),
    networks: networks.filter(({ protocol }) => !off.has(protocol ?? unnamed)),
  };
}

/** Neither written nor learned. */
function withoutKernel(kernel: KernelConfig): KernelConfig {
  const silent = IP_VERSIONS.map((version) => [version, { ...kernel[version], learn: [] }] as const);
  return { ...kernel, install: false, learn: [], families: [], ...Object.fromEntries(silent) };
}
