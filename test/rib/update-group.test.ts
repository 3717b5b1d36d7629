import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { parsePrefix } from '../../src/lib/ip.ts';
import { describeOptions, type ExportOptions, groupKey } from '../../src/rib/export-options.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import { exportOptions, type FakeSink, identity, importOptions, octets, RibLab } from './lab.ts';

const INSIDE = exportOptions({ peerType: 'internal', client: true });
const prefixes = (count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, i) => `10.${(first + i) >> 8}.${(first + i) & 255}.0/24`);

function labWith(options: ConstructorParameters<typeof RibLab>[0] = {}) {
  const lab = new RibLab(options);
  const source = lab.rib.addPeer(identity({ name: 'source' }), importOptions());
  let number = 10;
  const client = (overrides: Partial<ExportOptions> = {}): { peer: RibPeer; sink: FakeSink } => {
    number++;
    const peer = lab.rib.addPeer(
      identity({
        name: `client ${number}`,
        source: 'internal',
        client: true,
        routerId: number,
        address: octets(`192.0.2.${number}`),
      }),
      importOptions(),
    );
    return { peer, sink: lab.join(peer, { ...INSIDE, ...overrides }) };
  };
  const group = () => [...lab.rib.groups[IPV4_UNICAST.id]!.values()][0]!;
  return { lab, source, client, group };
}

describe('a member of an update group', () => {
  it('4271-9.1.3-2, 4724-4-1: gets the whole table, then End-of-RIB, once', () => {
    const { lab, source, client } = labWith({ exportChunk: 4 });
    lab.announce(source, prefixes(10), { asPath: '1' });
    lab.settle();
    const first = client();
    lab.settle();
    const late = client();
    lab.settle();
    for (const { sink } of [first, late]) {
      expect(sink.log.slice(0, 10).sort()).toEqual(
        prefixes(10)
          .map((prefix) => `+${prefix}`)
          .sort(),
      );
      expect(sink.log.slice(10)).toEqual(['EoR']);
    }
    lab.announce(source, prefixes(1, 50), { asPath: '1' });
    lab.settle();
    expect([first.sink.endOfRibs, late.sink.endOfRibs]).toEqual([1, 1]);
  });

  it('has prefixes of one set judged once in a run, and anew in the next: the number may mean another set by then', () => {
    const { lab, source, client, group } = labWith();
    client();
    lab.settle();
    const judge = vi.spyOn(group().rewriter, 'judge');
    lab.announce(source, prefixes(10), { asPath: '1' });
    lab.settle();
    expect(judge).toHaveBeenCalledTimes(1);
    lab.announce(source, prefixes(10, 20), { asPath: '1' });
    lab.settle();
    expect(judge).toHaveBeenCalledTimes(2);
  });

  it('4724-4-1: gets End-of-RIB for an empty table', () => {
    const { lab, client } = labWith();
    const { sink } = client();
    lab.settle();
    expect(sink.log).toEqual(['EoR']);
  });

  it('4724-4-1: gets it also where it stalls, moves or asks for a refresh before the table is out', () => {
    for (const what of ['stall', 'move', 'refresh'] as const) {
      const { lab, source, client, group } = labWith({ exportChunk: 2, tick: 6 });
      lab.announce(source, prefixes(10), { asPath: '1' });
      client();
      lab.settle();
      const { peer, sink } = client();
      sink.congested = what === 'stall';
      lab.turns(2);
      if (what === 'move') {
        lab.rib.groups[IPV4_UNICAST.id]!.join({ ...INSIDE, sendCommunities: false }, { peer, sink });
      }
      if (what === 'refresh') group().refresh(peer.id, undefined, undefined);
      lab.advance(200);
      expect(sink.endOfRibs).toBe(what === 'stall' ? 0 : 1);
      sink.congested = false;
      lab.rib.wakeExport();
      lab.advance(200);
      expect([sink.endOfRibs, sink.table.size, sink.log.at(-1)]).toEqual([1, 10, 'EoR']);
    }
  });

  it('4724-4-1: gets it also where it stalls during the first computation of its group', () => {
    const { lab, source, client } = labWith({ exportChunk: 2, tick: 3 });
    lab.announce(source, prefixes(20), { asPath: '1' });
    lab.settle();
    const slow = client();
    const fast = client();
    slow.sink.congested = true;
    lab.advance(150);
    lab.advance(150);
    expect([fast.sink.table.size, fast.sink.endOfRibs]).toEqual([20, 1]);
    expect(slow.sink.endOfRibs).toBe(0);
    slow.sink.congested = false;
    lab.rib.wakeExport();
    lab.advance(1);
    expect([slow.sink.table.size, slow.sink.endOfRibs]).toEqual([20, 1]);
  });

  it('4724-4-1: gets it after all routes where it joins while the others wait for a stalled member', () => {
    const { lab, source, client } = labWith({ exportChunk: 2 });
    lab.announce(source, prefixes(20), { asPath: '1' });
    lab.settle();
    const slow = client();
    slow.sink.congested = true;
    lab.settle();
    expect(slow.sink.table.size).toBe(2);
    const late = client();
    lab.settle();
    expect([late.sink.table.size, late.sink.endOfRibs]).toEqual([2, 0]);
    lab.advance(100);
    expect([late.sink.table.size, late.sink.log.indexOf('EoR')]).toEqual([20, 20]);
    expect(slow.sink.endOfRibs).toBe(0);
  });

  it('4271-9.2-2: is not sent what it has', () => {
    const { lab, source, client } = labWith();
    const { sink } = client();
    lab.announce(source, prefixes(3), { asPath: '1' });
    lab.settle();
    const { messages } = sink;
    // Changes that the export takes away, and a change back before anybody looks.
    lab.announce(source, prefixes(3), { asPath: '1', localPref: 100 });
    lab.settle();
    lab.announce(source, prefixes(3), { asPath: '2' });
    lab.announce(source, prefixes(3), { asPath: '1' });
    lab.settle();
    expect(sink.messages).toBe(messages);
  });

  it('4271-9.1.3-1: loses a route that is lost', () => {
    const { lab, source, client } = labWith();
    const { sink } = client();
    lab.announce(source, prefixes(3), { asPath: '1' });
    lab.settle();
    lab.withdraw(source, prefixes(2));
    lab.settle();
    expect([...sink.table.keys()]).toEqual(prefixes(1, 2));
  });

  it('4271-9.2-3: has an earlier route withdrawn where the new one does not fit a message', () => {
    const { lab, source, client, group } = labWith();
    const { sink } = client();
    const communities = Array.from({ length: 1100 }, (_, i) => `65000:${i}`);
    lab.announce(source, prefixes(2), { asPath: '1' });
    lab.settle();
    lab.announce(source, prefixes(1), { asPath: '1', communities });
    lab.settle();
    expect([...sink.table.keys()]).toEqual(prefixes(1, 1));
    expect(group().adjRibOut.size).toBe(1);
    // Others are not affected, and a route that fits comes back.
    lab.announce(source, prefixes(1), { asPath: '1' });
    lab.settle();
    expect(sink.table.size).toBe(2);
  });

  it('4271-9.2-3: keeps the other paths of the prefix where one of several does not fit', () => {
    const { lab, source, client, group } = labWith();
    const { sink } = client({ addPath: 'all' });
    const other = client().peer;
    const communities = Array.from({ length: 1100 }, (_, i) => `65000:${i}`);
    lab.announce(source, prefixes(1), { asPath: '1' });
    lab.announce(other, prefixes(1), { asPath: '1' });
    lab.settle();
    expect(sink.table.size).toBe(2);
    lab.announce(source, prefixes(1), { asPath: '1', communities });
    lab.settle();
    expect([sink.table.size, group().adjRibOut.size]).toEqual([1, 1]);
    lab.withdraw(other, prefixes(1));
    lab.settle();
    expect(sink.table.size).toBe(0);
  });
});

describe('a path that fits no message', () => {
  it('is withdrawn from a member that lags, too', () => {
    const { lab, source, client } = labWith();
    const { sink } = client({ addPath: 'all' });
    client({ addPath: 'all' });
    const communities = Array.from({ length: 1100 }, (_, i) => `65000:${i}`);
    lab.announce(source, prefixes(2), { asPath: '1' });
    lab.settle();
    sink.congested = true;
    lab.announce(source, prefixes(1, 1), { asPath: '2' });
    lab.settle();
    lab.announce(source, prefixes(1), { asPath: '1', communities });
    lab.advance(150);
    expect(sink.table.size).toBe(2);
    sink.congested = false;
    lab.rib.wakeExport();
    lab.settle();
    expect([...sink.table.keys()].map((key) => key.split('#')[0])).toEqual(prefixes(1, 1));
  });
});

describe('the origin of a route', () => {
  it('never gets its own route, and what it sent is cut out message by message', () => {
    const { lab, client } = labWith();
    const members = [client(), client(), client()];
    lab.settle();
    // One turn with routes of all three, with equal attributes, too many for a message each.
    members.forEach(({ peer }, i) => {
      lab.announce(peer, prefixes(1500, i * 1500), { asPath: '1' });
    });
    lab.settle();
    members.forEach(({ sink }, i) => {
      const own = new Set(prefixes(1500, i * 1500));
      expect(sink.table.size).toBe(3000);
      expect([...sink.table.keys()].some((prefix) => own.has(prefix))).toBe(false);
      expect(sink.untidy).toEqual([]);
    });
  });

  it('loses the route of another when its own becomes best, and gets it back', () => {
    const { lab, source, client } = labWith();
    const a = client();
    const b = client();
    lab.announce(source, prefixes(1), { asPath: '1 2 3' });
    lab.settle();
    expect([a.sink.table.size, b.sink.table.size]).toEqual([1, 1]);
    lab.announce(a.peer, prefixes(1), { asPath: '1' });
    lab.settle();
    expect([a.sink.table.size, b.sink.table.size]).toEqual([0, 1]);
    // The best route passes to b with the same attributes after export but for its originator.
    lab.announce(b.peer, prefixes(1), { asPath: '1', localPref: 200 });
    lab.settle();
    expect([a.sink.table.size, b.sink.table.size]).toEqual([1, 0]);
    lab.withdraw(b.peer, prefixes(1));
    lab.withdraw(a.peer, prefixes(1));
    lab.settle();
    expect([a.sink.table.size, b.sink.table.size]).toEqual([1, 1]);
  });

  it('is the only one told when the same bytes come from another', () => {
    const { lab, client } = labWith();
    const three = [client(), client(), client()];
    const same = { asPath: '1', originatorId: '10.0.0.9' };
    lab.announce(three[0]!.peer, prefixes(1), same, '192.0.2.99');
    lab.settle();
    const before = three.map(({ sink }) => sink.messages);
    lab.announce(three[1]!.peer, prefixes(1), { ...same, localPref: 100 }, '192.0.2.99');
    lab.withdraw(three[0]!.peer, prefixes(1));
    lab.settle();
    expect(three.map(({ sink }, i) => sink.messages - before[i]!)).toEqual([1, 1, 0]);
    expect(three.map(({ sink }) => sink.table.size)).toEqual([1, 0, 1]);
  });
});

describe('ADD-PATH', () => {
  it('7911-2-1, 3-1: sends identifiers of its own, not those received', () => {
    const { lab, client } = labWith();
    const { sink } = client({ addPath: 'all' });
    const from = client();
    lab.announce(from.peer, ['10.0.0.0/24#777', '10.0.0.0/24#888'], { asPath: '1' });
    lab.settle();
    const keys = [...sink.table.keys()];
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(key).not.toMatch(/#(777|888)$/);
  });

  it('takes a path back from the member whose own path has come to its identifier', () => {
    const { lab, source, client } = labWith();
    const { peer, sink } = client({ addPath: 'all' });
    const other = client({ addPath: 'all' });
    lab.announce(source, prefixes(1), { asPath: '1' });
    lab.settle();
    // The freed row is the next to be used, so the identifier stays.
    lab.withdraw(source, prefixes(1));
    lab.announce(peer, prefixes(1), { asPath: '1' });
    lab.settle();
    expect([sink.table.size, other.sink.table.size]).toEqual([0, 1]);
  });

  it('remembers withdrawn paths for each of several stalled members', () => {
    const { lab, source, client } = labWith();
    const stalled = [client({ addPath: 'all' }), client({ addPath: 'all' })];
    const third = client().peer;
    client({ addPath: 'all' });
    lab.announce(source, prefixes(2), { asPath: '1' });
    lab.announce(third, prefixes(2), { asPath: '1' });
    lab.settle();
    for (const { sink } of stalled) sink.congested = true;
    lab.announce(source, prefixes(1, 9), { asPath: '1' });
    lab.settle();
    lab.withdraw(source, prefixes(2));
    lab.advance(150);
    for (const { sink } of stalled) {
      sink.congested = false;
      lab.rib.wakeExport();
      lab.advance(300);
    }
    for (const { sink } of stalled) {
      expect([...sink.table.keys()].map((key) => key.split('#')[0]).sort()).toEqual([
        ...prefixes(2),
        ...prefixes(1, 9),
      ]);
    }
  });

  it('7911-5-3: sends so many of the best, and follows their order', () => {
    const { lab, source, client } = labWith();
    const { sink } = client({ addPath: 2 });
    const [a, b] = [client(), client()];
    const texts = () => [...sink.table.values()].map((text) => /"asPath":"([^"]*)"/.exec(text)?.[1]).sort();
    lab.announce(source, prefixes(1), { asPath: '1 2 3' });
    lab.announce(a.peer, prefixes(1), { asPath: '1 2' });
    lab.announce(b.peer, prefixes(1), { asPath: '1' });
    lab.settle();
    expect(texts()).toEqual(['1', '1 2']);
    lab.announce(b.peer, prefixes(1), { asPath: '1 2 3 4' });
    lab.settle();
    expect(texts()).toEqual(['1 2', '1 2 3']);
    expect(sink.untidy).toEqual([]);
  });
});

describe('a member that does not take what it is sent', () => {
  it('holds its own group up for the patience, and other groups not at all', () => {
    const { lab, source, client } = labWith();
    const stalled = client();
    const fellow = client();
    const elsewhere = client({ sendCommunities: false });
    lab.settle();
    stalled.sink.congested = true;
    lab.announce(source, prefixes(1), { asPath: '1' });
    lab.settle();
    // The first turn goes to all: nobody knew yet.
    expect([fellow.sink.table.size, elsewhere.sink.table.size]).toEqual([1, 1]);
    lab.announce(source, prefixes(1, 1), { asPath: '1' });
    lab.settle();
    expect([fellow.sink.table.size, elsewhere.sink.table.size]).toEqual([1, 2]);
    lab.announce(source, prefixes(1, 2), { asPath: '1' });
    lab.settle();
    expect([fellow.sink.table.size, elsewhere.sink.table.size]).toEqual([1, 3]);
    lab.advance(99);
    expect(fellow.sink.table.size).toBe(1);
    lab.advance(1);
    expect([fellow.sink.table.size, stalled.sink.table.size]).toEqual([3, 1]);
    // From here on the group does not wait any more.
    lab.announce(source, prefixes(1, 3), { asPath: '1' });
    lab.settle();
    expect([fellow.sink.table.size, stalled.sink.table.size]).toEqual([4, 1]);
    expect(lab.rib.groups[IPV4_UNICAST.id]!.groupOf(stalled.peer.id)!.lagging()).toEqual([stalled.peer]);
  });

  it('is remembered by prefix, not by change, and gets the newest state', () => {
    const { lab, source, client, group } = labWith();
    const stalled = client();
    client();
    lab.settle();
    stalled.sink.congested = true;
    for (let i = 0; i < 200; i++) {
      lab.announce(source, prefixes(5), { asPath: String(1 + i) });
      lab.settle();
      lab.withdraw(source, prefixes(1, 3));
      lab.advance(20);
    }
    expect(group().pending).toBe(5);
    const { messages } = stalled.sink;
    stalled.sink.congested = false;
    lab.rib.wakeExport();
    lab.settle();
    expect([...stalled.sink.table.keys()].sort()).toEqual(prefixes(5).filter((_, i) => i !== 3));
    for (const text of stalled.sink.table.values()) expect(text).toContain('"asPath":"200"');
    expect(stalled.sink.messages - messages).toBe(2);
    expect([group().pending, group().lagging()]).toEqual([0, []]);
  });

  it('2918-4-1: does not lose withdrawals when it asks for a refresh meanwhile', () => {
    const { lab, source, client, group } = labWith();
    const stalled = client();
    client();
    lab.announce(source, prefixes(4), { asPath: '1' });
    lab.settle();
    stalled.sink.congested = true;
    lab.announce(source, prefixes(1, 9), { asPath: '1' });
    lab.settle();
    lab.withdraw(source, prefixes(2));
    lab.advance(150);
    group().refresh(stalled.peer.id, undefined, undefined);
    lab.settle();
    stalled.sink.congested = false;
    lab.rib.wakeExport();
    lab.advance(150);
    expect([...stalled.sink.table.keys()].sort()).toEqual([...prefixes(2, 2), ...prefixes(1, 9)]);
  });

  it('does not lose withdrawals when its options change meanwhile', () => {
    const { lab, source, client } = labWith();
    const stalled = client();
    client();
    lab.announce(source, prefixes(4), { asPath: '1' });
    lab.settle();
    stalled.sink.congested = true;
    lab.announce(source, prefixes(1, 9), { asPath: '1' });
    lab.settle();
    lab.withdraw(source, prefixes(2));
    lab.advance(150);
    const { peer, sink } = stalled;
    lab.rib.groups[IPV4_UNICAST.id]!.join({ ...INSIDE, sendCommunities: false }, { peer, sink });
    lab.settle();
    sink.congested = false;
    lab.rib.wakeExport();
    lab.advance(150);
    expect([...sink.table.keys()].sort()).toEqual([...prefixes(2, 2), ...prefixes(1, 9)]);
  });

  it('can leave, and its prefixes are let go', () => {
    const { lab, source, client } = labWith();
    const stalled = client();
    client();
    lab.settle();
    stalled.sink.congested = true;
    lab.announce(source, prefixes(2), { asPath: '1' });
    lab.advance(150);
    lab.withdraw(source, prefixes(2));
    lab.advance(150);
    expect(lab.rib.families[0]!.prefixes.size).toBe(2);
    lab.rib.removePeer(stalled.peer);
    lab.settle();
    expect(lab.rib.families[0]!.prefixes.size).toBe(0);
  });
});

describe('a member that leaves while it misses a whole table', () => {
  it('is let go of in slices', () => {
    const many = 10_000;
    const { lab, source, client, group } = labWith({ sliceMs: 0 });
    const stalled = client();
    client();
    lab.settle();
    stalled.sink.congested = true;
    lab.announce(source, prefixes(many), { asPath: '1' });
    lab.advance(150);
    lab.withdraw(source, prefixes(many));
    lab.advance(150);
    expect(group().lanes[0]!.pendingCount).toBe(many);
    const { prefixes: table } = lab.rib.families[0]!;
    lab.rib.removePeer(stalled.peer);
    const left = new Set([table.size]);
    while (lab.turns(1) > 0) left.add(table.size);
    expect([left.size > 2, Math.max(...left), table.size]).toEqual([true, many, 0]);
  });
});

describe('a refresh (RFC 2918, RFC 7313)', () => {
  // ROUTE-REFRESH messages, 23 octets, subtypes 1 (BoRR) and 2 (EoRR).
  const refresh = (subtype: number) =>
    Uint8Array.of(...new Uint8Array(16).fill(255), 0, 23, 5, 0, 1, subtype, 1);

  it('7313-4-1: BoRR comes before and EoRR after all of it, for that member alone', () => {
    const { lab, source, client, group } = labWith({ exportChunk: 3 });
    lab.announce(source, prefixes(10), { asPath: '1' });
    const one = client();
    const other = client();
    lab.settle();
    const before = [one.sink.messages, other.sink.messages];
    group().refresh(one.peer.id, refresh(1), refresh(2));
    lab.announce(source, prefixes(1, 20), { asPath: '2' });
    lab.settle();
    expect(one.sink.others.map(({ subtype }) => subtype)).toEqual([1, 2]);
    expect(one.sink.others[0]!.after).toBe(before[0]);
    expect(one.sink.others[1]!.after).toBe(one.sink.messages);
    expect(one.sink.log.filter((line) => line === '+10.0.3.0/24')).toHaveLength(2);
    expect(other.sink.messages).toBe(before[1]! + 1);
    expect([one.sink.endOfRibs, one.sink.table.size]).toEqual([1, 11]);
  });

  it('a second one before the first has ended gets one end', () => {
    const { lab, source, client, group } = labWith();
    lab.announce(source, prefixes(3), { asPath: '1' });
    const { peer, sink } = client();
    lab.settle();
    group().refresh(peer.id, refresh(1), refresh(2));
    group().refresh(peer.id, refresh(1), refresh(2));
    lab.settle();
    expect(sink.others.map(({ subtype }) => subtype)).toEqual([1, 1, 2]);
  });

  it('of a peer that is no member is ignored', () => {
    const { lab, source, client, group } = labWith();
    const { sink } = client();
    lab.settle();
    group().refresh(source.id, refresh(1), refresh(2));
    lab.settle();
    expect(sink.others).toEqual([]);
  });
});

describe('groups', () => {
  it('are shared by equal options and left when they change', () => {
    const { lab, source, client } = labWith();
    const groups = lab.rib.groups[IPV4_UNICAST.id]!;
    lab.announce(source, prefixes(3), { asPath: '1', communities: ['65000:1'] });
    const a = client();
    const b = client();
    lab.settle();
    expect([...groups.values()].map((group) => group.size)).toEqual([2]);
    const changed = { ...INSIDE, sendCommunities: false };
    groups.join(changed, { peer: a.peer, sink: a.sink });
    lab.settle();
    expect([...groups.values()].map((group) => group.size)).toEqual([1, 1]);
    for (const text of a.sink.table.values()) expect(text).not.toContain('65000:1');
    for (const prefix of prefixes(3)) {
      expect(a.sink.log.filter((line) => line === `+${prefix}`)).toHaveLength(2);
    }
    for (const text of b.sink.table.values()) expect(text).toContain('65000:1');
    groups.join(changed, { peer: b.peer, sink: b.sink });
    lab.settle();
    expect([...groups.values()].map((group) => group.size)).toEqual([2]);
    expect(groups.groupOf(a.peer.id)).toBe(groups.groupOf(b.peer.id));
  });

  it('that many members leave for another build what those need once', () => {
    const { lab, source, client } = labWith();
    const groups = lab.rib.groups[IPV4_UNICAST.id]!;
    lab.announce(source, prefixes(50), { asPath: '1', communities: ['65000:1'] });
    const members = Array.from({ length: 20 }, () => client());
    lab.announce(members[0]!.peer, prefixes(1, 60), { asPath: '1' });
    lab.settle();
    const before = members.map(({ sink }) => sink.octets);
    const changed = { ...INSIDE, sendCommunities: false };
    for (const { peer, sink } of members) groups.join(changed, { peer, sink });
    // One that leaves, and one that goes back, part from the others.
    lab.rib.removePeer(members[5]!.peer);
    groups.join(INSIDE, { peer: members[6]!.peer, sink: members[6]!.sink });
    lab.settle();
    const group = groups.groupOf(members[0]!.peer.id)!;
    expect(group.bytesBuilt).toBeLessThan(2 * Math.max(...before));
    members.forEach(({ sink, peer }, i) => {
      if (i === 5) return;
      expect(sink.table.size).toBe(i === 0 ? 50 : 51);
      expect(sink.endOfRibs).toBe(1);
      const shown = [...sink.table.values()].some((text) => text.includes('65000:1'));
      expect(shown).toBe(i === 6);
      expect(groups.groupOf(peer.id)?.lagging()).toEqual([]);
    });
  });

  it('give back every route that the new options withhold', () => {
    const { lab, source, client } = labWith();
    lab.announce(source, prefixes(3), { asPath: '1' });
    const { peer, sink } = client();
    lab.settle();
    lab.rib.groups[IPV4_UNICAST.id]!.join({ ...INSIDE, policy: 'reject' }, { peer, sink });
    lab.settle();
    expect(sink.table.size).toBe(0);
  });

  it('are told in slices what a member has that moves to them, while the one it leaves goes on', () => {
    for (const then of ['waits', 'moves on', 'moves back', 'asks for a refresh', 'leaves'] as const) {
      const { lab, source, client } = labWith({ exportChunk: 1, tick: 3 });
      lab.announce(source, prefixes(20), { asPath: '1' });
      const stays = client();
      const { peer, sink } = client();
      lab.settle();
      const groups = lab.rib.groups[IPV4_UNICAST.id]!;
      // Nothing may go where it moves to: all that it has must be withdrawn.
      const next = groups.join({ ...INSIDE, policy: 'reject' }, { peer, sink });
      lab.withdraw(source, prefixes(5, 15));
      lab.announce(source, prefixes(5), { asPath: '2' });
      const told: number[] = [];
      while (told.length < 4 && lab.turns(1) > 0) told.push(next.lanes[0]?.pendingCount ?? 0);
      expect(new Set(told).size).toBeGreaterThan(2);
      expect([Math.max(...told) < 20, sink.table.size]).toEqual([true, 20]);
      if (then === 'moves on') groups.join({ ...INSIDE, policy: 'reject', aigp: true }, { peer, sink });
      if (then === 'moves back') groups.join(INSIDE, { peer, sink });
      if (then === 'asks for a refresh') next.refresh(peer.id, undefined, undefined);
      if (then === 'leaves') lab.rib.removePeer(peer);
      lab.settle();
      const left = then === 'leaves' ? 20 : then === 'moves back' ? 15 : 0;
      expect([stays.sink.table.size, sink.table.size, sink.endOfRibs]).toEqual([15, left, 1]);
      lab.rib.removePeer(peer);
      lab.rib.removePeer(stays.peer);
      lab.rib.removePeer(source);
      lab.settle();
      expect([lab.rib.families[0]!.prefixes.size, lab.rib.attrs.size]).toEqual([0, 0]);
    }
  });

  it('are told it for each of several that move together, and then part', () => {
    const { lab, source, client } = labWith({ exportChunk: 1, tick: 3 });
    lab.announce(source, prefixes(20), { asPath: '1' });
    const all = [client(), client(), client(), client()];
    lab.settle();
    const groups = lab.rib.groups[IPV4_UNICAST.id]!;
    const empty = { ...INSIDE, policy: 'reject' } as const;
    const [first, second, third, fourth] = all.map(({ peer, sink }) => ({ peer, sink }));
    const next = groups.join(empty, first!);
    for (const each of [second!, third!]) groups.join(empty, each);
    expect([next.lanes.length, next.lanes[0]!.members.length]).toEqual([1, 3]);
    for (let turn = 0; turn < 4; turn++) {
      lab.turns(1);
      const before = next.lanes[0]!.pendingCount;
      if (turn === 1) {
        groups.join({ ...empty, aigp: true }, first!);
        lab.rib.removePeer(second!.peer);
        // What is known already is taken along, the rest is told to both.
        const onward = groups.groupOf(first!.peer.id)!;
        expect([before < 20, onward.lanes[0]!.pendingCount]).toEqual([true, before]);
      }
    }
    lab.withdraw(source, prefixes(5, 15));
    lab.settle();
    const sizes = [first, third, fourth].map((each) => each!.sink.table.size);
    expect(sizes).toEqual([0, 0, 15]);
    for (const { peer } of [first!, third!, fourth!, { peer: source }]) lab.rib.removePeer(peer);
    lab.settle();
    expect([lab.rib.families[0]!.prefixes.size, lab.rib.attrs.size]).toEqual([0, 0]);
  });

  it('take turns: a busy one does not starve the rest, nor one family another', () => {
    // Every look at the clock takes 6 ms of a slice of 10: one chunk a slice.
    const { lab, source, client } = labWith({ exportChunk: 1, tick: 6 });
    const sinks = [client().sink, client({ sendCommunities: false }).sink, client({ aigp: true }).sink];
    const six = lab.rib.addPeer(identity({ name: 'six', source: 'internal', client: true }), importOptions());
    sinks.push(lab.join(six, { ...INSIDE, family: IPV6_UNICAST, ownNextHop: octets('2001:db8::1') }));
    lab.settle();
    lab.announce(source, prefixes(200), { asPath: '1' });
    const sixes = Array.from({ length: 200 }, (_, i) => `2001:db8:${i}::/48`);
    lab.announce(source, sixes, { asPath: '1' }, '2001:db8::7', IPV6_UNICAST);
    lab.turns(120);
    // Families take turns, and the groups of one family do.
    const [a, b, c, d] = sinks.map((sink) => sink.table.size);
    for (const size of [a, b, c]) expect(Math.abs(size! - d! / 3)).toBeLessThan(5);
    expect(d).toBeGreaterThan(30);
    lab.settle();
    expect(sinks.map((sink) => sink.table.size)).toEqual([200, 200, 200, 200]);
  });

  it('count what they built once and sent many times', () => {
    const { lab, source, client, group } = labWith();
    const members = [client(), client(), client(), client()];
    lab.settle();
    lab.announce(source, prefixes(100), { asPath: '1' });
    lab.settle();
    expect(group().bytesBuilt).toBeGreaterThan(400);
    expect(group().bytesSent).toBe(group().bytesBuilt * 4);
    const endOfRib = 23;
    expect(members[0]!.sink.octets).toBe(group().bytesBuilt + endOfRib);
  });
});

describe('the key of a group', () => {
  const change: { readonly [K in keyof ExportOptions]-?: readonly ExportOptions[K][] } = {
    family: [IPV4_UNICAST, IPV6_UNICAST],
    peerType: ['external', 'internal', 'confederation'],
    policy: ['accept', 'reject', 'none'],
    localAs: [65000, 65001],
    leavesConfederation: [false, true],
    overrideAs: [0, 65001],
    removePrivateAs: [false, true],
    client: [false, true],
    clusterId: [1, 2],
    shunnedCluster: [0, 1],
    clientToClient: [true, false],
    routeServerClient: [false, true],
    nextHop: [
      'auto',
      'self',
      'unchanged',
      'address',
      { own: 'auto', ibgp: 'self', ebgp: 'auto' },
      { own: 'auto', ibgp: 'auto', ebgp: 'self' },
      { own: 'self', ibgp: 'auto', ebgp: 'auto' },
    ],
    ownNextHop: [undefined, octets('10.0.0.1'), octets('2001:db8::1'), new Uint8Array(32)],
    linkSubnets: [undefined, [parsePrefix('192.0.2.0/24')!], [parsePrefix('2001:db8::/64')!]],
    defaultLocalPref: [100, 200],
    renewsOwn: [false, true],
    sendsOwnMed: [false, true],
    role: [undefined, 'provider', 'customer', 'peer', 'rs-server', 'rs-client'],
    aigp: [false, true],
    sendCommunities: [true, false],
    interpretCommunities: [true, false],
    allowLocalPref: [false, true],
    allowMed: [false, true],
    draining: [false, true],
    staleRoutes: ['withhold', 'send', 'last-resort'],
    evaluateAllFor: [undefined, 'a', 'b'],
    limit: [undefined, { key: 'watched' }, { key: '5 to a' }],
    as4: [true, false],
    addPath: ['none', 'all', 2, 3],
    messageLimit: [4096, 65535],
    extendedNextHop: [false, true],
  };
  const options: fc.Arbitrary<ExportOptions> = fc.record({
    family: fc.constantFrom(...change.family),
    peerType: fc.constantFrom(...change.peerType),
    policy: fc.constantFrom(...change.policy),
    localAs: fc.constantFrom(...change.localAs),
    leavesConfederation: fc.boolean(),
    overrideAs: fc.constantFrom(...change.overrideAs),
    removePrivateAs: fc.boolean(),
    client: fc.boolean(),
    clusterId: fc.constantFrom(...change.clusterId),
    shunnedCluster: fc.constantFrom(...change.shunnedCluster),
    clientToClient: fc.boolean(),
    routeServerClient: fc.boolean(),
    nextHop: fc.constantFrom(...change.nextHop),
    ownNextHop: fc.constantFrom(...change.ownNextHop),
    linkSubnets: fc.constantFrom(...change.linkSubnets),
    defaultLocalPref: fc.constantFrom(...change.defaultLocalPref),
    renewsOwn: fc.boolean(),
    sendsOwnMed: fc.boolean(),
    role: fc.constantFrom(...change.role),
    aigp: fc.boolean(),
    sendCommunities: fc.boolean(),
    interpretCommunities: fc.boolean(),
    allowLocalPref: fc.boolean(),
    allowMed: fc.boolean(),
    draining: fc.boolean(),
    staleRoutes: fc.constantFrom(...change.staleRoutes),
    evaluateAllFor: fc.constantFrom(...change.evaluateAllFor),
    limit: fc.constantFrom(...change.limit),
    as4: fc.boolean(),
    addPath: fc.constantFrom(...change.addPath),
    messageLimit: fc.constantFrom(...change.messageLimit),
    extendedNextHop: fc.boolean(),
  });

  it('is equal where all inputs are, and only there', () => {
    fc.assert(
      fc.property(options, options, (a, b) => {
        const equal = JSON.stringify(describeInputs(a)) === JSON.stringify(describeInputs(b));
        expect(groupKey(a) === groupKey(b)).toBe(equal);
        expect(groupKey(a)).toBe(groupKey({ ...a }));
      }),
    );
  });

  it.each(Object.keys(change) as (keyof ExportOptions)[])('depends on %s', (name) => {
    const keys = change[name].map((value) => groupKey({ ...exportOptions(), [name]: value }));
    expect(new Set(keys).size).toBe(change[name].length);
  });

  it('has a text for every input', () => {
    expect(Object.keys(describeOptions(exportOptions()))).toHaveLength(Object.keys(change).length);
  });
});

function describeInputs(options: ExportOptions): unknown {
  return Object.entries(options).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? [...value] : (value ?? null),
  ]);
}

describe('a peer that is gone', () => {
  it('leaves its id to the next only when nothing names it', () => {
    const { lab, source, client } = labWith();
    const { sink } = client();
    lab.announce(source, prefixes(3), { asPath: '1' });
    lab.settle();
    lab.rib.removePeer(source);
    const early = lab.rib.addPeer(identity({ name: 'early' }), importOptions());
    expect(early.id).not.toBe(source.id);
    lab.settle();
    expect(sink.table.size).toBe(0);
    expect(lab.rib.addPeer(identity({ name: 'late' }), importOptions()).id).toBe(source.id);
  });

  it('keeps its id while an Adj-RIB-Out that waits for a stalled member names it', () => {
    const { lab, source, client } = labWith();
    const { sink } = client();
    lab.announce(source, prefixes(1), { asPath: '1' });
    lab.settle();
    sink.congested = true;
    lab.announce(source, prefixes(1, 1), { asPath: '1' });
    lab.settle();
    lab.rib.removePeer(source);
    lab.settle();
    expect(lab.rib.addPeer(identity({ name: 'early' }), importOptions()).id).not.toBe(source.id);
    lab.advance(100);
    expect(lab.rib.addPeer(identity({ name: 'late' }), importOptions()).id).toBe(source.id);
  });

  it('is not remembered in the attributes that another with its id sends', () => {
    const { lab, client } = labWith();
    const { sink } = client();
    const first = client().peer;
    lab.announce(first, prefixes(1), { asPath: '1' });
    lab.settle();
    lab.rib.removePeer(first);
    lab.settle();
    const second = client().peer;
    expect(second.id).toBe(first.id);
    lab.announce(second, prefixes(1), { asPath: '1' });
    lab.settle();
    expect([...sink.table.values()][0]).toContain(`"originatorId":"0.0.0.${second.routerId}"`);
  });

  it('is forgotten also where no group reads the changes, however long the decisions take', () => {
    const lab = new RibLab({ tick: 6 });
    const source = lab.rib.addPeer(identity({ name: 'source' }), importOptions());
    lab.announce(source, prefixes(400), { asPath: '1' });
    lab.settle();
    lab.rib.removePeer(source);
    lab.settle();
    expect([...lab.rib.peers.values()].map(({ name }) => name)).toEqual(['local']);
  });
});
