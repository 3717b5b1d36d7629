import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SimClock } from '../../src/sim/clock.ts';

describe('SimClock', () => {
  it('runs timers in the order of their time, then of their setting', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (delays) => {
        const clock = new SimClock();
        const ran: [number, number][] = [];
        for (const [i, delay] of delays.entries()) {
          clock.setTimer(delay, () => ran.push([clock.now(), i]));
        }
        clock.advance(20);
        const expected = delays
          .map((delay, i): [number, number] => [delay, i])
          .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(ran).toEqual(expected);
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('runs what a timer starts, if it falls due in time', () => {
    const clock = new SimClock();
    const at: number[] = [];
    const again = () => {
      at.push(clock.now());
      clock.setTimer(4, again);
    };
    again();
    clock.advance(10);
    expect(at).toEqual([0, 4, 8]);
    expect(clock.now()).toBe(10);
    expect(clock.wallTime() - new SimClock().wallTime()).toBe(10);
  });

  it('runs a turn at the same instant, and no cancelled timer', () => {
    const clock = new SimClock();
    const ran: string[] = [];
    clock.setTimer(0, () => ran.push('cancelled')).cancel();
    clock.defer(() => clock.defer(() => ran.push('second turn')));
    clock.settle();
    expect(ran).toEqual(['second turn']);
    expect(clock.now()).toBe(0);
  });
});
