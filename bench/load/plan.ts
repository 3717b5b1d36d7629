// What a load is told to do and what it tells: the JSON between the bench (or a person) and the load process. The plan
// comes as a file; afterwards the load writes one event a line to stdout and starts each phase at a line `go` on stdin,
// so that whoever measures the daemon can read its counters exactly at the start and at the end. It ends with stdin.

import type { Latency } from '../statistics.ts';

export type TableSource =
  /** A full table of generated shape; IPv4. */
  | {
      readonly kind: 'full';
      readonly routes: number;
      readonly seed: number;
      readonly setsPerRoute: number;
      readonly prefixList?: string;
      /** So many /26 blocks more, which are announced and which nobody may get. */
      readonly refused?: number;
    }
  /** /26 blocks without attributes; IPv4. */
  | { readonly kind: 'blocks'; readonly routes: number }
  /** One peer of an MRT dump (its address, or its number in order of appearance); the first family that occurs. */
  | { readonly kind: 'mrt'; readonly path: string; readonly peer: string | number | 'all' }
  /** UPDATE messages back to back. */
  | { readonly kind: 'messages'; readonly path: string };

/** hostile.ts says what each does; none: a peer that is there and silent. */
export type AbuseName = 'none' | 'flood' | 'flap' | 'large' | 'deaf' | 'crowd' | 'garbage';

export interface SessionPlan {
  readonly localAddress: string;
  readonly asn: number;
  /** Dotted quad. */
  readonly id: string;
  /** Next hop of its routes; `localAddress` unless given. */
  readonly nextHop?: string;
  /** Next hop of its IPv6 routes. */
  readonly nextHop6?: string;
  /** Share of the table that this session announces, as indexes; to = -1 means the end of the table. */
  readonly send?: { readonly from: number; readonly to: number };
  /** all: every route that is announced by others. */
  readonly expect: 'none' | 'all';
  /**
   * probes: announces the single routes of `LoadPlan.probes`, instead of a share of the table; churn: those of
   * `LoadPlan.churn`; joiner: is not there before the phase `join`; flapping: goes in the phase `down` and comes back in
   * `up`.
   */
  readonly role?: 'probes' | 'churn' | 'joiner' | 'flapping';
  /** A hostile peer in a process of its own, and what it does; it expects nothing. */
  readonly abuse?: AbuseName;
  /** Reads nothing any more once it is Established; keepalives are still sent. */
  readonly stall?: boolean;
}

/**
 * announce, withdraw: every sender's stream, as fast as it goes. probe: single routes one after the other, nothing
 * else going on. probe-under-load: single routes at a fixed pace while the streams of `announce` are under way. churn:
 * routes change at a fixed rate. join: a session more comes up, while routes change. down: a sender's connection ends
 * without a word; its routes must go. up: it comes back, counted from Established. linger: nothing but keepalives.
 */
export type PhaseName =
  | 'announce'
  | 'withdraw'
  | 'probe'
  | 'probe-under-load'
  | 'churn'
  | 'join'
  | 'down'
  | 'up'
  | 'linger';

/** Single routes whose way through the daemon is timed. */
export interface ProbePlan {
  /** At most; under load the last one is sent before the table has arrived. */
  readonly count: number;
  /** Milliseconds: after an arrival (probe), or between two (probe-under-load). */
  readonly gapMs: number;
}

/** Routes that change all the time, each UPDATE with one of them. */
export interface ChurnPlan {
  readonly routes: number;
  /** UPDATEs a second. */
  readonly rate: number;
  /** At most; in the phase `join` the new session's last route ends it. */
  readonly seconds: number;
  /** Share of changes that are withdrawals, 0..1. */
  readonly withdrawShare: number;
  /** Attribute sets that no other route has, beside those of the table. */
  readonly newSets: number;
  readonly seed: number;
}

export interface LoadPlan {
  readonly target: { readonly address: string; readonly port: number; readonly asn: number };
  readonly table: TableSource;
  readonly sessions: readonly SessionPlan[];
  readonly phases: readonly PhaseName[];
  readonly holdTime: number;
  /** Reflected routes must keep the sender's next hop. */
  readonly checkNextHop: boolean;
  readonly probes?: ProbePlan;
  readonly churn?: ChurnPlan;
  /** Of the phase `linger`. */
  readonly lingerSeconds?: number;
  /**
   * `/proc/PID/net` of a process in the daemon's namespace: a phase is over when the kernel there has the routes, too,
   * and its table is compared with the one played.
   */
  readonly kernelTable?: string;
  /** Prefixes that the kernel must have in the end, where that is not what it had and the routes played. */
  readonly kernelTarget?: number;
  /** Between two attempts to connect. */
  readonly connectRetryMs?: number;
  /** A session that is not Established by then, or a phase that takes longer, ends the load. */
  readonly timeoutSeconds: number;
  /** After the last expected route: how long nothing may arrive before the phase counts as over. */
  readonly settleMs: number;
}

/** The daemon's kernel after a phase, beside the routes played. */
export interface KernelResult {
  /** From the first octet sent until the table was seen to be complete. */
  readonly seconds: number;
  readonly missing: number;
  /** Routes through other gateways than those of the sender's UPDATEs. */
  readonly wrong: number;
  /** Routes that nobody announced. */
  readonly unexpected: number;
}

export interface ProbeResult {
  readonly sent: number;
  readonly arrived: number;
  /** From sending to arrival; undefined where nothing arrived. */
  readonly latency: Latency | undefined;
}

export interface ChurnResult {
  readonly sent: number;
  /** At the receiver that is timed. */
  readonly arrived: number;
  /** Not shown to it because a newer change of the same route replaced them. */
  readonly overtaken: number;
  /** Arrivals that are nothing that was sent. */
  readonly wrong: number;
  /** Routes, summed over all receivers, that are not as they were sent last. */
  readonly lost: number;
  readonly latency: Latency | undefined;
}

export interface PhaseResult {
  readonly phase: PhaseName;
  readonly complete: boolean;
  /** From the first octet sent to the last expected change seen. */
  readonly seconds: number;
  /** Until the kernel had taken the last octet of every sender. */
  readonly sentSeconds: number;
  /** Sums over the sessions that expect something. */
  readonly expected: number;
  readonly present: number;
  /** Present with other attributes (or next hop) than announced. */
  readonly wrong: number;
  readonly announced: number;
  readonly withdrawn: number;
  readonly duplicates: number;
  readonly echoed: number;
  readonly unexpected: number;
  readonly updates: number;
  readonly receivedOctets: number;
  readonly sentOctets: number;
  /** Where the plan asks for the kernel's table. */
  readonly kernel?: KernelResult;
  /** Of the phases of probes. */
  readonly probes?: ProbeResult;
  /** Of the phases with churn. */
  readonly churn?: ChurnResult;
  /** Seconds: the longest that any session heard nothing, since it is Established. */
  readonly longestSilence: number;
  /** Sessions on which that was longer than the hold time. */
  readonly expired: number;
  /** Of the load process itself, in seconds. */
  readonly loaderCpu: number;
  /** A few prefixes that are missing. */
  readonly missing: readonly string[];
}

export type LoadEvent =
  | {
      readonly event: 'prepared';
      readonly routes: number;
      readonly attributeSets: number;
      readonly octets: number;
    }
  | {
      readonly event: 'established';
      readonly sessions: number;
      readonly seconds: number;
      /** Of the first session, as `Clock.wallTime`. */
      readonly firstAt: number;
    }
  /** Everything has arrived; daemon counters may be read. */
  | { readonly event: 'arrived'; readonly phase: PhaseName }
  | { readonly event: 'phase'; readonly result: PhaseResult }
  | { readonly event: 'failed'; readonly message: string };
