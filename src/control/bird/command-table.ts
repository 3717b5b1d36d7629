// Commands as rows: the words, how the rest reads, what it is for, who may use it, and what it does. help, the
// restricted mode and the parser's complaints all read the same rows.

import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import type { CommandReader } from './command-reader.ts';
import { TimeWriter } from './render/times.ts';
import type { Reply } from './reply.ts';
import type { Style } from './style.ts';

/** 1.6's commands or 2.x's. */
export type Syntax = '1.6' | '2.x';

/** What one connection remembers. */
export interface SessionState {
  restricted: boolean;
  /** Classes of log lines that are shown; undefined = none. */
  echo: 'all' | ReadonlySet<string> | undefined;
  /** The client asked to leave. */
  leaving: boolean;
}

/** What commands work with. */
export interface CommandContext {
  readonly api: SpeakerApi;
  readonly style: Style;
  readonly syntax: Syntax;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly session: SessionState;
  /** Ends the daemon. */
  readonly shutdown: () => void;
}

export type Run = (context: CommandContext) => Reply;

export interface Command {
  /** `show protocols` */
  readonly words: string;
  /** `[all] [<protocol> | "<pattern>"]` */
  readonly usage: string;
  readonly help: string;
  /** undefined: both have it. */
  readonly only?: Syntax;
  /** It changes something: not for restricted sessions. */
  readonly changes?: true;
  /** Reads the arguments. Throws SyntaxFailure or CommandFailure. */
  readonly read: (reader: CommandReader, syntax: Syntax) => Run;
}

/** Times as they are written now. */
export function timesOf({ api, clock, style }: CommandContext): TimeWriter {
  const { timeFormats } = api.bird.configuration();
  return new TimeWriter(clock.wallTime(), style === 'bird1' ? 'seconds' : 'milliseconds', timeFormats);
}
