// The journal's entries as everybody outside sees them: over gRPC, in the file, on the command line. A line of the file
// is one entry as JSON; reading it back needs no daemon.

export const EVENT_KINDS = [
  'session',
  'configuration',
  'kernel',
  'limit',
  'restart',
  'bfd',
  'daemon',
  'loop',
  'rpki',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const EVENT_SEVERITIES = ['info', 'warning', 'error'] as const;
export type EventSeverity = (typeof EVENT_SEVERITIES)[number];

export interface JournalEntry {
  /** Counts from 1 since the start of the daemon. */
  seq: number;
  /** Wall-clock milliseconds. */
  at: number;
  kind: EventKind;
  severity: EventSeverity;
  /** Of a bounded set: a cause of cause-table.ts, or what event-codes.ts has. */
  code: string;
  peer: string | undefined;
  /** One line for a person. */
  sentence: string;
  /** What to do about it, where there is something to do. */
  advice: string | undefined;
}

export interface JournalQuery {
  /** Only what is about this peer. */
  peer?: string;
  /** Only entries at or after this moment, wall-clock milliseconds. */
  since?: number;
}

/** Whether a query asks for an entry. */
export function wanted(query: JournalQuery, entry: JournalEntry): boolean {
  return (
    (query.peer === undefined || entry.peer === query.peer) &&
    (query.since === undefined || entry.at >= query.since)
  );
}

export function formatEntryLine(entry: JournalEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Reads a line of a journal; undefined where it is none, such as one that a crash cut off. */
export function parseEntryLine(line: string): JournalEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (name: string): unknown => Reflect.get(value, name);
  const [seq, at, code, sentence] = [field('seq'), field('at'), field('code'), field('sentence')];
  const kind = EVENT_KINDS.find((each) => each === field('kind'));
  const severity = EVENT_SEVERITIES.find((each) => each === field('severity'));
  if (typeof seq !== 'number' || typeof at !== 'number' || !Number.isFinite(at)) return undefined;
  if (typeof code !== 'string' || typeof sentence !== 'string') return undefined;
  if (kind === undefined || severity === undefined) return undefined;
  return {
    seq,
    at,
    kind,
    severity,
    code,
    sentence,
    peer: textOf(field('peer')),
    advice: textOf(field('advice')),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
