// A speaker with a BMP station on the simulated network: what the station is told, and what it then knows.

import { describe, expect, it } from 'vitest';
import { IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { decodeOpen } from '../../../src/bgp/wire/open.ts';
import type { BmpMessage } from '../../../src/bmp/message.ts';
import type { ConfigInput } from '../../../src/config/schema.ts';
import { fromHex } from '../../../src/lib/bytes.ts';
import { BmpStation, STATION_PORT } from '../../support/bmp-station.ts';
import { ip, type RawPeer, updateMessage } from '../../support/raw-peer.ts';
import { SimLab, type SimSpeaker } from '../../support/sim-lab.ts';
import { OWN_ADDRESS, OWN_ADDRESS_V6, type RigPeer, rigInput } from '../rig.ts';

const STATION = '10.0.0.9';
const A = '10.0.0.2';
const B = '10.0.0.3';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const P3 = '203.0.113.0/24';
const V6 = '2001:db8:1::/48';
const TWO: Record<string, RigPeer> = { [A]: { as: 65002 }, [B]: { as: 65003 } };

type StationInput = NonNullable<ConfigInput['bmp']>['stations'][number];

interface Scene {
  readonly lab: SimLab;
  readonly station: BmpStation;
  readonly speaker: SimSpeaker;
  readonly peers: Readonly<Record<string, RawPeer>>;
  reload(station: Partial<StationInput> | undefined): Promise<void>;
}

/** The station listens from the start where `early`; peers are up. */
async function scene(
  stationInput: Partial<StationInput> = {},
  {
    peers = TWO,
    early = true,
    windowBytes,
  }: { peers?: typeof TWO; early?: boolean; windowBytes?: number } = {},
): Promise<Scene> {
  const lab = new SimLab({ network: windowBytes === undefined ? {} : { windowBytes } });
  const station = new BmpStation(lab.network.host(ip(STATION)), ip(STATION));
  if (early) station.listen();
  const bmp = (input: Partial<StationInput>) => ({
    bmp: { stations: [{ address: STATION, port: STATION_PORT, ...input }] },
  });
  const speaker = lab.speaker('godwit', [OWN_ADDRESS, OWN_ADDRESS_V6], rigInput(peers, bmp(stationInput)));
  await lab.start();
  const raws = Object.entries(peers).map(([address, { as, raw }]) => {
    return [address, lab.raw(address, { as, holdTime: 0, ...raw })] as const;
  });
  await lab.connect(speaker, ...raws.map(([, raw]) => raw));
  return {
    lab,
    station,
    speaker,
    peers: Object.fromEntries(raws),
    async reload(input) {
      await speaker.reload(rigInput(peers, input === undefined ? {} : bmp(input)));
      await lab.settle();
    },
  };
}

function ofKind<K extends BmpMessage['kind']>(
  messages: readonly BmpMessage[],
  kind: K,
): Extract<BmpMessage, { kind: K }>[] {
  return messages.filter((each): each is Extract<BmpMessage, { kind: K }> => each.kind === kind);
}

describe('a BMP station', () => {
  it('hears an Initiation first, then of peers as they come up, with both OPENs (7854-4.3-1, 7854-4.10-1)', async () => {
    const { station, peers } = await scene({ systemName: 'rr1' });
    const { messages, heard } = station.last;
    expect(heard.slice(0, 2)).toEqual(['initiation', `up ${A}`]);
    const [initiation] = ofKind(messages, 'initiation');
    const texts = initiation?.information.map(({ type, value }) => [type, new TextDecoder().decode(value)]);
    expect(texts).toEqual([
      [1, 'godwit 0.0.0'],
      [2, 'rr1'],
    ]);
    const [up] = ofKind(messages, 'peer-up');
    expect(up).toMatchObject({
      peer: { type: 0, flags: 0, address: ip(A), asn: 65002, bgpId: 0x0a000002 },
      localAddress: ip(OWN_ADDRESS),
      localPort: 179,
    });
    expect(up?.remotePort).toBeGreaterThan(1023);
    const received = up!.receivedOpen;
    expect(decodeOpen(received, 0, received.length)).toEqual(peers[A]?.open());
    const sent = up!.sentOpen;
    expect(decodeOpen(sent, 0, sent.length)).toEqual(peers[A]?.remoteOpen);
  });

  it('that comes later is told all there is, and End-of-RIB for each peer and family (7854-5-1)', async () => {
    const families: Omit<RigPeer, 'as'> = {
      config: { families: ['ipv6-unicast'] },
      raw: { families: [IPV6_UNICAST] },
    };
    const { lab, station, peers } = await scene(
      { routes: ['pre-policy', 'post-policy'] },
      {
        early: false,
        peers: {
          [A]: { as: 65002, config: { import: `if net = ${P2} then reject; accept;` } },
          [B]: { as: 65003, ...families },
        },
      },
    );
    peers[A]?.announce([P1, P2]);
    peers[B]?.announce([V6], {}, '2001:db8::3');
    await lab.settle();
    station.listen();
    await lab.run(60_000);
    expect(station.last.peers).toEqual([A, B]);
    expect(station.last.routes).toEqual([
      `post ${A} ${P1} by 65002`,
      `post ${B} ${V6} by 65003`,
      `pre ${A} ${P1} by 65002`,
      `pre ${A} ${P2} by 65002`,
      `pre ${B} ${V6} by 65003`,
    ]);
    expect(station.last.heard.filter((line) => line.includes(' end ')).sort()).toEqual([
      `post ${A} end ipv4-unicast`,
      `post ${B} end ipv6-unicast`,
      `pre ${A} end ipv4-unicast`,
      `pre ${B} end ipv6-unicast`,
    ]);
  });

  it('follows changes, refused routes too, and is told of each change once (7854-5-1)', async () => {
    const reject = { import: `if net = ${P2} then reject; bgp_med = 1; accept;` };
    const { lab, station, peers } = await scene(
      { routes: ['pre-policy', 'post-policy'] },
      { peers: { [A]: { as: 65002, config: reject } } },
    );
    const { last } = station;
    const news = async (): Promise<string[]> => {
      const before = last.heard.length;
      await lab.settle();
      return last.heard.slice(before);
    };
    peers[A]?.announce([P1, P2]);
    expect((await news()).sort()).toEqual([`post ${A} +${P1}`, `pre ${A} +${P1}`, `pre ${A} +${P2}`]);
    peers[A]?.announce([P1, P2]);
    expect(await news()).toEqual([]);
    // After policy it is what it was.
    peers[A]?.announce([P1], { med: 7 });
    expect(await news()).toEqual([`pre ${A} +${P1}`]);
    peers[A]?.announce([P2], { asPath: '65002 65009' });
    expect(await news()).toEqual([`pre ${A} +${P2}`]);
    peers[A]?.withdraw(P1);
    expect((await news()).sort()).toEqual([`post ${A} -${P1}`, `pre ${A} -${P1}`]);
    peers[A]?.withdraw(P2);
    expect(await news()).toEqual([`pre ${A} -${P2}`]);
  });

  it('hears why a peer is gone, and what it is told of it later begins anew (7854-4.9-1)', async () => {
    const { lab, station, speaker, peers } = await scene();
    const { last } = station;
    peers[A]?.announce([P1]);
    await lab.settle();
    peers[A]?.drop();
    await lab.run(1000);
    expect(last.heard.at(-1)).toBe(`down ${A} 4`);
    expect(last.routes).toEqual([]);
    await lab.connect(speaker, peers[A]!);
    peers[A]?.announce([P1]);
    await lab.settle();
    expect(last.routes).toEqual([`pre ${A} ${P1} by 65002`]);
    // A message that is none: this side ends it, with a NOTIFICATION.
    peers[A]?.send(new Uint8Array(19).fill(0));
    await lab.run(1000);
    const [, down] = ofKind(last.messages, 'peer-down');
    expect([down?.reason, down?.data.slice(18)]).toEqual([1, Uint8Array.of(3, 1, 1)]);
    expect(last.peers).toEqual([B]);
  });

  it('is told the Loc-RIB as a peer of its own (9069-5.1-1, 9069-5.2-1)', async () => {
    const { lab, station, peers } = await scene({ routes: ['loc-rib'] });
    peers[A]?.announce([P1], { asPath: '65002 65008' });
    peers[B]?.announce([P1]);
    await lab.settle();
    const { last } = station;
    expect(last.routes).toEqual([`loc loc-rib ${P1} by 65003`]);
    const up = ofKind(last.messages, 'peer-up').find(({ peer }) => peer.type === 3);
    expect(up).toMatchObject({
      peer: { flags: 0, address: new Uint8Array(4), asn: 65000, bgpId: 0x0a000001 },
      localPort: 0,
      remotePort: 0,
    });
    expect(up?.sentOpen).toEqual(up?.receivedOpen);
    expect(up?.information.map(({ type, value }) => [type, new TextDecoder().decode(value)])).toEqual([
      [3, 'global'],
    ]);
    peers[B]?.withdraw(P1);
    await lab.settle();
    expect(last.routes).toEqual([`loc loc-rib ${P1} by 65002 65008`]);
    peers[A]?.withdraw(P1);
    await lab.settle();
    expect(last.routes).toEqual([]);
    expect(last.heard.filter((line) => line.includes('end')).sort()).toEqual([
      'loc loc-rib end ipv4-unicast',
      'loc loc-rib end ipv6-unicast',
    ]);
  });

  it('is told of IPv4 routes with IPv6 next hops, which the OPENs of both views allow (9069-5.2-1, 8950-4-1)', async () => {
    const entries = [{ afi: 1, safi: 1, nextHopAfi: 2 }];
    const extended = { capabilities: [{ kind: 'extended-next-hop' as const, entries }] };
    const peer: RigPeer = { as: 65002, config: { extendedNextHop: true }, raw: extended };
    const routes: StationInput['routes'] = ['pre-policy', 'loc-rib'];
    const { lab, station, peers } = await scene({ routes }, { peers: { [A]: peer } });
    peers[A]?.announce([P1], {}, '2001:db8::2');
    await lab.settle();
    expect(station.last.routes).toEqual([`loc loc-rib ${P1} by 65002`, `pre ${A} ${P1} by 65002`]);
  });

  it('gets path identifiers where the peer sends them, and 4-octet ASes from old speakers', async () => {
    const { lab, station, peers } = await scene(
      {},
      {
        peers: {
          [A]: { as: 65002, config: { addPath: true }, raw: { addPath: 3 } },
          [B]: { as: 65003, raw: { as4: false } },
        },
      },
    );
    peers[A]?.announce([`${P1} #1`, `${P1} #2`]);
    const twoOctets = fromHex('40010100400206 0202fdebfdf1 4003040a000003'.replaceAll(' ', ''))!;
    peers[B]?.send(updateMessage([], twoOctets, [24, 198, 51, 100]));
    await lab.settle();
    expect(station.last.routes).toEqual([
      `pre ${A} ${P1} #1 by 65002`,
      `pre ${A} ${P1} #2 by 65002`,
      `pre ${B} ${P2} by 65003 65009`,
    ]);
    peers[A]?.withdraw(`${P1} #1`);
    await lab.settle();
    expect(station.last.routes[0]).toBe(`pre ${A} ${P1} #2 by 65002`);
  });

  it('gets what fits into no single UPDATE in several', async () => {
    const config = { addPath: true, extendedMessages: false };
    const peer: RigPeer = { as: 65002, config, raw: { addPath: 3 } };
    const { lab, station, peers } = await scene({}, { early: false, peers: { [A]: peer } });
    const prefixes = Array.from({ length: 128 }, (_, i) => `10.0.${i}.0/24`);
    for (const id of [1, 2, 3, 4, 5]) peers[A]?.announce(prefixes.map((prefix) => `${prefix} #${id}`));
    await lab.settle();
    station.listen();
    await lab.run(60_000);
    expect(station.last.routes).toHaveLength(5 * prefixes.length);
    expect(station.last.updates.filter(({ announced }) => announced.length > 0)).toHaveLength(2);
  });

  it('hears of a route whose next hop its family cannot say', async () => {
    const config = {
      families: ['ipv6-unicast' as const],
      import: 'bgp_next_hop = 192.0.2.1; accept;',
    };
    const { lab, station, peers } = await scene(
      { routes: ['post-policy'] },
      { peers: { [B]: { as: 65003, config, raw: { families: [IPV6_UNICAST] } } } },
    );
    peers[B]?.announce([V6], {}, '2001:db8::3');
    await lab.settle();
    expect(station.last.routes).toEqual([`post ${B} ${V6} by 65003`]);
    expect(station.last.updates.at(-1)?.nextHops).toEqual(['::']);
  });

  it('is told statistics in their interval', async () => {
    const { lab, station, peers } = await scene({ statistics: 10, routes: ['pre-policy', 'loc-rib'] });
    peers[A]?.announce([P1, P2]);
    peers[A]?.announce([P2]);
    peers[A]?.withdraw(P3);
    await lab.run(10_000);
    const reports = ofKind(station.last.messages, 'statistics-report').slice(-3);
    const ofA = reports.find(({ peer }) => peer.asn === 65002);
    const ofLocRib = reports.find(({ peer }) => peer.type === 3);
    expect(ofA?.statistics).toEqual([
      { type: 0, value: 0n },
      { type: 1, value: 1n },
      { type: 2, value: 1n },
      { type: 7, value: 2n },
      { type: 9, value: 2n, family: { afi: 1, safi: 1 } },
    ]);
    expect(ofLocRib?.statistics[0]).toEqual({ type: 8, value: 2n });
    const before = station.last.heard.length;
    await lab.run(20_000);
    expect(station.last.heard.slice(before).filter((line) => line === `statistics ${A}`)).toHaveLength(2);
  });

  it('that takes nothing gets the present state when it reads again, and holds nobody up', async () => {
    const { lab, station, peers } = await scene({}, { windowBytes: 2000 });
    station.pause();
    for (let med = 1; med <= 300; med++) {
      peers[A]?.announce([P1, P2], { med });
      await lab.run(10);
    }
    peers[A]?.withdraw(P2);
    await lab.settle();
    expect(peers[B]?.prefixes()).toEqual([P1]);
    const before = station.last.heard.length;
    station.resume();
    await lab.run(1000);
    expect(station.last.routes).toEqual([`pre ${A} ${P1} by 65002`]);
    expect(station.last.updates.at(-1)).toBeDefined();
    expect(station.last.heard.length).toBeGreaterThan(before);
  });

  it('is tried again and again, ever more slowly, and told everything anew', async () => {
    const { lab, station, speaker, peers } = await scene({}, { early: false });
    peers[A]?.announce([P1]);
    await lab.run(5000);
    expect(speaker.speaker.bmp.reports[0]).toMatchObject({ status: { state: 'Idle', connections: 0 } });
    station.listen();
    await lab.run(90_000);
    expect(station.last.routes).toEqual([`pre ${A} ${P1} by 65002`]);
    station.close();
    await lab.run(100);
    expect(speaker.speaker.bmp.problems).toHaveLength(1);
    station.listen();
    await lab.run(130_000);
    expect(station.readers).toHaveLength(2);
    expect(station.last.routes).toEqual([`pre ${A} ${P1} by 65002`]);
    expect(speaker.speaker.bmp.problems).toEqual([]);
  });

  it('gets a Termination, and then nothing, when it is not wanted any more or godwit stops (7854-4.5-1)', async () => {
    const { lab, station, speaker, peers, reload } = await scene();
    peers[A]?.announce([P1]);
    await reload({ routes: ['pre-policy', 'post-policy'] });
    expect(station.readers[0]?.heard.at(-1)).toBe('termination');
    await lab.run(1000);
    expect(station.last.routes).toEqual([`post ${A} ${P1} by 65002`, `pre ${A} ${P1} by 65002`]);
    await reload({ routes: ['pre-policy', 'post-policy'] });
    expect(station.readers).toHaveLength(2);
    await reload(undefined);
    expect(ofKind(station.last.messages, 'termination')[0]).toMatchObject({ reason: 0 });
    await lab.run(2000);
    expect([station.connections, speaker.speaker.bmp.reports]).toEqual([0, []]);
    await reload({});
    await lab.run(1000);
    await speaker.stop();
    expect(station.last.heard.at(-1)).toBe('termination');
  });

  it('leaves nothing behind in the tables when it is gone', async () => {
    const { lab, station, speaker, peers, reload } = await scene({
      routes: ['pre-policy', 'post-policy', 'loc-rib'],
    });
    peers[A]?.announce([P1, P2]);
    await lab.settle();
    expect(station.last.routes).toHaveLength(6);
    await reload(undefined);
    peers[A]?.withdraw(P1, P2);
    await lab.run(1000);
    const [ipv4] = speaker.speaker.rib.families;
    expect([ipv4?.prefixes.size, ipv4?.onUnchosen, speaker.speaker.rib.attrs.size]).toEqual([
      0,
      undefined,
      0,
    ]);
  });
});
