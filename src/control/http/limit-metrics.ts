// The limits on the routes of single peers, as rows like those of metrics-table.ts.
//   kind    received, accepted, exported
//   action  warn, block, restart, disable

import type { PeerLimitView } from '../../speaker/api.ts';
import type { MetricRow, PeerSource } from './metrics-table.ts';

export const LIMIT_METRICS: readonly MetricRow<PeerSource>[] = [
  row('bgp_peer_prefix_limit', 'Most routes of a kind that the peer may have', ({ routes }) => routes),
  row('bgp_peer_prefix_limit_hit', '1 where the limit was hit since the session came up', ({ hit }) =>
    hit ? 1 : 0,
  ),
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
