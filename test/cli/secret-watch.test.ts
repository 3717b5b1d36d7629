// Files of secrets that change under a daemon, as a program and as Kubernetes change them.

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { watchSecrets } from '../../src/cli/secret-watch.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/model.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { ManualClock } from '../bench/manual-clock.ts';

const FILE = 'godwit.yaml';
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function config(password: string, more = ''): Config {
  const result = parseConfig(
    `router: { asn: 64512, id: 10.99.0.1 }\npeers: [{ address: 10.1.1.1, asn: 64512, password: ${password} }]\n${more}`,
    '/etc/godwit/godwit.yaml',
    {},
    () => 'x',
    { hostname: 'h', addresses: [] },
  );
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

function bench(first: Config) {
  const clock = new ManualClock();
  const states = new Map<string, string>();
  const calls: string[][] = [];
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
  const looked: string[] = [];
  const watch = watchSecrets({
    config: first,
    configFile: FILE,
    clock,
    logger,
    changed: (files) => void calls.push([...files]),
    look: async (path) => {
      looked.push(path);
      return states.get(path) ?? '';
    },
  });
  cleanups.push(() => watch.stop());
  const tick = async () => {
    // What was looked at before has to be known.
    await settle();
    clock.advance(10_000);
    await settle();
  };
  return { clock, watch, states, calls, warnings, looked, tick };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

const SECRET = '/etc/godwit/secret';

describe('secrets', () => {
  test('that change are told once', async () => {
    const { states, calls, tick } = bench(config('{ file: secret }'));
    await tick();
    expect(calls).toEqual([]);
    states.set(SECRET, 'new');
    await tick();
    await tick();
    expect(calls).toEqual([[SECRET]]);
  });

  test('of a configuration that comes while they are looked at are looked at once', async () => {
    const { clock, watch, calls, looked, tick } = bench(config('{ file: secret }'));
    await settle();
    clock.advance(10_000);
    watch.use(config('{ file: other }'));
    await settle();
    looked.length = 0;
    await tick();
    expect(looked).toEqual([FILE, '/etc/godwit/other']);
    expect(calls).toEqual([]);
  });

  test('wait where the configuration has changed, too', async () => {
    const { states, calls, warnings, tick } = bench(config('{ file: secret }'));
    await settle();
    states.set(SECRET, 'new').set(FILE, 'new');
    await tick();
    expect([calls, warnings]).toEqual([
      [],
      ['secrets have changed, and so has the configuration: reload when it is ready'],
    ]);
  });

  test('of another configuration are others', async () => {
    const { watch, states, calls, tick } = bench(config('{ file: secret }'));
    watch.use(
      config(
        '{ file: other }',
        'control: { tcp: { listen: "[::1]:1", tls: { ca: a, cert: b, privateKey: c } } }',
      ),
    );
    states.set(SECRET, 'new');
    await tick();
    expect(calls).toEqual([]);
    states.set('/etc/godwit/b', 'renewed').set('/etc/godwit/other', 'new');
    await tick();
    expect(calls).toEqual([['/etc/godwit/other', '/etc/godwit/b']]);
  });

  test.each([config('in-the-file'), config('{ file: secret }', 'process: { watchFiles: 0 }')])(
    'are not looked for where there are none, or nobody wants it',
    async (first) => {
      const { looked, tick } = bench(first);
      await tick();
      const before = looked.length;
      await tick();
      expect(looked.length).toBe(before);
    },
  );

  test('as Kubernetes mounts them: another target of a link', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'godwit-secrets-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const version = (name: string, value: string) => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'password'), value);
      symlinkSync(name, join(directory, 'next'));
      renameSync(join(directory, 'next'), join(directory, '..data'));
    };
    version('one', 'same-size');
    symlinkSync('..data/password', join(directory, 'password'));
    const path = join(directory, 'password');
    const clock = new ManualClock();
    const told: (readonly string[])[] = [];
    const watch = watchSecrets({
      config: config(`{ file: ${path} }`),
      configFile: join(directory, 'none'),
      clock,
      logger: silentLogger,
      changed: (files) => told.push(files),
    });
    cleanups.push(() => watch.stop());
    // When it has seen what was there first, nobody knows: the version after that is another one.
    for (let next = 2; told.length === 0; next++) {
      version(`version-${next}`, 'SAME-SIZE');
      clock.advance(10_000);
      while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(told[0]).toEqual([path]);
  });
});
