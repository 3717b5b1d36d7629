// The gRPC service: every row of the command table becomes a method. Requests and replies pass through; this file knows
// only how each kind of command is carried and what errors look like. server.ts has the socket.

import type { Duplex } from 'node:stream';
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
import { systemClock } from '../../lib/clock.ts';
import { errorText } from '../../lib/error-text.ts';
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

export interface ServiceOptions {
  readonly api: SpeakerApi;
  /** Commands that change something are refused. */
  readonly restricted?: boolean | undefined;
  readonly logger: Logger;
  readonly pump?: Partial<PumpOptions> | undefined;
}

/** A request is at most this large; replies have no bound of their own. */
const MAX_REQUEST_OCTETS = 1 << 20;

/** Running calls have this long to end when the daemon stops. */
const SHUTDOWN_MS = 500;

const STATUS_OF_CODE = {
  'not-found': status.NOT_FOUND,
  invalid: status.INVALID_ARGUMENT,
  failed: status.FAILED_PRECONDITION,
} as const;

type UnaryCall = ServerUnaryCall<object, object>;
type StreamCall = ServerWritableStream<object, object>;

/** The service, for connections that somebody else accepts. */
export interface ControlService {
  serve(connection: Duplex): void;
  /** Ends all calls. */
  stop(): Promise<void>;
}

export function createControlService(options: ServiceOptions): ControlService {
  const schema = loadSchema();
  const server = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_OCTETS,
    'grpc.max_send_message_length': -1,
  });
  const pump = { ...PUMP_DEFAULTS, ...options.pump };
  /** Ends a running stream, one function each. */
  const streams = new Set<() => void>();
  const definition: Record<string, Method> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const command of COMMAND_LIST) {
    const method = schema.methods.get(command.method);
    if (method === undefined) throw new Error(`the service has no method ${command.method}`);
    definition[command.method] = method;
    handlers[command.method] =
      options.restricted === true && changesSomething(command)
        ? refuse(command, options.logger)
        : command.kind === 'unary'
          ? unaryHandler(command, options)
          : streamHandler(command, options, pump, streams);
  }
  server.addService(definition, handlers);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    serve: (connection) => injector.injectConnection(connection),
    async stop() {
      for (const end of [...streams]) end();
      await shutDown(server);
      injector.destroy();
    },
  };
}

/** A command that nobody has called harmless changes something. */
function changesSomething({ kind, method }: Command): boolean {
  return kind === 'unary' && !/^(Get|List|Explain)/.test(method);
}

function refuse(command: Command, logger: Logger) {
  return (_call: UnaryCall, callback: sendUnaryData<object>) => {
    logger.warn({ command: command.name }, 'a command is refused: its sender may only look');
    const details = `${command.name} is not for you here: this connection may only look (restricted, or allowChanges).`;
    callback({ code: status.PERMISSION_DENIED, details });
  };
}

/**
 * Lets running calls end for a moment, then cuts what is left. Without `drain` before it: tryShutdown takes a connection
 * that is closing for one that is closed, and it would be cut before its calls have said why they end.
 */
async function shutDown(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = systemClock.setTimer(SHUTDOWN_MS, resolve);
    server.tryShutdown(() => {
      timer.cancel();
      resolve();
    });
  });
  server.forceShutdown();
}

function unaryHandler(command: Command & { kind: 'unary' }, { api, logger }: ServiceOptions) {
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
  { api, logger }: ServiceOptions,
  options: PumpOptions,
  streams: Set<() => void>,
) {
  return (call: StreamCall) => {
    const sink: Sink = {
      write: (message) => call.write(message),
      onceDrained: (resume) => call.once('drain', resume),
      end: () => call.end(),
      fail: (error) => void call.emit('error', toStatus(error, command, logger)),
    };
    let stop: (() => void) | undefined;
    let ended = false;
    const endStream = () => sink.fail(new StoppingError());
    const finished = () => {
      ended = true;
      streams.delete(endStream);
      stop?.();
    };
    call.on('cancelled', finished);
    call.on('close', finished);
    // A client that goes away while a message is on its way is no error of ours.
    call.on('error', (error) => {
      logger.debug({ command: command.name, error: error.message }, 'stream ended');
      finished();
    });
    streams.add(endStream);
    try {
      stop =
        command.kind === 'list'
          ? pumpList(command.run(api, call.request), command.batch, sink, options)
          : startWatch(command, api, call, sink, options);
      // What there was to tell at once may have been too much.
      if (ended) stop();
    } catch (error) {
      sink.fail(error);
    }
  };
}

/** Returns the function that ends the watch. */
function startWatch(
  command: Command & { kind: 'watch' },
  api: SpeakerApi,
  call: StreamCall,
  sink: Sink,
  options: PumpOptions,
): () => void {
  const watch = pumpWatch(
    (event) => command.keyOf(event),
    sink,
    options,
    (event) => command.sizeOf?.(event) ?? 0,
  );
  const unsubscribe = command.run(api, call.request, (event) => watch.push(event));
  // The client sees that the watch stands before the first change comes.
  call.sendMetadata(new Metadata());
  return () => {
    watch.stop();
    unsubscribe();
  };
}

/** The daemon ends while a stream is running. */
class StoppingError extends Error {
  constructor() {
    super('it is stopping.');
    this.name = 'StoppingError';
  }
}

/** What a client is told; anything but the operator's fault is also a line in the log. */
function toStatus(error: unknown, command: Command, logger: Logger): Partial<ServiceError> & Error {
  if (error instanceof CommandError) {
    return Object.assign(new Error(error.message), {
      code: STATUS_OF_CODE[error.code],
      details: error.message,
    });
  }
  const text = errorText(error);
  if (error instanceof WatchOverflowError) {
    return Object.assign(new Error(text), { code: status.RESOURCE_EXHAUSTED, details: text });
  }
  if (error instanceof StoppingError) {
    return Object.assign(new Error(text), { code: status.UNAVAILABLE, details: text });
  }
  logger.error({ command: command.name, error }, 'a command failed unexpectedly');
  const details = `${command.name} failed unexpectedly: ${text}`;
  return Object.assign(new Error(details), { code: status.INTERNAL, details });
}
