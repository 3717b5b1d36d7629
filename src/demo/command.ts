// Other programs, run to their end.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that could not be run or ended with a failure; the message is its own. */
export class CommandFailedError extends Error {
  /** ENOENT: the program is not there. */
  readonly code: string | number | undefined;
  constructor(program: string, code: string | number | null | undefined, output: string) {
    super(output.trim() === '' ? `${program} failed (${code ?? 'without a word'})` : output.trim());
    this.name = 'CommandFailedError';
    this.code = code ?? undefined;
  }
}

/** Runs `command`; resolves with what it wrote to stdout. `input` goes to its stdin. */
export function runCommand(command: readonly string[], input = ''): Promise<string> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new CommandFailedError(program, error.code, stderr === '' ? stdout : stderr));
    });
    // A program that ends without reading is judged by its exit code.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Several `ip` commands in one go, in a namespace or (undefined) where we are. */
export function runIp(namespace: string | undefined, commands: readonly string[]): Promise<string> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  return runCommand(['ip', ...where, '-batch', '-'], `${commands.join('\n')}\n`);
}

/** Whether a program is in one of the directories of PATH. */
export function hasProgram(name: string, path: string = process.env['PATH'] ?? ''): boolean {
  return path.split(delimiter).some((directory) => existsSync(join(directory, name)));
}
