// The report that a crash leaves behind: what ran, in which state, what happened last. It is written in one go by a
// process that ends, so nothing here waits; it holds views only, which have no secrets.

import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../api/journal.ts';
import type { PeerView, StatusView } from '../api.ts';

export interface CrashReport {
  readonly format: 1;
  /** ISO 8601. */
  readonly at: string;
  readonly reason: 'exception' | 'rejection' | 'watchdog';
  /** One line. */
  readonly sentence: string;
  /** Of the error; absent where there is none. */
  readonly stack: string | undefined;
  readonly process: {
    readonly version: string;
    readonly node: string;
    readonly platform: string;
    readonly pid: number;
    /** Seconds. */
    readonly uptime: number;
    readonly configFile: string | undefined;
  };
  readonly status: StatusView | undefined;
  readonly peers: readonly CrashedPeer[];
  /** The last ones, oldest first. */
  readonly events: readonly JournalEntry[];
}

/** So many events; what was before them is in the journal. */
export const REPORTED_EVENTS = 200;

export type CrashedPeer = Pick<
  PeerView,
  | 'name'
  | 'address'
  | 'state'
  | 'since'
  | 'queuedBytes'
  | 'congested'
  | 'messages'
  | 'families'
  | 'lastError'
  | 'lastErrorCode'
>;

/** Where reports go unless it is configured; systemd's StateDirectory= sets the variable. */
const DEFAULT_DIRECTORY = '/var/lib/godwit';
const DIRECTORY_VARIABLE = 'STATE_DIRECTORY';
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o750;
/** A crash loop must not fill the disk. */
const KEPT_REPORTS = 10;
/** Those that were never finished included. */
const REPORT_NAME = /^crash-[0-9TZ]+-\d+\.json(\.new)?$/;

export function crashDirectory(configured: string | undefined, env: NodeJS.ProcessEnv): string {
  // systemd names several with colons between.
  return configured ?? env[DIRECTORY_VARIABLE]?.split(':')[0] ?? DEFAULT_DIRECTORY;
}

export function crashedPeer(peer: PeerView): CrashedPeer {
  const { name, address, state, since, queuedBytes, congested, messages, families } = peer;
  const { lastError, lastErrorCode } = peer;
  return {
    name,
    address,
    state,
    since,
    queuedBytes,
    congested,
    messages,
    families,
    lastError,
    lastErrorCode,
  };
}

/** Writes the report and takes out the oldest ones; returns its path. Throws what the system says. */
export function writeCrashReport(directory: string, report: CrashReport): string {
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  const stamp = report.at.replaceAll(/[-:]|\.\d+/g, '');
  const path = join(directory, `crash-${stamp}-${report.process.pid}.json`);
  // Whoever collects reports sees whole ones only.
  const unfinished = `${path}.new`;
  try {
    writeFileSync(unfinished, `${JSON.stringify(report, undefined, 2)}\n`, { mode: FILE_MODE });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  const reports = readdirSync(directory).filter((name) => REPORT_NAME.test(name));
  for (const name of reports.sort().slice(0, -KEPT_REPORTS)) rmSync(join(directory, name), { force: true });
  return path;
}
