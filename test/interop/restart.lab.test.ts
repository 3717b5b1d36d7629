// godwit dies and comes back among peers that help, and one that is dead: nobody's kernel loses a route, not even for a
// moment, and what was really gone goes in the end (RFC 4724 §4.1).

import { describe, expect, test } from 'vitest';
import type { DaemonSpec } from '../../bench/daemons/types.ts';
import { waitFor } from '../../bench/lab/command.ts';
import { labOfEachTest, type Node, type PeerOptions, peerTo, waitForKernel } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const AS = { own: 65000, bird: 65001, frr: 65002, dead: 65003 } as const;
const FROM_BIRD = ['203.0.113.0/24', '198.51.100.0/24'];
const FROM_FRR = '192.0.2.0/24';
const DEAD = '10.99.0.77';
/** Routes are chosen without the dead peer after 20 s. */
const RECOVERY_MS = 60_000;

const createLab = labOfEachTest();

const full: PeerOptions = { gracefulRestart: true };

function ownSpec(own: Node, bird: Node, frr: Node): DaemonSpec {
  const dead = { ...peerTo(own, bird, AS.dead, 'ipv4', full), name: 'dead', address: DEAD };
  return {
    asn: AS.own,
    routerId: own.ipv4,
    peers: [peerTo(own, bird, AS.bird, 'ipv4', full), peerTo(own, frr, AS.frr, 'ipv4', full), dead],
    networks: [],
    kernel: true,
  };
}

function helperSpec(own: Node, helper: Node, asn: number, networks: readonly string[]): DaemonSpec {
  const peers = [peerTo(helper, own, AS.own, 'ipv4', full)];
  return { asn, routerId: helper.ipv4, peers, networks, kernel: true };
}

describe('a restart', async () => {
  const { skip } = await labRequirement(['godwit', 'bird', 'frr']);

  test.skipIf(skip)(
    'takes no route from anybody: SIGKILL, then recovery with BIRD and FRR as helpers and a dead peer',
    async () => {
      const lab = await createLab('rest', ['own', 'bird', 'frr']);
      const [own, bird, frr] = [lab.node(0), lab.node(1), lab.node(2)];
      const first = await lab.start('godwit', own, ownSpec(own, bird, frr));
      await lab.start('bird', bird, helperSpec(own, bird, AS.bird, FROM_BIRD));
      await lab.start('frr', frr, helperSpec(own, frr, AS.frr, [FROM_FRR]));
      for (const prefix of FROM_BIRD) await waitForKernel(frr, 'ipv4', prefix);
      await waitForKernel(bird, 'ipv4', FROM_FRR);
      for (const prefix of [...FROM_BIRD, FROM_FRR]) await waitForKernel(own, 'ipv4', prefix);

      const watched = await Promise.all([own, bird, frr].map((node) => lab.watch(node)));
      await first.processes[0]!.kill();
      const second = await lab.start('godwit', own, ownSpec(own, bird, frr));
      await waitFor(
        'routes are chosen',
        async () => {
          const best = (await second.routes('ipv4')).filter((route) => route.best);
          const status = JSON.stringify(await second.askStatus());
          return best.length === 3 && !status.includes('recovering from a restart');
        },
        RECOVERY_MS,
        500,
      );
      for (const prefix of FROM_BIRD) await waitForKernel(frr, 'ipv4', prefix);
      await waitForKernel(bird, 'ipv4', FROM_FRR);
      for (const prefix of [...FROM_BIRD, FROM_FRR]) await waitForKernel(own, 'ipv4', prefix);
      expect(watched.flatMap((monitor) => monitor.deletions)).toEqual([]);
    },
    3 * RECOVERY_MS,
  );
});
