import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';

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
