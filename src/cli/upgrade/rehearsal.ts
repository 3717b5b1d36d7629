// Before a program becomes another one, the other one is asked, as a child: whether it starts at all, knows live
// upgrades, reads this state, and takes the configuration. `godwit __handover` is what the child runs; a version
// without it says that it knows no such command, which is an answer, too.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { CommandError } from '../../control/protocol.ts';
import { errorText } from '../../lib/error-text.ts';
import { packageVersion } from '../../lib/package-info.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { readWhole } from './inherited.ts';

/** Where the child finds the state. */
const STATE_FD = 3;
/** A program that has not answered by then is not awaited; the sessions wait, too. */
const ANSWER_MS = 20_000;
/** proc(5): from -1000 to 1000; the higher, the sooner the process is ended when memory runs out. */
const OOM_SCORE = '500';
/** Of what it says; enough for a complaint. */
const LONGEST_ANSWER = 4096;

/** The child: reads the state and prints the version that would go on. */
export async function rehearse(terminal: Terminal): Promise<ExitCode> {
  const { decodeStates } = await import('../../speaker/main.ts');
  try {
    decodeStates(readWhole(STATE_FD));
  } catch (error) {
    terminal.warn(`godwit: ${errorText(error)}`);
    return EXIT.failed;
  }
  await terminal.write(`${packageVersion()}\n`);
  return EXIT.ok;
}

/**
 * Runs a program with some words and, on descriptor 3, the state. Resolves to what it prints; rejects with a
 * CommandError that has the program's own words where it does not end well.
 */
export function ask(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  state: number | 'ignore',
): Promise<string> {
  const [program = '', ...argv] = command;
  const child = spawn(program, argv, { env, stdio: ['ignore', 'pipe', 'pipe', state] });
  if (child.pid !== undefined) offerToOomKiller(child.pid);
  return new Promise((resolve, reject) => {
    let out = '';
    let complaint = '';
    const fail = (why: string): void => {
      const words = complaint.trim();
      reject(
        new CommandError('failed', `the new program is not fit to go on: ${words === '' ? why : words}`),
      );
    };
    const timer = setTimeout(() => {
      fail(`no answer within ${ANSWER_MS / 1000} s`);
      child.kill('SIGKILL');
    }, ANSWER_MS);
    child.stdout?.on('data', (chunk: Buffer) => {
      out = (out + chunk.toString()).slice(0, LONGEST_ANSWER);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, LONGEST_ANSWER);
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === EXIT.ok) resolve(out.trim());
      else fail(signal === null ? `it ended with code ${code}` : `it ended by ${signal}`);
    });
  });
}

/** It holds all tables a second time: where there is no room for that, it must go, and not the daemon. */
function offerToOomKiller(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch (error) {
    // It has ended already, or this system has no such thing: the child is asked all the same.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
