import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/lib/clock.ts';
import { LoopLag } from '../../src/lib/loop-lag.ts';
import { parseTcpDrops } from '../../src/lib/tcp-drops.ts';

class LateClock implements Clock {
  time = 0;
  #due: { at: number; fn: () => void } | undefined;
  now = () => this.time;
  wallTime = () => this.time;
  setTimer(delayMs: number, fn: () => void) {
    const due = { at: this.time + delayMs, fn };
    this.#due = due;
    return {
      cancel: () => {
        if (this.#due === due) this.#due = undefined;
      },
    };
  }
  /** The loop is busy: the timer fires so much after its time. */
  fireLate(ms: number): boolean {
    const due = this.#due;
    if (due === undefined) return false;
    this.#due = undefined;
    this.time = due.at + ms;
    due.fn();
    return true;
  }
}

describe('how late the loop is', () => {
  it('percentiles and maximum of what was measured', () => {
    const clock = new LateClock();
    const lag = new LoopLag(clock);
    const heard: number[] = [];
    lag.start((ms) => heard.push(ms));
    for (let i = 0; i < 98; i++) clock.fireLate(1);
    clock.fireLate(40);
    clock.fireLate(3000);
    expect(heard).toHaveLength(100);
    const { p50, p99, max, longest } = lag.stats;
    expect(p50).toBeGreaterThanOrEqual(1);
    expect(p50).toBeLessThan(1.2);
    expect(p99).toBeGreaterThanOrEqual(40);
    expect(p99).toBeLessThan(48);
    expect([max, longest]).toEqual([3000, 3000]);
    lag.stop();
    expect(clock.fireLate(1)).toBe(false);
  });

  it('forgets after two minutes, but not the longest', () => {
    const clock = new LateClock();
    const lag = new LoopLag(clock);
    lag.note(500);
    clock.time = 61_000;
    lag.note(1);
    expect(lag.stats.max).toBe(500);
    clock.time = 122_000;
    lag.note(2);
    expect(lag.stats).toMatchObject({ max: 2, longest: 500 });
    clock.time = 1_000_000;
    lag.note(3);
    expect(lag.stats.max).toBe(3);
  });

  it('is 0 before the first tick', () => {
    expect(new LoopLag(new LateClock()).stats).toEqual({ p50: 0, p99: 0, max: 0, longest: 0 });
  });

  it('any samples: within a fifth of the exact quantile, ordered', () => {
    const sample = fc.double({ min: 0, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 200 }), (samples) => {
        const lag = new LoopLag(new LateClock());
        for (const ms of samples) lag.note(ms);
        const sorted = [...samples].sort((a, b) => a - b);
        const exact = (share: number) => sorted[Math.ceil(samples.length * share) - 1]!;
        const { p50, p99, max } = lag.stats;
        expect(max).toBe(sorted.at(-1));
        for (const [quantile, share] of [
          [p50, 0.5],
          [p99, 0.99],
        ] as const) {
          expect(quantile).toBeGreaterThanOrEqual(exact(share) * 0.999999);
          expect(quantile).toBeLessThanOrEqual(Math.max(0.1, exact(share) * 1.21));
        }
        expect(p50 <= p99 && p99 <= max).toBe(true);
      }),
    );
  });
});

describe('what the kernel dropped', () => {
  it('is summed by kind', () => {
    const text = [
      'TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPMinTTLDrop',
      'TcpExt: 9 1 2 4 16',
      'IpExt: InNoRoutes TCPMD5Failure',
      'IpExt: 1 1000',
      '',
    ].join('\n');
    expect(parseTcpDrops(text)).toEqual({ badSignature: 5, unexpectedSignature: 2, ttl: 16 });
  });

  it('counters that are not there count as none', () => {
    const NONE = { badSignature: 0, unexpectedSignature: 0, ttl: 0 };
    expect(parseTcpDrops('TcpExt: A TCPMinTTLDrop\nTcpExt: 1\n')).toEqual(NONE);
    expect(parseTcpDrops('')).toEqual(NONE);
  });
});
