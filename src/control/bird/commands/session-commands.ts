// Commands about the connection itself and the daemon as a whole: restrict, echo, eval, help, debug, dumps, down.

import type { BirdApi } from '../../../speaker/api/bird.ts';
import type { DumpOptions } from '../../../speaker/api/tables.ts';
import { DEBUG_FLAGS, MRTDUMP_FLAGS } from '../../../speaker/api/traces.ts';
import { CommandFailure, type CommandReader, TOKEN } from '../command-reader.ts';
import type { Command, CommandContext, SessionState, Syntax } from '../command-table.ts';
import { CODE, DONE, type Line, line, type Reply } from '../reply.ts';
import { DUMP_COMMANDS } from './dump-commands.ts';
import { readProtocols, selectProtocols } from './selectors.ts';

function* done(): Iterable<Line> {
  yield DONE;
}

const ECHO_CLASSES = ['debug', 'trace', 'info', 'remote', 'warning', 'error', 'auth'] as const;
const SET_TOKENS = ['OFF', "'{'", TOKEN.all];
const TARGETS = [TOKEN.known, TOKEN.text, TOKEN.all];
/** Octets of the buffer that BIRD takes for echoed lines. */
const ECHO_BUFFER = { min: 256, max: 65_536 } as const;

/** `all`, `off` or `{ one, two }`. */
function readSet(
  reader: CommandReader,
  classes: readonly string[],
  expected: readonly string[],
): 'all' | ReadonlySet<string> | undefined {
  if (reader.takeWord('all')) return 'all';
  if (reader.takeWord('off')) return undefined;
  if (!reader.takeOp('{')) reader.fail(expected);
  const chosen = new Set<string>();
  do {
    const token = reader.peek();
    if (token.kind !== 'word' || !classes.includes(token.text)) {
      reader.fail(classes.length <= 2 ? classes.map((word) => word.toUpperCase()) : []);
    }
    chosen.add(reader.next().text);
  } while (reader.takeOp(','));
  if (!reader.takeOp('}')) reader.fail(["','", "'}'"]);
  return chosen;
}

const ECHO: Command = {
  words: 'echo',
  usage: '(all | off | { debug | trace | info | remote | warning | error | auth [, ...] }) [<buffer-size>]',
  help: 'show log lines on this connection as they are written',
  read(reader) {
    const classes = readSet(reader, ECHO_CLASSES, SET_TOKENS);
    const size = reader.take('number');
    reader.expectEnd(size === undefined ? [TOKEN.end, TOKEN.number] : [TOKEN.end]);
    const invalid = size !== undefined && (Number(size) < ECHO_BUFFER.min || Number(size) > ECHO_BUFFER.max);
    if (invalid) throw new CommandFailure(CODE.parseError, 'Invalid log buffer size');
    return ({ session }) => {
      session.echo = classes;
      return done();
    };
  },
};

const RESTRICT: Command = {
  words: 'restrict',
  usage: '',
  help: 'no more changes on this connection',
  read(reader) {
    reader.expectEnd();
    return function* ({ session }) {
      session.restricted = true;
      yield line(CODE.restricted, 'Access restricted');
    };
  },
};

/** What 2.x computes before it runs anything has an error of its own, which tools know. */
const DIVISION = /divi\w* by (0|zero)/i;
const DIVISION_ERROR = 'filter preevaluation, line 1: Mother told me not to divide by 0';

const EVAL: Command = {
  words: 'eval',
  usage: '<expr>',
  help: 'what a term of the filter language comes to',
  read(reader, syntax) {
    const text = reader.textUntil(new Set());
    if (text === '') reader.fail();
    return function* ({ api }) {
      const result = api.bird.evaluate(text);
      if ('value' in result) yield line(CODE.evaluation, result.value);
      else if (syntax === '2.x' && DIVISION.test(result.error)) yield line(CODE.parseError, DIVISION_ERROR);
      else if (result.runtime || DIVISION.test(result.error))
        yield line(CODE.evaluationError, 'runtime error');
      else yield line(CODE.parseError, result.error);
    };
  },
};

type Trace = (
  api: BirdApi,
  protocols: readonly string[],
  channel: string | undefined,
  chosen: string[],
) => void;

/** What protocols show of themselves; `trace` does it. */
function tracing(word: string, classes: readonly string[], help: string, trace: Trace): Command {
  return {
    words: word,
    usage: `(<protocol> | <channel> | "<pattern>" | all) (all | off | { ${classes.join(' | ')} [, ...] })`,
    help,
    changes: true,
    read(reader, syntax) {
      const selector = readProtocols(reader, syntax, TARGETS);
      const ofChannel = syntax === '2.x' && reader.takeOp('.');
      const channel = ofChannel ? reader.take('word') : undefined;
      if (ofChannel && channel === undefined) reader.fail();
      const set = readSet(reader, classes, selector.kind === 'name' ? ["'.'", ...SET_TOKENS] : SET_TOKENS);
      reader.expectEnd();
      return ({ api }) => {
        const names = selectProtocols(api.bird.protocols(), selector).map(({ name }) => name);
        trace(api.bird, names, channel, set === 'all' ? [...classes] : [...(set ?? [])]);
        return done();
      };
    },
  };
}

const MRT_DUMP: Command = {
  words: 'mrt dump',
  usage: '[table <name> | "<pattern>"] [to "<file>"] [filter <filter> | where <where filter>]',
  help: 'a dump of a table in the MRT format',
  changes: true,
  read(reader) {
    let table: string | undefined;
    let file: string | undefined;
    let filter: DumpOptions['filter'];
    while (reader.peek().kind !== 'end') {
      const { text } = reader.next();
      if (text === 'table') table = reader.next().text;
      else if (text === 'to') file = reader.next().text;
      else if (text === 'where' || text === 'filter') {
        filter = { kind: text, text: reader.textUntil(new Set(['table', 'to'])) };
      } else throw new CommandFailure(CODE.parseError, `syntax error, unexpected ${text}`);
    }
    return async function* ({ api }) {
      if (table === undefined) throw new CommandFailure(CODE.parseError, 'Table not specified');
      if (file === undefined) throw new CommandFailure(CODE.parseError, 'File not specified');
      await api.bird.dump({ table, file, ...(filter !== undefined && { filter }) });
      yield DONE;
    };
  },
};

const DOWN: Command = {
  words: 'down',
  usage: '',
  help: 'end the daemon',
  changes: true,
  read(reader) {
    reader.expectEnd();
    return function* ({ shutdown, logger }) {
      logger.info({}, 'Shutdown requested');
      yield line(CODE.shutdownOrdered, 'Shutdown requested');
      shutdown();
    };
  },
};

/** Peers hear nothing, so those that help keep the routes, and the kernel's stay. */
const GRACEFUL_RESTART: Command = {
  words: 'graceful restart',
  usage: '',
  help: 'end the daemon, to be started again',
  only: '2.x',
  changes: true,
  read(reader) {
    reader.expectEnd();
    return function* ({ api, shutdown, logger }) {
      logger.info({}, 'Graceful restart requested');
      api.bird.stopForRestart();
      yield line(CODE.gracefulRestartOrdered, 'Graceful restart requested');
      shutdown();
    };
  },
};

function leaving(word: string): Command {
  return {
    words: word,
    usage: '',
    help: 'close the connection',
    only: '2.x',
    read(reader) {
      reader.expectEnd();
      return ({ session }: { session: SessionState }): Reply => {
        session.leaving = true;
        return done();
      };
    },
  };
}

/** `commands` is the whole table, this one included. BIRD leaves the question to its clients. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return {
    words: 'help',
    usage: '[<command>]',
    help: 'the commands',
    only: '2.x',
    read(reader, syntax) {
      const about = reader.textUntil(new Set());
      return (context) => helpReply(commands(), about, syntax, context);
    },
  };
}

function* helpReply(
  commands: readonly Command[],
  about: string,
  syntax: Syntax,
  { style }: CommandContext,
): Iterable<Line> {
  for (const command of commandsUnder(commands, about, syntax)) {
    const { words, usage, help } = command;
    yield line(
      CODE.symbol,
      style === 'json' ? JSON.stringify({ words, usage, help }) : `${`${words} ${usage}`.trim()}\t${help}`,
    );
  }
  yield DONE;
}

export function commandsUnder(commands: readonly Command[], about: string, syntax: Syntax): Command[] {
  return commands.filter(
    ({ words, only }) =>
      (only ?? syntax) === syntax && (about === '' || words === about || words.startsWith(`${about} `)),
  );
}

export const SESSION_COMMANDS: readonly Command[] = [
  EVAL,
  ECHO,
  tracing('debug', DEBUG_FLAGS, 'what protocols write into the log', (api, ...what) => api.debug(...what)),
  tracing('mrtdump', MRTDUMP_FLAGS, 'what protocols write into the MRT file', (api, names, _channel, flags) =>
    api.mrtdump(names, flags),
  ),
  RESTRICT,
  ...DUMP_COMMANDS,
  MRT_DUMP,
  DOWN,
  GRACEFUL_RESTART,
  leaving('quit'),
  leaving('exit'),
];
