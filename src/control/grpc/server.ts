// The gRPC face's socket. The service and its libraries (some 10 MiB) are loaded when the first client connects: many
// speakers never have one.

import { createServer, type Socket } from 'node:net';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import type { PumpOptions } from './pump.ts';
import type { ControlService } from './service.ts';
import { placeSocket } from './socket.ts';

export interface ControlServerOptions {
  readonly api: SpeakerApi;
  /** Path of the unix socket. */
  readonly socket: string;
  /** File mode of the socket. */
  readonly mode: number;
  readonly logger: Logger;
  readonly pump?: Partial<PumpOptions>;
}

export interface ControlServer {
  /** Ends all calls and removes the socket. */
  stop(): Promise<void>;
}

/** Opens the socket. Throws SocketError where it cannot be made. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { api, logger, pump, socket, mode } = options;
  let service: Promise<ControlService> | undefined;
  const load = async (): Promise<ControlService> => {
    const { createControlService } = await import('./service.ts');
    return createControlService({ api, logger, pump });
  };
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', (error) => logger.debug({ error: error.message }, 'a client is gone'));
    service ??= load();
    service.then(
      ({ serve }) => {
        if (!connection.destroyed) serve(connection);
      },
      (error: unknown) => {
        logger.error({ error }, 'the control service cannot be loaded');
        connection.destroy();
      },
    );
  });
  const remove = await placeSocket(
    socket,
    mode,
    (path) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ path }, () => {
          server.removeListener('error', reject);
          resolve();
        });
      }),
  );
  // A connection that cannot be accepted is that client's loss.
  server.on('error', (error) => logger.warn({ error }, 'the control socket reports an error'));
  logger.info({ socket }, 'control socket is open');
  return {
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // One that could not be loaded has nothing to stop.
      const running = await service?.catch(() => undefined);
      await running?.stop();
      for (const connection of connections) connection.destroy();
      await closed;
      await remove();
    },
  };
}
