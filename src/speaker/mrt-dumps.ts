// Dumps of tables into files: when somebody asks, and again and again where the configuration says so. A file is written
// chunk by chunk; the next dump of the same kind waits until the last one is written.

import type { Config, MrtConfig } from '../config/model.ts';
import { policyFor } from '../config/policies.ts';
import { type Clock, sleep, type Timer } from '../lib/clock.ts';
import { parseQuad } from '../lib/ip.ts';
import type { Logger } from '../lib/log.ts';
import { formatTime } from '../lib/time-format.ts';
import type { FamilyRib } from '../rib/family-rib.ts';
import type { PeerPolicy } from '../rib/route-policy.ts';
import { CommandError } from './api.ts';
import { shownTable } from './bird/declared.ts';
import type { Policies } from './policies.ts';
import { dumpTable } from './table-dump.ts';
import type { TableRooms } from './table-rooms.ts';
import type { RecordStore } from './trace/record-file.ts';

const MS_PER_SECOND = 1000;

/** Where dumps go; records are added to files where it can do that, too. */
export interface DumpStore extends Partial<RecordStore> {
  /** A file that is empty from now on. */
  create(path: string): Promise<DumpFile>;
}

export interface DumpFile {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface MrtParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly rooms: TableRooms;
  readonly policies: Policies;
  /** Undefined where nothing can be written. */
  readonly store: DumpStore | undefined;
}

interface Running {
  config: MrtConfig;
  timer: Timer | undefined;
}

export class MrtDumps {
  readonly #parts: MrtParts;
  readonly #running = new Map<string, Running>();
  #config: Config;

  constructor(config: Config, parts: MrtParts) {
    this.#parts = parts;
    this.#config = config;
  }

  /** Dumps as the configuration says from now on; what did not change keeps its pace. */
  use(config: Config): void {
    this.#config = config;
    const wanted = new Map((config.mrt ?? []).map((each) => [each.name, each]));
    for (const [name, { timer }] of this.#running) {
      if (wanted.has(name)) continue;
      timer?.cancel();
      this.#running.delete(name);
    }
    for (const [name, mrt] of wanted) {
      const known = this.#running.get(name);
      if (known?.config.period === mrt.period) known.config = mrt;
      else {
        known?.timer?.cancel();
        this.#start(mrt);
      }
    }
  }

  stop(): void {
    for (const { timer } of this.#running.values()) timer?.cancel();
    this.#running.clear();
  }

  /**
   * Writes every table whose name fits a pattern (`*` and `?`) to a file of its own, `%N` in the file's name being the
   * table's and all else strftime's. Rejects with CommandError.
   */
  async dump(pattern: string, filename: string, policy: PolicyOf, addPath = false): Promise<void> {
    const { store } = this.#parts;
    if (store === undefined) throw new CommandError('failed', 'no files are written here');
    const tables = [...this.#matching(pattern)];
    if (tables.length === 0) throw new CommandError('not-found', `there is no table ${pattern}`);
    for (const { name, rib } of tables) await this.#write(store, rib, name, filename, policy(rib), addPath);
  }

  #start(mrt: MrtConfig): void {
    const running: Running = { config: mrt, timer: undefined };
    const { clock, log } = this.#parts;
    const again = (): void => {
      running.timer = clock.setTimer(running.config.period * MS_PER_SECOND, () => {
        running.timer = undefined;
        const { table, filename, addPath, policy, name } = running.config;
        const policyOf = (rib: FamilyRib): PeerPolicy => {
          return this.#parts.policies.pipePolicy(policyFor(policy, rib.family.version));
        };
        this.dump(table, filename, policyOf, addPath)
          .catch((error: unknown) => log.error({ protocol: name, error }, 'a table could not be dumped'))
          .finally(() => {
            if (this.#running.get(name) === running) again();
          });
      });
    };
    this.#running.set(mrt.name, running);
    again();
  }

  *#matching(pattern: string): Iterable<{ name: string; rib: FamilyRib }> {
    const fits = new RegExp(
      `^${pattern
        .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    );
    for (const { name: model, place } of this.#parts.rooms.values()) {
      for (const rib of place.families) {
        const { version } = rib.family;
        const name = shownTable(this.#config, model, version);
        const isThere = this.#config.bird?.family === undefined || this.#config.bird.family === version;
        if (!isThere || !fits.test(name)) continue;
        // Two families under one name are two files.
        const shared = model !== '' && place.families.length > 1;
        yield { name: shared ? `${name}${version.slice('ipv'.length)}` : name, rib };
      }
    }
  }

  async #write(
    store: DumpStore,
    rib: FamilyRib,
    view: string,
    filename: string,
    policy: PeerPolicy,
    addPath: boolean,
  ): Promise<void> {
    const { clock } = this.#parts;
    const now = clock.wallTime();
    const path = formatTime(filename.replaceAll('%N', view.replaceAll('%', '%%')), now);
    const file = await store.create(path);
    const options = {
      view,
      policy,
      addPath,
      localPref: this.#config.bird !== undefined,
      timestamp: Math.floor(now / MS_PER_SECOND),
      collectorId: parseQuad(this.#config.router.id) ?? 0,
    };
    try {
      for (const chunk of dumpTable(rib, options)) {
        if (chunk !== undefined) await file.write(chunk);
        else await sleep(clock, 0);
      }
    } finally {
      await file.close();
    }
  }
}

/** Which routes of a table, and as what. */
export type PolicyOf = (rib: FamilyRib) => PeerPolicy;
