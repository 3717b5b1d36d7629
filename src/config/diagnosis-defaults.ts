// The journal, the watchdog, crash reports and files of messages in the model, and what they do where nothing is configured.

import type { MessageDumpConfig } from './schema-mrt.ts';

/** What finds out what went wrong. */
export interface DiagnosisConfig {
  readonly journal: {
    /** Events are appended to it as JSON lines; undefined = only in memory. */
    readonly file: string | undefined;
    /** Octets at which the file is rotated. */
    readonly maxSize: number;
    /** How many events are kept in memory. */
    readonly events: number;
  };
  /** Seconds that the event loop may be busy: `warning` is logged, `timeout` ends the process; 0 = never. */
  readonly watchdog: { readonly warning: number; readonly timeout: number };
  readonly crash: {
    /** Where reports go; undefined = where the system has a place for it. */
    readonly directory: string | undefined;
    /** What peers hear of a crash. */
    readonly sessions: 'silent' | 'cease';
  };
  /** MRT files of messages. */
  readonly messages: readonly MessageDumpConfig[];
}

export const DIAGNOSIS_DEFAULTS: DiagnosisConfig = {
  journal: { file: undefined, maxSize: 10_485_760, events: 4096 },
  watchdog: { warning: 5, timeout: 0 },
  crash: { directory: undefined, sessions: 'silent' },
  messages: [],
};
