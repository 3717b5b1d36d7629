import { describe, expect, it } from 'vitest';
import { encodeSegments } from '../../src/bgp/wire/as-path.ts';
import { ATTRIBUTE } from '../../src/bgp/wire/iana.ts';
import { OUTCOME } from '../../src/policy/filter.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { FilterPool } from '../../src/policy/program.ts';
import { NO_TABLES } from '../../src/policy/route-access.ts';
import { bgpRoute, evaluate, lab, run, staticRoute } from './harness.ts';
import { STATEMENTS, STATEMENTS_2, TERMS } from './tables.ts';

describe('terms', () => {
  it.each(TERMS.map(([term, two, one]) => ({ term, two, one })))('$term', ({ term, two, one }) => {
    expect(evaluate(term, '2.x')).toBe(two);
    expect(evaluate(term, '1.6')).toBe(one ?? two);
  });
});

const THE_END = 'END';

function outcomeOf(body: string, dialect: Dialect): readonly string[] {
  const { outcome, lines } = run(`${body} accept "${THE_END}";`, { dialect });
  if (outcome === OUTCOME.failed) return ['!'];
  expect(lines.at(-1)).toBe(THE_END);
  return lines.slice(0, -1);
}

describe('statements', () => {
  it.each(STATEMENTS.map(([body, two, one]) => ({ body, two, one })))('$body', ({ body, two, one }) => {
    expect(outcomeOf(body, '2.x')).toEqual(two);
    expect(outcomeOf(body, '1.6')).toEqual(one ?? two);
  });

  it.each(STATEMENTS_2.map(([body, printed]) => ({ body, printed })))('$body', ({ body, printed }) => {
    expect(outcomeOf(body, '2.x')).toEqual(printed);
  });

  it('has blocks, initial values and loops in 2.x', () => {
    expect(run('int a = 5; { int a = 6; print a; } print a; accept;').lines).toEqual(['6', '5']);
    expect(
      run(
        'bgp_path.prepend(1); bgp_path.prepend(2); for int i in bgp_path do { print i; if i = 2 then reject; }',
      ),
    ).toMatchObject({ lines: ['2'], outcome: OUTCOME.reject });
    expect(run('bgp_community.add((1,2)); for pair p in bgp_community do print p; accept;').lines).toEqual([
      '(1,2)',
    ]);
    expect(
      run('clist c = add(-empty-, (1,2)); c.add((3,4)); print c, c.add((5,6)).len; accept;').lines,
    ).toEqual(['(clist (1,2) (3,4))3']);
  });

  it('appends strings in 2.x', () => {
    expect(run('print append("a", "b") ++ "c"; accept;').lines).toEqual(['abc']);
  });

  it('rejects what falls off the end, and says so', () => {
    expect(run('print 1;')).toMatchObject({ outcome: OUTCOME.failed, lines: ['1'] });
    expect(run('error "x";')).toMatchObject({ outcome: OUTCOME.failed, lines: ['x'] });
  });
});

describe('functions', () => {
  const before = `
    function ret0() { print "in"; }
    function acc() { accept "acc"; }
    function loc(int a) int b; { print b; b = a; return b; }
    function par(int a; int b) { a = a + 1; return a + b; }
    define AB = 5;
    function rec(int a) { if a > 3 then return a; return rec(a + 1); }
    function forever(int a) { return forever(a); }
    function is(prefix set s) { return net ~ s; }`;

  it.each([
    ['print ret0();', ['in', '(void)', THE_END]],
    ['if acc() then print "no";', ['acc']],
    ['acc();', ['acc']],
    ['print loc(3); print loc(4);', ['(void)', '3', '(void)', '4', THE_END]],
    ['print par(par(1, 2), 2);', ['7', THE_END]],
    ['print rec(0);', ['4', THE_END]],
    ['print is([10.0.0.0/8+]), is([11.0.0.0/8+]);', ['TRUEFALSE', THE_END]],
    ['print AB, [AB], (AB,AB), [= AB * =];', ['5[5](5,5)[= 5 * =]', THE_END]],
  ])('%s', (body, lines) => {
    expect(run(`${body} accept "${THE_END}";`, { before })).toMatchObject({ outcome: OUTCOME.accept, lines });
  });

  // What BIRD 2.0.12 prints of it, whose stack holds what was computed last where the first variable is.
  it('makes sets before it runs, of what there is then', () => {
    const sets = `
      define k = 7;
      function g() { return 5; }
      function f(int a; int b) {
        print [(a, *), (1, a), (2..a, 3), (a, a)..(9, 9)];
        print [(4, a, 1)], [(g()), (a), 9..(a)];
        return 1;
      }`;
    const lines = ['[(1,1), (2,3), (3,3)..(9,9), (7,0)..(7,65535)]', '[(4, 4, 1)][5, 5, 9..5]', THE_END];
    expect(run(`f(3, 4); accept "${THE_END}";`, { before: sets }).lines).toEqual(lines);
    const { program } = lab(`${sets} filter t { f(3, 4); accept; }`);
    const prints = program
      .filter('t')!
      .explain(staticRoute())
      .events.filter(({ kind }) => kind === 'print');
    expect(prints.map(({ text }) => text)).toEqual(lines.slice(0, -1).map((line) => `print ${line}`));
  });

  it('knows filters apart whose sets were made of something else', () => {
    const pool = new FilterPool();
    const filterAfter = (constant: number) =>
      lab(
        `define k = ${constant}; function f(int a) { return (1, 2) ~ [(a, *)]; } filter t { if f(1) then accept; }`,
        '2.x',
        NO_TABLES,
        pool,
      ).program.filter('t');
    expect(filterAfter(1)).toBe(filterAfter(1));
    expect(filterAfter(1)).not.toBe(filterAfter(2));
  });

  it('never shows a string that a set would be made of', () => {
    const { diagnostics } = lab('define secret = "hidden"; function f(int a) { return (1, 2) ~ [(a, *)]; }');
    expect(diagnostics.hasErrors).toBe(true);
    expect(diagnostics.list.map(({ message }) => message).join()).not.toContain('hidden');
  });

  it('ends endless recursion', () => {
    expect(run('forever(1); accept;', { before }).outcome).toBe(OUTCOME.failed);
  });
});

describe('path attributes', () => {
  const path = encodeSegments([{ type: 2, ases: [64512, 64513] }]);

  it('leaves the octets alone where nothing changes', () => {
    const route = bgpRoute((editor) =>
      editor.set(ATTRIBUTE.asPath, path).setUint32(ATTRIBUTE.localPref, 100),
    );
    const { outcome } = run('if bgp_path ~ [= 64512 * =] && bgp_local_pref = 100 then accept; reject;', {
      route,
    });
    expect(outcome).toBe(OUTCOME.accept);
    expect(route.changed).toBe(false);
  });

  it('writes through an editor', () => {
    const route = bgpRoute((editor) =>
      editor.set(ATTRIBUTE.asPath, path).setUint32(ATTRIBUTE.multiExitDisc, 7),
    );
    run(
      'bgp_path.prepend(65000); unset(bgp_med); bgp_local_pref = 2147483647 - 1024; bgp_community.add((65000, 1)); accept;',
      { route },
    );
    expect(route.changed).toBe(true);
    const { bytes, offset, length } = route.result();
    const editor = bgpRoute().result();
    expect(editor.length).toBe(0);
    const after = bgpRoute((target) => target.load(bytes, offset, length));
    expect(
      run('print bgp_path, defined(bgp_med), bgp_local_pref, bgp_community; accept;', { route: after }).lines,
    ).toEqual(['(path 65000 64512 64513)FALSE2147482623(clist (65000,1))']);
  });

  it('does not leave empty lists in the set', () => {
    const route = bgpRoute((editor) => editor.set(ATTRIBUTE.communities, Uint8Array.of(0, 1, 0, 2)));
    run('bgp_community = -empty-; accept;', { route });
    expect(route.changed).toBe(true);
    expect(route.result().length).toBe(0);
  });

  it('reads the next hop and the peer', () => {
    const { lines } = run(
      'print from, " ", bgp_next_hop, " ", bgp_next_hop ~ 192.0.2.0/24; bgp_next_hop = 9.9.9.9; accept;',
      {
        route: bgpRoute(),
      },
    );
    expect(lines).toEqual(['192.0.2.1 192.0.2.1 TRUE']);
  });

  it('keeps IPv4 and IPv6 apart', () => {
    const route = staticRoute([0x20010db8, 0, 0, 0], 32);
    expect(run('print net, net ~ [0.0.0.0/0+], net ~ 2001::/16; accept;', { route }).lines).toEqual([
      '2001:db8::/32FALSETRUE',
    ]);
  });
});
