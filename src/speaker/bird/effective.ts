// A configuration less the protocols that an operator has switched off. Peers are not taken out: their own machines
// know that they are off.

import type { Config, DirectConfig, KernelConfig, TableConfig } from '../../config/model.ts';
import { IP_VERSIONS, type IpVersion } from '../../lib/ip.ts';
import { type DeclaredProtocol, declaredProtocols, shownTable, tablesOfProtocol } from './declared.ts';

type Sections = Pick<TableConfig, 'name' | 'kernel' | 'networks' | 'redistribute'>;

export function effectiveConfig(config: Config, off: ReadonlySet<string>): Config {
  if (off.size === 0) return config;
  const protocols = declaredProtocols(config);
  const ranges = new Set(protocols.filter(({ name }) => off.has(name)).map(({ range }) => range));
  const remaining = <T extends Sections>(table: T): T => {
    const attached = protocols.filter((protocol) => isAttached(protocol, table.name, config));
    return { ...table, ...remainingSections(table, attached, off) };
  };
  const { name: _none, ...main } = remaining({ ...config, name: '' });
  return {
    ...main,
    ...(config.tables !== undefined && { tables: config.tables.map(remaining) }),
    ...(config.pipes !== undefined && { pipes: config.pipes.filter(({ name }) => !off.has(name)) }),
    ...(config.rpki !== undefined && { rpki: config.rpki.filter(({ name }) => !off.has(name)) }),
    ...(config.bmp !== undefined && { bmp: config.bmp.filter(({ name }) => !off.has(name)) }),
    ...(config.mrt !== undefined && { mrt: config.mrt.filter(({ name }) => !off.has(name)) }),
    dynamicPeers: config.dynamicPeers.filter(({ name }) => !ranges.has(name)),
  };
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
    const all = protocols.filter((protocol) => protocol.kind === kind && !protocol.disabled);
    return all.length > 0 && all.every(({ name }) => off.has(name));
  };
  const noKernel = gone('kernel');
  const lost = IP_VERSIONS.filter((version) =>
    protocols.some(({ name, written }) => {
      return written?.kind === 'kernel' && off.has(name) && written.channels.has(version);
    }),
  );
  const noDirect = gone('direct');
  const unnamed = table === '' ? 'static1' : `static_${table}`;
  return {
    kernel: withoutDirects(noKernel ? withoutKernel(kernel) : withoutFamilies(kernel, lost), off),
    redistribute: redistribute.filter((source) => !(source === 'connected' ? noDirect : noKernel)),
    networks: networks.filter(({ protocol }) => !off.has(protocol ?? unnamed)),
  };
}

function withoutDirects(kernel: KernelConfig, off: ReadonlySet<string>): KernelConfig {
  const { direct } = kernel;
  if (direct === undefined) return kernel;
  const isOn = ({ as }: DirectConfig) => !Object.values(as).some(({ protocol }) => off.has(protocol));
  return { ...kernel, direct: direct.filter(isOn) };
}

function withoutKernel(kernel: KernelConfig): KernelConfig {
  return withoutFamilies({ ...kernel, install: false, learn: [] }, IP_VERSIONS);
}

/** Neither written nor learned. */
function withoutFamilies(kernel: KernelConfig, lost: readonly IpVersion[]): KernelConfig {
  const families = (kernel.families ?? IP_VERSIONS).filter((version) => !lost.includes(version));
  const silent = lost.map((version) => [version, { ...kernel[version], learn: [] }] as const);
  return { ...kernel, ...(lost.length > 0 && { families }), ...Object.fromEntries(silent) };
}
