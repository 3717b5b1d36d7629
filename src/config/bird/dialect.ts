// Which generation of the language a text is written in, and whether a text is BIRD's at all. BIRD never asks: each
// version reads its own. Evidence is counted; what both have says nothing. Tokens only, so that a broken file still
// gets its errors from the right grammar.

import { Diagnostics } from '../../policy/diagnostics.ts';
import { type Dialect, type Token, tokensOf } from '../../policy/lexer.ts';
import { Source } from '../../policy/source.ts';
import type { IpFamily } from './config.ts';

const TOP_LEVEL_WORDS = new Set([
  'protocol',
  'template',
  'filter',
  'function',
  'define',
  'router',
  'log',
  'table',
  'roa',
  'listen',
  'timeformat',
  'debug',
  'mrtdump',
  'watchdog',
  'include',
  'eval',
  'graceful',
  'attribute',
  'hostname',
  'ipv4',
  'ipv6',
  'roa4',
  'roa6',
  'aspa',
  'cli',
  'threads',
]);

/** Statements that only 1.6 has directly in a protocol; a channel holds them in 2.x. */
const CHANNEL_STATEMENTS = new Set(['import', 'export', 'preference', 'table', 'receive']);
const BGP_CHANNEL_STATEMENTS = new Set(['gateway', 'next', 'add', 'missing', 'secondary', 'igp']);
/** Protocols that have such statements without channels in both. */
const WITHOUT_CHANNELS = new Set(['pipe', 'mrt', 'device', 'bfd', 'ospf', 'rip', 'babel', 'radv']);
const CHANNEL_WORDS = new Set([
  'ipv4',
  'ipv6',
  'vpn4',
  'vpn6',
  'roa4',
  'roa6',
  'flow4',
  'flow6',
  'mpls',
  'aspa',
  'eth',
]);

/** The dialect that the text speaks for; 2.x where nothing speaks for either. */
export function detectDialect(source: Source): Dialect {
  let balance = 0;
  let depth = 0;
  let protocol: string | undefined;
  let starts = true;
  // A static protocol without a channel: in 2.x a template may have it.
  let bare = false;
  for (const [token, next, afterNext] of withFollowing(tokensOf(source, '2.x', new Diagnostics()))) {
    if (token.kind === 'op') {
      if (token.text === '{') depth++;
      else if (token.text === '}') depth = Math.max(0, depth - 1);
      if (depth === 0 && token.text === '}') {
        if (bare) balance--;
        bare = false;
        protocol = undefined;
      }
      starts = token.text === ';' || token.text === '{' || token.text === '}';
      continue;
    }
    if (starts && token.kind === 'word') {
      const following = next?.text ?? '';
      if (depth === 0) {
        balance += topLevelEvidence(token.text, following, afterNext?.text ?? '');
        if (token.text === 'protocol' || token.text === 'template') protocol = following;
        bare = token.text === 'protocol' && following === 'static';
      } else if (depth === 1 && protocol !== undefined) {
        balance += protocolEvidence(protocol, token.text, following);
        if (CHANNEL_WORDS.has(token.text)) bare = false;
      }
    }
    if (depth === 0 && token.text === 'from') bare = false;
    starts = false;
  }
  return balance < 0 ? '1.6' : '2.x';
}

/** Each token with the two after it: a long text's tokens need not be there all at once. */
function* withFollowing(
  tokens: Iterable<Token>,
): Generator<readonly [Token, Token | undefined, Token | undefined]> {
  let first: Token | undefined;
  let second: Token | undefined;
  for (const third of tokens) {
    if (first !== undefined) yield [first, second, third];
    first = second;
    second = third;
  }
  if (first !== undefined) yield [first, second, undefined];
  if (second !== undefined) yield [second, undefined, undefined];
}

/** Negative for 1.6, positive for 2.x. */
function topLevelEvidence(word: string, next: string, afterNext: string): number {
  if (word === 'listen' || word === 'table' || word === 'roa') return -1;
  if (CHANNEL_WORDS.has(word) && (next === 'table' || afterNext === 'table')) return 1;
  if (word === 'hostname' || word === 'attribute' || word === 'cli' || word === 'threads') return 1;
  return word === 'debug' && next === 'channels' ? 1 : 0;
}

function protocolEvidence(protocol: string, word: string, next: string): number {
  if (CHANNEL_WORDS.has(word)) return 1;
  if (WITHOUT_CHANNELS.has(protocol)) return 0;
  if (CHANNEL_STATEMENTS.has(word)) return -1;
  if (protocol === 'bgp' && BGP_CHANNEL_STATEMENTS.has(word)) return -1;
  if (protocol === 'kernel' && word === 'device' && next === 'routes') return -1;
  return 0;
}

/** The family of a 1.6 text: its daemon has one. Router ids and cluster ids are dotted quads in both. */
export function detectFamily(tokens: readonly Token[], fileName: string): IpFamily {
  if (tokens.some((token) => token.kind === 'ip6')) return 'ipv6';
  const four = tokens.some((token, at) => token.kind === 'ip4' && tokens[at - 1]?.text !== 'id');
  return !four && /bird6/.test(fileName) ? 'ipv6' : 'ipv4';
}

/**
 * Whether a text looks like BIRD's language rather than YAML: a statement's word, and no `key:` at the very beginning;
 * filters stand in both.
 */
export function looksLikeBird(text: string): boolean {
  let isFirst = true;
  let starts = true;
  let depth = 0;
  let last: Token | undefined;
  for (const token of tokensOf(new Source('', text), '2.x', new Diagnostics())) {
    if (last !== undefined && last.kind !== 'op') {
      if (isFirst && token.text === ':') return false;
      isFirst = false;
      if (starts && last.kind === 'word' && TOP_LEVEL_WORDS.has(last.text)) {
        const colon = token.kind === 'op' && (token.text === ':' || token.text === '=');
        if (!colon && token.kind !== 'end') return true;
      }
      starts = false;
    }
    if (token.kind === 'op') {
      if (token.text === '{') depth++;
      if (token.text === '}') depth--;
      starts = depth === 0 && (token.text === ';' || token.text === '}');
    }
    last = token;
  }
  return false;
}

/** What to say of an address that is not of a 1.6 daemon's family; undefined where it is. */
export function familyMismatch(
  bytes: Uint8Array,
  family: IpFamily,
): { readonly message: string; readonly hint: string } | undefined {
  const found: IpFamily = bytes.length === 4 ? 'ipv4' : 'ipv6';
  if (found === family) return undefined;
  return {
    message: `an ${FAMILY_LABELS[found]} address in an ${FAMILY_LABELS[family]} configuration`,
    hint: 'BIRD 1.6 runs one daemon a family, each with its own file',
  };
}

const FAMILY_LABELS: Readonly<Record<IpFamily, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' };
