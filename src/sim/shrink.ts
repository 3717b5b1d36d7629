// The shortest list of faults that still breaks what a scenario broke: halves, then smaller parts, then single faults
// are left out as long as one of the same invariants breaks.

import type { Fault } from './faults.ts';
import { type RunResult, runScenario, type Scenario } from './run.ts';

/** `onStep` is told how many faults are left, and may stop the search by returning false. */
export async function shrink(
  scenario: Scenario,
  broken: readonly string[],
  onStep: (left: number) => boolean = () => true,
): Promise<RunResult | undefined> {
  const wanted = new Set(broken.map(kindOf));
  let faults = scenario.faults;
  let best: RunResult | undefined;
  const breaks = async (tried: readonly Fault[]): Promise<boolean> => {
    const result = await runScenario({ ...scenario, faults: tried });
    if (!result.broken.some((text) => wanted.has(kindOf(text)))) return false;
    best = result;
    faults = tried;
    return true;
  };
  for (let part = Math.ceil(faults.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = 0; at < faults.length; ) {
      if (!onStep(faults.length)) return best;
      const without = [...faults.slice(0, at), ...faults.slice(at + part)];
      if (!(await breaks(without))) at += part;
    }
  }
  return best;
}

/** The same thing broken with other names and numbers is the same thing. */
function kindOf(text: string): string {
  const LETTERS = 40;
  return text.replace(/\S*\d\S*/g, '').slice(0, LETTERS);
}
