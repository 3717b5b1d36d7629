import { describe, expect, it } from 'vitest';
import { parseAsPath } from '../../src/bgp/wire/as-path.ts';
import { ATTRIBUTE } from '../../src/bgp/wire/iana.ts';
import { OUTCOME, placeOf } from '../../src/policy/filter.ts';
import { tokenize } from '../../src/policy/lexer.ts';
import { parseFilterUse, parsePolicy } from '../../src/policy/parser.ts';
import { FilterPool } from '../../src/policy/program.ts';
import { ROA } from '../../src/policy/route-access.ts';
import { Source } from '../../src/policy/source.ts';
import { TokenReader } from '../../src/policy/token-reader.ts';
import { bgpRoute, lab, run } from './harness.ts';

const LIBRARY = `
function local() { return bgp_local_pref = 200; }
function near() { return net ~ [10.0.0.0/8+]; }
filter all_paths { if bgp_path ~ [= 1 * =] then { bgp_med = 5; accept; } reject; }
filter prefixes { if near() then accept; reject; }
filter nothing { reject; }
filter speaks { print "x"; accept; }
filter calls { if local() then accept; reject; }`;

describe('facts', () => {
  const { program } = lab(LIBRARY);
  const facts = (name: string) => {
    const { reads, writes, dependsOnPrefix, prints } = program.filter(name)!.facts;
    return {
      reads: [...reads].map((row) => row.name),
      writes: [...writes].map((row) => row.name),
      dependsOnPrefix,
      prints,
    };
  };

  it('say on what a result depends', () => {
    expect(facts('all_paths')).toEqual({
      reads: ['bgp_path'],
      writes: ['bgp_med'],
      dependsOnPrefix: false,
      prints: false,
    });
    expect(facts('prefixes')).toMatchObject({ reads: ['net'], dependsOnPrefix: true });
    expect(facts('calls')).toMatchObject({ reads: ['bgp_local_pref'], dependsOnPrefix: false });
    expect(facts('speaks').prints).toBe(true);
  });

  it('know trivial filters', () => {
    expect(program.filter('nothing')!.trivial).toBe('reject');
    expect(program.filter('speaks')!.trivial).toBeUndefined();
    expect(program.trivial('accept').evaluate(bgpRoute())).toBe(OUTCOME.accept);
  });
});

describe('equal filters', () => {
  it('are one object, over reloads too', () => {
    const pool = new FilterPool();
    const first = lab(LIBRARY, '2.x', undefined, pool).program;
    const second = lab(LIBRARY.replaceAll(' = 200', '   =  200 '), '2.x', undefined, pool).program;
    expect(second.filter('calls')).toBe(first.filter('calls'));
    const third = lab(LIBRARY.replace('200', '201'), '2.x', undefined, pool).program;
    expect(third.filter('calls')).not.toBe(first.filter('calls'));
    expect(third.filter('prefixes')).toBe(first.filter('prefixes'));
  });

  it('notice constants', () => {
    const pool = new FilterPool();
    const text = (as: number) =>
      `define A = ${as}; define M = [= A * =]; filter f { if bgp_path ~ M then accept; reject; }`;
    const one = lab(text(1), '2.x', undefined, pool).program.filter('f');
    expect(lab(text(1), '2.x', undefined, pool).program.filter('f')).toBe(one);
    expect(lab(text(2), '2.x', undefined, pool).program.filter('f')).not.toBe(one);
  });

  it('can be forgotten', () => {
    const pool = new FilterPool();
    const { program } = lab(LIBRARY, '2.x', undefined, pool);
    pool.retain(new Set([program.filter('nothing')!]));
    expect(pool.size).toBe(1);
  });
});

describe('explaining', () => {
  const text = `function f(int a) {
  if a > 1 then
    reject;
}
filter t {
  bgp_med = 7;
  if bgp_path.len = 2 then {
    f(bgp_path.len);
  }
  accept;
}`;

  it('shows the statements that ran, and the one that decided', () => {
    const { program, errors } = lab(text);
    const route = bgpRoute((editor) => editor.set(ATTRIBUTE.asPath, parseAsPath('1 2')!));
    const { outcome, events, decision } = program.filter('t')!.explain(route);
    expect(outcome).toBe(OUTCOME.reject);
    expect(events.map((event) => `${placeOf(event)} ${event.kind} ${event.text}`)).toEqual([
      'test.conf:6 assign bgp_med = 7',
      'test.conf:7 condition true',
      'test.conf:8 call f()',
      'test.conf:2 condition true',
      'test.conf:3 verdict reject',
    ]);
    expect(decision?.span.start).toBe(text.indexOf('reject'));
    expect(errors).toEqual([]);
  });

  it('shows where a filter could not go on', () => {
    const { program, errors } = lab('filter t {\n  accept bgp_med + 1;\n}');
    const { outcome, decision } = program.filter('t')!.explain(bgpRoute());
    expect(outcome).toBe(OUTCOME.failed);
    expect(decision).toMatchObject({ kind: 'error', text: "'+' needs ints, got void" });
    // Told in the record, not to the log: nothing was rejected.
    expect(errors).toEqual([]);
  });

  it('changes nothing of later runs', () => {
    const { program } = lab(text);
    program.filter('t')!.explain(bgpRoute());
    expect(program.filter('t')!.evaluate(bgpRoute())).toBe(OUTCOME.accept);
  });
});

describe('uses', () => {
  const uses = (text: string, before = 'filter known { accept; }') => {
    const { program, diagnostics } = lab(before);
    const reader = new TokenReader(tokenize(new Source('use', text), '2.x', diagnostics), '2.x', diagnostics);
    return { filter: program.use(parseFilterUse(reader)), diagnostics, program };
  };

  it('of all, none, names, bodies and conditions', () => {
    expect(uses('all').filter?.trivial).toBe('accept');
    expect(uses('none').filter?.trivial).toBe('reject');
    const named = uses('filter known');
    expect(named.filter).toBe(named.program.filter('known'));
    expect(uses('filter int a; { a = 1; if a = 1 then reject; accept; }').filter?.evaluate(bgpRoute())).toBe(
      OUTCOME.reject,
    );
    expect(uses('where net ~ 10.0.0.0/8').filter?.evaluate(bgpRoute())).toBe(OUTCOME.accept);
    expect(uses('where net ~ 11.0.0.0/8').filter?.evaluate(bgpRoute())).toBe(OUTCOME.reject);
  });

  it('of a name that is none', () => {
    const { filter, diagnostics } = uses('filter unknown');
    expect(filter).toBeUndefined();
    expect(diagnostics.list[0]?.message).toBe("there is no filter 'unknown'");
  });
});

describe('tables', () => {
  const tables = {
    roaCheck: (table: string, prefix: { length: number }, as: number) =>
      table === 'r' && prefix.length === 24 && as === 2 ? ROA.valid : ROA.invalid,
    aspaCheck: () => ROA.valid,
  };

  it('are asked by roa_check', () => {
    const { program, diagnostics } = lab('', '2.x', tables);
    const text =
      'function f() { if roa_check(r) = ROA_VALID && roa_check(r, net, 1) = ROA_INVALID then accept; }';
    const name = (word: string) => ({
      kind: 'name' as const,
      name: word,
      quoted: false,
      span: { source: new Source('t', ''), start: 0, end: 0 },
    });
    program.declare(name('r'), { kind: 'table', of: 'roa4' });
    for (const definition of parsePolicy(
      new Source('t', `${text} filter t { f(); reject; }`),
      '2.x',
      diagnostics,
    ))
      program.add(definition);
    const filter = program.filter('t')!;
    expect(filter.facts.tables).toEqual(new Set(['r']));
    expect(filter.facts.dependsOnPrefix).toBe(true);
    const route = (path: string) => bgpRoute((editor) => editor.set(ATTRIBUTE.asPath, parseAsPath(path)!));
    expect([filter.evaluate(route('1 2')), filter.evaluate(route('2 1'))]).toEqual([
      OUTCOME.accept,
      OUTCOME.reject,
    ]);
  });

  it('must be there', () => {
    const { diagnostics } = lab(
      'filter f { if roa_check(nosuch) = ROA_VALID then accept; reject; }',
      '2.x',
      tables,
    );
    expect(diagnostics.list[0]?.message).toBe("'nosuch' is no table");
  });
});

describe('custom attributes', () => {
  it('are there for filters that come later', () => {
    const before = 'attribute int colour; attribute bgp 200 bytestring raw;';
    const body =
      'print defined(colour); colour = 5; raw = from_hex("0a0b"); print colour, raw; unset(colour); print defined(colour); accept;';
    const { lines, route, outcome } = run(body, { before });
    expect(outcome).toBe(OUTCOME.accept);
    expect(lines).toEqual(['FALSE', '50a0b', 'FALSE']);
    const { bytes, offset, length } = route.result();
    expect([...bytes.subarray(offset, offset + length)].slice(1)).toEqual([200, 2, 10, 11]);
  });

  it('cannot be of every type', () => {
    expect(lab('attribute pair x;').diagnostics.list[0]?.message).toBe('attributes cannot be of type pair');
  });
});

describe('a quiet filter', () => {
  it('prints and complains of nothing, but in the record', () => {
    const { program, lines, errors } = lab('filter t { print "hello"; accept bgp_med + 1; }');
    const filter = program.filter('t')!;
    const { outcome, events } = filter.explain(bgpRoute());
    expect(outcome).toBe(OUTCOME.failed);
    expect(events.map(({ kind, text }) => [kind, text])).toEqual([
      ['print', 'print hello'],
      ['error', "'+' needs ints, got void"],
    ]);
    filter.quiet = true;
    filter.evaluate(bgpRoute());
    expect([lines, errors]).toEqual([[], []]);
    filter.quiet = false;
    filter.evaluate(bgpRoute());
    expect(lines).toEqual(['hello']);
    expect(errors).toHaveLength(1);
  });
});
