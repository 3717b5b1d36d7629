import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { PeerSettings } from '../../src/config/model.ts';
import { NO_LIMITS } from '../../src/config/peer-limits.ts';
import { config, fileReader, HOST, issuesOf, LONG_LIVED, parse, peer, TIMERS } from './support.ts';

describe('short forms and defaults of a peer', () => {
  const CASES: [string, Partial<PeerSettings> & { address?: string; name?: string }][] = [
    ['address: 10.1.1.1, asn: internal', { asn: 'internal', import: 'accept', export: 'accept', aigp: true }],
    ['address: 10.1.1.1, asn: external', { asn: 'external', import: 'none', export: 'none', aigp: false }],
    ['address: 10.1.1.1, asn: AS65000', { asn: 65000 }],
    ['address: 10.1.1.1, asn: 1.10', { asn: 65546 }],
    ['address: 10.1.1.1, asn: "1.10"', { asn: 65546 }],
    [
      'address: "2001:DB8::0:1", asn: 1',
      { address: '2001:db8::1', name: '2001:db8::1', families: ['ipv6-unicast'] },
    ],
    ['address: "2001:db8::1", asn: 1, families: [ipv4-unicast]', { extendedNextHop: true }],
    ['address: 10.1.1.1, asn: 1, families: [ipv4-unicast, ipv4-unicast]', { families: ['ipv4-unicast'] }],
    [
      'address: "fe80::1", interface: eth0, asn: 1',
      { address: 'fe80::1%eth0', name: 'fe80::1%eth0', interface: 'eth0' },
    ],
    ['address: "fe80::1%eth0", asn: 1', { address: 'fe80::1%eth0', interface: undefined }],
    ['address: 10.1.1.1, asn: 1, multihop: true', { multihop: 255 }],
    ['address: 10.1.1.1, asn: 1, multihop: 4', { multihop: 4 }],
    ['address: 10.1.1.1, asn: 1, multihop: false', { multihop: undefined }],
    ['address: 10.1.1.1, asn: 1, ttlSecurity: true', { ttlSecurity: 1 }],
    ['address: 10.1.1.1, asn: 1, addPath: true', { addPath: { receive: true, send: 'all' } }],
    ['address: 10.1.1.1, asn: 1, addPath: { send: 2 }', { addPath: { receive: false, send: 2 } }],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: off',
      { gracefulRestart: { mode: 'off', restartTime: 120, notification: false, longLived: LONG_LIVED } },
    ],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: false',
      { gracefulRestart: { mode: 'off', restartTime: 120, notification: false, longLived: LONG_LIVED } },
    ],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: { restartTime: 9 }',
      { gracefulRestart: { mode: 'helper', restartTime: 9, notification: false, longLived: LONG_LIVED } },
    ],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: { longLived: off }',
      {
        gracefulRestart: {
          mode: 'helper',
          restartTime: 120,
          notification: false,
          longLived: { ...LONG_LIVED, mode: 'off' },
        },
      },
    ],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: { longLived: { mode: full, staleTime: { ipv6-unicast: 0 }, minStaleTime: 5, maxStaleTime: { ipv4-unicast: 6 }, partialDeployment: true } }',
      {
        gracefulRestart: {
          mode: 'helper',
          restartTime: 120,
          notification: false,
          longLived: {
            mode: 'full',
            staleTime: { 'ipv4-unicast': 3600, 'ipv6-unicast': 0 },
            minStaleTime: { 'ipv4-unicast': 5, 'ipv6-unicast': 5 },
            maxStaleTime: { 'ipv4-unicast': 6, 'ipv6-unicast': 0xff_ffff },
            partialDeployment: true,
          },
        },
      },
    ],
    [
      'address: 10.1.1.1, asn: 1, nextHop: 10.1.1.9',
      { nextHop: 'address', nextHopAddress: { ipv4: '10.1.1.9', ipv6: undefined } },
    ],
    ['address: 10.1.1.1, asn: 1, nextHop: self', { nextHop: 'self' }],
    ['address: 10.1.1.1, asn: 1, role: rs-client', { role: 'rs-client', enforceFirstAs: false }],
    ['address: 10.1.1.1, asn: 1, maxPrefixes: false', { limits: NO_LIMITS }],
    [
      'address: 10.1.1.1, asn: 1, maxPrefixes: 5, limits: { asPathLength: 30 }',
      {
        limits: {
          ...NO_LIMITS,
          received: { 'ipv4-unicast': { routes: 5, action: 'restart' } },
          asPathLength: 30,
        },
      },
    ],
    [
      'address: 10.1.1.1, asn: 1, families: [ipv4-unicast, ipv6-unicast], limits: { accepted: 5, exported: { routes: { ipv6: 9 } }, received: { routes: { ipv4: 2, ipv6: 3 }, action: warn }, communities: 0 }',
      {
        limits: {
          received: {
            'ipv4-unicast': { routes: 2, action: 'warn' },
            'ipv6-unicast': { routes: 3, action: 'warn' },
          },
          accepted: {
            'ipv4-unicast': { routes: 5, action: 'restart' },
            'ipv6-unicast': { routes: 5, action: 'restart' },
          },
          exported: { 'ipv6-unicast': { routes: 9, action: 'block' } },
          asPathLength: undefined,
          communities: 0,
        },
      },
    ],
    ['address: 10.1.1.1, asn: 1, description: 2024', { description: '2024' }],
    ['address: 10.1.1.1, asn: 1, holdTime: 0', { timers: { ...TIMERS, hold: 0, keepalive: 0, sendHold: 0 } }],
    [
      'address: 10.1.1.1, asn: 1, holdTime: 600',
      { timers: { ...TIMERS, hold: 600, keepalive: 200, sendHold: 1200 } },
    ],
    [
      'address: 10.1.1.1, asn: 1, errorWaitMin: 400',
      { timers: { ...TIMERS, errorWaitMin: 400, errorWaitMax: 400 } },
    ],
    [
      'address: 10.1.1.1, asn: 1, errorWaitMax: 20',
      { timers: { ...TIMERS, errorWaitMin: 20, errorWaitMax: 20 } },
    ],
  ];

  it.each(CASES)('{ %s }', (keys, expected) => {
    expect(peer(keys)).toMatchObject(expected);
  });

  it('takes one link-local range for each interface', () => {
    const range = (link: string) => `{ prefix: "fe80::/10", interface: ${link}, asn: external }`;
    const { dynamicPeers } = config(
      `router: { asn: 64512, id: 10.0.0.1 }\ndynamicPeers: [${range('eth1')}, ${range('eth2')}]\n`,
    );
    expect(dynamicPeers.map(({ name }) => name)).toEqual(['fe80::/10%eth1', 'fe80::/10%eth2']);
  });

  it('takes link-local ranges whose interfaces are not the same', () => {
    const range = (name: string, interfaces: string) =>
      `{ name: ${name}, prefix: "fe80::/10", interfaces: [${interfaces}], asn: internal }`;
    const { dynamicPeers } = config(
      `router: { asn: 64512, id: 10.0.0.1 }\ndynamicPeers: [${range('a', 'eth0, "wlan*"')}, ${range('b', '"-eth0", "eth*"')}]\n`,
    );
    expect(dynamicPeers.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('reads a password as it is written', () => {
    expect(peer('address: 10.1.1.1, asn: 1, password: 0123').password?.reveal()).toBe('0123');
    expect(peer('address: 10.1.1.1, asn: 1, password: " a "').password?.reveal()).toBe(' a ');
    expect(peer('address: 10.1.1.1, asn: 1, password: false').password).toBeUndefined();
  });
});

describe('groups', () => {
  const groups = [
    'router: { asn: 64512, id: 10.99.0.1 }',
    'peerGroups:',
    '  base: { holdTime: 30, description: base, password: secret, multihop: 3 }',
    '  up: { group: base, asn: 1, import: accept, export: accept, description: up, addPath: { receive: true } }',
    'peers:',
    '  - { address: 10.1.1.1, group: up, description: own, addPath: { send: all } }',
    '  - { address: 10.1.1.2, group: up, password: false, multihop: false, holdTime: 9 }',
    '',
  ].join('\n');

  it('are laid under the keys of a peer, the nearest on top', () => {
    const [first, second] = config(groups).peers;
    expect(first).toMatchObject({
      asn: 1,
      description: 'own',
      multihop: 3,
      addPath: { receive: false, send: 'all' },
    });
    expect(first?.timers.hold).toBe(30);
    expect(first?.password?.reveal()).toBe('secret');
    expect(second).toMatchObject({ description: 'up', multihop: undefined, password: undefined });
    expect(second?.timers.hold).toBe(9);
  });
});

describe('the environment', () => {
  const R = 'router: { asn: 64512, id: 10.99.0.1 }\n';

  it('gives numbers, truth values, words and parts of texts', () => {
    const env = { ASN: '65001', PASSIVE: 'true', POLICY: 'accept', RACK: '7', KEY: '12', EMPTY: '' };
    const text = `${R}peers:
  - name: tor-\${RACK}
    address: 10.\${RACK}.0.1
    asn: \${ASN}
    passive: "\${PASSIVE}"
    import: \${POLICY}
    export: \${NONE:-reject}
    password: \${KEY}
    description: "\${EMPTY:-none} $\${RACK}"
    maxPrefixes: \${MAX:-1000}
    ttlSecurity: \${HOPS:-true}
`;
    expect(issuesOf(text, { env })).toEqual([]);
    const [first] = config(text, { env }).peers;
    expect(first).toMatchObject({
      name: 'tor-7',
      address: '10.7.0.1',
      asn: 65001,
      passive: true,
      import: 'accept',
      export: 'reject',
      description: `none \${RACK}`,
      limits: { received: { 'ipv4-unicast': { routes: 1000, action: 'restart' } } },
      ttlSecurity: 1,
    });
    expect(first?.password?.reveal()).toBe('12');
  });

  it('never shows a value in a message', () => {
    const issues = issuesOf(`${R}log: { level: "\${LEVEL}" }\n`, { env: { LEVEL: 'tell-nobody' } });
    expect(issues).toHaveLength(1);
    expect(JSON.stringify(issues)).not.toContain('tell-nobody');
  });

  it.each(['0', '3601'])(
    'says of the number %s that it is out of range, and not how long a text is',
    (WAIT) => {
      const issues = issuesOf(`router: { asn: 1, id: 10.0.0.9, restart: { wait: "\${WAIT}" } }\n`, {
        env: { WAIT },
      });
      expect(issues.map(({ message, hint }) => [message, hint])).toEqual([
        ['what the environment says is out of range', 'accepted: 1 to 3600'],
      ]);
    },
  );
});

describe('sections', () => {
  const R = 'router: { asn: 64512, id: 10.99.0.1 }\n';

  it('have short forms', () => {
    expect(config(`${R}log: debug\n`).log).toEqual({ level: 'debug', format: 'auto' });
    expect(config(`${R}http: "[::1]:80"\n`).http).toEqual({ address: '::1', port: 80, maxPeerSeries: 500 });
    expect(config(`${R}control: false\n`).control.socket).toBeUndefined();
    expect(config(`${R}control: { mode: 0600 }\n`).control.mode).toBe(0o600);
    expect(config(`${R}redistribute: static\n`).redistribute).toEqual(['static']);
    expect(config(`${R}listen: ["10.1.1.1:1179", "[::1]:1179", "::1", "fe80::1%eth0"]\n`).listen).toEqual([
      { address: '10.1.1.1', port: 1179, interface: undefined },
      { address: '::1', port: 1179, interface: undefined },
      { address: '::1', port: 179, interface: undefined },
      { address: 'fe80::1%eth0', port: 179, interface: undefined },
    ]);
    expect(config(`${R}kernel: { install: true, prefSource: "2001:DB8::1" }\n`).kernel.prefSource).toEqual({
      ipv4: undefined,
      ipv6: '2001:db8::1',
    });
    expect(
      config(`${R}networks: [{ prefix: 10.0.0.0/8, via: 10.1.1.1, communities: [blackhole, "1:2:3"] }]\n`)
        .networks,
    ).toEqual([
      {
        prefix: '10.0.0.0/8',
        type: 'via',
        via: ['10.1.1.1'],
        med: undefined,
        localPref: undefined,
        communities: ['65535:666', '1:2:3'],
      },
    ]);
  });

  it('have a time to drain where a stop drains, and nowhere else', () => {
    const restart = (keys: string) =>
      config(`router: { asn: 1, id: 10.0.0.9, restart: { ${keys} } }\n`).router.restart;
    expect(restart('onStop: drain')).toMatchObject({ onStop: 'drain', drainTime: 30 });
    expect(restart('onStop: drain, drainTime: 90')).toMatchObject({ drainTime: 90 });
    expect(restart('onStop: silent').drainTime).toBeUndefined();
    const without = 'router: { asn: 1, id: 10.0.0.9, restart: { drainTime: 90 } }\n';
    expect(issuesOf(without)).toEqual([
      expect.objectContaining({
        path: 'router.restart.drainTime',
        message: 'drainTime is for onStop: drain',
      }),
    ]);
  });

  it('learn every foreign route where kernel routes are redistributed and nothing else is said', () => {
    expect(config(`${R}redistribute: kernel\n`).kernel.learn).toEqual([
      { protocol: undefined, table: undefined },
    ]);
    expect(config(`${R}kernel: { learn: [] }\nredistribute: kernel\n`).kernel.learn).toEqual([]);
  });

  it('take the router id from a listener before the host', () => {
    expect(config('router: { asn: 1 }\nlisten: ["::", 10.5.5.5]\n').router.id).toBe('10.5.5.5');
    expect(config('router: { asn: 1 }\n').router.id).toBe('10.0.0.9');
  });
});

describe('loadConfig', () => {
  it('reads the file and what it refers to, from its own folder', () => {
    const files = {
      '/etc/g/a.yaml':
        'router: { asn: 1, id: 1.1.1.1 }\npeers: [{ address: 10.1.1.1, asn: 1, password: { file: k } }]\n',
      '/etc/g/k': 'key\r\n',
    };
    const result = loadConfig('/etc/g/a.yaml', {}, fileReader(files), HOST);
    expect(result.ok && result.config.peers[0]?.password?.reveal()).toBe('key');
  });

  it('reports a file that is not there', () => {
    const result = loadConfig('/nowhere.yaml', {}, fileReader({}), HOST);
    expect(!result.ok && result.issues).toMatchObject([
      { file: '/nowhere.yaml', line: 0, message: 'the configuration cannot be read: there is no such file' },
    ]);
  });

  it('takes Windows line ends and a byte order mark', () => {
    expect(parse('\ufeffrouter: { asn: 1, id: 1.1.1.1 }\r\nlog: debug\r\n').ok).toBe(true);
  });
});
