// Whether labs can run here. They need root, namespaces and the daemons' packages; where a lab is demanded (in CI, or
// with GODWIT_LABS=1) what is missing is a failure, elsewhere the test is skipped and says why.

import { DAEMONS } from '../../../bench/daemons/index.ts';
import type { DaemonName } from '../../../bench/daemons/types.ts';
import { succeeds } from '../../../bench/lab/command.ts';

export interface LabRequirement {
  /** undefined: the lab can run. */
  readonly missing: string | undefined;
  /** Skip the tests; never true where labs are demanded. */
  readonly skip: boolean;
}

export function labsDemanded(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['CI'] === 'true' || env['GODWIT_LABS'] === '1';
}

/** Looks for what a lab with these daemons needs; throws with the list where labs are demanded. */
export async function labRequirement(daemons: readonly DaemonName[]): Promise<LabRequirement> {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push('root privilege');
  if (!(await succeeds(['ip', '-V']))) missing.push('ip (package iproute2)');
  else if (missing.length === 0 && !(await succeeds(['unshare', '-n', 'true']))) {
    missing.push('permission to make network namespaces');
  }
  for (const name of daemons) {
    if ((await DAEMONS[name]().version()) === undefined) missing.push(`${name} (package ${PACKAGES[name]})`);
  }
  if (missing.length === 0) return { missing: undefined, skip: false };
  const text = missing.join(', ');
  return { missing: text, skip: skipWithout(text) };
}

/** Whether tests must be skipped because something is missing, which is said; throws where labs are demanded. */
export function skipWithout(missing: string | undefined): boolean {
  if (missing === undefined) return false;
  if (labsDemanded()) throw new Error(`labs are demanded, but these are missing: ${missing}`);
  process.stderr.write(`lab skipped, missing: ${missing}\n`);
  return true;
}

const PACKAGES: Readonly<Record<DaemonName, string>> = {
  godwit: 'this project, built with npm run build',
  bird: 'bird2',
  frr: 'frr',
  gobgp: 'gobgpd',
  openbgpd: 'openbgpd',
  exabgp: 'exabgp',
};
