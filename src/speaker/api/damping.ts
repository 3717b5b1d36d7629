// Routes that flap (RFC 2439): what is known of them, and being forgiven.

import type { FamilyName } from '../../bgp/wire/families.ts';

/** A route that has flapped (RFC 2439). */
export interface DampedRouteView {
  peer: string;
  family: FamilyName;
  prefix: string;
  /** Received path identifier; 0 without ADD-PATH. */
  pathId: number;
  /** It is not used. */
  suppressed: boolean;
  penalty: number;
  /** Flaps so far. */
  flaps: number;
  /** Wall-clock milliseconds of the first one. */
  since: number;
  /** Seconds until it is used again, if it is quiet; 0 where it is not suppressed. */
  reuseIn: number;
}

export interface DampingApi {
  /** Routes that have flapped, of one peer or all; see `routes` for `undefined`. */
  dampedRoutes(peer?: string): Iterable<DampedRouteView | undefined>;
  /** Forgets flaps, of one peer or all, of one prefix or all; suppressed routes are used again. Returns how many routes. */
  clearDamping(peer?: string, prefix?: string): number;
}
