// Simulated worlds for tests: whole speakers in one process (src/sim), each with a simulated kernel where it wants one,
// and scripted peers. Configuration is written in the native language, as users write it.

import type { ConfigInput } from '../../src/config/schema.ts';
import { MemKernel } from '../../src/fib/mem-kernel.ts';
import { parsePrefix, prefixContains } from '../../src/lib/ip.ts';
import type { SimClock } from '../../src/sim/clock.ts';
import type { MemHost, MemNetwork, MemNetworkOptions } from '../../src/sim/network.ts';
import type { NodeOptions, SimNode } from '../../src/sim/node.ts';
import { World } from '../../src/sim/world.ts';
import { ip, RawPeer, type RawPeerOptions } from './raw-peer.ts';

export type SimSpeaker = SimNode;

/** Long enough for the first connection attempts (connectDelayTime is 5 s) and a collision. */
const START_MS = 12_000;

export class SimLab {
  readonly world: World;
  readonly #hosts = new Map<string, MemHost>();

  constructor(options: { network?: MemNetworkOptions; seed?: number } = {}) {
    this.world = new World(options);
  }

  get clock(): SimClock {
    return this.world.clock;
  }

  get network(): MemNetwork {
    return this.world.network;
  }

  get speakers(): readonly SimSpeaker[] {
    return this.world.nodes;
  }

  get random(): () => number {
    return this.world.random;
  }

  /** A machine that runs a speaker. Addresses are `10.0.0.1` or `10.0.0.1@eth1`; eth0 unless said. */
  speaker(
    name: string,
    addresses: readonly string[],
    input: ConfigInput | string,
    options: Pick<NodeOptions, 'openBfd' | 'dumpStore'> & { kernel?: MemKernel } = {},
  ): SimSpeaker {
    return this.world.node(name, addresses, input, options);
  }

  /** A scripted peer with an address of its own. */
  raw(address: string, options: RawPeerOptions): RawPeer {
    const host = this.#hosts.get(address) ?? this.network.host(ip(address));
    this.#hosts.set(address, host);
    return new RawPeer(host, address, options);
  }

  /** Starts all speakers and lets them find each other. */
  async start(ms = START_MS): Promise<void> {
    for (const speaker of this.speakers) speaker.start();
    await this.run(ms);
  }

  /** Scripted peers dial in; returns when nothing happens any more. */
  async connect(speaker: SimSpeaker, ...peers: RawPeer[]): Promise<void> {
    for (const peer of peers) {
      const sameVersion = speaker.addresses.find((own) => own.includes(':') === peer.address.includes(':'));
      peer.connect(sameVersion ?? speaker.addresses[0]!);
    }
    await this.settle();
  }

  /** Runs until nothing happens without time passing. */
  settle(): Promise<void> {
    return this.world.settle();
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    await this.settle();
    await this.world.run(ms);
  }
}

/** A kernel with the given links: `eth0 10.0.0.1/24 2001:db8::1/64` each. */
export function simKernel(...links: readonly string[]): MemKernel {
  const kernel = new MemKernel();
  kernel.setLink({ ifindex: 1, name: 'lo', up: true, loopback: true, mtu: 65536 });
  for (const [at, text] of links.entries()) {
    const [name = '', ...addresses] = text.split(' ');
    const ifindex = at + 2;
    kernel.setLink({ ifindex, name, up: true, loopback: false, mtu: 1500 });
    for (const each of addresses) {
      const [address = '', length = ''] = each.split('/');
      kernel.addAddress({ ifindex, address: ip(address), prefixLength: Number(length) });
    }
  }
  return kernel;
}

/** A foreign kernel route, over the link that the gateway is on. */
export function kernelRoute(
  kernel: MemKernel,
  prefix: string,
  via: string,
  fields: { metric?: number; protocol?: number; table?: number } = {},
): void {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new Error(`${prefix} is no prefix`);
  const gateway = ip(via);
  const connected = kernel.routes().find((route) => {
    return route.nextHops[0]?.gateway === undefined && prefixContains(route.prefix, gateway);
  });
  const ifindex = connected?.nextHops[0]?.ifindex;
  kernel.addRoute({
    prefix: parsed,
    table: fields.table ?? 254,
    metric: fields.metric ?? 0,
    protocol: fields.protocol ?? 4,
    type: 'unicast',
    nextHops: [{ gateway, ...(ifindex !== undefined && { ifindex }) }],
  });
}
