// Tables that go on in another process: nobody who has everything is sent a byte, who lags is sent what it misses, and
// from then on both go the same way.

import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { revived } from '../../src/policy/values.ts';
import type { ExportOptions } from '../../src/rib/export-options.ts';
import { captureRib } from '../../src/rib/handover/capture.ts';
import type { RibImage } from '../../src/rib/handover/image.ts';
import { ImageError, type Meanings, RibRestore } from '../../src/rib/handover/restore.ts';
import { Lane } from '../../src/rib/lane.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import { exportOptions, FakeSink, identity, importOptions, octets, RibLab } from './lab.ts';

const PEERS = 4;
const PREFIXES = Array.from({ length: 24 }, (_, i) => `10.0.${i}.0/24`);

/** Two share a group; one has several paths; one is internal. */
const EXPORTS: readonly ExportOptions[] = [
  exportOptions(),
  exportOptions(),
  exportOptions({ addPath: 'all' }),
  exportOptions({ peerType: 'internal', nextHop: 'self' }),
];

type Op =
  | { readonly kind: 'announce'; readonly peer: number; readonly prefixes: number[]; readonly med: number }
  | { readonly kind: 'withdraw'; readonly peer: number; readonly prefixes: number[] }
  | { readonly kind: 'congest' | 'drain'; readonly peer: number };

const peerNumber = fc.integer({ min: 0, max: PEERS - 1 });
const somePrefixes = fc.uniqueArray(fc.integer({ min: 0, max: PREFIXES.length - 1 }), { minLength: 1 });
const anOp: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('announce' as const),
      peer: peerNumber,
      prefixes: somePrefixes,
      med: fc.integer({ min: 0, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('withdraw' as const),
      peer: peerNumber,
      prefixes: somePrefixes,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('congest' as const, 'drain' as const), peer: peerNumber }),
  },
);

interface World {
  readonly lab: RibLab;
  readonly peers: RibPeer[];
  readonly sinks: FakeSink[];
}

function addPeer({ rib }: RibLab, i: number): RibPeer {
  const address = octets(`192.0.2.${i + 1}`);
  return rib.addPeer(
    identity({ name: `p${i}`, routerId: i + 1, address }),
    importOptions({ peerAs: 65001 + i }),
  );
}

function newWorld(): World {
  const lab = new RibLab({ rows: 64, decision: { preferOldest: true } });
  const peers = EXPORTS.map((_, i) => addPeer(lab, i));
  const sinks = peers.map((peer, i) => lab.join(peer, EXPORTS[i]!));
  lab.settle();
  return { lab, peers, sinks };
}

function apply({ lab, peers, sinks }: World, op: Op): void {
  const peer = peers[op.peer]!;
  if (op.kind === 'announce') {
    const values = { origin: 'IGP', asPath: `${65001 + op.peer}`, med: op.med } as const;
    lab.announce(
      peer,
      op.prefixes.map((i) => PREFIXES[i]!),
      values,
      `192.0.2.${op.peer + 1}`,
    );
  } else if (op.kind === 'withdraw') {
    lab.withdraw(
      peer,
      op.prefixes.map((i) => PREFIXES[i]!),
    );
  } else {
    sinks[op.peer]!.congested = op.kind === 'congest';
    if (op.kind === 'drain') lab.rib.wakeExport();
  }
  // Longer than a congested member keeps the others waiting.
  lab.advance(150);
}

function drainAll({ lab, sinks }: World): void {
  for (const sink of sinks) sink.congested = false;
  lab.rib.wakeExport();
  lab.advance(150);
}

/** As another process gets it. */
function travelled(image: RibImage): RibImage {
  return deserialize(serialize(image));
}

/** With one table only. */
function meaning(peers: ReadonlyMap<number, RibPeer>): Meanings {
  return { peers, tables: new Map(), domains: new Map(), feeds: new Map(), revive: revived };
}

/** The same peers, with other ids, in tables of their own; their sinks know what they have been sent. */
function goOn(
  before: World,
  image: RibImage,
  options: readonly ExportOptions[] = EXPORTS,
  meanwhile: (lab: RibLab) => void = () => {},
): World {
  const lab = new RibLab({ rows: 64, decision: { preferOldest: true } });
  const peers: RibPeer[] = [];
  for (let i = PEERS - 1; i >= 0; i--) peers[i] = addPeer(lab, i);
  for (const { family } of lab.rib.families) lab.rib.defer(family.id);
  const restore = new RibRestore(
    lab.rib,
    image,
    meaning(new Map(before.peers.map(({ id }, i) => [id, peers[i]!]))),
  );
  const sinks = peers.map((peer, i) => {
    const { family } = options[i]!;
    const sink = new FakeSink(options[i]!);
    for (const [prefix, text] of before.sinks[i]!.table) sink.table.set(prefix, text);
    const groups = lab.rib.groups[family.id]!;
    groups.join(options[i]!, { peer, sink }, (group) =>
      restore.part(lab.rib.families[family.id]!, before.peers[i]!.id, group),
    );
    sink.lagging = () => groups.groupOf(peer.id)?.lagging().includes(peer) ?? false;
    return sink;
  });
  meanwhile(lab);
  restore.release();
  for (const { family } of lab.rib.families) lab.rib.release(family.id);
  return { lab, peers, sinks };
}

/** Without path identifiers: which number a new path gets is nobody's business. */
function content(sink: FakeSink): string[] {
  return [...sink.table].map(([key, text]) => `${key.replace(/#.*/, '')} ${text}`).sort();
}

function attributeReferences({ lab: { rib } }: World): number {
  let sum = 0;
  for (let id = 1; id < rib.attrs.limit; id++) sum += rib.attrs.references(id);
  return sum;
}

describe('tables in another process', () => {
  it('send nothing again, and go on as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.array(anOp, { maxLength: 30 }), fc.array(anOp, { maxLength: 15 }), (first, then) => {
        const before = newWorld();
        for (const op of first) apply(before, op);
        const inStep = before.sinks.map((sink) => !sink.lagging());
        const image = travelled(captureRib(before.lab.rib));
        const after = goOn(before, image);
        after.lab.settle();
        for (const [i, sink] of after.sinks.entries()) {
          if (inStep[i]) expect([sink.octets, sink.log], `peer ${i}`).toEqual([0, []]);
        }
        expect(attributeReferences(after)).toBe(attributeReferences(before));
        drainAll(before);
        drainAll(after);
        expect(after.sinks.map(content)).toEqual(before.sinks.map(content));
        for (const op of then) {
          apply(before, op);
          apply(after, op);
        }
        drainAll(before);
        drainAll(after);
        expect(after.sinks.map(content)).toEqual(before.sinks.map(content));
        expect(after.sinks.flatMap(({ untidy }) => untidy)).toEqual([]);
        for (const [i, { counters }] of after.peers.entries()) {
          expect(counters[0]).toEqual(before.peers[i]!.counters[0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keep path identifiers, rows that were left free included', () => {
    const before = newWorld();
    for (const peer of [0, 1, 3]) apply(before, { kind: 'announce', peer, prefixes: [0, 1, 2], med: 0 });
    apply(before, { kind: 'withdraw', peer: 0, prefixes: [0, 1, 2] });
    const after = goOn(before, travelled(captureRib(before.lab.rib)));
    const sent = [...before.sinks[2]!.table.keys()].sort();
    apply(after, { kind: 'announce', peer: 0, prefixes: [5], med: 0 });
    const [more] = [...after.sinks[2]!.table.keys()].filter((key) => !sent.includes(key));
    expect([...after.sinks[2]!.table.keys()].filter((key) => key !== more).sort()).toEqual(sent);
    const numbers = sent.map((key) => key.split('#')[1]);
    expect(numbers).not.toContain(more!.split('#')[1]);
    expect(after.sinks[2]!.untidy).toEqual([]);
  });

  it('keep where next hops lead', () => {
    const before = newWorld();
    for (const [i, lead] of (['global', 'link-local', 'onlink'] as const).entries()) {
      const values = { asPath: '65001' };
      before.lab.announce(before.peers[0]!, [`10.${i}.0.0/16`], values, '192.0.2.1', IPV4_UNICAST, lead);
    }
    const peer = octets('192.0.2.66');
    const args = [{ asPath: '65001' }, '192.0.2.1', IPV4_UNICAST, 'global'] as const;
    before.lab.announce(before.peers[0]!, ['10.9.0.0/16'], ...args, peer);
    before.lab.settle();
    const after = goOn(before, travelled(captureRib(before.lab.rib)));
    const leads = [...after.lab.rib.nextHops.values()].map(({ lead }) => lead);
    expect(leads.sort()).toEqual(['global', 'global', 'link-local', 'onlink']);
    const fallbacks = [...after.lab.rib.nextHops.values()].flatMap(({ fallback }) => fallback ?? []);
    expect(fallbacks).toEqual([peer]);
  });

  it('send everything again where the options have changed, and withdraw what does not belong there', () => {
    const before = newWorld();
    apply(before, { kind: 'announce', peer: 1, prefixes: [0, 1, 2], med: 1 });
    const changed = EXPORTS.map((options, i) =>
      i === 0 ? { ...options, policy: 'reject' as const } : options,
    );
    const after = goOn(before, travelled(captureRib(before.lab.rib)), changed);
    after.lab.settle();
    expect([...before.sinks[0]!.table.keys()].length).toBe(3);
    expect([...after.sinks[0]!.table.keys()]).toEqual([]);
    expect(after.sinks.slice(1).map(({ octets }) => octets)).toEqual([0, 0, 0]);
  });

  it('send everything to a peer that comes before anything has moved', () => {
    const before = newWorld();
    for (const peer of [0, 1, 3]) apply(before, { kind: 'announce', peer, prefixes: [0, 1, 2], med: 0 });
    const newcomer = new FakeSink(EXPORTS[0]!);
    const after = goOn(before, travelled(captureRib(before.lab.rib)), EXPORTS, (lab) => {
      lab.rib.groups[0]!.join(EXPORTS[0]!, { peer: addPeer(lab, PEERS), sink: newcomer });
    });
    after.lab.settle();
    expect([...newcomer.table.keys()].length).toBe(3);
    expect(after.sinks.map(({ octets }) => octets)).toEqual([0, 0, 0, 0]);
  });

  it.each([
    ['several paths', 2],
    ['one path', 3],
  ])('lose the routes of a peer that did not come along, and tell a peer that is sent %s', (_, to) => {
    const before = newWorld();
    apply(before, { kind: 'announce', peer: 0, prefixes: [0, 1], med: 0 });
    apply(before, { kind: 'announce', peer: 1, prefixes: [1], med: 3 });
    const image = travelled(captureRib(before.lab.rib));
    const lab = new RibLab({ rows: 64 });
    const [peer, source] = [addPeer(lab, to), addPeer(lab, 1)];
    const restore = new RibRestore(
      lab.rib,
      image,
      meaning(
        new Map([
          [before.peers[to]!.id, peer],
          [before.peers[1]!.id, source],
        ]),
      ),
    );
    const sink = new FakeSink(EXPORTS[to]!);
    for (const [prefix, text] of before.sinks[to]!.table) sink.table.set(prefix, text);
    lab.rib.groups[0]!.join(EXPORTS[to]!, { peer, sink }, (group) =>
      restore.part(lab.rib.families[0]!, before.peers[to]!.id, group),
    );
    restore.release();
    lab.settle();
    expect([...sink.table.keys()].map((key) => key.split('#')[0])).toEqual([PREFIXES[1]]);
    expect([...sink.table.values()][0]).toContain('65002');
    expect(sink.untidy).toEqual([]);
  });

  it('take them back from a member that lags, before anything is computed of them', () => {
    const lab = new RibLab({ exportChunk: 4 });
    const { rib } = lab;
    const table = rib.families[IPV4_UNICAST.id]!;
    const prefixes = Array.from({ length: 20 }, (_, i) => `10.0.${i}.0/24`);
    const from = rib.addPeer(identity({ name: 'from' }), importOptions());
    lab.announce(from, prefixes, { asPath: '65001' });
    lab.settle();
    const attr = table.locRib.bestAttr(1);
    const [slow, behind] = ['192.0.2.2', '192.0.2.3'].map((address) =>
      rib.addPeer(identity({ name: address, address: octets(address) }), importOptions()),
    );
    const options = exportOptions();
    const groups = rib.groups[table.index]!;
    const slowSink = new FakeSink(options);
    const sink = new FakeSink(options);
    slowSink.congested = true;
    groups.join(options, { peer: slow!, sink: slowSink }, (group) => {
      for (const id of [15, 16]) group.advertiser.restore(id, [{ pathId: 0, attr, from: 0 }]);
      return { lane: undefined, endOfRibSent: true };
    });
    const lane = new Lane(table.prefixes, { cursor: 1, fresh: false }, []);
    lane.note(15, 0, 0);
    groups.join(options, { peer: behind!, sink }, () => ({ lane, endOfRibSent: true }));
    lab.settle();
    slowSink.congested = false;
    rib.wakeExport();
    lab.advance(1000);
    expect([slowSink.table.size, sink.table.size]).toEqual([20, 20]);
  });

  it('are not made of what cannot be', () => {
    const before = newWorld();
    apply(before, { kind: 'announce', peer: 0, prefixes: [0, 1], med: 0 });
    const image = captureRib(before.lab.rib);
    const wrong: readonly RibImage[] = [
      { ...image, nextHops: [] },
      { ...image, attributes: { ...image.attributes, bytes: image.attributes.bytes.subarray(1) } },
      { ...image, attributes: { ...image.attributes, ids: Int32Array.of(-1) } },
      { ...image, families: [{ ...image.families[0]!, family: 'ipv9' }] },
      {
        ...image,
        families: image.families.map((each) => ({
          ...each,
          rows: { ...each.rows, rows: each.rows.rows.slice().reverse() },
        })),
      },
    ];
    for (const each of wrong) {
      const { rib } = new RibLab({ rows: 64 });
      const peers = new Map([[before.peers[0]!.id, addPeer(new RibLab({ rows: 64 }), 0)]]);
      expect(() => new RibRestore(rib, each, meaning(peers))).toThrow(ImageError);
    }
  });
});
