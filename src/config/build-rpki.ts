// Caches as the user writes them -> the model. What they say goes into two tables that filters can ask by name.

import type { IssueList } from './issues.ts';
import { formatPath, type Path } from './nodes.ts';
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

/** `taken`: names of peers and the like, which are protocols, too. */
export function buildRpki(
  input: RpkiInput | undefined,
  taken: ReadonlySet<string>,
  secrets: SecretReader,
  issues: IssueList,
): RpkiCacheConfig[] {
  const seen = new Map<string, Path>();
  return (input?.caches ?? []).map((entry, i) => {
    const path = ['rpki', 'caches', i];
    const cache = typeof entry === 'string' ? { host: entry } : entry;
    const { name = `rpki${i + 1}`, minVersion = 0, maxVersion = RPKI_MAX_VERSION } = cache;
    const earlier = seen.get(name);
    const at = cache.name === undefined ? path : [...path, 'name'];
    if (earlier !== undefined)
      issues.error(at, `${formatPath(earlier)} is called ${name}, too`, 'give it another name');
    else if (taken.has(name))
      issues.error(at, `a peer is called ${name}, too`, 'give one of them another name');
    seen.set(name, path);
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

/** What the operator says goes before what the cache says. */
function interval(which: keyof typeof RPKI_INTERVALS, seconds: number | undefined): RpkiInterval {
  return { seconds: seconds ?? RPKI_INTERVALS[which].usual, keep: seconds !== undefined };
}
