// Dumps of tables and messages on the machine's disk.

import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DumpStore } from './mrt-dumps.ts';

/** Routes are no secrets, but whose peers they come from is not for everybody. */
const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

export const dumpsOnDisk: DumpStore = {
  async create(path) {
    const file = await open(path, 'w', FILE_MODE);
    // Not write(), which may take a part.
    return { write: (bytes) => file.writeFile(bytes), close: () => file.close() };
  },
  async append(path) {
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    const file = await open(path, 'a', FILE_MODE);
    const { size } = await file.stat();
    return {
      size,
      write: (bytes) => file.appendFile(bytes),
      truncate: (to) => file.truncate(to),
      close: () => file.close(),
    };
  },
  rename,
};
