// Protocols of a native configuration: their names, and what switching them off and on does.

import { describe, expect, it, vi } from 'vitest';
import type { ConfigInput } from '../../../src/config/schema.ts';
import type { ProtocolAction } from '../../../src/speaker/api/protocols.ts';
import type { TableQuery } from '../../../src/speaker/api/tables.ts';
import { KernelUnavailableError } from '../../../src/speaker/open-kernel.ts';
import { kernelRoute, SimLab, simKernel } from '../../support/sim-lab.ts';
import { birdLab, FROM, OWN } from '../bird-lab.ts';
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

  it('stay switched off over a reload of a native configuration', async () => {
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

/** Protocols of all kinds, each once on and once off; the two dialects differ in channels. */
function birdFile(dialect: '1.6' | '2.x', more = ''): string {
  const ipv4 = (text = '') => (dialect === '2.x' ? `ipv4 { ${text} };` : text);
  return `router id 10.0.0.1;
    ${dialect === '2.x' ? 'ipv4 table aux; roa4 table roas;' : 'table aux;'}
    protocol device { }
    protocol direct d_off { disabled; ${ipv4()} }
    protocol static s_off { disabled; ${ipv4()} route ${NETWORK} blackhole; }
    protocol static s_on { ${ipv4()} route 192.0.3.0/24 blackhole; }
    protocol kernel k_off { disabled; ${ipv4('export where net.len = 24;')} }
    protocol bgp p_off { disabled; passive; local 10.0.0.1 as 65000; neighbor 10.0.0.4 as 65002; ${ipv4('import all; export all;')} }
    protocol bgp p_on { passive; local 10.0.0.1 as 65000; neighbor ${A} as 65002; ${ipv4('import all; export all;')} }
    ${more}`;
}

async function bird(text: string): Promise<Rig> {
  const lab = new SimLab();
  const kernel = simKernel('eth0 10.0.0.1/24');
  const speaker = lab.speaker('godwit', ['10.0.0.1'], text, { kernel });
  await lab.start();
  const peer = lab.raw(A, { as: 65002, holdTime: 0 });
  await lab.connect(speaker, peer);
  return { lab, speaker, peers: [peer], peer: () => peer };
}

const AS_WRITTEN = [
  'device1 up',
  'd_off down',
  's_off down',
  's_on up',
  'k_off down',
  'p_off down',
  'p_on up',
];
const TURNED = ['device1 up', 'd_off up', 's_off up', 's_on down', 'k_off up', 'p_off start', 'p_on down'];

function stands({ speaker }: Rig): string[] {
  return speaker.api.bird.protocols().map(({ name, state }) => `${name} ${state}`);
}

async function turn(set: Rig): Promise<void> {
  for (const name of ['d_off', 's_off', 'k_off', 'p_off'])
    expect(await act(set, name, 'enable')).toBe('done');
  for (const name of ['s_on', 'p_on']) expect(await act(set, name, 'disable')).toBe('done');
  await set.lab.run(SOON_MS);
}

async function back(set: Rig): Promise<void> {
  await set.lab.run(1000);
  set.peer(A).connect('10.0.0.1');
  await set.lab.run(SOON_MS);
}

describe.each(['1.6', '2.x'] as const)('protocols of a %s file', (dialect) => {
  it('are switched on though the file has them disabled', async () => {
    const set = await bird(birdFile(dialect));
    expect(stands(set)).toEqual(AS_WRITTEN);
    expect(routes(set)).toEqual(['192.0.3.0/24 s_on']);
    expect(set.speaker.kernelRoutes()).toEqual([]);
    await turn(set);
    expect(stands(set)).toEqual(TURNED);
    expect(routes(set)).toEqual([`10.0.0.0/24 d_off`, `${NETWORK} s_off`]);
    expect(set.speaker.kernelRoutes()).toEqual([`${NETWORK} blackhole`]);
    expect(await act(set, 's_off', 'enable')).toBe('already');
    expect(await act(set, 's_off', 'restart')).toBe('done');
    expect(routes(set, { protocol: 's_off' })).toEqual([`${NETWORK} s_off`]);
    expect(await act(set, 'k_off', 'disable')).toBe('done');
    expect(set.speaker.kernelRoutes()).toEqual([]);
  });

  it('are where the file has them after each reload', async () => {
    const set = await bird(birdFile(dialect));
    const { bird: api } = set.speaker.api;
    const ways: readonly (() => Promise<unknown>)[] = [
      () => api.configure({}),
      () => api.configure({ soft: true }),
      () => api.undo(),
      () => api.configure({ timeout: 60 }),
    ];
    for (const way of ways) {
      await turn(set);
      await api.checkConfiguration(undefined);
      expect(stands(set)).toEqual(TURNED);
      const done = way();
      await back(set);
      await done;
      expect(stands(set)).toEqual(AS_WRITTEN);
      expect(routes(set)).toEqual(['192.0.3.0/24 s_on']);
      expect(set.peer(A).table.has('192.0.3.0/24')).toBe(true);
    }
    // Nobody confirms it.
    await turn(set);
    await set.lab.run(60_000);
    await back(set);
    expect(stands(set)).toEqual(AS_WRITTEN);
    await turn(set);
    await expect(set.speaker.reload('protocol')).rejects.toThrow();
    expect(stands(set)).toEqual(TURNED);
  });
});

describe('a peer that its limit has disabled', () => {
  it('comes back with the next reload', async () => {
    const set = await bird(
      birdFile('2.x').replaceAll('import all;', 'import limit 1 action disable; import all;'),
    );
    set.peer(A).announce(['203.0.113.0/24', '203.0.114.0/24']);
    await set.lab.settle();
    expect(stands(set)).toContain('p_on down');
    const done = set.speaker.api.bird.configure({});
    await back(set);
    await done;
    expect(stands(set)).toContain('p_on up');
  });
});

describe('a kernel protocol', () => {
  it('stays down where the kernel cannot be had', async () => {
    const set = await bird(birdFile('2.x'));
    const { speaker } = set.speaker;
    vi.spyOn(speaker, 'openKernel').mockRejectedValueOnce(new KernelUnavailableError('no netlink'));
    await act(set, 'k_off', 'enable');
    expect(stands(set)).toEqual(AS_WRITTEN);
    expect(set.speaker.log).toContain('error k_off could not be switched');
    await act(set, 'k_off', 'enable');
    expect(stands(set)).toContain('k_off up');
  });

  it('that is switched off leaves next hops looked up', async () => {
    const set = await bird(birdFile('2.x').replace('kernel k_off { disabled;', 'kernel k_off {'));
    expect(set.speaker.speaker.config.kernel).toMatchObject({ install: true, nextHopTracking: true });
    await act(set, 'k_off', 'disable');
    expect(set.speaker.speaker.config.kernel).toMatchObject({ install: false, nextHopTracking: true });
    expect(set.speaker.kernelRoutes()).toEqual([]);
  });
});

describe('protocols of any kind', () => {
  const KINDS = `protocol pipe pp { disabled; table master4; peer table aux; import none; export all; }
    protocol static s_roa { disabled; roa4; route 10.0.0.0/8 max 24 as 65000; }
    protocol bgp rack { disabled; passive; local as 65000; neighbor range 10.0.0.128/25 as 65000; ipv4; }
    protocol rpki cache { disabled; roa4; remote 10.0.0.5; }
    protocol bmp station { disabled; station address ip 10.0.0.6 port 1790; }`;
  const NAMES = ['pp', 's_roa', 'rack', 'cache', 'station'];
  const OFF = NAMES.map((name) => `${name} down`);

  it('are switched on and off', async () => {
    const set = await bird(birdFile('2.x', KINDS));
    const { bird: api } = set.speaker.api;
    const kinds = () => stands(set).filter((line) => NAMES.includes(line.split(' ')[0] ?? ''));
    const member = set.lab.raw('10.0.0.130', { as: OWN_AS, holdTime: 0 });
    const seen = async () => {
      await set.lab.connect(set.speaker, member);
      const aux = [...(api.routes({ tables: ['aux'] })[0]?.routes() ?? [])].length;
      return {
        aux,
        roas: [...api.roas()].length,
        member: set.speaker.states().includes('dynbgp1 Established'),
      };
    };
    expect(kinds()).toEqual(OFF);
    expect(await seen()).toEqual({ aux: 0, roas: 0, member: false });
    for (const name of NAMES) expect(await act(set, name, 'enable')).toBe('done');
    expect(kinds()).toEqual(['pp up', 's_roa up', 'rack start', 'cache start', 'station start']);
    expect(await seen()).toEqual({ aux: 1, roas: 1, member: true });
    await api.configure({});
    expect(kinds()).toEqual(OFF);
    expect(await seen()).toEqual({ aux: 0, roas: 0, member: false });
  });

  it('stay switched over a live upgrade', async () => {
    const set = await bird(birdFile('2.x'));
    await turn(set);
    await set.speaker.upgrade();
    await set.lab.run(SOON_MS);
    expect(stands(set)).toEqual(TURNED);
    expect(routes(set)).toEqual(['10.0.0.0/24 d_off', `${NETWORK} s_off`]);
    expect(set.speaker.kernelRoutes()).toEqual([`${NETWORK} blackhole`]);
    const done = set.speaker.api.bird.configure({});
    await back(set);
    await done;
    expect(stands(set)).toEqual(AS_WRITTEN);
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

it('a session without hold time has timers that do not run', async () => {
  const file = `router id ${OWN}; protocol bgp p { local ${OWN} as 65001; neighbor ${FROM} as 65002; ipv4 { import all; export none; }; }`;
  const { api } = await birdLab(new SimLab(), file, []);
  const [peer] = api.bird.protocols({ details: true });
  expect(peer?.bgp).toMatchObject({
    state: 'Established',
    holdTimer: { left: 0, of: 0 },
    keepaliveTimer: { left: 0, of: 0 },
  });
});
