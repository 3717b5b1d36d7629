// A cache as BIRD's users see it: an RPKI protocol with its state, in BIRD's words as far as it has any.

import type { RpkiCacheConfig } from '../../config/rpki.ts';
import { isInSync } from '../../rpki/cache-set.ts';
import type { CacheStatus, CountdownView } from '../../rpki/cache-types.ts';
import type { ProtocolState, RpkiView, TimerView } from '../api/protocols.ts';
import type { CacheReport } from '../rpki-caches.ts';

const MS_PER_SECOND = 1000;

/** BIRD says up while it is in sync. */
export function cacheState(report: CacheReport | undefined): ProtocolState {
  if (report === undefined || report.status.state === 'Down') return 'down';
  return isInSync(report.status) ? 'up' : 'start';
}

/** `now`: wall-clock milliseconds. */
export function rpkiView(config: RpkiCacheConfig, status: CacheStatus | undefined, now: number): RpkiView {
  const { host, port, password, maxVersion } = config;
  return {
    server: host,
    port,
    transport: password === undefined ? 'Unprotected over TCP' : 'TCP-MD5',
    status: status?.state ?? 'Down',
    version: status?.version ?? maxVersion,
    sessionId: status?.sessionId,
    serial: status?.serial,
    lastUpdate: status?.lastUpdate === undefined ? undefined : (now - status.lastUpdate) / MS_PER_SECOND,
    refreshTimer: timerOf(status?.timers.refresh),
    retryTimer: timerOf(status?.timers.retry),
    expireTimer: timerOf(status?.timers.expire),
  };
}

function timerOf(countdown: CountdownView | undefined): TimerView | undefined {
  if (countdown === undefined) return undefined;
  return { left: countdown.left / MS_PER_SECOND, of: countdown.of / MS_PER_SECOND };
}
