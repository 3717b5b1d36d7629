// Route flap damping (RFC 2439 with the advice of RFC 7196), the figures alone: a penalty for each route that has
// flapped, which halves with every half-life; when it is too high, and when a route may be used again. Routes that never
// flap are not in here, those that are quiet again leave, and there is room for so many and no more.

/** Penalties of one flap: those that RFC 7196 Table 1 names first. A route that comes back costs nothing. */
export const FLAP = { withdrawal: 1000, change: 500 } as const;

/** RFC 7196 §6: no penalty is above this, whatever is configured. */
export const MAXIMUM_PENALTY = 50_000;

export interface DampingOptions {
  /** Seconds. */
  readonly halfLife: number;
  /** From this penalty on a route is not used, */
  readonly suppress: number;
  /** and below this one it is used again. */
  readonly reuse: number;
  /** Seconds that a route can be suppressed after its last flap: the bound of the penalty follows. */
  readonly maxSuppressTime: number;
  /** Penalties are kept and shown, and nothing is suppressed (RFC 7196 §6). */
  readonly testOnly: boolean;
}

/** The highest penalty that decays to the reuse threshold in time. */
export function penaltyCeiling({ halfLife, reuse, maxSuppressTime }: DampingOptions): number {
  return Math.min(MAXIMUM_PENALTY, reuse * 2 ** (maxSuppressTime / halfLife));
}

export interface FlapRecord {
  readonly prefixId: number;
  readonly pathId: number;
  /** Clock.now() of the first flap. */
  readonly since: number;
  flaps: number;
  suppressed: boolean;
  /** At `at`; use `penaltyAt`. */
  penalty: number;
  at: number;
  /** The tick at which it is looked at again. */
  due: number;
  /** Another path of the same prefix. */
  next: FlapRecord | undefined;
}

/** RFC 2439 §4.8.7: delta-t of the reuse lists. */
export const TICK_MS = 5000;
const MS_PER_SECOND = 1000;
/** A record is forgotten when its penalty is such a part of the reuse threshold. */
const FORGET_SHARE = 0.5;
/** Of one peer and family. */
const MAX_RECORDS = 1 << 17;

/** A record on its way from one process to another, whose clocks have nothing in common. */
export interface HandedFlap {
  readonly flaps: number;
  readonly suppressed: boolean;
  /** Now. */
  readonly penalty: number;
  /** Milliseconds since the first flap. */
  readonly age: number;
}

/** What happens to a record when its time has come. */
export interface DampingEvents {
  onReuse(record: FlapRecord): void;
  onForget(record: FlapRecord): void;
}

/** The routes of one peer and family. Times are those of Clock.now(). */
export class DampingTable {
  readonly #options: DampingOptions;
  readonly #ceiling: number;
  readonly #maxRecords: number;
  readonly #first = new Map<number, FlapRecord>();
  /** RFC 2439 §4.8.6: records by the tick at which they are looked at; those that moved meanwhile are passed over. */
  readonly #byTick = new Map<number, FlapRecord[]>();
  #tick: number | undefined;
  #size = 0;
  /** Records of routes that are not used. */
  suppressed = 0;
  /** Flaps that were not counted, because there was no room. */
  overflows = 0;

  constructor(options: DampingOptions, maxRecords = MAX_RECORDS) {
    this.#options = options;
    this.#ceiling = penaltyCeiling(options);
    this.#maxRecords = maxRecords;
  }

  get size(): number {
    return this.#size;
  }

  find(prefixId: number, pathId: number): FlapRecord | undefined {
    let record = this.#first.get(prefixId);
    while (record !== undefined && record.pathId !== pathId) record = record.next;
    return record;
  }

  *values(): IterableIterator<FlapRecord> {
    for (const first of this.#first.values()) {
      for (let record: FlapRecord | undefined = first; record !== undefined; record = record.next) {
        yield record;
      }
    }
  }

  /** Counts a flap. Returns the record, which may be a new one, or undefined where there is no room. */
  flap(prefixId: number, pathId: number, cost: number, now: number): FlapRecord | undefined {
    const record = this.find(prefixId, pathId) ?? this.#add(prefixId, pathId, now);
    if (record === undefined) {
      this.overflows++;
      return undefined;
    }
    record.penalty = Math.min(this.#ceiling, this.penaltyAt(record, now) + cost);
    record.at = now;
    record.flaps++;
    if (!record.suppressed && !this.#options.testOnly && record.penalty >= this.#options.suppress) {
      record.suppressed = true;
      this.suppressed++;
      // It may be due earlier than for being forgotten.
      this.#schedule(record, now);
    } else if (record.due === 0) this.#schedule(record, now);
    return record;
  }

  handed(record: FlapRecord, now: number): HandedFlap {
    const { flaps, suppressed, since } = record;
    return { flaps, suppressed, penalty: this.penaltyAt(record, now), age: now - since };
  }

  /** Goes on with what another process has counted. Undefined where there is a record, or no room. */
  adopt(prefixId: number, pathId: number, handed: HandedFlap, now: number): FlapRecord | undefined {
    if (this.find(prefixId, pathId) !== undefined) return undefined;
    const record = this.#add(prefixId, pathId, now - handed.age);
    if (record === undefined) return undefined;
    record.flaps = handed.flaps;
    record.suppressed = handed.suppressed && !this.#options.testOnly;
    if (record.suppressed) this.suppressed++;
    record.penalty = Math.min(this.#ceiling, handed.penalty);
    record.at = now;
    this.#schedule(record, now);
    return record;
  }

  /** RFC 2439 §2.3: it decays whatever happens to the route. */
  penaltyAt({ penalty, at }: FlapRecord, now: number): number {
    return penalty * 2 ** (-(now - at) / (this.#options.halfLife * MS_PER_SECOND));
  }

  /** Milliseconds until a suppressed route is used again, if it does not flap; 0 for one that is not suppressed. */
  reuseIn(record: FlapRecord, now: number): number {
    if (!record.suppressed) return 0;
    return Math.max(0, this.#dueTick(record, now) * TICK_MS - now);
  }

  /** Handles every record whose time has come. */
  expire(now: number, events: DampingEvents): void {
    const last = Math.floor(now / TICK_MS);
    for (let tick = this.#tick ?? last; tick <= last; tick++) {
      const records = this.#byTick.get(tick);
      if (records === undefined) continue;
      this.#byTick.delete(tick);
      for (const record of records) if (record.due === tick) this.#judge(record, now, events);
    }
    this.#tick = this.#size === 0 ? undefined : last + 1;
  }

  /** Takes a record out. */
  remove(record: FlapRecord): void {
    const { prefixId } = record;
    const first = this.#first.get(prefixId);
    if (first === record) {
      if (record.next === undefined) this.#first.delete(prefixId);
      else this.#first.set(prefixId, record.next);
    } else {
      let before = first;
      while (before !== undefined && before.next !== record) before = before.next;
      if (before !== undefined) before.next = record.next;
    }
    record.due = 0;
    if (record.suppressed) this.suppressed--;
    this.#size--;
  }

  #judge(record: FlapRecord, now: number, events: DampingEvents): void {
    record.penalty = this.penaltyAt(record, now);
    record.at = now;
    if (record.suppressed && record.penalty < this.#options.reuse) {
      record.suppressed = false;
      this.suppressed--;
      events.onReuse(record);
    }
    if (record.penalty < this.#forgetBelow) {
      this.remove(record);
      events.onForget(record);
    } else this.#schedule(record, now);
  }

  get #forgetBelow(): number {
    return this.#options.reuse * FORGET_SHARE;
  }

  #add(prefixId: number, pathId: number, now: number): FlapRecord | undefined {
    if (this.#size >= this.#maxRecords) return undefined;
    const next = this.#first.get(prefixId);
    const times = { since: now, at: now, due: 0 };
    const record = { prefixId, pathId, flaps: 0, suppressed: false, penalty: 0, next, ...times };
    this.#first.set(prefixId, record);
    this.#size++;
    return record;
  }

  #schedule(record: FlapRecord, now: number): void {
    record.due = this.#dueTick(record, now);
    const records = this.#byTick.get(record.due);
    if (records === undefined) this.#byTick.set(record.due, [record]);
    else records.push(record);
    this.#tick = Math.min(this.#tick ?? record.due, record.due);
  }

  /** The first tick after its penalty has passed below what is waited for. */
  #dueTick(record: FlapRecord, now: number): number {
    const target = record.suppressed ? this.#options.reuse : this.#forgetBelow;
    const halfLives = Math.log2(Math.max(1, this.penaltyAt(record, now) / target));
    return Math.floor((now + halfLives * this.#options.halfLife * MS_PER_SECOND) / TICK_MS) + 1;
  }
}
