// The unit for systemd: what it starts and allows is what godwit takes, and systemd's own judgement of it.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KEPT } from '../src/cli/privileges.ts';
import { createProgram, type Handlers } from '../src/cli/program.ts';
import { fakeTerminal } from './support/control-lab.ts';

const UNIT = new URL('../packaging/godwit.service', import.meta.url).pathname;
const text = readFileSync(UNIT, 'utf8');
/** Of capabilities(7). */
const NAMES: Readonly<Record<string, number>> = {
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
};
/** Tenths; systemd calls what is below 50 good. */
const MOST_EXPOSED = 25;

const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '';

describe('the unit', () => {
  test('starts what there is', async () => {
    const [program, ...words] = value('ExecStart').split(' ');
    // systemd looks for it in /usr/local/bin, /usr/bin and the like.
    expect(program).toBe('godwit');
    const files: string[] = [];
    const refuse = async () => {
      throw new Error('not this one');
    };
    const handlers: Handlers = {
      remote: refuse,
      check: refuse,
      test: refuse,
      completion: refuse,
      peerNames: refuse,
      run: async (file) => {
        files.push(file);
        return 0;
      },
    };
    expect(await createProgram(fakeTerminal(), '0', handlers).run(words)).toBe(0);
    expect(files).toEqual(['/etc/godwit/godwit.yaml']);
    expect([value('Type'), value('NotifyAccess'), value('ExecReload')]).toEqual([
      'notify',
      'main',
      '/bin/kill -HUP $MAINPID',
    ]);
  });

  test.each(['CapabilityBoundingSet', 'AmbientCapabilities'])('%s is what is kept otherwise, too', (key) => {
    const bits = value(key)
      .split(' ')
      .map((name) => NAMES[name]);
    expect(bits.sort()).toEqual([...KEPT].sort());
  });

  test('has a user that is made', () => {
    const sysusers = readFileSync(new URL('../packaging/godwit.sysusers', import.meta.url), 'utf8');
    expect(value('User')).toBe('godwit');
    expect(sysusers).toMatch(/^u godwit - /m);
  });

  test.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)('is little exposed', () => {
    const words = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`, '--no-pager', UNIT];
    const { status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Overall exposure level');
  });
});

describe("Calico's node image", () => {
  const dockerfile = readFileSync(new URL('../packaging/calico-node.Dockerfile', import.meta.url), 'utf8');

  test('has every name that Calico calls, and they lead to the program', () => {
    const names = /for name in ([^;]+);/.exec(dockerfile)?.[1]?.split(' ') ?? [];
    expect(names).toEqual(expect.arrayContaining(['bird', 'bird6', 'birdcl', 'birdcl6']));
    const { bin } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    const target = /ln -sf (\S+)/.exec(dockerfile)?.[1];
    for (const name of names) expect(target).toBe(`/usr/local/lib/node_modules/godwit/${bin[name]}`);
  });

  test('has a Node.js that godwit runs on', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    const least = Number(/^>=(\d+)/.exec(engines.node)?.[1]);
    const there = Number(/^FROM node:(\d+)-/m.exec(dockerfile)?.[1]);
    expect(there).toBeGreaterThan(least);
  });
});

describe('documents', () => {
  const root = new URL('..', import.meta.url);
  const documents = readdirSync(root).filter((name) => name.endsWith('.md'));

  test.each([...documents, 'bench/README.md'])('%s links to what there is', (name) => {
    const place = new URL(name, root);
    const links = [...readFileSync(place, 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(
      ([, link]) => link!,
    );
    const broken = links.filter((link) => !/^https?:/.test(link) && !existsSync(new URL(link, place)));
    expect(broken).toEqual([]);
  });
});
