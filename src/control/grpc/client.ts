// The client's half: calls a row of the command table on a daemon behind a unix socket, or a TCP port. Errors come back as the
// ones the daemon threw; a daemon that cannot be reached is an UnreachableError that says what to try.

import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { errorText } from '../../lib/error-text.ts';
import type { ListCommand, UnaryCommand, WatchCommand } from '../commands.ts';
import { CommandError, SOCKET_VARIABLE } from '../protocol.ts';
import { probeSocket } from '../unix-socket.ts';
import { loadSchema, type Method, type Schema } from './schema.ts';
import { openTarget, type TcpTarget } from './tcp-target.ts';

/** Nobody answers on the socket, or not to us. */
export class UnreachableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreachableError';
  }
}

export interface ControlClient {
  unary<Q extends object, R extends object>(command: UnaryCommand<Q, R>, request: Q): Promise<R>;
  /** Yields the entries; leaving the loop early cancels the call. */
  list<Q extends object, I extends object>(command: ListCommand<Q, I>, request: Q): AsyncGenerator<I, void>;
  watch<Q extends object, E extends object>(
    command: WatchCommand<Q, E>,
    request: Q,
    signal: AbortSignal,
  ): AsyncGenerator<E, void>;
  close(): void;
}

/** Octets that may be on their way to us: enough that long lists do not wait for a round trip each batch. */
const FLOW_CONTROL_WINDOW = 1 << 20;

const CODE_OF_STATUS: ReadonlyMap<number, CommandError['code']> = new Map([
  [status.NOT_FOUND, 'not-found'],
  [status.INVALID_ARGUMENT, 'invalid'],
]);

/** Connects to the daemon behind a unix socket, by its path, or a TCP port. Throws UnreachableError. */
export async function connectControl(target: string | TcpTarget): Promise<ControlClient> {
  const { address, channel, options } =
    typeof target === 'string' ? await unixChannel(target) : await tcpChannel(target);
  const schema = loadSchema();
  const client = new Client(address, channel, {
    'grpc.max_receive_message_length': -1,
    'grpc.enable_http_proxy': 0,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    // Nobody else's failures keep us from trying.
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
  const caller = { client, isTcp: typeof target !== 'string' };
  return {
    unary: (command, request) => unary(caller, method(schema, command.method), request),
    list: (command, request) => stream(caller, method(schema, command.method), request, command.batch),
    watch: (command, request, signal) =>
      stream(caller, method(schema, command.method), request, 'events', signal),
    close: () => client.close(),
  };
}

interface Caller {
  readonly client: Client;
  readonly isTcp: boolean;
}

interface Channel {
  readonly address: string;
  readonly channel: ChannelCredentials;
  readonly options?: ChannelOptions;
}

async function unixChannel(socket: string): Promise<Channel> {
  const outcome = await probeSocket(socket);
  if (outcome !== 'ok') throw new UnreachableError(unreachableText(socket, outcome));
  return { address: `unix:${socket}`, channel: credentials.createInsecure() };
}

async function tcpChannel(target: TcpTarget): Promise<Channel> {
  try {
    return { address: target.server, ...(await openTarget(target)) };
  } catch (error) {
    throw new UnreachableError(errorText(error));
  }
}

function method(schema: Schema, name: string): Method {
  const found = schema.methods.get(name);
  if (found === undefined) throw new Error(`the service has no method ${name}`);
  return found;
}

function unary<R extends object>({ client, isTcp }: Caller, definition: Method, request: object): Promise<R> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      definition.path,
      definition.requestSerialize,
      // The daemon's proto file is this one: the reply has the fields of R.
      (bytes): R => definition.responseDeserialize(bytes) as R,
      request,
      (error, reply) => {
        if (error !== null) reject(toError(error, isTcp));
        else if (reply === undefined) reject(new Error('the daemon answered without a reply'));
        else resolve(reply);
      },
    );
  });
}

async function* stream<I extends object>(
  { client, isTcp }: Caller,
  definition: Method,
  request: object,
  batch: string,
  signal?: AbortSignal,
): AsyncGenerator<I, void> {
  const call = client.makeServerStreamRequest(
    definition.path,
    definition.requestSerialize,
    (bytes): Record<string, I[]> => definition.responseDeserialize(bytes) as Record<string, I[]>,
    request,
  );
  const cancel = () => call.cancel();
  if (signal?.aborted === true) cancel();
  signal?.addEventListener('abort', cancel);
  try {
    for await (const message of call) yield* message[batch] ?? [];
  } catch (error) {
    if (signal?.aborted === true) return;
    throw toError(error, isTcp);
  } finally {
    signal?.removeEventListener('abort', cancel);
    // An error that arrives after the last entry was wanted has nobody left to read it.
    call.on('error', () => {});
    call.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error;
}

function toError(error: unknown, isTcp: boolean): unknown {
  if (!isServiceError(error)) return error;
  if (error.code === status.UNAVAILABLE || error.code === status.CANCELLED) {
    const what = isTcp
      ? 'The daemon went away, or wants TLS (--tls-ca, --tls-cert, --tls-key)'
      : 'The daemon went away, or does not let this user in';
    return new UnreachableError(`${what}: ${error.details}`);
  }
  if (error.code === status.UNIMPLEMENTED) {
    return new CommandError('failed', 'The daemon does not know this command; it is of an older version.');
  }
  return new CommandError(CODE_OF_STATUS.get(error.code) ?? 'failed', error.details);
}

function unreachableText(socket: string, outcome: string): string {
  const other = `If the daemon uses another socket, name it with --socket PATH or ${SOCKET_VARIABLE}.`;
  if (outcome === 'ENOENT') {
    return `There is no socket ${socket}. Is the daemon running (godwit run -c FILE)? ${other}`;
  }
  if (outcome === 'ECONNREFUSED') {
    return `Nobody answers on ${socket}: the daemon that made it is gone. Start it again (godwit run -c FILE).`;
  }
  if (outcome === 'EACCES' || outcome === 'EPERM') {
    return `You may not use ${socket}. Try as root, or as the owner of the socket (control.mode sets who may).`;
  }
  if (outcome === 'ENOTSOCK') return `${socket} is not a socket. ${other}`;
  return `The daemon does not answer on ${socket} (${outcome}). ${other}`;
}
