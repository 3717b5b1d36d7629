// RFC 8326 from the side that is about to go: routes are tagged and become the last resort before a session ends.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { drainBeforeStop } from '../../src/speaker/draining.ts';
import { OWN_AS, rig, rigInput } from './rig.ts';

const EBGP = '10.0.0.2';
const IBGP = '10.0.0.3';
const OTHER = '10.0.0.4';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';

const peers = { [EBGP]: { as: 65002 }, [IBGP]: { as: OWN_AS }, [OTHER]: { as: 65004 } };

describe('graceful shutdown', () => {
  it('tags what it sends, prefers it last towards iBGP, and takes both back', async () => {
    const { lab, peer, speaker } = await rig(peers, { networks: [P1] });
    peer(OTHER).announce([P2], { asPath: '65004', communities: ['65004:1'] });
    await lab.settle();
    expect(peer(EBGP).attributes(P1)?.communities).toEqual([]);
    speaker.api.drain(undefined, true);
    await lab.settle();
    expect(peer(EBGP).attributes(P1)).toMatchObject({
      communities: ['GRACEFUL_SHUTDOWN'],
      localPref: undefined,
    });
    expect(peer(EBGP).attributes(P2)?.communities.sort()).toEqual(['65004:1', 'GRACEFUL_SHUTDOWN']);
    expect(peer(IBGP).attributes(P1)).toMatchObject({ communities: ['GRACEFUL_SHUTDOWN'], localPref: 0 });
    expect(speaker.api.status().problems.join()).toContain('3 peers are drained');
    expect(speaker.api.peers().map(({ draining }) => draining)).toEqual([true, true, true]);
    // A session that comes up meanwhile is drained, too.
    peer(EBGP).drop();
    await lab.run(70_000);
    const again = lab.raw(EBGP, { as: 65002, holdTime: 0 });
    await lab.connect(speaker, again);
    expect(again.attributes(P1)?.communities).toEqual(['GRACEFUL_SHUTDOWN']);
    speaker.api.drain(undefined, false);
    await lab.settle();
    expect(again.attributes(P1)?.communities).toEqual([]);
    expect(peer(IBGP).attributes(P1)).toMatchObject({ communities: [], localPref: 100 });
    expect(speaker.api.status().problems).toEqual([]);
  });

  it('one peer alone: its routes lose to those of others', async () => {
    const { lab, peer, speaker } = await rig(peers);
    peer(EBGP).announce([P1], { asPath: '65002' });
    peer(OTHER).announce([P1], { asPath: '65004 65005' });
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${EBGP}`]);
    speaker.api.drain(EBGP, true);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${OTHER}`]);
    // It hears of the other way at once, tagged, while its own traffic still has one.
    expect(peer(EBGP).attributes(P1)).toMatchObject({ communities: ['GRACEFUL_SHUTDOWN'] });
    expect(peer(IBGP).attributes(P1)?.asPath).toBe('65004 65005');
    speaker.api.drain(EBGP, false);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${EBGP}`]);
  });

  it('comes before a stop where that is configured, for so long as is configured last', async () => {
    const restart = (onStop: 'cease' | 'drain', drainTime?: number) => ({
      router: { asn: OWN_AS, id: '10.0.0.1', restart: { onStop, ...(drainTime && { drainTime }) } },
    });
    const { lab, peer, speaker } = await rig(peers, { networks: [P1], ...restart('cease') });
    expect(drainBeforeStop(speaker.speaker)).toBe(0);
    await speaker.reload(rigInput(peers, { networks: [P1], ...restart('drain', 7) }));
    expect(drainBeforeStop(speaker.speaker)).toBe(7000);
    await lab.settle();
    expect(peer(EBGP).attributes(P1)?.communities).toEqual(['GRACEFUL_SHUTDOWN']);
    expect([...speaker.api.events({})].filter(({ code }) => code === 'drain-began')).toHaveLength(1);
  });

  it('does not come before a stop that nobody is to hear of, or nobody would', async () => {
    const more: Partial<ConfigInput> = {
      router: { asn: OWN_AS, id: '10.0.0.1', restart: { onStop: 'drain' } },
    };
    const lonely = await rig({}, more);
    expect(drainBeforeStop(lonely.speaker.speaker)).toBe(0);
    const { speaker } = await rig(peers, more);
    // `graceful restart` of BIRD's socket.
    speaker.api.bird.stopForRestart();
    expect(drainBeforeStop(speaker.speaker)).toBe(0);
    expect(speaker.api.status().problems).toEqual([]);
  });

  it('a name that nobody has is an error', async () => {
    const { speaker } = await rig(peers);
    expect(() => speaker.api.drain('nobody', true)).toThrow('there is no peer "nobody"');
  });
});
