import { describe, expect, it } from 'vitest';
import { agree, localOpen } from '../../../src/bgp/session/local-open.ts';
import { socketOptions } from '../../../src/bgp/session/options.ts';
import { describeCapability } from '../../../src/bgp/wire/capabilities.ts';
import { type Family, IPV4_UNICAST, IPV6_UNICAST } from '../../../src/bgp/wire/families.ts';
import { type OptionChanges, peerOptions } from './harness.ts';

function open(changes: OptionChanges = {}, withCapabilities = true) {
  return localOpen(peerOptions('10.0.0.2', changes), withCapabilities);
}

function capabilities(changes: OptionChanges = {}): string[] {
  return open(changes).capabilities.map(describeCapability);
}

describe('the OPEN of this side', () => {
  it('has every capability that is wanted, once', () => {
    const flags = () => ({ restarting: true, forwarding: [IPV6_UNICAST] });
    const families = [IPV4_UNICAST, IPV6_UNICAST];
    const all = capabilities({
      remoteAs: 65001,
      role: 'customer',
      capabilities: {
        extendedNextHop: [IPV4_UNICAST],
        addPathReceive: families,
        addPathSend: [IPV4_UNICAST],
        gracefulRestart: { restartTime: 120, families, notification: true, flags },
        longLived: { families: [{ family: IPV4_UNICAST, staleTime: 3600 }] },
        fqdn: { hostname: 'tor', domain: 'example.net' },
        softwareVersion: 'godwit/1',
      },
    });
    expect(all).toEqual([
      'multiprotocol ipv4-unicast',
      'multiprotocol ipv6-unicast',
      'route refresh',
      'extended next hop ipv4-unicast over IPv6',
      'extended message',
      'role customer',
      'graceful restart 120 s, restarting, notification, ipv4-unicast, ipv6-unicast (forwarding)',
      '4-octet AS 64512',
      'ADD-PATH ipv4-unicast send and receive, ipv6-unicast receive',
      'enhanced route refresh',
      'long-lived graceful restart ipv4-unicast 3600 s',
      'FQDN tor.example.net',
      'software version godwit/1',
    ]);
  });

  it('leaves out what is switched off', () => {
    const withheld = ['route-refresh', 'enhanced-route-refresh', 'four-octet-as'] as const;
    const off = { withheld, extendedMessages: false };
    expect(capabilities({ families: [IPV4_UNICAST], capabilities: off })).toEqual([
      'multiprotocol ipv4-unicast',
    ]);
    expect(capabilities({ capabilities: { withheld: 'all' } })).toEqual([]);
    expect(capabilities({ families: [IPV6_UNICAST], capabilities: { withheld: ['multiprotocol'] } })).toEqual(
      ['route refresh', 'extended message', '4-octet AS 64512', 'enhanced route refresh'],
    );
    expect(open({}, false).capabilities).toEqual([]);
  });

  it('9234: has no role within the AS', () => {
    const named = (changes: OptionChanges) => capabilities({ role: 'peer', ...changes }).join();
    expect(named({ remoteAs: 'internal' })).not.toContain('role');
    expect(named({ remoteAs: 'external' })).toContain('role peer');
  });

  it('6793-3-1: shows AS_TRANS where the AS needs four octets', () => {
    expect(open({ localAs: 4200000001 }).myAs).toBe(23456);
    expect(open({ localAs: 64512 }).myAs).toBe(64512);
  });
});

describe('agreeing', () => {
  it('5492-3-3: without capabilities there is no family that is not configured', () => {
    const families = (configured: readonly Family[]) => {
      const options = peerOptions('10.0.0.2', { families: configured });
      return agree(options, localOpen(options, false), { ...localOpen(options, false), id: 7 }).families;
    };
    expect(families([IPV4_UNICAST, IPV6_UNICAST])).toEqual([IPV4_UNICAST]);
    expect(families([IPV6_UNICAST])).toEqual([]);
  });

  it('a 4-octet AS meets itself as internal', () => {
    const options = peerOptions('10.0.0.2', { localAs: 4200000001, remoteAs: 'internal' });
    const context = agree(options, localOpen(options, true), {
      ...localOpen(options, true),
      id: 7,
    });
    expect([context.peerType, context.peerAs]).toEqual(['internal', 4200000001]);
  });

  it('6793-4.2.3-1: without its capability this side stays who it is, and speaks two octets', () => {
    const options = peerOptions('10.0.0.2', {
      localAs: 4200000001,
      remoteAs: 65001,
      capabilities: { withheld: ['four-octet-as'] },
    });
    const remote = localOpen(peerOptions('10.0.0.1', { localAs: 65001 }), true);
    const local = localOpen(options, true);
    expect(local.myAs).toBe(23456);
    expect(agree(options, local, { ...remote, id: 7 })).toMatchObject({
      peerType: 'external',
      localAs: 4200000001,
      peerAs: 65001,
      as4: false,
      routeRefresh: true,
    });
  });
});

describe('TTL of the packets', () => {
  it('5082-3-1: GTSM sends 255 and takes what came over so many hops at most', () => {
    expect(socketOptions(peerOptions('10.0.0.2', { ttlSecurity: 1 }))).toMatchObject({
      ttl: 255,
      minTtl: 255,
    });
    expect(socketOptions(peerOptions('10.0.0.2', { ttlSecurity: 3, ttl: 7 }))).toMatchObject({
      ttl: 255,
      minTtl: 253,
    });
    expect(socketOptions(peerOptions('10.0.0.2', { ttl: 7 }))).toMatchObject({
      ttl: 7,
      minTtl: undefined,
    });
  });
});
