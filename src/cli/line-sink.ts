// Lines to a file descriptor without ever waiting for its reader: what cannot be written at once waits, up to a limit,
// and beyond that lines are counted instead of kept. A log that nobody reads any more is no reason to stop routing.

import { ftruncateSync, write, writeFileSync } from 'node:fs';
import { type Clock, systemClock } from '../lib/clock.ts';

/** Characters. */
const MOST_WAITING = 4 * 1024 * 1024;
/** A descriptor that does not block is tried again so often. */
const RETRY_MS = 100;
/** Who has not taken a write after so long is not reading. */
const STUCK_MS = 500;

export interface LineSinkOptions {
  /** The line that says how many were lost and why; `... ` and the text unless given. */
  readonly lossLine?: (text: string) => string;
  readonly clock?: Clock;
}

export class LineSink {
  readonly #fd: number;
  readonly #lossLine: (text: string) => string;
  readonly #clock: Clock;
  #waiting: string[] = [];
  #waitingLength = 0;
  #lost = 0;
  /** Lines that could not be written, one after the other. */
  #refused = 0;
  /** Since when a write is under way. */
  #writingSince: number | undefined;
  #broken = false;
  /** The file is emptied before the next line goes into it. */
  #emptying = false;
  #ended: (() => void) | undefined;

  constructor(fd: number, options: LineSinkOptions = {}) {
    this.#fd = fd;
    this.#lossLine = options.lossLine ?? ((text) => `... ${text}`);
    this.#clock = options.clock ?? systemClock;
  }

  /** Adds a line, without its end. */
  write(line: string): void {
    if (this.#broken) return;
    if (this.#waitingLength > MOST_WAITING) {
      this.#lost++;
      return;
    }
    this.#waiting.push(`${line}\n`);
    this.#waitingLength += line.length + 1;
    this.#pump();
  }

  /** Begins the file anew: nothing that was added so far is in it afterwards. */
  clear(): void {
    this.#take();
    this.#emptying = true;
  }

  /**
   * Writes out what waits; for the last moment before the process ends. False where nobody reads: waiting for that
   * write would be for ever.
   */
  flush(): boolean {
    if (this.#broken) return true;
    const since = this.#writingSince;
    if (since !== undefined && this.#clock.now() - since > STUCK_MS) return false;
    try {
      this.#empty();
      writeFileSync(this.#fd, this.#take());
    } catch {
      // Nobody is left to be told.
    }
    return true;
  }

  /** Calls back when everything is written, at once or later; nothing more may be added. */
  end(done: () => void): void {
    this.#ended = done;
    this.#pump();
  }

  #take(): string {
    const loss = this.#lossOf(this.#lost, 'nobody read them');
    const taken = this.#waiting.join('') + loss;
    this.#lost = 0;
    this.#waiting = [];
    this.#waitingLength = 0;
    return taken;
  }

  /** Throws where that fails. */
  #empty(): void {
    if (!this.#emptying) return;
    this.#emptying = false;
    ftruncateSync(this.#fd);
  }

  #pump(): void {
    if (this.#writingSince !== undefined) return;
    if (this.#waiting.length === 0) {
      this.#ended?.();
      this.#ended = undefined;
      return;
    }
    try {
      this.#empty();
    } catch {
      // It grows on: lines are worth more than its size.
    }
    this.#writingSince = this.#clock.now();
    const lines = this.#waiting.length + this.#lost;
    const loss = this.#lossOf(this.#refused, 'they could not be written');
    this.#send(Buffer.from(loss + this.#take()), (error) => {
      this.#writingSince = undefined;
      this.#refused = error === null ? 0 : this.#refused + lines;
      // A disk may have room again; a reader that is gone stays away.
      this.#broken = error?.code === 'EPIPE';
      if (this.#broken) this.#take();
      this.#pump();
    });
  }

  #send(bytes: Buffer, done: (error: NodeJS.ErrnoException | null) => void): void {
    write(this.#fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') this.#clock.setTimer(RETRY_MS, () => this.#send(bytes, done));
      else if (error === null && written < bytes.length) this.#send(bytes.subarray(written), done);
      else done(error);
    });
  }

  #lossOf(lines: number, why: string): string {
    if (lines === 0) return '';
    return `${this.#lossLine(`${lines} log lines were lost because ${why}`)}\n`;
  }
}
