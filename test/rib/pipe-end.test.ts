// Pipes between tables: routes stay what they are, go where a way leads and come back from nowhere. A model of sets says
// where each route must be after any sequence of changes; one table with all peers says which one must be best.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import type { FamilyRib } from '../../src/rib/family-rib.ts';
import { PipeEnd } from '../../src/rib/pipe-end.ts';
import type { RibPeer } from '../../src/rib/rib-peer.ts';
import type { RoutePolicy } from '../../src/rib/route-policy.ts';
import { exportOptions, identity, importOptions, octets, RibLab } from './lab.ts';

const TABLES = 4;
const PREFIXES = ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/24'];

class PipeLab extends RibLab {
  readonly tables: FamilyRib[];
  readonly #work = (work: Parameters<RibLab['rib']['addWork']>[0]): void => this.rib.addWork(work);

  constructor(tables: number) {
    super({ tick: 1, rows: 64 });
    this.tables = [this.rib.families[IPV4_UNICAST.id]!];
    while (this.tables.length < tables) this.tables.push(this.rib.addTable(IPV4_UNICAST));
  }

  peer(number: number, table: number): RibPeer {
    return this.rib.addPeer(
      identity({
        name: `peer${number}`,
        routerId: number + 1,
        address: octets(`192.0.2.${number + 1}`),
        home: [this.tables[table]!.index, 1],
      }),
      importOptions(),
    );
  }

  pipe(from: number, to: number, policy: PipeEnd['policy'] = 'accept'): PipeEnd {
    return new PipeEnd(this.tables[from]!, this.tables[to]!, policy, { addWork: this.#work });
  }

  /** `prefix peer attr` of each row, sorted. */
  rows(table: number): string[] {
    return routesOf(this.tables[table]!, (peer, prefix) => `${prefix} ${peer}`);
  }

  /** The best of each prefix. */
  best(table: number): string[] {
    const rib = this.tables[table]!;
    return PREFIXES.flatMap((text) => {
      const { words, bits } = parsed(text);
      const id = rib.prefixes.find(words, 0, bits);
      const row = id === 0 ? 0 : rib.locRib.bestRow(id);
      return row === 0 ? [] : `${text} ${rib.shared.peers.get(rib.paths.peerId(row)).name}`;
    });
  }
}

function parsed(text: string): { words: Int32Array; bits: number } {
  const [address = '', bits] = text.split('/');
  const view = new DataView(octets(address).buffer);
  return { words: Int32Array.of(view.getInt32(0)), bits: Number(bits) };
}

function routesOf(rib: FamilyRib, show: (peer: string, prefix: string) => string): string[] {
  const found: string[] = [];
  for (let row = 1; row < rib.paths.limit; row++) {
    const prefixId = rib.paths.prefixId(row);
    if (prefixId === 0) continue;
    found.push(show(rib.shared.peers.get(rib.paths.peerId(row)).name, rib.prefixes.format(prefixId)));
  }
  return found.sort();
}

/** Lets one prefix pass. */
function only(wanted: string): RoutePolicy {
  const apply: RoutePolicy['apply'] = (rib, prefixId, attr) => {
    if (rib.prefixes.format(prefixId) !== wanted) return 0;
    rib.shared.attrs.hold(attr);
    return attr;
  };
  return {
    name: wanted,
    key: wanted,
    afterRewrite: false,
    dependsOnPrefix: () => true,
    apply,
    applyInTurn: apply,
    settle: () => {},
  };
}

describe('a pipe', () => {
  test('brings what is there and what comes, and takes it back', () => {
    const lab = new PipeLab(2);
    const peer = lab.peer(0, 0);
    lab.announce(peer, ['10.0.0.0/8'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    const pipe = lab.pipe(0, 1);
    lab.announce(peer, ['10.1.0.0/16'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    expect(lab.rows(1)).toEqual(['10.0.0.0/8 peer0', '10.1.0.0/16 peer0']);
    expect(pipe.routes).toBe(2);
    lab.withdraw(peer, ['10.0.0.0/8']);
    lab.settle();
    expect(lab.rows(1)).toEqual(['10.1.0.0/16 peer0']);
    pipe.close();
    lab.settle();
    expect(lab.rows(1)).toEqual([]);
    expect(pipe.routes).toBe(0);
  });

  test('counts what it does', () => {
    const lab = new PipeLab(2);
    const peer = lab.peer(0, 0);
    const there = lab.pipe(0, 1, only('10.0.0.0/8'));
    const back = lab.pipe(1, 0);
    lab.settle();
    lab.announce(peer, ['10.0.0.0/8', '10.1.0.0/16'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    lab.withdraw(peer, ['10.0.0.0/8']);
    lab.settle();
    expect(there.counters).toMatchObject({ received: 2, filtered: 1, accepted: 1, withdrawn: 1 });
    expect(back.counters).toMatchObject({ received: 1, looped: 1, accepted: 0 });
  });

  test('shares the attribute set', () => {
    const lab = new PipeLab(2);
    lab.pipe(0, 1);
    lab.announce(lab.peer(0, 0), PREFIXES, { origin: 'IGP', asPath: '65001' });
    lab.settle();
    expect(lab.rows(1)).toHaveLength(PREFIXES.length);
    expect(lab.rib.attrs.size).toBe(1);
  });

  test('a peer of the other table gets its routes, and the peer they came from does not get them back', () => {
    const lab = new PipeLab(2);
    lab.pipe(0, 1);
    lab.pipe(1, 0);
    const peers = [lab.peer(0, 0), lab.peer(1, 1)];
    const [first, second] = peers.map((peer) => lab.join(peer, exportOptions()));
    lab.announce(peers[0]!, ['10.0.0.0/8'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    expect([...second!.table.keys()]).toEqual(['10.0.0.0/8']);
    expect([...first!.table.keys()]).toEqual([]);
    lab.rib.removePeer(peers[0]!);
    lab.settle();
    expect([...second!.table.keys()]).toEqual([]);
  });

  test('another policy takes effect on what is there', () => {
    const lab = new PipeLab(2);
    const pipe = lab.pipe(0, 1, only('10.0.0.0/8'));
    lab.announce(lab.peer(0, 0), PREFIXES, { origin: 'IGP', asPath: '65001' });
    lab.settle();
    expect(lab.rows(1)).toEqual(['10.0.0.0/8 peer0']);
    pipe.usePolicy(only('192.0.2.0/24'));
    lab.settle();
    expect(lab.rows(1)).toEqual(['192.0.2.0/24 peer0']);
  });

  test('a route that one way is closed to takes the other', () => {
    const lab = new PipeLab(3);
    const short = lab.pipe(0, 1);
    lab.pipe(0, 2);
    lab.pipe(2, 1);
    lab.announce(lab.peer(0, 0), ['10.0.0.0/8'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    short.usePolicy('reject');
    lab.settle();
    expect(lab.rows(1)).toEqual(['10.0.0.0/8 peer0']);
  });

  test('takes back what several sources lose at once, each route once', () => {
    const lab = new PipeLab(3);
    const pipes = [lab.pipe(0, 2), lab.pipe(1, 2)];
    const peers = [lab.peer(0, 0), lab.peer(1, 0), lab.peer(2, 1)];
    for (const peer of peers) lab.announce(peer, ['10.0.0.0/8'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    expect(lab.rows(2)).toHaveLength(3);
    for (const peer of peers) lab.withdraw(peer, ['10.0.0.0/8']);
    lab.settle();
    expect(lab.rows(2)).toEqual([]);
    expect(pipes.map(({ routes }) => routes)).toEqual([0, 0]);
    expect(lab.tables[2]!.paths.size).toBe(0);
    expect(pipes.map(({ counters }) => counters.withdrawn)).toEqual([2, 1]);
  });

  test('an opaque one carries the best, as its own', () => {
    const lab = new PipeLab(3);
    const peers = [lab.peer(0, 0), lab.peer(1, 0)];
    const veil = { peer: lab.peer(7, 1), protocol: 'pipe1', preference: 70 };
    const addWork = lab.rib.addWork.bind(lab.rib);
    const end = new PipeEnd(lab.tables[0]!, lab.tables[1]!, 'accept', { addWork }, veil);
    lab.pipe(1, 2);
    const back = lab.pipe(2, 0);
    for (const [i, peer] of peers.entries()) {
      lab.announce(peer, ['10.0.0.0/8'], { origin: 'IGP', asPath: '65001', localPref: 100 + i });
    }
    lab.settle();
    expect(lab.rows(0)).toEqual(['10.0.0.0/8 peer0', '10.0.0.0/8 peer1']);
    expect(lab.rows(1)).toEqual(['10.0.0.0/8 peer7']);
    expect(lab.rows(2)).toEqual(['10.0.0.0/8 peer7']);
    expect(back.routes).toBe(0);
    const { attrs } = lab.rib;
    const extras = (table: number) => {
      const row = lab.tables[table]!.locRib.bestRow(1);
      return attrs.extrasTable.get(attrs.extras[lab.tables[table]!.paths.attrPost(row)]!);
    };
    expect(extras(2)).toMatchObject({ origin: 'pipe', protocol: 'pipe1', preference: 70 });
    lab.withdraw(peers[1]!, ['10.0.0.0/8']);
    lab.settle();
    expect(lab.rows(1)).toEqual(['10.0.0.0/8 peer7']);
    expect(attrs.localPref[lab.tables[2]!.paths.attrPost(lab.tables[2]!.locRib.bestRow(1))]).toBe(100);
    end.close();
    lab.settle();
    expect([lab.rows(1), lab.rows(2)]).toEqual([[], []]);
  });

  test('a place of a table that is gone is used again', () => {
    const lab = new PipeLab(2);
    const pipe = lab.pipe(0, 1);
    lab.announce(lab.peer(0, 0), ['10.0.0.0/8'], { origin: 'IGP', asPath: '65001' });
    lab.settle();
    lab.rib.removeTable(lab.tables[1]!);
    // Its last route is still there.
    expect(lab.rib.addTable(IPV4_UNICAST)).not.toBe(lab.tables[1]);
    pipe.close();
    lab.settle();
    expect(lab.rib.addTable(IPV4_UNICAST)).toBe(lab.tables[1]);
  });
});

type Step =
  | {
      readonly kind: 'announce' | 'withdraw';
      readonly peer: number;
      readonly prefix: number;
      readonly med: number;
    }
  | { readonly kind: 'leave'; readonly peer: number }
  | { readonly kind: 'pipe'; readonly from: number; readonly to: number; readonly only: number | undefined }
  | { readonly kind: 'close' | 'judge'; readonly pipe: number; readonly only: number | undefined }
  | { readonly kind: 'turns'; readonly count: number };

const index = (size: number) => fc.nat(size - 1);
const policyIndex = fc.option(index(PREFIXES.length), { nil: undefined });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('announce' as const, 'withdraw' as const),
      peer: index(3),
      prefix: index(PREFIXES.length),
      med: index(3),
    }),
  },
  fc.record({ kind: fc.constant('leave' as const), peer: index(3) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pipe' as const),
      from: index(TABLES),
      to: index(TABLES),
      only: policyIndex,
    }),
  },
  fc.record({
    kind: fc.constantFrom('close' as const, 'judge' as const),
    pipe: index(6),
    only: policyIndex,
  }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: index(6) }) },
);

interface ModelPipe {
  readonly from: number;
  readonly to: number;
  only: number | undefined;
  readonly end: PipeEnd;
}

const policyOf = (wanted: number | undefined): PipeEnd['policy'] =>
  wanted === undefined ? 'accept' : only(PREFIXES[wanted]!);

/** Tables that a route of a prefix reaches from its own. */
function reached(home: number, prefix: number, pipes: readonly ModelPipe[]): Set<number> {
  const found = new Set([home]);
  for (const table of found) {
    for (const { from, to, only: wanted } of pipes) {
      if (from === table && (wanted === undefined || wanted === prefix)) found.add(to);
    }
  }
  return found;
}

/** Each of five peers with each prefix. */
const allOf = (comes: boolean) =>
  [0, 1, 2, 3, 4].flatMap((peer) => PREFIXES.map((_, prefix) => ({ peer, prefix, comes })));

describe('pipes as a graph', () => {
  test('after any changes each route is where ways lead, once, and nowhere else', () => {
    fc.assert(
      fc.property(
        fc.array(index(TABLES), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 40 }),
        (homes, steps) => {
          const lab = new PipeLab(TABLES);
          const peers = homes.map((home, i) => lab.peer(i, home));
          const have = homes.map(() => new Set<number>());
          let pipes: ModelPipe[] = [];
          for (const each of steps) {
            if (each.kind === 'announce') {
              lab.announce(peers[each.peer]!, [PREFIXES[each.prefix]!], {
                origin: 'IGP',
                asPath: '65001',
                med: each.med,
              });
              have[each.peer]!.add(each.prefix);
            } else if (each.kind === 'withdraw') {
              lab.withdraw(peers[each.peer]!, [PREFIXES[each.prefix]!]);
              have[each.peer]!.delete(each.prefix);
            } else if (each.kind === 'leave') {
              lab.rib.removePeer(peers[each.peer]!);
              peers[each.peer] = lab.peer(each.peer, homes[each.peer]!);
              have[each.peer]!.clear();
            } else if (each.kind === 'pipe') {
              if (each.from === each.to) continue;
              pipes.push({ ...each, end: lab.pipe(each.from, each.to, policyOf(each.only)) });
            } else if (each.kind === 'turns') {
              lab.turns(each.count);
            } else if (each.kind === 'close' || each.kind === 'judge') {
              const pipe = pipes[each.pipe];
              if (pipe === undefined) continue;
              if (each.kind === 'close') {
                pipe.end.close();
                pipes = pipes.filter((other) => other !== pipe);
              } else {
                pipe.only = each.only;
                pipe.end.usePolicy(policyOf(each.only));
              }
            }
          }
          lab.settle();
          for (let table = 0; table < TABLES; table++) {
            const expected = homes.flatMap((home, i) =>
              [...have[i]!]
                .filter((prefix) => reached(home, prefix, pipes).has(table))
                .map((prefix) => `${PREFIXES[prefix]} peer${i}`),
            );
            expect(lab.rows(table)).toEqual(expected.sort());
          }
          for (const { end } of pipes) {
            const there = routesOf(end.target, () => '').length;
            expect(end.routes).toBeLessThanOrEqual(there);
            end.close();
          }
          for (const peer of peers) lab.rib.removePeer(peer);
          lab.settle();
          for (const table of lab.tables) expect([table.paths.size, table.locRib.size]).toEqual([0, 0]);
          expect([lab.rib.attrs.size, lab.rib.idle]).toEqual([0, true]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('where many tables lead into one, it follows what all of them gain and lose in one turn', () => {
    const sources = TABLES - 1;
    const change = fc.record({ peer: index(5), prefix: index(PREFIXES.length), comes: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(index(sources), { minLength: 5, maxLength: 5 }),
        fc.boolean(),
        fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 6 }),
        (homes, back, rounds) => {
          const lab = new PipeLab(TABLES);
          const peers = homes.map((home, i) => lab.peer(i, home));
          const pipes = [0, 1, 2].map((table) => lab.pipe(table, sources));
          if (back) lab.pipe(sources, 0);
          const have = new Set<string>();
          for (const round of [allOf(true), ...rounds, allOf(false)]) {
            for (const { peer, prefix, comes } of round) {
              const text = PREFIXES[prefix]!;
              if (comes) lab.announce(peers[peer]!, [text], { origin: 'IGP', asPath: '65001' });
              else lab.withdraw(peers[peer]!, [text]);
              have[comes ? 'add' : 'delete'](`${text} peer${peer}`);
            }
            lab.settle();
            expect(lab.rows(sources)).toEqual([...have].sort());
            expect(pipes.reduce((sum, { routes }) => sum + routes, 0)).toBe(have.size);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('two tables with a pipe that lets everything pass decide as one', () => {
    const routes = fc.array(
      fc.record({ peer: index(3), prefix: index(PREFIXES.length), med: index(3), length: index(3) }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(fc.array(index(2), { minLength: 3, maxLength: 3 }), routes, (homes, announced) => {
        const two = new PipeLab(2);
        two.pipe(0, 1);
        two.pipe(1, 0);
        const one = new PipeLab(1);
        const inTwo = homes.map((home, i) => two.peer(i, home));
        const inOne = homes.map((_, i) => one.peer(i, 0));
        for (const { peer, prefix, med, length } of announced) {
          const values = { origin: 'IGP', asPath: '65001 '.repeat(length + 1).trim(), med } as const;
          two.announce(inTwo[peer]!, [PREFIXES[prefix]!], values);
          one.announce(inOne[peer]!, [PREFIXES[prefix]!], values);
        }
        two.settle();
        one.settle();
        expect(two.best(0)).toEqual(one.best(0));
        expect(two.best(1)).toEqual(one.best(0));
      }),
      { numRuns: 200 },
    );
  });
});
