// Replies whose look no transcript shows: links of many kinds, sessions in trouble, times long ago, JSON.

import { beforeEach, describe, expect, it } from 'vitest';
import { TimeWriter } from '../../../src/control/bird/render/times.ts';
import type { Style } from '../../../src/control/bird/style.ts';
import { formatTime } from '../../../src/lib/time-format.ts';
import type { BgpView, ProtocolView } from '../../../src/speaker/api/protocols.ts';
import type { InterfaceView, TableRoute } from '../../../src/speaker/api/tables.ts';
import { fakeAnswer } from '../../support/fake-bird.ts';
import { FakeSpeaker, fakeAttributes, NOW } from '../../support/fake-speaker.ts';
import { Talk } from './talk.ts';

process.env['TZ'] = 'UTC';

const clock = { now: () => 0, wallTime: () => NOW, setTimer: () => ({ cancel: () => {} }) };
let speaker: FakeSpeaker;

beforeEach(() => {
  speaker = new FakeSpeaker();
});

function ask(style: Style, command: string): Promise<string[]> {
  return new Talk({ api: speaker, style, clock }).ask(command);
}

function address(text: string, more: Partial<InterfaceView['addresses'][number]> = {}) {
  const [bytes = '', length = ''] = text.split('/');
  return {
    address: bytes,
    length: Number(length),
    scope: 'site',
    rank: 'primary',
    opposite: undefined,
    ...more,
  } as const;
}

function link(name: string, index: number, more: Partial<InterfaceView> = {}): InterfaceView {
  return {
    name,
    index,
    up: true,
    adminUp: true,
    linkUp: true,
    loopback: false,
    broadcast: true,
    multicast: true,
    pointToPoint: false,
    mtu: 1500,
    master: undefined,
    addresses: [],
    ...more,
  };
}

function tableRoute(more: Partial<TableRoute> & Pick<TableRoute, 'bgp'>): TableRoute {
  return {
    table: 'master4',
    net: '10.0.0.0/8',
    protocol: 'tor',
    origin: 'BGP',
    destination: 'blackhole',
    hops: [],
    from: undefined,
    since: NOW,
    preference: 100,
    primary: true,
    kernelProblem: false,
    igpMetric: 0,
    stale: false,
    suppressed: false,
    kernel: [],
    ...more,
  };
}

describe('interfaces', () => {
  beforeEach(() => {
    speaker.bird.interfaceViews = [
      link('br0', 2, {
        addresses: [
          address('10.7.0.1/30', { opposite: '10.7.0.2' }),
          address('169.254.3.1/24', { scope: 'univ', rank: 'other' }),
        ],
      }),
      link('v1', 3, {
        addresses: [
          address('10.1.0.1/24'),
          address('10.9.0.1/32', { rank: 'other', opposite: '10.9.0.2' }),
          address('10.1.0.2/24', { rank: 'secondary' }),
          address('fe80::1/64', { scope: 'link' }),
        ],
      }),
      link('v0', 4, { master: 'br0' }),
      link('off', 5, { up: false, adminUp: false, linkUp: false }),
      link('tun', 6, { pointToPoint: true, broadcast: false }),
    ];
  });

  it('of 2.x', async () => {
    expect(await ask('bird2', 'show interfaces')).toEqual([
      '1001-br0 up (index=2)',
      '1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500',
      '1003-\t10.7.0.1/30 (Preferred, opposite 10.7.0.2, scope site)',
      ' \t169.254.3.1/24 (scope univ)',
      '1001-v1 up (index=3)',
      '1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500',
      '1003-\t10.1.0.1/24 (Preferred, scope site)',
      ' \t10.9.0.1/32 (opposite 10.9.0.2, scope site)',
      ' \t10.1.0.2/24 (Secondary, scope site)',
      ' \tfe80::1/64 (Preferred, scope link)',
      '1001-v0 up (index=4 master=br0)',
      '1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500',
      '1001-off down (index=5)',
      '1004-\tMultiAccess Broadcast Multicast AdminDown LinkDown MTU=1500',
      '1001-tun up (index=6)',
      '1004-\tPtP Multicast AdminUp LinkUp MTU=1500',
      '0000 ',
    ]);
  });

  it('of 1.6', async () => {
    expect(await ask('bird1', 'show interfaces')).toEqual([
      '1001-br0 up (index=2)',
      '1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500',
      '1003-\t169.254.3.1/24 (Primary, scope univ)',
      ' \t10.7.0.1/30 (Unselected, opposite 10.7.0.2, scope site)',
      '1001-v1 up (index=3)',
      '1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500',
      '1003-\t10.1.0.1/24 (Primary, scope site)',
      ' \t10.9.0.1/32 (Unselected, opposite 10.9.0.2, scope site)',
      ' \t10.1.0.2/24 (Secondary, scope site)',
      '1001-v0 DOWN (index=4 master=br0)',
      '1004-\tMultiAccess Broadcast Multicast AdminUp LinkUp MTU=1500',
      '1001-off DOWN (index=5)',
      '1004-\tMultiAccess Broadcast Multicast AdminDown LinkDown MTU=1500',
      '1001-tun DOWN (index=6)',
      '1004-\tPtP Multicast AdminUp LinkUp MTU=1500',
      '0000 ',
    ]);
  });
});

const BGP: BgpView = {
  state: 'Active',
  error: { origin: 'received', text: 'Administrative shutdown' },
  peerAddress: '10.0.0.2',
  peerRange: undefined,
  peerAs: 65002,
  localAs: 65001,
  peerId: undefined,
  localCapabilities: [],
  peerCapabilities: [],
  internal: false,
  multihop: false,
  role: undefined,
  as4: false,
  addPathReceive: false,
  addPathSend: false,
  sourceAddress: undefined,
  routeLimit: undefined,
  holdTimer: undefined,
  keepaliveTimer: undefined,
  sendHoldTimer: undefined,
  connectTimer: { left: 0.638, of: 2 },
  errorTimer: undefined,
  gracefulRestart: undefined,
  restartTimer: undefined,
};

function peer(bgp: Partial<BgpView>, more: Partial<ProtocolView> = {}): ProtocolView {
  return {
    name: 'tor',
    kind: 'bgp',
    state: 'start',
    enabled: true,
    since: NOW - 3_600_000,
    description: undefined,
    message: undefined,
    channels: [],
    bgp: { ...BGP, ...bgp },
    pipe: undefined,
    rpki: undefined,
    ...more,
  };
}

/** What is said of the session, without the rows before and the end. */
async function session(style: Style, view: ProtocolView): Promise<string[]> {
  speaker.bird.protocolViews = [view];
  const lines = await ask(style, 'show protocols all');
  return lines.slice(1, -2).map((line) => line.replace(/^(\d{4}-| )/, ''));
}

describe('BFD', () => {
  const view = peer({}, { name: 'bfd1', kind: 'bfd', state: 'up', bgp: undefined });

  it.each([
    [
      'bird1',
      'IP address                Interface  State      Since       Interval  Timeout',
      '10.99.0.2                 eth0       Up         11:00:00      0.300    0.900',
    ],
    [
      'bird2',
      'IP address                Interface  State      Since         Interval  Timeout',
      '10.99.0.2                 eth0       Up         11:00:00.000    0.300    0.900',
    ],
  ] as const)('has columns as wide as the times of %s', async (style, heading, row) => {
    speaker.bird.protocolViews = [view];
    const [, ...lines] = await ask(style, 'show bfd sessions');
    expect(lines.slice(0, 2)).toEqual([` ${heading}`, ` ${row}`]);
  });

  it('has no preference in 1.6', async () => {
    expect(await session('bird1', view)).toContain('  Preference:     0');
    expect(await session('bird1', { ...view, kind: 'device' })).toContain('  Preference:     240');
  });
});

describe('a session in trouble', () => {
  it('says why, and when it goes on', async () => {
    expect(await session('bird2', peer({}))).toEqual([
      'tor        BGP        ---        start  11:00:00.000  Active        Received: Administrative shutdown',
      '  BGP state:          Active',
      '    Neighbor address: 10.0.0.2',
      '    Neighbor AS:      65002',
      '    Local AS:         65001',
      '    Connect delay:    0.638/2',
      '    Last error:       Received: Administrative shutdown',
    ]);
    const idle = { state: 'Idle', connectTimer: undefined, errorTimer: { left: 35.1, of: 60 } } as const;
    const error = { origin: 'sent', text: 'Hold timer expired' } as const;
    expect((await session('bird2', peer({ ...idle, error }))).slice(-2)).toEqual([
      '    Error wait:       35.100/60',
      '    Last error:       BGP Error: Hold timer expired',
    ]);
  });

  it('keeps routes of a peer that restarts', async () => {
    const away = { gracefulRestart: 'active', restartTimer: { left: 117.2, of: 120 } } as const;
    const error = { origin: 'socket', text: 'Connection refused' } as const;
    const lines = await session('bird1', peer({ ...away, error }));
    expect(lines.slice(-4)).toEqual([
      '    Neighbor graceful restart active',
      '    Restart timer:    118/-',
      '    Connect delay:    1/2',
      '    Last error:       Socket: Connection refused',
    ]);
  });

  it('that is switched off shows what the operator said, and no error', async () => {
    const view = peer({ state: 'Down', error: undefined }, { state: 'down', message: 'maintenance' });
    const lines = await session('bird2', view);
    expect(lines[0]).toBe('tor        BGP        ---        down   11:00:00.000  ');
    expect(lines).toContain('  Message:        maintenance');
    expect(lines.join()).not.toContain('Last error');
  });
});

describe('times', () => {
  const times = new TimeWriter(NOW, 'milliseconds', {});

  it('of long ago are dates', () => {
    expect(times.write('protocol', NOW - 19 * 3_600_000)).toBe('17:00:00.000');
    expect(times.write('protocol', NOW - 20 * 3_600_000)).toBe('2026-02-28');
    expect(times.write('base', NOW - 1)).toBe('2026-03-01 11:59:59.999');
    expect(new TimeWriter(NOW, 'seconds', {}).write('route', NOW)).toBe('12:00:00');
  });

  it('have the format of the configuration', () => {
    const formats = { route: { format: '%d.%m.%y %R', limit: 60, older: 'day %j of %Y' } };
    const own = new TimeWriter(NOW, 'seconds', formats);
    expect(own.write('route', NOW - 30_000)).toBe('01.03.26 11:59');
    expect(own.write('route', NOW - 60_000)).toBe('day 060 of 2026');
  });

  it('know the letters of strftime', () => {
    expect(formatTime('%a %A %b %B %e %H %I %M %p %S %T %F %y %s %z %% %3f %6f %Q', NOW + 1)).toBe(
      'Sun Sunday Mar March  1 12 12 00 PM 00 12:00:00 2026-03-01 26 1772366400 +0000 % 001 001000 %Q',
    );
  });
});

describe('JSON', () => {
  it('is one object a line, behind the usual codes', async () => {
    const route = tableRoute({
      destination: 'unicast',
      hops: [{ gateway: '10.0.0.2', interface: 'eth0', weight: undefined, onlink: false }],
      bgp: { attributes: fakeAttributes(), nextHops: ['10.0.0.2'] },
    });
    speaker.bird.protocolViews = [peer({})];
    speaker.bird.interfaceViews = [link('eth0', 2)];
    speaker.bird.statics = [{ protocol: 'static1', net: '10.0.0.0/8', target: 'blackhole', via: [] }];
    speaker.bird.answer = () => [fakeAnswer('master4', [route])];
    for (const command of [
      'show status',
      'show protocols',
      'show protocols all',
      'show interfaces',
      'show route',
      'show route count',
      'show memory',
      'show symbols',
      'help show route',
    ]) {
      const lines = await ask('json', command);
      expect(lines.at(-1), command).toBe('0000 ');
      const objects = lines.slice(0, -1).map((line) => JSON.parse(line.replace(/^(\d{4}-| )/, '')));
      expect(objects.length, command).toBeGreaterThan(0);
      if (command === 'show route') expect(objects).toEqual([JSON.parse(JSON.stringify(route))]);
    }
  });
});

describe('routes', () => {
  it('that the kernel refuses, that are stale, that are far away', async () => {
    const bgp = { attributes: fakeAttributes({ asPath: '64999 65001' }), nextHops: ['10.0.0.2'] };
    const route = (net: string, more: Partial<TableRoute>): TableRoute =>
      tableRoute({
        net,
        destination: 'unicast',
        hops: [{ gateway: '10.0.0.2', interface: 'eth0', weight: undefined, onlink: true }],
        bgp,
        ...more,
      });
    speaker.bird.answer = () => [
      fakeAnswer('master4', [
        route('10.0.0.0/8', { kernelProblem: true, from: '10.9.9.9' }),
        route('10.1.0.0/16', { stale: true, igpMetric: 20, primary: false }),
        route('10.2.0.0/16', { igpMetric: 'unreachable', destination: 'unreachable', hops: [] }),
        route('10.3.0.0/16', { igpMetric: 'unknown' }),
      ]),
    ];
    expect((await ask('bird2', 'show route')).slice(1, -1)).toEqual([
      ' 10.0.0.0/8           unicast [tor 12:00:00.000 from 10.9.9.9] ! (100) [AS65001i]',
      ' \tvia 10.0.0.2 on eth0 onlink',
      ' 10.1.0.0/16          unicast [tor 12:00:00.000] (100s/20) [AS65001i]',
      ' \tvia 10.0.0.2 on eth0 onlink',
      ' 10.2.0.0/16          unreachable [tor 12:00:00.000] * (100) [AS65001i]',
      ' 10.3.0.0/16          unicast [tor 12:00:00.000] * (100/?) [AS65001i]',
      ' \tvia 10.0.0.2 on eth0 onlink',
    ]);
    expect((await ask('bird1', 'show route')).slice(0, -1)).toEqual([
      '1007-10.0.0.0/8         via 10.0.0.2 on eth0 [tor 12:00:00 from 10.9.9.9] ! (100/0) [AS65001i]',
      ' 10.1.0.0/16        via 10.0.0.2 on eth0 [tor 12:00:00] (100s/20) [AS65001i]',
      ' 10.2.0.0/16        unreachable [tor 12:00:00] * (100/-) [AS65001i]',
      ' 10.3.0.0/16        via 10.0.0.2 on eth0 [tor 12:00:00] * (100/?) [AS65001i]',
    ]);
  });

  it.each([
    ['64512 64513', 'AS64513i', '64512 64513', '64512 64513'],
    ['', 'i', '', ''],
    ['65010 {70000 70001}', 'i', '65010 {70000 70001}', '65010 { 70000 70001 }'],
    ['(65010) {70000} 70001', 'AS70001i', '(65010) {70000} 70001', '(65010) { 70000 } 70001'],
    ['(65010 65011)', 'AS65011i', '(65010 65011)', '(65010 65011)'],
    ['(65010) [65012]', 'i', '(65010) ({65012})', '(65010) ({ 65012 })'],
  ])('write the AS path %s', async (asPath, last, path2, path1) => {
    const route = tableRoute({ bgp: { attributes: fakeAttributes({ asPath }), nextHops: [] } });
    speaker.bird.answer = () => [fakeAnswer('master4', [route])];
    const reply2 = (await ask('bird2', 'show route all')).join('\n');
    expect(reply2).toContain(`(100) [${last}]\n`);
    expect(reply2).toContain(`BGP.as_path: ${path2}\n`);
    expect(await ask('bird1', 'show route all')).toContain(` \tBGP.as_path: ${path1}`);
  });

  it('show every attribute', async () => {
    const attributes = fakeAttributes({
      med: 5,
      atomicAggregate: true,
      aggregator: '64512 192.0.2.1',
      communities: ['64512:1', 'NO_EXPORT'],
      originatorId: '1.1.1.1',
      clusterList: ['2.2.2.2', '3.3.3.3'],
      extendedCommunities: [
        ...['rt:64513:77', 'soo:10.0.0.1:5', 'rt:4200000000L:1', 'link-bandwidth:64513:125000000'],
        ...['generic:0x4004fc01:0x5', 'rt:[2001:db8::1]:5', '0x4002:[2001:db8::2]:6'],
      ],
      largeCommunities: ['1:2:3'],
      aigp: '77',
      onlyToCustomer: 64512,
      unknown: ['128 (partial, transitive): 0a0b', '11 (transitive): '],
    });
    const route = tableRoute({ bgp: { attributes, nextHops: ['2001:db8::1', 'fe80::1'] } });
    speaker.bird.answer = () => [fakeAnswer('master4', [route])];
    expect((await ask('bird2', 'show route all')).slice(3, -1)).toEqual([
      '1012-\tBGP.origin: IGP',
      ' \tBGP.as_path: 65001 64999',
      ' \tBGP.next_hop: 2001:db8::1 fe80::1',
      ' \tBGP.med: 5',
      ' \tBGP.local_pref: 100',
      ' \tBGP.atomic_aggr: ',
      ' \tBGP.aggregator: 192.0.2.1 AS64512',
      ' \tBGP.community: (64512,1) (65535,65281)',
      ' \tBGP.originator_id: 1.1.1.1',
      ' \tBGP.cluster_list: 2.2.2.2 3.3.3.3',
      ' \tBGP.ext_community: (rt, 64513, 77) (ro, 10.0.0.1, 5) (rt, 4200000000, 1) (unknown 0x4004, 64513, 1290693416) (unknown 0x4004, 64513, 5)',
      ' \tBGP.19 [t]: 00 02 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 00 05 40 02 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02 00 06',
      ' \tBGP.aigp: 77',
      ' \tBGP.large_community: (1, 2, 3)',
      ' \tBGP.otc: 64512',
      ' \tBGP.80 [t]: 0a 0b',
      ' \tBGP.0b [t]: ',
    ]);
  });
});

describe('memory', () => {
  const MIB = 1024 * 1024;
  it.each([
    ['of full tables', 400, ['300.0 MB 0.0 B', '400.0 MB 0.0 B']],
    ['of empty tables', 130, ['30.0 MB 0.0 B', '130.0 MB 0.0 B']],
    ['with room beside', 450, ['300.0 MB 0.0 B', '400.0 MB 50.0 MB']],
  ])('%s is no more than is resident', async (_, rss, [tables, total]) => {
    speaker.statusView.memory = { rss: rss * MIB, heapUsed: 100 * MIB, arrayBuffers: 300 * MIB };
    const rows = (await ask('bird2', 'show memory')).map((line) => line.trim().replaceAll(/ +/g, ' '));
    expect(rows).toContain(`Routing tables: ${tables}`);
    expect(rows).toContain('Protocols: 100.0 MB 0.0 B');
    expect(rows).toContain(`Total: ${total}`);
    expect((await ask('bird1', 'show memory')).join('\n')).toMatch(new RegExp(`Total: +${rss} MB`));
  });
});
