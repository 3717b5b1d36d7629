// BIRD's control socket: a unix socket on which birdc, calicoctl and exporters talk to godwit as they talk to BIRD.
// What is said is session.ts's, what it means the command table's; here are the socket and its connections.

import type { Socket } from 'node:net';
import type { BirdStyle, SocketAccess } from '../../config/model.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { SpeakerApi } from '../../speaker/api.ts';
import { createDoorkeeper, ownersOf } from '../access.ts';
import { ControlSocket } from '../control-socket.ts';
import type { AskCredentials } from '../peer-credentials.ts';
import { LogTap } from './log-tap.ts';
import type { ReplyPumpOptions } from './reply-pump.ts';
import { type ContextOf, ControlSession } from './session.ts';
import { type Style, styleFor } from './style.ts';

export interface BirdControlOptions {
  readonly api: SpeakerApi;
  /** Path of the unix socket. */
  readonly socket: string;
  /** File mode of the socket. */
  readonly mode: number;
  readonly style: BirdStyle;
  /** Only commands that change nothing. */
  readonly restricted: boolean;
  /** Who may use it; whoever the mode lets unless given. */
  readonly access?: SocketAccess;
  /** For tests: whose a connection is. */
  readonly askCredentials?: AskCredentials;
  readonly logger: Logger;
  /** Ends the daemon; `down` calls it. */
  readonly shutdown: () => void;
  /** Where `echo` gets its lines; by default only what comes from this socket's own commands. */
  readonly logTap?: LogTap;
  /** Shown as BIRD's; `2.0.12` and the like. */
  readonly version?: string;
  readonly clock?: Clock;
  readonly pump?: Partial<ReplyPumpOptions>;
}

export interface BirdControl {
  /** Other rules for connections from now on. Throws SocketError, and keeps the old ones, where one is wrong. */
  useAccess(access: SocketAccess): void;
  /** Makes the socket again where it was deleted. Rejects with SocketError where that fails. */
  restore(): Promise<void>;
  /** Closes all connections and removes the socket. */
  stop(): Promise<void>;
}

const PUMP_DEFAULTS: ReplyPumpOptions = {
  now: systemClock.now,
  defer: (fn) => void setImmediate(fn),
  sliceMs: 4,
  batchSize: 16_384,
};

/** In the place of the greeting. */
const REFUSAL = '8007 Access denied\n';

/** Connections that last until the end are cut after so many milliseconds. */
const FAREWELL_MS = 200;

/** Starts the service. Throws SocketError where the socket cannot be made. */
export async function startBirdControl(options: BirdControlOptions): Promise<BirdControl> {
  const connections = new Set<Socket>();
  const tap = options.logTap ?? new LogTap();
  const logger = options.logTap === undefined ? tap.over(options.logger) : options.logger;
  const access = { ...options.access, restricted: options.restricted };
  const doorkeeper = createDoorkeeper(options.socket, access, logger, options.askCredentials);
  const door = await ControlSocket.open({
    path: options.socket,
    mode: options.mode,
    owners: ownersOf(options.socket, access),
    allowHalfOpen: true,
    serve: (socket) => {
      const granted = doorkeeper.admit(socket);
      connections.add(socket);
      socket.on('close', () => connections.delete(socket));
      if (granted === 'none') {
        // The client may be gone by now.
        socket.on('error', () => {});
        socket.end(REFUSAL);
      } else serve(socket, { ...options, restricted: granted === 'read', logger }, tap);
    },
    logger,
  });
  logger.info({ socket: options.socket }, "BIRD's control socket is open");
  return {
    useAccess: (next) => doorkeeper.use(next),
    restore: () => door.restore(),
    async stop() {
      const timer = systemClock.setTimer(FAREWELL_MS, () => {
        for (const socket of connections) socket.destroy();
      });
      const closed = door.close();
      for (const socket of connections) socket.end();
      await closed;
      timer.cancel();
    },
  };
}

function serve(socket: Socket, options: BirdControlOptions, tap: LogTap): void {
  const { api, logger, shutdown, clock = systemClock } = options;
  const context: ContextOf = (session) => {
    const style = styleFor(options.style, api.bird.configuration());
    const version = options.version ?? versionFor(style, api.status().version);
    const syntax = style === 'bird1' ? '1.6' : '2.x';
    return { api, style, syntax, version, clock, logger, session, shutdown };
  };
  const wire = {
    write: (text: string) => socket.writable && socket.write(text),
    onceDrained: (resume: () => void) => void socket.once('drain', resume),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    get waiting() {
      return socket.writableLength;
    },
    end: () => void socket.end(),
  };
  const pump = { ...PUMP_DEFAULTS, ...options.pump };
  const session = new ControlSession(wire, { context, restricted: options.restricted, pump });
  const silence = tap.listen((kind, text) => session.echo(kind, text));
  socket.on('data', (chunk) => session.receive(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  socket.on('end', () => session.endOfInput());
  // A client that goes away while something is on its way is no error of ours.
  socket.on('error', (error) => logger.debug({ error: error.message }, 'a control connection broke'));
  socket.on('close', () => {
    silence();
    session.close();
  });
  session.greet(context(session.state).version);
}

/** Tools look for a `v` in 1.6's version (Calico), and for a number in 2.x's. */
function versionFor(style: Style, godwit: string): string {
  return style === 'bird1' ? `v1.6.8+godwit-${godwit}` : `2.0.12+godwit-${godwit}`;
}
