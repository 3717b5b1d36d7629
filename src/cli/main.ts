// Where a `godwit` process begins. The version is printed before anything else is loaded; the rest is imported by
// the command that needs it.

import { exitNow } from '../lib/exit-now.ts';
import { packageVersion } from '../lib/package-info.ts';
import { CLIENTS, DAEMONS, faceOf } from './bird/faces.ts';
import { EXIT, type ExitCode, ExitError } from './exit-codes.ts';
import type { Handlers } from './program.ts';
import { OutputClosedError, processTerminal, type Terminal } from './terminal.ts';
import { REHEARSAL } from './upgrade/words.ts';

/** Runs the words after the program's name; returns the exit code. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const version = packageVersion();
  try {
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
      await terminal.write(`${version}\n`);
      return EXIT.ok;
    }
    const { createProgram } = await import('./program.ts');
    return await createProgram(terminal, version, handlersFor(terminal)).run(argv);
  } catch (error) {
    return report(error, terminal);
  }
}

function handlersFor(terminal: Terminal): Handlers {
  return {
    async remote(action, request, { target, json, all, extras }) {
      if ((await action.offline?.(terminal, request, json, extras)) === true) return EXIT.ok;
      const { connectControl } = await import('../control/grpc/client.ts');
      const client = await connectControl(target);
      try {
        await action.run({ terminal, client, json, all, extras }, request);
        return EXIT.ok;
      } finally {
        client.close();
      }
    },
    async run(file, options) {
      return (await import('./local.ts')).run(file, options, terminal);
    },
    async check(file, json) {
      return (await import('./local.ts')).check(file, json, terminal);
    },
    async test(file, json) {
      return (await import('./test-filters.ts')).testFilters(file, json, terminal);
    },
    async completion(shell, { root, dynamic }) {
      const { SHELLS, completionScript } = await import('./completion.ts');
      const known = SHELLS.find((each) => each === shell);
      if (known === undefined) throw new ExitError(EXIT.usage, `There is no completion for ${shell}.`);
      await terminal.write(completionScript(known, root, dynamic));
      return EXIT.ok;
    },
    async peerNames(target) {
      const [{ connectControl }, { COMMANDS }] = await Promise.all([
        import('../control/grpc/client.ts'),
        import('../control/commands.ts'),
      ]);
      const client = await connectControl(target);
      try {
        const { peers } = await client.unary(COMMANDS.showPeers, {});
        for (const peer of peers) await terminal.write(`${peer.name}\n`);
        return EXIT.ok;
      } finally {
        client.close();
      }
    },
  };
}

/** One sentence on stderr for what people can mend; faults of our own keep their stack. */
function report(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof OutputClosedError) return EXIT.ok;
  if (!(error instanceof Error)) throw error;
  if (error instanceof ExitError) {
    terminal.warn(`godwit: ${error.message}`);
    return error.code;
  }
  if (error.name === 'UnreachableError') {
    terminal.warn(`godwit: ${error.message}`);
    return EXIT.unreachable;
  }
  if (error.name === 'CommandError') {
    terminal.warn(`godwit: ${error.message}`);
    return EXIT.failed;
  }
  terminal.warn(`godwit: unexpected: ${error.stack ?? error.message}`);
  return EXIT.failed;
}

/** For what is being written when a command has ended. */
const LAST_MOMENT_MS = 200;
/** What waits for a disk or a name server, as Node.js calls it. */
const POOLED = /^(FS|GetAddrInfo|GetNameInfo)Req/;

/** The process: its name and arguments, its terminal, its exit code. */
export async function start(): Promise<void> {
  process.exitCode = await runProcess();
  // Sessions that end without a word, and whatever else is open still, end with the process.
  setTimeout(endProcess, LAST_MOMENT_MS).unref();
}

function endProcess(): void {
  const waits = process.getActiveResourcesInfo().some((name) => POOLED.test(name));
  if (waits) exitNow(Number(process.exitCode));
  process.exit();
}

async function runProcess(): Promise<number> {
  const { stdout, stderr, env } = process;
  const once = (signal: NodeJS.Signals, listener: () => void) => process.once(signal, listener);
  const terminal = processTerminal({ stdout, stderr, env, once });
  const [, program = '', ...argv] = process.argv;
  if (argv[0] === REHEARSAL) return (await import('./upgrade/rehearsal.ts')).rehearse(terminal);
  const face = faceOf(program, argv);
  return face === undefined ? main(argv, terminal) : runFace(face, terminal);
}

/** BIRD's daemon or client, by the name it is called. */
async function runFace(
  { name, argv }: { name: string; argv: readonly string[] },
  terminal: Terminal,
): Promise<number> {
  const daemon = DAEMONS[name];
  try {
    if (daemon !== undefined) return await (await import('./bird/daemon.ts')).bird(argv, daemon, terminal);
    return await (await import('./bird/client.ts')).birdClient(argv, CLIENTS[name]!, terminal);
  } catch (error) {
    return report(error, terminal);
  }
}
