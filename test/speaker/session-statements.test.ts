// What a configuration says of a session beside routes, seen from the peer.

import { describe, expect, it } from 'vitest';
import { ERROR } from '../../src/bgp/wire/error-codes.ts';
import { IPV4_UNICAST } from '../../src/bgp/wire/families.ts';
import { encodeNotification } from '../../src/bgp/wire/notification.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { RawPeer, RawPeerOptions } from '../support/raw-peer.ts';
import { SimLab } from '../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_AS, type RigPeer, rigInput } from './rig.ts';

const PEER = '10.0.0.2';

/** A speaker, and a peer that has dialled it and waited a second. */
async function met(
  config: NonNullable<RigPeer['config']>,
  raw: Partial<RawPeerOptions> = {},
  more: Partial<ConfigInput> = {},
) {
  const lab = new SimLab();
  const speaker = lab.speaker('godwit', [OWN_ADDRESS], rigInput({ [PEER]: { as: 65001, config } }, more));
  await lab.start();
  const peer: RawPeer = lab.raw(PEER, { as: 65001, holdTime: 0, ...raw });
  peer.connect(OWN_ADDRESS);
  await lab.run(1000);
  return { lab, speaker, peer };
}

describe('require', () => {
  it('5492-5-1: refuses a peer without the capability, and says which', async () => {
    const { peer, speaker } = await met({ require: ['enhanced-route-refresh', 'route-refresh'] });
    expect(peer.heard.find((line) => line.startsWith('NOTIFICATION'))).toBe('NOTIFICATION 2/7 4600');
    expect(speaker.log.join('\n')).toContain('without enhanced route refresh');
  });

  it('5492-5-1: refuses a peer without the family', async () => {
    const families = ['ipv4-unicast', 'ipv6-unicast'] as const;
    const { peer } = await met(
      { require: ['ipv6-unicast'], families: [...families] },
      { families: [IPV4_UNICAST] },
    );
    expect(peer.heard).toContain('NOTIFICATION 2/7 010400020001');
  });

  it('takes a peer that has it all', async () => {
    const { peer } = await met(
      { require: ['add-path', 'four-octet-as'], addPath: { receive: true } },
      { addPath: 2 },
    );
    expect(peer.context?.peerAs).toBe(65000);
    expect(peer.heard.join()).not.toContain('NOTIFICATION');
  });
});

describe('withhold', () => {
  const NETWORK = '192.0.2.0/24';
  const networks = { networks: [{ prefix: NETWORK }] };

  it('6793-4.2.2-1: two octets an AS for a peer that could do four; a large own AS is AS_TRANS and AS4_PATH', async () => {
    const { peer } = await met({ withhold: ['four-octet-as'], localAs: 4200000001 }, {}, networks);
    expect([peer.context?.as4, peer.context?.peerAs]).toEqual([false, 23456]);
    expect(peer.attributes(NETWORK)?.asPath).toBe('4200000001');
  });

  it('5492-4-1: all of them: an OPEN without parameters, and IPv4 unicast all the same', async () => {
    const { peer, speaker } = await met({ withhold: 'all' }, {}, networks);
    expect(speaker.peer(PEER).localCapabilities).toEqual([]);
    expect(peer.attributes(NETWORK)?.asPath).toBe('65000');
  });
});

describe('disableAfter', () => {
  it('keeps a peer down, with the error shown, until it is enabled', async () => {
    const { lab, speaker, peer } = await met({ disableAfter: ['error'] });
    const shown = () => speaker.api.bird.protocols().find(({ name }) => name === PEER)!;
    expect(shown().state).toBe('up');
    peer.send(encodeNotification(ERROR.update, 1));
    await lab.run(600_000);
    const { state, bgp } = shown();
    expect([state, bgp?.state, bgp?.error]).toEqual([
      'down',
      'Down',
      { origin: 'received', text: 'Malformed attribute list' },
    ]);
    expect(speaker.api.bird.act(PEER, { action: 'enable' })).toBe('done');
    await lab.run(1000);
    expect(shown().state).toBe('start');
  });

  it('does not wait for the restart of a peer that stays down', async () => {
    const restart = {
      kind: 'graceful-restart',
      restarting: false,
      notification: true,
      restartTime: 120,
      families: [{ afi: 1, safi: 1, forwarding: true }],
    } as const;
    const routesAfter = async (config: NonNullable<RigPeer['config']>): Promise<number> => {
      const { lab, speaker, peer } = await met(
        { gracefulRestart: { notification: true }, ...config },
        { capabilities: [restart] },
      );
      peer.announce(['192.0.2.0/24'], { asPath: '65001' });
      await lab.run(1000);
      peer.send(encodeNotification(ERROR.update, 1));
      await lab.run(1000);
      return [...speaker.api.routes({})].length;
    };
    expect([await routesAfter({}), await routesAfter({ disableAfter: ['error'] })]).toEqual([1, 0]);
  });
});

describe('gracefulRestart', () => {
  const restart = (restartTime: number) => ({
    kind: 'graceful-restart' as const,
    restarting: false,
    notification: false,
    restartTime,
    families: [{ afi: 1, safi: 1, forwarding: true }],
  });
  /** Whether the routes of a peer that wants so long are still there after so many seconds. */
  const kept = async (gracefulRestart: object, restartTime: number, seconds: number): Promise<boolean> => {
    const { lab, speaker, peer } = await met({ gracefulRestart }, { capabilities: [restart(restartTime)] });
    peer.announce(['192.0.2.0/24'], { asPath: '65001' });
    await lab.run(1000);
    peer.drop();
    await lab.run(seconds * 1000);
    return [...speaker.api.routes({})].length > 0;
  };

  it('keeps the restart time of the peer within bounds', async () => {
    expect([await kept({}, 100, 90), await kept({ maxRestartTime: 50 }, 100, 60)]).toEqual([true, false]);
    expect([await kept({}, 10, 20), await kept({ minRestartTime: 50 }, 10, 40)]).toEqual([false, true]);
  });

  it('asks the peer to keep routes of the families that are named', async () => {
    const { peer } = await met({
      families: ['ipv4-unicast', 'ipv6-unicast'],
      gracefulRestart: { mode: 'full', families: ['ipv6-unicast'] },
    });
    const said = peer.remoteOpen?.capabilities.find(({ kind }) => kind === 'graceful-restart');
    expect(said).toMatchObject({ families: [{ afi: 2, safi: 1 }] });
  });
});

describe('who the speaker is to one peer', () => {
  it('may be another than to others', async () => {
    const { peer } = await met({ routerId: '10.9.9.9', hostname: 'edge.example.net' });
    expect(peer.remoteOpen?.id).toBe(0x0a09_0909);
    expect(peer.remoteOpen?.capabilities).toContainEqual({
      kind: 'fqdn',
      hostname: 'edge',
      domain: 'example.net',
    });
    const silent = await met({ hostname: false });
    expect(silent.peer.remoteOpen?.capabilities.map(({ kind }) => kind)).not.toContain('fqdn');
  });

  it('4456-8: a route that comes back with either identifier is its own', async () => {
    const lab = new SimLab();
    const config = { routerId: '10.9.9.9' };
    const speaker = lab.speaker('godwit', [OWN_ADDRESS], rigInput({ [PEER]: { as: OWN_AS, config } }));
    await lab.start();
    const peer = lab.raw(PEER, { as: OWN_AS, holdTime: 0 });
    peer.connect(OWN_ADDRESS);
    await lab.run(1000);
    for (const [prefix, originatorId] of [
      ['192.0.2.0/24', '10.9.9.9'],
      ['198.51.100.0/24', '10.0.0.1'],
      ['203.0.113.0/24', '10.0.0.119'],
    ] as const) {
      peer.announce([prefix], { originatorId, localPref: 100 });
    }
    await lab.run(1000);
    const chosen = [...speaker.api.routes({ bestOnly: true })].map((route) => route?.prefix);
    expect(chosen).toEqual(['203.0.113.0/24']);
  });
});
