// Whether the speaker can do its work, for probes. Alive is whoever answers at all; ready is a speaker that runs
// with nothing of its configuration failing (a listener that is not bound and a kernel that is out of reach are
// among its problems) and has read the kernel's routes if it is to program them.

import type { StatusView } from '../../speaker/api.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Sentences; empty when ready. */
  readonly reasons: readonly string[];
}

/** Judges the status of the speaker. */
export function readiness(status: StatusView): Readiness {
  const reasons: string[] = [];
  if (status.state !== 'running') reasons.push(`The speaker is ${status.state}.`);
  reasons.push(...status.problems);
  if (status.kernel?.installing === true && status.kernel.lastScanAt === undefined) {
    reasons.push("The kernel's routes have not been read yet.");
  }
  return { ready: reasons.length === 0, reasons };
}
