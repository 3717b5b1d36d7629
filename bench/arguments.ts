// What the bench's command lines have in common: numbers, names, files, each with an error that says what would have
// been right, and how such an error ends the program.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorText } from '../src/lib/error-text.ts';
import { projectRoot } from './project.ts';

/** `usual` where the option was not given. */
export function positive(option: string, text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`--${option} must be a positive integer, not ${text}`);
  }
  return value;
}

/** Names with commas between them, each of `known`. */
export function namesOf<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((name) => {
    const found = known.find((each) => each === name);
    if (found === undefined) throw new Error(`--${option}: no such name: ${name} (of ${known.join(', ')})`);
    return found;
  });
}

/** A file of real data: what the option names, which must be there, else `usual` beside the project, where that is. */
export function realData(option: string, text: string | undefined, usual: string): string | undefined {
  const path = text === undefined ? join(projectRoot(), '../shared/data', usual) : resolve(text);
  if (existsSync(path)) return path;
  if (text !== undefined) throw new Error(`--${option}: there is no file ${path}`);
  return undefined;
}

/** A gzipped list of prefixes, one a line. */
export function prefixList(text: string | undefined): string | undefined {
  return realData('prefixes', text, 'prefixes/prefixes.txt.gz');
}

/** A program: what it throws is told in one line, and its exit code is 1. */
export async function program(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const misread =
      error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`${errorText(error)}${misread ? '; --help shows the options' : ''}\n`);
    process.exitCode = 1;
  }
}
