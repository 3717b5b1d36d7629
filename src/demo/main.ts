// `npm start`: six speakers, a few seconds, something to look at. Chooses where they run, waits until all is up, shows
// it, follows the sessions, and leaves nothing behind. scripts/start.mjs has installed and built before.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { styleFor } from '../cli/render/style.ts';
import { OutputClosedError, processTerminal, type Terminal } from '../cli/terminal.ts';
import { systemClock } from '../lib/clock.ts';
import { errorText } from '../lib/error-text.ts';
import { packageRoot } from '../lib/package-info.ts';
import { followSessions } from './follow.ts';
import { claimInstance, type Instance } from './instance.ts';
import { DemoError, type Lab } from './lab.ts';
import { loopbackLab } from './loopback.ts';
import { namespaceLab, namespacesMissing } from './namespaces.ts';
import { type NotReady, waitReady } from './ready.ts';
import { introduction, showTour, tryNow } from './tour.ts';

const USAGE = `Usage: npm start [-- OPTIONS]

Starts two route reflectors, three nodes and a top-of-rack router that speak BGP with each other.

  --once      show everything, stop, and exit with 0; not 0 where something did not come up
  --loopback  no network namespaces, even with the privilege: one process on loopback addresses
`;
const PROGRAM = 'bin/godwit.js';
/** All of it; six processes on a slow machine. */
const READY_MS = 60_000;
const LOG_LINES = 10;
const INTERRUPTED = 130;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Options {
  readonly once: boolean;
  readonly loopback: boolean;
}

/** Runs the demonstration as this process; sets the exit code. */
export async function start(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const { stdout, stderr, env } = process;
  // The signals are ours: nothing is shown while nobody could end it in order.
  const terminal = processTerminal({ stdout, stderr, env, once: () => {} });
  const options = readOptions(argv);
  if (typeof options === 'string') {
    terminal.warn(`${options}\n\n${USAGE}`.trim());
    process.exitCode = options === '' ? 0 : 2;
    return;
  }
  const interruption = new AbortController();
  for (const signal of SIGNALS) process.on(signal, () => interruption.abort());
  let instance: Instance | undefined;
  try {
    instance = claimInstance();
    process.exitCode = await demonstrate(options, instance, terminal, interruption);
  } catch (error) {
    if (error instanceof DemoError) {
      terminal.warn(`godwit: ${error.message}`);
      process.exitCode = 1;
    } else if (!(error instanceof OutputClosedError)) throw error;
  } finally {
    instance?.release();
  }
  // Whatever a library still has open does not keep a demonstration that is over.
  process.exit();
}

/** A text is what is wrong; empty: help is wanted. */
function readOptions(argv: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean', default: false },
        loopback: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values.help ? '' : { once: values.once, loopback: values.loopback };
  } catch (error) {
    return errorText(error);
  }
}

async function demonstrate(
  { once, loopback }: Options,
  instance: Instance,
  terminal: Terminal,
  interruption: AbortController,
): Promise<number> {
  const { signal } = interruption;
  const missing = loopback ? 'No network namespaces (--loopback)' : await namespacesMissing(instance);
  const lab = missing === undefined ? namespaceLab(instance) : loopbackLab(instance);
  await terminal.write(`\n${whereItRuns(missing)}\n\n${introduction(lab)}`);
  try {
    const failed = await bringUp(lab, terminal, signal);
    if (signal.aborted) return INTERRUPTED;
    if (failed.length > 0) {
      explainFailure(failed, terminal);
      return 1;
    }
    await showTour(lab, terminal, PROGRAM);
    if (once) return 0;
    await terminal.write(tryNow(lab, terminal, PROGRAM, packageRoot()));
    await follow(lab, terminal, interruption);
    return 0;
  } finally {
    if (!once) terminal.warn(`\nStopping the speakers and removing ${whatIsRemoved(lab)} ...`);
    await lab.stop();
  }
}

function whereItRuns(missing: string | undefined): string {
  if (missing === undefined) {
    return 'Six godwit processes, each in a network namespace of its own, with real kernel routes:';
  }
  return (
    `${missing}.\nSix speakers in this process instead, real TCP between loopback addresses, ` +
    'the kernels simulated in memory:'
  );
}

function whatIsRemoved(lab: Lab): string {
  return lab.namespaceOf === undefined ? lab.directory : `their namespaces and ${lab.directory}`;
}

async function bringUp(lab: Lab, terminal: Terminal, signal: AbortSignal): Promise<NotReady[]> {
  const started = systemClock.now();
  await lab.start();
  const failed = await waitReady(lab, {
    limit: READY_MS,
    signal,
    now: () => systemClock.now(),
    sleep: (ms) => sleep(ms, signal),
  });
  if (failed.length > 0) return failed;
  const seconds = ((systemClock.now() - started) / 1000).toFixed(1);
  await terminal.write(`All sessions are Established and all routes are in place after ${seconds} s.\n\n`);
  return [];
}

function explainFailure(failed: readonly NotReady[], terminal: Terminal): void {
  terminal.warn(`Not everything came up (${READY_MS / 1000} s are the limit):`);
  for (const { node, missing } of failed) {
    for (const sentence of missing) terminal.warn(`  ${node.name}: ${sentence}`);
    const lines = readFileSync(node.logFile, 'utf8').trim().split('\n').slice(-LOG_LINES);
    terminal.warn(`    the end of its log:\n${lines.map((line) => `      ${line}`).join('\n')}`);
  }
}

async function follow(lab: Lab, terminal: Terminal, interruption: AbortController): Promise<void> {
  const { signal } = interruption;
  await terminal.write('Sessions that come and go (Ctrl-C ends it all):\n');
  await followSessions(lab, {
    style: styleFor(terminal.color),
    signal,
    // Whoever read the lines went away: the same as an interrupt.
    write: (line) => void terminal.write(`${line}\n`).catch(() => interruption.abort()),
    now: () => systemClock.wallTime(),
    sleep: (ms) => sleep(ms, signal),
  });
}

/** Waits, but not beyond an interruption. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = systemClock.setTimer(ms, done);
    signal.addEventListener('abort', done);
    function done(): void {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
  });
}
