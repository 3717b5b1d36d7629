// `npm start` as a person calls it, and what it must have shown.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Its directory; undefined where the output names none. */
  readonly directory: string | undefined;
}

/** Runs it to its end; `onOutput` may stop it. */
export async function runDemo(
  args: readonly string[],
  onOutput?: (all: string, stop: (signal: NodeJS.Signals) => void) => void,
): Promise<Outcome> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  const directory = /(\/tmp\/godwit-demo\S*)\/rr1\.sock/.exec(stdout)?.[1];
  return { code: child.exitCode, stdout, stderr, directory };
}

export function expectTidy({ directory }: Outcome): void {
  expect(directory).toBeDefined();
  expect(existsSync(directory ?? '')).toBe(false);
}

/** What both kinds of demonstration print. */
export function expectTour({ code, stdout, stderr }: Outcome): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('All sessions are Established');
  expect(stdout).toContain('4 of 4 established');
  for (const prefix of [
    '10.244.1.0/26',
    '10.244.3.64/26',
    'fd00:244:2::/122',
    '0.0.0.0/0',
    '198.51.100.0/24',
  ]) {
    expect(stdout).toMatch(new RegExp(`^> +${prefix.replaceAll('.', '\\.')} `, 'm'));
  }
  // ECMP at the top-of-rack router, a plain route at a node.
  expect(stdout).toMatch(
    /^10\.96\.0\.0\/24 proto (bird|12) metric 32\s*\n(\tnexthop via .* dev eth0 weight 1\s*\n){3}/m,
  );
  expect(stdout).toMatch(/^10\.244\.2\.0\/26 via \S+\.12 dev eth0 proto (bird|12) metric 32$/m);
}

export function output(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { encoding: 'utf8' }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}
