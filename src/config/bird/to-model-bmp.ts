// BMP protocols -> stations of the model. BIRD sends no statistics, and of routes what it is told to send.

import { BMP_VIEWS, type BmpStationConfig, MEBIBYTE } from '../bmp.ts';
import type { BirdConfig, ProtocolConfig } from './config.ts';

type BmpProtocol = Extract<ProtocolConfig, { kind: 'bmp' }>;

/** MiB */
const BUFFER_LIMIT = 1024;

export function bmpStations(config: BirdConfig): BmpStationConfig[] {
  return config.protocols
    .filter((each): each is BmpProtocol => each.kind === 'bmp')
    .map(({ name, options, common }) => ({
      name,
      address: options.stationAddress ?? '',
      port: options.stationPort ?? 0,
      localAddress: options.localAddress,
      password: undefined,
      systemName: options.systemName,
      systemDescription: options.systemDescription,
      views: BMP_VIEWS.filter((view) =>
        view === 'pre-policy' ? options.prePolicy : view === 'post-policy' && options.postPolicy,
      ),
      statistics: 0,
      bufferLimit: (options.txBufferLimit ?? BUFFER_LIMIT) * MEBIBYTE,
      enabled: common.disabled !== true,
    }));
}
