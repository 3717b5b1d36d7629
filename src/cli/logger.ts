// The log behind lib/log.ts: pino, as one readable line a message on a terminal and as JSON elsewhere. Writing never
// blocks the daemon on a slow reader, and what looks like a secret is blacked out whatever layer logged it.

import pino from 'pino';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { LineSink } from './line-sink.ts';
import type { Log } from './log.ts';
import { redact } from './redact.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** auto: pretty on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'pretty' | 'json';
  readonly tty: boolean;
  readonly color: boolean;
  /** Where lines go instead of stdout. */
  readonly destination?: { write(text: string): unknown };
}

const STDOUT = 1;

export interface LevelledLog extends Log {
  setLevel(level: LogOptions['level']): void;
}

/** Builds the log of the daemon. What makes lines pretty takes a megabyte, and is loaded where that is wanted. */
export async function createLog(options: LogOptions): Promise<LevelledLog> {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && options.tty);
  const form = pretty
    ? (await import('pino-pretty')).prettyFactory({
        colorize: options.color,
        translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
        ignore: 'pid,hostname',
        singleLine: true,
      })
    : (line: string) => line;
  const sink =
    options.destination === undefined
      ? new LineSink(STDOUT, { lossLine: (text) => form(lossLine(text)).trimEnd() })
      : undefined;
  const destination = options.destination ?? { write: (line: string) => sink?.write(line.trimEnd()) };
  const root = pino(
    {
      level: options.level,
      serializers: { error: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pretty ? pino.stdTimeFunctions.epochTime : pino.stdTimeFunctions.isoTime,
    },
    { write: (line: string) => void destination.write(form(line)) },
  );
  const setLevel = (level: LogOptions['level']): void => {
    root.level = level;
  };
  return {
    logger: adapt(root),
    setLevel,
    useConfig: ({ log }) => setLevel(log.level),
    flush: () => sink?.flush() ?? true,
  };
}

/** As pino would write it, which has no place between lines that are written already. */
function lossLine(msg: string): string {
  return JSON.stringify({ level: 'warn', time: new Date(systemClock.wallTime()).toISOString(), msg });
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
