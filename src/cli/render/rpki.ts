// Caches of RPKI data for a person: one line a cache, and what is wrong with it.

import type { RpkiCacheView } from '../../control/protocol.ts';
import { hostPort } from '../../lib/ip.ts';
import type { Look } from './style.ts';
import { type Column, renderTable } from './table.ts';
import { formatSince } from './units.ts';

const IN_SYNC = 'Established';
const NONE = '-';

const columnsAt = (now: number): readonly Column<RpkiCacheView>[] => [
  { title: 'CACHE', value: ({ name }) => name },
  {
    title: 'SERVER',
    value: ({ host, port }) => hostPort(host, port),
  },
  {
    title: 'STATE',
    value: ({ state }) => state,
    paint: ({ state, problem }, { style }) =>
      problem === undefined && state === IN_SYNC ? style.good : style.bad,
  },
  { title: 'VERSION', align: 'right', value: ({ version }) => `${version}` },
  { title: 'SERIAL', align: 'right', value: ({ serial }) => (serial === undefined ? NONE : `${serial}`) },
  { title: 'ROAS4', align: 'right', value: ({ roas4 }) => `${roas4}` },
  { title: 'ROAS6', align: 'right', value: ({ roas6 }) => `${roas6}` },
  { title: 'ASPAS', align: 'right', value: ({ aspas }) => `${aspas}` },
  {
    title: 'UPDATED',
    value: ({ lastUpdate }) => (lastUpdate === undefined ? NONE : formatSince(lastUpdate, now)),
  },
  { title: 'WHY', flexible: true, value: ({ problem }) => problem ?? '' },
];

export function renderRpkiCaches(caches: readonly RpkiCacheView[], look: Look): string {
  if (caches.length === 0) return 'There are no RPKI caches.\n';
  return renderTable(columnsAt(look.now), caches, look);
}
