// BGP protocols -> peers and dynamic ranges of the model, BIRD's defaults filled in.

import type { FamilyName } from '../../bgp/wire/families.ts';
import { BGP_PORT } from '../../bgp/wire/iana.ts';
import { formatQuad, IP_VERSIONS, type IpVersion, isLinkLocalText } from '../../lib/ip.ts';
import type { PolicyProgram } from '../../policy/program.ts';
import type { Span } from '../../policy/source.ts';
import type { ConfederationConfig, DynamicPeersConfig, PeerConfig, PeerSettings } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import { isInternal, isMultihop } from './checks.ts';
import type { BirdConfig, ChannelOptions, ProtocolConfig } from './config.ts';
import { DEFAULT_DYNAMIC_NAME, DEFAULT_TIMERS } from './defaults.ts';
import { gatewayMode } from './gateway.ts';
import { patternTexts } from './patterns.ts';
import { aoKeysOf } from './to-model-ao.ts';
import { bfdOf } from './to-model-bfd.ts';
import { requiredOf, withheldOf } from './to-model-capabilities.ts';
import { limitsOf } from './to-model-limits.ts';
import { nextHopsOf } from './to-model-next-hops.ts';
import { channelPolicy } from './to-model-policy.ts';
import { restartOf } from './to-model-restart.ts';
import { igpTableNames, tableNames } from './to-model-tables.ts';
import type { Unsaid } from './unsaid.ts';

type BgpProtocol = Extract<ProtocolConfig, { kind: 'bgp' }>;

/** BIRD has no limit of its own on the peers of a range. */
const DYNAMIC_LIMIT = 65_535;
const ANY_OWN_AS = 255;
/** RFC 9687: the greater of 8 minutes and twice the hold time. */
const SEND_HOLD = 480;
const SEND_HOLDS_PER_HOLD = 2;

const HANDLED = new Set<string>([
  'localAddress',
  'localAs',
  'confederation',
  'confederationMember',
  'localPort',
  'peerAddress',
  'peerRange',
  'peerAs',
  'peerType',
  'peerPort',
  'interface',
  'interfaceRange',
  'onlink',
  'dynamicName',
  'dynamicNameDigits',
  'multihop',
  'rrClient',
  'rrClusterId',
  'rsClient',
  'holdTime',
  'keepaliveTime',
  'sendHoldTime',
  'advertiseHostname',
  'freeBind',
  // Of BSD's kernels; BIRD ignores it on Linux, too.
  'setkey',
  'minHoldTime',
  'minKeepaliveTime',
  'startupHoldTime',
  'disableAfterError',
  'disableAfterCease',
  'connectDelayTime',
  'connectRetryTime',
  'errorForgetTime',
  'errorWaitMin',
  'errorWaitMax',
  'enableExtendedMessages',
  'enableRouteRefresh',
  'enableEnhancedRouteRefresh',
  'enableAs4',
  'capabilities',
  'advertiseIpv4',
  'password',
  'authentication',
  'passive',
  'allowLocalAs',
  'allowAsSets',
  'enforceFirstAs',
  'allowLocalPref',
  'allowMed',
  'gracefulRestart',
  'gracefulRestartTime',
  'minGracefulRestartTime',
  'maxGracefulRestartTime',
  'longLivedGracefulRestart',
  'longLivedStaleTime',
  'minLongLivedStaleTime',
  'maxLongLivedStaleTime',
  'ttlSecurity',
  'interpretCommunities',
  'igpMetric',
  'medMetric',
  // Whoever came first, MED is compared as RFC 4271 says.
  'deterministicMed',
  'preferOlder',
  'pathMetric',
  'defaultLocalPref',
  'defaultMed',
  'role',
  'requireRoles',
  'required',
  'routeLimit',
  'strictBind',
  'bfd',
  'checkLink',
]);
const CHANNEL_HANDLED = new Set<string>([
  'span',
  'import',
  'export',
  'receiveLimit',
  'preference',
  'igpTables',
  'importLimit',
  'exportLimit',
  'importKeepFiltered',
  // What was received and sent is known always.
  'importTable',
  'exportTable',
  'rpkiReload',
  'secondary',
  'linkLocalFormat',
  'nextHopPrefer',
  'nextHopSelf',
  'nextHopKeep',
  'nextHopAddress',
  'addPaths',
  'extendedNextHop',
  'aigp',
  'longLivedGracefulRestart',
  'longLivedStaleTime',
  'minLongLivedStaleTime',
  'maxLongLivedStaleTime',
  'gracefulRestart',
  'mandatory',
  'requireAddPaths',
  'requireExtendedNextHop',
]);
const COMMON_HANDLED = new Set(['disabled', 'description', 'debug', 'mrtdump', 'routerId', 'hostname']);

export interface Peers {
  readonly peers: readonly PeerConfig[];
  readonly dynamicPeers: readonly DynamicPeersConfig[];
}

export function buildPeers(
  config: BirdConfig,
  program: PolicyProgram,
  routerAsn: number,
  unsaid: Unsaid,
): Peers {
  const peers: PeerConfig[] = [];
  const dynamicPeers: DynamicPeersConfig[] = [];
  for (const protocol of config.protocols) {
    if (protocol.kind !== 'bgp') continue;
    const settings = settingsOf(config, program, protocol, routerAsn, unsaid);
    const { peerAddress, peerRange, interface: link, interfaceRange } = protocol.options;
    if (interfaceRange !== undefined && !isLinkLocalText(peerRange ?? '')) {
      unsaid.say('interface range has an effect on link-local ranges only', protocol.span, protocol.name);
    }
    if (peerRange !== undefined) {
      const { dynamicName: prefix = DEFAULT_DYNAMIC_NAME, dynamicNameDigits: digits = 0 } = protocol.options;
      dynamicPeers.push({
        name: protocol.name,
        prefix: peerRange,
        limit: DYNAMIC_LIMIT,
        ...(interfaceRange !== undefined && { interfaces: patternTexts(interfaceRange) }),
        memberNames: { prefix, digits },
        ...settings,
        passive: true,
      });
    } else if (peerAddress !== undefined) {
      const zone = link !== undefined && isLinkLocalText(peerAddress) ? `%${link}` : '';
      // As in build-peers.ts: for one hidden class.
      peers.push({ name: protocol.name, address: `${peerAddress}${zone}`, ...settings });
    }
  }
  return { peers, dynamicPeers };
}

function settingsOf(
  config: BirdConfig,
  program: PolicyProgram,
  protocol: BgpProtocol,
  routerAsn: number,
  unsaid: Unsaid,
): PeerSettings {
  const { options, common, name, span } = protocol;
  const internal = isInternal(options);
  const confederation = confederationOf(options);
  const unicast = unicastChannels(config, protocol);
  const channels = [...unicast.values()];
  const tables = tableNames(config, unicast);
  const igpTables = igpTableNames(config, unicast);
  const set = Object.fromEntries(
    Object.entries(options).filter(([key]) => !(key === 'keys' && options.authentication === 'ao')),
  );
  const spanOf = (key: string): Span => protocol.spans.get(key) ?? span;
  unsaid.addOptions(set, HANDLED, spanOf, name);
  unsaid.addOptions(common, COMMON_HANDLED, spanOf, name);
  for (const [channel, said] of protocol.channels) {
    if (channel === 'ipv4' || channel === 'ipv6') reportChannel(config, said, protocol, unsaid);
    else unsaid.add(`channel ${channel}`, said.span, name);
  }
  const ttlSecurity = options.ttlSecurity === true ? options.multihop || 1 : undefined;
  return {
    asn: options.peerAs || (options.peerType ?? 'external'),
    localAs: confederation !== undefined || options.localAs === routerAsn ? undefined : options.localAs,
    ...(confederation !== undefined && { confederation }),
    ...(common.routerId !== undefined && { routerId: formatQuad(common.routerId) }),
    // BIRD says who it is only where it is told to, and its peers may be used to that.
    hostname: options.advertiseHostname === true && common.hostname,
    localAddress: options.localAddress,
    ...(options.freeBind !== undefined && { freeBind: options.freeBind }),
    interface: options.interface,
    port: options.peerPort ?? BGP_PORT,
    // The port of `local` is listened on (listenersOf); connections are made from any, which leaves it free.
    localPort: undefined,
    enabled: common.disabled !== true,
    description: common.description,
    passive: options.passive ?? false,
    families: [...unicast.keys()].map((channel): FamilyName => `${channel}-unicast`),
    password: options.authentication === 'ao' ? undefined : options.password,
    tcpAo: aoKeysOf(options),
    // iBGP may always cross routers.
    multihop: ttlSecurity !== undefined || internal ? undefined : options.multihop || undefined,
    ttlSecurity,
    timers: timersOf(options),
    import: channelPolicy(unicast, 'import', program),
    export: channelPolicy(unicast, 'export', program),
    routeReflectorClient: options.rrClient ?? false,
    clusterId: options.rrClusterId === undefined ? undefined : formatQuad(options.rrClusterId),
    clientToClient: true,
    routeServerClient: options.rsClient ?? false,
    ...(channels.some((channel) => channel.secondary === true) && { evaluateAll: true }),
    ...nextHopsOf(unicast, protocol, config.dialect),
    ...(options.onlink === true && { onlink: true }),
    ...(leadsThroughPeer(config, protocol) && { throughPeer: true }),
    removePrivateAs: false,
    asOverride: false,
    allowOwnAs: options.allowLocalAs === 'any' ? ANY_OWN_AS : (options.allowLocalAs ?? 0),
    allowAsSets: options.allowAsSets ?? true,
    enforceFirstAs: options.enforceFirstAs ?? false,
    ...(options.allowLocalPref && { allowLocalPref: true }),
    ...(options.allowMed && { allowMed: true }),
    addPath: addPathOf(unicast),
    // RFC 8950: for IPv4 routes.
    extendedNextHop: unicast.get('ipv4')?.extendedNextHop === true,
    extendedMessages: options.enableExtendedMessages ?? false,
    gracefulRestart: restartOf(options, unicast),
    role: options.role,
    ...preferenceOf(channels, protocol, unsaid),
    ...(tables !== undefined && { tables }),
    ...(igpTables !== undefined && { igpTables }),
    roleStrict: options.requireRoles ?? false,
    ...disableAfterOf(options),
    ...requiredOf(options, unicast),
    ...withheldOf(config, options),
    aigp: channels.some((channel) => channel.aigp === 'on' || channel.aigp === 'originate') || internal,
    sendCommunities: true,
    ...(options.interpretCommunities === false && { interpretCommunities: false }),
    limits: limitsOf(unicast, options.routeLimit),
    // BIRD leaves RFC 8326 to filters.
    gracefulShutdown: false,
    damping: undefined,
    fastFallover: options.checkLink ?? false,
    bfd: bfdOf(config, protocol, isMultihop(options), unsaid),
  };
}

/** `families` only where the channels differ. */
function addPathOf(channels: ReadonlyMap<IpVersion, ChannelOptions>): PeerSettings['addPath'] {
  const those = (way: 'rx' | 'tx'): FamilyName[] =>
    [...channels].flatMap(([version, { addPaths }]) =>
      addPaths === way || addPaths === 'both' ? [`${version}-unicast` as const] : [],
    );
  const [receive, send] = [those('rx'), those('tx')];
  const isPartial = [receive, send].some(({ length }) => length > 0 && length < channels.size);
  return {
    receive: receive.length > 0,
    send: send.length > 0 ? 'all' : 'none',
    ...(isPartial && { families: { receive, send } }),
  };
}

/** 0 is none. */
function confederationOf(options: BgpOptions): ConfederationConfig | undefined {
  const { confederation: id, localAs: memberAs, confederationMember } = options;
  if (!id || memberAs === undefined) return undefined;
  return { id, memberAs, inside: confederationMember === true || isInternal(options) };
}

/** The IPv4 and IPv6 unicast channels; 1.6 has the one of its daemon, also where nothing is said of it. */
function unicastChannels(config: BirdConfig, protocol: BgpProtocol): Map<IpVersion, ChannelOptions> {
  const found = new Map<IpVersion, ChannelOptions>();
  for (const name of IP_VERSIONS) {
    const channel = protocol.channels.get(name);
    if (channel !== undefined) found.set(name, channel);
    else if (config.family === name) found.set(name, { span: protocol.span });
  }
  return found;
}

/** In 1.6 a direct peer is the gateway of what it announces with a next hop that is on no link. */
function leadsThroughPeer({ dialect, family }: BirdConfig, { options, channels }: BgpProtocol): boolean {
  const channel = family === undefined ? undefined : channels.get(family);
  return dialect === '1.6' && gatewayMode(options, channel) === 'direct';
}

function reportChannel(
  { dialect }: BirdConfig,
  channel: ChannelOptions,
  { name, options }: BgpProtocol,
  unsaid: Unsaid,
): void {
  const { table: _attached, gateway, missingLinkLocal = 'ignore', ...rest } = channel;
  // In 2.x a next hop that is on no link makes a route void.
  if (dialect === '2.x' && gateway === 'direct') unsaid.add('gateway direct', channel.span, name);
  // 2.x ignores it, too. The own address has a link-local one beside it; that of others goes as it is.
  const keepsNextHops = options.rsClient === true || (channel.nextHopKeep ?? 'none') !== 'none';
  if (dialect === '1.6' && missingLinkLocal !== 'ignore' && keepsNextHops) {
    unsaid.say(
      `missing lladdr ${missingLinkLocal} has no effect on next hops that are kept`,
      channel.span,
      name,
    );
  }
  unsaid.addOptions(rest, CHANNEL_HANDLED, () => channel.span, name);
  if (channel.aigp === 'originate') unsaid.add('aigp originate', channel.span, name);
}

function disableAfterOf({
  disableAfterError: error = false,
  disableAfterCease: cease = false,
}: BgpOptions): Pick<PeerSettings, 'disableAfter'> {
  if (!error && cease === false) return {};
  return { disableAfter: { error, cease: cease === true ? 'any' : cease || [] } };
}

function timersOf(options: BgpOptions): PeerSettings['timers'] {
  const hold = options.holdTime ?? DEFAULT_TIMERS.hold;
  const third = Math.max(1, Math.floor(hold / DEFAULT_TIMERS.keepalivesPerHold));
  return {
    hold,
    // RFC 4271 §4.2: without a hold time there are no keepalives.
    keepalive: hold === 0 ? 0 : options.keepaliveTime || third,
    minHold: options.minHoldTime ?? 0,
    minKeepalive: options.minKeepaliveTime ?? 0,
    openHold: options.startupHoldTime ?? DEFAULT_TIMERS.startupHold,
    connectRetry: options.connectRetryTime ?? DEFAULT_TIMERS.connectRetry,
    connectDelay: options.connectDelayTime ?? DEFAULT_TIMERS.connectDelay,
    delayOpen: 0,
    errorWaitMin: options.errorWaitMin ?? DEFAULT_TIMERS.errorWaitMin,
    errorWaitMax: options.errorWaitMax ?? DEFAULT_TIMERS.errorWaitMax,
    errorForget: options.errorForgetTime ?? DEFAULT_TIMERS.errorForget,
    sendHold: hold === 0 ? 0 : (options.sendHoldTime ?? Math.max(SEND_HOLD, hold * SEND_HOLDS_PER_HOLD)),
  };
}

function preferenceOf(
  channels: readonly ChannelOptions[],
  protocol: BgpProtocol,
  unsaid: Unsaid,
): Pick<PeerSettings, 'preference'> {
  const [first, ...others] = channels.map(({ preference }) => preference);
  if (others.some((other) => other !== first)) {
    unsaid.say('preferences differ between channels; the first counts', protocol.span, protocol.name);
  }
  return first === undefined ? {} : { preference: first };
}
