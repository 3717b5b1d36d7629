import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { FilterPolicy } from '../../src/policy/filter-policy.ts';
import type { Dialect } from '../../src/policy/lexer.ts';
import { OutcomeMemo } from '../../src/policy/outcome-memo.ts';
import { Run } from '../../src/policy/run.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import type { RoutePolicy } from '../../src/rib/route-policy.ts';
import { identity, importOptions, RibLab } from '../rib/lab.ts';
import { lab } from './harness.ts';
import { generator } from './statements.ts';

function filterOf(body: string, dialect: Dialect = '2.x', before = '') {
  const { program, lines } = lab(`${before}\nfilter t { ${body} }`, dialect);
  return { filter: program.filter('t')!, lines };
}

/** The same policy without a memory. */
function forgetful(policy: FilterPolicy): RoutePolicy {
  return {
    name: policy.name,
    key: policy.key,
    afterRewrite: policy.afterRewrite,
    dependsOnPrefix: () => policy.dependsOnPrefix(),
    apply: (...route) => policy.apply(...route),
    applyInTurn: (...route) => policy.apply(...route),
    settle: () => undefined,
  };
}

/** What import made of each prefix, and how many attribute sets there are. */
function outcomes(rig: RibLab): unknown {
  const { paths, prefixes } = rig.rib.families[IPV4_UNICAST.id]!;
  const { attrs } = rig.rib;
  const seen: Record<string, unknown> = {};
  for (let row = 1; row < paths.limit; row++) {
    if (paths.prefixId(row) === 0) continue;
    const attr = paths.attrPost(row);
    const bytes = attr === 0 ? 'refused' : Buffer.from(attrs.copy(attr)).toString('hex');
    const { preference } = attrs.extrasTable.get(attrs.extras[attr]!);
    const cause = paths.reject(row);
    seen[prefixes.format(paths.prefixId(row))] = { bytes, preference, nextHop: attrs.nextHop[attr], cause };
  }
  return { seen, sets: attrs.size };
}

function peerOf(rig: RibLab, policy: RoutePolicy): RibPeer {
  return rig.rib.addPeer(identity(), importOptions({ policy }));
}

describe('which filters have few outcomes', () => {
  it.each([
    ['if net ~ [10.0.0.0/8+] then reject; accept;', true],
    ['if net ~ 10.0.0.0/8 && bgp_med = 5 then reject; accept;', true],
    ['if bgp_med = 5 || net.len > 24 then reject; accept;', true],
    ['if ! (net.len > 24 && net !~ [10.0.0.0/8+]) then reject; accept;', true],
    ['if listed() then bgp_med = 5; accept;', true],
    ['bgp_med = net.len; accept;', false],
    ['if net.len = bgp_med then reject; accept;', false],
    ['case net.len { 24: reject; else: accept; }', false],
    ['if longer(net) then reject; accept;', false],
    ['if net.len > 24 then print net; accept;', false],
    ['bool long = net.len > 24; if long then reject; accept;', false],
    ['if bgp_med = 5 then reject; accept;', false],
  ])('%s', (body, few) => {
    const functions = `
      function listed() -> bool { if net ~ [10.0.0.0/8+] then return true; return false; }
      function longer(prefix p) -> bool { return p.len > 24; }`;
    expect(filterOf(body, '2.x', functions).filter.hasFewOutcomes).toBe(few);
  });
});

describe('a memo', () => {
  it('is asked instead of the filter, and follows the questions', () => {
    const memo = new OutcomeMemo();
    const run = new Run(() => undefined);
    const asked: string[] = [];
    const answers = { a: true, b: false };
    const a = () => asked.push('a') > 0 && answers.a;
    const b = () => asked.push('b') > 0 && answers.b;
    expect(memo.find(run)).toBeUndefined();
    memo.listen();
    memo.note(a, true);
    memo.note(b, false);
    expect(memo.keep(7)).toBe(true);
    expect(memo.find(run)).toBe(7);
    expect(asked).toEqual(['a', 'b']);
    answers.b = true;
    expect(memo.find(run)).toBeUndefined();
    answers.a = false;
    expect(memo.find(run)).toBeUndefined();
    memo.listen();
    memo.note(a, false);
    memo.keep(0);
    expect(memo.find(run)).toBe(0);
    expect(Array.from({ length: memo.size }, (_, i) => memo.outcome(i))).toEqual([7, 0]);
    memo.clear();
    expect(memo.find(run)).toBeUndefined();
  });

  it('stops where there are too many questions', () => {
    const memo = new OutcomeMemo();
    memo.listen();
    for (let i = 0; i < 100; i++) memo.note(() => false, false);
    expect(memo.keep(7)).toBe(false);
    expect(memo.size).toBe(0);
    expect(memo.find(new Run(() => undefined))).toBeUndefined();
  });

  it('spares the filter most of its runs over an UPDATE', () => {
    const { filter } = filterOf('if net ~ [10.0.0.0/24] then reject; bgp_local_pref = 7; accept;');
    let runs = 0;
    const evaluate = filter.evaluate.bind(filter);
    filter.evaluate = (...given) => {
      runs++;
      return evaluate(...given);
    };
    const rig = new RibLab();
    const peer = peerOf(rig, new FilterPolicy(filter, 'import'));
    rig.announce(
      peer,
      Array.from({ length: 50 }, (_, i) => `10.0.${i}.0/24`),
      { asPath: '65001' },
    );
    expect(runs).toBe(2);
    expect(rig.rib.attrs.size).toBe(2);
  });

  it.each(['2.x', '1.6'] as const)('changes nothing: random filters and routes (%s)', (dialect) => {
    const prefix = fc
      .tuple(fc.nat(3), fc.constantFrom(22, 24, 25, 26))
      .map(([third, bits]) => `10.0.${third * 4}.0/${bits}`);
    const update = fc.uniqueArray(prefix, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.nat(), fc.array(update, { minLength: 1, maxLength: 6 }), (seed, updates) => {
        const make = generator(seed, dialect);
        const asks = 'if net ~ [10.0.0.0/21+] then bgp_med = 3; if net.len > 24 && bgp_med = 3 then reject;';
        const { filter } = filterOf(`${asks} ${make.body('import')}`, dialect);
        const rigs = [new RibLab(), new RibLab()] as const;
        const policies = rigs.map(() => new FilterPolicy(filter, 'import')) as [FilterPolicy, FilterPolicy];
        const peers = [peerOf(rigs[0], policies[0]), peerOf(rigs[1], forgetful(policies[1]))] as const;
        for (const prefixes of updates) {
          const { attributes } = make.route('');
          rigs.forEach((rig, i) => {
            rig.announce(peers[i]!, prefixes, attributes);
          });
          expect(outcomes(rigs[0])).toEqual(outcomes(rigs[1]));
        }
        rigs.forEach((rig, i) => {
          rig.withdraw(peers[i]!, [...new Set(updates.flat())]);
          rig.settle();
          expect(rig.rib.attrs.size).toBe(0);
        });
      }),
      { numRuns: 25 },
    );
  });
});
