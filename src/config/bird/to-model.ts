// A BirdConfig -> godwit's own model, as far as that goes: everything else is reported, construct by construct. The
// defaults are BIRD's, which differ between its generations where it is said.

import { formatQuad, parseAddress, parseQuad } from '../../lib/ip.ts';
import type { Statement } from '../../policy/ast.ts';
import type { Diagnostics } from '../../policy/diagnostics.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { Span } from '../../policy/source.ts';
import type { HostFacts } from '../build.ts';
import type {
  Config,
  KernelConfig,
  ListenConfig,
  LocalPolicies,
  NetworkConfig,
  PeerConfig,
  RedistributeSource,
} from '../model.ts';
import { samePolicy } from '../policies.ts';
import type { BirdConfig, ProtocolConfig } from './config.ts';
import { BGP_PORT, DEFAULT_LOCAL_PREF, DEFAULT_METRIC, DEFAULT_SCAN_TIME, MAIN_TABLE } from './defaults.ts';
import type { KernelOptions, StaticRoute } from './protocol-options.ts';
import { reportBfd } from './to-model-bfd.ts';
import { buildPeers } from './to-model-peers.ts';
import { localPolicies } from './to-model-policy.ts';
import { constructOf, Unsaid } from './unsaid.ts';

/** RTPROT_BIRD */
const ROUTE_PROTOCOL = 12;
const CONTROL_SOCKET = '/run/godwit/godwit.sock';
const CONTROL_MODE = 0o660;

type Of<K extends ProtocolConfig['kind']> = Extract<ProtocolConfig, { kind: K }>;

/** Maps a configuration without errors; what cannot be said is warned of in `diagnostics`. */
export function toModel(
  config: BirdConfig,
  program: PolicyProgram,
  host: HostFacts,
  diagnostics: Diagnostics,
): Config {
  const unsaid = new Unsaid();
  const bgp = config.protocols.filter((protocol): protocol is Of<'bgp'> => protocol.kind === 'bgp');
  const asn = bgp[0]?.options.localAs ?? 0;
  const id = routerId(config, host, diagnostics);
  const peers = buildPeers(config, program, asn, unsaid);
  reportOthers(config, unsaid);
  const policies = localPolicies(config, program, unsaid);
  const kernel = kernelOf(config, policies, unsaid);
  const model: Config = {
    router: { asn, id, clusterId: id, hostname: config.globals.hostname ?? host.hostname },
    listen: listenersOf(config, bgp, peers.peers),
    kernel,
    ...peers,
    networks: networksOf(config, program, unsaid),
    redistribute: redistributed(config, kernel),
    localPolicies: policies,
    decision: decisionOf(bgp),
    control: { socket: CONTROL_SOCKET, mode: CONTROL_MODE, bird: socketsOf(config) },
    http: undefined,
    log: { level: config.globals.debugProtocols === 'all' ? 'debug' : 'info', format: 'auto' },
  };
  unsaid.report(diagnostics);
  return { ...model, bird: config };
}

/** Further sockets; the main one is named on the command line. */
function socketsOf({ globals }: BirdConfig): Config['control']['bird'] {
  return (globals.sockets ?? []).map(({ path, restricted }) => {
    return { socket: path, mode: CONTROL_MODE, style: 'auto', restricted };
  });
}

/** BIRD takes the lowest address that is no loopback's where nothing is configured. */
function routerId(config: BirdConfig, host: HostFacts, diagnostics: Diagnostics): string {
  const { routerId: written } = config.globals;
  if (typeof written === 'number' && written !== 0) return formatQuad(written);
  const usable = host.addresses
    .map((address) => ({ address, value: parseQuad(address) }))
    .filter(({ address, value }) => value !== undefined && value !== 0 && !address.startsWith('127.'))
    .sort((a, b) => a.value! - b.value!);
  const first = config.protocols[0];
  const chosen = usable[0]?.address;
  if (first !== undefined && chosen === undefined) {
    diagnostics.error(
      first.span,
      'no router id is given and this host has no IPv4 address',
      'add router id 10.0.0.1;',
    );
  } else if (first !== undefined && written !== undefined && typeof written !== 'number') {
    diagnostics.warning(first.span, `router id from is not followed; ${chosen} of this host is taken`);
  }
  return chosen ?? '0.0.0.0';
}

function listenersOf(
  config: BirdConfig,
  bgp: readonly Of<'bgp'>[],
  peers: readonly PeerConfig[],
): readonly ListenConfig[] {
  const { listenBgp } = config.globals;
  const found = new Map<string, ListenConfig>();
  const add = (address: string, port: number, link: string | undefined): void => {
    found.set(`${address} ${port} ${link}`, { address, port, interface: link });
  };
  if (config.dialect === '1.6') {
    const any = config.family === 'ipv6' ? '::' : '0.0.0.0';
    if (bgp.length > 0) add(listenBgp?.address ?? any, listenBgp?.port ?? BGP_PORT, undefined);
    return [...found.values()];
  }
  for (const { options } of bgp) {
    const port = options.localPort ?? BGP_PORT;
    if (options.strictBind && options.localAddress !== undefined) {
      add(options.localAddress, port, options.interface);
      continue;
    }
    const address = options.peerAddress ?? options.peerRange ?? peers[0]?.address ?? '';
    add(address.includes(':') ? '::' : '0.0.0.0', port, undefined);
  }
  return [...found.values()];
}

const KERNEL_HANDLED = new Set([
  'learn',
  'persist',
  'scanTime',
  'table',
  'metric',
  'mergePaths',
  'deviceRoutes',
  // Own routes that are there at the start are taken over without a gap in any case.
  'gracefulRestart',
]);

const NOTHING: ReadonlySet<string> = new Set();

/** One kernel protocol a family in BIRD, one kernel section here: they should agree. */
function kernelOf(config: BirdConfig, policies: LocalPolicies, unsaid: Unsaid): KernelConfig {
  const kernels = config.protocols.filter(
    (each): each is Of<'kernel'> => each.kind === 'kernel' && each.common.disabled !== true,
  );
  const first = kernels[0]?.options ?? {};
  // What nothing can pass is not opened.
  const install = !samePolicy(policies.install, 'reject');
  const learn = kernels.some((kernel) => learns(kernel.options)) && !samePolicy(policies.kernel, 'reject');
  for (const kernel of kernels) {
    const spanOf = (key: string): Span => kernel.spans.get(key) ?? kernel.span;
    unsaid.addOptions(kernel.options, KERNEL_HANDLED, spanOf, kernel.name);
    if (kernel.options.deviceRoutes) unsaid.add('device routes', kernel.span, kernel.name);
    const differing = MUST_AGREE.filter((key) => kernel.options[key] !== first[key]);
    for (const key of differing) {
      unsaid.say(
        `${constructOf(key)} differs between kernel protocols; the first counts`,
        spanOf(key),
        kernel.name,
      );
    }
    for (const [name, channel] of kernel.channels) {
      const { span, import: _imported, export: _exported, table, ...others } = channel;
      unsaid.addOptions(others, NOTHING, () => span, kernel.name);
      const main = table === undefined || table === 'master' || table === `master${name.slice(3)}`;
      if (!main) unsaid.add(`table ${table}`, span, kernel.name, 'there is one table a family');
    }
  }
  return {
    install,
    table: first.table ?? MAIN_TABLE,
    metric: first.metric ?? (config.dialect === '1.6' ? 0 : DEFAULT_METRIC),
    ecmp: Math.max(1, first.mergePaths ?? 1),
    protocol: ROUTE_PROTOCOL,
    prefSource: { ipv4: undefined, ipv6: undefined },
    keepOnStop: first.persist ?? false,
    learn: learn ? [{ protocol: undefined, table: undefined }] : [],
    interfaces: interfacesOf(config, unsaid),
    nextHopTracking: install,
    scanTime: first.scanTime ?? DEFAULT_SCAN_TIME,
  };
}

const MUST_AGREE: readonly (keyof KernelOptions)[] = ['learn', 'persist', 'table', 'metric', 'mergePaths'];

function learns(options: KernelOptions): boolean {
  return options.learn === 'on' || options.learn === 'all';
}

function interfacesOf(config: BirdConfig, unsaid: Unsaid): readonly string[] {
  const masks: string[] = [];
  for (const direct of config.protocols) {
    if (direct.kind !== 'direct' || direct.common.disabled) continue;
    if (direct.options.checkLink) unsaid.add('check link', direct.span, direct.name);
    for (const pattern of direct.options.interfaces.flat()) {
      if (pattern.prefix !== undefined) unsaid.add('interface by prefix', direct.span, direct.name);
      else if (pattern.mask !== undefined) masks.push(`${pattern.exclude ? '-' : ''}${pattern.mask}`);
    }
  }
  return masks.length === 0 ? ['*'] : masks;
}

function redistributed(config: BirdConfig, kernel: KernelConfig): readonly RedistributeSource[] {
  const enabled = config.protocols.filter((protocol) => protocol.common.disabled !== true);
  const sources: RedistributeSource[] = [];
  if (kernel.learn.length > 0) sources.push('kernel');
  if (enabled.some((each) => each.kind === 'direct')) sources.push('connected');
  return sources;
}

function networksOf(config: BirdConfig, program: PolicyProgram, unsaid: Unsaid): readonly NetworkConfig[] {
  const networks = new Map<string, NetworkConfig>();
  for (const protocol of config.protocols) {
    if (protocol.kind !== 'static' || protocol.common.disabled) continue;
    if (protocol.options.checkLink) unsaid.add('check link', protocol.span, protocol.name);
    if (protocol.options.igpTables.length > 0) unsaid.add('igp table', protocol.span, protocol.name);
    for (const route of protocol.options.routes) {
      const network = networkOf(route, protocol.name, program, unsaid);
      if (network === undefined) continue;
      if (networks.has(network.prefix))
        unsaid.say('a prefix has one static route; the first counts', route.span, protocol.name);
      else networks.set(network.prefix, network);
    }
  }
  return [...networks.values()];
}

function networkOf(
  route: StaticRoute,
  protocol: string,
  program: PolicyProgram,
  unsaid: Unsaid,
): NetworkConfig | undefined {
  const { net, target } = route;
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
    ...(set !== undefined && { set }),
  };
  switch (target.kind) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { ...base, type: target.kind, via: [] };
    case 'recursive':
      return { ...base, type: 'via', via: [target.address] };
    case 'via': {
      const via = target.hops.flatMap((hop) => hopAddress(hop.address, hop.interface) ?? []);
      if (via.length < target.hops.length) unsaid.add('via an interface alone', route.span, protocol);
      for (const [word, set] of [
        ['weight', target.hops.some((hop) => hop.weight !== undefined && hop.weight !== 1)],
        ['onlink', target.hops.some((hop) => hop.onlink === true)],
        ['bfd', target.hops.some((hop) => hop.bfd === true)],
        ['mpls', target.hops.some((hop) => hop.mpls !== undefined)],
      ] as const) {
        if (set) unsaid.add(`${word} of a next hop`, route.span, protocol);
      }
      return via.length === 0 ? undefined : { ...base, type: 'via', via };
    }
    default:
      unsaid.add(`${target.kind} routes`, route.span, protocol);
      return undefined;
  }
}

function hopAddress(address: string | undefined, link: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const linkLocal = parseAddress(address)?.bytes.length === 16 && /^fe[89ab]/.test(address);
  return linkLocal && link !== undefined ? `${address}%${link}` : address;
}

/** Plain assignments of attributes that a network can have; undefined where a route does more. */
function attributesOf(
  commands: readonly Statement[],
): Partial<Pick<NetworkConfig, 'med' | 'localPref' | 'communities'>> | undefined {
  let found: { med?: number; localPref?: number; communities?: string[] } = {};
  for (const command of commands) {
    if (command.kind === 'assign' && command.value.kind === 'number') {
      if (command.target.name === 'bgp_med') found = { ...found, med: command.value.value };
      else if (command.target.name === 'bgp_local_pref') found = { ...found, localPref: command.value.value };
      else return undefined;
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

/** One decision for all peers: what any of them asks for. */
function decisionOf(bgp: readonly Of<'bgp'>[]): Config['decision'] {
  const any = (test: (options: Of<'bgp'>['options']) => boolean): boolean =>
    bgp.some((protocol) => test(protocol.options));
  return {
    alwaysCompareMed: any((options) => options.medMetric === true),
    preferOldest: any((options) => options.preferOlder === true),
    multipathRelax: true,
    ignoreAsPathLength: any((options) => options.pathMetric === false),
    ignoreRouterId: false,
    aigp: true,
    defaultLocalPref:
      bgp.find((each) => each.options.defaultLocalPref !== undefined)?.options.defaultLocalPref ??
      DEFAULT_LOCAL_PREF,
  };
}

const SERVED = new Set(['bgp', 'bfd', 'kernel', 'device', 'direct', 'static']);
const COMMON_HANDLED = new Set(['disabled', 'description']);

/** Protocols, tables and global options that nothing here has a place for. */
function reportOthers(config: BirdConfig, unsaid: Unsaid): void {
  for (const protocol of config.protocols) {
    if (!SERVED.has(protocol.kind)) unsaid.add(`protocol ${protocol.kind}`, protocol.span, protocol.name);
    else if (protocol.kind !== 'bgp') {
      const spanOf = (key: string): Span => protocol.spans.get(key) ?? protocol.span;
      unsaid.addOptions(protocol.common, COMMON_HANDLED, spanOf, protocol.name);
      if (protocol.kind === 'bfd') reportBfd(protocol, unsaid);
    }
  }
  for (const table of config.tables.values()) {
    if (table.span === undefined) continue;
    unsaid.add('a table', table.span, table.name);
    if (table.roas !== undefined) unsaid.add('roa', table.span, table.name);
  }
  for (const [key, span] of config.globalSpans) {
    if (!GLOBAL_HANDLED.has(key)) unsaid.addOptions({ [key]: true }, GLOBAL_HANDLED, () => span, 'global');
  }
}

const GLOBAL_HANDLED = new Set([
  'routerId',
  'hostname',
  'listenBgp',
  'evaluations',
  'sockets',
  'timeFormats',
]);
