// The metrics as rows: name, type, help, labels and where the value comes from. Names and labels are part of
// godwit's interface. Units are the base units of Prometheus: seconds and octets.
//   peer    name of the peer as in the configuration
//   family  ipv4-unicast or ipv6-unicast
//   type    message type of RFC 4271 and 2918: open, update, notification, keepalive, route_refresh
//   state   state of RFC 4271 section 8
//   stage   stage of the event loop
//   cause   code of bgp/session/cause-table.ts; a fixed set, each with a value
//   quantile 0.5, 0.99, 1

import { PEER_STATE_NUMBERS } from '../../speaker/api/peer-states.ts';
import type { MessageName, PeerFamilyView, PeerView, StatusView } from '../../speaker/api.ts';
import { CONNECTION_METRICS, LIMIT_METRICS } from './limit-metrics.ts';

export interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

export interface MetricRow<Source> {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: string[];
  samples(source: Source): Sample[];
}

export interface SpeakerSource {
  readonly status: StatusView;
  readonly peers: readonly PeerView[];
  /** Wall-clock milliseconds. */
  readonly now: number;
}

export interface PeerSource {
  readonly peer: PeerView;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

const MS_PER_SECOND = 1000;
const MICROS_PER_SECOND = 1_000_000;

const MESSAGE_LABEL = {
  open: 'open',
  update: 'update',
  notification: 'notification',
  keepalive: 'keepalive',
  routeRefresh: 'route_refresh',
} as const satisfies Record<MessageName, string>;

const MESSAGE_NAMES = Object.keys(MESSAGE_LABEL) as MessageName[];
const STATE_NAMES = Object.keys(PEER_STATE_NUMBERS) as PeerView['state'][];

const single = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ labels: {}, value }]);
const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? ms : ms / MS_PER_SECOND);

function speakerValue(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (source: SpeakerSource) => number | undefined,
): MetricRow<SpeakerSource> {
  return { name, type, help, labels: [], samples: (source) => single(value(source)) };
}

function familyGauge(name: string, help: string, column: 'prefixes' | 'paths'): MetricRow<SpeakerSource> {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['family'],
    samples: ({ status }) =>
      status.families.map((row) => ({ labels: { family: row.family }, value: row[column] })),
  };
}

function stageRow(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (stage: StatusView['stages'][number]) => number,
): MetricRow<SpeakerSource> {
  return {
    name,
    type,
    help,
    labels: ['stage'],
    samples: ({ status }) =>
      status.stages.map((stage) => ({ labels: { stage: stage.name }, value: value(stage) })),
  };
}

/** Metrics of the whole speaker; their number does not depend on the number of peers. */
export const SPEAKER_METRICS: readonly MetricRow<SpeakerSource>[] = [
  {
    name: 'godwit_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say what is running',
    labels: ['version', 'node'],
    samples: ({ status }) => [{ labels: { version: status.version, node: process.version }, value: 1 }],
  },
  {
    name: 'godwit_router_info',
    type: 'gauge',
    help: 'Always 1; the labels are the BGP Identifier and the AS number',
    labels: ['router_id', 'asn'],
    samples: ({ status }) => [{ labels: { router_id: status.routerId, asn: String(status.asn) }, value: 1 }],
  },
  speakerValue(
    'gauge',
    'godwit_running',
    '1 while the speaker is neither starting nor stopping',
    ({ status }) => (status.state === 'running' ? 1 : 0),
  ),
  speakerValue('gauge', 'godwit_uptime_seconds', 'Seconds since the speaker started', ({ status, now }) =>
    seconds(Math.max(0, now - status.startedAt)),
  ),
  speakerValue(
    'gauge',
    'godwit_reconfigured_timestamp_seconds',
    'When the configuration was last applied, seconds since the epoch',
    ({ status }) => seconds(status.reconfiguredAt),
  ),
  speakerValue(
    'gauge',
    'godwit_problems',
    'Number of things that do not work as configured; godwit status lists them',
    ({ status }) => status.problems.length,
  ),
  speakerValue('gauge', 'bgp_peers', 'Number of peers', ({ status }) => status.peers.total),
  {
    name: 'bgp_peers_by_state',
    type: 'gauge',
    help: 'Number of peers in each state',
    labels: ['state'],
    samples: ({ peers }) =>
      STATE_NAMES.map((state) => ({
        labels: { state },
        value: peers.filter((peer) => peer.state === state).length,
      })),
  },
  familyGauge('bgp_loc_rib_prefixes', 'Prefixes in the Loc-RIB', 'prefixes'),
  familyGauge('bgp_loc_rib_paths', 'Paths in the Loc-RIB', 'paths'),
  speakerValue(
    'gauge',
    'bgp_attribute_sets',
    'Distinct attribute sets',
    ({ status }) => status.attributeSets,
  ),
  speakerValue('gauge', 'bgp_update_groups', 'Update groups', ({ status }) => status.updateGroups),
  speakerValue(
    'gauge',
    'bgp_kernel_routes_desired',
    'Routes that should be in the kernel',
    ({ status }) => status.kernel?.desired,
  ),
  speakerValue(
    'gauge',
    'bgp_kernel_routes_installed',
    'Own routes that are in the kernel',
    ({ status }) => status.kernel?.installed,
  ),
  speakerValue(
    'gauge',
    'bgp_kernel_routes_pending',
    'Routes on their way to the kernel',
    ({ status }) => status.kernel?.pending,
  ),
  speakerValue(
    'gauge',
    'bgp_kernel_routes_failed',
    'Routes that the kernel refused',
    ({ status }) => status.kernel?.failed,
  ),
  speakerValue(
    'gauge',
    'bgp_kernel_routes_learned',
    'Foreign routes learned from the kernel',
    ({ status }) => status.kernel?.learned,
  ),
  speakerValue(
    'gauge',
    'bgp_kernel_last_scan_timestamp_seconds',
    'When the kernel was last read completely, seconds since the epoch',
    ({ status }) => seconds(status.kernel?.lastScanAt),
  ),
  {
    name: 'godwit_session_ends_total',
    type: 'counter',
    help: 'Ends of sessions and failed attempts, by cause',
    labels: ['cause'],
    samples: ({ status }) =>
      status.causes.map(({ code, count }) => ({ labels: { cause: code }, value: count })),
  },
  speakerValue('counter', 'godwit_events_total', 'Events of the journal', ({ status }) => status.events),
  loopRow('godwit_loop_lag_seconds', 'How late the event loop was in the last one to two minutes'),
  speakerValue(
    'gauge',
    'godwit_loop_lag_longest_seconds',
    'Longest time that the event loop was late since the start',
    ({ status }) => status.loop.longest / MS_PER_SECOND,
  ),
  stageRow(
    'counter',
    'godwit_stage_seconds_total',
    'Time spent in a stage of the event loop',
    (stage) => stage.micros / MICROS_PER_SECOND,
  ),
  stageRow('counter', 'godwit_stage_runs_total', 'Runs of a stage of the event loop', (stage) => stage.runs),
  stageRow(
    'gauge',
    'godwit_stage_longest_seconds',
    'Longest single run of a stage since the start',
    (stage) => stage.longestMicros / MICROS_PER_SECOND,
  ),
  ...CONNECTION_METRICS,
];

function loopRow(name: string, help: string): MetricRow<SpeakerSource> {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['quantile'],
    samples: ({ status: { loop } }) =>
      (
        [
          ['0.5', loop.p50],
          ['0.99', loop.p99],
          ['1', loop.max],
        ] as const
      ).map(([quantile, lag]) => ({
        labels: { quantile },
        value: lag / MS_PER_SECOND,
      })),
  };
}

function peerValue(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (source: PeerSource) => number | undefined,
): MetricRow<PeerSource> {
  return {
    name,
    type,
    help,
    labels: ['peer'],
    samples(source) {
      const number = value(source);
      return number === undefined ? [] : [{ labels: { peer: source.peer.name }, value: number }];
    },
  };
}

function peerMessages(direction: 'received' | 'sent', help: string): MetricRow<PeerSource> {
  return {
    name: `bgp_peer_messages_${direction}_total`,
    type: 'counter',
    help,
    labels: ['peer', 'type'],
    samples: ({ peer }) =>
      MESSAGE_NAMES.map((name) => ({
        labels: { peer: peer.name, type: MESSAGE_LABEL[name] },
        value: peer.messages[direction][name],
      })),
  };
}

function peerFamilyGauge(
  name: string,
  help: string,
  value: (family: PeerFamilyView) => number,
): MetricRow<PeerSource> {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['peer', 'family'],
    samples: ({ peer }) =>
      peer.families.map((row) => ({ labels: { peer: peer.name, family: row.family }, value: value(row) })),
  };
}

/** Metrics of single peers, left out together above http.maxPeerSeries peers. */
export const PEER_METRICS: readonly MetricRow<PeerSource>[] = [
  {
    name: 'bgp_peer_info',
    type: 'gauge',
    help: 'Always 1; the labels say who the peer is',
    labels: ['peer', 'address', 'asn', 'type', 'kind'],
    samples: ({ peer }) => [
      {
        labels: {
          peer: peer.name,
          address: peer.address,
          asn: String(peer.peerAs ?? ''),
          type: peer.type ?? '',
          kind: peer.kind,
        },
        value: 1,
      },
    ],
  },
  peerValue('gauge', 'bgp_peer_up', '1 while the session is Established', ({ peer }) =>
    peer.state === 'Established' ? 1 : 0,
  ),
  peerValue('gauge', 'bgp_peer_admin_up', '1 unless the peer was switched off', ({ peer }) =>
    peer.adminUp ? 1 : 0,
  ),
  peerValue(
    'gauge',
    'bgp_peer_state',
    'Idle 1, Connect 2, Active 3, OpenSent 4, OpenConfirm 5, Established 6 (bgpPeerState of RFC 4273)',
    ({ peer }) => PEER_STATE_NUMBERS[peer.state],
  ),
  peerValue(
    'gauge',
    'bgp_peer_uptime_seconds',
    'Seconds since the session became Established; 0 while it is not',
    ({ peer, now }) => (peer.state === 'Established' ? seconds(Math.max(0, now - peer.since)) : 0),
  ),
  peerValue(
    'counter',
    'bgp_peer_established_total',
    'How often the session became Established',
    ({ peer }) => peer.establishedCount,
  ),
  peerValue(
    'counter',
    'bgp_peer_down_total',
    'How often the session left Established',
    ({ peer }) => peer.downCount,
  ),
  {
    name: 'bgp_peer_last_cause_info',
    type: 'gauge',
    help: 'Always 1; the label says why the last session ended or the last attempt failed',
    labels: ['peer', 'cause'],
    samples: ({ peer }) =>
      peer.lastErrorCode === undefined
        ? []
        : [{ labels: { peer: peer.name, cause: peer.lastErrorCode }, value: 1 }],
  },
  peerMessages('received', 'Messages received from the peer'),
  peerMessages('sent', 'Messages sent to the peer'),
  peerValue(
    'counter',
    'bgp_peer_received_bytes_total',
    'Octets of messages received from the peer',
    ({ peer }) => peer.messages.receivedBytes,
  ),
  peerValue(
    'counter',
    'bgp_peer_sent_bytes_total',
    'Octets of messages sent to the peer',
    ({ peer }) => peer.messages.sentBytes,
  ),
  peerValue(
    'counter',
    'bgp_peer_malformed_updates_total',
    'UPDATEs of this session that could be taken only in part, or as withdrawals (RFC 7606)',
    ({ peer }) => peer.malformed?.count ?? 0,
  ),
  peerValue(
    'gauge',
    'bgp_peer_queued_bytes',
    'Octets that wait for the peer to read',
    ({ peer }) => peer.queuedBytes,
  ),
  peerFamilyGauge('bgp_peer_prefixes_received', 'Adj-RIB-In routes of the peer', (row) => row.received),
  peerFamilyGauge(
    'bgp_peer_prefixes_accepted',
    'Adj-RIB-In routes that neither policy nor a check rejected',
    (row) => row.received - row.rejected,
  ),
  peerFamilyGauge('bgp_peer_prefixes_best', 'Routes of the peer that are best paths', (row) => row.best),
  peerFamilyGauge('bgp_peer_prefixes_advertised', 'Adj-RIB-Out routes of the peer', (row) => row.advertised),
  peerFamilyGauge('bgp_peer_prefixes_stale', 'Routes of the peer kept over its restart', (row) => row.stale),
  ...LIMIT_METRICS,
];
