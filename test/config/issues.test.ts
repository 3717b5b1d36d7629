import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIssues } from '../../src/config/issues.ts';
import { configSchema } from '../../src/config/schema.ts';
import { allKeyPaths } from '../../src/config/schema-walk.ts';
import { isSecretKey } from '../../src/config/source-text.ts';
import { issuesOf, parse } from './support.ts';

const R = 'router: { asn: 64512, id: 10.99.0.1 }\n';
const PEERS = `${R}peers:\n`;
/** Line 3 of what these make is the peer. */
const EBGP = (keys: string): string =>
  `${PEERS}  - { address: 10.1.1.1, asn: 1, import: accept, export: accept, ${keys} }\n`;
const IBGP = (keys: string): string => `${PEERS}  - { address: 10.1.1.1, asn: 64512, ${keys} }\n`;

interface Case {
  what: string;
  yaml: string;
  /** line:column */
  at: string;
  message: RegExp;
  hint?: RegExp;
  severity?: 'warning';
}

const CASES: Case[] = [
  // YAML itself
  { what: 'an empty file', yaml: '', at: '1:1', message: /empty/, hint: /router/ },
  { what: 'a file of comments', yaml: '# nothing\n', at: '1:1', message: /empty/ },
  { what: 'no mapping', yaml: '- a\n', at: '1:1', message: /mapping of sections/ },
  { what: 'an open bracket', yaml: `${R}listen: [1\nlog: info\n`, at: '3:1', message: /missing|indentation/ },
  { what: 'a tab', yaml: 'router:\n\tasn: 1\n', at: '2:1', message: /tab/, hint: /spaces/ },
  {
    what: 'a bare reference in a flow mapping',
    yaml: `router: { asn: \${X} }\n`,
    at: '1:17',
    message: /belong/,
    hint: /quotes/,
  },
  { what: 'a tag', yaml: `${R}log: !level info\n`, at: '2:6', message: /tags/ },
  { what: 'two documents', yaml: `${R}---\nlog: info\n`, at: '2:1', message: /second YAML document/ },
  { what: 'an unknown alias', yaml: `${R}log: *level\n`, at: '2:6', message: /anchor &level/ },
  { what: 'a complex key', yaml: `${R}? [a]\n: b\n`, at: '2:3', message: /single word/ },
  {
    what: 'a duplicate key',
    yaml: `${R}log: info\nlog: warn\n`,
    at: '3:1',
    message: /twice, first in line 2/,
  },
  {
    what: 'a merge key',
    yaml: `${PEERS}  - { address: 10.1.1.1, <<: 1 }\n`,
    at: '3:26',
    message: /unknown key/,
    hint: /peerGroups/,
  },
  // Keys and types
  { what: 'a missing section', yaml: 'log: info\n', at: '1:1', message: /router is missing/ },
  {
    what: 'a missing key',
    yaml: 'router: { id: 10.99.0.1 }\n',
    at: '1:9',
    message: /asn is missing/,
    hint: /Own AS/,
  },
  {
    what: 'an unknown section',
    yaml: `${R}peer: []\n`,
    at: '2:1',
    message: /unknown key/,
    hint: /called peers/,
  },
  {
    what: 'an unknown key',
    yaml: EBGP('holdTme: 9'),
    at: '3:66',
    message: /unknown key/,
    hint: /mean holdTime\?/,
  },
  {
    what: 'kebab case',
    yaml: EBGP('hold-time: 9'),
    at: '3:66',
    message: /unknown key/,
    hint: /mean holdTime\?/,
  },
  {
    what: "another speaker's word",
    yaml: IBGP('remote-as: 9'),
    at: '3:38',
    message: /unknown key/,
    hint: /called asn/,
  },
  {
    what: 'a nested unknown key',
    yaml: EBGP('addPath: { recieve: true }'),
    at: '3:77',
    message: /unknown key/,
    hint: /mean receive\?/,
  },
  {
    what: 'a wrong word',
    yaml: `${R}redistribute: [kernal]\n`,
    at: '2:16',
    message: /found "kernal"/,
    hint: /mean kernel\?/,
  },
  {
    what: 'a wrong family',
    yaml: EBGP('families: [ipv4]'),
    at: '3:77',
    message: /ipv4-unicast or ipv6-unicast/,
  },
  {
    what: 'no list',
    yaml: EBGP('families: ipv4-unicast'),
    at: '3:76',
    message: /expected a list/,
    hint: /\[/,
  },
  {
    what: 'peers as a mapping',
    yaml: `${R}peers: { a: 1 }\n`,
    at: '2:8',
    message: /expected a list, found a mapping/,
  },
  {
    what: 'groups as a list',
    yaml: `${R}peerGroups: []\n`,
    at: '2:13',
    message: /expected a mapping, found a list/,
  },
  {
    what: 'yes',
    yaml: EBGP('passive: yes'),
    at: '3:75',
    message: /true or false, found "yes"/,
    hint: /true or false/,
  },
  { what: 'no value', yaml: `${R}peers:\n`, at: '2:7', message: /found nothing/, hint: /value/ },
  {
    what: 'a quoted number',
    yaml: EBGP('holdTime: "9"'),
    at: '3:76',
    message: /expected a number, found "9"/,
    hint: /quotes away/,
  },
  {
    what: 'a number out of range',
    yaml: EBGP('port: 70000'),
    at: '3:72',
    message: /70000 is out of range/,
    hint: /1 to 65535/,
  },
  { what: 'a fraction', yaml: EBGP('holdTime: 9.5'), at: '3:76', message: /whole number, found 9.5/ },
  { what: 'an empty list', yaml: EBGP('families: []'), at: '3:76', message: /empty/ },
  {
    what: 'a short form gone wrong',
    yaml: EBGP('addPath: both'),
    at: '3:75',
    message: /expected true, false or \{ receive, send \}/,
  },
  {
    what: 'a wrong table',
    yaml: `${R}kernel: { table: mian }\n`,
    at: '2:18',
    message: /found "mian"/,
    hint: /main/,
  },
  // Values
  { what: 'AS 0', yaml: 'router: { asn: 0, id: 10.99.0.1 }\n', at: '1:16', message: /AS 0 is reserved/ },
  {
    what: 'AS_TRANS',
    yaml: 'router: { asn: 23456, id: 10.99.0.1 }\n',
    at: '1:16',
    message: /AS_TRANS/,
    severity: 'warning',
  },
  { what: 'the last AS', yaml: EBGP('localAs: 65535'), at: '3:75', message: /RFC 7300/, severity: 'warning' },
  {
    what: 'an AS beyond 32 bits',
    yaml: 'router: { asn: 4294967296, id: 10.99.0.1 }\n',
    at: '1:16',
    message: /AS number|range/,
  },
  {
    what: 'router id 0',
    yaml: 'router: { asn: 1, id: 0.0.0.0 }\n',
    at: '1:23',
    message: /not a valid identifier/,
  },
  {
    what: 'no address',
    yaml: `${PEERS}  - { address: 10.1.1, asn: internal }\n`,
    at: '3:16',
    message: /not an IP address/,
  },
  {
    what: 'a prefix for an address',
    yaml: `${PEERS}  - { address: 10.1.1.1/32, asn: internal }\n`,
    at: '3:16',
    message: /without a prefix/,
    hint: /write 10.1.1.1$/,
  },
  {
    what: 'host bits',
    yaml: `${R}networks: [10.1.2.3/8]\n`,
    at: '2:12',
    message: /bits set behind/,
    hint: /^10.0.0.0\/8 was/,
  },
  {
    what: 'host bits, IPv6',
    yaml: `${R}dynamicPeers: [{ prefix: 2001:db8::1/32, asn: internal }]\n`,
    at: '2:26',
    message: /bits set/,
    hint: /^2001:db8::\/32 was/,
  },
  {
    what: 'an address for a prefix',
    yaml: `${R}networks: [10.1.2.3]\n`,
    at: '2:12',
    message: /not a prefix/,
    hint: /10.1.2.3\/32/,
  },
  {
    what: 'a hold time of 2',
    yaml: EBGP('holdTime: 2'),
    at: '3:76',
    message: /hold time of 2/,
    hint: /0 \(never\) or 3/,
  },
  {
    what: 'a wrong community',
    yaml: `${R}networks: [{ prefix: 10.0.0.0/8, communities: [70000:1] }]\n`,
    at: '2:48',
    message: /not a community/,
    hint: /no-export/,
  },
  {
    what: 'a wrong http endpoint',
    yaml: `${R}http: localhost\n`,
    at: '2:7',
    message: /not an address with a port/,
  },
  { what: 'a missing http port', yaml: `${R}http: 127.0.0.1\n`, at: '2:7', message: /port is missing/ },
  { what: 'a wrong mode', yaml: `${R}control: { mode: "0999" }\n`, at: '2:18', message: /not a file mode/ },
  // Groups
  {
    what: 'an unknown group',
    yaml: `${R}peerGroups: { clients: {} }\npeers: [{ address: 10.1.1.1, asn: 1, group: cleints }]\n`,
    at: '3:45',
    message: /no peer group "cleints"/,
    hint: /clients\?/,
  },
  {
    what: 'a group of an unknown group',
    yaml: `${R}peerGroups: { a: { group: b } }\n`,
    at: '2:27',
    message: /no peer group "b"/,
  },
  {
    what: 'groups in a circle',
    yaml: `${R}peerGroups: { a: { group: b }, b: { group: a } }\n`,
    at: '2:27',
    message: /circle: a -> b -> a/,
  },
  {
    what: 'a group of itself',
    yaml: `${R}peerGroups: { a: { group: a } }\n`,
    at: '2:27',
    message: /circle: a -> a/,
  },
  {
    what: 'no asn anywhere',
    yaml: `${R}dynamicPeers: [{ prefix: 10.0.0.0/8 }]\n`,
    at: '2:16',
    message: /asn is missing/,
    hint: /external/,
  },
  // Between peers
  {
    what: 'two peers of one name',
    yaml: `${PEERS}  - { name: a, address: 10.1.1.1, asn: 64512 }\n  - { name: a, address: 10.1.1.2, asn: 64512 }\n`,
    at: '4:13',
    message: /name a is taken by peers\[0\]/,
  },
  {
    what: 'two peers on one endpoint',
    yaml: `${PEERS}  - { address: 10.1.1.1, asn: 64512 }\n  - { name: b, address: 10.1.1.1, asn: 64512 }\n`,
    at: '4:25',
    message: /10.1.1.1 port 179 is already peers\[0\]/,
  },
  {
    what: 'two spellings of one address',
    yaml: `${PEERS}  - { address: "2001:db8::1", asn: 64512 }\n  - { address: "2001:DB8:0::1", asn: 64512 }\n`,
    at: '4:16',
    message: /already peers\[0\]/,
  },
  {
    what: 'itself as peer',
    yaml: `${R}listen: [10.1.1.1]\npeers: [{ address: 10.1.1.1, asn: 64512 }]\n`,
    at: '3:20',
    message: /this speaker itself/,
  },
  {
    what: 'the router id as peer',
    yaml: `${PEERS}  - { address: 10.99.0.1, asn: 64512 }\n`,
    at: '3:16',
    message: /router id/,
    severity: 'warning',
  },
  {
    what: 'a link-local peer without a link',
    yaml: `${PEERS}  - { address: "fe80::1", asn: 64512 }\n`,
    at: '3:16',
    message: /link-local/,
    hint: /fe80::1%eth0/,
  },
  {
    what: 'two links',
    yaml: `${PEERS}  - { address: "fe80::1%eth0", interface: eth1, asn: 64512 }\n`,
    at: '3:16',
    message: /eth0, but interface says eth1/,
  },
  {
    what: 'a link of a global address',
    yaml: `${PEERS}  - { address: "2001:db8::1%eth0", asn: 64512 }\n`,
    at: '3:16',
    message: /only a link-local/,
  },
  {
    what: 'a multicast peer',
    yaml: `${PEERS}  - { address: 224.0.0.1, asn: 64512 }\n`,
    at: '3:16',
    message: /unicast/,
  },
  {
    what: 'the unspecified address',
    yaml: `${PEERS}  - { address: "::", asn: 64512 }\n`,
    at: '3:16',
    message: /no address of a peer/,
  },
  {
    what: 'overlapping ranges',
    yaml: `${R}dynamicPeers:\n  - { prefix: 10.0.0.0/8, asn: internal }\n  - { prefix: 10.1.0.0/16, asn: internal }\n`,
    at: '4:15',
    message: /10.1.0.0\/16 overlaps 10.0.0.0\/8 of dynamicPeers\[0\]/,
  },
  {
    what: 'one range twice',
    yaml: `${R}dynamicPeers:\n  - { prefix: 10.0.0.0/8, asn: internal }\n  - { prefix: 10.0.0.0/8, asn: internal }\n`,
    at: '4:15',
    message: /overlaps/,
  },
  {
    what: 'a link-local range',
    yaml: `${R}dynamicPeers: [{ prefix: "fe80::/10", asn: internal }]\n`,
    at: '2:26',
    message: /interface/,
  },
  // Within a peer
  {
    what: 'a client in eBGP',
    yaml: EBGP('routeReflectorClient: true'),
    at: '3:66',
    message: /for iBGP peers/,
    hint: /64512/,
  },
  {
    what: 'no reflection between eBGP clients',
    yaml: EBGP('clientToClient: false'),
    at: '3:66',
    message: /for iBGP peers/,
  },
  { what: 'a role in iBGP', yaml: IBGP('role: peer'), at: '3:38', message: /for eBGP peers/ },
  { what: 'AS override in iBGP', yaml: IBGP('asOverride: true'), at: '3:38', message: /for eBGP peers/ },
  { what: 'local AS in iBGP', yaml: IBGP('localAs: 7'), at: '3:38', message: /for eBGP peers/ },
  {
    what: 'a cluster id of no client',
    yaml: IBGP('clusterId: 1.1.1.1'),
    at: '3:38',
    message: /no effect/,
    severity: 'warning',
  },
  {
    what: 'a strict role without role',
    yaml: EBGP('roleStrict: true'),
    at: '3:66',
    message: /no effect/,
    severity: 'warning',
  },
  { what: 'multihop iBGP', yaml: IBGP('multihop: 3'), at: '3:38', message: /no effect/, severity: 'warning' },
  {
    what: 'RFC 8950 without IPv4',
    yaml: EBGP('families: [ipv6-unicast], extendedNextHop: true'),
    at: '3:92',
    message: /no effect/,
    severity: 'warning',
  },
  { what: "the peer's AS as own", yaml: EBGP('localAs: 1'), at: '3:75', message: /AS of the peer itself/ },
  {
    what: 'the own AS as local AS',
    yaml: EBGP('localAs: 64512'),
    at: '3:75',
    message: /shown anyway/,
    severity: 'warning',
  },
  {
    what: 'GTSM and multihop',
    yaml: EBGP('ttlSecurity: 1, multihop: 2'),
    at: '3:66',
    message: /exclude each other/,
  },
  {
    what: 'a slow keepalive',
    yaml: EBGP('holdTime: 9, keepaliveTime: 9'),
    at: '3:94',
    message: /not below the hold time 9/,
    hint: /3/,
  },
  {
    what: 'keepalives without hold',
    yaml: EBGP('holdTime: 0, keepaliveTime: 9'),
    at: '3:94',
    message: /no keepalives/,
    severity: 'warning',
  },
  {
    what: 'a short send hold',
    yaml: EBGP('sendHoldTime: 90'),
    at: '3:80',
    message: /not above the hold time/,
  },
  {
    what: 'error waits',
    yaml: EBGP('errorWaitMin: 9, errorWaitMax: 3'),
    at: '3:80',
    message: /above errorWaitMax/,
  },
  {
    what: 'a local address of the other version',
    yaml: EBGP('localAddress: "2001:db8::1"'),
    at: '3:80',
    message: /localAddress is IPv6/,
  },
  {
    what: 'next hop: address without one',
    yaml: EBGP('nextHop: address'),
    at: '3:75',
    message: /needs nextHopAddress/,
  },
  {
    what: 'an IPv6 next hop for IPv4',
    yaml: EBGP('nextHop: "2001:db8::1"'),
    at: '3:75',
    message: /without ipv6-unicast/,
    hint: /RFC 8950/,
  },
  {
    what: 'a next hop for one of two',
    yaml: EBGP('nextHop: 10.1.1.2, families: [ipv4-unicast, ipv6-unicast]'),
    at: '3:75',
    message: /no next hop for ipv6-unicast/,
  },
  {
    what: 'self of the other version',
    yaml: EBGP('nextHop: self, families: [ipv6-unicast]'),
    at: '3:75',
    message: /self is no next hop/,
    severity: 'warning',
  },
  {
    what: 'eBGP without policy',
    yaml: `${PEERS}  - { name: up, address: 10.1.1.1, asn: 1 }\n`,
    at: '3:5',
    message: /peer up is eBGP without import and export: it exchanges no routes/,
    hint: /import: accept and export: accept/,
    severity: 'warning',
  },
  {
    what: 'eBGP without export',
    yaml: `${PEERS}  - { address: 10.1.1.1, asn: 1, import: accept }\n`,
    at: '3:5',
    message: /without export: it gets no routes/,
    severity: 'warning',
  },
  {
    what: 'an active dynamic range',
    yaml: `${R}dynamicPeers: [{ prefix: 10.0.0.0/8, asn: internal, passive: false }]\n`,
    at: '2:53',
    message: /always passive/,
    severity: 'warning',
  },
  // Passwords
  {
    what: 'a password from two places',
    yaml: EBGP('password: { file: a, value: b }'),
    at: '3:76',
    message: /not from file and value/,
  },
  { what: 'a password from nowhere', yaml: EBGP('password: {}'), at: '3:76', message: /missing/ },
  {
    what: 'a missing password file',
    yaml: EBGP('password: { file: keys/a }'),
    at: '3:84',
    message: /\/etc\/keys\/a cannot be read: there is no such file/,
  },
  {
    what: 'an unset password variable',
    yaml: EBGP('password: { env: KEY }'),
    at: '3:83',
    message: /KEY is not set/,
  },
  { what: 'an empty password', yaml: EBGP('password: ""'), at: '3:76', message: /empty/ },
  {
    what: 'a password too long',
    yaml: EBGP(`password: ${'x'.repeat(81)}`),
    at: '3:76',
    message: /TCP MD5/,
    hint: /80 octets/,
  },
  // Environment
  {
    what: 'an unset variable',
    yaml: EBGP(`description: "\${NOPE}"`),
    at: '3:79',
    message: /NOPE is not set/,
    hint: /:-/,
  },
  {
    what: 'a broken reference',
    yaml: EBGP(`description: "\${NO PE}"`),
    at: '3:79',
    message: /not a reference/,
  },
  // Other sections
  {
    what: 'one network twice',
    yaml: `${R}networks: [10.0.0.0/8, { prefix: 10.0.0.0/8 }]\n`,
    at: '2:34',
    message: /already networks\[0\]/,
  },
  {
    what: 'via without next hops',
    yaml: `${R}networks: [{ prefix: 10.0.0.0/8, type: via }]\n`,
    at: '2:40',
    message: /needs next hops/,
  },
  {
    what: 'next hops of a blackhole',
    yaml: `${R}networks: [{ prefix: 10.0.0.0/8, type: blackhole, via: 10.1.1.1 }]\n`,
    at: '2:56',
    message: /has no next hops/,
  },
  {
    what: 'IPv6 via IPv4',
    yaml: `${R}networks: [{ prefix: "2001:db8::/32", via: 10.1.1.1 }]\n`,
    at: '2:44',
    message: /IPv4 next hop/,
  },
  {
    what: 'one listener twice',
    yaml: `${R}listen: [10.1.1.1, { address: 10.1.1.1, port: 179 }]\n`,
    at: '2:20',
    message: /same listener as listen\[0\]/,
  },
  {
    what: 'own routes learned',
    yaml: `${R}kernel: { learn: [{ protocol: bird }] }\nredistribute: kernel\n`,
    at: '2:31',
    message: /this speaker itself/,
  },
  {
    what: 'learned for nobody',
    yaml: `${R}kernel: { learn: [{ protocol: 80 }] }\n`,
    at: '2:11',
    message: /announced to nobody/,
    severity: 'warning',
  },
  {
    what: 'a metric of nothing',
    yaml: `${R}kernel: { metric: 5 }\n`,
    at: '2:11',
    message: /nothing is installed/,
    severity: 'warning',
  },
  {
    what: 'no router id',
    yaml: 'router: { asn: 64512 }\n',
    at: '1:9',
    message: /10.0.0.9 of this host is taken/,
    severity: 'warning',
  },
];

describe('one mistake, one issue', () => {
  it.each(CASES)('$what', ({ yaml, at, message, hint, severity }) => {
    const issues = issuesOf(yaml);
    const places = issues.map((issue) => `${issue.line}:${issue.column} ${issue.message}`);
    const found = issues.find((issue) => message.test(issue.message));
    expect(found, places.join('\n')).toBeDefined();
    expect(`${found?.line}:${found?.column}`).toBe(at);
    expect(found?.severity).toBe(severity ?? 'error');
    if (hint !== undefined) expect(found?.hint).toMatch(hint);
    expect(parse(yaml).ok).toBe(severity === 'warning');
    // Nothing is accused twice, and nobody else is.
    expect(
      issues.filter((issue) => issue.severity === 'error').length,
      places.join('\n'),
    ).toBeLessThanOrEqual(severity === 'warning' ? 0 : 2);
  });

  it('says nothing about a good configuration', () => {
    expect(issuesOf(EBGP('holdTime: 9'))).toEqual([]);
    expect(issuesOf(IBGP('routeReflectorClient: true, clusterId: 1.1.1.1'))).toEqual([]);
  });

  it('cannot choose a router id on a host without IPv4', () => {
    const issues = issuesOf('router: { asn: 1 }\n', {
      host: { hostname: 'h', addresses: ['::1', '127.0.0.1'] },
    });
    expect(issues.map((issue) => issue.message)).toEqual([
      'the router id is missing, and no own IPv4 address is known',
    ]);
  });
});

describe('all at once', () => {
  const yaml = [
    'router: { asn: 64512, id: 1.2.3 }',
    'kernel: { install: maybe, ecmp: 0 }',
    'peerGroups:',
    '  up: { asn: 1, routeReflectorClient: true, holdTime: 1 }',
    'peers:',
    '  - { address: 10.1.1.1, group: up, import: acept, export: accept }',
    '  - { address: 10.1.1.1, group: up, import: accept, export: accept }',
    'networks: [10.0.0.1/8]',
    'lgo: info',
    '',
  ].join('\n');

  it('reports every mistake, once, in order', () => {
    expect(issuesOf(yaml).map((issue) => `${issue.line}:${issue.column} ${issue.path}`)).toEqual([
      '1:27 router.id',
      '2:20 kernel.install',
      '2:33 kernel.ecmp',
      '4:17 peerGroups.up.routeReflectorClient',
      '4:55 peerGroups.up.holdTime',
      '6:45 peers[0].import',
      '7:16 peers[1].address',
      '8:12 networks[0]',
      '9:1 lgo',
    ]);
  });

  it('does not blame a peer for what is wrong in its group', () => {
    const text = `${R}peerGroups: { a: { asn: zero } }\npeers: [{ address: 10.1.1.1, group: a }]\n`;
    expect(issuesOf(text).map((issue) => issue.path)).toEqual(['peerGroups.a.asn']);
  });
});

describe('rendering', () => {
  it('shows place, line, caret and hint', () => {
    expect(formatIssues(issuesOf(`${R}log: { level: inof }\n`), { color: false })).toBe(
      [
        '/etc/godwit.yaml:2:15: error: log.level: expected debug, info, warn or error, found "inof"',
        '    2 | log: { level: inof }',
        '      |               ^^^^',
        '  hint: did you mean info?',
        '',
      ].join('\n'),
    );
  });

  it('colours only when asked to', () => {
    const issues = issuesOf(`${R}log: 5\n`);
    expect(formatIssues(issues, { color: false })).not.toContain('\u001b');
    expect(formatIssues(issues, { color: true })).toContain('\u001b[31merror\u001b[0m');
  });

  it('crops a long line around the caret', () => {
    const pad = 'x'.repeat(300);
    const text = formatIssues(issuesOf(EBGP(`description: "${pad}", port: 70000, name: a`)), {
      color: false,
      width: 60,
    });
    const [, line = '', marks = ''] = text.split('\n');
    expect(line.length).toBeLessThan(75);
    expect(line.slice(marks.indexOf('^'))).toMatch(/^70000/);
  });

  it('keeps the caret under its word on a line with a blacked-out password', () => {
    const text = formatIssues(issuesOf(EBGP('password: a-very-long-secret-indeed, port: 70000')), {
      color: false,
    });
    const [, line = '', marks = ''] = text.split('\n');
    expect(line).toContain('password: <redacted>, port');
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('70000');
  });

  it('shows no control characters of the file', () => {
    const text = formatIssues(issuesOf(`${R}log: "\u001b[2Jx"\n`), { color: false });
    expect(text).not.toContain('\u001b');
  });
});

describe('secrets', () => {
  const SECRET = 'Xq7-hunter2';
  const PLACES = [
    EBGP(`password: ${SECRET}, port: 70000`),
    EBGP(`pasword: ${SECRET}`),
    EBGP(`passwd: "${SECRET}"`),
    EBGP(`md5: ${SECRET}`),
    EBGP(`authKey: ${SECRET}`),
    EBGP(`password: [${SECRET}]`),
    EBGP(`password: { ${SECRET} }`),
    EBGP(`password: { key: ${SECRET} }`),
    EBGP(`password: { value: ${SECRET}, file: x }`),
    EBGP(`password: { value: ${SECRET}${SECRET.repeat(8)} }`),
    EBGP(`password: ${SECRET}, password: ${SECRET}`),
    EBGP(`password: "\${${SECRET}"`),
    EBGP(`password: "a\${${SECRET.slice(4)}}"`),
    EBGP(`password: "\${NO:-${SECRET}}", port: 0`),
    EBGP(`password: &a ${SECRET}, name: [*a]`),
    EBGP(`name: &a ${SECRET}, password: *a, port: 0`),
    EBGP(`password: "${SECRET}\\q"`),
    EBGP(`password: ${SECRET}: x`),
    `${PEERS}  - { address: 10.1.1.1, password: ${SECRET}\n  log: [`,
    `${PEERS}  - address: 10.1.1.1\n    password: |\n      ${SECRET}\n    port: 0\n`,
    `${PEERS}  - address: 10.1.1.1\n    password:\n      - ${SECRET}\n    port: 0\n`,
    `${PEERS}  - address: 10.1.1.1\n    password: >\n      ${SECRET}\n   port: 0\n`,
    `password: ${SECRET}\n`,
    `${R}password: ${SECRET}\n---\n`,
  ];

  it.each(PLACES)('are in nothing that is said about %#', (yaml) => {
    const result = parse(yaml, { env: { UNUSED: SECRET } });
    const said = [
      JSON.stringify(result),
      formatIssues(result.ok ? result.warnings : result.issues, { color: true, width: 400 }),
    ].join('\n');
    expect(said).toMatch(/error|redacted/);
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain('hunter2');
  });

  it('stay in the model and are told by one method only', () => {
    const result = parse(EBGP('password: { file: /k }'), { files: { '/k': `${SECRET}\n` } });
    expect(result.ok && result.config.peers[0]?.password?.reveal()).toBe(SECRET);
    expect(JSON.stringify(result)).not.toContain(SECRET);
    expect(result.ok && `${result.config.peers[0]?.password}`).toBe('<redacted>');
  });

  it('are looked for under no key that means something else', () => {
    const keys = allKeyPaths(configSchema).map((path) => path.split('.').at(-1) ?? '');
    expect([...new Set(keys.filter(isSecretKey))]).toEqual(['password']);
  });
});

describe('hostile input', () => {
  const samples = [
    ...CASES.map((each) => each.yaml),
    EBGP('addPath: { receive: true }, password: { env: A }'),
  ];

  it('never throws on a mutated file, and always points into it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom(...'{}[]:,-&*!|>%@`"\'#? \t\n\u0000é${<')), {
          minLength: 1,
          maxLength: 4,
        }),
        (sample, edits) => {
          let text = sample;
          for (const [place, cut, char] of edits) {
            const at = text.length === 0 ? 0 : place % text.length;
            text = text.slice(0, at) + char + text.slice(at + cut);
          }
          const lines = text.split('\n');
          for (const issue of issuesOf(text)) {
            expect(issue.line).toBeGreaterThanOrEqual(1);
            expect(issue.line).toBeLessThanOrEqual(lines.length);
            expect(issue.column).toBeLessThanOrEqual((lines[issue.line - 1] ?? '').length + 1);
          }
          formatIssues(issuesOf(text), { color: false });
        },
      ),
      { numRuns: 400 },
    );
  });

  it('survives deep nesting and multiplying aliases', () => {
    expect(parse('['.repeat(20_000)).ok).toBe(false);
    const levels = Array.from(
      { length: 20 },
      (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`,
    );
    expect(parse(`a0: &a0 [x]\n${levels.join('\n')}\n`).ok).toBe(false);
    expect(parse('a: &a [*a]\n').ok).toBe(false);
    expect(parse('__proto__: { asn: 1 }\nconstructor: 1\n').ok).toBe(false);
  });
});
