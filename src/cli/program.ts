// The command line as commander knows it, built from the command table: names, arguments and help have one source.

import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { ArgumentSpec } from '../control/arguments.ts';
import { COMMANDS } from '../control/commands.ts';
import { SOCKET_VARIABLE } from '../control/protocol.ts';
import { ACTIONS, type Action } from './actions.ts';
import { SHELLS } from './completion.ts';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts';
import { DEFAULT_CONFIG, type RunOptions } from './local.ts';
import { addSimulate } from './simulate.ts';
import { addTarget, type Target, targetLast, targetOf } from './target.ts';
import type { Terminal } from './terminal.ts';

export interface RemoteOptions {
  readonly target: Target;
  readonly json: boolean;
  readonly all: boolean;
  /** Values of the action's own options. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** What the tree calls when a command was chosen. */
export interface Handlers {
  remote(action: Action, request: Record<string, unknown>, options: RemoteOptions): Promise<ExitCode>;
  run(file: string, options: RunOptions): Promise<ExitCode>;
  check(file: string, json: boolean): Promise<ExitCode>;
  test(file: string, json: boolean): Promise<ExitCode>;
  completion(shell: string, program: Program): Promise<ExitCode>;
  /** For completion scripts: names, one a line; nothing when the daemon is not there. */
  peerNames(target: Target): Promise<ExitCode>;
}

export interface Program {
  readonly root: Command;
  /** Arguments and options whose values the daemon knows. */
  readonly dynamic: ReadonlySet<Argument | Option>;
  /** Parses and runs; returns the exit code. Never ends the process. */
  run(argv: readonly string[]): Promise<ExitCode>;
}

const MAX_UINT32 = 0xffff_ffff;

const FACES_HELP = `By a link of that name, or as the first word, it is BIRD's daemon or client:
  bird, bird6, birdc, birdcl, birdc6, birdcl6`;

/** Builds the tree. `argv` of run() are the words after the program's name. */
export function createProgram(terminal: Terminal, version: string, handlers: Handlers): Program {
  const root = new Command('godwit');
  const dynamic = new Set<Argument | Option>();
  let result: ExitCode = EXIT.ok;
  const finish = async (work: Promise<ExitCode>) => {
    result = await work;
  };
  const program: Program = {
    root,
    dynamic,
    async run(argv) {
      try {
        await root.parseAsync(targetLast(argv), { from: 'user' });
        return result;
      } catch (error) {
        // Commander has said what is wrong; help and version are no mistakes.
        if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
        throw error;
      }
    },
  };
  root
    .description('A BGP-4 speaker and route reflector.')
    .version(version, '-V, --version')
    .addHelpText(
      'after',
      `\n${EXIT_HELP}\n\n${FACES_HELP}\n\nNO_COLOR switches colours off; ${SOCKET_VARIABLE} names the socket.`,
    )
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: (text) => void terminal.write(text).catch(() => {}),
      writeErr: (text) => terminal.warn(text.trimEnd()),
      getOutHasColors: () => terminal.color,
      getErrHasColors: () => terminal.color,
      ...(terminal.columns !== undefined && { getOutHelpWidth: () => terminal.columns ?? 0 }),
    })
    .exitOverride();
  addRun(root, handlers, finish, terminal);
  addSimulate(root, finish, terminal);
  for (const [key, command] of Object.entries(COMMANDS)) {
    const action = ACTIONS[key as keyof typeof COMMANDS];
    const leaf = addCommand(root, command.name, command.help);
    addArguments(leaf, command.args, dynamic);
    if (command === COMMANDS.showRoutes)
      leaf.option('--all', 'all attributes of each path, and why it is or is not best');
    for (const [flags, help] of action.options ?? []) leaf.option(flags, help);
    addRemoteOptions(leaf, terminal);
    leaf.action((...words: unknown[]) => {
      const options = leaf.opts<Record<string, unknown>>();
      const request = requestOf(command.args, leaf, words, options);
      const { json, all } = options;
      return finish(
        handlers.remote(action, request, {
          target: targetOf(leaf),
          json: json === true,
          all: all === true,
          extras: options,
        }),
      );
    });
  }
  addCompletion(root, terminal, handlers, program, finish);
  return program;
}

type Finish = (work: Promise<ExitCode>) => Promise<void>;

interface CheckOptions {
  json?: boolean;
  impact?: boolean;
}

function addRun(root: Command, handlers: Handlers, finish: Finish, terminal: Terminal): void {
  root
    .command('run')
    .description("run the daemon in the foreground; FILE is YAML or BIRD's language")
    .argument('[FILE]', `configuration (default: "${DEFAULT_CONFIG}")`)
    .option('-c, --config <FILE>', 'the same')
    .option('-u, --user <USER>', 'become this user, with the capabilities of a router only')
    .option('-g, --group <GROUP>', 'become this group; that of the user unless given')
    .action(
      (file: string | undefined, { config, ...options }: RunOptions & { config?: string }, run: Command) => {
        if (file !== undefined && config !== undefined) run.error('error: FILE and --config say the same');
        return finish(handlers.run(file ?? config ?? DEFAULT_CONFIG, options));
      },
    );
  root
    .command('test')
    .description('run the tests that a configuration has for its filters')
    .argument('[FILE]', 'configuration', DEFAULT_CONFIG)
    .option('--json', 'one JSON document')
    .action((file: string, options: { json?: boolean }) =>
      finish(handlers.test(file, options.json === true)),
    );
  const check = root
    .command('check')
    .description('check a configuration and show everything that is wrong with it')
    .argument('[FILE]', 'configuration', DEFAULT_CONFIG)
    .option('--json', 'one JSON document')
    .option('--impact', 'ask the daemon which routes would change');
  addTarget(check, terminal.env);
  check.action((file: string, { json = false, impact = false }: CheckOptions) =>
    finish(
      impact
        ? handlers.remote(ACTIONS.impact, { file }, { target: targetOf(check), json, all: false, extras: {} })
        : handlers.check(file, json),
    ),
  );
}

function addCompletion(
  root: Command,
  terminal: Terminal,
  handlers: Handlers,
  program: Program,
  finish: Finish,
): void {
  root
    .command('completion')
    .description('print the completion script of a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(SHELLS))
    .action((shell: string) => finish(handlers.completion(shell, program)));
  const names = root.command('__peers', { hidden: true });
  addTarget(names, terminal.env);
  names.action(() => finish(handlers.peerNames(targetOf(names))));
}

/** The subcommand of that name; its words are nested. */
function addCommand(root: Command, name: string, help: string): Command {
  const words = name.split(' ');
  const last = words.pop() ?? name;
  let parent = root;
  for (const word of words) {
    parent =
      parent.commands.find((each) => each.name() === word) ??
      parent.command(word).description(PARENT_HELP[word] ?? '');
  }
  const command = parent.command(last).description(help);
  // As birdc and vtysh have it: show route.
  return words[0] === 'show' && last.endsWith('s') ? command.alias(last.slice(0, -1)) : command;
}

const PARENT_HELP: Readonly<Record<string, string>> = {
  show: 'show one of the tables',
  watch: 'show changes as they happen',
  clear: 'forget what was counted',
  network: 'originate prefixes',
};

function addRemoteOptions(command: Command, terminal: Terminal): void {
  command.option('--json', 'JSON: one document, or one a line for lists and watches');
  addTarget(command, terminal.env);
}

function addArguments(
  command: Command,
  specs: readonly ArgumentSpec[],
  dynamic: Set<Argument | Option>,
): void {
  for (const spec of specs) {
    if (spec.flag === undefined) {
      const argument = new Argument(spec.required ? `<${spec.value}>` : `[${spec.value}]`, spec.help);
      if (spec.choices !== undefined) argument.choices(spec.choices);
      if (spec.complete !== undefined) dynamic.add(argument);
      command.addArgument(argument);
      continue;
    }
    const option = new Option(
      spec.value === undefined ? spec.flag : `${spec.flag} <${spec.value}>`,
      spec.help,
    );
    if (spec.choices !== undefined) option.choices(spec.choices);
    if (spec.short !== undefined) option.argParser(choose(spec.choices ?? [], spec.short));
    if (spec.type === 'number') option.argParser(parseNumber);
    if (spec.type === 'list') option.argParser(collect);
    if (spec.complete !== undefined) dynamic.add(option);
    command.addOption(option);
  }
}

function choose(choices: readonly string[], short: Readonly<Record<string, string>>) {
  return (text: string): string => {
    const chosen = Object.hasOwn(short, text) ? short[text]! : text;
    if (choices.includes(chosen)) return chosen;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  };
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > MAX_UINT32) {
    throw new InvalidArgumentError(`It must be a number between 0 and ${MAX_UINT32}.`);
  }
  return value;
}

function collect(text: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), text];
}

/** Fills the fields of a request from what commander parsed. */
function requestOf(
  specs: readonly ArgumentSpec[],
  command: Command,
  words: readonly unknown[],
  options: Record<string, unknown>,
): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  let position = 0;
  for (const spec of specs) {
    const option = command.options.find((each) => each.long === spec.flag);
    const value = option === undefined ? words[position++] : options[option.attributeName()];
    if (value !== undefined) request[spec.field] = value;
  }
  return request;
}
