// A command's text as tokens: BIRD reads commands with the lexer of its configuration, and its complaints name the
// tokens. What a filter expression means is not known here; its text is passed on as it stands.

export type TokenKind = 'word' | 'number' | 'text' | 'ip4' | 'ip6' | 'op' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a text without its quotes. */
  readonly text: string;
  /** Where it stands in the command. */
  readonly start: number;
  readonly end: number;
}

/** The text cannot be cut into tokens. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

const PATTERN = new RegExp(
  [
    '(?<space>\\s+|#.*|/\\*.*?(?:\\*/|$))',
    '"(?<text>[^"\\n]*)"',
    // Before numbers and words: an address may begin like either.
    '(?<ip4>\\d+\\.\\d+\\.\\d+\\.\\d+)(?![\\w.])',
    '(?<ip6>(?:[0-9a-fA-F]{1,4}:[0-9a-fA-F:]*:[0-9a-fA-F:.]*|[0-9a-fA-F]{1,4}::|::[0-9a-fA-F:.]*|(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}))(?![\\w:])',
    "'(?<quoted>[\\w.:-]+)'",
    '(?<number>0x[0-9a-fA-F]+|\\d+)(?!\\w)',
    '(?<word>[A-Za-z_]\\w*)',
    '(?<op>\\.\\.|!~|&&|\\|\\||[!<>=]=|->|[^\\w\\s])',
  ].join('|'),
  'y',
);

export function tokenize(command: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < command.length) {
    PATTERN.lastIndex = at;
    const groups = PATTERN.exec(command)?.groups;
    const start = at;
    if (groups === undefined) throw new TokenError(`'${command[at]}' cannot stand here`);
    if (groups['op'] === '"') throw new TokenError('Unterminated string');
    at = PATTERN.lastIndex;
    const { space, quoted, ...named } = groups;
    if (space !== undefined) continue;
    if (quoted !== undefined) {
      tokens.push({ kind: 'word', text: quoted, start, end: at });
      continue;
    }
    for (const kind of KINDS) {
      const text = named[kind];
      if (text !== undefined) tokens.push({ kind, text, start, end: at });
    }
  }
  tokens.push({ kind: 'end', text: '', start: command.length, end: command.length });
  return tokens;
}

const KINDS: readonly TokenKind[] = ['text', 'ip4', 'ip6', 'number', 'word', 'op'];
