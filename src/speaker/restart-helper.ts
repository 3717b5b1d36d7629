// Helping a peer over its restart (RFC 4724 §4.2): when TCP to a peer that announced graceful restart breaks without
// a NOTIFICATION, its routes stay, stale, until the next session confirms them, refuses them, or does not come in
// time. The tables do the marking and sweeping; this says when.

import type { DownCause, DownReason } from '../bgp/session/down-reason.ts';
import { CEASE, ERROR } from '../bgp/wire/error-codes.ts';
import { FAMILIES, type Family } from '../bgp/wire/families.ts';
import { lastCapability } from '../bgp/wire/negotiate.ts';
import type { OpenMessage } from '../bgp/wire/open.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { sweepStale } from '../rib/adj-rib-in.ts';
import type { Rib } from '../rib/rib.ts';
import type { RibPeer } from '../rib/rib-peer.ts';

const MS_PER_SECOND = 1000;
/** RFC 8538 §4.1: stale routes of a peer that is back but never ends its update are not kept for ever. */
const STALE_LIMIT_MS = 180 * MS_PER_SECOND;
/** Ends of a session without a word: the peer may be restarting. A NOTIFICATION means that it is not (but RFC 8538). */
const RESTART_CAUSES: readonly DownCause[] = ['connection-lost', 'peer-restarted'];

/** What a peer's OPEN said of restarts. */
export interface RestartOffer {
  readonly restartSeconds: number;
  /** R bit: it has restarted, and waits for our routes before it sends its own. */
  readonly restarting: boolean;
  /** Families whose routes are worth keeping. */
  readonly families: readonly Family[];
  /** Families whose forwarding state the peer has kept. */
  readonly preserved: readonly Family[];
}

/** Undefined where the peer did not announce the capability. */
export function restartOffer(open: OpenMessage | undefined): RestartOffer | undefined {
  const capability = open === undefined ? undefined : lastCapability(open, 'graceful-restart');
  if (capability === undefined) return undefined;
  const has = (family: Family, flag: boolean) =>
    capability.families.some(
      ({ afi, safi, forwarding }) => afi === family.afi && safi === family.safi && (forwarding || !flag),
    );
  return {
    restartSeconds: capability.restartTime,
    restarting: capability.restarting,
    families: FAMILIES.filter((family) => has(family, false)),
    preserved: FAMILIES.filter((family) => has(family, true)),
  };
}

/** RFC 8538 §4: it ended with a NOTIFICATION, sent or received, that was no Hard Reset. */
function isSoft({ sent, received }: DownReason): boolean {
  const last = sent ?? received;
  return last !== undefined && !(last.code === ERROR.cease && last.subcode === CEASE.hardReset);
}

interface Waiting {
  readonly ribPeer: RibPeer;
  readonly families: readonly Family[];
  readonly timer: Timer;
  /** Clock.now() */
  readonly until: number;
}

/** One peer's restarts. */
export class RestartHelper {
  readonly #rib: Rib;
  readonly #clock: Clock;
  #waiting: Waiting | undefined;
  #staleTimer: Timer | undefined;

  constructor(rib: Rib, clock: Clock) {
    this.#rib = rib;
    this.#clock = clock;
  }

  /** Routes are being kept for a session to come. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Milliseconds that they are still kept for. */
  get leftMs(): number | undefined {
    return this.#waiting === undefined ? undefined : Math.max(0, this.#waiting.until - this.#clock.now());
  }

  /** Whose routes are being kept. */
  get waitingPeer(): RibPeer | undefined {
    return this.#waiting?.ribPeer;
  }

  /**
   * The session ended. Returns whether the routes stay; otherwise the caller removes the peer. `patient`: both sides
   * have set the N bit (RFC 8538).
   */
  suspend(ribPeer: RibPeer, offer: RestartOffer | undefined, reason: DownReason, patient: boolean): boolean {
    this.#staleTimer?.cancel();
    if (offer === undefined || offer.families.length === 0) return false;
    if (!RESTART_CAUSES.includes(reason.cause) && !(patient && isSoft(reason))) return false;
    // RFC 4724 §4.2: a second restart in a row; what is stale still goes. RFC 8538 §4 lets it stay.
    if (!patient) for (const family of offer.families) sweepStale(this.#rib.families[family.id]!, ribPeer);
    this.#rib.suspendPeer(ribPeer, (familyId) => offer.families.some((family) => family.id === familyId));
    const restartMs = offer.restartSeconds * MS_PER_SECOND;
    const timer = this.#clock.setTimer(restartMs, () => this.giveUp());
    const until = this.#clock.now() + restartMs;
    this.#waiting = { ribPeer, families: offer.families, timer, until };
    return true;
  }

  /** A new session: the peer whose routes wait, or undefined where none do. */
  resume(offer: RestartOffer | undefined, negotiated: readonly Family[]): RibPeer | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    waiting.timer.cancel();
    this.#waiting = undefined;
    for (const family of waiting.families) {
      // RFC 4724 §4.2: no capability, not this family, or forwarding state lost.
      const kept = offer?.preserved.includes(family) === true && negotiated.includes(family);
      if (!kept) sweepStale(this.#rib.families[family.id]!, waiting.ribPeer);
    }
    this.#staleTimer = this.#clock.setTimer(STALE_LIMIT_MS, () => {
      for (const family of waiting.families) {
        sweepStale(this.#rib.families[family.id]!, waiting.ribPeer);
      }
    });
    return waiting.ribPeer;
  }

  /** The peer did not come back in time, or shall not: its routes go. */
  giveUp(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.timer.cancel();
    this.#waiting = undefined;
    this.#rib.removePeer(waiting.ribPeer);
  }
}
