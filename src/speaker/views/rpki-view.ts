// Caches of RPKI data as operators see them.

import type { CountdownView } from '../../rpki/cache-types.ts';
import type { RpkiCacheView } from '../api/rpki.ts';
import type { CacheReport, RpkiCaches } from '../rpki-caches.ts';

const MS_PER_SECOND = 1000;

export function rpkiViews(caches: RpkiCaches): RpkiCacheView[] {
  return [...caches.reports()].map(rpkiCacheView);
}

function rpkiCacheView({ config, status, counts }: CacheReport): RpkiCacheView {
  const { name, host, port, preference } = config;
  const { state, version, sessionId, serial, lastUpdate, timers, counters, problem } = status;
  return {
    name,
    host,
    port,
    preference,
    state,
    version,
    sessionId,
    serial,
    lastUpdate,
    roas4: counts.roa4,
    roas6: counts.roa6,
    aspas: counts.aspa,
    refreshIn: secondsLeft(timers.refresh),
    retryIn: secondsLeft(timers.retry),
    expireIn: secondsLeft(timers.expire),
    ...counters,
    problem,
  };
}

function secondsLeft(countdown: CountdownView | undefined): number | undefined {
  return countdown === undefined ? undefined : countdown.left / MS_PER_SECOND;
}
