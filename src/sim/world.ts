// A simulated world: one clock, one network, machines that run whole speakers (node.ts). Nothing happens unless
// `settle` or `run` is called, and then always in the same order: what chance decides comes from one seed.

import type { ConfigInput } from '../config/schema.ts';
import type { Random } from '../lib/clock.ts';
import { parseAddress } from '../lib/ip.ts';
import { SimClock } from './clock.ts';
import { MemNetwork, type MemNetworkOptions } from './network.ts';
import { type NodeOptions, SimNode } from './node.ts';
import { seededRandom } from './random.ts';

/** Callbacks due within so many milliseconds run without a break; between breaks the kernel's promises settle. */
const QUANTUM_MS = 1;

export interface WorldOptions {
  readonly network?: MemNetworkOptions;
  readonly seed?: number;
}

export class World {
  readonly clock = new SimClock();
  readonly network: MemNetwork;
  readonly nodes: SimNode[] = [];
  readonly random: Random;

  constructor(options: WorldOptions = {}) {
    this.network = new MemNetwork(this.clock, { latencyMs: 0, ...options.network });
    this.random = seededRandom(options.seed ?? 1);
  }

  /** A machine that runs a speaker. Addresses are `10.0.0.1` or `10.0.0.1@eth1`; eth0 unless said. */
  node(
    name: string,
    addresses: readonly string[],
    input: ConfigInput | string,
    options: NodeOptions = {},
  ): SimNode {
    const host = this.network.host(...addresses.map((text) => octets(text.split('@')[0]!)));
    const node = new SimNode(this, name, addresses, host, input, options);
    this.nodes.push(node);
    return node;
  }

  find(name: string): SimNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  /** Runs until nothing happens without time passing. */
  async settle(): Promise<void> {
    do {
      this.clock.settle();
      await promises();
    } while (this.clock.busy);
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    const { clock } = this;
    const end = clock.instant + ms;
    for (;;) {
      await promises();
      const due = clock.nextDue;
      if (due === undefined || due > end) break;
      clock.advance(Math.min(end, Math.max(due, clock.instant) + QUANTUM_MS) - clock.instant);
    }
    clock.advance(end - clock.instant);
    await promises();
  }
}

/** Everything that promises have to do is done: kernels answer with them. */
function promises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Octets of an address; throws RangeError. */
export function octets(text: string): Uint8Array {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(`${text} is no address`);
  return parsed.bytes;
}
