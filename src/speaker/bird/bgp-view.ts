// A BGP peer, or a range of them, as BIRD's users see a protocol of kind BGP.

import { disables } from '../../bgp/session/disable-after.ts';
import { FAMILIES, type Family, familyByName } from '../../bgp/wire/families.ts';
import { isMultihop } from '../../config/bird/checks.ts';
import type { ChannelOptions } from '../../config/bird/config.ts';
import { gatewayMode } from '../../config/bird/gateway.ts';
import type { LimitsConfig } from '../../config/model/limits.ts';
import type { Config, DynamicPeersConfig, Policy, TableNames } from '../../config/model.ts';
import { policyFor } from '../../config/policies.ts';
import { formatAddress, formatQuad, type IpVersion } from '../../lib/ip.ts';
import { DEFAULT_PREFERENCE } from '../../rib/route-extras.ts';
import type { BgpSessionState, BgpView, ChannelView, ProtocolState, TimerView } from '../api/protocols.ts';
import { LIMIT_KINDS } from '../peer-limits.ts';
import type { PeerHandle } from '../peer-registry.ts';
import { isSingleHop } from '../session-options.ts';
import type { Speaker } from '../speaker.ts';
import { bgpError } from './bgp-errors.ts';
import { channelStats } from './channel-stats.ts';
import { channelTable, type DeclaredProtocol, shownTable } from './declared.ts';
import { filterText } from './filter-text.ts';

const MS_PER_SECOND = 1000;
/** Octets of a global and a link-local address. */
const IPV6_OCTETS = 16;

/** `recovering`: this speaker has restarted and waits for its peers' routes. */
export function peerState({ peer, established }: PeerHandle, recovering: boolean): ProtocolState {
  if (established !== undefined) return recovering ? 'wait' : 'up';
  return peer.adminUp ? 'start' : 'down';
}

/** It is gone, and routes of it are still being taken away. */
export function isFlushed({ name }: PeerHandle, { rib }: Speaker): boolean {
  for (const { name: departed, counters } of rib.leaving) {
    if (departed === name && counters.some(({ received }) => received > 0)) return true;
  }
  return false;
}

function sessionState({ peer }: PeerHandle): BgpSessionState {
  if (!peer.adminUp) return 'Down';
  return peer.state === 'Active' && peer.options.passive ? 'Passive' : peer.state;
}

/** `routeLimit`: shown by 1.6. */
export function bgpView(
  handle: PeerHandle,
  routeLimit: BgpView['routeLimit'],
  { written }: DeclaredProtocol,
): BgpView {
  const { peer, settings, established, restarts } = handle;
  const { context, timersLeft } = peer;
  const internal = context === undefined ? isInternal(handle) : context.peerType === 'internal';
  const { timers } = peer.options;
  return {
    state: sessionState(handle),
    error: peer.adminUp || endedByItself(peer) ? bgpError(peer.lastDown) : undefined,
    peerAddress: formatAddress(handle.address.bytes, handle.address.zone),
    peerRange: undefined,
    peerAs: context?.peerAs ?? (typeof settings.asn === 'number' ? settings.asn : 0),
    // As written, whatever the peer is shown of a confederation.
    localAs: settings.confederation?.memberAs ?? peer.options.localAs,
    peerId: context === undefined ? undefined : formatQuad(context.peerId),
    localCapabilities: peer.localOpen.capabilities,
    peerCapabilities: peer.remoteOpen?.capabilities ?? [],
    internal,
    multihop: written?.kind === 'bgp' ? isMultihop(written.options) : internal || !isSingleHop(settings),
    role: settings.routeReflectorClient ? 'client' : settings.routeServerClient ? 'route-server' : undefined,
    as4: context?.as4 ?? false,
    addPathReceive: (context?.addPathReceive ?? 0) !== 0,
    addPathSend: (context?.addPathSend ?? 0) !== 0,
    sourceAddress: established === undefined ? undefined : formatAddress(established.session.localAddress),
    routeLimit: established === undefined ? undefined : routeLimit,
    holdTimer: sessionTimer(handle, timersLeft.hold, peer.holdTime),
    keepaliveTimer: sessionTimer(handle, timersLeft.keepalive, peer.keepaliveTime),
    sendHoldTimer: undefined,
    connectTimer: peer.state === 'Active' ? connectTimer(timersLeft.connectRetry, timers) : undefined,
    errorTimer: timer(timersLeft.idleHold, peer.idleHoldTime),
    gracefulRestart: restartPhase(handle),
    restartTimer: timer(restarts.leftMs, handle.restartOffer?.restartSeconds ?? 0),
  };
}

function restartPhase({ restarts }: PeerHandle): BgpView['gracefulRestart'] {
  if (!restarts.isWaiting) return undefined;
  return FAMILIES.some((family) => restarts.phase(family) === 'regular') ? 'active' : 'long-lived';
}

/** Nobody switched it off. */
function endedByItself({ lastDown, options }: PeerHandle['peer']): boolean {
  return (
    lastDown !== undefined &&
    (lastDown.cause === 'automatic-stop' || disables(options.disableAfter, lastDown))
  );
}

/** One that does not run in a session, which may have none, is shown all the same. */
function sessionTimer(
  { established }: PeerHandle,
  leftMs: number | undefined,
  of: number | undefined,
): TimerView | undefined {
  return timer(leftMs ?? (established === undefined ? undefined : 0), of);
}

function timer(leftMs: number | undefined, of: number | undefined): TimerView | undefined {
  return leftMs === undefined || of === undefined ? undefined : { left: leftMs / MS_PER_SECOND, of };
}

/** The delay before the first dial, or the time between two. */
function connectTimer(
  leftMs: number | undefined,
  { connectDelay, connectRetry }: { readonly connectDelay: number; readonly connectRetry: number },
): TimerView | undefined {
  if (leftMs === undefined) return undefined;
  return timer(leftMs, leftMs <= connectDelay * MS_PER_SECOND ? connectDelay : connectRetry);
}

function isInternal({ settings, peer }: PeerHandle): boolean {
  return settings.asn === 'internal' || settings.asn === peer.options.localAs;
}

/** A range without a peer of its own: it listens. */
export function rangeView(range: DynamicPeersConfig, config: Config): BgpView {
  return {
    state: 'Passive',
    error: undefined,
    peerAddress: undefined,
    peerRange: range.prefix,
    peerAs: typeof range.asn === 'number' ? range.asn : 0,
    localAs: range.confederation?.memberAs ?? range.localAs ?? config.router.asn,
    peerId: undefined,
    localCapabilities: [],
    peerCapabilities: [],
    internal: range.asn === 'internal',
    multihop: range.asn === 'internal' || !isSingleHop(range),
    role: undefined,
    as4: false,
    addPathReceive: false,
    addPathSend: false,
    sourceAddress: undefined,
    routeLimit: undefined,
    holdTimer: undefined,
    keepaliveTimer: undefined,
    sendHoldTimer: undefined,
    connectTimer: undefined,
    errorTimer: undefined,
    gracefulRestart: undefined,
    restartTimer: undefined,
  };
}

interface ChannelSource {
  readonly settings: {
    readonly families: readonly string[];
    readonly import: Policy;
    readonly export: Policy;
    readonly asn: number | 'internal' | 'external';
    readonly multihop: number | undefined;
    readonly tables?: TableNames;
    readonly igpTables?: TableNames;
    readonly limits: LimitsConfig;
  };
  readonly handle: PeerHandle | undefined;
}

/** `details`: routes and counters, too, which take a moment. */
export function bgpChannels(
  speaker: Speaker,
  declared: DeclaredProtocol,
  source: ChannelSource,
  details: boolean,
): ChannelView[] {
  const configured = source.settings.families.map((name) => familyByName(name));
  return FAMILIES.filter((family) => configured.includes(family)).map((family) => {
    return channelView(speaker, declared, source, family, details);
  });
}

function channelView(
  speaker: Speaker,
  { written }: DeclaredProtocol,
  { settings, handle }: ChannelSource,
  family: Family,
  details: boolean,
): ChannelView {
  const { written: config } = speaker;
  const { version } = family;
  const options = written?.channels.get(version);
  const up = handle?.established?.session.context.families.includes(family) === true;
  const kept = handle?.restarts.phase(family);
  const staleMs = kept === undefined ? undefined : handle?.restarts.staleLeftMs(family);
  const has = handle !== undefined && (up || kept !== undefined);
  const rib = details && has ? routesOf(speaker, handle, family, options) : undefined;
  return {
    name: version,
    table: channelTable(config, version, options, settings.tables),
    state: up ? 'up' : kept === undefined ? 'down' : 'start',
    preference: options?.preference ?? DEFAULT_PREFERENCE.bgp,
    importFilter: filterText(options?.import, policyFor(settings.import, version), written !== undefined),
    exportFilter: filterText(options?.export, policyFor(settings.export, version), written !== undefined),
    limits: limitsOf(settings.limits, handle, family),
    routes: rib?.routes,
    stats: rib?.stats,
    nextHops: rib?.nextHops ?? [],
    igpTable: looksUp(written, version, { settings, handle }, config)
      ? shownTable(config, settings.igpTables?.[version] ?? settings.tables?.[version] ?? '', version)
      : undefined,
    neighborRestart: kept,
    staleFor: staleMs === undefined ? undefined : staleMs / MS_PER_SECOND,
  };
}

/** BIRD follows next hops of peers that need not be on the link, unless told otherwise. */
function looksUp(
  written: DeclaredProtocol['written'],
  version: IpVersion,
  { settings, handle }: ChannelSource,
  config: Config,
): boolean {
  if (written?.kind === 'bgp') {
    return gatewayMode(written.options, written.channels.get(version)) === 'recursive';
  }
  const internal =
    handle === undefined
      ? settings.asn === 'internal' || settings.asn === config.router.asn
      : isInternal(handle);
  return internal || settings.multihop !== undefined;
}

function routesOf(
  { rib, written: config }: Speaker,
  { established, restarts }: PeerHandle,
  family: Family,
  options: ChannelOptions | undefined,
): Pick<ChannelView, 'routes' | 'stats' | 'nextHops'> {
  const ribPeer = established?.ribPeer ?? restarts.waitingPeer;
  if (ribPeer === undefined) return { routes: undefined, stats: undefined, nextHops: [] };
  const { id } = ribPeer;
  const { received, rejected, best } = ribPeer.countersOf(family.id);
  const group = rib.groupsOf(ribPeer, family.id).groupOf(id);
  const exported = group === undefined ? 0 : group.adjRibOut.size - group.adjRibOut.fromPeer(id);
  const keeps = config.bird === undefined || options?.importKeepFiltered === true;
  return {
    routes: {
      imported: received - rejected,
      filtered: keeps ? rejected : undefined,
      exported,
      preferred: best,
    },
    stats: channelStats(ribPeer, family),
    nextHops: ownNextHops(group?.options.ownNextHop),
  };
}

function ownNextHops(wire: Uint8Array | undefined): string[] {
  if (wire === undefined) return [];
  if (wire.length <= IPV6_OCTETS) return [formatAddress(wire)];
  return [formatAddress(wire.subarray(0, IPV6_OCTETS)), formatAddress(wire.subarray(IPV6_OCTETS))];
}

const LIMIT_NAMES = { received: 'receive', accepted: 'import', exported: 'export' } as const;

function limitsOf(
  limits: LimitsConfig,
  handle: PeerHandle | undefined,
  family: Family,
): ChannelView['limits'] {
  const states = handle?.limits.states().filter((state) => state.family === family);
  return LIMIT_KINDS.flatMap((kind) => {
    const limit = limits[kind][family.name];
    if (limit === undefined) return [];
    const reached = states?.some((state) => state.kind === kind && state.hit) === true;
    return [{ kind: LIMIT_NAMES[kind], routes: limit.routes, action: limit.action, reached }];
  });
}
