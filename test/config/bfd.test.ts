import { describe, expect, it } from 'vitest';
import { knownSecrets } from '../../src/config/known-secrets.ts';
import { config, issuesOf, peer } from './support.ts';

const EBGP = 'address: 10.1.1.1, asn: 1, import: accept, export: accept';
const IBGP = 'address: 10.1.1.1, asn: 64512';
const DEFAULTS = {
  minTx: 300,
  minRx: 300,
  idleTx: 1000,
  multiplier: 3,
  multihop: false,
  passive: false,
  auth: undefined,
};

const issues = (keys: string) =>
  issuesOf(`router: { asn: 64512, id: 10.99.0.1 }\npeers:\n  - { ${keys} }\n`).map(({ message }) => message);

describe('bfd of a peer', () => {
  it('is off unless written, or false over a group', () => {
    expect(peer(EBGP).bfd).toBeUndefined();
    expect(peer(`${EBGP}, bfd: false`).bfd).toBeUndefined();
  });

  it('has defaults', () => {
    expect(peer(`${EBGP}, bfd: true`).bfd).toEqual(DEFAULTS);
    expect(peer(`${EBGP}, bfd: {}`).bfd).toEqual(DEFAULTS);
  });

  it('interval stands for both directions', () => {
    expect(peer(`${EBGP}, bfd: { interval: 50, multiplier: 5, passive: true }`).bfd).toEqual({
      ...DEFAULTS,
      minTx: 50,
      minRx: 50,
      multiplier: 5,
      passive: true,
    });
    expect(peer(`${EBGP}, bfd: { interval: 50, minRx: 100, idleInterval: 2000 }`).bfd).toMatchObject({
      minTx: 50,
      minRx: 100,
      idleTx: 2000,
    });
  });

  it.each([
    [`${EBGP}, bfd: true`, false],
    [`${EBGP}, multihop: 3, bfd: true`, true],
    [`${EBGP}, ttlSecurity: true, bfd: true`, false],
    [`${EBGP}, ttlSecurity: 3, bfd: true`, true],
    [`${IBGP}, bfd: true`, true],
    [`${IBGP}, bfd: { multihop: false }`, false],
    [`${IBGP}, interface: eth0, bfd: true`, false],
    ['address: "fe80::1%eth0", asn: 64512, bfd: true', false],
  ])('goes over several hops where the peer may be far: %s -> %s', (keys, multihop) => {
    expect(peer(keys).bfd?.multihop).toBe(multihop);
  });

  it('takes a key, which is shown to nobody', () => {
    const { bfd } = peer(
      `${EBGP}, bfd: { verification: { type: meticulous-sha1, keyId: 9, password: hush } }`,
    );
    expect(bfd?.auth).toMatchObject({ type: 'meticulous-sha1', keys: [{ id: 9 }] });
    expect(bfd?.auth?.keys[0]?.password.reveal()).toBe('hush');
    expect(JSON.stringify(bfd)).not.toContain('hush');
  });

  it.each([
    ['bfd: 300', /expected true, false or/],
    ['bfd: { interval: 5 }', /5/],
    ['bfd: { multiplier: 0 }', /0/],
    ['bfd: { idleInterval: 300 }', /300/],
    ['bfd: { verification: { type: sha1 } }', /password/],
    ['bfd: { verification: { type: sha1, password: false } }', /authentication needs a password/],
    [
      'bfd: { verification: { type: simple, password: 0123456789abcdefg } }',
      /a key for simple has up to 16 octets/,
    ],
    ['multihop: 3, bfd: { multihop: false }', /behind routers/],
  ])('mistakes: %s', (keys, message) => {
    const [first, ...others] = issues(`${EBGP}, ${keys}`);
    expect(others).toEqual([]);
    expect(first).toMatch(message);
  });
});

describe('bfd sessions', () => {
  const ROUTER = 'router: { asn: 64512, id: 10.99.0.1 }\n';
  const sessions = (text: string) => `${ROUTER}bfd: { sessions: [${text}] }`;

  it('have what peers have, and are of a single hop', () => {
    const { bfdSessions } = config(
      sessions(`{ address: 10.0.0.9 }, { address: "fe80::9%eth1", interval: 50 },
        { address: 10.9.9.9, localAddress: 10.0.0.1, multihop: true, verification: { type: simple, password: hush } }`),
    );
    expect(bfdSessions).toMatchObject([
      { name: '10.0.0.9', address: '10.0.0.9', interface: undefined, bfd: DEFAULTS },
      { name: 'fe80::9%eth1', interface: 'eth1', bfd: { ...DEFAULTS, minTx: 50, minRx: 50 } },
      { name: '10.9.9.9 from 10.0.0.1', localAddress: '10.0.0.1', bfd: { multihop: true } },
    ]);
  });

  it('have keys that are known as secrets', () => {
    const keys = '{ address: 10.0.0.9, verification: { type: simple, password: hush } }';
    expect(knownSecrets(config(sessions(keys))).map((secret) => secret.reveal())).toEqual(['hush']);
  });

  it.each([
    ['{ address: 10.0.0.9 }, { address: 10.0.0.9, interval: 50 }', /the same session as bfd.sessions\[0\]/],
    ['{ address: "2001:DB8::9" }, { address: "2001:db8::9" }', /the same session/],
    ['{ address: 10.0.0.9, localAddress: "2001:db8::1" }', /localAddress is IPv6, but .* over IPv4/],
    ['{ address: fe80::9 }', /needs its interface/],
    ['{ address: 10.0.0.9, verification: { type: simple, password: 0123456789abcdefg } }', /up to 16 octets/],
  ])('mistakes: %s', (text, message) => {
    const found = issuesOf(sessions(text)).map((issue) => issue.message);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('are there for the next hops of networks that want them, once each', () => {
    const { bfdSessions, networks } = config(
      `${sessions('{ address: 10.0.0.9, localAddress: 10.0.0.1 }')}
networks:
  - { prefix: 192.0.2.0/24, via: [10.0.0.8, 10.0.0.9], bfd: true }
  - { prefix: 198.51.100.0/24, via: 10.0.0.8, bfd: true }
  - { prefix: 203.0.113.0/24, via: 10.0.0.7 }
tables: { blue: { networks: [{ prefix: "2001:db8::/48", via: "fe80::7%eth1", bfd: true }] } }
`,
    );
    expect(bfdSessions).toMatchObject([
      { name: '10.0.0.9 from 10.0.0.1' },
      { name: '10.0.0.8', address: '10.0.0.8', localAddress: undefined, bfd: DEFAULTS },
      { name: 'fe80::7%eth1' },
    ]);
    const onLink = config(`${sessions('{ address: 10.0.0.9, interface: eth1 }')}
networks: [{ prefix: 192.0.2.0/24, via: 10.0.0.9, bfd: true }]
`);
    expect(onLink.bfdSessions).toMatchObject([{ name: '10.0.0.9 on eth1' }]);
    expect(networks[0]?.hops).toMatchObject([{ address: '10.0.0.8', bfd: true }, { bfd: true }]);
    expect(networks[2]).not.toHaveProperty('hops');
    expect(
      issuesOf(`${ROUTER}networks: [{ prefix: 192.0.2.0/24, bfd: true }]`).map(({ message }) => message),
    ).toEqual(['bfd watches next hops, and there are none']);
  });

  it('are those of peers where next hops are peers', () => {
    const watched = 'bfd: { interval: 50, verification: { type: simple, password: hush } }';
    const { bfdSessions, peers } = config(`${ROUTER}
peers: [{ ${EBGP}, localAddress: 10.1.1.2, ${watched} }, { ${IBGP.replace('1.1,', '1.9,')}, bfd: true }]
networks: [{ prefix: 192.0.2.0/24, via: [10.1.1.1, 10.1.1.9], bfd: true }]
`);
    expect(bfdSessions).toEqual([
      {
        name: '10.1.1.1 from 10.1.1.2',
        address: '10.1.1.1',
        localAddress: '10.1.1.2',
        interface: undefined,
        bfd: peers[0]?.bfd,
      },
      expect.objectContaining({ name: '10.1.1.9', bfd: DEFAULTS }),
    ]);
  });
});
