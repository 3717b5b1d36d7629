// What versions of Calico write for one node means the same to godwit, whichever version and dialect it is in, and BIRD
// takes all of it.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeAttributes, encodeAttributes } from '../../../src/bgp/wire/attribute-set.ts';
import type { Config, PeerConfig } from '../../../src/config/model.ts';
import { policyFor } from '../../../src/config/policies.ts';
import { AttributeAccess, bgpRouteFacts } from '../../../src/policy/attribute-access.ts';
import { Filter } from '../../../src/policy/filter.ts';
import {
  addressOf,
  ERAS,
  type Era,
  type Family,
  type Node,
  nameOf,
  type Rule,
  render,
  type Session,
} from './calico-node.ts';
import { Judge, type Model, model, oracle } from './support.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });

function conditionsOf(family: Family): fc.Arbitrary<string> {
  const cidr = family === 'ipv4' ? '10.100.0.0/16' : 'fd00:100::/48';
  const lengths = family === 'ipv4' ? '{16,26}' : '{48,122}';
  return fc.constantFrom(
    `(net = ${cidr})`,
    `(net != ${cidr})`,
    `(net ~ ${cidr})`,
    `(net !~ ${cidr})`,
    `(net ~ [ ${cidr}${lengths} ])`,
    `(net !~ [ ${cidr}${lengths} ])`,
    `(net = [ ${cidr}${lengths} ])`,
    `(net != [ ${cidr}${lengths} ])`,
    '((defined(source))&&(source ~ [ RTS_BGP ]))',
    '((defined(ifname))&&(ifname ~ "eth*.100"))',
    '((65000, 100) ~ bgp_community)',
    '((65000, 100, 7) ~ bgp_large_community)',
    '(bgp_path ~ [= 65001 65002 * =])',
    '(defined(bgp_local_pref)&&(bgp_local_pref = 2147482623))',
  );
}

function rulesOf(family: Family): fc.Arbitrary<Rule> {
  const operation = fc.constantFrom(
    'bgp_community.add((65000, 200));',
    'bgp_large_community.add((65000, 200, 1));',
    'bgp_path.prepend(65009);',
    'bgp_local_pref = 2147483147;',
  );
  return fc.record({
    conditions: fc.uniqueArray(conditionsOf(family), { maxLength: 3 }),
    internal: maybe(fc.boolean()),
    operations: fc.uniqueArray(operation, { maxLength: 3 }),
    action: fc.constantFrom('accept' as const, 'reject' as const),
  });
}

function sessionsOf(family: Family): fc.Arbitrary<Session> {
  return fc.record({
    kind: fc.constantFrom('Mesh' as const, 'Global' as const, 'Node' as const, 'Local_Workload' as const),
    host: fc.integer({ min: 2, max: 249 }),
    port: maybe(fc.integer({ min: 1, max: 65_535 })),
    asn: fc.constantFrom(64_512, 64_513, 4_200_000_001),
    localAs: maybe(fc.constantFrom(64_600, 64_513)),
    hops: maybe(fc.integer({ min: 1, max: 254 })),
    passive: fc.boolean(),
    restartTime: maybe(fc.integer({ min: 0, max: 4095 })),
    keepalive: maybe(fc.integer({ min: 1, max: 80 })),
    clusterId: maybe(fc.constantFrom('224.0.0.1', '10.0.0.1')),
    password: maybe(fc.constantFrom('secret', "it's #1; {not} a \\comment", 'x'.repeat(80))),
    nextHop: maybe(fc.constantFrom('keep' as const, 'self' as const)),
    allowLocalAs: maybe(fc.integer({ min: 1, max: 10 })),
    hasSource: fc.boolean(),
    rules: fc.array(rulesOf(family), { maxLength: 3 }),
  });
}

const nodes: fc.Arbitrary<Node> = fc.constantFrom<Family>('ipv4', 'ipv6').chain((family) =>
  fc.record({
    family: fc.constant(family),
    asn: fc.constantFrom(64_512, 4_200_000_001),
    log: fc.constantFrom('none' as const, 'info' as const, 'debug' as const),
    listen: fc.constantFrom('nothing' as const, 'port' as const, 'address' as const),
    pools: fc.array(
      fc.constantFrom(
        'vxlan' as const,
        'ipip' as const,
        'ipip-cross-subnet' as const,
        'plain' as const,
        'not-exported' as const,
      ),
      { maxLength: 4 },
    ),
    blocks: fc.nat(3),
    services: fc.boolean(),
    ignored: fc.uniqueArray(fc.constantFrom('docker+', 'eth9', 'br-*'), { maxLength: 2 }),
    priority: fc.constantFrom(1024, 1, 2_147_483_646),
    reachableBy: fc.boolean(),
    sessions: fc.uniqueArray(sessionsOf(family), { maxLength: 4, selector: ({ host }) => host }),
  }),
);

function load(node: Node, era: Era): Model {
  return model(render(node, era), {}, node.family === 'ipv4' ? '/run/bird.cfg' : '/run/bird6.cfg');
}

/** What its file says of a session. */
function shown(peer: PeerConfig, { router }: Config): object {
  const { name, address, asn, passive, routeReflectorClient, clusterId, nextHop } = peer;
  return {
    ...{ name, address, asn, passive, routeReflectorClient, clusterId },
    // 2.x keeps next hops of what peers say.
    nextHop: typeof nextHop === 'string' ? nextHop : (nextHop.ipv4 ?? nextHop.ipv6)?.ebgp,
    ...{ port: peer.port, source: peer.localAddress, ttlSecurity: peer.ttlSecurity, families: peer.families },
    // The router's AS is that of most sessions.
    localAs: peer.localAs ?? router.asn,
    restartTime: peer.gracefulRestart.restartTime,
    keepalive: peer.timers.keepalive,
    allowLocalAs: peer.allowOwnAs,
    password: peer.password !== undefined,
    addPath: peer.addPath,
  };
}

const MODE = { keep: 'unchanged', self: 'self', none: 'auto' } as const;

function wanted(node: Node, each: Session): object {
  const { family } = node;
  const isClient = each.asn === (each.localAs ?? node.asn) && each.clusterId !== undefined;
  return {
    name: nameOf(each, family),
    address: addressOf(family, each.host),
    asn: each.asn,
    localAs: each.localAs ?? node.asn,
    passive: each.passive,
    routeReflectorClient: isClient,
    clusterId: isClient ? each.clusterId : undefined,
    nextHop: MODE[each.nextHop ?? 'none'],
    port: each.port ?? 179,
    source: each.hasSource ? addressOf(family, 1) : undefined,
    ttlSecurity: each.hops,
    families: [`${family}-unicast`],
    restartTime: each.restartTime ?? 120,
    keepalive: each.keepalive ?? 80,
    allowLocalAs: each.allowLocalAs ?? 0,
    password: each.password !== undefined,
    addPath: { receive: true, send: 'all' },
  };
}

/** The model but for what the versions do differently. */
function common({ kernel, networks, redistribute, router }: Config): object {
  return {
    kernel,
    redistribute,
    router,
    networks: networks.map(({ prefix, type, via }) => ({ prefix, type, via })),
  };
}

/** Each reads four files. */
const RUNS = 25;

const PEER = Uint8Array.of(192, 0, 2, 1);

/** A route that some of the rules speak of, as a filter gets it. */
function routeIn(family: Family): AttributeAccess {
  const bytes = encodeAttributes({
    origin: 'IGP',
    asPath: '65001 65002 65003',
    localPref: 2_147_482_623,
    communities: ['65000:100'],
  });
  const access = new AttributeAccess().load(bytes, 0, bytes.length, bgpRouteFacts('p1', PEER, PEER));
  return family === 'ipv4'
    ? access.setNet(Int32Array.of(0x0a_64_00_00), 24, 1)
    : access.setNet(Int32Array.of(0xfd_00_01_00, 0, 0, 0), 48, 4);
}

/** What the filters of all peers and of the kernel make of it: the verdict, and the attributes. */
function outcomes({ config }: Model, family: Family): unknown[] {
  const policies = config.peers.flatMap((peer) => [peer.import, peer.export]);
  return [...policies, config.localPolicies.install].map((each) => {
    const policy = policyFor(each, family);
    if (!(policy instanceof Filter)) return policy;
    const route = routeIn(family);
    const verdict = policy.evaluate(route);
    const { bytes, offset, length } = route.result();
    const { preference, krt_metric: metric } = Object.fromEntries(route.extended);
    return {
      verdict,
      preference,
      metric,
      attributes: decodeAttributes(bytes.slice(offset, offset + length)),
    };
  });
}

describe('what Calico writes', () => {
  test('means the same in all versions', () => {
    fc.assert(
      fc.property(nodes, (node) => {
        const models = ERAS.map((era) => ({ era, ...load(node, era) }));
        for (const { era, config, bird, warnings } of models) {
          expect(bird.dialect, era).toBe(era === 'planned' ? '2.x' : '1.6');
          expect(
            config.peers.map((peer) => shown(peer, config)),
            era,
          ).toEqual(node.sessions.map((each) => wanted(node, each)));
          expect(warnings, era).toEqual([]);
          expect(common(config), era).toEqual(common(models[0]!.config));
        }
        const [, , present, planned] = models;
        expect(outcomes(planned!, node.family)).toEqual(outcomes(present!, node.family));
      }),
      { numRuns: Number(process.env['GODWIT_MUTATIONS'] ?? RUNS) },
    );
  });

  const SAMPLES = 4;
  describe.each([
    ['1.6', 'middle'],
    ['1.6', 'present'],
    ['2.x', 'planned'],
  ] as const)('for BIRD %s, as %s', (dialect, era) => {
    const program = oracle(dialect);
    const judge = program === undefined ? undefined : new Judge(program);
    afterAll(() => judge?.close());

    test.skipIf(judge === undefined)(
      'is taken by it',
      () => {
        const some = fc.sample(nodes, { numRuns: SAMPLES * 2, seed: 1 });
        for (const node of some.filter(({ family }) => dialect === '2.x' || family === 'ipv4')) {
          // The daemon that is here is not Calico's own, which alone has tunnels.
          const text = render(node, era).replaceAll(/krt_tunnel ?= ?"[^"]*"/g, 'krt_realm = 1');
          expect(judge!.accepts(text), text).toBe(true);
        }
      },
      60_000,
    );
  });
});
