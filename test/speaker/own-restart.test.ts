// RFC 4724 §4.1 as seen from outside: a speaker that comes back after its process died, among peers that helped.

import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { MemKernel } from '../../src/fib/mem-kernel.ts';
import { CONTACT_LIMIT_MS } from '../../src/speaker/restart-recovery.ts';
import { ip, type RawPeer } from '../support/raw-peer.ts';
import { SimLab, type SimSpeaker, simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, peerInput } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const DEAD = '10.0.0.4';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const GONE = '203.0.113.0/24';
const AS: Record<string, number> = { [A]: 65002, [B]: 65003, [DEAD]: 65004 };

const restart = (restarting: boolean): Capability => ({
  kind: 'graceful-restart',
  restarting,
  notification: false,
  restartTime: 120,
  families: [{ afi: 1, safi: 1, forwarding: true }],
});

interface World {
  readonly lab: SimLab;
  readonly speaker: SimSpeaker;
  readonly kernel: MemKernel;
  connect(address: string, capabilities?: readonly Capability[]): Promise<RawPeer>;
}

/** A and B are back with what they had, one after the other. */
async function bothSend(connect: World['connect']): Promise<void> {
  for (const address of [A, B]) {
    const peer = await connect(address);
    peer.announce([address === A ? P1 : P2]);
    peer.endOfRib();
  }
}

function inputFor(peers: readonly string[], more: Partial<ConfigInput> = {}): ConfigInput {
  return {
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    kernel: { install: true },
    peers: peers.map((address) =>
      peerInput(address, { as: AS[address]!, config: { gracefulRestart: 'full', passive: false } }),
    ),
    ...more,
  };
}

/** A speaker whose process has died with the routes of A and B in the kernel, started again. */
async function restarted(peers: readonly string[], more: Partial<ConfigInput> = {}): Promise<World> {
  const lab = new SimLab();
  const kernel = simKernel(`eth0 ${OWN_ADDRESS}/24`);
  const speaker = lab.speaker('godwit', [OWN_ADDRESS], inputFor(peers, more), { kernel });
  await lab.start();
  const connect = async (address: string, capabilities = [restart(false)]): Promise<RawPeer> => {
    const peer = lab.raw(address, { as: AS[address]!, holdTime: 0, capabilities });
    await lab.connect(speaker, peer);
    return peer;
  };
  const a = await connect(A);
  const b = await connect(B);
  a.announce([P1, GONE]);
  b.announce([P2]);
  await lab.settle();
  expect(kernelRoutes(kernel)).toEqual([P1, P2, GONE]);
  speaker.kill();
  await lab.run(1000);
  speaker.renew();
  speaker.start();
  const writes: string[] = [];
  const before = kernelRoutes(kernel);
  lab.clock.setTimer(0, () =>
    writes.push(...before.filter((route) => !kernelRoutes(kernel).includes(route))),
  );
  await lab.settle();
  return { lab, speaker, kernel, connect };
}

function kernelRoutes(kernel: MemKernel): string[] {
  return kernel
    .routes()
    .filter((route) => route.protocol === 12)
    .map(({ prefix }) => `${prefix.bytes.join('.')}/${prefix.length}`)
    .sort();
}

/** Prefixes that have a chosen route. */
const chosen = ({ speaker }: SimSpeaker) => speaker.rib.families[0]!.locRib.size;
const restartOf = (peer: RawPeer) =>
  peer.remoteOpen?.capabilities.find((each) => each.kind === 'graceful-restart');

describe('restarting speaker', () => {
  it('4724-4.1-1 says so in its OPEN, with the F bit for the routes that the kernel has kept', async () => {
    const { connect } = await restarted([A, B]);
    const families = (forwarding: boolean) => [{ afi: 1, safi: 1, forwarding }];
    expect(restartOf(await connect(A))).toMatchObject({ restarting: true, families: families(true) });
  });

  it('4724-4.1-2 chooses no route before everybody has sent End-of-RIB, then sends routes and its own', async () => {
    const { lab, speaker, kernel, connect } = await restarted([A, B]);
    const began = [...speaker.api.events({})].filter(({ code }) => code === 'restart-began');
    expect(began.map(({ sentence }) => sentence).join()).toContain('2 peers have not sent');
    const a = await connect(A);
    const b = await connect(B);
    a.announce([P1]);
    a.endOfRib();
    b.announce([P2]);
    await lab.run(5000);
    expect(
      [a.heard, b.heard].flat().filter((line) => !line.startsWith('OPEN') && line !== 'KEEPALIVE'),
    ).toEqual([]);
    expect(chosen(speaker)).toBe(0);
    expect(kernelRoutes(kernel)).toEqual([P1, P2, GONE]);
    expect(speaker.api.status().problems.join()).toContain('1 peer has not sent');
    b.endOfRib();
    await lab.settle();
    expect(b.prefixes()).toEqual([P1]);
    expect(a.prefixes()).toEqual([P2]);
    for (const peer of [a, b]) expect(peer.heard.at(-1)).toBe('EOR ipv4-unicast');
    // What nobody announces any more goes only now.
    await lab.run(1000);
    expect(kernelRoutes(kernel)).toEqual([P1, P2]);
    expect(speaker.api.status().problems).toEqual([]);
  });

  it('does not wait for a peer that shows no sign of life, nor for one that restarts too', async () => {
    const { lab, speaker, kernel, connect } = await restarted([A, B, DEAD]);
    const a = await connect(A);
    const b = await connect(B, [restart(true)]);
    a.announce([P1]);
    a.endOfRib();
    await lab.run(CONTACT_LIMIT_MS - 2000);
    expect(chosen(speaker)).toBe(0);
    await lab.run(3000);
    expect(b.prefixes()).toEqual([P1]);
    b.announce([P2]);
    b.endOfRib();
    await lab.settle();
    expect(a.prefixes()).toEqual([P2]);
    expect(a.heard.filter((line) => line.startsWith('-'))).toEqual([]);
    // Routes of the run before wait for the dead peer a while longer.
    expect(kernelRoutes(kernel)).toEqual([P1, P2, GONE]);
    await lab.run(200_000);
    expect(kernelRoutes(kernel)).toEqual([P1, P2]);
  });

  it('waits for a peer that dials in, unless there is no way by which it could', async () => {
    for (const [dead, waits] of [
      [DEAD, true],
      ['192.168.77.4', false],
    ] as const) {
      const { peers = [] } = inputFor([A, B]);
      const silent = peerInput(dead, { as: 65004, config: { gracefulRestart: 'full', passive: true } });
      const { lab, speaker, connect } = await restarted([A, B], { peers: [...peers, silent] });
      await bothSend(connect);
      await lab.run(CONTACT_LIMIT_MS + 1000);
      expect(chosen(speaker)).toBe(waits ? 0 : 2);
      await lab.run(100_000);
      expect(chosen(speaker)).toBe(2);
    }
  });

  it('gives peers of a range the time of a contact, and says so', async () => {
    const nodes = { prefix: '10.7.0.0/16', asn: 'internal', gracefulRestart: 'full' } as const;
    const { lab, speaker, connect } = await restarted([A, B], { dynamicPeers: [nodes] });
    await bothSend(connect);
    await lab.run(5000);
    expect(chosen(speaker)).toBe(0);
    expect(speaker.api.status().problems.join()).toMatch(
      /no route is chosen for 1\d s, in which peers of dynamic ranges may come/,
    );
    await lab.run(CONTACT_LIMIT_MS);
    expect(chosen(speaker)).toBe(2);
  });

  it('waits no longer than it is told, whoever hangs', async () => {
    const router = { asn: OWN_AS, id: OWN_ADDRESS, restart: { wait: 30 } };
    const { lab, speaker, connect } = await restarted([A, B], { router });
    const a = await connect(A);
    await connect(B);
    a.announce([P1]);
    a.endOfRib();
    await lab.run(28_000);
    expect(chosen(speaker)).toBe(0);
    await lab.run(3000);
    expect(chosen(speaker)).toBe(1);
  });

  it.each([
    ['is switched off', (speaker: SimSpeaker) => speaker.api.peerDown(DEAD, undefined)],
    ['is removed', (speaker: SimSpeaker) => speaker.reload(inputFor([A, B]))],
  ])('waits no longer for a peer that %s', async (_, end) => {
    const { lab, speaker, kernel, connect } = await restarted([A, B, DEAD]);
    await bothSend(connect);
    await lab.run(5000);
    expect(chosen(speaker)).toBe(0);
    await end(speaker);
    await lab.run(1500);
    expect(chosen(speaker)).toBe(2);
    // Nor do the kernel's routes of the run before.
    expect(kernelRoutes(kernel)).toEqual([P1, P2]);
  });

  it('waits no longer for a peer whose connection breaks before its OPEN, when the time for a contact is over', async () => {
    const { lab, speaker, connect } = await restarted([A, B, DEAD]);
    await bothSend(connect);
    const mute = lab.network.host(ip(DEAD)).connect(
      {
        remote: { address: ip(OWN_ADDRESS), port: 179 },
        local: { address: ip(DEAD), port: 0 },
        interface: undefined,
        ttl: undefined,
        minTtl: undefined,
        password: undefined,
      },
      { onConnect() {}, onData() {}, onEnd() {}, onClose() {} },
    );
    await lab.run(CONTACT_LIMIT_MS + 5000);
    expect(speaker.peer(DEAD).state).toBe('OpenSent');
    expect(chosen(speaker)).toBe(0);
    mute.destroy();
    await lab.run(1500);
    expect(chosen(speaker)).toBe(2);
  });

  it('is none where nothing of a run before is there, or where it is told not to recover', async () => {
    const lab = new SimLab();
    const speaker = lab.speaker('godwit', [OWN_ADDRESS], inputFor([A, DEAD]), {
      kernel: simKernel(`eth0 ${OWN_ADDRESS}/24`),
    });
    await lab.start();
    const fresh = lab.raw(A, { as: AS[A]!, holdTime: 0, capabilities: [restart(false)] });
    await lab.connect(speaker, fresh);
    expect(restartOf(fresh)).toMatchObject({ restarting: false, families: [{ forwarding: false }] });
    fresh.announce([P1]);
    await lab.settle();
    expect(chosen(speaker)).toBe(1);

    const router = { asn: OWN_AS, id: OWN_ADDRESS, restart: { recover: 'never' } } as const;
    const told = await restarted([A, B], { router });
    const a = await told.connect(A);
    a.announce([P1]);
    await told.lab.settle();
    expect(chosen(told.speaker)).toBe(1);
  });

  it('keeps the F bit for a peer whose session was only lost', async () => {
    const lab = new SimLab();
    const speaker = lab.speaker('godwit', [OWN_ADDRESS], inputFor([A]), {
      kernel: simKernel(`eth0 ${OWN_ADDRESS}/24`),
    });
    await lab.start();
    const first = lab.raw(A, { as: AS[A]!, holdTime: 0, capabilities: [restart(false)] });
    await lab.connect(speaker, first);
    first.drop();
    await lab.run(70_000);
    const again = lab.raw(A, { as: AS[A]!, holdTime: 0, capabilities: [restart(false)] });
    await lab.connect(speaker, again);
    expect(restartOf(again)).toMatchObject({ restarting: false, families: [{ forwarding: true }] });
  });

  it('a silent stop says nothing and leaves the kernel as it is', async () => {
    const router = { asn: OWN_AS, id: OWN_ADDRESS, restart: { onStop: 'silent' } } as const;
    const { lab, speaker, kernel, connect } = await restarted([A, B], { router });
    const a = await connect(A);
    a.announce([P1]);
    a.endOfRib();
    a.clear();
    await speaker.stop();
    await lab.run(1000);
    expect(a.heard.filter((line) => line.startsWith('NOTIFICATION'))).toEqual([]);
    expect(kernelRoutes(kernel)).toContain(P1);
  });
});
