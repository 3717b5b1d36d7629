// The metrics of RPKI caches, as rows like those of metrics-table.ts.
//   cache  name of the cache as in the configuration
//   type   roa4, roa6 or aspa

import type { RpkiCacheView } from '../../speaker/api/rpki.ts';
import type { MetricRow } from './metrics-table.ts';
import { namedRows } from './named-rows.ts';

const MS_PER_SECOND = 1000;

const perCache = namedRows<RpkiCacheView>('cache');

export const RPKI_METRICS: readonly MetricRow<readonly RpkiCacheView[]>[] = [
  perCache('gauge', 'rpki_cache_up', '1 while the cache is in sync', ({ lastUpdate, problem, state }) =>
    lastUpdate !== undefined && problem === undefined && state !== 'Down' ? 1 : 0,
  ),
  {
    name: 'rpki_cache_records',
    type: 'gauge',
    help: 'Records of the cache that count',
    labels: ['cache', 'type'],
    samples: (caches) =>
      caches.flatMap(({ name: cache, roas4, roas6, aspas }) => [
        { labels: { cache, type: 'roa4' }, value: roas4 },
        { labels: { cache, type: 'roa6' }, value: roas6 },
        { labels: { cache, type: 'aspa' }, value: aspas },
      ]),
  },
  perCache('gauge', 'rpki_cache_serial', 'Serial number of the last update', ({ serial }) => serial),
  perCache(
    'gauge',
    'rpki_cache_last_update_timestamp_seconds',
    'When the last update came to its end',
    ({ lastUpdate }) => (lastUpdate === undefined ? undefined : lastUpdate / MS_PER_SECOND),
  ),
  perCache('counter', 'rpki_cache_updates_total', 'Updates that count', ({ updates }) => updates),
  perCache(
    'counter',
    'rpki_cache_connections_total',
    'Connections to the cache',
    ({ connections }) => connections,
  ),
  perCache(
    'counter',
    'rpki_cache_errors_total',
    'Failures of connections and of the protocol',
    ({ errors }) => errors,
  ),
  perCache(
    'counter',
    'rpki_cache_expirations_total',
    'Times that all records of the cache expired',
    ({ expirations }) => expirations,
  ),
];
