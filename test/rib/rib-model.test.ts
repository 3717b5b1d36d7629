// The whole RIB against its naive twin: random sequences of everything that can happen to it, in small slices, and
// at every rest each peer must have exactly what the twin says.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttributeValues } from '../../src/bgp/wire/attribute-values.ts';
import { type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { reimport } from '../../src/rib/adj-rib-in.ts';
import type { ExportOptions } from '../../src/rib/export-options.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import { exportOptions, type FakeSink, identity, importOptions, octets, RibLab } from './lab.ts';
import { type NaivePeer, NaiveRib } from './naive-rib.ts';

interface Slot {
  readonly source: NaivePeer['source'];
  readonly client: boolean;
  readonly as: number;
  readonly addPath: ExportOptions['addPath'];
  readonly evaluateAll?: boolean;
}

const SLOTS: readonly Slot[] = [
  { source: 'external', client: false, as: 65001, addPath: 'none' },
  { source: 'external', client: false, as: 65002, addPath: 'none' },
  { source: 'internal', client: true, as: 65000, addPath: 'none' },
  { source: 'internal', client: true, as: 65000, addPath: 'none' },
  { source: 'internal', client: false, as: 65000, addPath: 'none' },
  { source: 'internal', client: true, as: 65000, addPath: 'all' },
  { source: 'internal', client: true, as: 65000, addPath: 2 },
  { source: 'external', client: false, as: 65003, addPath: 'none', evaluateAll: true },
];
/** This slot's received path identifiers differ (RFC 7911). */
const ADD_PATH_SENDER = 2;

const ATTRIBUTES: readonly Partial<AttributeValues>[] = [
  { asPath: '65001 65010' },
  { asPath: '65001 65010', med: 10 },
  { asPath: '65001 65020', med: 20 },
  { asPath: '65002 65010', med: 5, origin: 'EGP' },
  { asPath: '65002 65010' },
  { asPath: '65002', communities: ['NO_EXPORT', '65000:1'] },
  { asPath: '65003 65004', communities: ['NO_ADVERTISE'] },
  { asPath: '65003 65004', communities: ['65000:7'] },
  { asPath: '65003 65000 65004' },
];
const INTERNAL_ATTRIBUTES: readonly Partial<AttributeValues>[] = [
  { localPref: 200 },
  { localPref: 50, originatorId: '10.9.9.9' },
  { localPref: 100, originatorId: '0.0.0.1', clusterList: ['10.8.8.8'] },
  {},
];

interface World {
  readonly family: Family;
  readonly prefixes: readonly string[];
  readonly nextHops: readonly string[];
  readonly own: string;
}

const WORLDS: Readonly<Record<string, World>> = {
  ipv4: {
    family: IPV4_UNICAST,
    prefixes: Array.from({ length: 24 }, (_, i) => (i === 0 ? '0.0.0.0/0' : `10.${i}.0.0/16`)),
    nextHops: ['192.0.2.1', '192.0.2.2', '192.0.2.3'],
    own: '10.0.0.254',
  },
  ipv6: {
    family: IPV6_UNICAST,
    prefixes: Array.from({ length: 24 }, (_, i) => (i === 0 ? '::/0' : `2001:db8:${i}::/48`)),
    nextHops: ['2001:db8::1', '2001:db8::2', '2001:db8::3'],
    own: '2001:db8::fe',
  },
};

const slot = fc.nat({ max: SLOTS.length - 1 });
/** Routes may also be local ones. */
const origin = fc.nat({ max: SLOTS.length });
const some = fc.uniqueArray(fc.nat({ max: 23 }), { minLength: 1, maxLength: 8 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('up' as const), slot }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('down' as const), slot }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('announce' as const),
      slot: origin,
      prefixes: some,
      attributes: fc.nat({ max: ATTRIBUTES.length - 1 }),
      internal: fc.nat({ max: INTERNAL_ATTRIBUTES.length - 1 }),
      nextHop: fc.nat({ max: 2 }),
      pathId: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('withdraw' as const),
      slot: origin,
      prefixes: some,
      pathId: fc.nat({ max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('import' as const), slot, accept: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('options' as const),
      slot,
      accept: fc.boolean(),
      sendCommunities: fc.boolean(),
      interpretCommunities: fc.boolean(),
      self: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('next-hop' as const),
      nextHop: fc.nat({ max: 2 }),
      reachable: fc.boolean(),
      metric: fc.nat({ max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('congest' as const), slot }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drain' as const), slot }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const), slot }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 60, 150) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('listen' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Live {
  readonly peer: RibPeer;
  readonly naive: NaivePeer;
  readonly sink: FakeSink;
  options: ExportOptions;
  refreshes: number;
}

class Twins {
  readonly lab: RibLab;
  readonly naive: NaiveRib;
  readonly world: World;
  readonly live = new Map<number, Live>();
  #unlisten: (() => void) | undefined;
  readonly local: NaivePeer = {
    name: 'local',
    source: 'local',
    routerId: 0,
    address: '',
    client: false,
    importPolicy: 'accept',
  };
  #serial = 0;

  constructor(world: World, setup: { alwaysCompareMed: boolean; tick: number; chunk: number }) {
    this.world = world;
    this.lab = new RibLab({
      decision: { alwaysCompareMed: setup.alwaysCompareMed },
      tick: setup.tick,
      exportChunk: setup.chunk,
    });
    this.naive = new NaiveRib(setup.alwaysCompareMed);
    const { nextHops } = this.lab.rib;
    nextHops.track({
      onAdded: ({ id }) => {
        const { reachable, metric } = this.naive.nextHop(nextHops.format(id));
        nextHops.setState(id, reachable, metric);
      },
      onRemoved: () => {},
    });
  }

  run(step: Step): void {
    if (step.do === 'up') this.up(step.slot);
    else if (step.do === 'down') this.down(step.slot);
    else if (step.do === 'announce') this.#announce(step);
    else if (step.do === 'withdraw') this.#withdraw(step);
    else if (step.do === 'import') this.#setImport(step.slot, step.accept ? 'accept' : 'reject');
    else if (step.do === 'options') this.#setOptions(step);
    else if (step.do === 'next-hop') this.#setNextHop(step);
    else if (step.do === 'congest') this.#congest(step.slot);
    else if (step.do === 'drain') this.drain(step.slot);
    else if (step.do === 'refresh') this.#refresh(step.slot);
    else if (step.do === 'compact') this.lab.rib.compact();
    else if (step.do === 'listen') this.#listen();
    else if (step.do === 'turns') this.lab.turns(step.count);
    else if (step.do === 'wait') {
      this.lab.turns(1);
      this.lab.sim.advance(step.ms);
    } else this.check();
  }

  /** As long as somebody listens who is told in the stage alone, every prefix waits for it. */
  #listen(): void {
    const { locRib } = this.lab.rib.families[this.world.family.id]!;
    const end = this.#unlisten;
    this.#unlisten = end === undefined ? locRib.addListener(() => {}) : undefined;
    end?.();
  }

  #congest(number: number): void {
    const live = this.live.get(number);
    if (live !== undefined) live.sink.congested = true;
  }

  up(number: number): void {
    if (this.live.has(number)) return;
    const { source, client, as, addPath, evaluateAll } = SLOTS[number]!;
    const routerId = 0x0a000010 - number;
    // A new object each time: routes of an earlier life are not this one's.
    const naive: NaivePeer = {
      name: `${number}.${this.#serial++}`,
      source,
      client,
      routerId,
      address: `${100 + number}`,
      importPolicy: 'accept',
    };
    const address = octets(`203.0.113.${100 + number}`);
    const peer = this.lab.rib.addPeer(
      identity({ name: naive.name, source, client, routerId, address }),
      importOptions({ peerAs: as, ownAses: Uint32Array.of(65000) }),
    );
    const options = exportOptions({
      family: this.world.family,
      peerType: source === 'external' ? 'external' : 'internal',
      client,
      addPath,
      evaluateAllFor: evaluateAll ? naive.name : undefined,
      ownNextHop: octets(this.world.own),
    });
    const sink = this.lab.join(peer, options);
    this.live.set(number, { peer, naive, sink, options, refreshes: 0 });
  }

  down(number: number): void {
    const live = this.live.get(number);
    if (live === undefined) return;
    this.live.delete(number);
    this.naive.drop(live.naive);
    this.lab.rib.removePeer(live.peer);
  }

  #announce(step: Extract<Step, { do: 'announce' }>): void {
    const { prefixes, nextHops, family } = this.world;
    const from = this.#origin(step.slot);
    if (from === undefined) return;
    const inside = from.naive.source === 'internal' ? INTERNAL_ATTRIBUTES[step.internal] : {};
    const base =
      from.naive.source === 'local' ? { med: ATTRIBUTES[step.attributes]?.med } : ATTRIBUTES[step.attributes];
    const attributes = { ...base, ...inside };
    const nextHop = nextHops[step.nextHop]!;
    const pathId = step.slot === ADD_PATH_SENDER ? step.pathId : 0;
    const chosen = step.prefixes.map((i) => prefixes[i]!);
    const texts = chosen.map((prefix) => (pathId === 0 ? prefix : `${prefix}#${pathId}`));
    this.lab.announce(from.peer, texts, attributes, nextHop, family);
    for (const prefix of chosen)
      this.naive.announce(prefix, { from: from.naive, pathId, attributes, nextHop });
  }

  #withdraw(step: Extract<Step, { do: 'withdraw' }>): void {
    const from = this.#origin(step.slot);
    if (from === undefined) return;
    const pathId = step.slot === ADD_PATH_SENDER ? step.pathId : 0;
    const chosen = step.prefixes.map((i) => this.world.prefixes[i]!);
    const texts = chosen.map((prefix) => (pathId === 0 ? prefix : `${prefix}#${pathId}`));
    this.lab.withdraw(from.peer, texts, this.world.family);
    for (const prefix of chosen) this.naive.withdraw(prefix, from.naive, pathId);
  }

  #origin(number: number): { peer: RibPeer; naive: NaivePeer } | undefined {
    if (number === SLOTS.length) return { peer: this.lab.rib.local, naive: this.local };
    return this.live.get(number);
  }

  #setImport(number: number, policy: 'accept' | 'reject'): void {
    const live = this.live.get(number);
    if (live === undefined) return;
    const { rib } = this.lab;
    live.naive.importPolicy = policy;
    live.peer.importOptions = { ...live.peer.importOptions, policy };
    for (const family of rib.families) rib.addWork(reimport(family, live.peer, rib.checks));
  }

  #setOptions(step: Extract<Step, { do: 'options' }>): void {
    const live = this.live.get(step.slot);
    if (live === undefined) return;
    live.options = {
      ...live.options,
      policy: step.accept ? 'accept' : 'reject',
      sendCommunities: step.sendCommunities,
      interpretCommunities: step.interpretCommunities,
      nextHop: step.self ? 'self' : 'auto',
    };
    const { peer, sink, options } = live;
    this.lab.rib.groups[this.world.family.id]!.join(options, { peer, sink });
  }

  #setNextHop(step: Extract<Step, { do: 'next-hop' }>): void {
    const { nextHops } = this.lab.rib;
    const address = this.world.nextHops[step.nextHop]!;
    Object.assign(this.naive.nextHop(address), { reachable: step.reachable, metric: step.metric });
    for (const { id } of nextHops.values()) {
      if (nextHops.format(id) !== address) continue;
      if (nextHops.setState(id, step.reachable, step.metric)) this.lab.rib.nextHopsChanged(new Set([id]));
    }
  }

  drain(number: number): void {
    const live = this.live.get(number);
    if (live === undefined) return;
    live.sink.congested = false;
    this.lab.rib.wakeExport();
  }

  #refresh(number: number): void {
    const live = this.live.get(number);
    if (live === undefined) return;
    const group = this.lab.rib.groups[this.world.family.id]!.groupOf(live.peer.id)!;
    live.refreshes++;
    group.refresh(live.peer.id, undefined, undefined);
  }

  /** Comes to rest with some members still stalled; the others must be right. */
  check(): void {
    for (let i = 0; i < 4; i++) this.lab.advance(150);
    for (const [number, live] of this.live) {
      const { sink, options, naive } = live;
      const name = `peer ${number}`;
      expect(sink.untidy, name).toEqual([]);
      expect(sink.endOfRibs, name).toBeLessThanOrEqual(1);
      if (sink.congested) {
        const group = this.lab.rib.groups[this.world.family.id]!.groupOf(live.peer.id)!;
        expect(group.pending).toBeLessThanOrEqual(this.world.prefixes.length * group.size);
        continue;
      }
      expect(sink.endOfRibs, name).toBe(1);
      const wanted = this.naive.table({
        to: naive,
        policy: options.policy === 'accept' ? 'accept' : 'reject',
        sendCommunities: options.sendCommunities,
        interpretCommunities: options.interpretCommunities ?? true,
        nextHopSelf: options.nextHop === 'self',
        ownNextHop: this.world.own,
        paths: pathsOf(options),
        firstOnly: options.evaluateAllFor !== undefined,
      });
      expect(tableOf(sink), name).toEqual(wanted);
    }
  }

  /** Everybody goes; nothing may remain. */
  end(): void {
    for (const number of this.live.keys()) this.drain(number);
    this.check();
    for (const number of [...this.live.keys()]) this.down(number);
    this.lab.withdraw(this.lab.rib.local, this.world.prefixes, this.world.family);
    this.lab.advance(200);
    this.lab.advance(200);
    const { rib } = this.lab;
    expect({
      attributes: rib.attrs.size,
      nextHops: [...rib.nextHops.values()].length,
      peers: [...rib.peers.values()].map((peer) => peer.name),
      prefixes: rib.families.map((family) => family.prefixes.size),
      rows: rib.families.map((family) => family.paths.size),
      locRib: rib.families.map((family) => family.locRib.size),
      unread: rib.families.map((family) => family.changes.length),
      dirty: rib.families.map((family) => family.locRib.dirtyCount),
      groups: rib.groups.map((groups) => [...groups.values()].length),
    }).toEqual({
      attributes: 0,
      nextHops: 0,
      peers: ['local'],
      prefixes: [0, 0],
      rows: [0, 0],
      locRib: [0, 0],
      unread: [0, 0],
      dirty: [0, 0],
      groups: [0, 0],
    });
    for (const peer of rib.peers.values()) {
      expect(peer.counters).toEqual(
        rib.families.map(() => ({ received: 0, rejected: 0, best: 0, stale: 0, staleRejected: 0 })),
      );
    }
  }
}

/** prefix -> texts of its routes, whatever their path identifiers. */
function tableOf(sink: FakeSink): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const [key, text] of sink.table) {
    const prefix = key.split('#')[0]!;
    table.set(prefix, [...(table.get(prefix) ?? []), text].sort());
  }
  return table;
}

describe.each(Object.entries(WORLDS))('the RIB for %s', (_name, world) => {
  it('gives every peer what a naive RIB would, in whatever order things happen, and forgets all of it', () => {
    const setup = fc.record({
      alwaysCompareMed: fc.boolean(),
      tick: fc.constantFrom(0, 1, 4),
      chunk: fc.constantFrom(1, 3, 7, 8192),
    });
    const initial = fc.uniqueArray(slot, { maxLength: SLOTS.length });
    fc.assert(
      fc.property(
        setup,
        initial,
        fc.array(step, { maxLength: 80, size: 'max' }),
        (options, members, steps) => {
          const twins = new Twins(world, options);
          for (const number of members) twins.up(number);
          for (const each of steps) twins.run(each);
          twins.end();
        },
      ),
      { numRuns: Number(process.env['RIB_RUNS'] ?? 60) },
    );
  });
});

/** Of a prefix, that may be looked at. */
function pathsOf({ addPath, evaluateAllFor }: ExportOptions): number {
  if (addPath === 'all' || evaluateAllFor !== undefined) return Number.MAX_SAFE_INTEGER;
  return addPath === 'none' ? 1 : addPath;
}
