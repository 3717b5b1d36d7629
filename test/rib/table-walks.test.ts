import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import type { FamilyRib } from '../../src/rib/family-rib.ts';
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

function rowsOf({ paths }: FamilyRib): number[] {
  const rows = Array.from({ length: paths.limit - 1 }, (_, i) => i + 1);
  return rows.filter((row) => paths.prefixId(row) !== 0);
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

  it('has another default of MED at once', () => {
    const { lab, peer, table } = setup();
    const other = lab.rib.addPeer(
      identity({ name: 'other', address: octets('192.0.2.9'), routerId: 9 }),
      importOptions(),
    );
    lab.announce(other, prefixes(3), { asPath: '1' });
    lab.announce(peer, prefixes(3), { asPath: '1', med: 50 });
    lab.settle();
    const best = () => [other, peer].map(({ counters }) => counters[table.index]!.best);
    expect(best()).toEqual([3, 0]);
    lab.rib.useDecision(DECISION, 100, 51);
    lab.settle();
    expect(best()).toEqual([0, 3]);
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
    expect(counters.received).toBeGreaterThan(5);
    expect(counters.stale).toBe(counters.received);
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
    const longLived = rowsOf(table).filter((row) => (table.paths.flags(row) & PATH_FLAG.longLived) !== 0);
    expect([counters.stale, longLived]).toEqual([MANY, []]);
  });

  it('7313-4-2: become so without a look at any of them', () => {
    const { lab, peer, table, counters, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.settle();
    const looks = vi.spyOn(table.paths, 'peerId');
    walks.markStale(table, peer);
    expect([looks.mock.calls.length, counters.stale]).toEqual([0, MANY]);
  });

  it('7313-4-2: are looked for once, however often that is asked for', () => {
    const { lab, peer, table, walks } = setup();
    lab.announce(peer, prefixes(MANY), { asPath: '1' });
    lab.settle();
    const removals = vi.spyOn(table.paths, 'remove');
    const add = vi.spyOn(walks, 'add');
    for (let i = 0; i < 100; i++) {
      walks.markStale(table, peer);
      walks.sweepStale(table, peer);
    }
    lab.settle();
    expect([add.mock.calls.length, removals.mock.calls.length, table.paths.size]).toEqual([1, MANY, 0]);
  });

  it('are told apart however often the peer goes and comes while walks are under way', () => {
    const all = prefixes(600);
    const places = fc.tuple(fc.nat(all.length), fc.nat(all.length)).map((ends) => ends.sort((a, b) => a - b));
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ does: fc.constant('announce'), places }) },
      { weight: 1, arbitrary: fc.record({ does: fc.constant('withdraw'), places }) },
      { weight: 4, arbitrary: fc.constant({ does: 'mark' }) },
      { weight: 2, arbitrary: fc.constantFrom({ does: 'sweep' }, { does: 'turn' }) },
      { weight: 1, arbitrary: fc.constant({ does: 'long-lived' }) },
    );
    const run = (steps: readonly { does: string; places?: number[] }[]): void => {
      const { lab, peer, table, counters, walks } = setup();
      // When each route was announced last, and what is older than which marks.
      const announcedAt = new Map<string, number>();
      let marked = -1;
      let swept = -1;
      const whole = { does: 'announce', places: [0, all.length] };
      for (const [now, { does, places: [from = 0, to = 0] = [] }] of [whole, ...steps].entries()) {
        const some = all.slice(from, to);
        if (does === 'announce' && some.length > 0) {
          lab.announce(peer, some, { asPath: '1' });
          for (const prefix of some) announcedAt.set(prefix, now);
        } else if (does === 'withdraw' && some.length > 0) {
          lab.withdraw(peer, some);
          for (const prefix of some) announcedAt.delete(prefix);
        } else if (does === 'mark') {
          walks.markStale(table, peer);
          marked = now;
        } else if (does === 'sweep') {
          walks.sweepStale(table, peer);
          swept = marked;
        } else if (does === 'long-lived') walks.keepLongLived(table, peer);
        else lab.turns(1);
      }
      lab.settle();
      const left = [...announcedAt].filter(([, at]) => at > swept);
      const stale = left.filter(([, at]) => at < marked).length;
      const present = new Set(rowsOf(table).map((row) => table.prefixes.format(table.paths.prefixId(row))));
      expect(present).toEqual(new Set(left.map(([prefix]) => prefix)));
      expect([counters.received, counters.stale]).toEqual([left.length, stale]);
      expect(table.locRib.size).toBe(left.length);
    };
    fc.assert(fc.property(fc.array(step, { minLength: 10, maxLength: 30 }), run));
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
