// Limits of a peer, as the model has them: how many routes, how large their attributes.

import type { FamilyName } from '../../bgp/wire/families.ts';

/**
 * What happens when one route more comes than a limit allows. warn: a line in the log; block: it is not taken (or not
 * sent); restart: the session ends and comes back after the error wait; disable: it ends until somebody starts it.
 */
export const LIMIT_ACTIONS = ['warn', 'block', 'restart', 'disable'] as const;
export type LimitAction = (typeof LIMIT_ACTIONS)[number];

export interface RouteLimit {
  readonly routes: number;
  readonly action: LimitAction;
  /** Of `received`: routes that import refuses do not count. BIRD forgets them unless told to keep them. */
  readonly acceptedOnly?: boolean;
}

/** Families that are not named have none. */
export type RouteLimits = Readonly<Partial<Record<FamilyName, RouteLimit>>>;

export interface LimitsConfig {
  /** Of the Adj-RIB-In; of these, those that import accepts; of the Adj-RIB-Out. */
  readonly received: RouteLimits;
  readonly accepted: RouteLimits;
  readonly exported: RouteLimits;
  /** Routes with more ASes in AS_PATH, or more communities of all kinds, are not eligible. */
  readonly asPathLength: number | undefined;
  readonly communities: number | undefined;
}
