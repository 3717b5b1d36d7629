// The files that records are added to, one a name, however many peers and statements mean it.

import { RecordFile, type RecordFileOptions, type RecordFileParts } from './record-file.ts';

export class RecordFiles {
  readonly #parts: RecordFileParts;
  readonly #files = new Map<string, RecordFile>();
  readonly #used = new Set<string>();

  constructor(parts: RecordFileParts) {
    this.#parts = parts;
  }

  /** The file of these options, opened when there is something to be written. */
  get(options: RecordFileOptions): RecordFile {
    const key = `${options.path} ${options.maxSize ?? ''} ${options.maxAge ?? ''}`;
    const file = this.#files.get(key) ?? new RecordFile(options, this.#parts);
    this.#files.set(key, file);
    this.#used.add(key);
    return file;
  }

  /** Closes those that were not asked for since this was called last. */
  closeUnused(): void {
    for (const [key, file] of this.#files) {
      if (this.#used.has(key)) continue;
      this.#files.delete(key);
      file.close().catch((error: unknown) => this.#parts.log.warn({ error }, 'a file could not be closed'));
    }
    this.#used.clear();
  }
}
