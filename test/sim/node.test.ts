// A machine whose processes come and go.

import { expect, it } from 'vitest';
import { seededRandom } from '../../src/sim/random.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { buildTopology } from '../../src/sim/topology.ts';
import { World } from '../../src/sim/world.ts';

it('a process that was killed while it started is not in the way of the next one', async () => {
  const world = new World();
  const own = world.node('own', ['10.0.0.1'], {
    router: { asn: 64512, id: '10.0.0.1' },
    peers: [{ address: '10.0.0.2', asn: 64512, connectDelayTime: 0 }],
  });
  const other = world.node('other', ['10.0.0.2'], {
    router: { asn: 64512, id: '10.0.0.2' },
    peers: [{ address: '10.0.0.1', asn: 64512, passive: true }],
  });
  other.start();
  await world.settle();
  own.start();
  // What follows the promises of the start comes after this.
  own.kill();
  await world.settle();
  own.renew();
  own.start();
  await world.run(1000);
  expect(own.log.filter((line) => line.startsWith('error'))).toEqual([]);
  expect(own.states()).toEqual(['10.0.0.2 Established']);
});

it('a process that is stopped hears of its kernel when it goes on', async () => {
  const topology = buildTopology('mesh', seededRandom(1), { nodes: 2 }, true);
  const nodes = topology.nodes.map((plan) => ({
    ...plan,
    kernel: true,
    config: { ...plan.config, kernel: { install: true, scanTime: 0 } },
  }));
  const simulation = new Simulation({ ...topology, nodes }, { seed: 1 });
  const own = simulation.world.nodes[0]!;
  simulation.start();
  await simulation.rest(60_000);
  const before = own.kernelRoutes();
  own.pause();
  // The kernel drops the routes of a link without a word, after it has said that the link is down.
  simulation.setLink(own, false);
  simulation.setLink(own, true);
  expect(own.kernelRoutes()).toEqual([]);
  await simulation.world.run(1000);
  own.goOn();
  await simulation.world.run(5000);
  expect(before).toHaveLength(1);
  expect(own.kernelRoutes()).toEqual(before);
});

it('a process that is stopped hears what it is asked when it goes on', async () => {
  const simulation = new Simulation(buildTopology('mesh', seededRandom(1), { nodes: 2 }, true), { seed: 1 });
  const own = simulation.world.nodes[0]!;
  simulation.start();
  await simulation.rest(60_000);
  const { clock } = own;
  own.pause();
  simulation.schedule([{ at: 0, kind: 'upgrade', node: own.name }]);
  await simulation.world.run(1000);
  expect(own.clock).toBe(clock);
  own.goOn();
  await simulation.world.run(1000);
  expect(own.clock).not.toBe(clock);
  expect(own.log).toContain('info upgraded: the sessions go on');
});
