// A topology as a running world: machines started, faults let loose, weather on the ways between them, and the moment
// at which nothing moves any more. What must hold then is invariants.ts's; the course of a whole run is run.ts's.

import { MESSAGE_TYPE } from '../bgp/wire/iana.ts';
import { MemKernel } from '../fib/mem-kernel.ts';
import type { Random } from '../lib/clock.ts';
import { formatAddress } from '../lib/ip.ts';
import { FAULT_ROWS, type Fault } from './faults.ts';
import type { MemNetworkOptions } from './network.ts';
import type { SimNode } from './node.ts';
import { drawInteger, drawTrue, seededRandom } from './random.ts';
import type { NodePlan, Topology } from './topology.ts';
import { octets, World } from './world.ts';

/** The link that all machines share. */
export const ETH0 = 2;
const MTU = 1500;
const LOOPBACK_MTU = 65_536;
/** Nothing has moved for so long: it will not any more. */
const CALM_MS = 3000;
const POLL_MS = 1000;

export interface SimulationOptions {
  readonly seed: number;
  readonly network?: MemNetworkOptions;
  /** Packets take up to so many milliseconds more, drawn for each. */
  readonly jitterMs?: number;
  /** Machines start within so many milliseconds. */
  readonly startWithinMs?: number;
  /** Longest answer of a kernel; 0 = at once. */
  readonly kernelDelayMs?: number;
  /** Prefixes that are exported at a time. */
  readonly exportChunk?: number | undefined;
  /** Octets in the queue of a session that make it stop taking routes. */
  readonly highWater?: number | undefined;
  /** Milliseconds that pass for a process between two looks at the clock. */
  readonly lookMs?: number | undefined;
}

export class Simulation {
  readonly world: World;
  readonly topology: Topology;
  readonly #plans = new Map<SimNode, NodePlan>();
  readonly #byName = new Map<string, SimNode>();
  readonly #slow = new Map<string, number>();
  readonly #corrupt = new Map<string, number>();
  readonly #options: SimulationOptions;

  constructor(topology: Topology, options: SimulationOptions) {
    this.topology = topology;
    this.#options = options;
    this.world = new World({
      seed: options.seed,
      ...(options.network !== undefined && { network: options.network }),
    });
    for (const plan of topology.nodes) this.#add(plan);
    const { random, network } = this.world;
    const jitter = options.jitterMs ?? 0;
    network.weather = {
      extraDelay: (from, to) => {
        const slow = this.#slow.size === 0 ? 0 : (this.#slow.get(way(from, to)) ?? 0);
        return jitter + slow === 0 ? 0 : random() * (jitter + slow);
      },
      corrupt: (segment, from, to) => (this.#corrupt.size === 0 ? segment : this.#changed(segment, from, to)),
    };
  }

  node(name: string): SimNode {
    const node = this.#byName.get(name);
    if (node === undefined) throw new RangeError(`there is no node ${name}`);
    return node;
  }

  plan(node: SimNode): NodePlan {
    return this.#plans.get(node)!;
  }

  /** Details of a fault, the same in every run. */
  detail(value: number): Random {
    return seededRandom(value);
  }

  after(ms: number, fn: () => void): void {
    this.world.clock.setTimer(ms, fn);
  }

  start(): void {
    const within = this.#options.startWithinMs ?? 0;
    for (const node of this.world.nodes) {
      this.after(within === 0 ? 0 : drawInteger(this.world.random, 0, within), () => node.start());
    }
  }

  /** Puts faults on the clock, counted from now. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.after(fault.at, () => FAULT_ROWS[fault.kind].apply(this, this.node(fault.node), fault));
    }
  }

  /** Lets time pass until nothing moves and `ready` holds; returns the milliseconds it took, undefined = too long. */
  async rest(limitMs: number, ready: () => boolean = () => true): Promise<number | undefined> {
    const { clock } = this.world;
    const start = clock.instant;
    let movement = '';
    let since = start;
    while (clock.instant - start <= limitMs) {
      const now = this.isBusy() || !ready() ? undefined : this.#movement();
      if (now === undefined || now !== movement) {
        movement = now ?? '';
        since = clock.instant;
      } else if (clock.instant - since >= CALM_MS) return since - start;
      await this.world.run(POLL_MS);
    }
    return undefined;
  }

  /** Something is being worked on, or waited for that will come. */
  isBusy(): boolean {
    return this.world.nodes.some(({ state, speaker, clock }) => {
      if (state !== 'running') return true;
      if (speaker.state !== 'running' || clock.stopped) return true;
      const { rib, kernel, registry } = speaker;
      if (!rib.idle || kernel?.settled === false || (kernel?.fib?.stats().failed ?? 0) > 0) return true;
      for (const groups of rib.groups) {
        for (const group of groups.values()) if (group.pending > 0 || group.lagging().length > 0) return true;
      }
      for (const { restarts, damper } of registry.values()) {
        if (restarts.isWaiting || (damper?.counts.remembered ?? 0) > 0) return true;
      }
      return false;
    });
  }

  /** Changes whenever a route may have moved: on narrow ways long after it was sent. */
  #movement(): string {
    let messages = 0;
    let sessions = 0;
    for (const { speaker } of this.world.nodes) {
      for (const { peer, established } of speaker.registry.values()) {
        for (const counts of [peer.counters.sent, peer.counters.received]) {
          messages += counts.reduce((sum, count) => sum + count, 0) - counts[MESSAGE_TYPE.keepalive]!;
        }
        if (established !== undefined) sessions++;
      }
    }
    return `${messages} ${sessions}`;
  }

  setLink(node: SimNode, up: boolean): void {
    node.kernel?.setLink({ ifindex: ETH0, name: 'eth0', up, loopback: false, mtu: MTU });
  }

  slowDown(a: Uint8Array, b: Uint8Array, extraMs: number, forMs: number): void {
    for (const key of [way(a, b), way(b, a)]) {
      this.#slow.set(key, extraMs);
      this.after(forMs, () => this.#slow.delete(key));
    }
  }

  /** The next segment from `a` to `b` arrives with other octets. */
  corruptNext(a: Uint8Array, b: Uint8Array, seed: number): void {
    this.#corrupt.set(way(a, b), seed);
  }

  endCorruption(a: Uint8Array, b: Uint8Array): void {
    this.#corrupt.delete(way(a, b));
    this.world.network.reset(a, b);
  }

  #changed(segment: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
    const seed = this.#corrupt.get(way(from, to));
    if (seed === undefined || segment.length === 0) return segment;
    this.#corrupt.delete(way(from, to));
    const random = seededRandom(seed);
    const changed = segment.slice();
    for (let count = drawInteger(random, 1, 3); count > 0; count--) {
      const at = drawInteger(random, 0, changed.length - 1);
      changed[at] = drawTrue(random)
        ? changed[at]! ^ (1 << drawInteger(random, 0, 7))
        : drawInteger(random, 0, 255);
    }
    return changed;
  }

  #add(plan: NodePlan): void {
    const { world } = this;
    const { kernelDelayMs: delay = 0, exportChunk, lookMs, highWater: high } = this.#options;
    const node = world.node(plan.name, plan.addresses, plan.config, {
      ...(plan.kernel && { kernel: () => bootedKernel(plan.addresses) }),
      exportChunk,
      lookMs,
      ...(high !== undefined && { waterMarks: { high, low: Math.floor(high / 4) } }),
      ...(delay > 0 && { kernelDelay: () => world.random() * delay }),
    });
    this.#byName.set(plan.name, node);
    this.#plans.set(node, plan);
  }
}

function way(from: Uint8Array, to: Uint8Array): string {
  return `${formatAddress(from)} ${formatAddress(to)}`;
}

/** A kernel with the loopback and eth0, on which the addresses are. */
function bootedKernel(addresses: readonly string[]): MemKernel {
  const kernel = new MemKernel();
  kernel.setLink({ ifindex: 1, name: 'lo', up: true, loopback: true, mtu: LOOPBACK_MTU });
  kernel.setLink({ ifindex: ETH0, name: 'eth0', up: true, loopback: false, mtu: MTU });
  for (const text of addresses) {
    const address = octets(text);
    kernel.addAddress({ ifindex: ETH0, address, prefixLength: address.length === 4 ? 16 : 64 });
  }
  return kernel;
}
