// Peers that leave, and what becomes of their ids.

import { expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { identity, importOptions, RibLab } from './lab.ts';

const WAIT_TURNS = 10;

it('a departed peer keeps its id as long as a walk may be over its rows', () => {
  const lab = new RibLab();
  const { rib } = lab;
  let busy = true;
  rib.addWork({ run: () => busy });
  const departed = rib.addPeer(identity({ name: 'departed' }), importOptions());
  rib.removePeer(departed);
  lab.turns(WAIT_TURNS);
  const next = rib.addPeer(identity({ name: 'next' }), importOptions());
  lab.announce(next, ['10.0.0.0/8'], { asPath: '65001' });
  busy = false;
  lab.settle();
  expect(next.countersOf(IPV4_UNICAST.id)).toMatchObject({ received: 1, best: 1 });
  expect([...rib.peers.values()].map(({ name }) => name)).toEqual(['local', 'next']);
});
