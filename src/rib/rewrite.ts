// A route's attributes on the way out, for one update group: RFC 4271 §5.1 (what crosses an AS boundary), RFC 5065
// §4.1 (and that of a confederation), RFC 4456 §8 (what a reflector adds), RFC 9234 §5 (OTC), RFC 4360 §6
// (non-transitive communities), RFC 7947 (a route server changes nothing), next hop rules. The result depends on the
// attribute set and the peer it came from, not on the prefix; it is made when it is sent and kept nowhere, because the
// Adj-RIB-Out names the set it was made of.

import {
  MAX_SEGMENT_ASES,
  prepend,
  removeConfederation,
  removePrivateAses,
  replaceAs,
  SEGMENT_HEADER,
} from '../bgp/wire/as-path.ts';
import { AttributeTransform, type TransformPlan } from '../bgp/wire/attribute-transform.ts';
import { keepTransitiveCommunities } from '../bgp/wire/communities.ts';
import { ATTRIBUTE, ORIGIN_NAMES, SEGMENT, WELL_KNOWN_COMMUNITIES } from '../bgp/wire/iana.ts';
import { type Octets, optionalBytesEqual, writeUint32 } from '../lib/bytes.ts';
import { isUnspecified, prefixContains } from '../lib/ip.ts';
import { ATTR_FLAG, type AttrStore } from './attr-store.ts';
import { hasCluster } from './attr-values.ts';
import { WITHHELD, type WithheldCause, withheld } from './distribution.ts';
import type { ExportOptions, NextHopRule, NextHopRules } from './export-options.ts';
import { finalPlan, plansFor, preparingPlans } from './export-plans.ts';
import type { NextHop } from './next-hops.ts';
import { type PeerTable, type RibPeer, SOURCES } from './rib-peer.ts';
import { EXPLICIT, NO_EXTRAS } from './route-extras.ts';

/** A route as it is sent; good until the next `render`. */
export interface RenderedRoute extends Octets {
  /** Of the canonical attributes, which are the first of `bytes`. */
  readonly length: number;
  /** 4, 16 or 32 octets. */
  readonly nextHop: Uint8Array;
}

export class ExportRewriter {
  readonly #options: ExportOptions;
  readonly #attrs: AttrStore;
  readonly #peers: PeerTable;
  // By SOURCE: a name as the index takes as long as the rest of a judgement.
  readonly #plans: readonly TransformPlan[];
  /** For routes whose MED a policy has made explicit. */
  readonly #plansWithMed: readonly TransformPlan[];
  readonly #preparing: readonly TransformPlan[];
  /** For what `prepare` and a policy have made already. */
  readonly #finalPlan: TransformPlan | undefined;
  readonly #shunned: readonly number[] | undefined;
  readonly #nextHopRules: readonly NextHopRule[];
  /** Whether next hops are in `linkSubnets`; undefined where there are none. */
  readonly #onLink: WeakMap<NextHop, boolean> | undefined;
  /** More happens to paths than an AS in front. */
  readonly #editsPath: boolean;
  /** Where that AS goes. */
  readonly #segment: number;
  #transform = new AttributeTransform();
  /** For comparing two routes. */
  #other = new AttributeTransform();
  /** The set at hand and where it came from, for `#write`. */
  #attr = 0;
  #from: RibPeer | undefined;

  constructor(options: ExportOptions, attrs: AttrStore, peers: PeerTable) {
    this.#options = options;
    this.#attrs = attrs;
    this.#peers = peers;
    this.#plans = plansFor(options, options.renewsOwn ? 'zero' : 'none');
    this.#plansWithMed = plansFor(options, 'keep');
    this.#preparing = preparingPlans(options);
    const { policy, peerType, overrideAs, removePrivateAs, leavesConfederation = false } = options;
    this.#editsPath = removePrivateAs || overrideAs !== 0 || leavesConfederation;
    this.#segment = peerType === 'confederation' ? SEGMENT.confedSequence : SEGMENT.asSequence;
    const last = typeof policy !== 'string' && policy.afterRewrite;
    this.#finalPlan = last ? finalPlan(options) : undefined;
    this.#shunned = options.shunnedCluster === 0 ? undefined : [options.shunnedCluster];
    this.#nextHopRules = rulesBySource(options.nextHop);
    this.#onLink = options.linkSubnets === undefined ? undefined : new WeakMap();
  }

  /** Whether a route with these attributes, from this peer, may be sent; looks at columns only. */
  judge(attr: number, from: number): WithheldCause {
    const peer = this.#peers.get(from);
    const cause = withheld(this.#options, peer, this.#attrs.flags[attr]!);
    if (cause !== WITHHELD.none) return cause;
    if (this.#shunned !== undefined && hasCluster(this.#attrs, attr, this.#shunned))
      return WITHHELD.clusterLoop;
    return this.#judgeNextHop(attr, true, peer);
  }

  /** Whether the peer can be told the next hop of a set that an export policy has made. */
  canEncode(attr: number, from: number): boolean {
    return this.#judgeNextHop(attr, !this.#standsAsIs(attr), this.#peers.get(from)) === WITHHELD.none;
  }

  /** What is sent of a route that `judge`, and the policy, let pass. */
  render(attr: number, from: number): RenderedRoute {
    const peer = this.#peers.get(from);
    const plans = (this.#explicit(attr) & EXPLICIT.med) === 0 ? this.#plans : this.#plansWithMed;
    const { bytes, view, length } = this.#run(
      attr,
      peer,
      this.#finalPlan ?? plans[this.#peers.source[from]!]!,
    );
    return { bytes, view, length, nextHop: this.#nextHop(attr, peer) };
  }

  /** For a policy that comes after the protocol: the route as it would be sent, LOCAL_PREF included. */
  prepare(attr: number, from: number): RenderedRoute {
    const peer = this.#peers.get(from);
    const { bytes, view, length } = this.#run(attr, peer, this.#preparing[this.#peers.source[from]!]!);
    return { bytes, view, length, nextHop: this.#ruledNextHop(attr, peer) };
  }

  #run(attr: number, from: RibPeer, plan: TransformPlan): AttributeTransform {
    const attrs = this.#attrs;
    this.#attr = attr;
    this.#from = from;
    const transform = this.#transform;
    transform.run(attrs, attrs.offset(attr), attrs.length(attr), plan, this.#write);
    return transform;
  }

  #explicit(attr: number): number {
    const extras = this.#attrs.extras[attr]!;
    return extras === NO_EXTRAS ? 0 : this.#attrs.extrasTable.get(extras).explicit;
  }

  /**
   * Whether two routes are sent as the same octets, though they came as different ones or from different peers. Nobody
   * knows what was sent of a route whose peer did not come along into this process (`from` 0).
   */
  sameRendering(attr: number, from: number, otherAttr: number, otherFrom: number): boolean {
    if (attr === otherAttr && from === otherFrom) return true;
    if (from === 0) return false;
    const first = this.render(attr, from);
    [this.#transform, this.#other] = [this.#other, this.#transform];
    const second = this.render(otherAttr, otherFrom);
    return (
      sameOctets(first.bytes, first.length, second.bytes, second.length) &&
      sameOctets(first.nextHop, first.nextHop.length, second.nextHop, second.nextHop.length)
    );
  }

  /** The attributes that a plan leaves to the occasion; `source[start, end)` is the received value, if any. */
  readonly #write = (type: number, source: Uint8Array, start: number, end: number): void => {
    const { localAs, defaultLocalPref } = this.#options;
    const transform = this.#transform;
    switch (type) {
      case ATTRIBUTE.origin:
        transform.put(type, IGP);
        break;
      case ATTRIBUTE.asPath:
        this.#writePath(source, this.#renews() ? ABSENT : start, end);
        break;
      case ATTRIBUTE.clusterList:
        this.#writeClusters(source, start < 0 ? 0 : start, start < 0 ? 0 : end);
        break;
      case ATTRIBUTE.communities:
        this.#writeCommunities(source, start, end);
        break;
      case ATTRIBUTE.extendedCommunities:
      case ATTRIBUTE.ipv6ExtendedCommunities: {
        if (start < 0) break;
        const kept = keepTransitiveCommunities(source.subarray(start, end), type);
        if (kept.length > 0) transform.put(type, kept);
        break;
      }
      case ATTRIBUTE.multiExitDisc:
        // For a policy that comes after: a MED that may not go on is there, and says nothing.
        if (start >= 0) transform.putUint32(type, 0);
        break;
      default:
        if (type === ATTRIBUTE.localPref && this.#isLastResort()) transform.putUint32(type, 0);
        else if (type === ATTRIBUTE.localPref && this.#renews()) transform.putUint32(type, defaultLocalPref);
        // What is there stays as it is.
        else if (start >= 0) transform.put(type, source, start, end);
        else if (type === ATTRIBUTE.onlyToCustomer) transform.putUint32(type, localAs);
        // RFC 4271 §5.1.5: the degree of preference travels with every route.
        else if (type === ATTRIBUTE.localPref) transform.putUint32(type, this.#attrs.localPref[this.#attr]!);
        // RFC 4456 §8
        else if (type === ATTRIBUTE.originatorId) transform.putUint32(type, this.#from?.routerId ?? 0);
    }
  };

  /**
   * RFC 4456 §8: the own cluster id in front of the list, which is that of the client who is told, or who has told. Where
   * both are clients, of different clusters, the route has been through both.
   */
  #writeClusters(source: Uint8Array, start: number, end: number): void {
    const { client, clusterId } = this.#options;
    const from = this.#from?.client === true ? this.#from.importOptions.clusterId : clusterId;
    const to = client ? clusterId : from;
    if (from === to) {
      this.#transform.putUint32Before(ATTRIBUTE.clusterList, to, source, start, end);
      return;
    }
    const rest = new Uint8Array(CLUSTER_OCTETS + end - start);
    writeUint32(rest, 0, from);
    rest.set(source.subarray(start, end), CLUSTER_OCTETS);
    this.#transform.putUint32Before(ATTRIBUTE.clusterList, to, rest, 0, rest.length);
  }

  #renews(): boolean {
    return this.#options.renewsOwn && this.#from?.source === 'local';
  }

  /** RFC 8326 §4, RFC 9494 §4.6 */
  #isLastResort(): boolean {
    return this.#options.draining || this.#isStrangelyStale();
  }

  /** Long-lived stale, for a peer that does not know what that means. */
  #isStrangelyStale(): boolean {
    return (
      this.#options.staleRoutes === 'last-resort' &&
      (this.#attrs.flags[this.#attr]! & ATTR_FLAG.llgrStale) !== 0
    );
  }

  /** Each community once, whoever has tagged the route already. */
  #writeCommunities(source: Uint8Array, start: number, end: number): void {
    const { GRACEFUL_SHUTDOWN, NO_EXPORT } = WELL_KNOWN_COMMUNITIES;
    const flags = this.#attrs.flags[this.#attr]!;
    const added: number[] = [];
    if (this.#options.draining && (flags & ATTR_FLAG.gracefulShutdown) === 0) added.push(GRACEFUL_SHUTDOWN);
    if (this.#isStrangelyStale() && (flags & ATTR_FLAG.noExport) === 0) added.push(NO_EXPORT);
    if (added.length === 0) {
      if (start >= 0) this.#transform.put(ATTRIBUTE.communities, source, start, end);
      return;
    }
    const own = start < 0 ? NO_BYTES : source.subarray(start, end);
    const value = new Uint8Array(added.length * COMMUNITY_OCTETS + own.length);
    for (const [i, community] of added.entries()) writeUint32(value, i * COMMUNITY_OCTETS, community);
    value.set(own, added.length * COMMUNITY_OCTETS);
    this.#transform.put(ATTRIBUTE.communities, value);
  }

  #writePath(source: Uint8Array, start: number, end: number): void {
    const { overrideAs, removePrivateAs, leavesConfederation, localAs, peerType, routeServerClient } =
      this.#options;
    const transform = this.#transform;
    const present = start >= 0;
    if (peerType === 'internal' || (routeServerClient && !leavesConfederation)) {
      transform.put(ATTRIBUTE.asPath, source, present ? start : 0, present ? end : 0);
      return;
    }
    if (!this.#editsPath && present && hasRoomInFront(source, start, end, this.#segment)) {
      // The usual case: one more AS in the leading segment (RFC 4271 §5.1.2, RFC 5065 §4.1).
      const header = (this.#segment << 8) | (source[start + 1]! + 1);
      transform.putSequence(ATTRIBUTE.asPath, header, localAs, source, start + SEGMENT_HEADER, end);
      return;
    }
    let path: Uint8Array = present ? source.subarray(start, end) : NO_BYTES;
    if (leavesConfederation) path = removeConfederation(path);
    if (routeServerClient) {
      transform.put(ATTRIBUTE.asPath, path);
      return;
    }
    if (removePrivateAs) path = removePrivateAses(path);
    if (overrideAs !== 0) path = replaceAs(path, overrideAs, localAs);
    transform.put(ATTRIBUTE.asPath, prepend(path, localAs, 1, this.#segment));
  }

  /** What a policy has set, or what it saw, stands; the rules are for the rest. */
  #nextHop(attr: number, from: RibPeer): Uint8Array {
    return this.#standsAsIs(attr)
      ? this.#attrs.nextHops.get(this.#attrs.nextHop[attr]!).wire
      : this.#ruledNextHop(attr, from);
  }

  #standsAsIs(attr: number): boolean {
    return this.#finalPlan !== undefined || (this.#explicit(attr) & EXPLICIT.nextHop) !== 0;
  }

  /** RFC 4271 §5.1.3: the next hop to show. */
  #ruledNextHop(attr: number, from: RibPeer): Uint8Array {
    const { nextHops } = this.#attrs;
    if (this.#showsSelf(attr, from)) return this.#options.ownNextHop ?? NO_BYTES;
    const { address, wire } = nextHops.get(this.#attrs.nextHop[attr]!);
    // RFC 2545 §3: a link-local address means something on its own link only, which iBGP peers need not share.
    return wire.length === LINK_LOCAL_PAIR && this.#options.peerType !== 'external' ? address : wire;
  }

  #showsSelf(attr: number, from: RibPeer): boolean {
    const { peerType, routeServerClient } = this.#options;
    const rule = this.#nextHopRules[this.#peers.source[from.id]!];
    return (
      rule === 'self' ||
      rule === 'address' ||
      // Own routes have no other next hop than this speaker, unless they were given one.
      (from.source === 'local' && (this.#isUnspecified(attr) || this.#isRenewed(attr))) ||
      (rule === 'auto' && peerType === 'external' && !routeServerClient && !this.#isOnLink(attr))
    );
  }

  #isOnLink(attr: number): boolean {
    if (this.#onLink === undefined) return false;
    const nextHop = this.#attrs.nextHops.get(this.#attrs.nextHop[attr]!);
    const known = this.#onLink.get(nextHop);
    if (known !== undefined) return known;
    const { linkSubnets = [] } = this.#options;
    const found = linkSubnets.some((subnet) => prefixContains(subnet, nextHop.address));
    this.#onLink.set(nextHop, found);
    return found;
  }

  #isUnspecified(attr: number): boolean {
    const { address } = this.#attrs.nextHops.get(this.#attrs.nextHop[attr]!);
    return isUnspecified(address);
  }

  /** Of what an own route was given, its gateway alone stays. */
  #isRenewed(attr: number): boolean {
    if (!this.#options.renewsOwn) return false;
    const { gateway } = this.#attrs.extrasTable.get(this.#attrs.extras[attr]!);
    return !optionalBytesEqual(gateway, this.#attrs.nextHops.get(this.#attrs.nextHop[attr]!).address);
  }

  #judgeNextHop(attr: number, ruled: boolean, from: RibPeer): WithheldCause {
    const { ownNextHop, family, extendedNextHop } = this.#options;
    const self = ruled && this.#showsSelf(attr, from);
    const wire = self ? ownNextHop : this.#attrs.nextHops.get(this.#attrs.nextHop[attr]!).wire;
    if (wire === undefined) return WITHHELD.noNextHop;
    // RFC 8950 §4 lets an IPv6 next hop go with IPv4 routes; nothing lets an IPv4 one go with IPv6 routes.
    const native = wire.length === family.nextHopBytes || (wire.length === 32 && family.nextHopBytes === 16);
    if (native || (wire.length > 4 && extendedNextHop)) return WITHHELD.none;
    return wire.length === 4 ? WITHHELD.noNextHop : WITHHELD.nextHopEncoding;
  }
}

function rulesBySource(rules: NextHopRule | NextHopRules): readonly NextHopRule[] {
  const { own, ibgp, ebgp } = typeof rules === 'string' ? { own: rules, ibgp: rules, ebgp: rules } : rules;
  const bySource = { local: own, internal: ibgp, external: ebgp, confederation: ebgp };
  return SOURCES.map((source) => bySource[source]);
}

function sameOctets(a: Uint8Array, aLength: number, b: Uint8Array, bLength: number): boolean {
  if (aLength !== bLength) return false;
  for (let i = 0; i < aLength; i++) if (a[i] !== b[i]) return false;
  return true;
}

const NO_BYTES = new Uint8Array(0);
/** The value of ORIGIN. */
const IGP = Uint8Array.of(ORIGIN_NAMES.indexOf('IGP'));
/** In the place of where a value begins. */
const ABSENT = -1;
const COMMUNITY_OCTETS = 4;
const CLUSTER_OCTETS = 4;
/** Octets of a global address with the link-local one beside it. */
const LINK_LOCAL_PAIR = 32;

/** Whether the path begins with such a segment, and that takes one more AS. */
function hasRoomInFront(path: Uint8Array, start: number, end: number, segment: number): boolean {
  return end > start && path[start] === segment && path[start + 1]! < MAX_SEGMENT_ASES;
}
