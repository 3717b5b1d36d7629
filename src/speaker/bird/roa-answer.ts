// A ROA or ASPA table under `show route`: entries instead of routes, each a network with a longest length and an AS, or a
// customer, as the configuration and caches say them.

import { formatPrefix } from '../../lib/ip.ts';
import { toBytes, toWords } from '../../lib/prefix-trie.ts';
import { AttributeAccess, bgpRouteFacts } from '../../policy/attribute-access.ts';
import { type Filter, OUTCOME } from '../../policy/filter.ts';
import type { FilterPolicy } from '../../policy/filter-policy.ts';
import type { VrpSet } from '../../policy/vrp-set.ts';
import { DEFAULT_PREFERENCE } from '../../rib/route-extras.ts';
import type { RouteOrigin, TableAnswer, TableQuery, TableRoute } from '../api/tables.ts';
import type { Speaker } from '../speaker.ts';
import { CONFIGURED } from '../validation-tables.ts';
import { parseTarget } from '../views/route-query.ts';
import { aspasOf, roasOf, roaText } from './roas.ts';
import type { TableTarget } from './tables.ts';

const NO_BYTES = new Uint8Array(0);
/** RTS_* and RTD_NONE, as filters see such an entry. */
const SOURCES: Readonly<Partial<Record<RouteOrigin, number>>> = { static: 1, RPKI: 14 };
const NO_DESTINATION = 0;
export const RPKI_PREFERENCE = 100;
/** After so many records whoever walks may do something else. */
const RECORDS_PER_PAUSE = 256;
const IPV4_WORDS = 1;
const BITS_A_WORD = 32;

interface Entry {
  readonly net: string;
  readonly protocol: string;
  readonly origin: RouteOrigin;
  readonly preference: number;
  /** Wall-clock milliseconds. */
  readonly since: number;
  /** The first of its network. */
  readonly first: boolean;
  /** What filters know as its network; undefined for an ASPA. */
  readonly prefix: { readonly words: Int32Array; readonly length: number } | undefined;
}

export function roaAnswer(
  speaker: Speaker,
  { table, type, named }: TableTarget,
  query: TableQuery,
  policy: FilterPolicy | undefined,
): TableAnswer {
  let shown = 0;
  let routes = 0;
  let networks = 0;
  // A question about what protocols send or have refused is none about entries.
  const answers = query.export === undefined && query.filtered !== true;
  function* walk(): Iterable<Entry | undefined> {
    const entries = type === 'aspa' ? aspaEntries(speaker, table) : roaEntries(speaker, table, type);
    for (const entry of entries) {
      if (entry === undefined) {
        yield undefined;
        continue;
      }
      if (query.filtered === true) continue;
      routes++;
      if (entry.first) networks++;
      if (!answers || !isWanted(entry, query, policy?.filter)) continue;
      shown++;
      yield entry;
    }
  }
  return {
    table,
    named,
    *routes() {
      for (const entry of walk()) yield entry === undefined ? undefined : routeOf(entry, table);
    },
    *skim() {
      for (const entry of walk()) if (entry === undefined) yield undefined;
    },
    count: () => ({ table, shown, routes, networks }),
  };
}

/** As they are written, then what caches say. */
function* roaEntries(speaker: Speaker, table: string, type: string): Iterable<Entry | undefined> {
  const contents = speaker.tables.contentsOf(table);
  for (const roa of roasOf(speaker.config)) {
    if (roa.table !== table) continue;
    const { bytes, length } = parseTarget(roa.prefix).prefix;
    yield {
      ...staticEntry(speaker, roaText(roa), roa.protocol),
      prefix: { words: toWords(bytes), length },
    };
  }
  if (contents === undefined) return;
  const { ipv4, ipv6 } = contents.roas;
  if (type !== 'roa6') yield* cacheEntries(speaker, ipv4, contents.sources);
  if (type !== 'roa4') yield* cacheEntries(speaker, ipv6, contents.sources);
}

function* cacheEntries(
  speaker: Speaker,
  set: VrpSet,
  sources: readonly ({ readonly name: string } | undefined)[],
): Iterable<Entry | undefined> {
  const { records } = set;
  const times = new Map<string, number>();
  for (let id = 1; id < records.limit; id++) {
    if (id % RECORDS_PER_PAUSE === 0) yield undefined;
    const said = records.sources(id);
    const others = said & ~(1 << CONFIGURED);
    if (others === 0) continue;
    const at = records.wordsAt(id);
    const words = records.data.slice(at, at + records.stride);
    const length = records.bits(id);
    const net = formatPrefix({ bytes: toBytes(words, 0, records.stride), length });
    let first = said === others;
    for (let number = CONFIGURED + 1; others >> number !== 0; number++) {
      const source = sources[number];
      if ((others & (1 << number)) === 0 || source === undefined) continue;
      const lenient = (set.lenient & (1 << number)) !== 0;
      const maxLength = lenient ? records.stride * BITS_A_WORD : records.maxLength(id);
      const since = times.get(source.name) ?? sinceOf(speaker, source.name);
      times.set(source.name, since);
      yield {
        net: roaText({ table: '', prefix: net, maxLength, asn: records.asn(id) }),
        protocol: source.name,
        origin: 'RPKI',
        preference: RPKI_PREFERENCE,
        since,
        first,
        prefix: { words, length },
      };
      first = false;
    }
  }
}

function* aspaEntries(speaker: Speaker, table: string): Iterable<Entry> {
  for (const aspa of aspasOf(speaker.config)) {
    if (aspa.table === table) {
      yield { ...staticEntry(speaker, `${aspa.customer}`, aspa.protocol), prefix: undefined };
    }
  }
  const contents = speaker.tables.contentsOf(table);
  const seen = new Set(contents?.aspas.of(CONFIGURED).keys());
  for (const [number, authorizations] of contents?.aspas.sources ?? []) {
    const name = contents?.sources[number]?.name;
    if (number === CONFIGURED || name === undefined) continue;
    const since = sinceOf(speaker, name);
    for (const customer of authorizations.keys()) {
      const first = !seen.has(customer);
      seen.add(customer);
      const base = { protocol: name, origin: 'RPKI', preference: RPKI_PREFERENCE } as const;
      yield { ...base, net: `${customer}`, since, first, prefix: undefined };
    }
  }
}

function staticEntry(speaker: Speaker, net: string, protocol: string): Omit<Entry, 'prefix'> {
  const preference = DEFAULT_PREFERENCE.static;
  return { net, protocol, origin: 'static', preference, since: speaker.reconfiguredAt, first: true };
}

/** A cache's records are as old as its last update, as far as anybody knows. */
function sinceOf(speaker: Speaker, cache: string): number {
  return speaker.rpki.report(cache)?.status.lastUpdate ?? speaker.startedAt;
}

function isWanted(
  { protocol, origin, preference, prefix }: Entry,
  query: TableQuery,
  filter: Filter | undefined,
): boolean {
  if (query.protocol !== undefined && query.protocol !== protocol) return false;
  if (filter === undefined) return true;
  if (prefix === undefined) return false;
  const facts = {
    ...bgpRouteFacts(protocol, undefined, undefined),
    source: SOURCES[origin] ?? 0,
    dest: NO_DESTINATION,
    preference,
  };
  const access = new AttributeAccess()
    .load(NO_BYTES, 0, 0, facts)
    .setNet(prefix.words, prefix.length, prefix.words.length === IPV4_WORDS ? 1 : 4);
  return filter.evaluate(access) === OUTCOME.accept;
}

function routeOf({ net, protocol, origin, since, preference, first }: Entry, table: string): TableRoute {
  return {
    table,
    net,
    protocol,
    origin,
    destination: 'none',
    hops: [],
    from: undefined,
    since,
    preference,
    primary: first,
    kernelProblem: false,
    igpMetric: undefined,
    stale: false,
    suppressed: false,
    bgp: undefined,
    kernel: [],
  };
}
