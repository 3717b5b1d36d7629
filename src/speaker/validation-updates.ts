// How what a cache has said comes to count: all at once, and without holding up anybody. A few changes are made where they
// stand; many, and everything that a cache has, are built into another set beside the one in use, in slices, which then
// takes its place. What differs between the two is known afterwards, so that routes are judged again only where their
// verdict may be another.

import type { AspaTable, Authorizations } from '../policy/aspa-table.ts';
import { VRP_CHANGE, VrpSet } from '../policy/vrp-set.ts';
import type { RecordProblem } from '../rpki/cache-types.ts';
import type { AspaRecord, PrefixRecords } from '../rpki/record-batch.ts';

/** So many changes are made in one go: about a millisecond. */
const FEW = 2000;
/** From so many differing prefixes on it is quicker to judge all routes again. */
const MANY_PREFIXES = 1 << 16;
/** Steps between two looks at the clock. */
const STEPS_PER_CLOCK = 256;

/** Where a set stands that can be replaced. */
export interface SetPlace {
  set: VrpSet;
  /** Goes up when somebody else changes the set. */
  edition: number;
}

/** Prefixes whose routes may be judged otherwise; everything where they were too many to list. */
export type ChangedPrefixes = VrpSet | 'all';

type Problem = Pick<RecordProblem, 'kind' | 'index'>;

export function isFew(count: number): boolean {
  return count <= FEW;
}

function stepOf(set: VrpSet, records: PrefixRecords, index: number, source: number, back = false): number {
  const announce = records.announces(index) !== back;
  const at = index * records.stride;
  const method = announce ? 'add' : 'remove';
  return set[method](
    records.words,
    at,
    records.bits(index),
    records.maxLength(index),
    records.asn(index),
    source,
  );
}

function problemAt(records: PrefixRecords, index: number): Problem {
  return { kind: records.announces(index) ? 'duplicate' : 'unknown', index };
}

/** Makes changes where they stand; with a problem nothing has changed. */
export function changeInPlace(
  place: SetPlace,
  records: PrefixRecords,
  source: number,
): { readonly problem: Problem | undefined; readonly changed: VrpSet; undo(): void } {
  const { set } = place;
  const changed = new VrpSet(records.stride);
  const undo = (count: number): void => {
    for (let i = count - 1; i >= 0; i--) stepOf(set, records, i, source, true);
  };
  for (let i = 0; i < records.count; i++) {
    const change = stepOf(set, records, i, source);
    if (change === VRP_CHANGE.none) {
      undo(i);
      return { problem: problemAt(records, i), changed, undo: () => undefined };
    }
    if (change === VRP_CHANGE.visible) changed.addPrefix(records.words, i * records.stride, records.bits(i));
  }
  return { problem: undefined, changed, undo: () => undo(records.count) };
}

/** Another set in the place of the one in use. */
export class SetRebuild {
  readonly #place: SetPlace;
  readonly #records: PrefixRecords;
  readonly #source: number;
  readonly #whole: boolean;
  #edition: number;
  #old: VrpSet;
  #next: VrpSet;
  #changed: ChangedPrefixes;
  #steps: Generator<undefined>;
  problem: Problem | undefined;

  /** `whole`: the records are all that the source has. */
  constructor(place: SetPlace, records: PrefixRecords, source: number, whole: boolean) {
    this.#place = place;
    this.#records = records;
    this.#source = source;
    this.#whole = whole;
    this.#edition = place.edition;
    this.#old = place.set;
    this.#changed = new VrpSet(records.stride);
    this.#next = this.#fresh();
    this.#steps = this.#work();
  }

  get changed(): ChangedPrefixes {
    return this.#changed;
  }

  /** Returns true while work is left; once it is done, the new set is as `place` has it now. */
  run(expired: () => boolean): boolean {
    if (this.#edition !== this.#place.edition) this.#restart();
    for (let steps = 1; this.#steps.next().done !== true; steps++) {
      if (steps % STEPS_PER_CLOCK === 0 && expired()) return true;
    }
    return false;
  }

  /** Whether the set has been changed by others since the work was done. */
  get outdated(): boolean {
    return this.#edition !== this.#place.edition;
  }

  commit(): void {
    this.#place.set = this.#next;
  }

  #restart(): void {
    this.#edition = this.#place.edition;
    this.#old = this.#place.set;
    this.#changed = new VrpSet(this.#records.stride);
    this.#next = this.#fresh();
    this.#steps = this.#work();
  }

  #fresh(): VrpSet {
    const next = new VrpSet(this.#records.stride, this.#old.size + this.#records.count);
    next.lenient = this.#old.lenient;
    return next;
  }

  *#work(): Generator<undefined> {
    const old = this.#old;
    const next = this.#next;
    const records = this.#records;
    const kept = this.#whole ? ~(1 << this.#source) : -1;
    for (let id = 1; id < old.records.limit; id++) {
      const sources = old.records.sources(id) & kept;
      if (sources !== 0) next.copy(old, id, sources);
      yield;
    }
    for (let i = 0; i < records.count; i++) {
      if (stepOf(next, records, i, this.#source) === VRP_CHANGE.none) {
        this.problem = problemAt(records, i);
        return;
      }
      yield;
    }
    yield* this.#compare(old, next);
    yield* this.#compare(next, old);
  }

  /** Notes what the one says and the other does not, or otherwise. */
  *#compare(one: VrpSet, other: VrpSet): Generator<undefined> {
    const { records } = one;
    for (let id = 1; id < records.limit; id++) {
      if (this.#changed === 'all') return;
      if (records.sources(id) !== 0 && !other.agrees(one, id)) {
        this.#changed.addPrefix(records.data, records.wordsAt(id), records.bits(id));
        if (this.#changed.size > MANY_PREFIXES) this.#changed = 'all';
      }
      yield;
    }
  }
}

/** What a source says of all customers after an update, and whether it is anything else; or a problem. */
export function changeAspas(
  table: AspaTable,
  records: readonly AspaRecord[],
  source: number,
  whole: boolean,
): { readonly problem: Problem | undefined; readonly next: Authorizations; readonly changed: boolean } {
  const before = table.of(source);
  const next: Authorizations = new Map(whole ? [] : before);
  for (const [index, { announce, customer, providers, perVersion }] of records.entries()) {
    if (announce) {
      const known = perVersion ? [...(next.get(customer) ?? [])] : [];
      next.set(customer, Uint32Array.from(new Set([...known, ...providers])).sort());
    } else if (!next.delete(customer) && !perVersion) {
      return { problem: { kind: 'unknown', index }, next, changed: false };
    }
  }
  return { problem: undefined, next, changed: !sameAuthorizations(before, next) };
}

function sameAuthorizations(
  a: ReadonlyMap<number, Uint32Array>,
  b: ReadonlyMap<number, Uint32Array>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [customer, providers] of a) {
    const others = b.get(customer);
    if (others === undefined || others.length !== providers.length) return false;
    if (!others.every((asn, i) => asn === providers[i])) return false;
  }
  return true;
}
