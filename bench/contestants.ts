// Who takes part: what is installed, or what was asked for, each under a name of its own in the report.

import { DAEMONS } from './daemons/index.ts';
import type { DaemonKind, DaemonName } from './daemons/types.ts';

export const CONTESTANTS: readonly DaemonName[] = ['godwit', 'bird', 'frr', 'gobgp', 'openbgpd'];

export interface Entry {
  readonly daemon: DaemonName;
  /** Where its programs are; godwit's is Node.js. undefined: what is installed. */
  readonly directory?: string;
}

export interface Contestant {
  readonly name: string;
  readonly kind: DaemonKind;
  /** As it says itself. */
  readonly version: string;
}

/**
 * Those that were asked for, in their order; without a wish everybody who is installed, and who is not is told to `say`.
 * Throws where one that was asked for is not there, or two would have the same name.
 */
export async function findContestants(
  asked: readonly Entry[] | undefined,
  say: (text: string) => void,
): Promise<Contestant[]> {
  const found: Contestant[] = [];
  for (const entry of asked ?? CONTESTANTS.map((daemon): Entry => ({ daemon }))) {
    const kind = DAEMONS[entry.daemon](entry.directory);
    const version = await kind.version();
    if (version !== undefined) found.push({ name: contestantName(entry, version), kind, version });
    else if (asked === undefined) say(`${entry.daemon} is not installed: skipped`);
    else throw new Error(absence(entry));
  }
  const names = found.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`--peers has ${twice} twice`);
  return found;
}

/** The daemon, and its release where that is not the installed one: `bird 2.20.0`; of godwit that of its Node.js. */
function contestantName({ daemon, directory }: Entry, version: string): string {
  if (directory === undefined) return daemon;
  return `${daemon} ${version.match(/v?\d+(\.\d+)+/g)?.at(-1) ?? directory}`;
}

function absence({ daemon, directory }: Entry): string {
  if (directory === undefined) return `${daemon} is not installed: install it, or leave it out of --peers`;
  return `${directory} has no ${daemon === 'godwit' ? 'node' : daemon} that runs: --peers ${daemon}=DIR wants the directory that its programs are in`;
}
