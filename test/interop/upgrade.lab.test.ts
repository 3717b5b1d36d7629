// A live upgrade among BIRD, FRR and a peer that never stops sending updates: nobody's session ends, no kernel route goes,
// and in the end everybody has what the peer said last.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GodwitDaemon } from '../../bench/daemons/godwit.ts';
import type { Daemon } from '../../bench/daemons/types.ts';
import { run, waitFor } from '../../bench/lab/command.ts';
import type { ManagedProcess } from '../../bench/lab/managed-process.ts';
import {
  established,
  type Lab,
  labOfEachTest,
  type Node,
  type PeerOptions,
  peerTo,
  waitForKernel,
} from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const AS = { own: 65000, bird: 65001, frr: 65002, churn: 65003 } as const;
const STABLE = 120;
const FLAPPING = 40;
const LAST = 9999;
const FROM_BIRD = ['203.0.113.0/24', '198.51.100.0/24'];
const FROM_FRR = '192.0.2.0/24';
const BFD = { interval: 300, multiplier: 3 };
const CONVERGE_MS = 30_000;
/** Number of a kernel table. */
const BLUE = 100;
const SCRIPT = new URL('../support/lab/churn-peer.mjs', import.meta.url).pathname;

const createLab = labOfEachTest();

/** BIRD with routes of its own, which has `speaker` as its peer. */
function startBird(lab: Lab, node: Node, speaker: Node, options: PeerOptions = {}): Promise<Daemon> {
  return lab.start('bird', node, {
    asn: AS.bird,
    routerId: node.ipv4,
    peers: [peerTo(node, speaker, AS.own, 'ipv4', options)],
    networks: FROM_BIRD,
    kernel: true,
  });
}

/** The peer of churn-peer.mjs, up and at it. */
async function startChurn(lab: Lab, node: Node, speaker: Node): Promise<ManagedProcess> {
  const words = [speaker.ipv4, node.ipv4, AS.churn, STABLE, FLAPPING, LAST].map(String);
  const churn = lab.run('churn', node, [process.execPath, SCRIPT, ...words]);
  await waitFor('the churn begins', async () => {
    churn.assertRunning();
    return churn.logTail().includes('up');
  });
  return churn;
}

/** Since when the session is up, in BIRD's words, and how often FRR has had one. */
async function sessions(bird: Node, frr: Node): Promise<{ bird: string | undefined; frr: unknown }> {
  const text = await run(['birdc', '-s', join(bird.directory, 'bird.ctl'), 'show', 'protocols']);
  const line = text.split('\n').find((each) => each.includes('BGP'));
  const vty = ['vtysh', '--vty_socket', join(frr.directory, 'vty'), '-d', 'bgpd'];
  const neighbors = JSON.parse(await run([...vty, '-c', 'show bgp neighbors json']));
  return {
    bird: line?.replace(/\s+/g, ' '),
    frr: Object.values(neighbors).map((each) => Reflect.get(each as object, 'connectionsEstablished')),
  };
}

function finalTable(): string[] {
  const stable = Array.from({ length: STABLE }, (_, i) => `10.${50 + (i >> 8)}.${i & 255}.0/24`);
  const half = Array.from({ length: FLAPPING / 2 }, (_, i) => `10.60.${i}.0/24`);
  return [...stable, ...half].map((prefix) => `${prefix} ${AS.churn}:${LAST}`).sort();
}

async function hasFinalTable(daemon: Daemon): Promise<void> {
  const wanted = finalTable();
  await waitFor(
    `${daemon.name} has what was said last`,
    async () => {
      const routes = (await daemon.routes('ipv4')).filter(({ prefix }) => prefix.startsWith('10.'));
      const there = routes.map(({ prefix, communities }) => `${prefix} ${communities.join(' ')}`).sort();
      const wrong = there.filter((each) => !wanted.includes(each));
      if (there.length !== wanted.length || wrong.length > 0) {
        throw new Error(`${there.length} routes instead of ${wanted.length}; wrong: ${wrong.slice(0, 5)}`);
      }
      return true;
    },
    CONVERGE_MS,
    500,
  );
}

describe('a live upgrade', async () => {
  const { skip } = await labRequirement(['godwit', 'bird', 'frr']);

  test.skipIf(skip)(
    'under churn, twice, with TCP-MD5, BFD and the kernel: nobody notices',
    async () => {
      const lab = await createLab('upgr', ['own', 'bird', 'frr', 'churn']);
      const [own, bird, frr, churner] = [lab.node(0), lab.node(1), lab.node(2), lab.node(3)];
      const signed = { password: 'sesame', bfd: BFD };
      const godwit = (await lab.start('godwit', own, {
        asn: AS.own,
        routerId: own.ipv4,
        peers: [
          peerTo(own, bird, AS.bird, 'ipv4', signed),
          peerTo(own, frr, AS.frr, 'ipv4', { bfd: BFD }),
          peerTo(own, churner, AS.churn, 'ipv4', { passive: true }),
        ],
        networks: [],
        kernel: true,
      })) as GodwitDaemon;
      const birdDaemon = await startBird(lab, bird, own, signed);
      const frrDaemon = await lab.start('frr', frr, {
        asn: AS.frr,
        routerId: frr.ipv4,
        peers: [peerTo(frr, own, AS.own, 'ipv4', { bfd: BFD })],
        networks: [FROM_FRR],
        kernel: true,
      });
      const churn = await startChurn(lab, churner, own);
      await established(godwit, birdDaemon, frrDaemon);
      await waitForKernel(bird, 'ipv4', FROM_FRR);
      await waitForKernel(frr, 'ipv4', FROM_BIRD[0]!);
      for (let i = 0; i < STABLE; i += STABLE - 1) {
        await waitForKernel(bird, 'ipv4', `10.${50 + (i >> 8)}.${i & 255}.0/24`);
      }
      const bfdUp = async () =>
        (await godwit.list<{ upCount: number; state: string }>('show', 'bfd')).map(({ upCount, state }) => [
          state,
          upCount,
        ]);
      await waitFor('BFD is up', async () => (await bfdUp()).every(([state]) => state === 'Up'));
      const paths = await bfdUp();
      const before = await sessions(bird, frr);
      const pid = godwit.processes[0]!.pid;
      const watched = await Promise.all([own, bird, frr].map((node) => lab.watch(node)));

      for (const time of [1, 2]) {
        const answer = await godwit.cli('upgrade');
        expect(answer, `time ${time}`).toContain('3 sessions went on; 3 are established');
      }
      const bad = join(own.directory, 'bad.js');
      await writeFile(bad, "console.error('not today'); process.exit(3);\n");
      await expect(godwit.cli('upgrade', '--program', bad)).rejects.toThrow('not today');

      process.kill(churn.pid, 'SIGHUP');
      await hasFinalTable(birdDaemon);
      await hasFinalTable(frrDaemon);
      churn.assertRunning();
      expect(churn.logTail()).not.toMatch(/closed|notification|error/);
      expect(await sessions(bird, frr)).toEqual(before);
      expect(await bfdUp()).toEqual(paths);
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('godwit.js');
      // What flaps, flaps.
      const lost = watched.flatMap(({ deletions }) => deletions).filter((line) => !line.includes('10.60.'));
      expect(lost).toEqual([]);
    },
    6 * CONVERGE_MS,
  );

  test.skipIf(skip)(
    'under churn through a pipe, with a kernel table of its own for the table that it comes from',
    async () => {
      const lab = await createLab('upgrt', ['own', 'bird', 'churn']);
      const [own, bird, churner] = [lab.node(0), lab.node(1), lab.node(2)];
      const config = `router id ${own.ipv4};
ipv4 table blue;
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol kernel { kernel table ${BLUE}; ipv4 { table blue; export all; }; }
protocol pipe { table master4; peer table blue; export all; import all; }
protocol static { ipv4 { table blue; }; route ${FROM_FRR} blackhole; }
protocol bgp up { local as ${AS.own}; neighbor ${bird.ipv4} as ${AS.bird}; ipv4 { import all; export all; }; }
protocol bgp churn { local as ${AS.own}; neighbor ${churner.ipv4} as ${AS.churn}; passive;
  ipv4 { table blue; import all; export all; }; }
`;
      const face = await (await lab.bird('godwit', own, config)).ready();
      const birdDaemon = await startBird(lab, bird, own);
      const churn = await startChurn(lab, churner, own);
      await established(birdDaemon);
      await waitForKernel(bird, 'ipv4', FROM_FRR);
      for (let i = 0; i < STABLE; i += STABLE - 1) {
        await waitForKernel(bird, 'ipv4', `10.${50 + (i >> 8)}.${i & 255}.0/24`);
      }
      const inBlue = async () => {
        const routes = await own.namespace.ipJson('-4', 'route', 'show', 'table', String(BLUE));
        return routes.map(({ dst }) => String(dst)).filter((prefix) => !prefix.startsWith('10.60.'));
      };
      await waitFor(
        'both tables are full',
        async () => (await inBlue()).length === STABLE + 1 + FROM_BIRD.length,
      );
      const before = (await inBlue()).sort();
      const watched = await Promise.all([own, bird].map((node) => lab.watch(node)));
      const socket = join(own.directory, 'godwit-bird.sock');
      const godwit = [process.execPath, new URL('../../bin/godwit.js', import.meta.url).pathname];
      for (const time of [1, 2]) {
        const answer = await run([...godwit, 'upgrade', '-s', socket]);
        expect(answer, `time ${time}`).toContain('2 sessions went on');
        await face.ready();
      }
      process.kill(churn.pid, 'SIGHUP');
      await hasFinalTable(birdDaemon);
      churn.assertRunning();
      expect(churn.logTail()).not.toMatch(/closed|notification|error/);
      expect((await inBlue()).sort()).toEqual(before);
      // What flaps, flaps.
      const lost = watched.flatMap(({ deletions }) => deletions).filter((line) => !line.includes('10.60.'));
      expect(lost).toEqual([]);
    },
    6 * CONVERGE_MS,
  );

  test.skipIf(skip)(
    "as BIRD's process in the background, with its PID file, and with a peer that a range has admitted",
    async () => {
      const lab = await createLab('upgrb', ['own', 'bird']);
      const [own, bird] = [lab.node(0), lab.node(1)];
      const config = `router id ${own.ipv4};
protocol device {}
protocol kernel { ipv4 { export all; }; }
protocol static { ipv4; route 10.70.0.0/24 blackhole; }
protocol bgp ranged { local as ${AS.own}; neighbor range 10.99.0.0/24 as ${AS.bird}; ipv4 { import all; export all; }; }
`;
      const face = await (await lab.bird('godwit', own, config)).ready();
      const birdDaemon = await startBird(lab, bird, own);
      await established(birdDaemon);
      await waitForKernel(own, 'ipv4', FROM_BIRD[0]!);
      await waitForKernel(bird, 'ipv4', '10.70.0.0/24');
      const protocols = async () => (await face.ask('show protocols')).replace(/ +/g, ' ');
      const before = await protocols();
      const pid = await readFile(face.pidFile, 'utf8');
      const watched = await Promise.all([own, bird].map((node) => lab.watch(node)));
      const socket = join(own.directory, 'godwit-bird.sock');
      const godwit = [process.execPath, new URL('../../bin/godwit.js', import.meta.url).pathname];
      expect(await run([...godwit, 'upgrade', '-s', socket])).toContain('1 sessions went on');
      await face.ready();
      expect(await protocols()).toBe(before);
      expect(await readFile(face.pidFile, 'utf8')).toBe(pid);
      expect(watched.flatMap(({ lines }) => lines)).toEqual([]);
      await established(birdDaemon);
    },
    6 * CONVERGE_MS,
  );
});
