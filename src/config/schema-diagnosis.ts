// What a user may write about finding out what went wrong: the journal's file, the watchdog, reports of crashes.

import { z } from 'zod';
import { DIAGNOSIS_DEFAULTS, type DiagnosisConfig } from './diagnosis-defaults.ts';
import type { IssueList } from './issues.ts';
import { buildMessageDumps, type MrtInput } from './schema-mrt.ts';
import { seconds } from './values.ts';

const HOUR = 3600;
const SMALLEST_JOURNAL = 65_536;
const LARGEST_JOURNAL = 1_073_741_824;
const MOST_EVENTS = 1_000_000;

const { journal, watchdog, crash } = DIAGNOSIS_DEFAULTS;

const absolutePath = z.string().regex(/^\//, { error: 'expected a path that begins with /' });

export const journalSchema = z.strictObject({
  file: absolutePath.describe('Events are appended to this file, one JSON object a line.').optional(),
  maxSize: z
    .int()
    .min(SMALLEST_JOURNAL)
    .max(LARGEST_JOURNAL)
    .meta({
      description: 'Octets at which the file becomes FILE.1 and a new one begins.',
      default: journal.maxSize,
    })
    .optional(),
  events: z
    .int()
    .min(1)
    .max(MOST_EVENTS)
    .meta({ description: 'Events kept in memory for `godwit events`.', default: journal.events })
    .optional(),
});

export const watchdogSchema = z.strictObject({
  warning: seconds(0, HOUR)
    .meta({
      description: 'Seconds that the event loop may be busy before it is logged; 0 = never.',
      default: watchdog.warning,
    })
    .optional(),
  timeout: seconds(0, HOUR)
    .meta({
      description: 'Seconds after which a stuck process writes a crash report and ends; 0 = never.',
      default: watchdog.timeout,
    })
    .optional(),
});

export const crashSchema = z.strictObject({
  directory: absolutePath
    .describe('Where reports of crashes go; $STATE_DIRECTORY or /var/lib/godwit unless given.')
    .optional(),
  sessions: z
    .enum(['silent', 'cease'])
    .meta({
      description:
        'silent: peers are told nothing, so that graceful restart keeps routes; cease: they get a Cease.',
      default: crash.sessions,
    })
    .optional(),
});

export interface DiagnosisInput {
  readonly journal: z.infer<typeof journalSchema> | undefined;
  readonly watchdog: z.infer<typeof watchdogSchema> | undefined;
  readonly crash: z.infer<typeof crashSchema> | undefined;
  readonly mrt: MrtInput | undefined;
}

/** `names`: of peers and ranges. */
export function buildDiagnosis(
  input: DiagnosisInput,
  names: ReadonlySet<string>,
  issues: IssueList,
): DiagnosisConfig {
  return {
    journal: {
      file: input.journal?.file,
      maxSize: input.journal?.maxSize ?? journal.maxSize,
      events: input.journal?.events ?? journal.events,
    },
    watchdog: {
      warning: input.watchdog?.warning ?? watchdog.warning,
      timeout: input.watchdog?.timeout ?? watchdog.timeout,
    },
    crash: { directory: input.crash?.directory, sessions: input.crash?.sessions ?? crash.sessions },
    messages: buildMessageDumps(input.mrt, names, issues),
  };
}
