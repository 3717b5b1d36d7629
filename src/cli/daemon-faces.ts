// The faces of a running daemon: control sockets, the port for gRPC, HTTP. How they start, and what of a changed
// configuration they take over while they run: who may use them, and certificates. The rest waits for the next start.

import type { Config, ControlConfig } from '../config/model.ts';
import { errorText } from '../lib/error-text.ts';
import type { Logger } from '../lib/log.ts';
import type { SpeakerApi } from '../speaker/api.ts';
import type { Attempt, DaemonParts, Guarded, Stoppable } from './daemon.ts';

type FaceParts = Pick<DaemonParts, 'startBird' | 'startControl' | 'startTcp' | 'startHttp'>;

export class Faces {
  readonly #started: Config;
  readonly #logger: Logger;
  readonly #running: Stoppable[] = [];
  /** What each of them takes over. */
  readonly #takers: ((config: Config) => void)[] = [];
  /** What makes their sockets again. */
  readonly #restorers: (() => Promise<void>)[] = [];

  constructor(config: Config, logger: Logger) {
    this.#started = config;
    this.#logger = logger;
  }

  /** Starts BIRD's sockets first, which tools wait for. `shutdown` ends the daemon. */
  async start(parts: FaceParts, api: SpeakerApi, shutdown: () => void, attempt: Attempt): Promise<void> {
    const [config, logger] = [this.#started, this.#logger];
    const { control, http } = config;
    const { socket, mode, tcp } = control;
    for (const [i, bird] of control.bird.entries()) {
      await attempt(async () => {
        const face = await parts.startBird({ api, socket: bird, logger, shutdown });
        this.#restores(face);
        this.#runs(face, (next) => {
          const same = next.control.bird[i];
          if (same?.socket === bird.socket) face.useAccess?.(same);
        });
      });
    }
    if (socket !== undefined) {
      await attempt(async () => {
        const face = await parts.startControl({ api, socket, mode, access: control, logger });
        this.#restores(face);
        this.#runs(face, (next) => face.useAccess?.(next.control));
      });
    }
    if (tcp !== undefined) {
      await attempt(async () => {
        const face = await parts.startTcp({ api, config: tcp, logger });
        this.#runs(face, ({ control: { tcp: next } }) => {
          if (next?.tls !== undefined) face.useTls?.(next.tls);
        });
      });
    }
    if (http !== undefined)
      await attempt(async () => this.#runs(await parts.startHttp({ ...http, api, logger })));
  }

  /** `taker`: what it takes over of another configuration. */
  #runs(face: Stoppable, taker?: (config: Config) => void): void {
    this.#running.push(face);
    if (taker !== undefined) this.#takers.push(taker);
  }

  #restores({ restore }: Guarded): void {
    if (restore !== undefined) this.#restorers.push(restore);
  }

  /** Makes sockets again that were deleted, without waiting for them. What fails is logged. */
  restore(): void {
    for (const restore of this.#restorers) {
      restore().catch((error: unknown) => {
        this.#logger.error({}, `control: the socket is not there any more: ${errorText(error)}`);
      });
    }
  }

  /** A configuration that is taken over. What is wrong with it here is logged, and the old one stays. */
  useConfig(config: Config): void {
    const started = this.#started;
    if (!same(fixedPart(config.control), fixedPart(started.control))) this.#postpone('control');
    if (!same(config.http, started.http)) this.#postpone('http');
    if (!same(config.process, started.process)) this.#postpone('process');
    for (const take of this.#takers) {
      try {
        take(config);
      } catch (error) {
        const reason = errorText(error);
        this.#logger.error({}, `control: the old settings stay: ${reason}`);
      }
    }
  }

  /** The last one first. */
  get running(): readonly Stoppable[] {
    return this.#running.toReversed();
  }

  #postpone(part: string): void {
    this.#logger.warn({ part }, `the change of ${part} takes effect at the next start`);
  }
}

/** Without what is taken over at once. */
function fixedPart({ allow, allowChanges, restricted, tcp, bird, ...control }: ControlConfig): object {
  return {
    ...control,
    tcp: tcp && { ...tcp, tls: tcp.tls !== undefined },
    bird: bird.map(({ allow: _, allowChanges: __, restricted: ___, ...socket }) => socket),
  };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
