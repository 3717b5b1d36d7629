// The thread that watches the main loop where a timeout is configured: when the loop has been stuck for so long, it
// writes a crash report from what it was told last and ends the whole process, which the main thread no longer can.

import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../lib/clock.ts';
import { errorText } from '../../lib/error-text.ts';
import { exitNow } from '../../lib/exit-now.ts';
import { StageBeat } from '../../lib/stage-beat.ts';
import { REPORTED_EVENTS, writeCrashReport } from '../crash/report.ts';
import type { GuardData, GuardMessage } from './guard-protocol.ts';
import { Stuckness } from './stuckness.ts';

const STDERR = 2;
const MS_PER_SECOND = 1000;
const MAX_PERIOD_MS = 1000;
const LOOKS_PER_LIMIT = 4;
/** As the command line documents it. */
const EXIT_CODE = 70;

const data: GuardData = workerData;
const beat = new StageBeat(data.beat);
const period = Math.min(MAX_PERIOD_MS, data.timeoutMs / LOOKS_PER_LIMIT);
const stuckness = new Stuckness(data.timeoutMs, period);
let draft = data.draft;

parentPort?.on('message', (message: GuardMessage) => {
  if (message.kind === 'draft') draft = message.draft;
  else draft = { ...draft, events: [...draft.events, message.entry].slice(-REPORTED_EVENTS) };
});

function look(): void {
  const stuck = stuckness.look(beat.beats, systemClock.now());
  if (stuck !== undefined) end(stuck);
  systemClock.setTimer(period, look);
}

function end(stuckMs: number): void {
  const { stage } = beat;
  const where =
    stage === undefined ? 'outside of the stages (reading, timers, control)' : `in stage ${stage}`;
  const sentence = `the event loop has been stuck for ${(stuckMs / MS_PER_SECOND).toFixed(1)} s, ${where}`;
  const at = new Date(systemClock.wallTime()).toISOString();
  try {
    const report = { ...draft, at, reason: 'watchdog', sentence, stack: undefined } as const;
    say(`godwit: ${sentence}; the report is ${writeCrashReport(data.directory, report)}; it ends`);
  } catch (error) {
    say(`godwit: ${sentence}; no report: ${errorText(error)}; it ends`);
  }
  // A worker's own exit ends only the worker.
  exitNow(EXIT_CODE);
}

/** The log belongs to the thread that is stuck. */
function say(line: string): void {
  try {
    writeSync(STDERR, `${line}\n`);
  } catch (error) {
    // Nobody reads it: that is no reason to stay.
    if (!(error instanceof Error)) throw error;
  }
}

look();
