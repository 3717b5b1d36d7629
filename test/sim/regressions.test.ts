// Faults that the simulator found once, each as the shortest scenario that showed it.

import { expect, it } from 'vitest';
import type { SettingsInput } from '../../src/config/schema-peer.ts';
import type { Fault } from '../../src/sim/faults.ts';
import { drawScenario, runScenario } from '../../src/sim/run.ts';
import type { NodePlan, Topology } from '../../src/sim/topology.ts';

const TIMEOUT_MS = 60_000;

/** Two machines of one AS with a network each. */
function two(settings: SettingsInput): Topology {
  const node = (own: number, other: number): NodePlan => ({
    name: `node-${own}`,
    addresses: [`10.0.0.${own}`],
    kernel: true,
    config: {
      router: { asn: 64512, id: `10.0.0.${own}` },
      kernel: { install: true },
      peers: [{ address: `10.0.0.${other}`, asn: 64512, ...settings }],
      networks: [`10.100.${own}.0/24`],
    },
  });
  return { name: 'two', nodes: [node(1, 2), node(2, 1)], ambiguous: false };
}

async function broken(topology: Topology, ...faults: Fault[]): Promise<readonly string[]> {
  return (await runScenario({ seed: 1, topology, faults })).broken;
}

it(
  'a session without hold time and graceful restart does not keep out a peer that lost its machine',
  async () => {
    const topology = two({ holdTime: 0, gracefulRestart: 'off', errorWaitMin: 1, errorWaitMax: 10 });
    expect(await broken(topology, { at: 1000, kind: 'power', node: 'node-2', forMs: 3000 })).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'a member AS with two ways out of its confederation comes to the same end, whichever it has heard of first',
  async () => {
    const { topology } = drawScenario(30001757);
    const ends = await Promise.all(
      [1000, 1010].map(async (seed) => {
        const { nodes, broken } = await runScenario(
          { seed, topology, faults: [], rough: true },
          { routes: true },
        );
        expect(broken).toEqual([]);
        return nodes.map(({ name, routes, paths }) => ({ name, routes, paths }));
      }),
    );
    expect(ends[1]).toEqual(ends[0]);
  },
  TIMEOUT_MS,
);
