// `godwit run`: the daemon's life as a process. Configuration, log, speaker, then its faces; signals; and an orderly
// end. What a speaker is lies behind DaemonParts; nothing here knows BGP.

import type { ConfigIssue } from '../config/issues.ts';
import type { LoadResult } from '../config/load.ts';
import {
  type BirdSocketConfig,
  type Config,
  type ControlTcpConfig,
  type ProcessConfig,
  type SocketAccess,
  socketPaths,
} from '../config/model.ts';
import type { TcpControl } from '../control/grpc/tcp-server.ts';
import type { HttpServer } from '../control/http/server.ts';
import { CommandError } from '../control/protocol.ts';
import { systemClock, within } from '../lib/clock.ts';
import { errorText } from '../lib/error-text.ts';
import type { LogFields, Logger } from '../lib/log.ts';
import type { SpeakerApi } from '../speaker/api.ts';
import { Faces } from './daemon-faces.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Log } from './log.ts';
import type { Terminal } from './terminal.ts';

export interface RunningSpeaker {
  readonly api: SpeakerApi;
  /** A stop is decided; returns how many milliseconds peers get before it, to send traffic elsewhere. */
  drainBeforeStop(): number;
  stop(): Promise<void>;
}

export interface DaemonParts {
  /** `file`: another one than that of the start. */
  loadConfig(file?: string): LoadResult;
  createLog(config: Config): Log | Promise<Log>;
  /** What is wrong with a configuration, for the person who starts the daemon. */
  describeIssues(issues: readonly ConfigIssue[]): string | Promise<string>;
  /** Rejects where another daemon uses the socket. */
  claimSocket(path: string): Promise<void>;
  createSpeaker(options: {
    config: Config;
    configFile: string;
    loadConfig: (file?: string) => LoadResult;
    /** Another configuration is in force, or the one before again. */
    onApplied: (config: Config) => void;
    logger: Logger;
  }): Promise<RunningSpeaker>;
  startControl(options: {
    api: SpeakerApi;
    socket: string;
    mode: number;
    access: SocketAccess;
    logger: Logger;
  }): Promise<Guarded>;
  /** The same service over TCP. */
  startTcp(options: {
    api: SpeakerApi;
    config: ControlTcpConfig;
    logger: Logger;
  }): Promise<Stoppable & Partial<Pick<TcpControl, 'useTls'>>>;
  /** A socket that speaks BIRD's control protocol. */
  startBird(options: {
    api: SpeakerApi;
    socket: BirdSocketConfig;
    logger: Logger;
    /** Ends the daemon. */
    shutdown: () => void;
  }): Promise<Guarded>;
  startHttp(options: Config['http'] & { api: SpeakerApi; logger: Logger }): Promise<HttpServer>;
  /** It goes on with sessions of a program before, which nothing else that fails is worth. */
  readonly goesOn?: boolean;
  /** Becomes who the configuration says; before anything is opened, and before any thread is started. */
  dropPrivileges?(wanted: ProcessConfig, config: Config): Promise<void>;
  /** Looks at files of secrets, and calls back when one has changed. */
  watchSecrets?(config: Config, logger: Logger, changed: (files: readonly string[]) => void): SecretWatch;
  /** A supervisor that wants to know. */
  readonly supervisor?: Supervisor;
  /** Where signals come from. */
  readonly signals: {
    on(signal: string, listener: () => void): void;
    removeListener(signal: string, listener: () => void): void;
  };
  /** Ends the process now, whatever its threads wait for. */
  exit(code: number): void;
  /** Other than usual. */
  readonly stopLimitMs?: number;
  /** How its life is told; in the log's own words unless given. */
  readonly journal?: Journal;
  /** Why it cannot run, for whoever starts it, beside what the log has. */
  complain?(message: string): void;
  /** SIGUSR1 */
  dump?(api: SpeakerApi): void;
}

/** The moments of a daemon's life. */
export interface Journal {
  started(): void;
  reloading(): void;
  reloaded(changes: readonly string[]): void;
  refused(message: string): void;
  stopping(signal: string): void;
  stopped(): void;
}

/** What a supervisor is told. */
export interface Supervisor {
  ready(): void;
  reloading(): void;
  /** It takes up to so many milliseconds, where that is more than usual. */
  stopping(withinMs?: number): void;
  stop(): void;
}

export interface SecretWatch {
  /** The files of another configuration. */
  use(config: Config): void;
  stop(): void;
}

/** Names of errors that mean: the machine is not as the configuration wants it. */
const EXPECTED_ERRORS = new Set(['SocketError', 'KernelUnavailableError', 'CommandError', 'PrivilegeError']);

const MS_PER_SECOND = 1000;
/** A stop takes no longer, whatever hangs. The kernel needs some seconds to let go of a million routes. */
const STOP_LIMIT_MS = 60 * MS_PER_SECOND;

export interface Stoppable {
  stop(): Promise<void>;
}

/** Does something that a start needs. */
export type Attempt = (work: () => Promise<void>) => Promise<void>;

/** A socket whose users can be changed, and which is made again where it was deleted. */
export interface Guarded extends Stoppable {
  useAccess?(access: SocketAccess): void;
  restore?(): Promise<void>;
}

/** Runs until a signal ends it; returns the exit code. */
export async function runDaemon(
  configFile: string,
  parts: DaemonParts,
  terminal: Pick<Terminal, 'warn'>,
): Promise<ExitCode> {
  const first = parts.loadConfig();
  if (!first.ok) {
    terminal.warn(await parts.describeIssues(first.issues));
    return EXIT.failed;
  }
  const { config } = first;
  // Before the first wait: one that comes early must not end the process.
  const signals = watchSignals(parts);
  const log = await parts.createLog(config);
  const { logger } = log;
  const journal = parts.journal ?? plainJournal(logger);
  for (const warning of first.warnings) logger.warn(placeOf(warning), warning.message);

  let speaker: RunningSpeaker | undefined;
  let secrets: SecretWatch | undefined;
  const faces = new Faces(config, logger);
  const attempt: Attempt = async (work) => {
    try {
      await work();
    } catch (error) {
      if (parts.goesOn !== true) throw error;
      logger.error(startFields(error), `the sessions go on, but: ${errorText(error)}`);
    }
  };
  // The faces go last, so that they can still say that the speaker is stopping.
  const stopAll = async () => {
    secrets?.stop();
    const limit = parts.stopLimitMs ?? STOP_LIMIT_MS;
    const all = await stopParts(
      [...(speaker === undefined ? [] : [speaker]), ...faces.running],
      limit,
      logger,
    );
    parts.supervisor?.stop();
    if (all) return;
    logger.error({}, `godwit has not stopped within ${limit / MS_PER_SECOND} s: it ends as it is`);
    log.flush();
    parts.exit(EXIT.failed);
  };
  try {
    const { process: wanted } = config;
    if (wanted !== undefined) await attempt(async () => parts.dropPrivileges?.(wanted, config));
    // Two daemons would fight over routes: the second must not get as far as to have any.
    for (const path of socketPaths(config.control)) await attempt(() => parts.claimSocket(path));
    speaker = await parts.createSpeaker({
      config,
      configFile,
      loadConfig: (file) => parts.loadConfig(file),
      // What is not the speaker's.
      onApplied: (next) => {
        log.useConfig(next);
        faces.useConfig(next);
        faces.restore();
        secrets?.use(next);
      },
      logger,
    });
    const { api } = speaker;
    const shutdown = () => signals.stop('down');
    await faces.start(parts, api, shutdown, attempt);
    signals.onDump(() => parts.dump?.(api));
    journal.started();
    parts.supervisor?.ready();
    const reload = reloader(api, journal, logger, parts.supervisor);
    signals.onReload(() => {
      // Also where the configuration is refused: somebody must be able to ask why.
      faces.restore();
      reload();
    });
    secrets = parts.watchSecrets?.(config, logger, (files) => {
      logger.info({ files }, 'secrets have changed: reloading');
      reload();
    });
    const signal = await signals.stopped;
    const drainMs = speaker.drainBeforeStop();
    parts.supervisor?.stopping(drainMs > 0 ? drainMs + STOP_LIMIT_MS : undefined);
    journal.stopping(signal);
    if (drainMs > 0) {
      const seconds = drainMs / MS_PER_SECOND;
      logger.info({ seconds }, 'peers are asked to send traffic elsewhere; another signal ends the wait');
      await signals.pause(drainMs);
    }
    await stopAll();
    journal.stopped();
    return EXIT.ok;
  } catch (error) {
    const message = `godwit cannot run: ${errorText(error)}`;
    logger.error(startFields(error), message);
    parts.complain?.(message);
    await stopAll();
    return EXIT.failed;
  } finally {
    signals.end();
    log.flush();
  }
}

/** What the operator can mend is said by the message alone; anything else needs its stack. */
function startFields(error: unknown): LogFields {
  const expected = error instanceof Error && ('code' in error || EXPECTED_ERRORS.has(error.name));
  return expected ? {} : { error };
}

/** What SIGHUP does: a reload, and however many come while one is under way, one more after it. */
function reloader(
  api: SpeakerApi,
  journal: Journal,
  logger: Logger,
  supervisor: Supervisor | undefined,
): () => void {
  let running = false;
  let again = false;
  const reload = (): void => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    journal.reloading();
    supervisor?.reloading();
    api
      .reload()
      .then(
        ({ changes }) => journal.reloaded(changes),
        (error: unknown) => {
          if (error instanceof CommandError) journal.refused(error.message);
          else logger.error({ error }, 'the reload failed unexpectedly');
        },
      )
      .finally(() => {
        running = false;
        supervisor?.ready();
        if (again) {
          again = false;
          reload();
        }
      });
  };
  return reload;
}

function plainJournal(logger: Logger): Journal {
  return {
    started: () => {},
    reloading: () => {},
    reloaded: (changes) => logger.info({ changes }, changes.length === 0 ? 'nothing changed' : 'reloaded'),
    refused: (message) => logger.error({}, `the reload was refused: ${message}`),
    stopping: (signal) => logger.info({ signal }, 'stopping'),
    stopped: () => logger.info({}, 'stopped'),
  };
}

/** False where one has not stopped when the time is over; the others are told nevertheless. */
async function stopParts(running: readonly Stoppable[], limitMs: number, logger: Logger): Promise<boolean> {
  const end = systemClock.now() + limitMs;
  let all = true;
  for (const part of running) {
    const stopped = part.stop().catch((error: unknown) => {
      logger.error({ error }, 'a part did not stop cleanly');
    });
    const inTime = await within(systemClock, Math.max(0, end - systemClock.now()), stopped);
    all = inTime && all;
  }
  return all;
}

/** SIGTERM and SIGINT end the daemon, a second one the pause that it makes, or else the process at once; SIGHUP reloads;
 *  SIGUSR1 shows the state; SIGPIPE is nobody's reason to die. */
function watchSignals(parts: DaemonParts) {
  const { signals } = parts;
  let settle: (signal: string) => void = () => {};
  let onReload: (() => void) | undefined;
  let onDump: (() => void) | undefined;
  let reloadWanted = false;
  let stopping = false;
  const stopped = new Promise<string>((resolve) => {
    settle = resolve;
  });
  let endPause: (() => void) | undefined;
  const stop = (signal: string) => () => {
    if (endPause !== undefined) {
      endPause();
      return;
    }
    if (stopping) parts.exit(EXIT.failed);
    stopping = true;
    settle(signal);
  };
  const listeners: [string, () => void][] = [
    ['SIGTERM', stop('SIGTERM')],
    ['SIGINT', stop('SIGINT')],
    [
      'SIGHUP',
      () => {
        // One that arrives during the start is not lost, and does not end the process either.
        if (onReload === undefined) reloadWanted = true;
        else onReload();
      },
    ],
    ['SIGUSR1', () => onDump?.()],
    ['SIGPIPE', () => {}],
  ];
  for (const [signal, listener] of listeners) signals.on(signal, listener);
  return {
    stopped,
    stop: settle,
    /** Resolves after so many milliseconds, or with the next signal that ends the daemon. */
    pause: (ms: number) =>
      new Promise<void>((resolve) => {
        const end = (): void => {
          timer.cancel();
          endPause = undefined;
          resolve();
        };
        const timer = systemClock.setTimer(ms, end);
        endPause = end;
      }),
    onReload(listener: () => void) {
      onReload = listener;
      if (reloadWanted) listener();
    },
    onDump(listener: () => void) {
      onDump = listener;
    },
    end() {
      for (const [signal, listener] of listeners) signals.removeListener(signal, listener);
    },
  };
}

function placeOf({ file, line, path }: { file: string; line: number; path: string }) {
  return { file, line, path };
}
