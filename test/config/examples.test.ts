import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { looksLikeBird } from '../../src/config/bird/dialect.ts';
import { DIAGNOSIS_DEFAULTS } from '../../src/config/diagnosis-defaults.ts';
import type { Config, PeerSettings } from '../../src/config/model.ts';
import { NO_LIMITS } from '../../src/config/peer-limits.ts';
import { ACCEPT_ALL } from '../../src/config/policies.ts';
import { configSchema } from '../../src/config/schema.ts';
import { peerSettingsShape } from '../../src/config/schema-peer.ts';
import { allKeyPaths } from '../../src/config/schema-walk.ts';
import { summarize } from '../../src/config/summary.ts';
import { config, issuesOf, LONG_LIVED, TIMERS } from './support.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const example = (name: string): string => readFileSync(join(EXAMPLES, name), 'utf8');

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
  allowAsSets: false,
  enforceFirstAs: true,
  addPath: { receive: false, send: 'none' },
  extendedNextHop: false,
  extendedMessages: true,
  gracefulRestart: { mode: 'helper', restartTime: 120, notification: false, longLived: LONG_LIVED },
  role: undefined,
  roleStrict: false,
  aigp: true,
  sendCommunities: true,
  limits: NO_LIMITS,
  gracefulShutdown: false,
  damping: undefined,
  fastFallover: true,
  bfd: undefined,
};

const BASE: Config = {
  router: {
    asn: 64512,
    id: '10.99.0.1',
    clusterId: '10.99.0.1',
    hostname: 'host1',
    restart: { recover: 'auto', wait: 240, onStop: 'cease' },
  },
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
  localPolicies: ACCEPT_ALL,
  decision: {
    alwaysCompareMed: false,
    preferOldest: false,
    multipathRelax: true,
    ignoreAsPathLength: false,
    ignoreIgpMetric: false,
    ignoreRouterId: false,
    aigp: true,
    defaultLocalPref: 100,
    defaultMed: 0,
  },
  control: { socket: '/run/godwit/godwit.sock', mode: 0o660, bird: [] },
  process: { user: undefined, group: undefined, watchFiles: 10 },
  http: undefined,
  log: { level: 'info', format: 'auto' },
  diagnosis: DIAGNOSIS_DEFAULTS,
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

  it('everything.yaml has passwords from everywhere', () => {
    const passwords = config(example('everything.yaml'), INPUTS).peers.map((each) => each.password?.reveal());
    expect(passwords).toEqual(['two', 'one', 'in the file, if it must be']);
  });

  it.each(readdirSync(EXAMPLES))("%s is not taken for BIRD's language", (name) => {
    expect(looksLikeBird(example(name))).toBe(false);
  });

  it('everything.yaml uses every key of the schema', () => {
    const used = new Set(pathsIn(parseDocument(example('everything.yaml')).toJS()));
    // A setting counts wherever it stands: on a peer, in a group or in a dynamic range.
    const settings = new RegExp(
      `^(peers\\[\\]|peerGroups\\.[^.]+|dynamicPeers\\[\\])\\.(?=(${Object.keys(peerSettingsShape).join('|')})(\\.|$))`,
    );
    const plain = (path: string): string =>
      path
        .replace(settings, 'SETTINGS.')
        // A table has the sections of the top level.
        .replace(/^tables\.[^.]+\.(?=kernel|networks|redistribute)/, '')
        .replace(/^tables\.[^.]+\./, 'tables.*.')
        .replace(/^peerGroups\.[^.]+\./, 'peerGroups.*.')
        .replace(/^kernel\.ipv[46]/, 'kernel.FAMILY')
        .replace(
          /^(SETTINGS\.|kernel\.|redistribute\.|pipes\[\]\.)(import|export|kernel|connected|static|forward|back)\.(?=ipv[46]$)/,
          'POLICY.',
        );
    const seen = new Set([...used].map(plain));
    const missing = [...new Set(allKeyPaths(configSchema).map(plain))].filter((path) => !seen.has(path));
    expect(missing).toEqual([]);
    expect(seen.size).toBeGreaterThan(100);
  });

  it.each(readdirSync(EXAMPLES).filter((name) => name !== 'simulation.yaml'))(
    '%s loads without a word',
    (name) => {
      expect(issuesOf(example(name), INPUTS)).toEqual([]);
    },
  );
});

function pathsIn(value: unknown, prefix = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${prefix}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...pathsIn(inner, path)];
  });
}

/** The examples of a document: a router is added where it is left out. */
function yamlBlocks(name: string): string[] {
  const text = readFileSync(join(EXAMPLES, '..', name), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = '']) =>
    /^router:/m.test(block) ? block : `router: { asn: 64512, id: 10.99.0.1 }\n${block}`,
  );
}

describe('what documents show', () => {
  it.each(['README.md', 'OPERATIONS.md'].flatMap(yamlBlocks))('%j loads without a word', (block) => {
    expect(issuesOf(block)).toEqual([]);
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
    const confederation = { id: 64510, members: [64513] };
    const member = {
      router: { asn: 64512, id: '10.0.0.1', confederation },
      peers: [64512, 64513, 1].map((asn, i) => ({ address: `10.0.0.${i + 2}`, asn })),
    };
    expect(summarize(config(JSON.stringify(member)))).toContain('peers: 3 (1 iBGP, 1 confederation, 1 eBGP)');
    const open = { control: { tcp: { listen: '127.0.0.1:8180' } }, router: { asn: 64512, id: '10.0.0.1' } };
    expect(summarize(config(JSON.stringify(open)))).toContain('control port 127.0.0.1:8180, in the clear');
  });
});
