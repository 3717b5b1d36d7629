// Other configurations of a simulated machine, for reloads under way: one row a change that somebody may make.

import type { ConfigInput } from '../config/schema.ts';
import type { PeerInput } from '../config/schema-peer.ts';
import type { Random } from '../lib/clock.ts';
import { drawInteger, drawOne, drawTrue } from './random.ts';
import { drawNetwork } from './topology.ts';

type Change = (config: ConfigInput, random: Random) => ConfigInput;

/** Another value for a setting of one peer. */
function peerChange(make: (random: Random) => Partial<PeerInput>): Change {
  return (config, random) => {
    const peers = config.peers ?? [];
    if (peers.length === 0) return config;
    const at = drawInteger(random, 0, peers.length - 1);
    return { ...config, peers: peers.map((peer, i) => (i === at ? { ...peer, ...make(random) } : peer)) };
  };
}

/** Seconds: longer than stale routes and damped ones are kept. */
const SELDOM_S = 200;
/** Who has more routes than a limit lets in comes and goes for ever, and all others must come to rest in between. */
const SELDOM = { errorWaitMin: SELDOM_S, errorWaitMax: SELDOM_S } as const;

const CHANGES: readonly Change[] = [
  peerChange((random) => ({ import: drawOne(random, ['accept', 'reject']) })),
  peerChange((random) => ({ export: drawOne(random, ['accept', 'reject']) })),
  peerChange((random) => ({ nextHop: drawOne(random, ['auto', 'self', 'unchanged']) })),
  peerChange((random) => ({ sendCommunities: drawTrue(random) })),
  peerChange((random) => ({ holdTime: drawOne(random, [3, 9, 90]) })),
  peerChange((random) => ({ description: `number ${drawInteger(random, 1, 9)}` })),
  peerChange((random) => ({
    addPath: { receive: drawTrue(random), send: drawOne(random, ['none', 'all', 2]) },
  })),
  peerChange((random) => ({
    gracefulRestart: drawOne(random, ['off', 'helper', 'full', { restartTime: 20 }]),
  })),
  peerChange((random) => ({
    gracefulRestart: {
      mode: drawOne(random, ['helper', 'full']),
      restartTime: 5,
      notification: drawTrue(random),
      longLived: { mode: drawOne(random, ['off', 'helper', 'full']), staleTime: drawInteger(random, 0, 60) },
    },
  })),
  peerChange((random) => ({ evaluateAll: drawTrue(random) })),
  peerChange((random) => ({ maxPrefixes: drawOne(random, [1, 3, 1000, false]), ...SELDOM })),
  peerChange((random) => ({ enabled: drawTrue(random) })),
  peerChange((random) => ({ passive: drawTrue(random, 0.3) })),
  peerChange((random) => ({ password: drawOne(random, ['sesame', false, 'other']) })),
  peerChange((random) => ({
    families: drawOne(random, [['ipv4-unicast'], ['ipv4-unicast', 'ipv6-unicast']]),
  })),
  peerChange((random) => ({ extendedMessages: drawTrue(random) })),
  peerChange((random) => ({ clusterId: drawOne(random, ['10.255.0.1', '10.255.0.2']) })),
  (config, random) => ({
    ...config,
    router: { ...config.router, clusterId: `10.254.0.${drawInteger(random, 1, 3)}` },
  }),
  (config, random) => {
    const { id } = config.router;
    const first = drawInteger(random, 11, 99);
    return id === undefined ? config : { ...config, router: { ...config.router, id: renumbered(id, first) } };
  },
  (config, random) => {
    const damping = drawTrue(random) && { halfLife: drawInteger(random, 1, 10), maxSuppressTime: 30 };
    const { asn, confederation } = config.router;
    const inside = [asn, ...(confederation?.members ?? [])];
    const external = (peer: PeerInput) => !inside.some((each) => each === peer.asn);
    return { ...config, peers: config.peers?.map((peer) => (external(peer) ? { ...peer, damping } : peer)) };
  },
  (config, random) => ({ ...config, kernel: { ...config.kernel, install: drawTrue(random) } }),
  (config, random) => ({ ...config, kernel: { ...config.kernel, metric: drawOne(random, [32, 50]) } }),
  (config, random) => ({ ...config, kernel: { ...config.kernel, ecmp: drawOne(random, [1, 2, 8]) } }),
  (config, random) => ({ ...config, kernel: { ...config.kernel, nextHopTracking: drawTrue(random) } }),
  (config, random) => ({ ...config, kernel: { ...config.kernel, keepOnStop: drawTrue(random) } }),
  (config, random) => ({ ...config, kernel: { ...config.kernel, scanTime: drawOne(random, [0, 10, 300]) } }),
  (config, random) => ({
    ...config,
    decision: { ...config.decision, defaultLocalPref: drawOne(random, [100, 300]) },
  }),
  (config, random) => ({ ...config, decision: { ...config.decision, ignoreRouterId: drawTrue(random) } }),
  (config, random) => ({
    ...config,
    networks: [...(config.networks ?? []).slice(1), drawNetwork('203.0.113.0/24', random)],
  }),
  (config, random) => ({ ...config, redistribute: drawOne(random, [[], ['kernel'], ['connected']]) }),
  (config, random) => ({ ...config, networks: (config.networks ?? []).filter(() => drawTrue(random, 0.7)) }),
  (config, random) => ({
    ...config,
    peers: (config.peers ?? []).filter((peer) => drawTrue(random, 0.8) || isForeign(peer, config)),
  }),
];

/** Another identifier that nobody else has: they differ in what follows the first octet. */
function renumbered(id: string, first: number): string {
  return [first, ...id.split('.').slice(1)].join('.');
}

/** Without its own entry a range might admit it with the range's AS, and refuse the AS that it has: a mistake, no change. */
function isForeign({ asn }: PeerInput, { dynamicPeers = [] }: ConfigInput): boolean {
  return dynamicPeers.some((range) => range.asn !== asn);
}

/** The configuration with one to three changes, made to what stands or to the first one again. */
export function drawChange(now: ConfigInput, first: ConfigInput, random: Random): ConfigInput {
  let config = drawTrue(random, 0.3) ? first : now;
  for (let count = drawInteger(random, 1, 3); count > 0; count--)
    config = drawOne(random, CHANGES)(config, random);
  // A prefix may stand in it once.
  const seen = new Set<string>();
  const networks = (config.networks ?? []).filter((network) => {
    const prefix = typeof network === 'string' ? network : network.prefix;
    return !seen.has(prefix) && seen.add(prefix);
  });
  return { ...config, networks };
}
