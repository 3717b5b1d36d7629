// How long a peer waits after a failure before it is tried again (DampPeerOscillations, IdleHoldTime of RFC 4271
// §8.1.1): `min` at first, twice as long after each further failure up to `max`, `min` again once the peer has
// behaved for the forget time. Pure; peer.ts keeps the state and runs the IdleHoldTimer.

export interface ErrorWait {
  /** Seconds. */
  readonly min: number;
  readonly max: number;
  /** Quiet time after the last wait that ends a series of failures. */
  readonly forget: number;
}

export interface IdleHoldState {
  /** IdleHoldTime in milliseconds. */
  readonly waitMs: number;
  /** Clock.now() at the failure. */
  readonly failedAt: number;
}

const SECOND = 1000;

/** The state after one more failure; `before` is undefined before the first one. */
export function nextIdleHold(before: IdleHoldState | undefined, wait: ErrorWait, now: number): IdleHoldState {
  const min = wait.min * SECOND;
  const max = Math.max(min, wait.max * SECOND);
  if (before === undefined || now - (before.failedAt + before.waitMs) > wait.forget * SECOND) {
    return { waitMs: min, failedAt: now };
  }
  return { waitMs: Math.min(max, Math.max(min, before.waitMs * 2)), failedAt: now };
}
