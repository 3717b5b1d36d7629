import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAttributes } from '../../src/bgp/wire/attribute-values.ts';
import { DECISION_STEPS, type DecisionOptions } from '../../src/rib/decision.ts';
import { type Candidate, DecisionLab } from './decision-lab.ts';

interface StepRow {
  /** As in DECISION_STEPS. */
  readonly step: number;
  readonly ids: string;
  readonly better: Candidate;
  readonly worse: Candidate;
  readonly options?: Partial<DecisionOptions>;
}

const internal = { source: 'internal' } as const;

/** Each step with two paths that are equal up to it, where every later step would decide the other way. */
const STEPS: readonly StepRow[] = [
  {
    step: 1,
    ids: '9494-4-1',
    better: { ...internal, preference: 100, attributes: { localPref: 50, asPath: '1 2', origin: 'EGP' } },
    worse: { preference: 101, attributes: { localPref: 100, asPath: '', communities: ['65535:6'] } },
  },
  {
    step: 2,
    ids: '4271-9.1.1-1',
    better: { ...internal, preference: 101, attributes: { localPref: 50, asPath: '1 2', origin: 'EGP' } },
    worse: { preference: 100, attributes: { localPref: 100, asPath: '' } },
  },
  {
    step: 3,
    ids: '4271-9.1.2.2-1, 4271-5.1.5-1',
    better: { ...internal, attributes: { localPref: 101, asPath: '1 2 3', origin: 'EGP' } },
    worse: { source: 'local', attributes: { localPref: 100, asPath: '' } },
  },
  {
    step: 4,
    ids: '4271-9.1.2.2-1',
    better: { source: 'local', attributes: { asPath: '1 2', origin: 'INCOMPLETE', med: 9 }, metric: 9 },
    worse: { attributes: { asPath: '1' } },
  },
  {
    step: 5,
    ids: '7311-4-1',
    better: { ...internal, attributes: { aigp: '50', asPath: '1 2' }, metric: 10 },
    worse: { ...internal, attributes: { aigp: '55', asPath: '1' }, metric: 6 },
    options: { aigp: true },
  },
  {
    step: 6,
    ids: '4271-9.1.2.2-2',
    better: { ...internal, attributes: { asPath: '1 2', origin: 'INCOMPLETE', med: 9 } },
    worse: { attributes: { asPath: '1 2 3' } },
  },
  {
    step: 7,
    ids: '4271-9.1.2.2-3',
    better: { ...internal, attributes: { origin: 'IGP', med: 9 } },
    worse: { attributes: { origin: 'EGP' } },
  },
  {
    step: 7,
    ids: '4271-9.1.2.2-3',
    better: { ...internal, attributes: { origin: 'EGP', med: 9 } },
    worse: { attributes: { origin: 'INCOMPLETE' } },
  },
  {
    step: 8,
    ids: '4271-9.1.2.2-4',
    better: { ...internal, attributes: { asPath: '1 2', med: 1 } },
    worse: { attributes: { asPath: '1 3', med: 2 } },
  },
  {
    step: 8,
    ids: '4271-9.1.2.2-4 (none counts as 0)',
    better: { ...internal, attributes: { asPath: '1 2' } },
    worse: { attributes: { asPath: '1 3', med: 1 } },
  },
  {
    step: 9,
    ids: '4271-9.1.2.2-6',
    better: { metric: 9, routerId: '10.0.0.9' },
    worse: { ...internal, metric: 1, routerId: '10.0.0.1' },
  },
  {
    step: 10,
    ids: '4271-9.1.2.2-7',
    better: { ...internal, metric: 1, routerId: '10.0.0.9' },
    worse: { ...internal, metric: 2, routerId: '10.0.0.1' },
  },
  {
    step: 12,
    ids: '4271-9.1.2.2-8 (f)',
    better: {
      ...internal,
      routerId: '10.0.0.1',
      address: '192.0.2.9',
      attributes: { clusterList: ['10.8.8.8'] },
    },
    worse: { ...internal, routerId: '200.0.0.2', address: '192.0.2.1' },
  },
  {
    step: 12,
    ids: '4456-9-1 (ORIGINATOR_ID stands for the identifier)',
    better: { ...internal, routerId: '10.0.0.9', attributes: { originatorId: '10.0.0.1' } },
    worse: { ...internal, routerId: '10.0.0.2' },
  },
  {
    step: 13,
    ids: '4456-9-1 (CLUSTER_LIST)',
    better: { ...internal, address: '192.0.2.9' },
    worse: { ...internal, address: '192.0.2.1', attributes: { clusterList: ['10.8.8.8'] } },
  },
  {
    step: 14,
    ids: '4271-9.1.2.2-8 (g)',
    better: { address: '192.0.2.9', pathId: 9 },
    worse: { address: '192.0.2.10', pathId: 1 },
  },
  {
    step: 14,
    ids: '4271-9.1.2.2-8 (g), IPv4 before IPv6',
    better: { address: '192.0.2.9' },
    worse: { address: '2001:db8::1' },
  },
  { step: 15, ids: '7911-2-1', better: { pathId: 1 }, worse: { pathId: 0x80000000 } },
];

describe('each step of the decision', () => {
  it.each(STEPS)('$step: $ids', ({ step, better, worse, options }) => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const lab = new DecisionLab([better, worse], options, order);
      expect(lab.best()).toBe(0);
      expect(lab.rank()).toEqual([
        { index: 0, step: 0 },
        { index: 1, step },
      ]);
    }
  });

  it('has a row here but for step 11, which depends on what is best already', () => {
    const tested = new Set([0, 11, ...STEPS.map((row) => row.step)]);
    expect(DECISION_STEPS.map((step) => step.number)).toEqual([...tested].sort((a, b) => a - b));
    expect(DECISION_STEPS.map((step) => step.number)).toEqual(DECISION_STEPS.map((_, i) => i));
  });
});

describe('who takes part', () => {
  it('4271-9.1.2-1 leaves out a path whose next hop cannot be reached', () => {
    const lab = new DecisionLab([{ attributes: { localPref: 200 }, reachable: false }, {}]);
    expect(lab.best()).toBe(1);
    expect(lab.rank()).toEqual([{ index: 1, step: 0 }]);
  });

  it('4271-9.1.1-1 leaves out a path that import refused', () => {
    expect(new DecisionLab([{ attributes: { localPref: 200 }, accepted: false }, {}]).best()).toBe(1);
  });

  it('answers 0 where nobody does', () => {
    const lab = new DecisionLab([{ reachable: false }, { accepted: false }]);
    expect(lab.best()).toBe(-1);
    expect(lab.decision.multipathCount).toBe(0);
    expect(lab.rank()).toEqual([]);
  });
});

describe('MED', () => {
  it('4271-9.1.2.2-4 is compared only among paths of one neighbouring AS', () => {
    const lab = new DecisionLab([
      { attributes: { asPath: '1 9', med: 100 }, routerId: '10.0.0.1' },
      { attributes: { asPath: '2 9', med: 0 }, routerId: '10.0.0.2' },
    ]);
    expect(lab.best()).toBe(0);
    expect(lab.lostAt(1)).toBe(12);
  });

  it('is compared among all with alwaysCompareMed', () => {
    const lab = new DecisionLab(
      [
        { attributes: { asPath: '1 9', med: 100 }, routerId: '10.0.0.1' },
        { attributes: { asPath: '2 9', med: 0 }, routerId: '10.0.0.2' },
      ],
      { alwaysCompareMed: true },
    );
    expect(lab.best()).toBe(1);
    expect(lab.lostAt(0)).toBe(8);
  });

  it('is an unsigned number', () => {
    const lab = new DecisionLab([
      { attributes: { med: 0x80000000 }, routerId: '10.0.0.1' },
      { attributes: { med: 1 }, routerId: '10.0.0.2' },
    ]);
    expect(lab.best()).toBe(1);
  });

  it('4271-9.1.2.2-5 gives one answer, and one ranking, for every order of arrival', () => {
    const candidate: fc.Arbitrary<Candidate> = fc.record({
      source: fc.constantFrom('external', 'internal', 'confederation', 'local' as const),
      routerId: fc.constantFrom('10.0.0.1', '10.0.0.2', '200.0.0.1'),
      metric: fc.nat({ max: 2 }),
      attributes: fc.record({
        localPref: fc.constantFrom(100, 100, 200),
        asPath: fc.constantFrom('1 2', '3 2', '1 4', '', '{1 2} 3', '5'),
        med: fc.constantFrom(undefined, 0, 1, 2),
        origin: fc.constantFrom('IGP', 'IGP', 'EGP' as const),
        aigp: fc.constantFrom(undefined, '5', '6'),
        clusterList: fc.constantFrom([], ['10.8.8.8']),
      }),
    });
    const setup = fc.array(candidate, { minLength: 2, maxLength: 6 }).chain((candidates) =>
      fc.tuple(
        // Addresses of their own, so that no two are equal to the end.
        fc.constant(candidates.map((each, i) => ({ ...each, address: `192.0.2.${i + 1}` }))),
        fc.shuffledSubarray(
          candidates.map((_, i) => i),
          { minLength: candidates.length },
        ),
        fc.boolean(),
        fc.boolean(),
      ),
    );
    fc.assert(
      fc.property(setup, ([candidates, order, aigp, alwaysCompareMed]) => {
        const options = { aigp, alwaysCompareMed };
        const one = new DecisionLab(candidates, options);
        const other = new DecisionLab(candidates, options, order);
        expect(other.best()).toBe(one.best());
        expect(other.multipath()).toEqual(one.multipath());
        const few = { ...options, multipathLimit: 2, multipathRelax: true };
        expect(new DecisionLab(candidates, few, order).multipath()).toEqual(
          new DecisionLab(candidates, few).multipath(),
        );
        expect(other.rank()).toEqual(one.rank());
        expect(one.rank()[0]).toEqual({ index: one.best(), step: 0 });
        expect(
          one
            .rank()
            .map(({ index }) => index)
            .sort(),
        ).toEqual(candidates.map((_, i) => i));
        expect(one.rank(2)).toEqual(one.rank().slice(0, 2));
      }),
      { numRuns: 60 },
    );
  });

  it('ranks as if the better ones were not there', () => {
    // Path 1 loses to 0 by MED and beats 2 by router id; with 0 gone, 1 is next.
    const lab = new DecisionLab([
      { attributes: { asPath: '1 9', med: 0 }, routerId: '10.0.0.1' },
      { attributes: { asPath: '1 8', med: 5 }, routerId: '10.0.0.2' },
      { attributes: { asPath: '2 9', med: 9 }, routerId: '10.0.0.3' },
    ]);
    expect(lab.rank()).toEqual([
      { index: 0, step: 0 },
      { index: 1, step: 8 },
      { index: 2, step: 12 },
    ]);
  });
});

describe('AIGP (7311-4-1)', () => {
  const aigp = { aigp: true };

  it('puts a path without it behind all that have it', () => {
    const lab = new DecisionLab([{ attributes: { aigp: '1000000' } }, { attributes: { asPath: '' } }], aigp);
    expect(lab.best()).toBe(0);
    expect(lab.lostAt(1)).toBe(5);
  });

  it('adds the interior cost, exactly to the last of 64 bits', () => {
    const lab = new DecisionLab(
      [
        { attributes: { aigp: '9007199254740993' }, metric: 1, routerId: '10.0.0.1' },
        { attributes: { aigp: '9007199254740992' }, metric: 1, routerId: '10.0.0.2' },
      ],
      aigp,
    );
    expect(lab.best()).toBe(1);
    expect(lab.lostAt(0)).toBe(5);
  });

  it('reads the first AIGP TLV behind TLVs of other types, and does not count a value without one', () => {
    // Attribute 26: an unknown TLV of type 2, then AIGP 7; and one with the unknown TLV alone.
    const other = [2, 0, 4, 0xaa];
    const behind = Uint8Array.of(...other, 1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 7);
    const withTlvs = (value: Uint8Array) =>
      Uint8Array.of(...encodeAttributes({ asPath: '1' }), 0x80, 26, value.length, ...value);
    const lab = new DecisionLab(
      [
        { attributes: { asPath: '1', aigp: '8' } },
        { bytes: withTlvs(behind) },
        { bytes: withTlvs(Uint8Array.from(other)) },
      ],
      aigp,
    );
    expect(lab.best()).toBe(1);
    expect(lab.lostAt(0)).toBe(5);
    expect(lab.lostAt(2)).toBe(5);
  });

  it('7311-3.3-1 is not looked at where it is off', () => {
    const lab = new DecisionLab([
      { attributes: { aigp: '5', asPath: '1 2' } },
      { attributes: { asPath: '1' } },
    ]);
    expect(lab.best()).toBe(1);
  });
});

describe('the oldest eBGP path (5004-3-1)', () => {
  const oldest = { preferOldest: true };
  const pair: readonly Candidate[] = [
    { routerId: '10.0.0.1', address: '192.0.2.1' },
    { routerId: '10.0.0.2', address: '192.0.2.2' },
  ];

  it('9: keeps the current best where only later steps would change it', () => {
    const lab = new DecisionLab(pair, oldest);
    expect(lab.best(1)).toBe(1);
    expect(lab.best(0)).toBe(0);
    const rank = lab.rank(9, lab.rows[1]!);
    expect(rank).toEqual([
      { index: 1, step: 0 },
      { index: 0, step: 11 },
    ]);
  });

  it('is off by default', () => {
    expect(new DecisionLab(pair).best(1)).toBe(0);
  });

  it('does not keep a path that lost at an earlier step', () => {
    const lab = new DecisionLab([pair[0]!, { ...pair[1]!, metric: 5 }], oldest);
    expect(lab.best(1)).toBe(0);
    expect(lab.lostAt(1)).toBe(10);
  });

  it('does not hold among iBGP paths', () => {
    const lab = new DecisionLab(
      pair.map((each) => ({ ...each, source: 'internal' as const })),
      oldest,
    );
    expect(lab.best(1)).toBe(0);
  });

  it('does not hold between parallel sessions with one router', () => {
    const lab = new DecisionLab(
      pair.map((each) => ({ ...each, routerId: '10.0.0.7' })),
      oldest,
    );
    expect(lab.best(1)).toBe(0);
    expect(lab.lostAt(1)).toBe(14);
  });

  it('decides as ever where nothing is best yet, or the best is gone', () => {
    const lab = new DecisionLab(pair, oldest);
    expect(lab.best()).toBe(0);
    expect(lab.decision.select(lab.paths.first(1), 77)).toBe(lab.rows[0]);
  });
});

describe('options', () => {
  it('ignoreAsPathLength passes over step 6', () => {
    const lab = new DecisionLab(
      [{ attributes: { asPath: '1 2 3' } }, { attributes: { asPath: '1', origin: 'EGP' } }],
      { ignoreAsPathLength: true },
    );
    expect(lab.best()).toBe(0);
    expect(lab.lostAt(1)).toBe(7);
  });

  it('ignoreIgpMetric passes over step 10, and the ECMP set has them all', () => {
    const far = { metric: 50, routerId: '10.0.0.1', address: '192.0.2.1' };
    const near = { metric: 5, routerId: '10.0.0.2', address: '192.0.2.2' };
    expect(new DecisionLab([far, near]).best()).toBe(1);
    const lab = new DecisionLab([far, near, { ...near, reachable: false }], { ignoreIgpMetric: true });
    expect(lab.best()).toBe(0);
    expect(lab.lostAt(1)).toBe(12);
    expect(lab.multipath()).toEqual([0, 1]);
  });

  it('ignoreRouterId passes over step 12', () => {
    const lab = new DecisionLab(
      [
        { routerId: '10.0.0.9', address: '192.0.2.1' },
        { routerId: '10.0.0.1', address: '192.0.2.2' },
      ],
      { ignoreRouterId: true },
    );
    expect(lab.best()).toBe(0);
    expect(lab.lostAt(1)).toBe(14);
  });
});

describe('a confederation (5065-5.3-1)', () => {
  const confederation = { source: 'confederation', routerId: '10.0.0.1' } as const;
  const attributes = { asPath: '(65100) 1 2' };

  it('is internal beside eBGP', () => {
    const lab = new DecisionLab([
      { ...confederation, attributes },
      { routerId: '10.0.0.2', attributes: { asPath: '1 2' } },
    ]);
    expect(lab.best()).toBe(1);
    expect(lab.lostAt(0)).toBe(9);
  });

  it('is the same as iBGP: who is nearer, and then whose identifier is lower, decides', () => {
    const other = { ...internal, routerId: '10.0.0.2', attributes };
    expect(new DecisionLab([{ ...confederation, attributes }, other]).lostAt(1)).toBe(12);
    expect(new DecisionLab([{ ...confederation, attributes, metric: 1 }, other]).lostAt(0)).toBe(10);
  });

  it('compares MED by the AS behind it, and among paths that have not left it', () => {
    const lost = (one: string, two: string) =>
      new DecisionLab([
        { ...confederation, attributes: { asPath: one, med: 2 } },
        { ...confederation, routerId: '10.0.0.2', attributes: { asPath: two, med: 1 } },
      ]).lostAt(0);
    expect(lost('(65100) 1 2', '(65101) 1 2')).toBe(8);
    expect(lost('(65100)', '(65101)')).toBe(8);
    expect(lost('(65100) 1', '(65100) 2')).not.toBe(8);
  });
});

describe('AS_PATH length (4271-9.1.2.2-2)', () => {
  it.each([
    ['an AS_SET counts 1', '65001 {1 2 3 4}', '65001 2 3'],
    ['confederation segments count nothing (RFC 5065 §5.3)', '(65100 65101 65102) 1', '1 2'],
  ])('%s', (_name, shorter, longer) => {
    const lab = new DecisionLab([{ attributes: { asPath: longer } }, { attributes: { asPath: shorter } }]);
    expect(lab.best()).toBe(1);
    expect(lab.lostAt(0)).toBe(6);
  });
});

describe('the ECMP set', () => {
  const four = [1, 2, 3, 4].map((i) => ({ routerId: `10.0.0.${i}`, address: `192.0.2.${i}` }));

  it('holds what is equal up to the IGP metric, the best first', () => {
    expect(new DecisionLab([...four, { metric: 1 }]).multipath()).toEqual([0, 1, 2, 3]);
  });

  it('is one path where there is one, and where one is better', () => {
    expect(new DecisionLab([{}]).multipath()).toEqual([0]);
    expect(new DecisionLab([{ attributes: { localPref: 200 } }, {}]).multipath()).toEqual([0]);
  });

  it.each([1, 2, 3])('has at most %i members when told so', (multipathLimit) => {
    const lab = new DecisionLab(four, { multipathLimit });
    expect(lab.multipath()).toHaveLength(multipathLimit);
    expect(lab.multipath()[0]).toBe(0);
  });

  it('takes the lowest identifiers where there are too many, whoever came first', () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      expect(new DecisionLab(four, { multipathLimit: 2 }, order).multipath()).toEqual([0, 1]);
    }
  });

  it('wants equal AS_PATHs, unless relaxed', () => {
    const paths = ['1 2', '1 2', '1 3', '2 2'].map((asPath, i) => ({ ...four[i]!, attributes: { asPath } }));
    expect(new DecisionLab(paths).multipath()).toEqual([0, 1]);
    expect(new DecisionLab(paths, { multipathRelax: true }).multipath()).toEqual([0, 1, 2, 3]);
  });

  it('never mixes eBGP and iBGP', () => {
    const mixed = four.map((each, i) => ({
      ...each,
      source: i < 2 ? ('internal' as const) : ('external' as const),
    }));
    expect(new DecisionLab(mixed).multipath()).toEqual([2, 3]);
    const inside = four.map((each) => ({ ...each, source: 'internal' as const }));
    expect(new DecisionLab(inside).multipath()).toEqual([0, 1, 2, 3]);
  });

  it('leaves out what lost by MED', () => {
    const paths = [0, 1, 0].map((med, i) => ({ ...four[i]!, attributes: { asPath: '1 2', med } }));
    expect(new DecisionLab(paths).multipath()).toEqual([0, 2]);
  });

  it('grows with the number of candidates', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ address: `192.0.2.${i + 1}` }));
    const lab = new DecisionLab(many, { multipathLimit: 500 });
    expect(lab.multipath()).toHaveLength(200);
    expect(lab.rank()).toHaveLength(200);
    expect(lab.lostAt(199)).toBe(14);
  });
});
