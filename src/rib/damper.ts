// Route flap damping for one peer (RFC 2439 §4.8): watches what the peer announces and withdraws, and takes routes out of
// the choice, and back in, as the figures say (damping-table.ts). What is remembered outlives the session, so that a
// session that flaps with its routes does not wash them clean. A lost session is no flap of its routes (§4.8.5).

import type { FamilyName } from '../bgp/wire/families.ts';
import type { NlriBatch } from '../bgp/wire/nlri-batch.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { refuse, reuseRow } from './adj-rib-in.ts';
import {
  type DampingEvents,
  type DampingOptions,
  DampingTable,
  FLAP,
  type FlapRecord,
  type HandedFlap,
  TICK_MS,
} from './damping-table.ts';
import type { FamilyRib } from './family-rib.ts';
import { REJECT } from './import-checks.ts';
import type { Rib } from './rib.ts';
import type { RibPeer, RouteDamper } from './rib-peer.ts';

/** Prefixes that are looked up together, as in the Adj-RIB-In. */
const BLOCK = 512;

export interface DamperOptions extends DampingOptions {
  /** Those that are damped. */
  readonly families: readonly FamilyName[];
}

/** A route that has flapped, now. */
export interface DampedRoute {
  readonly rib: FamilyRib;
  readonly record: FlapRecord;
  readonly penalty: number;
  /** Milliseconds; 0 where it is not suppressed. */
  readonly reuseIn: number;
}

export interface DampingCounts {
  /** Routes that have flapped, and those of them that are not used. */
  readonly remembered: number;
  readonly suppressed: number;
  /** Flaps that were not counted, because there was no room. */
  readonly overflows: number;
}

/** Plain data: what is remembered of the routes of one table. */
export interface DampingImage {
  /** The writer's number. */
  readonly table: number;
  readonly routes: readonly (HandedFlap & { readonly prefix: number; readonly pathId: number })[];
}

export class Damper implements RouteDamper {
  readonly options: DamperOptions;
  readonly #rib: Rib;
  readonly #clock: Clock;
  readonly #peer: () => RibPeer | undefined;
  readonly #tables = new Map<FamilyRib, DampingTable>();
  #timer: Timer | undefined;

  /** `peer`: whose routes they are, while it has any. */
  constructor(rib: Rib, clock: Clock, options: DamperOptions, peer: () => RibPeer | undefined) {
    this.#rib = rib;
    this.#clock = clock;
    this.options = options;
    this.#peer = peer;
  }

  beforeAnnounce(rib: FamilyRib, peer: RibPeer, batch: NlriBatch, attrIn: number): void {
    if (!this.#watches(rib)) return;
    const { paths } = rib;
    this.#forEach(rib, batch, (prefixId, pathId) => {
      const row = paths.find(prefixId, peer.id, pathId);
      if (row !== 0 && paths.attrIn(row) !== attrIn) this.#flap(rib, prefixId, pathId, FLAP.change);
    });
  }

  afterAnnounce(rib: FamilyRib, peer: RibPeer, batch: NlriBatch): void {
    const table = this.#tables.get(rib);
    if (table === undefined || table.size === 0) return;
    this.#forEach(rib, batch, (prefixId, pathId) => {
      if (table.find(prefixId, pathId)?.suppressed !== true) return;
      const row = rib.paths.find(prefixId, peer.id, pathId);
      if (row !== 0) refuse(rib, peer, row, REJECT.damped);
    });
  }

  beforeWithdraw(rib: FamilyRib, peer: RibPeer, batch: NlriBatch): void {
    if (!this.#watches(rib)) return;
    this.#forEach(rib, batch, (prefixId, pathId) => {
      if (rib.paths.find(prefixId, peer.id, pathId) !== 0) {
        this.#flap(rib, prefixId, pathId, FLAP.withdrawal);
      }
    });
  }

  #watches({ family }: FamilyRib): boolean {
    return this.options.families.includes(family.name);
  }

  isSuppressed(rib: FamilyRib, prefixId: number, pathId: number): boolean {
    return this.#tables.get(rib)?.find(prefixId, pathId)?.suppressed === true;
  }

  /** Of all its routes. */
  get counts(): DampingCounts {
    const counts = { remembered: 0, suppressed: 0, overflows: 0 };
    for (const { size, suppressed, overflows } of this.#tables.values()) {
      counts.remembered += size;
      counts.suppressed += suppressed;
      counts.overflows += overflows;
    }
    return counts;
  }

  /** Every route that is remembered. */
  *values(): IterableIterator<DampedRoute> {
    const now = this.#clock.now();
    for (const [rib, table] of this.#tables) {
      for (const record of table.values()) {
        const penalty = table.penaltyAt(record, now);
        yield { rib, record, penalty, reuseIn: table.reuseIn(record, now) };
      }
    }
  }

  /** For another process to go on with. */
  get image(): DampingImage[] {
    const now = this.#clock.now();
    return [...this.#tables].map(([rib, table]) => ({
      table: rib.index,
      routes: [...table.values()].map((record) => {
        return { prefix: record.prefixId, pathId: record.pathId, ...table.handed(record, now) };
      }),
    }));
  }

  /** Goes on with what another process has counted of a table; `prefixes`: where its prefix is here, 0 = nowhere. */
  restore(rib: FamilyRib, routes: DampingImage['routes'], prefixes: (prefix: number) => number): void {
    if (!this.#watches(rib)) return;
    const now = this.#clock.now();
    const table = this.#tableOf(rib);
    for (const { prefix, pathId, ...handed } of routes) {
      const prefixId = prefixes(prefix);
      if (prefixId === 0 || table.adopt(prefixId, pathId, handed, now) === undefined) continue;
      rib.prefixes.hold(prefixId);
    }
    if (table.size > 0) this.#timer ??= this.#clock.setTimer(TICK_MS, this.#tick);
  }

  /** Forgets routes, those of one prefix or all; the suppressed ones are used again. Returns how many. */
  clear(only?: (rib: FamilyRib, prefixId: number) => boolean): number {
    let cleared = 0;
    for (const [rib, table] of this.#tables) {
      const { onReuse, onForget } = this.#eventsOf(rib);
      for (const record of [...table.values()]) {
        if (only !== undefined && !only(rib, record.prefixId)) continue;
        table.remove(record);
        if (record.suppressed) {
          record.suppressed = false;
          onReuse(record);
        }
        onForget(record);
        cleared++;
      }
    }
    return cleared;
  }

  /** Forgets everything and stops its timer. */
  close(): void {
    this.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #flap(rib: FamilyRib, prefixId: number, pathId: number, cost: number): void {
    const table = this.#tableOf(rib);
    const { size } = table;
    table.flap(prefixId, pathId, cost, this.#clock.now());
    // A record names its prefix by id.
    if (table.size > size) rib.prefixes.hold(prefixId);
    this.#timer ??= this.#clock.setTimer(TICK_MS, this.#tick);
  }

  #tableOf(rib: FamilyRib): DampingTable {
    const known = this.#tables.get(rib);
    if (known !== undefined) return known;
    const table = new DampingTable(this.options);
    this.#tables.set(rib, table);
    return table;
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    let left = 0;
    for (const [rib, table] of this.#tables) {
      table.expire(now, this.#eventsOf(rib));
      left += table.size;
    }
    // A peer that is quiet costs nothing.
    if (left > 0) this.#timer = this.#clock.setTimer(TICK_MS, this.#tick);
  };

  #eventsOf(rib: FamilyRib): DampingEvents {
    return {
      onReuse: ({ prefixId, pathId }) => {
        const peer = this.#peer();
        const row = peer === undefined ? 0 : rib.paths.find(prefixId, peer.id, pathId);
        if (peer !== undefined && row !== 0) reuseRow(rib, peer, row, this.#rib.checks);
      },
      onForget: ({ prefixId }) => rib.prefixes.release(prefixId),
    };
  }

  #forEach(rib: FamilyRib, batch: NlriBatch, visit: (prefixId: number, pathId: number) => void): void {
    const { pathIds, count } = batch;
    for (let from = 0; from < count; from += BLOCK) {
      const to = Math.min(count, from + BLOCK);
      const ids = rib.prefixes.findAll(batch, from, to);
      for (let i = from; i < to; i++) {
        const prefixId = ids[i - from]!;
        if (prefixId !== 0) visit(prefixId, pathIds[i]!);
      }
    }
  }
}
