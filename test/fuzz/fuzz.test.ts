// A short run of everything that `npm run soak` does for hours: with the same seeds each time, so that a failure here
// is no chance.

import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/sim/random.ts';
import { controlRound } from './control.ts';
import { hostileRound } from './hostile.ts';
import { loopbackRound } from './loopback.ts';
import { allTargets, corpusMessages, Fuzzer } from './targets.ts';

const TIMEOUT_MS = 60_000;
/** Each target as long as a second or two takes; parsers of whole files are slow. */
const STEPS: Readonly<Record<string, number>> = { 'YAML configuration': 100, 'BIRD configuration': 400 };
const USUAL_STEPS = 5000;

describe('nothing but the expected errors', () => {
  it.each(allTargets().map((target) => [target.name, target] as const))(
    '%s',
    (name, target) => {
      const fuzzer = new Fuzzer(target, seededRandom(1));
      for (let i = 0; i < (STEPS[name] ?? USUAL_STEPS); i++) {
        try {
          fuzzer.step();
        } catch (error) {
          throw new Error(`input: ${fuzzer.reproduction}`, { cause: error });
        }
      }
      expect(fuzzer.steps).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it('begins with the recorded messages, where they are', ({ skip }) => {
    const messages = corpusMessages();
    if (messages.length === 0) skip('../shared/data/corpus is not there');
    expect(messages.length).toBeGreaterThan(300);
  });
});

describe("whatever is said to BIRD's control socket", () => {
  it.each([1, 2, 3, 4])(
    'seed %i',
    async (seed) => {
      const { messages, broken } = await controlRound(seed);
      expect(broken).toEqual([]);
      expect(messages).toBeGreaterThan(100);
    },
    TIMEOUT_MS,
  );
});

describe('a hostile peer among healthy ones', () => {
  it.each([1, 2, 3])(
    'simulated, seed %i',
    async (seed) => {
      const { messages, broken } = await hostileRound(seed);
      expect(broken).toEqual([]);
      expect(messages).toBeGreaterThan(200);
    },
    TIMEOUT_MS,
  );

  it(
    'over loopback TCP',
    async () => {
      const { messages, broken } = await loopbackRound(1);
      expect(broken).toEqual([]);
      expect(messages).toBeGreaterThan(500);
    },
    TIMEOUT_MS,
  );
});
