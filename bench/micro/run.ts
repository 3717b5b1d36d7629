// `npm run bench:micro`: runs the micro-benchmarks, prints a table beside what was recorded last on such a machine, and
// records the run itself where that is wanted.

import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/lib/clock.ts';
import { namesOf, positive, prefixList, program } from '../arguments.ts';
import { SET_MEMBERS } from '../filter-text.ts';
import { busyText, describeMachine, isQuiet } from '../machine.ts';
import { compareInTurn, formatComparisons, microsOf } from './against.ts';
import { appendHistory, conditionsOf, lastLike, makeEntry, readHistory, verdict } from './history.ts';
import { type InputOptions, makeInput } from './input.ts';
import { formatResults, type MicroResult, measure, resultOf } from './measure.ts';
import { MICROS } from './micros.ts';

/** Paths a prefix in the micro-benchmark of the decision. */
const PEERS = 4;
const SEED = 1;
const COLD = {
  name: 'whole-path-cold',
  title: 'the whole path without any compiled code',
  item: 'route',
} as const;
const NAMES = [...MICROS.map(({ name }) => name), COLD.name];
const ROUNDS = 9;
const ROUTES = 200_000;

const USAGE = `usage: npm run bench:micro [-- OPTIONS]
  --only a,b       of ${NAMES.join(', ')}
  --rounds N       rounds (default ${ROUNDS})
  --routes N       routes of the table (default ${ROUTES})
  --prefixes FILE  real prefixes for the table: one a line, gzipped
  --against DIR    beside the build of another checkout, round by round in turn
  --record         adds the run to bench/history/micro.jsonl, if the machine is quiet
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      routes: { type: 'string' },
      prefixes: { type: 'string' },
      against: { type: 'string' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const chosen = values.only === undefined ? NAMES : namesOf('only', values.only, NAMES);
  if (values.record && values.only !== undefined)
    throw new Error('--record wants all of them, without --only');
  const rounds = positive('rounds', values.rounds, ROUNDS);
  const options: InputOptions = {
    routes: positive('routes', values.routes, ROUTES),
    seed: SEED,
    prefixList: prefixList(values.prefixes),
    peers: PEERS,
    setMembers: SET_MEMBERS,
  };
  const machine = await describeMachine();
  if (values.against !== undefined) {
    if (values.record) throw new Error('--record wants a run of its own, without --against');
    process.stdout.write(
      `${await runAgainst(values.against, chosen, options, rounds)}\n${busyText(machine)}\n`,
    );
    return;
  }
  if (values.record && !isQuiet(machine))
    throw new Error(`--record wants a quiet machine; ${busyText(machine)}`);
  const results = await measureAll(chosen, options, rounds);
  const conditions = conditionsOf(machine, options.routes, options.prefixList);
  const before = lastLike(readHistory(), conditions);
  process.stdout.write(
    `${formatResults(results, before)}\n${verdict(results, before)}\n${busyText(machine)}\n`,
  );
  if (!values.record) return;
  appendHistory(makeEntry(new Date().toISOString(), machine.commit, conditions, rounds, results));
  process.stdout.write('recorded in bench/history/micro.jsonl\n');
}

async function runAgainst(
  directory: string,
  chosen: readonly string[],
  options: InputOptions,
  rounds: number,
): Promise<string> {
  const others = await microsOf(directory);
  const input = makeInput(options);
  const collect = garbageCollector();
  const comparisons = MICROS.filter(({ name }) => chosen.includes(name)).flatMap((micro) => {
    const other = others.get(micro.name);
    return other === undefined ? [] : [compareInTurn(micro, other, input, rounds, systemClock, collect)];
  });
  return formatComparisons(comparisons);
}

async function measureAll(
  chosen: readonly string[],
  options: InputOptions,
  rounds: number,
): Promise<MicroResult[]> {
  const input = makeInput(options);
  const collect = garbageCollector();
  const results = MICROS.filter(({ name }) => chosen.includes(name)).map((micro) =>
    measure(micro, input, rounds, systemClock, collect),
  );
  if (chosen.includes(COLD.name)) results.push(await cold(options, rounds));
  return results;
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

await program(main);
