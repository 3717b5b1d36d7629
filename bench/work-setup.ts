// From a few words about who peers to a daemon's configuration and a load's plan: addresses, sessions, tables.

import { BGP_PORT } from '../src/bgp/wire/iana.ts';
import type { DaemonSpec, PeerSpec } from './daemons/types.ts';
import type { ChurnPlan, LoadPlan, PhaseName, ProbePlan, SessionPlan, TableSource } from './load/plan.ts';

export const DAEMON_ADDRESS = '10.90.0.1';
export const NETWORK_BITS = 16;
export const DAEMON_AS = 65000;
const HOLD_TIME = 90;
const SETTLE_MS = 400;
const HOSTS_PER_OCTET = 250;
/** As in full feeds: 167,000 sets for a million routes. */
const SETS_PER_ROUTE = 0.167;
/** A timeout for the slowest contestant: GoBGP takes minutes for the largest works. What lasts as long as asked comes on top. */
const TIMEOUT_SECONDS = 300;

export interface WorkSize {
  /** Routes of the full table that works of kind T, F, D, C and P play. */
  readonly routes: number;
  readonly seed: number;
  /** List of real prefixes, where it is at hand. */
  readonly prefixList: string | undefined;
  /** MRT table for T4, where one is at hand. */
  readonly mrtTable: string | undefined;
  /** UPDATEs a second, and for how long. */
  readonly churnRate: number;
  readonly churnSeconds: number;
}

export interface WorkSetup {
  readonly spec: DaemonSpec;
  readonly plan: LoadPlan;
  /** Addresses of the load's device. */
  readonly addresses: readonly string[];
}

export interface Member {
  readonly asn: number;
  readonly send?: { readonly from: number; readonly to: number };
  readonly expect: SessionPlan['expect'];
  readonly reflectorClient?: boolean;
  readonly role?: NonNullable<SessionPlan['role']>;
  readonly stall?: boolean;
  readonly abuse?: NonNullable<SessionPlan['abuse']>;
}

export interface SetupOptions {
  readonly kernel?: boolean;
  readonly probes?: ProbePlan;
  readonly churn?: ChurnPlan;
  readonly holdTime?: number;
  readonly lingerSeconds?: number;
  readonly importFilter?: DaemonSpec['importFilter'];
}

export const WHOLE_TABLE = { from: 0, to: -1 } as const;

export function fullTable(size: WorkSize, routes = size.routes): TableSource {
  const { seed, prefixList } = size;
  const list = prefixList === undefined ? {} : { prefixList };
  return { kind: 'full', routes: Math.round(routes), seed, setsPerRoute: SETS_PER_ROUTE, ...list };
}

/** External sessions: some play the whole table, some receive it. */
export function external(senders: number, sinks: number): Member[] {
  return [
    ...Array.from(
      { length: senders },
      (_, i): Member => ({ asn: 65101 + i, send: WHOLE_TABLE, expect: 'none' }),
    ),
    ...Array.from({ length: sinks }, (_, i): Member => ({ asn: 65301 + i, expect: 'all' })),
  ];
}

/** A reflector's clients; those up to `senders` announce `routes` routes each, everybody expects the others'. */
export function clients(count: number, routes: number, senders = count): Member[] {
  return Array.from({ length: count }, (_, i): Member => {
    return i < senders ? { ...CLIENT, send: { from: i * routes, to: (i + 1) * routes } } : CLIENT;
  });
}

export const CLIENT: Member = { asn: DAEMON_AS, reflectorClient: true, expect: 'all' };

export function setup(
  members: readonly Member[],
  table: TableSource,
  phases: readonly PhaseName[],
  options: SetupOptions = {},
): WorkSetup {
  const { kernel = false, probes, churn, holdTime = HOLD_TIME, lingerSeconds, importFilter } = options;
  const address = (i: number): string =>
    `10.90.${1 + Math.floor(i / HOSTS_PER_OCTET)}.${1 + (i % HOSTS_PER_OCTET)}`;
  const peers = members.map(
    (member, i): PeerSpec => ({
      name: `peer_${i}`,
      address: address(i),
      localAddress: DAEMON_ADDRESS,
      asn: member.asn,
      families: ['ipv4'],
      passive: true,
      ...(member.reflectorClient === true ? { reflectorClient: true } : {}),
    }),
  );
  const sessions = members.map(
    (member, i): SessionPlan => ({
      localAddress: address(i),
      asn: member.asn,
      id: address(i),
      expect: member.expect,
      ...(member.send === undefined ? {} : { send: member.send }),
      ...(member.role === undefined ? {} : { role: member.role }),
      ...(member.stall === true ? { stall: true } : {}),
      ...(member.abuse === undefined ? {} : { abuse: member.abuse }),
    }),
  );
  return {
    spec: {
      asn: DAEMON_AS,
      routerId: DAEMON_ADDRESS,
      peers,
      networks: [],
      kernel,
      ...(importFilter === undefined ? {} : { importFilter }),
    },
    plan: {
      target: { address: DAEMON_ADDRESS, port: BGP_PORT, asn: DAEMON_AS },
      table,
      sessions,
      phases,
      holdTime,
      checkNextHop: members.some((member) => member.reflectorClient === true),
      timeoutSeconds: TIMEOUT_SECONDS + (phases.includes('churn') ? (churn?.seconds ?? 0) : 0),
      settleMs: SETTLE_MS,
      ...(probes === undefined ? {} : { probes }),
      ...(churn === undefined ? {} : { churn }),
      ...(lingerSeconds === undefined ? {} : { lingerSeconds }),
    },
    addresses: sessions.map((session) => `${session.localAddress}/${NETWORK_BITS}`),
  };
}
