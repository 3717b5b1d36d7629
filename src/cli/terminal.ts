// The outside of the command line as one value: where output goes, how wide and colourful it may be, what the
// environment says. Tests bring their own.

import { systemClock } from '../lib/clock.ts';
import { EXIT, ExitError } from './exit-codes.ts';

export interface Terminal {
  /** Writes to stdout; resolves when more may be written. Rejects with OutputClosedError, or ExitError (a full disk). */
  write(text: string): Promise<void>;
  /** Writes a line to stderr. */
  warn(line: string): void;
  /** Columns of the terminal; undefined where stdout is none. */
  readonly columns: number | undefined;
  readonly color: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Wall-clock milliseconds. */
  now(): number;
  /** Aborted when the person interrupts (SIGINT, SIGTERM) or stdout takes no more. */
  readonly interrupted: AbortSignal;
}

/** Whoever read our stdout stopped: there is nobody left to work for. */
export class OutputClosedError extends Error {
  constructor() {
    super('stdout was closed');
    this.name = 'OutputClosedError';
  }
}

const FALLBACK_COLUMNS = 80;

/** The parts of `process` that the terminal is made of. */
export interface TerminalProcess {
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  once(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** The terminal of a process. `interrupted` answers signals from the moment it is first asked for. */
export function processTerminal({ stdout, stderr, env, once }: TerminalProcess): Terminal {
  const tty = stdout.isTTY === true;
  let failure: Error | undefined;
  let interruption: AbortController | undefined;
  const fail = (error: NodeJS.ErrnoException) => {
    failure ??=
      error.code === 'EPIPE'
        ? new OutputClosedError()
        : new ExitError(EXIT.failed, `The output cannot be written: ${error.message}`);
    interruption?.abort();
  };
  stdout.on('error', fail);
  return {
    async write(text) {
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => {
        stdout.write(text, (error) => {
          if (error) fail(error);
          resolve();
        });
      });
      if (failure !== undefined) throw failure;
    },
    warn: (line) => void stderr.write(`${line}\n`),
    columns: tty ? (stdout.columns ?? FALLBACK_COLUMNS) : undefined,
    color: tty && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    env,
    now: systemClock.wallTime,
    get interrupted() {
      if (interruption === undefined) {
        const controller = new AbortController();
        const abort = () => controller.abort();
        once('SIGINT', abort);
        once('SIGTERM', abort);
        if (failure !== undefined) abort();
        interruption = controller;
      }
      return interruption.signal;
    },
  };
}
