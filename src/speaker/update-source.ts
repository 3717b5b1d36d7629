// Where UPDATEs come from: an established peer, as far as the way of an UPDATE needs it. One class for real peers and
// made-up ones (bare-speaker.ts): code that was compiled for the one serves the other.

import type { Family } from '../bgp/wire/families.ts';
import type { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import type { DecodedUpdate, UpdateDecoder } from '../bgp/wire/update-decoder.ts';
import type { Clock } from '../lib/clock.ts';
import { isLinkLocal, isUnspecified } from '../lib/ip.ts';
import type { NextHopLead } from '../rib/next-hops.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import type { Readable } from './fair-reading.ts';
import type { PeerLimits } from './peer-limits.ts';

const IPV6_OCTETS = 16;
const MS_PER_SECOND = 1000;

/** The interfaces that next hops mean, and where they lead. */
export interface NextHopLinks {
  /** The one that the session runs over, and that link-local next hops mean. */
  readonly own: string | undefined;
  /** The same, where the peer is on it too. */
  readonly shared: string | undefined;
  /** Where every next hop is, whatever its kind. */
  readonly whole: string | undefined;
  readonly lead: NextHopLead;
  /** Where a next hop leads that is on no link; undefined: as its address resolves. */
  readonly fallback: Uint8Array | undefined;
}

export const NO_LINKS: NextHopLinks = {
  own: undefined,
  shared: undefined,
  whole: undefined,
  lead: 'global',
  fallback: undefined,
};

export interface UpdateSourceParts {
  readonly session: Readable;
  readonly ribPeer: RibPeer;
  readonly decoder: UpdateDecoder;
  readonly limits: PeerLimits;
  readonly links: NextHopLinks;
  readonly clock: Clock;
  /** The UPDATE is at `buffer[start, end)`. */
  readonly onIssues: (update: DecodedUpdate, buffer: Uint8Array, start: number, end: number) => void;
  readonly onEndOfRib: (family: Family) => void;
}

export class UpdateSource {
  readonly session: Readable;
  readonly ribPeer: RibPeer;
  readonly decoder: UpdateDecoder;
  /** Counts what was announced; it may end the session. */
  readonly limits: PeerLimits;
  readonly links: NextHopLinks;
  readonly onIssues: UpdateSourceParts['onIssues'];
  readonly onEndOfRib: UpdateSourceParts['onEndOfRib'];
  /** Ids of the families whose End-of-RIB has come (RFC 4724 §2). */
  readonly endOfRib = new Set<number>();
  readonly #clock: Clock;

  constructor(parts: UpdateSourceParts) {
    this.session = parts.session;
    this.ribPeer = parts.ribPeer;
    this.decoder = parts.decoder;
    this.limits = parts.limits;
    this.links = parts.links;
    this.onIssues = parts.onIssues;
    this.onEndOfRib = parts.onEndOfRib;
    this.#clock = parts.clock;
  }

  /** Wall-clock seconds. */
  nowSeconds(): number {
    return Math.floor(this.#clock.wallTime() / MS_PER_SECOND);
  }

  /**
   * The interface that a next hop means; undefined: whichever leads there. Only a link-local address means something
   * different on another interface, be it that of the fallback, unless all are on the link.
   */
  nextHopZone({ nextHop, nextHopLength }: NlriBatch): string | undefined {
    const { own, shared, whole, fallback } = this.links;
    if (nextHopLength < IPV6_OCTETS) return whole;
    const first = nextHop.subarray(0, IPV6_OCTETS);
    if (isLinkLocal(first) || isUnspecified(first)) return own;
    if (nextHopLength > IPV6_OCTETS) return shared;
    return whole ?? (fallback !== undefined && isLinkLocal(fallback) ? own : undefined);
  }
}
