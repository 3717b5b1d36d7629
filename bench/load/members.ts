// The sessions of a load with what belongs to each: its share of the table as encoded streams, what it should receive,
// and whether it has it. Sums over them are what a phase reports.

import { parseAddress, quadToUint } from '../../src/lib/ip.ts';
import type { LoadPlan, PhaseName, SessionPlan } from './plan.ts';
import { prefixText } from './replay.ts';
import type { RouteTable } from './route-table.ts';
import type { LoadSession } from './session.ts';
import type { Sink, SinkCounters } from './sink.ts';
import { announceStream, endOfRib, type RouteRange, type SenderIdentity, withdrawStream } from './stream.ts';

const MISSING_SHOWN = 5;

export interface Member {
  readonly plan: SessionPlan;
  readonly range: RouteRange | undefined;
  readonly sink: Sink | undefined;
  readonly streams: Readonly<Record<'announce' | 'withdraw', Uint8Array>> | undefined;
  /** Replaced when it comes back after it went down. */
  session: LoadSession;
  /** It has what the phase should bring. */
  complete: boolean;
}

/** What it announces; `count`: routes of the table. */
export function rangeOf(session: SessionPlan, count: number): RouteRange | undefined {
  if (session.send === undefined) return undefined;
  return { from: session.send.from, to: session.send.to < 0 ? count : session.send.to };
}

export function senderOf(plan: LoadPlan, session: SessionPlan): SenderIdentity {
  return {
    asn: session.asn,
    peerAs: plan.target.asn,
    nextHop4: parseAddress(session.nextHop ?? session.localAddress)!.bytes,
    nextHop6: session.nextHop6 === undefined ? undefined : parseAddress(session.nextHop6)!.bytes,
  };
}

export function streamsOf(
  plan: LoadPlan,
  table: RouteTable,
  session: SessionPlan,
  range: RouteRange,
): NonNullable<Member['streams']> {
  return {
    announce: Buffer.concat([announceStream(table, range, senderOf(plan, session)), endOfRib(table)]),
    withdraw: plan.phases.includes('withdraw') ? withdrawStream(table, range) : new Uint8Array(0),
  };
}

/** The next hop that each route is announced with; those from `singles` on are of whoever announces single routes. */
export function keptNextHops(
  sessions: readonly SessionPlan[],
  ranges: readonly (RouteRange | undefined)[],
  { count, singles }: { readonly count: number; readonly singles: number },
): Uint32Array {
  const out = new Uint32Array(count);
  sessions.forEach((session, i) => {
    const own = session.role === 'probes' || session.role === 'churn';
    const range = own ? { from: singles, to: count } : ranges[i];
    if (range === undefined) return;
    out.fill(quadToUint(parseAddress(session.nextHop ?? session.localAddress)!.bytes), range.from, range.to);
  });
  return out;
}

/** Keeps the answer: a sink that was complete once is not asked again at every read of the others. */
export function isComplete(member: Member, phase: PhaseName, gone: RouteRange | undefined): boolean {
  if (member.complete || member.sink === undefined) return true;
  // Who is not there expects nothing.
  if (phase === 'down' && member.plan.role === 'flapping') return true;
  if (member.plan.role === 'joiner' && phase !== 'join') return true;
  member.complete = member.sink.present === expectedOf(member.sink, phase, gone);
  return member.complete;
}

function expectedOf(sink: Sink, phase: PhaseName, gone: RouteRange | undefined): number {
  if (phase === 'withdraw') return 0;
  if (phase === 'down' && gone !== undefined) return sink.expectedCount - sink.expectedIn(gone);
  return sink.expectedCount;
}

export interface Totals extends SinkCounters {
  expected: number;
  present: number;
  wrong: number;
}

/** Sums over everybody who expects something in this phase. */
export function totalsOf(members: readonly Member[], phase: PhaseName, gone: RouteRange | undefined): Totals {
  const sum: Totals = {
    expected: 0,
    present: 0,
    wrong: 0,
    updates: 0,
    announced: 0,
    withdrawn: 0,
    duplicates: 0,
    echoed: 0,
    unexpected: 0,
  };
  for (const { sink, plan } of members) {
    if (sink === undefined) continue;
    const absent =
      (phase === 'down' && plan.role === 'flapping') || (phase !== 'join' && plan.role === 'joiner');
    if (!absent) {
      sum.expected += phase === 'withdraw' ? sink.expectedCount : expectedOf(sink, phase, gone);
      sum.present += sink.present;
      sum.wrong += sink.wrong;
    }
    sum.updates += sink.counters.updates;
    sum.announced += sink.counters.announced;
    sum.withdrawn += sink.counters.withdrawn;
    sum.duplicates += sink.counters.duplicates;
    sum.echoed += sink.counters.echoed;
    sum.unexpected += sink.counters.unexpected;
  }
  return sum;
}

/** A few routes that somebody lacks. */
export function missingRoutes(members: readonly Member[], table: RouteTable): string[] {
  const sink = members.find(
    (member) => member.sink !== undefined && member.sink.present < member.sink.expectedCount,
  )?.sink;
  return sink === undefined ? [] : sink.missing(MISSING_SHOWN).map((index) => prefixText(table, index));
}
