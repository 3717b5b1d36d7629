// One client's connection: a greeting, then one command after the other, each answered before the next is looked at.
// While a reply is on its way nothing more is read, so that neither side can fill memory. Asynchronous lines wait for
// a client that reads, and are dropped for one that does not.

import { errorText } from '../../lib/error-text.ts';
import { CommandError } from '../protocol.ts';
import { CommandFailure, SyntaxFailure } from './command-reader.ts';
import type { CommandContext, SessionState } from './command-table.ts';
import { LazyNames, parseCommand, syntaxComplaint } from './commands.ts';
import { LineReader, MAX_COMMAND } from './line-reader.ts';
import type { EchoClass } from './log-tap.ts';
import { asynchronous, CODE, type Line, line, type Reply, ReplyFramer } from './reply.ts';
import { type Outlet, pumpReply, type ReplyPumpOptions } from './reply-pump.ts';
import { TokenError } from './tokens.ts';

/** The connection as a session uses it. */
export interface Wire extends Outlet {
  /** Stops and resumes reading. */
  pause(): void;
  resume(): void;
  /** Octets that wait to be written. */
  readonly waiting: number;
  /** Sends what is left and closes. */
  end(): void;
}

export type ContextOf = (session: SessionState) => CommandContext;

/** Echoed lines are dropped where so much waits for the client. */
const MAX_WAITING = 65_536;
/** What `debug commands` shows from which number on. */
const DEBUG_LEVEL = { connections: 1, commands: 2 } as const;

export class ControlSession {
  readonly state: SessionState;
  readonly #wire: Wire;
  readonly #context: ContextOf;
  readonly #pump: ReplyPumpOptions;
  readonly #reader = new LineReader();
  readonly #commands: string[] = [];
  /** Stops the reply that is on its way. */
  #stop: (() => void) | undefined;
  #busy = false;
  /** Nothing more comes: close after the last command. */
  #ended = false;
  #tooLong = false;
  #closed = false;

  constructor(wire: Wire, options: { context: ContextOf; restricted: boolean; pump: ReplyPumpOptions }) {
    this.#wire = wire;
    this.#context = options.context;
    this.#pump = options.pump;
    this.state = { restricted: options.restricted, echo: undefined, leaving: false };
  }

  greet(version: string): void {
    this.#tell(DEBUG_LEVEL.connections, 'CLI connect');
    this.#wire.write(single(line(CODE.welcome, `BIRD ${version} ready.`)));
  }

  receive(chunk: Uint8Array): void {
    if (this.#tooLong || this.#closed) return;
    const { lines, tooLong } = this.#reader.push(chunk);
    this.#commands.push(...lines);
    this.#tooLong = tooLong;
    this.#next();
  }

  /** The client has sent its last octet. */
  endOfInput(): void {
    const rest = this.#tooLong ? undefined : this.#reader.end();
    if (rest !== undefined) this.#commands.push(rest);
    this.#ended = true;
    this.#next();
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#tell(DEBUG_LEVEL.connections, 'CLI connection closed');
    this.#commands.length = 0;
    this.#stop?.();
  }

  /** A line of the log. */
  echo(kind: EchoClass, text: string): void {
    const { echo } = this.state;
    if (this.#closed || echo === undefined || (echo !== 'all' && !echo.has(kind))) return;
    if (this.#wire.waiting < MAX_WAITING) this.#wire.write(asynchronous(text));
  }

  #next(): void {
    if (this.#busy || this.#closed) return;
    const text = this.#commands.shift();
    if (text === undefined) {
      if (this.#tooLong) {
        this.#wire.write(single(line(CODE.tooLong, `Command too long: at most ${MAX_COMMAND} octets`)));
      }
      if (this.#tooLong || this.#ended) this.#wire.end();
      return;
    }
    this.#busy = true;
    this.#wire.pause();
    const context = this.#context(this.state);
    this.#stop = pumpReply(this.#reply(text, context), this.#wire, this.#pump, {
      failure: (error) => failureLine(error, context),
      done: () => this.#done(),
    });
  }

  #done(): void {
    this.#busy = false;
    this.#stop = undefined;
    if (this.#closed) return;
    if (this.state.leaving) {
      this.#wire.end();
      return;
    }
    // Not from within: a long list of commands must not become a deep stack, nor hold the loop.
    this.#pump.defer(() => {
      if (this.#commands.length === 0) this.#wire.resume();
      this.#next();
    });
  }

  /** A line for the log, where `debug commands` asks for as much. */
  #tell(level: number, text: string): void {
    const { api, logger } = this.#context(this.state);
    if ((api.bird.configuration().debugCommands ?? 0) < level) return;
    if (level === DEBUG_LEVEL.connections) logger.info({}, text);
    else api.bird.trace(text);
  }

  #reply(text: string, context: CommandContext): Reply {
    this.#tell(DEBUG_LEVEL.commands, `CLI: ${text}`);
    const names = new LazyNames(() => context.api.bird.symbols());
    try {
      const { command, run } = parseCommand(
        text,
        context.syntax,
        names,
        context.api.bird.configuration().family,
      );
      if (command.changes === true && this.state.restricted) {
        return [line(CODE.accessDenied, 'Access denied')];
      }
      return run(context);
    } catch (error) {
      if (error instanceof SyntaxFailure) {
        return [line(CODE.parseError, syntaxComplaint(error, context.syntax, names))];
      }
      return [failureLine(error, context)];
    }
  }
}

/** How a reply ends that could not be made; what is no fault of the operator is also a line in the log. */
function failureLine(error: unknown, { logger }: CommandContext): Line {
  if (error instanceof CommandFailure) return line(error.code, error.message);
  if (error instanceof TokenError) return line(CODE.parseError, error.message);
  const text = errorText(error);
  if (error instanceof CommandError) return line(CODE.parseError, text);
  logger.error({ error }, 'a command failed unexpectedly');
  return line(CODE.parseError, `The command failed unexpectedly: ${text}`);
}

/** A reply of one line. */
function single(only: Line): string {
  const framer = new ReplyFramer();
  return framer.push(only) + framer.end();
}
