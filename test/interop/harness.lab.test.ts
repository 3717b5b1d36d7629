// The lab itself, on daemons that are known to work with each other: if these fail, what the other labs say about
// godwit means nothing.

import { describe, expect, test } from 'vitest';
import type { DaemonName, DaemonSpec } from '../../bench/daemons/types.ts';
import {
  established,
  hasRoutes,
  kernelRoutes,
  labOfEachTest,
  type Node,
  peerTo,
} from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const LEFT_AS = 65001;
const LEFT = { ipv4: '198.51.100.0/24', ipv6: '2001:db8:1::/48' };
const RIGHT = { ipv4: '203.0.113.0/24', ipv6: '2001:db8:2::/48' };

const createLab = labOfEachTest();

function spec(self: Node, other: Node, asn: number, otherAs: number, networks: typeof LEFT): DaemonSpec {
  return {
    asn,
    routerId: self.ipv4,
    peers: [
      peerTo(self, other, otherAs, 'ipv4', { password: 'lab-secret' }),
      peerTo(self, other, otherAs, 'ipv6'),
    ],
    networks: Object.values(networks),
    kernel: false,
  };
}

describe.each<[DaemonName, number]>([
  ['frr', 65002],
  ['frr', LEFT_AS],
  ['gobgp', 65002],
  ['openbgpd', 65002],
  ['exabgp', 65002],
])('BIRD in AS 65001 and %s in AS %i', async (kind, rightAs) => {
  const { skip } = await labRequirement(['bird', kind]);

  test.skipIf(skip)('exchange IPv4 and IPv6 routes', async () => {
    const lab = await createLab(`h${kind.slice(0, 3)}${rightAs % 10}`, ['left', 'right']);
    const [left, right] = [lab.node(0), lab.node(1)];
    const one = await lab.start('bird', left, { ...spec(left, right, LEFT_AS, rightAs, LEFT), kernel: true });
    const two = await lab.start(kind, right, spec(right, left, rightAs, LEFT_AS, RIGHT));
    await established(one, two);

    const internal = rightAs === LEFT_AS;
    for (const family of ['ipv4', 'ipv6'] as const) {
      const both = [LEFT[family], RIGHT[family]];
      const atLeft = (await hasRoutes(one, family, both)).get(RIGHT[family])!;
      expect(atLeft.asPath).toBe(internal ? '' : String(rightAs));
      expect(atLeft.nextHop).toBe(right[family]);
      const atRight = (await hasRoutes(two, family, kind === 'exabgp' ? [LEFT[family]] : both)).get(
        LEFT[family],
      )!;
      expect(atRight.asPath).toBe(internal ? '' : String(LEFT_AS));
      expect(atRight.nextHop).toBe(left[family]);
      if (internal) expect([atLeft.localPref, atRight.localPref]).toEqual([100, 100]);
      const installed = (await kernelRoutes(left, family)).find(({ dst }) => dst === RIGHT[family]);
      expect(installed).toMatchObject({ gateway: right[family], protocol: 'bird' });
    }
  });
});
