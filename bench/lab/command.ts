// Runs a program to its end and gives its output; a failure shows what was run and what it said. No shell is involved.

import { execFile } from 'node:child_process';
import { errorText } from '../../src/lib/error-text.ts';

const OUTPUT_LIMIT = 1 << 29;
const DEFAULT_TIMEOUT_MS = 30_000;

export class CommandFailed extends Error {
  readonly stdout: string;
  readonly stderr: string;
  constructor(command: readonly string[], reason: string, stdout: string, stderr: string) {
    super(`${command.join(' ')}: ${reason}${stderr === '' ? '' : `\n${stderr.trimEnd()}`}`);
    this.name = 'CommandFailed';
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

export interface RunOptions {
  readonly timeoutMs?: number;
  readonly input?: string;
}

/** Standard output of `command`; throws CommandFailed on any exit code but 0. */
export function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program!,
      args,
      { maxBuffer: OUTPUT_LIMIT, timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new CommandFailed(command, error.message.split('\n')[0]!, stdout, stderr));
      },
    );
    child.stdin?.on('error', () => undefined); // a program that does not read its input is no failure
    child.stdin?.end(options.input ?? '');
  });
}

/** True where `command` ran and exited with 0. */
export function succeeds(command: readonly string[]): Promise<boolean> {
  return run(command).then(
    () => true,
    () => false,
  );
}

/** Waiting on is pointless: waitFor gives this error up at once. */
export class GivenUp extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'GivenUp';
  }
}

/** Asks again until `condition` gives a value; throws with `what` and the last error at the deadline. */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  timeoutMs = 30_000,
  everyMs = 100,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let problem = '';
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      problem = '';
    } catch (error) {
      if (error instanceof GivenUp) throw error;
      problem = `: ${errorText(error)}`;
    }
    if (Date.now() > deadline)
      throw new Error(`${what} did not happen within ${timeoutMs / 1000} s${problem}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
