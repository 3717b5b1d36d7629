// What debugging writes of a running speaker: the words and their order are those that BIRD 2.0.12 and 1.6.8 write of
// the same events.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IPV4_UNICAST } from '../../../src/bgp/wire/families.ts';
import { MemKernel } from '../../../src/fib/mem-kernel.ts';
import { SimLab } from '../../support/sim-lab.ts';

const OWN = '10.0.0.1';
const A = '10.0.0.2';
const B = '10.0.0.3';
const FILTERS = `filter fin { if net = 203.0.113.0/24 then reject; accept; }
filter fout { if net = 10.9.0.0/16 then reject; accept; }`;

interface Parts {
  /** At top level. */
  readonly all?: string;
  /** In the protocol a, and in its channel. */
  readonly own?: string;
  readonly channel?: string;
}

function modern({ all = '', own = '', channel = '' }: Parts): string {
  return `router id ${OWN};
${FILTERS}
${all}
protocol device device1 { }
protocol static s1 { ipv4; route 10.9.0.0/16 blackhole; }
protocol bgp a { local ${OWN} as 65001; neighbor ${A} as 65002; passive; ${own} ipv4 { import filter fin; export filter fout; ${channel} }; }
protocol bgp b { local ${OWN} as 65001; neighbor ${B} as 65003; passive; debug off; ipv4 { import all; export all; }; }
`;
}

function old({ all = '', own = '' }: Parts): string {
  return `router id ${OWN};
${FILTERS}
${all}
protocol device device1 { }
protocol static s1 { route 10.9.0.0/16 blackhole; }
protocol bgp a { local ${OWN} as 65001; neighbor ${A} as 65002; passive; ${own} import filter fin; export filter fout; }
`;
}

const TRACED = /^info \w+(\.ipv[46])?(:| [<>]) /;

/** `lines` gives what was written since it was last asked. */
async function debugged(text: string, kernel?: MemKernel) {
  const lab = new SimLab();
  const speaker = lab.speaker('godwit', [OWN], text, kernel === undefined ? {} : { kernel });
  await lab.start(1000);
  const peer = (address: string, as: number) =>
    lab.raw(address, { as, families: [IPV4_UNICAST], holdTime: 0 });
  return {
    lab,
    speaker,
    a: peer(A, 65002),
    b: peer(B, 65003),
    lines(): string[] {
      const found = speaker.log.filter((line) => TRACED.test(line));
      speaker.log.length = 0;
      return found.map((line) => line.slice('info '.length));
    },
  };
}

/** A session of a with two routes, of which one is refused. */
async function connected(text: string) {
  const set = await debugged(text);
  const start = set.lines();
  await set.lab.connect(set.speaker, set.a);
  set.a.announce(['192.0.2.0/24', '203.0.113.0/24'], { asPath: '65002' });
  await set.lab.run(1000);
  return { ...set, start };
}

const LIFE: Readonly<Record<string, readonly string[]>> = {
  states: ['a: State changed to up'],
  events: ['a: Incoming connection from 10.0.0.2 (port 32768) accepted', 'a: BGP session established'],
  packets: [
    'a: Sending OPEN(ver=4,as=65001,hold=240,id=0a000001)',
    'a: Got OPEN(as=65002,hold=0,id=10.0.0.2)',
    'a: Sending KEEPALIVE',
    'a: Got KEEPALIVE',
    'a: Sending END-OF-RIB',
    'a: Got UPDATE',
  ],
  routes: ['a.ipv4 > added [best] 192.0.2.0/24 0L 2G unicast'],
  filters: [
    'a.ipv4 < filtered out 10.9.0.0/16 0L 1G blackhole',
    'a.ipv4 > filtered out 203.0.113.0/24 0L 2G unicast',
    'a.ipv4 < rejected by protocol 192.0.2.0/24 0L 2G unicast',
  ],
  interfaces: [],
};

describe('debug of a session', () => {
  it.each(Object.keys(LIFE))('tells of %s where a protocol says so', async (flag) => {
    const { lines } = await connected(modern({ own: `debug { ${flag} };` }));
    expect(lines()).toEqual(LIFE[flag]);
  });

  it('tells nothing where nothing is asked for, and follows nothing', async () => {
    const { start, lines, speaker } = await connected(modern({}));
    expect([...start, ...lines()]).toEqual([]);
    for (const { peer, established } of speaker.speaker.registry.values()) {
      expect(peer.tape.full).toBe(false);
      expect(established?.ribPeer.tracer).toBeUndefined();
    }
    expect(speaker.speaker.rib.local.tracer).toBeUndefined();
  });

  it('tells of a channel alone', async () => {
    const { lines } = await connected(modern({ channel: 'debug { filters };' }));
    expect(lines()).toEqual(LIFE.filters);
    const all = await connected(modern({ all: 'debug channels { routes };' }));
    expect(all.start).toEqual(['s1.ipv4 > added [best] 10.9.0.0/16 0L 1G blackhole']);
    expect(all.lines()).toEqual(LIFE.routes);
  });

  it('tells of everything in the words of 1.6', async () => {
    const { start, lines, lab, speaker } = await connected(old({ all: 'debug protocols all;' }));
    expect(start).toEqual([
      'device1: Initializing',
      's1: Initializing',
      'a: Initializing',
      'device1: Starting',
      'device1: State changed to feed',
      'device1: State changed to up',
      's1: Starting',
      's1: State changed to feed',
      's1: State changed to up',
      's1 > added [best] 10.9.0.0/16 blackhole',
      'a: Starting',
      'a: State changed to start',
      'a: Started',
    ]);
    expect(lines()).toEqual([
      'a: Incoming connection from 10.0.0.2 (port 32768) accepted',
      'a: Sending OPEN(ver=4,as=65001,hold=240,id=0a000001)',
      'a: Got OPEN(as=65002,hold=0,id=0a000002)',
      'a: Sending KEEPALIVE',
      'a: Got KEEPALIVE',
      'a: BGP session established',
      'a: State changed to feed',
      'a: State changed to up',
      'a < filtered out 10.9.0.0/16 blackhole',
      'a: Sending END-OF-RIB',
      'a: Got UPDATE',
      'a > added [best] 192.0.2.0/24 via 10.0.0.2',
      'a > filtered out 203.0.113.0/24 via 10.0.0.2',
      'a < rejected by protocol 192.0.2.0/24 via 10.0.0.2',
    ]);
    speaker.api.bird.act('a', { action: 'disable' });
    await lab.run(1000);
    expect(lines()).toEqual([
      'a: Sending NOTIFICATION(code=6.2)',
      'a: BGP session closed',
      'a: Shutdown requested',
      'a: Down',
      'a: Shutting down',
      'a: State changed to stop',
      'a: State changed to down',
      'a > removed [sole] 192.0.2.0/24 via 10.0.0.2',
    ]);
  });
});

describe('debug of routes', () => {
  it('tells how they compare, and what a peer is told', async () => {
    const { lab, speaker, a, b, lines } = await connected(modern({ own: 'debug { routes };' }));
    lines();
    await lab.connect(speaker, b);
    b.announce(['192.0.2.0/24', '198.51.100.0/24'], { asPath: '65003' });
    await lab.run(1000);
    expect(lines()).toEqual(['a.ipv4 < added 198.51.100.0/24 0L 3G unicast']);
    b.announce(['198.51.100.0/24'], { asPath: '65003 1' });
    a.announce(['192.0.2.0/24'], { asPath: '65002 1' });
    await lab.run(1000);
    expect(lines()).toEqual([
      // Longer than the other's now.
      'a.ipv4 > added 192.0.2.0/24 0L 2G unicast',
      'a.ipv4 < replaced 198.51.100.0/24 0L 3G unicast',
      'a.ipv4 < added 192.0.2.0/24 0L 3G unicast',
    ]);
    a.announce(['192.0.2.0/24'], { asPath: '65002 1' });
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(lines()).toEqual([
      'a.ipv4 > ignored 192.0.2.0/24 0L 2G unicast',
      'a.ipv4 > removed 192.0.2.0/24 0L 2G unicast',
    ]);
    b.withdraw('198.51.100.0/24');
    a.announce(['192.0.2.0/24'], { asPath: '65002' });
    await lab.run(1000);
    expect(lines()).toEqual([
      'a.ipv4 > added [best] 192.0.2.0/24 0L 2G unicast',
      'a.ipv4 < removed 198.51.100.0/24',
      'a.ipv4 < removed 192.0.2.0/24 0L 2G unicast',
    ]);
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(lines()).toEqual([
      'a.ipv4 > removed [replaced] 192.0.2.0/24 0L 2G unicast',
      'a.ipv4 < added 192.0.2.0/24 0L 3G unicast',
    ]);
  });

  it('tells of routes that a session takes along', async () => {
    const { lab, a, lines } = await connected(modern({ own: 'debug { routes };' }));
    lines();
    a.drop();
    await lab.run(1000);
    expect(lines()).toEqual(['a.ipv4 > removed [sole] 192.0.2.0/24 0L 2G unicast']);
  });
});

describe('debug of interfaces', () => {
  const LINK = { ifindex: 2, name: 'eth0', up: true, loopback: false, mtu: 1500 };
  const ADDRESS = { ifindex: 2, address: Uint8Array.of(10, 0, 0, 1), prefixLength: 24, scope: 0 };
  const file = (head: string, channel: string): string => `router id ${OWN};
${head}
debug protocols { interfaces };
protocol device { }
protocol direct d1 { ${channel} }
protocol static s1 { ${channel} }
protocol kernel k1 { ${channel} export all; }
`;

  it.each([
    ['2.x', file('', 'ipv4;').replace('ipv4; export all;', 'ipv4 { export all; };'), '', []],
    ['1.6', file('', ''), 'primary ', ['s1']],
  ])('tells protocols of %s that follow them', async (_dialect, text, rank, more) => {
    const kernel = new MemKernel();
    kernel.setLink(LINK);
    kernel.addAddress(ADDRESS);
    const { lab, lines } = await debugged(text, kernel);
    const followers = [...more, 'k1'];
    expect(lines()).toEqual([
      'd1 < interface eth0 goes up',
      `d1 < ${rank}address 10.0.0.0/24 on interface eth0 added`,
      ...followers.map((name) => `${name} < interface eth0 goes up`),
    ]);
    kernel.setLink({ ...LINK, up: false });
    await lab.run(1000);
    expect(lines()).toEqual(['d1', ...followers].map((name) => `${name} < interface eth0 goes down`));
  });
});

describe('debug of what goes to the kernel', () => {
  it('tells of routes that come, change and go there', async () => {
    const kernel = new MemKernel();
    kernel.setLink({ ifindex: 2, name: 'eth0', up: true, loopback: false, mtu: 1500 });
    kernel.addAddress({ ifindex: 2, address: Uint8Array.of(10, 0, 0, 1), prefixLength: 24, scope: 0 });
    const text = `${modern({})}protocol kernel k1 { ipv4 { export where net != 10.9.0.0/16; }; debug { routes }; }`;
    const { lab, speaker, a, lines } = await debugged(text, kernel);
    lines();
    await lab.connect(speaker, a);
    a.announce(['192.0.2.0/24'], { asPath: '65002' });
    await lab.run(1000);
    expect(lines()).toEqual(['k1.ipv4 < added 192.0.2.0/24 0L 2G unicast']);
    a.announce(['192.0.2.0/24'], { asPath: '65002 1' });
    await lab.run(1000);
    expect(lines()).toEqual(['k1.ipv4 < replaced 192.0.2.0/24 0L 2G unicast']);
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(lines()).toEqual(['k1.ipv4 < removed 192.0.2.0/24 0L 2G unicast']);
    speaker.api.bird.debug(['k1'], undefined, []);
    a.announce(['192.0.2.0/24'], { asPath: '65002' });
    await lab.run(1000);
    expect(lines()).toEqual([]);
  });
});

describe('debug of everything', () => {
  it('survives whatever peers do, and says in the end what is there', async () => {
    const nets = ['192.0.2.0/24', '203.0.113.0/24', '198.51.100.0/24'];
    const step = fc.record({
      peer: fc.nat(1),
      what: fc.constantFrom('announce', 'withdraw', 'drop', 'debug', 'wait'),
      net: fc.constantFrom(...nets),
      path: fc.constantFrom('1', '1 2'),
    });
    const property = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const kernel = new MemKernel();
      kernel.setLink({ ifindex: 2, name: 'eth0', up: true, loopback: false, mtu: 1500 });
      kernel.addAddress({ ifindex: 2, address: Uint8Array.of(10, 0, 0, 1), prefixLength: 24, scope: 0 });
      const text = `${modern({ all: 'debug protocols all;' })}protocol kernel { ipv4 { export all; }; }`;
      const { lab, speaker, a, b, lines } = await debugged(text, kernel);
      const peers = [a, b];
      await lab.connect(speaker, a, b);
      speaker.api.bird.debug(['b'], undefined, ['routes', 'filters']);
      const all = lines();
      for (const { peer, what, net, path } of steps) {
        const raw = peers[peer]!;
        if (what === 'announce') raw.announce([net], { asPath: `${peer === 0 ? 65002 : 65003} ${path}` });
        else if (what === 'withdraw') raw.withdraw(net);
        else if (what === 'debug') speaker.api.bird.debug(['a'], undefined, path === '1' ? [] : ['routes']);
        else if (what === 'drop') {
          raw.drop();
          await lab.run(1);
          await lab.connect(speaker, raw);
        } else await lab.settle();
      }
      await lab.run(1000);
      expect(speaker.log.filter((line) => line.startsWith('error'))).toEqual([]);
      all.push(...lines());
      const told = (net: string) =>
        all.findLast((line) => line.startsWith('b.ipv4 > ') && line.includes(net));
      const there = new Set([...speaker.api.routes({ receivedFrom: 'b' })].map((route) => route?.prefix));
      for (const net of nets) {
        expect(/ > (added|ignored)/.test(told(net) ?? ''), net).toBe(there.has(net));
      }
    });
    await fc.assert(property, { numRuns: 15 });
  });
});

describe('a new configuration', () => {
  it('changes what is told, and no session', async () => {
    const { lab, speaker, a, lines } = await connected(modern({}));
    const reload = async (text: string) => {
      speaker.requestReload(text);
      await lab.run(1000);
      return lines();
    };
    a.clear();
    expect(await reload(modern({ own: 'debug { states, filters };' }))).toEqual(['a: Reconfigured']);
    expect(speaker.speaker.registry.get('a').peer.establishedCount).toBe(1);
    a.announce(['203.0.113.0/24'], { asPath: '65002 1' });
    await lab.run(1000);
    expect(lines()).toEqual(['a.ipv4 > filtered out 203.0.113.0/24 0L 2G unicast']);
    expect(await reload(modern({}))).toEqual([]);
    expect(a.heard).toEqual([]);
    a.announce(['203.0.113.0/24'], { asPath: '65002 2' });
    await lab.run(1000);
    expect(lines()).toEqual([]);
    expect(speaker.speaker.registry.get('a').peer.establishedCount).toBe(1);
  });
});

describe('the command', () => {
  it('counts for protocols or channels until the next configuration', async () => {
    const { lab, speaker, a, lines } = await connected(modern({}));
    speaker.api.bird.debug(['a', 's1'], undefined, ['packets']);
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(lines()).toEqual(['a: Got UPDATE']);
    speaker.api.bird.debug(['a'], undefined, []);
    speaker.api.bird.debug(['a'], 'ipv4', ['routes']);
    a.announce(['192.0.2.0/24'], { asPath: '65002' });
    await lab.run(1000);
    expect(lines()).toEqual(['a.ipv4 > added [best] 192.0.2.0/24 0L 2G unicast']);
    await speaker.reload(modern({}));
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(lines()).toEqual([]);
  });

  it('goes along with a live upgrade', async () => {
    const { lab, speaker, a, lines } = await connected(modern({}));
    speaker.api.bird.debug(['a'], undefined, ['routes']);
    await speaker.upgrade();
    lines();
    a.withdraw('192.0.2.0/24');
    await lab.run(1000);
    expect(lines()).toEqual(['a.ipv4 > removed [sole] 192.0.2.0/24 0L 2G unicast']);
  });
});
