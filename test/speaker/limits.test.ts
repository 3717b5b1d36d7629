// Limits on the routes of a peer and on what it is sent: what is taken, sent, logged and shown at and above them.

import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { RawPeer, RawPeerOptions } from '../support/raw-peer.ts';
import { SimLab } from '../support/sim-lab.ts';
import { OWN_AS, peerInput, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const [P1, P2, P3, P4] = ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '10.9.0.0/16'] as const;

type Limits = NonNullable<NonNullable<ConfigInput['peers']>[number]['limits']>;

/** A peer with limits, and one without. */
async function limited(limits: Limits, more: Partial<ConfigInput> = {}) {
  const setup = { as: 65002, config: { limits, errorWaitMin: 30, errorWaitMax: 60 } };
  const made = await rig({ [A]: setup, [B]: { as: 65003 } }, more);
  const states = () => made.speaker.peer(A).families[0]!.limits;
  const lines = () => made.speaker.log.filter((line) => line.includes('the limit of'));
  return { ...made, a: made.peer(A), b: made.peer(B), states, lines, setup };
}

describe('a limit on received routes', () => {
  it('warns once, with figures, and takes the routes', async () => {
    const { lab, speaker, a, states, lines } = await limited({ received: { routes: 2, action: 'warn' } });
    a.announce([P1, P2]);
    await lab.settle();
    expect(states()).toEqual([{ kind: 'received', routes: 2, action: 'warn', hit: false }]);
    a.announce([P3]);
    a.announce([P4]);
    await lab.settle();
    expect(speaker.best()).toHaveLength(4);
    expect(states()).toMatchObject([{ hit: true }]);
    expect(lines()).toEqual([
      `warn the limit of 2 received ipv4-unicast routes of ${A} is exceeded: they are taken all the same`,
    ]);
    expect(speaker.fields).toContainEqual(
      expect.objectContaining({ peer: A, limit: 'received', routes: 2, count: 3, action: 'warn' }),
    );
  });

  it('4271-6.7-2 blocks what is one too many, in the middle of a message, too; what is there may change and go', async () => {
    const { lab, speaker, a, b, states, lines } = await limited({ received: { routes: 2, action: 'block' } });
    a.announce([P1, P2, P3]);
    a.announce([P4]);
    await lab.settle();
    expect(speaker.peer(A)).toMatchObject({ state: 'Established', families: [{ received: 2, rejected: 0 }] });
    expect(b.prefixes()).toEqual([P1, P2]);
    expect(states()).toMatchObject([{ hit: true }]);
    expect(lines()).toHaveLength(1);
    a.announce([P1, P3], { med: 7 });
    await lab.settle();
    expect(b.prefixes()).toEqual([P1, P2]);
    expect(speaker.route(P1, A)?.attributes.med).toBe(7);
    a.withdraw(P1);
    await lab.settle();
    expect(b.prefixes()).toEqual([P2]);
    // Nobody asks for what was not taken; what comes from now on has room.
    a.announce([P4]);
    await lab.settle();
    expect(b.prefixes()).toEqual([P4, P2].sort());
    expect(states()).toMatchObject([{ hit: true }]);
  });

  it('is enough for so many and no more when a message brings each prefix twice', async () => {
    const { lab, speaker, a } = await limited({ received: { routes: 2, action: 'block' } });
    a.announce([P1, P1, P2, P2, P3, P1]);
    await lab.settle();
    expect(speaker.best()).toHaveLength(2);
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 2 });
  });

  it('restarts the session with 6/1, family and bound, and tries again after the error wait', async () => {
    const { lab, speaker, a, b, states } = await limited({ received: 2 });
    a.announce([P1, P2]);
    await lab.settle();
    a.announce([P3]);
    await lab.settle();
    expect(a.heard.slice(-2)).toEqual(['NOTIFICATION 6/1 00010100000002', 'FIN']);
    expect(speaker.peer(A)).toMatchObject({ state: 'Idle', adminUp: true });
    expect(speaker.peer(A).lastError).toContain('the limit of 2 received ipv4-unicast routes is exceeded');
    expect(b.prefixes()).toEqual([]);
    // Until the next session it is to be seen why.
    expect(states()).toMatchObject([{ hit: true }]);
    await lab.run(29_000);
    const { state, nextAttemptIn } = speaker.peer(A);
    expect([state, nextAttemptIn! > 0 && nextAttemptIn! <= 1000]).toEqual(['Idle', true]);
    await lab.run(2000);
    expect(speaker.peer(A).state).toBe('Active');
    await lab.connect(speaker, a);
    expect(speaker.peer(A)).toMatchObject({ state: 'Established', nextAttemptIn: undefined });
    expect(states()).toMatchObject([{ hit: false }]);
  });

  it('disables the peer until somebody starts it', async () => {
    const { lab, speaker, a, lines } = await limited({ received: { routes: 1, action: 'disable' } });
    a.announce([P1, P2]);
    await lab.settle();
    expect(a.heard.slice(-2)).toEqual(['NOTIFICATION 6/1 00010100000001', 'FIN']);
    expect(lines()[0]).toContain('until the peer is started by hand');
    await lab.run(3_600_000);
    expect(speaker.peer(A)).toMatchObject({ state: 'Idle', adminUp: false });
    speaker.api.peerUp(A);
    await lab.connect(speaker, a);
    expect(speaker.peer(A)).toMatchObject({ state: 'Established', adminUp: true });
  });

  it('counts what import refuses', async () => {
    const { lab, speaker, a, states } = await limited({ received: { routes: 1, action: 'warn' } });
    a.announce([P1, P2], { asPath: `65002 ${OWN_AS}` });
    await lab.settle();
    expect(speaker.best()).toEqual([]);
    expect(states()).toMatchObject([{ hit: true }]);
  });

  it('is its family’s alone', async () => {
    const families: ('ipv4-unicast' | 'ipv6-unicast')[] = ['ipv4-unicast', 'ipv6-unicast'];
    const limits = { received: { routes: { ipv6: 1 }, action: 'block' as const } };
    const { lab, speaker, peer } = await rig({ [A]: { as: 65002, config: { families, limits } } });
    peer(A).announce([P1, P2, P3]);
    peer(A).announce(['2001:db8:1::/48', '2001:db8:2::/48']);
    await lab.settle();
    expect(speaker.peer(A).families.map(({ received }) => received)).toEqual([3, 1]);
  });
});

describe('a limit on accepted routes', () => {
  it('blocks by rejecting, with the reason shown, and does not count what a filter refuses', async () => {
    const { lab, speaker, a, b, states } = await limited({ accepted: { routes: 2, action: 'block' } });
    a.announce([P1], { asPath: `65002 ${OWN_AS}` });
    a.announce([P2, P3, P4]);
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 4, rejected: 2, best: 2 });
    expect(b.prefixes()).toEqual([P2, P3]);
    expect(states()).toMatchObject([{ kind: 'accepted', hit: true }]);
    const [path] = speaker.api.explain(P4, {}).paths;
    expect(path?.reason).toContain('the limit of accepted routes of the peer is reached');
    expect(speaker.api.peers()).toHaveLength(2);
  });

  it('lets routes in again when the peer is asked for them', async () => {
    const { lab, speaker, a, b } = await limited({ accepted: { routes: 2, action: 'block' } });
    a.announce([P1, P2, P3]);
    a.withdraw(P1);
    await lab.settle();
    expect(b.prefixes()).toEqual([P2]);
    speaker.api.peerRefresh(A, 'in');
    await lab.settle();
    expect(b.prefixes()).toEqual([P2, P3]);
  });

  it('holds where a changed policy accepts more, and a raised limit lets in what was kept back', async () => {
    const { lab, speaker, a, b, setup, states } = await limited({ accepted: { routes: 2, action: 'block' } });
    const next = (limits: Limits, policy: 'accept' | 'reject') => ({
      router: { asn: OWN_AS, id: '10.0.0.1' },
      peers: [
        peerInput(A, { ...setup, config: { ...setup.config, limits, import: policy } }),
        peerInput(B, { as: 65003 }),
      ],
    });
    a.announce([P1, P2, P3]);
    await lab.settle();
    await speaker.reload(next({ accepted: { routes: 2, action: 'block' } }, 'reject'));
    await lab.settle();
    expect(b.prefixes()).toEqual([]);
    await speaker.reload(next({ accepted: { routes: 2, action: 'block' } }, 'accept'));
    await lab.settle();
    expect(b.prefixes()).toHaveLength(2);
    await speaker.reload(next({ accepted: { routes: 3, action: 'block' } }, 'accept'));
    await lab.settle();
    expect(b.prefixes()).toEqual([P1, P2, P3]);
    expect(states()).toMatchObject([{ routes: 3, hit: false }]);
    expect(speaker.peer(A).downCount).toBe(0);
    await speaker.reload(next({ accepted: { routes: 1, action: 'restart' } }, 'accept'));
    await lab.settle();
    expect(speaker.peer(A)).toMatchObject({ state: 'Idle', downCount: 1 });
  });
});

describe('a limit that is raised', () => {
  async function changing(before: Limits, raw: Partial<RawPeerOptions> = {}) {
    const setup = (limits: Limits) => ({ as: 65002, config: { limits } });
    const made = await rig({ [A]: { ...setup(before), raw }, [B]: { as: 65003 } });
    const change = async (limits: Limits): Promise<void> => {
      await made.speaker.reload({
        router: { asn: OWN_AS, id: '10.0.0.1' },
        peers: [peerInput(A, setup(limits)), peerInput(B, { as: 65003 })],
      });
      await made.lab.settle();
    };
    return { ...made, a: made.peer(A), b: made.peer(B), change };
  }
  const block = (routes: number) => ({ routes, action: 'block' as const });
  const asked = 'REFRESH ipv4-unicast 0';

  it('asks the peer for what was not taken, and for nothing where all was', async () => {
    const { lab, a, b, change } = await changing({ received: block(2) });
    a.announce([P1, P2]);
    await lab.settle();
    await change({ received: block(3) });
    expect(a.heard).not.toContain(asked);
    a.announce([P3, P4]);
    await lab.settle();
    expect(b.prefixes()).toEqual([P1, P2, P3].sort());
    await change({ received: block(2) });
    expect(a.heard).not.toContain(asked);
    await change({ received: block(4) });
    expect(a.heard.filter((line) => line === asked)).toHaveLength(1);
    a.announce([P1, P2, P3, P4]);
    await lab.settle();
    expect(b.prefixes()).toEqual([P1, P2, P3, P4].sort());
    await change({ received: block(5) });
    expect(a.heard.filter((line) => line === asked)).toHaveLength(1);
  });

  it('asks for nothing that an earlier session did not take', async () => {
    const { lab, speaker, a, change } = await changing({ received: block(1) });
    a.announce([P1, P2]);
    await lab.settle();
    a.drop();
    await lab.settle();
    await lab.connect(speaker, a);
    a.announce([P1]);
    await lab.settle();
    await change({ received: block(2) });
    expect(a.heard).not.toContain(asked);
  });

  it('says that a peer without route refresh cannot be asked', async () => {
    const { lab, speaker, a, change } = await changing({ received: block(1) }, { routeRefresh: false });
    a.announce([P1, P2]);
    await lab.settle();
    await change({ received: block(2) });
    expect(speaker.log.join()).toContain(`${A} cannot send its ipv4-unicast routes again`);
  });

  it('lets in what is announced again as it was', async () => {
    const { lab, a, b } = await changing({ accepted: block(2) });
    a.announce([P1, P2, P3]);
    a.withdraw(P1);
    await lab.settle();
    expect(b.prefixes()).toEqual([P2]);
    a.announce([P3]);
    await lab.settle();
    expect(b.prefixes()).toEqual([P2, P3].sort());
  });

  it('is remembered by the routes that it kept back', async () => {
    const { lab, speaker, a, b, change } = await changing({ accepted: block(2), exported: 5 });
    a.announce([P1, P2, P3]);
    a.withdraw(P1);
    await change({ accepted: block(2), exported: 6 });
    expect(b.prefixes()).toEqual([P2]);
    speaker.api.peerRefresh(A, 'in');
    await lab.settle();
    expect(b.prefixes()).toEqual([P2, P3].sort());
  });
});

describe('a member of a range that its limit has disabled', () => {
  it('stays out and keeps nobody else out; so many are remembered as the range may have', async () => {
    const lab = new SimLab();
    const limits = { received: { routes: 1, action: 'disable' as const } };
    const speaker = lab.speaker('rr', ['10.0.0.1'], {
      router: { asn: OWN_AS, id: '10.0.0.1' },
      dynamicPeers: [{ prefix: '10.0.16.0/20', asn: OWN_AS, limit: 1, limits }],
    });
    await lab.start();
    const call = async (number: number): Promise<RawPeer> => {
      const raw = lab.raw(`10.0.16.${number}`, { as: OWN_AS, holdTime: 0 });
      await lab.connect(speaker, raw);
      return raw;
    };
    const overdo = async (raw: RawPeer): Promise<void> => {
      raw.announce([P1, P2]);
      await lab.settle();
      expect(raw.heard.slice(-2)).toEqual(['NOTIFICATION 6/1 00010100000001', 'FIN']);
    };
    await overdo(await call(1));
    expect(speaker.peer('10.0.16.1')).toMatchObject({ state: 'Idle', adminUp: false });
    expect((await call(1)).heard).toContain('NOTIFICATION 6/5');
    const two = await call(2);
    expect(speaker.states()).toEqual(['10.0.16.1 Idle', '10.0.16.2 Established']);
    // It is full all the same.
    await call(3);
    expect(speaker.states()).toHaveLength(2);
    await overdo(two);
    await call(3);
    expect(speaker.states()).toEqual(['10.0.16.2 Idle', '10.0.16.3 Established']);
    speaker.api.peerUp('10.0.16.2');
    await call(2);
    expect(speaker.states()).toEqual(['10.0.16.2 Established', '10.0.16.3 Established']);
  });
});

describe('limits and a peer that restarts', () => {
  const restart = (restarting: boolean): Capability => ({
    kind: 'graceful-restart',
    restarting,
    notification: false,
    restartTime: 90,
    families: [{ afi: 1, safi: 1, forwarding: true }],
  });

  /** A peer whose routes wait, and that is back. */
  async function back(limits: Limits, first: (a: RawPeer) => void) {
    const config = { limits, errorWaitMin: 30, errorWaitMax: 60 };
    const made = await rig({ [A]: { as: 65002, config, raw: { capabilities: [restart(false)] } } });
    const { lab, speaker } = made;
    const before = made.peer(A);
    first(before);
    before.endOfRib();
    await lab.settle();
    before.drop();
    await lab.settle();
    const a = lab.raw(A, { as: 65002, holdTime: 0, capabilities: [restart(true)] });
    await lab.connect(speaker, a);
    const here = () => speaker.best().map((line) => line.split(' ')[0]);
    return { lab, speaker, a, here };
  }

  it.each(['received', 'accepted'] as const)('routes that it has not confirmed are not %s', async (kind) => {
    const limits = { [kind]: { routes: 2, action: 'restart' as const } };
    const { lab, speaker, a } = await back(limits, (peer) => peer.announce([P1, P2]));
    a.announce([P3]);
    a.announce([P2, P4]);
    await lab.settle();
    // P2 is its third, and the stale P1 none.
    expect(speaker.peer(A)).toMatchObject({ state: 'Idle', downCount: 2 });
    const within = await back(limits, (peer) => peer.announce([P1, P2]));
    within.a.announce([P3, P4]);
    within.a.endOfRib();
    await within.lab.settle();
    expect(within.speaker.peer(A)).toMatchObject({ state: 'Established', downCount: 1 });
    expect(within.here()).toEqual([P4, P3].sort());
  });

  it('what waits takes no room where more is blocked, and is nothing that it has', async () => {
    const limits = { received: { routes: 2, action: 'block' as const } };
    const { lab, speaker, a, here } = await back(limits, (peer) => peer.announce([P1, P2]));
    a.announce([P3, P4]);
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 4, stale: 2 });
    // One too many: neither as it is now nor as it was.
    a.announce([P1], { med: 7 });
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 3, stale: 1 });
    a.endOfRib();
    await lab.settle();
    expect(here()).toEqual([P4, P3].sort());
  });

  it.each(['received', 'accepted'] as const)('no more wait than may be %s', async (kind) => {
    const capabilities: Capability[] = [{ kind: 'enhanced-route-refresh' }];
    const limits = { [kind]: { routes: 2, action: 'restart' as const } };
    const { lab, speaker, peer } = await rig({
      [A]: { as: 65002, config: { limits }, raw: { capabilities } },
    });
    const BEGIN = 1;
    const begun = async (...prefixes: string[]): Promise<string> => {
      peer(A).refresh(IPV4_UNICAST, BEGIN);
      peer(A).announce(prefixes);
      await lab.settle();
      return speaker.peer(A).state;
    };
    expect(await begun(P1, P2)).toBe('Established');
    expect(await begun(P3, P4)).toBe('Established');
    // A refresh that never ends is no way to fill the table.
    expect(await begun('10.1.0.0/16')).toBe('Idle');
  });

  it('what waits takes no room of accepted routes, however many are refused', async () => {
    const loop = { asPath: `65002 ${OWN_AS}` };
    const limits = { accepted: { routes: 2, action: 'block' as const } };
    const { lab, speaker, a, here } = await back(limits, (peer) => {
      peer.announce([P1, P2]);
      peer.announce(['10.1.0.0/16', '10.2.0.0/16'], loop);
    });
    a.announce(['10.1.0.0/16', '10.3.0.0/16'], loop);
    a.announce([P3, P4]);
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 7, rejected: 3, stale: 3 });
    a.announce([P2]);
    a.endOfRib();
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 5, rejected: 3, stale: 0 });
    expect(here()).toEqual([P4, P3].sort());
  });
});

describe('a limit on exported routes', () => {
  it('warns, and sends them', async () => {
    const { lab, a, b, states, lines } = await limited({ exported: { routes: 2, action: 'warn' } });
    b.announce([P1, P2]);
    await lab.settle();
    expect(states()).toMatchObject([{ kind: 'exported', hit: false }]);
    b.announce([P3]);
    await lab.settle();
    expect(a.prefixes()).toEqual([P1, P2, P3].sort());
    expect(lines()).toHaveLength(1);
    expect(states()).toMatchObject([{ hit: true }]);
  });

  it('blocks what is one too many for this peer alone; what it has may change and go', async () => {
    const { lab, speaker, a, b, states } = await limited({ exported: 2 });
    const c = lab.raw('10.0.0.4', { as: 65004, holdTime: 0 });
    await speaker.reload({
      router: { asn: OWN_AS, id: '10.0.0.1' },
      peers: [
        peerInput(A, { as: 65002, config: { limits: { exported: 2 } } }),
        peerInput(B, { as: 65003 }),
        peerInput('10.0.0.4', { as: 65004 }),
      ],
    });
    await lab.connect(speaker, c);
    // Own routes of the peer are not sent to it, and do not count.
    a.announce(['10.7.0.0/16', '10.8.0.0/16']);
    b.announce([P1, P2]);
    b.announce([P3]);
    await lab.settle();
    expect(a.prefixes()).toEqual([P1, P2]);
    expect(c.prefixes()).toHaveLength(5);
    expect(states()).toMatchObject([{ hit: true }]);
    expect(speaker.api.explain(P3, { to: A }).exports).toMatchObject([
      { advertised: false, reason: 'the limit of exported routes of the peer is reached' },
    ]);
    b.announce([P1, P3], { med: 3 });
    await lab.settle();
    expect(a.attributes(P1)).toBeDefined();
    expect(a.prefixes()).toEqual([P1, P2]);
    b.withdraw(P1, P2);
    b.announce([P4]);
    await lab.settle();
    expect(a.prefixes()).toEqual([P4]);
    speaker.api.peerRefresh(A, 'out');
    await lab.settle();
    expect(speaker.peer(A).downCount).toBe(0);
  });

  it('counts paths where several of a prefix are sent', async () => {
    const addPath = { send: 'all' as const, receive: false };
    const made = await rig({
      [A]: {
        as: 65002,
        config: { limits: { exported: 3 }, addPath },
        raw: { addPath: 1 },
      },
      [B]: { as: 65003 },
      '10.0.0.4': { as: 65004 },
    });
    for (const address of [B, '10.0.0.4']) made.peer(address).announce([P1, P2, P3]);
    await made.lab.settle();
    expect(made.speaker.peer(A).families[0]!.advertised).toBe(3);
  });

  it.each([
    ['restart', '6/4', true],
    ['disable', '6/2', false],
  ] as const)('ends the session to %s with %s', async (action, code, adminUp) => {
    const { lab, speaker, a, b } = await limited({ exported: { routes: 2, action } });
    b.announce([P1, P2, P3]);
    await lab.settle();
    expect(a.heard.find((line) => line.startsWith('NOTIFICATION'))).toContain(code);
    expect(speaker.peer(A)).toMatchObject({ state: 'Idle', adminUp });
    expect(speaker.peer(B).state).toBe('Established');
  });
});

describe("BIRD's view", () => {
  it('marks what was hit, and says why a disabled protocol is down', async () => {
    const { lab, speaker, a } = await limited({
      received: { routes: 2, action: 'block' },
      accepted: { routes: 9, action: 'warn' },
      exported: 5,
    });
    const view = () => speaker.api.bird.protocols({ details: true }).find(({ name }) => name === A);
    a.announce([P1, P2, P3]);
    await lab.settle();
    expect(view()?.channels[0]?.limits).toEqual([
      { kind: 'receive', routes: 2, action: 'block', reached: true },
      { kind: 'import', routes: 9, action: 'warn', reached: false },
      { kind: 'export', routes: 5, action: 'block', reached: false },
    ]);
    const disabled = await limited({ received: { routes: 1, action: 'disable' } });
    disabled.a.announce([P1, P2]);
    await disabled.lab.settle();
    const protocols = disabled.speaker.api.bird.protocols({ details: true });
    const protocol = protocols.find(({ name }) => name === A);
    expect(protocol).toMatchObject({
      state: 'down',
      bgp: { error: { origin: 'automatic', text: 'Route limit exceeded' } },
      channels: [{ limits: [{ kind: 'receive', reached: true }] }],
    });
  });
});

describe('a limit on the size of attributes', () => {
  it('rejects longer paths and more communities, with the reason', async () => {
    const { lab, speaker, a, b } = await limited({ asPathLength: 3, communities: 2 });
    a.announce([P1], { asPath: '65002 1 2', communities: ['1:1', '1:2'] });
    a.announce([P2], { asPath: '65002 1 2 3' });
    a.announce([P3], { communities: ['1:1', '1:2'], largeCommunities: ['1:1:1'] });
    await lab.settle();
    expect(b.prefixes()).toEqual([P1]);
    expect(speaker.route(P2, A)?.reason).toBe('AS_PATH longer than the limit of the peer');
    expect(speaker.route(P3, A)?.reason).toBe('more communities than the limit of the peer');
    // As a withdrawal (RFC 7606 §2): what was there before is gone.
    a.announce([P1], { asPath: '65002 1 2 3' });
    await lab.settle();
    expect(b.prefixes()).toEqual([]);
  });
});
