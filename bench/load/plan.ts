// What a load is told to do and what it tells: the JSON between the bench (or a person) and the load process. The plan
// comes as a file; afterwards the load writes one event a line to stdout and starts each phase at a line `go` on stdin,
// so that whoever measures the daemon can read its counters exactly at the start and at the end.

export type TableSource =
  /** A full table of generated shape; IPv4. */
  | {
      readonly kind: 'full';
      readonly routes: number;
      readonly seed: number;
      readonly setsPerRoute: number;
      readonly prefixList?: string;
    }
  /** /26 blocks without attributes; IPv4. */
  | { readonly kind: 'blocks'; readonly routes: number }
  /** One peer of an MRT dump (its address, or its number in order of appearance); the first family that occurs. */
  | { readonly kind: 'mrt'; readonly path: string; readonly peer: string | number | 'all' }
  /** UPDATE messages back to back. */
  | { readonly kind: 'messages'; readonly path: string };

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
}

export type PhaseName = 'announce' | 'withdraw';

export interface LoadPlan {
  readonly target: { readonly address: string; readonly port: number; readonly asn: number };
  readonly table: TableSource;
  readonly sessions: readonly SessionPlan[];
  readonly phases: readonly PhaseName[];
  readonly holdTime: number;
  /** Reflected routes must keep the sender's next hop. */
  readonly checkNextHop: boolean;
  /** A session that is not Established by then, or a phase that takes longer, ends the load. */
  readonly timeoutSeconds: number;
  /** After the last expected route: how long nothing may arrive before the phase counts as over. */
  readonly settleMs: number;
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
  | { readonly event: 'established'; readonly sessions: number; readonly seconds: number }
  /** Everything has arrived; daemon counters may be read. */
  | { readonly event: 'arrived'; readonly phase: PhaseName }
  | { readonly event: 'phase'; readonly result: PhaseResult }
  | { readonly event: 'failed'; readonly message: string };
