// Single routes that are timed: pace, arrivals, copies and losses, on a clock that the test turns.

import { expect, test } from 'vitest';
import type { Pace } from '../../bench/load/probes.ts';
import { Probes } from '../../bench/load/probes.ts';
import { ManualClock } from './manual-clock.ts';

function start(count: number, pace: Pace): { clock: ManualClock; probes: Probes; sent: number[] } {
  const clock = new ManualClock();
  const sent: number[] = [];
  const messages = Array.from({ length: count }, (_, i) => Uint8Array.of(i));
  const probes = new Probes(messages, { count, gapMs: 5 }, clock, (message) => sent.push(message[0]!));
  probes.start(pace);
  return { clock, probes, sent };
}

test('after-arrival: the next one leaves a gap after the last one came, however long that took', () => {
  const { clock, probes, sent } = start(3, 'after-arrival');
  clock.advance(100);
  expect(sent).toEqual([0]);
  probes.arrived(0, true);
  clock.advance(4);
  expect(sent).toEqual([0]);
  clock.advance(1);
  expect(sent).toEqual([0, 1]);
  clock.advance(7);
  probes.arrived(1, true);
  clock.advance(5);
  expect([probes.sent, probes.done]).toEqual([3, false]);
  clock.advance(2);
  probes.arrived(2, true);
  expect(probes.done).toBe(true);
  expect(probes.result()).toEqual({ sent: 3, arrived: 3, latency: { count: 3, p50: 7, p99: 100, max: 100 } });
});

test('fixed: they leave whether or not the others came, until stopped', () => {
  const { clock, probes, sent } = start(100, 'fixed');
  clock.advance(12);
  expect(sent).toEqual([0, 1, 2]);
  probes.stop();
  clock.advance(50);
  expect([sent.length, probes.done]).toEqual([3, false]);
  for (const number of [2, 0, 1]) probes.arrived(number, true);
  expect(probes.done).toBe(true);
  expect(probes.result().latency).toEqual({ count: 3, p50: 57, p99: 62, max: 62 });
});

test('copies do not count, lost and altered ones are told', () => {
  const { clock, probes } = start(2, 'fixed');
  clock.advance(5);
  probes.arrived(0, false);
  clock.advance(1000);
  probes.arrived(0, true);
  expect(probes.done).toBe(false);
  expect(probes.wrong).toBe(1);
  expect(probes.result()).toEqual({ sent: 2, arrived: 1, latency: { count: 1, p50: 5, p99: 5, max: 5 } });
});

test('a plan without probes is done at once', () => {
  expect(start(0, 'after-arrival').probes.done).toBe(true);
});
