// `require ...` of a BGP protocol, and `mandatory` and `require ...` of its channels -> the model's.

import type { FamilyName } from '../../bgp/wire/families.ts';
import type { RequirableKind } from '../../bgp/wire/negotiate.ts';
import type { IpVersion } from '../../lib/ip.ts';
import type { PeerSettings } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { ChannelOptions } from './config.ts';

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
