// The bench's command line.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { namesOf, positive, prefixList, realData } from './arguments.ts';
import { CONTESTANTS, type Entry } from './contestants.ts';
import type { WorkSize } from './work-setup.ts';
import { DEFAULT_WORKS, WORKS, type Work } from './works.ts';

export const USAGE = `usage: npm run bench [-- OPTIONS]
  --work T1,R1     works, or "all" (default ${DEFAULT_WORKS.join(',')})
  --peers a,b=DIR  daemons of ${CONTESTANTS.join(', ')} (default: all that are installed);
                   DIR: where the programs of another release are; for godwit those of another Node.js
  --rounds N       rounds (default 3)
  --routes N       routes of the full table (default 1000000)
  --seed N         seed of generated tables (default 1)
  --rate N         changes a second in C1 (default 2000)
  --seconds N      how long C1 lasts (default 60)
  --short          one round, a tenth of the full table, C1 for 10 seconds; options given beside it count
  --prefixes FILE  real prefixes for generated tables: one a line, gzipped
  --mrt FILE       the table dump that T4 plays: MRT, plain, gzipped or bzipped
  --profile DIR    V8's CPU profiles of godwit go there, and its most expensive functions are shown
Works:
${WORKS.map(({ id, title }) => `  ${id.padEnd(7)} ${title}`).join('\n')}
`;

const DEFAULTS = { rounds: 3, routes: 1_000_000, rate: 2000, seconds: 60 } as const;
const SHORT = { ...DEFAULTS, rounds: 1, routes: 100_000, seconds: 10 } as const;
const MRT_TABLE = 'mrt/derived/rrc06-20100701-fulltable.tabledumpv2.mrt.gz';

export interface BenchOptions {
  readonly works: readonly Work[];
  /** undefined: everybody who is installed. */
  readonly peers: readonly Entry[] | undefined;
  readonly rounds: number;
  readonly size: WorkSize;
  readonly profile: string | undefined;
}

/** undefined where help is wanted. Throws where an option makes no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      work: { type: 'string', default: DEFAULT_WORKS.join(',') },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      routes: { type: 'string' },
      seed: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      short: { type: 'boolean', default: false },
      prefixes: { type: 'string' },
      mrt: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const usual = values.short ? SHORT : DEFAULTS;
  return {
    works: chosenWorks(values.work),
    peers: values.peers?.split(',').map(entry),
    rounds: positive('rounds', values.rounds, usual.rounds),
    size: {
      routes: positive('routes', values.routes, usual.routes),
      seed: positive('seed', values.seed, 1),
      prefixList: prefixList(values.prefixes),
      mrtTable: realData('mrt', values.mrt, MRT_TABLE),
      churnRate: positive('rate', values.rate, usual.rate),
      churnSeconds: positive('seconds', values.seconds, usual.seconds),
    },
    profile: values.profile,
  };
}

function chosenWorks(text: string): readonly Work[] {
  if (text === 'all') return WORKS;
  const ids = namesOf(
    'work',
    text,
    WORKS.map(({ id }) => id),
  );
  return ids.map((id) => WORKS.find((work) => work.id === id)!);
}

function entry(text: string): Entry {
  const [name, directory] = text.split('=');
  const [daemon] = namesOf('peers', name!, CONTESTANTS);
  return directory === undefined ? { daemon: daemon! } : { daemon: daemon!, directory: resolve(directory) };
}
