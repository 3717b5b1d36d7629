import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagnostics, formatDiagnostic } from '../../src/policy/diagnostics.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { parseExpression, parsePolicy } from '../../src/policy/parser.ts';
import { printDefinition, printExpression } from '../../src/policy/print.ts';
import { Source } from '../../src/policy/source.ts';
import { lab } from './harness.ts';

function parse(text: string, dialect: Dialect = '2.x') {
  const diagnostics = new Diagnostics();
  const definitions = parsePolicy(new Source('t', text), dialect, diagnostics);
  return { definitions, diagnostics };
}

/** A tree without its places. */
function bare(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'span' ? undefined : value)));
}

const atom = fc.constantFrom(
  '1',
  '0x10',
  'true',
  '"a b"',
  '10.0.0.1',
  '10.0.0.0/8',
  '2001:db8::/32',
  'fe80::1',
  '::ffff:1.2.3.4',
  '65000:1',
  '10.0.0.1:5',
  '(1, 2)',
  '(1, 2, 3)',
  '(rt, 1, 2)',
  '(unknown 0x4300, 1, 2)',
  '+empty+',
  '-empty-',
  '--empty--',
  '---empty---',
  'bgp_path',
  'net',
  "'a-b.c'",
  'f()',
  'f(1, x)',
  '[1, 2..3]',
  '[(1, *), (2..3, 4)]',
  '[10.0.0.0/8+, 10.1.0.0/16{17,20}, 11.0.0.0/8-]',
  '[(rt, 1, *)]',
  '[(1, 2, *)]',
  '[]',
  '[RTS_BGP]',
  '[(a + 1)]',
  '[= 1 * ? 2..3 [4, 5] (x) + =]',
  '[= =]',
  'defined(x)',
  'filter(bgp_path, [1])',
  'hex:0a0b',
  '0a0b0c0d0e0f00010203',
  '00:11:22:33:44:55',
);
const term: fc.Arbitrary<string> = fc.letrec<{ term: string }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc
      .tuple(
        tie('term'),
        fc.constantFrom('&&', '||', '=', '!=', '<', '>=', '~', '!~', '+', '-', '*', '/', '++'),
        tie('term'),
      )
      .map(([a, o, b]) => `(${a}) ${o} (${b})`),
    fc
      .tuple(tie('term'), fc.constantFrom('&&', '||', '+', '-', '*'), atom)
      .map(([a, o, b]) => `(${a}) ${o} ${b}`),
    tie('term').map((a) => `!(${a})`),
    fc
      .tuple(tie('term'), fc.constantFrom('len', 'first', 'mask(8)', 'add((1, 2))'))
      .map(([a, m]) => `(${a}).${m}`),
  ),
})).term;
const statement: fc.Arbitrary<string> = fc.letrec<{ s: string }>((tie) => ({
  s: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'accept;',
      'reject "x", 1;',
      'error;',
      'print;',
      'printn 1;',
      'unset(bgp_med);',
      '{ int a; prefix set s; }',
      'f(1);',
      'bgp_path.prepend(1);',
      'bgp_path.empty;',
    ),
    term.map((t) => `x = ${t};`),
    term.map((t) => `return ${t};`),
    term.map((t) => `{ enum origin o = ${t}; }`),
    fc.tuple(term, tie('s')).map(([t, s]) => `if ${t} then ${s}`),
    fc.tuple(term, tie('s'), tie('s')).map(([t, a, b]) => `if ${t} then { ${a} } else ${b}`),
    fc.tuple(term, tie('s')).map(([t, s]) => `for int i in ${t} do ${s}`),
    fc
      .tuple(term, tie('s'), tie('s'))
      .map(([t, a, b]) => `case ${t} { 1, 2..3: ${a} (1, *): else: ${b} ${a} }`),
    fc.array(tie('s'), { maxLength: 3 }).map((all) => `{ ${all.join(' ')} }`),
  ),
})).s;

describe('printing and parsing', () => {
  it('gives every term back', () => {
    fc.assert(
      fc.property(term, (text) => {
        const first = parseExpression(new Source('t', text), '2.x', new Diagnostics());
        expect(first, text).toBeDefined();
        const printed = printExpression(first!);
        const second = parseExpression(new Source('t', printed), '2.x', new Diagnostics());
        expect(bare(second), printed).toEqual(bare(first));
      }),
    );
  });

  it('gives every function and filter back', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 4 }), (body) => {
        const text = `function f(int a; pair set b) -> int int c; { ${body.join(' ')} } filter g { ${body.join(' ')} } define d = 1; attribute bgp 200 bytestring e;`;
        const first = parse(text);
        expect(first.diagnostics.list.map(formatDiagnostic)).toEqual([]);
        const second = parse(first.definitions.map(printDefinition).join('\n'));
        expect(second.diagnostics.list.map(formatDiagnostic)).toEqual([]);
        expect(bare(second.definitions)).toEqual(bare(first.definitions));
      }),
    );
  });
});

describe('hostile texts', () => {
  const words = fc.constantFrom(
    'function',
    'filter',
    'f',
    '(',
    ')',
    '{',
    '}',
    '[',
    ']',
    '[=',
    '=]',
    'if',
    'then',
    'else',
    'else:',
    'case',
    'for',
    'in',
    'do',
    ';',
    ',',
    '.',
    '..',
    ':',
    '1',
    '10.0.0.0/8',
    "'x'",
    '"',
    "'",
    '/*',
    '#\n',
    'int',
    'set',
    'enum',
    'accept',
    '+',
    '-',
    '~',
    '!',
    '=',
    '&&',
    'empty',
    'define',
    'return',
    'rt',
    '*',
    '?',
    '2001::',
    '\u0000',
    '\ud800',
  );

  it('are reported and never thrown at', () => {
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 40 }),
        fc.constantFrom<Dialect>('1.6', '2.x'),
        (tokens, dialect) => {
          const { diagnostics } = lab(tokens.join(' '), dialect);
          for (const diagnostic of diagnostics.list)
            expect(formatDiagnostic(diagnostic)).toContain('test.conf:');
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => void lab(text).diagnostics.list.map(formatDiagnostic),
      ),
    );
  });

  it('may nest as deeply as they like', () => {
    const deep = 100_000;
    for (const text of [
      `define x = ${'('.repeat(deep)}`,
      `define x = ${'!'.repeat(deep)}true;`,
      `filter f { ${'{'.repeat(deep)}`,
      `filter f { ${'if true then '.repeat(deep)} accept; }`,
      `define x = 1${' + 1'.repeat(deep / 10)};`,
    ]) {
      expect(() => parse(text)).not.toThrow();
    }
  });
});

describe('mistakes', () => {
  const messages = (text: string, dialect: Dialect = '2.x') =>
    lab(text, dialect).diagnostics.list.map(({ message, hint }) =>
      hint === undefined ? message : `${message} (${hint})`,
    );

  it('shows the place, the line and what was meant', () => {
    const { diagnostics } = lab('filter f {\n  if net ~ 10.0.0.1/8 then accept;\n}\n');
    expect(diagnostics.list.map(formatDiagnostic)).toEqual([
      [
        'test.conf:2:12: 10.0.0.1/8 has bits beyond its length',
        ' 2 |   if net ~ 10.0.0.1/8 then accept;',
        '   |            ^^^^^^^^^^',
        '   = did you mean 10.0.0.0/8?',
      ].join('\n'),
    ]);
  });

  it('reports all of them', () => {
    const text = `
      filter f {
        if net ~ [10.0.0.0/33] then accept
        print "x"
        acept;
        bgp_pth.prepend(1);
        if bgp_med then reject;
        foo();
        reject;
      }
      function g() { return nosuch; }`;
    expect(messages(text)).toEqual([
      'prefix length 33 is out of range (0 to 32 fit here)',
      "expected ';' at the end of the statement, found 'print'",
      "expected ';' at the end of the statement, found 'acept'",
      "'acept' begins no statement (did you mean 'accept'?)",
      "'bgp_pth' is not defined (did you mean 'bgp_path'?)",
      "the condition after 'if' must be bool, this is int",
      "there is no function 'foo' (functions are defined before they are called)",
      "'nosuch' is not defined",
    ]);
  });

  it.each([
    [
      'filter f { if net ~ 10.0.0.0/8 { accept; } }',
      "expected 'then' after the condition, found '{' (put 'then' before it)",
    ],
    ['filter f { acept; }', "'acept' begins no statement (did you mean 'accept'?)"],
    ['filter f { accept', "expected ';' at the end of the statement, found the end of the file"],
    ['filter f { accept }', "expected ';' at the end of the statement, found '}'"],
    [
      'filter f { if 1 == 2 then accept; }',
      "expected a value after '=', found '=' (comparison is a single '=')",
    ],
    ['filter f { if 1 < 2 < 3 then accept; }', 'comparisons do not chain (put one of them in parentheses)'],
    ['filter f { bgp_pth.prepend(1); }', "'bgp_pth' is not defined (did you mean 'bgp_path'?)"],
    ['filter f { net = 10.0.0.0/8; }', "'net' cannot be set"],
    [
      'filter f { bgp_community.add(1); bgp_med = true; }',
      "what 'bgp_med' is set to must be int, this is bool",
    ],
    ['define x = -1;', "expected a value, found '-' (numbers have no sign: write 0 - x)"],
    [
      'define x = [10.0.0.0/8, 2001:db8::/32];',
      'IPv4 and IPv6 prefixes cannot be in one set (write two sets)',
    ],
    ['define x = 1; define x = 2;', "'x' is already defined"],
    ['function f(int a) { return a; } filter g { f(); }', "'f' takes 1 argument, got 0 (it is f(int a))"],
    ['filter f { case 1 { else : accept; } }', "expected 'else:', found 'else' (the colon follows at once)"],
    [
      'define x = [2001:db8::/32{33,4000000000}];',
      '{33,4000000000} is no range of lengths (lengths go from 0 to 128)',
    ],
    ['filter f { print bgp_path.lenn; }', "bgppath has no 'lenn' (did you mean 'len'?)"],
  ])('%s', (text, message) => {
    expect(messages(text)).toContain(message);
  });

  it('suggests what the dialect knows', () => {
    const text = 'filter f { if dest = RTD_UNICAST then accept; }';
    expect(messages(text, '1.6')).toEqual(["'RTD_UNICAST' is not defined (did you mean 'RTC_UNICAST'?)"]);
    expect(messages(text)).toEqual([]);
    expect(messages('function f() { return bgp_path.prepend(1); }', '1.6')).toEqual([
      "bgppath has no 'prepend' (there are len, first, last, last_nonaggregated)",
    ]);
  });

  it('finds types out beforehand in 2.x and while running in 1.6', () => {
    const text = 'filter f { if bgp_med then accept; }';
    expect(lab(text, '2.x').diagnostics.hasErrors).toBe(true);
    expect(lab(text, '1.6').diagnostics.hasErrors).toBe(false);
  });
});
