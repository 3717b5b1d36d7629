// Filters at work over whole sessions: what import and export filters make of routes, what peers are told when a filter
// changes under them, and what decision and kernel read of attributes that are none of BGP's.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { formatPrefix } from '../../src/lib/ip.ts';
import { ip } from '../support/raw-peer.ts';
import { kernelRoute, simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const IBGP = '10.0.0.4';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.128/25';

/** Peers A (65002), B (65003) and one of the own AS, with these settings. */
function around(settings: { a?: RigPeer['config']; b?: RigPeer['config']; ibgp?: RigPeer['config'] }) {
  return {
    [A]: { as: 65002, config: { ...settings.a } },
    [B]: { as: 65003, config: { ...settings.b } },
    [IBGP]: { as: OWN_AS, config: { ...settings.ibgp } },
  };
}

function inputOf(peers: Readonly<Record<string, RigPeer>>, more: Partial<ConfigInput> = {}): ConfigInput {
  return {
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peers: Object.entries(peers).map(([address, peer]) => peerInput(address, peer)),
    ...more,
  };
}

describe('an import filter', () => {
  it('changes attributes once for a set, and what others get', async () => {
    const { lab, speaker, peer } = await rig(
      around({ a: { import: 'bgp_local_pref = 250; bgp_community.add((65000,7)); bgp_med = 9; accept;' } }),
    );
    peer(A).announce([P1, P2], { communities: ['65002:1'] });
    await lab.settle();
    expect(speaker.routes()).toMatchObject(
      [P1, P2].map((prefix) => ({
        prefix,
        attributes: { localPref: 250, med: 9, communities: ['65002:1', '65000:7'] },
      })),
    );
    expect(peer(IBGP).table.get(P1)?.attributes).toMatchObject({ localPref: 250, med: 9 });
    // RFC 4271 §5.1.4, §5.1.5: neither is for another AS.
    expect(peer(B).table.get(P1)?.attributes).toMatchObject({ localPref: undefined, med: undefined });
    expect(speaker.routes({ beforePolicy: true })[0]?.attributes).toMatchObject({ communities: ['65002:1'] });
  });

  it('4271-5.1.4-1 takes MED away before the selection, and leaves the choice to what comes after it', async () => {
    const twins = (filter: string) => ({
      [A]: { as: 65002, config: { import: filter } },
      [B]: { as: 65002, config: { import: filter } },
      [IBGP]: { as: OWN_AS },
    });
    for (const [filter, chosen, med] of [
      ['accept;', B, 1],
      ['unset(bgp_med); accept;', A, undefined],
    ] as const) {
      const { lab, speaker, peer } = await rig(twins(filter));
      peer(A).announce([P1], { med: 2 });
      peer(B).announce([P1], { med: 1 });
      await lab.settle();
      expect(speaker.best()).toEqual([`${P1} from ${chosen}`]);
      expect(peer(IBGP).table.get(P1)?.attributes.med).toBe(med);
    }
  });

  it('rejects by prefix, also within one UPDATE', async () => {
    const { lab, speaker, peer } = await rig(
      around({ a: { import: 'if net.len > 24 || net ~ 198.51.0.0/16 then reject; accept;' } }),
    );
    peer(A).announce([P1, P2, P3]);
    await lab.settle();
    expect(speaker.routes().map(({ prefix, eligible }) => [prefix, eligible])).toEqual([
      [P1, true],
      [P2, false],
      [P3, false],
    ]);
    expect(peer(B).prefixes()).toEqual([P1]);
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 3, rejected: 2 });
    peer(A).withdraw(P2);
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 2, rejected: 1 });
  });

  it('gives prefixes of one UPDATE attributes of their own', async () => {
    const { lab, peer } = await rig(
      around({ a: { import: 'if net = 192.0.2.0/24 then bgp_path.prepend(65099); accept;' } }),
    );
    peer(A).announce([P1, P2], { asPath: '65002 65010' });
    await lab.settle();
    expect(peer(IBGP).table.get(P1)?.attributes.asPath).toBe('65099 65002 65010');
    expect(peer(IBGP).table.get(P2)?.attributes.asPath).toBe('65002 65010');
  });

  it('that ends with an error rejects', async () => {
    const { lab, speaker, peer } = await rig(
      around({ a: { import: 'if bgp_med > 5 then accept; reject;' } }),
    );
    peer(A).announce([P1], { med: 6 });
    peer(A).announce([P2]);
    await lab.settle();
    expect(speaker.routes().map(({ prefix, eligible }) => [prefix, eligible])).toEqual([
      [P1, true],
      [P2, false],
    ]);
  });

  it('sees LOCAL_PREF 100 of eBGP routes, which have none', async () => {
    const { lab, peer } = await rig(
      around({
        a: {
          import: 'if !defined(bgp_local_pref) then reject; bgp_local_pref = bgp_local_pref + 1; accept;',
        },
      }),
    );
    peer(A).announce([P1]);
    await lab.settle();
    expect(peer(IBGP).table.get(P1)?.attributes.localPref).toBe(101);
  });

  it('sees from whom a route is', async () => {
    const { lab, peer } = await rig(
      around({
        a: {
          name: 'left',
          import: 'if proto = "left" && from = 10.0.0.2 && source = RTS_BGP then accept; reject;',
        },
        b: { import: 'if proto = "left" then accept; reject;' },
      }),
    );
    peer(A).announce([P1]);
    peer(B).announce([P2]);
    await lab.settle();
    expect(peer(IBGP).prefixes()).toEqual([P1]);
  });
});

describe('preference', () => {
  it('is compared before everything else', async () => {
    const { lab, speaker, peer } = await rig(around({ b: { import: 'preference = 150; accept;' } }));
    peer(A).announce([P1], { asPath: '65002' });
    peer(B).announce([P1], { asPath: '65003 65010 65011', origin: 'INCOMPLETE', med: 900 });
    await lab.settle();
    expect(speaker.routes({ bestOnly: true })).toMatchObject([
      { peer: B, reason: 'best path: decided by preference' },
    ]);
    expect(speaker.routes()).toMatchObject([
      { peer: B },
      { peer: A, reason: 'lower preference of its protocol' },
    ]);
  });

  it('of own networks is 200, of what is learned from the kernel 10', async () => {
    const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
    kernelRoute(kernel, P2, '10.0.0.9', { protocol: 80 });
    const { lab, speaker, peer } = await rig(
      around({}),
      { networks: [P1], redistribute: ['kernel'], kernel: { install: true } },
      kernel,
    );
    peer(A).announce([P1, P2], { localPref: 500 });
    await lab.settle();
    expect(speaker.routes({ bestOnly: true }).map(({ prefix, peer: from }) => [prefix, from])).toEqual([
      [P1, 'local'],
      [P2, A],
    ]);
  });
});

describe('an export filter', () => {
  it('rejects, prepends behind the own AS, and sets what eBGP would not get', async () => {
    const { lab, speaker, peer } = await rig(
      around({
        b: {
          export:
            'if net = 198.51.100.0/24 then reject; bgp_path.prepend(65077); bgp_med = 5; bgp_community.add((65000,9)); bgp_local_pref = 7; accept;',
        },
      }),
    );
    peer(A).announce([P1, P2], { med: 77 });
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P1]);
    expect(peer(B).table.get(P1)?.attributes).toMatchObject({
      asPath: '65000 65077 65002',
      med: 5,
      localPref: undefined,
      communities: ['65000:9'],
    });
    // The others have what is in the table.
    expect(peer(IBGP).table.get(P1)?.attributes).toMatchObject({ asPath: '65002', communities: [] });
    expect(speaker.api.explain(P2, { to: B }).exports[0]).toMatchObject({ advertised: false });
  });

  it('keeps the next hop it sets, and only that', async () => {
    const { lab, peer } = await rig(
      around({ b: { export: 'if net = 192.0.2.0/24 then bgp_next_hop = 10.0.0.99; accept;' } }),
    );
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(peer(B).table.get(P1)?.nextHop).toBe('10.0.0.99');
    expect(peer(B).table.get(P2)?.nextHop).toBe(OWN_ADDRESS);
  });

  it('sees own and learned routes as what they are', async () => {
    const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
    kernelRoute(kernel, P2, '10.0.0.9', { protocol: 80, metric: 33 });
    const { peer } = await rig(
      around({
        b: {
          export: `
            if source = RTS_STATIC && dest = RTD_BLACKHOLE && preference = 200 then bgp_community.add((1,1));
            if source = RTS_INHERIT && krt_source = 80 && krt_metric = 33 && ifname = "eth0" then bgp_community.add((1,2));
            if source = RTS_DEVICE && ifname ~ "eth*" then bgp_community.add((1,3));
            accept;`,
        },
      }),
      {
        networks: [{ prefix: P1, type: 'blackhole' }],
        redistribute: ['kernel', 'connected'],
        kernel: { install: false, learn: [{}] },
      },
      kernel,
    );
    const communities = Object.fromEntries(
      [...peer(B).table].map(([prefix, route]) => [prefix, route.attributes.communities]),
    );
    expect(communities).toEqual({ [P1]: ['1:1'], [P2]: ['1:2'], '10.0.0.0/24': ['1:3'] });
  });

  it('makes groups by what it does: equal filters share one', async () => {
    const tagged = 'bgp_community.add((65000,1)); accept;';
    const { speaker } = await rig(around({ a: { export: tagged }, b: { export: tagged } }));
    const shared = speaker.api.updateGroups().filter(({ members }) => members.length === 2);
    expect(shared.map(({ members }) => members)).toEqual([[A, B]]);
  });

  it('does not send a route again that it makes the same', async () => {
    const { lab, peer } = await rig(
      around({ b: { export: 'bgp_community.delete([(65002,*)]); bgp_med = 1; accept;' } }),
    );
    peer(A).announce([P1], { communities: ['65002:1'], med: 1 });
    await lab.settle();
    peer(B).clear();
    peer(A).announce([P1], { communities: ['65002:2'], med: 2 });
    await lab.settle();
    expect(peer(B).updates).toEqual([]);
    peer(A).announce([P1], { communities: ['65003:2'], med: 2 });
    await lab.settle();
    expect(peer(B).updates).toHaveLength(1);
  });
});

describe('a filter that changes', () => {
  it('judges again what is there, in both directions, with no session lost', async () => {
    const before = around({ a: { import: 'in' }, b: { export: 'out' } });
    const filters = (most: number, tag: number): Partial<ConfigInput> => ({
      filters: {
        in: `if net.len > ${most} then reject; accept;`,
        out: `bgp_community.add((65000,${tag})); accept;`,
      },
    });
    const { lab, speaker, peer } = await rig(before, filters(24, 1));
    peer(A).announce([P1, P3]);
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P1]);

    // Another way to write the same changes nothing.
    peer(B).clear();
    const same = inputOf(before, {
      filters: {
        ...filters(24, 1).filters,
        in: '# no longer than 24\nif  net.len > 24 then reject;  accept;\n',
      },
    });
    expect(await speaker.reload(same)).toEqual([]);
    await lab.settle();
    expect(peer(B).updates).toEqual([]);
    expect(peer(A).heard).toEqual([]);

    const wider = await speaker.reload(inputOf(before, filters(25, 1)));
    await lab.settle();
    expect(wider).toEqual([`peer ${A}: import filter in changed; import done again, session kept`]);
    expect(peer(B).prefixes()).toEqual([P1, P3]);
    expect(peer(B).updates).toHaveLength(1);

    peer(B).clear();
    peer(IBGP).clear();
    await speaker.reload(inputOf(before, filters(25, 2)));
    await lab.settle();
    expect([...peer(B).table.values()].map((route) => route.attributes.communities)).toEqual([
      ['65000:2'],
      ['65000:2'],
    ]);
    expect(peer(IBGP).updates).toEqual([]);

    await speaker.reload(inputOf(before, filters(8, 2)));
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([]);
    expect(speaker.states().every((line) => line.endsWith('Established'))).toBe(true);
    for (const address of [A, B, IBGP]) expect(peer(address).heard.join()).not.toMatch(/NOTIFICATION|FIN/);
  });
});

describe('the kernel', () => {
  it('gets what its filter lets pass, and what import filters say of destination and gateway', async () => {
    const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
    const peers = around({
      a: {
        import: `
          if (65002,666) ~ bgp_community then dest = RTD_BLACKHOLE;
          if (65002,9) ~ bgp_community then gw = 10.0.0.77;
          accept;`,
      },
    });
    const kernelWith = (text: string): Partial<ConfigInput> => ({
      kernel: { install: true, metric: 0, export: text },
    });
    const { lab, speaker, peer } = await rig(
      peers,
      kernelWith('if net.len > 24 then reject; krt_metric = 7; accept;'),
      kernel,
    );
    peer(A).announce([P1], { communities: ['65002:666'] });
    peer(A).announce([P2], { communities: ['65002:9'] });
    peer(A).announce([P3, '100.64.0.0/16']);
    await lab.settle();
    const own = () =>
      kernel
        .routes()
        .filter(({ protocol }) => protocol === 12)
        .map(({ prefix, type, nextHops, metric }) => {
          const via = nextHops.map(({ gateway }) => gateway?.join('.')).join();
          return `${formatPrefix(prefix)} ${type} ${via} ${metric}`;
        })
        .sort();
    expect(own()).toEqual([
      '100.64.0.0/16 unicast 10.0.0.2 7',
      `${P1} blackhole  7`,
      `${P2} unicast 10.0.0.77 7`,
    ]);
    await speaker.reload(inputOf(peers, kernelWith('if net.len < 24 then reject; accept;')));
    await lab.settle();
    expect(own()).toEqual([`${P1} blackhole  0`, `${P2} unicast 10.0.0.77 0`, `${P3} unicast 10.0.0.2 0`]);
  });

  it('reaches the gateway of a filter over the link that it is on, and gets no route to one that is on none', async () => {
    const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`, 'eth1 10.1.0.1/24');
    const filter = `gw = bgp_next_hop;
      if net = ${P1} then gw = 10.1.0.77;
      if net = ${P2} then { gw = 10.1.0.77; if ifname != "eth1" then reject; dest = RTD_BLACKHOLE; }
      if net = ${P3} then gw = 172.16.0.1;
      if net = 100.64.0.0/16 then gw = ${OWN_ADDRESS};
      if ifname = "eth0" then reject;
      accept;`;
    const peers = around({ a: { import: filter } });
    const { lab, speaker, peer } = await rig(peers, { kernel: { install: true } }, kernel);
    peer(A).announce([P1, P2, P3, '100.64.0.0/16', '100.65.0.0/16']);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`]);
    const own = kernel.routes().filter(({ protocol }) => protocol === 12);
    expect(own).toMatchObject([
      { type: 'unicast', nextHops: [{ gateway: ip('10.1.0.77'), ifindex: 3 }] },
      { type: 'blackhole', nextHops: [] },
    ]);
    const [answer] = speaker.api.bird.routes({ tables: undefined });
    expect([...answer!.routes()]).toMatchObject([
      { net: P1, destination: 'unicast', hops: [{ gateway: '10.1.0.77', interface: 'eth1' }] },
      { net: P2, destination: 'blackhole', hops: [] },
    ]);
  });

  it('gives only what a redistribution filter takes', async () => {
    const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
    kernelRoute(kernel, P1, '10.0.0.9', { protocol: 80, metric: 5 });
    kernelRoute(kernel, P2, '10.0.0.9', { protocol: 80, metric: 6 });
    const redistributing = (text: string): Partial<ConfigInput> => ({
      redistribute: { kernel: text },
      kernel: { learn: [{}] },
    });
    const { lab, speaker, peer } = await rig(
      around({}),
      redistributing('if krt_metric > 5 then reject; bgp_community.add((9,9)); accept;'),
      kernel,
    );
    expect(peer(B).prefixes()).toEqual([P1]);
    expect(peer(B).table.get(P1)?.attributes.communities).toEqual(['9:9']);
    await speaker.reload(inputOf(around({}), redistributing('if krt_metric < 6 then reject; accept;')));
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P2]);
  });
});

describe('custom attributes', () => {
  it('go with a route from import to export, and across a reload', async () => {
    const definitions = 'attribute int tier;';
    const peers = around({
      a: { import: 'tier = 3; accept;' },
      b: { export: 'if tier = 3 then bgp_community.add((3,3)); accept;' },
    });
    const { lab, speaker, peer } = await rig(peers, { definitions });
    peer(A).announce([P1]);
    await lab.settle();
    expect(peer(B).table.get(P1)?.attributes.communities).toEqual(['3:3']);
    const after = around({
      a: { import: 'tier = 3; accept;' },
      b: { export: 'if tier != 3 then reject; accept;' },
    });
    await speaker.reload(inputOf(after, { definitions: `attribute string other; ${definitions}` }));
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P1]);
    expect(peer(B).table.get(P1)?.attributes.communities).toEqual([]);
  });
});

describe('explain', () => {
  it('tells what the filters of both directions did, line by line', async () => {
    const { lab, speaker, peer } = await rig(around({ a: { import: 'in' }, b: { export: 'out' } }), {
      definitions: 'function is_long(int most) -> bool { return net.len > most; }',
      filters: {
        in: 'if is_long(24) then reject;\nbgp_local_pref = 200;\naccept;',
        out: 'if bgp_local_pref = 200 then {\n  bgp_community.add((65000,1));\n  accept;\n}\nreject;',
      },
    });
    peer(A).announce([P1, P3]);
    await lab.settle();
    const told = (trace: { steps: readonly { code: string; text: string }[] } | undefined) =>
      trace?.steps.map(({ code, text }) => `${code} -> ${text}`);
    const kept = speaker.api.explain(P1, { to: B });
    expect(told(kept.paths[0]?.importFilter)).toEqual([
      'return net.len > most; -> return FALSE',
      'is_long(24) -> false',
      'bgp_local_pref = 200; -> bgp_local_pref = 200',
      'accept; -> accept',
    ]);
    expect(kept.paths[0]?.importFilter?.steps[2]?.place).toMatch(/^godwit.yaml:\d+ filters.in:2$/);
    expect(told(kept.exports[0]?.exportFilter)).toEqual([
      'bgp_local_pref = 200 -> true',
      'bgp_community.add((65000,1)); -> bgp_community = (clist (65000,1))',
      'accept; -> accept',
    ]);
    const refused = speaker.api.explain(P3, { to: B });
    expect(refused.paths[0]).toMatchObject({ reason: 'rejected by import filter in' });
    expect(told(refused.paths[0]?.importFilter)).toEqual([
      'return net.len > most; -> return TRUE',
      'is_long(24) -> true',
      'reject; -> reject',
    ]);
    // The filter ran for show: nothing has changed.
    expect(speaker.api.explain(P1, { to: B })).toEqual(kept);
    expect(peer(B).prefixes()).toEqual([P1]);
  });
});
