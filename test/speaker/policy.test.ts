// Who may have a route: no policy (RFC 8212), roles (RFC 9234), and clients of a route server (RFC 7947), over whole
// sessions.

import { describe, expect, it } from 'vitest';
import { attributeBytes } from '../support/raw-peer.ts';
import { withAttribute } from '../support/update-octets.ts';
import { hex } from '../support/wire.ts';
import { OWN_AS, type RigPeer, rig } from './rig.ts';

const FROM = '10.0.0.2';
const IBGP = '10.0.0.3';
const EBGP = '10.0.0.4';
const P1 = '192.0.2.0/24';
const P2 = '198.51.100.0/24';
const AROUND: Record<string, RigPeer> = {
  [FROM]: { as: 65002 },
  [IBGP]: { as: OWN_AS },
  [EBGP]: { as: 65004 },
};

/** A rig where the peer under test has these settings. */
function withEbgp(config: RigPeer['config'], raw: RigPeer['raw'] = {}): Record<string, RigPeer> {
  return { ...AROUND, [EBGP]: { as: 65004, config: { ...config }, raw } };
}

describe('policy and roles', () => {
  it('8212-3-1 without import policy a route of eBGP is not eligible', async () => {
    const { lab, speaker, peer } = await rig({
      ...AROUND,
      [FROM]: { as: 65002, config: { import: undefined } },
    });
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(speaker.routes()).toMatchObject([{ eligible: false, best: false }]);
    expect(speaker.routes()[0]?.reason).toBe('no import policy on an eBGP peer (RFC 8212)');
    expect(peer(IBGP).prefixes()).toEqual([]);
  });

  it('8212-3-2 without export policy eBGP is told nothing, but End-of-RIB', async () => {
    const { lab, speaker, peer } = await rig(withEbgp({ export: undefined }), { networks: [P2] });
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(EBGP).prefixes()).toEqual([]);
    expect(peer(IBGP).prefixes()).toEqual([P1, P2]);
    expect(speaker.api.explain(P1, { to: EBGP }).exports[0]).toMatchObject({
      advertised: false,
      reason: 'no export policy on an eBGP peer (RFC 8212)',
    });
  });

  const otc = (local: 'provider' | 'customer' | 'peer' | 'rs-server' | 'rs-client', as: number): RigPeer => {
    const remote = { provider: 3, customer: 0, peer: 4, 'rs-server': 2, 'rs-client': 1 }[local];
    return { as, config: { role: local }, raw: { capabilities: [{ kind: 'role', value: remote }] } };
  };
  const ROLES: Record<string, RigPeer> = {
    '10.0.0.11': otc('customer', 65011),
    '10.0.0.12': otc('provider', 65012),
    '10.0.0.13': otc('peer', 65013),
    '10.0.0.14': otc('rs-client', 65014),
    '10.0.0.15': otc('rs-server', 65015),
    '10.0.0.16': otc('provider', 65016),
  };
  const [PROVIDER, CUSTOMER, PEER, SERVER, RS_CLIENT, CUSTOMER_2] = Object.keys(ROLES) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];

  it('9234-5-1 OTC from a customer or a client, or of another AS from a peer: not eligible', async () => {
    const { lab, speaker, peer } = await rig(ROLES);
    for (const address of [CUSTOMER, RS_CLIENT, PEER, PROVIDER, SERVER]) {
      peer(address).announce([P1], { onlyToCustomer: 64999 });
    }
    peer(PEER).announce([P2], { onlyToCustomer: 65013 });
    await lab.settle();
    const eligible = speaker.routes().map((route) => [route.peer, route.prefix, route.eligible]);
    expect(Object.fromEntries(eligible.map(([name, prefix, yes]) => [`${name} ${prefix}`, yes]))).toEqual({
      [`${CUSTOMER} ${P1}`]: false,
      [`${RS_CLIENT} ${P1}`]: false,
      [`${PEER} ${P1}`]: false,
      [`${PROVIDER} ${P1}`]: true,
      [`${SERVER} ${P1}`]: true,
      [`${PEER} ${P2}`]: true,
    });
  });

  it('9234-5-2 from provider, peer and route server OTC with their AS is added', async () => {
    const { lab, speaker, peer } = await rig(ROLES);
    for (const address of [PROVIDER, PEER, SERVER, CUSTOMER]) peer(address).announce([P1]);
    await lab.settle();
    const added = speaker.routes().map((route) => [route.peer, route.attributes.onlyToCustomer]);
    expect(Object.fromEntries(added)).toEqual({
      [PROVIDER]: 65011,
      [PEER]: 65013,
      [SERVER]: 65014,
      [CUSTOMER]: undefined,
    });
  });

  it('9234-5-3 to customer, peer and client OTC with the local AS is added', async () => {
    const { lab, peer } = await rig(ROLES);
    peer(CUSTOMER).announce([P1]);
    await lab.settle();
    for (const address of [CUSTOMER_2, PEER, RS_CLIENT]) {
      expect(peer(address).attributes(P1)?.onlyToCustomer).toBe(65000);
    }
    expect(peer(PROVIDER).attributes(P1)).toMatchObject({ onlyToCustomer: undefined });
    expect(peer(SERVER).attributes(P1)).toMatchObject({ onlyToCustomer: undefined });
  });

  it('9234-5-4 a route with OTC never goes to provider, peer or route server', async () => {
    const { lab, peer } = await rig(ROLES);
    peer(PROVIDER).announce([P1]);
    peer(PEER).announce([P2]);
    await lab.settle();
    expect(peer(CUSTOMER).prefixes()).toEqual([P1, P2]);
    expect(peer(RS_CLIENT).prefixes()).toEqual([P1, P2]);
    for (const address of [PROVIDER, PEER, SERVER]) expect(peer(address).prefixes()).toEqual([]);
  });

  it('9234-5-6 a set OTC is never changed', async () => {
    const { lab, peer } = await rig(ROLES);
    peer(PROVIDER).announce([P1], { onlyToCustomer: 64999 });
    await lab.settle();
    expect(peer(CUSTOMER).attributes(P1)?.onlyToCustomer).toBe(64999);
  });
});

describe('route server (RFC 7947)', () => {
  const CLIENT = '10.0.0.5';
  const server = (): Record<string, RigPeer> => ({
    ...AROUND,
    [CLIENT]: { as: 65005, config: { routeServerClient: true } },
  });

  it('7947-2.2.1-1 NEXT_HOP passes unchanged to clients', async () => {
    const { lab, peer } = await rig(server());
    peer(FROM).announce([P1]);
    await lab.settle();
    expect(peer(CLIENT).routes()).toEqual([`${P1} via ${FROM}`]);
  });

  it('7947-2.2.2.1-1 AS_PATH passes unchanged to clients', async () => {
    const { lab, peer } = await rig(server());
    peer(FROM).announce([P1], { asPath: '65002 65010' });
    await lab.settle();
    expect(peer(CLIENT).attributes(P1)?.asPath).toBe('65002 65010');
  });

  it('7947-2.2.2.2-1 the first-AS check can be switched off for a peer', async () => {
    const { lab, speaker, peer } = await rig({
      [FROM]: { as: 65002 },
      [CLIENT]: { as: 65005, config: { enforceFirstAs: false } },
    });
    for (const address of [FROM, CLIENT]) peer(address).announce([P1], { asPath: '65010' });
    await lab.settle();
    expect(speaker.routes().map((route) => [route.peer, route.eligible])).toEqual([
      [CLIENT, true],
      [FROM, false],
    ]);
  });

  it('7947-2.2.3-1 MED and communities, non-transitive ones too, pass unchanged', async () => {
    const { lab, peer } = await rig(server());
    const [bytes] = peer(FROM).encode({
      announce: [P1],
      attributes: { origin: 'IGP', asPath: '65002', med: 12, communities: ['65002:9'] },
    });
    peer(FROM).send(withAttribute(bytes!, attributeBytes(0xc0, 16, hex('4002 fdea 00000002'))));
    await lab.settle();
    expect(peer(CLIENT).attributes(P1)).toMatchObject({ med: 12, communities: ['65002:9'] });
    expect(peer(CLIENT).attributes(P1)?.extendedCommunities).toHaveLength(1);
  });
});
