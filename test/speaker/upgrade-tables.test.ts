// Live upgrades of speakers with several routing tables: nobody hears of them, the kernel tables stay as they are, and routes
// that pipes have brought somewhere are those pipes' on the other side, too.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { formatAddress, formatPrefix } from '../../src/lib/ip.ts';
import type { SpeakerState } from '../../src/speaker/upgrade/state.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { kernelRoute, SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';

const OWN = '10.0.0.1';
const [A, B, C] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'] as const;
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';

const open = { import: 'accept', export: 'accept', passive: true } as const;

interface Scene {
  readonly lab: SimLab;
  readonly own: SimSpeaker;
  readonly kernel: MemKernel;
  readonly peers: readonly [a: RawPeer, b: RawPeer, c: RawPeer];
}

/** A is a peer of the main table, B and C of blue; C is sent all paths. */
function config(more: Partial<ConfigInput> = {}): ConfigInput {
  return {
    router: { asn: 65000, id: OWN },
    kernel: { install: true },
    tables: {
      red: {},
      blue: {
        kernel: { install: true, table: 100 },
        networks: [{ prefix: P3, type: 'blackhole' }],
        redistribute: ['kernel'],
      },
    },
    pipes: [{ from: 'main', to: 'blue', back: `if net = ${P2} then reject; accept;` }],
    peers: [
      { name: 'a', address: A, asn: 65001, ...open },
      { name: 'b', address: B, asn: 65002, ...open, table: 'blue' },
      { name: 'c', address: C, asn: 65003, ...open, table: 'blue', addPath: { send: 'all' } },
    ],
    ...more,
  };
}

async function scene(input: ConfigInput | string = config()): Promise<Scene> {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`);
  kernelRoute(kernel, '100.64.0.0/10', A, { table: 100, protocol: 186 });
  const own = lab.speaker('own', [OWN], input, { kernel });
  const peers = [
    lab.raw(A, { as: 65001, holdTime: 0 }),
    lab.raw(B, { as: 65002, holdTime: 0 }),
    lab.raw(C, { as: 65003, addPath: 3, holdTime: 0 }),
  ] as const;
  await lab.start(1000);
  await lab.connect(own, ...peers);
  await lab.run(1000);
  return { lab, own, kernel, peers };
}

function listen({ peers }: Scene): () => string[] {
  for (const peer of peers) peer.clear();
  return () => peers.flatMap(({ heard }) => heard.filter((line) => line !== 'KEEPALIVE'));
}

/** Own routes of the kernel: `table prefix type source`. */
function installed(kernel: MemKernel): string[] {
  const own = kernel.routes().filter(({ protocol }) => protocol === 12);
  return own
    .map(({ table, prefix, type, prefSource }) => {
      const source = prefSource === undefined ? '' : ` src ${formatAddress(prefSource)}`;
      return `${table} ${formatPrefix(prefix)} ${type}${source}`;
    })
    .sort();
}

/** Best paths of every table, and what pipes have in them. */
function picture({ own, peers }: Scene) {
  return {
    best: ['main', 'blue', 'red'].map((table) => own.best({ table }).sort()),
    pipes: [...own.speaker.pipes.values()].map(({ links }) =>
      links.map(({ out, in: back }) => [out.routes, back.routes]),
    ),
    counts: own.api
      .peers()
      .map(({ families }) => families.map(({ received, rejected, best }) => [received, rejected, best])),
    heard: peers.map(({ table }) => [...table.keys()].sort()),
  };
}

async function fill({ lab, peers: [a, b, c] }: Scene): Promise<void> {
  a.announce([P1, '20.0.0.0/8']);
  b.announce([P1, P2, '21.0.0.0/8']);
  c.announce([P2]);
  await lab.run(1000);
}

describe('a live upgrade with several tables', () => {
  it('says nothing to peers, leaves every kernel table as it is, and goes on', async () => {
    const world = await scene();
    const { lab, own, kernel, peers } = world;
    const [a, b, c] = peers;
    await fill(world);
    const before = picture(world);
    expect(before.best.map(({ length }) => length)).toEqual([5, 6, 0]);
    const routes = installed(kernel);
    const heard = listen(world);
    kernel.log.length = 0;
    await own.upgrade();
    await lab.run(60_000);
    expect(heard()).toEqual([]);
    expect(kernel.log).toEqual([]);
    expect(installed(kernel)).toEqual(routes);
    expect(picture(world)).toEqual(before);
    expect(own.states()).toEqual(['a Established', 'b Established', 'c Established']);
    // What comes and goes in one table comes and goes in the other.
    a.withdraw(P1);
    b.withdraw(P2, '21.0.0.0/8');
    c.announce(['22.0.0.0/8']);
    await lab.run(1000);
    expect(own.best({ table: 'blue' }).sort()).toEqual([
      '100.64.0.0/10 from kernel',
      `${P1} from b`,
      `${P2} from c`,
      '20.0.0.0/8 from a',
      `${P3} from local`,
      '22.0.0.0/8 from c',
    ]);
    expect(own.best().sort()).toEqual([
      '100.64.0.0/10 from kernel',
      `${P1} from b`,
      '20.0.0.0/8 from a',
      `${P3} from local`,
      '22.0.0.0/8 from c',
    ]);
    expect([...a.table.keys()].sort()).toEqual(['100.64.0.0/10', P1, P3, '22.0.0.0/8']);
    expect(own.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('takes routes back that their peers have lost, from every table', async () => {
    const world = await scene();
    const { lab, own, kernel, peers } = world;
    await fill(world);
    await own.upgrade();
    for (const peer of peers) peer.drop();
    await lab.run(1000);
    expect(own.best({ table: 'blue' }).sort()).toEqual(['100.64.0.0/10 from kernel', `${P3} from local`]);
    expect(own.best().sort()).toEqual(['100.64.0.0/10 from kernel', `${P3} from local`]);
    expect(installed(kernel)).toEqual([
      `100 ${P3} blackhole`,
      '254 100.64.0.0/10 unicast',
      `254 ${P3} blackhole`,
    ]);
    const { rib } = own.speaker;
    expect([...rib.peers.values()].map(({ name }) => name)).toEqual(['local', 'local', 'local']);
  });

  it('leaves out a table that is not there any more, and what a pipe had brought from it', async () => {
    const world = await scene();
    const { lab, own } = world;
    await fill(world);
    await own.upgrade((state) => ({
      ...state,
      tables: {
        tables: state.tables!.tables.map((table) =>
          table.name === 'blue' ? { ...table, name: 'gone' } : table,
        ),
        pipeEnds: state.tables!.pipeEnds.map((end) => ({ ...end, pipe: 'gone' })),
      },
      peers: state.peers.map((peer) => (peer.name === 'a' ? peer : { ...peer, name: `old ${peer.name}` })),
    }));
    await lab.run(1000);
    expect(own.best().sort()).toEqual([
      '100.64.0.0/10 from kernel',
      `${P1} from a`,
      '20.0.0.0/8 from a',
      `${P3} from local`,
    ]);
    expect(own.best({ table: 'blue' }).sort()).toEqual(own.best().sort());
    expect(own.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('keeps what opaque pipes have, and what filters have asked of the kernel', async () => {
    const world = await scene(`router id ${OWN};
table blue; table red; listen bgp port 179;
protocol device {}
protocol kernel k1 { import none; export all; learn; }
protocol kernel k2 { kernel table 100; table blue; import none; export filter { krt_prefsrc = ${OWN}; accept; }; }
protocol pipe p1 { table master; peer table blue; mode opaque; export all; import none; }
protocol pipe p2 { table blue; peer table red; export filter { krt_prefsrc = 10.0.0.1; accept; }; import none; }
protocol kernel k3 { kernel table 200; table red; import none; export all; }
protocol bgp a { local as 65000; neighbor ${A} as 65001; passive; import all; export all; }
protocol bgp b { local as 65000; neighbor ${B} as 65002; passive; table blue; import all; export all; }
protocol bgp c { local as 65000; neighbor ${C} as 65003; passive; table red; import all; export all; }
`);
    const { lab, own, kernel, peers } = world;
    peers[0].announce([P1]);
    await lab.run(1000);
    const routes = installed(kernel);
    expect(routes).toEqual([
      `100 ${P1} unicast src ${OWN}`,
      `200 ${P1} unicast src ${OWN}`,
      `254 ${P1} unicast`,
    ]);
    const heard = listen(world);
    kernel.log.length = 0;
    await own.upgrade();
    await lab.run(60_000);
    expect(heard()).toEqual([]);
    expect([kernel.log, installed(kernel)]).toEqual([[], routes]);
    peers[0].withdraw(P1);
    await lab.run(1000);
    expect(installed(kernel)).toEqual([]);
    expect(peers.slice(1).map(({ table }) => table.size)).toEqual([0, 0]);
  });

  it('keeps the routes of a peer of a further table that restarts', async () => {
    const gracefulRestart = { mode: 'helper' } as const;
    const input = config({
      peers: [
        { name: 'a', address: A, asn: 65001, ...open },
        { name: 'b', address: B, asn: 65002, ...open, table: 'blue', gracefulRestart },
      ],
    });
    const world = await scene(input);
    const { lab, own, peers } = world;
    peers[1].drop();
    await lab.run(1000);
    const families = [{ afi: 1, safi: 1, forwarding: true }];
    const restarting = lab.raw(B, {
      as: 65002,
      holdTime: 0,
      capabilities: [
        { kind: 'graceful-restart', restarting: false, notification: false, restartTime: 120, families },
      ],
    });
    await lab.connect(own, restarting);
    restarting.announce([P1]);
    await lab.run(1000);
    restarting.drop();
    await lab.run(60_000);
    await own.upgrade();
    await lab.run(50_000);
    expect(own.best({ table: 'blue' })).toContain(`${P1} from b`);
    expect(own.best()).toContain(`${P1} from b`);
    await lab.run(15_000);
    expect(own.best({ table: 'blue' })).not.toContain(`${P1} from b`);
    expect(own.best()).not.toContain(`${P1} from b`);
  });

  it('whatever was announced and withdrawn before, it is as if there had been none', async () => {
    const step = fc.record({
      peer: fc.nat(2),
      prefixes: fc.subarray([P1, P2, '20.0.0.0/8']),
      on: fc.boolean(),
    });
    const steps = fc.array(step, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(steps, steps, async (first, then) => {
        const worlds = [await scene(), await scene()] as const;
        const play = async (all: typeof first) => {
          for (const { lab, peers } of worlds) {
            for (const { peer, prefixes, on } of all) {
              if (prefixes.length === 0) continue;
              if (on) peers[peer]!.announce(prefixes);
              else peers[peer]!.withdraw(...prefixes);
              await lab.run(50);
            }
            await lab.run(1000);
          }
        };
        await play(first);
        await worlds[0].own.upgrade();
        await play(then);
        const [upgraded, other] = worlds.map(picture);
        expect(withoutIds(upgraded!)).toEqual(withoutIds(other!));
      }),
      { numRuns: 8 },
    );
  });

  it('is written in the format of versions that know one table where there is one', async () => {
    const formats: number[] = [];
    const note = (state: SpeakerState) => {
      formats.push(state.format);
      return state;
    };
    for (const tables of [{}, { blue: {} }]) {
      const { own } = await scene({ router: { asn: 65000, id: OWN }, tables, peers: [] });
      await own.upgrade(note);
    }
    expect(formats).toEqual([1, 2]);
  });
});

/** Which number a path has is nobody's business. */
function withoutIds({ heard, ...rest }: ReturnType<typeof picture>) {
  return { ...rest, heard: heard.map((keys) => keys.map((key) => key.replace(/ ?#.*/, '')).sort()) };
}
