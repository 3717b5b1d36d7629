// `bird` and `bird6`: godwit's daemon as BIRD's process. The same runDaemon as `godwit run`, with the configuration in
// BIRD's language, the log in BIRD's form, the control socket where -s says, and no more loaded than what that takes.
// Where it differs from BIRD: as process 1 it stays in the foreground (a container would end otherwise), and SIGINT
// stops it in order also with -d.

import { dirname, join } from 'node:path';
import { readHostFacts } from '../../config/host.ts';
import { type Loader, openConfig } from '../../config/load-file.ts';
import type { BirdSocketConfig, Config } from '../../config/model.ts';
import { SOCKET_MODE } from '../../config/model.ts';
import { errorText } from '../../lib/error-text.ts';
import { exitNow } from '../../lib/exit-now.ts';
import { packageVersion } from '../../lib/package-info.ts';
import { type Journal, runDaemon } from '../daemon.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { Inheritance } from '../upgrade/inherited.ts';
import type { Upgrader } from '../upgrade/upgrader.ts';
import { isDetached, reportReady, runDetached } from './background.ts';
import { describeErrors } from './check.ts';
import { createDump } from './dump.ts';
import { DAEMONS } from './faces.ts';
import type { BirdLog } from './log.ts';
import { type BirdOptions, type Face, helpText, parseBirdArguments, USAGE } from './options.ts';
import { PidFile } from './pid-file.ts';
import { openBirdLog } from './remote-log.ts';
import { SignalHub } from './signal-hub.ts';

const INIT = 1;

/** Runs the words after the program's name; resolves when the daemon has ended. */
export async function bird(argv: readonly string[], face: Face, terminal: Terminal): Promise<ExitCode> {
  const command = parseBirdArguments(argv, face);
  switch (command.do) {
    case 'version':
      terminal.warn(`BIRD version ${birdVersion()}`);
      return EXIT.ok;
    case 'help':
      terminal.warn(helpText(face).trimEnd());
      return EXIT.ok;
    case 'usage':
      if (command.complaint !== undefined) terminal.warn(`${face.name}: ${command.complaint}\n`);
      terminal.warn(USAGE);
      return EXIT.failed;
    case 'run':
      return command.options.check
        ? check(command.options, face, terminal)
        : run(command.options, face, terminal);
  }
}

/** With a `v`, for which Calico looks. */
export function birdVersion(): string {
  return `v${packageVersion()}+godwit`;
}

async function check(options: BirdOptions, face: Face, terminal: Terminal): Promise<ExitCode> {
  const result = (await loaderOf(options, face, terminal))();
  if (!result.ok) terminal.warn(describeErrors(face.name, result.issues));
  return result.ok ? EXIT.ok : EXIT.failed;
}

async function run(options: BirdOptions, face: Face, terminal: Terminal): Promise<ExitCode> {
  const { takeInheritance } = await import('../upgrade/inherited.ts');
  const inherited = await takeInheritance(process.env);
  const stays = options.foreground || process.pid === INIT || isDetached() || inherited !== undefined;
  if (!stays) return runDetached(face.name, terminal);
  // What `ps`, `pgrep` and calicoctl look for.
  process.title = face.name;
  const pidFile = options.pidFile === undefined ? undefined : new PidFile(options.pidFile);
  try {
    if (inherited === undefined) pidFile?.open();
    else pidFile?.inherit();
    if (options.user !== undefined || options.group !== undefined) {
      const { becomeBird } = await import('./native.ts');
      becomeBird(options.user, options.group);
    }
  } catch (error) {
    terminal.warn(`${face.name}: ${errorText(error)}`);
    return EXIT.failed;
  }
  const instances = instancesOf(options, face);
  const signals = new SignalHub(process);
  let starting = instances.length;
  const started = (): void => {
    starting--;
    if (starting > 0) return;
    pidFile?.write(process.pid);
    // Who waited for the program before has long heard that it runs.
    if (inherited === undefined) reportReady();
  };
  const [{ Upgrader }, { invocationOf }] = await Promise.all([
    import('../upgrade/upgrader.ts'),
    import('../upgrade/invocation.ts'),
  ]);
  const checks = instances.map((each) => [each.face.name, '-p', '-c', each.options.config]);
  const flushes: (() => void)[] = [];
  const upgrader = new Upgrader(invocationOf(process, checks), process.env, () => {
    for (const flush of flushes) flush();
  });
  const codes = await Promise.all(
    instances.map(async (instance) => {
      const code = await runInstance(instance, { signals, started, upgrader, inherited, flushes }, terminal);
      // One does not live without the other: their supervisor knows one process.
      signals.stop();
      return code;
    }),
  );
  signals.close();
  pidFile?.remove();
  return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok;
}

/** What the instances of a process have in common. */
interface Shared {
  readonly signals: SignalHub;
  readonly started: () => void;
  readonly upgrader: Upgrader;
  readonly inherited: Inheritance | undefined;
  /** What writes the rest of each log. */
  readonly flushes: (() => void)[];
}

interface Instance {
  readonly options: BirdOptions;
  readonly face: Face;
}

/** One, or two of one family each. */
function instancesOf(options: BirdOptions, face: Face): readonly Instance[] {
  const first = { options, face };
  if (options.second === undefined) return [first];
  const { config, socket } = options.second;
  const other = face.name === 'bird6' ? DAEMONS['bird']! : DAEMONS['bird6']!;
  return [first, { options: { ...options, config, socket }, face: other }];
}

async function runInstance(
  { options, face }: Instance,
  { signals, started, upgrader, inherited, flushes }: Shared,
  terminal: Terminal,
): Promise<ExitCode> {
  const load = await loaderOf(options, face, terminal);
  const log = openBirdLog(face.name, options.debug, terminal.now);
  const [speaker, { startBirdControl }, { LogTap }, { refuseForeign }, { dieLoudly }] = await Promise.all([
    import('../../speaker/main.ts'),
    import('../../control/bird/server.ts'),
    import('../../control/bird/log-tap.ts'),
    import('../../control/unix-socket.ts'),
    import('../local.ts'),
  ]);
  const { systemSupervisor } = await import('../supervisor.ts');
  // Of two in one process neither speaks for the other.
  const supervisor = options.second === undefined ? systemSupervisor(terminal.env) : undefined;
  const logTap = new LogTap();
  return runDaemon(
    options.config,
    {
      loadConfig: load,
      createLog: (config) => {
        log.useConfig(config);
        dieLoudly(log);
        flushes.push(() => log.flush());
        return { ...log, logger: logTap.over(log.logger) };
      },
      describeIssues: (issues) => describeErrors(face.name, issues),
      claimSocket: refuseForeign,
      createSpeaker: (wanted) => {
        const trace = (line: string) => log.write('trace', line);
        return upgrader.createSpeaker(speaker.createSpeaker, { ...wanted, trace }, inherited);
      },
      startBird: ({ socket, ...rest }) => startBirdControl({ ...socket, access: socket, ...rest, logTap }),
      startControl: async (wanted) => {
        const { startControlServer } = await import('../../control/grpc/server.ts');
        return startControlServer(wanted);
      },
      startTcp: async (wanted) => {
        const { startTcpControl } = await import('../../control/grpc/tcp-server.ts');
        return startTcpControl(wanted);
      },
      startHttp: async (wanted) => {
        const { startHttpServer } = await import('../../control/http/server.ts');
        return startHttpServer({ ...wanted, wallTime: terminal.now });
      },
      ...(supervisor !== undefined && { supervisor }),
      goesOn: inherited !== undefined,
      signals,
      exit: exitNow,
      journal: journalOf(log, started),
      // Who starts it looks at stderr, wherever the log goes.
      ...(!options.debug && { complain: (message) => terminal.warn(`${face.name}: ${message}`) }),
      dump: createDump(options, log),
    },
    terminal,
  );
}

/** The configuration as this face changes it: sockets are named on the command line. */
async function loaderOf(options: BirdOptions, face: Face, terminal: Terminal): Promise<Loader> {
  const language = { language: 'bird', env: terminal.env, host: readHostFacts } as const;
  const load = await openConfig(options.config, {
    ...language,
    ...(face.name === 'bird6' && { dialect: '1.6', family: 'ipv6' }),
    ...(options.second !== undefined && face.name === 'bird' && { dialect: '1.6', family: 'ipv4' }),
  });
  return (other) => {
    const result = load(other);
    return result.ok ? { ...result, config: withSockets(result.config, options, face) } : result;
  };
}

function withSockets(config: Config, options: BirdOptions, face: Face): Config {
  const main: BirdSocketConfig = {
    socket: options.socket,
    mode: SOCKET_MODE,
    style: 'auto',
    restricted: false,
  };
  // Beside BIRD's, so that two daemons have one each.
  const socket = join(dirname(options.socket), `godwit-${face.name}.sock`);
  const restart = { ...config.router.restart, recover: options.recover ? 'always' : 'never' } as const;
  return {
    ...config,
    router: { ...config.router, restart },
    control: { socket, mode: SOCKET_MODE, bird: [main, ...config.control.bird] },
  };
}

/** The moments of its life in BIRD's words. */
function journalOf(log: BirdLog, started: () => void): Journal {
  return {
    started: () => {
      log.write('info', 'Started');
      started();
    },
    reloading: () => {
      log.write('info', 'Reconfiguration requested by SIGHUP');
      log.write('info', 'Reconfiguring');
    },
    reloaded: () => log.write('info', 'Reconfigured'),
    refused: (message) => {
      for (const line of message.split('\n')) log.write('error', line);
    },
    stopping: () => log.write('info', 'Shutting down'),
    stopped: () => log.write('fatal', 'Shutdown completed'),
  };
}
