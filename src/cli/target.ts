// Which daemon a command goes to: the options that name it, and what they amount to.

import { type Command, Option } from 'commander';
import { DEFAULT_SOCKET } from '../config/model/control.ts';
import type { TcpTarget } from '../control/grpc/tcp-target.ts';
import { SERVER_VARIABLE, SOCKET_VARIABLE } from '../control/protocol.ts';
import { EXIT, ExitError } from './exit-codes.ts';

/** A path of a unix socket, or a TCP port. */
export type Target = string | TcpTarget;

type Environment = Readonly<Record<string, string | undefined>>;

const TLS_OPTIONS = [
  ['--tls-ca <FILE>', 'whose certificates are believed (PEM)'],
  ['--tls-cert <FILE>', 'own certificate (PEM)'],
  ['--tls-key <FILE>', 'private key of the own certificate (PEM)'],
] as const;

/** Gives a command the options that say where the daemon is. */
export function addTarget(command: Command, env: Environment): void {
  const socket = new Option('-s, --socket <PATH>', `the daemon's control socket (${SOCKET_VARIABLE})`);
  command.addOption(socket.default(env[SOCKET_VARIABLE] || DEFAULT_SOCKET));
  const server = new Option(
    '--server <HOST:PORT>',
    `the daemon over TCP, in the place of a socket (${SERVER_VARIABLE})`,
  );
  command.addOption(env[SERVER_VARIABLE] ? server.default(env[SERVER_VARIABLE]) : server);
  for (const [flags, help] of TLS_OPTIONS) command.addOption(new Option(flags, help));
}

const TARGET_OPTION = /^(-s|--socket|--server|--tls-(ca|cert|key))(=|$)/;

/** `godwit -s PATH status`, as birdc takes it: what says where the daemon is may stand before the command, too. */
export function targetLast(argv: readonly string[]): string[] {
  let words = 0;
  for (let word = argv[0]; word !== undefined && TARGET_OPTION.test(word); word = argv[words]) {
    words += word.includes('=') ? 1 : 2;
  }
  return [...argv.slice(words), ...argv.slice(0, words)];
}

/** What was chosen. Throws ExitError where the options contradict themselves. */
export function targetOf(command: Command): Target {
  const { socket, server, tlsCa: ca, tlsCert: cert, tlsKey: key } = command.opts<Record<string, unknown>>();
  const files = [ca, cert, key].filter((file) => file !== undefined);
  const typed = (name: string) => command.getOptionValueSource(name) === 'cli';
  // What is typed goes before what is in the environment.
  if (typeof server !== 'string' || (typed('socket') && !typed('server'))) {
    if (files.length > 0) throw new ExitError(EXIT.usage, 'TLS is for --server; a socket has no need of it.');
    return String(socket);
  }
  if (files.length === 0) return { server, tls: undefined };
  if (typeof ca !== 'string' || typeof cert !== 'string' || typeof key !== 'string') {
    throw new ExitError(EXIT.usage, 'TLS needs all three: --tls-ca, --tls-cert and --tls-key.');
  }
  return { server, tls: { ca, cert, key } };
}
