// What a configuration would change is told before it is applied, and applying it then changes just that.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { ImpactView } from '../../src/speaker/api.ts';
import { impactOf } from '../../src/speaker/impact.ts';
import { announce, around, inputOf, openPolicies, PEERS, step } from './random-filters.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type Rig, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const IBGP = '10.0.0.4';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.128/25';
const PATIENCE_MS = 60_000;

function between(a: RigPeer['config'], b: RigPeer['config'] = {}): Record<string, RigPeer> {
  return {
    [A]: { as: 65002, config: { ...a } },
    [B]: { as: 65003, config: { ...b } },
    [IBGP]: { as: OWN_AS },
  };
}

function inputFor(peers: Readonly<Record<string, RigPeer>>): ConfigInput {
  return {
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peers: Object.entries(peers).map(([address, peer]) => peerInput(address, peer)),
  };
}

async function impact({ lab, speaker }: Rig, input: ConfigInput, limit = 100): Promise<ImpactView> {
  const result = parseConfig(JSON.stringify(input), 'next.yaml', {}, () => '', {
    hostname: 'godwit',
    addresses: [],
  });
  if (!result.ok) throw new Error(result.issues.map(({ message }) => message).join());
  let view: ImpactView | undefined;
  void impactOf(speaker.speaker, result.config, limit).then((found) => {
    view = found;
  });
  await lab.settle();
  if (view === undefined) throw new Error('the walk does not end');
  return view;
}

/** `+ import A prefix: detail`, one a route. */
function lines({ routes }: ImpactView): string[] {
  return routes.map(({ change, direction, peer, prefix, detail }) =>
    `${change} ${direction} ${peer} ${prefix} ${detail}`.trim(),
  );
}

async function started(): Promise<Rig> {
  const before = await rig(between({ import: 'if net.len > 24 then reject; accept;' }));
  before.peer(A).announce([P1, P2, P3], { med: 7 });
  before.peer(B).announce([P2], { asPath: '65003 65010 65011' });
  await before.lab.settle();
  return before;
}

describe('the impact of a configuration', () => {
  it('is none where nothing differs', async () => {
    const before = await started();
    const same = await impact(before, inputFor(between({ import: 'if net.len > 24 then reject; accept;' })));
    expect(same).toEqual({ changes: [], counts: [], routes: [], more: 0 });
  });

  it('names what an import filter would take, refuse and change, and what the others would see of it', async () => {
    const before = await started();
    const next = between({
      import:
        'if net ~ 198.51.100.0/24 then reject; if net = 192.0.2.0/24 then bgp_local_pref = 200; accept;',
    });
    const told = await impact(before, inputFor(next));
    expect(told.changes).toHaveLength(1);
    expect(lines(told).sort()).toEqual(
      [
        `modified import ${A} ${P1} localPref 100 -> 200`,
        `removed import ${A} ${P2}`,
        `added import ${A} ${P3}`,
        `modified export ${IBGP} ${P1} localPref 100 -> 200`,
        // The path of B is best then: A gets it, and B no longer has A's.
        `modified export ${IBGP} ${P2} asPath 65002 -> 65003 65010 65011, med 7 -> none`,
        `added export ${A} ${P2}`,
        `removed export ${B} ${P2}`,
        `added export ${B} ${P3}`,
        `added export ${IBGP} ${P3}`,
      ].sort(),
    );
    expect(told.counts).toContainEqual({ peer: A, direction: 'import', added: 1, removed: 1, modified: 1 });
  });

  it('names what an export filter would change, and only that', async () => {
    const before = await started();
    const next = between(
      { import: 'if net.len > 24 then reject; accept;' },
      { export: 'if net = 192.0.2.0/24 then reject; bgp_community.add((65000,1)); accept;' },
    );
    const told = await impact(before, inputFor(next), 1);
    expect(told.counts).toEqual([{ peer: B, direction: 'export', added: 0, removed: 1, modified: 1 }]);
    expect(told.routes).toHaveLength(1);
    expect(told.more).toBe(1);
  });

  it('leaves everything as it is, references included, and is what then happens', async () => {
    const before = await started();
    const { speaker, lab, peer } = before;
    const { attrs } = speaker.speaker.rib;
    const references = () => Array.from({ length: attrs.limit }, (_, id) => attrs.references(id)).join();
    const sets = references();
    const routes = speaker.routes();
    const next = inputFor(between({ import: 'if net ~ 198.51.100.0/24 then reject; bgp_med = 1; accept;' }));
    peer(IBGP).clear();
    const told = await impact(before, next);
    expect(references().startsWith(sets)).toBe(true);
    expect(speaker.routes()).toEqual(routes);
    expect(peer(IBGP).updates).toEqual([]);
    await speaker.reload(next);
    await lab.settle();
    const changed = told.routes.filter(
      ({ peer: name, direction }) => name === IBGP && direction === 'export',
    );
    expect(new Set(peer(IBGP).updates.flatMap(({ announced }) => announced))).toEqual(
      new Set(changed.map(({ prefix }) => prefix)),
    );
    expect(await impact(before, next)).toEqual({ changes: [], counts: [], routes: [], more: 0 });
  });
});

describe('whatever filters change', () => {
  /** What a peer has: prefix -> everything of the route. */
  const tables = (where: Rig) =>
    PEERS.map((address) => {
      const table = [...where.peer(address).table].map(
        ([prefix, route]) => [prefix, JSON.stringify(route)] as const,
      );
      return { address, table: new Map(table) };
    });
  const accepted = (where: Rig) =>
    new Set(
      where.speaker.routes().flatMap(({ eligible, peer, prefix }) => (eligible ? `${peer} ${prefix}` : [])),
    );

  it(
    'what was told is what happens',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
          const policies = openPolicies();
          const live = await rig(around(policies, false));
          const there = new Set<string>();
          for (const each of steps) {
            if (each.do === 'announce') {
              there.add(`${each.peer} ${each.route.prefix}`);
              announce(live, each.peer, each.route);
              await live.lab.settle();
              continue;
            }
            if (each.do === 'withdraw') {
              if (there.delete(`${each.peer} ${each.prefix}`)) live.peer(each.peer).withdraw(each.prefix);
              await live.lab.settle();
              continue;
            }
            policies[each.peer] = { ...policies[each.peer]!, [each.direction]: each.filter };
            const next = inputOf(policies, false);
            const told = await impact(live, next, 1000);
            const [before, taken] = [tables(live), accepted(live)];
            await live.speaker.reload(next);
            await live.lab.settle();
            const happened: string[] = [];
            for (const [i, { address, table }] of tables(live).entries()) {
              const old = before[i]!.table;
              for (const [prefix, route] of table) {
                if (!old.has(prefix)) happened.push(`added export ${address} ${prefix}`);
                else if (old.get(prefix) !== route) happened.push(`modified export ${address} ${prefix}`);
              }
              for (const prefix of old.keys())
                if (!table.has(prefix)) happened.push(`removed export ${address} ${prefix}`);
            }
            const now = accepted(live);
            for (const key of now) if (!taken.has(key)) happened.push(`added import ${key}`);
            for (const key of taken) if (!now.has(key)) happened.push(`removed import ${key}`);
            const expected = told.routes
              .filter(({ direction, change }) => direction === 'export' || change !== 'modified')
              .map(({ change, direction, peer, prefix }) => `${change} ${direction} ${peer} ${prefix}`);
            expect(expected.sort()).toEqual(happened.sort());
          }
        }),
        { numRuns: 25 },
      );
    },
    PATIENCE_MS,
  );
});
