import { describe, expect, test } from 'vitest';
import { model } from './support.ts';

const ROUTER = 'router id 10.0.0.1; protocol device { }';
const CHANNEL = 'ipv4 { import all; export all; };';

/** BFD of the one BGP protocol, and the warnings. */
function bfdOf(protocols: string, options = 'bfd;', neighbor = '10.0.0.2 as 2') {
  const bgp = `protocol bgp p { local 10.0.0.1 as 1; neighbor ${neighbor}; ${options} ${CHANNEL} }`;
  const { config, warnings } = model(`${ROUTER} ${protocols} ${bgp}`);
  return { bfd: config.peers[0]?.bfd, warnings };
}

const DEFAULTS = {
  minTx: 100,
  minRx: 10,
  idleTx: 1000,
  multiplier: 5,
  multihop: false,
  passive: false,
  auth: undefined,
};

describe('BFD of a BGP protocol', () => {
  test("has BIRD's defaults", () => {
    expect(bfdOf('protocol bfd { }')).toEqual({ bfd: DEFAULTS, warnings: [] });
  });

  test('is off unless asked for', () => {
    expect(bfdOf('protocol bfd { }', '')).toEqual({ bfd: undefined, warnings: [] });
    expect(bfdOf('protocol bfd { }', 'bfd off;')).toEqual({ bfd: undefined, warnings: [] });
  });

  test.each(['', 'protocol bfd { disabled; }'])('does nothing without a protocol bfd: "%s"', (protocols) => {
    const { bfd, warnings } = bfdOf(protocols);
    expect(bfd).toBeUndefined();
    expect(warnings.map(String).join()).toContain('bfd has no effect (p)');
  });

  test('takes the options of its interface', () => {
    const protocols = `protocol bfd {
      interface "eth1" { interval 50 ms; multiplier 3; };
      interface -"eth7", "eth*" { min rx interval 200 ms; min tx interval 300 ms; idle tx interval 2 s; passive; };
    }`;
    const on = (link: string) => bfdOf(protocols, `bfd; direct; interface "${link}";`).bfd;
    expect(on('eth1')).toEqual({ ...DEFAULTS, minTx: 50, minRx: 50, multiplier: 3 });
    expect(on('eth2')).toEqual({ ...DEFAULTS, minTx: 300, minRx: 200, idleTx: 2000, passive: true });
    expect(on('eth7')).toEqual(DEFAULTS);
    expect(on('wan')).toEqual(DEFAULTS);
  });

  test('takes the first interface where its own is not known, and says so where that is a guess', () => {
    const all = bfdOf(
      'protocol bfd { interface "*" { interval 1 s; }; interface "eth1" { interval 2 s; }; }',
    );
    expect(all).toEqual({ bfd: { ...DEFAULTS, minTx: 1000, minRx: 1000 }, warnings: [] });
    const guess = bfdOf(
      'protocol bfd { interface "eth0" { interval 1 s; }; interface "eth1" { interval 2 s; }; }',
    );
    expect(guess.bfd).toMatchObject({ minTx: 1000 });
    expect(guess.warnings.map(String).join()).toContain('the first interface of protocol bfd counts');
  });

  test.each([
    ['bfd { interval 70 ms; };', { minTx: 70, minRx: 70, idleTx: 1000, multiplier: 4 }],
    ['bfd { min rx interval 70 ms; };', { minTx: 500, minRx: 70, idleTx: 1000, multiplier: 4 }],
    [
      'bfd { interval 70 ms; min tx interval 90 ms; multiplier 9; passive; };',
      { minTx: 90, minRx: 70, multiplier: 9 },
    ],
    ['bfd on;', { minTx: 500, minRx: 500, multiplier: 4, passive: false }],
  ])('its own options go before: %s', (options, wanted) => {
    const { bfd } = bfdOf('protocol bfd { interface "*" { interval 500 ms; multiplier 4; }; }', options);
    expect(bfd).toMatchObject(wanted);
  });

  test('over several hops takes the options of multihop', () => {
    const protocols =
      'protocol bfd { interface "*" { interval 1 s; }; multihop { interval 2 s; multiplier 9; }; }';
    const far = { ...DEFAULTS, minTx: 2000, minRx: 2000, multiplier: 9, multihop: true };
    expect(bfdOf(protocols, 'bfd; multihop 3;').bfd).toEqual(far);
    expect(bfdOf(protocols, 'bfd;', '10.0.0.2 as 1').bfd).toEqual(far);
    expect(bfdOf(protocols, 'bfd; direct;', '10.0.0.2 as 1').bfd).toMatchObject({
      multihop: false,
      minTx: 1000,
    });
  });

  test('has the keys of the interface', () => {
    const { bfd, warnings } = bfdOf(`protocol bfd { interface "*" {
      authentication meticulous keyed sha1; password "one"; password "two" { id 7; }; };
    }`);
    expect(warnings).toEqual([]);
    expect(bfd?.auth?.type).toBe('meticulous-sha1');
    expect(bfd?.auth?.keys.map(({ id, password }) => [id, password.reveal()])).toEqual([
      [1, 'one'],
      [7, 'two'],
    ]);
    expect(JSON.stringify(bfd)).not.toContain('one');
  });

  test('takes octets for a key as they are, however they are written', () => {
    const keys = [
      '00112233445566778899aabbccddeeff',
      'ff112233445566778899aabbccddeeff',
      'hex:00ff',
      '"0011"',
    ].map((written) => {
      const { bfd } = bfdOf(`protocol bfd { interface "*" {
        authentication meticulous keyed sha1; password ${written}; }; }`);
      return Buffer.from(bfd!.auth!.keys[0]!.password.octets()).toString('hex');
    });
    expect(keys).toEqual([
      '00112233445566778899aabbccddeeff',
      'ff112233445566778899aabbccddeeff',
      '00ff',
      '30303131',
    ]);
  });

  test.each([
    ['simple', 'simple'],
    ['keyed md5', 'md5'],
    ['meticulous keyed md5', 'meticulous-md5'],
    ['keyed sha1', 'sha1'],
  ])('authentication %s is %s', (words, type) => {
    const { bfd } = bfdOf(`protocol bfd { interface "*" { authentication ${words}; password "x"; }; }`);
    expect(bfd?.auth?.type).toBe(type);
  });

  test('says what has no place', () => {
    const { warnings } = bfdOf(
      'protocol bfd { accept ipv4 direct; strict bind; interface "*" { authentication simple; password "x" { accept from "2020-01-01"; }; }; }',
      'bfd graceful;',
    );
    const text = warnings.map(String).join('\n');
    for (const construct of ['accept', 'strict bind', 'bfd graceful', 'times and algorithms']) {
      expect(text).toContain(construct);
    }
  });
});

describe('check link', () => {
  test.each([
    ['', false],
    ['check link off;', false],
    ['direct; check link;', true],
  ])('"%s" lets the session fall with its link: %s', (options, falls) => {
    const bgp = `protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; ${options} ${CHANNEL} }`;
    const { config, warnings } = model(`${ROUTER} ${bgp}`);
    expect(config.peers[0]?.fastFallover).toBe(falls);
    expect(warnings).toEqual([]);
  });
});

describe('what protocol bfd watches by itself', () => {
  test('has the options of its interface, or of multihop', () => {
    const { config, warnings } = model(`${ROUTER} protocol bfd {
      interface "eth1" { interval 50 ms; };
      interface "*" { interval 60 ms; multiplier 3; };
      multihop { interval 2 s; };
      neighbor 10.0.0.9 dev "eth1";
      neighbor fe80::9%eth2;
      neighbor 10.9.9.9 local 10.0.0.1 multihop;
      neighbor 10.9.9.9 local 10.0.0.1 multihop;
    }`);
    expect(warnings).toEqual([]);
    expect(config.bfdSessions).toEqual([
      {
        name: '10.0.0.9 on eth1',
        address: '10.0.0.9',
        localAddress: undefined,
        interface: 'eth1',
        bfd: { ...DEFAULTS, minTx: 50, minRx: 50 },
      },
      {
        name: 'fe80::9 on eth2',
        address: 'fe80::9',
        localAddress: undefined,
        interface: 'eth2',
        bfd: { ...DEFAULTS, minTx: 60, minRx: 60, multiplier: 3 },
      },
      {
        name: '10.9.9.9 from 10.0.0.1',
        address: '10.9.9.9',
        localAddress: '10.0.0.1',
        interface: undefined,
        bfd: { ...DEFAULTS, minTx: 2000, minRx: 2000, multihop: true },
      },
    ]);
  });

  test('has the gateways of static routes that want it, which are never used without', () => {
    const statics = (more: string) =>
      `protocol static st { ipv4; ${more} route 10.1.0.0/16 via 10.0.0.9 bfd via 10.0.0.8; route 10.2.0.0/16 via 10.0.0.9 bfd; }`;
    const served = model(`${ROUTER} ${statics('')} protocol bfd { interface "*" { interval 50 ms; }; }`);
    expect(served.warnings).toEqual([]);
    expect(served.config.bfdSessions).toMatchObject([{ address: '10.0.0.9', bfd: { minTx: 50 } }]);
    expect(served.config.networks[0]?.hops).toEqual([
      { address: '10.0.0.9', interface: undefined, onlink: false, weight: 1, bfd: true },
      { address: '10.0.0.8', interface: undefined, onlink: false, weight: 1 },
    ]);
    const unserved = model(`${ROUTER} ${statics('')}`);
    expect(unserved.config).not.toHaveProperty('bfdSessions');
    expect(unserved.config.networks[0]?.hops?.[0]?.bfd).toBe(true);
    expect(unserved.warnings.join()).toContain('never used without an enabled protocol bfd (st)');
    expect(model(`${ROUTER} ${statics('disabled;')} protocol bfd { }`).config).not.toHaveProperty(
      'bfdSessions',
    );
  });

  test('has the ends of the peer whose path it is', () => {
    const { config, warnings } = model(`${ROUTER} protocol bfd { interface "*" { interval 60 ms; }; }
      protocol static st { ipv4; route 10.1.0.0/16 via 10.0.0.2 dev "eth1" bfd; }
      protocol bgp p { local 10.0.0.1 as 1; neighbor 10.0.0.2 as 2; bfd { interval 50 ms; }; ${CHANNEL} }`);
    expect(warnings).toEqual([]);
    expect(config.bfdSessions).toMatchObject([
      { localAddress: '10.0.0.1', interface: undefined, bfd: { ...DEFAULTS, minTx: 50, minRx: 50 } },
    ]);
  });

  test('goes with the protocol when that is switched off', () => {
    const { config } = model(`${ROUTER} protocol bfd b { neighbor 10.0.0.9; }`);
    expect(config.bfdSessions).toHaveLength(1);
    expect(config.switched?.(new Map([['b', false]])).bfdSessions).toEqual([]);
    expect(model(`${ROUTER} protocol bfd { disabled; neighbor 10.0.0.9; }`).config).not.toHaveProperty(
      'bfdSessions',
    );
  });
});
