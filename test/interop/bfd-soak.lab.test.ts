// No false alarm: BFD at 50 ms x 3 with BIRD and with FRR, for as long as is asked for, while the bench has another godwit
// take a full table again and again and so keeps the machine's cores busy. It takes half an hour, so it runs only where it
// is asked for: `npm run bfd-soak`.

import { expect, test } from 'vitest';
import type { GodwitDaemon } from '../../bench/daemons/godwit.ts';
import type { BfdSpec, Daemon, DaemonName, DaemonSpec } from '../../bench/daemons/types.ts';
import { run, waitFor } from '../../bench/lab/command.ts';
import type { BfdSessionView } from '../../src/speaker/api.ts';
import { established, labOfEachTest, type Node, peerTo } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

/** None = it is not wanted. */
const MINUTES = Number(process.env['GODWIT_BFD_MINUTES'] ?? 0);
const MS_PER_MINUTE = 60_000;
const FAST: BfdSpec = { interval: 50, multiplier: 3 };
const OWN_AS = 65000;
const HELPERS: readonly DaemonName[] = ['bird', 'frr'];
/** A session for each helper and version of IP. */
const SESSIONS = HELPERS.length * 2;
/** FRR ends sessions once more while its daemons agree among themselves. */
const SETTLE_MS = 20_000;
/** One round, of which most is made ready and taken down. */
const T1 = [process.execPath, 'dist/bench/run.js', '--work', 'T1', '--peers', 'godwit', '--rounds', '1'];
const ROUND_MS = 2 * MS_PER_MINUTE;
const SETUP_MS = 2 * MS_PER_MINUTE;

const createLab = labOfEachTest();
const { skip } = await labRequirement(['godwit', ...HELPERS]);

function spec(self: Node, asn: number, others: readonly (readonly [Node, number])[]): DaemonSpec {
  const peers = others.flatMap(([node, theirs]) =>
    (['ipv4', 'ipv6'] as const).map((family) => peerTo(self, node, theirs, family, { bfd: FAST })),
  );
  return { asn, routerId: self.ipv4, peers, networks: [], kernel: false };
}

test.skipIf(skip || MINUTES === 0)(
  `BFD at 50 ms x 3 raises no false alarm in ${MINUTES} minutes beside T1 in a loop`,
  async () => {
    const lab = await createLab('bfsoak', ['own', ...HELPERS]);
    const [own, ...helpers] = lab.nodes as [Node, ...Node[]];
    const asOf = (i: number): number => OWN_AS + 1 + i;
    const ours = (await lab.start(
      'godwit',
      own,
      spec(
        own,
        OWN_AS,
        helpers.map((node, i) => [node, asOf(i)]),
      ),
    )) as GodwitDaemon;
    const theirs: Daemon[] = [];
    for (const [i, node] of helpers.entries()) {
      theirs.push(await lab.start(HELPERS[i]!, node, spec(node, asOf(i), [[own, OWN_AS]])));
    }
    await established(ours, ...theirs);
    const sessions = () => ours.list<BfdSessionView>('show', 'bfd');
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const before = await waitFor('all BFD sessions are up', async () => {
      const all = await sessions();
      return all.length === SESSIONS && all.every(({ state }) => state === 'Up') && all;
    });
    const fallen = (all: readonly BfdSessionView[]): Record<string, number> =>
      Object.fromEntries(all.map(({ address, downCount }) => [address, downCount]));

    const end = Date.now() + MINUTES * MS_PER_MINUTE;
    let rounds = 0;
    while (Date.now() < end) {
      await run(T1, { timeoutMs: ROUND_MS });
      rounds++;
      expect(fallen(await sessions()), `after ${rounds} rounds of T1`).toEqual(fallen(before));
    }
    expect(rounds).toBeGreaterThan(0);
    expect((await sessions()).map(({ state, timeout }) => [state, timeout])).toEqual(
      before.map(() => ['Up', FAST.interval * FAST.multiplier]),
    );
    console.log(`${MINUTES} minutes, ${rounds} rounds of T1, ${SESSIONS} sessions: none went down`);
  },
  MINUTES * MS_PER_MINUTE + SETUP_MS,
);
