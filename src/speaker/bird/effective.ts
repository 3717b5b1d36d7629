// A configuration less the protocols that an operator has switched off. Peers are not taken out: their own machines
// know that they are off.

import type { Config, KernelConfig } from '../../config/model.ts';
import { type DeclaredProtocol, declaredProtocols, staticOwners } from './declared.ts';

export function effectiveConfig(config: Config, off: ReadonlySet<string>): Config {
  if (off.size === 0) return config;
  const protocols = declaredProtocols(config);
  const gone = (kind: DeclaredProtocol['kind']): boolean => {
    const all = protocols.filter((protocol) => protocol.kind === kind && !protocol.disabled);
    return all.length > 0 && all.every(({ name }) => off.has(name));
  };
  const noKernel = gone('kernel');
  const noDirect = gone('direct');
  const ranges = new Set(protocols.filter(({ name }) => off.has(name)).map(({ range }) => range));
  return {
    ...config,
    kernel: noKernel ? withoutKernel(config.kernel) : config.kernel,
    redistribute: config.redistribute.filter((source) => !(source === 'connected' ? noDirect : noKernel)),
    networks: remainingNetworks(config, off),
    dynamicPeers: config.dynamicPeers.filter(({ name }) => !ranges.has(name)),
  };
}

function withoutKernel(kernel: KernelConfig): KernelConfig {
  return { ...kernel, install: false, learn: [] };
}

function remainingNetworks(config: Config, off: ReadonlySet<string>): Config['networks'] {
  const owners = staticOwners(config);
  return config.networks.filter(({ prefix }) => !off.has(owners.get(prefix) ?? 'static1'));
}
