// The log as BIRD writes it: `2026-11-21 05:33:02.437 <WARN> text` into the files, onto stderr and to the system's log
// that the configuration names, each with the classes it asks for. Where none is named, stderr with -d, and the
// system's log without. Layers log levels and fields; here they become classes and text.

import { closeSync, fstatSync, openSync, renameSync } from 'node:fs';
import type { LogTarget } from '../../config/bird/config.ts';
import { asksForEvents } from '../../config/bird/trace-flags.ts';
import type { Config } from '../../config/model.ts';
import type { LogFields, Logger } from '../../lib/log.ts';
import { formatTime } from '../../lib/time-format.ts';
import { LineSink } from '../line-sink.ts';
import type { Log } from '../log.ts';
import { redact } from '../redact.ts';
import { systemReason } from './system-reason.ts';

export const LOG_TAGS = {
  debug: 'DBG',
  trace: 'TRACE',
  info: 'INFO',
  remote: 'RMT',
  warning: 'WARN',
  error: 'ERR',
  auth: 'AUTH',
  fatal: 'FATAL',
  bug: 'BUG',
} as const;
export type LogClass = keyof typeof LOG_TAGS;

export interface BirdLogParts {
  /** Wall-clock milliseconds. */
  now(): number;
  /** A message for the system's log, with the name under which it stands there. */
  syslog(name: string, logClass: LogClass, text: string): void;
  /** A message for another host's log. */
  udp(host: string, port: number, name: string, logClass: LogClass, text: string): void;
  /** File descriptor for what goes to stderr. */
  readonly stderr: number;
}

export interface BirdLog extends Log {
  write(logClass: LogClass, text: string): void;
}

interface Target {
  readonly takes: (logClass: LogClass) => boolean;
  write(logClass: LogClass, text: string, now: number): void;
  /** As LineSink has it. */
  flush(): boolean;
  close(): void;
}

const LONG = '%F %T';
const LONG_MS = '%F %T.%3f';
const SYSLOG_PORT = 514;
const FILE_MODE = 0o644;

/** `name`: how the program is called; `debug`: -d was given. */
export function createBirdLog(name: string, debug: boolean, parts: BirdLogParts): BirdLog {
  // One for the log's whole life: two would overtake each other.
  const stderr = new LineSink(parts.stderr);
  let targets: readonly Target[] = [startTarget(name, stderr)];
  let traces = false;
  const write = (logClass: LogClass, text: string): void => {
    const now = parts.now();
    const line = text.replaceAll('\n', ' ');
    for (const target of targets) if (target.takes(logClass)) target.write(logClass, line, now);
  };
  return {
    logger: adapt((logClass, text) => {
      if (logClass !== 'trace' || traces) write(logClass, text);
    }, {}),
    write,
    flush: () => targets.map((target) => target.flush()).every(Boolean),
    useConfig: ({ bird }: Config) => {
      const before = targets;
      const { logs = [] } = bird?.globals ?? {};
      traces = asksForEvents(bird);
      const format = bird?.globals.timeFormats?.log?.format ?? (bird?.dialect === '1.6' ? LONG : LONG_MS);
      targets =
        logs.length > 0
          ? logs.map((each) => makeTarget(each, name, format, debug, stderr, parts))
          : [debug ? startTarget(name, stderr) : syslogTarget(name, () => true, parts)];
      for (const target of before) target.close();
    },
  };
}

/** stderr, before there is a configuration and where there is no statement. */
function startTarget(name: string, sink: LineSink): Target {
  return {
    takes: () => true,
    write: (_class, text) => sink.write(`${name}: ${text}`),
    flush: () => sink.flush(),
    close: () => {},
  };
}

function makeTarget(
  target: LogTarget,
  name: string,
  format: string,
  debug: boolean,
  stderr: LineSink,
  parts: BirdLogParts,
): Target {
  const takes = (logClass: LogClass) => target.classes === 'all' || target.classes.includes(logClass);
  const line = (logClass: LogClass, text: string, now: number): string =>
    `${formatTime(format, now)} <${LOG_TAGS[logClass]}> ${text}`;
  const toStderr: Target = {
    takes,
    write: (logClass, text, now) => stderr.write(line(logClass, text, now)),
    flush: () => stderr.flush(),
    close: () => {},
  };
  switch (target.to) {
    case 'stderr':
      return toStderr;
    case 'file':
      try {
        return fileTarget(target, takes, line);
      } catch (error) {
        stderr.write(`${name}: Unable to open log file ${target.name}: ${systemReason(error)}`);
        return debug ? toStderr : syslogTarget(name, takes, parts);
      }
    case 'syslog':
      return syslogTarget(target.name ?? name, takes, parts);
    case 'udp': {
      const { name: host = '127.0.0.1', port = SYSLOG_PORT } = target;
      return {
        takes,
        write: (logClass, text) => parts.udp(host, port, name, logClass, text),
        flush: () => true,
        close: () => {},
      };
    }
  }
}

function syslogTarget(name: string, takes: Target['takes'], parts: BirdLogParts): Target {
  return {
    takes,
    write: (logClass, text) => parts.syslog(name, logClass, text),
    flush: () => true,
    close: () => {},
  };
}

/** A file that grows past its limit is renamed to its backup, or emptied. Throws where it cannot be opened. */
function fileTarget(
  { name: path = '', limit, backup }: LogTarget,
  takes: Target['takes'],
  line: (logClass: LogClass, text: string, now: number) => string,
): Target {
  let file = openFile(path);
  const rotate = (): void => {
    file.size = 0;
    if (backup === undefined) {
      file.sink.clear();
      return;
    }
    try {
      renameSync(path, backup);
      const next = openFile(path);
      file.close();
      file = next;
    } catch {
      // It grows on: lines are worth more than its size, and the next time may work.
    }
  };
  return {
    takes,
    write: (logClass, text, now) => {
      const written = line(logClass, text, now);
      const octets = Buffer.byteLength(written) + 1;
      if (limit !== undefined && file.size + octets > limit) rotate();
      file.size += octets;
      file.sink.write(written);
    },
    flush: () => file.sink.flush(),
    close: () => file.close(),
  };
}

function openFile(path: string): { sink: LineSink; size: number; close(): void } {
  const fd = openSync(path, 'a', FILE_MODE);
  const sink = new LineSink(fd);
  return {
    sink,
    size: fstatSync(fd).size,
    close: () => sink.end(() => closeSync(fd)),
  };
}

type Write = (logClass: LogClass, text: string) => void;

function adapt(write: Write, bound: LogFields): Logger {
  const say = (logClass: LogClass) => (fields: LogFields, message: string) => {
    const all = { ...bound, ...fields };
    const found = Object.values(all).some((value) => value instanceof Error);
    write(found && logClass === 'error' ? 'bug' : logClass, textOf(all, message));
  };
  return {
    debug: say('trace'),
    info: say('info'),
    warn: say('warning'),
    error: say('error'),
    child: (fields) => adapt(write, { ...bound, ...fields }),
  };
}

/** `peer: message (key value, ...)`, or `file:line message`. */
function textOf(fields: LogFields, message: string): string {
  const { peer, file, line, path: _inBirdsLanguageNone, part, ...rest } = redact(fields);
  // What filters print is in the log as they print it.
  const others = part === 'filter' ? rest : { part, ...rest };
  const details = Object.entries(others)
    .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key} ${detailOf(value)}`);
  const place = typeof file === 'string' && typeof line === 'number' ? `${file}:${line} ` : '';
  const subject = typeof peer === 'string' ? `${peer}: ` : place;
  // The line begins with the name already.
  const text = typeof peer === 'string' ? message.replace(` with ${peer}`, '') : message;
  return `${subject}${text}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}

function detailOf(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message;
  if (Array.isArray(value)) return value.map(detailOf).join('; ');
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
