import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { COMMAND_LIST } from '../../src/control/commands.ts';
import { fakeTerminal, startControlLab } from '../support/control-lab.ts';

async function script(shell: string): Promise<string> {
  const terminal = fakeTerminal();
  expect(await main(['completion', shell], terminal)).toBe(0);
  return terminal.out;
}

const hasCommand = (name: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'godwit-completion-'));
  // Stands in for the real command where the script asks for names of peers.
  const godwit = join(directory, 'godwit');
  writeFileSync(
    godwit,
    '#!/bin/sh\nif [ "$1" = __peers ]; then echo tor-a; echo tor-b; echo fd99::2; echo "$@" >&2; fi\n',
  );
  chmodSync(godwit, 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!hasCommand('bash'))('bash', () => {
  test.each(['bash', 'zsh'])('reads the script for %s', async (shell) => {
    execFileSync('bash', ['-n'], { input: await script(shell) });
  });

  /** What bash offers after these words, the last of which is being typed. */
  async function complete(...words: string[]): Promise<string[]> {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const input = `${await script('bash')}
COMP_WORDS=(godwit ${quoted}); COMP_CWORD=${words.length}
COMP_LINE='godwit ${words.join(' ')}'; COMP_POINT=\${#COMP_LINE}; _godwit; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', [], {
      input,
      cwd: directory,
      env: { ...process.env, PATH: `${directory}:${process.env['PATH']}` },
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return out.split('\n').filter((line) => line !== '');
  }

  test('completes commands, options, choices and names of peers', async () => {
    expect(await complete('s')).toEqual(['simulate', 'status', 'show']);
    expect(await complete('')).toEqual(expect.arrayContaining(['run', 'check', 'explain', 'completion']));
    expect(await complete('')).not.toContain('__peers');
    expect(await complete('show', '')).toEqual(
      expect.arrayContaining(['peers', 'routes', 'attributes', 'kernel', 'groups', 'bfd']),
    );
    expect(await complete('show', 'routes', '--re')).toEqual(['--rejected']);
    expect(await complete('show', 'routes', '--family', '')).toEqual(['ipv4-unicast', 'ipv6-unicast']);
    expect(await complete('show', 'routes', '--peer', 't')).toEqual(['tor-a', 'tor-b']);
    expect(await complete('--x', 'peer', '-s', '/run/x', '')).toEqual(
      expect.arrayContaining(['tor-a', 'tor-b']),
    );
    // bash itself keeps what is typed up to the last colon.
    expect(await complete('show', 'peers', 'fd99:')).toEqual([':2']);
    expect(await complete('show', 'peers', 'f')).toEqual(['fd99::2']);
    expect(await complete('peer', 'tor-a', 're')).toEqual(['reset', 'refresh', 'record']);
    expect(await complete('peer', 'tor-a', '--json', 'd')).toEqual(['down', 'drain']);
    expect(await complete('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    expect(await complete('run', '-c', 'god')).toEqual(['godwit']);
    expect(await complete('peer', 'show', 'routes', '--rej')).toEqual([]);
  });

  test('completes every command of the table', async () => {
    for (const { name } of COMMAND_LIST) {
      const words = name.split(' ');
      expect(await complete(...words)).toContain(words.at(-1));
    }
  });
});

test.skipIf(!hasCommand('zsh'))('zsh reads its script', async () => {
  execFileSync('zsh', ['-n'], { input: await script('zsh') });
});

describe('fish', () => {
  test('has a line for every command, its options and its values', async () => {
    const out = await script('fish');
    for (const { name, help } of COMMAND_LIST) {
      const words = name.split(' ');
      const path = words.slice(0, -1).join(' ');
      expect(out).toContain(
        `complete -c godwit -f -n '__godwit_at "${path}"' -a ${words.at(-1)} -d '${help.replace(/'/g, "\\'")}'\n`,
      );
    }
    expect(out).toContain(`-n '__godwit_at "show routes"' -l peer -x -a '(__godwit_peers)' -d`);
    expect(out).toContain(`-n '__godwit_at "show routes"' -l family -x -a 'ipv4-unicast ipv6-unicast' -d`);
    expect(out).toContain(
      `-n '__godwit_at "peer"' -f -a 'up down reset refresh drain undrain record unrecord capture' -d`,
    );
    expect(out).toContain(`-n '__godwit_at "run"' -s c -l config -r -F -d`);
  });

  test.skipIf(!hasCommand('fish'))('reads the script and completes by it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-fish-'));
    const file = join(directory, 'godwit.fish');
    writeFileSync(file, await script('fish'));
    const completed = execFileSync('fish', ['-c', `source ${file}; complete -C "godwit pe"`], {
      encoding: 'utf8',
    });
    rmSync(directory, { recursive: true });
    expect(completed).toMatch(/^peer\t/);
  });
});

test('names of peers come from the daemon, and silence from none', async () => {
  await using lab = await startControlLab();
  expect(await lab.godwit(['__peers'])).toMatchObject({ code: 0, out: 'tor-a\ntor-b\n10.99.16.7\n' });
  const terminal = fakeTerminal();
  expect(await main(['__peers', '-s', '/nonexistent/socket'], terminal)).toBe(3);
  expect(terminal.out).toBe('');
});
