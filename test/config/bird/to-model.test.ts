import { describe, expect, test } from 'vitest';
import { summarizeBird } from '../../../src/config/bird/summary.ts';
import { diffConfig } from '../../../src/config/diff.ts';
import { kernelOfFamily } from '../../../src/config/model.ts';
import { describePolicy, policyFor } from '../../../src/config/policies.ts';
import { Filter } from '../../../src/policy/filter.ts';
import { model } from './support.ts';

const ROUTER = 'router id 10.0.0.1; protocol device { }';

describe('peers', () => {
  test('an external peer with everything that the model can say', () => {
    const { config, warnings } = model(`${ROUTER}
      protocol bgp up {
        description "uplink"; local 10.0.0.1 port 1179 as 64512; neighbor 10.0.0.2 port 2179 as 64513; multihop 3; passive;
        password "hush"; hold time 30; connect delay time 1; connect retry time 7; error wait time 4,40; error forget time 50;
        allow local as 2; enforce first as; enable extended messages; graceful restart off; local role customer; require roles;
        ipv4 { import all; export none; next hop self; add paths rx; extended next hop; receive limit 100 action restart; };
        ipv6 { import all; export none; next hop self; };
      }`);
    expect(warnings).toEqual([]);
    expect(config.peers).toHaveLength(1);
    expect(config.peers[0]).toMatchObject({
      name: 'up',
      address: '10.0.0.2',
      asn: 64513,
      localAddress: '10.0.0.1',
      // The port of `local` is listened on; connections are made from any.
      localPort: undefined,
      port: 2179,
      description: 'uplink',
      passive: true,
      multihop: 3,
      families: ['ipv4-unicast', 'ipv6-unicast'],
      import: 'accept',
      export: 'reject',
      nextHop: 'self',
      addPath: { receive: true, send: 'none' },
      limits: { received: { 'ipv4-unicast': { routes: 100, action: 'restart', acceptedOnly: true } } },
      allowOwnAs: 2,
      enforceFirstAs: true,
      extendedMessages: true,
      extendedNextHop: true,
      gracefulRestart: { mode: 'off' },
      role: 'customer',
      roleStrict: true,
      timers: {
        hold: 30,
        keepalive: 10,
        connectDelay: 1,
        connectRetry: 7,
        errorWaitMin: 4,
        errorWaitMax: 40,
        errorForget: 50,
      },
    });
    expect(config.peers[0]?.password?.reveal()).toBe('hush');
    expect(config.listen).toEqual([{ address: '0.0.0.0', port: 1179, interface: undefined }]);
  });

  test('LOCAL_PREF and MED over the border, and what stands for them', () => {
    const bgp = (name: string, text: string) =>
      `protocol bgp ${name} { local as 1; neighbor 10.0.0.${name.length} as 2; ${text} }\n`;
    const channel = 'ipv4 { import all; export all; };';
    const allowed = `allow bgp_local_pref; allow bgp_med; default bgp_med 7; default bgp_local_pref 90; ${channel}`;
    const { config, warnings } = model(ROUTER + bgp('a', allowed));
    expect(warnings).toEqual([]);
    expect(config.peers[0]).toMatchObject({ allowLocalPref: true, allowMed: true });
    expect(config.decision).toMatchObject({ defaultMed: 7, defaultLocalPref: 90 });
    const differing = model(ROUTER + bgp('a', channel) + bgp('bb', allowed));
    expect(differing.config.decision.defaultMed).toBe(7);
    expect(differing.warnings).toEqual([
      expect.stringContaining('default bgp_local_pref differs between protocols; 90 counts (a)'),
      expect.stringContaining('default bgp_med differs between protocols; 7 counts (a)'),
    ]);
    expect(
      model(ROUTER + bgp('a', `allow bgp_local_pref off; ${channel}`)).config.peers[0],
    ).not.toHaveProperty('allowLocalPref');
  });

  test('what decides between routes, and whether communities do', () => {
    const bgp = (name: string, text: string) =>
      `protocol bgp ${name} { local as 1; neighbor 10.0.0.${name.length} as 2; ipv4 { import all; export all; }; ${text} }\n`;
    const off = 'interpret communities off; igp metric off; deterministic med off;';
    const one = model(ROUTER + bgp('a', off));
    expect(one.warnings).toEqual([]);
    expect(one.config.decision.ignoreIgpMetric).toBe(true);
    expect(one.config.peers[0]?.interpretCommunities).toBe(false);
    const two = model(ROUTER + bgp('a', off) + bgp('bb', 'path metric off; deterministic med;'));
    expect(two.warnings).toEqual([
      expect.stringContaining('path metric differs between protocols; off counts (a)'),
      expect.stringContaining('igp metric differs between protocols; off counts (bb)'),
    ]);
    expect(two.config.decision).toMatchObject({ ignoreIgpMetric: true, ignoreAsPathLength: true });
    const on = model(ROUTER + bgp('a', 'interpret communities; igp metric; path metric;') + bgp('bb', ''));
    expect(on.warnings).toEqual([]);
    expect(on.config.decision).toMatchObject({ ignoreIgpMetric: false, ignoreAsPathLength: false });
    expect(on.config.peers[0]).not.toHaveProperty('interpretCommunities');
  });

  test('which of two next hops counts, and what is ignored', () => {
    const of = (text: string) => {
      const { config, warnings } = model(
        `${ROUTER} protocol bgp p { local as 1; neighbor 2001:db8::2 as 2; ipv6 { import all; export all; ${text} }; }`,
      );
      return [config.peers[0]?.localFirst, warnings];
    };
    expect(of('next hop prefer global;')).toEqual([undefined, []]);
    expect(of('next hop prefer local;')).toEqual([true, []]);
    expect(of('missing lladdr self;')).toEqual([undefined, []]);
    expect(of('import table; export table;')).toEqual([undefined, []]);
    const old = (text: string) =>
      model(
        `${ROUTER} protocol bgp p { local 2001:db8::1 as 1; neighbor 2001:db8::2 as 2; import all; export all; ${text} }`,
        { dialect: '1.6', family: 'ipv6' },
      ).warnings;
    expect(old('missing lladdr self;')).toEqual([]);
    expect(old('missing lladdr drop; next hop keep;')).toEqual([
      expect.stringContaining('missing lladdr drop has no effect on next hops that are kept (p)'),
    ]);
    expect(old('missing lladdr self; rs client;')).toHaveLength(1);
    expect(old('missing lladdr ignore; rs client;')).toEqual([]);
  });

  test('next hops by channel, and by where routes come from', () => {
    const of = (ipv4: string, ipv6: string, dialect: '2.x' | '1.6' = '2.x') => {
      const channels = `ipv4 { import all; export all; ${ipv4} }; ipv6 { import all; export all; ${ipv6} };`;
      const { config, warnings } = model(
        `${ROUTER} protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ${dialect === '2.x' ? channels : ipv4} }`,
        { dialect },
      );
      expect(warnings).toEqual([]);
      const [{ nextHop, nextHopAddress } = {}] = config.peers;
      return [nextHop, nextHopAddress];
    };
    const none = { ipv4: undefined, ipv6: undefined };
    const auto = { own: 'auto', ibgp: 'auto', ebgp: 'auto' };
    const kept = { own: 'auto', ibgp: 'unchanged', ebgp: 'unchanged' };
    expect(of('', '')).toEqual(['auto', none]);
    expect(of('next hop self;', 'next hop self; next hop keep;')).toEqual(['self', none]);
    expect(of('next hop self;', '')).toEqual([
      { ipv4: { own: 'self', ibgp: 'self', ebgp: 'self' }, ipv6: auto },
      none,
    ]);
    expect(of('next hop self ibgp; next hop keep ebgp;', 'next hop self ebgp;')).toEqual([
      { ipv4: { own: 'auto', ibgp: 'self', ebgp: 'unchanged' }, ipv6: { ...auto, ebgp: 'self' } },
      none,
    ]);
    expect(of('next hop keep;', 'next hop keep;')).toEqual([{ ipv4: kept, ipv6: kept }, none]);
    expect(of('next hop keep;', '', '1.6')).toEqual(['unchanged', none]);
    // Where the own address would be shown.
    expect(of('next hop address 192.0.2.1;', '')).toEqual(['auto', { ...none, ipv4: '192.0.2.1' }]);
  });

  test('interface range', () => {
    const of = (neighbor: string, text: string) =>
      model(
        `${ROUTER} protocol bgp p { local as 1; neighbor ${neighbor} as 2; ${text} ipv6 { import all; export all; }; }`,
      );
    const range = of('range fe80::/10', 'strict bind; interface range -"eth0", "eth*";');
    expect(range.warnings).toEqual([]);
    expect(range.config.dynamicPeers[0]).toMatchObject({
      prefix: 'fe80::/10',
      interface: undefined,
      interfaces: ['-eth0', 'eth*'],
    });
    const others = of('range fd00::/64', 'strict bind; interface range "eth*";');
    expect(others.warnings).toEqual([
      expect.stringContaining('interface range has an effect on link-local ranges only (p)'),
    ]);
    expect(() => of('range fe80::/10', 'interface range "eth*";')).toThrow('needs strict bind');
    expect(() => of('range fe80::/10', 'strict bind; interface "eth0"; interface range "eth*";')).toThrow(
      'exclude each other',
    );
  });

  test('onlink', () => {
    const of = (text: string) =>
      model(
        `${ROUTER} protocol bgp p { local as 1; neighbor 10.9.9.9 as 2; onlink; ${text} ipv4 { import all; export all; }; }`,
      );
    const { config, warnings } = of('interface "eth0";');
    expect(warnings).toEqual([]);
    expect(config.peers[0]).toMatchObject({ onlink: true, interface: 'eth0' });
    expect(of('passive;').config.peers[0]).toMatchObject({ onlink: true });
    expect(() => of('')).toThrow('an onlink peer that is dialled needs its interface');
    expect(() => of('interface "eth0"; multihop;')).toThrow('direct');
  });

  test('a direct peer of 1.6 is the gateway of what it announces with next hops elsewhere', () => {
    const of = (text: string) =>
      model(
        `${ROUTER} listen bgp port 179; protocol bgp p { local as 1; neighbor 10.0.0.2 as ${text} import all; }`,
      );
    const cases: readonly (readonly [string, true | undefined])[] = [
      ['2;', true],
      ['2; multihop;', undefined],
      ['2; gateway recursive;', undefined],
      ['1;', undefined],
      ['1; direct;', true],
      ['1; direct; gateway direct;', true],
      ['1; direct; gateway recursive;', undefined],
      ['2; ttl security on; multihop 1;', undefined],
    ];
    for (const [text, expected] of cases) {
      const { config, warnings } = of(text);
      expect([text, config.peers[0]?.throughPeer, warnings]).toEqual([text, expected, []]);
    }
    const other = model(
      `${ROUTER} protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ipv4 { import all; export none; gateway direct; }; }`,
    );
    expect(other.config.peers[0]?.throughPeer).toBeUndefined();
    expect(other.warnings.map(String)).toEqual([expect.stringContaining('gateway direct has no effect (p)')]);
  });

  test('next hops between link-local addresses are as BIRD shows them', () => {
    const format = (address: string, text: string) =>
      model(
        `${ROUTER} protocol bgp p { local as 1; neighbor ${address} as 2; ipv6 { import all; export all; ${text} }; }`,
      );
    expect(format('fe80::2%eth0', '').config.peers[0]?.linkLocalNextHop).toBe('native');
    const single = format('fe80::2%eth0', 'link local next hop format single;');
    expect(single.warnings).toEqual([]);
    expect(single.config.peers[0]?.linkLocalNextHop).toBe('single');
    expect(format('2001:db8::2', '').config.peers[0]).not.toHaveProperty('linkLocalNextHop');
  });

  test('confederations', () => {
    const confederation = (text: string) =>
      model(`${ROUTER} protocol bgp p { local as 65001; ipv4 { import all; export all; }; ${text} }`);
    const inside = confederation('neighbor 10.0.0.2 as 65002; confederation 200; confederation member;');
    expect(inside.warnings).toEqual([]);
    const given = { id: 200, memberAs: 65001 };
    expect(inside.config.peers[0]?.confederation).toEqual({ ...given, inside: true });
    const internal = confederation('neighbor 10.0.0.2 as 65001; confederation 200;');
    expect(internal.config.peers[0]?.confederation).toEqual({ ...given, inside: true });
    const outside = confederation('neighbor 10.0.0.2 as 100; confederation 200;');
    expect(outside.config.peers[0]).toMatchObject({ asn: 100, localAs: undefined });
    expect(outside.config.peers[0]?.confederation).toEqual({ ...given, inside: false });
    expect(confederation('neighbor 10.0.0.2 as 100; confederation 0;').config.peers[0]).not.toHaveProperty(
      'confederation',
    );
  });

  test('limits, with what they count in BIRD', () => {
    const limits = (text: string) =>
      model(`${ROUTER} protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ${text} }`);
    const two = limits(`
      ipv4 { import all; export all; import limit 5; export limit 6 action block; receive limit off; };
      ipv6 { import all; export all; receive limit 7 action warn; import keep filtered; };`);
    expect(two.warnings).toEqual([]);
    expect(two.config.peers[0]?.limits).toEqual({
      received: { 'ipv6-unicast': { routes: 7, action: 'warn' } },
      accepted: { 'ipv4-unicast': { routes: 5, action: 'disable' } },
      exported: { 'ipv4-unicast': { routes: 6, action: 'block' } },
    });
    const one = limits('export all; receive limit 8 action block; route limit 9;');
    expect(one.warnings).toEqual([]);
    expect(one.config.peers[0]?.limits).toEqual({
      // Routes that BIRD does not keep do not count.
      received: { 'ipv4-unicast': { routes: 8, action: 'block', acceptedOnly: true } },
      accepted: { 'ipv4-unicast': { routes: 9, action: 'restart' } },
      exported: {},
    });
    expect(limits('import limit 3 action warn; route limit 9;').config.peers[0]?.limits.accepted).toEqual({
      'ipv4-unicast': { routes: 3, action: 'warn' },
    });
  });

  test('GTSM counts the hops of multihop', () => {
    const of = (text: string) =>
      model(
        `${ROUTER} protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ${text} ipv4 { import all; export all; }; }`,
      ).config.peers[0];
    expect(of('ttl security;')).toMatchObject({ ttlSecurity: 1, multihop: undefined });
    expect(of('ttl security; multihop 3;')).toMatchObject({ ttlSecurity: 3, multihop: undefined });
    expect(of('multihop;')).toMatchObject({ ttlSecurity: undefined, multihop: 64 });
    expect(of('')).toMatchObject({ ttlSecurity: undefined, multihop: undefined });
  });

  test('a peer by its link, one of another own AS, and a range', () => {
    const { config } = model(`${ROUTER}
      protocol bgp a { local as 64512; neighbor fe80::2%eth0 as 64512; direct; ipv6; }
      protocol bgp b { local as 64999; neighbor 10.0.0.3 internal; rr client; rr cluster id 10.9.9.9; ipv4; disabled; }
      protocol bgp c { local as 64512; neighbor range 10.1.0.0/16 external; dynamic name "node"; ipv4 { import none; export all; }; }`);
    expect(config.router.asn).toBe(64512);
    expect(
      config.peers.map(({ address, asn, localAs, enabled }) => [address, asn, localAs, enabled]),
    ).toEqual([
      ['fe80::2%eth0', 64512, undefined, true],
      ['10.0.0.3', 'internal', 64999, false],
    ]);
    expect(config.peers[1]).toMatchObject({ routeReflectorClient: true, clusterId: '10.9.9.9' });
    expect(config.dynamicPeers).toMatchObject([
      {
        name: 'c',
        memberNames: { prefix: 'node', digits: 0 },
        prefix: '10.1.0.0/16',
        asn: 'external',
        passive: true,
        import: 'reject',
        export: 'accept',
      },
    ]);
    expect(config.listen.map((each) => each.address)).toEqual(['::', '0.0.0.0']);
  });

  test('graceful restart of both kinds, by protocol and by channel', () => {
    const of = (text: string) => {
      const peer = model(`${ROUTER} protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ${text} }`).config
        .peers[0]!;
      const { mode, longLived } = peer.gracefulRestart;
      return [mode, longLived.mode, ...Object.values(longLived.staleTime)];
    };
    expect(of('ipv4 { import all; export all; };')).toEqual(['helper', 'helper', 0, 0]);
    expect(
      of(
        'graceful restart; long lived graceful restart; ipv4 { import all; export all; }; ipv6 { import all; export all; };',
      ),
    ).toEqual(['full', 'full', 3600, 3600]);
    expect(of('long lived graceful restart off; ipv4 { import all; export all; };')).toEqual([
      'helper',
      'off',
      0,
      0,
    ]);
    expect(
      of(
        'long lived graceful restart on; long lived stale time 60; ipv4 { import all; export all; long lived stale time 7; }; ipv6 { import all; export all; long lived graceful restart off; };',
      ),
    ).toEqual(['helper', 'full', 7, 0]);
    expect(of('ipv4 { import all; export all; long lived graceful restart on; };')).toEqual([
      'helper',
      'full',
      3600,
      0,
    ]);
  });

  test.each([
    ['', 'accept', 'reject'],
    ['import none; export all;', 'reject', 'accept'],
    ['import where true; export where false;', 'accept', 'reject'],
    ['import filter { accept; }; export filter { };', 'accept', 'reject'],
    ['import filter yes1; export filter yes1;', 'accept', 'accept'],
  ])('policies: %s', (text, imported, exported) => {
    const { config } = model(`${ROUTER} filter yes1 { accept; }
      protocol bgp p { local as 1; neighbor 10.0.0.2 as 1; ipv4 { ${text} }; }`);
    expect(config.peers[0]).toMatchObject({ import: imported, export: exported });
  });

  test('filters are handed over compiled, equal ones as one, each channel its own', () => {
    const { config, warnings } = model(`${ROUTER} filter f { if net ~ 10.0.0.0/8 then accept; reject; }
      template bgp x { local as 1; ipv4 { import filter f; export where net.len < 25; }; ipv6 { import none; export filter f; }; }
      protocol bgp a from x { neighbor 10.0.0.2 as 1; } protocol bgp b from x { neighbor 10.0.0.3 as 1; }`);
    const [a, b] = config.peers;
    expect(warnings).toEqual([]);
    expect(policyFor(a!.import, 'ipv4')).toMatchObject({ name: 'f' });
    expect(policyFor(a!.import, 'ipv4')).toBe(policyFor(b!.import, 'ipv4'));
    expect(policyFor(a!.import, 'ipv6')).toBe('reject');
    expect(policyFor(a!.export, 'ipv6')).toBe(policyFor(a!.import, 'ipv4'));
    expect(policyFor(a!.export, 'ipv4')).toMatchObject({ name: undefined, trivial: undefined });
    expect(describePolicy(a!.export)).toBe('ipv4 an unnamed filter, ipv6 filter f');
  });
});

describe('the rest', () => {
  test('static routes, with what their commands set', () => {
    const { config, warnings } = model(`${ROUTER} protocol static { ipv4;
      route 192.0.2.0/24 blackhole { bgp_local_pref = 90; bgp_community.add((1,2)); bgp_large_community.add((1,2,3)); };
      route 198.51.100.0/24 via 10.0.0.2 via 10.0.0.3; route 203.0.113.0/24 recursive 10.0.0.9; route 10.9.0.0/16 unreachable; }`);
    expect(config.networks.map(({ protocol: _protocol, ...network }) => network)).toEqual([
      {
        prefix: '192.0.2.0/24',
        type: 'blackhole',
        via: [],
        med: undefined,
        localPref: 90,
        communities: ['1:2', '1:2:3'],
      },
      {
        prefix: '198.51.100.0/24',
        type: 'via',
        via: ['10.0.0.2', '10.0.0.3'],
        med: undefined,
        localPref: undefined,
        communities: [],
      },
      {
        prefix: '203.0.113.0/24',
        type: 'via',
        via: ['10.0.0.9'],
        recursive: true,
        med: undefined,
        localPref: undefined,
        communities: [],
      },
      {
        prefix: '10.9.0.0/16',
        type: 'unreachable',
        via: [],
        med: undefined,
        localPref: undefined,
        communities: [],
      },
    ]);
    expect(warnings).toEqual([]);
  });

  test('next hops of static routes, with all that can be said of them', () => {
    const { config, warnings } = model(`${ROUTER} protocol static { ipv4; check link;
      route 10.1.0.0/16 via "eth1"; route 10.2.0.0/16 via 10.0.0.2 dev "eth0" onlink on;
      route 10.3.0.0/16 via 10.0.0.2 weight 3 via 10.0.0.3; }
      protocol static { ipv6; route 2001:db8::/48 via fe80::1 dev "eth0"; route 2001:db8:1::/48 via 2001:db8:9::1 dev "eth0"; }`);
    expect(config.networks.map(({ via, hops }) => ({ via, hops }))).toEqual([
      { via: [], hops: [{ address: undefined, interface: 'eth1', onlink: false, weight: 1 }] },
      { via: ['10.0.0.2'], hops: [{ address: '10.0.0.2', interface: 'eth0', onlink: true, weight: 1 }] },
      {
        via: ['10.0.0.2', '10.0.0.3'],
        hops: [
          { address: '10.0.0.2', interface: undefined, onlink: false, weight: 3 },
          { address: '10.0.0.3', interface: undefined, onlink: false, weight: 1 },
        ],
      },
      { via: ['fe80::1%eth0'], hops: undefined },
      {
        via: ['2001:db8:9::1'],
        hops: [{ address: '2001:db8:9::1', interface: 'eth0', onlink: false, weight: 1 }],
      },
    ]);
    expect(warnings).toEqual([]);
  });

  test('learn all, and interfaces by prefix', () => {
    const { config, warnings } = model(`${ROUTER} protocol kernel { ipv4 { export all; }; learn all; }
      protocol direct { ipv4; interface -"cali*", "eth*" 10.0.0.0/8, 192.0.2.0/24; check link; }`);
    expect(config.kernel.learn).toEqual([
      { protocol: undefined, table: undefined },
      { protocol: 2, table: undefined },
    ]);
    expect(config.kernel.direct?.[0]?.interfaces).toEqual(['-cali*', 'eth* 10.0.0.0/8', '192.0.2.0/24']);
    expect(warnings).toEqual([]);
  });

  test('the families whose kernel routes are its own', () => {
    const families = (text: string, dialect: '1.6' | '2.x') =>
      model(`${ROUTER} ${text}`, { dialect }).config.kernel.families;
    expect(families('protocol kernel { ipv4 { export all; }; }', '2.x')).toEqual(['ipv4']);
    expect(families('protocol kernel { ipv6 { export all; }; } protocol kernel { ipv4; }', '2.x')).toEqual([
      'ipv4',
      'ipv6',
    ]);
    expect(families('', '2.x')).toEqual([]);
    expect(families('protocol kernel { export all; }', '1.6')).toEqual(['ipv4']);
  });

  test.each([
    ['', '10.0.0.5', undefined],
    ['router id from "eth1";', '10.0.0.9', undefined],
    ['router id from -"eth0", "*";', '10.0.0.9', undefined],
    ['router id from "eth*";', '10.0.0.5', undefined],
    ['router id from -10.0.0.0/29, 10.0.0.0/8;', '10.0.0.9', undefined],
    ['router id from "eth1" 10.0.0.0/29, "eth*" 10.0.0.9;', '10.0.0.9', undefined],
    // A loopback address is nobody's id.
    ['router id from "lo";', '10.0.0.5', 'router id from matches no address; 10.0.0.5 of this host is taken'],
    [
      'router id from -"eth0";',
      '10.0.0.5',
      'router id from matches no address; 10.0.0.5 of this host is taken',
    ],
  ])('%s', (statement, id, warning) => {
    for (const dialect of ['1.6', '2.x'] as const) {
      const { config, warnings } = model(`${statement} protocol device { }`, { dialect });
      expect(config.router.id).toBe(id);
      expect(warnings).toEqual(warning === undefined ? [] : [warning]);
    }
  });

  test('preferences of all protocols', () => {
    const { config, warnings } =
      model(`${ROUTER} protocol kernel { learn; ipv4 { preference 11; export all; }; }
      protocol direct { ipv4 { preference 12; }; } protocol static { ipv4 { preference 13; }; route 10.0.0.0/8 blackhole; }
      protocol bgp a { local as 1; neighbor 10.0.0.2 as 1; ipv4 { preference 14; }; }`);
    expect(config.kernel.learnedAs).toEqual({ ipv4: { protocol: 'kernel1', preference: 11 } });
    expect(config.kernel.direct?.[0]?.as).toEqual({ ipv4: { protocol: 'direct1', preference: 12 } });
    expect(config.networks[0]?.preference).toBe(13);
    expect(config.peers[0]?.preference).toBe(14);
    expect(warnings).toEqual([]);
  });

  test('kernel protocols', () => {
    const { config, warnings } = model(`${ROUTER}
      protocol kernel { ipv4 { export all; }; persist; learn; scan time 7; kernel table 99; metric 5; merge paths on limit 4; }
      protocol kernel { ipv6 { export all; }; persist; learn; kernel table 99; metric 6; merge paths on limit 4; }
      protocol direct { ipv4; interface "eth*", -"*"; }`);
    expect(config.kernel).toMatchObject({
      install: true,
      table: 99,
      metric: 5,
      ecmp: 4,
      keepOnStop: true,
      learn: [{ protocol: undefined, table: undefined }],
      direct: [{ interfaces: ['eth*', '-*'], as: { ipv4: { protocol: 'direct1' } } }],
      scanTime: 7,
    });
    expect(config.redistribute).toEqual(['kernel', 'static', 'connected']);
    expect(kernelOfFamily(config.kernel, 'ipv4')).toMatchObject({ table: 99, metric: 5, scanTime: 7 });
    expect(kernelOfFamily(config.kernel, 'ipv6')).toMatchObject({ table: 99, metric: 6, scanTime: 60 });
    expect(warnings).toEqual([]);
  });

  test('buffers for notifications, which are large in any case', () => {
    const warnings = (bytes: number) =>
      model(`${ROUTER} protocol kernel { netlink rx buffer ${bytes}; ipv4 { export all; }; }`).warnings;
    expect(warnings(1_000_000)).toEqual([]);
    expect(warnings(100_000_000)).toEqual(['netlink rx buffer is 67108864 in any case (kernel1)']);
  });

  test('kernel protocols of two families have nothing in common but what they say', () => {
    const { config, warnings } = model(`${ROUTER}
      protocol kernel { ipv6 { export all; }; kernel table 200; merge paths on; learn all; }
      protocol kernel { ipv4 { export all; }; persist; metric 9; scan time 7; }`);
    const { ipv4, ipv6 } = config.kernel;
    const others = { protocol: undefined, table: undefined };
    expect(ipv4).toEqual({ table: 254, metric: 9, ecmp: 1, keepOnStop: true, learn: [], scanTime: 7 });
    expect(ipv6).toEqual({
      table: 200,
      metric: 32,
      ecmp: 16,
      keepOnStop: false,
      learn: [others, { ...others, protocol: 2 }],
      scanTime: 60,
    });
    expect(config.redistribute).toEqual(['kernel', 'static']);
    expect(warnings).toEqual([]);
  });

  test('nothing is installed where nothing is exported', () => {
    expect(model(`${ROUTER} protocol kernel { ipv4; }`).config.kernel).toMatchObject({
      install: false,
      learn: [],
      metric: 32,
    });
    expect(model(ROUTER).config.kernel.install).toBe(false);
  });

  test('filters of the kernel, direct and static protocols; a family without the protocol gets nothing', () => {
    const { config, warnings } = model(`${ROUTER}
      protocol kernel { learn; ipv4 { import where krt_source = 4; export where net.len < 25; }; }
      protocol direct { ipv4; }
      protocol static st { ipv4 { import where net.len < 20; }; route 10.0.0.0/8 blackhole { preference = 7; }; }`);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      kernel: { install: true, learn: [{ protocol: undefined }] },
      networks: [{ prefix: '10.0.0.0/8', protocol: 'st', set: { trivial: undefined } }],
      redistribute: ['kernel', 'static', 'connected'],
    });
    const { install, kernel, networks, connected } = config.localPolicies!;
    for (const policy of [install, kernel, networks])
      expect(policyFor(policy, 'ipv4')).toBeInstanceOf(Filter);
    for (const policy of [install, kernel, networks, connected])
      expect(policyFor(policy, 'ipv6')).toBe('reject');
    expect(policyFor(connected, 'ipv4')).toBe('accept');
  });

  test('an unchanged file changes nothing, another body of a filter judges again', () => {
    const text = (limit: number) => `${ROUTER} filter f { if net.len < ${limit} then accept; reject; }
      protocol kernel { ipv4 { export filter f; }; }
      protocol bgp a { local as 1; neighbor 10.0.0.2 as 1; ipv4 { import filter f; export all; }; }`;
    const before = model(text(24)).config;
    expect(diffConfig(before, model(`# the same\n${text(24)}`).config).sentences).toEqual([]);
    const plan = diffConfig(before, model(text(25)).config);
    expect(plan.peers.changed).toMatchObject([{ keys: ['import'], softIn: true, softOut: false, reset: [] }]);
    expect(plan.sentences).toEqual([
      'peer a: import filter f changed; import done again, session kept',
      'policy: install ipv4 filter f, ipv6 reject changed; kernel routes are computed again',
    ]);
  });

  test('ROAs are for filters to ask: neither routes nor without effect', () => {
    const { config, warnings } = model(`${ROUTER} roa4 table r4;
      protocol static st { roa4; route 10.0.0.0/8 max 24 as 65000; }`);
    expect(config.networks).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test('what the model cannot say is named once, with whom it concerns', () => {
    const { warnings } = model(`${ROUTER} log stderr all; threads 2; ipv4 table t; vpn4 table v; vpn4 table w;
      template bgp x { local as 1; tx size warning 5; ipv4 { table t; secondary off; cost 5; }; }
      protocol bgp a from x { neighbor 10.0.0.2 as 1; } protocol bgp b from x { neighbor 10.0.0.3 as 1; }
      protocol bgp c from x { neighbor 10.0.0.4 as 1; } protocol bgp d from x { neighbor 10.0.0.5 as 1; }
      protocol pipe { table master4; peer table t; }
      protocol pipe { table v; peer table w; }`);
    expect(warnings).toEqual([
      'threads has no effect (global)',
      'a table of vpn4 has no effect (v, w)',
      'tx size warning has no effect (a, b, c and 1 more)',
      'cost has no effect (a, b, c and 1 more)',
      'a pipe between vpn4 tables has no effect (pipe2)',
    ]);
  });

  test('without a router id the lowest address of the host is taken', () => {
    expect(model('protocol device { }').config.router).toEqual({
      asn: 0,
      id: '10.0.0.5',
      clusterId: '10.0.0.5',
      hostname: 'host1',
      restart: { recover: 'never', wait: 240, onStop: 'cease' },
    });
  });

  test('the summary', () => {
    const { bird } = model(
      `${ROUTER} filter f { accept; } define A = 1; protocol static { ipv4; } protocol static { ipv6; }`,
    );
    expect(summarizeBird(bird)).toEqual([
      'BIRD 2.x, 1 file',
      'protocols: 1 device, 2 static',
      'defined: filters 1, functions 0, constants 1',
    ]);
  });
});
