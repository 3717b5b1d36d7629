// Completion scripts, generated from the commander tree, so that a command that exists is a command that completes.
// Everything is written into the script except names of peers, which it asks the daemon for.

import type { Argument, Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What completes a value. */
type Source = readonly string[] | 'peers' | 'files' | 'nothing';

interface Value {
  /** Flags of an option; empty for a positional argument. */
  readonly flags: readonly string[];
  readonly help: string;
  /** undefined = an option without value. */
  readonly source: Source | undefined;
}

interface Node {
  /** Words from the root, without the program's name: `show peers`. */
  readonly path: string;
  readonly children: readonly { word: string; help: string }[];
  readonly options: readonly Value[];
  readonly positionals: readonly Value[];
}

/** The script for a shell. `dynamic` are the values that the daemon knows. */
export function completionScript(
  shell: Shell,
  root: Command,
  dynamic: ReadonlySet<Argument | Option>,
): string {
  const nodes = describe(root, '', dynamic);
  if (shell === 'fish') return fishScript(nodes);
  const script = bashFunction(nodes);
  // zsh runs bash's completion functions as they are.
  return shell === 'bash'
    ? script
    : `#compdef godwit\nautoload -U +X bashcompinit && bashcompinit\n${script}`;
}

function describe(command: Command, path: string, dynamic: ReadonlySet<Argument | Option>): Node[] {
  const children = command.commands.filter((each) => !each.name().startsWith('__'));
  const node: Node = {
    path,
    children: children.map((each) => ({ word: each.name(), help: each.description() })),
    options: command.options.map((option) => ({
      flags: [option.short, option.long].filter((flag) => typeof flag === 'string'),
      help: option.description,
      source: option.required ? sourceOf(option, option.argChoices, dynamic) : undefined,
    })),
    positionals: command.registeredArguments.map((argument) => ({
      flags: [],
      help: argument.description,
      source: sourceOf(argument, argument.argChoices, dynamic),
    })),
  };
  const deeper = children.flatMap((each) => describe(each, `${path} ${each.name()}`.trim(), dynamic));
  return [node, ...deeper];
}

function sourceOf(
  value: Argument | Option,
  choices: readonly string[] | undefined,
  dynamic: ReadonlySet<Argument | Option>,
): Source {
  if (dynamic.has(value)) return 'peers';
  if (choices !== undefined) return choices;
  const text = 'flags' in value ? value.flags : value.name();
  return /FILE|PATH/.test(text) ? 'files' : 'nothing';
}

function bashFunction(nodes: readonly Node[]): string {
  const paths = nodes.filter((node) => node.path !== '').map((node) => `'${node.path}'`);
  const withValue = new Set(
    nodes.flatMap((node) =>
      node.options.flatMap((option) => (option.source === undefined ? [] : option.flags)),
    ),
  );
  const values = nodes.flatMap((node) =>
    node.options.flatMap(({ flags, source }) =>
      source === undefined
        ? []
        : [`    ${flags.map((flag) => `'${node.path} ${flag}'`).join('|')}) ${bashSource(source)} return ;;`],
    ),
  );
  // The deepest paths first: `show ...` would also match `show routes ...`.
  const words = nodes
    .toReversed()
    .flatMap((node) => [
      `    '${node.path} 0') words='${[...node.children.map((child) => child.word), ...flagsOf(node)].join(' ')}'` +
        `${bashPositional(node, 0)} ;;`,
      ...node.positionals
        .slice(1)
        .map(
          (_, i) =>
            `    '${node.path} ${i + 1}') words='${flagsOf(node).join(' ')}'${bashPositional(node, i + 1)} ;;`,
        ),
      `    '${node.path} '*) words='${flagsOf(node).join(' ')}' ;;`,
    ]);
  return `# Completion of godwit; load it with: source <(godwit completion bash)
_godwit_peers() {
  local socket='' i
  for ((i = 1; i + 1 < \${#COMP_WORDS[@]}; i++)); do
    case "\${COMP_WORDS[i]}" in -s|--socket) socket=\${COMP_WORDS[i + 1]} ;; esac
  done
  godwit __peers \${socket:+--socket "$socket"} 2>/dev/null
}
_godwit() {
  local typed=("\${COMP_WORDS[@]:0:COMP_CWORD+1}") cur prev path='' position=0 skip=0 words='' i word last
  if [[ -n \${BASH_VERSION-} ]]; then
    # bash splits words at colons, of which IPv6 addresses are full: split the line anew.
    local line=\${COMP_LINE:0:COMP_POINT}
    read -ra typed <<< "$line"
    if [[ $line == *[[:space:]] ]]; then typed+=(''); fi
  fi
  last=$((\${#typed[@]} - 1))
  cur=\${typed[last]} prev=\${typed[last - 1]}
  COMPREPLY=()
  _godwit_candidates
  if [[ \${COMP_WORDBREAKS-} == *:* && $cur == *:* ]]; then
    word=\${cur%"\${cur##*:}"}
    COMPREPLY=("\${COMPREPLY[@]#"$word"}")
  fi
}
_godwit_candidates() {
  for ((i = 1; i < last; i++)); do
    word=\${typed[i]}
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      ${[...withValue].join('|')}) skip=1; continue ;;
      -*) continue ;;
    esac
    case "\${path:+$path }$word" in
      ${paths.join('|')}) path="\${path:+$path }$word" ;;
      *) position=$((position + 1)) ;;
    esac
  done
  case "$path $prev" in
${values.join('\n')}
  esac
  case "$path $position" in
${words.join('\n')}
  esac
  COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}
complete -F _godwit godwit
`;
}

function flagsOf(node: Node): string[] {
  return [...node.options.flatMap((option) => option.flags), '--help'];
}

function bashSource(source: Source): string {
  if (source === 'peers') return 'COMPREPLY=($(compgen -W "$(_godwit_peers)" -- "$cur"));';
  if (source === 'files') return 'COMPREPLY=($(compgen -f -- "$cur"));';
  if (source === 'nothing') return '';
  return `COMPREPLY=($(compgen -W '${source.join(' ')}' -- "$cur"));`;
}

function bashPositional(node: Node, index: number): string {
  const source = node.positionals[index]?.source;
  if (source === undefined || source === 'nothing') return '';
  return `; ${bashSource(source)}`.replace(/;$/, '');
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const here = `-n '__godwit_at "${node.path}"'`;
    return [
      ...node.children.map(
        (child) => `complete -c godwit -f ${here} -a ${child.word} -d ${fishQuote(child.help)}`,
      ),
      ...node.options.map(
        (option) => `complete -c godwit ${here} ${fishFlags(option)} -d ${fishQuote(option.help)}`,
      ),
      ...node.positionals.flatMap((value) => {
        if (value.source === undefined || value.source === 'nothing') return [];
        return [`complete -c godwit ${here} ${fishSource(value.source, '')} -d ${fishQuote(value.help)}`];
      }),
    ];
  });
  const known = nodes.filter((node) => node.path !== '').map((node) => fishQuote(node.path));
  return `# Completion of godwit; load it with: godwit completion fish | source
function __godwit_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    if contains -- "$next" ${known.join(' ')}
      set path $next
    end
  end
  test "$path" = "$argv[1]"
end
function __godwit_peers
  godwit __peers 2>/dev/null
end
${lines.join('\n')}
`;
}

function fishFlags(option: Value): string {
  const flags = option.flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const source = option.source === undefined ? '-f' : fishSource(option.source, '-x');
  return `${flags.join(' ')} ${source}`;
}

function fishSource(source: Source, exclusive: string): string {
  if (source === 'files') return exclusive === '' ? '-F' : '-r -F';
  if (source === 'nothing') return exclusive;
  const list = source === 'peers' ? "'(__godwit_peers)'" : fishQuote(source.join(' '));
  return `${exclusive === '' ? '-f' : exclusive} -a ${list}`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
