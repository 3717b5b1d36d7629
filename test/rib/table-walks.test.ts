import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { PATH_FLAG } from '../../src/rib/path-store.ts';
import { DECISION, exportOptions, identity, importOptions, octets, RibLab } from './lab.ts';

/** Enough that a walk looks at the clock several times. */
const MANY = 2000;
const prefixes = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);

/** Slices end as soon as they may. */
function setup() {
  const lab = new RibLab({ sliceMs: 0 });
  const peer = lab.rib.addPeer(identity(), importOptions());
  const table = lab.rib.families[IPV4_UNICAST.id]!;
  const counters = peer.counters[table.index]!;
  return { lab, peer, table, counters, walks: lab.rib.walks };
}

describe('a table that is decided again', () => {
  it('is so in slices, each prefix once', () => {
    const { lab, peer, table, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.settle();
    let decided = 0;
    table.locRib.addListener(() => decided++);
    walks.decideAll(table);
    expect([table.locRib.dirtyCount, lab.rib.idle]).toEqual([0, false]);
    let most = 0;
    while (lab.turns(1) > 0) most = Math.max(most, table.locRib.dirtyCount);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(MANY);
    expect([decided, lab.rib.idle]).toEqual([MANY, true]);
  });

  it('begins anew where that is asked for on its way, and goes before what waits', () => {
    const { lab, peer, table, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.settle();
    let waited = 0;
    walks.add({ run: () => ++waited < 3 });
    lab.turns(1);
    const decided = new Map<number, number>();
    table.locRib.addListener((id) => decided.set(id, (decided.get(id) ?? 0) + 1));
    walks.decideAll(table);
    lab.turns(2);
    expect([waited, decided.size > 0, decided.size < MANY / 2]).toEqual([1, true, true]);
    walks.decideAll(table);
    lab.settle();
    expect([waited, decided.size, lab.rib.idle]).toEqual([3, MANY, true]);
    expect(Math.max(...decided.values())).toBe(2);
    expect(lab.turns(1)).toBe(0);
  });

  it('has other rules at once, and their outcome when the walk is over', () => {
    const { lab, peer, table } = setup();
    const other = lab.rib.addPeer(
      identity({ name: 'other', address: octets('192.0.2.9'), routerId: 9 }),
      importOptions(),
    );
    lab.announce(other, prefixes(MANY), { asPath: '1' });
    lab.announce(peer, prefixes(MANY), { asPath: '2 3' });
    lab.settle();
    expect(other.counters[table.index]!.best).toBe(MANY);
    lab.rib.useDecision({ ...DECISION, ignoreAsPathLength: true }, 100);
    lab.settle();
    expect([other.counters[table.index]!.best, peer.counters[table.index]!.best]).toEqual([0, MANY]);
  });
});

describe('stale routes of many', () => {
  it('7313-4-2: go in slices, less what is confirmed before the walk gets there', () => {
    const { lab, peer, table, counters, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.settle();
    walks.markStale(table, peer);
    walks.sweepStale(table, peer);
    lab.turns(1);
    expect(counters.received).toBeGreaterThan(MANY / 2);
    expect(counters.received).toBeLessThan(MANY);
    lab.announce(peer, prefixes(MANY).slice(-3), { asPath: '1' });
    lab.settle();
    expect([counters.received, counters.stale, table.locRib.size, lab.rib.idle]).toEqual([3, 0, 3, true]);
  });

  it('4724-4.2-1: that are stale anew are none of those that a walk looks for', () => {
    const { lab, peer, table, counters, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    walks.markStale(table, peer);
    const kept = prefixes(MANY).slice(-5);
    lab.announce(peer, kept, { asPath: '1' });
    walks.sweepStale(table, peer);
    lab.turns(1);
    expect(counters.stale).toBeGreaterThan(5);
    // The peer is gone again, before all is swept.
    lab.rib.suspendPeer(peer, () => true);
    expect([counters.received, counters.stale]).toEqual([5, 5]);
    lab.settle();
    expect([counters.received, counters.stale, table.locRib.size]).toEqual([5, 5, 5]);
  });

  it('9494-4.2: live long only where they were stale when that began', () => {
    const { lab, peer, table, counters, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.rib.suspendPeer(peer, () => true);
    walks.keepLongLived(table, peer);
    lab.turns(1);
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.rib.suspendPeer(peer, () => true);
    lab.settle();
    let longLived = 0;
    for (let row = 1; row < table.paths.limit; row++) {
      if ((table.paths.flags(row) & PATH_FLAG.longLived) !== 0) longLived++;
    }
    expect([counters.stale, longLived]).toEqual([MANY, 0]);
  });

  it('are not looked for where there are none', () => {
    const { lab, peer, table, walks } = setup();
    lab.announce(peer, prefixes(3), { asPath: '1' });
    lab.settle();
    walks.sweepStale(table, peer);
    expect(lab.rib.idle).toBe(true);
  });
});

describe('slices without time', () => {
  it('are enough to get everything done', () => {
    const { lab, peer, table } = setup();
    const sinks = ['a', 'b'].map((name, i) => {
      const to = lab.rib.addPeer(
        identity({ name, source: 'internal', client: true, address: octets(`192.0.2.${i + 7}`) }),
        importOptions(),
      );
      const options = exportOptions({ peerType: 'internal', client: true, sendCommunities: i === 0 });
      return lab.join(to, options);
    });
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.settle();
    expect(sinks.map((sink) => [sink.table.size, sink.endOfRibs])).toEqual([
      [MANY, 1],
      [MANY, 1],
    ]);
    lab.rib.removePeer(peer);
    lab.settle();
    expect([table.paths.size, ...sinks.map((sink) => sink.table.size)]).toEqual([0, 0, 0]);
  });
});
