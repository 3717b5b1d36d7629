// From a peer's configuration and what a session agreed on to what the RIB wants to know: import checks and the
// export options that choose the update group. The one place where next-hop-self gets its address.

import type { Family } from '../bgp/wire/families.ts';
import type { SessionContext } from '../bgp/wire/session-context.ts';
import type { Config, PeerSettings } from '../config/model.ts';
import { isLinkLocal, parseAddress, parseQuad } from '../lib/ip.ts';
import type { ExportOptions, StaleRule } from '../rib/export-options.ts';
import { type ImportOptions, NO_SIZE, type PeerKind } from '../rib/rib-peer.ts';
import { traitsOf } from './bird/traits.ts';
import { addressOn, interfaceOf, isInSubnetOf, linkLocalOn, type OwnAddress } from './own-addresses.ts';
import type { Policies } from './policies.ts';

/** What of a session decides its next hops. */
export interface SessionEnds {
  readonly context: SessionContext;
  readonly localAddress: Uint8Array;
  readonly remoteAddress: Uint8Array;
  readonly zone: string | undefined;
}

/** What the peer is to the RIB. */
export function peerKind({ confederation }: PeerSettings, { peerType }: SessionContext): PeerKind {
  return peerType === 'external' && confederation?.inside === true ? 'confederation' : peerType;
}

export function importOptions(
  config: Config,
  settings: PeerSettings,
  ends: SessionEnds,
  policies: Policies,
  draining: boolean,
): ImportOptions {
  const { context } = ends;
  return {
    ownAses: ownAses(config, settings, context),
    allowOwnAs: settings.allowOwnAs,
    // RFC 5065 §5.3: the first AS behind the confederation's is not the peer's.
    enforceFirstAs: settings.enforceFirstAs && peerKind(settings, context) === 'external',
    peerAs: context.peerAs,
    role: context.localRole,
    gracefulShutdown: settings.gracefulShutdown,
    draining,
    ownAddresses: [ends.localAddress],
    ...(settings.routerId !== undefined && { shownId: context.localId }),
    clusterId: clusterOf(config, settings),
    ...(config.bird !== undefined && {
      shunnedClusters: settings.routeReflectorClient ? [clusterOf(config, settings)] : [],
    }),
    policy: policies.importPolicy(settings.import),
    ...sizesOf(settings),
    ...(settings.preference !== undefined && { preference: settings.preference }),
  };
}

/** RFC 5065 §4: the confederation and the own member AS are loops alike. */
function ownAses(config: Config, { confederation }: PeerSettings, { localAs }: SessionContext): Uint32Array {
  const own = [config.router.asn, localAs];
  if (confederation !== undefined) own.push(confederation.id, confederation.memberAs);
  return Uint32Array.from(new Set(own));
}

function sizesOf({ limits }: PeerSettings): Pick<ImportOptions, 'sizes'> {
  const { asPathLength = NO_SIZE, communities = NO_SIZE } = limits;
  return asPathLength === NO_SIZE && communities === NO_SIZE ? {} : { sizes: { asPathLength, communities } };
}

export function exportOptions(
  config: Config,
  settings: PeerSettings,
  family: Family,
  ends: SessionEnds,
  addresses: readonly OwnAddress[],
  policies: Policies,
  draining: boolean,
): ExportOptions {
  const { context } = ends;
  const bit = 1 << family.id;
  const sendsSeveral = (context.addPathSend & bit) !== 0;
  const peerType = peerKind(settings, context);
  const internal = peerType === 'internal';
  const external = peerType === 'external';
  const isClient = internal && settings.routeReflectorClient;
  return {
    family,
    peerType,
    policy: policies.exportPolicy(settings.export, family),
    localAs: context.localAs,
    leavesConfederation: external && settings.confederation !== undefined,
    overrideAs: settings.asOverride ? context.peerAs : 0,
    removePrivateAs: settings.removePrivateAs,
    client: settings.routeReflectorClient,
    // Only reflection asks for these: peers that differ in nothing else share their bytes.
    clusterId: isClient ? clusterOf(config, settings) : 0,
    shunnedCluster: isClient && config.bird !== undefined ? clusterOf(config, settings) : 0,
    clientToClient: settings.clientToClient || !internal,
    routeServerClient: settings.routeServerClient,
    nextHop: nextHopRules(settings, family),
    ownNextHop: ownNextHop(settings, family, ends, addresses),
    defaultLocalPref: config.decision.defaultLocalPref,
    renewsOwn: traitsOf(config).renewsOwn,
    sendsOwnMed: config.bird?.dialect !== '2.x',
    role: context.localRole,
    aigp: settings.aigp,
    sendCommunities: settings.sendCommunities,
    interpretCommunities: settings.interpretCommunities ?? true,
    allowLocalPref: external && settings.allowLocalPref === true,
    allowMed: external && settings.allowMed === true,
    draining,
    staleRoutes: staleRule(settings, context),
    as4: context.as4,
    addPath: sendsSeveral ? settings.addPath.send : 'none',
    messageLimit: context.sendLimit,
    extendedNextHop: (context.extendedNextHop & bit) !== 0,
  };
}

function nextHopRules({ nextHop }: PeerSettings, { version }: Family): ExportOptions['nextHop'] {
  return typeof nextHop === 'string' ? nextHop : (nextHop[version] ?? 'auto');
}

/** The cluster that a client is in. */
function clusterOf({ router }: Config, settings: PeerSettings): number {
  return parseQuad(settings.clusterId ?? router.clusterId) ?? 0;
}

/** RFC 9494 §4.3: LLGR_STALE must not get lost on the way, so without communities such a route does not go at all. */
function staleRule(settings: PeerSettings, context: SessionContext): StaleRule {
  if (!settings.sendCommunities) return 'withhold';
  if (context.knowsLongLived) return 'send';
  const { partialDeployment } = settings.gracefulRestart.longLived;
  return partialDeployment && context.peerType === 'internal' ? 'last-resort' : 'withhold';
}

/**
 * The own next hop of a family on a session: the configured address; the session's own where it is of the family;
 * for IPv4 over IPv6 the session's where RFC 8950 was negotiated, else an IPv4 address of the same interface.
 */
function ownNextHop(
  settings: PeerSettings,
  family: Family,
  ends: SessionEnds,
  addresses: readonly OwnAddress[],
): Uint8Array | undefined {
  const { localAddress, context } = ends;
  const wantsV4 = family.version === 'ipv4';
  const configured = wantsV4 ? settings.nextHopAddress.ipv4 : settings.nextHopAddress.ipv6;
  if (configured !== undefined) return parseAddress(configured)?.bytes;
  const name = ends.zone ?? interfaceOf(addresses, localAddress);
  if (localAddress.length === 16) {
    const usable = !wantsV4 || (context.extendedNextHop & (1 << family.id)) !== 0;
    if (usable) return withLinkLocal(settings, ends, addresses, name);
  } else if (wantsV4) {
    return localAddress;
  }
  return name === undefined ? undefined : addressOn(addresses, name, wantsV4 ? 4 : 16);
}

/**
 * RFC 2545 §3: global and link-local address where the peer shares the link, else the global one alone. Between
 * link-local addresses as configured.
 */
function withLinkLocal(
  settings: PeerSettings,
  { localAddress, remoteAddress, context }: SessionEnds,
  addresses: readonly OwnAddress[],
  name: string | undefined,
): Uint8Array {
  const isDirect = context.peerType === 'external' && isSingleHop(settings);
  // Where the subnet is not known the kind of session says it: a single hop.
  const sharesSubnet = () => isInSubnetOf(addresses, localAddress, remoteAddress) ?? true;
  const sharesLink = isLinkLocal(localAddress) || (isDirect && sharesSubnet());
  const linkLocal = sharesLink && name !== undefined ? linkLocalOn(addresses, name) : undefined;
  if (!isLinkLocal(localAddress)) {
    return linkLocal === undefined ? localAddress : joinAddresses(localAddress, linkLocal);
  }
  switch (settings.linkLocalNextHop) {
    case 'native':
      return joinAddresses(UNSPECIFIED, localAddress);
    case 'single':
      return localAddress;
    case 'double':
      return joinAddresses(localAddress, localAddress);
    default:
      return joinAddresses(
        (name === undefined ? undefined : addressOn(addresses, name, 16)) ?? localAddress,
        localAddress,
      );
  }
}

/** Of an eBGP session: the peer is on a common link. */
export function isSingleHop({
  multihop,
  ttlSecurity = 1,
}: Pick<PeerSettings, 'multihop' | 'ttlSecurity'>): boolean {
  return multihop === undefined && ttlSecurity === 1;
}

const UNSPECIFIED = new Uint8Array(16);

function joinAddresses(global: Uint8Array, linkLocal: Uint8Array): Uint8Array {
  const joined = new Uint8Array(32);
  joined.set(global);
  joined.set(linkLocal, 16);
  return joined;
}
