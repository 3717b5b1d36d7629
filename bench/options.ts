// The bench's command line.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DaemonName } from './daemons/types.ts';
import { existing, projectRoot } from './project.ts';
import type { WorkSize } from './work-setup.ts';
import { DEFAULT_WORKS, WORKS, type Work } from './works.ts';

const CONTESTANTS: readonly DaemonName[] = ['godwit', 'bird', 'frr', 'gobgp', 'openbgpd'];

export const USAGE = `usage: npm run bench [-- OPTIONS]
  --work T1,R1     works, or "all" (default ${DEFAULT_WORKS.join(',')})
  --peers a,b      daemons (default: all that are installed, of ${CONTESTANTS.join(', ')})
  --rounds N       rounds (default 3)
  --routes N       routes of the full table (default 1000000)
  --seed N         seed of generated tables (default 1)
  --rate N         changes a second in C1 (default 2000)
  --seconds N      how long C1 lasts (default 60)
  --short          one round, a tenth of the full table, C1 for 10 seconds; options given beside it count
  --data DIR       real inputs: prefix lists and MRT tables
  --node PATH      another Node.js: godwit runs on it, too, as a contestant of its own
  --profile DIR    V8's CPU profiles of godwit go there, and its most expensive functions are shown
Works:
${WORKS.map(({ id, title }) => `  ${id.padEnd(7)} ${title}`).join('\n')}
`;

const DEFAULTS = { rounds: 3, routes: 1_000_000, rate: 2000, seconds: 60 } as const;
const SHORT = { ...DEFAULTS, rounds: 1, routes: 100_000, seconds: 10 } as const;

export interface BenchOptions {
  readonly works: readonly Work[];
  readonly peers: readonly DaemonName[];
  readonly rounds: number;
  readonly size: WorkSize;
  readonly node: string | undefined;
  readonly profile: string | undefined;
}

/** undefined where help is wanted. Throws with the usage where an option makes no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      work: { type: 'string', default: DEFAULT_WORKS.join(',') },
      peers: { type: 'string', default: CONTESTANTS.join(',') },
      rounds: { type: 'string' },
      routes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      short: { type: 'boolean', default: false },
      data: { type: 'string', default: join(projectRoot(), '../shared/data') },
      node: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const usual = values.short ? SHORT : DEFAULTS;
  return {
    works: chosenWorks(values.work),
    peers: values.peers.split(',').map(contestant),
    rounds: positive('rounds', values.rounds, usual.rounds),
    size: {
      routes: positive('routes', values.routes, usual.routes),
      seed: positive('seed', values.seed, 1),
      prefixList: existing(join(values.data, 'prefixes/prefixes.txt.gz')),
      mrtTable: existing(join(values.data, 'mrt/derived/rrc06-20100701-fulltable.tabledumpv2.mrt.gz')),
      churnRate: positive('rate', values.rate, usual.rate),
      churnSeconds: positive('seconds', values.seconds, usual.seconds),
    },
    node: values.node,
    profile: values.profile,
  };
}

function chosenWorks(text: string): Work[] {
  if (text === 'all') return [...WORKS];
  return text.split(',').map((id) => {
    const work = WORKS.find((row) => row.id === id);
    if (work === undefined) throw new Error(`no such work: ${id}\n${USAGE}`);
    return work;
  });
}

function contestant(text: string): DaemonName {
  const name = CONTESTANTS.find((each) => each === text);
  if (name === undefined) throw new Error(`no such daemon: ${text}\n${USAGE}`);
  return name;
}

function positive(name: string, text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`--${name} must be a positive integer, not ${text}`);
  }
  return value;
}
