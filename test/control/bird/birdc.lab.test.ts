// The real clients: birdc and birdcl of Debian's bird2, and birdc of 1.6, against a speaker on a simulated network whose
// control socket is a real one.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BirdControl, startBirdControl } from '../../../src/control/bird/server.ts';
import { silentLogger } from '../../../src/lib/log.ts';
import { type Rig, rig } from '../../speaker/rig.ts';
import { birdCommand } from '../../support/lab/bird-process.ts';
import { skipWithout } from '../../support/lab/requirement.ts';

const CLIENTS = [
  ['birdcl of 2.x', '/usr/sbin/birdcl', 'bird2'],
  ['birdc of 2.x', '/usr/sbin/birdc', 'bird2'],
  ['birdc of 1.6', birdCommand('bird1', 'birdc')?.[0] ?? '', 'bird1'],
] as const;

const A = '10.0.0.2';
/** Enough lines for a pager, and for more than one write. */
const ROUTES = 5000;

let directory: string;
let set: Rig;
const running: BirdControl[] = [];
const socketOf = (style: string): string => join(directory, `${style}.ctl`);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'godwit-birdc-'));
  set = await rig({ [A]: { as: 65002 } }, { networks: [{ prefix: '192.0.2.0/24', type: 'blackhole' }] });
  const prefixes = Array.from({ length: ROUTES }, (_, i) => `100.${64 + (i >> 8)}.${i & 255}.0/24`);
  set.peer(A).announce(prefixes);
  await set.lab.settle();
  for (const style of ['bird1', 'bird2'] as const) {
    running.push(
      await startBirdControl({
        api: set.speaker.api,
        socket: socketOf(style),
        mode: 0o600,
        style,
        restricted: false,
        logger: silentLogger,
        shutdown: () => {},
      }),
    );
  }
});
afterAll(async () => {
  for (const each of running) await each.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
}

/** One command on the command line. */
function once(program: string, words: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, words, { maxBuffer: 1 << 24 }, (error, stdout) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout });
    });
  });
}

/** Commands on the standard input, as a person types them. */
function typed(program: string, words: readonly string[], text: string): Promise<string> {
  return new Promise((resolve) => {
    const client = spawn(program, words, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, TERM: 'dumb' },
    });
    let out = '';
    client.stdout.on('data', (chunk) => {
      out += chunk.toString();
    });
    client.on('close', () => resolve(out));
    client.stdin.end(text);
  });
}

describe.each(CLIENTS)('%s', (name, program, style) => {
  const missing = skipWithout(existsSync(program) ? undefined : name);
  const ask = (...words: string[]): Promise<Outcome> => once(program, ['-s', socketOf(style), ...words]);

  it.skipIf(missing)('shows status and protocols', async () => {
    const status = await ask('show', 'status');
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/^BIRD \S+ ready\.\nBIRD \S+\nRouter ID is 10\.0\.0\.1\n/);
    expect(status.out).toMatch(/\nDaemon is up and running\n$/);
    const protocols = await ask('show', 'protocols');
    expect(protocols.out).toMatch(/^static1 +Static +master4? +up /m);
    expect(protocols.out).toMatch(/^10\.0\.0\.2 +BGP .* up .* Established +$/m);
    expect((await ask('show', 'protocols', 'all', `"${A}"`)).out).toContain('Neighbor AS:      65002');
  });

  it.skipIf(missing)('lists a long table whole', async () => {
    const { out } = await ask('show', 'route');
    expect(out.match(/^100\.\d+\.\d+\.0\/24 /gm)).toHaveLength(ROUTES);
    expect(out.endsWith('\n')).toBe(true);
    expect((await ask('show', 'route', 'count')).out).toMatch(/5001 of 5001 routes for 5001 networks/);
    expect((await ask('show', 'route', 'for', '100.64.7.9', 'all')).out).toMatch(
      /^100\.64\.7\.0\/24 .*\[10\.0\.0\.2 .*\] \* \(100(\/0)?\) \[AS65002i\]\n(\tvia .*\n)?\tType: BGP (unicast )?univ\n/m,
    );
    expect((await ask('show', 'route', 'for', '9.9.9.9')).out).toMatch(/Network not (found|in table)/);
  });

  it.skipIf(missing)('finds the shortened command by itself', async () => {
    const { out } = await ask('sh', 'pr');
    expect(out).toMatch(/Established/);
    expect((await ask('bogus')).out).toContain("No such command. Press `?' for help.");
  });

  it.skipIf(missing)('is restricted with -r, and shows codes with -v', async () => {
    const { out } = await once(program, ['-r', '-s', socketOf(style), 'configure']);
    expect(out).toContain('Access restricted');
    expect(out).toContain('Access denied');
    const verbose = await once(program, ['-v', '-s', socketOf(style), 'show', 'protocols']);
    expect(verbose.out).toMatch(/^2002-/m);
    expect(verbose.out).toMatch(/^1002-/m);
  });

  it.skipIf(missing)('works by hand: commands one after the other, help, errors', async () => {
    const text = 'show status\n?\nshow ?\nshow route for\nshow protocols "nosuch*"\neval 1 + 2\n';
    const out = await typed(program, ['-s', socketOf(style)], text);
    expect(out).toContain('Daemon is up and running');
    expect(out).toContain('Show routing protocols');
    expect(out).toContain('syntax error');
    expect(out).toContain('No protocols match');
    expect(out).toMatch(/^(bird> )?.*3$/m);
  });

  it.skipIf(missing)('changes things', async () => {
    const { speaker } = set;
    expect((await ask('disable', 'static1')).out).toContain('static1: disabled');
    await set.lab.run(100);
    expect((await ask('show', 'route', '192.0.2.0/24')).out).toMatch(/Network not (found|in table)/);
    expect((await ask('enable', '"static*"')).out).toContain('static1: enabled');
    await set.lab.run(100);
    expect((await ask('show', 'route', '192.0.2.0/24')).out).toContain('blackhole [static1 ');
    expect(speaker.states()).toEqual([`${A} Established`]);
    expect((await ask('reload', 'in', `"${A}"`)).out).toContain(`${A}: reloading`);
  });

  it.skipIf(missing || style === 'bird1')('says with its exit code whether all was well', async () => {
    expect((await ask('show', 'protocols', '"nosuch*"')).code).toBe(1);
    expect((await ask('show', 'protocols')).code).toBe(0);
  });
});
