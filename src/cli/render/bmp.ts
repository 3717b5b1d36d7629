// BMP stations for a person: one line a station, and what is wrong with it.

import type { BmpStationView } from '../../control/protocol.ts';
import { hostPort } from '../../lib/ip.ts';
import type { Look } from './style.ts';
import { type Column, renderTable } from './table.ts';
import { formatBytes, formatSince } from './units.ts';

const columnsAt = (now: number): readonly Column<BmpStationView>[] => [
  { title: 'STATION', value: ({ name }) => name },
  {
    title: 'ADDRESS',
    value: ({ address, port }) => hostPort(address, port),
  },
  {
    title: 'STATE',
    value: ({ state }) => state,
    paint: ({ problem }, { style }) => (problem === undefined ? style.good : style.bad),
  },
  { title: 'SINCE', value: ({ since }) => formatSince(since, now) },
  { title: 'ROUTES', value: ({ routes }) => (routes.length === 0 ? 'none' : routes.join(' ')) },
  { title: 'PEERS', align: 'right', value: ({ peers }) => `${peers}` },
  { title: 'WAITING', align: 'right', value: ({ waiting }) => `${waiting}` },
  { title: 'SENT', align: 'right', value: ({ totalOctets }) => formatBytes(totalOctets) },
  { title: 'WHY', flexible: true, value: ({ problem }) => problem ?? '' },
];

export function renderBmpStations(stations: readonly BmpStationView[], look: Look): string {
  if (stations.length === 0) return 'There are no BMP stations.\n';
  return renderTable(columnsAt(look.now), stations, look);
}
