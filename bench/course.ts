// How a work goes: phases of the load at a daemon that runs; a daemon that starts while the load is waiting for it; one
// that is killed and starts again over the routes that it left in the kernel. The daemon's costs are read when a phase
// starts and when its last route has arrived.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { errorText } from '../src/lib/error-text.ts';
import type { Daemon, StatusConnection } from './daemons/types.ts';
import type { CleanUp } from './lab/clean-up.ts';
import { costOf, type ProcessCost } from './lab/managed-process.ts';
import type { Namespace } from './lab/namespace.ts';
import { KernelTable } from './load/kernel-table.ts';
import type { LoadPlan, PhaseResult } from './load/plan.ts';
import { LoaderProcess } from './loader-process.ts';
import { notesOf, type Outcome } from './outcome.ts';
import type { Window } from './profile.ts';
import type { Latency } from './statistics.ts';
import { StatusWatch } from './status-watch.ts';
import type { WorkSetup } from './work-setup.ts';
import type { Work } from './works.ts';

/** After the last session is up: daemons have timers of their own to run out. */
const CALM_MS = 1000;
/** Who waits for a start shall not be what is measured. */
const START_RETRY_MS = 5;
const KERNEL_WATCH_MS = 100;
/** Of a daemon's log, where a work fails. */
const LOG_LINES = 8;

export interface CourseContext {
  readonly work: Work;
  readonly setup: WorkSetup;
  readonly start: () => Promise<Daemon>;
  readonly contestant: string;
  readonly source: Namespace;
  readonly directory: string;
  readonly cleanUp: CleanUp;
}

export const COURSES = { phases, start: startCourse, restart: restartCourse } as const;
export type Course = keyof typeof COURSES;

/** The load finds a running daemon. */
async function phases(context: CourseContext): Promise<Outcome> {
  const daemon = await context.start();
  const loader = await startLoader(context, 'plan', planFor(context, daemon));
  const status = await openStatus(context.work, daemon);
  await context.cleanUp.add(() => status?.close());
  await status?.ask(); // The first question of a connection pays for setting it up.
  const prepared = await loader.until('prepared');
  await loader.until('established');
  for (;;) {
    const seen = await runPhase(daemon, loader, status);
    if (seen.load.phase !== context.work.phase) continue;
    await loader.end();
    return outcomeOf(context, prepared, seen);
  }
}

/** The load is there first; counted from the daemon's start to the first session. */
async function startCourse(context: CourseContext): Promise<Outcome> {
  const plan = { ...context.setup.plan, connectRetryMs: START_RETRY_MS };
  const loader = await startLoader(context, 'plan', plan);
  const prepared = await loader.until('prepared');
  const [daemon, { firstAt }] = await Promise.all([context.start(), loader.until('established')]);
  const startedAt = daemon.processes[0]!.startedAt;
  const seen = await runPhase(daemon, loader, undefined);
  await loader.end();
  return outcomeOf(context, prepared, seen, (firstAt - startedAt) / 1000);
}

/** A crash: the kernel's routes stay, the next start finds them. Counted from that start to the first session. */
async function restartCourse(context: CourseContext): Promise<Outcome> {
  const first = await context.start();
  const played = await startLoader(context, 'before', planFor(context, first));
  await played.until('established');
  const before = await runPhase(first, played, undefined);
  if (!before.load.complete) throw new Error('the table did not get into the kernel before the restart');
  const kernelTarget = await kernelOf(first).count();
  for (const process of [...first.processes].reverse()) await process.kill();
  played.kill();

  const loader = await startLoader(context, 'after', {
    ...planFor(context, undefined),
    connectRetryMs: START_RETRY_MS,
  });
  const prepared = await loader.until('prepared');
  const [daemon, { firstAt }] = await Promise.all([context.start(), loader.until('established')]);
  const startedAt = daemon.processes[0]!.startedAt;
  const lowest = watchLowest(kernelOf(daemon), kernelTarget);
  const seen = await runPhase(daemon, loader, undefined);
  const kernel = await lowest.stop();
  const outcome = outcomeOf(context, prepared, seen, (firstAt - startedAt) / 1000);
  await loader.end();
  return {
    ...outcome,
    notes: [
      ...outcome.notes,
      `the kernel's ${kernelTarget} routes: never fewer than ${kernel.lowest}, ${kernel.last} in the end`,
    ],
  };
}

interface Seen {
  readonly load: PhaseResult;
  readonly before: ProcessCost;
  readonly after: ProcessCost;
  readonly settled: ProcessCost;
  readonly statusLatency: Latency | undefined;
  readonly window: Window;
}

async function runPhase(
  daemon: Daemon,
  loader: LoaderProcess,
  status: StatusConnection | undefined,
): Promise<Seen> {
  const pids = daemon.processes.map((process) => process.pid);
  await new Promise((resolve) => setTimeout(resolve, CALM_MS));
  for (const process of daemon.processes) process.assertRunning();
  const watch = status === undefined ? undefined : new StatusWatch(status, systemClock);
  const before = costOf(pids);
  const from = monotonicMicros();
  loader.go();
  await loader.until('arrived').catch((error: unknown) => {
    for (const process of daemon.processes) process.assertRunning();
    const said = daemon.processes.map((process) => process.logTail(LOG_LINES)).join('\n');
    throw new Error(`${errorText(error)}\n${said}`);
  });
  const after = costOf(pids);
  const window = { from, to: monotonicMicros() };
  const statusLatency = await watch?.stop();
  const { result } = await loader.until('phase');
  return { load: result, before, after, settled: costOf(pids), statusLatency, window };
}

function outcomeOf(
  { work, contestant }: CourseContext,
  { routes, attributeSets }: { readonly routes: number; readonly attributeSets: number },
  { load, before, after, settled, statusLatency, window }: Seen,
  seconds = load.seconds,
): Outcome {
  const latency = statusLatency ?? load.probes?.latency ?? load.churn?.latency;
  return {
    work: work.id,
    measure: work.measure ?? 'time',
    daemon: contestant,
    load,
    seconds,
    user: after.user - before.user,
    system: after.system - before.system,
    rssBefore: before.rss,
    rss: settled.rss,
    peakRss: settled.peakRss,
    routes,
    attributeSets,
    window,
    notes: notesOf(load, before.rss, settled.rss),
    ...(latency === undefined ? {} : { latency }),
  };
}

/** As V8 stamps its profiles. */
function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function planFor({ setup }: CourseContext, daemon: Daemon | undefined): LoadPlan {
  if (!setup.spec.kernel || daemon === undefined) return setup.plan;
  return { ...setup.plan, kernelTable: kernelDirectory(daemon) };
}

function kernelDirectory(daemon: Daemon): string {
  return `/proc/${daemon.processes[0]!.pid}/net`;
}

function kernelOf(daemon: Daemon): KernelTable {
  return new KernelTable(kernelDirectory(daemon), systemClock);
}

async function startLoader(context: CourseContext, name: string, plan: LoadPlan): Promise<LoaderProcess> {
  const path = join(context.directory, `${name}.json`);
  await writeFile(path, JSON.stringify(plan));
  const loader = new LoaderProcess(context.source, path);
  await context.cleanUp.add(() => loader.kill());
  return loader;
}

async function openStatus(work: Work, daemon: Daemon): Promise<StatusConnection | undefined> {
  if (work.asks === 'connection') return daemon.connectStatus?.();
  if (work.asks === 'client') return { ask: () => daemon.askStatus(), close: () => undefined };
  return undefined;
}

/** Counts the kernel's routes now and then, and keeps the lowest count. */
function watchLowest(
  kernel: KernelTable,
  start: number,
): { stop(): Promise<{ lowest: number; last: number }> } {
  let running = true;
  let lowest = start;
  const count = async (): Promise<number> => {
    const now = await kernel.count();
    lowest = Math.min(lowest, now);
    return now;
  };
  const watching = (async (): Promise<void> => {
    while (running) {
      await count();
      await new Promise((resolve) => setTimeout(resolve, KERNEL_WATCH_MS));
    }
  })();
  watching.catch(() => undefined); // `stop` tells
  return {
    stop: async () => {
      running = false;
      await watching;
      return { last: await count(), lowest };
    },
  };
}
