// Limits and memory of single peers, and who calls the listeners, as rows like those of metrics-table.ts.
//   kind    received, accepted, exported
//   action  warn, block, restart, disable
//   part    paths, attributes, queued, socket
//   state   suppressed, used
//   cause   unknown, rate, half-open, no-open

import type { PeerLimitView } from '../../speaker/api/peer-parts.ts';
import type { MetricRow, PeerSource, SpeakerSource } from './metrics-table.ts';

/** Of peers whose routes are damped. */
const DAMPING_METRICS: readonly MetricRow<PeerSource>[] = [
  {
    name: 'bgp_peer_damped_routes',
    type: 'gauge',
    help: 'Routes that are remembered because they flapped, by whether they are used',
    labels: ['peer', 'state'],
    samples: ({ peer: { name, damping } }) => {
      if (damping === undefined) return [];
      const { remembered, suppressed } = damping;
      return Object.entries({ suppressed, used: remembered - suppressed }).map(([state, value]) => ({
        labels: { peer: name, state },
        value,
      }));
    },
  },
  {
    name: 'bgp_peer_damping_overflows_total',
    type: 'counter',
    help: 'Flaps that were not counted, because there was no room for more routes',
    labels: ['peer'],
    samples: ({ peer: { name, damping } }) =>
      damping === undefined ? [] : [{ labels: { peer: name }, value: damping.overflows }],
  },
];

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
  ...DAMPING_METRICS,
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
