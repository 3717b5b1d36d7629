// When and how a peer is tried again: the back-off of failures (idle-hold.ts), the delay of the next dial with its
// jitter, and which start event of RFC 4271 §8.1.2 goes with it.

import { type Clock, jitter, type Random } from '../../lib/clock.ts';
import type { Restart } from './down-reason.ts';
import type { FsmEventName } from './fsm-events.ts';
import { type IdleHoldState, nextIdleHold } from './idle-hold.ts';
import type { SessionTimers } from './options.ts';

const SECOND = 1000;
/** Between the end of a session and the next dial, even where no delay is configured. */
const MIN_RESTART_MS = SECOND;

type StartEvent = Extract<FsmEventName, `${string}Start${string}`>;

export class RetryPlan {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timers: () => SessionTimers;
  #idleHold: IdleHoldState | undefined;
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
    const delayMs = this.#timers().connectDelay * SECOND;
    if (delayMs === 0 && !passive) return 'ManualStart';
    this.#nextDialMs = delayMs;
    return 'ManualStart_with_PassiveTcpEstablishment';
  }

  /** After a connection has ended. */
  startAgain(restart: Restart): StartEvent {
    const { connectDelay, errorWait } = this.#timers();
    this.#nextDialMs = undefined;
    switch (restart) {
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

  /** Milliseconds for the ConnectRetryTimer that is being started (RFC 4271 §10: jitter, new each time). */
  takeDialDelay(): number {
    const chosen = this.#nextDialMs ?? this.#timers().connectRetry * SECOND;
    this.#nextDialMs = undefined;
    return jitter(chosen, this.#random);
  }
}
