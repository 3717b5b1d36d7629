// The export policy of one update group at work: which attribute set a route is sent with. Results that do not depend on
// the prefix are kept while a chunk of changes is computed. What the group advertises is named by the set that comes
// out of here, so the Adj-RIB-Out needs no knowledge of policies to tell what has changed.

import type { FamilyRib } from './family-rib.ts';
import type { ExportRewriter } from './rewrite.ts';
import type { PeerTable } from './rib-peer.ts';
import type { RoutePolicy } from './route-policy.ts';

/** Two ids of this size make one exact number. */
const PEER_IDS = 1 << 16;

export class ExportFilter {
  readonly #rib: FamilyRib;
  readonly #policy: RoutePolicy;
  readonly #rewriter: ExportRewriter;
  readonly #peers: PeerTable;
  readonly #memo = new Map<number, number>();
  /** As the protocol rewrites them, where the policy wants to see that. */
  readonly #rewritten = new Map<number, number>();
  /** Results that are held until `settle`. */
  readonly #held: number[] = [];

  constructor(rib: FamilyRib, policy: RoutePolicy, rewriter: ExportRewriter) {
    this.#rib = rib;
    this.#policy = policy;
    this.#rewriter = rewriter;
    this.#peers = rib.shared.peers;
  }

  /** The set to send, held until `settle`; 0 where the policy, or what it made of the next hop, forbids it. */
  pass(prefixId: number, attr: number, from: number): number {
    if (this.#policy.dependsOnPrefix(this.#rib.family.id)) return this.#apply(prefixId, attr, from);
    const key = attr * PEER_IDS + from;
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const result = this.#apply(prefixId, attr, from);
    this.#memo.set(key, result);
    // The key names the set: it must not become another one meanwhile.
    this.#hold(attr);
    return result;
  }

  /** The Adj-RIB-Out holds what it has taken: all else may go. */
  settle(): void {
    const { attrs } = this.#rib.shared;
    this.#policy.settle();
    for (const attr of this.#held) attrs.release(attr);
    this.#held.length = 0;
    this.#memo.clear();
    this.#rewritten.clear();
  }

  /** The set as the policy sees it, good until `settle`. */
  seen(attr: number, from: number): number {
    return this.#policy.afterRewrite ? this.#rewrite(attr, from) : attr;
  }

  #apply(prefixId: number, attr: number, from: number): number {
    const peer = this.#peers.get(from);
    const result = this.#policy.applyInTurn(this.#rib, prefixId, this.seen(attr, from), peer, attr);
    if (result === 0) return 0;
    this.#held.push(result);
    return this.#rewriter.canEncode(result, from) ? result : 0;
  }

  #rewrite(attr: number, from: number): number {
    const key = attr * PEER_IDS + from;
    const known = this.#rewritten.get(key);
    if (known !== undefined) return known;
    const { attrs, nextHops } = this.#rib.shared;
    const { view, length, nextHop } = this.#rewriter.prepare(attr, from);
    const nextHopId = nextHops.intern(nextHop, nextHop.length, undefined);
    const result = attrs.internViewed(view, 0, length, nextHopId, attrs.extras[attr]!);
    nextHops.release(nextHopId);
    this.#rewritten.set(key, result);
    this.#held.push(result);
    this.#hold(attr);
    return result;
  }

  #hold(attr: number): void {
    this.#rib.shared.attrs.hold(attr);
    this.#held.push(attr);
  }
}
