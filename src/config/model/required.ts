// What a peer's OPEN must offer, as the model has it.

import type { FamilyName } from '../../bgp/wire/families.ts';
import type { RequirableKind } from '../../bgp/wire/negotiate.ts';

export interface RequiredConfig {
  readonly capabilities: readonly RequirableKind[];
  readonly families: readonly FamilyName[];
  /** Families that are not used without ADD-PATH as it is configured here, and without IPv6 next hops. */
  readonly addPath: readonly FamilyName[];
  readonly extendedNextHop: readonly FamilyName[];
}
