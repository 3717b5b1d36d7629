// A control socket's whole life: it is put at its path, made again there where somebody has deleted it, and taken away.
// Connections do not notice: one that is open stays with the socket that it came through.

import { createServer, type Server, type Socket } from 'node:net';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Place, placeSocket } from './unix-socket.ts';

/** At a time. Tools need one each; what somebody leaks must leave file descriptors for peers. */
const MOST_CONNECTIONS = 256;
/** Refusals are logged at most so often. */
const REFUSAL_LOG_MS = 60_000;

export interface ControlSocketOptions extends Place {
  /** Clients that have said everything still want their answer. */
  readonly allowHalfOpen?: boolean;
  readonly serve: (connection: Socket) => void;
  readonly logger: Logger;
}

interface Opened {
  readonly server: Server;
  readonly isThere: () => Promise<boolean>;
  readonly remove: () => Promise<void>;
}

export class ControlSocket {
  readonly #options: ControlSocketOptions;
  #opened: Opened;
  /** What was asked for, one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** The ends of listening sockets, which come with the last of their connections. */
  readonly #ends: Promise<void>[] = [];

  /** Rejects with SocketError where it cannot be made. */
  static async open(options: ControlSocketOptions): Promise<ControlSocket> {
    return new ControlSocket(options, await open(options));
  }

  private constructor(options: ControlSocketOptions, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
  }

  /** Makes it again where its path leads to nothing, or to another one. Rejects with SocketError where that fails. */
  restore(): Promise<void> {
    const { path, logger } = this.#options;
    return this.#enqueue(async () => {
      if (this.#closed || (await this.#opened.isThere())) return;
      const { server } = this.#opened;
      this.#opened = await open(this.#options);
      this.#end(server);
      logger.warn({ socket: path }, 'the control socket was deleted: it is there again');
    });
  }

  /** Takes no more connections and removes it; resolves when the last connection has ended, which is its owner's affair. */
  async close(): Promise<void> {
    await this.#enqueue(async () => {
      this.#closed = true;
      this.#end(this.#opened.server);
    });
    await Promise.all(this.#ends);
    await this.#opened.remove();
  }

  #end(server: Server): void {
    this.#ends.push(new Promise((resolve) => void server.close(() => resolve())));
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const next = this.#queue.then(work);
    this.#queue = next.catch(() => {});
    return next;
  }
}

async function open(options: ControlSocketOptions): Promise<Opened> {
  const { path, allowHalfOpen = false, serve, logger } = options;
  const server = createServer({ allowHalfOpen }, serve);
  server.maxConnections = MOST_CONNECTIONS;
  let lastRefusal = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    if (systemClock.now() - lastRefusal < REFUSAL_LOG_MS) return;
    lastRefusal = systemClock.now();
    logger.warn({ socket: path }, `control connections are refused: ${MOST_CONNECTIONS} are open`);
  });
  const placed = await placeSocket(options, (privatePath) => listen(server, privatePath)).catch(
    (error: unknown) => {
      // It may listen already, where nobody finds it.
      server.close();
      throw error;
    },
  );
  // A connection that cannot be accepted is that client's loss.
  server.on('error', (error) => logger.warn({ socket: path, error }, 'the control socket reports an error'));
  return { server, ...placed };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
