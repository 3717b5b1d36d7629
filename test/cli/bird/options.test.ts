// The command line of bird as getopt reads it, compared with what the real one says where that is installed.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DAEMONS, faceOf } from '../../../src/cli/bird/faces.ts';
import { type BirdOptions, parseBirdArguments, USAGE } from '../../../src/cli/bird/options.ts';

const REAL = '/usr/sbin/bird';
const face = DAEMONS['bird']!;

function run(...argv: string[]): Partial<BirdOptions> {
  const command = parseBirdArguments(argv, face);
  if (command.do !== 'run') throw new Error(JSON.stringify(command));
  return command.options;
}

describe('the flags of bird', () => {
  it('have the usual paths as defaults', () => {
    expect(run()).toEqual({
      config: '/etc/bird/bird.conf',
      socket: '/run/bird/bird.ctl',
      check: false,
      debug: false,
      debugFile: undefined,
      foreground: false,
      pidFile: undefined,
      recover: false,
      user: undefined,
      group: undefined,
      second: undefined,
    });
  });

  it('are taken as Calico gives them', () => {
    const argv = '-R -s /var/run/calico/bird.ctl -d -c /etc/calico/confd/config/bird.cfg'.split(' ');
    expect(run(...argv)).toMatchObject({
      recover: true,
      socket: '/var/run/calico/bird.ctl',
      debug: true,
      foreground: true,
      config: '/etc/calico/confd/config/bird.cfg',
    });
    expect(run('-p', '-c', 'x')).toMatchObject({ check: true, config: 'x' });
  });

  it('are taken as Debian gives them', () => {
    expect(run('-f', '-u', 'bird', '-g', 'bird')).toMatchObject({
      foreground: true,
      user: 'bird',
      group: 'bird',
    });
  });

  it('may stand together, with the value at once', () => {
    expect(run('-pfcx')).toMatchObject({ check: true, foreground: true, config: 'x' });
    expect(run('-Dfile', '-Ppid')).toMatchObject({ debugFile: 'file', pidFile: 'pid', foreground: false });
  });

  it('-l looks in the working directory, but not for what is named', () => {
    expect(run('-l')).toMatchObject({ config: 'bird.conf', socket: 'bird.ctl' });
    expect(run('-l', '-s', '/x/y.ctl')).toMatchObject({ config: 'bird.conf', socket: '/x/y.ctl' });
  });

  it.each([[['-x']], [['-c']], [['extra']], [['-p', 'extra']], [['--nosuch']], [['-']]])(
    'complains of %j as bird does',
    (argv) => {
      const command = parseBirdArguments(argv, face);
      if (command.do !== 'usage') throw new Error(JSON.stringify(command));
      const text = command.complaint === undefined ? USAGE : `bird: ${command.complaint}\n\n${USAGE}`;
      if (!existsSync(REAL)) return;
      const real = spawnSync(REAL, argv, { encoding: 'utf8', argv0: 'bird' });
      expect([text, 1]).toEqual([real.stderr.trim(), real.status]);
    },
  );
});

describe('the name of the program', () => {
  it.each([
    ['/usr/bin/bird', ['-p'], 'bird', ['-p']],
    ['/bin/bird6', [], 'bird6', []],
    ['/bin/birdcl', ['show', 'status'], 'birdcl', ['show', 'status']],
    ['/x/bin/godwit.js', ['bird', '-p'], 'bird', ['-p']],
    ['/usr/bin/godwit', ['birdc', '-s', 'x'], 'birdc', ['-s', 'x']],
  ])('%s %j', (program, argv, name, rest) => {
    expect(faceOf(program, argv)).toEqual({ name, argv: rest });
  });

  it.each([
    ['/usr/bin/godwit', ['run', 'bird']],
    ['/usr/bin/godwit', []],
    ['/usr/bin/constructor', ['toString']],
  ])('%s %j is godwit', (program, argv) => {
    expect(faceOf(program, argv)).toBe(undefined);
  });
});
