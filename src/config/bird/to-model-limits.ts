// Limits of BIRD's channels -> the model's. Where filtered routes are not kept BIRD forgets them, and its receive limit
// counts what import has accepted; godwit keeps them always, so that has to be said.

import type { FamilyName } from '../../bgp/wire/families.ts';
import type { IpVersion } from '../../lib/ip.ts';
import type { LimitsConfig, RouteLimit, RouteLimits } from '../model/limits.ts';
import type { ChannelOptions, Limit } from './config.ts';

type Channels = ReadonlyMap<IpVersion, ChannelOptions>;

/** `routeLimit`: of 1.6, the older way to write an import limit that restarts the protocol. */
export function limitsOf(channels: Channels, routeLimit: number | undefined): LimitsConfig {
  const older: Limit | undefined =
    routeLimit === undefined ? undefined : { routes: routeLimit, action: 'restart' };
  return {
    received: byFamily(channels, ({ receiveLimit, importKeepFiltered }) => {
      const limit = modelLimit(receiveLimit);
      if (limit === undefined || importKeepFiltered === true) return limit;
      return { ...limit, acceptedOnly: true };
    }),
    accepted: byFamily(channels, ({ importLimit }) => modelLimit(importLimit ?? older)),
    exported: byFamily(channels, ({ exportLimit }) => modelLimit(exportLimit)),
    asPathLength: undefined,
    communities: undefined,
  };
}

function byFamily(
  channels: Channels,
  limitFor: (channel: ChannelOptions) => RouteLimit | undefined,
): RouteLimits {
  const found: Partial<Record<FamilyName, RouteLimit>> = {};
  for (const [name, channel] of channels) {
    const limit = limitFor(channel);
    if (limit !== undefined) found[`${name}-unicast`] = limit;
  }
  return found;
}

/** Without an action a limit disables the protocol. */
function modelLimit(limit: Limit | 'off' | undefined): RouteLimit | undefined {
  if (limit === undefined || limit === 'off') return undefined;
  return { routes: limit.routes, action: limit.action ?? 'disable' };
}
