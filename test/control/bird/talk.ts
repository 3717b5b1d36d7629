// A session of BIRD's control protocol without a socket: commands in, reply lines out, on the clock of a simulation or
// the real one.

import type { CommandContext, Syntax } from '../../../src/control/bird/command-table.ts';
import { LogTap } from '../../../src/control/bird/log-tap.ts';
import { ControlSession } from '../../../src/control/bird/session.ts';
import type { Style } from '../../../src/control/bird/style.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { type Logger, silentLogger } from '../../../src/lib/log.ts';
import type { SpeakerApi } from '../../../src/speaker/api.ts';

export interface TalkOptions {
  readonly api: SpeakerApi;
  readonly style: Style;
  readonly clock: Clock;
  readonly version?: string;
  readonly restricted?: boolean;
  readonly logger?: Logger;
  /** Lets what waits happen; called until a reply is whole. */
  readonly pass?: () => Promise<void>;
}

/** A line that ends a reply. */
const LAST = /^\d{4} /;
const PATIENCE = 200;

export class Talk {
  readonly session: ControlSession;
  readonly tap = new LogTap();
  shutdowns = 0;
  ended = false;
  #text = '';
  readonly #pass: () => Promise<void>;

  constructor(options: TalkOptions) {
    const { api, style, clock, version = '2.0.12', logger = silentLogger } = options;
    const syntax: Syntax = style === 'bird1' ? '1.6' : '2.x';
    const told = this.tap.over(logger);
    const wire = {
      write: (text: string) => {
        this.#text += text;
        return true;
      },
      onceDrained: () => {},
      pause: () => {},
      resume: () => {},
      waiting: 0,
      end: () => {
        this.ended = true;
      },
    };
    this.#pass = options.pass ?? (() => new Promise((resolve) => setImmediate(resolve)));
    this.session = new ControlSession(wire, {
      context: (session): CommandContext => ({
        api,
        style,
        syntax,
        version,
        clock,
        logger: told,
        session,
        shutdown: () => {
          this.shutdowns++;
        },
      }),
      restricted: options.restricted ?? false,
      pump: { now: () => 0, defer: (fn) => void setImmediate(fn), sliceMs: 5, batchSize: 4096 },
    });
    this.tap.listen((kind, text) => this.session.echo(kind, text));
    this.session.greet(version);
  }

  /** What has come since the last call. */
  take(): string[] {
    const lines = this.#text.split('\n').slice(0, -1);
    this.#text = '';
    return lines;
  }

  /** Sends a command and waits for the end of its reply. */
  async ask(command: string): Promise<string[]> {
    this.take();
    this.session.receive(Buffer.from(`${command}\n`));
    for (let i = 0; i < PATIENCE; i++) {
      await this.#pass();
      if (this.#text.split('\n').some((line) => LAST.test(line))) return this.take();
    }
    return [...this.take(), '<<timeout>>'];
  }
}
