// A file that records are appended to behind the loop's back, and another one when it has its size or its time. Nobody
// waits for the disk: what it does not take in time is dropped, with one warning until it works again. A record that
// was written in part is cut off, so that those behind it can be read.

import type { Clock } from '../../lib/clock.ts';
import { errorText } from '../../lib/error-text.ts';
import type { Logger } from '../../lib/log.ts';
import { formatTime } from '../../lib/time-format.ts';

/** Where records go. */
export interface RecordStore {
  /** A file to be added to; made where there is none. */
  append(path: string): Promise<RecordHandle>;
  /** Replaces `to`. */
  rename(from: string, to: string): Promise<void>;
}

export interface RecordHandle {
  /** Octets in it. */
  readonly size: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Cuts off what is behind so many octets. */
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

export interface RecordFileOptions {
  /** As strftime has it: another name, another file. */
  readonly path: string;
  /** Octets after which it becomes `.1`; undefined = never. */
  readonly maxSize?: number | undefined;
  /** Seconds after which it becomes `.1`; undefined = never. */
  readonly maxAge?: number | undefined;
}

export interface RecordFileParts {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Opened {
  readonly path: string;
  readonly handle: RecordHandle;
  /** Clock.now() when it was opened. */
  readonly since: number;
  /** Octets of whole records. */
  size: number;
}

/** Octets that may wait for the disk. */
const MAX_QUEUED = 1 << 22;
/** Until a disk that failed is tried again. */
const RETRY_MS = 5000;
const MS_PER_SECOND = 1000;

export class RecordFile {
  readonly #options: RecordFileOptions;
  readonly #parts: RecordFileParts;
  #opened: Opened | undefined;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #writing: Promise<void> | undefined;
  #failedAt: number | undefined;
  #lost = 0;
  #closed = false;

  constructor(options: RecordFileOptions, parts: RecordFileParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** `record` is kept until it is written. */
  add(record: Uint8Array): void {
    if (this.#closed || this.#isWaiting || this.#queued + record.length > MAX_QUEUED) {
      this.#lost++;
      return;
    }
    this.#queue.push(record);
    this.#queued += record.length;
    this.#start();
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#writing !== undefined) await this.#writing;
    await this.#shut();
  }

  get #path(): string {
    return this.#opened?.path ?? formatTime(this.#options.path, this.#parts.clock.wallTime());
  }

  get #isWaiting(): boolean {
    return this.#failedAt !== undefined && this.#parts.clock.now() - this.#failedAt < RETRY_MS;
  }

  #start(): void {
    if (this.#writing !== undefined || this.#queue.length === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      this.#start();
    });
  }

  async #write(): Promise<void> {
    const records = this.#queue;
    this.#queue = [];
    this.#queued = 0;
    const bytes = Buffer.concat(records);
    try {
      const opened = await this.#open(bytes.length);
      await opened.handle.write(bytes);
      opened.size += bytes.length;
      this.#works();
    } catch (error) {
      await this.#fail(records.length, errorText(error));
    }
  }

  /** The file that takes so many octets more. */
  async #open(more: number): Promise<Opened> {
    const { store, clock } = this.#parts;
    const { maxSize, maxAge } = this.#options;
    const path = formatTime(this.#options.path, clock.wallTime());
    const before = this.#opened;
    if (before !== undefined) {
      const tooLarge = maxSize !== undefined && before.size > 0 && before.size + more > maxSize;
      const tooOld = maxAge !== undefined && clock.now() - before.since >= maxAge * MS_PER_SECOND;
      if (before.path === path && !tooLarge && !tooOld) return before;
      await this.#shut();
      if (before.path === path) await store.rename(path, `${path}.1`);
    }
    const handle = await store.append(path);
    this.#opened = { path, handle, since: clock.now(), size: handle.size };
    return this.#opened;
  }

  async #shut(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.handle.close();
  }

  async #fail(records: number, problem: string): Promise<void> {
    const { clock, log } = this.#parts;
    const file = this.#path;
    this.#lost += records;
    if (this.#failedAt === undefined) {
      log.error({ problem }, `messages cannot be written to ${file}: they are dropped`);
    }
    this.#failedAt = clock.now();
    try {
      await this.#opened?.handle.truncate(this.#opened.size);
      await this.#shut();
    } catch (error) {
      log.debug({ problem: errorText(error) }, `${file} may end in the midst of a record`);
    }
    this.#opened = undefined;
  }

  #works(): void {
    if (this.#lost > 0) {
      const words = `messages are written to ${this.#path} again; some are missing`;
      this.#parts.log.warn({ lost: this.#lost }, words);
    }
    this.#failedAt = undefined;
    this.#lost = 0;
  }
}
