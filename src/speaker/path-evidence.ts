// What the speaker knows of the way to a peer that the peer's session cannot see: BFD, what the kernel threw away, how
// busy this process was. Asked when a connection fails or a peer falls silent, and never otherwise.

import type { PathEvidence } from '../bgp/session/causes.ts';
import type { Peer } from '../bgp/session/peer.ts';
import { isAuthenticated } from '../bgp/session/transport.ts';
import type { TcpDrops } from '../lib/tcp-drops.ts';

export interface EvidenceSources {
  /** Counters of the kernel; undefined where it has none. */
  readonly tcpDrops: (() => TcpDrops | undefined) | undefined;
  /** How it is known that the peer's host is there. */
  readonly alive: (peer: Peer) => string | undefined;
  /** The longest busy time of the last minutes, milliseconds. */
  readonly loopLagMs: () => number;
}

export class PathWitness {
  readonly #sources: EvidenceSources;
  readonly #start: TcpDrops | undefined;
  /** The counters when each peer was asked about last: what was dropped since belongs to its last attempt. */
  readonly #before = new WeakMap<Peer, TcpDrops>();

  constructor(sources: EvidenceSources) {
    this.#sources = sources;
    this.#start = sources.tcpDrops?.();
  }

  about(peer: Peer): PathEvidence {
    const { tcpDrops, alive, loopLagMs } = this.#sources;
    const now = tcpDrops?.();
    const before = this.#before.get(peer) ?? this.#start;
    if (now !== undefined) this.#before.set(peer, now);
    // The kernel counts for all peers together: what cannot happen to this one is another's.
    const signature = isAuthenticated(peer.options) ? 'badSignature' : 'unexpectedSignature';
    const dropped = (counter: keyof TcpDrops) =>
      Math.max(0, (now?.[counter] ?? 0) - (before?.[counter] ?? 0));
    return {
      signatureDrops: dropped(signature),
      ttlDrops: peer.options.ttlSecurity === undefined ? 0 : dropped('ttl'),
      alive: alive(peer),
      loopLagMs: loopLagMs(),
    };
  }
}
