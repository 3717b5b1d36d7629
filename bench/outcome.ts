// What one round of one contestant at one work gives.

import type { PhaseResult } from './load/plan.ts';
import type { Window } from './profile.ts';
import type { Latency } from './statistics.ts';

/** What a work is compared by: seconds until it is done, the 99th percentile of its delays, or resident memory. */
export type Measure = 'time' | 'delay' | 'memory';

export interface Outcome {
  readonly work: string;
  readonly measure: Measure;
  readonly daemon: string;
  readonly load: PhaseResult;
  /** What the work takes, in seconds. */
  readonly seconds: number;
  /** Seconds of CPU in the phase. */
  readonly user: number;
  readonly system: number;
  /** Octets before and after the phase; the peak since the start. */
  readonly rssBefore: number;
  readonly rss: number;
  readonly peakRss: number;
  readonly routes: number;
  readonly attributeSets: number;
  /** Delays, where the work has some. */
  readonly latency?: Latency;
  /** From the phase's start to its end. */
  readonly window: Window;
  /** For people: what else was seen. */
  readonly notes: readonly string[];
}

const MIB = 1 << 20;

/** What a phase shows beside time and cost. */
export function notesOf(load: PhaseResult, rssBefore: number, rss: number): string[] {
  const notes: string[] = [];
  const { churn } = load;
  if (churn !== undefined) {
    const { sent, arrived, overtaken, lost, wrong } = churn;
    notes.push(`${sent} changes sent, ${arrived} seen, ${overtaken} overtaken, ${lost} lost, ${wrong} wrong`);
  }
  if (churn !== undefined || load.phase === 'down' || load.phase === 'withdraw') {
    notes.push(`resident ${(rssBefore / MIB).toFixed(0)} -> ${(rss / MIB).toFixed(0)} MiB`);
  }
  if (load.phase === 'linger') notes.push(`longest silence ${load.longestSilence.toFixed(2)} s`);
  return notes;
}
