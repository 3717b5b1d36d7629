// Networks of whole speakers: they converge, to the same result whatever the order of events, and stay consistent
// while peers, networks and links come and go.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { ip } from '../support/raw-peer.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';
import { expectConsistent } from './invariants.ts';
import { OWN_AS, type RigPeer, rig } from './rig.ts';

const P1 = '192.0.2.0/24';
/** For shrinking, when something was found, on a busy machine. */
const FUZZ_TIMEOUT_MS = 120_000;

describe('a full mesh of 8', () => {
  async function mesh() {
    const lab = new SimLab();
    const address = (i: number) => `10.0.0.${i + 1}`;
    const all = Array.from({ length: 8 }, (_, i) => i);
    const speakers = all.map((i) =>
      lab.speaker(
        `node-${i}`,
        [address(i)],
        {
          router: { asn: OWN_AS, id: address(i) },
          kernel: { install: true },
          peers: all.filter((j) => j !== i).map((j) => ({ address: address(j), asn: OWN_AS })),
          networks: [`10.10.${i}.0/24`, '10.20.0.0/16'],
        },
        { kernel: simKernel(`eth0 ${address(i)}/24`) },
      ),
    );
    await lab.start();
    return { lab, speakers };
  }

  it('every node has every route, in the kernel too, and nobody passes on what it learned', async () => {
    const { speakers } = await mesh();
    for (const [i, speaker] of speakers.entries()) {
      expect(speaker.states().filter((line) => line.endsWith(' Established'))).toHaveLength(7);
      expect(speaker.best()).toHaveLength(9);
      expect(speaker.kernelRoutes()).toEqual(
        speakers
          .map((_, j) => `10.10.${j}.0/24 via 10.0.0.${j + 1}`)
          .filter((_, j) => j !== i)
          .sort(),
      );
      expect(speaker.best({ prefix: '10.20.0.0/16' })).toEqual(['10.20.0.0/16 from local']);
    }
    expectConsistent(speakers);
  });

  it('a node that stops takes only its routes along; when it is back all is as before', async () => {
    const { lab, speakers } = await mesh();
    const [gone, ...others] = speakers as [SimSpeaker, ...SimSpeaker[]];
    await gone.stop();
    for (const speaker of others) expect(speaker.best()).not.toContain('10.10.0.0/24 from 10.0.0.1');
    expect(gone.kernelRoutes()).toEqual([]);
    expectConsistent(others);
    gone.renew();
    gone.start();
    await lab.run(200_000);
    expect(gone.best()).toHaveLength(9);
    expectConsistent(speakers);
  });
});

describe('a reflector with 200 clients', () => {
  it('every client has the routes of all others, and each change is encoded once', async () => {
    const lab = new SimLab();
    const clients = Array.from({ length: 200 }, (_, i) => `10.0.${16 + (i >> 7)}.${(i & 127) + 1}`);
    const reflector = lab.speaker('rr', ['10.0.0.1'], {
      router: { asn: OWN_AS, id: '10.0.0.1' },
      peerGroups: { clients: { asn: OWN_AS, routeReflectorClient: true } },
      dynamicPeers: [{ prefix: '10.0.16.0/20', group: 'clients', limit: 200 }],
    });
    await lab.start();
    const raws = clients.map((address) => lab.raw(address, { as: OWN_AS, holdTime: 0 }));
    await lab.connect(reflector, ...raws);
    for (const [i, raw] of raws.entries()) raw.announce([`10.100.${i}.0/24`]);
    await lab.settle();
    expect(reflector.best()).toHaveLength(200);
    for (const [i, raw] of raws.entries()) {
      expect(raw.table.size).toBe(199);
      expect(raw.table.has(`10.100.${i}.0/24`)).toBe(false);
    }
    const [group] = reflector.api.updateGroups();
    expect(reflector.api.updateGroups()).toHaveLength(1);
    expect(group?.members).toHaveLength(200);
    const before = group!.bytesBuilt;
    for (const raw of raws) raw.clear();
    raws[0]!.announce(['10.100.0.0/24'], { med: 7 });
    await lab.settle();
    const lengths = raws.slice(1).map((raw) => raw.messages.reduce((sum, bytes) => sum + bytes.length, 0));
    expect(new Set(lengths).size).toBe(1);
    expect(reflector.api.updateGroups()[0]!.bytesBuilt - before).toBe(lengths[0]);
    raws[0]!.drop();
    await lab.settle();
    for (const raw of raws.slice(1)) expect(raw.table.size).toBe(198);
    expect(reflector.api.peers()).toHaveLength(199);
  });

  it('clients that come late, and one that stops reading, hold nobody up', async () => {
    const lab = new SimLab({ network: { windowBytes: 4096 } });
    const reflector = lab.speaker('rr', ['10.0.0.1'], {
      router: { asn: OWN_AS, id: '10.0.0.1' },
      peerGroups: { clients: { asn: OWN_AS, routeReflectorClient: true } },
      dynamicPeers: [{ prefix: '10.0.16.0/20', group: 'clients', limit: 200 }],
    });
    await lab.start();
    const [source, quick, slow, late] = ['10.0.16.1', '10.0.16.2', '10.0.16.3', '10.0.16.4'].map((address) =>
      lab.raw(address, { as: OWN_AS, holdTime: 0 }),
    ) as [RawPeers, RawPeers, RawPeers, RawPeers];
    await lab.connect(reflector, source, quick, slow);
    slow.pause();
    const prefixes = Array.from({ length: 2000 }, (_, i) => `10.${100 + (i >> 8)}.${i & 255}.0/24`);
    // Every route with a path of its own, so that the messages are many.
    for (const [i, prefix] of prefixes.entries()) source.announce([prefix], { med: i });
    await lab.run(2000);
    expect(quick.table.size).toBe(2000);
    expect(slow.table.size).toBeLessThan(2000);
    await lab.connect(reflector, late);
    await lab.run(1000);
    expect(late.table.size).toBe(2000);
    // Meanwhile half of them change and a quarter go.
    for (const [i, prefix] of prefixes.entries()) {
      if (i % 4 === 0) source.withdraw(prefix);
      else if (i % 2 === 0) source.announce([prefix], { med: i + 10_000 });
    }
    await lab.run(2000);
    slow.resume();
    await lab.run(5000);
    const table = (raw: RawPeers) =>
      [...raw.table].map(([prefix, route]) => `${prefix} ${route.attributes.med}`).sort();
    expect(quick.table.size).toBe(1500);
    expect(table(slow)).toEqual(table(quick));
    expect(table(late)).toEqual(table(quick));
    expect(reflector.api.updateGroups()[0]?.lagging).toEqual([]);
  });
});

type RawPeers = ReturnType<SimLab['raw']>;

describe('the decision does not depend on the order of arrival', () => {
  const A = '10.0.0.2';
  const B = '10.0.0.3';
  const C = '10.0.0.4';
  const THREE: Record<string, RigPeer> = { [A]: { as: OWN_AS }, [B]: { as: OWN_AS }, [C]: { as: OWN_AS } };
  // By identifier alone A wins over C, C over B; by MED B wins over A: pairwise comparison goes in circles.
  const ROUTES = {
    [A]: { asPath: '65010', med: 20 },
    [B]: { asPath: '65010', med: 10 },
    [C]: { asPath: '65020', med: 5 },
  } as const;
  const orders = [
    [A, B, C],
    [A, C, B],
    [B, A, C],
    [B, C, A],
    [C, A, B],
    [C, B, A],
  ] as const;

  it('4271-9.1.2.2-5 MED between three peers of two neighbouring ASes, in all six orders', async () => {
    const results: string[] = [];
    for (const order of orders) {
      const { lab, speaker, peer } = await rig(THREE);
      for (const address of order) {
        peer(address).announce([P1], ROUTES[address]);
        await lab.settle();
      }
      results.push(...speaker.best());
      // And again after the best one has gone and come back.
      peer(B).withdraw(P1);
      await lab.settle();
      expect(speaker.best()).toEqual([`${P1} from ${A}`]);
      peer(B).announce([P1], ROUTES[B]);
      await lab.settle();
      results.push(...speaker.best());
    }
    expect(new Set(results)).toEqual(new Set([`${P1} from ${B}`]));
  });
});

describe('a chain of ASes', () => {
  it('a route crosses eBGP, iBGP and eBGP, and disappears everywhere when its origin stops', async () => {
    const lab = new SimLab();
    const policy = { import: 'accept', export: 'accept' } as const;
    const node = (
      n: number,
      asn: number,
      peers: NonNullable<ConfigInput['peers']>,
      networks: string[] = [],
    ) =>
      lab.speaker(`n${n}`, [`10.0.0.${n}`, `2001:db8::${n}`], {
        router: { asn, id: `10.0.0.${n}` },
        peers,
        networks,
      });
    const both = ['ipv4-unicast', 'ipv6-unicast'] as ('ipv4-unicast' | 'ipv6-unicast')[];
    const origin = node(
      1,
      65001,
      [{ address: '10.0.0.2', asn: 65100, families: both, ...policy }],
      [P1, '2001:db8:1::/48'],
    );
    const left = node(2, 65100, [
      { address: '10.0.0.1', asn: 65001, families: both, ...policy },
      { address: '2001:db8::3', asn: 65100, families: both, nextHop: 'self' },
    ]);
    const right = node(3, 65100, [
      { address: '2001:db8::2', asn: 65100, families: both, nextHop: 'self' },
      { address: '10.0.0.4', asn: 65004, families: both, ...policy },
    ]);
    const far = node(4, 65004, [{ address: '10.0.0.3', asn: 65100, families: both, ...policy }]);
    await lab.start();
    for (const prefix of [P1, '2001:db8:1::/48']) {
      expect(far.route(prefix)?.attributes.asPath).toBe('65100 65001');
      expect(right.route(prefix)?.attributes.asPath).toBe('65001');
    }
    expect(far.route(P1)?.nextHop).toBe('10.0.0.3');
    expect(far.route('2001:db8:1::/48')?.nextHop).toBe('2001:db8::3');
    expectConsistent([origin, left, right, far]);
    await origin.stop();
    for (const speaker of [left, right, far]) expect(speaker.routes()).toEqual([]);
  });
});

interface PeerPolicy {
  readonly import: 'accept' | 'reject';
  readonly export: 'accept' | 'reject';
  readonly nextHop: 'auto' | 'self';
  readonly sendCommunities: boolean;
}

const ACCEPT = { import: 'accept', export: 'accept' } as const;

function policyOf(policy: PeerPolicy): PeerPolicy {
  const { import: taken, export: given, nextHop, sendCommunities } = policy;
  return { import: taken, export: given, nextHop, sendCommunities };
}

describe('whatever happens', () => {
  const NODES = 5;
  const node = fc.nat(NODES - 1);
  const event = fc.oneof(
    fc.record({ kind: fc.constant('announce' as const), node, prefix: fc.nat(5), med: fc.nat(2) }),
    fc.record({ kind: fc.constant('withdraw' as const), node, prefix: fc.nat(5) }),
    fc.record({ kind: fc.constant('reset' as const), node, other: node }),
    fc.record({ kind: fc.constant('break' as const), node, other: node }),
    fc.record({ kind: fc.constant('cut' as const), node, other: node }),
    fc.record({ kind: fc.constant('heal' as const), node, other: node }),
    fc.record({ kind: fc.constant('refresh' as const), node, other: node }),
    fc.record({
      kind: fc.constant('policy' as const),
      node,
      other: node,
      import: fc.constantFrom('accept' as const, 'reject' as const),
      export: fc.constantFrom('accept' as const, 'reject' as const),
      nextHop: fc.constantFrom('auto' as const, 'self' as const),
      sendCommunities: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 200_000 }) }),
  );

  it(
    'five speakers in three ASes end up consistent',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(event, { minLength: 5, maxLength: 40 }),
          fc.array(fc.boolean(), { minLength: NODES, maxLength: NODES }),
          fc.nat(1000),
          async (events, clients, seed) => {
            const lab = new SimLab({ seed, network: { latencyMs: 3 } });
            const address = (i: number) => `10.0.0.${i + 1}`;
            const asn = (i: number) => [65001, 65001, 65001, 65002, 65003][i]!;
            const all = Array.from({ length: NODES }, (_, i) => i);
            const policies = new Map<string, PeerPolicy>();
            const input = (i: number): ConfigInput => ({
              router: { asn: asn(i), id: address(i) },
              kernel: { install: true },
              peers: all
                .filter((j) => j !== i)
                .map((j) => ({
                  address: address(j),
                  asn: asn(j),
                  ...ACCEPT,
                  ...policies.get(`${i} ${j}`),
                  ...(asn(i) === asn(j) && { routeReflectorClient: i === 0 && clients[j] === true }),
                })),
            });
            const speakers = all.map((i) => {
              return lab.speaker(`s${i}`, [address(i)], input(i), {
                kernel: simKernel(`eth0 ${address(i)}/24`),
              });
            });
            await lab.start();
            const known = all.map(() => new Set<string>());
            for (const each of events) {
              if (each.kind === 'wait') {
                await lab.run(each.ms);
                continue;
              }
              const speaker = speakers[each.node]!;
              if (each.kind === 'announce') {
                const prefix = `172.16.${each.prefix}.0/24`;
                known[each.node]!.add(prefix);
                speaker.api.addNetwork({ prefix, med: each.med });
              } else if (each.kind === 'withdraw') {
                const prefix = `172.16.${each.prefix}.0/24`;
                if (known[each.node]!.delete(prefix)) speaker.api.deleteNetwork(prefix);
              } else if (each.node !== each.other) {
                const other = address(each.other);
                if (each.kind === 'reset') speaker.api.peerReset(other, undefined);
                else if (each.kind === 'policy') {
                  policies.set(`${each.node} ${each.other}`, policyOf(each));
                  await speaker.reload(input(each.node));
                } else if (each.kind === 'break') lab.network.reset(ip(address(each.node)), ip(other));
                else if (each.kind === 'cut') lab.network.cut(ip(address(each.node)), ip(other));
                else if (each.kind === 'heal') lab.network.heal(ip(address(each.node)), ip(other));
                else if (speaker.peer(other).state === 'Established') speaker.api.peerRefresh(other, 'both');
              }
              await lab.run(20);
            }
            for (const i of all) for (const j of all) lab.network.heal(ip(address(i)), ip(address(j)));
            await lab.run(1_500_000);
            for (const speaker of speakers) {
              expect(speaker.states().filter((line) => !line.endsWith(' Established'))).toEqual([]);
              expect(speaker.log.filter((line) => line.startsWith('error'))).toEqual([]);
            }
            expectConsistent(speakers);
            if (policies.size > 0) return;
            const wanted = new Set(known.flatMap((set) => [...set]));
            for (const speaker of speakers) {
              expect(new Set(speaker.routes({ bestOnly: true }).map((route) => route.prefix))).toEqual(
                wanted,
              );
            }
          },
        ),
        { numRuns: 10 },
      );
    },
    FUZZ_TIMEOUT_MS,
  );
});
