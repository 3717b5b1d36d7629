// What a speaker tells of what went wrong: the journal, the messages of a peer, the lateness of the loop.

import type { JournalEntry, JournalQuery } from './journal.ts';
import type { MessageView } from './messages.ts';

/** How late the event loop is, milliseconds; percentiles and max of the last one to two minutes. */
export interface LoopView {
  p50: number;
  p99: number;
  max: number;
  /** Since the start. */
  longest: number;
}

export interface DiagnosisApi {
  /** What is left of the journal in memory, oldest first. */
  events(query: JournalQuery): Iterable<JournalEntry>;
  /** The last messages of a peer, oldest first. */
  messages(peer: string): MessageView[];
  /** Records every message of a peer, and calls back for each, until the returned function is called. */
  watchMessages(peer: string, listener: (message: MessageView) => void): () => void;
  /** Keeps every message of a peer among its last ones, or only the notable ones. */
  recordMessages(peer: string, on: boolean): void;
  /** Calls back for every entry from now on until the returned function is called. */
  watchEvents(query: JournalQuery, listener: (entry: JournalEntry) => void): () => void;
}
