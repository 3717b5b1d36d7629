// configure and its relatives: read, check, apply, confirm, undo.

import type { ConfigureOptions } from '../../../speaker/api/tables.ts';
import { CommandError, ConfigurationError } from '../../protocol.ts';
import { CommandFailure, type CommandReader, TOKEN } from '../command-reader.ts';
import type { Command, CommandContext, Syntax } from '../command-table.ts';
import { CODE, DONE, type Line, line } from '../reply.ts';

/** Seconds until an unconfirmed configuration is undone. */
const DEFAULT_TIMEOUT = 300;

function readFile(reader: CommandReader): { file?: string } {
  const file = reader.take('text');
  return file === undefined ? {} : { file };
}

/** `timeout [<sec>]` */
function readTimeout(reader: CommandReader, syntax: Syntax): { timeout?: number } {
  if (!reader.takeWord('timeout')) return {};
  return readSeconds(reader, syntax);
}

function readSeconds(reader: CommandReader, syntax: Syntax): { timeout: number } {
  const seconds = reader.take('number');
  if (seconds === undefined && syntax === '1.6' && reader.peek().kind === 'word') {
    throw new CommandFailure(CODE.parseError, 'Number expected');
  }
  if (seconds === undefined) reader.expectEnd([TOKEN.end, TOKEN.number, TOKEN.known, "'('"]);
  return { timeout: seconds === undefined ? DEFAULT_TIMEOUT : Number(seconds) };
}

/** Complaints one a line; the first ends the reply where there is no other. */
async function* attempt(
  context: CommandContext,
  file: string | undefined,
  work: () => Promise<void>,
  success: readonly Line[],
): AsyncIterable<Line> {
  const named = file ?? context.api.bird.configuration().file ?? '';
  yield line(CODE.readingConfiguration, `Reading configuration from ${named}`);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    for (const text of complaintsOf(error)) yield line(CODE.configurationError, text);
    return;
  }
  yield* success;
}

/** What the system says of a file that cannot be read. */
const REASONS: Readonly<Record<string, string>> = {
  'there is no such file': 'No such file or directory',
  'permission denied': 'Permission denied',
  'it is a directory': 'Is a directory',
};

function complaintsOf(error: CommandError): string[] {
  if (!(error instanceof ConfigurationError)) return error.message.split('\n');
  return error.complaints.map(({ file, line: at, column, message, hint }) => {
    const place = at === 0 ? `${file}:` : `${file}:${at}:${column}`;
    if (at === 0) return `${place} ${REASONS[message.slice(message.lastIndexOf(': ') + 2)] ?? message}`;
    return `${place} ${message}${hint === undefined ? '' : ` (${hint})`}`;
  });
}

const RECONFIGURED = line(CODE.reconfigured, 'Reconfigured');

function applying(words: string, fixed: ConfigureOptions, usage: string, help: string): Command {
  return {
    words,
    usage,
    help,
    changes: true,
    read(reader, syntax) {
      const file = readFile(reader);
      const expected = file.file === undefined ? [TOKEN.end, TOKEN.text, 'TIMEOUT'] : [TOKEN.end, 'TIMEOUT'];
      const options: ConfigureOptions = { ...fixed, ...file, ...readTimeout(reader, syntax) };
      // Plain `configure` is also the beginning of other commands: too many tokens could have stood there.
      reader.expectEnd(words === 'configure' && file.file === undefined ? [] : expected);
      return (context) => configureReply(context, options);
    },
  };
}

function configureReply(context: CommandContext, options: ConfigureOptions): AsyncIterable<Line> {
  const { timeout } = options;
  const undo = timeout === undefined ? [] : [line(CODE.undoScheduled, `Undo scheduled in ${timeout} s`)];
  const work = (): Promise<void> => context.api.bird.configure(options);
  return attempt(context, options.file, work, [...undo, RECONFIGURED]);
}

export const CONFIGURE: readonly Command[] = [
  applying('configure', {}, '["<file>"] [timeout [<sec>]]', 'read the configuration again and apply it'),
  applying(
    'configure soft',
    { soft: true },
    '["<file>"] [timeout [<sec>]]',
    'the same, but changed filters count for later routes only',
  ),
  {
    words: 'configure timeout',
    usage: '[<sec>]',
    help: 'apply it, and undo it unless it is confirmed in time',
    changes: true,
    read(reader, syntax) {
      const options = readSeconds(reader, syntax);
      reader.expectEnd();
      return (context) => configureReply(context, options);
    },
  },
  {
    words: 'configure check',
    usage: '["<file>"]',
    help: 'read the configuration and say what is wrong with it',
    // It does not, but reads any file that the daemon may, and tells of it.
    changes: true,
    read(reader) {
      const { file } = readFile(reader);
      reader.expectEnd(file === undefined ? [TOKEN.end, TOKEN.text] : [TOKEN.end]);
      return (context) =>
        attempt(context, file, () => context.api.bird.checkConfiguration(file), [
          line(CODE.configurationOk, 'Configuration OK'),
        ]);
    },
  },
  {
    words: 'configure confirm',
    usage: '',
    help: 'keep the configuration that waits for it',
    changes: true,
    read(reader) {
      reader.expectEnd();
      return function* ({ api }) {
        yield api.bird.confirm()
          ? line(CODE.confirmed, 'Reconfiguration confirmed')
          : line(CODE.nothingToDo, 'Nothing to do');
      };
    },
  },
  {
    words: 'configure undo',
    usage: '',
    help: 'go back to the configuration before',
    changes: true,
    read(reader) {
      reader.expectEnd();
      return async function* ({ api }) {
        yield line(CODE.undoRequested, 'Undo requested');
        yield (await api.bird.undo()) ? RECONFIGURED : line(CODE.nothingToDo, 'Nothing to do');
      };
    },
  },
  {
    words: 'configure status',
    usage: '',
    help: 'whether a configuration waits for its confirmation',
    only: '2.x',
    read(reader) {
      reader.expectEnd();
      return function* ({ api }) {
        const { undoIn } = api.bird.configuration();
        yield line(CODE.reconfigured, 'Daemon is up and running');
        if (undoIn !== undefined) {
          yield line(CODE.undoScheduled, `Configuration unconfirmed, undo in ${undoIn.toFixed(3)} s`);
        }
        yield DONE;
      };
    },
  },
];
