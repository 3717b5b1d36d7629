import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IdleHoldState, nextIdleHold } from '../../../src/bgp/session/idle-hold.ts';

const WAIT = { min: 60, max: 300, forget: 300 };
const SECOND = 1000;

describe('IdleHoldTime', () => {
  it('4271-8.1.1-1: doubles from min to max, and starts again after the forget time', () => {
    const waits: number[] = [];
    let state: IdleHoldState | undefined;
    let now = 0;
    for (const quiet of [0, 10, 10, 10, 299, 301, 0]) {
      now += (state?.waitMs ?? 0) + quiet * SECOND;
      state = nextIdleHold(state, WAIT, now);
      waits.push(state.waitMs / SECOND);
    }
    expect(waits).toEqual([60, 120, 240, 300, 300, 60, 120]);
  });

  it('is never below min nor above max, whatever the times and the options', () => {
    const options = fc.record({ min: fc.nat(1000), max: fc.nat(1000), forget: fc.nat(1000) });
    fc.assert(
      fc.property(options, fc.array(fc.nat(5_000_000), { maxLength: 30 }), (wait, gaps) => {
        let state: IdleHoldState | undefined;
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const next = nextIdleHold(state, wait, now);
          expect(next.waitMs).toBeGreaterThanOrEqual(wait.min * SECOND);
          expect(next.waitMs).toBeLessThanOrEqual(Math.max(wait.min, wait.max) * SECOND);
          state = next;
        }
      }),
    );
  });

  it('takes over a changed minimum and maximum', () => {
    const before = { waitMs: 10 * SECOND, failedAt: 0 };
    expect(nextIdleHold(before, WAIT, 10 * SECOND).waitMs).toBe(60 * SECOND);
    expect(nextIdleHold({ ...before, waitMs: 300 * SECOND }, { ...WAIT, max: 100 }, 0).waitMs).toBe(
      100 * SECOND,
    );
  });
});
