// Into the background without fork(2): the program starts itself once more, detached, and waits until that one says
// over a pipe that it runs; what it says on stderr until then is passed on, and its end becomes the own exit code.

import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

/** Set for the detached process only. */
const VARIABLE = 'GODWIT_DETACHED';
const READY_FD = 3;

/** Whether this is the process in the background. */
export function isDetached(): boolean {
  return process.env[VARIABLE] === '1';
}

/** Tells the waiting process, where there is one, that all is well. */
export function reportReady(): void {
  if (!isDetached()) return;
  // It is gone as soon as it has read this, and stderr with it.
  process.stderr.on('error', () => {});
  writeSync(READY_FD, '.');
  closeSync(READY_FD);
}

/** Starts the daemon in the background; resolves when it runs or has failed. */
export function runDetached(name: string, terminal: Terminal): Promise<ExitCode> {
  // As this one was called: by `godwit bird`, or by a link that is named bird.
  const [, ...words] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, ...words], {
    argv0: name,
    detached: true,
    env: { ...process.env, [VARIABLE]: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve) => {
    const ready = child.stdio[READY_FD];
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const finish = (code: ExitCode) => {
      if (text !== '') terminal.warn(text.trimEnd());
      child.stderr?.destroy();
      ready?.destroy();
      child.unref();
      resolve(code);
    };
    ready?.once('data', () => finish(EXIT.ok));
    child.once('error', (error) => {
      text += `${name}: ${error.message}\n`;
      finish(EXIT.failed);
    });
    child.once('close', () => finish(EXIT.failed));
  });
}
