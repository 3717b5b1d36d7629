// Changing routes on a clock that the test turns: pace, that every change differs, and what counts as seen, overtaken,
// wrong and lost.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ABSENT, Churn, type ChurnChange } from '../../bench/load/churn.ts';
import { seeded } from '../../bench/load/random.ts';
import { ManualClock } from './manual-clock.ts';

const HASHES = [11, 22, 33, 44];
const PLAN = { routes: 5, rate: 1000, seconds: 1, withdrawShare: 0.3, newSets: 4, seed: 1 };

interface Lab {
  readonly clock: ManualClock;
  readonly churn: Churn;
  readonly sent: ChurnChange[];
  /** What the receiver is told of a change. */
  show(change: ChurnChange): void;
}

function lab(
  plan: Partial<typeof PLAN> = {},
  onSend: (changes: readonly ChurnChange[]) => void = () => {},
): Lab {
  const clock = new ManualClock();
  const sent: ChurnChange[] = [];
  const churn = new Churn({
    plan: { ...PLAN, ...plan },
    hashes: HASHES,
    random: seeded(7),
    clock,
    send: (changes) => {
      sent.push(...changes);
      onSend(changes);
    },
  });
  const observer = churn.observer();
  const show = ({ route, set }: ChurnChange): void => {
    if (set === ABSENT) observer.withdrawn(route);
    else observer.announced(route, HASHES[set]!, true);
  };
  return { clock, churn, sent, show };
}

test('changes come at the rate asked for, and all of them', () => {
  const { clock, churn, sent } = lab();
  churn.start();
  clock.advance(100);
  expect(sent.length).toBeGreaterThanOrEqual(98);
  expect(sent.length).toBeLessThanOrEqual(100);
  clock.advance(5000);
  expect(sent.length).toBe(1000);
});

test('every change differs from what the route had, and only routes that are there are withdrawn', () => {
  const { clock, churn, sent } = lab();
  churn.start();
  clock.advance(2000);
  const state = new Map<number, number>();
  const announced = new Map<number, number>();
  for (const { route, set } of sent) {
    expect(set).not.toBe(state.get(route) ?? ABSENT);
    if (set !== ABSENT) {
      expect(set).not.toBe(announced.get(route));
      announced.set(route, set);
    }
    state.set(route, set);
  }
  expect(new Set(sent.map(({ route }) => route)).size).toBe(PLAN.routes);
  expect(sent.some(({ set }) => set === ABSENT)).toBe(true);
});

test('a speaker that shows everything after 3 ms: nothing overtaken, nothing lost, delays of 3 ms', () => {
  const waiting: { at: number; change: ChurnChange }[] = [];
  const { clock, churn, sent, show } = lab({}, (changes) => {
    for (const change of changes) waiting.push({ at: clock.now() + 3, change });
  });
  churn.start();
  for (let ms = 0; ms < 1100; ms++) {
    clock.advance(1);
    while (waiting[0] !== undefined && waiting[0].at <= clock.now()) show(waiting.shift()!.change);
  }
  expect(churn.done).toBe(true);
  expect(churn.result()).toMatchObject({ sent: sent.length, arrived: 1000, overtaken: 0, lost: 0, wrong: 0 });
  expect(churn.result().latency).toMatchObject({ p50: 3, p99: 3, max: 3 });
});

test('a speaker that shows last states only overtakes and loses nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }), (pauses) => {
      const { clock, churn, sent, show } = lab();
      churn.start();
      let at = 0;
      const shown = new Map<number, number>();
      const showLast = (): void => {
        const last = new Map(sent.slice(at).map((change) => [change.route, change]));
        at = sent.length;
        for (const change of last.values()) {
          // An advertisement that is what the peer has already is not sent.
          if (shown.get(change.route) === change.set) continue;
          shown.set(change.route, change.set);
          if (change.set !== ABSENT || shown.has(change.route)) show(change);
        }
      };
      for (const pause of pauses) {
        clock.advance(pause);
        showLast();
      }
      churn.stop();
      showLast();
      expect(churn.done).toBe(true);
      expect(churn.result()).toMatchObject({ lost: 0, wrong: 0, sent: sent.length });
    }),
  );
});

describe('is told as it is', () => {
  test('a change that never arrives', () => {
    const { clock, churn, sent, show } = lab({ withdrawShare: 0 });
    churn.start();
    clock.advance(2000);
    for (const change of sent.slice(0, -1)) show(change);
    expect(churn.done).toBe(false);
    expect(churn.result()).toMatchObject({ sent: 1000, arrived: 999, lost: 1 });
  });

  test('something that nobody sent', () => {
    const { clock, churn, sent, show } = lab({ withdrawShare: 0 });
    churn.start();
    clock.advance(2000);
    for (const change of sent) show(change);
    show({ route: 0, set: ABSENT });
    expect(churn.result()).toMatchObject({ wrong: 1, lost: 1 });
  });

  test('that another receiver lacks something', () => {
    const { clock, churn, sent, show } = lab({ withdrawShare: 0 });
    const other = churn.observer();
    churn.start();
    clock.advance(2000);
    for (const change of sent) {
      show(change);
      if (change.route !== 2) other.announced(change.route, HASHES[change.set]!, true);
    }
    expect(churn.result()).toMatchObject({ arrived: 1000, lost: 1 });
    other.reset();
    expect(churn.result().lost).toBe(PLAN.routes);
  });
});
