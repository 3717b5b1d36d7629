// A confederation of godwit and another daemon (RFC 5065), each with a peer outside: what all four see of each other.

import { describe, expect, test } from 'vitest';
import type { DaemonName, DaemonSpec } from '../../bench/daemons/types.ts';
import { established, hasRoutes, labOfEachTest, type Node, peerTo } from '../support/lab/lab.ts';
import { labRequirement } from '../support/lab/requirement.ts';

const AS = { west: 100, one: 65001, two: 65002, east: 300, confederation: 200 } as const;
const NETWORK = {
  west: '192.0.2.0/24',
  one: '198.51.100.0/24',
  two: '203.0.113.0/24',
  east: '100.64.0.0/24',
} as const;
type Place = keyof typeof NETWORK;
const INSIDE: readonly number[] = [AS.one, AS.two];

const createLab = labOfEachTest();

function spec(
  self: Node,
  place: Place,
  peers: readonly { readonly node: Node; readonly asn: number }[],
): DaemonSpec {
  const members = INSIDE.filter((asn) => asn !== AS[place]);
  return {
    asn: AS[place],
    routerId: self.ipv4,
    ...(INSIDE.includes(AS[place]) && { confederation: { id: AS.confederation, members } }),
    peers: peers.map(({ node, asn }) => peerTo(self, node, asn, 'ipv4')),
    networks: [NETWORK[place]],
    kernel: false,
  };
}

describe.each<{ other: DaemonName }>([{ other: 'bird' }, { other: 'frr' }])(
  'a confederation of godwit and $other',
  async ({ other }) => {
    const { skip } = await labRequirement(['godwit', other]);

    test.skipIf(skip)('5065-4.1-1 shows every peer the path that it is to see', async () => {
      const lab = await createLab(`cf${other}`, ['west', 'one', 'two', 'east']);
      const [west, one, two, east] = [lab.node(0), lab.node(1), lab.node(2), lab.node(3)];
      const outside = AS.confederation;
      const daemons = {
        west: await lab.start(other, west, spec(west, 'west', [{ node: one, asn: outside }])),
        one: await lab.start(
          'godwit',
          one,
          spec(one, 'one', [
            { node: west, asn: AS.west },
            { node: two, asn: AS.two },
          ]),
        ),
        two: await lab.start(
          other,
          two,
          spec(two, 'two', [
            { node: one, asn: AS.one },
            { node: east, asn: AS.east },
          ]),
        ),
        east: await lab.start('godwit', east, spec(east, 'east', [{ node: two, asn: outside }])),
      };
      await established(...Object.values(daemons));
      const seen = async (place: Place) => {
        const routes = await hasRoutes(daemons[place], 'ipv4', Object.values(NETWORK));
        const path = (from: Place) => routes.get(NETWORK[from])?.asPath;
        return { routes, west: path('west'), one: path('one'), two: path('two'), east: path('east') };
      };
      const atOne = await seen('one');
      expect(atOne).toMatchObject({ west: '100', two: '(65002)', east: '(65002) 300' });
      expect(atOne.routes.get(NETWORK.east)).toMatchObject({ localPref: 100, nextHop: east.ipv4 });
      const atTwo = await seen('two');
      expect(atTwo).toMatchObject({ west: '(65001) 100', one: '(65001)', east: '300' });
      expect(atTwo.routes.get(NETWORK.west)).toMatchObject({ localPref: 100, nextHop: west.ipv4 });
      expect(await seen('west')).toMatchObject({ one: '200', two: '200', east: '200 300' });
      expect(await seen('east')).toMatchObject({ one: '200', two: '200', west: '200 100' });
    });
  },
);
