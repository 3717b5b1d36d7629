// The works that contestants are given: each a row with who peers, what is played and what everybody must have in the
// end. A new work is a new row.

import type { Ability, DaemonSpec, PeerSpec } from './daemons/types.ts';
import type { LoadPlan, PhaseName, ProbePlan, SessionPlan, TableSource } from './load/plan.ts';

const DAEMON_ADDRESS = '10.90.0.1';
export const NETWORK_BITS = 16;
const DAEMON_AS = 65000;
const BGP_PORT = 179;
const HOLD_TIME = 90;
const SETTLE_MS = 400;
const HOSTS_PER_OCTET = 250;

export interface WorkSize {
  /** Routes of the full table that works of kind T, F and D play. */
  readonly routes: number;
  readonly seed: number;
  /** List of real prefixes, where it is at hand. */
  readonly prefixList: string | undefined;
  /** MRT table for T4, where one is at hand. */
  readonly mrtTable: string | undefined;
}

export interface Work {
  readonly id: string;
  readonly title: string;
  /** The phase that counts; a withdrawal is preceded by its announcement. */
  readonly phase: PhaseName;
  /** Daemons without these abilities do not take part. */
  readonly needs: readonly Ability[];
  /** undefined where the input that it needs is not at hand. */
  setup(size: WorkSize): WorkSetup | undefined;
}

export interface WorkSetup {
  readonly spec: DaemonSpec;
  readonly plan: LoadPlan;
  /** Addresses of the load's device. */
  readonly addresses: readonly string[];
}

interface Member {
  readonly asn: number;
  readonly send?: { readonly from: number; readonly to: number };
  readonly expect: SessionPlan['expect'];
  readonly reflectorClient?: boolean;
  readonly role?: 'probes';
  readonly stall?: boolean;
}

interface SetupOptions {
  readonly kernel?: boolean;
  readonly probes?: ProbePlan;
}

const WHOLE_TABLE = { from: 0, to: -1 } as const;
/** As in full feeds: 167,000 sets for a million routes. */
const SETS_PER_ROUTE = 0.167;
/** A timeout for the slowest contestant: GoBGP takes minutes for the largest works. */
const TIMEOUT_SECONDS = 300;

function fullTable(size: WorkSize, routes = size.routes): TableSource {
  const { seed, prefixList } = size;
  const list = prefixList === undefined ? {} : { prefixList };
  return { kind: 'full', routes, seed, setsPerRoute: SETS_PER_ROUTE, ...list };
}

/** External sessions: some play the whole table, some receive it. */
function external(senders: number, sinks: number): Member[] {
  return [
    ...Array.from(
      { length: senders },
      (_, i): Member => ({ asn: 65101 + i, send: WHOLE_TABLE, expect: 'none' }),
    ),
    ...Array.from({ length: sinks }, (_, i): Member => ({ asn: 65301 + i, expect: 'all' })),
  ];
}

/** A reflector's clients; those up to `senders` announce `routes` blocks each, everybody expects the others'. */
function clients(count: number, routes: number, senders = count): Member[] {
  return Array.from({ length: count }, (_, i): Member => {
    const member: Member = { asn: DAEMON_AS, reflectorClient: true, expect: 'all' };
    return i < senders ? { ...member, send: { from: i * routes, to: (i + 1) * routes } } : member;
  });
}

function setup(
  members: readonly Member[],
  table: TableSource,
  phases: readonly PhaseName[],
  { kernel = false, probes }: SetupOptions = {},
): WorkSetup {
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
    }),
  );
  return {
    spec: { asn: DAEMON_AS, routerId: DAEMON_ADDRESS, peers, networks: [], kernel },
    plan: {
      target: { address: DAEMON_ADDRESS, port: BGP_PORT, asn: DAEMON_AS },
      table,
      sessions,
      phases,
      holdTime: HOLD_TIME,
      checkNextHop: members.some((member) => member.reflectorClient === true),
      timeoutSeconds: TIMEOUT_SECONDS,
      settleMs: SETTLE_MS,
      ...(probes === undefined ? {} : { probes }),
    },
    addresses: sessions.map((session) => `${session.localAddress}/${NETWORK_BITS}`),
  };
}

function reflector(count: number, routes: number, senders = count): () => WorkSetup {
  const table: TableSource = { kind: 'blocks', routes: senders * routes };
  return () => setup(clients(count, routes, senders), table, ['announce']);
}

/** Routes of works that were measured with a smaller table than T1. */
const T3_SHARE = 0.5;

/** Some hundred single routes; under load as many as there is time for. */
const IDLE_PROBES: ProbePlan = { count: 500, gapMs: 2 };
const LOAD_PROBES: ProbePlan = { count: 20_000, gapMs: 2 };
const PROBER: Member = { asn: 65201, role: 'probes', expect: 'none' };
const NO_TABLE: TableSource = { kind: 'blocks', routes: 0 };

/** Enough octets for each client that no socket buffer hides a client that does not read. */
const S1_SHARE = 0.1;
const S1_CLIENTS = 100;

/** One client announces a table to the others; the first `stalled` of them do not read. */
function slowReaders(size: WorkSize, stalled: number): WorkSetup {
  const members = Array.from({ length: S1_CLIENTS }, (_, i): Member => {
    if (i < stalled) return { asn: DAEMON_AS, reflectorClient: true, expect: 'none', stall: true };
    return { asn: DAEMON_AS, reflectorClient: true, expect: 'all' };
  });
  const sender: Member = { asn: DAEMON_AS, reflectorClient: true, expect: 'none', send: WHOLE_TABLE };
  return setup([sender, ...members], fullTable(size, Math.round(size.routes * S1_SHARE)), ['announce']);
}

export const WORKS: readonly Work[] = [
  {
    id: 'T1',
    title: 'a full IPv4 table from one eBGP peer to another',
    phase: 'announce',
    needs: [],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce']),
  },
  {
    id: 'T1w',
    title: 'the same withdrawn',
    phase: 'withdraw',
    needs: [],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce', 'withdraw']),
  },
  {
    id: 'T2',
    title: 'T1, and the routes programmed into the kernel',
    phase: 'announce',
    needs: ['kernel'],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce'], { kernel: true }),
  },
  {
    id: 'T3',
    title: 'half the table from four eBGP peers, to a fifth',
    phase: 'announce',
    needs: [],
    setup: (size) => setup(external(4, 1), fullTable(size, Math.round(size.routes * T3_SHARE)), ['announce']),
  },
  {
    id: 'T4',
    title: 'a real table dump from one eBGP peer to another',
    phase: 'announce',
    needs: [],
    setup: (size) =>
      size.mrtTable === undefined
        ? undefined
        : setup(external(1, 1), { kind: 'mrt', path: size.mrtTable, peer: 0 }, ['announce']),
  },
  {
    id: 'R1',
    title: 'reflector, 100 clients x 100 routes',
    phase: 'announce',
    needs: [],
    setup: reflector(100, 100),
  },
  {
    id: 'R2',
    title: 'reflector, 500 clients x 20 routes',
    phase: 'announce',
    needs: [],
    setup: reflector(500, 20),
  },
  {
    id: 'R3s',
    title: 'reflector, 250 clients x 20 routes',
    phase: 'announce',
    needs: [],
    setup: reflector(250, 20),
  },
  {
    id: 'R3',
    title: 'reflector, 1000 clients x 20 routes',
    phase: 'announce',
    needs: [],
    setup: reflector(1000, 20),
  },
  {
    id: 'R4',
    title: "reflector, one client's 100,000 routes to 100 clients",
    phase: 'announce',
    needs: [],
    setup: reflector(101, 100_000, 1),
  },
  {
    id: 'F50',
    title: 'a full table to 50 eBGP peers',
    phase: 'announce',
    needs: [],
    setup: (size) => setup(external(1, 50), fullTable(size), ['announce']),
  },
  {
    id: 'D10',
    title: 'the same full table from ten eBGP peers, to one',
    phase: 'announce',
    needs: [],
    setup: (size) => setup(external(10, 1), fullTable(size), ['announce']),
  },
  {
    id: 'C2',
    title: 'from peer to peer: a single route through an idle speaker, p99',
    phase: 'probe',
    needs: [],
    setup: () => setup([PROBER, ...external(0, 1)], NO_TABLE, ['probe'], { probes: IDLE_PROBES }),
  },
  {
    id: 'C2f',
    title: 'from peer to peer: a single route while the speaker takes a full table, p99',
    phase: 'probe-under-load',
    needs: [],
    setup: (size) =>
      setup([PROBER, ...external(1, 1)], fullTable(size), ['probe-under-load'], { probes: LOAD_PROBES }),
  },
  {
    id: 'L1',
    title: 'answers to a status question during T1, p99',
    phase: 'announce',
    needs: ['status'],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce']),
  },
  {
    id: 'L1r',
    title: 'answers to a status question during R3, p99',
    phase: 'announce',
    needs: ['status'],
    setup: reflector(1000, 20),
  },
  {
    id: 'S0',
    title: "a tenth of a table from one client to 100, all of which read (S1's measure)",
    phase: 'announce',
    needs: [],
    setup: (size) => slowReaders(size, 0),
  },
  {
    id: 'S1',
    title: 'a tenth of a table from one client to 100, one of which stops reading',
    phase: 'announce',
    needs: [],
    setup: (size) => slowReaders(size, 1),
  },
];

export const DEFAULT_WORKS: readonly string[] = ['T1', 'T1w', 'R1', 'R3s'];

export { DAEMON_ADDRESS };
