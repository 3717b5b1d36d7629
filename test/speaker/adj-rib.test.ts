// What a route does on its way through one speaker: into the Adj-RIB-In, through the decision, out to the others,
// and away again. RFC 4271 §6, §9.1, §9.2; RFC 7606 §2; RFC 2918; RFC 7313; RFC 4724; RFC 4486.

import { describe, expect, it } from 'vitest';
import { IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { OWN_ADDRESS, type RigPeer, rig } from './rig.ts';

const A = '10.0.0.2';
const B = '10.0.0.3';
const C = '10.0.0.4';
const THREE: Record<string, RigPeer> = { [A]: { as: 65002 }, [B]: { as: 65003 }, [C]: { as: 65004 } };
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';

describe('routes come and go', () => {
  it('4271-6-1 after a NOTIFICATION is sent TCP closes, routes go, the next best is told or withdrawn', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1, P2]);
    peer(B).announce([P1], { asPath: '65003 65009' });
    await lab.settle();
    expect(peer(C).attributes(P1)?.asPath).toBe('65000 65002');
    peer(C).clear();
    // A second OPEN is a FSM error.
    peer(A).send(new Uint8Array(19).fill(0));
    await lab.settle();
    expect(peer(A).heard.slice(-2)).toEqual(['NOTIFICATION 1/1', 'FIN']);
    expect(speaker.best()).toEqual([`${P1} from ${B}`]);
    expect(peer(C).attributes(P1)?.asPath).toBe('65000 65003 65009');
    expect(peer(C).prefixes()).toEqual([P1]);
    expect(peer(C).heard).toContain(`-${P2}`);
    expect(speaker.speaker.rib.families[0]!.paths.size).toBe(1);
  });

  it('4271-9-1 an announcement replaces, a withdrawal removes, one of an unknown prefix is harmless', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1], { med: 5 });
    peer(A).announce([P1], { med: 7 });
    await lab.settle();
    expect(speaker.routes().map((route) => route.attributes.med)).toEqual([7]);
    peer(A).withdraw(P3);
    peer(A).withdraw(P1);
    await lab.settle();
    expect(speaker.routes()).toEqual([]);
    expect(speaker.peer(A).state).toBe('Established');
    expect(peer(B).prefixes()).toEqual([]);
  });

  it('4271-9.1.4-1 overlapping prefixes are both kept and advertised', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce(['10.0.0.0/8', '10.1.0.0/16']);
    await lab.settle();
    expect(speaker.best()).toEqual([`10.0.0.0/8 from ${A}`, `10.1.0.0/16 from ${A}`]);
    expect(peer(B).prefixes()).toEqual(['10.0.0.0/8', '10.1.0.0/16']);
    peer(A).withdraw('10.1.0.0/16');
    await lab.settle();
    expect(peer(B).prefixes()).toEqual(['10.0.0.0/8']);
  });

  it('4271-9.1.3-1 a route lost without replacement is withdrawn, one that policy forbids now, too', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1]);
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P1]);
    peer(A).announce([P1], { communities: ['no-advertise'] });
    await lab.settle();
    expect(peer(B).heard.at(-1)).toBe(`-${P1}`);
    expect(speaker.best()).toEqual([`${P1} from ${A}`]);
    peer(A).announce([P1]);
    await lab.settle();
    peer(A).withdraw(P1);
    await lab.settle();
    expect(peer(B).heard.slice(-2)).toEqual([`+${P1}`, `-${P1}`]);
  });

  it('4271-9.1.3-2 a new session gets the whole Adj-RIB-Out, then End-of-RIB', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1, P2], {});
    peer(B).announce([P3]);
    await lab.settle();
    peer(C).drop();
    await lab.run(400_000);
    await lab.connect(speaker, peer(C));
    expect(peer(C).prefixes()).toEqual([P1, P2, P3]);
    expect(peer(C).heard.at(-1)).toBe('EOR ipv4-unicast');
  });

  it('4271-9.2-2 a route equal to the one advertised is not sent again', async () => {
    const { lab, peer } = await rig(THREE);
    peer(A).announce([P1]);
    await lab.settle();
    peer(B).clear();
    peer(A).announce([P1]);
    // The decision changes nothing for others: a worse path appears and goes.
    peer(C).announce([P1], { asPath: '65004 65009' });
    peer(C).withdraw(P1);
    await lab.settle();
    expect(peer(B).heard).toEqual([]);
  });

  it('no echo: a route is not sent to the peer it came from, and goes from it when it becomes best', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1], { asPath: '65002 65009' });
    await lab.settle();
    expect(peer(A).prefixes()).toEqual([]);
    expect(peer(B).prefixes()).toEqual([P1]);
    peer(B).announce([P1]);
    await lab.settle();
    // B's own is best now: B had A's and must lose it, A gets B's.
    expect(peer(B).prefixes()).toEqual([]);
    expect(peer(A).attributes(P1)?.asPath).toBe('65000 65003');
    expect(peer(C).attributes(P1)?.asPath).toBe('65000 65003');
    expect(speaker.peer(B).families[0]).toMatchObject({ received: 1, best: 1, advertised: 0 });
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 1, best: 0, advertised: 1 });
  });

  it('4271-9.1.2-2 a route with the own AS in its path takes no part, and the session stays', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1], { asPath: '65002 65000 65009' });
    await lab.settle();
    expect(speaker.routes()).toMatchObject([{ eligible: false, reason: 'own AS in AS_PATH', best: false }]);
    expect(speaker.peer(A)).toMatchObject({ state: 'Established' });
    expect(peer(B).prefixes()).toEqual([]);
  });

  it('6793-4.2.3-4 loop detection looks at the path that AS4_PATH replaced, too', async () => {
    const { lab, speaker, peer } = await rig({
      [A]: { as: 65002, raw: { as4: false } },
      [B]: { as: 65003 },
    });
    const old = (path: readonly number[], as4: readonly number[]) => {
      const two = path.flatMap((as) => [as >> 8, as & 0xff]);
      const four = as4.flatMap((as) => [0, (as >> 16) & 0xff, (as >> 8) & 0xff, as & 0xff]);
      return Uint8Array.from([
        ...[0x40, 1, 1, 0],
        ...[0x40, 2, 2 + two.length, 2, path.length, ...two],
        ...[0x40, 3, 4, 10, 0, 0, 2],
        ...[0xc0, 17, 2 + four.length, 2, as4.length, ...four],
      ]);
    };
    const send = (attributes: Uint8Array, nlri: number[]) => {
      const length = 23 + attributes.length + nlri.length;
      const head = [...new Uint8Array(16).fill(0xff), length >> 8, length & 0xff, 2, 0, 0];
      peer(A).send(Uint8Array.from([...head, 0, attributes.length, ...attributes, ...nlri]));
    };
    // The own AS stands in AS_PATH where AS4_PATH has another one.
    send(old([65002, 65000, 23456], [65100, 70000]), [24, 192, 0, 2]);
    // And only in AS4_PATH.
    send(old([65002, 23456, 23456], [65000, 70000]), [24, 198, 51, 100]);
    send(old([65002, 23456, 23456], [65100, 70000]), [24, 203, 0, 113]);
    await lab.settle();
    expect(speaker.routes().map(({ prefix, reason }) => [prefix, reason])).toEqual([
      [P1, 'own AS in AS_PATH'],
      [P2, 'own AS in AS_PATH'],
      [P3, 'best path: the only one'],
    ]);
    expect(peer(B).attributes(P3)?.asPath).toBe('65000 65002 65100 70000');
    expect(speaker.peer(A).state).toBe('Established');
  });
});

describe('what errors do to others', () => {
  it('7606-2-1 treat-as-withdraw removes an earlier route of the peer and tells the others', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P1, P2]);
    // ORIGIN 5
    const [bytes] = peer(A).encode({ announce: [P1], attributes: { origin: 'IGP', asPath: '65002' } });
    const origin = bytes!.findIndex((octet, at) => octet === 0x40 && bytes![at + 1] === 1 && at > 22);
    bytes![origin + 3] = 5;
    peer(A).send(bytes!);
    await lab.settle();
    expect(peer(B).prefixes()).toEqual([P2]);
    expect(peer(B).heard.at(-1)).toBe(`-${P1}`);
    expect(speaker.peer(A).state).toBe('Established');
    expect(speaker.log.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });

  it('7606-6-1 the log names the prefixes and holds the whole malformed UPDATE', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    const [bytes] = peer(A).encode({ announce: [P1, P2], attributes: { origin: 'IGP', asPath: '65002' } });
    const origin = bytes!.findIndex((octet, at) => octet === 0x40 && bytes![at + 1] === 1 && at > 22);
    bytes![origin + 3] = 5;
    peer(A).send(bytes!);
    await lab.settle();
    expect(speaker.fields.at(-1)).toMatchObject({
      prefixes: [P1, P2],
      update: Buffer.from(bytes!).toString('hex'),
      treatAsWithdraw: true,
    });
  });

  it('7606-6-1 of a flood of them one a second is logged, with all its prefixes, and the tape has them all', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    const prefixes = Array.from({ length: 30 }, (_, i) => `20.${i}.0.0/16`);
    const malformed = prefixes.map((prefix) => {
      const [bytes] = peer(A).encode({
        announce: [prefix, ...prefixes],
        attributes: { origin: 'IGP', asPath: '65002' },
      });
      bytes![bytes!.findIndex((octet, at) => octet === 0x40 && bytes![at + 1] === 1 && at > 22) + 3] = 5;
      return bytes!;
    });
    const before = speaker.log.length;
    peer(A).send(...malformed);
    await lab.settle();
    expect(speaker.log.slice(before)).toHaveLength(1);
    expect(speaker.fields.at(-1)?.prefixes).toEqual([prefixes[0], ...prefixes]);
    const kept = speaker.api.messages(A).filter(({ octets }) => octets[18] === 2);
    expect(kept.map(({ octets }) => Buffer.from(octets))).toEqual(
      malformed.map((octets) => Buffer.from(octets)),
    );
    const views = speaker.api.peers().map((view) => [view.address, view.malformed?.count]);
    expect(views).toEqual(
      [A, B, C].map((address) => [address, address === A ? malformed.length : undefined]),
    );
    expect(speaker.api.peers()[0]?.malformed?.last).toContain('ORIGIN');
  });

  it('4271-6.3-3 a NEXT_HOP of the receiver: the route is not eligible, no NOTIFICATION', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1], {}, OWN_ADDRESS);
    await lab.settle();
    expect(speaker.routes()).toMatchObject([{ eligible: false, reason: 'own address as NEXT_HOP' }]);
    expect(peer(A).heard).toEqual([]);
    expect(peer(B).prefixes()).toEqual([]);
  });

  it('4271-5.1.3-4 a route with the local speaker as NEXT_HOP is never best', async () => {
    const { lab, speaker, peer } = await rig({ [A]: { as: 65000 }, [B]: { as: 65003 } });
    peer(A).announce([P1], {}, OWN_ADDRESS);
    await lab.settle();
    expect(speaker.best()).toEqual([]);
    expect(peer(B).prefixes()).toEqual([]);
  });

  it('4486-4-1 the prefix limit ends the session with 6/1, AFI, SAFI and the bound', async () => {
    const { lab, speaker, peer } = await rig({ ...THREE, [A]: { as: 65002, config: { maxPrefixes: 2 } } });
    peer(A).announce([P1, P2]);
    await lab.settle();
    expect(speaker.peer(A).state).toBe('Established');
    expect(peer(B).prefixes()).toEqual([P1, P2]);
    peer(A).announce([P3]);
    await lab.settle();
    expect(peer(A).heard.slice(-2)).toEqual(['NOTIFICATION 6/1 00010100000002', 'FIN']);
    expect(speaker.peer(A).lastError).toMatch(/6\/1/);
    expect(peer(B).prefixes()).toEqual([]);
    expect(speaker.best()).toEqual([]);
  });
});

describe('refresh and End-of-RIB', () => {
  it('2918-4-1 ROUTE-REFRESH sends the whole Adj-RIB-Out of the family again', async () => {
    const { lab, peer } = await rig(THREE);
    peer(A).announce([P1, P2]);
    await lab.settle();
    peer(B).clear();
    peer(B).refresh();
    await lab.settle();
    expect(peer(B).heard.sort()).toEqual([`+${P1}`, `+${P2}`]);
    peer(B).clear();
    // Not advertised: only IPv4 is configured.
    peer(B).refresh(IPV6_UNICAST);
    await lab.settle();
    expect(peer(B).heard).toEqual([]);
    expect(peer(C).heard.filter((line) => line === `+${P1}`)).toHaveLength(1);
  });

  it('7313-4-1 a peer with enhanced refresh hears BoRR before and EoRR after', async () => {
    const enhanced = { capabilities: [{ kind: 'enhanced-route-refresh' as const }] };
    const { lab, speaker, peer } = await rig({ ...THREE, [B]: { as: 65003, raw: enhanced } });
    peer(A).announce([P1, P2]);
    await lab.settle();
    peer(B).clear();
    peer(B).refresh();
    await lab.settle();
    expect(peer(B).heard[0]).toBe('REFRESH ipv4-unicast 1');
    expect(peer(B).heard.slice(1, -1).sort()).toEqual([`+${P1}`, `+${P2}`]);
    expect(peer(B).heard.at(-1)).toBe('REFRESH ipv4-unicast 2');
    peer(B).clear();
    speaker.api.peerRefresh(B, 'out');
    await lab.settle();
    expect(peer(B).heard).toHaveLength(4);
  });

  it('7313-4-2 what BoRR..EoRR does not confirm goes at EoRR; EoRR alone is ignored', async () => {
    const enhanced = { capabilities: [{ kind: 'enhanced-route-refresh' as const }] };
    const { lab, speaker, peer } = await rig({ ...THREE, [A]: { as: 65002, raw: enhanced } });
    peer(A).announce([P1, P2, P3]);
    peer(A).endOfRib();
    peer(A).refresh(undefined, 2);
    await lab.settle();
    expect(speaker.best()).toHaveLength(3);
    peer(B).clear();
    peer(A).refresh(undefined, 1);
    await lab.settle();
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 3, stale: 3 });
    expect(speaker.best()).toHaveLength(3);
    peer(A).announce([P1]);
    peer(A).announce([P2], { med: 9 });
    await lab.settle();
    expect(speaker.peer(A).families[0]?.stale).toBe(1);
    peer(A).refresh(undefined, 2);
    await lab.settle();
    expect(speaker.best()).toEqual([`${P1} from ${A}`, `${P2} from ${A}`]);
    expect(peer(B).heard).toEqual([`-${P3}`]);
    expect(speaker.peer(A).families[0]).toMatchObject({ received: 2, stale: 0 });
  });

  it('2918-4-2 a refresh is asked only of a peer that can; policy is run again where it cannot', async () => {
    const { lab, speaker, peer } = await rig({
      ...THREE,
      [B]: { as: 65003, raw: { routeRefresh: false } },
    });
    speaker.api.peerRefresh(A, 'in');
    speaker.api.peerRefresh(B, 'in');
    await lab.settle();
    expect(peer(A).heard).toEqual(['REFRESH ipv4-unicast 0']);
    expect(peer(B).heard).toEqual([]);
  });

  it('4724-4-1 End-of-RIB after the initial update of every family, empty or not', async () => {
    const both = { families: ['ipv4-unicast' as const, 'ipv6-unicast' as const] };
    const { lab, speaker, peer } = await rig(
      { [A]: { as: 65002, config: both }, [B]: { as: 65003 } },
      { networks: [P1] },
    );
    peer(A).drop();
    await lab.run(400_000);
    await lab.connect(speaker, peer(A));
    const heard = peer(A).heard.filter((line) => line.startsWith('EOR') || line.startsWith('+'));
    expect(heard.indexOf(`+${P1}`)).toBeLessThan(heard.indexOf('EOR ipv4-unicast'));
    expect(heard).toContain('EOR ipv6-unicast');
    const lengths = peer(A)
      .messages.filter((bytes) => bytes[18] === 2)
      .map((bytes) => bytes.length);
    expect(lengths).toContain(23);
    expect(speaker.peer(A).families.map((family) => family.endOfRibSent)).toEqual([true, true]);
  });

  it('4724-4-2 a NOTIFICATION, sent or received, is a normal teardown', async () => {
    const { lab, speaker, peer } = await rig(THREE);
    peer(A).announce([P1]);
    peer(B).announce([P2]);
    await lab.settle();
    // Cease, administrative shutdown
    peer(A).send(Uint8Array.from([...new Uint8Array(16).fill(0xff), 0, 21, 3, 6, 2]));
    speaker.api.peerReset(B, 'maintenance');
    await lab.settle();
    expect(speaker.routes()).toEqual([]);
    expect(peer(C).prefixes()).toEqual([]);
    expect(peer(B).heard.at(-2)).toBe(`NOTIFICATION 6/4 0b${Buffer.from('maintenance').toString('hex')}`);
    expect(speaker.peer(A).lastError).toMatch(/Administrative Shutdown/i);
  });
});
