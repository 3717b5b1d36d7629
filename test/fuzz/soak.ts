// `npm run soak -- --minutes 60 --seed 7`: every target in turn, then a hostile peer among healthy ones in the simulator
// and over loopback TCP, as long as there is time. A finding is printed with the input that gives it. With
// `--targets 'messages|UPDATE'` only those whose names match, and no hostile peer; with `--inputs 100000000` no longer
// than it takes for so many.

import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/sim/random.ts';
import { hostileRound } from './hostile.ts';
import { loopbackRound } from './loopback.ts';
import { allTargets, Fuzzer } from './targets.ts';

const MS_PER_MINUTE = 60_000;
const SLICE_MS = 2000;
const STEPS_PER_LOOK = 64;
const MOST_FINDINGS = 20;

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

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { minutes: text, seed: text, targets: text, inputs: text } });
const findings = await soak({
  minutes: Number(values.minutes ?? 60),
  seed: Number(values.seed ?? 1),
  targets: values.targets === undefined ? undefined : new RegExp(values.targets),
  inputs: Number(values.inputs ?? Number.POSITIVE_INFINITY),
});
process.exitCode = findings === 0 ? 0 : 1;
