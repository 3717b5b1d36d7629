// What a BGP protocol says of its session, in the model.

import { describe, expect, test } from 'vitest';
import type { PeerConfig } from '../../../src/config/model.ts';
import { model } from './support.ts';

const CHANNEL = 'ipv4 { import all; export all; };';

/** The peer that a BGP protocol with these statements makes; nothing of them may be without effect. */
function peerOf(statements: string, top = ''): PeerConfig {
  const { config, warnings } = model(
    `router id 10.0.0.1; ${top} protocol device { } protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ${statements} }`,
  );
  expect(warnings).toEqual([]);
  return config.peers[0]!;
}

describe('what is required', () => {
  test('of the session and of its channels', () => {
    const peer = peerOf(`require as4; require hostname; require route refresh on;
      ipv4 { import all; export all; add paths rx; require add paths; require extended next hop; };
      ipv6 { import all; export all; mandatory; };`);
    expect(peer.required).toEqual({
      capabilities: ['four-octet-as', 'fqdn', 'route-refresh'],
      families: ['ipv6-unicast'],
      addPath: ['ipv4-unicast'],
      extendedNextHop: ['ipv4-unicast'],
    });
  });

  test('the last word counts', () => {
    expect(peerOf(`require as4; require as4 off; ${CHANNEL}`).required).toBeUndefined();
  });
});

describe('what channels offer', () => {
  const peerWith = (ipv4: string, ipv6: string) =>
    peerOf(`ipv4 { import all; export all; ${ipv4} }; ipv6 { import all; export all; ${ipv6} };`);

  test('several paths, each for itself', () => {
    expect(peerWith('add paths;', 'add paths;').addPath).toEqual({ receive: true, send: 'all' });
    expect(peerWith('', '').addPath).toEqual({ receive: false, send: 'none' });
    expect(peerWith('add paths rx;', 'add paths;').addPath).toEqual({
      receive: true,
      send: 'all',
      families: { receive: ['ipv4-unicast', 'ipv6-unicast'], send: ['ipv6-unicast'] },
    });
    expect(peerWith('', 'add paths rx;').addPath).toEqual({
      receive: true,
      send: 'none',
      families: { receive: ['ipv6-unicast'], send: [] },
    });
  });

  test('IPv6 next hops, for IPv4 routes alone', () => {
    expect(peerWith('extended next hop;', '').extendedNextHop).toBe(true);
    expect(peerWith('', 'extended next hop;').extendedNextHop).toBe(false);
  });
});

test('times that a peer must keep to', () => {
  const { timers } = peerOf(`min hold time 20; min keepalive time 7; startup hold time 30; ${CHANNEL}`);
  expect(timers).toMatchObject({ hold: 240, minHold: 20, minKeepalive: 7, openHold: 30 });
});

describe('what a peer stays down after', () => {
  const downAfter = (text: string) => peerOf(`${text} ${CHANNEL}`).disableAfter;

  test('errors, Ceases, or some of them', () => {
    expect(downAfter('')).toBeUndefined();
    expect(downAfter('disable after error off; disable after cease off;')).toBeUndefined();
    expect(downAfter('disable after error;')).toEqual({ error: true, cease: [] });
    expect(downAfter('disable after cease;')).toEqual({ error: false, cease: 'any' });
    expect(downAfter('disable after cease { cease, administrative reset, out of resources };')).toEqual({
      error: false,
      cease: [0, 4, 8],
    });
  });
});

describe('restarts', () => {
  const both = 'ipv6 { import all; export all; };';

  test('times of the peer have bounds, those of a channel before those of its protocol', () => {
    const { gracefulRestart } = peerOf(`min graceful restart time 10; max graceful restart time 20;
      min long lived stale time 30; max long lived stale time 4000;
      ipv4 { import all; export all; min long lived stale time 50; max long lived stale time 60; }; ${both}`);
    expect(gracefulRestart).toMatchObject({
      minRestartTime: 10,
      maxRestartTime: 20,
      longLived: {
        minStaleTime: { 'ipv4-unicast': 50, 'ipv6-unicast': 30 },
        maxStaleTime: { 'ipv4-unicast': 60, 'ipv6-unicast': 4000 },
      },
    });
  });

  test.each([
    ['', '', 'helper', undefined],
    ['graceful restart;', '', 'full', undefined],
    ['graceful restart;', 'graceful restart off;', 'full', ['ipv6-unicast']],
    ['', 'graceful restart;', 'full', ['ipv4-unicast']],
    ['graceful restart off;', 'graceful restart;', 'off', undefined],
  ])('of a protocol with "%s" and a channel with "%s"', (protocol, channel, mode, families) => {
    const { gracefulRestart } = peerOf(`${protocol} ipv4 { import all; export all; ${channel} }; ${both}`);
    expect(gracefulRestart.mode).toBe(mode);
    if (mode === 'full') expect(gracefulRestart.families).toEqual(families);
  });

  test.each([
    ['min graceful restart time 50; max graceful restart time 40;', ''],
    ['min long lived stale time 80; max long lived stale time 60;', ''],
    ['max long lived stale time 60;', 'min long lived stale time 80;'],
    ['min graceful restart time 4096;', ''],
  ])('with bounds that nothing is within: %s %s', (protocol, channel) => {
    expect(() => peerOf(`${protocol} ipv4 { import all; export all; ${channel} };`)).toThrow(
      /longer than|4095/,
    );
  });

  test('the wait for peers after the own one', () => {
    const { config, warnings } = model('router id 10.0.0.1; graceful restart wait 77; protocol device { }');
    expect([config.router.restart.wait, warnings]).toEqual([77, []]);
  });
});

test('who it is: the name only where it is told to say so', () => {
  const of = (text: string) => {
    const { hostname, routerId } = peerOf(`${text} ${CHANNEL}`);
    return [hostname, routerId];
  };
  expect(of('')).toEqual([false, undefined]);
  expect(of('hostname "a.example.net";')).toEqual([false, undefined]);
  expect(of('advertise hostname;')).toEqual([undefined, undefined]);
  expect(of('advertise hostname; hostname "a.example.net"; router id 10.9.9.9;')).toEqual([
    'a.example.net',
    '10.9.9.9',
  ]);
});

test.each([
  ['', undefined],
  ['enable route refresh; enable as4; capabilities;', undefined],
  ['enable route refresh off;', ['route-refresh', 'enhanced-route-refresh']],
  ['enable enhanced route refresh off;', ['enhanced-route-refresh']],
  ['enable as4 off;', ['four-octet-as']],
  ['enable as4 off; capabilities off;', 'all'],
])('capabilities that are kept from the peer: %s', (text, withheld) => {
  expect(peerOf(`${text} ${CHANNEL}`).withheld).toEqual(withheld);
});

test('advertise ipv4 off, of the IPv4 daemon alone', () => {
  const withheldOf = (family: 'ipv4' | 'ipv6', address: string) =>
    model(
      `router id 10.0.0.1; protocol device { }
      protocol bgp a { local as 1; neighbor ${address} as 2; advertise ipv4 off; }`,
      { dialect: '1.6', family },
    ).config.peers[0]?.withheld;
  expect(withheldOf('ipv4', '10.0.0.2')).toEqual(['multiprotocol']);
  expect(withheldOf('ipv6', '2001:db8::2')).toBe(undefined);
});

test('an address that is not there yet', () => {
  const { config } = model(`router id 10.0.0.1; protocol device { }
    protocol bgp a { local 10.0.0.7 as 1; neighbor 10.0.0.2 as 2; strict bind; free bind; ${CHANNEL} }
    protocol bgp b { local 10.0.0.7 as 1; neighbor 10.0.0.3 as 2; strict bind; ${CHANNEL} }`);
  expect(config.peers.map(({ freeBind }) => freeBind)).toEqual([true, undefined]);
  expect(config.listen).toEqual([{ address: '10.0.0.7', port: 179, interface: undefined, freeBind: true }]);
});
