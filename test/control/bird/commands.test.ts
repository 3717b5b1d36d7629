import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandFailure, SyntaxFailure } from '../../../src/control/bird/command-reader.ts';
import { commandsUnder } from '../../../src/control/bird/commands/session-commands.ts';
import {
  BIRD_COMMANDS,
  LazyNames,
  parseCommand,
  syntaxComplaint,
} from '../../../src/control/bird/commands.ts';
import { TokenError, tokenize } from '../../../src/control/bird/tokens.ts';
import type { SymbolView } from '../../../src/speaker/api/tables.ts';

const SYMBOLS: readonly SymbolView[] = [
  { name: 'b1', kind: 'protocol' },
  { name: 'up', kind: 'protocol' },
  { name: 'master4', kind: 'routing table' },
  { name: 'f1', kind: 'filter' },
];
const NAMES = new LazyNames(() => SYMBOLS);

/** The words of the command that a text is, or what is wrong with it. */
function parse(text: string, syntax: '1.6' | '2.x' = '2.x'): string {
  try {
    return parseCommand(text, syntax, NAMES).command.words;
  } catch (error) {
    if (error instanceof SyntaxFailure) return syntaxComplaint(error, syntax, NAMES);
    if (error instanceof CommandFailure || error instanceof TokenError) return error.message;
    throw error;
  }
}

describe('the command table', () => {
  it('has each command once a dialect', () => {
    for (const syntax of ['1.6', '2.x'] as const) {
      const words = commandsUnder(BIRD_COMMANDS, '', syntax).map((command) => command.words);
      expect(new Set(words).size).toBe(words.length);
    }
  });

  it('explains every command in a line', () => {
    for (const { words, help } of BIRD_COMMANDS) expect(help, words).toMatch(/^\S.{5,100}\S$/);
  });

  it('reads every command that takes no argument', () => {
    for (const { words, usage, only } of BIRD_COMMANDS) {
      if (usage === '') expect(parse(words, only ?? '2.x')).toBe(words);
    }
  });
});

describe('a command', () => {
  it.each([
    ['sh statu', 'show status'],
    ['show prot all b1', 'show protocols'],
    ['conf s', 'syntax error, unexpected S'],
    ['conf so', 'configure soft'],
    ['show ro 10.0.0.0/8', 'show route'],
    ['show r 10.0.0.0/8', 'syntax error, unexpected CF_SYM_UNDEFINED'],
    ['show s', 'syntax error, unexpected S'],
    ['show stat', 'syntax error, unexpected CF_SYM_UNDEFINED'],
    ['show stati', 'show static'],
    ['re b1', 'syntax error, unexpected CF_SYM_UNDEFINED'],
    ['rel i b1', 'reload in'],
    // A name is a name.
    ['up', 'syntax error, unexpected CF_SYM_KNOWN'],
  ])('may be shortened as long as it is clear: %s', (text, wanted) => {
    expect(parse(text)).toBe(wanted);
  });

  it.each([
    ['show protocols all', 'show protocols'],
    ['show protocols "b*"', 'show protocols'],
    ['show route for 10.0.0.1 table master4 protocol b1 all', 'show route'],
    ['show route where bgp_path ~ [= * 1 =] && (1,2) ~ bgp_community all', 'show route'],
    ['show route filter { if net ~ [10.0.0.0/8+] then accept; } count', 'show route'],
    ['show route 2001:db8::/32', 'show route'],
    ['show route ::/0', 'show route'],
    ['show route table all', 'show route'],
    ["show protocols 'b1'", 'show protocols'],
    ['configure "a file" timeout 10', 'configure'],
    ['configure soft "x" timeout', 'configure soft'],
    ['disable b1 "maintenance, at last"', 'disable'],
    ['debug b1.ipv4 { states, routes }', 'debug'],
    ['echo { info, error } 1024', 'echo'],
    ['eval (1 + 2) * 3', 'eval'],
    ['show status # a comment', 'show status'],
  ])('%s', (text, wanted) => {
    expect(parse(text)).toBe(wanted);
  });

  it.each([
    ['show route filter { accept;', 'syntax error, unexpected END'],
    ['show route for 10.0.0.256', 'Invalid IPv4 address 10.0.0.256'],
    ['show route 10.0.0.0/a', 'syntax error, unexpected CF_SYM_UNDEFINED'],
    ['show protocols "unterminated', 'Unterminated string'],
    ['disable b1 "a" "b"', 'syntax error, unexpected TEXT, expecting END'],
    ['show route export b1.', 'syntax error, unexpected END'],
    ['show 5x', "'5' cannot stand here"],
    ['show symbols 5', 'syntax error, unexpected NUM'],
  ])('%s is answered', (text, wanted) => {
    expect(parse(text)).toBe(wanted);
  });

  it('never makes the reader fall over', () => {
    const word = fc.constantFrom(
      ...'show route protocols all for in table where filter { } ( ) [ ] "x" "b*" b1 master4 f1 nosuch 10.0.0.0 / 8 5 2001:db8::1 . , ~ = configure soft timeout undo disable reload eval debug off echo count stats export'.split(
        ' ',
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.constantFrom('1.6', '2.x'), (words, syntax) => {
        expect(typeof parse(words.join(' '), syntax)).toBe('string');
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof parse(text)).toBe('string');
      }),
    );
  });

  it('is cut into tokens that say where they stand', () => {
    const text = 'show route where net ~ [10.0.0.0/8+] && "a b" != 0x1f .. 2001:db8::1';
    for (const token of tokenize(text)) {
      const quote = token.kind === 'text' ? '"' : '';
      expect(text.slice(token.start, token.end)).toBe(`${quote}${token.text}${quote}`);
    }
  });
});
