// One contestant at one work, once: a fresh pair of namespaces, the daemon in one, the load in the other; the daemon's
// costs are read when a phase starts and when its last route has arrived.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/lib/clock.ts';
import type { Daemon, DaemonKind } from './daemons/types.ts';
import type { CleanUp } from './lab/clean-up.ts';
import { costOf, type ProcessCost } from './lab/managed-process.ts';
import {
  connectPair,
  createNamespace,
  makerIsGone,
  type Namespace,
  removeAbandoned,
} from './lab/namespace.ts';
import type { LoadEvent, PhaseResult } from './load/plan.ts';
import type { Latency } from './statistics.ts';
import { StatusWatch } from './status-watch.ts';
import { DAEMON_ADDRESS, NETWORK_BITS, type Work, type WorkSetup } from './works.ts';

const PREFIX = 'gw-bench-';
/** After the last session is up: daemons have timers of their own to run out. */
const CALM_MS = 1000;
/** The neighbour tables of a namespace are the machine's: a thousand peers need more than the default. */
const NEIGHBOR_TABLE = 16_384;

export interface Outcome {
  readonly work: string;
  readonly daemon: string;
  readonly load: PhaseResult;
  /** Seconds of CPU in the phase. */
  readonly user: number;
  readonly system: number;
  /** Octets; the peak since the start. */
  readonly rss: number;
  readonly peakRss: number;
  readonly routes: number;
  readonly attributeSets: number;
  /** What the work is about, where that is a delay. */
  readonly latency?: Latency;
}

/** Runs a work; throws where the daemon does not start, a session goes down or the load fails. */
export async function contest(
  work: Work,
  setup: WorkSetup,
  kind: DaemonKind,
  cleanUp: CleanUp,
): Promise<Outcome> {
  await removeLeftovers();
  try {
    const directory = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    await cleanUp.add(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o755); // for daemons with a user of their own
    const target = await makeNamespace('daemon', cleanUp);
    const source = await makeNamespace('load', cleanUp);
    await connectPair(
      { namespace: target, device: 'veth0', addresses: [`${DAEMON_ADDRESS}/${NETWORK_BITS}`] },
      { namespace: source, device: 'veth0', addresses: setup.addresses },
    );
    for (const namespace of [target, source]) {
      await namespace
        .run(['sysctl', '-qw', `net.ipv4.neigh.default.gc_thresh3=${NEIGHBOR_TABLE}`])
        .catch(() => undefined);
    }
    const home = join(directory, 'daemon');
    await mkdir(home);
    const daemon = await kind.start({ namespace: target, directory: home, spec: setup.spec });
    await cleanUp.add(() => daemon.stop());
    return await measure(work, setup, daemon, source, directory, cleanUp);
  } finally {
    await cleanUp.run();
  }
}

async function makeNamespace(role: string, cleanUp: CleanUp): Promise<Namespace> {
  const namespace = await createNamespace(`${PREFIX}${process.pid}-${role}`);
  await cleanUp.add(() => namespace.remove());
  return namespace;
}

/** Of runs that were killed before they could clean up. */
async function removeLeftovers(): Promise<void> {
  await removeAbandoned(PREFIX);
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX) || !makerIsGone(name.slice(PREFIX.length))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function measure(
  work: Work,
  setup: WorkSetup,
  daemon: Daemon,
  source: Namespace,
  directory: string,
  cleanUp: CleanUp,
): Promise<Outcome> {
  const pids = daemon.processes.map((process) => process.pid);
  const planPath = join(directory, 'plan.json');
  const kernel = setup.spec.kernel ? { kernelTable: `/proc/${pids[0]}/net` } : {};
  await writeFile(planPath, JSON.stringify({ ...setup.plan, ...kernel }));
  const loader = startLoader(source, planPath);
  await cleanUp.add(() => {
    loader.kill();
  });
  const status = work.needs.includes('status') ? await daemon.connectStatus?.() : undefined;
  await cleanUp.add(() => status?.close());
  await status?.ask(); // The first question of a connection pays for setting it up.
  let watch: StatusWatch | undefined;
  let statusLatency: Latency | undefined;
  let prepared = { routes: 0, attributeSets: 0 };
  let before: ProcessCost | undefined;
  let after: ProcessCost | undefined;
  let result: PhaseResult | undefined;
  const go = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, CALM_MS));
    if (status !== undefined) watch = new StatusWatch(status, systemClock);
    before = costOf(pids);
    loader.stdin?.write('go\n');
  };
  for await (const line of createInterface({ input: loader.stdout! })) {
    for (const process of daemon.processes) process.assertRunning();
    const event: LoadEvent = JSON.parse(line);
    if (event.event === 'failed') throw new Error(event.message);
    if (event.event === 'prepared') prepared = event;
    else if (event.event === 'arrived') {
      after = costOf(pids);
      statusLatency = await watch?.stop();
    } else if (event.event === 'established') await go();
    else {
      result = event.result;
      if (result.phase === work.phase) loader.stdin?.end();
      else await go();
    }
  }
  if (loader.exitCode === null) await once(loader, 'exit');
  if (result === undefined || before === undefined || after === undefined) {
    throw new Error(`the load ended with code ${loader.exitCode} before its phase did`);
  }
  const settled = costOf(pids);
  const latency = statusLatency ?? result.probes?.latency;
  return {
    work: work.id,
    daemon: daemon.name,
    load: result,
    user: after.user - before.user,
    system: after.system - before.system,
    rss: settled.rss,
    peakRss: settled.peakRss,
    routes: prepared.routes,
    attributeSets: prepared.attributeSets,
    ...(latency === undefined ? {} : { latency }),
  };
}

function startLoader(namespace: Namespace, planPath: string): ChildProcess {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`./load/main.${extension}`, import.meta.url));
  const [program, ...args] = namespace.wrap([process.execPath, main, planPath]);
  return spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}
