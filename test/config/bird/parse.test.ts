import { describe, expect, test } from 'vitest';
import { looksLikeBird } from '../../../src/config/bird/dialect.ts';
import { matchesGlob } from '../../../src/config/bird/include.ts';
import { SAMPLES } from './samples.ts';
import { good, only, read } from './support.ts';

describe('dialects', () => {
  test.each(SAMPLES.map((sample) => [sample.name, sample] as const))('%s', (_, { text, dialect }) => {
    expect(good(text).dialect).toBe(dialect);
    expect(looksLikeBird(text)).toBe(true);
  });

  test('the family of a 1.6 file is that of its addresses, router ids apart', () => {
    const v6 = 'router id 10.0.0.1; protocol bgp { local as 1; neighbor 2001:db8::1 as 2; import all; }';
    expect(good(v6).family).toBe('ipv6');
    expect(good('router id 10.0.0.1; table x; protocol kernel { import all; }').family).toBe('ipv4');
    expect(good('protocol device { }').family).toBeUndefined();
  });

  test('a forced dialect wins over what the text looks like', () => {
    const { errors } = read('protocol static { route 10.0.0.0/8 blackhole; }', { dialect: '2.x' });
    expect(errors.map((error) => error.message)).toEqual(['static1: a channel is missing']);
  });

  test.each([
    'router: { asn: 1 }',
    'peers:\n  - a',
    'log: info',
    '# protocol bgp',
    'protocol',
    'a = 1',
    '---\nfilters:\n  a: if net.len > 24 then reject; filter b',
    '{ "definitions": "define A = 1; function f() { return 2; }" }',
  ])('%j is not BIRD', (text) => {
    expect(looksLikeBird(text)).toBe(false);
  });
});

describe('includes', () => {
  test('splice files in the order of their names, relative to their own directory', () => {
    const config = good(
      'include "conf.d/*.conf";\nprotocol device { }\n',
      {},
      {
        '/etc/bird/conf.d/b.conf': 'define B = A + 1;',
        '/etc/bird/conf.d/a.conf': 'include "deep/x.inc";\n',
        '/etc/bird/conf.d/.hidden.conf': 'syntax error',
        '/etc/bird/conf.d/notes.txt': 'syntax error',
        '/etc/bird/conf.d/deep/x.inc': 'define A = 1;',
      },
    );
    expect(config.files).toEqual([
      '/etc/bird/bird.conf',
      '/etc/bird/conf.d/a.conf',
      '/etc/bird/conf.d/deep/x.inc',
      '/etc/bird/conf.d/b.conf',
    ]);
    expect(config.definitions.map((each) => each.name?.name)).toEqual(['A', 'B']);
  });

  test('stand inside blocks too', () => {
    const config = good(
      'protocol static {\n  ipv4;\ninclude "routes";\n}\n',
      {},
      {
        '/etc/bird/routes': 'route 10.0.0.0/8 blackhole;\nroute 11.0.0.0/8 blackhole;\n',
      },
    );
    expect(only(config, 'static').options.routes).toHaveLength(2);
  });

  test('report loops, missing files and misplaced ones', () => {
    const loop = read(
      'include "a";\nprotocol device { }',
      {},
      { '/etc/bird/a': 'include "bird.conf";\n', '/etc/bird/bird.conf': 'x' },
    );
    expect(loop.errors.map((error) => [error.file, error.message])).toEqual([
      ['/etc/bird/a', 'bird.conf includes itself'],
    ]);
    expect(read('include "none";\nprotocol device { }').errors[0]?.message).toMatch(/none cannot be read/);
    expect(read('protocol device { } include "a";', {}, { '/etc/bird/a': '' }).errors[0]?.message).toBe(
      'include stands at the beginning of a line',
    );
  });

  test('are a line each', () => {
    const files = { '/etc/bird/a': '' };
    for (const text of ['include "a" ;', '  include\t"a";', 'include"a";']) {
      expect(read(`${text}\nprotocol device { }`, {}, files).errors, text).toEqual([]);
    }
    for (const text of ['include "a"', 'include "a"\n;', 'include "a" /* b */;', 'include\n"a";']) {
      expect(read(`${text}\nprotocol device { }`, {}, files).errors, text).not.toEqual([]);
    }
  });

  test('an error in an included file names it', () => {
    const { errors } = read('include "a";\nprotocol device { }', {}, { '/etc/bird/a': '\n  bogus;\n' });
    expect(errors).toMatchObject([{ file: '/etc/bird/a', line: 2, column: 3 }]);
  });

  test.each([
    ['a.conf', '*.conf', true],
    ['a.conf', '?.conf', true],
    ['ab.conf', '?.conf', false],
    ['a1', 'a[0-9]', true],
    ['ax', 'a[!0-9]', true],
    ['a1', '[[:alpha:]][[:digit:]]', true],
    ['a1', 'a[![:digit:]_]', false],
    ['a+b', 'a+b', true],
    ['.a', '*', false],
  ])('%s matches %s: %s', (name, pattern, expected) => {
    expect(matchesGlob(name, pattern)).toBe(expected);
  });
});

describe('templates', () => {
  const BASE =
    'template bgp t { local as 64512; hold time 30; ipv4 { import all; export none; preference 90; }; }';

  test('give what they say so far; later statements win, channels are merged', () => {
    const config = good(
      `${BASE} protocol bgp p from t { neighbor 10.0.0.2 as 64513; hold time 60; ipv4 { export all; }; }`,
    );
    const { options, channels, from } = only(config, 'bgp');
    expect(from).toBe('t');
    expect(options).toMatchObject({ localAs: 64512, holdTime: 60, peerAs: 64513 });
    expect(channels.get('ipv4')).toMatchObject({
      preference: 90,
      import: { kind: 'all' },
      export: { kind: 'all' },
    });
  });

  test('a protocol may be the base, and is not changed by its heirs', () => {
    const config = good(
      'protocol static a { ipv4; route 10.0.0.0/8 blackhole; } protocol static b from a { route 11.0.0.0/8 blackhole; }',
    );
    const routes = config.protocols.map((each) => (each.kind === 'static' ? each.options.routes.length : 0));
    expect(routes).toEqual([1, 2]);
  });

  test('names are given where none is written, and not twice', () => {
    const config = good(
      'protocol static static1 { ipv4; } protocol static { ipv4; } template bgp { } protocol device { }',
    );
    expect(config.protocols.map((each) => each.name)).toEqual(['static1', 'static2', 'device1']);
    expect(config.templates.map((each) => each.name)).toEqual(['bgp1']);
  });
});

describe('values', () => {
  test('constants and expressions stand where numbers, addresses and prefixes do', () => {
    const config = good(`
      define AS = 64512; define GW = 10.0.0.1; define NET = 192.0.2.0/24; define SECRET = "x";
      protocol static { ipv4; route NET via GW weight (1 + 2); description SECRET; }
      protocol bgp b { local as AS; neighbor GW as (AS * 2 - 64512); hold time (60 / 2); }
    `);
    expect(only(config, 'static').options.routes[0]).toMatchObject({
      net: { type: 'ipv4', text: '192.0.2.0/24' },
      target: { kind: 'via', hops: [{ address: '10.0.0.1', weight: 3 }] },
    });
    expect(only(config, 'bgp').options).toMatchObject({ peerAs: 64512, holdTime: 30 });
  });

  test('switches', () => {
    const of = (text: string) => only(good(`protocol device { ${text}; }`), 'device').common.disabled;
    expect(['disabled', 'disabled on', 'disabled yes', 'disabled 1'].map(of)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['disabled off', 'disabled no', 'disabled 0'].map(of)).toEqual([false, false, false]);
  });

  test('time formats by name are their formats', () => {
    const { globals } = good('timeformat route iso short ms; timeformat log iso long; protocol device { }');
    expect(globals.timeFormats).toEqual({
      route: { format: '%T.%3f', limit: 72_000, older: '%F' },
      log: { format: '%F %T' },
    });
  });

  test('interface patterns', () => {
    const config = good('protocol direct { interface -"cali*", "eth*" 10.0.0.0/8, -192.0.2.0/24, "*"; }');
    expect(only(config, 'direct').options.interfaces).toEqual([
      [
        { exclude: true, mask: 'cali*', prefix: undefined },
        { exclude: false, mask: 'eth*', prefix: '10.0.0.0/8' },
        { exclude: true, mask: undefined, prefix: '192.0.2.0/24' },
        { exclude: false, mask: '*', prefix: undefined },
      ],
    ]);
  });

  test('router ids are quads or numbers', () => {
    expect(good('router id 10.0.0.1; protocol device { }').globals.routerId).toBe(0x0a000001);
    expect(good('router id 5; protocol device { }').globals.routerId).toBe(5);
  });

  test('a password is a secret, also from a constant', () => {
    const config = good(
      'define P = "hush"; protocol bgp b { local as 1; neighbor 10.0.0.2 as 1; password P; }',
    );
    const { password } = only(config, 'bgp').options;
    expect(password?.reveal()).toBe('hush');
    expect(JSON.stringify(only(config, 'bgp').options)).not.toContain('hush');
  });

  test('1.6 says of a protocol what 2.x says of a channel', () => {
    const config =
      good(`protocol bgp b { local as 1; neighbor 10.0.0.2 as 2; import none; gateway direct; next hop self;
      add paths tx; import limit 10 action block; preference 70; }`);
    expect(only(config, 'bgp').channels.get('ipv4')).toMatchObject({
      import: { kind: 'none' },
      gateway: 'direct',
      nextHopSelf: 'all',
      addPaths: 'tx',
      importLimit: { routes: 10, action: 'block' },
      preference: 70,
    });
  });

  test('static routes of every kind', () => {
    const routes = only(
      good(`protocol static { ipv4;
        route 10.0.0.0/8 via 10.9.0.1 weight 2 onlink via fe80::1%eth0 bfd off;
        route 11.0.0.0/8 recursive 10.9.0.2; route 12.0.0.0/8 via "tun0"; route 13.0.0.0/8 drop { bgp_med = 1; }; }`),
      'static',
    ).options.routes;
    expect(routes.map((route) => route.target)).toEqual([
      {
        kind: 'via',
        hops: [
          { address: '10.9.0.1', interface: undefined, weight: 2, onlink: true },
          { address: 'fe80::1', interface: 'eth0', bfd: false },
        ],
      },
      { kind: 'recursive', address: '10.9.0.2' },
      { kind: 'via', hops: [{ address: undefined, interface: 'tun0' }] },
      { kind: 'blackhole' },
    ]);
    expect(routes[3]?.commands).toHaveLength(1);
  });
});

test('protocols that are not served are passed over with one warning', () => {
  const { issues, config } = read(
    'protocol device { } protocol ospf x { area 0 { interface "a" { cost 1; }; }; } protocol rip { }',
  );
  expect(issues.map(({ severity, message }) => [severity, message])).toEqual([
    ['warning', 'passed over what godwit does not serve: ospf x, rip'],
  ]);
  expect(config.skipped.map((each) => each.kind)).toEqual(['ospf', 'rip']);
});
