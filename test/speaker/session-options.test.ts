// Next hops of a session, as its addresses and those of the machine decide them.

import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { IPV6_UNICAST } from '../../src/bgp/wire/families.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { LinkLocalFormat } from '../../src/config/model.ts';
import { HostInterfacesError, readInterfaces } from '../../src/lib/host-interfaces.ts';
import { formatAddress } from '../../src/lib/ip.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { SimClock } from '../../src/sim/clock.ts';
import {
  awaitAddresses,
  type OwnAddress,
  type OwnAddresses,
  systemAddresses,
} from '../../src/speaker/own-addresses.ts';
import { Policies } from '../../src/speaker/policies.ts';
import { exportOptions } from '../../src/speaker/session-options.ts';
import { ip } from '../support/raw-peer.ts';
import { sessionContext } from '../support/wire.ts';

const OWN = '2001:db8::1';
const LINK_LOCAL: OwnAddress = { interface: 'eth0', bytes: ip('fe80::1'), prefixLength: 64 };

/** The own next hop of IPv6 routes towards an eBGP peer at `remote`. */
function nextHopTo(
  remote: string,
  prefixLength: number | undefined,
  multihop?: number,
  format?: LinkLocalFormat,
): string {
  const input = {
    router: { asn: 65000, id: '10.0.0.1' },
    peers: [
      {
        address: remote,
        asn: 65001,
        export: 'accept',
        import: 'accept',
        ...(multihop && { multihop }),
        ...(format && { linkLocalNextHop: format }),
      },
    ],
  };
  const host = { hostname: 'own', addresses: [] };
  const result = parseConfig(JSON.stringify(input), 'godwit.yaml', {}, () => '', host);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  const own = { interface: 'eth0', bytes: ip(OWN) };
  const addresses = [prefixLength === undefined ? own : { ...own, prefixLength }, LINK_LOCAL];
  const ends = {
    context: sessionContext(),
    localAddress: remote.startsWith('fe80') ? LINK_LOCAL.bytes : ip(OWN),
    remoteAddress: ip(remote.replace(/%.*/, '')),
    zone: undefined,
  };
  const policies = new Policies({
    linkOf: () => undefined,
    gatewayOf: () => undefined,
    linkOfGateway: () => undefined,
    linkNamed: () => undefined,
  });
  const [peer] = result.config.peers;
  const { ownNextHop } = exportOptions(result.config, peer!, IPV6_UNICAST, ends, addresses, policies, false);
  const octets = ownNextHop ?? new Uint8Array(16);
  return [octets.subarray(0, 16), octets.subarray(16)]
    .filter(({ length }) => length > 0)
    .map((bytes) => formatAddress(bytes))
    .join(' ');
}

describe('the next hop of IPv6 routes', () => {
  it.each([
    ['in the same subnet', '2001:db8::2', 64, undefined, `${OWN} fe80::1`],
    ['in another subnet', '2001:db8:1::2', 64, undefined, OWN],
    ['of an address without a subnet', '2001:db8::2', 128, undefined, OWN],
    ['where no subnet is known', '2001:db8:1::2', undefined, undefined, `${OWN} fe80::1`],
    ['some hops away', '2001:db8::2', 64, 3, OWN],
  ])('2545-3-2 a peer %s', (_, remote, length, multihop, expected) => {
    expect(nextHopTo(remote, length, multihop)).toBe(expected);
  });
});

it("the system's addresses come with their subnets", () => {
  const loopback = systemAddresses(silentLogger)().find(({ bytes }) => formatAddress(bytes) === '127.0.0.1');
  expect(loopback).toMatchObject({ prefixLength: 8 });
});

it("the system's addresses are those of links, whatever labels they have", () => {
  const there = {
    address: '10.7.0.1',
    netmask: '255.255.255.0',
    family: 'IPv4',
    mac: '',
    internal: false,
  } as const;
  const read = () => ({ 'eth0:1': [{ ...there, cidr: '10.7.0.1/24' }] });
  expect(systemAddresses(silentLogger, read)()).toMatchObject([{ interface: 'eth0', prefixLength: 24 }]);
});

it("the system's addresses stay as they were where no descriptor is left to ask for them", () => {
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) };
  let fails = false;
  const read = () =>
    readInterfaces(() => {
      // As Node.js says it.
      if (fails) throw Object.assign(new Error('Unknown system error 24'), { errno: 24 });
      return networkInterfaces();
    });
  const addresses = systemAddresses(log, read);
  const before = addresses();
  fails = true;
  expect(addresses()).toEqual(before);
  expect(addresses()).toEqual(before);
  expect(warnings).toEqual([
    'the addresses of this machine cannot be read: EMFILE; those that were known last stand',
  ]);
  expect(() => systemAddresses(log, read)).toThrow(HostInterfacesError);
});

describe("the system's addresses where sessions are at stake", () => {
  const failing = (errno: number, times: number) => {
    let left = times;
    return () =>
      readInterfaces(() => {
        if (left-- > 0) throw Object.assign(new Error('Unknown system error'), { errno });
        return networkInterfaces();
      });
  };
  const NO_DESCRIPTOR = 24;
  const NO_ACCESS = 13;

  it('are waited for while no descriptor is free', async () => {
    const clock = new SimClock();
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) };
    const addresses = awaitAddresses(log, clock, failing(NO_DESCRIPTOR, 3));
    let asked: OwnAddresses | undefined;
    void addresses.then((found) => {
      asked = found;
    });
    const later = async () => {
      clock.advance(1000);
      await new Promise(setImmediate);
    };
    await later();
    await later();
    expect(asked).toBeUndefined();
    await later();
    expect(asked?.()).toEqual(systemAddresses(silentLogger)());
    expect(warnings).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('are not waited for where they cannot be had for another reason', async () => {
    const refused = awaitAddresses(silentLogger, new SimClock(), failing(NO_ACCESS, 1));
    await expect(refused).rejects.toThrow(HostInterfacesError);
  });
});

describe('the next hop on a session between link-local addresses', () => {
  it.each([
    ['native', ':: fe80::1'],
    ['single', 'fe80::1'],
    ['double', 'fe80::1 fe80::1'],
    [undefined, `${OWN} fe80::1`],
  ] as const)('%s', (format, shown) => {
    expect(nextHopTo('fe80::2%eth0', undefined, undefined, format)).toBe(shown);
  });
});
