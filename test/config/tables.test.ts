// Tables, pipes and who is attached to which, in the native language and in BIRD's: the same model.

import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/model.ts';
import { model } from './bird/support.ts';
import { config, issuesOf } from './support.ts';

const ROUTER = 'router: { asn: 65000, id: 10.0.0.1 }';
const lines = (...all: string[]): string => [ROUTER, ...all].join('\n');

function tablesIn({ tables = [] }: Config) {
  return tables.map(({ name, families, kernel, networks, redistribute }) => {
    const { install, table, nextHopTracking } = kernel;
    return {
      name,
      families,
      install,
      table,
      nextHopTracking,
      networks: networks.map((each) => each.prefix),
      redistribute,
    };
  });
}

describe('in the native language', () => {
  it('a table has the sections of the top level, and its own kernel table', () => {
    const loaded = config(
      lines(
        'kernel: { install: true }',
        'tables:',
        '  blue: { families: [ipv4], kernel: { install: true, table: 100 }, networks: [10.1.0.0/16], redistribute: kernel }',
        '  red: {}',
      ),
    );
    expect(tablesIn(loaded)).toEqual([
      {
        name: 'blue',
        families: ['ipv4'],
        install: true,
        table: 100,
        nextHopTracking: true,
        networks: ['10.1.0.0/16'],
        redistribute: ['kernel'],
      },
      {
        name: 'red',
        families: ['ipv4', 'ipv6'],
        install: false,
        table: 254,
        nextHopTracking: true,
        networks: [],
        redistribute: [],
      },
    ]);
  });

  it('a peer is attached by name, for its families', () => {
    const { peers } = config(
      lines(
        'tables: { blue: {}, red: {} }',
        'peerGroups: { g: { asn: internal, families: [ipv4-unicast, ipv6-unicast] } }',
        'peers:',
        '  - { address: 10.0.0.2, group: g, table: blue }',
        '  - { address: 10.0.0.3, group: g, table: { ipv6: red }, igpTable: main }',
        '  - { address: 10.0.0.4, asn: internal, table: blue }',
        '  - { address: 10.0.0.5, asn: internal }',
      ),
    );
    expect(peers.map(({ tables, igpTables }) => [tables, igpTables])).toEqual([
      [{ ipv4: 'blue', ipv6: 'blue' }, undefined],
      [{ ipv6: 'red' }, { ipv4: '', ipv6: '' }],
      [{ ipv4: 'blue' }, undefined],
      [undefined, undefined],
    ]);
  });

  it('a pipe goes forward unless told otherwise, for the families of both', () => {
    const { pipes } = config(
      lines(
        'tables: { blue: { families: [ipv6] } }',
        'pipes: [{ from: main, to: blue }, { name: back, from: blue, to: main, forward: reject, back: accept }]',
      ),
    );
    expect(pipes).toEqual([
      {
        name: 'main-blue',
        families: ['ipv6'],
        table: '',
        peerTable: 'blue',
        export: 'accept',
        import: 'reject',
      },
      { name: 'back', families: ['ipv6'], table: 'blue', peerTable: '', export: 'reject', import: 'accept' },
    ]);
  });

  const WRONG: [string, string, string][] = [
    ['tables: { main: {} }', 'tables.main', 'main is the table of the top level'],
    ['tables: { 1x: {} }', 'tables.1x', 'this cannot be the name of a table'],
    ['tables: { a: { kernel: { install: true } } }', 'tables.a.kernel.table', 'table is missing'],
    [
      'kernel: { install: true, table: 9 }\ntables: { a: { kernel: { install: true, table: 9 } } }',
      'tables.a.kernel.table',
      'kernel table 9 is written by the main table',
    ],
    [
      'tables: { a: { kernel: { install: true, table: 9 } }, b: { kernel: { install: true, table: 9 } } }',
      'tables.b.kernel.table',
      'kernel table 9 is written by table a',
    ],
    [
      'kernel: { install: true, ipv6: { table: 9 } }\ntables: { a: { kernel: { install: true, table: 9 } } }',
      'tables.a.kernel.table',
      'kernel table 9 is written by the main table',
    ],
    [
      'kernel: { install: true, table: 8 }\ntables: { a: { kernel: { install: true, table: 9, ipv6: { table: 8 } } } }',
      'tables.a.kernel.ipv6.table',
      'kernel table 8 is written by the main table',
    ],
    [
      'tables: { a: { kernel: { install: true, ipv4: { table: 9 } } } }',
      'tables.a.kernel.table',
      'table is missing',
    ],
    ['tables: { a: {} }\npipes: [{ from: main, to: b }]', 'pipes[0].to', 'there is no table b'],
    ['tables: { a: {} }\npipes: [{ from: a, to: a }]', 'pipes[0].to', 'a pipe joins two tables'],
    [
      'tables: { a: { families: [ipv4] }, b: { families: [ipv6] } }\npipes: [{ from: a, to: b }]',
      'pipes[0]',
      'a and b have no family in common',
    ],
    ['peers: [{ address: 10.0.0.2, asn: internal, table: a }]', 'peers[0].table', 'there is no table a'],
    [
      'tables: { a: { families: [ipv6] } }\npeers: [{ address: 10.0.0.2, asn: internal, table: a }]',
      'peers[0].table',
      'table a has no ipv4 routes',
    ],
  ];
  it.each(WRONG)('%s', (text, path, message) => {
    expect(issuesOf(lines(text)).map((issue) => `${issue.path} ${issue.message}`)).toContain(
      `${path} ${message}`,
    );
  });
});

describe("in BIRD's language", () => {
  it('2.x: protocols are attached by their channels, each table of one family', () => {
    const { config: loaded } = model(`router id 10.0.0.1; ipv4 table t2; ipv6 table t6;
      protocol device { } protocol direct { ipv4 { table t2; }; ipv6; }
      protocol kernel { ipv4 { export all; }; }
      protocol kernel { ipv4 { table t2; export all; }; kernel table 100; }
      protocol static { ipv4; route 10.1.0.0/16 blackhole; }
      protocol static { ipv4 { table t2; }; route 10.1.0.0/16 unreachable; }
      protocol bgp b { local as 1; neighbor 10.0.0.2 as 2;
        ipv4 { table t2; igp table master4; import all; export all; }; ipv6 { import all; export all; }; }
      protocol pipe { table master4; peer table t2; export all; import none; }`);
    expect(tablesIn(loaded)).toEqual([
      {
        name: 't2',
        families: ['ipv4'],
        install: true,
        table: 100,
        nextHopTracking: true,
        networks: ['10.1.0.0/16'],
        redistribute: ['connected'],
      },
      {
        name: 't6',
        families: ['ipv6'],
        install: false,
        table: 254,
        nextHopTracking: true,
        networks: [],
        redistribute: [],
      },
    ]);
    expect([loaded.networks.map(({ type }) => type), loaded.redistribute, loaded.kernel.table]).toEqual([
      ['blackhole'],
      ['connected'],
      254,
    ]);
    expect(loaded.peers[0]).toMatchObject({ tables: { ipv4: 't2' }, igpTables: { ipv4: '' } });
    expect(loaded.pipes).toEqual([
      { name: 'pipe1', families: ['ipv4'], table: '', peerTable: 't2', export: 'accept', import: 'reject' },
    ]);
  });

  it('1.6: the same without channels', () => {
    const text = `router id 10.0.0.1; table t2; protocol device { } protocol direct { table t2; }
      protocol kernel { table t2; kernel table 100; export all; }
      protocol static { route 10.1.0.0/16 blackhole; }
      protocol static { table t2; route 10.1.0.0/16 unreachable; }
      protocol bgp b { local as 1; neighbor 10.0.0.2 as 2; table t2; igp table master; }
      protocol pipe { peer table t2; export all; }`;
    const { config: loaded } = model(text, { dialect: '1.6' });
    expect(tablesIn(loaded)).toMatchObject([
      { name: 't2', families: ['ipv4'], install: true, table: 100, redistribute: ['connected'] },
    ]);
    expect([loaded.kernel.install, loaded.redistribute, loaded.networks.length]).toEqual([false, [], 1]);
    expect(loaded.peers[0]).toMatchObject({ tables: { ipv4: 't2' }, igpTables: { ipv4: '' } });
    expect(loaded.pipes).toMatchObject([{ table: '', peerTable: 't2', export: 'accept', import: 'accept' }]);
  });

  it('two tables in one kernel table are warned of', () => {
    const text = (
      number: number,
    ) => `router id 10.0.0.1; ipv4 table t2; protocol kernel { ipv4 { export all; }; }
      protocol kernel { ipv4 { table t2; export all; }; kernel table ${number}; }`;
    expect(model(text(254)).warnings).toContain(
      "kernel table 254 is written from several tables, which remove each other's routes (t2)",
    );
    expect(model(text(100)).warnings).toEqual([]);
  });

  it('dumps are written from patterns of tables, filters included', () => {
    const { config: loaded } = model(`router id 10.0.0.1; ipv4 table t2;
      protocol mrt { table "t*"; filename "/d/%N"; period 60; where net.len > 8; always add path; }
      protocol mrt m { table t2; filename "/e"; period 5; } protocol mrt m3 { disabled; table t2; filename "/f"; period 5; }`);
    expect(loaded.mrt).toMatchObject([
      { name: 'mrt1', table: 't*', filename: '/d/%N', period: 60, addPath: true },
      { name: 'm', table: 't2', filename: '/e', period: 5, addPath: false, policy: 'accept' },
    ]);
    expect(loaded.mrt![0]!.policy).toBeTypeOf('object');
  });

  it('a protocol that is switched off is attached to nothing', () => {
    const { config: loaded } = model(`router id 10.0.0.1; ipv4 table t2;
      protocol kernel { disabled; ipv4 { table t2; export all; }; kernel table 100; }
      protocol pipe { disabled; table master4; peer table t2; }`);
    expect(tablesIn(loaded)).toMatchObject([{ name: 't2', install: false }]);
    expect(loaded.pipes).toBe(undefined);
  });
});
