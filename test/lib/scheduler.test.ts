import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../src/lib/scheduler.ts';
import { SimClock } from '../../src/sim/clock.ts';

/** A scheduler whose rounds are run by hand, on a clock that the stages move. */
function lab(sliceMs?: number) {
  const clock = new SimClock();
  const rounds: (() => void)[] = [];
  const options = { defer: (fn: () => void) => rounds.push(fn), ...(sliceMs !== undefined && { sliceMs }) };
  const scheduler = new Scheduler(clock, options);
  return { clock, scheduler, rounds, round: () => rounds.shift()?.() };
}

describe('Scheduler', () => {
  it('runs nothing unasked, and a stage once however often it is woken', () => {
    const { scheduler, rounds, round } = lab();
    let runs = 0;
    const wake = scheduler.add({
      name: 'a',
      run: () => {
        runs++;
        return false;
      },
    });
    expect(rounds).toHaveLength(0);
    wake();
    wake();
    expect([rounds.length, runs]).toEqual([1, 0]);
    round();
    expect([rounds.length, runs]).toEqual([0, 1]);
    wake();
    round();
    expect(runs).toBe(2);
  });

  it('runs stages in the order in which they were added, each with a slice of its own', () => {
    const { clock, scheduler, round } = lab(7);
    const seen: string[] = [];
    const stage = (name: string, takes: number) =>
      scheduler.add({
        name,
        run: (deadline) => {
          seen.push(`${name} ${deadline - clock.now()}`);
          clock.advance(takes);
          return false;
        },
      });
    const [first, second] = [stage('first', 5), stage('second', 3)];
    second();
    first();
    round();
    expect(seen).toEqual(['first 7', 'second 7']);
    expect(scheduler.stats()).toEqual([
      { name: 'first', runs: 1, micros: 5000, longestMicros: 5000 },
      { name: 'second', runs: 1, micros: 3000, longestMicros: 3000 },
    ]);
  });

  it('forgets a stage that is removed, even by itself and while it is awake', () => {
    const { scheduler, rounds, round } = lab();
    const seen: string[] = [];
    const stages = ['a', 'b', 'c'].map((name) => ({
      name,
      run: () => {
        seen.push(name);
        if (name === 'a') for (const stage of stages.slice(0, 2)) scheduler.remove(stage);
        return name === 'a';
      },
    }));
    const wakes = stages.map((stage) => scheduler.add(stage));
    for (const wake of wakes) wake();
    round();
    for (const wake of wakes) wake();
    round();
    expect(seen).toEqual(['a', 'c', 'c']);
    expect(rounds).toEqual([]);
    expect(scheduler.stats().map(({ name }) => name)).toEqual(['c']);
  });

  it('gives a stage with work left another round, after the others', () => {
    const { scheduler, rounds, round } = lab();
    const seen: string[] = [];
    let left = 3;
    const long = scheduler.add({
      name: 'long',
      run: () => {
        left--;
        seen.push('long');
        return left > 0;
      },
    });
    const short = scheduler.add({
      name: 'short',
      run: () => {
        seen.push('short');
        return false;
      },
    });
    long();
    short();
    round();
    expect(rounds).toHaveLength(1);
    short();
    expect(rounds).toHaveLength(1);
    round();
    round();
    expect(seen).toEqual(['long', 'short', 'long', 'short', 'long']);
    expect(rounds).toHaveLength(0);
  });

  it('runs a stage in the same round that an earlier one woke, and in the next one that a later one woke', () => {
    const { scheduler, rounds, round } = lab();
    const seen: string[] = [];
    let wakeSecond = (): void => {};
    const wakeFirst = scheduler.add({
      name: 'first',
      run: () => {
        seen.push('first');
        wakeSecond();
        return false;
      },
    });
    let again = true;
    wakeSecond = scheduler.add({
      name: 'second',
      run: () => {
        seen.push('second');
        if (again) wakeFirst();
        again = false;
        return false;
      },
    });
    wakeFirst();
    round();
    expect(seen).toEqual(['first', 'second']);
    while (rounds.length > 0) round();
    expect(seen).toEqual(['first', 'second', 'first', 'second']);
  });

  it('gives out copies of its figures', () => {
    const { scheduler, round } = lab();
    scheduler.add({ name: 'a', run: () => false })();
    const before = scheduler.stats();
    round();
    expect([before[0]?.runs, scheduler.stats()[0]?.runs]).toEqual([0, 1]);
  });

  it('takes its turns from setImmediate by itself', async () => {
    const scheduler = new Scheduler(new SimClock());
    const ran = new Promise<void>((resolve) => {
      scheduler.add({
        name: 'a',
        run: () => {
          resolve();
          return false;
        },
      })();
    });
    await expect(ran).resolves.toBeUndefined();
  });
});
