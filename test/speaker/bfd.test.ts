// What BFD does to BGP sessions: two speakers on a simulated network, with simulated paths for BFD beside it.

import { beforeEach, describe, expect, it } from 'vitest';
import type { BfdEvents, BfdService } from '../../src/bfd/service.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { BfdSessions } from '../../src/speaker/bfd-sessions.ts';
import type { SpeakerState } from '../../src/speaker/upgrade/state.ts';
import { type BfdHost, BfdNetwork, ip } from '../support/bfd-network.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const SECOND = 1000;
const NETWORK = '198.51.100.0/24';

let lab: SimLab;
let network: BfdNetwork;
const hosts = new Map<string, BfdHost>();
let seed = 0;

beforeEach(() => {
  lab = new SimLab();
  network = new BfdNetwork(lab.clock);
  hosts.clear();
});

function speaker(address: string, input: Partial<ConfigInput>, kernel?: MemKernel): SimSpeaker {
  boot(address);
  const asn = address === A ? 65001 : 65002;
  return lab.speaker(address, [address], { router: { asn, id: address }, ...input } as ConfigInput, {
    openBfd: (events) => {
      const host = hosts.get(address)!;
      host.events = events;
      return host.service;
    },
    ...(kernel !== undefined && { kernel }),
  });
}

/** A BFD service for a speaker to open, in the place of an earlier one. */
function boot(address: string): void {
  hosts.set(address, network.host(address, ++seed));
}

type PeerInput = NonNullable<ConfigInput['peers']>[number];

function towards(address: string, more: Partial<PeerInput> = {}): PeerInput {
  return {
    address,
    asn: 'external',
    import: 'accept',
    export: 'accept',
    bfd: { interval: 100 },
    ...more,
  };
}

async function pair(left: Partial<PeerInput> = {}, right: Partial<PeerInput> = {}) {
  const a = speaker(A, { peers: [towards(B, left)] });
  const b = speaker(B, { peers: [towards(A, right)], networks: [NETWORK] });
  await lab.start();
  await lab.run(5 * SECOND);
  return { a, b };
}

/** The path fails for everything, at once and in silence. */
function cut(): void {
  network.loses = () => true;
  lab.network.cut(Uint8Array.from([10, 0, 0, 1]), Uint8Array.from([10, 0, 0, 2]));
}

function mend(): void {
  network.loses = () => false;
  lab.network.heal(Uint8Array.from([10, 0, 0, 1]), Uint8Array.from([10, 0, 0, 2]));
}

const up = { state: 'Up', remoteState: 'Up', interval: 100, timeout: 300 };

describe('a peer with bfd', () => {
  it('has a session beside the BGP session', async () => {
    const { a, b } = await pair();
    expect(a.states()).toEqual([`${B} Established`]);
    expect(a.api.bfdSessions()).toMatchObject([
      {
        ...up,
        peers: [B],
        address: B,
        multihop: false,
        multiplier: 3,
        upCount: 1,
        downCount: 0,
        problem: undefined,
      },
    ]);
    expect(b.api.bfdSessions()[0]?.localDiscriminator).toBe(a.api.bfdSessions()[0]?.remoteDiscriminator);
  });

  it('9384-3-1, 5882-4.2-1: a failed path ends the BGP session within a detection time', async () => {
    const { a, b } = await pair();
    expect(a.best()).toEqual([`${NETWORK} from ${B}`]);
    cut();
    await lab.run(310);
    expect(a.peer(B).state).not.toBe('Established');
    expect(a.peer(B).lastError).toBe(
      'ended here (BFD: Control Detection Time Expired); sent Cease/BFD Down (6/10); in Established',
    );
    expect(b.peer(A).lastError).toContain('Cease/BFD Down (6/10)');
    expect(a.best()).toEqual([]);
    expect(a.log).toContain('warn BFD session down');
    expect(a.api.bfdSessions()).toMatchObject([
      { state: 'Down', timeout: 0, localDiagnostic: 'Control Detection Time Expired', downCount: 1 },
    ]);
    expect(lab.clock.wallTime() - a.api.bfdSessions()[0]!.since).toBeLessThan(310);
  });

  it('comes back with the path, and does not wait for the back-off', async () => {
    const { a, b } = await pair();
    cut();
    await lab.run(30 * SECOND);
    mend();
    await lab.run(4 * SECOND);
    expect([a.states(), b.states()]).toEqual([[`${B} Established`], [`${A} Established`]]);
    expect(a.api.bfdSessions()).toMatchObject([{ ...up, upCount: 2, downCount: 1 }]);
    expect(a.best()).toEqual([`${NETWORK} from ${B}`]);
  });

  it('5882-4.2-1: is not touched when the other side switches BFD off', async () => {
    const { a, b } = await pair();
    await b.reload({
      router: { asn: 65002, id: B },
      peers: [towards(A, { bfd: false })],
      networks: [NETWORK],
    });
    await lab.run(30 * SECOND);
    expect(a.peer(B)).toMatchObject({ state: 'Established', downCount: 0 });
    expect(b.peer(A)).toMatchObject({ state: 'Established', downCount: 0 });
    expect(b.api.bfdSessions()).toEqual([]);
    expect(a.api.bfdSessions()).toMatchObject([
      { state: 'Down', localDiagnostic: 'Neighbor Signaled Session Down' },
    ]);
    expect(a.log).toContain('info BFD session down');
  });

  it('does not wait for BFD of a peer that speaks none', async () => {
    const { a } = await pair({}, { bfd: false });
    await lab.run(60 * SECOND);
    expect(a.peer(B)).toMatchObject({ state: 'Established', downCount: 0 });
    expect(a.api.bfdSessions()).toMatchObject([{ state: 'Down', interval: 1000, timeout: 0, upCount: 0 }]);
  });

  it('is watched anew when bfd is configured while the session stands', async () => {
    const { a, b } = await pair({ bfd: false });
    expect(a.api.bfdSessions()).toEqual([]);
    const changes = await a.reload({ router: { asn: 65001, id: A }, peers: [towards(B)] });
    expect(changes.join()).toContain('bfd none -> ');
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([up]);
    expect([a.peer(B).downCount, b.peer(A).downCount]).toEqual([0, 0]);
  });

  it('takes other intervals without a flap of either session', async () => {
    const { a, b } = await pair();
    const bfd = { interval: 300, multiplier: 5 };
    await a.reload({ router: { asn: 65001, id: A }, peers: [towards(B, { bfd })] });
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ state: 'Up', interval: 300, timeout: 900, downCount: 0 }]);
    expect(b.api.bfdSessions()).toMatchObject([{ state: 'Up', interval: 300, timeout: 1500, downCount: 0 }]);
    expect(a.peer(B)).toMatchObject({ state: 'Established', downCount: 0 });
  });

  it('leaves from another address when the session does', async () => {
    const { a } = await pair();
    const peers = [towards(B, { localAddress: A })];
    await a.reload({ router: { asn: 65001, id: A }, peers });
    await lab.run(10 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ ...up, localAddress: A }]);
  });

  it('5880-6.8.16-1: says AdminDown when the peer is shut down by hand, and is up again with it', async () => {
    const { a, b } = await pair();
    a.api.peerDown(B, undefined);
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toEqual([]);
    expect(b.api.bfdSessions()).toMatchObject([{ state: 'Down', downCount: 1 }]);
    expect(b.peer(A).lastError).toContain('Administrative Shutdown');
    expect(network.sentBy(A).at(-1)).toMatchObject({ state: 'AdminDown', diagnostic: 7 });
    a.api.peerUp(B);
    await lab.run(70 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([up]);
    expect(a.peer(B).state).toBe('Established');
  });

  it('says AdminDown also before a stop that BGP is not told of, so that a helper waits', async () => {
    const a = speaker(A, {
      router: { asn: 65001, id: A, restart: { onStop: 'silent' } },
      peers: [towards(B)],
    });
    const b = speaker(B, { peers: [towards(A)] });
    await lab.start();
    await lab.run(5 * SECOND);
    await a.stop();
    expect(network.sentBy(A).at(-1)).toMatchObject({ state: 'AdminDown' });
    expect(b.peer(A).lastError ?? '').not.toContain('BFD');
  });

  it('leaves with AdminDown when the daemon stops, and when it is taken out', async () => {
    const { a, b } = await pair();
    await a.stop();
    expect(network.sentBy(A).at(-1)).toMatchObject({ state: 'AdminDown' });
    await b.reload({ router: { asn: 65002, id: B }, networks: [NETWORK] });
    await lab.run(SECOND);
    expect(b.api.bfdSessions()).toEqual([]);
  });

  it('shows what keeps it from coming up, and no key', async () => {
    const key = (password: string) => ({ verification: { type: 'sha1' as const, password } });
    const { a } = await pair({ bfd: key('hush-one') }, { bfd: key('hush-two') });
    expect(a.peer(B).state).toBe('Established');
    expect(a.api.bfdSessions()).toMatchObject([
      { state: 'Down', authentication: 'sha1', problem: 'packets that were made with another key' },
    ]);
    expect(JSON.stringify([a.api.bfdSessions(), a.log, a.fields])).not.toContain('hush');
  });
});

describe('several peers on one path', () => {
  it('share a session with the shortest detection time, and all of them fall with it (RFC 5882 §4.4)', async () => {
    const other = { port: 1179, name: 'second', passive: true };
    const a = speaker(A, {
      peers: [towards(B), towards(B, { ...other, bfd: { interval: 50 } })],
    });
    speaker(B, { peers: [towards(A)] });
    await lab.start();
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ peers: [B, 'second'], state: 'Up', interval: 100 }]);
    expect(hosts.get(A)?.last().detectionTime).toBe(300_000);
    expect(network.sentBy(A).at(-1)).toMatchObject({ desiredMinTx: 50_000, requiredMinRx: 50_000 });
    await a.reload({ router: { asn: 65001, id: A }, peers: [towards(B)] });
    await lab.run(SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ peers: [B], state: 'Up', downCount: 0 }]);
    expect(network.sentBy(A).at(-1)).toMatchObject({ desiredMinTx: 100_000 });
  });
});

describe('a configured session', () => {
  const watch = (...addresses: string[]) => ({
    bfd: { sessions: addresses.map((address) => ({ address, interval: 100 })) },
  });

  it('needs no peer, and nothing follows when the path fails', async () => {
    const a = speaker(A, watch(B));
    const b = speaker(B, { ...watch(A), peers: [towards(A, { bfd: false })] });
    await lab.start();
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ ...up, peers: [], address: B }]);
    cut();
    await lab.run(SECOND);
    expect(b.api.bfdSessions()).toMatchObject([{ state: 'Down', downCount: 1 }]);
    expect(b.log).toContain('warn BFD session down');
    mend();
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ ...up, upCount: 2 }]);
    expect(hosts.get(A)?.last().detectionTime).toBe(300_000);
  });

  it('is one with that of a peer on the same path, which ends BGP as ever', async () => {
    const a = speaker(A, { ...watch(B), peers: [towards(B, { bfd: { interval: 50 } })] });
    speaker(B, { peers: [towards(A)] });
    await lab.start();
    await lab.run(5 * SECOND);
    expect(a.api.bfdSessions()).toMatchObject([{ state: 'Up', peers: [B] }]);
    expect(network.sentBy(A).at(-1)).toMatchObject({ desiredMinTx: 50_000 });
    cut();
    await lab.run(SECOND);
    expect(a.peer(B).lastError).toContain('Cease/BFD Down (6/10)');
  });

  it('stays when it goes from a peer to the configuration, and back', async () => {
    const input = { router: { asn: 65001, id: A } };
    const a = speaker(A, { peers: [towards(B)] });
    const b = speaker(B, watch(A));
    await lab.start();
    await lab.run(5 * SECOND);
    for (const more of [
      watch(B),
      { bfd: { sessions: [{ address: B, localAddress: A, interval: 100 }] } },
      { peers: [towards(B)] },
    ]) {
      await a.reload({ ...input, ...more });
      await lab.run(5 * SECOND);
      expect(a.api.bfdSessions()).toMatchObject([{ ...up, upCount: 1, downCount: 0 }]);
    }
    expect(b.api.bfdSessions()).toMatchObject([{ ...up, upCount: 1, downCount: 0 }]);
  });

  it('stays when the peer on its path goes, and goes when it is taken out', async () => {
    const input = { router: { asn: 65001, id: A } };
    const a = speaker(A, { ...watch(B), peers: [towards(B, { bfd: { interval: 50 } })] });
    speaker(B, { ...watch(A), peers: [towards(A)] });
    await lab.start();
    await lab.run(5 * SECOND);
    const sentences = await a.reload({ ...input, ...watch(B, '10.0.0.3') });
    expect(sentences).toContain('BFD session 10.0.0.3 is new');
    await lab.run(SECOND);
    expect(a.api.bfdSessions()).toMatchObject([
      { state: 'Up', peers: [], downCount: 0 },
      { state: 'Down', address: '10.0.0.3' },
    ]);
    expect(network.sentBy(A).at(-1)?.desiredMinTx).toBeGreaterThanOrEqual(100_000);
    await a.reload(input);
    expect(a.api.bfdSessions()).toEqual([]);
    await lab.run(SECOND);
    expect(network.sentBy(A).at(-1)).toMatchObject({ state: 'AdminDown' });
  });
});

const SILENT: BfdService = {
  add: () => {},
  update: () => {},
  remove: () => {},
  handOver: async () => new Map(),
  close: async () => {},
};

describe('a static route', () => {
  const C = '10.0.0.3';
  const ways = {
    kernel: { install: true },
    networks: [
      { prefix: '192.0.2.0/24', via: B, bfd: true },
      { prefix: NETWORK, via: [B, C], bfd: true },
    ],
  };

  it('leads over a next hop only while BFD sees it', async () => {
    const a = speaker(A, ways, simKernel(`eth0 ${A}/24`));
    const b = speaker(B, {});
    await lab.start();
    expect(a.kernelRoutes()).toEqual([]);
    const router = { asn: 65002, id: B };
    await b.reload({ router, bfd: { sessions: [{ address: A, interval: 100 }] } });
    await lab.run(5 * SECOND);
    const reached = ['192.0.2.0/24 via 10.0.0.2', '198.51.100.0/24 via 10.0.0.2'];
    expect(a.kernelRoutes()).toEqual(reached);
    cut();
    await lab.run(2 * SECOND);
    expect(a.kernelRoutes()).toEqual([]);
    mend();
    await lab.run(5 * SECOND);
    expect(a.kernelRoutes()).toEqual(reached);
    await b.reload({ router });
    await lab.run(SECOND);
    expect(a.kernelRoutes()).toEqual([]);
    await a.reload({ router: { asn: 65001, id: A }, ...ways, networks: [{ prefix: NETWORK, via: C }] });
    expect(a.kernelRoutes()).toEqual(['198.51.100.0/24 via 10.0.0.3']);
    expect(a.api.bfdSessions()).toEqual([]);
  });

  it('shares the session of a peer that is its next hop', async () => {
    const peers = [towards(B, { localAddress: A })];
    const a = speaker(A, { ...ways, peers }, simKernel(`eth0 ${A}/24`));
    const b = speaker(B, { peers: [towards(A)] });
    await lab.start();
    await lab.run(20 * SECOND);
    expect(b.api.bfdSessions()).toMatchObject([{ ...up, upCount: 1, downCount: 0 }]);
    expect(a.peer(B)).toMatchObject({ state: 'Established', downCount: 0 });
    expect(a.kernelRoutes()).toEqual(['192.0.2.0/24 via 10.0.0.2', '198.51.100.0/24 via 10.0.0.2']);
  });

  it('5882-4.2-1: stays where it is while BFD is gone, as sessions do, until BFD is back and knows', async () => {
    const kernel = simKernel(`eth0 ${A}/24`);
    const a = speaker(A, ways, kernel);
    const b = speaker(B, { bfd: { sessions: [{ address: A, interval: 100 }] } });
    await lab.start();
    expect(a.kernelRoutes()).toHaveLength(2);
    const written = kernel.log.length;
    hosts.get(A)!.events?.onFailure('the BFD thread ended');
    boot(A);
    await lab.run(20 * SECOND);
    expect(a.api.bfdSessions()[0]).toMatchObject({ state: 'Up', downCount: 0 });
    expect(kernel.log.slice(written)).toEqual([]);
    // The gateway goes meanwhile: nobody can know, and then somebody does.
    hosts.get(A)!.events?.onFailure('the BFD thread ended');
    boot(A);
    cut();
    await lab.run(4 * SECOND);
    expect(a.kernelRoutes()).toHaveLength(2);
    await lab.run(12 * SECOND);
    expect(a.kernelRoutes()).toEqual([]);
    mend();
    await lab.run(5 * SECOND);
    expect(a.kernelRoutes()).toHaveLength(2);
    // The other side says by itself that nobody watches there.
    hosts.get(A)!.events?.onFailure('the BFD thread ended');
    boot(A);
    network.loses = ({ from, state }) => from === B && state !== 'AdminDown';
    await lab.run(6 * SECOND);
    expect(a.kernelRoutes()).toHaveLength(2);
    await b.reload({ router: { asn: 65002, id: B } });
    await lab.run(SECOND);
    expect(a.kernelRoutes()).toEqual([]);
  });

  it('is watched again where BFD cannot be had at once', async () => {
    const a = speaker(A, ways, simKernel(`eth0 ${A}/24`));
    speaker(B, { bfd: { sessions: [{ address: A, interval: 100 }] } });
    await lab.start();
    const { events } = hosts.get(A)!;
    hosts.delete(A);
    events?.onFailure('the BFD thread ended');
    await lab.run(20 * SECOND);
    expect(a.kernelRoutes()).toHaveLength(2);
    expect(a.api.status().problems).toHaveLength(1);
    expect(a.log.filter((line) => line.includes('not watched'))).toHaveLength(1);
    boot(A);
    await lab.run(20 * SECOND);
    expect(a.api.status().problems).toEqual([]);
    expect(a.api.bfdSessions()[0]?.state).toBe('Up');
    cut();
    await lab.run(SECOND);
    expect(a.kernelRoutes()).toEqual([]);
  });

  it('stays where it is over a live upgrade', async () => {
    const kernel = simKernel(`eth0 ${A}/24`);
    const a = speaker(A, ways, kernel);
    speaker(B, { bfd: { sessions: [{ address: A, interval: 100 }] } });
    await lab.start();
    const routes = a.kernelRoutes();
    expect(routes).toHaveLength(2);
    const written = kernel.log.length;
    let handed: SpeakerState['bfd'] = new Map();
    await a.upgrade((state) => {
      handed = state.bfd;
      boot(A);
      return state;
    });
    await lab.run(5 * SECOND);
    // Also before the service of the new process has said anything.
    const { bfdSessions = [] } = a.speaker.config;
    const later = new BfdSessions({ ...a.speaker.parts, openBfd: () => SILENT, onPath: () => {} });
    later.takeOver(handed);
    later.watch(bfdSessions);
    const seen = (sessions: BfdSessions) =>
      bfdSessions.map(({ address }) => sessions.sees(ip(address), undefined));
    expect(seen(later)).toEqual([true, false]);
    const refused = (): BfdService => {
      throw new Error('BFD cannot be had');
    };
    const unable = new BfdSessions({ ...a.speaker.parts, openBfd: refused, onPath: () => {} });
    unable.takeOver(handed);
    unable.watch(bfdSessions);
    expect(seen(unable)).toEqual([true, false]);
    let events: BfdEvents | undefined;
    const failing = (given: BfdEvents) => {
      events = given;
      return SILENT;
    };
    const failed = new BfdSessions({ ...a.speaker.parts, openBfd: failing, onPath: () => {} });
    failed.takeOver(handed);
    failed.watch(bfdSessions);
    expect(seen(failed)).toEqual([true, false]);
    events?.onFailure('the BFD thread ended');
    expect(seen(failed)).toEqual([true, false]);
    await lab.run(14 * SECOND);
    expect(seen(failed)).toEqual([true, false]);
    await lab.run(2 * SECOND);
    expect(seen(failed)).toEqual([false, false]);
    expect(a.api.bfdSessions()[0]).toMatchObject({ state: 'Up', downCount: 0 });
    expect(a.kernelRoutes()).toEqual(routes);
    expect(kernel.log.slice(written)).toEqual([]);
  });
});

describe('dynamic peers', () => {
  it('are watched while they are connected', async () => {
    const a = speaker(A, {
      dynamicPeers: [
        {
          prefix: '10.0.0.0/24',
          asn: 'external',
          import: 'accept',
          export: 'accept',
          bfd: { interval: 100 },
        },
      ],
    });
    const b = speaker(B, { peers: [towards(A)] });
    await lab.start();
    expect(a.api.bfdSessions()).toMatchObject([{ ...up, peers: [B] }]);
    cut();
    await lab.run(SECOND);
    expect(a.api.bfdSessions()).toEqual([]);
    mend();
    await lab.run(150 * SECOND);
    expect(b.peer(A).state).toBe('Established');
    expect(a.api.bfdSessions()).toMatchObject([up]);
  });

  describe('that are next hops of static routes, too', () => {
    const input = (bfd: PeerInput['bfd'] = { interval: 100 }) => ({
      kernel: { install: true },
      networks: [{ prefix: NETWORK, via: B, bfd: true }],
      dynamicPeers: [
        {
          prefix: '10.0.0.0/24',
          asn: 'external' as const,
          import: 'accept' as const,
          export: 'accept' as const,
          localAddress: A,
          bfd,
        },
      ],
    });
    const reached = [`${NETWORK} via ${B}`];

    it('share the session that is there, and leave it there (RFC 5882 §4.4)', async () => {
      const a = speaker(A, input(), simKernel(`eth0 ${A}/24`));
      const there = { bfd: { sessions: [{ address: A, interval: 100 }] } };
      const b = speaker(B, there);
      await lab.start();
      await lab.run(5 * SECOND);
      expect(a.kernelRoutes()).toEqual(reached);
      await b.reload({ router: { asn: 65002, id: B }, ...there, peers: [towards(A)] });
      await lab.run(20 * SECOND);
      expect(a.states()).toEqual([`${B} Established`]);
      expect(a.api.bfdSessions()).toMatchObject([
        { ...up, peers: [B], localAddress: undefined, upCount: 1, downCount: 0 },
      ]);
      await b.reload({ router: { asn: 65002, id: B }, ...there });
      await lab.run(5 * SECOND);
      expect(a.states()).toEqual([]);
      expect(a.api.bfdSessions()).toMatchObject([{ state: 'Up', peers: [], upCount: 1 }]);
      expect(a.kernelRoutes()).toEqual(reached);
    });

    const keyed = { interval: 500, verification: { type: 'sha1' as const, password: 'hush' } };

    /** Up: A leans on B by a static route and, with a key, as a peer. */
    const keyedPair = async () => {
      const a = speaker(A, input(keyed), simKernel(`eth0 ${A}/24`));
      const b = speaker(B, {});
      await lab.start();
      await b.reload({ router: { asn: 65002, id: B }, peers: [towards(A, { bfd: keyed })] });
      await lab.run(20 * SECOND);
      return { a, b };
    };

    it('give a session that is not up their address and key', async () => {
      const { a, b } = await keyedPair();
      expect(a.api.bfdSessions()).toMatchObject([
        { state: 'Up', peers: [B], localAddress: A, authentication: 'sha1', downCount: 0 },
      ]);
      expect(b.peer(A)).toMatchObject({ state: 'Established', downCount: 0 });
      expect(a.kernelRoutes()).toEqual(reached);
      // The address is wanted until the session is another one.
      cut();
      await lab.run(5 * SECOND);
      expect(a.api.bfdSessions()).toMatchObject([{ state: 'Down', peers: [], localAddress: undefined }]);
      expect(a.kernelRoutes()).toEqual([]);
    });

    it('go on with it over a live upgrade', async () => {
      const { a, b } = await keyedPair();
      const [before] = a.api.bfdSessions();
      expect(before).toMatchObject({ state: 'Up', peers: [B], localAddress: A });
      await a.upgrade((state) => {
        boot(A);
        return state;
      });
      await lab.run(5 * SECOND);
      const { localDiscriminator, remoteDiscriminator } = before!;
      expect(a.api.bfdSessions()).toMatchObject([
        { state: 'Up', peers: [B], downCount: 0, localDiscriminator, remoteDiscriminator },
      ]);
      expect(b.peer(A)).toMatchObject({ state: 'Established', downCount: 0 });
    });
  });
});

describe('sessions whose ends the wishes leave open', () => {
  const base = { router: { asn: 65001, id: A }, peers: [towards(B)] };

  it.each([
    ['a peer', { sessions: [{ address: B, localAddress: A, interval: 100 }] }, [towards(B)]],
    ['the configuration', { sessions: [{ address: B, interval: 100 }] }, [towards(B, { localAddress: A })]],
  ])('go on over a live upgrade where %s was first', async (_, bfd, peers) => {
    const a = speaker(A, _ === 'a peer' ? base : { bfd }, simKernel(`eth2 ${A}/24`));
    const b = speaker(B, { peers: [towards(A)] });
    await lab.start();
    await lab.run(5 * SECOND);
    await a.reload({ ...base, bfd, peers });
    await lab.run(20 * SECOND);
    const [before] = a.api.bfdSessions();
    expect(before).toMatchObject({ state: 'Up', peers: [B], localAddress: undefined, upCount: 1 });
    await a.upgrade((state) => {
      boot(A);
      return state;
    });
    await lab.run(20 * SECOND);
    const { localDiscriminator } = before!;
    expect(a.api.bfdSessions()).toMatchObject([{ state: 'Up', downCount: 0, localDiscriminator }]);
    expect(b.peer(A)).toMatchObject({ state: 'Established', downCount: 0 });
  });
});

describe('without BFD', () => {
  it('that cannot be opened, peers run without and the status says so', async () => {
    const a = lab.speaker(
      'a',
      [A],
      { router: { asn: 65001, id: A }, peers: [towards(B)] },
      {
        openBfd: () => {
          throw new Error('BFD cannot be had: it needs Linux');
        },
      },
    );
    lab.speaker('b', [B], { router: { asn: 65002, id: B }, peers: [towards(A, { bfd: false })] });
    await lab.start();
    expect(a.peer(B).state).toBe('Established');
    expect(a.api.status().problems).toEqual(['BFD cannot be had: it needs Linux']);
    expect(a.api.bfdSessions()).toMatchObject([
      { state: 'Down', problem: 'BFD cannot be had: it needs Linux' },
    ]);
  });

  it('that fails under way, sessions stay and the status says so', async () => {
    const { a } = await pair();
    hosts.get(A)!.events?.onFailure('the BFD thread ended');
    await lab.run(SECOND);
    expect(a.peer(B)).toMatchObject({ state: 'Established', downCount: 0 });
    expect(a.api.status().problems).toEqual(['the BFD thread ended']);
    expect(a.api.bfdSessions()).toMatchObject([{ state: 'Down', problem: 'the BFD thread ended' }]);
    // Another one takes its place.
    boot(A);
    await lab.run(15 * SECOND);
    expect(a.api.status().problems).toEqual([]);
    expect(a.api.bfdSessions()).toMatchObject([{ ...up, problem: undefined }]);
    expect(a.peer(B).state).toBe('Established');
  });
});
