// Long lists of prefixes, which are read at once, against the same lists with a comment behind every member, which are
// read token by token.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../src/policy/diagnostics.ts';
import { tokenize } from '../../src/policy/lexer.ts';
import { parseExpression } from '../../src/policy/parser.ts';
import { scanPrefixes } from '../../src/policy/prefix-patterns.ts';
import { printExpression } from '../../src/policy/print.ts';
import { PrefixSet } from '../../src/policy/sets.ts';
import { Source } from '../../src/policy/source.ts';
import { lab } from './harness.ts';

/** More than are worth it, so that what is broken may be anywhere among them. */
const MANY = 70;

const ipv4 = fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 })).map(([a, b]) => `${a}.${b}.0.0/16`);
const ipv6 = fc
  .tuple(fc.nat({ max: 0xffff }), fc.nat({ max: 0xffff }))
  .map(([a, b]) => `2001:${a.toString(16)}:${b.toString(16)}::/48`);
const form = fc.oneof(
  fc.constantFrom('', '', '+', '-', '{16,24}', '{ 20 , 32 }', '{0,8}'),
  fc.tuple(fc.nat({ max: 16 }), fc.nat({ max: 16 })).map(([low, more]) => `{${low},${low + more}}`),
);
const oddity = fc.constantFrom(
  '10.0.0.1/8',
  '10.0.0.0/33',
  '010.0.0.0/8',
  '256.0.0.0/8',
  '10.0.0.0 /8',
  '2001:db8::/32',
  '2001:db8::1/32',
  '10.0.0.0/8abc',
  '10.0.0.0/8{24,16}',
  '10.0.0.0/8{24,33}',
  '10.0.0.0/8{24,129}',
  '10.0.0.0/0x8',
  '10.0.0.0/8 max 9 as 1',
  '7',
  'NAME',
  '(1, 2)',
  '',
  '10.0.0.0/8 11.0.0.0/8',
);
const separator = fc.constantFrom(',', ', ', ',\n  ', ' ,\t', '\n,');

const members = fc
  .constantFrom(ipv4, ipv6)
  .chain((prefix) =>
    fc.array(fc.tuple(prefix, form, separator), { minLength: 1, maxLength: MANY, size: 'max' }),
  )
  .map((list) => list.map(([prefix, suffix, comma]) => ({ text: `${prefix}${suffix}`, comma })));

/** What the set is, or what is wrong with it. */
function read(
  list: readonly { text: string; comma: string }[],
  behind: string,
): PrefixSet | readonly string[] {
  const text = list
    .map(({ text: member, comma }, i) => `${member}${behind}${i + 1 < list.length ? comma : ''}`)
    .join('');
  const diagnostics = new Diagnostics();
  const expression = parseExpression(new Source('test.conf', `[${text}]`), '2.x', diagnostics);
  const program = lab('').program;
  const result = expression === undefined ? undefined : program.evaluate(expression);
  const messages = [...diagnostics.list, ...program.diagnostics.list].map(({ message }) => message);
  if (
    result !== undefined &&
    'value' in result &&
    result.value instanceof PrefixSet &&
    messages.length === 0
  ) {
    return result.value;
  }
  return messages;
}

function expectSame(list: readonly { text: string; comma: string }[]): void {
  const quick = read(list, '');
  const slow = read(list, '/* */');
  if (quick instanceof PrefixSet && slow instanceof PrefixSet) expect(quick.equals(slow)).toBe(true);
  else expect(quick).toEqual(slow);
}

describe('long lists of prefixes', () => {
  it('mean what they mean token by token', () => {
    fc.assert(fc.property(members, expectSame));
  });

  it('are wrong as they are token by token', () => {
    fc.assert(
      fc.property(members, oddity, fc.nat(), (list, odd, place) => {
        const at = place % (list.length + 1);
        expectSame([...list.slice(0, at), { text: odd, comma: ', ' }, ...list.slice(at)]);
      }),
      { numRuns: 300 },
    );
  });

  it('are printed so that they are read as the same', () => {
    fc.assert(
      fc.property(members, (list) => {
        const first = parseExpression(
          new Source('a', `[${list.map(({ text }) => text).join()}]`),
          '2.x',
          new Diagnostics(),
        );
        if (first === undefined) return;
        const printed = printExpression(first);
        const again = parseExpression(new Source('b', printed), '2.x', new Diagnostics());
        expect(printExpression(again!)).toBe(printed);
      }),
    );
  });

  it('are printed alike wherever a comment parts them, and so the filters are the same', () => {
    fc.assert(
      fc.property(members, fc.nat(), (list, place) => {
        const at = place % list.length;
        const printed = ['', ' # new\n'].map((comment) => {
          const texts = list.map(({ text }, i) => (i === at ? `${comment}${text}` : text));
          const read = parseExpression(new Source('a', `[${texts.join(', ')}]`), '2.x', new Diagnostics());
          return read && printExpression(read);
        });
        expect(printed[1]).toBe(printed[0]);
      }),
      { numRuns: 300 },
    );
  });

  it('are one token, of which the rest of the set is none', () => {
    const text = `[${Array.from({ length: 40 }, (_, i) => `10.${i}.0.0/16+`).join(',')}, 10.0.0.1/8]`;
    const tokens = tokenize(new Source('a', text), '2.x', new Diagnostics());
    const kinds = tokens.map(({ kind, text: shown }) => (kind === 'op' ? shown : kind));
    expect(kinds).toEqual(['[', 'prefixes', ',', 'ip4', '/', 'number', ']', 'end']);
    expect(tokens[1]!.prefixes!.count).toBe(40);
    expect([tokens[1]!.prefixes!.low(3), tokens[1]!.prefixes!.high(3)]).toEqual([16, 32]);
  });

  it('are left alone where they are short, and where a bracket begins something else', () => {
    expect(scanPrefixes('10.0.0.0/8, 11.0.0.0/8]', 0)).toBeUndefined();
    expect(scanPrefixes('1, 2, 3]', 0)).toBeUndefined();
    expect(scanPrefixes('', 0)).toBeUndefined();
  });
});
