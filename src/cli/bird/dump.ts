// SIGUSR1: what the daemon knows, for whoever looks for a fault. It goes where debug messages go: into the file of -D,
// onto stderr with -d, and as lines of class debug into the log otherwise.

import { appendFileSync, writeSync } from 'node:fs';
import { inspect } from 'node:util';
import type { SpeakerApi } from '../../speaker/api.ts';
import type { BirdLog } from './log.ts';
import { systemReason } from './system-reason.ts';

const STDERR = 2;
const DEPTH = 6;
const WIDTH = 160;

/** Returns what writes a dump. */
export function createDump(
  { debug, debugFile }: { readonly debug: boolean; readonly debugFile: string | undefined },
  log: BirdLog,
): (api: SpeakerApi) => void {
  return (api) => {
    const text = describeState(api);
    try {
      if (debugFile !== undefined) appendFileSync(debugFile, text);
      else if (debug) writeSync(STDERR, text);
      else for (const line of text.trimEnd().split('\n')) log.write('debug', line);
    } catch (error) {
      // A full disk, or a stderr that nobody reads: no reason to end a daemon.
      log.write('error', `Unable to write the state dump: ${systemReason(error)}`);
    }
  };
}

/** The state as text: status, peers, groups and how many kernel routes there are. */
export function describeState(api: SpeakerApi): string {
  const kernel = [...api.kernelRoutes()];
  const parts = {
    status: api.status(),
    peers: api.peers(),
    'update groups': api.updateGroups(),
    'kernel routes not as wanted': kernel.filter(({ state }) => state !== 'installed'),
  };
  const shown = Object.entries(parts).map(([name, value]) => {
    return `${name}:\n${inspect(value, { depth: DEPTH, breakLength: WIDTH, maxArrayLength: null })}\n`;
  });
  return `INTERNAL STATE DUMP\n\n${shown.join('\n')}\n`;
}
