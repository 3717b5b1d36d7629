// Several tables and pipes beside the real BIRD, 1.6 and 2.x: the same file in two machines, one with BIRD and one with
// godwit, and a third that gives both the same routes. Tables, kernel tables and what the third is sent must be the same.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, waitFor } from '../../bench/lab/command.ts';
import { type BirdKind, type BirdProcess, missingBird } from '../support/lab/bird-process.ts';
import { LAB_DEVICE, labOfEachTest, type Node } from '../support/lab/lab.ts';
import { labRequirement, skipWithout } from '../support/lab/requirement.ts';

const createLab = labOfEachTest();

const BGPDUMP = '/usr/bin/bgpdump';

interface Dialect {
  readonly kind: Exclude<BirdKind, 'godwit'>;
  readonly main: string;
  readonly tables: readonly string[];
  /** A protocol's statements of its table, import and export. */
  attach(table: string, policy?: string): string;
  readonly heading: string;
  /** What only this one has. */
  readonly more: string;
  readonly queries: readonly string[];
}

const BIRD2: Dialect = {
  kind: 'bird2',
  main: 'master4',
  tables: ['master4', 'blue', 'red', 'under'],
  attach: (table, policy = '') => `ipv4 { table ${table}; ${policy} };`,
  heading: 'ipv4 table blue; ipv4 table red; ipv4 table under;',
  more: '',
  queries: [],
};
const BIRD1: Dialect = {
  kind: 'bird1',
  main: 'master',
  tables: ['master', 'blue', 'red', 'green', 'under'],
  attach: (table, policy = '') => `table ${table}; ${policy}`,
  heading: 'table blue; table red; table green; table under; listen bgp port 179;',
  more: `protocol pipe p4 { table red; peer table green; mode opaque; export all; import all; }
protocol kernel k4 { scan time 2; kernel table 50; table green; import none; export all; }`,
  queries: ['export p4', 'table green protocol p4', 'export k4'],
};

/** Of the second static protocol of the main table. */
const OWN_WAYS = `import filter {
  if net = 10.6.0.0/16 then reject;
  if net = 10.7.0.0/16 then dest = RTD_PROHIBIT;
  preference = 210;
  bgp_local_pref = 77;
  accept;
};`;

const KERNEL_TABLES = { master: 254, blue: 100, red: 200, green: 50 } as const;

function config({ main, attach, heading, more }: Dialect, own: Node, source: Node): string {
  return `router id 10.0.0.1;
${heading}
protocol device { scan time 2; }
protocol direct d1 { ${attach('blue')} interface "${LAB_DEVICE}"; }
protocol kernel k1 { scan time 2; ${attach(main, 'import none; export all;')} }
protocol kernel k2 { scan time 2; kernel table ${KERNEL_TABLES.blue}; ${attach('blue', 'import none; export all;')} }
protocol kernel k3 { scan time 2; kernel table ${KERNEL_TABLES.red}; ${attach('red', 'import none; export where source = RTS_BGP;')} }
protocol static s1 {
  ${attach(main)}
  route 10.1.0.0/16 blackhole;
  route 10.2.0.0/16 via ${source.ipv4};
  route 10.3.0.0/16 unreachable { preference = 150; };
}
protocol static s2 { ${attach('blue')} route 10.4.0.0/16 blackhole; route 10.5.0.0/16 via "${LAB_DEVICE}"; }
protocol static s3 {
  ${attach(main, OWN_WAYS)}
  route 10.1.0.0/16 unreachable;
  route 10.6.0.0/16 blackhole;
  route 10.7.0.0/16 via ${source.ipv4};
  route 10.8.0.0/16 recursive 192.0.2.1;
  route 10.9.0.0/16 recursive 10.3.0.1;
  route 10.10.0.0/16 recursive 10.2.0.1;
  route 10.11.0.0/16 recursive 10.10.0.1;
}
protocol static s4 {
  ${attach('under')}
  route 10.12.0.0/16 via ${source.ipv4};
  route 10.3.0.0/16 prohibit;
  route 10.13.0.0/16 via 192.0.2.1;
}
protocol static s5 {
  ${attach(main)}
  igp table under;
  route 10.14.0.0/16 recursive 10.12.0.1;
  route 10.15.0.0/16 recursive 10.2.0.1;
  route 10.16.0.0/16 recursive 10.3.0.1;
}
protocol pipe p5 { table under; peer table ${main}; import none; export where net = 10.12.0.0/16; }
protocol direct d2 { ${attach('blue', 'import filter { preference = 5; accept; };')} interface "*"; }
filter forward {
  if net = 10.1.0.0/16 && proto = "s1" then { preference = 33; accept; }
  if net = 10.5.0.0/16 then accept;
  if source = RTS_STATIC && proto = "s1" then accept;
  if source = RTS_BGP && bgp_path.len < 3 then { bgp_community.add((65000, 7)); accept; }
  reject;
}
protocol pipe p1 { table ${main}; peer table blue; export filter forward; import where net ~ [10.4.0.0/16]; }
protocol pipe p2 { table blue; peer table red; export all; import all; }
protocol pipe p3 { table red; peer table ${main}; export where net = 10.5.0.0/16; import none; }
protocol bgp up {
  local ${own.ipv4} as 65001; neighbor ${source.ipv4} as 65100; connect delay time 1; connect retry time 1;
  ${attach(main, 'import all; export none;')}
}
${more}
`;
}

/** Gives both the same routes; godwit's and BIRD's sessions are alike. */
function sourceConfig(own: Node, peers: readonly Node[]): string {
  const sessions = peers.map(
    (peer, i) => `protocol bgp b${i} {
  local ${own.ipv4} as 65100; neighbor ${peer.ipv4} as 65001; connect delay time 1; connect retry time 1;
  ipv4 { import none; export where source = RTS_STATIC; next hop self; };
}`,
  );
  return `router id 10.0.0.9;
protocol device { scan time 2; }
protocol static origin { ipv4;
  route 172.16.1.0/24 blackhole { bgp_community.add((65100, 1)); };
  route 172.16.2.0/24 blackhole { bgp_path.prepend(65200); bgp_path.prepend(65200); };
  route 172.16.3.0/24 blackhole { bgp_path.prepend(65200); bgp_med = 7; };
}
${sessions.join('\n')}
`;
}

/** Routes of an answer in one order, each with what follows it; addresses of the machine itself, and times, are alike. */
function routesOf(text: string, own: Node): string[] {
  const routes: string[] = [];
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('Table ')) table = line;
    else if (/^\d/.test(line)) routes.push(`${table} ${line}`);
    else if (line !== '') routes.push(`${routes.pop()}\n${line}`);
  }
  return routes
    .map((route) =>
      route.replaceAll(own.ipv4, 'OWN').replaceAll(/ \d\d:\d\d:\d\d(\.\d+)?(?=[\] ])/g, ' TIME'),
    )
    .map((route) => route.replaceAll(/ \d{4}-\d\d-\d\d(?=\])/g, ' TIME'))
    .sort();
}

/** 2.x: both write the table of the peers' routes in the MRT format, and say the same of them. */
async function dumpsAreAlike(
  { kind }: Dialect,
  pairs: readonly (readonly [BirdProcess, Node])[],
): Promise<void> {
  if (kind !== 'bird2' || !existsSync(BGPDUMP)) return;
  const [mine = [], its = []] = await Promise.all(
    pairs.map(async ([daemon, node]) => {
      const path = join(node.directory, 'red.mrt');
      // The real one's client waits for no file.
      await daemon.ask(`mrt dump table "red" to "${path}" where source = RTS_BGP`);
      await waitFor(
        'the dump is written',
        async () => existsSync(path) && (await run([BGPDUMP, '-m', path])) !== '',
      );
      const text = await run([BGPDUMP, '-m', path]);
      return text
        .split('\n')
        .map((line) => line.replace(/^TABLE_DUMP2\|\d+/, ''))
        .sort();
    }),
  );
  expect(mine).toEqual(its);
  expect(its.filter((line) => line !== '').length).toBe(2);
}

async function kernelTable(node: Node, table: number): Promise<string[]> {
  const text = await run(node.namespace.wrap(['ip', 'route', 'show', 'table', `${table}`, 'proto', 'bird']));
  return text
    .split('\n')
    .map((line) => line.trim().replaceAll(own(node), 'OWN'))
    .filter((line) => line !== '')
    .sort();
}

const own = (node: Node): string => node.ipv4;

describe('tables and pipes beside BIRD', async () => {
  const { skip } = await labRequirement(['godwit', 'bird']);

  const without2 = skipWithout(missingBird('bird2'));
  test.skipIf(skip || without2 || skipWithout(missingBird('bird1')))('as BIRD 1.6', () => compare(BIRD1));
  test.skipIf(skip || without2)('as BIRD 2', () => compare(BIRD2));

  async function compare(dialect: Dialect): Promise<void> {
    const lab = await createLab(`tab${dialect.kind.at(-1)}`, ['ours', 'theirs', 'source']);
    const [ours, theirs, source] = [lab.node(0), lab.node(1), lab.node(2)];
    await (await lab.bird('bird2', source, sourceConfig(source, [ours, theirs]))).ready();
    const godwit = await (await lab.bird('godwit', ours, config(dialect, ours, source))).ready();
    const bird = await (await lab.bird(dialect.kind, theirs, config(dialect, theirs, source))).ready();
    const pairs = [
      [godwit, ours],
      [bird, theirs],
    ] as const;
    const both = async <T>(ask: (daemon: BirdProcess, node: Node) => Promise<T>): Promise<T[]> =>
      Promise.all(pairs.map(([daemon, node]) => ask(daemon, node)));
    const alike = async (
      ask: (daemon: BirdProcess, node: Node) => Promise<readonly string[]>,
    ): Promise<void> => {
      const [mine = [], its = []] = await both(ask);
      expect(mine).toEqual(its);
      expect(its.length).toBeGreaterThan(0);
    };
    for (const [daemon] of pairs) {
      await daemon.established('up');
      await waitFor('the routes have come', async () =>
        (await daemon.ask('show route table red')).includes('172.16.3.0'),
      );
    }
    await waitFor('the kernels have the routes', async () => {
      const counts = await both(async (_daemon, node) => (await kernelTable(node, KERNEL_TABLES.red)).length);
      return counts.every((count) => count === 2);
    });
    for (const table of dialect.tables) {
      await alike(async (daemon, node) => routesOf(await daemon.ask(`show route table ${table}`), node));
      await alike(async (daemon, node) =>
        routesOf(await daemon.ask(`show route table ${table} primary`), node),
      );
    }
    for (const query of [
      'export p1',
      'export p2',
      'preexport p1',
      'protocol s2',
      'all protocol s3',
      'all protocol s5',
      'all 10.12.0.0/16',
      'protocol d2',
      'table blue protocol d1',
      'table red protocol up',
      'export k3',
      ...dialect.queries,
    ]) {
      await alike(async (daemon, node) => {
        const routes = routesOf(await daemon.ask(`show route ${query}`), node);
        // BIRD shows what it would offer and not take: it has come this way.
        return routes.filter((route) => !query.endsWith('export p1') || !route.includes(' 10.5.0.0/16'));
      });
    }
    const tabs = dialect.kind === 'bird2' ? 'show route table all count' : 'show route table blue count';
    await alike(async (daemon) => [await daemon.ask(tabs)]);
    await alike(async (daemon) =>
      [await daemon.ask('show symbols table')].flatMap((text) => text.split('\n').sort()),
    );
    await alike(async (daemon) => {
      const protocols = await daemon.ask('show protocols');
      return protocols
        .split('\n')
        .flatMap((line) =>
          / (Pipe|Kernel|Direct|Static) /.test(line)
            ? [line.replaceAll(/\d\d:\d\d:\d\d(\.\d+)? +/g, 'TIME ')]
            : [],
        );
    });
    await alike(async (daemon) => {
      const all = `${await daemon.ask('show protocols all p1')}${await daemon.ask('show protocols all p2')}${await daemon.ask('show protocols all s3')}`;
      return all.split('\n').filter((line) => /imported|[Ff]ilter|able:/.test(line));
    });
    const { green, ...usual } = KERNEL_TABLES;
    for (const table of [...Object.values(usual), ...(dialect === BIRD1 ? [green] : [])]) {
      await alike(async (_daemon, node) =>
        (await kernelTable(node, table)).filter((line) => !line.startsWith('10.99.0.0/24')),
      );
    }
    await dumpsAreAlike(dialect, pairs);
    // A pipe that is switched off takes its routes back, and gives them again.
    for (const command of ['disable p2', 'enable p2']) {
      for (const [daemon] of pairs) await daemon.ask(command);
      const wanted = command === 'enable p2';
      for (const [daemon] of pairs) {
        await waitFor(
          command,
          async () => (await daemon.ask('show route table red')).includes('172.16.3.0') === wanted,
        );
      }
      await waitFor('the kernels follow', async () => {
        const counts = await both(
          async (_daemon, node) => (await kernelTable(node, KERNEL_TABLES.red)).length,
        );
        return counts.every((count) => count === (wanted ? 2 : 0));
      });
    }
    await alike(async (daemon, node) => routesOf(await daemon.ask(`show route table red`), node));
  }
});
