// A whole run: the network comes up, faults do their worst, everything heals, configurations go back to what they
// were, and at last all routes are withdrawn. In between it comes to rest, and what must hold is looked at: whatever
// happened, the end is as the beginning.

import { drawFaults, type Fault, type FaultKind } from './faults.ts';
import { brokenForwarding, brokenInvariants, misunderstandings } from './invariants.ts';
import type { SimNode } from './node.ts';
import { drawInteger, drawOne, seededRandom } from './random.ts';
import { TOPOLOGY_KINDS, type TopologyKind, type TopologySize } from './shapes.ts';
import { Simulation } from './simulation.ts';
import { tableSizes } from './tables.ts';
import { buildTopology, type Topology } from './topology.ts';

/** Longer than every wait after errors and restarts that topologies and variants have. */
const CONVERGENCE_LIMIT_MS = 900_000;
/** Far apart, in a row, or all at once. */
const FAULTS_OVER_MS = [300_000, 30_000, 3000];
/** After the last fault: half-open sessions are noticed, and nobody waits for peers that do not come back. */
const AFTERMATH_MS = 400_000;
const MOST_FAULTS = 30;

export interface Scenario {
  readonly seed: number;
  readonly topology: Topology;
  readonly faults: readonly Fault[];
  /** True: latency, windows, kernel delays and slices are drawn from the seed; else a usual local network. */
  readonly rough?: boolean;
}

export interface Phase {
  readonly name: 'start' | 'faults' | 'recovery' | 'withdrawal';
  /** Milliseconds of simulated time until the last movement; undefined = it never came to rest. */
  readonly convergedMs: number | undefined;
  readonly broken: readonly string[];
}

/** A node as it is when the network has come to rest for the last time with routes in it. */
export interface NodeSummary {
  readonly name: string;
  readonly asn: number;
  readonly established: number;
  readonly sessions: number;
  readonly prefixes: number;
  readonly paths: number;
  readonly kernelRoutes: number | undefined;
  readonly messages: number;
  /** `prefix from peer`; on request. */
  readonly routes: readonly string[] | undefined;
}

export interface RunResult {
  readonly scenario: Scenario;
  readonly phases: readonly Phase[];
  readonly nodes: readonly NodeSummary[];
  /** All phases' broken invariants, with the phase's name. */
  readonly broken: readonly string[];
  readonly simulatedMs: number;
  readonly messages: number;
}

export interface DrawOptions {
  readonly kind?: TopologyKind | undefined;
  readonly size?: TopologySize;
  readonly faults?: number | undefined;
  /** The same settings everywhere, and no faults unless asked for: for large networks. */
  readonly plain?: boolean | undefined;
  readonly kinds?: readonly FaultKind[] | undefined;
}

/** The scenario of a seed, always the same. */
export function drawScenario(seed: number, options: DrawOptions = {}): Scenario {
  const random = seededRandom(seed);
  const kind = options.kind ?? drawOne(random, TOPOLOGY_KINDS);
  const topology = buildTopology(kind, random, options.size, options.plain);
  const count = options.faults ?? (options.plain ? 0 : drawInteger(random, 0, MOST_FAULTS));
  const faults = drawFaults(random, topology, {
    count,
    overMs: drawOne(random, FAULTS_OVER_MS),
    ...(options.kinds !== undefined && { kinds: options.kinds }),
  });
  return { seed, topology, faults, rough: options.plain !== true };
}

export interface RunOptions {
  /** Every node's best paths stand in the result. */
  readonly routes?: boolean;
  /** Told of each phase when it is over. */
  readonly onPhase?: (phase: Phase) => void;
}

/** Plays a scenario from start to end; what it throws becomes a broken invariant. */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<RunResult> {
  const simulation = newSimulation(scenario);
  const run = new Run(simulation, scenario, options);
  try {
    await run.play();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    run.add({ name: run.current, convergedMs: undefined, broken: [`threw ${text}`] });
  }
  return {
    scenario,
    phases: run.phases,
    nodes: run.nodes,
    broken: run.phases.flatMap(({ name, broken }) => broken.map((text) => `${name}: ${text}`)),
    simulatedMs: simulation.world.clock.instant,
    messages: messagesOf(simulation.world.nodes),
  };
}

/** The world of a scenario, with the network that its seed draws. */
export function newSimulation({ seed, topology, rough = false }: Scenario): Simulation {
  if (!rough)
    return new Simulation(topology, { seed, jitterMs: 1, startWithinMs: 1000, network: { latencyMs: 1 } });
  const random = seededRandom(seed ^ 0x5eed);
  return new Simulation(topology, {
    seed,
    jitterMs: drawOne(random, [0, 1, 20]),
    startWithinMs: drawOne(random, [0, 1000, 30_000]),
    kernelDelayMs: drawOne(random, [0, 0, 5, 200]),
    exportChunk: drawOne(random, [undefined, 1, 5, 50]),
    lookMs: drawOne(random, [0, 0, 1, 3]),
    highWater: drawOne(random, [undefined, 100, 1000]),
    network: {
      latencyMs: drawOne(random, [0, 1, 5, 40]),
      windowBytes: drawOne(random, [512, 4096, 65_536]),
      segmentBytes: drawOne(random, [100, 1460, 16_384]),
    },
  });
}

class Run {
  readonly phases: Phase[] = [];
  nodes: readonly NodeSummary[] = [];
  current: Phase['name'] = 'start';
  readonly #simulation: Simulation;
  readonly #scenario: Scenario;

  readonly #options: RunOptions;

  constructor(simulation: Simulation, scenario: Scenario, options: RunOptions) {
    this.#simulation = simulation;
    this.#scenario = scenario;
    this.#options = options;
  }

  add(phase: Phase): void {
    this.phases.push(phase);
    this.#options.onPhase?.(phase);
  }

  async play(): Promise<void> {
    const { world } = this.#simulation;
    const { faults } = this.#scenario;
    const nodes = world.nodes;
    this.#simulation.start();
    await this.#rest(
      'start',
      () => allEstablished(nodes),
      () => brokenForwarding(nodes),
    );
    const { ambiguous } = this.#scenario.topology;
    const before = nodes.map((node) => stateOf(node, ambiguous));
    if (faults.length > 0) {
      this.current = 'faults';
      this.#simulation.schedule(faults);
      await world.run(Math.max(...faults.map(({ at, forMs = 0 }) => at + forMs)) + AFTERMATH_MS);
      await this.#rest(
        'faults',
        () => true,
        () => [],
      );
    }
    this.current = 'recovery';
    for (const node of nodes) await this.#restore(node);
    await this.#rest(
      'recovery',
      () => allEstablished(nodes),
      () => [
        ...brokenForwarding(nodes),
        ...nodes.flatMap((node, i) => difference(node.name, before[i]!, stateOf(node, ambiguous))),
      ],
    );
    this.nodes = nodes.map((node) => summaryOf(node, this.#options.routes === true));
    this.current = 'withdrawal';
    for (const node of nodes)
      node.requestReload({ ...this.#simulation.plan(node).config, networks: [], redistribute: [] });
    await this.#rest(
      'withdrawal',
      () => allEstablished(nodes),
      () => nodes.flatMap(leftovers),
    );
  }

  /** Everything as configured at first: no networks of commands, no peer that an operator has stopped or drained. */
  async #restore(node: SimNode): Promise<void> {
    for (const { prefix } of node.routes({ receivedFrom: 'local' })) {
      node.command((api) => api.deleteNetwork(prefix));
    }
    await node.reload(this.#simulation.plan(node).config);
    for (const peer of node.api.peers()) if (!peer.adminUp) node.api.peerUp(peer.name);
    node.api.drain(undefined, false);
  }

  async #rest(name: Phase['name'], ready: () => boolean, more: () => string[]): Promise<void> {
    const simulation = this.#simulation;
    this.current = name;
    const convergedMs = await simulation.rest(CONVERGENCE_LIMIT_MS, ready);
    const broken = brokenInvariants(simulation.world.nodes);
    if (convergedMs === undefined) broken.unshift(...unrest(simulation.world.nodes));
    broken.push(...more());
    if (!this.#scenario.faults.some(({ kind }) => kind === 'corrupt')) {
      broken.push(...misunderstandings(simulation.world.nodes));
    }
    this.add({ name, convergedMs, broken });
  }
}

function allEstablished(nodes: readonly SimNode[]): boolean {
  return nodes.every(({ speaker: { registry } }) => {
    for (const { established } of registry.values()) if (established === undefined) return false;
    return true;
  });
}

/** Who is why it does not come to rest. */
function unrest(nodes: readonly SimNode[]): string[] {
  const waiting = nodes.flatMap((node) =>
    node.api
      .peers()
      .filter(({ state }) => state !== 'Established')
      .map(
        ({ name, state, lastError }) => `${node.name}: peer ${name} is ${state} (${lastError ?? 'no error'})`,
      ),
  );
  return [`not at rest within ${CONVERGENCE_LIMIT_MS / 1000} s`, ...waiting];
}

/** What a node has come to, but for when and in which numbers; of ambiguous outcomes only the prefixes. */
function stateOf(node: SimNode, ambiguous: boolean): string[] {
  if (ambiguous) return [...new Set(node.best().map((text) => text.split(' ')[0]!))].sort();
  const shared = new Map<string, Set<string>>();
  const routes = node.routes().map((route) => {
    const { prefix, peer, best, multipath, eligible, nextHop, attributes } = route;
    // Of several paths of one peer through one next hop, which one stands for it has no meaning.
    if (multipath) shared.set(prefix, (shared.get(prefix) ?? new Set()).add(nextHop));
    return JSON.stringify({ prefix, peer, best, eligible, nextHop, attributes });
  });
  const ways = [...shared].map(([prefix, hops]) => `${prefix} shared by ${[...hops].sort().join(' ')}`);
  return [...routes, ...ways, ...node.kernelRoutes(), JSON.stringify(tableSizes(node))].sort();
}

function difference(name: string, before: readonly string[], after: readonly string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [
    ...before.filter((text) => !is.has(text)).map((text) => `${name}: was ${text}`),
    ...after.filter((text) => !was.has(text)).map((text) => `${name}: is ${text}`),
  ];
}

/** After the last withdrawal nothing is left but the peers. */
function leftovers(node: SimNode): string[] {
  const { prefixes, paths, attributeSets, nextHops } = tableSizes(node);
  const left = prefixes + paths + attributeSets + nextHops;
  return left === 0 ? [] : [`${node.name}: ${JSON.stringify(tableSizes(node))} left`];
}

function summaryOf(node: SimNode, routes: boolean): NodeSummary {
  const peers = node.api.peers();
  const { prefixes, paths } = tableSizes(node);
  return {
    name: node.name,
    asn: node.speaker.config.router.asn,
    established: peers.filter(({ state }) => state === 'Established').length,
    sessions: peers.length,
    prefixes,
    paths,
    kernelRoutes: node.kernel === undefined ? undefined : node.kernelRoutes().length,
    messages: messagesOf([node]),
    routes: routes ? node.best() : undefined,
  };
}

function messagesOf(nodes: readonly SimNode[]): number {
  let total = 0;
  for (const { speaker } of nodes) {
    for (const { peer } of speaker.registry.values()) {
      total += peer.counters.received.reduce((sum, count) => sum + count, 0);
    }
  }
  return total;
}
