// `godwit simulate`: a network of speakers in this process, on a simulated clock, network and kernel; the report says
// how it converged and whether what must hold held.

import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { type Command, InvalidArgumentError } from 'commander';
import type { FaultKind } from '../sim/faults.ts';
import type { DrawOptions, Scenario } from '../sim/run.ts';
import type { TopologyKind } from '../sim/shapes.ts';
import { systemReason } from './bird/system-reason.ts';
import { EXIT, type ExitCode, ExitError } from './exit-codes.ts';
import { lookOf } from './render/style.ts';
import type { Terminal } from './terminal.ts';

interface SimulateOptions {
  readonly seed?: number;
  readonly seeds?: number;
  readonly topology?: string;
  readonly nodes?: number;
  readonly reflectors?: number;
  readonly faults?: number;
  readonly kinds?: readonly string[];
  readonly plain?: boolean;
  readonly routes?: boolean;
  readonly shrink?: boolean;
  readonly json?: boolean;
}

type Run = (topology: string | undefined, options: SimulateOptions) => Promise<ExitCode>;

/** Adds the command; `run` is called with what was chosen. */
export function addSimulate(
  root: Command,
  run: (work: ReturnType<Run>) => Promise<void>,
  terminal: Terminal,
): void {
  root
    .command('simulate')
    .description('simulate a network of speakers with faults and check what must hold')
    .argument('[TOPOLOGY]', 'a file, or mesh, reflectors, tor, random, confederation; drawn unless given')
    .option('--topology <TOPOLOGY>', 'the same')
    .option('--seed <N>', 'what chance decides: the same seed gives the same run', parseCount)
    .option(
      '--seeds <COUNT>',
      'run so many seeds from --seed on and show those that break something',
      parseCount,
    )
    .option('--nodes <N>', 'size of a built-in topology', parseCount)
    .option('--reflectors <N>', 'reflectors among them', parseCount)
    .option('--faults <N>', 'faults drawn from the seed', parseCount)
    .option('--kinds <KINDS>', 'only faults of these kinds: kill,cut,...', (text) => text.split(','))
    .option('--plain', 'the same settings everywhere and a usual network: for large topologies')
    .option('--shrink', 'where something breaks, look for the fewest faults that break it')
    .option('--routes', "every node's best paths")
    .option('--json', 'one JSON document a run')
    .action((topology: string | undefined, options: SimulateOptions) =>
      run(simulate(topology ?? options.topology, options, terminal).catch(explain)),
    );
}

/** What the author of a topology can mend is no fault of ours. */
function explain(error: unknown): never {
  const theirs = error instanceof Error && ['NodeConfigError', 'TopologyError'].includes(error.name);
  throw theirs ? new ExitError(EXIT.failed, error.message) : error;
}

function parseCount(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

async function simulate(
  topology: string | undefined,
  options: SimulateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  // The launcher keeps the young generation as small as a daemon wants it; many nodes make so much that soon dies that
  // collecting it would take a third of the time.
  setFlagsFromString('--semi-space-growth-factor=2');
  const { TOPOLOGY_KINDS } = await import('../sim/shapes.ts');
  const kind = TOPOLOGY_KINDS.find((each) => each === topology);
  if (topology !== undefined && kind === undefined) {
    const scenario = await fileScenario(topology, options.seed);
    return one(scenario, options, terminal, `godwit simulate ${topology} --seed ${scenario.seed}`);
  }
  const draw = await drawOptions(kind, options);
  const first = options.seed ?? 1;
  if (options.seeds !== undefined) return many(first, options.seeds, draw, options, terminal);
  const { drawScenario } = await import('../sim/run.ts');
  return one(drawScenario(first, draw), options, terminal, replay(first, options, kind));
}

async function fileScenario(file: string, seed: number | undefined): Promise<Scenario> {
  const { parseTopologyFile } = await import('../sim/topology-file.ts');
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const built = path === file ? '; built in are mesh, reflectors, tor, random and confederation' : '';
      throw new ExitError(EXIT.failed, `${path} cannot be read: ${systemReason(error)}${built}.`);
    }
  };
  return parseTopologyFile(read(file), file, read, seed);
}

async function drawOptions(kind: TopologyKind | undefined, options: SimulateOptions): Promise<DrawOptions> {
  const { FAULT_KINDS } = await import('../sim/faults.ts');
  const { nodes, reflectors, faults, plain } = options;
  const kinds = options.kinds?.map((name): FaultKind => {
    const found = FAULT_KINDS.find((each) => each === name);
    if (found === undefined) {
      throw new ExitError(EXIT.usage, `There are no faults of the kind ${name}: ${FAULT_KINDS.join(', ')}.`);
    }
    return found;
  });
  return { kind, faults, plain, kinds, size: { nodes, reflectors } };
}

/** The command that plays the same again. */
function replay(seed: number, options: SimulateOptions, kind: TopologyKind | undefined): string {
  const words = (['nodes', 'reflectors', 'faults'] as const).flatMap((name) => {
    return options[name] === undefined ? [] : [`--${name} ${options[name]}`];
  });
  if (options.kinds !== undefined) words.push(`--kinds ${options.kinds.join(',')}`);
  if (options.plain === true) words.push('--plain');
  return ['godwit simulate', ...(kind === undefined ? [] : [kind]), `--seed ${seed}`, ...words].join(' ');
}

async function one(
  scenario: Scenario,
  options: SimulateOptions,
  terminal: Terminal,
  again: string,
): Promise<ExitCode> {
  // Late, for what it shows names faults, and with them comes all that a simulation is made of.
  const { renderPhase, renderRun } = await import('./render/simulation.ts');
  const { runScenario } = await import('../sim/run.ts');
  const look = lookOf(terminal);
  const { json = false, routes = false } = options;
  let written = Promise.resolve();
  let result = await runScenario(scenario, {
    routes,
    onPhase: (phase) => {
      if (json) return;
      written = written.then(() => terminal.write(renderPhase(phase, look)));
      // Heard when the run is over: until then nobody waits for it.
      written.catch(() => {});
    },
  });
  await written;
  if (result.broken.length > 0 && options.shrink === true) {
    const { shrink } = await import('../sim/shrink.ts');
    const shortest = await shrink(scenario, result.broken, (left) => {
      if (!json) terminal.warn(`${left} faults left`);
      return !terminal.interrupted.aborted;
    });
    result = shortest ?? result;
  }
  await terminal.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : renderRun(result, again, look));
  return result.broken.length === 0 ? EXIT.ok : EXIT.failed;
}

async function many(
  first: number,
  count: number,
  draw: DrawOptions,
  options: SimulateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { drawScenario, runScenario } = await import('../sim/run.ts');
  let failed = 0;
  let seconds = 0;
  let messages = 0;
  let seed = first;
  for (; seed < first + count && !terminal.interrupted.aborted; seed++) {
    const result = await runScenario(drawScenario(seed, draw));
    seconds += result.simulatedMs / 1000;
    messages += result.messages;
    if (result.broken.length === 0) continue;
    failed++;
    const lines = result.broken.slice(0, 5).map((text) => `    ${text}\n`);
    await terminal.write(`${replay(seed, options, draw.kind)}\n${lines.join('')}`);
  }
  const days = (seconds / 86_400).toFixed(1);
  await terminal.write(
    `${seed - first} seeds, ${failed} broke something; ${days} simulated days, ${messages} messages.\n`,
  );
  return failed === 0 ? EXIT.ok : EXIT.failed;
}
