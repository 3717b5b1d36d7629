// Changes of configurations: of one character or token, of a whole statement, or of the type of a value. What comes out
// may be a configuration still, or none; two readers are compared over it.

import fc from 'fast-check';
import { Diagnostics } from '../../../src/policy/diagnostics.ts';
import { type Dialect, type Token, tokenize } from '../../../src/policy/lexer.ts';
import { Source } from '../../../src/policy/source.ts';

const CHANGES = [
  'delete',
  'duplicate',
  'swap',
  'replace',
  'insert',
  'retype',
  'unpunctuate',
  'mistype',
  'move statement',
  'copy statement',
  'drop statement',
  'graft statement',
] as const;
type Change = (typeof CHANGES)[number];

/** `at` is what is changed, `other` what it is changed by, or where it goes. */
export interface Mutation {
  readonly change: Change;
  readonly at: number;
  readonly other: number;
}

export const mutations: fc.Arbitrary<Mutation> = fc.record({
  change: fc.constantFrom(...CHANGES),
  at: fc.nat(),
  other: fc.nat(),
});

/** What mutations take from. */
export interface Stock {
  readonly dialect: Dialect;
  /** Tokens. */
  readonly words: readonly string[];
  /** Texts whose statements are grafted. */
  readonly others: readonly string[];
}

export function tokensOf(text: string, dialect: Dialect): readonly Token[] {
  return tokenize(new Source('sample', text), dialect, new Diagnostics()).slice(0, -1);
}

interface Piece {
  readonly start: number;
  readonly end: number;
}

export function mutate(text: string, stock: Stock, { change, at, other }: Mutation): string {
  const tokens = tokensOf(text, stock.dialect);
  const statements = statementsOf(tokens);
  if (tokens.length < 2 || statements.length === 0) return text;
  const pick = <T>(list: readonly T[], number: number): T => list[number % list.length]!;
  const i = at % (tokens.length - 1);
  const [token, next] = [tokens[i]!, tokens[i + 1]!];
  const shown = ({ start, end }: Piece): string => text.slice(start, end);
  const replaced = ({ start, end }: Piece, by: string): string =>
    `${text.slice(0, start)} ${by} ${text.slice(end)}`;
  const statement = pick(statements, at);
  switch (change) {
    case 'delete':
      return replaced(token, '');
    case 'duplicate':
      return replaced(token, `${shown(token)} ${shown(token)}`);
    case 'swap':
      return replaced({ start: token.start, end: next.end }, `${shown(next)} ${shown(token)}`);
    case 'replace':
      return replaced(token, pick(stock.words, other));
    case 'insert':
      return replaced({ start: token.start, end: token.start }, pick(stock.words, other));
    case 'retype':
      return replaced(pick(valuesIn(tokens), at), pick(VALUES, other));
    case 'unpunctuate':
      return replaced(pick(punctuationIn(tokens), at), '');
    case 'mistype': {
      const place = at % text.length;
      const character = CHARACTERS[other % CHARACTERS.length]!;
      return text.slice(0, place) + character + text.slice(place + (other & 1));
    }
    case 'drop statement':
      return replaced(statement, '');
    case 'copy statement':
    case 'move statement': {
      const place = pick(statements, other).start;
      const copied = replaced({ start: place, end: place }, shown(statement));
      if (change === 'copy statement') return copied;
      const moved = place <= statement.start ? shown(statement).length + 2 : 0;
      const [start, end] = [statement.start + moved, statement.end + moved];
      // Into itself: there it stays.
      return place > statement.start && place < statement.end
        ? copied
        : copied.slice(0, start) + copied.slice(end);
    }
    case 'graft statement': {
      const from = pick(stock.others, other);
      const graft = pick(statementsOf(tokensOf(from, stock.dialect)), other);
      return replaced({ start: statement.start, end: statement.start }, from.slice(graft.start, graft.end));
    }
  }
}

/** The empty one leaves one out. */
const CHARACTERS = ['', ...' \n;{}()[]=.:,*+-/!~<>&|"#%?_\\0123456789afxs\t\r\f'];

/** What has changed, with what stands around it. */
export function shownChange(before: string, after: string): string {
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start++;
  let end = 0;
  while (end < shortest - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const changed = after.slice(start, after.length - end);
  const [ahead, behind] = [after.slice(0, start), after.slice(after.length - end)];
  return `${ahead.slice(-AROUND)} >>>${changed}<<< ${behind.slice(0, AROUND)}`;
}

const AROUND = 80;

/** One of each type. */
const VALUES = [
  '5',
  '70000',
  '4294967295',
  '10.0.0.1',
  '10.0.0.0/8',
  '0',
  '256',
  '"text"',
  'true',
  '(1, 2)',
  '(1, 2, 3)',
  '(rt, 1, 2)',
  '[1, 2]',
  '[10.0.0.0/8+]',
  '[(1, *)]',
  '[(1, 2, 3)]',
  '[(rt, 1, *)]',
  '[1.1.1.1]',
  '[RTS_BGP]',
  '[= 1 * =]',
  '+empty+',
  '-empty-',
  '---empty---',
  'RTS_BGP',
  'net',
  'net.len',
  'bgp_path',
  'bgp_community',
  'bgp_ext_community',
  'bgp_large_community',
  'bgp_origin',
  'source',
  'from',
  'proto',
  'prepend(bgp_path, 1)',
  '(5 + 3)',
] as const;

const NAMES_OF_VALUES = /^(bgp_|net$|RTS_|true$|false$|source$|from$|gw$)/;

function valuesIn(tokens: readonly Token[]): readonly Token[] {
  const found = tokens.filter(
    ({ kind, text }) =>
      ['number', 'string', 'ip4', 'ip6'].includes(kind) || (kind === 'word' && NAMES_OF_VALUES.test(text)),
  );
  return found.length > 0 ? found : tokens;
}

const PUNCTUATION = ';{}(),[]=.:';

function punctuationIn(tokens: readonly Token[]): readonly Token[] {
  return tokens.filter(({ kind, text }) => kind === 'op' && PUNCTUATION.includes(text));
}

/** From a `;` or brace to the `;` or block that ends what begins there, at whatever depth. */
function statementsOf(tokens: readonly Token[]): readonly Piece[] {
  const found: Piece[] = [];
  for (const [i, { start }] of tokens.entries()) {
    const before = tokens[i - 1];
    if (before !== undefined && (before.kind !== 'op' || !';{}'.includes(before.text))) continue;
    const last = endOf(tokens, i);
    if (last !== undefined) found.push({ start, end: last.end });
  }
  return found;
}

/** The last token of the statement that begins at `from`; undefined where none does. */
function endOf(tokens: readonly Token[], from: number): Token | undefined {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.kind !== 'op') continue;
    if (token.text === ';' && depth === 0) return token;
    if (token.text === '{') depth++;
    if (token.text !== '}') continue;
    if (depth === 0) return undefined;
    depth--;
    const next = tokens[at + 1];
    if (depth === 0) return next?.kind === 'op' && next.text === ';' ? next : token;
  }
  return undefined;
}
