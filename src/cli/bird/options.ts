// The command line of `bird` and `bird6`, as getopt reads it: flags may stand together, values may follow at once, and
// there are no words beside them. Complaints are BIRD's.

export interface BirdOptions {
  readonly config: string;
  readonly socket: string;
  /** -p: check and exit. */
  readonly check: boolean;
  /** -d: in the foreground, with messages on stderr. */
  readonly debug: boolean;
  /** -D: where debug messages and dumps go. */
  readonly debugFile: string | undefined;
  readonly foreground: boolean;
  readonly pidFile: string | undefined;
  /** -R: routes of before a crash are still in use. */
  readonly recover: boolean;
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** Beyond BIRD: a second configuration and its socket, of the other family. */
  readonly second: { readonly config: string; readonly socket: string } | undefined;
}

export type Command =
  | { readonly do: 'run'; readonly options: BirdOptions }
  | { readonly do: 'version' | 'help' }
  /** `complaint` is undefined where the usage says enough. */
  | { readonly do: 'usage'; readonly complaint: string | undefined };

/** What the name that the program is called by decides. */
export interface Face {
  readonly name: 'bird' | 'bird6';
  /** Default paths. */
  readonly config: string;
  readonly socket: string;
}

export const USAGE = 'Usage: bird [--version] [--help] [-c <config-file>] [OPTIONS]';

const FLAGS = 'dfhlpR';
const VALUES = 'cDgPsu';
/** `--with FILE,SOCKET` and its like: long options of ours, which getopt would refuse. */
const SECOND = '--with';

/** Reads the words after the program's name. */
export function parseBirdArguments(argv: readonly string[], face: Face): Command {
  if (argv[0] === '--version') return { do: 'version' };
  if (argv[0] === '--help') return { do: 'help' };
  let second: BirdOptions['second'];
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === SECOND) {
      const [file, path, ...more] = (argv[++at] ?? '').split(',');
      if (!file || !path || more.length > 0) {
        return { do: 'usage', complaint: `option '${SECOND}' requires FILE,SOCKET` };
      }
      second = { config: file, socket: path };
      continue;
    }
    if (!word.startsWith('-') || word === '-') return { do: 'usage', complaint: undefined };
    for (let i = 1; i < word.length; i++) {
      const letter = word[i]!;
      if (FLAGS.includes(letter)) {
        flags.add(letter);
        continue;
      }
      if (!VALUES.includes(letter)) return { do: 'usage', complaint: `invalid option -- '${letter}'` };
      const value = i + 1 < word.length ? word.slice(i + 1) : argv[++at];
      if (value === undefined)
        return { do: 'usage', complaint: `option requires an argument -- '${letter}'` };
      values.set(letter, value);
      break;
    }
  }
  if (flags.has('h')) return { do: 'help' };
  const local = flags.has('l');
  return {
    do: 'run',
    options: {
      config: values.get('c') ?? (local ? baseName(face.config) : face.config),
      socket: values.get('s') ?? (local ? baseName(face.socket) : face.socket),
      check: flags.has('p'),
      debug: flags.has('d'),
      debugFile: values.get('D'),
      // -d keeps it in the foreground, too; a file to write to alone does not.
      foreground: flags.has('f') || flags.has('d'),
      pidFile: values.get('P'),
      recover: flags.has('R'),
      user: values.get('u'),
      group: values.get('g'),
      second,
    },
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What `--help` shows. */
export function helpText({ name, config, socket }: Face): string {
  return `Usage: ${name} [--version] [--help] [-c <config-file>] [OPTIONS]

Options:
  -c <config-file>     Use given configuration file instead of
                       ${config}
  -d                   Log to stderr and run in the foreground
  -D <debug-file>      Log debug messages to given file instead of stderr
  -f                   Run in the foreground
  -g <group>           Use given group ID
  -h, --help           Display this information
  -l                   Look for a configuration file and a control socket
                       in the current working directory
  -p                   Test configuration file and exit without start
  -P <pid-file>        Create a PID file with given filename
  -R                   Apply graceful restart recovery after start
  -s <control-socket>  Use given filename for a control socket instead of
                       ${socket}
  -u <user>            Drop privileges and use given user ID
  --version            Display version
  --with <file>,<socket>
                       Serve a second configuration file of BIRD 1.6, of the
                       other family, with its own control socket
`;
}
