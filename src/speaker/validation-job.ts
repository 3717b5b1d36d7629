// One update of a cache on its way into up to three tables, which it changes in the same instant, or not at all.

import { IP_VERSIONS, type IpVersion } from '../lib/ip.ts';
import type { AspaTable } from '../policy/aspa-table.ts';
import type { CacheUpdate, RecordProblem } from '../rpki/cache-types.ts';
import {
  type ChangedPrefixes,
  changeAspas,
  changeInPlace,
  isFew,
  type SetPlace,
  SetRebuild,
} from './validation-updates.ts';

/** What may be judged otherwise now, by table. */
export interface TableChange {
  readonly ipv4: ChangedPrefixes | undefined;
  readonly ipv6: ChangedPrefixes | undefined;
  readonly aspa: boolean;
}
export type TableChanges = ReadonlyMap<string, TableChange>;

/** A table as an update needs it. */
export interface TargetTable {
  readonly name: string;
  readonly aspas: AspaTable;
  readonly ipv4: SetPlace;
  readonly ipv6: SetPlace;
}

/** A table, and the number of the cache in it. */
export interface Target {
  readonly table: TargetTable;
  readonly number: number;
}

type Targets = Readonly<Record<IpVersion | 'aspa', Target | undefined>>;
type Ended = (problem: RecordProblem | undefined, changes: TableChanges) => void;
type AspaChange = ReturnType<typeof changeAspas> & { readonly target: Target };

export class UpdateJob {
  readonly #update: CacheUpdate;
  readonly #targets: Targets;
  readonly #end: Ended;
  readonly #rebuilds = new Map<IpVersion, SetRebuild>();
  readonly #inPlace: boolean;

  constructor(update: CacheUpdate, targets: Targets, end: Ended) {
    this.#update = update;
    this.#targets = targets;
    this.#end = end;
    const { records, whole } = update;
    this.#inPlace = !whole && isFew(records.ipv4.count + records.ipv6.count);
    if (this.#inPlace) return;
    for (const family of IP_VERSIONS) {
      const target = targets[family];
      if (target === undefined || changesNothing(update, family, target)) continue;
      this.#rebuilds.set(family, new SetRebuild(target.table[family], records[family], target.number, whole));
    }
  }

  /** True while work is left. */
  run(expired: () => boolean): boolean {
    if (this.#inPlace) {
      this.#changeInPlace();
      return false;
    }
    do {
      for (const [family, rebuild] of this.#rebuilds) {
        if (rebuild.run(expired)) return true;
        if (rebuild.problem === undefined) continue;
        this.#end({ ...rebuild.problem, family }, NO_CHANGES);
        return false;
      }
    } while ([...this.#rebuilds.values()].some((rebuild) => rebuild.outdated));
    const aspas = this.#aspas();
    if (aspas?.problem !== undefined) {
      this.#end({ ...aspas.problem, family: 'aspa' }, NO_CHANGES);
      return false;
    }
    for (const rebuild of this.#rebuilds.values()) rebuild.commit();
    this.#finish((family) => this.#rebuilds.get(family)?.changed, aspas);
    return false;
  }

  #changeInPlace(): void {
    const { records } = this.#update;
    const made = new Map<IpVersion, ReturnType<typeof changeInPlace>>();
    const undo = (): void => {
      for (const each of made.values()) each.undo();
    };
    for (const family of IP_VERSIONS) {
      const target = this.#targets[family];
      if (target === undefined) continue;
      const change = changeInPlace(target.table[family], records[family], target.number);
      made.set(family, change);
      if (change.problem === undefined) continue;
      undo();
      this.#end({ ...change.problem, family }, NO_CHANGES);
      return;
    }
    const aspas = this.#aspas();
    if (aspas?.problem === undefined) this.#finish((family) => made.get(family)?.changed, aspas);
    else {
      undo();
      this.#end({ ...aspas.problem, family: 'aspa' }, NO_CHANGES);
    }
  }

  #aspas(): AspaChange | undefined {
    const { records, whole } = this.#update;
    const target = this.#targets.aspa;
    if (target === undefined) return undefined;
    return { target, ...changeAspas(target.table.aspas, records.aspas, target.number, whole) };
  }

  #finish(prefixes: (family: IpVersion) => ChangedPrefixes | undefined, aspas: AspaChange | undefined): void {
    const changes = new Map<string, TableChange>();
    const add = ({ table }: Target, change: Partial<TableChange>): void => {
      changes.set(table.name, { ...(changes.get(table.name) ?? NO_CHANGE), ...change });
    };
    for (const family of IP_VERSIONS) {
      const target = this.#targets[family];
      const changed = prefixes(family);
      if (target === undefined || changed === undefined) continue;
      if (changed === 'all' || changed.size > 0) add(target, { [family]: changed });
    }
    if (aspas?.changed === true) {
      aspas.target.table.aspas.replace(aspas.target.number, aspas.next);
      add(aspas.target, { aspa: true });
    }
    this.#end(undefined, changes);
  }
}

/** There is nothing to add, and nothing that could go. */
function changesNothing(
  { records, whole }: CacheUpdate,
  family: IpVersion,
  { table, number }: Target,
): boolean {
  return records[family].count === 0 && (!whole || table[family].set.countOf(number) === 0);
}

const NO_CHANGE: TableChange = { ipv4: undefined, ipv6: undefined, aspa: false };
const NO_CHANGES: TableChanges = new Map();
