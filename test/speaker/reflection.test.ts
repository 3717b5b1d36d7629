// RFC 4456 over whole speakers: clients and non-clients, clusters, loops, and RFC 4271 §9.2 without a reflector.

import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { SimLab } from '../support/sim-lab.ts';
import { OWN_AS, type RigPeer, rig } from './rig.ts';

const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const CLIENT_1 = '10.0.0.2';
const CLIENT_2 = '10.0.0.3';
const OTHER_1 = '10.0.0.4';
const OTHER_2 = '10.0.0.5';
const OUTSIDE = '10.0.0.6';

const client = (more: RigPeer['config'] = {}): RigPeer => ({
  as: OWN_AS,
  config: { routeReflectorClient: true, ...more },
});
const AROUND: Record<string, RigPeer> = {
  [CLIENT_1]: client(),
  [CLIENT_2]: client(),
  [OTHER_1]: { as: OWN_AS },
  [OTHER_2]: { as: OWN_AS },
  [OUTSIDE]: { as: 65006 },
};

describe('who gets a route', () => {
  it('4271-9.2-1 without reflection a route from iBGP goes to eBGP only', async () => {
    const { lab, peer } = await rig({
      [OTHER_1]: { as: OWN_AS },
      [OTHER_2]: { as: OWN_AS },
      [OUTSIDE]: { as: 65006 },
    });
    peer(OTHER_1).announce([P1]);
    peer(OUTSIDE).announce([P2]);
    await lab.settle();
    expect(peer(OTHER_2).prefixes()).toEqual([P2]);
    expect(peer(OTHER_1).prefixes()).toEqual([P2]);
    expect(peer(OUTSIDE).prefixes()).toEqual([P1]);
  });

  it('4456-6-1 from a client to everybody, from a non-client to clients only', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(CLIENT_1).announce([P1]);
    peer(OTHER_1).announce([P2]);
    await lab.settle();
    expect(peer(CLIENT_2).prefixes()).toEqual([P1, P2]);
    expect(peer(OTHER_1).prefixes()).toEqual([P1]);
    expect(peer(OTHER_2).prefixes()).toEqual([P1]);
    expect(peer(OUTSIDE).prefixes()).toEqual([P1, P2]);
  });

  it('4456-6-2 a client does not get its own route back', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(CLIENT_1).announce([P1]);
    peer(OTHER_1).announce([P2]);
    await lab.settle();
    expect(peer(CLIENT_1).prefixes()).toEqual([P2]);
    expect(peer(OTHER_1).prefixes()).toEqual([P1]);
  });

  it('reflection between clients can be off', async () => {
    const { lab, speaker, peer } = await rig({
      ...AROUND,
      [CLIENT_1]: client({ clientToClient: false }),
      [CLIENT_2]: client({ clientToClient: false }),
    });
    peer(CLIENT_1).announce([P1]);
    await lab.settle();
    expect(peer(CLIENT_2).prefixes()).toEqual([]);
    expect(peer(OTHER_1).prefixes()).toEqual([P1]);
    const [entry] = speaker.api.explain(P1, { to: CLIENT_2 }).exports;
    expect(entry).toMatchObject({
      advertised: false,
      reason: 'from a client to a client, and reflection between clients is off',
    });
  });
});

describe('what a reflected route says', () => {
  it('4456-8-1 ORIGINATOR_ID is the BGP Identifier of the originator; an existing one is kept', async () => {
    const { lab, peer } = await rig({
      ...AROUND,
      [CLIENT_1]: { ...client(), raw: { id: '10.9.9.9' } },
    });
    peer(CLIENT_1).announce([P1]);
    peer(CLIENT_1).announce([P2], { originatorId: '10.7.7.7', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(peer(CLIENT_2).attributes(P1)?.originatorId).toBe('10.9.9.9');
    expect(peer(CLIENT_2).attributes(P2)?.originatorId).toBe('10.7.7.7');
  });

  it('4456-8-2 the local CLUSTER_ID is put in front of CLUSTER_LIST', async () => {
    const { lab, peer } = await rig(AROUND, {
      router: { asn: OWN_AS, id: '10.0.0.1', clusterId: '10.100.0.1' },
    });
    peer(CLIENT_1).announce([P1]);
    peer(CLIENT_1).announce([P2], { originatorId: '10.7.7.7', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(peer(OTHER_1).attributes(P1)?.clusterList).toEqual(['10.100.0.1']);
    expect(peer(OTHER_1).attributes(P2)?.clusterList).toEqual(['10.100.0.1', '10.7.7.1']);
  });

  it('4456-7-1 CLUSTER_ID is the BGP Identifier unless configured', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(CLIENT_1).announce([P1]);
    await lab.settle();
    expect(peer(OTHER_1).attributes(P1)?.clusterList).toEqual(['10.0.0.1']);
  });

  it('4456-8-2 it is that of the client, whoever is told, and of two clients both', async () => {
    const { lab, peer } = await rig({
      ...AROUND,
      [CLIENT_1]: client({ clusterId: '10.100.0.1' }),
      [CLIENT_2]: client({ clusterId: '10.100.0.2' }),
    });
    peer(CLIENT_1).announce([P1]);
    peer(CLIENT_1).announce([P2], { originatorId: '10.7.7.7', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(peer(OTHER_1).attributes(P1)?.clusterList).toEqual(['10.100.0.1']);
    expect(peer(CLIENT_2).attributes(P1)?.clusterList).toEqual(['10.100.0.2', '10.100.0.1']);
    expect(peer(CLIENT_2).attributes(P2)?.clusterList).toEqual(['10.100.0.2', '10.100.0.1', '10.7.7.1']);
  });

  it('4456-8-5 ORIGINATOR_ID and CLUSTER_LIST are not sent to eBGP', async () => {
    const { lab, peer } = await rig(AROUND);
    peer(CLIENT_1).announce([P1], { originatorId: '10.7.7.7', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(peer(OUTSIDE).attributes(P1)).toMatchObject({
      originatorId: undefined,
      clusterList: [],
      localPref: undefined,
    });
  });

  it('4456-10-1 NEXT_HOP, AS_PATH, LOCAL_PREF and MED are as they came', async () => {
    const { lab, peer } = await rig(AROUND);
    const sent = { asPath: '65010 65011', localPref: 250, med: 17, communities: ['65010:5'] };
    peer(CLIENT_1).announce([P1], sent, '10.200.0.1');
    await lab.settle();
    expect(peer(CLIENT_2).attributes(P1)).toMatchObject(sent);
    expect(peer(CLIENT_2).routes()).toEqual([`${P1} via 10.200.0.1`]);
  });

  it('an own or eBGP route sent to clients has neither ORIGINATOR_ID nor CLUSTER_LIST', async () => {
    const { lab, peer } = await rig(AROUND, { networks: [P2] });
    peer(OUTSIDE).announce([P1]);
    await lab.settle();
    for (const prefix of [P1, P2]) {
      expect(peer(CLIENT_1).attributes(prefix)).toMatchObject({ originatorId: undefined, clusterList: [] });
    }
  });
});

describe('loops', () => {
  it('4456-8-3 a route with the own BGP Identifier as ORIGINATOR_ID is ignored', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    peer(CLIENT_1).announce([P1], { originatorId: '10.0.0.1', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(speaker.routes()).toMatchObject([{ eligible: false, reason: 'own router id as ORIGINATOR_ID' }]);
    expect(peer(CLIENT_2).prefixes()).toEqual([]);
  });

  it('4456-8-4 a route with the own CLUSTER_ID in CLUSTER_LIST is ignored', async () => {
    const { lab, speaker, peer } = await rig(
      { ...AROUND, [CLIENT_2]: client({ clusterId: '10.100.0.2' }) },
      { router: { asn: OWN_AS, id: '10.0.0.1', clusterId: '10.100.0.1' } },
    );
    peer(CLIENT_1).announce([P1], { originatorId: '10.7.7.7', clusterList: ['10.7.7.1', '10.100.0.1'] });
    // The cluster id of one peer counts as well.
    peer(CLIENT_1).announce([P2], { originatorId: '10.7.7.7', clusterList: ['10.100.0.2'] });
    await lab.settle();
    const reason = 'own cluster id in CLUSTER_LIST';
    expect(speaker.routes()).toMatchObject([{ reason }, { reason }]);
    expect(speaker.best()).toEqual([]);
  });
});

/** Two reflectors with a client each; the reflectors are peers of each other. */
async function twoClusters(clusterIds: readonly [string, string]) {
  const lab = new SimLab();
  const reflector = (own: number, other: number, of: string): ConfigInput => ({
    router: { asn: OWN_AS, id: `10.1.0.${own}`, clusterId: of },
    peers: [
      { address: `10.1.0.${other}`, asn: OWN_AS },
      { address: `10.1.${own}.1`, asn: OWN_AS, routeReflectorClient: true },
    ],
  });
  const leaf = (own: number, network: string): ConfigInput => ({
    router: { asn: OWN_AS, id: `10.1.${own}.1` },
    peers: [{ address: `10.1.0.${own}`, asn: OWN_AS }],
    networks: [network],
  });
  const rr1 = lab.speaker('rr1', ['10.1.0.1'], reflector(1, 2, clusterIds[0]));
  const rr2 = lab.speaker('rr2', ['10.1.0.2'], reflector(2, 1, clusterIds[1]));
  const c1 = lab.speaker('c1', ['10.1.1.1'], leaf(1, P1));
  const c2 = lab.speaker('c2', ['10.1.2.1'], leaf(2, P2));
  await lab.start();
  return { lab, rr1, rr2, c1, c2 };
}

describe('two reflectors', () => {
  it('two clusters exchange the routes of their clients', async () => {
    const { c1, c2, rr2 } = await twoClusters(['10.1.0.1', '10.1.0.2']);
    expect(c1.best()).toEqual([`${P1} from local`, `${P2} from 10.1.0.1`]);
    expect(c2.best()).toEqual([`${P1} from 10.1.0.2`, `${P2} from local`]);
    expect(c2.route(P1)).toMatchObject({
      nextHop: '10.1.1.1',
      attributes: { originatorId: '10.1.1.1', clusterList: ['10.1.0.2', '10.1.0.1'], localPref: 100 },
    });
    expect(rr2.route(P1)?.attributes.clusterList).toEqual(['10.1.0.1']);
  });

  it('reflectors of one cluster drop what the other reflected', async () => {
    const { c1, c2, rr2 } = await twoClusters(['10.1.0.100', '10.1.0.100']);
    expect(rr2.routes({ prefix: P1 })).toMatchObject([
      { eligible: false, reason: 'own cluster id in CLUSTER_LIST' },
    ]);
    expect(c1.best()).toEqual([`${P1} from local`]);
    expect(c2.best()).toEqual([`${P2} from local`]);
  });

  it("with BIRD's files those of one cluster hear of each other, and tell no client", async () => {
    const lab = new SimLab();
    const protocol = (name: string, other: string, more = '') =>
      `protocol bgp ${name} { local as ${OWN_AS}; neighbor ${other} as ${OWN_AS}; multihop; import all; export all; ${more} }\n`;
    const reflector = (own: number, other: number) =>
      `router id 10.1.0.${own};\n` +
      protocol('reflector', `10.1.0.${other}`) +
      protocol('leaf', `10.1.${own}.1`, 'rr client; rr cluster id 224.0.0.1;');
    const leaf = (own: number, network: string) =>
      `router id 10.1.${own}.1;\nprotocol static { route ${network} blackhole; }\n` +
      protocol('up', `10.1.0.${own}`);
    lab.speaker('rr1', ['10.1.0.1'], reflector(1, 2));
    const rr2 = lab.speaker('rr2', ['10.1.0.2'], reflector(2, 1));
    lab.speaker('c1', ['10.1.1.1'], leaf(1, P1));
    const c2 = lab.speaker('c2', ['10.1.2.1'], leaf(2, P2));
    await lab.start();
    expect(rr2.best()).toEqual([`${P1} from reflector`, `${P2} from leaf`]);
    expect(rr2.route(P1)?.attributes.clusterList).toEqual(['224.0.0.1']);
    expect(c2.best()).toEqual([`${P2} from local`]);
    const [entry] = rr2.api.explain(P1, { to: 'leaf' }).exports;
    expect(entry?.reason).toBe('it comes from the cluster that this client is in (RFC 4456)');
  });

  it('a client of both reflectors takes the route over either, and keeps it when one dies', async () => {
    const lab = new SimLab();
    const clients = ['10.1.0.11', '10.1.0.12'];
    const reflector = (own: number, other: number): ConfigInput => ({
      router: { asn: OWN_AS, id: `10.1.0.${own}` },
      peers: [
        { address: `10.1.0.${other}`, asn: OWN_AS },
        ...clients.map((address) => ({ address, asn: OWN_AS, routeReflectorClient: true })),
      ],
    });
    const leaf = (id: string, network: string): ConfigInput => ({
      router: { asn: OWN_AS, id },
      peers: [
        { address: '10.1.0.1', asn: OWN_AS },
        { address: '10.1.0.2', asn: OWN_AS },
      ],
      networks: [network],
    });
    const rr1 = lab.speaker('rr1', ['10.1.0.1'], reflector(1, 2));
    lab.speaker('rr2', ['10.1.0.2'], reflector(2, 1));
    const [first = '', second = ''] = clients;
    const c1 = lab.speaker('c1', [first], leaf(first, P1));
    const c2 = lab.speaker('c2', [second], leaf(second, P2));
    await lab.start();
    expect(c2.routes({ prefix: P1 })).toHaveLength(2);
    expect(c2.best()).toEqual([`${P1} from 10.1.0.1`, `${P2} from local`]);
    await rr1.stop();
    expect(c2.best()).toEqual([`${P1} from 10.1.0.2`, `${P2} from local`]);
    expect(c1.best()).toEqual([`${P1} from local`, `${P2} from 10.1.0.2`]);
  });
});

describe('the decision among reflected routes', () => {
  it('4456-9-1 ORIGINATOR_ID stands for the identifier, then the shorter CLUSTER_LIST, then the address', async () => {
    const { lab, speaker, peer } = await rig(AROUND);
    const step = () => speaker.api.explain(P1, {}).paths.map((path) => `${path.peer} ${path.step}`);
    peer(CLIENT_1).announce([P1], { originatorId: '10.7.0.9', clusterList: ['10.7.7.1'] });
    peer(CLIENT_2).announce([P1], { originatorId: '10.7.0.8', clusterList: ['10.7.7.1', '10.7.7.2'] });
    await lab.settle();
    expect(step()[0]).toBe(`${CLIENT_2} best`);
    expect(step()[1]).toMatch(/router id/i);
    peer(CLIENT_1).announce([P1], { originatorId: '10.7.0.8', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(step()[0]).toBe(`${CLIENT_1} best`);
    expect(step()[1]).toMatch(/CLUSTER_LIST/i);
    peer(CLIENT_2).announce([P1], { originatorId: '10.7.0.8', clusterList: ['10.7.7.1'] });
    await lab.settle();
    expect(step()[0]).toBe(`${CLIENT_1} best`);
    expect(step()[1]).toMatch(/address/i);
  });
});
