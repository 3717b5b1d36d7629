// RFC 4724 §4.2 and §4.1 as seen from outside: a helper keeps the routes of a peer that restarts.

import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { CEASE, ERROR } from '../../src/bgp/wire/error-codes.ts';
import { encodeNotification } from '../../src/bgp/wire/notification.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { SimLab, simKernel } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';

const restart = (restarting: boolean, forwarding = true, notification = false): Capability => ({
  kind: 'graceful-restart',
  restarting,
  notification,
  restartTime: 90,
  families: [{ afi: 1, safi: 1, forwarding }],
});

const AROUND: Record<string, RigPeer> = {
  [A]: { as: 65002, raw: { capabilities: [restart(false)] } },
  [B]: { as: 65003 },
};

async function afterLoss() {
  const set = await rig(AROUND, { kernel: { install: true } }, simKernel(`eth0 ${OWN_ADDRESS}/24`));
  const { lab, peer, speaker } = set;
  peer(A).announce([P1, P2]);
  peer(A).endOfRib();
  await lab.settle();
  peer(B).clear();
  peer(A).drop();
  await lab.settle();
  return { ...set, lab, peer, speaker };
}

/** The same peer, whose OPEN says other things of restarts. */
async function comeBack(set: Awaited<ReturnType<typeof afterLoss>>, capabilities: readonly Capability[]) {
  const again = set.lab.raw(A, { as: 65002, holdTime: 0, capabilities });
  await set.lab.connect(set.speaker, again);
  return again;
}

describe('helper', () => {
  it('4724-4.2-1 TCP loss of a GR peer: its routes stay, stale, and are forwarded as before', async () => {
    const { speaker, peer } = await afterLoss();
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`]);
    expect(speaker.routes().map((route) => route.stale)).toEqual([true, true]);
    expect(speaker.routes({ receivedFrom: A })).toHaveLength(2);
    const kept = { negotiated: false, received: 2, stale: 2, best: 2, keptFor: 90_000 };
    expect(speaker.peer(A).families[0]).toMatchObject(kept);
    expect(speaker.kernelRoutes()).toEqual([`${P1} via ${A}`, `${P2} via ${A}`]);
    expect(peer(B).heard).toEqual([]);
    const gr = peer(B).remoteOpen?.capabilities.find(({ kind }) => kind === 'graceful-restart');
    expect(gr).toMatchObject({ restarting: false });
  });

  it('4724-4.2-4 when Restart Time has passed the stale routes go', async () => {
    const { lab, speaker, peer } = await afterLoss();
    await lab.run(80_000);
    expect(speaker.best()).toHaveLength(2);
    await lab.run(20_000);
    expect(speaker.routes()).toEqual([]);
    expect(speaker.kernelRoutes()).toEqual([]);
    expect(peer(B).prefixes()).toEqual([]);
    expect([...speaker.api.events({})].at(-1)).toMatchObject({
      code: 'stale-routes-gone',
      kind: 'restart',
      peer: A,
      sentence: 'the peer is not back in time: its ipv4-unicast routes go',
    });
  });

  it('4724-4.2-6 updates replace stale routes; at End-of-RIB the remaining ones go', async () => {
    const set = await afterLoss();
    await set.lab.run(61_000);
    const again = await comeBack(set, [restart(true)]);
    expect(set.speaker.best()).toHaveLength(2);
    again.announce([P1]);
    await set.lab.settle();
    expect(set.speaker.routes().map((route) => [route.prefix, route.stale])).toEqual([
      [P1, false],
      [P2, true],
    ]);
    expect(set.peer(B).heard).toEqual([]);
    again.endOfRib();
    await set.lab.settle();
    expect(set.speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(set.peer(B).heard).toEqual([`-${P2}`]);
  });

  it('4724-4.2-5 a new session without capability, family or F bit: stale routes go at once', async () => {
    for (const capabilities of [
      [],
      [{ ...restart(true), families: [] } as Capability],
      [restart(true, false)],
    ]) {
      const set = await afterLoss();
      await set.lab.run(61_000);
      await comeBack(set, capabilities);
      expect(set.speaker.routes()).toEqual([]);
      expect(set.peer(B).prefixes()).toEqual([]);
    }
  });

  it('4724-4.2-3 a second restart in a row: what was stale already goes', async () => {
    const set = await afterLoss();
    await set.lab.run(61_000);
    const again = await comeBack(set, [restart(true)]);
    again.announce([P1]);
    await set.lab.settle();
    again.drop();
    await set.lab.settle();
    expect(set.speaker.routes().map((route) => [route.prefix, route.stale])).toEqual([[P1, true]]);
    expect(set.peer(B).prefixes()).toEqual([P1]);
  });

  it('4724-4.2-2 a new connection from an established GR peer replaces the old one, silently', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(A).announce([P1]);
    await lab.settle();
    peer(A).clear();
    peer(B).clear();
    const again = lab.raw(A, { as: 65002, holdTime: 0, capabilities: [restart(true)] });
    await lab.connect(speaker, again);
    expect(again.heard).toContain('EOR ipv4-unicast');
    expect(peer(A).heard.filter((line) => line.startsWith('NOTIFICATION'))).toEqual([]);
    expect(speaker.routes()).toMatchObject([{ prefix: P1, stale: true }]);
    expect(peer(B).heard).toEqual([]);
  });

  it('4724-3-2 a peer with the R bit gets routes without waiting for its End-of-RIB', async () => {
    const { lab, speaker, peer } = await rig({ ...AROUND }, { networks: [P1] });
    const again = lab.raw(A, { as: 65002, holdTime: 0, capabilities: [restart(true)] });
    await lab.connect(speaker, again);
    expect(again.prefixes()).toEqual([P1]);
    expect(peer(B).prefixes()).toEqual([P1]);
  });

  it('7313-4-3 BoRR before the End-of-RIB of a GR peer is ignored', async () => {
    const enhanced: Capability = { kind: 'enhanced-route-refresh' };
    const { lab, speaker, peer } = await rig({
      ...AROUND,
      [A]: { as: 65002, raw: { capabilities: [restart(false), enhanced] } },
    });
    peer(A).announce([P1, P2]);
    peer(A).refresh(undefined, 1);
    peer(A).announce([P1]);
    peer(A).refresh(undefined, 2);
    await lab.settle();
    expect(speaker.best()).toHaveLength(2);
    peer(A).endOfRib();
    peer(A).refresh(undefined, 1);
    peer(A).announce([P1]);
    peer(A).refresh(undefined, 2);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
  });

  it('a policy that changed meanwhile holds for routes that come back as they were', async () => {
    const set = await afterLoss();
    await set.speaker.reload({
      router: { asn: OWN_AS, id: OWN_ADDRESS },
      kernel: { install: true },
      peers: [peerInput(A, { as: 65002, config: { import: 'reject' } }), peerInput(B, AROUND[B]!)],
    });
    await set.lab.run(61_000);
    const again = await comeBack(set, [restart(true)]);
    again.announce([P1, P2]);
    again.endOfRib();
    await set.lab.settle();
    expect(set.speaker.routes({ rejectedOnly: true })).toHaveLength(2);
    expect(set.speaker.kernelRoutes()).toEqual([]);
    expect(set.peer(B).prefixes()).toEqual([]);
  });

  it('an administrative stop of the peer ends the wait', async () => {
    const { lab, speaker, peer } = await afterLoss();
    speaker.api.peerDown(A, undefined);
    await lab.settle();
    expect(speaker.routes()).toEqual([]);
    expect(peer(B).prefixes()).toEqual([]);
  });
});

describe('notification', () => {
  const patient = { config: { gracefulRestart: { notification: true } } } as const;

  async function set(remote = restart(false, true, true), holdTime = 0) {
    const set = await rig(
      { ...AROUND, [A]: { as: 65002, ...patient, raw: { holdTime, capabilities: [remote] } } },
      { kernel: { install: true } },
      simKernel(`eth0 ${OWN_ADDRESS}/24`),
    );
    set.peer(A).announce([P1]);
    set.peer(A).endOfRib();
    await set.lab.settle();
    set.peer(B).clear();
    return set;
  }

  it('8538-4-1 keeps routes over a NOTIFICATION that is no Hard Reset, where both sides have said so', async () => {
    const { lab, peer, speaker } = await set();
    peer(A).send(encodeNotification(ERROR.cease, CEASE.outOfResources));
    await lab.settle();
    expect(speaker.routes()).toMatchObject([{ prefix: P1, stale: true, best: true }]);
    expect(peer(B).heard).toEqual([]);
    await lab.run(95_000);
    expect(speaker.routes()).toEqual([]);
  });

  it('8538-4-1 keeps routes when the hold timer expires', async () => {
    const { lab, peer, speaker } = await set(undefined, 30);
    await lab.run(31_000);
    expect(peer(A).heard.join()).toContain('NOTIFICATION 4/0');
    expect(speaker.routes()).toMatchObject([{ prefix: P1, stale: true }]);
  });

  it('8538-3.1-1 a Hard Reset drops them, and so does one that only one side has offered', async () => {
    const first = await set();
    first.peer(A).send(encodeNotification(ERROR.cease, CEASE.hardReset, Uint8Array.of(6, 4)));
    await first.lab.settle();
    expect(first.speaker.routes()).toEqual([]);
    const second = await set(restart(false, true, false));
    second.peer(A).send(encodeNotification(ERROR.cease, CEASE.outOfResources));
    await second.lab.settle();
    expect(second.speaker.routes()).toEqual([]);
  });

  it('8538-5.1-1 ends that are meant go out as a Hard Reset', async () => {
    const { lab, peer, speaker } = await set();
    speaker.api.peerDown(A, 'maintenance');
    await lab.settle();
    expect(peer(A).heard.join()).toContain('NOTIFICATION 6/9');
    expect(speaker.routes()).toEqual([]);
    const without = await set(restart(false, true, false));
    without.speaker.api.peerDown(A, undefined);
    await without.lab.settle();
    expect(without.peer(A).heard.join()).toContain('NOTIFICATION 6/2');
  });
});

describe('dynamic peers', () => {
  const range = (prefix: string): ConfigInput => ({
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peerGroups: { clients: { asn: OWN_AS, routeReflectorClient: true } },
    dynamicPeers: [{ name: 'clients', prefix, group: 'clients', limit: 2 }],
  });

  async function lossOfOne() {
    const lab = new SimLab();
    const speaker = lab.speaker('rr', [OWN_ADDRESS], range('10.0.16.0/20'));
    await lab.start();
    const one = lab.raw('10.0.16.1', { as: OWN_AS, holdTime: 0, capabilities: [restart(false)] });
    const two = lab.raw('10.0.16.2', { as: OWN_AS, holdTime: 0 });
    await lab.connect(speaker, one, two);
    one.announce([P1, P2]);
    one.endOfRib();
    await lab.settle();
    two.clear();
    one.drop();
    await lab.settle();
    return { lab, speaker, one, two };
  }

  it('4724-4.2-1 the routes of a dynamic peer wait for it, though the peer is gone', async () => {
    const { lab, speaker, one, two } = await lossOfOne();
    expect(speaker.states()).toEqual(['10.0.16.2 Established']);
    expect(speaker.api.status().peers).toEqual({ total: 1, established: 1, away: ['10.0.16.1'] });
    expect(speaker.routes().map((route) => [route.prefix, route.stale])).toEqual([
      [P1, true],
      [P2, true],
    ]);
    await lab.connect(speaker, one);
    one.announce([P1]);
    one.endOfRib();
    await lab.settle();
    expect(two.heard).toEqual([`-${P2}`]);
    expect(speaker.routes().map((route) => [route.prefix, route.stale])).toEqual([[P1, false]]);
    one.drop();
    await lab.run(100_000);
    expect(speaker.routes()).toEqual([]);
    expect(two.prefixes()).toEqual([]);
  });

  it('they go with the range, and when its prefix does not hold the peer any more', async () => {
    const without: ConfigInput = { router: { asn: OWN_AS, id: OWN_ADDRESS } };
    for (const after of [without, range('10.0.32.0/20')]) {
      const { speaker } = await lossOfOne();
      await speaker.reload(after);
      expect(speaker.routes()).toEqual([]);
    }
  });
});
