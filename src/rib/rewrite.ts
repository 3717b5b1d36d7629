// A route's attributes on the way out, for one update group: RFC 4271 §5.1 (what crosses an AS boundary), RFC 4456
// §8 (what a reflector adds), RFC 9234 §5 (OTC), RFC 4360 §6 (non-transitive communities), RFC 7947 (a route
// server changes nothing), next hop rules. The result depends on the attribute set and the peer it came from, not
// on the prefix, so it is remembered for both.

import { prepend, removePrivateAses, replaceAs } from '../bgp/wire/as-path.ts';
import { AttributeEditor } from '../bgp/wire/attribute-set.ts';
import { keepTransitiveCommunities } from '../bgp/wire/communities.ts';
import { ATTRIBUTE } from '../bgp/wire/iana.ts';
import { ATTR_FLAG, type AttrStore } from './attr-store.ts';
import { WITHHELD, type WithheldCause, withheld } from './distribution.ts';
import type { ExportOptions } from './export-options.ts';
import type { PeerTable, RibPeer } from './rib-peer.ts';

const MEMO_SIZE = 1 << 12;

export class ExportRewriter {
  readonly #options: ExportOptions;
  readonly #attrs: AttrStore;
  readonly #peers: PeerTable;
  readonly #editor = new AttributeEditor();

  // Direct-mapped memory of results; every entry holds its attribute sets.
  readonly #memoAttr = new Int32Array(MEMO_SIZE);
  readonly #memoFrom = new Uint16Array(MEMO_SIZE);
  readonly #memoOut = new Int32Array(MEMO_SIZE);
  readonly #memoCause = new Uint8Array(MEMO_SIZE);

  /** Why the last `evaluate` gave 0. */
  cause: WithheldCause = WITHHELD.none;

  constructor(options: ExportOptions, attrs: AttrStore, peers: PeerTable) {
    this.#options = options;
    this.#attrs = attrs;
    this.#peers = peers;
  }

  /** The attributes to advertise, or 0 with `cause` set. The id stays valid until the next call; hold it to keep it. */
  evaluate(attr: number, from: number): number {
    const place = (Math.imul(attr, 0x9e3779b1) + from) & (MEMO_SIZE - 1);
    if (this.#memoAttr[place] === attr && this.#memoFrom[place] === from) {
      this.cause = this.#memoCause[place] as WithheldCause;
      return this.#memoOut[place]!;
    }
    const peer = this.#peers.get(from);
    this.cause = withheld(this.#options, peer, this.#attrs.flags[attr]!);
    const out = this.cause === WITHHELD.none ? this.#rewrite(attr, peer) : 0;
    this.#forget(place);
    this.#attrs.hold(attr);
    this.#memoAttr[place] = attr;
    this.#memoFrom[place] = from;
    this.#memoOut[place] = out;
    this.#memoCause[place] = this.cause;
    return out;
  }

  /** Forgets everything that came from a peer whose id may be given to another. */
  forgetPeer(peerId: number): void {
    for (let i = 0; i < MEMO_SIZE; i++) if (this.#memoFrom[i] === peerId) this.#forget(i);
  }

  close(): void {
    for (let i = 0; i < MEMO_SIZE; i++) this.#forget(i);
  }

  #forget(place: number): void {
    const attr = this.#memoAttr[place]!;
    const out = this.#memoOut[place]!;
    if (attr !== 0) this.#attrs.release(attr);
    if (out !== 0) this.#attrs.release(out);
    this.#memoAttr[place] = 0;
    this.#memoOut[place] = 0;
    this.#memoFrom[place] = 0;
  }

  /** A set held once for the caller, or 0 with `cause` set. */
  #rewrite(attr: number, from: RibPeer): number {
    const attrs = this.#attrs;
    const nextHop = this.#nextHop(attr, from);
    if (nextHop === 0) return 0;
    const editor = this.#editor;
    editor.load(attrs.bytes, attrs.offset(attr), attrs.length(attr));
    if (this.#options.peerType === 'external') this.#crossBoundary(attr, from);
    else this.#stayInside(attr, from);
    if (!this.#options.aigp) editor.remove(ATTRIBUTE.aigp);
    if (!this.#options.sendCommunities) {
      editor.remove(ATTRIBUTE.communities);
      editor.remove(ATTRIBUTE.extendedCommunities);
      editor.remove(ATTRIBUTE.ipv6ExtendedCommunities);
      editor.remove(ATTRIBUTE.largeCommunities);
    }
    const out = attrs.intern(editor.bytes, 0, editor.length, nextHop);
    attrs.nextHops.release(nextHop);
    return out;
  }

  #crossBoundary(attr: number, from: RibPeer): void {
    const editor = this.#editor;
    const options = this.#options;
    const flags = this.#attrs.flags[attr]!;
    editor.remove(ATTRIBUTE.localPref);
    editor.remove(ATTRIBUTE.originatorId);
    editor.remove(ATTRIBUTE.clusterList);
    // RFC 9234 §5, egress 1: to a customer, a peer or a client of the route server.
    const addOtc = options.role === 'provider' || options.role === 'peer' || options.role === 'rs-server';
    if (addOtc && (flags & ATTR_FLAG.onlyToCustomer) === 0) {
      editor.setUint32(ATTRIBUTE.onlyToCustomer, options.localAs);
    }
    if (options.routeServerClient) return;
    // RFC 4271 §5.1.4: a MED from one AS is not for another; the own routes' is.
    if (from.source !== 'local') editor.remove(ATTRIBUTE.multiExitDisc);
    if ((flags & ATTR_FLAG.nonTransitiveExtended) !== 0) this.#dropNonTransitive();
    this.#rewritePath();
  }

  /** RFC 4271 §5.1.2, with what the operator wants done to the path before the own AS goes in front. */
  #rewritePath(): void {
    const { overrideAs, removePrivateAs: strip, localAs } = this.#options;
    const editor = this.#editor;
    let path: Uint8Array = editor.get(ATTRIBUTE.asPath) ?? NO_BYTES;
    if (strip) path = removePrivateAses(path);
    if (overrideAs !== 0) path = replaceAs(path, overrideAs, localAs);
    path = prepend(path, localAs);
    editor.set(ATTRIBUTE.asPath, path);
  }

  #dropNonTransitive(): void {
    for (const type of [ATTRIBUTE.extendedCommunities, ATTRIBUTE.ipv6ExtendedCommunities] as const) {
      const value = this.#editor.get(type);
      if (value === undefined) continue;
      const kept = keepTransitiveCommunities(value, type);
      if (kept.length === 0) this.#editor.remove(type);
      // A view into the editor's own bytes must not be its source.
      else if (kept.length < value.length) this.#editor.set(type, Uint8Array.from(kept));
    }
  }

  #stayInside(attr: number, from: RibPeer): void {
    const editor = this.#editor;
    const attrs = this.#attrs;
    const flags = attrs.flags[attr]!;
    if (!editor.has(ATTRIBUTE.asPath)) editor.set(ATTRIBUTE.asPath, NO_BYTES);
    // RFC 4271 §5.1.5: the degree of preference travels with every route.
    if ((flags & ATTR_FLAG.localPref) === 0) editor.setUint32(ATTRIBUTE.localPref, attrs.localPref[attr]!);
    if (from.source !== 'internal') return;
    // RFC 4456 §8
    if ((flags & ATTR_FLAG.originatorId) === 0) editor.setUint32(ATTRIBUTE.originatorId, from.routerId);
    const list = editor.get(ATTRIBUTE.clusterList) ?? NO_BYTES;
    const grown = new Uint8Array(list.length + 4);
    new DataView(grown.buffer).setUint32(0, this.#options.clusterId);
    grown.set(list, 4);
    editor.set(ATTRIBUTE.clusterList, grown);
  }

  /** RFC 4271 §5.1.3: the next hop to show, held once for the caller, or 0 with `cause` set. */
  #nextHop(attr: number, from: RibPeer): number {
    const { nextHops } = this.#attrs;
    const { nextHop: rule, ownNextHop, peerType, routeServerClient, family, extendedNextHop } = this.#options;
    const self =
      rule === 'self' ||
      rule === 'address' ||
      // Own routes have no other next hop than this speaker.
      from.source === 'local' ||
      (rule === 'auto' && peerType === 'external' && !routeServerClient);
    if (self && ownNextHop === undefined) return this.#refuse(WITHHELD.noNextHop);
    const wire = self ? ownNextHop! : nextHops.get(this.#attrs.nextHop[attr]!).wire;
    // RFC 8950 §4 lets an IPv6 next hop go with IPv4 routes; nothing lets an IPv4 one go with IPv6 routes.
    const native = wire.length === family.nextHopBytes || (wire.length === 32 && family.nextHopBytes === 16);
    if (!native && !(wire.length > 4 && extendedNextHop)) {
      return this.#refuse(WITHHELD.nextHopEncoding);
    }
    if (self) return nextHops.intern(wire, wire.length, undefined);
    const id = this.#attrs.nextHop[attr]!;
    nextHops.hold(id);
    return id;
  }

  #refuse(cause: WithheldCause): 0 {
    this.cause = cause;
    return 0;
  }
}

const NO_BYTES = new Uint8Array(0);
