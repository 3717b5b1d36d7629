// A fault of our own that nobody caught: the report is written, and peers are told nothing unless the configuration
// says so, because those that help a restart keep routes then. Who logs the fault and ends the process is cli/local.ts.

import { CEASE } from '../../bgp/wire/error-codes.ts';
import type { SpeakerApi } from '../api.ts';
import type { Speaker } from '../speaker.ts';
import {
  type CrashReport,
  crashDirectory,
  crashedPeer,
  REPORTED_EVENTS,
  writeCrashReport,
} from './report.ts';

export interface CrashWatchOptions {
  readonly speaker: Speaker;
  readonly api: SpeakerApi;
  readonly configFile: string | undefined;
  readonly process: Pick<
    NodeJS.Process,
    'on' | 'removeListener' | 'env' | 'pid' | 'version' | 'platform' | 'uptime'
  >;
}

const MONITOR = 'uncaughtExceptionMonitor';

/** What a report says that does not depend on how it ends. */
export function reportOf(
  { speaker, api, configFile, process }: CrashWatchOptions,
  what: Pick<CrashReport, 'reason' | 'sentence' | 'stack'>,
): CrashReport {
  return {
    format: 1,
    at: new Date(speaker.parts.clock.wallTime()).toISOString(),
    ...what,
    process: {
      version: speaker.parts.version,
      node: process.version,
      platform: process.platform,
      pid: process.pid,
      uptime: process.uptime(),
      configFile,
    },
    // The tables may be what is broken.
    status: attempt(() => api.status()),
    peers: attempt(() => api.peers().map(crashedPeer)) ?? [],
    events: [...api.events({})].slice(-REPORTED_EVENTS),
  };
}

/** Writes a report when an error reaches the top; returns the function that ends the watch. */
export function watchForCrashes(options: CrashWatchOptions): () => void {
  const { speaker, process } = options;
  const { log } = speaker.parts;
  const listener = (error: unknown, origin: string): void => {
    const rejected = origin === 'unhandledRejection';
    const known = error instanceof Error ? error : new Error(String(error));
    const reason = rejected ? 'rejection' : 'exception';
    const sentence = `${known.name}: ${known.message}`;
    const { crash } = speaker.config.diagnosis;
    const directory = crashDirectory(crash.directory, process.env);
    try {
      const report = reportOf(options, { reason, sentence, stack: known.stack });
      log.error({ report: writeCrashReport(directory, report) }, 'a report of the crash was written');
    } catch (failure) {
      log.error({ error: failure, directory }, 'no report of the crash could be written');
    }
    attempt(() => speaker.diagnosis.flushNow());
    if (crash.sessions === 'silent') return;
    for (const { peer } of speaker.registry.values()) {
      attempt(() => peer.cease({ subcode: CEASE.outOfResources, text: 'godwit ends because of a fault' }));
    }
  };
  process.on(MONITOR, listener);
  return () => process.removeListener(MONITOR, listener);
}

/** In a process whose state is unknown, one thing that fails must not keep the others from being tried. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
