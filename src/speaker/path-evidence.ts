// What the speaker knows of the way to a peer that the peer's session cannot see: BFD, what the kernel threw away, how
// busy this process was. Asked when a connection fails or a peer falls silent; the kernel's counters are looked at once
// a minute beside that, because what was dropped last week says nothing of a session that ends today.

import type { PathEvidence } from '../bgp/session/causes.ts';
import type { Peer } from '../bgp/session/peer.ts';
import { isAuthenticated } from '../bgp/session/transport.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { TcpDrops } from '../lib/tcp-drops.ts';

const LOOK_EVERY_MS = 60_000;
/** So many looks ago is too long: a usual hold time is over by then, and a peer with another key has dialled again. */
const LOOKS = 5;
const NO_DROPS: TcpDrops = { badSignature: 0, unexpectedSignature: 0, ttl: 0 };

export interface EvidenceSources {
  readonly clock: Clock;
  /** Counters of the kernel; undefined where it has none. */
  readonly tcpDrops: (() => TcpDrops | undefined) | undefined;
  /** How it is known that the peer's host is there. */
  readonly alive: (peer: Peer) => string | undefined;
  /** The longest busy time of the last minutes, milliseconds. */
  readonly loopLagMs: () => number;
}

export class PathWitness {
  readonly #sources: EvidenceSources;
  /** The counters as they were, the oldest first. */
  readonly #looks: TcpDrops[] = [];
  #timer: Timer | undefined;
  /** The counters when each peer was asked about last: what was dropped since belongs to its last attempt. */
  readonly #before = new WeakMap<Peer, TcpDrops>();

  constructor(sources: EvidenceSources) {
    this.#sources = sources;
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, tcpDrops } = this.#sources;
    const drops = tcpDrops?.();
    // A system that does not count will not begin to.
    if (drops === undefined) return;
    this.#looks.push(drops);
    if (this.#looks.length > LOOKS) this.#looks.shift();
    this.#timer = clock.setTimer(LOOK_EVERY_MS, () => this.#look());
  }

  about(peer: Peer): PathEvidence {
    const { tcpDrops, alive, loopLagMs } = this.#sources;
    const now = tcpDrops?.();
    const [lately = NO_DROPS] = this.#looks;
    const before = this.#before.get(peer) ?? lately;
    if (now !== undefined) this.#before.set(peer, now);
    // The kernel counts for all peers together: what cannot happen to this one is another's.
    const signature = isAuthenticated(peer.options) ? 'badSignature' : 'unexpectedSignature';
    const dropped = (counter: keyof TcpDrops) =>
      Math.max(0, (now?.[counter] ?? 0) - Math.max(before[counter], lately[counter]));
    return {
      signatureDrops: dropped(signature),
      ttlDrops: peer.options.ttlSecurity === undefined ? 0 : dropped('ttl'),
      alive: alive(peer),
      loopLagMs: loopLagMs(),
    };
  }
}
