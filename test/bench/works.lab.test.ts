// Works played for real, with small tables: godwit between two namespaces, the load beside it. What they measure is not
// judged, only that they come to their end with every route in place.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contest } from '../../bench/contest.ts';
import { DAEMONS } from '../../bench/daemons/index.ts';
import type { DaemonKind } from '../../bench/daemons/types.ts';
import { CleanUp } from '../../bench/lab/clean-up.ts';
import { ManagedProcess } from '../../bench/lab/managed-process.ts';
import { topOfProfiles } from '../../bench/profile.ts';
import { summarize } from '../../bench/report.ts';
import { WORKS } from '../../bench/works.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const { skip } = await labRequirement(['godwit']);
const TIMEOUT_MS = 90_000;
const SIZE = {
  routes: 3000,
  seed: 1,
  prefixList: undefined,
  mrtTable: undefined,
  churnRate: 200,
  churnSeconds: 2,
};

async function play(id: string, profileDirectory?: string) {
  const work = WORKS.find((row) => row.id === id)!;
  const setup = work.setup(SIZE)!;
  const outcome = await contest(
    work,
    setup,
    { name: 'godwit', kind: DAEMONS.godwit() },
    new CleanUp(),
    profileDirectory,
  );
  const [summary] = summarize([outcome]);
  expect(summary).toMatchObject({ work: id, daemon: 'godwit', correct: true, missing: 0, wrong: 0 });
  return outcome;
}

describe.skipIf(skip)('a work ends with everything in place:', () => {
  test.each(['T1w', 'T2', 'P1b', 'S1', 'U1'])('%s', { timeout: TIMEOUT_MS }, async (id) => {
    const { seconds, peakRss } = await play(id);
    expect(seconds).toBeGreaterThan(0);
    expect(peakRss).toBeGreaterThan(0);
  });

  test.each(['A1', 'A5'])('%s, beside a hostile peer', { timeout: TIMEOUT_MS }, async (id) => {
    await play(id);
  });

  test('C1, and every change is seen', { timeout: TIMEOUT_MS }, async () => {
    const { load, latency } = await play('C1');
    expect(load.churn).toMatchObject({ sent: 400, arrived: 400, overtaken: 0, lost: 0 });
    expect(latency?.count).toBe(400);
  });

  test('P2, and who was there before sees every change', { timeout: TIMEOUT_MS }, async () => {
    const { load } = await play('P2');
    expect(load.churn?.arrived).toBe(load.churn?.sent);
  });

  test('L1, with answers', { timeout: TIMEOUT_MS }, async () => {
    expect((await play('L1')).latency?.count).toBeGreaterThan(0);
  });

  test('U1k, and the kernel lacks no route meanwhile', { timeout: TIMEOUT_MS }, async () => {
    const [note] = (await play('U1k')).notes.filter((text) => text.includes('never fewer'));
    const [, before, lowest, last] = /kernel's (\d+) routes: never fewer than (\d+), (\d+) in the end/.exec(
      note!,
    )!;
    expect(Number(before)).toBeGreaterThanOrEqual(SIZE.routes);
    expect([lowest, last]).toEqual([before, before]);
  });

  test('that fails leaves nothing behind, even of a daemon that does not answer', async () => {
    let process: ManagedProcess | undefined;
    const start: DaemonKind['start'] = async ({ namespace, directory }) => {
      process = new ManagedProcess('mute', namespace.wrap(['sleep', '600']), join(directory, 'mute.log'));
      throw new Error('it does not answer');
    };
    const mute = { name: 'mute', kind: { ...DAEMONS.godwit(), start } };
    const [work] = WORKS;
    await expect(contest(work!, work!.setup(SIZE)!, mute, new CleanUp())).rejects.toThrow('not answer');
    await process?.exited();
    expect(process?.running).toBe(false);
  });

  test('T1 with a profile', { timeout: TIMEOUT_MS }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gw-test-prof-'));
    try {
      const { window } = await play('T1', directory);
      expect(topOfProfiles(directory, window, 5)).toMatch(/ms +\d+\.\d % {2}\S/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
