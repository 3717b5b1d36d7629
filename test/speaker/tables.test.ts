// Several routing tables in one speaker: peers, kernel tables and networks of each, pipes between them, and reloads that
// bring and take them.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { formatPrefix } from '../../src/lib/ip.ts';
import { kernelRoute, simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, type RigPeer, rig, rigInput } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';
const INSTALL = { kernel: { install: true } };
const BLUE = { blue: { kernel: { install: true, table: 100 } } };
const AROUND: Readonly<Record<string, RigPeer>> = {
  [A]: { as: 65002 },
  [B]: { as: 65003, config: { table: 'blue' } },
};

function input(more: Partial<ConfigInput>, around = AROUND): ConfigInput {
  return rigInput(around, more);
}

/** Own routes of the kernel: `table prefix`. */
function installed(kernel: MemKernel): string[] {
  const own = kernel.routes().filter(({ protocol }) => protocol === 12);
  return own.map(({ table, prefix }) => `${table} ${formatPrefix(prefix)}`).sort();
}

const eth0 = () => simKernel(`eth0 ${OWN_ADDRESS}/24`);

describe('tables without pipes', () => {
  it('know nothing of each other', async () => {
    const kernel = eth0();
    const { lab, speaker, peer } = await rig(AROUND, { ...INSTALL, tables: BLUE }, kernel);
    peer(A).announce([P1]);
    peer(B).announce([P2]);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(speaker.best({ table: 'main' })).toEqual([`${P1} from ${A}`]);
    expect(speaker.best({ table: 'blue' })).toEqual([`${P2} from ${B}`]);
    expect(speaker.best({ receivedFrom: B })).toEqual([`${P2} from ${B}`]);
    expect(() => speaker.best({ table: 'red' })).toThrow('there is no table "red"; there are main, blue');
    expect(installed(kernel)).toEqual([`100 ${P2}`, `254 ${P1}`]);
    expect([peer(A).prefixes(), peer(B).prefixes()]).toEqual([[], []]);
    const peers = speaker.api.peers();
    expect(peers.map(({ families }) => families[0]!.received)).toEqual([1, 1]);
  });

  it('have the same prefix, each its own way', async () => {
    const kernel = eth0();
    const { lab, peer } = await rig(AROUND, { ...INSTALL, tables: BLUE }, kernel);
    peer(A).announce([P1]);
    peer(B).announce([P1]);
    await lab.settle();
    expect(installed(kernel)).toEqual([`100 ${P1}`, `254 ${P1}`]);
    peer(A).withdraw(P1);
    await lab.settle();
    expect(installed(kernel)).toEqual([`100 ${P1}`]);
  });

  it('have networks and learned routes of their own', async () => {
    const kernel = eth0();
    kernelRoute(kernel, P3, A, { table: 100, protocol: 186 });
    const blue = {
      kernel: { install: true, table: 100 },
      networks: [{ prefix: P2, type: 'blackhole' as const }],
      redistribute: ['kernel' as const],
    };
    const { peer } = await rig(AROUND, { ...INSTALL, networks: [P1], tables: { blue } }, kernel);
    expect(peer(A).prefixes()).toEqual([P1]);
    expect(peer(B).prefixes()).toEqual([P2, P3]);
    expect(installed(kernel)).toEqual([`100 ${P2}`]);
  });

  it('look next hops up in their own kernel tables', async () => {
    const kernel = eth0();
    kernelRoute(kernel, '172.16.0.0/16', A, { table: 100 });
    const around = { [A]: { as: 65002 }, [B]: { as: 65003, config: { table: 'blue' } } };
    const { lab, speaker, peer } = await rig(around, { ...INSTALL, tables: BLUE }, kernel);
    for (const address of [A, B]) peer(address).announce([P1], {}, '172.16.0.1');
    await lab.settle();
    expect(speaker.best({ table: 'blue' })).toEqual([`${P1} from ${B}`]);
    expect(speaker.best()).toEqual([]);
    expect(installed(kernel)).toEqual([`100 ${P1}`]);
  });

  it('look them up elsewhere where they are told to', async () => {
    const kernel = eth0();
    kernelRoute(kernel, '172.16.0.0/16', A, { table: 100 });
    const around = { [A]: { as: 65002, config: { igpTable: 'blue' } } };
    const { lab, speaker, peer } = await rig(around, { ...INSTALL, tables: BLUE }, kernel);
    peer(A).announce([P1], {}, '172.16.0.1');
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(installed(kernel)).toEqual([`254 ${P1}`]);
  });

  it('without a kernel table follow next hops in the main one', async () => {
    const kernel = eth0();
    const { lab, speaker, peer } = await rig(AROUND, { ...INSTALL, tables: { blue: {} } }, kernel);
    peer(B).announce([P1]);
    peer(B).announce([P2], {}, '172.16.0.1');
    await lab.settle();
    expect(speaker.best({ table: 'blue' })).toEqual([`${P1} from ${B}`]);
    kernelRoute(kernel, '172.16.0.0/16', A);
    await lab.settle();
    expect(speaker.best({ table: 'blue' })).toEqual([`${P1} from ${B}`, `${P2} from ${B}`]);
    expect(installed(kernel)).toEqual([]);
  });
});

describe('a pipe', () => {
  const PIPE = { from: 'main', to: 'blue' };

  it('brings routes to the peers and the kernel table of the other side', async () => {
    const kernel = eth0();
    const { lab, peer } = await rig(AROUND, { ...INSTALL, tables: BLUE, pipes: [PIPE] }, kernel);
    peer(A).announce([P1]);
    peer(B).announce([P2]);
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P1]);
    expect(peer(A).prefixes()).toEqual([]);
    expect(installed(kernel)).toEqual([`100 ${P1}`, `100 ${P2}`, `254 ${P1}`]);
    peer(A).withdraw(P1);
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([]);
    expect(installed(kernel)).toEqual([`100 ${P2}`]);
  });

  it('shows filters what a route was at home, and lets them change it', async () => {
    const forward = `if proto = "${A}" && source = RTS_BGP && from = ${A} && preference = 100 then {
      preference = 77; bgp_community.add((1,2)); accept; } reject;`;
    const options = { tables: BLUE, networks: [P2], pipes: [{ ...PIPE, forward }] };
    const { lab, speaker, peer } = await rig(AROUND, options, eth0());
    peer(A).announce([P1]);
    await lab.settle();
    expect(speaker.best({ table: 'blue' })).toEqual([`${P1} from ${A}`]);
    expect(speaker.routes({ table: 'blue' })[0]?.attributes.communities).toEqual(['1:2']);
    expect(speaker.routes()[0]?.attributes.communities ?? []).toEqual([]);
    const [answer] = speaker.api.bird.routes({ tables: ['blue'] });
    expect([...answer!.routes()]).toMatchObject([{ protocol: A, preference: 77, primary: true }]);
  });

  it('installs static and connected routes of the other table as they are there', async () => {
    const kernel = eth0();
    const networks = [{ prefix: P1, type: 'blackhole' as const }, { prefix: P2, via: A }, P3];
    const options = { networks, tables: BLUE, redistribute: ['connected' as const], pipes: [PIPE] };
    await rig(AROUND, options, kernel);
    expect(installed(kernel)).toEqual(['100 10.0.0.0/24', `100 ${P1}`, `100 ${P2}`]);
  });

  it('lets a peer that leaves take its routes along', async () => {
    const kernel = eth0();
    const options = { ...INSTALL, tables: BLUE, pipes: [{ ...PIPE, back: 'accept' }] };
    const { lab, speaker, peer } = await rig(AROUND, options, kernel);
    peer(A).announce([P1]);
    peer(B).announce([P1, P2]);
    await lab.settle();
    expect(
      speaker
        .routes({ table: 'blue', prefix: P1 })
        .map((route) => route.peer)
        .sort(),
    ).toEqual([A, B]);
    speaker.api.peerDown(B, undefined);
    await lab.settle();
    expect([speaker.best(), speaker.best({ table: 'blue' })]).toEqual([
      [`${P1} from ${A}`],
      [`${P1} from ${A}`],
    ]);
    expect(installed(kernel)).toEqual([`100 ${P1}`, `254 ${P1}`]);
  });
});

describe('a reload', () => {
  const withPipe = { ...INSTALL, tables: BLUE, pipes: [{ from: 'main', to: 'blue' }] };

  it('adds and removes a table with its kernel table, and a pipe', async () => {
    const kernel = eth0();
    const around = { [A]: { as: 65002 } };
    const { lab, speaker, peer } = await rig(around, INSTALL, kernel);
    peer(A).announce([P1]);
    await lab.settle();
    const changes = await speaker.reload(input(withPipe, around));
    expect(changes).toEqual(['table blue added', 'pipe main-blue added (main <=> blue)']);
    await lab.run(1000);
    expect(installed(kernel)).toEqual([`100 ${P1}`, `254 ${P1}`]);
    expect(await speaker.reload(input(INSTALL, around))).toEqual([
      'table blue removed',
      'pipe main-blue removed; its routes are taken back',
    ]);
    await lab.run(1000);
    expect(installed(kernel)).toEqual([`254 ${P1}`]);
    expect(speaker.api.peers().map((each) => each.establishedCount)).toEqual([1]);
    // Once more, into the place that is free again.
    await speaker.reload(input(withPipe, around));
    await lab.run(1000);
    expect(installed(kernel)).toEqual([`100 ${P1}`, `254 ${P1}`]);
  });

  it('another filter of a pipe touches what it says otherwise of', async () => {
    const kernel = eth0();
    const { lab, speaker, peer } = await rig(AROUND, withPipe, kernel);
    peer(A).announce([P1, P2]);
    await lab.settle();
    kernel.log.length = 0;
    const forward = `if net = ${P1} then reject; accept;`;
    const changes = await speaker.reload(
      input({ ...withPipe, pipes: [{ from: 'main', to: 'blue', forward }] }),
    );
    expect(changes).toEqual(['pipe main-blue: export accept -> an unnamed filter']);
    await lab.run(1000);
    expect(installed(kernel)).toEqual([`100 ${P2}`, `254 ${P1}`, `254 ${P2}`]);
    expect(kernel.log.map(({ kind, route }) => `${kind} ${formatPrefix(route.prefix)}`)).toEqual([
      `delete ${P1}`,
    ]);
    expect(speaker.api.peers().map((each) => each.establishedCount)).toEqual([1, 1]);
  });

  it('a peer moves from one table to another', async () => {
    const { lab, speaker, peer } = await rig(AROUND, { tables: BLUE }, eth0());
    peer(B).announce([P1]);
    await lab.settle();
    const around = { [A]: { as: 65002 }, [B]: { as: 65003 } };
    expect(await speaker.reload(input({ tables: BLUE }, around))).toEqual([
      expect.stringContaining(`peer ${B}: table ipv4 blue -> none; session reset`),
    ]);
    await lab.settle();
    expect([speaker.best(), speaker.best({ table: 'blue' })]).toEqual([[], []]);
    await lab.connect(speaker, peer(B));
    peer(B).announce([P1]);
    await lab.settle();
    expect([speaker.best(), speaker.best({ table: 'blue' })]).toEqual([[`${P1} from ${B}`], []]);
  });

  it('a table of other families is another table', async () => {
    const { lab, speaker, peer } = await rig(
      AROUND,
      { tables: BLUE, pipes: [{ from: 'main', to: 'blue' }] },
      eth0(),
    );
    peer(A).announce([P1]);
    await lab.settle();
    const blue = { blue: { ...BLUE.blue, families: ['ipv4' as const] } };
    await speaker.reload(input({ tables: blue, pipes: [{ from: 'main', to: 'blue' }] }));
    await lab.settle();
    expect(speaker.best({ table: 'blue' })).toEqual([`${P1} from ${A}`]);
    await lab.connect(speaker, peer(B));
    peer(B).announce([P2]);
    await lab.settle();
    expect(speaker.best({ table: 'blue' })).toEqual([`${P1} from ${A}`, `${P2} from ${B}`]);
  });

  it('the kernel section of a table changes as that of the main one', async () => {
    const kernel = eth0();
    const { lab, speaker, peer } = await rig(AROUND, { tables: BLUE }, kernel);
    peer(B).announce([P1]);
    await lab.settle();
    const moved = {
      blue: { kernel: { install: true, table: 200 }, networks: [{ prefix: P2, type: 'prohibit' as const }] },
    };
    expect(await speaker.reload(input({ tables: moved }))).toEqual([
      'table blue: kernel: table 100 -> 200; own routes are installed anew, then the old ones removed',
      `table blue: network ${P2} announced`,
    ]);
    await lab.run(60_000);
    expect(installed(kernel)).toEqual([`200 ${P1}`, `200 ${P2}`]);
  });
});
