// `npm run bench`: the contestants that are installed take turns at the works, several rounds; medians and ratios are
// printed and written to bench/out as Markdown, JSON and a chart.

import { mkdir, writeFile } from 'node:fs/promises';
import { constants, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { contest, type Outcome } from './contest.ts';
import { DAEMONS } from './daemons/index.ts';
import type { DaemonKind, DaemonName } from './daemons/types.ts';
import { CleanUp } from './lab/clean-up.ts';
import { run } from './lab/command.ts';
import { existing, projectRoot } from './project.ts';
import { type Environment, heading, markdown, summarize } from './report.ts';
import { DEFAULT_WORKS, WORKS, type Work, type WorkSize } from './works.ts';

const USAGE = `usage: npm run bench [-- OPTIONS]
  --work T1,R1     works, or "all" (default ${DEFAULT_WORKS.join(',')})
  --peers a,b      daemons (default: all that are installed, of ${['godwit', 'bird', 'frr', 'gobgp', 'openbgpd'].join(', ')})
  --rounds N       rounds (default 3)
  --routes N       routes of the full table (default 1000000)
  --seed N         seed of generated tables (default 1)
  --data DIR       real inputs: prefix lists and MRT tables
Works:
${WORKS.map(({ id, title }) => `  ${id.padEnd(5)} ${title}`).join('\n')}
`;

const CONTESTANTS: readonly DaemonName[] = ['godwit', 'bird', 'frr', 'gobgp', 'openbgpd'];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function installed(names: readonly string[]): Promise<{ kind: DaemonKind; version: string }[]> {
  const out: { kind: DaemonKind; version: string }[] = [];
  for (const name of names) {
    const kind = CONTESTANTS.includes(name as DaemonName) ? DAEMONS[name as DaemonName] : undefined;
    if (kind === undefined) throw new Error(`no such daemon: ${name}\n${USAGE}`);
    const version = await kind.version();
    if (version === undefined) say(`${name} is not installed: skipped`);
    else out.push({ kind, version });
  }
  return out;
}

function chosenWorks(text: string): Work[] {
  if (text === 'all') return [...WORKS];
  return text.split(',').map((id) => {
    const work = WORKS.find((row) => row.id === id);
    if (work === undefined) throw new Error(`no such work: ${id}\n${USAGE}`);
    return work;
  });
}

async function rounds(
  works: readonly Work[],
  contestants: readonly { kind: DaemonKind }[],
  size: WorkSize,
  count: number,
  cleanUp: CleanUp,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const work of works) {
    const setup = work.setup(size);
    if (setup === undefined) {
      say(`${work.id}: its input is not at hand, skipped`);
      continue;
    }
    for (let round = 1; round <= count; round++) {
      for (const { kind } of contestants) {
        if (!work.needs.every((ability) => kind.abilities.includes(ability))) continue;
        if (cleanUp.closed) return outcomes;
        try {
          const outcome = await contest(work, setup, kind, cleanUp);
          outcomes.push(outcome);
          say(`${work.id} round ${round} ${kind.name}: ${oneLine(outcome)}`);
        } catch (error) {
          if (cleanUp.closed) return outcomes;
          say(
            `${work.id} round ${round} ${kind.name}: FAILED: ${error instanceof Error ? error.message : error}`,
          );
          process.exitCode = 1;
        }
      }
    }
  }
  return outcomes;
}

function oneLine({ load, latency, user, system, peakRss }: Outcome): string {
  const { kernel, probes } = load;
  const found = load.phase === 'withdraw' ? `${load.present} left` : `${load.present} of ${load.expected}`;
  const parts = [
    `${load.seconds.toFixed(3)} s`,
    `CPU ${user.toFixed(2)}u+${system.toFixed(2)}s`,
    `peak ${(peakRss / 2 ** 20).toFixed(0)} MiB`,
    found,
    `wrong ${load.wrong}, twice ${load.duplicates}, unexpected ${load.unexpected}, echoed ${load.echoed}`,
    `${load.updates} UPDATEs`,
  ];
  if (kernel !== undefined) {
    parts.push(`kernel: ${kernel.missing} missing, ${kernel.wrong} wrong, ${kernel.unexpected} unexpected`);
  }
  if (probes !== undefined) parts.push(`probes: ${probes.arrived} of ${probes.sent}`);
  if (latency !== undefined) {
    const { p50, p99, max, count } = latency;
    const [a, b, c] = [p50, p99, max].map((ms) => ms.toFixed(2));
    parts.push(`p50 ${a}, p99 ${b}, max ${c} ms (${count})`);
  }
  parts.push(`sent within ${load.sentSeconds.toFixed(2)} s, load CPU ${load.loaderCpu.toFixed(2)}`);
  return parts.join('; ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      work: { type: 'string', default: DEFAULT_WORKS.join(',') },
      peers: { type: 'string', default: CONTESTANTS.join(',') },
      rounds: { type: 'string', default: '3' },
      routes: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      data: { type: 'string', default: join(projectRoot(), '../shared/data') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (process.getuid?.() !== 0) throw new Error('the bench makes network namespaces: it needs root');
  const works = chosenWorks(values.work);
  const contestants = await installed(values.peers.split(','));
  const size: WorkSize = {
    routes: Number(values.routes),
    seed: Number(values.seed),
    prefixList: existing(join(values.data, 'prefixes/prefixes.txt.gz')),
    mrtTable: existing(join(values.data, 'mrt/derived/rrc06-20100701-fulltable.tabledumpv2.mrt.gz')),
  };
  const environment = await describe(contestants, size, Number(values.rounds));
  const cleanUp = new CleanUp();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void leave(signal, cleanUp));
  const outcomes = await rounds(works, contestants, size, Number(values.rounds), cleanUp);
  if (!cleanUp.closed) await report(environment, outcomes);
}

/** Ends on a signal, with nothing left behind. */
async function leave(signal: NodeJS.Signals, cleanUp: CleanUp): Promise<void> {
  say(`\n${signal}: cleaning up`);
  await cleanUp.close().catch((error: unknown) => say(String(error)));
  process.exit(128 + constants.signals[signal]);
}

async function describe(
  contestants: readonly { kind: DaemonKind; version: string }[],
  size: WorkSize,
  count: number,
): Promise<Environment> {
  const commit = await run(['git', '-C', projectRoot(), 'rev-parse', '--short', 'HEAD']).catch(
    () => 'unknown',
  );
  return {
    started: new Date().toISOString(),
    commit: commit.trim(),
    rounds: count,
    routes: size.routes,
    cores: cpus().length,
    cpuModel: cpus()[0]?.model ?? 'CPU',
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    loadAverage: loadavg()[0]!,
    versions: Object.fromEntries(contestants.map(({ kind, version }) => [kind.name, version])),
  };
}

/** Writes bench/out/TIME.md, .json and .svg, and prints the first. */
async function report(environment: Environment, outcomes: readonly Outcome[]): Promise<void> {
  const summaries = summarize(outcomes);
  const titles = new Map(WORKS.map(({ id, title }) => [id, title]));
  const name = environment.started.replace(/[:.]/g, '-');
  const picture = chart(summaries, {
    title: 'godwit beside other BGP daemons',
    subtitle: `medians of ${environment.rounds} rounds, ${environment.cores} x ${environment.cpuModel}, commit ${environment.commit}`,
    works: titles,
  });
  const image = picture === undefined ? '' : `\n![time relative to BIRD](${name}.svg)\n`;
  const text = `${heading(environment)}${image}\n${markdown(summaries, titles)}`;
  const out = join(projectRoot(), 'bench/out');
  await mkdir(out, { recursive: true });
  await writeFile(join(out, `${name}.md`), text);
  await writeFile(
    join(out, `${name}.json`),
    `${JSON.stringify({ environment, summaries, outcomes }, null, 2)}\n`,
  );
  if (picture !== undefined) await writeFile(join(out, `${name}.svg`), picture);
  say(`\n${text}\nwritten to bench/out/${name}.md, .json${picture === undefined ? '' : ' and .svg'}`);
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
