// Sessions of a whole speaker as a peer sees them: what is offered, what ends them and with which words, TTL and keys.

import { describe, expect, it } from 'vitest';
import type { Capability } from '../../src/bgp/wire/capabilities.ts';
import { IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { encodeKeepalive } from '../../src/bgp/wire/header.ts';
import { encodeOpen } from '../../src/bgp/wire/open.ts';
import { parseConfig } from '../../src/config/load.ts';
import { attributeBytes, ip, updateMessage } from '../support/raw-peer.ts';
import { SimLab } from '../support/sim-lab.ts';
import { hex } from '../support/wire.ts';
import { OWN_ADDRESS, OWN_AS, peerInput, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P6 = '2001:db8:1::/48';
const AROUND: Record<string, RigPeer> = { [A]: { as: 65002 }, [B]: { as: 65003 } };

/** A speaker whose peer has not called yet. */
async function waiting(config: RigPeer['config'] = {}) {
  const lab = new SimLab();
  const speaker = lab.speaker('godwit', [OWN_ADDRESS], {
    router: { asn: OWN_AS, id: OWN_ADDRESS },
    peers: [peerInput(A, { as: 65002, config })],
  });
  await lab.start();
  return { lab, speaker };
}

describe('what is offered', () => {
  it('4271-10-1 the hold time is configurable for each peer, 90 seconds unless said', async () => {
    const { speaker, peer } = await rig({
      [A]: { as: 65002, raw: { holdTime: 200 } },
      [B]: { as: 65003, config: { holdTime: 30 }, raw: { holdTime: 200 } },
    });
    expect([peer(A).remoteOpen?.holdTime, peer(B).remoteOpen?.holdTime]).toEqual([90, 30]);
    expect([speaker.peer(A).holdTime, speaker.peer(B).holdTime]).toEqual([90, 30]);
    expect([speaker.peer(A).keepaliveTime, speaker.peer(B).keepaliveTime]).toEqual([30, 10]);
  });

  it('4271-8.2.1-1 listens on and connects to port 179', async () => {
    const lab = new SimLab();
    const one = lab.speaker('one', ['10.0.0.1'], {
      router: { asn: OWN_AS, id: '10.0.0.1' },
      peers: [{ address: '10.0.0.2', asn: OWN_AS, passive: true }],
    });
    const two = lab.speaker('two', ['10.0.0.2'], {
      router: { asn: OWN_AS, id: '10.0.0.2' },
      peers: [{ address: '10.0.0.1', asn: OWN_AS }],
    });
    await lab.start();
    expect(one.states()).toEqual(['10.0.0.2 Established']);
    expect(one.log).toContain('info listening on 0.0.0.0:179');
    expect(two.peer('10.0.0.1').port).toBe(179);
  });

  it('7607-2-3 AS 0 can be neither the own AS nor the one shown to a peer', () => {
    const issues = (text: string) => {
      const result = parseConfig(text, 'x.yaml', {}, () => '', { hostname: 'x', addresses: [] });
      return result.ok ? [] : result.issues.map((issue) => issue.path);
    };
    expect(issues('router: { asn: 0, id: 10.0.0.1 }')).toContain('router.asn');
    expect(
      issues('router: { asn: 1, id: 10.0.0.1 }\npeers: [{ address: 10.0.0.2, asn: 2, localAs: 0 }]'),
    ).toContain('peers[0].localAs');
  });
});

describe('errors', () => {
  it('6608-4-1 an unexpected message in OpenSent -> 5/1 with its type', async () => {
    const { lab, speaker } = await waiting();
    const raw = lab.raw(A, { as: 65002 });
    const open = raw.open();
    raw.open = () => {
      // Goes out before the OPEN.
      raw.send(encodeKeepalive());
      return open;
    };
    await lab.connect(speaker, raw);
    expect(raw.heard).toContain('NOTIFICATION 5/1 04');
  });

  it('6608-4-2 an unexpected message in OpenConfirm -> 5/2 with its type', async () => {
    const { lab, speaker } = await waiting();
    const raw = lab.raw(A, { as: 65002 });
    raw.polite = false;
    await lab.connect(speaker, raw);
    expect(speaker.peer(A).state).toBe('OpenConfirm');
    raw.announce([P1]);
    await lab.settle();
    expect(raw.heard).toContain('NOTIFICATION 5/2 02');
  });

  it('6608-4-3 an OPEN in Established -> 5/3 with its type', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(A).send(encodeOpen(peer(A).open()));
    await lab.settle();
    expect(peer(A).heard).toEqual(['NOTIFICATION 5/3 01', 'FIN']);
  });

  it('4271-6.7-1 Cease is not used where a specific error applies', async () => {
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [hex(`${'00'.repeat(16)} 0013 04`), '1/1'],
      [hex(`${'ff'.repeat(16)} 0013 09`), '1/3'],
      [updateMessage([], new Uint8Array(0), [33, 1, 2, 3, 4, 5]), '3/10'],
      [updateMessage([], attributeBytes(0x40, 200, Uint8Array.of(1)), []), '3/2'],
      [encodeOpen({ myAs: 65002, holdTime: 90, id: 1, capabilities: [] }), '5/3'],
    ];
    for (const [bytes, answer] of cases) {
      const { lab, peer } = await rig(AROUND);
      peer(A).send(bytes);
      await lab.settle();
      expect(peer(A).heard[0]).toContain(`NOTIFICATION ${answer}`);
    }
  });

  it('4760-7-1 an incorrect MP attribute closes the session with 3/9, and all routes of the peer go', async () => {
    const both = { families: ['ipv4-unicast' as const, 'ipv6-unicast' as const] };
    const { lab, speaker, peer } = await rig({ [A]: { as: 65002, config: both }, [B]: { as: 65003 } });
    peer(A).announce([P1, P6], {});
    await lab.settle();
    expect(speaker.best()).toHaveLength(2);
    peer(A).send(updateMessage([], attributeBytes(0x80, 14, hex('0002 01')), []));
    await lab.settle();
    expect(peer(A).heard.at(-2)).toContain('NOTIFICATION 3/9');
    expect(speaker.routes()).toEqual([]);
    expect(peer(B).prefixes()).toEqual([]);
  });

  it('7606-7.11-1 a next hop of a length that is not valid for the family resets the session', async () => {
    const both = { families: ['ipv4-unicast' as const, 'ipv6-unicast' as const] };
    for (const value of [
      '0002 01 04 0a000002 00 20 20010db8',
      '0001 01 10 20010db8000000000000000000000002 00 08 0a',
    ]) {
      const { lab, speaker, peer } = await rig({ [A]: { as: 65002, config: both }, [B]: { as: 65003 } });
      const path = hex('40 01 01 00  40 02 06 02 01 0000fdea');
      peer(A).send(
        updateMessage([], Uint8Array.from([...attributeBytes(0x80, 14, hex(value)), ...path]), []),
      );
      await lab.settle();
      expect(peer(A).heard.at(-2)).toContain('NOTIFICATION 3/9');
      expect(speaker.peer(B).state).toBe('Established');
      expect(speaker.routes()).toEqual([]);
    }
  });

  it('4486-4-4 a defect of ours closes that one session with 6/8, the others stay', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(B).announce(['198.51.100.0/24']);
    await lab.settle();
    const { checks } = speaker.speaker.rib;
    checks.evaluate = () => {
      throw new Error('a defect');
    };
    peer(A).announce([P1]);
    await lab.settle();
    expect(peer(A).heard.at(-2)).toContain('NOTIFICATION 6/8');
    expect(speaker.peer(B).state).toBe('Established');
    expect(speaker.best()).toEqual([`198.51.100.0/24 from ${B}`]);
  });

  it('4271-6.7-2 at the prefix limit the session ends with Cease; below it, withdrawals make room', async () => {
    const { lab, speaker, peer } = await rig({ [A]: { as: 65002, config: { maxPrefixes: 2 } } });
    peer(A).announce([P1, '198.51.100.0/24']);
    peer(A).announce([P1], { med: 4 });
    peer(A).withdraw(P1);
    peer(A).announce(['203.0.113.0/24']);
    await lab.settle();
    expect(speaker.peer(A).state).toBe('Established');
    expect(speaker.best()).toHaveLength(2);
    peer(A).announce([P1]);
    await lab.settle();
    expect(peer(A).heard[0]).toContain('NOTIFICATION 6/1');
  });

  it('8203-2-1 a shutdown text is at most 128 octets long for a peer that may know no more', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    speaker.api.peerDown(A, 'ä'.repeat(100));
    await lab.settle();
    const data = hex(peer(A).heard[0]!.split(' ')[2]!);
    expect(data[0]).toBe(data.length - 1);
    expect(data[0]).toBeLessThanOrEqual(128);
    expect(Buffer.from(data.subarray(1)).toString('utf8')).toBe('ä'.repeat(64));
  });
});

describe('what is sent with multiprotocol attributes', () => {
  it('4760-3-1 MP_REACH comes with ORIGIN and AS_PATH, and LOCAL_PREF on iBGP', async () => {
    const both = { families: ['ipv4-unicast' as const, 'ipv6-unicast' as const] };
    const { lab, peer } = await rig({
      [A]: { as: 65002, config: both },
      [B]: { as: OWN_AS, config: both },
    });
    peer(A).announce([P6], { asPath: '65002 65010' });
    await lab.settle();
    expect(peer(B).attributes(P6)).toMatchObject({ origin: 'IGP', asPath: '65002 65010', localPref: 100 });
    peer(B).refresh(IPV6_UNICAST);
    await lab.settle();
    expect(peer(B).updates.filter((update) => update.announced.length > 0)).toHaveLength(2);
  });
});

describe('transport', () => {
  it('4271-appE-2 eBGP packets do not travel further than one hop unless multihop says so', async () => {
    for (const [config, state] of [
      [{ passive: false }, 'Connect'],
      [{ passive: false, multihop: 3 }, 'Established'],
    ] as const) {
      const lab = new SimLab();
      const one = lab.speaker('one', ['10.0.0.1'], {
        router: { asn: 65001, id: '10.0.0.1' },
        peers: [{ ...peerInput('10.9.0.1', { as: 65002 }), ...config }],
      });
      lab.speaker('two', ['10.9.0.1'], {
        router: { asn: 65002, id: '10.9.0.1' },
        peers: [{ ...peerInput('10.0.0.1', { as: 65001 }), passive: true, multihop: 3 }],
      });
      lab.network.setHops(ip('10.0.0.1'), ip('10.9.0.1'), 3);
      await lab.start();
      expect(one.peer('10.9.0.1').state).toBe(state);
    }
  });

  it('4271-appE-1 each peer has a TCP MD5 key of its own, and a peer without the key gets no answer', async () => {
    const { lab, speaker, peer } = await rig({
      [A]: { as: 65002, config: { password: 'one' }, raw: { password: 'one' } },
      [B]: { as: 65003, config: { password: 'two' }, raw: { password: 'two' } },
      '10.0.0.4': { as: 65004, config: { password: 'three' }, raw: { password: 'one' } },
    });
    expect(speaker.states()).toEqual([`${A} Established`, `${B} Established`, '10.0.0.4 Active']);
    await lab.settle();
    expect(peer('10.0.0.4').heard).toEqual([]);
  });
});

describe('restarts', () => {
  const restart: Capability = {
    kind: 'graceful-restart',
    restarting: false,
    notification: false,
    restartTime: 120,
    families: [{ afi: 1, safi: 1, forwarding: true }],
  };

  it('8538-4.1-1 stale routes of a peer that is back but never ends its update go after 180 seconds', async () => {
    const { lab, speaker, peer } = await rig({
      [A]: { as: 65002, raw: { capabilities: [restart] } },
      [B]: { as: 65003 },
    });
    peer(A).announce([P1, '198.51.100.0/24']);
    peer(A).endOfRib();
    await lab.settle();
    peer(A).drop();
    await lab.run(61_000);
    await lab.connect(speaker, peer(A));
    peer(A).announce([P1]);
    await lab.run(170_000);
    expect(speaker.routes().map((route) => route.stale)).toEqual([false, true]);
    await lab.run(15_000);
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    expect(peer(B).prefixes()).toEqual([P1]);
  });
});
