// What can go wrong in a simulation, one row a kind: how to draw one, how to bring it about, what to call it. A fault
// is plain data, so that a list of them can be printed, shortened and played again. Each ends by itself.

import { ERRNO } from '../fib/errno.ts';
import type { Random } from '../lib/clock.ts';
import type { SimNode } from './node.ts';
import { drawInteger, drawOne, drawTrue } from './random.ts';
import { ETH0, type Simulation } from './simulation.ts';
import { drawNetwork, type Topology } from './topology.ts';
import { drawChange } from './variants.ts';
import { octets } from './world.ts';

export interface Fault {
  /** Milliseconds after the start. */
  readonly at: number;
  readonly kind: FaultKind;
  readonly node: string;
  readonly other?: string | undefined;
  /** How long it lasts, milliseconds. */
  readonly forMs?: number | undefined;
  /** What else belongs to it: an errno, a number of octets, a seed for details. */
  readonly value?: number | undefined;
}

type Drawn = Omit<Fault, 'at' | 'kind'>;

interface FaultRow {
  /** How often, compared with the others. */
  readonly weight: number;
  draw(random: Random, topology: Topology): Drawn;
  apply(simulation: Simulation, node: SimNode, fault: Fault): void;
}

const ERRNOS = [ERRNO.ENOBUFS, ERRNO.ENOMEM, ERRNO.EINVAL, ERRNO.EEXIST, ERRNO.ENETUNREACH, ERRNO.ESRCH];
const RETRANSMISSION_MS = 200;
const MAIN_TABLE = 254;
const RTPROT_STATIC = 4;

function anyNode(random: Random, { nodes }: Topology): { node: string } {
  return { node: drawOne(random, nodes).name };
}

/** Two that are peers of each other. */
function pair(random: Random, { nodes }: Topology): { node: string; other: string } {
  const byAddress = new Map(
    nodes.flatMap(({ addresses, name }) => addresses.map((text) => [text, name] as const)),
  );
  const pairs = nodes.flatMap(({ name, config }) =>
    (config.peers ?? []).flatMap(({ address }) => {
      const other = byAddress.get(address);
      return other === undefined ? [] : [{ node: name, other }];
    }),
  );
  return drawOne(random, pairs);
}

/** Mostly short, now and then longer than hold times and restart times. */
function duration(random: Random): { forMs: number } {
  return { forMs: drawTrue(random, 0.6) ? drawInteger(random, 1, 4000) : drawInteger(random, 4000, 200_000) };
}

const detail = (random: Random): { value: number } => ({ value: drawInteger(random, 0, 0x7fff_ffff) });

function ends(simulation: Simulation, fault: Fault): { own: Uint8Array; others: Uint8Array } {
  const address = (name: string | undefined) => octets(simulation.node(name ?? '').addresses[0]!);
  return { own: address(fault.node), others: address(fault.other) };
}

/** Ends the process, in one way or another, and starts a new one later. */
function interrupt(simulation: Simulation, node: SimNode, fault: Fault, how: () => void): void {
  if (node.state !== 'running') return;
  how();
  simulation.after(fault.forMs ?? 0, () => {
    // A clean stop may still be under way.
    if (node.state === 'stopping') node.kill();
    node.renew();
    node.start();
  });
}

const whileUp = (act: (node: SimNode, fault: Fault, simulation: Simulation) => void): FaultRow['apply'] => {
  return (simulation, node, fault) => node.ask(() => act(node, fault, simulation));
};

function otherAddress(simulation: Simulation, fault: Fault): string {
  return simulation.node(fault.other ?? '').addresses[0]!;
}

/** The peer of a node, unless a changed configuration has taken it away. */
function peerOf(node: SimNode, simulation: Simulation, fault: Fault) {
  const address = otherAddress(simulation, fault);
  return node.api.peers().find((peer) => peer.address === address);
}

export const FAULT_ROWS = {
  reset: {
    weight: 4,
    draw: pair,
    apply: (simulation, _node, fault) => {
      const { own, others } = ends(simulation, fault);
      simulation.world.network.reset(own, others);
    },
  },
  cut: {
    weight: 4,
    draw: (random, topology) => ({ ...pair(random, topology), ...duration(random) }),
    apply: (simulation, _node, fault) => {
      const { own, others } = ends(simulation, fault);
      simulation.world.network.cut(own, others);
      simulation.after(fault.forMs ?? 0, () => simulation.world.network.heal(own, others));
    },
  },
  isolate: {
    weight: 2,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => isolate(simulation, node, fault.forMs ?? 0),
  },
  link: {
    weight: 2,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => {
      const { kernel } = node;
      if (kernel === undefined || node.state === 'down') return;
      isolate(simulation, node, fault.forMs ?? 0);
      simulation.setLink(node, false);
      simulation.after(fault.forMs ?? 0, () => simulation.setLink(node, true));
    },
  },
  kill: {
    weight: 3,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => interrupt(simulation, node, fault, () => node.kill()),
  },
  power: {
    weight: 2,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => interrupt(simulation, node, fault, () => node.vanish()),
  },
  stop: {
    weight: 2,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => interrupt(simulation, node, fault, () => node.shutDown()),
  },
  freeze: {
    weight: 2,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => {
      if (node.state !== 'running') return;
      const { clock } = node;
      node.pause();
      simulation.after(fault.forMs ?? 0, () => {
        if (node.clock === clock && clock.stopped) node.goOn();
      });
    },
  },
  wall: {
    weight: 1,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...detail(random) }),
    apply: (_simulation, node, fault) => {
      node.clock.wallOffset = ((fault.value ?? 0) % 2 === 0 ? 1 : -1) * ((fault.value ?? 0) % 1e9);
    },
  },
  strain: {
    weight: 1,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, node, fault) => {
      const { clock } = node;
      const before = clock.lookMs;
      clock.lookMs = 3;
      simulation.after(fault.forMs ?? 0, () => {
        clock.lookMs = before;
      });
    },
  },
  slow: {
    weight: 3,
    draw: (random, topology) => ({
      ...pair(random, topology),
      ...duration(random),
      value: drawOne(random, [RETRANSMISSION_MS, 1000, 4000]),
    }),
    apply: (simulation, _node, fault) => {
      const { own, others } = ends(simulation, fault);
      simulation.slowDown(own, others, fault.value ?? RETRANSMISSION_MS, fault.forMs ?? 0);
    },
  },
  corrupt: {
    weight: 2,
    draw: (random, topology) => ({ ...pair(random, topology), ...duration(random), ...detail(random) }),
    apply: (simulation, _node, fault) => {
      const { own, others } = ends(simulation, fault);
      simulation.corruptNext(own, others, fault.value ?? 0);
      // What was changed into another valid message stays with the session: it must end.
      simulation.after(fault.forMs ?? 0, () => simulation.endCorruption(own, others));
    },
  },
  kernelFails: {
    weight: 2,
    draw: (random, topology) => ({
      ...anyNode(random, topology),
      ...duration(random),
      value: drawOne(random, ERRNOS),
    }),
    apply: (simulation, node, fault) => {
      const { kernel } = node;
      if (kernel === undefined) return;
      kernel.fault = () => (simulation.world.random() < 0.7 ? (fault.value ?? 0) : 0);
      simulation.after(fault.forMs ?? 0, () => {
        kernel.fault = () => 0;
      });
    },
  },
  kernelDeaf: {
    weight: 1,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random) }),
    apply: (simulation, { kernel }, fault) => {
      if (kernel === undefined) return;
      kernel.deaf = true;
      simulation.after(fault.forMs ?? 0, () => kernel.overrun());
    },
  },
  tamper: {
    weight: 1,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...detail(random) }),
    apply: (_simulation, node, fault) => {
      const own = node.kernel
        ?.routes()
        .filter((each) => each.protocol === node.speaker.config.kernel.protocol);
      if (own === undefined || own.length === 0) return;
      node.kernel!.deleteRoute(own[(fault.value ?? 0) % own.length]!);
    },
  },
  foreign: {
    weight: 2,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random), ...detail(random) }),
    apply: (simulation, { kernel }, { value = 0, forMs = 0 }) => {
      if (kernel === undefined) return;
      const prefix = { bytes: Uint8Array.of(10, 220, value % 8, 0), length: 24 };
      const route = { prefix, table: MAIN_TABLE, metric: 0, protocol: RTPROT_STATIC };
      kernel.addRoute({ ...route, type: 'unicast', nextHops: [{ ifindex: ETH0 }] });
      simulation.after(forMs, () => void kernel.deleteRoute(route));
    },
  },
  announce: {
    weight: 5,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...detail(random) }),
    apply: whileUp((node, { value = 0 }, simulation) => {
      const random = simulation.detail(value);
      node.command((api) => api.addNetwork(drawNetwork(churnPrefix(value), random)));
    }),
  },
  withdraw: {
    weight: 4,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...detail(random) }),
    apply: whileUp((node, { value = 0 }) => {
      const own = node.routes({ receivedFrom: 'local' }).map(({ prefix }) => prefix);
      if (own.length > 0) node.command((api) => api.deleteNetwork(own[value % own.length]!));
    }),
  },
  churn: {
    weight: 1,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...duration(random), ...detail(random) }),
    apply: whileUp((node, { value = 0, forMs = 0 }, simulation) => {
      const prefixes = Array.from(
        { length: 1 + (value % 300) },
        (_, i) => `172.${16 + (i >> 8)}.${i & 0xff}.0/24`,
      );
      const random = simulation.detail(value);
      for (const prefix of prefixes) node.command((api) => api.addNetwork(drawNetwork(prefix, random)));
      const { clock } = node;
      simulation.after(forMs, () => {
        if (node.clock !== clock) return;
        node.ask(() => {
          const there = new Set(node.routes({ receivedFrom: 'local' }).map(({ prefix }) => prefix));
          for (const prefix of prefixes)
            if (there.has(prefix)) node.command((api) => api.deleteNetwork(prefix));
        });
      });
    }),
  },
  refresh: {
    weight: 2,
    draw: (random, topology) => ({ ...pair(random, topology), ...detail(random) }),
    apply: whileUp((node, fault, simulation) => {
      const peer = peerOf(node, simulation, fault);
      if (peer?.state !== 'Established') return;
      const direction = (['in', 'out', 'both'] as const)[(fault.value ?? 0) % 3]!;
      node.command((api) => api.peerRefresh(peer.name, direction));
    }),
  },
  peerReset: {
    weight: 2,
    draw: pair,
    apply: whileUp((node, fault, simulation) => {
      const peer = peerOf(node, simulation, fault);
      if (peer !== undefined) node.command((api) => api.peerReset(peer.name, 'simulated'));
    }),
  },
  peerDown: {
    weight: 1,
    draw: (random, topology) => ({ ...pair(random, topology), ...duration(random) }),
    apply: whileUp((node, fault, simulation) => {
      const peer = peerOf(node, simulation, fault);
      if (peer === undefined) return;
      node.command((api) => api.peerDown(peer.name, undefined));
      const { clock } = node;
      simulation.after(fault.forMs ?? 0, () => {
        if (node.clock !== clock) return;
        node.ask(() => {
          const same = peerOf(node, simulation, fault);
          if (same !== undefined) node.command((api) => api.peerUp(same.name));
        });
      });
    }),
  },
  /** Of one peer, or all of them. */
  drain: {
    weight: 2,
    draw: (random, topology) => ({
      ...(drawTrue(random) ? pair(random, topology) : anyNode(random, topology)),
      ...duration(random),
    }),
    apply: whileUp((node, fault, simulation) => {
      const drain = (on: boolean) => {
        const peer = fault.other === undefined ? undefined : peerOf(node, simulation, fault);
        if (fault.other === undefined || peer !== undefined) node.command((api) => api.drain(peer?.name, on));
      };
      drain(true);
      // Also another program in the same process ends it, which goes on with it.
      simulation.after(fault.forMs ?? 0, () => node.ask(() => drain(false)));
    }),
  },
  reload: {
    weight: 5,
    draw: (random, topology) => ({ ...anyNode(random, topology), ...detail(random) }),
    apply: (simulation, node, { value = 0 }) => {
      const input = typeof node.input === 'string' ? simulation.plan(node).config : node.input;
      node.requestReload(drawChange(input, simulation.plan(node).config, simulation.detail(value)));
    },
  },
  /** Not a fault at all: nobody may notice it. */
  upgrade: {
    weight: 2,
    draw: anyNode,
    apply: whileUp((node) => node.requestUpgrade()),
  },
} as const satisfies Record<string, FaultRow>;

export type FaultKind = keyof typeof FAULT_ROWS;
export const FAULT_KINDS = Object.keys(FAULT_ROWS) as FaultKind[];

function churnPrefix(value: number): string {
  const others = ['192.0.2.0/24', '198.51.100.0/24', '2001:db8:ffff::/48'];
  return value % 3 === 0 ? others[value % others.length]! : `172.16.${value % 8}.0/24`;
}

function isolate(simulation: Simulation, node: SimNode, forMs: number): void {
  const { network } = simulation.world;
  const own = octets(node.addresses[0]!);
  const others = simulation.world.nodes
    .filter((each) => each !== node)
    .map(({ addresses }) => octets(addresses[0]!));
  for (const other of others) network.cut(own, other);
  simulation.after(forMs, () => {
    for (const other of others) network.heal(own, other);
  });
}

/** `count` faults within `overMs`, in the order of time. */
export function drawFaults(
  random: Random,
  topology: Topology,
  options: { count: number; overMs: number; kinds?: readonly FaultKind[] },
): Fault[] {
  const kinds = (options.kinds ?? FAULT_KINDS).flatMap((kind) =>
    new Array(FAULT_ROWS[kind].weight).fill(kind),
  );
  const faults = Array.from({ length: options.count }, (): Fault => {
    const kind: FaultKind = drawOne(random, kinds);
    return { at: drawInteger(random, 0, options.overMs), kind, ...FAULT_ROWS[kind].draw(random, topology) };
  });
  return faults.sort((a, b) => a.at - b.at);
}

/** `12.4 s: cut node-1 node-2 for 3.0 s (7)`. */
export function faultText({ at, kind, node, other, forMs, value }: Fault): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const rest = [other, forMs === undefined ? undefined : `for ${seconds(forMs)}`, value && `(${value})`];
  return [`${seconds(at)}: ${kind} ${node}`, ...rest.filter((text) => text !== undefined)].join(' ');
}
