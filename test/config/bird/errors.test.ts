// How mistakes are shown: each with its place, its line, what was expected and what was probably meant; all of them.

import { describe, expect, test } from 'vitest';
import { formatIssues } from '../../../src/config/issues.ts';
import { read } from './support.ts';

function shown(text: string, dialect: '1.6' | '2.x' = '2.x'): string {
  return formatIssues(read(text, { dialect }).issues, { color: false });
}

test('every mistake is shown, each once', () => {
  const text = `router id 10.0.0.1
protocol device { scan tme 5; scan time x; }
protcol direct { }
protocol bgp peer1 {
  local as 64512;
  neighbour 10.0.0.2 as 64513;
  hold time 2;
  ipv4 { improt all; export filter nope; };
}
protocol static { ipv4; route 10.0.0.1/8 blackhole; route 10.0.0.0/8 blackhol; }
`;
  expect(shown(text)).toMatchInlineSnapshot(`
    "/etc/bird/bird.conf:1:19: error: expected ';' after router id, found 'protocol'
        1 | router id 10.0.0.1
          |                   ^
    /etc/bird/bird.conf:2:24: error: expected time after scan, found 'tme'
        2 | protocol device { scan tme 5; scan time x; }
          |                        ^^^
      hint: did you mean scan time?
    /etc/bird/bird.conf:2:41: error: expected scan time, found 'x'
        2 | protocol device { scan tme 5; scan time x; }
          |                                         ^
      hint: names must be defined before they are used
    /etc/bird/bird.conf:3:1: error: there is no option protcol at the top level
        3 | protcol direct { }
          | ^^^^^^^
      hint: did you mean protocol?
    /etc/bird/bird.conf:6:3: error: there is no option neighbour in protocol bgp
        6 |   neighbour 10.0.0.2 as 64513;
          |   ^^^^^^^^^
      hint: did you mean neighbor?
    /etc/bird/bird.conf:7:13: error: hold time is 0 or 3 to 65535, not 2
        7 |   hold time 2;
          |             ^
    /etc/bird/bird.conf:8:10: error: there is no option improt in channel ipv4
        8 |   ipv4 { improt all; export filter nope; };
          |          ^^^^^^
      hint: did you mean import?
    /etc/bird/bird.conf:8:36: error: there is no filter nope
        8 |   ipv4 { improt all; export filter nope; };
          |                                    ^^^^
      hint: names must be defined before they are used
    /etc/bird/bird.conf:10:31: error: 10.0.0.1/8 has bits after its length
       10 | protocol static { ipv4; route 10.0.0.1/8 blackhole; route 10.0.0.0/8 blackhol; }
          |                               ^^^^^^^^^^
      hint: did you mean 10.0.0.0/8?
    /etc/bird/bird.conf:10:70: error: expected via, recursive, blackhole, unreachable or prohibit after the prefix, found 'blackhol'
       10 | protocol static { ipv4; route 10.0.0.1/8 blackhole; route 10.0.0.0/8 blackhol; }
          |                                                                      ^^^^^^^^
      hint: did you mean blackhole?
    "
  `);
});

const ONE = (statement: string): string =>
  `protocol bgp p { local as 1; neighbor 10.0.0.2 as 1; ${statement} }`;

describe('one mistake', () => {
  test.each([
    [
      'a misspelt option',
      ONE('pasive;'),
      'there is no option pasive in protocol bgp',
      'did you mean passive?',
    ],
    [
      'a misspelt second word',
      ONE('hold tiem 3;'),
      "expected time after hold, found 'tiem'",
      'did you mean hold time?',
    ],
    [
      'a channel option in the protocol',
      ONE('import all;'),
      'import does not belong in protocol bgp',
      'it belongs into a channel: ipv4 { import ...; };',
    ],
    [
      'a misspelt last word, where fewer words are an option as well',
      ONE('ipv4 { import keep filtred; };'),
      "expected filtered after import keep, found 'filtred'",
      'did you mean import keep filtered?',
    ],
    [
      'a misspelt table',
      'ipv4 tabel t; protocol device { }',
      "expected table after ipv4, found 'tabel'",
      'did you mean ipv4 table?',
    ],
    [
      'a comma that is missing in a set',
      'define x = [ 10.0.0.0/8 11.0.0.0/8 ]; protocol device { }',
      "expected ',' or ']' after a member of the set, found the address 11.0.0.0",
      undefined,
    ],
    [
      'an assignment as other languages compare',
      'protocol device { } filter f { bgp_med == 5; accept; }',
      "expected a value after '=', found '='",
      "assignment is a single '='",
    ],
    [
      'a property by the name of other languages',
      'protocol device { } filter f { if net.size > 24 then reject; accept; }',
      "prefix has no 'size'",
      expect.stringMatching(/^there are .*\blen\b/),
    ],
    [
      'a misspelt property that another type has',
      'protocol device { } filter f { if bgp_path.masc(8) = bgp_path then reject; accept; }',
      "bgppath has no 'masc'",
      expect.stringMatching(/^there are /),
    ],
    [
      'a constant that is there already',
      'define x = 1;\ndefine x = 2; protocol device { }',
      'x is already defined',
      'it is the constant of /etc/bird/bird.conf line 1',
    ],
    [
      'an option of BGP in an mpls channel',
      `mpls table mt; ${ONE('ipv4 { import all; export all; }; mpls { next hop self; };')}`,
      'there is no option next in channel mpls',
      undefined,
    ],
    ['a misspelt protocol', 'protocol bpg x { }', 'there is no protocol bpg', 'did you mean bgp?'],
    [
      'a filter that is not there',
      'filter inward { accept; } protocol static { ipv4 { import filter inwards; }; }',
      'there is no filter inwards',
      'did you mean inward?',
    ],
    [
      'a table of another kind',
      'protocol static { ipv4 { table master6; }; }',
      'table master6 holds ipv6, channel ipv4 needs ipv4',
      undefined,
    ],
    [
      'host bits',
      'protocol static { ipv4; route 10.0.0.1/8 blackhole; }',
      '10.0.0.1/8 has bits after its length',
      'did you mean 10.0.0.0/8?',
    ],
    [
      'a time without its unit',
      'watchdog warning 5; protocol device { }',
      "expected 's', 'ms' or 'us' after the time, found ';'",
      'write 5 s, ms or us',
    ],
    ['a number out of its range', ONE('multihop 300;'), 'the number of hops is 1 to 255, not 300', undefined],
    [
      'a name that is taken',
      'define x = 1; protocol static x { ipv4; }',
      'x is already defined',
      'it is the constant of /etc/bird/bird.conf line 1',
    ],
    [
      'a brace that is missing',
      'protocol device { scan time 5;',
      "this '{' is never closed",
      "a '}' is missing in protocol device device1",
    ],
    ['nothing at all', '', 'the configuration has no protocol', 'protocol device { } is one'],
    [
      'what must hold in the end',
      'protocol bgp p { local as 1; neighbor fe80::1 as 2; }',
      'p: a link-local address needs its interface',
      'write neighbor fe80::1%eth0',
    ],
  ])('%s', (_, text, message, hint) => {
    const { errors } = read(text, { dialect: '2.x' });
    expect(errors.map((error) => [error.message, error.hint])).toEqual([[message, hint]]);
  });

  test('options of the other generation are named as such', () => {
    expect(read('hostname "x"; protocol device { }', { dialect: '1.6' }).errors[0]).toMatchObject({
      message: 'hostname is an option of BIRD 2.x',
      hint: 'this file is read as BIRD 1.6',
    });
    expect(read('listen bgp port 1179; protocol device { }', { dialect: '2.x' }).errors[0]).toMatchObject({
      message: 'listen is an option of BIRD 1.6',
    });
  });

  test('an IPv6 address in an IPv4 daemon', () => {
    const { errors } = read('protocol static { route ::/0 blackhole; }', { dialect: '1.6', family: 'ipv4' });
    expect(errors.map((error) => error.message)).toEqual(['an IPv6 address in an IPv4 configuration']);
  });
});

describe('passwords', () => {
  test.each([
    ['right, on a wrong line', ONE('password "s3cret"; bogus 1;')],
    ['without quotes', ONE('password s3cret;')],
    ['misspelt', ONE('pasword "s3cret";')],
    ['misspelt, without quotes', ONE('passwd s3cret;')],
    ['with something after it', ONE('password "x" s3cret;')],
    ['after a forgotten semicolon', ONE('passive password "s3cret";')],
    ['elsewhere on the line', ONE('description "not s3cret-1 yet"; password "s3cret"; bogus 1;')],
    ['elsewhere in the file', `define OLD = "s3cret" bogus;\n${ONE('password "s3cret";')}`],
    ['in a message', `${ONE('password "s3cret";')} protocol s3cret {}`],
    ['in a constant', `define P = "s3cret"; ${ONE('password P')}`],
    ['as a number', ONE('password 53cret;').replace('53cret', 's3cret')],
  ])('%s are never shown', (_, text) => {
    const { errors, issues } = read(text, { dialect: '2.x' });
    expect(errors).not.toEqual([]);
    expect(JSON.stringify(issues)).not.toContain('s3cret');
  });

  test('leave what only looks like part of one', () => {
    const { issues } = read(ONE('password "ne"; next hop bogus;'), { dialect: '2.x' });
    expect(issues[0]?.excerpt?.text).toContain(
      'neighbor 10.0.0.2 as 1; password <redacted>; next hop bogus;',
    );
    const words = read(ONE('password s3cret hold time 240; hold tim 3;'), { dialect: '2.x' });
    expect(words.issues.at(-1)?.excerpt?.text).toContain('; hold tim 3;');
  });
});
