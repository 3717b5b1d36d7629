// Live upgrades of whole speakers on a simulated network: what the peers see of them, which is nothing, and what goes along.

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { PeerView } from '../../src/speaker/api.ts';
import { HandOver } from '../../src/speaker/upgrade/hand-over.ts';
import type { SpeakerState } from '../../src/speaker/upgrade/state.ts';
import { decodeStates, encodeStates, StateError } from '../../src/speaker/upgrade/state.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';

const OWN = '10.0.0.1';
const MINUTE_MS = 60_000;
const [A, B, C] = ['10.0.0.2', '10.0.0.3', '10.0.0.4'] as const;

const open = { import: 'accept', export: 'accept', passive: true } as const;

function config(more: Partial<ConfigInput> = {}): ConfigInput {
  return {
    router: { asn: 65000, id: OWN },
    kernel: { install: true },
    networks: [{ prefix: '10.9.0.0/16' }],
    peers: [
      { name: 'a', address: A, asn: 65001, ...open },
      { name: 'b', address: B, asn: 65002, ...open, addPath: { send: 'all' } },
      { name: 'c', address: C, asn: 65000, ...open, routeReflectorClient: true },
    ],
    ...more,
  };
}

const RESTARTS: Capability = {
  kind: 'graceful-restart',
  restarting: false,
  notification: false,
  restartTime: 120,
  families: [{ afi: 1, safi: 1, forwarding: true }],
};

interface Scene {
  readonly lab: SimLab;
  readonly own: SimSpeaker;
  readonly peers: Record<'a' | 'b' | 'c', RawPeer>;
}

async function scene(more: Partial<ConfigInput> = {}): Promise<Scene> {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN}/24`);
  const own = lab.speaker('own', [OWN], config(more), { kernel });
  const peers = {
    a: lab.raw(A, { as: 65001, holdTime: 0 }),
    b: lab.raw(B, { as: 65002, addPath: 3, holdTime: 0 }),
    c: lab.raw(C, { as: 65000, holdTime: 0 }),
  };
  await lab.start(1000);
  await lab.connect(own, ...Object.values(peers));
  await lab.run(1000);
  return { lab, own, peers };
}

/** What is heard beside KEEPALIVEs from now on. */
function listen({ peers }: Scene): () => string[] {
  for (const peer of Object.values(peers)) peer.clear();
  return () =>
    Object.entries(peers).flatMap(([name, { heard }]) =>
      heard.filter((line) => line !== 'KEEPALIVE').map((line) => `${name}: ${line}`),
    );
}

describe('a live upgrade', () => {
  it('says nothing to peers, loses nothing in the kernel, and goes on', async () => {
    const world = await scene();
    const { lab, own, peers } = world;
    peers.a.announce(['20.0.0.0/8', '21.0.0.0/8']);
    peers.b.announce(['20.0.0.0/8 #5'], { asPath: '65002 1' });
    await lab.run(1000);
    const tables = Object.values(peers).map(({ table }) => new Map(table));
    const before = { kernel: own.kernelRoutes(), best: own.best(), peers: own.api.peers() };
    const heard = listen(world);
    await own.upgrade();
    await lab.run(1000);
    expect(heard()).toEqual([]);
    expect(own.kernelRoutes()).toEqual(before.kernel);
    expect(own.best().sort()).toEqual(before.best.sort());
    const after = own.api.peers();
    const lasting = ({ messages: _, families, ...rest }: PeerView) => ({
      ...rest,
      families: families.map(({ updateGroup: __, ...family }) => family),
    });
    expect(after.map(lasting)).toEqual(before.peers.map(lasting));
    peers.a.withdraw('20.0.0.0/8');
    peers.a.announce(['22.0.0.0/8']);
    await lab.run(1000);
    expect([...peers.c.table.keys()].sort()).toEqual([
      '10.9.0.0/16',
      '20.0.0.0/8',
      '21.0.0.0/8',
      '22.0.0.0/8',
    ]);
    expect(tables[2]!.size).toBe(3);
    await lab.run(10 * MINUTE_MS);
    expect(own.states()).toEqual(['a Established', 'b Established', 'c Established']);
    expect(own.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('takes along what operators have done', async () => {
    const world = await scene();
    const { lab, own, peers } = world;
    own.api.addNetwork({ prefix: '10.8.0.0/16', communities: ['65000:8'] });
    own.api.peerDown('c', 'maintenance');
    own.api.drain('a', true);
    await lab.run(1000);
    const heard = listen(world);
    await own.upgrade();
    await lab.run(MINUTE_MS);
    expect(heard()).toEqual([]);
    expect(own.states()).toEqual(['a Established', 'b Established', 'c Idle']);
    expect(own.peer('c').adminUp).toBe(false);
    own.api.deleteNetwork('10.8.0.0/16');
    own.api.drain('a', false);
    await lab.run(1000);
    expect([...peers.a.table.keys()]).toEqual(['10.9.0.0/16']);
    own.api.peerUp('c');
    await lab.connect(own, lab.raw(C, { as: 65000, holdTime: 0 }));
    await lab.run(1000);
    expect(own.peer('c').state).toBe('Established');
  });

  it('happens while messages are cut in two, however often', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }), async (cuts) => {
        const world = await scene();
        const { lab, own, peers } = world;
        for (const [i, cut] of cuts.entries()) {
          const [octets = new Uint8Array(0)] = peers.a.encode({
            announce: [`30.${i}.0.0/16`],
            attributes: { origin: 'IGP', asPath: '65001' },
          });
          peers.a.send(octets.subarray(0, cut));
          await lab.run(10);
          await own.upgrade();
          peers.a.send(octets.subarray(cut));
          await lab.run(10);
        }
        expect(own.states()).toEqual(['a Established', 'b Established', 'c Established']);
        expect(peers.c.table.size).toBe(1 + cuts.length);
      }),
      { numRuns: 8 },
    );
  });

  it('keeps the routes of a peer that restarts, and for no longer', async () => {
    const world = await scene({
      peers: [{ name: 'a', address: A, asn: 65001, ...open, gracefulRestart: { mode: 'helper' } }],
    });
    const { lab, own } = world;
    const peer = lab.raw(A, {
      as: 65001,
      holdTime: 0,
      capabilities: [RESTARTS],
    });
    world.peers.a.drop();
    await lab.run(1000);
    await lab.connect(own, peer);
    await lab.run(1000);
    peer.announce(['20.0.0.0/8']);
    await lab.run(1000);
    peer.drop();
    await lab.run(MINUTE_MS);
    expect(own.best()).toContain('20.0.0.0/8 from a');
    await own.upgrade();
    await lab.run(MINUTE_MS - 5000);
    expect(own.best()).toContain('20.0.0.0/8 from a');
    await lab.run(10_000);
    expect(own.best()).toEqual(['10.9.0.0/16 from local']);
  });

  it('keeps the routes of a member of a range that restarts', async () => {
    const range = {
      name: 'range',
      prefix: '10.0.0.0/24',
      asn: 65001,
      import: 'accept',
      export: 'accept',
    } as const;
    const world = await scene({
      peers: [],
      dynamicPeers: [{ ...range, gracefulRestart: { mode: 'helper' } }],
    });
    const { lab, own } = world;
    world.peers.a.drop();
    await lab.run(1000);
    const peer = lab.raw(A, { as: 65001, holdTime: 0, capabilities: [RESTARTS] });
    await lab.connect(own, peer);
    await lab.run(1000);
    peer.announce(['20.0.0.0/8']);
    await lab.run(1000);
    peer.drop();
    await lab.run(MINUTE_MS);
    await own.upgrade();
    await lab.run(MINUTE_MS - 5000);
    expect(own.best()).toEqual(['10.9.0.0/16 from local', `20.0.0.0/8 from ${A}`]);
    await lab.connect(own, peer);
    await lab.run(1000);
    expect(own.best()).toContain(`20.0.0.0/8 from ${A}`);
    // It is back, and does not say what it has.
    await own.upgrade();
    await lab.run(4 * MINUTE_MS);
    expect(own.states()).toEqual([`${A} Established`]);
    expect(own.best()).toEqual(['10.9.0.0/16 from local']);
  });

  it('takes peers along that ranges have admitted', async () => {
    const world = await scene({
      peers: [],
      dynamicPeers: [
        { name: 'range', prefix: '10.0.0.0/24', asn: 65001, import: 'accept', export: 'accept' },
      ],
    });
    const { lab, own, peers } = world;
    peers.a.announce(['20.0.0.0/8']);
    await lab.run(1000);
    const heard = listen(world);
    await own.upgrade();
    await lab.run(10 * MINUTE_MS);
    expect(heard()).toEqual([]);
    expect(own.states()).toEqual([`${A} Established`]);
    expect(own.best()).toContain(`20.0.0.0/8 from ${A}`);
  });

  it('ends the session of a peer that the configuration does not have any more, and tells the others', async () => {
    const world = await scene();
    const { lab, own, peers } = world;
    peers.a.announce(['20.0.0.0/8']);
    await lab.run(1000);
    await own.upgrade((state) => ({
      ...state,
      peers: state.peers.map((peer) => (peer.name === 'a' ? { ...peer, name: 'gone' } : peer)),
    }));
    await lab.run(1000);
    expect(peers.a.heard).toContain('NOTIFICATION 6/3');
    expect([...peers.c.table.keys()]).toEqual(['10.9.0.0/16']);
  });

  it('is refused where the configuration file says something else than what is in force', async () => {
    const { lab, own, peers } = await scene();
    const text = JSON.stringify(config({ networks: [] }));
    const other = parseConfig(text, 'godwit.yaml', {}, () => '', { hostname: 'own', addresses: [] });
    expect(() => new HandOver(own.speaker, () => other).check()).toThrow(/reload it first/);
    const wrong = parseConfig('router: 5', 'godwit.yaml', {}, () => '', { hostname: 'own', addresses: [] });
    expect(() => new HandOver(own.speaker, () => wrong).check()).toThrow(/nothing was changed/);
    peers.a.announce(['20.0.0.0/8']);
    await lab.run(1000);
    expect(own.best()).toContain('20.0.0.0/8 from a');
  });

  it('is refused while a restart is being recovered from', async () => {
    const lab = new SimLab();
    const recovering = lab.speaker('own', [OWN], {
      ...config(),
      router: { asn: 65000, id: OWN, restart: { recover: 'always' } },
      peers: [{ name: 'a', address: A, asn: 65001, ...open, gracefulRestart: 'full' }],
    });
    await lab.start(1000);
    await expect(recovering.upgrade()).rejects.toThrow('still recovering from a restart');
  });

  it('is refused from when a stop is decided, also where it is under way', async () => {
    const { lab, own } = await scene();
    const handOver = own.handOver();
    handOver.check();
    const ready = handOver.prepare();
    await lab.run(100);
    await ready;
    handOver.refuseBeforeStop();
    expect(() => handOver.check()).toThrow('godwit is about to stop');
    expect(() => handOver.capture()).toThrow('godwit is about to stop');
  });

  it('waits for the tables at its last step, too, however long the other program was asked', async () => {
    const { lab, own } = await scene();
    const handOver = own.handOver();
    const ready = handOver.prepare();
    await lab.run(100);
    await ready;
    await lab.run(20_000);
    const idle = vi.spyOn(own.speaker.rib, 'idle', 'get').mockReturnValue(false);
    let done = false;
    const handed = handOver.handOverPaths().then(() => {
      done = true;
    });
    await lab.run(10_000);
    expect(done).toBe(false);
    idle.mockReturnValue(true);
    await lab.run(100);
    await handed;
    idle.mockReturnValue(false);
    const late = expect(handOver.handOverPaths()).rejects.toThrow('do not come to rest');
    await lab.run(20_000);
    await late;
  });

  it('waits for the journal to be on the disk, and not for a disk that hangs', async () => {
    const { lab, own } = await scene();
    const { diagnosis } = own.speaker;
    let written = (): void => {};
    const flush = vi.spyOn(diagnosis, 'flush').mockReturnValueOnce(
      new Promise((resolve) => {
        written = resolve;
      }),
    );
    const handOver = own.handOver();
    let done = 0;
    const step = () => void handOver.handOverPaths().then(() => done++);
    step();
    await lab.run(500);
    expect(done).toBe(0);
    written();
    await lab.run(1);
    expect(done).toBe(1);
    flush.mockReturnValueOnce(new Promise(() => {}));
    step();
    await lab.run(2000);
    expect(done).toBe(2);
    vi.spyOn(diagnosis, 'flushNow').mockImplementation(() => {
      throw new Error('ENOSPC');
    });
    handOver.flushNow();
    expect(own.log.at(-1)).toBe('warn the journal lacks its last events');
  });

  it('that is taken back has changed nothing, and what came meanwhile is read', async () => {
    const { lab, own, peers } = await scene();
    const handOver = own.handOver();
    const ready = handOver.prepare();
    await lab.run(100);
    await ready;
    peers.a.announce(['20.0.0.0/8']);
    await lab.run(1000);
    expect(own.best()).toEqual(['10.9.0.0/16 from local']);
    handOver.capture();
    handOver.resume('the last upgrade did not take place: no');
    await lab.run(1000);
    expect(own.best()).toContain('20.0.0.0/8 from a');
    expect(own.api.status().problems).toEqual(['the last upgrade did not take place: no']);
    expect([...peers.c.table.keys()].sort()).toEqual(['10.9.0.0/16', '20.0.0.0/8']);
  });
});

describe('the state', () => {
  const nothing = new Map<string, SpeakerState>();

  it('is read as it was written', async () => {
    const { own } = await scene();
    let seen: SpeakerState | undefined;
    await own.upgrade((state) => {
      seen = state;
      return state;
    });
    expect(decodeStates(encodeStates(new Map([['x', seen!]]))).get('x')).toEqual(seen);
  });

  it('is not taken for one where it is not', () => {
    expect(decodeStates(encodeStates(nothing))).toEqual(nothing);
    expect(() => decodeStates(new Uint8Array(0))).toThrow(StateError);
    expect(() => decodeStates(Uint8Array.of(1, 2, 3))).toThrow(StateError);
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => void expect(() => decodeStates(octets)).toThrow(StateError)),
    );
  });

  it('of another format is refused by its number', async () => {
    const { own } = await scene();
    let text = '';
    await own.upgrade((state) => {
      try {
        decodeStates(encodeStates(new Map([['x', { ...state, format: 99 }]])));
      } catch (error) {
        text = String(error);
      }
      return state;
    });
    expect(text).toMatch(/format 99, and this version reads 1 to 2/);
  });
});
