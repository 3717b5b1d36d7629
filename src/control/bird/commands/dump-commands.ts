// What the daemon knows, for whoever looks for a fault: `dump WHAT` writes it into the log, as 2.0 does, and
// `dump WHAT "FILE"` into a file that must not be there yet, as 2.17 and later do. What the words stand for in BIRD is
// here what comes next to it; routes and protocols are as `show` has them.

import { open } from 'node:fs/promises';
import { inspect } from 'node:util';
import { errorText } from '../../../lib/error-text.ts';
import { CommandFailure } from '../command-reader.ts';
import { type Command, type CommandContext, type Syntax, timesOf } from '../command-table.ts';
import { interfaceLines } from '../render/interfaces.ts';
import { memoryLines } from '../render/memory.ts';
import { protocolReply } from '../render/protocols.ts';
import { RouteWriter } from '../render/routes.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';
import { textStyle } from '../style.ts';

interface Dump {
  readonly what: string;
  /** What BIRD calls it in its reply. */
  readonly title: string;
  readonly only?: Syntax;
  /** Undefined is a moment for others. */
  readonly lines: (context: CommandContext) => Iterable<string | undefined>;
}

const MS_PER_SECOND = 1000;
const MICROS_PER_MS = 1000;
const FILE_MODE = 0o400;
/** Characters that are written at once. */
const CHUNK = 1 << 16;
const SETS_PER_PAUSE = 256;

const DUMPS: readonly Dump[] = [
  { what: 'resources', title: 'resources', lines: resources },
  { what: 'sockets', title: 'sockets', lines: sockets },
  { what: 'events', title: 'event log', lines: events },
  { what: 'interfaces', title: 'interfaces', lines: interfaces },
  { what: 'neighbors', title: 'neighbor cache', lines: neighbors },
  { what: 'attributes', title: 'attribute cache', lines: attributes },
  { what: 'routes', title: 'routing tables', lines: routes },
  { what: 'protocols', title: 'protocols', lines: protocols },
  { what: 'filter all', title: 'filter bytecode', only: '2.x', lines: filters },
];

export const DUMP_COMMANDS: readonly Command[] = DUMPS.map(commandOf);

function commandOf({ what, title, only, lines }: Dump): Command {
  return {
    words: `dump ${what}`,
    usage: '["<file>"]',
    help: `${title} into the log, or into a new file`,
    ...(only !== undefined && { only }),
    changes: true,
    read(reader) {
      const file = reader.take('text');
      reader.expectEnd();
      return (context) =>
        file === undefined ? toLog(lines(context), context) : toFile(lines(context), title, file, context);
    },
  };
}

function* toLog(lines: Iterable<string | undefined>, { logger }: CommandContext): Iterable<Line | undefined> {
  for (const text of lines) {
    if (text === undefined) yield undefined;
    else logger.info({}, text);
  }
  yield DONE;
}

async function* toFile(
  lines: Iterable<string | undefined>,
  title: string,
  path: string,
  { clock }: CommandContext,
): AsyncIterable<Line | undefined> {
  const begun = clock.now();
  const file = await open(path, 'wx', FILE_MODE).catch((error: unknown) => {
    throw new CommandFailure(CODE.runtimeError, `Failed to open file ${path}: ${reasonOf(error)}`);
  });
  try {
    yield line(CODE.statusReport, `Dumping ${title} to ${path}`);
    let octets = 0;
    let waiting = '';
    const flush = async (): Promise<void> => {
      const bytes = Buffer.from(waiting);
      waiting = '';
      octets += bytes.length;
      await file.writeFile(bytes);
    };
    for (const text of lines) {
      if (text === undefined) yield undefined;
      else waiting += `${text}\n`;
      if (waiting.length > CHUNK) await flush();
    }
    await flush();
    const seconds = ((clock.now() - begun) / MS_PER_SECOND).toFixed(3);
    yield line(CODE.statusReport, `Dumped ${octets} bytes in ${seconds} s`);
  } catch (error) {
    throw new CommandFailure(CODE.runtimeError, `Failed to write file ${path}: ${reasonOf(error)}`);
  } finally {
    await file.close();
  }
}

/** The system's words for what is usual, as BIRD has them. */
const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'File exists',
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device',
};

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? errorText(error);
}

function* resources(context: CommandContext): Iterable<string> {
  const status = context.api.status();
  yield* memoryLines(status, textStyle(context.style));
  for (const { family, prefixes, paths } of status.families) {
    yield `Routing table of ${family}: ${prefixes} prefixes, ${paths} paths`;
  }
  yield `Route attribute cache: ${status.attributeSets} entries`;
  yield `Update groups: ${status.updateGroups}`;
}

function* sockets({ api }: CommandContext): Iterable<string> {
  yield 'Open sockets:';
  for (const { name, address, port, localAddress, state } of api.peers()) {
    if (state === 'Idle' || state === 'Active') continue;
    yield `TCP ${name}, sa=${localAddress ?? '?'}, da=${address}, dp=${port}, ${state}`;
  }
}

/** BIRD keeps what its loop did last; here it is counted by stage. */
function* events({ api }: CommandContext): Iterable<string> {
  yield 'Event log:';
  for (const { name, runs, micros, longestMicros } of api.status().stages) {
    const ms = (value: number): string => (value / MICROS_PER_MS).toFixed(3);
    yield `  ${name}: ${runs} runs, ${ms(micros)} ms, the longest ${ms(longestMicros)} ms`;
  }
}

function* interfaces({ api, style }: CommandContext): Iterable<string> {
  yield 'Known network interfaces:';
  for (const link of api.bird.interfaces()) {
    for (const { text } of interfaceLines(link, style)) yield text;
  }
  const { routerId } = api.status();
  yield `Router ID: ${routerId}`;
}

function* neighbors({ api }: CommandContext): Iterable<string> {
  yield 'Known neighbors:';
  for (const { address, name, state } of api.peers()) yield `${address} ${name} ${state}`;
}

function* attributes({ api }: CommandContext): Iterable<string | undefined> {
  yield `Route attribute cache (${api.status().attributeSets} entries):`;
  let count = 0;
  for (const { id, references, nextHop, attributes: values } of api.attributeSets()) {
    const shown = inspect(values, { breakLength: Number.POSITIVE_INFINITY, depth: null });
    yield `${id} uc=${references} next hop ${nextHop} ${shown}`;
    if (++count % SETS_PER_PAUSE === 0) yield undefined;
  }
}

function* routes(context: CommandContext): Iterable<string | undefined> {
  const style = textStyle(context.style);
  for (const answer of context.api.bird.routes({ tables: 'all' })) {
    yield `Dump of routing table <${answer.table}>`;
    const writer = new RouteWriter({ style, details: true, times: timesOf(context) });
    for (const route of answer.routes()) {
      if (route === undefined) yield undefined;
      else for (const { text } of writer.write(route)) yield text;
    }
    yield '';
  }
}

function* protocols(context: CommandContext): Iterable<string> {
  const { api } = context;
  const style = textStyle(context.style);
  yield 'Protocols:';
  const views = api.bird.protocols({ details: true });
  for (const { code, text } of protocolReply(views, { style, details: true, times: timesOf(context) })) {
    if (code !== CODE.ok) yield text;
  }
}

/** There is no bytecode: filters are functions. */
function* filters({ api }: CommandContext): Iterable<string> {
  for (const { name, kind } of api.bird.symbols()) {
    if (kind === 'filter' || kind === 'function') yield `${kind} ${name}`;
  }
}
