// The caches of the configuration, running: each has a client, all of them are ordered by preference, and what they say
// goes into the tables that filters ask.

import { isDeepStrictEqual } from 'node:util';
import { sameValue } from '../config/peer-changes.ts';
import type { RpkiCacheConfig } from '../config/rpki.ts';
import type { Logger } from '../lib/log.ts';
import { CacheClient } from '../rpki/cache-client.ts';
import { type CacheMember, CacheSet } from '../rpki/cache-set.ts';
import type { CacheImage, CacheSettings, CacheStatus } from '../rpki/cache-types.ts';
import { CacheEvents } from './journal/cache-events.ts';
import type { Journal } from './journal/journal.ts';
import { askedAs, type HandedCache, handedCache, recordsOf } from './rpki-image.ts';
import { type DialTools, ServerConnection } from './server-connection.ts';
import type { CacheSource, SourceCounts, ValidationTables } from './validation-tables.ts';

export interface RpkiTools extends DialTools {
  readonly log: Logger;
  readonly tables: ValidationTables;
  readonly journal: Journal;
  /** What is shown of a cache has changed. */
  readonly onChange: (name: string) => void;
}

interface RunningCache {
  config: RpkiCacheConfig;
  readonly member: CacheMember;
  readonly source: CacheSource;
}

export interface CacheReport {
  readonly config: RpkiCacheConfig;
  readonly status: CacheStatus;
  readonly counts: SourceCounts;
}

export class RpkiCaches {
  readonly #tools: RpkiTools;
  readonly #set = new CacheSet();
  readonly #byName = new Map<string, RunningCache>();
  /** Records of caches that are not running yet count already. */
  readonly #adopted = new Map<string, { readonly source: CacheSource; readonly client: CacheImage }>();

  constructor(tools: RpkiTools) {
    this.#tools = tools;
  }

  /** For another process to go on with. */
  get images(): HandedCache[] {
    return [...this.#byName.values()].flatMap(({ config, member, source }) => {
      const { image } = member.client;
      return image === undefined ? [] : handedCache(config, image, this.#tools.tables.recordsOf(source));
    });
  }

  /**
   * What caches have told another process counts at once; they themselves are asked from `use` on. To be called before
   * anything asks the tables.
   */
  adopt(caches: readonly RpkiCacheConfig[], handed: readonly HandedCache[]): void {
    for (const config of caches) {
      const found = handed.find(({ name }) => name === config.name);
      if (found === undefined || !config.enabled || !isDeepStrictEqual(found.asked, askedAs(config)))
        continue;
      const source = this.#attach(config);
      if (this.#tools.tables.restore(source, recordsOf(found))) {
        this.#adopted.set(config.name, { source, client: found.client });
      } else this.#tools.tables.detach(source);
    }
  }

  /** These are the caches from now on; those that have not changed are not disturbed. */
  use(caches: readonly RpkiCacheConfig[]): void {
    const wanted = new Map(caches.filter(({ enabled }) => enabled).map((cache) => [cache.name, cache]));
    for (const [name, running] of [...this.#byName]) {
      const config = wanted.get(name);
      if (config === undefined || !goesOn(running.config, config)) this.#remove(running);
    }
    for (const config of wanted.values()) {
      const running = this.#byName.get(config.name);
      if (running === undefined) this.#add(config);
      else if (!sameValue(running.config, config)) {
        running.config = config;
        running.member.client.useSettings(settingsOf(config));
      }
    }
  }

  /** In the order of the configuration. */
  *reports(): Iterable<CacheReport> {
    for (const name of this.#byName.keys()) {
      const report = this.report(name);
      if (report !== undefined) yield report;
    }
  }

  report(name: string): CacheReport | undefined {
    const running = this.#byName.get(name);
    if (running === undefined) return undefined;
    const { config, member, source } = running;
    return { config, status: member.client.status, counts: this.#tools.tables.countsOf(source) };
  }

  /** Sentences about caches that are not in sync. */
  get problems(): string[] {
    return [...this.reports()].flatMap(({ config: { name }, status: { problem, hasData } }) => {
      if (problem === undefined) return [];
      return `RPKI cache ${name}: ${problem}${hasData ? ', and what it has said counts on' : ''}.`;
    });
  }

  /** Asks a cache for news now. */
  refresh(name: string): void {
    this.#byName.get(name)?.member.client.refreshNow();
  }

  stop(): void {
    for (const running of [...this.#byName.values()]) this.#remove(running);
  }

  #add(config: RpkiCacheConfig): void {
    const { clock, log, tables, journal, onChange } = this.#tools;
    const { name } = config;
    const adopted = this.#adopted.get(name);
    this.#adopted.delete(name);
    const source = adopted?.source ?? this.#attach(config);
    const events = new CacheEvents(journal, name, adopted !== undefined);
    const client: CacheClient = new CacheClient(
      settingsOf(config),
      {
        clock,
        log: log.child({ cache: name }),
        dial: (handlers) => new ServerConnection({ ...config, what: 'cache' }, this.#tools, handlers),
        apply: (update, done) => tables.apply(source, update, done),
        onChange: () => {
          events.review(client.status);
          onChange(name);
          this.#set.review();
        },
      },
      adopted?.client,
    );
    const member = { client, preference: config.preference, enabled: true };
    this.#byName.set(name, { config, member, source });
    // It ran, whatever the others have; who needs it no more stops it.
    if (adopted !== undefined) client.start();
    this.#set.add(member);
  }

  #attach({ name, tables: names, ignoreMaxLength }: RpkiCacheConfig): CacheSource {
    const source: CacheSource = { name, tables: { ...names, ignoreMaxLength } };
    this.#tools.tables.attach(source);
    return source;
  }

  #remove({ config, member, source }: RunningCache): void {
    this.#byName.delete(config.name);
    this.#set.remove(member);
    this.#tools.tables.detach(source);
  }
}

/** Only the intervals and the versions differ. */
function goesOn(before: RpkiCacheConfig, after: RpkiCacheConfig): boolean {
  const { refresh, retry, expire, minVersion, maxVersion } = after;
  return sameValue({ ...before, refresh, retry, expire, minVersion, maxVersion }, after);
}

function settingsOf({ refresh, retry, expire, minVersion, maxVersion }: RpkiCacheConfig): CacheSettings {
  return { intervals: { refresh, retry, expire }, minVersion, maxVersion };
}
