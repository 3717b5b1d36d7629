// The metrics of watched paths, as rows like those of metrics-table.ts. A path that several peers share has a series for
// each of them.
//   peer     name of the peer as in the configuration
//   address  the peer's address
//   state    state of RFC 5880 section 4.1

import type { BfdSessionView } from '../../speaker/api.ts';
import type { MetricRow, Sample } from './metrics-table.ts';

const MS_PER_SECOND = 1000;
const STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const satisfies readonly BfdSessionView['state'][];

/** Whatever the number of sessions. */
export const BFD_TOTALS: readonly MetricRow<readonly BfdSessionView[]>[] = [
  {
    name: 'bfd_sessions',
    type: 'gauge',
    help: 'Number of BFD sessions in each state',
    labels: ['state'],
    samples: (sessions) =>
      STATES.map((state) => ({
        labels: { state },
        value: sessions.filter((session) => session.state === state).length,
      })),
  },
];

/** Left out with the series of single peers. */
export const BFD_SESSION_METRICS: readonly MetricRow<readonly BfdSessionView[]>[] = [
  perPeer('gauge', 'bfd_session_up', '1 while the path to the peer works', ({ state }) =>
    state === 'Up' ? 1 : 0,
  ),
  perPeer('counter', 'bfd_session_up_total', 'Times the BFD session came up', ({ upCount }) => upCount),
  perPeer('counter', 'bfd_session_down_total', 'Times the BFD session left Up', ({ downCount }) => downCount),
  perPeer(
    'gauge',
    'bfd_session_detection_seconds',
    'Silence after which the path counts as dead; 0 while nothing is heard',
    ({ timeout }) => timeout / MS_PER_SECOND,
  ),
];

function perPeer(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (session: BfdSessionView) => number,
): MetricRow<readonly BfdSessionView[]> {
  return {
    name,
    type,
    help,
    labels: ['peer', 'address'],
    samples: (sessions) =>
      sessions.flatMap((session): Sample[] =>
        session.peers.map((peer) => ({ labels: { peer, address: session.address }, value: value(session) })),
      ),
  };
}
