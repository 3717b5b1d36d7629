// Hold timer and keepalive timer of one connection (RFC 4271 §4.4, §6.5, §10). Neither is moved with a message:
// they look at the connection's time stamps when they fire, so that an UPDATE costs them nothing. Silence counts
// only where somebody listened: not while reading is paused, and not before a thread that was busy has read what
// the socket already holds.

import { type Clock, jitter, type Random } from '../../lib/clock.ts';
import type { Connection } from './connection.ts';
import type { SessionTimers } from './options.ts';
import { TimerSlot } from './timer-slot.ts';

const SECOND = 1000;
/** RFC 4271 §4.4: not more than one KEEPALIVE a second. */
const MIN_KEEPALIVE_MS = SECOND;
/** At least so many of them fit into the hold time. */
const KEEPALIVES_PER_HOLD = 3;
/** RFC 4271 §10: the low end of the jitter. */
const MIN_JITTER = 0.75;
/** What a socket gets to deliver what has long arrived. */
const GRACE_MS = 50;
/** A timer that is later than this says that the thread was busy, not that the peer was silent. */
const LATE_MS = 50;
const GRACE_TURNS = 10;
/**
 * Silence before TCP asks, where no hold time was agreed on: a dead machine is found a minute and some seconds later
 * (Node asks ten times, every second), and a living one answers by itself, without a BGP message.
 */
const TCP_KEEPALIVE_MS = 60 * SECOND;

export interface LivenessHandlers {
  connection(): Pick<Connection, 'paused' | 'lastReceivedAt' | 'lastSentAt' | 'socket'> | undefined;
  timers(): Pick<SessionTimers, 'keepalive' | 'openHold'>;
  /** `detail` says what was missing. */
  onHoldExpired(detail: string): void;
  onKeepaliveDue(): void;
}

/** How often a hold time wants KEEPALIVEs: as configured, or a third of it (RFC 4271 §4.4), whichever is less. */
export function keepaliveSeconds(holdTime: number, configured: number | undefined): number {
  const third = holdTime / KEEPALIVES_PER_HOLD;
  return configured === undefined ? third : Math.min(third, configured);
}

export class Liveness {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #handlers: LivenessHandlers;
  readonly #hold: TimerSlot;
  readonly #keepalive: TimerSlot;
  /** True between our OPEN and the peer's. */
  #awaitsOpen = false;
  #holdMs = 0;
  #keepaliveMs = 0;
  #dueAt = 0;
  #graces = 0;

  constructor(clock: Clock, random: Random, handlers: LivenessHandlers) {
    this.#clock = clock;
    this.#random = random;
    this.#handlers = handlers;
    this.#hold = new TimerSlot(clock, () => this.#checkHold());
    this.#keepalive = new TimerSlot(clock, () => this.#checkKeepalive());
  }

  /** Milliseconds between KEEPALIVEs; 0 = none. */
  get keepaliveMs(): number {
    return this.#keepaliveMs;
  }

  /** Milliseconds until the peer counts as dead; undefined where the timer does not run. */
  get holdLeftMs(): number | undefined {
    if (!this.#hold.running) return undefined;
    const since = this.#handlers.connection()?.lastReceivedAt;
    if (since === undefined || this.#awaitsOpen) return this.#hold.leftMs;
    return Math.max(0, since + this.#holdMs - this.#clock.now());
  }

  get keepaliveLeftMs(): number | undefined {
    return this.#keepalive.leftMs;
  }

  /** After our OPEN. RFC 4271 §8.2.2: "a large value". */
  startLarge(): void {
    this.#awaitsOpen = true;
    this.#holdMs = this.#handlers.timers().openHold * SECOND;
    if (this.#holdMs > 0) this.#startHold(this.#holdMs);
  }

  /** After both OPENs; `holdTime` in seconds. */
  startNegotiated(holdTime: number): void {
    this.stop();
    // §4.2: neither hold timer nor keepalives. TCP's own probes find a machine that is gone.
    if (holdTime === 0) {
      this.#handlers.connection()?.socket?.keepAlive?.(TCP_KEEPALIVE_MS);
      return;
    }
    this.#holdMs = holdTime * SECOND;
    this.#keepaliveMs = keepaliveSeconds(holdTime, this.#handlers.timers().keepalive) * SECOND;
    this.#startHold(this.#holdMs);
    this.startKeepalive();
  }

  startKeepalive(): void {
    if (this.#keepaliveMs === 0) return;
    this.#keepalive.start(Math.max(MIN_KEEPALIVE_MS, jitter(this.#keepaliveMs, this.#random)));
  }

  stop(): void {
    this.#hold.stop();
    this.#keepalive.stop();
    this.#awaitsOpen = false;
    this.#holdMs = 0;
    this.#keepaliveMs = 0;
    this.#graces = 0;
  }

  #startHold(ms: number): void {
    this.#dueAt = this.#clock.now() + ms;
    this.#hold.start(ms);
  }

  #checkHold(): void {
    const connection = this.#handlers.connection();
    if (connection === undefined) return;
    const now = this.#clock.now();
    if (connection.paused) {
      this.#startHold(this.#holdMs);
      return;
    }
    const left = connection.lastReceivedAt + this.#holdMs - now;
    // The large value runs from our OPEN on, and nothing that counts arrives before the peer's.
    if (left > 0 && !this.#awaitsOpen) {
      this.#graces = 0;
      this.#startHold(left);
      return;
    }
    const late = now - this.#dueAt > LATE_MS;
    if (this.#graces === 0 || (late && this.#graces < GRACE_TURNS)) {
      this.#graces++;
      this.#startHold(GRACE_MS);
      return;
    }
    const seconds = this.#holdMs / SECOND;
    this.#handlers.onHoldExpired(
      this.#awaitsOpen ? `no OPEN within ${seconds} s` : `nothing received for ${seconds} s`,
    );
  }

  /** §8.2.2: an UPDATE that was sent restarts the KeepaliveTimer; here it is seen by its time stamp. */
  #checkKeepalive(): void {
    const sentAt = this.#handlers.connection()?.lastSentAt ?? 0;
    const left = sentAt + this.#keepaliveMs * MIN_JITTER - this.#clock.now();
    if (left > 0) this.#keepalive.start(left);
    else this.#handlers.onKeepaliveDue();
  }
}
