// From a peer's configuration and what a session agreed on to what the RIB wants to know: import checks and the
// export options that choose the update group. The one place where next-hop-self gets its address.

import type { Family } from '../bgp/wire/families.ts';
import type { SessionContext } from '../bgp/wire/session-context.ts';
import type { Config, PeerSettings } from '../config/model.ts';
import { isLinkLocal, parseAddress, parseQuad } from '../lib/ip.ts';
import type { ExportOptions, StaleRule } from '../rib/export-options.ts';
import { type ImportOptions, NO_SIZE, type PeerKind, type RibPeerIdentity } from '../rib/rib-peer.ts';
import { traitsOf } from './bird/traits.ts';
import {
  addressOn,
  interfaceOf,
  isInSubnetOf,
  linkLocalOn,
  type OwnAddress,
  subnetsOn,
} from './own-addresses.ts';
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

/** The same with all that decision and export read of it; `place`: its tables. */
export function ribIdentity(
  { name, settings }: { readonly name: string; readonly settings: PeerSettings },
  { context, remoteAddress, zone }: Pick<SessionEnds, 'context' | 'remoteAddress' | 'zone'>,
  place: Pick<RibPeerIdentity, 'home' | 'domains'>,
): RibPeerIdentity {
  return {
    name,
    source: peerKind(settings, context),
    routerId: context.peerId,
    address: remoteAddress,
    client: settings.routeReflectorClient,
    zone,
    ...place,
  };
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
    linkSubnets: external ? linkSubnets(config, settings, family, ends, addresses) : undefined,
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
export function clusterOf({ router }: Config, settings: PeerSettings): number {
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
 * The own next hop of a family on a session: the configured address; the session's own where it is of the family, or
 * may be (RFC 8950), else one of the same interface. RFC 2545 §3: an IPv6 address with the link-local one where the peer
 * shares the link.
 */
function ownNextHop(
  settings: PeerSettings,
  family: Family,
  ends: SessionEnds,
  addresses: readonly OwnAddress[],
): Uint8Array | undefined {
  const { localAddress, context } = ends;
  const configured = settings.nextHopAddress[family.version];
  if (configured !== undefined) return parseAddress(configured)?.bytes;
  const name = ends.zone ?? interfaceOf(addresses, localAddress);
  const onLink = (octets: 4 | 16) => (name === undefined ? undefined : addressOn(addresses, name, octets));
  if (isLinkLocal(localAddress) && takesIpv6(family, context)) {
    return betweenLinkLocal(localAddress, onLink(16), settings.linkLocalNextHop);
  }
  const isOfFamily = localAddress.length === family.nextHopBytes;
  const usesOwn = isOfFamily || (localAddress.length === 16 && takesIpv6(family, context));
  const address = usesOwn ? localAddress : onLink(family.version === 'ipv4' ? 4 : 16);
  const link = address?.length === 16 ? sharedLink(settings, ends, addresses) : undefined;
  const linkLocal = link === undefined ? undefined : linkLocalOn(addresses, link);
  return address === undefined || linkLocal === undefined ? address : joinAddresses(address, linkLocal);
}

/** RFC 8950 §4 */
function takesIpv6({ version, id }: Family, { extendedNextHop }: SessionContext): boolean {
  return version === 'ipv6' || (extendedNextHop & (1 << id)) !== 0;
}

/** How it is shown on a session between link-local addresses. */
function betweenLinkLocal(
  own: Uint8Array,
  global: Uint8Array | undefined,
  format: PeerSettings['linkLocalNextHop'],
): Uint8Array {
  switch (format) {
    case 'native':
      return joinAddresses(UNSPECIFIED, own);
    case 'single':
      return own;
    case 'double':
      return joinAddresses(own, own);
    default:
      return joinAddresses(global ?? own, own);
  }
}

/**
 * RFC 4271 §5.1.3: next hops on the link of a peer one hop away stay as they are, as BIRD has it. Those that the family can
 * have (RFC 8950).
 */
function linkSubnets(
  { bird }: Config,
  settings: PeerSettings,
  family: Family,
  ends: SessionEnds,
  addresses: readonly OwnAddress[],
): ExportOptions['linkSubnets'] {
  const link = bird === undefined ? undefined : sharedLink(settings, ends, addresses);
  if (link === undefined) return undefined;
  return subnetsOn(addresses, link).filter(
    ({ bytes: { length } }) => length === family.nextHopBytes || takesIpv6(family, ends.context),
  );
}

/** The interface that an eBGP peer one hop away is behind. Where the subnet is not known, the kind of session says it. */
function sharedLink(
  settings: PeerSettings,
  { context, localAddress, remoteAddress, zone }: SessionEnds,
  addresses: readonly OwnAddress[],
): string | undefined {
  const isDirect = context.peerType === 'external' && isSingleHop(settings);
  if (!isDirect || isInSubnetOf(addresses, localAddress, remoteAddress) === false) return undefined;
  return zone ?? interfaceOf(addresses, localAddress);
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
