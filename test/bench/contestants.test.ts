// Who takes part in the bench: programs that are found, by which names, and what is said of those that are not.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findContestants } from '../../bench/contestants.ts';
import { DAEMONS } from '../../bench/daemons/index.ts';
import type { DaemonName } from '../../bench/daemons/types.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-contestants-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

/** Puts a program there that says its version as it is told to. */
function release(program: string, script: string): void {
  const path = join(directory, program);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const silent = (text: string): void => expect.fail(text);

describe('another release', () => {
  test.each<[DaemonName, string, string, string, string]>([
    ['bird', 'bird', 'echo BIRD version 3.4.0 >&2', 'bird 3.4.0', 'BIRD version 3.4.0'],
    ['frr', 'bgpd', 'echo bgpd version 10.7.1; echo more', 'frr 10.7.1', 'FRR 10.7.1'],
    ['gobgp', 'gobgpd', 'echo gobgpd version 4.8.0', 'gobgp 4.8.0', 'GoBGP 4.8.0'],
    ['openbgpd', 'bgpctl', 'echo OpenBGPD 9.3', 'openbgpd 9.3', 'OpenBGPD 9.3'],
  ])('of %s is told apart by its version', async (daemon, program, script, name, version) => {
    release(program, script);
    const found = await findContestants([{ daemon, directory }], silent);
    expect(found).toMatchObject([{ name, version, kind: { name: daemon } }]);
  });

  test.each([
    ['OpenBGPD 7.7', []],
    ['OpenBGPD 8.8', ['kernel routes']],
    ['OpenBGPD 10.1', ['kernel routes']],
  ])('%s is known to write kernel routes, or not to', (version, abilities) => {
    expect(DAEMONS.openbgpd().abilities(version)).toEqual(abilities);
  });

  test('that is not where it should be is an error that names the directory', async () => {
    const asked = findContestants([{ daemon: 'bird', directory }], silent);
    await expect(asked).rejects.toThrow(`${directory} has no bird that runs: --peers bird=DIR wants`);
    const node = findContestants([{ daemon: 'godwit', directory }], silent);
    await expect(node).rejects.toThrow(`${directory} has no node that runs`);
  });

  test('that takes part already is an error', async () => {
    release('bird', 'echo BIRD version 3.4.0');
    const entry = { daemon: 'bird', directory } as const;
    await expect(findContestants([entry, entry], silent)).rejects.toThrow('--peers has bird 3.4.0 twice');
  });
});

describe('a daemon that is not installed', () => {
  test('is left out and told', async () => {
    vi.stubEnv('PATH', directory);
    const said: string[] = [];
    await findContestants(undefined, (text) => said.push(text));
    expect(said).toContain('bird is not installed: skipped');
  });

  test('is an error where it was asked for', async () => {
    vi.stubEnv('PATH', directory);
    await expect(findContestants([{ daemon: 'gobgp' }], silent)).rejects.toThrow('gobgp is not installed');
  });
});
