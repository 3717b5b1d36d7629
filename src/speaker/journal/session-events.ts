// What becomes of sessions, as entries of the journal and as counts by cause. The same failure again and again is one
// entry: a dead peer that is dialled for a month must not push out everything else.

import { type CauseCode, causeCodes } from '../../bgp/session/causes.ts';
import type { SessionNote } from '../../bgp/session/peer-history.ts';
import type { Journal } from './journal.ts';

export interface CountedCause {
  readonly code: CauseCode;
  readonly count: number;
}

export class SessionEvents {
  readonly #journal: Journal;
  readonly #counts = new Map<CauseCode, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Ends and failed attempts by cause, those that never happened as 0. */
  get causes(): CountedCause[] {
    return causeCodes().map((code) => ({ code, count: this.#counts.get(code) ?? 0 }));
  }

  /** How often each was counted in another process comes on top. */
  restore(causes: readonly CountedCause[]): void {
    const known = causeCodes();
    for (const { code, count } of causes) {
      if (count > 0 && known.includes(code)) this.#counts.set(code, (this.#counts.get(code) ?? 0) + count);
    }
  }

  note(peer: string, { kind, reason, sentence, repeated }: SessionNote): void {
    if (reason === undefined) {
      this.#journal.note('session-up', sentence, peer);
      return;
    }
    const { code, advice } = reason;
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    if (kind === 'failed' && repeated) return;
    const meant = reason.cause === 'admin-stop' || reason.cause === 'admin-reset';
    this.#journal.add({
      kind: code === 'prefix-limit' ? 'limit' : 'session',
      severity: meant ? 'info' : 'warning',
      code,
      peer,
      sentence,
      advice,
    });
  }
}
