// Protocols of a native configuration: their names, and what switching them off and on does.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../../src/config/schema.ts';
import type { ProtocolAction } from '../../../src/speaker/api/protocols.ts';
import type { TableQuery } from '../../../src/speaker/api/tables.ts';
import { kernelRoute, SimLab, simKernel } from '../../support/sim-lab.ts';
import { OWN_AS, type Rig, rig } from '../rig.ts';

const A = '10.0.0.2';
const NETWORK = '192.0.2.0/24';
const FOREIGN = '198.51.100.0/24';
/** Longer than a handshake takes, and shorter than anybody waits here. */
const SOON_MS = 15_000;
const MORE: Partial<ConfigInput> = {
  kernel: { install: true, learn: [{ protocol: 'static' }] },
  redistribute: ['connected', 'static'],
  networks: [{ prefix: NETWORK, type: 'blackhole' }],
  dynamicPeers: [{ name: 'rack', prefix: '10.0.0.128/25', asn: OWN_AS, limit: 10 }],
};

async function full(): Promise<Rig> {
  const kernel = simKernel('eth0 10.0.0.1/24');
  kernelRoute(kernel, FOREIGN, '10.0.0.9');
  return rig({ [A]: { as: 65002 } }, MORE, kernel);
}

function states({ speaker }: Rig): string[] {
  return speaker.api.bird.protocols().map(({ name, kind, state }) => `${name} ${kind} ${state}`);
}

async function act(
  set: Rig,
  name: string,
  action: ProtocolAction['action'],
  message?: string,
): Promise<string> {
  const result = set.speaker.api.bird.act(name, { action, ...(message !== undefined && { message }) });
  await set.lab.run(500);
  return result;
}

function routes({ speaker }: Rig, query: Partial<TableQuery> = {}): string[] {
  const answers = speaker.api.bird.routes({ tables: undefined, ...query });
  return answers.flatMap((answer) => {
    return [...answer.routes()].flatMap((route) =>
      route === undefined ? [] : `${route.net} ${route.protocol}`,
    );
  });
}

describe('protocols', () => {
  it('have the names that BIRD would give them', async () => {
    const set = await full();
    expect(states(set)).toEqual([
      'device1 device up',
      'direct1 direct up',
      'kernel1 kernel up',
      'static1 static up',
      `${A} bgp up`,
      'rack bgp start',
    ]);
    set.peer(A).announce(['203.0.113.0/24']);
    await set.lab.settle();
    expect(routes(set)).toEqual([
      '10.0.0.0/24 direct1',
      `${NETWORK} static1`,
      `${FOREIGN} kernel1`,
      `203.0.113.0/24 ${A}`,
    ]);
    expect(routes(set, { protocol: 'static1' })).toEqual([`${NETWORK} static1`]);
  });

  it('count what they bring and what they are given', async () => {
    const set = await full();
    const peer = set.peer(A);
    peer.announce(['203.0.113.0/24', '203.0.114.0/24']);
    peer.announce(['203.0.113.0/24']);
    peer.withdraw('203.0.114.0/24', '203.0.115.0/24');
    await set.lab.settle();
    const counted = set.speaker.api.bird.protocols({ details: true });
    const channel = (name: string) => counted.find((each) => each.name === name)?.channels[0];
    expect(channel(A)?.routes).toEqual({ imported: 1, filtered: 0, exported: 3, preferred: 1 });
    expect(channel(A)?.stats).toEqual({
      importUpdates: { received: 3, rejected: 0, filtered: 0, ignored: 1, accepted: 2 },
      importWithdraws: { received: 2, rejected: 0, filtered: 0, ignored: 1, accepted: 1 },
      exportUpdates: { received: 3, rejected: 0, filtered: 0, ignored: 0, accepted: 3 },
      exportWithdraws: { received: 0, rejected: 0, filtered: 0, ignored: 0, accepted: 0 },
    });
    expect(channel('static1')?.routes).toMatchObject({ imported: 1, preferred: 1 });
    expect(channel('direct1')?.routes).toMatchObject({ imported: 1, preferred: 1 });
    expect(channel('kernel1')?.routes).toMatchObject({ imported: 1, exported: 2, preferred: 1 });
    // Without details nothing is counted.
    expect(set.speaker.api.bird.protocols()[0]?.channels[0]?.routes).toBeUndefined();
  });

  it('that are peers are switched by their sessions', async () => {
    const set = await full();
    expect(await act(set, A, 'enable')).toBe('already');
    expect(await act(set, A, 'reload')).toBe('done');
    expect(set.peer(A).heard).toContain('REFRESH ipv4-unicast 0');
    expect(await act(set, A, 'disable', 'maintenance')).toBe('done');
    expect(set.peer(A).heard.find((line) => line.startsWith('NOTIFICATION 6/2'))).toContain(
      Buffer.from('maintenance').toString('hex'),
    );
    const view = set.speaker.api.bird.protocols().find(({ name }) => name === A);
    expect(view).toMatchObject({ state: 'down', enabled: false, message: 'maintenance' });
    expect(view?.bgp).toMatchObject({ state: 'Down', error: undefined });
    expect(await act(set, A, 'disable')).toBe('already');
    expect(await act(set, A, 'restart')).toBe('disabled');
    expect(await act(set, A, 'reload')).toBe('disabled');
    expect(await act(set, A, 'enable')).toBe('done');
    expect(await act(set, A, 'reload')).toBe('not-up');
    expect(() => set.speaker.api.bird.act('nobody', { action: 'enable' })).toThrow('no protocol nobody');
  });

  it('that bring routes take them along, and bring them back', async () => {
    const set = await full();
    const { reconfiguredAt } = set.speaker.api.status();
    await set.lab.run(1000);
    for (const [name, route] of [
      ['static1', NETWORK],
      ['direct1', '10.0.0.0/24'],
    ] as const) {
      expect(await act(set, name, 'disable')).toBe('done');
      expect(states(set).find((line) => line.startsWith(name))).toMatch(/down$/);
      expect(routes(set)).not.toContain(`${route} ${name}`);
      expect(await act(set, name, 'disable')).toBe('already');
      expect(await act(set, name, 'enable')).toBe('done');
      expect(await act(set, name, 'enable')).toBe('already');
      expect(routes(set)).toContain(`${route} ${name}`);
      expect(await act(set, name, 'restart')).toBe('done');
      expect(routes(set)).toContain(`${route} ${name}`);
    }
    expect(set.speaker.states()).toEqual([`${A} Established`]);
    // The file is what it was.
    expect(set.speaker.api.status().reconfiguredAt).toBe(reconfiguredAt);
  });

  it('of the kernel: its routes are learned and installed only while it is up', async () => {
    const set = await full();
    expect(set.speaker.kernelRoutes()).toEqual([`${NETWORK} blackhole`]);
    expect(await act(set, 'kernel1', 'disable')).toBe('done');
    expect(set.speaker.kernelRoutes()).toEqual([]);
    expect(routes(set)).not.toContain(`${FOREIGN} kernel1`);
    expect(await act(set, 'kernel1', 'enable')).toBe('done');
    await set.lab.run(2000);
    expect(set.speaker.kernelRoutes()).toEqual([`${NETWORK} blackhole`]);
    expect(routes(set)).toContain(`${FOREIGN} kernel1`);
  });

  it('stay switched off over a reload', async () => {
    const set = await full();
    await act(set, 'static1', 'disable');
    await set.speaker.reload({
      router: { asn: OWN_AS, id: '10.0.0.1' },
      peers: [{ address: A, asn: 65002, passive: true, import: 'accept', export: 'accept' }],
      ...MORE,
      networks: [NETWORK, '192.0.3.0/24'],
    });
    expect(routes(set, { protocol: 'static1' })).toEqual([]);
    await act(set, 'static1', 'enable');
    expect(routes(set, { protocol: 'static1' })).toEqual([`${NETWORK} static1`, '192.0.3.0/24 static1']);
  });

  it('keep their time over changes that are none to BIRD', async () => {
    const set = await full();
    // Looked at for the first time long after the start.
    const established = set.lab.clock.wallTime();
    await set.lab.run(60_000);
    const sinceOf = (name: string): number =>
      set.speaker.api.bird.protocols().find((each) => each.name === name)?.since ?? 0;
    expect(Math.abs(sinceOf(A) - established)).toBeLessThan(SOON_MS);
    const since = () => set.speaker.api.bird.protocols().map((each) => each.since);
    const before = since();
    expect(before[0]).toBe(set.speaker.api.status().startedAt);
    await set.lab.run(60_000);
    expect(since()).toEqual(before);
    const dropped = set.lab.clock.wallTime();
    set.peer(A).drop();
    await set.lab.run(60_000);
    expect(Math.abs(sinceOf(A) - dropped)).toBeLessThan(SOON_MS);
    const [down] = set.speaker.api.bird.protocols().filter(({ name }) => name === A);
    expect(down?.state).toBe('start');
    expect(down?.bgp?.error).toEqual({ origin: 'socket', text: 'Connection reset by peer' });
    await set.lab.run(60_000);
    expect(set.speaker.api.bird.protocols().find(({ name }) => name === A)?.since).toBe(down?.since);
  });
});

describe('a peer without a session', () => {
  const file = (own: string, ...peers: string[]) =>
    `router id ${own};\n${peers.map((peer) => `protocol bgp { local ${own} as ${own.at(-1)}; ${peer} ipv4 { import none; export none; }; }`).join('\n')}\n`;

  async function views(text: string, other: string, seconds: number) {
    const lab = new SimLab();
    const speaker = lab.speaker('one', ['10.0.0.1'], text);
    lab.speaker('two', ['10.0.0.2'], other);
    await lab.start();
    await lab.run(seconds * 1000);
    return speaker.api.bird.protocols().flatMap(({ bgp }) => bgp ?? []);
  }

  it('has no error where nobody answers', async () => {
    const [bgp] = await views(
      file('10.0.0.1', 'neighbor 10.0.0.2 as 2; password "one"; connect retry time 5;'),
      file('10.0.0.2', 'neighbor 10.0.0.1 as 1; password "two"; passive;'),
      20,
    );
    expect(bgp).toMatchObject({ state: 'Connect', error: undefined });
  });

  it('stays away as long as its errors deserve', async () => {
    const [bgp] = await views(
      file('10.0.0.1', 'neighbor 10.0.0.2 as 3; error wait time 5, 30; connect delay time 1;'),
      file('10.0.0.2', 'neighbor 10.0.0.1 as 1; passive; error wait time 1, 1;'),
      12,
    );
    const { left, of } = bgp!.errorTimer!;
    expect(of).toBeGreaterThan(5);
    expect(left).toBeLessThan(of);
  });

  it('is several hops away where its TTL says so', async () => {
    const found = await views(
      file(
        '10.0.0.1',
        'neighbor 10.0.0.3 as 3; ttl security; multihop 2;',
        'neighbor 10.0.0.4 as 4; ttl security;',
      ),
      file('10.0.0.2', 'neighbor 10.0.0.1 as 1; passive;'),
      1,
    );
    expect(found.map(({ multihop }) => multihop)).toEqual([true, false]);
  });
});
