// How commands name protocols, tables, addresses and prefixes, with the complaints of each dialect.

import { formatPrefix, parseAddress, parsePrefix, prefixContains } from '../../../lib/ip.ts';
import type { ProtocolView } from '../../../speaker/api/protocols.ts';
import { CommandFailure, type CommandReader, TOKEN } from '../command-reader.ts';
import type { Syntax } from '../command-table.ts';
import { isKeyword } from '../keywords.ts';
import { CODE } from '../reply.ts';

/** `all`, a name, or a pattern in quotes. */
export type ProtocolSelector =
  | { readonly kind: 'all' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'pattern'; readonly pattern: string };

/** Undefined where nothing stands there that could be one; `expected` is for the complaint. */
export function readProtocols(
  reader: CommandReader,
  syntax: Syntax,
  expected: readonly string[],
): ProtocolSelector {
  if (reader.takeWord('all')) return { kind: 'all' };
  const pattern = reader.take('text');
  if (pattern !== undefined) return { kind: 'pattern', pattern };
  return { kind: 'name', name: readProtocolName(reader, syntax, expected) };
}

export function readProtocolName(
  reader: CommandReader,
  syntax: Syntax,
  expected: readonly string[] = [TOKEN.known],
  code: number = CODE.wrongSymbol,
): string {
  if (reader.peek().kind !== 'word') reader.fail(expected);
  const known = reader.takeKnown();
  if (known?.kind === 'protocol') return known.name;
  if (syntax === '1.6' && (known !== undefined || !isKeyword(reader.peek().text))) {
    const name = known?.name ?? reader.peek().text;
    throw new CommandFailure(code, `${name} is not a protocol`);
  }
  if (known === undefined) reader.fail(expected);
  throw new CommandFailure(CODE.parseError, 'Protocol name required');
}

/** Throws CommandFailure where a pattern fits none. */
export function selectProtocols(
  protocols: readonly ProtocolView[],
  selector: ProtocolSelector,
): readonly ProtocolView[] {
  if (selector.kind === 'all') return protocols;
  const matches =
    selector.kind === 'name' ? (name: string) => name === selector.name : glob(selector.pattern);
  const found = protocols.filter(({ name }) => matches(name));
  if (found.length === 0) throw new CommandFailure(CODE.noProtocols, 'No protocols match');
  return found;
}

/** `*` stands for any characters, `?` for one. */
function glob(pattern: string): (name: string) => boolean {
  const source = [...pattern].map((char) => {
    if (char === '*') return '.*';
    return char === '?' ? '.' : char.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
  const regex = new RegExp(`^${source.join('')}$`, 's');
  return (name) => regex.test(name);
}

/** Whether the first prefix lies in the second. */
export function isInside(inner: string, outer: string): boolean {
  const small = parsePrefix(inner);
  const large = parsePrefix(outer);
  if (small === undefined || large === undefined) return false;
  return small.length >= large.length && prefixContains(large, small.bytes);
}

const ADDRESS_TOKENS = ['IP4', 'IP6', 'VPN_RD', TOKEN.known];

/** An address, or a prefix where a slash follows. */
export function readAddressOrPrefix(reader: CommandReader, syntax: Syntax): string {
  if (!isAddress(reader)) {
    if (syntax === '1.6' && reader.peek().kind === 'word') {
      throw new CommandFailure(CODE.parseError, 'IP address expected');
    }
    reader.fail(ADDRESS_TOKENS);
  }
  if (reader.peek(1).kind === 'op' && reader.peek(1).text === '/') return readPrefix(reader, syntax);
  const { text } = reader.next();
  if (parseAddress(text) === undefined) {
    throw new CommandFailure(CODE.parseError, `Invalid IPv${kindOf(text)} address ${text}`);
  }
  return text;
}

function kindOf(text: string): 4 | 6 {
  return text.includes(':') ? 6 : 4;
}

export function isAddress(reader: CommandReader): boolean {
  const { kind } = reader.peek();
  return kind === 'ip4' || kind === 'ip6';
}

export function readPrefix(reader: CommandReader, syntax: Syntax): string {
  const address = reader.next().text;
  if (!reader.takeOp('/')) reader.fail(["'/'"]);
  const length = reader.take('number');
  if (length === undefined) reader.fail();
  const bytes = parseAddress(address)?.bytes;
  if (bytes === undefined)
    throw new CommandFailure(CODE.parseError, `Invalid IPv${kindOf(address)} address ${address}`);
  if (Number(length) > bytes.length * 8) {
    throw new CommandFailure(CODE.parseError, `Invalid prefix length ${length}`);
  }
  const text = `${address}/${length}`;
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return formatPrefix(prefix);
  if (syntax === '1.6') throw new CommandFailure(CODE.parseError, 'Invalid prefix');
  const masked = parsePrefix(text, true);
  const meant = masked === undefined ? '' : `, maybe you wanted ${formatPrefix(masked)}`;
  const version = bytes.length === 4 ? 'IPv4' : 'IPv6';
  throw new CommandFailure(CODE.parseError, `Invalid ${version} prefix ${text}${meant}`);
}
