import { describe, expect, it } from 'vitest';
import { Liveness } from '../../../src/bgp/session/liveness.ts';
import type { TransportSocket } from '../../../src/bgp/session/transport.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { SimClock } from '../../../src/sim/clock.ts';

const SECOND = 1000;

/** A thread that can be stuck: time passes, and timers fire later than they are due. */
class StuckClock implements Clock {
  readonly sim = new SimClock();
  #lost = 0;
  now(): number {
    return this.sim.now() + this.#lost;
  }
  wallTime(): number {
    return this.now();
  }
  setTimer(delayMs: number, fn: () => void) {
    return this.sim.setTimer(delayMs, fn);
  }
  stuckFor(ms: number): void {
    this.#lost += ms;
  }
}

/** A socket that writes down after what silence it was told to ask. */
function probing(probes: number[]): TransportSocket {
  const end = { address: new Uint8Array(4), port: 179 };
  const nothing = () => {};
  return {
    local: end,
    remote: end,
    attach: nothing,
    configure: nothing,
    write: nothing,
    keepAlive: (idleMs) => probes.push(idleMs),
    pause: nothing,
    resume: nothing,
    end: nothing,
    destroy: nothing,
  };
}

function start(holdTime: number) {
  const clock = new StuckClock();
  const probes: number[] = [];
  const connection = { paused: false, lastReceivedAt: 0, lastSentAt: 0, socket: probing(probes) };
  const expired: string[] = [];
  const keepalives: number[] = [];
  const liveness: Liveness = new Liveness(clock, () => 0, {
    connection: () => connection,
    timers: () => ({ keepalive: undefined, openHold: 240 }),
    onHoldExpired: (detail) => expired.push(detail),
    onKeepaliveDue: () => {
      keepalives.push(clock.now());
      connection.lastSentAt = clock.now();
      liveness.startKeepalive();
    },
  });
  liveness.startNegotiated(holdTime);
  return { clock, connection, expired, keepalives, liveness, probes };
}

describe('hold timer', () => {
  it('of zero leaves it to TCP to find a peer that is gone, and says nothing to a living one', () => {
    const { clock, expired, keepalives, probes } = start(0);
    clock.sim.advance(3600 * SECOND);
    expect([expired, keepalives]).toEqual([[], []]);
    expect(probes).toEqual([60 * SECOND]);
    expect(start(9).probes).toEqual([]);
  });

  it('4271-6.5-1: expires once, a moment after the hold time', () => {
    const { clock, expired } = start(9);
    clock.sim.advance(9 * SECOND);
    expect(expired).toEqual([]);
    clock.sim.advance(100);
    expect(expired).toEqual(['nothing received for 9 s']);
    clock.sim.advance(60 * SECOND);
    expect(expired).toHaveLength(1);
  });

  it('gives a thread that keeps being stuck several turns to read what has arrived', () => {
    const { clock, connection, expired } = start(9);
    clock.sim.advance(9 * SECOND - 1);
    for (let turn = 0; turn < 5; turn++) {
      clock.stuckFor(3 * SECOND);
      clock.sim.advance(50);
    }
    expect(expired).toEqual([]);
    connection.lastReceivedAt = clock.now();
    clock.sim.advance(8 * SECOND);
    expect(expired).toEqual([]);
  });

  it('does not wait for ever for a thread that is always late', () => {
    const { clock, expired } = start(9);
    clock.sim.advance(9 * SECOND - 1);
    for (let turn = 0; turn < 40; turn++) {
      clock.stuckFor(SECOND);
      clock.sim.advance(50);
    }
    expect(expired).toHaveLength(1);
  });
});

describe('keepalive timer', () => {
  it('4271-10-2: has its jitter, and at most a third of the hold time between two', () => {
    const { clock, connection, keepalives } = start(90);
    for (let second = 0; second < 300; second++) {
      clock.sim.advance(SECOND);
      connection.lastReceivedAt = clock.now();
    }
    const gaps = keepalives.slice(1).map((at, i) => at - keepalives[i]!);
    expect(gaps.length).toBeGreaterThan(10);
    for (const gap of gaps) expect(gap).toBeCloseTo(22.5 * SECOND);
  });

  it('4271-4.4-2: a hold time of 0 starts neither', () => {
    const { clock, liveness } = start(0);
    expect([liveness.holdLeftMs, liveness.keepaliveLeftMs, liveness.keepaliveMs]).toEqual([
      undefined,
      undefined,
      0,
    ]);
    expect(clock.sim.pending).toBe(0);
  });
});
