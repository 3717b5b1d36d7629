// Lines to a file descriptor without ever waiting for its reader: what cannot be written at once waits, up to a limit,
// and beyond that lines are counted instead of kept. A log that nobody reads any more is no reason to stop routing.

import { write, writeSync } from 'node:fs';

const MOST_WAITING = 4 * 1024 * 1024;

export class LineSink {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingLength = 0;
  #lost = 0;
  #writing = false;
  #broken = false;
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
      this.#waiting.push(`... ${this.#lost} lines were lost\n`);
      this.#lost = 0;
    }
    this.#waiting.push(`${line}\n`);
    this.#waitingLength += line.length + 1;
    this.#pump();
  }

  /** Writes out what waits; for the last moment before the process ends. */
  flush(): void {
    if (this.#broken) return;
    try {
      for (const text of this.#take()) writeSync(this.#fd, text);
    } catch {
      // Nobody is left to be told.
      this.#broken = true;
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

  #pump(): void {
    if (this.#writing) return;
    if (this.#waiting.length === 0) {
      this.#ended?.();
      this.#ended = undefined;
      return;
    }
    this.#writing = true;
    this.#send(Buffer.from(this.#take().join('')));
  }

  #send(bytes: Buffer): void {
    write(this.#fd, bytes, (error, written) => {
      if (error !== null && 'code' in error && error.code === 'EAGAIN') {
        setImmediate(() => this.#send(bytes));
        return;
      }
      this.#broken = error !== null;
      if (!this.#broken && written < bytes.length) {
        this.#send(bytes.subarray(written));
        return;
      }
      this.#writing = false;
      if (this.#broken) this.#waiting = [];
      this.#pump();
    });
  }
}
