// A ROA table under `show route`: entries instead of routes, each a network with a longest length and an AS.

import { toWords } from '../../lib/prefix-trie.ts';
import { AttributeAccess, bgpRouteFacts } from '../../policy/attribute-access.ts';
import { type Filter, OUTCOME } from '../../policy/filter.ts';
import type { FilterPolicy } from '../../policy/filter-policy.ts';
import { DEFAULT_PREFERENCE } from '../../rib/route-extras.ts';
import type { TableAnswer, TableQuery, TableRoute } from '../api/tables.ts';
import type { Speaker } from '../speaker.ts';
import { parseTarget } from '../views/route-query.ts';
import { roasOf, roaText, type StaticRoa } from './roas.ts';
import type { TableTarget } from './tables.ts';

const NO_BYTES = new Uint8Array(0);
const IPV4_OCTETS = 4;
/** RTS_STATIC, RTD_NONE, as filters see such an entry. */
const STATIC_SOURCE = 1;
const NO_DESTINATION = 0;

export function roaAnswer(
  speaker: Speaker,
  { table, named }: TableTarget,
  query: TableQuery,
  policy: FilterPolicy | undefined,
): TableAnswer {
  const entries = [...roasOf(speaker.written)].filter((roa) => roa.table === table);
  const wanted = entries.filter((roa) => isWanted(roa, query, policy?.filter));
  // A question about what protocols send or have refused is none about entries.
  const shown = query.export === undefined && query.filtered !== true ? wanted : [];
  return {
    table,
    named,
    *routes() {
      for (const roa of shown) yield routeOf(roa, table, speaker.reconfiguredAt);
    },
    *skim() {},
    count: () => ({
      table,
      shown: shown.length,
      routes: entries.length,
      networks: new Set(entries.map(roaText)).size,
    }),
  };
}

function isWanted(roa: StaticRoa, { protocol }: TableQuery, filter: Filter | undefined): boolean {
  if (protocol !== undefined && protocol !== roa.protocol) return false;
  if (filter === undefined) return true;
  const { prefix } = parseTarget(roa.prefix);
  const facts = {
    ...bgpRouteFacts(roa.protocol, undefined, undefined),
    source: STATIC_SOURCE,
    dest: NO_DESTINATION,
    preference: DEFAULT_PREFERENCE.static,
  };
  const access = new AttributeAccess()
    .load(NO_BYTES, 0, 0, facts)
    .setNet(toWords(prefix.bytes), prefix.length, prefix.bytes.length === IPV4_OCTETS ? 1 : 4);
  return filter.evaluate(access) === OUTCOME.accept;
}

function routeOf(roa: StaticRoa, table: string, since: number): TableRoute {
  return {
    table,
    net: roaText(roa),
    protocol: roa.protocol,
    origin: 'static',
    destination: 'none',
    hops: [],
    from: undefined,
    since,
    preference: DEFAULT_PREFERENCE.static,
    primary: true,
    kernelProblem: false,
    igpMetric: undefined,
    stale: false,
    suppressed: false,
    bgp: undefined,
    kernel: [],
  };
}
