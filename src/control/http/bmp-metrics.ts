// The metrics of BMP stations, as rows like those of metrics-table.ts.
//   station  name of the station as in the configuration

import type { BmpStationView } from '../../speaker/api/bmp.ts';
import type { MetricRow } from './metrics-table.ts';
import { namedRows } from './named-rows.ts';

const perStation = namedRows<BmpStationView>('station');

export const BMP_METRICS: readonly MetricRow<readonly BmpStationView[]>[] = [
  perStation('gauge', 'bmp_station_up', '1 while the station is connected', ({ state }) =>
    state === 'Established' ? 1 : 0,
  ),
  perStation(
    'gauge',
    'bmp_station_waiting_prefixes',
    'Prefixes whose changes the station has yet to be told',
    ({ waiting }) => waiting,
  ),
  perStation('gauge', 'bmp_station_queued_bytes', 'Octets that wait for the station', ({ queued }) => queued),
  perStation('counter', 'bmp_station_sent_bytes_total', 'Octets sent', ({ totalOctets }) => totalOctets),
  perStation(
    'counter',
    'bmp_station_connections_total',
    'Connections that came up',
    ({ connections }) => connections,
  ),
  perStation(
    'counter',
    'bmp_station_overflows_total',
    'Connections that ended because the station took too little',
    ({ overflows }) => overflows,
  ),
];
