import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProcessClock, SimClock } from '../../src/sim/clock.ts';

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

describe('ProcessClock', () => {
  it('a stopped process is late, in order, and what runs first may cancel what is late, too', () => {
    const base = new SimClock();
    const clock = new ProcessClock(base);
    const ran: string[] = [];
    const second = clock.setTimer(20, () => ran.push('second'));
    clock.setTimer(10, () => {
      ran.push('first');
      second.cancel();
    });
    clock.setTimer(30, () => ran.push('third'));
    clock.stop();
    base.advance(100);
    expect(ran).toEqual([]);
    clock.goOn();
    base.advance(0);
    expect(ran).toEqual(['first', 'third']);
  });

  it('ends with its process, and never goes back', () => {
    const base = new SimClock();
    const clock = new ProcessClock(base);
    clock.lookMs = 3;
    const looks = [clock.now(), clock.now(), clock.now()];
    expect(looks).toEqual([3, 6, 9]);
    clock.wallOffset = -1e6;
    expect(clock.wallTime()).toBe(base.wallTime() - 1e6);
    clock.setTimer(1, () => looks.push(0));
    clock.end();
    base.advance(10);
    expect(looks).toHaveLength(3);
    expect(clock.now()).toBeGreaterThanOrEqual(10);
  });
});
