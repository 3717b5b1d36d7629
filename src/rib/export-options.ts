// What decides the bytes that a peer gets. Peers with equal options share an update group: one Adj-RIB-Out, one
// encoding. Whoever adds an input to export adds it here, and the group key, `show groups` and the tests have it.

import type { Family } from '../bgp/wire/families.ts';
import type { Role } from '../bgp/wire/session-context.ts';
import { formatAddress, formatPrefix, formatQuad, type Prefix } from '../lib/ip.ts';
import type { ExportLimit } from './export-limit.ts';
import type { Complete, PeerKind } from './rib-peer.ts';
import { type PeerPolicy, policyKey } from './route-policy.ts';

/**
 * What becomes of routes with LLGR_STALE (RFC 9494 §4.3): sent to peers that know it, withheld from others, or sent to
 * iBGP peers that do not know it as the last resort there is (§4.6).
 */
export type StaleRule = 'send' | 'withhold' | 'last-resort';

/** auto: self towards eBGP, unchanged towards iBGP (RFC 4271 §5.1.3). */
export type NextHopRule = 'auto' | 'self' | 'unchanged' | 'address';

/** By where a route comes from: this speaker, and peers of both kinds. */
export interface NextHopRules {
  readonly own: NextHopRule;
  readonly ibgp: NextHopRule;
  readonly ebgp: NextHopRule;
}

export interface ExportOptions {
  readonly family: Family;
  readonly peerType: PeerKind;
  readonly policy: PeerPolicy;
  /** The AS put in front of the path towards other ASes, those of a confederation too. */
  readonly localAs: number;
  /** RFC 5065: the peer is outside this speaker's confederation, whose segments end here. */
  readonly leavesConfederation?: boolean | undefined;
  /** The peer's AS where its occurrences in the path are replaced by the local one; 0 = leave them. */
  readonly overrideAs: number;
  readonly removePrivateAs: boolean;
  /** The peer is a route-reflector client (RFC 4456). */
  readonly client: boolean;
  /** The cluster that a client is in (RFC 4456 §7); of others it says nothing. */
  readonly clusterId: number;
  /** Routes that have been in this cluster do not go into it again; 0 = import has refused them. */
  readonly shunnedCluster: number;
  /** False: clients are fully meshed and nothing is reflected between them. */
  readonly clientToClient: boolean;
  /** RFC 7947: path, next hop and MED stay as they are. */
  readonly routeServerClient: boolean;
  readonly nextHop: NextHopRule | NextHopRules;
  /** Own next hop for this family on this session: 4, 16 or 32 octets; undefined where there is no address. */
  readonly ownNextHop: Uint8Array | undefined;
  /**
   * Of the link that an eBGP peer is on, one hop away: a next hop in one of them stays where `auto` would show the own
   * address (RFC 4271 §5.1.3, third party). Of whichever table: all have the machine's links, as in BIRD.
   */
  readonly linkSubnets?: readonly Prefix[] | undefined;
  readonly defaultLocalPref: number;
  /**
   * Own routes leave with ORIGIN, AS_PATH, NEXT_HOP and LOCAL_PREF of new ones, whatever the table has, and others with a
   * MED of 0 where they have one that may not go on (BIRD 1.6).
   */
  readonly renewsOwn: boolean;
  /** The MED of own routes goes to other ASes; else only one that a filter has made explicit. */
  readonly sendsOwnMed: boolean;
  readonly role: Role | undefined;
  readonly aigp: boolean;
  readonly sendCommunities: boolean;
  /** False: NO_ADVERTISE, NO_EXPORT and NO_EXPORT_SUBCONFED keep nothing back, against RFC 1997. */
  readonly interpretCommunities?: boolean | undefined;
  /** Towards eBGP: LOCAL_PREF goes along, and the MED of other ASes. */
  readonly allowLocalPref?: boolean | undefined;
  readonly allowMed?: boolean | undefined;
  /** RFC 8326 §4: routes are tagged GRACEFUL_SHUTDOWN, and towards iBGP preferred last. */
  readonly draining: boolean;
  readonly staleRoutes: StaleRule;
  /**
   * Where the best route may not go to the peer, or is its own, the next one that may goes (RFC 7947 §2.3). That differs
   * from peer to peer: this names the one that the group is for. Undefined = the best route or none.
   */
  readonly evaluateAllFor?: string | undefined;
  /** Undefined = none. */
  readonly limit?: ExportLimit | undefined;
  // What was negotiated.
  readonly as4: boolean;
  /** ADD-PATH: how many paths of a prefix; none = the best without an identifier. */
  readonly addPath: 'none' | 'all' | number;
  readonly messageLimit: number;
  readonly extendedNextHop: boolean;
}

/** As uniformImport: the one shape that the export of routes sees. */
export function uniformExport(options: ExportOptions): ExportOptions {
  const uniform: Complete<ExportOptions> = {
    family: options.family,
    peerType: options.peerType,
    policy: options.policy,
    localAs: options.localAs,
    leavesConfederation: options.leavesConfederation ?? false,
    overrideAs: options.overrideAs,
    removePrivateAs: options.removePrivateAs,
    client: options.client,
    clusterId: options.clusterId,
    shunnedCluster: options.shunnedCluster,
    clientToClient: options.clientToClient,
    routeServerClient: options.routeServerClient,
    nextHop: options.nextHop,
    ownNextHop: options.ownNextHop,
    linkSubnets: options.linkSubnets,
    defaultLocalPref: options.defaultLocalPref,
    renewsOwn: options.renewsOwn,
    sendsOwnMed: options.sendsOwnMed,
    role: options.role,
    aigp: options.aigp,
    sendCommunities: options.sendCommunities,
    interpretCommunities: options.interpretCommunities ?? true,
    allowLocalPref: options.allowLocalPref ?? false,
    allowMed: options.allowMed ?? false,
    draining: options.draining,
    staleRoutes: options.staleRoutes,
    evaluateAllFor: options.evaluateAllFor,
    limit: options.limit,
    as4: options.as4,
    addPath: options.addPath,
    messageLimit: options.messageLimit,
    extendedNextHop: options.extendedNextHop,
  };
  return uniform;
}

/** Every input as name -> text; the texts joined are the group's key. */
export function describeOptions(options: ExportOptions): Record<string, string> {
  const { ownNextHop } = options;
  return {
    family: options.family.name,
    type: options.peerType,
    policy: policyKey(options.policy),
    localAs: String(options.localAs),
    leavesConfederation: String(options.leavesConfederation ?? false),
    overrideAs: String(options.overrideAs),
    removePrivateAs: String(options.removePrivateAs),
    client: String(options.client),
    clusterId: formatQuad(options.clusterId),
    shunnedCluster: formatQuad(options.shunnedCluster),
    clientToClient: String(options.clientToClient),
    routeServerClient: String(options.routeServerClient),
    nextHop: describeRules(options.nextHop),
    ownNextHop:
      ownNextHop === undefined
        ? 'none'
        : ownNextHop.length === 32
          ? `${formatAddress(ownNextHop.subarray(0, 16))}+${formatAddress(ownNextHop.subarray(16))}`
          : formatAddress(ownNextHop),
    linkSubnets: (options.linkSubnets ?? []).map(formatPrefix).join(' '),
    defaultLocalPref: String(options.defaultLocalPref),
    renewsOwn: String(options.renewsOwn),
    sendsOwnMed: String(options.sendsOwnMed),
    role: options.role ?? 'none',
    aigp: String(options.aigp),
    sendCommunities: String(options.sendCommunities),
    interpretCommunities: String(options.interpretCommunities ?? true),
    allowLocalPref: String(options.allowLocalPref ?? false),
    allowMed: String(options.allowMed ?? false),
    draining: String(options.draining),
    staleRoutes: options.staleRoutes,
    evaluateAllFor: options.evaluateAllFor ?? '',
    limit: options.limit?.key ?? 'none',
    as4: String(options.as4),
    addPath: String(options.addPath),
    messageLimit: String(options.messageLimit),
    extendedNextHop: String(options.extendedNextHop),
  };
}

function describeRules(rules: NextHopRule | NextHopRules): string {
  if (typeof rules === 'string') return rules;
  const { own, ibgp, ebgp } = rules;
  return `own ${own}, ibgp ${ibgp}, ebgp ${ebgp}`;
}

export function groupKey(options: ExportOptions): string {
  return Object.values(describeOptions(options)).join('|');
}
