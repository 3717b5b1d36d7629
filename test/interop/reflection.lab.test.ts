// Two clusters, each with a reflector and a client, joined by an ordinary iBGP session (RFC 4456): a client's route
// reaches the other cluster's client with ORIGINATOR_ID and CLUSTER_LIST, its next hop unchanged, and the kernels on
// both ends have it.

import { describe, expect, test } from 'vitest';
import type { DaemonName, DaemonSpec, LabFamily } from '../../bench/daemons/types.ts';
import {
  established,
  gatewaysOf,
  hasRoutes,
  labOfEachTest,
  type Node,
  peerTo,
  waitForKernel,
} from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const ASN = 64512;
const CLUSTERS = ['192.0.2.1', '192.0.2.2'] as const;
const NETWORKS = [
  { ipv4: '198.51.100.0/24', ipv6: '2001:db8:1::/48' },
  { ipv4: '203.0.113.0/24', ipv6: '2001:db8:2::/48' },
] as const;
const FAMILIES: readonly LabFamily[] = ['ipv4', 'ipv6'];

const createLab = labOfEachTest();

function reflectorSpec(self: Node, client: Node, other: Node, clusterId: string): DaemonSpec {
  return {
    asn: ASN,
    routerId: self.ipv4,
    clusterId,
    peers: FAMILIES.flatMap((family) => [
      peerTo(self, client, ASN, family, { reflectorClient: true }),
      peerTo(self, other, ASN, family),
    ]),
    networks: [],
    kernel: false,
  };
}

function clientSpec(self: Node, reflector: Node, networks: Record<LabFamily, string>): DaemonSpec {
  return {
    asn: ASN,
    routerId: self.ipv4,
    peers: FAMILIES.map((family) => peerTo(self, reflector, ASN, family)),
    networks: Object.values(networks),
    kernel: true,
  };
}

describe.each<{ other: DaemonName; clients: readonly [DaemonName, DaemonName] }>([
  { other: 'godwit', clients: ['bird', 'frr'] },
  { other: 'bird', clients: ['frr', 'bird'] },
  { other: 'frr', clients: ['bird', 'bird'] },
  { other: 'openbgpd', clients: ['bird', 'frr'] },
])('clusters of godwit and $other, clients $clients', async ({ other, clients }) => {
  const { skip } = await labRequirement(['godwit', other, ...clients]);

  test.skipIf(skip)('carry a client route to the other cluster', async () => {
    const lab = await createLab(`rr${other.slice(0, 4)}`, ['one', 'two', 'left', 'right']);
    const [one, two, left, right] = [lab.node(0), lab.node(1), lab.node(2), lab.node(3)];
    const daemons = [
      await lab.start('godwit', one, reflectorSpec(one, left, two, CLUSTERS[0])),
      await lab.start(other, two, reflectorSpec(two, right, one, CLUSTERS[1])),
      await lab.start(clients[0], left, clientSpec(left, one, NETWORKS[0])),
      await lab.start(clients[1], right, clientSpec(right, two, NETWORKS[1])),
    ];
    await established(...daemons);

    for (const family of FAMILIES) {
      const all = [NETWORKS[0][family], NETWORKS[1][family]];
      for (const reflector of daemons.slice(0, 2)) await hasRoutes(reflector, family, all);
      const atRight = (await hasRoutes(daemons[3]!, family, all)).get(NETWORKS[0][family])!;
      expect(atRight).toMatchObject({
        asPath: '',
        nextHop: left[family],
        originatorId: left.ipv4,
        clusterList: [CLUSTERS[1], CLUSTERS[0]],
      });
      const atLeft = (await hasRoutes(daemons[2]!, family, all)).get(NETWORKS[1][family])!;
      expect(atLeft).toMatchObject({
        asPath: '',
        nextHop: right[family],
        originatorId: right.ipv4,
        clusterList: [CLUSTERS[0], CLUSTERS[1]],
      });
      const programmed = await waitForKernel(right, family, NETWORKS[0][family]);
      expect(await gatewaysOf(left, family)).toContain(programmed?.gateway);
      const back = await waitForKernel(left, family, NETWORKS[1][family]);
      expect(await gatewaysOf(right, family)).toContain(back?.gateway);
    }
  });
});
