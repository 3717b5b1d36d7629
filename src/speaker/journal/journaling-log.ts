// A log whose warnings and errors are events, too: for parts that report what goes wrong by their log alone.

import type { LogFields, Logger } from '../../lib/log.ts';
import type { EventCode } from './event-codes.ts';
import type { Journal } from './journal.ts';

export interface LogCodes {
  readonly warning: EventCode;
  readonly error: EventCode;
}

/** Writes to `log` as before; warnings and errors go into the journal under these codes, with the field `peer`. */
export function journalingLog(log: Logger, journal: Journal, codes: LogCodes): Logger {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn(fields, message) {
      log.warn(fields, message);
      journal.note(codes.warning, withProblem(fields, message), peerOf(fields));
    },
    error(fields, message) {
      log.error(fields, message);
      journal.note(codes.error, withProblem(fields, message), peerOf(fields));
    },
    child: (fields) => journalingLog(log.child(fields), journal, codes),
  };
}

function peerOf({ peer }: LogFields): string | undefined {
  return typeof peer === 'string' ? peer : undefined;
}

/** What an error says; other fields may be anything and stay in the log. */
function withProblem({ error, err, problem }: LogFields, message: string): string {
  const cause = error ?? err ?? problem;
  if (cause instanceof Error) return `${message}: ${cause.message}`;
  return typeof cause === 'string' ? `${message}: ${cause}` : message;
}
