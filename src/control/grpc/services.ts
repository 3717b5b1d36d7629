// The gRPC service behind a listening socket. It and its libraries (some 10 MiB) are loaded when the first client
// connects: many speakers never have one. Who may only look gets a service of its own, in which nothing can be changed.

import type { Duplex } from 'node:stream';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import type { PumpOptions } from './pump.ts';
import type { ControlService } from './service.ts';

export interface ServicesOptions {
  readonly api: SpeakerApi;
  readonly logger: Logger;
  readonly pump?: Partial<PumpOptions> | undefined;
}

export class Services {
  readonly #options: ServicesOptions;
  readonly #running = new Map<boolean, Promise<ControlService>>();
  readonly #connections = new Set<Duplex>();

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  /** Takes over a connection; `restricted`: nothing can be changed over it. */
  serve(connection: Duplex, restricted: boolean): void {
    const { logger } = this.#options;
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    connection.on('error', (error) => logger.debug({ error: error.message }, 'a client is gone'));
    this.#service(restricted).then(
      ({ serve }) => {
        if (!connection.destroyed) serve(connection);
      },
      (error: unknown) => {
        logger.error({ error }, 'the control service cannot be loaded');
        connection.destroy();
      },
    );
  }

  /** Ends all calls, then all connections. */
  async stop(): Promise<void> {
    for (const service of this.#running.values()) {
      // One that could not be loaded has nothing to stop.
      const running = await service.catch(() => undefined);
      await running?.stop();
    }
    for (const connection of this.#connections) connection.destroy();
  }

  #service(restricted: boolean): Promise<ControlService> {
    const known = this.#running.get(restricted);
    if (known !== undefined) return known;
    const { api, logger, pump } = this.#options;
    const load = async (): Promise<ControlService> => {
      const { createControlService } = await import('./service.ts');
      return createControlService({ api, logger, pump, restricted });
    };
    const service = load();
    this.#running.set(restricted, service);
    return service;
  }
}
