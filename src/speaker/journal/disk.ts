// The journal on the machine's disk.

import { appendFileSync } from 'node:fs';
import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JournalStore } from './file-journal.ts';

/** Names and addresses of peers are not for everybody. */
const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

export const journalOnDisk: JournalStore = {
  async open(path) {
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    try {
      return (await stat(path)).size;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
      throw error;
    }
  },
  append: (path, text) => appendFile(path, text, { mode: FILE_MODE }),
  appendNow: (path, text) => appendFileSync(path, text, { mode: FILE_MODE }),
  rename,
};
