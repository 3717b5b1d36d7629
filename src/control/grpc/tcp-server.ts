// The gRPC face over TCP: with certificates on both sides (mutual TLS), or in the clear where the configuration allows
// it. Files are read here, at the start and whenever told to; connections that stand keep the certificates they came
// with.

import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
} from 'node:tls';
import type { ControlTcpConfig, TlsFiles } from '../../config/model.ts';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import { SocketError } from '../unix-socket.ts';
import type { PumpOptions } from './pump.ts';
import { Services } from './services.ts';

export interface TcpControlOptions {
  readonly api: SpeakerApi;
  readonly config: ControlTcpConfig;
  readonly logger: Logger;
  readonly pump?: Partial<PumpOptions>;
}

export interface TcpControl {
  /** The port in use, where 0 was asked for. */
  readonly port: number;
  /** Reads the certificates anew, for connections from now on. Throws SocketError, and keeps the old ones. */
  useTls(files: TlsFiles): void;
  stop(): Promise<void>;
}

/** Of TLS 1.2 and later; what a handshake may take. */
const TLS = { minVersion: 'TLSv1.2', handshakeTimeout: 5000, protocols: ['h2'] } as const;

/** Opens the port. Throws SocketError. */
export async function startTcpControl(options: TcpControlOptions): Promise<TcpControl> {
  const { api, config, logger, pump } = options;
  const services = new Services({ api, logger, pump });
  const serve = (connection: Socket) => services.serve(connection, config.restricted);
  const secure = config.tls === undefined ? undefined : tlsServer(config.tls, logger, serve);
  const server: Server = secure ?? createServer(serve);
  const { address, port } = config;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new SocketError(`The control service cannot listen on ${address} port ${port}: ${error.message}`),
      );
    });
    server.listen({ host: address, port, ipv6Only: address.includes(':') }, resolve);
  });
  server.on('error', (error) => logger.warn({ error }, 'the control port reports an error'));
  // Also those whose handshake is under way, of which the service knows nothing yet.
  const connections = new Set<Socket>();
  server.on('connection', (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
  });
  const bound = server.address();
  const inUse = typeof bound === 'object' && bound !== null ? bound.port : port;
  logger.info({ address, port: inUse, tls: secure !== undefined }, 'control port is open');
  return {
    port: inUse,
    useTls: (files) => secure?.setSecureContext(readContext(files)),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await services.stop();
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

function tlsServer(files: TlsFiles, logger: Logger, serve: (connection: Socket) => void): TlsServer {
  const refused = ({ remoteAddress: remote }: Socket, reason: string): void => {
    logger.warn(
      { remote, reason },
      'a control connection is refused: no TLS, or no certificate that is believed',
    );
  };
  const server = createTlsServer(
    {
      ...readContext(files),
      requestCert: true,
      // Judged below: Node would hang up before it can be said who it was, and what is wrong.
      rejectUnauthorized: false,
      ALPNProtocols: [...TLS.protocols],
      handshakeTimeout: TLS.handshakeTimeout,
    },
    (connection) => {
      if (!connection.authorized) {
        refused(connection, String(connection.authorizationError));
        connection.destroy();
        return;
      }
      const { subject } = connection.getPeerCertificate();
      logger.debug({ remote: connection.remoteAddress, client: subject?.CN }, 'a client is connected');
      serve(connection);
    },
  );
  server.on('tlsClientError', (error, connection) => refused(connection, error.message));
  return server;
}

/** Throws SocketError with the file that is wrong; of what is in a file nothing is said. */
function readContext(files: TlsFiles): SecureContextOptions {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      throw new SocketError(`The TLS file ${path} cannot be read: ${reason}.`);
    }
  };
  const context = {
    ca: read(files.ca),
    cert: read(files.cert),
    key: read(files.key),
    minVersion: TLS.minVersion,
  };
  try {
    createSecureContext(context);
  } catch {
    throw new SocketError(
      `The TLS files do not go together, or one is no PEM file: ${files.ca}, ${files.cert}, ${files.key}.`,
    );
  }
  return context;
}
