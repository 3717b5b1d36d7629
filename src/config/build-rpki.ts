// Caches as the user writes them -> the model. What they say goes into two tables that filters can ask by name.

import type { IssueList } from './issues.ts';
import type { Path } from './nodes.ts';
import {
  RPKI_INTERVALS,
  RPKI_MAX_VERSION,
  RPKI_PORT,
  RPKI_TABLES,
  type RpkiCacheConfig,
  type RpkiInterval,
} from './rpki.ts';
import type { RpkiInput } from './schema-rpki.ts';
import type { SecretReader } from './secrets.ts';

export function buildRpki(
  input: RpkiInput | undefined,
  secrets: SecretReader,
  issues: IssueList,
): RpkiCacheConfig[] {
  return (input?.caches ?? []).map((entry, i) => {
    const path = cachePath(i);
    const cache = typeof entry === 'string' ? { host: entry } : entry;
    const { name = `rpki${i + 1}`, minVersion = 0, maxVersion = RPKI_MAX_VERSION } = cache;
    if (minVersion > maxVersion) {
      issues.error([...path, 'minVersion'], `no version is at least ${minVersion} and at most ${maxVersion}`);
    }
    return {
      name,
      host: cache.host,
      port: cache.port ?? RPKI_PORT,
      localAddress: cache.localAddress,
      password: secrets.read(cache.password, [...path, 'password']),
      preference: cache.preference ?? 0,
      refresh: interval('refresh', cache.refresh),
      retry: interval('retry', cache.retry),
      expire: interval('expire', cache.expire),
      minVersion,
      maxVersion,
      ignoreMaxLength: cache.ignoreMaxLength ?? false,
      enabled: cache.enabled ?? true,
      tables: { roa4: RPKI_TABLES.roa, roa6: RPKI_TABLES.roa, aspa: RPKI_TABLES.aspa },
    };
  });
}

/** Where the cache of an index stands. */
export function cachePath(index: number): Path {
  return ['rpki', 'caches', index];
}

/** What the operator says goes before what the cache says. */
function interval(which: keyof typeof RPKI_INTERVALS, seconds: number | undefined): RpkiInterval {
  return { seconds: seconds ?? RPKI_INTERVALS[which].usual, keep: seconds !== undefined };
}
