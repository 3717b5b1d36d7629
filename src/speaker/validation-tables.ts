// The tables that filters ask about routes, as the configuration in force fills them; and, where it changes them, the
// routes that went through such filters, which go through again.

import type { Config, Policy } from '../config/model.ts';
import { filtersOf } from '../config/policies.ts';
import { RoaTable } from '../policy/roa-table.ts';
import { type PolicyTables, ROA, type RoaState } from '../policy/route-access.ts';
import { PrefixValue } from '../policy/values.ts';
import { roasOf, roaText } from './bird/roas.ts';
import type { Speaker } from './speaker.ts';
import { reimportLocal } from './table-changes.ts';
import { parseTarget } from './views/route-query.ts';

export class ValidationTables implements PolicyTables {
  readonly #roas = new Map<string, RoaTable>();
  /** What each table holds, for comparison. */
  #contents = new Map<string, string>();

  /** A table that nobody has filled knows nothing. */
  roaCheck(table: string, prefix: PrefixValue, originAs: number): RoaState {
    return this.#roas.get(table)?.check(prefix, originAs) ?? ROA.unknown;
  }

  aspaCheck(): RoaState {
    return ROA.unknown;
  }

  /** Fills the tables as a configuration says; returns the names of those that are not what they were. */
  use(config: Config): ReadonlySet<string> {
    const texts = new Map<string, Set<string>>();
    this.#roas.clear();
    for (const roa of roasOf(config)) {
      const { bytes, length } = parseTarget(roa.prefix).prefix;
      const table = this.#roas.get(roa.table) ?? new RoaTable();
      table.add(new PrefixValue(bytes, length), roa.maxLength, roa.asn);
      this.#roas.set(roa.table, table);
      texts.set(roa.table, (texts.get(roa.table) ?? new Set()).add(roaText(roa)));
    }
    const before = this.#contents;
    this.#contents = new Map([...texts].map(([name, set]) => [name, [...set].sort().join('\n')]));
    const names = [...before.keys(), ...this.#contents.keys()];
    return new Set(names.filter((name) => before.get(name) !== this.#contents.get(name)));
  }
}

/** Runs the filters that ask one of the `changed` tables over the routes at hand. */
export function revalidate(speaker: Speaker, changed: ReadonlySet<string>): void {
  if (changed.size === 0) return;
  const { registry, policies, rooms, pipes } = speaker;
  const asks = (policy: Policy): boolean =>
    filtersOf(policy).some(({ facts }) => [...facts.tables].some((table) => changed.has(table)));
  for (const handle of registry.values()) {
    if (asks(handle.settings.import)) registry.refreshIn(handle);
    if (asks(handle.settings.export)) registry.refreshOut(handle);
  }
  for (const room of rooms.values()) {
    const { install, ...imports } = room.config.localPolicies;
    if (asks(install)) room.kernel?.useFilter(policies.kernelFilter(install));
    if (!Object.values(imports).some(asks)) continue;
    speaker.useLocalImport(room, room.config);
    reimportLocal(speaker, room);
  }
  for (const { config } of pipes.values()) {
    if (asks(config.import) || asks(config.export)) pipes.renew(config.name);
  }
}
