// The journal's file: JSON lines, appended behind the loop's back and rotated by size. Nobody waits for the disk: what
// it does not take in time is dropped, with one warning until it works again. A line that was cut off by a full disk
// or a crash is no entry for whoever reads the file; the next one begins on a line of its own.

import { type Clock, type Timer, within } from '../../lib/clock.ts';
import { errorText } from '../../lib/error-text.ts';
import type { Logger } from '../../lib/log.ts';
import { formatEntryLine, type JournalEntry } from '../api/journal.ts';
import type { Journal } from './journal.ts';

/** The file system, as far as the journal needs it. */
export interface JournalStore {
  /** Octets of the file; 0 where there is none. Makes its directory. */
  open(path: string): Promise<number>;
  append(path: string, text: string): Promise<void>;
  appendNow(path: string, text: string): void;
  /** Replaces `to`. */
  rename(from: string, to: string): Promise<void>;
}

export interface FileJournalOptions {
  readonly file: string | undefined;
  readonly maxSize: number;
}

interface OpenedFile {
  readonly file: string;
  /** Octets. */
  size: number;
}

/** Characters that may wait for the disk. */
const MAX_QUEUED = 1 << 20;
/** Until a disk that failed is tried again. */
const RETRY_MS = 5000;
/** A disk that has not taken the last entries by then is not waited for. */
const CLOSE_LIMIT_MS = 1000;

export class FileJournal {
  readonly #journal: Journal;
  readonly #store: JournalStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  #options: FileJournalOptions = { file: undefined, maxSize: 0 };
  #unfollow: () => void = () => {};
  #queue: string[] = [];
  #queued = 0;
  /** Undefined while no file is open. */
  #opened: OpenedFile | undefined;
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #dropped = 0;
  #failing = false;
  /** The file that the last append may have left half a line in. */
  #ragged: string | undefined;

  constructor(journal: Journal, tools: { store: JournalStore; clock: Clock; log: Logger }) {
    this.#journal = journal;
    this.#store = tools.store;
    this.#clock = tools.clock;
    this.#log = tools.log;
  }

  /** Takes over options; entries of the past are not written. */
  use(options: FileJournalOptions): void {
    const moved = options.file !== this.#options.file;
    this.#options = options;
    if (!moved) return;
    this.#unfollow();
    this.#opened = undefined;
    this.#queue = [];
    this.#queued = 0;
    this.#failing = false;
    this.#unfollow =
      options.file === undefined ? () => {} : this.#journal.follow((entry) => this.#take(entry));
  }

  /** Waits for what is queued, as long as the disk takes it. */
  async flush(): Promise<void> {
    while (this.#queue.length > 0 && this.#retry === undefined) {
      this.#start();
      await this.#writing;
    }
    await this.#writing;
  }

  /** For the last moment: writes what is queued before it returns. Throws what the system says. */
  flushNow(): void {
    const { file } = this.#options;
    const text = this.#queue.join('');
    this.#queue = [];
    this.#queued = 0;
    if (file !== undefined && text !== '') this.#store.appendNow(file, text);
  }

  /** Stops following; what is queued is still written, if the disk does not hang. */
  async close(): Promise<void> {
    this.#unfollow();
    this.#stopRetrying();
    await within(this.#clock, CLOSE_LIMIT_MS, this.flush());
    this.#stopRetrying();
  }

  #stopRetrying(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #take(entry: JournalEntry): void {
    const line = formatEntryLine(entry);
    if (this.#queued + line.length > MAX_QUEUED) {
      this.#lose(1);
      return;
    }
    this.#queue.push(line);
    this.#queued += line.length;
    this.#start();
  }

  #start(): void {
    if (this.#writing !== undefined || this.#retry !== undefined || this.#queue.length === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      this.#start();
    });
  }

  async #write(): Promise<void> {
    const { file, maxSize } = this.#options;
    const lines = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    if (file === undefined) return;
    try {
      // The journal may go elsewhere while this waits.
      const opened =
        this.#opened?.file === file ? this.#opened : { file, size: await this.#store.open(file) };
      this.#opened = opened;
      const text = (this.#ragged === file ? '\n' : '') + lines.join('');
      const octets = Buffer.byteLength(text);
      if (opened.size > 0 && opened.size + octets > maxSize) {
        await this.#store.rename(file, `${file}.1`);
        opened.size = 0;
      }
      await this.#store.append(file, text);
      opened.size += octets;
      if (this.#ragged === file) this.#ragged = undefined;
      this.#works();
    } catch (error) {
      this.#opened = undefined;
      this.#ragged = file;
      this.#fail(lines.length, errorText(error));
    }
  }

  #fail(lines: number, problem: string): void {
    this.#lose(lines);
    if (!this.#failing) this.#log.warn({ problem }, 'the journal cannot be written: events are dropped');
    this.#failing = true;
    this.#retry = this.#clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined;
      this.#start();
    });
  }

  #lose(lines: number): void {
    this.#dropped += lines;
  }

  #works(): void {
    if (!this.#failing && this.#dropped === 0) return;
    const lost = this.#dropped;
    this.#failing = false;
    this.#dropped = 0;
    this.#journal.note('journal-dropped', `the journal's file lacks ${lost} events: it could not be written`);
    this.#log.info({ lost }, 'the journal is written again');
  }
}
