// Lines to a file descriptor without ever waiting for its reader: what cannot be written at once waits, up to a limit,
// and beyond that lines are counted instead of kept. A log that nobody reads any more is no reason to stop routing.

import { ftruncateSync, write, writeSync } from 'node:fs';

const MOST_WAITING = 4 * 1024 * 1024;

export class LineSink {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingLength = 0;
  #lost = 0;
  /** Lines that could not be written, one after the other. */
  #refused = 0;
  #writing = false;
  #broken = false;
  /** The file is emptied before the next line goes into it. */
  #emptying = false;
  #ended: (() => void) | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Adds a line, without its end. */
  write(line: string): void {
    if (this.#broken) return;
    if (this.#waitingLength > MOST_WAITING) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) {
      this.#waiting.push(lossOf(this.#lost));
      this.#lost = 0;
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

  /** Writes out what waits; for the last moment before the process ends. */
  flush(): void {
    if (this.#broken) return;
    try {
      this.#empty();
      for (const text of this.#take()) writeSync(this.#fd, text);
    } catch {
      // Nobody is left to be told.
    }
  }

  /** Calls back when everything is written, at once or later; nothing more may be added. */
  end(done: () => void): void {
    this.#ended = done;
    this.#pump();
  }

  #take(): string[] {
    const taken = this.#waiting;
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
    if (this.#writing) return;
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
    this.#writing = true;
    const lines = this.#take();
    const loss = this.#refused === 0 ? '' : lossOf(this.#refused);
    this.#send(Buffer.from(loss + lines.join('')), (error) => {
      this.#writing = false;
      this.#refused = error === null ? 0 : this.#refused + lines.length;
      // A disk may have room again; a reader that is gone stays away.
      this.#broken = error?.code === 'EPIPE';
      if (this.#broken) this.#waiting = [];
      this.#pump();
    });
  }

  #send(bytes: Buffer, done: (error: NodeJS.ErrnoException | null) => void): void {
    write(this.#fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setImmediate(() => this.#send(bytes, done));
      else if (error === null && written < bytes.length) this.#send(bytes.subarray(written), done);
      else done(error);
    });
  }
}

function lossOf(lines: number): string {
  return `... ${lines} lines were lost\n`;
}
