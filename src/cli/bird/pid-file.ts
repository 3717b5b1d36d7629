// The file of -P. It is opened before anything is started and before privileges are given up, as BIRD does; its number
// is there when the daemon runs, and whoever does not get that far leaves another daemon's file as it is.

import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { systemReason } from './system-reason.ts';

export class PidFile {
  readonly #path: string;
  #fd: number | undefined;
  #ours = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Opens it; the error is a sentence. */
  open(): void {
    try {
      this.#fd = openSync(this.#path, 'a');
      this.#ours = fstatSync(this.#fd).size === 0;
    } catch (error) {
      throw new Error(`Cannot create PID file ${this.#path}: ${systemReason(error)}`, { cause: error });
    }
  }

  /** What this process was before has written it. */
  inherit(): void {
    this.#ours = true;
  }

  write(pid: number): void {
    if (this.#fd === undefined) return;
    ftruncateSync(this.#fd);
    writeSync(this.#fd, `${pid}\n`);
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#ours = true;
  }

  /** At the end, however far it got. */
  remove(): void {
    if (!this.#ours) return;
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // Another user's directory: the next one writes over it.
    }
  }
}
