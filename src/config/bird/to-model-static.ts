// Static protocols -> own networks of the model. Where a route leads is kept with all that BIRD can say of it; what its
// block sets are attributes of the network, or a filter that runs when it is announced.

import { isLinkLocalText, parseAddress } from '../../lib/ip.ts';
import type { Statement } from '../../policy/ast.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { NetworkConfig } from '../model.ts';
import type { BirdConfig, ProtocolConfig } from './config.ts';
import { modelTable } from './model-table.ts';
import type { StaticHop, StaticRoute } from './protocol-options.ts';
import type { Unsaid } from './unsaid.ts';

type StaticProtocol = Extract<ProtocolConfig, { kind: 'static' }>;

/** Static routes of all protocols. Of one protocol, 1.6 has the last of a prefix, 2.x all of them. */
export function networksOf(
  config: BirdConfig,
  program: PolicyProgram,
  unsaid: Unsaid,
): readonly NetworkConfig[] {
  const counts = new Map<string, number>();
  const networks: NetworkConfig[] = [];
  for (const protocol of config.protocols) {
    if (protocol.kind !== 'static' || protocol.common.disabled) continue;
    for (const route of countingRoutes(config, protocol)) {
      const network = networkOf(config, route, protocol, program, unsaid);
      if (network === undefined) continue;
      const ordinal = counts.get(network.prefix) ?? 0;
      counts.set(network.prefix, ordinal + 1);
      networks.push(ordinal === 0 ? network : { ...network, ordinal });
    }
  }
  return networks;
}

function countingRoutes({ dialect }: BirdConfig, { options }: StaticProtocol): Iterable<StaticRoute> {
  if (dialect === '2.x') return options.routes;
  return new Map(options.routes.map((route) => [route.net.text, route])).values();
}

function networkOf(
  config: BirdConfig,
  route: StaticRoute,
  { name: protocol, channels, options }: StaticProtocol,
  program: PolicyProgram,
  unsaid: Unsaid,
): NetworkConfig | undefined {
  const { net, target } = route;
  const preference = channels.get(net.type === 'ipv6' ? 'ipv6' : 'ipv4')?.preference;
  if (net.type !== 'ipv4' && net.type !== 'ipv6') {
    unsaid.add(`${net.type} routes`, route.span, protocol);
    return undefined;
  }
  const attributes = attributesOf(route.commands);
  // Plain assignments are values; all else runs when the route is announced.
  const set = attributes === undefined && route.use !== undefined ? program.use(route.use) : undefined;
  const base = {
    prefix: net.text,
    med: undefined,
    localPref: undefined,
    communities: [],
    ...attributes,
    protocol,
    ...(preference !== undefined && { preference }),
    ...(set !== undefined && { set }),
  };
  switch (target.kind) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { ...base, type: target.kind, via: [] };
    case 'recursive': {
      const { address } = target;
      return {
        ...base,
        type: 'via',
        via: [address],
        recursive: true,
        ...igpTableOf(config, options, address),
      };
    }
    case 'via': {
      if (target.hops.some((hop) => hop.mpls !== undefined)) {
        unsaid.add('mpls of a next hop', route.span, protocol);
      }
      return { ...base, type: 'via', ...hopsOf(target.hops) };
    }
    case 'roa':
    case 'aspa':
      // An entry for filters, no route.
      return undefined;
    default:
      unsaid.add(`${target.kind} routes`, route.span, protocol);
      return undefined;
  }
}

/** The last one of the gateway's family counts, as in BIRD. */
function igpTableOf(
  config: BirdConfig,
  { igpTables }: StaticProtocol['options'],
  gateway: string,
): Pick<NetworkConfig, 'igpTable'> {
  const version = gateway.includes(':') ? 'ipv6' : 'ipv4';
  const name = igpTables.findLast((each) => config.tables.get(each)?.type === version);
  return name === undefined ? {} : { igpTable: modelTable(config, name) };
}

/** Addresses where they say everything, and hops where they do not. */
function hopsOf(hops: readonly StaticHop[]): Pick<NetworkConfig, 'via' | 'hops'> {
  const via = hops.flatMap(({ address, interface: link }) => {
    if (address === undefined) return [];
    return isLinkLocal(address) && link !== undefined ? [`${address}%${link}`] : [address];
  });
  const plain = hops.every(
    ({ address, interface: link, onlink, weight = 1, bfd }) =>
      address !== undefined &&
      onlink !== true &&
      bfd !== true &&
      weight === 1 &&
      (link === undefined || isLinkLocal(address)),
  );
  if (plain) return { via };
  return {
    via,
    hops: hops.map(({ address, interface: link, onlink = false, weight = 1, bfd }) => ({
      address,
      interface: link,
      onlink,
      weight,
      ...(bfd === true && { bfd }),
    })),
  };
}

function isLinkLocal(address: string): boolean {
  return parseAddress(address)?.bytes.length === 16 && isLinkLocalText(address);
}

/** Plain assignments of attributes that a network can have; undefined where a route does more. */
function attributesOf(
  commands: readonly Statement[],
): Partial<Pick<NetworkConfig, 'localPref' | 'communities'>> | undefined {
  let found: { localPref?: number; communities?: string[] } = {};
  for (const command of commands) {
    if (command.kind === 'assign' && command.value.kind === 'number') {
      // Who is told of a MED depends on the filter that has set it.
      if (command.target.name !== 'bgp_local_pref') return undefined;
      found = { ...found, localPref: command.value.value };
      continue;
    }
    const community = command.kind === 'do' ? communityAdded(command) : undefined;
    if (community === undefined) return undefined;
    found = { ...found, communities: [...(found.communities ?? []), community] };
  }
  return found;
}

/** `bgp_community.add((1,2));` -> `1:2` */
function communityAdded(statement: Extract<Statement, { kind: 'do' }>): string | undefined {
  const { call } = statement;
  if (call.kind !== 'method' || call.method.name !== 'add' || call.object.kind !== 'name') return undefined;
  const [value] = call.args ?? [];
  if (call.object.name === 'bgp_community' && value?.kind === 'pair') {
    const { high, low } = value;
    return high.kind === 'number' && low.kind === 'number' ? `${high.value}:${low.value}` : undefined;
  }
  if (call.object.name !== 'bgp_large_community' || value?.kind !== 'lc') return undefined;
  const parts = value.parts.map((part) => (part.kind === 'number' ? `${part.value}` : ''));
  return parts.includes('') ? undefined : parts.join(':');
}
