// Limits and memory of single peers, and who calls the listeners, as rows like those of metrics-table.ts.
//   kind    received, accepted, exported
//   action  warn, block, restart, disable
//   part    paths, attributes, queued, socket
//   cause   unknown, rate, half-open, no-open

import type { PeerLimitView } from '../../speaker/api/peer-parts.ts';
import type { MetricRow, PeerSource, SpeakerSource } from './metrics-table.ts';

export const LIMIT_METRICS: readonly MetricRow<PeerSource>[] = [
  row('bgp_peer_prefix_limit', 'Most routes of a kind that the peer may have', ({ routes }) => routes),
  row('bgp_peer_prefix_limit_hit', '1 where the limit was hit since the session came up', ({ hit }) =>
    hit ? 1 : 0,
  ),
  {
    name: 'bgp_peer_memory_bytes',
    type: 'gauge',
    help: 'Octets that the peer holds, an estimate: its routes, a share of attribute sets, what waits for it',
    labels: ['peer', 'part'],
    samples: ({ peer: { name, memory } }) =>
      Object.entries(memory ?? {}).map(([part, value]) => ({ labels: { peer: name, part }, value })),
  },
];

/** Whatever the number of peers. */
export const CONNECTION_METRICS: readonly MetricRow<SpeakerSource>[] = [
  {
    name: 'bgp_connections_accepted_total',
    type: 'counter',
    help: 'Connections to the listeners that went to a peer',
    labels: [],
    samples: ({ status }) => [{ labels: {}, value: status.connections.accepted }],
  },
  {
    name: 'bgp_connections_refused_total',
    type: 'counter',
    help: 'Connections to the listeners that were refused',
    labels: ['cause'],
    samples: ({ status: { connections } }) => {
      const { unknown, rate, halfOpen, noOpen } = connections.refused;
      const byCause = { unknown, rate, 'half-open': halfOpen, 'no-open': noOpen };
      return Object.entries(byCause).map(([cause, value]) => ({ labels: { cause }, value }));
    },
  },
  {
    name: 'bgp_connections_half_open',
    type: 'gauge',
    help: 'Callers from ranges that have not sent their OPEN',
    labels: [],
    samples: ({ status }) => [{ labels: {}, value: status.connections.halfOpen }],
  },
];

function row(name: string, help: string, value: (limit: PeerLimitView) => number): MetricRow<PeerSource> {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['peer', 'family', 'kind', 'action'],
    samples: ({ peer }) =>
      peer.families.flatMap(({ family, limits }) =>
        limits.map((limit) => ({
          labels: { peer: peer.name, family, kind: limit.kind, action: limit.action },
          value: value(limit),
        })),
      ),
  };
}
