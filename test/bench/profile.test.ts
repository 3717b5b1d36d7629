// CPU profiles to self times: sums a function, the window, order, and what people read.

import { expect, test } from 'vitest';
import { type CpuProfile, formatSelfTimes, selfTimes } from '../../bench/profile.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({
  callFrame: { functionName, url, lineNumber },
});

const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, ...frame('(root)') },
    { id: 2, ...frame('hash', 'file:///x/rib/store.js', 9) },
    { id: 3, ...frame('(idle)') },
    // The same function under another caller.
    { id: 4, ...frame('hash', 'file:///x/rib/store.js', 9) },
    { id: 5, ...frame('', 'file:///x/rib/store.js', 20) },
  ],
  startTime: 1000,
  samples: [3, 2, 4, 5, 3],
  // Samples at 1000, 1100, 1300, 1600, 1700.
  timeDeltas: [0, 100, 200, 300, 100],
};

test('a sample counts until the next one; functions are summed over their callers', () => {
  expect(selfTimes(PROFILE, { from: 0, to: 5000 })).toEqual([
    { name: 'hash', place: 'rib/store.js:10', ms: 0.5, share: 500 / 700 },
    { name: '(idle)', place: '', ms: 0.1, share: 100 / 700 },
    { name: '(anonymous)', place: 'rib/store.js:21', ms: 0.1, share: 100 / 700 },
  ]);
});

test('only what is in the window counts', () => {
  expect(selfTimes(PROFILE, { from: 1100, to: 1300 }).map(({ name, ms }) => [name, ms])).toEqual([
    ['hash', 0.2],
  ]);
  expect(selfTimes(PROFILE, { from: 2000, to: 3000 })).toEqual([]);
});

test('is shown as a short list', () => {
  const text = formatSelfTimes(selfTimes(PROFILE, { from: 0, to: 5000 }), 1);
  expect(text).toMatch(/^ +1 ms +71\.4 % {2}hash rib\/store\.js:10$/);
});
