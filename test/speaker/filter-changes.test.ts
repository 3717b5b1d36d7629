// Whatever filters change and in whatever order, together with routes that come and go: in the end everybody has what a
// speaker would give that had started with the last configuration.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announce, around, inputOf, openPolicies, PEERS, type Route, step } from './random-filters.ts';
import { type Rig, rig } from './rig.ts';

const PATIENCE_MS = 60_000;

/** What every peer has, and what the speaker thinks. */
function picture(where: Rig): unknown {
  const told = PEERS.map((address) => {
    const table = [...where.peer(address).table].map(([prefix, { attributes, nextHop }]) => {
      // Path identifiers tell paths apart and nothing else.
      return JSON.stringify([prefix.split(' ')[0], nextHop, attributes]);
    });
    return [address, table.sort()];
  });
  const routes = where.speaker.routes().map((each) => {
    return JSON.stringify([each.prefix, each.peer, each.best, each.eligible, each.attributes]);
  });
  return { told, routes: routes.sort() };
}

describe('filters that change', () => {
  it(
    'leave what a fresh start would give',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 3, maxLength: 20 }),
          fc.boolean(),
          async (steps, addPath) => {
            const policies = openPolicies();
            const there = new Map<string, { from: string; route: Route }>();
            const live = await rig(around(policies, addPath));
            for (const each of steps) {
              if (each.do === 'announce') {
                there.set(`${each.peer} ${each.route.prefix}`, { from: each.peer, route: each.route });
                announce(live, each.peer, each.route);
              } else if (each.do === 'withdraw') {
                if (there.delete(`${each.peer} ${each.prefix}`)) live.peer(each.peer).withdraw(each.prefix);
              } else {
                policies[each.peer] = { ...policies[each.peer]!, [each.direction]: each.filter };
                await live.speaker.reload(inputOf(policies, addPath));
              }
              await live.lab.settle();
            }
            const fresh = await rig(around(policies, addPath));
            for (const { from, route: each } of there.values()) announce(fresh, from, each);
            await fresh.lab.settle();
            expect(picture(live)).toEqual(picture(fresh));
            for (const line of live.speaker.states()) expect(line).toMatch(/Established$/);
          },
        ),
        { numRuns: 25 },
      );
    },
    PATIENCE_MS,
  );
});
