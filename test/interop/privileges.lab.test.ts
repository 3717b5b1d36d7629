// godwit as another user: what every thread of it may do, and that it routes all the same, with keys, below port 1024,
// into the kernel.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startGodwit } from '../../bench/daemons/godwit.ts';
import { projectRoot } from '../../bench/project.ts';
import { labOfEachTest, waitForKernel } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

/** Bits of capabilities(7): CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW. */
const ROUTER_CAPABILITIES = (1 << 10) | (1 << 12) | (1 << 13);
const PASSWORD = 'lab-secret';
const NOBODY = 65_534;

const createLab = labOfEachTest();

interface Thread {
  readonly name: string;
  readonly uids: string;
  readonly gids: string;
  readonly effective: number;
  readonly permitted: number;
  readonly bounding: number;
  readonly noNewPrivileges: boolean;
}

function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).map((task) => {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
    const mask = (name: string) => Number.parseInt(field(name), 16);
    return {
      name: task === String(pid) ? 'main' : field('Name'),
      uids: field('Uid'),
      gids: field('Gid'),
      effective: mask('CapEff'),
      permitted: mask('CapPrm'),
      bounding: mask('CapBnd'),
      noNewPrivileges: field('NoNewPrivs') === '1',
    };
  });
}

describe('godwit as another user', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);

  test.skipIf(skip)('routes with no more than it takes, in every thread', async () => {
    const lab = await createLab('privs', ['a', 'b']);
    const [a, b] = [lab.node(0), lab.node(1)];
    const config = join(a.directory, 'godwit.yaml');
    // A directory that is not there yet: it is made for the user.
    const socket = join(a.directory, 'run', 'godwit.sock');
    await chmod(a.directory, 0o755);
    await writeFile(
      config,
      JSON.stringify({
        router: { asn: 64512, id: a.ipv4 },
        process: { user: 'nobody' },
        control: { socket },
        kernel: { install: true },
        networks: ['198.51.100.0/24'],
        peers: [
          {
            name: 'mate',
            address: b.ipv4,
            localAddress: a.ipv4,
            asn: 64513,
            password: PASSWORD,
            import: 'accept',
            export: 'accept',
            connectDelayTime: 1,
            connectRetryTime: 1,
            bfd: { interval: 300 },
          },
        ],
      }),
    );
    const ours = lab.adopt(
      await startGodwit({ namespace: a.namespace, directory: a.directory }, config, socket),
    );
    await lab.start('bird', b, {
      asn: 64513,
      routerId: b.ipv4,
      peers: [
        {
          name: 'mate',
          address: a.ipv4,
          localAddress: b.ipv4,
          asn: 64512,
          families: ['ipv4'],
          password: PASSWORD,
          bfd: { interval: 300, multiplier: 3 },
        },
      ],
      networks: ['203.0.113.0/24'],
      kernel: true,
    });
    await waitForKernel(a, 'ipv4', '203.0.113.0/24');
    await waitForKernel(b, 'ipv4', '198.51.100.0/24');
    expect(statSync(socket).uid).toBe(NOBODY);

    const [process] = ours.processes;
    const threads = threadsOf(process!.pid);
    const identity = [NOBODY, NOBODY, NOBODY, NOBODY].join('\t');
    for (const { name, uids, gids, effective, permitted } of threads) {
      expect([name, uids, gids]).toEqual([name, identity, identity]);
      // Threads of Node's pools that were there before have nothing at all.
      expect([0, ROUTER_CAPABILITIES]).toContain(effective);
      expect(permitted).toBe(effective);
    }
    const able = threads.filter(({ effective }) => effective !== 0);
    for (const { bounding, noNewPrivileges } of able) {
      expect([bounding, noNewPrivileges]).toEqual([ROUTER_CAPABILITIES, true]);
    }
    expect(able.map(({ name }) => name)).toContain('main');
    // Those of netlink and BFD.
    expect(able.length).toBeGreaterThanOrEqual(3);
    // It can take back what it gave.
    await ours.stop();
    expect(await a.namespace.run(['ip', 'route', 'show', '203.0.113.0/24'])).toBe('');
  });

  test.skipIf(skip)('ends at once where it may not write the kernel, and says what to do', async () => {
    const lab = await createLab('nopriv', ['a']);
    const { namespace, directory } = lab.node(0);
    const native = join(directory, 'godwit.yaml');
    const birds = join(directory, 'bird.conf');
    await writeFile(native, 'router: { asn: 1, id: 10.0.0.1 }\nkernel: { install: true }\ncontrol: false\n');
    await writeFile(birds, 'router id 10.0.0.1;\nprotocol device { }\nprotocol kernel { export all; }\n');
    const program = join(projectRoot(), 'bin', 'godwit.js');
    const without = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-all', process.execPath, program];
    const start = (file: string) => namespace.run([...without, 'run', file]);
    const says = (words: RegExp) => ({ stdout: expect.stringMatching(words) });
    await expect(start(native)).rejects.toMatchObject(says(/CAP_NET_ADMIN.*set kernel.install: false/));
    await expect(start(birds)).rejects.toMatchObject(
      says(/CAP_NET_ADMIN.*set `export none;` in protocol kernel/),
    );
  });
});
