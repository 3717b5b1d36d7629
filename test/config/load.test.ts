import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import type { Config, PeerSettings } from '../../src/config/model.ts';
import { configSchema } from '../../src/config/schema.ts';
import { peerSettingsShape } from '../../src/config/schema-peer.ts';
import { allKeyPaths } from '../../src/config/schema-walk.ts';
import { summarize } from '../../src/config/summary.ts';
import { config, fileReader, HOST, issuesOf, parse, peer } from './support.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const example = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8');

const TIMERS = {
  hold: 90,
  keepalive: 30,
  connectRetry: 120,
  connectDelay: 5,
  delayOpen: 0,
  errorWaitMin: 60,
  errorWaitMax: 300,
  errorForget: 300,
  sendHold: 480,
};

const INTERNAL: PeerSettings = {
  asn: 64512,
  localAs: undefined,
  localAddress: undefined,
  interface: undefined,
  port: 179,
  localPort: undefined,
  enabled: true,
  description: undefined,
  passive: false,
  families: ['ipv4-unicast'],
  password: undefined,
  multihop: undefined,
  ttlSecurity: undefined,
  timers: TIMERS,
  import: 'accept',
  export: 'accept',
  routeReflectorClient: false,
  clusterId: undefined,
  clientToClient: true,
  routeServerClient: false,
  nextHop: 'auto',
  nextHopAddress: { ipv4: undefined, ipv6: undefined },
  removePrivateAs: false,
  asOverride: false,
  allowOwnAs: 0,
  enforceFirstAs: true,
  addPath: { receive: false, send: 'none' },
  extendedNextHop: false,
  extendedMessages: true,
  gracefulRestart: { mode: 'helper', restartTime: 120 },
  role: undefined,
  roleStrict: false,
  aigp: true,
  sendCommunities: true,
  maxPrefixes: undefined,
  gracefulShutdown: false,
};

const BASE: Config = {
  router: { asn: 64512, id: '10.99.0.1', clusterId: '10.99.0.1', hostname: 'host1' },
  listen: [
    { address: '0.0.0.0', port: 179, interface: undefined },
    { address: '::', port: 179, interface: undefined },
  ],
  kernel: {
    install: false,
    table: 254,
    metric: 32,
    ecmp: 1,
    protocol: 12,
    prefSource: { ipv4: undefined, ipv6: undefined },
    keepOnStop: false,
    learn: [],
    interfaces: ['*'],
    nextHopTracking: false,
    scanTime: 300,
  },
  peers: [],
  dynamicPeers: [],
  networks: [],
  redistribute: [],
  decision: {
    alwaysCompareMed: false,
    preferOldest: false,
    multipathRelax: false,
    ignoreAsPathLength: false,
    ignoreRouterId: false,
    aigp: true,
    defaultLocalPref: 100,
  },
  control: { socket: '/run/godwit/godwit.sock', mode: 0o660 },
  http: undefined,
  log: { level: 'info', format: 'auto' },
};

describe('the examples', () => {
  it('route-reflector.yaml', () => {
    const text = example('route-reflector.yaml');
    expect(issuesOf(text)).toEqual([]);
    expect(config(text)).toEqual({
      ...BASE,
      listen: [{ address: '10.99.0.1', port: 179, interface: undefined }],
      dynamicPeers: [
        {
          ...INTERNAL,
          name: '10.99.16.0/20',
          prefix: '10.99.16.0/20',
          limit: 4000,
          passive: true,
          routeReflectorClient: true,
          families: ['ipv4-unicast', 'ipv6-unicast'],
        },
      ],
    } satisfies Config);
  });

  it('tor.yaml', () => {
    const text = example('tor.yaml');
    expect(issuesOf(text)).toEqual([]);
    const model = config(text);
    const [first] = model.peers;
    expect(first?.password?.reveal()).toBe('s3cret');
    const external = { ...INTERNAL, aigp: false, gracefulShutdown: true };
    expect(model).toEqual({
      ...BASE,
      router: { ...BASE.router, asn: 65000 },
      kernel: { ...BASE.kernel, install: true, metric: 50, ecmp: 16, nextHopTracking: true },
      peers: [
        { ...external, name: 'tor-a', address: '10.99.0.2', asn: 65001, password: first?.password },
        {
          ...external,
          name: 'tor-b',
          address: 'fd99::2',
          asn: 65002,
          families: ['ipv6-unicast'],
          timers: { ...TIMERS, hold: 9, keepalive: 3 },
          ttlSecurity: 1,
        },
      ],
      networks: ['192.0.2.0/24', '2001:db8::/32'].map((prefix) => ({
        prefix,
        type: 'blackhole' as const,
        via: [],
        med: undefined,
        localPref: undefined,
        communities: [],
      })),
      http: { address: '127.0.0.1', port: 8179, maxPeerSeries: 500 },
    } satisfies Config);
  });

  it('node.yaml', () => {
    const text = example('node.yaml');
    expect(issuesOf(text)).toEqual([]);
    expect(config(text)).toEqual({
      ...BASE,
      kernel: {
        ...BASE.kernel,
        install: true,
        learn: [{ protocol: 80, table: undefined }],
        interfaces: ['-cali*', '-kube-ipvs*', '*'],
        nextHopTracking: true,
      },
      peers: [
        { ...INTERNAL, name: '10.99.0.2', address: '10.99.0.2', families: ['ipv4-unicast', 'ipv6-unicast'] },
        { ...INTERNAL, name: '10.99.0.3', address: '10.99.0.3' },
      ],
      redistribute: ['kernel', 'connected'],
    } satisfies Config);
  });

  const INPUTS = {
    env: { UPSTREAM_PASSWORD: 'one' },
    files: { '/run/secrets/client-1': 'two\n' },
  };

  it('everything.yaml loads without a word', () => {
    expect(issuesOf(example('everything.yaml'), INPUTS)).toEqual([]);
    const passwords = config(example('everything.yaml'), INPUTS).peers.map((each) => each.password?.reveal());
    expect(passwords).toEqual(['two', 'one', 'in the file, if it must be']);
  });

  it('everything.yaml uses every key of the schema', () => {
    const used = new Set(pathsIn(parseDocument(example('everything.yaml')).toJS()));
    // A setting counts wherever it stands: on a peer, in a group or in a dynamic range.
    const settings = new RegExp(
      `^(peers\\[\\]|peerGroups\\.[^.]+|dynamicPeers\\[\\])\\.(?=(${Object.keys(peerSettingsShape).join('|')})(\\.|$))`,
    );
    const plain = (path: string): string =>
      path.replace(settings, 'SETTINGS.').replace(/^peerGroups\.[^.]+\./, 'peerGroups.*.');
    const seen = new Set([...used].map(plain));
    const missing = [...new Set(allKeyPaths(configSchema).map(plain))].filter((path) => !seen.has(path));
    expect(missing).toEqual([]);
    expect(seen.size).toBeGreaterThan(100);
  });

  it('are all loaded by a test', () => {
    expect(
      readdirSync(EXAMPLES)
        .filter((name) => name.endsWith('.yaml'))
        .sort(),
    ).toEqual(['everything.yaml', 'node.yaml', 'route-reflector.yaml', 'tor.yaml']);
  });
});

function pathsIn(value: unknown, prefix = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${prefix}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...pathsIn(inner, path)];
  });
}

describe('short forms and defaults of a peer', () => {
  const CASES: [string, Partial<PeerSettings> & { address?: string; name?: string }][] = [
    ['address: 10.1.1.1, asn: internal', { asn: 'internal', import: 'accept', export: 'accept', aigp: true }],
    [
      'address: 10.1.1.1, asn: external',
      { asn: 'external', import: 'reject', export: 'reject', aigp: false },
    ],
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
      { gracefulRestart: { mode: 'off', restartTime: 120 } },
    ],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: false',
      { gracefulRestart: { mode: 'off', restartTime: 120 } },
    ],
    [
      'address: 10.1.1.1, asn: 1, gracefulRestart: { restartTime: 9 }',
      { gracefulRestart: { mode: 'helper', restartTime: 9 } },
    ],
    [
      'address: 10.1.1.1, asn: 1, nextHop: 10.1.1.9',
      { nextHop: 'address', nextHopAddress: { ipv4: '10.1.1.9', ipv6: undefined } },
    ],
    ['address: 10.1.1.1, asn: 1, nextHop: self', { nextHop: 'self' }],
    ['address: 10.1.1.1, asn: 1, role: rs-client', { role: 'rs-client', enforceFirstAs: false }],
    ['address: 10.1.1.1, asn: 1, maxPrefixes: false', { maxPrefixes: undefined }],
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
      maxPrefixes: 1000,
      ttlSecurity: 1,
    });
    expect(first?.password?.reveal()).toBe('12');
  });

  it('never shows a value in a message', () => {
    const issues = issuesOf(`${R}log: { level: "\${LEVEL}" }\n`, { env: { LEVEL: 'tell-nobody' } });
    expect(issues).toHaveLength(1);
    expect(JSON.stringify(issues)).not.toContain('tell-nobody');
  });
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

describe('summarize', () => {
  it('says what a configuration amounts to', () => {
    expect(summarize(config(example('route-reflector.yaml')))).toEqual([
      'AS 64512, router id 10.99.0.1, host1',
      'peers: none configured',
      'dynamic peers: 10.99.16.0/20, iBGP reflector client, AS 64512, up to 4000',
      'listening on 10.99.0.1:179',
      'kernel: nothing installed',
      'control socket /run/godwit/godwit.sock',
    ]);
    expect(summarize(config(example('tor.yaml')))).toEqual([
      'AS 65000, router id 10.99.0.1, host1',
      'peers: 2 (2 eBGP)',
      'listening on 0.0.0.0:179, [::]:179',
      'kernel: routes installed into table 254, metric 50, protocol 12, up to 16 next hops',
      'announcing 2 networks',
      'control socket /run/godwit/godwit.sock',
      'http on 127.0.0.1:8179',
    ]);
    expect(summarize(config(example('node.yaml')))).toContain(
      'kernel: routes installed into table 254, metric 32, protocol 12, up to 1 next hop; learning protocol 80',
    );
  });
});
