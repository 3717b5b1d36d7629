// The journal: the last events in memory, in order, for those who ask and those who follow. Bounded in number and in
// the length of each; what is written to a file is file-journal.ts's. An event costs a few objects; none is made for a
// route or a message.

import type { Clock } from '../../lib/clock.ts';
import { type JournalEntry, type JournalQuery, wanted } from '../api/journal.ts';
import { EVENT_CODES, type EventCode, type EventRow } from './event-codes.ts';

/** A sentence that a peer could make longer is cut here. */
const LONGEST_SENTENCE = 2000;

/** Plain data, for another process. */
export interface JournalImage {
  /** Those of before the first one included. */
  readonly count: number;
  readonly entries: readonly JournalEntry[];
}

export type NewEntry = Omit<JournalEntry, 'seq' | 'at'>;

export class Journal {
  readonly #clock: Clock;
  readonly #listeners = new Set<(entry: JournalEntry) => void>();
  #capacity: number;
  #ring: (JournalEntry | undefined)[] = [];
  #count = 0;

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** Number of entries since the start, those that are forgotten included. */
  get count(): number {
    return this.#count;
  }

  /** Another bound; the newest entries stay. */
  resize(capacity: number): void {
    if (capacity === this.#capacity) return;
    const kept = [...this.entries({})].slice(-capacity);
    this.#capacity = capacity;
    this.#ring = [];
    for (const entry of kept) this.#ring[(entry.seq - 1) % capacity] = entry;
  }

  get image(): JournalImage {
    return { count: this.#count, entries: [...this.entries({})] };
  }

  /** What another process has noted comes before all of this one, and nobody is told of it. */
  restore({ count, entries }: JournalImage): void {
    const own = [...this.entries({})].map((entry) => ({ ...entry, seq: count + entry.seq }));
    this.#count += count;
    this.#ring = [];
    for (const entry of [...entries, ...own].slice(-this.#capacity)) {
      this.#ring[(entry.seq - 1) % this.#capacity] = entry;
    }
  }

  /** An event of event-codes.ts. */
  note(code: EventCode, sentence: string, peer?: string): void {
    const { kind, severity, advice }: EventRow = EVENT_CODES[code];
    this.add({ kind, severity, code, sentence, peer, advice });
  }

  add(entry: NewEntry): void {
    const sentence = entry.sentence.slice(0, LONGEST_SENTENCE);
    const added: JournalEntry = { seq: ++this.#count, at: this.#clock.wallTime(), ...entry, sentence };
    this.#ring[(added.seq - 1) % this.#capacity] = added;
    for (const listener of this.#listeners) listener(added);
  }

  /** What is left, oldest first. */
  *entries(query: JournalQuery): Generator<JournalEntry, void> {
    const oldest = Math.max(1, this.#count - this.#capacity + 1);
    for (let seq = oldest; seq <= this.#count; seq++) {
      const entry = this.#ring[(seq - 1) % this.#capacity];
      if (entry !== undefined && entry.seq === seq && wanted(query, entry)) yield entry;
    }
  }

  /** Calls back for every entry from now on, until the returned function is called. */
  follow(listener: (entry: JournalEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
