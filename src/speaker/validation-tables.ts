// The tables that filters ask about routes: ROAs and ASPAs as the configuration in force has them, and as caches tell
// them. Each source has a number in each table; what one says is all there or not at all. Which routes are judged
// again when something has changed is revalidation.ts's.

import type { Config } from '../config/model.ts';
import type { Clock } from '../lib/clock.ts';
import type { IpVersion } from '../lib/ip.ts';
import type { Scheduler } from '../lib/scheduler.ts';
import { AspaTable, type Authorizations } from '../policy/aspa-table.ts';
import { RoaTable } from '../policy/roa-table.ts';
import { type PolicyTables, ROA, type RoaState } from '../policy/route-access.ts';
import { type List, PrefixValue } from '../policy/values.ts';
import { MOST_SOURCES, type VrpSet } from '../policy/vrp-set.ts';
import type { CacheUpdate, RecordProblem } from '../rpki/cache-types.ts';
import { type PrefixRecords, RecordBatch } from '../rpki/record-batch.ts';
import { aspasOf, aspaText, roasOf, roaText, type StaticAspa, type StaticRoa } from './bird/roas.ts';
import { type TableChanges, type Target, type TargetTable, UpdateJob } from './validation-job.ts';
import type { SetPlace } from './validation-updates.ts';
import { parseTarget } from './views/route-query.ts';

/** The configuration, in every table. */
export const CONFIGURED = 0;

/** Where a cache's records go. */
export interface CacheTables {
  readonly roa4: string | undefined;
  readonly roa6: string | undefined;
  readonly aspa: string | undefined;
  /** Its longest lengths do not count. */
  readonly ignoreMaxLength: boolean;
}

interface Table extends TargetTable {
  readonly roas: RoaTable;
  /** Who each source is. */
  readonly sources: (CacheSource | undefined)[];
}

export interface CacheSource {
  readonly name: string;
  readonly tables: CacheTables;
}

interface Job {
  readonly source: CacheSource;
  readonly update: CacheUpdate;
  readonly done: (problem: RecordProblem | undefined) => void;
}

export interface SourceCounts {
  readonly roa4: number;
  readonly roa6: number;
  readonly aspa: number;
}

export class ValidationTables implements PolicyTables {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onChange: (changes: TableChanges) => void;
  readonly #tables = new Map<string, Table>();
  /** What the configuration says in each table, for comparison. */
  #contents = new Map<string, string>();
  #roas: ReadonlyMap<string, readonly StaticRoa[]> = new Map();
  readonly #jobs: Job[] = [];
  #running: UpdateJob | undefined;
  #wake: (() => void) | undefined;

  /** `onChange`: caches have changed tables. */
  constructor(clock: Clock, scheduler: Scheduler, onChange: (changes: TableChanges) => void) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  /** A table that nobody has filled knows nothing. */
  roaCheck(table: string, prefix: PrefixValue, originAs: number): RoaState {
    return this.#tables.get(table)?.roas.check(prefix, originAs) ?? ROA.unknown;
  }

  aspaCheck(table: string, path: List, upstream: boolean): RoaState {
    return (this.#tables.get(table)?.aspas ?? NO_ASPAS).check(path.bytes, upstream);
  }

  /** Fills the tables as a configuration says; returns the names of those that are not what they were. */
  use(config: Config): ReadonlySet<string> {
    const roas = byTable(roasOf(config));
    const aspas = byTable(aspasOf(config));
    const contents = new Map<string, string>();
    for (const name of new Set([...roas.keys(), ...aspas.keys()])) {
      const texts = [...(roas.get(name) ?? []).map(roaText), ...(aspas.get(name) ?? []).map(aspaText)];
      contents.set(name, [...new Set(texts)].sort().join('\n'));
    }
    const before = this.#contents;
    this.#contents = contents;
    const names = new Set([...before.keys(), ...contents.keys()]);
    const changed = new Set([...names].filter((name) => before.get(name) !== contents.get(name)));
    for (const name of changed) {
      this.#fill(name, this.#roas.get(name) ?? [], roas.get(name) ?? []);
      this.#table(name).aspas.replace(CONFIGURED, authorizationsOf(aspas.get(name) ?? []));
    }
    this.#roas = roas;
    return changed;
  }

  /** A cache's records have a place from now on. Throws RangeError where a table has too many sources. */
  attach(source: CacheSource): void {
    const { roa4, roa6, aspa, ignoreMaxLength } = source.tables;
    for (const name of new Set([roa4, roa6, aspa])) {
      if (name === undefined) continue;
      const table = this.#table(name);
      let number = CONFIGURED + 1;
      while (table.sources[number] !== undefined) number++;
      if (number >= MOST_SOURCES) throw new RangeError(`table ${name} has too many caches`);
      table.sources[number] = source;
      for (const place of [table.ipv4, table.ipv6]) {
        const { set } = place;
        const lenient = ignoreMaxLength ? set.lenient | (1 << number) : set.lenient & ~(1 << number);
        // A set that is being built beside this one has been told of others.
        if (lenient !== set.lenient) place.edition++;
        set.lenient = lenient;
      }
    }
  }

  /** Makes an update of an attached cache count, in its turn. */
  apply(source: CacheSource, update: CacheUpdate, done: Job['done']): void {
    this.#jobs.push({ source, update, done });
    this.#wake ??= this.#scheduler.add({ name: 'rpki', run: (deadline) => this.#run(deadline) });
    this.#wake();
  }

  /**
   * What an attached cache has told another process counts at once, and no route is judged for it. False where the
   * records contradict each other: then none of them counts.
   */
  restore(source: CacheSource, records: CacheUpdate['records']): boolean {
    let good = true;
    const end = (problem: RecordProblem | undefined) => {
      good = problem === undefined;
    };
    new UpdateJob({ whole: true, records }, this.#targetsOf(source), end).run(() => false);
    return good;
  }

  /** The cache is gone: its records are taken back, and then its place is free. */
  detach(source: CacheSource): void {
    this.apply(source, { whole: true, records: new RecordBatch() }, () => {
      for (const table of this.#tables.values()) {
        const number = table.sources.indexOf(source);
        if (number > 0) table.sources[number] = undefined;
      }
    });
  }

  /** How many records of a cache count. */
  countsOf(source: CacheSource): SourceCounts {
    const { ipv4, ipv6, aspa } = this.#targetsOf(source);
    return {
      roa4: ipv4?.table.ipv4.set.countOf(ipv4.number) ?? 0,
      roa6: ipv6?.table.ipv6.set.countOf(ipv6.number) ?? 0,
      aspa: aspa?.table.aspas.of(aspa.number).size ?? 0,
    };
  }

  /** What a table has now, and who its sources are. */
  contentsOf(name: string): Pick<Table, 'roas' | 'aspas' | 'sources'> | undefined {
    return this.#tables.get(name);
  }

  #table(name: string): Table {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const roas = new RoaTable();
    const place = (family: IpVersion): SetPlace => ({
      get set() {
        return roas[family];
      },
      set set(set) {
        roas[family] = set;
      },
      edition: 0,
    });
    const table = {
      name,
      roas,
      aspas: new AspaTable(),
      ipv4: place('ipv4'),
      ipv6: place('ipv6'),
      sources: [],
    };
    this.#tables.set(name, table);
    return table;
  }

  /** What the configuration says in a table, in the place of what it said. */
  #fill(name: string, before: readonly StaticRoa[], after: readonly StaticRoa[]): void {
    const { roas, ipv4, ipv6 } = this.#table(name);
    for (const place of [ipv4, ipv6]) place.edition++;
    for (const [entries, method] of [
      [before, 'remove'],
      [after, 'add'],
    ] as const) {
      for (const { prefix, maxLength, asn } of entries) {
        const { bytes, length } = parseTarget(prefix).prefix;
        roas[method](new PrefixValue(bytes, length), maxLength, asn, CONFIGURED);
      }
    }
  }

  #run(deadline: number): boolean {
    const expired = (): boolean => this.#clock.now() >= deadline;
    for (;;) {
      if (this.#running === undefined) {
        const job = this.#jobs.shift();
        if (job === undefined) return false;
        this.#running = this.#begin(job);
      }
      if (this.#running.run(expired)) return true;
      this.#running = undefined;
      if (expired()) return this.#jobs.length > 0;
    }
  }

  #begin({ source, update, done }: Job): UpdateJob {
    return new UpdateJob(update, this.#targetsOf(source), (problem, changes) => {
      if (changes.size > 0) this.#onChange(changes);
      done(problem);
    });
  }

  #targetsOf(source: CacheSource): ConstructorParameters<typeof UpdateJob>[1] {
    const find = (name: string | undefined): Target | undefined => {
      const table = name === undefined ? undefined : this.#tables.get(name);
      const number = table?.sources.indexOf(source) ?? -1;
      return table === undefined || number < 0 ? undefined : { table, number };
    };
    const { roa4, roa6, aspa } = source.tables;
    return { ipv4: find(roa4), ipv6: find(roa6), aspa: find(aspa) };
  }

  /** What an attached cache says, as it would say it. */
  recordsOf(source: CacheSource): RecordBatch {
    const { ipv4, ipv6, aspa } = this.#targetsOf(source);
    const batch = new RecordBatch();
    for (const [target, family] of [
      [ipv4, 'ipv4'],
      [ipv6, 'ipv6'],
    ] as const) {
      if (target !== undefined) copyRecords(target.table[family].set, target.number, batch[family]);
    }
    for (const [customer, providers] of aspa?.table.aspas.of(aspa.number) ?? []) {
      batch.aspas.push({ announce: true, customer, providers, perVersion: false });
    }
    return batch;
  }
}

const NO_ASPAS = new AspaTable();

function copyRecords({ records }: VrpSet, source: number, into: PrefixRecords): void {
  for (let id = 1; id < records.limit; id++) {
    if ((records.sources(id) & (1 << source)) === 0) continue;
    into.announce(
      records.data,
      records.wordsAt(id),
      records.bits(id),
      records.maxLength(id),
      records.asn(id),
    );
  }
}

function byTable<T extends { readonly table: string }>(entries: Iterable<T>): Map<string, T[]> {
  const tables = new Map<string, T[]>();
  for (const entry of entries) {
    const known = tables.get(entry.table);
    if (known === undefined) tables.set(entry.table, [entry]);
    else known.push(entry);
  }
  return tables;
}

/** A customer that has several entries has the providers of them all. */
function authorizationsOf(aspas: readonly StaticAspa[]): Authorizations {
  const found = new Map<number, Set<number>>();
  for (const { customer, providers } of aspas) {
    found.set(customer, new Set([...(found.get(customer) ?? []), ...providers]));
  }
  return new Map([...found].map(([customer, providers]) => [customer, Uint32Array.from(providers).sort()]));
}
