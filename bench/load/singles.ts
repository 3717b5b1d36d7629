// Routes that are not part of the table but sent one by one, behind its end: probes, or churn. Makes them, and says who
// hears of them when they arrive.

import type { Clock } from '../../src/lib/clock.ts';
import { Churn } from './churn.ts';
import { senderOf } from './members.ts';
import type { LoadPlan, SessionPlan } from './plan.ts';
import { Probes } from './probes.ts';
import { below, seeded } from './random.ts';
import type { RouteTable } from './route-table.ts';
import type { SingleObserver } from './sink.ts';
import { announceStream, SingleWriter } from './stream.ts';
import { appendTable, attributeSet, blockTable } from './synthetic.ts';
import type { Expectation } from './update-reader.ts';

/** Of the table's own sets, this many take part in churn: each is kept encoded. */
const KNOWN_SETS = 20_000;

export interface Singles {
  /** Index of the first of them in the table. */
  readonly from: number;
  readonly probes: Probes | undefined;
  readonly churn: Churn | undefined;
  /** For one more receiver. */
  observer(): SingleObserver;
}

/** Puts the single routes that the plan asks for behind the table's, with all attribute sets that they may get. */
export function appendSingles(plan: LoadPlan, table: RouteTable): { from: number; sets: readonly number[] } {
  const from = table.count;
  const { churn } = plan;
  const random = seeded(churn?.seed ?? 0);
  const sets = new Set<number>();
  if (churn !== undefined) {
    const known = table.pool.count;
    for (let i = 0; i < Math.min(known, KNOWN_SETS); i++) sets.add(below(random, known));
    const wanted = sets.size + churn.newSets;
    while (sets.size < wanted) sets.add(table.pool.intern(attributeSet(random)));
  }
  appendTable(table, blockTable(plan.probes?.count ?? churn?.routes ?? 0));
  return { from, sets: [...sets] };
}

/** `send` sends whole messages over the session whose role it is. */
export function makeSingles(
  plan: LoadPlan,
  clock: Clock,
  { from, sets }: { readonly from: number; readonly sets: readonly number[] },
  { table, hashes }: Expectation,
  send: (session: SessionPlan, message: Uint8Array) => void,
): Singles {
  const session = plan.sessions.find(({ role }) => role === 'probes' || role === 'churn');
  if (session === undefined) {
    if (plan.probes !== undefined || plan.churn !== undefined) {
      throw new Error('single routes without a session that sends them');
    }
    return { from, probes: undefined, churn: undefined, observer: () => NOBODY };
  }
  const sender = senderOf(plan, session);
  if (plan.churn !== undefined) {
    const writer = new SingleWriter(table, sender);
    const churn = new Churn({
      plan: plan.churn,
      hashes: sets.map((set) => hashes[set]!),
      random: seeded(plan.churn.seed + 1),
      clock,
      send: (changes) =>
        send(
          session,
          writer.write(
            changes.map(({ route, set }) => ({ index: from + route, set: set < 0 ? set : sets[set]! })),
          ),
        ),
    });
    return { from, probes: undefined, churn, observer: () => churn.observer() };
  }
  const { probes: probePlan } = plan;
  if (probePlan === undefined) throw new Error('a session for single routes without a plan for them');
  const messages = Array.from({ length: table.count - from }, (_, i) =>
    announceStream(table, { from: from + i, to: from + i + 1 }, sender),
  );
  const probes = new Probes(messages, probePlan, clock, (message) => send(session, message));
  const observer: SingleObserver = {
    announced: (number, _hash, right) => probes.arrived(number, right),
    withdrawn: () => undefined,
    reset: () => undefined,
  };
  return { from, probes, churn: undefined, observer: () => observer };
}

const NOBODY: SingleObserver = {
  announced: () => undefined,
  withdrawn: () => undefined,
  reset: () => undefined,
};
