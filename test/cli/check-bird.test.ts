import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { fakeTerminal } from '../support/control-lab.ts';

describe("check of a file in BIRD's language", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'godwit-check-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function check(text: string, ...words: string[]) {
    const file = join(directory, 'bird.conf');
    await writeFile(file, text);
    const terminal = fakeTerminal();
    const code = await main(['check', file, ...words], terminal);
    return { file, code, out: terminal.out, err: terminal.err };
  }

  const GOOD =
    'router id 10.0.0.1;\nprotocol bgp a { local as 1; neighbor 10.0.0.2 as 1; password "hunter2"; ipv4; }\n';

  test('a good one', async () => {
    const { file, code, out, err } = await check(GOOD);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`${file} is good\n  BIRD 2.x, 1 file\n  protocols: 1 bgp\n`);
    expect(out).toContain('AS 1, router id 10.0.0.1');
  });

  test('a bad one, its includes read from its own directory', async () => {
    await writeFile(join(directory, 'more.conf'), 'bogus;\n');
    const { code, err } = await check(`include "more.conf";\n${GOOD.replace('local as 1;', 'lcal as 1;')}`);
    expect(code).toBe(1);
    expect(err).toContain(`${join(directory, 'more.conf')}:1:1: error:`);
    expect(err).toContain('did you mean local?');
    expect(err).toMatch(/: 2 errors\n$/);
    expect(err).not.toContain('hunter2');
  });

  test('for a script', async () => {
    const { code, out } = await check(GOOD, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, issues: [] });
    expect(out).not.toContain('hunter2');
  });
});
