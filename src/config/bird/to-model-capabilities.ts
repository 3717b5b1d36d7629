// What a BGP protocol demands of the peer's OPEN (`require ...`, and `mandatory` and `require ...` of its channels), and
// what it keeps out of its own (`enable ... off`, `capabilities off`) -> the model's.

import type { FamilyName } from '../../bgp/wire/families.ts';
import { type RequirableKind, WITHHOLDABLE_KINDS } from '../../bgp/wire/negotiate.ts';
import type { IpVersion } from '../../lib/ip.ts';
import type { PeerSettings } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { BirdConfig, ChannelOptions } from './config.ts';

/** What may follow `require`, and the capability that it means. */
export const REQUIRABLE = {
  'route refresh': 'route-refresh',
  'enhanced route refresh': 'enhanced-route-refresh',
  as4: 'four-octet-as',
  'extended messages': 'extended-message',
  hostname: 'fqdn',
  'graceful restart': 'graceful-restart',
  'long lived graceful restart': 'long-lived-graceful-restart',
} as const satisfies Readonly<Record<string, RequirableKind>>;

export function requiredOf(
  options: BgpOptions,
  unicast: ReadonlyMap<IpVersion, ChannelOptions>,
): Pick<PeerSettings, 'required'> {
  const where = (key: 'mandatory' | 'requireAddPaths' | 'requireExtendedNextHop'): FamilyName[] =>
    [...unicast]
      .filter(([, channel]) => channel[key] === true)
      .map(([name]): FamilyName => `${name}-unicast`);
  const required = {
    capabilities: options.required ?? [],
    families: where('mandatory'),
    addPath: where('requireAddPaths'),
    extendedNextHop: where('requireExtendedNextHop'),
  };
  return Object.values(required).every(({ length }) => length === 0) ? {} : { required };
}

export function withheldOf(
  { family }: BirdConfig,
  { capabilities, enableRouteRefresh, enableEnhancedRouteRefresh, enableAs4, advertiseIpv4 }: BgpOptions,
): Pick<PeerSettings, 'withheld'> {
  if (capabilities === false) return { withheld: 'all' };
  const isOff = {
    // The IPv4 daemon of 1.6 has one family, which is meant where none is named (RFC 5492 §3).
    multiprotocol: advertiseIpv4 === false && family === 'ipv4',
    'route-refresh': enableRouteRefresh === false,
    'enhanced-route-refresh': enableRouteRefresh === false || enableEnhancedRouteRefresh === false,
    'four-octet-as': enableAs4 === false,
  };
  const withheld = WITHHOLDABLE_KINDS.filter((kind) => isOff[kind]);
  return withheld.length === 0 ? {} : { withheld };
}
