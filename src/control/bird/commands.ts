// All commands of BIRD's control protocol, and how a line becomes one of them.

import type { SymbolKind } from '../../speaker/api/tables.ts';
import { CommandFailure, CommandReader, type Names, SyntaxFailure } from './command-reader.ts';
import type { Command, Run, Syntax } from './command-table.ts';
import { CONFIGURE } from './commands/configure.ts';
import { PROTOCOL_ACTIONS } from './commands/protocol-actions.ts';
import { helpCommand, SESSION_COMMANDS } from './commands/session-commands.ts';
import {
  SHOW_INTERFACES,
  SHOW_MEMORY,
  SHOW_STATIC,
  SHOW_STATUS,
  SHOW_SYMBOLS,
} from './commands/show-others.ts';
import { ABSENT_PROTOCOLS, SHOW_BFD_SESSIONS, SHOW_PROTOCOLS } from './commands/show-protocols.ts';
import { SHOW_ROA } from './commands/show-roa.ts';
import { SHOW_ROUTE } from './commands/show-routes.ts';
import { isKeyword } from './keywords.ts';
import { CODE } from './reply.ts';
import { type Token, tokenize } from './tokens.ts';

/** In the order of `help`. */
export const BIRD_COMMANDS: readonly Command[] = [
  SHOW_STATUS,
  SHOW_MEMORY,
  SHOW_PROTOCOLS,
  SHOW_INTERFACES,
  SHOW_ROUTE,
  SHOW_ROA,
  SHOW_SYMBOLS,
  SHOW_BFD_SESSIONS,
  ...ABSENT_PROTOCOLS,
  SHOW_STATIC,
  ...CONFIGURE,
  ...PROTOCOL_ACTIONS,
  ...SESSION_COMMANDS,
  helpCommand(() => BIRD_COMMANDS),
];

interface Node {
  command: Command | undefined;
  readonly children: Map<string, Node>;
}

function treeOf(syntax: Syntax): Node {
  const root: Node = { command: undefined, children: new Map() };
  for (const command of BIRD_COMMANDS) {
    if ((command.only ?? syntax) !== syntax) continue;
    let node = root;
    for (const word of command.words.split(' ')) {
      let child = node.children.get(word);
      if (child === undefined) {
        child = { command: undefined, children: new Map() };
        node.children.set(word, child);
      }
      node = child;
    }
    node.command = command;
  }
  return root;
}

const TREES: Readonly<Record<Syntax, Node>> = { '1.6': treeOf('1.6'), '2.x': treeOf('2.x') };

export interface ParsedCommand {
  readonly command: Command;
  readonly run: Run;
}

/** Throws TokenError, SyntaxFailure or CommandFailure. Words may be shortened as long as they are clear. */
export function parseCommand(
  text: string,
  syntax: Syntax,
  names: Names,
  family?: 'ipv4' | 'ipv6',
): ParsedCommand {
  const tokens = tokenize(text);
  if (syntax === '1.6') refuseOtherFamily(tokens, family ?? 'ipv4');
  const reader = new CommandReader(text, tokens, names);
  let node = TREES[syntax];
  for (;;) {
    const token = reader.peek();
    const child = token.kind === 'word' ? childOf(node, token.text, names) : undefined;
    if (child === undefined) break;
    reader.next();
    node = child;
  }
  const { command } = node;
  if (command === undefined) {
    throw new SyntaxFailure(
      reader.peek(),
      [...node.children.keys()].map((word) => word.toUpperCase()),
    );
  }
  return { command, run: command.read(reader, syntax) };
}

/** 1.6 has one daemon a family, which does not even read addresses of the other one. */
function refuseOtherFamily(tokens: readonly Token[], family: 'ipv4' | 'ipv6'): void {
  const own = family === 'ipv4' ? 'IPv4' : 'IPv6';
  const other = family === 'ipv4' ? 'IPv6' : 'IPv4';
  if (!tokens.some(({ kind }) => kind === (family === 'ipv4' ? 'ip6' : 'ip4'))) return;
  const text = `This is an ${own} router, therefore ${other} addresses are not supported`;
  throw new CommandFailure(CODE.parseError, text);
}

function childOf(node: Node, word: string, names: Names): Node | undefined {
  const exact = node.children.get(word);
  if (exact !== undefined) return exact;
  // A name of the configuration is never the beginning of something else.
  const candidates = [...node.children.keys()].filter((each) => each.startsWith(word));
  if (candidates.length !== 1 || names.kindOf(word) !== undefined) return undefined;
  return node.children.get(candidates[0]!);
}

/** More expected tokens than this are not listed. */
const MAX_EXPECTED = 4;

const TOKEN_NAMES = { number: 'NUM', text: 'TEXT', ip4: 'IP4', ip6: 'IP6', end: 'END' } as const;

/** What the parser of either dialect says of a token that does not fit. */
export function syntaxComplaint(failure: SyntaxFailure, syntax: Syntax, names: Names): string {
  if (syntax === '1.6') return 'syntax error';
  const { expected } = failure;
  const wanted =
    expected.length === 0 || expected.length > MAX_EXPECTED ? '' : `, expecting ${expected.join(' or ')}`;
  return `syntax error, unexpected ${tokenName(failure.token, names)}${wanted}`;
}

function tokenName(token: Token, names: Names): string {
  if (token.kind === 'op') return `'${token.text}'`;
  if (token.kind !== 'word') return TOKEN_NAMES[token.kind];
  if (names.kindOf(token.text) !== undefined) return 'CF_SYM_KNOWN';
  return isKeyword(token.text) ? token.text.toUpperCase() : 'CF_SYM_UNDEFINED';
}

/** Names looked up when one is asked for. */
export class LazyNames implements Names {
  readonly #load: () => Iterable<{ readonly name: string; readonly kind: SymbolKind }>;
  #byName: Map<string, SymbolKind> | undefined;

  constructor(load: () => Iterable<{ readonly name: string; readonly kind: SymbolKind }>) {
    this.#load = load;
  }

  kindOf(name: string): SymbolKind | undefined {
    this.#byName ??= new Map([...this.#load()].map((symbol) => [symbol.name, symbol.kind]));
    return this.#byName.get(name);
  }
}
