// Long-lived graceful restart (RFC 9494) beside BIRD, FRR and GoBGP: who goes away without a word is remembered as the
// last resort, by godwit and of godwit, and only those hear of it who know what that is.

import { describe, expect, test } from 'vitest';
import type { Daemon, DaemonSpec } from '../../bench/daemons/types.ts';
import { waitFor } from '../../bench/lab/command.ts';
import { labOfEachTest, type PeerOptions, peerTo, waitForKernel } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const AS = { own: 65000, bird: 65001, frr: 65002, gobgp: 65003 } as const;
const FROM_BIRD = '203.0.113.0/24';
const FROM_FRR = '192.0.2.0/24';
/** As the programs write LLGR_STALE. */
const STALE = ['LLGR_STALE', 'llgr-stale', 'llgrStale', '65535:6'];
const TIMEOUT_MS = 120_000;

const long: PeerOptions = { gracefulRestart: true, longLived: { restartTime: 2, staleTime: 300 } };

const createLab = labOfEachTest();

/** What a daemon's best route of a prefix is: none, usual, or long-lived stale. */
async function standing(daemon: Daemon, prefix: string): Promise<'none' | 'usual' | 'stale'> {
  const route = (await daemon.routes('ipv4')).find((each) => each.prefix === prefix && each.best);
  if (route === undefined) return 'none';
  return route.communities.some((community) => STALE.includes(community)) ? 'stale' : 'usual';
}

async function become(prefix: string, wanted: readonly (readonly [Daemon, string])[]): Promise<void> {
  await waitFor(
    `${prefix} becomes ${wanted.map(([{ name }, state]) => `${state} at ${name}`).join(', ')}`,
    async () => {
      const states = await Promise.all(wanted.map(([daemon]) => standing(daemon, prefix)));
      if (states.join() !== wanted.map(([, state]) => state).join()) throw new Error(states.join());
      return true;
    },
    TIMEOUT_MS / 2,
    200,
  );
}

describe('long-lived graceful restart', async () => {
  const { skip } = await labRequirement(['godwit', 'bird', 'frr', 'gobgp']);

  test.skipIf(skip)(
    'routes of who is killed live on as the last resort, BIRD with godwit and godwit with BIRD',
    async () => {
      const lab = await createLab('llgr', ['own', 'bird', 'frr', 'gobgp']);
      const [own, bird, frr, gobgp] = [lab.node(0), lab.node(1), lab.node(2), lab.node(3)];
      const spec: DaemonSpec = {
        asn: AS.own,
        routerId: own.ipv4,
        peers: [
          peerTo(own, bird, AS.bird, 'ipv4', long),
          peerTo(own, frr, AS.frr, 'ipv4', long),
          peerTo(own, gobgp, AS.gobgp, 'ipv4'),
        ],
        networks: [],
        kernel: true,
      };
      const birdSpec: DaemonSpec = {
        asn: AS.bird,
        routerId: bird.ipv4,
        peers: [peerTo(bird, own, AS.own, 'ipv4', long)],
        networks: [FROM_BIRD],
        kernel: true,
      };
      const frrSpec: DaemonSpec = {
        asn: AS.frr,
        routerId: frr.ipv4,
        peers: [peerTo(frr, own, AS.own, 'ipv4', long)],
        networks: [FROM_FRR],
        kernel: false,
      };
      const gobgpSpec: DaemonSpec = {
        asn: AS.gobgp,
        routerId: gobgp.ipv4,
        peers: [peerTo(gobgp, own, AS.own, 'ipv4')],
        networks: [],
        kernel: false,
      };
      const speaker = await lab.start('godwit', own, spec);
      const inBird = await lab.start('bird', bird, birdSpec);
      const inFrr = await lab.start('frr', frr, frrSpec);
      const inGobgp = await lab.start('gobgp', gobgp, gobgpSpec);
      await become(FROM_BIRD, [
        [speaker, 'usual'],
        [inFrr, 'usual'],
        [inGobgp, 'usual'],
      ]);
      await become(FROM_FRR, [[inBird, 'usual']]);
      await waitForKernel(own, 'ipv4', FROM_BIRD);

      const ourRoutes = await lab.watch(own);
      await inBird.processes[0]!.kill();
      await become(FROM_BIRD, [
        [speaker, 'stale'],
        [inFrr, 'stale'],
        [inGobgp, 'none'],
      ]);
      expect(ourRoutes.deletions).toEqual([]);

      const again = await lab.start('bird', bird, birdSpec);
      await become(FROM_BIRD, [
        [speaker, 'usual'],
        [inFrr, 'usual'],
        [inGobgp, 'usual'],
      ]);
      await become(FROM_FRR, [[again, 'usual']]);
      await waitForKernel(bird, 'ipv4', FROM_FRR);

      const theirRoutes = await lab.watch(bird);
      await speaker.processes[0]!.kill();
      await become(FROM_FRR, [[again, 'stale']]);
      await lab.start('godwit', own, spec);
      await become(FROM_FRR, [[again, 'usual']]);
      expect(theirRoutes.deletions).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
