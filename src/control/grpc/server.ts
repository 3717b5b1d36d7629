// The gRPC face: every row of the command table becomes a method of the service on a unix socket. Requests and
// replies pass through; this file knows only how each kind of command is carried and what errors look like.

import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import { COMMAND_LIST, type Command } from '../commands.ts';
import { CommandError } from '../protocol.ts';
import {
  PUMP_DEFAULTS,
  type PumpOptions,
  pumpList,
  pumpWatch,
  type Sink,
  WatchOverflowError,
} from './pump.ts';
import { loadSchema, type Method } from './schema.ts';
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

/** A request is at most this large; replies have no bound of their own. */
const MAX_REQUEST_OCTETS = 1 << 20;

const STATUS_OF_CODE = {
  'not-found': status.NOT_FOUND,
  invalid: status.INVALID_ARGUMENT,
  failed: status.FAILED_PRECONDITION,
} as const;

type UnaryCall = ServerUnaryCall<object, object>;
type StreamCall = ServerWritableStream<object, object>;

/** Starts the service. Throws SocketError where the socket cannot be made. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const schema = loadSchema();
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_OCTETS,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
  });
  const pump = { ...PUMP_DEFAULTS, ...options.pump };
  const definition: Record<string, Method> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const command of COMMAND_LIST) {
    const method = schema.methods.get(command.method);
    if (method === undefined) throw new Error(`the service has no method ${command.method}`);
    definition[command.method] = method;
    handlers[command.method] =
      command.kind === 'unary' ? unaryHandler(command, options) : streamHandler(command, options, pump);
  }
  server.addService(definition, handlers);
  const remove = await placeSocket(options.socket, options.mode, (path) => bind(server, path));
  options.logger.info({ socket: options.socket }, 'control socket is open');
  return {
    async stop() {
      server.forceShutdown();
      await remove();
    },
  };
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function unaryHandler(command: Command & { kind: 'unary' }, { api, logger }: ControlServerOptions) {
  return async (call: UnaryCall, callback: sendUnaryData<object>) => {
    try {
      callback(null, await command.run(api, call.request));
    } catch (error) {
      callback(toStatus(error, command, logger));
    }
  };
}

function streamHandler(
  command: Command & { kind: 'list' | 'watch' },
  { api, logger }: ControlServerOptions,
  options: PumpOptions,
) {
  return (call: StreamCall) => {
    const sink: Sink = {
      write: (message) => call.write(message),
      onceDrained: (resume) => call.once('drain', resume),
      end: () => call.end(),
      fail: (error) => void call.emit('error', toStatus(error, command, logger)),
    };
    // A client that goes away while a message is on its way is no error of ours.
    call.on('error', (error) =>
      logger.debug({ command: command.name, error: error.message }, 'stream ended'),
    );
    try {
      if (command.kind === 'list') {
        const stop = pumpList(command.run(api, call.request), command.batch, sink, options);
        call.on('cancelled', stop);
        call.on('close', stop);
        return;
      }
      let unsubscribe = () => {};
      const watch = pumpWatch(
        (event) => command.keyOf(event),
        sink,
        options,
        () => unsubscribe(),
      );
      unsubscribe = command.run(api, call.request, (event) => watch.push(event));
      const stop = () => {
        watch.stop();
        unsubscribe();
      };
      call.on('cancelled', stop);
      call.on('close', stop);
      // The client sees that the watch stands before the first change comes.
      call.sendMetadata(new Metadata());
    } catch (error) {
      sink.fail(error);
    }
  };
}

/** What a client is told; anything but the operator's fault is also a line in the log. */
function toStatus(error: unknown, command: Command, logger: Logger): Partial<ServiceError> & Error {
  if (error instanceof CommandError) {
    return Object.assign(new Error(error.message), {
      code: STATUS_OF_CODE[error.code],
      details: error.message,
    });
  }
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof WatchOverflowError) {
    return Object.assign(new Error(text), { code: status.RESOURCE_EXHAUSTED, details: text });
  }
  logger.error({ command: command.name, error }, 'a command failed unexpectedly');
  const details = `${command.name} failed unexpectedly: ${text}`;
  return Object.assign(new Error(details), { code: status.INTERNAL, details });
}
