// From what happened to a cause: a code of a bounded table, and what a person can do about it. What a session cannot
// know by itself (whether the peer's host is alive, what the kernel threw away, how busy this process was) comes from
// outside as PathEvidence. The table is cause-table.ts; the sentence with the particulars is down-reason.ts's.

import { hardResetInner, type NotificationMessage } from '../wire/notification.ts';
import { CAUSE_TABLE } from './cause-table.ts';
import type { DownCause, DownFacts } from './down-reason.ts';
import type { FsmState } from './fsm-events.ts';

/** An error code, and a subcode where only that one is meant. */
type ErrorPattern = readonly [code: number, subcode?: number];

/** How a cause is recognised, and what is said about it. What is left out fits anything. */
export interface CauseRow {
  readonly code: string;
  readonly on: DownCause;
  /** Of a Hard Reset (RFC 8538), what is inside counts. */
  readonly sent?: ErrorPattern;
  readonly received?: ErrorPattern;
  /** The system's codes; undefined = it said nothing. */
  readonly transport?: readonly (string | undefined)[];
  readonly states?: readonly FsmState[];
  readonly suspect?: 'key' | 'changed-key' | 'ttl';
  /** No full stop, no particulars. */
  readonly means: string;
  readonly advice: string;
}

export type CauseCode = (typeof CAUSE_TABLE)[number]['code'];

/** What others know of the way to the peer. */
export interface PathEvidence {
  /** Segments that the kernel dropped for a TCP-MD5 or TCP-AO signature since this was last asked, some minutes ago at
   *  most, of this peer or of another with the same kind of trouble. */
  readonly signatureDrops?: number;
  /** The same for a TTL below the smallest accepted (RFC 5082). */
  readonly ttlDrops?: number;
  /** How it is known that the peer's host is there: `BFD is up`. */
  readonly alive?: string | undefined;
  /** The longest time that this process had its loop busy lately, milliseconds. */
  readonly loopLagMs?: number;
}

/** What the peer's connections are made with, as far as it can make them fail. */
export interface PathOptions {
  readonly signed: boolean;
  readonly ttlSecurity: boolean;
}

/** The row of a cause; total: whatever the facts are, one fits. */
export function causeOf(facts: DownFacts): {
  readonly code: CauseCode;
  readonly means: string;
  readonly advice: string;
} {
  const row = CAUSE_TABLE.find((each) => fits(each, facts));
  if (row === undefined) throw new RangeError(`no cause for ${facts.cause}`);
  return row;
}

/** Every code, once: the label values of metrics. */
export function causeCodes(): readonly CauseCode[] {
  return [...new Set(CAUSE_TABLE.map((row) => row.code))];
}

function fits(row: CauseRow, facts: DownFacts): boolean {
  return (
    row.on === facts.cause &&
    matches(row.sent, facts.sent) &&
    matches(row.received, facts.received) &&
    (row.transport === undefined || row.transport.includes(facts.transport?.code)) &&
    (row.states === undefined || row.states.includes(facts.state)) &&
    (row.suspect === undefined || SUSPICIONS[row.suspect](facts.evidence ?? {}, facts.path))
  );
}

function matches(pattern: ErrorPattern | undefined, message: NotificationMessage | undefined): boolean {
  if (pattern === undefined) return true;
  if (message === undefined) return false;
  const [code, subcode] = pattern;
  const meant = hardResetInner(message) ?? message;
  return meant.code === code && (subcode === undefined || meant.subcode === subcode);
}

const SUSPICIONS = {
  // Without a password here, signed segments that are dropped are those of a peer that has one: any peer without, where
  // fewer are those whose TTL counts.
  key: ({ signatureDrops = 0, ttlDrops = 0, alive }, path) => {
    if (path?.signed === true) return signatureDrops > 0 || alive !== undefined;
    return signatureDrops > 0 && !(path?.ttlSecurity === true && ttlDrops > 0);
  },
  // A session that had stood: that the host is alive says nothing of its key.
  'changed-key': ({ signatureDrops = 0 }) => signatureDrops > 0,
  ttl: ({ ttlDrops = 0, alive }, path) => path?.ttlSecurity === true && (ttlDrops > 0 || alive !== undefined),
} as const satisfies Record<
  NonNullable<CauseRow['suspect']>,
  (evidence: PathEvidence, path: PathOptions | undefined) => boolean
>;

/** The evidence in words, for the end of a sentence; undefined where there is none. */
export function evidenceText({ signatureDrops = 0, ttlDrops = 0, alive }: PathEvidence): string | undefined {
  const parts = [
    ...(alive === undefined ? [] : [`the host is there: ${alive}`]),
    ...(signatureDrops === 0 ? [] : [dropped(signatureDrops, 'signature')]),
    ...(ttlDrops === 0 ? [] : [dropped(ttlDrops, 'TTL')]),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function dropped(count: number, why: string): string {
  return `the kernel dropped ${count === 1 ? `a segment for its ${why}` : `${count} segments for their ${why}`}`;
}
