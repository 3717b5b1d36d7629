// The log behind lib/log.ts: pino, as one readable line a message on a terminal and as JSON elsewhere. Writing never
// blocks the daemon on a slow reader, and what looks like a secret is blacked out whatever layer logged it.

import pino from 'pino';
import pinoPretty from 'pino-pretty';
import type { LogFields, Logger } from '../lib/log.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** auto: pretty on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'pretty' | 'json';
  readonly tty: boolean;
  readonly color: boolean;
  /** For tests: where lines go instead of stdout. */
  readonly destination?: NodeJS.WritableStream;
}

export interface Log {
  readonly logger: Logger;
  setLevel(level: LogOptions['level']): void;
  /** Writes out what is still buffered; for the last moment before the process ends. */
  flush(): void;
}

const CENSORED = '<redacted>';
const SECRET_NAME =
  /(passwords?|passwd|secrets?|tokens?|credentials?|(^|_|-|md5|ao|auth|private|shared)keys?)$/i;
/** Deeper than any field that a layer logs; what lies below is left out. */
const MAX_DEPTH = 6;
const STDOUT = 1;

/** A copy of the fields in which values of secret names are replaced, at any depth. */
export function redact(fields: LogFields): LogFields {
  return redactObject(fields, 0);
}

function redactObject(source: object, depth: number): LogFields {
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => [
      name,
      SECRET_NAME.test(name) && value !== undefined ? CENSORED : redactValue(value, depth + 1),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[...]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  // Errors have a serialiser, and other classes answer for themselves (Secret does).
  return prototype === Object.prototype || prototype === null ? redactObject(value, depth) : value;
}

/** Builds the log of the daemon. */
export function createLog(options: LogOptions): Log {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && options.tty);
  const file =
    options.destination === undefined ? pino.destination({ dest: STDOUT, sync: options.tty }) : undefined;
  // A log that nobody reads any more is no reason to stop routing.
  file?.on('error', () => {});
  const destination = options.destination ?? file ?? process.stdout;
  const stream = pretty
    ? pinoPretty({
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
  return {
    logger: adapt(root),
    setLevel: (level) => {
      root.level = level;
    },
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
