// What becomes of an RPKI cache, as entries of the journal: that it is in sync, that it is not, and that what it has said
// counts no more. A cache that is asked in vain every ten minutes for a month is one entry.

import type { CacheStatus } from '../../rpki/cache-types.ts';
import type { Journal } from './journal.ts';

export class CacheEvents {
  readonly #journal: Journal;
  readonly #cache: string;
  /** What was told last, since it was asked first. */
  #told: 'lost' | 'synced' | undefined;
  #hasData: boolean;

  /** `hasData`: of another process. */
  constructor(journal: Journal, cache: string, hasData: boolean) {
    this.#journal = journal;
    this.#cache = `RPKI cache ${cache}`;
    this.#hasData = hasData;
  }

  /** Something may have changed. */
  review({ state, problem, hasData }: Pick<CacheStatus, 'state' | 'problem' | 'hasData'>): void {
    const hadData = this.#hasData;
    this.#hasData = hasData;
    // Nobody asks it: it is switched off, or a better one answers.
    if (state === 'Down') {
      this.#told = undefined;
      return;
    }
    if (problem !== undefined && this.#told !== 'lost') {
      const goesOn = hasData ? '; what it has said counts on' : '';
      this.#journal.note('rpki-cache-lost', `${this.#cache}: ${problem}${goesOn}`);
      this.#told = 'lost';
    }
    if (hadData && !hasData)
      this.#journal.note('rpki-data-gone', `${this.#cache}: what it has said counts no more`);
    if (state === 'Established' && this.#told !== 'synced') {
      this.#journal.note('rpki-cache-synced', `${this.#cache} is in sync`);
      this.#told = 'synced';
    }
  }
}
