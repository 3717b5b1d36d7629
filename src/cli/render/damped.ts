// Routes that have flapped, a line each.

import type { DampedRouteView } from '../../control/protocol.ts';
import type { Look } from './style.ts';
import { type Column, StreamingTable } from './table.ts';
import { formatAge, formatCount, formatSince } from './units.ts';

const MS_PER_SECOND = 1000;

const columnsAt = (now: number): readonly Column<DampedRouteView>[] => [
  { title: 'PREFIX', value: ({ prefix, pathId }) => (pathId === 0 ? prefix : `${prefix} #${pathId}`) },
  { title: 'PEER', value: (route) => route.peer },
  {
    title: 'STATE',
    value: (route) => (route.suppressed ? 'suppressed' : 'used'),
    paint: (route, { style }) => (route.suppressed ? style.bad : style.good),
  },
  { title: 'PENALTY', align: 'right', value: (route) => formatCount(route.penalty) },
  { title: 'FLAPS', align: 'right', value: (route) => formatCount(route.flaps) },
  { title: 'SINCE', value: (route) => formatSince(route.since, now) },
  {
    title: 'REUSE IN',
    align: 'right',
    value: ({ suppressed, reuseIn }) => (suppressed ? formatAge(reuseIn * MS_PER_SECOND) : '-'),
  },
];

export function dampedTable(look: Look): StreamingTable<DampedRouteView> {
  return new StreamingTable(columnsAt(look.now), look);
}
