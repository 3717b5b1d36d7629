// Helping a peer over its restart (RFC 4724 §4.2): when TCP to a peer that announced graceful restart breaks without
// a NOTIFICATION, its routes stay, stale, until the next session confirms them, refuses them, or does not come in
// time. Where both sides know long-lived restart (RFC 9494) they stay longer, family by family, as the last resort. The
// tables do the marking and sweeping; this says when. What a peer asks for is restart-offer.ts's.

import type { DownCause, DownReason } from '../bgp/session/down-reason.ts';
import { CEASE, ERROR } from '../bgp/wire/error-codes.ts';
import type { Family } from '../bgp/wire/families.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { Rib } from '../rib/rib.ts';
import type { RibPeer } from '../rib/rib-peer.ts';
import { familiesOf, namesOf, offerImage, offerOf, type RestartImage, timesOf } from './restart-image.ts';
import type { RestartOffer } from './restart-offer.ts';

const MS_PER_SECOND = 1000;
/** RFC 8538 §4.1: stale routes of a peer that is back but never ends its update are not kept for ever. */
const STALE_LIMIT_MS = 180 * MS_PER_SECOND;
/** Ends of a session without a word: the peer may be restarting. A NOTIFICATION means that it is not (but RFC 8538). */
const RESTART_CAUSES: readonly DownCause[] = ['connection-lost', 'peer-restarted'];

/** RFC 8538 §4: it ended with a NOTIFICATION, sent or received, that was no Hard Reset. */
function isSoft({ sent, received }: DownReason): boolean {
  const last = sent ?? received;
  return last !== undefined && !(last.code === ERROR.cease && last.subcode === CEASE.hardReset);
}

interface Deadline {
  readonly timer: Timer;
  /** Clock.now() */
  readonly until: number;
}

interface Waiting {
  readonly ribPeer: RibPeer;
  readonly offer: RestartOffer;
  /** Families whose routes are still kept. */
  readonly families: Set<Family>;
  /** The Restart Time; undefined once it has passed. */
  restart: Deadline | undefined;
}

/** One peer's restarts. */
export class RestartHelper {
  readonly #rib: Rib;
  readonly #clock: Clock;
  readonly #log: Logger;
  #waiting: Waiting | undefined;
  #staleTimer: Timer | undefined;
  /** Long-Lived Stale Times that run: also in the next session, until the peer has sent all it has (RFC 9494 §4.2). */
  readonly #longLived = new Map<Family, Deadline>();
  /** Families whose time was over before the peer had sent all it has: next time nothing of them is kept. */
  readonly #expired = new Set<Family>();

  /** `log`: for what becomes of the routes. */
  constructor(rib: Rib, clock: Clock, log: Logger) {
    this.#rib = rib;
    this.#clock = clock;
    this.#log = log;
  }

  /** Routes are being kept for a session to come. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Milliseconds of the Restart Time that are left; undefined where none runs. */
  get leftMs(): number | undefined {
    return this.#left(this.#waiting?.restart);
  }

  /** Whose routes are being kept. */
  get waitingPeer(): RibPeer | undefined {
    return this.#waiting?.ribPeer;
  }

  /** How the routes of a family are being kept while there is no session. */
  phase(family: Family): 'regular' | 'long-lived' | undefined {
    if (this.#waiting?.families.has(family) !== true) return undefined;
    return this.#longLived.has(family) ? 'long-lived' : 'regular';
  }

  /** Milliseconds of the family's Long-Lived Stale Time that are left; undefined where none runs. */
  staleLeftMs(family: Family): number | undefined {
    return this.#left(this.#longLived.get(family));
  }

  /** Milliseconds that routes of the family wait for a session to come, in both phases; undefined where none do. */
  keptForMs(family: Family): number | undefined {
    const longLived = this.#waiting?.offer.longLived.get(family) ?? 0;
    switch (this.phase(family)) {
      case 'regular':
        return this.leftMs === undefined ? undefined : this.leftMs + longLived * MS_PER_SECOND;
      case 'long-lived':
        return this.staleLeftMs(family);
      default:
        return undefined;
    }
  }

  #left(deadline: Deadline | undefined): number | undefined {
    return deadline === undefined ? undefined : Math.max(0, deadline.until - this.#clock.now());
  }

  /** For another process to go on with; undefined where nothing is kept. */
  get image(): RestartImage | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined && this.#longLived.size === 0 && this.#expired.size === 0) return undefined;
    return {
      waiting: waiting && {
        families: namesOf(waiting.families),
        restartMs: this.#left(waiting.restart),
        offer: offerImage(waiting.offer),
      },
      longLived: [...this.#longLived].map(([{ name }, deadline]) => [name, this.#left(deadline) ?? 0]),
      expired: namesOf(this.#expired),
    };
  }

  /** Goes on with what another process has kept. */
  takeOver(ribPeer: RibPeer, { waiting, longLived, expired }: RestartImage): void {
    for (const family of familiesOf(expired)) this.#expired.add(family);
    for (const [family, ms] of timesOf(longLived)) {
      const over = () => this.#longLifeOver(ribPeer, family);
      this.#longLived.set(family, this.#deadline(ms / MS_PER_SECOND, over));
    }
    if (waiting === undefined) return;
    const families = new Set(familiesOf(waiting.families));
    const { restartMs, offer } = waiting;
    const restart =
      restartMs === undefined ? undefined : this.#deadline(restartMs / MS_PER_SECOND, () => this.#allOver());
    this.#waiting = { ribPeer, offer: offerOf(offer), families, restart };
  }

  /**
   * The session ended. Returns whether the routes stay; otherwise the caller removes the peer. `patient`: both sides
   * have set the N bit (RFC 8538).
   */
  suspend(ribPeer: RibPeer, offer: RestartOffer | undefined, reason: DownReason, patient: boolean): boolean {
    this.#staleTimer?.cancel();
    const families = new Set([...(offer?.kept ?? [])].filter((family) => !this.#expired.has(family)));
    this.#expired.clear();
    if (offer === undefined || families.size === 0 || !outlives(reason, patient, offer)) {
      this.#stopLongLived();
      return false;
    }
    for (const family of families) {
      // RFC 4724 §4.2: a second restart in a row; what is stale still goes. RFC 8538 §4 and RFC 9494 §4.2 let it stay.
      if (!patient && !offer.longLived.has(family)) this.#sweep(ribPeer, family);
    }
    this.#rib.suspendPeer(ribPeer, (familyId) => [...families].some((family) => family.id === familyId));
    const waiting: Waiting = { ribPeer, offer, families, restart: undefined };
    this.#waiting = waiting;
    // RFC 9494 §4.2: of families that it does not list in the graceful restart capability the Restart Time is 0.
    for (const family of families) if (!offer.families.includes(family)) this.#restartOver(waiting, family);
    if (offer.families.some((family) => families.has(family))) {
      waiting.restart = this.#deadline(offer.restartSeconds, () => this.#allOver());
    }
    return true;
  }

  /** A new session: the peer whose routes wait, or undefined where none do. */
  resume(offer: RestartOffer | undefined, negotiated: readonly Family[]): RibPeer | undefined {
    const waiting = this.#waiting;
    if (waiting === undefined) return undefined;
    waiting.restart?.timer.cancel();
    this.#waiting = undefined;
    for (const family of waiting.families) {
      // RFC 4724 §4.2: no capability, not this family, or forwarding state lost.
      if (offer?.preserved.includes(family) === true && negotiated.includes(family)) continue;
      this.#sweep(waiting.ribPeer, family);
      this.#stopLongLived(family);
    }
    this.limitStale(waiting.ribPeer, waiting.families);
    return waiting.ribPeer;
  }

  /** The peer that is back is another one, and what was kept is gone: the times that ran were the old one's. */
  startOver(): void {
    this.#staleTimer?.cancel();
    this.#stopLongLived();
    this.#expired.clear();
  }

  /** What a peer that is back has not confirmed by then is not kept. */
  limitStale(ribPeer: RibPeer, families: Iterable<Family>): void {
    const concerned = [...families];
    this.#staleTimer?.cancel();
    this.#staleTimer = this.#clock.setTimer(STALE_LIMIT_MS, () => {
      for (const family of concerned) {
        // RFC 9494 §4.2: the timer that runs goes on.
        if (!this.#longLived.has(family)) this.#sweep(ribPeer, family);
      }
    });
  }

  /** The peer has sent all it has of a family. */
  synchronized(family: Family): void {
    this.#stopLongLived(family);
    this.#expired.delete(family);
  }

  /** The peer did not come back in time, or shall not: its routes go. */
  giveUp(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.restart?.timer.cancel();
    this.#waiting = undefined;
    this.#stopLongLived();
    this.#rib.removePeer(waiting.ribPeer);
  }

  #table(ribPeer: RibPeer, family: Family): FamilyRib {
    return this.#rib.homeOf(ribPeer, family.id);
  }

  /** What of the family is stale goes. */
  #sweep(ribPeer: RibPeer, family: Family): void {
    this.#rib.walks.sweepStale(this.#table(ribPeer, family), ribPeer);
  }

  #deadline(seconds: number, done: () => void): Deadline {
    const ms = seconds * MS_PER_SECOND;
    return { timer: this.#clock.setTimer(ms, done), until: this.#clock.now() + ms };
  }

  /** The Restart Time has passed. */
  #allOver(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    waiting.restart = undefined;
    for (const family of [...waiting.families]) this.#restartOver(waiting, family);
  }

  /** RFC 9494 §4.2: what comes after the Restart Time of a family, if anything. */
  #restartOver(waiting: Waiting, family: Family): void {
    const { ribPeer, offer } = waiting;
    const seconds = offer.longLived.get(family);
    if (seconds === undefined) {
      this.#endWait(waiting, family);
      return;
    }
    this.#rib.walks.keepLongLived(this.#table(ribPeer, family), ribPeer);
    // One that runs since an earlier restart is not set again.
    if (this.#longLived.has(family)) return;
    const deadline = this.#deadline(seconds, () => this.#longLifeOver(ribPeer, family));
    this.#longLived.set(family, deadline);
  }

  #longLifeOver(ribPeer: RibPeer, family: Family): void {
    this.#longLived.delete(family);
    if (this.#waiting !== undefined) this.#endWait(this.#waiting, family);
    else {
      const peer = ribPeer.name;
      const sentence = `the peer has not sent its ${family.name} routes again in time: stale ones go`;
      this.#log.warn({ peer }, sentence);
      this.#sweep(ribPeer, family);
      this.#expired.add(family);
    }
  }

  /** The peer has not come back in time. */
  #endWait(waiting: Waiting, family: Family): void {
    const peer = waiting.ribPeer.name;
    this.#log.warn({ peer }, `the peer is not back in time: its ${family.name} routes go`);
    waiting.families.delete(family);
    if (waiting.families.size === 0) this.giveUp();
    else this.#sweep(waiting.ribPeer, family);
  }

  #stopLongLived(only?: Family): void {
    for (const [family, { timer }] of this.#longLived) {
      if (only !== undefined && family !== only) continue;
      timer.cancel();
      this.#longLived.delete(family);
    }
  }
}

/**
 * Whether routes survive such an end of a session. A peer that has asked for long life may just as well have become
 * silent as lost its connection: BIRD keeps its routes then, too.
 */
function outlives(reason: DownReason, patient: boolean, offer: RestartOffer): boolean {
  if (RESTART_CAUSES.includes(reason.cause)) return true;
  if (reason.cause === 'hold-timer' && offer.longLived.size > 0) return true;
  return patient && isSoft(reason);
}
