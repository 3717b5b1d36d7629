// What filters of all configurations of one daemon share: the pool that keeps unchanged filters the same objects, and
// where they say what they print and why they could not go on. It is there before there is a log, and outlives reloads.

import { type Clock, systemClock } from '../lib/clock.ts';
import type { Filter, PolicyLog } from '../policy/filter.ts';
import { FilterPool, type PolicyHost } from '../policy/program.ts';
import { NO_TABLES, type PolicyTables } from '../policy/route-access.ts';
import { lineOf, type Span } from '../policy/source.ts';
import type { Config } from './model.ts';
import { filtersOf, localImports } from './policies.ts';

/** A log as far as filters need one. */
export interface FilterLog {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** A broken filter would say so for every route: so many lines in an interval are shown, then how many were not. */
const MOST_ERRORS = 10;
const INTERVAL_MS = 10_000;

export class FilterEnvironment {
  readonly pool = new FilterPool();
  readonly host: PolicyHost;
  #log: FilterLog | undefined;
  #tables = NO_TABLES;
  readonly #clock: Clock;
  #intervalStart = Number.NEGATIVE_INFINITY;
  #errors = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    const log: PolicyLog = {
      print: (line) => this.#log?.info({}, line),
      error: (filter, message, span) => this.#error(filter, message, span),
    };
    const tables: PolicyTables = {
      roaCheck: (table, prefix, originAs) => this.#tables.roaCheck(table, prefix, originAs),
      aspaCheck: (table, path, upstream) => this.#tables.aspaCheck(table, path, upstream),
    };
    this.host = { tables, log };
  }

  /** From now on filters are heard. */
  useLog(log: FilterLog): void {
    this.#log = log;
  }

  /** From now on filters have tables to ask. */
  useTables(tables: PolicyTables): void {
    this.#tables = tables;
  }

  /** Forgets filters that the configuration does not have. */
  retain(config: Config): ReadonlySet<Filter> {
    const used = new Set(filtersIn(config));
    this.pool.retain(used);
    return used;
  }

  #error(filter: string, message: string, span: Span | undefined): void {
    const now = this.#clock.now();
    if (now - this.#intervalStart >= INTERVAL_MS) {
      const hidden = this.#errors - MOST_ERRORS;
      if (hidden > 0) this.#log?.warn({ hidden }, `filters failed ${hidden} more times`);
      this.#intervalStart = now;
      this.#errors = 0;
    }
    if (++this.#errors > MOST_ERRORS) return;
    const place = span === undefined ? '' : ` (${span.source.name}:${lineOf(span)})`;
    this.#log?.warn({ filter }, `filter ${filter} rejects a route: ${message}${place}`);
  }
}

/** Every filter that a configuration may run. */
export function filtersIn(config: Config): Filter[] {
  const channels = [...config.peers, ...config.dynamicPeers, ...(config.pipes ?? [])];
  const tables = [config, ...(config.tables ?? [])];
  const dumps = (config.mrt ?? []).map(({ policy }) => policy);
  return [
    ...dumps.flatMap(filtersOf),
    ...channels.flatMap((each) => [each.import, each.export]).flatMap(filtersOf),
    ...tables
      .flatMap(({ localPolicies }) => [localPolicies.install, ...localImports(localPolicies)])
      .flatMap(filtersOf),
    ...tables.flatMap(({ networks }) => networks).flatMap(({ set }) => set ?? []),
  ];
}
