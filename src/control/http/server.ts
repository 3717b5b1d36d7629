// The HTTP face, for machines that look but do not touch: metrics and probes, and a page that lists them. It is
// read-only; whoever can reach the port sees names and addresses of peers, so it is off unless configured.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import { SocketError } from '../unix-socket.ts';
import { createMetrics } from './metrics.ts';
import { readiness } from './readiness.ts';

export interface HttpServerOptions {
  readonly api: SpeakerApi;
  readonly address: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly maxPeerSeries: number;
  readonly logger: Logger;
  /** Milliseconds since the Unix epoch. */
  readonly wallTime: () => number;
  readonly processMetrics?: boolean;
}

export interface HttpServer {
  /** The bound port. */
  readonly port: number;
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Page {
  readonly path: string;
  readonly help: string;
  answer(): Reply | Promise<Reply>;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
/** A client has this long to say what it wants. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const SHOWN_EVENTS = 1000;

/** Binds the server. Rejects with the system's error where the address cannot be bound. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const pages = pagesOf(options);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(pages, request)
      .catch((error: unknown): Reply => {
        options.logger.error({ url: request.url, error }, 'an HTTP request failed unexpectedly');
        return { status: 500, type: TEXT, body: 'godwit could not answer; its log says why.\n' };
      })
      .then((reply) => send(request, response, reply));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options);
  // A connection that cannot be accepted is that client's loss.
  server.on('error', (error) => options.logger.warn({ error }, 'the HTTP server reports an error'));
  // Typed as string only for servers on a path.
  const { port } = server.address() as AddressInfo;
  options.logger.info({ address: options.address, port }, 'HTTP server is listening');
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, { address, port }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(new SocketError(`The HTTP server cannot listen on ${address} port ${port}: ${error.message}`));
    server.once('error', refuse);
    server.listen({ host: address, port }, () => {
      server.removeListener('error', refuse);
      resolve();
    });
  });
}

function pagesOf({ api, maxPeerSeries, wallTime, processMetrics = true }: HttpServerOptions): Page[] {
  const metrics = createMetrics({ api, maxPeerSeries, wallTime, processMetrics });
  // Two scrapers at a time share one collection.
  let scrape: Promise<string> | undefined;
  const pages: Page[] = [
    {
      path: '/metrics',
      help: 'counters and gauges for Prometheus',
      async answer() {
        scrape ??= metrics.render().finally(() => {
          scrape = undefined;
        });
        return { status: 200, type: metrics.contentType, body: await scrape };
      },
    },
    {
      path: '/status',
      help: 'what godwit is doing, and each peer with why its last session ended',
      answer: () => json(200, { ...api.status(), peerList: api.peers() }),
    },
    {
      path: '/events',
      help: `the last ${SHOWN_EVENTS} events of the journal`,
      answer: () => json(200, [...api.events({})].slice(-SHOWN_EVENTS)),
    },
    {
      path: '/healthz',
      help: '200 while the process answers',
      answer: () => json(200, { status: 'ok' }),
    },
    {
      path: '/readyz',
      help: '200 when the speaker runs with all that is configured, else 503 and the reasons',
      answer() {
        const verdict = readiness(api.status());
        return json(verdict.ready ? 200 : 503, verdict);
      },
    },
  ];
  const index: Page = {
    path: '/',
    help: 'this page',
    answer() {
      const { version, hostname } = api.status();
      const lines = pages.map((page) => `${page.path.padEnd(10)} ${page.help}\n`);
      return { status: 200, type: TEXT, body: `godwit ${version} on ${hostname}\n\n${lines.join('')}` };
    },
  };
  return [...pages, index];
}

function json(status: number, value: object): Reply {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

async function answer(pages: readonly Page[], request: IncomingMessage): Promise<Reply> {
  const path = (request.url ?? '/').split('?', 1)[0];
  const page = pages.find((each) => each.path === path);
  if (page === undefined) return { status: 404, type: TEXT, body: 'There is no such page; / lists them.\n' };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, type: TEXT, body: 'This server only shows things: use GET.\n' };
  }
  return page.answer();
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(reply.status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}
