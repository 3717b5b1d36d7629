// Graceful restart of a BGP protocol, ordinary and long-lived -> the model's. BIRD of either dialect helps its peers
// unless told otherwise, in both kinds. What a channel says goes before what its protocol says, unless that says off.

import type { FamilyName } from '../../bgp/wire/families.ts';
import type { IpVersion } from '../../lib/ip.ts';
import { type GracefulRestartConfig, LONGEST_STALE_TIME } from '../model.ts';
import type { BgpOptions } from './bgp-options.ts';
import type { ChannelOptions } from './config.ts';
import { DEFAULT_TIMERS } from './defaults.ts';

export function restartOf(
  options: BgpOptions,
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
): GracefulRestartConfig {
  const asked = options.gracefulRestart ?? 'aware';
  const families = [...channels]
    .filter(([, channel]) => channel.gracefulRestart ?? asked === 'on')
    .map(([name]): FamilyName => `${name}-unicast`);
  return {
    mode: asked === 'off' ? 'off' : families.length > 0 ? 'full' : 'helper',
    ...(families.length > 0 && families.length < channels.size && { families }),
    restartTime: options.gracefulRestartTime ?? DEFAULT_TIMERS.gracefulRestart,
    minRestartTime: options.minGracefulRestartTime,
    maxRestartTime: options.maxGracefulRestartTime,
    notification: false,
    longLived: longLivedOf(options, channels),
  };
}

function longLivedOf(
  options: BgpOptions,
  channels: ReadonlyMap<IpVersion, ChannelOptions>,
): GracefulRestartConfig['longLived'] {
  const asked = options.longLivedGracefulRestart ?? 'aware';
  const staleTime = byFamily((name) => {
    const channel = channels.get(name);
    if (channel === undefined || !(channel.longLivedGracefulRestart ?? asked === 'on')) return 0;
    return channel.longLivedStaleTime ?? options.longLivedStaleTime ?? DEFAULT_TIMERS.longLivedStale;
  });
  const bound = (key: 'minLongLivedStaleTime' | 'maxLongLivedStaleTime', usual: number): Times =>
    byFamily((name) => channels.get(name)?.[key] ?? options[key] ?? usual);
  const wanted = Object.values(staleTime).some((seconds) => seconds > 0);
  return {
    mode: asked === 'off' ? 'off' : wanted ? 'full' : 'helper',
    staleTime,
    minStaleTime: bound('minLongLivedStaleTime', 0),
    maxStaleTime: bound('maxLongLivedStaleTime', LONGEST_STALE_TIME),
    partialDeployment: false,
  };
}

type Times = GracefulRestartConfig['longLived']['staleTime'];

function byFamily(seconds: (name: IpVersion) => number): Times {
  const of = (name: IpVersion): number => Math.min(seconds(name), LONGEST_STALE_TIME);
  return { 'ipv4-unicast': of('ipv4'), 'ipv6-unicast': of('ipv6') };
}
