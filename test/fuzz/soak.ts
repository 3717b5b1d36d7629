// `npm run soak -- --minutes 60 --seed 7`: every target in turn, then a hostile peer among healthy ones in the simulator
// and over loopback TCP, and anything said to BIRD's control socket, as long as there is time. A finding is printed with the input that gives it. With
// `--targets 'messages|UPDATE'` only those whose names match, and no hostile peer; with `--inputs 100000000` no longer
// than it takes for so many.

import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/sim/random.ts';
import { controlRound } from './control.ts';
import { hostileRound } from './hostile.ts';
import { loopbackRound } from './loopback.ts';
import { allTargets, Fuzzer } from './targets.ts';

const MS_PER_MINUTE = 60_000;
const SLICE_MS = 2000;
const STEPS_PER_LOOK = 64;
const MOST_FINDINGS = 20;
const WRONG_WORDS = 2;

interface Wanted {
  readonly minutes: number;
  readonly seed: number;
  /** All of them, and the hostile peers. */
  readonly targets: RegExp | undefined;
  readonly inputs: number;
}

async function soak({ minutes, seed, targets, inputs }: Wanted): Promise<number> {
  const end = Date.now() + minutes * MS_PER_MINUTE;
  const started = Date.now();
  const counts = new Map<string, { steps: number; ms: number }>();
  const findings: string[] = [];
  const add = (name: string, steps: number, ms: number): void => {
    const before = counts.get(name) ?? { steps: 0, ms: 0 };
    counts.set(name, { steps: before.steps + steps, ms: before.ms + ms });
  };
  const fuzzers = allTargets()
    .map((target, i) => new Fuzzer(target, seededRandom(seed * 1000 + i)))
    .filter(({ target }) => targets?.test(target.name) ?? true);
  const total = (): number => [...counts.values()].reduce((sum, { steps }) => sum + steps, 0);
  let firstHeap: number | undefined;
  for (let round = 0; Date.now() < end && total() < inputs && findings.length < MOST_FINDINGS; round++) {
    for (const fuzzer of fuzzers) {
      const begin = Date.now();
      const before = fuzzer.steps;
      while (Date.now() - begin < SLICE_MS && Date.now() < end) {
        for (let i = 0; i < STEPS_PER_LOOK; i++) {
          try {
            fuzzer.step();
          } catch (error) {
            const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
            findings.push(`${fuzzer.target.name}: ${text}\n  input: ${fuzzer.reproduction}`);
            console.log(findings.at(-1));
          }
        }
      }
      add(fuzzer.target.name, fuzzer.steps - before, Date.now() - begin);
    }
    for (const [name, play] of [
      ['hostile peer, simulated', hostileRound],
      ['hostile peer, TCP', loopbackRound],
      ["BIRD's control socket", controlRound],
    ] as const) {
      if (Date.now() >= end || targets !== undefined) break;
      const begin = Date.now();
      const { messages, broken } = await play(seed + round);
      add(name, messages, Date.now() - begin);
      for (const text of broken) {
        findings.push(`${name}, seed ${seed + round}: ${text}`);
        console.log(findings.at(-1));
      }
    }
    globalThis.gc?.();
    // Not array buffers: the tables of speakers that have just stopped are large, empty, and go when their timers do.
    const { heapUsed } = process.memoryUsage();
    firstHeap ??= heapUsed;
    const growth = ((heapUsed - firstHeap) / 1e6).toFixed(0);
    const elapsed = (Date.now() - started) / 1000;
    console.log(
      `${elapsed.toFixed(0)} s: ${total()} inputs, ${(total() / elapsed).toFixed(0)} a second, ${findings.length} findings, heap ${growth} MB larger than after the first round`,
    );
  }
  for (const [name, { steps, ms }] of counts) {
    console.log(
      `${name.padEnd(26)} ${String(steps).padStart(12)} ${((steps / ms) * 1000).toFixed(0).padStart(9)} a second`,
    );
  }
  return findings.length;
}

const USAGE = `npm run soak -- [OPTIONS]
  --minutes N       how long; 60 unless given
  --seed N          what chance decides; 1 unless given
  --targets REGEXP  only targets of such names, and no hostile peers
  --inputs N        no more inputs than these
  --help            this
`;

/** Throws TypeError with a sentence for words that make no sense. */
function wanted(): Wanted | 'help' {
  const text = { type: 'string' } as const;
  const options = {
    minutes: text,
    seed: text,
    targets: text,
    inputs: text,
    help: { type: 'boolean' },
  } as const;
  const { minutes, seed, targets, inputs, help } = parseArgs({ options }).values;
  if (help === true) return 'help';
  return {
    minutes: numberOf('minutes', minutes, 60),
    seed: numberOf('seed', seed, 1),
    targets: targets === undefined ? undefined : new RegExp(targets),
    inputs: numberOf('inputs', inputs, Number.POSITIVE_INFINITY),
  };
}

function numberOf(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (Number.isNaN(value) || text === '') throw new TypeError(`--${name} must be a number, not "${text}"`);
  return value;
}

/** Wrong words are the caller's to mend, and end with the usage. */
function words(): Wanted | undefined {
  try {
    const chosen = wanted();
    if (chosen !== 'help') return chosen;
    process.stdout.write(USAGE);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}`);
    process.exitCode = WRONG_WORDS;
  }
  return undefined;
}

const chosen = words();
if (chosen !== undefined) process.exitCode = (await soak(chosen)) === 0 ? 0 : 1;
