// The gRPC face's unix socket: who connects is judged by what the kernel says of him, then handed to the service.

import type { SocketAccess } from '../../config/model.ts';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import { createDoorkeeper, ownersOf } from '../access.ts';
import { ControlSocket } from '../control-socket.ts';
import type { AskCredentials } from '../peer-credentials.ts';
import type { PumpOptions } from './pump.ts';
import { Services } from './services.ts';

export interface ControlServerOptions {
  readonly api: SpeakerApi;
  /** Path of the unix socket. */
  readonly socket: string;
  /** File mode of the socket. */
  readonly mode: number;
  /** Who may use it; whoever the mode lets unless given. */
  readonly access?: SocketAccess | undefined;
  readonly logger: Logger;
  readonly pump?: Partial<PumpOptions>;
  /** For tests: whose a connection is. */
  readonly askCredentials?: AskCredentials;
}

export interface ControlServer {
  /** Other rules for connections from now on. Throws SocketError, and keeps the old ones, where one is wrong. */
  useAccess(access: SocketAccess): void;
  /** Makes the socket again where it was deleted. Rejects with SocketError where that fails. */
  restore(): Promise<void>;
  /** Ends all calls and removes the socket. */
  stop(): Promise<void>;
}

/** Opens the socket. Throws SocketError where it cannot be made. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { api, logger, pump, socket, mode, access = {} } = options;
  const services = new Services({ api, logger, pump });
  const doorkeeper = createDoorkeeper(socket, access, logger, options.askCredentials);
  const door = await ControlSocket.open({
    path: socket,
    mode,
    owners: ownersOf(socket, access),
    serve: (connection) => {
      const granted = doorkeeper.admit(connection);
      if (granted === 'none') connection.destroy();
      else services.serve(connection, granted === 'read');
    },
    logger,
  });
  logger.info({ socket }, 'control socket is open');
  return {
    useAccess: (next) => doorkeeper.use(next),
    restore: () => door.restore(),
    async stop() {
      const closed = door.close();
      await services.stop();
      await closed;
    },
  };
}
