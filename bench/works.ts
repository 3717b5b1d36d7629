// The works that contestants are given: each a row with who peers, what is played and what everybody must have in the
// end. A new work is a new row.

import type { Course } from './course.ts';
import type { Ability } from './daemons/types.ts';
import { importFilter, SET_MEMBERS } from './filter-text.ts';
import type { AbuseName, ChurnPlan, PhaseName, ProbePlan, TableSource } from './load/plan.ts';
import type { Measure } from './outcome.ts';
import {
  CLIENT,
  clients,
  DAEMON_AS,
  external,
  fullTable,
  type Member,
  setup,
  WHOLE_TABLE,
  type WorkSetup,
  type WorkSize,
} from './work-setup.ts';

export interface Work {
  readonly id: string;
  readonly title: string;
  /** The phase that counts; those before it prepare it. */
  readonly phase: PhaseName;
  /** `time` unless given. */
  readonly measure?: Measure;
  /** `phases` unless given. */
  readonly course?: Course;
  /** The daemon is asked for its status meanwhile: over an open connection, or by its command line client. */
  readonly asks?: 'connection' | 'client';
  /** Daemons without these abilities do not take part. */
  readonly needs?: readonly Ability[];
  /** undefined where the input that it needs is not at hand. */
  setup(size: WorkSize): WorkSetup | undefined;
}

/** Works that were measured with a smaller table than T1. */
const SHARE = { t3: 0.5, r4: 0.1, s1: 0.1, p1: 0.1, p2: 0.5, u1: 0.01, a: 0.5 } as const;

/** Some hundred single routes; under load as many as there is time for. */
const IDLE_PROBES: ProbePlan = { count: 500, gapMs: 2 };
const LOAD_PROBES: ProbePlan = { count: 20_000, gapMs: 2 };
const PROBER: Member = { asn: 65201, role: 'probes', expect: 'none' };
const CHURNER: Member = { asn: 65202, role: 'churn', expect: 'none' };
const NO_TABLE: TableSource = { kind: 'blocks', routes: 0 };

/** Each route changes every ten seconds; a tenth of the changes withdraw it. */
const CHURN_PERIOD = 10;
const CHURN = { withdrawShare: 0.1, newSets: 20_000, seed: 7 } as const;
/** Beside another work: a tenth of the rate, until that is done. */
const SIDE_CHURN_SHARE = 0.1;
const LONG = 3600;

const S1_CLIENTS = 100;
const P1_CLIENTS = 100;
const P1_OWN_ROUTES = 100;
const P2_CLIENTS = 10;
/** Seconds: the least keepalive interval that anybody would configure, times three; and three of those. */
const MANY_PEERS = { holdTime: 15, lingerSeconds: 45, routes: 1000 } as const;

function reflector(count: number, routes: number): () => WorkSetup {
  return () => setup(clients(count, routes), { kind: 'blocks', routes: count * routes }, ['announce']);
}

function churnOf(rate: number, seconds: number): ChurnPlan {
  return { ...CHURN, rate, seconds, routes: Math.max(1, Math.round(rate * CHURN_PERIOD)) };
}

/** One client announces a table to the others; the first `stalled` of them do not read. */
function slowReaders(size: WorkSize, stalled: number): WorkSetup {
  const members = Array.from({ length: S1_CLIENTS }, (_, i): Member => {
    return i < stalled ? { ...CLIENT, expect: 'none', stall: true } : CLIENT;
  });
  const sender: Member = { ...CLIENT, expect: 'none', send: WHOLE_TABLE };
  return setup([sender, ...members], fullTable(size, size.routes * SHARE.s1), ['announce']);
}

/** One client has most of the routes and goes; the others have some of their own, which stay. */
function flapping(size: WorkSize, phases: readonly PhaseName[]): WorkSetup {
  const routes = Math.round(size.routes * SHARE.p1);
  const others = clients(P1_CLIENTS, P1_OWN_ROUTES).map((member, i): Member => {
    const from = routes + i * P1_OWN_ROUTES;
    return { ...member, send: { from, to: from + P1_OWN_ROUTES } };
  });
  const big: Member = { ...CLIENT, role: 'flapping', send: { from: 0, to: routes } };
  return setup([big, ...others], fullTable(size, routes + P1_CLIENTS * P1_OWN_ROUTES), phases);
}

function joining(size: WorkSize): WorkSetup {
  const routes = Math.round(size.routes * SHARE.p2);
  const sender: Member = { ...CLIENT, send: { from: 0, to: routes } };
  const churner: Member = { ...CHURNER, asn: DAEMON_AS, reflectorClient: true };
  const members = [sender, churner, ...clients(P2_CLIENTS, 0, 0), { ...CLIENT, role: 'joiner' as const }];
  const churn = churnOf(size.churnRate * SIDE_CHURN_SHARE, LONG);
  return setup(members, fullTable(size, routes), ['announce', 'join'], { churn });
}

/** Memory against the table's size, which the full table's option does not change. */
function memoryOfRoutes(id: string, routes: number): Work {
  return {
    id,
    title: `memory with ${routes.toLocaleString('en')} routes from one eBGP peer to another`,
    phase: 'announce',
    measure: 'memory',
    setup: (size) => setup(external(1, 1), fullTable(size, routes), ['announce']),
  };
}

/** Memory against peers: all of them Established over several hold times, after a burst of routes to everybody. */
function memoryOfPeers(count: number): Work {
  return {
    id: `M1p${count}`,
    title: `memory with ${count.toLocaleString('en')} peers, hold time ${MANY_PEERS.holdTime} s`,
    phase: 'linger',
    measure: 'memory',
    setup: (size) =>
      setup(
        clients(count, MANY_PEERS.routes, 1),
        fullTable(size, MANY_PEERS.routes),
        ['announce', 'linger'],
        MANY_PEERS,
      ),
  };
}

/** What a peer may do to the others, in the order of A0, A1... */
const ABUSES: readonly (readonly [AbuseName, string])[] = [
  ['none', 'does nothing (the measure of A1 to A6)'],
  ['flood', 'changes routes as fast as it can'],
  ['flap', 'comes and goes with 10,000 routes'],
  ['large', 'sends messages of 65,535 octets'],
  ['deaf', 'reads nothing'],
  ['crowd', 'opens thousands of connections'],
  ['garbage', 'connects again and again and sends noise'],
];
const A_SINKS = 10;

/** A table from one healthy peer to ten others, beside one that means harm. */
function besideHostile([abuse, title]: readonly [AbuseName, string], number: number): Work {
  return {
    id: `A${number}`,
    title: `half a table to ${A_SINKS} peers, beside one that ${title}`,
    phase: 'announce',
    setup: (size) =>
      setup(
        [...external(1, A_SINKS), { asn: 65_401, expect: 'none', abuse }],
        fullTable(size, size.routes * SHARE.a),
        ['announce'],
      ),
  };
}

export const WORKS: readonly Work[] = [
  {
    id: 'T1',
    title: 'a full IPv4 table from one eBGP peer to another',
    phase: 'announce',
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce']),
  },
  {
    id: 'T1w',
    title: 'the same withdrawn',
    phase: 'withdraw',
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce', 'withdraw']),
  },
  {
    id: 'T2',
    title: 'T1, and the routes programmed into the kernel',
    phase: 'announce',
    needs: ['kernel routes'],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce'], { kernel: true }),
  },
  {
    id: 'T3',
    title: 'half the table from four eBGP peers, to a fifth',
    phase: 'announce',
    setup: (size) => setup(external(4, 1), fullTable(size, size.routes * SHARE.t3), ['announce']),
  },
  {
    id: 'T4',
    title: 'a real table dump from one eBGP peer to another',
    phase: 'announce',
    setup: (size) =>
      size.mrtTable === undefined
        ? undefined
        : setup(external(1, 1), { kind: 'mrt', path: size.mrtTable, peer: 0 }, ['announce']),
  },
  { id: 'R1', title: 'reflector, 100 clients x 100 routes', phase: 'announce', setup: reflector(100, 100) },
  { id: 'R2', title: 'reflector, 500 clients x 20 routes', phase: 'announce', setup: reflector(500, 20) },
  { id: 'R3s', title: 'reflector, 250 clients x 20 routes', phase: 'announce', setup: reflector(250, 20) },
  { id: 'R3', title: 'reflector, 1000 clients x 20 routes', phase: 'announce', setup: reflector(1000, 20) },
  {
    id: 'R4',
    title: 'reflector, a tenth of a table from one client to 100',
    phase: 'announce',
    setup: (size) => {
      const routes = Math.round(size.routes * SHARE.r4);
      return setup(clients(101, routes, 1), fullTable(size, routes), ['announce']);
    },
  },
  {
    id: 'F50',
    title: 'a full table to 50 eBGP peers',
    phase: 'announce',
    setup: (size) => setup(external(1, 50), fullTable(size), ['announce']),
  },
  {
    id: 'D10',
    title: 'the same full table from ten eBGP peers, to one',
    phase: 'announce',
    setup: (size) => setup(external(10, 1), fullTable(size), ['announce']),
  },
  {
    id: 'F1',
    title: 'T1 and 100,000 refused routes, through an import filter with a set of 100,000 prefixes',
    phase: 'announce',
    needs: ['filter language'],
    setup: (size) => {
      const table = { ...fullTable(size), refused: SET_MEMBERS };
      return setup(external(1, 1), table, ['announce'], { importFilter: importFilter() });
    },
  },
  {
    id: 'C1',
    title: 'from peer to peer: routes that change all the time at a full table, p99',
    phase: 'churn',
    measure: 'delay',
    setup: (size) =>
      setup([CHURNER, ...external(1, 1)], fullTable(size), ['announce', 'churn'], {
        churn: churnOf(size.churnRate, size.churnSeconds),
      }),
  },
  {
    id: 'C2',
    title: 'from peer to peer: a single route through an idle speaker, p99',
    phase: 'probe',
    measure: 'delay',
    setup: () => setup([PROBER, ...external(0, 1)], NO_TABLE, ['probe'], { probes: IDLE_PROBES }),
  },
  {
    id: 'C2f',
    title: 'from peer to peer: a single route while the speaker takes a full table, p99',
    phase: 'probe-under-load',
    measure: 'delay',
    setup: (size) =>
      setup([PROBER, ...external(1, 1)], fullTable(size), ['probe-under-load'], { probes: LOAD_PROBES }),
  },
  {
    id: 'P1',
    title: 'a client with a tenth of a table goes, among 100',
    phase: 'down',
    setup: (size) => flapping(size, ['announce', 'down']),
  },
  {
    id: 'P1b',
    title: 'and it comes back',
    phase: 'up',
    setup: (size) => flapping(size, ['announce', 'down', 'up']),
  },
  {
    id: 'P2',
    title: 'a new client joins a reflector with half a table while routes change',
    phase: 'join',
    setup: joining,
  },
  {
    id: 'L1',
    title: 'answers to a status question over an open connection during T1, p99',
    phase: 'announce',
    measure: 'delay',
    asks: 'connection',
    needs: ['control protocol'],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce']),
  },
  {
    id: 'L1r',
    title: 'answers to a status question over an open connection during R3, p99',
    phase: 'announce',
    measure: 'delay',
    asks: 'connection',
    needs: ['control protocol'],
    setup: reflector(1000, 20),
  },
  {
    id: 'L1c',
    title: 'answers to a status question by the command line client during T1, p99',
    phase: 'announce',
    measure: 'delay',
    asks: 'client',
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce']),
  },
  {
    id: 'L1cr',
    title: 'answers to a status question by the command line client during R3, p99',
    phase: 'announce',
    measure: 'delay',
    asks: 'client',
    setup: reflector(1000, 20),
  },
  {
    id: 'S0',
    title: "a tenth of a table from one client to 100, all of which read (S1's measure)",
    phase: 'announce',
    setup: (size) => slowReaders(size, 0),
  },
  {
    id: 'S1',
    title: 'a tenth of a table from one client to 100, one of which stops reading',
    phase: 'announce',
    setup: (size) => slowReaders(size, 1),
  },
  ...ABUSES.map(besideHostile),
  memoryOfRoutes('M1r10k', 10_000),
  memoryOfRoutes('M1r100k', 100_000),
  memoryOfRoutes('M1r1m', 1_000_000),
  memoryOfRoutes('M1r2m', 2_000_000),
  memoryOfPeers(10),
  memoryOfPeers(100),
  memoryOfPeers(1000),
  memoryOfPeers(4000),
  {
    id: 'U1',
    title: 'from start to the first session',
    phase: 'announce',
    course: 'start',
    setup: (size) => setup(external(1, 1), fullTable(size, size.routes * SHARE.u1), ['announce']),
  },
  {
    id: 'U1k',
    title: 'from start to the first session, over a table that a crash left in the kernel',
    phase: 'announce',
    course: 'restart',
    needs: ['kernel routes'],
    setup: (size) => setup(external(1, 1), fullTable(size), ['announce'], { kernel: true }),
  },
];

export const DEFAULT_WORKS: readonly string[] = ['T1', 'T1w', 'R1', 'R3s'];
