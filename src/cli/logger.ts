// The log behind lib/log.ts: pino, as one readable line a message on a terminal and as JSON elsewhere. Writing never
// blocks the daemon on a slow reader, and what looks like a secret is blacked out whatever layer logged it.

import pino from 'pino';
import type { Logger } from '../lib/log.ts';
import type { Log } from './log.ts';
import { redact } from './redact.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** auto: pretty on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'pretty' | 'json';
  readonly tty: boolean;
  readonly color: boolean;
  /** For tests: where lines go instead of stdout. */
  readonly destination?: NodeJS.WritableStream;
}

const STDOUT = 1;

export interface LevelledLog extends Log {
  setLevel(level: LogOptions['level']): void;
}

/** Builds the log of the daemon. What makes lines pretty takes a megabyte, and is loaded where that is wanted. */
export async function createLog(options: LogOptions): Promise<LevelledLog> {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && options.tty);
  const file =
    options.destination === undefined ? pino.destination({ dest: STDOUT, sync: options.tty }) : undefined;
  // A log that nobody reads any more is no reason to stop routing.
  file?.on('error', () => {});
  const destination = options.destination ?? file ?? process.stdout;
  const stream = pretty
    ? (await import('pino-pretty')).default({
        destination,
        colorize: options.color,
        translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
        ignore: 'pid,hostname',
        singleLine: true,
      })
    : destination;
  const root = pino(
    {
      level: options.level,
      serializers: { error: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pretty ? pino.stdTimeFunctions.epochTime : pino.stdTimeFunctions.isoTime,
    },
    stream,
  );
  const setLevel = (level: LogOptions['level']): void => {
    root.level = level;
  };
  return {
    logger: adapt(root),
    setLevel,
    useConfig: ({ log }) => setLevel(log.level),
    flush: () => file?.flushSync(),
  };
}

function adapt(target: pino.Logger): Logger {
  return {
    debug: (fields, message) => {
      if (target.isLevelEnabled('debug')) target.debug(redact(fields), message);
    },
    info: (fields, message) => target.info(redact(fields), message),
    warn: (fields, message) => target.warn(redact(fields), message),
    error: (fields, message) => target.error(redact(fields), message),
    child: (fields) => adapt(target.child(redact(fields))),
  };
}
