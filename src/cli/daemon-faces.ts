// The faces of a running daemon: control sockets, the port for gRPC, HTTP. How they start, and what of a changed
// configuration they take over while they run: who may use them, and certificates. The rest waits for the next start.

import type { Config, ControlConfig } from '../config/model.ts';
import { errorText } from '../lib/error-text.ts';
import type { Logger } from '../lib/log.ts';
import type { SpeakerApi } from '../speaker/api.ts';
import type { DaemonParts, Stoppable } from './daemon.ts';

type FaceParts = Pick<DaemonParts, 'startBird' | 'startControl' | 'startTcp' | 'startHttp'>;

export class Faces {
  readonly #started: Config;
  readonly #logger: Logger;
  readonly #running: Stoppable[] = [];
  /** What each of them takes over. */
  readonly #takers: ((config: Config) => void)[] = [];

  constructor(config: Config, logger: Logger) {
    this.#started = config;
    this.#logger = logger;
  }

  /** Starts BIRD's sockets first, which tools wait for. `shutdown` ends the daemon. */
  async start(parts: FaceParts, api: SpeakerApi, shutdown: () => void): Promise<void> {
    const [config, logger] = [this.#started, this.#logger];
    const { control } = config;
    for (const [i, socket] of control.bird.entries()) {
      const face = await parts.startBird({ api, socket, logger, shutdown });
      this.#running.push(face);
      this.#takers.push((next) => {
        const same = next.control.bird[i];
        if (same?.socket === socket.socket) face.useAccess?.(same);
      });
    }
    if (control.socket !== undefined) {
      const { socket, mode } = control;
      const face = await parts.startControl({ api, socket, mode, access: control, logger });
      this.#running.push(face);
      this.#takers.push((next) => face.useAccess?.(next.control));
    }
    if (control.tcp !== undefined) {
      const face = await parts.startTcp({ api, config: control.tcp, logger });
      this.#running.push(face);
      this.#takers.push(({ control: { tcp } }) => {
        if (tcp?.tls !== undefined) face.useTls?.(tcp.tls);
      });
    }
    if (config.http !== undefined) this.#running.push(await parts.startHttp({ ...config.http, api, logger }));
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
