// The model's part for peers that come and go, and for routes that do: graceful restart (RFC 4724, 8538), long-lived
// restart (RFC 9494), route flap damping (RFC 2439).

import type { FamilyName } from '../../bgp/wire/families.ts';

/** Seconds; RFC 4724 §3: twelve bits. */
export const LONGEST_RESTART = 4095;

/** Seconds; RFC 9494 §3.1: 24 bits. */
export const LONGEST_STALE_TIME = 0xff_ffff;

export interface GracefulRestartConfig {
  /** helper: keep a restarting peer's routes; full: and let it keep ours; off: no capability at all. */
  readonly mode: 'off' | 'helper' | 'full';
  /** RFC 8538: NOTIFICATIONs and an expired hold timer are no reason to drop routes either. */
  readonly notification: boolean;
  readonly restartTime: number;
  /** Bounds of what the peer announces; undefined = none. */
  readonly minRestartTime?: number | undefined;
  readonly maxRestartTime?: number | undefined;
  /** Where the mode is full: whose routes the peer shall keep; all unless given. */
  readonly families?: readonly FamilyName[] | undefined;
  readonly longLived: LongLivedRestartConfig;
}

/** RFC 9494; without graceful restart it is off. Seconds. */
export interface LongLivedRestartConfig {
  /** helper: keep the peer's routes for as long as it asks; full: and ask it to keep ours. */
  readonly mode: 'off' | 'helper' | 'full';
  /** Announced, by family; 0 = nothing is asked for the family. */
  readonly staleTime: Readonly<Record<FamilyName, number>>;
  /** Bounds of what the peer asks for, by family. */
  readonly minStaleTime: Readonly<Record<FamilyName, number>>;
  readonly maxStaleTime: Readonly<Record<FamilyName, number>>;
  /** RFC 9494 §4.6: an iBGP peer that does not know LLGR gets stale routes, too, as the last resort. */
  readonly partialDeployment: boolean;
}

export interface DisableAfterConfig {
  /** NOTIFICATIONs of any kind but Cease, sent or received. */
  readonly error: boolean;
  /** Subcodes of received Ceases; any: all but that of a collision. */
  readonly cease: readonly number[] | 'any';
}

/** Route flap damping; times in seconds. */
export interface DampingConfig {
  readonly families: readonly FamilyName[];
  readonly halfLife: number;
  /** Penalty from which on a route is not used, and below which it is again. */
  readonly suppress: number;
  readonly reuse: number;
  readonly maxSuppressTime: number;
  /** Nothing is suppressed; penalties are there to be looked at. */
  readonly testOnly: boolean;
}
