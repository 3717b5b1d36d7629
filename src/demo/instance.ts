// One demonstration's own directory, which is also its claim to a number: `/tmp/godwit-demo`, and `-2` and so on while
// others run. A directory whose owner died without tidying up is taken over.

import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DemoError } from './lab.ts';

export interface Instance {
  /** Counted from 1. */
  readonly number: number;
  readonly directory: string;
  /** Removes the directory with all that is in it. */
  release(): void;
}

/** Not TMPDIR: names of namespaces and loopback addresses are the whole machine's, and so is this. */
const SHARED = '/tmp';
const MOST_INSTANCES = 40;
const OWNER_FILE = 'owner';
const PRIVATE_DIRECTORY = 0o700;
/** /proc/PID/stat after the command's name: state is field 3, the start time field 22. */
const START_TIME_FIELD = 19;
const ZOMBIE = 'Z';

/** Claims the lowest number that is free. */
export function claimInstance(parent: string = SHARED): Instance {
  for (let number = 1; number <= MOST_INSTANCES; number++) {
    const directory = join(parent, number === 1 ? 'godwit-demo' : `godwit-demo-${number}`);
    if (!claim(directory)) continue;
    return { number, directory, release: () => rmSync(directory, { recursive: true, force: true }) };
  }
  throw new DemoError(
    `there are ${MOST_INSTANCES} demonstrations in ${parent}: stop one, or remove its directory`,
  );
}

function claim(directory: string): boolean {
  if (make(directory)) return true;
  if (!isAbandoned(directory)) return false;
  rmSync(directory, { recursive: true, force: true });
  // Somebody else may have been as quick.
  return make(directory);
}

function make(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: PRIVATE_DIRECTORY });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(directory, OWNER_FILE), identityOf(process.pid) ?? String(process.pid));
  return true;
}

/** Ours, and the process that made it is gone. */
function isAbandoned(directory: string): boolean {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) return false;
  let owner: string;
  try {
    owner = readFileSync(join(directory, OWNER_FILE), 'utf8');
  } catch (error) {
    // Between mkdir and the writing of the file it belongs to somebody all the same.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  const pid = Number.parseInt(owner, 10);
  return identityOf(pid) !== owner;
}

/** Process id and start time: ids are used again. Undefined where there is no such process. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie owns nothing any more, however long its parent forgets it.
    return fields[0] === ZOMBIE ? undefined : `${pid} ${fields[START_TIME_FIELD]}`;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
