// What the names of a configuration stand for, and its static routes as they are written.

import type { ProtocolConfig } from '../../config/bird/config.ts';
import type { StaticRoute } from '../../config/bird/protocol-options.ts';
import type { Config, NetworkConfig } from '../../config/model.ts';
import { RPKI_TABLES } from '../../config/rpki.ts';
import type { StaticRouteView, SymbolKind, SymbolView, TableView } from '../api/tables.ts';
import { mainTable, versionsOf } from './declared.ts';
import { roaText } from './roas.ts';

export function tablesOf(config: Config): TableView[] {
  const { bird } = config;
  if (bird !== undefined) return [...bird.tables.values()].map(({ name, type }) => ({ name, type }));
  return [
    ...versionsOf(config).map((version) => ({ name: mainTable(config, version), type: version })),
    ...(config.rpki === undefined ? [] : RPKI_VIEWS),
    ...(config.tables ?? []).flatMap(({ name, families }) => families.map((type) => ({ name, type }))),
  ];
}

/** Where caches of a native configuration put what they say. */
const RPKI_VIEWS: readonly TableView[] = [
  { name: RPKI_TABLES.roa, type: 'roa4' },
  { name: RPKI_TABLES.roa, type: 'roa6' },
  { name: RPKI_TABLES.aspa, type: 'aspa' },
];

const DEFINITION_KINDS = {
  function: 'function',
  filter: 'filter',
  define: 'constant',
  attribute: 'custom attribute',
} as const;

/** `protocols`: names of all that run, the peers of ranges among them. */
export function symbolsOf(config: Config, protocols: Iterable<string>): SymbolView[] {
  const symbols = new Map<string, SymbolKind>();
  const { bird } = config;
  for (const { name, type } of tablesOf(config)) {
    const is16 = bird?.dialect === '1.6';
    symbols.set(name, is16 && type.startsWith('roa') ? 'ROA table' : 'routing table');
  }
  for (const definition of bird?.definitions ?? []) {
    const { name } = definition;
    if (name !== undefined) symbols.set(name.name, DEFINITION_KINDS[definition.kind]);
  }
  for (const { name } of bird?.templates ?? []) symbols.set(name, 'protocol template');
  for (const name of protocols) symbols.set(name, 'protocol');
  return [...symbols].map(([name, kind]) => ({ name, kind }));
}

export function staticRoutesOf(config: Config, isDormant: (address: string) => boolean): StaticRouteView[] {
  if (config.bird === undefined) return config.networks.map((network) => nativeStatic(network, isDormant));
  return config.bird.protocols.flatMap((protocol) => {
    return protocol.kind === 'static' ? writtenStatics(protocol, isDormant) : [];
  });
}

const PLAIN = { blackhole: 'blackhole', unreachable: 'unreachable', prohibit: 'prohibited' } as const;

function nativeStatic(network: NetworkConfig, isDormant: (address: string) => boolean): StaticRouteView {
  const { prefix: net, type, via } = network;
  const protocol = 'static1';
  if (type === 'via') {
    const hops = via.map((address) => ({ address, interface: undefined, weight: undefined }));
    return { protocol, net, target: 'via', via: hops, dormant: via.every(isDormant) };
  }
  // A network that is only announced leads nowhere from here.
  const target = type === 'none' ? 'unreachable' : PLAIN[type];
  return { protocol, net, target, via: [], dormant: false };
}

type StaticProtocol = Extract<ProtocolConfig, { kind: 'static' }>;

function writtenStatics(
  { name, options }: StaticProtocol,
  isDormant: (address: string) => boolean,
): StaticRouteView[] {
  return options.routes.flatMap((route) => writtenStatic(name, route, isDormant) ?? []);
}

function writtenStatic(
  protocol: string,
  { net, target }: StaticRoute,
  isDormant: (address: string) => boolean,
): StaticRouteView | undefined {
  const base = { protocol, net: net.text, via: [], dormant: false };
  switch (target.kind) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { ...base, target: PLAIN[target.kind] };
    case 'recursive': {
      const { address } = target;
      const via = [{ address, interface: undefined, weight: undefined }];
      return { ...base, target: 'recursive', via, dormant: isDormant(address) };
    }
    case 'via': {
      const via = target.hops.map((hop) => {
        return { address: hop.address, interface: hop.interface, weight: hop.weight };
      });
      const dormant = via.every(({ address }) => address !== undefined && isDormant(address));
      return { ...base, target: 'via', via, dormant };
    }
    case 'roa': {
      const { maxLength, asn } = target;
      const text = roaText({ table: '', prefix: net.text, maxLength, asn });
      return { ...base, net: text, target: 'roa' };
    }
    default:
      return undefined;
  }
}
