// Reloads that concern the kernel: what can change in place, and what another reader and writer takes over.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { formatPrefix } from '../../src/lib/ip.ts';
import { kernelRoute, simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rig, rigInput } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const IBGP = '10.0.0.9';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const AROUND: Record<string, RigPeer> = {
  [A]: { as: 65002 },
  [B]: { as: 65003 },
  [IBGP]: { as: OWN_AS },
};

it('kernel settings change under a running speaker', async () => {
  const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
  const set = await rig(AROUND, { kernel: { install: true, metric: 50 } }, kernel);
  for (const address of [A, B])
    set.peer(address).announce([P1], { asPath: `${address === A ? 65002 : 65003}` });
  await set.lab.settle();
  expect(set.speaker.kernelRoutes()).toEqual([`${P1} via ${A}`]);
  const more = { decision: { multipathRelax: true } };
  await set.speaker.reload(rigInput(AROUND, { kernel: { install: true, metric: 50, ecmp: 4 }, ...more }));
  await set.lab.run(1000);
  expect(set.speaker.kernelRoutes()).toEqual([`${P1} via ${A}, ${B}`]);
  kernel.log.length = 0;
  await set.speaker.reload(rigInput(AROUND, { kernel: { install: true, metric: 60, ecmp: 4 }, ...more }));
  await set.lab.run(60_000);
  expect(kernel.routes().filter(({ protocol }) => protocol === 12)).toMatchObject([{ metric: 60 }]);
  expect(kernel.log.map(({ kind }) => kind)).not.toEqual([]);
  // The new route stands before the old one goes.
  expect(kernel.log.map(({ kind, route }) => `${kind} ${route.metric}`).at(-1)).toBe('delete 50');
  await set.speaker.reload(
    rigInput(AROUND, {
      kernel: { install: true, metric: 60, ecmp: 4 },
      redistribute: ['connected'],
      ...more,
    }),
  );
  expect(set.peer(IBGP).prefixes()).toContain('10.0.0.0/24');
  await set.speaker.reload(rigInput(AROUND, { kernel: { install: true, metric: 60, ecmp: 4 }, ...more }));
  expect(set.peer(IBGP).prefixes()).not.toContain('10.0.0.0/24');
  expect(set.speaker.api.peers().map((peer) => peer.establishedCount)).toEqual([1, 1, 1]);
});

it('the kernel route of a network changes with its type and next hops', async () => {
  const kernel = { install: true };
  const { speaker } = await rig({}, { kernel, networks: [P1] }, simKernel(`eth0 ${OWN_ADDRESS}/24`));
  const network = async (more: object): Promise<readonly string[]> => {
    await speaker.reload(rigInput({}, { kernel, networks: [{ prefix: P1, ...more }] }));
    return speaker.kernelRoutes();
  };
  expect(speaker.kernelRoutes()).toEqual([]);
  expect(await network({ type: 'blackhole' })).toEqual([`${P1} blackhole`]);
  expect(await network({ type: 'via', via: [A] })).toEqual([`${P1} via ${A}`]);
  expect(await network({ type: 'via', via: [B] })).toEqual([`${P1} via ${B}`]);
  speaker.api.addNetwork({ prefix: P1, type: 'prohibit' });
  expect(await network({ type: 'unreachable' })).toEqual([`${P1} prohibit`]);
  speaker.api.deleteNetwork(P1);
  expect(await network({ type: 'unreachable', med: 7 })).toEqual([`${P1} unreachable`]);
  expect(await network({ type: 'none', med: 7 })).toEqual([]);
});

it('a family moves, and the other one is not touched', async () => {
  const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
  const networks = [
    { prefix: P1, type: 'blackhole' as const },
    { prefix: '2001:db8::/32', type: 'blackhole' as const },
  ];
  const section = { install: true, metric: 50, ipv6: { table: 100, metric: 60 } };
  const { lab, speaker } = await rig({}, { kernel: section, networks }, kernel);
  const own = () =>
    kernel
      .routes()
      .filter(({ protocol }) => protocol === 12)
      .map(({ prefix, table, metric }) => `${formatPrefix(prefix)} ${table} ${metric}`);
  await lab.run(1000);
  expect(own()).toEqual([`${P1} 254 50`, '2001:db8::/32 100 60']);
  kernel.log.length = 0;
  const moved = { ...section, ipv6: { ...section.ipv6, metric: 70 } };
  await speaker.reload(rigInput({}, { kernel: moved, networks }));
  await lab.run(60_000);
  expect(own()).toEqual([`${P1} 254 50`, '2001:db8::/32 100 70']);
  expect(new Set(kernel.log.map(({ route }) => formatPrefix(route.prefix)))).toEqual(
    new Set(['2001:db8::/32']),
  );
  const persistent = { ...moved, ipv6: { ...moved.ipv6, keepOnStop: true } };
  await speaker.reload(rigInput({}, { kernel: persistent, networks }));
  const stopped = speaker.speaker.stop();
  await lab.run(5000);
  await stopped;
  expect(own()).toEqual(['2001:db8::/32 100 70']);
});

describe('the kernel is taken over by another', () => {
  const withKernel = (kernel: NonNullable<ConfigInput['kernel']>) => rigInput(AROUND, { kernel });
  const eth0 = () => simKernel(`eth0 ${OWN_ADDRESS}/24`);
  const P3 = '203.0.113.0/24';

  it('one that cannot be read changes nothing', async () => {
    const kernel = eth0();
    const set = await rig(AROUND, { kernel: { install: true } }, kernel);
    const { lab, speaker, peer } = set;
    peer(A).announce([P1]);
    await lab.settle();
    const session = kernel.session.bind(kernel);
    let closed = 0;
    kernel.session = () => ({
      ...session(),
      watch: () => Promise.reject(new Error('no more sockets')),
      close: async () => void closed++,
    });
    await expect(speaker.reload(withKernel({ install: true, metric: 60 }))).rejects.toThrow('sockets');
    kernel.session = session;
    expect(closed).toBe(1);
    peer(B).announce([P2]);
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`, `${P2} via ${B}`]);
    // Next hops are followed as before.
    kernelRoute(kernel, '172.16.0.0/16', '10.0.0.254');
    peer(IBGP).announce([P3], {}, '172.16.0.1');
    await lab.settle();
    expect(speaker.kernelRoutes()).toContain(`${P3} via 10.0.0.254`);
    expect(await speaker.reload(withKernel({ install: true, metric: 60 }))).toHaveLength(1);
    expect(kernel.routes().filter(({ metric }) => metric === 60)).toHaveLength(3);
  });

  it('one that another table cannot have changes nothing either', async () => {
    const kernel = eth0();
    const blue = (metric: number) => ({ blue: { kernel: { install: true, table: 100, metric } } });
    const around = { ...AROUND, [IBGP]: { as: OWN_AS, config: { table: 'blue' } } };
    const tables = (metric: number) =>
      rigInput(around, { kernel: { install: true, metric }, tables: blue(metric) });
    const { lab, speaker, peer } = await rig(around, tables(50), kernel);
    const session = kernel.session.bind(kernel);
    const opened: string[] = [];
    kernel.session = () => {
      const user = session();
      const name = `${opened.length}`;
      opened.push(name);
      return {
        ...user,
        watch: (events) => (name === '1' ? Promise.reject(new Error('no more sockets')) : user.watch(events)),
        close: async () => {
          opened.push(`${name} closed`);
          await user.close();
        },
      };
    };
    await expect(speaker.reload(tables(60))).rejects.toThrow('sockets');
    kernel.session = session;
    expect(opened).toEqual(['0', '1', '1 closed', '0 closed']);
    // Next hops are followed as before, and networks have their ways.
    peer(IBGP).announce([P1], {}, '172.16.0.1');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([]);
    kernelRoute(kernel, '172.16.0.0/16', '10.0.0.254');
    await lab.settle();
    expect(speaker.kernelRoutes()).toEqual([`${P1} via 10.0.0.254`]);
    expect(await speaker.reload(tables(60))).toHaveLength(2);
    await lab.run(60_000);
    expect(kernel.routes().filter(({ protocol }) => protocol === 12)).toMatchObject([
      { table: 100, metric: 60 },
    ]);
  });

  it('what arrives while it is read is decided as usual', async () => {
    const kernel = eth0();
    const { lab, speaker, peer } = await rig(AROUND, { kernel: { install: true } }, kernel);
    peer(A).announce([P1]);
    await lab.settle();
    peer(B).clear();
    const session = kernel.session.bind(kernel);
    let read = () => {};
    kernel.session = () => {
      const user = session();
      const dumpLinks = async () => {
        await new Promise<void>((resolve) => {
          read = resolve;
        });
        return user.dumpLinks();
      };
      return { ...user, dumpLinks };
    };
    const reloaded = speaker.reload(withKernel({ install: true, metric: 60 }));
    await lab.settle();
    peer(A).announce([P1], { asPath: '65002 65077' });
    peer(A).announce([P2]);
    await lab.settle();
    expect(peer(B).heard.sort()).toEqual([`+${P1}`, `+${P2}`]);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`, `${P2} via ${A}`]);
    read();
    await reloaded;
    expect(kernel.routes().filter(({ protocol }) => protocol === 12)).toMatchObject([
      { metric: 60 },
      { metric: 60 },
    ]);
  });

  it('the former leaves nothing behind that works or is counted', async () => {
    const { lab, speaker } = await rig(AROUND, { kernel: { install: true } }, eth0());
    const stages = () => speaker.api.status().stages.map(({ name }) => name);
    const before = stages();
    const { pending } = lab.clock;
    for (const metric of [60, 70, 80]) await speaker.reload(withKernel({ install: true, metric }));
    expect(stages()).toEqual(before);
    // What waits for interfaces to settle has done so.
    await lab.run(2000);
    expect(lab.clock.pending).toBe(pending);
  });

  it('one that is lost under way is a problem that the status shows', async () => {
    const kernel = eth0();
    const session = kernel.session.bind(kernel);
    let fail = (_error: Error) => {};
    kernel.session = () => {
      const user = session();
      return {
        ...user,
        watch: (events) => {
          fail = (error) => events.onFailure(error);
          return user.watch(events);
        },
      };
    };
    const { lab, speaker } = await rig(AROUND, { kernel: { install: true } }, kernel);
    expect(speaker.api.status().problems).toEqual([]);
    fail(new Error('the thread died'));
    await lab.settle();
    expect(speaker.api.status().problems).toEqual([
      'the kernel is out of reach, its routes stay as they are: the thread died',
    ]);
    await speaker.reload(withKernel({ install: true, metric: 60 }));
    expect(speaker.api.status().problems).toEqual([]);
  });

  it('another time between audits counts from now on', async () => {
    const { lab, speaker } = await rig(AROUND, { kernel: { install: true, scanTime: 600 } }, eth0());
    await speaker.reload(withKernel({ install: true, scanTime: 20 }));
    const lastScan = () => speaker.api.status().kernel?.lastScanAt ?? 0;
    const before = lastScan();
    await lab.run(30_000);
    expect(lastScan() - before).toBeGreaterThan(20_000);
  });

  it('many routes that stay where they are are not touched', async () => {
    const kernel = eth0();
    const { lab, speaker, peer } = await rig(AROUND, { kernel: { install: true } }, kernel);
    const many = Array.from({ length: 6000 }, (_, i) => `10.${64 + (i >> 8)}.${i & 255}.0/24`);
    peer(A).announce(many);
    for (const raw of [A, B, IBGP].map(peer)) raw.endOfRib();
    await lab.run(1000);
    expect(speaker.kernelRoutes()).toHaveLength(many.length);
    // Time passes while tables are worked on: the decisions take more than one turn.
    const now = lab.clock.now.bind(lab.clock);
    let worked = 0;
    lab.clock.now = () => {
      worked += 1;
      return now() + worked;
    };
    kernel.log.length = 0;
    await speaker.reload(withKernel({ install: true, nextHopTracking: false }));
    await lab.run(1000);
    expect(kernel.log).toEqual([]);
    expect(speaker.kernelRoutes()).toHaveLength(many.length);
    for (const prefix of many) peer(A).withdraw(prefix);
    await lab.run(1000);
    expect(speaker.kernelRoutes()).toEqual([]);
    expect(speaker.speaker.rib.families.map(({ prefixes }) => prefixes.size)).toEqual([0, 0]);
  });
});
