// `npm run bench`: the contestants that are installed take turns at the works, several rounds; medians and ratios are
// printed and written to bench/out as Markdown, JSON and a chart.

import { mkdir, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { program } from './arguments.ts';
import { chart } from './chart.ts';
import { contest } from './contest.ts';
import { type Contestant, findContestants } from './contestants.ts';
import { CleanUp } from './lab/clean-up.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import type { Outcome } from './outcome.ts';
import { topOfProfiles } from './profile.ts';
import { projectRoot } from './project.ts';
import { type Environment, heading, markdown, roundsText, summarize } from './report.ts';
import type { WorkSetup } from './work-setup.ts';
import { WORKS, type Work } from './works.ts';

/** Functions shown of a profile. */
const PROFILE_LINES = 15;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function playAll(
  { works, rounds, size, profile }: BenchOptions,
  contestants: readonly Contestant[],
  cleanUp: CleanUp,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const work of works) {
    const setup = work.setup(size);
    if (setup === undefined) {
      say(`${work.id}: skipped, it needs --mrt`);
      continue;
    }
    const able = contestants.filter((contestant) => canPlay(contestant, work));
    for (let round = 1; round <= rounds; round++) {
      for (const contestant of able) {
        if (cleanUp.closed) return outcomes;
        const name = `${work.id} round ${round} ${contestant.name}`;
        const directory =
          profile === undefined || contestant.kind.name !== 'godwit'
            ? undefined
            : join(profile, name.replaceAll(' ', '-'));
        const outcome = await playOne(name, work, setup, contestant, directory, cleanUp);
        if (outcome !== undefined) outcomes.push(outcome);
      }
    }
  }
  return outcomes;
}

/** Where not, tells why. */
function canPlay({ name, kind, version }: Contestant, { id, needs = [] }: Work): boolean {
  const abilities = kind.abilities(version);
  const lacking = needs.filter((ability) => !abilities.includes(ability));
  if (lacking.length > 0) say(`${id}: ${name} does not take part, for want of: ${lacking.join(', ')}`);
  return lacking.length === 0;
}

/** undefined where it failed, which has been told. */
async function playOne(
  name: string,
  work: Work,
  setup: WorkSetup,
  contestant: Contestant,
  profileDirectory: string | undefined,
  cleanUp: CleanUp,
): Promise<Outcome | undefined> {
  try {
    const outcome = await contest(work, setup, contestant, cleanUp, profileDirectory);
    say(`${name}: ${oneLine(outcome)}`);
    if (profileDirectory !== undefined) say(topOfProfiles(profileDirectory, outcome.window, PROFILE_LINES));
    return outcome;
  } catch (error) {
    if (cleanUp.closed) return undefined;
    say(`${name}: FAILED: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
    return undefined;
  }
}

function oneLine({ load, seconds, latency, user, system, rss, peakRss, notes }: Outcome): string {
  const { kernel, probes } = load;
  const found = load.phase === 'withdraw' ? `${load.present} left` : `${load.present} of ${load.expected}`;
  const parts = [
    `${seconds.toFixed(3)} s`,
    `CPU ${user.toFixed(2)}u+${system.toFixed(2)}s`,
    `rss ${(rss / 2 ** 20).toFixed(0)}, peak ${(peakRss / 2 ** 20).toFixed(0)} MiB`,
    found,
    `wrong ${load.wrong}, twice ${load.duplicates}, unexpected ${load.unexpected}, echoed ${load.echoed}`,
    `${load.updates} UPDATEs`,
  ];
  if (load.missing.length > 0) parts.push(`missing ${load.missing.join(' ')}`);
  if (kernel !== undefined) {
    parts.push(`kernel: ${kernel.missing} missing, ${kernel.wrong} wrong, ${kernel.unexpected} unexpected`);
  }
  if (probes !== undefined) parts.push(`probes: ${probes.arrived} of ${probes.sent}`);
  if (latency !== undefined) {
    const { p50, p99, max, count } = latency;
    const [a, b, c] = [p50, p99, max].map((ms) => ms.toFixed(2));
    parts.push(`p50 ${a}, p99 ${b}, max ${c} ms (${count})`);
  }
  parts.push(...notes);
  parts.push(`sent within ${load.sentSeconds.toFixed(2)} s, load CPU ${load.loaderCpu.toFixed(2)}`);
  return parts.join('; ');
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  if (process.getuid?.() !== 0)
    throw new Error('the bench makes network namespaces and needs root: sudo npm run bench');
  const contestants = await findContestants(options.peers, say);
  const environment: Environment = {
    ...(await describeMachine()),
    started: new Date().toISOString(),
    rounds: options.rounds,
    routes: options.size.routes,
    versions: Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
  };
  const cleanUp = new CleanUp();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void leave(signal, cleanUp));
  const outcomes = await playAll(options, contestants, cleanUp);
  if (!cleanUp.closed) await report(environment, outcomes);
}

/** Ends on a signal, with nothing left behind. */
async function leave(signal: NodeJS.Signals, cleanUp: CleanUp): Promise<void> {
  say(`\n${signal}: cleaning up`);
  await cleanUp.close().catch((error: unknown) => say(String(error)));
  process.exit(128 + constants.signals[signal]);
}

/** Writes bench/out/TIME.md, .json and .svg, and prints the first. */
async function report(environment: Environment, outcomes: readonly Outcome[]): Promise<void> {
  const summaries = summarize(outcomes);
  const titles = new Map(WORKS.map(({ id, title }) => [id, title]));
  const name = environment.started.replace(/[:.]/g, '-');
  const picture = chart(summaries, {
    title: 'godwit beside other BGP daemons',
    subtitle: `${roundsText(environment.rounds)}, ${environment.cores} x ${environment.cpuModel}, commit ${environment.commit}`,
    works: titles,
  });
  const image = picture === undefined ? '' : `\n![relative to BIRD](${name}.svg)\n`;
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

await program(main);
