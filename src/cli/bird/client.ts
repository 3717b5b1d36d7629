// `birdc` and `birdcl`: clients of BIRD's control socket, for godwit's and BIRD's daemons alike. With words they run one
// command; without they read lines: from a pipe plainly, on a terminal with editing, history, TAB, `?` and a pager.

import { createInterface } from 'node:readline';
import { BirdClient, BirdClientError, type ReplyLine } from '../../control/bird/client.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { type ClientCommand, describeCommand, expand, offered } from './client-commands.ts';
import { type ClientFace, defaultSocket } from './faces.ts';
import { Pager } from './pager.ts';

const PROMPT = 'bird> ';
/** Codes from here on are refusals. */
const FIRST_ERROR = 8000;
const NO_SUCH = "No such command. Press `?' for help.";
const CONTINUATION = '    ';

interface ClientOptions {
  readonly socket: string;
  readonly verbose: boolean;
  readonly restricted: boolean;
  readonly words: readonly string[];
}

/** Runs the words after the program's name. */
export async function birdClient(
  argv: readonly string[],
  face: ClientFace,
  terminal: Terminal,
): Promise<ExitCode> {
  const options = parseClientArguments(argv, face);
  if (typeof options === 'string') {
    terminal.warn(`${face.name}: ${options}`);
    terminal.warn(`Usage: ${face.name} [-s <control-socket>] [-v] [-r] [-l]`);
    return EXIT.failed;
  }
  let client: BirdClient;
  try {
    client = await BirdClient.connect(options.socket);
  } catch (error) {
    if (!(error instanceof BirdClientError)) throw error;
    terminal.warn(error.message);
    return EXIT.failed;
  }
  const session = new ClientSession(client, options, terminal);
  try {
    await session.greet();
    if (options.words.length > 0) return await session.once(options.words.join(' '));
    if (face.interactive && process.stdin.isTTY && terminal.columns !== undefined) {
      return await session.interactive();
    }
    return await session.lines();
  } catch (error) {
    if (!(error instanceof BirdClientError)) throw error;
    terminal.warn(error.message);
    return EXIT.failed;
  } finally {
    client.close();
  }
}

/** The options, or what is wrong with them. Words begin where flags end. */
export function parseClientArguments(argv: readonly string[], face: ClientFace): ClientOptions | string {
  let socket: string | undefined;
  const flags = new Set<string>();
  let at = 0;
  for (; at < argv.length && argv[at]!.startsWith('-') && argv[at] !== '-'; at++) {
    const word = argv[at]!;
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      if ('vrl'.includes(letter)) {
        flags.add(letter);
        continue;
      }
      if (letter !== 's') return `invalid option -- '${letter}'`;
      const value = i + 1 < word.length ? word.slice(i + 1) : argv[++at];
      if (value === undefined) return `option requires an argument -- '${letter}'`;
      socket = value;
      break;
    }
  }
  const usual = defaultSocket(face);
  const local = flags.has('l') ? usual.slice(usual.lastIndexOf('/') + 1) : usual;
  return {
    socket: socket ?? local,
    verbose: flags.has('v'),
    restricted: flags.has('r'),
    words: argv.slice(at),
  };
}

class ClientSession {
  readonly #client: BirdClient;
  readonly #options: ClientOptions;
  #write: (text: string) => Promise<void>;

  constructor(client: BirdClient, options: ClientOptions, terminal: Terminal) {
    this.#client = client;
    this.#options = options;
    this.#write = (text) => terminal.write(text);
    client.onMessage = (text) => void terminal.write(`>>> ${text}\n`).catch(() => {});
  }

  async greet(): Promise<void> {
    await this.#show(this.#client.greeting);
    if (this.#options.restricted) await this.#client.run('restrict', (line) => this.#show(line));
  }

  async once(input: string): Promise<ExitCode> {
    const code = await this.#command(input);
    // 1.6's client did not tell.
    const silent = /^BIRD v?1\./.test(this.#client.greeting.text);
    return code >= FIRST_ERROR && !silent ? EXIT.failed : EXIT.ok;
  }

  /** Commands from a pipe. */
  async lines(): Promise<ExitCode> {
    await this.#write(PROMPT);
    for await (const line of createInterface({ input: process.stdin, terminal: false })) {
      await this.#write(`${line}\n`);
      if (isFarewell(line)) return EXIT.ok;
      await this.#typed(line);
      await this.#write(PROMPT);
    }
    await this.#write('\n');
    return EXIT.ok;
  }

  /** Lines from a person. The editor is there only while one is typed: the pager has the keys otherwise. */
  async interactive(): Promise<ExitCode> {
    const pager = new Pager(process.stdin, process.stdout);
    this.#write = (text) => pager.write(text);
    let history: string[] = [];
    for (;;) {
      const typed = await this.#readLine(history);
      if (typed === undefined || isFarewell(typed.line)) return EXIT.ok;
      history = typed.history;
      pager.begin();
      await this.#typed(typed.line);
    }
  }

  /** One line with editing, TAB and `?`; undefined where the input has ended. */
  #readLine(history: readonly string[]): Promise<{ line: string; history: string[] } | undefined> {
    const { stdin, stdout } = process;
    const reader = createInterface({
      input: stdin,
      output: stdout,
      prompt: PROMPT,
      history: [...history],
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        this.#complete(line).then(
          (result) => done(null, result),
          () => done(null, [[], line]),
        );
      },
    });
    this.#client.onMessage = (text) => {
      stdout.write(`\r\u001b[K>>> ${text}\n`);
      reader.prompt(true);
    };
    // `?` is a question about what is typed so far, not part of it.
    const onKey = (_text: unknown, { sequence }: { sequence?: string }): void => {
      if (sequence !== '?' || quoteOpen(reader.line)) return;
      const line = reader.line.replace('?', '');
      stdout.write(`\n${helpOn(line).join('\n')}\n`);
      Object.assign(reader, { line, cursor: line.length });
      reader.prompt(true);
    };
    stdin.on('keypress', onKey);
    return new Promise((resolve) => {
      let entered: { line: string; history: string[] } | undefined;
      let known = [...history];
      reader.on('history', (lines: string[]) => {
        known = [...lines];
      });
      reader.once('line', (line) => {
        entered = { line, history: known };
        reader.close();
      });
      reader.on('SIGINT', () => {
        stdout.write('\n');
        Object.assign(reader, { line: '', cursor: 0 });
        reader.prompt();
      });
      reader.once('close', () => {
        stdin.removeListener('keypress', onKey);
        if (entered === undefined) stdout.write('\n');
        resolve(entered);
      });
      reader.prompt();
    });
  }

  async #typed(line: string): Promise<void> {
    const input = line.trim();
    if (input === '') return;
    if (input.endsWith('?') || input === 'help') {
      const lines = helpOn(input === 'help' ? '' : input.slice(0, -1));
      await this.#write(`${lines.join('\n')}\n`);
      return;
    }
    await this.#command(input);
  }

  /** Runs what somebody typed; returns the reply's code. */
  async #command(input: string): Promise<number> {
    const found = expand(input);
    switch (found.kind) {
      case 'command':
        return this.#client.run(found.line, (line) => this.#show(line));
      case 'ambiguous': {
        const candidates = found.candidates.map(describeCommand).join('\n');
        await this.#write(`Ambiguous command, possible expansions are:\n${candidates}\n`);
        return FIRST_ERROR;
      }
      case 'unknown':
        await this.#write(`${NO_SUCH}\n`);
        return FIRST_ERROR;
    }
  }

  async #show({ code, text, raw, last }: ReplyLine): Promise<void> {
    if (last && code === 0) return;
    if (!this.#options.verbose) await this.#write(`${text}\n`);
    else await this.#write(code === undefined ? `${CONTINUATION}${raw}\n` : `${raw}\n`);
  }

  /** Words that fit, and what of the line they take the place of. */
  async #complete(line: string): Promise<[string[], string]> {
    const begun = /\S*$/.exec(line)?.[0] ?? '';
    const commands = offered(line);
    const words = commands.map((each) => `${each.words.split(' ').at(-1)} `);
    const found = expand(line.slice(0, line.length - begun.length));
    const names = found.kind === 'command' ? await this.#namesFor(found.command) : [];
    const fitting = names.filter((name) => name.startsWith(begun)).map((name) => `${name} `);
    return [[...new Set([...words, ...fitting])], begun];
  }

  /** Names that the daemon knows. */
  async #namesFor({ names }: ClientCommand): Promise<string[]> {
    if (names === undefined) return [];
    const found: string[] = [];
    await this.#client.run(`show ${names}`, ({ code, text }) => {
      const heading = code !== undefined && HEADINGS.includes(code);
      const [name] = text.split(/\s/);
      if (!heading && name) found.push(name);
    });
    return found;
  }
}

/** 2002: the heading of a list. */
const HEADINGS: readonly number[] = [2002];

function helpOn(typed: string): string[] {
  const commands = offered(typed === '' || /\s$/.test(typed) ? typed : `${typed}`);
  return commands.length === 0 ? [NO_SUCH] : commands.map(describeCommand);
}

function isFarewell(line: string): boolean {
  return /^\s*(exit|quit)\s*$/.test(line);
}

function quoteOpen(line: string): boolean {
  return line.split('"').length % 2 === 0;
}
