import { describe, expect, it } from 'vitest';
import { encodeAttributes } from '../../src/bgp/wire/attribute-values.ts';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { flushPeer, refuse, reimport, reuseRow } from '../../src/rib/adj-rib-in.ts';
import { announceWithin } from '../../src/rib/blocked-import.ts';
import type { FamilyRib } from '../../src/rib/family-rib.ts';
import { REJECT } from '../../src/rib/import-checks.ts';
import { keepLongLived } from '../../src/rib/long-lived.ts';
import { NO_LIMIT, type RibPeer } from '../../src/rib/rib-peer.ts';
import type { RoutePolicy } from '../../src/rib/route-policy.ts';
import { markStale } from '../../src/rib/stale-rows.ts';
import { batchOf, exportOptions, identity, importOptions, octets, RibLab } from './lab.ts';

function setup(policy: 'accept' | 'reject' = 'accept') {
  const lab = new RibLab();
  const peer = lab.rib.addPeer(identity(), importOptions({ policy }));
  const rib = lab.rib.families[IPV4_UNICAST.id]!;
  const counters = (of: RibPeer = peer) => of.counters[IPV4_UNICAST.id]!;
  const prefixIds = () => {
    const ids: string[] = [];
    for (let row = 1; row < rib.paths.limit; row++) {
      const id = rib.paths.prefixId(row);
      if (id !== 0) ids.push(rib.prefixes.format(id));
    }
    return ids.sort();
  };
  return { lab, peer, rib, counters, prefixIds };
}

/** Gives each route these attributes instead of its own, and counts how often it is asked. */
function replacing(values: Parameters<typeof encodeAttributes>[0], dependsOnPrefix = false) {
  const asked = { times: 0 };
  const apply = (rib: FamilyRib, _prefixId: number, attr: number): number => {
    asked.times++;
    const bytes = encodeAttributes(values);
    const { attrs } = rib.shared;
    return attrs.intern(bytes, 0, bytes.length, attrs.nextHop[attr]!);
  };
  const policy: RoutePolicy = {
    name: 'replacing',
    key: JSON.stringify(values),
    afterRewrite: false,
    dependsOnPrefix: () => dependsOnPrefix,
    apply,
    applyInTurn: apply,
    settle: () => {},
  };
  return { policy, asked };
}

const A = '10.1.0.0/16';
const B = '10.2.0.0/16';
const C = '10.3.0.0/16';

describe('Adj-RIB-In', () => {
  it('4271-9-1 a new route replaces the old one, and a withdrawal removes it', () => {
    const { lab, peer, rib, counters } = setup();
    lab.announce(peer, [A, B], { asPath: '1' });
    lab.announce(peer, [A], { asPath: '2' });
    expect([rib.paths.size, counters().received, lab.rib.attrs.size]).toEqual([2, 2, 2]);
    lab.withdraw(peer, [A]);
    lab.settle();
    expect([rib.paths.size, counters().received, lab.rib.attrs.size]).toEqual([1, 1, 1]);
  });

  it('4271-9-1 a withdrawal of what is not there is harmless', () => {
    const { lab, peer, rib } = setup();
    const other = lab.rib.addPeer(identity({ name: 'other' }), importOptions());
    lab.announce(peer, [A], { asPath: '1' });
    lab.withdraw(peer, [B]);
    lab.withdraw(other, [A]);
    lab.withdraw(peer, [`${A}#1`]);
    expect([rib.paths.size, rib.prefixes.size]).toEqual([1, 1]);
  });

  it('7911-5-2 paths of one prefix are told apart by their identifiers', () => {
    const { lab, peer, rib } = setup();
    lab.announce(peer, [`${A}#1`, `${A}#2`], { asPath: '1' });
    lab.announce(peer, [`${A}#2`], { asPath: '2' });
    expect(rib.paths.size).toBe(2);
    lab.withdraw(peer, [`${A}#3`, `${A}#1`]);
    expect(rib.paths.size).toBe(1);
  });

  it('does nothing where the same route comes again', () => {
    const { lab, peer, rib } = setup();
    // As long as somebody listens in the stage, what changes waits for it.
    rib.locRib.addListener(() => {});
    lab.announce(peer, [A], { asPath: '1' });
    lab.settle();
    const since = rib.paths.since(1);
    lab.sim.advance(5000);
    lab.announce(peer, [A], { asPath: '1' });
    expect([rib.locRib.dirtyCount, rib.paths.since(1)]).toEqual([0, since]);
    lab.announce(peer, [A], { asPath: '2' });
    expect([rib.locRib.dirtyCount, rib.paths.since(1)]).toEqual([1, since! + 5]);
  });

  it('keeps a refused route with its cause, and lets it not be chosen', () => {
    const { lab, peer, rib, counters } = setup('reject');
    lab.announce(peer, [A], { asPath: '1' });
    lab.announce(peer, [B], { asPath: '65000' });
    lab.settle();
    expect([rib.paths.reject(1), rib.paths.reject(2)]).toEqual([REJECT.policy, REJECT.asLoop]);
    expect([counters().received, counters().rejected, rib.locRib.size]).toEqual([2, 2, 0]);
  });

  it('runs import again over what was received, and counts right', () => {
    const { lab, peer, rib, counters } = setup();
    lab.announce(peer, [A, B], { asPath: '1' });
    lab.announce(peer, [C], { asPath: '65000' });
    lab.settle();
    const again = (policy: 'accept' | 'reject') => {
      peer.importOptions = { ...peer.importOptions, policy };
      lab.rib.addWork(reimport(rib, peer, lab.rib.checks));
      lab.settle();
      return [rib.locRib.size, counters().rejected, counters().best];
    };
    expect(again('reject')).toEqual([0, 3, 0]);
    expect(again('accept')).toEqual([2, 1, 2]);
    expect(lab.rib.attrs.references(rib.paths.attrIn(1))).toBeGreaterThan(0);
    lab.rib.removePeer(peer);
    lab.settle();
    expect([lab.rib.attrs.size, rib.prefixes.size]).toEqual([0, 0]);
  });

  it('gives the attributes that import adds the same care', () => {
    const { lab, peer, rib } = setup();
    lab.announce(peer, [A, B], { asPath: '1', communities: ['GRACEFUL_SHUTDOWN'] });
    lab.settle();
    expect(lab.rib.attrs.localPref[rib.locRib.bestAttr(1)]).toBe(0);
    peer.importOptions = { ...peer.importOptions, gracefulShutdown: false };
    lab.rib.addWork(reimport(rib, peer, lab.rib.checks));
    lab.settle();
    expect(lab.rib.attrs.localPref[rib.locRib.bestAttr(1)]).toBe(100);
    expect(lab.rib.attrs.size).toBe(1);
  });
});

describe('stale routes', () => {
  it('4724-4.2-6, 7313-4-2: what is confirmed stays, the rest goes', () => {
    const { lab, peer, rib, counters, prefixIds } = setup();
    const other = lab.rib.addPeer(identity({ name: 'other', address: octets('192.0.2.9') }), importOptions());
    lab.announce(peer, [A, B, C], { asPath: '1' });
    lab.announce(other, [B], { asPath: '1' });
    markStale(rib, peer);
    markStale(rib, peer);
    expect(counters().stale).toBe(3);
    // The same route, and a new one, both confirm.
    lab.announce(peer, [A], { asPath: '1' });
    lab.announce(peer, [C], { asPath: '2' });
    expect(counters().stale).toBe(1);
    lab.rib.walks.sweepStale(rib, peer);
    lab.settle();
    expect(prefixIds()).toEqual([A, B, C]);
    expect([counters().stale, counters().received, counters(other).received]).toEqual([0, 2, 1]);
    lab.rib.walks.sweepStale(rib, peer);
    lab.settle();
    expect(counters().received).toBe(2);
  });

  it('a withdrawal takes a stale route too', () => {
    const { lab, peer, rib, counters } = setup();
    lab.announce(peer, [A], { asPath: '1' });
    markStale(rib, peer);
    lab.withdraw(peer, [A]);
    expect([counters().stale, counters().received, rib.paths.size]).toEqual([0, 0, 0]);
  });
});

describe('a peer that may come back', () => {
  const six = ['2001:db8:1::/48', '2001:db8:2::/48'];

  it('4724-4.2-1: keeps the routes of some families, stale and in use, and loses the others', () => {
    const { lab, peer, rib, counters } = setup();
    const other = lab.rib.families[IPV6_UNICAST.id]!;
    lab.announce(peer, [A, B], { asPath: '1' });
    lab.announce(peer, six, { asPath: '1' }, '2001:db8::1', IPV6_UNICAST);
    lab.settle();
    lab.rib.suspendPeer(peer, (familyId) => familyId === IPV4_UNICAST.id);
    lab.settle();
    expect([counters().stale, rib.locRib.size, other.paths.size, other.locRib.size]).toEqual([2, 2, 0, 0]);
    expect(peer.counters[IPV6_UNICAST.id]).toEqual({
      received: 0,
      rejected: 0,
      best: 0,
      stale: 0,
      staleRejected: 0,
    });
  });

  it('4724-4.2-6: goes on with its routes where it is the same, and without them where it is another', () => {
    for (const changed of [{}, { routerId: 99 }, { client: true }, { source: 'internal' as const }]) {
      const { lab, peer, rib } = setup();
      lab.announce(peer, [A], { asPath: '1' });
      lab.settle();
      lab.rib.suspendPeer(peer, () => true);
      const back = lab.rib.resumePeer(peer, identity({ name: 'back', ...changed }), importOptions());
      lab.settle();
      const same = Object.keys(changed).length === 0;
      expect([back === peer, rib.paths.size, back.name]).toEqual([same, same ? 1 : 0, 'back']);
    }
  });

  it('4456-8 a client that is back in another cluster is another one: its routes have been sent with the old one', () => {
    for (const [client, same] of [
      [true, false],
      [false, true],
    ] as const) {
      const lab = new RibLab();
      const made = { name: 'old', client, source: 'internal' } as const;
      const peer = lab.rib.addPeer(identity(made), importOptions({ clusterId: 1 }));
      lab.rib.suspendPeer(peer, () => true);
      const back = lab.rib.resumePeer(peer, identity(made), importOptions({ clusterId: 2 }));
      expect([client, back === peer]).toEqual([client, same]);
    }
  });

  it('does not lose what it announces again before the walk over the old routes is done', () => {
    const { lab, peer } = setup();
    const other = lab.rib.families[IPV6_UNICAST.id]!;
    lab.announce(peer, six, { asPath: '1' }, '2001:db8::1', IPV6_UNICAST);
    lab.settle();
    lab.rib.suspendPeer(peer, () => false);
    lab.announce(peer, six.slice(1), { asPath: '1' }, '2001:db8::1', IPV6_UNICAST);
    lab.announce(peer, ['2001:db8:3::/48'], { asPath: '1' }, '2001:db8::1', IPV6_UNICAST);
    lab.settle();
    expect([other.paths.size, peer.counters[IPV6_UNICAST.id]!.stale]).toEqual([2, 0]);
  });
});

describe('routes that are kept for long', () => {
  /** A stale route of a peer that stays away, damped since before that. */
  function damped(communities: string[]) {
    const { lab, peer, rib, counters } = setup();
    lab.announce(peer, [A], { asPath: '1' });
    refuse(rib, peer, 1, REJECT.damped);
    lab.settle();
    peer.importOptions = { ...peer.importOptions, policy: replacing({ asPath: '2', communities }).policy };
    lab.rib.suspendPeer(peer, () => true);
    lab.rib.addWork(keepLongLived(rib, peer));
    lab.settle();
    expect([counters().stale, counters().staleRejected, rib.locRib.size]).toEqual([1, 1, 0]);
    return { lab, peer, rib, counters };
  }

  it('9494-4.2 a damped one is the last resort when it is used again', () => {
    const { lab, peer, rib, counters } = damped([]);
    reuseRow(rib, peer, 1, lab.rib.checks);
    lab.settle();
    expect([counters().received, counters().staleRejected, rib.locRib.size]).toEqual([1, 0, 1]);
    expect(lab.rib.attrs.staleSets).toBe(1);
  });

  it('9494-4.2 a damped one goes when it is used again and the policy says NO_LLGR', () => {
    const { lab, peer, rib, counters } = damped(['NO_LLGR']);
    reuseRow(rib, peer, 1, lab.rib.checks);
    lab.settle();
    expect([counters().received, counters().stale, counters().rejected]).toEqual([0, 0, 0]);
    expect([rib.paths.size, rib.prefixes.size, lab.rib.attrs.size]).toEqual([0, 0, 0]);
  });
});

describe('a peer near its limit', () => {
  it('has its routes judged once a message where the policy does not look at prefixes', () => {
    for (const [dependsOnPrefix, times] of [
      [false, 1],
      [true, 3],
    ] as const) {
      const { lab, peer, rib, counters } = setup();
      const { policy, asked } = replacing({ asPath: '2' }, dependsOnPrefix);
      peer.importOptions = { ...peer.importOptions, policy };
      const { attrs, nextHops, checks } = lab.rib;
      const hop = nextHops.intern(octets('192.0.2.1'), 4, undefined);
      const bytes = encodeAttributes({ asPath: '1' });
      const attrIn = attrs.intern(bytes, 0, bytes.length, hop);
      const blocks = { received: [4, 4], accepted: [NO_LIMIT, NO_LIMIT], blocked: () => {} };
      const result = checks.evaluate(peer, attrIn);
      announceWithin(rib, peer, blocks, batchOf(IPV4_UNICAST, [A, B, C]), attrIn, result, 0);
      for (const id of [attrIn, result.attrPost]) attrs.release(id);
      nextHops.release(hop);
      lab.settle();
      expect([asked.times, counters().received, rib.locRib.size, attrs.size]).toEqual([times, 3, 3, 2]);
      lab.withdraw(peer, [A, B, C]);
      lab.settle();
      expect([attrs.size, [...nextHops.values()].length]).toEqual([0, 0]);
    }
  });
});

describe('walks over the rows of a peer', () => {
  it('go on where they stopped, see every row once, and leave the rows of others', () => {
    const { lab, peer, rib, prefixIds } = setup();
    const other = lab.rib.addPeer(identity({ name: 'other' }), importOptions());
    const prefixes = Array.from({ length: 3000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    for (let i = 0; i < prefixes.length; i += 3) {
      lab.announce(peer, prefixes.slice(i, i + 2), { asPath: '1' });
      lab.announce(other, prefixes.slice(i + 2, i + 3), { asPath: '1' });
    }
    const walk = flushPeer(rib, peer);
    let slices = 1;
    const sizes = [rib.paths.size];
    while (walk.run(() => true)) {
      slices++;
      sizes.push(rib.paths.size);
    }
    expect(slices).toBeGreaterThan(3);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(prefixIds()).toEqual(prefixes.filter((_, i) => i % 3 === 2).sort());
  });
});

describe('Loc-RIB', () => {
  it('4271-9.1.2-1, 9.1.2-3: follows the state of next hops', () => {
    const { lab, peer, rib } = setup();
    const other = lab.rib.addPeer(identity({ name: 'other', address: octets('192.0.2.9') }), importOptions());
    lab.announce(peer, [A], { asPath: '1' }, '192.0.2.1');
    lab.announce(other, [A], { asPath: '1' }, '192.0.2.9');
    lab.settle();
    const { nextHops } = lab.rib;
    const hop = [...nextHops.values()].find(({ id }) => nextHops.format(id) === '192.0.2.1')!;
    const set = (reachable: boolean, metric: number) => {
      if (nextHops.setState(hop.id, reachable, metric)) lab.rib.nextHopsChanged(new Set([hop.id]));
      lab.settle();
      return rib.locRib.bestPeer(1);
    };
    expect(set(true, 0)).toBe(peer.id);
    expect(set(false, 0)).toBe(other.id);
    expect(set(true, 0)).toBe(peer.id);
    expect(set(true, 10)).toBe(other.id);
  });

  it('tells listeners of each decided prefix once, and whether its best path changed', () => {
    const { lab, peer, rib } = setup();
    const heard: string[] = [];
    rib.locRib.addListener((prefixId, changed) => {
      heard.push(`${rib.prefixes.format(prefixId)} ${changed}`);
    });
    lab.announce(peer, [A], { asPath: '1 2' });
    lab.announce(peer, [A], { asPath: '1' });
    lab.settle();
    const other = lab.rib.addPeer(identity({ name: 'other' }), importOptions());
    lab.announce(other, [A], { asPath: '1 2 3' });
    lab.settle();
    lab.announce(peer, [B], { asPath: '1' });
    lab.withdraw(peer, [B]);
    lab.withdraw(peer, [A]);
    lab.settle();
    expect(heard).toEqual([`${A} true`, `${A} false`, `${B} false`, `${A} true`]);
  });

  it('sees that the same row and attributes are another peer now', () => {
    const { lab, peer, rib, counters } = setup();
    const other = lab.rib.addPeer(identity({ name: 'other' }), importOptions());
    const sink = lab.join(other, exportOptions());
    lab.announce(peer, [A], { asPath: '1' });
    lab.settle();
    expect(sink.table.size).toBe(1);
    lab.withdraw(peer, [A]);
    lab.announce(other, [A], { asPath: '1' });
    lab.settle();
    expect(rib.locRib.bestPeer(1)).toBe(other.id);
    expect([counters().best, counters(other).best, sink.table.size]).toEqual([0, 1, 0]);
  });

  it('5004-3-1 a row used again by another peer is not the current best', () => {
    const lab = new RibLab({ decision: { preferOldest: true } });
    const add = (name: string, id: number) =>
      lab.rib.addPeer(identity({ name, routerId: id, address: octets(`192.0.2.${id}`) }), importOptions());
    const [low, high, gone] = [add('low', 1), add('high', 2), add('gone', 3)];
    const rib = lab.rib.families[IPV4_UNICAST.id]!;
    rib.locRib.addListener(() => {});
    lab.announce(gone, [A], { asPath: '1' });
    lab.settle();
    // Before the next decision the best path's row is freed, and the peer with the higher identifier gets it.
    lab.withdraw(gone, [A]);
    lab.announce(high, [A], { asPath: '1' });
    lab.announce(low, [A], { asPath: '1' });
    lab.settle();
    expect(rib.locRib.bestPeer(1)).toBe(low.id);
    // But a path that stays is kept.
    lab.withdraw(low, [A]);
    lab.settle();
    lab.announce(low, [A], { asPath: '1' });
    lab.settle();
    expect(rib.locRib.bestPeer(1)).toBe(high.id);
  });
});
