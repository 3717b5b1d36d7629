// The simulator itself: seeds play the same again, files say what is wrong with them, and what must hold does in a
// few scenarios of each kind. Long campaigns are `npm run sim`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { FAULT_KINDS, type Fault } from '../../src/sim/faults.ts';
import { brokenInvariants } from '../../src/sim/invariants.ts';
import { seededRandom } from '../../src/sim/random.ts';
import { drawScenario, newSimulation, runScenario } from '../../src/sim/run.ts';
import { TOPOLOGY_KINDS } from '../../src/sim/shapes.ts';
import { shrink } from '../../src/sim/shrink.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { buildTopology } from '../../src/sim/topology.ts';
import { parseTopologyFile } from '../../src/sim/topology-file.ts';

const TIMEOUT_MS = 120_000;
const HOUR_MS = 3_600_000;
const FIVE_MINUTES_MS = 300_000;
const EXAMPLE = join(import.meta.dirname, '../../examples/simulation.yaml');
const nothing = (path: string): string => {
  throw new Error(`${path} is not there`);
};

describe('a seed', () => {
  it('draws the same scenario and plays the same again', { timeout: TIMEOUT_MS }, async () => {
    const [one, two] = [drawScenario(7), drawScenario(7)];
    expect(two).toEqual(one);
    expect(drawScenario(8)).not.toEqual(one);
    expect(await runScenario(two)).toEqual(await runScenario(one));
  });

  it.each(TOPOLOGY_KINDS)('what must hold does: %s', { timeout: TIMEOUT_MS }, async (kind) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { broken } = await runScenario(drawScenario(seed, { kind }));
      expect(broken, `godwit simulate ${kind} --seed ${seed}`).toEqual([]);
    }
  });

  it.each(FAULT_KINDS)('with faults of the kind %s', { timeout: TIMEOUT_MS }, async (kind) => {
    const { broken, scenario } = await runScenario(drawScenario(11, { faults: 6, kinds: [kind] }));
    expect(scenario.faults.map((fault) => fault.kind)).toEqual(new Array(6).fill(kind));
    expect(broken, `godwit simulate --seed 11 --faults 6 --kinds ${kind}`).toEqual([]);
  });
});

describe('a wall clock', () => {
  /** Everything that nodes have logged, said and come to, with clocks that jump by hours, there and back, or stand. */
  async function play(seed: number, jumps: number): Promise<unknown> {
    const scenario = drawScenario(seed, { faults: 10 });
    const simulation = newSimulation(scenario);
    const { world } = simulation;
    simulation.start();
    simulation.schedule(scenario.faults.filter(({ kind }) => kind !== 'wall'));
    for (let jump = 0; jump < jumps; jump++) {
      await world.run(FIVE_MINUTES_MS / jumps);
      for (const { clock } of world.nodes) clock.wallOffset = (jump % 2 === 0 ? jump : -jump) * HOUR_MS;
    }
    await world.run(FIVE_MINUTES_MS * (jumps === 0 ? 2 : 1));
    return world.nodes.map((node) => {
      const said = node.api.peers().map(({ name, state, messages }) => ({ name, state, messages }));
      return { name: node.name, log: node.log, said, best: node.best(), kernel: node.kernelRoutes() };
    });
  }

  it.each([3, 7, 12])('that jumps changes nothing: seed %i', { timeout: TIMEOUT_MS }, async (seed) => {
    expect(await play(seed, 30)).toEqual(await play(seed, 0));
  });
});

describe('what does not hold', () => {
  async function mesh() {
    const topology = buildTopology('mesh', seededRandom(1), { nodes: 3 }, true);
    const simulation = new Simulation(topology, { seed: 1 });
    simulation.start();
    await simulation.rest(60_000);
    const [node, other] = simulation.world.nodes;
    expect(brokenInvariants(simulation.world.nodes)).toEqual([]);
    return { simulation, node: node!, other: other! };
  }

  it('is noticed: a best path that no decision gives', async () => {
    const { simulation, node } = await mesh();
    const { paths } = node.speaker.rib.families[0]!;
    paths.setAttrPost(paths.first(1), 0);
    expect(brokenInvariants(simulation.world.nodes).join()).toContain('best path');
  });

  it('is noticed: an attribute set that nobody holds', async () => {
    const { simulation, node } = await mesh();
    const { rib } = node.speaker;
    rib.attrs.hold(rib.families[0]!.locRib.bestAttr(1));
    expect(brokenInvariants(simulation.world.nodes).join()).toMatch(/is held \d+ times/);
  });

  it('is noticed: a prefix that is kept for nothing', async () => {
    const { simulation, node } = await mesh();
    const { prefixes } = node.speaker.rib.families[0]!;
    prefixes.hold(prefixes.intern(Int32Array.of(0x0a00_0000), 0, 8));
    expect(brokenInvariants(simulation.world.nodes).join()).toContain('10.0.0.0/8 is kept for nothing');
  });

  it('is noticed: a route that one side has not sent', async () => {
    const { simulation, other } = await mesh();
    const rib = other.speaker.rib.families[0]!;
    const row = [1, 2, 3].find((each) => rib.paths.peerId(each) !== other.speaker.rib.local.id)!;
    rib.paths.remove(row);
    expect(brokenInvariants(simulation.world.nodes).join()).toContain('sent but not there');
  });

  it('is noticed: a kernel route too many', async () => {
    const topology = buildTopology('mesh', seededRandom(1), { nodes: 2 });
    const plans = topology.nodes.map((plan) => ({
      ...plan,
      kernel: true,
      config: { ...plan.config, kernel: { install: true, scanTime: 0 } },
    }));
    const simulation = new Simulation({ ...topology, nodes: plans }, { seed: 1 });
    simulation.start();
    await simulation.rest(300_000);
    const [node] = simulation.world.nodes;
    expect(brokenInvariants(simulation.world.nodes)).toEqual([]);
    const kernel: MemKernel = node!.kernel!;
    const [route] = kernel.routes().filter(({ protocol }) => protocol === 12);
    kernel.deaf = true;
    kernel.addRoute({ ...route!, prefix: { bytes: Uint8Array.of(192, 0, 2, 0), length: 25 } });
    expect(brokenInvariants(simulation.world.nodes).join()).toContain('only in the kernel: 192.0.2.0/25');
  });

  it('is found again with the fewest faults', { timeout: TIMEOUT_MS }, async () => {
    // A half of a session without hold time that nobody talks over stays for ever: both wait to be called.
    const settings = { asn: 64512, holdTime: 0, gracefulRestart: 'off' } as const;
    const nodes = [1, 2].map((own) => ({
      name: `node-${own}`,
      addresses: [`10.0.0.${own}`],
      kernel: false,
      config: {
        router: { asn: 64512, id: `10.0.0.${own}` },
        peers: [{ address: `10.0.0.${3 - own}`, ...settings, passive: own === 2 }],
      },
    }));
    const faults: Fault[] = [1, 2, 3, 4].map((at) => ({ at, kind: 'wall', node: 'node-1', value: at }));
    faults.splice(2, 0, { at: 3, kind: 'power', node: 'node-2', forMs: 1000 });
    const scenario = { seed: 1, topology: { name: 'two', nodes, ambiguous: false }, faults };
    const { broken } = await runScenario(scenario);
    expect(broken.join()).toContain('recovery: not at rest');
    const shortest = await shrink(scenario, broken);
    expect(shortest?.scenario.faults.map(({ kind }) => kind)).toEqual(['power']);
  });
});

describe('a topology file', () => {
  it('the example plays', { timeout: TIMEOUT_MS }, async () => {
    const scenario = parseTopologyFile(readFileSync(EXAMPLE, 'utf8'), EXAMPLE, nothing);
    expect(scenario.topology.nodes.map(({ name }) => name)).toContain('node-6');
    const { broken, nodes } = await runScenario(scenario, { routes: true });
    expect(broken).toEqual([]);
    expect(nodes.find(({ name }) => name === 'node-1')?.routes).toContain('0.0.0.0/0 from 10.0.2.1');
  });

  it('names a configuration of its own', () => {
    const text = 'nodes: { a: { addresses: [10.0.0.1], config: own.yaml } }';
    const { topology } = parseTopologyFile(text, '/lab/t.yaml', (path) => `router: { asn: 1 } # ${path}`);
    expect(topology.nodes[0]?.config).toEqual({ router: { asn: 1 } });
  });

  it.each([
    ['nodes: {', /^t\.yaml:1:\d+: /],
    ['nodez: {}', /^t\.yaml:1:1: .*nodez/],
    ['seed: 1', /either nodes or kind/],
    ['nodes: 3', 't.yaml:1:8: nodes: expected a mapping, as in examples/simulation.yaml'],
    [
      'seed: 1\nnodes: { a: { asn: 1, config: {} } }',
      't.yaml:2:13: nodes.a.addresses: is missing: a list\nt.yaml:2:13: nodes.a: unknown key asn',
    ],
    ['kind: mesh\nsize: { nodes: 0 }', /^t\.yaml:2:16: size\.nodes: /],
    ['kind: mesh\nfaults: [{ at: 1, kind: kill, node: nobody }]', /there is no node "nobody"/],
    ['kind: mesh\nfaults: [{ at: 1, kind: lull, node: node-1 }]', /faults/],
  ])('says what is wrong with it: %s', (text, message) => {
    expect(() => parseTopologyFile(text, 't.yaml', nothing)).toThrow(message);
  });
});
