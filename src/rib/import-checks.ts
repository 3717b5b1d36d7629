// What a received attribute set becomes for one peer: refused with a cause, or accepted, perhaps with attributes
// changed by the protocol itself (RFC 8326, RFC 9234). It looks at attributes only, so it runs once for an UPDATE
// however many prefixes that carries; a filter, which may look at the prefix, is named in the result and runs after.
// Loops: RFC 4271 §9.1.2, RFC 4456 §8. First AS: RFC 7606 §7.2.

import { countAs } from '../bgp/wire/as-path.ts';
import { AttributeEditor, findAttribute, valueLength, valueStart } from '../bgp/wire/attribute-set.ts';
import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import { bytesEqual } from '../lib/bytes.ts';
import { ATTR_FLAG, type AttrStore } from './attr-store.ts';
import { hasCluster, onlyToCustomerOf } from './attr-values.ts';
import { type AttributeSizes, type ImportOptions, NO_SIZE, type RibPeer } from './rib-peer.ts';
import { plainExtras } from './route-extras.ts';
import type { RoutePolicy } from './route-policy.ts';

/** Causes, as the `reject` column holds them; the sentences are what `show routes` prints. */
export const REJECT = {
  none: 0,
  policy: 1,
  noPolicy: 2,
  asLoop: 3,
  originatorLoop: 4,
  clusterLoop: 5,
  firstAs: 6,
  routeLeak: 7,
  ownNextHop: 8,
  overLimit: 9,
  asPathLength: 10,
  communities: 11,
  damped: 12,
} as const;
export type RejectCause = (typeof REJECT)[keyof typeof REJECT];

export const REJECT_SENTENCES: Readonly<Record<RejectCause, string>> = {
  0: 'accepted',
  1: 'rejected by import policy',
  2: 'no import policy on an eBGP peer (RFC 8212)',
  3: 'own AS in AS_PATH',
  4: 'own router id as ORIGINATOR_ID',
  5: 'own cluster id in CLUSTER_LIST',
  6: 'AS_PATH does not begin with the AS of the peer',
  7: 'route leak: ONLY_TO_CUSTOMER does not fit the role (RFC 9234)',
  8: 'own address as NEXT_HOP',
  9: 'the limit of accepted routes of the peer is reached',
  10: 'AS_PATH longer than the limit of the peer',
  11: 'more communities than the limit of the peer',
  12: 'damped: it flaps too often (RFC 2439); "show damped" tells for how long',
};

export interface ImportResult {
  /** 0 = refused; otherwise held once for the caller. */
  attrPost: number;
  cause: RejectCause;
  /** Has the last word on `attrPost`, prefix by prefix or once (adj-rib-in.ts). */
  policy?: RoutePolicy | undefined;
}

/** Own identifiers that a reflected route may come back with. */
export interface OwnIdentifiers {
  readonly routerId: number;
  readonly clusterIds: readonly number[];
}

export class ImportChecks {
  readonly #attrs: AttrStore;
  #own: OwnIdentifiers;
  readonly #editor = new AttributeEditor();
  readonly #result: ImportResult = { attrPost: 0, cause: REJECT.none, policy: undefined };

  constructor(attrs: AttrStore, own: OwnIdentifiers) {
    this.#attrs = attrs;
    this.#own = own;
  }

  useOwnIdentifiers(own: OwnIdentifiers): void {
    this.#own = own;
  }

  /**
   * `superseded` is what merging AS4_PATH replaced, if anything: both paths count for loops (RFC 6793 §4.2.3). The
   * result is reused by the next call.
   */
  evaluate(peer: RibPeer, attrIn: number, superseded?: Uint8Array): ImportResult {
    const cause = peer.source === 'local' ? REJECT.none : this.#check(peer, attrIn, superseded);
    this.#result.cause = cause;
    this.#result.attrPost = cause === REJECT.none ? this.#accept(peer, attrIn) : 0;
    const { policy } = peer.importOptions;
    this.#result.policy = typeof policy === 'string' || cause !== REJECT.none ? undefined : policy;
    return this.#result;
  }

  #check(peer: RibPeer, attrIn: number, superseded: Uint8Array | undefined): RejectCause {
    const attrs = this.#attrs;
    const options = peer.importOptions;
    const flags = attrs.flags[attrIn]!;
    if (this.#hasAsLoop(attrIn, options)) return REJECT.asLoop;
    if (superseded !== undefined && isLoop(superseded, 0, superseded.length, options)) return REJECT.asLoop;
    if (peer.source === 'internal') {
      if ((flags & ATTR_FLAG.originatorId) !== 0) {
        const originator = attrs.originatorId[attrIn];
        if (originator === this.#own.routerId || originator === options.shownId) return REJECT.originatorLoop;
      }
      if (hasCluster(attrs, attrIn, options.shunnedClusters ?? this.#own.clusterIds))
        return REJECT.clusterLoop;
    } else if (options.enforceFirstAs && attrs.neighborAs[attrIn] !== options.peerAs) {
      return REJECT.firstAs;
    }
    if (this.#isRouteLeak(peer, attrIn, flags)) return REJECT.routeLeak;
    if (this.#isOwnNextHop(attrIn, options.ownAddresses)) return REJECT.ownNextHop;
    if (options.sizes !== undefined) {
      const cause = this.#checkSizes(attrIn, options.sizes);
      if (cause !== REJECT.none) return cause;
    }
    const { policy } = options;
    if (typeof policy !== 'string' || policy === 'accept') return REJECT.none;
    return policy === 'none' ? REJECT.noPolicy : REJECT.policy;
  }

  #hasAsLoop(attrIn: number, options: ImportOptions): boolean {
    const attrs = this.#attrs;
    const { bytes } = attrs;
    const at = findAttribute(bytes, attrs.offset(attrIn), attrs.length(attrIn), ATTRIBUTE.asPath);
    if (at < 0) return false;
    const start = valueStart(bytes, at);
    return isLoop(bytes, start, start + valueLength(bytes, at), options);
  }

  /** RFC 9234 §5, ingress 1 and 2. */
  #isRouteLeak(peer: RibPeer, attrIn: number, flags: number): boolean {
    if ((flags & ATTR_FLAG.onlyToCustomer) === 0) return false;
    switch (peer.importOptions.role) {
      // The local role is provider or route server: the peer is a customer or a client.
      case 'provider':
      case 'rs-server':
        return true;
      case 'peer':
        return onlyToCustomerOf(this.#attrs, attrIn) !== peer.importOptions.peerAs;
      default:
        return false;
    }
  }

  #checkSizes(attrIn: number, { asPathLength, communities }: AttributeSizes): RejectCause {
    const attrs = this.#attrs;
    if (attrs.asLength[attrIn]! > asPathLength) return REJECT.asPathLength;
    if (communities === NO_SIZE) return REJECT.none;
    const start = attrs.offset(attrIn);
    const count = countCommunities(attrs.bytes, start, attrs.length(attrIn));
    return count > communities ? REJECT.communities : REJECT.none;
  }

  #isOwnNextHop(attrIn: number, ownAddresses: readonly Uint8Array[]): boolean {
    const { address } = this.#attrs.nextHops.get(this.#attrs.nextHop[attrIn]!);
    // By index: this runs for every UPDATE, and closures and iterators cost more than what they do.
    for (let i = 0; i < ownAddresses.length; i++) if (bytesEqual(ownAddresses[i]!, address)) return true;
    return false;
  }

  /** The accepted set, with what the protocol adds to it. */
  #accept(peer: RibPeer, attrIn: number): number {
    const attrs = this.#attrs;
    const { role, gracefulShutdown, draining, peerAs, preference } = peer.importOptions;
    const flags = attrs.flags[attrIn]!;
    const shuttingDown =
      draining ||
      (gracefulShutdown && peer.source === 'external' && (flags & ATTR_FLAG.gracefulShutdown) !== 0);
    // RFC 9234 §5, ingress 3: from a provider, a peer or a route server.
    const addOtc =
      (role === 'customer' || role === 'peer' || role === 'rs-client') &&
      (flags & ATTR_FLAG.onlyToCustomer) === 0;
    if (!shuttingDown && !addOtc && preference === undefined) {
      attrs.hold(attrIn);
      return attrIn;
    }
    const editor = this.#editor;
    editor.load(attrs.bytes, attrs.offset(attrIn), attrs.length(attrIn));
    if (shuttingDown) editor.setUint32(ATTRIBUTE.localPref, 0);
    if (addOtc) editor.setUint32(ATTRIBUTE.onlyToCustomer, peerAs);
    const nextHop = attrs.nextHop[attrIn]!;
    if (preference === undefined) return attrs.internViewed(editor.view, 0, editor.length, nextHop);
    const extras = attrs.extrasTable.intern({ ...plainExtras('bgp'), preference });
    const attr = attrs.internViewed(editor.view, 0, editor.length, nextHop, extras);
    attrs.extrasTable.release(extras);
    return attr;
  }
}

/** Octets of one community of each kind (RFC 1997, 4360, 5701, 8092). */
const COMMUNITY_OCTETS = [
  [ATTRIBUTE.communities, 4],
  [ATTRIBUTE.extendedCommunities, 8],
  [ATTRIBUTE.ipv6ExtendedCommunities, 20],
  [ATTRIBUTE.largeCommunities, 12],
] as const;

function countCommunities(bytes: Uint8Array, start: number, length: number): number {
  let count = 0;
  for (const [type, octets] of COMMUNITY_OCTETS) {
    const at = findAttribute(bytes, start, length, type);
    if (at >= 0) count += Math.floor(valueLength(bytes, at) / octets);
  }
  return count;
}

function isLoop(path: Uint8Array, start: number, end: number, options: ImportOptions): boolean {
  const { ownAses } = options;
  let count = 0;
  for (let i = 0; i < ownAses.length; i++) count += countAs(path, start, end, ownAses[i]!);
  return count > options.allowOwnAs;
}
