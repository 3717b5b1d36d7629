// Stations as the user writes them -> the model.

import { BMP_BUFFER_LIMIT, BMP_STATISTICS, BMP_VIEWS, type BmpStationConfig, MEBIBYTE } from './bmp.ts';
import type { Path } from './nodes.ts';
import type { BmpInput } from './schema-bmp.ts';
import type { SecretReader } from './secrets.ts';

export function buildBmp(input: BmpInput | undefined, secrets: SecretReader): BmpStationConfig[] {
  return (input?.stations ?? []).map((station, i) => ({
    name: station.name ?? `bmp${i + 1}`,
    address: station.address,
    port: station.port,
    localAddress: station.localAddress,
    password: secrets.read(station.password, [...stationPath(i), 'password']),
    systemName: station.systemName,
    systemDescription: station.systemDescription,
    views: BMP_VIEWS.filter((view) => (station.routes ?? ['pre-policy']).includes(view)),
    statistics: station.statistics ?? BMP_STATISTICS,
    bufferLimit: station.bufferLimit === undefined ? BMP_BUFFER_LIMIT : station.bufferLimit * MEBIBYTE,
    enabled: station.enabled ?? true,
  }));
}

/** Where the station of an index stands. */
export function stationPath(index: number): Path {
  return ['bmp', 'stations', index];
}
