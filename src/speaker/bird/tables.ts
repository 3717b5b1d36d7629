// `show route`: which tables are meant, and for each of them a walk over its prefixes that picks the rows that a
// question is after. Ids may be freed between two steps of a walk; what is gone is passed over.

import type { IpVersion } from '../../lib/ip.ts';
import type { FilterPolicy } from '../../policy/filter-policy.ts';
import type { FamilyRib } from '../../rib/family-rib.ts';
import { REJECT } from '../../rib/import-checks.ts';
import type { TableAnswer, TableCount, TableQuery, TableRoute, TableView } from '../api/tables.ts';
import { CommandError } from '../api.ts';
import type { PeerHandle } from '../peer-registry.ts';
import type { Speaker } from '../speaker.ts';
import { refusedSet } from '../views/filter-trace.ts';
import { coveringPrefix, matchingPrefixes, parseTarget } from '../views/route-query.ts';
import { standings } from '../views/route-view.ts';
import type { AdHocFilters } from './ad-hoc-filter.ts';
import {
  channelTable,
  type DeclaredProtocol,
  declaredProtocols,
  tablesOfProtocol,
  versionsOf,
} from './declared.ts';
import { exportRows, exportState } from './export-rows.ts';
import { tablesOf } from './names.ts';
import { pipeTables } from './pipe-view.ts';
import { roaAnswer } from './roa-answer.ts';
import { RouteViews, type RowStanding } from './route-view.ts';
import { traitsOf } from './traits.ts';

/** After so many prefixes, whether or not they gave a route, whoever walks may do something else. */
const PREFIXES_PER_PAUSE = 256;

/** Kinds of protocols that no table has anything of. */
const NO_TABLES: ReadonlySet<DeclaredProtocol['kind']> = new Set(['device', 'bfd', 'mrt', 'bmp']);
const NO_TABLE = 'No valid tables';

export interface TableTarget {
  readonly table: string;
  readonly type: string;
  readonly named: boolean;
}

export class TableWalks {
  readonly #speaker: Speaker;
  readonly #filters: AdHocFilters;

  constructor(speaker: Speaker, filters: AdHocFilters) {
    this.#speaker = speaker;
    this.#filters = filters;
  }

  /** Throws CommandError for what there is not. */
  answers(query: TableQuery): TableAnswer[] {
    const { written: config, rooms } = this.#speaker;
    const filter =
      query.filter === undefined ? undefined : this.#filters.compile(config, query.filter, rooms);
    const isSilent = query.export !== undefined && !this.#canExport(query, query.export);
    if (isSilent && !traitsOf(config).hasChannels) return [];
    const views = new RouteViews(this.#speaker);
    return this.#targets(query).map((target) => {
      const version = versionsOf(config).find((each) => each === target.type);
      const room = version && rooms.shown(config, target.table, version);
      const family = room?.place.families.find((each) => each.family.version === version);
      return family === undefined
        ? roaAnswer(this.#speaker, target, query, filter)
        : new FamilyWalk(this.#speaker, views, family, target, query, filter, isSilent);
    });
  }

  #targets(query: TableQuery): TableTarget[] {
    const { written: config } = this.#speaker;
    const tables = tablesOf(config);
    const importFrom = query.importTable ?? query.exportTable;
    if (importFrom !== undefined) return [this.#channelTable(importFrom, query.importTable !== undefined)];
    if (query.tables === undefined) return this.#defaults(query);
    const own = this.#exported(query);
    const isStrict = query.tables !== 'all' && query.isIndirect !== true;
    const wanted = query.tables === 'all' ? new Set(tables.map(({ name }) => name)) : query.tables;
    const targets = [...wanted].flatMap((name) => {
      const found = tables.filter((table) => table.name === name);
      if (found.length === 0) throw new CommandError('not-found', `there is no table ${name}`);
      const attached = found.filter((table) => own?.some((each) => sameTable(each, table)) ?? true);
      if (attached.length === 0 && isStrict) {
        throw new CommandError('invalid', `No export channel for table ${name}`);
      }
      const fitting = attached.filter(({ type }) => this.#fitting(type, query) !== undefined);
      if (fitting.length === 0 && isStrict) {
        throw new CommandError('invalid', `Incompatible type of prefix/ip for table ${name}`);
      }
      return fitting.map(({ type }) => ({ table: name, type, named: true }));
    });
    if (targets.length === 0) throw new CommandError('failed', NO_TABLE);
    return targets;
  }

  /** What 2.x wants a channel of a protocol with; undefined where nothing is asked of one. */
  #exported({ export: wanted }: TableQuery): TableView[] | undefined {
    if (!traitsOf(this.#speaker.written).hasChannels) return undefined;
    const own = this.#ofProtocol(wanted?.protocol);
    return own?.filter(({ type }) => (wanted?.channel ?? type) === type);
  }

  /** The first table of each type, or those of a protocol that is named. */
  #defaults(query: TableQuery): TableTarget[] {
    const { written: config } = this.#speaker;
    const seen = new Set<string>();
    const firsts = tablesOf(config).filter(({ type }) => !seen.has(type) && seen.add(type) !== undefined);
    const own = this.#ofProtocol(query.export?.protocol ?? query.protocol);
    return (own ?? firsts)
      .filter(({ type }) => this.#fitting(type, query) !== undefined)
      .filter(({ type }) => this.#exports(query.export, type))
      .map(({ name, type }) => ({ table: name, type, named: false }));
  }

  /** The unicast tables that a protocol is attached to; undefined where it has none. */
  #ofProtocol(name: string | undefined): TableView[] | undefined {
    const { written: config, registry } = this.#speaker;
    const protocols = declaredProtocols(config);
    const handle = name === undefined ? undefined : registry.find(name);
    // Peers of a range are no protocols of the configuration.
    const declared = protocols.find((each) => each.name === name) ?? this.#rangeOf(handle);
    if (name === undefined || declared === undefined) return undefined;
    const pipe = pipeTables(this.#speaker, declared);
    if (pipe !== undefined) {
      const sides = traitsOf(config).hasChannels ? [pipe.table, pipe.peerTable] : [pipe.table];
      return sides.flatMap((side) => pipe.versions.map((type) => ({ name: side, type })));
    }
    const named = handle?.settings.tables;
    const tables = [...tablesOfProtocol(declared, config)].map(([type, table]) => {
      return { name: named?.[type] ?? table, type };
    });
    if (NO_TABLES.has(declared.kind) && config.bird?.dialect === '2.x') {
      throw new CommandError('failed', NO_TABLE);
    }
    return tables.length === 0 ? undefined : tables;
  }

  /** What the configuration has for a peer of a range. */
  #rangeOf(handle: PeerHandle | undefined): DeclaredProtocol | undefined {
    if (handle?.range === undefined) return undefined;
    return declaredProtocols(this.#speaker.written).find(({ range }) => range === handle.range);
  }

  /** Undefined where a table of this type cannot have what is asked for. */
  #fitting(type: string, { net }: TableQuery): string | undefined {
    if (net === undefined) return type;
    const { prefix } = parseTarget(net.text);
    const version = prefix.bytes.length === 4 ? '4' : '6';
    return type.endsWith(version) && !type.startsWith('roa') ? type : undefined;
  }

  /** False where the protocol takes no routes, in 2.x of tables that are named or of a channel. */
  #canExport({ tables }: TableQuery, { protocol, channel }: NonNullable<TableQuery['export']>): boolean {
    const declared = declaredProtocols(this.#speaker.written).find(({ name }) => name === protocol);
    if (
      channel !== undefined &&
      declared?.written !== undefined &&
      channelOptions(declared.written.channels, channel) === undefined
    ) {
      throw new CommandError('invalid', `Channel ${protocol}.${channel} not found`);
    }
    const state = exportState(this.#speaker, protocol);
    if (state === 'ready') return true;
    const { hasChannels } = traitsOf(this.#speaker.written);
    if (hasChannels ? (tables ?? channel) !== undefined : state === 'none') return false;
    throw new CommandError('failed', hasChannels ? NO_TABLE : 'Protocol is down');
  }

  #exports(wanted: TableQuery['export'], type: string): boolean {
    if (wanted === undefined) return true;
    const version = versionsOf(this.#speaker.written).find((each) => each === type);
    if (version === undefined || (wanted.channel ?? type) !== type) return false;
    const handle = this.#speaker.registry.find(wanted.protocol);
    const families = handle?.established?.session.context.families;
    return families?.some(({ name }) => name.startsWith(type)) ?? true;
  }

  /** What a peer's channel has received, or was sent. */
  #channelTable(from: { protocol: string; channel: string }, received: boolean): TableTarget {
    const { written: config } = this.#speaker;
    const declared = declaredProtocols(config).find(({ name }) => name === from.protocol);
    const label = `${from.protocol}.${from.channel}`;
    const kind = received ? 'import' : 'export';
    const options =
      declared?.written === undefined ? undefined : channelOptions(declared.written.channels, from.channel);
    const kept = received ? options?.importTable : options?.exportTable;
    const version = versionsOf(config).find((each) => each === from.channel);
    const isThere = declared?.written === undefined || options !== undefined;
    if (version === undefined || !isThere) throw new CommandError('invalid', `Channel ${label} not found`);
    const isUp = this.#speaker.registry.find(from.protocol)?.established !== undefined;
    if (declared?.written !== undefined && (kept !== true || !isUp)) {
      throw new CommandError('invalid', `No ${kind} table in channel ${label}`);
    }
    return { table: channelTable(config, from.channel, options), type: version, named: true };
  }
}

function sameTable(a: TableView, b: TableView): boolean {
  return a.name === b.name && a.type === b.type;
}

function channelOptions<T>(channels: ReadonlyMap<string, T>, name: string): T | undefined {
  return channels.get(name);
}

/** The walk over a unicast family's one table. */
class FamilyWalk implements TableAnswer {
  readonly table: string;
  readonly named: boolean;
  readonly #speaker: Speaker;
  readonly #views: RouteViews;
  readonly #family: FamilyRib;
  readonly #query: TableQuery;
  readonly #filter: FilterPolicy | undefined;
  readonly #isSilent: boolean;
  #shown = 0;
  #routes = 0;
  #networks = 0;

  constructor(
    speaker: Speaker,
    views: RouteViews,
    family: FamilyRib,
    target: TableTarget,
    query: TableQuery,
    filter: FilterPolicy | undefined,
    isSilent: boolean,
  ) {
    const label =
      query.importTable !== undefined ? 'import' : query.exportTable !== undefined ? 'export' : undefined;
    this.table = label ?? target.table;
    this.named = target.named;
    this.#speaker = speaker;
    this.#views = views;
    this.#family = family;
    this.#query = query;
    this.#filter = filter;
    this.#isSilent = isSilent;
  }

  *routes(): Iterable<TableRoute | undefined> {
    yield* this.#walk((standing) => this.#views.view(this.#family, this.table, standing));
  }

  *skim(): Iterable<undefined> {
    for (const _ of this.#walk(() => undefined)) yield undefined;
  }

  count(): TableCount {
    return { table: this.table, shown: this.#shown, routes: this.#routes, networks: this.#networks };
  }

  *#walk<T>(make: (standing: RowStanding) => T): Iterable<T | undefined> {
    const { net } = this.#query;
    const query = net === undefined ? {} : { prefix: net.text, longer: net.match === 'inside' };
    const { version } = this.#family.family;
    // Another version's prefixes are in another table.
    if (net !== undefined && (parseTarget(net.text).prefix.bytes.length === 4) !== (version === 'ipv4'))
      return;
    let looked = 0;
    for (const prefixId of this.#prefixes(query)) {
      if (++looked % PREFIXES_PER_PAUSE === 0) yield undefined;
      yield* this.#prefix(prefixId, make);
    }
  }

  /** `for P` asks for the longest prefix that covers P, P being a prefix or an address. */
  #prefixes(query: { prefix?: string; longer?: boolean }): Iterable<number> {
    const { net } = this.#query;
    if (net?.match !== 'covering' || !net.text.includes('/')) return matchingPrefixes(this.#family, query);
    return coveringPrefix(this.#family, net.text);
  }

  /** All of a prefix at once: before the next step its rows may be gone. */
  #prefix<T>(prefixId: number, make: (standing: RowStanding) => T): T[] {
    let total = 0;
    const { paths } = this.#family;
    const { filtered, importTable } = this.#query;
    for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) {
      if (importTable !== undefined)
        total += this.#views.protocolOf(this.#family, row) === importTable.protocol ? 1 : 0;
      else if (filtered === true ? this.#isRefused(row) : paths.attrPost(row) !== 0) total++;
    }
    if (total > 0) {
      this.#routes += this.#query.primaryOnly === true ? 1 : total;
      this.#networks++;
    }
    const made: T[] = [];
    for (const found of this.#rows(prefixId)) {
      if (!this.#isFrom(found.row)) continue;
      const attr = this.#filtered(prefixId, found);
      if (attr === 0) continue;
      this.#shown++;
      made.push(make(attr === found.attr ? found : { ...found, attr, ...this.#standing(found, attr) }));
      if (this.#filter !== undefined) this.#speaker.rib.attrs.release(attr);
    }
    return made;
  }

  #standing({ attr: before, primary }: RowStanding, attr: number): { primary: boolean } {
    const { extras } = this.#speaker.rib.attrs;
    const { changedIsNotBest } = traitsOf(this.#speaker.written);
    return { primary: primary && !(changedIsNotBest && extras[before] !== extras[attr]) };
  }

  #isFrom(row: number): boolean {
    const { protocol } = this.#query;
    return protocol === undefined || this.#views.protocolOf(this.#family, row) === protocol;
  }

  /** The attribute set as an ad-hoc filter leaves it, held once where there is a filter; 0 where it does not pass. */
  #filtered(prefixId: number, { attr, row }: RowStanding): number {
    if (this.#filter === undefined) return attr;
    const peer = this.#speaker.rib.peers.get(this.#family.paths.peerId(row));
    return this.#filter.apply(this.#family, prefixId, attr, peer, attr);
  }

  *#rows(prefixId: number): Iterable<RowStanding> {
    const { filtered, importTable } = this.#query;
    if (this.#isSilent) return;
    const exported = this.#query.export ?? this.#exportTable();
    if (exported !== undefined) {
      const rows = exportRows(this.#speaker, this.#family, prefixId, exported);
      const best = this.#family.locRib.bestRow(prefixId);
      yield* this.#query.primaryOnly === true ? rows.filter(({ row }) => row === best) : rows;
      return;
    }
    if (filtered === true) yield* this.#refused(prefixId);
    else if (importTable !== undefined) yield* this.#received(prefixId, importTable.protocol);
    else {
      yield* this.#candidates(prefixId);
    }
  }

  *#candidates(prefixId: number): Iterable<RowStanding> {
    const { paths, locRib } = this.#family;
    const first = paths.first(prefixId);
    // Most prefixes have one path, which nobody has to be compared with.
    if (first !== 0 && paths.next(first) === 0) {
      const attr = paths.attrPost(first);
      const best = locRib.bestRow(prefixId) === first;
      if (attr !== 0 && (best || this.#query.primaryOnly !== true)) yield { row: first, primary: best, attr };
      return;
    }
    for (const { row, best } of standings(this.#family, prefixId)) {
      const attr = paths.attrPost(row);
      if (attr === 0 || (this.#query.primaryOnly === true && !best)) continue;
      yield { row, primary: best, attr };
    }
  }

  #exportTable(): TableQuery['export'] {
    const { exportTable } = this.#query;
    return exportTable === undefined ? undefined : { protocol: exportTable.protocol, stage: 'exported' };
  }

  /** What import filters refused, with what they had made of it by then. */
  *#refused(prefixId: number): Iterable<RowStanding> {
    const { rib } = this.#speaker;
    const { paths } = this.#family;
    let first = true;
    for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) {
      if (!this.#isRefused(row)) continue;
      const attr = refusedSet(rib, this.#family, row);
      yield { row, primary: first, attr };
      rib.attrs.release(attr);
      first = false;
    }
  }

  #isRefused(row: number): boolean {
    const { paths, family } = this.#family;
    if (paths.attrPost(row) !== 0 || paths.reject(row) !== REJECT.policy) return false;
    return keepsFiltered(this.#speaker, this.#views.protocolOf(this.#family, row), family.version);
  }

  *#received(prefixId: number, protocol: string): Iterable<RowStanding> {
    const { paths } = this.#family;
    let first = true;
    for (let row = paths.first(prefixId); row !== 0; row = paths.next(row)) {
      if (this.#views.protocolOf(this.#family, row) !== protocol) continue;
      yield { row, primary: first, attr: paths.attrIn(row) };
      first = false;
    }
  }
}

/** BIRD forgets refused routes unless it is told to keep them. */
export function keepsFiltered({ written: config }: Speaker, protocol: string, version: IpVersion): boolean {
  const written = config.bird?.protocolsByName.get(protocol);
  return written === undefined || written.channels.get(version)?.importKeepFiltered === true;
}
