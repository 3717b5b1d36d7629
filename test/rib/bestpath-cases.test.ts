// Best-path cases transcribed from the tests of seven other speakers: candidates, winner and deciding step. Those
// whose verdict is another speaker's own policy are listed with what this one says instead, and why.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Candidate, DecisionLab } from './decision-lab.ts';

const FILE = fileURLToPath(new URL('../../../shared/data/corpus/bestpath_cases.json', import.meta.url));

const CANDIDATE = z.object({
  type: z.enum(['ebgp', 'ibgp', 'confed']).optional(),
  peer_id: z.string().optional(),
  peer_addr: z.string().optional(),
  local_pref: z.number().nullish(),
  as_path: z.array(z.number()).optional(),
  as_path_len: z.number().optional(),
  as_path_segments: z.array(z.tuple([z.string()], z.number())).optional(),
  origin: z.union([z.enum(['IGP', 'EGP', 'INCOMPLETE']), z.number()]).optional(),
  med: z.number().optional(),
  igp_metric: z.number().optional(),
  nexthop_ok: z.boolean().optional(),
  as_loop: z.boolean().optional(),
  originator_id: z.string().optional(),
  cluster_list: z.array(z.string()).optional(),
  communities: z.array(z.string()).optional(),
  t: z.number().optional(),
  age_s: z.number().optional(),
});
const CASE = z.object({
  name: z.string(),
  config: z.object({
    med: z.string().optional(),
    route_age: z.string().optional(),
    external_compare_router_id: z.boolean().optional(),
    add_order: z.array(z.number()).optional(),
  }),
  candidates: z.array(CANDIDATE),
  winner: z.number().nullable(),
  decided_by: z.string(),
  order: z.array(z.number()).optional(),
});
type Case = z.infer<typeof CASE>;
type RawCandidate = z.infer<typeof CANDIDATE>;

/** The file's words for the deciding step -> the number here; `out` = the loser took no part. */
const STEP_OF: readonly [RegExp, number | 'out'][] = [
  [/^nexthop reachability|^loop/, 'out'],
  [/^LLGR_STALE/, 1],
  [/^local_pref/, 3],
  [/^as_path length/, 6],
  [/^origin$/, 7],
  [/^MED/, 8],
  [/^ebgp over ibgp/, 9],
  [/^IGP metric/, 10],
  [/^route age|^oldest eBGP/, 11],
  [/^router-id|^originator.id/, 12],
  [/^cluster list length$|^CLUSTER_LIST length/, 13],
  [/^peer address/, 14],
];

/** Where this speaker differs: the winner and the step of the loser, by the case's name. */
const OWN_VERDICTS: Readonly<Record<string, { winner: number; step: number; why: string }>> = {
  'cluster_list_beats_originator_id (NON-RFC order)': {
    winner: 1,
    step: 12,
    why: 'RFC 4456 §9 compares identifiers before the length of CLUSTER_LIST',
  },
  'stale_demotion_beats_local_pref (rustbgpd policy, not in RFC 4724)': {
    winner: 0,
    step: 3,
    why: 'RFC 4724 does not demote stale routes',
  },
};

/** Candidates that differ only in what this decision does not know. */
const NOT_KNOWN_HERE: Readonly<Record<string, string>> = {
  'local weight (OpenBGPD specific)': 'there is no local weight',
  'route age evaluate: older wins': 'one peer cannot have two paths without path identifiers',
  'non_stale_beats_stale (rustbgpd policy)': 'staleness is not a criterion of RFC 4271',
};

function asPathOf(raw: RawCandidate): string {
  if (raw.as_path !== undefined) return raw.as_path.join(' ');
  if (raw.as_path_segments !== undefined) {
    const brackets: Record<string, [string, string]> = {
      seq: ['', ''],
      set: ['{', '}'],
      confed_seq: ['(', ')'],
    };
    return raw.as_path_segments
      .map(([kind, ...ases]) => brackets[kind]![0] + ases.join(' ') + brackets[kind]![1])
      .join(' ');
  }
  return Array.from({ length: raw.as_path_len ?? 1 }, () => '65001').join(' ');
}

function candidateOf(raw: RawCandidate): Candidate {
  const { origin } = raw;
  return {
    source: raw.type === 'ibgp' ? 'internal' : 'external',
    ...(raw.peer_id !== undefined && { routerId: raw.peer_id }),
    ...(raw.peer_addr !== undefined && { address: raw.peer_addr }),
    reachable: raw.nexthop_ok ?? true,
    accepted: raw.as_loop !== true,
    metric: raw.igp_metric ?? 0,
    attributes: {
      asPath: asPathOf(raw),
      ...(raw.communities !== undefined && { communities: raw.communities }),
      origin: typeof origin === 'number' ? (['IGP', 'EGP', 'INCOMPLETE'] as const)[origin] : origin,
      med: raw.med,
      localPref: raw.local_pref ?? undefined,
      originatorId: raw.originator_id,
      clusterList: raw.cluster_list ?? [],
      communities: raw.communities ?? [],
    },
  };
}

/** The candidate that is older than all others, if there is one. */
function oldestOf(candidates: readonly RawCandidate[]): number | undefined {
  const ages = candidates.map((raw) => raw.age_s ?? (raw.t === undefined ? 0 : -raw.t));
  const most = Math.max(...ages);
  return ages.filter((age) => age === most).length === 1 ? ages.indexOf(most) : undefined;
}

function labOf({ candidates, config }: Case): { lab: DecisionLab; current: number | undefined } {
  const preferOldest = config.route_age === 'evaluate' || config.external_compare_router_id === false;
  const options = { alwaysCompareMed: config.med === 'always', preferOldest };
  const lab = new DecisionLab(candidates.map(candidateOf), options, config.add_order);
  return { lab, current: preferOldest ? oldestOf(candidates) : undefined };
}

function stepOf(decidedBy: string): number | 'out' {
  const row = STEP_OF.find(([pattern]) => pattern.test(decidedBy));
  if (row === undefined) throw new Error(`unknown step: ${decidedBy}`);
  return row[1];
}

describe.skipIf(!existsSync(FILE))(
  'best-path cases of other speakers (skipped without ../shared/data)',
  () => {
    const cases = existsSync(FILE)
      ? z.object({ cases: z.array(CASE) }).parse(JSON.parse(readFileSync(FILE, 'utf8'))).cases
      : [];

    it('are all there, and all exceptions are among them', () => {
      expect(cases).toHaveLength(71);
      const names = cases.map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining([...Object.keys(OWN_VERDICTS), ...Object.keys(NOT_KNOWN_HERE)]),
      );
    });

    const paired = cases.filter(
      ({ name, candidates }) => candidates.length === 2 && !(name in NOT_KNOWN_HERE),
    );
    it.each(paired)('$name: $decided_by', (each) => {
      const own = OWN_VERDICTS[each.name];
      const winner = own?.winner ?? each.winner;
      const step = own?.step ?? stepOf(each.decided_by);
      const { lab, current } = labOf(each);
      expect(lab.best(current)).toBe(winner);
      const loser = winner === 0 ? 1 : 0;
      const lost = lab
        .rank(9, current === undefined ? 0 : lab.rows[current]!)
        .find((path) => path.index === loser);
      expect(lost?.step ?? 'out').toBe(step);
    });

    it.each(cases.filter(({ name }) => name in NOT_KNOWN_HERE))('$name: equal in every step', (each) => {
      const { lab } = labOf(each);
      expect(lab.lostAt(1) === 0 ? lab.lostAt(0) : lab.lostAt(1)).toBe(15);
    });

    it.each(cases.filter(({ config }) => config.add_order !== undefined))('$name', (each) => {
      const { lab } = labOf(each);
      expect(lab.best()).toBe(each.winner);
      expect([lab.lostAt(1), lab.lostAt(2)]).toEqual([8, 12]);
    });

    it.each(cases.filter(({ order }) => order !== undefined))('$name, as a ranking', (each) => {
      expect(
        labOf(each)
          .lab.rank()
          .map(({ index }) => index),
      ).toEqual(each.order);
    });

    it('three eBGP peers with always-compare-med: the lowest MED wins', () => {
      const each = cases.find(({ name }) => name.startsWith('three eBGP peers'))!;
      const { lab } = labOf(each);
      expect(lab.best()).toBe(each.winner);
      expect([lab.lostAt(0), lab.lostAt(1)]).toEqual([8, 8]);
    });

    it('MED intransitivity: what lost by MED stays out', () => {
      const { lab } = labOf(cases.find(({ name }) => name === 'MED intransitivity')!);
      expect(lab.lostAt(0)).toBe(8);
      expect(lab.best()).not.toBe(0);
    });

    it('leaves no case out', () => {
      const tested = cases.filter(
        ({ name, candidates, config, order }) =>
          candidates.length === 2 ||
          config.add_order !== undefined ||
          order !== undefined ||
          name.startsWith('three eBGP peers') ||
          name === 'MED intransitivity',
      );
      expect(tested).toHaveLength(cases.length);
    });
  },
);
