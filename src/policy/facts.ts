// What can be said of a filter without running it: on what its result can depend and what it can change.

import type { RouteAttribute } from './attributes.ts';

export class Facts {
  /** Attributes read or looked for. */
  readonly reads = new Set<RouteAttribute>();
  /** Attributes set or unset. */
  readonly writes = new Set<RouteAttribute>();
  /** Tables asked. */
  readonly tables = new Set<string>();
  /** The result can differ between two prefixes with the same attributes. */
  dependsOnPrefix = false;
  /** How often the prefix is read for more than a yes-or-no question about it alone (outcome-memo.ts). */
  prefixUses = 0;
  /** It prints, or fails with a message: running it less often would be seen. */
  prints = false;
  /** Keys of definitions it uses, for telling equal filters. */
  readonly uses = new Set<string>();

  /** Takes over what a called function does. */
  include(other: Facts): void {
    for (const attribute of other.reads) this.reads.add(attribute);
    for (const attribute of other.writes) this.writes.add(attribute);
    for (const table of other.tables) this.tables.add(table);
    this.dependsOnPrefix ||= other.dependsOnPrefix;
    this.prefixUses += other.prefixUses;
    this.prints ||= other.prints;
  }
}
