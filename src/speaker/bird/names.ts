// What the names of a configuration stand for, and its static routes as they are written.

import type { ProtocolConfig } from '../../config/bird/config.ts';
import type { StaticHop, StaticRoute } from '../../config/bird/protocol-options.ts';
import type { Config, NetworkConfig } from '../../config/model.ts';
import { RPKI_TABLES } from '../../config/rpki.ts';
import type { StaticHopView, StaticRouteView, SymbolKind, SymbolView, TableView } from '../api/tables.ts';
import { mainTable, versionsOf } from './declared.ts';
import { roaText } from './roas.ts';
import { traitsOf } from './traits.ts';

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
  const { hasChannels } = traitsOf(config);
  for (const { name, type } of tablesOf(config)) {
    symbols.set(name, !hasChannels && type.startsWith('roa') ? 'ROA table' : 'routing table');
  }
  for (const definition of bird?.definitions ?? []) {
    const { name } = definition;
    if (name !== undefined) symbols.set(name.name, DEFINITION_KINDS[definition.kind]);
  }
  for (const { name } of bird?.templates ?? []) symbols.set(name, 'protocol template');
  for (const name of protocols) symbols.set(name, 'protocol');
  return [...symbols].map(([name, kind]) => ({ name, kind }));
}

type IsDormant = (hop: StaticHop) => boolean;

/** As they are written; 1.6 lists those that lead through a device behind the others of their protocol. */
export function staticRoutesOf(config: Config, isDormant: IsDormant): StaticRouteView[] {
  const { bird } = config;
  if (bird === undefined) return config.networks.map((network) => nativeStatic(network, isDormant));
  const { tellsDeviceRoutes } = traitsOf(config);
  return bird.protocols.flatMap((protocol) => {
    if (protocol.kind !== 'static') return [];
    const views = writtenStatics(protocol, isDormant);
    return tellsDeviceRoutes ? views.toSorted((a, b) => onDevice(a) - onDevice(b)) : views;
  });
}

function onDevice({ target, via }: StaticRouteView): number {
  return target === 'via' && via.length === 1 && via[0]?.address === undefined ? 1 : 0;
}

const PLAIN = { blackhole: 'blackhole', unreachable: 'unreachable', prohibit: 'prohibited' } as const;

function nativeStatic(network: NetworkConfig, isDormant: IsDormant): StaticRouteView {
  const { prefix: net, type, via } = network;
  const protocol = 'static1';
  if (type === 'via') {
    const hops = network.hops ?? via.map((address) => ({ address, interface: undefined }));
    return { protocol, net, target: 'via', via: hops.map((hop) => hopView(hop, isDormant)) };
  }
  // A network that is only announced leads nowhere from here.
  const target = type === 'none' ? 'unreachable' : PLAIN[type];
  return { protocol, net, target, via: [] };
}

function hopView(hop: StaticHop, isDormant: IsDormant): StaticHopView {
  const { address, interface: link, weight, onlink = false, bfd = false } = hop;
  return { address, interface: link, weight, onlink, bfd, dormant: isDormant(hop) };
}

type StaticProtocol = Extract<ProtocolConfig, { kind: 'static' }>;

function writtenStatics({ name, options }: StaticProtocol, isDormant: IsDormant): StaticRouteView[] {
  return options.routes.flatMap((route) => writtenStatic(name, route, isDormant) ?? []);
}

function writtenStatic(
  protocol: string,
  { net, target }: StaticRoute,
  isDormant: IsDormant,
): StaticRouteView | undefined {
  const base = { protocol, net: net.text, via: [] };
  switch (target.kind) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { ...base, target: PLAIN[target.kind] };
    case 'recursive': {
      // What it leads to is looked up where it is used.
      const via = hopView({ address: target.address, interface: undefined }, () => false);
      return { ...base, target: 'recursive', via: [via] };
    }
    case 'via':
      return { ...base, target: 'via', via: target.hops.map((hop) => hopView(hop, isDormant)) };
    case 'roa': {
      const { maxLength, asn } = target;
      const text = roaText({ table: '', prefix: net.text, maxLength, asn });
      return { ...base, net: text, target: 'roa' };
    }
    default:
      return undefined;
  }
}
