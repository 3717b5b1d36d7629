// Type names: `int`, `prefix set`, `enum origin`.

import { BASIC_TYPES, type BasicType, ENUM_NAMES, type PolicyType, type SetElementType } from './ast.ts';
import type { TokenReader } from './token-reader.ts';

const ONE_SIX: readonly BasicType[] = [
  'bool',
  'int',
  'pair',
  'quad',
  'ip',
  'prefix',
  'string',
  'ec',
  'lc',
  'bgpmask',
  'bgppath',
  'clist',
  'eclist',
  'lclist',
];
const SETS_OF: readonly SetElementType[] = ['int', 'pair', 'quad', 'ip', 'prefix', 'rd', 'ec', 'lc'];

function basicType(reader: TokenReader, text: string): BasicType | undefined {
  return (reader.dialect === '1.6' ? ONE_SIX : BASIC_TYPES).find((type) => type === text);
}

/** Whether a declaration follows: a type and then another word. */
export function isTypeNext(reader: TokenReader): boolean {
  const token = reader.peek();
  if (token.kind !== 'word') return false;
  const next = reader.peek(1);
  if (token.text === 'enum' && reader.dialect === '2.x') return next.kind === 'word';
  return basicType(reader, token.text) !== undefined && (next.kind === 'word' || next.kind === 'quoted');
}

export function parseType(reader: TokenReader): PolicyType {
  const token = reader.next();
  if (token.text === 'enum' && token.kind === 'word' && reader.dialect === '2.x') {
    const name = reader.peek();
    const known = ENUM_NAMES.find((candidate) => candidate === name.text);
    if (known === undefined)
      throw reader.unexpected('the name of an enum', "after 'enum'", `there are ${ENUM_NAMES.join(', ')}`);
    reader.next();
    return reader.takeWord('set') ? `enum ${known} set` : `enum ${known}`;
  }
  const type = token.kind === 'word' ? basicType(reader, token.text) : undefined;
  if (type === undefined)
    throw reader.fail(token, `'${token.text}' is no type`, `there are ${BASIC_TYPES.join(', ')}`);
  const set = reader.peek();
  if (!reader.takeWord('set')) return type;
  const element = SETS_OF.find((candidate) => candidate === type);
  if (element === undefined) throw reader.fail(set, `there are no sets of ${type}`);
  return `${element} set`;
}
