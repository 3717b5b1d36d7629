// `npm run bench:micro`: runs the micro-benchmarks, prints a table, and adds a line to bench/history/micro.jsonl.

import { appendFile, mkdir } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/lib/clock.ts';
import { errorText } from '../../src/lib/error-text.ts';
import { SET_MEMBERS } from '../filter-text.ts';
import { run } from '../lab/command.ts';
import { existing, projectRoot } from '../project.ts';
import { type InputOptions, makeInput } from './input.ts';
import { formatResults, type MicroResult, measure, resultOf } from './measure.ts';
import { MICROS } from './micros.ts';

const USAGE = `usage: npm run bench:micro [-- OPTIONS]
  --only a,b     of ${[...MICROS.map(({ name }) => name), 'whole-path-cold'].join(', ')}
  --rounds N     rounds (default 9)
  --routes N     routes of the table (default 200000)
  --data DIR     real inputs: a list of prefixes
  --no-history   leave bench/history/micro.jsonl as it is
`;

/** Paths a prefix in the micro-benchmark of the decision. */
const PEERS = 4;
const SEED = 1;
const COLD = {
  name: 'whole-path-cold',
  title: 'the whole path without any compiled code',
  item: 'route',
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '9' },
      routes: { type: 'string', default: '200000' },
      data: { type: 'string', default: join(projectRoot(), '../shared/data') },
      'no-history': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const chosen = values.only?.split(',');
  const wanted = (name: string): boolean => chosen === undefined || chosen.includes(name);
  const prefixList = existing(join(values.data, 'prefixes/prefixes.txt.gz'));
  const options: InputOptions = {
    routes: Number(values.routes),
    seed: SEED,
    prefixList,
    peers: PEERS,
    setMembers: SET_MEMBERS,
  };
  const rounds = Number(values.rounds);
  const loadAverage = loadavg()[0]!;
  const input = makeInput(options);
  const collect = garbageCollector();
  const results: MicroResult[] = [];
  for (const micro of MICROS) {
    if (wanted(micro.name)) results.push(measure(micro, input, rounds, systemClock, collect));
  }
  if (wanted(COLD.name)) results.push(await cold(options, rounds));
  process.stdout.write(`${formatResults(results)}\nload average at the start: ${loadAverage.toFixed(2)}\n`);
  if (!values['no-history']) await remember(options, rounds, loadAverage, results);
}

/** V8's own, for the asking. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

async function cold(options: InputOptions, rounds: number): Promise<MicroResult> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { ms, routes } = await coldRun(options);
    if (routes !== options.routes) throw new Error(`${COLD.name}: ${routes} of ${options.routes} routes`);
    times.push(ms);
  }
  return resultOf(COLD, options.routes, times);
}

function coldRun(options: InputOptions): Promise<{ ms: number; routes: number }> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./cold.${extension}`, import.meta.url), { workerData: options });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** One line a run: short enough to read in a diff. */
async function remember(
  { routes, prefixList }: InputOptions,
  rounds: number,
  loadAverage: number,
  results: readonly MicroResult[],
): Promise<void> {
  const git = (...args: string[]): Promise<string> => run(['git', '-C', projectRoot(), ...args]);
  const commit = await git('rev-parse', '--short', 'HEAD').catch(() => 'unknown');
  const changed = await git('status', '--porcelain', '--untracked-files=no', 'src').catch(() => '');
  const round = (nanos: number): number => Number(nanos.toFixed(1));
  const line = {
    time: new Date().toISOString(),
    commit: `${commit.trim()}${changed === '' ? '' : '+'}`,
    node: process.version,
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}`,
    loadAverage: Number(loadAverage.toFixed(2)),
    routes,
    prefixes: prefixList === undefined ? 'generated' : 'real',
    rounds,
    /** [best, median] nanoseconds an item. */
    nanos: Object.fromEntries(results.map((row) => [row.name, [round(row.best), round(row.median)]])),
  };
  const directory = join(projectRoot(), 'bench/history');
  await mkdir(directory, { recursive: true });
  await appendFile(join(directory, 'micro.jsonl'), `${JSON.stringify(line)}\n`);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
});
