// The commands that birdc knows: what may be abbreviated, what TAB and `?` offer. The daemon wants whole words, so what
// a person types is made whole here; everything behind a command's words goes out as it is.

export interface ClientCommand {
  readonly words: string;
  readonly usage: string;
  readonly help: string;
  /** What may stand behind the words: names of protocols, of symbols, of tables, of filters. */
  readonly names?: 'protocols' | 'symbols';
}

const row = (words: string, usage: string, help: string, names?: ClientCommand['names']): ClientCommand => {
  return names === undefined ? { words, usage, help } : { words, usage, help, names };
};

const PROTOCOLS = '(<protocol> | "<pattern>" | all)';

export const CLIENT_COMMANDS: readonly ClientCommand[] = [
  row('help', '', 'What can be typed here'),
  row('quit', '', 'Leave'),
  row('exit', '', 'Leave'),
  row('show status', '', 'The daemon: version, router id, times'),
  row('show memory', '', 'What uses how much memory'),
  row('show protocols', '[<protocol> | "<pattern>"]', 'Protocols and their states', 'protocols'),
  row(
    'show protocols all',
    '[<protocol> | "<pattern>"]',
    'Protocols with everything known of them',
    'protocols',
  ),
  row('show interfaces', '', 'Network interfaces'),
  row('show interfaces summary', '', 'Network interfaces, one a line'),
  row(
    'show route',
    '[<prefix>] [for <address>] [in <prefix>] [table <t>] [filter <f>] [where <cond>] [all] [primary] [filtered] [export|preexport|noexport <p>] [protocol <p>] [stats|count]',
    'Routes',
    'symbols',
  ),
  row(
    'show symbols',
    '[table|filter|function|protocol|template|<symbol>]',
    'Names of the configuration',
    'symbols',
  ),
  row(
    'show roa',
    '[<prefix>] [in <prefix>] [for <prefix>] [as <number>] [table <t>]',
    'Route origin authorisations',
  ),
  row('show bfd', '...', 'BFD'),
  row('show bfd sessions', '[<protocol>] [...]', 'BFD sessions', 'protocols'),
  row('show static', '[<protocol>]', 'Static routes', 'protocols'),
  row('show threads', '', 'Threads of the daemon'),
  row('dump resources', '', 'Memory, into the debug log'),
  row('dump sockets', '', 'Sockets, into the debug log'),
  row('dump interfaces', '', 'Interfaces, into the debug log'),
  row('dump neighbors', '', 'Neighbours, into the debug log'),
  row('dump attributes', '', 'Attributes, into the debug log'),
  row('dump routes', '', 'Routes, into the debug log'),
  row('dump protocols', '', 'Protocols, into the debug log'),
  row('eval', '<expression>', 'The value of an expression', 'symbols'),
  row('echo', '(all | off | <classes>) [<size>]', 'Log messages here, too'),
  row('disable', `${PROTOCOLS} [message]`, 'Stop a protocol', 'protocols'),
  row('enable', `${PROTOCOLS} [message]`, 'Start a protocol', 'protocols'),
  row('restart', `${PROTOCOLS} [message]`, 'Stop and start a protocol', 'protocols'),
  row('reload', '<protocol> | "<pattern>" | all', 'Run filters again, both ways', 'protocols'),
  row('reload in', '<protocol> | "<pattern>" | all', 'Run import filters again', 'protocols'),
  row('reload out', '<protocol> | "<pattern>" | all', 'Run export filters again', 'protocols'),
  row(
    'debug',
    `${PROTOCOLS} (all | off | { states | routes | filters | events | packets })`,
    'Follow what protocols do',
    'protocols',
  ),
  row(
    'mrtdump',
    `${PROTOCOLS} (all | off | { states | messages })`,
    'Record messages in MRT files',
    'protocols',
  ),
  row('mrt dump', 'table <name>|"<pattern>" to "<file>"', 'A table into an MRT file'),
  row('restrict', '', 'Only commands that change nothing, from now on'),
  row('timeformat', '(iso short|long [ms|us] | "<format>" [limit "<format>"])', 'How times are shown here'),
  row('configure', '["<file>"] [timeout [<seconds>]]', 'Read the configuration and apply it'),
  row('configure soft', '["<file>"] [timeout [<seconds>]]', 'The same, without filters run again'),
  row('configure check', '["<file>"]', 'Read the configuration and say what is wrong'),
  row('configure timeout', '[<seconds>]', 'Apply it, and go back unless it is confirmed'),
  row('configure confirm', '', 'Keep what was applied with a timeout'),
  row('configure undo', '', 'Go back to the configuration before'),
  row('configure status', '', 'Whether a change waits for its confirmation'),
  row('graceful restart', '', 'Restart so that peers keep routes'),
  row('down', '', 'End the daemon'),
];

export type Expansion =
  /** With all words whole; `command` is undefined where the words are no command of the table. */
  | { readonly kind: 'command'; readonly line: string; readonly command: ClientCommand }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly ClientCommand[] }
  | { readonly kind: 'unknown' };

/** Makes abbreviated words whole, as far as they are a command's. */
export function expand(input: string, commands: readonly ClientCommand[] = CLIENT_COMMANDS): Expansion {
  const words = splitWords(input);
  let prefix: string[] = [];
  let candidates = commands;
  for (const word of words) {
    const at = prefix.length;
    const fitting = candidates.filter((each) => wordsOf(each)[at]?.startsWith(word));
    const exact = fitting.filter((each) => wordsOf(each)[at] === word);
    const chosen = exact.length > 0 ? exact : fitting;
    if (chosen.length === 0) break;
    const whole = new Set(chosen.map((each) => wordsOf(each)[at]!));
    if (whole.size > 1) return { kind: 'ambiguous', candidates: chosen };
    prefix = [...prefix, [...whole][0]!];
    candidates = chosen;
  }
  const command = candidates.find((each) => each.words === prefix.join(' '));
  if (prefix.length === 0 || command === undefined) return { kind: 'unknown' };
  const rest = restAfter(input, prefix.length);
  return { kind: 'command', line: rest === '' ? command.words : `${command.words} ${rest}`, command };
}

/** Commands that could follow what is typed; groups with more than one end in `...`. */
export function offered(
  input: string,
  commands: readonly ClientCommand[] = CLIENT_COMMANDS,
): readonly ClientCommand[] {
  const words = splitWords(input);
  const open = words.length > 0 && !/\s$/.test(input);
  const fixed = open ? words.slice(0, -1) : words;
  const begun = open ? words.at(-1)! : '';
  const base = wholeWords(fixed, commands);
  if (base === undefined) return [];
  const at = base.length;
  const fitting = commands.filter((each) => {
    const own = wordsOf(each);
    return own.length > at && own.slice(0, at).join(' ') === base.join(' ') && own[at]!.startsWith(begun);
  });
  const groups = new Map<string, ClientCommand>();
  for (const each of fitting) {
    const words = wordsOf(each)
      .slice(0, at + 1)
      .join(' ');
    const known = groups.get(words);
    if (each.words === words) groups.set(words, each);
    else if (known === undefined) groups.set(words, { words, usage: '...', help: each.help });
  }
  return [...groups.values()];
}

/** `words usage     help`, as `?` shows a command. */
export function describeCommand({ words, usage, help }: ClientCommand): string {
  return `${`${words} ${usage}`.trimEnd().padEnd(HELP_COLUMN - 1)} ${help}`;
}

const HELP_COLUMN = 47;

/** The whole words of abbreviated ones; undefined where they are none, or several. */
function wholeWords(words: readonly string[], commands: readonly ClientCommand[]): string[] | undefined {
  const whole: string[] = [];
  for (const word of words) {
    const at = whole.length;
    const fitting = commands.filter((each) => {
      const own = wordsOf(each);
      return own.slice(0, at).join(' ') === whole.join(' ') && own[at]?.startsWith(word);
    });
    const found = new Set(fitting.map((each) => wordsOf(each)[at]!));
    if (found.has(word)) whole.push(word);
    else if (found.size === 1) whole.push([...found][0]!);
    else return undefined;
  }
  return whole;
}

function wordsOf({ words }: ClientCommand): readonly string[] {
  return words.split(' ');
}

function splitWords(input: string): string[] {
  return input.split(/\s+/).filter((word) => word !== '');
}

/** What stands behind the first `count` words, as it was typed. */
function restAfter(input: string, count: number): string {
  return input.replace(new RegExp(`^\\s*(?:\\S+\\s*){${count}}`), '').trimEnd();
}
