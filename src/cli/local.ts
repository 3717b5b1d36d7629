// The commands that need no daemon: `run` becomes one, `check` reads a file. Everything heavy is imported here, when
// one of them is really called.

import type { ConfigIssue } from '../config/issues.ts';
import type { LoadResult } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import { systemClock } from '../lib/clock.ts';
import { exitNow } from '../lib/exit-now.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Log } from './log.ts';
import type { Terminal } from './terminal.ts';

/** The configuration that is used unless another is named. */
export const DEFAULT_CONFIG = '/etc/godwit/godwit.yaml';

/** Reads the file anew each time it is called, in the language in which it is written now. */
export async function configLoader(file: string, terminal: Terminal) {
  const [{ openConfig }, { readHostFacts }] = await Promise.all([
    import('../config/load-file.ts'),
    import('../config/host.ts'),
  ]);
  return openConfig(file, { env: terminal.env, host: readHostFacts });
}

/** What is wrong with a configuration, as a terminal can show it. */
export async function issueText(
  issues: readonly ConfigIssue[],
  { color, columns }: Pick<Terminal, 'color' | 'columns'>,
): Promise<string> {
  const { formatIssues } = await import('../config/issues.ts');
  return formatIssues(issues, { color, ...(columns !== undefined && { width: columns }) }).trimEnd();
}

/** Checks a configuration and shows everything that is wrong with it. */
export async function check(file: string, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const result = (await configLoader(file, terminal))();
  const issues = result.ok ? result.warnings : result.issues;
  const code = result.ok ? EXIT.ok : EXIT.failed;
  if (json) {
    await terminal.write(`${JSON.stringify({ file, ok: result.ok, issues }, undefined, 2)}\n`);
    return code;
  }
  if (issues.length > 0) terminal.warn(await issueText(issues, terminal));
  if (result.ok) {
    const { summarize } = await import('../config/summary.ts');
    const { summarizeBird } = await import('../config/bird/summary.ts');
    const { bird } = result.config;
    const dialect = bird === undefined ? [] : summarizeBird(bird);
    const lines = [...dialect, ...summarize(result.config)].map((line) => `  ${line}\n`);
    await terminal.write(`${file} is good\n${lines.join('')}`);
  } else {
    const errors = issues.filter((issue) => issue.severity === 'error').length;
    terminal.warn(`${file}: ${errors === 1 ? '1 error' : `${errors} errors`}`);
  }
  return code;
}

/** Of the command line, before what the configuration says. */
export interface RunOptions {
  readonly user?: string | undefined;
  readonly group?: string | undefined;
}

/** Runs the daemon in this process until a signal ends it. */
export async function run(file: string, options: RunOptions, terminal: Terminal): Promise<ExitCode> {
  const [loadConfig, { runDaemon }, speaker, socket, control] = await Promise.all([
    configLoader(file, terminal),
    import('./daemon.ts'),
    import('../speaker/main.ts'),
    import('../control/unix-socket.ts'),
    import('../control/grpc/server.ts'),
  ]);
  const { LogTap } = await import('../control/bird/log-tap.ts');
  const [{ takeInheritance }, { Upgrader }, { invocationOf }] = await Promise.all([
    import('./upgrade/inherited.ts'),
    import('./upgrade/upgrader.ts'),
    import('./upgrade/invocation.ts'),
  ]);
  const inherited = await takeInheritance(process.env);
  let flush = (): void => {};
  const upgrader = new Upgrader(invocationOf(process, [['check', file]]), process.env, () => flush());
  const [{ becomeUser }, { watchSecrets }, { systemSupervisor }] = await Promise.all([
    import('./run-as.ts'),
    import('./secret-watch.ts'),
    import('./supervisor.ts'),
  ]);
  const supervisor = systemSupervisor(terminal.env);
  const logTap = new LogTap();
  return runDaemon(
    file,
    {
      loadConfig: (other) => withRunOptions(loadConfig(other), options),
      dropPrivileges: becomeUser,
      watchSecrets: (config, logger, changed) =>
        watchSecrets({ config, configFile: file, clock: systemClock, logger, changed }),
      ...(supervisor !== undefined && { supervisor }),
      goesOn: inherited !== undefined,
      createLog: async (config) => {
        const log = await openLog(config, terminal);
        log.useConfig(config);
        dieLoudly(log);
        flush = () => log.flush();
        return { ...log, logger: logTap.over(log.logger) };
      },
      describeIssues: (issues) => issueText(issues, terminal),
      claimSocket: socket.refuseForeign,
      createSpeaker: (wanted) => upgrader.createSpeaker(speaker.createSpeaker, wanted, inherited),
      startControl: control.startControlServer,
      startTcp: async (options) => (await import('../control/grpc/tcp-server.ts')).startTcpControl(options),
      startBird: async ({ socket: options, ...rest }) =>
        (await import('../control/bird/server.ts')).startBirdControl({
          ...options,
          access: options,
          ...rest,
          logTap,
        }),
      startHttp: async (options) =>
        (await import('../control/http/server.ts')).startHttpServer({ ...options, wallTime: terminal.now }),
      signals: process,
      exit: exitNow,
    },
    terminal,
  );
}

/** Where and how log statements of BIRD's language say, if there are any. */
async function openLog(config: Config, terminal: Terminal): Promise<Log> {
  if (config.bird?.globals.logs !== undefined) {
    return (await import('./bird/remote-log.ts')).openBirdLog('godwit', false, terminal.now);
  }
  const { createLog } = await import('./logger.ts');
  return createLog({ ...config.log, tty: terminal.columns !== undefined, color: terminal.color });
}

function withRunOptions(result: LoadResult, { user, group }: RunOptions): LoadResult {
  if (!result.ok || (user === undefined && group === undefined)) return result;
  const { process: said = { user: undefined, group: undefined, watchFiles: 0 } } = result.config;
  const wanted = { ...said, user: user ?? said.user, group: group ?? said.group };
  return { ...result, config: { ...result.config, process: wanted } };
}

/** An error that reaches the top leaves the state unknown: it is logged whole, and a supervisor starts anew. */
export function dieLoudly(log: {
  logger: { error(fields: Record<string, unknown>, message: string): void };
  flush(): boolean;
}): void {
  process.on('uncaughtException', (error) => {
    log.logger.error({ error }, 'godwit ends because of a fault of its own; kernel routes stay as they are');
    // process.exit waits for a write that nobody takes.
    if (!log.flush()) exitNow(EXIT.crashed);
    process.exit(EXIT.crashed);
  });
}
