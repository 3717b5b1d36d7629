// The restart lab (restart.lab.test.ts) at a size: SIGKILL of godwit among many helpers, of which one is dead, and a large
// table. No kernel that there is memory for may lose a route for a moment, and no helper may see a withdrawal. It takes minutes and
// gigabytes, so it runs only where it is asked for: `npm run restart-lab`.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startGodwit } from '../../bench/daemons/godwit.ts';
import type { Daemon, DaemonName, DaemonSpec } from '../../bench/daemons/types.ts';
import { run, waitFor } from '../../bench/lab/command.ts';
import type { PeerView, StatusView } from '../../src/speaker/api.ts';
import { kernelRoutes, labOfEachTest, type Node, type PeerOptions, peerTo } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

/** Peers, the dead one included, and routes in all; none = the lab is not wanted. */
const PEERS = Number(process.env['GODWIT_RESTART_PEERS'] ?? 0);
const ROUTES = Number(process.env['GODWIT_RESTART_ROUTES'] ?? 100_000);
/** Helpers whose kernels take part, as many as there is memory for: a route costs the kernel, its daemon and who looks. */
const OCTETS_PER_KERNEL_ROUTE = 2048;
const MEMORY_SHARE = 0.5;
const OWN_AS = 65_000;
const FIRST_AS = 64_600;
const DEAD_ADDRESS = '10.99.0.250';
/** GoBGP is told of its networks one by one. */
const GOBGP_ROUTES = 10;
const TIMEOUT_MS = 1_200_000;
const WAIT_MS = 400_000;
const POLL_MS = 2000;

const full: PeerOptions = { gracefulRestart: true };

interface Helper {
  readonly node: Node;
  readonly kind: DaemonName;
  readonly asn: number;
  readonly networks: readonly string[];
  /** Its kernel has what it has learned, and is watched. */
  readonly kernel: boolean;
}

/** Octets that can be had without swapping. */
function availableMemory(): number {
  const [, kilobytes = '0'] = /^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** /28s of 16.0.0.0/4, one after the other. */
function prefix(index: number): string {
  const address = 0x1000_0000 + index * 16;
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}/28`;
}

function kindOf(index: number): DaemonName {
  return index === 1 ? 'frr' : index === 2 ? 'gobgp' : 'bird';
}

/** Everybody brings the same number of routes, but GoBGP. */
function helpersOf(nodes: readonly Node[]): Helper[] {
  let next = 0;
  let kernels = Math.floor((availableMemory() * MEMORY_SHARE) / (ROUTES * OCTETS_PER_KERNEL_ROUTE));
  const share = Math.ceil((ROUTES - GOBGP_ROUTES) / (nodes.length - 1));
  return nodes.map((node, i) => {
    const kind = kindOf(i);
    const count = kind === 'gobgp' ? GOBGP_ROUTES : Math.min(share, ROUTES - next);
    const networks = Array.from({ length: count }, () => prefix(next++));
    return { node, kind, asn: FIRST_AS + i, networks, kernel: kind !== 'gobgp' && kernels-- > 0 };
  });
}

/** What a BIRD or GoBGP has counted of withdrawals by godwit since its start. */
async function withdrawalsAt(helper: Helper): Promise<number> {
  if (helper.kind === 'gobgp') {
    const [peer] = JSON.parse(await helper.node.namespace.run(['gobgp', 'neighbor', '-j'])) as {
      state: { messages: { received: { withdraw_prefix?: number } } };
    }[];
    return peer?.state.messages.received.withdraw_prefix ?? 0;
  }
  const text = await run(['birdc', '-s', `${helper.node.directory}/bird.ctl`, 'show', 'protocols', 'all']);
  // The last column counts what a sweep of stale routes takes, too.
  const counts = [...text.matchAll(/Import withdraws:\s+(\d+).*?(\d+)$/gm)];
  return counts.reduce((sum, [, received, accepted]) => sum + Number(received) + Number(accepted), 0);
}

const createLab = labOfEachTest();

describe.skipIf(PEERS < 4)(`a restart among ${PEERS} peers with ${ROUTES} routes`, async () => {
  const { skip } = await labRequirement(['godwit', 'bird', 'frr', 'gobgp']);

  test.skipIf(skip)(
    'takes no route from anybody: SIGKILL, then recovery',
    async () => {
      const names = Array.from({ length: PEERS - 1 }, (_, i) => `${kindOf(i)}${i}`);
      const lab = await createLab('scale', ['own', ...names]);
      const [own, ...nodes] = lab.nodes as [Node, ...Node[]];
      const helpers = helpersOf(nodes);
      const spec: DaemonSpec = {
        asn: OWN_AS,
        routerId: own.ipv4,
        peers: [
          ...helpers.map(({ node, asn }) => peerTo(own, node, asn, 'ipv4', full)),
          { ...peerTo(own, nodes[0]!, 64_999, 'ipv4', full), name: 'dead', address: DEAD_ADDRESS },
        ],
        networks: [],
        kernel: true,
      };
      const first = await lab.start('godwit', own, spec);
      const daemons: Daemon[] = [];
      for (const { kind, node, asn, networks, kernel } of helpers) {
        const peers = [peerTo(node, own, OWN_AS, 'ipv4', full)];
        daemons.push(await lab.start(kind, node, { asn, routerId: node.ipv4, peers, networks, kernel }));
      }
      const all = helpers.reduce((sum, { networks }) => sum + networks.length, 0);
      const socket = `${own.directory}/godwit.sock`;
      const config = `${own.directory}/godwit.yaml`;

      /** Everybody but the dead one has what the others have. */
      const complete = async (cli: (...args: string[]) => Promise<string>): Promise<boolean> => {
        const { peers }: { peers: PeerView[] } = JSON.parse(await cli('show', 'peers', '--json'));
        const status: StatusView = JSON.parse(await cli('status', '--json'));
        const missing = peers.filter(({ name, state, families }) => {
          const helper = helpers.find(({ node }) => name === `${node.name}_ipv4`);
          const [family] = families;
          if (helper === undefined) return false;
          const { length } = helper.networks;
          return (
            state !== 'Established' ||
            // FRR sends routes back to where they come from, too.
            (family?.received ?? 0) - (family?.rejected ?? 0) !== length ||
            family?.stale !== 0 ||
            family.advertised !== all - length ||
            !family.endOfRibSent
          );
        });
        const [family] = status.families;
        const recovering = status.problems.some((text) => text.includes('recovering'));
        if (missing.length > 0 || recovering || family?.prefixes !== all) {
          throw new Error(
            `${missing.length} incomplete (${missing[0]?.name} ${JSON.stringify(missing[0]?.families[0])}), ${family?.prefixes} of ${all}: ${status.problems.join('; ')}`,
          );
        }
        return true;
      };
      const cliOf = (args: string[]): Promise<string> =>
        run([process.execPath, 'bin/godwit.js', ...args, '--socket', socket]);
      await waitFor('all routes are everywhere', () => complete((...args) => cliOf(args)), WAIT_MS, POLL_MS);
      const watched = helpers.filter(({ kernel }) => kernel);
      const inKernel = async (node: Node): Promise<number> => (await kernelRoutes(node, 'ipv4')).length;
      const kernelHas = (node: Node, least: number) =>
        waitFor(
          `${least} kernel routes in ${node.name}`,
          async () => {
            const there = await inKernel(node);
            if (there < least) throw new Error(`${there}`);
            return true;
          },
          WAIT_MS,
          POLL_MS,
        );
      await kernelHas(own, all);
      for (const { node, networks } of watched) await kernelHas(node, all - networks.length);
      const counted = helpers.filter(({ kind }) => kind !== 'frr');
      const before = await Promise.all(counted.map(withdrawalsAt));

      const nodesWatched = [own, ...watched.map((helper) => helper.node)];
      const monitors = await Promise.all(nodesWatched.map((node) => lab.watch(node)));
      const killedAt = Date.now();
      await first.processes[0]!.kill();
      const context = { namespace: own.namespace, directory: own.directory };
      const second = lab.adopt(await startGodwit(context, config, socket));
      await waitFor('all routes are everywhere again', () => complete(second.cli), WAIT_MS, POLL_MS);
      const seconds = Math.round((Date.now() - killedAt) / 1000);
      // Whoever sweeps late has the time to.
      await kernelHas(own, all);
      for (const { node, networks } of watched) await kernelHas(node, all - networks.length);

      const deleted = monitors.map((monitor) => monitor.deletions.length);
      const written = monitors.map((monitor) => monitor.lines.length);
      const after = await Promise.all(counted.map(withdrawalsAt));
      const seen = counted.map(({ node }, i) => [node.name, after[i]! - before[i]!] as const);
      process.stderr.write(
        `restart lab: ${PEERS} peers (1 dead), ${all} routes, complete after ${seconds} s; kernel changes ${written.join('/')}, deletions ${deleted.join('/')}\n`,
      );
      expect(deleted).toEqual(monitors.map(() => 0));
      expect(seen.filter(([, count]) => count > 0)).toEqual([]);
      for (const daemon of daemons) for (const process of daemon.processes) process.assertRunning();
    },
    TIMEOUT_MS,
  );
});
