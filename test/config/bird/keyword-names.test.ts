// Words of the language as names, as BIRD has had it since 2.13: from its definition to the end of its scope such a word
// is the name and nothing else. What is taken and refused here was asked of BIRD 2.20.

import { describe, expect, test } from 'vitest';
import { good, read } from './support.ts';

const PEER =
  'protocol bgp x { local as 1; path metric on; neighbor 10.0.0.1 as 2; ipv4 { import all; export none; }; }';

describe('in 2.x a word of the language may be the name', () => {
  test.each([
    [
      'of a variable of a loop',
      'function f() -> int { int n = 0; for int asn in bgp_path do n = n + asn; return n; }',
    ],
    ['of an argument', 'function f(int prefix; int metric) -> int { return prefix + metric; }'],
    ['of a variable before the body', 'filter f int path; { path = 3; accept; }'],
    ['of a variable in the body', 'function f() -> bool { int metric = 3; return metric = 3; }'],
    ['of an attribute of routes', 'function f(int source) -> int { return source; }'],
    ['of a constant', 'define limit = 3; define more = limit + 1;'],
    ['of a function', 'function import(int a) -> int { return a; } define one = 1;'],
    ['of a filter', 'filter import { accept; }'],
    ['of an own attribute', 'attribute int metric; filter f { metric = 5; accept; }'],
    ['of a table', 'ipv4 table limit; protocol static s { ipv4 { table limit; }; }'],
    [
      'of a protocol',
      'protocol bgp bgp { local as 1; neighbor 10.0.0.2 as 2; ipv4 { import all; export none; }; }',
    ],
    [
      'of a template',
      'template bgp client { local as 1; } protocol bgp y from client { neighbor 10.0.0.2 as 1; ipv4; }',
    ],
    ['of what a word of statements begins', 'function if(int a) -> int { return a; }'],
    ['in apostrophes once', "function f(int 'source') -> bool { return source = 3; }"],
  ])('%s', (_, text) => {
    good(`protocol device { } ${text}`);
  });

  test.each([
    ['an argument', 'function f(int path) -> int { return path; }'],
    ['a variable before a body', 'filter f int path; { path = 3; accept; }'],
    ['a variable of a block', 'function f() -> int { { int path = 3; } return bgp_path.len; }'],
    ['a variable of a loop', 'function f() -> int { for int path in bgp_path do return path; return 0; }'],
  ])('%s is one to the end of its scope', (_, text) => {
    good(`${text} ${PEER}`);
  });

  test('so is one of a filter without a name', () => {
    good(
      'protocol bgp x { local as 1; neighbor 10.0.0.1 as 2; ipv4 { import filter int path; { path = 3; accept; }; export none; }; path metric on; }',
    );
    good(
      'protocol bgp x { local as 1; neighbor 10.0.0.1 as 2; ipv4 { import where 1 = 1; export none; }; path metric on; }',
    );
  });

  test('properties keep their names', () => {
    good(
      'function f(int len; int asn) -> int { return net.len + len + bgp_path.len + (1, 2).asn + asn; } protocol device { }',
    );
  });

  test('an interface behind an address may have any name, and the word stays one', () => {
    good(
      'protocol bgp x { local as 1; neighbor fe80::1%local as 2; ipv6 { import all; export none; }; } protocol bgp y { local as 1; neighbor fe80::1%source as 2; ipv6 { import where source = RTS_BGP; export none; }; }',
    );
  });
});

describe('and is refused then', () => {
  test.each([
    [
      'where the word is wanted',
      `define metric = 3;\n${PEER}`,
      "expected metric after path, found the symbol 'metric'",
      'metric is a name since /etc/bird/bird.conf line 1: choose another one there',
    ],
    [
      'where a protocol is wanted',
      'protocol static static { ipv4; }\nprotocol static other { ipv4; }',
      'expected a protocol',
      'static is a name since /etc/bird/bird.conf line 1: choose another one there',
    ],
    [
      'where the word is wanted after a name in apostrophes',
      `define 'metric' = 3;\n${PEER}`,
      "expected metric after path, found the symbol 'metric'",
      'metric is a name since /etc/bird/bird.conf line 1: choose another one there',
    ],
    [
      'where a statement is wanted',
      'protocol device { }\ndefine accept = 3; filter f { accept; }',
      "expected '=', '(' or '.' after 'accept', found ';'",
      'accept is a name since /etc/bird/bird.conf line 2: choose another one there',
    ],
    [
      'where a type is wanted',
      'protocol device { } define int = 3;\nfilter f { int a; accept; }',
      "expected '=', '(' or '.' after 'int', found 'a'",
      'int is a name since /etc/bird/bird.conf line 1: choose another one there',
    ],
    [
      'twice in one scope',
      'protocol device { } function f(int first; int first) -> int { return first; }',
      "'first' is already defined here",
      undefined,
    ],
    [
      'outside of its scope',
      'protocol device { } function f() -> int { { int limit = 1; } return limit; }',
      "'limit' is not defined",
      undefined,
    ],
    [
      'in another arm of a case',
      'protocol device { } function f(int a) -> int { case a { 1: int limit = 1; else: limit = 3; } return 1; }',
      "'limit' is not defined",
      undefined,
    ],
    [
      'where it is a constant of an enum',
      'protocol device { } define RTS_BGP = 3;',
      "'RTS_BGP' is a name of the language",
      undefined,
    ],
  ])('%s', (_, text, message, hint) => {
    const { errors } = read(text, { dialect: '2.x' });
    expect(errors[0]).toMatchObject({ message, ...(hint === undefined ? {} : { hint }) });
  });
});

test('1.6 takes none, with apostrophes and without', () => {
  for (const name of ['limit', "'limit'"]) {
    const { errors } = read(`protocol device { } define ${name} = 3;`, { dialect: '1.6' });
    expect(errors[0]?.message).toBe('expected the name of the constant, but limit is a word of the language');
  }
});
