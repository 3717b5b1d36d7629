// godwit as BIRD's process where the system is involved: two families in one process, into the background and back out of
// it, another user with the capabilities of a router, and a second daemon in the same place.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, waitFor } from '../../bench/lab/command.ts';
import { projectRoot } from '../../bench/project.ts';
import { birdCommand, missingBird } from '../support/lab/bird-process.ts';
import { labOfEachTest, type Node, waitForKernel } from '../support/lab/lab.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

/** Bits of capabilities(7): CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW. */
const ROUTER_CAPABILITIES = (1 << 10) | (1 << 12) | (1 << 13);

const createLab = labOfEachTest();

/** 1.6: originates `network` and installs what the peer has. */
function config(own: Node, peer: Node, family: 'ipv4' | 'ipv6', network: string): string {
  return [
    `router id ${own.ipv4};`,
    'protocol device { scan time 2; }',
    'protocol direct { }',
    'protocol kernel { persist; learn; scan time 2; import none; export where source = RTS_BGP; }',
    `protocol static { route ${network} blackhole; }`,
    `protocol bgp mate { local ${own[family]} as 65000; neighbor ${peer[family]} as 65000; connect delay time 1;`,
    '  connect retry time 1; error wait time 1,2; import all; export where source = RTS_STATIC; }',
    '',
  ].join('\n');
}

async function file(node: Node, name: string, text: string): Promise<string> {
  const path = join(node.directory, name);
  await writeFile(path, text);
  return path;
}

const ask = async (socket: string, ...words: string[]): Promise<string> =>
  run([...birdCommand('godwit', 'birdcl')!, '-s', socket, ...words]);

describe("godwit as BIRD's process", async () => {
  const { skip } = await labRequirement(['godwit']);
  const without16 = skipWithout(missingBird('bird1'));

  test.skipIf(skip || without16)('serves both families with two files and two sockets', async () => {
    const lab = await createLab('bird46', ['a', 'b']);
    const [a, b] = [lab.node(0), lab.node(1)];
    const [socket, socket6] = [join(a.directory, 'bird.ctl'), join(a.directory, 'bird6.ctl')];
    const files = [
      await file(a, 'bird.conf', config(a, b, 'ipv4', '198.51.100.0/24')),
      await file(a, 'bird6.conf', config(a, b, 'ipv6', '2001:db8:a::/48')),
    ];
    const words = ['-f', '-c', files[0]!, '-s', socket, '--with', `${files[1]},${socket6}`];
    const both = lab.run('godwit', a, [...birdCommand('godwit', 'bird')!, ...words]);
    const [bird = ''] = birdCommand('bird1', 'bird') ?? [];
    for (const [name, family, network] of [
      ['bird', 'ipv4', '203.0.113.0/24'],
      ['bird6', 'ipv6', '2001:db8:b::/48'],
    ] as const) {
      const path = await file(b, `${name}.conf`, config(b, a, family, network));
      const command = [bird.replace(/bird$/, name), '-f', '-c', path, '-s', join(b.directory, `${name}.ctl`)];
      lab.run(name, b, command);
    }
    // Each family's routes are there, and the daemon of the one has not taken away those of the other.
    await waitForKernel(a, 'ipv4', '203.0.113.0/24');
    await waitForKernel(a, 'ipv6', '2001:db8:b::/48');
    await waitForKernel(b, 'ipv4', '198.51.100.0/24');
    await waitForKernel(b, 'ipv6', '2001:db8:a::/48');
    await waitForKernel(a, 'ipv4', '203.0.113.0/24');
    expect(await ask(socket, 'show', 'route', 'protocol', 'mate')).toMatch(/^203\.0\.113\.0\/24 /m);
    expect(await ask(socket6, 'show', 'route', 'protocol', 'mate')).toMatch(/^2001:db8:b::\/48 /m);
    await both.stop('SIGTERM');
    expect(() => both.assertRunning()).toThrow('exit code 0');
    expect([existsSync(socket), existsSync(socket6)]).toEqual([false, false]);
  });

  test.skipIf(skip)('goes into the background when it runs, and says so', async () => {
    const lab = await createLab('birdbg', ['a', 'b']);
    const [a, b] = [lab.node(0), lab.node(1)];
    const path = await file(a, 'bird.conf', config(a, b, 'ipv4', '198.51.100.0/24'));
    const [socket, pidFile] = [join(a.directory, 'bird.ctl'), join(a.directory, 'bird.pid')];
    // As a package installs it: a link to the program, which knows what to be by its name.
    const link = join(a.directory, 'bird');
    await symlink(join(projectRoot(), 'bin', 'godwit.js'), link);
    const [program = '', ...words] = a.namespace.wrap([
      ...[process.execPath, link],
      ...['-c', path, '-s', socket, '-P', pidFile],
    ]);
    const started = spawnSync(program, words, { encoding: 'utf8' });
    expect([started.status, started.stdout, started.stderr]).toEqual([0, '', '']);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    try {
      // No waiting: it answers as soon as the command has ended.
      expect(await ask(socket, 'show', 'status')).toContain('Daemon is up and running');
      // A second one in the same place ends, and harms nothing.
      const again = spawnSync(program, words, { encoding: 'utf8' });
      expect([again.status, again.stderr]).toEqual([1, expect.stringMatching(/^bird: .*already/)]);
      expect(readFileSync(pidFile, 'utf8')).toBe(`${pid}\n`);
      expect(await ask(socket, 'show', 'status')).toContain('Daemon is up and running');
      const broken = await file(a, 'broken.conf', 'protocol {\n');
      const bad = spawnSync(program, words.with(words.indexOf(path), broken), { encoding: 'utf8' });
      expect([bad.status, bad.stderr.split('\n')[0]]).toEqual([
        1,
        expect.stringMatching(/^bird: .*broken\.conf:1:10 /),
      ]);
      const nowhere = words.with(words.indexOf(pidFile), join(a.directory, 'none', 'bird.pid'));
      expect(spawnSync(program, nowhere, { encoding: 'utf8' }).stderr).toBe(
        `bird: Cannot create PID file ${nowhere.at(-1)}: no such file or directory\n`,
      );
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await waitFor(
      'it is gone',
      async () => !existsSync(`/proc/${pid}`) && !existsSync(pidFile) && !existsSync(socket),
    );
  });

  test.skipIf(skip || without16)('routes as another user, with no more than it takes', async () => {
    const lab = await createLab('birdus', ['a', 'b']);
    const [a, b] = [lab.node(0), lab.node(1)];
    await chmod(a.directory, 0o777);
    const asNobody = ['-f', '-u', 'nobody', '-g', 'nogroup'];
    const daemon = await lab.bird('godwit', a, config(a, b, 'ipv4', '198.51.100.0/24'), asNobody);
    await lab.bird('bird1', b, config(b, a, 'ipv4', '203.0.113.0/24'));
    await daemon.established('mate');
    await waitForKernel(a, 'ipv4', '203.0.113.0/24');
    const status = readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8');
    const nobody = spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout.trim();
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(nobody);
    for (const set of ['CapPrm', 'CapEff']) {
      expect(Number.parseInt(new RegExp(`^${set}:\\s+(\\w+)`, 'm').exec(status)?.[1] ?? '', 16)).toBe(
        ROUTER_CAPABILITIES,
      );
    }
  });
});
