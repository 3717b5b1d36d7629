// When and how a peer is tried again: the back-off of failures (idle-hold.ts) and of who comes and goes, the delay of the
// next dial with its jitter, and which start event of RFC 4271 §8.1.2 goes with it.

import { type Clock, jitter, type Random } from '../../lib/clock.ts';
import type { Restart } from './down-reason.ts';
import type { FsmEventName } from './fsm-events.ts';
import { type IdleHoldState, nextIdleHold } from './idle-hold.ts';
import type { SessionTimers } from './options.ts';

const SECOND = 1000;
/** Between the end of a session and the next dial, even where no delay is configured. */
const MIN_RESTART_MS = SECOND;
/** So many sessions in a row may be lost so soon; whoever goes on so, comes and goes with all its routes. */
const SHORT_SESSION_MS = 5 * SECOND;
const SHORT_SESSIONS = 5;

type StartEvent = Extract<FsmEventName, `${string}Start${string}`>;

export class RetryPlan {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timers: () => SessionTimers;
  #idleHold: IdleHoldState | undefined;
  /** Clock.now() when the last session came up. */
  #upAt = 0;
  #shortSessions = 0;
  /** The next dial waits this long instead of the ConnectRetryTime. */
  #nextDialMs: number | undefined;

  constructor(clock: Clock, random: Random, timers: () => SessionTimers) {
    this.#clock = clock;
    this.#random = random;
    this.#timers = timers;
  }

  /** IdleHoldTime of the failure just noted, in milliseconds. */
  get idleHoldMs(): number {
    return this.#idleHold?.waitMs ?? 0;
  }

  /** A start by hand: past failures are forgiven. */
  startByHand(passive: boolean): StartEvent {
    this.#idleHold = undefined;
    this.#shortSessions = 0;
    const delayMs = this.#timers().connectDelay * SECOND;
    if (delayMs === 0 && !passive) return 'ManualStart';
    this.#nextDialMs = delayMs;
    return 'ManualStart_with_PassiveTcpEstablishment';
  }

  cameUp(): void {
    this.#upAt = this.#clock.now();
  }

  /** After a connection has ended. */
  startAgain(restart: Restart): StartEvent {
    const { connectDelay, errorWait } = this.#timers();
    this.#nextDialMs = undefined;
    switch (restart) {
      case 'lost':
        return this.startAgain(this.#comesAndGoes() ? 'idle' : 'soon');
      case 'soon':
        this.#nextDialMs = Math.max(MIN_RESTART_MS, connectDelay * SECOND);
        return 'AutomaticStart_with_PassiveTcpEstablishment';
      case 'retry':
        return 'AutomaticStart_with_PassiveTcpEstablishment';
      case 'damped':
        this.#idleHold = nextIdleHold(this.#idleHold, errorWait, this.#clock.now());
        this.#nextDialMs = Math.max(MIN_RESTART_MS, this.#idleHold.waitMs);
        return 'AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment';
      case 'idle':
        this.#idleHold = nextIdleHold(this.#idleHold, errorWait, this.#clock.now());
        return 'AutomaticStart_with_DampPeerOscillations';
    }
  }

  #comesAndGoes(): boolean {
    const isShort = this.#clock.now() - this.#upAt < SHORT_SESSION_MS;
    this.#shortSessions = isShort ? this.#shortSessions + 1 : 0;
    return this.#shortSessions > SHORT_SESSIONS;
  }

  /** Milliseconds for the ConnectRetryTimer that is being started (RFC 4271 §10: jitter, new each time). */
  takeDialDelay(): number {
    const chosen = this.#nextDialMs ?? this.#timers().connectRetry * SECOND;
    this.#nextDialMs = undefined;
    return jitter(chosen, this.#random);
  }
}
