// What a user may write about MRT files of messages (RFC 6396 §4.4), and what it is in the model.

import { z } from 'zod';
import { nearest } from '../lib/suggest.ts';
import type { IssueList } from './issues.ts';
import { seconds } from './values.ts';

/** A file, or one a peer, that gets the messages of peers or the states of their sessions. */
export interface MessageDumpConfig {
  /** `%N` is the name of the peer, the rest strftime's. */
  readonly file: string;
  /** Names of peers and ranges; undefined = all. */
  readonly peers: readonly string[] | undefined;
  readonly messages: boolean;
  readonly states: boolean;
  /** Octets and seconds after which a file becomes `.1`; undefined = never. */
  readonly maxSize: number | undefined;
  readonly maxAge: number | undefined;
}

const SMALLEST_FILE = 65_536;
const LARGEST_FILE = 1_099_511_627_776;
const MINUTE = 60;
const YEAR = 31_536_000;
const RECORDS = ['messages', 'states'] as const;

const messageDumpSchema = z.strictObject({
  file: z
    .string()
    .regex(/^\//, { error: 'expected a path that begins with /' })
    .describe('Where records are added: %N is the name of the peer, all else as in strftime.'),
  peers: z
    .array(z.string())
    .min(1)
    .describe('Names of peers and ranges; all of them unless given.')
    .optional(),
  records: z
    .array(z.enum(RECORDS))
    .min(1)
    .meta({ description: 'Messages that came, and states of sessions.', default: [...RECORDS] })
    .optional(),
  maxSize: z
    .int()
    .min(SMALLEST_FILE)
    .max(LARGEST_FILE)
    .describe('Octets at which the file becomes FILE.1 and a new one begins; never unless given.')
    .optional(),
  maxAge: seconds(MINUTE, YEAR)
    .describe('Seconds after which the file becomes FILE.1 and a new one begins; never unless given.')
    .optional(),
});
export const mrtSchema = z.array(messageDumpSchema);
export type MrtInput = z.infer<typeof mrtSchema>;

/** `names`: of peers and ranges. */
export function buildMessageDumps(
  input: MrtInput | undefined,
  names: ReadonlySet<string>,
  issues: IssueList,
): readonly MessageDumpConfig[] {
  return (input ?? []).map(({ file, peers, records = RECORDS, maxSize, maxAge }, i) => {
    for (const [j, name] of (peers ?? []).entries()) {
      if (names.has(name)) continue;
      const meant = nearest(name, names);
      const hint =
        meant === undefined ? 'name a peer of peers or a range of dynamicPeers' : `did you mean ${meant}?`;
      issues.error(['mrt', i, 'peers', j], `there is no peer ${name}`, hint);
    }
    const has = (what: (typeof RECORDS)[number]): boolean => records.includes(what);
    return { file, peers, messages: has('messages'), states: has('states'), maxSize, maxAge };
  });
}
