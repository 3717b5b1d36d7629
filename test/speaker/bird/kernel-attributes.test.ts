// Foreign kernel routes as filters and `show route all` have them: where they lead, and what the kernel has beside. The
// expected lines are those of BIRD 2.0.12 and 1.6.8 in a namespace with the same routes.

import { describe, expect, it } from 'vitest';
import { UNWRITTEN_ATTRIBUTES } from '../../../src/config/bird/to-model-kernel.ts';
import type { MemKernel } from '../../../src/fib/mem-kernel.ts';
import type { KernelRoute } from '../../../src/fib/types.ts';
import { formatPrefix, parsePrefix } from '../../../src/lib/ip.ts';
import { ROUTE_ATTRIBUTES } from '../../../src/policy/attributes.ts';
import type { TableQuery, TableRoute } from '../../../src/speaker/api/tables.ts';
import { ip } from '../../support/raw-peer.ts';
import { SimLab, simKernel } from '../../support/sim-lab.ts';
import { type BirdLab, birdLab, OWN } from '../bird-lab.ts';

const ETH0 = 2;

function foreign(kernel: MemKernel, text: string, more: Partial<KernelRoute>): void {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`${text} is no prefix`);
  const nextHops = [{ gateway: ip('10.0.0.9'), ifindex: ETH0 }];
  kernel.addRoute({ prefix, table: 254, metric: 0, protocol: 80, type: 'unicast', nextHops, ...more });
}

const ALL = new Map([
  [1, 0x20c4],
  [2, 1400],
  [3, 9],
  [4, 30],
  [5, 7],
  [6, 8],
  [7, 11],
  [8, 1300],
  [9, 4],
  [10, 33],
  [11, 12],
  [12, 9],
  [13, 400],
  [14, 13],
  [15, 1],
]);

function machine(): MemKernel {
  const kernel = simKernel(`eth0 ${OWN}/24`, 'eth1');
  foreign(kernel, '10.51.0.0/24', { nextHops: [{ ifindex: ETH0 }], scope: 254 });
  foreign(kernel, '10.52.0.0/24', { nextHops: [{ ifindex: ETH0 }], scope: 253 });
  foreign(kernel, '10.53.0.0/24', { nextHops: [], type: 'blackhole' });
  foreign(kernel, '10.54.0.0/24', { nextHops: [], type: 'prohibit' });
  foreign(kernel, '10.55.0.0/24', { prefSource: ip(OWN), realm: 7, metrics: ALL });
  const hop = (gateway: string | undefined, weight: number) => ({
    ...(gateway !== undefined && { gateway: ip(gateway) }),
    ifindex: ETH0,
    weight,
  });
  const nextHops = [hop('10.0.0.9', 1), hop('10.0.0.8', 3), hop('10.0.0.7', 3), hop(undefined, 1)];
  foreign(kernel, '10.56.0.0/24', { nextHops });
  return kernel;
}

const FILES = {
  '2.x': `router id 10.0.0.1; ipv4 table t2; protocol device {}
protocol kernel k { learn; ipv4 { import all; export none; }; }
protocol kernel k2 { kernel table 100; ipv4 { table t2; import none; export all; }; }
protocol pipe p { table master4; peer table t2; import none; export all; }`,
  '1.6': `router id 10.0.0.1; protocol device {} protocol kernel k { learn; import all; export none; }`,
} as const;

async function start(dialect: keyof typeof FILES): Promise<{ api: BirdLab['api']; kernel: MemKernel }> {
  const kernel = machine();
  const { api } = await birdLab(new SimLab(), FILES[dialect], [], async () => kernel);
  return { api, kernel };
}

function routes({ bird }: BirdLab['api'], where?: string): TableRoute[] {
  const query: TableQuery = { tables: undefined, protocol: 'k' };
  const filter = { kind: 'where', text: where ?? 'true' } as const;
  const answers = bird.routes({ ...query, filter }).flatMap((answer) => [...answer.routes()]);
  return answers.filter((route) => route !== undefined).filter(({ table }) => table.startsWith('master'));
}

function lines(all: readonly TableRoute[]): string[] {
  return all
    .map(({ net, destination, kernel }) => {
      return [net, destination, ...kernel.slice(2).map(({ name, value }) => `${name}=${value}`)].join(' ');
    })
    .sort();
}

/** Every attribute that stands for something of the kernel's, with a value. */
const SETTABLE = ROUTE_ATTRIBUTES.filter(
  ({ name, writable }) =>
    writable &&
    name.startsWith('krt_') &&
    !UNWRITTEN_ATTRIBUTES.includes(name) &&
    !['krt_metric', 'krt_prefsrc', 'krt_tunnel'].includes(name),
);

const EVERYTHING =
  'prefsrc=10.0.0.1 realm=7 lock=mtu sstresh cwnd rto_min mtu=1400 window=9 rtt=30 rttvar=7 sstresh=8 cwnd=11 ' +
  'advmss=1300 reordering=4 hoplimit=33 initcwnd=12 features=ecn allfrag rto_min=400 initrwnd=13 quickack=1';

describe('a foreign kernel route', () => {
  it.each([
    ['2.x', ' scope=253'],
    ['1.6', ''],
  ] as const)('is shown as BIRD %s shows it', async (dialect, scope) => {
    const { api } = await start(dialect);
    expect(lines(routes(api))).toEqual([
      '10.51.0.0/24 unicast scope=254',
      `10.52.0.0/24 unicast${scope}`,
      '10.53.0.0/24 blackhole',
      '10.54.0.0/24 prohibited',
      `10.55.0.0/24 unicast ${EVERYTHING}`,
      '10.56.0.0/24 unicast',
    ]);
  });

  it('lists next hops the heaviest first, then by gateway', async () => {
    const { api } = await start('2.x');
    const found = routes(api).find(({ net }) => net === '10.56.0.0/24');
    expect(found?.hops.map(({ gateway, weight }) => `${gateway} ${weight}`)).toEqual([
      '10.0.0.7 3',
      '10.0.0.8 3',
      'undefined 1',
      '10.0.0.9 1',
    ]);
  });

  it.each([
    ['krt_realm = 7 && krt_lock_cwnd && krt_feature_ecn', '10.55.0.0/24'],
    ['krt_prefsrc = 10.0.0.1', '10.55.0.0/24'],
    ['krt_scope = 254', '10.51.0.0/24'],
    ['dest = RTD_BLACKHOLE', '10.53.0.0/24'],
    ['krt_mtu > 1300', '10.55.0.0/24'],
  ])('can be asked: %s', async (condition, net) => {
    const { api } = await start('2.x');
    expect(routes(api, condition).map((route) => route.net)).toEqual([net]);
  });

  it('that is an answer goes through a pipe to another kernel table as one', async () => {
    const { kernel } = await start('2.x');
    const written = kernel.routes().filter(({ table }) => table === 100);
    expect(written.find(({ prefix }) => prefix.bytes[1] === 53)).toMatchObject({ type: 'blackhole' });
    expect(written.find(({ prefix }) => prefix.bytes[1] === 55)).toMatchObject({
      type: 'unicast',
      prefSource: ip(OWN),
      realm: 7,
      metrics: ALL,
    });
  });

  it('has whatever an export filter sets of it', async () => {
    const kernel = simKernel(`eth0 ${OWN}/24`);
    const value = (type: string): string => (type === 'bool' ? 'true' : '9');
    const cases = SETTABLE.map(({ name, type }, i) => ({ name, type, prefix: `10.51.${i}.0/24` }));
    const statements = cases.map(
      ({ name, type, prefix }) => `if net = ${prefix} then ${name} = ${value(type)};`,
    );
    const file = `router id 10.0.0.1; protocol device {}
      protocol static { ipv4; ${cases.map(({ prefix }) => `route ${prefix} via 10.0.0.9;`).join(' ')} }
      protocol kernel { ipv4 { import none; export filter { ${statements.join(' ')} accept; }; }; }`;
    const lab = new SimLab();
    await birdLab(lab, file, [], async () => kernel);
    await lab.run(1000);
    const written = kernel.routes().flatMap(({ protocol, prefix, scope, realm, metrics }) => {
      if (protocol !== 12) return [];
      const parts = [...(metrics ?? [])].map(([type, number]) => `${type}=${number}`);
      return [`${formatPrefix(prefix)} ${scope ?? ''} ${realm ?? ''} ${parts.join()}`];
    });
    expect(written.length).toBe(cases.length);
    const particulars = written.map((line) => line.slice(line.indexOf(' ') + 1));
    expect(new Set(particulars).size).toBe(cases.length);
    expect(particulars).not.toContain('  ');
    expect(particulars).toEqual(expect.arrayContaining(['9  ', ' 9 ', '  2=9', '  1=4', '  12=1', '  12=8']));
  });
});
