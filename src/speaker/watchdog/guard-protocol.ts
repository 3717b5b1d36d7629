// What the guard's thread is told: by its data at the start, and by messages while the loop still turns.

import type { JournalEntry } from '../api/journal.ts';
import type { CrashReport } from '../crash/report.ts';

/** A report without its end; the guard knows when and why. */
export type ReportDraft = Omit<CrashReport, 'at' | 'reason' | 'sentence' | 'stack'>;

export interface GuardData {
  readonly beat: SharedArrayBuffer;
  readonly timeoutMs: number;
  readonly directory: string;
  readonly draft: ReportDraft;
}

export type GuardMessage =
  | { readonly kind: 'draft'; readonly draft: ReportDraft }
  | { readonly kind: 'event'; readonly entry: JournalEntry };
