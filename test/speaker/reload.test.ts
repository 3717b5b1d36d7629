// A new configuration on a running speaker: only what differs is touched, and a bad file touches nothing.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { CommandError } from '../../src/speaker/api.ts';
import { SimLab } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, type Rig, type RigPeer, rig, rigInput } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const IBGP = '10.0.0.9';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const AROUND: Record<string, RigPeer> = {
  [A]: { as: 65002 },
  [B]: { as: 65003 },
  [IBGP]: { as: OWN_AS },
};

/** How often each session was reached, which shows whether it survived. */
function sessions({ speaker }: Rig): Record<string, string> {
  return Object.fromEntries(
    speaker.api.peers().map((peer) => [peer.name, `${peer.state} ${peer.establishedCount}`]),
  );
}

const ALL_UP = { [A]: 'Established 1', [B]: 'Established 1', [IBGP]: 'Established 1' };

describe('what does not change', () => {
  it('an equal configuration changes nothing', async () => {
    const set = await rig(AROUND);
    set.peer(A).announce([P1]);
    await set.lab.settle();
    for (const peer of set.peers) peer.clear();
    expect(await set.speaker.reload(rigInput(AROUND))).toEqual([]);
    expect(sessions(set)).toEqual(ALL_UP);
    expect(set.peers.flatMap((peer) => peer.heard)).toEqual([]);
  });

  it('a bad file changes nothing, and says all that is wrong with it', async () => {
    const set = await rig(AROUND);
    const before = set.speaker.speaker.config;
    const failure = await set.speaker
      .reload(
        'router: { asn: 65000, id: 10.0.0.1 }\npeers:\n  - { address: 10.0.0.300, asn: 0 }\nnonsense: 1\n',
      )
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandError);
    expect(String(failure)).toMatch(/nothing was changed/);
    expect(String(failure).match(/godwit\.yaml:\d+:\d+/g)?.length).toBeGreaterThan(1);
    expect(set.speaker.speaker.config).toBe(before);
    expect(sessions(set)).toEqual(ALL_UP);
  });
});

describe('several at once', () => {
  it('are done one after the other, each against what the one before has left', async () => {
    const set = await rig(AROUND);
    const added = { ...AROUND, '10.0.0.4': { as: 65004 } };
    const results = await Promise.allSettled([
      set.speaker.reload(rigInput(added)),
      set.speaker.reload(rigInput(added)),
      set.speaker.reload('nonsense'),
      set.speaker.reload(rigInput(AROUND)),
    ]);
    // The file is read when a reload's turn has come: all read the last one.
    expect(results.map((result) => result.status)).toEqual(Array(4).fill('fulfilled'));
    expect(set.speaker.states()).toHaveLength(3);
    const twice = await Promise.all([
      set.speaker.reload(rigInput(added)),
      set.speaker.reload(rigInput(added)),
    ]);
    expect(twice.map((changes) => changes.length)).toEqual([1, 0]);
    const raw = set.lab.raw('10.0.0.4', { as: 65004, holdTime: 0 });
    await set.lab.connect(set.speaker, raw);
    expect(sessions(set)).toEqual({ ...ALL_UP, '10.0.0.4': 'Established 1' });
    expect(set.speaker.api.status().peers).toMatchObject({ total: 4, established: 4 });
  });
});

describe('peers', () => {
  it('a changed policy takes effect softly, in both directions', async () => {
    const set = await rig(AROUND, { networks: [P2] });
    set.peer(A).announce([P1]);
    await set.lab.settle();
    for (const peer of set.peers) peer.clear();
    const closed = { ...AROUND, [A]: { as: 65002, config: { import: 'reject', export: 'reject' } } } as const;
    expect(await set.speaker.reload(rigInput(closed, { networks: [P2] }))).not.toEqual([]);
    expect(set.speaker.best()).toEqual([`${P2} from local`]);
    expect(set.speaker.routes({ prefix: P1 })).toMatchObject([
      { eligible: false, reason: 'rejected by import policy' },
    ]);
    expect(set.peer(B).prefixes()).toEqual([P2]);
    expect(set.peer(A).prefixes()).toEqual([]);
    expect(set.peer(A).heard).toContain(`-${P2}`);
    await set.speaker.reload(rigInput(AROUND, { networks: [P2] }));
    expect(set.speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from local`]);
    expect(set.peer(B).prefixes()).toEqual([P1, P2]);
    expect(set.peer(A).prefixes()).toEqual([P2]);
    // Nobody was asked or reset; B saw the route go and come, and nothing of its own again.
    expect(set.peer(B).heard).toEqual([`-${P1}`, `+${P1}`]);
    expect(sessions(set)).toEqual(ALL_UP);
  });

  it('a changed next hop is a soft change for that peer only', async () => {
    const set = await rig(AROUND);
    set.peer(A).announce([P1]);
    await set.lab.settle();
    for (const peer of set.peers) peer.clear();
    await set.speaker.reload(rigInput({ ...AROUND, [IBGP]: { as: OWN_AS, config: { nextHop: 'self' } } }));
    expect(set.peer(IBGP).routes()).toEqual([`${P1} via ${OWN_ADDRESS}`]);
    expect(set.peer(B).heard).toEqual([]);
    expect(sessions(set)).toEqual(ALL_UP);
  });

  it('4486-4-2 a change that needs a new session resets that one with 6/6', async () => {
    const set = await rig(AROUND);
    await set.speaker.reload(rigInput({ ...AROUND, [A]: { as: 65002, config: { holdTime: 30 } } }));
    expect(set.peer(A).heard.slice(-2)).toEqual(['NOTIFICATION 6/6', 'FIN']);
    expect(sessions(set)).toMatchObject({ [B]: 'Established 1', [IBGP]: 'Established 1' });
  });

  it('what was discarded while decoding is sent again when it counts', async () => {
    const peers = (aigp: boolean) => ({ [IBGP]: { as: OWN_AS, config: { aigp } } });
    const set = await rig(peers(false));
    const aigp = () => set.speaker.route(P1)?.attributes.aigp;
    set.peer(IBGP).announce([P1], { aigp: '1000' });
    await set.lab.settle();
    expect([set.speaker.best(), aigp()]).toEqual([[`${P1} from ${IBGP}`], undefined]);
    await set.speaker.reload(rigInput(peers(true)));
    expect(set.peer(IBGP).heard.slice(-2)).toEqual(['NOTIFICATION 6/6', 'FIN']);
    await set.lab.run(10_000);
    await set.lab.connect(set.speaker, set.peer(IBGP));
    set.peer(IBGP).announce([P1], { aigp: '1000' });
    await set.lab.settle();
    expect(aigp()).toBe('1000');
  });

  it('an added peer is started; a removed one hears 6/3 and its routes go', async () => {
    const set = await rig(AROUND);
    set.peer(A).announce([P1]);
    await set.lab.settle();
    const { [A]: _gone, ...rest } = AROUND;
    const added = '10.0.0.4';
    await set.speaker.reload(rigInput({ ...rest, [added]: { as: 65004 } }));
    expect(set.peer(A).heard.slice(-2)).toEqual(['NOTIFICATION 6/3', 'FIN']);
    expect(set.speaker.routes()).toEqual([]);
    expect(set.peer(B).prefixes()).toEqual([]);
    const raw = set.lab.raw(added, { as: 65004, holdTime: 0 });
    await set.lab.connect(set.speaker, raw);
    expect(sessions(set)).toEqual({
      [B]: 'Established 1',
      [IBGP]: 'Established 1',
      [added]: 'Established 1',
    });
    // Who was removed is not let in again.
    set.peer(A).clear();
    await set.lab.connect(set.speaker, set.peer(A));
    expect(set.peer(A).heard).not.toContain('KEEPALIVE');
  });

  it('a changed password keeps the session and is for the next one', async () => {
    const password = (text: string) => ({
      ...AROUND,
      [A]: { as: 65002, config: { password: text }, raw: { password: text } },
    });
    const set = await rig(password('one'));
    expect(sessions(set)).toEqual(ALL_UP);
    await set.speaker.reload(rigInput(password('two')));
    expect(sessions(set)).toEqual(ALL_UP);
    set.peer(A).drop();
    await set.lab.run(300_000);
    set.peer(A).clear();
    // The old key is refused without an answer.
    await set.lab.connect(set.speaker, set.peer(A));
    expect(set.peer(A).heard).toEqual([]);
    const again = set.lab.raw(A, { as: 65002, holdTime: 0, password: 'two' });
    await set.lab.connect(set.speaker, again);
    expect(again.heard).toContain('EOR ipv4-unicast');
    expect(set.speaker.log.join('\n')).not.toMatch(/\b(one|two)\b/);
  });

  it('disabled and enabled again', async () => {
    const set = await rig(AROUND);
    await set.speaker.reload(rigInput({ ...AROUND, [A]: { as: 65002, config: { enabled: false } } }));
    expect(set.peer(A).heard.slice(-2)).toEqual(['NOTIFICATION 6/2', 'FIN']);
    expect(set.speaker.peer(A)).toMatchObject({ state: 'Idle', adminUp: false });
    await set.speaker.reload(rigInput(AROUND));
    await set.lab.run(10_000);
    await set.lab.connect(set.speaker, set.peer(A));
    expect(sessions(set)).toEqual({ ...ALL_UP, [A]: 'Established 2' });
  });

  it('a description is shown at once and resets nothing', async () => {
    const set = await rig(AROUND);
    await set.speaker.reload(rigInput({ ...AROUND, [A]: { as: 65002, config: { description: 'rack 1' } } }));
    expect(set.speaker.peer(A).description).toBe('rack 1');
    expect(sessions(set)).toEqual(ALL_UP);
  });

  it('becoming a reflector client brings what was held back', async () => {
    const set = await rig({ ...AROUND, '10.0.0.10': { as: OWN_AS } });
    set.peer(IBGP).announce([P1]);
    await set.lab.settle();
    expect(set.peer('10.0.0.10').prefixes()).toEqual([]);
    const client = { as: OWN_AS, config: { routeReflectorClient: true } };
    await set.speaker.reload(rigInput({ ...AROUND, '10.0.0.10': client }));
    await set.lab.run(300_000);
    await set.lab.connect(set.speaker, set.peer('10.0.0.10'));
    expect(set.peer('10.0.0.10').prefixes()).toEqual([P1]);
    expect(sessions(set)[IBGP]).toBe('Established 1');
  });
});

describe('the rest', () => {
  it('networks are added, changed and removed', async () => {
    const set = await rig(AROUND, { networks: [P1] });
    await set.speaker.reload(rigInput(AROUND, { networks: [{ prefix: P2, med: 7 }] }));
    expect(set.peer(A).prefixes()).toEqual([P2]);
    expect(set.peer(A).attributes(P2)?.med).toBe(7);
    await set.speaker.reload(rigInput(AROUND, { networks: [{ prefix: P2, med: 8 }] }));
    expect(set.peer(A).attributes(P2)?.med).toBe(8);
    expect(sessions(set)).toEqual(ALL_UP);
  });

  it('listeners are opened and closed, sessions stay', async () => {
    const set = await rig(AROUND, { listen: [OWN_ADDRESS] });
    await set.speaker.reload(rigInput(AROUND, { listen: [{ address: OWN_ADDRESS, port: 1790 }] }));
    expect(sessions(set)).toEqual(ALL_UP);
    set.peer(A).drop();
    await set.lab.run(300_000);
    set.peer(A).clear();
    await set.lab.connect(set.speaker, set.peer(A));
    expect(set.peer(A).heard).toEqual(['ECONNREFUSED']);
    await set.speaker.reload(rigInput(AROUND, { listen: [OWN_ADDRESS] }));
    await set.lab.connect(set.speaker, set.peer(A));
    expect(sessions(set)[A]).toBe('Established 2');
  });

  it('a decision option decides everything again', async () => {
    const set = await rig({ ...AROUND, '10.0.0.4': { as: 65004 } });
    set.peer(A).announce([P1], { med: 20 });
    set.peer(B).announce([P1], { med: 10 });
    await set.lab.settle();
    expect(set.speaker.best()).toEqual([`${P1} from ${A}`]);
    await set.speaker.reload(
      rigInput({ ...AROUND, '10.0.0.4': { as: 65004 } }, { decision: { alwaysCompareMed: true } }),
    );
    expect(set.speaker.best()).toEqual([`${P1} from ${B}`]);
    expect(set.peer('10.0.0.4').attributes(P1)?.asPath).toBe('65000 65003');
  });

  it('4271-4.2-3 a new router id resets every session, and every peer is shown the same one', async () => {
    const set = await rig(AROUND);
    const ids = () => set.peers.map((peer) => peer.remoteOpen?.id);
    expect(new Set(ids()).size).toBe(1);
    const before = ids()[0];
    await set.speaker.reload({ ...rigInput(AROUND), router: { asn: OWN_AS, id: '10.0.0.200' } });
    expect(set.peers.map((peer) => peer.heard.at(-1))).toEqual(['FIN', 'FIN', 'FIN']);
    await set.lab.run(300_000);
    await set.lab.connect(set.speaker, ...set.peers);
    expect(new Set(ids()).size).toBe(1);
    expect(ids()[0]).not.toBe(before);
  });
});

describe('the router', () => {
  const router = (more: object, peers = AROUND) => ({
    ...rigInput(peers),
    router: { asn: OWN_AS, id: OWN_ADDRESS, ...more },
  });

  it('another host name is shown from now on, and resets nothing', async () => {
    const set = await rig(AROUND);
    await set.speaker.reload(router({ hostname: 'curlew.example.net' }));
    expect(set.speaker.api.status().hostname).toBe('curlew.example.net');
    expect(sessions(set)).toEqual(ALL_UP);
    const fqdn = () => set.peer(A).remoteOpen?.capabilities.find(({ kind }) => kind === 'fqdn');
    expect(fqdn()).toMatchObject({ hostname: 'godwit' });
    set.speaker.api.peerReset(A, undefined);
    await set.lab.run(10_000);
    await set.lab.connect(set.speaker, set.peer(A));
    expect(fqdn()).toMatchObject({ hostname: 'curlew', domain: 'example.net' });
  });

  it('another AS resets a session that shows a local AS, too: it counts as a loop from now on', async () => {
    const peers: Record<string, RigPeer> = { [A]: { as: 65002, config: { localAs: 65010 } } };
    const { lab, speaker, peer } = await rig(peers);
    await speaker.reload(router({ asn: 65001 }, peers));
    expect(peer(A).heard.slice(-2)).toEqual(['NOTIFICATION 6/6', 'FIN']);
    await lab.run(10_000);
    await lab.connect(speaker, peer(A));
    peer(A).announce([P1], { asPath: '65002 65001' });
    await lab.settle();
    expect(speaker.routes()).toMatchObject([{ reason: 'own AS in AS_PATH' }]);
  });
});

describe('dynamic peers', () => {
  const range = (more: object = {}): ConfigInput => ({
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peerGroups: { clients: { asn: OWN_AS, routeReflectorClient: true } },
    dynamicPeers: [{ prefix: '10.0.16.0/20', group: 'clients', limit: 2, ...more }],
  });

  async function started() {
    const lab = new SimLab();
    const speaker = lab.speaker('rr', [OWN_ADDRESS], range());
    await lab.start();
    const raw = (address: string) => lab.raw(address, { as: OWN_AS, holdTime: 0 });
    return { lab, speaker, raw };
  }

  it('4486-4-3 come from the range up to the limit; others are refused', async () => {
    const { lab, speaker, raw } = await started();
    const [one, two, three, outside] = ['10.0.16.1', '10.0.16.2', '10.0.16.3', '10.0.32.1'].map(raw) as [
      ReturnType<typeof raw>,
      ReturnType<typeof raw>,
      ReturnType<typeof raw>,
      ReturnType<typeof raw>,
    ];
    await lab.connect(speaker, one, two, three, outside);
    expect(speaker.states()).toEqual(['10.0.16.1 Established', '10.0.16.2 Established']);
    expect(speaker.peer('10.0.16.1')).toMatchObject({ kind: 'dynamic', routeReflectorClient: true });
    expect(three.heard).not.toContain('KEEPALIVE');
    expect(outside.heard).toContain('NOTIFICATION 6/5');
    one.announce([P1]);
    await lab.settle();
    expect(two.prefixes()).toEqual([P1]);
    one.drop();
    await lab.settle();
    // The peer went with its connection, and its place is free.
    expect(speaker.states()).toEqual(['10.0.16.2 Established']);
    expect(two.prefixes()).toEqual([]);
    await lab.connect(speaker, three);
    expect(speaker.states()).toEqual(['10.0.16.2 Established', '10.0.16.3 Established']);
  });

  it('that are switched off stay out, as many of the latest as the range may have', async () => {
    const { lab, speaker, raw } = await started();
    const addresses = [1, 2, 3, 4].map((last) => `10.0.16.${last}`);
    for (const address of addresses) {
      await lab.connect(speaker, raw(address));
      speaker.api.peerDown(address, undefined);
      await lab.settle();
    }
    // The third is there besides until the next one calls.
    expect(speaker.api.peers().map(({ name }) => name)).toEqual(addresses.slice(1));
    await lab.connect(speaker, raw('10.0.16.4'));
    expect(speaker.states().filter((state) => state.includes('Established'))).toEqual([]);
  });

  it('one that is configured now comes back as that peer, by whatever name', async () => {
    for (const name of [undefined, 'node']) {
      const { lab, speaker, raw } = await started();
      const one = raw('10.0.16.1');
      await lab.connect(speaker, one, raw('10.0.16.2'));
      const peers = [
        { address: '10.0.16.1', asn: OWN_AS, passive: true, ...(name !== undefined && { name }) },
      ];
      await speaker.reload({ ...range(), peers });
      expect(one.heard.slice(-2)).toEqual(['NOTIFICATION 6/3', 'FIN']);
      await lab.run(1000);
      await lab.connect(speaker, one);
      expect(
        speaker.api
          .peers()
          .map((peer) => `${peer.name} ${peer.kind} ${peer.state}`)
          .sort(),
      ).toEqual(['10.0.16.2 dynamic Established', `${name ?? '10.0.16.1'} static Established`].sort());
      one.drop();
      await lab.settle();
      expect(speaker.states()).toHaveLength(2);
    }
  });

  it('a larger limit and a changed policy keep the sessions; a removed range ends them', async () => {
    const { lab, speaker, raw } = await started();
    const [one, two, three] = ['10.0.16.1', '10.0.16.2', '10.0.16.3'].map(raw) as [
      ReturnType<typeof raw>,
      ReturnType<typeof raw>,
      ReturnType<typeof raw>,
    ];
    await lab.connect(speaker, one, two);
    one.announce([P1]);
    await lab.settle();
    await speaker.reload(range({ limit: 5, export: 'reject' }));
    expect(two.prefixes()).toEqual([]);
    await lab.connect(speaker, three);
    expect(speaker.api.peers().map((peer) => `${peer.state} ${peer.establishedCount}`)).toEqual([
      'Established 1',
      'Established 1',
      'Established 1',
    ]);
    await speaker.reload({ router: { asn: OWN_AS, id: OWN_ADDRESS } });
    expect(speaker.states()).toEqual([]);
    expect(one.heard.slice(-2)).toEqual(['NOTIFICATION 6/3', 'FIN']);
    expect(speaker.routes()).toEqual([]);
  });
});
