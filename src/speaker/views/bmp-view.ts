// BMP stations as operators see them.

import type { BmpStationView } from '../api/bmp.ts';
import type { StationReport } from '../bmp/stations.ts';

const MS_PER_SECOND = 1000;

export function bmpStationView({ config, status, peers, waiting }: StationReport): BmpStationView {
  const { name, address, port, views, bufferLimit } = config;
  const { retryIn, ...rest } = status;
  return {
    name,
    address,
    port,
    routes: [...views],
    peers,
    waiting,
    bufferLimit,
    ...rest,
    retryIn: retryIn === undefined ? undefined : retryIn / MS_PER_SECOND,
  };
}
