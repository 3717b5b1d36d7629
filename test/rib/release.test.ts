// What happens when a restarted speaker may choose routes again (RFC 4724 §4.1), with so many that it takes a while.

import { expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { exportOptions, identity, importOptions, octets, RibLab } from './lab.ts';

it('4724-4.1-2 End-of-RIB comes after all routes, however long they take to be chosen', () => {
  const lab = new RibLab({ tick: 1 });
  const { rib } = lab;
  const from = rib.addPeer(identity(), importOptions());
  const to = rib.addPeer(identity({ name: 'to', address: octets('192.0.2.2') }), importOptions());
  rib.defer(IPV4_UNICAST.id);
  const sink = lab.join(to, exportOptions());
  const prefixes = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  lab.announce(from, prefixes, { asPath: '1', origin: 'IGP' });
  lab.settle();
  expect(sink.log).toEqual([]);
  rib.release(IPV4_UNICAST.id);
  let turns = 0;
  while (lab.turns(1) > 0) {
    turns++;
    // Nothing is half done: a table that is not whole is not told.
    if (rib.families[0]!.locRib.dirtyCount > 0) expect(sink.log).toEqual([]);
  }
  expect(turns).toBeGreaterThan(5);
  expect(sink.table.size).toBe(prefixes.length);
  expect(sink.log.indexOf('EoR')).toBe(prefixes.length);
});

it('a family without any routes says End-of-RIB when it may', () => {
  const lab = new RibLab();
  const to = lab.rib.addPeer(identity(), importOptions());
  lab.rib.defer(IPV4_UNICAST.id);
  const sink = lab.join(to, exportOptions());
  lab.settle();
  expect(sink.log).toEqual([]);
  lab.rib.release(IPV4_UNICAST.id);
  lab.settle();
  expect(sink.log).toEqual(['EoR']);
});
