// What one session of the load has received: for every expected route whether it is present and as it should be. Keeps one
// octet a route.

import { SAID, SAID_BITS, SAID_MASK, STRANGE, type UpdateContent } from './update-reader.ts';

/** Indexes `from <= i < to` are expected, except `own`. */
export interface Expected {
  readonly from: number;
  readonly to: number;
  /** Routes that this session announces itself; to hear them again is an echo, not an error. */
  readonly own: { readonly from: number; readonly to: number } | undefined;
  /** Indexes from `from` on are told one by one and not expected. */
  readonly singles?: { readonly from: number; readonly observer: SingleObserver };
}

/** Who is told about single routes, by their number from 0. */
export interface SingleObserver {
  /** `right`: as the table has it; hash as AttributeHasher makes it. */
  announced(number: number, hash: number, right: boolean): void;
  withdrawn(number: number): void;
  /** The session starts anew: nothing is there any more. */
  reset(): void;
}

export interface SinkCounters {
  updates: number;
  announced: number;
  withdrawn: number;
  /** Announced again while present with the same attributes. */
  duplicates: number;
  /** Own routes heard again. */
  echoed: number;
  /** Not in the table, or not expected by this session. */
  unexpected: number;
}

const NO_SINGLES = {
  from: Number.POSITIVE_INFINITY,
  observer: { announced() {}, withdrawn() {}, reset() {} } satisfies SingleObserver,
};

const STATE = { absent: 0, right: 1, wrong: 2 } as const;

export class Sink {
  readonly #expected: Expected;
  readonly #state: Uint8Array;
  readonly counters: SinkCounters = {
    updates: 0,
    announced: 0,
    withdrawn: 0,
    duplicates: 0,
    echoed: 0,
    unexpected: 0,
  };
  /** Expected routes that are there now, and those of them whose attributes differ. */
  present = 0;
  wrong = 0;

  /** `count`: routes of the table. */
  constructor(count: number, expected: Expected) {
    this.#expected = expected;
    this.#state = new Uint8Array(count);
  }

  get expectedCount(): number {
    const { from, to, own } = this.#expected;
    if (own === undefined) return to - from;
    return to - from - Math.max(0, Math.min(to, own.to) - Math.max(from, own.from));
  }

  /** Of the expected routes, how many are in a range. */
  expectedIn(range: { readonly from: number; readonly to: number }): number {
    const { from, to, own } = this.#expected;
    const overlap = (a: number, b: number): number => Math.max(0, Math.min(b, to) - Math.max(a, from));
    const all = overlap(range.from, range.to);
    if (own === undefined) return all;
    return all - overlap(Math.max(range.from, own.from), Math.min(range.to, own.to));
  }

  /** The session starts anew: nothing is there. */
  reset(): void {
    this.#state.fill(STATE.absent);
    this.present = 0;
    this.wrong = 0;
    this.#expected.singles?.observer.reset();
  }

  /** Indexes that are expected and absent, at most `limit`. */
  missing(limit: number): number[] {
    const out: number[] = [];
    for (let i = this.#expected.from; i < this.#expected.to && out.length < limit; i++) {
      if (this.#isExpected(i) && this.#state[i] === STATE.absent) out.push(i);
    }
    return out;
  }

  /** Takes one UPDATE. */
  update({ routes, from, to, hash }: UpdateContent): void {
    this.counters.updates++;
    const { observer, from: singles } = this.#expected.singles ?? NO_SINGLES;
    for (let i = from; i < to; i++) {
      const index = routes[i]! >> SAID_BITS;
      const said = routes[i]! & SAID_MASK;
      if (said === SAID.withdrawn) {
        this.counters.withdrawn++;
        if (index >= singles) observer.withdrawn(index - singles);
        else if (this.#isExpected(index)) this.#remove(index);
        else if (index === STRANGE) this.counters.unexpected++;
        continue;
      }
      this.counters.announced++;
      if (index >= singles) {
        const seen = said === SAID.wrongNextHop ? Number.NaN : hash;
        observer.announced(index - singles, seen, said === SAID.right);
      } else if (this.#isExpected(index)) this.#put(index, said === SAID.right);
      else this.#countStranger(index);
    }
  }

  #isExpected(index: number): boolean {
    const { from, to, own } = this.#expected;
    return index >= from && index < to && (own === undefined || index < own.from || index >= own.to);
  }

  #put(index: number, right: boolean): void {
    const before = this.#state[index];
    if (before === STATE.absent) this.present++;
    else if (before === STATE.wrong) this.wrong--;
    else if (right) this.counters.duplicates++;
    if (!right) this.wrong++;
    this.#state[index] = right ? STATE.right : STATE.wrong;
  }

  #remove(index: number): void {
    const before = this.#state[index];
    if (before === STATE.absent) return;
    this.present--;
    if (before === STATE.wrong) this.wrong--;
    this.#state[index] = STATE.absent;
  }

  #countStranger(index: number): void {
    const own = this.#expected.own;
    if (own !== undefined && index >= own.from && index < own.to) this.counters.echoed++;
    else this.counters.unexpected++;
  }
}
