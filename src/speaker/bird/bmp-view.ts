// A station as BIRD's users see it: a BMP protocol with its state, in BIRD's words.

import type { BmpStationConfig } from '../../config/bmp.ts';
import type { BmpProtocolView, ProtocolState } from '../api/protocols.ts';
import type { StationReport } from '../bmp/stations.ts';

/** BIRD says up while it is connected. */
export function stationState(report: StationReport | undefined): ProtocolState {
  if (report === undefined || report.status.state === 'Down') return 'down';
  return report.status.state === 'Established' ? 'up' : 'start';
}

export function bmpView(
  { address, port, bufferLimit }: BmpStationConfig,
  report: StationReport | undefined,
): BmpProtocolView {
  return {
    address,
    port,
    status: report?.status.state ?? 'Down',
    lastError: report?.status.problem,
    pending: report?.status.queued ?? 0,
    limit: bufferLimit,
    sessionSent: report?.status.sessionOctets ?? 0,
    totalSent: report?.status.totalOctets ?? 0,
  };
}
