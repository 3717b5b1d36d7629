import { describe, expect, test, vi } from 'vitest';
import { systemClock, within } from '../../src/lib/clock.ts';
import { SimClock } from '../../src/sim/clock.ts';

/** Enough for starts all over a millisecond: Node's own timers are early about every fourth time. */
const TIMERS = 200;
const DELAY_MS = 3;

describe('the system clock', () => {
  test('calls nobody before the time has passed', async () => {
    const early: number[] = [];
    for (let i = 0; i < TIMERS; i++) {
      const due = systemClock.now() + DELAY_MS;
      await new Promise<void>((resolve) => {
        systemClock.setTimer(DELAY_MS, () => {
          const now = systemClock.now();
          if (now < due) early.push(due - now);
          resolve();
        });
        // Moves the next start within its millisecond.
        while (systemClock.now() < due - DELAY_MS + (i % 10) / 10);
      });
    }
    expect(early).toEqual([]);
  });

  test('waits longer than Node can at a time', () => {
    const days = 194 * 24 * 3_600_000;
    const delays: number[] = [];
    let next = (): void => {};
    let time = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => time);
    vi.stubGlobal('setTimeout', (fn: () => void, ms: number) => {
      delays.push(ms);
      next = fn;
    });
    try {
      const fired: number[] = [];
      systemClock.setTimer(days, () => fired.push(time));
      for (let i = 0; i < 20 && fired.length === 0; i++) {
        time += delays.at(-1)!;
        next();
      }
      expect(Math.max(...delays)).toBeLessThan(2 ** 31);
      expect(fired).toEqual([days]);
    } finally {
      vi.unstubAllGlobals();
      now.mockRestore();
    }
  });

  test('a timer that waits for the rest of its time can be cancelled, too', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    try {
      const fired: string[] = [];
      const cancelled = systemClock.setTimer(DELAY_MS, () => fired.push('cancelled'));
      systemClock.setTimer(DELAY_MS, () => fired.push('left'));
      await new Promise((resolve) => setTimeout(resolve, 3 * DELAY_MS));
      expect(fired).toEqual([]);
      cancelled.cancel();
      now.mockReturnValue(DELAY_MS);
      await vi.waitFor(() => expect(fired).toEqual(['left']));
    } finally {
      now.mockRestore();
    }
  });
});

describe('waiting for work', () => {
  test('ends with the work, with its failure, or with the time, and leaves no timer', async () => {
    const clock = new SimClock();
    expect(await within(clock, 10, Promise.resolve())).toBe(true);
    await expect(within(clock, 10, Promise.reject(new Error('no')))).rejects.toThrow('no');
    const late = within(clock, 10, new Promise(() => {}));
    clock.advance(10);
    expect(await late).toBe(false);
    expect(clock.pending).toBe(0);
  });
});
